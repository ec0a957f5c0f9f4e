#include "base/words.h"

/* Made by po/compile: sorted by .en. */
struct words_row {
	const char *en, *ja;
};
extern const struct words_row WORDS_JA[];
extern const size_t WORDS_JA_COUNT;

enum lang
lang_of_locale(const char *lc_all, const char *lc_messages, const char *lang)
{
	const char *s = lc_all != NULL && lc_all[0] != '\0'             ? lc_all
	                : lc_messages != NULL && lc_messages[0] != '\0' ? lc_messages
	                                                                : lang;

	/* the language is what stands before '_', '.' or '@' (POSIX 8.2): "jam" is another one */
	return s != NULL && strncmp(s, "ja", 2) == 0 && (s[2] == '\0' || strchr("_.@", s[2]) != NULL) ? LANG_JA : LANG_EN;
}

static const struct words_row *
find(slice english)
{
	size_t lo = 0, hi = WORDS_JA_COUNT;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = slice_cmp(slice_str(WORDS_JA[mid].en), english);

		if (c == 0)
			return &WORDS_JA[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const char *
words(enum lang l, const char *english)
{
	const struct words_row *r = l == LANG_JA ? find(slice_str(english)) : NULL;

	return r == NULL ? english : r->ja;
}

void
words_put(struct buf *b, enum lang l, slice english)
{
	const struct words_row *r = l == LANG_JA ? find(english) : NULL;

	if (r == NULL)
		buf_put(b, english);
	else
		buf_put_str(b, r->ja);
}
