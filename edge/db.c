#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "edge/db.h"
#include "edge/db_inside.h"
#include "edge/fold.h"

/* --- talking to SQLite ----------------------------------------------------------- */
err
db_sql_fail(int rc)
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
	return rc == SQLITE_DONE ? ok : db_sql_fail(rc);
}

slice
db_column(sqlite3_stmt *q, int i)
{
	return slice_of(sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
}

int64_t
db_prefix8(const uint8_t *p, size_t n)
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

err
db_flush(struct db *db)
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
		sqlite3_bind_int64(q, 3, db_prefix8(r->d.key.b, SHA256_LEN));
		sqlite3_bind_int64(q, 4, db_prefix8(r->d.card.b, SHA256_LEN));
	}
	if (s != Q_DOSSIER_SAVE)
		bind_or_null(q, 5, db_prefix8(r->d.serial.b, r->d.serial.n), r->d.serial.n > 0);
	bind_or_null(q, 6, (int64_t)r->d.owes, r->d.owes != OWES_NOTHING);
	bind_or_null(q, 7, r->due.ms, r->due.ms != 0);
	bind_or_null(q, 8, (int64_t)r->d.revoked_n, r->d.revoked_n != 0);
	bind_or_null(q, 10, r->d.watch.ms, r->d.watch.ms != 0);
	sqlite3_bind_blob(q, 9, fold, (int)fold_put_record(fold, r), SQLITE_STATIC);
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
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		r = fold_get_whole(db_column(q, 0), &w);
	else if (rc != SQLITE_DONE)
		r = db_sql_fail(rc);
	sqlite3_reset(q);
	TRY(r);
	db->now = db->committed = w;
	return ok;
}

static err
prepare(struct db *db)
{
	for (int i = 0; i < Q_COUNT; i++) {
		int rc = sqlite3_prepare_v3(db->sql, DB_SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &db->q[i], NULL);

		if (rc != SQLITE_OK)
			return db_sql_fail(rc);
	}
	return ok;
}

static err
execute(struct db *db, const char *text)
{
	int rc = sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? ok : db_sql_fail(rc);
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

static err
make_schema(struct db *db)
{
	char text[64];

	TRY(execute(db, DB_SCHEMA));
	snprintf(text, sizeof text, "PRAGMA user_version = %lld", (long long)fold_layout());
	return execute(db, text);
}

/* The books are the truth: what the last power failure took from the projection is applied again. */
#define WRITING                                                                                                        \
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"                              \
	"PRAGMA wal_autocheckpoint = 16000;"

err
db_anew_begin(struct db *db)
{
	assert(!db->open && !db->in_turn);
	/* a file that is not finished is known by its version, and that is on the disk before anything else is */
	TRY(execute(db,
	    "PRAGMA user_version = 2; /* no layout is even */ PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = OFF;"
	    "PRAGMA synchronous = OFF;"));
	db->anew = true;
	return ok;
}

err
db_anew_end(struct db *db)
{
	char text[64];

	assert(db->anew && !db->open && !db->in_turn);
	/* with this commit all pages go to the disk: a power failure before leaves a file that is thrown away */
	TRY(execute(db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"));
	snprintf(text, sizeof text, "PRAGMA user_version = %lld", (long long)fold_layout());
	TRY(execute(db, text));
	db->anew = false;
	return execute(db, WRITING);
}

static err
setup(struct db *db, bool writes)
{
	int64_t version;

	(void)sqlite3_busy_timeout(db->sql, 2000);
	if (writes) {
		TRY(execute(db, WRITING));
		version = pragma_number(db, "PRAGMA user_version");
		if (version == 0)
			TRY(make_schema(db));
		else if (version != fold_layout())
			return fail(ERR_CORRUPT, "db-version: design 3: the projection is of another version; make it anew");
	} else if (execute(db, "PRAGMA query_only = 1").kind != OK ||
	           pragma_number(db, "PRAGMA user_version") != fold_layout())
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
	int rc;

	/* what a turn would take back stays in memory; refused where SQLite runs already, by the first of us */
	(void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
	rc = sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return db_sql_fail(rc);
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

bool
db_in_hand(const struct db *db, dossier_id id)
{
	return db->have && memcmp(db->hand.d.id.b, id.b, sizeof id.b) == 0;
}

/* --- turns ------------------------------------------------------------------------ */
err
db_begin(struct db *db)
{
	assert(!db->in_turn);
	if (!db->open)
		TRY(run(db, Q_BEGIN));
	db->open = db->in_turn = true;
	db->changed = false;
	return ok;
}

/* The first line of a turn: what it changes may be taken back. */
static err
change(struct db *db)
{
	assert(db->in_turn);
	if (!db->changed && !db->anew)
		TRY(run(db, Q_TURN));
	db->changed = true;
	return ok;
}

err
db_commit(struct db *db, struct head books)
{
	uint64_t before = db->committed.applied.size;

	TRY(change(db));
	TRY(db_flush(db));
	if (!db->anew)
		TRY(run(db, Q_TURN_END));
	db->now.applied = books;
	db->now.next = books.size;
	db->committed = db->now;
	db->unstored += books.size > before ? books.size - before : 1;
	db->in_turn = false;
	return ok;
}

err
db_store(struct db *db)
{
	uint8_t fold[FOLD_MAX];

	assert(!db->in_turn);
	if (!db->open)
		return ok;
	sqlite3_bind_blob(db->q[Q_HOUSE_PUT], 1, fold, (int)fold_put_whole(fold, &db->committed), SQLITE_STATIC);
	TRY(run(db, Q_HOUSE_PUT));
	TRY(run(db, Q_COMMIT));
	db->open = false;
	db->unstored = 0;
	return ok;
}

uint64_t
db_unstored(const struct db *db)
{
	return db->unstored;
}

void
db_rollback(struct db *db)
{
	if (!db->in_turn)
		return;
	if (db->changed && !db->anew) {
		(void)run(db, Q_TURN_BACK).kind;
		(void)run(db, Q_TURN_END).kind;
		db->have = db->fresh = db->dirty = false;
	}
	if (db->unstored == 0) {
		(void)run(db, Q_ROLLBACK).kind;
		db->open = false;
	}
	db->now = db->committed;
	db->in_turn = db->changed = false;
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

struct evidence_iter
db_walked(const struct db *db, bool sealed)
{
	struct evidence_iter at = db->committed.walked[sealed];

	at.sealed = sealed;
	at.started = true;
	return at;
}

const struct db_counts *
db_counts(const struct db *db)
{
	return &db->now.counts;
}

/* --- places of evidence ------------------------------------------------------------- */

err
db_place(struct db *db, digest name, struct evidence_at *out)
{
	sqlite3_stmt *q = db->q[Q_PLACE_GET];
	struct evidence_at at = {0};
	err e = fail(ERR_ABSENT, "evidence-absent: Rule 12(1): the books hold no such evidence");
	int rc;

	sqlite3_bind_blob(q, 1, name.b, SHA256_LEN, SQLITE_STATIC);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		e = fold_get_place(db_column(q, 0), &at);
	else if (rc != SQLITE_DONE)
		e = db_sql_fail(rc);
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
	sqlite3_bind_blob(q, 2, fold, (int)fold_put_place(fold, at), SQLITE_STATIC);
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
static void
record_due(struct record *r, const struct entry *e)
{
	if (e->line.act == ACT_CERTIFICATE_ISSUED)
		r->due = e->line.at;
	else if (e->line.act == ACT_CERTIFICATE_REVOKED)
		r->due = DUE_REVOKED; /* before all others */
}

static err
take_into_hand(struct db *db, dossier_id id, bool *there)
{
	struct record r;
	err e;

	if (db_in_hand(db, id)) {
		*there = true;
		return ok;
	}
	TRY(db_flush(db));
	db->have = false;
	e = db_dossier(db, id, &r);
	*there = e.kind == OK;
	return e.kind == ERR_ABSENT ? ok : e;
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

/* The serials of a batch of OCSP answers. */
static err
apply_answers(struct db *db, const struct entry *e)
{
	for (size_t i = 0; i < e->n_serials; i++) {
		struct record r;
		bool there;
		err x = db_serial(db, e->serials[i], &r);

		if (x.kind == ERR_ABSENT)
			return fail(ERR_CORRUPT, "db-serial: Rule 6(xi): an answer was published about an unknown serial");
		TRY(x);
		if (r.d.state == DOSSIER_REVOKED && e->this_update.ms + SECOND_MS <= r.d.revoked.ms)
			continue; /* made before the revocation, whole seconds: the new one is still due */
		TRY(take_into_hand(db, r.d.id, &there));
		assert(there);
		db->hand.due = (instant){0}; /* from now on it is made anew with the wheel */
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

	TRY(change(db));
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

/* --- what it holds, as one digest ------------------------------------------------------ */
static err
digest_rows(struct db *db, enum statement s, struct hash *h)
{
	sqlite3_stmt *q = db->q[s];
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			slice v = db_column(q, i);
			uint8_t size[8];

			for (size_t k = 0; k < sizeof size; k++)
				size[k] = (uint8_t)(v.n >> (8 * k));
			hash_add(h, ARR(size));
			hash_add(h, v);
		}
	sqlite3_reset(q);
	return rc == SQLITE_DONE ? ok : db_sql_fail(rc);
}

static err
digest_all(struct db *db, struct hash *h)
{
	uint8_t fold[FOLD_MAX];

	TRY(whole_load(db));
	hash_add(h, slice_of(fold, fold_put_whole(fold, &db->committed)));
	TRY(digest_rows(db, Q_ALL_DOSSIERS, h));
	return digest_rows(db, Q_ALL_PLACES, h);
}

err
db_digest(struct db *db, digest *out)
{
	struct hash h;
	err e;

	TRY(db_store(db));
	hash_start(&h);
	TRY(execute(db, "BEGIN")); /* one moment, also while a registrar writes on */
	e = digest_all(db, &h);
	TRY(execute(db, "ROLLBACK"));
	TRY(e);
	*out = hash_end(&h);
	return ok;
}
