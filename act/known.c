#include "act/known.h"

struct known_set {
	struct records base;
	struct known_one *recent; /* sorted by serial … */
	size_t n, cap;
	struct known_one tail[KNOWN_TAIL]; /* … and what is not sorted in yet */
	size_t tail_n;
};

void
known_record_put(uint8_t out[KNOWN_RECORD], const struct known_one *k)
{
	memset(out, 0, KNOWN_RECORD);
	records_put_serial(out, k->serial);
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
	struct known_one k;

	if (!records_get_serial(in, &k.serial) || in[21] != 0 || in[22] != 0 || in[23] != 0)
		return damaged();
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
	records_drop(&(*s)->base);
	free((*s)->recent);
	free(*s);
	*s = NULL;
}

/* --- the base ---------------------------------------------------------------------- */

static err
check_record(const uint8_t *record, const void *with)
{
	struct known_one k;

	(void)with;
	return known_record_get(record, &k);
}

err
known_set_base(struct known_set *s, const struct records_from *base, enum known_rest rest)
{
	TRY(records_put(&s->base, base, KNOWN_RECORD, check_record, NULL, damaged()));
	if (rest == KNOWN_FORGET_RECENT)
		s->n = s->tail_n = 0;
	return ok;
}

static err
find_in_base(const struct known_set *s, serial number, bool *found, struct known_one *out)
{
	uint8_t record[RECORDS_BYTES_MAX];

	TRY(records_find(&s->base, number, found, record));
	return *found ? known_record_get(record, out) : ok;
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
	return s->base.from.n + s->n + s->tail_n;
}

/* --- walking ------------------------------------------------------------------------ */

err
known_walk_start(struct known_walk *w, struct known_set *s, serial last)
{
	settle(s);
	w->set = s;
	w->recent_at = 0;
	if (last.n > 0) {
		w->recent_at = place(s, last);
		if (w->recent_at < s->n && serial_eq(s->recent[w->recent_at].serial, last))
			w->recent_at++;
	}
	return records_walk_start(&w->base, &s->base, last);
}

err
known_walk_next(struct known_walk *w, bool *have, struct known_one *out)
{
	bool in_recent = w->recent_at < w->set->n;
	struct known_one low;
	const uint8_t *record;

	TRY(records_walk_look(&w->base, &record));
	*have = record != NULL || in_recent;
	if (record != NULL) {
		TRY(known_record_get(record, &low));
		if (!in_recent || serial_cmp(low.serial, w->set->recent[w->recent_at].serial) < 0) {
			*out = low;
			records_walk_on(&w->base);
			return ok;
		}
	}
	if (in_recent)
		*out = w->set->recent[w->recent_at++];
	return ok;
}
