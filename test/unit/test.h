/*
 * test.h - what every unit test shares: cmocka, and words for rows in tables.
 *
 * A test program is tables of rows.  A row that fails is named; a refusal is
 * expected by its kind and its whole text, word for word:
 *
 *	expect_ok("row", der_end(s));
 *	expect_err("row", der_end(s), ERR_INPUT, "der-trailing: X.690 8.1: …");
 *	expect_text("row", der_end(s), r->expect);      the text only; NULL: accepted
 *	expect_same("row", got, want);                  two slices, shown in hex
 *
 * hex("30 03 020105") and bytes(n, fill) give slices of exactly so many bytes, so
 * that a sanitizer sees a read one byte too far; they live until the program ends.
 * cmocka's fail() gives way to ours; fail_msg() remains.
 */
#ifndef TEST_UNIT_TEST_H
#define TEST_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail
#undef fail_msg

#include "base/base.h"

#define fail_msg(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define fail_at(file, line, ...)                                                                                       \
	do {                                                                                                               \
		print_error(__VA_ARGS__);                                                                                      \
		print_error("\n");                                                                                             \
		_fail(file, line);                                                                                             \
	} while (0)

#define expect_err(...) expect_err_at(__FILE__, __LINE__, __VA_ARGS__)
#define expect_ok(...) expect_ok_at(__FILE__, __LINE__, __VA_ARGS__)
#define expect_text(...) expect_text_at(__FILE__, __LINE__, __VA_ARGS__)
#define expect_true(...) expect_true_at(__FILE__, __LINE__, __VA_ARGS__)
#define expect_same(...) expect_same_at(__FILE__, __LINE__, __VA_ARGS__)
#define expect_number(...) expect_number_at(__FILE__, __LINE__, __VA_ARGS__)

/* The name of row i of table t, for tables that have no better one. */
static inline const char *
row_name(const char *t, size_t i)
{
	static char name[64];

	snprintf(name, sizeof name, "%s[%zu]", t, i);
	return name;
}

static inline void
expect_err_at(const char *file, int line, const char *row, err e, enum err_kind kind, const char *what)
{
	if (e.kind == kind && e.what != NULL && strcmp(e.what, what) == 0)
		return;
	fail_at(file, line, "%s: got %d \"%s\", expected %d \"%s\"", row, (int)e.kind, e.what == NULL ? "ok" : e.what,
	    (int)kind, what);
}

static inline void
expect_ok_at(const char *file, int line, const char *row, err e)
{
	if (e.kind != OK)
		fail_at(file, line, "%s: refused: %d \"%s\" (%ld)", row, (int)e.kind, e.what, e.why);
}

/* what == NULL: accepted. */
static inline void
expect_text_at(const char *file, int line, const char *row, err e, const char *what)
{
	if (what == NULL)
		expect_ok_at(file, line, row, e);
	else
		expect_err_at(file, line, row, e, e.kind == OK ? ERR_INPUT : e.kind, what);
}

static inline void
expect_true_at(const char *file, int line, const char *row, bool v)
{
	if (!v)
		fail_at(file, line, "%s: not so", row);
}

static inline void
show(const char *label, slice s)
{
	print_error("%s (%zu): ", label, s.n);
	for (size_t i = 0; i < s.n && i < 400; i++)
		print_error("%02x", s.p[i]);
	print_error("\n");
}

static inline void
expect_same_at(const char *file, int line, const char *row, slice got, slice want)
{
	if (slice_eq(got, want))
		return;
	show("got ", got);
	show("want", want);
	fail_at(file, line, "%s: bytes differ", row);
}

static inline void
expect_number_at(const char *file, int line, const char *row, uint64_t got, uint64_t want)
{
	if (got != want)
		fail_at(file, line, "%s: got %llu, expected %llu", row, (unsigned long long)got, (unsigned long long)want);
}

/* Memory of exactly n bytes, kept reachable until the end. */
static inline uint8_t *
keep(size_t n)
{
	static struct kept {
		struct kept *next;
		uint8_t *p;
	} * all;
	struct kept *k = mem_new(1, sizeof *k);

	k->p = mem_new(n == 0 ? 1 : n, 1);
	k->next = all;
	all = k;
	return k->p;
}

static inline slice
copy(slice s)
{
	uint8_t *p = keep(s.n);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return slice_of(p, s.n);
}

/* Hexadecimal with blanks anywhere between the bytes. */
static inline slice
hex(const char *digits)
{
	uint8_t *p = keep(strlen(digits) / 2 + 1);
	size_t n = 0;
	unsigned v;

	for (const char *c = digits; *c != '\0';) {
		if (*c == ' ') {
			c++;
			continue;
		}
		if (sscanf(c, "%2x", &v) != 1 || c[1] == '\0')
			abort();
		p[n++] = (uint8_t)v;
		c += 2;
	}
	return copy(slice_of(p, n));
}

static inline slice
bytes(size_t n, uint8_t fill)
{
	uint8_t *p = keep(n);

	if (n > 0)
		memset(p, fill, n);
	return slice_of(p, n);
}

/* A text as a slice of exactly its bytes. */
static inline slice
txt(const char *s)
{
	return copy(slice_str(s));
}

/* a followed by b. */
static inline slice
join(slice a, slice b)
{
	uint8_t *p = keep(a.n + b.n);

	if (a.n > 0)
		memcpy(p, a.p, a.n);
	if (b.n > 0)
		memcpy(p + a.n, b.p, b.n);
	return slice_of(p, a.n + b.n);
}

#endif
