/* base/words: the table made from po/ja.po, looked up by whole English texts; design law 5. */
#include "test/unit/test.h"

#include "base/words.h"

/* As base/words.c has it. */
struct words_row {
	const char *en, *ja;
};
extern const struct words_row WORDS_JA[];
extern const size_t WORDS_JA_COUNT;

static const char BUSY[] = "busy: house: the service is busy just now; please try again in a moment";
static const char BUSY_JA[] = "busy: 運用: 混み合っています。少し待ってからもう一度お試しください";

static void
test_lookup(void **state)
{
	static const struct {
		const char *row, *en, *ja; /* ja NULL: given back as it is */
	} rows[] = {
	    {"a text of the table", BUSY, BUSY_JA},
	    {"a quotation mark within", "application-contact: house: the contact is a mail address, or \"letter\"",
	        "application-contact: 運用: 連絡先は、メールアドレス、または \"letter\"（書面）と書きます"},
	    {"one byte less", "busy: house: the service is busy just now; please try again in a momen", NULL},
	    {"one byte more", "busy: house: the service is busy just now; please try again in a moment.", NULL},
	    {"another case", "Busy: house: the service is busy just now; please try again in a moment", NULL},
	    {"a code alone", "busy", NULL},
	    {"below the first", "!", NULL},
	    {"above the last", "~~~", NULL},
	    {"nothing", "", NULL},
	    {"a text nobody says", "no-such: house: nobody says this", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *want = rows[i].ja == NULL ? rows[i].en : rows[i].ja;
		struct buf b OWNED(buf_drop) = BUF(1024);

		expect_same(rows[i].row, slice_str(words(LANG_JA, rows[i].en)), slice_str(want));
		expect_same(rows[i].row, slice_str(words(LANG_EN, rows[i].en)), slice_str(rows[i].en));
		words_put(&b, LANG_JA, txt(rows[i].en));
		words_put(&b, LANG_EN, txt(rows[i].en));
		expect_same(rows[i].row, buf_slice(&b), join(slice_str(want), slice_str(rows[i].en)));
	}
	/* a slice is no string: what stands behind it does not count */
	{
		struct buf b OWNED(buf_drop) = BUF(1024);

		words_put(&b, LANG_JA, slice_of(BUSY, sizeof BUSY - 1));
		expect_same("a slice within a string", buf_slice(&b), slice_str(BUSY_JA));
	}
}

/* A binary search finds every row only where they rise by bytes, as C reads them: escapes are one byte there. */
static void
test_order(void **state)
{
	(void)state;
	expect_true("at least every refusal", WORDS_JA_COUNT >= 600);
	for (size_t i = 0; i < WORDS_JA_COUNT; i++) {
		const struct words_row *r = &WORDS_JA[i];

		if (i > 0)
			expect_true(r->en, slice_cmp(slice_str(WORDS_JA[i - 1].en), slice_str(r->en)) < 0);
		expect_true(r->en, words(LANG_JA, r->en) == r->ja);
	}
	expect_true("the table's end", WORDS_JA[WORDS_JA_COUNT].en == NULL);
}

static void
test_locale(void **state)
{
	static const struct {
		const char *all, *messages, *lang;
		enum lang want;
	} rows[] = {
	    {NULL, NULL, NULL, LANG_EN},
	    {"", "", "", LANG_EN},
	    {NULL, NULL, "ja_JP.UTF-8", LANG_JA},
	    {NULL, NULL, "ja", LANG_JA},
	    {NULL, NULL, "ja.UTF-8", LANG_JA},
	    {NULL, NULL, "ja@cjk", LANG_JA},
	    {NULL, NULL, "ja_JP", LANG_JA},
	    {NULL, NULL, "jam", LANG_EN},
	    {NULL, NULL, "j", LANG_EN},
	    {NULL, NULL, "JA", LANG_EN},
	    {NULL, NULL, "en_US.UTF-8", LANG_EN},
	    {NULL, NULL, "C", LANG_EN},
	    /* LC_ALL before LC_MESSAGES before LANG; an empty one is as none (POSIX 8.2) */
	    {"C", "ja_JP.UTF-8", "ja_JP.UTF-8", LANG_EN},
	    {"ja_JP.UTF-8", "C", "C", LANG_JA},
	    {"", "ja_JP.UTF-8", "C", LANG_JA},
	    {"", "C", "ja_JP.UTF-8", LANG_EN},
	    {NULL, "", "ja_JP.UTF-8", LANG_JA},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_number(row_name("locale", i), lang_of_locale(rows[i].all, rows[i].messages, rows[i].lang), rows[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookup),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
