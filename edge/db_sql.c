#include "edge/db_sql.h"

const char *const DB_SQL[Q_COUNT] = {
    [Q_BEGIN] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_TURN] = "SAVEPOINT turn",
    [Q_TURN_END] = "RELEASE turn",
    [Q_TURN_BACK] = "ROLLBACK TO turn",
    [Q_HOUSE_GET] = "SELECT fold FROM house WHERE one = 1",
    [Q_HOUSE_PUT] = "INSERT OR REPLACE INTO house (one, fold) VALUES (1, ?1)",
    [Q_DOSSIER_NEW] = "INSERT INTO dossier (n, id, key8, card8, serial8, owes, due, revoked_n, fold, watch)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [Q_DOSSIER_SAVE] = "UPDATE dossier SET owes = ?6, due = ?7, revoked_n = ?8, fold = ?9, watch = ?10 WHERE n = ?1",
    [Q_DOSSIER_SAVE_SERIAL] =
        "UPDATE dossier SET serial8 = ?5, owes = ?6, due = ?7, revoked_n = ?8, fold = ?9, watch = ?10 WHERE n = ?1",
    [Q_DOSSIER] = "SELECT fold FROM dossier WHERE id = ?1",
    [Q_SERIAL] = "SELECT fold FROM dossier WHERE serial8 = ?1",
    [Q_CARD] = "SELECT fold FROM dossier WHERE card8 = ?1",
    [Q_KEY] = "SELECT fold FROM dossier WHERE key8 = ?1",
    [Q_OWING] = "SELECT fold FROM dossier WHERE owes = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
    [Q_DUE] = "SELECT fold FROM dossier WHERE due <= ?1 AND (due, n) > (?3, ?4) ORDER BY due, n LIMIT ?2",
    [Q_AFTER] = "SELECT serial8 FROM dossier WHERE serial8 > ?1 ORDER BY serial8 LIMIT 1 OFFSET ?2",
    [Q_RANGE] = "SELECT fold FROM dossier WHERE serial8 > ?1 AND serial8 <= ?2 ORDER BY serial8 LIMIT ?3",
    [Q_WATCHED] = "SELECT fold FROM dossier WHERE watch <= ?1 AND (watch, n) > (?3, ?4) ORDER BY watch, n LIMIT ?2",
    [Q_REVOKED] = "SELECT fold FROM dossier WHERE revoked_n >= ?1 ORDER BY revoked_n LIMIT ?2",
    [Q_PLACE_GET] = "SELECT place FROM evidence WHERE name = ?1",
    [Q_PLACE_PUT] = "INSERT OR IGNORE INTO evidence (name, place) VALUES (?1, ?2)",
    [Q_ALL_DOSSIERS] = "SELECT n, id, key8, card8, serial8, owes, due, revoked_n, watch, fold FROM dossier ORDER BY n",
    [Q_ALL_PLACES] = "SELECT name, place FROM evidence ORDER BY name",
};

/* owes is NULL when nothing is owed, so that only a debt stands in its index; likewise due, watch and revoked_n. */
const char DB_SCHEMA[] =
    "CREATE TABLE house (one INTEGER PRIMARY KEY, fold BLOB NOT NULL);"
    "CREATE TABLE dossier (n INTEGER PRIMARY KEY, id BLOB NOT NULL, key8 INTEGER NOT NULL, card8 INTEGER NOT NULL,"
    " serial8 INTEGER, owes INTEGER, due INTEGER, revoked_n INTEGER, watch INTEGER, fold BLOB NOT NULL);"
    "CREATE UNIQUE INDEX dossier_id ON dossier (id);"
    "CREATE INDEX dossier_key ON dossier (key8);"
    "CREATE INDEX dossier_card ON dossier (card8);"
    "CREATE INDEX dossier_serial ON dossier (serial8) WHERE serial8 IS NOT NULL;"
    "CREATE INDEX dossier_owes ON dossier (owes, n) WHERE owes IS NOT NULL;"
    "CREATE INDEX dossier_due ON dossier (due) WHERE due IS NOT NULL;"
    "CREATE INDEX dossier_watch ON dossier (watch) WHERE watch IS NOT NULL;"
    "CREATE INDEX dossier_revoked ON dossier (revoked_n) WHERE revoked_n IS NOT NULL;"
    "CREATE TABLE evidence (name BLOB PRIMARY KEY, place BLOB NOT NULL) WITHOUT ROWID;";
