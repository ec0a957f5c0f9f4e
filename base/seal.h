/*
 * seal.h - bytes locked under a symmetric key: AES-256-GCM, NIST SP 800-38D.
 *
 * Depends on: base, hash; libcrypto's cipher.  Pure: the nonce is an argument,
 * and the caller never gives the same one twice under one key.
 *
 * Used for what the law wants gone on a day (J-LIS data, JPKI Ordinance 15-3):
 * without its key a sealed object is gone.
 *
 *   sealed = "INKANSEAL1\n" ‖ nonce (12) ‖ ciphertext ‖ tag (16)
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/base.h"

#define SEAL_KEY_LEN 32
#define SEAL_NONCE_LEN 12
#define SEAL_OVERHEAD (11 + SEAL_NONCE_LEN + 16)

/* `about` is bound into the tag and not stored: the evidence's digest, for instance. */
void seal_put(struct buf *b, slice key, slice nonce, slice about, slice plain);
/* ERR_CORRUPT seal: another key, another `about`, or damaged bytes.  ERR_INPUT: not a sealed object. */
err seal_get(slice key, slice about, slice sealed, struct buf *out) CHECKED;

#endif
