/*
 * tile.h - the inner nodes of a book's tree, kept as C2SP tlog-tiles.
 *
 * Depends on: base, act/tree, disk; touches the folder tile/ of its book.
 *
 * A tile of level l holds 256 nodes: the nodes of the tree at height 8l, 32 bytes
 * each.  Only full tiles are files; the nodes after the last full tile of each
 * level are in memory.  Tiles follow from the lines: they are never synced, and
 * one that is missing, short or empty is made anew from the tiles below it, in
 * the end from the lines.  That a tile says what the lines say is not asked here
 * (`inkanctl books verify` asks).
 */
#ifndef EDGE_TILE_H
#define EDGE_TILE_H

#include "act/tree.h"
#include "base/base.h"
#include "base/hash.h"

#define TILE_NODES 256
#define TILE_BYTES (TILE_NODES * SHA256_LEN)

/* Where leaves come from when a tile must be made anew: those of level-0 tile `index`. */
struct tile_leaves {
	void *from;
	err (*leaves)(void *from, uint64_t index, digest out[TILE_NODES]);
};

enum tile_mode { TILE_READ, TILE_WRITE };

struct tiles;

/*
 * `folder` is the book's, borrowed.  `tail` are the leaves after the last full
 * tile: size % 256 of them.  The tree's right edge comes out of tiles and tail.
 */
err tiles_open(int folder, enum tile_mode mode, struct tile_leaves leaves, uint64_t size, const digest *tail,
    struct tiles **out, struct tree *edge) CHECKED;
void tiles_close(struct tiles **t);
/* One more committed leaf.  A tile that cannot be written now is made anew when it is asked for. */
void tiles_add(struct tiles *t, digest leaf);
/* A complete node below the committed size. */
err tiles_node(struct tiles *t, unsigned level, uint64_t index, digest *out) CHECKED;
/* The first `width` nodes of a tile; ERR_ABSENT where it has not that many. */
err tiles_get(struct tiles *t, unsigned level, uint64_t index, unsigned width, struct buf *out) CHECKED;
/* True where the file of a full tile of level 0 stands on disk: its lines were committed. */
bool tiles_has(int folder, uint64_t index);

#endif
