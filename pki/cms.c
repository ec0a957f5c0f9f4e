#include "base/der.h"
#include "pki/cms.h"

static const uint8_t OID_DATA[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
static const uint8_t OID_SIGNED_DATA[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02};
static const uint8_t OID_CONTENT_TYPE[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03};
static const uint8_t OID_MESSAGE_DIGEST[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04};
static const uint8_t OID_SIGNING_TIME[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x05};
static const uint8_t OID_SIGNING_CERT_V2[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F};
static const uint8_t OID_SHA256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t OID_SHA384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
static const uint8_t OID_SHA512[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
/* rsaEncryption with its NULL, the whole AlgorithmIdentifier. */
static const uint8_t ALG_RSA[] = {
    0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};

static slice
hash_oid(enum hash_alg h)
{
	return h == HASH_SHA256 ? ARR(OID_SHA256) : h == HASH_SHA384 ? ARR(OID_SHA384) : ARR(OID_SHA512);
}

/* SHA-2 without parameters, the only spelling RFC 5754 2 lets a writer use. */
static err
hash_get(slice *in, enum hash_alg *out)
{
	slice s = *in, seq, oid;

	TRY(der_get(&s, DER_SEQUENCE, &seq));
	TRY(der_get_oid(&seq, &oid));
	for (enum hash_alg h = HASH_SHA256; h <= HASH_SHA512; h++)
		if (slice_eq(oid, hash_oid(h)) && seq.n == 0) {
			*out = h;
			*in = s;
			return ok;
		}
	return fail(ERR_POLICY, "cms-hash: RFC 5754 2: the digest is SHA-256, SHA-384 or SHA-512, without parameters");
}

static void
hash_put(struct buf *b, enum hash_alg h)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_oid(b, hash_oid(h));
	der_close(b, seq);
}

/* The signer's certificate as the rest of the message names it. */
struct signer {
	bool has_cert;
	struct cert cert;
	enum hash_alg hash;
};

/*
 * IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber INTEGER }
 */
static err
issuer_serial_check(slice in, slice issuer, serial want)
{
	const err other = fail(ERR_INPUT, "cms-signer: RFC 5652 5.3: the signer named is not the certificate inside");
	slice name;
	serial s;

	TRY(der_get_whole(&in, DER_SEQUENCE, &name));
	TRY(serial_get(&in, &s));
	TRY(der_end(in));
	if (!slice_eq(name, issuer) || !serial_eq(s, want))
		return other;
	return ok;
}

/*
 * Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }, of one value.
 * DER sorts a SET OF by its bytes: here that is by length, so the order is fixed.
 */
static err
attr_get(slice *in, slice type, slice *value)
{
	slice s = *in, attr, oid, set;

	if (s.n == 0)
		return fail(ERR_INPUT, "cms-attributes: house: the signed attributes are contentType, signingTime, "
		                       "messageDigest and signingCertificateV2, in this order");
	TRY(der_get(&s, DER_SEQUENCE, &attr));
	TRY(der_get_oid(&attr, &oid));
	if (!slice_eq(oid, type))
		return fail(ERR_INPUT, "cms-attributes: house: the signed attributes are contentType, signingTime, "
		                       "messageDigest and signingCertificateV2, in this order");
	TRY(der_get(&attr, DER_SET, &set));
	TRY(der_end(attr));
	*value = set;
	*in = s;
	return ok;
}

/*
 * SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 }    (RFC 5035 3), one of them
 * ESSCertIDv2 ::= SEQUENCE {
 *	hashAlgorithm  AlgorithmIdentifier DEFAULT SHA-256,   the message's own
 *	certHash       OCTET STRING,
 *	issuerSerial   SEQUENCE { GeneralNames { [4] Name }, INTEGER } }
 */
static err
signing_cert_check(slice in, const struct signer *si)
{
	const err other =
	    fail(ERR_INPUT, "cms-signing-certificate: RFC 5035 4: signingCertificateV2 names another certificate");
	enum hash_alg h = HASH_SHA256;
	slice s, id, hash, is, names, name;
	uint8_t want[SHA512_LEN];
	serial sn;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get(&s, DER_SEQUENCE, &id));
	TRY(der_end(s));
	s = id;
	TRY(der_get(&s, DER_SEQUENCE, &id));
	TRY(der_end(s));
	if (der_next_is(id, DER_SEQUENCE)) {
		TRY(hash_get(&id, &h));
		if (h == HASH_SHA256)
			return fail(ERR_INPUT, "der-default: X.690 11.5: a DEFAULT value is written out");
	}
	TRY(der_get(&id, DER_OCTETS, &hash));
	TRY(der_get(&id, DER_SEQUENCE, &is));
	TRY(der_end(id));
	TRY(der_get(&is, DER_SEQUENCE, &names));
	TRY(serial_get(&is, &sn));
	TRY(der_end(is));
	TRY(der_get(&names, DER_CTXC(4), &name));
	TRY(der_end(names));
	hash_of(si->hash, si->cert.whole, want);
	if (h != si->hash || !slice_eq(hash, (slice){want, hash_len(h)}) || !slice_eq(name, si->cert.issuer) ||
	    !serial_eq(sn, si->cert.serial))
		return other;
	return ok;
}

static err
attrs_check(slice in, const struct signer *si, struct cms *c)
{
	slice v, s;
	uint8_t want[SHA512_LEN];

	TRY(attr_get(&in, ARR(OID_CONTENT_TYPE), &v));
	TRY(der_get_oid(&v, &s));
	TRY(der_end(v));
	if (!slice_eq(s, ARR(OID_DATA)))
		return fail(ERR_INPUT, "cms-content-type: RFC 5652 11.1: contentType is not the content's");
	TRY(attr_get(&in, ARR(OID_SIGNING_TIME), &v));
	TRY(der_get_time(&v, &c->signing_time));
	TRY(der_end(v));
	TRY(attr_get(&in, ARR(OID_MESSAGE_DIGEST), &v));
	TRY(der_get(&v, DER_OCTETS, &s));
	TRY(der_end(v));
	hash_of(si->hash, c->content, want);
	if (!slice_eq(s, (slice){want, hash_len(si->hash)}))
		return fail(ERR_POLICY, "cms-message-digest: RFC 5652 11.2: the content is not what was signed");
	if (si->has_cert) {
		TRY(attr_get(&in, ARR(OID_SIGNING_CERT_V2), &v));
		s = v;
		TRY(der_get_whole(&v, DER_SEQUENCE, &s));
		TRY(der_end(v));
		TRY(signing_cert_check(s, si));
	}
	if (in.n != 0)
		return fail(ERR_INPUT, "cms-attributes: house: the signed attributes are contentType, signingTime, "
		                       "messageDigest and signingCertificateV2, in this order");
	return ok;
}

/* PKCS #1 v1.5, which has two names. */
static bool
is_rsa_plain(enum sig_alg alg)
{
	return alg == SIG_RSA_SHA256 || alg == SIG_RSA_SHA384 || alg == SIG_RSA_SHA512;
}

static err
sig_get(slice *in, enum hash_alg hash, struct cms *c)
{
	slice s = *in, whole;

	TRY(der_get_whole(&s, DER_SEQUENCE, &whole));
	if (slice_eq(whole, ARR(ALG_RSA))) {
		c->alg = hash == HASH_SHA256 ? SIG_RSA_SHA256 : hash == HASH_SHA384 ? SIG_RSA_SHA384 : SIG_RSA_SHA512;
		*in = s;
		return ok;
	}
	TRY(sig_alg_get(in, &c->alg));
	if (c->alg == SIG_ED25519)
		return fail(ERR_POLICY, "cms-ed25519: CR-1: a document is signed with RSA or on a curve of the guideline");
	if (is_rsa_plain(c->alg))
		return fail(ERR_INPUT,
		    "cms-rsa: RFC 5652 10.1.2: an RSA signature goes under rsaEncryption, so that a document "
		    "has one encoding");
	if (sig_alg_hash(c->alg) != hash)
		return fail(
		    ERR_INPUT, "cms-digest: RFC 5652 5.4: the digest and the signature algorithm do not belong together");
	return ok;
}

/*
 * SignerInfo ::= SEQUENCE {
 *	version             INTEGER 1 | 3,
 *	sid                 IssuerAndSerialNumber | [0] IMPLICIT OCTET STRING,
 *	digestAlgorithm     AlgorithmIdentifier,
 *	signedAttrs         [0] IMPLICIT SET OF Attribute,
 *	signatureAlgorithm  AlgorithmIdentifier,
 *	signature           OCTET STRING }
 */
static err
signer_info_get(slice in, const struct signer *si, struct cms *c)
{
	enum hash_alg hash;
	uint64_t version;
	slice s;

	TRY(der_get_u64(&in, UINT64_MAX, &version));
	if (version != (si->has_cert ? 1 : 3))
		return fail(ERR_INPUT, "cms-version: RFC 5652 5: a version that does not go with what follows");
	if (si->has_cert) {
		TRY(der_get(&in, DER_SEQUENCE, &s));
		TRY(issuer_serial_check(s, si->cert.issuer, si->cert.serial));
	} else {
		TRY(der_get(&in, DER_CTX(0), &s));
		if (s.n != SHA1_LEN)
			return fail(ERR_INPUT, "cms-key-id: RFC 5280 4.2.1.2: a key identifier has 20 bytes");
		memcpy(c->key_id, s.p, SHA1_LEN);
	}
	TRY(hash_get(&in, &hash));
	if (hash != si->hash)
		return fail(
		    ERR_INPUT, "cms-digest: RFC 5652 5.4: the digest and the signature algorithm do not belong together");
	TRY(der_get_whole(&in, DER_CTXC(0), &c->signed_attrs));
	TRY(sig_get(&in, hash, c));
	TRY(der_get(&in, DER_OCTETS, &c->signature));
	if (der_next_is(in, DER_CTXC(1)))
		return fail(ERR_INPUT, "cms-unsigned: house: a document carries no unsigned attributes");
	TRY(der_end(in));
	s = c->signed_attrs;
	TRY(der_get(&s, DER_CTXC(0), &s));
	return attrs_check(s, si, c);
}

/* EncapsulatedContentInfo ::= SEQUENCE { eContentType, eContent [0] EXPLICIT OCTET STRING } */
static err
content_get(slice *in, slice *out)
{
	slice encap, oid, s;

	TRY(der_get(in, DER_SEQUENCE, &encap));
	TRY(der_get_oid(&encap, &oid));
	if (!slice_eq(oid, ARR(OID_DATA)))
		return fail(ERR_INPUT, "cms-data: RFC 5652 4: the content is not of type data");
	if (encap.n == 0)
		return fail(ERR_INPUT, "cms-detached: house: the document is not inside its signature");
	TRY(der_get(&encap, DER_CTXC(0), &s));
	TRY(der_end(encap));
	TRY(der_get(&s, DER_OCTETS, out));
	return der_end(s);
}

static err
certificate_get(slice *in, struct signer *si, struct cms *c)
{
	slice certs;

	if (der_next_is(*in, DER_CTXC(0))) {
		TRY(der_get(in, DER_CTXC(0), &certs));
		TRY(der_get_whole(&certs, DER_SEQUENCE, &c->certificate));
		if (certs.n != 0)
			return fail(ERR_INPUT, "cms-certificates: house: the message carries more than the signer's certificate");
		TRY(cert_get(c->certificate, &si->cert));
		si->has_cert = true;
	}
	if (der_next_is(*in, DER_CTXC(1)))
		return fail(ERR_INPUT, "cms-crls: house: the message carries revocation lists");
	return ok;
}

/*
 * SignedData ::= SEQUENCE {
 *	version           INTEGER 1 (3 when the signer is named by its key, RFC 5652 5.1),
 *	digestAlgorithms  SET OF AlgorithmIdentifier,
 *	encapContentInfo  EncapsulatedContentInfo,
 *	certificates      [0] IMPLICIT SET OF Certificate OPTIONAL,
 *	signerInfos       SET OF SignerInfo }
 */
static err
signed_data_get(slice in, struct cms *c)
{
	struct signer si = {.has_cert = false};
	uint64_t version;
	slice s, info;

	TRY(der_get_u64(&in, UINT64_MAX, &version));
	TRY(der_get(&in, DER_SET, &s));
	TRY(hash_get(&s, &si.hash));
	if (s.n != 0)
		return fail(ERR_INPUT, "cms-digests: house: the message lists more than one digest");
	TRY(content_get(&in, &c->content));
	TRY(certificate_get(&in, &si, c));
	if (version != (si.has_cert ? 1 : 3))
		return fail(ERR_INPUT, "cms-version: RFC 5652 5: a version that does not go with what follows");
	TRY(der_get(&in, DER_SET, &s));
	TRY(der_end(in));
	TRY(der_get(&s, DER_SEQUENCE, &info));
	if (s.n != 0)
		return fail(ERR_INPUT, "cms-signers: house: a document has one signer");
	return signer_info_get(info, &si, c);
}

/*
 * ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
 */
err
cms_get(slice in, struct cms *out)
{
	struct cms c = {.content = {NULL, 0}};
	slice s, oid;

	if (in.n > CMS_MAX)
		return fail(ERR_INPUT, "cms-long: house: a signed document has at most 65536 bytes");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_oid(&s, &oid));
	if (!slice_eq(oid, ARR(OID_SIGNED_DATA)))
		return fail(ERR_INPUT, "cms-signed-data: RFC 5652 5.1: the message is not signedData");
	TRY(der_get(&s, DER_CTXC(0), &in));
	TRY(der_end(s));
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(signed_data_get(s, &c));
	*out = c;
	return ok;
}

err
cms_check(const struct cms *c, const struct key *k)
{
	struct buf set OWNED(buf_drop) = BUF(CMS_MAX);
	uint8_t id[SHA1_LEN];

	if (c->certificate.n == 0) {
		key_identifier(k, id);
		if (memcmp(id, c->key_id, sizeof id) != 0)
			return fail(ERR_POLICY, "cms-other-key: RFC 5652 5.3: the signer names another key");
	}
	/* RFC 5652 5.4: what is signed has the tag of SET OF, not the [0] it travels under. */
	assert(c->signed_attrs.n > 0);
	buf_put_u8(&set, DER_SET);
	buf_put(&set, (slice){c->signed_attrs.p + 1, c->signed_attrs.n - 1});
	TRY(buf_check(&set));
	return key_check(k, c->alg, buf_slice(&set), c->signature);
}

/* --- writing ---------------------------------------------------------------- */

struct attr_mark {
	size_t seq, set;
};

static struct attr_mark
open_attr(struct buf *b, slice type)
{
	struct attr_mark m = {.seq = der_open(b, DER_SEQUENCE)};

	der_put_oid(b, type);
	m.set = der_open(b, DER_SET);
	return m;
}

static void
close_attr(struct buf *b, struct attr_mark m)
{
	der_close(b, m.set);
	der_close(b, m.seq);
}

static struct cert
plan_cert(const struct cms_plan *p)
{
	struct cert c;
	err e = cert_get(p->certificate, &c);

	assert(e.kind == OK);
	return c;
}

static void
put_signing_cert(struct buf *b, const struct cms_plan *p)
{
	struct cert c = plan_cert(p);
	enum hash_alg h = sig_alg_hash(p->alg);
	struct attr_mark a = open_attr(b, ARR(OID_SIGNING_CERT_V2));
	size_t sc = der_open(b, DER_SEQUENCE), list = der_open(b, DER_SEQUENCE), id = der_open(b, DER_SEQUENCE), is, names;
	uint8_t d[SHA512_LEN];

	if (h != HASH_SHA256)
		hash_put(b, h);
	hash_of(h, p->certificate, d);
	der_put(b, DER_OCTETS, (slice){d, hash_len(h)});
	is = der_open(b, DER_SEQUENCE);
	names = der_open(b, DER_SEQUENCE);
	der_put(b, DER_CTXC(4), c.issuer);
	der_close(b, names);
	serial_put(b, c.serial);
	der_close(b, is);
	der_close(b, id);
	der_close(b, list);
	der_close(b, sc);
	close_attr(b, a);
}

void
cms_put_attrs(struct buf *b, const struct cms_plan *p)
{
	enum hash_alg h = sig_alg_hash(p->alg);
	size_t set = der_open(b, DER_SET);
	struct attr_mark a;
	uint8_t d[SHA512_LEN];

	assert(p->alg != SIG_ED25519);
	a = open_attr(b, ARR(OID_CONTENT_TYPE));
	der_put_oid(b, ARR(OID_DATA));
	close_attr(b, a);
	a = open_attr(b, ARR(OID_SIGNING_TIME));
	der_put_time(b, p->signing_time);
	close_attr(b, a);
	a = open_attr(b, ARR(OID_MESSAGE_DIGEST));
	hash_of(h, p->content, d);
	der_put(b, DER_OCTETS, (slice){d, hash_len(h)});
	close_attr(b, a);
	if (p->certificate.n > 0)
		put_signing_cert(b, p);
	der_close(b, set);
}

static void
put_signer_info(struct buf *b, const struct cms_plan *p, slice attrs, slice signature)
{
	size_t info = der_open(b, DER_SEQUENCE), is;

	if (p->certificate.n > 0) {
		struct cert c = plan_cert(p);

		der_put_u64(b, 1);
		is = der_open(b, DER_SEQUENCE);
		buf_put(b, c.issuer);
		serial_put(b, c.serial);
		der_close(b, is);
	} else {
		der_put_u64(b, 3);
		der_put(b, DER_CTX(0), ARR(p->key_id));
	}
	hash_put(b, sig_alg_hash(p->alg));
	assert(attrs.n > 0 && attrs.p[0] == DER_SET);
	buf_put_u8(b, DER_CTXC(0));
	buf_put(b, (slice){attrs.p + 1, attrs.n - 1});
	if (is_rsa_plain(p->alg))
		buf_put(b, ARR(ALG_RSA));
	else
		sig_alg_put(b, p->alg);
	der_put(b, DER_OCTETS, signature);
	der_close(b, info);
}

void
cms_join(struct buf *b, const struct cms_plan *p, slice attrs, slice signature)
{
	size_t outer = der_open(b, DER_SEQUENCE), explicit, data, m, n;

	der_put_oid(b, ARR(OID_SIGNED_DATA));
	explicit = der_open(b, DER_CTXC(0));
	data = der_open(b, DER_SEQUENCE);
	der_put_u64(b, p->certificate.n > 0 ? 1 : 3);
	m = der_open(b, DER_SET);
	hash_put(b, sig_alg_hash(p->alg));
	der_close(b, m);
	m = der_open(b, DER_SEQUENCE);
	der_put_oid(b, ARR(OID_DATA));
	n = der_open(b, DER_CTXC(0));
	der_put(b, DER_OCTETS, p->content);
	der_close(b, n);
	der_close(b, m);
	if (p->certificate.n > 0)
		der_put(b, DER_CTXC(0), p->certificate);
	m = der_open(b, DER_SET);
	put_signer_info(b, p, attrs, signature);
	der_close(b, m);
	der_close(b, data);
	der_close(b, explicit);
	der_close(b, outer);
}
