/* What line_get and opening_get accept, their writers write back byte for byte. */
#include "act/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), opening OWNED(buf_drop) = BUF(OPENING_MAX);
	struct json *body OWNED(json_drop) = NULL;
	struct opening o OWNED(opening_drop) = {0};
	struct line l;

	if (line_get(slice_of(p, n), &l).kind == OK) {
		void *iter = NULL;
		slice field;
		digest d;

		line_put(&line, &l);
		if (!slice_eq(buf_slice(&line), slice_of(p, n)) || line_body(&l, &body).kind != OK)
			abort();
		while (line_next_personal(body, &iter, &field, &d))
			if (field.p == NULL)
				abort();
	}
	if (opening_get(slice_of(p, n), &o).kind == OK) {
		opening_put(&opening, o.n, o.field, o.salt, o.value);
		if (!slice_eq(buf_slice(&opening), slice_of(p, n)))
			abort();
	}
	return 0;
}
