/*
 * words.h - what the house says, in the reader's language.
 *
 * Depends on: base; the table that the build makes from po/ja.po.  Pure.
 *
 * The English text is the id (gettext's way, and its file format); the table is
 * compiled in, since a minimal system has no Japanese locale for gettext to load
 * and an applicant must be understood all the same.  A text without a translation
 * is given back as it is.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/base.h"

enum lang { LANG_EN, LANG_JA };

/* From the values of LC_ALL, LC_MESSAGES, LANG in that order; NULLs allowed. */
enum lang lang_of_locale(const char *lc_all, const char *lc_messages, const char *lang);
const char *words(enum lang l, const char *english);
void words_put(struct buf *b, enum lang l, slice english);

#endif
