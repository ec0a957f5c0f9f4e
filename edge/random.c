#include <sys/random.h>

#include "edge/random.h"

void
random_bytes(void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		size_t want = n > 256 ? 256 : n; /* up to 256 bytes getrandom never returns short */
		ssize_t got = getrandom(at, want, 0);

		if (got != (ssize_t)want)
			abort();
		at += want;
		n -= want;
	}
}

serial
random_serial(void)
{
	serial s = {.n = 16};

	random_bytes(s.b, s.n);
	s.b[0] = (uint8_t)(0x40 | (s.b[0] & 0x3F));
	return s;
}
