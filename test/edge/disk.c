/* The twin of edge/disk: the same code, with a counter before and after each effect. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/edge/disk.h"

struct disk_fault disk_fault;

/* Files written to since their last sync: a descriptor of our own, so that closing the file does not hide it. */
static struct {
	dev_t dev;
	ino_t ino;
	int fd;
	off_t synced;
} written[256];
static int n_written;

static int
written_find(int fd)
{
	struct stat st;
	int i = 0;

	if (fstat(fd, &st) != 0)
		abort();
	while (i < n_written && (written[i].ino != st.st_ino || written[i].dev != st.st_dev))
		i++;
	if (i == n_written && i < 256) {
		written[i].dev = st.st_dev;
		written[i].ino = st.st_ino;
		written[i].fd = dup(fd);
		written[i].synced = st.st_size;
		n_written++;
	}
	return i;
}

static int
is_remembering(void)
{
	return disk_fault.how >= POWER_ALL || disk_fault.how == FAULT_LOST;
}

/* Only where something is to be lost: else nothing is remembered. */
static void
note_write(int fd)
{
	if (is_remembering())
		(void)written_find(fd);
}

static void
note_sync(int fd)
{
	struct stat st;
	int i;

	if (!is_remembering() || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) /* a folder has no bytes to lose */
		return;
	i = written_find(fd);
	if (i < 256)
		written[i].synced = st.st_size;
}

/* Bytes that no writing brings to the disk any more. */
static struct {
	dev_t dev;
	ino_t ino;
	int fd;
	off_t from, to;
} lost[16];
static int n_lost;

static void
note_lost(int fd)
{
	struct stat st;
	int i = written_find(fd);

	if (i == 256 || n_lost == 16 || fstat(fd, &st) != 0)
		abort();
	lost[n_lost].dev = st.st_dev;
	lost[n_lost].ino = st.st_ino;
	lost[n_lost].fd = dup(fd);
	lost[n_lost].from = written[i].synced;
	lost[n_lost++].to = st.st_size;
}

static void
note_cut(int fd, off_t size)
{
	struct stat st;

	if (n_lost == 0 || fstat(fd, &st) != 0)
		return;
	for (int i = 0; i < n_lost; i++)
		if (lost[i].ino == st.st_ino && lost[i].dev == st.st_dev && lost[i].to > size)
			lost[i].to = size;
}

void
disk_forget(void)
{
	char path[64];

	for (int i = 0; i < n_lost; i++) {
		int fd;

		snprintf(path, sizeof path, "/proc/self/fd/%d", lost[i].fd);
		fd = open(path, O_RDWR | O_CLOEXEC); /* the one at hand may only append */
		for (off_t at = lost[i].from; fd >= 0 && at < lost[i].to; at++)
			if (pwrite(fd, "", 1, at) != 1)
				abort();
		close(fd);
		close(lost[i].fd);
	}
	n_lost = 0;
	for (int i = 0; i < n_written; i++)
		close(written[i].fd);
	n_written = 0;
}

static void
lose_power(void)
{
	for (int i = 0; i < n_written; i++) {
		off_t keep = written[i].synced;
		struct stat st;

		if (fstat(written[i].fd, &st) != 0)
			abort();
		if ((disk_fault.how == POWER_ODD && i % 2 == 0) || (disk_fault.how == POWER_EVEN && i % 2 == 1))
			continue;
		if (disk_fault.how == POWER_HALF)
			keep += (st.st_size - keep) / 2;
		if (st.st_size > keep && ftruncate(written[i].fd, keep) != 0)
			abort();
	}
	_exit(DIED);
}

/* True where the effect is to be left out. */
static int
before(void)
{
	if (disk_fault.how == FAULT_LOST || ++disk_fault.count != disk_fault.nth)
		return 0;
	if (disk_fault.how == DIE_BEFORE)
		_exit(DIED);
	if (disk_fault.how >= POWER_ALL)
		lose_power();
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
	note_write(fd);
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

	if (disk_fault.how == FAULT_LOST && ++disk_fault.count == disk_fault.nth) {
		note_lost(fd);
		errno = disk_fault.error;
		return -1;
	}
	EFFECT(rc = fdatasync(fd));
	note_sync(fd);
	return rc;
}

static int
sys_fsync(int fd)
{
	int rc;

	EFFECT(rc = fsync(fd));
	note_sync(fd);
	return rc;
}

static int
sys_ftruncate(int fd, off_t n)
{
	int rc;

	note_cut(fd, n);
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

static int
sys_unlinkat(int a, const char *name, int flags)
{
	int rc;

	EFFECT(rc = unlinkat(a, name, flags));
	return rc;
}

#define DISK_TWIN
#include "edge/disk.c"
