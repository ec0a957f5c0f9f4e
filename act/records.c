#include "act/records.h"

void
records_put_serial(uint8_t record[RECORDS_SERIAL], serial s)
{
	assert(s.n > 0 && s.n <= SERIAL_MAX);
	memset(record, 0, RECORDS_SERIAL);
	record[0] = s.n;
	memcpy(record + 1, s.b, s.n);
}

bool
records_get_serial(const uint8_t record[RECORDS_SERIAL], serial *out)
{
	serial s = {.n = record[0]};

	if (s.n == 0 || s.n > SERIAL_MAX || record[1] == 0)
		return false;
	for (size_t i = 1U + s.n; i < RECORDS_SERIAL; i++)
		if (record[i] != 0)
			return false;
	memcpy(s.b, record + 1, s.n);
	*out = s;
	return true;
}

static size_t
block_n(const struct records_from *from, uint64_t first)
{
	return from->n - first < RECORDS_BLOCK ? (size_t)(from->n - first) : RECORDS_BLOCK;
}

static err
read_all(const struct records_from *from, size_t bytes, err (*check)(const uint8_t *record, const void *with),
    const void *with, err bad, serial *mark)
{
	uint8_t block[RECORDS_BLOCK * RECORDS_BYTES_MAX];
	serial last = {0}, s;

	for (uint64_t at = 0; at < from->n; at += RECORDS_BLOCK) {
		size_t n = block_n(from, at);

		TRY(from->read(from->of, at, n, block));
		for (size_t i = 0; i < n; i++) {
			if (!records_get_serial(block + i * bytes, &s) || (last.n > 0 && serial_cmp(last, s) >= 0))
				return bad;
			TRY(check(block + i * bytes, with));
			last = s;
			if (i == 0)
				mark[at / RECORDS_BLOCK] = s;
		}
	}
	return ok;
}

err
records_put(struct records *r, const struct records_from *from, size_t bytes,
    err (*check)(const uint8_t *record, const void *with), const void *with, err bad)
{
	size_t marks = (size_t)((from->n + RECORDS_BLOCK - 1) / RECORDS_BLOCK);
	serial *mark = mem_new(marks + 1, sizeof *mark);
	err e;

	assert(bytes >= RECORDS_SERIAL && bytes <= RECORDS_BYTES_MAX);
	e = read_all(from, bytes, check, with, bad, mark);
	if (e.kind != OK) {
		free(mark);
		return e;
	}
	free(r->mark);
	*r = (struct records){.from = *from, .bytes = bytes, .mark = mark, .marks = marks};
	return ok;
}

void
records_drop(struct records *r)
{
	free(r->mark);
	*r = (struct records){0};
}

/* The first record of the block that may hold the serial; false: none can. */
static bool
block_of(const struct records *r, serial number, uint64_t *out)
{
	size_t lo = 0, hi = r->marks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(r->mark[mid], number) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*out = lo == 0 ? 0 : (lo - 1) * RECORDS_BLOCK;
	return lo > 0;
}

err
records_find(const struct records *r, serial number, bool *found, uint8_t out[RECORDS_BYTES_MAX])
{
	uint8_t block[RECORDS_BLOCK * RECORDS_BYTES_MAX], want[RECORDS_SERIAL];
	uint64_t first;
	size_t n;

	*found = false;
	if (!block_of(r, number, &first))
		return ok;
	n = block_n(&r->from, first);
	TRY(r->from.read(r->from.of, first, n, block));
	records_put_serial(want, number);
	for (size_t i = 0; i < n && !*found; i++)
		if (memcmp(block + i * r->bytes, want, sizeof want) == 0) {
			memcpy(out, block + i * r->bytes, r->bytes);
			*found = true;
		}
	return ok;
}

/* --- walking ------------------------------------------------------------------------ */

err
records_walk_start(struct records_walk *w, const struct records *r, serial last)
{
	const uint8_t *record;
	serial s;

	w->records = r;
	w->at = w->block_first = 0;
	w->block_n = 0;
	if (last.n == 0)
		return ok;
	(void)block_of(r, last, &w->at);
	for (;; w->at++) {
		TRY(records_walk_look(w, &record));
		if (record == NULL || !records_get_serial(record, &s) || serial_cmp(s, last) > 0)
			return ok;
	}
}

err
records_walk_look(struct records_walk *w, const uint8_t **record)
{
	const struct records *r = w->records;

	*record = NULL;
	if (w->at >= r->from.n)
		return ok;
	if (w->at < w->block_first || w->at >= w->block_first + w->block_n) {
		w->block_first = w->at - w->at % RECORDS_BLOCK;
		w->block_n = block_n(&r->from, w->block_first);
		TRY(r->from.read(r->from.of, w->block_first, w->block_n, w->block));
	}
	*record = w->block + (w->at - w->block_first) * r->bytes;
	return ok;
}

void
records_walk_on(struct records_walk *w)
{
	w->at++;
}
