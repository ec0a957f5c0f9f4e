/* A status file of any bytes: read without a step outside, and what is found is given back or refused. */
#include "act/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slots s OWNED(slots_drop) = {0};
	struct slot slot, found;

	if (slots_get((slice){p, n}, &s).kind != OK)
		return 0;
	for (uint64_t i = 0; i < s.n && i < 64; i++) {
		struct buf b OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);

		if (slots_at(&s, i, &slot).kind != OK)
			continue;
		(void)slots_find(&s, slot.serial, &found).kind;
		if (slot_put_answer(&b, &s.common, &slot).kind == OK) {
			struct buf moulded OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);
			err e = slots_put_answer(&moulded, &s, &slot);

			assert(e.kind == OK && slice_eq(buf_slice(&moulded), buf_slice(&b)));
		}
	}
	return 0;
}
