#include <stdio.h>

#include "act/tree.h"
#include "base/conf.h"
#include "cmd/inkanctl/books.h"
#include "edge/disk.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} SUBS[] = {
    {"verify", verify_main, "[FOLDER]  re-hashes, re-checks and reconciles everything"},
    {"show", show_main, "DOSSIER   one dossier as a person reads it"},
    {"replay", replay_main, "N         decides again from the stored evidence"},
    {"proof", proof_main, "N         that line N stands in the tree"},
    {"reindex", reindex_main, "          makes the projection anew from the books and compares"},
};

static const char USAGE[] = "usage: inkanctl books verify|show|replay|proof|reindex [--home DIR] [--json] ...\n";

int
books_main(int argc, char **argv)
{
	struct ctl c;
	enum done done;
	int rest;

	for (size_t i = 0; argc > 1 && i < COUNT(SUBS); i++)
		if (strcmp(argv[1], SUBS[i].name) == 0)
			return SUBS[i].run(argc - 1, argv + 1);
	if (!ctl_get(&c, argc, argv, USAGE, &done, &rest)) {
		for (size_t i = 0; i < COUNT(SUBS); i++)
			fprintf(done == DONE_OK ? stdout : stderr, "  %-8s %s\n", SUBS[i].name, ctl_words(&c, SUBS[i].help));
		return done;
	}
	fputs(ctl_words(&c, USAGE), stderr);
	return DONE_USAGE;
}

/* --- opening --------------------------------------------------------------------- */

/* Absent is nothing; anything else that cannot be read is said. */
static err
load_if(int folder, slice name, struct buf *out, bool *there)
{
	struct buf path OWNED(buf_drop) = BUF(1024);
	err e;

	buf_put(&path, name);
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	e = disk_load(folder, (const char *)path.p, out);
	*there = e.kind == OK;
	return e.kind == ERR_ABSENT ? ok : e;
}

/* The names the house's own configuration gives these files. */
static err
load_house(struct books *b)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX), trust OWNED(buf_drop) = BUF(CONF_MAX);
	struct buf key OWNED(buf_drop) = BUF(SECRET_MAX);
	struct conf *c OWNED(conf_drop) = NULL;
	slice trust_name = LIT("trust.conf"), key_name = LIT("keys/jlis.key");
	bool there;
	err e;

	TRY(load_if(b->folder, LIT("inkan.conf"), &text, &there));
	if (there) {
		TRY(conf_get(buf_slice(&text), &c));
		trust_name = conf_text_or(c, LIT("registrar"), "trust", trust_name);
		key_name = conf_text_or(c, LIT("registrar"), "jlis_key", key_name);
	}
	TRY(load_if(b->folder, trust_name, &trust, &there));
	if (there)
		TRY(trust_get(buf_slice(&trust), &b->trust));
	/* A key that this reader may not read is as if it were gone: sealed pieces stay sealed. */
	e = load_if(b->folder, key_name, &key, &there);
	if (e.kind == OK && there && key.n == 32)
		e = secret_set(&b->key, buf_slice(&key));
	wipe(key.p, key.n);
	return e.kind == ERR_WORLD ? ok : e;
}

err
books_open(const char *home, struct books *out)
{
	struct books b OWNED(books_drop) = {.home = home, .folder = -1};
	struct buf path OWNED(buf_drop) = BUF(4096);
	const err absent = fail(ERR_WORLD, "books-absent: house: there are no books in this folder");
	uint64_t size;
	err e;

	e = disk_folder(DISK_HERE, home, FOLDER_THERE, &b.folder);
	if (e.kind == ERR_ABSENT)
		return absent;
	TRY(e);
	b.alone = disk_size_of(b.folder, "version", &size).kind == OK;
	if (!b.alone)
		TRY(load_house(&b));
	buf_put_str(&path, home);
	if (!b.alone)
		buf_put_str(&path, "/books");
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	e = book_open((const char *)path.p, BOOK_READ, 0, &b.book, &b.opened);
	if (e.kind == ERR_ABSENT)
		return absent;
	TRY(e);
	*out = b;
	b = (struct books){.folder = -1};
	return ok;
}

err
books_open_lines(const char *folder, struct books *out)
{
	struct books b OWNED(books_drop) = {.home = folder, .folder = -1, .alone = true};
	err e = book_open(folder, BOOK_LINES, 0, &b.book, &b.opened);

	if (e.kind == ERR_ABSENT)
		return fail(ERR_WORLD, "books-absent: house: there are no books in this folder");
	TRY(e);
	*out = b;
	b = (struct books){.folder = -1};
	return ok;
}

void
books_drop(struct books *b)
{
	book_close(&b->book);
	trust_drop(&b->trust);
	secret_drop(&b->key);
	disk_close(&b->folder);
}

slice
books_key(const struct books *b)
{
	return b->key.n == 0 ? (slice){NULL, 0} : secret_slice(&b->key);
}

err
books_evidence(const struct books *b, digest name, struct buf *out)
{
	struct evidence_at at;

	TRY(book_find_evidence(b->book, name, &at));
	return book_evidence(b->book, &at, name, books_key(b), out);
}

err
books_line(const struct books *b, uint64_t n, struct buf *text, struct entry *out)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t number;
	slice line;

	TRY(book_read_from(b->book, n, &r));
	TRY(book_read_next(r, &number, &line));
	buf_clear(text);
	buf_put(text, line);
	TRY(buf_check(text));
	return entry_get(buf_slice(text), out);
}

/* --- proof ------------------------------------------------------------------------- */

struct proof {
	uint64_t n, size;
	digest leaf, root;
	digest node[TREE_PROOF_MAX];
	size_t nodes;
	bool signed_;          /* the root is that of a checkpoint whose signature was verified */
	struct buf line, note; /* owned */
};

static void
proof_drop(struct proof *p)
{
	buf_drop(&p->line);
	buf_drop(&p->note);
}

/* The published checkpoint, where it covers the line: then the proof leads to a signed root. */
static err
take_checkpoint(const struct books *b, struct proof *p)
{
	struct checkpoint c;
	bool there;

	if (b->alone || b->trust == NULL)
		return ok;
	TRY(load_if(b->folder, LIT("repository/books/checkpoint"), &p->note, &there));
	if (!there)
		return ok;
	TRY(checkpoint_get(buf_slice(&p->note), &c));
	TRY(checkpoint_check(&c, b->trust->origin, b->trust->status_key));
	if (c.size > b->opened.size)
		return fail(ERR_CORRUPT, "proof-checkpoint: law 9: the published checkpoint has more lines than the books");
	if (c.size <= p->n)
		return ok;
	p->size = c.size;
	p->root = c.root;
	p->signed_ = true;
	return ok;
}

static err
prove(const struct books *b, struct proof *p)
{
	struct tree_nodes nodes = book_nodes(b->book);
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;

	TRY(book_read_from(b->book, p->n, &r));
	TRY(book_read_next(r, &n, &line));
	buf_put(&p->line, line);
	p->leaf = tree_leaf(line);
	p->size = b->opened.size;
	p->root = b->opened.root;
	TRY(take_checkpoint(b, p));
	TRY(tree_inclusion(&nodes, p->n, p->size, p->node, &p->nodes));
	return tree_check_inclusion(p->leaf, p->n, p->size, p->node, p->nodes, p->root);
}

static void
put_base64_text(struct buf *b, digest d)
{
	struct buf t OWNED(buf_drop) = BUF(64);

	buf_put_base64(&t, digest_slice(&d));
	json_put_text(b, buf_slice(&t));
}

static void
print_proof(const struct ctl *c, const struct proof *p)
{
	struct buf b OWNED(buf_drop) = BUF(64U << 10);

	if (c->json) {
		json_open(&b, '{');
		json_put_named_number(&b, "n", p->n);
		json_put_named(&b, "line", buf_slice(&p->line));
		json_put_name(&b, "leaf");
		put_base64_text(&b, p->leaf);
		json_put_named_number(&b, "size", p->size);
		json_put_name(&b, "root");
		put_base64_text(&b, p->root);
		json_put_name(&b, "signed");
		json_put_bool(&b, p->signed_);
		if (p->signed_)
			json_put_named(&b, "checkpoint", buf_slice(&p->note));
		json_put_name(&b, "proof");
		json_open(&b, '[');
		for (size_t i = 0; i < p->nodes; i++)
			put_base64_text(&b, p->node[i]);
		json_close(&b, ']');
		json_close(&b, '}');
		buf_put_u8(&b, '\n');
	} else {
		buf_put(&b, buf_slice(&p->line));
		buf_put_str(&b, "\n\nleaf ");
		buf_put_base64(&b, digest_slice(&p->leaf));
		for (size_t i = 0; i < p->nodes; i++) {
			buf_put_str(&b, "\nnode ");
			buf_put_base64(&b, digest_slice(&p->node[i]));
		}
		buf_put_str(&b, "\nroot ");
		buf_put_base64(&b, digest_slice(&p->root));
		buf_put_str(&b, "\nsize ");
		buf_put_decimal(&b, p->size);
		buf_put_str(&b, "\n\n");
		buf_put_str(&b,
		    p->signed_
		        ? ctl_words(c, "The line stands in the tree of the signed checkpoint:")
		        : ctl_words(c, "The line stands in the books as they are now; no signed checkpoint covers it yet."));
		buf_put_u8(&b, '\n');
		if (p->signed_)
			buf_put(&b, buf_slice(&p->note));
	}
	fwrite(b.p, 1, b.n, stdout);
}

int
proof_main(int argc, char **argv)
{
	struct proof p OWNED(proof_drop) = {.line = BUF(LINE_MAX), .note = BUF(CHECKPOINT_MAX)};
	struct books b OWNED(books_drop) = {.folder = -1};
	struct ctl c;
	enum done done;
	int rest;
	err e;

	if (!ctl_get(&c, argc, argv, "usage: inkanctl books proof N [--home DIR] [--json]\n", &done, &rest))
		return done;
	if (rest + 1 != argc || decimal_get(slice_str(argv[rest]), INT64_MAX, &p.n).kind != OK) {
		fputs("usage: inkanctl books proof N [--home DIR] [--json]\n", stderr);
		return DONE_USAGE;
	}
	e = books_open(c.home, &b);
	if (e.kind == OK)
		e = prove(&b, &p);
	if (e.kind != OK)
		return ctl_fail(&c, e);
	print_proof(&c, &p);
	return DONE_OK;
}
