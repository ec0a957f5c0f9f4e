/* What the reader of any body takes, its writer gives back byte for byte. */
#include "test/fuzz/order_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < COUNT(order_rows); i++) {
		struct buf out OWNED(buf_drop) = BUF(1 << 20);

		if (order_rows[i].again(slice_of(p, n), &out).kind == OK && !slice_eq(buf_slice(&out), slice_of(p, n)))
			abort();
	}
	return 0;
}
