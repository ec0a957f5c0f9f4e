/*
 * pki.h - what the tests of pki/ share: keys and signatures by libcrypto, a
 *         small hierarchy by our own writer, and edits of DER by path.
 */
#ifndef TEST_UNIT_PKI_H
#define TEST_UNIT_PKI_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include "test/unit/test.h"

#include "base/der.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/name.h"

/* 2026-11-22T00:00:00Z */
#define NOW ((instant){INT64_C(1795305600000)})

static inline instant
later(int64_t seconds)
{
	return (instant){NOW.ms + seconds * SECOND_MS};
}

/* --- keys ------------------------------------------------------------------- */

struct signer {
	EVP_PKEY *pkey;
	struct key *key;
	enum sig_alg alg;
	slice spki;
	uint8_t id[SHA1_LEN];
};

static inline void
signer_drop(struct signer *s)
{
	key_drop(&s->key);
	EVP_PKEY_free(s->pkey);
	s->pkey = NULL;
}

static inline struct signer
signer_new(enum key_kind kind)
{
	struct signer s = {.alg = sig_alg_for(kind)};
	unsigned char *der = NULL;
	int n;

	s.pkey = kind == KEY_RSA    ? EVP_RSA_gen(2048)
	         : kind == KEY_P256 ? EVP_EC_gen("P-256")
	         : kind == KEY_P384 ? EVP_EC_gen("P-384")
	                            : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	n = i2d_PUBKEY(s.pkey, &der);
	s.spki = copy(slice_of(der, (size_t)n));
	OPENSSL_free(der);
	expect_ok("a new key", key_get_spki(s.spki, &s.key));
	key_identifier(s.key, s.id);
	return s;
}

static inline slice
signer_sign(const struct signer *s, enum sig_alg alg, slice message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	enum hash_alg h = sig_alg_hash(alg);
	const EVP_MD *md = h == HASH_SHA256 ? EVP_sha256() : h == HASH_SHA384 ? EVP_sha384() : EVP_sha512();
	size_t n = SIG_MAX;
	uint8_t *p = keep(n);

	if (EVP_DigestSignInit(ctx, &pctx, alg == SIG_ED25519 ? NULL : md, NULL, s->pkey) != 1)
		abort();
	if (alg >= SIG_PSS_SHA256 && alg <= SIG_PSS_SHA512 &&
	    (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		abort();
	if (EVP_DigestSign(ctx, p, &n, message.p, message.n) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	return copy(slice_of(p, n));
}

/* --- names and certificates -------------------------------------------------- */

static inline slice
name_of(const char *cn)
{
	struct buf b OWNED(buf_drop) = BUF(1024);
	const struct name_part parts[] = {{NAME_C, LIT("JP")}, {NAME_O, LIT("印鑑試験")}, {NAME_CN, slice_str(cn)}};

	name_put(&b, parts, COUNT(parts));
	return copy(buf_slice(&b));
}

static inline serial
serial_of(const char *digits)
{
	serial s;

	expect_ok(digits, serial_get_hex(slice_str(digits), &s));
	return s;
}

static inline slice
cert_made(const struct cert_plan *p, const struct signer *issuer)
{
	struct buf tbs OWNED(buf_drop) = BUF(CERT_MAX), whole OWNED(buf_drop) = BUF(CERT_MAX);

	cert_put_tbs(&tbs, p);
	cert_join(&whole, buf_slice(&tbs), p->alg, signer_sign(issuer, p->alg, buf_slice(&tbs)));
	expect_ok("a certificate within its limit", buf_check(&whole));
	return copy(buf_slice(&whole));
}

/* A self-signed CA of two years around NOW. */
static inline slice
ca_made(const struct signer *s, const char *cn)
{
	const struct cert_plan p = {.serial = serial_of("01"),
	    .alg = s->alg,
	    .issuer = name_of(cn),
	    .subject = name_of(cn),
	    .spki = s->spki,
	    .not_before = later(-365 * 86400),
	    .not_after = later(365 * 86400),
	    .is_ca = true,
	    .key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN,
	    .aki = ARR(s->id),
	    .ski = ARR(s->id)};

	return cert_made(&p, s);
}

/* A person's certificate as the first profile has it. */
static inline struct cert_plan
leaf_plan(const struct signer *ca, const char *ca_cn, const struct signer *subject)
{
	return (struct cert_plan){.serial = serial_of("7f0102030405060708090a0b0c0d0e0f"),
	    .alg = ca->alg,
	    .issuer = name_of(ca_cn),
	    .subject = name_of("山田　太郎"),
	    .spki = subject->spki,
	    .not_before = later(-3600),
	    .not_after = later(86400),
	    .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	    .aki = ARR(ca->id),
	    .ski = ARR(subject->id),
	    .policy = LIT("\x2A\x83\x08\x8C\x9B\x55\x63\x01"),
	    .cps_uri = LIT("http://ca.test/cps"),
	    .crl_uri = LIT("http://ca.test/crl/1.crl"),
	    .ocsp_uri = LIT("http://ca.test/ocsp"),
	    .ca_issuers_uri = LIT("http://ca.test/ca/1.cer")};
}

static inline slice
leaf_made(const struct signer *ca, const char *ca_cn, const struct signer *subject)
{
	const struct cert_plan p = leaf_plan(ca, ca_cn, subject);

	return cert_made(&p, ca);
}

/* A certificate that may sign OCSP answers. */
static inline slice
responder_made(const struct signer *ca, const char *ca_cn, const struct signer *responder, instant not_after)
{
	const struct cert_plan p = {.serial = serial_of("70"),
	    .alg = ca->alg,
	    .issuer = name_of(ca_cn),
	    .subject = name_of("OCSP 1"),
	    .spki = responder->spki,
	    .not_before = later(-86400),
	    .not_after = not_after,
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .aki = ARR(ca->id),
	    .ski = ARR(responder->id),
	    .ocsp_signer = true};

	return cert_made(&p, ca);
}

/* --- edits ------------------------------------------------------------------- */

/*
 * A copy of DER with one element changed and every length around it made right
 * again.  The path counts elements from 0 at each level, "0.0.3": an OCTET STRING
 * is entered like a SEQUENCE.  What happens there:
 *
 *	=  it becomes `with`      -  it goes      2  it stands twice
 *	<  `with` comes before    >  `with` comes after
 */
static inline slice
edit(slice list, const char *path, char op, slice with)
{
	struct buf out OWNED(buf_drop) = BUF(1 << 20);
	char *end;
	unsigned long at = strtoul(path, &end, 10), i = 0;
	slice content, whole;
	uint8_t tag;

	for (; list.n > 0; i++) {
		expect_ok("edit", der_get_any(&list, &tag, &content, &whole));
		if (i != at)
			buf_put(&out, whole);
		else if (*end == '.')
			der_put(&out, tag, edit(content, end + 1, op, with));
		else {
			if (op == '<' || op == '=')
				buf_put(&out, with);
			if (op != '=' && op != '-')
				buf_put(&out, whole);
			if (op == '2')
				buf_put(&out, whole);
			if (op == '>')
				buf_put(&out, with);
		}
	}
	if (i <= at)
		fail_msg("edit: no element %lu at %s", at, path);
	return copy(buf_slice(&out));
}

/* The element at a path, whole. */
static inline slice
part(slice list, const char *path)
{
	char *end;
	unsigned long at = strtoul(path, &end, 10);
	slice content = list, whole = list;
	uint8_t tag;

	for (unsigned long i = 0; i <= at; i++)
		expect_ok("part", der_get_any(&list, &tag, &content, &whole));
	return *end == '.' ? part(content, end + 1) : whole;
}

/* --- second opinions ---------------------------------------------------------- */

static inline X509 *
x509_of(slice s)
{
	const unsigned char *p = s.p;
	X509 *x = d2i_X509(NULL, &p, (long)s.n);

	if (x == NULL || p != s.p + s.n)
		fail_msg("libcrypto does not read the certificate");
	return x;
}

/* A folder for files that a command line needs; files live in it until temp_drop(). */
static inline const char *
temp_folder(void)
{
	static char folder[] = "/tmp/inkan-pki-XXXXXX";
	static bool made;

	if (!made && mkdtemp(folder) == NULL)
		abort();
	made = true;
	return folder;
}

static inline void
temp_write(const char *name, slice s)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", temp_folder(), name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0)
		abort();
}

static inline slice
temp_read(const char *name)
{
	char path[256];
	uint8_t *p = keep(1 << 20);
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", temp_folder(), name);
	f = fopen(path, "rb");
	if (f == NULL)
		return slice_of(NULL, 0);
	n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return copy(slice_of(p, n));
}

static inline void
temp_write_key(const char *name, const struct signer *s)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", temp_folder(), name);
	f = fopen(path, "wb");
	if (f == NULL || PEM_write_PrivateKey(f, s->pkey, NULL, NULL, 0, NULL, NULL) != 1 || fclose(f) != 0)
		abort();
}

static inline void
temp_write_cert(const char *name, slice der)
{
	char path[256];
	X509 *x = x509_of(der);
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", temp_folder(), name);
	f = fopen(path, "wb");
	if (f == NULL || PEM_write_X509(f, x) != 1 || fclose(f) != 0)
		abort();
	X509_free(x);
}

/* Runs a shell command in the folder; true when it ends 0. */
static inline bool
run(const char *command)
{
	char line[2048];

	snprintf(line, sizeof line, "cd %s && { %s; } >>log 2>&1", temp_folder(), command);
	return system(line) == 0;
}

static inline void
expect_run(const char *command)
{
	if (!run(command)) {
		slice log = temp_read("log");

		fail_msg("%s: failed: %.*s", command, (int)log.n, (const char *)log.p);
	}
}

static inline int
temp_drop(void **state)
{
	char line[256];

	(void)state;
	snprintf(line, sizeof line, "rm -rf %s", temp_folder());
	return system(line);
}

/* The bytes of a file under the vectors, empty when they are not present. */
static inline slice
vector_read(const char *name)
{
	char path[256];
	uint8_t *p = keep(1 << 20);
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "../shared/vectors/%s", name);
	f = fopen(path, "rb");
	if (f == NULL)
		return slice_of(NULL, 0);
	n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return copy(slice_of(p, n));
}

#endif
