/* base/seal: AES-256-GCM; what opens is what was sealed, and nothing else opens. */
#include "test/unit/test.h"

#include <openssl/evp.h>

#include "base/seal.h"

#define FORM "seal-form: house: not a sealed object"
#define SEAL "seal: house: sealed bytes do not open under this key"

static void
test_round(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 70000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes) * 2; i++) {
		size_t n = sizes[i / 2];
		slice key = bytes(SEAL_KEY_LEN, 1), nonce = bytes(SEAL_NONCE_LEN, 2), plain = bytes(n, 3);
		slice about = i % 2 == 0 ? (slice){NULL, 0} : LIT("the evidence's digest");
		struct buf b OWNED(buf_drop) = BUF(n + SEAL_OVERHEAD), out OWNED(buf_drop) = BUF(n + 1);
		struct buf less OWNED(buf_drop) = BUF(n + SEAL_OVERHEAD - 1), small OWNED(buf_drop) = BUF(n == 0 ? 0 : n - 1);

		seal_put(&b, key, nonce, about, plain);
		expect_ok("limit at max", buf_check(&b));
		assert_int_equal(b.n, n + SEAL_OVERHEAD);
		buf_put_u8(&out, '+');
		expect_ok("opens", seal_get(key, about, copy(buf_slice(&b)), &out));
		buf_eat(&out, 1);
		expect_same("opens", buf_slice(&out), plain);
		seal_put(&less, key, nonce, about, plain);
		expect_err(
		    "limit at max+1", buf_check(&less), ERR_INPUT, "buf-limit: house: more bytes than this object may have");
		if (n > 0) {
			expect_err("no room", seal_get(key, about, buf_slice(&b), &small), ERR_INPUT,
			    "buf-limit: house: more bytes than this object may have");
			assert_int_equal(small.n, 0);
		}
	}
}

/* The format is as the header says: libcrypto alone, told only that, reads it. */
static void
test_format(void **state)
{
	slice key = bytes(SEAL_KEY_LEN, 9), nonce = bytes(SEAL_NONCE_LEN, 8), plain = LIT("J-LIS said so");
	struct buf b OWNED(buf_drop) = BUF(100);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t out[100], tag[16];
	int n = 0, fin = 0;

	(void)state;
	seal_put(&b, key, nonce, LIT("about"), plain);
	expect_same("magic", slice_of(b.p, 11), LIT("INKANSEAL1\n"));
	expect_same("nonce", slice_of(b.p + 11, 12), nonce);
	memcpy(tag, b.p + b.n - 16, 16);
	assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key.p, b.p + 11), 1);
	assert_int_equal(EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)"about", 5), 1);
	assert_int_equal(EVP_DecryptUpdate(c, out, &n, b.p + 23, (int)plain.n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, tag), 1);
	assert_int_equal(EVP_DecryptFinal_ex(c, out + n, &fin), 1);
	expect_same("plain", slice_of(out, (size_t)n), plain);
	EVP_CIPHER_CTX_free(c);
}

static void
test_refused(void **state)
{
	slice key = bytes(SEAL_KEY_LEN, 1), nonce = bytes(SEAL_NONCE_LEN, 2), plain = LIT("plain bytes"), sealed;
	struct buf b OWNED(buf_drop) = BUF(100), out OWNED(buf_drop) = BUF(100);

	(void)state;
	seal_put(&b, key, nonce, LIT("about"), plain);
	sealed = buf_slice(&b);
	buf_put_str(&out, "kept");
	/* every bit of it matters */
	for (size_t i = 0; i < sealed.n * 8; i++) {
		slice bad = copy(sealed);
		uint8_t *p = keep(sealed.n);

		memcpy(p, sealed.p, sealed.n);
		p[i / 8] = (uint8_t)(p[i / 8] ^ 1 << i % 8);
		bad = slice_of(p, sealed.n);
		if (i / 8 < 11)
			expect_err(row_name("bit", i), seal_get(key, LIT("about"), bad, &out), ERR_INPUT, FORM);
		else
			expect_err(row_name("bit", i), seal_get(key, LIT("about"), bad, &out), ERR_CORRUPT, SEAL);
		expect_same("nothing of it came out", buf_slice(&out), LIT("kept"));
	}
	/* every length matters */
	for (size_t n = 0; n < sealed.n; n++) {
		slice bad = copy((slice){sealed.p, n});

		if (n < SEAL_OVERHEAD)
			expect_err(row_name("cut", n), seal_get(key, LIT("about"), bad, &out), ERR_INPUT, FORM);
		else
			expect_err(row_name("cut", n), seal_get(key, LIT("about"), bad, &out), ERR_CORRUPT, SEAL);
	}
	expect_err("longer", seal_get(key, LIT("about"), join(sealed, LIT("x")), &out), ERR_CORRUPT, SEAL);
	expect_err("another key", seal_get(bytes(SEAL_KEY_LEN, 7), LIT("about"), sealed, &out), ERR_CORRUPT, SEAL);
	expect_err("about another", seal_get(key, LIT("abouT"), sealed, &out), ERR_CORRUPT, SEAL);
	expect_err("about nothing", seal_get(key, LIT(""), sealed, &out), ERR_CORRUPT, SEAL);
	expect_same("nothing of it came out", buf_slice(&out), LIT("kept"));
	expect_ok("the true one", seal_get(key, LIT("about"), sealed, &out));
	expect_same("the true one", buf_slice(&out), LIT("keptplain bytes"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
