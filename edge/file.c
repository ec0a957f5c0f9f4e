#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "edge/file.h"

#define CHUNK 16384U

static err
unread(void)
{
	return fail_why(ERR_WORLD, "file-read: house: a file cannot be read", errno);
}

static err
too_long(void)
{
	return fail(ERR_INPUT, "file-size: house: a file is longer than such a file can be");
}

/* Up to n bytes; fewer only at the end of the file. */
static err
read_some(int fd, uint8_t *p, size_t n, size_t *got)
{
	*got = 0;
	while (*got < n) {
		ssize_t k = read(fd, p + *got, n - *got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return unread();
		if (k == 0)
			break;
		*got += (size_t)k;
	}
	return ok;
}

static err
load(int fd, struct buf *out)
{
	uint8_t chunk[CHUNK];
	size_t n = sizeof chunk;
	err e = ok;

	while (e.kind == OK && n == sizeof chunk && !out->over) {
		e = read_some(fd, chunk, sizeof chunk, &n);
		if (e.kind == OK)
			buf_put(out, slice_of(chunk, n));
	}
	wipe(chunk, sizeof chunk);
	TRY(e);
	return out->over ? too_long() : ok;
}

err
file_load(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	err e;

	if (fd < 0)
		return unread();
	e = load(fd, out);
	close(fd);
	return e;
}

static err
take_line(uint8_t *p, size_t n, struct secret *out)
{
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	return secret_set(out, slice_of(p, n));
}

err
file_load_pin(const char *path, struct secret *out)
{
	uint8_t line[SECRET_MAX + 3]; /* a line end of two bytes, and one byte that is too much */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n;
	err e;

	if (fd < 0)
		return unread();
	e = read_some(fd, line, sizeof line, &n);
	close(fd);
	if (e.kind == OK)
		e = n == sizeof line ? too_long() : take_line(line, n, out);
	wipe(line, sizeof line);
	return e;
}
