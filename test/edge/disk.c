/* The twin of edge/disk: the same code, with a counter before and after each effect. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/edge/disk.h"

struct disk_fault disk_fault;

/* True where the effect is to be left out. */
static int
before(void)
{
	if (++disk_fault.count != disk_fault.nth)
		return 0;
	if (disk_fault.how == DIE_BEFORE)
		_exit(DIED);
	return disk_fault.how == FAULT_BEFORE;
}

/* True where the effect is done and denied. */
static int
after(void)
{
	if (disk_fault.count != disk_fault.nth)
		return 0;
	if (disk_fault.how == DIE_AFTER || disk_fault.how == DIE_HALF)
		_exit(DIED);
	return disk_fault.how == FAULT_AFTER || disk_fault.how == FAULT_HALF;
}

#define EFFECT(call)                                                                                                   \
	do {                                                                                                               \
		if (before()) {                                                                                                \
			errno = disk_fault.error;                                                                                  \
			return -1;                                                                                                 \
		}                                                                                                              \
		call;                                                                                                          \
		if (after()) {                                                                                                 \
			errno = disk_fault.error;                                                                                  \
			return -1;                                                                                                 \
		}                                                                                                              \
	} while (0)

static int
sys_mkdirat(int at, const char *name, mode_t mode)
{
	int rc;

	EFFECT(rc = mkdirat(at, name, mode));
	return rc;
}

static int
sys_make(int at, const char *name, int flags, mode_t mode)
{
	int fd;

	EFFECT(fd = openat(at, name, flags, mode));
	return fd;
}

static ssize_t
sys_write(int fd, const void *p, size_t n)
{
	int here = disk_fault.count + 1 == disk_fault.nth;
	ssize_t w;

	if (here && (disk_fault.how == FAULT_HALF || disk_fault.how == DIE_HALF))
		n = n / 2;
	EFFECT(w = write(fd, p, n));
	return w;
}

static ssize_t
sys_pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t w;

	EFFECT(w = pwrite(fd, p, n, at));
	return w;
}

static int
sys_fdatasync(int fd)
{
	int rc;

	EFFECT(rc = fdatasync(fd));
	return rc;
}

static int
sys_fsync(int fd)
{
	int rc;

	EFFECT(rc = fsync(fd));
	return rc;
}

static int
sys_ftruncate(int fd, off_t n)
{
	int rc;

	EFFECT(rc = ftruncate(fd, n));
	return rc;
}

static int
sys_fallocate(int fd, int mode, off_t at, off_t n)
{
	int rc;

	EFFECT(rc = fallocate(fd, mode, at, n));
	return rc;
}

static int
sys_renameat(int a, const char *from, int b, const char *to)
{
	int rc;

	EFFECT(rc = renameat(a, from, b, to));
	return rc;
}

#define DISK_TWIN
#include "edge/disk.c"
