/* The set of revoked serials: two layers, orders, walks.  B-10, B-11. */
#include "act/revoked.h"
#include "test/unit/test.h"

#define MANY 1000U

/* A base in memory, with a counter that fails the nth reading. */
struct memory {
	uint8_t record[2 * MANY * REVOKED_RECORD];
	int reads, fail_at;
};

static err
read_memory(void *of, uint64_t first, size_t n, uint8_t *out)
{
	struct memory *m = of;

	if (++m->reads == m->fail_at)
		return fail(ERR_WORLD, "test: test: the disk is gone");
	memcpy(out, m->record + first * REVOKED_RECORD, n * REVOKED_RECORD);
	return ok;
}

static struct revoked
row(unsigned i)
{
	uint32_t v = i * 2654435761U;
	struct revoked r = {
	    .entry = {.serial = {16, {(uint8_t)(0x40 | (v >> 26)), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}},
	        .revoked = {INT64_C(1795000000000) + i * 1000},
	        .reason = i % 3 == 0 ? REASON_KEY_COMPROMISE : REASON_SUPERSEDED,
	        .has_invalidity = i % 5 == 0},
	    .not_after = {INT64_C(1900000000000) + i * 1000}};

	if (r.entry.has_invalidity)
		r.entry.invalidity.ms = INT64_C(1794000000000) + i;
	memcpy(r.entry.serial.b + 12, &i, sizeof i);
	return r;
}

static void
add(struct revoked_set *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct revoked r = row(i);

		expect_ok("add", revoked_set_add(s, &r));
	}
}

/* Walks; checks order and filter; how many came. */
static size_t
walk(const struct revoked_set *s, struct revoked_filter f, serial last)
{
	struct revoked_walk w;
	struct revoked r;
	size_t n = 0;
	bool have;

	expect_ok("start", revoked_walk_start(&w, s, &f, last));
	for (;;) {
		expect_ok("next", revoked_walk_next(&w, &have, &r));
		if (!have)
			return n;
		expect_true("rising", last.n == 0 || serial_cmp(last, r.entry.serial) < 0);
		expect_true("in the filter", r.order >= f.from && r.order < f.upto && r.not_after.ms >= f.ended.ms);
		last = r.entry.serial;
		n++;
	}
}

static const struct revoked_filter ALL = {.upto = UINT64_MAX, .ended = {INSTANT_MIN_MS}};

/* Writes the set as a base and puts it below. */
static void
rebase(struct revoked_set *s, struct memory *m, struct revoked_base *base)
{
	static uint8_t record[2 * MANY * REVOKED_RECORD]; /* the old base is read while the new one is written */
	struct revoked_walk w;
	struct revoked r;
	uint64_t n = 0;
	bool have;

	expect_ok("start", revoked_walk_start(&w, s, &ALL, (serial){0}));
	for (;;) {
		expect_ok("next", revoked_walk_next(&w, &have, &r));
		if (!have)
			break;
		assert_true(n < 2 * MANY);
		revoked_record_put(record + n++ * REVOKED_RECORD, &r);
	}
	memcpy(m->record, record, sizeof record);
	*base = (struct revoked_base){{m, n, read_memory}, revoked_set_orders(s), revoked_set_digest(s)};
	expect_ok("rebase", revoked_set_rebase(s, base));
	expect_number("nothing recent", revoked_set_recent(s), 0);
}

static void
layers(void **state)
{
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new(),
	                      *plain OWNED(revoked_set_drop) = revoked_set_new();
	struct memory m = {0};
	struct revoked_base base;
	struct crl_entry e;
	bool found;

	(void)state;
	expect_number("empty", walk(s, ALL, (serial){0}), 0);
	add(plain, 0, MANY);
	for (unsigned i = 0; i < MANY; i += 100) {
		add(s, i, i + 100);
		if (i % 300 == 0)
			rebase(s, &m, &base);
	}
	expect_true("the layers leave no trace", digest_eq(revoked_set_digest(s), revoked_set_digest(plain)));
	expect_number("orders", revoked_set_orders(s), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		struct revoked r = row(i);

		expect_ok("find", revoked_set_find(s, r.entry.serial, &found, &e));
		expect_true("found", found && e.reason == r.entry.reason && e.revoked.ms == r.entry.revoked.ms &&
		                         e.has_invalidity == r.entry.has_invalidity &&
		                         e.invalidity.ms == r.entry.invalidity.ms);
		r.entry.reason = REASON_CESSATION;
		expect_ok("again", revoked_set_add(s, &r));
		expect_ok("find", revoked_set_find(s, r.entry.serial, &found, &e));
		expect_true("the first entry stands", e.reason != REASON_CESSATION);
	}
	expect_true("again changes nothing", digest_eq(revoked_set_digest(s), revoked_set_digest(plain)));
	for (unsigned i = MANY; i < 2 * MANY; i++) {
		expect_ok("find", revoked_set_find(s, row(i).entry.serial, &found, &e));
		expect_true("never entered", !found);
	}
}

static void
walks(void **state)
{
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct memory m = {0};
	struct revoked_base base;
	struct revoked_filter f = ALL;
	size_t parts = 0, one;

	(void)state;
	add(s, 0, 700);
	rebase(s, &m, &base);
	add(s, 700, MANY);
	expect_number("all", walk(s, ALL, (serial){0}), MANY);
	f.upto = 650;
	expect_number("as it was", walk(s, f, (serial){0}), 650);
	f = ALL;
	f.from = 650;
	expect_number("what came after", walk(s, f, (serial){0}), 350);
	f = ALL;
	f.ended.ms = row(900).not_after.ms;
	expect_number("without those that ended", walk(s, f, (serial){0}), 100);
	f = ALL;
	f.partitions = 7;
	for (f.partition = 1; f.partition <= 7; f.partition++) {
		one = walk(s, f, (serial){0});
		expect_true("about even", one > MANY / 14 && one < MANY / 4);
		parts += one;
	}
	expect_number("each in one part", parts, MANY);
	m.reads = 0;
	expect_number("all of the base", walk(s, ALL, (serial){0}), MANY);
	f.partition = 4;
	one = (size_t)m.reads;
	m.reads = 0;
	(void)walk(s, f, (serial){0});
	expect_true("a part reads its own stretch", (size_t)m.reads <= one / 2);
	/* from any serial on, also one that is not there: with those before it, all */
	for (unsigned i = 0; i < 2 * MANY; i += 37) {
		serial last = row(i).entry.serial;
		struct revoked_walk w;
		struct revoked r;
		size_t before = 0;
		bool have;

		expect_ok("start", revoked_walk_start(&w, s, &ALL, (serial){0}));
		for (;;) {
			expect_ok("next", revoked_walk_next(&w, &have, &r));
			if (!have || serial_cmp(r.entry.serial, last) > 0)
				break;
			before++;
		}
		expect_number("the rest", before + walk(s, ALL, last), MANY);
	}
}

/* A base that cannot be read is never "not revoked"; a damaged one is refused. */
static void
damage(void **state)
{
	static const char what[] = "revoked-base: design 3: the file of revoked serials is damaged";
	static const struct {
		const char *row;
		size_t at;
		uint8_t value;
	} rows[] = {
	    {"no serial", 0, 0},
	    {"a long serial", 0, SERIAL_MAX + 1},
	    {"a leading zero", 1, 0},
	    {"a byte behind the serial", 20, 1},
	    {"an invalidity date that is none", 47, 1},
	    {"an unknown reason", 21, 9},
	    {"another flag", 22, 2},
	    {"a byte between", 23, 1},
	    {"a time out of all times", 24, 0x7F},
	    {"an end out of all times", 32, 0x7F},
	    {"an order that was never given", 48, 1},
	    {"out of order", 1, 0x7F},
	};
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct memory m = {0};
	struct revoked_base base;
	struct crl_entry e;
	size_t at = 70;
	bool found;

	(void)state;
	add(s, 0, 300);
	rebase(s, &m, &base);
	m.fail_at = m.reads + 1;
	expect_err(
	    "not read", revoked_set_find(s, row(5).entry.serial, &found, &e), ERR_WORLD, "test: test: the disk is gone");
	while (m.record[at * REVOKED_RECORD + 22] != 0) /* one without an invalidity date */
		at++;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct revoked_set *again OWNED(revoked_set_drop) = revoked_set_new();
		uint8_t *p = m.record + at * REVOKED_RECORD + rows[i].at, was = *p;

		*p = rows[i].value;
		expect_err(rows[i].row, revoked_set_base(again, &base), ERR_CORRUPT, what);
		*p = was;
		expect_ok("mended", revoked_set_base(again, &base));
		expect_true("the same set", digest_eq(revoked_set_digest(again), revoked_set_digest(s)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layers),
	    cmocka_unit_test(walks),
	    cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
