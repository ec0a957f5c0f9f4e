#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/inkanctl/books.h"
#include "edge/db.h"

/*
 * The projection made anew from the books alone, in a place of its own, and held
 * against the one the registrar keeps: a fold has no memory, so both say the same.
 */
static const char USAGE[] = "usage: inkanctl books reindex [--home DIR] [--json]\n";

struct reindex {
	char folder[64], path[128], old[4096];
	struct db *db, *kept; /* made anew; the registrar's, or NULL when it cannot be read */
	uint64_t lines;
	digest anew, before;
	err why; /* kept is NULL: why */
	const struct ctl *ctl;
};

static void
reindex_drop(struct reindex *r)
{
	db_close(&r->db);
	db_close(&r->kept);
	if (r->folder[0] == '\0')
		return;
	db_delete(r->path);
	(void)rmdir(r->folder);
}

static void
progress(void *with)
{
	const struct reindex *r = with;

	if (r->ctl->progress)
		fprintf(stderr, "\r%llu / %llu ", (unsigned long long)db_head(r->db).size, (unsigned long long)r->lines);
}

static err
make_anew(struct reindex *r, const struct books *b)
{
	snprintf(r->folder, sizeof r->folder, "/tmp/inkan-reindex-XXXXXX");
	if (mkdtemp(r->folder) == NULL) {
		r->folder[0] = '\0';
		return fail(ERR_WORLD, "reindex-folder: house: there is no room for a second projection in /tmp");
	}
	snprintf(r->path, sizeof r->path, "%s/state.db", r->folder);
	TRY(db_open(r->path, &r->db));
	r->lines = r->kept != NULL ? db_head(r->kept).size : book_size(b->book);
	TRY(db_catch_up(r->db, b->book, r->lines, progress, r));
	return db_digest(r->db, &r->anew);
}

static err
compare(struct reindex *r, const struct books *b)
{
	if (snprintf(r->old, sizeof r->old, "%s/state/state.db", b->home) >= (int)sizeof r->old)
		return fail(ERR_INPUT, "reindex-path: house: the path of the house's folder is too long");
	r->why = db_open_read(r->old, &r->kept);
	if (r->kept != NULL) {
		TRY(db_digest(r->kept, &r->before));
		if (db_head(r->kept).size > book_size(b->book))
			return fail(ERR_BUSY, "reindex-again: house: the house wrote on meanwhile; ask again");
	}
	return make_anew(r, b);
}

int
reindex_main(int argc, char **argv)
{
	struct reindex r OWNED(reindex_drop) = {.folder = ""};
	struct books b OWNED(books_drop) = {.folder = -1};
	struct buf line OWNED(buf_drop) = BUF(1024);
	struct ctl c;
	enum done done;
	bool equal;
	int rest;
	err e;

	if (!ctl_get(&c, argc, argv, USAGE, &done, &rest))
		return done;
	if (rest != argc) {
		fputs(USAGE, stderr);
		return DONE_USAGE;
	}
	r.ctl = &c;
	e = books_open(c.home, &b);
	if (e.kind == OK)
		e = compare(&r, &b);
	if (c.progress)
		fputc('\n', stderr);
	if (e.kind != OK)
		return ctl_fail(&c, e);
	equal = r.kept != NULL && digest_eq(r.anew, r.before);
	if (c.json) {
		json_open(&line, '{');
		json_put_named_number(&line, "lines", r.lines);
		json_put_named_hex(&line, "anew", digest_slice(&r.anew));
		if (r.kept != NULL)
			json_put_named_hex(&line, "kept", digest_slice(&r.before));
		json_put_name(&line, "equal");
		json_put_bool(&line, equal);
		json_close(&line, '}');
		buf_put_u8(&line, '\n');
		fwrite(line.p, 1, line.n, stdout);
	} else
		printf("%llu: %s\n", (unsigned long long)r.lines,
		    ctl_words(&c, equal ? "the projection made anew from the books equals the one in use"
		                  : r.kept != NULL
		                      ? "the projection in use does not say what the books say: stop the house, delete "
		                        "state/state.db, start it again"
		                      : "there is no projection to compare with; the house makes one when it starts"));
	return equal ? DONE_OK : DONE_NO;
}
