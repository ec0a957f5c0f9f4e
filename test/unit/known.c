/* LINK: role/signer/records_file.c role/signer/known_file.c test/edge/disk.c */
/* The certificates a status signer knows: two layers, walks, the file.  B-11. */
#include <fcntl.h>
#include <unistd.h>

#include "act/known.h"
#include "edge/disk.h"
#include "role/signer/known_file.h"
#include "test/unit/test.h"

#define MANY 1000U

static struct known_one
row(unsigned i)
{
	uint32_t v = i * 2654435761U;
	struct known_one k = {
	    .serial = {16, {(uint8_t)(0x40 | (v >> 26)), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}},
	    .not_after = {INT64_C(1900000000000) + i * 1000}};

	memcpy(k.serial.b + 12, &i, sizeof i);
	return k;
}

static void
add(struct known_set *s, unsigned from, unsigned to, bool want)
{
	for (unsigned i = from; i < to; i++) {
		struct known_one k = row(i);
		bool fresh;

		expect_ok("add", known_set_add(s, &k, &fresh));
		expect_true("fresh", fresh == want);
	}
}

static size_t
walk(struct known_set *s, serial last)
{
	struct known_walk w;
	struct known_one k;
	size_t n = 0;
	bool have;

	expect_ok("start", known_walk_start(&w, s, last));
	for (;;) {
		expect_ok("next", known_walk_next(&w, &have, &k));
		if (!have)
			return n;
		expect_true("rises", last.n == 0 || serial_cmp(last, k.serial) < 0);
		last = k.serial;
		n++;
	}
}

static void
layers(void **state)
{
	char folder[] = "/tmp/known-XXXXXX";
	struct known_set *s OWNED(known_set_drop) = known_set_new(), *again OWNED(known_set_drop) = known_set_new();
	struct records_file *file OWNED(records_file_close) = NULL, *second OWNED(records_file_close) = NULL;
	struct records_from base;
	struct known_one k = row(7), middle = row(3);
	uint64_t covers;
	uint8_t byte = 1;
	size_t below = 0;
	bool found;
	int fd = -1, raw;

	(void)state;
	expect_true("folder", mkdtemp(folder) != NULL);
	expect_ok("folder", disk_folder(DISK_HERE, folder, FOLDER_THERE, &fd));
	expect_err(
	    "none", known_file_open(fd, &file, &base, &covers), ERR_ABSENT, "disk-absent: house: there is no such file");
	add(s, 0, MANY, true);
	add(s, 0, MANY, false);
	expect_number("all", walk(s, (serial){0}), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		struct known_one other = row(i);

		below += serial_cmp(other.serial, middle.serial) <= 0;
	}
	expect_number("after one in the middle", walk(s, middle.serial), MANY - below);
	expect_ok("written", known_file_write(fd, s, (instant){0}, 77));
	expect_ok("opened", known_file_open(fd, &file, &base, &covers));
	expect_true("covers", covers == 77 && base.n == MANY);
	expect_ok("base", known_set_base(s, &base, KNOWN_FORGET_RECENT));
	expect_number("nothing is recent", known_set_recent(s), 0);
	add(s, 0, MANY, false);
	add(s, MANY, MANY + 300, true);
	expect_number("both layers", walk(s, (serial){0}), MANY + 300);
	expect_number("counted", known_set_count(s), MANY + 300);
	expect_ok("found", known_set_find(s, k.serial, &found, &k));
	expect_true("found", found && k.not_after.ms == row(7).not_after.ms);
	k.serial.b[15] ^= 1;
	expect_ok("not found", known_set_find(s, k.serial, &found, &k));
	expect_true("not found", !found);
	expect_ok("written without what ended", known_file_write(fd, s, row(MANY).not_after, 78));
	expect_ok("opened", known_file_open(fd, &second, &base, &covers));
	expect_number("300 left", base.n, 300);
	expect_ok("another", known_set_base(again, &base, KNOWN_FORGET_RECENT));
	expect_number("300 left", walk(again, (serial){0}), 300);
	raw = openat(fd, "known", O_RDWR);
	expect_true("a flipped bit", pwrite(raw, &byte, 1, 30) == 1);
	close(raw);
	records_file_close(&file);
	expect_err("is found", known_file_open(fd, &file, &base, &covers), ERR_CORRUPT,
	    "known-file: design 3: the file of known serials is not whole");
	raw = openat(fd, "known", O_RDWR);
	expect_true("torn", ftruncate(raw, 100) == 0);
	close(raw);
	expect_err("is found", known_file_open(fd, &file, &base, &covers), ERR_CORRUPT,
	    "known-file: design 3: the file of known serials is not whole");
	(void)unlinkat(fd, "known", 0);
	disk_close(&fd);
	(void)rmdir(folder);
}

static uint8_t record[2][KNOWN_RECORD];

static err
read_two(void *of, uint64_t first, size_t n, uint8_t *out)
{
	(void)of;
	memcpy(out, record[first], n * KNOWN_RECORD);
	return ok;
}

static void
damaged(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t v;
	} rows[] = {{"no serial", 0, 0}, {"too long", 0, 21}, {"a zero in front", 1, 0},
	    {"a byte behind the serial", 20, 1}, {"not zero", 22, 1}, {"never", 24, 0xFF},
	    {"order", KNOWN_RECORD + 1, 0x01}};
	struct records_from base = {.n = 2, .read = read_two};

	(void)state;
	for (size_t i = 0; i <= COUNT(rows); i++) {
		struct known_set *s OWNED(known_set_drop) = known_set_new();
		struct known_one low = {{2, {2, 1}}, {5}}, high = {{2, {2, 2}}, {6}};
		err e;

		known_record_put(record[0], &low);
		known_record_put(record[1], &high);
		if (i < COUNT(rows))
			record[0][rows[i].at] = rows[i].v;
		e = known_set_base(s, &base, KNOWN_FORGET_RECENT);
		if (i < COUNT(rows))
			expect_err(rows[i].name, e, ERR_CORRUPT, "known-base: design 3: the file of known serials is damaged");
		else
			expect_ok("sound", e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(layers), cmocka_unit_test(damaged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
