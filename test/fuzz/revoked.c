/* A base of revoked serials from a damaged file: refused, or walked in order and found again, each once. */
#include "act/revoked.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static err
read_bytes(void *of, uint64_t first, size_t n, uint8_t *out)
{
	const slice *s = of;

	if ((first + n) * REVOKED_RECORD > s->n)
		return fail(ERR_CORRUPT, "test: test: beyond the end");
	memcpy(out, s->p + first * REVOKED_RECORD, n * REVOKED_RECORD);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct revoked_filter all = {.upto = UINT64_MAX, .ended = {INSTANT_MIN_MS}};
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	slice in = slice_of(p, n);
	const struct revoked_base base = {.from = {.of = &in, .n = n / REVOKED_RECORD, .read = read_bytes}, .orders = UINT64_MAX};
	struct revoked_walk w;
	uint64_t walked = 0;
	bool have = true;

	if (revoked_set_base(s, &base).kind != OK)
		return 0;
	if (revoked_walk_start(&w, s, &all, (serial){0}).kind != OK)
		abort();
	while (have) {
		uint8_t again[REVOKED_RECORD];
		struct crl_entry e;
		struct revoked r;
		bool found;

		if (revoked_walk_next(&w, &have, &r).kind != OK)
			abort();
		if (!have)
			break;
		revoked_record_put(again, &r);
		if (memcmp(again, p + walked * REVOKED_RECORD, 21) != 0 ||
		    revoked_set_find(s, r.entry.serial, &found, &e).kind != OK || !found || e.reason != r.entry.reason)
			abort();
		walked++;
	}
	if (walked != base.from.n)
		abort();
	return 0;
}
