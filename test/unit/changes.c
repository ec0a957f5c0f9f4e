/* The log of what changed in the repository: places, gaps, crashes, a log that is replaced: edge/changes. */
#include "test/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "edge/changes.h"
#include "edge/disk.h"

static char top[] = "/tmp/inkan-changes-XXXXXX";
static int folder = -1;
static const instant NOW = {1795312370000};

static void
fresh(void)
{
	(void)unlinkat(folder, CHANGES_NAME, 0);
}

static void
put(struct changes *c, const char *path, bool gone)
{
	digest d = sha256(slice_str(path));

	expect_ok(path, changes_put(c, slice_str(path), gone ? NULL : &d));
}

static void
append_raw(const char *text)
{
	int fd = openat(folder, CHANGES_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* What a reader at this place is told: "+path", "-path", "." for closed; "gap:" before it where there is one. */
static void
expect_read(const char *row, struct changes_place at, const char *want)
{
	struct changes_reader r = {.fd = -1};
	struct buf said OWNED(buf_drop) = BUF(4096);
	struct change c;
	bool have = true, gap;

	expect_ok(row, changes_read_open(folder, at, &r, &gap));
	if (gap)
		buf_put_str(&said, "gap:");
	for (;;) {
		expect_ok(row, changes_next(&r, &have, &c));
		if (!have)
			break;
		buf_put_str(&said, c.closed ? "." : c.gone ? "-" : "+");
		buf_put(&said, c.path);
		if (!c.closed && !c.gone)
			assert_true(digest_eq(c.sha, sha256(c.path)));
	}
	changes_read_close(&r);
	expect_same(row, buf_slice(&said), slice_str(want));
}

static void
expect_end(const char *row, uint64_t epoch, uint64_t seq)
{
	struct changes_place end = {0, 0};

	expect_ok(row, changes_end(folder, &end));
	assert_true(end.epoch == epoch);
	assert_int_equal(end.seq, seq);
}

static void
test_places(void **state)
{
	struct changes c;
	uint64_t epoch;

	(void)state;
	fresh();
	expect_ok("open", changes_open(folder, NOW, &c));
	epoch = c.epoch;
	expect_end("of an empty log", epoch, 1);
	put(&c, "a", false);
	expect_end("of one line", epoch, 2);
	put(&c, "b/c", false);
	put(&c, "a", true);
	expect_end("of three", epoch, 4);
	expect_read("from nothing", (struct changes_place){0, 0}, "gap:+a+b/c-a");
	expect_read("from the first", (struct changes_place){epoch, 1}, "+a+b/c-a");
	expect_read("from the middle", (struct changes_place){epoch, 3}, "-a");
	expect_read("at the end", (struct changes_place){epoch, 4}, "");
	expect_read("beyond the end: lines that were lost", (struct changes_place){epoch, 5}, "gap:");
	expect_read("of another log", (struct changes_place){epoch - 1, 3}, "gap:+a+b/c-a");
	append_raw("4 go");
	expect_read("half a line is none", (struct changes_place){epoch, 3}, "-a");
	expect_end("half a line at the end", epoch, 4);
	changes_close(&c, false);
}

static void
test_stops(void **state)
{
	struct changes c;
	uint64_t epoch;

	(void)state;
	fresh();
	expect_ok("open", changes_open(folder, NOW, &c));
	epoch = c.epoch;
	put(&c, "a", false);
	changes_close(&c, true);
	expect_ok("after an orderly stop", changes_open(folder, NOW, &c));
	assert_true(c.epoch == epoch);
	put(&c, "b", false);
	expect_read("it goes on", (struct changes_place){epoch, 2}, ".+b");
	changes_close(&c, false); /* killed */
	expect_ok("after a kill, with a clock that stands", changes_open(folder, NOW, &c));
	assert_true(c.epoch == epoch + 1);
	expect_read("everybody looks at everything", (struct changes_place){epoch, 4}, "gap:");
	put(&c, "c", false);
	append_raw("2 torn");
	changes_close(&c, false);
	expect_ok("after a torn line", changes_open(folder, NOW, &c));
	assert_true(c.epoch == epoch + 2);
	changes_close(&c, true);
}

static void
test_replaced(void **state)
{
	struct changes c;
	struct changes_reader r = {.fd = -1};
	struct change x;
	bool gap, have;

	(void)state;
	fresh();
	expect_ok("open", changes_open(folder, NOW, &c));
	put(&c, "a", false);
	expect_ok("a reader", changes_read_open(folder, (struct changes_place){c.epoch, 1}, &r, &gap));
	put(&c, "b", false);
	c.bytes = CHANGES_BYTES_MAX + 1; /* as if it had grown */
	put(&c, "c", false);
	expect_ok("a", changes_next(&r, &have, &x));
	assert_true(have && slice_eq(x.path, LIT("a")));
	expect_ok("b", changes_next(&r, &have, &x));
	assert_true(have && slice_eq(x.path, LIT("b")));
	expect_ok("its end", changes_next(&r, &have, &x));
	assert_true(!have && changes_replaced(&r));
	expect_read("the next log goes on counting", (struct changes_place){c.epoch, r.seq}, "+c");
	expect_read("who was behind has a gap", (struct changes_place){c.epoch, 2}, "gap:+c");
	expect_end("the end of the next log", c.epoch, r.seq + 1);
	for (size_t i = 0; i < 200; i++)
		put(&c, "a/long/name/so/that/the/end/is/far/from/the/beginning", false);
	expect_end("far from the beginning", c.epoch, r.seq + 201);
	changes_read_close(&r);
	changes_close(&c, true);
}

static void
test_refused(void **state)
{
	static const char *const ROWS[] = {"not a log\n", "inkan-changes 1 5\n", "inkan-changes 1 5 x\n",
	    "inkan-changes 1 5 1\n2 gone a\n", "inkan-changes 1 5 1\n1 gone\n", "inkan-changes 1 5 1\n1 00 a\n",
	    "inkan-changes 1 5 1\n1 gone ../mirror/store.secret\n", "inkan-changes 1 5 1\n1 gone a/../../mail\n",
	    "inkan-changes 1 5 1\n1 gone /etc/passwd\n", "inkan-changes 1 5 1\n1 gone a/\n"};
	static const char *const WHAT =
	    "changes-form: house: the log of the repository's changes is not what its writer writes";
	struct changes_reader r = {.fd = -1};
	struct change x;

	(void)state;
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		bool gap, have = true;
		err e;

		expect_ok("file", disk_replace(folder, CHANGES_NAME, slice_str(ROWS[i])));
		e = changes_read_open(folder, (struct changes_place){5, 1}, &r, &gap);
		while (e.kind == OK && have)
			e = changes_next(&r, &have, &x);
		expect_err(row_name("ROWS", i), e, ERR_CORRUPT, WHAT);
		changes_read_close(&r);
	}
	fresh();
	{
		bool gap;

		expect_err("no log yet", changes_read_open(folder, (struct changes_place){0}, &r, &gap), ERR_ABSENT,
		    "disk-absent: house: there is no such file");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_stops),
	    cmocka_unit_test(test_replaced), cmocka_unit_test(test_refused)};
	int rc;

	if (mkdtemp(top) == NULL || disk_folder(DISK_HERE, top, FOLDER_THERE, &folder).kind != OK)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fresh();
	rmdir(top);
	return rc;
}
