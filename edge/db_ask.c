/* What the projection is asked. */
#include "edge/db.h"
#include "edge/db_inside.h"
#include "edge/fold.h"

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
		e = fold_get_record(db_column(q, 0), &r);
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
		return db_sql_fail(rc);
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
		e = fold_get_record(db_column(q, 0), &out[i++]);
	sqlite3_reset(q);
	TRY(e);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_sql_fail(rc);
	*n = i;
	return ok;
}

/* A row that was written, or that there is not, is in hand: nothing is read or written twice in a turn. */
static err
take(struct db *db, const struct record *r)
{
	TRY(db_flush(db));
	db->hand = *r;
	db->have = true;
	db->fresh = db->dirty = false;
	db->stored = r->d.serial;
	return ok;
}

err
db_dossier(struct db *db, dossier_id id, struct record *out)
{
	sqlite3_stmt *q = db->q[Q_DOSSIER];
	bool found;

	if (db_in_hand(db, id)) {
		*out = db->hand;
		return ok;
	}
	sqlite3_bind_blob(q, 1, id.b, sizeof id.b, SQLITE_STATIC);
	TRY(first(db, Q_DOSSIER, NULL, NULL, out, &found));
	if (!found)
		return fail(ERR_ABSENT, "dossier-absent: Rule 12(1): there is no such application");
	return db->in_turn ? take(db, out) : ok; /* who asks often enters a line about it next */
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

	TRY(db_flush(db));
	sqlite3_bind_int64(db->q[Q_SERIAL], 1, db_prefix8(s.b, s.n));
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

	if (!db_in_hand(db, except)) /* else it is the one that does not count */
		TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, db_prefix8(card.b, SHA256_LEN));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct record r;

		e = fold_get_record(db_column(q, 0), &r);
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
		return db_sql_fail(rc);
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

	if (!db_in_hand(db, except))
		TRY(db_flush(db));
	sqlite3_bind_int64(db->q[Q_KEY], 1, db_prefix8(key.b, SHA256_LEN));
	return first(db, Q_KEY, is_key, &w, &r, used);
}

err
db_owing(struct db *db, enum owes owes, uint64_t after, bool from_start, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_OWING];

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, (int64_t)owes);
	sqlite3_bind_int64(q, 2, from_start ? -1 : (int64_t)after);
	sqlite3_bind_int64(q, 3, (int64_t)max);
	return list(db, Q_OWING, out, max, n);
}

err
db_due(struct db *db, instant now, const struct record *after, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_DUE];

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, now.ms);
	sqlite3_bind_int64(q, 2, (int64_t)max);
	sqlite3_bind_int64(q, 3, after == NULL ? 0 : after->due.ms);
	sqlite3_bind_int64(q, 4, after == NULL ? 0 : (int64_t)after->d.n);
	return list(db, Q_DUE, out, max, n);
}

err
db_after(struct db *db, int64_t after, size_t rows, bool *has, int64_t *out)
{
	sqlite3_stmt *q = db->q[Q_AFTER];
	int rc;

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, after);
	sqlite3_bind_int64(q, 2, (int64_t)rows);
	rc = sqlite3_step(q);
	*has = rc == SQLITE_ROW;
	if (*has)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? ok : db_sql_fail(rc);
}

err
db_range(struct db *db, int64_t after, int64_t upto, struct serial_row *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_RANGE];
	struct record r;
	err e = ok;
	int rc;

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, after);
	sqlite3_bind_int64(q, 2, upto);
	sqlite3_bind_int64(q, 3, (int64_t)max);
	for (*n = 0; (rc = sqlite3_step(q)) == SQLITE_ROW && *n < max; (*n)++) {
		e = fold_get_record(db_column(q, 0), &r);
		if (e.kind != OK)
			break;
		out[*n] = (struct serial_row){.serial = r.d.serial,
		    .issued = r.d.issued.ms != 0,
		    .revoked = r.d.state == DOSSIER_REVOKED,
		    .due = r.due.ms != 0,
		    .not_after = r.d.not_after};
	}
	sqlite3_reset(q);
	TRY(e);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? ok : db_sql_fail(rc);
}

err
db_watched(struct db *db, instant now, const struct record *after, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_WATCHED];

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, now.ms);
	sqlite3_bind_int64(q, 2, (int64_t)max);
	sqlite3_bind_int64(q, 3, after == NULL ? 0 : after->d.watch.ms);
	sqlite3_bind_int64(q, 4, after == NULL ? 0 : (int64_t)after->d.n);
	return list(db, Q_WATCHED, out, max, n);
}

err
db_revoked(struct db *db, uint64_t from, struct record *out, size_t max, size_t *n)
{
	sqlite3_stmt *q = db->q[Q_REVOKED];

	TRY(db_flush(db));
	sqlite3_bind_int64(q, 1, (int64_t)from);
	sqlite3_bind_int64(q, 2, (int64_t)max);
	return list(db, Q_REVOKED, out, max, n);
}
