/*
 * pack.h - evidence: members of ustar packs standing on a shelf.
 *
 * Depends on: base, shelf, disk; touches what the shelf touches.
 *
 * Whoever walks a pack believes no length: a header that is not as we write it,
 * or a member that ends beyond the pack, ends the walk with ERR_CORRUPT.
 */
#ifndef EDGE_PACK_H
#define EDGE_PACK_H

#include "base/base.h"
#include "base/hash.h"
#include "base/ustar.h"
#include "edge/shelf.h"

/* Header, content, padding. */
void pack_put(struct buf *b, digest name, slice bytes);
/* Bytes of a member with its header and padding. */
uint64_t pack_member_bytes(uint32_t length);
/* A walk over members from `at` (a member's beginning) to `end`; its open file is its own. */
struct pack_walk {
	struct place at, end;
	int fd; /* of the pack at.file; -1: not opened yet */
	uint64_t size;
};
struct pack_walk pack_walk_from(struct place at, struct place end);
/* The next member; ERR_ABSENT pack-end where there is none; ERR_CORRUPT pack-member. */
err pack_walk_next(
    const struct shelf *s, struct pack_walk *w, digest *name, struct place *found, uint32_t *length) CHECKED;
void pack_walk_close(struct pack_walk *w);
/* The bytes as stored, after the header was compared; ERR_CORRUPT pack-member. */
err pack_read(const struct shelf *s, struct place at, digest name, uint32_t length, struct buf *out) CHECKED;

#endif
