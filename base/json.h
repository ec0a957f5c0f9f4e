/*
 * json.h - JSON, RFC 8259: written by appending, read through jansson.
 *
 * Depends on: base; jansson for reading.  Pure.
 *
 * Writing appends to a buffer and puts the commas by itself: a value after '{',
 * '[', ':' or at the start gets none.  No white space is written, names stand in
 * the order they were put, so that equal facts give equal bytes (a book line is
 * a Merkle leaf).  Strings must be UTF-8 already checked.
 *
 * Reading refuses repeated names, NUL in strings, anything after the value, and
 * nesting beyond jansson's limit.  A reader asks for names and gets what is
 * there; slices live as long as the document.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base.h"

void json_open(struct buf *b, char bracket);  /* '{' or '[' */
void json_close(struct buf *b, char bracket); /* '}' or ']' */
void json_put_name(struct buf *b, const char *name);
void json_put_text(struct buf *b, slice s);
/* Up to 2^63-1, the most a reader takes. */
void json_put_number(struct buf *b, uint64_t v);
void json_put_bool(struct buf *b, bool v);
/* A value that is JSON already. */
void json_put_raw(struct buf *b, slice json);
/* name and value at once */
void json_put_named(struct buf *b, const char *name, slice text);
void json_put_named_number(struct buf *b, const char *name, uint64_t v);
void json_put_named_hex(struct buf *b, const char *name, slice bytes);

/* A whole document, owned. */
struct json;
/* A value within it: copy freely, lives as long as its document. */
typedef struct {
	const void *v;
} json;

#define JSON_MAX (1U << 20)

err json_get(slice in, struct json **out) CHECKED;
void json_drop(struct json **j);
json json_root(const struct json *j);
/* Members: ERR_INPUT json-absent / json-type. */
err json_text(json j, const char *name, slice *out) CHECKED;
err json_natural(json j, const char *name, uint64_t *out) CHECKED;
err json_member(json j, const char *name, json *out) CHECKED; /* an object */
err json_list(json j, const char *name, json *out) CHECKED;   /* an array  */
bool json_has(json j, const char *name);
/* 64 hexadecimal digits, or n*2 of them. */
err json_hex(json j, const char *name, uint8_t *out, size_t n) CHECKED;
size_t json_count(json array);
json json_at(json array, size_t i);
/* The value itself as text. */
err json_as_text(json j, slice *out) CHECKED;
/* The value as JSON again, compact: for showing. */
void json_put_value(struct buf *b, json j);
/* Walks an object: *iter starts NULL; false at the end. */
bool json_next(json object, void **iter, slice *name, json *value) CHECKED;

#endif
