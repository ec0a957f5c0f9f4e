
#include "edge/clock.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

/* --- the gate: what is heard, from whom, how long ------------------------------------- */
enum { OPEN = 0 };
static const struct gate GATE[] = {
    {ORDER_CHALLENGE, PEER_FRONT, GATE_ANY, 0, GATE_STAY},
    {ORDER_APPLY, PEER_FRONT, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_DOSSIER, PEER_FRONT, GATE_ANY, 256, GATE_STAY},
    {ORDER_FETCH, PEER_FRONT, GATE_ANY, 256, GATE_STAY},
    {ORDER_RECEIPT, PEER_FRONT, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_REVOKE, PEER_FRONT, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_WITHDRAWN, PEER_FRONT, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_SERIAL, PEER_FRONT, GATE_ANY, 256, GATE_STAY},
    {ORDER_NUMBERS, PEER_FRONT, GATE_ANY, NUMBERS_BYTES, GATE_STAY},
    {ORDER_TRUST, PEER_VERIFIER, GATE_ANY, 256, GATE_STAY},
    {ORDER_CRL_IN, PEER_VERIFIER, GATE_ANY, 1024, GATE_STAY},
    {ORDER_VERIFY, PEER_VERIFIER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_HELLO, PEER_ISSUER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_RULES, PEER_ISSUER, GATE_ANY, 256, GATE_STAY},
    {ORDER_CRL_IN, PEER_ISSUER, GATE_ANY, 1024, GATE_STAY},
    {ORDER_ISSUE, PEER_ISSUER, GATE_ANY, CERT_MAX + 1024, GATE_STAY},
    {ORDER_VOID, PEER_ISSUER, GATE_ANY, 8192, GATE_STAY},
    {ORDER_REVOKED, PEER_ISSUER, GATE_ANY, 8192, GATE_STAY},
    {ORDER_CRL_OUT, PEER_ISSUER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_CRL_PART, PEER_ISSUER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_HELLO, PEER_STATUS, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_RULES, PEER_STATUS, GATE_ANY, 256, GATE_STAY},
    {ORDER_CRL_IN, PEER_STATUS, GATE_ANY, 1024, GATE_STAY},
    {ORDER_REVOKED, PEER_STATUS, GATE_ANY, 8192, GATE_STAY},
    {ORDER_ANSWERS, PEER_STATUS, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_REFRESH, PEER_STATUS, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_CHECKPOINT, PEER_STATUS, GATE_ANY, 8192, GATE_STAY},
    {ORDER_FILE, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_SLOTS, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_RENEWED, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_WITHDRAW, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_LAPSE, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_LIST_TIMES, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_TILES, PEER_PUBLISHER, GATE_ANY, 256, GATE_STAY},
    {ORDER_CALL, PEER_MESSENGER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_MAIL, PEER_MESSENGER, GATE_ANY, 256, GATE_STAY},
    {ORDER_MIRRORS, PEER_MESSENGER, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_NUMBERS, PEER_MESSENGER, GATE_ANY, NUMBERS_BYTES, GATE_STAY},
    {ORDER_OFFICE, PEER_OFFICE, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_STATE, PEER_OFFICE, GATE_ANY, 0, GATE_STAY},
};

/* --- the clock: design law 9 ------------------------------------------------------------------ */
#define BEHIND_MS 1000 /* less is waited for: a busy turn may end a moment before the clock's next tick */

static void
look_at_clock(struct registrar *r)
{
	instant wall = clock_now();
	int64_t steady = clock_steady_ms(), expected;
	err was = r->clock_closed;

	if (!r->looked && wall.ms >= r->last_at.ms - BEHIND_MS) { /* one that stands behind is no beginning */
		bool off = r->last_at.ms != 0 && wall.ms - r->last_at.ms >= CLOCK_OFF_MS;

		r->looked = true;
		if (off || r->seen.ms == 0 || r->seen.ms < r->last_at.ms - BEHIND_MS) { /* nobody looked, or at one behind */
			r->seen = off ? r->last_at : wall;
			r->seen_at = steady;
		}
	}
	expected = r->seen.ms + (steady - r->seen_at);
	r->clock_closed = ok;
	if (wires_confirmed(r->wires)) {
		log_text(LOG_WARN, "clock-confirmed: design law 9: an operator says that the clock is right");
		if (wall.ms >= r->last_at.ms - BEHIND_MS) { /* never one behind the last entry */
			r->seen = wall;
			r->seen_at = steady;
		}
	} else if (wall.ms - expected >= CLOCK_JUMP_MS)
		r->clock_closed = fail(ERR_WORLD, "clock-ahead: design law 9: the clock went an hour ahead at once");
	if (wall.ms < r->last_at.ms - BEHIND_MS)
		r->clock_closed = fail(ERR_WORLD, "clock-behind: design law 9: the clock stands before the last entry");
	if (r->clock_closed.kind == OK) {
		r->seen = wall;
		r->seen_at = steady;
	} else if (was.kind == OK)
		log_err(LOG_ALARM, r->clock_closed);
	if (!r->in_turn) /* one turn has one time */
		r->now = wall;
	r->seen_steady = steady;
}

/* --- links that are new -------------------------------------------------------------------------- */
static struct judge *
verifier_of(struct registrar *r, uint64_t number)
{
	for (size_t i = 0; i < COUNT(r->verifier); i++)
		if (r->verifier[i].known && r->verifier[i].number == number)
			return &r->verifier[i];
	for (size_t i = 0; i < COUNT(r->verifier); i++)
		if (!r->verifier[i].known) {
			r->verifier[i] = (struct judge){.known = true, .number = number};
			return &r->verifier[i];
		}
	return NULL;
}

static void
verifier_fresh(struct registrar *r, uint64_t number)
{
	struct judge *v = verifier_of(r, number);
	struct part p = {0};
	slice rest = buf_slice(&r->files.trust);

	if (v == NULL)
		return;
	flight_forget_verifier(r, number);
	*v = (struct judge){.known = true, .number = number};
	do {
		p.bytes = (slice){rest.p, rest.n < PART_BYTES ? rest.n : PART_BYTES};
		rest = (slice){rest.p + p.bytes.n, rest.n - p.bytes.n};
		p.last = rest.n == 0;
		part_put(body_new(r), &p);
		turn_order(r, PEER_VERIFIER, number, ORDER_TRUST, 1, buf_slice(&r->body));
		p.number++;
	} while (!p.last);
	if (r->jlis.judged && r->jlis.trying == number)
		r->jlis.judged = false; /* the list goes to the next one that is ready */
}

/* What was at a role whose link is gone is owed by the books, not by memory. */
static void
issuer_gone(struct registrar *r)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *f = &r->flight[i];

		if (f->stage == STAGE_ISSUE || f->stage == STAGE_VOID)
			flight_land(r, f);
	}
	r->issuer.orders = 0;
	r->owed.issue_at = 0;
	lists_lost(r);
}

static void
messenger_gone(struct registrar *r)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (r->flight[i].stage == STAGE_JLIS || r->flight[i].stage == STAGE_MAIL)
			flight_land(r, &r->flight[i]);
	if (r->jlis.asking) {
		r->jlis.asking = false;
		r->jlis.which = 0;
		buf_drop(&r->jlis.bytes);
	}
}

static err
link_fresh(struct registrar *r, enum peer peer, uint64_t number)
{
	switch (peer) {
	case PEER_VERIFIER:
		verifier_fresh(r, number);
		return ok;
	case PEER_ISSUER:
		issuer_gone(r);
		return signer_fresh(r, &r->issuer);
	case PEER_STATUS:
		status_forget_answers(r);
		r->pub.note_asked = false;
		refresh_reset(r);
		return signer_fresh(r, &r->status);
	case PEER_PUBLISHER:
		publisher_fresh(r);
		return ok;
	case PEER_MESSENGER:
		messenger_gone(r);
		return ok;
	default:
		return ok;
	}
}

static err
note_links(struct registrar *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_links; i++)
		if (link_of(r, r->link[i].peer, r->link[i].number) != NULL)
			r->link[kept++] = r->link[i];
	r->n_links = kept;
	for (size_t i = 0; i < wires_count(r->wires); i++) {
		const struct link *l = wires_at(r->wires, i);
		enum peer peer = link_peer(l);
		uint64_t number = link_number(l);
		struct known *k = link_known(r, peer, number);

		if (!wires_fresh(r->wires, peer, number) && k != NULL)
			continue;
		if (k == NULL) {
			assert(r->n_links < LINKS_MAX);
			k = &r->link[r->n_links++];
		}
		*k = (struct known){peer, number, ++r->generations};
		TRY(link_fresh(r, peer, number));
	}
	return ok;
}

/* --- messages --------------------------------------------------------------------------------------- */
static err
verified(struct registrar *r, uint64_t number, const struct frame *x)
{
	struct flight *f = flight_of_id(r, x->id);
	struct judge *v = verifier_of(r, number);
	struct facts facts;

	if (v != NULL)
		v->orders -= v->orders > 0;
	if (f == NULL || f->stage != STAGE_VERIFY || f->verifier != number)
		return ok;
	if (x->fail != OK) {
		flight_refuse(r, f, x->fail == ERR_CORRUPT ? ERR_WORLD : x->fail, x->what);
		return ok;
	}
	TRY(facts_get(x->body, &facts));
	switch (f->errand) {
	case ERRAND_APPLY:
	case ERRAND_JUDGE:
	case ERRAND_ISSUE:
		return apply_judged(r, f, &facts);
	case ERRAND_DECIDE:
		return apply_decided(r, f, &facts);
	case ERRAND_RECEIPT:
		return receipt_judged(r, f, &facts);
	case ERRAND_REVOKE:
		return revoke_judged(r, f, &facts);
	case ERRAND_OFFICE:
		return office_judged(r, f, &facts);
	case ERRAND_NOTICE:
		return notice_judged(r, f, &facts);
	case ERRAND_REMIND:
		return watch_judged(r, f, &facts);
	case ERRAND_WITHDRAW:
		return withdraw_judged(r, f, &facts);
	}
	abort();
}

static err
from_verifier(struct registrar *r, uint64_t number, const struct frame *x)
{
	struct judge *v = verifier_of(r, number);
	slice text;

	if (x->kind == ORDER_VERIFY)
		return verified(r, number, x);
	if (x->kind == ORDER_CRL_IN)
		return jlis_crl_result(r, PEER_VERIFIER, number, x);
	if (x->fail != OK || v == NULL || octets_get(x->body, &text).kind != OK ||
	    !slice_eq(text, digest_slice(&r->trust->digest))) {
		log_what(LOG_ALARM, "verifier", x->what);
		return ok;
	}
	v->ready = true;
	return ok;
}

static err
from_messenger(struct registrar *r, const struct frame *x)
{
	struct flight *f = flight_of_id(r, x->id);

	if (x->kind == ORDER_MIRRORS)
		return mirrors_result(r, x);
	if (x->kind == ORDER_NUMBERS)
		return numbers_result(r, x);
	if (x->kind == ORDER_CALL)
		return f != NULL && f->stage == STAGE_JLIS ? jlis_answer(r, f, x) : jlis_part(r, x);
	if (f == NULL || f->stage != STAGE_MAIL)
		return ok;
	return f->errand == ERRAND_REMIND ? watch_result(r, f, x) : notice_result(r, f, x);
}

static err
from_outside(struct registrar *r, const struct caller *c, slice body)
{
	switch (c->kind) {
	case ORDER_CHALLENGE:
		TRY(turn_open_check(r));
		challenge_put(r, body_new(r));
		turn_answer(r, c, buf_slice(&r->body));
		return ok;
	case ORDER_APPLY:
		return apply_order(r, c, body);
	case ORDER_DOSSIER:
		return ask_dossier(r, c, body);
	case ORDER_FETCH:
		return ask_fetch(r, c, body);
	case ORDER_RECEIPT:
		return receipt_order(r, c, body);
	case ORDER_REVOKE:
		return revoke_order(r, c, body);
	case ORDER_WITHDRAWN:
		return withdraw_order(r, c, body);
	case ORDER_SERIAL:
		return ask_serial(r, c, body);
	case ORDER_OFFICE:
		return office_order(r, c, body);
	default:
		return ask_state(r, c);
	}
}

/* One message.  A refusal is an answer; what the world or our own damage refused ends the turn. */
static err
hear(struct registrar *r, const struct known *k, const struct frame *x)
{
	struct caller c = {.peer = k->peer, .number = k->number, .generation = k->generation, .id = x->id, .kind = x->kind};
	err e;

	numbers_heard(r, k->peer, x);
	switch (k->peer) {
	case PEER_VERIFIER:
		return from_verifier(r, k->number, x);
	case PEER_ISSUER:
		return signer_result(r, &r->issuer, x);
	case PEER_STATUS:
		return signer_result(r, &r->status, x);
	case PEER_PUBLISHER:
		return publisher_result(r, x);
	case PEER_MESSENGER:
		return from_messenger(r, x);
	default:
		if (x->kind == ORDER_NUMBERS) {
			numbers_answer(r, link_of(r, k->peer, k->number), x);
			return ok;
		}
		e = from_outside(r, &c, x->body);
		if (e.kind == OK)
			return ok;
		if (r->in_turn && (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT) && turn_open_check(r).kind == OK)
			return e;
		turn_refuse(r, &c, e);
		return ok;
	}
}

/* Frames of one link, while it takes answers.  One gone wrong is closed, not argued with. */
static err
hear_link(struct registrar *r, struct link *l, size_t *left)
{
	const struct known *k = link_known(r, link_peer(l), link_number(l));
	int state = OPEN;
	struct frame x;
	uint64_t before;
	bool have;

	while (*left > 0 && !link_is_full(l)) {
		err e = link_next(l, &have, &x);

		if (e.kind == OK && !have)
			return ok;
		if (e.kind == OK)
			e = gate_check(GATE, COUNT(GATE), (unsigned)k->peer, &state, &x);
		if (e.kind != OK) {
			log_err(LOG_ALARM, e);
			wires_close(r->wires, l);
			return ok;
		}
		(*left)--;
		before = r->effects;
		e = hear(r, k, &x);
		if (e.kind == ERR_INPUT || e.kind == ERR_POLICY || e.kind == ERR_ABSENT || e.kind == ERR_CONFLICT) {
			/*
			 * A helper's result that cannot be read or does not fit what is here: the helper is at fault.  What was asked
			 * of it is asked anew on its next wire; the turn of all the others goes on, unless a part of this is in it.
			 */
			log_err(LOG_ALARM, e);
			wires_close(r->wires, l);
			if (r->effects == before)
				return ok;
			return fail(ERR_WORLD, "helper-fault: house: a helper's result could not be used; its link is closed");
		}
		TRY(e);
	}
	if (*left == 0)
		r->more = true;
	return ok;
}

/*
 * Results wait on their links while lines may not be made of them, until the clock is right or confirmed.  Who asks is
 * always answered.
 */
static bool
is_heard(const struct registrar *r, enum peer peer)
{
	return peer == PEER_FRONT || peer == PEER_OFFICE || turn_open_check(r).kind == OK ||
	       (peer == PEER_PUBLISHER && !status_awaits_lines(r));
}

static err
hear_all(struct registrar *r)
{
	size_t left = TURN_FRAMES_MAX, n = wires_count(r->wires);

	r->more = false;
	if (n == 0)
		return ok;
	r->next_link = (r->next_link + 1) % n;
	for (size_t i = 0; i < n; i++) {
		size_t at = (r->next_link + i) % n;

		if (at < wires_count(r->wires) && is_heard(r, link_peer(wires_at(r->wires, at))))
			TRY(hear_link(r, wires_at(r->wires, at), &left));
	}
	return ok;
}

/* --- the turn ------------------------------------------------------------------------------------------ */
static err
tend(struct registrar *r)
{
	lapse_tend(r); /* also while nothing is taken: what is published grows old all the same */
	if (r->closed.kind != OK || r->clock_closed.kind != OK)
		return ok;
	TRY(office_found(r));
	TRY(signer_tend(r, &r->issuer));
	TRY(signer_tend(r, &r->status));
	TRY(keys_tend(r));
	TRY(jlis_tend(r));
	if (!r->in_turn) { /* only of what is durable */
		jlis_give(r);
		mirrors_tend(r);
		TRY(status_tend(r));
		TRY(apply_owed(r));
		TRY(notice_owed(r));
		TRY(watch_owed(r));
	}
	flight_send_held(r);
	return ok;
}

/*
 * Three syncs a commit: it may wait while it has company coming and the cores are busy without it.  What is entered is seen
 * by what is heard meanwhile; nothing of it leaves before the commit.
 */
static bool
may_gather(const struct registrar *r)
{
	unsigned judging = 0;

	for (size_t i = 0; i < COUNT(r->verifier); i++)
		judging += r->verifier[i].orders;
	return r->in_turn && !r->revoked_now && r->clock_closed.kind == OK && r->issuer.orders >= GATHER_ORDERS &&
	       judging >= GATHER_JUDGED && book_next(r->book) - book_size(r->book) < GATHER_LINES &&
	       r->seen_steady - r->began_at < GATHER_MS;
}

static err
turn(struct registrar *r)
{
	if (wires_watched_ready(r->wires, wires_listener(r->wires, PEER_OFFICE)))
		wires_accept_office(r->wires);
	numbers_tend(r);
	if (!r->in_turn) { /* else it goes on */
		TRY(db_begin(r->db));
		r->began_at = r->seen_steady;
		r->revoked_now = false;
	}
	TRY(note_links(r));
	TRY(tend(r));
	TRY(hear_all(r));
	r->note_soon = r->note_soon || r->revoked_now;
	r->gathering = may_gather(r);
	return r->gathering ? ok : turn_commit(r);
}

/* After a failure: nothing is in memory that the books do not say; they are opened anew before anything is taken. */
static void
fall(struct registrar *r, err why)
{
	const err told = fail(ERR_WORLD, "registrar-closed: design 3: nothing can be made durable now; try again later");

	log_err(LOG_ALARM, why);
	r->fault = why;
	r->fault_at = r->now;
	turn_rollback(r);
	flight_drop_all(r, told);
	turn_rollback(r); /* … and those who waited hear it */
	registrar_close_books(r);
	r->closed = told;
	r->reopen_at = r->seen_steady + REOPEN_EVERY_MS;
}

/* What does not follow from the projection may still follow from the books: it was damaged, or written by another. */
static bool
is_of_projection(err e)
{
	slice what = slice_str(e.what);

	return slice_has_prefix(what, LIT("db-")) || slice_has_prefix(what, LIT("dossier-")) ||
	       slice_has_prefix(what, LIT("ledger-"));
}

/* ERR_CORRUPT: opened anew it is damaged all the same. */
static err
reopen(struct registrar *r)
{
	err e;

	if (r->book != NULL || r->seen_steady < r->reopen_at)
		return ok;
	e = registrar_open_books(r);
	if (e.kind == OK)
		e = office_load_rules(r);
	if (e.kind != OK) {
		log_err(LOG_WARN, e);
		r->fault = e;
		r->fault_at = r->now;
		registrar_close_books(r);
		r->reopen_at = r->seen_steady + REOPEN_EVERY_MS;
		return e.kind == ERR_CORRUPT ? e : ok;
	}
	log_text(LOG_WARN, "registrar-open: design 3: the books are open again");
	r->closed = ok;
	memset(&r->owed, 0, sizeof r->owed);
	status_forget_answers(r);
	r->pub.note_asked = false;
	r->n_links = 0; /* all are new again: what was on its way to them was dropped, late results of before find nobody */
	return ok;
}

/*
 * Rules that were not in force at the start, for the clock was wrong or for the period has only now begun: looked at again
 * until they are.  What was said to signers meanwhile is said again, for nobody listened to their answers.
 */
static void
reload_rules(struct registrar *r)
{
	err e;

	if (r->closed.kind == OK || r->clock_closed.kind != OK || r->in_turn || r->seen_steady < r->reopen_at)
		return;
	r->reopen_at = r->seen_steady + REOPEN_EVERY_MS;
	e = office_load_rules(r);
	if (e.kind != OK) {
		r->closed = fail_why(ERR_WORLD, e.what, e.why);
		return;
	}
	log_text(LOG_WARN, "registrar-open: design 3: the books are open again");
	r->closed = ok;
}

/*
 * Everybody hears why, until the books are open.  What helpers answer meanwhile is let go: their links are new again when the
 * books are open, no flight is left that waits for it, and what a dossier owes is asked again from the books.
 */
static void
refuse_all(struct registrar *r)
{
	for (size_t i = wires_count(r->wires); i-- > 0;) {
		struct link *l = wires_at(r->wires, i);
		struct frame x;
		bool have = true;

		while (link_next(l, &have, &x).kind == OK && have)
			if (link_peer(l) == PEER_OFFICE && x.kind == ORDER_STATE)
				ask_state_closed(r, l, &x);
			else if (link_peer(l) == PEER_FRONT && x.kind == ORDER_NUMBERS)
				numbers_answer(r, l, &x);
			else if (link_peer(l) == PEER_FRONT || link_peer(l) == PEER_OFFICE)
				link_refuse(l, &x, r->closed);
	}
}

err
registrar_turn(struct registrar *r)
{
	err e;

	look_at_clock(r);
	if (r->book == NULL) {
		TRY(reopen(r));
		if (r->book == NULL) {
			wires_accept_office(r->wires);
			refuse_all(r);
			return ok;
		}
	}
	r->late = !r->in_turn && r->now.ms <= r->last_at.ms;
	if (r->late && r->clock_closed.kind == OK)
		return ok; /* this turn would not be later than the last: in a millisecond */
	reload_rules(r);
	e = turn(r);
	if (e.kind == OK)
		return ok;
	if (e.kind == ERR_CORRUPT && is_of_projection(e)) {
		fall(r, e);
		log_text(LOG_ALARM, "db-anew: design 3: the projection is thrown away and made anew from the books");
		db_delete(r->state);
		return ok;
	}
	if (e.kind == ERR_CORRUPT) {
		turn_rollback(r);
		return e;
	}
	fall(r, e);
	return ok;
}

#define REST_MS 100 /* when all there is to do comes by a link, or nothing may be done */

int
registrar_timeout_ms(struct registrar *r)
{
	int answers = status_timeout_ms(r);

	if (r->book == NULL) /* what was to come soon waits for the books */
		return REST_MS;
	if (r->gathering || (r->late && r->clock_closed.kind == OK))
		return 1;
	if (r->more || lapse_is_due(r))
		return 0;
	if (turn_open_check(r).kind != OK) /* … and for rules and clock */
		return REST_MS;
	if (r->revoked_now || r->shows.soon)
		return 0;
	if (answers == 0 || (r->issuer.orders == 0 && r->flights == 0))
		return answers;
	return REST_MS;
}
