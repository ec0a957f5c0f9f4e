/*
 * Every key that key_get_spki accepts, OpenSSL accepts and writes with the same bytes;
 * every algorithm that sig_alg_get accepts is written back byte for byte; and no
 * signature made of what followed is good.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "base/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
keys(slice in)
{
	slice spki, rest = in, again;
	struct key *k OWNED(key_drop) = NULL;
	const unsigned char *p;
	unsigned char *out = NULL;
	EVP_PKEY *ref;
	int n;

	if (der_get_whole(&rest, DER_SEQUENCE, &spki).kind != OK || key_get_spki(spki, &k).kind != OK)
		return;
	if (!slice_eq(key_spki(k), spki))
		abort();
	p = spki.p;
	ref = d2i_PUBKEY(NULL, &p, (long)spki.n);
	n = i2d_PUBKEY(ref, &out);
	again = slice_of(out, n < 0 ? 0 : (size_t)n);
	if (ref == NULL || !slice_eq(again, spki) ||
	    (unsigned)EVP_PKEY_get_bits(ref) != key_bits(k) + (key_kind(k) == KEY_ED25519 ? 1 : 0))
		abort();
	OPENSSL_free(out);
	EVP_PKEY_free(ref);
	for (enum sig_alg a = SIG_RSA_SHA256; a <= SIG_ED25519; a++)
		if (key_check(k, a, LIT("no one signed this"), rest).kind == OK && key_kind(k) != KEY_ED25519)
			abort(); /* an Ed25519 key of small order is no key of ours, and anyone signs for it */
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b OWNED(buf_drop) = BUF(200);
	slice in = slice_of(p, n), s = in;
	enum sig_alg a;

	if (sig_alg_get(&s, &a).kind == OK) {
		sig_alg_put(&b, a);
		if (!slice_eq(buf_slice(&b), (slice){in.p, in.n - s.n}))
			abort();
	}
	keys(in);
	ERR_clear_error();
	return 0;
}
