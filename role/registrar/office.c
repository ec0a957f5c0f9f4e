#include "edge/log.h"
#include "role/registrar/registrar.h"

/* --- documents of persons of the house, over run/office --------------------------------- */
err
office_order(struct registrar *r, const struct caller *c, slice body)
{
	struct office_order o;
	struct flight *f;
	digest d;

	TRY(turn_open_check(r));
	TRY(office_order_get(body, &o));
	if (o.cms.n > CMS_MAX)
		return fail(ERR_INPUT, "cms-long: house: a document has at most 65536 bytes");
	d = sha256(o.cms);
	if (flight_of_document(r, d) != NULL)
		return fail(ERR_BUSY, "office-busy: house: this document is being judged just now");
	f = flight_new(r, ERRAND_OFFICE, d);
	if (f == NULL)
		return fail(ERR_BUSY, "apply-busy: house: too many applications are being judged; try again by yourself");
	buf_put(&f->cms, o.cms);
	buf_put(&f->ruleset_file, o.ruleset);
	f->caller[f->n_callers++] = *c;
	flight_verify(r, f);
	return ok;
}

void
office_answer(struct registrar *r, struct flight *f)
{
	for (size_t i = 0; i < f->n_callers; i++)
		turn_entry_reply(r, &f->caller[i], NULL);
	flight_free(r, f);
}

struct entry
office_entry(const struct registrar *r, enum act act, const struct flight *f, const struct facts *x)
{
	struct entry e = entry_of(r, act);

	e.line.by = BY_RESPONSIBLE;
	e.line.by_id = x->person;
	e.document = f->document;
	e.line.n_evidence = 1;
	e.line.evidence[0] = f->document;
	return e;
}

/*
 * A document of a responsible person counts once, and only if it was signed after the last one of its form: what somebody
 * kept cannot be said again.  The very last one again is the answer that was lost: *again.
 */
err
office_check_newer(const struct registrar *r, const struct said *last, instant date, digest document, bool *again)
{
	*again = digest_eq(last->document, document);
	if (*again)
		return ok;
	if (date.ms > r->now.ms + OFFICE_CLOCK_MS)
		return fail(
		    ERR_POLICY, "office-ahead: Rule 6(xv): the document is dated in the future; set your clock and sign again");
	if (date.ms <= last->at.ms)
		return fail(ERR_CONFLICT,
		    "office-old: Rule 6(xv): a document of this kind that was signed later is in force; sign a new one");
	return ok;
}

/* The line it made stands in the books. */
err
office_answer_old(struct registrar *r, struct flight *f, uint64_t n)
{
	for (size_t i = 0; i < f->n_callers; i++)
		TRY(turn_old_entry(r, &f->caller[i], n, NULL));
	flight_free(r, f);
	return ok;
}

/* The rules, and what was last said of the automation, to both signers before the next order. */
static void
tell_signers(struct registrar *r)
{
	if (r->issuer.step >= SIGNER_RULES && r->issuer.step != SIGNER_STOPPED)
		signer_rules(r, &r->issuer);
	if (r->status.step >= SIGNER_RULES && r->status.step != SIGNER_STOPPED)
		signer_rules(r, &r->status);
}

/* S-1: from the next decision on everything that a person may decide goes to review. */
static err
automation(struct registrar *r, struct flight *f, const struct facts *x)
{
	bool stop = slice_eq(x->value[S_ACTION], LIT("stop")), again = false;
	struct entry e = office_entry(r, stop ? ACT_AUTOMATION_STOPPED : ACT_AUTOMATION_RESUMED, f, x);
	const struct said *last = &db_ledger(r->db)->automated;
	struct evidence_at at;
	err bad = instant_get(x->value[S_DATE], &e.signed_at);

	if (bad.kind == OK)
		bad = office_check_newer(r, last, e.signed_at, f->document, &again);
	if (bad.kind != OK) {
		flight_refuse_err(r, f, bad);
		return ok;
	}
	if (again)
		return office_answer_old(r, f, last->n);
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	entry_personal(&e, "reason", x->value[S_REASON]);
	TRY(turn_enter(r, &e, &at));
	buf_clear(&r->files.automation);
	buf_put(&r->files.automation, buf_slice(&f->cms));
	tell_signers(r);
	log_text(LOG_WARN, stop ? "automation-stopped: B-15イ: decisions by rule are stopped by a responsible person"
	                        : "automation-resumed: B-15イ: decisions by rule are taken again");
	office_answer(r, f);
	return ok;
}

/* Numbers of permissions rise; what is withdrawn was granted. */
static err
check_number(const struct ledger *h, bool grant, uint64_t number)
{
	if (grant && number <= h->permission)
		return fail(
		    ERR_CONFLICT, "permission-number: Rule 6(xvi): a permission of this number, or a later one, was granted");
	if (!grant && number > h->permission)
		return fail(ERR_ABSENT, "permission-absent: Rule 6(xvi): no permission of this number was granted");
	return ok;
}

static err
read_permission(const struct facts *x, struct entry *e)
{
	TRY(decimal_get(x->value[G_NUMBER], INT64_MAX, &e->number));
	TRY(digest_get(x->value[G_KEY], &e->key));
	e->duty = x->value[G_DUTY];
	TRY(instant_get(x->value[G_FROM], &e->from));
	TRY(instant_get(x->value[G_UNTIL], &e->until));
	return instant_get(x->value[G_DATE], &e->signed_at);
}

/* G-1: a duty ends or is given back (permit.c); every other permission is recorded. */
static err
permission(struct registrar *r, struct flight *f, const struct facts *x)
{
	bool grant = slice_eq(x->value[G_STATE], LIT("granted")), again = false;
	struct entry e = office_entry(r, grant ? ACT_PERMISSION_GRANTED : ACT_PERMISSION_WITHDRAWN, f, x);
	const struct ledger *h = db_ledger(r->db);
	struct evidence_at at;
	err bad = read_permission(x, &e);

	if (bad.kind == OK)
		bad = office_check_newer(r, &h->permitted, e.signed_at, f->document, &again);
	if (bad.kind == OK && !again)
		bad = permit_check(r, x);
	if (bad.kind == OK && !again)
		bad = check_number(h, grant, e.number);
	if (bad.kind != OK) {
		flight_refuse_err(r, f, bad);
		return ok;
	}
	if (again)
		return office_answer_old(r, f, h->permitted.n);
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	TRY(turn_enter(r, &e, &at));
	office_answer(r, f);
	return ok;
}

static err
enter_approval(struct registrar *r, const struct ruleset *rules, const struct approval *a, slice cms, slice file)
{
	struct entry e = entry_of(r, ACT_RULESET_APPROVED);
	struct evidence_at at[2];

	e.line.by = BY_RESPONSIBLE;
	e.line.by_id = a->responsible->label;
	e.document = a->document;
	e.ruleset = rules->digest;
	e.version = a->version;
	e.from = a->from;
	e.until = a->until;
	e.signed_at = a->date;
	e.line.n_evidence = 2;
	TRY(turn_evidence(r, cms, &e.line.evidence[0], &at[0]));
	TRY(turn_evidence(r, file, &e.line.evidence[1], &at[1]));
	return turn_enter(r, &e, at);
}

static void
use_rules(struct registrar *r, struct ruleset **rules, const struct approval *a, slice cms, slice file)
{
	ruleset_drop(&r->ruleset);
	r->ruleset = *rules;
	*rules = NULL;
	r->approval = *a;
	buf_clear(&r->files.ruleset);
	buf_clear(&r->files.approval);
	buf_put(&r->files.ruleset, file);
	buf_put(&r->files.approval, cms);
}

/* As the issuer judges it too: versions rise, and one version is one rule set. */
static err
check_version(const struct ledger *h, const struct approval *a)
{
	if (a->version < h->ruleset_version)
		return fail(ERR_CONFLICT, "approve-old: Rule 12(1)(i)ニ: a later version of the rule set is in force");
	if (a->version == h->ruleset_version && !digest_eq(a->ruleset, h->ruleset))
		return fail(ERR_CONFLICT, "approve-other: Rule 12(1)(i)ニ: another rule set was approved as this version");
	return ok;
}

/* P-1: another rule set, from now on; the signers hear it before the next order. */
static err
approve(struct registrar *r, struct flight *f)
{
	struct ruleset *rules OWNED(ruleset_drop) = NULL;
	const struct ledger *h = db_ledger(r->db);
	struct approval a;
	bool again = false;
	err e = ruleset_get(buf_slice(&f->ruleset_file), &rules);

	if (e.kind == OK)
		e = approval_check(r->trust, buf_slice(&f->cms), rules, r->now, &a);
	if (e.kind == OK && !slice_eq(rules->profile, r->profile->name))
		e = fail(ERR_POLICY, "approve-profile: Rule 6(xv): this rule set is for another profile");
	if (e.kind == OK)
		e = check_version(h, &a);
	if (e.kind == OK)
		e = office_check_newer(r, &h->approved, a.date, f->document, &again);
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	if (again)
		return office_answer_old(r, f, h->approved.n);
	TRY(enter_approval(r, rules, &a, buf_slice(&f->cms), buf_slice(&f->ruleset_file)));
	use_rules(r, &rules, &a, buf_slice(&f->cms), buf_slice(&f->ruleset_file));
	tell_signers(r);
	office_answer(r, f);
	return ok;
}

/* D-1: the application is judged once more, now; then the officer's word counts. */
static err
decide(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	digest application;
	dossier_id id;
	err e = hex_get(x->value[D_DOSSIER], id.b, sizeof id.b);

	if (e.kind == OK)
		e = digest_get(x->value[D_APPLICATION], &application);
	if (e.kind == OK)
		e = db_dossier(r->db, id, &d);
	if (e.kind == OK && !digest_eq(application, d.d.document))
		e = fail(
		    ERR_CONFLICT, "decide-other: Rule 12(1)(i): the decision names another application than this dossier's");
	if (e.kind == OK && d.d.state != DOSSIER_REVIEW)
		e = fail(ERR_CONFLICT, "decide-state: Rule 12(1)(i): this application does not wait for a person's decision");
	if (e.kind == OK && flight_of_document(r, d.d.document) != NULL)
		e = fail(ERR_BUSY, "office-busy: house: this document is being judged just now");
	if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		return e;
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	f->refuse = slice_eq(x->value[D_DECISION], LIT("refuse"));
	buf_put(&f->decision, buf_slice(&f->cms));
	f->decision_document = f->document;
	buf_put(&f->officer, x->person);
	buf_put(&f->name, x->value[D_NAME]);
	buf_put(&f->address, x->value[D_ADDRESS]);
	buf_put(&f->reason, x->value[D_REASON]);
	buf_clear(&f->cms);
	flight_rename(r, f, d.d.document);
	f->errand = ERRAND_DECIDE;
	f->judged = (instant){0};
	TRY(flight_load(r, &d, &f->cms, NULL));
	flight_verify(r, f);
	return ok;
}

err
office_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	err e;

	if (x->signer != SIGNER_PERSON || x->verdict != VERDICT_VERIFIED || !digest_eq(x->document, f->document)) {
		flight_refuse(r, f, x->kind == OK ? ERR_POLICY : x->kind, x->why);
		return ok;
	}
	e = permit_check_signer(r, x);
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	switch (x->form) {
	case FORM_DECISION:
		return decide(r, f, x);
	case FORM_AUTOMATION:
		return automation(r, f, x);
	case FORM_PERMISSION:
		return permission(r, f, x);
	case FORM_APPROVAL:
		return approve(r, f);
	case FORM_KEYS:
		return keys_judged(r, f, x);
	case FORM_OFFICE_REVOCATION:
		return revoke_by_officer(r, f, x);
	case FORM_KEEP:
	case FORM_EXTENSION:
	case FORM_LETTER:
	case FORM_NOTE:
		return paper_judged(r, f, x);
	default:
		flight_refuse_err(
		    r, f, fail(ERR_INPUT, "office-form: Rule 6(xvi): no such document is taken over the office socket"));
		return ok;
	}
}

/* --- the baseline and the rules in force ---------------------------------------------------- */
static err
load_place(struct registrar *r, digest name, struct buf *out)
{
	struct evidence_at at;

	buf_clear(out);
	TRY(db_place(r->db, name, &at));
	return book_evidence(r->book, &at, name, (slice){NULL, 0}, out);
}

/* Digests with blanks between. */
static bool
names(slice text, digest want)
{
	slice one;
	digest d;

	while (text.n > 0) {
		if (!slice_cut(&text, ' ', &one)) {
			one = text;
			text.n = 0;
		}
		if (digest_get(one, &d).kind == OK && digest_eq(d, want))
			return true;
	}
	return false;
}

/* Design law 4: what is really here must be what was accredited. */
static err
check_baseline(const struct registrar *r, slice cms, const struct trust_person **who, struct document *d)
{
	struct cms c;

	TRY(trust_check_person(r->trust, cms, DUTY_RESPONSIBLE, &c, who));
	TRY(document_get_form(c.content, FORM_BASELINE, d));
	if (!slice_eq(d->value[B_SERVICE], r->trust->service))
		return fail(ERR_POLICY, "baseline-service: Act 4(2): the baseline is of another service");
	if (!names(d->value[B_TRUST], r->trust->digest))
		return fail(ERR_POLICY, "baseline-trust: Act 9(1): the trust file is not the one of the accredited baseline");
	if (!names(d->value[B_PROFILE], r->profile->digest))
		return fail(ERR_POLICY, "baseline-profile: Act 9(1): the profile is not the one of the accredited baseline");
	return ok;
}

static err
enter_baseline(struct registrar *r, slice cms)
{
	struct entry e = entry_of(r, ACT_BASELINE_SET);
	const struct trust_person *who;
	struct evidence_at at[LINE_EVIDENCE_MAX] = {{0}};
	struct document d;

	TRY(check_baseline(r, cms, &who, &d));
	e.line.by = BY_RESPONSIBLE;
	e.line.by_id = who->label;
	e.document = sha256(cms);
	e.state = d.value[B_STATE];
	e.trust = r->trust->digest;
	e.profile = r->profile->digest;
	e.ruleset = r->ruleset->digest;
	e.line.n_evidence = 3;
	TRY(turn_evidence(r, cms, &e.line.evidence[0], &at[0]));
	TRY(turn_evidence(r, buf_slice(&r->files.trust), &e.line.evidence[1], &at[1]));
	TRY(turn_evidence(r, buf_slice(&r->files.profile), &e.line.evidence[2], &at[2]));
	TRY(texts_keep(r, &d, &e, at));
	texts_mark(r, &d);
	texts_publish(r);
	return turn_enter(r, &e, at);
}

/* The very first turn of these books. */
err
office_found(struct registrar *r)
{
	if (db_ledger(r->db)->any_other)
		return ok;
	TRY(enter_baseline(r, buf_slice(&r->files.baseline)));
	TRY(enter_approval(r, r->ruleset, &r->approval, buf_slice(&r->files.approval), buf_slice(&r->files.ruleset)));
	return keys_found(r);
}

/* Every start after the first: the rules come from the books, not from files beside them. */
err
office_load_rules(struct registrar *r)
{
	struct buf baseline OWNED(buf_drop) = BUF(CMS_MAX);
	const struct ledger *h = db_ledger(r->db);
	const struct trust_person *who;
	struct document d;

	buf_clear(&r->files.automation);
	if (h->any_other) {
		TRY(load_place(r, h->approval, &r->files.approval));
		TRY(load_place(r, h->ruleset, &r->files.ruleset));
		TRY(load_place(r, h->baseline, &baseline));
		TRY(check_baseline(r, buf_slice(&baseline), &who, &d));
		if (h->automated.n > 0)
			TRY(load_place(r, h->automated.document, &r->files.automation));
	} else {
		TRY(check_baseline(r, buf_slice(&r->files.baseline), &who, &d));
		TRY(texts_keep(r, &d, NULL, NULL));
		TRY(keys_check(r));
	}
	texts_mark(r, &d);
	ruleset_drop(&r->ruleset);
	TRY(ruleset_get(buf_slice(&r->files.ruleset), &r->ruleset));
	TRY(approval_check_begun(r->trust, buf_slice(&r->files.approval), r->ruleset, r->now, &r->approval));
	if (approval_has_lapsed(&r->approval, r->now))
		log_text(LOG_ALARM,
		    "approval-lapsed: Rule 6(xv): no approval of the rule set is in force; everything waits for an "
		    "officer, until a new one is handed in");
	return ok;
}
