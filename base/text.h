/*
 * text.h - UTF-8 that a person reads: what is shown is what is parsed.
 *
 * Depends on: base; libunistring's tables.  Pure.
 *
 * Refused everywhere: malformed UTF-8 (overlong, surrogates, above 10FFFF),
 * C0 and C1 controls (LF only between lines), bidirectional controls, zero-width
 * and other default-ignorable characters, byte order marks, private use,
 * noncharacters, unassigned code points and line/paragraph separators.
 * A variation selector stays directly after a CJK ideograph (IVS, Rule 6(v)ハ:
 * a name is written as the register has it).
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

#define TEXT_MAX (1U << 20) /* bytes judged at once; documents are far smaller */

/* The next code point; false (nothing moved) at the end or where the bytes are not UTF-8. */
bool text_next(slice *s, uint32_t *cp) CHECKED;
/* Appends a code point that is no surrogate. */
void text_put(struct buf *b, uint32_t cp);
/* How many code points; the text must have been checked. */
size_t text_count(slice s);

/* One line, possibly empty, no LF. */
err text_check_line(slice s) CHECKED;
/* One line or more, each ended by LF, the last one too. */
err text_check(slice s) CHECKED;
/* True for ideographs of all planes, the iteration mark and the ideographic zero. */
bool text_is_ideograph(uint32_t cp);

/* Normalisation Form KC: for comparing only, never for writing a certificate. */
err text_put_nfkc(struct buf *b, slice s) CHECKED;

#endif
