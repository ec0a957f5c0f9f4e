/* What ustar_get accepts, ustar_put writes back byte for byte. */
#include "base/ustar.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b OWNED(buf_drop) = BUF(USTAR_BLOCK);
	uint8_t name[32];
	uint32_t size;

	if (ustar_get(slice_of(p, n), name, &size).kind != OK)
		return 0;
	ustar_put(&b, name, size);
	if (!slice_eq(buf_slice(&b), slice_of(p, n)))
		abort();
	return 0;
}
