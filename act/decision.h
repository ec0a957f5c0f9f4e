/*
 * decision.h - accept, refuse or review: Rule 12(1)(i)ニホ; by an approved rule set
 *              or by an officer's signed document.
 *
 * Depends on: base, conf, trust, profile, application, identity.  Pure.
 *
 * A rule set is a file (conf), named by its digest:
 *
 *   [ruleset]
 *   version = 1
 *   profile = person-signature
 *   engine = 1                     DECISION_ENGINE
 *   validity_years_max = 5
 *   age_min = 15
 *   keys = p256 p384 rsa2048 rsa3072 rsa4096
 *   open_per_card_max = 1          applications not yet ended from one card certificate
 *   valid_per_card_max = 3         certificates still valid from one card certificate
 *   duplicate = refuse             refuse | review
 *   [limits]
 *   accepted_per_hour_max = 5000   above: to review, recorded
 *   refused_percent_max = 50       of the last hour's decisions (counted from 20 on)
 *
 * It is valid only with an approval (document P-1) signed by a responsible
 * person of the trust file, naming digest, version, from and until.
 *
 * By rule, in this order (each a row in the table test): what identity found ·
 * decision-service · decision-profile · decision-terms · decision-explanation ·
 * decision-key (CR-1) · decision-validity (B-4) · decision-age · decision-open and
 * decision-valid (refuse or review, as `duplicate` says); then to review: a
 * mismatch · decision-age-unknown · decision-stopped · decision-hour ·
 * decision-refusals.  Refusals come before reviews: a person is asked only what
 * the rules leave open.
 */
#ifndef ACT_DECISION_H
#define ACT_DECISION_H

#include "act/application.h"
#include "act/identity.h"
#include "act/profile.h"
#include "act/trust.h"
#include "base/base.h"

#define DECISION_ENGINE 1

enum outcome { OUTCOME_ACCEPT = 1, OUTCOME_REFUSE, OUTCOME_REVIEW };

struct ruleset {
	struct conf *conf; /* owned */
	digest digest;
	slice profile;
	uint64_t version;
	int validity_years_max, age_min;
	unsigned keys;
	uint64_t open_per_card_max, valid_per_card_max;
	bool duplicate_review;
	uint64_t accepted_per_hour_max, refused_percent_max;
};
/* ERR_INPUT conf-…, ruleset-version, -engine, -limit, -duplicate, profile-keys; ERR_POLICY ruleset-validity (B-4). */
err ruleset_get(slice file, struct ruleset **out) CHECKED;
void ruleset_drop(struct ruleset **r);

struct approval {
	digest document;            /* SHA-256 of the CMS */
	digest ruleset;
	uint64_t version;
	instant from, until, date;  /* date: of the document, as it says */
	const struct trust_person *responsible;
};
/*
 * ERR_POLICY person-…, approval-service, approval-ruleset (digest or version of
 * another), approval-responsible (the line names somebody else than who signed),
 * approval-period (not in force at now).
 */
err approval_check(const struct trust *t, slice cms, const struct ruleset *r, instant now, struct approval *out) CHECKED;
/*
 * The same of one that has lapsed already: what counts at a start, since a house whose approval ended revokes and publishes
 * as before, and takes a new one.  Nothing is decided under it: approval_has_lapsed is asked each time.
 */
err approval_check_begun(const struct trust *t, slice cms, const struct ruleset *r, instant now, struct approval *out) CHECKED;
bool approval_has_lapsed(const struct approval *a, instant now);

/* What a responsible person last said of the automation: document S-1. */
struct automation {
	digest document; /* SHA-256 of the CMS; zero: nothing was said */
	bool stopped;
	instant date;    /* of the document, as it says: only a later one counts after it */
};
/* ERR_POLICY person-…, automation-service, automation-responsible. */
err automation_check(const struct trust *t, slice cms, struct automation *out) CHECKED;

/* What only the registrar can count; it can make the outcome stricter, never milder. */
struct decision_counts {
	uint64_t open_for_card, valid_for_card; /* without this application; refused where a limit is reached already */
	uint64_t accepted_last_hour, decided_last_hour, refused_last_hour;
	bool automation_stopped;
};

struct decision {
	enum outcome outcome;
	err why; /* REFUSE and REVIEW: the reason; ACCEPT: ok */
	/* What the certificate will say: the card's own characters, or what an officer decided. */
	slice name, address;
	int validity_years;
};

/*
 * What the document itself says of the house it is meant for: service, terms and
 * explanation in force, profile.  The verifier answers it at once (nothing is
 * kept of such an application), and the decision asks again.  ERR_POLICY
 * decision-service, -profile, -terms, -explanation.
 */
err decision_check_house(const struct trust *t, const struct application *a) CHECKED;

/* The duties of which a person needs one to sign a document of this form; 0: no document of the house's persons. */
unsigned decision_duty(enum form form);

#define REFUSED_PERCENT_FROM 20 /* decisions of an hour before a share of them means anything */

/* By rule.  `counts` NULL: the signer's view, which has none to add.  Slices borrow from the application's bytes. */
void decision_by_rule(const struct ruleset *r, const struct profile *p, const struct trust *t, const struct application *a,
	const struct identity *i, const struct decision_counts *counts, instant now, struct decision *out);

/*
 * By an officer: document D-1 signed by a person with DUTY_OFFICER, naming this
 * application's digest.  An officer can decide a mismatch or a stopped
 * automation; never a failed or unchecked identity.  The name and address of the
 * certificate are the document's (what the register has); both are "-" in a
 * refusal.  Slices of *out borrow from `cms`.  ERR_POLICY person-…,
 * decision-failed, decision-unchecked, decision-service (the document's or the
 * application's), -application, -dossier, -officer, -date, -name, and what an officer cannot waive: -profile, -key, -validity.
 */
err decision_by_officer(const struct trust *t, const struct profile *p, slice cms, const struct application *a,
	const struct identity *i, instant now, struct decision *out, const struct trust_person **who) CHECKED;

#endif
