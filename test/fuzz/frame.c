/* A stream of frames: what frame_get takes off it, frame_put writes back; cut short, it asks for more or refuses. */
#include "base/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct gate gate[] = {
	    {.kind = 1, .from = 1, .when = 1, .most = 10, .then = 31},
	    {.kind = 1, .from = 1, .when = 1U << 31, .most = 100, .then = 0},
	    {.kind = 2, .from = 1, .when = GATE_ANY, .most = 0, .then = GATE_STAY},
	};
	slice s = slice_of(p, n);
	int state = 0;
	bool whole = true;

	while (whole) {
		struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
		slice before = s, torn;
		bool sooner = true;
		struct frame f, g;

		if (frame_get(&s, &whole, &f).kind != OK || !whole) {
			if (s.p != before.p || s.n != before.n)
				abort();
			return 0;
		}
		frame_put(&b, &f);
		if (buf_check(&b).kind != OK || !slice_eq(buf_slice(&b), (slice){before.p, before.n - s.n}))
			abort();
		torn = (slice){before.p, b.n - 1};
		if (frame_get(&torn, &sooner, &g).kind != OK || sooner)
			abort();
		if (gate_check(gate, COUNT(gate), 1, &state, &f).kind == OK && f.kind != 1 && f.kind != 2)
			abort();
	}
	return 0;
}
