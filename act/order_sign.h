/*
 * order_sign.h - what the signers are asked, and what a signer asks its hand.
 *
 * Depends on: base, time, der, hash, cert, crl, key, identity, body.  Pure.
 *
 * Bodies of ORDER_HELLO to ORDER_CHECKPOINT and of ORDER_SIGN (order.h); errors and borrowing as there.  Everything in an
 * order can make a signer refuse; to make it sign, the documents in it must convince it.
 */
#ifndef ACT_ORDER_SIGN_H
#define ACT_ORDER_SIGN_H

#include "act/body.h"
#include "act/identity.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

struct head_order { /* what the registrar knows of its own books and of this journal */
	struct head books;
	struct head journal;   /* the last one this signer told us, as the books have it */
	size_t n_proof;
	digest proof[PROOF_MAX]; /* consistency of the books from the head the signer last told it knew; see head_reply */
	uint64_t proof_from;
};
struct head_reply {
	struct head journal;
	struct head books;     /* the last books head the journal has seen */
	size_t n_proof;
	digest proof[PROOF_MAX]; /* consistency of the journal from order.journal.size, so that a rollback shows on either side */
};
err head_order_get(slice body, struct head_order *out) CHECKED;
void head_order_put(struct buf *b, const struct head_order *o);
err head_reply_get(slice body, struct head_reply *out) CHECKED;
void head_reply_put(struct buf *b, const struct head_reply *r);

struct rules_order {
	slice profile, ruleset, approval; /* files and CMS */
	slice automation;                 /* CMS: the last S-1; empty: none was ever signed */
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
	uint64_t base;      /* of a delta: number of the complete list it adds to; 0: a complete list */
	unsigned partition; /* of the profile, from 1; 0: all certificates                            */
};
struct list_reply { /* it is signed; its bytes are fetched part by part */
	uint64_t number, count, bytes;
	digest tbs;
	struct head journal;
};
struct list_part_order {
	uint64_t number; /* of the list */
	uint64_t part;   /* 0, 1, 2, … each once; the answer is a struct part */
};
err crl_order_get(slice body, struct crl_order *out) CHECKED;
void crl_order_put(struct buf *b, const struct crl_order *o);
err list_reply_get(slice body, struct list_reply *out) CHECKED;
void list_reply_put(struct buf *b, const struct list_reply *r);
err list_part_order_get(slice body, struct list_part_order *out) CHECKED;
void list_part_order_put(struct buf *b, const struct list_part_order *o);

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
	digest proof[PROOF_MAX];
	slice note;           /* ORDER_TILES: the signed note; else empty */
};
err checkpoint_order_get(slice body, struct checkpoint_order *out) CHECKED;
void checkpoint_order_put(struct buf *b, const struct checkpoint_order *o);

struct sign_order {
	enum sig_alg alg;
	slice bytes; /* the hash by alg; the whole message for Ed25519 */
};
err sign_order_get(slice body, struct sign_order *out) CHECKED;
void sign_order_put(struct buf *b, const struct sign_order *o);

#endif
