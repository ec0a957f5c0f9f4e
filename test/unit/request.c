#include "test/unit/pki.h"

#include "pki/request.h"

#define CHALLENGE "request-challenge: Rule 6(iii-2): the request does not carry the challenge as UTF8String"
#define CHALLENGE_LENGTH "request-challenge-length: RFC 2985 5.4.1: a challenge has 1 to 255 bytes"
#define MORE "request-attribute: house: the request carries more than the challenge"
#define POSSESSION "request-possession: Rule 6(iii-2): the request is not signed by the key it carries"
#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define SUBJECT "request-subject: house: the subject is empty, who applies stands in the document"
#define TRAILING "der-trailing: X.690 8.1: bytes follow where nothing may follow"
#define VERSION "request-version: RFC 2986 4.1: the request is not of version 1"

static struct signer rsa, p256, p384;

static int
make_world(void **state)
{
	(void)state;
	rsa = signer_new(KEY_RSA);
	p256 = signer_new(KEY_P256);
	p384 = signer_new(KEY_P384);
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&rsa);
	signer_drop(&p256);
	signer_drop(&p384);
	return temp_drop(state);
}

static slice
request_made(const struct signer *s, enum sig_alg alg, slice challenge)
{
	struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), whole OWNED(buf_drop) = BUF(REQUEST_MAX);

	request_put_info(&info, s->spki, challenge);
	request_join(&whole, buf_slice(&info), alg, signer_sign(s, alg, buf_slice(&info)));
	expect_ok("a request within its limit", buf_check(&whole));
	return copy(buf_slice(&whole));
}

/* 0.0 is info {version, subject, spki, [0]}; 0.0.3.0 the attribute {OID, SET {UTF8String}}. */
static void
test_refusals(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with, *expect;
	} rows[] = {
	    {"as it is", "0.0", '=', NULL, NULL},
	    {"byte after", "0", '>', "00", TRAILING},
	    {"version 2", "0.0.0", '=', "020101", VERSION},
	    {"a subject", "0.0.1", '=', "300C 310A 3008 0603550403 0C01 61", SUBJECT},
	    {"no attributes", "0.0.3", '-', "", SHORT},
	    {"empty attributes", "0.0.3", '=', "A000", CHALLENGE},
	    {"challenge twice", "0.0.3.0", '2', "", MORE},
	    {"extension request beside it", "0.0.3.0", '>', "300F 06092A864886F70D01090E 3102 3000", MORE},
	    {"extension request instead", "0.0.3.0", '=', "300F 06092A864886F70D01090E 3102 3000", MORE},
	    {"PrintableString", "0.0.3.0.1.0", '=', "130161", CHALLENGE},
	    {"no value", "0.0.3.0.1.0", '-', "", CHALLENGE},
	    {"two values", "0.0.3.0.1.0", '2', "", TRAILING},
	    {"attribute and more", "0.0.3.0.1", '2', "", TRAILING},
	    {"empty challenge", "0.0.3.0.1.0", '=', "0C00", CHALLENGE_LENGTH},
	    {"zero width", "0.0.3.0.1.0", '=', "0C03E2808B",
	        "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"line break", "0.0.3.0.1.0", '=', "0C010A", "text-newline: house: a line break where one line was expected"},
	    {"info and more", "0.0.3", '2', "", TRAILING},
	    {"SHA-1", "0.1", '=', "300906072A8648CE3D0401",
	        "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"},
	    {"nothing signed", "0.2", '-', "", SHORT},
	    {"more after the signature", "0.2", '2', "", TRAILING},
	};
	slice whole = request_made(&p256, SIG_ECDSA_SHA256, LIT("a1b2c3"));
	struct request r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_text(rows[i].name,
		    request_get(rows[i].with == NULL ? whole : edit(whole, rows[i].path, rows[i].op, hex(rows[i].with)), &r),
		    rows[i].expect);
	for (size_t n = 0; n < whole.n; n++)
		expect_true("a prefix", request_get(copy(slice_of(whole.p, n)), &r).kind == ERR_INPUT);
}

static void
test_limits(void **state)
{
	struct request r;

	(void)state;
	for (size_t n = REQUEST_CHALLENGE_MAX; n <= REQUEST_CHALLENGE_MAX + 1; n++) {
		struct buf c OWNED(buf_drop) = BUF(512);
		slice whole = request_made(&p256, SIG_ECDSA_SHA256, LIT("a"));

		der_put(&c, DER_UTF8, bytes(n, 'a'));
		expect_text("challenge", request_get(edit(whole, "0.0.3.0.1.0", '=', buf_slice(&c)), &r),
		    n == REQUEST_CHALLENGE_MAX ? NULL : CHALLENGE_LENGTH);
	}
	for (size_t n = REQUEST_MAX; n <= REQUEST_MAX + 1; n++) {
		slice whole = request_made(&rsa, SIG_RSA_SHA256, LIT("a"));
		struct buf sig OWNED(buf_drop) = BUF(4096);

		/* The signature's length has two bytes before and after. */
		der_put_bits(&sig, bytes(256 + n - whole.n, 1));
		whole = edit(whole, "0.2", '=', buf_slice(&sig));
		expect_number("size", whole.n, n);
		expect_text("long", request_get(whole, &r),
		    n == REQUEST_MAX ? NULL : "request-long: house: a request has at most 2600 bytes");
	}
}

/* B-3.2イ: possession is proven by the key that is sent with the application. */
static void
test_possession(void **state)
{
	slice whole = request_made(&p256, SIG_ECDSA_SHA256, LIT("a1b2c3"));
	struct request r;

	(void)state;
	expect_ok("good", request_get(whole, &r));
	expect_same("challenge", r.challenge, LIT("a1b2c3"));
	expect_same("key", r.spki, p256.spki);
	expect_ok("good", request_check(&r, p256.key));
	expect_err("judged by another key", request_check(&r, rsa.key), ERR_POLICY, POSSESSION);
	expect_ok("other challenge", request_get(edit(whole, "0.0.3.0.1.0", '=', hex("0C03626262")), &r));
	expect_err("other challenge", request_check(&r, p256.key), ERR_POLICY, POSSESSION);
	expect_ok("other key", request_get(edit(whole, "0.0.2", '=', p384.spki), &r));
	expect_err("other key", request_check(&r, p384.key), ERR_POLICY, POSSESSION);
	expect_ok(
	    "algorithm of another key", request_get(edit(whole, "0.1", '=', hex("300D06092A864886F70D01010B0500")), &r));
	expect_err("algorithm of another key", request_check(&r, p256.key), ERR_POLICY, POSSESSION);
}

/* What get accepts, put writes back; libcrypto verifies what we write. */
static void
test_law(void **state)
{
	(void)state;
	for (enum sig_alg alg = SIG_RSA_SHA256; alg <= SIG_ECDSA_SHA384; alg++) {
		const struct signer *s = alg < SIG_ECDSA_SHA256 ? &rsa : alg == SIG_ECDSA_SHA256 ? &p256 : &p384;
		struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), again OWNED(buf_drop) = BUF(REQUEST_MAX);
		slice whole = request_made(s, alg, LIT("試し"));
		const unsigned char *p = whole.p;
		X509_REQ *x = d2i_X509_REQ(NULL, &p, (long)whole.n);
		struct request r;

		expect_ok("law", request_get(whole, &r));
		expect_ok("law", request_check(&r, s->key));
		request_put_info(&info, r.spki, r.challenge);
		request_join(&again, buf_slice(&info), r.alg, r.signature);
		expect_same("law", buf_slice(&again), whole);
		expect_true("libcrypto", x != NULL && p == whole.p + whole.n);
		expect_number("libcrypto", (uint64_t)X509_REQ_verify(x, s->pkey), 1);
		expect_number("libcrypto", (uint64_t)X509_REQ_get_attr_by_NID(x, NID_pkcs9_challengePassword, -1), 0);
		X509_REQ_free(x);
	}
}

/* A request made by libcrypto is read, and the openssl command verifies ours. */
static void
test_second_opinion(void **state)
{
	X509_REQ *x = X509_REQ_new();
	unsigned char *der = NULL;
	struct request r;
	int n;

	(void)state;
	expect_true("made", X509_REQ_set_pubkey(x, p256.pkey) == 1 &&
	                        X509_REQ_add1_attr_by_NID(x, NID_pkcs9_challengePassword, V_ASN1_UTF8STRING,
	                            (const unsigned char *)"a1b2c3d4e5f6", 12) == 1 &&
	                        X509_REQ_sign(x, p256.pkey, EVP_sha256()) > 0);
	n = i2d_X509_REQ(x, &der);
	expect_ok("libcrypto's", request_get(slice_of(der, (size_t)n), &r));
	expect_same("libcrypto's", r.challenge, LIT("a1b2c3d4e5f6"));
	expect_ok("libcrypto's", request_check(&r, p256.key));
	OPENSSL_free(der);
	X509_REQ_free(x);
	temp_write("ours.der", request_made(&p256, SIG_ECDSA_SHA256, LIT("a1b2c3")));
	expect_run("openssl req -inform DER -in ours.der -verify -noout -text >text");
	expect_run("grep -q 'challengePassword *:a1b2c3' text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_possession),
	    cmocka_unit_test(test_law),
	    cmocka_unit_test(test_second_opinion),
	};

	return cmocka_run_group_tests_name("request", tests, make_world, drop_world);
}
