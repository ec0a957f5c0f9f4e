#include <stdio.h>
#include <unistd.h>

#include "cmd/inkanctl/inkanctl.h"

static enum lang
locale(void)
{
	return lang_of_locale(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"));
}

const char *
ctl_words(const struct ctl *c, const char *english)
{
	return words(c->lang, english);
}

bool
ctl_get(struct ctl *c, int argc, char **argv, const char *usage, enum done *done, int *rest)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, '?'}, {0}};
	int o;

	*c = (struct ctl){.lang = locale(), .progress = isatty(STDERR_FILENO) == 1};
	c->home = access("demo/house/inkan.conf", F_OK) == 0 ? "demo/house" : "/var/lib/inkan";
	optind = 1;
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'h')
			c->home = optarg;
		else if (o == 'j')
			c->json = true;
		else {
			bool asked = optind > 0 && strcmp(argv[optind - 1], "--help") == 0;

			fputs(words(c->lang, usage), asked ? stdout : stderr);
			*done = asked ? DONE_OK : DONE_USAGE;
			return false;
		}
	}
	*rest = optind;
	return true;
}

enum done
ctl_fail(const struct ctl *c, err e)
{
	fprintf(stderr, "inkanctl: %s", words(c->lang, e.what));
	if (e.why != 0)
		fprintf(stderr, " (%ld)", e.why);
	fputc('\n', stderr);
	return e.kind == ERR_WORLD || e.kind == ERR_BUSY ? DONE_WORLD : DONE_NO;
}

char *
ctl_path(const struct ctl *c, const char *name)
{
	size_t n = strlen(c->home) + strlen(name) + 2;
	char *p = mem_new(n, 1);

	snprintf(p, n, "%s/%s", c->home, name);
	return p;
}
