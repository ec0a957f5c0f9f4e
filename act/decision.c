#include "act/decision.h"
#include "base/conf.h"

/* ---- rule sets -------------------------------------------------------------------------------------------------------- */

static const char *const NAMES_RULESET[] = {"version", "profile", "engine", "validity_years_max", "age_min", "keys",
    "open_per_card_max", "valid_per_card_max", "duplicate", NULL};
static const char *const NAMES_LIMITS[] = {"accepted_per_hour_max", "refused_percent_max", NULL};

#define AGE_MAX 120
#define LIMIT_MAX 1000000000

static err
get_sections(const struct conf *c)
{
	slice s;

	for (size_t i = 0; (s = conf_section(c, i)).n > 0; i++)
		if (!slice_eq(s, LIT("ruleset")) && !slice_eq(s, LIT("limits")))
			return fail(
			    ERR_INPUT, "ruleset-section: house: a rule set has the sections [ruleset] and [limits], no other");
	TRY(conf_check_known(c, LIT("ruleset"), NAMES_RULESET));
	return conf_check_known(c, LIT("limits"), NAMES_LIMITS);
}

static err
get_rules(struct ruleset *r)
{
	slice section = LIT("ruleset"), duplicate, keys;
	uint64_t engine, years, age;

	TRY(conf_number(r->conf, section, "version", INT64_MAX, &r->version));
	TRY(conf_number(r->conf, section, "engine", INT64_MAX, &engine));
	if (engine != DECISION_ENGINE)
		return fail(ERR_INPUT, "ruleset-engine: house: the rule set was written for another engine");
	TRY(conf_text(r->conf, section, "profile", &r->profile));
	TRY(conf_number(r->conf, section, "validity_years_max", INT64_MAX, &years));
	if (years == 0 || years > PROFILE_YEARS_MAX)
		return fail(ERR_POLICY, "ruleset-validity: Rule 6(iv): a certificate is valid for 1 to 5 years");
	TRY(conf_number(r->conf, section, "age_min", AGE_MAX, &age));
	r->validity_years_max = (int)years;
	r->age_min = (int)age;
	TRY(conf_text(r->conf, section, "keys", &keys));
	TRY(key_sizes_get(keys, &r->keys));
	TRY(conf_number(r->conf, section, "open_per_card_max", LIMIT_MAX, &r->open_per_card_max));
	TRY(conf_number(r->conf, section, "valid_per_card_max", LIMIT_MAX, &r->valid_per_card_max));
	TRY(conf_text(r->conf, section, "duplicate", &duplicate));
	r->duplicate_review = slice_eq(duplicate, LIT("review"));
	if (!r->duplicate_review && !slice_eq(duplicate, LIT("refuse")))
		return fail(ERR_INPUT, "ruleset-duplicate: house: a duplicate is to refuse or to review");
	TRY(conf_number(r->conf, LIT("limits"), "accepted_per_hour_max", LIMIT_MAX, &r->accepted_per_hour_max));
	return conf_number(r->conf, LIT("limits"), "refused_percent_max", 100, &r->refused_percent_max);
}

err
ruleset_get(slice file, struct ruleset **out)
{
	struct ruleset *r OWNED(ruleset_drop) = mem_new(1, sizeof *r);

	TRY(conf_get(file, &r->conf));
	r->digest = sha256(file);
	TRY(get_sections(r->conf));
	TRY(get_rules(r));
	*out = r;
	r = NULL;
	return ok;
}

void
ruleset_drop(struct ruleset **r)
{
	if (*r == NULL)
		return;
	conf_drop(&(*r)->conf);
	free(*r);
	*r = NULL;
}

static err
not_in_force(void)
{
	return fail(ERR_POLICY, "approval-period: Rule 6(xv): the approval is not in force now");
}

bool
approval_has_lapsed(const struct approval *a, instant now)
{
	return now.ms >= a->until.ms;
}

err
approval_check(const struct trust *t, slice cms, const struct ruleset *r, instant now, struct approval *out)
{
	struct approval a;

	TRY(approval_check_begun(t, cms, r, now, &a));
	if (approval_has_lapsed(&a, now))
		return not_in_force();
	*out = a;
	return ok;
}

err
approval_check_begun(const struct trust *t, slice cms, const struct ruleset *r, instant now, struct approval *out)
{
	struct approval a = {.document = sha256(cms)};
	struct document d;
	struct cms c;

	TRY(trust_check_person(t, cms, DUTY_RESPONSIBLE, &c, &a.responsible));
	TRY(document_get_form(c.content, FORM_APPROVAL, &d));
	TRY(digest_get(d.value[P_RULESET], &a.ruleset));
	TRY(decimal_get(d.value[P_VERSION], INT64_MAX, &a.version));
	TRY(instant_get(d.value[P_FROM], &a.from));
	TRY(instant_get(d.value[P_UNTIL], &a.until));
	TRY(instant_get(d.value[P_DATE], &a.date));
	if (!slice_eq(d.value[P_SERVICE], t->service))
		return fail(ERR_POLICY, "approval-service: house: the approval was given for another service");
	if (!digest_eq(a.ruleset, r->digest) || a.version != r->version)
		return fail(ERR_POLICY, "approval-ruleset: Rule 12(1)1ニ: the approval was given for another rule set");
	if (!slice_eq(d.value[P_RESPONSIBLE], a.responsible->label))
		return fail(
		    ERR_POLICY, "approval-responsible: Rule 12(1)1ニ: the approval names somebody else than who signed it");
	if (now.ms < a.from.ms)
		return not_in_force();
	*out = a;
	return ok;
}

err
automation_check(const struct trust *t, slice cms, struct automation *out)
{
	struct automation a = {.document = sha256(cms)};
	const struct trust_person *who;
	struct document d;
	struct cms c;

	TRY(trust_check_person(t, cms, DUTY_RESPONSIBLE, &c, &who));
	TRY(document_get_form(c.content, FORM_AUTOMATION, &d));
	if (!slice_eq(d.value[S_SERVICE], t->service))
		return fail(ERR_POLICY, "automation-service: Rule 6(xv): the document is for another service");
	if (!slice_eq(d.value[S_RESPONSIBLE], who->label))
		return fail(
		    ERR_POLICY, "automation-responsible: Rule 6(xv): the document names somebody else than who signed it");
	a.stopped = slice_eq(d.value[S_ACTION], LIT("stop"));
	TRY(instant_get(d.value[S_DATE], &a.date));
	*out = a;
	return ok;
}

/* ---- by rule ---------------------------------------------------------------------------------------------------------- */

static err
service_refused(void)
{
	return fail(ERR_POLICY, "decision-service: Rule 6(ii): the document was meant for another service");
}

static err
key_refused(void)
{
	return fail(ERR_POLICY, "decision-key: CR-1: certificates are not made for keys of this kind or size");
}

static err
validity_refused(void)
{
	return fail(ERR_POLICY, "decision-validity: Rule 6(iv): a certificate is not made for so many years");
}

static err
profile_refused(void)
{
	return fail(ERR_POLICY, "decision-profile: Rule 6(ii): this kind of certificate is not offered");
}

err
decision_check_house(const struct trust *t, const struct application *a)
{
	bool offered = false;

	if (!slice_eq(a->text.value[A_SERVICE], t->service))
		return service_refused();
	for (size_t i = 0; i < t->n_profiles; i++)
		offered = offered || (t->profile[i].current && slice_eq(t->profile[i].label, a->profile));
	if (!offered)
		return profile_refused();
	if (!trust_has_terms(t, a->terms))
		return fail(ERR_POLICY, "decision-terms: Rule 6(xiii): the terms agreed to are not those in force");
	if (!trust_has_explanation(t, a->explanation))
		return fail(ERR_POLICY, "decision-explanation: Rule 6(i): the explanation confirmed is not one in force");
	return ok;
}

/* Age by the card; what is unknown of the birth date counts as late as it could be. */
static bool
get_age(const struct application *a, instant now, int *out)
{
	if (a->birth_year == 0)
		return false;
	*out =
	    age_years(a->birth_year, a->birth_month == 0 ? 12 : a->birth_month, a->birth_day == 0 ? 31 : a->birth_day, now);
	return true;
}

static err
check_application(
    const struct ruleset *r, const struct profile *p, const struct trust *t, const struct application *a, instant now)
{
	int age;

	TRY(decision_check_house(t, a));
	if (!slice_eq(a->profile, r->profile) || !slice_eq(a->profile, p->name) || !trust_has_profile(t, p->digest))
		return profile_refused();
	if ((key_size_of(key_kind(a->key), key_bits(a->key)) & r->keys & p->keys) == 0)
		return key_refused();
	if (a->validity_years > r->validity_years_max || a->validity_years > p->validity_years_max)
		return validity_refused();
	if (get_age(a, now, &age) && age < r->age_min)
		return fail(ERR_POLICY, "decision-age: house: the applicant is younger than the rules allow");
	return ok;
}

static err
check_duplicates(const struct ruleset *r, const struct decision_counts *c)
{
	if (c != NULL && c->open_for_card >= r->open_per_card_max)
		return fail(ERR_CONFLICT, "decision-open: house: another application by this card has not ended yet");
	if (c != NULL && c->valid_for_card >= r->valid_per_card_max)
		return fail(ERR_CONFLICT, "decision-valid: house: this card has as many valid certificates as the rules allow");
	return ok;
}

/* What only a person may decide. */
static err
check_review(const struct ruleset *r, const struct application *a, const struct identity *i,
    const struct decision_counts *c, instant now)
{
	int age;

	if (i->verdict == VERDICT_MISMATCH)
		return i->why;
	if (!get_age(a, now, &age) && r->age_min > 0)
		return fail(ERR_POLICY, "decision-age-unknown: house: the card does not say how old the applicant is");
	if (c == NULL)
		return ok;
	if (c->automation_stopped)
		return fail(ERR_BUSY, "decision-stopped: Rule 6(xv): automatic decisions are stopped");
	if (c->accepted_last_hour >= r->accepted_per_hour_max)
		return fail(ERR_BUSY, "decision-hour: Rule 6(xv): more was accepted within the hour than the rules allow");
	if (c->decided_last_hour >= REFUSED_PERCENT_FROM &&
	    c->refused_last_hour * 100 > c->decided_last_hour * r->refused_percent_max)
		return fail(
		    ERR_BUSY, "decision-refusals: Rule 6(xv): a larger share was refused within the hour than the rules allow");
	return ok;
}

void
decision_by_rule(const struct ruleset *r, const struct profile *p, const struct trust *t, const struct application *a,
    const struct identity *i, const struct decision_counts *counts, instant now, struct decision *out)
{
	struct decision d = {.outcome = OUTCOME_REFUSE, .validity_years = a->validity_years};
	err duplicate = check_duplicates(r, counts);

	if (i->verdict == VERDICT_FAILED || i->verdict == VERDICT_UNCHECKED) {
		d.why = i->why;
	} else if ((d.why = check_application(r, p, t, a, now)).kind != OK) {
		;
	} else if (duplicate.kind != OK) {
		d.outcome = r->duplicate_review ? OUTCOME_REVIEW : OUTCOME_REFUSE;
		d.why = duplicate;
	} else if ((d.why = check_review(r, a, i, counts, now)).kind != OK) {
		d.outcome = OUTCOME_REVIEW;
	} else if (i->verdict == VERDICT_VERIFIED) {
		d.outcome = OUTCOME_ACCEPT;
		d.name = i->person.name;
		d.address = i->person.address;
	} else {
		abort(); /* an identity that was never judged */
	}
	*out = d;
}

/* ---- by an officer ------------------------------------------------------------------------------------------------------ */

static err
check_officer_document(const struct trust *t, const struct document *d, const struct application *a,
    const struct trust_person *who, instant now)
{
	uint8_t named[16]; /* a dossier's number is the beginning of its application's digest */
	digest application;
	instant date;

	if (!slice_eq(d->value[D_SERVICE], t->service))
		return service_refused();
	TRY(digest_get(d->value[D_APPLICATION], &application));
	if (!digest_eq(application, a->document))
		return fail(ERR_POLICY, "decision-application: Rule 12(1)1ニ: the decision is about another application");
	TRY(hex_get(d->value[D_DOSSIER], named, sizeof named));
	if (memcmp(named, a->document.b, sizeof named) != 0)
		return fail(ERR_POLICY, "decision-dossier: Rule 12(1)1ニ: the decision names another application's dossier");
	if (!slice_eq(d->value[D_OFFICER], who->label))
		return fail(ERR_POLICY, "decision-officer: Rule 12(1)1ニ: the decision names somebody else than who signed it");
	TRY(instant_get(d->value[D_DATE], &date));
	if (date.ms > now.ms + STATUS_SKEW_MS || date.ms + STATUS_SKEW_MS < a->date.ms)
		return fail(
		    ERR_POLICY, "decision-date: Rule 12(1)1ニ: the decision is dated before the application, or in the future");
	return ok;
}

static err
accept_by_officer(const struct trust *t, const struct profile *p, const struct document *d, const struct application *a,
    struct decision *out)
{
	if (!slice_eq(a->text.value[A_SERVICE], t->service))
		return service_refused();
	if (slice_eq(d->value[D_NAME], LIT("-")) || slice_eq(d->value[D_ADDRESS], LIT("-")))
		return fail(ERR_POLICY, "decision-name: Rule 6(v)ハ: an acceptance says which name and address are certified");
	if (!slice_eq(a->profile, p->name))
		return profile_refused();
	if ((key_size_of(key_kind(a->key), key_bits(a->key)) & p->keys) == 0)
		return key_refused();
	if (a->validity_years > p->validity_years_max)
		return validity_refused();
	*out = (struct decision){.outcome = OUTCOME_ACCEPT,
	    .why = ok,
	    .name = d->value[D_NAME],
	    .address = d->value[D_ADDRESS],
	    .validity_years = a->validity_years};
	return ok;
}

err
decision_by_officer(const struct trust *t, const struct profile *p, slice cms, const struct application *a,
    const struct identity *i, instant now, struct decision *out, const struct trust_person **who)
{
	const struct trust_person *officer;
	struct document d;
	struct decision decided;
	struct cms c;

	TRY(trust_check_person(t, cms, DUTY_OFFICER, &c, &officer));
	TRY(document_get_form(c.content, FORM_DECISION, &d));
	if (i->verdict == VERDICT_UNCHECKED)
		return fail(
		    ERR_POLICY, "decision-unchecked: JPKI Act 19(1): nobody decides while the card's status is not known");
	if (i->verdict != VERDICT_VERIFIED && i->verdict != VERDICT_MISMATCH)
		return fail(ERR_POLICY, "decision-failed: Rule 5(1): nobody decides for an applicant who was not identified");
	TRY(check_officer_document(t, &d, a, officer, now));
	if (slice_eq(d.value[D_DECISION], LIT("accept")))
		TRY(accept_by_officer(t, p, &d, a, &decided));
	else
		decided = (struct decision){.outcome = OUTCOME_REFUSE,
		    .why = fail(
		        ERR_POLICY, "decision-refused: Rule 12(1)1ホ: an officer refused; the reason stands in the decision"),
		    .validity_years = a->validity_years};
	*out = decided;
	*who = officer;
	return ok;
}

/* --- who may sign what: Rule 6(xvi) ----------------------------------------------- */
unsigned
decision_duty(enum form form)
{
	switch (form) {
	case FORM_DECISION:
		return DUTY_OFFICER;
	case FORM_OFFICE_REVOCATION:
	case FORM_KEEP:
		return DUTY_REVOCATION;
	case FORM_EXTENSION:
	case FORM_LETTER:
		return DUTY_OFFICER | DUTY_REVOCATION;
	case FORM_NOTE:
	case FORM_KEYS:
		return DUTY_RESPONSIBLE | DUTY_OFFICER | DUTY_REVOCATION;
	case FORM_APPROVAL:
	case FORM_AUTOMATION:
	case FORM_PERMISSION:
	case FORM_BASELINE:
		return DUTY_RESPONSIBLE;
	default:
		return 0;
	}
}
