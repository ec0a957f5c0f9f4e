/*
 * issue.h - from an order to a certificate: what is signed, and whether it may
 *           be.  Rule 6(iv)-(vi), 12(1)(i)ヘ; design 3 "Who allocates".
 *
 * Depends on: base, pki, trust, profile, application, identity, decision, order_sign,
 * entry, ticket.  Pure.
 *
 * Two who do not trust each other plan the same bytes.  The registrar draws the
 * serial and notBefore, plans the TBSCertificate from the facts it has and
 * commits its digest to the books (certificate.ordered).  The signer judges the
 * raw application again - possession, identity, decision, by the same pure code -
 * plans the bytes again from what IT read, and signs only when both agree.
 *
 * What can make a signer refuse, each a code of its own:
 *   issue-form       neither or both of rule set and officer's document
 *   issue-rules      no rule set and approval were given to this signer
 *   issue-ruleset    another rule set than the approved one
 *   issue-approval   the approval is not in force at this hour
 *   issue-stopped    by rule, and a responsible person stopped the automation
 *   issue-hour       by rule, and the rule set's number for an hour is reached: a person decides
 *   issue-crl        the cited CRL was not handed over (ERR_ABSENT: send it, ask again)
 *   issue-revoked-since  a later list than the evidence of the order names the card: who orders may not choose the day
 *   issue-clock      notBefore over 5 minutes off the signer's clock
 *   issue-late       an intent that is to be finished is older than ISSUE_FINISH_MS
 *   issue-judged     identity was judged after notBefore, or too long before it
 *   issue-profile    the application is for another profile
 *   issue-serial     not a serial this house draws
 *   issue-issuer-end the certificate would outlive its issuer
 *   issue-dossier    the dossier, which the certificate names, is not the application's
 *   issue-tbs        the bytes differ from the digest in the books
 * and everything application_get, identity_check, decision_* and profile_lint refuse.
 */
#ifndef ACT_ISSUE_H
#define ACT_ISSUE_H

#include "act/decision.h"
#include "act/identity.h"
#include "act/order_sign.h"
#include "act/profile.h"
#include "act/ticket.h"
#include "act/trust.h"
#include "base/base.h"
#include "pki/crl.h"

#define ISSUE_CLOCK_MS (5 * 60 * SECOND_MS)      /* design 3: signer and registrar agree on the hour           */
/* An order is voided after ten minutes (design 3); until then, and the clocks' difference, an intent may be finished. */
#define ISSUE_FINISH_MS (10 * 60 * SECOND_MS + ISSUE_CLOCK_MS)
#define ISSUE_JUDGED_RULE_MS (1 * HOUR_MS)       /* by rule nothing waits once identity is judged              */
#define ISSUE_JUDGED_OFFICER_MS (30 * DAY_MS)    /* a review is closed within 30 days, CP 4.1.3                */
#define ISSUE_TBS_MAX (CERT_MAX - SIG_MAX - 128) /* leaves room for the signature in a certificate we can read */

/* All that the bytes of a certificate depend on besides profile and issuer. */
struct issue_facts {
	dossier_id dossier;   /* serialNumber of the subject: its hexadecimal digits        */
	serial serial;
	instant not_before;   /* cut to the second                                          */
	int validity_years;
	slice name;           /* CN: the card's own characters, or what an officer decided  */
	slice address, birth; /* the profile says whether they are used; birth as in A_BIRTH */
	slice spki;
};

/*
 * Writes the TBSCertificate, signed later with the algorithm of the issuer's own
 * self-signature.  notAfter is the last second before notBefore + years: both ends
 * count (RFC 5280 4.1.2.5), so the whole is never over 5 calendar years (B-4).
 */
err issue_plan_tbs(const struct profile *p, const struct cert *issuer, const struct issue_facts *f, struct buf *tbs) CHECKED;

/* What a signer knows by itself. */
struct issue_view {
	const struct trust *trust;
	const struct profile *profile;    /* NULL: none given yet                      */
	const struct ruleset *ruleset;
	const struct approval *approval;  /* checked when it came; its hours are checked again here */
	bool stopped;                     /* the last S-1 it heard of says so          */
	uint64_t by_rule_last_hour;       /* intents of its own journal, without this  */
	const struct crl_table *crl;      /* the one the order cites, or NULL          */
	struct crl_table *const *held;    /* all it was handed over, NULL among them   */
	size_t n_held;
	instant now;
};

/* A first signature, or finishing an intent that is in the journal: then the clock was judged at the intent. */
enum issue_turn { ISSUE_NEW, ISSUE_FINISH };

struct issue_plan {
	struct ticket *ticket;       /* owned */
	dossier_id dossier;
	serial serial;
	digest application, key;     /* each for one certificate only (design law 2)  */
	digest card;                 /* the JPKI leaf                                  */
	instant not_before, not_after, judged;
	enum status_method method;
	digest status;
	slice responsible;           /* label in the trust file; lives as long as trust */
};
void issue_plan_drop(struct issue_plan *p);

err issue_plan(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn, struct issue_plan *out) CHECKED;

/*
 * Joins what the hand returned: the signature must verify under the issuer's
 * key, and the finished certificate must pass the lint again.
 */
err issue_join(const struct issue_view *v, const struct issue_plan *p, slice signature, struct buf *certificate) CHECKED;

#endif
