/*
 * start.h - how inkand starts a role, and how a role ends.
 *
 * Depends on: base, edge/log.  Touches: this process's arguments and signals.
 *
 *   role [MODE] --home DIR --number N --uid U [--group G] --clock W:S    descriptor 3: the control socket
 *
 * W:S is the last moment at which inkand found the clock right: by the clock and by the
 * steady one, in ms.  A role that is started anew goes on from there (design law 9).
 *
 * Exit codes: 0 asked to stop, or inkand is gone; 1 something outside failed, to be
 * started anew; 2 usage; 3 what this role holds is damaged: it stays stopped until
 * an operator has looked.
 */
#ifndef EDGE_START_H
#define EDGE_START_H

#include "base/base.h"
#include "base/time.h"

struct start {
	const char *mode; /* NULL when none was given */
	const char *home;
	uint64_t number;
	uint32_t uid;
	uint32_t group; /* one more group, whose files it may read; 0: none */
	instant clock;  /* zero when it was not said: the first look counts */
	int64_t clock_at;
};

/* Takes the arguments, names the log, ignores SIGPIPE.  ERR_INPUT start-usage. */
err start_get(const char *role, int argc, char **argv, struct start *out) CHECKED;
/* The exit code for how a role ended, said once in the log. */
int start_end(err e);
/* HOME/name as a string that lives as long as the process. */
const char *start_path(const struct start *s, const char *name);
/* A whole file of the house's own configuration, before the jail. */
err start_load(const struct start *s, const char *name, struct buf *out) CHECKED;

/*
 * The test clock, where inkan.conf names one: for roles that do not hold the trust file.  Those that do refuse it where
 * that file does not allow it (design law 7), and without them there is no house.  Before the jail.
 */
err start_test_clock(const struct start *s) CHECKED;

#endif
