/* Fingerprints of a book's lines: what was added is found, sealed or not; a damaged file is thrown away. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "edge/index.h"

static char folder[128];
static uint8_t shift;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* A book whose root says nothing but its size: every node is a hash of its place. */
static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	uint8_t b[18] = {(uint8_t)level, *(uint8_t *)from};

	for (size_t i = 0; i < 8; i++)
		b[2 + i] = (uint8_t)(index >> (8 * i));
	*out = sha256(ARR(b));
	return ok;
}

static const struct tree_nodes NODES = {&shift, node};

static digest
root(uint64_t size)
{
	digest d;

	expect_ok("root", tree_root_at(&NODES, size, &d));
	return d;
}

static int
begin(void **state)
{
	(void)state;
	shift = 0;
	snprintf(folder, sizeof folder, "%s/inkan-index-XXXXXX", getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static slice
value(uint64_t n, char room[32])
{
	int k = snprintf(room, 32, "value %llu", (unsigned long long)n);

	return slice_of(room, (size_t)k);
}

static struct index *
open_at(uint64_t size, uint64_t covered, const char *carried)
{
	struct buf c OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
	struct index *i = NULL;
	uint64_t got;

	expect_ok("open", index_open(folder, NODES, size, &i, &got, &c));
	expect_number("covered", got, covered);
	expect_same("carried", buf_slice(&c), slice_str(carried));
	return i;
}

/* Kind n % 3 + 1 for each line, and every seventh line of kind 9 too. */
static void
add_lines(struct index *i, uint64_t from, uint64_t to)
{
	char room[32];

	for (uint64_t n = from; n < to; n++) {
		index_add(i, (unsigned)(n % 3 + 1), value(n, room), n);
		if (n % 7 == 0)
			index_add(i, 9, LIT("seventh"), n);
	}
}

static void
check_lines(struct index *i, uint64_t to, uint64_t step)
{
	uint64_t found[INDEX_FOUND_MAX];
	char room[32];

	for (uint64_t n = 0; n < to; n += step) {
		slice v = value(n, room);

		expect_number("found", index_find(i, (unsigned)(n % 3 + 1), v, found), 1);
		expect_number("line", found[0], n);
		expect_number("other kind", index_find(i, (unsigned)((n + 1) % 3 + 1), v, found), 0);
	}
	expect_number("never added", index_find(i, 1, value(to + 3, room), found), 0);
}

static size_t
files(void)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
finding(void **state)
{
	struct index *i = open_at(0, 0, "");
	struct index_iter iter = {0};
	uint64_t found[INDEX_FOUND_MAX], n, seen = 0, sum = 0;

	(void)state;
	add_lines(i, 0, 3000);
	check_lines(i, 3000, 1);
	expect_ok("seal", index_seal(i, 3000, root(3000), LIT("state one")));
	check_lines(i, 3000, 1);
	add_lines(i, 3000, 5000);
	check_lines(i, 5000, 1);
	expect_number("at most", index_find(i, 9, LIT("seventh"), found), INDEX_FOUND_MAX);
	while (index_next(i, 9, &iter, &n)) {
		seen++;
		sum += n;
	}
	expect_number("each", seen, 715);
	expect_number("of the kind", sum, 7 * (714 * 715 / 2));
	index_close(&i);
	i = open_at(5000, 3000, "state one"); /* what was not sealed is the owner's to add again */
	check_lines(i, 3000, 17);
	add_lines(i, 3000, 5000);
	check_lines(i, 5000, 17);
	index_close(&i);
}

static void
due(void **state)
{
	struct index *i = open_at(0, 0, "");

	(void)state;
	expect_true("not yet", !index_is_due(i, INDEX_SEAL_LINES - 1));
	expect_true("now", index_is_due(i, INDEX_SEAL_LINES));
	add_lines(i, 0, 10);
	expect_ok("seal", index_seal(i, INDEX_SEAL_LINES, root(INDEX_SEAL_LINES), LIT("")));
	expect_true("done", !index_is_due(i, INDEX_SEAL_LINES));
	expect_true("again", index_is_due(i, 2 * INDEX_SEAL_LINES));
	index_close(&i);
}

/* Eight of a generation become one, and eight of those; nothing is lost on the way. */
static void
merging(void **state)
{
	struct index *i = open_at(0, 0, "");

	(void)state;
	for (uint64_t n = 0; n < 70; n++) {
		add_lines(i, n * 100, (n + 1) * 100);
		expect_ok("seal", index_seal(i, (n + 1) * 100, root((n + 1) * 100), LIT("s")));
	}
	expect_number("files", files(), 1 + 6);
	check_lines(i, 7000, 1);
	index_close(&i);
	i = open_at(7000, 7000, "s");
	check_lines(i, 7000, 1);
	index_close(&i);
}

static void
flip(const char *name, off_t at)
{
	char path[256];
	uint8_t b;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(1, pread(fd, &b, 1, at));
	b ^= 1;
	assert_int_equal(1, pwrite(fd, &b, 1, at));
	close(fd);
}

/* What does not fit is made anew, never believed. */
static void
damage(void **state)
{
	static const off_t AT[] = {0, 9, 13, 20, 30, 36, 41, 75, 300, 3000};
	char path[256];

	(void)state;
	for (size_t k = 0; k < COUNT(AT); k++) {
		struct index *i = open_at(0, 0, "");

		add_lines(i, 0, 500);
		expect_ok("seal", index_seal(i, 500, root(500), LIT("a")));
		add_lines(i, 500, 900);
		expect_ok("seal", index_seal(i, 900, root(900), LIT("b")));
		index_close(&i);
		flip("00000001.idx", AT[k]);
		i = open_at(900, 500, "a"); /* the second is gone, the first stands */
		index_close(&i);
		flip("00000000.idx", AT[k]);
		i = open_at(900, 0, "");
		index_close(&i);
		expect_number("thrown away", files(), 0);
	}
	{
		struct index *i = open_at(0, 0, "");

		add_lines(i, 0, 500);
		expect_ok("seal", index_seal(i, 500, root(500), LIT("a")));
		index_close(&i);
		i = open_at(499, 0, ""); /* a book cut shorter */
		index_close(&i);
		i = open_at(0, 0, "");
		add_lines(i, 0, 500);
		expect_ok("seal", index_seal(i, 500, root(500), LIT("a")));
		index_close(&i);
		shift = 1; /* another book */
		i = open_at(500, 0, "");
		index_close(&i);
		shift = 0;
		i = open_at(0, 0, "");
		add_lines(i, 0, 500);
		expect_ok("seal", index_seal(i, 500, root(500), LIT("a")));
		index_close(&i);
		snprintf(path, sizeof path, "%s/00000000.idx", folder);
		assert_int_equal(0, truncate(path, 100));
		i = open_at(500, 0, "");
		index_close(&i);
	}
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {EACH(finding), EACH(due), EACH(merging), EACH(damage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
