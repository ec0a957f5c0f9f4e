#include "edge/clock.h"
#include "edge/log.h"
#include "edge/random.h"
#include "role/registrar/registrar.h"

/*
 * What J-LIS knows of a card: its daily list, fetched by messenger, judged by a
 * verifier, then given to all in parts and cited by its digest; or an answer of
 * its responder about one card.  Both are kept sealed (JPKI Ordinance 15-3).
 */
#define BACKOFF_FIRST_MS 5000
#define BACKOFF_MOST_MS 600000

static void
later(struct registrar *r)
{
	r->jlis.asking = r->jlis.whole = r->jlis.judged = false;
	r->jlis.which = 0;
	buf_drop(&r->jlis.bytes);
	r->jlis.backoff_ms = r->jlis.backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * r->jlis.backoff_ms;
	if (r->jlis.backoff_ms > BACKOFF_MOST_MS)
		r->jlis.backoff_ms = BACKOFF_MOST_MS;
	r->jlis.next_at = r->seen_steady + r->jlis.backoff_ms;
}

/* One list is in; the next of messenger's addresses at once, and after the last one all again in their time. */
static void
next(struct registrar *r, bool last)
{
	r->jlis.asking = r->jlis.whole = r->jlis.judged = false;
	buf_drop(&r->jlis.bytes);
	r->jlis.which = last || r->jlis.which + 1 == JLIS_LISTS_MAX ? 0 : r->jlis.which + 1;
	if (r->jlis.which == 0) {
		r->jlis.backoff_ms = 0;
		r->jlis.next_at = r->seen_steady + r->jlis_every_ms;
	} else
		r->jlis.next_at = r->seen_steady;
}

/* A production J-LIS is asked only under an arrangement (JPKI Act 17). */
static bool
may_ask(const struct registrar *r)
{
	return r->trust->hierarchy != HIERARCHY_PRODUCTION ||
	       (r->trust->arrangement.n > 0 && !slice_eq(r->trust->arrangement, LIT("none")));
}

void
jlis_send_parts(struct registrar *r, enum peer peer, uint64_t number, size_t which, slice bytes)
{
	struct part p = {0};

	do {
		p.bytes = (slice){bytes.p, bytes.n < PART_BYTES ? bytes.n : PART_BYTES};
		bytes = (slice){bytes.p + p.bytes.n, bytes.n - p.bytes.n};
		p.last = bytes.n == 0;
		part_put(body_new(r), &p);
		turn_order(r, peer, number, ORDER_CRL_IN, which + 1, buf_slice(&r->body));
		p.number++;
	} while (!p.last);
}

/* --- fetching --------------------------------------------------------------------- */
static void
ask_crl(struct registrar *r)
{
	uint8_t digit = (uint8_t)('0' + r->jlis.which);

	call_order_put(body_new(r), &(struct call_order){CALL_JLIS_CRL, {&digit, r->jlis.which > 0}});
	r->jlis.id = ++r->generations;
	r->jlis.asking = true;
	r->jlis.bytes = BUF(CRL_MAX);
	turn_order(r, PEER_MESSENGER, 0, ORDER_CALL, r->jlis.id, buf_slice(&r->body));
}

/* One that has no other list of this number on its way: an answer names only the number. */
static struct judge *
a_free_verifier(struct registrar *r, size_t which)
{
	const digest none = {0};

	for (size_t i = 0; i < COUNT(r->verifier); i++)
		if (r->verifier[i].ready && digest_eq(r->verifier[i].sending[which], none) &&
		    link_of(r, PEER_VERIFIER, r->verifier[i].number) != NULL)
			return &r->verifier[i];
	return NULL;
}

err
jlis_tend(struct registrar *r)
{
	struct judge *v;

	if (r->trust->method != STATUS_CRL || !may_ask(r))
		return ok;
	if (r->jlis.whole && !r->jlis.judged) {
		v = a_free_verifier(r, r->jlis.which);
		if (v == NULL)
			return ok;
		r->jlis.judged = true;
		r->jlis.trying = v->number;
		v->sending[r->jlis.which] = r->jlis.digest;
		jlis_send_parts(r, PEER_VERIFIER, v->number, r->jlis.which, buf_slice(&r->jlis.bytes));
		return ok;
	}
	if (!r->jlis.asking && !r->jlis.whole && r->seen_steady >= r->jlis.next_at && link_of(r, PEER_MESSENGER, 0) != NULL)
		ask_crl(r);
	return ok;
}

err
jlis_part(struct registrar *r, const struct frame *x)
{
	struct part p;

	if (!r->jlis.asking || x->id != r->jlis.id)
		return ok;
	if (x->fail == ERR_ABSENT && r->jlis.which > 0) {
		next(r, true);
		return ok;
	}
	if (x->fail != OK) {
		log_what(LOG_WARN, "messenger", x->what);
		later(r);
		return ok;
	}
	TRY(part_get(x->body, &p));
	buf_put(&r->jlis.bytes, p.bytes);
	if (buf_check(&r->jlis.bytes).kind != OK) {
		log_text(LOG_WARN, "jlis-long: JPKI: the list of J-LIS is longer than 512 MiB");
		later(r);
		return ok;
	}
	if (!p.last)
		return ok;
	r->jlis.asking = false;
	r->jlis.digest = sha256(buf_slice(&r->jlis.bytes));
	if (digest_eq(r->jlis.digest, db_ledger(r->db)->jlis[r->jlis.which].digest)) {
		next(r, false); /* unchanged */
		return ok;
	}
	r->jlis.whole = true;
	r->jlis.judged = false;
	return ok;
}

/* --- giving ------------------------------------------------------------------------- */
bool
jlis_is_given(const struct registrar *r, const digest *crl, const digest *sending)
{
	const struct ledger *h = db_ledger(r->db);

	for (size_t i = 0; i < JLIS_LISTS_MAX && r->trust->method == STATUS_CRL; i++)
		if (ledger_has_list(h, i) && !digest_eq(crl[i], h->jlis[i].digest) &&
		    (sending == NULL || !digest_eq(sending[i], h->jlis[i].digest)))
			return false;
	return true;
}

/* One list to all who have not got it; its bytes come from the evidence, opened. */
static void
give(struct registrar *r, size_t which)
{
	struct buf bytes OWNED(buf_drop) = BUF(CRL_MAX);
	digest name = db_ledger(r->db)->jlis[which].digest;
	struct keyholder *const signers[] = {&r->issuer, &r->status};
	struct evidence_at at;
	const digest none = {0};

	for (size_t i = 0; i < COUNT(r->verifier) + COUNT(signers); i++) {
		bool is_signer = i >= COUNT(r->verifier);
		struct keyholder *s = is_signer ? signers[i - COUNT(r->verifier)] : NULL;
		struct judge *v = is_signer ? NULL : &r->verifier[i];
		digest has = is_signer ? s->crl[which] : v->crl[which];
		digest *sending = is_signer ? &s->sending[which] : &v->sending[which];

		if (is_signer ? s->step != SIGNER_READY : !v->ready)
			continue;
		if (digest_eq(has, name) || !digest_eq(*sending, none))
			continue; /* it has it; or another one is on its way, and this one follows */
		if (bytes.n == 0 && (db_place(r->db, name, &at).kind != OK ||
		                        book_evidence(r->book, &at, name, secret_slice(&r->jlis_key), &bytes).kind != OK)) {
			log_text(LOG_WARN, "jlis-gone: JPKI: a list in use cannot be read from the books any more");
			return;
		}
		*sending = name;
		jlis_send_parts(r, is_signer ? s->peer : PEER_VERIFIER, is_signer ? 0 : v->number, which, buf_slice(&bytes));
	}
}

void
jlis_give(struct registrar *r)
{
	for (size_t i = 0; i < JLIS_LISTS_MAX && r->trust->method == STATUS_CRL; i++)
		if (ledger_has_list(db_ledger(r->db), i))
			give(r, i);
}

static err
enter_crl(struct registrar *r, const struct crl_reply *c)
{
	struct entry e = entry_of(r, ACT_OPERATION_DONE);
	struct evidence_at at;

	e.what = LIT("jlis-crl");
	e.number = r->jlis.which;
	e.this_update = c->this_update;
	e.next_update = c->next_update;
	e.count = c->count;
	e.line.n_evidence = 1;
	TRY(turn_sealed(r, buf_slice(&r->jlis.bytes), &e.line.evidence[0], &at));
	e.status = e.line.evidence[0];
	return turn_enter(r, &e, &at);
}

static err
judged(struct registrar *r, const struct frame *x)
{
	struct crl_reply c;

	if (x->fail != OK) {
		log_what(LOG_WARN, "verifier", x->what);
		later(r);
		return ok;
	}
	TRY(crl_reply_get(x->body, &c));
	if (!digest_eq(c.digest, r->jlis.digest))
		return fail(ERR_INPUT, "jlis-digest: house: a verifier read another list than it was given");
	if (turn_open_check(r).kind != OK) {
		later(r);
		return ok;
	}
	if (c.this_update.ms < db_ledger(r->db)->jlis[r->jlis.which].this_update.ms) {
		/* whoever stands on the way to J-LIS could hide what was revoked since */
		log_text(LOG_WARN, "jlis-older: JPKI Act 19(1): J-LIS answered with a list older than the one in use");
		later(r);
		return ok;
	}
	TRY(enter_crl(r, &c));
	next(r, false);
	r->owed.all_verify = true;
	return ok;
}

/* A verifier or signer has taken a list in. */
err
jlis_crl_result(struct registrar *r, enum peer peer, uint64_t number, const struct frame *x)
{
	size_t which = (size_t)x->id - 1;
	digest *has = NULL, *sending = NULL;

	if (which >= JLIS_LISTS_MAX)
		return ok;
	if (peer != PEER_VERIFIER) {
		struct keyholder *s = peer == PEER_ISSUER ? &r->issuer : &r->status;

		has = &s->crl[which];
		sending = &s->sending[which];
	} else
		for (size_t i = 0; i < COUNT(r->verifier); i++)
			if (r->verifier[i].known && r->verifier[i].number == number) {
				has = &r->verifier[i].crl[which];
				sending = &r->verifier[i].sending[which];
			}
	if (has == NULL)
		return ok;
	if (x->fail == OK)
		*has = *sending;
	else
		log_what(LOG_WARN, peer == PEER_VERIFIER ? "verifier" : "signer", x->what);
	*sending = (digest){0};
	if (peer == PEER_VERIFIER && r->jlis.judged && number == r->jlis.trying && which == r->jlis.which)
		return judged(r, x);
	return ok;
}

/* --- one card ------------------------------------------------------------------------- */
void
jlis_ask(struct registrar *r, struct flight *f, slice request)
{
	if (!may_ask(r) || link_of(r, PEER_MESSENGER, 0) == NULL)
		return;
	buf_clear(&f->request);
	buf_put(&f->request, request);
	call_order_put(body_new(r), &(struct call_order){CALL_JLIS_OCSP, request});
	turn_order(r, PEER_MESSENGER, 0, ORDER_CALL, f->id, buf_slice(&r->body));
	f->stage = STAGE_JLIS;
	f->asked_jlis = true;
}

err
jlis_answer(struct registrar *r, struct flight *f, const struct frame *x)
{
	struct part p;

	if (x->fail != OK) {
		log_what(LOG_NOTE, "messenger", x->what);
		flight_free(r, f); /* it waits in the books: tried again later */
		return ok;
	}
	TRY(part_get(x->body, &p));
	buf_put(&f->answer, p.bytes);
	if (!p.last)
		return ok;
	if (buf_check(&f->answer).kind != OK || f->answer.n == 0) {
		log_text(LOG_NOTE, "jlis-answer: JPKI Act 19(1): J-LIS answered with nothing, or with more than an answer has");
		flight_free(r, f);
		return ok;
	}
	if (f->errand == ERRAND_APPLY)
		f->errand = ERRAND_JUDGE; /* received and waiting stand in the books by now */
	flight_verify(r, f);
	return ok;
}
