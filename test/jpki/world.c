/*
 * world.c - makes a JPKI-like hierarchy for tests: domain facts 2.2 to 2.5, and every bad leaf of 2.8.
 *
 *	world DIR [--at T] [--keys DIR] [--ocsp URL] [--production] [--many N]
 *	world crl DIR [--at T] [--next HOURS]
 *	world revoke DIR NAME [--at T] [--reason WORD]
 *	world leaf DIR NAME [--at T] [--name S] [--name-flags S] [--birth S] [--sex S] [--address S] [--address-flags S]
 *
 * T is RFC 3339 in UTC (2026-11-22T01:02:03Z); without --at it is now.
 *
 * What stands in DIR afterwards:
 *	signca01 02 03 .cer .key   three generations of the signature CA under one DN; 01 has ended, 03 issues
 *	authca .cer .key           the CA of user-auth certificates
 *	anchors.pem                the three signature CAs
 *	NAME.cer NAME.key          leaves: DER and unencrypted PKCS#8 PEM; NAME-auth.* is the same person's user-auth pair
 *	CA.crl CA.index            daily CRL (DER) and the index `openssl ocsp` reads, one of each per CA; a running
 *	                           responder sees a revocation at the second question after it
 *	ocsp*.cer ocsp*.key        responder certificates under signca03: a good one and three bad ones
 *	list                       NAME, CA, serial, good|revoked|bad, what is wrong: one leaf a line, tabs between
 *	persons                    card, name, flags, true name, birth, sex, address, flags, true address; tabs between
 *	many-00000.cer ... many.key leaves of --many: one key pair, distinct persons, serials and CNs
 *	keys/                      the key pool; --keys shares one between worlds, since RSA keys are slow to make
 *
 * The hierarchy is O=JPKI-TEST with the test policy; --production says O=JPKI with the production policy instead
 * (still our keys, so only a trust file that pins them takes it).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base.h"

#define DER_MAX 65536
#define LINE_MAX_BYTES 4096
#define DAY INT64_C(86400)

#define POLICY_PRODUCTION "1.2.392.200149.8.5.1.1.20"
#define POLICY_TEST "1.2.392.200149.8.5.1.0.20"
#define POLICY_PHONE "1.2.392.200149.8.5.1.1.40" /* reported, not confirmed */
#define POLICY_PHONE_TEST "1.2.392.200149.8.5.1.0.40"
#define POLICY_AUTH "1.2.392.200149.8.5.1.3.30"
#define SERVICE "公的個人認証サービス"

/* ---- the pool of keys ------------------------------------------------------------------------------------------ */

enum key_id {
	K_SIGN1,
	K_SIGN2,
	K_SIGN3,
	K_AUTHCA,
	K_OCSP,
	K_FOREIGN,
	K_LEAF1,
	K_LEAF2,
	K_LEAF3,
	K_LEAF4,
	K_LEAF5,
	K_AUTH,
	K_MANY,
	K_1024,
	K_3072,
	K_E3,
	K_P256,
	K_COUNT
};

static const struct {
	const char *name;
	unsigned bits; /* 0: P-256 */
	unsigned e;
} key_table[K_COUNT] = {
    [K_SIGN1] = {"signca01", 2048, 65537},
    [K_SIGN2] = {"signca02", 2048, 65537},
    [K_SIGN3] = {"signca03", 2048, 65537},
    [K_AUTHCA] = {"authca", 2048, 65537},
    [K_OCSP] = {"ocsp", 2048, 65537},
    [K_FOREIGN] = {"foreign", 2048, 65537},
    [K_LEAF1] = {"leaf1", 2048, 65537},
    [K_LEAF2] = {"leaf2", 2048, 65537},
    [K_LEAF3] = {"leaf3", 2048, 65537},
    [K_LEAF4] = {"leaf4", 2048, 65537},
    [K_LEAF5] = {"leaf5", 2048, 65537},
    [K_AUTH] = {"auth", 2048, 65537},
    [K_MANY] = {"many", 2048, 65537},
    [K_1024] = {"rsa1024", 1024, 65537},
    [K_3072] = {"rsa3072", 3072, 65537},
    [K_E3] = {"e3", 2048, 3},
    [K_P256] = {"p256", 0, 0},
};

enum ca_id { CA_SIGN1, CA_SIGN2, CA_SIGN3, CA_AUTH, CA_COUNT };

static const struct {
	const char *name, *unit;
	enum key_id key;
	const uint8_t serial[4];
	size_t serial_n;
	int from_days, until_days;
} ca_table[CA_COUNT] = {
    {"signca01", "JPKI for digital signature", K_SIGN1, {1}, 1, -3682, -30},
    {"signca02", "JPKI for digital signature", K_SIGN2, {0x01, 0x32, 0xC4, 0xAC}, 4, -2192, 1461},
    {"signca03", "JPKI for digital signature", K_SIGN3, {0x06, 0x7C, 0x6A, 0x22}, 4, -731, 2922},
    {"authca", "JPKI for user authentication", K_AUTHCA, {0x06, 0xD1, 0x80, 0x07}, 4, -731, 2922},
};

static struct {
	const char *dir, *keys, *ocsp;
	int64_t at;
	bool production;
	uint32_t next_serial;
	EVP_PKEY *pool[K_COUNT];
	X509 *ca[CA_COUNT];
	FILE *list, *persons;
} w = {.ocsp = "http://ocspsign.jpki-test.invalid/", .next_serial = 0x067D0001};

static void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "world: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void
need(bool yes, const char *what)
{
	if (!yes)
		die("%s", what);
}

static const char *
path(const char *dir, const char *name, const char *suffix)
{
	static char p[4][LINE_MAX_BYTES];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(p[i], sizeof p[i], "%s/%s%s", dir, name, suffix);
	return p[i];
}

static FILE *
open_or_die(const char *p, const char *mode)
{
	FILE *f = fopen(p, mode);

	if (f == NULL)
		die("%s: %s", p, strerror(errno));
	return f;
}

/* Writes beside and renames, so that a responder that watches the file never reads half of it. */
static void
write_file(const char *p, slice s)
{
	char tmp[LINE_MAX_BYTES + 8];
	FILE *f;

	snprintf(tmp, sizeof tmp, "%s.new", p);
	f = open_or_die(tmp, "wb");
	if (fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0 || rename(tmp, p) != 0)
		die("%s: %s", p, strerror(errno));
}

static struct buf
read_file(const char *p)
{
	struct buf b = BUF(1 << 26);
	FILE *f = open_or_die(p, "rb");
	uint8_t part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(&b, slice_of(part, n));
	fclose(f);
	return b;
}

static EVP_PKEY *
key_make(unsigned bits, unsigned e)
{
	EVP_PKEY_CTX *c;
	EVP_PKEY *k = NULL;
	BIGNUM *n = BN_new();

	if (bits == 0)
		return EVP_EC_gen("P-256");
	c = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	need(c != NULL && n != NULL && BN_set_word(n, e) == 1, "key");
	need(EVP_PKEY_keygen_init(c) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)bits) == 1 &&
	         EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, n) == 1 && EVP_PKEY_keygen(c, &k) == 1,
	    "RSA key generation");
	BN_free(n);
	EVP_PKEY_CTX_free(c);
	return k;
}

static void
key_store(const char *p, EVP_PKEY *k)
{
	char tmp[LINE_MAX_BYTES + 32];
	FILE *f;

	snprintf(tmp, sizeof tmp, "%s.%ld.new", p, (long)getpid());
	f = open_or_die(tmp, "wb");
	need(PEM_write_PKCS8PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1, "write key");
	if (fclose(f) != 0 || rename(tmp, p) != 0)
		die("%s: %s", p, strerror(errno));
}

static EVP_PKEY *
key(enum key_id id)
{
	const char *p = path(w.keys, key_table[id].name, ".key");
	FILE *f;

	if (w.pool[id] != NULL)
		return w.pool[id];
	if ((f = fopen(p, "rb")) != NULL) {
		w.pool[id] = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
		need(w.pool[id] != NULL, p);
		return w.pool[id];
	}
	w.pool[id] = key_make(key_table[id].bits, key_table[id].e);
	need(w.pool[id] != NULL, "key");
	key_store(p, w.pool[id]);
	return w.pool[id];
}

/* ---- DER by hand: each takes what it is given ------------------------------------------------------------------- */

static struct buf
raw(const void *p, size_t n)
{
	struct buf b = BUF(DER_MAX);

	buf_put(&b, slice_of(p, n));
	return b;
}

static struct buf
join(struct buf a, struct buf b)
{
	buf_put(&a, buf_slice(&b));
	buf_drop(&b);
	return a;
}

static struct buf
tlv(uint8_t tag, struct buf in)
{
	struct buf b = BUF(DER_MAX);

	buf_put_u8(&b, tag);
	if (in.n >= 256) {
		buf_put_u8(&b, 0x82);
		buf_put_u8(&b, (uint8_t)(in.n >> 8));
	} else if (in.n >= 128) {
		buf_put_u8(&b, 0x81);
	}
	buf_put_u8(&b, (uint8_t)in.n);
	return join(b, in);
}

static struct buf
text(uint8_t tag, const char *s)
{
	return tlv(tag, raw(s, strlen(s)));
}

static struct buf
oid(const char *dotted)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);
	struct buf b;

	need(o != NULL, dotted);
	b = tlv(0x06, raw(OBJ_get0_data(o), OBJ_length(o)));
	ASN1_OBJECT_free(o);
	return b;
}

static struct buf
name_der(X509_NAME *n)
{
	unsigned char *p = NULL;
	int len = i2d_X509_NAME(n, &p);
	struct buf b;

	need(len > 0, "name");
	b = raw(p, (size_t)len);
	OPENSSL_free(p);
	return b;
}

static void
ext(X509 *x, const char *dotted, int critical, struct buf der)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	need(o != NULL && s != NULL && ASN1_OCTET_STRING_set(s, der.p, (int)der.n) == 1, dotted);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, critical, s);
	need(e != NULL && X509_add_ext(x, e, -1) == 1, dotted);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
	buf_drop(&der);
}

/* ---- names and times -------------------------------------------------------------------------------------------- */

static void
rdn(X509_NAME *n, const char *type, const char *value)
{
	/* countryName comes out as PrintableString, all else as UTF8String: OpenSSL's table says the same as the cards. */
	need(X509_NAME_add_entry_by_txt(n, type, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1, value);
}

static const char *
org(void)
{
	return w.production ? "JPKI" : "JPKI-TEST";
}

static X509_NAME *
name_ca(enum ca_id id)
{
	X509_NAME *n = X509_NAME_new();

	rdn(n, "C", "JP");
	rdn(n, "O", org());
	rdn(n, "OU", ca_table[id].unit);
	rdn(n, "OU", "Japan Agency for Local Authority Information Systems");
	return n;
}

static X509_NAME *
name_service(void)
{
	X509_NAME *n = X509_NAME_new();

	rdn(n, "C", "JP");
	rdn(n, "O", SERVICE);
	return n;
}

/* GeneralNames with one directoryName; takes n. */
static struct buf
directory(uint8_t tag, X509_NAME *n)
{
	struct buf b = tlv(tag, tlv(0xA4, name_der(n)));

	X509_NAME_free(n);
	return b;
}

/* CRLDistributionPoints ::= SEQUENCE OF { [0] { fullName [0] GeneralNames } }; takes n. */
static struct buf
crldp(X509_NAME *n)
{
	return tlv(0x30, tlv(0x30, tlv(0xA0, directory(0xA0, n))));
}

static int64_t
time_get(const char *s)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest != NULL && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest == NULL || strcmp(rest, "Z") != 0)
		die("--at %s: not RFC 3339 in UTC", s);
	return timegm(&tm);
}

static struct tm
utc(int64_t t)
{
	time_t v = (time_t)t;
	struct tm tm;

	need(gmtime_r(&v, &tm) != NULL, "time");
	return tm;
}

/* 23:59:59 in Japan of the day t lies in. */
static int64_t
day_end(int64_t t)
{
	int64_t jst = t + 9 * 3600;

	return jst - jst % DAY + DAY - 1 - 9 * 3600;
}

/* The end of the fifth birthday after t; without a birthday, five years after t, a day short. */
static int64_t
fifth_birthday(int64_t t, const char *birth)
{
	struct tm now = utc(t + 9 * 3600), tm = now;
	int month = 0, day = 0;

	if (strlen(birth) == 9 && sscanf(birth + 5, "%2d%2d", &month, &day) == 2 && month >= 1 && month <= 12 && day >= 1) {
		tm.tm_mon = month - 1;
		tm.tm_mday = day;
	} else {
		tm.tm_mday--;
	}
	tm.tm_year += 5;
	if (tm.tm_mon > now.tm_mon || (tm.tm_mon == now.tm_mon && tm.tm_mday > now.tm_mday))
		tm.tm_year--;
	tm.tm_hour = 12;
	return day_end(timegm(&tm) - 9 * 3600);
}

static void
validity(X509 *x, int64_t from, int64_t until)
{
	need(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL, "notBefore");
	need(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until) != NULL, "notAfter");
}

static void
serial_set(X509 *x, const uint8_t *p, size_t n)
{
	BIGNUM *b = BN_bin2bn(p, (int)n, NULL);

	need(b != NULL && BN_to_ASN1_INTEGER(b, X509_get_serialNumber(x)) != NULL, "serial");
	BN_free(b);
}

static void
serial_next(X509 *x)
{
	uint32_t s = w.next_serial++;
	uint8_t b[4] = {(uint8_t)(s >> 24), (uint8_t)(s >> 16), (uint8_t)(s >> 8), (uint8_t)s};

	serial_set(x, b, 4);
}

/* SHA-1 over the public key's bits, as the cards have it. */
static struct buf
key_hash(X509 *x)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	need(X509_pubkey_digest(x, EVP_sha1(), md, &n) == 1, "key id");
	return raw(md, n);
}

static void
ski(X509 *x)
{
	ext(x, "2.5.29.14", 0, tlv(0x04, key_hash(x)));
}

/* keyIdentifier, authorityCertIssuer and authorityCertSerialNumber, all three. */
static void
aki(X509 *x, X509 *ca)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(ca);
	struct buf b = tlv(0x80, key_hash(ca));

	b = join(b, directory(0xA1, X509_NAME_dup(X509_get_issuer_name(ca))));
	b = join(b, tlv(0x82, raw(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))));
	ext(x, "2.5.29.35", 0, tlv(0x30, b));
}

static struct buf
x509_der(X509 *x)
{
	unsigned char *p = NULL;
	int n = i2d_X509(x, &p);
	struct buf b;

	need(n > 0, "encode");
	b = raw(p, (size_t)n);
	OPENSSL_free(p);
	return b;
}

static X509 *
x509_load(const char *name)
{
	struct buf b OWNED(buf_drop) = read_file(path(w.dir, name, ".cer"));
	const unsigned char *p = b.p;
	X509 *x = d2i_X509(NULL, &p, (long)b.n);

	need(x != NULL, name);
	return x;
}

/* ---- the CAs ------------------------------------------------------------------------------------------------------ */

static void
ca_make(enum ca_id id)
{
	static const uint8_t usage[] = {0x03, 0x02, 0x01, 0x06}, is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xFF};
	EVP_PKEY *k = key(ca_table[id].key);
	X509_NAME *n = name_ca(id);
	X509 *x = X509_new();
	struct buf der OWNED(buf_drop) = BUF(DER_MAX);

	need(x != NULL && X509_set_version(x, X509_VERSION_3) == 1, "certificate");
	serial_set(x, ca_table[id].serial, ca_table[id].serial_n);
	need(X509_set_issuer_name(x, n) == 1 && X509_set_subject_name(x, n) == 1 && X509_set_pubkey(x, k) == 1, "CA");
	validity(x, w.at + ca_table[id].from_days * DAY, day_end(w.at + ca_table[id].until_days * DAY));
	ext(x, "2.5.29.15", 1, raw(usage, sizeof usage));
	ext(x, "2.5.29.17", 0, directory(0x30, name_service()));
	ext(x, "2.5.29.19", 1, raw(is_ca, sizeof is_ca));
	ext(x, "2.5.29.31", 0, crldp(n));
	ski(x);
	need(X509_sign(x, k, EVP_sha256()) > 0, "sign CA");
	der = x509_der(x);
	write_file(path(w.dir, ca_table[id].name, ".cer"), buf_slice(&der));
	key_store(path(w.dir, ca_table[id].name, ".key"), k);
	write_file(path(w.dir, ca_table[id].name, ".index"), LIT(""));
	write_file(path(w.dir, ca_table[id].name, ".index.attr"), LIT("unique_subject = no\n"));
	w.ca[id] = x;
}

static void
anchors_make(void)
{
	FILE *f = open_or_die(path(w.dir, "anchors.pem", ""), "wb");

	for (int i = CA_SIGN1; i <= CA_SIGN3; i++)
		need(PEM_write_X509(f, w.ca[i]) == 1, "anchors.pem");
	fclose(f);
}

enum ocsp_odd { OCSP_GOOD, OCSP_NO_EKU, OCSP_EXPIRED, OCSP_FOREIGN };

static void
ocsp_make(const char *name, enum ocsp_odd odd)
{
	static const uint8_t usage[] = {0x03, 0x02, 0x07, 0x80}, null[] = {0x05, 0x00};
	X509_NAME *n = name_ca(CA_SIGN3);
	X509 *x = X509_new();
	struct buf der OWNED(buf_drop) = BUF(DER_MAX);

	need(x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && X509_set_issuer_name(x, n) == 1, "responder");
	rdn(n, "CN", "OCSP Responder");
	serial_next(x);
	need(X509_set_subject_name(x, n) == 1 && X509_set_pubkey(x, key(K_OCSP)) == 1, "responder");
	validity(x, w.at - 60 * DAY, odd == OCSP_EXPIRED ? w.at - DAY : w.at + 300 * DAY);
	ext(x, "2.5.29.15", 1, raw(usage, sizeof usage));
	if (odd != OCSP_NO_EKU)
		ext(x, "2.5.29.37", 0, tlv(0x30, oid("1.3.6.1.5.5.7.3.9")));
	ext(x, "1.3.6.1.5.5.7.48.1.5", 0, raw(null, sizeof null));
	aki(x, w.ca[CA_SIGN3]);
	ski(x);
	need(X509_sign(x, key(odd == OCSP_FOREIGN ? K_FOREIGN : K_SIGN3), EVP_sha256()) > 0, "sign responder");
	der = x509_der(x);
	write_file(path(w.dir, name, ".cer"), buf_slice(&der));
	key_store(path(w.dir, name, ".key"), key(K_OCSP));
	X509_NAME_free(n);
	X509_free(x);
}

/* ---- persons and leaves -------------------------------------------------------------------------------------------- */

struct person {
	const char *card, *name, *flags, *truth, *birth, *sex, *address, *address_flags, *address_truth;
};

#define NO_FLAGS NULL /* all zeros, as many as there are characters */
#define SAME NULL     /* the true form is the recorded one */

static const struct person people[] = {
    {"yamada", "山田　太郎", NO_FLAGS, SAME, "319800115", "1", "椿県若葉市中央一丁目２番３号", NO_FLAGS, SAME},
    {"suzuki", "鈴木　次郎", NO_FLAGS, SAME, "319651231", "1", "椿県若葉市本町２丁目１０番地", NO_FLAGS, SAME},
    {"yoshida", "〓田　花子", "10000", "𠮷田　花子", "419890108", "2", "椿県若葉市緑町４番地５", NO_FLAGS, SAME},
    {"sato", "佐藤　美咲", NO_FLAGS, SAME, "419950704", "2", "椿県若葉市栄町１－２－３　若葉ハイツ１０１", NO_FLAGS,
        SAME},
    {"takahashi", "高橋　三郎", "10000", "髙橋　三郎", "319720229", "1", "椿県若葉市中央三丁目１番１号", NO_FLAGS,
        SAME},
    {"tanaka", "田中　恵", NO_FLAGS, SAME, "420000401", "2", "椿県若葉市〓町４番地", "00000100",
        "椿県若葉市𣘺町４番地"},
    {"ito", "伊藤　ウメ", NO_FLAGS, SAME, "319400000", "2", "椿県若葉市北町９番地", NO_FLAGS, SAME},
    {"kato", "加藤　健", NO_FLAGS, SAME, "320011103", "1", "椿県若葉市南町７番地", NO_FLAGS, SAME},
    {"watanabe", "渡辺　直子", NO_FLAGS, SAME, "319550505", "2", "椿県若葉市東町８番地", NO_FLAGS, SAME},
    {"kodomo", "小林　葵", NO_FLAGS, SAME, "520190601", "2", "椿県若葉市西町６番地", NO_FLAGS, SAME},
};

/* What departs from the profile. */
#define ODD(n) (UINT64_C(1) << (n))
#define AUTH_PROFILE ODD(0)
#define NO_NONREPUDIATION ODD(1)
#define CA_TRUE ODD(2)
#define NO_NAME ODD(3)
#define BIRTH_TWICE ODD(4)
#define FLAGS_SHORT ODD(5)
#define ADDRESS_FLAGS_SHORT ODD(6)
#define EXTRA_OTHERNAME ODD(7)
#define CRITICAL_UNKNOWN ODD(8)
#define SIGNED_BY_STRANGER ODD(9)
#define SELF_SIGNED ODD(10)
#define SELF_ISSUED ODD(11)
#define BROKEN_SIGNATURE ODD(12)
#define SHA1 ODD(13)
#define POLICY_PLAIN ODD(14) /* not critical */
#define NO_POLICY ODD(15)
#define NO_SAN ODD(16)
#define FLAG_DIGIT_2 ODD(17)
#define NO_FLAGS_AT_ALL ODD(18)
#define TRAILING ODD(19)
#define BER_LENGTH ODD(20)
#define USAGE_TWICE ODD(21)
#define NO_USAGE ODD(22)
#define NO_INDEX ODD(23) /* no responder knows it */
#define REVOKED ODD(24)
#define CONTROL_IN_NAME ODD(25)
#define USAGE_CERTSIGN ODD(26)

struct leaf {
	const char *file;
	const char *who; /* card in people[] */
	enum ca_id ca;
	enum key_id key;
	uint64_t odd;
	const char *policy; /* NULL: the hierarchy's own */
	int from_days, until_days;
	const char *birth, *sex, *address; /* instead of the person's */
	const char *what;                  /* NULL: nothing is wrong with it */
};

static const struct leaf leaves[] = {
    {.file = "yamada", .ca = CA_SIGN3, .key = K_LEAF1},
    {.file = "suzuki", .ca = CA_SIGN3, .key = K_LEAF2, .odd = REVOKED, .what = "listed in the CRL"},
    {.file = "yoshida", .ca = CA_SIGN3, .key = K_LEAF3},
    {.file = "sato", .ca = CA_SIGN3, .key = K_LEAF4},
    {.file = "takahashi", .ca = CA_SIGN3, .key = K_LEAF5, .odd = EXTRA_OTHERNAME},
    {.file = "tanaka", .ca = CA_SIGN3, .key = K_LEAF1},
    {.file = "ito", .ca = CA_SIGN3, .key = K_LEAF2},
    {.file = "kato", .ca = CA_SIGN2, .key = K_LEAF3, .from_days = -900},
    {.file = "watanabe", .ca = CA_SIGN3, .key = K_LEAF4, .odd = NO_INDEX},
    {.file = "extra-othername", .ca = CA_SIGN3, .key = K_LEAF2, .odd = EXTRA_OTHERNAME},

    {.file = "auth-profile",
        .ca = CA_SIGN3,
        .key = K_AUTH,
        .odd = AUTH_PROFILE,
        .what = "user-auth profile under the signature CA: no attributes, no nonRepudiation"},
    {.file = "phone",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = POLICY_PHONE_TEST,
        .what = "smartphone policy (test arc)"},
    {.file = "phone-policy", .ca = CA_SIGN3, .key = K_LEAF1, .policy = POLICY_PHONE, .what = "smartphone policy"},
    {.file = "wrong-policy",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = "1.3.6.1.4.1.99999.1",
        .what = "policy OID unknown"},
    {.file = "other-hierarchy",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = "other",
        .what = "production policy under a test anchor, or the other way round"},
    {.file = "no-policy", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_POLICY, .what = "no certificatePolicies"},
    {.file = "policy-not-critical",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = POLICY_PLAIN,
        .what = "certificatePolicies is not critical"},
    {.file = "expired", .ca = CA_SIGN3, .key = K_LEAF1, .from_days = -700, .until_days = -1, .what = "expired"},
    {.file = "not-yet", .ca = CA_SIGN3, .key = K_LEAF1, .from_days = 2, .what = "not yet valid"},
    {.file = "anchor-expired", .ca = CA_SIGN1, .key = K_LEAF1, .from_days = -400, .what = "its CA has expired"},
    {.file = "critical-unknown",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = CRITICAL_UNKNOWN,
        .what = "unknown critical extension"},
    {.file = "foreign-key",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = SIGNED_BY_STRANGER,
        .what = "the anchor's DN and key id, signed by a foreign key"},
    {.file = "self-signed", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SELF_SIGNED, .what = "signed by its own key"},
    {.file = "self-issued", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SELF_ISSUED, .what = "its subject is its issuer"},
    {.file = "signature-broken",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BROKEN_SIGNATURE,
        .what = "one bit of the signature flipped"},
    {.file = "sha1", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SHA1, .what = "sha1WithRSAEncryption"},
    {.file = "exponent-3", .ca = CA_SIGN3, .key = K_E3, .what = "e is not 65537"},
    {.file = "rsa-1024", .ca = CA_SIGN3, .key = K_1024, .what = "1024-bit modulus"},
    {.file = "rsa-3072", .ca = CA_SIGN3, .key = K_3072, .what = "3072-bit modulus"},
    {.file = "p256", .ca = CA_SIGN3, .key = K_P256, .what = "not an RSA key"},
    {.file = "no-nonrepudiation",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = NO_NONREPUDIATION,
        .what = "keyUsage without nonRepudiation"},
    {.file = "no-key-usage", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_USAGE, .what = "no keyUsage"},
    {.file = "key-usage-twice", .ca = CA_SIGN3, .key = K_LEAF1, .odd = USAGE_TWICE, .what = "keyUsage stands twice"},
    {.file = "key-usage-certsign",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = USAGE_CERTSIGN,
        .what = "keyUsage has keyCertSign"},
    {.file = "ca-true", .ca = CA_SIGN3, .key = K_LEAF1, .odd = CA_TRUE, .what = "basicConstraints CA:TRUE"},
    {.file = "no-san", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_SAN, .what = "no subjectAltName"},
    {.file = "no-name", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_NAME, .what = "no name otherName"},
    {.file = "name-control",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = CONTROL_IN_NAME,
        .what = "a line feed and a right-to-left override in the name"},
    {.file = "birth-twice",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BIRTH_TWICE,
        .what = "birth-date otherName stands twice"},
    {.file = "birth-bad", .ca = CA_SIGN3, .key = K_LEAF1, .birth = "319801331", .what = "birth date has a month 13"},
    {.file = "birth-short",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .birth = "19800115",
        .what = "birth date without its era digit"},
    {.file = "sex-bad", .ca = CA_SIGN3, .key = K_LEAF1, .sex = "9", .what = "sex is none of 1, 2, 3"},
    {.file = "flags-short", .ca = CA_SIGN3, .key = K_LEAF1, .odd = FLAGS_SHORT, .what = "name flags one short"},
    {.file = "flags-digit",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = FLAG_DIGIT_2,
        .what = "a name flag is neither 0 nor 1"},
    {.file = "flags-missing", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_FLAGS_AT_ALL, .what = "no flags otherNames"},
    {.file = "address-flags-short",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = ADDRESS_FLAGS_SHORT,
        .what = "address flags one short"},
    {.file = "address-200", .ca = CA_SIGN3, .key = K_LEAF1, .address = "200"},
    {.file = "address-201", .ca = CA_SIGN3, .key = K_LEAF1, .address = "201", .what = "address of 201 characters"},
    {.file = "trailing", .ca = CA_SIGN3, .key = K_LEAF1, .odd = TRAILING, .what = "one byte after the certificate"},
    {.file = "ber-length",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BER_LENGTH,
        .what = "outermost length not minimal: BER"},
};

static const struct person *
person_find(const char *card)
{
	for (size_t i = 0; i < COUNT(people); i++)
		if (strcmp(people[i].card, card) == 0)
			return &people[i];
	return NULL;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((uint8_t)*s & 0xC0) != 0x80;
	return n;
}

/* The flags as given, or one 0 for each character. */
static void
flags_fill(char *out, size_t max, const char *flags, const char *of)
{
	size_t n = characters(of);

	need(n < max, "text too long");
	if (flags != NULL) {
		snprintf(out, max, "%s", flags);
		return;
	}
	memset(out, '0', n);
	out[n] = '\0';
}

/* otherName [0] { OID, [0] EXPLICIT UTF8String }; nn is the last arc below 1.2.392.200149.8.5.5. */
static struct buf
other(int nn, const char *value)
{
	char dotted[64];

	snprintf(dotted, sizeof dotted, "1.2.392.200149.8.5.5.%d", nn);
	return tlv(0xA0, join(oid(dotted), tlv(0xA0, text(0x0C, value))));
}

static struct buf
san(const struct person *p, uint64_t odd)
{
	struct buf b = BUF(DER_MAX);
	char nf[512], af[512], name[1024];

	snprintf(name, sizeof name, "%s%s", p->name, odd & CONTROL_IN_NAME ? "\n\u202E" : "");
	flags_fill(nf, sizeof nf, p->flags, name);
	flags_fill(af, sizeof af, p->address_flags, p->address);
	if (odd & FLAGS_SHORT)
		nf[strlen(nf) - 1] = '\0';
	if (odd & ADDRESS_FLAGS_SHORT)
		af[strlen(af) - 1] = '\0';
	if (odd & FLAG_DIGIT_2)
		nf[0] = '2';
	if (!(odd & NO_NAME))
		b = join(b, other(1, name));
	b = join(b, other(4, p->birth));
	if (odd & BIRTH_TWICE)
		b = join(b, other(4, p->birth));
	b = join(b, other(3, p->sex));
	b = join(b, other(5, p->address));
	if (!(odd & NO_FLAGS_AT_ALL)) {
		b = join(b, other(2, nf));
		b = join(b, other(6, af));
	}
	if (odd & EXTRA_OTHERNAME)
		b = join(b, other(7, "タカハシ　サブロウ"));
	return tlv(0x30, b);
}

/* CertificatePolicies with one policy and a CPS qualifier. */
static struct buf
policies(const char *policy)
{
	struct buf cps = join(oid("1.3.6.1.5.5.7.2.1"), text(0x16, "http://www.jpki.go.jp/cps.html"));

	return tlv(0x30, tlv(0x30, join(oid(policy), tlv(0x30, tlv(0x30, cps)))));
}

static void
key_usage(X509 *x, uint64_t odd)
{
	static const uint8_t both[] = {0x03, 0x02, 0x06, 0xC0}, one[] = {0x03, 0x02, 0x07, 0x80},
	                     certsign[] = {0x03, 0x02, 0x02, 0xC4};
	const uint8_t *u = odd & (AUTH_PROFILE | NO_NONREPUDIATION) ? one : odd & USAGE_CERTSIGN ? certsign : both;

	if (odd & NO_USAGE)
		return;
	ext(x, "2.5.29.15", 1, raw(u, 4));
	if (odd & USAGE_TWICE)
		ext(x, "2.5.29.15", 1, raw(u, 4));
}

static void
extensions(X509 *x, const struct leaf *l, const struct person *p)
{
	static const uint8_t is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xFF}, null[] = {0x05, 0x00};
	const char *own = w.production ? POLICY_PRODUCTION : POLICY_TEST, *policy = l->policy == NULL ? own : l->policy;
	bool auth = l->odd & AUTH_PROFILE;
	X509_NAME *dp = X509_NAME_new();

	if (strcmp(policy, "other") == 0)
		policy = w.production ? POLICY_TEST : POLICY_PRODUCTION;
	key_usage(x, l->odd);
	if (!auth && !(l->odd & NO_SAN))
		ext(x, "2.5.29.17", 0, san(p, l->odd));
	if (!(l->odd & NO_POLICY))
		ext(x, "2.5.29.32", !(l->odd & POLICY_PLAIN), policies(auth ? POLICY_AUTH : policy));
	ext(x, "2.5.29.18", 0, directory(0x30, name_service()));
	rdn(dp, "C", "JP");
	rdn(dp, "O", org());
	rdn(dp, "OU", ca_table[l->ca].unit);
	rdn(dp, "OU", "CRL Distribution Points");
	rdn(dp, "OU", "Tsubaki-ken");
	rdn(dp, "CN", "Wakaba-shi CRLDP");
	ext(x, "2.5.29.31", 0, crldp(dp));
	ext(x, "1.3.6.1.5.5.7.1.1", 0, tlv(0x30, tlv(0x30, join(oid("1.3.6.1.5.5.7.48.1"), text(0x86, w.ocsp)))));
	if (l->odd & CA_TRUE)
		ext(x, "2.5.29.19", 1, raw(is_ca, sizeof is_ca));
	if (l->odd & CRITICAL_UNKNOWN)
		ext(x, "1.3.6.1.4.1.99999.2", 1, raw(null, sizeof null));
	aki(x, w.ca[l->ca]);
	ski(x);
}

/* CN: request time and five digits (or 14 characters for user-auth), then nine of the window's id. */
static void
subject(X509 *x, const struct leaf *l, int64_t from)
{
	X509_NAME *n = X509_NAME_new();
	struct tm tm = utc(from + 9 * 3600);
	char cn[64], stamp[32];

	strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &tm);
	rdn(n, "C", "JP");
	if (l->odd & AUTH_PROFILE) {
		snprintf(cn, sizeof cn, "%014X99999001A", w.next_serial);
	} else {
		snprintf(cn, sizeof cn, "%s%05u99999001A", stamp, w.next_serial % 100000);
		rdn(n, "L", "Tsubaki-ken");
		rdn(n, "L", "Wakaba-shi");
	}
	rdn(n, "CN", cn);
	need(X509_set_subject_name(x, n) == 1, "subject");
	X509_NAME_free(n);
}

static const char *
serial_hex(X509 *x)
{
	static char hex[64];
	const ASN1_INTEGER *s = X509_get0_serialNumber(x);
	const uint8_t *p = ASN1_STRING_get0_data(s);

	for (int i = 0; i < ASN1_STRING_length(s) && i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02X", p[i]);
	return hex;
}

static const char *
index_time(int64_t t)
{
	static char s[2][20];
	static unsigned i;
	struct tm tm = utc(t);

	i = (i + 1) % 2;
	strftime(s[i], sizeof s[i], "%y%m%d%H%M%SZ", &tm);
	return s[i];
}

static void
index_add(enum ca_id ca, X509 *x, int64_t until, bool revoked)
{
	FILE *f = open_or_die(path(w.dir, ca_table[ca].name, ".index"), "a");

	fprintf(f, "%c\t%s\t%s\t%s\tunknown\t/CN=%s\n", revoked ? 'R' : 'V', index_time(until),
	    revoked ? index_time(w.at - 10 * DAY) : "", serial_hex(x), serial_hex(x));
	fclose(f);
}

/* Damage that OpenSSL would not write by itself. */
static struct buf
damage(struct buf der, uint64_t odd)
{
	struct buf b = BUF(DER_MAX);

	if (odd & BROKEN_SIGNATURE)
		der.p[der.n - 17] ^= 0x10;
	if (odd & TRAILING)
		buf_put_u8(&der, 0x00);
	if (!(odd & BER_LENGTH))
		return der;
	buf_put(&b, slice_of((const uint8_t[]){0x30, 0x83, 0x00}, 3)); /* 30 82 hh ll becomes 30 83 00 hh ll */
	buf_put(&b, slice_of(der.p + 2, der.n - 2));
	buf_drop(&der);
	return b;
}

static void
leaf_make(const struct leaf *l, const struct person *p)
{
	int64_t from = w.at + (l->from_days == 0 ? -200 : l->from_days) * DAY;
	int64_t until = l->until_days == 0 ? fifth_birthday(from, p->birth) : day_end(w.at + l->until_days * DAY);
	enum key_id signer = l->odd & SIGNED_BY_STRANGER ? K_FOREIGN : l->odd & SELF_SIGNED ? l->key : ca_table[l->ca].key;
	X509 *x = X509_new();
	struct buf der OWNED(buf_drop) = BUF(DER_MAX);

	need(x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, key(l->key)) == 1, "leaf");
	subject(x, l, from);
	serial_next(x);
	if (l->odd & SELF_ISSUED)
		need(X509_set_subject_name(x, X509_get_subject_name(w.ca[l->ca])) == 1, "subject");
	need(X509_set_issuer_name(x, X509_get_subject_name(w.ca[l->ca])) == 1, "issuer");
	validity(x, from, until);
	extensions(x, l, p);
	need(X509_sign(x, key(signer), l->odd & SHA1 ? EVP_sha1() : EVP_sha256()) > 0, "sign leaf");
	der = damage(x509_der(x), l->odd);
	write_file(path(w.dir, l->file, ".cer"), buf_slice(&der));
	if (l->key != K_MANY)
		key_store(path(w.dir, l->file, ".key"), key(l->key));
	if (!(l->odd & NO_INDEX))
		index_add(l->ca, x, until, l->odd & REVOKED);
	fprintf(w.list, "%s\t%s\t%s\t%s\t%s\n", l->file, ca_table[l->ca].name, serial_hex(x),
	    l->odd & REVOKED  ? "revoked"
	    : l->what != NULL ? "bad"
	                      : "good",
	    l->what != NULL ? l->what : "");
	X509_free(x);
}

static void
person_write(const struct person *p)
{
	char nf[512], af[512];

	flags_fill(nf, sizeof nf, p->flags, p->name);
	flags_fill(af, sizeof af, p->address_flags, p->address);
	fprintf(w.persons, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p->card, p->name, nf, p->truth ? p->truth : p->name,
	    p->birth, p->sex, p->address, af, p->address_truth ? p->address_truth : p->address);
}

static void
leaves_make(void)
{
	char address[201 * 3 + 1] = "", file[64];

	for (size_t i = 0; i < 201; i++)
		memcpy(address + 3 * i, "町", 3);
	for (size_t i = 0; i < COUNT(leaves); i++) {
		const struct leaf *l = &leaves[i];
		const struct person *who = person_find(l->file);
		struct person p = who != NULL ? *who : people[0];

		p.birth = l->birth != NULL ? l->birth : p.birth;
		p.sex = l->sex != NULL ? l->sex : p.sex;
		if (l->address != NULL) {
			address[3 * (strcmp(l->address, "200") == 0 ? 200 : 201)] = '\0';
			p.address = address;
		}
		leaf_make(l, &p);
		memcpy(address + 600, "町", 3);
	}
	for (size_t i = 0; i < COUNT(people); i++) {
		struct leaf l = {
		    .file = file, .ca = CA_AUTH, .key = K_AUTH, .odd = AUTH_PROFILE, .what = "user-auth certificate"};

		snprintf(file, sizeof file, "%s-auth", people[i].card);
		leaf_make(&l, &people[i]);
		person_write(&people[i]);
	}
}

/* N persons with one key pair; the given name counts in kanji digits. */
static void
many_make(unsigned long count)
{
	static const char *const family[] = {"佐々木", "山口", "松本", "井上", "木村", "林", "清水", "山崎", "森", "池田"};
	static const char *const digit[] = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
	char name[128], given[64], address[256], birth[16], file[64];

	if (count > 0)
		key_store(path(w.dir, "many", ".key"), key(K_MANY));
	for (unsigned long i = 0; i < count; i++) {
		struct person p = {.card = file, .name = name, .birth = birth, .sex = i % 2 ? "2" : "1", .address = address};
		struct leaf l = {.file = file, .ca = CA_SIGN3, .key = K_MANY};
		size_t n = 0;

		for (unsigned long div = 10000; div > 0; div /= 10)
			n += (size_t)snprintf(given + n, sizeof given - n, "%s", digit[i / div % 10]);
		snprintf(file, sizeof file, "many-%05lu", i);
		snprintf(name, sizeof name, "%s　%s", family[i % COUNT(family)], given);
		snprintf(address, sizeof address, "椿県若葉市大字千町%lu番地", i + 1);
		snprintf(birth, sizeof birth, "3%lu%02lu%02lu", 1950 + i % 38, 1 + i % 12, 1 + i % 28);
		leaf_make(&l, &p);
		person_write(&p);
	}
}

/* ---- CRLs ---------------------------------------------------------------------------------------------------------- */

static ASN1_TIME *
time_new(int64_t t)
{
	ASN1_TIME *a = ASN1_TIME_set(NULL, (time_t)t);

	need(a != NULL, "time");
	return a;
}

static void
crl_ext(X509_CRL *c, const char *dotted, struct buf der)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	need(o != NULL && s != NULL && ASN1_OCTET_STRING_set(s, der.p, (int)der.n) == 1, dotted);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, 0, s);
	need(e != NULL && X509_CRL_add_ext(c, e, -1) == 1, dotted);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
	buf_drop(&der);
}

/* One line of an index; a revoked one becomes an entry. */
static void
crl_entry(X509_CRL *c, char *line)
{
	static const char *const reasons[] = {
	    "unspecified", "keyCompromise", "CACompromise", "affiliationChanged", "superseded", "cessationOfOperation"};
	char *field[6] = {0}, *rest = line, *reason;
	struct tm tm = {0};
	X509_REVOKED *r;
	BIGNUM *n = NULL;
	ASN1_INTEGER *serial;
	ASN1_TIME *at;

	for (size_t i = 0; i < 6; i++)
		field[i] = strsep(&rest, "\t");
	if (field[5] == NULL || field[0][0] != 'R')
		return;
	reason = strchr(field[2], ',');
	if (reason != NULL)
		*reason++ = '\0';
	need(strptime(field[2], "%y%m%d%H%M%SZ", &tm) != NULL && BN_hex2bn(&n, field[3]) > 0, "index");
	serial = BN_to_ASN1_INTEGER(n, NULL);
	at = time_new(timegm(&tm));
	r = X509_REVOKED_new();
	need(X509_REVOKED_set_serialNumber(r, serial) == 1 && X509_REVOKED_set_revocationDate(r, at) == 1, "entry");
	for (size_t i = 0; reason != NULL && i < COUNT(reasons); i++) {
		ASN1_ENUMERATED *v;

		if (strcmp(reasons[i], reason) != 0)
			continue;
		v = ASN1_ENUMERATED_new();
		need(
		    ASN1_ENUMERATED_set(v, (long)i) == 1 && X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, v, 0, 0) == 1, reason);
		ASN1_ENUMERATED_free(v);
	}
	need(X509_CRL_add0_revoked(c, r) == 1, "entry");
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(at);
	BN_free(n);
}

/* crlNumber is thisUpdate's second, so that a later list always has the higher number. */
static void
crl_make(enum ca_id id, int64_t next_hours)
{
	struct buf index OWNED(buf_drop) = read_file(path(w.dir, ca_table[id].name, ".index"));
	uint8_t t[8] = {0};
	X509_CRL *c = X509_CRL_new();
	ASN1_TIME *now = time_new(w.at), *next = time_new(w.at + next_hours * 3600);
	char *rest, *line;
	unsigned char *der = NULL;
	int n;

	need(c != NULL && X509_CRL_set_version(c, X509_CRL_VERSION_2) == 1 &&
	         X509_CRL_set_issuer_name(c, X509_get_subject_name(w.ca[id])) == 1 &&
	         X509_CRL_set1_lastUpdate(c, now) == 1 && X509_CRL_set1_nextUpdate(c, next) == 1,
	    "CRL");
	buf_put_u8(&index, '\0');
	rest = (char *)index.p;
	while ((line = strsep(&rest, "\n")) != NULL)
		crl_entry(c, line);
	for (int i = 0; i < 5; i++)
		t[i] = (uint8_t)(w.at >> (8 * (4 - i)));
	crl_ext(c, "2.5.29.35", tlv(0x30, tlv(0x80, key_hash(w.ca[id]))));
	/* five bytes of a second count begin with 0x00 until 2106, followed by a byte of 0x80 or less until 2038: keep DER */
	crl_ext(c, "2.5.29.20", tlv(0x02, t[0] == 0 && t[1] < 0x80 ? raw(t + 1, 4) : raw(t, 5)));
	need(X509_CRL_sort(c) == 1 && X509_CRL_sign(c, key(ca_table[id].key), EVP_sha256()) > 0, "sign CRL");
	n = i2d_X509_CRL(c, &der);
	need(n > 0, "encode CRL");
	write_file(path(w.dir, ca_table[id].name, ".crl"), slice_of(der, (size_t)n));
	OPENSSL_free(der);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	X509_CRL_free(c);
}

static void
crls_make(int64_t next_hours)
{
	for (int i = 0; i < CA_COUNT; i++)
		crl_make((enum ca_id)i, next_hours);
}

/* ---- what the command line asks ------------------------------------------------------------------------------------ */

/* The next serial and the settings of making, for the later calls. */
static void
state_store(void)
{
	FILE *f = open_or_die(path(w.dir, "state", ""), "w");

	fprintf(f, "%" PRIu32 " %d %s\n%s\n", w.next_serial, w.production, w.ocsp, w.keys);
	fclose(f);
}

static void
state_load(void)
{
	static char ocsp[1024], keys[LINE_MAX_BYTES];
	FILE *f = open_or_die(path(w.dir, "state", ""), "r");
	int production = 0;

	need(fscanf(f, "%" SCNu32 " %d %1023s\n%4095[^\n]", &w.next_serial, &production, ocsp, keys) == 4, "state");
	fclose(f);
	w.production = production != 0;
	w.ocsp = ocsp;
	w.keys = keys;
	for (int i = 0; i < CA_COUNT; i++)
		w.ca[i] = x509_load(ca_table[i].name);
}

static void
index_revoke(const char *name, const char *reason)
{
	struct buf out OWNED(buf_drop) = BUF(1 << 26);
	X509 *x = x509_load(name);
	enum ca_id ca = CA_COUNT;
	char *line, *rest;
	struct buf index OWNED(buf_drop) = BUF(0);
	bool found = false;

	for (int i = 0; i < CA_COUNT; i++)
		if (X509_check_issued(w.ca[i], x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(w.ca[i])) == 1)
			ca = (enum ca_id)i;
	need(ca != CA_COUNT, "no CA here issued it");
	index = read_file(path(w.dir, ca_table[ca].name, ".index"));
	buf_put_u8(&index, '\0');
	rest = (char *)index.p;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char until[32] = "", serial[64] = "", row[256];

		if (sscanf(line, "V\t%31[^\t]\t\t%63[^\t]", until, serial) == 2 && strcmp(serial, serial_hex(x)) == 0) {
			snprintf(row, sizeof row, "R\t%s\t%s%s%s\t%s\tunknown\t/CN=%s\n", until, index_time(w.at),
			    reason ? "," : "", reason ? reason : "", serial, serial);
			buf_put_str(&out, row);
			found = true;
		} else {
			buf_put_str(&out, line);
			buf_put_u8(&out, '\n');
		}
	}
	need(found, "not in the index, or revoked before");
	need(buf_check(&out).kind == OK, "index too large");
	write_file(path(w.dir, ca_table[ca].name, ".index"), buf_slice(&out));
	X509_free(x);
}

static void
world_make(unsigned long many)
{
	if (mkdir(w.dir, 0755) != 0 && errno != EEXIST)
		die("%s: %s", w.dir, strerror(errno));
	if (mkdir(w.keys, 0700) != 0 && errno != EEXIST)
		die("%s: %s", w.keys, strerror(errno));
	w.list = open_or_die(path(w.dir, "list", ""), "w");
	w.persons = open_or_die(path(w.dir, "persons", ""), "w");
	for (int i = 0; i < CA_COUNT; i++)
		ca_make((enum ca_id)i);
	anchors_make();
	ocsp_make("ocsp", OCSP_GOOD);
	ocsp_make("ocsp-no-eku", OCSP_NO_EKU);
	ocsp_make("ocsp-expired", OCSP_EXPIRED);
	ocsp_make("ocsp-foreign", OCSP_FOREIGN);
	leaves_make();
	many_make(many);
	crls_make(48);
	fclose(w.list);
	fclose(w.persons);
	state_store();
}

struct options {
	const char *word[3];
	int words;
	const char *reason;
	struct person who;
	unsigned long many;
	int64_t next_hours;
};

static bool
option(struct options *o, const char *name, const char *v)
{
	const struct {
		const char *name, **to;
	} plain[] = {{"--keys", &w.keys}, {"--ocsp", &w.ocsp}, {"--reason", &o->reason}, {"--name", &o->who.name},
	    {"--name-flags", &o->who.flags}, {"--birth", &o->who.birth}, {"--sex", &o->who.sex},
	    {"--address", &o->who.address}, {"--address-flags", &o->who.address_flags}};

	for (size_t i = 0; i < COUNT(plain); i++)
		if (strcmp(plain[i].name, name) == 0) {
			*plain[i].to = v;
			return true;
		}
	if (strcmp(name, "--at") == 0)
		w.at = time_get(v);
	else if (strcmp(name, "--many") == 0)
		o->many = strtoul(v, NULL, 10);
	else if (strcmp(name, "--next") == 0)
		o->next_hours = strtol(v, NULL, 10);
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = {.next_hours = 48, .who = people[0]};
	bool crl, revoke, leaf;

	w.at = (int64_t)time(NULL);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--production") == 0)
			w.production = true;
		else if (argv[i][0] == '-' && i + 1 < argc && option(&o, argv[i], argv[i + 1]))
			i++;
		else if (argv[i][0] == '-' || o.words == 3)
			die("%s: not understood; see the head of test/jpki/world.c", argv[i]);
		else
			o.word[o.words++] = argv[i];
	}
	crl = o.words == 2 && strcmp(o.word[0], "crl") == 0;
	revoke = o.words == 3 && strcmp(o.word[0], "revoke") == 0;
	leaf = o.words == 3 && strcmp(o.word[0], "leaf") == 0;
	if (!crl && !revoke && !leaf && o.words != 1)
		die("world DIR | crl DIR | revoke DIR NAME | leaf DIR NAME");
	w.dir = o.word[crl || revoke || leaf];
	if (o.words == 1) {
		if (w.keys == NULL)
			w.keys = strdup(path(w.dir, "keys", ""));
		world_make(o.many);
		return 0;
	}
	state_load();
	if (leaf) {
		w.list = open_or_die(path(w.dir, "list", ""), "a");
		w.persons = open_or_die(path(w.dir, "persons", ""), "a");
		o.who.card = o.word[2];
		leaf_make(&(struct leaf){.file = o.word[2], .ca = CA_SIGN3, .key = K_LEAF5, .from_days = -1}, &o.who);
		person_write(&o.who);
		fclose(w.list);
		fclose(w.persons);
		state_store();
	}
	if (revoke)
		index_revoke(o.word[2], o.reason);
	if (crl || revoke)
		crls_make(o.next_hours);
	return 0;
}
