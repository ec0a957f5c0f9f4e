#include "act/line.h"
#include "base/seal.h"
#include "edge/book.h"
#include "edge/disk.h"
#include "edge/pack.h"
#include "edge/recover.h"
#include "edge/shelf.h"
#include "edge/tile.h"

_Static_assert(BOOK_SEGMENT_BYTES == SHELF_BYTES && BOOK_LINE_MAX == SHELF_LINE_MAX && BOOK_LINE_MAX == LINE_MAX &&
                   BOOK_TURN_LINES_MAX == TURN_LINES_MAX,
    "a book's files are shelves of lines");

#define VERSION LIT("inkan-book 1\n")
#define TURN_BYTES_MAX (1U << 30)  /* pending in memory, per family: a J-LIS CRL of CRL_MAX and what comes with it */
#define TURN_BYTES_KEEP (8U << 20) /* of memory kept for the next turn                                            */
#define RECENT_SLOTS 16384         /* four pieces of evidence a line, half full                                    */

struct recent {
	digest name;
	struct evidence_at at;
};

struct book {
	struct shelves s; /* what is committed ends at s.end */
	int lock;
	bool broken;
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

/* --- opening ----------------------------------------------------------------- */

/*
 * What is found whole may be so in memory only, after a failed sync or a writer that was killed between writing and
 * syncing; whoever asks is answered from it.  So the last turn is made durable before the book is open.
 */
static err
renew(struct book *b, const struct kept *k)
{
	for (int f = FAMILIES; f-- > 0;) /* lines last, as ever */
		TRY(shelf_renew(&b->s.shelf[f], k->last[f]));
	return ok;
}

/* Lines go first: what a crash in between leaves has no lines, and is cut off at the next opening. */
static err
cut_off(struct book *b, const struct kept *k, struct book_opened *o)
{
	o->cut_lines = k->cut;
	for (int f = 0; f < FAMILIES; f++) {
		if (b->s.write)
			TRY(shelf_cut(&b->s.shelf[f], k->end[f], &o->cut_bytes));
		b->s.end[f] = k->end[f];
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
	return tiles_open(b->s.folder, b->s.write ? TILE_WRITE : TILE_READ, (struct tile_leaves){b, tile_lines}, size, tail,
	    &b->tiles, &b->tree);
}

static err
open_folder(struct book *b, const char *folder, bool lines_alone)
{
	static const struct {
		const char *name, *suffix;
	} names[FAMILIES] = {{"entries", ".jsonl"}, {"openings", ".jsonl"}, {"evidence", ".tar"}, {"jlis", ".tar"}};
	const enum shelf_mode mode = b->s.write ? SHELF_WRITE : SHELF_READ;
	struct buf version OWNED(buf_drop) = BUF(64);
	err e;

	TRY(disk_folder(DISK_HERE, folder,
	    b->s.write    ? FOLDER_MAKE
	    : lines_alone ? FOLDER_PASS
	                  : FOLDER_THERE,
	    &b->s.folder));
	if (b->s.write) {
		TRY(disk_open(b->s.folder, "lock", DISK_MAKE, &b->lock));
		TRY(disk_lock(b->lock));
	}
	e = disk_load(b->s.folder, "version", &version);
	if (e.kind == ERR_ABSENT && b->s.write) {
		TRY(disk_replace(b->s.folder, "version", VERSION));
		buf_put(&version, VERSION);
	} else
		TRY(e);
	if (!slice_eq(buf_slice(&version), VERSION))
		return fail(ERR_CORRUPT, "book-version: house: the book is of a version this program does not know");
	for (int f = 0; f < FAMILIES; f++) {
		if (lines_alone && f != ENTRIES) {
			b->s.shelf[f] = (struct shelf){.folder = -1, .last = -1, .suffix = names[f].suffix};
			continue;
		}
		TRY(shelf_open(b->s.folder, names[f].name, names[f].suffix, mode, &b->s.shelf[f]));
		b->s.end[f] = shelf_end(&b->s.shelf[f]);
	}
	return ok;
}

err
book_open(const char *folder, enum book_mode mode, uint64_t floor, struct book **out, struct book_opened *opened)
{
	struct book *b OWNED(book_close) = mem_new(1, sizeof *b);
	struct book_opened o = {0};
	struct kept k = {0};

	*b = (struct book){.s = {.folder = -1, .write = mode == BOOK_WRITE}, .lock = -1};
	for (int f = 0; f < FAMILIES; f++)
		b->out[f] = BUF(TURN_BYTES_MAX);
	b->max_leaves = BOOK_TURN_LINES_MAX;
	b->leaf = mem_new(b->max_leaves, sizeof *b->leaf);
	b->slot = mem_new(RECENT_SLOTS, sizeof *b->slot);
	TRY(open_folder(b, folder, mode == BOOK_LINES));
	TRY(mode == BOOK_LINES ? recover_lines(&b->s, &k) : recover_look(&b->s, floor, &k));
	TRY(cut_off(b, &k, &o));
	if (b->s.write)
		TRY(renew(b, &k));
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
		shelf_close(&b->s.shelf[f]);
		buf_drop(&b->out[f]);
	}
	disk_close(&b->lock);
	disk_close(&b->s.folder);
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
	struct place p = shelf_next(&b->s.shelf[f]);
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
	assert(b->s.write);
	if (!is_recent(b, name, false, at))
		add_member(b, EVIDENCE, name, bytes, at);
}

void
book_add_sealed(struct book *b, digest name, slice bytes, slice seal_key, slice nonce, struct evidence_at *at)
{
	struct buf sealed OWNED(buf_drop) = BUF(TURN_BYTES_MAX);

	assert(b->s.write);
	if (is_recent(b, name, true, at))
		return;
	seal_put(&sealed, seal_key, nonce, digest_slice(&name), bytes);
	add_member(b, JLIS, name, buf_slice(&sealed), at);
}

void
book_add_opening(struct book *b, slice line)
{
	assert(b->s.write);
	buf_put(&b->out[OPENINGS], line);
	buf_put_u8(&b->out[OPENINGS], '\n');
}

void
book_add_line(struct book *b, slice line)
{
	uint64_t n = 0;
	instant at = {0};

	assert(b->s.write && line.n <= BOOK_LINE_MAX && b->n_leaves < b->max_leaves);
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
	    .pack[0] = end_after(&b->s.shelf[EVIDENCE], b->out[EVIDENCE].n),
	    .pack[1] = end_after(&b->s.shelf[JLIS], b->out[JLIS].n),
	};
	/* One line alone is whole or torn by itself. */
	const bool marked = b->n_leaves > 1 || b->out[OPENINGS].n > 0 || b->out[EVIDENCE].n > 0 || b->out[JLIS].n > 0;

	if (marked)
		mark_put(&b->out[OPENINGS], &m);
	for (int f = 0; f < FAMILIES; f++)
		TRY(buf_check(&b->out[f]));
	b->broken = true;
	for (int f = 0; f < FAMILIES; f++) /* all before the first sync: the disk may take them together */
		if (f != ENTRIES && b->out[f].n > 0)
			TRY(shelf_append(&b->s.shelf[f], buf_slice(&b->out[f])));
	for (int f = 0; f < FAMILIES; f++)
		if (f != ENTRIES && b->out[f].n > 0)
			TRY(shelf_sync(&b->s.shelf[f]));
	TRY(shelf_append(&b->s.shelf[ENTRIES], buf_slice(&b->out[ENTRIES])));
	TRY(shelf_sync(&b->s.shelf[ENTRIES]));
	b->broken = false;
	return ok;
}

/*
 * What a failed turn wrote goes at once, and its blocks with it.  Written again over pages whose first writing failed and
 * synced without an error it may be lost all the same: ext4 leaves such blocks marked as never written, and after the next
 * mount they are zeros.  Where cutting fails too the next opening decides by what it finds.
 */
static void
undo_turn(struct book *b)
{
	uint64_t bytes = 0;

	for (int f = 0; f < FAMILIES; f++) /* lines first, as in cut_off */
		if (shelf_cut(&b->s.shelf[f], b->s.end[f], &bytes).kind != OK)
			return;
}

err
book_commit(struct book *b)
{
	err e;

	assert(b->s.write);
	if (b->broken)
		return fail(ERR_WORLD, "book-broken: house: the book takes no more lines until it is opened anew");
	if (b->n_leaves == 0) {
		book_rollback(b);
		return ok;
	}
	if (b->tree.size > 0 && b->turn_at.ms <= b->last_at.ms)
		return fail(ERR_WORLD, "book-time: law 9: the clock stands before the last line of the book");
	e = write_turn(b);
	if (e.kind != OK) {
		if (b->broken)
			undo_turn(b);
		return e;
	}
	b->tree = b->pending;
	b->last_at = b->turn_at;
	for (size_t i = 0; i < b->n_leaves; i++)
		tiles_add(b->tiles, b->leaf[i]);
	for (int f = 0; f < FAMILIES; f++)
		b->s.end[f] = shelf_end(&b->s.shelf[f]);
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
	TRY(shelf_find(&b->s.shelf[ENTRIES], n, true, b->s.end[ENTRIES], &from));
	TRY(shelf_lines_open(&b->s.shelf[ENTRIES], from, b->s.end[ENTRIES], &r->lines));
	*out = r;
	r = NULL;
	return ok;
}

err
book_read_openings(const struct book *b, struct book_reader **out)
{
	struct book_reader *r OWNED(book_reader_close) = mem_new(1, sizeof *r);

	r->openings = true;
	TRY(shelf_lines_open(&b->s.shelf[OPENINGS], (struct place){0, 0}, b->s.end[OPENINGS], &r->lines));
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
	TRY(pack_read(&b->s.shelf[at->sealed ? JLIS : EVIDENCE], p, name, at->length, &stored));
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
		struct pack_walk w OWNED(pack_walk_close) = pack_walk_from((struct place){i.pack, i.offset}, b->s.end[f]);
		struct place p;
		uint32_t length;
		err e = pack_walk_next(&b->s.shelf[f], &w, name, &p, &length);

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
		for (uint32_t i = b->s.end[f].file + 1; i-- > 0;) {
			struct place end = i == b->s.end[f].file ? b->s.end[f] : (struct place){i + 1, 0}, p;
			struct pack_walk w OWNED(pack_walk_close) = pack_walk_from((struct place){i, 0}, end);
			bool found = false;
			uint32_t length;
			digest d;
			err e;

			while ((e = pack_walk_next(&b->s.shelf[f], &w, &d, &p, &length)).kind == OK) {
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

	assert(b->s.write);
	TRY(shelf_file(&b->s.shelf[at->sealed ? JLIS : EVIDENCE], at->pack, true, &fd));
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

	assert(b->s.write);
	TRY(shelf_find(&b->s.shelf[OPENINGS], n, false, b->s.end[OPENINGS], &from));
	TRY(shelf_lines_open(&b->s.shelf[OPENINGS], from, b->s.end[OPENINGS], &lines));
	while ((e = shelf_lines_next(lines, &line, &at)).kind == OK) {
		int fd = -1;

		if (!line_number(line, &number))
			return fail(ERR_CORRUPT, "book-openings: house: an opening cannot be read");
		if (number > n + BOOK_TURN_LINES_MAX)
			return ok;
		if (number != n || mark_get(line, &m))
			continue;
		TRY(shelf_file(&b->s.shelf[OPENINGS], at.file, true, &fd));
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
