#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * Our own lists (Rule 6(xi), RFC 5280 5): which are due, fetched from the issuer part by part, passed to the publisher as
 * they come, entered once they are public.  Nothing here ever holds a whole list.
 *
 * A ROUND makes what is due, one list after the other:
 *   regular     every partition, the list of all, and an empty delta to it
 *   after a revocation   the partitions it touched, and the delta; or the list of all where there is no delta
 * Only the last entry of a round says which revocations are covered now; a round that a crash cut is made again.
 */
#define LATE_MS 20000
#define AGAIN_MS 2000

/* --- which are due ------------------------------------------------------------------------ */

static bool
is_marked(const struct lists *l, unsigned partition)
{
	return (l->todo[partition / 64] >> partition % 64 & 1) != 0;
}

static void
mark(struct lists *l, unsigned partition)
{
	l->todo[partition / 64] |= UINT64_C(1) << partition % 64;
}

/* The partitions that revocations from `from` on fall to; officers' are told before their turn, wherever they stand. */
static err
mark_touched(struct registrar *r, uint64_t from, bool officers)
{
	struct record d[64];
	size_t n;

	do {
		TRY(db_revoked(r->db, from, d, COUNT(d), &n));
		for (size_t i = 0; i < n; i++) {
			if (d[i].d.revoked_n >= r->issuer.told && !officers)
				return ok;
			mark(&r->lists, profile_partition(r->profile, d[i].d.serial));
			from = d[i].d.revoked_n + 1;
		}
	} while (n == COUNT(d));
	return ok;
}

static err
is_revocation_due(struct registrar *r, bool *due)
{
	const struct ledger *h = db_ledger(r->db);
	struct record d;
	size_t n;

	*due = false;
	if (r->seen_steady - r->lists.round_at < CRL_APART_MS)
		return ok;
	*due = r->issuer.officers_new;
	if (*due || h->crl_covers >= h->revoked_end || r->issuer.told <= h->crl_covers)
		return ok;
	TRY(db_revoked(r->db, h->crl_covers, &d, 1, &n));
	*due = n == 1 && d.d.revoked_n < r->issuer.told;
	return ok;
}

static err
round_start(struct registrar *r, bool *due)
{
	const struct ledger *h = db_ledger(r->db);
	struct lists *l = &r->lists;

	memset(l->todo, 0, sizeof l->todo);
	l->whole = l->delta = false;
	l->regular = h->crl_complete == 0 || r->now.ms - h->crl_at.ms >= r->crl_every_ms || l->base_lost;
	*due = l->regular;
	if (!*due)
		TRY(is_revocation_due(r, due));
	if (!*due)
		return ok;
	l->officers = r->issuer.officers_new;
	r->issuer.officers_new = false;
	l->round_at = r->seen_steady;
	l->covers = r->issuer.told;
	if (l->regular) {
		for (unsigned k = 1; k <= r->profile->crl_partitions; k++)
			mark(l, k);
		l->whole = true;
		l->delta = r->profile->crl_delta.n > 0;
		return ok;
	}
	if (r->profile->crl_partitions > 0)
		TRY(mark_touched(r, h->crl_covers, l->officers));
	l->delta = r->profile->crl_delta.n > 0;
	l->whole = !l->delta;
	return ok;
}

/* The next list of the round: a partition, the list of all, the delta; false: the round has ended. */
static bool
next_list(struct registrar *r, struct crl_order *o)
{
	struct lists *l = &r->lists;

	*o = (struct crl_order){.now = instant_floor_second(r->now)};
	for (unsigned k = 1; k <= r->profile->crl_partitions; k++)
		if (is_marked(l, k)) {
			o->partition = k;
			break;
		}
	if (o->partition == 0 && !l->whole && l->delta)
		o->base = db_ledger(r->db)->crl_complete;
	else if (o->partition == 0 && !l->whole)
		return false;
	/* Milliseconds as numbers: they rise by themselves, also over a list whose entry a crash took. */
	o->number = (uint64_t)r->now.ms;
	if (o->number <= db_ledger(r->db)->crl_number)
		o->number = db_ledger(r->db)->crl_number + 1;
	o->next_update = (instant){o->now.ms + r->crl_life_ms};
	return true;
}

static void
list_done(struct lists *l)
{
	if (l->order.partition > 0)
		l->todo[l->order.partition / 64] &= ~(UINT64_C(1) << l->order.partition % 64);
	else if (l->order.base == 0)
		l->whole = false;
	else
		l->delta = false;
}

static bool
is_last(const struct lists *l)
{
	bool more = false;

	for (size_t i = 0; i < COUNT(l->todo); i++)
		more = more || l->todo[i] != 0;
	return !more && !l->whole && !l->delta;
}

/* --- one list -------------------------------------------------------------------------------- */

static void
ask_list(struct registrar *r, const struct crl_order *o)
{
	struct lists *l = &r->lists;

	l->stage = LISTS_SIGN;
	l->id = ++r->generations;
	l->at = r->seen_steady;
	l->order = *o;
	l->part = 0;
	l->asked = false;
	l->kept.max = CRL_KEPT_MAX;
	buf_clear(&l->kept);
	buf_clear(&l->path);
	l->path.max = 1024;
	hash_start(&l->hash);
	if (o->base != 0)
		buf_put(&l->path, r->profile->crl_delta);
	else
		profile_put_crl_uri(&l->path, r->profile, o->partition);
	crl_order_put(body_new(r), o);
	turn_order(r, PEER_ISSUER, 0, ORDER_CRL_OUT, l->id, buf_slice(&r->body));
}

/* The next part, one at a time, as fast as the publisher takes them. */
static void
ask_part(struct registrar *r)
{
	struct lists *l = &r->lists;

	if (l->asked || !status_can_send(r, PEER_PUBLISHER) || !status_can_send(r, PEER_ISSUER))
		return;
	l->asked = true;
	l->at = r->seen_steady;
	list_part_order_put(body_new(r), &(struct list_part_order){.number = l->order.number, .part = l->part});
	turn_order(r, PEER_ISSUER, 0, ORDER_CRL_PART, l->id, buf_slice(&r->body));
}

static void
give_up(struct registrar *r)
{
	r->lists.stage = LISTS_REST;
	r->lists.in_round = false;
	r->lists.again = r->seen_steady + AGAIN_MS;
	r->issuer.officers_new = r->issuer.officers_new || r->lists.officers; /* still on no list */
	r->lists.officers = false;
}

void
lists_lost(struct registrar *r)
{
	give_up(r);
	r->lists.again = r->seen_steady;
}

err
lists_signed(struct registrar *r, const struct frame *x)
{
	struct lists *l = &r->lists;
	struct list_reply reply;

	if (l->stage != LISTS_SIGN || x->id != l->id)
		return ok;
	if (x->fail != OK) {
		log_what(LOG_WARN, "issuer", x->what);
		/* a delta to a list the signer made and we never published: it needs a new one to add to */
		l->base_lost = l->order.base != 0 && slice_has_prefix(x->what, LIT("list-base:"));
		give_up(r);
		return ok;
	}
	TRY(list_reply_get(x->body, &reply));
	if (reply.number != l->order.number)
		return ok;
	l->count = reply.count;
	l->stage = LISTS_PARTS;
	ask_part(r);
	return ok;
}

err
lists_part(struct registrar *r, const struct frame *x)
{
	struct file_order o = {0};
	struct lists *l = &r->lists;

	if (l->stage != LISTS_PARTS || x->id != l->id || !l->asked)
		return ok;
	l->asked = false;
	if (x->fail != OK) {
		log_what(LOG_WARN, "issuer", x->what);
		give_up(r);
		return ok;
	}
	TRY(part_get(x->body, &o.part));
	if (o.part.number != l->part)
		return ok;
	l->part++;
	hash_add(&l->hash, o.part.bytes);
	if (!l->kept.over)
		buf_put(&l->kept, o.part.bytes);
	o.path = status_path(buf_slice(&l->path), LIT("crl/issuer.crl"));
	file_order_put(body_new(r), &o);
	turn_order(r, PEER_PUBLISHER, 0, ORDER_FILE, l->id, buf_slice(&r->body));
	if (o.part.last)
		l->stage = LISTS_PUBLISH;
	else
		ask_part(r);
	return ok;
}

static err
enter(struct registrar *r)
{
	struct entry e = entry_of(r, ACT_CRL_PUBLISHED);
	struct evidence_at at = {0};
	struct lists *l = &r->lists;
	bool last;

	list_done(l);
	last = is_last(l);
	e.line.by = BY_ISSUER;
	e.line.by_id = LIT("issuer");
	e.number = l->order.number;
	e.this_update = l->order.now;
	e.next_update = l->order.next_update;
	e.crl = hash_end(&l->hash);
	e.count = l->count;
	e.covers = last ? l->covers : db_ledger(r->db)->crl_covers;
	e.base = l->order.base;
	e.partition = l->order.partition;
	e.regular = last && l->regular;
	e.journal = r->issuer.journal.size;
	e.journal_root = r->issuer.journal.root;
	if (!l->kept
	         .over) { /* Rule 12(1)(ii)ニ: what relying parties saw can be read at home; of a longer list, its digest */
		e.line.n_evidence = 1;
		TRY(turn_evidence(r, buf_slice(&l->kept), &e.line.evidence[0], &at));
	}
	buf_drop(&l->kept);
	l->in_round = !last;
	if (last)
		l->base_lost = l->officers = false;
	return turn_enter(r, &e, &at);
}

/* The publisher's word on a file: ours where the number fits. */
err
lists_published(struct registrar *r, const struct frame *x)
{
	struct lists *l = &r->lists;

	if (l->stage == LISTS_PARTS && x->id == l->id && x->fail != OK) { /* one of its parts */
		log_what(LOG_WARN, "publisher", x->what);
		give_up(r);
		return ok;
	}
	if (l->stage != LISTS_PUBLISH || x->id != l->id) {
		if (x->fail != OK)
			log_what(LOG_WARN, "publisher", x->what);
		return ok;
	}
	l->stage = LISTS_REST;
	if (x->fail != OK) {
		log_what(LOG_WARN, "publisher", x->what);
		give_up(r);
		return ok;
	}
	if (turn_open_check(r).kind != OK || l->order.number <= db_ledger(r->db)->crl_number)
		return ok;
	lapse_listed(r, &l->order);
	return enter(r);
}

err
lists_tend(struct registrar *r)
{
	struct lists *l = &r->lists;
	struct crl_order o;
	bool due;

	if (l->stage != LISTS_REST && r->seen_steady - l->at > 3 * LATE_MS)
		give_up(r);
	if (r->issuer.step != SIGNER_READY || !status_can_send(r, PEER_ISSUER) || !status_can_send(r, PEER_PUBLISHER) ||
	    r->seen_steady < l->again)
		return ok;
	if (l->stage == LISTS_PARTS)
		ask_part(r);
	if (l->stage != LISTS_REST)
		return ok;
	if (!l->in_round) {
		TRY(round_start(r, &due));
		if (!due)
			return ok;
		l->in_round = true;
	}
	if (next_list(r, &o))
		ask_list(r, &o);
	else
		l->in_round = false;
	return ok;
}

void
lists_drop(struct lists *l)
{
	buf_drop(&l->kept);
	buf_drop(&l->path);
}
