/*
 * Certificates: what we accept libcrypto accepts and reads alike; a certificate
 * written from what was read is read again as the same.
 */
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base.h"
#include "pki/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static slice
string_of(const ASN1_STRING *s)
{
	return s == NULL ? slice_of(NULL, 0) : slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool
time_is(const ASN1_TIME *t, instant want)
{
	struct civil c = civil_utc(want);
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 && tm.tm_year + 1900 == c.year && tm.tm_mon + 1 == c.month &&
	       tm.tm_mday == c.day && tm.tm_hour == c.hour && tm.tm_min == c.minute && tm.tm_sec == c.second;
}

static bool
name_is(const X509_NAME *name, slice want)
{
	const unsigned char *p;
	size_t n;

	return X509_NAME_get0_der(name, &p, &n) == 1 && slice_eq(slice_of(p, n), want);
}

static void
second_opinion(const struct cert *c)
{
	const unsigned char *p = c->whole.p;
	X509 *x = d2i_X509(NULL, &p, (long)c->whole.n);
	uint32_t flags;

	assert(x != NULL && p == c->whole.p + c->whole.n);
	assert(X509_get_version(x) == 2);
	assert(slice_eq(string_of(X509_get0_serialNumber(x)), serial_slice(&c->serial)));
	assert(time_is(X509_get0_notBefore(x), c->not_before) && time_is(X509_get0_notAfter(x), c->not_after));
	assert(name_is(X509_get_issuer_name(x), c->issuer) && name_is(X509_get_subject_name(x), c->subject));
	flags = X509_get_extension_flags(x);
	if ((flags & EXFLAG_INVALID) == 0) {
		assert(slice_eq(string_of(X509_get0_subject_key_id(x)), c->ski));
		assert(slice_eq(string_of(X509_get0_authority_key_id(x)), c->aki));
		assert(((flags & EXFLAG_CA) != 0) == c->is_ca);
		assert(((flags & EXFLAG_KUSAGE) != 0) == c->has_key_usage);
		assert(((flags & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) != 0) == c->eku_ocsp);
		/* What libcrypto does not know, we do not know. */
		assert((flags & EXFLAG_CRITICAL) == 0 || c->unknown_critical);
	}
	X509_free(x);
}

static bool
uri_fits(slice uri)
{
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] >= 0x7F)
			return false;
	return uri.n < 512;
}

static bool
plan_of(const struct cert *c, struct cert_plan *p)
{
	*p = (struct cert_plan){.serial = c->serial,
	    .alg = c->alg,
	    .issuer = c->issuer,
	    .subject = c->subject,
	    .spki = c->spki,
	    .not_before = c->not_before,
	    .not_after = c->not_after,
	    .is_ca = c->is_ca,
	    .key_usage = c->key_usage,
	    .aki = c->aki,
	    .ski = c->ski,
	    .policy = c->n_policies > 0 ? c->policy[0] : slice_of(NULL, 0),
	    .crl_uri = cert_crl_uri(c),
	    .ocsp_uri = cert_ocsp_uri(c),
	    .ocsp_signer = c->eku_ocsp};
	return uri_fits(p->crl_uri) && uri_fits(p->ocsp_uri) && c->spki.n <= SPKI_MAX && c->signature.n > 0 &&
	       c->signature.n <= SIG_MAX;
}

static void
law(const struct cert *c)
{
	struct buf tbs OWNED(buf_drop) = BUF(2 * CERT_MAX), again OWNED(buf_drop) = BUF(2 * CERT_MAX);
	struct buf whole OWNED(buf_drop) = BUF(2 * CERT_MAX);
	struct cert_plan p;
	struct cert d;
	err e;

	if (!plan_of(c, &p))
		return;
	cert_put_tbs(&tbs, &p);
	cert_join(&whole, buf_slice(&tbs), c->alg, c->signature);
	e = cert_get(buf_slice(&whole), &d);
	assert(e.kind == OK || whole.n > CERT_MAX);
	if (e.kind != OK)
		return;
	assert(slice_eq(d.tbs, buf_slice(&tbs)) && slice_eq(d.signature, c->signature) && !d.unknown_critical);
	assert(plan_of(&d, &p));
	cert_put_tbs(&again, &p);
	assert(slice_eq(buf_slice(&again), buf_slice(&tbs)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cert c;

	if (cert_get(slice_of(p, n), &c).kind != OK)
		return 0;
	second_opinion(&c);
	law(&c);
	return 0;
}
