/* Whatever receipt_check accepts names a certificate of the issuer, and says the same when it is written again. */
#include "act/document.h"
#include "act/receipt.h"
#include "pki/cms.h"
#include "test/fuzz/trust_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct trust *t;
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	struct document d;
	struct receipt r;
	struct cms c;

	if (t == NULL && trust_get(slice_str(TRUST_FILE), &t).kind != OK)
		abort();
	if (receipt_check(t, slice_of(p, n), &r).kind != OK)
		return 0;
	if (cms_get(slice_of(p, n), &c).kind != OK || document_get(c.content, &d).kind != OK ||
	    !digest_eq(r.certificate, sha256(c.certificate)) ||
	    document_put(&text, FORM_RECEIPT, d.value, d.n, (slice){NULL, 0}).kind != OK ||
	    !slice_eq(buf_slice(&text), c.content))
		abort();
	return 0;
}
