/* base/conf: the plain part of openssl.cnf's syntax; OpenSSL must read every accepted file the same way. */
#include "test/unit/test.h"

#include <openssl/bio.h>
#include <openssl/conf.h>

#include "base/conf.h"

#define LINE "conf-line: config(5ssl): a line is [section], name = value or # comment"
#define NAME "conf-name: config(5ssl): a name has letters, digits, dot, hyphen and underscore"
#define REPEATED "conf-repeated: house: a section or name stands twice"
#define SECTION "conf-section: config(5ssl): a section line is [name] and nothing else"
#define RESERVED "conf-reserved: config(5ssl): the sections default and ENV give values to all others"
#define VALUE "conf-value: config(5ssl): a value has a character that other parsers interpret"
#define LONG "conf-long: house: a configuration file has too many lines"
#define ABSENT "conf-absent: house: a configuration file lacks a name it must have"

/* OpenSSL sees the same sections with the same names and values in the same order, and nothing more. */
static void
expect_openssl_agrees(const char *row, slice file, const struct conf *c)
{
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	CONF *ref = NCONF_new(NULL);
	STACK_OF(OPENSSL_CSTRING) * names;
	int sections = 0;
	long line = 0;

	if (file.n > 0 && NCONF_load_bio(ref, bio, &line) != 1)
		fail_msg("%s: OpenSSL refuses line %ld", row, line);
	names = NCONF_get_section_names(ref);
	for (size_t i = 0; conf_section(c, i).n > 0; i++) {
		char section[65] = {0};
		STACK_OF(CONF_VALUE) * values;

		memcpy(section, conf_section(c, i).p, conf_section(c, i).n);
		values = NCONF_get_section(ref, section);
		if (values == NULL)
			fail_msg("%s: OpenSSL has no section %s", row, section);
		for (int k = 0; k < sk_CONF_VALUE_num(values); k++) {
			const CONF_VALUE *v = sk_CONF_VALUE_value(values, k);
			slice got;

			expect_ok(row, conf_text(c, conf_section(c, i), v->name, &got));
			expect_same(row, got, slice_str(v->value));
		}
		sections++;
	}
	/* "default" is always there, empty */
	for (int i = 0; names != NULL && i < sk_OPENSSL_CSTRING_num(names); i++)
		if (strcmp(sk_OPENSSL_CSTRING_value(names, i), "default") != 0)
			sections--;
	if (sections != 0)
		fail_msg("%s: OpenSSL has other sections", row);
	sk_OPENSSL_CSTRING_free(names);
	NCONF_free(ref);
	BIO_free(bio);
}

/* And we see every value that OpenSSL sees under this name. */
static void
expect_both(const char *row, const struct conf *c, slice file, const char *section, const char *name, const char *want)
{
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	CONF *ref = NCONF_new(NULL);
	const char *theirs;
	slice got;

	assert_int_equal(NCONF_load_bio(ref, bio, NULL), 1);
	theirs = NCONF_get_string(ref, section, name);
	if (want == NULL) {
		expect_err(row, conf_text(c, txt(section), name, &got), ERR_INPUT, ABSENT);
		assert_null(theirs);
	} else {
		expect_ok(row, conf_text(c, txt(section), name, &got));
		expect_same(row, got, txt(want));
		assert_non_null(theirs);
		assert_string_equal(theirs, want);
	}
	NCONF_free(ref);
	BIO_free(bio);
}

static void
test_rows(void **state)
{
	static const struct {
		const char *in, *expect;
	} rows[] = {
	    {"", NULL},
	    {"\n", NULL},
	    {" \t \n", NULL},
	    {"# a comment\n[a]\nb = c\n", NULL},
	    {"   # a comment, 日本語, \"quoted\" $HOME [x] y = z\n[a]\n", NULL},
	    {"[a]\n", NULL},
	    {"[a]\nb=\n", NULL},
	    {"[a]\nb = c=d = e\n", NULL},
	    {"[a]\n\tb\t=\tc d\t\n", NULL},
	    {"  [a]  \n  b = c  \n", NULL},
	    {"[a]\nb = 行政 太郎　様\n", NULL},
	    {"[a]\nb = \xC2\xA0x\xC2\xA0\n", NULL}, /* a no-break space is no blank */
	    {"[a]\nb = ;x\n", NULL},
	    {"[a]\nb = !%&()*+,-./:;<=>?@[]^_{|}~\n", NULL},
	    {"[a]\nb = @section\n", NULL},
	    {"[a]\nb = pkcs11:token=CA%20one;object=issuer;type=private\n", NULL},
	    {"[a-b_c.9]\nA.b-c_9 = 1\n", NULL},
	    {"[a]\nx=1\n[b]\nx=2\n", NULL},
	    {"[a]\nb=1\nB=2\n", NULL},
	    {"[A]\nb=1\n[a]\nb=2\n", NULL},
	    {"[9]\n-=1\n", NULL},
	    {"[a]\n_=1\n", NULL},
	    {"[0123456789012345678901234567890123456789012345678901234567890123]\n", NULL},
	    {"[01234567890123456789012345678901234567890123456789012345678901234]\n", NAME},
	    {"[a]\n0123456789012345678901234567890123456789012345678901234567890123=\n", NULL},
	    {"[a]\n01234567890123456789012345678901234567890123456789012345678901234=\n", NAME},
	    {"[a]\nb = c", "conf-last-line: house: the last line of a configuration file ends with a line break"},
	    {"x", "conf-last-line: house: the last line of a configuration file ends with a line break"},
	    {"[a]\nb\n", LINE},
	    {"[a]\nb c\n", LINE},
	    {"[a]\n.include other.cnf\n", LINE},
	    {"[a]\n.include = other.cnf\n", NAME},
	    {"[a]\n.pragma = dollarid:true\n", NAME},
	    {"[a]\n.b = c\n", NAME},
	    {"[a]\n = c\n", NAME},
	    {"[a]\nb c = d\n", NAME},
	    {"[a]\nx::b = d\n", NAME},
	    {"[a]\nb; = d\n", NAME},
	    {"[a]\n\xC3\xA9 = d\n", NAME},
	    {"[a]\n\"b\" = d\n", NAME},
	    {"[]\n", NAME},
	    {"[ a ]\n", NAME},
	    {"[a b]\n", NAME},
	    {"[.a]\n", NAME},
	    {"[a\n", SECTION},
	    {"[\n", SECTION},
	    {"[a] b\n", SECTION},
	    {"[a] # c\n", SECTION},
	    {"[default]\nb = c\n", RESERVED},
	    {"[ENV]\nb = c\n", RESERVED},
	    {"[Default]\n[env]\n", NULL},
	    {"[a]\n[a]\n", REPEATED},
	    {"[a]\n[b]\n[a]\n", REPEATED},
	    {"[a]\nb=1\nb=1\n", REPEATED},
	    {"b = c\n[a]\n", "conf-outside: house: a value stands before any section"},
	    {"[a]\nb = $c\n", VALUE},
	    {"[a]\nb = ${ENV::HOME}\n", VALUE},
	    {"[a]\nb = c\\\nd = e\n", VALUE},
	    {"[a]\nb = c\\n\n", VALUE},
	    {"[a]\nb = \"c\"\n", VALUE},
	    {"[a]\nb = it's\n", VALUE},
	    {"[a]\nb = `c`\n", VALUE},
	    {"[a]\nb = c # d\n", VALUE},
	    {"[a]\n# path C:\\\nb = c\n",
	        "conf-comment: config(5ssl): a backslash in a comment may join the next line to it"},
	    {"[a]\nb = c\r\n", "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"[a]\nb = c\td\n", "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"[a]\n# \xE2\x80\xAE comment\n", "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"[a]\nb = \xFF\n", "text-utf8: RFC 3629: the text is not UTF-8"},
	    {"[a]\n# \xC0\xAF\n", "text-utf8: RFC 3629: the text is not UTF-8"},
	    {"[a]\r\nb = c\n", SECTION},
	    {"\xEF\xBB\xBF[a]\n", LINE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *c OWNED(conf_drop) = NULL;
		slice in = txt(rows[i].in);

		expect_text(rows[i].in, conf_get(in, &c), rows[i].expect);
		if (rows[i].expect != NULL)
			assert_null(c);
		else
			expect_openssl_agrees(rows[i].in, in, c);
	}
	{
		struct conf *c = NULL;

		expect_err("NUL", conf_get(LIT("[a]\nb = c\0d\n"), &c), ERR_INPUT,
		    "text-hidden: house: a character that is not shown, or not as it is read");
		expect_err("NUL in a name", conf_get(LIT("[a]\nb\0 = c\n"), &c), ERR_INPUT, NAME);
	}
}

static void
test_values(void **state)
{
	static const char file[] = "# first\n"
	                           "[one]\n"
	                           "text =  some words \n"
	                           "empty =\n"
	                           "number = 42\n"
	                           "on = yes\n"
	                           "off = no\n"
	                           "maybe = Yes\n"
	                           "[two]\n"
	                           "text = others\n"
	                           "[three]\n";
	static const char *const known[] = {"text", "empty", "number", "on", "off", "maybe", NULL};
	static const char *const fewer[] = {"text", "empty", "number", "on", "off", NULL};
	static const char *const none[] = {NULL};
	struct conf *c OWNED(conf_drop) = NULL;
	uint64_t v = 0;
	bool b = false;
	slice s;

	(void)state;
	expect_ok("file", conf_get(slice_str(file), &c));
	expect_both("text", c, slice_str(file), "one", "text", "some words");
	expect_both("empty", c, slice_str(file), "one", "empty", "");
	expect_both("text", c, slice_str(file), "two", "text", "others");
	expect_both("absent", c, slice_str(file), "two", "number", NULL);
	expect_both("absent", c, slice_str(file), "three", "text", NULL);
	expect_both("no section", c, slice_str(file), "four", "text", NULL);
	expect_same("or", conf_text_or(c, LIT("two"), "text", LIT("x")), LIT("others"));
	expect_same("or", conf_text_or(c, LIT("two"), "number", LIT("x")), LIT("x"));
	assert_true(conf_has_section(c, LIT("three")));
	assert_false(conf_has_section(c, LIT("four")));
	assert_false(conf_has_section(c, LIT("on")));
	expect_same("section", conf_section(c, 0), LIT("one"));
	expect_same("section", conf_section(c, 2), LIT("three"));
	assert_int_equal(conf_section(c, 3).n, 0);
	assert_int_equal(conf_section(c, SIZE_MAX).n, 0);

	expect_ok("number at max", conf_number(c, LIT("one"), "number", 42, &v));
	expect_number("number at max", v, 42);
	expect_err("number at max+1", conf_number(c, LIT("one"), "number", 41, &v), ERR_INPUT,
	    "number: house: not a plain decimal number within its limit");
	expect_err("no number", conf_number(c, LIT("one"), "text", 41, &v), ERR_INPUT,
	    "number: house: not a plain decimal number within its limit");
	expect_ok("a number, or another", conf_number_or(c, LIT("one"), "number", 42, 7, &v));
	expect_number("… it stands", v, 42);
	expect_ok("none, so another", conf_number_or(c, LIT("two"), "number", 41, 7, &v));
	expect_number("… the other", v, 7);
	expect_err("no number is not none", conf_number_or(c, LIT("one"), "text", 41, 7, &v), ERR_INPUT,
	    "number: house: not a plain decimal number within its limit");
	expect_err("nor is one too large", conf_number_or(c, LIT("one"), "number", 41, 7, &v), ERR_INPUT,
	    "number: house: not a plain decimal number within its limit");
	expect_err("absent number", conf_number(c, LIT("two"), "number", 41, &v), ERR_INPUT, ABSENT);
	expect_ok("yes", conf_flag(c, LIT("one"), "on", &b));
	assert_true(b);
	expect_ok("no", conf_flag(c, LIT("one"), "off", &b));
	assert_false(b);
	expect_err("Yes", conf_flag(c, LIT("one"), "maybe", &b), ERR_INPUT, "conf-flag: house: a flag is yes or no");
	expect_err("empty", conf_flag(c, LIT("one"), "empty", &b), ERR_INPUT, "conf-flag: house: a flag is yes or no");
	expect_err("absent flag", conf_flag(c, LIT("two"), "on", &b), ERR_INPUT, ABSENT);

	expect_ok("known", conf_check_known(c, LIT("one"), known));
	expect_ok("known", conf_check_known(c, LIT("two"), known));
	expect_ok("nothing there", conf_check_known(c, LIT("three"), none));
	expect_err("unknown", conf_check_known(c, LIT("one"), fewer), ERR_INPUT,
	    "conf-unknown: house: a configuration file has a name its reader does not know");
	expect_err("none known", conf_check_known(c, LIT("two"), none), ERR_INPUT,
	    "conf-unknown: house: a configuration file has a name its reader does not know");
	expect_err("absent", conf_text(c, (slice){NULL, 0}, "text", &s), ERR_INPUT, ABSENT);
}

static slice
many(const char *first, const char *form, size_t n)
{
	struct buf b = BUF(1 << 20);
	char line[64];
	slice s;

	buf_put_str(&b, first);
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof line, form, i);
		buf_put_str(&b, line);
	}
	s = copy(buf_slice(&b));
	buf_drop(&b);
	return s;
}

static slice
value_of(size_t n)
{
	return join(join(LIT("[a]\nb = "), bytes(n, 'x')), LIT("\n"));
}

static void
test_limits(void **state)
{
	const struct {
		const char *name;
		slice in;
		const char *expect;
	} rows[] = {
	    {"values at max", many("[a]\n", "n%zu = v\n", CONF_LINES_MAX), NULL},
	    {"values at max+1", many("[a]\n", "n%zu = v\n", CONF_LINES_MAX + 1), LONG},
	    {"sections at max", many("", "[n%zu]\n", CONF_LINES_MAX), NULL},
	    {"sections at max+1", many("", "[n%zu]\n", CONF_LINES_MAX + 1), LONG},
	    {"value at max", value_of(CONF_VALUE_MAX), NULL},
	    {"value at max+1", value_of(CONF_VALUE_MAX + 1), "conf-value-long: house: a value is longer than any we read"},
	    {"file at max", bytes(CONF_MAX, '\n'), NULL},
	    {"file at max+1", bytes(CONF_MAX + 1, '\n'), LONG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *c OWNED(conf_drop) = NULL;

		expect_text(rows[i].name, conf_get(rows[i].in, &c), rows[i].expect);
		if (c != NULL)
			expect_openssl_agrees(rows[i].name, rows[i].in, c);
	}
}

static void
test_sets(void **state)
{
	static const struct conf_word known[] = {{"one", 1}, {"two", 2}, {"four", 4}};
	static const struct {
		const char *words;
		unsigned set; /* 0: refused */
	} rows[] = {{"one", 1}, {"four one", 5}, {"two one four", 7}, {"", 0}, {"three", 0}, {"one one", 0},
	    {"one  two", 0}, {" one", 0}, {"one ", 0}, {"on", 0}, {"ONE", 0}, {"one,two", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned set = 0;

		expect_number(
		    rows[i].words, conf_set_get(slice_str(rows[i].words), known, COUNT(known), &set), rows[i].set != 0);
		expect_number(rows[i].words, set, rows[i].set);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
