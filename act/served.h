/*
 * served.h - what relying parties must be told, recomputed from the books; whether what they are told is that: Rule 6(x),
 *            6(xi), B-11.
 *
 * Depends on: base, pki/{cert,crl,ocsp}, act/{trust,profile,entry,tree,revocation}.  Pure.
 *
 * The house's signers and its registrar keep sets, projections and files of their
 * own.  Here nothing of them is believed: a fold over the lines of the books says
 * which certificates were issued, which are revoked since when and why, and which
 * lists were published; every answer and list that a stranger can fetch is held
 * against that.  A line that says nothing of these is passed over by its first
 * hundred bytes, unread, so that a book of a million dossiers takes a minute, not
 * an hour.  (That the books themselves are whole is another question: `inkanctl
 * books verify`.)
 *
 * A line is the act, and its news needs a moment to be public: struct
 * served_allowed names how long each may take.  What came later than that, or is
 * wrong in a way no moment explains, is a difference: an err whose text says what.
 * A reader that finds one reads the new lines and looks again before it says so,
 * for the house goes on while it is looked at.
 *
 * Memory: 40 bytes a certificate, 48 more a revoked one.
 */
#ifndef ACT_SERVED_H
#define ACT_SERVED_H

#include "act/profile.h"
#include "act/revocation.h"
#include "act/tree.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/ocsp.h"

#define SERVED_TEXTS_MAX 32
#define SERVED_KEYS_MAX 64 /* responders' keys that the books name: one each few years; then the first retired are let go */

/* How long news of the books may take, and how short an answer's rest may be. */
struct served_allowed {
	int64_t answer_ms; /* a revocation to every OCSP answer                                              */
	int64_t signed_ms; /* a new certificate to its first answer; a revocation to its signed answer       */
	int64_t list_ms;   /* a revocation to the lists, a round of lists under way, a checkpoint to be public */
	int64_t clock_ms;  /* their clock before ours                                                        */
	int64_t left_ms;   /* an answer of a valid certificate lives at least so long: renewed at half of 48 h */
	int64_t every_ms;  /* lists are made anew at least so often, with an hour's grace; 0: not known       */
};
#define SERVED_ALLOWED                                                                                                     \
	((struct served_allowed){.answer_ms = 1000,                                                                            \
	    .signed_ms = 30 * SECOND_MS,                                                                                       \
	    .list_ms = 30 * SECOND_MS,                                                                                         \
	    .clock_ms = 5 * SECOND_MS,                                                                                         \
	    .left_ms = 12 * HOUR_MS})

struct served_row { /* a certificate that was issued */
	serial serial;
	instant issued, not_after;
};
struct served_revoked { /* … and revoked */
	serial serial;
	uint8_t reason;
	instant at, invalid_since; /* zero: not said */
	uint64_t n; /* the line */
};
/* The last crl.published of its kind; number 0: none yet. */
struct served_list {
	uint64_t number, base;
	instant at, this_update, next_update;
	digest crl;
};

/* Zeroed memory is a fold over no lines; owned, served_drop. */
struct served {
	uint64_t lines;
	struct served_row *row; /* sorted by serial after served_settle */
	size_t n, cap, settled;
	struct served_revoked *revoked;
	size_t n_revoked, cap_revoked, settled_revoked;
	struct serial_list {
		serial *at;
		size_t n, cap;
	} ordered; /* voided orders: never issued, so never served */
	struct served_list *list; /* CRL_PARTITIONS_MAX + 2: the list of all, partitions 1 …, the delta */
	uint64_t number, fallen;   /* of lists: the last number; the line at which one did not rise, 0: none */
	struct {
		uint64_t n, size; /* the line; lines it speaks for; n 0: none yet */
		instant at;
		digest root;
	} checkpoint;
	size_t n_keys;
	struct served_key {
		digest key;            /* of a responder, as key.generated names it */
		instant made, retired; /* retired 0: not yet                        */
	} key[SERVED_KEYS_MAX];
	digest profile, trust;       /* of the last baseline */
	size_t n_texts, n_old, cap_old;
	digest text[SERVED_TEXTS_MAX]; /* terms, explanations, practice statement of the last baseline … */
	digest *old;                   /* … and of those before: still in the history of texts */
};
void served_drop(struct served *s);

/* The next line.  ERR_CORRUPT served-line (a line it needs cannot be read). */
err served_take(struct served *s, slice line) CHECKED;
/* After some lines: everything below may be asked. */
void served_settle(struct served *s);
/* NULL: the books never issued it; never revoked it. */
const struct served_row *served_find(const struct served *s, serial number);
const struct served_revoked *served_find_revoked(const struct served *s, serial number);
/* A text of the last baseline; of that one or one before. */
bool served_has_text(const struct served *s, digest text) CHECKED;
bool served_had_text(const struct served *s, digest text) CHECKED;
/* The place of a list in s->list. */
size_t served_list_place(unsigned partition, bool delta);

/* --- OCSP ------------------------------------------------------------------------ */

enum served_kind { SERVED_ANSWER = 1, SERVED_LATER, SERVED_NONE }; /* tryLater; unauthorized, or no slot */

/*
 * One certificate's answer, read at `read`: `a` only for SERVED_ANSWER.  Every
 * refusal is a difference, the gravest first: served-issuer -serial -good -revoked
 * -foreign -reason -time -unknown -future -late -short -missing -withheld -pending.
 */
err served_check_answer(const struct served *s, const struct ocsp_issuer *issuer, const struct served_allowed *w,
    serial number, enum served_kind kind, const struct ocsp_answer *a, instant read) CHECKED;
/*
 * Who signed: delegated by the issuer, valid now, a key the books know of (where they know of any).
 * ERR_POLICY answer-responder, served-responder-key, served-responder-ended; what cert and key refuse.
 */
err served_check_responder(
    const struct served *s, const struct trust *t, slice certificate, instant read, struct responder *out) CHECKED;
/*
 * Whether the answer is of the time in which its key could sign it.  A key is retired when the last answer by it has
 * lapsed, so nothing by it can live longer; a stolen one would have to say so.  ERR_POLICY served-responder-time.
 */
err served_check_key(const struct served *s, const struct responder *r, const struct ocsp_answer *a) CHECKED;
/* The signature itself.  ERR_POLICY served-signature. */
err served_check_signature(const struct responder *r, const struct ocsp_answer *a) CHECKED;

/* --- lists ------------------------------------------------------------------------- */

#define SERVED_SAID_MAX 64 /* differences of one list that are kept to be said; the rest is counted */

struct served_said {
	size_t n, total;
	struct {
		err e;
		serial serial; /* of no bytes: of the list itself */
	} at[SERVED_SAID_MAX];
};

/* Which revoked certificates the lists read so far name: one bit each, made by served_seen_new, freed by its owner. */
uint8_t *served_seen_new(const struct served *s);

/*
 * One list: its form, signature, number, times, and every entry.  The complete
 * list and the delta to it are read into one `seen` (a partition into its own), and
 * served_check_missing asks what neither names.  ERR_ABSENT where the bytes are no
 * list at all: nothing was seen then; other differences are in *said.
 */
struct served_scope {
	unsigned partition; /* 0: the list of all */
	bool delta;
	uint64_t complete; /* of a delta: the number of the complete list that is served, 0: none */
};
err served_check_list(const struct served *s, const struct trust *t, const struct profile *p, const struct served_allowed *w,
    const struct served_scope *scope, slice crl, instant read, uint8_t *seen, uint64_t *number, struct served_said *said) CHECKED;
/* What must stand there and was not seen: revoked longer ago than list_ms. */
void served_check_missing(const struct served *s, const struct profile *p, const struct served_allowed *w, unsigned partition,
    instant read, const uint8_t *seen, struct served_said *said);

/* --- checkpoint --------------------------------------------------------------------- */

/*
 * The published note: signed by the key of the trust file, over a root that the
 * books' lines give.  ERR_POLICY served-checkpoint-old, -ahead, -root; what checkpoint_get and _check refuse.
 */
err served_check_checkpoint(const struct served *s, const struct trust *t, const struct served_allowed *w,
    const struct tree_nodes *books, slice note, instant read, uint64_t *size) CHECKED;

#endif
