/* base/json: written by appending, read through jansson, which also reads what we write. */
#include "test/unit/test.h"

#include <jansson.h>

#include "base/json.h"

#define BAD "json: RFC 8259: not one well-formed JSON object or array"
#define ABSENT "json-absent: house: a JSON object lacks a name it must have"
#define TYPE "json-type: house: a JSON value is of another type than it must be"

static void
test_put(void **state)
{
	static const uint8_t raw[] = {0x00, 0xAB, 0xFF};
	struct buf b OWNED(buf_drop) = BUF(1000);

	(void)state;
	json_open(&b, '{');
	json_put_named(&b, "text", LIT("a \"b\" \\ \n \x01 \x1F \x7F / 日本"));
	json_put_named_number(&b, "zero", 0);
	json_put_named_number(&b, "most", INT64_MAX);
	json_put_named_hex(&b, "hex", ARR(raw));
	json_put_named_hex(&b, "no hex", (slice){NULL, 0});
	json_put_name(&b, "yes");
	json_put_bool(&b, true);
	json_put_name(&b, "no");
	json_put_bool(&b, false);
	json_put_name(&b, "list");
	json_open(&b, '[');
	json_put_number(&b, 1);
	json_put_text(&b, LIT(""));
	json_open(&b, '[');
	json_close(&b, ']');
	json_open(&b, '{');
	json_close(&b, '}');
	json_put_text(&b, LIT("["));
	json_put_text(&b, LIT("{:,"));
	json_put_raw(&b, LIT("{\"x\":1}"));
	json_close(&b, ']');
	json_put_name(&b, "object");
	json_open(&b, '{');
	json_put_named(&b, "a", LIT("1"));
	json_put_named(&b, "b", LIT("2"));
	json_close(&b, '}');
	json_put_named(&b, "last", LIT("x"));
	json_close(&b, '}');
	expect_same("object", buf_slice(&b),
	    LIT("{\"text\":\"a \\\"b\\\" \\\\ \\n \\u0001 \\u001f \x7F / 日本\",\"zero\":0,\"most\":9223372036854775807,"
	        "\"hex\":\"00abff\",\"no "
	        "hex\":\"\",\"yes\":true,\"no\":false,\"list\":[1,\"\",[],{},\"[\",\"{:,\",{\"x\":1}],"
	        "\"object\":{\"a\":\"1\",\"b\":\"2\"},\"last\":\"x\"}"));

	buf_clear(&b);
	json_open(&b, '[');
	json_put_raw(&b, LIT("1"));
	json_put_bool(&b, true);
	json_close(&b, ']');
	buf_put_u8(&b, '\n'); /* lines: the next object gets no comma */
	json_open(&b, '{');
	json_close(&b, '}');
	expect_same("lines", buf_slice(&b), LIT("[1,true]\n{}"));

	b.max = b.n;
	json_open(&b, '{');
	expect_err("limit", buf_check(&b), ERR_INPUT, "buf-limit: house: more bytes than this object may have");
}

/* Every code point, and every pair of bytes that matter to a writer, comes back through jansson. */
static void
test_jansson_reads(void **state)
{
	static const char odd[] = "\"\\/\b\f\n\r\t\x01\x1F {}[]:,u0a";

	(void)state;
	for (size_t i = 0; i < sizeof odd - 1; i++) {
		for (size_t k = 0; k < sizeof odd - 1; k++) {
			struct buf b OWNED(buf_drop) = BUF(100);
			const char text[3] = {odd[i], odd[k], 0};
			const char *back, *name;
			json_t *j, *list;

			json_open(&b, '{');
			json_put_name(&b, text);
			json_open(&b, '[');
			json_put_text(&b, slice_str(text));
			json_put_text(&b, slice_of(text, 1));
			json_close(&b, ']');
			json_close(&b, '}');
			j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
			if (j == NULL)
				fail_msg("jansson refuses %02x %02x", (unsigned)text[0], (unsigned)text[1]);
			name = json_object_iter_key(json_object_iter(j));
			assert_string_equal(name, text);
			list = json_object_get(j, name);
			assert_int_equal(json_array_size(list), 2);
			back = json_string_value(json_array_get(list, 0));
			assert_string_equal(back, text);
			assert_int_equal(json_string_length(json_array_get(list, 1)), 1);
			json_decref(j);
		}
	}
}

static void
test_get(void **state)
{
	static const struct {
		const char *in, *expect;
	} rows[] = {
	    {"{}", NULL},
	    {"[]", NULL},
	    {" { \"a\" : 1 } \n", NULL},
	    {"{\"a\":1,\"b\":[null,true,1.5,-1,\"\\u65e5\"]}", NULL},
	    {"[9223372036854775807]", NULL},
	    {"", BAD},
	    {"1", BAD},
	    {"\"a\"", BAD},
	    {"null", BAD},
	    {"{", BAD},
	    {"{}{}", BAD},
	    {"{} x", BAD},
	    {"{\"a\":1,}", BAD},
	    {"[1,]", BAD},
	    {"{\"a\":1,\"a\":1}", BAD},
	    {"{\"a\":1,\"\\u0061\":1}", BAD},
	    {"{\"b\":{\"a\":1,\"a\":2}}", BAD},
	    {"{a:1}", BAD},
	    {"{'a':1}", BAD},
	    {"{\"a\":01}", BAD},
	    {"{\"a\":+1}", BAD},
	    {"{\"a\":NaN}", BAD},
	    {"{\"a\":1e999}", BAD},
	    {"[9223372036854775808]", BAD},
	    {"[\"\\u0000\"]", BAD},
	    {"{\"\\u0000\":1}", BAD},
	    {"[\"\\ud800\"]", BAD},
	    {"[\"\n\"]", BAD},
	    {"[\"\\x41\"]", BAD},
	    {"[\"\xC0\xAF\"]", BAD},
	    {"[\"\xED\xA0\x80\"]", BAD},
	    {"\xEF\xBB\xBF{}", BAD},
	    {"// a comment\n{}", BAD},
	};
	struct json *j OWNED(json_drop) = NULL;
	slice deep;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *one OWNED(json_drop) = NULL;

		expect_text(rows[i].in, json_get(txt(rows[i].in), &one), rows[i].expect);
		assert_true((one == NULL) == (rows[i].expect != NULL));
	}
	expect_err("no memory at all", json_get((slice){NULL, 0}, &j), ERR_INPUT, BAD);
	expect_err("NUL after it", json_get(LIT("{}\0"), &j), ERR_INPUT, BAD);
	expect_ok("length at max", json_get(join(LIT("{}"), bytes(JSON_MAX - 2, ' ')), &j));
	json_drop(&j);
	expect_err("length at max+1", json_get(join(LIT("{}"), bytes(JSON_MAX - 1, ' ')), &j), ERR_INPUT,
	    "json-long: house: a JSON text is longer than any we read");
	deep = join(bytes(2048, '['), bytes(2048, ']'));
	expect_ok("nested 2048 deep", json_get(deep, &j));
	json_drop(&j);
	deep = join(bytes(2049, '['), bytes(2049, ']'));
	expect_err("nested 2049 deep", json_get(deep, &j), ERR_INPUT, BAD);
}

static void
test_members(void **state)
{
	static const struct {
		const char *name, *text, *natural, *member, *list, *hex; /* what each reader says; NULL: it reads it */
	} rows[] = {
	    {"text", NULL, TYPE, TYPE, TYPE, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"empty", NULL, TYPE, TYPE, TYPE, "hex-length: house: a hexadecimal value has the wrong length"},
	    {"hex", NULL, TYPE, TYPE, TYPE, NULL},
	    {"no hex", NULL, TYPE, TYPE, TYPE, "hex-digit: house: a hexadecimal value has another character in it"},
	    {"zero", TYPE, NULL, TYPE, TYPE, TYPE},
	    {"most", TYPE, NULL, TYPE, TYPE, TYPE},
	    {"minus", TYPE, TYPE, TYPE, TYPE, TYPE},
	    {"real", TYPE, TYPE, TYPE, TYPE, TYPE},
	    {"null", TYPE, TYPE, TYPE, TYPE, TYPE},
	    {"true", TYPE, TYPE, TYPE, TYPE, TYPE},
	    {"object", TYPE, TYPE, NULL, TYPE, TYPE},
	    {"list", TYPE, TYPE, TYPE, NULL, TYPE},
	    {"nothing", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT},
	    {"", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT},
	};
	static const char doc[] =
	    "{\"text\":\"a\\u3042\\n\",\"empty\":\"\",\"hex\":\"00abff\",\"no hex\":\"00ABFF\",\"zero\":0,"
	    "\"most\":9223372036854775807,\"minus\":-1,\"real\":1.0,\"null\":null,\"true\":true,"
	    "\"object\":{\"in\":1},\"list\":[\"x\",{\"y\":2},3]}";
	struct json *j OWNED(json_drop) = NULL;
	json root, v = {NULL};
	uint8_t h[3];
	uint64_t n = 77;
	slice s = LIT("untouched");

	(void)state;
	expect_ok("doc", json_get(slice_str(doc), &j));
	root = json_root(j);
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_text(rows[i].name, json_text(root, rows[i].name, &s), rows[i].text);
		expect_text(rows[i].name, json_natural(root, rows[i].name, &n), rows[i].natural);
		expect_text(rows[i].name, json_member(root, rows[i].name, &v), rows[i].member);
		expect_text(rows[i].name, json_list(root, rows[i].name, &v), rows[i].list);
		expect_text(rows[i].name, json_hex(root, rows[i].name, h, sizeof h), rows[i].hex);
		expect_true(rows[i].name,
		    json_has(root, rows[i].name) == (rows[i].text != NULL ? strcmp(rows[i].text, ABSENT) != 0 : true));
	}
	expect_ok("text", json_text(root, "text", &s));
	expect_same("text", s, txt("aあ\n"));
	expect_ok("most", json_natural(root, "most", &n));
	expect_number("most", n, INT64_MAX);
	expect_ok("hex", json_hex(root, "hex", h, sizeof h));
	expect_same("hex", ARR(h), hex("00ABFF"));
	expect_ok("object", json_member(root, "object", &v));
	expect_ok("in", json_natural(v, "in", &n));
	expect_number("in", n, 1);

	expect_ok("list", json_list(root, "list", &v));
	assert_int_equal(json_count(v), 3);
	expect_ok("list[0]", json_as_text(json_at(v, 0), &s));
	expect_same("list[0]", s, LIT("x"));
	expect_ok("list[1]", json_natural(json_at(v, 1), "y", &n));
	expect_err("list[2]", json_as_text(json_at(v, 2), &s), ERR_INPUT, TYPE);
	expect_err("beyond", json_as_text(json_at(v, 3), &s), ERR_INPUT, TYPE);
	expect_err("a name in a list", json_text(v, "x", &s), ERR_INPUT, ABSENT);
	assert_int_equal(json_count(root), 0);
	assert_false(json_has(v, "x"));
}

static void
test_next(void **state)
{
	static const char *const names[] = {"z", "a", "m", ""};
	struct json *j OWNED(json_drop) = NULL;
	void *iter = NULL;
	slice name, s;
	size_t i = 0;
	json v;

	(void)state;
	expect_ok("doc", json_get(LIT("{\"z\":\"0\",\"a\":\"1\",\"m\":\"2\",\"\":\"3\"}"), &j));
	while (json_next(json_root(j), &iter, &name, &v)) {
		assert_true(i < COUNT(names));
		expect_same("name, in the order it was written", name, slice_str(names[i]));
		expect_ok("value", json_as_text(v, &s));
		assert_int_equal(s.p[0], '0' + (int)i);
		i++;
	}
	assert_int_equal(i, COUNT(names));
	json_drop(&j);
	json_drop(&j);
	expect_ok("empty", json_get(LIT("{}"), &j));
	iter = NULL;
	assert_false(json_next(json_root(j), &iter, &name, &v));
	json_drop(&j);
	expect_ok("a list", json_get(LIT("[1]"), &j));
	assert_false(json_next(json_root(j), &iter, &name, &v));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_put),
	    cmocka_unit_test(test_jansson_reads),
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
