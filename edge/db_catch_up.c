#include "edge/db.h"

/*
 * Lines cite evidence by name; where it lies is found by walking the packs beside the lines.  Evidence is written by the
 * turn of the line that cites it, in their order: what was passed over and not cited yet stays few, and what is not found
 * AHEAD members further was erased by law, with its pack.  So nothing is held for each piece of evidence there is.
 */
#define AHEAD 16384U /* members; a turn adds some thousands at most */
#define FAMILIES 2   /* plain, sealed                               */

struct finder {
	struct book *book;
	struct evidence_iter iter[FAMILIES];
	bool ended[FAMILIES];
	uint64_t walked[FAMILIES], cited[FAMILIES]; /* members; the last of them that was cited */
	size_t n, cap;                              /* open addressing, cap a power of two */
	struct found {
		digest name;
		struct evidence_at at;
		uint64_t number; /* of its family, from 1; 0: free */
	} * table;
};

static void
finder_drop(struct finder *f)
{
	free(f->table);
	*f = (struct finder){0};
}

/* A digest is its own hash. */
static size_t
home(const struct finder *f, digest name)
{
	size_t h;

	memcpy(&h, name.b, sizeof h);
	return h & (f->cap - 1);
}

static struct found *
finder_slot(struct finder *f, digest name)
{
	size_t i = home(f, name);

	while (f->table[i].number != 0 && !digest_eq(f->table[i].name, name))
		i = (i + 1) & (f->cap - 1);
	return &f->table[i];
}

/* Room for one more; what was passed over long ago goes. */
static void
finder_room(struct finder *f)
{
	struct found *old = f->table;
	size_t cap = f->cap;

	if (2 * (f->n + 1) <= cap)
		return;
	f->cap = cap == 0 ? 1024 : cap < 16 * AHEAD ? 2 * cap : cap;
	f->table = mem_new(f->cap, sizeof *f->table);
	f->n = 0;
	for (size_t i = 0; i < cap; i++)
		if (old[i].number != 0 && old[i].number + AHEAD > f->cited[old[i].at.sealed]) {
			*finder_slot(f, old[i].name) = old[i];
			f->n++;
		}
	free(old);
}

/* Takes one out; those behind it move up, as far as their places allow. */
static void
finder_remove(struct finder *f, struct found *s)
{
	size_t hole = (size_t)(s - f->table), i = hole;

	f->n--;
	for (;;) {
		size_t h;

		f->table[hole].number = 0;
		do {
			i = (i + 1) & (f->cap - 1);
			if (f->table[i].number == 0)
				return;
			h = home(f, f->table[i].name);
		} while (hole <= i ? hole < h && h <= i : hole < h || h <= i);
		f->table[hole] = f->table[i];
		hole = i;
	}
}

/* One member on; false: the packs end, or it is far enough ahead. */
static err
finder_step(struct finder *f, unsigned family, digest *name, bool *stepped)
{
	struct evidence_at at;
	struct found *s;
	err e;

	*stepped = false;
	if (f->ended[family] || f->walked[family] >= f->cited[family] + AHEAD)
		return ok;
	e = book_evidence_next(f->book, &f->iter[family], name, &at);
	if (e.kind == ERR_ABSENT || (e.kind == OK && family == 0 && at.sealed)) {
		f->ended[family] = true;
		return ok;
	}
	TRY(e);
	*stepped = true;
	f->walked[family]++;
	finder_room(f);
	s = finder_slot(f, *name);
	if (s->number != 0)
		return ok; /* the first copy counts, as in the turn that wrote it */
	*s = (struct found){*name, at, f->walked[family]};
	f->n++;
	return ok;
}

/* Both families go on beside each other: which of them holds it, the line does not say. */
static err
finder_walk(struct finder *f, digest name, bool *found)
{
	bool going = true;

	while (going) {
		going = false;
		for (unsigned family = 0; family < FAMILIES; family++) {
			bool stepped;
			digest d;

			TRY(finder_step(f, family, &d, &stepped));
			going = going || stepped;
			if (stepped && digest_eq(d, name)) {
				*found = true;
				return ok;
			}
		}
	}
	return ok;
}

static err
finder_find(struct finder *f, struct db *db, digest name, struct evidence_at *out)
{
	bool found = f->cap > 0 && finder_slot(f, name)->number != 0;
	struct found *s;
	err e;

	if (!found) {
		e = db_place(db, name, out);
		if (e.kind != ERR_ABSENT)
			return e;
		TRY(finder_walk(f, name, &found));
	}
	if (!found) {
		*out = (struct evidence_at){0}; /* erased by law, with its pack */
		return ok;
	}
	s = finder_slot(f, name);
	*out = s->at;
	if (s->number > f->cited[s->at.sealed])
		f->cited[s->at.sealed] = s->number;
	finder_remove(f, s); /* the projection knows it from now on */
	return ok;
}

static err
apply_line(struct db *db, struct finder *f, slice line)
{
	struct entry e OWNED(entry_drop) = {0};
	struct evidence_at places[LINE_EVIDENCE_MAX] = {0};

	TRY(entry_get(line, &e));
	if (db_wants_places(&e))
		for (size_t i = 0; i < e.line.n_evidence; i++)
			TRY(finder_find(f, db, e.line.evidence[i], &places[i]));
	return db_apply(db, &e, places);
}

#define CATCH_UP_LINES 4096 /* a transaction: a crash costs little, a commit costs little */
#define ANEW_LINES 65536    /* … of a projection that is made anew, which a crash makes anew once more */

struct lines {
	struct book_reader *reader;
	uint64_t until, at;
	void (*step)(void *);
	void *with;
};

static err
catch_up_some(struct db *db, struct finder *f, struct lines *l, uint64_t lines)
{
	for (uint64_t i = 0; i < lines && l->at < l->until; i++) {
		uint64_t n;
		slice line;

		TRY(book_read_next(l->reader, &n, &line));
		TRY(apply_line(db, f, line));
		l->at = n + 1;
		if (l->step != NULL && l->at % CATCH_UP_LINES == 0)
			l->step(l->with);
	}
	return ok;
}

/* One transaction. */
static err
catch_up_turn(struct db *db, struct finder *f, struct lines *l, uint64_t lines)
{
	struct tree_nodes nodes = book_nodes(f->book);
	digest root;

	TRY(db_begin(db));
	TRY(catch_up_some(db, f, l, lines));
	TRY(tree_root_at(&nodes, l->at, &root));
	TRY(db_commit(db, (struct head){l->at, root}));
	return db_store(db);
}

err
db_catch_up(struct db *db, struct book *book, uint64_t until, void (*step)(void *), void *with)
{
	struct finder f OWNED(finder_drop) = {.book = book};
	struct lines l = {.until = until, .step = step, .with = with};
	struct tree_nodes nodes = book_nodes(book);
	struct head at = db_head(db);
	digest root;
	bool anew = at.size == 0 && until > CATCH_UP_LINES;
	err e = ok;

	if (at.size > book_size(book))
		return fail(ERR_CONFLICT, "db-leads: design 3: the projection knows lines the books do not have");
	if (at.size > 0) {
		TRY(tree_root_at(&nodes, at.size, &root));
		if (!digest_eq(root, at.root))
			return fail(ERR_CONFLICT, "db-root: design 3: the projection is of other books");
	}
	if (at.size >= until)
		return ok;
	f.iter[0] = db_walked(db, false);
	f.iter[1] = db_walked(db, true);
	TRY(book_read_from(book, at.size, &l.reader));
	l.at = at.size;
	if (anew)
		e = db_anew_begin(db);
	while (e.kind == OK && l.at < until) {
		e = catch_up_turn(db, &f, &l, anew ? ANEW_LINES : CATCH_UP_LINES);
		if (e.kind != OK)
			db_rollback(db);
		else if (step != NULL)
			step(with);
	}
	book_reader_close(&l.reader);
	return e.kind == OK && anew ? db_anew_end(db) : e;
}
