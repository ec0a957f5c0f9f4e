/* The projection: what is stored comes back, turns are whole, catching up equals having been there: design 3. */
#include "test/unit/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "edge/db.h"

static const digest BASE = {{1}};

static digest
of(unsigned seed)
{
	uint8_t b[4] = {(uint8_t)seed, (uint8_t)(seed >> 8), 3, 4};

	return sha256(ARR(b));
}

static struct entry
about(enum act a, uint64_t n, unsigned who)
{
	struct entry e = {.line = {.n = n,
	                      .at = {1795312370000 + (int64_t)n},
	                      .act = a,
	                      .about = ABOUT_DOSSIER,
	                      .by = BY_REGISTRAR,
	                      .by_id = LIT("registrar"),
	                      .under = BASE}};

	e.document = of(who);
	e.line.dossier = dossier_id_of(e.document);
	e.key = of(who + 1000);
	e.card = of(who % 7 + 2000);
	e.serial = (serial){16, {0x40}};
	memcpy(e.serial.b + 1, e.document.b, 15);
	e.not_after = (instant){1895312370000};
	e.validity = 3;
	e.judged = e.line.at;
	e.line.n_evidence = 1;
	e.line.evidence[0] = a == ACT_CERTIFICATE_ISSUED ? of(who + 5000) : e.document;
	e.certificate = of(who + 5000);
	return e;
}

#define STEPS 6
static const enum act STEP[STEPS] = {ACT_APPLICATION_RECEIVED, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED,
    ACT_CERTIFICATE_ORDERED, ACT_CERTIFICATE_ISSUED, ACT_CERTIFICATE_DELIVERED};

static struct evidence_at
place(uint64_t n)
{
	return (struct evidence_at){.pack = 1, .offset = 1024 * (n + 1), .length = 100};
}

static err
step(struct db *db, uint64_t *n, unsigned who, enum act a)
{
	struct entry e = about(a, *n, who);
	struct evidence_at at = place(*n);

	if (a != ACT_APPLICATION_RECEIVED && a != ACT_CERTIFICATE_ISSUED)
		e.line.n_evidence = 0;
	TRY(db_apply(db, &e, &at));
	(*n)++;
	return ok;
}

static struct db *
memory(void)
{
	struct db *db = NULL;

	expect_ok("open", db_open(":memory:", &db));
	return db;
}

static void
all(struct db *db, uint64_t *n, unsigned from, unsigned to)
{
	expect_ok("begin", db_begin(db));
	for (unsigned who = from; who < to; who++)
		for (size_t i = 0; i < STEPS; i++)
			expect_ok("step", step(db, n, who, STEP[i]));
	expect_ok("commit", db_commit(db, (struct head){*n, of(0)}));
}

/* Every byte of the fold that is no padding is stored: a field that is forgotten would die with the process. */
static void
test_fields(void **state)
{
	uint8_t fold[FOLD_MAX];
	struct record r, back = {0};
	struct whole w, other = {0};

	(void)state;
	memset(&r, 0x11, sizeof r);
	r.d.accepted = r.d.review = r.application.sealed = r.certificate.sealed = true;
	r.d.why_n = WHY_MAX;
	expect_ok("record", fold_get_record(slice_of(fold, fold_put_record(fold, &r)), &back));
	memset(&w, 0x11, sizeof w);
	w.ledger.stopped = w.ledger.any_other = true;
	w.walked[0] = w.walked[1] = (struct evidence_iter){.pack = 3, .offset = 4};
	expect_ok("whole", fold_get_whole(slice_of(fold, fold_put_whole(fold, &w)), &other));
#if defined(__GNUC__) && !defined(__clang__)
	__builtin_clear_padding(&r);
	__builtin_clear_padding(&back);
	__builtin_clear_padding(&w);
	__builtin_clear_padding(&other);
	expect_same("every field of a dossier", slice_of(&back, sizeof back), slice_of(&r, sizeof r));
	expect_same("every field of the house", slice_of(&other, sizeof other), slice_of(&w, sizeof w));
#endif
	expect_number("why", back.d.why_n, WHY_MAX);
	for (size_t n = 0; n < 8; n++)
		expect_err("short", fold_get_record(slice_of(fold, n), &back), ERR_CORRUPT,
		    "db-damaged: design 3: a row of the projection cannot be read; make it anew");
}

static void
test_questions(void **state)
{
	struct db *db OWNED(db_close) = memory();
	struct record r[8], one;
	uint64_t n = 0, open, valid;
	struct evidence_at at;
	size_t got;
	bool used;

	(void)state;
	all(db, &n, 0, 20);
	expect_ok("dossier", db_dossier(db, dossier_id_of(of(3)), &one));
	expect_number("delivered", one.d.state, DOSSIER_DELIVERED);
	expect_number("place", one.application.offset, place(3 * STEPS).offset);
	expect_number("place", one.certificate.offset, place(3 * STEPS + 4).offset);
	expect_err("no dossier", db_dossier(db, dossier_id_of(of(99)), &one), ERR_ABSENT,
	    "dossier-absent: Rule 12(1): there is no such application");
	expect_ok("serial", db_serial(db, about(ACT_CERTIFICATE_ISSUED, 0, 4).serial, &one));
	expect_true("the right one", digest_eq(one.d.document, of(4)));
	expect_err("no serial", db_serial(db, about(ACT_CERTIFICATE_ISSUED, 0, 99).serial, &one), ERR_ABSENT,
	    "serial-absent: Rule 6(v): no certificate has this serial number");
	expect_err("no evidence", db_place(db, of(12345), &at), ERR_ABSENT,
	    "evidence-absent: Rule 12(1): the books hold no such evidence");
	/* card 2 has dossiers 2, 9, 16 */
	expect_ok("card", db_card(db, of(2 + 2000), dossier_id_of(of(9)), (instant){0}, &open, &valid));
	expect_true("two others", open == 0 && valid == 2);
	expect_ok("expired", db_card(db, of(2 + 2000), dossier_id_of(of(9)), (instant){1895312370001}, &open, &valid));
	expect_number("expired", valid, 0);
	expect_ok("key", db_key_used(db, of(5 + 1000), dossier_id_of(of(5)), &used));
	expect_true("its own", !used);
	expect_ok("key", db_key_used(db, of(5 + 1000), dossier_id_of(of(6)), &used));
	expect_true("another's", used);
	expect_ok("due", db_due(db, (instant){1795312370000 + 1000}, NULL, r, 8, &got));
	expect_true("eight in order", got == 8 && digest_eq(r[0].d.document, of(0)) && digest_eq(r[7].d.document, of(7)));
	{
		struct record last = r[7];

		expect_ok("the next page", db_due(db, (instant){1795312370000 + 1000}, &last, r, 8, &got));
		expect_true("goes on behind it", got == 8 && digest_eq(r[0].d.document, of(8)));
	}
	expect_ok("none owe", db_owing(db, OWES_ISSUE, 0, true, r, 8, &got));
	expect_number("none owe", got, 0);
	expect_number("counts", db_counts(db)->state[DOSSIER_DELIVERED], 20);
}

/* After a first answer none is due; a revoked one comes first, and an answer made before it does not count. */
static void
test_due(void **state)
{
	struct db *db OWNED(db_close) = memory();
	struct entry e, answers;
	struct record r[8];
	uint64_t n = 0;
	size_t got;

	(void)state;
	all(db, &n, 0, 3);
	expect_ok("begin", db_begin(db));
	e = about(ACT_CERTIFICATE_REVOKED, n++, 2);
	e.line.n_evidence = 0;
	e.line.at.ms += 5000;
	expect_ok("revoked", db_apply(db, &e, NULL));
	expect_ok("due", db_due(db, (instant){1795312379000}, NULL, r, 8, &got));
	expect_true("revoked first", got == 3 && r[0].d.state == DOSSIER_REVOKED && r[0].due.ms == 1);
	expect_ok("revoked", db_revoked(db, 0, r, 8, &got));
	expect_number("one", got, 1);
	expect_ok("after it", db_revoked(db, n, r, 8, &got));
	expect_number("none", got, 0);
	answers = (struct entry){.line = {.n = n, .at = {1795312376000}, .act = ACT_OCSP_PUBLISHED, .about = ABOUT_HOUSE},
	    .this_update = {e.line.at.ms - 1000},
	    .next_update = {e.line.at.ms + 9000},
	    .n_serials = 2};
	answers.serials[0] = about(ACT_CERTIFICATE_ISSUED, 0, 1).serial;
	answers.serials[1] = e.serial;
	expect_ok("answers", db_apply(db, &answers, NULL));
	expect_ok("due", db_due(db, (instant){1795312390000}, NULL, r, 8, &got));
	expect_number("the old answer about the revoked one does not count", (uint64_t)r[0].due.ms, 1);
	expect_number("the other is not due any more", got, 2);
	{
		struct serial_row row[4];
		bool has;
		int64_t at;

		expect_ok("range", db_range(db, INT64_MIN, INT64_MAX, row, 4, &got));
		expect_true("all three in order", got == 3 && serial_cmp(row[0].serial, row[1].serial) < 0);
		for (size_t i = 0; i < 3; i++) {
			bool first = serial_eq(row[i].serial, answers.serials[0]), second = serial_eq(row[i].serial, e.serial);

			expect_true("what it is", row[i].issued && row[i].due == !first && row[i].revoked == second);
		}
		expect_ok("after", db_after(db, INT64_MIN, 2, &has, &at));
		expect_true("the third", has);
		expect_ok("range", db_range(db, INT64_MIN, at - 1, row, 4, &got));
		expect_number("two below it", got, 2);
		expect_ok("after", db_after(db, at, 0, &has, &at));
		expect_true("none behind it", !has);
	}
	answers.line.n++;
	answers.serials[0].b[3] ^= 1;
	expect_err("unknown", db_apply(db, &answers, NULL), ERR_CORRUPT,
	    "db-serial: Rule 6(xi): an answer was published about an unknown serial");
	db_rollback(db);
	expect_ok("all is as before", db_dossier(db, dossier_id_of(of(2)), &r[0]));
	expect_number("delivered", r[0].d.state, DOSSIER_DELIVERED);
}

/* What a turn applied is seen in it, and gone with it. */
static void
test_turns(void **state)
{
	struct db *db OWNED(db_close) = memory(), *other OWNED(db_close) = memory();
	uint64_t n = 0, m = 0;
	struct record r;
	digest a, b;
	struct entry e;

	(void)state;
	all(db, &n, 0, 4);
	expect_ok("digest", db_digest(db, &a));
	expect_ok("begin", db_begin(db));
	expect_ok("step", step(db, &n, 4, ACT_APPLICATION_RECEIVED));
	expect_ok("seen", db_dossier(db, dossier_id_of(of(4)), &r));
	e = about(ACT_CERTIFICATE_ISSUED, n, 4);
	expect_err("no state for it", db_apply(db, &e, NULL), ERR_CORRUPT,
	    "db-evidence: Rule 12(1)(i): a line does not say what it rests on");
	e = about(ACT_IDENTITY_VERIFIED, n + 1, 4);
	expect_err("numbers", db_apply(db, &e, NULL), ERR_CORRUPT,
	    "db-number: design 3: the lines are not applied in their order");
	db_rollback(db);
	n--;
	expect_err("gone", db_dossier(db, dossier_id_of(of(4)), &r), ERR_ABSENT,
	    "dossier-absent: Rule 12(1): there is no such application");
	expect_ok("digest", db_digest(db, &b));
	expect_true("as before", digest_eq(a, b) && db_head(db).size == n);
	/* one turn or many: the same fold */
	for (unsigned who = 0; who < 4; who++)
		for (size_t i = 0; i < STEPS; i++) {
			expect_ok("begin", db_begin(other));
			expect_ok("step", step(other, &m, who, STEP[i]));
			expect_ok("commit", db_commit(other, (struct head){m, of(0)}));
		}
	expect_ok("digest", db_digest(other, &b));
	expect_true("the same", digest_eq(a, b));
	expect_ok("begin", db_begin(other));
	expect_ok("more", step(other, &m, 9, ACT_APPLICATION_RECEIVED));
	expect_ok("commit", db_commit(other, (struct head){m, of(0)}));
	expect_ok("digest", db_digest(other, &b));
	expect_true("another", !digest_eq(a, b));
}

/* What is committed is seen at once, a turn taken back leaves it, and only what was stored outlives the process. */
static void
test_store(void **state)
{
	char path[] = "/tmp/inkan-db-XXXXXX";
	struct db *db OWNED(db_close) = NULL, *beside OWNED(db_close) = NULL;
	uint64_t n = 0, stored;
	struct record r;
	digest a, b;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect_ok("made", db_open(path, &db));
	expect_ok("nothing to store", db_store(db));
	all(db, &n, 0, 3);
	expect_number("unstored", db_unstored(db), n);
	expect_ok("store", db_store(db));
	expect_number("stored", db_unstored(db), 0);
	stored = n;
	expect_ok("digest", db_digest(db, &a));
	all(db, &n, 3, 5);
	expect_ok("begin", db_begin(db));
	expect_ok("step", step(db, &n, 5, ACT_APPLICATION_RECEIVED));
	db_rollback(db);
	n--;
	expect_err("taken back", db_dossier(db, dossier_id_of(of(5)), &r), ERR_ABSENT,
	    "dossier-absent: Rule 12(1): there is no such application");
	expect_ok("committed", db_dossier(db, dossier_id_of(of(4)), &r));
	expect_ok("a turn that only asks", db_begin(db));
	db_rollback(db);
	expect_ok("committed", db_dossier(db, dossier_id_of(of(4)), &r));
	expect_true("both turns", db_head(db).size == n && db_unstored(db) == n - stored);
	expect_ok("beside it", db_open_read(path, &beside));
	expect_number("who reads beside sees what was stored", db_head(beside).size, stored);
	db_close(&db); /* as after kill -9 */
	expect_ok("again", db_open(path, &db));
	expect_number("lags", db_head(db).size, stored);
	expect_ok("digest", db_digest(db, &b));
	expect_true("as it was stored", digest_eq(a, b));
	n = stored;
	all(db, &n, 3, 5);
	expect_ok("digest stores", db_digest(db, &b));
	expect_true("more", !digest_eq(a, b) && db_unstored(db) == 0);
	db_close(&db);
	expect_ok("again", db_open(path, &db));
	expect_number("all of it", db_head(db).size, n);
	db_close(&beside);
	db_delete(path);
}

/* Files: of another layout, damaged, absent. */
static void
test_files(void **state)
{
	char path[] = "/tmp/inkan-db-XXXXXX", text[600];
	struct db *db OWNED(db_close) = NULL;
	sqlite3 *raw;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect_ok("made", db_open(path, &db));
	db_close(&db);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 7", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
	expect_err("version", db_open(path, &db), ERR_CORRUPT,
	    "db-version: design 3: the projection is of another version; make it anew");
	expect_err("version", db_open_read(path, &db), ERR_CORRUPT,
	    "db-version: design 3: the projection is of another version; make it anew");
	fd = open(path, O_WRONLY | O_TRUNC);
	memset(text, 'x', sizeof text);
	assert_int_equal(write(fd, text, sizeof text), sizeof text);
	close(fd);
	expect_err("damaged", db_open(path, &db), ERR_CORRUPT,
	    "db-damaged: design 3: the projection's file is damaged; make it anew");
	db_delete(path);
	expect_err("absent", db_open_read(path, &db), ERR_ABSENT, "db-absent: design 3: there is no projection");
	expect_err("nowhere", db_open("/proc/none/state.db", &db), ERR_WORLD,
	    "db-file: design 3: the projection's file cannot be read or written");
}

/* --- made anew from a real book ---------------------------------------------------------------------------------------- */
static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

struct told {
	struct book *book;
	struct db *db; /* folded as the lines were written */
	uint64_t n;
};

/* The evidence whose digest is of(seed). */
static struct evidence_at
add_evidence(struct told *t, unsigned seed, bool sealed)
{
	static const uint8_t key[32] = {7}, nonce[12] = {8};
	uint8_t b[4] = {(uint8_t)seed, (uint8_t)(seed >> 8), 3, 4};
	struct evidence_at at;

	if (sealed)
		book_add_sealed(t->book, of(seed), ARR(b), ARR(key), ARR(nonce), &at);
	else
		book_add_evidence(t->book, of(seed), ARR(b), &at);
	return at;
}

/* One line, into the book and into the fold that was there. */
static void
tell(struct told *t, unsigned who, enum act a)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(4096);
	struct entry e = about(a, t->n, who);
	struct evidence_at at = {0};

	e.line.at.ms = 1795312370000 + (int64_t)(t->n / 600); /* a turn has one time */
	e.token = of(who + 3000);
	if (a == ACT_APPLICATION_RECEIVED)
		at = add_evidence(t, who, false);
	else if (a == ACT_CERTIFICATE_ISSUED)
		at = add_evidence(t, who + 5000, false);
	else if (a == ACT_IDENTITY_VERIFIED && who % 3 == 0) {
		e.method = STATUS_OCSP;
		e.status = e.line.evidence[0] = of(who + 20000);
		at = add_evidence(t, who + 20000, true);
	} else
		e.line.n_evidence = 0;
	entry_put(&line, &openings, &e);
	expect_ok("apply", db_apply(t->db, &e, &at));
	book_add_line(t->book, buf_slice(&line));
	t->n++;
}

static void
end_turn(struct told *t)
{
	expect_ok("books", book_commit(t->book));
	expect_ok("fold", db_commit(t->db, (struct head){book_size(t->book), book_root(t->book)}));
}

static void
tell_all(struct told *t, const char *folder, unsigned dossiers)
{
	struct book_opened opened;

	expect_ok("book", book_open(folder, BOOK_WRITE, 0, &t->book, &opened));
	t->db = memory();
	for (unsigned who = 0; who < dossiers; who++) {
		if (who % 100 == 0)
			expect_ok("begin", db_begin(t->db));
		for (size_t i = 0; i < STEPS; i++)
			tell(t, who, STEP[i]);
		if (who % 100 == 99)
			end_turn(t);
	}
}

static void
count_step(void *with)
{
	(*(unsigned *)with)++;
}

/*
 * All at once or line by line: the same, with the places of evidence of both families.  A file that was not finished is known.
 */
static void
test_anew(void **state)
{
	char folder[] = "/tmp/inkan-db-XXXXXX", path[64], books[64];
	struct told t = {0};
	struct db *db OWNED(db_close) = NULL, *same OWNED(db_close) = memory();
	struct record r;
	struct evidence_at at;
	digest one, two;
	unsigned steps = 0;

	(void)state;
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/state.db", folder);
	snprintf(books, sizeof books, "%s/books", folder);
	tell_all(&t, books, 2000);
	expect_ok("digest", db_digest(t.db, &one));
	expect_ok("open", db_open(path, &db));
	expect_ok("anew", db_catch_up(db, t.book, t.n, count_step, &steps));
	expect_true("heartbeats are answered meanwhile", steps >= t.n / 4096);
	expect_ok("digest", db_digest(db, &two));
	expect_same("the file says the same", digest_slice(&two), digest_slice(&one));
	expect_ok("a dossier", db_dossier(db, dossier_id_of(of(1999)), &r));
	expect_ok("its certificate",
	    book_evidence(t.book, &r.certificate, of(1999 + 5000), (slice){NULL, 0}, &(struct buf){.max = 64}));
	expect_ok("what was sealed", db_place(db, of(1998 + 20000), &at));
	expect_true("there", at.sealed && at.length > 0);
	/* in two parts: first few lines, so not as a new file is made, and then the rest */
	expect_ok("some", db_catch_up(same, t.book, 600, NULL, NULL));
	expect_ok("rest", db_catch_up(same, t.book, t.n, NULL, NULL));
	expect_ok("digest", db_digest(same, &two));
	expect_same("in parts too", digest_slice(&two), digest_slice(&one));
	db_close(&db);
	/* it goes on as any other */
	expect_ok("open", db_open(path, &db));
	expect_number("it stands there", db_head(db).size, t.n);
	db_close(&db);
	db_delete(path);
	expect_ok("open", db_open(path, &db));
	expect_ok("begun", db_anew_begin(db));
	expect_ok("begin", db_begin(db));
	db_close(&db); /* as a crash leaves it */
	expect_err("not finished", db_open(path, &db), ERR_CORRUPT,
	    "db-version: design 3: the projection is of another version; make it anew");
	book_close(&t.book);
	db_close(&t.db);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Evidence lies near its line: what does not is not looked for in all packs, and nothing is held for what is passed over. */
static void
test_near(void **state)
{
	char folder[] = "/tmp/inkan-db-XXXXXX", books[64];
	struct told t = {0};
	struct db *db OWNED(db_close) = memory();
	struct record r;

	(void)state;
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(books, sizeof books, "%s/books", folder);
	tell_all(&t, books, 100);
	expect_ok("begin", db_begin(t.db));
	for (unsigned i = 0; i < 20000; i++) /* cited by nobody: no house writes so */
		(void)add_evidence(&t, 30000 + i, false);
	tell(&t, 100, ACT_APPLICATION_RECEIVED);
	end_turn(&t);
	expect_ok("anew", db_catch_up(db, t.book, t.n, NULL, NULL));
	expect_ok("near", db_dossier(db, dossier_id_of(of(99)), &r));
	expect_true("found", r.application.length == 4 && r.certificate.length == 4);
	expect_ok("far", db_dossier(db, dossier_id_of(of(100)), &r));
	expect_true("as if erased", r.application.length == 0);
	book_close(&t.book);
	db_close(&t.db);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_questions),
	    cmocka_unit_test(test_due),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_store),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_anew),
	    cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
