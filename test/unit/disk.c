/* LINK: test/edge/disk.c */
/* Files: replaced whole or not at all, whatever fails; appended, cut, erased in place; names that do not leave: edge/disk. */
#include "test/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/disk.h"
#include "test/edge/disk.h"

static char top[] = "/tmp/inkan-disk-XXXXXX";

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
folder(void)
{
	int fd = -1;

	expect_ok("folder", disk_folder(DISK_HERE, top, FOLDER_MAKE, &fd));
	return fd;
}

static void
expect_file(int at, const char *name, slice want)
{
	struct buf b OWNED(buf_drop) = BUF(1U << 20);

	expect_ok(name, disk_load(at, name, &b));
	expect_same(name, buf_slice(&b), want);
}

/* At each effect, failing or dying before, in the middle or after: the file is the old or the new one. */
static void
test_replace(void **state)
{
	static const enum fault ways[] = {FAULT_BEFORE, FAULT_HALF, FAULT_AFTER, DIE_BEFORE, DIE_HALF, DIE_AFTER};
	int at = folder();
	(void)state;

	for (size_t w = 0; w < COUNT(ways); w++)
		for (long nth = 1;; nth++) {
			struct buf b OWNED(buf_drop) = BUF(64);
			bool done = false;
			int status = 0;
			pid_t pid;

			expect_ok("old", disk_replace(at, "file", LIT("the old one")));
			pid = fork();
			if (pid == 0) {
				disk_fault = (struct disk_fault){ways[w], nth, EIO, 0};
				_exit(disk_replace(at, "file", LIT("one that is new")).kind == OK ? 0 : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			done = WEXITSTATUS(status) == 0;
			expect_ok("load", disk_load(at, "file", &b));
			expect_true("one or the other", slice_eq(buf_slice(&b), LIT("one that is new")) ||
			                                    (!done && slice_eq(buf_slice(&b), LIT("the old one"))));
			if (done) {
				expect_true("make, write, sync, rename, sync", nth == 6);
				break;
			}
		}
	disk_close(&at);
}

static void
test_append(void **state)
{
	int at = folder(), fd = -1, again = -1;
	uint64_t size;
	uint8_t b[8];
	(void)state;

	expect_err(
	    "absent", disk_open(at, "log", DISK_APPEND, &fd), ERR_ABSENT, "disk-absent: house: there is no such file");
	expect_ok("make", disk_open(at, "log", DISK_MAKE, &fd));
	expect_ok("append", disk_append(fd, LIT("one,")));
	expect_ok("again", disk_open(at, "log", DISK_MAKE, &again));
	expect_ok("append", disk_append(again, LIT("two,")));
	expect_ok("append", disk_append(fd, LIT("three")));
	expect_ok("sync", disk_sync(fd));
	expect_file(at, "log", LIT("one,two,three"));
	expect_ok("size", disk_size(fd, &size));
	expect_number("size", size, 13);
	expect_ok("read", disk_read(fd, 4, b, 3));
	assert_memory_equal(b, "two", 3);
	expect_err(
	    "beyond", disk_read(fd, 10, b, 4), ERR_CORRUPT, "disk-short: house: a file ends before what it must hold");
	expect_ok("cut", disk_cut(fd, 8));
	expect_ok("append after the cut", disk_append(fd, LIT("3")));
	expect_file(at, "log", LIT("one,two,3"));
	/* a call that fails after its effect has failed */
	disk_fault = (struct disk_fault){FAULT_AFTER, 1, EIO, 0};
	expect_err("write", disk_append(fd, LIT("4")), ERR_WORLD, "disk-write: house: a file cannot be written");
	disk_fault = (struct disk_fault){FAULT_BEFORE, 1, EIO, 0};
	expect_err("sync", disk_sync(fd), ERR_WORLD, "disk-sync: house: what was written cannot be made durable");
	disk_fault = (struct disk_fault){FAULT_BEFORE, 1, EIO, 0};
	expect_err("cut", disk_cut(fd, 0), ERR_WORLD, "disk-cut: house: a file cannot be cut");
	disk_fault = (struct disk_fault){0};
	disk_close(&fd);
	disk_close(&fd);
	disk_close(&again);
	disk_close(&at);
}

/* With a hole, and with zeros where the file system has no holes. */
static void
test_erase(void **state)
{
	int at = folder(), fd = -1;
	struct buf b OWNED(buf_drop) = BUF(20000), got OWNED(buf_drop) = BUF(20000);
	(void)state;

	for (int way = 0; way < 2; way++) {
		buf_clear(&b);
		memset(buf_space(&b, 20000), 'a', 20000);
		expect_ok("file", disk_replace(at, "pack", buf_slice(&b)));
		expect_ok("open", disk_open(at, "pack", DISK_EDIT, &fd));
		if (way == 1)
			disk_fault = (struct disk_fault){FAULT_BEFORE, 1, EOPNOTSUPP, 0};
		expect_ok("erase", disk_erase(fd, 5000, 9000));
		disk_fault = (struct disk_fault){0};
		disk_close(&fd);
		memset(b.p + 5000, 0, 9000);
		expect_file(at, "pack", buf_slice(&b));
	}
	expect_ok("open", disk_open(at, "pack", DISK_EDIT, &fd));
	disk_fault = (struct disk_fault){FAULT_BEFORE, 1, EIO, 0};
	expect_err("erase", disk_erase(fd, 0, 1), ERR_WORLD, "disk-erase: house: a file's part cannot be erased");
	disk_fault = (struct disk_fault){0};
	disk_close(&fd);
	disk_close(&at);
}

static void
test_refused(void **state)
{
	int at = folder(), fd = -1, other = -1;
	struct buf b OWNED(buf_drop) = BUF(4);
	char link[64];
	(void)state;

	expect_ok("five bytes", disk_replace(at, "five", LIT("12345")));
	expect_err("longer than asked for", disk_load(at, "five", &b), ERR_INPUT,
	    "disk-long: house: a file is longer than it may be");
	snprintf(link, sizeof link, "%s/link", top);
	assert_int_equal(symlink("five", link), 0);
	expect_err("a link", disk_open(at, "link", DISK_READ, &fd), ERR_WORLD, "disk-open: house: a file cannot be opened");
	expect_err("no folder", disk_folder(at, "five", FOLDER_THERE, &fd), ERR_WORLD,
	    "disk-folder-open: house: a folder cannot be opened");
	expect_err(
	    "absent", disk_folder(at, "none", FOLDER_THERE, &fd), ERR_ABSENT, "disk-absent: house: there is no such file");
	expect_ok("lock", disk_open(at, "lock", DISK_MAKE, &fd));
	expect_ok("again", disk_open(at, "lock", DISK_MAKE, &other));
	expect_ok("locked", disk_lock(fd));
	expect_err("by another", disk_lock(other), ERR_BUSY, "disk-locked: house: another process has this file");
	disk_close(&fd);
	expect_ok("free again", disk_lock(other));
	disk_close(&other);
	disk_fault = (struct disk_fault){FAULT_BEFORE, 1, EROFS, 0};
	expect_err(
	    "make", disk_folder(at, "new", FOLDER_MAKE, &fd), ERR_WORLD, "disk-folder: house: a folder cannot be made");
	disk_fault = (struct disk_fault){0};
	disk_close(&at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_append),
	    cmocka_unit_test(test_erase),
	    cmocka_unit_test(test_refused),
	};
	int rc;

	if (mkdtemp(top) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return rc;
}
