/*
 * db.h - the projection: what the books say now, kept in SQLite so that it can be
 *        asked quickly.
 *
 * Depends on: base, cert, dossier, book, fold; SQLite.  Touches the one file it was
 * opened on (and SQLite's -wal and -shm beside it).
 *
 * A fold and nothing more: every row follows from lines of the books by
 * act/dossier, and the file may be deleted at any time.  It remembers the size and
 * root of the books it has applied: db_catch_up() applies what it lags behind;
 * one that leads the books, or stands on another root, is thrown away by its owner
 * and made anew.  It holds no personal data: where a thing is in the evidence, not
 * what it says.
 *
 * Turns are committed here and STORED together: a turn's pages are written again by the next, so the file is given many
 * turns at once.  A crash takes what is not stored, and it is applied again from the books at the next start.
 *
 * A TURN: db_begin, any number of db_apply and questions (which see what the turn
 * has applied), then db_commit after the books are durable, or db_rollback.  One
 * that only asks ends with db_rollback too: a question outside a turn costs a lock.
 *
 * Every SQL statement of the house stands in db_sql.c under a name.  Few indexes:
 * dossier id (which is the document's digest), and 64-bit prefixes of key, card
 * and serial, since a random index is what makes a growing projection slow; small
 * partial ones for what is owed.
 */
#ifndef EDGE_DB_H
#define EDGE_DB_H

#include "act/dossier.h"
#include "act/entry.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "edge/book.h"
#include "edge/fold.h"
#include "pki/cert.h"

#define DB_CACHE_KIB 24576 /* half of what a role may use: the hot indexes of a million dossiers      */
#define DB_LIST_MAX 64     /* rows a question gives at once                                            */

struct db;

/* Makes the file when it is absent.  ERR_CORRUPT db-version, db-damaged: delete it and open again. */
err db_open(const char *path, struct db **out) CHECKED;
/* Reading only, beside a running registrar; ERR_ABSENT. */
err db_open_read(const char *path, struct db **out) CHECKED;
void db_close(struct db **db);
/* Deletes the file and what SQLite keeps beside it. */
void db_delete(const char *path);

err db_begin(struct db *db) CHECKED;
/* `books` is what has been applied from now on. */
err db_commit(struct db *db, struct head books) CHECKED;
void db_rollback(struct db *db);
/* Between turns: everything committed goes into the file.  Nothing to store: nothing happens. */
err db_store(struct db *db) CHECKED;
/* Lines that are committed and not stored. */
uint64_t db_unstored(const struct db *db);
/* What was applied up to the last commit. */
struct head db_head(const struct db *db);

/*
 * One line of the books.  `places` has one for each of the line's evidence when
 * db_wants_places() says so; else NULL.
 */
bool db_wants_places(const struct entry *e);
err db_apply(struct db *db, const struct entry *e, const struct evidence_at *places) CHECKED;

/* The house's state, within a turn as this turn leaves it. */
const struct ledger *db_ledger(const struct db *db);
const struct db_counts *db_counts(const struct db *db);

/* ERR_ABSENT dossier-absent, serial-absent, evidence-absent. */
err db_dossier(struct db *db, dossier_id id, struct record *out) CHECKED;
err db_serial(struct db *db, serial s, struct record *out) CHECKED;
/* Where shared evidence lies: everything but applications and certificates. */
err db_place(struct db *db, digest name, struct evidence_at *out) CHECKED;
/* Applications not yet ended and certificates still valid from one card certificate, `except` not counted. */
err db_card(struct db *db, digest card, dossier_id except, instant now, uint64_t *open, uint64_t *valid) CHECKED;
/* Another dossier, not refused, has this subscriber key. */
err db_key_used(struct db *db, digest key, dossier_id except, bool *used) CHECKED;
/* Dossiers that owe this, in the order they came; after line `after` (0 and first: from the start). */
err db_owing(
    struct db *db, enum owes owes, uint64_t after, bool first, struct record *out, size_t max, size_t *n) CHECKED;
#define DUE_REVOKED ((instant){1}) /* as db_due's `now`: the revoked ones alone */
/* Certificates whose first OCSP answer, or the one that says revoked, is due, revoked ones first; those after one that this gave before, or NULL. */
err db_due(struct db *db, instant now, const struct record *after, struct record *out, size_t max, size_t *n) CHECKED;
/*
 * Serials as their first eight bytes, a number: for those of this house, of 16 bytes and below 80, the same order.  The
 * one that stands `rows` behind `after`; false: there are fewer.
 */
err db_after(struct db *db, int64_t after, size_t rows, bool *has, int64_t *out) CHECKED;
/* What the status of a range of serials rests on, in rising order. */
struct serial_row {
	serial serial;
	bool issued, revoked, due; /* due: its first answer, or the one that says revoked, is owed */
	instant not_after;
};
err db_range(struct db *db, int64_t after, int64_t upto, struct serial_row *out, size_t max, size_t *n) CHECKED;
/* Certificates whose receipt is looked for now (dossier.watch), the longest overdue first; after that one, NULL: from the first. */
err db_watched(struct db *db, instant now, const struct record *after, struct record *out, size_t max, size_t *n) CHECKED;
/* Certificates revoked by lines >= from, in that order. */
err db_revoked(struct db *db, uint64_t from, struct record *out, size_t max, size_t *n) CHECKED;

/* Up to where the packs were walked for the lines applied; db_catch_up.c goes on from there. */
struct evidence_iter db_walked(const struct db *db, bool sealed);
/*
 * An empty projection is made from many lines: its file is written without a log and without a sync until the end, and says
 * of another version until then.  Who does not come to the end, for any reason, has a file that is thrown away.
 */
err db_anew_begin(struct db *db) CHECKED;
err db_anew_end(struct db *db) CHECKED;
/*
 * Applies all lines of the book from where the projection stands.  ERR_CONFLICT
 * db-leads, db-root: it is not of this book.  `step` (may be NULL) is called now
 * and then, so that a role can answer its heartbeat.
 */
err db_catch_up(struct db *db, struct book *book, uint64_t until, void (*step)(void *), void *with) CHECKED;
/* Stores; SHA-256 over everything the projection holds, rows in order: equal folds are equal.  db_head() is of that moment then. */
err db_digest(struct db *db, digest *out) CHECKED;

#endif
