/*
 * revocation.h - taking a certificate back: Rule 6(x)-(xii), B-10 to B-12; who may
 *                ask, the signer's own set of revoked serials, the lists and
 *                answers made from it.
 *
 * Depends on: base, pki, trust, document, application, identity, order_sign, entry, ticket.
 * Pure.
 *
 * A serial enters the set for one of three reasons, each proven by bytes the
 * signer checks itself:
 *   by the certificate's own key   document V-1 signed by the very certificate: at once, nothing else asked
 *   by the applicant's card        V-1 signed by the card of the application under that certificate, with
 *                                  good status, the application that the certificate names in its subject;
 *                                  a renewed, revoked or uncheckable card goes to an officer
 *   by a revocation officer        document V-2 signed by a person with that duty
 * The first two are decided without a person, so both together stay under an
 * hourly cap; above it they go to the officer too (design 3).
 *
 * Since when the certificate was no longer to be trusted (RFC 5280 5.3.2) is the
 * officer's word alone, who looked into it: a subscriber could disown with it what
 * he signed.  It stands in the lists as the entry's invalidity date.
 *
 * The set itself is act/revoked.
 *
 * Refusals: revocation-certificate -form -service -serial -signer -card
 * -application -list -expired -time -since -since-late -cap; list-…, answer-…; and what cms, document,
 * identity and trust refuse.
 */
#ifndef ACT_REVOCATION_H
#define ACT_REVOCATION_H

#include "act/order_sign.h"
#include "act/ticket.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/time.h"
#include "act/profile.h"
#include "act/known.h"
#include "act/revoked.h"
#include "pki/crl.h"
#include "pki/ocsp.h"

/* By rule in one hour, above which an officer looks: a storm is an attack or a broken tool. */
#define REVOCATION_RULE_HOUR_MAX 1000U
#define REVOCATION_CLOCK_MS (5 * 60 * SECOND_MS)  /* the registrar's clock and the signer's             */
#define REVOCATION_JUDGED_MS (1 * HOUR_MS)        /* a card's status, before the entry; the signer may hear of it days later, and still */
#define STATUS_NEXT_MAX_MS (48 * HOUR_MS) /* 36 h and room: a "good" must not outlive a revocation by longer */

enum revocation_by { REVOCATION_BY_CERTIFICATE = 1, REVOCATION_BY_CARD, REVOCATION_BY_OFFICER };
const char *revocation_by_name(enum revocation_by b); /* "certificate", "card", "officer" */

struct revocation {
	serial serial;
	instant revoked, not_after;
	instant invalid_since; /* in whole seconds, as lists have it; zero: not said */
	enum crl_reason reason;
	enum revocation_by by;
	digest document;  /* SHA-256 of the CMS                          */
	slice person;     /* label in the trust file, else empty         */
};

/* J-LIS's lists as the signer has them. */
struct revocation_lists {
	const struct crl_table *cited;    /* the one the order cites, or NULL                            */
	struct crl_table *const *held;    /* all it was handed over, NULL among them …                   */
	const instant *taken;             /* … and when: before that nobody could have judged by them    */
	size_t n_held;
};

/*
 * Judges who asks and for what.  A card that a later list names than the order's,
 * which the house had already when it judged, asks for nothing: who orders may not
 * choose the day (ERR_POLICY revocation-list).  Success: this serial must enter the set.
 */
err revocation_check(const struct trust *t, const struct revoked_order *o, const struct revocation_lists *l, instant now,
	struct revocation *out) CHECKED;

/*
 * V-2's line, empty or a time: not before the certificate's notBefore, not after the document's own date nor its entry in
 * the books.  The registrar asks before it enters the decision: of an entry that the signers refuse no list would ever tell.
 * ERR_POLICY revocation-since, -since-late.
 */
err revocation_check_since(slice since, slice date, instant not_before, instant entered, instant *out) CHECKED;

/* As the set keeps it. */
struct revoked revocation_row(const struct revocation *r);

/* ERR_BUSY revocation-cap when one more by rule is over the hour's cap, `last_hour` of them being in the signer's journal. */
err revocation_check_cap(uint64_t last_hour, enum revocation_by by) CHECKED;

/* --- lists (revocation_list.c) ---------------------------------------------------- */

/* thisUpdate within 5 minutes of now, nextUpdate at most 48 hours later.  ERR_POLICY status-clock, status-next. */
err revocation_check_updates(instant this_update, instant next_update, instant now) CHECKED;

/* What a signer remembers of its lists: the last number used, the last complete list of all certificates, how they are parted. */
struct list_memory {
	uint64_t number;
	uint64_t complete, complete_orders; /* its number, and how many had entered when it was made */
	unsigned parts;                     /* 0: no profile that parts them was ever in force       */
	digest parted;                      /* revocation_parted of that profile: how, and the parts' common name */
};
/*
 * A certificate names its part at issuance, for all its life: every profile that is ever in force divides by the same
 * number, under the same name, or a part made by another one would leave a revoked certificate off the list its readers
 * read.  The first that parts decides; one without parts came before it or not at all.  ERR_POLICY list-parted.
 */
digest revocation_parted(const struct profile *p);
err revocation_check_parted(const struct list_memory *m, const struct profile *p) CHECKED;

/*
 * One list on its way, of any size: planned in two walks over the set as it was
 * at that moment (orders below filter.upto), signed by its hash, given out in
 * parts by a third walk that must come out with the same hash.
 */
struct list_plan {
	struct crl_frame frame;  /* owned */
	struct revoked_filter filter;
	uint64_t number, count;  /* its number; entries */
	digest tbs;              /* SHA-256 of what is signed */
	struct ticket *ticket;   /* owned until taken */
	uint8_t hashed[SHA512_LEN]; /* what the key is given */
	digest grounds;
	enum { LIST_HEAD, LIST_ENTRIES, LIST_TAIL, LIST_ENDED } stage;
	serial last;             /* given out up to here */
	struct hash again;
};
/*
 * A list as the order says: of all certificates or of one partition of the
 * profile, complete or a delta to the last complete one.  ERR_POLICY status-clock,
 * status-next, list-parted, list-partition, list-base, list-number-far (no number lies ahead of
 * the clock in ms, or one order could use up all that follow); ERR_CONFLICT list-number.
 */
err revocation_plan_list(const struct trust *t, const struct profile *p, const struct revoked_set *s, const struct crl_order *o,
	const struct list_memory *m, instant now, struct list_plan *out) CHECKED;
void list_plan_drop(struct list_plan *p);
/* Another ticket for the same bytes: the first was spent on a hand that was lost. */
struct ticket *revocation_list_ticket(const struct trust *t, const struct list_plan *p);
/* Verifies what was signed; then the parts can be taken.  ERR_WORLD list-signature. */
err revocation_join_list(const struct trust *t, struct list_plan *p, slice signature) CHECKED;
/* Appends the next bytes, about `most`; *last with the end.  ERR_CORRUPT list-bytes: they came out otherwise than signed. */
err revocation_list_part(const struct revoked_set *s, struct list_plan *p, size_t most, struct buf *out, bool *last) CHECKED;

/* The delegated responder: a certificate of ours for OCSP signing. */
struct responder {
	struct buf der;   /* owned */
	struct cert cert; /* borrows from der */
	struct key *key;  /* owned */
	uint8_t key_id[SHA1_LEN];
	enum sig_alg alg;
	struct ocsp_issuer issuer;
};
err responder_get(const struct trust *t, slice der, struct responder *out) CHECKED;
void responder_drop(struct responder *r);
/* What is said of a certificate, and the right to sign it. */
struct answer_plan {
	struct ticket *ticket; /* the caller's to drop */
	struct known_one known;
	bool revoked;
	struct crl_entry entry; /* when revoked */
};
/*
 * One answer for one certificate of ours, whose issuer's signature is verified here: "good" only if its serial is not in
 * the set, and only as long as the set would still hold it (ERR_POLICY answer-ended).  Then it may enter the set of known
 * serials.
 */
err revocation_plan_answer(const struct trust *t, const struct revoked_set *s, const struct responder *r, slice certificate,
	instant this_update, instant next_update, instant now, struct answer_plan *out) CHECKED;
/* The same for one that is known: ERR_ABSENT answer-unknown. */
err revocation_plan_known(const struct known_set *known, const struct revoked_set *s, const struct responder *r,
	serial number, instant this_update, instant next_update, instant now, struct answer_plan *out) CHECKED;
/*
 * [ocsp] unknown: what is said of a serial under our issuer's name that is not known.  "unauthorized" (RFC 5019 2.2.3): nothing,
 * unsigned.  "unknown" (RFC 6960 2.2): that, signed, for REVOCATION_UNKNOWN_MS: the serial may be issued in the next second.
 * "revoked" for what was never issued (RFC 6960 2.2, extended revoke) is not to be had: the known set is a cache, and after its
 * loss that would be said of certificates that are good.  ERR_INPUT ocsp-unknown-word.
 */
#define REVOCATION_UNKNOWN_MS (60 * SECOND_MS)
enum unknown_word { UNKNOWN_UNAUTHORIZED, UNKNOWN_SIGNED };
err revocation_unknown_get(slice word, enum unknown_word *out) CHECKED;
/*
 * One answer to a whole OCSP request whose certificates are all of ours and known, its nonce echoed: "good" only for what is
 * not in the set.  It lives for REVOCATION_LIVE_MS from now.  ERR_ABSENT answer-unknown: another issuer's; one that is not
 * known, unless that is to be signed; one that is revoked and not known, always.  ERR_POLICY answer-ended; what
 * ocsp_request_get refuses.
 */
#define REVOCATION_LIVE_MS HOUR_MS /* who asks live asks again: nobody needs it for longer than a clock that is off by some minutes */
err revocation_plan_live(const struct known_set *known, const struct revoked_set *s, const struct responder *r,
	enum unknown_word unknown, slice request, instant now, struct ticket **out) CHECKED;
/* What the token returned is the responder's signature: ERR_WORLD answer-signature. */
err revocation_check_answer(const struct responder *r, const struct ticket *k, slice signature) CHECKED;
/* Puts together what was signed; verifies nothing. */
err revocation_join_answer(const struct responder *r, const struct ticket *k, slice signature, struct buf *out) CHECKED;

#endif
