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
	for (size_t i = 0; i < o.n; i++, t->n++) {
		TRY(revocation_plan_answer(
		    s->trust, s->revoked, s->responder, o.certificate[i], o.now, o.next_update, now, &t->plan_of[i]));
		t->ticket[i] = t->plan_of[i].ticket;
	}
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
	struct known_one fresh[ANSWERS_MAX];
	struct answers_order o;
	size_t n = 0;

	TRY(plan_answers(s, t, now));
	TRY(answers_order_get(buf_slice(&t->order), &o));
	for (size_t i = 0; i < t->n; i++) {
		bool is_fresh;

		TRY(known_set_add(s->known, &t->plan_of[i].known, &is_fresh));
		if (is_fresh)
			fresh[n++] = t->plan_of[i].known;
	}
	journal_add_answers(s->journal, &(struct journal_answers){.count = t->n,
	                                    .this_update = o.now,
	                                    .next_update = o.next_update,
	                                    .tbs = digest_of(t),
	                                    .n_fresh = n,
	                                    .fresh = fresh});
	t->signing = true;
	t->hand = KEY_OCSP;
	return ok;
}

/* Answers anew about those of the range that are known and have not ended. */
static err
plan_refresh(struct signing *s, struct task *t, const struct refresh_order *o, instant now)
{
	struct known_walk w;
	struct known_one k;
	bool have;

	TRY(revocation_check_updates(o->now, o->next_update, now));
	TRY(known_walk_start(&w, s->known, o->after));
	while (t->n < t->room) {
		TRY(known_walk_next(&w, &have, &k));
		if (!have || (o->upto.n > 0 && serial_cmp(k.serial, o->upto) > 0))
			break;
		if (k.not_after.ms < now.ms)
			continue;
		TRY(revocation_plan_known(
		    s->known, s->revoked, s->responder, k.serial, o->now, o->next_update, now, &t->plan_of[t->n]));
		t->ticket[t->n] = t->plan_of[t->n].ticket;
		t->n++;
	}
	return ok;
}

err
status_refresh(struct signing *s, struct task *t, instant now)
{
	struct refresh_order o;

	TRY(refresh_order_get(buf_slice(&t->order), &o));
	TRY(plan_refresh(s, t, &o, now));
	t->produced = instant_floor_second(now);
	t->hand = KEY_OCSP;
	t->signing = t->n > 0;
	if (t->n > 0)
		journal_add_answers(s->journal, &(struct journal_answers){.count = t->n,
		                                    .this_update = o.now,
		                                    .next_update = o.next_update,
		                                    .tbs = digest_of(t),
		                                    .after = o.after,
		                                    .upto = o.upto});
	return ok;
}

static err
plan_live(struct signing *s, struct task *t, instant now)
{
	slice request;

	TRY(octets_get(buf_slice(&t->order), &request));
	TRY(revocation_plan_live(s->known, s->revoked, s->responder, s->unknown, request, now, &t->ticket[0]));
	t->n = 1;
	return ok;
}

/* The limit stands here and not at the fronts: whoever captured one asks as often as he likes. */
err
status_live(struct signing *s, struct task *t, instant now)
{
	if (s->clock_steady - s->live_second >= SECOND_MS || s->live_second == 0) {
		s->live_second = s->clock_steady;
		s->live_count = 0;
	}
	if (s->live_count >= s->live_limit)
		return fail(
		    ERR_BUSY, "signer-live-limit: house: too many answers are asked for live; those made ahead are given");
	s->live_count++;
	TRY(plan_live(s, t, now));
	t->signing = true;
	t->hand = KEY_OCSP;
	return ok;
}

void
status_live_note(struct signing *s, struct task **task, size_t n, instant now)
{
	struct journal_answers a = {
	    .this_update = instant_floor_second(now), .next_update = {instant_floor_second(now).ms + REVOCATION_LIVE_MS}};
	struct hash h;

	hash_start(&h);
	for (size_t i = 0; i < n; i++)
		if (task[i]->kind == ORDER_LIVE && task[i]->signing) {
			digest d = ticket_digest(task[i]->ticket[0]);

			hash_add(&h, digest_slice(&d));
			a.count++;
		}
	a.tbs = hash_end(&h);
	if (a.count > 0)
		journal_add_answers(s->journal, &a);
}

void
status_give(struct signing *s, struct link *l, struct task *t)
{
	struct slots_part *p = mem_new(1, sizeof *p);
	struct refresh_order o;
	size_t at = 0;

	if (refresh_order_get(buf_slice(&t->order), &o).kind != OK)
		abort(); /* it was read before */
	do {
		struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		*p = (struct slots_part){.this_update = instant_floor_second(o.now),
		    .next_update = instant_floor_second(o.next_update),
		    .produced = t->produced,
		    .responder = s->responder->cert.whole};
		for (; p->n < SLOTS_PART_MAX && at < t->n; at++, p->n++) {
			const struct answer_plan *a = &t->plan_of[at];

			p->slot[p->n] = (struct answer_row){.serial = a->known.serial,
			    .revoked = a->revoked,
			    .revoked_at = a->entry.revoked,
			    .reason = a->entry.reason,
			    .signature = buf_slice(&t->signature[at])};
		}
		p->last = at == t->n;
		slots_part_put(&body, p);
		link_put(l, &(struct frame){.kind = t->kind, .id = t->id, .body = buf_slice(&body)});
	} while (!p->last);
	free(p);
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
	else if (t->kind == ORDER_REFRESH) {
		struct refresh_order o;

		TRY(refresh_order_get(buf_slice(&t->order), &o));
		TRY(plan_refresh(s, t, &o, now));
	} else if (t->kind == ORDER_LIVE)
		TRY(plan_live(s, t, now));
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
		r.serial[i] = t->plan_of[i].known.serial;
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
join_live(struct signing *s, struct task *t)
{
	struct buf answer OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

	TRY(revocation_join_answer(s->responder, t->ticket[0], buf_slice(&t->signature[0]), &answer));
	octets_put(&t->answer, buf_slice(&answer));
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

/* The first of each login and one in VERIFY_EVERY after it: what signs wrongly does so from the first on, or now and then. */
static err
verify_some(struct signing *s, const struct task *t)
{
	uint64_t login = hand_logins(s->hand[t->hand]);

	for (size_t i = 0; i < t->n; i++) {
		if (s->verified_of == login && ++s->unverified < VERIFY_EVERY)
			continue;
		TRY(revocation_check_answer(s->responder, t->ticket[i], buf_slice(&t->signature[i])));
		s->verified_of = login;
		s->unverified = 0;
	}
	return ok;
}

void
status_join(struct signing *s, struct task *t)
{
	for (size_t i = 0; i < t->n && t->outcome.kind == OK; i++)
		t->outcome = t->signed_as[i];
	if (t->outcome.kind != OK)
		return;
	t->outcome = t->kind == ORDER_CHECKPOINT ? join_checkpoint(s, t) : verify_some(s, t);
	if (t->outcome.kind == OK && t->kind == ORDER_ANSWERS)
		t->outcome = join_answers(s, t);
	if (t->outcome.kind == OK && t->kind == ORDER_LIVE)
		t->outcome = join_live(s, t);
	if (t->outcome.kind == ERR_WORLD)
		hand_end(s->hand[t->hand]);
}
