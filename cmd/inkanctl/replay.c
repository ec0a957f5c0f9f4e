#include <stdio.h>

#include "act/decision.h"
#include "act/dossier.h"
#include "act/issue.h"
#include "base/conf.h"
#include "cmd/inkanctl/books.h"

/*
 * The same bytes, the same trust, the same hour, the same pure code: the same
 * answer.  What a line decided is decided again from the evidence it names and
 * from the lines before it, never from anything that came later.
 */

static const char USAGE[] = "usage: inkanctl books replay N [--home DIR] [--json]\n"
                            "  N  the line of an identity.*, application.accepted or application.refused\n"
                            "  exit codes: 0 the same result, or the evidence was erased by law; 1 another result; 2 "
                            "usage; 3 could not be read\n";

#define WAIT_END_MS (72 * HOUR_MS) /* CP 4.1.3: as the registrar has it */

/* A dossier that has the same card or key as the one decided about. */
struct other {
	dossier_id id;
	struct dossier d;
};

struct replay {
	struct books books; /* owned, as all below */
	struct buf text, cms, trust_file, profile_file, ruleset_file, approval, answer, crl, decision;
	struct entry line;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	bool lapsed; /* its approval, at the time of the decision */
	struct application application;
	struct crl_table *table;

	/* from the lines before */
	struct dossier dossier;
	struct ledger ledger;
	struct entry received, judged; /* their texts are not kept */
	digest profile_name;
	bool has_judged;
	struct other *other;
	size_t n_others;
};

static void
replay_drop(struct replay *r)
{
	entry_drop(&r->line);
	application_drop(&r->application);
	crl_table_drop(&r->table);
	ruleset_drop(&r->ruleset);
	profile_drop(&r->profile);
	trust_drop(&r->trust);
	buf_drop(&r->text);
	buf_drop(&r->cms);
	buf_drop(&r->trust_file);
	buf_drop(&r->profile_file);
	buf_drop(&r->ruleset_file);
	buf_drop(&r->approval);
	buf_drop(&r->answer);
	buf_drop(&r->crl);
	buf_drop(&r->decision);
	free(r->other);
	books_drop(&r->books);
}

/* --- the lines before -------------------------------------------------------------------- */

static bool
has(slice line, const char *before, slice hex)
{
	struct buf b OWNED(buf_drop) = BUF(256);

	buf_put_str(&b, before);
	buf_put_hex(&b, hex);
	return memmem(line.p, line.n, b.p, b.n) != NULL;
}

static bool
is_identity(enum act a)
{
	return a >= ACT_IDENTITY_VERIFIED && a <= ACT_IDENTITY_UNCHECKED;
}

static err
take_before(struct replay *r, slice line)
{
	struct entry e OWNED(entry_drop) = {0};

	TRY(entry_get(line, &e));
	if (e.line.about == ABOUT_HOUSE) {
		if (e.line.act == ACT_BASELINE_SET)
			r->profile_name = e.profile;
		return ledger_apply(&r->ledger, &e);
	}
	TRY(dossier_apply(&r->dossier, &e));
	if (e.line.act == ACT_APPLICATION_RECEIVED)
		r->received = e;
	if (is_identity(e.line.act)) {
		r->judged = e;
		r->has_judged = true;
	}
	return ok;
}

/* Lines of the house and of this dossier, up to n. */
static err
read_before(struct replay *r, uint64_t n)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	static const char house[] = "\"about\":\"\"";
	slice line;
	uint64_t i;

	TRY(book_read_from(r->books.book, 0, &reader));
	for (uint64_t k = 0; k < n; k++) {
		TRY(book_read_next(reader, &i, &line));
		if (memmem(line.p, line.n, house, sizeof house - 1) != NULL ||
		    has(line, "\"about\":\"", ARR(r->line.line.dossier.b)))
			TRY(take_before(r, line));
	}
	r->received.doc = r->judged.doc = NULL; /* dropped with their entries: only numbers and digests are used */
	return ok;
}

/* What the registrar counts: other dossiers from the same card, and whether the key was used. */
static err
read_others(struct replay *r, uint64_t n)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	slice line;
	uint64_t i;

	TRY(book_read_from(r->books.book, 0, &reader));
	for (uint64_t k = 0; k < n; k++) {
		struct entry e OWNED(entry_drop) = {0};
		struct other *o = NULL;

		TRY(book_read_next(reader, &i, &line));
		if (has(line, "\"card\":\"", digest_slice(&r->received.card)) ||
		    has(line, "\"key\":\"", digest_slice(&r->received.key))) {
			TRY(entry_get(line, &e));
			if (e.line.act == ACT_APPLICATION_RECEIVED &&
			    memcmp(e.line.dossier.b, r->line.line.dossier.b, sizeof e.line.dossier.b) != 0) {
				r->other = mem_grow(r->other, r->n_others + 1, sizeof *r->other);
				r->other[r->n_others++] = (struct other){.id = e.line.dossier};
			}
			entry_drop(&e);
		}
		for (size_t j = 0; j < r->n_others && o == NULL; j++)
			if (has(line, "\"about\":\"", ARR(r->other[j].id.b)))
				o = &r->other[j];
		if (o == NULL)
			continue;
		TRY(entry_get(line, &e));
		TRY(dossier_apply(&o->d, &e));
	}
	return ok;
}

/* --- what was judged ----------------------------------------------------------------------- */

static err
load_trust(struct replay *r, digest name)
{
	err e = books_evidence(&r->books, name, &r->trust_file);

	if (e.kind == OK)
		return trust_get(buf_slice(&r->trust_file), &r->trust);
	if (e.kind == ERR_ABSENT && r->books.trust != NULL && digest_eq(r->books.trust->digest, name)) {
		r->trust = r->books.trust;
		r->books.trust = NULL;
		return ok;
	}
	return e;
}

static err
load_status(struct replay *r, const struct entry *j, struct status_evidence *s)
{
	static const digest none;
	size_t anchor;
	struct crl c;

	*s = (struct status_evidence){.method = j->method};
	if (digest_eq(j->status, none))
		return ok;
	if (j->method == STATUS_OCSP) {
		TRY(books_evidence(&r->books, j->status, &r->answer));
		s->ocsp_answer = buf_slice(&r->answer);
		s->ocsp_nonce = ARR(j->nonce);
	} else if (j->method == STATUS_CRL) {
		TRY(books_evidence(&r->books, j->status, &r->crl));
		TRY(crl_get(buf_slice(&r->crl), &c));
		TRY(identity_crl_anchor(r->trust, &c, &anchor));
		TRY(crl_table_new(&c, &r->table));
		s->crl = r->table;
	}
	return ok;
}

static err
judge_again(struct replay *r, const struct entry *j, struct identity *out)
{
	struct status_evidence s;

	TRY(load_trust(r, j->trust));
	TRY(books_evidence(&r->books, r->received.document, &r->cms));
	TRY(application_get(buf_slice(&r->cms), &r->application));
	TRY(load_status(r, j, &s));
	identity_check(r->trust, &r->application, &s, j->judged, out);
	return ok;
}

/* --- what was decided ------------------------------------------------------------------------- */

struct again {
	enum act act;
	const char *why; /* a refusal's text, or NULL */
	uint64_t mismatch;
	slice person;
};

static void
identity_result(const struct identity *i, struct again *out)
{
	static const enum act ACTS[] = {[VERDICT_VERIFIED] = ACT_IDENTITY_VERIFIED,
	    [VERDICT_FAILED] = ACT_IDENTITY_FAILED,
	    [VERDICT_MISMATCH] = ACT_IDENTITY_MISMATCH,
	    [VERDICT_UNCHECKED] = ACT_IDENTITY_UNCHECKED};

	*out = (struct again){.act = ACTS[i->verdict], .why = i->why.what, .mismatch = i->mismatch};
}

static err
load_rules(struct replay *r, instant now)
{
	struct approval a;

	TRY(books_evidence(&r->books, r->profile_name, &r->profile_file));
	TRY(profile_get(buf_slice(&r->profile_file), &r->profile));
	if (r->line.line.by == BY_OFFICER)
		return ok;
	TRY(books_evidence(&r->books, r->line.ruleset, &r->ruleset_file));
	TRY(books_evidence(&r->books, r->line.approval, &r->approval));
	TRY(ruleset_get(buf_slice(&r->ruleset_file), &r->ruleset));
	TRY(approval_check_begun(r->trust, buf_slice(&r->approval), r->ruleset, now, &a));
	r->lapsed = approval_has_lapsed(&a, now);
	return ok;
}

static void
count_others(const struct replay *r, instant now, struct decision_counts *c, bool *key_used)
{
	*c = (struct decision_counts){.automation_stopped = r->ledger.stopped};
	*key_used = false;
	for (size_t i = 0; i < r->n_others; i++) {
		const struct dossier *d = &r->other[i].d;

		if (digest_eq(d->card, r->received.card)) {
			c->open_for_card += dossier_is_open(d);
			c->valid_for_card += dossier_is_valid(d, now);
		}
		*key_used = *key_used || (digest_eq(d->key, r->received.key) && d->state != DOSSIER_REFUSED);
	}
}

/* The bytes to be signed are planned before a line of acceptance is written: a plan that is refused refuses. */
static err
plan_again(const struct replay *r, const struct decision *d, instant now)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);
	const struct issue_facts i = {.dossier = r->line.line.dossier,
	    .serial = {.n = 16, .b = {0x40}},
	    .not_before = instant_floor_second(now),
	    .validity_years = d->validity_years,
	    .name = d->name,
	    .address = d->address,
	    .birth = r->application.text.value[A_BIRTH],
	    .spki = key_spki(r->application.key)};

	return issue_plan_tbs(r->profile, &r->trust->issuer, &i, &tbs);
}

static void
by_rule(const struct replay *r, const struct identity *i, instant now, struct again *out)
{
	struct decision_counts counts;
	struct decision d;
	bool key_used;
	err e;

	*out = (struct again){.act = ACT_APPLICATION_REFUSED};
	count_others(r, now, &counts, &key_used);
	if (i->verdict == VERDICT_FAILED)
		out->why = i->why.what;
	else if (i->verdict == VERDICT_UNCHECKED)
		out->why = now.ms - r->received.line.at.ms >= WAIT_END_MS ? "unchecked-end" : i->why.what;
	else if (key_used)
		out->why = "key-used";
	else if (r->lapsed)
		*out = (struct again){.act = ACT_REVIEW_OPENED, .why = "decision-lapsed"};
	else {
		decision_by_rule(r->ruleset, r->profile, r->trust, &r->application, i, &counts, now, &d);
		out->why = d.why.what;
		if (d.outcome == OUTCOME_REVIEW)
			out->act = ACT_REVIEW_OPENED;
		if (d.outcome != OUTCOME_ACCEPT)
			return;
		e = plan_again(r, &d, now);
		out->why = e.what;
		out->act = e.kind == OK ? ACT_APPLICATION_ACCEPTED : ACT_APPLICATION_REFUSED;
	}
}

static err
by_officer(struct replay *r, const struct identity *i, instant now, struct again *out)
{
	const struct trust_person *who = NULL;
	struct decision d;

	TRY(books_evidence(&r->books, r->line.document, &r->decision));
	TRY(decision_by_officer(r->trust, r->profile, buf_slice(&r->decision), &r->application, i, now, &d, &who));
	*out = (struct again){
	    .act = d.outcome == OUTCOME_ACCEPT ? ACT_APPLICATION_ACCEPTED : ACT_APPLICATION_REFUSED, .person = who->label};
	if (d.outcome != OUTCOME_ACCEPT)
		out->why = "officer-refused";
	return ok;
}

static err
decide_again(struct replay *r, uint64_t n, struct again *out)
{
	const instant now = r->line.line.at;
	struct identity i;

	TRY(read_before(r, n));
	if (is_identity(r->line.line.act)) {
		TRY(judge_again(r, &r->line, &i));
		identity_result(&i, out);
		return ok;
	}
	if (r->line.line.act != ACT_APPLICATION_ACCEPTED && r->line.line.act != ACT_APPLICATION_REFUSED)
		return fail(ERR_INPUT, "replay-act: Rule 12(1)1: this line decides nothing that could be decided again");
	if (!r->has_judged)
		return fail(ERR_CORRUPT, "replay-identity: Rule 12(1)1ハ: no identity was judged before this decision");
	TRY(judge_again(r, &r->judged, &i));
	TRY(load_rules(r, now));
	if (r->line.line.by == BY_OFFICER)
		return by_officer(r, &i, now, out);
	TRY(read_others(r, n));
	by_rule(r, &i, now, out);
	return ok;
}

/* --- the comparison ------------------------------------------------------------------------------ */

static slice
code(slice why)
{
	slice c, s = why;

	return slice_cut(&s, ':', &c) ? c : why;
}

static bool
is_same(const struct replay *r, const struct again *a)
{
	const struct entry *e = &r->line;

	if (a->act != e->line.act || !slice_eq(code(slice_str(a->why)), code(e->why)))
		return false;
	if (is_identity(a->act))
		return a->mismatch == e->mismatch;
	return e->line.by != BY_OFFICER || slice_eq(a->person, e->line.by_id);
}

static void
print_result(const struct ctl *c, uint64_t n, const struct replay *r, const struct again *a, bool same)
{
	struct buf b OWNED(buf_drop) = BUF(8192), in_words OWNED(buf_drop) = BUF(2048);

	if (c->json) {
		json_open(&b, '{');
		json_put_named_number(&b, "n", n);
		json_put_named(&b, "act", slice_str(act_name(r->line.line.act)));
		json_put_named(&b, "why", r->line.why);
		json_put_named(&b, "again", slice_str(act_name(a->act)));
		json_put_named(&b, "again_why", slice_str(a->why));
		json_put_name(&b, "same");
		json_put_bool(&b, same);
		json_close(&b, '}');
		buf_put_u8(&b, '\n');
	} else {
		words_put(&in_words, c->lang, r->line.why);
		buf_put_u8(&b, '#');
		buf_put_decimal(&b, n);
		buf_put_str(&b, "  ");
		buf_put_str(&b, act_name(r->line.line.act));
		buf_put_u8(&b, '\n');
		if (in_words.n > 0) {
			buf_put_str(&b, "    ");
			buf_put(&b, buf_slice(&in_words));
			buf_put_u8(&b, '\n');
		}
		buf_put_str(&b, same ? ctl_words(c, "Decided again from the stored evidence: the same.")
		                     : ctl_words(c, "Decided again from the stored evidence: NOT the same, but"));
		buf_put_u8(&b, '\n');
		if (!same) {
			buf_put_str(&b, "    ");
			buf_put_str(&b, act_name(a->act));
			buf_put_str(&b, a->why == NULL ? "" : "\n    ");
			buf_put_str(&b, a->why == NULL ? "" : ctl_words(c, a->why));
			buf_put_u8(&b, '\n');
		}
	}
	fwrite(b.p, 1, b.n, stdout);
}

static int
print_erased(const struct ctl *c, uint64_t n)
{
	if (c->json)
		printf("{\"n\":%llu,\"erased\":true}\n", (unsigned long long)n);
	else
		printf("#%llu  %s\n", (unsigned long long)n,
		    ctl_words(c, "Erased by law: what this line decided on is not there any more."));
	return DONE_OK;
}

int
replay_main(int argc, char **argv)
{
	struct replay r OWNED(replay_drop) = {.books = {.folder = -1},
	    .text = BUF(LINE_MAX),
	    .cms = BUF(CMS_MAX),
	    .trust_file = BUF(CONF_MAX),
	    .profile_file = BUF(CONF_MAX),
	    .ruleset_file = BUF(CONF_MAX),
	    .approval = BUF(CMS_MAX),
	    .answer = BUF(64U << 10),
	    .crl = BUF(CRL_MAX),
	    .decision = BUF(CMS_MAX)};
	struct again a = {0};
	struct ctl c;
	enum done done;
	uint64_t n;
	int rest;
	bool same;
	err e;

	if (!ctl_get(&c, argc, argv, USAGE, &done, &rest))
		return done;
	if (rest + 1 != argc || decimal_get(slice_str(argv[rest]), INT64_MAX, &n).kind != OK) {
		fputs(ctl_words(&c, USAGE), stderr);
		return DONE_USAGE;
	}
	e = books_open(c.home, &r.books);
	if (e.kind == OK)
		e = books_line(&r.books, n, &r.text, &r.line);
	if (e.kind == OK)
		e = decide_again(&r, n, &a);
	if (e.kind == ERR_ABSENT && strncmp(e.what, "evidence-erased:", 16) == 0)
		return print_erased(&c, n);
	if (e.kind != OK)
		return ctl_fail(&c, e);
	same = is_same(&r, &a);
	print_result(&c, n, &r, &a, same);
	return same ? DONE_OK : DONE_NO;
}
