#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/changes.h"
#include "edge/disk.h"

#define HEAD "inkan-changes 1 "
#define LINE_BYTES_MAX (CHANGES_PATH_MAX + 100U)

static err
malformed(void)
{
	return fail(ERR_CORRUPT, "changes-form: house: the log of the repository's changes is not what its writer writes");
}

/* --- writing ------------------------------------------------------------------- */

/* An empty log that counts from `first`. */
static err
begin(struct changes *c, uint64_t epoch, uint64_t first)
{
	struct buf b OWNED(buf_drop) = BUF(128);

	buf_put_str(&b, HEAD);
	buf_put_decimal(&b, epoch);
	buf_put_u8(&b, ' ');
	buf_put_decimal(&b, first);
	buf_put_u8(&b, '\n');
	disk_close(&c->fd);
	TRY(disk_replace(c->folder, CHANGES_NAME, buf_slice(&b)));
	TRY(disk_open(c->folder, CHANGES_NAME, DISK_APPEND, &c->fd));
	c->epoch = epoch;
	c->next = first;
	c->bytes = b.n;
	c->broken = false;
	return ok;
}

static err
get_head(slice line, uint64_t *epoch, uint64_t *first)
{
	slice head = LIT(HEAD), word;

	if (!slice_has_prefix(line, head))
		return malformed();
	line = (slice){line.p + head.n, line.n - head.n};
	if (!slice_cut(&line, ' ', &word) || decimal_get(word, INT64_MAX, epoch).kind != OK ||
	    decimal_get(line, INT64_MAX, first).kind != OK)
		return malformed();
	return ok;
}

/* True where the log ends with "closed": then *next is the number after it. */
static bool
is_closed(int fd, uint64_t size, uint64_t *epoch, uint64_t *next)
{
	uint8_t head[128], end[64];
	size_t got, n = size < sizeof end ? (size_t)size : sizeof end;
	slice s, line, word;
	uint64_t first;

	if (disk_read_some(fd, 0, head, sizeof head, &got).kind != OK)
		return false;
	s = slice_of(head, got);
	if (!slice_cut(&s, '\n', &line) || get_head(line, epoch, &first).kind != OK ||
	    disk_read(fd, size - n, end, n).kind != OK || n == 0 || end[n - 1] != '\n')
		return false;
	s = slice_of(end, n - 1);
	while (slice_cut(&s, '\n', &line))
		continue;
	if (!slice_cut(&s, ' ', &word) || !slice_eq(s, LIT("closed")) || decimal_get(word, INT64_MAX - 1, next).kind != OK)
		return false;
	++*next;
	return true;
}

err
changes_open(int repository, instant now, struct changes *out)
{
	struct changes c = {.folder = repository, .fd = -1};
	uint64_t epoch = 0, next;
	err e = disk_open(repository, CHANGES_NAME, DISK_APPEND, &c.fd);

	if (e.kind == OK)
		e = disk_size(c.fd, &c.bytes);
	if (e.kind != OK && e.kind != ERR_ABSENT) {
		disk_close(&c.fd);
		return e;
	}
	if (e.kind == OK && is_closed(c.fd, c.bytes, &epoch, &next)) {
		c.epoch = epoch;
		c.next = next;
	} else {
		e = begin(&c, (uint64_t)now.ms > epoch ? (uint64_t)now.ms : epoch + 1, 1);
		if (e.kind != OK) {
			disk_close(&c.fd);
			return e;
		}
	}
	*out = c;
	return ok;
}

static err
append(struct changes *c, slice line)
{
	err e = disk_append(c->fd, line);

	if (e.kind != OK) {
		c->broken = true; /* a part of it may stand there */
		return e;
	}
	c->bytes += line.n;
	c->next++;
	return ok;
}

err
changes_put(struct changes *c, slice path, const digest *d)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BYTES_MAX);

	if (c->fd < 0 || c->broken)
		TRY(begin(c, c->epoch + 1, 1));
	else if (c->bytes > CHANGES_BYTES_MAX)
		TRY(begin(c, c->epoch, c->next));
	buf_put_decimal(&b, c->next);
	buf_put_u8(&b, ' ');
	if (d == NULL)
		buf_put_str(&b, "gone");
	else
		digest_put(&b, *d);
	buf_put_u8(&b, ' ');
	buf_put(&b, path);
	buf_put_u8(&b, '\n');
	TRY(buf_check(&b));
	return append(c, buf_slice(&b));
}

void
changes_close(struct changes *c, bool orderly)
{
	struct buf b OWNED(buf_drop) = BUF(64);

	if (c->fd >= 0 && orderly && !c->broken) {
		buf_put_decimal(&b, c->next);
		buf_put_str(&b, " closed\n");
		if (append(c, buf_slice(&b)).kind == OK)
			(void)disk_sync(c->fd).kind;
	}
	disk_close(&c->fd);
}

/* --- reading --------------------------------------------------------------------- */

void
changes_read_close(struct changes_reader *r)
{
	disk_close(&r->fd);
	r->n = r->at = 0;
}

/* The next line without LF; *have false where none is whole. */
static err
next_line(struct changes_reader *r, bool *have, slice *line)
{
	slice rest = slice_of(r->chunk + r->at, r->n - r->at);

	*have = slice_cut(&rest, '\n', line);
	if (!*have) {
		size_t kept = r->n - r->at, got;

		memmove(r->chunk, r->chunk + r->at, kept);
		r->at = 0;
		r->n = kept;
		TRY(disk_read_some(r->fd, r->offset + kept, r->chunk + kept, sizeof r->chunk - kept, &got));
		r->n += got;
		rest = slice_of(r->chunk, r->n);
		*have = slice_cut(&rest, '\n', line);
		if (!*have)
			return r->n > LINE_BYTES_MAX ? malformed() : ok;
	}
	r->at += line->n + 1;
	r->offset += line->n + 1;
	return ok;
}

bool
changes_is_path(slice path)
{
	bool start = true;

	if (path.n == 0 || path.n > CHANGES_PATH_MAX || path.p[0] == '/' || path.p[path.n - 1] == '/')
		return false;
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] <= ' ' || path.p[i] >= 0x7F || (start && path.p[i] == '.'))
			return false;
		start = path.p[i] == '/';
	}
	return true;
}

err
changes_next(struct changes_reader *r, bool *have, struct change *out)
{
	struct change c = {0};
	slice line, word;

	TRY(next_line(r, have, &line));
	if (!*have)
		return ok;
	if (!slice_cut(&line, ' ', &word) || decimal_get(word, INT64_MAX, &c.seq).kind != OK || c.seq != r->seq)
		return malformed();
	r->seq++;
	if (slice_eq(line, LIT("closed"))) {
		c.closed = true;
		*out = c;
		return ok;
	}
	if (!slice_cut(&line, ' ', &word) || !changes_is_path(line))
		return malformed();
	c.gone = slice_eq(word, LIT("gone"));
	if (!c.gone && digest_get(word, &c.sha).kind != OK)
		return malformed();
	c.path = line;
	*out = c;
	return ok;
}

err
changes_read_open(int repository, struct changes_place at, struct changes_reader *out, bool *gap)
{
	bool have = true;
	struct change skipped;
	slice line;
	err e;

	changes_read_close(out);
	out->folder = repository;
	out->offset = 0;
	TRY(disk_open(repository, CHANGES_NAME, DISK_READ, &out->fd));
	e = next_line(out, &have, &line);
	if (e.kind == OK)
		e = have ? get_head(line, &out->epoch, &out->first) : malformed();
	out->seq = out->first;
	*gap = at.epoch != out->epoch || at.seq < out->first;
	while (e.kind == OK && have && !*gap && out->seq < at.seq)
		e = changes_next(out, &have, &skipped);
	if (e.kind != OK) {
		changes_read_close(out);
		return e;
	}
	if (!*gap && out->seq < at.seq) { /* lines that were read once are not there: they were never on the disk */
		*gap = true;
	}
	return ok;
}

bool
changes_replaced(const struct changes_reader *r)
{
	struct stat mine, there;

	return r->fd >= 0 && fstat(r->fd, &mine) == 0 &&
	       fstatat(r->folder, CHANGES_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}

/* The last line that is whole; its number is at its beginning. */
static err
end_of(struct changes_reader *r, struct changes_place *out)
{
	uint64_t size, seq;
	slice line, tail, word;
	size_t got, from = 0;
	bool have;

	TRY(next_line(r, &have, &line));
	if (!have)
		return malformed();
	TRY(get_head(line, &r->epoch, &r->first));
	TRY(disk_size(r->fd, &size));
	*out = (struct changes_place){r->epoch, r->first};
	if (size <= r->offset)
		return ok;
	if (size - r->offset > 2 * LINE_BYTES_MAX)
		r->offset = size - 2 * LINE_BYTES_MAX;
	TRY(disk_read_some(r->fd, r->offset, r->chunk, 2 * LINE_BYTES_MAX, &got));
	while (got > 0 && r->chunk[got - 1] != '\n') /* half a line is none yet */
		got--;
	if (got == 0)
		return ok;
	for (size_t i = 0; i + 1 < got; i++)
		if (r->chunk[i] == '\n')
			from = i + 1;
	tail = slice_of(r->chunk + from, got - from);
	if (!slice_cut(&tail, ' ', &word) || decimal_get(word, INT64_MAX - 1, &seq).kind != OK)
		return malformed();
	out->seq = seq + 1;
	return ok;
}

err
changes_end(int repository, struct changes_place *out)
{
	struct changes_reader *r = mem_new(1, sizeof *r);
	struct changes_place p = {0, 0};
	err e;

	r->folder = repository;
	r->fd = -1;
	e = disk_open(repository, CHANGES_NAME, DISK_READ, &r->fd);
	if (e.kind == OK)
		e = end_of(r, &p);
	changes_read_close(r);
	free(r);
	if (e.kind == OK)
		*out = p;
	return e;
}
