/*
 * base.h - the words every floor speaks: error, slice, buffer, ownership.
 *
 * Depends on: memory and string functions.  Pure.
 *
 * ERRORS are values.  The kind tells the caller what to do next; the text is
 * static and reads "code: clause: sentence".  The whole text is the gettext id,
 * the code (up to the first colon) is the `type` of a problem+json answer.
 * Outputs come last in a parameter list and are written only on success.
 * Our own bugs are assert(), which stays on in production.  Out of memory is
 * abort(): limits come first, and every line of a role is safe to die on.
 *
 * SLICES are borrowed: they live as long as what they were taken from, and the
 * header of whoever returns one says from what.  A slice is consumed from the
 * front; a read that fails moves nothing.
 *
 * BUFFERS are owned and born with their limit.  Writers return nothing: a write
 * beyond the limit marks the buffer, and the mark is asked for once, by
 * buf_check(), before the bytes are used.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* declared here only because the poison below must come after it */
#include <stdlib.h>
#include <string.h>

#ifdef NDEBUG
#error "Inkan is built with its assertions on"
#endif

enum err_kind {
	OK,           /* go on                                                        */
	ERR_INPUT,    /* what was sent is malformed: 400, sending it again is useless */
	ERR_POLICY,   /* well formed, and the law or our rules say no: 403            */
	ERR_ABSENT,   /* what was named is not there: 404                             */
	ERR_CONFLICT, /* it stands against something already recorded: 409            */
	ERR_BUSY,     /* not now: 503, the sender may try again by itself             */
	ERR_WORLD,    /* the outside failed: 503, an operator must look               */
	ERR_CORRUPT,  /* what we hold ourselves is damaged: the role stops            */
};

typedef struct {
	enum err_kind kind;
	const char *what; /* static, "code: clause: sentence"; NULL when OK */
	long why;         /* errno or CK_RV, for the log only               */
} err;

#define CHECKED __attribute__((warn_unused_result))

/* The only macro that returns. */
#define TRY(call)                                                                                                      \
	do {                                                                                                               \
		err e_ = (call);                                                                                               \
		if (e_.kind != OK)                                                                                             \
			return e_;                                                                                                 \
	} while (0)

extern const err ok;

err fail(enum err_kind kind, const char *what) CHECKED;
err fail_why(enum err_kind kind, const char *what, long why) CHECKED;

typedef struct {
	const uint8_t *p;
	size_t n;
} slice;

/* A string literal as a slice, without its NUL. */
#define LIT(s) ((slice){(const uint8_t *)("" s), sizeof(s) - 1})
/* An array as a slice. */
#define ARR(a) ((slice){(a), sizeof(a)})

slice slice_of(const void *p, size_t n);
/* A NUL-terminated string as a slice, without its NUL; NULL gives the empty slice. */
slice slice_str(const char *s);
bool slice_eq(slice a, slice b);
/* Order by bytes, then by length: <0, 0, >0. */
int slice_cmp(slice a, slice b);
/* Equal, in time that depends on the lengths only. */
bool slice_eq_secret(slice a, slice b);
bool slice_has_prefix(slice s, slice prefix);
/* Takes n bytes off the front of *s; false (nothing moved) when fewer are left. */
bool slice_take(slice *s, size_t n, slice *out) CHECKED;
/* Takes up to and over the next byte c; the part before it goes to *out.  False (nothing moved) when c is not there. */
bool slice_cut(slice *s, uint8_t c, slice *out) CHECKED;

/* A buffer; `max` is the most it will ever hold. */
struct buf {
	uint8_t *p;
	size_t n, cap, max;
	bool over; /* a write beyond max was asked for */
};

#define BUF(limit) ((struct buf){.max = (limit)})

/* s is not of b itself: the bytes may move. */
void buf_put(struct buf *b, slice s);
void buf_put_str(struct buf *b, const char *s);
void buf_put_u8(struct buf *b, uint8_t v);
/* Decimal digits, no leading zeros. */
void buf_put_decimal(struct buf *b, uint64_t v);
/* Lower-case hexadecimal. */
void buf_put_hex(struct buf *b, slice s);
/* RFC 4648 section 4, with padding, no line breaks. */
void buf_put_base64(struct buf *b, slice s);
/* Room for n bytes (0 too), counted as written: the caller fills all of them; NULL when over the limit, and only then. */
uint8_t *buf_space(struct buf *b, size_t n);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);
/* Takes n bytes off the front (n <= b->n), for stream buffers. */
void buf_eat(struct buf *b, size_t n);
/* What was written, as long as b is not written to. */
slice buf_slice(const struct buf *b);
/* ERR_INPUT buf-limit when anything was written beyond the limit. */
err buf_check(const struct buf *b) CHECKED;
void buf_drop(struct buf *b);

/* The inverse readings.  All are strict: no white space, no upper case in hex, canonical padding; else ERR_INPUT. */
err hex_get(slice in, uint8_t *out, size_t n) CHECKED;
err base64_get(slice in, struct buf *out) CHECKED;
/* Digits only, no leading zero but "0" itself. */
err decimal_get(slice in, uint64_t max, uint64_t *out) CHECKED;

/*
 * A secret: made by the edges only, compared in constant time, wiped over its
 * whole capacity when dropped.
 */
#define SECRET_MAX 512
struct secret {
	uint8_t p[SECRET_MAX];
	size_t n;
};

slice secret_slice(const struct secret *s);
/* ERR_INPUT secret-long when s does not fit. */
err secret_set(struct secret *s, slice from) CHECKED;
void secret_drop(struct secret *s);
/* Overwrites in a way the compiler keeps. */
void wipe(void *p, size_t n);

/* Whole numbers of n bytes (1 to 8), most significant first; what v has above them is left out. */
void be_put(uint8_t *p, size_t n, uint64_t v);
uint64_t be_get(const uint8_t *p, size_t n);

/* Runs drop(&variable) when the variable goes out of scope; dropping zero is nothing. */
#define OWNED(drop) __attribute__((cleanup(drop)))

/* Zeroed memory, or abort. */
void *mem_new(size_t n, size_t size);
/* realloc to n * size, or abort. */
void *mem_grow(void *p, size_t n, size_t size);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#ifndef BASE_NO_POISON
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat strtok gets atoi atol
#endif

#endif
