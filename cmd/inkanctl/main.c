/*
 * inkanctl - what operators and officers do with a house.
 *
 * Reading commands open the files themselves (they only grow, so the size read
 * first is a snapshot); acting goes through HOME/run/office as signed documents.
 */
#include <stdio.h>

#include "cmd/inkanctl/books.h"
#include "cmd/inkanctl/check.h"
#include "cmd/inkanctl/init.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/office.h"
#include "cmd/inkanctl/pin.h"
#include "cmd/inkanctl/monitor.h"
#include "cmd/inkanctl/room.h"
#include "cmd/inkanctl/rotate.h"
#include "cmd/inkanctl/start.h"

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv); /* argv[0] is the command's name */
	const char *help;
} COMMANDS[] = {
    {"init", init_main, "make a new house: keys in tokens, trust file, first documents"},
    {"start", start_main, "open the house: start its processes"},
    {"stop", stop_main, "close the house"},
    {"status", status_main, "how the house stands"},
    {"office", office_main, "decide, revoke, approve: documents signed by officers"},
    {"automation", automation_main, "stop and resume decisions by rule"},
    {"books", books_main, "read, check and explain the books"},
    {"check-status", check_status_main, "hold what is served against the books: every list, every OCSP answer"},
    {"pin", pin_main, "a PIN that a token refused: what is noted, and clear it"},
    {"room", room_main, "pause the signers, and start them again"},
    {"rotate-responder", rotate_main, "another key and certificate for OCSP answers, without a gap"},
    {"monitor", monitor_main, "take a house's heartbeats on another machine; alarm on silence"},
    {"confirm-clock", confirm_main, "confirm a clock that stopped the signing"},
};

static int
usage(FILE *f)
{
	enum lang l = ctl_locale();

	fputs(words(l, "usage: inkanctl COMMAND [OPTIONS]\n\n"), f);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		fprintf(f, "  %-17s %s\n", COMMANDS[i].name, words(l, COMMANDS[i].help));
	fputs(words(l, "\ninkanctl COMMAND --help says more; the whole stands in inkanctl(1).\n"), f);
	return f == stdout ? 0 : 2;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(stdout);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			return COMMANDS[i].main(argc - 1, argv + 1);
	fprintf(stderr, "inkanctl: %s: %s\n", argv[1], ctl_say("there is no such command"));
	return usage(stderr);
}
