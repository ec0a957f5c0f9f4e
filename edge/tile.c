#include "edge/tile.h"
#include "edge/disk.h"

#define LEVELS 8       /* 256^8 lines              */
#define CACHE 16       /* tiles kept for the next proof */
#define PATH_BYTES 128 /* of a tile's path          */

struct cached {
	unsigned level;
	uint64_t index;
	bool there;
	digest node[TILE_NODES];
};

struct tiles {
	int folder;
	enum tile_mode mode;
	struct tile_leaves leaves;
	uint64_t size;
	digest part[LEVELS][TILE_NODES]; /* size >> 8l & 255 nodes of each level */
	struct cached *cache;
};

static digest
subtree(const digest *d, size_t n)
{
	digest level[TILE_NODES];

	memcpy(level, d, n * sizeof level[0]);
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			level[i] = tree_node(level[2 * i], level[2 * i + 1]);
	return level[0];
}

static const char *
path(struct buf *b, unsigned level, uint64_t index)
{
	tile_put_path(b, (int)level, index, TILE_NODES);
	buf_put_u8(b, 0);
	assert(!b->over);
	return (const char *)b->p;
}

/* No node is all zeros: such bytes are a file whose length was kept and its content lost. */
static bool
is_lost(const digest *d)
{
	static const digest zero;

	for (size_t i = 0; i < TILE_NODES; i++)
		if (digest_eq(d[i], zero))
			return true;
	return false;
}

static bool
tile_load(const struct tiles *t, unsigned level, uint64_t index, digest out[TILE_NODES])
{
	struct buf name OWNED(buf_drop) = BUF(PATH_BYTES);
	uint64_t size;
	int fd = -1;
	bool good;

	if (disk_open(t->folder, path(&name, level, index), DISK_READ, &fd).kind != OK)
		return false;
	good = disk_size(fd, &size).kind == OK && size == TILE_BYTES && disk_read(fd, 0, out, TILE_BYTES).kind == OK &&
	       !is_lost(out);
	disk_close(&fd);
	return good;
}

/* Not synced, and no error: what is not there is made anew. */
static void
tile_store(const struct tiles *t, unsigned level, uint64_t index, const digest nodes[TILE_NODES])
{
	struct buf name OWNED(buf_drop) = BUF(PATH_BYTES);
	const char *whole = path(&name, level, index);
	char step[PATH_BYTES];
	int fd = -1;

	if (t->mode != TILE_WRITE)
		return;
	for (size_t i = 0; whole[i] != '\0'; i++) {
		if (whole[i] == '/') {
			step[i] = '\0';
			if (disk_size_of(t->folder, step, &(uint64_t){0}).kind == ERR_ABSENT) {
				int made = -1;

				if (disk_folder(t->folder, step, FOLDER_MAKE, &made).kind != OK)
					return;
				disk_close(&made);
			}
		}
		step[i] = whole[i];
	}
	if (disk_open(t->folder, whole, DISK_SCRATCH, &fd).kind != OK)
		return;
	if (disk_append(fd, slice_of(nodes, TILE_BYTES)).kind != OK)
		(void)disk_cut(fd, 0).kind;
	disk_close(&fd);
}

/* A full tile, from its file or from what it is made of. */
static err
tile_full(const struct tiles *t, unsigned level, uint64_t index, digest out[TILE_NODES])
{
	if (tile_load(t, level, index, out))
		return ok;
	if (level == 0)
		TRY(t->leaves.leaves(t->leaves.from, index, out));
	else {
		digest *below = mem_new(TILE_NODES, sizeof *below);

		for (unsigned i = 0; i < TILE_NODES; i++) {
			err e = tile_full(t, level - 1, index * TILE_NODES + i, below);

			if (e.kind != OK) {
				free(below);
				return e;
			}
			out[i] = subtree(below, TILE_NODES);
		}
		free(below);
	}
	tile_store(t, level, index, out);
	return ok;
}

/* How many nodes stand at this level. */
static uint64_t
level_count(uint64_t size, unsigned level)
{
	return 8 * level > 63 ? 0 : size >> (8 * level);
}

static err
edge_of(const struct tiles *t, struct tree *edge)
{
	memset(edge, 0, sizeof *edge);
	edge->size = t->size;
	for (unsigned l = 0; l < LEVELS; l++) {
		unsigned n = (unsigned)(level_count(t->size, l) & 255);

		for (unsigned j = 0; j < 8; j++)
			if ((n >> j & 1) != 0)
				edge->edge[8 * l + j] = subtree(t->part[l] + (n >> (j + 1) << (j + 1)), (size_t)1 << j);
	}
	return ok;
}

err
tiles_open(int folder, enum tile_mode mode, struct tile_leaves leaves, uint64_t size, const digest *tail,
    struct tiles **out, struct tree *edge)
{
	struct tiles *t OWNED(tiles_close) = mem_new(1, sizeof *t);
	digest *nodes;
	err e = ok;

	*t = (struct tiles){.folder = folder, .mode = mode, .leaves = leaves, .size = size};
	t->cache = mem_new(CACHE, sizeof *t->cache);
	memcpy(t->part[0], tail, (size_t)(size & 255) * sizeof *tail);
	nodes = mem_new(TILE_NODES, sizeof *nodes);
	for (unsigned l = 1; l < LEVELS && e.kind == OK; l++) {
		uint64_t n = level_count(size, l), from = n & ~UINT64_C(255);

		for (uint64_t i = from; i < n && e.kind == OK; i++) {
			e = tile_full(t, l - 1, i, nodes);
			if (e.kind == OK)
				t->part[l][i - from] = subtree(nodes, TILE_NODES);
		}
	}
	free(nodes);
	TRY(e);
	TRY(edge_of(t, edge));
	*out = t;
	t = NULL;
	return ok;
}

void
tiles_close(struct tiles **t)
{
	if (*t == NULL)
		return;
	free((*t)->cache);
	free(*t);
	*t = NULL;
}

void
tiles_add(struct tiles *t, digest leaf)
{
	for (unsigned l = 0; l < LEVELS; l++) {
		uint64_t at = level_count(t->size, l);

		t->part[l][at & 255] = leaf;
		if ((at & 255) != 255)
			break;
		tile_store(t, l, at >> 8, t->part[l]);
		leaf = subtree(t->part[l], TILE_NODES);
	}
	t->size++;
}

/* The nodes of a tile as far as they go. */
static err
tile_nodes(struct tiles *t, unsigned level, uint64_t index, const digest **out, unsigned *n)
{
	uint64_t count = level >= LEVELS ? 0 : level_count(t->size, level);
	struct cached *c = &t->cache[(index * LEVELS + level) % CACHE];

	if (index > count >> 8 || (index == count >> 8 && (count & 255) == 0))
		return fail(ERR_ABSENT, "tile-absent: C2SP tlog-tiles: the book has no such tile");
	if (index == count >> 8) {
		*out = t->part[level];
		*n = (unsigned)(count & 255);
		return ok;
	}
	if (!c->there || c->level != level || c->index != index) {
		c->there = false;
		TRY(tile_full(t, level, index, c->node));
		c->level = level;
		c->index = index;
		c->there = true;
	}
	*out = c->node;
	*n = TILE_NODES;
	return ok;
}

err
tiles_node(struct tiles *t, unsigned level, uint64_t index, digest *out)
{
	unsigned l = level / 8, width = 1U << level % 8, n = 0;
	const digest *nodes = NULL;
	uint64_t first;

	if (level > 63 || index >= UINT64_MAX >> level || (index + 1) << level > t->size)
		return fail(ERR_ABSENT, "tile-node: RFC 6962 2.1: the tree has no such complete node yet");
	first = index << level % 8;
	TRY(tile_nodes(t, l, first >> 8, &nodes, &n));
	assert((first & 255) + width <= n);
	*out = subtree(nodes + (first & 255), width);
	return ok;
}

err
tiles_get(struct tiles *t, unsigned level, uint64_t index, unsigned width, struct buf *out)
{
	const digest *nodes = NULL;
	unsigned n = 0;

	TRY(tile_nodes(t, level, index, &nodes, &n));
	if (width == 0 || width > n)
		return fail(ERR_ABSENT, "tile-absent: C2SP tlog-tiles: the book has no such tile");
	buf_put(out, slice_of(nodes, width * sizeof *nodes));
	return buf_check(out);
}

bool
tiles_has(int folder, uint64_t index)
{
	struct buf name OWNED(buf_drop) = BUF(PATH_BYTES);
	uint64_t size;

	return disk_size_of(folder, path(&name, 0, index), &size).kind == OK && size == TILE_BYTES;
}
