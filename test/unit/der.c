/* base/der: strict DER, X.690; OpenSSL's ASN.1 is the second opinion. */
#include "test/unit/test.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/der.h"

#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define TYPE "der-type: X.690 8.1.2: another element was expected here"
#define INTEGER "der-integer: X.690 8.3.2: an INTEGER is not in its shortest form"
#define NEGATIVE "der-negative: X.690 8.3: a negative INTEGER where none may be"
#define RANGE "der-range: X.690 8.3: an INTEGER is larger than it may be here"
#define OID_BAD "der-oid: X.690 8.19: not a well-formed OBJECT IDENTIFIER"
#define BITS "der-bits: X.690 8.6: a BIT STRING of whole bytes was expected"
#define NAMED "der-named-bits: X.690 11.2: a named-bit list is not in its shortest form"
#define TIME "der-time: RFC 5280 4.1.2.5: a time has seconds, Z and nothing else"
#define TIME_NONE "time: RFC 3339: not a date and time that exists"
#define TIME_RANGE "time-range: house: an instant lies within the years 1950 to 9999"
#define MINIMAL "der-minimal: X.690 10.1: a length is not in its shortest form"

static err
law_bool(slice *in, struct buf *b)
{
	bool v = false;

	TRY(der_get_bool(in, &v));
	der_put_bool(b, v);
	return ok;
}

static err
law_u64(slice *in, struct buf *b)
{
	uint64_t v = 0;

	TRY(der_get_u64(in, UINT64_MAX, &v));
	der_put_u64(b, v);
	return ok;
}

static err
law_enum(slice *in, struct buf *b)
{
	unsigned v = 0;

	TRY(der_get_enum(in, 7, &v));
	der_put_enum(b, v);
	return ok;
}

static err
law_integer(slice *in, struct buf *b)
{
	slice v = {NULL, 0};

	TRY(der_get_integer(in, &v));
	der_put_integer(b, v);
	return ok;
}

static err
law_oid(slice *in, struct buf *b)
{
	slice v = {NULL, 0};

	TRY(der_get_oid(in, &v));
	der_put_oid(b, v);
	return ok;
}

static err
law_bits(slice *in, struct buf *b)
{
	slice v = {NULL, 0};

	TRY(der_get_bits(in, &v));
	der_put_bits(b, v);
	return ok;
}

static err
law_named_bits(slice *in, struct buf *b)
{
	uint32_t v = 0;

	TRY(der_get_named_bits(in, &v));
	der_put_named_bits(b, v);
	return ok;
}

static err
law_null(slice *in, struct buf *b)
{
	TRY(der_get_null(in));
	der_put_null(b);
	return ok;
}

static err
law_time(slice *in, struct buf *b)
{
	instant v = {0};

	TRY(der_get_time(in, &v));
	der_put_time(b, v);
	return ok;
}

static err
law_gentime(slice *in, struct buf *b)
{
	instant v = {0};

	TRY(der_get_gentime(in, &v));
	der_put_gentime(b, v);
	return ok;
}

static err
law_octets(slice *in, struct buf *b)
{
	slice v = {NULL, 0};

	TRY(der_get(in, DER_OCTETS, &v));
	der_put(b, DER_OCTETS, v);
	return ok;
}

static err
law_sequence(slice *in, struct buf *b)
{
	slice v = {NULL, 0};
	size_t mark;

	TRY(der_get(in, DER_SEQUENCE, &v));
	mark = der_open(b, DER_SEQUENCE);
	buf_put(b, v);
	der_close(b, mark);
	return ok;
}

static err
law_any(slice *in, struct buf *b)
{
	slice v = {NULL, 0}, whole = {NULL, 0};
	uint8_t tag = 0;

	TRY(der_get_any(in, &tag, &v, &whole));
	der_put(b, tag, v);
	expect_same("whole", buf_slice(b), whole);
	return ok;
}

static void
test_rows(void **state)
{
	static const struct {
		err (*law)(slice *, struct buf *);
		const char *in, *expect;
	} rows[] = {
	    /* elements */
	    {law_any, "", SHORT},
	    {law_any, "30", SHORT},
	    {law_any, "3000", NULL},
	    {law_any, "300100", NULL},
	    {law_any, "3002 00", SHORT},
	    {law_any, "1F0100", "der-tag: X.690 8.1.2.4: a tag of more than one byte"},
	    {law_any, "BF810100", "der-tag: X.690 8.1.2.4: a tag of more than one byte"},
	    {law_any, "9E0100", NULL},
	    {law_any, "3080 0000", "der-indefinite: X.690 10.1: an indefinite length"},
	    {law_any, "3085 0000000001 00", "der-length: X.690 10.1: a length of more than four bytes"},
	    {law_any, "30FF", "der-length: X.690 10.1: a length of more than four bytes"},
	    {law_any, "3081", SHORT},
	    {law_any, "3082 01", SHORT},
	    {law_any, "3084 010000", SHORT},
	    {law_any, "3084 FFFFFFFF 00", SHORT},
	    {law_any, "3081 00", MINIMAL},
	    {law_any, "3081 01 00", MINIMAL},
	    {law_any, "3081 7F 00", MINIMAL},
	    {law_any, "3082 0080 00", MINIMAL},
	    {law_any, "3082 00FF 00", MINIMAL},
	    {law_any, "3084 00FFFFFF 00", MINIMAL},
	    {law_sequence, "3000", NULL},
	    {law_sequence, "300101", NULL},
	    {law_sequence, "3100", TYPE},
	    {law_sequence, "1000", TYPE}, /* primitive */
	    {law_octets, "0400", NULL},
	    {law_octets, "040141", NULL},
	    {law_octets, "2403040141", TYPE}, /* constructed */
	    /* BOOLEAN */
	    {law_bool, "010100", NULL},
	    {law_bool, "0101FF", NULL},
	    {law_bool, "010101", "der-bool: X.690 11.1: a BOOLEAN is 00 or FF"},
	    {law_bool, "0100", "der-bool: X.690 11.1: a BOOLEAN is 00 or FF"},
	    {law_bool, "01020000", "der-bool: X.690 11.1: a BOOLEAN is 00 or FF"},
	    {law_bool, "020100", TYPE},
	    {law_bool, "", SHORT},
	    /* INTEGER as a number */
	    {law_u64, "020100", NULL},
	    {law_u64, "02017F", NULL},
	    {law_u64, "02020080", NULL},
	    {law_u64, "020200FF", NULL},
	    {law_u64, "02020100", NULL},
	    {law_u64, "02087FFFFFFFFFFFFFFF", NULL},
	    {law_u64, "020900FFFFFFFFFFFFFFFF", NULL},
	    {law_u64, "0209010000000000000000", RANGE},
	    {law_u64, "0200", INTEGER},
	    {law_u64, "02020000", INTEGER},
	    {law_u64, "0202007F", INTEGER},
	    {law_u64, "0202FF80", NEGATIVE},
	    {law_u64, "020180", NEGATIVE},
	    {law_u64, "0201FF", NEGATIVE},
	    {law_u64, "0A0100", TYPE},
	    {law_u64, "0202 01", SHORT},
	    {law_enum, "0A0100", NULL},
	    {law_enum, "0A0107", NULL},
	    {law_enum, "0A0108", RANGE},
	    {law_enum, "0A020080", RANGE},
	    {law_enum, "020101", TYPE},
	    {law_enum, "0A0181", NEGATIVE},
	    {law_enum, "0A020001", INTEGER},
	    /* INTEGER as a magnitude */
	    {law_integer, "020100", NULL},
	    {law_integer, "0201 01", NULL},
	    {law_integer, "0211 00FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL},
	    {law_integer, "0210 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL},
	    {law_integer, "0211 007FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", INTEGER},
	    {law_integer, "0210 80FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NEGATIVE},
	    {law_integer, "0200", INTEGER},
	    /* OBJECT IDENTIFIER */
	    {law_oid, "06032A0304", NULL},
	    {law_oid, "060100", NULL},
	    {law_oid, "0603 883703", NULL},
	    {law_oid, "0600", OID_BAD},
	    {law_oid, "0603 2A8003", OID_BAD}, /* padded arc */
	    {law_oid, "0602 8001", OID_BAD},
	    {law_oid, "0602 2A83", OID_BAD}, /* torn arc */
	    {law_oid, "0D022A03", TYPE},
	    /* BIT STRING */
	    {law_bits, "030100", NULL},
	    {law_bits, "030200FF", NULL},
	    {law_bits, "0300", BITS},
	    {law_bits, "030201FE", BITS},
	    {law_bits, "2305 03030000FF", TYPE},
	    {law_named_bits, "030100", NULL}, /* none */
	    {law_named_bits, "03020780", NULL},
	    {law_named_bits, "030206C0", NULL},
	    {law_named_bits, "03020001", NULL},
	    {law_named_bits, "0303070080", NULL},
	    {law_named_bits, "030300FFFF", NULL},
	    {law_named_bits, "0300", NAMED},
	    {law_named_bits, "030101", NAMED},
	    {law_named_bits, "03020000", NAMED},     /* a zero bit at the end */
	    {law_named_bits, "030206 80", NAMED},    /* the same */
	    {law_named_bits, "030207 C0", NAMED},    /* an unused bit set */
	    {law_named_bits, "030208 80", NAMED},    /* eight unused bits */
	    {law_named_bits, "0303 00 8000", NAMED}, /* a zero byte at the end */
	    {law_named_bits, "0304 00 010101", NAMED},
	    {law_named_bits, "0402 0780", TYPE},
	    /* NULL */
	    {law_null, "0500", NULL},
	    {law_null, "050100", "der-trailing: X.690 8.1: bytes follow where nothing may follow"},
	    {law_null, "0400", TYPE},
	    /* times: 2026-11-22T01:02:03Z */
	    {law_time, "170D 3236313132323031303230335A", NULL},
	    {law_time, "170D 3530303130313030303030305A", NULL}, /* 1950-01-01 */
	    {law_time, "170D 3439313233313233353935395A", NULL}, /* 2049-12-31 */
	    {law_time, "180F 32303530303130313030303030305A", NULL},
	    {law_time, "180F 39393939313233313233353935395A", NULL},
	    {law_time, "180F 32303439313233313233353935395A",
	        "der-time-form: RFC 5280 4.1.2.5: a year before 2050 is a UTCTime"},
	    {law_time, "170B 32363131323230313032 5A", TIME},            /* no seconds */
	    {law_time, "170D 3236313132323031303230332B", TIME},         /* no Z */
	    {law_time, "1711 3236313132323031303230332B30393030", TIME}, /* +0900 */
	    {law_time, "170D 3236313132323031303230 20 5A", TIME},
	    {law_time, "170D 2D36313132323031303230335A", TIME},
	    {law_time, "170D 3236313331323031303230335A", TIME_NONE}, /* month 13 */
	    {law_time, "170D 3233303232393031303230335A", TIME_NONE}, /* 29 February 2023 */
	    {law_time, "170D 3236313132323031303236305A", TIME_NONE}, /* second 60 */
	    {law_time, "1700", TIME},
	    {law_time, "0500", TYPE},
	    {law_time, "", SHORT},
	    {law_gentime, "180F 32303236313132323031303230335A", NULL},
	    {law_gentime, "180F 31393530303130313030303030305A", NULL},
	    {law_gentime, "180F 31393439313233313233353935395A", TIME_RANGE},
	    {law_gentime, "1811 32303236313132323031303230332E315A", TIME}, /* a fraction */
	    {law_gentime, "180D 323032363131323230313032 5A", TIME},
	    {law_gentime, "180F 3230323631313232303130323033 7A", TIME},
	    {law_gentime, "170D 3236313132323031303230335A", TYPE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(100);
		slice in = hex(rows[i].in), rest = in, more = join(in, hex("0500")), left = more;

		expect_text(rows[i].in, rows[i].law(&rest, &b), rows[i].expect);
		if (rows[i].expect != NULL) {
			expect_true(rows[i].in, rest.p == in.p && rest.n == in.n);
			continue;
		}
		expect_ok(rows[i].in, der_end(rest));
		expect_same(rows[i].in, buf_slice(&b), in);
		/* what follows is left alone */
		buf_clear(&b);
		expect_ok(rows[i].in, rows[i].law(&left, &b));
		expect_same(rows[i].in, left, hex("0500"));
	}
}

/* Every length form at its edges, with a body that is there, and cut by one. */
static void
test_lengths(void **state)
{
	static const size_t rows[] = {0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 65534, 65535, 65536, 65537, 70000};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf a OWNED(buf_drop) = BUF(80000), b OWNED(buf_drop) = BUF(80000);
		struct buf fits OWNED(buf_drop) = BUF(0), less OWNED(buf_drop) = BUF(0);
		slice body = bytes(rows[i], 0x5A), in, out, whole;
		ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
		unsigned char *ref = NULL;
		size_t mark;
		int n;

		der_put(&a, DER_OCTETS, body);
		mark = der_open(&b, DER_OCTETS);
		buf_put(&b, body);
		der_close(&b, mark);
		expect_same("put is open, write, close", buf_slice(&a), buf_slice(&b));
		ASN1_OCTET_STRING_set(s, body.p, (int)body.n);
		n = i2d_ASN1_OCTET_STRING(s, &ref);
		expect_same("openssl", buf_slice(&a), slice_of(ref, (size_t)n));
		OPENSSL_free(ref);
		ASN1_OCTET_STRING_free(s);

		in = copy(buf_slice(&a));
		expect_ok("whole", der_get_whole(&in, DER_OCTETS, &whole));
		expect_same("whole", whole, buf_slice(&a));
		in = copy(buf_slice(&a));
		expect_ok("get", der_get(&in, DER_OCTETS, &out));
		expect_same("get", out, body);
		in = copy((slice){a.p, a.n - 1});
		expect_err("cut", der_get(&in, DER_OCTETS, &out), ERR_INPUT, SHORT);
		assert_int_equal(in.n, a.n - 1);

		fits.max = a.n;
		der_close(&fits, (mark = der_open(&fits, DER_OCTETS), buf_put(&fits, body), mark));
		expect_ok("limit at max", buf_check(&fits));
		expect_same("limit at max", buf_slice(&fits), buf_slice(&a));
		less.max = a.n - 1;
		der_close(&less, (mark = der_open(&less, DER_OCTETS), buf_put(&less, body), mark));
		expect_err(
		    "limit at max+1", buf_check(&less), ERR_INPUT, "buf-limit: house: more bytes than this object may have");
	}
}

static void
test_limits(void **state)
{
	slice in;
	uint64_t v = 77;
	unsigned e = 77;

	(void)state;
	in = hex("020103");
	expect_ok("max", der_get_u64(&in, 3, &v));
	expect_number("max", v, 3);
	in = hex("020104");
	v = 77;
	expect_err("max+1", der_get_u64(&in, 3, &v), ERR_INPUT, RANGE);
	expect_number("untouched", v, 77);
	assert_int_equal(in.n, 3);
	in = hex("0A0103");
	expect_ok("enum max", der_get_enum(&in, 3, &e));
	assert_int_equal(e, 3);
	in = hex("0A0104");
	expect_err("enum max+1", der_get_enum(&in, 3, &e), ERR_INPUT, RANGE);

	expect_ok("nothing left", der_end((slice){NULL, 0}));
	expect_err(
	    "one left", der_end(LIT("x")), ERR_INPUT, "der-trailing: X.690 8.1: bytes follow where nothing may follow");
	assert_true(der_next_is(hex("0500"), DER_NULL));
	assert_false(der_next_is(hex("0500"), DER_SEQUENCE));
	assert_false(der_next_is((slice){NULL, 0}, 0));
	assert_int_equal(DER_CTX(30), 0x9E);
	assert_int_equal(DER_CTXC(3), 0xA3);
	in = hex("0500 0400");
	expect_ok("nothing asked for", der_get_any(&in, NULL, NULL, NULL));
	expect_same("moved", in, hex("0400"));
}

/* A whole structure, nested, over the one-byte length, as OpenSSL writes it. */
static void
test_nested(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(1000);
	size_t a, c, d;
	slice out, in, bits;

	(void)state;
	a = der_open(&b, DER_SEQUENCE);
	c = der_open_bits(&b);
	d = der_open(&b, DER_SET);
	der_put(&b, DER_UTF8, bytes(200, 'x'));
	der_close(&b, d);
	der_close(&b, c);
	der_put_null(&b);
	der_close(&b, a);
	in = buf_slice(&b);
	expect_ok("seq", der_get(&in, DER_SEQUENCE, &out));
	expect_ok("end", der_end(in));
	expect_ok("bits", der_get_bits(&out, &bits));
	expect_ok("null", der_get_null(&out));
	expect_ok("end", der_end(out));
	expect_ok("set", der_get(&bits, DER_SET, &out));
	expect_ok("utf8", der_get(&out, DER_UTF8, &in));
	expect_same("text", in, bytes(200, 'x'));
}

/* OpenSSL reads every number we write, as that number, and writes it the same way. */
static void
test_openssl_numbers(void **state)
{
	uint64_t v = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct buf b OWNED(buf_drop) = BUF(20);
		const unsigned char *p;
		unsigned char *ref = NULL;
		ASN1_INTEGER *n;
		uint64_t back = 0;
		int len;

		v = i < 70 ? (UINT64_C(1) << i % 64) - (i & 1) : v * UINT64_C(6364136223846793005) + i;
		der_put_u64(&b, v);
		p = b.p;
		n = d2i_ASN1_INTEGER(NULL, &p, (long)b.n);
		assert_non_null(n);
		assert_int_equal(ASN1_INTEGER_get_uint64(&back, n), 1);
		expect_number("openssl reads", back, v);
		len = i2d_ASN1_INTEGER(n, &ref);
		expect_same("openssl writes", buf_slice(&b), slice_of(ref, (size_t)len));
		OPENSSL_free(ref);
		ASN1_INTEGER_free(n);
	}
}

static void
test_openssl_times(void **state)
{
	(void)state;
	for (int64_t ms = INSTANT_MIN_MS; ms < INSTANT_MAX_MS; ms += 399 * DAY_MS + 4321000) {
		struct buf b OWNED(buf_drop) = BUF(20);
		instant t = instant_floor_second((instant){ms});
		const unsigned char *p;
		ASN1_TIME *n, *u;
		unsigned char *ref = NULL;
		int len, days = 1, seconds = 1;

		der_put_time(&b, t);
		p = b.p;
		n = d2i_ASN1_TIME(NULL, &p, (long)b.n);
		assert_non_null(n);
		u = ASN1_TIME_set(NULL, (time_t)(t.ms / 1000));
		assert_int_equal(ASN1_TIME_diff(&days, &seconds, n, u), 1);
		if (days != 0 || seconds != 0)
			fail_msg("openssl reads another time for %lld", (long long)t.ms);
		len = i2d_ASN1_TIME(u, &ref);
		expect_same("openssl writes", buf_slice(&b), slice_of(ref, (size_t)len));
		OPENSSL_free(ref);
		ASN1_TIME_free(n);
		ASN1_TIME_free(u);
	}
}

/* Named bits as OpenSSL writes them: every list of up to nine bits (keyUsage). */
static void
test_openssl_named_bits(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 512; v++) {
		struct buf b OWNED(buf_drop) = BUF(20);
		ASN1_BIT_STRING *s = ASN1_BIT_STRING_new();
		unsigned char *ref = NULL;
		uint32_t back = 0;
		slice in;
		int len;

		for (int i = 0; i < 9; i++)
			if (v >> i & 1)
				ASN1_BIT_STRING_set_bit(s, i, 1);
		len = i2d_ASN1_BIT_STRING(s, &ref);
		der_put_named_bits(&b, v);
		expect_same("openssl", buf_slice(&b), slice_of(ref, (size_t)len));
		in = buf_slice(&b);
		expect_ok("get", der_get_named_bits(&in, &back));
		expect_number("get", back, v);
		OPENSSL_free(ref);
		ASN1_BIT_STRING_free(s);
	}
	for (uint32_t v = 0; v < 65536; v += 251) {
		struct buf b OWNED(buf_drop) = BUF(20);
		uint32_t back = 0;
		slice in;

		der_put_named_bits(&b, v);
		in = buf_slice(&b);
		expect_ok("get", der_get_named_bits(&in, &back));
		expect_number("get", back, v);
	}
}

static void
test_oid_dotted(void **state)
{
	static const char *const bad = "oid: X.660: an object identifier is written like 1.2.392.200149";
	static const struct {
		const char *in;
		bool good;
	} rows[] = {
	    {"1.2.392.200149.8.5.5.1", true},
	    {"0.0", true},
	    {"0.39", true},
	    {"1.39", true},
	    {"2.0", true},
	    {"2.39", true},
	    {"2.40", true},
	    {"2.999.3", true},
	    {"1.2.840.113549.1.1.11", true},
	    {"2.5.29.15", true},
	    {"1.3.9223372036854775807", true},
	    {"2.9223372036854775807", true},
	    {"1.3.9223372036854775808", false},
	    {"2.9223372036854775808", false},
	    {"0.40", false},
	    {"1.40", false},
	    {"3.1", false},
	    {"1", false},
	    {"", false},
	    {".", false},
	    {"1.", false},
	    {"1.2.", false},
	    {".1.2", false},
	    {"1..2", false},
	    {"1.02", false},
	    {"01.2", false},
	    {"1.2 ", false},
	    {"1.-2", false},
	    {"1.2a", false},
	    {"id-ce", false},
	};
	char longest[200] = "1.2", *end = longest + 3;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(64), back OWNED(buf_drop) = BUF(200);
		ASN1_OBJECT *o;

		if (!rows[i].good) {
			expect_err(rows[i].in, oid_get_dotted(txt(rows[i].in), &b), ERR_INPUT, bad);
			assert_int_equal(b.n, 0);
			continue;
		}
		expect_ok(rows[i].in, oid_get_dotted(txt(rows[i].in), &b));
		oid_put_dotted(&back, buf_slice(&b));
		expect_same(rows[i].in, buf_slice(&back), txt(rows[i].in));
		o = OBJ_txt2obj(rows[i].in, 1);
		assert_non_null(o);
		expect_same(rows[i].in, buf_slice(&b), slice_of(OBJ_get0_data(o), OBJ_length(o)));
		ASN1_OBJECT_free(o);
	}
	/* 64 bytes of content, and 65 */
	for (size_t n = 1; n < 64; n++) {
		*end++ = '.';
		*end++ = '1';
		*end = '\0';
	}
	for (size_t n = 64; n < 66; n++) {
		struct buf b OWNED(buf_drop) = BUF(100);

		if (n == 64) {
			expect_ok("64 bytes", oid_get_dotted(txt(longest), &b));
			assert_int_equal(b.n, 64);
		} else
			expect_err("65 bytes", oid_get_dotted(txt(longest), &b), ERR_INPUT, bad);
		*end++ = '.';
		*end++ = '1';
		*end = '\0';
	}
	/* the caller's own limit */
	{
		struct buf b OWNED(buf_drop) = BUF(2);

		expect_err("limit", oid_get_dotted(LIT("1.2.3.4"), &b), ERR_INPUT,
		    "buf-limit: house: more bytes than this object may have");
	}
}

/* Arcs too large for 64 bits are said not to be shown, never shown as another number. */
static void
test_oid_large(void **state)
{
	static const struct {
		const char *content, *dotted;
	} rows[] = {
	    {"2A 81FFFFFFFFFFFFFFFF7F", "1.2.18446744073709551615"}, {"2A 82808080808080808000", "1.2.?"},
	    {"2A 82808080808080808000 03", "1.2.?.3"}, {"81FFFFFFFFFFFFFFFF7F 01", "2.18446744073709551535.1"},
	    {"82808080808080808000 01", "2.?.1"}, {"69 83BFBEB8F0D0A0E0E7D0D0F0E0D0C0B0A00001", "2.25.?.1"}, /* a UUID */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(200);

		oid_put_dotted(&b, hex(rows[i].content));
		expect_same(rows[i].content, buf_slice(&b), txt(rows[i].dotted));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_openssl_numbers),
	    cmocka_unit_test(test_openssl_times),
	    cmocka_unit_test(test_openssl_named_bits),
	    cmocka_unit_test(test_oid_dotted),
	    cmocka_unit_test(test_oid_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
