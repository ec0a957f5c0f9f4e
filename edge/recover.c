#include "act/line.h"
#include "edge/pack.h"
#include "edge/recover.h"
#include "edge/tile.h"

/* --- marks ------------------------------------------------------------------- */

static bool
take_literal(slice *s, slice literal)
{
	slice got;

	return slice_has_prefix(*s, literal) && slice_take(s, literal.n, &got);
}

static bool
take_number(slice *s, uint8_t until, uint64_t max, uint64_t *out)
{
	slice digits;

	return slice_cut(s, until, &digits) && decimal_get(digits, max, out).kind == OK;
}

static bool
take_place(slice *s, struct place *out)
{
	uint64_t file, offset;

	if (!take_number(s, ',', UINT32_MAX, &file) || !take_number(s, ']', INT64_MAX, &offset))
		return false;
	*out = (struct place){(uint32_t)file, offset};
	return true;
}

bool
mark_get(slice line, struct mark *out)
{
	struct mark m = {.there = true};

	if (!take_literal(&line, LIT("{\"n\":")) || !take_number(&line, ',', INT64_MAX, &m.first) ||
	    !take_literal(&line, LIT("\"turn\":")) || !take_number(&line, ',', TURN_LINES_MAX, &m.lines) ||
	    !take_literal(&line, LIT("\"evidence\":[")) || !take_place(&line, &m.pack[0]) ||
	    !take_literal(&line, LIT(",\"jlis\":[")) || !take_place(&line, &m.pack[1]) || !slice_eq(line, LIT("}")))
		return false;
	*out = m;
	return true;
}

static void
put_place(struct buf *b, struct place p)
{
	buf_put_decimal(b, p.file);
	buf_put_u8(b, ',');
	buf_put_decimal(b, p.offset);
}

void
mark_put(struct buf *b, const struct mark *m)
{
	buf_put_str(b, "{\"n\":");
	buf_put_decimal(b, m->first);
	buf_put_str(b, ",\"turn\":");
	buf_put_decimal(b, m->lines);
	buf_put_str(b, ",\"evidence\":[");
	put_place(b, m->pack[0]);
	buf_put_str(b, "],\"jlis\":[");
	put_place(b, m->pack[1]);
	buf_put_str(b, "]}\n");
}

/* --- opening ----------------------------------------------------------------- */

struct row {
	uint64_t n;
	instant at;
	struct place begin, end;
};

/* What stands on disk, before anything is decided. */
struct look {
	struct row *row; /* the lines of the last file (or two), in sequence */
	size_t n_rows, max_rows;
	uint64_t total;   /* whole lines in sequence                                              */
	bool other_turns; /* behind the first bad line stand lines of more than one turn          */
	bool after;       /* … or of one, at after_at                                              */
	instant after_at;
	struct mark last, before; /* the last two marks of turns that began below total            */
	struct mark next;         /* the last mark of a turn that began at total or later          */
};

static void
look_drop(struct look *l)
{
	free(l->row);
}

static void
look_add(struct look *l, const struct row *r)
{
	if (l->n_rows == l->max_rows) {
		l->max_rows = l->max_rows == 0 ? 4096 : l->max_rows * 2;
		l->row = mem_grow(l->row, l->max_rows, sizeof *l->row);
	}
	l->row[l->n_rows++] = *r;
}

/* Reads the lines from the beginning of a file on, up to the first that does not follow from the one before. */
static err
look_at_lines(const struct shelves *b, uint32_t file, struct look *l)
{
	struct shelf_lines *lines OWNED(shelf_lines_close) = NULL;
	bool good = true;
	slice line;
	err e;

	l->n_rows = 0;
	l->after = l->other_turns = false;
	TRY(shelf_lines_open(&b->shelf[ENTRIES], (struct place){file, 0}, b->end[ENTRIES], &lines));
	for (;;) {
		struct row r;
		const struct row *last = l->n_rows == 0 ? NULL : &l->row[l->n_rows - 1];

		e = shelf_lines_next(lines, &line, &r.begin);
		if (e.kind == ERR_ABSENT || e.kind == ERR_INPUT)
			break;
		TRY(e);
		r.end = (struct place){r.begin.file, r.begin.offset + line.n + 1};
		if (!line_number(line, &r.n) || !line_time(line, &r.at) || line.p[line.n - 1] != '}') {
			good = false;
			continue;
		}
		if (good && (last == NULL ? file == 0 ? r.n == 0 : r.n > 0 : r.n == last->n + 1 && r.at.ms >= last->at.ms)) {
			look_add(l, &r);
			continue;
		}
		good = false;
		l->other_turns = l->other_turns || (l->after && r.at.ms != l->after_at.ms);
		l->after = true;
		l->after_at = r.at;
	}
	l->total = l->n_rows == 0 ? 0 : l->row[l->n_rows - 1].n + 1;
	return ok;
}

static err
look_at_marks(const struct shelves *b, uint32_t file, struct look *l)
{
	struct shelf_lines *lines OWNED(shelf_lines_close) = NULL;
	struct place at, begin = {file, 0};
	struct mark m;
	slice line;
	err e;

	l->last = l->before = l->next = (struct mark){0};
	TRY(shelf_lines_open(&b->shelf[OPENINGS], begin, b->end[OPENINGS], &lines));
	while ((e = shelf_lines_next(lines, &line, &at)).kind == OK) {
		if (at.file != begin.file) /* a turn's openings do not go over a file's end */
			begin = (struct place){at.file, 0};
		if (!mark_get(line, &m))
			continue;
		m.begin = begin;
		m.end = begin = (struct place){at.file, at.offset + line.n + 1};
		if (m.first >= l->total) {
			l->next = m;
			continue;
		}
		l->before = l->last;
		l->last = m;
	}
	return e.kind == ERR_INPUT || e.kind == ERR_ABSENT ? ok : e;
}

static err
look_at_end(const struct shelves *b, struct look *l)
{
	struct place end = shelf_end(&b->shelf[ENTRIES]);
	uint32_t file = end.file;
	uint64_t size = end.offset;

	/* The last file may be empty: its turn was cut off. */
	while (size == 0 && file > 0)
		TRY(shelf_file_size(&b->shelf[ENTRIES], --file, &size));
	TRY(look_at_lines(b, file, l));
	if (l->n_rows == 0 && file > 0)
		TRY(look_at_lines(b, file - 1, l));
	if (l->n_rows == 0 && file > 0)
		return fail(ERR_CORRUPT, "book-lines: house: the end of the book cannot be read");
	return ok;
}

static err
look_at(const struct shelves *b, struct look *l)
{
	uint32_t file;

	TRY(look_at_end(b, l));
	/* The openings are looked at after the lines: whoever is writing has written them before. */
	file = b->end[OPENINGS].file;
	TRY(look_at_marks(b, file, l));
	while (!l->before.there && file > 0)
		TRY(look_at_marks(b, --file, l));
	return ok;
}

/* --- is the last turn whole? ---------------------------------------------------- */

struct promise {
	uint64_t n;
	digest d;
};

static int
promise_cmp(const void *x, const void *y)
{
	const struct promise *a = x, *b = y;

	return a->n != b->n ? (a->n < b->n ? -1 : 1) : memcmp(a->d.b, b->d.b, SHA256_LEN);
}

struct promises {
	struct promise *p;
	size_t n, max;
};

static void
promises_drop(struct promises *p)
{
	free(p->p);
}

static void
promise_add(struct promises *p, uint64_t n, digest d)
{
	if (p->n == p->max) {
		p->max = p->max == 0 ? 256 : p->max * 2;
		p->p = mem_grow(p->p, p->max, sizeof *p->p);
	}
	p->p[p->n++] = (struct promise){n, d};
}

/* Every commitment in a line, found in its bytes: "c:<64 hex>" is written in no other place. */
static void
line_promises(slice line, uint64_t n, struct promises *out)
{
	static const size_t text = 2 + 2 * SHA256_LEN;
	slice s = line, part;
	digest d;

	while (slice_cut(&s, '"', &part))
		if (s.n > text && s.p[text] == '"' && commitment_get((slice){s.p, text}, &d))
			promise_add(out, n, d);
}

static err
openings_are_whole(const struct shelves *b, const struct look *l, bool *whole)
{
	struct promises made OWNED(promises_drop) = {0}, kept OWNED(promises_drop) = {0};
	struct shelf_lines *lines OWNED(shelf_lines_close) = NULL, *open OWNED(shelf_lines_close) = NULL;
	struct place at, from;
	uint64_t n = 0;
	slice line;
	err e;

	TRY(shelf_find(&b->shelf[ENTRIES], l->last.first, true, b->end[ENTRIES], &from));
	TRY(shelf_lines_open(&b->shelf[ENTRIES], from, b->end[ENTRIES], &lines));
	while ((e = shelf_lines_next(lines, &line, &at)).kind == OK && line_number(line, &n) && n < l->total)
		if (n >= l->last.first)
			line_promises(line, n, &made);
	if (e.kind != OK && e.kind != ERR_ABSENT && e.kind != ERR_INPUT)
		return e;
	TRY(shelf_lines_open(&b->shelf[OPENINGS], l->last.begin, l->last.end, &open));
	while ((e = shelf_lines_next(open, &line, &at)).kind == OK) {
		struct opening o OWNED(opening_drop) = {0};

		if (opening_get(line, &o).kind == OK)
			promise_add(&kept, o.n, commitment_of(o.salt, o.value));
	}
	if (e.kind != ERR_ABSENT && e.kind != ERR_INPUT)
		return e;
	if (kept.n > 1)
		qsort(kept.p, kept.n, sizeof *kept.p, promise_cmp);
	*whole = true;
	for (size_t i = 0; i < made.n && *whole; i++)
		*whole = kept.n > 0 && bsearch(&made.p[i], kept.p, kept.n, sizeof *kept.p, promise_cmp) != NULL;
	return ok;
}

/* The members the turn wrote are there, and each is what its name says (sealed ones: as long as they were). */
static err
pack_is_whole(const struct shelves *b, enum family f, struct place from, struct place end, bool *whole)
{
	struct pack_walk w OWNED(pack_walk_close) = pack_walk_from(from, end);
	struct place at;
	uint32_t length;
	digest name;
	err e;

	*whole = false;
	if (place_is_before(shelf_end(&b->shelf[f]), end))
		return ok;
	while ((e = pack_walk_next(&b->shelf[f], &w, &name, &at, &length)).kind == OK) {
		struct buf bytes OWNED(buf_drop) = BUF(USTAR_SIZE_MAX);

		if (f == JLIS)
			continue;
		TRY(pack_read(&b->shelf[f], at, name, length, &bytes));
		if (!digest_eq(sha256(buf_slice(&bytes)), name))
			return ok;
	}
	*whole = e.kind == ERR_ABSENT;
	return e.kind == ERR_ABSENT || e.kind == ERR_CORRUPT ? ok : e;
}

static err
turn_is_whole(const struct shelves *b, const struct look *l, bool *whole)
{
	TRY(pack_is_whole(b, EVIDENCE, l->before.pack[0], l->last.pack[0], whole));
	if (*whole)
		TRY(pack_is_whole(b, JLIS, l->before.pack[1], l->last.pack[1], whole));
	if (*whole)
		TRY(openings_are_whole(b, l, whole));
	return ok;
}

/* --- what is kept ------------------------------------------------------------- */

/* Lines behind the last mark are turns of one line each, or openings were lost. */
static bool
tail_is_single(const struct look *l, uint64_t from)
{
	for (size_t i = 1; i < l->n_rows; i++)
		if (l->row[i - 1].n >= from && l->row[i].at.ms == l->row[i - 1].at.ms)
			return false;
	return true;
}

/* Whatever goes, from line `keep` on, is of one turn. */
static bool
is_one_turn(const struct look *l, uint64_t keep)
{
	const struct row *first = NULL;

	for (size_t i = 0; i < l->n_rows; i++) {
		const struct row *r = &l->row[i];

		if (r->n < keep)
			continue;
		if (first == NULL)
			first = r;
		if (r->at.ms != first->at.ms)
			return false;
		if (r == first && i > 0 && l->row[i - 1].at.ms == r->at.ms)
			return false;
	}
	if (l->other_turns)
		return false;
	return !l->after || first == NULL || l->after_at.ms == first->at.ms;
}

struct keep {
	uint64_t lines;
	struct mark mark;
};

static err
decide(const struct shelves *b, const struct look *l, uint64_t floor, struct keep *out)
{
	struct keep k = {l->total, l->last};
	uint64_t marked = l->last.there ? l->last.first + l->last.lines : 0;
	bool whole = true;

	if (b->write && l->next.there && l->next.first > l->total)
		return fail(ERR_CORRUPT, "book-lines-lost: house: the book lacks lines its openings know of");
	if (marked == l->total && l->last.there)
		TRY(turn_is_whole(b, l, &whole));
	if (marked > l->total || !whole)
		k = (struct keep){l->last.first, l->before};
	else if (!tail_is_single(l, marked))
		return fail(ERR_CORRUPT, "book-openings-lost: house: the book lacks openings its lines know of");
	if (k.lines < floor)
		return fail(ERR_CORRUPT, "book-floor: house: the book is damaged or cut off below its last checkpoint");
	if (b->write && !is_one_turn(l, k.lines))
		return fail(ERR_CORRUPT, "book-damaged: house: the book is damaged before its last turn");
	if (b->write && tiles_has(b->folder, k.lines / TILE_NODES))
		return fail(ERR_CORRUPT, "book-tiles: house: the book lacks lines its tiles know of");
	if (place_is_before(shelf_end(&b->shelf[EVIDENCE]), k.mark.pack[0]) ||
	    place_is_before(shelf_end(&b->shelf[JLIS]), k.mark.pack[1]))
		return fail(ERR_CORRUPT, "book-evidence-lost: house: the book lacks evidence its openings know of");
	/* Without any mark at most one turn's evidence can stand there. */
	if (b->write && !k.mark.there && (b->shelf[EVIDENCE].files > 1 || b->shelf[JLIS].files > 1))
		return fail(ERR_CORRUPT, "book-openings-lost: house: the book lacks openings its lines know of");
	*out = k;
	return ok;
}

/* Where line `keep` begins: the end of the one before. */
static struct place
keep_end(const struct look *l, uint64_t keep)
{
	for (size_t i = l->n_rows; i-- > 0;)
		if (l->row[i].n < keep)
			return l->row[i].end;
	/* The whole file goes (its turn began it), or the book is empty. */
	return l->n_rows == 0 ? (struct place){0, 0} : l->row[0].begin;
}

err
recover_look(const struct shelves *b, uint64_t floor, struct kept *out)
{
	struct look l OWNED(look_drop) = {0};
	struct keep k = {0};

	TRY(look_at(b, &l));
	TRY(decide(b, &l, floor, &k));
	*out = (struct kept){
	    .lines = k.lines,
	    .end = {[ENTRIES] = keep_end(&l, k.lines),
	        [OPENINGS] = k.mark.end,
	        [EVIDENCE] = k.mark.pack[0],
	        [JLIS] = k.mark.pack[1]},
	    .cut = l.total - k.lines,
	};
	/* Where a turn was cut off, the one before it was synced before that began. */
	memcpy(out->last, out->end, sizeof out->last);
	if (out->cut == 0 && k.mark.there) {
		out->last[ENTRIES] = keep_end(&l, k.mark.first);
		out->last[OPENINGS] = k.mark.begin;
		out->last[EVIDENCE] = l.before.pack[0];
		out->last[JLIS] = l.before.pack[1];
	} else if (out->cut == 0)
		memset(out->last, 0, sizeof out->last);
	return ok;
}

err
recover_lines(const struct shelves *b, struct kept *out)
{
	struct look l OWNED(look_drop) = {0};

	TRY(look_at_end(b, &l));
	*out = (struct kept){.lines = l.total, .end = {[ENTRIES] = keep_end(&l, l.total)}};
	return ok;
}
