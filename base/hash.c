/*
 * The low-level SHA calls are marked deprecated in OpenSSL 3, but they alone need neither a global algorithm cache nor a
 * fetch per call (0.3 us instead of 1.1 us for a book line), and a book hashes more than anything else here.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/hash.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct hash), "struct hash holds libcrypto's state");
_Static_assert(sizeof(SHA512_CTX) <= sizeof((struct hash_run){0}.state), "struct hash_run holds libcrypto's state");

digest
sha256_two(slice a, slice b)
{
	struct hash h;

	hash_start(&h);
	hash_add(&h, a);
	hash_add(&h, b);
	return hash_end(&h);
}

digest
sha256(slice s)
{
	return sha256_two(s, (slice){NULL, 0});
}

digest
hmac_sha256(slice key, slice s)
{
	uint8_t k[64] = {0}, pad[64];
	digest d;

	if (key.n > sizeof k) {
		d = sha256(key);
		memcpy(k, d.b, sizeof d.b);
	} else if (key.n > 0)
		memcpy(k, key.p, key.n);
	for (size_t i = 0; i < sizeof k; i++)
		pad[i] = k[i] ^ 0x36;
	d = sha256_two(ARR(pad), s);
	for (size_t i = 0; i < sizeof k; i++)
		pad[i] = k[i] ^ 0x5C;
	d = sha256_two(ARR(pad), ARR(d.b));
	wipe(k, sizeof k);
	wipe(pad, sizeof pad);
	return d;
}

size_t
hash_len(enum hash_alg a)
{
	static const size_t len[] = {[HASH_SHA1] = 20, [HASH_SHA256] = 32, [HASH_SHA384] = 48, [HASH_SHA512] = 64};

	return len[a];
}

void
hash_of(enum hash_alg a, slice s, uint8_t out[SHA512_LEN])
{
	SHA_CTX c1;
	SHA512_CTX c5;
	digest d;

	switch (a) {
	case HASH_SHA1:
		SHA1_Init(&c1);
		SHA1_Update(&c1, s.p, s.n);
		SHA1_Final(out, &c1);
		return;
	case HASH_SHA256:
		d = sha256(s);
		memcpy(out, d.b, sizeof d.b);
		return;
	case HASH_SHA384:
		SHA384_Init(&c5);
		SHA384_Update(&c5, s.p, s.n);
		SHA384_Final(out, &c5);
		return;
	case HASH_SHA512:
		SHA512_Init(&c5);
		SHA512_Update(&c5, s.p, s.n);
		SHA512_Final(out, &c5);
		return;
	}
	abort();
}

slice
digest_slice(const digest *d)
{
	return (slice){d->b, sizeof d->b};
}

bool
digest_eq(digest a, digest b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

void
digest_put(struct buf *b, digest d)
{
	buf_put_hex(b, ARR(d.b));
}

err
digest_get(slice hex, digest *out)
{
	return hex_get(hex, out->b, sizeof out->b);
}

void
hash_start(struct hash *h)
{
	SHA256_CTX c;

	SHA256_Init(&c);
	memcpy(h->state, &c, sizeof c);
}

void
hash_add(struct hash *h, slice s)
{
	SHA256_CTX c;

	memcpy(&c, h->state, sizeof c);
	SHA256_Update(&c, s.p, s.n);
	memcpy(h->state, &c, sizeof c);
}

digest
hash_end(struct hash *h)
{
	SHA256_CTX c;
	digest d;

	memcpy(&c, h->state, sizeof c);
	SHA256_Final(d.b, &c);
	wipe(h, sizeof *h);
	return d;
}

void
hash_run_start(struct hash_run *h, enum hash_alg alg)
{
	struct hash h256;
	SHA512_CTX c;

	assert(alg != HASH_SHA1);
	*h = (struct hash_run){.alg = alg};
	if (alg == HASH_SHA256) {
		hash_start(&h256);
		memcpy(h->state, &h256, sizeof h256);
		return;
	}
	if (alg == HASH_SHA384)
		SHA384_Init(&c);
	else
		SHA512_Init(&c);
	memcpy(h->state, &c, sizeof c);
}

void
hash_run_add(struct hash_run *h, slice s)
{
	struct hash h256;
	SHA512_CTX c;

	if (h->alg == HASH_SHA256) {
		memcpy(&h256, h->state, sizeof h256);
		hash_add(&h256, s);
		memcpy(h->state, &h256, sizeof h256);
		return;
	}
	memcpy(&c, h->state, sizeof c);
	SHA512_Update(&c, s.p, s.n);
	memcpy(h->state, &c, sizeof c);
}

void
hash_run_end(struct hash_run *h, uint8_t out[SHA512_LEN])
{
	struct hash h256;
	SHA512_CTX c;
	digest d;

	if (h->alg == HASH_SHA256) {
		memcpy(&h256, h->state, sizeof h256);
		d = hash_end(&h256);
		memcpy(out, d.b, sizeof d.b);
		return;
	}
	memcpy(&c, h->state, sizeof c);
	SHA512_Final(out, &c); /* knows by its own length that it is SHA-384 */
}
