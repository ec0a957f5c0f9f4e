/*
 * der.c - DER by hand, and what the certificates have in common.
 */
#include "test/jpki/parts/world.h"

#define SERVICE "公的個人認証サービス"

struct buf
raw(const void *p, size_t n)
{
	struct buf b = BUF(DER_MAX);

	buf_put(&b, slice_of(p, n));
	return b;
}

struct buf
join(struct buf a, struct buf b)
{
	buf_put(&a, buf_slice(&b));
	buf_drop(&b);
	return a;
}

struct buf
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

struct buf
text(uint8_t tag, const char *s)
{
	return tlv(tag, raw(s, strlen(s)));
}

struct buf
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

void
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

void
rdn(X509_NAME *n, const char *type, const char *value)
{
	/* countryName comes out as PrintableString, all else as UTF8String: OpenSSL's table says the same as the cards. */
	need(X509_NAME_add_entry_by_txt(n, type, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1, value);
}

const char *
org(void)
{
	return w.production ? "JPKI" : "JPKI-TEST";
}

X509_NAME *
name_ca(enum ca_id id)
{
	X509_NAME *n = X509_NAME_new();

	rdn(n, "C", "JP");
	rdn(n, "O", org());
	rdn(n, "OU", ca_table[id].unit);
	rdn(n, "OU", "Japan Agency for Local Authority Information Systems");
	return n;
}

X509_NAME *
name_service(void)
{
	X509_NAME *n = X509_NAME_new();

	rdn(n, "C", "JP");
	rdn(n, "O", SERVICE);
	return n;
}

/* GeneralNames with one directoryName; takes n. */
struct buf
directory(uint8_t tag, X509_NAME *n)
{
	struct buf b = tlv(tag, tlv(0xA4, name_der(n)));

	X509_NAME_free(n);
	return b;
}

/* CRLDistributionPoints ::= SEQUENCE OF { [0] { fullName [0] GeneralNames } }; takes n. */
struct buf
crldp(X509_NAME *n)
{
	return tlv(0x30, tlv(0x30, tlv(0xA0, directory(0xA0, n))));
}

int64_t
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

struct tm
utc(int64_t t)
{
	time_t v = (time_t)t;
	struct tm tm;

	need(gmtime_r(&v, &tm) != NULL, "time");
	return tm;
}

/* 23:59:59 in Japan of the day t lies in. */
int64_t
day_end(int64_t t)
{
	int64_t jst = t + 9 * 3600;

	return jst - jst % DAY + DAY - 1 - 9 * 3600;
}

/* The end of the fifth birthday after t; without a birthday, five years after t, a day short. */
int64_t
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

void
validity(X509 *x, int64_t from, int64_t until)
{
	need(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL, "notBefore");
	need(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until) != NULL, "notAfter");
}

void
serial_set(X509 *x, const uint8_t *p, size_t n)
{
	BIGNUM *b = BN_bin2bn(p, (int)n, NULL);

	need(b != NULL && BN_to_ASN1_INTEGER(b, X509_get_serialNumber(x)) != NULL, "serial");
	BN_free(b);
}

void
serial_next(X509 *x)
{
	uint32_t s = w.next_serial++;
	uint8_t b[4] = {(uint8_t)(s >> 24), (uint8_t)(s >> 16), (uint8_t)(s >> 8), (uint8_t)s};

	serial_set(x, b, 4);
}

/* SHA-1 over the public key's bits, as the cards have it. */
struct buf
key_hash(X509 *x)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	need(X509_pubkey_digest(x, EVP_sha1(), md, &n) == 1, "key id");
	return raw(md, n);
}

void
ski(X509 *x)
{
	ext(x, "2.5.29.14", 0, tlv(0x04, key_hash(x)));
}

/* keyIdentifier, authorityCertIssuer and authorityCertSerialNumber, all three. */
void
aki(X509 *x, X509 *ca)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(ca);
	struct buf b = tlv(0x80, key_hash(ca));

	b = join(b, directory(0xA1, X509_NAME_dup(X509_get_issuer_name(ca))));
	b = join(b, tlv(0x82, raw(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))));
	ext(x, "2.5.29.35", 0, tlv(0x30, b));
}

struct buf
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

X509 *
x509_load(const char *name)
{
	struct buf b OWNED(buf_drop) = read_file(path(w.dir, name, ".cer"));
	const unsigned char *p = b.p;
	X509 *x = d2i_X509(NULL, &p, (long)b.n);

	need(x != NULL, name);
	return x;
}

const char *
serial_hex(X509 *x)
{
	static char hex[64];
	const ASN1_INTEGER *s = X509_get0_serialNumber(x);
	const uint8_t *p = ASN1_STRING_get0_data(s);

	for (int i = 0; i < ASN1_STRING_length(s) && i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02X", p[i]);
	return hex;
}
