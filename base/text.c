#include <unictype.h>
#include <uninorm.h>

#include "base/text.h"

bool
text_next(slice *s, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t v;
	size_t n;

	if (s->n == 0)
		return false;
	v = s->p[0];
	n = v < 0x80 ? 1 : v < 0xC2 ? 0 : v < 0xE0 ? 2 : v < 0xF0 ? 3 : v < 0xF5 ? 4 : 0;
	if (n == 0 || n > s->n)
		return false;
	v &= n == 1 ? 0x7F : n == 2 ? 0x1F : n == 3 ? 0x0F : 0x07;
	for (size_t i = 1; i < n; i++) {
		if ((s->p[i] & 0xC0) != 0x80)
			return false;
		v = v << 6 | (s->p[i] & 0x3F);
	}
	if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
		return false;
	*cp = v;
	s->p += n;
	s->n -= n;
	return true;
}

void
text_put(struct buf *b, uint32_t cp)
{
	uint8_t u[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	assert(cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF));
	for (size_t i = n - 1; i > 0; i--) {
		u[i] = (uint8_t)(0x80 | (cp & 0x3F));
		cp >>= 6;
	}
	u[0] = (uint8_t)(n == 1 ? cp : (0xF00U >> n & 0xFF) | cp);
	buf_put(b, (slice){u, n});
}

size_t
text_count(slice s)
{
	size_t n = 0;
	uint32_t cp;

	while (text_next(&s, &cp))
		n++;
	return n;
}

bool
text_is_ideograph(uint32_t cp)
{
	return uc_is_property_ideographic(cp) || cp == 0x3005 || cp == 0x3007;
}

static bool
is_variation_selector(uint32_t cp)
{
	return (cp >= 0xFE00 && cp <= 0xFE0F) || (cp >= 0xE0100 && cp <= 0xE01EF);
}

static bool
is_hidden(uint32_t cp)
{
	return uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
	                                                UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl |
	                                                UC_CATEGORY_MASK_Zp) ||
	       uc_is_property_default_ignorable_code_point(cp) || uc_is_property_bidi_control(cp) ||
	       uc_is_property_zero_width(cp);
}

static err
check_text(slice s, bool lines)
{
	uint32_t cp, before = 0;

	if (s.n > TEXT_MAX)
		return fail(ERR_INPUT, "text-long: house: a text is longer than any we read");
	while (s.n > 0) {
		if (s.p[0] >= ' ' && s.p[0] < 0x7F) {
			before = s.p[0];
			s.p++;
			s.n--;
			continue;
		}
		if (!text_next(&s, &cp))
			return fail(ERR_INPUT, "text-utf8: RFC 3629: the text is not UTF-8");
		if (cp == '\n' && !lines)
			return fail(ERR_INPUT, "text-newline: house: a line break where one line was expected");
		if (cp != '\n' && is_hidden(cp) && !(is_variation_selector(cp) && text_is_ideograph(before)))
			return fail(ERR_INPUT, "text-hidden: house: a character that is not shown, or not as it is read");
		before = cp;
	}
	if (lines && before != '\n')
		return fail(ERR_INPUT, "text-last-line: house: the last line of a text ends with a line break");
	return ok;
}

err
text_check_line(slice s)
{
	return check_text(s, false);
}

err
text_check(slice s)
{
	return check_text(s, true);
}

err
text_put_nfkc(struct buf *b, slice s)
{
	slice rest = s;
	uint32_t cp;
	size_t n = 0;
	uint8_t *p;

	if (s.n == 0)
		return ok;
	if (s.n > TEXT_MAX)
		return fail(ERR_INPUT, "text-long: house: a text is longer than any we read");
	while (text_next(&rest, &cp))
		;
	if (rest.n > 0)
		return fail(ERR_INPUT, "text-utf8: RFC 3629: the text is not UTF-8");
	p = u8_normalize(UNINORM_NFKC, s.p, s.n, NULL, &n);
	if (p == NULL)
		abort(); /* the text is good, so it was memory */
	buf_put(b, (slice){p, n});
	free(p);
	return buf_check(b);
}
