/*
 * index.h - which lines of a book name a value: fingerprints in sorted files.
 *
 * Depends on: base, act/tree, edge/log, edge/sealed; touches the folder it was opened on.
 *
 * A signer must know in a moment whether a serial, an application or a key was
 * ever used, with a million of them in its journal, and must start within two
 * seconds.  The index answers with line numbers that MAY name the value: the
 * caller reads those lines and compares whole values, so a collision of two
 * 64-bit fingerprints costs a reading and never a wrong answer.
 *
 * It follows from the book and can be made anew from it at any time: lines since
 * the last sealed file are in memory, and whoever opens the index reads those
 * lines again and adds them.  A sealed file that is damaged, or does not belong
 * to this book, is thrown away with all after it.
 *
 *   FOLDER/NNNNNNNN.idx: as edge/sealed.h has it
 *
 * Files cover from..to without gaps; eight of one generation are merged into
 * one, so that a look-up asks some ten files at a million records.
 */
#ifndef EDGE_INDEX_H
#define EDGE_INDEX_H

#include "act/tree.h"
#include "base/base.h"
#include "base/hash.h"
#include "edge/sealed.h"

#define INDEX_KINDS 16
#define INDEX_SEAL_LINES 8192U  /* read again at a start: a quarter of a second                      */
#define INDEX_FAN SEALED_FAN    /* files of one generation before they are merged                   */
#define INDEX_FILES_MAX 64U     /* 8 of each generation, at most 8 generations: more than 10^11 lines */
#define INDEX_CARRIED_MAX SEALED_CARRIED_MAX
#define INDEX_FOUND_MAX 64U     /* lines naming one value: an intent, its result, a void, again and again */

struct index;

/*
 * Opens (and makes) the folder.  Gives the number of lines the sealed files cover,
 * and what was carried with the last; both empty for a new one.  `size`: of the
 * book; `nodes`: of the book, to compare roots.
 */
err index_open(const char *folder, struct tree_nodes nodes, uint64_t size, struct index **out, uint64_t *covered,
	struct buf *carried) CHECKED;
void index_close(struct index **i);
/* Throws all files away, for a caller who cannot read what they carried; the lines are added again from the first. */
void index_forget(struct index *i);

/* The line n names this value. */
void index_add(struct index *i, unsigned kind, slice value, uint64_t n);
/* Lines that may name it, ascending; at most INDEX_FOUND_MAX, the rest is not said. */
size_t index_find(struct index *i, unsigned kind, slice value, uint64_t out[INDEX_FOUND_MAX]);
/* Every line of a kind, in no order: *iter starts zeroed; false at the end. */
struct index_iter {
	size_t file, at;
};
bool index_next(const struct index *i, unsigned kind, struct index_iter *iter, uint64_t *n) CHECKED;

/* Lines not yet in a sealed file, given the book's size. */
bool index_is_due(const struct index *i, uint64_t size);
/* Seals all that was added: lines below `to`, all of them committed.  On an error nothing changed; it may be tried later. */
err index_seal(struct index *i, uint64_t to, digest root, slice carried) CHECKED;

#endif
