#include "role/registrar/registrar.h"

/*
 * How the house stands, in numbers: the registrar's own and what its helpers and the fronts told it.  Nothing asks the
 * signers' room: what is known of it came with their answers.  Told at once, not after a commit: no number is an act.
 */
#define TELL_EVERY_MS 1000

void
numbers_heard(struct registrar *r, enum peer peer, const struct frame *x)
{
	static const uint8_t helper[] = {[PEER_VERIFIER] = HELPER_VERIFIER,
	    [PEER_ISSUER] = HELPER_ISSUER,
	    [PEER_STATUS] = HELPER_STATUS,
	    [PEER_PUBLISHER] = HELPER_PUBLISHER,
	    [PEER_MESSENGER] = HELPER_MESSENGER};

	if (x->fail == OK || peer >= COUNT(helper) || peer < PEER_VERIFIER || peer == PEER_HAND)
		return;
	r->told.refusals[helper[peer]]++;
	if ((peer == PEER_ISSUER || peer == PEER_STATUS) && x->fail == ERR_WORLD &&
	    (slice_has_prefix(x->what, LIT("hand-")) || slice_has_prefix(x->what, LIT("hsm-")) ||
	        slice_has_prefix(x->what, LIT("signer-hand"))))
		r->told.hsm[peer == PEER_STATUS]++;
}

void
numbers_issued(struct registrar *r, const struct dossier *d)
{
	histogram_add(&r->told.issuance, (d->issued.ms - d->received.ms) * 1000);
}

static void
add_signer(struct numbers *n, const struct keyholder *s, bool there, unsigned which)
{
	unsigned step = s->step == SIGNER_STOPPED || there ? (unsigned)s->step : SIGNER_AWAY;

	for (unsigned i = 0; i < SIGNER_STATES; i++)
		numbers_tell(n, N_SIGNER, which * SIGNER_STATES + i, 0, i == step);
	numbers_tell(n, N_JOURNAL, which, 0, s->journal.size);
}

static void
add_queues(struct registrar *r, struct numbers *n)
{
	uint64_t known = 0, ready = 0, orders = 0, held = 0, answers = 0;

	for (size_t i = 0; i < COUNT(r->verifier); i++) {
		bool there = r->verifier[i].known && link_of(r, PEER_VERIFIER, r->verifier[i].number) != NULL;

		known += there;
		ready += there && r->verifier[i].ready;
		orders += r->verifier[i].orders;
	}
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		held += r->flight[i].stage == STAGE_HOLD;
	numbers_tell(n, N_VERIFIERS, 0, 0, known);
	numbers_tell(n, N_VERIFIERS, 1, 0, ready);
	numbers_tell(n, N_FLIGHTS, 0, 0, r->flights);
	numbers_tell(n, N_QUEUE, QUEUE_VERIFIERS, 0, orders);
	numbers_tell(n, N_QUEUE, QUEUE_ISSUER, 0, r->issuer.orders);
	numbers_tell(n, N_QUEUE, QUEUE_HELD, 0, held);
	for (size_t i = 0; i < COUNT(r->pub.batch); i++)
		answers += r->pub.batch[i].id != 0 ? r->pub.batch[i].n_asked : 0;
	numbers_tell(n, N_QUEUE, QUEUE_STATUS, 0, answers);
}

static void
add_ledger(struct registrar *r, struct numbers *n)
{
	const struct ledger *h = db_ledger(r->db);

	numbers_tell(n, N_AUTOMATION, 0, 0, h->stopped);
	numbers_tell_time(n, N_APPROVAL, 0, 0, h->approval_until);
	numbers_tell_time(n, N_RESPONDER, 0, 0, r->responder.until);
	numbers_tell_time(n, N_CHECKPOINT_AT, 0, 0, h->checkpoint_at);
	numbers_tell(n, N_CHECKPOINT_SIZE, 0, 0, h->checkpoint_size);
	numbers_tell(n, N_CRL_NUMBER, 0, 0, h->crl_number);
	numbers_tell_time(n, N_OCSP_OLDEST, 0, 0, r->lapse.made);
	numbers_tell_time(n, N_OCSP_LAPSE, 0, 0, r->lapse.next);
	for (unsigned i = 0; i < LIST_N; i++) {
		struct list_times t = lapse_of_lists(r, i);

		numbers_tell_time(n, N_CRL_AT, i, 0, t.this_update);
		numbers_tell_time(n, N_CRL_NEXT, i, 0, t.next_update);
	}
	for (unsigned i = 0; i < JLIS_LISTS_MAX; i++) {
		numbers_tell_time(n, N_JLIS_AT, 0, i, h->jlis[i].this_update);
		numbers_tell_time(n, N_JLIS_NEXT, 0, i, h->jlis[i].next_update);
	}
}

/* What the books and this process know. */
static void
add_own(struct registrar *r, struct numbers *n)
{
	numbers_tell_time(n, N_NUMBERS_AT, 0, 0, r->now);
	numbers_tell(n, N_BOOKS_OPEN, 0, 0, r->book != NULL && r->closed.kind == OK);
	numbers_tell(n, N_CLOCK_OK, 0, 0, r->clock_closed.kind == OK);
	numbers_tell_time(n, N_LAST_ENTRY, 0, 0, r->last_at);
	for (unsigned i = 0; i < HELPER_N; i++)
		numbers_tell(n, N_HELPER_REFUSALS, i, 0, r->told.refusals[i]);
	for (unsigned i = 0; i < COUNT(r->told.hsm); i++)
		numbers_tell(n, N_HSM_ERRORS, i, 0, r->told.hsm[i]);
	numbers_tell_histogram(n, N_ISSUANCE, 0, 0, &r->told.issuance);
	if (r->book == NULL || r->db == NULL)
		return;
	numbers_tell(n, N_LINES, 0, 0, book_size(r->book));
	for (enum dossier_state s = DOSSIER_RECEIVED; s <= DOSSIER_WITHDRAWN; s++)
		numbers_tell(n, N_DOSSIERS, (unsigned)(s - DOSSIER_RECEIVED), 0, db_counts(r->db)->state[s]);
	add_queues(r, n);
	add_signer(n, &r->issuer, link_of(r, PEER_ISSUER, 0) != NULL, 0);
	add_signer(n, &r->status, link_of(r, PEER_STATUS, 0) != NULL, 1);
	add_ledger(r, n);
}

static struct numbers *
collect(struct registrar *r)
{
	struct numbers *n = mem_new(1, sizeof *n);

	add_own(r, n);
	numbers_join(n, &r->told.messenger);
	return n;
}

void
numbers_answer(struct registrar *r, struct link *l, const struct frame *x)
{
	struct buf body OWNED(buf_drop) = BUF(NUMBERS_BYTES);
	uint64_t number = link_number(l);
	struct numbers *n;

	if (number < COUNT(r->told.front) && numbers_get(x->body, &r->told.front[number]).kind != OK) {
		link_refuse(l, x, fail(ERR_INPUT, "numbers: house: a front's numbers cannot be read"));
		return;
	}
	n = collect(r);
	for (size_t i = 0; i < COUNT(r->told.front); i++)
		if (i != number && wires_find(r->wires, PEER_FRONT, i) != NULL)
			numbers_join(n, &r->told.front[i]);
	numbers_put(&body, n);
	free(n);
	if (body.over)
		link_refuse(l, x, fail(ERR_INPUT, "numbers: house: a front's numbers cannot be read"));
	else
		link_answer(l, x, buf_slice(&body));
}

/* To messenger, which pushes them outside. */
void
numbers_tend(struct registrar *r)
{
	struct link *l = wires_find(r->wires, PEER_MESSENGER, 0);
	struct buf body OWNED(buf_drop) = BUF(NUMBERS_BYTES);
	struct numbers *n;

	if (l == NULL || link_is_full(l) || r->seen_steady - r->told.at < TELL_EVERY_MS)
		return;
	r->told.at = r->seen_steady;
	n = collect(r);
	numbers_put(&body, n);
	free(n);
	if (!body.over)
		link_order(l, ORDER_NUMBERS, 0, buf_slice(&body));
}

/* What messenger says about its heartbeats. */
err
numbers_result(struct registrar *r, const struct frame *x)
{
	return x->fail == OK ? numbers_get(x->body, &r->told.messenger) : ok;
}
