/* What checkpoint_get accepts is what the writers make of its parts (but the key's name in the signature line). */
#include "act/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b OWNED(buf_drop) = BUF(CHECKPOINT_MAX);
	uint8_t sig[68];
	struct checkpoint c;

	if (checkpoint_get(slice_of(p, n), &c).kind != OK)
		return 0;
	checkpoint_put_text(&b, c.origin, c.size, c.root);
	if (!slice_eq(buf_slice(&b), c.text))
		abort();
	buf_put_str(&b, "\n\xE2\x80\x94 ");
	buf_put(&b, c.name);
	buf_put_u8(&b, ' ');
	memcpy(sig, c.key_id, 4);
	memcpy(sig + 4, c.signature, 64);
	buf_put_base64(&b, ARR(sig));
	buf_put_u8(&b, '\n');
	if (!slice_eq(buf_slice(&b), slice_of(p, n)))
		abort();
	return 0;
}
