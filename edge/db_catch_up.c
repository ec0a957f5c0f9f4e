#include "edge/db.h"

/*
 * Lines cite evidence by name; where it lies is found by walking the packs beside
 * the lines.  Evidence is written in the order of the lines that cite it, so what
 * was passed over and not cited yet stays few.
 */
struct finder {
	struct book *book;
	struct evidence_iter iter[2]; /* plain, sealed */
	bool ended[2];
	size_t n, cap; /* open addressing, cap a power of two */
	struct found {
		digest name;
		struct evidence_at at;
		bool used;
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
name_hash(digest name)
{
	size_t h;

	memcpy(&h, name.b, sizeof h);
	return h;
}

static struct found *
finder_slot(struct finder *f, digest name)
{
	size_t i = name_hash(name) & (f->cap - 1);

	while (f->table[i].used && !digest_eq(f->table[i].name, name))
		i = (i + 1) & (f->cap - 1);
	return &f->table[i];
}

static void
finder_put(struct finder *f, digest name, struct evidence_at at)
{
	struct found *s;

	if (2 * (f->n + 1) > f->cap) {
		struct found *old = f->table;
		size_t cap = f->cap;

		f->cap = cap == 0 ? 1024 : 2 * cap;
		f->table = mem_new(f->cap, sizeof *f->table);
		for (size_t i = 0; i < cap; i++)
			if (old[i].used)
				*finder_slot(f, old[i].name) = old[i];
		free(old);
	}
	s = finder_slot(f, name);
	if (s->used)
		return; /* the first copy counts, as in the turn that wrote it */
	*s = (struct found){name, at, true};
	f->n++;
}

/* Walks one family on until `name` is found or the packs end. */
static err
finder_walk(struct finder *f, unsigned family, digest name, bool *found)
{
	while (!f->ended[family]) {
		struct evidence_at at;
		digest d;
		err e = book_evidence_next(f->book, &f->iter[family], &d, &at);

		if (e.kind == ERR_ABSENT || (e.kind == OK && family == 0 && at.sealed)) {
			f->ended[family] = true;
			break;
		}
		TRY(e);
		finder_put(f, d, at);
		if (digest_eq(d, name)) {
			*found = true;
			return ok;
		}
	}
	return ok;
}

static err
finder_find(struct finder *f, struct db *db, digest name, struct evidence_at *out)
{
	bool found = f->cap > 0 && finder_slot(f, name)->used;
	err e;

	if (!found) {
		e = db_place(db, name, out);
		if (e.kind != ERR_ABSENT)
			return e;
		TRY(finder_walk(f, 0, name, &found));
		if (!found)
			TRY(finder_walk(f, 1, name, &found));
	}
	if (!found) {
		*out = (struct evidence_at){0}; /* erased by law, with its pack */
		return ok;
	}
	*out = finder_slot(f, name)->at;
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

static err
catch_up_some(struct db *db, struct finder *f, struct book_reader *r, uint64_t until, uint64_t *at)
{
	for (size_t i = 0; i < CATCH_UP_LINES && *at < until; i++) {
		uint64_t n;
		slice line;

		TRY(book_read_next(r, &n, &line));
		TRY(apply_line(db, f, line));
		*at = n + 1;
	}
	return ok;
}

err
db_catch_up(struct db *db, struct book *book, uint64_t until, void (*step)(void *), void *with)
{
	struct finder f OWNED(finder_drop) = {.book = book};
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct tree_nodes nodes = book_nodes(book);
	struct head at = db_head(db);
	digest root;

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
	TRY(book_read_from(book, at.size, &r));
	while (at.size < until) {
		err e;

		TRY(db_begin(db));
		e = catch_up_some(db, &f, r, until, &at.size);
		if (e.kind == OK)
			e = tree_root_at(&nodes, at.size, &at.root);
		if (e.kind == OK)
			e = db_commit(db, at);
		if (e.kind != OK) {
			db_rollback(db);
			return e;
		}
		TRY(db_store(db));
		if (step != NULL)
			step(with);
	}
	return ok;
}
