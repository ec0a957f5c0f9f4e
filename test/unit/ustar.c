/* Headers of evidence packs: base/ustar. */
#include "test/unit/test.h"

#include "base/ustar.h"

#define REFUSAL "ustar: POSIX ustar: not a member's header as evidence packs have it"

static void
test_header(void **state)
{
	static const uint32_t sizes[] = {0, 1, 511, 512, 513, 6000, UINT32_MAX};
	uint8_t name[32], back[32];
	uint32_t size;
	(void)state;

	for (size_t i = 0; i < sizeof name; i++)
		name[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buf b OWNED(buf_drop) = BUF(USTAR_BLOCK);

		ustar_put(&b, name, sizes[i]);
		expect_number("block", b.n, USTAR_BLOCK);
		expect_ok(row_name("size", i), ustar_get(buf_slice(&b), back, &size));
		expect_number("size", size, sizes[i]);
		assert_memory_equal(back, name, sizeof name);
		expect_number("padded", ustar_padded(size) % 512, 0);
		expect_true("no more than a block", ustar_padded(size) >= size && ustar_padded(size) - size < 512);
		/* no byte may be another one: checksum, blanks, padding included */
		for (size_t k = 0; k < USTAR_BLOCK; k++) {
			b.p[k] ^= 0x40;
			expect_err(row_name("byte", k), ustar_get(buf_slice(&b), back, &size), ERR_INPUT, REFUSAL);
			b.p[k] ^= 0x40;
		}
		expect_err("short", ustar_get(slice_of(b.p, USTAR_BLOCK - 1), back, &size), ERR_INPUT, REFUSAL);
	}
}

/* A size of eleven octal digits may say 8 GiB; a pack's member has less than 4. */
static void
test_too_long(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(USTAR_BLOCK);
	uint8_t name[32] = {0};
	uint32_t size;
	(void)state;

	ustar_put(&b, name, 0);
	memcpy(b.p + 124, "77777777777", 11);
	expect_err("8 GiB", ustar_get(buf_slice(&b), name, &size), ERR_INPUT, REFUSAL);
	memset(b.p, 0, USTAR_BLOCK);
	expect_err("an end block", ustar_get(buf_slice(&b), name, &size), ERR_INPUT, REFUSAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
