#include "base/der.h"
#include "pki/extension.h"
#include "pki/ocsp.h"

static const uint8_t OID_BASIC[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
static const uint8_t OID_NONCE[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
static const uint8_t OID_SHA1[] = {0x2B, 0x0E, 0x03, 0x02, 0x1A};
static const uint8_t OID_SHA256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};

/*
 * CertID ::= SEQUENCE {
 *	hashAlgorithm   AlgorithmIdentifier, SHA-1 or SHA-256, NULL or no parameters
 *	issuerNameHash  OCTET STRING,
 *	issuerKeyHash   OCTET STRING,
 *	serialNumber    INTEGER }
 *
 * Clients differ about the NULL; we write it, as all of them do that we know.
 */
static err
certid_get(slice *in, struct ocsp_certid *out)
{
	struct ocsp_certid id = {.alg = HASH_SHA1};
	slice s = *in, c, alg, oid;

	TRY(der_get(&s, DER_SEQUENCE, &c));
	TRY(der_get(&c, DER_SEQUENCE, &alg));
	TRY(der_get_oid(&alg, &oid));
	if (alg.n > 0)
		TRY(der_get_null(&alg));
	TRY(der_end(alg));
	TRY(der_get(&c, DER_OCTETS, &id.name_hash));
	TRY(der_get(&c, DER_OCTETS, &id.key_hash));
	TRY(serial_get(&c, &id.serial));
	TRY(der_end(c));
	if (slice_eq(oid, ARR(OID_SHA256)))
		id.alg = HASH_SHA256;
	else if (!slice_eq(oid, ARR(OID_SHA1)))
		return fail(ERR_POLICY, "ocsp-hash: RFC 6960 4.1.1: certificates are asked for here by SHA-1 or SHA-256");
	if (id.name_hash.n != hash_len(id.alg) || id.key_hash.n != hash_len(id.alg))
		return fail(ERR_INPUT, "ocsp-hash-length: RFC 6960 4.1.1: a hash is not as long as its algorithm says");
	*out = id;
	*in = s;
	return ok;
}

static void
certid_put(struct buf *b, enum hash_alg alg, slice name_hash, slice key_hash, serial s)
{
	size_t seq = der_open(b, DER_SEQUENCE), a = der_open(b, DER_SEQUENCE);

	der_put_oid(b, alg == HASH_SHA1 ? ARR(OID_SHA1) : ARR(OID_SHA256));
	der_put_null(b);
	der_close(b, a);
	der_put(b, DER_OCTETS, name_hash);
	der_put(b, DER_OCTETS, key_hash);
	serial_put(b, s);
	der_close(b, seq);
}

/* Extensions of a request or an answer: the nonce is read, another one must not be critical. */
static err
nonce_get(slice in, slice *nonce)
{
	slice list, n = {NULL, 0};
	struct extension x;

	TRY(der_get(&in, DER_SEQUENCE, &list));
	TRY(der_end(in));
	if (list.n == 0)
		return fail(ERR_INPUT, "ocsp-list: RFC 6960 4: a list without elements");
	for (size_t i = 0; list.n > 0; i++) {
		if (i == OCSP_EXTENSIONS_MAX)
			return fail(ERR_INPUT, "ocsp-extensions: house: at most 8 extensions stand in one list");
		TRY(extension_get(&list, &x));
		if (slice_eq(x.oid, ARR(OID_NONCE))) {
			if (n.n > 0)
				return fail(ERR_INPUT, "ocsp-nonce-twice: RFC 6960 4.4.1: two nonces");
			if (der_get(&x.value, DER_OCTETS, &n).kind != OK || x.value.n != 0 || n.n == 0 || n.n > OCSP_NONCE_MAX)
				return fail(ERR_INPUT, "ocsp-nonce: RFC 9654 2.1: a nonce is an OCTET STRING of 1 to 128 bytes");
		} else if (x.critical)
			return fail(ERR_POLICY, "ocsp-critical: RFC 6960 4.4: a critical extension that is not served here");
	}
	*nonce = n;
	return ok;
}

static void
nonce_put(struct buf *b, uint8_t tag, slice nonce)
{
	size_t ctx = der_open(b, tag), list = der_open(b, DER_SEQUENCE);
	struct extension_mark m = extension_open(b, ARR(OID_NONCE), false);

	assert(nonce.n <= OCSP_NONCE_MAX);
	der_put(b, DER_OCTETS, nonce);
	extension_close(b, m);
	der_close(b, list);
	der_close(b, ctx);
}

/* --- requests --------------------------------------------------------------- */

/*
 * Request ::= SEQUENCE {
 *	reqCert                  CertID,
 *	singleRequestExtensions  [0] EXPLICIT Extensions OPTIONAL }
 */
static err
requests_get(slice list, struct ocsp_request *r)
{
	slice one, s, nonce;

	if (list.n == 0)
		return fail(ERR_INPUT, "ocsp-list: RFC 6960 4: a list without elements");
	for (; list.n > 0; r->n++) {
		if (r->n == OCSP_MANY_MAX)
			return fail(ERR_POLICY, "ocsp-many: house: at most 16 certificates are asked for at once");
		TRY(der_get(&list, DER_SEQUENCE, &one));
		TRY(certid_get(&one, &r->id[r->n]));
		if (one.n > 0) {
			TRY(der_get(&one, DER_CTXC(0), &s));
			TRY(nonce_get(s, &nonce));
		}
		TRY(der_end(one));
	}
	return ok;
}

/*
 * OCSPRequest ::= SEQUENCE {
 *	tbsRequest  SEQUENCE {
 *		version            [0] EXPLICIT INTEGER DEFAULT v1,
 *		requestorName      [1] EXPLICIT GeneralName OPTIONAL,
 *		requestList        SEQUENCE OF Request,
 *		requestExtensions  [2] EXPLICIT Extensions OPTIONAL },
 *	optionalSignature  [0] EXPLICIT OPTIONAL }
 */
err
ocsp_request_get(slice in, struct ocsp_request *out)
{
	struct ocsp_request r; /* 1 KB, of which most requests use a sixteenth */
	slice s, tbs, list;

	if (in.n > OCSP_REQUEST_MAX)
		return fail(ERR_INPUT, "ocsp-long: house: an OCSP request has at most 4096 bytes");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get(&s, DER_SEQUENCE, &tbs));
	if (der_next_is(s, DER_CTXC(0)))
		return fail(ERR_POLICY, "ocsp-signed: RFC 5019 2.1.2: signed requests are not served here");
	TRY(der_end(s));
	if (der_next_is(tbs, DER_CTXC(0)))
		return fail(ERR_INPUT, "ocsp-version: RFC 6960 4.1.1: version 1 is the default and not written out");
	if (der_next_is(tbs, DER_CTXC(1)))
		TRY(der_get(&tbs, DER_CTXC(1), &s));
	TRY(der_get(&tbs, DER_SEQUENCE, &list));
	r.n = 0;
	r.nonce = (slice){NULL, 0};
	TRY(requests_get(list, &r));
	if (tbs.n > 0) {
		TRY(der_get(&tbs, DER_CTXC(2), &s));
		TRY(nonce_get(s, &r.nonce));
	}
	TRY(der_end(tbs));
	out->n = r.n;
	out->nonce = r.nonce;
	memcpy(out->id, r.id, r.n * sizeof r.id[0]);
	return ok;
}

void
ocsp_request_put(struct buf *b, const struct ocsp_certid *id, slice nonce)
{
	ocsp_request_put_many(b, id, 1, nonce);
}

void
ocsp_request_put_many(struct buf *b, const struct ocsp_certid *id, size_t n, slice nonce)
{
	size_t outer = der_open(b, DER_SEQUENCE), tbs = der_open(b, DER_SEQUENCE);
	size_t list = der_open(b, DER_SEQUENCE), one;

	for (size_t i = 0; i < n; i++) {
		one = der_open(b, DER_SEQUENCE);
		certid_put(b, id[i].alg, id[i].name_hash, id[i].key_hash, id[i].serial);
		der_close(b, one);
	}
	der_close(b, list);
	if (nonce.n > 0)
		nonce_put(b, DER_CTXC(2), nonce);
	der_close(b, tbs);
	der_close(b, outer);
}

static int
hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

void
ocsp_place_put(struct buf *b, const struct ocsp_issuer *issuer, serial s)
{
	struct buf request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct ocsp_certid id = {HASH_SHA1, ARR(issuer->name1), ARR(issuer->key1), s};

	ocsp_request_put(&request, &id, (slice){NULL, 0});
	buf_put_str(b, "ocsp/");
	buf_put_base64(b, buf_slice(&request));
}

/* Base64 of OCSP_REQUEST_MAX bytes; a longer text is no request of ours. */
#define PATH_TEXT_MAX ((OCSP_REQUEST_MAX + 2) / 3 * 4)

err
ocsp_path_get(slice path, struct buf *request)
{
	uint8_t text[PATH_TEXT_MAX];
	size_t n = 0;

	while (path.n > 0) {
		const uint8_t *escape = memchr(path.p, '%', path.n);
		size_t plain = escape == NULL ? path.n : (size_t)(escape - path.p);

		if (sizeof text - n < plain + (escape != NULL))
			return fail(ERR_INPUT, "ocsp-long: house: an OCSP request has at most 4096 bytes");
		memcpy(text + n, path.p, plain);
		n += plain;
		path = (slice){path.p + plain, path.n - plain};
		if (escape == NULL)
			break;
		if (path.n < 3 || hex_digit(path.p[1]) < 0 || hex_digit(path.p[2]) < 0)
			return fail(ERR_INPUT, "ocsp-escape: RFC 3986 2.1: a percent sign without two hexadecimal digits");
		text[n++] = (uint8_t)(hex_digit(path.p[1]) << 4 | hex_digit(path.p[2]));
		path = (slice){path.p + 3, path.n - 3};
	}
	return base64_get((slice){text, n}, request);
}

void
ocsp_path_put(struct buf *b, slice request)
{
	struct buf text OWNED(buf_drop) = BUF(PATH_TEXT_MAX);

	assert(request.n <= OCSP_REQUEST_MAX);
	buf_put_base64(&text, request);
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '+':
			buf_put_str(b, "%2B");
			break;
		case '/':
			buf_put_str(b, "%2F");
			break;
		case '=':
			buf_put_str(b, "%3D");
			break;
		default:
			buf_put_u8(b, text.p[i]);
		}
}

void
ocsp_issuer_of(const struct cert *issuer, struct ocsp_issuer *out)
{
	slice s = issuer->spki, alg, bits;
	uint8_t h[SHA512_LEN];
	err e;

	/* cert_get has read this shape already. */
	e = der_get(&s, DER_SEQUENCE, &s);
	assert(e.kind == OK);
	e = der_get(&s, DER_SEQUENCE, &alg);
	assert(e.kind == OK);
	e = der_get_bits(&s, &bits);
	assert(e.kind == OK);
	hash_of(HASH_SHA1, issuer->subject, h);
	memcpy(out->name1, h, sizeof out->name1);
	hash_of(HASH_SHA1, bits, h);
	memcpy(out->key1, h, sizeof out->key1);
	hash_of(HASH_SHA256, issuer->subject, h);
	memcpy(out->name256, h, sizeof out->name256);
	hash_of(HASH_SHA256, bits, h);
	memcpy(out->key256, h, sizeof out->key256);
}

bool
ocsp_certid_is_of(const struct ocsp_certid *id, const struct ocsp_issuer *issuer)
{
	if (id->alg == HASH_SHA1)
		return slice_eq(id->name_hash, ARR(issuer->name1)) && slice_eq(id->key_hash, ARR(issuer->key1));
	return slice_eq(id->name_hash, ARR(issuer->name256)) && slice_eq(id->key_hash, ARR(issuer->key256));
}

/* --- answers ---------------------------------------------------------------- */

/*
 * SingleResponse ::= SEQUENCE {
 *	certID      CertID,
 *	certStatus  good [0] IMPLICIT NULL | revoked [1] IMPLICIT SEQUENCE {
 *	                revocationTime GeneralizedTime, reason [0] EXPLICIT ENUMERATED OPTIONAL }
 *	            | unknown [2] IMPLICIT NULL,
 *	thisUpdate  GeneralizedTime,
 *	nextUpdate  [0] EXPLICIT GeneralizedTime }
 */
static void
single_put(struct buf *b, const struct ocsp_single *p)
{
	size_t seq = der_open(b, DER_SEQUENCE), m, n;

	certid_put(b, p->id.alg, p->id.name_hash, p->id.key_hash, p->id.serial);
	switch (p->status) {
	case OCSP_GOOD:
		der_put(b, DER_CTX(0), (slice){NULL, 0});
		break;
	case OCSP_REVOKED:
		m = der_open(b, DER_CTXC(1));
		der_put_gentime(b, p->revoked);
		if (p->reason != REASON_UNSPECIFIED) {
			n = der_open(b, DER_CTXC(0));
			der_put_enum(b, p->reason);
			der_close(b, n);
		}
		der_close(b, m);
		break;
	case OCSP_UNKNOWN:
		der_put(b, DER_CTX(2), (slice){NULL, 0});
		break;
	}
	der_put_gentime(b, p->this_update);
	m = der_open(b, DER_CTXC(0));
	der_put_gentime(b, p->next_update);
	der_close(b, m);
	der_close(b, seq);
}

/*
 * ResponseData ::= SEQUENCE {
 *	responderID         byKey [2] EXPLICIT OCTET STRING,
 *	producedAt          GeneralizedTime,
 *	responses           SEQUENCE OF SingleResponse,      made ahead: SHA-1, then SHA-256
 *	responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
 */
static void
data_put(
    struct buf *b, slice responder_key_id, instant produced, const struct ocsp_single *single, size_t n, slice nonce)
{
	size_t seq = der_open(b, DER_SEQUENCE), m;

	assert(responder_key_id.n == SHA1_LEN && n > 0 && n <= OCSP_MANY_MAX);
	m = der_open(b, DER_CTXC(2));
	der_put(b, DER_OCTETS, responder_key_id);
	der_close(b, m);
	der_put_gentime(b, produced);
	m = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		single_put(b, &single[i]);
	der_close(b, m);
	if (nonce.n > 0)
		nonce_put(b, DER_CTXC(1), nonce);
	der_close(b, seq);
}

void
ocsp_put_live(struct buf *b, const struct ocsp_live *p)
{
	data_put(b, p->responder_key_id, p->produced, p->single, p->n, p->nonce);
}

void
ocsp_put_data(struct buf *b, const struct ocsp_plan *p)
{
	const struct ocsp_issuer *i = &p->issuer;
	struct ocsp_single two[2];

	two[0] = (struct ocsp_single){.id = {HASH_SHA1, ARR(i->name1), ARR(i->key1), p->serial},
	    .status = p->status,
	    .revoked = p->revoked,
	    .reason = p->reason,
	    .this_update = p->this_update,
	    .next_update = p->next_update};
	two[1] = two[0];
	two[1].id = (struct ocsp_certid){HASH_SHA256, ARR(i->name256), ARR(i->key256), p->serial};
	data_put(b, p->responder_key_id, p->produced, two, 2, p->nonce);
}

/*
 * OCSPResponse ::= SEQUENCE {
 *	responseStatus  ENUMERATED,
 *	responseBytes   [0] EXPLICIT SEQUENCE { id-pkix-ocsp-basic, OCTET STRING { BasicOCSPResponse } } }
 * BasicOCSPResponse ::= SEQUENCE {
 *	tbsResponseData     ResponseData,
 *	signatureAlgorithm  AlgorithmIdentifier,
 *	signature           BIT STRING,
 *	certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
 */
static void
whole_put(struct buf *b, const struct ocsp_plan *p, slice data, enum sig_alg alg, slice signature, slice responder_cert)
{
	size_t outer = der_open(b, DER_SEQUENCE), ctx, bytes, octets, basic, m, n;

	der_put_enum(b, 0);
	ctx = der_open(b, DER_CTXC(0));
	bytes = der_open(b, DER_SEQUENCE);
	der_put_oid(b, ARR(OID_BASIC));
	octets = der_open(b, DER_OCTETS);
	basic = der_open(b, DER_SEQUENCE);
	if (p != NULL)
		ocsp_put_data(b, p);
	else
		buf_put(b, data);
	sig_alg_put(b, alg);
	der_put_bits(b, signature);
	if (responder_cert.n > 0) {
		m = der_open(b, DER_CTXC(0));
		n = der_open(b, DER_SEQUENCE);
		buf_put(b, responder_cert);
		der_close(b, n);
		der_close(b, m);
	}
	der_close(b, basic);
	der_close(b, octets);
	der_close(b, bytes);
	der_close(b, ctx);
	der_close(b, outer);
}

void
ocsp_join(struct buf *b, slice data, enum sig_alg alg, slice signature, slice responder_cert)
{
	whole_put(b, NULL, data, alg, signature, responder_cert);
}

void
ocsp_put_answer(struct buf *b, const struct ocsp_plan *p, enum sig_alg alg, slice signature, slice responder_cert)
{
	whole_put(b, p, (slice){NULL, 0}, alg, signature, responder_cert);
}

void
ocsp_put_error(struct buf *b, enum ocsp_error e)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, e);
	der_close(b, seq);
}

/* --- reading our own answers ------------------------------------------------ */

static err
status_get(slice *in, struct ocsp_single *p)
{
	unsigned reason;
	slice s, r;

	if (der_next_is(*in, DER_CTXC(1))) {
		TRY(der_get(in, DER_CTXC(1), &s));
		TRY(der_get_gentime(&s, &p->revoked));
		p->status = OCSP_REVOKED;
		if (s.n > 0) {
			TRY(der_get(&s, DER_CTXC(0), &r));
			TRY(der_get_enum(&r, REASON_AA_COMPROMISE, &reason));
			TRY(der_end(r));
			if (reason == REASON_UNSPECIFIED)
				return fail(ERR_INPUT, "ocsp-reason: RFC 5280 5.3.1: the reason unspecified is not written out");
			p->reason = (enum crl_reason)reason;
		}
		return der_end(s);
	}
	p->status = der_next_is(*in, DER_CTX(0)) ? OCSP_GOOD : OCSP_UNKNOWN;
	TRY(der_get(in, p->status == OCSP_GOOD ? DER_CTX(0) : DER_CTX(2), &s));
	return der_end(s);
}

static err
single_get(slice *list, struct ocsp_single *out)
{
	struct ocsp_single p = {.reason = REASON_UNSPECIFIED};
	slice one, s;

	TRY(der_get(list, DER_SEQUENCE, &one));
	TRY(certid_get(&one, &p.id));
	TRY(status_get(&one, &p));
	TRY(der_get_gentime(&one, &p.this_update));
	TRY(der_get(&one, DER_CTXC(0), &s));
	TRY(der_end(one));
	TRY(der_get_gentime(&s, &p.next_update));
	TRY(der_end(s));
	*out = p;
	return ok;
}

static err
live_get(slice data, struct ocsp_live *p)
{
	struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	slice in = data, s, r;

	TRY(der_get(&in, DER_SEQUENCE, &in));
	TRY(der_get(&in, DER_CTXC(2), &s));
	TRY(der_get(&s, DER_OCTETS, &r));
	TRY(der_end(s));
	if (r.n != SHA1_LEN)
		return fail(ERR_INPUT, "ocsp-answer: house: not the form our responder writes");
	p->responder_key_id = r;
	TRY(der_get_gentime(&in, &p->produced));
	TRY(der_get(&in, DER_SEQUENCE, &s));
	if (s.n == 0)
		return fail(ERR_INPUT, "ocsp-list: RFC 6960 4: a list without elements");
	for (; s.n > 0; p->n++) {
		if (p->n == OCSP_MANY_MAX)
			return fail(ERR_INPUT, "ocsp-answer: house: not the form our responder writes");
		TRY(single_get(&s, &p->single[p->n]));
	}
	if (in.n > 0) {
		TRY(der_get(&in, DER_CTXC(1), &s));
		TRY(nonce_get(s, &p->nonce));
	}
	TRY(der_end(in));
	/* Whatever these facts do not determine (another extension, an algorithm without NULL) would differ here. */
	ocsp_put_live(&again, p);
	if (!slice_eq(buf_slice(&again), data))
		return fail(ERR_INPUT, "ocsp-answer: house: not the form our responder writes");
	return ok;
}

static err
basic_get(slice in, struct ocsp_live_answer *a)
{
	slice s, certs;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_whole(&s, DER_SEQUENCE, &a->data));
	TRY(sig_alg_get(&s, &a->alg));
	TRY(der_get_bits(&s, &a->signature));
	if (s.n > 0) {
		TRY(der_get(&s, DER_CTXC(0), &certs));
		TRY(der_end(s));
		TRY(der_get(&certs, DER_SEQUENCE, &s));
		TRY(der_end(certs));
		TRY(der_get_whole(&s, DER_SEQUENCE, &a->responder_cert));
		TRY(der_end(s));
	}
	return live_get(a->data, &a->live);
}

err
ocsp_live_get(slice in, struct ocsp_live_answer *out)
{
	struct ocsp_live_answer a = {.error = 0};
	unsigned status;
	slice s, bytes, oid;

	if (in.n > OCSP_ANSWER_MAX)
		return fail(ERR_INPUT, "ocsp-answer-long: house: an OCSP answer has at most 8192 bytes");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_enum(&s, OCSP_UNAUTHORIZED, &status));
	if (status != 0) {
		TRY(der_end(s));
		if (status == 4 || status == 5)
			return fail(ERR_INPUT, "ocsp-status: RFC 6960 4.2.1: a response status our responder never gives");
		a.error = (enum ocsp_error)status;
		*out = a;
		return ok;
	}
	TRY(der_get(&s, DER_CTXC(0), &bytes));
	TRY(der_end(s));
	TRY(der_get(&bytes, DER_SEQUENCE, &s));
	TRY(der_end(bytes));
	TRY(der_get_oid(&s, &oid));
	if (!slice_eq(oid, ARR(OID_BASIC)))
		return fail(ERR_INPUT, "ocsp-answer: house: not the form our responder writes");
	TRY(der_get(&s, DER_OCTETS, &bytes));
	TRY(der_end(s));
	TRY(basic_get(bytes, &a));
	*out = a;
	return ok;
}

/* One certificate, SHA-1 and then SHA-256, and both say the same. */
static bool
is_of_one(const struct ocsp_live *p)
{
	const struct ocsp_single *a = &p->single[0], *b = &p->single[1];

	return p->n == 2 && a->id.alg == HASH_SHA1 && b->id.alg == HASH_SHA256 && serial_eq(a->id.serial, b->id.serial) &&
	       a->status == b->status && a->revoked.ms == b->revoked.ms && a->reason == b->reason &&
	       a->this_update.ms == b->this_update.ms && a->next_update.ms == b->next_update.ms;
}

err
ocsp_answer_get(slice in, struct ocsp_answer *out)
{
	struct ocsp_live_answer l;
	const struct ocsp_single *s = l.live.single;
	struct ocsp_answer a;

	TRY(ocsp_live_get(in, &l));
	if (l.error == 0 && !is_of_one(&l.live))
		return fail(ERR_INPUT, "ocsp-answer: house: not the form our responder writes");
	a = (struct ocsp_answer){.error = l.error};
	if (l.error == 0) {
		a.data = l.data;
		a.alg = l.alg;
		a.signature = l.signature;
		a.responder_cert = l.responder_cert;
		memcpy(a.issuer.name1, s[0].id.name_hash.p, sizeof a.issuer.name1);
		memcpy(a.issuer.key1, s[0].id.key_hash.p, sizeof a.issuer.key1);
		memcpy(a.issuer.name256, s[1].id.name_hash.p, sizeof a.issuer.name256);
		memcpy(a.issuer.key256, s[1].id.key_hash.p, sizeof a.issuer.key256);
		a.serial = s[0].id.serial;
		a.status = s[0].status;
		a.reason = s[0].reason;
		a.revoked = s[0].revoked;
		a.produced = l.live.produced;
		a.this_update = s[0].this_update;
		a.next_update = s[0].next_update;
		a.responder_key_id = l.live.responder_key_id;
		a.nonce = l.live.nonce;
	}
	*out = a;
	return ok;
}
