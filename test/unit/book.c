/* LINK: test/edge/disk.c */
/* A book on disk: turns that are whole or cut off, proofs from tiles, evidence in packs; every crash point: edge/book. */
#include "test/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/line.h"
#include "base/seal.h"
#include "edge/book.h"
#include "edge/tile.h"
#include "test/edge/disk.h"

/* In memory where there is such a folder: processes die here, not machines, and syncs cost nothing. */
static char top[] = "/dev/shm/inkan-book-XXXXXX";
static char folder[64];

static int
unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
wipe_folder(const char *path)
{
	nftw(path, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
fresh(void **state)
{
	(void)state;
	disk_fault = (struct disk_fault){0};
	wipe_folder(folder);
	return 0;
}

/* --- writing turns that can be told apart -------------------------------------------- */

/* What turn t holds follows from t alone, so that an outsider can say whether a book is one of the turns 0..k. */
struct shape {
	unsigned lines, openings, evidence, bytes; /* openings and evidence in each line; bytes of each piece */
};

static uint64_t seed;
static uint64_t
mix(uint64_t a, uint64_t b)
{
	seed = (a + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (b + 7) * UINT64_C(0xBF58476D1CE4E5B9);
	seed ^= seed >> 29;
	return seed * UINT64_C(0x94D049BB133111EB);
}

static slice
piece(uint64_t n, unsigned k, unsigned n_bytes, struct buf *b)
{
	uint8_t *p;

	buf_clear(b);
	p = buf_space(b, n_bytes);
	for (unsigned i = 0; i < n_bytes; i++)
		p[i] = (uint8_t)(mix(n * 64 + k, i / 8) >> (8 * (i % 8)));
	return buf_slice(b);
}

static instant
time_of(uint64_t turn)
{
	return (instant){INT64_C(1800000000000) + (int64_t)turn * 10};
}

static const uint8_t KEY[SEAL_KEY_LEN] = {1, 2, 3};

static void
add_turn(struct book *b, uint64_t turn, struct shape s)
{
	struct buf bytes OWNED(buf_drop) = BUF(1U << 28), line OWNED(buf_drop) = BUF(LINE_MAX);
	struct buf body OWNED(buf_drop) = BUF(LINE_BODY_MAX), opening OWNED(buf_drop) = BUF(OPENING_MAX);

	for (unsigned i = 0; i < s.lines; i++) {
		struct line l = {.n = book_next(b),
		    .at = time_of(turn),
		    .act = ACT_APPLICATION_RECEIVED,
		    .about = ABOUT_DOSSIER,
		    .by = BY_APPLICANT,
		    .rule = {LIT("B-2"), LIT("B-3.2イ")},
		    .n_rules = 2};

		buf_clear(&line);
		buf_clear(&body);
		json_open(&body, '{');
		json_put_named_number(&body, "turn", turn);
		for (unsigned k = 0; k < s.openings; k++) {
			char field[16];
			uint8_t salt[SALT_LEN] = {(uint8_t)k, (uint8_t)i, (uint8_t)turn};

			snprintf(field, sizeof field, "field%u", k);
			buf_clear(&opening);
			line_put_personal(&body, &opening, l.n, field, LIT("東京都千代田区霞が関一丁目"), salt);
			book_add_opening(b, buf_slice(&opening));
		}
		json_close(&body, '}');
		for (unsigned k = 0; k < s.evidence; k++) {
			slice p = piece(l.n, k, s.bytes, &bytes);
			digest d = sha256(p);
			uint8_t nonce[SEAL_NONCE_LEN] = {(uint8_t)k};
			struct evidence_at at;

			memcpy(nonce + 4, &l.n, sizeof l.n);
			if (k % 2 == 0)
				book_add_evidence(b, d, p, &at);
			else
				book_add_sealed(b, d, p, ARR(KEY), ARR(nonce), &at);
			l.evidence[l.n_evidence++] = d;
		}
		l.body = buf_slice(&body);
		line_put(&line, &l);
		book_add_line(b, buf_slice(&line));
	}
}

/* The shape of turn t of the mixed book: one line alone, several, with and without openings and evidence. */
static struct shape
shape_of(uint64_t turn)
{
	static const struct shape shapes[] = {{3, 2, 2, 700}, {1, 0, 0, 0}, {4, 0, 0, 0}, {1, 1, 1, 100}, {1, 0, 2, 3000}};

	return shapes[turn % COUNT(shapes)];
}

static uint64_t
lines_of(uint64_t turns)
{
	uint64_t n = 0;

	for (uint64_t t = 0; t < turns; t++)
		n += shape_of(t).lines;
	return n;
}

/*
 * The outsider: reads everything again and believes nothing.  The book is the
 * turns 0..k, each whole; returns k.
 */
static uint64_t
audit(enum book_mode mode)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_reader *r OWNED(book_reader_close) = NULL, *openings OWNED(book_reader_close) = NULL;
	struct book_opened o;
	struct tree t = {0};
	struct evidence_iter iter = {0};
	struct evidence_at at;
	uint64_t n, turn = 0, in_turn = 0, expected = 0, members = 0, wanted_members = 0, wanted_openings = 0, kept = 0;
	digest name, root;
	slice line;
	err e;

	expect_ok("open", book_open(folder, mode, 0, &b, &o));
	expect_ok("lines", book_read_from(b, 0, &r));
	while ((e = book_read_next(r, &n, &line)).kind == OK) {
		struct line l;

		expect_number("sequence", n, expected++);
		expect_ok("line", line_get(line, &l));
		expect_number("at", (uint64_t)l.at.ms, (uint64_t)time_of(turn).ms);
		tree_add(&t, tree_leaf(line));
		expect_number("evidence", l.n_evidence, shape_of(turn).evidence);
		for (unsigned k = 0; k < l.n_evidence; k++) {
			struct buf want OWNED(buf_drop) = BUF(1U << 24), got OWNED(buf_drop) = BUF(1U << 24);

			expect_ok("find", book_find_evidence(b, l.evidence[k], &at));
			expect_true("family", at.sealed == (k % 2 == 1));
			expect_ok("read", book_evidence(b, &at, l.evidence[k], ARR(KEY), &got));
			expect_same("piece", buf_slice(&got), piece(n, k, shape_of(turn).bytes, &want));
		}
		wanted_members += l.n_evidence;
		wanted_openings += shape_of(turn).openings;
		if (++in_turn == shape_of(turn).lines) {
			in_turn = 0;
			turn++;
		}
	}
	expect_err("end", e, ERR_ABSENT, "book-end: house: the book has no line of that number");
	expect_number("a turn is whole or not there", in_turn, 0);
	expect_number("size", o.size, expected);
	root = tree_root(&t);
	expect_same("root", digest_slice(&o.root), digest_slice(&root));
	while ((e = book_evidence_next(b, &iter, &name, &at)).kind == OK)
		members++;
	expect_true("walk", e.kind == ERR_ABSENT);
	expect_number("no member that no line names", members, wanted_members);
	expect_ok("openings", book_read_openings(b, &openings));
	while ((e = book_read_next(openings, &n, &line)).kind == OK) {
		struct opening open OWNED(opening_drop) = {0};

		expect_ok("opening", opening_get(line, &open));
		expect_true("of a line", n < expected);
		kept++;
	}
	expect_true("openings end", e.kind == ERR_ABSENT);
	expect_number("openings", kept, wanted_openings);
	return turn;
}

static bool write_in_child(uint64_t from, uint64_t to, enum fault how, long nth);

static void
test_turns(void **state)
{
	struct book_opened o;
	(void)state;

	for (uint64_t turn = 0; turn < 12; turn++) {
		struct book *b OWNED(book_close) = NULL;
		digest pending;

		expect_ok("open", book_open(folder, BOOK_WRITE, lines_of(turn), &b, &o));
		expect_number("size", o.size, lines_of(turn));
		expect_number("nothing cut", o.cut_bytes, 0);
		add_turn(b, turn, shape_of(turn));
		pending = book_pending_root(b);
		expect_true("not yet", !digest_eq(pending, book_root(b)));
		expect_number("next", book_next(b), lines_of(turn + 1));
		/* a rolled back turn leaves nothing */
		book_rollback(b);
		expect_number("rolled back", book_next(b), lines_of(turn));
		add_turn(b, turn, shape_of(turn));
		expect_ok("commit", book_commit(b));
		expect_true("root", digest_eq(pending, book_root(b)));
		expect_number("last", (uint64_t)book_last_at(b).ms, (uint64_t)time_of(turn).ms);
		book_close(&b);
		expect_number("audit", audit(BOOK_READ), turn + 1);
	}
}

/* Law 9: time never runs back, not even by nothing. */
static void
test_time(void **state)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_opened o;
	(void)state;

	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	add_turn(b, 1, shape_of(1));
	expect_ok("commit", book_commit(b));
	add_turn(b, 1, shape_of(1));
	expect_err(
	    "equal", book_commit(b), ERR_WORLD, "book-time: law 9: the clock stands before the last line of the book");
	book_rollback(b);
	add_turn(b, 0, shape_of(0));
	expect_err(
	    "before", book_commit(b), ERR_WORLD, "book-time: law 9: the clock stands before the last line of the book");
	book_rollback(b);
	expect_ok("nothing to commit", book_commit(b));
	add_turn(b, 2, shape_of(2));
	expect_ok("after", book_commit(b));
	expect_number("size", book_size(b), 5);
}

static void
test_one_writer(void **state)
{
	struct book *a OWNED(book_close) = NULL, *b OWNED(book_close) = NULL, *c OWNED(book_close) = NULL;
	struct book_opened o;
	(void)state;

	expect_err(
	    "absent", book_open(folder, BOOK_READ, 0, &c, &o), ERR_ABSENT, "disk-absent: house: there is no such file");
	expect_ok("first", book_open(folder, BOOK_WRITE, 0, &a, &o));
	expect_err("second", book_open(folder, BOOK_WRITE, 0, &b, &o), ERR_BUSY,
	    "disk-locked: house: another process has this file");
	add_turn(a, 0, shape_of(0));
	expect_ok("commit", book_commit(a));
	/* a reader sees what is whole, also while the next turn is half written */
	expect_number("reader", audit(BOOK_READ), 1);
}

/* Who may read the lines alone: no opening, no evidence, as though there were none. */
static void
test_lines_alone(void **state)
{
	static const char *const others[] = {"openings", "evidence", "jlis"};
	struct book *b OWNED(book_close) = NULL, *c OWNED(book_close) = NULL;
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct evidence_iter iter = {0};
	struct evidence_at at;
	struct book_opened o, p;
	char path[200];
	uint64_t n;
	digest d;
	slice line;

	(void)state;
	expect_ok("first", book_open(folder, BOOK_WRITE, 0, &b, &o));
	for (uint64_t turn = 0; turn < 7; turn++) {
		add_turn(b, turn, shape_of(turn));
		expect_ok("commit", book_commit(b));
	}
	for (size_t i = 0; i < COUNT(others); i++) { /* nothing of it can be opened */
		int fd;

		snprintf(path, sizeof path, "%s/%s", folder, others[i]);
		wipe_folder(path);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	expect_err("all of it", book_open(folder, BOOK_READ, 0, &c, &p), ERR_WORLD,
	    "disk-folder-open: house: a folder cannot be opened");
	expect_ok("lines", book_open(folder, BOOK_LINES, 0, &c, &p));
	expect_number("all of them", p.size, book_size(b));
	assert_true(digest_eq(p.root, book_root(b)));
	expect_ok("read", book_read_from(c, 0, &r));
	for (uint64_t i = 0; i < p.size; i++)
		expect_ok("line", book_read_next(r, &n, &line));
	expect_number("no evidence", book_evidence_next(c, &iter, &d, &at).kind, ERR_ABSENT);
	for (size_t i = 0; i < COUNT(others); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, others[i]);
		assert_int_equal(unlink(path), 0);
	}
}

/* A reader beside a writer at work always sees whole turns, and never fewer than before. */
static void
test_reader_beside(void **state)
{
	uint64_t seen = 0, looks = 0;
	int status = 0;
	pid_t pid;
	(void)state;

	assert_true(write_in_child(0, 1, FAULT_NONE, 0));
	pid = fork();
	if (pid == 0) {
		struct book *b = NULL;
		struct book_opened o;

		if (book_open(folder, BOOK_WRITE, 0, &b, &o).kind != OK)
			_exit(2);
		for (uint64_t t = 1; t < 150; t++) {
			add_turn(b, t, shape_of(t));
			if (book_commit(b).kind != OK)
				_exit(3);
			usleep(500);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		uint64_t turns = audit(BOOK_READ);

		expect_true("never fewer", turns >= seen);
		seen = turns;
		looks++;
	}
	expect_number("the writer lived", (uint64_t)WEXITSTATUS(status), 0);
	expect_true("looked often", looks > 1);
	expect_number("all", audit(BOOK_READ), 150);
}

/* A piece of evidence is written once in two neighbouring turns. */
static void
test_same_evidence(void **state)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_opened o;
	struct evidence_at at[3];
	const digest d = sha256(LIT("trust file"));
	(void)state;

	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	book_add_evidence(b, d, LIT("trust file"), &at[0]);
	book_add_evidence(b, d, LIT("trust file"), &at[1]);
	expect_number("twice", at[1].offset, at[0].offset);
	add_turn(b, 1, shape_of(1));
	expect_ok("commit", book_commit(b));
	book_add_evidence(b, d, LIT("trust file"), &at[1]);
	expect_number("the turn after", at[1].offset, at[0].offset);
	/* of a turn that was rolled back nothing is remembered */
	book_add_evidence(b, sha256(LIT("x")), LIT("x"), &at[2]);
	book_rollback(b);
	book_add_evidence(b, sha256(LIT("y")), LIT("y"), &at[0]);
	expect_number("its place is free", at[0].offset, at[2].offset);
	book_add_evidence(b, sha256(LIT("x")), LIT("x"), &at[1]);
	expect_true("written now", at[1].offset != at[2].offset);
	book_rollback(b);
}

/* --- crashes -------------------------------------------------------------------------- */

/* Turns the last child said were committed: seen by both. */
static volatile uint64_t *acknowledged;

/* Writes turns from..to in a process of its own that dies at the nth effect; true when it lived. */
static bool
write_in_child(uint64_t from, uint64_t to, enum fault how, long nth)
{
	int status;
	pid_t pid;

	*acknowledged = from;
	pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct book *b = NULL;
		struct book_opened o;

		disk_fault = (struct disk_fault){how, nth, EIO, 0};
		if (book_open(folder, BOOK_WRITE, lines_of(from), &b, &o).kind != OK)
			_exit(2);
		for (uint64_t t = from; t < to; t++) {
			add_turn(b, t, shape_of(t));
			if (book_commit(b).kind != OK)
				_exit(3);
			*acknowledged = t + 1;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DIED)
		fail_msg("the writer ended with %d at effect %ld", WEXITSTATUS(status), nth);
	return WEXITSTATUS(status) == 0;
}

/* Each effect of opening and of five turns, each way of dying there: what is found again is some first turns, whole. */
static void
test_crash_anywhere(void **state)
{
	static const enum fault ways[] = {DIE_BEFORE, DIE_HALF, DIE_AFTER, POWER_ALL, POWER_ODD, POWER_EVEN, POWER_HALF};
	(void)state;

	for (size_t w = 0; w < COUNT(ways); w++) {
		long nth = 1;
		uint64_t most = 0;

		for (;; nth++) {
			uint64_t turns, said;
			bool lived;

			fresh(NULL);
			assert_true(write_in_child(0, 2, FAULT_NONE, 0));
			lived = write_in_child(2, 7, ways[w], nth);
			said = *acknowledged;
			/* dies again while cutting off, at each effect of that */
			for (long k = 1; k < 12 && !lived; k++)
				if (write_in_child(2, 2, ways[w], k))
					break;
			turns = audit(BOOK_WRITE);
			/* Law 1: nothing acknowledged is lost; and of what was not, all or nothing. */
			if (!(turns >= said && turns <= said + 1))
				fail_msg("way %zu effect %ld: said %llu found %llu", w, nth, (unsigned long long)said,
				    (unsigned long long)turns);
			most = turns > most ? turns : most;
			/* and the book goes on */
			assert_true(write_in_child(turns, turns + 2, FAULT_NONE, 0));
			expect_number("goes on", audit(BOOK_READ), turns + 2);
			if (lived)
				break;
		}
		expect_number("all", most, 7);
		expect_true("there were effects to die at", nth > 20);
	}
}

/* What stands there may never have reached the disk: a book that cannot make its last turn durable does not open. */
static void
test_opens_durable(void **state)
{
	long nth = 1;
	(void)state;

	fresh(NULL);
	assert_true(write_in_child(0, 5, FAULT_NONE, 0));
	for (;; nth++) {
		struct book *b OWNED(book_close) = NULL;
		struct book_opened o;
		err e;

		disk_fault = (struct disk_fault){FAULT_BEFORE, nth, EIO, 0};
		e = book_open(folder, BOOK_WRITE, lines_of(5), &b, &o);
		disk_fault = (struct disk_fault){0};
		if (e.kind == OK)
			break;
		expect_true("an operator must look", e.kind == ERR_WORLD && e.why == EIO);
	}
	expect_true("lines, openings and evidence were written and synced", nth > 6);
	expect_number("and nothing was harmed", audit(BOOK_READ), 5);
}

/* An error at any effect: the commit says so, the book takes no more, and is whole when opened anew. */
static void
test_error_anywhere(void **state)
{
	static const struct {
		enum fault how;
		int error;
	} ways[] = {{FAULT_BEFORE, ENOSPC}, {FAULT_HALF, ENOSPC}, {FAULT_AFTER, EIO}};
	(void)state;

	for (size_t w = 0; w < COUNT(ways); w++) {
		for (long nth = 1;; nth++) {
			struct book *b OWNED(book_close) = NULL;
			struct book_opened o;
			uint64_t turns = 0;
			err e = ok;

			fresh(NULL);
			assert_true(write_in_child(0, 1, FAULT_NONE, 0));
			expect_ok("open", book_open(folder, BOOK_WRITE, lines_of(1), &b, &o));
			disk_fault = (struct disk_fault){ways[w].how, nth, ways[w].error, 0};
			for (turns = 1; turns < 6; turns++) {
				add_turn(b, turns, shape_of(turns));
				e = book_commit(b);
				if (e.kind != OK)
					break;
			}
			if (e.kind == OK) {
				expect_number("all", turns, 6);
				expect_true("there were effects to fail at", nth > 10);
				break;
			}
			expect_true("an operator must look", e.kind == ERR_WORLD && e.why == ways[w].error);
			/* never retried: it stays broken although the disk is well again */
			disk_fault = (struct disk_fault){0};
			book_rollback(b);
			add_turn(b, turns, shape_of(turns));
			expect_err("broken", book_commit(b), ERR_WORLD,
			    "book-broken: house: the book takes no more lines until it is opened anew");
			book_close(&b);
			{
				uint64_t found = audit(BOOK_WRITE);

				/* what was said to have failed may be there whole (its answer was lost), or not at all */
				expect_true("whole", found == turns || found == turns + 1);
				assert_true(write_in_child(found, found + 2, FAULT_NONE, 0));
				expect_number("goes on", audit(BOOK_READ), found + 2);
			}
		}
	}
}

/* A sync that failed loses its bytes for good, however often they are written again (ext4): nothing acknowledged is among them. */
static void
test_lost_for_good(void **state)
{
	(void)state;

	for (long nth = 1;; nth++) {
		struct book *b OWNED(book_close) = NULL;
		struct book_opened o;
		uint64_t turns, found;
		err e = ok;

		fresh(NULL);
		assert_true(write_in_child(0, 1, FAULT_NONE, 0));
		expect_ok("open", book_open(folder, BOOK_WRITE, lines_of(1), &b, &o));
		disk_fault = (struct disk_fault){FAULT_LOST, nth, EIO, 0};
		for (turns = 1; turns < 6; turns++) {
			add_turn(b, turns, shape_of(turns));
			e = book_commit(b);
			if (e.kind != OK)
				break;
		}
		disk_fault = (struct disk_fault){0};
		if (e.kind == OK) {
			expect_true("there were syncs to fail", nth > 6);
			disk_forget();
			break;
		}
		book_close(&b);
		found = audit(BOOK_WRITE);
		expect_ok("opened anew", book_open(folder, BOOK_WRITE, lines_of(found), &b, &o));
		for (turns = found; turns < found + 2; turns++) {
			add_turn(b, turns, shape_of(turns));
			expect_ok("it goes on", book_commit(b));
		}
		book_close(&b);
		disk_forget();
		expect_number("and all of it is there after the next mount", audit(BOOK_READ), found + 2);
	}
}

/* --- damage ---------------------------------------------------------------------------- */

static int
open_in(const char *name, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, flags, 0640);
	assert_true(fd >= 0);
	return fd;
}

static off_t
size_in(const char *name)
{
	int fd = open_in(name, O_RDONLY);
	off_t n = lseek(fd, 0, SEEK_END);

	close(fd);
	return n;
}

static void
cut_in(const char *name, off_t n)
{
	int fd = open_in(name, O_RDWR);

	assert_int_equal(ftruncate(fd, n), 0);
	close(fd);
}

static void
poke_in(const char *name, off_t at, const char *s)
{
	int fd = open_in(name, O_RDWR);

	assert_int_equal(pwrite(fd, s, strlen(s), at), strlen(s));
	close(fd);
}

static void
write_turns(uint64_t n)
{
	assert_true(write_in_child(0, n, FAULT_NONE, 0));
}

static err
try_open(uint64_t floor, struct book_opened *o)
{
	struct book *b OWNED(book_close) = NULL;

	return book_open(folder, BOOK_WRITE, floor, &b, o);
}

#define LINES "entries/00000000.jsonl"
#define OPEN "openings/00000000.jsonl"
#define PACK "evidence/00000000.tar"
#define SEALED "jlis/00000000.tar"

/* Every length the last turn's lines can be torn at: the turn is gone as a whole, no more and no less. */
static void
test_torn_tail(void **state)
{
	struct book_opened o;
	off_t before, all;
	(void)state;

	write_turns(5);
	before = size_in(LINES);
	assert_true(write_in_child(5, 6, FAULT_NONE, 0)); /* three lines, openings, evidence */
	all = size_in(LINES);
	for (off_t n = all - 1; n >= before; n -= 7) {
		fresh(NULL);
		write_turns(6);
		cut_in(LINES, n);
		expect_ok("open", try_open(lines_of(5), &o));
		expect_number("size", o.size, lines_of(5));
		expect_true("said", o.cut_bytes > 0 && o.cut_lines < 3);
		expect_number("audit", audit(BOOK_READ), 5);
	}
	/* rubbish of zeros, as a file system may leave it, and a tail that is no line */
	fresh(NULL);
	write_turns(6);
	cut_in(LINES, all + 5000);
	expect_ok("zeros", try_open(lines_of(6), &o));
	expect_number("zeros cut", o.cut_bytes, 5000);
	poke_in(LINES, all, "{\"n\":11,\"at\":\"2027-01-15T08:0\nrubbish\n");
	expect_ok("rubbish", try_open(lines_of(6), &o));
	expect_number("audit", audit(BOOK_READ), 6);
	/* below the floor nothing is cut */
	cut_in(LINES, all - 1);
	expect_err("floor", try_open(lines_of(6), &o), ERR_CORRUPT,
	    "book-floor: house: the book is damaged or cut off below its last checkpoint");
}

/* Evidence or openings of the last turn lost: the turn is cut off; of an earlier turn, or more: the role stops. */
static void
test_lost_evidence(void **state)
{
	static const struct {
		const char *file;
		int back; /* bytes cut off */
	} rows[] = {{PACK, 1}, {PACK, 512}, {PACK, 2000}, {SEALED, 512}};
	struct book_opened o;
	off_t at;
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		fresh(NULL);
		write_turns(6);
		cut_in(rows[i].file, size_in(rows[i].file) - rows[i].back);
		expect_err("at the floor", try_open(lines_of(6), &o), ERR_CORRUPT,
		    "book-floor: house: the book is damaged or cut off below its last checkpoint");
		expect_ok(row_name("lost", i), try_open(lines_of(5), &o));
		expect_number("cut", o.cut_lines, 3);
		expect_number("audit", audit(BOOK_READ), 5);
	}
	/* one bit of a piece, one byte of a header */
	fresh(NULL);
	write_turns(6);
	poke_in(PACK, size_in(PACK) - 600, "!");
	expect_ok("bit", try_open(0, &o));
	expect_number("cut", o.cut_lines, 3);
	/* the same in an earlier turn is not the opening's business, but verify's */
	fresh(NULL);
	write_turns(6);
	poke_in(PACK, 600, "!");
	expect_ok("earlier", try_open(0, &o));
	expect_number("kept", o.cut_lines, 0);
	/* more lost than the last turn wrote */
	fresh(NULL);
	write_turns(6);
	cut_in(PACK, 1024);
	expect_err("evidence", try_open(0, &o), ERR_CORRUPT,
	    "book-evidence-lost: house: the book lacks evidence its openings know of");
	/* a salt of the last turn changed: its commitment has no opening */
	fresh(NULL);
	write_turns(5);
	at = size_in(OPEN);
	assert_true(write_in_child(5, 6, FAULT_NONE, 0));
	poke_in(OPEN, at + 33, "ff");
	expect_ok("salt", try_open(0, &o));
	expect_number("cut", o.cut_lines, 3);
	/* all openings gone */
	fresh(NULL);
	write_turns(6);
	cut_in(OPEN, 0);
	expect_err("openings", try_open(0, &o), ERR_CORRUPT,
	    "book-openings-lost: house: the book lacks openings its lines know of");
}

/* A book of an older day, a hole in the middle: damage, not a crash. */
static void
test_damage(void **state)
{
	struct book_opened o;
	off_t three;
	(void)state;

	write_turns(3);
	three = size_in(LINES);
	fresh(NULL);
	write_turns(6);
	cut_in(LINES, three);
	expect_err("older lines", try_open(0, &o), ERR_CORRUPT,
	    "book-lines-lost: house: the book lacks lines its openings know of");
	fresh(NULL);
	write_turns(9);
	poke_in(LINES, three + 5, "X");
	expect_err("a line in the middle", try_open(0, &o), ERR_CORRUPT,
	    "book-lines-lost: house: the book lacks lines its openings know of");
	/* without marks behind it (turns of one line each) */
	{
		struct book *b OWNED(book_close) = NULL;

		fresh(NULL);
		expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
		for (unsigned t = 0; t < 8; t++) {
			add_turn(b, t, (struct shape){1, 0, 0, 0});
			expect_ok("commit", book_commit(b));
		}
	}
	poke_in(LINES, size_in(LINES) / 2, "X\nX");
	expect_err("a line in the middle", try_open(0, &o), ERR_CORRUPT,
	    "book-damaged: house: the book is damaged before its last turn");
	fresh(NULL);
	write_turns(2);
	poke_in("version", 11, "2");
	expect_err("version", try_open(0, &o), ERR_CORRUPT,
	    "book-version: house: the book is of a version this program does not know");
}

/* --- tiles and proofs ------------------------------------------------------------------ */

static void
write_many(uint64_t lines, uint64_t first_turn)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_opened o;

	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	for (uint64_t t = first_turn; lines > 0; t++) {
		unsigned n = lines > 1000 ? 1000 : (unsigned)lines;

		add_turn(b, t, (struct shape){n, 0, 0, 0});
		expect_ok("commit", book_commit(b));
		lines -= n;
	}
}

static void
check_proofs(struct book *b, uint64_t size, const digest *leaves)
{
	const uint64_t ask[] = {0, 1, 255, 256, 257, 65535, 65536, size / 2, size - 1};
	struct tree_nodes nodes = book_nodes(b);
	digest proof[TREE_PROOF_MAX], root = book_root(b), old;
	size_t n;

	for (size_t i = 0; i < COUNT(ask); i++) {
		if (ask[i] >= size)
			continue;
		expect_ok("inclusion", tree_inclusion(&nodes, ask[i], size, proof, &n));
		expect_ok("holds", tree_check_inclusion(leaves[ask[i]], ask[i], size, proof, n, root));
		if (ask[i] == 0)
			continue;
		expect_ok("old root", tree_root_at(&nodes, ask[i], &old));
		expect_ok("consistency", tree_consistency(&nodes, ask[i], size, proof, &n));
		expect_ok("holds", tree_check_consistency(ask[i], old, size, root, proof, n));
	}
	expect_err("beyond", nodes.node(nodes.from, 0, size, &old), ERR_ABSENT,
	    "tile-node: RFC 6962 2.1: the tree has no such complete node yet");
}

static void
test_tiles(void **state)
{
	const uint64_t size = 66000; /* more than one full tile of level 1 */
	struct book *b OWNED(book_close) = NULL, *again OWNED(book_close) = NULL;
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct book_opened o, p;
	struct buf tile OWNED(buf_drop) = BUF(TILE_BYTES);
	digest *leaves = mem_new(size, sizeof *leaves), d;
	char path[160];
	uint64_t n;
	slice line;
	(void)state;

	write_many(size, 0);
	expect_ok("open", book_open(folder, BOOK_WRITE, size, &b, &o));
	expect_number("size", o.size, size);
	expect_ok("read", book_read_from(b, 0, &r));
	for (uint64_t i = 0; i < size; i++) {
		expect_ok("line", book_read_next(r, &n, &line));
		leaves[i] = tree_leaf(line);
	}
	check_proofs(b, size, leaves);
	/* a line in the middle is found without reading all before it */
	book_reader_close(&r);
	expect_ok("from", book_read_from(b, 43210, &r));
	expect_ok("line", book_read_next(r, &n, &line));
	expect_number("n", n, 43210);
	/* tiles as they are published */
	expect_ok("full", book_tile(b, 0, 3, 256, &tile));
	expect_same("leaf", slice_of(tile.p + 32 * 5, 32), digest_slice(&leaves[3 * 256 + 5]));
	buf_clear(&tile);
	expect_ok("partial", book_tile(b, 1, 1, 1, &tile));
	expect_ok("node", book_nodes(b).node(b, 8, 256, &d));
	expect_same("node", buf_slice(&tile), digest_slice(&d));
	expect_err("too wide", book_tile(b, 1, 1, 2, &tile), ERR_ABSENT,
	    "tile-absent: C2SP tlog-tiles: the book has no such tile");
	expect_err(
	    "none", book_tile(b, 2, 1, 1, &tile), ERR_ABSENT, "tile-absent: C2SP tlog-tiles: the book has no such tile");
	expect_err("entries", book_tile(b, -1, 0, 1, &tile), ERR_ABSENT,
	    "tile-absent: C2SP tlog-tiles: the book has no such tile");
	book_close(&b);
	/* tiles lost, short or empty are made anew */
	snprintf(path, sizeof path, "%s/tile/1", folder);
	wipe_folder(path);
	cut_in("tile/0/255", 100);
	cut_in("tile/0/017", 0);
	cut_in("tile/0/017", TILE_BYTES);
	expect_ok("again", book_open(folder, BOOK_WRITE, size, &again, &p));
	expect_same("root", digest_slice(&p.root), digest_slice(&o.root));
	check_proofs(again, size, leaves);
	expect_number("written again", (uint64_t)size_in("tile/1/000"), TILE_BYTES);
	book_close(&again);
	snprintf(path, sizeof path, "%s/tile", folder);
	wipe_folder(path);
	expect_ok("without any, reading", book_open(folder, BOOK_READ, 0, &again, &p));
	expect_same("root", digest_slice(&p.root), digest_slice(&o.root));
	check_proofs(again, size, leaves);
	book_close(&again);
	expect_ok("without any, writing", book_open(folder, BOOK_WRITE, size, &again, &p));
	expect_same("root", digest_slice(&p.root), digest_slice(&o.root));
	book_close(&again);
	/* lines of an older day under tiles of today */
	expect_number("made anew", (uint64_t)size_in("tile/0/256"), TILE_BYTES);
	{
		struct book *c OWNED(book_close) = NULL;
		char from[160];

		snprintf(from, sizeof from, "%s/tile", folder);
		snprintf(path, sizeof path, "%s.tile", folder);
		assert_int_equal(rename(from, path), 0);
		wipe_folder(folder);
		write_many(1000, 0);
		wipe_folder(from);
		assert_int_equal(rename(path, from), 0);
		expect_err("older", book_open(folder, BOOK_WRITE, 0, &c, &p), ERR_CORRUPT,
		    "book-tiles: house: the book lacks lines its tiles know of");
	}
	free(leaves);
}

/* Rows of files: a turn never goes over the end of one. */
static void
test_segments(void **state)
{
	struct book *b OWNED(book_close) = NULL, *r OWNED(book_close) = NULL;
	struct book_reader *lines OWNED(book_reader_close) = NULL;
	struct buf big OWNED(buf_drop) = BUF(70U << 20), body OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), got OWNED(buf_drop) = BUF(70U << 20);
	struct book_opened o;
	struct evidence_at at, second;
	char tile[160];
	uint64_t n;
	slice l;
	digest d;
	(void)state;

	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	memset(buf_space(&big, 65U << 20), 'x', 65U << 20);
	d = sha256(buf_slice(&big));
	json_open(&body, '{');
	json_put_name(&body, "pad");
	buf_put_u8(&body, '"');
	memset(buf_space(&body, 8000), 'y', 8000);
	buf_put_str(&body, "\"}");
	for (unsigned t = 0; t < 4; t++) {
		if (t == 0)
			book_add_evidence(b, d, buf_slice(&big), &at);
		if (t == 2)
			book_add_evidence(b, sha256(LIT("second")), LIT("second"), &second);
		for (unsigned i = 0; i < BOOK_TURN_LINES_MAX; i++) {
			struct line x = {.n = book_next(b),
			    .at = time_of(t),
			    .act = ACT_OPERATION_DONE,
			    .about = ABOUT_HOUSE,
			    .by = BY_REGISTRAR,
			    .body = buf_slice(&body)};

			buf_clear(&line);
			line_put(&line, &x);
			book_add_line(b, buf_slice(&line));
		}
		expect_ok("commit", book_commit(b));
	}
	expect_number("the second pack", second.pack, 1);
	expect_number("its beginning", second.offset, 0);
	expect_true("two files of lines", size_in("entries/00000001.jsonl") > 0);
	/* the turn that began the second file is torn: that file is empty then, and used again */
	cut_in("entries/00000001.jsonl", size_in("entries/00000001.jsonl") / 2 - 1);
	snprintf(tile, sizeof tile, "%s/tile", folder);
	wipe_folder(tile); /* which a crash would not have left */
	book_close(&b);
	expect_ok("again", book_open(folder, BOOK_WRITE, 0, &b, &o));
	expect_number(
	    "cut", o.size, 3 * BOOK_TURN_LINES_MAX - (size_in("entries/00000001.jsonl") == 0 ? BOOK_TURN_LINES_MAX : 0));
	expect_ok("reader", book_open(folder, BOOK_READ, 0, &r, &o));
	expect_ok("read", book_read_from(r, 0, &lines));
	for (uint64_t i = 0; i < o.size; i++)
		expect_ok("line", book_read_next(lines, &n, &l));
	expect_ok("evidence", book_find_evidence(r, d, &at));
	expect_ok("evidence", book_evidence(r, &at, d, (slice){NULL, 0}, &got));
	add_turn(b, 100, shape_of(0));
	expect_ok("goes on", book_commit(b));
}

/* --- erasing ---------------------------------------------------------------------------- */

/* Rule 12(2): after retention a member and an opening go; lines, leaves, proofs and the other pieces stay. */
static void
test_erase(void **state)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct buf got OWNED(buf_drop) = BUF(1U << 20), want OWNED(buf_drop) = BUF(1U << 20);
	struct book_opened o;
	struct evidence_at at;
	digest d, root;
	uint64_t n, left = 0;
	slice line;
	(void)state;

	write_turns(7);
	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	root = o.root;
	d = sha256(piece(1, 0, 700, &want));
	expect_ok("find", book_find_evidence(b, d, &at));
	expect_ok("erase", book_erase_evidence(b, &at));
	expect_err("gone", book_evidence(b, &at, d, (slice){NULL, 0}, &got), ERR_ABSENT,
	    "evidence-erased: Rule 12(2), JPKI Ordinance 15-3: this evidence was erased by law");
	d = sha256(piece(1, 1, 700, &want));
	expect_ok("the next", book_find_evidence(b, d, &at));
	expect_ok("is there", book_evidence(b, &at, d, ARR(KEY), &got));
	expect_err("without the key", book_evidence(b, &at, d, (slice){NULL, 0}, &got), ERR_ABSENT,
	    "evidence-erased: Rule 12(2), JPKI Ordinance 15-3: this evidence was erased by law");
	expect_err("another key", book_evidence(b, &at, d, bytes(SEAL_KEY_LEN, 9), &got), ERR_CORRUPT,
	    "evidence-sealed: house: a piece of evidence does not open with the key");
	expect_ok("openings", book_erase_openings(b, 1));
	expect_ok("read", book_read_openings(b, &r));
	while (book_read_next(r, &n, &line).kind == OK) {
		expect_true("not of line 1", n != 1);
		left++;
	}
	expect_number("left", left, 2 * 6 - 2 + 1);
	book_close(&b);
	expect_ok("again", book_open(folder, BOOK_WRITE, 0, &b, &o));
	expect_same("root", digest_slice(&o.root), digest_slice(&root));
	expect_number("size", o.size, lines_of(7));
}

/* `tar -t` and `tar -x` read a pack as it grows. */
static void
test_tar_reads(void **state)
{
	char cmd[600];
	(void)state;

	write_turns(4);
	snprintf(cmd, sizeof cmd, "cd %s && tar -tf " PACK " >/dev/null 2>%s.err && test ! -s %s.err && rm %s.err", folder,
	    folder, folder, folder);
	assert_int_equal(system(cmd), 0);
	snprintf(cmd, sizeof cmd,
	    "mkdir %s/x && cd %s/x && tar -xf ../" PACK
	    " && for f in *; do test \"$(sha256sum <$f)\" = \"$f  -\" || exit 1; done",
	    folder, folder);
	assert_int_equal(system(cmd), 0);
}

/* A file system that is really full: the error is said, and nothing that was committed is lost. */
static void
test_disk_full(void **state)
{
	struct book *b OWNED(book_close) = NULL;
	struct book_opened o;
	uint64_t turn;
	err e = ok;
	(void)state;

	if (mkdir(folder, 0700) != 0 || mount("none", folder, "tmpfs", 0, "size=256k") != 0) {
		print_message("# skipped: mounting a small file system needs root\n");
		skip();
	}
	expect_ok("open", book_open(folder, BOOK_WRITE, 0, &b, &o));
	for (turn = 0; turn < 10000 && e.kind == OK; turn++) {
		add_turn(b, turn, shape_of(turn));
		e = book_commit(b);
	}
	expect_true("full", e.kind == ERR_WORLD && e.why == ENOSPC && turn > 5);
	book_close(&b);
	expect_number("whole", audit(BOOK_READ), turn - 1);
	assert_int_equal(umount(folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_turns, fresh),
	    cmocka_unit_test_setup(test_time, fresh),
	    cmocka_unit_test_setup(test_one_writer, fresh),
	    cmocka_unit_test_setup(test_lines_alone, fresh),
	    cmocka_unit_test_setup(test_reader_beside, fresh),
	    cmocka_unit_test_setup(test_same_evidence, fresh),
	    cmocka_unit_test_setup(test_crash_anywhere, fresh),
	    cmocka_unit_test(test_opens_durable),
	    cmocka_unit_test_setup(test_error_anywhere, fresh),
	    cmocka_unit_test_setup(test_lost_for_good, fresh),
	    cmocka_unit_test_setup(test_torn_tail, fresh),
	    cmocka_unit_test_setup(test_lost_evidence, fresh),
	    cmocka_unit_test_setup(test_damage, fresh),
	    cmocka_unit_test_setup(test_tiles, fresh),
	    cmocka_unit_test_setup(test_segments, fresh),
	    cmocka_unit_test_setup(test_erase, fresh),
	    cmocka_unit_test_setup(test_tar_reads, fresh),
	    cmocka_unit_test_setup(test_disk_full, fresh),
	};
	int rc;

	if (access("/dev/shm", W_OK) != 0)
		memcpy(top, "/tmp/./.", 8);
	if (mkdtemp(top) == NULL)
		return 1;
	acknowledged = mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (acknowledged == MAP_FAILED)
		return 1;
	snprintf(folder, sizeof folder, "%s/book", top);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	wipe_folder(top);
	return rc;
}
