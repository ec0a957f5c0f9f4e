/*
 * audit.h - the books believed by nobody: what `inkanctl books verify` asks.
 *
 * Depends on: act, edge/{book,tile}, cmd/inkanctl/books.  Touches: reads.
 *
 * One pass over the evidence, one over the lines with their openings, one over
 * each journal; then what the three say of every certificate is compared.  Each
 * thing that is not so is a finding: a text "code: clause: sentence" with the
 * line it stands at.  Nothing is repaired.
 *
 * Memory: about 1.2 KiB a dossier.
 */
#ifndef CMD_INKANCTL_AUDIT_H
#define CMD_INKANCTL_AUDIT_H

#include "act/dossier.h"
#include "base/base.h"
#include "cmd/inkanctl/books.h"

#define FINDINGS_MAX 1000 /* that are kept to be said; the rest is counted */
#define NO_LINE UINT64_MAX

enum in { IN_BOOKS = 1, IN_ISSUER, IN_STATUS };

struct finding {
	enum in in;
	uint64_t n; /* NO_LINE: of the whole */
	const char *what;
};

/* Rows found by the first bytes of each, which are its key. */
struct map {
	uint8_t *row;
	size_t row_size, key_size, n, max;
	uint32_t *slot;
	size_t slots;
};
void *map_find(const struct map *m, const void *key);
/* Found or made, zeroed but for its key.  The pointer lives until the next map_make. */
void *map_make(struct map *m, const void *key);
void map_drop(struct map *m);

/* What books and journals say of one certificate. */
struct paper {
	serial serial; /* the key */
	dossier_id dossier;
	digest tbs, leaf, certificate;
	uint64_t ordered, issued, voided, revoked; /* lines; NO_LINE: not */
	uint64_t journal;                          /* the issuer's head that certificate.issued names */
	bool intended, signed_, void_, revoked_by_issuer, revoked_by_status;
};

struct folder_of { /* a dossier and what is still missing of it */
	dossier_id id; /* the key */
	struct dossier d;
	uint64_t missing; /* first line of it whose opening or evidence is not there; NO_LINE */
	const char *what;
	bool erased; /* its erasure is in the books */
};

struct head_seen { /* what the books say of a journal, or a journal of the books */
	struct head head;
	uint64_t n;
	enum in in;
};
struct heads {
	struct head_seen *at;
	size_t n, max;
};
void heads_add(struct heads *h, enum in in, uint64_t n, struct head head);

struct numbers {
	uint64_t *at;
	size_t n, max;
};
void numbers_add(struct numbers *v, uint64_t x);

struct note { /* a checkpoint the books hold */
	uint64_t n, size;
	digest root;
	struct buf text;
};

struct audit {
	const struct ctl *ctl;
	struct books *books;
	struct piece *piece; /* every member, sorted by name */
	size_t n_pieces;
	struct map papers, folders;
	struct ledger ledger;
	struct heads journal_heads; /* that the books name           */
	struct heads books_heads;   /* that the journals name        */
	struct numbers crls;        /* that the books published      */
	struct numbers signed_crls; /* that the journals know        */
	struct heads notes_signed;  /* checkpoints of the status journal */
	struct note *note;
	size_t n_notes, max_notes;
	struct buf published; /* checkpoint; empty: none */

	struct {
		uint64_t lines, openings, opened_fields, evidence, bytes, sealed, erased, unnamed;
		uint64_t ordered, issued, voided, revoked, dossiers, checkpoints, signed_size;
		uint64_t issuer_lines, status_lines, waiting, later;
		instant first, last;
		bool issuer, status; /* the journal is there */
	} count;

	struct finding finding[FINDINGS_MAX];
	uint64_t findings;
};

void audit_find(struct audit *a, enum in in, uint64_t n, const char *what);
void audit_progress(const struct audit *a, const char *what, uint64_t n, uint64_t of);

/* Each gives an error only where reading itself fails; what is wrong becomes findings. */
err audit_evidence(struct audit *a) CHECKED;
err audit_lines(struct audit *a) CHECKED;
/*
 * The house may be at work.  What speaks of the books is taken before them, so that they must know it: the published
 * checkpoint, then the journals; and a journal's head that the books name beyond it is compared with how long it is by then.
 */
err audit_published(struct audit *a, const char *home) CHECKED;
struct journal_view {
	struct book *book; /* owned; NULL: there is none */
	struct book_opened opened;
	enum in in;
};
err journal_view_open(const char *home, enum in in, struct journal_view *out) CHECKED;
void journal_view_drop(struct journal_view *v);
err audit_journal(struct audit *a, struct journal_view *v) CHECKED;
/* After all passes. */
err audit_reconcile(struct audit *a, const struct journal_view *issuer, const struct journal_view *status) CHECKED;

#endif
