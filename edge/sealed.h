/*
 * sealed.h - one sealed file of an index: sorted fingerprints, mapped, with a filter in memory.
 *
 * Depends on: base, hash.  Touches the one file it is given.
 *
 * Integers are big-endian:
 *
 *	"INKANIDX"  u32 version = 1  u32 carried_n  u64 from  u64 to  u64 entries
 *	root (32)   of the book at size `to`
 *	carried     what its owner wants back: the fold of lines 0 .. to-1
 *	entries     of 16 bytes: u64 fingerprint, u64 line << 4 | kind; sorted
 *	sha-256     of all before
 *
 * A file is written once, whole, and never changed.  Read through, its pages are given back to the kernel as they are read:
 * a merged file is larger than all else its process holds.
 */
#ifndef EDGE_SEALED_H
#define EDGE_SEALED_H

#include "base/base.h"
#include "base/hash.h"

#define SEALED_FAN 8U           /* files merged into one at once */
#define SEALED_CARRIED_MAX 1024U /* bytes */
#define SEALED_NO_LINE UINT64_MAX

struct sealed_entry {
	uint64_t print, where; /* where: line << 4 | kind; SEALED_NO_LINE: an empty place */
};

struct sealed {
	uint64_t number, from, to, count;
	const uint8_t *map, *entries, *carried;
	size_t size, carried_n;
	uint64_t *filter; /* owned: blocks of FILTER_WORDS words */
	size_t blocks;
};

/* Maps it, checks form and sum, makes its filter.  ERR_INPUT index-damaged: throw it away; ERR_WORLD index-open, index-map. */
err sealed_open(const char *path, uint64_t number, struct sealed *out) CHECKED;
void sealed_drop(struct sealed *f);

/* The book's root at size `to`. */
digest sealed_root(const struct sealed *f);

/* False: nothing here has this fingerprint.  Of what is not here, one in sixty is said to be. */
bool sealed_may_have(const struct sealed *f, uint64_t print);
/* The place of the first entry whose fingerprint is not below `print`; .count when there is none. */
uint64_t sealed_lower(const struct sealed *f, uint64_t print);
/* One entry, at < .count; sealed_walk for who reads them all in order. */
struct sealed_entry sealed_at(const struct sealed *f, uint64_t at);
struct sealed_entry sealed_walk(const struct sealed *f, uint64_t at);
/* By fingerprint, then line and kind; for qsort. */
int sealed_entry_cmp(const void *a, const void *b);
/* Gives back the pages of these bytes of the file. */
void sealed_forget(const struct sealed *f, size_t from, size_t to);

/* What a new file says, and where its sorted entries come from: memory, or SEALED_FAN files merged as they are read. */
struct sealed_plan {
	uint64_t from, to, count;
	digest root;
	slice carried;
};
struct sealed_source {
	const struct sealed_entry *entry; /* n of them; NULL: files */
	size_t n, at;
	const struct sealed *file[SEALED_FAN];
	uint64_t place[SEALED_FAN];
	size_t forgotten[SEALED_FAN]; /* bytes of each whose pages were given back */
};
/* Writes and syncs it; naming it, and syncing the folder, is its owner's.  ERR_WORLD index-write. */
err sealed_write(const char *path, const struct sealed_plan *p, struct sealed_source *from) CHECKED;

#endif
