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
 * The set: a serial never leaves before notAfter, and then only after it stood
 * on a list made beyond it (RFC 5280 3.3).  The first entry of a serial stands;
 * a later one changes nothing.
 *
 * Refusals: revocation-certificate -form -service -serial -signer -card
 * -application -list -expired -time -cap; list-…, answer-…; and what cms, document,
 * identity and trust refuse.
 */
#ifndef ACT_REVOCATION_H
#define ACT_REVOCATION_H

#include "act/order_sign.h"
#include "act/ticket.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/time.h"
#include "pki/crl.h"

/* By rule in one hour, above which an officer looks: a storm is an attack or a broken tool. */
#define REVOCATION_RULE_HOUR_MAX 1000U
#define REVOCATION_CLOCK_MS (5 * 60 * SECOND_MS)  /* the registrar's clock and the signer's             */
#define REVOCATION_JUDGED_MS (1 * HOUR_MS)        /* a card's status, before the entry; the signer may hear of it days later, and still */
/* notAfter + this: the list after it was published, however late. */
#define REVOKED_KEEP_MS (4 * DAY_MS)
#define STATUS_NEXT_MAX_MS (48 * HOUR_MS) /* 36 h and room: a "good" must not outlive a revocation by longer */

enum revocation_by { REVOCATION_BY_CERTIFICATE = 1, REVOCATION_BY_CARD, REVOCATION_BY_OFFICER };
const char *revocation_by_name(enum revocation_by b); /* "certificate", "card", "officer" */

struct revocation {
	serial serial;
	instant revoked, not_after;
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

/* --- the set ------------------------------------------------------------------- */
struct revoked_set;
struct revoked_set *revoked_set_new(void);
void revoked_set_drop(struct revoked_set **s);
/* Has no effect on a serial that is there. */
void revoked_set_add(struct revoked_set *s, const struct revocation *r);
/* False, *out untouched: not revoked. */
bool revoked_set_find(const struct revoked_set *s, serial number, struct crl_entry *out);
size_t revoked_set_count(const struct revoked_set *s);
/* Takes out what ended REVOKED_KEEP_MS ago. */
void revoked_set_expire(struct revoked_set *s, instant now);
/* SHA-256 over the entries: the grounds of a ticket. */
digest revoked_set_digest(struct revoked_set *s);
/* ERR_BUSY revocation-cap when one more by rule at `now` is over the hour's cap; else counts it. */
err revoked_set_check_cap(struct revoked_set *s, enum revocation_by by, instant now) CHECKED;

/* --- what is made from it -------------------------------------------------------- */
/* A full list.  The number must be above `last_number`; thisUpdate within 5 minutes of now. */
err revocation_plan_crl(const struct trust *t, struct revoked_set *s, const struct crl_order *o, uint64_t last_number,
	instant now, struct ticket **out) CHECKED;
/* Verifies what was signed and joins the list. */
err revocation_join_crl(const struct trust *t, const struct ticket *k, slice signature, struct buf *out) CHECKED;

/* The delegated responder: a certificate of ours for OCSP signing. */
struct responder {
	struct buf der;   /* owned */
	struct cert cert; /* borrows from der */
	struct key *key;  /* owned */
	uint8_t key_id[SHA1_LEN];
	enum sig_alg alg;
};
err responder_get(const struct trust *t, slice der, struct responder *out) CHECKED;
void responder_drop(struct responder *r);
/*
 * One answer for one certificate of ours, whose issuer's signature is verified
 * here: "good" only if its serial is not in the set, and only as long as the set
 * would still hold it (ERR_POLICY answer-ended).
 */
err revocation_plan_answer(const struct trust *t, struct revoked_set *s, const struct responder *r, slice certificate,
	instant this_update, instant next_update, instant now, struct ticket **out, serial *number) CHECKED;
err revocation_join_answer(const struct responder *r, const struct ticket *k, slice signature, struct buf *out) CHECKED;

#endif
