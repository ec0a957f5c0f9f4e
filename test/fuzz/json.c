/*
 * What json_get accepts is walked and written again: that reads as equal, and a
 * second writing gives the same bytes.  And any text put into JSON comes out as it was.
 */
#include <jansson.h>

#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static json_t *
theirs(json j)
{
	union {
		const void *from;
		json_t *to;
	} u = {.from = j.v};

	return u.to;
}

static void
write_again(struct buf *b, json j)
{
	json_t *t = theirs(j);
	void *iter = NULL;
	slice name, s;
	json v;

	if (json_as_text(j, &s).kind == OK) {
		json_put_text(b, s);
	} else if (json_is_object(t)) {
		json_open(b, '{');
		while (json_next(j, &iter, &name, &v)) {
			if (!json_has(j, (const char *)name.p))
				abort();
			json_put_name(b, (const char *)name.p);
			write_again(b, v);
		}
		json_close(b, '}');
	} else if (json_is_array(t)) {
		json_open(b, '[');
		for (size_t i = 0; i < json_count(j); i++)
			write_again(b, json_at(j, i));
		json_close(b, ']');
	} else if (json_is_integer(t) && json_integer_value(t) >= 0) {
		json_put_number(b, (uint64_t)json_integer_value(t));
	} else if (json_is_boolean(t)) {
		json_put_bool(b, json_is_true(t));
	} else {
		char text[100];

		json_put_raw(b, slice_of(text, json_dumpb(t, text, sizeof text, JSON_ENCODE_ANY)));
	}
}

static void
reads_and_writes(slice in)
{
	struct buf a OWNED(buf_drop) = BUF(8 << 20), b OWNED(buf_drop) = BUF(8 << 20);
	struct json *j OWNED(json_drop) = NULL, *k OWNED(json_drop) = NULL;

	if (json_get(in, &j).kind != OK)
		return;
	write_again(&a, json_root(j));
	if (buf_check(&a).kind != OK)
		abort();
	if (a.n > JSON_MAX)
		return;
	if (json_get(buf_slice(&a), &k).kind != OK || !json_equal(theirs(json_root(j)), theirs(json_root(k))))
		abort();
	write_again(&b, json_root(k));
	if (!slice_eq(buf_slice(&a), buf_slice(&b)))
		abort();
}

static void
carries(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(8 << 20);
	struct json *j OWNED(json_drop) = NULL;
	slice rest = in, s;
	uint32_t cp;

	while (text_next(&rest, &cp))
		;
	if (rest.n > 0 || (in.n > 0 && memchr(in.p, 0, in.n) != NULL) || in.n > 10000)
		return;
	json_open(&b, '{');
	json_put_named(&b, "text", in);
	json_put_named_hex(&b, "hex", in);
	json_close(&b, '}');
	if (json_get(buf_slice(&b), &j).kind != OK || json_text(json_root(j), "text", &s).kind != OK || !slice_eq(s, in))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	reads_and_writes(slice_of(p, n));
	carries(slice_of(p, n));
	return 0;
}
