#include <jansson.h>

#include "base/json.h"

struct json {
	json_t *root;
};

/* A comma unless this is the first value of its place. */
static void
put_comma(struct buf *b)
{
	uint8_t last = b->n == 0 ? '\n' : b->p[b->n - 1];

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		buf_put_u8(b, ',');
}

void
json_open(struct buf *b, char bracket)
{
	put_comma(b);
	buf_put_u8(b, (uint8_t)bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_put_u8(b, (uint8_t)bracket);
}

static void
put_string(struct buf *b, slice s)
{
	static const char hex[] = "0123456789abcdef";
	size_t from = 0;

	buf_put_u8(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_put(b, (slice){s.p + from, i - from});
		from = i + 1;
		buf_put_u8(b, '\\');
		if (c == '"' || c == '\\')
			buf_put_u8(b, c);
		else if (c == '\n')
			buf_put_u8(b, 'n');
		else {
			buf_put_str(b, "u00");
			buf_put_u8(b, (uint8_t)hex[c >> 4]);
			buf_put_u8(b, (uint8_t)hex[c & 15]);
		}
	}
	buf_put(b, (slice){s.n == 0 ? s.p : s.p + from, s.n - from});
	buf_put_u8(b, '"');
}

void
json_put_name(struct buf *b, const char *name)
{
	put_comma(b);
	put_string(b, slice_str(name));
	buf_put_u8(b, ':');
}

void
json_put_text(struct buf *b, slice s)
{
	put_comma(b);
	put_string(b, s);
}

void
json_put_number(struct buf *b, uint64_t v)
{
	assert(v <= INT64_MAX);
	put_comma(b);
	buf_put_decimal(b, v);
}

void
json_put_bool(struct buf *b, bool v)
{
	put_comma(b);
	buf_put_str(b, v ? "true" : "false");
}

void
json_put_raw(struct buf *b, slice j)
{
	put_comma(b);
	buf_put(b, j);
}

void
json_put_named(struct buf *b, const char *name, slice text)
{
	json_put_name(b, name);
	json_put_text(b, text);
}

void
json_put_named_number(struct buf *b, const char *name, uint64_t v)
{
	json_put_name(b, name);
	json_put_number(b, v);
}

void
json_put_named_hex(struct buf *b, const char *name, slice bytes)
{
	json_put_name(b, name);
	buf_put_u8(b, '"');
	buf_put_hex(b, bytes);
	buf_put_u8(b, '"');
}

err
json_get(slice in, struct json **out)
{
	json_t *root;
	struct json *j;

	if (in.n > JSON_MAX)
		return fail(ERR_INPUT, "json-long: house: a JSON text is longer than any we read");
	root = json_loadb((const char *)in.p, in.n, JSON_REJECT_DUPLICATES, NULL);
	if (root == NULL)
		return fail(ERR_INPUT, "json: RFC 8259: not one well-formed JSON object or array");
	j = mem_new(1, sizeof *j);
	j->root = root;
	*out = j;
	return ok;
}

void
json_drop(struct json **j)
{
	if (*j == NULL)
		return;
	json_decref((*j)->root);
	free(*j);
	*j = NULL;
}

json
json_root(const struct json *j)
{
	return (json){j->root};
}

/* jansson's readers take no const although they change nothing; its objects are ours, never read-only memory. */
static json_t *
value(json j)
{
	union {
		const void *from;
		json_t *to;
	} u = {.from = j.v};

	return u.to;
}

static err
member(json j, const char *name, json_t **out)
{
	json_t *v = json_object_get(value(j), name);

	if (v == NULL)
		return fail(ERR_INPUT, "json-absent: house: a JSON object lacks a name it must have");
	*out = v;
	return ok;
}

#define WRONG_TYPE fail(ERR_INPUT, "json-type: house: a JSON value is of another type than it must be")

err
json_as_text(json j, slice *out)
{
	if (!json_is_string(value(j)))
		return WRONG_TYPE;
	*out = slice_of(json_string_value(value(j)), json_string_length(value(j)));
	return ok;
}

err
json_text(json j, const char *name, slice *out)
{
	json_t *v = NULL;

	TRY(member(j, name, &v));
	return json_as_text((json){v}, out);
}

err
json_natural(json j, const char *name, uint64_t *out)
{
	json_t *v = NULL;

	TRY(member(j, name, &v));
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return WRONG_TYPE;
	*out = (uint64_t)json_integer_value(v);
	return ok;
}

err
json_member(json j, const char *name, json *out)
{
	json_t *v = NULL;

	TRY(member(j, name, &v));
	if (!json_is_object(v))
		return WRONG_TYPE;
	out->v = v;
	return ok;
}

err
json_list(json j, const char *name, json *out)
{
	json_t *v = NULL;

	TRY(member(j, name, &v));
	if (!json_is_array(v))
		return WRONG_TYPE;
	out->v = v;
	return ok;
}

bool
json_has(json j, const char *name)
{
	return json_object_get(value(j), name) != NULL;
}

err
json_hex(json j, const char *name, uint8_t *out, size_t n)
{
	slice s;

	TRY(json_text(j, name, &s));
	return hex_get(s, out, n);
}

size_t
json_count(json array)
{
	return json_array_size(value(array));
}

json
json_at(json array, size_t i)
{
	return (json){json_array_get(value(array), i)};
}

bool
json_next(json object, void **iter, slice *name, json *v)
{
	*iter = *iter == NULL ? json_object_iter(value(object)) : json_object_iter_next(value(object), *iter);
	if (*iter == NULL)
		return false;
	*name = slice_str(json_object_iter_key(*iter));
	v->v = json_object_iter_value(*iter);
	return true;
}

void
json_put_value(struct buf *b, json j)
{
	char *text = json_dumps(value(j), JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		abort();
	buf_put_str(b, text);
	free(text);
}
