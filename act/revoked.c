#include "act/revoked.h"

struct revoked_set {
	struct records base;
	struct revoked *recent; /* sorted by serial */
	size_t n, cap;
	uint64_t orders;
	digest chain;
};

void
revoked_record_put(uint8_t out[REVOKED_RECORD], const struct revoked *r)
{
	memset(out, 0, REVOKED_RECORD);
	records_put_serial(out, r->entry.serial);
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

	if (!records_get_serial(in, &r.entry.serial) || in[21] > REASON_CESSATION || in[22] > 1 || in[23] != 0)
		return damaged();
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
	records_drop(&(*s)->base);
	free((*s)->recent);
	free(*s);
	*s = NULL;
}

/* --- the base ---------------------------------------------------------------------- */

static err
check_record(const uint8_t *record, const void *with)
{
	const struct revoked_base *base = with;
	struct revoked r;

	TRY(revoked_record_get(record, &r));
	return r.order < base->orders ? ok : damaged();
}

static err
put_base(struct revoked_set *s, const struct revoked_base *base)
{
	return records_put(&s->base, &base->from, REVOKED_RECORD, check_record, base, damaged());
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

static err
find_in_base(const struct revoked_set *s, serial number, bool *found, struct crl_entry *out)
{
	uint8_t record[RECORDS_BYTES_MAX];
	struct revoked r;

	TRY(records_find(&s->base, number, found, record));
	if (!*found)
		return ok;
	TRY(revoked_record_get(record, &r));
	*out = r.entry;
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

err
revoked_walk_start(struct revoked_walk *w, const struct revoked_set *s, const struct revoked_filter *f, serial last)
{
	w->set = s;
	w->filter = *f;
	w->recent_at = 0;
	if (f->partition > 0) { /* the rest of the set is not read */
		serial before = crl_partition_before(f->partition, f->partitions);

		last = serial_cmp(last, before) < 0 ? before : last;
	}
	if (last.n > 0) {
		w->recent_at = place(s, last);
		if (w->recent_at < s->n && serial_eq(s->recent[w->recent_at].entry.serial, last))
			w->recent_at++;
	}
	return records_walk_start(&w->base, &s->base, last);
}

static bool
passes(const struct revoked_filter *f, const struct revoked *r)
{
	return r->order >= f->from && r->order < f->upto && r->not_after.ms >= f->ended.ms &&
	       (f->partition == 0 || crl_partition_of(r->entry.serial, f->partitions) == f->partition);
}

/* The next of both layers; false: there is none. */
static err
step(struct revoked_walk *w, bool *have, struct revoked *out)
{
	bool in_recent = w->recent_at < w->set->n;
	const uint8_t *record;
	struct revoked low;

	TRY(records_walk_look(&w->base, &record));
	*have = record != NULL || in_recent;
	if (record != NULL) {
		TRY(revoked_record_get(record, &low));
		if (!in_recent || serial_cmp(low.entry.serial, w->set->recent[w->recent_at].entry.serial) < 0) {
			*out = low;
			records_walk_on(&w->base);
			return ok;
		}
	}
	if (in_recent)
		*out = w->set->recent[w->recent_at++];
	return ok;
}

err
revoked_walk_next(struct revoked_walk *w, bool *have, struct revoked *out)
{
	const struct revoked_filter *f = &w->filter;

	do {
		TRY(step(w, have, out));
		if (*have && f->partition > 0 && crl_partition_of(out->entry.serial, f->partitions) > f->partition)
			*have = false;
	} while (*have && !passes(f, out));
	return ok;
}
