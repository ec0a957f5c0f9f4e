/* LINK: test/jpki/make.c */
/* Accept, refuse or review: Rule 12(1)1ニホ, by an approved rule set or by an officer's document. */
#include "test/unit/test.h"

#include "act/decision.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

static struct {
	const char *dir;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct signer *card, *own;
	struct crl_table *crl;
	struct buf crl_bytes;
} w;

static int
setup(void **state)
{
	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	house_read(w.house, &w.trust, &w.profile, &w.ruleset);
	w.card = signer_load(w.dir, "yamada");
	w.own = signer_new(KEY_P256, 256);
	world_crl(w.dir, "signca03.crl", &w.crl_bytes, &w.crl);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&w.card);
	signer_drop(&w.own);
	crl_table_drop(&w.crl);
	buf_drop(&w.crl_bytes);
	ruleset_drop(&w.ruleset);
	profile_drop(&w.profile);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

/* ---- rule sets ---------------------------------------------------------------------------------------------------------- */

static slice
edit(slice file, const char *from, const char *to)
{
	const uint8_t *p = memmem(file.p, file.n, from, strlen(from));
	size_t at;

	assert_non_null(p);
	at = (size_t)(p - file.p);
	return join(join(slice_of(file.p, at), slice_str(to)), slice_of(p + strlen(from), file.n - at - strlen(from)));
}

static void
rule_sets(void **state)
{
	static const struct {
		const char *from, *to, *what;
	} rows[] = {
	    {"version = 1", "version = 2", NULL},
	    {"duplicate = refuse", "duplicate = review", NULL},
	    {"engine = 1", "engine = 2", "ruleset-engine: house: the rule set was written for another engine"},
	    {"validity_years_max = 5", "validity_years_max = 6",
	        "ruleset-validity: Rule 6(iv): a certificate is valid for 1 to 5 years"}, /* B-4 */
	    {"validity_years_max = 5", "validity_years_max = 0",
	        "ruleset-validity: Rule 6(iv): a certificate is valid for 1 to 5 years"},
	    {"duplicate = refuse", "duplicate = accept", "ruleset-duplicate: house: a duplicate is to refuse or to review"},
	    {"keys = p256 p384", "keys = p192",
	        "profile-keys: CR-1: keys are p256, p384, rsa2048, rsa3072 or rsa4096, each once"},
	    {"age_min = 15", "age_min = 121", "number: house: not a plain decimal number within its limit"},
	    {"refused_percent_max = 50", "refused_percent_max = 101",
	        "number: house: not a plain decimal number within its limit"},
	    {"age_min = 15\n", "", "conf-absent: house: a configuration file lacks a name it must have"},
	    {"age_min = 15", "age_max = 15",
	        "conf-unknown: house: a configuration file has a name its reader does not know"},
	    {"[limits]", "[bounds]",
	        "ruleset-section: house: a rule set has the sections [ruleset] and [limits], no other"},
	};

	(void)state;
	expect_number("age", (uint64_t)w.ruleset->age_min, 15);
	expect_number("open", w.ruleset->open_per_card_max, 1);
	expect_true("digest", digest_eq(w.ruleset->digest, sha256(buf_slice(&w.house->ruleset))));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ruleset *r OWNED(ruleset_drop) = NULL;

		expect_text(row_name("rows", i), ruleset_get(edit(buf_slice(&w.house->ruleset), rows[i].from, rows[i].to), &r),
		    rows[i].what);
	}
}

static void
approvals(void **state)
{
	struct buf hex64 OWNED(buf_drop) = BUF(65);
	char own[65] = "";
	struct approval a;

	(void)state; /* Rule 6(xv) */
	digest_put(&hex64, w.ruleset->digest);
	memcpy(own, hex64.p, 64);
	const struct {
		const struct signer *who;
		const char *values[P_COUNT], *now, *what;
	} rows[] = {
	    {w.house->hanako, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "hanako", AT}, AT, NULL},
	    {w.house->hanako, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "hanako", AT},
	        "2026-11-22T23:59:59.999Z", NULL},
	    {w.house->hanako, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "hanako", AT},
	        "2026-11-23T00:00:00.000Z", "approval-period: Rule 6(xv): the approval is not in force now"},
	    {w.house->hanako, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "hanako", AT},
	        "2026-11-22T00:59:59.999Z", "approval-period: Rule 6(xv): the approval is not in force now"},
	    {w.house->hanako, {"Another CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "hanako", AT}, AT,
	        "approval-service: house: the approval was given for another service"},
	    {w.house->hanako, {"Inkan Test CA", own, "2", AT, "2026-11-23T00:00:00.000Z", "hanako", AT}, AT,
	        "approval-ruleset: Rule 12(1)1ニ: the approval was given for another rule set"},
	    {w.house->hanako,
	        {"Inkan Test CA", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1", AT,
	            "2026-11-23T00:00:00.000Z", "hanako", AT},
	        AT, "approval-ruleset: Rule 12(1)1ニ: the approval was given for another rule set"},
	    {w.house->hanako, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "jiro", AT}, AT,
	        "approval-responsible: Rule 12(1)1ニ: the approval names somebody else than who signed it"},
	    {w.house->jiro, {"Inkan Test CA", own, "1", AT, "2026-11-23T00:00:00.000Z", "jiro", AT}, AT,
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	};
	expect_ok("house", approval_check(w.trust, buf_slice(&w.house->approval), w.ruleset, at_of(AT), &a));
	expect_same("responsible", a.responsible->name, LIT("岡田　花子"));
	expect_true("document", digest_eq(a.document, sha256(buf_slice(&w.house->approval))));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);

		make_document(&cms, rows[i].who, FORM_APPROVAL, rows[i].values, LIT(""), at_of(AT));
		expect_text(row_name("rows", i), approval_check(w.trust, buf_slice(&cms), w.ruleset, at_of(rows[i].now), &a),
		    rows[i].what);
		if (i == 2) { /* the end itself */
			expect_ok("begun", approval_check_begun(w.trust, buf_slice(&cms), w.ruleset, at_of(rows[i].now), &a));
			expect_true("lapsed", approval_has_lapsed(&a, at_of(rows[i].now)) &&
			                          !approval_has_lapsed(&a, (instant){at_of(rows[i].now).ms - 1}));
		} else
			expect_text(row_name("begun", i),
			    approval_check_begun(w.trust, buf_slice(&cms), w.ruleset, at_of(rows[i].now), &a), rows[i].what);
	}
}

/* ---- by rule ------------------------------------------------------------------------------------------------------------ */

/* An application by yamada's card that says something else in one place, and what identity finds. */
static void
apply(const struct make_application *change, const struct signer *own, struct buf *cms, struct application *a,
    struct identity *i)
{
	struct status_evidence s = {.method = STATUS_CRL, .crl = w.crl};
	struct make_application m;

	application_for(w.house, w.dir, "yamada", at_of(AT), &m);
	m.service = change->service;
	m.profile = change->profile;
	m.validity = change->validity;
	m.terms = change->terms != NULL ? change->terms : m.terms;
	m.explanation = change->explanation != NULL ? change->explanation : m.explanation;
	m.name = change->name != NULL ? change->name : m.name;
	make_application(cms, w.card, own, &m);
	expect_ok("application", application_get(buf_slice(cms), a));
	identity_check(w.trust, a, &s, at_of(AT), i);
}

static void
accepted_by_rule(void **state)
{
	struct make_application none = {.at = at_of(AT)};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct application a OWNED(application_drop) = {0};
	struct decision_counts zero = {.open_for_card = 0};
	struct decision d;
	struct identity i;

	(void)state;
	apply(&none, w.own, &cms, &a, &i);
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
	expect_number("accept", d.outcome, OUTCOME_ACCEPT);
	expect_number("why", d.why.kind, OK);
	expect_same("the card's own characters", d.name, LIT("山田　太郎"));
	expect_same("address", d.address, LIT("椿県若葉市中央一丁目２番３号"));
	expect_number("years", (uint64_t)d.validity_years, 5);
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, &zero, at_of(AT), &d);
	expect_number("accept", d.outcome, OUTCOME_ACCEPT);
}

static void
house_of_the_document(void **state)
{
	static const char old[] = "00000000000000000000000000000000000000000000000000000000000000ff";
	static const struct {
		struct make_application m;
		const char *what;
	} rows[] = {
	    {{.service = "Another CA"}, "decision-service: Rule 6(ii): the document was meant for another service"},
	    {{.profile = "e-seal"}, "decision-profile: Rule 6(ii): this kind of certificate is not offered"},
	    {{.terms = old}, "decision-terms: Rule 6(xiii): the terms agreed to are not those in force"},
	    {{.explanation = old}, "decision-explanation: Rule 6(i): the explanation confirmed is not one in force"},
	};

	(void)state; /* B-1, B-13 */
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct application a OWNED(application_drop) = {0};
		struct decision d;
		struct identity i;

		apply(&rows[k].m, w.own, &cms, &a, &i);
		expect_text(row_name("rows", k), decision_check_house(w.trust, &a), rows[k].what);
		decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
		expect_number(row_name("rows", k), d.outcome, OUTCOME_REFUSE);
		expect_text(row_name("rows", k), d.why, rows[k].what);
	}
}

/* Rule sets that differ in one line, over one application. */
static void
rules_refuse_and_review(void **state)
{
	struct signer *rsa OWNED(signer_drop) = signer_new(KEY_RSA, 2304);
	const struct {
		const char *from, *to;
		struct make_application m;
		const struct signer *own;
		struct decision_counts counts;
		enum outcome outcome;
		const char *what;
	} rows[] = {
	    {"keys = p256 p384", "keys = p384", {.validity = "5"}, w.own, {0}, OUTCOME_REFUSE,
	        "decision-key: CR-1: certificates are not made for keys of this kind or size"},
	    {"version = 1", "version = 1", {.validity = "5"}, rsa, {0}, OUTCOME_REFUSE,
	        "decision-key: CR-1: certificates are not made for keys of this kind or size"},
	    {"validity_years_max = 5", "validity_years_max = 4", {.validity = "5"}, w.own, {0}, OUTCOME_REFUSE,
	        "decision-validity: Rule 6(iv): a certificate is not made for so many years"},
	    {"validity_years_max = 5", "validity_years_max = 4", {.validity = "4"}, w.own, {0}, OUTCOME_ACCEPT, NULL},
	    {"profile = person-signature", "profile = other", {.validity = "5"}, w.own, {0}, OUTCOME_REFUSE,
	        "decision-profile: Rule 6(ii): this kind of certificate is not offered"},
	    {"age_min = 15", "age_min = 47", {.validity = "5"}, w.own, {0}, OUTCOME_REFUSE,
	        "decision-age: house: the applicant is younger than the rules allow"},
	    {"age_min = 15", "age_min = 46", {.validity = "5"}, w.own, {0}, OUTCOME_ACCEPT, NULL},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.open_for_card = 1}, OUTCOME_REFUSE,
	        "decision-open: house: another application by this card has not ended yet"},
	    {"duplicate = refuse", "duplicate = review", {.validity = "5"}, w.own, {.open_for_card = 1}, OUTCOME_REVIEW,
	        "decision-open: house: another application by this card has not ended yet"},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.valid_for_card = 2}, OUTCOME_ACCEPT, NULL},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.valid_for_card = 3}, OUTCOME_REFUSE,
	        "decision-valid: house: this card has as many valid certificates as the rules allow"},
	    {"duplicate = refuse", "duplicate = review", {.validity = "5"}, w.own, {.valid_for_card = 3}, OUTCOME_REVIEW,
	        "decision-valid: house: this card has as many valid certificates as the rules allow"},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.automation_stopped = true}, OUTCOME_REVIEW,
	        "decision-stopped: Rule 6(xv): automatic decisions are stopped"},
	    {"accepted_per_hour_max = 5000", "accepted_per_hour_max = 9", {.validity = "5"}, w.own,
	        {.accepted_last_hour = 8}, OUTCOME_ACCEPT, NULL},
	    {"accepted_per_hour_max = 5000", "accepted_per_hour_max = 9", {.validity = "5"}, w.own,
	        {.accepted_last_hour = 9}, OUTCOME_REVIEW,
	        "decision-hour: Rule 6(xv): more was accepted within the hour than the rules allow"},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.decided_last_hour = 19, .refused_last_hour = 19},
	        OUTCOME_ACCEPT, NULL},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.decided_last_hour = 20, .refused_last_hour = 10},
	        OUTCOME_ACCEPT, NULL},
	    {"version = 1", "version = 1", {.validity = "5"}, w.own, {.decided_last_hour = 20, .refused_last_hour = 11},
	        OUTCOME_REVIEW,
	        "decision-refusals: Rule 6(xv): a larger share was refused within the hour than the rules allow"},
	    {"version = 1", "version = 1", {.name = "山田　次郎"}, w.own, {0}, OUTCOME_REVIEW,
	        "jpki-name: Rule 5(1): the name is not the card's, or stands where the card has a substitute character"},
	    /* what the rules leave open goes to a person only when they do not refuse it anyway */
	    {"age_min = 15", "age_min = 47", {.name = "山田　次郎"}, w.own, {.automation_stopped = true}, OUTCOME_REFUSE,
	        "decision-age: house: the applicant is younger than the rules allow"},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct ruleset *r OWNED(ruleset_drop) = NULL;
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct application a OWNED(application_drop) = {0};
		struct decision d;
		struct identity i;

		expect_ok(row_name("rows", k), ruleset_get(edit(buf_slice(&w.house->ruleset), rows[k].from, rows[k].to), &r));
		apply(&rows[k].m, rows[k].own, &cms, &a, &i);
		decision_by_rule(r, w.profile, w.trust, &a, &i, &rows[k].counts, at_of(AT), &d);
		expect_number(row_name("rows", k), d.outcome, (uint64_t)rows[k].outcome);
		expect_text(row_name("rows", k), d.why, rows[k].what);
		if (d.outcome != OUTCOME_ACCEPT)
			expect_true("nothing to certify", d.name.n == 0 && d.address.n == 0);
	}
}

/* "Could not check" is never "accepted", whatever the rules say (law 5). */
static void
identity_decides_first(void **state)
{
	struct make_application none = {.at = at_of(AT)};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct application a OWNED(application_drop) = {0};
	struct decision d;
	struct identity i, changed;

	(void)state;
	apply(&none, w.own, &cms, &a, &i);
	changed = i;
	changed.verdict = VERDICT_UNCHECKED;
	changed.why =
	    fail(ERR_BUSY, "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked");
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &changed, NULL, at_of(AT), &d);
	expect_number("unchecked", d.outcome, OUTCOME_REFUSE);
	expect_text("unchecked", d.why, changed.why.what);
	changed.verdict = VERDICT_FAILED;
	changed.why = fail(ERR_POLICY, "jpki-revoked: JPKI Act 19(1): the card's certificate is revoked");
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &changed, NULL, at_of(AT), &d);
	expect_number("failed", d.outcome, OUTCOME_REFUSE);
	expect_text("failed", d.why, changed.why.what);
	a.birth_year = 0;
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
	expect_number("age unknown", d.outcome, OUTCOME_REVIEW);
	expect_text("age unknown", d.why, "decision-age-unknown: house: the card does not say how old the applicant is");
	a.birth_year = 2011; /* 15 by the day, perhaps: what is unknown counts as late as it could be */
	a.birth_month = a.birth_day = 0;
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
	expect_number("age open", d.outcome, OUTCOME_REFUSE);
	a.birth_month = 11;
	a.birth_day = 22; /* the birthday itself, in Japan */
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
	expect_number("birthday", d.outcome, OUTCOME_ACCEPT);
	a.birth_day = 23;
	decision_by_rule(w.ruleset, w.profile, w.trust, &a, &i, NULL, at_of(AT), &d);
	expect_number("the day before", d.outcome, OUTCOME_REFUSE);
}

/* ---- by an officer --------------------------------------------------------------------------------------------------------- */

static void
officers(void **state)
{
	struct make_application change = {.name = "山田　次郎"};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), hex64 OWNED(buf_drop) = BUF(65);
	struct application a OWNED(application_drop) = {0};
	const struct trust_person *who;
	char own[65] = "", own_id[33] = "";
	struct decision d;
	struct identity i;

	(void)state;
	apply(&change, w.own, &cms, &a, &i);
	expect_number("mismatch", i.verdict, VERDICT_MISMATCH);
	digest_put(&hex64, a.document);
	memcpy(own, hex64.p, 64);
	memcpy(own_id, hex64.p, 32);
	const struct {
		const struct signer *who;
		const char *values[D_COUNT];
		enum verdict verdict;
		const char *what; /* NULL: decided */
	} rows[] = {
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "山田　次郎", "椿県", "register", "jiro", AT},
	        VERDICT_MISMATCH, NULL},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "山田　次郎", "椿県", "stopped", "jiro", AT},
	        VERDICT_VERIFIED, NULL},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "refuse", "-", "-", "another person", "jiro", AT},
	        VERDICT_MISMATCH, NULL},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "jiro", AT}, VERDICT_UNCHECKED,
	        "decision-unchecked: JPKI Act 19(1): nobody decides while the card's status is not known"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "jiro", AT}, VERDICT_FAILED,
	        "decision-failed: Rule 5(1): nobody decides for an applicant who was not identified"},
	    {w.house->saburo, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "saburo", AT}, VERDICT_MISMATCH,
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, {"Another CA", own_id, own, "accept", "a", "b", "c", "jiro", AT}, VERDICT_MISMATCH,
	        "decision-service: Rule 6(ii): the document was meant for another service"},
	    {w.house->jiro,
	        {"Inkan Test CA", own_id, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "accept", "a",
	            "b", "c", "jiro", AT},
	        VERDICT_MISMATCH, "decision-application: Rule 12(1)1ニ: the decision is about another application"},
	    {w.house->jiro, {"Inkan Test CA", "00112233445566778899aabbccddeeff", own, "accept", "a", "b", "c", "jiro", AT},
	        VERDICT_MISMATCH, "decision-dossier: Rule 12(1)1ニ: the decision names another application's dossier"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "hanako", AT}, VERDICT_MISMATCH,
	        "decision-officer: Rule 12(1)1ニ: the decision names somebody else than who signed it"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "jiro", "2026-11-22T01:05:00.001Z"},
	        VERDICT_MISMATCH,
	        "decision-date: Rule 12(1)1ニ: the decision is dated before the application, or in the future"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "b", "c", "jiro", "2026-11-22T00:54:59.999Z"},
	        VERDICT_MISMATCH,
	        "decision-date: Rule 12(1)1ニ: the decision is dated before the application, or in the future"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "-", "b", "c", "jiro", AT}, VERDICT_MISMATCH,
	        "decision-name: Rule 6(v)ハ: an acceptance says which name and address are certified"},
	    {w.house->jiro, {"Inkan Test CA", own_id, own, "accept", "a", "-", "c", "jiro", AT}, VERDICT_MISMATCH,
	        "decision-name: Rule 6(v)ハ: an acceptance says which name and address are certified"},
	};
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf doc OWNED(buf_drop) = BUF(CMS_MAX);
		const char *row = row_name("rows", k);

		i.verdict = rows[k].verdict;
		make_document(&doc, rows[k].who, FORM_DECISION, rows[k].values, LIT(""), at_of(AT));
		expect_text(
		    row, decision_by_officer(w.trust, w.profile, buf_slice(&doc), &a, &i, at_of(AT), &d, &who), rows[k].what);
		if (rows[k].what != NULL)
			continue;
		expect_same(row, who->label, LIT("jiro"));
		expect_number(
		    row, d.outcome, strcmp(rows[k].values[D_DECISION], "accept") == 0 ? OUTCOME_ACCEPT : OUTCOME_REFUSE);
		if (d.outcome == OUTCOME_ACCEPT)
			expect_same(row, d.name, LIT("山田　次郎"));
		else
			expect_text(
			    row, d.why, "decision-refused: Rule 12(1)1ホ: an officer refused; the reason stands in the decision");
	}
}

/* An application that was meant for another house is nothing an officer of this one can accept. */
static void
officers_other_service(void **state)
{
	struct make_application change = {.service = "Another CA"};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), doc OWNED(buf_drop) = BUF(CMS_MAX), hex64 OWNED(buf_drop) = BUF(66);
	struct application a OWNED(application_drop) = {0};
	const struct trust_person *who;
	char own_id[33] = "";
	struct decision d;
	struct identity i;

	(void)state;
	apply(&change, w.own, &cms, &a, &i);
	digest_put(&hex64, a.document);
	buf_put_u8(&hex64, '\0');
	memcpy(own_id, hex64.p, 32);
	const char *const values[] = {"Inkan Test CA", own_id, (const char *)hex64.p, "accept", "a", "b", "c", "jiro", AT};
	make_document(&doc, w.house->jiro, FORM_DECISION, values, LIT(""), at_of(AT));
	expect_err("accepted", decision_by_officer(w.trust, w.profile, buf_slice(&doc), &a, &i, at_of(AT), &d, &who),
	    ERR_POLICY, "decision-service: Rule 6(ii): the document was meant for another service");
}

/* Document S-1, as a signer reads it. */
static void
automations(void **state)
{
	const struct {
		const struct signer *who;
		const char *values[S_COUNT];
		const char *what;
	} rows[] = {
	    {w.house->hanako, {"Inkan Test CA", "stop", "odd", "hanako", AT}, NULL},
	    {w.house->hanako, {"Inkan Test CA", "resume", "odd", "hanako", AT}, NULL},
	    {w.house->jiro, {"Inkan Test CA", "stop", "odd", "jiro", AT},
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->hanako, {"Another CA", "stop", "odd", "hanako", AT},
	        "automation-service: Rule 6(xv): the document is for another service"},
	    {w.house->hanako, {"Inkan Test CA", "stop", "odd", "jiro", AT},
	        "automation-responsible: Rule 6(xv): the document names somebody else than who signed it"},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf doc OWNED(buf_drop) = BUF(CMS_MAX);
		const char *row = row_name("rows", k);
		struct automation a;

		make_document(&doc, rows[k].who, FORM_AUTOMATION, rows[k].values, LIT(""), at_of(AT));
		expect_text(row, automation_check(w.trust, buf_slice(&doc), &a), rows[k].what);
		if (rows[k].what == NULL)
			expect_true(row,
			    a.stopped == (k == 0) && a.date.ms == at_of(AT).ms && digest_eq(a.document, sha256(buf_slice(&doc))));
	}
}

/* What the law says no officer can waive: CR-1, B-4, and the profile. */
static void
officers_cannot_waive(void **state)
{
	struct signer *rsa OWNED(signer_drop) = signer_new(KEY_RSA, 2304);
	const struct {
		const char *from, *to;
		const struct signer *own;
		const char *what;
	} rows[] = {
	    {"version = 1", "version = 1", rsa,
	        "decision-key: CR-1: certificates are not made for keys of this kind or size"},
	    {"validity_years_max = 5", "validity_years_max = 2", w.own,
	        "decision-validity: Rule 6(iv): a certificate is not made for so many years"},
	    {"name = person-signature", "name = other", w.own,
	        "decision-profile: Rule 6(ii): this kind of certificate is not offered"},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct make_application none = {.at = at_of(AT)};
		struct profile *p OWNED(profile_drop) = NULL;
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), doc OWNED(buf_drop) = BUF(CMS_MAX),
		               hex64 OWNED(buf_drop) = BUF(66);
		struct application a OWNED(application_drop) = {0};
		const struct trust_person *who;
		char own_id[33] = "";
		struct decision d;
		struct identity i;

		expect_ok("profile", profile_get(edit(buf_slice(&w.house->profile), rows[k].from, rows[k].to), &p));
		apply(&none, rows[k].own, &cms, &a, &i);
		digest_put(&hex64, a.document);
		buf_put_u8(&hex64, '\0');
		memcpy(own_id, hex64.p, 32);
		const char *const values[] = {
		    "Inkan Test CA", own_id, (const char *)hex64.p, "accept", "a", "b", "c", "jiro", AT};
		make_document(&doc, w.house->jiro, FORM_DECISION, values, LIT(""), at_of(AT));
		expect_text(row_name("rows", k), decision_by_officer(w.trust, p, buf_slice(&doc), &a, &i, at_of(AT), &d, &who),
		    rows[k].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rule_sets),
	    cmocka_unit_test(approvals),
	    cmocka_unit_test(accepted_by_rule),
	    cmocka_unit_test(house_of_the_document),
	    cmocka_unit_test(rules_refuse_and_review),
	    cmocka_unit_test(identity_decides_first),
	    cmocka_unit_test(officers),
	    cmocka_unit_test(officers_cannot_waive),
	    cmocka_unit_test(officers_other_service),
	    cmocka_unit_test(automations),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
