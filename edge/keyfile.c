#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "edge/keyfile.h"
#include "edge/random.h"

#define SALT_BYTES 16

struct keyfile {
	EVP_PKEY *key;
	enum key_kind kind;
	struct buf spki;
};

void
keyfile_drop(struct keyfile **p)
{
	struct keyfile *k = *p;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->key); /* clears the private numbers */
	buf_drop(&k->spki);
	free(k);
	*p = NULL;
}

/* Takes the key over. */
static err
keyfile_of(EVP_PKEY *key, struct keyfile **out)
{
	struct keyfile *k = mem_new(1, sizeof *k);
	struct key *public OWNED(key_drop) = NULL;
	unsigned char *der = NULL;
	int n;
	err e;

	k->key = key;
	k->spki = BUF(SPKI_MAX);
	n = i2d_PUBKEY(key, &der);
	if (n > 0)
		buf_put(&k->spki, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	/* CR-1: the same judgement as the service's. */
	e = buf_check(&k->spki);
	if (e.kind == OK)
		e = key_get_spki(buf_slice(&k->spki), &public);
	if (e.kind == OK && key_kind(public) == KEY_ED25519)
		e = fail(ERR_INPUT, "keyfile-kind: CR-1: a key of this kind signs no documents here");
	if (e.kind != OK) {
		keyfile_drop(&k);
		return e;
	}
	k->kind = key_kind(public);
	*out = k;
	return ok;
}

err
keyfile_new(enum key_kind kind, unsigned bits, struct keyfile **out)
{
	EVP_PKEY *key = NULL;

	if (kind == KEY_P256 || kind == KEY_P384)
		key = EVP_EC_gen(kind == KEY_P256 ? "P-256" : "P-384");
	else if (kind == KEY_RSA && bits >= KEY_RSA_BITS_MIN && bits <= 4096)
		key = EVP_RSA_gen(bits);
	if (key == NULL)
		return fail(ERR_INPUT, "keyfile-kind: CR-1: a key of this kind signs no documents here");
	return keyfile_of(key, out);
}

slice
keyfile_spki(const struct keyfile *k)
{
	return buf_slice(&k->spki);
}

enum key_kind
keyfile_kind(const struct keyfile *k)
{
	return k->kind;
}

err
keyfile_sign(const struct keyfile *k, enum sig_alg alg, slice message, struct buf *out)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t sig[SIG_MAX];
	size_t n = sizeof sig;
	const EVP_MD *md = sig_alg_hash(alg) == HASH_SHA512   ? EVP_sha512()
	                   : sig_alg_hash(alg) == HASH_SHA384 ? EVP_sha384()
	                                                      : EVP_sha256();
	bool good;

	assert(sig_alg_fits(alg, k->kind) && alg != SIG_PSS_SHA256 && alg != SIG_PSS_SHA384 && alg != SIG_PSS_SHA512);
	if (c == NULL)
		abort();
	good = EVP_DigestSignInit(c, NULL, md, NULL, k->key) == 1 && EVP_DigestSign(c, sig, &n, message.p, message.n) == 1;
	EVP_MD_CTX_free(c);
	if (!good)
		return fail(ERR_WORLD, "keyfile-sign: libcrypto: the signature could not be made");
	buf_put(out, slice_of(sig, n));
	return buf_check(out);
}

/* --- files -------------------------------------------------------------------------- */
/* A new file, whole and durable, or none. */
static err
write_new(const char *path, slice bytes)
{
	char folder[4096];
	size_t n = strlen(path);
	int fd, dir;
	bool good;

	if (n >= sizeof folder)
		return fail(ERR_INPUT, "keyfile-path: house: the file's name is too long");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return fail_why(
		    ERR_CONFLICT, "keyfile-there: house: a file of that name is there already; it is never overwritten", errno);
	if (fd < 0)
		return fail_why(ERR_WORLD, "keyfile-write: house: the file could not be written", errno);
	good = true;
	for (slice s = bytes; good && s.n > 0;) {
		ssize_t w = write(fd, s.p, s.n);

		if (w < 0 && errno == EINTR)
			continue;
		good = w > 0;
		if (good)
			s = (slice){s.p + w, s.n - (size_t)w};
	}
	good = good && fsync(fd) == 0;
	good = close(fd) == 0 && good;
	memcpy(folder, path, n + 1);
	dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = good && dir >= 0 && fsync(dir) == 0;
	if (dir >= 0)
		close(dir);
	if (!good) {
		(void)unlink(path);
		return fail_why(ERR_WORLD, "keyfile-write: house: the file could not be written", errno);
	}
	return ok;
}

static err
check_passphrase(const struct secret *s)
{
	slice text = secret_slice(s), rest = text;
	uint32_t cp;
	size_t n = 0;

	while (text_next(&rest, &cp))
		n++;
	if (rest.n > 0 || text_check_line(text).kind != OK)
		return fail(ERR_INPUT, "keyfile-passphrase-form: house: a passphrase is one line of plain text");
	if (n < KEYFILE_PASSPHRASE_MIN)
		return fail(ERR_INPUT, "keyfile-passphrase-short: NIST SP 800-63B: a passphrase has 8 characters or more");
	return ok;
}

static X509_ALGOR *
pbe(enum keyfile_kdf kdf)
{
	uint8_t salt[SALT_BYTES];

	random_bytes(salt, sizeof salt);
	if (kdf == KEYFILE_PBKDF2)
		return PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), KEYFILE_PBKDF2_ROUNDS, salt, sizeof salt, NULL, NID_hmacWithSHA256);
	return PKCS5_pbe2_set_scrypt(
	    EVP_aes_256_cbc(), salt, sizeof salt, NULL, KEYFILE_SCRYPT_N, KEYFILE_SCRYPT_R, KEYFILE_SCRYPT_P);
}

err
keyfile_store(const struct keyfile *k, const char *path, const struct secret *passphrase, enum keyfile_kdf kdf)
{
	PKCS8_PRIV_KEY_INFO *plain = NULL;
	X509_ALGOR *alg = NULL;
	X509_SIG *sealed = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long n = 0;
	err e = check_passphrase(passphrase);

	if (e.kind == OK) {
		plain = EVP_PKEY2PKCS8(k->key);
		alg = pbe(kdf);
		if (bio == NULL || plain == NULL || alg == NULL)
			abort();
		sealed = PKCS8_set0_pbe((const char *)passphrase->p, (int)passphrase->n, plain, alg);
		if (sealed == NULL)
			X509_ALGOR_free(alg);
		if (sealed == NULL || PEM_write_bio_PKCS8(bio, sealed) != 1 || (n = BIO_get_mem_data(bio, &pem)) <= 0)
			e = fail(ERR_WORLD, "keyfile-seal: libcrypto: the key could not be encrypted");
	}
	if (e.kind == OK)
		e = write_new(path, slice_of(pem, (size_t)n));
	PKCS8_PRIV_KEY_INFO_free(plain); /* clears the key's bytes */
	X509_SIG_free(sealed);
	BIO_free(bio);
	return e;
}

static err
read_file(const char *path, struct buf *out)
{
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_why(ERR_ABSENT, "keyfile-absent: house: the key's file cannot be opened", errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > KEYFILE_MAX) {
		close(fd);
		return fail(ERR_INPUT, "keyfile-form: RFC 5958: this is not an encrypted key's file");
	}
	if ((st.st_mode & 077) != 0) {
		close(fd);
		return fail(
		    ERR_POLICY, "keyfile-mode: house: others can read the key's file; make it yours alone with chmod 600");
	}
	n = read(fd, buf_space(out, (size_t)st.st_size), (size_t)st.st_size);
	close(fd);
	return n == st.st_size ? ok : fail(ERR_WORLD, "keyfile-read: house: the key's file cannot be read");
}

err
keyfile_load(const char *path, const struct secret *passphrase, struct keyfile **out)
{
	struct buf pem OWNED(buf_drop) = BUF(KEYFILE_MAX);
	PKCS8_PRIV_KEY_INFO *plain = NULL;
	X509_SIG *sealed;
	EVP_PKEY *key = NULL;
	BIO *bio;

	TRY(read_file(path, &pem));
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		abort();
	sealed = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (sealed == NULL)
		return fail(ERR_INPUT, "keyfile-form: RFC 5958: this is not an encrypted key's file");
	plain = PKCS8_decrypt(sealed, (const char *)passphrase->p, (int)passphrase->n);
	X509_SIG_free(sealed);
	if (plain != NULL)
		key = EVP_PKCS82PKEY(plain);
	PKCS8_PRIV_KEY_INFO_free(plain);
	ERR_clear_error();
	if (key == NULL)
		return fail(ERR_POLICY, "keyfile-passphrase: RFC 8018: the passphrase is wrong, or the file is damaged");
	return keyfile_of(key, out);
}

err
keyfile_export(
    const struct keyfile *k, slice certificate, const char *name, const char *path, const struct secret *passphrase)
{
	const unsigned char *p = certificate.p;
	X509 *x = d2i_X509(NULL, &p, (long)certificate.n);
	char password[SECRET_MAX + 1];
	unsigned char *der = NULL;
	PKCS12 *p12 = NULL;
	int n = 0;
	err e = check_passphrase(passphrase);

	if (e.kind == OK && (x == NULL || X509_check_private_key(x, k->key) != 1))
		e = fail(ERR_INPUT, "keyfile-other: RFC 7292: the certificate is not one for this key");
	if (e.kind == OK) {
		memcpy(password, passphrase->p, passphrase->n);
		password[passphrase->n] = '\0';
		p12 = PKCS12_create(
		    password, name, k->key, x, NULL, NID_aes_256_cbc, NID_aes_256_cbc, KEYFILE_PKCS12_ROUNDS, -1, 0);
		/* The MAC by itself: PKCS12_create would take SHA-256 with its own count. */
		if (p12 == NULL || PKCS12_set_mac(p12, password, -1, NULL, 0, KEYFILE_PKCS12_ROUNDS, EVP_sha256()) != 1 ||
		    (n = i2d_PKCS12(p12, &der)) <= 0)
			e = fail(ERR_WORLD, "keyfile-seal: libcrypto: the key could not be encrypted");
		wipe(password, sizeof password);
	}
	if (e.kind == OK)
		e = write_new(path, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	PKCS12_free(p12);
	X509_free(x);
	ERR_clear_error();
	return e;
}
