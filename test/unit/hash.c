/* base/hash: FIPS 180-4 examples, and OpenSSL's EVP for every length around a block. */
#include "test/unit/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hash.h"

static const EVP_MD *
md(enum hash_alg a)
{
	return a == HASH_SHA1     ? EVP_sha1()
	       : a == HASH_SHA256 ? EVP_sha256()
	       : a == HASH_SHA384 ? EVP_sha384()
	                          : EVP_sha512();
}

static void
test_known(void **state)
{
	static const struct {
		enum hash_alg a;
		const char *in, *out;
	} rows[] = {
	    {HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
	    {HASH_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	    {HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {HASH_SHA384, "abc",
	        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
	    {HASH_SHA512, "abc",
	        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
	        "454d4423643ce80e2a9ac94fa54ca49f"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t h[SHA512_LEN];

		hash_of(rows[i].a, txt(rows[i].in), h);
		expect_same(rows[i].in, slice_of(h, hash_len(rows[i].a)), hex(rows[i].out));
	}
}

static void
test_openssl(void **state)
{
	static const enum hash_alg algs[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512};
	static const size_t lengths[] = {0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 127, 128, 129, 1000, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		slice in = bytes(lengths[i], (uint8_t)(lengths[i] + 1));
		uint8_t ref[EVP_MAX_MD_SIZE], h[SHA512_LEN];
		unsigned n = 0;
		digest d, e;
		struct hash run;

		for (size_t k = 0; k < COUNT(algs); k++) {
			assert_int_equal(EVP_Digest(in.p, in.n, ref, &n, md(algs[k]), NULL), 1);
			hash_of(algs[k], in, h);
			expect_same("hash_of", slice_of(h, hash_len(algs[k])), slice_of(ref, n));
		}
		EVP_Digest(in.p, in.n, ref, &n, EVP_sha256(), NULL);
		d = sha256(in);
		expect_same("sha256", digest_slice(&d), slice_of(ref, n));
		for (size_t cut = 0; cut <= in.n; cut += 1 + in.n / 7) {
			slice a = {in.p, cut}, b = {in.p + cut, in.n - cut};

			e = sha256_two(a, b);
			assert_true(digest_eq(d, e));
			hash_start(&run);
			hash_add(&run, a);
			hash_add(&run, (slice){NULL, 0});
			hash_add(&run, b);
			e = hash_end(&run);
			assert_true(digest_eq(d, e));
		}
	}
}

static void
test_hmac(void **state)
{
	static const size_t keys[] = {0, 1, 32, 63, 64, 65, 200};
	uint8_t ref[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	digest d;

	(void)state;
	/* RFC 4231 4.2 */
	d = hmac_sha256(bytes(20, 0x0B), LIT("Hi There"));
	expect_same("RFC 4231", digest_slice(&d), hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
	for (size_t i = 0; i < COUNT(keys); i++)
		for (size_t len = 0; len < 300; len += 37) {
			slice key = bytes(keys[i], 0xA5), in = bytes(len, 0x5A);

			HMAC(EVP_sha256(), key.p, (int)key.n, in.p, in.n, ref, &n);
			d = hmac_sha256(key, in);
			expect_same("hmac", digest_slice(&d), slice_of(ref, n));
		}
	d = hmac_sha256((slice){NULL, 0}, (slice){NULL, 0});
	HMAC(EVP_sha256(), "", 0, (const uint8_t *)"", 0, ref, &n);
	expect_same("nothing under nothing", digest_slice(&d), slice_of(ref, n));
}

static void
test_digest(void **state)
{
	static const struct {
		const char *in, *expect;
	} rows[] = {
	    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL},
	    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
	        "hex-length: house: a hexadecimal value has the wrong length"},
	    {"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00",
	        "hex-length: house: a hexadecimal value has the wrong length"},
	    {"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	        "hex-digit: house: a hexadecimal value has another character in it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(64);
		digest d = {{0xEE}};

		expect_text(rows[i].in, digest_get(txt(rows[i].in), &d), rows[i].expect);
		if (rows[i].expect != NULL) {
			assert_int_equal(d.b[0], 0xEE);
			continue;
		}
		digest_put(&b, d);
		expect_same(rows[i].in, buf_slice(&b), txt(rows[i].in));
		assert_true(digest_eq(d, sha256(LIT("abc"))));
		assert_false(digest_eq(d, sha256(LIT("abd"))));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_openssl),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
