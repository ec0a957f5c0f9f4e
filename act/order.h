/*
 * order.h - what the roles ask of each other: every body of every frame, both ways.
 *
 * Depends on: base, time, der, hash, text, frame, cert, crl, cms, application, identity.  Pure.
 *
 * All helpers speak order(id, kind, body) -> result(id, fail, what, body); the
 * kinds are numbered once, here, and each body's ASN.1 stands above its reader
 * in order.c.  Slices borrow from the frame.  Anything larger than a frame goes
 * in numbered parts (struct part), the last one marked.  A body written {} below
 * has no bytes at all; one that is a single OCTET STRING or text goes through
 * octets_put.  One value has one encoding, and what a reader takes its writer
 * gives back byte for byte.  ERR_INPUT order-form, order-path, der-…, text-….
 */
#ifndef ACT_ORDER_H
#define ACT_ORDER_H

#include "act/application.h"
#include "act/identity.h"
#include "base/base.h"
#include "base/frame.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

typedef struct {
	uint8_t b[16];
} dossier_id;
typedef struct {
	uint8_t b[16];
} token;

enum order_kind {
	/* front -> registrar */
	ORDER_CHALLENGE = 1, /* {} -> struct challenge_reply                                    */
	ORDER_APPLY = 2,     /* struct apply_order -> struct apply_reply                        */
	ORDER_DOSSIER = 3,   /* struct dossier_order -> struct dossier_reply                    */
	ORDER_FETCH = 4,     /* struct dossier_order -> one OCTET STRING: the certificate       */
	ORDER_RECEIPT = 5,   /* one OCTET STRING: CMS -> struct entry_reply                     */
	ORDER_REVOKE = 6,    /* one OCTET STRING: CMS -> struct entry_reply                     */
	ORDER_SERIAL = 7,    /* struct serial_order -> struct serial_reply                      */
	/* registrar -> verifier */
	ORDER_TRUST = 20,    /* struct part: the trust file -> one OCTET STRING: its digest     */
	ORDER_CRL_IN = 21,   /* struct part: a J-LIS CRL; after the last -> struct crl_reply    */
	ORDER_VERIFY = 22,   /* struct verify_order -> struct facts                             */
	/* registrar -> signers */
	ORDER_HELLO = 40,    /* struct head_order -> struct head_reply; first on every wire     */
	ORDER_RULES = 41,    /* struct rules_order -> {}: profile, rule set, approval           */
	ORDER_ISSUE = 42,    /* struct issue_order -> struct issue_reply                        */
	ORDER_VOID = 43,     /* struct void_order -> struct head_reply: that serial is never signed */
	ORDER_REVOKED = 44,  /* struct revoked_order -> struct head_reply: into the revoked set */
	ORDER_CRL_OUT = 45,  /* struct crl_order -> several results, struct part: our CRL       */
	ORDER_ANSWERS = 46,  /* struct answers_order -> struct answers_reply: OCSP, status only */
	ORDER_CHECKPOINT = 47, /* struct checkpoint_order -> one OCTET STRING: the signed note, status only */
	/* registrar -> messenger */
	ORDER_CALL = 60,     /* struct call_order -> several results, struct part: the answer's body */
	ORDER_MAIL = 61,     /* struct mail_order -> {}                                         */
	/* registrar -> publisher */
	ORDER_FILE = 80,     /* struct file_order (parts) -> {} after the last                  */
	ORDER_SLOTS = 81,    /* struct answers_reply with serials: into the status file -> {}   */
	ORDER_WITHDRAW = 82, /* struct serial_order: no answer for it until a new one -> {}     */
	ORDER_TILES = 83,    /* struct checkpoint_order's size and note: publish tiles and checkpoint -> {} */
	/* inkanctl -> registrar, over run/office */
	ORDER_OFFICE = 100,  /* struct office_order -> struct entry_reply                       */
	ORDER_STATE = 101,   /* {} -> one OCTET STRING: JSON for `inkanctl status`                */
	/* signer -> hand */
	ORDER_SIGN = 120,    /* struct sign_order -> one OCTET STRING: the signature            */
	ORDER_KEY = 121,     /* {} -> one OCTET STRING: the SubjectPublicKeyInfo in the token   */
	/* inkand -> every role, on descriptor 3; a wire's descriptor travels as SCM_RIGHTS     */
	ORDER_WIRE = 200,    /* struct wire_order -> nothing                                    */
	ORDER_BEAT = 201,    /* {} -> {}: the heartbeat                                         */
	ORDER_STOP = 202,    /* {} -> nothing: finish the turn and exit 0                       */
	ORDER_PIN = 203,     /* one OCTET STRING: the token PIN, to signers only, passed on to hands */
	ORDER_CONFIRM = 204, /* {} -> {}: an operator confirmed the clock                       */
};

/* Bodies that are one thing, of bytes or of text: always one OCTET STRING. */
err octets_get(slice body, slice *out) CHECKED;
void octets_put(struct buf *b, slice s);

struct part {
	uint64_t number; /* from 0 */
	bool last;
	slice bytes;
};
err part_get(slice body, struct part *out) CHECKED;
void part_put(struct buf *b, const struct part *p);
#define PART_BYTES (100U << 10) /* of payload in one frame */

struct challenge_reply {
	slice nonce; /* text */
	instant expires;
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
const char *dossier_state_name(enum dossier_state s); /* "issued" */

struct apply_order {
	slice cms;
	bool wait; /* answer when the dossier is issued, refused, or leaves the straight way */
};
struct apply_reply {
	dossier_id dossier;
	token token;
	enum dossier_state state;
	bool has_serial;
	serial serial;
};
err apply_order_get(slice body, struct apply_order *out) CHECKED;
void apply_order_put(struct buf *b, const struct apply_order *o);
err apply_reply_get(slice body, struct apply_reply *out) CHECKED;
void apply_reply_put(struct buf *b, const struct apply_reply *r);

struct dossier_order {
	dossier_id dossier;
	token token;
};
struct dossier_reply {
	enum dossier_state state;
	instant since;
	slice why; /* refusal's or review's text, else empty */
	bool has_serial;
	serial serial;
};
err dossier_order_get(slice body, struct dossier_order *out) CHECKED;
void dossier_order_put(struct buf *b, const struct dossier_order *o);
err dossier_reply_get(slice body, struct dossier_reply *out) CHECKED;
void dossier_reply_put(struct buf *b, const struct dossier_reply *r);

/* An act that is in the books: its line, and where it stands. */
struct entry_reply {
	uint64_t n;
	instant at;
	slice line; /* the leaf's bytes */
	bool has_serial;
	serial serial;
};
err entry_reply_get(slice body, struct entry_reply *out) CHECKED;
void entry_reply_put(struct buf *b, const struct entry_reply *r);

enum serial_state { SERIAL_VALID = 1, SERIAL_REVOKED, SERIAL_EXPIRED, SERIAL_UNKNOWN };
struct serial_order {
	serial serial;
};
struct serial_reply {
	enum serial_state state;
	instant at; /* revoked, expired: since when; else notAfter */
	enum crl_reason reason;
};
err serial_order_get(slice body, struct serial_order *out) CHECKED;
void serial_order_put(struct buf *b, const struct serial_order *o);
err serial_reply_get(slice body, struct serial_reply *out) CHECKED;
void serial_reply_put(struct buf *b, const struct serial_reply *r);

/* --- verifier ---------------------------------------------------------------- */
struct crl_reply {
	digest digest;
	instant this_update, next_update;
	uint64_t count;
};
err crl_reply_get(slice body, struct crl_reply *out) CHECKED;
void crl_reply_put(struct buf *b, const struct crl_reply *r);

enum purpose {
	PURPOSE_APPLICATION = 1, /* document A-1, signed by a card                             */
	PURPOSE_RECEIPT,         /* R-1, signed by the certificate delivered                   */
	PURPOSE_REVOCATION,      /* V-1, signed by the certificate itself or by a card         */
	PURPOSE_OFFICE,          /* any document of a person of the house                      */
};
struct verify_order {
	enum purpose purpose;
	instant at;
	enum status_method method; /* what status evidence comes along: NONE, CRL, OCSP */
	digest crl;                /* cites a CRL handed over before                    */
	slice ocsp_answer, ocsp_nonce;
	slice cms;
	slice certificate; /* REVOCATION by card: our certificate; else empty    */
	slice application; /* REVOCATION by card: the application's CMS; else empty */
};
err verify_order_get(slice body, struct verify_order *out) CHECKED;
void verify_order_put(struct buf *b, const struct verify_order *o);

/* Who signed a document. */
enum signer_kind { SIGNER_CARD = 1, SIGNER_CERTIFICATE, SIGNER_PERSON };
struct facts {
	enum verdict verdict;
	slice why;            /* text of the refusal, empty when verified */
	enum err_kind kind;   /* its kind                                 */
	bool chained;
	unsigned mismatch;
	enum form form;
	digest document;      /* SHA-256 of the CMS */
	enum signer_kind signer;
	digest signer_digest; /* of its certificate; of its SPKI for a person */
	serial signer_serial; /* zero length for a person                      */
	slice person;         /* its label in the trust file                    */
	digest key;           /* of the subscriber's SPKI; zero when none       */
	enum key_kind key_kind;
	unsigned key_bits;
	slice spki;           /* the subscriber's, whole: the registrar plans the certificate from it; empty when none */
	bool same_card;       /* REVOCATION: the leaf is the application's      */
	enum status_method method;
	instant status_this_update, status_next_update;
	digest status_digest;
	slice card_name, card_address; /* the card's own characters, for a person's certificate */
	slice ocsp_request;   /* when verdict is UNCHECKED for want of status: what messenger sends */
	size_t n;
	slice value[DOCUMENT_LINES_MAX]; /* the document's lines in form order */
};
err facts_get(slice body, struct facts *out) CHECKED;
void facts_put(struct buf *b, const struct facts *f);

/* --- signers ----------------------------------------------------------------- */
struct head {
	uint64_t size;
	digest root;
};
struct head_order { /* what the registrar knows of its own books and of this journal */
	struct head books;
	struct head journal;   /* the last one this signer told us, as the books have it */
	size_t n_proof;
	digest proof[64];      /* consistency of the books from the head the signer last told it knew; see head_reply */
	uint64_t proof_from;
};
struct head_reply {
	struct head journal;
	struct head books;     /* the last books head the journal has seen */
	size_t n_proof;
	digest proof[64];      /* consistency of the journal from order.journal.size, so that a rollback shows on either side */
};
err head_order_get(slice body, struct head_order *out) CHECKED;
void head_order_put(struct buf *b, const struct head_order *o);
err head_reply_get(slice body, struct head_reply *out) CHECKED;
void head_reply_put(struct buf *b, const struct head_reply *r);

struct rules_order {
	slice profile, ruleset, approval; /* files and CMS */
};
err rules_order_get(slice body, struct rules_order *out) CHECKED;
void rules_order_put(struct buf *b, const struct rules_order *o);

struct issue_order {
	dossier_id dossier;
	serial serial;
	instant not_before;
	digest tbs;           /* what certificate.ordered says */
	digest leaf;          /* the books' leaf hash of certificate.ordered  */
	struct head books;
	instant judged;       /* the time identity was judged at */
	slice application;    /* CMS */
	enum status_method method;
	digest crl;
	slice ocsp_answer, ocsp_nonce;
	digest ruleset;       /* decided by rule; or zero and … */
	slice decision;       /* … the officer's CMS */
	bool again;           /* no new act: answer a lost result, finish an intent */
};
struct issue_reply {
	slice certificate;
	struct head journal;
	instant signed_at;
};
err issue_order_get(slice body, struct issue_order *out) CHECKED;
void issue_order_put(struct buf *b, const struct issue_order *o);
err issue_reply_get(slice body, struct issue_reply *out) CHECKED;
void issue_reply_put(struct buf *b, const struct issue_reply *r);

struct void_order {
	dossier_id dossier;
	serial serial;
};
err void_order_get(slice body, struct void_order *out) CHECKED;
void void_order_put(struct buf *b, const struct void_order *o);

struct revoked_order {
	slice certificate;    /* ours */
	slice cms;            /* V-1 or V-2 */
	slice application;    /* for a request by card */
	enum status_method method;
	digest crl;
	slice ocsp_answer, ocsp_nonce;
	instant judged, revoked; /* revoked: the entry's time */
	enum crl_reason reason;
};
err revoked_order_get(slice body, struct revoked_order *out) CHECKED;
void revoked_order_put(struct buf *b, const struct revoked_order *o);

struct crl_order {
	uint64_t number;
	instant now, next_update;
};
err crl_order_get(slice body, struct crl_order *out) CHECKED;
void crl_order_put(struct buf *b, const struct crl_order *o);

#define ANSWERS_MAX 32
struct answers_order {
	instant now, next_update;
	size_t n;
	slice certificate[ANSWERS_MAX];
};
struct answers_reply {
	size_t n;
	serial serial[ANSWERS_MAX];
	instant this_update[ANSWERS_MAX], next_update[ANSWERS_MAX];
	slice answer[ANSWERS_MAX]; /* whole OCSPResponse */
};
err answers_order_get(slice body, struct answers_order *out) CHECKED;
void answers_order_put(struct buf *b, const struct answers_order *o);
err answers_reply_get(slice body, struct answers_reply *out) CHECKED;
void answers_reply_put(struct buf *b, const struct answers_reply *r);

struct checkpoint_order {
	struct head books;
	uint64_t from;        /* the last checkpoint's size: the proof starts there */
	size_t n_proof;
	digest proof[64];
	slice note;           /* ORDER_TILES: the signed note; else empty */
};
err checkpoint_order_get(slice body, struct checkpoint_order *out) CHECKED;
void checkpoint_order_put(struct buf *b, const struct checkpoint_order *o);

/* --- messenger, publisher, office, hand, inkand -------------------------------- */
enum call_kind { CALL_JLIS_OCSP = 1, CALL_JLIS_CRL };
struct call_order {
	enum call_kind kind; /* the URL is messenger's own: no one names addresses to it */
	slice body;
};
struct mail_order {
	slice to, subject, text;
};
struct file_order {
	slice path; /* relative, no "..", [a-z0-9._/-] */
	struct part part;
};
err call_order_get(slice body, struct call_order *out) CHECKED;
void call_order_put(struct buf *b, const struct call_order *o);
err mail_order_get(slice body, struct mail_order *out) CHECKED;
void mail_order_put(struct buf *b, const struct mail_order *o);
err file_order_get(slice body, struct file_order *out) CHECKED;
void file_order_put(struct buf *b, const struct file_order *o);

struct office_order {
	slice cms;     /* D-1, S-1, V-2, G-1, P-1 (then with .ruleset) */
	slice ruleset; /* the file an approval names, else empty */
};
err office_order_get(slice body, struct office_order *out) CHECKED;
void office_order_put(struct buf *b, const struct office_order *o);

struct sign_order {
	enum sig_alg alg;
	slice bytes; /* the hash by alg; the whole message for Ed25519 */
};
err sign_order_get(slice body, struct sign_order *out) CHECKED;
void sign_order_put(struct buf *b, const struct sign_order *o);

/* Who is at the other end of a wire. */
enum peer { PEER_INKAND = 1, PEER_FRONT, PEER_REGISTRAR, PEER_VERIFIER, PEER_ISSUER, PEER_STATUS, PEER_HAND, PEER_PUBLISHER,
	PEER_MESSENGER, PEER_OFFICE, /* run/office: to the registrar a listening socket; its connections are links with this peer */
	PEER_PUBLIC, PEER_PRIVATE    /* to front: listening sockets of the HTTP faces */ };
struct wire_order {
	enum peer peer;
	uint64_t number; /* of several: front 0, 1, … */
};
err wire_order_get(slice body, struct wire_order *out) CHECKED;
void wire_order_put(struct buf *b, const struct wire_order *o);

#endif
