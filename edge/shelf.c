#include "edge/shelf.h"
#include "edge/disk.h"

#define CHUNK (256U << 10)
#define FIRST (4U << 10) /* of a reader that may want a line or two; doubled each time up to CHUNK */
#define NAME_BYTES 24

struct shelf_lines {
	const struct shelf *shelf;
	struct place at, end; /* `at`: of the first byte not yet given out */
	int fd;
	uint64_t file_end;
	uint8_t *p;
	size_t room;
	size_t from, n; /* what is read and not given out: p[from..n) */
	size_t ahead;   /* how much the next read asks for            */
	bool torn;
};

bool
place_is_before(struct place a, struct place b)
{
	return a.file < b.file || (a.file == b.file && a.offset < b.offset);
}

static const char *
file_name(struct buf *b, const struct shelf *s, uint32_t file)
{
	for (uint32_t unit = 10000000; unit != 0; unit /= 10)
		buf_put_u8(b, (uint8_t)('0' + file / unit % 10));
	buf_put_str(b, s->suffix);
	buf_put_u8(b, 0);
	assert(!b->over);
	return (const char *)b->p;
}

err
shelf_file(const struct shelf *s, uint32_t file, bool edit, int *fd)
{
	struct buf name OWNED(buf_drop) = BUF(NAME_BYTES);

	return disk_open(s->folder, file_name(&name, s, file), edit ? DISK_EDIT : DISK_READ, fd);
}

err
shelf_file_size(const struct shelf *s, uint32_t file, uint64_t *out)
{
	struct buf name OWNED(buf_drop) = BUF(NAME_BYTES);

	return disk_size_of(s->folder, file_name(&name, s, file), out);
}

err
shelf_open(int above, const char *name, const char *suffix, enum shelf_mode mode, struct shelf *out)
{
	struct shelf s OWNED(shelf_close) = {.folder = -1, .last = -1, .suffix = suffix, .write = mode == SHELF_WRITE};
	err e = disk_folder(above, name, s.write ? FOLDER_MAKE : FOLDER_THERE, &s.folder);

	if (e.kind == ERR_ABSENT && !s.write)
		e = ok;
	else
		TRY(e);
	for (; s.folder >= 0 && s.files < UINT32_MAX; s.files++) {
		e = shelf_file_size(&s, s.files, &s.size);
		if (e.kind == ERR_ABSENT)
			break;
		TRY(e);
	}
	if (s.write && s.files > 0) {
		struct buf last OWNED(buf_drop) = BUF(NAME_BYTES);

		TRY(disk_open(s.folder, file_name(&last, &s, s.files - 1), DISK_APPEND, &s.last));
	}
	*out = s;
	s.folder = s.last = -1;
	return ok;
}

void
shelf_close(struct shelf *s)
{
	/* A shelf that was never opened is all zeros, and descriptor 0 is not ours. */
	if (s->suffix == NULL)
		return;
	disk_close(&s->folder);
	disk_close(&s->last);
	s->suffix = NULL;
}

struct place
shelf_end(const struct shelf *s)
{
	return s->files == 0 ? (struct place){0, 0} : (struct place){s->files - 1, s->size};
}

struct place
shelf_next(const struct shelf *s)
{
	return s->files > 0 && s->size >= SHELF_BYTES ? (struct place){s->files, 0} : shelf_end(s);
}

err
shelf_append(struct shelf *s, slice bytes)
{
	struct place p = shelf_next(s);

	assert(s->write);
	if (p.file == s->files) {
		struct buf name OWNED(buf_drop) = BUF(NAME_BYTES);

		disk_close(&s->last);
		TRY(disk_open(s->folder, file_name(&name, s, p.file), DISK_MAKE, &s->last));
		s->files++;
		s->size = 0;
	}
	TRY(disk_append(s->last, bytes));
	s->size += bytes.n;
	return ok;
}

err
shelf_sync(struct shelf *s)
{
	return disk_sync(s->last);
}

err
shelf_cut(struct shelf *s, struct place p, uint64_t *bytes)
{
	assert(s->write);
	/* From the back, so that a crash between leaves a row whose end is where it was or nearer to p. */
	for (uint32_t i = s->files; i-- > p.file;) {
		uint64_t keep = i == p.file ? p.offset : 0, size;
		struct buf name OWNED(buf_drop) = BUF(NAME_BYTES);
		int fd = -1;
		err e;

		TRY(disk_open(s->folder, file_name(&name, s, i), DISK_APPEND, &fd));
		e = disk_size(fd, &size);
		if (e.kind == OK && size > keep) {
			e = disk_cut(fd, keep);
			*bytes += size - keep;
		}
		disk_close(&fd);
		TRY(e);
		if (i == s->files - 1)
			s->size = keep < size ? keep : size;
	}
	return ok;
}

err
shelf_renew(struct shelf *s, struct place p)
{
	assert(s->write);
	for (uint32_t i = p.file; i < s->files; i++) {
		uint64_t size = 0;
		int fd = -1;
		err e;

		TRY(shelf_file(s, i, true, &fd));
		e = disk_size(fd, &size);
		if (e.kind == OK)
			e = disk_renew(fd, i == p.file ? p.offset : 0, size);
		disk_close(&fd);
		TRY(e);
	}
	return ok;
}

err
shelf_lines_open(const struct shelf *s, struct place from, struct place end, struct shelf_lines **out)
{
	struct shelf_lines *l = mem_new(1, sizeof *l);

	*l = (struct shelf_lines){.shelf = s, .at = from, .end = end, .fd = -1, .ahead = FIRST};
	*out = l;
	return ok;
}

void
shelf_lines_close(struct shelf_lines **l)
{
	if (*l == NULL)
		return;
	disk_close(&(*l)->fd);
	free((*l)->p);
	free(*l);
	*l = NULL;
}

bool
shelf_lines_torn(const struct shelf_lines *l)
{
	return l->torn;
}

/* Reads on behind what is there; ERR_ABSENT at the end of the last file. */
static err
fill(struct shelf_lines *l)
{
	uint64_t next = l->at.offset + (l->n - l->from);
	size_t want, got;

	if (l->fd < 0) {
		if (!place_is_before(l->at, l->end))
			return fail(ERR_ABSENT, "shelf-end: house: there are no more lines");
		TRY(shelf_file(l->shelf, l->at.file, false, &l->fd));
		TRY(disk_size(l->fd, &l->file_end));
		if (l->at.file == l->end.file && l->file_end > l->end.offset)
			l->file_end = l->end.offset;
	}
	if (next >= l->file_end) {
		l->torn = l->n > l->from;
		/* Every file but the last ends with an LF, or something is wrong there: reading stops. */
		if (l->torn || l->at.file >= l->end.file)
			return fail(ERR_ABSENT, "shelf-end: house: there are no more lines");
		disk_close(&l->fd);
		l->at = (struct place){l->at.file + 1, 0};
		return fill(l);
	}
	if (l->n > l->from)
		memmove(l->p, l->p + l->from, l->n - l->from);
	l->n -= l->from;
	l->from = 0;
	/* What is left is less than a line. */
	assert(l->n <= SHELF_LINE_MAX);
	want = l->ahead;
	l->ahead = l->ahead < CHUNK ? 2 * l->ahead : CHUNK;
	if (l->room < l->n + want) {
		l->room = l->n + want;
		l->p = mem_grow(l->p, l->room, 1);
	}
	if (want > l->file_end - next)
		want = (size_t)(l->file_end - next);
	TRY(disk_read_some(l->fd, next, l->p + l->n, want, &got));
	if (got == 0) /* cut meanwhile */
		return fail(ERR_ABSENT, "shelf-end: house: there are no more lines");
	l->n += got;
	return ok;
}

err
shelf_lines_next(struct shelf_lines *l, slice *line, struct place *at)
{
	for (;;) {
		const uint8_t *p = l->n == 0 ? NULL : l->p + l->from, *lf;
		size_t n = l->n - l->from, skip = 0;

		while (skip < n && p[skip] == 0)
			skip++;
		l->from += skip;
		l->at.offset += skip;
		p = n == 0 ? NULL : p + skip;
		n -= skip;
		lf = n == 0 ? NULL : memchr(p, '\n', n);
		*at = l->at;
		if (lf == NULL ? n > SHELF_LINE_MAX : (size_t)(lf - p) > SHELF_LINE_MAX)
			return fail(ERR_INPUT, "shelf-line: house: a line is longer than any that is written");
		if (lf != NULL) {
			*line = slice_of(p, (size_t)(lf - p));
			l->from += line->n + 1;
			l->at.offset += line->n + 1;
			return ok;
		}
		TRY(fill(l));
	}
}

bool
line_number(slice line, uint64_t *n)
{
	slice digits;

	return slice_take(&line, 5, &digits) && slice_eq(digits, LIT("{\"n\":")) && slice_cut(&line, ',', &digits) &&
	       decimal_get(digits, INT64_MAX, n).kind == OK;
}

bool
line_time(slice line, instant *at)
{
	slice s;

	return slice_cut(&line, ',', &s) && slice_take(&line, 6, &s) && slice_eq(s, LIT("\"at\":\"")) &&
	       slice_take(&line, RFC3339_LEN, &s) && instant_get(s, at).kind == OK;
}

/* The first numbered line of the file that begins at or after `from`; false where there is none. */
static bool
first_after(const struct shelf *s, struct place from, struct place end, uint64_t *n, struct place *at)
{
	struct shelf_lines *l OWNED(shelf_lines_close) = NULL;
	struct place stop = {from.file, end.file == from.file ? end.offset : UINT64_MAX};
	slice line;

	if (shelf_lines_open(s, from, stop, &l).kind != OK)
		return false;
	/* In the middle of a file the first piece belongs to a line that began before. */
	if (from.offset > 0 && shelf_lines_next(l, &line, at).kind != OK)
		return false;
	return shelf_lines_next(l, &line, at).kind == OK && line_number(line, n);
}

err
shelf_find(const struct shelf *s, uint64_t n, bool exact, struct place end, struct place *out)
{
	struct place low = {0, 0}, at = low;
	uint64_t high, first;

	/* The last file that begins at or before n. */
	for (uint32_t a = 0, b = s->files; a < b;) {
		uint32_t mid = a + (b - a) / 2;

		if (first_after(s, (struct place){mid, 0}, end, &first, &at) && first <= n) {
			low.file = mid;
			a = mid + 1;
		} else
			b = mid;
	}
	if (exact && low.file < s->files) {
		TRY(shelf_file_size(s, low.file, &high));
		if (low.file == end.file && high > end.offset)
			high = end.offset;
		/* [low, high): low begins a line at or before n. */
		while (high - low.offset > FIRST) {
			struct place mid = {low.file, low.offset + (high - low.offset) / 2};

			if (first_after(s, mid, end, &first, &at) && first <= n && at.offset < high)
				low.offset = at.offset;
			else
				high = mid.offset;
		}
	}
	*out = low;
	return ok;
}
