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

/*
 * ORDER_HELLO, the first order on every new wire: each side shows the other its head and proves that it extends what the other
 * saw last.  Where it does not, one of the two comes from an older day, and the signer stops.
 */
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
	slice responder;         /* status, to ORDER_HELLO: the certificate it answers by; else empty */
};
/*
 * A hello that is refused because books or journal were set back has lines of text for a body: each serial the books would
 * hide, in hex; or HELLO_JOURNAL and the lines of a journal that is not the one the books know.
 */
#define HELLO_JOURNAL "journal "
err head_order_get(slice body, struct head_order *out) CHECKED;
void head_order_put(struct buf *b, const struct head_order *o);
err head_reply_get(slice body, struct head_reply *out) CHECKED;
void head_reply_put(struct buf *b, const struct head_reply *r);

/* ORDER_RULES: what the signer decides by; it checks the approval's signature and that no newer rule set was seen. */
struct rules_order {
	slice profile, ruleset, approval; /* files and CMS */
	slice automation;                 /* CMS: the last S-1; empty: none was ever signed */
};
err rules_order_get(slice body, struct rules_order *out) CHECKED;
void rules_order_put(struct buf *b, const struct rules_order *o);

/*
 * ORDER_ISSUE: one certificate.  The signer plans the bytes itself from the raw application and refuses on another digest
 * than .tbs; evidence is OCSP's bytes, or the digest of a list handed over before (ORDER_CRL_IN).
 */
struct issue_order {
	dossier_id dossier;
	serial serial;
	instant not_before;   /* whole seconds; at most five minutes off the signer's clock */
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
	slice certificate;   /* DER; the same bytes each time this order is answered */
	struct head journal; /* with this signature in it */
	instant signed_at;   /* by the signer's clock */
};
err issue_order_get(slice body, struct issue_order *out) CHECKED;
void issue_order_put(struct buf *b, const struct issue_order *o);
err issue_reply_get(slice body, struct issue_reply *out) CHECKED;
void issue_reply_put(struct buf *b, const struct issue_reply *r);

/* ORDER_VOID: an order older than ten minutes without an intent; ERR_CONFLICT where there is one. */
struct void_order {
	dossier_id dossier;
	serial serial;
};
err void_order_get(slice body, struct void_order *out) CHECKED;
void void_order_put(struct buf *b, const struct void_order *o);

/* ORDER_REVOKED: the signer judges the document itself; a serial that is in its set stays there until notAfter. */
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

/* ORDER_CRL_OUT: a list of the signer's own set, signed at once; its bytes are then fetched part by part. */
struct crl_order {
	uint64_t number;          /* above every one used; a crash leaves a gap, never two lists of one number */
	instant now, next_update; /* thisUpdate and nextUpdate                                                 */
	uint64_t base;            /* of a delta: number of the complete list it adds to; 0: a complete list    */
	unsigned partition;       /* of the profile, from 1; 0: all certificates                               */
};
struct list_reply {
	uint64_t number, count, bytes; /* of the list: its number, its entries, its length */
	digest tbs;
	struct head journal; /* with this signature in it */
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

/* ORDER_ANSWERS: OCSP answers for certificates of ours, from the signer's set; ORDER_SLOTS takes the reply on to publisher. */
#define ANSWERS_MAX 32 /* of one order: their answers fit into one frame */
struct answers_order {
	instant now, next_update;
	size_t n;
	slice certificate[ANSWERS_MAX]; /* DER, as it was issued */
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

/*
 * ORDER_REFRESH: answers anew about what the signer knows (act/known) with serials above `after` and up to `upto`, no
 * certificate shown: at most REFRESH_MAX, in rising order of serial, in several results, the last one marked.  What has
 * ended is passed over.  ORDER_RENEWED takes them on to publisher; one with no slots asks it to let what it holds back be seen.
 */
#define REFRESH_MAX 1024U    /* 0.1 s of a P-256 key: a revocation waits for two of them at most */
#define SLOTS_PART_MAX 128U  /* of one frame, with signatures of 512 bytes                     */
struct refresh_order {
	instant now, next_update;
	serial after, upto; /* .n 0: from the first, to the last */
};
struct answer_row {
	serial serial;
	bool revoked;
	instant revoked_at; /* and reason, when revoked */
	enum crl_reason reason;
	slice signature;
};
struct slots_part {
	bool last;
	bool whole; /* ORDER_RENEWED, with no slots: every certificate's answer was sent since the publisher said that some were lost */
	instant produced, this_update, next_update;
	slice responder; /* certificate; empty where n is 0 */
	size_t n;
	struct answer_row slot[SLOTS_PART_MAX];
};
struct renewed_reply {
	bool lost; /* answers were lost with a damaged file: all are wanted again */
};
err refresh_order_get(slice body, struct refresh_order *out) CHECKED;
void refresh_order_put(struct buf *b, const struct refresh_order *o);
err slots_part_get(slice body, struct slots_part *out) CHECKED;
void slots_part_put(struct buf *b, const struct slots_part *p);
err renewed_reply_get(slice body, struct renewed_reply *out) CHECKED;
void renewed_reply_put(struct buf *b, const struct renewed_reply *r);

/* ORDER_CHECKPOINT: only what extends the last one signed is signed; ORDER_TILES takes the note on to publisher. */
struct checkpoint_order {
	struct head books;    /* what the checkpoint says */
	uint64_t from;        /* the last checkpoint's size: the proof starts there */
	size_t n_proof;
	digest proof[PROOF_MAX];
	slice note;           /* ORDER_TILES: the signed note; else empty */
};
err checkpoint_order_get(slice body, struct checkpoint_order *out) CHECKED;
void checkpoint_order_put(struct buf *b, const struct checkpoint_order *o);

/* ORDER_SIGN, from a signer to its hand: the hand knows its key and nothing of what it signs. */
struct sign_order {
	enum sig_alg alg;
	slice bytes; /* the hash by alg; the whole message for Ed25519 */
};
err sign_order_get(slice body, struct sign_order *out) CHECKED;
void sign_order_put(struct buf *b, const struct sign_order *o);

/* ORDER_SIGN_MANY: several at once by one key; all are signed, or the order is refused. */
#define SIGN_MANY_MAX 32U /* a network HSM takes 100 ms for each: their hand is not yet late */
struct sign_many_order {
	enum sig_alg alg;
	size_t n;
	slice bytes[SIGN_MANY_MAX];
};
struct sign_many_reply {
	size_t n;
	slice signature[SIGN_MANY_MAX];
};
err sign_many_order_get(slice body, struct sign_many_order *out) CHECKED;
void sign_many_order_put(struct buf *b, const struct sign_many_order *o);
err sign_many_reply_get(slice body, struct sign_many_reply *out) CHECKED;
void sign_many_reply_put(struct buf *b, const struct sign_many_reply *r);

#endif
