#include "base/der.h"

#define DER_LENGTH_MAX 0xFFFFFFFFU /* four length bytes: more than any limit above this floor */

/* Reads tag and length; on success *in has moved past the element. */
static err
get_element(slice *in, uint8_t *tag, slice *content, slice *whole)
{
	slice s = *in, head, body;
	size_t n;

	/* Nearly every element is short: a certificate has a hundred of them. */
	if (s.n >= 2 && (s.p[0] & 0x1F) != 0x1F && s.p[1] < 0x80 && s.p[1] <= s.n - 2) {
		n = s.p[1];
		*tag = s.p[0];
		*content = (slice){s.p + 2, n};
		*whole = (slice){s.p, n + 2};
		*in = (slice){s.p + n + 2, s.n - n - 2};
		return ok;
	}
	if (!slice_take(&s, 2, &head))
		return fail(ERR_INPUT, "der-short: X.690 8.1: the input ends within an element");
	if ((head.p[0] & 0x1F) == 0x1F)
		return fail(ERR_INPUT, "der-tag: X.690 8.1.2.4: a tag of more than one byte");
	n = head.p[1];
	if (n == 0x80)
		return fail(ERR_INPUT, "der-indefinite: X.690 10.1: an indefinite length");
	if (n > 0x80) {
		slice l;

		if (n > 0x84)
			return fail(ERR_INPUT, "der-length: X.690 10.1: a length of more than four bytes");
		if (!slice_take(&s, n - 0x80, &l))
			return fail(ERR_INPUT, "der-short: X.690 8.1: the input ends within an element");
		n = 0;
		for (size_t i = 0; i < l.n; i++)
			n = n << 8 | l.p[i];
		if (l.p[0] == 0 || n < 0x80)
			return fail(ERR_INPUT, "der-minimal: X.690 10.1: a length is not in its shortest form");
	}
	if (!slice_take(&s, n, &body))
		return fail(ERR_INPUT, "der-short: X.690 8.1: the input ends within an element");
	*tag = head.p[0];
	*content = body;
	*whole = (slice){head.p, (size_t)(s.p - head.p)};
	*in = s;
	return ok;
}

err
der_get_any(slice *in, uint8_t *tag, slice *content, slice *whole)
{
	slice c, w;
	uint8_t t;

	TRY(get_element(in, &t, &c, &w));
	if (tag != NULL)
		*tag = t;
	if (content != NULL)
		*content = c;
	if (whole != NULL)
		*whole = w;
	return ok;
}

static err
get_tagged(slice *in, uint8_t want, slice *content, slice *whole)
{
	slice s = *in;
	uint8_t tag;

	TRY(get_element(&s, &tag, content, whole));
	if (tag != want)
		return fail(ERR_INPUT, "der-type: X.690 8.1.2: another element was expected here");
	*in = s;
	return ok;
}

err
der_get(slice *in, uint8_t tag, slice *out)
{
	slice c, w;

	TRY(get_tagged(in, tag, &c, &w));
	*out = c;
	return ok;
}

err
der_get_whole(slice *in, uint8_t tag, slice *out)
{
	slice c, w;

	TRY(get_tagged(in, tag, &c, &w));
	*out = w;
	return ok;
}

err
der_end(slice in)
{
	if (in.n != 0)
		return fail(ERR_INPUT, "der-trailing: X.690 8.1: bytes follow where nothing may follow");
	return ok;
}

bool
der_next_is(slice in, uint8_t tag)
{
	return in.n > 0 && in.p[0] == tag;
}

err
der_get_bool(slice *in, bool *out)
{
	slice s = *in, c;

	TRY(der_get(&s, DER_BOOLEAN, &c));
	if (c.n != 1 || (c.p[0] != 0x00 && c.p[0] != 0xFF))
		return fail(ERR_INPUT, "der-bool: X.690 11.1: a BOOLEAN is 00 or FF");
	*out = c.p[0] == 0xFF;
	*in = s;
	return ok;
}

/* The magnitude of a minimal, non-negative INTEGER or ENUMERATED. */
static err
get_magnitude(slice *in, uint8_t tag, slice *out)
{
	slice s = *in, c;

	TRY(der_get(&s, tag, &c));
	if (c.n == 0 || (c.n > 1 && c.p[0] == 0x00 && c.p[1] < 0x80))
		return fail(ERR_INPUT, "der-integer: X.690 8.3.2: an INTEGER is not in its shortest form");
	if (c.p[0] >= 0x80)
		return fail(ERR_INPUT, "der-negative: X.690 8.3: a negative INTEGER where none may be");
	if (c.n > 1 && c.p[0] == 0x00)
		c = (slice){c.p + 1, c.n - 1};
	*out = c;
	*in = s;
	return ok;
}

err
der_get_integer(slice *in, slice *out)
{
	return get_magnitude(in, DER_INTEGER, out);
}

static err
get_number(slice *in, uint8_t tag, uint64_t max, uint64_t *out)
{
	slice s = *in, m;
	uint64_t v = 0;

	TRY(get_magnitude(&s, tag, &m));
	if (m.n > 8)
		return fail(ERR_INPUT, "der-range: X.690 8.3: an INTEGER is larger than it may be here");
	for (size_t i = 0; i < m.n; i++)
		v = v << 8 | m.p[i];
	if (v > max)
		return fail(ERR_INPUT, "der-range: X.690 8.3: an INTEGER is larger than it may be here");
	*out = v;
	*in = s;
	return ok;
}

err
der_get_u64(slice *in, uint64_t max, uint64_t *out)
{
	return get_number(in, DER_INTEGER, max, out);
}

err
der_get_enum(slice *in, unsigned max, unsigned *out)
{
	uint64_t v;

	TRY(get_number(in, DER_ENUMERATED, max, &v));
	*out = (unsigned)v;
	return ok;
}

static bool
oid_is_valid(slice c)
{
	bool start = true; /* of a subidentifier */

	for (size_t i = 0; i < c.n; i++) {
		if (start && c.p[i] == 0x80)
			return false;
		start = c.p[i] < 0x80;
	}
	return c.n > 0 && start;
}

err
der_get_oid(slice *in, slice *out)
{
	slice s = *in, c;

	TRY(der_get(&s, DER_OID, &c));
	if (!oid_is_valid(c))
		return fail(ERR_INPUT, "der-oid: X.690 8.19: not a well-formed OBJECT IDENTIFIER");
	*out = c;
	*in = s;
	return ok;
}

err
der_get_bits(slice *in, slice *out)
{
	slice s = *in, c;

	TRY(der_get(&s, DER_BITS, &c));
	if (c.n < 1 || c.p[0] != 0)
		return fail(ERR_INPUT, "der-bits: X.690 8.6: a BIT STRING of whole bytes was expected");
	*out = (slice){c.p + 1, c.n - 1};
	*in = s;
	return ok;
}

err
der_get_named_bits(slice *in, uint32_t *out)
{
	const err bad = fail(ERR_INPUT, "der-named-bits: X.690 11.2: a named-bit list is not in its shortest form");
	slice s = *in, c;
	unsigned unused;
	uint32_t v = 0;

	TRY(der_get(&s, DER_BITS, &c));
	if (c.n < 1 || c.n > 3 || c.p[0] > 7)
		return bad;
	unused = c.p[0];
	if (c.n == 1) {
		if (unused != 0)
			return bad;
	} else if ((c.p[c.n - 1] & ((1U << unused) - 1)) != 0 || (c.p[c.n - 1] >> unused & 1) == 0)
		return bad;
	for (unsigned i = 0; i < (c.n - 1) * 8; i++)
		if (c.p[1 + i / 8] & 0x80 >> i % 8)
			v |= UINT32_C(1) << i;
	*out = v;
	*in = s;
	return ok;
}

err
der_get_null(slice *in)
{
	slice s = *in, c;

	TRY(der_get(&s, DER_NULL, &c));
	TRY(der_end(c));
	*in = s;
	return ok;
}

static bool
two_digits(slice s, size_t at, int *out)
{
	uint8_t a = s.p[at], b = s.p[at + 1];

	if (a < '0' || a > '9' || b < '0' || b > '9')
		return false;
	*out = (a - '0') * 10 + (b - '0');
	return true;
}

/* MMDDhhmmssZ at the front of s, and nothing after. */
static err
get_rest_of_time(slice s, int year, instant *out)
{
	struct civil c = {.year = year};

	if (s.n != 11 || !two_digits(s, 0, &c.month) || !two_digits(s, 2, &c.day) || !two_digits(s, 4, &c.hour) ||
	    !two_digits(s, 6, &c.minute) || !two_digits(s, 8, &c.second) || s.p[10] != 'Z')
		return fail(ERR_INPUT, "der-time: RFC 5280 4.1.2.5: a time has seconds, Z and nothing else");
	return civil_get_utc(&c, out);
}

err
der_get_gentime(slice *in, instant *out)
{
	slice s = *in, c;
	instant t;
	int hi, lo;

	TRY(der_get(&s, DER_GENTIME, &c));
	if (c.n != 15 || !two_digits(c, 0, &hi) || !two_digits(c, 2, &lo))
		return fail(ERR_INPUT, "der-time: RFC 5280 4.1.2.5: a time has seconds, Z and nothing else");
	TRY(get_rest_of_time((slice){c.p + 4, c.n - 4}, hi * 100 + lo, &t));
	*out = t;
	*in = s;
	return ok;
}

err
der_get_time(slice *in, instant *out)
{
	slice s = *in, c;
	instant t;
	int y;

	if (der_next_is(s, DER_GENTIME)) {
		TRY(der_get_gentime(&s, &t));
		if (civil_utc(t).year < 2050)
			return fail(ERR_INPUT, "der-time-form: RFC 5280 4.1.2.5: a year before 2050 is a UTCTime");
	} else {
		TRY(der_get(&s, DER_UTCTIME, &c));
		if (c.n != 13 || !two_digits(c, 0, &y))
			return fail(ERR_INPUT, "der-time: RFC 5280 4.1.2.5: a time has seconds, Z and nothing else");
		TRY(get_rest_of_time((slice){c.p + 2, c.n - 2}, y < 50 ? 2000 + y : 1900 + y, &t));
	}
	*out = t;
	*in = s;
	return ok;
}

static size_t
put_length(uint8_t out[5], size_t n)
{
	size_t k = 0;

	assert(n <= DER_LENGTH_MAX);
	if (n < 0x80) {
		out[0] = (uint8_t)n;
		return 1;
	}
	for (size_t v = n; v != 0; v >>= 8)
		k++;
	out[0] = (uint8_t)(0x80 | k);
	for (size_t i = 0; i < k; i++)
		out[1 + i] = (uint8_t)(n >> 8 * (k - 1 - i));
	return 1 + k;
}

void
der_put_head(struct buf *b, uint8_t tag, size_t content)
{
	uint8_t l[5];
	size_t n = put_length(l, content);

	buf_put_u8(b, tag);
	buf_put(b, (slice){l, n});
}

size_t
der_head_bytes(size_t content)
{
	uint8_t l[5];

	return 1 + put_length(l, content);
}

void
der_put(struct buf *b, uint8_t tag, slice content)
{
	der_put_head(b, tag, content.n);
	buf_put(b, content);
}

size_t
der_open(struct buf *b, uint8_t tag)
{
	buf_put_u8(b, tag);
	buf_put_u8(b, 0);
	return b->n;
}

void
der_close(struct buf *b, size_t mark)
{
	uint8_t l[5];
	size_t n, len;

	if (b->over)
		return;
	assert(mark >= 2 && mark <= b->n);
	len = b->n - mark;
	n = put_length(l, len);
	if (n > 1) {
		if (buf_space(b, n - 1) == NULL)
			return;
		memmove(b->p + mark + n - 1, b->p + mark, len);
	}
	memcpy(b->p + mark - 1, l, n);
}

size_t
der_open_bits(struct buf *b)
{
	size_t mark = der_open(b, DER_BITS);

	buf_put_u8(b, 0);
	return mark;
}

void
der_put_bool(struct buf *b, bool v)
{
	uint8_t c = v ? 0xFF : 0x00;

	der_put(b, DER_BOOLEAN, (slice){&c, 1});
}

static void
put_magnitude(struct buf *b, uint8_t tag, slice m)
{
	size_t mark = der_open(b, tag);

	while (m.n > 1 && m.p[0] == 0)
		m = (slice){m.p + 1, m.n - 1};
	if (m.n == 0 || m.p[0] >= 0x80)
		buf_put_u8(b, 0);
	buf_put(b, m);
	der_close(b, mark);
}

void
der_put_integer(struct buf *b, slice magnitude)
{
	put_magnitude(b, DER_INTEGER, magnitude);
}

static void
put_number(struct buf *b, uint8_t tag, uint64_t v)
{
	uint8_t d[8];

	for (size_t i = 0; i < 8; i++)
		d[i] = (uint8_t)(v >> 8 * (7 - i));
	put_magnitude(b, tag, ARR(d));
}

void
der_put_u64(struct buf *b, uint64_t v)
{
	put_number(b, DER_INTEGER, v);
}

void
der_put_enum(struct buf *b, unsigned v)
{
	put_number(b, DER_ENUMERATED, v);
}

void
der_put_oid(struct buf *b, slice content)
{
	assert(oid_is_valid(content));
	der_put(b, DER_OID, content);
}

void
der_put_bits(struct buf *b, slice s)
{
	size_t mark = der_open_bits(b);

	buf_put(b, s);
	der_close(b, mark);
}

void
der_put_named_bits(struct buf *b, uint32_t bits)
{
	uint8_t d[3] = {0};
	unsigned top = 0;

	assert(bits < UINT32_C(1) << 16);
	for (unsigned i = 0; i < 16; i++)
		if (bits >> i & 1) {
			d[1 + i / 8] = (uint8_t)(d[1 + i / 8] | 0x80 >> i % 8);
			top = i + 1;
		}
	d[0] = (uint8_t)((8 - top % 8) % 8);
	der_put(b, DER_BITS, (slice){d, 1 + (top + 7) / 8});
}

void
der_put_null(struct buf *b)
{
	der_put(b, DER_NULL, (slice){NULL, 0});
}

static void
put_time_digits(struct buf *b, uint8_t tag, const struct civil *c)
{
	const int v[] = {c->year / 100, c->year % 100, c->month, c->day, c->hour, c->minute, c->second};
	uint8_t text[15];
	size_t n = 0;

	for (size_t i = tag == DER_UTCTIME ? 1 : 0; i < COUNT(v); i++) {
		text[n++] = (uint8_t)('0' + v[i] / 10);
		text[n++] = (uint8_t)('0' + v[i] % 10);
	}
	text[n++] = 'Z';
	der_put(b, tag, (slice){text, n});
}

void
der_put_gentime(struct buf *b, instant t)
{
	struct civil c = civil_utc(t);

	put_time_digits(b, DER_GENTIME, &c);
}

void
der_put_time(struct buf *b, instant t)
{
	struct civil c = civil_utc(t);

	put_time_digits(b, c.year < 2050 ? DER_UTCTIME : DER_GENTIME, &c);
}

static void
put_base128(struct buf *b, uint64_t v)
{
	for (unsigned shift = 63; shift > 0; shift -= 7)
		if (v >> shift != 0)
			buf_put_u8(b, (uint8_t)(0x80 | (v >> shift & 0x7F)));
	buf_put_u8(b, (uint8_t)(v & 0x7F));
}

err
oid_get_dotted(slice in, struct buf *out)
{
	const err bad = fail(ERR_INPUT, "oid: X.660: an object identifier is written like 1.2.392.200149");
	struct buf enc OWNED(buf_drop) = BUF(64);
	uint64_t first = 0, v;
	slice arc;

	for (size_t i = 0; in.n > 0; i++) {
		bool last = !slice_cut(&in, '.', &arc);

		if (last) {
			arc = in;
			in.n = 0;
		} else if (in.n == 0)
			return bad;
		if (decimal_get(arc, UINT64_MAX / 2, &v).kind != OK)
			return bad;
		if (i == 0 && (v > 2 || last))
			return bad;
		if (i == 1 && first < 2 && v > 39)
			return bad;
		if (i == 0)
			first = v;
		else
			put_base128(&enc, i == 1 ? first * 40 + v : v);
	}
	if (enc.n == 0 || enc.over)
		return bad;
	buf_put(out, buf_slice(&enc));
	return buf_check(out);
}

void
oid_put_dotted(struct buf *b, slice content)
{
	uint64_t v = 0;
	bool first = true, large = false;

	for (size_t i = 0; i < content.n; i++) {
		large = large || v > UINT64_MAX >> 7;
		v = v << 7 | (content.p[i] & 0x7F);
		if (content.p[i] >= 0x80)
			continue;
		if (first) {
			uint64_t top = large ? 2 : v < 40 ? 0 : v < 80 ? 1 : 2;

			buf_put_decimal(b, top);
			v -= top * 40;
			first = false;
		}
		buf_put_u8(b, '.');
		if (large)
			buf_put_u8(b, '?');
		else
			buf_put_decimal(b, v);
		v = 0;
		large = false;
	}
}
