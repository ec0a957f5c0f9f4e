/* base/text: UTF-8 that a person reads; libunistring is the second opinion. */
#include "test/unit/test.h"

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/text.h"

#define UTF8 "text-utf8: RFC 3629: the text is not UTF-8"
#define HIDDEN "text-hidden: house: a character that is not shown, or not as it is read"
#define NEWLINE "text-newline: house: a line break where one line was expected"
#define LAST "text-last-line: house: the last line of a text ends with a line break"
#define TOO_LONG "text-long: house: a text is longer than any we read"

static void
test_line(void **state)
{
	static const struct {
		const char *name, *in, *expect;
	} rows[] = {
	    {"empty", "", NULL},
	    {"ASCII", " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", NULL},
	    {"a name", "行政　太郎", NULL},
	    {"kana", "ぎょうせいタロウ ﾀﾛｳ", NULL},
	    {"a combining voiced mark", "か\xE3\x82\x99", NULL},
	    {"a Latin accent by itself", "e\xCC\x81", NULL},
	    {"an ideograph of plane 2", "\xF0\xA0\xAE\xB7野家", NULL},
	    {"an iteration mark", "佐々木", NULL},
	    {"an IVS on an ideograph", "葛\xF3\xA0\x84\x80城", NULL},
	    {"an IVS on an ideograph of plane 2", "\xF0\xA0\xAE\xB7\xF3\xA0\x84\x81", NULL},
	    {"a standardized variant", "神\xEF\xB8\x80", NULL},
	    {"an IVS on the iteration mark", "々\xF3\xA0\x84\x80", NULL},
	    {"no-break space", "a\xC2\xA0z", NULL},
	    {"replacement character", "\xEF\xBF\xBD", NULL},
	    {"geta mark", "〓", NULL},
	    {"two IVS", "葛\xF3\xA0\x84\x80\xF3\xA0\x84\x81", HIDDEN},
	    {"an IVS at the start", "\xF3\xA0\x84\x80", HIDDEN},
	    {"an IVS on a letter", "a\xF3\xA0\x84\x80", HIDDEN},
	    {"an IVS on kana", "か\xF3\xA0\x84\x80", HIDDEN},
	    {"VS16 on a digit", "1\xEF\xB8\x8F", HIDDEN},
	    {"TAB", "a\tb", HIDDEN},
	    {"CR", "a\r", HIDDEN},
	    {"ESC", "\x1B[2J", HIDDEN},
	    {"DEL", "\x7F", HIDDEN},
	    {"C1", "\xC2\x85", HIDDEN},
	    {"soft hyphen", "\xC2\xAD", HIDDEN},
	    {"combining grapheme joiner", "\xCD\x8F", HIDDEN},
	    {"Arabic letter mark", "\xD8\x9C", HIDDEN},
	    {"Hangul filler", "\xE1\x85\x9F", HIDDEN},
	    {"Mongolian vowel separator", "\xE1\xA0\x8E", HIDDEN},
	    {"ZWSP", "\xE2\x80\x8B", HIDDEN},
	    {"ZWNJ", "\xE2\x80\x8C", HIDDEN},
	    {"ZWJ", "\xE2\x80\x8D", HIDDEN},
	    {"LRM", "\xE2\x80\x8E", HIDDEN},
	    {"RLO", "\xE2\x80\xAE", HIDDEN},
	    {"PDI", "\xE2\x81\xA9", HIDDEN},
	    {"word joiner", "\xE2\x81\xA0", HIDDEN},
	    {"line separator", "\xE2\x80\xA8", HIDDEN},
	    {"paragraph separator", "\xE2\x80\xA9", HIDDEN},
	    {"half-width Hangul filler", "\xEF\xBE\xA0", HIDDEN},
	    {"BOM", "\xEF\xBB\xBF", HIDDEN},
	    {"interlinear annotation", "\xEF\xBF\xB9", HIDDEN},
	    {"a tag", "\xF3\xA0\x81\x81", HIDDEN},
	    {"private use", "\xEE\x80\x80", HIDDEN},
	    {"private use of plane 15", "\xF3\xB0\x80\x80", HIDDEN},
	    {"a noncharacter", "\xEF\xBF\xBE", HIDDEN},
	    {"a noncharacter of plane 1", "\xF0\x9F\xBF\xBF", HIDDEN},
	    {"unassigned", "\xCD\xB8", HIDDEN},
	    {"LF", "a\n", NEWLINE},
	    {"LF alone", "\n", NEWLINE},
	    {"overlong slash", "\xC0\xAF", UTF8},
	    {"overlong in three", "\xE0\x80\xAF", UTF8},
	    {"overlong in four", "\xF0\x80\x80\xAF", UTF8},
	    {"the last overlong of two", "\xC1\xBF", UTF8},
	    {"a surrogate", "\xED\xA0\x80", UTF8},
	    {"the last surrogate", "\xED\xBF\xBF", UTF8},
	    {"above 10FFFF", "\xF4\x90\x80\x80", UTF8},
	    {"five bytes", "\xF8\x88\x80\x80\x80", UTF8},
	    {"a lone continuation", "a\x80", UTF8},
	    {"torn in two", "\xE3\x81", UTF8},
	    {"torn by ASCII", "\xE3\x81z", UTF8},
	    {"FF", "\xFF", UTF8},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf lines OWNED(buf_drop) = BUF(200);

		expect_text(rows[i].name, text_check_line(txt(rows[i].in)), rows[i].expect);
		/* Within lines the same holds, but for the line break itself. */
		buf_put_str(&lines, "前\n");
		buf_put_str(&lines, rows[i].in);
		buf_put_str(&lines, "\n後\n");
		if (rows[i].expect == NULL || strcmp(rows[i].expect, NEWLINE) == 0)
			expect_ok(rows[i].name, text_check(buf_slice(&lines)));
		else
			expect_err(rows[i].name, text_check(buf_slice(&lines)), ERR_INPUT, rows[i].expect);
	}
	expect_err("NUL", text_check_line(LIT("a\0b")), ERR_INPUT, HIDDEN);
}

static void
test_lines(void **state)
{
	static const struct {
		const char *in, *expect;
	} rows[] = {
	    {"\n", NULL}, {"a\n", NULL}, {"a\n\nb\n", NULL}, {"", LAST}, {"a", LAST}, {"a\nb", LAST}, {"a\r\n", HIDDEN},
	    {"葛\n\xF3\xA0\x84\x80\n", HIDDEN}, /* an ideograph on another line is no base */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_text(rows[i].in, text_check(txt(rows[i].in)), rows[i].expect);
	expect_ok("line at max", text_check_line(bytes(TEXT_MAX, 'a')));
	expect_err("line at max+1", text_check_line(bytes(TEXT_MAX + 1, 'a')), ERR_INPUT, TOO_LONG);
	expect_ok("lines at max", text_check(bytes(TEXT_MAX, '\n')));
	expect_err("lines at max+1", text_check(bytes(TEXT_MAX + 1, '\n')), ERR_INPUT, TOO_LONG);
}

/* Every code point: written as libunistring writes it, read back, and shown or refused by its category. */
static void
test_all(void **state)
{
	unsigned shown = 0;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
		struct buf b OWNED(buf_drop) = BUF(4);
		uint8_t ref[4];
		const char *category;
		uint32_t back = 0;
		bool hidden;
		slice s;
		int n = u8_uctomb(ref, cp, sizeof ref);

		if (cp >= 0xD800 && cp <= 0xDFFF) {
			assert_true(n < 0);
			continue;
		}
		text_put(&b, cp);
		if (!slice_eq(buf_slice(&b), slice_of(ref, (size_t)n)))
			fail_msg("U+%04X is written differently", (unsigned)cp);
		s = buf_slice(&b);
		if (!text_next(&s, &back) || back != cp || s.n != 0)
			fail_msg("U+%04X does not come back", (unsigned)cp);
		for (size_t k = 1; k < b.n; k++) { /* cut short it is none */
			s = (slice){b.p, k};
			if (text_next(&s, &back) || s.n != k)
				fail_msg("U+%04X was read from %zu bytes", (unsigned)cp, k);
		}
		category = uc_general_category_name(uc_general_category(cp));
		hidden = strstr("Cc Cf Cs Co Cn Zl Zp", category) != NULL || uc_is_property_default_ignorable_code_point(cp);
		if (cp != '\n' && (text_check_line(buf_slice(&b)).kind != OK) != hidden)
			fail_msg("U+%04X (%s) is %s", (unsigned)cp, category, hidden ? "accepted" : "refused");
		shown += !hidden;
	}
	assert_true(shown > 130000);
}

/* Every pair and triple of lead and continuation edges: we read what libunistring's checker calls good. */
static void
test_bytes(void **state)
{
	static const uint8_t edge[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
	    0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};
	uint8_t u[4];

	(void)state;
	for (size_t i = 0; i < COUNT(edge) * COUNT(edge) * COUNT(edge) * COUNT(edge); i++) {
		for (size_t k = 0, v = i; k < 4; k++, v /= COUNT(edge))
			u[k] = edge[v % COUNT(edge)];
		for (size_t n = 1; n <= 4; n++) {
			slice s = (slice){u, n};
			uint32_t cp;

			while (text_next(&s, &cp))
				;
			if ((s.n == 0) != (u8_check(u, n) == NULL))
				fail_msg("%02x%02x%02x%02x/%zu", u[0], u[1], u[2], u[3], n);
		}
	}
}

static void
test_words(void **state)
{
	(void)state;
	assert_int_equal(text_count(LIT("")), 0);
	assert_int_equal(text_count(LIT("abc")), 3);
	assert_int_equal(text_count(txt("葛\xF3\xA0\x84\x80城")), 3);
	assert_true(text_is_ideograph(0x8449)); /* 葉 */
	assert_true(text_is_ideograph(0x3005)); /* 々 */
	assert_true(text_is_ideograph(0x3006)); /* 〆 */
	assert_true(text_is_ideograph(0x3007)); /* 〇 */
	assert_true(text_is_ideograph(0x20000));
	assert_true(text_is_ideograph(0x30000));
	assert_true(text_is_ideograph(0xFA10)); /* compatibility */
	assert_false(text_is_ideograph(0x3042));
	assert_false(text_is_ideograph(0x30A2));
	assert_false(text_is_ideograph('a'));
	assert_false(text_is_ideograph(0x3013)); /* geta, the substitute */
}

static void
test_nfkc(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
	    {"", ""},
	    {"abc", "abc"},
	    {"ＡＢＣ１２３", "ABC123"},
	    {"ﾀﾛｳ", "タロウ"},
	    {"ｶﾞ", "ガ"},
	    {"か\xE3\x82\x99", "が"},
	    {"①", "1"},
	    {"㍿", "株式会社"},
	    {"　", " "},
	    {"神", "神"}, /* U+FA19 */
	    {"1－2", "1-2"},
	    {"\xC0\xAF", NULL},
	    {"ok\xED\xA0\x80", NULL},
	    {"\xE3\x81", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(100);

		if (rows[i].out == NULL) {
			expect_err(rows[i].in, text_put_nfkc(&b, txt(rows[i].in)), ERR_INPUT, UTF8);
			assert_int_equal(b.n, 0);
		} else {
			expect_ok(rows[i].in, text_put_nfkc(&b, txt(rows[i].in)));
			expect_same(rows[i].in, buf_slice(&b), txt(rows[i].out));
		}
	}
	/* Normal is normal: once more changes nothing. */
	for (uint32_t cp = 1; cp <= 0x10FFFF; cp += cp < 0x30000 ? 1 : 97) {
		struct buf u OWNED(buf_drop) = BUF(4), a OWNED(buf_drop) = BUF(100), b OWNED(buf_drop) = BUF(100);

		if (cp >= 0xD800 && cp <= 0xDFFF)
			continue;
		text_put(&u, cp);
		expect_ok("once", text_put_nfkc(&a, buf_slice(&u)));
		expect_ok("twice", text_put_nfkc(&b, buf_slice(&a)));
		if (!slice_eq(buf_slice(&a), buf_slice(&b)))
			fail_msg("U+%04X", (unsigned)cp);
	}
	{
		struct buf b OWNED(buf_drop) = BUF(TEXT_MAX), less OWNED(buf_drop) = BUF(3);

		expect_ok("at max", text_put_nfkc(&b, bytes(TEXT_MAX, 'a')));
		expect_err("at max+1", text_put_nfkc(&b, bytes(TEXT_MAX + 1, 'a')), ERR_INPUT, TOO_LONG);
		expect_err("limit", text_put_nfkc(&less, LIT("abcd")), ERR_INPUT,
		    "buf-limit: house: more bytes than this object may have");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_nfkc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
