/*
 * conf.h - configuration, profiles, rule sets, the trust file: the plain part of
 *          openssl.cnf's syntax.
 *
 * Depends on: base, text.  Pure.
 *
 *   # a comment line
 *   [section]
 *   name = value up to the end of the line
 *
 * Refused: a line that is none of these, a repeated or nameless section, the
 * sections default and ENV, a repeated name in a section, a name before any section,
 * in values the characters $ \ " ' ` # and in comments the \, which OpenSSL's parser
 * would give a meaning; so OpenSSL reads every file this accepts the same way.
 * Names: up to 64 letters, digits, '.', '-', '_', the first no '.'.
 * An unknown name is refused by conf_check_known(), which every reader calls.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/base.h"

#define CONF_MAX (96U << 10) /* bytes of a file: a trust file travels in one frame          */
#define CONF_LINES_MAX 1024  /* lines with a value                                         */
#define CONF_VALUE_MAX 12000 /* bytes of a value: a certificate of 8 KiB in base64          */

struct conf;

/* Copies `in`; everything given out lives as long as the conf. */
err conf_get(slice in, struct conf **out) CHECKED;
void conf_drop(struct conf **c);

bool conf_has_section(const struct conf *c, slice section);
/* The i-th section's name, in the file's order; empty slice after the last. */
slice conf_section(const struct conf *c, size_t i);
/* ERR_INPUT conf-absent. */
err conf_text(const struct conf *c, slice section, const char *name, slice *out) CHECKED;
/* The value or `otherwise`. */
slice conf_text_or(const struct conf *c, slice section, const char *name, slice otherwise);
err conf_number(const struct conf *c, slice section, const char *name, uint64_t max, uint64_t *out) CHECKED;
/* The same where the name stands; `otherwise` where it does not: a number that was mistyped is never taken for none. */
err conf_number_or(
    const struct conf *c, slice section, const char *name, uint64_t max, uint64_t otherwise, uint64_t *out) CHECKED;
/* "yes" or "no". */
err conf_flag(const struct conf *c, slice section, const char *name, bool *out) CHECKED;
/*
 * A value that is a set of words, one blank between: each is one of those known and stands once.  *out is their bits
 * together; false: it is not such a set, and what to say is the reader's.
 */
struct conf_word {
	const char *word;
	unsigned bit;
};
bool conf_set_get(slice words, const struct conf_word *known, size_t n, unsigned *out) CHECKED;
/* Every name of the section is in the NULL-ended list, else ERR_INPUT conf-unknown. */
err conf_check_known(const struct conf *c, slice section, const char *const *names) CHECKED;

#endif
