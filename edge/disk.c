#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/disk.h"

/* Every call with an effect; the twin puts its own in their place. */
#ifndef DISK_TWIN
#define sys_mkdirat mkdirat
#define sys_make openat
#define sys_write write
#define sys_pwrite pwrite
#define sys_fdatasync fdatasync
#define sys_fsync fsync
#define sys_ftruncate ftruncate
#define sys_fallocate fallocate
#define sys_renameat renameat
#define sys_unlinkat unlinkat
#endif

static err
world(const char *what)
{
	return fail_why(ERR_WORLD, what, errno);
}

static err
absent_or(const char *what)
{
	if (errno == ENOENT)
		return fail(ERR_ABSENT, "disk-absent: house: there is no such file");
	return world(what);
}

err
disk_folder(int above, const char *name, enum disk_folder_mode mode, int *out)
{
	int fd;

	if (mode == FOLDER_MAKE) {
		if (sys_mkdirat(above, name, 0750) == 0) {
			if (above != DISK_HERE)
				TRY(disk_sync_folder(above));
		} else if (errno != EEXIST)
			return world("disk-folder: house: a folder cannot be made");
	}
	fd = openat(above, name, (mode == FOLDER_PASS ? O_PATH : O_RDONLY) | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return absent_or("disk-folder-open: house: a folder cannot be opened");
	*out = fd;
	return ok;
}

err
disk_open(int folder, const char *name, enum disk_mode mode, int *out)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	int fd = -1;

	assert(name[0] != '/' && strstr(name, "..") == NULL);
	switch (mode) {
	case DISK_READ:
		fd = openat(folder, name, O_RDONLY | flags);
		break;
	case DISK_APPEND:
		fd = openat(folder, name, O_RDWR | O_APPEND | flags);
		break;
	case DISK_EDIT:
		fd = openat(folder, name, O_RDWR | flags);
		break;
	case DISK_SCRATCH:
		fd = openat(folder, name, O_RDWR | O_CREAT | O_TRUNC | flags, 0640);
		break;
	case DISK_MAKE:
		fd = openat(folder, name, O_RDWR | O_APPEND | flags);
		if (fd >= 0 || errno != ENOENT)
			break;
		fd = sys_make(folder, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | flags, 0640);
		if (fd >= 0) {
			err e = disk_sync_folder(folder);

			if (e.kind != OK) {
				disk_close(&fd);
				return e;
			}
		}
		break;
	}
	if (fd < 0)
		return absent_or("disk-open: house: a file cannot be opened");
	*out = fd;
	return ok;
}

void
disk_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

err
disk_size(int fd, uint64_t *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return world("disk-stat: house: a file's size cannot be read");
	*out = (uint64_t)st.st_size;
	return ok;
}

err
disk_size_of(int folder, const char *name, uint64_t *out)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return absent_or("disk-stat: house: a file's size cannot be read");
	*out = (uint64_t)st.st_size;
	return ok;
}

err
disk_read_some(int fd, uint64_t offset, void *p, size_t n, size_t *got)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = pread(fd, (uint8_t *)p + have, n - have, (off_t)(offset + have));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return world("disk-read: house: a file cannot be read");
		if (r == 0)
			break;
		have += (size_t)r;
	}
	*got = have;
	return ok;
}

err
disk_read(int fd, uint64_t offset, void *p, size_t n)
{
	size_t got;

	TRY(disk_read_some(fd, offset, p, n, &got));
	if (got != n)
		return fail(ERR_CORRUPT, "disk-short: house: a file ends before what it must hold");
	return ok;
}

err
disk_load(int folder, const char *name, struct buf *out)
{
	uint64_t size = 0;
	uint8_t *p;
	int fd;
	err e;

	TRY(disk_open(folder, name, DISK_READ, &fd));
	e = disk_size(fd, &size);
	if (e.kind == OK && size > out->max - out->n)
		e = fail(ERR_INPUT, "disk-long: house: a file is longer than it may be");
	if (e.kind == OK && size > 0) {
		p = buf_space(out, (size_t)size);
		e = disk_read(fd, 0, p, (size_t)size);
	}
	disk_close(&fd);
	return e;
}

err
disk_append(int fd, slice s)
{
	while (s.n > 0) {
		/* Linux writes at most 2 GiB at once. */
		ssize_t w = sys_write(fd, s.p, s.n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return world("disk-write: house: a file cannot be written");
		s.p += (size_t)w;
		s.n -= (size_t)w;
	}
	return ok;
}

err
disk_sync(int fd)
{
	if (sys_fdatasync(fd) != 0)
		return world("disk-sync: house: what was written cannot be made durable");
	return ok;
}

err
disk_sync_folder(int folder)
{
	if (sys_fsync(folder) != 0)
		return world("disk-sync: house: what was written cannot be made durable");
	return ok;
}

err
disk_cut(int fd, uint64_t size)
{
	if (sys_ftruncate(fd, (off_t)size) != 0)
		return world("disk-cut: house: a file cannot be cut");
	if (sys_fsync(fd) != 0)
		return world("disk-sync: house: what was written cannot be made durable");
	return ok;
}

err
disk_renew(int fd, uint64_t from, uint64_t to)
{
	uint8_t chunk[16384];

	assert((fcntl(fd, F_GETFL) & O_APPEND) == 0);
	while (from < to) {
		size_t n = to - from < sizeof chunk ? (size_t)(to - from) : sizeof chunk, done = 0;

		TRY(disk_read(fd, from, chunk, n));
		while (done < n) {
			ssize_t w = sys_pwrite(fd, chunk + done, n - done, (off_t)(from + done));

			if (w < 0 && errno == EINTR)
				continue;
			if (w <= 0)
				return world("disk-write: house: a file cannot be written");
			done += (size_t)w;
		}
		from += n;
	}
	return disk_sync(fd);
}

err
disk_erase(int fd, uint64_t offset, uint64_t n)
{
	static const uint8_t zeros[4096];
	int rc = sys_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)n);

	if (rc != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return world("disk-erase: house: a file's part cannot be erased");
	/* A descriptor that appends would write elsewhere. */
	assert((fcntl(fd, F_GETFL) & O_APPEND) == 0);
	while (rc != 0 && n > 0) {
		size_t k = n < sizeof zeros ? (size_t)n : sizeof zeros;
		ssize_t w = sys_pwrite(fd, zeros, k, (off_t)offset);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return world("disk-erase: house: a file's part cannot be erased");
		offset += (uint64_t)w;
		n -= (uint64_t)w;
	}
	if (sys_fsync(fd) != 0)
		return world("disk-sync: house: what was written cannot be made durable");
	return ok;
}

err
disk_rename(int folder, const char *from, const char *to)
{
	assert(strchr(from, '/') == NULL && strchr(to, '/') == NULL);
	if (sys_renameat(folder, from, folder, to) != 0)
		return world("disk-rename: house: a file cannot be replaced");
	return disk_sync_folder(folder);
}

err
disk_replace(int folder, const char *name, slice bytes)
{
	struct buf temp OWNED(buf_drop) = BUF(512);
	int fd;
	err e;

	/* The rename is made durable by syncing the folder it stands in, so the name has one step. */
	assert(strchr(name, '/') == NULL);
	/* The same temporary name each time: what a crash leaves is written over by the next try. */
	buf_put_str(&temp, name);
	buf_put(&temp, LIT(".new\0"));
	TRY(buf_check(&temp));
	fd = sys_make(folder, (const char *)temp.p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
	if (fd < 0)
		return absent_or("disk-open: house: a file cannot be opened");
	e = disk_append(fd, bytes);
	if (e.kind == OK && sys_fsync(fd) != 0)
		e = world("disk-sync: house: what was written cannot be made durable");
	disk_close(&fd);
	TRY(e);
	return disk_rename(folder, (const char *)temp.p, name);
}

err
disk_remove(int folder, const char *name)
{
	assert(strchr(name, '/') == NULL);
	if (sys_unlinkat(folder, name, 0) != 0)
		return absent_or("disk-remove: house: a file cannot be removed");
	return disk_sync_folder(folder);
}

err
disk_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return ok;
	if (errno == EWOULDBLOCK)
		return fail(ERR_BUSY, "disk-locked: house: another process has this file");
	return world("disk-lock: house: a file cannot be locked");
}
