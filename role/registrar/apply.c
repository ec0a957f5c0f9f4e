#include "act/issue.h"
#include "base/text.h"
#include "edge/log.h"
#include "edge/random.h"
#include "role/registrar/registrar.h"

/*
 * The straight way: front's order → verifier → facts → challenge, terms, counts,
 * rule → one turn with all its lines → answer.  What was ordered goes on in issuing.c.
 */

/* The token proves who may ask for a dossier; it follows from the document, so that the same bytes get the same answer. */
token
apply_token(const struct registrar *r, digest document)
{
	digest d = hmac_sha256(secret_slice(&r->token_key), digest_slice(&document));
	token t;

	memcpy(t.b, d.b, sizeof t.b);
	return t;
}

/* --- rates: in memory, and after a restart as the books say (recall.c) -------------- */
static size_t
rate_slot(struct registrar *r, instant at)
{
	int64_t minute = at.ms / 60000;
	size_t i = (size_t)(minute % RATE_MINUTES);

	if (r->rate.minute[i] != minute) {
		r->rate.minute[i] = minute;
		r->rate.accepted[i] = r->rate.refused[i] = r->rate.decided[i] = 0;
	}
	return i;
}

void
apply_rate(struct registrar *r, enum outcome o)
{
	apply_rate_at(r, r->now, o);
}

void
apply_rate_at(struct registrar *r, instant at, enum outcome o)
{
	size_t i = rate_slot(r, at);

	r->rate.decided[i]++;
	r->rate.accepted[i] += o == OUTCOME_ACCEPT;
	r->rate.refused[i] += o == OUTCOME_REFUSE;
}

static void
rate_sum(struct registrar *r, struct decision_counts *c)
{
	int64_t minute = r->now.ms / 60000;

	for (size_t i = 0; i < RATE_MINUTES; i++) {
		if (r->rate.minute[i] <= minute - RATE_MINUTES)
			continue;
		c->accepted_last_hour += r->rate.accepted[i];
		c->refused_last_hour += r->rate.refused[i];
		c->decided_last_hour += r->rate.decided[i];
	}
}

/* --- answers -------------------------------------------------------------------- */
static void
answer_state(struct registrar *r, const struct caller *c, const struct dossier *d)
{
	struct apply_reply x = {.dossier = d->id, .token = apply_token(r, d->document), .state = d->state};

	if (d->serial.n > 0) {
		x.has_serial = true;
		x.serial = d->serial;
	}
	apply_reply_put(body_new(r), &x);
	turn_answer(r, c, buf_slice(&r->body));
}

/* Answers those who did not ask to wait, or all. */
void
apply_answer(struct registrar *r, struct flight *f, const struct dossier *d, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_callers; i++) {
		if (!all && f->caller[i].wait)
			f->caller[kept++] = f->caller[i];
		else if (f->caller[i].kind == ORDER_APPLY)
			answer_state(r, &f->caller[i], d);
	}
	f->n_callers = kept;
}

void
apply_answer_all(struct registrar *r, struct flight *f)
{
	struct record d;
	size_t kept = 0;

	if (db_dossier(r->db, f->dossier, &d).kind != OK)
		return;
	for (size_t i = 0; i < f->n_callers; i++)
		if (f->caller[i].kind == ORDER_APPLY)
			answer_state(r, &f->caller[i], &d.d);
		else
			f->caller[kept++] = f->caller[i];
	f->n_callers = kept;
}

/* --- the order from front ------------------------------------------------------- */
static err
apply_again(struct registrar *r, struct flight *f, const struct caller *c)
{
	struct record d;

	if (f->errand == ERRAND_APPLY || (c->wait && f->stage >= STAGE_ORDER)) {
		if (f->n_callers == CALLERS_MAX)
			return fail(ERR_BUSY, "apply-many: house: this application is being sent too many times at once");
		f->caller[f->n_callers++] = *c;
		return ok;
	}
	TRY(db_dossier(r->db, f->dossier, &d));
	answer_state(r, c, &d.d);
	return ok;
}

err
apply_order(struct registrar *r, const struct caller *from, slice body)
{
	struct caller c = *from;
	struct apply_order o;
	struct flight *f;
	struct record d;
	digest document;
	err e;

	TRY(turn_open_check(r));
	TRY(apply_order_get(body, &o));
	if (o.cms.n > CMS_MAX)
		return fail(ERR_INPUT, "cms-long: house: an application has at most 65536 bytes");
	c.wait = o.wait;
	document = sha256(o.cms);
	f = flight_of_document(r, document);
	if (f != NULL && f->errand != ERRAND_OFFICE && f->errand != ERRAND_RECEIPT && f->errand != ERRAND_REVOKE &&
	    f->errand != ERRAND_WITHDRAW)
		return apply_again(r, f, &c);
	e = db_dossier(r->db, dossier_id_of(document), &d);
	if (e.kind == OK && digest_eq(d.d.document, document)) {
		answer_state(r, &c, &d.d);
		return ok;
	}
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	f = flight_new(r, ERRAND_APPLY, document);
	if (f == NULL)
		return fail(ERR_BUSY, "apply-busy: house: too many applications are being judged; try again by yourself");
	buf_put(&f->cms, o.cms);
	f->caller[f->n_callers++] = c;
	flight_verify(r, f);
	return ok;
}

/* --- what is judged before there is a dossier -------------------------------------- */
static err
check_current(const struct registrar *r, const struct facts *x)
{
	digest terms, explanation;
	bool offered = false;

	for (size_t i = 0; i < r->trust->n_profiles; i++)
		offered = offered || slice_eq(r->trust->profile[i].label, x->value[A_PROFILE]);
	if (!offered)
		return fail(ERR_POLICY, "decision-profile: Rule 6(ii): this kind of certificate is not offered");
	TRY(digest_get(x->value[A_TERMS], &terms));
	TRY(digest_get(x->value[A_EXPLANATION], &explanation));
	if (!trust_has_terms(r->trust, terms))
		return fail(
		    ERR_CONFLICT, "terms-old: Rule 6(i): the terms named are not the current ones; read and sign again");
	if (!trust_has_explanation(r->trust, explanation))
		return fail(ERR_CONFLICT,
		    "explanation-old: Rule 6(i): the explanation named is not a current one; read it and sign again");
	return ok;
}

/* A number of at most three digits in a checked document. */
static uint64_t
validity_of(const struct facts *x)
{
	uint64_t v = 0;

	return decimal_get(x->value[A_VALIDITY], 5, &v).kind == OK ? v : 0;
}

static err
enter_received(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct entry e = entry_about(r, ACT_EXPLANATION_ACKNOWLEDGED, f->dossier);
	struct evidence_at at;
	struct buf by OWNED(buf_drop) = BUF(LINE_ID_MAX);
	token t = apply_token(r, f->document);

	buf_put_hex(&by, digest_slice(&x->signer_digest));
	e.line.by = BY_APPLICANT;
	e.line.by_id = buf_slice(&by);
	e.line.n_evidence = 1;
	e.line.evidence[0] = f->document;
	TRY(digest_get(x->value[A_EXPLANATION], &e.explanation));
	e.language = x->value[A_LANGUAGE];
	TRY(instant_get(x->value[A_SHOWN], &e.shown));
	TRY(instant_get(x->value[A_CONFIRMED], &e.confirmed));
	book_add_evidence(r->book, f->document, buf_slice(&f->cms), &at);
	TRY(turn_enter(r, &e, NULL));

	e.line.act = ACT_APPLICATION_RECEIVED;
	e.document = f->document;
	e.key = x->key;
	e.card = x->signer_digest;
	e.token = sha256(ARR(t.b));
	e.profile_name = x->value[A_PROFILE];
	TRY(digest_get(x->value[A_TERMS], &e.terms));
	e.validity = validity_of(x);
	for (size_t i = 0; i < A_COUNT; i++)
		if (form_is_personal(FORM_APPLICATION, i))
			entry_personal(&e, form_field(FORM_APPLICATION, i), x->value[i]);
	r->applications++;
	return turn_enter(r, &e, &at);
}

/* --- identity ----------------------------------------------------------------------- */
/*
 * The text is a helper's, and stands in a line for good: one clean line of "code: clause: sentence", or what says that it
 * was none.  A line that is no UTF-8 could not be read again, and a text like a commitment would want an opening.
 */
slice
apply_cut(slice s)
{
	slice part, rest = s;
	size_t n = s.n < WHY_MAX ? s.n : WHY_MAX;

	if (s.n == 0)
		return s;
	if (text_check_line(s).kind != OK || !slice_cut(&rest, ':', &part) || !slice_cut(&rest, ':', &part))
		return LIT("helper-text: house: the reason that was given is no text of this house");
	while (n < s.n && n > 0 && (s.p[n] & 0xC0) == 0x80)
		n--;
	return (slice){s.p, n};
}

static err
enter_identity(struct registrar *r, struct flight *f, const struct facts *x)
{
	static const enum act ACTS[] = {[VERDICT_VERIFIED] = ACT_IDENTITY_VERIFIED,
	    [VERDICT_FAILED] = ACT_IDENTITY_FAILED,
	    [VERDICT_MISMATCH] = ACT_IDENTITY_MISMATCH,
	    [VERDICT_UNCHECKED] = ACT_IDENTITY_UNCHECKED};
	struct entry e = entry_about(r, ACTS[x->verdict], f->dossier);
	struct evidence_at at[2] = {{0}};

	e.line.by_id = LIT("verifier");
	e.judged = f->judged;
	e.method = x->method;
	e.status = x->status_digest;
	e.this_update = x->status_this_update;
	e.next_update = x->status_next_update;
	e.trust = r->trust->digest;
	e.mismatch = x->mismatch;
	e.why = apply_cut(x->why);
	if (f->method == STATUS_OCSP && f->answer.n > 0) {
		e.method = STATUS_OCSP;
		memcpy(e.nonce, f->nonce, sizeof e.nonce);
		e.line.n_evidence = 2;
		TRY(turn_sealed(r, buf_slice(&f->answer), &e.line.evidence[0], &at[0]));
		TRY(turn_sealed(r, buf_slice(&f->request), &e.line.evidence[1], &at[1]));
		e.status = e.line.evidence[0];
		e.request = e.line.evidence[1];
	} else if (x->method == STATUS_CRL &&
	           (digest_eq(x->status_digest, f->crl) || db_place(r->db, x->status_digest, &at[0]).kind == OK)) {
		e.line.n_evidence = 1;
		e.line.evidence[0] = x->status_digest;
	}
	return turn_enter(r, &e, at);
}

/* What decision_by_rule looks at, from facts instead of bytes: a verifier has parsed, the signer will again. */
static err
view_of(const struct facts *x, struct application *a, struct identity *i)
{
	*a = (struct application){.document = x->document,
	    .profile = x->value[A_PROFILE],
	    .name = x->value[A_NAME],
	    .address = x->value[A_ADDRESS],
	    .contact = x->value[A_CONTACT],
	    .nonce = x->value[A_NONCE],
	    .validity_years = (int)validity_of(x)};
	a->text.form = FORM_APPLICATION;
	a->text.n = x->n;
	memcpy(a->text.value, x->value, sizeof a->text.value);
	TRY(birth_get(x->value[A_BIRTH], &a->birth_year, &a->birth_month, &a->birth_day));
	TRY(digest_get(x->value[A_TERMS], &a->terms));
	TRY(digest_get(x->value[A_EXPLANATION], &a->explanation));
	TRY(instant_get(x->value[A_DATE], &a->date));
	TRY(key_name_spki(x->spki, &a->key)); /* the verifier used it */
	*i = (struct identity){.verdict = x->verdict,
	    .chained = x->chained,
	    .mismatch = x->mismatch,
	    .leaf_digest = x->signer_digest,
	    .method = x->method,
	    .status_digest = x->status_digest};
	i->person.name = x->card_name;
	i->person.address = x->card_address;
	if (x->verdict == VERDICT_MISMATCH)
		i->why = fail(ERR_POLICY, "mismatch: Rule 5(1)(ii): what the application says differs from the card");
	return ok;
}

/* --- the decision --------------------------------------------------------------------- */
static void
by_rule(struct registrar *r, struct entry *e, struct buf *id)
{
	buf_put_hex(id, digest_slice(&r->ruleset->digest));
	e->line.by = BY_RULE;
	e->line.by_id = buf_slice(id);
	e->ruleset = r->ruleset->digest;
	e->approval = r->approval.document;
	e->engine = DECISION_ENGINE;
	e->responsible = r->approval.responsible->label;
}

static err
enter_refused(struct registrar *r, struct flight *f, slice why)
{
	struct entry e = entry_about(r, ACT_APPLICATION_REFUSED, f->dossier);
	struct buf id OWNED(buf_drop) = BUF(LINE_ID_MAX);

	by_rule(r, &e, &id);
	e.why = apply_cut(why);
	apply_rate(r, OUTCOME_REFUSE);
	return turn_enter(r, &e, NULL);
}

/* A limit that sends everything to a person is recorded once while it lasts. */
static err
enter_review(struct registrar *r, struct flight *f, slice why)
{
	struct entry e = entry_about(r, ACT_REVIEW_OPENED, f->dossier);
	struct buf id OWNED(buf_drop) = BUF(LINE_ID_MAX);
	bool limit = slice_has_prefix(why, LIT("decision-hour:")) || slice_has_prefix(why, LIT("decision-refusals:"));

	by_rule(r, &e, &id);
	e.why = apply_cut(why);
	TRY(turn_enter(r, &e, NULL));
	apply_rate(r, OUTCOME_REVIEW);
	if (!limit || (r->limit_recorded && r->now.ms / 60000 - r->limit_minute < RATE_MINUTES))
		return ok;
	r->limit_recorded = true;
	r->limit_minute = r->now.ms / 60000;
	e.line.about = ABOUT_HOUSE;
	log_what(LOG_ALARM, "registrar", e.why);
	return turn_enter(r, &e, NULL);
}

/* What certificate.ordered will say: made before any line of the decision, since a plan may be refused. */
struct planned {
	serial serial;
	instant not_before;
	digest tbs;
};

/* Draws the serial and plans the bytes. */
static err
plan(const struct registrar *r, const struct flight *f, const struct facts *x, const struct decision *d,
    struct planned *out)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);
	struct issue_facts i = {.dossier = f->dossier,
	    .serial = random_serial(),
	    .not_before = instant_floor_second(r->now),
	    .validity_years = d->validity_years,
	    .name = d->name,
	    .address = d->address,
	    .birth = x->value[A_BIRTH],
	    .spki = x->spki};

	TRY(issue_plan_tbs(r->profile, &r->trust->issuer, &i, &tbs));
	*out = (struct planned){i.serial, i.not_before, sha256(buf_slice(&tbs))};
	return ok;
}

/* Commits to the digest of what is to be signed; the order leaves after the commit. */
static err
enter_ordered(struct registrar *r, struct flight *f, const struct planned *p)
{
	struct entry e = entry_about(r, ACT_CERTIFICATE_ORDERED, f->dossier);
	struct record d;

	e.serial = p->serial;
	e.not_before = p->not_before;
	e.tbs = p->tbs;
	e.profile = r->profile->digest;
	TRY(turn_enter(r, &e, NULL));
	TRY(db_dossier(r->db, f->dossier, &d));
	issuing_set_order(f, &d.d, tree_leaf(buf_slice(&r->line)));
	f->stage = STAGE_ORDER;
	assert(r->n_ordered < FLIGHTS_MAX);
	r->ordered[r->n_ordered++] = (uint32_t)(f - r->flight);
	return ok;
}

static err
enter_accepted(struct registrar *r, struct flight *f, const struct facts *x, const struct decision *d)
{
	struct entry e = entry_about(r, ACT_APPLICATION_ACCEPTED, f->dossier);
	struct buf id OWNED(buf_drop) = BUF(LINE_ID_MAX);
	struct planned p;
	err bad = plan(r, f, x, d, &p);

	if (bad.kind != OK)
		return enter_refused(r, f, slice_str(bad.what));
	by_rule(r, &e, &id);
	e.validity = (uint64_t)d->validity_years;
	TRY(turn_enter(r, &e, NULL));
	apply_rate(r, OUTCOME_ACCEPT);
	return enter_ordered(r, f, &p);
}

static err
count(struct registrar *r, struct flight *f, const struct facts *x, struct decision_counts *c)
{
	*c = (struct decision_counts){.automation_stopped = db_ledger(r->db)->stopped};
	TRY(db_card(r->db, x->signer_digest, f->dossier, r->now, &c->open_for_card, &c->valid_for_card));
	rate_sum(r, c);
	return ok;
}

/* What the rule set says; a key another dossier has is refused before it. */
static err
decide(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct application a OWNED(application_drop) = {0};
	struct decision_counts c;
	struct identity i;
	struct decision d;
	bool used;

	TRY(view_of(x, &a, &i));
	TRY(db_key_used(r->db, x->key, f->dossier, &used));
	if (used)
		return enter_refused(
		    r, f, LIT("key-used: Rule 6(iii-2): this public key stands in another application; make a new key"));
	TRY(count(r, f, x, &c));
	if (approval_has_lapsed(&r->approval, r->now))
		return enter_review(
		    r, f, LIT("decision-lapsed: Rule 6(xv): the approval of the rule set has ended; an officer decides"));
	decision_by_rule(r->ruleset, r->profile, r->trust, &a, &i, &c, r->now, &d);
	if (d.outcome == OUTCOME_ACCEPT)
		return enter_accepted(r, f, x, &d);
	if (d.outcome == OUTCOME_REVIEW)
		return enter_review(r, f, x->verdict == VERDICT_MISMATCH && x->why.n > 0 ? x->why : slice_str(d.why.what));
	return enter_refused(r, f, slice_str(d.why.what));
}

/* After this turn's lines: who may hear what, and whether the flight goes on. */
static err
settle(struct registrar *r, struct flight *f)
{
	bool goes_on = f->stage == STAGE_ORDER || f->stage == STAGE_JLIS;
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	apply_answer(r, f, &d.d, !goes_on || f->stage == STAGE_JLIS);
	if (!goes_on)
		flight_free(r, f);
	return ok;
}

static err
judge(struct registrar *r, struct flight *f, const struct facts *x, bool waited)
{
	if (x->verdict == VERDICT_UNCHECKED) {
		if (!waited)
			TRY(enter_identity(r, f, x));
		else
			log_what(LOG_NOTE, "verifier", x->why);
		if (x->ocsp_request.n > 0 && !f->asked_jlis)
			jlis_ask(r, f, x->ocsp_request);
		return settle(r, f);
	}
	TRY(enter_identity(r, f, x));
	if (x->verdict == VERDICT_FAILED)
		TRY(enter_refused(r, f, x->why));
	else
		TRY(decide(r, f, x));
	return settle(r, f);
}

/* Judged again: the dossier is in the books. */
static err
judged_again(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	err e = db_dossier(r->db, f->dossier, &d);

	if (e.kind == OK && (d.d.state != DOSSIER_RECEIVED && d.d.state != DOSSIER_WAITING)) {
		flight_free(r, f); /* ended meanwhile */
		return ok;
	}
	TRY(e);
	if (x->verdict == VERDICT_UNCHECKED && r->now.ms - d.d.received.ms >= WAIT_END_MS) {
		TRY(enter_refused(r, f,
		    LIT("unchecked-end: Rule 5(1)(ii): the card's status could not be checked within 72 hours; apply again")));
		return settle(r, f);
	}
	return judge(r, f, x, d.d.state == DOSSIER_WAITING);
}

err
apply_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	err e;

	if (f->errand == ERRAND_JUDGE)
		return judged_again(r, f, x);
	if (x->form != FORM_APPLICATION || x->n != A_COUNT || !digest_eq(x->document, f->document)) {
		flight_refuse_err(r, f, fail(ERR_INPUT, "apply-form: Rule 6(ii): this document is no application"));
		return ok;
	}
	if (!x->chained) {
		/* no entry: no stranger can make the books grow */
		flight_refuse(r, f, x->kind == OK ? ERR_POLICY : x->kind, x->why);
		return ok;
	}
	e = challenge_use(r, x->value[A_NONCE], f->document);
	if (e.kind == OK)
		e = check_current(r, x);
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	TRY(enter_received(r, f, x));
	return judge(r, f, x, false);
}

/* --- by an officer ------------------------------------------------------------------- */
static err
enter_decided(struct registrar *r, struct flight *f, enum act act, slice why)
{
	struct entry e = entry_about(r, act, f->dossier);
	struct evidence_at at;

	e.line.by = BY_OFFICER;
	e.line.by_id = buf_slice(&f->officer);
	e.line.n_evidence = 1;
	TRY(turn_evidence(r, buf_slice(&f->decision), &e.line.evidence[0], &at));
	e.document = f->decision_document;
	e.why = apply_cut(why);
	if (act == ACT_APPLICATION_ACCEPTED) {
		struct record d;

		TRY(db_dossier(r->db, f->dossier, &d));
		e.validity = d.d.validity;
		entry_personal(&e, "name", buf_slice(&f->name));
		entry_personal(&e, "address", buf_slice(&f->address));
	}
	entry_personal(&e, "reason", buf_slice(&f->reason));
	apply_rate(r, act == ACT_APPLICATION_ACCEPTED ? OUTCOME_ACCEPT : OUTCOME_REFUSE);
	return turn_enter(r, &e, &at);
}

static err
answer_decided(struct registrar *r, struct flight *f)
{
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	for (size_t i = 0; i < f->n_callers; i++)
		turn_entry_reply(r, &f->caller[i], &d.d.serial);
	f->n_callers = 0;
	return ok;
}

/* Identity was judged a second time, now: an officer decides a mismatch, never a failed or unchecked one. */
err
apply_decided(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct decision d;
	struct record before;
	struct planned p;
	err e;

	TRY(db_dossier(r->db, f->dossier, &before));
	e = dossier_plan(&before.d, ACT_APPLICATION_ACCEPTED);
	if (e.kind == OK && before.d.state != DOSSIER_REVIEW)
		e = fail(ERR_CONFLICT, "decide-state: Rule 12(1)(i): this application does not wait for a person's decision");
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	if (f->refuse) {
		TRY(enter_decided(r, f, ACT_APPLICATION_REFUSED,
		    LIT("officer-refused: Rule 12(1)(i)ホ: an officer refused this application; the reason is in the books")));
		TRY(answer_decided(r, f));
		flight_free(r, f);
		return ok;
	}
	if (x->verdict == VERDICT_UNCHECKED && x->ocsp_request.n > 0 && !f->asked_jlis) {
		jlis_ask(r, f, x->ocsp_request);
		if (f->stage == STAGE_JLIS)
			return ok;
	}
	if (x->verdict != VERDICT_VERIFIED && x->verdict != VERDICT_MISMATCH) {
		flight_refuse(r, f, x->kind == OK ? ERR_POLICY : x->kind, x->why);
		return ok;
	}
	d = (struct decision){.outcome = OUTCOME_ACCEPT,
	    .name = buf_slice(&f->name),
	    .address = buf_slice(&f->address),
	    .validity_years = (int)validity_of(x)};
	e = plan(r, f, x, &d, &p);
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	TRY(enter_identity(r, f, x));
	TRY(enter_decided(r, f, ACT_APPLICATION_ACCEPTED, (slice){NULL, 0}));
	TRY(answer_decided(r, f));
	return enter_ordered(r, f, &p);
}

/* --- what the books say is owed ------------------------------------------------------------ */
/* Tries after 5, 10, 20 … seconds, then every ten minutes: does one lie between the two looks? */
static bool
is_try_due(const struct dossier *d, instant before, instant now)
{
	int64_t from = before.ms - d->since.ms, to = now.ms - d->since.ms, step = 5 * SECOND_MS;

	if (before.ms < d->since.ms)
		from = 0;
	for (; step < 600 * SECOND_MS; step *= 2)
		if (from < step && to >= step)
			return true;
	return from / (600 * SECOND_MS) != to / (600 * SECOND_MS);
}

static err
judge_again(struct registrar *r, const struct record *d)
{
	struct flight *f = flight_of_document(r, d->d.document);

	if (f != NULL)
		return ok;
	f = flight_new(r, ERRAND_JUDGE, d->d.document);
	if (f == NULL)
		return ok;
	TRY(flight_load(r, d, &f->cms, NULL));
	flight_verify(r, f);
	return ok;
}

static err
verify_owed(struct registrar *r, int64_t steady)
{
	struct record d[OWED_AT_ONCE];
	size_t n;

	if (!r->owed.verify_more) {
		if (steady < r->owed.verify_at && !r->owed.all_verify)
			return ok;
		r->owed.verify_at = steady + OWED_EVERY_MS;
		r->owed.verify_after = 0;
	}
	TRY(db_owing(r->db, OWES_VERIFY, r->owed.verify_after, !r->owed.verify_more, d, OWED_AT_ONCE, &n));
	for (size_t i = 0; i < n; i++)
		if (r->owed.all_verify || r->owed.verify_looked.ms == 0 || is_try_due(&d[i].d, r->owed.verify_looked, r->now) ||
		    d[i].d.state == DOSSIER_RECEIVED)
			TRY(judge_again(r, &d[i]));
	r->owed.verify_more = n == OWED_AT_ONCE;
	if (n > 0)
		r->owed.verify_after = d[n - 1].d.n;
	if (!r->owed.verify_more) {
		r->owed.verify_looked = r->now;
		r->owed.all_verify = false;
	}
	return ok;
}

err
apply_owed(struct registrar *r)
{
	int64_t steady = r->seen_steady;

	TRY(verify_owed(r, steady));
	return issuing_owed(r, steady);
}
