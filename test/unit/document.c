/* The house's documents: what is shown is what is parsed (B-2, B-3.2イ). */
#include <setjmp.h>
#include <stdarg.h>

#include "act/document.h"

#include <cmocka.h>

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TIME "2026-11-22T01:02:03.004Z"

static const char *const values[FORM_COUNT][DOCUMENT_LINES_MAX] = {
    [FORM_APPLICATION] = {"Inkan Demonstration CA", "person-signature", TIME, "山田　太郎",
        "椿県若葉市中央一丁目２番３号", "1980-01-15", "male", "taro@example.jp", "5", HEX64, HEX64, "ja", TIME, TIME,
        "file", "-", APPLICATION_CONSENT, "nonce-1"},
    [FORM_RECEIPT] = {"Inkan Demonstration CA", "00112233445566778899aabbccddeeff", "4a5b", HEX64, TIME,
        RECEIPT_SENTENCE},
    [FORM_REVOCATION] = {"Inkan Demonstration CA", "4a5b", "keyCompromise", TIME, REVOCATION_SENTENCE},
    [FORM_OFFICE_REVOCATION] = {"Inkan Demonstration CA", "4a5b", "superseded", TIME, "telephone", "hanako", TIME},
    [FORM_DECISION] = {"Inkan Demonstration CA", "00112233445566778899aabbccddeeff", HEX64, "accept", "𠮷田　花子",
        "椿県若葉市緑町４番地５", "register shown", "hanako", TIME},
    [FORM_APPROVAL] = {"Inkan Demonstration CA", HEX64, "12", TIME, TIME, "hanako", TIME},
    [FORM_AUTOMATION] = {"Inkan Demonstration CA", "stop", "drill", "hanako", TIME},
    [FORM_PERMISSION] = {"Inkan Demonstration CA", "7", "granted", "jiro", HEX64, "officer", TIME, TIME, "hanako",
        TIME},
    [FORM_BASELINE] = {"Inkan Demonstration CA", "NONE", HEX64, HEX64, HEX64, HEX64, HEX64 " " HEX64, "-", "hanako",
        TIME},
    [FORM_KEEP] = {"Inkan Demonstration CA", "4a5b", HEX64, "telephone", "saburo", TIME},
    [FORM_EXTENSION] = {"Inkan Demonstration CA", "00112233445566778899aabbccddeeff", TIME, "telephone", "jiro", TIME},
    [FORM_LETTER] = {"Inkan Demonstration CA", "00112233445566778899aabbccddeeff", "reminder", TIME, "registered mail",
        "jiro", TIME},
    [FORM_NOTE] = {"Inkan Demonstration CA", "network", TIME, "a port was open", "jiro", TIME},
    [FORM_WITHDRAWAL] = {"Inkan Demonstration CA", "00112233445566778899aabbccddeeff", HEX64, TIME,
        WITHDRAWAL_SENTENCE},
    [FORM_KEYS] = {"Inkan Demonstration CA", HEX64 " " HEX64, "p256", "SoftHSM", "hanako jiro", "together", "hanako",
        TIME},
};

static void
put(struct buf *b, enum form f, size_t line, const char *instead)
{
	slice v[DOCUMENT_LINES_MAX];
	uint8_t der[50];

	memset(der, 0x5A, sizeof der);
	for (size_t i = 0; i < form_lines(f); i++)
		v[i] = slice_str(i == line ? instead : values[f][i]);
	assert_int_equal(OK, document_put(b, f, v, form_lines(f), f == FORM_APPLICATION ? ARR(der) : LIT("")).kind);
}

static void
every_form_reads_what_it_writes(void **state)
{
	(void)state;
	for (int i = 1; i < FORM_COUNT; i++) {
		enum form f = (enum form)i;
		struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX), again OWNED(buf_drop) = BUF(DOCUMENT_MAX),
		             der OWNED(buf_drop) = BUF(DOCUMENT_MAX);
		struct document d;

		put(&b, f, DOCUMENT_LINES_MAX, NULL);
		assert_int_equal(OK, document_get_form(buf_slice(&b), f, &d).kind);
		assert_int_equal(form_lines(f), d.n);
		for (size_t k = 0; k < d.n; k++)
			assert_true(slice_eq(d.value[k], slice_str(values[f][k])));
		if (f == FORM_APPLICATION) {
			assert_int_equal(OK, document_block(&d, &der).kind);
			assert_int_equal(50, der.n);
		}
		assert_int_equal(OK, document_put(&again, f, d.value, d.n, buf_slice(&der)).kind);
		assert_true(slice_eq(buf_slice(&b), buf_slice(&again)));
	}
}

/* V-2 of before there was the line, and of who does not know: read on, and written without it. */
static void
a_line_is_left_out(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX), again OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	const char *label = form_label(FORM_OFFICE_REVOCATION, W_SINCE);
	struct document d;

	(void)state;
	put(&again, FORM_OFFICE_REVOCATION, DOCUMENT_LINES_MAX, NULL);
	assert_non_null(memmem(again.p, again.n, label, strlen(label)));
	buf_clear(&again);
	put(&b, FORM_OFFICE_REVOCATION, W_SINCE, "");
	assert_null(memmem(b.p, b.n, label, strlen(label)));
	assert_int_equal(OK, document_get_form(buf_slice(&b), FORM_OFFICE_REVOCATION, &d).kind);
	assert_int_equal(W_COUNT, d.n);
	assert_int_equal(0, d.value[W_SINCE].n);
	assert_true(slice_eq(d.value[W_GROUNDS], slice_str(values[FORM_OFFICE_REVOCATION][W_GROUNDS])));
	assert_int_equal(OK, document_put(&again, FORM_OFFICE_REVOCATION, d.value, d.n, LIT("")).kind);
	assert_true(slice_eq(buf_slice(&b), buf_slice(&again)));
}

static void
forms_are_named(void **state)
{
	(void)state;
	assert_string_equal("A-1", form_number(FORM_APPLICATION));
	assert_string_equal("電子証明書受領書 / Receipt of a certificate (R-1, version 1)", form_title(FORM_RECEIPT));
	assert_string_equal("氏名 / Name", form_label(FORM_APPLICATION, A_NAME));
	assert_string_equal("birth", form_field(FORM_APPLICATION, A_BIRTH));
	for (int f = 1; f < FORM_COUNT; f++)
		for (size_t i = 0; i < form_lines((enum form)f); i++)
			for (size_t k = 0; k < i; k++) /* names of lines are members of one JSON object */
				assert_string_not_equal(form_field((enum form)f, i), form_field((enum form)f, k));
}

/* Law 7: no personal data in lines. */
static void
personal_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < A_COUNT; i++)
		assert_int_equal(i == A_NAME || i == A_ADDRESS || i == A_BIRTH || i == A_SEX || i == A_CONTACT || i == A_HELPED,
		    form_is_personal(FORM_APPLICATION, i));
	assert_true(form_is_personal(FORM_DECISION, D_NAME));
	assert_true(form_is_personal(FORM_DECISION, D_ADDRESS));
	assert_true(form_is_personal(FORM_DECISION, D_REASON));
	assert_true(form_is_personal(FORM_OFFICE_REVOCATION, W_GROUNDS));
	assert_false(form_is_personal(FORM_DECISION, D_OFFICER));
	assert_true(form_is_personal(FORM_KEEP, KEEP_GROUNDS));
	assert_true(form_is_personal(FORM_EXTENSION, X_REASON));
	assert_true(form_is_personal(FORM_LETTER, L_HOW));
	assert_true(form_is_personal(FORM_NOTE, N_TEXT));
}

#define V "document-value: house: a value is empty, too long, or begins or ends with a blank"
#define F "document-value-form: house: a value is not written as its line asks for"
#define HIDDEN "text-hidden: house: a character that is not shown, or not as it is read"
#define S "document-sentence: Rule 6(ii): the sentence of the form was changed"

static void
values_are_refused(void **state)
{
	static char long_value[DOCUMENT_VALUE_MAX + 2];
	const struct {
		enum form form;
		size_t line;
		const char *value, *what;
	} rows[] = {
	    {FORM_APPLICATION, A_NAME, "", V},
	    {FORM_APPLICATION, A_NAME, " 山田", V},
	    {FORM_APPLICATION, A_NAME, "山田　", V},
	    {FORM_APPLICATION, A_NAME, "山田\xC2\xA0", V},
	    {FORM_APPLICATION, A_NAME, long_value, V},
	    {FORM_APPLICATION, A_NAME, "山\xE2\x80\x8B田", HIDDEN}, /* zero width space */
	    {FORM_APPLICATION, A_NAME, "山\xE2\x80\xAE田", HIDDEN}, /* right-to-left override */
	    {FORM_APPLICATION, A_NAME, "山田\r", HIDDEN},
	    {FORM_APPLICATION, A_NAME, "\xEF\xBB\xBF山田", HIDDEN},  /* byte order mark */
	    {FORM_APPLICATION, A_NAME, "\xEE\x80\x80", HIDDEN},      /* private use */
	    {FORM_APPLICATION, A_NAME, "a\xF3\xA0\x84\x80", HIDDEN}, /* variation selector after a letter */
	    {FORM_APPLICATION, A_NAME, "\xC0\xAF", "text-utf8: RFC 3629: the text is not UTF-8"},
	    {FORM_APPLICATION, A_DATE, "2026-11-22T01:02:03Z", F},
	    {FORM_APPLICATION, A_SEX, "Male", F},
	    {FORM_LETTER, L_ABOUT, "postcard", F},
	    {FORM_NOTE, N_KIND, "fire", F},
	    {FORM_KEYS, M_HOW, "two", F},
	    {FORM_EXTENSION, X_UNTIL, "tomorrow", F},
	    {FORM_APPLICATION, A_SEX, "male|female", F},
	    {FORM_APPLICATION, A_VALIDITY, "6", F}, /* B-4 */
	    {FORM_APPLICATION, A_VALIDITY, "0", F},
	    {FORM_APPLICATION, A_TERMS, "00", F},
	    {FORM_APPLICATION, A_TERMS, "G0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", F},
	    {FORM_APPLICATION, A_LANGUAGE, "fr", F},
	    {FORM_APPLICATION, A_CONSENT, "はい", S},
	    {FORM_RECEIPT, R_SENTENCE, APPLICATION_CONSENT, S},
	    {FORM_REVOCATION, V_SENTENCE, "-", S},
	    {FORM_RECEIPT, R_DOSSIER, "0011", F},
	    {FORM_RECEIPT, R_SERIAL, "004a", F},
	    {FORM_RECEIPT, R_SERIAL, "4A", F},
	    {FORM_RECEIPT, R_SERIAL, "4a5", F},
	    {FORM_RECEIPT, R_SERIAL, "400102030405060708090a0b0c0d0e0f1011121314", F},
	    {FORM_REVOCATION, V_REASON, "because", F},
	    {FORM_OFFICE_REVOCATION, W_SINCE, "-", F},
	    {FORM_OFFICE_REVOCATION, W_SINCE, "2026-11-22", F},
	    {FORM_DECISION, D_DECISION, "review", F},
	    {FORM_APPROVAL, P_VERSION, "01", F},
	    {FORM_APPROVAL, P_UNTIL, "2026-11-22", F},
	    {FORM_AUTOMATION, S_ACTION, "pause", F},
	    {FORM_PERMISSION, G_STATE, "-", F},
	    {FORM_BASELINE, B_STATE, "none", F},
	    {FORM_BASELINE, B_TERMS, HEX64 "  " HEX64, F},
	    {FORM_BASELINE, B_TERMS, HEX64 "," HEX64, F},
	};

	(void)state;
	memset(long_value, 'a', DOCUMENT_VALUE_MAX + 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice v[DOCUMENT_LINES_MAX];
		struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX);
		uint8_t der[] = {1};
		err e;

		for (size_t k = 0; k < form_lines(rows[i].form); k++)
			v[k] = slice_str(k == rows[i].line ? rows[i].value : values[rows[i].form][k]);
		e = document_put(
		    &b, rows[i].form, v, form_lines(rows[i].form), rows[i].form == FORM_APPLICATION ? ARR(der) : LIT(""));
		assert_int_equal(ERR_INPUT, e.kind);
		assert_string_equal(rows[i].what, e.what);
		assert_int_equal(0, b.n);
	}
}

/* A name of the register: an ideograph with its variation selector, the longest address, a value of the full length. */
static void
values_are_accepted(void **state)
{
	static char address[601], longest[DOCUMENT_VALUE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(address + 3 * i, "町", 3);
	memset(longest, 'a', DOCUMENT_VALUE_MAX);
	const char *const v[] = {"葛\xF3\xA0\x84\x80飾　次郎", "a b", "𠮷田　花子", address, longest};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX);
		struct document d;

		put(&b, FORM_APPLICATION, A_NAME, v[i]);
		assert_int_equal(OK, document_get(buf_slice(&b), &d).kind);
		assert_true(slice_eq(d.value[A_NAME], slice_str(v[i])));
	}
}

/* Replaces the first `from` by `to` in a good application. */
static void
edit(const char *from, const char *to, struct buf *out)
{
	struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	const char *p;
	size_t at;

	put(&b, FORM_APPLICATION, DOCUMENT_LINES_MAX, NULL);
	p = memmem(b.p, b.n, from, strlen(from));
	assert_non_null(p);
	at = (size_t)((const uint8_t *)p - b.p);
	buf_put(out, slice_of(b.p, at));
	buf_put_str(out, to);
	buf_put(out, slice_of(b.p + at + strlen(from), b.n - at - strlen(from)));
}

#define L "document-line: house: a line is not the one that stands here in the form"
#define B "document-block: RFC 7468: the request's block is missing or not in its one form"
#define T "document-title: house: the first line is no title of a form of this house"
#define SIXTY4 "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa"
#define REST "Wlo=\n"
#define END "-----END CERTIFICATE REQUEST-----\n"

static void
texts_are_refused(void **state)
{
	static const struct {
		const char *from, *to, *what;
	} rows[] = {
	    {"version 1", "version 2", T},
	    {"A-1", "Z-9", T},
	    {"氏名 / Name: ", "氏名 / Name:  ", V},
	    {"氏名 / Name: ", "氏名/Name: ", L},
	    {"氏名 / Name: ", "氏名 / Name:", L},
	    {"性別 / Sex: male\n", "", L},
	    {"性別 / Sex: male\n", "性別 / Sex: male\n性別 / Sex: male\n", L},
	    {"性別 / Sex: male\n", "色 / Colour: red\n性別 / Sex: male\n", L},
	    {"\n-----BEGIN", "-----BEGIN", B},
	    {"\n-----BEGIN", "\n\n-----BEGIN", B},
	    {"BEGIN CERTIFICATE REQUEST", "BEGIN CERTIFICATE", B},
	    {SIXTY4 "\n", SIXTY4, B},
	    {SIXTY4 "\n", "WlpaWlpa\n", B},
	    {SIXTY4 "\n" REST, SIXTY4 "Wlo=\n", B},
	    {SIXTY4 "\n" REST, "", B},
	    {REST, "Wlp=\n", B},
	    {REST, "Wlo=\n\n", B},
	    {REST END, REST, B},
	    {END, END "\n", "document-end: house: something stands after the end of the document"},
	    {END, END "x\n", "document-end: house: something stands after the end of the document"},
	    {END, END "x", "text-last-line: house: the last line of a text ends with a line break"},
	    {"\n", "\r\n", HIDDEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX);
		struct document d;
		err e;

		edit(rows[i].from, rows[i].to, &b);
		e = document_get(buf_slice(&b), &d);
		if (e.kind == OK || strcmp(e.what, rows[i].what) != 0)
			print_message("# row %zu: %s\n", i, e.kind == OK ? "accepted" : e.what);
		assert_int_equal(ERR_INPUT, e.kind);
		assert_string_equal(rows[i].what, e.what);
	}
}

static void
limits_and_forms(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(DOCUMENT_MAX), none OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	static uint8_t text[DOCUMENT_MAX + 1], der[DOCUMENT_MAX];
	slice v[DOCUMENT_LINES_MAX];
	struct document d;
	err e;

	(void)state;
	memset(text, 'a', sizeof text);
	text[DOCUMENT_MAX - 1] = '\n';
	assert_string_equal("document-long: house: a document is longer than 24 KiB", document_get(ARR(text), &d).what);
	assert_string_equal(T, document_get(slice_of(text, DOCUMENT_MAX), &d).what);
	for (size_t i = 0; i < A_COUNT; i++)
		v[i] = slice_str(values[FORM_APPLICATION][i]);
	e = document_put(&none, FORM_APPLICATION, v, A_COUNT, ARR(der));
	assert_string_equal("document-long: house: a document is longer than 24 KiB", e.what);
	put(&b, FORM_RECEIPT, DOCUMENT_LINES_MAX, NULL);
	e = document_get_form(buf_slice(&b), FORM_APPLICATION, &d);
	assert_int_equal(ERR_INPUT, e.kind);
	assert_string_equal("document-form: house: the document is of another form than was expected", e.what);
	assert_string_equal(
	    "text-last-line: house: the last line of a text ends with a line break", document_get(LIT(""), &d).what);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_reads_what_it_writes),
	    cmocka_unit_test(a_line_is_left_out),
	    cmocka_unit_test(forms_are_named),
	    cmocka_unit_test(personal_lines),
	    cmocka_unit_test(values_are_refused),
	    cmocka_unit_test(values_are_accepted),
	    cmocka_unit_test(texts_are_refused),
	    cmocka_unit_test(limits_and_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
