#include "act/books.h"
#include "role/signer/signer.h"

static void
drop_tickets(struct task *t)
{
	for (size_t i = 0; i < t->n; i++)
		ticket_drop(&t->ticket[i]);
	t->n = 0;
}

static err
plan_answers(struct signing *s, struct task *t, instant now)
{
	struct answers_order o;

	TRY(answers_order_get(buf_slice(&t->order), &o));
	if (o.n == 0)
		return fail(ERR_INPUT, "signer-answers: house: an order for answers names no certificate");
	for (size_t i = 0; i < o.n; i++, t->n++)
		TRY(revocation_plan_answer(s->trust, s->revoked, s->responder, o.certificate[i], o.now, o.next_update, now,
		    &t->ticket[i], &t->serial[i]));
	return ok;
}

/* One digest for a batch: over the digests of what is signed, in order. */
static digest
digest_of(const struct task *t)
{
	struct hash h;

	hash_start(&h);
	for (size_t i = 0; i < t->n; i++) {
		digest d = ticket_digest(t->ticket[i]);

		hash_add(&h, digest_slice(&d));
	}
	return hash_end(&h);
}

err
status_answers(struct signing *s, struct task *t, instant now)
{
	struct answers_order o;

	TRY(plan_answers(s, t, now));
	TRY(answers_order_get(buf_slice(&t->order), &o));
	journal_add_answers(s->journal, t->n, o.now, o.next_update, digest_of(t));
	t->signing = true;
	t->hand = KEY_OCSP;
	return ok;
}

static err
plan_checkpoint(struct signing *s, struct task *t, struct head last)
{
	struct checkpoint_order o;

	TRY(checkpoint_order_get(buf_slice(&t->order), &o));
	TRY(books_plan_checkpoint(s->trust->origin, &o, last, &t->ticket[0]));
	t->n = 1;
	return ok;
}

err
status_checkpoint(struct signing *s, struct task *t)
{
	struct head last = journal_state(s->journal)->checkpoint;
	struct checkpoint_order o;

	TRY(checkpoint_order_get(buf_slice(&t->order), &o));
	TRY(plan_checkpoint(s, t, last));
	if (o.books.size > last.size)
		journal_add_checkpoint(s->journal, o.books);
	t->head_known = last;
	t->signing = true;
	t->hand = KEY_CHECKPOINT;
	return ok;
}

err
status_plan_again(struct signing *s, struct task *t, instant now)
{
	digest was = digest_of(t);

	drop_tickets(t);
	if (t->kind == ORDER_ANSWERS)
		TRY(plan_answers(s, t, now));
	else
		TRY(plan_checkpoint(s, t, t->head_known));
	if (!digest_eq(was, digest_of(t)))
		return fail(ERR_CONFLICT, "signer-bytes: design law 2: planned again, the bytes came out otherwise");
	return ok;
}

static err
join_answers(struct signing *s, struct task *t)
{
	struct buf answer[ANSWERS_MAX];
	struct answers_reply r = {.n = t->n};
	struct answers_order o;
	err e = answers_order_get(buf_slice(&t->order), &o);

	for (size_t i = 0; i < t->n; i++) {
		answer[i] = BUF(OCSP_ANSWER_MAX);
		if (e.kind == OK)
			e = revocation_join_answer(s->responder, t->ticket[i], buf_slice(&t->signature[i]), &answer[i]);
		r.serial[i] = t->serial[i];
		r.this_update[i] = instant_floor_second(o.now);
		r.next_update[i] = instant_floor_second(o.next_update);
		r.answer[i] = buf_slice(&answer[i]);
	}
	if (e.kind == OK)
		answers_reply_put(&t->answer, &r);
	for (size_t i = 0; i < t->n; i++)
		buf_drop(&answer[i]);
	TRY(e);
	return buf_check(&t->answer);
}

static err
join_checkpoint(struct signing *s, struct task *t)
{
	struct buf note OWNED(buf_drop) = BUF(CHECKPOINT_MAX);

	TRY(books_join_checkpoint(
	    s->trust->origin, s->trust->status_key, t->ticket[0], buf_slice(&t->signature[0]), &note));
	octets_put(&t->answer, buf_slice(&note));
	return buf_check(&t->answer);
}

void
status_join(struct signing *s, struct task *t)
{
	for (size_t i = 0; i < t->n && t->outcome.kind == OK; i++)
		t->outcome = t->signed_as[i];
	if (t->outcome.kind != OK)
		return;
	t->outcome = t->kind == ORDER_ANSWERS ? join_answers(s, t) : join_checkpoint(s, t);
	if (t->outcome.kind == ERR_WORLD)
		hand_end(s->hand[t->hand]);
}
