#include "test/unit/pki.h"

#include <time.h>

#include "pki/crl.h"
#include "pki/extension.h"

#define CRITICAL "crl-critical: RFC 5280 5.2: the list has a critical extension that we do not know"
#define DELTA "crl-delta: house: a delta CRL is only a part of a list"
#define EMPTY "crl-empty: RFC 5280 5.1.2: an optional list stands there without elements"
#define ENTRY_TWICE "crl-entry-twice: RFC 5280 4.2: an extension of an entry stands twice"
#define SCOPE "crl-scope: RFC 5280 5.2.5: the list does not tell all about users' certificates"
#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define SIGNATURE "signature: Act 2(1): the signature was not made by this key over these bytes"
#define TRAILING "der-trailing: X.690 8.1: bytes follow where nothing may follow"
#define TYPE "der-type: X.690 8.1.2: another element was expected here"
#define VERSION "crl-version: RFC 5280 5.1.2.1: the list is not of version 2"

static struct signer ca, rsa;
static slice anchor;

static int
make_world(void **state)
{
	(void)state;
	ca = signer_new(KEY_P256);
	rsa = signer_new(KEY_RSA);
	anchor = ca_made(&ca, "試験認証局");
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&ca);
	signer_drop(&rsa);
	return temp_drop(state);
}

static slice
crl_made(const struct crl_plan *p, const struct signer *s)
{
	struct buf tbs OWNED(buf_drop) = BUF(1 << 20), whole OWNED(buf_drop) = BUF(1 << 20);

	crl_put_tbs(&tbs, p);
	cert_join(&whole, buf_slice(&tbs), p->alg, signer_sign(s, p->alg, buf_slice(&tbs)));
	expect_ok("a list within its limit", buf_check(&whole));
	return copy(buf_slice(&whole));
}

static const struct crl_entry ENTRIES[] = {
    {.serial = {1, {0x01}}, .revoked = {INT64_C(1795219200000)}},
    {.serial = {1, {0x80}}, .revoked = {INT64_C(1795219201000)}, .reason = REASON_KEY_COMPROMISE},
    {.serial = {2, {0x01, 0x00}},
        .revoked = {INT64_C(1795219202000)},
        .reason = REASON_CESSATION,
        .has_invalidity = true,
        .invalidity = {INT64_C(1795132800000)}},
    {.serial = {20, {0x7F, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
        .revoked = {INT64_C(2524608000000)},
        .has_invalidity = true,
        .invalidity = {INT64_C(1795132800000)}},
};

static struct crl_plan
plan(const struct signer *s, const struct crl_entry *e, size_t n)
{
	return (struct crl_plan){.alg = s->alg,
	    .issuer = name_of("試験認証局"),
	    .this_update = NOW,
	    .next_update = later(36 * 3600),
	    .number = 4711,
	    .aki = ARR(s->id),
	    .entry = e,
	    .n = n};
}

/* Walks every entry. */
static err
walk(slice in)
{
	struct crl_entry e;
	struct crl c;

	TRY(crl_get(in, &c));
	while (c.entries.n > 0)
		TRY(crl_next(&c.entries, &e));
	return ok;
}

/*
 * 0.0 is tbs {version, alg, issuer, thisUpdate, nextUpdate, entries, [0]}, 0.0.5.N an entry {serial, date, extensions},
 * 0.0.6.0 the extensions {AKI, number}.
 */
static void
test_refusals(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with, *expect;
	} rows[] = {
	    {"byte after", "0", '>', "00", TRAILING},
	    {"no version", "0.0.0", '-', "", VERSION},
	    {"version 1", "0.0.0", '=', "020100", VERSION},
	    {"version 3", "0.0.0", '=', "020102", VERSION},
	    {"another algorithm inside", "0.0.1", '=', "300D 06092A864886F70D01010B 0500",
	        "crl-algorithm: RFC 5280 5.1.1.2: the signature algorithms inside and outside differ"},
	    {"empty issuer", "0.0.2", '=', "3000", "name-empty: RFC 5280 4.1.2.4: a name without attributes"},
	    {"no nextUpdate", "0.0.4", '-', "",
	        "crl-next-update: RFC 5280 5.1.2.5: the list does not say when the next one comes"},
	    {"nextUpdate = thisUpdate", "0.0.4", '=', "170D3236313132323030303030305A",
	        "crl-times: RFC 5280 5.1.2.5: nextUpdate does not lie after thisUpdate"},
	    {"no entries", "0.0.5", '-', "", NULL},
	    {"empty entries", "0.0.5", '=', "3000", EMPTY},
	    {"no extensions", "0.0.6", '-', "", NULL},
	    {"empty extensions", "0.0.6", '=', "A0023000",
	        "extension-list: RFC 5280 4.1: a list of extensions stands there without one"},
	    {"extensions twice", "0.0.6", '2', "", TRAILING},
	    {"number twice", "0.0.6.0.1", '2', "", "extension-twice: RFC 5280 4.2: an extension stands twice"},
	    {"number of 20 bytes", "0.0.6.0.1.1.0", '=', "0214 0102030405060708090A0B0C0D0E0F1011121314", NULL},
	    {"number of 21 bytes", "0.0.6.0.1.1.0", '=', "0215 0102030405060708090A0B0C0D0E0F101112131415",
	        "crl-number: RFC 5280 5.2.3: a CRL number has at most 20 bytes"},
	    {"number and more", "0.0.6.0.1.1.0", '2', "", TRAILING},
	    {"AKI not a SEQUENCE", "0.0.6.0.0.1.0", '=', "0500", TYPE},
	    {"unknown extension", "0.0.6.0.1", '>', "3009 0603551D12 0402 3000", NULL},
	    {"unknown critical extension", "0.0.6.0.1", '>', "300C 0603551D12 0101FF 0402 3000", CRITICAL},
	    {"freshest CRL critical", "0.0.6.0.1", '>', "300C 0603551D2E 0101FF 0402 3000", CRITICAL},
	    {"delta", "0.0.6.0.1", '>', "300D 0603551D1B 0101FF 0403 020101", DELTA},
	    {"delta, not critical", "0.0.6.0.1", '>', "300A 0603551D1B 0403 020101",
	        "crl-base: RFC 5280 5.2.4: a delta CRL names its base in a critical extension"},
	    {"IDP with a point", "0.0.6.0.1", '>', "3012 0603551D1C 0101FF 0408 3006 A004 A002 8600", NULL},
	    {"IDP for users", "0.0.6.0.1", '>', "300F 0603551D1C 0101FF 0405 3003 8101FF", NULL},
	    {"IDP empty", "0.0.6.0.1", '>', "300C 0603551D1C 0101FF 0402 3000", NULL},
	    {"IDP for users FALSE", "0.0.6.0.1", '>', "300F 0603551D1C 0101FF 0405 3003 810100",
	        "der-default: X.690 11.5: a DEFAULT value is written out"},
	    {"IDP for CAs", "0.0.6.0.1", '>', "300F 0603551D1C 0101FF 0405 3003 8201FF", SCOPE},
	    {"IDP for some reasons", "0.0.6.0.1", '>', "3010 0603551D1C 0101FF 0406 3004 83020640", SCOPE},
	    {"IDP indirect", "0.0.6.0.1", '>', "300F 0603551D1C 0101FF 0405 3003 8401FF", SCOPE},
	    {"IDP for attributes", "0.0.6.0.1", '>', "300F 0603551D1C 0101FF 0405 3003 8501FF", SCOPE},
	    {"IDP and more", "0.0.6.0.1", '>', "300E 0603551D1C 0101FF 0404 3000 0500", TRAILING},
	    {"signature with unused bits", "0.2", '=', "03020410",
	        "der-bits: X.690 8.6: a BIT STRING of whole bytes was expected"},
	    {"more after the signature", "0.2", '2', "", TRAILING},
	    {"SHA-1", "0.0.1", '=', "300906072A8648CE3D0401",
	        "crl-algorithm: RFC 5280 5.1.1.2: the signature algorithms inside and outside differ"},
	    /* entries */
	    {"serial 0", "0.0.5.0.0", '=', "020100",
	        "serial: RFC 5280 4.1.2.2: a serial number is positive and has at most 20 bytes"},
	    {"no date", "0.0.5.0.1", '-', "", SHORT},
	    {"entry and more", "0.0.5.1.2", '2', "", TRAILING},
	    {"empty entry extensions", "0.0.5.1.2", '=', "3000", EMPTY},
	    {"reason twice", "0.0.5.1.2.0", '2', "", ENTRY_TWICE},
	    {"reason after invalidity", "0.0.5.3.2.0", '>', "300A 0603551D15 0403 0A0101", NULL},
	    {"reason on both sides of it", "0.0.5.2.2.1", '>', "300A 0603551D15 0403 0A0101", ENTRY_TWICE},
	    {"invalidity twice", "0.0.5.2.2.1", '2', "", ENTRY_TWICE},
	    {"reason unspecified", "0.0.5.1.2.0.1.0", '=', "0A0100", NULL},
	    {"reason hold", "0.0.5.1.2.0.1.0", '=', "0A0106", NULL},
	    {"reason 7", "0.0.5.1.2.0.1.0", '=', "0A0107", "crl-reason: RFC 5280 5.3.1: a reason that is not defined"},
	    {"reason removeFromCRL", "0.0.5.1.2.0.1.0", '=', "0A0108",
	        "crl-remove: RFC 5280 5.3.1: removeFromCRL stands in delta CRLs only"},
	    {"reason aACompromise", "0.0.5.1.2.0.1.0", '=', "0A010A", NULL},
	    {"reason 11", "0.0.5.1.2.0.1.0", '=', "0A010B", "crl-reason: RFC 5280 5.3.1: a reason that is not defined"},
	    {"reason and more", "0.0.5.1.2.0.1.0", '2', "", TRAILING},
	    {"invalidity as UTCTime", "0.0.5.2.2.1.1.0", '=', "170D3236313132323030303030305A", TYPE},
	    {"invalidity and more", "0.0.5.2.2.1.1.0", '2', "", TRAILING},
	    {"entry's unknown extension", "0.0.5.1.2.0", '>', "3009 0603551D12 0402 3000", NULL},
	    {"entry of another issuer", "0.0.5.1.2.0", '>', "300C 0603551D1D 0101FF 0402 3000",
	        "crl-entry-critical: RFC 5280 5.3: an entry has a critical extension that we do not know"},
	};
	const struct crl_plan p = plan(&ca, ENTRIES, COUNT(ENTRIES));
	slice whole = crl_made(&p, &ca);

	(void)state;
	expect_ok("as it is", walk(whole));
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice in = edit(whole, rows[i].path, rows[i].op, hex(rows[i].with));
		struct crl_table *t OWNED(crl_table_drop) = NULL;
		struct crl c;

		expect_text(rows[i].name, walk(in), rows[i].expect);
		/* A table takes a list whole or not at all. */
		if (crl_get(in, &c).kind == OK)
			expect_text(rows[i].name, crl_table_new(&c, &t), rows[i].expect);
		expect_true(rows[i].name, (t != NULL) == (rows[i].expect == NULL));
	}
	for (size_t n = 0; n < whole.n; n++)
		expect_true("a prefix", walk(copy(slice_of(whole.p, n))).kind == ERR_INPUT);
}

static void
test_limits(void **state)
{
	const struct crl_plan p = plan(&ca, ENTRIES, COUNT(ENTRIES));
	slice whole = crl_made(&p, &ca);
	struct crl c;

	(void)state;
	for (size_t n = EXTENSIONS_MAX - 2; n <= EXTENSIONS_MAX - 1; n++) {
		struct buf more OWNED(buf_drop) = BUF(1024);

		for (size_t i = 0; i < n; i++) {
			const uint8_t e[] = {0x30, 0x08, 0x06, 0x03, 0x55, 0x1D, (uint8_t)(64 + i), 0x04, 0x01, 0x00};

			buf_put(&more, ARR(e));
		}
		expect_text("extensions", crl_get(edit(whole, "0.0.6.0.0", '<', buf_slice(&more)), &c),
		    n == EXTENSIONS_MAX - 2 ? NULL
		                            : "extension-many: house: a certificate or a list has at most 32 extensions");
	}
	/* Nothing is read of a list that is too long: its address need not even be one. */
	expect_err("long", crl_get(slice_of(whole.p, (size_t)CRL_MAX + 1), &c), ERR_INPUT,
	    "crl-long: house: a CRL has at most 512 MiB");
}

/* What get accepts, put writes back byte for byte. */
static void
test_law(void **state)
{
	(void)state;
	for (size_t n = 0; n <= COUNT(ENTRIES); n++) {
		const struct signer *s = n % 2 == 0 ? &ca : &rsa;
		struct buf tbs OWNED(buf_drop) = BUF(8192), whole OWNED(buf_drop) = BUF(8192);
		struct crl_plan p = plan(s, ENTRIES, n);
		slice in = crl_made(&p, s), left;
		struct crl_entry got[COUNT(ENTRIES)];
		struct crl c;
		size_t k = 0;

		expect_ok("law", crl_get(in, &c));
		for (left = c.entries; left.n > 0; k++) {
			expect_ok("law", crl_next(&left, &got[k]));
			expect_true("serial", serial_eq(got[k].serial, ENTRIES[k].serial));
			expect_true("entry", got[k].revoked.ms == ENTRIES[k].revoked.ms && got[k].reason == ENTRIES[k].reason &&
			                         got[k].has_invalidity == ENTRIES[k].has_invalidity &&
			                         got[k].invalidity.ms == ENTRIES[k].invalidity.ms);
		}
		expect_number("law", k, n);
		expect_same("number", c.number, hex("1267"));
		expect_true("no IDP", !c.has_idp && c.idp.n == 0);
		p = (struct crl_plan){.alg = c.alg,
		    .issuer = c.issuer,
		    .this_update = c.this_update,
		    .next_update = c.next_update,
		    .number = 0x1267,
		    .aki = c.aki,
		    .entry = got,
		    .n = k};
		crl_put_tbs(&tbs, &p);
		expect_same("tbs", buf_slice(&tbs), c.tbs);
		cert_join(&whole, buf_slice(&tbs), c.alg, c.signature);
		expect_same("whole", buf_slice(&whole), in);
		expect_ok("signed", crl_check_signed_by(&c, s->key));
		expect_err("by another", crl_check_signed_by(&c, s == &ca ? rsa.key : ca.key), ERR_POLICY, SIGNATURE);
	}
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	expect_number("time", (uint64_t)ASN1_TIME_to_tm(t, &tm), 1);
	return (int64_t)timegm(&tm);
}

/* libcrypto reads every entry as we wrote it, and finds the signature good. */
static void
test_libcrypto(void **state)
{
	const struct crl_plan plan_made = plan(&ca, ENTRIES, COUNT(ENTRIES));
	slice whole = crl_made(&plan_made, &ca);
	const unsigned char *p = whole.p;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)whole.n);
	STACK_OF(X509_REVOKED) * list;
	ASN1_INTEGER *number;

	(void)state;
	expect_true("read", x != NULL && p == whole.p + whole.n);
	expect_number("verify", (uint64_t)X509_CRL_verify(x, ca.pkey), 1);
	expect_number("version", (uint64_t)X509_CRL_get_version(x), 1);
	expect_number("thisUpdate", (uint64_t)seconds_of(X509_CRL_get0_lastUpdate(x)), (uint64_t)(NOW.ms / 1000));
	expect_number("nextUpdate", (uint64_t)seconds_of(X509_CRL_get0_nextUpdate(x)), (uint64_t)(NOW.ms / 1000 + 129600));
	number = X509_CRL_get_ext_d2i(x, NID_crl_number, NULL, NULL);
	expect_number("number", (uint64_t)ASN1_INTEGER_get(number), 4711);
	ASN1_INTEGER_free(number);
	list = X509_CRL_get_REVOKED(x);
	expect_number("entries", (uint64_t)sk_X509_REVOKED_num(list), COUNT(ENTRIES));
	for (int i = 0; i < (int)COUNT(ENTRIES); i++) {
		const X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
		const ASN1_INTEGER *s = X509_REVOKED_get0_serialNumber(r);
		ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
		ASN1_GENERALIZEDTIME *invalid = X509_REVOKED_get_ext_d2i(r, NID_invalidity_date, NULL, NULL);

		expect_same("serial", slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)),
		    serial_slice(&ENTRIES[i].serial));
		expect_number("date", (uint64_t)seconds_of(X509_REVOKED_get0_revocationDate(r)),
		    (uint64_t)(ENTRIES[i].revoked.ms / 1000));
		expect_number("reason", reason == NULL ? 0 : (uint64_t)ASN1_ENUMERATED_get(reason), ENTRIES[i].reason);
		expect_true("invalidity", (invalid != NULL) == ENTRIES[i].has_invalidity);
		if (invalid != NULL)
			expect_number("invalidity", (uint64_t)seconds_of(invalid), (uint64_t)(ENTRIES[i].invalidity.ms / 1000));
		ASN1_ENUMERATED_free(reason);
		ASN1_GENERALIZEDTIME_free(invalid);
	}
	X509_CRL_free(x);
	temp_write_cert("ca.pem", anchor);
	temp_write("ours.crl", whole);
	expect_run("openssl crl -inform DER -in ours.crl -CAfile ca.pem -noout -verify 2>&1 | grep -q 'verify OK'");
}

/* A delta of a partition with all it may say: read again, and as libcrypto reads it. */
static void
test_parts(void **state)
{
	static const char point[] = "http://ca.test/crl/issuer-7.crl", fresh[] = "http://ca.test/crl/delta.crl";
	struct crl_plan p = plan(&ca, ENTRIES, COUNT(ENTRIES));
	struct buf again OWNED(buf_drop) = BUF(1 << 16);
	struct crl_frame f OWNED(crl_frame_drop) = {0};
	size_t entries = 0;
	slice whole;
	struct crl c;

	(void)state;
	p.base = 4242;
	p.point = slice_str(point);
	p.freshest = slice_str(fresh);
	p.has_expired = true;
	p.expired = NOW;
	whole = crl_made(&p, &ca);
	expect_err("not as a list", crl_get(whole, &c), ERR_POLICY, DELTA);
	expect_ok("as a delta", crl_get_any(whole, &c));
	expect_true("delta", c.is_delta);
	expect_same("base", c.base, LIT("\x10\x92"));
	expect_same("point", c.point, slice_str(point));

	/* the same bytes in parts */
	for (size_t i = 0; i < COUNT(ENTRIES); i++) {
		struct buf one OWNED(buf_drop) = BUF(256);

		crl_put_entry(&one, &ENTRIES[i]);
		expect_number("bytes of an entry", crl_entry_bytes(&ENTRIES[i]), one.n);
		entries += one.n;
	}
	crl_frame_make(&f, &p, entries);
	crl_frame_sign(&f, c.signature);
	buf_put(&again, buf_slice(&f.outer));
	buf_put(&again, buf_slice(&f.head));
	for (size_t i = 0; i < COUNT(ENTRIES); i++)
		crl_put_entry(&again, &ENTRIES[i]);
	buf_put(&again, buf_slice(&f.tail));
	expect_number("signed bytes", again.n - f.outer.n, f.tbs);
	buf_put(&again, buf_slice(&f.end));
	expect_same("in parts", buf_slice(&again), whole);
	expect_number("length known before", f.whole, whole.n);

	temp_write("parts.crl", whole);
	expect_run("openssl crl -inform DER -in parts.crl -noout -text >parts.txt 2>&1");
	expect_run("grep -A1 'Delta CRL Indicator: critical' parts.txt | grep -q 4242");
	expect_run(
	    "grep -A4 'Issuing Distribution Point: critical' parts.txt | grep -q 'URI:http://ca.test/crl/issuer-7.crl'");
	expect_run("grep -A4 'Freshest CRL' parts.txt | grep -q 'URI:http://ca.test/crl/delta.crl'");
	expect_run("grep -q 2.5.29.60 parts.txt");
	/* a list without entries has no list of entries at all */
	p.n = 0;
	expect_ok("empty", crl_get_any(crl_made(&p, &ca), &c));
	expect_number("no entry", c.entries.n, 0);
}

static serial
serial_number(uint32_t i)
{
	/* Serials of our make: 16 bytes, the first 40 to 7F, in no order. */
	serial s = {.n = 16};

	for (size_t k = 0; k < 16; k++) {
		i = i * 1664525 + 1013904223;
		s.b[k] = (uint8_t)(i >> 24);
	}
	s.b[0] = (uint8_t)(0x40 | (s.b[0] & 0x3F));
	return s;
}

/* A CRL of n entries in no order, unsigned: the table does not look at the signature. */
static slice
big_list(struct buf *out, uint32_t n)
{
	struct buf list OWNED(buf_drop) = BUF(CRL_MAX);
	const struct crl_plan p = plan(&ca, ENTRIES, COUNT(ENTRIES));
	slice whole = crl_made(&p, &ca), s;
	size_t a, b;

	a = der_open(&list, DER_SEQUENCE);
	for (uint32_t i = 0; i < n; i++) {
		b = der_open(&list, DER_SEQUENCE);
		serial_put(&list, serial_number(i));
		der_put_time(&list, NOW);
		der_close(&list, b);
	}
	der_close(&list, a);
	a = der_open(out, DER_SEQUENCE);
	b = der_open(out, DER_SEQUENCE);
	for (const char *const *path = (const char *const[]){"0.0.0", "0.0.1", "0.0.2", "0.0.3", "0.0.4", NULL};
	     *path != NULL; path++) {
		s = part(whole, *path);
		buf_put(out, s);
	}
	buf_put(out, buf_slice(&list));
	buf_put(out, part(whole, "0.0.6"));
	der_close(out, b);
	buf_put(out, part(whole, "0.1"));
	buf_put(out, part(whole, "0.2"));
	der_close(out, a);
	expect_ok("big", buf_check(out));
	return buf_slice(out);
}

static void
test_table(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(CRL_MAX);
	struct crl_table *t OWNED(crl_table_drop) = NULL, *none OWNED(crl_table_drop) = NULL;
	const uint32_t n = 3000;
	const struct crl_plan p = plan(&ca, NULL, 0);
	slice in = big_list(&b, n);
	struct crl c;

	(void)state;
	expect_ok("list", crl_get(in, &c));
	expect_ok("table", crl_table_new(&c, &t));
	expect_number("count", crl_table_count(t), n);
	expect_true("digest", digest_eq(crl_table_digest(t), sha256(in)));
	expect_true("times", crl_table_this_update(t).ms == NOW.ms && crl_table_next_update(t).ms == later(36 * 3600).ms);
	for (uint32_t i = 0; i < n; i++) {
		serial s = serial_number(i);

		expect_true("in it", crl_table_has(t, s));
		s.b[15] ^= 1;
		expect_true("not in it", !crl_table_has(t, s));
		s.b[15] ^= 1;
		s.n = 15;
		expect_true("a shorter one", !crl_table_has(t, s));
	}
	expect_ok("empty", crl_get(crl_made(&p, &ca), &c));
	expect_ok("empty", crl_table_new(&c, &none));
	expect_true("empty", crl_table_count(none) == 0 && !crl_table_has(none, serial_number(1)));
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)(t.tv_sec - start->tv_sec) + (double)(t.tv_nsec - start->tv_nsec) / 1e9;
}

/* 300,000 entries out of order within the third of a second that a million has. */
static void
test_speed(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(CRL_MAX);
	struct crl_table *t OWNED(crl_table_drop) = NULL;
	slice in = big_list(&b, 300000);
	struct timespec start;
	double s;
	struct crl c;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	expect_ok("list", crl_get(in, &c));
	expect_ok("table", crl_table_new(&c, &t));
	s = seconds_since(&start);
	print_message("# 300,000 entries in %.3f s\n", s);
#ifndef __SANITIZE_ADDRESS__
	expect_true("within 0.9 s even on a busy machine", s < 0.9);
#endif
	expect_true("has", crl_table_has(t, serial_number(299999)));
}

/* Parts are stretches of the serials in their order, together all of them; RFC 5280 5.2.5. */
static void
test_partitions(void **state)
{
	static const unsigned N[] = {1, 2, 3, 7, 16, 1000, CRL_PARTITIONS_MAX};
	static const struct {
		uint8_t first[4];
		uint8_t n;
		unsigned of2, of1024;
	} row[] = {{{0x40, 0, 0, 0}, 16, 1, 1}, {{0x5F, 0xFF, 0xFF, 0xFF}, 16, 1, 512}, {{0x60, 0, 0, 0}, 16, 2, 513},
	    {{0x7F, 0xFF, 0xFF, 0xFF}, 16, 2, 1024}, {{0x3F, 0xFF, 0xFF, 0xFF}, 16, 1, 1}, {{0x80, 0, 0, 0}, 16, 2, 1024},
	    {{0x7F, 0xFF, 0xFF, 0xFF}, 15, 1, 1}, {{0x01, 0, 0, 0}, 17, 2, 1024}};
	serial s = {.n = 16};
	uint32_t v = 1;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		s = (serial){.n = row[i].n};
		memcpy(s.b, row[i].first, 4);
		expect_number("of two", crl_partition_of(s, 2), row[i].of2);
		expect_number("of many", crl_partition_of(s, 1024), row[i].of1024);
	}
	s = (serial){.n = 16};
	for (unsigned i = 0; i < 2000; i++) {
		v = v * 1664525U + 1013904223U;
		s.b[0] = (uint8_t)(0x40 | (v >> 26));
		s.b[1] = (uint8_t)(v >> 18);
		s.b[2] = (uint8_t)(v >> 10);
		s.b[3] = (uint8_t)(v >> 2);
		for (size_t k = 0; k < COUNT(N); k++) {
			unsigned at = crl_partition_of(s, N[k]);

			expect_true("one of them", at >= 1 && at <= N[k]);
			expect_true("behind what stands before it", serial_cmp(s, crl_partition_before(at, N[k])) > 0);
			expect_true("before the next", at == N[k] || serial_cmp(s, crl_partition_before(at + 1, N[k])) <= 0);
		}
	}
	for (size_t k = 0; k < COUNT(N); k++)
		for (unsigned at = 2; at <= N[k]; at++)
			expect_number(
			    "the last of the part before", crl_partition_of(crl_partition_before(at, N[k]), N[k]), at - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_law),
	    cmocka_unit_test(test_libcrypto),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_partitions),
	    cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests_name("crl", tests, make_world, drop_world);
}
