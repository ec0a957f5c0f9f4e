#include "edge/log.h"
#include "pki/ocsp.h"
#include "role/registrar/registrar.h"

/*
 * What relying parties see (Rule 6(xi)): OCSP answers; lists and checkpoints are lists.c's and note.c's.
 * Each goes signer → publisher → books: an entry says "published" once it is.
 * What was asked and lost is still owed by the books, and asked again.
 */
#define ANSWERS_IDLE_MS 5    /* between batches while no certificate waits at the issuer */
#define ANSWERS_BUSY_MS 1000 /* … and while some do: status must not slow issuance       */
#define IDLE_MS 50           /* between looks at what may have become due            */
#define LATE_MS 20000        /* an order without a result: asked again                   */

bool
status_can_send(struct registrar *r, enum peer peer)
{
	const struct link *l = link_of(r, peer, 0);

	return l != NULL && !link_is_full(l);
}

/* The path below the repository: what our own profile's URI says after the host. */
slice
status_path(slice uri, slice otherwise)
{
	slice rest = uri, part;

	if (!slice_cut(&rest, ':', &part) || !slice_has_prefix(rest, LIT("//")))
		return otherwise;
	rest = (slice){rest.p + 2, rest.n - 2};
	return slice_cut(&rest, '/', &part) && rest.n > 0 ? rest : otherwise;
}

void
status_send_file(struct registrar *r, slice path, uint64_t id, slice bytes)
{
	struct file_order o = {.path = path};

	do {
		o.part.bytes = (slice){bytes.p, bytes.n < PART_BYTES ? bytes.n : PART_BYTES};
		bytes = (slice){bytes.p + o.part.bytes.n, bytes.n - o.part.bytes.n};
		o.part.last = bytes.n == 0;
		file_order_put(body_new(r), &o);
		turn_order(r, PEER_PUBLISHER, 0, ORDER_FILE, id, buf_slice(&r->body));
		o.part.number++;
	} while (!o.part.last);
}

/* --- OCSP answers ------------------------------------------------------------------- */
static bool
answers_due_now(const struct registrar *r)
{
	int64_t apart = r->issuer.orders > 0 || r->flights > 0 ? ANSWERS_BUSY_MS : ANSWERS_IDLE_MS;

	return r->revoked_told || r->seen_steady - r->pub.answers_at >= apart;
}

void
status_forget_answers(struct registrar *r)
{
	for (size_t i = 0; i < ANSWERS_ORDERS; i++)
		r->pub.batch[i].id = 0;
	r->pub.has_taken = r->pub.more_due = r->pub.again = false;
}

static struct answers_batch *
batch_of(struct registrar *r, uint64_t id)
{
	for (size_t i = 0; i < ANSWERS_ORDERS; i++)
		if (r->pub.batch[i].id == id)
			return &r->pub.batch[i];
	return NULL;
}

/* What was revoked while "good" was on its way is due behind it. */
static void
end_batch(struct registrar *r, struct answers_batch *b)
{
	b->id = 0;
	r->revoked_told = r->revoked_told || r->pub.again;
	r->pub.again = false;
}

static size_t
batches(const struct registrar *r)
{
	size_t n = 0;

	for (size_t i = 0; i < ANSWERS_ORDERS; i++)
		n += r->pub.batch[i].id != 0;
	return n;
}

bool
status_awaits_lines(const struct registrar *r)
{
	return batches(r) > 0 || r->lists.stage != LISTS_REST || r->wheel.n > 0;
}

static bool
is_asked(const struct registrar *r, serial s)
{
	for (size_t i = 0; i < ANSWERS_ORDERS; i++)
		for (size_t k = 0; r->pub.batch[i].id != 0 && k < r->pub.batch[i].n_asked; k++)
			if (serial_eq(r->pub.batch[i].asked[k], s))
				return true;
	return false;
}

/* One certificate more for the order. */
static err
take(struct registrar *r, const struct record *d, struct answers_order *o, struct answers_batch *b, struct buf *bytes)
{
	struct buf one OWNED(buf_drop) = BUF(CERT_MAX);

	TRY(flight_load(r, d, NULL, &one));
	buf_put(bytes, buf_slice(&one));
	b->asked[b->n_asked++] = d->d.serial;
	o->certificate[o->n++].n = one.n;
	return ok;
}

/*
 * The batch: what is due and durable; a revoked one only after the signer has it in its set, and none that has ended.  Those
 * that wait are passed over, so that nobody's answer stands behind them for ever; those on their way too.  *whole: the end was
 * reached; else the next turn goes on behind the last that was looked at.
 */
static err
gather_due(struct registrar *r, struct answers_order *o, struct answers_batch *b, struct buf *bytes, bool *whole)
{
	struct record d[ANSWERS_MAX];

	*whole = false;
	for (size_t left = r->pub.look_most; !*whole && left > 0 && o->n < ANSWERS_MAX;) {
		size_t want = left < ANSWERS_MAX ? left : ANSWERS_MAX, n;

		TRY(db_due(r->db, r->now, r->pub.has_taken ? &r->pub.taken : NULL, d, want, &n));
		left -= n;
		*whole = n < want;
		for (size_t i = 0; i < n && o->n < ANSWERS_MAX; i++) {
			r->pub.taken = d[i];
			r->pub.has_taken = true;
			if (is_asked(r, d[i].d.serial)) {
				r->pub.again = r->pub.again || d[i].d.state == DOSSIER_REVOKED;
				continue;
			}
			if (d[i].d.state == DOSSIER_REVOKED ? !signer_has_heard(&r->status, &d[i].d)
			                                    : r->now.ms > d[i].d.not_after.ms)
				continue;
			TRY(take(r, &d[i], o, b, bytes));
		}
	}
	return ok;
}

/* Then those whose answers the signer makes no more, since it lost what it knew. */
static err
gather_missing(struct registrar *r, struct answers_order *o, struct answers_batch *b, struct buf *bytes)
{
	while (r->wheel.n_missing > 0 && o->n < ANSWERS_MAX) {
		struct record d;

		TRY(db_serial(r->db, r->wheel.missing[--r->wheel.n_missing], &d));
		if (is_asked(r, d.d.serial) || (d.d.state == DOSSIER_REVOKED && !signer_has_heard(&r->status, &d.d)))
			continue;
		TRY(take(r, &d, o, b, bytes));
	}
	return ok;
}

static err
ask_answers(struct registrar *r, struct answers_batch *b)
{
	struct buf bytes OWNED(buf_drop) = BUF(ANSWERS_MAX * CERT_MAX);
	struct answers_order o = {.now = instant_floor_second(r->now),
	    .next_update = instant_floor_second((instant){r->now.ms + ANSWER_LIFE_MS})};
	size_t at = 0;
	bool whole;

	*b = (struct answers_batch){.asked_at = r->seen_steady, .this_update = o.now, .next_update = o.next_update};
	TRY(gather_due(r, &o, b, &bytes, &whole));
	TRY(gather_missing(r, &o, b, &bytes));
	TRY(buf_check(&bytes));
	r->pub.more_due = o.n == ANSWERS_MAX;
	if (!r->pub.more_due && whole)
		r->pub.has_taken = false; /* from the first again */
	if (o.n == 0)
		return ok;
	for (size_t i = 0; i < o.n; at += o.certificate[i++].n)
		o.certificate[i].p = bytes.p + at;
	b->id = ++r->generations;
	answers_order_put(body_new(r), &o);
	turn_order(r, PEER_STATUS, 0, ORDER_ANSWERS, b->id, buf_slice(&r->body));
	return ok;
}

static bool
may_ask(struct registrar *r)
{
	return r->status.step == SIGNER_READY && !r->pub.withdraw_again && batches(r) < ANSWERS_ORDERS &&
	       status_can_send(r, PEER_STATUS) && status_can_send(r, PEER_PUBLISHER);
}

int
status_timeout_ms(struct registrar *r)
{
	if (!may_ask(r) || (!r->revoked_told && !r->pub.more_due))
		return IDLE_MS;
	return r->revoked_told ? 0 : ANSWERS_IDLE_MS;
}

static err
answers_tend(struct registrar *r)
{
	bool busy = r->issuer.orders > 0 || r->flights > 0;

	for (size_t i = 0; i < ANSWERS_ORDERS; i++)
		if (r->pub.batch[i].id != 0 && r->seen_steady - r->pub.batch[i].asked_at > LATE_MS)
			r->pub.batch[i].id = 0;
	if (!may_ask(r) || !answers_due_now(r) || (busy && batches(r) > 0 && !r->revoked_told))
		return ok;
	if (r->revoked_told) /* they stand before all others */
		r->pub.has_taken = false;
	r->pub.answers_at = r->seen_steady;
	r->revoked_told = false;
	do {
		TRY(ask_answers(r, batch_of(r, 0)));
	} while (r->pub.more_due && !busy && may_ask(r));
	return ok;
}

/* "good" about a certificate that was revoked while the answer was being made is thrown away. */
static err
is_stale(struct registrar *r, const struct answers_reply *a, size_t i, bool *stale, bool *good)
{
	struct ocsp_answer answer;
	struct record d;

	TRY(ocsp_answer_get(a->answer[i], &answer));
	TRY(db_serial(r->db, a->serial[i], &d));
	*good = answer.status == OCSP_GOOD;
	*stale = answer.error != 0 || !serial_eq(answer.serial, a->serial[i]) ||
	         (d.d.state == DOSSIER_REVOKED && answer.status != OCSP_REVOKED);
	return ok;
}

static void
put_off(struct registrar *r, struct answers_batch *b, const struct frame *x, const char *who)
{
	log_what(LOG_WARN, who, x->what);
	end_batch(r, b);
	r->pub.has_taken = r->pub.more_due = false;
	r->pub.answers_at = r->seen_steady + 1000;
}

static err
answers_result(struct registrar *r, const struct frame *x)
{
	struct answers_batch *b = x->id == 0 ? NULL : batch_of(r, x->id);
	struct answers_reply a, out = {0};
	struct hash h;

	if (b == NULL || b->sent)
		return ok;
	if (x->fail != OK) {
		put_off(r, b, x, "status");
		return ok;
	}
	TRY(answers_reply_get(x->body, &a));
	hash_start(&h);
	for (size_t i = 0; i < a.n; i++) {
		bool stale, good;

		TRY(is_stale(r, &a, i, &stale, &good));
		if (stale)
			continue;
		b->good[out.n] = good;
		out.serial[out.n] = b->serials[out.n] = a.serial[i];
		out.this_update[out.n] = a.this_update[i];
		out.next_update[out.n] = a.next_update[i];
		out.answer[out.n++] = a.answer[i];
		hash_add(&h, a.answer[i]);
	}
	b->answers = hash_end(&h);
	b->n = out.n;
	if (out.n == 0) {
		end_batch(r, b);
		return ok;
	}
	b->sent = true;
	answers_reply_put(body_new(r), &out);
	turn_order(r, PEER_PUBLISHER, 0, ORDER_SLOTS, b->id, buf_slice(&r->body));
	return ok;
}

static err
slots_result(struct registrar *r, const struct frame *x)
{
	struct answers_batch *b = x->id == 0 ? NULL : batch_of(r, x->id);
	struct entry e = entry_of(r, ACT_OCSP_PUBLISHED);

	if (b == NULL || !b->sent)
		return ok;
	if (x->fail != OK) {
		put_off(r, b, x, "publisher");
		return ok;
	}
	end_batch(r, b);
	if (turn_open_check(r).kind != OK)
		return ok;
	e.line.by = BY_STATUS;
	e.line.by_id = LIT("status");
	e.this_update = b->this_update;
	e.next_update = b->next_update;
	e.answers = b->answers;
	for (size_t i = 0; i < b->n; i++) {
		struct record d;

		/* revoked while it was on its way: withdrawn behind it, and still due */
		TRY(db_serial(r->db, b->serials[i], &d));
		if (d.d.state != DOSSIER_REVOKED || !b->good[i])
			e.serials[e.n_serials++] = b->serials[i];
	}
	return e.n_serials == 0 ? ok : turn_enter(r, &e, NULL);
}

/* --- withdrawals --------------------------------------------------------------------- */
/*
 * What is revoked in the books and not answered so yet: the publisher may have been away when it was told, or have died with
 * it, or the registrar before it told it; and the signers may be away for hours.  All of it before any answer is asked for.
 */
#define WITHDRAW_AGAIN_MS 1000

static err
withdrawals_tend(struct registrar *r)
{
	struct record d[DB_LIST_MAX];
	size_t n;

	if (r->pub.withdraw_at != 0 && r->seen_steady >= r->pub.withdraw_at) {
		r->pub.withdraw_at = 0;
		r->pub.withdraw_again = true;
		r->pub.withdrawn = (struct record){0};
	}
	if (!r->pub.withdraw_again || !status_can_send(r, PEER_PUBLISHER))
		return ok;
	TRY(db_due(r->db, DUE_REVOKED, r->pub.withdrawn.due.ms == 0 ? NULL : &r->pub.withdrawn, d, COUNT(d), &n));
	for (size_t i = 0; i < n; i++) {
		serial_order_put(body_new(r), &(struct serial_order){d[i].d.serial});
		turn_order(r, PEER_PUBLISHER, 0, ORDER_WITHDRAW, 0, buf_slice(&r->body));
		r->pub.withdrawn = d[i];
	}
	r->pub.withdraw_again = n == COUNT(d);
	return ok;
}

/* --- the publisher --------------------------------------------------------------------------- */
/* A new wire: our certificate and texts; the last checkpoint with its tiles, which a crash may have kept from it, follows. */
void
publisher_fresh(struct registrar *r)
{
	status_forget_answers(r);
	note_forget(r);
	r->pub.withdraw_again = true;
	r->pub.withdraw_at = 0;
	r->pub.withdrawn = (struct record){0};
	refresh_reset(r);
	refresh_ask_lost(r);
	lapse_fresh(r);
	r->lists.stage = LISTS_REST;
	status_send_file(r, status_path(r->profile->ca_issuers, LIT("ca/issuer.cer")), ++r->generations,
	    buf_slice(&r->trust->issuer_der));
	keys_publish(r);
	texts_publish(r);
}

err
publisher_result(struct registrar *r, const struct frame *x)
{
	switch (x->kind) {
	case ORDER_SLOTS:
		return slots_result(r, x);
	case ORDER_RENEWED:
		return refresh_published(r, x);
	case ORDER_LAPSE:
		return lapse_result(r, x);
	case ORDER_LIST_TIMES:
		return lapse_list_result(r, x);
	case ORDER_FILE:
		keys_published(r, x);
		return note_is_tile(r, x) ? ok : lists_published(r, x);
	case ORDER_TILES:
		note_published(r, x);
		break;
	default:
		break;
	}
	if (x->fail != OK) {
		log_what(LOG_WARN, "publisher", x->what);
		if (x->kind == ORDER_WITHDRAW && r->pub.withdraw_at == 0) /* else it is told again at its next start alone */
			r->pub.withdraw_at = r->seen_steady + WITHDRAW_AGAIN_MS;
	}
	return ok;
}

err
status_result(struct registrar *r, const struct frame *x)
{
	switch (x->kind) {
	case ORDER_ANSWERS:
		return answers_result(r, x);
	case ORDER_REFRESH:
		return refresh_part(r, x);
	case ORDER_CHECKPOINT:
		return note_result(r, x);
	default:
		return ok;
	}
}

err
status_tend(struct registrar *r)
{
	if (turn_open_check(r).kind != OK)
		return ok;
	TRY(signer_tell_revoked(r));
	TRY(withdrawals_tend(r));
	TRY(lists_tend(r));
	TRY(note_tend(r));
	TRY(answers_tend(r)); /* new ones and revoked ones before those that are made anew */
	return refresh_tend(r);
}
