/* What document_get accepts, document_put writes back byte for byte. */
#include "act/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf der OWNED(buf_drop) = BUF(DOCUMENT_MAX), b OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	struct document d;

	if (document_get(slice_of(p, n), &d).kind != OK)
		return 0;
	if (d.block.n > 0 && document_block(&d, &der).kind != OK)
		abort();
	if (document_put(&b, d.form, d.value, d.n, buf_slice(&der)).kind != OK || !slice_eq(buf_slice(&b), slice_of(p, n)))
		abort();
	return 0;
}
