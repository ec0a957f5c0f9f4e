/*
 * The books keep what was promised: an entry answered with {n, at, line} must be
 * leaf n of the published tree (RFC 6962), for good.  Tiles are fetched as C2SP
 * tlog-tiles has them; the proof is made here from them, so the service is asked
 * for nothing that names this person's entry alone.
 */
#include "act/tree.h"
#include "base/text.h"
#include "cmd/inkan/inkan.h"

#define PROMISE_FILE "promises.jsonl"
#define PROMISE_FILE_MAX (1U << 20)
#define BOOKS_KEY_FILE "books.spki"
#define TILE_NODES 256
#define TILES_KEPT 16 /* a proof in a tree of 2^64 leaves needs 8 levels, two tiles each */
#define LINE_READ_MAX (32U << 10)

void
promise_drop(struct promise *p)
{
	buf_drop(&p->line);
}

/* Line, number and time of an answer or of our own file agree. */
static err
promise_get(slice in, struct promise *out)
{
	struct json *doc OWNED(json_drop) = NULL, *line_doc OWNED(json_drop) = NULL;
	struct promise p = {.line = BUF(LINE_READ_MAX)};
	uint64_t n;
	slice at, line, line_at;

	TRY(json_get(in, &doc));
	TRY(json_natural(json_root(doc), "n", &p.n));
	TRY(json_text(json_root(doc), "at", &at));
	TRY(instant_get(at, &p.at));
	TRY(json_text(json_root(doc), "line", &line));
	TRY(json_get(line, &line_doc));
	TRY(json_natural(json_root(line_doc), "n", &n));
	TRY(json_text(json_root(line_doc), "at", &line_at));
	if (n != p.n || !slice_eq(at, line_at))
		return fail(ERR_INPUT, "promise-line: Rule 12: the entry's line says another number or time than the answer");
	buf_put(&p.line, line);
	if (p.line.over) {
		promise_drop(&p);
		return fail(ERR_INPUT, "promise-line: Rule 12: the entry's line says another number or time than the answer");
	}
	*out = p;
	return ok;
}

bool
promise_is(const struct promise *p, const char *act)
{
	struct json *doc OWNED(json_drop) = NULL;
	slice s;

	return json_get(buf_slice(&p->line), &doc).kind == OK && json_text(json_root(doc), "act", &s).kind == OK &&
	       slice_eq(s, slice_str(act));
}

static void
promise_put(struct buf *b, const struct promise *p)
{
	struct buf at OWNED(buf_drop) = BUF(32);

	instant_put(&at, p->at);
	json_open(b, '{');
	json_put_named_number(b, "n", p->n);
	json_put_named(b, "at", buf_slice(&at));
	json_put_named(b, "line", buf_slice(&p->line));
	json_close(b, '}');
}

err
promise_take(struct inkan *k, slice answer, struct promise *out)
{
	struct buf kept OWNED(buf_drop) = BUF(2 * LINE_READ_MAX), n OWNED(buf_drop) = BUF(20),
	                when OWNED(buf_drop) = BUF(64);

	TRY(promise_get(answer, out));
	promise_put(&kept, out);
	buf_put_u8(&kept, '\n');
	TRY(buf_check(&kept));
	TRY(store_append(k, PROMISE_FILE, buf_slice(&kept)));
	buf_put_decimal(&n, out->n);
	put_when(&when, k->lang, out->at);
	SAY(k, "It stands in the books as entry {1} of {2}. The line is kept in your folder.", buf_slice(&n),
	    buf_slice(&when));
	if (k->o.json) {
		json_put_name(&k->json, "entry");
		json_put_raw(&k->json, (slice){kept.p, kept.n - 1});
	}
	return ok;
}

/* --- tiles ------------------------------------------------------------------------------------- */
struct tiles {
	struct inkan *k;
	uint64_t size;
	size_t n;
	struct kept {
		unsigned level;
		uint64_t index;
		size_t width;
		digest node[TILE_NODES];
	} tile[TILES_KEPT];
};

static err
tile_fetch(struct tiles *t, unsigned level, uint64_t index, const struct kept **out)
{
	struct buf path OWNED(buf_drop) = BUF(256), bytes OWNED(buf_drop) = BUF(128U << 10);
	uint64_t total = level < 8 ? t->size >> (8 * level) : 0;
	struct kept *x;

	for (size_t i = 0; i < t->n; i++)
		if (t->tile[i].level == level && t->tile[i].index == index) {
			*out = &t->tile[i];
			return ok;
		}
	if (t->n == TILES_KEPT || index > total / TILE_NODES || (index == total / TILE_NODES && total % TILE_NODES == 0))
		return fail(
		    ERR_POLICY, "promise-tile: C2SP tlog-tiles: the published tree lacks a node that its size promises");
	x = &t->tile[t->n];
	x->level = level;
	x->index = index;
	x->width = index == total / TILE_NODES ? (size_t)(total % TILE_NODES) : TILE_NODES;
	buf_put_str(&path, "/books/");
	tile_put_path(&path, (int)level, index, (unsigned)x->width);
	buf_put_u8(&path, '\0');
	TRY(buf_check(&path));
	TRY(service_get(t->k, (char *)path.p, LIT(""), x->width * SHA256_LEN, &bytes));
	if (bytes.n != x->width * SHA256_LEN)
		return fail(
		    ERR_POLICY, "promise-tile: C2SP tlog-tiles: the published tree lacks a node that its size promises");
	for (size_t i = 0; i < x->width; i++)
		memcpy(x->node[i].b, bytes.p + i * SHA256_LEN, SHA256_LEN);
	t->n++;
	*out = x;
	return ok;
}

/* A node between two tile levels is folded from the tile's own. */
static err
node_of(void *from, unsigned level, uint64_t index, digest *out)
{
	unsigned up = level % 8;
	uint64_t first = index << up;
	const struct kept *x = NULL;
	digest d[TILE_NODES / 2];
	size_t n = (size_t)1 << up;

	TRY(tile_fetch(from, level / 8, first / TILE_NODES, &x));
	if (first % TILE_NODES + n > x->width)
		return fail(
		    ERR_POLICY, "promise-tile: C2SP tlog-tiles: the published tree lacks a node that its size promises");
	memcpy(d, x->node + first % TILE_NODES, n * sizeof d[0]);
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			d[i] = tree_node(d[2 * i], d[2 * i + 1]);
	*out = d[0];
	return ok;
}

/* --- the checkpoint ------------------------------------------------------------------------------ */
/* The books' public key: pinned in the folder when it is first seen. */
static err
books_key(struct inkan *k, struct key **out)
{
	struct buf der OWNED(buf_drop) = BUF(SPKI_MAX);

	if (store_has(k, BOOKS_KEY_FILE)) {
		TRY(store_read(k, BOOKS_KEY_FILE, &der));
		return key_get_spki(buf_slice(&der), out);
	}
	TRY(service_get(k, "/ca/books.spki", LIT(""), SPKI_MAX, &der));
	TRY(key_get_spki(buf_slice(&der), out));
	return store_write(k, BOOKS_KEY_FILE, buf_slice(&der));
}

err
promise_check(struct inkan *k, const struct promise *p)
{
	struct buf note OWNED(buf_drop) = BUF(64U << 10);
	struct key *key OWNED(key_drop) = NULL;
	digest proof[TREE_PROOF_MAX];
	struct checkpoint c;
	struct tiles *t;
	size_t n = 0;
	err e;

	TRY(service_get(k, "/books/checkpoint", LIT(""), CHECKPOINT_MAX, &note));
	TRY(checkpoint_get(buf_slice(&note), &c));
	TRY(books_key(k, &key));
	TRY(checkpoint_check(&c, c.origin, key));
	if (c.size <= p->n)
		return fail(ERR_BUSY, "promise-early: RFC 6962: the published tree does not reach the entry yet");
	t = mem_new(1, sizeof *t);
	*t = (struct tiles){.k = k, .size = c.size};
	e = tree_inclusion(&(struct tree_nodes){t, node_of}, p->n, c.size, proof, &n);
	free(t);
	TRY(e);
	if (tree_check_inclusion(tree_leaf(buf_slice(&p->line)), p->n, c.size, proof, n, c.root).kind != OK)
		return fail(ERR_POLICY, "promise-broken: Rule 12: the published books do not hold the entry that was promised; "
		                        "keep your folder, it is "
		                        "the proof");
	return ok;
}

err
promises_check(struct inkan *k)
{
	struct buf file OWNED(buf_drop) = BUF(PROMISE_FILE_MAX);
	slice rest, line;
	err worst = ok;

	if (!store_has(k, PROMISE_FILE))
		return ok;
	TRY(store_read(k, PROMISE_FILE, &file));
	rest = buf_slice(&file);
	if (k->o.json) {
		json_put_name(&k->json, "entries");
		json_open(&k->json, '[');
	}
	while (slice_cut(&rest, '\n', &line)) {
		struct promise p OWNED(promise_drop) = {.n = 0};
		struct buf n OWNED(buf_drop) = BUF(20);
		err e = promise_get(line, &p);

		if (e.kind == OK)
			e = promise_check(k, &p);
		buf_put_decimal(&n, p.n);
		if (e.kind == OK)
			SAY(k, "Books: entry {1} is in the published tree.", buf_slice(&n));
		else if (slice_has_prefix(slice_str(e.what), LIT("promise-early:")))
			SAY(k, "Books: the published tree does not reach entry {1} yet.", buf_slice(&n));
		else
			SAY(k, "Books: entry {1} could not be shown to be in the published tree.", buf_slice(&n));
		if (k->o.json) {
			json_open(&k->json, '{');
			json_put_named_number(&k->json, "n", p.n);
			json_put_name(&k->json, "included");
			json_put_bool(&k->json, e.kind == OK);
			json_close(&k->json, '}');
		}
		if (e.kind != OK && worst.kind != ERR_POLICY)
			worst = e;
	}
	if (k->o.json)
		json_close(&k->json, ']');
	return worst;
}

err
promise_tell(struct inkan *k, const struct promise *p)
{
	err e = promise_check(k, p);

	if (e.kind == ERR_POLICY)
		return e;
	say_line(k, e.kind == OK ? "The entry stands in the published books."
	                         : "The published books do not reach the entry yet; inkan verify looks again.");
	return ok;
}
