/* LINK: test/jpki/make.c */
/* From an order to a certificate: Rule 6(iv)-(vi), 12(1)(i)ニ ヘ; every reason for which a signer refuses. */
#include "test/unit/test.h"

#include "act/entry.h"
#include "act/issue.h"
#include "pki/name.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

static struct {
	const char *dir;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct approval approval;
	struct signer *card, *own, *issuer;
	struct crl_table *crl;
	struct buf crl_bytes, application, decision;
	struct issue_view view;
	struct issue_order order;
	struct issue_facts facts;
} w;

static digest
plan_digest(const struct issue_facts *f)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);

	expect_ok("plan", issue_plan_tbs(w.profile, &w.trust->issuer, f, &tbs));
	return sha256(buf_slice(&tbs));
}

static void
officer_document(const char *decision, struct buf *out)
{
	struct buf hex OWNED(buf_drop) = BUF(80);
	const char *v[D_COUNT];
	char application[65] = {0}, dossier[33] = {0};

	digest_put(&hex, sha256(buf_slice(&w.application)));
	memcpy(application, hex.p, 64);
	v[D_SERVICE] = "Inkan Test CA";
	memcpy(dossier, hex.p, 32);
	v[D_DOSSIER] = dossier;
	v[D_APPLICATION] = application;
	v[D_DECISION] = decision;
	v[D_NAME] = strcmp(decision, "accept") == 0 ? "山田 太郎" : "-";
	v[D_ADDRESS] = strcmp(decision, "accept") == 0 ? "東京都千代田区" : "-";
	v[D_REASON] = "-";
	v[D_OFFICER] = "jiro";
	v[D_DATE] = AT;
	*out = BUF(CMS_MAX);
	make_document(out, w.house->jiro, FORM_DECISION, v, (slice){NULL, 0}, at_of(AT));
}

static int
setup(void **state)
{
	struct make_application a;

	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	house_read(w.house, &w.trust, &w.profile, &w.ruleset);
	expect_ok("approval", approval_check(w.trust, buf_slice(&w.house->approval), w.ruleset, at_of(AT), &w.approval));
	w.card = signer_load(w.dir, "yamada");
	w.own = signer_new(KEY_P256, 256);
	world_crl(w.dir, "signca03.crl", &w.crl_bytes, &w.crl);
	w.application = BUF(CMS_MAX);
	application_for(w.house, w.dir, "yamada", at_of(AT), &a);
	make_application(&w.application, w.card, w.own, &a);
	w.view = (struct issue_view){.trust = w.trust,
	    .profile = w.profile,
	    .ruleset = w.ruleset,
	    .approval = &w.approval,
	    .crl = w.crl,
	    .now = at_of(AT)};
	w.facts = (struct issue_facts){.serial = {16, {0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	    .not_before = at_of(AT),
	    .validity_years = 5,
	    .address = LIT("-"),
	    .birth = LIT("-"),
	    .spki = signer_spki(w.own)};
	w.facts.dossier = dossier_id_of(sha256(buf_slice(&w.application)));
	{
		static struct world_person p;

		world_person(w.dir, "yamada", &p);
		w.facts.name = slice_str(p.name);
		w.facts.address = slice_str(p.address);
	}
	if (a.validity != NULL)
		w.facts.validity_years = a.validity[0] - '0';
	w.order = (struct issue_order){.dossier = w.facts.dossier,
	    .serial = w.facts.serial,
	    .not_before = w.facts.not_before,
	    .judged = at_of(AT),
	    .application = buf_slice(&w.application),
	    .method = STATUS_CRL,
	    .crl = crl_table_digest(w.crl),
	    .ruleset = w.ruleset->digest};
	w.order.tbs = plan_digest(&w.facts);
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
	buf_drop(&w.application);
	buf_drop(&w.decision);
	ruleset_drop(&w.ruleset);
	profile_drop(&w.profile);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

static err
plan_and_drop(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn)
{
	struct issue_plan p OWNED(issue_plan_drop) = {0};

	return issue_plan(v, o, turn, &p);
}

/* --- the straight way ------------------------------------------------------------------------------------------------ */

/* B-4 B-5 B-6 */
static void
issues(void **state)
{
	struct issue_plan p OWNED(issue_plan_drop) = {0};
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert c;
	slice name;

	(void)state;
	expect_ok("plan", issue_plan(&w.view, &w.order, ISSUE_NEW, &p));
	expect_true("digest", digest_eq(ticket_digest(p.ticket), w.order.tbs));
	expect_true("application", digest_eq(p.application, sha256(buf_slice(&w.application))));
	expect_true("grounds", digest_eq(ticket_grounds(p.ticket), w.approval.document));
	assert_int_equal(ticket_proof(p.ticket), PROOF_RULE);
	expect_same("responsible", p.responsible, LIT("hanako"));
	signer_sign(w.house->ca, ticket_alg(p.ticket), ticket_tbs(p.ticket), &sig);
	expect_ok("join", issue_join(&w.view, &p, buf_slice(&sig), &whole));
	expect_ok("reads", cert_get(buf_slice(&whole), &c));
	expect_ok("signed", cert_check_signed_by(&c, w.trust->issuer_key));
	expect_ok("named", name_value(c.subject, NAME_CN, &name));
	expect_same("name", name, w.facts.name);
	expect_same("key", c.spki, signer_spki(w.own));
	assert_true(c.not_after.ms == instant_add_years(c.not_before, w.facts.validity_years).ms - SECOND_MS);
	assert_true(c.not_after.ms == p.not_after.ms);
}

static void
joins(void **state)
{
	struct issue_plan p OWNED(issue_plan_drop) = {0};
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(CERT_MAX);

	(void)state;
	expect_ok("plan", issue_plan(&w.view, &w.order, ISSUE_NEW, &p));
	signer_sign(w.house->ca, ticket_alg(p.ticket), LIT("other bytes"), &sig);
	expect_err("other bytes", issue_join(&w.view, &p, buf_slice(&sig), &whole), ERR_WORLD,
	    "issue-signature: Rule 6(vi): what the token returned is not the issuer's signature");
	buf_clear(&sig);
	signer_sign(w.house->hanako, SIG_ECDSA_SHA256, ticket_tbs(p.ticket), &sig);
	expect_err("another key", issue_join(&w.view, &p, buf_slice(&sig), &whole), ERR_WORLD,
	    "issue-signature: Rule 6(vi): what the token returned is not the issuer's signature");
	expect_number("nothing", whole.n, 0);
}

/* --- who cannot make it accept ------------------------------------------------------------------------------------------ */

static void
refusals(void **state)
{
	static const struct {
		const char *row;
		int change;
		enum err_kind kind;
		const char *what;
	} rows[] = {
	    {"no rules", 1, ERR_BUSY, "issue-rules: house: this signer was given no profile, rule set and approval yet"},
	    {"neither", 2, ERR_INPUT,
	        "issue-form: Rule 12(1)(i)ニ: an order names either a rule set or an officer's document"},
	    {"both", 3, ERR_INPUT,
	        "issue-form: Rule 12(1)(i)ニ: an order names either a rule set or an officer's document"},
	    {"other rules", 4, ERR_POLICY,
	        "issue-ruleset: Rule 12(1)(i)ニ: the order names another rule set than the approved one"},
	    {"approval ended", 5, ERR_POLICY,
	        "issue-approval: Rule 12(1)(i)ニ: the approval of the rule set is not in force"},
	    {"approval not begun", 6, ERR_POLICY,
	        "issue-approval: Rule 12(1)(i)ニ: the approval of the rule set is not in force"},
	    {"no CRL", 7, ERR_ABSENT, "issue-crl: JPKI Act 19: the CRL this order cites was not handed over"},
	    {"other CRL", 8, ERR_ABSENT, "issue-crl: JPKI Act 19: the CRL this order cites was not handed over"},
	    {"late", 9, ERR_POLICY, "issue-clock: Rule 6(v)ロ: notBefore is over 5 minutes off the signer's clock"},
	    {"early", 10, ERR_POLICY, "issue-clock: Rule 6(v)ロ: notBefore is over 5 minutes off the signer's clock"},
	    {"5 minutes", 11, OK, NULL},
	    {"judged long ago", 12, ERR_POLICY,
	        "issue-judged: JPKI Act 19: identity was not judged within the time allowed before issue"},
	    {"judged later", 13, ERR_POLICY,
	        "issue-judged: JPKI Act 19: identity was not judged within the time allowed before issue"},
	    {"other bytes", 14, ERR_CONFLICT,
	        "issue-tbs: Rule 12(1)(i)ヘ: the planned certificate is not the one the books ordered"},
	    {"other dossier", 15, ERR_CONFLICT,
	        "issue-dossier: Rule 6(v): the certificate would name another application's dossier"},
	    {"low serial", 16, ERR_POLICY,
	        "issue-serial: RFC 5280 4.1.2.2: a serial is 16 random bytes, the first 40 to 7F"},
	    {"high serial", 17, ERR_POLICY,
	        "issue-serial: RFC 5280 4.1.2.2: a serial is 16 random bytes, the first 40 to 7F"},
	    {"short serial", 18, ERR_POLICY,
	        "issue-serial: RFC 5280 4.1.2.2: a serial is 16 random bytes, the first 40 to 7F"},
	    {"no status", 19, ERR_POLICY,
	        "jpki-unchecked: JPKI Act 19: whether the card's certificate is revoked is not known"},
	    {"finishing", 20, OK, NULL},
	    {"finishing late", 21, ERR_POLICY,
	        "issue-late: Rule 6(v)ロ: the order is too old to be finished; it is voided and made anew from fresh "
	        "evidence"},
	    {"finishing before it begins", 22, ERR_POLICY,
	        "issue-clock: Rule 6(v)ロ: notBefore is over 5 minutes off the signer's clock"},
	    {"stopped", 23, ERR_POLICY, "issue-stopped: Rule 6(xv): a responsible person stopped what is decided by rule"},
	    {"finishing, stopped since", 24, OK, NULL},
	    {"the hour's last", 25, OK, NULL},
	    {"one over the hour", 26, ERR_POLICY,
	        "issue-hour: Rule 6(xv): as many certificates were made by rule within the hour as the rules allow"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct issue_view v = w.view;
		struct issue_order o = w.order;
		struct approval a = w.approval;
		enum issue_turn turn = ISSUE_NEW;
		err e;

		v.approval = &a;
		switch (rows[i].change) {
		case 1:
			v.approval = NULL;
			break;
		case 2:
			o.ruleset = (digest){0};
			break;
		case 3:
			o.decision = LIT("x");
			break;
		case 4:
			o.ruleset = sha256(LIT("x"));
			break;
		case 5:
			a.until = v.now;
			break;
		case 6:
			a.from.ms = v.now.ms + 1;
			break;
		case 7:
			v.crl = NULL;
			break;
		case 8:
			o.crl = sha256(LIT("x"));
			break;
		case 9:
			v.now.ms += ISSUE_CLOCK_MS + 1;
			break;
		case 10:
			v.now.ms -= ISSUE_CLOCK_MS + 1;
			break;
		case 11:
			v.now.ms += ISSUE_CLOCK_MS;
			break;
		case 12:
			o.judged.ms -= ISSUE_JUDGED_RULE_MS + 1;
			break;
		case 13:
			o.judged.ms += ISSUE_CLOCK_MS + 1;
			break;
		case 14:
			o.tbs = sha256(LIT("x"));
			break;
		case 15:
			o.dossier.b[0] ^= 1;
			break;
		case 16:
			o.serial.b[0] = 0x3F;
			break;
		case 17:
			o.serial.b[0] = 0x80;
			break;
		case 18:
			o.serial.n = 15;
			break;
		case 19:
			o.method = STATUS_NONE;
			break;
		case 20:
			v.now.ms += ISSUE_FINISH_MS;
			turn = ISSUE_FINISH;
			break;
		case 21:
			v.now.ms += ISSUE_FINISH_MS + 1;
			turn = ISSUE_FINISH;
			break;
		case 22:
			v.now.ms -= ISSUE_CLOCK_MS + 1;
			turn = ISSUE_FINISH;
			break;
		case 24:
			turn = ISSUE_FINISH;
			v.by_rule_last_hour = w.ruleset->accepted_per_hour_max;
			/* fall through */
		case 23:
			v.stopped = true;
			break;
		case 25:
			v.by_rule_last_hour = w.ruleset->accepted_per_hour_max - 1;
			break;
		case 26:
			v.by_rule_last_hour = w.ruleset->accepted_per_hour_max;
			break;
		}
		e = plan_and_drop(&v, &o, turn);
		if (rows[i].kind == OK)
			expect_ok(rows[i].row, e);
		else if (rows[i].change == 19)
			expect_true(rows[i].row, e.kind != OK && strncmp(e.what, "jpki-unchecked", 14) == 0);
		else
			expect_err(rows[i].row, e, rows[i].kind, rows[i].what);
	}
}

/* The application is judged again from its bytes: whose word it was before counts for nothing. */
static void
applications(void **state)
{
	static const struct {
		const char *row, *card, *name, *birth, *profile, *what; /* what: its beginning, where another noun says it */
	} rows[] = {
	    {"revoked card", "suzuki", NULL, NULL, NULL, "jpki-revoked: "},
	    {"other name", "yamada", "山田 次郎", NULL, NULL, "jpki-name: "},
	    {"other birth", "yamada", NULL, "1901-01-01", NULL, "jpki-birth: "},
	    {"other profile", "yamada", NULL, NULL, "server",
	        "issue-profile: house: the application is for another profile than this signer's"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct signer *card = signer_load(w.dir, rows[i].card);
		struct issue_order o = w.order;
		struct make_application a;
		err e;

		application_for(w.house, w.dir, rows[i].card, at_of(AT), &a);
		if (rows[i].name != NULL)
			a.name = rows[i].name;
		if (rows[i].birth != NULL)
			a.birth = rows[i].birth;
		if (rows[i].profile != NULL)
			a.profile = rows[i].profile;
		make_application(&cms, card, w.own, &a);
		o.application = buf_slice(&cms);
		e = plan_and_drop(&w.view, &o, ISSUE_NEW);
		if (e.kind == OK || strncmp(e.what, rows[i].what, strlen(rows[i].what)) != 0)
			fail_msg("%s: got %s", rows[i].row, e.kind == OK ? "a ticket" : e.what);
		signer_drop(&card);
	}
	{
		struct issue_order o = w.order;
		struct buf forged OWNED(buf_drop) = BUF(CMS_MAX);

		buf_put(&forged, w.order.application);
		forged.p[forged.n - 5] ^= 1; /* in the signature */
		o.application = buf_slice(&forged);
		expect_true("forged", plan_and_drop(&w.view, &o, ISSUE_NEW).kind != OK);
	}
}

/* --- by an officer ---------------------------------------------------------------------------------------------------- */

static void
officers(void **state)
{
	struct buf accept OWNED(buf_drop) = {0}, refuse OWNED(buf_drop) = {0};
	struct issue_plan p OWNED(issue_plan_drop) = {0};
	struct issue_order o = w.order;
	struct issue_facts f = w.facts;

	(void)state;
	officer_document("accept", &accept);
	officer_document("refuse", &refuse);
	o.ruleset = (digest){0};
	o.decision = buf_slice(&accept);
	f.name = LIT("山田 太郎");
	f.address = LIT("東京都千代田区");
	o.tbs = plan_digest(&f);
	expect_ok("accept", issue_plan(&w.view, &o, ISSUE_NEW, &p));
	assert_int_equal(ticket_proof(p.ticket), PROOF_OFFICER);
	expect_true("grounds", digest_eq(ticket_grounds(p.ticket), sha256(buf_slice(&accept))));
	expect_same("who", p.responsible, LIT("jiro"));
	{
		struct issue_view v = w.view;

		v.stopped = true; /* what is stopped is the rule, not the officers */
		v.by_rule_last_hour = UINT64_MAX;
		expect_ok("stopped", plan_and_drop(&v, &o, ISSUE_NEW));
	}
	o.judged.ms -= 29 * DAY_MS; /* the card's status is then too old: judged anew before an officer's order too */
	expect_true("old status", plan_and_drop(&w.view, &o, ISSUE_NEW).kind != OK);
	o = w.order;
	o.ruleset = (digest){0};
	o.decision = buf_slice(&refuse);
	expect_err("refuse", plan_and_drop(&w.view, &o, ISSUE_NEW), ERR_POLICY,
	    "decision-refused: Rule 12(1)1ホ: an officer refused; the reason stands in the decision");
}

/* --- the planner alone -------------------------------------------------------------------------------------------------- */

static void
planner(void **state)
{
	static const struct {
		const char *row;
		int change;
		const char *what;
	} rows[] = {
	    {"no name", 1, "issue-name: Rule 6(v): a certificate names its person"},
	    {"no years", 2, "issue-validity: Rule 6(iv): the validity is not one the profile gives"},
	    {"6 years", 3, "issue-validity: Rule 6(iv): the validity is not one the profile gives"},
	    {"outlives", 4, "issue-issuer-end: Rule 6(ix): the certificate would outlive its issuer"},
	    {"ends with it", 5, NULL},
	    {"Ed25519", 6, "profile-key: CR-1: the profile does not allow a key of this kind or size"},
	};
	struct signer *ed = signer_new(KEY_ED25519, 256);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);
		struct issue_facts f = w.facts;
		struct cert issuer = w.trust->issuer;

		switch (rows[i].change) {
		case 1:
			f.name = (slice){NULL, 0};
			break;
		case 2:
			f.validity_years = 0;
			break;
		case 3:
			f.validity_years = 6;
			break;
		case 4:
			issuer.not_after.ms = instant_add_years(f.not_before, f.validity_years).ms - 2 * SECOND_MS;
			break;
		case 5:
			issuer.not_after.ms = instant_add_years(f.not_before, f.validity_years).ms - SECOND_MS;
			break;
		case 6:
			f.spki = signer_spki(ed);
			break;
		}
		expect_text(rows[i].row, issue_plan_tbs(w.profile, &issuer, &f, &tbs), rows[i].what);
	}
	signer_drop(&ed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(issues), cmocka_unit_test(joins), cmocka_unit_test(refusals),
	    cmocka_unit_test(applications), cmocka_unit_test(officers), cmocka_unit_test(planner)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
