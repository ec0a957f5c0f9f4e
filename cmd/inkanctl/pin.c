#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/pin.h"
#include "edge/log.h"

static const char *const SIGNERS[] = {"issuer", "status"};

struct pin {
	const char *home;
	bool yes, json;
	const char *word, *role; /* of the command line; role NULL: both */
};

static void
put_path(const struct pin *p, size_t i, char out[4096])
{
	snprintf(out, 4096, "%.3900s/journal-%s/pin-refused", p->home, SIGNERS[i]);
}

static bool
is_noted(const struct pin *p, size_t i)
{
	char path[4096];

	put_path(p, i, path);
	return (p->role == NULL || strcmp(p->role, SIGNERS[i]) == 0) && access(path, F_OK) == 0;
}

static int
show(const struct pin *p)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	size_t n = 0;

	json_open(&b, '{');
	for (size_t i = 0; i < COUNT(SIGNERS); i++) {
		bool noted = is_noted(p, i);

		n += noted;
		json_put_named(&b, SIGNERS[i], noted ? LIT("refused") : LIT("free"));
		if (noted && !p->json)
			printf("%s: %s\n", SIGNERS[i], ctl_say("the token refused the PIN; it is not tried again"));
	}
	json_close(&b, '}');
	if (p->json)
		printf("%.*s\n", (int)b.n, (const char *)b.p);
	else if (n == 0)
		puts(ctl_say("no token refused a PIN"));
	return n > 0 ? DONE_NO : DONE_OK;
}

/* In the house's own log, so that who reads it later sees why a hand tried again. */
static void
say_in_log(const struct pin *p)
{
	char path[4096];
	int fd, keep;

	snprintf(path, sizeof path, "%.3900s/log/inkan.log", p->home);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return; /* a house that was never opened has no log */
	keep = dup(2);
	if (keep >= 0 && dup2(fd, 2) == 2) {
		log_open("inkanctl");
		log_text(LOG_WARN, "pin-cleared: house: an operator says that the token's PIN may be tried again");
		(void)dup2(keep, 2);
	}
	if (keep >= 0)
		close(keep);
	close(fd);
}

static bool
confirm(const struct pin *p)
{
	char line[64] = {0};

	if (p->yes)
		return true;
	fprintf(stderr, "%s\n%s: ",
	    ctl_say("A token locks after a few wrong PINs. Clear this only when you know the PIN given at start is right, "
	            "or will give another."),
	    ctl_say("Type \"clear\" to let it be tried again"));
	return fgets(line, sizeof line, stdin) != NULL && strcmp(line, "clear\n") == 0;
}

static int
clear(const struct pin *p)
{
	bool any = false;
	char path[4096];

	for (size_t i = 0; i < COUNT(SIGNERS); i++)
		any = any || is_noted(p, i);
	if (!any) {
		puts(ctl_say("no token refused a PIN"));
		return DONE_OK;
	}
	if (!confirm(p))
		return DONE_NO;
	for (size_t i = 0; i < COUNT(SIGNERS); i++) {
		put_path(p, i, path);
		if (is_noted(p, i) && unlink(path) != 0) {
			fprintf(stderr, "inkanctl: %s: %s\n", path, strerror(errno));
			return DONE_WORLD;
		}
	}
	say_in_log(p);
	puts(ctl_say("cleared; note why in the books: inkanctl office note accident"));
	return DONE_OK;
}

int
pin_main(int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"home", required_argument, NULL, 'h'}, {"yes", no_argument, NULL, 'y'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'H'}, {NULL, 0, NULL, 0}};
	const char *usage = ctl_say("usage: inkanctl pin [clear] [issuer|status] [--home DIR] [--yes] [--json]\n"
	                            "  says which signer's token refused its PIN; clear: it may be tried again\n"
	                            "exit: 0 done, 1 a refused PIN is noted, 2 usage, 3 could not\n");
	struct pin p = {.home = ctl_house()};
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
		if (c == 'h')
			p.home = optarg;
		else if (c == 'y')
			p.yes = true;
		else if (c == 'j')
			p.json = true;
		else {
			if (c != 'H')
				ctl_refuse_option(argv);
			fputs(usage, c == 'H' ? stdout : stderr);
			return c == 'H' ? DONE_OK : DONE_USAGE;
		}
	if (optind < argc && strcmp(argv[optind], "clear") == 0)
		p.word = argv[optind++];
	if (optind < argc && (strcmp(argv[optind], SIGNERS[0]) == 0 || strcmp(argv[optind], SIGNERS[1]) == 0))
		p.role = argv[optind++];
	if (optind < argc) {
		fputs(usage, stderr);
		return DONE_USAGE;
	}
	if (ctl_check_house(p.home).kind != OK)
		return DONE_WORLD;
	return p.word == NULL ? show(&p) : clear(&p);
}
