/* LINK: cmd/inkand/folders.c */
/* Who gives files away as root gives what he opened: no name that is swapped meanwhile leads him elsewhere. */
#include "test/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/inkand/folders.h"

#define BASE 64000U
#define SWAPS 4000

static char base[64], home[96], victim[96];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
put(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0 && write(fd, "x", 1) == 1 && fchmod(fd, mode) == 0);
	close(fd);
}

static const char *
at(const char *name)
{
	static char path[4][160];
	static unsigned i;
	char *out = path[i++ % 4];

	snprintf(out, sizeof path[0], "%s/%s", home, name);
	return out;
}

static struct stat
stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(0, lstat(path, &st));
	return st;
}

static int
begin(void **state)
{
	(void)state;
	snprintf(base, sizeof base, "/tmp/inkan-folders-XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(home, sizeof home, "%s/home", base);
	snprintf(victim, sizeof victim, "%s/victim", base);
	assert_int_equal(0, mkdir(home, 0755));
	put(victim, 0600);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	(void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static void
untouched(const char *row)
{
	struct stat st = stat_of(victim);

	expect_true(row, st.st_uid == geteuid() && (st.st_mode & 07777) == 0600);
}

static void
given(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	expect_ok("a new house", folders_make(home, BASE, STATUS_USER));
	assert_int_equal(0, mkdir(at("repository/crl"), 0700));
	put(at("repository/crl/issuer.crl"), 0600);
	put(at("books/line"), 0600);
	assert_int_equal(0, symlink(victim, at("repository/crl/link")));
	assert_int_equal(0, mkfifo(at("mail/pipe"), 0600));
	expect_ok("after a restore", folders_make(home, BASE, STATUS_USER));
	st = stat_of(at("repository/crl"));
	expect_true("a folder", st.st_uid == BASE + 6 && st.st_gid == BASE + 1 && (st.st_mode & 07777) == 02750);
	st = stat_of(at("repository/crl/issuer.crl"));
	expect_true("a file", st.st_uid == BASE + 6 && st.st_gid == BASE + 1 && (st.st_mode & 07777) == 0640);
	st = stat_of(at("books/line"));
	expect_true("a file of one role", st.st_uid == BASE + 2 && st.st_gid == BASE + 2 && (st.st_mode & 07777) == 0600);
	st = stat_of(at("run"));
	expect_true("run is root's", st.st_uid == 0 && (st.st_mode & 07777) == 0700);
	expect_true("a link stays as it is", stat_of(at("repository/crl/link")).st_uid == 0);
	untouched("what it leads to");
	/* a folder of the house that is a link by now */
	assert_int_equal(0, rename(at("mirror"), at("mirror.old")));
	assert_int_equal(0, symlink(base, at("mirror")));
	expect_err("a link in a folder's place", folders_make(home, BASE, STATUS_USER), ERR_WORLD,
	    "inkand-folder: house: a folder of the house cannot be made");
	expect_true("where it leads", stat_of(base).st_uid == 0);
}

static void
hard_link(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	expect_ok("a new house", folders_make(home, BASE, STATUS_USER));
	assert_int_equal(0, link(victim, at("mail/letter.eml")));
	expect_err("a second name of another's file", folders_make(home, BASE, STATUS_USER), ERR_POLICY,
	    "inkand-hard-link: house: a file in a role's folder is not the role's and has a second name; "
	    "copy it in its place, or remove it");
	untouched("the other's file");
}

/* Somebody of an earlier day made folders in folders: the house opens all the same, and owns what it makes itself. */
static void
deep(void **state)
{
	int below[FOLDERS_DEPTH_MAX + 2];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	expect_ok("a new house", folders_make(home, BASE, STATUS_USER));
	put(at("repository/z"), 0600);
	below[0] = open(at("repository"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 1; i < COUNT(below); i++) {
		assert_int_equal(0, mkdirat(below[i - 1], "d", 0700));
		below[i] = openat(below[i - 1], "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below[i] >= 0);
	}
	expect_ok("too deep", folders_make(home, BASE, STATUS_USER));
	st = stat_of(at("repository/z"));
	expect_true("what stands beside", st.st_uid == BASE + 6 && st.st_gid == BASE + 1);
	st = stat_of(at("mirror"));
	expect_true("what is given after it", st.st_uid == BASE + 7);
	assert_int_equal(0, fstat(below[FOLDERS_DEPTH_MAX], &st));
	expect_true("the deepest that is given", st.st_uid == BASE + 6);
	assert_int_equal(0, fstat(below[FOLDERS_DEPTH_MAX + 1], &st));
	expect_true("one below is passed over", st.st_uid == 0);
	for (size_t i = 0; i < COUNT(below); i++)
		close(below[i]);
}

/* Somebody of an earlier day swaps a file and a link all the while. */
static void
swapped(void **state)
{
	pid_t child;
	int file;

	(void)state;
	if (geteuid() != 0)
		skip();
	expect_ok("a new house", folders_make(home, BASE, STATUS_USER));
	put(at("repository/a"), 0600);
	file = open(at("repository/a"), O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(0, symlink(victim, at("repository/b")));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char a[160], b[160];

		snprintf(a, sizeof a, "%s", at("repository/a"));
		snprintf(b, sizeof b, "%s", at("repository/b"));
		alarm(60);
		for (;;)
			(void)renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
	}
	for (int i = 0; i < SWAPS; i++) {
		assert_true(fchown(file, 0, 0) == 0 && fchmod(file, 0600) == 0); /* to be given once more */
		expect_ok("in the midst of it", folders_make(home, BASE, STATUS_USER));
	}
	close(file);
	(void)kill(child, SIGKILL);
	assert_int_equal(child, waitpid(child, NULL, 0));
	untouched("what the link leads to");
}

static void
home_of_others(void **state)
{
	(void)state;
	expect_ok("ours", folders_check_home(home));
	assert_int_equal(0, chmod(home, 0775));
	expect_err("others may write it", folders_check_home(home), ERR_POLICY,
	    "inkand-home: house: the house's folder belongs to another or can be written by others; "
	    "chown it to who starts the house, and chmod go-w");
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {EACH(given), EACH(hard_link), EACH(deep), EACH(swapped), EACH(home_of_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
