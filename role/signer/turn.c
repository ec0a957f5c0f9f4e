#include "edge/clock.h"
#include "edge/log.h"
#include "role/signer/signer.h"

#define HELLO_MOST (64U << 10)
#define ISSUER (1 << SIGNER_ISSUER)
#define STATUS (1 << SIGNER_STATUS)

/* {type, from, when, most, then}: `when` is the mode, which never changes. */
static const struct gate GATE[] = {
    {ORDER_HELLO, PEER_REGISTRAR, ISSUER | STATUS, HELLO_MOST, GATE_STAY},
    {ORDER_REVOKED, PEER_REGISTRAR, ISSUER | STATUS, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_CRL_IN, PEER_REGISTRAR, ISSUER | STATUS, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_RULES, PEER_REGISTRAR, ISSUER | STATUS, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_ISSUE, PEER_REGISTRAR, ISSUER, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_VOID, PEER_REGISTRAR, ISSUER, 256, GATE_STAY},
    {ORDER_CRL_OUT, PEER_REGISTRAR, ISSUER, 256, GATE_STAY},
    {ORDER_CRL_PART, PEER_REGISTRAR, ISSUER, 256, GATE_STAY},
    {ORDER_ANSWERS, PEER_REGISTRAR, STATUS, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_REFRESH, PEER_REGISTRAR, STATUS, 256, GATE_STAY},
    {ORDER_CHECKPOINT, PEER_REGISTRAR, STATUS, 16U << 10, GATE_STAY},
    {ORDER_LIVE, PEER_FRONT, STATUS, OCSP_REQUEST_MAX + 8, GATE_STAY},
};

void
signing_drop(struct signing *s)
{
	profile_drop(&s->profile);
	ruleset_drop(&s->ruleset);
	for (size_t i = 0; i < CRLS_MAX; i++)
		crl_table_drop(&s->crl[i]);
	buf_drop(&s->crl_parts);
	for (size_t i = 0; i < STARTER_KEYS_MAX; i++)
		hand_drop(&s->hand[i]);
	issuer_list_end(s);
	revoked_set_drop(&s->revoked);
	known_set_drop(&s->known);
	journal_close(&s->journal);
}

void
signing_wire(struct signing *s)
{
	s->greeted = false;
	buf_drop(&s->crl_parts);
	s->crl_next_part = 0;
}

/* --- the clock ------------------------------------------------------------------- */

static err
check_clock(struct signing *s, instant now, int64_t steady_ms)
{
	instant last = journal_state(s->journal)->at;
	int64_t due;

	if (now.ms < last.ms - CLOCK_BEHIND_MS) /* at a start no beginning either */
		return fail(ERR_WORLD, "signer-clock-behind: design law 9: the clock stands before the journal's last line");
	if (!s->has_clock) {
		bool off = last.ms != 0 && now.ms - last.ms >= CLOCK_OFF_MS;

		s->has_clock = true;
		if (off || s->clock_wall.ms == 0 ||
		    s->clock_wall.ms < last.ms - CLOCK_BEHIND_MS) { /* nobody looked, or at one behind */
			s->clock_wall = off ? last : now;
			s->clock_steady = steady_ms;
		}
	}
	due = s->clock_wall.ms + (steady_ms - s->clock_steady);
	if (now.ms - due >= CLOCK_AHEAD_MS)
		return fail(
		    ERR_WORLD, "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	s->clock_wall = now;
	s->clock_steady = steady_ms;
	return ok;
}

void
signing_confirm(struct signing *s, instant now, int64_t steady_ms)
{
	if (now.ms < journal_state(s->journal)->at.ms - CLOCK_BEHIND_MS)
		return; /* nobody can confirm that time runs back */
	s->has_clock = true;
	s->clock_wall = now;
	s->clock_steady = steady_ms;
	if (s->clock_held && now.ms >= journal_state(s->journal)->at.ms) {
		journal_turn(s->journal, now);
		journal_add_clock(s->journal); /* committed with the next turn's lines */
	}
}

/* --- what both hear ------------------------------------------------------------------ */

const struct crl_table *
signing_crl(const struct signing *s, digest d)
{
	for (size_t i = 0; i < CRLS_MAX; i++)
		if (s->crl[i] != NULL && digest_eq(crl_table_digest(s->crl[i]), d))
			return s->crl[i];
	return NULL;
}

/*
 * Two of each CA: one CA's many lists must not push out what another's orders cite.  The older goes, by its own time: the
 * registrar lends an old one where a revocation cites it, and the day's list must outlive that.
 */
static void
keep_crl(struct signing *s, struct crl_table **table, instant now)
{
	size_t n = 0, of_ca = 0, old = 0;

	if (signing_crl(s, crl_table_digest(*table)) != NULL)
		return; /* handed over before */
	for (; n < CRLS_MAX && s->crl[n] != NULL; n++) {
		if (!slice_eq(crl_table_aki(s->crl[n]), crl_table_aki(*table)))
			continue;
		if (of_ca++ == 0 || crl_table_this_update(s->crl[n]).ms <= crl_table_this_update(s->crl[old]).ms)
			old = n;
	}
	if (of_ca >= 2) {
		crl_table_drop(&s->crl[old]);
		memmove(&s->crl[old], &s->crl[old + 1], (--n - old) * sizeof s->crl[0]);
		memmove(&s->crl_taken[old], &s->crl_taken[old + 1], (n - old) * sizeof s->crl_taken[0]);
	}
	assert(n < CRLS_MAX); /* each is signed by an anchor with a key identifier of its own */
	memmove(&s->crl[1], &s->crl[0], n * sizeof s->crl[0]);
	memmove(&s->crl_taken[1], &s->crl_taken[0], n * sizeof s->crl_taken[0]);
	s->crl[0] = *table;
	s->crl_taken[0] = now;
	*table = NULL;
}

static err
take_crl(struct signing *s, struct task *t, instant now)
{
	struct crl_table *table OWNED(crl_table_drop) = NULL;
	struct crl_reply r;
	struct crl c;
	size_t anchor;

	TRY(buf_check(&s->crl_parts));
	TRY(crl_get(buf_slice(&s->crl_parts), &c));
	TRY(identity_crl_anchor(s->trust, &c, &anchor)); /* once, here; every order that cites it is then a look-up */
	TRY(crl_table_new(&c, &table));
	r = (struct crl_reply){.digest = crl_table_digest(table),
	    .this_update = c.this_update,
	    .next_update = c.next_update,
	    .count = crl_table_count(table)};
	crl_reply_put(&t->answer, &r);
	keep_crl(s, &table, now);
	return ok;
}

static err
crl_part(struct signing *s, struct task *t, instant now)
{
	struct part p;
	err e;

	TRY(part_get(buf_slice(&t->order), &p));
	if (p.number == 0) {
		buf_drop(&s->crl_parts);
		s->crl_parts = BUF(CRL_MAX);
		s->crl_next_part = 0;
	}
	if (p.number != s->crl_next_part)
		return fail(ERR_INPUT, "signer-crl-part: house: a part of the CRL is missing");
	s->crl_next_part++;
	buf_put(&s->crl_parts, p.bytes);
	if (!p.last)
		return buf_check(&s->crl_parts);
	e = take_crl(s, t, now);
	buf_drop(&s->crl_parts);
	s->crl_next_part = UINT64_MAX; /* nothing but a first part continues */
	return e;
}

static err
revoked(struct signing *s, struct task *t, instant now)
{
	struct revoked_order o;
	struct revocation r;
	struct crl_entry there;
	struct revoked row;
	bool found;

	TRY(revoked_order_get(buf_slice(&t->order), &o));
	TRY(revocation_check(s->trust, &o,
	    &(struct revocation_lists){
	        .cited = signing_crl(s, o.crl), .held = s->crl, .taken = s->crl_taken, .n_held = COUNT(s->crl)},
	    now, &r));
	t->wants_head = true;
	TRY(revoked_set_find(s->revoked, r.serial, &found, &there));
	if (found)
		return ok;
	TRY(revocation_check_cap(journal_revoked_by_rule(s->journal, now), r.by));
	row = revocation_row(&r);
	TRY(revoked_set_add(s->revoked, &row));
	journal_add_revoked(s->journal, &r);
	return ok;
}

/* --- the turn ------------------------------------------------------------------------ */

static bool
is_signing(uint8_t kind)
{
	return kind == ORDER_ISSUE || kind == ORDER_CRL_OUT || kind == ORDER_ANSWERS || kind == ORDER_REFRESH ||
	       kind == ORDER_CHECKPOINT || kind == ORDER_LIVE;
}

/* Without its starter a signer gets no hand any more: it is started anew, and a starter with it. */
static err
ready(struct signing *s, unsigned hand, slice pin)
{
	err e = hand_ready(s->hand[hand], pin);

	if (e.kind != ERR_ABSENT)
		return e;
	s->alone = fail_why(ERR_WORLD, e.what, e.why);
	return fail(ERR_BUSY, "signer-alone: house: this signer is being started anew; the same is tried again");
}

static err
begin(struct signing *s, struct task *t, instant now, slice pin)
{
	if (s->stopped.kind != OK)
		return s->stopped;
	if (t->kind != ORDER_HELLO && !s->greeted)
		return fail(ERR_BUSY, "signer-hello: design 3: the registrar did not say hello on this wire, or not rightly");
	if (is_signing(t->kind)) /* no intent without a hand: what cannot be signed now leaves no trace */
		TRY(ready(s, t->kind == ORDER_CHECKPOINT ? KEY_CHECKPOINT : KEY_ISSUER, pin));
	switch (t->kind) {
	case ORDER_HELLO:
		return signing_hello(s, t);
	case ORDER_RULES:
		return s->mode == SIGNER_ISSUER ? issuer_rules(s, t, now) : ok;
	case ORDER_CRL_IN:
		return crl_part(s, t, now);
	case ORDER_REVOKED:
		return revoked(s, t, now);
	case ORDER_ISSUE:
		return issuer_issue(s, t, now);
	case ORDER_VOID:
		return issuer_void(s, t);
	case ORDER_CRL_OUT:
		return issuer_list(s, t, now);
	case ORDER_CRL_PART:
		return issuer_list_part(s, t, s->clock_steady);
	case ORDER_ANSWERS:
		return status_answers(s, t, now);
	case ORDER_REFRESH:
		return status_refresh(s, t, now);
	case ORDER_CHECKPOINT:
		return status_checkpoint(s, t);
	case ORDER_LIVE:
		return status_live(s, t, now);
	default:
		abort(); /* the gate let it through */
	}
}

static struct task *
task_new(struct link *from, const struct frame *f)
{
	struct task *t = mem_new(1, sizeof *t);

	t->from = from;
	t->kind = f->kind;
	t->id = f->id;
	t->order = BUF(FRAME_BODY_MAX);
	buf_put(&t->order, f->body);
	t->answer = BUF(FRAME_BODY_MAX);
	t->room = f->kind == ORDER_REFRESH ? REFRESH_MAX : f->kind == ORDER_ANSWERS ? ANSWERS_MAX : 1;
	t->ticket = mem_new(t->room, sizeof(struct ticket *));
	t->plan_of = mem_new(t->room, sizeof *t->plan_of);
	t->signature = mem_new(t->room, sizeof *t->signature);
	t->signed_as = mem_new(t->room, sizeof *t->signed_as);
	for (size_t i = 0; i < t->room; i++)
		t->signature[i] = BUF(SIG_MAX);
	return t;
}

static void
task_drop(struct task *t)
{
	if (t->kind == ORDER_ISSUE)
		t->n = 0; /* the plan owns the ticket */
	for (size_t i = 0; i < t->n; i++)
		ticket_drop(&t->ticket[i]);
	issue_plan_drop(&t->plan);
	if (t->list != NULL)
		list_plan_drop(t->list);
	free(t->list);
	for (size_t i = 0; i < t->room; i++)
		buf_drop(&t->signature[i]);
	free(t->ticket);
	free(t->plan_of);
	free(t->signature);
	free(t->signed_as);
	buf_drop(&t->order);
	buf_drop(&t->answer);
	free(t);
}

/* What a person or the law refused is a fact of the journal; what was only not possible now is not. */
static void
note_refusal(struct signing *s, const struct task *t)
{
	if (t->kind != ORDER_ISSUE || t->issue.serial.n == 0 || s->stopped.kind != OK)
		return;
	if (t->outcome.kind == ERR_POLICY || t->outcome.kind == ERR_CONFLICT || t->outcome.kind == ERR_INPUT)
		journal_add_refused(s->journal, t->issue.dossier, t->issue.serial, t->outcome);
}

/* A peer gone wrong ends this process, which is then started anew: it is not what WE hold that is damaged. */
static err
of_peer(err e)
{
	return e.kind == ERR_CORRUPT ? fail_why(ERR_WORLD, e.what, e.why) : e;
}

/* What a step gives the hands: no more than they take at once, so that what is urgent does not wait for a tenth of a second. */
static size_t
tickets_in(struct task **task, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += task[i]->signing ? task[i]->n : 0;
	return sum;
}

static err
hear(struct signing *s, struct link *l, instant now, slice pin, err clock, struct task **task, size_t *n)
{
	struct frame f;
	bool have;

	s->more = false;
	while (*n < TURN_ORDERS_MAX && tickets_in(task, *n) < HAND_IN_FLIGHT / 2 && !link_is_full(l)) {
		struct task *t;

		TRY(of_peer(link_next(l, &have, &f)));
		if (!have)
			return ok;
		TRY(of_peer(gate_check(GATE, COUNT(GATE), PEER_REGISTRAR, &s->state, &f)));
		t = task_new(l, &f);
		task[(*n)++] = t;
		t->outcome = clock.kind == OK ? begin(s, t, now, pin) : clock;
		if (t->outcome.kind == ERR_ABSENT && slice_has_prefix(slice_str(t->outcome.what), LIT("starter-gone")))
			return t->outcome;
		if (t->outcome.kind == ERR_CORRUPT && s->stopped.kind == OK)
			return t->outcome; /* the journal itself: stop, for good */
		if (t->outcome.kind != OK) {
			t->signing = false;
			note_refusal(s, t);
		}
	}
	s->more = true;
	return ok;
}

/* What fronts ask for: whatever is wrong with it, they fall back on answers made ahead, and nobody is alarmed. */
static void
hear_order(struct signing *s, struct task *t, instant now, slice pin, err clock)
{
	t->outcome = clock.kind != OK ? clock : begin(s, t, now, pin);
	if (t->outcome.kind == ERR_WORLD || t->outcome.kind == ERR_CORRUPT)
		t->outcome = fail_why(ERR_BUSY, t->outcome.what, t->outcome.why);
	t->signing = t->signing && t->outcome.kind == OK;
}

/* How many live answers this step may take, beside what the registrar has in it. */
static size_t
live_room(const struct signing *s, size_t tickets)
{
	size_t room = s->live_us <= 0 ? LIVE_STEP_MAX : (size_t)(LIVE_STEP_US / s->live_us);

	if (tickets > 0 && room > tickets)
		room = tickets;
	if (room < LIVE_STEP_LEAST)
		room = s->live_us > LIVE_STEP_US ? 1 : LIVE_STEP_LEAST;
	return room < LIVE_STEP_MAX ? room : LIVE_STEP_MAX;
}

/* The registrar was heard before.  One who speaks wrongly loses his wire, and the others nothing. */
static void
hear_fronts(struct signing *s, instant now, slice pin, err clock, struct task **task, size_t *n)
{
	size_t heard = 0, room = live_room(s, tickets_in(task, *n));

	s->first_front++; /* where there is room for fewer than all, each has its turn */
	for (size_t k = 0; k < s->n_front; k++) {
		/* each its share: one that floods does not keep another out */
		size_t most = heard + (room - heard + s->n_front - k - 1) / (s->n_front - k);
		size_t i = (s->first_front + k) % s->n_front;
		struct link *l = s->front[i];
		struct frame f;
		bool have = true;

		while (heard < most && have && !s->front_wrong[i] && !link_is_full(l)) {
			err e = link_next(l, &have, &f);

			if (e.kind == OK && have)
				e = gate_check(GATE, COUNT(GATE), PEER_FRONT, &s->state, &f);
			if (e.kind != OK) {
				log_err(LOG_ALARM, e);
				s->front_wrong[i] = true;
			} else if (have) {
				task[*n] = task_new(l, &f);
				hear_order(s, task[(*n)++], now, pin, clock);
				heard++;
			}
		}
		s->more = s->more || (heard == most && have);
	}
	if (heard > 0)
		status_live_note(s, task, *n, now);
}

void
signing_refuse_fronts(struct signing *s)
{
	for (size_t i = 0; i < s->n_front; i++) {
		struct frame f;
		bool have = true;

		while (have && !link_is_full(s->front[i]) && !s->front_wrong[i]) {
			if (link_next(s->front[i], &have, &f).kind != OK)
				s->front_wrong[i] = true;
			else if (have)
				link_refuse(s->front[i], &f,
				    fail(ERR_BUSY,
				        "signer-hello: design 3: the registrar did not say hello on this wire, or not rightly"));
		}
	}
}

/* All tickets for one hand of the tasks that are not yet signed, in their order; to be freed. */
static struct ticket **
tickets_of(struct task **task, size_t n, unsigned hand, size_t *count)
{
	struct ticket **ticket;
	size_t at = 0;

	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (task[i]->signing && task[i]->hand == hand)
			*count += task[i]->n;
	if (*count == 0)
		return NULL;
	ticket = mem_new(*count, sizeof(struct ticket *));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < task[i]->n && task[i]->signing && task[i]->hand == hand; k++)
			ticket[at++] = task[i]->ticket[k];
	return ticket;
}

/* The hands begin; hand_sign of sign_round goes on with the very same tickets. */
static void
sign_begin(struct signing *s, struct task **task, size_t n)
{
	for (unsigned hand = 0; hand < STARTER_KEYS_MAX; hand++) {
		size_t count;
		struct ticket **ticket = tickets_of(task, n, hand, &count);

		if (count > 0)
			hand_begin(s->hand[hand], count, ticket); /* spends the tickets, takes no bytes */
		free(ticket);
	}
}

/* One round over one hand. */
static void
sign_round(struct signing *s, struct task **task, size_t n, unsigned hand)
{
	size_t count, at = 0;
	struct ticket **ticket = tickets_of(task, n, hand, &count);
	struct buf *signature;
	err *outcome;

	if (count == 0)
		return;
	signature = mem_new(count, sizeof *signature);
	outcome = mem_new(count, sizeof *outcome);
	for (size_t i = 0; i < count; i++)
		signature[i] = BUF(SIG_MAX);
	hand_sign(s->hand[hand], count, ticket, signature, outcome); /* spends the tickets, takes no bytes */
	at = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < task[i]->n && task[i]->signing && task[i]->hand == hand; k++, at++) {
			task[i]->signed_as[k] = outcome[at];
			buf_drop(&task[i]->signature[k]);
			task[i]->signature[k] = signature[at];
		}
	free(ticket);
	free(signature);
	free(outcome);
}

/* Joins what is there; a task whose hand was lost, or signed wrongly, stays `signing` for the next round. */
static void
join_round(struct signing *s, struct task **task, size_t n, instant now, bool last)
{
	for (size_t i = 0; i < n; i++) {
		struct task *t = task[i];

		if (!t->signing)
			continue;
		if (s->mode == SIGNER_ISSUER)
			issuer_join(s, t, now);
		else
			status_join(s, t);
		if (t->outcome.kind == OK || last || (t->outcome.kind != ERR_BUSY && t->outcome.kind != ERR_WORLD))
			t->signing = false;
	}
}

static void
plan_again(struct signing *s, struct task **task, size_t n, instant now, slice pin)
{
	for (size_t i = 0; i < n; i++) {
		struct task *t = task[i];

		if (!t->signing)
			continue;
		t->outcome = ready(s, t->hand, pin);
		if (t->outcome.kind == OK)
			t->outcome = s->mode == SIGNER_ISSUER ? issuer_plan_again(s, t, now) : status_plan_again(s, t, now);
		t->signing = t->outcome.kind == OK;
	}
}

/* Says whether a hand was lost on the way. */
static bool
sign_all(struct signing *s, struct task **task, size_t n, instant now, slice pin)
{
	bool lost = false;

	for (unsigned round = 0; round < SIGN_ROUNDS; round++) {
		if (round > 0)
			plan_again(s, task, n, now, pin);
		for (unsigned hand = 0; hand < STARTER_KEYS_MAX; hand++)
			sign_round(s, task, n, hand);
		join_round(s, task, n, now, round + 1 == SIGN_ROUNDS);
		for (size_t i = 0; i < n; i++)
			lost = lost || task[i]->signing;
	}
	return lost;
}

/* What a ticket takes, by the last steps: from when the hands got them until they were joined. */
static void
measure(struct signing *s, size_t tickets)
{
	int64_t us;

	if (tickets == 0)
		return;
	us = (clock_steady_us() - s->begun_us) / (int64_t)tickets;
	s->live_us = s->live_us == 0 ? us : (3 * s->live_us + us) / 4;
}

/* The time of a turn is spent on the hand that was lost: what is intended now is finished when it is asked again. */
static void
put_off(struct task **task, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (task[i]->signing) {
			task[i]->signing = false;
			task[i]->outcome =
			    fail(ERR_BUSY, "hand-lost: house: the hand was lost while it signed; the same bytes are signed again");
		}
}

/* --- answers ------------------------------------------------------------------------- */

static void
answer(struct signing *s, struct task *t)
{
	struct link *l = t->from;
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	const struct journal_state *state = journal_state(s->journal);

	if (t->outcome.kind != OK) {
		if (t->outcome.kind == ERR_WORLD || t->outcome.kind == ERR_CORRUPT)
			log_err(LOG_ALARM, t->outcome);
		if (t->kind == ORDER_HELLO && t->answer.n > 0)
			octets_put(&body, buf_slice(&t->answer));
		if (t->kind == ORDER_CHECKPOINT && t->outcome.kind == ERR_CONFLICT)
			/* where the proof must start: the last one signed, whose answer may have been lost */
			head_reply_put(
			    &body, &(struct head_reply){.journal = journal_head(s->journal), .books = state->checkpoint});
		link_put(l, &(struct frame){.kind = t->kind,
		                .id = t->id,
		                .fail = t->outcome.kind,
		                .what = slice_str(t->outcome.what),
		                .body = buf_slice(&body)});
		return;
	}
	if (t->kind == ORDER_CRL_OUT) {
		list_reply_put(&body, &(struct list_reply){.number = s->list->number,
		                          .count = s->list->count,
		                          .bytes = s->list->frame.whole,
		                          .tbs = s->list->tbs,
		                          .journal = journal_head(s->journal)});
		link_put(l, &(struct frame){.kind = t->kind, .id = t->id, .body = buf_slice(&body)});
		return;
	}
	if (t->kind == ORDER_REFRESH) {
		status_give(s, l, t);
		return;
	}
	if (t->kind == ORDER_ISSUE && t->plan.ticket != NULL)
		issue_reply_put(&body, &(struct issue_reply){buf_slice(&t->answer), journal_head(s->journal), state->at});
	else if (t->wants_head) {
		struct head_reply r = {.journal = journal_head(s->journal), .books = state->books};

		if (t->kind == ORDER_HELLO) {
			struct head_order o;
			digest root;

			/* the turn may have added lines: the proof leads to the head that is told */
			if (head_order_get(buf_slice(&t->order), &o).kind == OK &&
			    journal_proof(s->journal, o.journal.size, &root, r.proof, &r.n_proof).kind != OK)
				r.n_proof = 0;
			if (s->responder != NULL)
				r.responder = s->responder->cert.whole;
		}
		head_reply_put(&body, &r);
	} else
		buf_put(&body, buf_slice(&t->answer));
	link_put(l, &(struct frame){.kind = t->kind, .id = t->id, .body = buf_slice(&body)});
}

static void
batch_drop(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		task_drop(b->task[i]);
	b->n = 0;
}

/*
 * One step: the hands sign what the last step heard while this one judges what waits; one commit makes these intents and
 * those results durable together.
 */
static err
step(struct signing *s, struct link *l, instant now, slice pin, err clock, bool last, struct batch *old,
    struct batch *new)
{
	size_t begun = tickets_in(old->task, old->n);

	s->old = old;
	s->heard = new;
	if (!last) { /* a crash before the commit: nothing of these happened */
		TRY(hear(s, l, now, pin, clock, new->task, &new->n));
		hear_fronts(s, now, pin, clock, new->task, &new->n);
		if (s->mode == SIGNER_STATUS) /* its results add no lines: one commit, while the hands sign */
			TRY(journal_commit(s->journal));
	}
	if (sign_all(s, old->task, old->n, now, pin)) /* a crash here: the old intents are finished when asked again */
		put_off(new->task, new->n);
	measure(s, begun);
	TRY(journal_commit(s->journal)); /* new intents are durable: the same bytes and no others, from here on;
	                                    old results are: a crash from here is answered byte for byte */
	for (size_t i = 0; i < old->n; i++)
		answer(s, old->task[i]);
	sign_begin(s, new->task, new->n);
	s->begun_us = clock_steady_us();
	(void)link_flush(l).kind; /* who is gone is seen by the next fill */
	for (size_t i = 0; i < s->n_front; i++)
		(void)link_flush(s->front[i]).kind;
	s->old = s->heard = NULL;
	return ok;
}

static err
turn(struct signing *s, struct link *l, instant now, int64_t steady_ms, slice pin, struct batch batch[2])
{
	struct batch *old = &batch[0], *new = &batch[1], *swap;
	err clock = check_clock(s, now, steady_ms);

	if (clock.kind != OK && !s->clock_held)
		log_err(LOG_ALARM, clock);
	s->clock_held = clock.kind != OK;
	if (clock.kind == OK && !journal_is_dirty(s->journal))
		journal_turn(s->journal, now);
	if (clock.kind == OK && !s->started) {
		journal_add_started(s->journal, s->mode == SIGNER_ISSUER ? LIT("issuer") : LIT("status"));
		s->started = true;
	}
	if (pin.n > 0 && !s->warm) { /* the first PIN: log in now, so that a wrong one shows at once */
		s->warm = true;
		for (size_t i = 0; i < STARTER_KEYS_MAX && s->hand[i] != NULL; i++)
			(void)ready(s, (unsigned)i, pin).kind;
	}
	for (unsigned i = 0; i <= STEPS_MAX; i++) {
		TRY(step(s, l, now, pin, clock, i == STEPS_MAX, old, new));
		batch_drop(old);
		swap = old;
		old = new;
		new = swap;
		if (old->n == 0)
			return s->alone;
		if (i + 1 < STEPS_MAX && link_fill(l).kind != OK)
			i = STEPS_MAX - 1; /* nobody asks any more: what was begun is finished */
		for (size_t k = 0; i + 1 < STEPS_MAX && k < s->n_front; k++)
			(void)link_fill(s->front[k]).kind; /* who is gone is seen by the next wait */
	}
	s->more = true; /* orders may wait that this turn did not hear */
	return s->alone;
}

/* Who ended before it leaves the base; the status signer, which has no profile, lets nobody go. */
static instant
revoked_end(const struct signing *s, instant now)
{
	if (s->profile == NULL || s->profile->crl_expired)
		return (instant){INSTANT_MIN_MS};
	return (instant){now.ms - REVOKED_KEEP_MS};
}

err
signing_turn(struct signing *s, struct link *registrar, instant now, int64_t steady_ms, slice pin)
{
	struct batch batch[2] = {0};
	err e = turn(s, registrar, now, steady_ms, pin, batch), tended;

	s->old = s->heard = NULL;
	batch_drop(&batch[0]);
	batch_drop(&batch[1]);
	TRY(e);
	if (s->list != NULL && steady_ms - s->list_at > LIST_IDLE_MS)
		issuer_list_end(s);
	tended = journal_tend(s->journal);
	if (tended.kind == OK && s->list == NULL)
		tended = journal_tend_revoked(s->journal, s->revoked, revoked_end(s, now));
	if (tended.kind == OK && s->known != NULL)
		tended = journal_tend_known(s->journal, s->known, (instant){now.ms - REVOKED_KEEP_MS});
	if (tended.kind != OK)
		log_err(LOG_WARN, tended); /* it follows from the lines: tried again next turn */
	return ok;
}
