/*
 * db_inside.h - what the projection is to its own files, and to nobody else.
 *
 * Depends on: edge/db, edge/db_sql, edge/fold.
 *
 * db.c opens, keeps turns and folds; db_ask.c answers questions; db_catch_up.c makes it follow the books.
 */
#ifndef EDGE_DB_INSIDE_H
#define EDGE_DB_INSIDE_H

#include <sqlite3.h>

#include "edge/db.h"
#include "edge/db_sql.h"
#include "edge/fold.h"

struct db {
	sqlite3 *sql;
	sqlite3_stmt *q[Q_COUNT];
	struct whole now, committed;
	bool in_turn;
	bool open, changed; /* a transaction; this turn applied something */
	bool anew;          /* see db_anew_begin: nothing is ever taken back */
	uint64_t unstored;  /* lines of turns that are committed here and not yet in the file */
	/* The dossier in hand: changed by several lines of a turn, written once. */
	bool have, fresh, dirty;
	serial stored;
	struct record hand;
};

/* What SQLite answered: ERR_CORRUPT db-damaged, ERR_WORLD db-file. */
err db_sql_fail(int rc) CHECKED;
/* A blob of the row at hand; it lives until the next step. */
slice db_column(sqlite3_stmt *q, int i);
/* The first eight bytes as a number: an index entry of 10 bytes instead of 40. */
int64_t db_prefix8(const uint8_t *p, size_t n);
/* Writes the dossier in hand, before the rows are asked. */
err db_flush(struct db *db) CHECKED;
bool db_in_hand(const struct db *db, dossier_id id);

#endif
