/* base/frame: frames on a stream, and the gate that says which may be heard. */
#include "test/unit/test.h"

#include "base/der.h"
#include "base/frame.h"

#define FORM "frame-form: house: a stream between processes does not hold frames"
#define LONG "frame-long: house: a frame is longer than 128 KiB"

static void
test_rows(void **state)
{
	static const struct {
		const char *name, *in, *expect;
		bool whole;
	} rows[] = {
	    {"nothing yet", "", NULL, false},
	    {"a tag", "30", NULL, false},
	    {"a length torn", "3081", NULL, false},
	    {"a length torn", "308201", NULL, false},
	    {"the body torn", "3010 020101 020102 0A0103 0C0178 0402 41", NULL, false},
	    {"whole", "3010 020101 020102 0A0103 0C0178 0402 4142", NULL, true},
	    {"empty text and body", "300D 020100 020100 0A0100 0C00 0400", NULL, true},
	    {"largest numbers", "3015 020200FF 02087FFFFFFFFFFFFFFF 0A0107 0C00 0400", NULL, true},
	    {"an empty frame", "3000", FORM, false},
	    {"another tag", "31", FORM, false},
	    {"text", "474554202F", FORM, false},
	    {"a zero byte", "00", FORM, false},
	    {"an indefinite length", "3080", FORM, false},
	    {"a length of four bytes", "3084", LONG, false},
	    {"a length of 127 bytes", "30FF", LONG, false},
	    {"a length not minimal", "30810D 020100 020100 0A0100 0C00 0400", FORM, false},
	    {"kind 256", "300E 02020100 020100 0A0100 0C00 0400", FORM, false},
	    {"kind -1", "300D 0201FF 020100 0A0100 0C00 0400", FORM, false},
	    {"id 2^63", "3015 020100 0209008000000000000000 0A0100 0C00 0400", FORM, false},
	    {"fail 8", "300D 020100 020100 0A0108 0C00 0400", FORM, false},
	    {"fail as INTEGER", "300D 020100 020100 020100 0C00 0400", FORM, false},
	    {"what as IA5String", "300D 020100 020100 0A0100 1600 0400", FORM, false},
	    {"body as BIT STRING", "300D 020100 020100 0A0100 0C00 0300", FORM, false},
	    {"no body", "300B 020100 020100 0A0100 0C00", FORM, false},
	    {"one member more", "300F 020100 020100 0A0100 0C00 0400 0500", FORM, false},
	    {"a body beyond the frame", "300D 020100 020100 0A0100 0C00 0401", FORM, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice in = hex(rows[i].in), s = in;
		struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
		struct frame f = {.kind = 99};
		bool whole = !rows[i].whole;
		err e = frame_get(&s, &whole, &f);

		if (rows[i].expect != NULL) {
			expect_err(rows[i].name, e, ERR_CORRUPT, rows[i].expect);
			expect_true(rows[i].name, s.p == in.p && s.n == in.n && f.kind == 99);
			continue;
		}
		expect_ok(rows[i].name, e);
		expect_true(rows[i].name, whole == rows[i].whole);
		if (!whole) {
			expect_true(rows[i].name, s.p == in.p && s.n == in.n && f.kind == 99);
			continue;
		}
		assert_int_equal(s.n, 0);
		frame_put(&b, &f);
		expect_same(rows[i].name, buf_slice(&b), in);
	}
}

/* A stream cut at every byte: each frame comes when its last byte does, none sooner, none twice. */
static void
test_stream(void **state)
{
	struct buf all OWNED(buf_drop) = BUF(1 << 20);
	size_t ends[4], n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		static const size_t bodies[] = {0, 100, 130, 300};
		struct frame f = {.kind = (uint8_t)(i * 80),
		    .id = i * 1000000007,
		    .fail = (enum err_kind)i,
		    .what = LIT("a: b: c"),
		    .body = bytes(bodies[i], 'b')};

		frame_put(&all, &f);
		ends[i] = all.n;
	}
	for (size_t cut = 0; cut <= all.n; cut++) {
		slice s = copy((slice){all.p, cut});
		size_t got = 0;
		bool whole = true;

		while (whole) {
			struct frame f;

			expect_ok("stream", frame_get(&s, &whole, &f));
			if (!whole)
				break;
			assert_int_equal(f.kind, got * 80);
			assert_true(f.id == got * 1000000007);
			assert_int_equal(f.fail, got);
			expect_same("what", f.what, LIT("a: b: c"));
			got++;
		}
		for (n = 0; n < COUNT(ends) && ends[n] <= cut; n++)
			;
		assert_int_equal(got, n);
	}
}

static void
test_limits(void **state)
{
	/* head 5, kind 3, id 3, fail 3, what 2, the body's head 5 */
	const size_t most = FRAME_MAX - 21;
	const size_t rows[] = {FRAME_BODY_MAX, FRAME_BODY_MAX + 1, most - 1, most, most + 1, most + 2, 1 << 18};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(1 << 20), again OWNED(buf_drop) = BUF(FRAME_MAX);
		struct frame f = {.kind = 1, .id = 1, .body = bytes(rows[i], 'b')}, g;
		bool whole = false;
		slice s;

		frame_put(&b, &f);
		s = copy(buf_slice(&b));
		assert_true((rows[i] > most) == (b.n > FRAME_MAX));
		if (b.n > FRAME_MAX) {
			expect_err(row_name("max+", i), frame_get(&s, &whole, &g), ERR_CORRUPT, LONG);
			s.n = 5; /* and as soon as its length is there */
			expect_err(row_name("max+", i), frame_get(&s, &whole, &g), ERR_CORRUPT, LONG);
			continue;
		}
		expect_ok(row_name("max", i), frame_get(&s, &whole, &g));
		assert_true(whole);
		expect_same(row_name("max", i), g.body, f.body);
		frame_put(&again, &g);
		expect_ok(row_name("max", i), buf_check(&again));
		expect_same(row_name("max", i), buf_slice(&again), buf_slice(&b));
	}
	/* what FRAME_BODY_MAX leaves is enough for every other member at its longest */
	{
		struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
		struct frame f = {.kind = 255,
		    .id = INT64_MAX,
		    .fail = ERR_CORRUPT,
		    .what = bytes(900, 'w'),
		    .body = bytes(FRAME_BODY_MAX, 'b')};

		frame_put(&b, &f);
		expect_ok("the longest", buf_check(&b));
	}
}

enum { HELLO = 1, ORDER, BYE };
enum { START, READY, DONE };

static void
test_gate(void **state)
{
	static const struct gate gate[] = {
	    {.kind = HELLO, .from = 7, .when = 1U << START, .most = 0, .then = READY},
	    {.kind = ORDER, .from = 7, .when = 1U << READY, .most = 100, .then = GATE_STAY},
	    {.kind = ORDER, .from = 7, .when = 1U << DONE, .most = 5, .then = START},
	    {.kind = ORDER, .from = 8, .when = GATE_ANY, .most = 10, .then = GATE_STAY},
	    {.kind = BYE, .from = 7, .when = 1U << READY | 1U << START, .most = 0, .then = DONE},
	    {.kind = 255, .from = 9, .when = 1U << 31, .most = 0, .then = 0},
	};
	static const struct {
		uint8_t kind;
		unsigned from;
		int state;
		size_t body;
		const char *expect;
		int after;
	} rows[] = {
	    {HELLO, 7, START, 0, NULL, READY},
	    {HELLO, 7, START, 1, "gate-long: house: a peer said more than it may", START},
	    {HELLO, 7, READY, 0, "gate-early: house: a peer said something that may not be said now", READY},
	    {HELLO, 8, START, 0, "gate-unknown: house: a peer said something this role does not hear", START},
	    {0, 7, START, 0, "gate-unknown: house: a peer said something this role does not hear", START},
	    {4, 7, START, 0, "gate-unknown: house: a peer said something this role does not hear", START},
	    {ORDER, 7, START, 0, "gate-early: house: a peer said something that may not be said now", START},
	    {ORDER, 7, READY, 100, NULL, READY},
	    {ORDER, 7, READY, 101, "gate-long: house: a peer said more than it may", READY},
	    {ORDER, 7, DONE, 5, NULL, START}, /* the same frame in another state has a row of its own */
	    {ORDER, 7, DONE, 6, "gate-long: house: a peer said more than it may", DONE},
	    {ORDER, 8, 31, 10, NULL, 31},
	    {ORDER, 8, START, 11, "gate-long: house: a peer said more than it may", START},
	    {BYE, 7, READY, 0, NULL, DONE},
	    {BYE, 7, DONE, 0, "gate-early: house: a peer said something that may not be said now", DONE},
	    {255, 9, 31, 0, NULL, 0},
	    {255, 9, 30, 0, "gate-early: house: a peer said something that may not be said now", 30},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame f = {.kind = rows[i].kind, .body = bytes(rows[i].body, 0)};
		int at = rows[i].state;
		err e = gate_check(gate, COUNT(gate), rows[i].from, &at, &f);

		if (rows[i].expect == NULL)
			expect_ok(row_name("gate", i), e);
		else
			expect_err(row_name("gate", i), e, ERR_CORRUPT, rows[i].expect);
		expect_true(row_name("gate", i), at == rows[i].after);
	}
	{
		struct frame f = {.kind = HELLO};
		int at = 0;

		expect_err("no rows", gate_check(NULL, 0, 7, &at, &f), ERR_CORRUPT,
		    "gate-unknown: house: a peer said something this role does not hear");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
