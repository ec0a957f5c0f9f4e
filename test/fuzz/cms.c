/* Signed documents: what get accepts, put writes back byte for byte, and libcrypto reads it. */
#include <openssl/cms.h>

#include "base/base.h"
#include "pki/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf attrs OWNED(buf_drop) = BUF(CMS_MAX), whole OWNED(buf_drop) = BUF(CMS_MAX);
	const unsigned char *at = p;
	struct key *k OWNED(key_drop) = NULL;
	struct cms_plan plan;
	struct cert cert;
	struct cms c;
	CMS_ContentInfo *x;
	err e;

	if (cms_get(slice_of(p, n), &c).kind != OK)
		return 0;
	plan = (struct cms_plan){.content = c.content,
	    .certificate = c.certificate,
	    .signing_time = c.signing_time,
	    .alg = c.alg};
	memcpy(plan.key_id, c.key_id, sizeof plan.key_id);
	cms_put_attrs(&attrs, &plan);
	assert(attrs.n == c.signed_attrs.n && memcmp(attrs.p + 1, c.signed_attrs.p + 1, attrs.n - 1) == 0);
	cms_join(&whole, &plan, buf_slice(&attrs), c.signature);
	assert(slice_eq(buf_slice(&whole), slice_of(p, n)));
	x = d2i_CMS_ContentInfo(NULL, &at, (long)n);
	assert(x != NULL && at == p + n);
	CMS_ContentInfo_free(x);
	if (c.certificate.n > 0) {
		e = cert_get(c.certificate, &cert);
		assert(e.kind == OK);
		if (key_get_spki(cert.spki, &k).kind == OK)
			e = cms_check(&c, k);
	}
	return 0;
}
