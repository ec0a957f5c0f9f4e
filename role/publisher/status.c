#include <errno.h>

#include "act/order_desk.h"
#include "act/order_sign.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/publisher/publisher.h"

/* --- what is recent ------------------------------------------------------------------- */
static size_t
place(const struct slot *list, size_t n, serial s)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(list[mid].serial, s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct slot *
find(const struct slot *list, size_t n, serial s)
{
	size_t at = place(list, n, s);

	return at < n && serial_eq(list[at].serial, s) ? &list[at] : NULL;
}

bool
publisher_has_recent(const struct publisher *p, serial s)
{
	return find(p->recent, p->n, s) != NULL || find(p->frozen, p->frozen_n, s) != NULL;
}

bool
publisher_is_newer(const struct publisher *p, serial s)
{
	return find(p->recent, p->n, s) != NULL;
}

/*
 * Which of two words on a certificate readers get: what was signed later; of one second, what is not "good".  Of withdrawn
 * and revoked always revoked, for it says more, and the time of a withdrawal is our clock's, not the signer's.
 */
static bool
is_newer(const struct slot *a, const struct slot *b)
{
	if (a->state != b->state && a->state != SLOT_GOOD && b->state != SLOT_GOOD)
		return a->state == SLOT_REVOKED;
	return a->produced.ms > b->produced.ms ||
	       (a->produced.ms == b->produced.ms && (a->state != SLOT_GOOD || b->state == SLOT_GOOD));
}

/* False: what is there already stays. */
static bool
put_slot(struct publisher *p, const struct slot *s)
{
	size_t at = place(p->recent, p->n, s->serial);
	const struct slot *frozen = find(p->frozen, p->frozen_n, s->serial);

	p->dirty = true;
	if (at < p->n && serial_eq(p->recent[at].serial, s->serial)) {
		if (!is_newer(s, &p->recent[at]))
			return false;
		p->recent[at] = *s;
		return true;
	}
	if (frozen != NULL && !is_newer(s, frozen))
		return false;
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 256 : p->cap * 2;
		p->recent = mem_grow(p->recent, p->cap, sizeof *p->recent);
	}
	memmove(p->recent + at + 1, p->recent + at, (p->n - at) * sizeof *p->recent);
	p->recent[at] = *s;
	p->n++;
	return true;
}

static void
take_written(struct slots_writer *w, struct buf *b)
{
	slice piece;

	while (slots_write_out(w, &piece))
		buf_put(b, piece);
}

static void
remove_quietly(const struct publisher *p, const char *name)
{
	int folder = -1;

	if (disk_folder(p->repository, "status", FOLDER_MAKE, &folder).kind == OK)
		(void)disk_remove(folder, name).kind;
	disk_close(&folder);
}

uint64_t
status_reserve_bytes(const struct publisher *p)
{
	return p->has_common ? slots_file_bytes(&p->common, RECENT_WITHDRAWN_MAX) : 0;
}

/* Bytes on the disk that nobody needs, until it is full.  A shorter one, of shorter answers, stays until the longer is there. */
static void
reserve(struct publisher *p)
{
	const uint64_t want = status_reserve_bytes(p);
	struct buf zeros OWNED(buf_drop) = BUF((size_t)want);
	uint64_t size = 0;
	int folder = -1;

	if (disk_folder(p->repository, "status", FOLDER_MAKE, &folder).kind == OK)
		p->reserved = disk_size_of(folder, "reserve", &size).kind == OK ? size : 0;
	disk_close(&folder);
	if (p->reserved >= want)
		return;
	memset(buf_space(&zeros, (size_t)want), 0, (size_t)want);
	if (publisher_put(p, LIT("status/reserve"), buf_slice(&zeros)).kind == OK)
		p->reserved = want;
	else
		remove_quietly(p, "reserve.new"); /* what room there is is wanted */
}

static err
put_recent(struct publisher *p, slice bytes)
{
	err e = publisher_put(p, LIT("status/recent"), bytes);

	if (e.kind != ERR_WORLD || e.why != ENOSPC || p->reserved == 0)
		return e;
	log_text(LOG_ALARM,
	    "publisher-reserve: house: the disk is full; what is withdrawn or revoked is shown from the reserve");
	remove_quietly(p, "reserve");
	p->reserved = 0;
	p->reserve_again = clock_steady_ms() + RESERVE_AGAIN_MS;
	return publisher_put(p, LIT("status/recent"), bytes);
}

err
status_write(struct publisher *p)
{
	struct buf b OWNED(buf_drop) = BUF((size_t)slots_file_bytes(&p->common, p->n + p->frozen_n));
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	size_t i = 0, k = 0;

	if (!p->dirty)
		return ok;
	if (p->held) /* what is new cannot stand beside what is damaged: a front that reads nothing says nothing but "revoked" */
		return publisher_put(p, LIT("status/recent"), (slice){NULL, 0});
	slots_write_start(&w, &p->common, clock_now());
	while (i < p->n || k < p->frozen_n) {
		int c = i == p->n ? 1 : k == p->frozen_n ? -1 : serial_cmp(p->recent[i].serial, p->frozen[k].serial);

		slots_write(&w, c <= 0 ? &p->recent[i] : &p->frozen[k]);
		take_written(&w, &b);
		i += c <= 0;
		k += c >= 0;
	}
	slots_write_end(&w);
	take_written(&w, &b);
	TRY(buf_check(&b));
	TRY(put_recent(p, buf_slice(&b)));
	p->dirty = false;
	return ok;
}

/* --- responders ------------------------------------------------------------------------ */
static err make_room(struct publisher *p); /* with the merging, below */

static err
admit(struct publisher *p, const struct slots_common *c)
{
	err e = responders_join(p, c);

	if (e.kind != ERR_CONFLICT)
		return e;
	TRY(make_room(p));
	return responders_join(p, c);
}

/* Which of ours it is; one not seen yet is added: it was replaced. */
static err
responder_of(struct publisher *p, slice certificate, uint8_t *out)
{
	struct slots_common c;

	for (size_t i = 0; p->has_common && i < p->common.n_responders; i++)
		if (slice_eq(p->common.responder[i].cert, certificate)) {
			*out = (uint8_t)i;
			return ok;
		}
	TRY(slots_common_of(certificate, &p->issuer, &c));
	TRY(admit(p, &c));
	*out = (uint8_t)(p->common.n_responders - 1);
	return ok;
}

/* --- what comes ------------------------------------------------------------------------- */
static err bound_recent(struct publisher *p, size_t most) CHECKED;

static err
take_answer(struct publisher *p, slice answer)
{
	struct slots_common c;
	struct slot s;

	if (!p->has_common || slot_get_answer(answer, &p->common, &s).kind != OK) {
		TRY(slots_common_get(answer, &p->issuer, &c));
		TRY(admit(p, &c));
		TRY(slot_get_answer(answer, &p->common, &s));
	}
	TRY(bound_recent(p, RECENT_ANSWERS_MAX));
	if (put_slot(p, &s))
		ocsp_files_add(p, s.serial, answer);
	return ok;
}

err
status_take_slots(struct publisher *p, slice body)
{
	struct answers_reply r;

	TRY(answers_reply_get(body, &r));
	for (size_t i = 0; i < r.n; i++)
		TRY(take_answer(p, r.answer[i]));
	return ok;
}

err
status_take_withdrawal(struct publisher *p, slice body)
{
	struct serial_order o;
	instant now = clock_now();

	TRY(serial_order_get(body, &o));
	if (!p->has_common)
		return ok; /* nothing was ever published */
	TRY(bound_recent(p, RECENT_WITHDRAWN_MAX));
	if (!put_slot(p, &(struct slot){.serial = o.serial,
	                     .state = SLOT_WITHDRAWN,
	                     .produced = instant_floor_second(now),
	                     .this_update = now,
	                     .next_update = now}))
		return ok; /* answered with "revoked" already */
	return ocsp_files_remove(p, o.serial);
}

static size_t
stride_of(const struct slots_common *c)
{
	size_t room = 0;

	for (size_t i = 0; i < c->n_responders; i++)
		if (slots_signature_max(c->responder[i].alg) > room)
			room = slots_signature_max(c->responder[i].alg);
	return (offsetof(struct slot, signature) + room + 7) & ~(size_t)7;
}

static void
renewed_get(const struct renewed *r, size_t i, struct slot *out)
{
	memcpy(out, r->slot + i * r->stride, r->stride);
}

/* Another stride, with another responder: rare, and all are moved. */
static void
renewed_fit(struct renewed *r, size_t stride)
{
	struct renewed wide = {.n = r->n, .cap = r->cap, .stride = stride};

	if (stride <= r->stride)
		return;
	if (r->cap > 0)
		wide.slot = mem_new(wide.cap, stride);
	for (size_t i = 0; i < r->n; i++)
		memcpy(wide.slot + i * stride, r->slot + i * r->stride, r->stride);
	free(r->slot);
	r->slot = wide.slot;
	r->stride = stride;
}

static void
renewed_put(struct renewed *r, const struct slot *s)
{
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 1024 : r->cap * 2;
		r->slot = mem_grow(r->slot, r->cap, r->stride);
	}
	memcpy(r->slot + r->n++ * r->stride, s, r->stride);
}

static err
unlose(struct publisher *p)
{
	int folder = -1;
	err e;

	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_remove(folder, "lost");
	disk_close(&folder);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	p->dirty = p->dirty || (p->held && p->has_common);
	p->lost = p->held = false;
	return status_write(p);
}

err
status_take_renewed(struct publisher *p, uint64_t id, slice body, bool *now)
{
	struct renewed *r = &p->renewed;
	struct slots_part part;
	uint8_t responder;

	TRY(slots_part_get(body, &part));
	*now = false;
	if (part.responder.n == 0) {
		p->asked = true;
		p->question = id;
		p->whole_question = part.whole ? id : p->whole_question;
		return ok;
	}
	if (part.next_update.ms < part.this_update.ms || r->n_ids == RENEWED_IDS_MAX)
		return fail(ERR_INPUT, "publisher-renewed: house: answers made anew are not what can be published");
	TRY(responder_of(p, part.responder, &responder));
	renewed_fit(r, stride_of(&p->common));
	if (r->n == 0)
		r->since = clock_steady_ms();
	for (size_t i = 0; i < part.n; i++) {
		const struct answer_row *a = &part.slot[i];
		struct slot s = {.serial = a->serial,
		    .state = a->revoked ? SLOT_REVOKED : SLOT_GOOD,
		    .reason = a->reason,
		    .responder = responder,
		    .revoked = a->revoked_at,
		    .produced = part.produced,
		    .this_update = part.this_update,
		    .next_update = part.next_update,
		    .signature_n = (uint16_t)a->signature.n};

		if (a->signature.n > slots_signature_max(p->common.responder[responder].alg))
			return fail(ERR_INPUT, "publisher-renewed: house: answers made anew are not what can be published");
		memcpy(s.signature, a->signature.p, a->signature.n);
		renewed_put(r, &s);
	}
	if (part.last)
		r->id[r->n_ids++] = id;
	return ok;
}

void
status_forget(struct publisher *p)
{
	p->renewed.n_ids = p->merging.n_ids = 0;
	p->question = p->whole_question = 0;
}

/* --- merging ----------------------------------------------------------------------------- */
static err
lose(struct publisher *p)
{
	if (p->lost)
		return ok;
	p->lost = true;
	log_text(LOG_ALARM, "publisher-lost: design 3: a status file is damaged; what was lost is asked for again");
	return publisher_put(p, LIT("status/lost"), LIT("answers were lost; all are made anew\n"));
}

static void
let_go(struct merge *m)
{
	slots_drop(&m->base);
	map_close(&m->map);
	slots_writer_drop(&m->w);
	disk_close(&m->fd);
	*m = (struct merge){.fd = -1};
}

/* The old base, mapped; none where there is none, or what is there cannot be read. */
static err
map_base(struct publisher *p, struct merge *m)
{
	int folder = -1, fd = -1;
	err e;

	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_open(folder, "base", DISK_READ, &fd);
	disk_close(&folder);
	if (e.kind == ERR_ABSENT)
		return ok;
	TRY(e);
	e = map_open(fd, MAP_IN_ORDER, &m->map);
	disk_close(&fd);
	if (e.kind == OK && slots_get(m->map.bytes, &m->base).kind == OK)
		return ok;
	let_go(m);
	return lose(p);
}

static int
compare(const void *a, const void *b)
{
	return serial_cmp(((const struct slot *)a)->serial, ((const struct slot *)b)->serial);
}

static err
open_merge(struct publisher *p, struct merge *m)
{
	int folder = -1;
	err e;

	TRY(map_base(p, m));
	if (m->base.common.n_responders > 0 && !p->base_joined)
		TRY(responders_join_base(p, &m->base));
	responders_drop(p, (instant){0});
	m->common = p->common;
	slots_common_map(&m->common, &m->base.common, m->responder);
	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_open(folder, "base.new", DISK_SCRATCH, &m->fd);
	disk_close(&folder);
	return e;
}

static err
merge_start(struct publisher *p)
{
	struct merge m = {.fd = -1};
	err e = open_merge(p, &m);

	if (e.kind != OK) {
		let_go(&m);
		return e;
	}
	slots_write_start(&m.w, &m.common, clock_now());
	p->merge = m;
	p->merge.on = true;
	p->asked = false;
	p->frozen = p->recent;
	p->frozen_n = p->n;
	p->recent = NULL;
	p->n = p->cap = 0;
	p->merging = p->renewed;
	p->renewed = (struct renewed){.stride = p->merging.stride};
	if (p->merging.n > 1)
		qsort(p->merging.slot, p->merging.n, p->merging.stride, compare);
	return ok;
}

/* The next of the old base that can be read. */
static err
base_head(struct publisher *p, bool *have, struct slot *out)
{
	struct merge *m = &p->merge;

	while (m->i < m->base.n) {
		if (slots_at(&m->base, m->i, out).kind != OK || map_is_gone(&m->map)) {
			TRY(lose(p));
			m->i += SLOTS_BLOCK - m->i % SLOTS_BLOCK; /* its block; the others stay */
			continue;
		}
		out->responder = out->state == SLOT_WITHDRAWN ? 0 : m->responder[out->responder];
		if (out->responder == SLOTS_RESPONDER_NONE) { /* lapsed, and its responder had to make room */
			m->i++;
			continue;
		}
		*have = true;
		return ok;
	}
	*have = false;
	return ok;
}

/* One slot of the new base: the newest word of the three on the lowest serial. */
static err
merge_one(struct publisher *p, instant now, bool *have)
{
	struct merge *m = &p->merge;
	struct slot base, renewed, best;
	bool in_base, in_renewed = m->m < p->merging.n, in_recent = m->k < p->frozen_n;
	serial low = {0};

	TRY(base_head(p, &in_base, &base));
	*have = in_base || in_renewed || in_recent;
	if (!*have)
		return ok;
	if (in_base)
		low = base.serial;
	if (in_renewed) {
		renewed_get(&p->merging, m->m, &renewed);
		if (low.n == 0 || serial_cmp(renewed.serial, low) < 0)
			low = renewed.serial;
	}
	if (in_recent && (low.n == 0 || serial_cmp(p->frozen[m->k].serial, low) < 0))
		low = p->frozen[m->k].serial;
	best = (struct slot){0};
	if (in_base && serial_eq(base.serial, low)) {
		best = base;
		m->i++;
	}
	while (in_renewed && serial_eq(renewed.serial, low)) {
		if (best.serial.n == 0 || is_newer(&renewed, &best))
			best = renewed;
		in_renewed = ++m->m < p->merging.n;
		if (in_renewed)
			renewed_get(&p->merging, m->m, &renewed);
	}
	if (in_recent && serial_eq(p->frozen[m->k].serial, low)) {
		const struct slot *s = &p->frozen[m->k++];

		/* recent's word was seen: only a later one of the signer takes it back */
		if (best.serial.n == 0 || is_newer(s, &best))
			best = *s;
	}
	if (best.state != SLOT_WITHDRAWN && best.next_update.ms + ENDED_KEEP_MS < now.ms)
		return ok;
	slots_write(&m->w, &best);
	if (best.state != SLOT_WITHDRAWN && best.next_update.ms > m->until[best.responder])
		m->until[best.responder] = best.next_update.ms;
	m->n++;
	return ok;
}

static err
write_out(struct merge *m)
{
	slice piece;

	while (slots_write_out(&m->w, &piece)) {
		TRY(disk_append(m->fd, piece));
		m->unsynced += piece.n;
	}
	if (m->unsynced < MERGE_SYNC_BYTES)
		return ok;
	m->unsynced = 0;
	return disk_sync(m->fd);
}

static err
merge_end(struct publisher *p)
{
	struct merge *m = &p->merge;
	int folder = -1;
	err e;

	slots_write_end(&m->w);
	TRY(write_out(m));
	TRY(disk_sync(m->fd));
	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_rename(folder, "base.new", "base");
	disk_close(&folder);
	TRY(e);
	p->base_n = m->n;
	memcpy(p->base_until, m->until, sizeof p->base_until);
	p->base_joined = true;
	let_go(m);
	let_go(&p->look); /* of the base before */
	free(p->frozen);
	p->frozen = NULL;
	p->frozen_n = 0;
	free(p->merging.slot);
	p->merging.slot = NULL;
	p->merging.n = p->merging.cap = 0;
	ocsp_files_look_anew(p);
	lapses_look_anew(p);
	p->dirty = true; /* only now: a crash before here merges again */
	return status_write(p);
}

/* Nothing of it was seen: what was to be merged is recent, and held back, again. */
static void
merge_undo(struct publisher *p)
{
	struct slot *late = p->recent;
	size_t n = p->n;

	let_go(&p->merge);
	remove_quietly(p, "base.new"); /* on a full disk its room is wanted; by its name, for it may be base by now */
	p->asked = p->asked || p->question != 0;
	p->recent = p->frozen;
	p->n = p->cap = p->frozen_n;
	p->frozen = NULL;
	p->frozen_n = 0;
	for (size_t i = 0; i < n; i++)
		(void)put_slot(p, &late[i]);
	free(late);
	renewed_fit(&p->merging, p->renewed.stride);
	for (size_t i = 0; i < p->renewed.n; i++) {
		struct slot s;

		renewed_get(&p->renewed, i, &s);
		renewed_put(&p->merging, &s);
	}
	for (size_t i = 0; i < p->renewed.n_ids && p->merging.n_ids < RENEWED_IDS_MAX; i++)
		p->merging.id[p->merging.n_ids++] = p->renewed.id[i];
	free(p->renewed.slot);
	p->renewed = p->merging;
	p->renewed.since = clock_steady_ms();
	p->merging = (struct renewed){0};
}

static err
merge_step(struct publisher *p, size_t most, bool *ended)
{
	instant now = clock_now();
	bool have = true;

	for (size_t i = 0; i < most && have; i++) {
		TRY(merge_one(p, now, &have));
		TRY(write_out(&p->merge));
		if (i % MERGE_SLOTS == 0) /* what lies behind of the old base is not read again */
			map_rest(&p->merge.map);
	}
	*ended = !have;
	return have ? ok : merge_end(p);
}

/* --- looking --------------------------------------------------------------------------- */
/*
 * What base says of its responders, where no merge of this process has said it: some slots a turn, for ten million are seconds.
 * Who waits for it is told to ask again.
 */
static err
look_start(struct publisher *p)
{
	TRY(map_base(p, &p->look));
	p->look.on = true;
	return ok;
}

static void
look_end(struct publisher *p)
{
	struct merge *m = &p->look;
	uint8_t map[SLOTS_RESPONDERS_MAX];

	for (size_t i = 0; i < p->common.n_responders; i++)
		if (p->base_until[i] == BASE_UNKNOWN)
			p->base_until[i] = 0;
	slots_common_map(&p->common, &m->base.common, map);
	for (size_t i = 0; i < m->base.common.n_responders; i++)
		if (map[i] != SLOTS_RESPONDER_NONE)
			p->base_until[map[i]] = m->until[i];
	let_go(m);
}

static void
look_step(struct publisher *p)
{
	struct merge *m = &p->look;
	struct slot s;

	if (!m->on)
		return;
	for (size_t i = 0; i < MERGE_SLOTS && m->i < m->base.n; i++, m->i++)
		if (slots_at(&m->base, m->i, &s).kind == OK && s.state != SLOT_WITHDRAWN &&
		    s.next_update.ms > m->until[s.responder])
			m->until[s.responder] = s.next_update.ms;
	map_rest(&m->map);
	if (m->i >= m->base.n)
		look_end(p);
}

/* A fifth has come: those that nobody's valid answer is by any more make room. */
static err
make_room(struct publisher *p)
{
	const err later = fail(ERR_BUSY, "publisher-looks: house: whose answers may leave is being looked up; ask again");

	if (p->merge.on)
		return later;
	responders_drop(p, (instant){0});
	if (p->common.n_responders < SLOTS_RESPONDERS_MAX)
		return ok;
	for (size_t i = 0; i < p->common.n_responders; i++)
		if (p->base_until[i] == BASE_UNKNOWN) {
			if (!p->look.on)
				TRY(look_start(p));
			return later;
		}
	responders_drop(p, clock_now());
	return ok;
}

/* Recent is frozen and on its way into base, after the merge that was under way; its batches are answered with this one. */
static err
free_recent(struct publisher *p)
{
	struct renewed *from = &p->merging, *to = &p->renewed;
	bool ended = true;

	while (p->merge.on) {
		err e = merge_step(p, SIZE_MAX, &ended);

		if (e.kind != OK) {
			if (p->merge.on)
				merge_undo(p);
			return e;
		}
	}
	if (from->n_ids + to->n_ids > RENEWED_IDS_MAX)
		return fail(ERR_BUSY, "publisher-batches: house: more batches wait for a merge than can be answered at once");
	memcpy(to->id + to->n_ids, from->id, from->n_ids * sizeof from->id[0]);
	to->n_ids += from->n_ids;
	from->n_ids = 0;
	return merge_start(p);
}

/*
 * Recent is mapped by every front and written whole with each batch: it has a bound, whatever comes within one turn.  Where
 * nothing can be merged there is a last one, for answers sooner than for what may not be seen any more.
 */
static err
bound_recent(struct publisher *p, size_t most)
{
	int64_t now = clock_steady_ms();
	err e = ok;

	if (p->n < SLOTS_RECENT_MAX)
		return ok;
	if (now >= p->merge_again) {
		e = free_recent(p);
		if (e.kind == OK || e.kind == ERR_CORRUPT)
			return e;
		p->merge_again = now + MERGE_AGAIN_MS;
		log_err(LOG_ALARM, e);
	}
	if (p->n + p->frozen_n < most)
		return ok;
	return fail(ERR_WORLD, "publisher-full: house: recent is full and cannot be merged into base; look at the disk");
}

static bool
is_due(const struct publisher *p, int64_t steady_ms)
{
	const struct renewed *r = &p->renewed;

	if (p->n >= SLOTS_RECENT_MAX)
		return true;
	if (r->n == 0)
		return false;
	return p->asked || r->n >= p->base_n / 8 || r->n * r->stride >= RENEWED_BYTES_MAX ||
	       r->n_ids >= RENEWED_IDS_MAX / 2 || steady_ms - r->since >= RENEWED_AGE_MS;
}

static void
give(struct renewed *r, uint64_t *done, size_t *n)
{
	memcpy(done + *n, r->id, r->n_ids * sizeof *done);
	*n += r->n_ids;
	r->n_ids = 0;
}

err
status_turn(struct publisher *p, int64_t steady_ms, uint64_t *done, size_t *n)
{
	bool ended = false;

	*n = 0;
	look_step(p);
	if (p->reserved < status_reserve_bytes(p) && steady_ms >= p->reserve_again) {
		p->reserve_again = steady_ms + RESERVE_AGAIN_MS;
		reserve(p);
	}
	if (!p->merge.on)
		give(&p->merging, done, n); /* of a merge that had to end at once */
	if (!p->merge.on && *n == 0 && steady_ms >= p->merge_again && is_due(p, steady_ms)) {
		err e = merge_start(p);

		if (e.kind != OK) {
			p->merge_again = steady_ms + MERGE_AGAIN_MS;
			return e;
		}
	}
	if (p->merge.on) {
		/* what comes meanwhile may not outgrow what is read at once */
		err e = merge_step(p, p->n >= SLOTS_RECENT_MAX ? SIZE_MAX : MERGE_SLOTS, &ended);

		if (e.kind != OK && p->merge.on) {
			merge_undo(p);
			p->merge_again = steady_ms + MERGE_AGAIN_MS;
			return e;
		}
		if (ended) /* seen, also where recent could not be written after it: that is tried again by itself */
			give(&p->merging, done, n);
		TRY(e);
	}
	if (p->question != 0 && !p->merge.on && p->renewed.n == 0) {
		if (p->question == p->whole_question)
			TRY(unlose(p));
		done[(*n)++] = p->question;
		p->question = p->whole_question = 0;
		p->asked = false;
	}
	return ok;
}

/* --- opening ------------------------------------------------------------------------------- */
static err
load_recent(struct publisher *p, int folder)
{
	struct buf b OWNED(buf_drop) = BUF(PUBLISHED_MAX);
	struct slots s OWNED(slots_drop) = {0};
	struct slot one;
	err e = disk_load(folder, "recent", &b);

	if (e.kind == ERR_ABSENT)
		return ok;
	TRY(e);
	if (slots_get(buf_slice(&b), &s).kind != OK) {
		p->held = true;
		return lose(p);
	}
	TRY(responders_join(p, &s.common));
	for (uint64_t i = 0; i < s.n; i++) {
		if (slots_at(&s, i, &one).kind == OK)
			(void)put_slot(p, &one);
		else {
			p->held = true;
			TRY(lose(p));
		}
	}
	p->dirty = false;
	return ok;
}

err
status_open(struct publisher *p)
{
	struct merge m = {.fd = -1};
	int folder = -1;
	uint64_t size;
	err e;

	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	p->lost = disk_size_of(folder, "lost", &size).kind == OK;
	(void)disk_remove(folder, "base.new").kind; /* what a crash left of a merge */
	e = load_recent(p, folder);
	disk_close(&folder);
	TRY(e);
	TRY(map_base(p, &m));
	p->base_n = m.base.n;
	if (m.base.common.n_responders > 0)
		e = responders_join_base(p, &m.base);
	let_go(&m);
	return e;
}

void
status_drop(struct publisher *p)
{
	let_go(&p->merge);
	let_go(&p->look);
	free(p->recent);
	free(p->frozen);
	free(p->renewed.slot);
	free(p->merging.slot);
}
