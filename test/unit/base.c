/* base/base: errors, slices, buffers, hexadecimal, base64, numbers, secrets. */
#include "test/unit/test.h"

#include <openssl/evp.h>

static void
test_err(void **state)
{
	err e = fail_why(ERR_WORLD, "disk: house: a text of this test", 28);

	(void)state;
	expect_err("fail_why", e, ERR_WORLD, "disk: house: a text of this test");
	assert_int_equal(e.why, 28);
	expect_err("fail", fail(ERR_BUSY, "x: y: z"), ERR_BUSY, "x: y: z");
	expect_ok("ok", ok);
	assert_null(ok.what);
}

static void
test_slice(void **state)
{
	static const struct {
		const char *a, *b;
		int cmp;
	} rows[] = {
	    {"", "", 0},
	    {"", "a", -1},
	    {"a", "", 1},
	    {"a", "a", 0},
	    {"a", "b", -1},
	    {"ab", "b", -1},
	    {"ab", "a", 1},
	    {"\xFF", "a", 1},
	};
	slice s, out = LIT("untouched");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice a = txt(rows[i].a), b = txt(rows[i].b);
		int c = slice_cmp(a, b);

		expect_true(row_name("cmp", i), (c > 0) - (c < 0) == rows[i].cmp);
		expect_true(row_name("eq", i), slice_eq(a, b) == (rows[i].cmp == 0));
		expect_true(row_name("eq_secret", i), slice_eq_secret(a, b) == (rows[i].cmp == 0));
	}
	assert_true(slice_eq(slice_str(NULL), (slice){NULL, 0}));
	assert_true(slice_has_prefix(LIT("abc"), LIT("")));
	assert_true(slice_has_prefix(LIT("abc"), LIT("abc")));
	assert_false(slice_has_prefix(LIT("abc"), LIT("abcd")));
	assert_false(slice_has_prefix(LIT("abc"), LIT("b")));

	s = LIT("abc");
	assert_false(slice_take(&s, 4, &out));
	expect_same("take beyond", out, LIT("untouched"));
	expect_same("take beyond moves nothing", s, LIT("abc"));
	assert_true(slice_take(&s, 3, &out));
	expect_same("take all", out, LIT("abc"));
	assert_int_equal(s.n, 0);
	assert_true(slice_take(&s, 0, &out));
	assert_false(slice_take(&s, SIZE_MAX, &out));

	s = LIT("a=b=c");
	assert_true(slice_cut(&s, '=', &out));
	expect_same("cut", out, LIT("a"));
	assert_true(slice_cut(&s, '=', &out));
	expect_same("cut again", out, LIT("b"));
	assert_false(slice_cut(&s, '=', &out));
	expect_same("cut moves nothing", s, LIT("c"));
	s = (slice){NULL, 0};
	assert_false(slice_cut(&s, '=', &out));
}

static void
test_buf(void **state)
{
	const char *const over = "buf-limit: house: more bytes than this object may have";
	struct buf b OWNED(buf_drop) = BUF(10);
	struct buf none OWNED(buf_drop) = BUF(0);
	struct buf big OWNED(buf_drop) = BUF(100000);

	(void)state;
	expect_ok("empty", buf_check(&b));
	assert_int_equal(buf_slice(&b).n, 0);
	assert_non_null(buf_space(&b, 0));
	buf_put_str(&b, "0123456789");
	expect_ok("max", buf_check(&b));
	expect_same("max", buf_slice(&b), LIT("0123456789"));
	buf_put(&b, LIT(""));
	expect_ok("max and nothing", buf_check(&b));
	buf_put_u8(&b, 'x');
	expect_err("max+1", buf_check(&b), ERR_INPUT, over);
	expect_same("what stood there stands", buf_slice(&b), LIT("0123456789"));
	buf_eat(&b, 4);
	expect_same("eaten", buf_slice(&b), LIT("456789"));
	buf_put_u8(&b, 'x');
	expect_err("the mark stays", buf_check(&b), ERR_INPUT, over);
	buf_clear(&b);
	expect_ok("cleared", buf_check(&b));
	buf_put_u8(&b, 'x');
	expect_same("cleared", buf_slice(&b), LIT("x"));
	assert_null(buf_space(&b, SIZE_MAX));
	buf_eat(&b, 0);

	for (int i = 0; i < 2; i++) { /* hexadecimal and base64 stop at the limit too, whole */
		struct buf small OWNED(buf_drop) = BUF(7);

		if (i == 0)
			buf_put_hex(&small, LIT("abcd"));
		else
			buf_put_base64(&small, LIT("abcd"));
		expect_err("8 bytes in 7", buf_check(&small), ERR_INPUT, over);
		assert_int_equal(small.n, 0);
	}

	assert_non_null(buf_space(&none, 0));
	buf_put_u8(&none, 0);
	expect_err("limit 0", buf_check(&none), ERR_INPUT, over);

	for (unsigned i = 0; i < 100000; i++)
		buf_put_u8(&big, (uint8_t)(i * 7));
	expect_ok("grown", buf_check(&big));
	assert_int_equal(big.cap, 100000);
	for (unsigned i = 0; i < 100000; i++)
		if (big.p[i] != (uint8_t)(i * 7))
			fail_msg("byte %u", i);
	buf_drop(&big);
	buf_drop(&big);
	assert_int_equal(big.n, 0);
	assert_int_equal(big.max, 100000);
}

static void
test_hex(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *expect;
	} rows[] = {
	    {"", 0, NULL},
	    {"00ff", 2, NULL},
	    {"0123456789abcdef", 8, NULL},
	    {"00f", 2, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"00", 2, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"00ff00", 2, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"00FF", 2, "hex-digit: house: a hexadecimal value has another character in it"},
	    {"00f ", 2, "hex-digit: house: a hexadecimal value has another character in it"},
	    {"0x00", 2, "hex-digit: house: a hexadecimal value has another character in it"},
	    {"00g0", 2, "hex-digit: house: a hexadecimal value has another character in it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(64);
		uint8_t out[8] = {0xEE, 0xEE};

		expect_text(rows[i].in, hex_get(txt(rows[i].in), out, rows[i].n), rows[i].expect);
		if (rows[i].expect != NULL) {
			assert_int_equal(out[0], 0xEE);
			continue;
		}
		buf_put_hex(&b, (slice){out, rows[i].n});
		expect_same(rows[i].in, buf_slice(&b), txt(rows[i].in));
	}
}

static void
test_base64(void **state)
{
	static const char *const bad = "base64: RFC 4648 3.5: not canonical base64";
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
	    /* RFC 4648 10 */
	    {"", ""},
	    {"Zg==", "f"},
	    {"Zm8=", "fo"},
	    {"Zm9v", "foo"},
	    {"Zm9vYg==", "foob"},
	    {"Zm9vYmE=", "fooba"},
	    {"Zm9vYmFy", "foobar"},
	    {"+/+/", "\xFB\xFF\xBF"},
	    {"Zh==", NULL}, /* bits left over */
	    {"Zm9=", NULL},
	    {"Zg=", NULL},
	    {"Zg", NULL},
	    {"Z", NULL},
	    {"====", NULL},
	    {"Z===", NULL},
	    {"=", NULL},
	    {"Zg==Zg==", NULL}, /* padding within */
	    {"Zm9v\n", NULL},
	    {"Zm9v Zg=", NULL},
	    {"-_-_", NULL}, /* the other alphabet */
	    {"Zm8*", NULL},
	};
	uint8_t raw[70];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(64), back OWNED(buf_drop) = BUF(64);

		buf_put_str(&b, "+");
		if (rows[i].out == NULL) {
			expect_err(rows[i].in, base64_get(txt(rows[i].in), &b), ERR_INPUT, bad);
			expect_same(rows[i].in, buf_slice(&b), LIT("+"));
			continue;
		}
		expect_ok(rows[i].in, base64_get(txt(rows[i].in), &b));
		buf_eat(&b, 1);
		expect_same(rows[i].in, buf_slice(&b), txt(rows[i].out));
		buf_put_base64(&back, buf_slice(&b));
		expect_same(rows[i].in, buf_slice(&back), txt(rows[i].in));
	}
	/* OpenSSL writes the same, for every length; and the limit holds at max and max+1. */
	for (size_t n = 0; n < sizeof raw; n++) {
		struct buf b OWNED(buf_drop) = BUF(100), out OWNED(buf_drop) = BUF(n);
		struct buf less OWNED(buf_drop) = BUF(n == 0 ? 0 : n - 1);
		unsigned char ref[120];
		int len;

		raw[n] = (uint8_t)(n * 37 + 11);
		len = EVP_EncodeBlock(ref, raw, (int)n);
		buf_put_base64(&b, (slice){raw, n});
		expect_same(row_name("openssl", n), buf_slice(&b), slice_of(ref, (size_t)len));
		expect_ok(row_name("max", n), base64_get(buf_slice(&b), &out));
		expect_same(row_name("max", n), buf_slice(&out), (slice){raw, n});
		if (n == 0)
			continue;
		expect_err(row_name("max+1", n), base64_get(buf_slice(&b), &less), ERR_INPUT,
		    "buf-limit: house: more bytes than this object may have");
		assert_int_equal(less.n, 0);
	}
}

static void
test_decimal(void **state)
{
	static const char *const bad = "number: house: not a plain decimal number within its limit";
	static const struct {
		const char *in;
		uint64_t max, out;
		bool good;
	} rows[] = {
	    {"0", 0, 0, true}, {"1", 1, 1, true}, {"2", 1, 0, false}, {"10", 10, 10, true}, {"11", 10, 0, false},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, true}, {"18446744073709551616", UINT64_MAX, 0, false},
	    {"18446744073709551625", UINT64_MAX, 0, false}, {"99999999999999999999", UINT64_MAX, 0, false},
	    {"100000000000000000000", UINT64_MAX, 0, false}, {"", 9, 0, false}, {"00", 9, 0, false}, {"01", 9, 0, false},
	    {"-1", 9, 0, false}, {"+1", 9, 0, false}, {" 1", 9, 0, false}, {"1 ", 9, 0, false}, {"1\n", 99, 0, false},
	    {"0x1", 9, 0, false}, {"1.0", 99, 0, false}, {"\xEF\xBC\x91", 9, 0, false}, /* a full-width digit */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(20);
		uint64_t v = 77;

		if (!rows[i].good) {
			expect_err(rows[i].in, decimal_get(txt(rows[i].in), rows[i].max, &v), ERR_INPUT, bad);
			expect_number(rows[i].in, v, 77);
			continue;
		}
		expect_ok(rows[i].in, decimal_get(txt(rows[i].in), rows[i].max, &v));
		expect_number(rows[i].in, v, rows[i].out);
		buf_put_decimal(&b, v);
		expect_same(rows[i].in, buf_slice(&b), txt(rows[i].in));
	}
}

/* Most significant byte first, and nothing beside the n bytes. */
static void
test_be(void **state)
{
	static const struct {
		size_t n;
		uint64_t v, read;
		uint8_t bytes[9];
	} rows[] = {
	    {1, 0xAB, 0xAB, {0xAB, 9, 9, 9, 9, 9, 9, 9, 9}},
	    {2, 0x1234, 0x1234, {0x12, 0x34, 9, 9, 9, 9, 9, 9, 9}},
	    {6, 0x8001020304FF, 0x8001020304FF, {0x80, 1, 2, 3, 4, 0xFF, 9, 9, 9}},
	    {8, UINT64_MAX - 1, UINT64_MAX - 1, {255, 255, 255, 255, 255, 255, 255, 254, 9}},
	    {2, 0x561234, 0x1234, {0x12, 0x34, 9, 9, 9, 9, 9, 9, 9}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t p[9];

		memset(p, 9, sizeof p);
		be_put(p, rows[i].n, rows[i].v);
		expect_same(row_name("n", rows[i].n), ARR(p), ARR(rows[i].bytes));
		expect_number(row_name("n", rows[i].n), be_get(p, rows[i].n), rows[i].read);
	}
}

static void
test_secret(void **state)
{
	static const struct secret zero;
	struct secret s OWNED(secret_drop) = {.n = 0};

	(void)state;
	expect_ok("max", secret_set(&s, bytes(SECRET_MAX, 7)));
	expect_same("max", secret_slice(&s), bytes(SECRET_MAX, 7));
	expect_err("max+1", secret_set(&s, bytes(SECRET_MAX + 1, 8)), ERR_INPUT,
	    "secret-long: house: a secret is longer than any we handle");
	expect_same("unchanged", secret_slice(&s), bytes(SECRET_MAX, 7));
	expect_ok("shorter", secret_set(&s, LIT("1234")));
	expect_same("shorter", secret_slice(&s), LIT("1234"));
	for (size_t i = 4; i < SECRET_MAX; i++)
		assert_int_equal(s.p[i], 0);
	expect_ok("none", secret_set(&s, (slice){NULL, 0}));
	assert_int_equal(s.n, 0);
	expect_ok("again", secret_set(&s, LIT("1234")));
	secret_drop(&s);
	assert_memory_equal(&s, &zero, sizeof s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_err),
	    cmocka_unit_test(test_slice),
	    cmocka_unit_test(test_buf),
	    cmocka_unit_test(test_hex),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_decimal),
	    cmocka_unit_test(test_be),
	    cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
