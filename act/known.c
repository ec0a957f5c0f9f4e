#include "act/known.h"

struct known_set {
	struct known_base base;
	serial *mark; /* the first serial of every block of the base */
	size_t marks;
	struct known_one *recent; /* sorted by serial … */
	size_t n, cap;
	struct known_one tail[KNOWN_TAIL]; /* … and what is not sorted in yet */
	size_t tail_n;
};

void
known_record_put(uint8_t out[KNOWN_RECORD], const struct known_one *k)
{
	memset(out, 0, KNOWN_RECORD);
	out[0] = k->serial.n;
	memcpy(out + 1, k->serial.b, k->serial.n);
	be_put(out + 24, 8, (uint64_t)k->not_after.ms);
}

static err
damaged(void)
{
	return fail(ERR_CORRUPT, "known-base: design 3: the file of known serials is damaged");
}

err
known_record_get(const uint8_t in[KNOWN_RECORD], struct known_one *out)
{
	struct known_one k = {.serial = {.n = in[0]}};

	if (in[0] == 0 || in[0] > SERIAL_MAX || in[1] == 0 || in[21] != 0 || in[22] != 0 || in[23] != 0)
		return damaged();
	memcpy(k.serial.b, in + 1, in[0]);
	k.not_after.ms = (int64_t)be_get(in + 24, 8);
	if (k.not_after.ms < INSTANT_MIN_MS || k.not_after.ms > INSTANT_MAX_MS)
		return damaged();
	*out = k;
	return ok;
}

struct known_set *
known_set_new(void)
{
	return mem_new(1, sizeof(struct known_set));
}

void
known_set_drop(struct known_set **s)
{
	if (*s == NULL)
		return;
	free((*s)->mark);
	free((*s)->recent);
	free(*s);
	*s = NULL;
}

/* --- the base ---------------------------------------------------------------------- */

static err
read_base(const struct known_base *base, serial *mark)
{
	uint8_t block[KNOWN_BLOCK * KNOWN_RECORD];
	serial last = {0};

	for (uint64_t at = 0; at < base->n; at += KNOWN_BLOCK) {
		size_t n = base->n - at < KNOWN_BLOCK ? (size_t)(base->n - at) : KNOWN_BLOCK;

		TRY(base->read(base->of, at, n, block));
		for (size_t i = 0; i < n; i++) {
			struct known_one k;

			TRY(known_record_get(block + i * KNOWN_RECORD, &k));
			if (last.n > 0 && serial_cmp(last, k.serial) >= 0)
				return damaged();
			last = k.serial;
			if (i == 0)
				mark[at / KNOWN_BLOCK] = last;
		}
	}
	return ok;
}

err
known_set_base(struct known_set *s, const struct known_base *base, enum known_rest rest)
{
	size_t marks = (size_t)((base->n + KNOWN_BLOCK - 1) / KNOWN_BLOCK);
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
	if (rest == KNOWN_FORGET_RECENT)
		s->n = s->tail_n = 0;
	return ok;
}

/* The block that may hold the serial; false: none can. */
static bool
block_of(const struct known_set *s, serial number, uint64_t *out)
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

static err
read_block(const struct known_set *s, uint64_t first, uint8_t *block, size_t *n)
{
	*n = s->base.n - first < KNOWN_BLOCK ? (size_t)(s->base.n - first) : KNOWN_BLOCK;
	return s->base.read(s->base.of, first, *n, block);
}

static err
find_in_base(const struct known_set *s, serial number, bool *found, struct known_one *out)
{
	uint8_t block[KNOWN_BLOCK * KNOWN_RECORD];
	uint64_t b;
	size_t n;

	*found = false;
	if (!block_of(s, number, &b))
		return ok;
	TRY(read_block(s, b * KNOWN_BLOCK, block, &n));
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = block + i * KNOWN_RECORD;

		if (p[0] != number.n || memcmp(p + 1, number.b, number.n) != 0)
			continue;
		TRY(known_record_get(p, out));
		*found = true;
		return ok;
	}
	return ok;
}

/* --- the set ------------------------------------------------------------------------- */

/* Where the serial is among the sorted recent ones, or belongs. */
static size_t
place(const struct known_set *s, serial number)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(s->recent[mid].serial, number) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int
compare(const void *a, const void *b)
{
	return serial_cmp(((const struct known_one *)a)->serial, ((const struct known_one *)b)->serial);
}

/* Sorts the tail in, from the end: each recent one moves once. */
static void
settle(struct known_set *s)
{
	size_t to = s->n + s->tail_n, from = s->n, t = s->tail_n;

	if (t == 0)
		return;
	qsort(s->tail, t, sizeof s->tail[0], compare);
	while (to > s->cap) {
		s->cap = s->cap == 0 ? 1024 : s->cap * 2;
		s->recent = mem_grow(s->recent, s->cap, sizeof s->recent[0]);
	}
	s->n = to;
	while (t > 0) {
		bool low = from > 0 && serial_cmp(s->recent[from - 1].serial, s->tail[t - 1].serial) > 0;

		s->recent[--to] = low ? s->recent[--from] : s->tail[--t];
	}
	s->tail_n = 0;
}

err
known_set_find(const struct known_set *s, serial number, bool *found, struct known_one *out)
{
	size_t at = place(s, number);

	if (at < s->n && serial_eq(s->recent[at].serial, number)) {
		*found = true;
		*out = s->recent[at];
		return ok;
	}
	for (size_t i = 0; i < s->tail_n; i++)
		if (serial_eq(s->tail[i].serial, number)) {
			*found = true;
			*out = s->tail[i];
			return ok;
		}
	return find_in_base(s, number, found, out);
}

err
known_set_add(struct known_set *s, const struct known_one *k, bool *fresh)
{
	struct known_one there;
	bool found;

	TRY(known_set_find(s, k->serial, &found, &there));
	*fresh = !found;
	if (found)
		return ok;
	if (s->tail_n == KNOWN_TAIL)
		settle(s);
	s->tail[s->tail_n++] = *k;
	return ok;
}

size_t
known_set_recent(const struct known_set *s)
{
	return s->n + s->tail_n;
}

uint64_t
known_set_count(const struct known_set *s)
{
	return s->base.n + s->n + s->tail_n;
}

/* --- walking ------------------------------------------------------------------------ */

/* The record under the walk's foot; false: the base has ended. */
static err
look(struct known_walk *w, bool *have, struct known_one *out)
{
	*have = w->base_at < w->set->base.n;
	if (!*have)
		return ok;
	if (w->base_at < w->block_first || w->base_at >= w->block_first + w->block_n) {
		w->block_first = w->base_at - w->base_at % KNOWN_BLOCK;
		TRY(read_block(w->set, w->block_first, w->block, &w->block_n));
	}
	return known_record_get(w->block + (w->base_at - w->block_first) * KNOWN_RECORD, out);
}

err
known_walk_start(struct known_walk *w, struct known_set *s, serial last)
{
	struct known_one k;
	uint64_t block;
	bool have;

	settle(s);
	w->set = s;
	w->base_at = w->block_first = 0;
	w->block_n = w->recent_at = 0;
	if (last.n == 0)
		return ok;
	(void)block_of(s, last, &block);
	w->base_at = block * KNOWN_BLOCK;
	for (;;) {
		TRY(look(w, &have, &k));
		if (!have || serial_cmp(k.serial, last) > 0)
			break;
		w->base_at++;
	}
	w->recent_at = place(s, last);
	if (w->recent_at < s->n && serial_eq(s->recent[w->recent_at].serial, last))
		w->recent_at++;
	return ok;
}

err
known_walk_next(struct known_walk *w, bool *have, struct known_one *out)
{
	struct known_one low = {0};
	bool in_base, in_recent = w->recent_at < w->set->n;

	TRY(look(w, &in_base, &low));
	*have = in_base || in_recent;
	if (!*have)
		return ok;
	if (in_base && (!in_recent || serial_cmp(low.serial, w->set->recent[w->recent_at].serial) < 0)) {
		*out = low;
		w->base_at++;
	} else
		*out = w->set->recent[w->recent_at++];
	return ok;
}
