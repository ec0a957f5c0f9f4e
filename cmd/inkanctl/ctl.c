#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/inkanctl/inkanctl.h"
#include "edge/file.h"
#include "edge/hsm.h"

#define PATH_BYTES 4096

enum lang
ctl_locale(void)
{
	return lang_of_locale(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"));
}

const char *
ctl_say(const char *english)
{
	return words(ctl_locale(), english);
}

const char *
ctl_house(void)
{
	return access("demo/house/inkan.conf", F_OK) == 0 ? "demo/house" : "/var/lib/inkan";
}

err
ctl_check_house(const char *home)
{
	char path[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof path, "%s/inkan.conf", home) >= sizeof path)
		return fail(ERR_WORLD, "house-path: house: the path of the house is too long");
	if (access(path, F_OK) == 0)
		return ok;
	fprintf(stderr, "inkanctl: %s: %s\n", path, strerror(errno));
	return fail(ERR_WORLD,
	    "house-none: house: no house stands in this folder; name it with --home, or make one with inkanctl init");
}

void
ctl_explain(err e)
{
	fprintf(stderr, "inkanctl: %s", ctl_say(e.what));
	if (e.why != 0)
		fprintf(stderr, " (%s)", strncmp(e.what, "hsm-", 4) == 0 ? hsm_rv_name(e.why) : strerror((int)e.why));
	fputc('\n', stderr);
}

void
ctl_refuse_option(char *const *argv)
{
	fprintf(stderr, "inkanctl %s: %s: %s\n", argv[0], argv[optind - 1],
	    ctl_say("no such option, or its value is missing or not one of those there are"));
}

/* Says which file it was: the refusal alone does not. */
static err
say_file(const char *path, err e)
{
	if (e.kind == OK)
		return ok;
	fprintf(stderr, "inkanctl: %s%s%s\n", path, e.why == 0 ? "" : ": ", e.why == 0 ? "" : strerror((int)e.why));
	return fail(e.kind, e.what);
}

err
ctl_read(const char *path, struct buf *out)
{
	return say_file(path, file_load(path, out));
}

err
ctl_read_pin(const char *path, struct secret *out)
{
	return say_file(path, file_load_pin(path, out));
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

	*c = (struct ctl){.lang = ctl_locale(), .progress = isatty(STDERR_FILENO) == 1};
	c->home = ctl_house();
	optind = 1;
	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'h')
			c->home = optarg;
		else if (o == 'j')
			c->json = true;
		else {
			bool asked = optind > 0 && strcmp(argv[optind - 1], "--help") == 0;

			if (!asked)
				ctl_refuse_option(argv);
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
	(void)c;
	ctl_explain(e);
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
