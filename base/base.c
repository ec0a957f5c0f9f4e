#include "base/base.h"

const err ok = {OK, NULL, 0};

err
fail(enum err_kind kind, const char *what)
{
	return (err){kind, what, 0};
}

err
fail_why(enum err_kind kind, const char *what, long why)
{
	return (err){kind, what, why};
}

slice
slice_of(const void *p, size_t n)
{
	return (slice){p, n};
}

slice
slice_str(const char *s)
{
	return (slice){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

bool
slice_eq(slice a, slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
slice_cmp(slice a, slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
slice_eq_secret(slice a, slice b)
{
	volatile uint8_t d = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		d = (uint8_t)(d | (a.p[i] ^ b.p[i]));
	return d == 0;
}

bool
slice_has_prefix(slice s, slice prefix)
{
	return s.n >= prefix.n && slice_eq((slice){s.p, prefix.n}, prefix);
}

bool
slice_take(slice *s, size_t n, slice *out)
{
	if (n > s->n)
		return false;
	*out = (slice){s->p, n};
	s->p = n == 0 ? s->p : s->p + n;
	s->n -= n;
	return true;
}

bool
slice_cut(slice *s, uint8_t c, slice *out)
{
	const uint8_t *at = s->n == 0 ? NULL : memchr(s->p, c, s->n);
	size_t n;

	if (at == NULL)
		return false;
	n = (size_t)(at - s->p);
	*out = (slice){s->p, n};
	s->p = at + 1;
	s->n -= n + 1;
	return true;
}

void *
mem_new(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	if (p == NULL)
		abort();
	return p;
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n == 0 ? 1 : n, size);

	if (q == NULL)
		abort();
	return q;
}

uint8_t *
buf_space(struct buf *b, size_t n)
{
	uint8_t *at;

	assert(b->n <= b->max);
	if (b->over || n > b->max - b->n) {
		b->over = true;
		return NULL;
	}
	if (n > b->cap - b->n || b->p == NULL) {
		size_t cap = b->cap < 64 ? 64 : b->cap;

		while (cap - b->n < n)
			cap = cap > SIZE_MAX / 2 ? b->max : cap * 2;
		cap = cap > b->max ? b->max : cap;
		b->p = mem_grow(b->p, cap, 1);
		b->cap = cap;
	}
	at = b->p + b->n;
	b->n += n;
	return at;
}

void
buf_put(struct buf *b, slice s)
{
	uint8_t *at;

	if (s.n == 0)
		return;
	at = buf_space(b, s.n);
	if (at != NULL)
		memcpy(at, s.p, s.n);
}

void
buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, slice_str(s));
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, (slice){&v, 1});
}

void
buf_put_decimal(struct buf *b, uint64_t v)
{
	uint8_t d[20];
	size_t i = sizeof d;

	do {
		d[--i] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_put(b, (slice){d + i, sizeof d - i});
}

static const char HEX[] = "0123456789abcdef";

void
buf_put_hex(struct buf *b, slice s)
{
	uint8_t *at = buf_space(b, s.n > SIZE_MAX / 2 ? SIZE_MAX : s.n * 2);

	if (at == NULL)
		return;
	for (size_t i = 0; i < s.n; i++) {
		*at++ = (uint8_t)HEX[s.p[i] >> 4];
		*at++ = (uint8_t)HEX[s.p[i] & 15];
	}
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
buf_put_base64(struct buf *b, slice s)
{
	uint8_t *at = buf_space(b, s.n > SIZE_MAX / 4 ? SIZE_MAX : (s.n + 2) / 3 * 4);

	if (at == NULL)
		return;
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = (uint32_t)s.p[i] << 16;

		v |= i + 1 < s.n ? (uint32_t)s.p[i + 1] << 8 : 0;
		v |= i + 2 < s.n ? s.p[i + 2] : 0;
		*at++ = (uint8_t)B64[v >> 18 & 63];
		*at++ = (uint8_t)B64[v >> 12 & 63];
		*at++ = i + 1 < s.n ? (uint8_t)B64[v >> 6 & 63] : '=';
		*at++ = i + 2 < s.n ? (uint8_t)B64[v & 63] : '=';
	}
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

void
buf_eat(struct buf *b, size_t n)
{
	assert(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

slice
buf_slice(const struct buf *b)
{
	return (slice){b->p, b->n};
}

err
buf_check(const struct buf *b)
{
	if (b->over)
		return fail(ERR_INPUT, "buf-limit: house: more bytes than this object may have");
	return ok;
}

void
buf_drop(struct buf *b)
{
	free(b->p);
	*b = (struct buf){.max = b->max};
}

err
hex_get(slice in, uint8_t *out, size_t n)
{
	/* a digit's value and 16; 0: no digit */
	static const uint8_t digit[256] = {['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22,
	    ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31};
	uint8_t all = 16;

	if (in.n != n * 2)
		return fail(ERR_INPUT, "hex-length: house: a hexadecimal value has the wrong length");
	for (size_t i = 0; i < in.n; i++)
		all &= digit[in.p[i]];
	if (all < 16)
		return fail(ERR_INPUT, "hex-digit: house: a hexadecimal value has another character in it");
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(digit[in.p[2 * i]] << 4 | (digit[in.p[2 * i + 1]] & 15));
	return ok;
}

static int
base64_digit(uint8_t c)
{
	static const int8_t digit[128] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
	    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34,
	    35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1};

	return c < 128 ? digit[c] : -1;
}

err
base64_get(slice in, struct buf *out)
{
	const err bad = fail(ERR_INPUT, "base64: RFC 4648 3.5: not canonical base64");
	size_t pad = 0, start = out->n, i;
	uint8_t *at;
	uint32_t v = 0;
	unsigned bits = 0;

	if (in.n % 4 != 0)
		return bad;
	if (in.n > 0 && in.p[in.n - 1] == '=')
		pad = in.p[in.n - 2] == '=' ? 2 : 1;
	at = buf_space(out, in.n / 4 * 3 - pad);
	if (at == NULL)
		return buf_check(out);
	for (i = 0; in.n - pad - i >= 4; i += 4) {
		int a = base64_digit(in.p[i]), b = base64_digit(in.p[i + 1]);
		int c = base64_digit(in.p[i + 2]), d = base64_digit(in.p[i + 3]);

		if ((a | b | c | d) < 0)
			break;
		d |= a << 18 | b << 12 | c << 6;
		*at++ = (uint8_t)(d >> 16);
		*at++ = (uint8_t)(d >> 8);
		*at++ = (uint8_t)d;
	}
	for (; i < in.n - pad; i++) {
		int d = base64_digit(in.p[i]);

		if (d < 0)
			break;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*at++ = (uint8_t)(v >> bits);
			v &= (1U << bits) - 1;
		}
	}
	if (i < in.n - pad || v != 0) { /* left-over bits must be zero */
		out->n = start;
		return bad;
	}
	return ok;
}

err
decimal_get(slice in, uint64_t max, uint64_t *out)
{
	const err bad = fail(ERR_INPUT, "number: house: not a plain decimal number within its limit");
	uint64_t v = 0;

	if (in.n == 0 || in.n > 20 || (in.n > 1 && in.p[0] == '0'))
		return bad;
	for (size_t i = 0; i < in.n; i++) {
		uint64_t d = (uint64_t)in.p[i] - '0';

		if (in.p[i] < '0' || in.p[i] > '9' || v > (UINT64_MAX - d) / 10)
			return bad;
		v = v * 10 + d;
	}
	if (v > max)
		return bad;
	*out = v;
	return ok;
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

slice
secret_slice(const struct secret *s)
{
	return (slice){s->p, s->n};
}

err
secret_set(struct secret *s, slice from)
{
	if (from.n > SECRET_MAX)
		return fail(ERR_INPUT, "secret-long: house: a secret is longer than any we handle");
	wipe(s->p, sizeof s->p);
	if (from.n > 0)
		memcpy(s->p, from.p, from.n);
	s->n = from.n;
	return ok;
}

void
secret_drop(struct secret *s)
{
	wipe(s, sizeof *s);
}

void
be_put(uint8_t *p, size_t n, uint64_t v)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

uint64_t
be_get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}
