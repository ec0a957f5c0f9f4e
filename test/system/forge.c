/*
 * forge - has the database: writes into the projection what the books do not say, with the projection's own code.
 *
 *	forge STATE.DB order DOSSIER      a dossier that ended becomes one that is ordered, accepted by rule, judged just now
 *	forge STATE.DB unrevoke DOSSIER   a revoked certificate becomes a delivered one, its answer due now
 *	forge STATE.DB forget DOSSIER     the dossier is gone
 *	forge STATE.DB lead               the projection says that it knows more lines
 *	forge STATE.DB root               … that it is of other books
 */
#include "edge/db_inside.h"

#include "edge/clock.h"

static void
need(bool yes, const char *what)
{
	if (yes)
		return;
	fprintf(stderr, "forge: %s\n", what);
	exit(1);
}

/* All columns of its row, as its record now says. */
static void
write_row(struct db *db, const struct record *r)
{
	serial none = {0};

	db->hand = *r;
	db->have = db->dirty = true;
	db->fresh = false;
	db->stored = none;
	need(db_flush(db).kind == OK, "write");
}

static void
order(struct db *db, struct record *r)
{
	const struct ledger *h = &db->now.ledger;
	instant now = clock_now();
	size_t i = 0;

	while (i + 1 < JLIS_LISTS_MAX && !ledger_has_list(h, i))
		i++;
	r->d.state = DOSSIER_ORDERED;
	r->d.owes = OWES_ISSUE;
	r->d.why_n = 0;
	r->d.judged = r->d.ordered = r->d.not_before = r->d.since = now;
	r->d.method = STATUS_CRL;
	r->d.status = h->jlis[i].digest;
	r->d.ruleset = h->ruleset;
	r->d.decision = (digest){0};
	r->d.serial = (serial){16, {0x42, 0x42, 0x42, 0x42}};
	r->d.ordered_n = r->d.n;
	r->d.orders = 1;
	r->d.tbs = sha256(LIT("what I would like to have signed"));
}

int
main(int argc, char **argv)
{
	struct db *db OWNED(db_close) = NULL;
	struct record r;
	dossier_id id;
	struct head books;

	need(argc >= 3 && db_open(argv[1], &db).kind == OK && db_begin(db).kind == OK, "open");
	books = db->now.applied;
	if (strcmp(argv[2], "lead") == 0)
		books.size += 5;
	else if (strcmp(argv[2], "root") == 0)
		books.root.b[0] ^= 1;
	else {
		need(argc == 4 && hex_get(slice_str(argv[3]), id.b, sizeof id.b).kind == OK, "DOSSIER");
		need(db_dossier(db, id, &r).kind == OK, "no such dossier");
		if (strcmp(argv[2], "order") == 0) {
			order(db, &r);
			write_row(db, &r);
		} else if (strcmp(argv[2], "unrevoke") == 0) {
			r.d.state = DOSSIER_DELIVERED;
			r.d.owes = OWES_NOTHING;
			r.d.revoked = (instant){0};
			r.d.revoked_n = 0;
			r.d.reason = 0;
			r.due = clock_now();
			write_row(db, &r);
		} else if (strcmp(argv[2], "forget") == 0) {
			char sql[128];

			snprintf(sql, sizeof sql, "DELETE FROM dossier WHERE n = %llu", (unsigned long long)r.d.n);
			need(sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK, "delete");
			db->have = false;
		} else
			need(false, argv[2]);
	}
	need(db_commit(db, books).kind == OK && db_store(db).kind == OK, "commit");
	return 0;
}
