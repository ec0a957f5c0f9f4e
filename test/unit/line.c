/* A book's line and its openings: one form, canonical bytes, personal fields as commitments: act/line.  Design 5. */
#include "test/unit/test.h"

#include "act/line.h"

#define FORM "line-form: design 5: the line is not written as the books write theirs"
#define BODY "line-body: design 5: the line's body is not written as the books write theirs"
#define LONG "line-long: house: the line is longer than any a book has"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char GOOD[] =
    "{\"n\":7,\"at\":\"2026-11-22T01:02:03.004Z\",\"act\":\"application.received\","
    "\"about\":\"000102030405060708090a0b0c0d0e0f\",\"by\":{\"kind\":\"applicant\",\"id\":\"\"},\"under\":\"" HEX64
    "\",\"rule\":[\"B-2\",\"B-3.2イ\"],\"evidence\":[\"" HEX64
    "\"],\"body\":{\"a\":\"x\\\"\\\\\\n\\u0001y\",\"b\":0,\"c\":[true,false,{\"d\":[]}],\"e\":{}}}";

/* GOOD with one piece replaced. */
static slice
with(const char *from, const char *to)
{
	const char *at = strstr(GOOD, from);

	assert_non_null(at);
	return join(join(slice_of(GOOD, (size_t)(at - GOOD)), slice_str(to)), slice_str(at + strlen(from)));
}

static void
test_read(void **state)
{
	struct buf again OWNED(buf_drop) = BUF(LINE_MAX);
	struct json *body OWNED(json_drop) = NULL;
	struct line l;
	slice text;
	(void)state;

	expect_ok("good", line_get(txt(GOOD), &l));
	expect_number("n", l.n, 7);
	expect_true("act", l.act == ACT_APPLICATION_RECEIVED && l.about == ABOUT_DOSSIER && l.by == BY_APPLICANT);
	expect_number("dossier", l.dossier.b[15], 15);
	expect_same("rule", l.rule[1], txt("B-3.2イ"));
	expect_number("evidence", l.evidence[0].b[1], 0x11);
	expect_ok("body", line_body(&l, &body));
	expect_ok("member", json_text(json_root(body), "a", &text));
	expect_same("unescaped", text, txt("x\"\\\n\x01y"));
	line_put(&again, &l);
	expect_same("put writes back what get accepts", buf_slice(&again), txt(GOOD));
}

static void
test_about(void **state)
{
	static const struct {
		const char *about;
		enum about kind;
		const char *refusal;
	} rows[] = {
	    {"", ABOUT_HOUSE, NULL},
	    {"000102030405060708090a0b0c0d0e0f", ABOUT_DOSSIER, NULL},
	    {"000102030405060708090a0b0c0d0e0f10111213:4001", ABOUT_CERTIFICATE, NULL},
	    {"000102030405060708090a0b0c0d0e0f10111213:000102030405060708090a0b0c0d0e0f10111213", ABOUT_CERTIFICATE, NULL},
	    {"000102030405060708090a0b0c0d0e0f10111213:000102030405060708090a0b0c0d0e0f1011121314", 0, FORM},
	    {"000102030405060708090a0b0c0d0e0f10111213:", 0, FORM},
	    {"000102030405060708090a0b0c0d0e0f10111213:400", 0, FORM},
	    {"0001:40", 0, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"000102030405060708090A0b0c0d0e0f", 0, "hex-digit: house: a hexadecimal value has another character in it"},
	    {"00", 0, FORM},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		slice s = with("000102030405060708090a0b0c0d0e0f", rows[i].about);
		struct buf again OWNED(buf_drop) = BUF(LINE_MAX);
		struct line l;
		err e = line_get(s, &l);

		expect_text(rows[i].about, e, rows[i].refusal);
		if (e.kind != OK)
			continue;
		expect_true("kind", l.about == rows[i].kind);
		line_put(&again, &l);
		expect_same("back", buf_slice(&again), s);
	}
}

/* The same facts in other bytes would be another leaf: refused. */
static void
test_refused(void **state)
{
	static const struct {
		const char *from, *to, *refusal;
	} rows[] = {
	    {"{\"n\":7,", "{ \"n\":7,", FORM},
	    {"{\"n\":7,", "{\"n\":07,", FORM},
	    {"{\"n\":7,", "{\"n\":-7,", FORM},
	    {"{\"n\":7,", "{\"n\":9223372036854775808,", FORM},
	    {"{\"n\":7,", "{\"m\":7,", FORM},
	    {"03.004Z", "03Z", "time-form: RFC 3339: a time is written 2026-11-22T01:02:03.004Z"},
	    {"11-22", "02-30", "time: RFC 3339: not a date and time that exists"},
	    {"\"act\":", "\"Act\":", FORM},
	    {"application.received", "application.invented",
	        "line-act: Rule 12(1): the line names an act this book does not know"},
	    {"\"kind\":\"applicant\"", "\"kind\":\"somebody\"",
	        "line-by: house: the line names an actor this book does not know"},
	    {"\"id\":\"\"", "\"id\":\"a\\\"", FORM},
	    {"\"id\":\"\"", "\"id\":\"\x1F\"", FORM},
	    {"\"id\":\"\"", "\"id\":\"0123456789012345678901234567890123456789012345678901234567890123x\"", FORM},
	    {"\"id\":\"\"", "\"id\":\"\",\"x\":\"\"", FORM},
	    {"B-2", "B-2-is-longer-than-any-id-", FORM},
	    {"\"B-2\",", "\"B-2\",,", FORM},
	    {"\"B-2\",", "\"B-2\", ", FORM},
	    {"[\"B-2\"",
	        "[\"B-2\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\"",
	        "line-many: house: the line names more rules or evidence than a line may"},
	    {"\"evidence\":[\"0", "\"evidence\":[\"", "hex-length: house: a hexadecimal value has the wrong length"},
	    {"],\"body\"", "],\"extra\":1,\"body\"", FORM},
	    {"],\"body\"", "] ,\"body\"", FORM},
	    {"\"b\":0", "\"b\":null", BODY},
	    {"\"b\":0", "\"b\":00", BODY},
	    {"\"b\":0", "\"b\":-1", BODY},
	    {"\"b\":0", "\"b\":1.5", BODY},
	    {"\"b\":0", "\"b\":9223372036854775808", BODY},
	    {"\"b\":0", "\"b\": 0", BODY},
	    {"\"b\":0", "\"a\":0", "json: RFC 8259: not one well-formed JSON object or array"},
	    {"\"b\":0", "\"b\":\"\xFF\"", "json: RFC 8259: not one well-formed JSON object or array"},
	    {"\\u0001", "\\u000a", BODY},
	    {"\\u0001", "\\u0000", BODY},
	    {"\\u0001", "\\u0041", BODY},
	    {"\\u0001", "\\u001F", BODY},
	    {"\\u0001", "\\t", BODY},
	    {"\\u0001", "\\/", BODY},
	    {"\\u0001", "\t", BODY},
	    {"{\"d\":[]}", "{\"d\":[[]]}", BODY},
	    {"\"e\":{}", "\"e\":{\"f\":}", BODY},
	    {"\"e\":{}", "\"e\":[1,]", BODY},
	    {"\"e\":{}}}", "\"e\":{}}", BODY},
	    {"\"e\":{}}}", "\"e\":{}}} ", BODY},
	    {"\"e\":{}}}", "\"e\":{}}},", BODY},
	    {"\"body\":{", "\"body\":[", BODY},
	};
	struct line l;
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_err(row_name(rows[i].to, i), line_get(with(rows[i].from, rows[i].to), &l), ERR_INPUT, rows[i].refusal);
	for (size_t n = 0; n < sizeof GOOD - 1; n++)
		expect_true("every byte is needed", line_get(copy(slice_of(GOOD, n)), &l).kind == ERR_INPUT);
}

/* Limits at most and one more. */
static void
test_limits(void **state)
{
	static const struct {
		size_t body;
		const char *refusal;
	} rows[] = {{LINE_BODY_MAX, NULL}, {LINE_BODY_MAX + 1, LONG}, {LINE_MAX, LONG}};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(2 * LINE_MAX);
		struct line l;

		buf_put_str(&b, "\"body\":{\"p\":\"");
		memset(buf_space(&b, rows[i].body - 8), 'p', rows[i].body - 8);
		buf_put_str(&b, "\"}}");
		buf_put_u8(&b, 0);
		expect_text(
		    row_name("body", i), line_get(with(strstr(GOOD, "\"body\""), (const char *)b.p), &l), rows[i].refusal);
	}
}

static void
test_every_act(void **state)
{
	(void)state;
	for (enum act a = 1; a < ACT_COUNT; a++) {
		enum act back = 0;

		expect_ok(act_name(a), act_get(slice_str(act_name(a)), &back));
		expect_true(act_name(a), a == back && strlen(act_class(a)) > 0);
	}
	for (enum by k = 1; k < BY_COUNT; k++) {
		char kind[64];
		struct line l;

		snprintf(kind, sizeof kind, "\"kind\":\"%s\"", by_name(k));
		expect_ok(kind, line_get(with("\"kind\":\"applicant\"", kind), &l));
		expect_true(kind, l.by == k);
	}
}

/* Law 7: what a line says of a person can be opened field by field, and guessed by nobody. */
static void
test_personal(void **state)
{
	static const uint8_t salt[SALT_LEN] = {1, 2, 3};
	struct buf body OWNED(buf_drop) = BUF(LINE_BODY_MAX), opening OWNED(buf_drop) = BUF(OPENING_MAX);
	struct buf again OWNED(buf_drop) = BUF(OPENING_MAX);
	struct json *doc OWNED(json_drop) = NULL;
	struct opening o OWNED(opening_drop) = {0};
	slice field;
	void *iter = NULL;
	digest d;
	(void)state;

	json_open(&body, '{');
	json_put_named(&body, "profile", LIT("person-signature"));
	line_put_personal(&body, &opening, 9, "name", LIT("髙橋 \"花子\"\n"), salt);
	json_close(&body, '}');
	expect_ok("opening", opening_get(buf_slice(&opening), &o));
	expect_number("n", o.n, 9);
	expect_same("value", o.value, txt("髙橋 \"花子\"\n"));
	opening_put(&again, o.n, o.field, o.salt, o.value);
	expect_same("put writes back what get accepts", buf_slice(&again), buf_slice(&opening));
	expect_ok("body", json_get(buf_slice(&body), &doc));
	expect_true("one", line_next_personal(doc, &iter, &field, &d));
	expect_same("field", field, txt("name"));
	expect_true("opens", digest_eq(d, commitment_of(o.salt, o.value)));
	expect_true("no other", !line_next_personal(doc, &iter, &field, &d));
	expect_true("form", !commitment_get(LIT("c:00"), &d) && !commitment_get(LIT("d:" HEX64), &d) &&
	                        !commitment_get(LIT(""), &d) && commitment_get(LIT("c:" HEX64), &d));
	/* SHA-256 of 16 bytes and the value, as an outsider computes it */
	d = commitment_of(salt, LIT("x"));
	{
		digest want = sha256(join(ARR(salt), LIT("x")));

		expect_same("salt and value", digest_slice(&d), digest_slice(&want));
	}
}

static void
test_opening_refused(void **state)
{
	static const char good[] =
	    "{\"n\":9,\"field\":\"name\",\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"value\":\"v\"}";
	static const char refusal[] = "opening-form: design 5: the opening is not written as the books write theirs";
	static const struct {
		const char *from, *to;
	} rows[] = {
	    {"\"n\":9", "\"n\":09"},
	    {"name", ""},
	    {"name", "na\\u006de"},
	    {"name", "a-field-of-more-than-32-characters"},
	    {"0001", "00"},
	    {"0a0b", "0A0b"},
	    {"\"v\"", "1"},
	    {"\"v\"", "\"\\t\""},
	    {"\"v\"", "\"v\",\"w\":1"},
	    {"}", "}\n"},
	    {",\"salt\"", ", \"salt\""},
	};
	struct opening o OWNED(opening_drop) = {0};
	struct buf b OWNED(buf_drop) = BUF(2 * OPENING_MAX);
	(void)state;

	expect_ok("good", opening_get(txt(good), &o));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = strstr(good, rows[i].from);
		slice s = join(
		    join(slice_of(good, (size_t)(at - good)), slice_str(rows[i].to)), slice_str(at + strlen(rows[i].from)));
		struct opening x;

		expect_err(rows[i].to, opening_get(s, &x), ERR_INPUT, refusal);
	}
	buf_put(&b, slice_of(good, sizeof good - 3));
	memset(buf_space(&b, OPENING_MAX), 'v', OPENING_MAX);
	buf_put_str(&b, "\"}");
	{
		struct opening x;

		expect_err("long", opening_get(buf_slice(&b), &x), ERR_INPUT,
		    "opening-long: house: the opening is longer than any a book has");
		expect_err("UTF-8",
		    opening_get(
		        txt("{\"n\":9,\"field\":\"a\",\"salt\":\"000102030405060708090a0b0c0d0e0f\",\"value\":\"\xFF\"}"), &x),
		    ERR_INPUT, "json: RFC 8259: not one well-formed JSON object or array");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_about),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_every_act),
	    cmocka_unit_test(test_personal),
	    cmocka_unit_test(test_opening_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
