#include "base/der.h"
#include "pki/cert.h"
#include "pki/extension.h"
#include "pki/name.h"

static const uint8_t OID_OCSP_SIGNING[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};
static const uint8_t OID_AD_OCSP[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};
static const uint8_t OID_AD_CA_ISSUERS[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02};
static const uint8_t OID_NOCHECK[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05};
static const uint8_t OID_AIA[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
static const uint8_t OID_CPS[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01};

/* --- serial numbers --------------------------------------------------------- */

err
serial_get(slice *in, serial *out)
{
	slice s = *in, m;

	TRY(der_get_integer(&s, &m));
	if (m.n > SERIAL_MAX || m.p[0] == 0)
		return fail(ERR_INPUT, "serial: RFC 5280 4.1.2.2: a serial number is positive and has at most 20 bytes");
	*out = (serial){.n = (uint8_t)m.n};
	memcpy(out->b, m.p, m.n);
	*in = s;
	return ok;
}

void
serial_put(struct buf *b, serial s)
{
	assert(s.n > 0 && s.n <= SERIAL_MAX);
	der_put_integer(b, (slice){s.b, s.n});
}

slice
serial_slice(const serial *s)
{
	return (slice){s->b, s->n};
}

bool
serial_eq(serial a, serial b)
{
	return a.n == b.n && memcmp(a.b, b.b, a.n) == 0;
}

int
serial_cmp(serial a, serial b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return memcmp(a.b, b.b, a.n);
}

err
serial_get_hex(slice hex, serial *out)
{
	serial s = {.n = (uint8_t)(hex.n / 2)};

	if (hex.n == 0 || hex.n % 2 != 0 || hex.n / 2 > SERIAL_MAX || hex_get(hex, s.b, s.n).kind != OK || s.b[0] == 0)
		return fail(
		    ERR_INPUT, "serial-hex: house: a serial number is written in 2 to 40 hexadecimal digits, not from 00");
	*out = s;
	return ok;
}

void
serial_put_hex(struct buf *b, serial s)
{
	buf_put_hex(b, (slice){s.b, s.n});
}

/* --- reading ---------------------------------------------------------------- */

/*
 * BasicConstraints ::= SEQUENCE {
 *	cA                 BOOLEAN DEFAULT FALSE,
 *	pathLenConstraint  INTEGER (0..MAX) OPTIONAL }
 */
static err
basic_get(slice in, struct cert *c)
{
	uint64_t len;
	slice s;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	if (der_next_is(s, DER_BOOLEAN)) {
		TRY(der_get_bool(&s, &c->is_ca));
		if (!c->is_ca)
			return fail(ERR_INPUT, "der-default: X.690 11.5: a DEFAULT value is written out");
	}
	if (der_next_is(s, DER_INTEGER)) {
		TRY(der_get_u64(&s, PATHLEN_NONE - 1, &len));
		if (!c->is_ca)
			return fail(ERR_INPUT, "cert-path-length: RFC 5280 4.2.1.9: a path length stands where cA is not set");
		c->path_len = (uint32_t)len;
	}
	return der_end(s);
}

/* The content of SEQUENCE SIZE (1..MAX) OF something, each element of it well-formed on its outside. */
static err
list_get(slice in, slice *out)
{
	slice list, s;

	TRY(der_get(&in, DER_SEQUENCE, &list));
	TRY(der_end(in));
	if (list.n == 0)
		return fail(ERR_INPUT, "cert-list: RFC 5280 4.2: an extension holds an empty list");
	s = list;
	while (s.n > 0)
		TRY(der_get_any(&s, NULL, NULL, NULL));
	*out = list;
	return ok;
}

/*
 * certificatePolicies ::= SEQUENCE OF PolicyInformation
 * PolicyInformation ::= SEQUENCE {
 *	policyIdentifier  OBJECT IDENTIFIER,
 *	policyQualifiers  SEQUENCE OF PolicyQualifierInfo OPTIONAL }
 */
static err
policies_get(slice in, struct cert *c)
{
	slice s, info, oid, q;

	TRY(list_get(in, &c->policies));
	for (s = c->policies; s.n > 0;) {
		TRY(der_get(&s, DER_SEQUENCE, &info));
		TRY(der_get_oid(&info, &oid));
		if (info.n > 0)
			TRY(der_get(&info, DER_SEQUENCE, &q));
		TRY(der_end(info));
		if (c->n_policies == CERT_POLICIES_MAX)
			return fail(ERR_INPUT, "cert-policies: house: a certificate names at most 8 policies");
		for (size_t i = 0; i < c->n_policies; i++)
			if (slice_eq(c->policy[i], oid))
				return fail(ERR_INPUT, "cert-policy-twice: RFC 5280 4.2.1.4: a policy is named twice");
		c->policy[c->n_policies++] = oid;
	}
	return ok;
}

static err
eku_get(slice in, struct cert *c)
{
	slice s, oid;

	TRY(list_get(in, &s));
	while (s.n > 0) {
		TRY(der_get_oid(&s, &oid));
		c->eku_ocsp = c->eku_ocsp || slice_eq(oid, ARR(OID_OCSP_SIGNING));
	}
	return ok;
}

static err
key_usage_get(slice in, bool critical, struct cert *c)
{
	TRY(der_get_named_bits(&in, &c->key_usage));
	TRY(der_end(in));
	if (c->key_usage == 0)
		return fail(ERR_INPUT, "cert-key-usage: RFC 5280 4.2.1.3: keyUsage names no use");
	c->has_key_usage = true;
	c->key_usage_critical = critical;
	return ok;
}

static err
extension_read(const struct extension *x, struct cert *c)
{
	slice value = x->value;

	if (x->ce != 0) {
		switch (x->ce) {
		case CE_SKI:
			TRY(der_get(&value, DER_OCTETS, &c->ski));
			return der_end(value);
		case CE_KEY_USAGE:
			return key_usage_get(value, x->critical, c);
		case CE_SAN:
			return list_get(value, &c->san);
		case CE_BASIC:
			return basic_get(value, c);
		case CE_CRLDP:
			return list_get(value, &c->crldp);
		case CE_POLICIES:
			c->policies_critical = x->critical;
			return policies_get(value, c);
		case CE_AKI:
			return aki_get(value, &c->aki);
		case CE_EKU:
			return eku_get(value, c);
		default:
			break;
		}
	} else if (slice_eq(x->oid, ARR(OID_AIA))) {
		return list_get(value, &c->aia);
	} else if (slice_eq(x->oid, ARR(OID_NOCHECK))) {
		TRY(der_get_null(&value));
		c->ocsp_nocheck = true;
		return der_end(value);
	}
	c->unknown_critical = c->unknown_critical || x->critical;
	return ok;
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *	algorithm         SEQUENCE { OBJECT IDENTIFIER, NULL | OBJECT IDENTIFIER | SEQUENCE, OPTIONAL },
 *	subjectPublicKey  BIT STRING }
 *
 * The outside only: base/key judges what it means.
 */
static err
spki_get(slice *in, slice *out)
{
	slice s = *in, whole, spki, alg, part;

	TRY(der_get_whole(&s, DER_SEQUENCE, &whole));
	spki = whole;
	TRY(der_get(&spki, DER_SEQUENCE, &spki));
	TRY(der_get(&spki, DER_SEQUENCE, &alg));
	TRY(der_get_oid(&alg, &part));
	if (der_next_is(alg, DER_NULL))
		TRY(der_get_null(&alg));
	else if (der_next_is(alg, DER_OID))
		TRY(der_get_oid(&alg, &part));
	else if (alg.n > 0)
		TRY(der_get(&alg, DER_SEQUENCE, &part));
	TRY(der_end(alg));
	TRY(der_get_bits(&spki, &part));
	TRY(der_end(spki));
	*out = whole;
	*in = s;
	return ok;
}

/*
 * TBSCertificate ::= SEQUENCE {
 *	version          [0] EXPLICIT INTEGER, 2 for v3
 *	serialNumber     INTEGER,
 *	signature        AlgorithmIdentifier,
 *	issuer           Name,
 *	validity         SEQUENCE { notBefore Time, notAfter Time },
 *	subject          Name,
 *	subjectPublicKeyInfo,
 *	extensions       [3] EXPLICIT SEQUENCE OF Extension OPTIONAL }
 */
static err
tbs_get(slice in, slice outer_alg, struct cert *c)
{
	struct extensions x;
	slice s, alg;
	uint64_t version;

	if (!der_next_is(in, DER_CTXC(0)))
		return fail(ERR_INPUT, "cert-version: RFC 5280 4.1.2.1: the certificate is not of version 3");
	TRY(der_get(&in, DER_CTXC(0), &s));
	TRY(der_get_u64(&s, UINT64_MAX, &version));
	TRY(der_end(s));
	if (version != 2)
		return fail(ERR_INPUT, "cert-version: RFC 5280 4.1.2.1: the certificate is not of version 3");
	TRY(serial_get(&in, &c->serial));
	TRY(der_get_whole(&in, DER_SEQUENCE, &alg));
	if (!slice_eq(alg, outer_alg))
		return fail(ERR_INPUT, "cert-algorithm: RFC 5280 4.1.1.2: the signature algorithms inside and outside differ");
	TRY(sig_alg_get(&alg, &c->alg));
	TRY(name_get(&in, &c->issuer));
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_get_time(&s, &c->not_before));
	TRY(der_get_time(&s, &c->not_after));
	TRY(der_end(s));
	if (c->not_before.ms > c->not_after.ms)
		return fail(ERR_INPUT, "cert-validity: RFC 5280 4.1.2.5: notBefore lies after notAfter");
	TRY(name_get(&in, &c->subject));
	TRY(spki_get(&in, &c->spki));
	if (in.n > 0) {
		TRY(der_get(&in, DER_CTXC(3), &s));
		TRY(extensions_get(s, &x));
		for (size_t i = 0; i < x.n; i++)
			TRY(extension_read(&x.at[i], c));
	}
	return der_end(in);
}

/*
 * Certificate ::= SEQUENCE {
 *	tbsCertificate      TBSCertificate,
 *	signatureAlgorithm  AlgorithmIdentifier,
 *	signature           BIT STRING }
 */
err
cert_get(slice in, struct cert *out)
{
	struct cert c = {.whole = in, .path_len = PATHLEN_NONE};
	slice s, tbs, alg;

	if (in.n > CERT_MAX)
		return fail(ERR_INPUT, "cert-long: house: a certificate has at most 8192 bytes");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_whole(&s, DER_SEQUENCE, &c.tbs));
	TRY(der_get_whole(&s, DER_SEQUENCE, &alg));
	TRY(der_get_bits(&s, &c.signature));
	TRY(der_end(s));
	tbs = c.tbs;
	TRY(der_get(&tbs, DER_SEQUENCE, &s));
	TRY(tbs_get(s, alg, &c));
	*out = c;
	return ok;
}

digest
cert_digest(const struct cert *c)
{
	return sha256(c->whole);
}

err
cert_check_signed_by(const struct cert *c, const struct key *issuer)
{
	return key_check(issuer, c->alg, c->tbs, c->signature);
}

bool
cert_is_valid_at(const struct cert *c, instant t)
{
	/* notAfter names a whole second that still belongs to the period (RFC 5280 4.1.2.5). */
	t = instant_floor_second(t);
	return c->not_before.ms <= t.ms && t.ms <= c->not_after.ms;
}

bool
cert_is_self_issued(const struct cert *c)
{
	return slice_eq(c->issuer, c->subject);
}

/*
 * AuthorityInfoAccessSyntax ::= SEQUENCE OF SEQUENCE {
 *	accessMethod    OBJECT IDENTIFIER,
 *	accessLocation  GeneralName }          uniformResourceIdentifier is [6] IMPLICIT IA5String
 */
slice
cert_ocsp_uri(const struct cert *c)
{
	slice s = c->aia, ad, oid, uri;

	while (s.n > 0 && der_get(&s, DER_SEQUENCE, &ad).kind == OK)
		if (der_get_oid(&ad, &oid).kind == OK && slice_eq(oid, ARR(OID_AD_OCSP)) &&
		    der_get(&ad, DER_CTX(6), &uri).kind == OK)
			return uri;
	return (slice){NULL, 0};
}

/*
 * CRLDistributionPoints ::= SEQUENCE OF SEQUENCE {
 *	distributionPoint  [0] { fullName [0] IMPLICIT GeneralNames, … } OPTIONAL,
 *	… }
 */
slice
cert_crl_uri(const struct cert *c)
{
	slice s = c->crldp, dp, point, names, uri;

	while (s.n > 0 && der_get(&s, DER_SEQUENCE, &dp).kind == OK) {
		if (der_get(&dp, DER_CTXC(0), &point).kind != OK || der_get(&point, DER_CTXC(0), &names).kind != OK)
			continue;
		while (names.n > 0) {
			if (der_get(&names, DER_CTX(6), &uri).kind == OK)
				return uri;
			if (der_get_any(&names, NULL, NULL, NULL).kind != OK)
				break;
		}
	}
	return (slice){NULL, 0};
}

/* --- writing ---------------------------------------------------------------- */

static void
assert_uri(slice uri)
{
	assert(uri.n < 512);
	for (size_t i = 0; i < uri.n; i++)
		assert(uri.p[i] > ' ' && uri.p[i] < 0x7F);
}

static void
put_policies(struct buf *b, const struct cert_plan *p)
{
	struct extension_mark e = extension_open_ce(b, CE_POLICIES, false);
	size_t list = der_open(b, DER_SEQUENCE), info = der_open(b, DER_SEQUENCE), qs, q;

	der_put_oid(b, p->policy);
	if (p->cps_uri.n > 0) {
		qs = der_open(b, DER_SEQUENCE);
		q = der_open(b, DER_SEQUENCE);
		der_put_oid(b, ARR(OID_CPS));
		der_put(b, DER_IA5, p->cps_uri);
		der_close(b, q);
		der_close(b, qs);
	}
	der_close(b, info);
	der_close(b, list);
	extension_close(b, e);
}

static void
put_crldp(struct buf *b, slice uri)
{
	struct extension_mark e = extension_open_ce(b, CE_CRLDP, false);
	size_t list = der_open(b, DER_SEQUENCE), dp = der_open(b, DER_SEQUENCE);
	size_t point = der_open(b, DER_CTXC(0)), names = der_open(b, DER_CTXC(0));

	der_put(b, DER_CTX(6), uri);
	der_close(b, names);
	der_close(b, point);
	der_close(b, dp);
	der_close(b, list);
	extension_close(b, e);
}

static void
put_access(struct buf *b, slice method, slice uri)
{
	size_t seq;

	if (uri.n == 0)
		return;
	seq = der_open(b, DER_SEQUENCE);
	der_put_oid(b, method);
	der_put(b, DER_CTX(6), uri);
	der_close(b, seq);
}

static void
put_ocsp_signer(struct buf *b)
{
	struct extension_mark e = extension_open_ce(b, CE_EKU, false);
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_oid(b, ARR(OID_OCSP_SIGNING));
	der_close(b, seq);
	extension_close(b, e);
	e = extension_open(b, ARR(OID_NOCHECK), false);
	der_put_null(b);
	extension_close(b, e);
}

static void
put_extensions(struct buf *b, const struct cert_plan *p)
{
	struct extension_mark e;
	size_t seq;

	if (p->aki.n > 0)
		aki_put(b, p->aki);
	if (p->ski.n > 0) {
		e = extension_open_ce(b, CE_SKI, false);
		der_put(b, DER_OCTETS, p->ski);
		extension_close(b, e);
	}
	if (p->key_usage != 0) {
		e = extension_open_ce(b, CE_KEY_USAGE, true);
		der_put_named_bits(b, p->key_usage);
		extension_close(b, e);
	}
	if (p->policy.n > 0)
		put_policies(b, p);
	if (p->is_ca) {
		e = extension_open_ce(b, CE_BASIC, true);
		seq = der_open(b, DER_SEQUENCE);
		der_put_bool(b, true);
		der_close(b, seq);
		extension_close(b, e);
	}
	if (p->ocsp_signer)
		put_ocsp_signer(b);
	if (p->crl_uri.n > 0)
		put_crldp(b, p->crl_uri);
	if (p->ocsp_uri.n > 0 || p->ca_issuers_uri.n > 0) {
		e = extension_open(b, ARR(OID_AIA), false);
		seq = der_open(b, DER_SEQUENCE);
		put_access(b, ARR(OID_AD_OCSP), p->ocsp_uri);
		put_access(b, ARR(OID_AD_CA_ISSUERS), p->ca_issuers_uri);
		der_close(b, seq);
		extension_close(b, e);
	}
}

void
cert_put_tbs(struct buf *b, const struct cert_plan *p)
{
	size_t tbs = der_open(b, DER_SEQUENCE), m;

	assert(p->spki.n > 0 && p->spki.n <= SPKI_MAX && p->issuer.n > 0 && p->subject.n > 0);
	assert(p->not_before.ms % SECOND_MS == 0 && p->not_after.ms % SECOND_MS == 0);
	assert(p->cps_uri.n == 0 || p->policy.n > 0);
	assert_uri(p->cps_uri);
	assert_uri(p->crl_uri);
	assert_uri(p->ocsp_uri);
	assert_uri(p->ca_issuers_uri);
	m = der_open(b, DER_CTXC(0));
	der_put_u64(b, 2);
	der_close(b, m);
	serial_put(b, p->serial);
	sig_alg_put(b, p->alg);
	buf_put(b, p->issuer);
	m = der_open(b, DER_SEQUENCE);
	der_put_time(b, p->not_before);
	der_put_time(b, p->not_after);
	der_close(b, m);
	buf_put(b, p->subject);
	buf_put(b, p->spki);
	if (p->aki.n > 0 || p->ski.n > 0 || p->key_usage != 0 || p->policy.n > 0 || p->is_ca || p->ocsp_signer ||
	    p->crl_uri.n > 0 || p->ocsp_uri.n > 0 || p->ca_issuers_uri.n > 0) {
		size_t exts, list;

		exts = der_open(b, DER_CTXC(3));
		list = der_open(b, DER_SEQUENCE);
		put_extensions(b, p);
		der_close(b, list);
		der_close(b, exts);
	}
	der_close(b, tbs);
}

void
cert_join(struct buf *b, slice tbs, enum sig_alg alg, slice signature)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(signature.n > 0 && signature.n <= SIG_MAX);
	buf_put(b, tbs);
	sig_alg_put(b, alg);
	der_put_bits(b, signature);
	der_close(b, seq);
}
