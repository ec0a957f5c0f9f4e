/*
 * Text: what is UTF-8 for us is UTF-8 for libunistring and written back as it was;
 * the strict spellings (times, days, numbers, hexadecimal, base64, dotted OIDs) are
 * written back byte for byte by their writers.
 */
#include <unistr.h>

#include "base/der.h"
#include "base/text.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
utf8(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 22), once OWNED(buf_drop) = BUF(1 << 22),
	             twice OWNED(buf_drop) = BUF(1 << 22);
	slice s = in, line;
	uint32_t cp;
	bool good;

	while (text_next(&s, &cp))
		text_put(&b, cp);
	good = s.n == 0;
	if (good != (in.n == 0 || u8_check(in.p, in.n) == NULL) || !slice_eq(buf_slice(&b), (slice){in.p, in.n - s.n}))
		abort();
	if ((text_check_line(in).kind == OK || text_check(in).kind == OK) && !good)
		abort();
	if (text_check_line(in).kind == OK && in.n > 0 && memchr(in.p, '\n', in.n) != NULL)
		abort();
	if (text_check(in).kind == OK)
		for (s = in; slice_cut(&s, '\n', &line);)
			if (text_check_line(line).kind != OK)
				abort();
	if ((text_put_nfkc(&once, in).kind == OK) != good)
		abort();
	if (good && (text_put_nfkc(&twice, buf_slice(&once)).kind != OK || !slice_eq(buf_slice(&once), buf_slice(&twice))))
		abort();
}

static void
same(const struct buf *b, slice in)
{
	if (buf_check(b).kind != OK || !slice_eq(buf_slice(b), in))
		abort();
}

static void
spellings(slice in)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 22), raw OWNED(buf_drop) = BUF(1 << 22);
	uint8_t h[32];
	uint64_t v;
	instant t;

	if (instant_get(in, &t).kind == OK) {
		if (t.ms < INSTANT_MIN_MS || t.ms > INSTANT_MAX_MS)
			abort();
		instant_put(&b, t);
		same(&b, in);
		for (int years = -9; years < 10; years += 3) {
			instant u = instant_add_years(t, years);

			if (u.ms < INSTANT_MIN_MS || u.ms > INSTANT_MAX_MS)
				abort();
		}
	}
	buf_clear(&b);
	if (day_get_jst(in, &t).kind == OK) {
		day_put_jst(&b, t);
		same(&b, in);
	}
	buf_clear(&b);
	if (decimal_get(in, UINT64_MAX, &v).kind == OK) {
		buf_put_decimal(&b, v);
		same(&b, in);
	}
	buf_clear(&b);
	if (in.n / 2 <= sizeof h && hex_get(in, h, in.n / 2).kind == OK) {
		buf_put_hex(&b, slice_of(h, in.n / 2));
		same(&b, in);
	}
	buf_clear(&b);
	if (base64_get(in, &raw).kind == OK) {
		buf_put_base64(&b, buf_slice(&raw));
		same(&b, in);
	}
	buf_clear(&b);
	buf_clear(&raw);
	if (oid_get_dotted(in, &raw).kind == OK) {
		oid_put_dotted(&b, buf_slice(&raw));
		same(&b, in);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	utf8(slice_of(p, n));
	spellings(slice_of(p, n));
	return 0;
}
