#include "base/conf.h"
#include "base/text.h"

struct conf_line {
	slice section, name, value;
};

struct conf {
	struct buf bytes;
	size_t n;
	struct conf_line line[CONF_LINES_MAX];
	size_t n_sections;
	slice section[CONF_LINES_MAX];
};

static slice
trim(slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (slice){s.p + 1, s.n - 1};
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool
is_name(slice s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		        c == '_'))
			return false;
	}
	return true;
}

static err
get_section(struct conf *c, slice line)
{
	slice name;

	if (line.n < 2 || line.p[line.n - 1] != ']')
		return fail(ERR_INPUT, "conf-section: config(5ssl): a section line is [name] and nothing else");
	name = (slice){line.p + 1, line.n - 2};
	if (!is_name(name))
		return fail(ERR_INPUT, "conf-name: config(5ssl): a name has letters, digits, dot, hyphen and underscore");
	if (slice_eq(name, LIT("default")) || slice_eq(name, LIT("ENV")))
		return fail(ERR_INPUT, "conf-reserved: config(5ssl): the sections default and ENV give values to all others");
	if (conf_has_section(c, name))
		return fail(ERR_INPUT, "conf-repeated: house: a section or name stands twice");
	if (c->n_sections == CONF_LINES_MAX)
		return fail(ERR_INPUT, "conf-long: house: a configuration file has too many lines");
	c->section[c->n_sections++] = name;
	return ok;
}

static err
get_value(struct conf *c, slice line)
{
	struct conf_line l = {.section = c->n_sections == 0 ? (slice){NULL, 0} : c->section[c->n_sections - 1]};
	slice name;

	if (!slice_cut(&line, '=', &name))
		return fail(ERR_INPUT, "conf-line: config(5ssl): a line is [section], name = value or # comment");
	l.name = trim(name);
	l.value = trim(line);
	if (!is_name(l.name))
		return fail(ERR_INPUT, "conf-name: config(5ssl): a name has letters, digits, dot, hyphen and underscore");
	if (l.section.n == 0)
		return fail(ERR_INPUT, "conf-outside: house: a value stands before any section");
	if (l.value.n > CONF_VALUE_MAX)
		return fail(ERR_INPUT, "conf-value-long: house: a value is longer than any we read");
	for (size_t i = 0; i < l.value.n; i++)
		if (memchr("$\\\"'`#", l.value.p[i], 6) != NULL)
			return fail(ERR_INPUT, "conf-value: config(5ssl): a value has a character that other parsers interpret");
	TRY(text_check_line(l.value));
	for (size_t i = 0; i < c->n; i++)
		if (slice_eq(c->line[i].section, l.section) && slice_eq(c->line[i].name, l.name))
			return fail(ERR_INPUT, "conf-repeated: house: a section or name stands twice");
	if (c->n == CONF_LINES_MAX)
		return fail(ERR_INPUT, "conf-long: house: a configuration file has too many lines");
	c->line[c->n++] = l;
	return ok;
}

/* OpenSSL joins lines before it looks for comments: "# path C:\\" would swallow the value after it. */
static err
check_comment(slice line)
{
	if (memchr(line.p, '\\', line.n) != NULL)
		return fail(ERR_INPUT, "conf-comment: config(5ssl): a backslash in a comment may join the next line to it");
	return text_check_line(line);
}

err
conf_get(slice in, struct conf **out)
{
	struct conf *c OWNED(conf_drop) = mem_new(1, sizeof *c);
	slice line;

	c->bytes = BUF(CONF_MAX);
	buf_put(&c->bytes, in);
	if (buf_check(&c->bytes).kind != OK)
		return fail(ERR_INPUT, "conf-long: house: a configuration file has too many lines");
	in = buf_slice(&c->bytes);
	while (in.n > 0) {
		if (!slice_cut(&in, '\n', &line))
			return fail(
			    ERR_INPUT, "conf-last-line: house: the last line of a configuration file ends with a line break");
		line = trim(line);
		if (line.n == 0)
			continue;
		if (line.p[0] == '#')
			TRY(check_comment(line));
		else if (line.p[0] == '[')
			TRY(get_section(c, line));
		else
			TRY(get_value(c, line));
	}
	*out = c;
	c = NULL;
	return ok;
}

void
conf_drop(struct conf **c)
{
	if (*c == NULL)
		return;
	buf_drop(&(*c)->bytes);
	free(*c);
	*c = NULL;
}

bool
conf_has_section(const struct conf *c, slice section)
{
	for (size_t i = 0; i < c->n_sections; i++)
		if (slice_eq(c->section[i], section))
			return true;
	return false;
}

slice
conf_section(const struct conf *c, size_t i)
{
	return i < c->n_sections ? c->section[i] : (slice){NULL, 0};
}

err
conf_text(const struct conf *c, slice section, const char *name, slice *out)
{
	for (size_t i = 0; i < c->n; i++)
		if (slice_eq(c->line[i].section, section) && slice_eq(c->line[i].name, slice_str(name))) {
			*out = c->line[i].value;
			return ok;
		}
	return fail(ERR_INPUT, "conf-absent: house: a configuration file lacks a name it must have");
}

slice
conf_text_or(const struct conf *c, slice section, const char *name, slice otherwise)
{
	slice s;

	return conf_text(c, section, name, &s).kind == OK ? s : otherwise;
}

err
conf_number(const struct conf *c, slice section, const char *name, uint64_t max, uint64_t *out)
{
	slice s;

	TRY(conf_text(c, section, name, &s));
	return decimal_get(s, max, out);
}

err
conf_number_or(const struct conf *c, slice section, const char *name, uint64_t max, uint64_t otherwise, uint64_t *out)
{
	if (conf_text_or(c, section, name, (slice){NULL, 0}).p != NULL)
		return conf_number(c, section, name, max, out);
	*out = otherwise;
	return ok;
}

err
conf_flag(const struct conf *c, slice section, const char *name, bool *out)
{
	slice s;

	TRY(conf_text(c, section, name, &s));
	if (!slice_eq(s, LIT("yes")) && !slice_eq(s, LIT("no")))
		return fail(ERR_INPUT, "conf-flag: house: a flag is yes or no");
	*out = s.n == 3;
	return ok;
}

bool
conf_set_get(slice words, const struct conf_word *known, size_t n, unsigned *out)
{
	unsigned set = 0;
	bool more = true;
	slice word;

	while (more) {
		unsigned one = 0;

		more = slice_cut(&words, ' ', &word);
		if (!more)
			word = words;
		for (size_t i = 0; i < n; i++)
			if (slice_eq(word, slice_str(known[i].word)))
				one = known[i].bit;
		if (one == 0 || (set & one) != 0)
			return false;
		set |= one;
	}
	*out = set;
	return true;
}

err
conf_check_known(const struct conf *c, slice section, const char *const *names)
{
	for (size_t i = 0; i < c->n; i++) {
		bool known = !slice_eq(c->line[i].section, section);

		for (size_t k = 0; names[k] != NULL && !known; k++)
			known = slice_eq(c->line[i].name, slice_str(names[k]));
		if (!known)
			return fail(ERR_INPUT, "conf-unknown: house: a configuration file has a name its reader does not know");
	}
	return ok;
}
