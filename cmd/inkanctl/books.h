/*
 * books.h - `inkanctl books`: the books read, checked and explained.
 *
 *	inkanctl books verify [FOLDER]     re-hashes, re-checks and reconciles everything
 *	inkanctl books show DOSSIER        one dossier as a person reads it; or `house`, or a piece of evidence
 *	inkanctl books replay N            decides again from the stored evidence
 *	inkanctl books proof N             that line N stands in the tree
 *	inkanctl books reindex             makes the projection anew and compares
 *
 * Depends on: act, edge/{book,disk}, cmd/inkanctl/inkanctl.  Touches: reads the
 * house's folder; writes nothing (but reindex a second
 * projection in /tmp), locks nothing, asks no process: it may run
 * beside a house at work and sees the books as they stood when it opened them.
 */
#ifndef CMD_INKANCTL_BOOKS_H
#define CMD_INKANCTL_BOOKS_H

#include "act/entry.h"
#include "act/trust.h"
#include "base/base.h"
#include "cmd/inkanctl/inkanctl.h"
#include "edge/book.h"

int books_main(int argc, char **argv);

/* What every one of them opens; owned, books_drop. */
struct books {
	const char *home;
	int folder; /* of the house, or of a book alone   */
	bool alone; /* no house around it: no journals, no trust file, no key */
	struct book *book;
	struct book_opened opened;
	struct trust *trust; /* NULL: none there                   */
	struct secret key;   /* of J-LIS data; .n 0: not there, or erased by law */
};
err books_open(const char *home, struct books *out) CHECKED;
/* A book alone, of which nothing but its lines and tiles may be read: BOOK_LINES. */
err books_open_lines(const char *folder, struct books *out) CHECKED;
void books_drop(struct books *b);
/* Evidence by its name, from wherever it lies; sealed pieces are opened with the key. */
err books_evidence(const struct books *b, digest name, struct buf *out) CHECKED;
/* Line n, read; `text` owns its bytes. */
err books_line(const struct books *b, uint64_t n, struct buf *text, struct entry *out) CHECKED;
/* The key's bytes, or a slice whose .p is NULL. */
slice books_key(const struct books *b);

/* The subcommands; arguments after their own name. */
int verify_main(int argc, char **argv);
int show_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int proof_main(int argc, char **argv);
int reindex_main(int argc, char **argv);

#endif
