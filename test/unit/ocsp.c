#include "test/unit/pki.h"

#include <openssl/ocsp.h>

#include "pki/ocsp.h"

#define FORM "ocsp-answer: house: not the form our responder writes"
#define HASH "ocsp-hash: RFC 6960 4.1.1: certificates are asked for here by SHA-1 or SHA-256"
#define HASH_LENGTH "ocsp-hash-length: RFC 6960 4.1.1: a hash is not as long as its algorithm says"
#define LIST "ocsp-list: RFC 6960 4: a list without elements"
#define NONCE "ocsp-nonce: RFC 9654 2.1: a nonce is an OCTET STRING of 1 to 128 bytes"
#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define STATUS "ocsp-status: RFC 6960 4.2.1: a response status our responder never gives"
#define TRAILING "der-trailing: X.690 8.1: bytes follow where nothing may follow"
#define TYPE "der-type: X.690 8.1.2: another element was expected here"

static struct signer ca, responder, person;
static slice anchor, leaf, delegated;
static struct ocsp_issuer issuer;

static int
make_world(void **state)
{
	struct cert c;

	(void)state;
	ca = signer_new(KEY_P256);
	responder = signer_new(KEY_P256);
	person = signer_new(KEY_P256);
	anchor = ca_made(&ca, "試験認証局");
	leaf = leaf_made(&ca, "試験認証局", &person);
	delegated = responder_made(&ca, "試験認証局", &responder, later(86400));
	expect_ok("anchor", cert_get(anchor, &c));
	ocsp_issuer_of(&c, &issuer);
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&ca);
	signer_drop(&responder);
	signer_drop(&person);
	return temp_drop(state);
}

static struct ocsp_certid
id_of(enum hash_alg alg)
{
	struct ocsp_certid id = {.alg = alg, .serial = serial_of("7f0102030405060708090a0b0c0d0e0f")};

	id.name_hash = alg == HASH_SHA1 ? ARR(issuer.name1) : ARR(issuer.name256);
	id.key_hash = alg == HASH_SHA1 ? ARR(issuer.key1) : ARR(issuer.key256);
	return id;
}

static slice
request_made(enum hash_alg alg, slice nonce)
{
	struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct ocsp_certid id = id_of(alg);

	ocsp_request_put(&b, &id, nonce);
	return copy(buf_slice(&b));
}

/* --- requests --- */

/*
 * 0.0 is tbsRequest {list, [2]}, 0.0.0.0 a Request {CertID}, 0.0.0.0.0 its CertID {algorithm, name, key, serial},
 * 0.0.1.0.0 the nonce's extension.
 */
static void
test_request_refusals(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with;
		enum err_kind kind;
		const char *expect;
	} rows[] = {
	    {"byte after", "0", '>', "00", ERR_INPUT, TRAILING},
	    {"signed", "0.0", '>', "A0023000", ERR_POLICY,
	        "ocsp-signed: RFC 5019 2.1.2: signed requests are not served here"},
	    {"something else after", "0.0", '2', "", ERR_INPUT, TRAILING},
	    {"version written out", "0.0.0", '<', "A003020100", ERR_INPUT,
	        "ocsp-version: RFC 6960 4.1.1: version 1 is the default and not written out"},
	    {"requestor named", "0.0.0", '<', "A1048602 6161", OK, NULL},
	    {"no list", "0.0.0", '-', "", ERR_INPUT, TYPE},
	    {"empty list", "0.0.0", '=', "3000", ERR_INPUT, LIST},
	    {"two asked", "0.0.0.0", '2', "", OK, NULL},
	    {"request without CertID", "0.0.0.0.0", '-', "", ERR_INPUT, SHORT},
	    {"request and more", "0.0.0.0.0", '2', "", ERR_INPUT, TYPE},
	    {"single extension", "0.0.0.0.0", '>', "A00D 300B 3009 0603551D12 0402 3000", OK, NULL},
	    {"single extension critical", "0.0.0.0.0", '>', "A010 300E 300C 0603551D12 0101FF 0402 3000", ERR_POLICY,
	        "ocsp-critical: RFC 6960 4.4: a critical extension that is not served here"},
	    {"two single extension lists", "0.0.0.0.0", '>', "A00D 300B 3009 0603551D12 0402 3000 A000", ERR_INPUT,
	        TRAILING},
	    {"no single extension", "0.0.0.0.0", '>', "A0023000", ERR_INPUT, LIST},
	    {"SHA-1 without NULL", "0.0.0.0.0.0", '=', "300706052B0E03021A", OK, NULL},
	    {"SHA-384", "0.0.0.0.0.0", '=', "300D06096086480165030402020500", ERR_POLICY, HASH},
	    {"MD5", "0.0.0.0.0.0", '=', "300C06082A864886F70D02050500", ERR_POLICY, HASH},
	    {"SHA-256 said", "0.0.0.0.0.0", '=', "300D06096086480165030402010500", ERR_INPUT, HASH_LENGTH},
	    {"algorithm and more", "0.0.0.0.0.0.1", '2', "", ERR_INPUT, TRAILING},
	    {"short name hash", "0.0.0.0.0.1", '=', "040100", ERR_INPUT, HASH_LENGTH},
	    {"short key hash", "0.0.0.0.0.2", '=', "040100", ERR_INPUT, HASH_LENGTH},
	    {"serial 0", "0.0.0.0.0.3", '=', "020100", ERR_INPUT,
	        "serial: RFC 5280 4.1.2.2: a serial number is positive and has at most 20 bytes"},
	    {"CertID and more", "0.0.0.0.0.3", '2', "", ERR_INPUT, TRAILING},
	    {"empty extensions", "0.0.1", '=', "A2023000", ERR_INPUT, LIST},
	    {"extensions twice", "0.0.1", '2', "", ERR_INPUT, TRAILING},
	    {"nonce twice", "0.0.1.0.0", '2', "", ERR_INPUT, "ocsp-nonce-twice: RFC 6960 4.4.1: two nonces"},
	    {"nonce not wrapped", "0.0.1.0.0.1", '=', "040461626364", ERR_INPUT, NONCE},
	    {"nonce empty", "0.0.1.0.0.1.0", '=', "0400", ERR_INPUT, NONCE},
	    {"nonce of 32 bytes", "0.0.1.0.0.1.0", '=',
	        "0420 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", OK, NULL},
	    {"nonce and more", "0.0.1.0.0.1.0", '2', "", ERR_INPUT, NONCE},
	    {"another extension", "0.0.1.0.0", '>', "300F 06092B0601050507300104 0402 3000", OK, NULL},
	    {"another critical extension", "0.0.1.0.0", '>', "3012 06092B0601050507300104 0101FF 0402 3000", ERR_POLICY,
	        "ocsp-critical: RFC 6960 4.4: a critical extension that is not served here"},
	    {"7 more extensions", "0.0.1.0.0", '>',
	        "30070603551D0104 00 3007 0603551D02 0400 3007 0603551D03 0400 3007 0603551D04 0400 3007 0603551D05 0400 "
	        "3007 "
	        "0603551D06 0400 3007 0603551D07 0400",
	        OK, NULL},
	    {"8 more extensions", "0.0.1.0.0", '>',
	        "30070603551D0104 00 3007 0603551D02 0400 3007 0603551D03 0400 3007 0603551D04 0400 3007 0603551D05 0400 "
	        "3007 "
	        "0603551D06 0400 3007 0603551D07 0400 3007 0603551D08 0400",
	        ERR_INPUT, "ocsp-extensions: house: at most 8 extensions stand in one list"},
	};
	slice whole = request_made(HASH_SHA1, LIT("0123456789abcdef"));
	struct ocsp_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		err e = ocsp_request_get(edit(whole, rows[i].path, rows[i].op, hex(rows[i].with)), &r);

		expect_text(rows[i].name, e, rows[i].expect);
		expect_number(rows[i].name, e.kind, rows[i].kind);
	}
	for (size_t n = 0; n < whole.n; n++)
		expect_true("a prefix", ocsp_request_get(copy(slice_of(whole.p, n)), &r).kind == ERR_INPUT);
	expect_ok("two", ocsp_request_get(edit(whole, "0.0.0.0", '2', hex("")), &r));
	expect_number("two", r.n, 2);
}

static void
test_request_limit(void **state)
{
	(void)state;
	for (size_t n = OCSP_REQUEST_MAX; n <= OCSP_REQUEST_MAX + 1; n++) {
		struct buf name OWNED(buf_drop) = BUF(8192);
		slice whole = request_made(HASH_SHA1, slice_of(NULL, 0));
		struct ocsp_request r;

		/* A requestor's name of any length; two bytes more in two lengths around, four of its own. */
		der_put(&name, DER_CTXC(1), bytes(n - whole.n - 8, 0));
		whole = edit(whole, "0.0.0", '<', buf_slice(&name));
		expect_number("size", whole.n, n);
		expect_text("long", ocsp_request_get(whole, &r),
		    n == OCSP_REQUEST_MAX ? NULL : "ocsp-long: house: an OCSP request has at most 4096 bytes");
	}
}

/* RFC 9654 2.1: 1 to 128 bytes. */
static void
test_nonce_limit(void **state)
{
	(void)state;
	for (size_t n = 127; n <= 129; n++) {
		struct buf octets OWNED(buf_drop) = BUF(256), value OWNED(buf_drop) = BUF(256);
		slice whole = request_made(HASH_SHA1, LIT("0123456789abcdef"));
		struct ocsp_request r;

		der_put(&octets, DER_OCTETS, bytes(n, 7));
		der_put(&value, DER_OCTETS, buf_slice(&octets));
		whole = edit(whole, "0.0.1.0.0.1", '=', buf_slice(&value));
		expect_text("nonce", ocsp_request_get(whole, &r), n <= OCSP_NONCE_MAX ? NULL : NONCE);
		if (n <= OCSP_NONCE_MAX)
			expect_same("nonce", r.nonce, bytes(n, 7));
	}
}

/* Up to 16 are read, all of them; the 17th is where reading ends, so that ten thousand cost no more. */
static void
test_many(void **state)
{
	static const size_t rows[] = {1, 2, 15, 16, 17, 40};
	struct ocsp_certid ids[40];

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		ids[i] = id_of(i % 2 == 0 ? HASH_SHA1 : HASH_SHA256);
		ids[i].serial.b[15] = (uint8_t)i;
	}
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf b OWNED(buf_drop) = BUF(2 * OCSP_REQUEST_MAX), again OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
		struct ocsp_request r;
		OCSP_REQUEST *o;
		const unsigned char *at;

		ocsp_request_put_many(&b, ids, rows[k], LIT("0123456789abcdef0123456789abcdef"));
		if (rows[k] > OCSP_MANY_MAX) {
			expect_err("many", ocsp_request_get(buf_slice(&b), &r), ERR_POLICY,
			    "ocsp-many: house: at most 16 certificates are asked for at once");
			/* What stands behind the 16th is not read. */
			memset(b.p + b.n - 60, 0xFF, 60);
			expect_err("many", ocsp_request_get(buf_slice(&b), &r), ERR_POLICY,
			    "ocsp-many: house: at most 16 certificates are asked for at once");
			continue;
		}
		expect_ok("many", ocsp_request_get(buf_slice(&b), &r));
		expect_number("many", r.n, rows[k]);
		for (size_t i = 0; i < r.n; i++)
			expect_true("many", r.id[i].alg == ids[i].alg && serial_eq(r.id[i].serial, ids[i].serial) &&
			                        ocsp_certid_is_of(&r.id[i], &issuer));
		ocsp_request_put_many(&again, r.id, r.n, r.nonce);
		expect_same("many", buf_slice(&again), buf_slice(&b));
		at = b.p;
		o = d2i_OCSP_REQUEST(NULL, &at, (long)b.n);
		expect_number("libcrypto", o == NULL ? 0 : (uint64_t)OCSP_request_onereq_count(o), rows[k]);
		OCSP_REQUEST_free(o);
	}
}

/* RFC 5019 5: what may stand behind the address in a GET. */
static void
test_path(void **state)
{
#define ESCAPE "ocsp-escape: RFC 3986 2.1: a percent sign without two hexadecimal digits"
#define BASE64 "base64: RFC 4648 3.5: not canonical base64"
	static const struct {
		const char *path, *hex, *expect;
	} rows[] = {
	    {"+/+/", "fbffbf", NULL},
	    {"%2B%2F%2B%2F", "fbffbf", NULL},
	    {"%2b%2f%2b%2f", "fbffbf", NULL},
	    {"+%2f%2B/", "fbffbf", NULL},
	    {"AA//", "000fff", NULL},
	    {"//AA", "fff000", NULL},
	    {"%41%41A%3D", "0000", NULL},
	    {"AAA=", "0000", NULL},
	    {"AA%3D%3d", "00", NULL},
	    {"", "", NULL},
	    {"AAA", NULL, BASE64},
	    {"AA", NULL, BASE64},
	    {"AA=", NULL, BASE64},
	    {"A===", NULL, BASE64},
	    {"====", NULL, BASE64},
	    {"AA==AA==", NULL, BASE64},
	    {"AAB=", NULL, BASE64},
	    {"AB==", NULL, BASE64},
	    {"-_-_", NULL, BASE64},
	    {"AA AA", NULL, BASE64},
	    {" AAAA", NULL, BASE64},
	    {"AAAA\n", NULL, BASE64},
	    {"AA%20AA", NULL, BASE64},
	    {"AAAA%0A", NULL, BASE64},
	    {"AAAA%00", NULL, BASE64},
	    {"%252B%252F", NULL, BASE64},
	    {"AAAA/", NULL, BASE64},
	    {"/AAAA", NULL, BASE64},
	    {"AAAA?", NULL, BASE64},
	    {"AAAA%", NULL, ESCAPE},
	    {"AAAA%2", NULL, ESCAPE},
	    {"%", NULL, ESCAPE},
	    {"%%2B", NULL, ESCAPE},
	    {"%2G%2F", NULL, ESCAPE},
	    {"%G2", NULL, ESCAPE},
	    {"% 2", NULL, ESCAPE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);

		expect_text(rows[i].path, ocsp_path_get(slice_str(rows[i].path), &b), rows[i].expect);
		if (rows[i].expect == NULL)
			expect_same(rows[i].path, buf_slice(&b), hex(rows[i].hex));
	}
	for (size_t n = 0; n <= OCSP_REQUEST_MAX; n += n < 8 ? 1 : 511) {
		struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), text OWNED(buf_drop) = BUF(3 * 5464);

		ocsp_path_put(&text, bytes(n, 0xFB));
		for (size_t i = 0; i < text.n; i++)
			expect_true("one spelling", text.p[i] != '+' && text.p[i] != '/' && text.p[i] != '=');
		expect_ok("law", ocsp_path_get(buf_slice(&text), &b));
		expect_same("law", buf_slice(&b), bytes(n, 0xFB));
	}
	for (size_t n = OCSP_REQUEST_MAX; n <= OCSP_REQUEST_MAX + 5; n++) {
		struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), text OWNED(buf_drop) = BUF(16384);
		err e;

		buf_put_base64(&text, bytes(n, 1));
		e = ocsp_path_get(buf_slice(&text), &b);
		expect_true("limit", n <= OCSP_REQUEST_MAX ? e.kind == OK : e.kind == ERR_INPUT);
		if (n == OCSP_REQUEST_MAX + 5)
			expect_text("long", e, "ocsp-long: house: an OCSP request has at most 4096 bytes");
	}
}

/* Where a file of an answer stands is what a GET asks for, with nothing escaped. */
static void
test_place(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct buf place OWNED(buf_drop) = BUF(512), request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
		serial s = {16, {0x40, [15] = (uint8_t)i}};
		struct ocsp_request r;
		slice path;

		ocsp_place_put(&place, &issuer, s);
		path = buf_slice(&place);
		expect_true("a folder of its own", slice_has_prefix(path, LIT("ocsp/")));
		expect_true("plain", memchr(path.p, '%', path.n) == NULL);
		expect_ok("a GET", ocsp_path_get((slice){path.p + 5, path.n - 5}, &request));
		expect_ok("a request", ocsp_request_get(buf_slice(&request), &r));
		expect_true("of RFC 5019", r.n == 1 && r.nonce.n == 0 && r.id[0].alg == HASH_SHA1);
		expect_true("for this one", ocsp_certid_is_of(&r.id[0], &issuer) && serial_eq(r.id[0].serial, s));
	}
}

/* What get accepts, put writes back; libcrypto asks the same. */
static void
test_request_law(void **state)
{
	X509 *x = x509_of(leaf), *a = x509_of(anchor);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		enum hash_alg alg = i % 2 == 0 ? HASH_SHA1 : HASH_SHA256;
		slice nonce = i < 2 ? slice_of(NULL, 0) : LIT("0123456789abcdef"), whole = request_made(alg, nonce);
		struct buf again OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
		OCSP_REQUEST *o = OCSP_REQUEST_new();
		unsigned char *der = NULL, copy_of_nonce[16];
		struct ocsp_request r;
		int n;

		expect_ok("law", ocsp_request_get(whole, &r));
		expect_number("law", r.n, 1);
		expect_same("law", r.nonce, nonce);
		expect_true("law", r.id[0].alg == alg && ocsp_certid_is_of(&r.id[0], &issuer));
		ocsp_request_put(&again, r.id, r.nonce);
		expect_same("law", buf_slice(&again), whole);
		/* The same request made by libcrypto. */
		OCSP_request_add0_id(o, OCSP_cert_to_id(alg == HASH_SHA1 ? EVP_sha1() : EVP_sha256(), x, a));
		if (nonce.n > 0) {
			memcpy(copy_of_nonce, nonce.p, nonce.n);
			OCSP_request_add1_nonce(o, copy_of_nonce, (int)nonce.n);
		}
		n = i2d_OCSP_REQUEST(o, &der);
		expect_same("libcrypto", whole, slice_of(der, (size_t)n));
		OPENSSL_free(der);
		OCSP_REQUEST_free(o);
	}
	X509_free(x);
	X509_free(a);
}

static void
test_certid(void **state)
{
	(void)state;
	for (enum hash_alg alg = HASH_SHA1; alg <= HASH_SHA256; alg++) {
		struct ocsp_certid id = id_of(alg);

		expect_true("ours", ocsp_certid_is_of(&id, &issuer));
		id.name_hash = bytes(hash_len(alg), 0);
		expect_true("another name", !ocsp_certid_is_of(&id, &issuer));
		id = id_of(alg);
		id.key_hash = bytes(hash_len(alg), 0);
		expect_true("another key", !ocsp_certid_is_of(&id, &issuer));
	}
}

/* --- answers --- */

static struct ocsp_plan
plan_for(enum ocsp_status status, enum crl_reason reason)
{
	return (struct ocsp_plan){.issuer = issuer,
	    .serial = serial_of("7f0102030405060708090a0b0c0d0e0f"),
	    .status = status,
	    .revoked = {status == OCSP_REVOKED ? NOW.ms - 60000 : 0},
	    .reason = reason,
	    .produced = NOW,
	    .this_update = NOW,
	    .next_update = later(3600),
	    .responder_key_id = ARR(responder.id)};
}

static slice
answer_made(const struct ocsp_plan *p, slice certificate)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), whole OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);

	ocsp_put_data(&data, p);
	ocsp_join(
	    &whole, buf_slice(&data), responder.alg, signer_sign(&responder, responder.alg, buf_slice(&data)), certificate);
	return copy(buf_slice(&whole));
}

/*
 * 0.1.0 is ResponseBytes {OID, OCTET STRING}, 0.1.0.1.0 BasicOCSPResponse {data, algorithm, signature, [0]},
 * 0.1.0.1.0.0 ResponseData {[2], produced, list}, 0.1.0.1.0.0.2.N a SingleResponse {CertID, status, this, [0] next}.
 */
static void
test_answer_refusals(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with, *expect;
	} rows[] = {
	    {"byte after", "0", '>', "00", TRAILING},
	    {"status 3 with an answer", "0.0", '=', "0A0103", TRAILING},
	    {"status 7", "0.0", '=', "0A0107", "der-range: X.690 8.3: an INTEGER is larger than it may be here"},
	    {"no answer", "0.1", '-', "", SHORT},
	    {"answer twice", "0.1", '2', "", TRAILING},
	    {"another type", "0.1.0.0", '=', "06092B0601050507300109", FORM},
	    {"type and more", "0.1.0.1", '2', "", TRAILING},
	    {"two bodies", "0.1.0.1.0", '2', "", TRAILING},
	    {"version written out", "0.1.0.1.0.0.0", '<', "A003020100", TYPE},
	    {"responder by name", "0.1.0.1.0.0.0", '=', "A10E 300C 310A 3008 0603550403 0C01 61", TYPE},
	    {"short key identifier", "0.1.0.1.0.0.0.0", '=', "040100", FORM},
	    {"two key identifiers", "0.1.0.1.0.0.0.0", '2', "", TRAILING},
	    {"producedAt as UTCTime", "0.1.0.1.0.0.1", '=', "170D3236313132323030303030305A", TYPE},
	    {"one single answer", "0.1.0.1.0.0.2.1", '-', "", FORM},
	    {"three single answers", "0.1.0.1.0.0.2.1", '2', "", FORM},
	    {"no single answer", "0.1.0.1.0.0.2", '=', "3000", LIST},
	    {"another serial in the second", "0.1.0.1.0.0.2.1.0.3", '=', "020101", FORM},
	    {"good in the second", "0.1.0.1.0.0.2.1.1", '=', "8000", FORM},
	    {"another thisUpdate in the second", "0.1.0.1.0.0.2.1.2", '=', "180F32303236313132323030303030315A", FORM},
	    {"something after the second", "0.1.0.1.0.0.2.1.3", '>', "A1023000", TRAILING},
	    {"something after the first", "0.1.0.1.0.0.2.0.3", '>', "A1023000", TRAILING},
	    {"no nextUpdate", "0.1.0.1.0.0.2.0.3", '-', "", SHORT},
	    {"two nextUpdates", "0.1.0.1.0.0.2.0.3.0", '2', "", TRAILING},
	    {"status of another kind", "0.1.0.1.0.0.2.0.1", '=', "8300", TYPE},
	    {"good with something in it", "0.1.0.1.0.0.2.0.1", '=', "800100", TRAILING},
	    {"reason unspecified", "0.1.0.1.0.0.2.0.1.1.0", '=', "0A0100",
	        "ocsp-reason: RFC 5280 5.3.1: the reason unspecified is not written out"},
	    {"reason 11", "0.1.0.1.0.0.2.0.1.1.0", '=', "0A010B",
	        "der-range: X.690 8.3: an INTEGER is larger than it may be here"},
	    {"two reasons", "0.1.0.1.0.0.2.0.1.1.0", '2', "", TRAILING},
	    {"an extension", "0.1.0.1.0.0.2", '>', "A10D 300B 3009 0603551D12 0402 3000", FORM},
	    {"data and more", "0.1.0.1.0.0.2", '>', "A10D 300B 3009 0603551D12 0402 3000 0500", TRAILING},
	    {"no NULL", "0.1.0.1.0.0.2.0.0.0.1", '-', "", FORM},
	    {"two certificates", "0.1.0.1.0.3.0.0", '2', "", TRAILING},
	    {"certificates and more", "0.1.0.1.0.3", '2', "", TRAILING},
	    {"SHA-1", "0.1.0.1.0.1", '=', "300906072A8648CE3D0401",
	        "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"},
	};
	const struct ocsp_plan p = plan_for(OCSP_REVOKED, REASON_KEY_COMPROMISE);
	slice whole = answer_made(&p, delegated), first = part(whole, "0.1.0.1.0.0.2.0");
	struct ocsp_answer a;

	(void)state;
	expect_ok("as it is", ocsp_answer_get(whole, &a));
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_text(rows[i].name, ocsp_answer_get(edit(whole, rows[i].path, rows[i].op, hex(rows[i].with)), &a),
		    rows[i].expect);
	expect_err("SHA-1 twice", ocsp_answer_get(edit(whole, "0.1.0.1.0.0.2.1", '=', first), &a), ERR_INPUT, FORM);
	expect_err("SHA-256 first",
	    ocsp_answer_get(edit(whole, "0.1.0.1.0.0.2.0", '=', part(whole, "0.1.0.1.0.0.2.1")), &a), ERR_INPUT, FORM);
	for (size_t n = 0; n < whole.n; n++)
		expect_true("a prefix", ocsp_answer_get(copy(slice_of(whole.p, n)), &a).kind == ERR_INPUT);
}

static void
test_answer_limit(void **state)
{
	const struct ocsp_plan p = plan_for(OCSP_GOOD, REASON_UNSPECIFIED);
	slice whole = answer_made(&p, delegated);

	(void)state;
	for (size_t n = OCSP_ANSWER_MAX; n <= OCSP_ANSWER_MAX + 1; n++) {
		struct buf cert OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);
		struct ocsp_answer a;
		slice wide;

		/* Any SEQUENCE stands for a certificate here: the reader hands it on unread. */
		der_put(&cert, DER_SEQUENCE, bytes(n - whole.n + delegated.n - 4, 0));
		wide = edit(whole, "0.1.0.1.0.3.0.0", '=', buf_slice(&cert));
		expect_number("size", wide.n, n);
		expect_text("long", ocsp_answer_get(wide, &a),
		    n == OCSP_ANSWER_MAX ? NULL : "ocsp-answer-long: house: an OCSP answer has at most 8192 bytes");
	}
}

static void
test_errors(void **state)
{
	static const struct {
		enum ocsp_error e;
		const char *der;
	} rows[] = {
	    {OCSP_MALFORMED, "30030A0101"},
	    {OCSP_INTERNAL, "30030A0102"},
	    {OCSP_TRY_LATER, "30030A0103"},
	    {OCSP_UNAUTHORIZED, "30030A0106"},
	};
	struct ocsp_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(16);

		ocsp_put_error(&b, rows[i].e);
		expect_same("error", buf_slice(&b), hex(rows[i].der));
		expect_ok("error", ocsp_answer_get(buf_slice(&b), &a));
		expect_number("error", a.error, rows[i].e);
	}
	expect_err("4", ocsp_answer_get(hex("30030A0104"), &a), ERR_INPUT, STATUS);
	expect_err("5", ocsp_answer_get(hex("30030A0105"), &a), ERR_INPUT, STATUS);
}

/* An answer made when it is asked for: a word for each CertID as it was asked, the nonce again; read back, it is the same. */
static void
test_live(void **state)
{
	static const struct {
		size_t n;
		const char *nonce;
	} rows[] = {{1, NULL}, {1, "n"}, {2, "0123456789abcdef0123456789abcdef"}, {3, NULL}, {16, "0123456789abcdef"}};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct ocsp_live p = {
		    .responder_key_id = ARR(responder.id), .produced = NOW, .nonce = slice_str(rows[k].nonce), .n = rows[k].n};
		struct ocsp_live_answer l;
		struct ocsp_answer a;
		OCSP_RESPONSE *x;
		OCSP_BASICRESP *b;
		const unsigned char *at;

		for (size_t i = 0; i < p.n; i++) {
			struct ocsp_single *s = &p.single[i];

			*s = (struct ocsp_single){.id = id_of(i % 3 == 0 ? HASH_SHA1 : HASH_SHA256),
			    .status = (enum ocsp_status)(i % 3),
			    .this_update = NOW,
			    .next_update = later(60 + (int64_t)i)};
			s->id.serial.b[15] = (uint8_t)i;
			if (i % 2 == 0)
				s->id.key_hash = bytes(hash_len(s->id.alg), 9); /* of an issuer unknown to us: echoed all the same */
			if (s->status == OCSP_REVOKED) {
				s->revoked = (instant){NOW.ms - 60000};
				s->reason = i % 2 == 0 ? REASON_UNSPECIFIED : REASON_SUPERSEDED;
			}
		}
		ocsp_put_live(&data, &p);
		ocsp_join(&whole, buf_slice(&data), responder.alg, signer_sign(&responder, responder.alg, buf_slice(&data)),
		    delegated);
		expect_ok("live", buf_check(&whole));
		expect_ok("live", ocsp_live_get(buf_slice(&whole), &l));
		expect_number("live", l.live.n, p.n);
		expect_same("live", l.live.nonce, p.nonce);
		for (size_t i = 0; i < p.n; i++) {
			const struct ocsp_single *s = &l.live.single[i], *want = &p.single[i];

			expect_true("live", s->status == want->status && s->reason == want->reason && s->id.alg == want->id.alg &&
			                        serial_eq(s->id.serial, want->id.serial) &&
			                        s->next_update.ms == want->next_update.ms && s->revoked.ms == want->revoked.ms);
			expect_same("live", s->id.key_hash, want->id.key_hash);
		}
		ocsp_put_live(&again, &l.live);
		expect_same("law", buf_slice(&again), l.data);
		expect_ok("live", key_check(responder.key, l.alg, l.data, l.signature));
		expect_err("not made ahead", ocsp_answer_get(buf_slice(&whole), &a), ERR_INPUT, FORM);
		at = whole.p;
		x = d2i_OCSP_RESPONSE(NULL, &at, (long)whole.n);
		b = OCSP_response_get1_basic(x);
		expect_number("libcrypto", (uint64_t)OCSP_resp_count(b), p.n);
		for (size_t i = 0; i < p.n; i++)
			expect_number("libcrypto",
			    (uint64_t)OCSP_single_get0_status(OCSP_resp_get0(b, (int)i), NULL, NULL, NULL, NULL),
			    (uint64_t)p.single[i].status); /* V_OCSP_CERTSTATUS_* count as ours */
		OCSP_BASICRESP_free(b);
		OCSP_RESPONSE_free(x);
	}
}

/* 17 words are not ours; one made ahead is two words on one certificate. */
static void
test_live_refusals(void **state)
{
	const struct ocsp_plan p = plan_for(OCSP_GOOD, REASON_UNSPECIFIED);
	slice whole = answer_made(&p, delegated);
	struct buf list OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_live_answer l;
	struct ocsp_answer a;

	(void)state;
	expect_ok("ahead", ocsp_live_get(whole, &l));
	expect_number("ahead", l.live.n, 2);
	for (size_t n = 1; n <= 17; n++) {
		struct buf list_of OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		slice edited;

		buf_put(&list, part(whole, "0.1.0.1.0.0.2.1"));
		der_put(&list_of, DER_SEQUENCE, buf_slice(&list));
		edited = edit(whole, "0.1.0.1.0.0.2", '=', buf_slice(&list_of));
		expect_text("many", ocsp_live_get(edited, &l), n <= OCSP_MANY_MAX ? NULL : FORM);
		expect_text("many", ocsp_answer_get(edited, &a), FORM);
	}
	expect_text("no NULL", ocsp_live_get(edit(whole, "0.1.0.1.0.0.2.0.0.0.1", '-', hex("")), &l), FORM);
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	expect_number("time", (uint64_t)ASN1_TIME_to_tm(t, &tm), 1);
	return (int64_t)timegm(&tm);
}

static const struct {
	const char *name;
	enum ocsp_status status;
	enum crl_reason reason;
	bool certificate, nonce;
	int libcrypto;
} ANSWERS[] = {
    {"good", OCSP_GOOD, REASON_UNSPECIFIED, true, false, V_OCSP_CERTSTATUS_GOOD},
    {"good with nonce", OCSP_GOOD, REASON_UNSPECIFIED, true, true, V_OCSP_CERTSTATUS_GOOD},
    {"good without certificate", OCSP_GOOD, REASON_UNSPECIFIED, false, false, V_OCSP_CERTSTATUS_GOOD},
    {"revoked", OCSP_REVOKED, REASON_UNSPECIFIED, true, false, V_OCSP_CERTSTATUS_REVOKED},
    {"revoked for a reason", OCSP_REVOKED, REASON_SUPERSEDED, true, true, V_OCSP_CERTSTATUS_REVOKED},
    {"unknown", OCSP_UNKNOWN, REASON_UNSPECIFIED, true, false, V_OCSP_CERTSTATUS_UNKNOWN},
};

/* What get accepts, put writes back byte for byte. */
static void
test_answer_law(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ANSWERS); i++) {
		struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct ocsp_plan p = plan_for(ANSWERS[i].status, ANSWERS[i].reason);
		struct ocsp_answer a;
		slice whole;

		p.nonce = ANSWERS[i].nonce ? LIT("0123456789abcdef") : slice_of(NULL, 0);
		whole = answer_made(&p, ANSWERS[i].certificate ? delegated : slice_of(NULL, 0));
		expect_ok(ANSWERS[i].name, ocsp_answer_get(whole, &a));
		expect_true(ANSWERS[i].name, a.error == 0 && a.status == p.status && a.reason == p.reason &&
		                                 a.revoked.ms == p.revoked.ms && serial_eq(a.serial, p.serial) &&
		                                 memcmp(&a.issuer, &issuer, sizeof issuer) == 0);
		p = (struct ocsp_plan){.issuer = a.issuer,
		    .serial = a.serial,
		    .status = a.status,
		    .revoked = a.revoked,
		    .reason = a.reason,
		    .produced = a.produced,
		    .this_update = a.this_update,
		    .next_update = a.next_update,
		    .responder_key_id = a.responder_key_id,
		    .nonce = a.nonce};
		ocsp_put_data(&data, &p);
		expect_same(ANSWERS[i].name, buf_slice(&data), a.data);
		ocsp_join(&again, buf_slice(&data), a.alg, a.signature, a.responder_cert);
		expect_same(ANSWERS[i].name, buf_slice(&again), whole);
		expect_ok(ANSWERS[i].name, key_check(responder.key, a.alg, a.data, a.signature));
	}
}

/* libcrypto finds both CertIDs, every field and the delegated signature good. */
static void
test_libcrypto(void **state)
{
	X509 *x = x509_of(leaf), *ca_x = x509_of(anchor), *d = x509_of(delegated);
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *extra = sk_X509_new_null();

	(void)state;
	X509_STORE_add_cert(store, ca_x);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW.ms / SECOND_MS);
	sk_X509_push(extra, d);
	for (size_t i = 0; i < COUNT(ANSWERS); i++) {
		struct ocsp_plan p = plan_for(ANSWERS[i].status, ANSWERS[i].reason);
		slice whole;
		const unsigned char *at;
		OCSP_RESPONSE *r;
		OCSP_BASICRESP *b;

		p.nonce = ANSWERS[i].nonce ? LIT("0123456789abcdef") : slice_of(NULL, 0);
		whole = answer_made(&p, ANSWERS[i].certificate ? delegated : slice_of(NULL, 0));
		at = whole.p;
		r = d2i_OCSP_RESPONSE(NULL, &at, (long)whole.n);
		expect_true(ANSWERS[i].name, r != NULL && at == whole.p + whole.n);
		expect_number(ANSWERS[i].name, (uint64_t)OCSP_response_status(r), 0);
		b = OCSP_response_get1_basic(r);
		expect_true(ANSWERS[i].name, b != NULL);
		expect_number(ANSWERS[i].name, (uint64_t)OCSP_basic_verify(b, extra, store, OCSP_NOEXPLICIT), 1);
		expect_number(ANSWERS[i].name, (uint64_t)seconds_of(OCSP_resp_get0_produced_at(b)), (uint64_t)(NOW.ms / 1000));
		for (size_t k = 0; k < 2; k++) {
			OCSP_CERTID *id = OCSP_cert_to_id(k == 0 ? EVP_sha1() : EVP_sha256(), x, ca_x);
			ASN1_GENERALIZEDTIME *revoked = NULL, *this_update, *next_update;
			int status, reason;

			expect_number(ANSWERS[i].name,
			    (uint64_t)OCSP_resp_find_status(b, id, &status, &reason, &revoked, &this_update, &next_update), 1);
			expect_number(ANSWERS[i].name, (uint64_t)status, (uint64_t)ANSWERS[i].libcrypto);
			expect_number(ANSWERS[i].name, (uint64_t)seconds_of(this_update), (uint64_t)(NOW.ms / 1000));
			expect_number(ANSWERS[i].name, (uint64_t)seconds_of(next_update), (uint64_t)(NOW.ms / 1000 + 3600));
			if (status == V_OCSP_CERTSTATUS_REVOKED) {
				expect_number(ANSWERS[i].name, (uint64_t)seconds_of(revoked), (uint64_t)(NOW.ms / 1000 - 60));
				expect_true(
				    ANSWERS[i].name, reason == (ANSWERS[i].reason == REASON_UNSPECIFIED ? -1 : (int)ANSWERS[i].reason));
			}
			OCSP_CERTID_free(id);
		}
		expect_true(
		    ANSWERS[i].name, (OCSP_BASICRESP_get_ext_by_NID(b, NID_id_pkix_OCSP_Nonce, -1) >= 0) == ANSWERS[i].nonce);
		OCSP_BASICRESP_free(b);
		OCSP_RESPONSE_free(r);
	}
	sk_X509_pop_free(extra, X509_free);
	X509_STORE_free(store);
	X509_free(x);
	X509_free(ca_x);
}

/* The command line says what we said, to either digest. */
static void
test_command(void **state)
{
	const struct ocsp_plan p = plan_for(OCSP_REVOKED, REASON_KEY_COMPROMISE);

	(void)state;
	temp_write("answer.der", answer_made(&p, delegated));
	temp_write("request.der", request_made(HASH_SHA256, slice_of(NULL, 0)));
	temp_write_cert("ca.pem", anchor);
	temp_write_cert("leaf.pem", leaf);
	expect_run("openssl ocsp -respin answer.der -issuer ca.pem -cert leaf.pem -CAfile ca.pem -attime 1795305600 "
	           "-validity_period 2000000000 >text 2>&1");
	expect_run("grep -q 'Response verify OK' text && grep -q 'leaf.pem: revoked' text");
	expect_run("grep -q 'Reason: keyCompromise' text");
	expect_run(
	    "openssl ocsp -respin answer.der -issuer ca.pem -sha256 -cert leaf.pem -CAfile ca.pem -attime 1795305600 "
	    "-validity_period 2000000000 >text 2>&1");
	expect_run("grep -q 'Response verify OK' text && grep -q 'leaf.pem: revoked' text");
	expect_run("openssl ocsp -reqin request.der -req_text >text");
	expect_run("grep -q 'Serial Number: 7F0102030405060708090A0B0C0D0E0F' text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_request_refusals),
	    cmocka_unit_test(test_request_limit),
	    cmocka_unit_test(test_nonce_limit),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_path),
	    cmocka_unit_test(test_place),
	    cmocka_unit_test(test_request_law),
	    cmocka_unit_test(test_certid),
	    cmocka_unit_test(test_answer_refusals),
	    cmocka_unit_test(test_answer_limit),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_live_refusals),
	    cmocka_unit_test(test_answer_law),
	    cmocka_unit_test(test_libcrypto),
	    cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests_name("ocsp", tests, make_world, drop_world);
}
