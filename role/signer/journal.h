/*
 * journal.h - a signer's own book: what it was asked, what it signed, what it
 *             must never do again.
 *
 * Depends on: act/line, act/issue, act/revocation, edge/book, edge/index.
 *
 * The same lines and the same code as the statutory books, in a folder of its
 * own.  Acts and their bodies (about: the dossier, the certificate, or the house):
 *
 *   intent   dossier      serial tbs application key proof grounds responsible card status judged leaf
 *                         books_size books_root profile: durable before the key moves
 *   signed   dossier      serial intent(line) certificate pack offset length; evidence: the certificate
 *   refused  dossier      serial why
 *   void     dossier      serial: never signed from here on
 *   revoked  certificate  reason revoked not_after [invalid_since] by person document
 *   crl.published         number this_update next_update count tbs orders [base] [partition]: durable before the key moves
 *   ocsp.published        count this_update next_update tbs [known: serial and notAfter of each that was not known before,
 *                         in one text] [after, upto: of a refresh]
 *   checkpoint.signed     size root
 *   seen                  what must be remembered: books_size books_root | ruleset version | automation says date | clock |
 *                         started | parts parted: how the lists are divided from here on
 *
 * No personal data anywhere in it.
 *
 * journal_add_*() only add; journal_commit() makes a turn durable, whole or not
 * at all, and after an error of it the role ends: a failed fsync is never tried
 * again.  What was added is seen by later look-ups of the same turn.
 */
#ifndef ROLE_SIGNER_JOURNAL_H
#define ROLE_SIGNER_JOURNAL_H

#include "act/body.h"
#include "act/entry.h"
#include "act/issue.h"
#include "act/line.h"
#include "act/order_sign.h"
#include "act/revocation.h"
#include "base/base.h"
#include "edge/book.h"
#include "role/signer/journal_line.h"

/* What the journal knows of one serial. */
struct journal_record {
	bool intended, voided, done;
	uint64_t intent; /* its line */
	dossier_id dossier;
	serial serial;
	digest tbs, application, key, certificate;
	struct evidence_at at;  /* of the certificate */
	instant signed_at;
};

struct journal;

/*
 * `who` is BY_ISSUER or BY_STATUS; `trust` the digest of the trust file, the
 * `under` of every line.  `revoked` gets the set as the lines have it.
 */
err journal_open(const char *folder, enum by who, digest trust, const uint8_t issuer[SHA1_LEN], struct journal **out,
	struct revoked_set *revoked) CHECKED; /* the set borrows the journal's file: it goes first */
void journal_close(struct journal **j);

const struct journal_state *journal_state(const struct journal *j);
struct head journal_head(const struct journal *j); /* of the committed lines */
/* Proof from an earlier head of this journal to now; root of it for comparison. */
err journal_proof(struct journal *j, uint64_t from, digest *root, digest proof[TREE_PROOF_MAX], size_t *n) CHECKED;

/* ERR_ABSENT journal-absent; ERR_BUSY journal-turn: it was added in this very turn. */
err journal_find(struct journal *j, serial s, struct journal_record *out) CHECKED;
/*
 * Design law 2.  ERR_CONFLICT journal-application, journal-key: used under another
 * serial that is not void; ERR_BUSY journal-turn.
 */
err journal_check_unused(struct journal *j, serial s, digest application, digest key) CHECKED;
/* The certificate of a record that is done, byte for byte. */
err journal_certificate(struct journal *j, const struct journal_record *r, struct buf *out) CHECKED;
/* Serials of intents whose line of the books is at or beyond `size`: what a rollback of the books to it would hide. */
err journal_serials_beyond(struct journal *j, uint64_t size, struct buf *out) CHECKED;

/* One `at` for the lines of a turn, strictly later than the last; the caller judged the clock. */
void journal_turn(struct journal *j, instant now);
bool journal_is_dirty(const struct journal *j);
uint64_t journal_add_intent(struct journal *j, const struct issue_plan *p, const struct issue_order *o, slice profile);
void journal_add_signed(struct journal *j, dossier_id dossier, serial s, uint64_t intent, slice certificate);
void journal_add_refused(struct journal *j, dossier_id dossier, serial s, err why);
void journal_add_void(struct journal *j, dossier_id dossier, serial s);
void journal_add_revoked(struct journal *j, const struct revocation *r);
void journal_add_list(struct journal *j, const struct crl_order *o, const struct list_plan *p);
struct journal_answers {
	size_t count;
	instant this_update, next_update;
	digest tbs;
	size_t n_fresh;            /* at most ANSWERS_MAX */
	const struct known_one *fresh; /* not known before     */
	serial after, upto;        /* of a refresh; .n 0: none */
};
void journal_add_answers(struct journal *j, const struct journal_answers *a);
void journal_add_checkpoint(struct journal *j, struct head books);
void journal_add_books(struct journal *j, struct head books);
void journal_add_ruleset(struct journal *j, uint64_t version, digest ruleset, digest approval);
void journal_add_automation(struct journal *j, const struct automation *a);
/* Intents by rule in the hour before now. */
uint64_t journal_by_rule(const struct journal *j, instant now);
/* Serials revoked by rule in the hour before now. */
uint64_t journal_revoked_by_rule(const struct journal *j, instant now);
/* The first profile that parts the lists. */
void journal_add_parted(struct journal *j, const struct profile *p);
void journal_add_clock(struct journal *j); /* an operator confirmed it */
void journal_add_started(struct journal *j, slice as);
err journal_commit(struct journal *j) CHECKED;
/* Seals the index when due; an error is worth a log line and no more. */
err journal_tend(struct journal *j) CHECKED;
/*
 * Writes the set's base anew when enough entered since, without what ended before `ended`; ERR_BUSY journal-dirty within a
 * turn.  Not while a list is given out.
 */
err journal_tend_revoked(struct journal *j, struct revoked_set *revoked, instant ended) CHECKED;

/*
 * The set of known serials, as the file and the last KNOWN_LINES lines have it: more is not read, the registrar shows the
 * certificates again.
 */
#define KNOWN_LINES 131072U /* 0.3 s */
err journal_open_known(struct journal *j, struct known_set *known) CHECKED;
/* Writes its base anew when enough entered since, without what ended before `ended`. */
err journal_tend_known(struct journal *j, struct known_set *known, instant ended) CHECKED;

#endif
