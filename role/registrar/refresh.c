#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * The wheel: every OCSP answer made anew once in ROUND_MS (B-11).
 *
 * The serials stand on a circle, 4000… to 7FFF…, and the wheel's hand goes round it once in ROUND_MS by the clock: the
 * time alone says which serials are due.  Serials are drawn at random, so the work is the same in every hour, and nothing
 * is kept for each certificate.  The books say up to which time all was served (ledger.wheel, the `due` of a refresh's
 * entry); who comes back after an outage goes on from there as fast as the key signs.
 *
 * A range is asked of the signer, which answers what it knows of it; held against the books' own rows: "good" about what
 * was revoked meanwhile is thrown away, what the signer did not say is shown to it with its certificate (missing), with
 * the new ones.  The publisher gathers ranges before readers see them, then the entry is made: a crash loses no more than
 * work.
 */
#define STEPS 64 /* of a round at least: a small house makes so many entries, none without an answer */
#define LATE_MS 20000
#define LOW8 INT64_C(0x4000000000000000)

/* The place on the circle at a time; its fraction has 36 bits. */
static int64_t
place_at(instant v)
{
	uint64_t m = (uint64_t)(v.ms % ROUND_MS);

	return LOW8 | (int64_t)(((m << 36) / (uint64_t)ROUND_MS) << 26);
}

/* The last moment at which the wheel had not gone beyond the place, within the round of `v`. */
static instant
time_of(int64_t place, instant v)
{
	uint64_t f = place < LOW8 ? 0 : ((uint64_t)(place - LOW8) >> 26) & ((UINT64_C(1) << 36) - 1);

	return (instant){v.ms - v.ms % ROUND_MS + (int64_t)((f * (uint64_t)ROUND_MS) >> 36)};
}

/* The highest serial with these first eight bytes. */
static serial
serial_at(int64_t place)
{
	serial s = {.n = 16};

	for (int i = 0; i < 8; i++)
		s.b[i] = (uint8_t)((uint64_t)place >> (56 - 8 * i));
	memset(s.b + 8, 0xFF, 8);
	return s;
}

static void
set_place(struct wheel *w, instant v)
{
	bool start = v.ms % ROUND_MS == 0;

	w->at = v;
	w->after8 = start ? INT64_MIN : place_at(v);
	w->after = start ? (serial){0} : serial_at(w->after8);
}

static void
forget(struct wheel *w, size_t i)
{
	free(w->batch[i].row);
	memmove(&w->batch[i], &w->batch[i + 1], (w->n - i - 1) * sizeof w->batch[0]);
	w->n--;
}

void
refresh_reset(struct registrar *r)
{
	while (r->wheel.n > 0)
		forget(&r->wheel, r->wheel.n - 1);
	r->wheel.at = (instant){0};
	r->wheel.told = false;
}

static void
put_off(struct registrar *r)
{
	refresh_reset(r);
	r->wheel.again = r->seen_steady + 1000;
}

/* What the publisher holds back shall be seen now; it says whether answers were lost. */
static void
ask_publisher(struct registrar *r, bool whole)
{
	r->wheel.question = ++r->generations;
	slots_part_put(body_new(r),
	    &(struct slots_part){
	        .last = true, .whole = whole, .produced = r->now, .this_update = r->now, .next_update = r->now});
	turn_order(r, PEER_PUBLISHER, 0, ORDER_RENEWED, r->wheel.question, buf_slice(&r->body));
}

void
refresh_ask_lost(struct registrar *r)
{
	ask_publisher(r, false);
}

static uint64_t
certificates(const struct registrar *r)
{
	const struct db_counts *c = db_counts(r->db);

	return c->state[DOSSIER_ISSUED] + c->state[DOSSIER_DELIVERED] + c->state[DOSSIER_RECEIPTED] +
	       c->state[DOSSIER_REVOKED];
}

static bool
is_worth(const struct registrar *r)
{
	const struct wheel *w = &r->wheel;
	uint64_t lag = (uint64_t)(r->now.ms - w->at.ms);

	return (w->whole && w->at.ms < w->whole_until.ms) || lag >= ROUND_MS / STEPS ||
	       lag * certificates(r) / ROUND_MS >= REFRESH_MAX;
}

static void
start(struct registrar *r)
{
	instant v = db_ledger(r->db)->wheel;

	if (v.ms > r->now.ms)
		v = r->now;
	if (r->wheel.whole || v.ms < r->now.ms - ROUND_MS)
		v.ms = r->now.ms - ROUND_MS;
	if (r->wheel.whole)
		r->wheel.whole_until = r->now;
	set_place(&r->wheel, v);
}

static void
ask_signer(struct registrar *r, struct refresh_batch *b)
{
	struct refresh_order o = {.now = instant_floor_second(r->now), .after = b->after, .upto = b->upto};

	o.next_update = instant_floor_second((instant){r->now.ms + ANSWER_LIFE_MS});
	b->this_update = o.now;
	b->next_update = o.next_update;
	b->id = ++r->generations;
	b->asked_at = r->seen_steady;
	hash_start(&b->hash);
	refresh_order_put(body_new(r), &o);
	turn_order(r, PEER_STATUS, 0, ORDER_REFRESH, b->id, buf_slice(&r->body));
}

/* The next range of what is due; none of it issued: the hand goes on. */
static err
next_range(struct registrar *r)
{
	struct wheel *w = &r->wheel;
	instant end = {w->at.ms - w->at.ms % ROUND_MS + ROUND_MS}, due;
	struct refresh_batch b = {.after = w->after, .after8 = w->after8};
	int64_t first, last;
	bool has, many;

	due = end.ms > r->now.ms ? r->now : end;
	b.upto8 = due.ms == end.ms ? INT64_MAX : place_at(due);
	TRY(db_after(r->db, w->after8, 0, &has, &first));
	TRY(db_after(r->db, w->after8, REFRESH_MAX - 1, &many, &last));
	if (has && first <= b.upto8) {
		if (many && last < b.upto8) {
			b.upto8 = last;
			due = time_of(last, w->at);
			due = due.ms < w->at.ms ? w->at : due;
		}
		b.upto = b.upto8 == INT64_MAX ? (serial){0} : serial_at(b.upto8);
		b.due = due;
		ask_signer(r, &b);
		w->batch[w->n++] = b;
	}
	w->at = due;
	w->after8 = b.upto8;
	w->after = serial_at(b.upto8);
	if (due.ms == end.ms)
		set_place(w, end);
	return ok;
}

static size_t
asked(const struct wheel *w, int64_t *since)
{
	size_t n = 0;

	for (size_t i = w->n; i > 0 && !w->batch[i - 1].sent; i--, n++)
		*since = w->batch[i - 1].asked_at;
	return n;
}

err
refresh_tend(struct registrar *r)
{
	struct wheel *w = &r->wheel;
	int64_t since = r->seen_steady;

	if (asked(w, &since) > 0 && r->seen_steady - since > LATE_MS)
		put_off(r);
	if (r->status.step != SIGNER_READY || !status_can_send(r, PEER_STATUS) || !status_can_send(r, PEER_PUBLISHER) ||
	    r->seen_steady < w->again)
		return ok;
	if (w->at.ms == 0 || w->at.ms > r->now.ms)
		start(r);
	while (w->n < BATCHES_MAX && w->n_missing + (BATCHES_ASKED + 1) * REFRESH_MAX <= MISSING_MAX &&
	       asked(w, &since) < BATCHES_ASKED && is_worth(r))
		TRY(next_range(r));
	if ((w->whole || w->n == BATCHES_MAX) && !w->told && !is_worth(r) && asked(w, &since) == 0 && w->n_missing == 0) {
		w->told = true;
		ask_publisher(r, w->whole);
	}
	return ok;
}

/* --- the signer's word, held against the books' --------------------------------------------- */
static struct refresh_batch *
batch_of(struct registrar *r, uint64_t id)
{
	for (size_t i = 0; i < r->wheel.n; i++)
		if (r->wheel.batch[i].id == id)
			return &r->wheel.batch[i];
	return NULL;
}

/* Issued, answered before, not ended, and the signer does not say so: its certificate is shown. */
static void
miss(struct registrar *r, const struct serial_row *row)
{
	if (row->issued && !row->due && row->not_after.ms >= r->now.ms && r->wheel.n_missing < MISSING_MAX)
		r->wheel.missing[r->wheel.n_missing++] = row->serial;
}

/* Rows below the serial were not said; true: its own row is under the hand, and agrees. */
static bool
agrees(struct registrar *r, struct refresh_batch *b, const struct answer_row *a)
{
	const struct serial_row *row;

	while (b->at < b->n_rows && serial_cmp(b->row[b->at].serial, a->serial) < 0)
		miss(r, &b->row[b->at++]);
	if (b->at == b->n_rows || !serial_eq(b->row[b->at].serial, a->serial))
		return false;
	row = &b->row[b->at++];
	return row->issued && row->revoked == a->revoked;
}

static err
load_rows(struct registrar *r, struct refresh_batch *b)
{
	if (b->row != NULL)
		return ok;
	b->row = mem_new(2 * REFRESH_MAX, sizeof *b->row); /* some were ordered since */
	return db_range(r->db, b->after8, b->upto8, b->row, 2 * REFRESH_MAX, &b->n_rows);
}

err
refresh_part(struct registrar *r, const struct frame *x)
{
	struct refresh_batch *b = batch_of(r, x->id);
	struct slots_part p;
	size_t n = 0;

	if (b == NULL || b->sent)
		return ok;
	if (x->fail != OK) {
		log_what(LOG_WARN, "status", x->what);
		put_off(r);
		return ok;
	}
	TRY(slots_part_get(x->body, &p));
	TRY(load_rows(r, b));
	for (size_t i = 0; i < p.n; i++)
		if (agrees(r, b, &p.slot[i]))
			p.slot[n++] = p.slot[i];
	p.n = n;
	p.whole = false;
	b->n += n;
	while (p.last && b->at < b->n_rows)
		miss(r, &b->row[b->at++]);
	if (n > 0 || (p.last && b->n > 0)) {
		slots_part_put(body_new(r), &p);
		hash_add(&b->hash, buf_slice(&r->body));
		turn_order(r, PEER_PUBLISHER, 0, ORDER_RENEWED, b->id, buf_slice(&r->body));
	}
	if (!p.last)
		return ok;
	free(b->row);
	b->row = NULL;
	b->sent = true;
	if (b->n == 0)
		forget(&r->wheel, (size_t)(b - r->wheel.batch));
	return ok;
}

static err
enter(struct registrar *r, struct refresh_batch *b)
{
	struct entry e = entry_of(r, ACT_OCSP_PUBLISHED);

	if (turn_open_check(r).kind != OK)
		return ok;
	e.line.by = BY_STATUS;
	e.line.by_id = LIT("status");
	e.this_update = b->this_update;
	e.next_update = b->next_update;
	e.answers = hash_end(&b->hash);
	e.count = b->n;
	e.after = b->after;
	e.upto = b->upto;
	e.due = b->due;
	return turn_enter(r, &e, NULL);
}

err
refresh_published(struct registrar *r, const struct frame *x)
{
	struct refresh_batch *b = batch_of(r, x->id);
	struct renewed_reply reply = {0};

	if (b == NULL && x->id != r->wheel.question)
		return ok;
	if (x->fail != OK) {
		log_what(LOG_WARN, "publisher", x->what);
		put_off(r);
		return ok;
	}
	if (x->body.n > 0)
		TRY(renewed_reply_get(x->body, &reply));
	if (b != NULL) {
		TRY(enter(r, b));
		forget(&r->wheel, (size_t)(b - r->wheel.batch));
	} else
		r->wheel.told = false;
	if (!reply.lost)
		r->wheel.whole = r->wheel.whole && x->id != r->wheel.question;
	else if (!r->wheel.whole) {
		log_text(LOG_ALARM, "status-lost: design 3: published answers were lost; all are made anew");
		refresh_reset(r);
		r->wheel.whole = true;
	}
	return ok;
}
