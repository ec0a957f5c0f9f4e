/* A mapped file that goes bad under its reader: zeros, said, and nobody dies of it. */
#include "test/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/map.h"

#define BYTES (10U * 4096)

/* A nameless file of BYTES of 'x'. */
static int
make(void)
{
	static uint8_t block[BYTES];
	char path[] = "/tmp/inkan-map-XXXXXX";
	int fd = mkstemp(path);

	memset(block, 'x', sizeof block);
	assert_true(fd >= 0 && unlink(path) == 0);
	assert_int_equal(write(fd, block, sizeof block), sizeof block);
	return fd;
}

static unsigned
sum(slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == 'x';
	return n;
}

static void
test_gone(void **state)
{
	static const off_t kept[] = {0, 1, 4095, 4096, 4097, BYTES / 2, BYTES - 4096};

	(void)state;
	for (size_t i = 0; i < COUNT(kept); i++) {
		struct map one = {0}, two = {0};
		int a = make(), b = make();

		expect_ok("one", map_open(a, MAP_HERE_AND_THERE, &one));
		expect_ok("two", map_open(b, MAP_IN_ORDER, &two));
		assert_int_equal(one.bytes.n, BYTES);
		assert_int_equal(sum(one.bytes), BYTES);
		assert_int_equal(ftruncate(a, kept[i]), 0);
		expect_true("not touched yet", !map_is_gone(&one));
		expect_true("what follows is zeros", sum(one.bytes) <= (unsigned)kept[i]);
		expect_true("said", map_is_gone(&one));
		expect_number("all of it, from now on", sum(one.bytes), 0);
		expect_true("and no other", !map_is_gone(&two) && sum(two.bytes) == BYTES);
		map_close(&one);
		expect_true("closed", !map_is_gone(&one) && one.bytes.n == 0);
		expect_ok("again", map_open(b, MAP_HERE_AND_THERE, &one));
		expect_true("whole", !map_is_gone(&one) && sum(one.bytes) == BYTES);
		map_close(&one);
		map_close(&two);
		map_close(&two); /* nothing */
		close(a);
		close(b);
	}
}

static void
test_open(void **state)
{
	struct map m = {0};
	int fd = make(), pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	close(fd);
	expect_err("closed", map_open(fd, MAP_IN_ORDER, &m), ERR_WORLD, "map-open: house: a file cannot be mapped");
	fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	expect_err("a folder", map_open(fd, MAP_IN_ORDER, &m), ERR_WORLD, "map-open: house: a file cannot be mapped");
	close(fd);
	fd = make();
	assert_int_equal(ftruncate(fd, 0), 0);
	expect_ok("empty", map_open(fd, MAP_IN_ORDER, &m));
	expect_true("nothing", m.bytes.n == 0 && !map_is_gone(&m));
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* KiB of files that this process has in memory. */
static long
resident(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");
	long kib = -1;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "RssFile: %ld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

/* A large file that is read once does not count as ours; read again it says the same. */
static void
test_rest(void **state)
{
	const size_t large = 16U << 20;
	char *text = mem_new(large, 1);
	struct map m = {0};
	int fd = make();
	long before;

	(void)state;
	memset(text, 'x', large);
	assert_int_equal(pwrite(fd, text, large, 0), (ssize_t)large);
	free(text);
	expect_ok("large", map_open(fd, MAP_IN_ORDER, &m));
	before = resident();
	expect_number("read", sum(m.bytes), large);
	expect_true("it is resident", resident() >= before + 15000);
	map_rest(&m);
	expect_true("no more", resident() < before + 2000);
	expect_number("read again", sum(m.bytes), large);
	map_close(&m);
	map_rest(&m); /* nothing */
	close(fd);
}

/* Other memory that is not there ends the process as ever. */
static void
test_other(void **state)
{
	struct map m = {0};
	int status = 0, fd = make(), other = make();
	pid_t pid;

	(void)state;
	expect_ok("ours", map_open(fd, MAP_IN_ORDER, &m));
	pid = fork();
	if (pid == 0) {
		volatile uint8_t *p = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, other, 0);

		signal(SIGBUS, SIG_DFL); /* a sanitizer has its own */
		map_close(&m);
		if (map_open(fd, MAP_IN_ORDER, &m).kind != OK || p == MAP_FAILED || ftruncate(other, 0) != 0)
			_exit(1);
		_exit(p[4096] == 'x' ? 2 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	expect_true("SIGBUS", WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	map_close(&m);
	close(fd);
	close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gone), cmocka_unit_test(test_open),
	    cmocka_unit_test(test_rest), cmocka_unit_test(test_other)};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
