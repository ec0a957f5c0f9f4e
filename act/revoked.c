#include "act/revoked.h"

struct revoked_set {
	struct revoked_base base;
	serial *mark; /* the first serial of every block of the base */
	size_t marks;
	struct revoked *recent; /* sorted by serial */
	size_t n, cap;
	uint64_t orders;
	digest chain;
};

void
revoked_record_put(uint8_t out[REVOKED_RECORD], const struct revoked *r)
{
	memset(out, 0, REVOKED_RECORD);
	out[0] = r->entry.serial.n;
	memcpy(out + 1, r->entry.serial.b, r->entry.serial.n);
	out[21] = (uint8_t)r->entry.reason;
	out[22] = r->entry.has_invalidity ? 1 : 0;
	be_put(out + 24, 8, (uint64_t)r->entry.revoked.ms);
	be_put(out + 32, 8, (uint64_t)r->not_after.ms);
	be_put(out + 40, 8, r->entry.has_invalidity ? (uint64_t)r->entry.invalidity.ms : 0);
	be_put(out + 48, 8, r->order);
}

static err
damaged(void)
{
	return fail(ERR_CORRUPT, "revoked-base: design 3: the file of revoked serials is damaged");
}

static err
instant_at(const uint8_t *p, instant *out)
{
	out->ms = (int64_t)be_get(p, 8);
	return out->ms < INSTANT_MIN_MS || out->ms > INSTANT_MAX_MS ? damaged() : ok;
}

err
revoked_record_get(const uint8_t in[REVOKED_RECORD], struct revoked *out)
{
	struct revoked r = {0};

	if (in[0] == 0 || in[0] > SERIAL_MAX)
		return damaged();
	for (size_t i = 1U + in[0]; i < 21; i++)
		if (in[i] != 0)
			return damaged();
	if (in[1] == 0 || in[21] > REASON_CESSATION || in[22] > 1 || in[23] != 0)
		return damaged();
	r.entry.serial.n = in[0];
	memcpy(r.entry.serial.b, in + 1, in[0]);
	r.entry.reason = (enum crl_reason)in[21];
	r.entry.has_invalidity = in[22] == 1;
	TRY(instant_at(in + 24, &r.entry.revoked));
	TRY(instant_at(in + 32, &r.not_after));
	if (r.entry.has_invalidity)
		TRY(instant_at(in + 40, &r.entry.invalidity));
	else if (be_get(in + 40, 8) != 0)
		return damaged();
	r.order = be_get(in + 48, 8);
	*out = r;
	return ok;
}

struct revoked_set *
revoked_set_new(void)
{
	return mem_new(1, sizeof(struct revoked_set));
}

void
revoked_set_drop(struct revoked_set **s)
{
	if (*s == NULL)
		return;
	free((*s)->mark);
	free((*s)->recent);
	free(*s);
	*s = NULL;
}

/* --- the base ---------------------------------------------------------------------- */

/* Reads a base once: sorted, each once, all below its orders; its marks go to `mark`. */
static err
read_base(const struct revoked_base *base, serial *mark)
{
	uint8_t block[REVOKED_BLOCK * REVOKED_RECORD];
	serial last = {0};

	for (uint64_t at = 0; at < base->n; at += REVOKED_BLOCK) {
		size_t n = base->n - at < REVOKED_BLOCK ? (size_t)(base->n - at) : REVOKED_BLOCK;

		TRY(base->read(base->of, at, n, block));
		for (size_t i = 0; i < n; i++) {
			struct revoked r;

			TRY(revoked_record_get(block + i * REVOKED_RECORD, &r));
			if (r.order >= base->orders || (last.n > 0 && serial_cmp(last, r.entry.serial) >= 0))
				return damaged();
			last = r.entry.serial;
			if (i == 0)
				mark[at / REVOKED_BLOCK] = last;
		}
	}
	return ok;
}

static err
put_base(struct revoked_set *s, const struct revoked_base *base)
{
	size_t marks = (size_t)((base->n + REVOKED_BLOCK - 1) / REVOKED_BLOCK);
	serial *mark = mem_new(marks + 1, sizeof *mark);
	err e = read_base(base, mark);

	if (e.kind != OK) {
		free(mark);
		return e;
	}
	free(s->mark);
	s->mark = mark;
	s->marks = marks;
	s->base = *base;
	return ok;
}

err
revoked_set_base(struct revoked_set *s, const struct revoked_base *base)
{
	assert(s->n == 0 && s->orders == 0);
	TRY(put_base(s, base));
	s->orders = base->orders;
	s->chain = base->chain;
	return ok;
}

err
revoked_set_rebase(struct revoked_set *s, const struct revoked_base *base)
{
	assert(base->orders == s->orders && digest_eq(base->chain, s->chain));
	TRY(put_base(s, base));
	s->n = 0;
	return ok;
}

/* The block that may hold the serial; false: none can. */
static bool
block_of(const struct revoked_set *s, serial number, uint64_t *out)
{
	size_t lo = 0, hi = s->marks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(s->mark[mid], number) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*out = lo == 0 ? 0 : lo - 1;
	return lo > 0;
}

/* Reads the block from `first` on; *n is how many records it has. */
static err
read_block(const struct revoked_set *s, uint64_t first, uint8_t *block, size_t *n)
{
	*n = s->base.n - first < REVOKED_BLOCK ? (size_t)(s->base.n - first) : REVOKED_BLOCK;
	return s->base.read(s->base.of, first, *n, block);
}

static err
find_in_base(const struct revoked_set *s, serial number, bool *found, struct crl_entry *out)
{
	uint8_t block[REVOKED_BLOCK * REVOKED_RECORD];
	uint64_t b;
	size_t n;

	*found = false;
	if (!block_of(s, number, &b))
		return ok;
	TRY(read_block(s, b * REVOKED_BLOCK, block, &n));
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = block + i * REVOKED_RECORD;
		struct revoked r;

		if (p[0] != number.n || memcmp(p + 1, number.b, number.n) != 0)
			continue;
		TRY(revoked_record_get(p, &r));
		*found = true;
		*out = r.entry;
		return ok;
	}
	return ok;
}

/* --- the set ------------------------------------------------------------------------- */

/* Where the serial is among the recent ones, or belongs. */
static size_t
place(const struct revoked_set *s, serial number)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(s->recent[mid].entry.serial, number) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

err
revoked_set_find(const struct revoked_set *s, serial number, bool *found, struct crl_entry *out)
{
	size_t at = place(s, number);

	if (at < s->n && serial_eq(s->recent[at].entry.serial, number)) {
		*found = true;
		*out = s->recent[at].entry;
		return ok;
	}
	return find_in_base(s, number, found, out);
}

err
revoked_set_add(struct revoked_set *s, const struct revoked *r)
{
	uint8_t record[REVOKED_RECORD];
	struct crl_entry there;
	size_t at;
	bool found;

	TRY(revoked_set_find(s, r->entry.serial, &found, &there));
	if (found)
		return ok;
	at = place(s, r->entry.serial);
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->recent = mem_grow(s->recent, s->cap, sizeof s->recent[0]);
	}
	memmove(s->recent + at + 1, s->recent + at, (s->n - at) * sizeof s->recent[0]);
	s->recent[at] = *r;
	s->recent[at].order = s->orders++;
	s->n++;
	revoked_record_put(record, &s->recent[at]);
	s->chain = sha256_two(digest_slice(&s->chain), ARR(record));
	return ok;
}

uint64_t
revoked_set_orders(const struct revoked_set *s)
{
	return s->orders;
}

size_t
revoked_set_recent(const struct revoked_set *s)
{
	return s->n;
}

digest
revoked_set_digest(const struct revoked_set *s)
{
	return s->chain;
}

/* --- walking ------------------------------------------------------------------------ */

/* The record under the walk's foot; false: the base has ended. */
static err
look(struct revoked_walk *w, bool *have, struct revoked *out)
{
	*have = w->base_at < w->set->base.n;
	if (!*have)
		return ok;
	if (w->base_at < w->block_first || w->base_at >= w->block_first + w->block_n) {
		w->block_first = w->base_at - w->base_at % REVOKED_BLOCK;
		TRY(read_block(w->set, w->block_first, w->block, &w->block_n));
	}
	return revoked_record_get(w->block + (w->base_at - w->block_first) * REVOKED_RECORD, out);
}

err
revoked_walk_start(struct revoked_walk *w, const struct revoked_set *s, const struct revoked_filter *f, serial last)
{
	struct revoked r;
	uint64_t block;
	bool have;

	w->set = s;
	w->filter = *f;
	w->base_at = w->block_first = 0;
	w->block_n = w->recent_at = 0;
	if (last.n == 0)
		return ok;
	(void)block_of(s, last, &block);
	w->base_at = block * REVOKED_BLOCK;
	for (;;) {
		TRY(look(w, &have, &r));
		if (!have || serial_cmp(r.entry.serial, last) > 0)
			break;
		w->base_at++;
	}
	w->recent_at = place(s, last);
	if (w->recent_at < s->n && serial_eq(s->recent[w->recent_at].entry.serial, last))
		w->recent_at++;
	return ok;
}

static bool
passes(const struct revoked_filter *f, const struct revoked *r)
{
	return r->order >= f->from && r->order < f->upto && r->not_after.ms >= f->ended.ms &&
	       (f->partition == 0 || crl_partition_of(r->entry.serial, f->partitions) == f->partition);
}

err
revoked_walk_next(struct revoked_walk *w, bool *have, struct revoked *out)
{
	for (;;) {
		struct revoked low = {0};
		bool in_base, in_recent = w->recent_at < w->set->n;

		TRY(look(w, &in_base, &low));
		*have = in_base || in_recent;
		if (!*have)
			return ok;
		if (in_base && (!in_recent || serial_cmp(low.entry.serial, w->set->recent[w->recent_at].entry.serial) < 0)) {
			*out = low;
			w->base_at++;
		} else
			*out = w->set->recent[w->recent_at++];
		if (passes(&w->filter, out))
			return ok;
	}
}
