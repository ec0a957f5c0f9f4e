#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * How long what is published stays good (Rule 6(xi), B-11): which answer lapses first, and which list.
 *
 * The publisher sees what readers get, and no notAfter; the books know which certificates are still to be asked about.  So it
 * is asked, once a second, for the first "good" that lapses behind all that we know to have ended; where its certificate has
 * ended or is revoked the question goes on behind it at once, until one is found that counts.  It is exact, and nothing is
 * kept for a certificate.  The lists are read once, when the publisher's wire is new; later ones are told when they are
 * published.  A new publisher may stand before the repository of an older day: all is asked anew, and what was known stands
 * until it is answered.
 */
#define ASK_EVERY_MS 1000
#define LATE_MS 20000
#define QUESTIONS_MAX 1000 /* a second: of a walk over what has ended */
/*
 * Where the first question begins: answers that lapsed longer ago are those of certificates that had ended, or five rounds of
 * the wheel were missed.  What stands before it is not walked over at each start.
 */
#define BACK_MS (5 * ROUND_MS - ANSWER_LIFE_MS)

static size_t
list_count(const struct registrar *r)
{
	return 1 + (size_t)r->profile->crl_partitions + (r->profile->crl_delta.n > 0);
}

/* List i of them: of all, partition 1 …, the delta. */
static void
put_list_path(const struct registrar *r, size_t i, struct buf *b)
{
	struct buf uri OWNED(buf_drop) = BUF(1024);

	if (i > r->profile->crl_partitions)
		buf_put(&uri, r->profile->crl_delta);
	else
		profile_put_crl_uri(&uri, r->profile, (unsigned)i);
	buf_put(b, status_path(buf_slice(&uri), LIT("crl/issuer.crl")));
}

static size_t
list_of(const struct registrar *r, const struct crl_order *o)
{
	return o->base != 0 ? 1 + (size_t)r->profile->crl_partitions : o->partition;
}

void
lapse_fresh(struct registrar *r)
{
	r->lapse.asked = r->lapse.list_asked = false;
	r->lapse.next_list = 0;
	r->lapse.from = (struct lapse_order){0};
	memset(r->lapse.list_told, 0, sizeof r->lapse.list_told);
}

bool
lapse_is_due(struct registrar *r)
{
	bool question = !r->lapse.asked && r->seen_steady >= r->lapse.again,
	     list = !r->lapse.list_asked && r->lapse.next_list < list_count(r);

	return (question || list) && status_can_send(r, PEER_PUBLISHER);
}

static void
ask(struct registrar *r)
{
	r->lapse.asked = true;
	r->lapse.id = ++r->generations;
	r->lapse.at = r->seen_steady;
	lapse_order_put(body_new(r), &r->lapse.from);
	turn_order_now(r, PEER_PUBLISHER, 0, ORDER_LAPSE, r->lapse.id, buf_slice(&r->body));
}

static void
ask_list(struct registrar *r)
{
	struct buf path OWNED(buf_drop) = BUF(1024);

	r->lapse.list_asked = true;
	r->lapse.list_id = ++r->generations;
	r->lapse.list_at = r->seen_steady;
	put_list_path(r, r->lapse.next_list, &path);
	list_times_order_put(body_new(r), &(struct list_times_order){.path = buf_slice(&path)});
	turn_order_now(r, PEER_PUBLISHER, 0, ORDER_LIST_TIMES, r->lapse.list_id, buf_slice(&r->body));
}

void
lapse_tend(struct registrar *r)
{
	instant wheel = db_ledger(r->db)->wheel;

	if (!status_can_send(r, PEER_PUBLISHER))
		return;
	if (r->lapse.list_asked && r->seen_steady - r->lapse.list_at > LATE_MS)
		r->lapse.list_asked = false;
	if (!r->lapse.list_asked && r->lapse.next_list < list_count(r))
		ask_list(r);
	if (r->lapse.asked ? r->seen_steady - r->lapse.at <= LATE_MS : r->seen_steady < r->lapse.again)
		return;
	if (r->lapse.from.after.ms == 0 && wheel.ms > BACK_MS)
		r->lapse.from.after = (instant){wheel.ms - BACK_MS};
	ask(r);
}

static bool
is_behind(const struct lapse_reply *x, const struct lapse_order *o)
{
	return x->next_update.ms > o->after.ms ||
	       (x->next_update.ms == o->after.ms && (!o->has_serial || serial_cmp(x->serial, o->after_serial) > 0));
}

/* On at once, or in the next second: a publisher that never comes to an end is not asked without one. */
static void
ask_on(struct registrar *r)
{
	if (r->seen_steady - r->lapse.second.since >= ASK_EVERY_MS) {
		r->lapse.second.since = r->seen_steady;
		r->lapse.second.n = 0;
	}
	r->lapse.again = ++r->lapse.second.n < QUESTIONS_MAX ? r->seen_steady : r->lapse.second.since + ASK_EVERY_MS;
}

/* It counts while relying parties may ask about it and are to hear "good". */
static err
counts(struct registrar *r, serial s, bool *out)
{
	struct record d;
	err e = db_serial(r->db, s, &d);

	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	*out = e.kind == OK && d.d.state != DOSSIER_REVOKED && d.d.not_after.ms >= r->now.ms;
	return ok;
}

err
lapse_result(struct registrar *r, const struct frame *x)
{
	struct lapse_reply reply;
	bool counted = false;

	if (!r->lapse.asked || x->id != r->lapse.id)
		return ok;
	r->lapse.asked = false;
	r->lapse.again = r->seen_steady + ASK_EVERY_MS;
	if (x->fail != OK) {
		log_what(LOG_WARN, "publisher", x->what);
		return ok;
	}
	TRY(lapse_reply_get(x->body, &reply));
	if (reply.state == LAPSE_LOOKING) { /* what was known stands until it has looked */
		r->lapse.again = r->seen_steady + ASK_EVERY_MS / 10;
		return ok;
	}
	if (reply.state == LAPSE_FOUND &&
	    !is_behind(&reply, &r->lapse.from)) { /* asked on behind it there would be no end */
		log_text(LOG_ALARM,
		    "lapse-order: design 3: the publisher names an answer that is not behind the one it was asked about");
		return ok;
	}
	if (reply.state == LAPSE_FOUND)
		TRY(counts(r, reply.serial, &counted));
	if (reply.state == LAPSE_FOUND && !counted) {
		r->lapse.from =
		    (struct lapse_order){.after = reply.next_update, .has_serial = true, .after_serial = reply.serial};
		ask_on(r);
		return ok;
	}
	r->lapse.made = counted ? reply.this_update : (instant){0};
	r->lapse.next = counted ? reply.next_update : (instant){0};
	return ok;
}

err
lapse_list_result(struct registrar *r, const struct frame *x)
{
	struct list_times times = {{0}, {0}};
	size_t i = r->lapse.next_list;

	if (!r->lapse.list_asked || x->id != r->lapse.list_id || i >= list_count(r))
		return ok;
	r->lapse.list_asked = false;
	r->lapse.next_list++;
	if (x->fail == OK)
		TRY(list_times_get(x->body, &times));
	else if (x->fail != ERR_ABSENT)
		log_what(LOG_WARN, "publisher", x->what);
	if (!r->lapse.list_told[i]) /* else one was published since it looked */
		r->lapse.list[i] = times;
	return ok;
}

void
lapse_listed(struct registrar *r, const struct crl_order *o)
{
	r->lapse.list[list_of(r, o)] = (struct list_times){o->now, o->next_update};
	r->lapse.list_told[list_of(r, o)] = true;
}

struct list_times
lapse_of_lists(const struct registrar *r, unsigned kind)
{
	struct list_times out = {{0}, {0}};
	size_t parts = r->profile->crl_partitions,
	       first = kind == LIST_COMPLETE    ? 0
	               : kind == LIST_PARTITION ? 1
	                                        : parts + 1,
	       end = kind == LIST_COMPLETE    ? 1
	             : kind == LIST_PARTITION ? parts + 1
	                                      : list_count(r);

	for (size_t i = first; i < end; i++) {
		const struct list_times *t = &r->lapse.list[i];

		if (t->next_update.ms != 0 && (out.next_update.ms == 0 || t->next_update.ms < out.next_update.ms))
			out = *t;
	}
	return out;
}
