/*
 * entry.h - what each act of the statutory books adds: the body of every line,
 *           Rule 12(1); design 2.
 *
 * Depends on: base, cert, order_judge, line.  Pure.
 *
 * A line (act/line.h) says who, when and about what; its body is read and written
 * here, by one table that names for each act its members in their order and their
 * kinds.  Nobody else writes or reads a body of the books.  Members that hold
 * nothing (a zero digest, an empty text, a zero time or number, a serial of no
 * bytes, an empty list) are left out, and what is left out reads as nothing; a
 * member the table does not name is refused, so that a line cannot say more than
 * this page.
 *
 *   act                       about    members of the body
 *   baseline.set              house    document state trust profile ruleset
 *   ruleset.approved          house    document ruleset version from until signed_at
 *   permission.granted        house    document number key duty from until signed_at  (and .withdrawn)
 *   automation.stopped        house    document why signed_at                         (and .resumed)
 *   explanation.acknowledged  dossier  explanation language shown confirmed
 *   application.received      dossier  document key card token profile terms validity; personal: name address birth …
 *   identity.verified         dossier  judged method status this_update next_update nonce request trust mismatch why
 *                                      (.failed .mismatch .unchecked the same)
 *   application.accepted      dossier  ruleset approval engine responsible document validity; personal: name address
 *   application.refused       dossier  the same and why
 *   certificate.ordered       dossier  serial not_before tbs profile
 *   certificate.voided        dossier  serial why
 *   certificate.issued        dossier  serial certificate not_after signed_at journal journal_root
 *   certificate.delivered     dossier  serial
 *   receipt.received          dossier  document serial
 *   review.opened             dossier or house   why how: "letter" one is owed, "receipt" it is late
 *   review.extended           dossier  why until document
 *   revocation.requested      dossier  document serial reason signer
 *   certificate.revoked       dossier  document serial reason signer judged method status nonce ruleset responsible
 *                                      invalid_since: as V-2 says, where it does
 *   revocation.refused        dossier  document serial why request
 *   notice.sent               dossier  document serial how from: when it was sent    (and reminder.sent)
 *   user.notified             dossier  serial how document from
 *   crl.published             house    number this_update next_update crl count base partition regular covers journal
 *                                      journal_root: base of a delta or 0, partition or 0, regular 1: every list was
 *                                      made anew; count: entries
 *   ocsp.published            house    this_update next_update answers serials; of a refresh instead of serials: count
 *                                      after upto due: so many answers above `after` and up to `upto` (absent: from the
 *                                      first, to the last), for which the wheel stood at `due`
 *   checkpoint.signed         house    size root note journal journal_root
 *   operation.done            house    what number status this_update next_update count
 *   accident.noted            house    why size root document what from
 *   key.generated             house    document what key certificate how: together, alone  signed_at
 *                                      of a changed responder: its certificate, a line for each person's K-1
 *   key.activated             house    document what key journal journal_root
 *   key.retired               house    what key from: since when another is in use
 *
 * Every other act has the members `what` and `why`.
 */
#ifndef ACT_ENTRY_H
#define ACT_ENTRY_H

#include "act/line.h"
#include "act/order_judge.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "pki/cert.h"

#define ENTRY_TEXT_MAX 1024   /* bytes of a member that is text: a signed note, a refusal                 */
#define ENTRY_SERIALS_MAX 32  /* as many as one order of answers takes                                    */
#define ENTRY_PERSONAL_MAX 12 /* personal lines of the longest form                                       */
#define WHY_MAX 256           /* bytes of a refusal's text: longer ones from a helper are cut              */

struct personal {
	const char *field;
	slice value;
	uint8_t salt[SALT_LEN];
};

struct entry {
	struct line line; /* .body is not read when writing */

	digest document;         /* of the signed object the act rests on                    */
	digest key, card, token; /* subscriber's SPKI, JPKI leaf, SHA-256 of the bearer token */
	digest terms, explanation, profile, ruleset, trust, approval;
	digest status, request; /* of CRL or OCSP answer; of the OCSP request               */
	digest tbs, certificate, crl, answers, root, journal_root;
	instant shown, confirmed, judged, not_before, not_after, signed_at, from, until, this_update, next_update, invalid_since;
	uint64_t validity, mismatch, engine, version, number, count, base, partition, regular, covers, size, journal;
	slice why, language, responsible, state, what, how, duty, note;
	slice profile_name;
	serial serial, after, upto;
	instant due;
	uint8_t nonce[16]; /* of the OCSP request; zero: none */
	enum status_method method;
	enum signer_kind signer;
	enum crl_reason reason;
	size_t n_serials;
	serial serials[ENTRY_SERIALS_MAX];

	size_t n_personal; /* written as commitments with openings; not read back */
	struct personal personal[ENTRY_PERSONAL_MAX];

	struct json *doc; /* owned by what entry_get made; texts borrow from it */
};

/*
 * Writes the whole line without LF; `openings` gets one line each, with LF, for
 * the personal fields.
 */
void entry_put(struct buf *line, struct buf *openings, struct entry *e);
/* Slices live as long as the line's bytes and the entry.  ERR_INPUT entry-… and line-…. */
err entry_get(slice line, struct entry *out) CHECKED;
void entry_drop(struct entry *e);

/* The requirement ids a line of this act cites (domain 1.3 to 1.5), and who holds such an entry's class: into e->line.rule. */
void entry_set_rules(struct entry *e);

/* The words the books and documents use: "crl", "certificate", "keyCompromise". */
const char *status_method_name(enum status_method m);
const char *signer_kind_name(enum signer_kind k);
const char *reason_name(enum crl_reason r);
/* ERR_INPUT entry-reason. */
err reason_get(slice text, enum crl_reason *out) CHECKED;

/* The first 16 bytes of the document's digest: the same application always has the same dossier. */
dossier_id dossier_id_of(digest document);

#endif
