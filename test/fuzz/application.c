/* Whatever application_get accepts says the same when it is written again. */
#include "act/application.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct application a OWNED(application_drop) = {0};
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), birth OWNED(buf_drop) = BUF(32);
	int y, m, d;

	if (birth_get(slice_of(p, n), &y, &m, &d).kind == OK) {
		birth_put(&birth, y, m, d);
		if (!slice_eq(buf_slice(&birth), slice_of(p, n)))
			abort();
	}
	if (application_get(slice_of(p, n), &a).kind != OK)
		return 0;
	if (document_put(&text, FORM_APPLICATION, a.text.value, a.text.n, buf_slice(&a.request_der)).kind != OK ||
	    !slice_eq(buf_slice(&text), a.cms.content))
		abort();
	return 0;
}
