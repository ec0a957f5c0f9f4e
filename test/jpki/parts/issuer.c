/*
 * issuer.c - the CAs, the responders, the indices and the CRLs.
 */
#include "test/jpki/parts/world.h"

const struct ca ca_table[CA_COUNT] = {
    {"signca01", "JPKI for digital signature", K_SIGN1, {1}, 1, -3682, -30},
    {"signca02", "JPKI for digital signature", K_SIGN2, {0x01, 0x32, 0xC4, 0xAC}, 4, -2192, 1461},
    {"signca03", "JPKI for digital signature", K_SIGN3, {0x06, 0x7C, 0x6A, 0x22}, 4, -731, 2922},
    {"authca", "JPKI for user authentication", K_AUTHCA, {0x06, 0xD1, 0x80, 0x07}, 4, -731, 2922},
};

void
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

void
anchors_make(void)
{
	FILE *f = open_or_die(path(w.dir, "anchors.pem", ""), "wb");

	for (int i = CA_SIGN1; i <= CA_SIGN3; i++)
		need(PEM_write_X509(f, w.ca[i]) == 1, "anchors.pem");
	fclose(f);
}

void
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

void
index_add(enum ca_id ca, X509 *x, int64_t until, bool revoked)
{
	FILE *f = open_or_die(path(w.dir, ca_table[ca].name, ".index"), "a");

	fprintf(f, "%c\t%s\t%s\t%s\tunknown\t/CN=%s\n", revoked ? 'R' : 'V', index_time(until),
	    revoked ? index_time(w.at - 10 * DAY) : "", serial_hex(x), serial_hex(x));
	fclose(f);
}

void
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

void
crls_make(int64_t next_hours)
{
	for (int i = 0; i < CA_COUNT; i++)
		crl_make((enum ca_id)i, next_hours);
}
