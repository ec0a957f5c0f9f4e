#include <openssl/evp.h>

#include "base/seal.h"

#define MAGIC LIT("INKANSEAL1\n")
#define TAG_LEN 16

void
seal_put(struct buf *b, slice key, slice nonce, slice about, slice plain)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t *at, *tag;
	int n = 0, fin = 0;

	assert(key.n == SEAL_KEY_LEN && nonce.n == SEAL_NONCE_LEN && plain.n < INT32_MAX && about.n < INT32_MAX);
	buf_put(b, MAGIC);
	buf_put(b, nonce);
	at = buf_space(b, plain.n + TAG_LEN);
	if (c == NULL)
		abort();
	if (at != NULL) {
		tag = at + plain.n;
		if (EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key.p, nonce.p) != 1 ||
		    EVP_EncryptUpdate(c, NULL, &n, about.p, (int)about.n) != 1 ||
		    EVP_EncryptUpdate(c, at, &n, plain.p, (int)plain.n) != 1 || EVP_EncryptFinal_ex(c, at + n, &fin) != 1 ||
		    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) != 1)
			abort();
	}
	EVP_CIPHER_CTX_free(c);
}

err
seal_get(slice key, slice about, slice sealed, struct buf *out)
{
	EVP_CIPHER_CTX *c;
	slice magic, nonce, body;
	uint8_t tag[TAG_LEN], *at;
	size_t start = out->n;
	int n = 0, fin = 0;
	bool good;

	assert(key.n == SEAL_KEY_LEN);
	if (!slice_take(&sealed, MAGIC.n, &magic) || !slice_eq(magic, MAGIC) ||
	    !slice_take(&sealed, SEAL_NONCE_LEN, &nonce) || sealed.n < TAG_LEN || sealed.n > INT32_MAX)
		return fail(ERR_INPUT, "seal-form: house: not a sealed object");
	body = (slice){sealed.p, sealed.n - TAG_LEN};
	memcpy(tag, sealed.p + body.n, TAG_LEN);
	at = buf_space(out, body.n);
	TRY(buf_check(out));
	c = EVP_CIPHER_CTX_new();
	if (c == NULL)
		abort();
	good = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key.p, nonce.p) == 1 &&
	       EVP_DecryptUpdate(c, NULL, &n, about.p, (int)about.n) == 1 &&
	       EVP_DecryptUpdate(c, at, &n, body.p, (int)body.n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 && EVP_DecryptFinal_ex(c, at + n, &fin) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!good) {
		wipe(at, body.n);
		out->n = start;
		return fail(ERR_CORRUPT, "seal: house: sealed bytes do not open under this key");
	}
	return ok;
}
