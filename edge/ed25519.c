#include <openssl/evp.h>

#include "edge/ed25519.h"

static err
refused(void)
{
	return fail(ERR_WORLD, "ed25519: RFC 8032: libcrypto does not take this key");
}

static EVP_PKEY *
load(slice seed)
{
	return seed.n == ED25519_SEED ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, seed.n) : NULL;
}

err
ed25519_public(slice seed, uint8_t out[ED25519_PUBLIC])
{
	EVP_PKEY *k = load(seed);
	size_t n = ED25519_PUBLIC;
	bool good = k != NULL && EVP_PKEY_get_raw_public_key(k, out, &n) == 1 && n == ED25519_PUBLIC;

	EVP_PKEY_free(k);
	return good ? ok : refused();
}

err
ed25519_sign(slice seed, slice message, uint8_t out[ED25519_SIGNATURE])
{
	EVP_PKEY *k = load(seed);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = ED25519_SIGNATURE;
	bool good = k != NULL && c != NULL && EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1 &&
	            EVP_DigestSign(c, out, &n, message.p, message.n) == 1 && n == ED25519_SIGNATURE;

	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
	return good ? ok : refused();
}
