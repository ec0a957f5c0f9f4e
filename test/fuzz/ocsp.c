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
	ocsp_request_put_many(&b, r.id, r.n, r.nonce);
	e = ocsp_request_get(buf_slice(&b), &s);
	assert(e.kind == OK && s.n == r.n && slice_eq(s.nonce, r.nonce));
	for (size_t i = 0; i < r.n; i++) {
		assert(s.id[i].alg == r.id[i].alg && serial_eq(s.id[i].serial, r.id[i].serial));
		assert(slice_eq(s.id[i].name_hash, r.id[i].name_hash) && slice_eq(s.id[i].key_hash, r.id[i].key_hash));
	}
}

/* The part of a GET behind the address: what is taken is written back in one spelling and read again. */
static void
path(slice in)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), text OWNED(buf_drop) = BUF(4 * OCSP_REQUEST_MAX);
	struct buf again OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	err e;

	if (ocsp_path_get(in, &der).kind != OK)
		return;
	request(buf_slice(&der));
	ocsp_path_put(&text, buf_slice(&der));
	e = ocsp_path_get(buf_slice(&text), &again);
	assert(e.kind == OK && slice_eq(buf_slice(&again), buf_slice(&der)));
}

static void
live(slice in)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), whole OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);
	struct ocsp_live_answer l;
	struct ocsp_answer a;

	if (ocsp_live_get(in, &l).kind != OK) {
		assert(ocsp_answer_get(in, &a).kind != OK);
		return;
	}
	if (l.error != 0)
		return;
	ocsp_put_live(&data, &l.live);
	assert(slice_eq(buf_slice(&data), l.data));
	ocsp_join(&whole, buf_slice(&data), l.alg, l.signature, l.responder_cert);
	assert(slice_eq(buf_slice(&whole), in));
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
	live(slice_of(p, n));
	path(slice_of(p, n));
	return 0;
}
