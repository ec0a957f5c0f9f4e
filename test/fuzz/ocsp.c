/* OCSP: requests and answers of ours; what get accepts put writes back, and libcrypto reads it. */
#include <openssl/ocsp.h>

#include "base/base.h"
#include "pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
request(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	const unsigned char *at = in.p;
	struct ocsp_request r, s;
	OCSP_REQUEST *x;
	err e;

	if (ocsp_request_get(in, &r).kind != OK)
		return;
	x = d2i_OCSP_REQUEST(NULL, &at, (long)in.n);
	/* libcrypto reads the requestor's name, which we pass over. */
	assert(x == NULL || (at == in.p + in.n && (size_t)OCSP_request_onereq_count(x) == r.n));
	OCSP_REQUEST_free(x);
	ocsp_request_put(&b, &r.id, r.nonce);
	e = ocsp_request_get(buf_slice(&b), &s);
	assert(e.kind == OK && s.n == 1 && s.id.alg == r.id.alg && serial_eq(s.id.serial, r.id.serial));
	assert(slice_eq(s.id.name_hash, r.id.name_hash) && slice_eq(s.id.key_hash, r.id.key_hash));
	assert(slice_eq(s.nonce, r.nonce));
}

static void
answer(slice in)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), whole OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);
	const unsigned char *at = in.p;
	struct ocsp_answer a;
	struct ocsp_plan p;
	OCSP_RESPONSE *x;

	if (ocsp_answer_get(in, &a).kind != OK)
		return;
	if (a.error != 0)
		ocsp_put_error(&whole, a.error);
	else {
		p = (struct ocsp_plan){.issuer = a.issuer,
		    .serial = a.serial,
		    .status = a.status,
		    .revoked = a.revoked,
		    .reason = a.reason,
		    .produced = a.produced,
		    .this_update = a.this_update,
		    .next_update = a.next_update,
		    .responder_key_id = a.responder_key_id,
		    .nonce = a.nonce};
		ocsp_put_data(&data, &p);
		assert(slice_eq(buf_slice(&data), a.data));
		ocsp_join(&whole, buf_slice(&data), a.alg, a.signature, a.responder_cert);
	}
	assert(slice_eq(buf_slice(&whole), in));
	x = d2i_OCSP_RESPONSE(NULL, &at, (long)in.n);
	assert(x != NULL && at == in.p + in.n && OCSP_response_status(x) == (int)a.error);
	OCSP_RESPONSE_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	request(slice_of(p, n));
	answer(slice_of(p, n));
	return 0;
}
