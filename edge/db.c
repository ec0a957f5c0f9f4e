#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "edge/db.h"

#define FOLD_MAX 2048

/* --- the statements ---------------------------------------------------------- */
enum statement {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
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
	Q_REVOKED,
	Q_PLACE_GET,
	Q_PLACE_PUT,
	Q_ALL_DOSSIERS,
	Q_ALL_PLACES,
	Q_COUNT,
};

static const char *const SQL[Q_COUNT] = {
    [Q_BEGIN] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_HOUSE_GET] = "SELECT fold FROM house WHERE one = 1",
    [Q_HOUSE_PUT] = "INSERT OR REPLACE INTO house (one, fold) VALUES (1, ?1)",
    [Q_DOSSIER_NEW] = "INSERT INTO dossier (n, id, key8, card8, serial8, owes, due, revoked_n, fold)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [Q_DOSSIER_SAVE] = "UPDATE dossier SET owes = ?6, due = ?7, revoked_n = ?8, fold = ?9 WHERE n = ?1",
    [Q_DOSSIER_SAVE_SERIAL] =
        "UPDATE dossier SET serial8 = ?5, owes = ?6, due = ?7, revoked_n = ?8, fold = ?9 WHERE n = ?1",
    [Q_DOSSIER] = "SELECT fold FROM dossier WHERE id = ?1",
    [Q_SERIAL] = "SELECT fold FROM dossier WHERE serial8 = ?1",
    [Q_CARD] = "SELECT fold FROM dossier WHERE card8 = ?1",
    [Q_KEY] = "SELECT fold FROM dossier WHERE key8 = ?1",
    [Q_OWING] = "SELECT fold FROM dossier WHERE owes = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
    [Q_DUE] = "SELECT fold FROM dossier WHERE due <= ?1 ORDER BY due, n LIMIT ?2",
    [Q_REVOKED] = "SELECT fold FROM dossier WHERE revoked_n >= ?1 ORDER BY revoked_n LIMIT ?2",
    [Q_PLACE_GET] = "SELECT place FROM evidence WHERE name = ?1",
    [Q_PLACE_PUT] = "INSERT OR IGNORE INTO evidence (name, place) VALUES (?1, ?2)",
    [Q_ALL_DOSSIERS] = "SELECT n, id, key8, card8, serial8, owes, due, revoked_n, fold FROM dossier ORDER BY n",
    [Q_ALL_PLACES] = "SELECT name, place FROM evidence ORDER BY name",
};

/* owes is NULL when nothing is owed, so that only a debt stands in its index; likewise due and revoked_n. */
static const char SCHEMA[] =
    "CREATE TABLE house (one INTEGER PRIMARY KEY, fold BLOB NOT NULL);"
    "CREATE TABLE dossier (n INTEGER PRIMARY KEY, id BLOB NOT NULL, key8 INTEGER NOT NULL, card8 INTEGER NOT NULL,"
    " serial8 INTEGER, owes INTEGER, due INTEGER, revoked_n INTEGER, fold BLOB NOT NULL);"
    "CREATE UNIQUE INDEX dossier_id ON dossier (id);"
    "CREATE INDEX dossier_key ON dossier (key8);"
    "CREATE INDEX dossier_card ON dossier (card8);"
    "CREATE INDEX dossier_serial ON dossier (serial8) WHERE serial8 IS NOT NULL;"
    "CREATE INDEX dossier_owes ON dossier (owes, n) WHERE owes IS NOT NULL;"
    "CREATE INDEX dossier_due ON dossier (due) WHERE due IS NOT NULL;"
    "CREATE INDEX dossier_revoked ON dossier (revoked_n) WHERE revoked_n IS NOT NULL;"
    "CREATE TABLE evidence (name BLOB PRIMARY KEY, place BLOB NOT NULL) WITHOUT ROWID;";

/* The state of the whole: one row. */
struct whole {
	struct ledger ledger;
	struct db_counts counts;
	struct head applied;
	uint64_t next;                  /* line the fold expects next, within a turn ahead of applied */
	struct evidence_iter walked[2]; /* plain, sealed: what lies behind was cited by lines before */
};

struct db {
	sqlite3 *sql;
	sqlite3_stmt *q[Q_COUNT];
	struct whole now, committed;
	bool in_turn;
	/* The dossier in hand: changed by several lines of a turn, written once. */
	bool have, fresh, dirty;
	serial stored;
	struct record hand;
};

/* --- folds as bytes ------------------------------------------------------------ */
/*
 * A projection's own encoding, read only by the machine that wrote it: one bit a
 * field that is not zero, then those fields' bytes as they lie in memory.
 */
struct field {
	size_t at, size;
};
#define F(type, member)                                                                                                \
	{                                                                                                                  \
		offsetof(struct type, member), sizeof(((struct type *)NULL)->member)                                           \
	}

static const struct field RECORD[] = {
    F(record, d.id), F(record, d.n), F(record, d.state), F(record, d.owes), F(record, d.accepted), F(record, d.review),
    F(record, d.received), F(record, d.since), F(record, d.document), F(record, d.key), F(record, d.card),
    F(record, d.token), F(record, d.validity), F(record, d.judged), F(record, d.method), F(record, d.status),
    F(record, d.nonce), F(record, d.decision), F(record, d.ruleset), F(record, d.orders), F(record, d.serial),
    F(record, d.ordered), F(record, d.not_before), F(record, d.ordered_n), F(record, d.tbs), F(record, d.certificate),
    F(record, d.issued), F(record, d.not_after), F(record, d.receipt), F(record, d.receipt_n), F(record, d.revoked),
    F(record, d.revoked_n), F(record, d.reason), F(record, d.revocation), F(record, d.revoker),
    F(record, d.revocation_judged), F(record, d.revocation_method), F(record, d.revocation_status),
    F(record, d.revocation_nonce), F(record, application.sealed), F(record, application.pack),
    F(record, application.offset), F(record, application.length), F(record, certificate.sealed),
    F(record, certificate.pack), F(record, certificate.offset), F(record, certificate.length), F(record, due),
    F(record, d.why_n), /* with it, the text follows the fields */
};

static const struct field WHOLE[] = {
    F(whole, ledger.baseline),
    F(whole, ledger.ruleset),
    F(whole, ledger.approval),
    F(whole, ledger.approval_from),
    F(whole, ledger.approval_until),
    F(whole, ledger.stopped),
    F(whole, ledger.permissions),
    F(whole, ledger.last_other_n),
    F(whole, ledger.any_other),
    F(whole, ledger.checkpoint_size),
    F(whole, ledger.checkpoint_n),
    F(whole, ledger.checkpoint_before),
    F(whole, ledger.checkpoint_root),
    F(whole, ledger.checkpoint_at),
    F(whole, ledger.revoked_end),
    F(whole, ledger.crl_number),
    F(whole, ledger.crl_covers),
    F(whole, ledger.crl_at),
    F(whole, ledger.crl_next),
    F(whole, ledger.jlis),
    F(whole, ledger.issuer.size),
    F(whole, ledger.issuer.root),
    F(whole, ledger.status.size),
    F(whole, ledger.status.root),
    F(whole, counts.state),
    F(whole, applied.size),
    F(whole, applied.root),
    F(whole, next),
    F(whole, walked[0].pack),
    F(whole, walked[0].offset),
    F(whole, walked[1].pack),
    F(whole, walked[1].offset),
};

static const struct field PLACE[] = {
    F(evidence_at, sealed),
    F(evidence_at, pack),
    F(evidence_at, offset),
    F(evidence_at, length),
};

_Static_assert(COUNT(RECORD) <= 64 && COUNT(WHOLE) <= 64, "one bit a field");

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

static size_t
fold_put(uint8_t out[FOLD_MAX], const void *from, const struct field *f, size_t n)
{
	uint64_t mask = 0;
	size_t at = sizeof mask;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = (const uint8_t *)from + f[i].at;

		if (is_zero(p, f[i].size))
			continue;
		mask |= UINT64_C(1) << i;
		assert(f[i].size <= FOLD_MAX - at);
		memcpy(out + at, p, f[i].size);
		at += f[i].size;
	}
	memcpy(out, &mask, sizeof mask);
	return at;
}

static err
fold_get(slice in, void *to, const struct field *f, size_t n, slice *rest)
{
	uint64_t mask;
	slice s;

	if (!slice_take(&in, sizeof mask, &s))
		return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
	memcpy(&mask, s.p, sizeof mask);
	for (size_t i = 0; i < n; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		if (!slice_take(&in, f[i].size, &s))
			return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
		memcpy((uint8_t *)to + f[i].at, s.p, s.n);
	}
	*rest = in;
	return ok;
}

static size_t
record_put(uint8_t out[FOLD_MAX], const struct record *r)
{
	size_t n = fold_put(out, r, RECORD, COUNT(RECORD));

	assert(r->d.why_n <= WHY_MAX && r->d.why_n <= FOLD_MAX - n);
	memcpy(out + n, r->d.why, r->d.why_n);
	return n + r->d.why_n;
}

static err
record_get(slice in, struct record *out)
{
	struct record r = {0};
	slice rest;

	TRY(fold_get(in, &r, RECORD, COUNT(RECORD), &rest));
	if (rest.n != r.d.why_n || rest.n > WHY_MAX)
		return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
	if (rest.n > 0)
		memcpy(r.d.why, rest.p, rest.n);
	*out = r;
	return ok;
}

/* --- talking to SQLite ----------------------------------------------------------- */
static err
sql_fail(int rc)
{
	rc &= 0xFF;
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_SCHEMA)
		return fail_why(ERR_CORRUPT, "db-damaged: design 3: the projection's file is damaged; make it anew", rc);
	return fail_why(ERR_WORLD, "db-file: design 3: the projection's file cannot be read or written", rc);
}

/* Runs a statement that gives no row. */
static err
run(struct db *db, enum statement s)
{
	int rc = sqlite3_step(db->q[s]);

	sqlite3_reset(db->q[s]);
	return rc == SQLITE_DONE ? ok : sql_fail(rc);
}

static slice
column(sqlite3_stmt *q, int i)
{
	return slice_of(sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
}

/* The first eight bytes as a number: an index entry of 10 bytes instead of 40. */
static int64_t
prefix8(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return (int64_t)v;
}

static void
bind_or_null(sqlite3_stmt *q, int i, int64_t v, bool is)
{
	if (is)
		sqlite3_bind_int64(q, i, v);
	else
		sqlite3_bind_null(q, i);
}

/* Writes the dossier in hand. */
static err
flush(struct db *db)
{
	const struct record *r = &db->hand;
	uint8_t fold[FOLD_MAX];
	enum statement s;
	sqlite3_stmt *q;

	if (!db->have || !db->dirty)
		return ok;
	s = db->fresh ? Q_DOSSIER_NEW : serial_eq(db->stored, r->d.serial) ? Q_DOSSIER_SAVE : Q_DOSSIER_SAVE_SERIAL;
	q = db->q[s];
	sqlite3_bind_int64(q, 1, (int64_t)r->d.n);
	if (s == Q_DOSSIER_NEW) {
		sqlite3_bind_blob(q, 2, r->d.id.b, sizeof r->d.id.b, SQLITE_STATIC);
		sqlite3_bind_int64(q, 3, prefix8(r->d.key.b, SHA256_LEN));
		sqlite3_bind_int64(q, 4, prefix8(r->d.card.b, SHA256_LEN));
	}
	if (s != Q_DOSSIER_SAVE)
		bind_or_null(q, 5, prefix8(r->d.serial.b, r->d.serial.n), r->d.serial.n > 0);
	bind_or_null(q, 6, (int64_t)r->d.owes, r->d.owes != OWES_NOTHING);
	bind_or_null(q, 7, r->due.ms, r->due.ms != 0);
	bind_or_null(q, 8, (int64_t)r->d.revoked_n, r->d.revoked_n != 0);
	sqlite3_bind_blob(q, 9, fold, (int)record_put(fold, r), SQLITE_STATIC);
	TRY(run(db, s));
	db->fresh = db->dirty = false;
	db->stored = r->d.serial;
	return ok;
}

static err
whole_load(struct db *db)
{
	sqlite3_stmt *q = db->q[Q_HOUSE_GET];
	struct whole w = {0};
	err r = ok;
	slice rest;
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		r = fold_get(column(q, 0), &w, WHOLE, COUNT(WHOLE), &rest);
	else if (rc != SQLITE_DONE)
		r = sql_fail(rc);
	sqlite3_reset(q);
	TRY(r);
	db->now = db->committed = w;
	return ok;
}

static err
prepare(struct db *db)
{
	for (int i = 0; i < Q_COUNT; i++) {
		int rc = sqlite3_prepare_v3(db->sql, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &db->q[i], NULL);

		if (rc != SQLITE_OK)
			return sql_fail(rc);
	}
	return ok;
}

static err
execute(struct db *db, const char *text)
{
	int rc = sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? ok : sql_fail(rc);
}

static int64_t
pragma_number(struct db *db, const char *text)
{
	sqlite3_stmt *q = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(db->sql, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return v;
}

static uint32_t
mix(uint32_t h, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (uint32_t)f[i].at) * 16777619U;
		h = (h ^ (uint32_t)f[i].size) * 16777619U;
	}
	return h;
}

/* The version is the layout itself: a program that folds otherwise makes its projection anew. */
static int64_t
layout_version(void)
{
	uint32_t h = mix(mix(mix(2166136261U, RECORD, COUNT(RECORD)), WHOLE, COUNT(WHOLE)), PLACE, COUNT(PLACE));

	return (int64_t)(h & 0x7FFFFFFF) | 1;
}

static err
make_schema(struct db *db)
{
	char text[64];

	TRY(execute(db, SCHEMA));
	snprintf(text, sizeof text, "PRAGMA user_version = %lld", (long long)layout_version());
	return execute(db, text);
}

static err
setup(struct db *db, bool writes)
{
	int64_t version;

	(void)sqlite3_busy_timeout(db->sql, 2000);
	if (writes) {
		/* The books are the truth: what the last power failure took from the projection is applied again. */
		TRY(execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
		                "PRAGMA wal_autocheckpoint = 16000;"));
		version = pragma_number(db, "PRAGMA user_version");
		if (version == 0)
			TRY(make_schema(db));
		else if (version != layout_version())
			return fail(ERR_CORRUPT, "db-version: design 3: the projection is of another version; make it anew");
	} else if (execute(db, "PRAGMA query_only = 1").kind != OK ||
	           pragma_number(db, "PRAGMA user_version") != layout_version())
		return fail(ERR_CORRUPT, "db-version: design 3: the projection is of another version; make it anew");
	{
		char text[64];

		snprintf(text, sizeof text, "PRAGMA cache_size = -%d", DB_CACHE_KIB);
		TRY(execute(db, text));
	}
	TRY(prepare(db));
	return whole_load(db);
}

static err
open_with(const char *path, int flags, bool writes, struct db **out)
{
	struct db *db OWNED(db_close) = mem_new(1, sizeof *db);
	int rc = sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return sql_fail(rc);
	TRY(setup(db, writes));
	*out = db;
	db = NULL;
	return ok;
}

err
db_open(const char *path, struct db **out)
{
	return open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, true, out);
}

err
db_open_read(const char *path, struct db **out)
{
	if (access(path, R_OK) != 0)
		return fail_why(ERR_ABSENT, "db-absent: design 3: there is no projection", errno);
	/* not SQLITE_OPEN_READONLY: after a crash the -wal must be taken in before it can be read */
	return open_with(path, SQLITE_OPEN_READWRITE, false, out);
}

void
db_close(struct db **db)
{
	if (*db == NULL)
		return;
	for (int i = 0; i < Q_COUNT; i++)
		sqlite3_finalize((*db)->q[i]);
	sqlite3_close((*db)->sql);
	free(*db);
	*db = NULL;
}

void
db_delete(const char *path)
{
	static const char *const TAILS[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < COUNT(TAILS); i++) {
		char name[4096];

		if (snprintf(name, sizeof name, "%s%s", path, TAILS[i]) < (int)sizeof name)
			(void)unlink(name);
	}
}

/* --- turns ------------------------------------------------------------------------ */
err
db_begin(struct db *db)
{
	assert(!db->in_turn);
	TRY(run(db, Q_BEGIN));
	db->in_turn = true;
	return ok;
}

err
db_commit(struct db *db, struct head books)
{
	uint8_t fold[FOLD_MAX];

	assert(db->in_turn);
	TRY(flush(db));
	db->now.applied = books;
	db->now.next = books.size;
	sqlite3_bind_blob(db->q[Q_HOUSE_PUT], 1, fold, (int)fold_put(fold, &db->now, WHOLE, COUNT(WHOLE)), SQLITE_STATIC);
	TRY(run(db, Q_HOUSE_PUT));
	TRY(run(db, Q_COMMIT));
	db->committed = db->now;
	db->in_turn = false;
	return ok;
}

void
db_rollback(struct db *db)
{
	if (!db->in_turn)
		return;
	(void)run(db, Q_ROLLBACK).kind;
	db->now = db->committed;
	db->in_turn = db->have = db->fresh = db->dirty = false;
}

struct head
db_head(const struct db *db)
{
	return db->committed.applied;
}

const struct ledger *
db_ledger(const struct db *db)
{
	return &db->now.ledger;
}

const struct db_counts *
db_counts(const struct db *db)
{
	return &db->now.counts;
}

/* --- questions -------------------------------------------------------------------- */
/* One row or none of a statement whose column 0 is a fold; `want` may pass over rows. */
static err
first(struct db *db, enum statement s, bool (*want)(const struct record *, const void *), const void *with,
    struct record *out, bool *found)
{
	sqlite3_stmt *q = db->q[s];
	struct record r;
	err e = ok;
	int rc;

	*found = false;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		e = record_get(column(q, 0), &r);
		if (e.kind != OK)
			break;
		if (want == NULL || want(&r, with)) {
			*out = r;
			*found = true;
			break;
		}
	}
	sqlite3_reset(q);
	if (e.kind == OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(rc);
	return e;
}

static err
list(struct db *db, enum statement s, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[s];
	err e = ok;
	int rc = SQLITE_DONE;
	size_t i = 0;

	while (i < max && e.kind == OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
		e = record_get(column(q, 0), &out[i++]);
	sqlite3_reset(q);
	TRY(e);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(rc);
	*n = i;
	return ok;
}

static bool
in_hand(const struct db *db, dossier_id id)
{
	return db->have && memcmp(db->hand.d.id.b, id.b, sizeof id.b) == 0;
}

err
db_dossier(struct db *db, dossier_id id, struct record *out)
{
	sqlite3_stmt *q = db->q[Q_DOSSIER];
	bool found;

	if (in_hand(db, id)) {
		*out = db->hand;
		return ok;
	}
	sqlite3_bind_blob(q, 1, id.b, sizeof id.b, SQLITE_STATIC);
	TRY(first(db, Q_DOSSIER, NULL, NULL, out, &found));
	return found ? ok : fail(ERR_ABSENT, "dossier-absent: Rule 12(1): there is no such application");
}

static bool
is_serial(const struct record *r, const void *with)
{
	return serial_eq(r->d.serial, *(const serial *)with);
}

err
db_serial(struct db *db, serial s, struct record *out)
{
	bool found;

	TRY(flush(db));
	sqlite3_bind_int64(db->q[Q_SERIAL], 1, prefix8(s.b, s.n));
	TRY(first(db, Q_SERIAL, is_serial, &s, out, &found));
	return found ? ok : fail(ERR_ABSENT, "serial-absent: Rule 6(v): no certificate has this serial number");
}

err
db_card(struct db *db, digest card, dossier_id except, instant now, uint64_t *open, uint64_t *valid)
{
	sqlite3_stmt *q = db->q[Q_CARD];
	uint64_t o = 0, v = 0;
	err e = ok;
	int rc;

	TRY(flush(db));
	sqlite3_bind_int64(q, 1, prefix8(card.b, SHA256_LEN));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct record r;

		e = record_get(column(q, 0), &r);
		if (e.kind != OK)
			break;
		if (!digest_eq(r.d.card, card) || memcmp(r.d.id.b, except.b, sizeof except.b) == 0)
			continue;
		o += dossier_is_open(&r.d);
		v += dossier_is_valid(&r.d, now);
	}
	sqlite3_reset(q);
	TRY(e);
	if (rc != SQLITE_DONE)
		return sql_fail(rc);
	*open = o;
	*valid = v;
	return ok;
}

struct key_want {
	digest key;
	dossier_id except;
};

static bool
is_key(const struct record *r, const void *with)
{
	const struct key_want *w = with;

	return digest_eq(r->d.key, w->key) && memcmp(r->d.id.b, w->except.b, sizeof w->except.b) != 0 &&
	       r->d.state != DOSSIER_REFUSED && r->d.state != DOSSIER_WITHDRAWN;
}

err
db_key_used(struct db *db, digest key, dossier_id except, bool *used)
{
	struct key_want w = {key, except};
	struct record r;

	TRY(flush(db));
	sqlite3_bind_int64(db->q[Q_KEY], 1, prefix8(key.b, SHA256_LEN));
	return first(db, Q_KEY, is_key, &w, &r, used);
}

err
db_owing(struct db *db, enum owes owes, uint64_t after, bool from_start, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_OWING];

	TRY(flush(db));
	sqlite3_bind_int64(q, 1, (int64_t)owes);
	sqlite3_bind_int64(q, 2, from_start ? -1 : (int64_t)after);
	sqlite3_bind_int64(q, 3, (int64_t)max);
	return list(db, Q_OWING, out, max, n);
}

err
db_due(struct db *db, instant now, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_DUE];

	TRY(flush(db));
	sqlite3_bind_int64(q, 1, now.ms);
	sqlite3_bind_int64(q, 2, (int64_t)max);
	return list(db, Q_DUE, out, max, n);
}

err
db_revoked(struct db *db, uint64_t from, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_REVOKED];

	TRY(flush(db));
	sqlite3_bind_int64(q, 1, (int64_t)from);
	sqlite3_bind_int64(q, 2, (int64_t)max);
	return list(db, Q_REVOKED, out, max, n);
}

/* --- places of evidence ------------------------------------------------------------- */

err
db_place(struct db *db, digest name, struct evidence_at *out)
{
	sqlite3_stmt *q = db->q[Q_PLACE_GET];
	struct evidence_at at = {0};
	err e = fail(ERR_ABSENT, "evidence-absent: Rule 12(1): the books hold no such evidence");
	slice rest;
	int rc;

	sqlite3_bind_blob(q, 1, name.b, SHA256_LEN, SQLITE_STATIC);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		e = fold_get(column(q, 0), &at, PLACE, COUNT(PLACE), &rest);
	else if (rc != SQLITE_DONE)
		e = sql_fail(rc);
	sqlite3_reset(q);
	TRY(e);
	*out = at;
	return ok;
}

static err
place_put(struct db *db, digest name, const struct evidence_at *at)
{
	sqlite3_stmt *q = db->q[Q_PLACE_PUT];
	uint8_t fold[FOLD_MAX];

	sqlite3_bind_blob(q, 1, name.b, SHA256_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(q, 2, fold, (int)fold_put(fold, at, PLACE, COUNT(PLACE)), SQLITE_STATIC);
	return run(db, Q_PLACE_PUT);
}

bool
db_wants_places(const struct entry *e)
{
	switch (e->line.act) {
	case ACT_EXPLANATION_ACKNOWLEDGED: /* the application's own */
		return false;
	case ACT_IDENTITY_VERIFIED:
	case ACT_IDENTITY_FAILED:
	case ACT_IDENTITY_MISMATCH:
	case ACT_IDENTITY_UNCHECKED:
		return e->method == STATUS_OCSP; /* a CRL has its own line */
	default:
		return e->line.n_evidence > 0;
	}
}

/* --- the fold ------------------------------------------------------------------------ */
/* Half of an answer's life before it ends the next one is made: a signer may be away that long. */
static void
record_due(struct record *r, const struct entry *e)
{
	if (e->line.act == ACT_CERTIFICATE_ISSUED)
		r->due = e->line.at;
	else if (e->line.act == ACT_CERTIFICATE_REVOKED)
		r->due = (instant){1}; /* before all others */
}

static err
take_into_hand(struct db *db, dossier_id id, bool *there)
{
	err e;

	if (in_hand(db, id)) {
		*there = true;
		return ok;
	}
	TRY(flush(db));
	db->have = false;
	e = db_dossier(db, id, &db->hand);
	*there = e.kind == OK;
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	db->have = *there;
	db->fresh = db->dirty = false;
	db->stored = db->hand.d.serial;
	return ok;
}

static err
apply_dossier(struct db *db, const struct entry *e, const struct evidence_at *places)
{
	enum dossier_state before;
	struct record zero = {0}, *r;
	bool there;

	TRY(take_into_hand(db, e->line.dossier, &there));
	if (!there) {
		TRY(dossier_apply(&zero.d, e));
		if (e->line.act != ACT_APPLICATION_RECEIVED)
			return ok;
		db->hand = zero;
		db->have = db->fresh = true;
		db->stored = (serial){0};
		before = 0;
	} else {
		before = db->hand.d.state;
		TRY(dossier_apply(&db->hand.d, e));
	}
	r = &db->hand;
	db->dirty = true;
	if (before != 0 && db->now.counts.state[before] == 0)
		return fail(ERR_CORRUPT, "db-count: design 3: the projection's rows and counts differ; make it anew");
	db->now.counts.state[before] -= before != 0;
	db->now.counts.state[r->d.state]++;
	if (e->line.act == ACT_APPLICATION_RECEIVED)
		r->application = places[0];
	else if (e->line.act == ACT_CERTIFICATE_ISSUED)
		r->certificate = places[0];
	record_due(r, e);
	return ok;
}

/* The serials of a batch of OCSP answers: when each is due again. */
static err
apply_answers(struct db *db, const struct entry *e)
{
	for (size_t i = 0; i < e->n_serials; i++) {
		struct record r;
		bool there;
		err x = db_serial(db, e->serials[i], &r);
		int64_t again = e->this_update.ms + (e->next_update.ms - e->this_update.ms) / 2;

		if (x.kind == ERR_ABSENT)
			return fail(ERR_CORRUPT, "db-serial: Rule 6(xi): an answer was published about an unknown serial");
		TRY(x);
		if (r.d.state == DOSSIER_REVOKED && e->this_update.ms + SECOND_MS <= r.d.revoked.ms)
			continue; /* made before the revocation, whole seconds: the new one is still due */
		TRY(take_into_hand(db, r.d.id, &there));
		assert(there);
		db->hand.due = again > r.d.not_after.ms ? (instant){0} : (instant){again};
		db->dirty = true;
	}
	return ok;
}

/* Evidence is written in the order of the lines that cite it: a later catching up need not look behind this place. */
static void
note_walked(struct db *db, const struct evidence_at *at)
{
	struct evidence_iter *w = &db->now.walked[at->sealed];
	uint64_t end =
	    at->offset + 512 + (((uint64_t)at->length + 511) & ~UINT64_C(511)); /* ustar: header, padded member */

	if (at->length == 0 || at->pack < w->pack || (at->pack == w->pack && end <= w->offset))
		return;
	w->pack = at->pack;
	w->offset = end;
}

err
db_apply(struct db *db, const struct entry *e, const struct evidence_at *places)
{
	bool own = e->line.act == ACT_APPLICATION_RECEIVED || e->line.act == ACT_CERTIFICATE_ISSUED;

	assert(db->in_turn);
	if (e->line.n != db->now.next)
		return fail(ERR_CORRUPT, "db-number: design 3: the lines are not applied in their order");
	TRY(ledger_apply(&db->now.ledger, e));
	if (own && (places == NULL || e->line.n_evidence != 1))
		return fail(ERR_CORRUPT, "db-evidence: Rule 12(1)(i): a line does not say what it rests on");
	if (e->line.about == ABOUT_DOSSIER)
		TRY(apply_dossier(db, e, places));
	else if (e->line.act == ACT_OCSP_PUBLISHED)
		TRY(apply_answers(db, e));
	if (!own && db_wants_places(e))
		for (size_t i = 0; i < e->line.n_evidence; i++)
			if (places[i].length != 0)
				TRY(place_put(db, e->line.evidence[i], &places[i]));
	if (places != NULL && db_wants_places(e))
		for (size_t i = 0; i < e->line.n_evidence; i++)
			note_walked(db, &places[i]);
	db->now.next++;
	return ok;
}

/* --- catching up ----------------------------------------------------------------------- */
/*
 * Lines cite evidence by name; where it lies is found by walking the packs beside
 * the lines.  Evidence is written in the order of the lines that cite it, so what
 * was passed over and not cited yet stays few.
 */
struct finder {
	struct book *book;
	struct evidence_iter iter[2]; /* plain, sealed */
	bool ended[2];
	size_t n, cap; /* open addressing, cap a power of two */
	struct found {
		digest name;
		struct evidence_at at;
		bool used;
	} * table;
};

static void
finder_drop(struct finder *f)
{
	free(f->table);
	*f = (struct finder){0};
}

static struct found *
finder_slot(struct finder *f, digest name)
{
	size_t i = (size_t)prefix8(name.b, 8) & (f->cap - 1);

	while (f->table[i].used && !digest_eq(f->table[i].name, name))
		i = (i + 1) & (f->cap - 1);
	return &f->table[i];
}

static void
finder_put(struct finder *f, digest name, struct evidence_at at)
{
	struct found *s;

	if (2 * (f->n + 1) > f->cap) {
		struct found *old = f->table;
		size_t cap = f->cap;

		f->cap = cap == 0 ? 1024 : 2 * cap;
		f->table = mem_new(f->cap, sizeof *f->table);
		for (size_t i = 0; i < cap; i++)
			if (old[i].used)
				*finder_slot(f, old[i].name) = old[i];
		free(old);
	}
	s = finder_slot(f, name);
	if (s->used)
		return; /* the first copy counts, as in the turn that wrote it */
	*s = (struct found){name, at, true};
	f->n++;
}

/* Walks one family on until `name` is found or the packs end. */
static err
finder_walk(struct finder *f, unsigned family, digest name, bool *found)
{
	while (!f->ended[family]) {
		struct evidence_at at;
		digest d;
		err e = book_evidence_next(f->book, &f->iter[family], &d, &at);

		if (e.kind == ERR_ABSENT || (e.kind == OK && family == 0 && at.sealed)) {
			f->ended[family] = true;
			break;
		}
		TRY(e);
		finder_put(f, d, at);
		if (digest_eq(d, name)) {
			*found = true;
			return ok;
		}
	}
	return ok;
}

static err
finder_find(struct finder *f, struct db *db, digest name, struct evidence_at *out)
{
	bool found = f->cap > 0 && finder_slot(f, name)->used;
	err e;

	if (!found) {
		e = db_place(db, name, out);
		if (e.kind != ERR_ABSENT)
			return e;
		TRY(finder_walk(f, 0, name, &found));
		if (!found)
			TRY(finder_walk(f, 1, name, &found));
	}
	if (!found) {
		*out = (struct evidence_at){0}; /* erased by law, with its pack */
		return ok;
	}
	*out = finder_slot(f, name)->at;
	return ok;
}

static err
apply_line(struct db *db, struct finder *f, slice line)
{
	struct entry e OWNED(entry_drop) = {0};
	struct evidence_at places[LINE_EVIDENCE_MAX] = {0};

	TRY(entry_get(line, &e));
	if (db_wants_places(&e))
		for (size_t i = 0; i < e.line.n_evidence; i++)
			TRY(finder_find(f, db, e.line.evidence[i], &places[i]));
	return db_apply(db, &e, places);
}

#define CATCH_UP_LINES 4096 /* a transaction: a crash costs little, a commit costs little */

static err
catch_up_some(struct db *db, struct finder *f, struct book_reader *r, uint64_t until, uint64_t *at)
{
	for (size_t i = 0; i < CATCH_UP_LINES && *at < until; i++) {
		uint64_t n;
		slice line;

		TRY(book_read_next(r, &n, &line));
		TRY(apply_line(db, f, line));
		*at = n + 1;
	}
	return ok;
}

err
db_catch_up(struct db *db, struct book *book, uint64_t until, void (*step)(void *), void *with)
{
	struct finder f OWNED(finder_drop) = {.book = book};
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct tree_nodes nodes = book_nodes(book);
	struct head at = db_head(db);
	digest root;

	if (at.size > book_size(book))
		return fail(ERR_CONFLICT, "db-leads: design 3: the projection knows lines the books do not have");
	if (at.size > 0) {
		TRY(tree_root_at(&nodes, at.size, &root));
		if (!digest_eq(root, at.root))
			return fail(ERR_CONFLICT, "db-root: design 3: the projection is of other books");
	}
	if (at.size >= until)
		return ok;
	for (unsigned i = 0; i < 2; i++) {
		f.iter[i] = db->committed.walked[i];
		f.iter[i].sealed = i == 1;
		f.iter[i].started = true;
	}
	TRY(book_read_from(book, at.size, &r));
	while (at.size < until) {
		err e;

		TRY(db_begin(db));
		e = catch_up_some(db, &f, r, until, &at.size);
		if (e.kind == OK)
			e = tree_root_at(&nodes, at.size, &at.root);
		if (e.kind == OK)
			e = db_commit(db, at);
		if (e.kind != OK) {
			db_rollback(db);
			return e;
		}
		if (step != NULL)
			step(with);
	}
	return ok;
}

static err
digest_rows(struct db *db, enum statement s, struct hash *h)
{
	sqlite3_stmt *q = db->q[s];
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			slice v = column(q, i);
			uint8_t size[8];

			for (size_t k = 0; k < sizeof size; k++)
				size[k] = (uint8_t)(v.n >> (8 * k));
			hash_add(h, ARR(size));
			hash_add(h, v);
		}
	sqlite3_reset(q);
	return rc == SQLITE_DONE ? ok : sql_fail(rc);
}

static err
digest_all(struct db *db, struct hash *h)
{
	uint8_t fold[FOLD_MAX];

	TRY(whole_load(db));
	hash_add(h, slice_of(fold, fold_put(fold, &db->committed, WHOLE, COUNT(WHOLE))));
	TRY(digest_rows(db, Q_ALL_DOSSIERS, h));
	return digest_rows(db, Q_ALL_PLACES, h);
}

err
db_digest(struct db *db, digest *out)
{
	struct hash h;
	err e;

	assert(!db->in_turn);
	hash_start(&h);
	TRY(execute(db, "BEGIN")); /* one moment, also while a registrar writes on */
	e = digest_all(db, &h);
	TRY(execute(db, "ROLLBACK"));
	TRY(e);
	*out = hash_end(&h);
	return ok;
}
