#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/der.h"
#include "base/hash.h"
#include "base/key.h"
#include "pki/chain.h"

#define CLOCK_DIFFERENCE_MS INT64_C(300000) /* a responder's clock may be this far ahead of ours */
#define SECURITY_LEVEL 2                    /* libcrypto's: 112 bits, RSA-2048 and SHA-2: CR-1    */

/* --- libcrypto's objects, owned ---------------------------------------------- */

static void
x509_drop(X509 **x)
{
	X509_free(*x);
	*x = NULL;
}

static void
store_drop(X509_STORE **s)
{
	X509_STORE_free(*s);
	*s = NULL;
}

static void
store_ctx_drop(X509_STORE_CTX **c)
{
	X509_STORE_CTX_free(*c);
	*c = NULL;
}

static void
stack_drop(STACK_OF(X509) * *s)
{
	sk_X509_free(*s);
	*s = NULL;
}

static void
response_drop(OCSP_RESPONSE **r)
{
	OCSP_RESPONSE_free(*r);
	*r = NULL;
}

static void
basic_drop(OCSP_BASICRESP **b)
{
	OCSP_BASICRESP_free(*b);
	*b = NULL;
}

static X509 *
x509_get(slice s)
{
	const unsigned char *p = s.p;
	X509 *x = s.n > CERT_MAX ? NULL : d2i_X509(NULL, &p, (long)s.n);

	if (x != NULL && p != s.p + s.n)
		x509_drop(&x);
	return x;
}

/* A store that trusts one anchor and believes it is now. */
static X509_STORE *
store_new(X509 *anchor, instant now)
{
	X509_STORE *s = X509_STORE_new();
	X509_VERIFY_PARAM *p;

	if (s == NULL || X509_STORE_add_cert(s, anchor) != 1)
		abort();
	p = X509_STORE_get0_param(s);
	X509_VERIFY_PARAM_set_time(p, now.ms / SECOND_MS);
	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	return s;
}

/* --- OCSP answers of any make ------------------------------------------------ */

static err
signature_check(OCSP_BASICRESP *basic, X509 *anchor, instant now)
{
	X509_STORE *store OWNED(store_drop) = store_new(anchor, now);
	STACK_OF(X509) * known OWNED(stack_drop) = sk_X509_new_null();
	unsigned char *der = NULL;
	enum sig_alg alg;
	slice s;
	err e;
	int n = i2d_X509_ALGOR(OCSP_resp_get0_tbs_sigalg(basic), &der);

	if (n <= 0)
		abort();
	s = slice_of(der, (size_t)n);
	e = sig_alg_get(&s, &alg);
	OPENSSL_free(der);
	if (e.kind != OK)
		return fail(
		    ERR_POLICY, "ocsp-algorithm: CR-1: the answer is signed with an algorithm that is too weak or unknown");
	if (known == NULL || sk_X509_push(known, anchor) != 1)
		abort();
	/* The signer is the anchor (whose certificate need not be inside), or one it issued for OCSPSigning, valid then. */
	if (OCSP_basic_verify(basic, known, store, OCSP_NOEXPLICIT) != 1)
		return fail(
		    ERR_POLICY, "ocsp-signer: RFC 6960 4.2.2.2: the answer is not signed by the issuer or its responder");
	return ok;
}

static err
nonce_check(OCSP_BASICRESP *basic, slice nonce)
{
	int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
	struct buf want OWNED(buf_drop) = BUF(256);
	const ASN1_OCTET_STRING *got;

	if (nonce.n == 0)
		return ok;
	if (at < 0)
		return fail(ERR_POLICY, "ocsp-no-nonce: RFC 6960 4.4.1: the answer does not repeat our nonce");
	der_put(&want, DER_OCTETS, nonce);
	got = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
	if (!slice_eq(slice_of(ASN1_STRING_get0_data(got), (size_t)ASN1_STRING_length(got)), buf_slice(&want)))
		return fail(ERR_POLICY, "ocsp-other-nonce: RFC 6960 4.4.1: the answer repeats another nonce than ours");
	return ok;
}

static slice
string_slice(const ASN1_STRING *s)
{
	return slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool
certid_is(OCSP_SINGLERESP *single, const struct ocsp_issuer *issuer, serial leaf)
{
	OCSP_CERTID *cid = NULL;
	ASN1_OCTET_STRING *name, *key;
	ASN1_OBJECT *md;
	ASN1_INTEGER *number;
	struct ocsp_certid id;

	/* libcrypto gives the parts of a CertID only through a pointer that is not const. */
	union {
		const OCSP_CERTID *in;
		OCSP_CERTID *out;
	} u = {.in = OCSP_SINGLERESP_get0_id(single)};

	cid = u.out;
	if (OCSP_id_get0_info(&name, &md, &key, &number, cid) != 1)
		return false;
	switch (OBJ_obj2nid(md)) {
	case NID_sha1:
		id.alg = HASH_SHA1;
		break;
	case NID_sha256:
		id.alg = HASH_SHA256;
		break;
	default:
		return false;
	}
	id.name_hash = string_slice(name);
	id.key_hash = string_slice(key);
	return ASN1_STRING_type(number) == V_ASN1_INTEGER && slice_eq(string_slice(number), serial_slice(&leaf)) &&
	       ocsp_certid_is_of(&id, issuer);
}

static bool
instant_of(const ASN1_GENERALIZEDTIME *t, instant *out)
{
	struct tm tm;
	struct civil c;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	c = (struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0};
	return civil_get_utc(&c, out).kind == OK;
}

static err
single_get(OCSP_SINGLERESP *single, struct chain_status *out)
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
	struct chain_status s = {.status = OCSP_UNKNOWN};
	int reason, status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);

	if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0)
		return fail(
		    ERR_POLICY, "ocsp-answer-critical: RFC 6960 4.4: the answer has a critical extension that we do not know");
	if (next_update == NULL)
		return fail(ERR_POLICY, "ocsp-no-next-update: RFC 5019 2.2.4: the answer does not say how long it holds");
	s.status = status == V_OCSP_CERTSTATUS_GOOD      ? OCSP_GOOD
	           : status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_REVOKED
	                                                 : OCSP_UNKNOWN;
	if (!instant_of(this_update, &s.this_update) || !instant_of(next_update, &s.next_update) ||
	    (s.status == OCSP_REVOKED && !instant_of(revoked, &s.revoked)))
		return fail(ERR_POLICY, "ocsp-time: RFC 6960 4.2.2.1: a time in the answer is none");
	*out = s;
	return ok;
}

/* Every SingleResponse for the leaf must say the same. */
static err
find_single(OCSP_BASICRESP *basic, const struct cert *leaf, const struct cert *anchor, struct chain_status *out)
{
	struct ocsp_issuer issuer;
	struct chain_status s = {.status = OCSP_UNKNOWN}, found = s;
	bool has = false;

	ocsp_issuer_of(anchor, &issuer);
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

		if (!certid_is(single, &issuer, leaf->serial))
			continue;
		TRY(single_get(single, &s));
		if (has && (s.status != found.status || s.this_update.ms != found.this_update.ms ||
		               s.next_update.ms != found.next_update.ms))
			return fail(
			    ERR_POLICY, "ocsp-two-answers: RFC 6960 4.2.1: the answer speaks twice of the certificate, not alike");
		found = s;
		has = true;
	}
	if (!has)
		return fail(ERR_POLICY, "ocsp-other-certificate: RFC 6960 3.2: the answer does not speak of this certificate");
	*out = found;
	return ok;
}

static err
fresh_check(const struct chain_status *s, instant now, uint32_t max_age_s)
{
	if (s->this_update.ms > now.ms + CLOCK_DIFFERENCE_MS || s->produced.ms > now.ms + CLOCK_DIFFERENCE_MS)
		return fail(ERR_POLICY, "ocsp-future: RFC 6960 4.2.2.1: the answer is of a time to come");
	if (s->next_update.ms <= now.ms)
		return fail(ERR_POLICY, "ocsp-lapsed: RFC 6960 4.2.2.1: the answer no longer holds");
	if (now.ms - s->this_update.ms > (int64_t)max_age_s * SECOND_MS)
		return fail(ERR_POLICY, "ocsp-stale: JPKI Act 19: the answer is older than the arrangement allows");
	return ok;
}

err
chain_check_ocsp(const struct cert *leaf, const struct cert *anchor, slice answer, slice nonce, instant now,
    uint32_t max_age_s, struct chain_status *out)
{
	OCSP_RESPONSE *response OWNED(response_drop) = NULL;
	OCSP_BASICRESP *basic OWNED(basic_drop) = NULL;
	X509 *issuer OWNED(x509_drop) = NULL;
	const unsigned char *p = answer.p;
	struct chain_status s;

	if (answer.n > 0 && answer.n <= OCSP_ANSWER_MAX)
		response = d2i_OCSP_RESPONSE(NULL, &p, (long)answer.n);
	if (response == NULL || p != answer.p + answer.n)
		return fail(ERR_POLICY, "ocsp-malformed: RFC 6960 4.2.1: what came back is not an OCSP answer");
	if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return fail_why(ERR_POLICY, "ocsp-unsuccessful: RFC 6960 4.2.1: the responder gave no answer",
		    OCSP_response_status(response));
	basic = OCSP_response_get1_basic(response);
	if (basic == NULL)
		return fail(ERR_POLICY, "ocsp-basic: RFC 6960 4.2.1: the answer is not a basic one");
	issuer = x509_get(anchor->whole);
	if (issuer == NULL)
		return fail(ERR_POLICY, "ocsp-anchor: house: libcrypto does not read the anchor");
	TRY(signature_check(basic, issuer, now));
	if (OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0)
		return fail(
		    ERR_POLICY, "ocsp-answer-critical: RFC 6960 4.4: the answer has a critical extension that we do not know");
	TRY(nonce_check(basic, nonce));
	TRY(find_single(basic, leaf, anchor, &s));
	if (!instant_of(OCSP_resp_get0_produced_at(basic), &s.produced))
		return fail(ERR_POLICY, "ocsp-time: RFC 6960 4.2.2.1: a time in the answer is none");
	TRY(fresh_check(&s, now, max_age_s));
	*out = s;
	return ok;
}

/* --- paths ------------------------------------------------------------------- */

err
chain_check_path(slice leaf, slice anchor, instant now)
{
	X509 *l OWNED(x509_drop) = x509_get(leaf);
	X509 *a OWNED(x509_drop) = x509_get(anchor);
	X509_STORE *store OWNED(store_drop) = NULL;
	X509_STORE_CTX *ctx OWNED(store_ctx_drop) = NULL;

	if (l == NULL || a == NULL)
		return fail(ERR_INPUT, "chain-certificate: RFC 5280 4.1: libcrypto does not read the certificate");
	store = store_new(a, now);
	ctx = X509_STORE_CTX_new();
	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, l, NULL) != 1)
		abort();
	if (X509_verify_cert(ctx) != 1)
		return fail_why(ERR_POLICY, "chain-path: RFC 5280 6: the certificate does not lead to the anchor",
		    X509_STORE_CTX_get_error(ctx));
	return ok;
}
