/*
 * key.h - public keys and the signatures made with their private halves:
 *         RFC 5280 4.1.2.7, RFC 4055, RFC 5480, RFC 8410.
 *
 * Depends on: base, der, hash; libcrypto's arithmetic.  Pure.
 *
 * Accepted keys (CR-1, Rule 2): RSA of 2048 to 8192 bits with e = 65537, EC on
 * P-256 and P-384 (uncompressed points), and Ed25519 for checkpoints and
 * documents' own signers only where the caller says so.  Everything else is
 * refused here with its reason, so that no key below the law exists above.
 *
 * Signatures: RSA PKCS#1 v1.5 (the whole encoded message is built and compared),
 * RSASSA-PSS with MGF1 of the same hash and salt as long as it, ECDSA, Ed25519.
 */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#include "base/base.h"
#include "base/hash.h"

enum key_kind { KEY_RSA = 1, KEY_P256, KEY_P384, KEY_ED25519 };

enum sig_alg {
	SIG_RSA_SHA256 = 1,
	SIG_RSA_SHA384,
	SIG_RSA_SHA512,
	SIG_PSS_SHA256,
	SIG_PSS_SHA384,
	SIG_PSS_SHA512,
	SIG_ECDSA_SHA256,
	SIG_ECDSA_SHA384,
	SIG_ED25519,
};

#define KEY_RSA_BITS_MIN 2048 /* CR-1, Rule 2(i)                                        */
#define KEY_RSA_BITS_MAX 8192 /* a stranger's key must not cost more than 2 ms to use   */
#define SPKI_MAX 1200         /* bytes of a SubjectPublicKeyInfo with such a key        */
#define SIG_MAX 1024          /* bytes of a signature by such a key                     */

/* Owns its libcrypto key and a copy of its SubjectPublicKeyInfo. */
struct key;

/* A whole SubjectPublicKeyInfo.  ERR_POLICY key-weak/key-kind/key-exponent (CR-1); ERR_INPUT for bytes. */
err key_get_spki(slice spki, struct key **out) CHECKED;
/*
 * The same for one key of many, each used once: what every key of its curve needs is taken from `like`, which may be NULL
 * or of another kind (P-256: 4 us instead of 20 us).  `like` may be dropped before it.
 */
err key_get_spki_like(slice spki, const struct key *like, struct key **out) CHECKED;
/*
 * The same kind, size and names of a key whose numbers were judged before (a verifier's facts, an application read in the
 * same turn): no arithmetic is done (25 us less), whether a point lies on its curve is not looked at, and key_check() on it
 * is a bug.
 */
err key_name_spki(slice spki, struct key **out) CHECKED;
void key_drop(struct key **k);
enum key_kind key_kind(const struct key *k);
unsigned key_bits(const struct key *k);
/* The whole SubjectPublicKeyInfo; lives as long as k. */
slice key_spki(const struct key *k);
/* SHA-256 of it: the key's name in books, journals and trust files. */
digest key_digest(const struct key *k);
/* RFC 5280 4.2.1.2 (1): SHA-1 of the subjectPublicKey bits. */
void key_identifier(const struct key *k, uint8_t out[SHA1_LEN]);
/* Builds a SubjectPublicKeyInfo from what PKCS#11 gives: modulus (e = 65537), an uncompressed point, or 32 Ed25519 bytes. */
void key_put_spki(struct buf *b, enum key_kind kind, slice material);

/*
 * This key will check thousands: multiples of an EC key's point are computed once (20 ms, 150 KB), so that a check costs
 * half.  Same answers; nothing is done for other kinds.
 */
void key_keep(struct key *k);
/* ERR_POLICY signature: the signature is not by this key over these bytes (or alg does not fit the key). */
err key_check(const struct key *k, enum sig_alg alg, slice message, slice signature) CHECKED;
/* The same over sig_alg_hash(alg) of the message, for what is too long to be held; not for Ed25519. */
err key_check_hashed(const struct key *k, enum sig_alg alg, slice hashed, slice signature) CHECKED;

/* AlgorithmIdentifier of a signature, whole element. */
err sig_alg_get(slice *in, enum sig_alg *out) CHECKED;
void sig_alg_put(struct buf *b, enum sig_alg alg);
enum hash_alg sig_alg_hash(enum sig_alg alg);
bool sig_alg_fits(enum sig_alg alg, enum key_kind kind);
/* The algorithm this house signs with when nothing else is asked for. */
enum sig_alg sig_alg_for(enum key_kind kind);

/* PKCS#11 gives r and s of equal length, X.509 wants SEQUENCE { r, s }. */
void ecdsa_put(struct buf *b, slice raw);
/* DigestInfo of RFC 8017 9.2 over a finished hash, for CKM_RSA_PKCS and the card. */
void digest_info_put(struct buf *b, enum hash_alg alg, slice value);

#endif
