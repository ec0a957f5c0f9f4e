/*
 * fold.h - what the rows of the projection hold, and how they lie in bytes.
 *
 * Depends on: base, dossier, book.  Pure.
 *
 * A projection's own encoding, read only by the machine that wrote it and made anew from the books when it cannot be read:
 * one bit a field that is not zero (64 bits, in the machine's order), then those fields' bytes as they lie in memory; a
 * record's `why` behind them.  The layout is the version: fold_layout() changes when a field is added, moved or resized.
 *
 * A put writes at most FOLD_MAX bytes and returns how many.  A get refuses with ERR_CORRUPT db-damaged what is cut short.
 */
#ifndef EDGE_FOLD_H
#define EDGE_FOLD_H

#include "act/dossier.h"
#include "base/base.h"
#include "base/time.h"
#include "edge/book.h"

#define FOLD_MAX 3072 /* bytes: all fields of the largest row, and a `why` of WHY_MAX */

/* A dossier with where its bytes lie, and since when its first OCSP answer, or the one that says revoked, is due. */
struct record {
	struct dossier d;
	struct evidence_at application, certificate; /* .length 0: none yet */
	instant due;                                 /* zero: none is; the later ones come with the wheel */
};

struct db_counts {
	uint64_t state[DOSSIER_WITHDRAWN + 1];
};

/* The state of the whole: one row. */
struct whole {
	struct ledger ledger;
	struct db_counts counts;
	struct head applied;
	uint64_t next;                  /* line the fold expects next, within a turn ahead of applied */
	struct evidence_iter walked[2]; /* plain, sealed: what lies behind was cited by lines before */
};

size_t fold_put_record(uint8_t out[FOLD_MAX], const struct record *r);
err fold_get_record(slice in, struct record *out) CHECKED;
size_t fold_put_whole(uint8_t out[FOLD_MAX], const struct whole *w);
err fold_get_whole(slice in, struct whole *out) CHECKED;
/* Where a piece of evidence lies. */
size_t fold_put_place(uint8_t out[FOLD_MAX], const struct evidence_at *at);
err fold_get_place(slice in, struct evidence_at *out) CHECKED;

/* The layout of all three, never 0; user_version of the projection's file. */
int64_t fold_layout(void);

#endif
