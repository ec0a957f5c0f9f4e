#include "act/line.h"
#include "base/seal.h"
#include "edge/book.h"
#include "edge/disk.h"
#include "edge/pack.h"
#include "edge/shelf.h"
#include "edge/tile.h"

_Static_assert(BOOK_SEGMENT_BYTES == SHELF_BYTES && BOOK_LINE_MAX == SHELF_LINE_MAX && BOOK_LINE_MAX == LINE_MAX,
    "a book's files are shelves of lines");

#define VERSION LIT("inkan-book 1\n")
#define TURN_BYTES_MAX (1U << 30)  /* pending in memory, per family: a J-LIS CRL of CRL_MAX and what comes with it */
#define TURN_BYTES_KEEP (8U << 20) /* of memory kept for the next turn                                            */
#define RECENT_SLOTS 16384         /* four pieces of evidence a line, half full                                    */

enum family { ENTRIES, OPENINGS, EVIDENCE, JLIS, FAMILIES };

struct recent {
	digest name;
	struct evidence_at at;
};

struct book {
	int folder, lock;
	bool write, broken;
	struct shelf shelf[FAMILIES];
	struct place end[FAMILIES]; /* what is committed ends here */
	struct tree tree, pending;
	struct tiles *tiles;
	instant last_at;

	/* this turn */
	struct buf out[FAMILIES];
	digest *leaf;
	size_t n_leaves, max_leaves;
	instant turn_at;
	/* evidence of the turn before [0, old) and of this one [old, n); slot: index + 1, by the digest's first bytes */
	struct recent *recent;
	size_t n_recent, old_recent, max_recent;
	uint16_t *slot;
};

/* --- marks ------------------------------------------------------------------- */

struct mark {
	bool there;
	uint64_t first, lines;
	struct place pack[2]; /* after its last member: evidence, jlis          */
	struct place begin;   /* of the turn's openings                         */
	struct place end;     /* after the mark itself                          */
};

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

static bool
mark_get(slice line, struct mark *out)
{
	struct mark m = {.there = true};

	if (!take_literal(&line, LIT("{\"n\":")) || !take_number(&line, ',', INT64_MAX, &m.first) ||
	    !take_literal(&line, LIT("\"turn\":")) || !take_number(&line, ',', BOOK_TURN_LINES_MAX, &m.lines) ||
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

static void
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
look_at_lines(const struct book *b, uint32_t file, struct look *l)
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
look_at_marks(const struct book *b, uint32_t file, struct look *l)
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
look_at(const struct book *b, struct look *l)
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
openings_are_whole(const struct book *b, const struct look *l, bool *whole)
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
pack_is_whole(const struct book *b, enum family f, struct place from, struct place end, bool *whole)
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
turn_is_whole(const struct book *b, const struct look *l, bool *whole)
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
decide(const struct book *b, const struct look *l, uint64_t floor, struct keep *out)
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

/* Lines go first: what a crash in between leaves has no lines, and is cut off at the next opening. */
static err
cut_off(struct book *b, const struct look *l, const struct keep *k, struct book_opened *o)
{
	struct place end[FAMILIES] = {
	    [ENTRIES] = keep_end(l, k->lines),
	    [OPENINGS] = k->mark.end,
	    [EVIDENCE] = k->mark.pack[0],
	    [JLIS] = k->mark.pack[1],
	};

	o->cut_lines = l->total - k->lines;
	for (int f = 0; f < FAMILIES; f++) {
		if (b->write)
			TRY(shelf_cut(&b->shelf[f], end[f], &o->cut_bytes));
		b->end[f] = end[f];
	}
	return ok;
}

static err
tile_lines(void *from, uint64_t index, digest out[TILE_NODES])
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;

	TRY(book_read_from(from, index * TILE_NODES, &r));
	for (unsigned i = 0; i < TILE_NODES; i++) {
		TRY(book_read_next(r, &n, &line));
		out[i] = tree_leaf(line);
	}
	return ok;
}

/* The leaves after the last full tile are hashed again; the rest of the tree comes from tiles. */
static err
build_tree(struct book *b, uint64_t size)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	digest *tail = b->leaf;
	uint64_t full = size & ~UINT64_C(255), n;
	slice line;
	instant at = {0};

	b->tree.size = size;
	if (size > 0) {
		TRY(book_read_from(b, full == size ? size - 1 : full, &r));
		do {
			TRY(book_read_next(r, &n, &line));
			if (!line_time(line, &at))
				return fail(ERR_CORRUPT, "book-lines: house: the end of the book cannot be read");
			if (n >= full)
				tail[n - full] = tree_leaf(line);
		} while (n + 1 < size);
	}
	b->last_at = at;
	return tiles_open(b->folder, b->write ? TILE_WRITE : TILE_READ, (struct tile_leaves){b, tile_lines}, size, tail,
	    &b->tiles, &b->tree);
}

static err
open_folder(struct book *b, const char *folder)
{
	static const struct {
		const char *name, *suffix;
	} names[FAMILIES] = {{"entries", ".jsonl"}, {"openings", ".jsonl"}, {"evidence", ".tar"}, {"jlis", ".tar"}};
	const enum shelf_mode mode = b->write ? SHELF_WRITE : SHELF_READ;
	struct buf version OWNED(buf_drop) = BUF(64);
	err e;

	TRY(disk_folder(DISK_HERE, folder, b->write ? FOLDER_MAKE : FOLDER_THERE, &b->folder));
	if (b->write) {
		TRY(disk_open(b->folder, "lock", DISK_MAKE, &b->lock));
		TRY(disk_lock(b->lock));
	}
	e = disk_load(b->folder, "version", &version);
	if (e.kind == ERR_ABSENT && b->write) {
		TRY(disk_replace(b->folder, "version", VERSION));
		buf_put(&version, VERSION);
	} else
		TRY(e);
	if (!slice_eq(buf_slice(&version), VERSION))
		return fail(ERR_CORRUPT, "book-version: house: the book is of a version this program does not know");
	for (int f = 0; f < FAMILIES; f++) {
		TRY(shelf_open(b->folder, names[f].name, names[f].suffix, mode, &b->shelf[f]));
		b->end[f] = shelf_end(&b->shelf[f]);
	}
	return ok;
}

err
book_open(const char *folder, enum book_mode mode, uint64_t floor, struct book **out, struct book_opened *opened)
{
	struct book *b OWNED(book_close) = mem_new(1, sizeof *b);
	struct look l OWNED(look_drop) = {0};
	struct book_opened o = {0};
	struct keep k = {0};

	*b = (struct book){.folder = -1, .lock = -1, .write = mode == BOOK_WRITE};
	for (int f = 0; f < FAMILIES; f++)
		b->out[f] = BUF(TURN_BYTES_MAX);
	b->max_leaves = BOOK_TURN_LINES_MAX;
	b->leaf = mem_new(b->max_leaves, sizeof *b->leaf);
	b->slot = mem_new(RECENT_SLOTS, sizeof *b->slot);
	TRY(open_folder(b, folder));
	TRY(look_at(b, &l));
	TRY(decide(b, &l, floor, &k));
	TRY(cut_off(b, &l, &k, &o));
	TRY(build_tree(b, k.lines));
	b->pending = b->tree;
	o.size = b->tree.size;
	o.root = tree_root(&b->tree);
	o.last_at = b->last_at;
	*out = b;
	*opened = o;
	b = NULL;
	return ok;
}

void
book_close(struct book **p)
{
	struct book *b = *p;

	if (b == NULL)
		return;
	tiles_close(&b->tiles);
	for (int f = 0; f < FAMILIES; f++) {
		shelf_close(&b->shelf[f]);
		buf_drop(&b->out[f]);
	}
	disk_close(&b->lock);
	disk_close(&b->folder);
	free(b->leaf);
	free(b->recent);
	free(b->slot);
	free(b);
	*p = NULL;
}

/* --- the writer ---------------------------------------------------------------- */

uint64_t
book_size(const struct book *b)
{
	return b->tree.size;
}

uint64_t
book_next(const struct book *b)
{
	return b->pending.size;
}

digest
book_root(const struct book *b)
{
	return tree_root(&b->tree);
}

digest
book_pending_root(const struct book *b)
{
	return tree_root(&b->pending);
}

instant
book_last_at(const struct book *b)
{
	return b->last_at;
}

static size_t
slot_of(const struct book *b, digest name)
{
	size_t i = ((size_t)name.b[0] << 8 | name.b[1]) % RECENT_SLOTS;

	while (b->slot[i] != 0 && !digest_eq(b->recent[b->slot[i] - 1].name, name))
		i = (i + 1) % RECENT_SLOTS;
	return i;
}

/* Remembers a member; beyond half full nothing more is remembered, and the same piece may be written twice. */
static void
recent_add(struct book *b, digest name, const struct evidence_at *at)
{
	size_t i;

	if (b->n_recent >= RECENT_SLOTS / 2)
		return;
	if (b->n_recent == b->max_recent) {
		b->max_recent = b->max_recent == 0 ? 256 : b->max_recent * 2;
		b->recent = mem_grow(b->recent, b->max_recent, sizeof *b->recent);
	}
	i = slot_of(b, name);
	b->recent[b->n_recent++] = (struct recent){name, *at};
	b->slot[i] = (uint16_t)b->n_recent;
}

/* Only those from `from` to `to` stay remembered. */
static void
recent_keep(struct book *b, size_t from, size_t to)
{
	size_t n = to - from;

	if (b->n_recent == 0)
		return;
	memset(b->slot, 0, RECENT_SLOTS * sizeof *b->slot);
	memmove(b->recent, b->recent + from, n * sizeof *b->recent);
	b->n_recent = b->old_recent = n;
	for (size_t i = 0; i < n; i++)
		b->slot[slot_of(b, b->recent[i].name)] = (uint16_t)(i + 1);
}

static void
add_member(struct book *b, enum family f, digest name, slice stored, struct evidence_at *at)
{
	struct place p = shelf_next(&b->shelf[f]);
	struct evidence_at where = {f == JLIS, p.file, p.offset + b->out[f].n, (uint32_t)stored.n};

	pack_put(&b->out[f], name, stored);
	recent_add(b, name, &where);
	*at = where;
}

static bool
is_recent(const struct book *b, digest name, bool sealed, struct evidence_at *at)
{
	uint16_t i = b->slot[slot_of(b, name)];

	if (i == 0 || b->recent[i - 1].at.sealed != sealed)
		return false;
	*at = b->recent[i - 1].at;
	return true;
}

void
book_add_evidence(struct book *b, digest name, slice bytes, struct evidence_at *at)
{
	assert(b->write);
	if (!is_recent(b, name, false, at))
		add_member(b, EVIDENCE, name, bytes, at);
}

void
book_add_sealed(struct book *b, digest name, slice bytes, slice seal_key, slice nonce, struct evidence_at *at)
{
	struct buf sealed OWNED(buf_drop) = BUF(TURN_BYTES_MAX);

	assert(b->write);
	if (is_recent(b, name, true, at))
		return;
	seal_put(&sealed, seal_key, nonce, digest_slice(&name), bytes);
	add_member(b, JLIS, name, buf_slice(&sealed), at);
}

void
book_add_opening(struct book *b, slice line)
{
	assert(b->write);
	buf_put(&b->out[OPENINGS], line);
	buf_put_u8(&b->out[OPENINGS], '\n');
}

void
book_add_line(struct book *b, slice line)
{
	uint64_t n = 0;
	instant at = {0};

	assert(b->write && line.n <= BOOK_LINE_MAX && b->n_leaves < b->max_leaves);
	assert(line_number(line, &n) && n == b->pending.size && line_time(line, &at));
	assert(b->n_leaves == 0 || at.ms == b->turn_at.ms);
	b->turn_at = at;
	b->leaf[b->n_leaves] = tree_leaf(line);
	tree_add(&b->pending, b->leaf[b->n_leaves]);
	b->n_leaves++;
	buf_put(&b->out[ENTRIES], line);
	buf_put_u8(&b->out[ENTRIES], '\n');
}

static void
turn_clear(struct book *b)
{
	for (int f = 0; f < FAMILIES; f++) {
		if (b->out[f].cap > TURN_BYTES_KEEP)
			buf_drop(&b->out[f]);
		else
			buf_clear(&b->out[f]);
	}
	b->n_leaves = 0;
}

void
book_rollback(struct book *b)
{
	recent_keep(b, 0, b->old_recent);
	turn_clear(b);
	b->pending = b->tree;
}

static struct place
end_after(const struct shelf *s, size_t n)
{
	struct place p = n == 0 ? shelf_end(s) : shelf_next(s);

	p.offset += n;
	return p;
}

/*
 * The order is the argument: a line is written only when all it speaks of is
 * durable; a crash between any two of these leaves what the next opening cuts.
 */
static err
write_turn(struct book *b)
{
	const struct mark m = {
	    .first = b->tree.size,
	    .lines = b->n_leaves,
	    .pack[0] = end_after(&b->shelf[EVIDENCE], b->out[EVIDENCE].n),
	    .pack[1] = end_after(&b->shelf[JLIS], b->out[JLIS].n),
	};
	/* One line alone is whole or torn by itself. */
	const bool marked = b->n_leaves > 1 || b->out[OPENINGS].n > 0 || b->out[EVIDENCE].n > 0 || b->out[JLIS].n > 0;

	if (marked)
		mark_put(&b->out[OPENINGS], &m);
	for (int f = 0; f < FAMILIES; f++)
		TRY(buf_check(&b->out[f]));
	b->broken = true;
	if (b->out[EVIDENCE].n > 0)
		TRY(shelf_append(&b->shelf[EVIDENCE], buf_slice(&b->out[EVIDENCE])));
	if (b->out[JLIS].n > 0)
		TRY(shelf_append(&b->shelf[JLIS], buf_slice(&b->out[JLIS])));
	if (marked)
		TRY(shelf_append(&b->shelf[OPENINGS], buf_slice(&b->out[OPENINGS])));
	TRY(shelf_append(&b->shelf[ENTRIES], buf_slice(&b->out[ENTRIES])));
	b->broken = false;
	return ok;
}

err
book_commit(struct book *b)
{
	assert(b->write);
	if (b->broken)
		return fail(ERR_WORLD, "book-broken: house: the book takes no more lines until it is opened anew");
	if (b->n_leaves == 0) {
		book_rollback(b);
		return ok;
	}
	if (b->tree.size > 0 && b->turn_at.ms <= b->last_at.ms)
		return fail(ERR_WORLD, "book-time: law 9: the clock stands before the last line of the book");
	TRY(write_turn(b));
	b->tree = b->pending;
	b->last_at = b->turn_at;
	for (size_t i = 0; i < b->n_leaves; i++)
		tiles_add(b->tiles, b->leaf[i]);
	for (int f = 0; f < FAMILIES; f++)
		b->end[f] = shelf_end(&b->shelf[f]);
	recent_keep(b, b->old_recent, b->n_recent);
	turn_clear(b);
	return ok;
}

/* --- readers ------------------------------------------------------------------- */

struct book_reader {
	struct shelf_lines *lines;
	bool openings;
	uint64_t next, size;
};

err
book_read_from(const struct book *b, uint64_t n, struct book_reader **out)
{
	struct book_reader *r OWNED(book_reader_close) = mem_new(1, sizeof *r);
	struct place from;

	r->next = n;
	r->size = b->tree.size;
	TRY(shelf_find(&b->shelf[ENTRIES], n, true, b->end[ENTRIES], &from));
	TRY(shelf_lines_open(&b->shelf[ENTRIES], from, b->end[ENTRIES], &r->lines));
	*out = r;
	r = NULL;
	return ok;
}

err
book_read_openings(const struct book *b, struct book_reader **out)
{
	struct book_reader *r OWNED(book_reader_close) = mem_new(1, sizeof *r);

	r->openings = true;
	TRY(shelf_lines_open(&b->shelf[OPENINGS], (struct place){0, 0}, b->end[OPENINGS], &r->lines));
	*out = r;
	r = NULL;
	return ok;
}

err
book_read_next(struct book_reader *r, uint64_t *n, slice *line)
{
	const err damaged =
	    fail(ERR_CORRUPT, "book-sequence: house: a line of the book is missing, damaged or out of order");
	uint64_t number = 0;
	struct place at;
	struct mark m;
	slice s;

	if (!r->openings && r->next >= r->size)
		return fail(ERR_ABSENT, "book-end: house: the book has no line of that number");
	for (;;) {
		err e = shelf_lines_next(r->lines, &s, &at);

		if (e.kind == ERR_INPUT || (e.kind == ERR_ABSENT && (!r->openings || shelf_lines_torn(r->lines))))
			return damaged;
		TRY(e);
		if (!line_number(s, &number))
			return damaged;
		if (r->openings ? mark_get(s, &m) : number < r->next)
			continue;
		break;
	}
	if (!r->openings && number != r->next)
		return damaged;
	r->next = number + 1;
	*n = number;
	*line = s;
	return ok;
}

void
book_reader_close(struct book_reader **r)
{
	if (*r == NULL)
		return;
	shelf_lines_close(&(*r)->lines);
	free(*r);
	*r = NULL;
}

static bool
is_zeros(slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0)
			return false;
	return s.n > 0;
}

err
book_evidence(const struct book *b, const struct evidence_at *at, digest name, slice seal_key, struct buf *out)
{
	const err erased =
	    fail(ERR_ABSENT, "evidence-erased: Rule 12(2), JPKI Ordinance 15-3: this evidence was erased by law");
	struct buf stored OWNED(buf_drop) = BUF(USTAR_SIZE_MAX), open OWNED(buf_drop) = BUF(out->max - out->n);
	struct place p = {at->pack, at->offset};
	slice bytes;

	if (at->sealed && seal_key.p == NULL)
		return erased;
	TRY(pack_read(&b->shelf[at->sealed ? JLIS : EVIDENCE], p, name, at->length, &stored));
	bytes = buf_slice(&stored);
	if (is_zeros(bytes) && !digest_eq(sha256(bytes), name))
		return erased;
	if (at->sealed) {
		if (seal_get(seal_key, digest_slice(&name), bytes, &open).kind != OK)
			return fail(ERR_CORRUPT, "evidence-sealed: house: a piece of evidence does not open with the key");
		bytes = buf_slice(&open);
	}
	if (!digest_eq(sha256(bytes), name))
		return fail(ERR_CORRUPT, "evidence-digest: house: a piece of evidence is not what its name says");
	buf_put(out, bytes);
	return buf_check(out);
}

err
book_evidence_next(const struct book *b, struct evidence_iter *iter, digest *name, struct evidence_at *at)
{
	struct evidence_iter i = *iter;

	for (;;) {
		enum family f = i.sealed ? JLIS : EVIDENCE;
		struct pack_walk w OWNED(pack_walk_close) = pack_walk_from((struct place){i.pack, i.offset}, b->end[f]);
		struct place p;
		uint32_t length;
		err e = pack_walk_next(&b->shelf[f], &w, name, &p, &length);

		if (e.kind == OK) {
			*at = (struct evidence_at){i.sealed, p.file, p.offset, length};
			i.started = true;
			i.pack = w.at.file;
			i.offset = w.at.offset;
			*iter = i;
			return ok;
		}
		if (e.kind != ERR_ABSENT || i.sealed)
			return e;
		i = (struct evidence_iter){.sealed = true, .started = true};
	}
}

err
book_find_evidence(const struct book *b, digest name, struct evidence_at *at)
{
	for (int f = EVIDENCE; f < FAMILIES; f++) {
		for (uint32_t i = b->end[f].file + 1; i-- > 0;) {
			struct place end = i == b->end[f].file ? b->end[f] : (struct place){i + 1, 0}, p;
			struct pack_walk w OWNED(pack_walk_close) = pack_walk_from((struct place){i, 0}, end);
			bool found = false;
			uint32_t length;
			digest d;
			err e;

			while ((e = pack_walk_next(&b->shelf[f], &w, &d, &p, &length)).kind == OK) {
				if (!digest_eq(d, name))
					continue;
				*at = (struct evidence_at){f == JLIS, p.file, p.offset, length};
				found = true;
			}
			if (e.kind != ERR_ABSENT)
				return e;
			if (found)
				return ok;
		}
	}
	return fail(ERR_ABSENT, "evidence-absent: house: the packs hold no such evidence");
}

err
book_erase_evidence(struct book *b, const struct evidence_at *at)
{
	int fd = -1;
	err e;

	assert(b->write);
	TRY(shelf_file(&b->shelf[at->sealed ? JLIS : EVIDENCE], at->pack, true, &fd));
	e = disk_erase(fd, at->offset + USTAR_BLOCK, ustar_padded(at->length));
	disk_close(&fd);
	return e;
}

err
book_erase_openings(struct book *b, uint64_t n)
{
	struct shelf_lines *lines OWNED(shelf_lines_close) = NULL;
	struct place from, at;
	uint64_t number;
	struct mark m;
	slice line;
	err e;

	assert(b->write);
	TRY(shelf_find(&b->shelf[OPENINGS], n, false, b->end[OPENINGS], &from));
	TRY(shelf_lines_open(&b->shelf[OPENINGS], from, b->end[OPENINGS], &lines));
	while ((e = shelf_lines_next(lines, &line, &at)).kind == OK) {
		int fd = -1;

		if (!line_number(line, &number))
			return fail(ERR_CORRUPT, "book-openings: house: an opening cannot be read");
		if (number > n + BOOK_TURN_LINES_MAX)
			return ok;
		if (number != n || mark_get(line, &m))
			continue;
		TRY(shelf_file(&b->shelf[OPENINGS], at.file, true, &fd));
		e = disk_erase(fd, at.offset, line.n + 1);
		disk_close(&fd);
		TRY(e);
	}
	return e.kind == ERR_ABSENT ? ok : e;
}

static err
node_of(void *from, unsigned level, uint64_t index, digest *out)
{
	struct book *b = from;

	return tiles_node(b->tiles, level, index, out);
}

struct tree_nodes
book_nodes(struct book *b)
{
	return (struct tree_nodes){b, node_of};
}

err
book_tile(const struct book *b, int level, uint64_t index, unsigned width, struct buf *out)
{
	if (level < 0)
		return fail(ERR_ABSENT, "tile-absent: C2SP tlog-tiles: the book has no such tile");
	return tiles_get(b->tiles, (unsigned)level, index, width, out);
}
