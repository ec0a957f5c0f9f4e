/*
 * hash.h - SHA-1, SHA-2 and HMAC-SHA-256: FIPS 180-4, RFC 2104.
 *
 * Depends on: base; libcrypto's digests.  Pure.
 *
 * SHA-1 stands here for two uses that are no signature: key identifiers
 * (RFC 5280 4.2.1.2) and CertIDs (RFC 6960 4.1.1).  Nothing here fails but digest_get; values are copied, nothing is owned.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

#define SHA1_LEN 20
#define SHA256_LEN 32
#define SHA512_LEN 64

/* A SHA-256 value: the name of a document, a certificate, a piece of evidence. */
typedef struct {
	uint8_t b[SHA256_LEN];
} digest;

enum hash_alg { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

digest sha256(slice s);
/* SHA-256 of a followed by b, without joining them. */
digest sha256_two(slice a, slice b);
/* RFC 2104, a key of any length: for challenges and bearer tokens. */
digest hmac_sha256(slice key, slice s);
size_t hash_len(enum hash_alg a); /* bytes */
/* Writes hash_len(a) bytes. */
void hash_of(enum hash_alg a, slice s, uint8_t out[SHA512_LEN]);

slice digest_slice(const digest *d); /* borrows from d */
/* Not in constant time: digests are names here; a secret one is compared by slice_eq_secret. */
bool digest_eq(digest a, digest b);
/* 64 lower-case hexadecimal digits. */
void digest_put(struct buf *b, digest d);
/* These digits and nothing else; ERR_INPUT as hex_get says. */
err digest_get(slice hex, digest *out) CHECKED;

/* A running SHA-256 for what comes in parts: start, add, end once; nothing to drop. */
struct hash {
	uint64_t state[16]; /* libcrypto's own, opaque here */
};
void hash_start(struct hash *h);
void hash_add(struct hash *h, slice s);
digest hash_end(struct hash *h);

/* The same for any of the SHA-2 a signature is made over: a list of ten million entries is never in memory at once. */
struct hash_run {
	enum hash_alg alg;  /* not HASH_SHA1 */
	uint64_t state[28]; /* libcrypto's own, opaque here */
};
void hash_run_start(struct hash_run *h, enum hash_alg alg);
void hash_run_add(struct hash_run *h, slice s);
/* Writes hash_len(alg) bytes. */
void hash_run_end(struct hash_run *h, uint8_t out[SHA512_LEN]);

#endif
