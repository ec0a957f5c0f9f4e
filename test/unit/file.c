/* A whole file by its path, and a PIN in one. */
#include "test/unit/test.h"

#include <errno.h>
#include <unistd.h>

#include "edge/file.h"

static char path[] = "/tmp/inkan-file-XXXXXX";

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	return close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void
given(const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
test_whole(void **state)
{
	static const size_t SIZES[] = {0, 1, 16383, 16384, 16385, 40000};
	uint8_t *bytes = mem_new(40000, 1);

	(void)state;
	for (size_t i = 0; i < 40000; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < COUNT(SIZES); i++) {
		struct buf out OWNED(buf_drop) = BUF(SIZES[i] == 0 ? 1 : SIZES[i]);

		given(bytes, SIZES[i]);
		expect_ok("all of it", file_load(path, &out));
		expect_same("byte for byte", buf_slice(&out), slice_of(bytes, SIZES[i]));
	}
	for (size_t i = 1; i < COUNT(SIZES); i++) {
		struct buf out OWNED(buf_drop) = BUF(SIZES[i]);

		given(bytes, SIZES[i] - 1);
		expect_ok("one less", file_load(path, &out));
	}
	for (size_t i = 2; i < COUNT(SIZES); i++) {
		struct buf out OWNED(buf_drop) = BUF(SIZES[i] - 1);

		given(bytes, SIZES[i]);
		expect_err(
		    "max+1", file_load(path, &out), ERR_INPUT, "file-size: house: a file is longer than such a file can be");
	}
	free(bytes);
}

static void
test_unread(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(64);
	struct secret pin OWNED(secret_drop) = {0};
	err e = file_load("/nowhere/at/all", &out);

	(void)state;
	expect_err("absent", e, ERR_WORLD, "file-read: house: a file cannot be read");
	expect_number("its reason", (uint64_t)e.why, ENOENT);
	expect_err("a folder", file_load("/tmp", &out), ERR_WORLD, "file-read: house: a file cannot be read");
	expect_err("no PIN", file_load_pin("/nowhere/at/all", &pin), ERR_WORLD, "file-read: house: a file cannot be read");
	expect_number("nothing is set", pin.n, 0);
}

static void
test_pin(void **state)
{
	uint8_t longest[SECRET_MAX + 3];
	static const struct {
		const char *row, *file, *pin;
	} rows[] = {
	    {"without a line end", "1234", "1234"},
	    {"a line end", "1234\n", "1234"},
	    {"of another system", "1234\r\n", "1234"},
	    {"blanks belong to it", " 12 34 \n", " 12 34 "},
	    {"nothing", "", ""},
	    {"an empty line", "\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct secret pin OWNED(secret_drop) = {0};

		given(rows[i].file, strlen(rows[i].file));
		expect_ok(rows[i].row, file_load_pin(path, &pin));
		expect_same(rows[i].row, secret_slice(&pin), slice_str(rows[i].pin));
	}
	memset(longest, '7', sizeof longest);
	for (size_t n = SECRET_MAX; n <= sizeof longest; n++) {
		struct secret pin OWNED(secret_drop) = {0};

		given(longest, n);
		if (n == SECRET_MAX)
			expect_ok("max", file_load_pin(path, &pin));
		else
			expect_err("longer", file_load_pin(path, &pin), ERR_INPUT,
			    n < sizeof longest ? "secret-long: house: a secret is longer than any we handle"
			                       : "file-size: house: a file is longer than such a file can be");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_unread),
	    cmocka_unit_test(test_pin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
