/*
 * recover.h - what of a book is whole: the end of its last whole turn, after
 *             whatever happened.
 *
 * Depends on: base, act/line, shelf, pack, tile; touches the shelves it is given,
 * reading only.
 *
 * A turn that has more than one line, or openings, or evidence, closes its
 * openings with a mark:
 *
 *   {"n":12,"turn":5,"evidence":[0,12288],"jlis":[0,0]}
 *
 * its first line, how many lines, and pack and offset after its last member in
 * each family.  Everything it says was durable before the first of its lines was
 * written; so the last mark and the lines tell a turn that is whole from one that
 * is not, and one that was never acknowledged from damage.
 */
#ifndef EDGE_RECOVER_H
#define EDGE_RECOVER_H

#include "base/base.h"
#include "edge/shelf.h"

#define TURN_LINES_MAX 4096

enum family { ENTRIES, OPENINGS, EVIDENCE, JLIS, FAMILIES };

struct mark {
	bool there;
	uint64_t first, lines;
	struct place pack[2]; /* after its last member: evidence, jlis          */
	struct place begin;   /* of the turn's openings                         */
	struct place end;     /* after the mark itself                          */
};
bool mark_get(slice line, struct mark *out) CHECKED;
/* The line with its LF. */
void mark_put(struct buf *b, const struct mark *m);

/* A book's rows of files, and how far of each is looked at: their ends, taken in the order of enum family. */
struct shelves {
	int folder; /* the book's */
	bool write; /* nobody else is writing */
	struct shelf shelf[FAMILIES];
	struct place end[FAMILIES];
};

struct kept {
	uint64_t lines;              /* whole turns end here …                           */
	struct place end[FAMILIES];  /* … in each family                                 */
	uint64_t cut;                /* lines behind them                                */
	struct place last[FAMILIES]; /* where the last turns begin that nobody may have synced yet */
};
/*
 * With `write`, what is not kept is one turn that
 * was never acknowledged.  ERR_CORRUPT book-lines, book-lines-lost,
 * book-openings-lost, book-evidence-lost, book-floor (fewer than `floor` lines are
 * whole), book-damaged (more than one turn is not), book-tiles.
 */
err recover_look(const struct shelves *b, uint64_t floor, struct kept *out) CHECKED;
/* The lines in sequence, without a look at anything else: the last turn may not be whole.  ERR_CORRUPT book-lines. */
err recover_lines(const struct shelves *b, struct kept *out) CHECKED;

#endif
