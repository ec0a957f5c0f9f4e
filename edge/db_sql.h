/*
 * db_sql.h - what the projection says to SQLite: its tables, and every statement of the house under a name.
 *
 * Depends on: nothing.  Pure.  Private to db.c, which binds the parameters in the order of their numbers.
 */
#ifndef EDGE_DB_SQL_H
#define EDGE_DB_SQL_H

enum statement {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_TURN,
	Q_TURN_END,
	Q_TURN_BACK,
	Q_HOUSE_GET,
	Q_HOUSE_PUT,
	Q_DOSSIER_NEW,
	Q_DOSSIER_SAVE,
	Q_DOSSIER_SAVE_SERIAL,
	Q_DOSSIER,
	Q_SERIAL,
	Q_CARD,
	Q_KEY,
	Q_OWING,
	Q_DUE,
	Q_AFTER,
	Q_RANGE,
	Q_WATCHED,
	Q_REVOKED,
	Q_PLACE_GET,
	Q_PLACE_PUT,
	Q_ALL_DOSSIERS,
	Q_ALL_PLACES,
	Q_COUNT,
};

extern const char *const DB_SQL[Q_COUNT];
/* Several statements: run once, on an empty file. */
extern const char DB_SCHEMA[];

#endif
