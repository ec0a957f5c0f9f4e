/*
 * tree.h - the Merkle tree over the books' lines: RFC 6962 2.1 hashes and proofs.
 *
 * Depends on: base, hash.  Pure.
 *
 * A leaf is a line's bytes without its newline.  `struct tree` is the compact
 * right edge (one node per set bit of size): appending and the root need nothing
 * else.  Proofs need inner nodes: they are asked of `struct tree_nodes`, which
 * edge/book answers from tiles and tests from memory.
 */
#ifndef ACT_TREE_H
#define ACT_TREE_H

#include "base/base.h"
#include "base/hash.h"

#define TREE_PROOF_MAX 64 /* digests: one a level of a tree of 2^64 leaves */

digest tree_leaf(slice line);
digest tree_node(digest left, digest right);
/* The root of no leaves: SHA-256 of nothing. */
digest tree_empty(void);

struct tree {
	uint64_t size;
	digest edge[64]; /* edge[k]: the complete subtree of 2^k leaves, where bit k of size is set */
};
void tree_add(struct tree *t, digest leaf);
digest tree_root(const struct tree *t);

/* Reads one complete node: `level` 0 are leaves; index counts nodes of that level.  What it fails with is handed on. */
struct tree_nodes {
	void *from;
	err (*node)(void *from, unsigned level, uint64_t index, digest *out);
};
/* The root at an earlier size. */
err tree_root_at(const struct tree_nodes *s, uint64_t size, digest *out) CHECKED;
/* RFC 6962 2.1.1: the audit path of leaf `index` in the tree of `size`. */
err tree_inclusion(
    const struct tree_nodes *s, uint64_t index, uint64_t size, digest out[TREE_PROOF_MAX], size_t *n) CHECKED;
/* RFC 6962 2.1.2: from size `from` to size `to`; from size 0 it is empty. */
err tree_consistency(
    const struct tree_nodes *s, uint64_t from, uint64_t to, digest out[TREE_PROOF_MAX], size_t *n) CHECKED;

/*
 * The checks, RFC 9162 2.1.3.2 and 2.1.4.2; ERR_POLICY tree-inclusion / tree-consistency.  A consistency from size 0
 * proves nothing and is refused (RFC 9162 2.1.4.1: 0 < m).
 */
err tree_check_inclusion(
    digest leaf, uint64_t index, uint64_t size, const digest *proof, size_t n, digest root) CHECKED;
err tree_check_consistency(
    uint64_t from, digest from_root, uint64_t to, digest to_root, const digest *proof, size_t n) CHECKED;
/*
 * Checkpoints: C2SP tlog-checkpoint in a signed note.
 *
 *   origin \n size \n base64(root) \n \n — name base64(key id (4) ‖ Ed25519 signature (64)) \n
 */
#define CHECKPOINT_MAX 1024
void checkpoint_put_text(struct buf *b, slice origin, uint64_t size, digest root);
/* The note: text, empty line, one signature line.  `public_key` is the 32 Ed25519 bytes. */
void checkpoint_join(struct buf *b, slice text, slice name, slice public_key, slice signature);
struct checkpoint {
	slice origin, text; /* borrowed from the note */
	uint64_t size;
	digest root;
	slice name;
	uint8_t key_id[4], signature[64];
};
err checkpoint_get(slice note, struct checkpoint *out) CHECKED;
struct key;
err checkpoint_check(const struct checkpoint *c, slice origin, const struct key *k) CHECKED;

/* C2SP tlog-tiles paths: "tile/0/x001/067", "tile/0/x001/067.p/5", entries with level "entries". */
void tile_put_path(struct buf *b, int level, uint64_t index, unsigned width);

#endif
