/*
 * keyfile.h - the subscriber's key in a file: PKCS#8, RFC 5958, encrypted by PBES2.
 *
 * Depends on: base, key; libcrypto.  Touches: the file it is told to write or
 * read, libcrypto's random generator.
 *
 *   -----BEGIN ENCRYPTED PRIVATE KEY-----      RFC 7468, one block, nothing else
 *   PBES2 (RFC 8018): AES-256-CBC, a fresh IV and 16 bytes of salt, the key from
 *     scrypt (RFC 7914)  N = 2^14, r = 8, p = 8: the work of N = 2^17 with p = 1 in
 *                        the 16 MiB that stock OpenSSL grants when it reads
 *     or PBKDF2          HMAC-SHA-256, 600,000 rounds
 *
 * Both can be opened without us: openssl pkey -in FILE.  The file is made new
 * (never over another) with mode 0600, synced with its folder before success is
 * said.  Passphrases shorter than KEYFILE_PASSPHRASE_MIN are refused: this file is
 * all that stands between a thief and a signature equal to a seal (Act 3).
 *
 * The key itself lives in libcrypto's memory from keyfile_new or keyfile_load to
 * keyfile_drop; nothing here gives it out but the encrypted forms.
 *
 * ERRORS: keyfile-there (ERR_CONFLICT) · keyfile-absent (ERR_ABSENT) ·
 * keyfile-passphrase (ERR_POLICY: wrong, or the file is damaged) ·
 * keyfile-passphrase-short, keyfile-form, keyfile-kind (ERR_INPUT) ·
 * keyfile-write (ERR_WORLD) · keyfile-mode (ERR_POLICY: others can read the file).
 */
#ifndef EDGE_KEYFILE_H
#define EDGE_KEYFILE_H

#include "base/base.h"
#include "base/key.h"

#define KEYFILE_SCRYPT_N (UINT64_C(1) << 14)
#define KEYFILE_SCRYPT_R 8
#define KEYFILE_SCRYPT_P 8
#define KEYFILE_PBKDF2_ROUNDS 600000
#define KEYFILE_PKCS12_ROUNDS 200000 /* of both its key and its MAC: what importers in use still open at once */
#define KEYFILE_PASSPHRASE_MIN 8     /* characters, NIST SP 800-63B 5.1.1.1 */
#define KEYFILE_MAX 16384            /* bytes of the file: RSA of 8192 bits has about 6,600 */

enum keyfile_kdf { KEYFILE_SCRYPT = 1, KEYFILE_PBKDF2 };

struct keyfile;

/* A fresh key pair: P-256, P-384, or RSA of `bits`. */
err keyfile_new(enum key_kind kind, unsigned bits, struct keyfile **out) CHECKED;
err keyfile_load(const char *path, const struct secret *passphrase, struct keyfile **out) CHECKED;
void keyfile_drop(struct keyfile **k);

err keyfile_store(
    const struct keyfile *k, const char *path, const struct secret *passphrase, enum keyfile_kdf kdf) CHECKED;
/* PKCS#12, RFC 7292, with the certificate (DER): for programs that take nothing else. */
err keyfile_export(const struct keyfile *k, slice certificate, const char *name, const char *path,
    const struct secret *passphrase) CHECKED;

/* Whole SubjectPublicKeyInfo, made once; lives as long as k. */
slice keyfile_spki(const struct keyfile *k);
enum key_kind keyfile_kind(const struct keyfile *k);
/* As X.509 wants it; alg must fit the kind (asserted). */
err keyfile_sign(const struct keyfile *k, enum sig_alg alg, slice message, struct buf *out) CHECKED;

#endif
