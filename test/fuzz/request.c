/* Requests: what get accepts, put writes back byte for byte, and libcrypto reads it. */
#include <openssl/x509.h>

#include "base/base.h"
#include "pki/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), whole OWNED(buf_drop) = BUF(REQUEST_MAX);
	const unsigned char *at = p;
	struct key *k OWNED(key_drop) = NULL;
	struct request r;
	X509_REQ *x;

	if (request_get(slice_of(p, n), &r).kind != OK)
		return 0;
	request_put_info(&info, r.spki, r.challenge);
	assert(slice_eq(buf_slice(&info), r.info));
	request_join(&whole, buf_slice(&info), r.alg, r.signature);
	assert(slice_eq(buf_slice(&whole), slice_of(p, n)));
	x = d2i_X509_REQ(NULL, &at, (long)n);
	if (key_get_spki(r.spki, &k).kind == OK) {
		bool good = request_check(&r, k).kind == OK;

		assert(x != NULL && at == p + n);
		assert(!good || X509_REQ_verify(x, X509_REQ_get0_pubkey(x)) == 1);
	}
	X509_REQ_free(x);
	return 0;
}
