#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * An order's way to the issuer and back: certificate.ordered is in the books → the issuer → certificate.issued, or voided
 * after ten minutes and judged anew.  What left no answer is owed, and leaves again from what the books say.
 */

/* What the issuer is told, from what the books say. */
void
issuing_set_order(struct flight *f, const struct dossier *d, digest leaf)
{
	f->order = (struct issue_order){.dossier = f->dossier,
	    .serial = d->serial,
	    .not_before = d->not_before,
	    .tbs = d->tbs,
	    .leaf = leaf,
	    .judged = d->judged,
	    .method = d->method,
	    .ruleset = d->ruleset};
	if (d->method == STATUS_CRL)
		f->order.crl = d->status;
	memcpy(f->order_nonce, d->nonce, sizeof f->order_nonce);
}

/* --- there and back ----------------------------------------------------------------------- */
static void
order_issue(struct registrar *r, struct flight *f, bool again)
{
	struct issue_order *o = &f->order;

	o->books = (struct head){book_size(r->book), book_root(r->book)};
	o->application = buf_slice(&f->cms);
	o->again = again;
	if (o->method == STATUS_OCSP) {
		o->ocsp_answer = buf_slice(&f->answer);
		o->ocsp_nonce = ARR(f->order_nonce);
	}
	if (f->decision.n > 0) {
		o->decision = buf_slice(&f->decision);
		o->ruleset = (digest){0};
	}
	issue_order_put(body_new(r), o);
	turn_order(r, PEER_ISSUER, 0, ORDER_ISSUE, f->id, buf_slice(&r->body));
	f->stage = STAGE_ISSUE;
	r->issuer.orders++;
}

static bool
issuer_takes(struct registrar *r)
{
	const struct link *l = link_of(r, PEER_ISSUER, 0);

	/* J-LIS's lists go before the orders that cite them */
	if (!jlis_is_given(r, r->issuer.crl, r->issuer.sending))
		return false;
	return l != NULL && r->issuer.step == SIGNER_READY && r->issuer.orders < ISSUER_ORDERS_MAX && !link_is_full(l);
}

/* Orders committed just now.  One that cannot leave is owed: its callers hear "ordered", the books know the rest. */
err
issuing_send(struct registrar *r)
{
	for (size_t i = 0; i < r->n_ordered; i++) {
		struct flight *f = &r->flight[r->ordered[i]];

		if (issuer_takes(r)) {
			order_issue(r, f, false);
			continue;
		}
		apply_answer_all(r, f);
		flight_free(r, f);
		r->owed.issue_at = 0;
	}
	r->n_ordered = 0;
	return ok;
}

static err
enter_voided(struct registrar *r, struct flight *f, const struct dossier *d, slice why)
{
	struct entry e = entry_about(r, ACT_CERTIFICATE_VOIDED, f->dossier);

	e.serial = d->serial;
	e.why = apply_cut(why);
	return turn_enter(r, &e, NULL);
}

static void
ask_void(struct registrar *r, struct flight *f, const struct dossier *d)
{
	void_order_put(body_new(r), &(struct void_order){f->dossier, d->serial});
	turn_order(r, PEER_ISSUER, 0, ORDER_VOID, f->id, buf_slice(&r->body));
	f->stage = STAGE_VOID;
}

/* What the issuer refused.  Not now: asked again later.  For good: voided, then to a person. */
static err
issue_refused(struct registrar *r, struct flight *f, const struct record *d, const struct frame *x)
{
	log_what(LOG_WARN, "issuer", x->what);
	if (x->fail == ERR_BUSY || x->fail == ERR_WORLD || x->fail == ERR_ABSENT) {
		apply_answer(r, f, &d->d, true);
		flight_free(r, f);
		return ok;
	}
	buf_clear(&f->reason);
	buf_put(&f->reason, apply_cut(x->what));
	apply_answer(r, f, &d->d, true);
	ask_void(r, f, &d->d);
	return ok;
}

err
issuing_result(struct registrar *r, struct flight *f, const struct frame *x)
{
	struct entry e = entry_about(r, ACT_CERTIFICATE_ISSUED, f->dossier);
	struct issue_reply reply;
	struct evidence_at at;
	struct record d;
	struct cert c;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (d.d.state != DOSSIER_ORDERED) {
		flight_free(r, f);
		return ok;
	}
	if (x->fail != OK)
		return issue_refused(r, f, &d, x);
	TRY(issue_reply_get(x->body, &reply));
	TRY(cert_get(reply.certificate, &c));
	if (!serial_eq(c.serial, d.d.serial) || !digest_eq(sha256(c.tbs), d.d.tbs)) {
		log_id(LOG_ALARM, "issue-other: Rule 12(1)(i)ヘ: the issuer answered with another certificate than was ordered",
		    "serial", serial_slice(&d.d.serial));
		return fail(ERR_CORRUPT, "issue-other: Rule 12(1)(i)ヘ: the issuer answered with another certificate");
	}
	e.line.by = BY_ISSUER;
	e.line.by_id = LIT("issuer");
	e.line.n_evidence = 1;
	e.line.evidence[0] = e.certificate = sha256(reply.certificate);
	e.serial = c.serial;
	e.not_after = c.not_after;
	e.signed_at = reply.signed_at;
	e.journal = reply.journal.size;
	e.journal_root = reply.journal.root;
	book_add_evidence(r->book, e.certificate, reply.certificate, &at);
	TRY(turn_enter(r, &e, &at));
	r->issuer.journal = reply.journal;
	TRY(db_dossier(r->db, f->dossier, &d));
	numbers_issued(r, &d.d);
	apply_answer(r, f, &d.d, true);
	flight_free(r, f);
	return ok;
}

/* Why an order was voided decides what follows. */
static bool
is_about_time(slice why)
{
	return why.n == 0 || slice_has_prefix(why, LIT("issue-clock")) || slice_has_prefix(why, LIT("issue-judged")) ||
	       slice_has_prefix(why, LIT("issue-late"));
}

err
issuing_void_result(struct registrar *r, struct flight *f, const struct frame *x)
{
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (x->fail == ERR_CONFLICT) {
		/* an intent is there: the same bytes are signed again, never others under that serial */
		f->tries++;
		order_issue(r, f, true);
		return ok;
	}
	if (x->fail != OK || d.d.state != DOSSIER_ORDERED) {
		flight_free(r, f);
		return ok;
	}
	TRY(enter_voided(r, f, &d.d, buf_slice(&f->reason)));
	if (!is_about_time(buf_slice(&f->reason)) || (f->reason.n > 0 && d.d.orders >= ORDERS_TIMELY_MAX)) {
		struct entry e = entry_about(r, ACT_REVIEW_OPENED, f->dossier);

		e.why = buf_slice(&f->reason);
		log_id(LOG_ALARM, "issue-refused: design 3: the issuer refuses what the registrar ordered", "dossier",
		    ARR(f->dossier.b));
		TRY(turn_enter(r, &e, NULL));
	}
	flight_free(r, f);
	r->owed.verify_at = 0;
	r->owed.all_verify = true;
	return ok;
}

/* --- what the books say is owed ------------------------------------------------------------ */
/*
 * An order that leaves again is one that the books hold: the projection alone orders nothing, and nothing is entered about
 * an order that only it knows.
 */
static err
check_ordered(struct registrar *r, const struct dossier *d)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct entry e OWNED(entry_drop) = {0};
	const err unknown =
	    fail(ERR_CORRUPT, "db-order: design 3: the projection knows an order that the books do not; make it anew");
	uint64_t n;
	slice line;

	if (d->ordered_n >= book_size(r->book))
		return unknown;
	TRY(book_read_from(r->book, d->ordered_n, &reader));
	TRY(book_read_next(reader, &n, &line));
	TRY(entry_get(line, &e));
	if (e.line.act != ACT_CERTIFICATE_ORDERED || memcmp(e.line.dossier.b, d->id.b, sizeof d->id.b) != 0 ||
	    !serial_eq(e.serial, d->serial) || !digest_eq(e.tbs, d->tbs))
		return unknown;
	return ok;
}

/* Everything that an order needs besides the dossier, from the books. */
static err
load_order(struct registrar *r, struct flight *f, const struct record *d)
{
	struct tree_nodes nodes = book_nodes(r->book);
	struct evidence_at at;
	digest leaf;

	TRY(check_ordered(r, &d->d));
	TRY(flight_load(r, d, &f->cms, NULL));
	TRY(nodes.node(nodes.from, 0, d->d.ordered_n, &leaf));
	issuing_set_order(f, &d->d, leaf);
	if (d->d.method == STATUS_OCSP) {
		TRY(db_place(r->db, d->d.status, &at));
		TRY(book_evidence(r->book, &at, d->d.status, secret_slice(&r->jlis_key), &f->answer));
	}
	if (dossier_is_by_officer(&d->d)) {
		TRY(db_place(r->db, d->d.decision, &at));
		TRY(book_evidence(r->book, &at, d->d.decision, (slice){NULL, 0}, &f->decision));
	}
	return ok;
}

static err
issue_again(struct registrar *r, const struct record *d)
{
	struct flight *f = flight_of_document(r, d->d.document);

	if (f != NULL)
		return ok;
	f = flight_new(r, ERRAND_ISSUE, d->d.document);
	if (f == NULL)
		return ok;
	TRY(load_order(r, f, d));
	if (r->now.ms - d->d.ordered.ms > ORDER_VOID_MS)
		ask_void(r, f, &d->d);
	else
		order_issue(r, f, false);
	return ok;
}

err
issuing_owed(struct registrar *r, int64_t steady)
{
	struct record d[OWED_AT_ONCE];
	size_t n;

	if (!issuer_takes(r) || r->n_ordered > 0)
		return ok;
	if (!r->owed.issue_more) {
		if (steady < r->owed.issue_at)
			return ok;
		r->owed.issue_at = steady + OWED_EVERY_MS;
		r->owed.issue_after = 0;
	}
	TRY(db_owing(r->db, OWES_ISSUE, r->owed.issue_after, !r->owed.issue_more, d, OWED_AT_ONCE, &n));
	for (size_t i = 0; i < n; i++)
		/* what was ordered within the last turns is on its way */
		if (d[i].d.ordered.ms < r->now.ms)
			TRY(issue_again(r, &d[i]));
	r->owed.issue_more = n == OWED_AT_ONCE;
	if (n > 0)
		r->owed.issue_after = d[n - 1].d.n;
	return ok;
}
