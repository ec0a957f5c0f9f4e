#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edge/clock.h"

static const volatile int64_t *offset; /* the test clock's mapped file, NULL in production */

instant
clock_now(void)
{
	struct timespec t;
	int64_t ms;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		abort();
	ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return (instant){offset == NULL ? ms : ms + *offset};
}

int64_t
clock_steady_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_steady_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

err
clock_use_test(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return fail_why(ERR_WORLD, "clock-test: house: the test clock's file cannot be opened", errno);
	p = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return fail_why(ERR_WORLD, "clock-test: house: the test clock's file cannot be opened", errno);
	offset = p;
	return ok;
}
