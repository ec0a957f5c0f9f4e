/*
 * book.h - an append-only book on disk: lines, openings, evidence, tiles.  The
 *          statutory books and the signers' journals are both such books.
 *
 * Depends on: base, act/tree, act/line, disk, tile; touches the folder it was opened on, nothing else.
 *
 *   FOLDER/entries/NNNNNNNN.jsonl    lines, each ended by LF; a segment ends at SEGMENT_BYTES
 *   FOLDER/openings/NNNNNNNN.jsonl   {n, field, salt, value}: beside the lines, erasable
 *   FOLDER/evidence/NNNNNNNN.tar     ustar without end blocks; member name = SHA-256 of its bytes in hex
 *   FOLDER/jlis/NNNNNNNN.tar         the same, members sealed (base/seal); name = SHA-256 of the OPEN bytes
 *   FOLDER/tile/…                    C2SP tlog-tiles of the lines (made from them; a lost tile is made anew)
 *   FOLDER/version                   "inkan-book 1\n"
 *
 * One writer (an advisory lock in FOLDER/lock), any number of readers: files only
 * grow, so the size read first is a snapshot.
 *
 * A TURN: add openings, evidence and lines in any order, then book_commit():
 * evidence and openings written and synced, then lines written and synced.  A
 * turn that has more than one line, or openings, or evidence, closes its openings
 * with a mark, so that what belongs together is known:
 *
 *   {"n":12,"turn":5,"evidence":[0,12288],"jlis":[0,0]}
 *
 * its first line, how many, and pack and offset after its last member in each
 * family.  A turn never goes over the end of a segment or pack: the next one
 * starts at a turn's beginning, once a file has BOOK_SEGMENT_BYTES.
 *
 * A turn is durable whole or, after a crash, cut off whole at the next
 * book_open(BOOK_WRITE): torn or missing lines, evidence or openings that are not
 * whole in the LAST turn cut that turn off, lines, openings and evidence, counted
 * and said in struct book_opened; never below `floor` (the size of the last
 * signed checkpoint).  Only one turn can be unacknowledged: damage before it, and
 * a book that lacks lines its openings or tiles know of, is ERR_CORRUPT.  After
 * any error of book_commit the book takes no more until it is opened anew: a
 * failed fsync is never retried, and what the turn wrote is cut off at once.
 *
 * Opening reads the last segments of lines and openings and the last turn's
 * evidence; the tree's edge comes from the tiles.  BOOK_READ cuts nothing: it
 * sees the whole turns that stood there when it opened.  BOOK_LINES looks at
 * entries, tile and version alone, for whoever may not read the rest: it sees the
 * lines in sequence, of the last turn perhaps not all, and one that is cut off
 * later too; it has no opening and no evidence.
 */
#ifndef EDGE_BOOK_H
#define EDGE_BOOK_H

#include "act/tree.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"

#define BOOK_SEGMENT_BYTES (64U << 20) /* of lines, openings or evidence in one file: opens fast, copies well */
#define BOOK_LINE_MAX (16U << 10)      /* bytes of a line without LF */
#define BOOK_TURN_LINES_MAX 4096

struct book;

struct book_opened {
	uint64_t size; /* lines                                              */
	digest root;
	instant last_at;    /* of the last line; zero when there is none          */
	uint64_t cut_lines; /* unacknowledged lines cut off                       */
	uint64_t cut_bytes;
};

enum book_mode { BOOK_READ, BOOK_WRITE, BOOK_LINES };

/* `folder` is made when absent (BOOK_WRITE).  last_at is read from the line's "at" member. */
err book_open(
    const char *folder, enum book_mode mode, uint64_t floor, struct book **out, struct book_opened *opened) CHECKED;
void book_close(struct book **b);

/* --- the writer --- */
uint64_t book_size(const struct book *b);       /* committed lines                         */
uint64_t book_next(const struct book *b);       /* the n the next added line will have     */
digest book_root(const struct book *b);         /* of the committed lines                  */
digest book_pending_root(const struct book *b); /* with this turn's lines added so far     */
instant book_last_at(const struct book *b);     /* of the committed lines; the next turn's `at` must be later */
/* Where a piece of evidence lies. */
struct evidence_at {
	bool sealed; /* in jlis/ */
	uint32_t pack;
	uint64_t offset; /* of the member's header */
	uint32_t length; /* of its bytes as stored */
};
/* A piece already added in this turn, or the one before with the same digest in memory, need not be added again. */
void book_add_evidence(struct book *b, digest name, slice bytes, struct evidence_at *at);
/* seal_key and nonce: base/seal; `about` of the seal is the digest's 32 bytes. */
void book_add_sealed(struct book *b, digest name, slice bytes, slice seal_key, slice nonce, struct evidence_at *at);
void book_add_opening(struct book *b, slice line);
/* The line's n is book_next(b), its at that of the turn's first line (both asserted). */
void book_add_line(struct book *b, slice line);
/*
 * ERR_WORLD disk-…, or book-broken after an earlier failure: open anew.
 * ERR_WORLD book-time (nothing written, the book goes on after book_rollback):
 * the turn's `at` is not later than book_last_at.  A turn without lines commits
 * nothing.
 */
err book_commit(struct book *b) CHECKED;
/* Forgets this turn's additions. */
void book_rollback(struct book *b);

/* --- readers (a writer may read too) --- */
struct book_reader;
/* Lines from number n on; the slice lives until the next call.  ERR_ABSENT at the end. */
err book_read_from(const struct book *b, uint64_t n, struct book_reader **out) CHECKED;
err book_read_next(struct book_reader *r, uint64_t *n, slice *line) CHECKED;
/* The same over openings/ (no numbers asked: from the first), in file order; n is the opening's. */
err book_read_openings(const struct book *b, struct book_reader **out) CHECKED;
void book_reader_close(struct book_reader **r);

/* Where the newest member of that name lies; walks the packs, newest first.  ERR_ABSENT. */
err book_find_evidence(const struct book *b, digest name, struct evidence_at *at) CHECKED;
/* Reads a member by place and checks its digest (for sealed: seal_key NULL gives ERR_ABSENT evidence-erased). */
err book_evidence(
    const struct book *b, const struct evidence_at *at, digest name, slice seal_key, struct buf *out) CHECKED;
/*
 * Makes a member's bytes unreadable for good (retention ended), its header stays: ERR_ABSENT evidence-erased from then
 * on.  The same for every opening of line n.  The act of erasing is a line of its own, committed before.
 */
err book_erase_evidence(struct book *b, const struct evidence_at *at) CHECKED;
err book_erase_openings(struct book *b, uint64_t n) CHECKED;
/* Walks every member header of every pack: *iter starts zeroed; ERR_ABSENT at the end. */
struct evidence_iter {
	bool sealed, started;
	uint32_t pack;
	uint64_t offset;
};
err book_evidence_next(const struct book *b, struct evidence_iter *iter, digest *name, struct evidence_at *at) CHECKED;

/* Inner nodes from tiles and the lines after the last full tile. */
struct tree_nodes book_nodes(struct book *b);
/* Bytes of a finished or partial tile for publishing ("tile/0/000"); ERR_ABSENT. */
err book_tile(const struct book *b, int level, uint64_t index, unsigned width, struct buf *out) CHECKED;

#endif
