/*
 * order_desk.h - what the registrar is asked: by front for applicants and relying parties, by inkanctl over run/office.
 *
 * Depends on: base, time, der, text, cert, crl, body.  Pure.
 *
 * Bodies of ORDER_CHALLENGE to ORDER_SERIAL and of ORDER_OFFICE (order.h); errors and borrowing as there.
 */
#ifndef ACT_ORDER_DESK_H
#define ACT_ORDER_DESK_H

#include "act/body.h"
#include "base/base.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

/* The bearer token that opens a dossier to its applicant: given with apply_reply, asked for by dossier_order. */
typedef struct {
	uint8_t b[16];
} token;

/* ORDER_CHALLENGE: what the next application must quote; unused, it costs the registrar no memory. */
struct challenge_reply {
	slice nonce;     /* one line of text, as document A-1 and its PKCS#10 take it */
	instant expires; /* from then on nonce-late */
};
err challenge_reply_get(slice body, struct challenge_reply *out) CHECKED;
void challenge_reply_put(struct buf *b, const struct challenge_reply *r);

/* What a dossier shows outside. */
enum dossier_state {
	DOSSIER_RECEIVED = 1, /* accepted for judging                              */
	DOSSIER_WAITING,      /* status could not be checked yet                   */
	DOSSIER_REVIEW,       /* a person decides                                  */
	DOSSIER_REFUSED,      /* ended                                             */
	DOSSIER_ORDERED,      /* serial drawn, waits for the signer                */
	DOSSIER_ISSUED,
	DOSSIER_DELIVERED,    /* fetched                                           */
	DOSSIER_RECEIPTED,    /* the receipt is in the books                       */
	DOSSIER_REVOKED,
	DOSSIER_WITHDRAWN,
};
/* "received" … "withdrawn": the word of HTTP, JSON and the books' tools; asserts one of the states. */
const char *dossier_state_name(enum dossier_state s);

/* ORDER_APPLY.  The same bytes sent again get the same dossier and token; another document under that nonce is refused. */
struct apply_order {
	slice cms; /* A-1, at most CMS_MAX bytes */
	bool wait; /* answer when the dossier is issued, refused, or leaves the straight way */
};
struct apply_reply {
	dossier_id dossier;
	token token;
	enum dossier_state state;
	bool has_serial; /* from DOSSIER_ORDERED on */
	serial serial;
};
err apply_order_get(slice body, struct apply_order *out) CHECKED;
void apply_order_put(struct buf *b, const struct apply_order *o);
err apply_reply_get(slice body, struct apply_reply *out) CHECKED;
void apply_reply_put(struct buf *b, const struct apply_reply *r);

/* ORDER_DOSSIER, ORDER_FETCH: whoever holds the token is the applicant; a wrong one hears what an unknown dossier hears. */
struct dossier_order {
	dossier_id dossier;
	token token;
};
struct dossier_reply {
	enum dossier_state state;
	instant since; /* of the line that brought this state */
	slice why;     /* refusal's or review's text "code: clause: sentence", else empty */
	bool has_serial;
	serial serial;
};
err dossier_order_get(slice body, struct dossier_order *out) CHECKED;
void dossier_order_put(struct buf *b, const struct dossier_order *o);
err dossier_reply_get(slice body, struct dossier_reply *out) CHECKED;
void dossier_reply_put(struct buf *b, const struct dossier_reply *r);

/* ORDER_RECEIPT, ORDER_REVOKE, ORDER_OFFICE: an act that is in the books, durable before this is said. */
struct entry_reply {
	uint64_t n;      /* the line's number, from 0 */
	instant at;      /* what the line says */
	slice line;      /* the leaf's bytes: with a proof for n, anyone can hold the house to it */
	bool has_serial; /* of the certificate it is about, if it is about one */
	serial serial;
};
err entry_reply_get(slice body, struct entry_reply *out) CHECKED;
void entry_reply_put(struct buf *b, const struct entry_reply *r);

/* ORDER_SERIAL: what /certificates tells anybody who knows the serial; nothing of the person. */
enum serial_state { SERIAL_VALID = 1, SERIAL_REVOKED, SERIAL_EXPIRED, SERIAL_UNKNOWN };
struct serial_order {
	serial serial;
};
struct serial_reply {
	enum serial_state state;
	instant at; /* revoked, expired: since when; else notAfter */
	enum crl_reason reason; /* SERIAL_REVOKED; else REASON_UNSPECIFIED */
};
err serial_order_get(slice body, struct serial_order *out) CHECKED;
void serial_order_put(struct buf *b, const struct serial_order *o);
err serial_reply_get(slice body, struct serial_reply *out) CHECKED;
void serial_reply_put(struct buf *b, const struct serial_reply *r);

/* ORDER_OFFICE: a document signed by a person of the house; run/office says nothing about who sends it, the signature does. */
struct office_order {
	slice cms;     /* D-1, S-1, V-2, G-1, P-1 (then with .ruleset) */
	slice ruleset; /* the file an approval names, else empty */
};
err office_order_get(slice body, struct office_order *out) CHECKED;
void office_order_put(struct buf *b, const struct office_order *o);

#endif
