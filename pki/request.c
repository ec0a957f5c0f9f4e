#include "base/der.h"
#include "base/text.h"
#include "pki/request.h"

static const uint8_t OID_CHALLENGE[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x07};

/*
 * Attribute ::= SEQUENCE {
 *	type    OBJECT IDENTIFIER,             challengePassword, RFC 2985 5.4.1
 *	values  SET OF UTF8String }            one of 1 to 255 characters
 */
static err
challenge_get(slice in, slice *out)
{
	slice attr, oid, set, c;

	if (in.n == 0)
		return fail(
		    ERR_INPUT, "request-challenge: Rule 6(iii-2): the request does not carry the challenge as UTF8String");
	TRY(der_get(&in, DER_SEQUENCE, &attr));
	if (in.n != 0)
		return fail(ERR_INPUT, "request-attribute: house: the request carries more than the challenge");
	TRY(der_get_oid(&attr, &oid));
	if (!slice_eq(oid, ARR(OID_CHALLENGE)))
		return fail(ERR_INPUT, "request-attribute: house: the request carries more than the challenge");
	TRY(der_get(&attr, DER_SET, &set));
	TRY(der_end(attr));
	if (!der_next_is(set, DER_UTF8))
		return fail(
		    ERR_INPUT, "request-challenge: Rule 6(iii-2): the request does not carry the challenge as UTF8String");
	TRY(der_get(&set, DER_UTF8, &c));
	TRY(der_end(set));
	TRY(text_check_line(c));
	if (c.n == 0 || c.n > REQUEST_CHALLENGE_MAX)
		return fail(ERR_INPUT, "request-challenge-length: RFC 2985 5.4.1: a challenge has 1 to 255 bytes");
	*out = c;
	return ok;
}

/*
 * CertificationRequestInfo ::= SEQUENCE {
 *	version        INTEGER 0,
 *	subject        Name, empty,
 *	subjectPKInfo  SubjectPublicKeyInfo,
 *	attributes     [0] IMPLICIT SET OF Attribute }
 */
static err
info_get(slice in, struct request *r)
{
	slice s;
	uint64_t version;

	TRY(der_get_u64(&in, UINT64_MAX, &version));
	if (version != 0)
		return fail(ERR_INPUT, "request-version: RFC 2986 4.1: the request is not of version 1");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	if (s.n != 0)
		return fail(ERR_INPUT, "request-subject: house: the subject is empty, who applies stands in the document");
	TRY(der_get_whole(&in, DER_SEQUENCE, &r->spki));
	TRY(der_get(&in, DER_CTXC(0), &s));
	TRY(der_end(in));
	return challenge_get(s, &r->challenge);
}

/*
 * CertificationRequest ::= SEQUENCE {
 *	certificationRequestInfo  CertificationRequestInfo,
 *	signatureAlgorithm        AlgorithmIdentifier,
 *	signature                 BIT STRING }
 */
err
request_get(slice in, struct request *out)
{
	struct request r = {.whole = in};
	slice s, info;

	if (in.n > REQUEST_MAX)
		return fail(ERR_INPUT, "request-long: house: a request has at most 2600 bytes");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_whole(&s, DER_SEQUENCE, &r.info));
	TRY(sig_alg_get(&s, &r.alg));
	TRY(der_get_bits(&s, &r.signature));
	TRY(der_end(s));
	info = r.info;
	TRY(der_get(&info, DER_SEQUENCE, &s));
	TRY(info_get(s, &r));
	*out = r;
	return ok;
}

err
request_check(const struct request *r, const struct key *k)
{
	if (!slice_eq(key_spki(k), r->spki) || key_check(k, r->alg, r->info, r->signature).kind != OK)
		return fail(ERR_POLICY, "request-possession: Rule 6(iii-2): the request is not signed by the key it carries");
	return ok;
}

void
request_put_info(struct buf *b, slice spki, slice challenge)
{
	size_t seq = der_open(b, DER_SEQUENCE), attrs, attr, set;

	assert(challenge.n > 0 && challenge.n <= REQUEST_CHALLENGE_MAX);
	der_put_u64(b, 0);
	der_put(b, DER_SEQUENCE, (slice){NULL, 0});
	buf_put(b, spki);
	attrs = der_open(b, DER_CTXC(0));
	attr = der_open(b, DER_SEQUENCE);
	der_put_oid(b, ARR(OID_CHALLENGE));
	set = der_open(b, DER_SET);
	der_put(b, DER_UTF8, challenge);
	der_close(b, set);
	der_close(b, attr);
	der_close(b, attrs);
	der_close(b, seq);
}

void
request_join(struct buf *b, slice info, enum sig_alg alg, slice signature)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	buf_put(b, info);
	sig_alg_put(b, alg);
	der_put_bits(b, signature);
	der_close(b, seq);
}
