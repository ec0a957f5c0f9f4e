/*
 * checker.h - `inkanctl check-status` by inkand's clock: what relying parties are told, held against the books.
 *
 * Depends on: base, numbers, conf, edge/{clock,log}.  Touches: starts one process, hears one line of it.
 *
 * inkan.conf:
 *   [check]
 *   every_s = 3600     from the end of one to the beginning of the next; 0: never.  The first after that time, five minutes at most
 *   most_s = 1800      one that takes longer is killed
 *   url = http://…     where what is served is read; absent: the profile's own addresses, as strangers have them
 *
 * The child is `inkanctl check-status --clocked UID:GROUP`: a user of its own with the books' group, in a jail of its own
 * (cmd/inkanctl/check_clocked.c), reading the books and what is public, writing nothing.  It says what it found by one line
 * of numbers on descriptor 3 and its exit code; what differs stands in the log.  There are never two.
 *
 * Design law 5: one that dies, is late, cannot be started or says something else counts as "could not check", which is an
 * alarm.  inkand tells the result with its heartbeats: fronts show it, messenger writes a letter.
 */
#ifndef CMD_INKAND_CHECKER_H
#define CMD_INKAND_CHECKER_H

#include <sys/types.h>

#include "act/numbers.h"
#include "base/base.h"
#include "base/conf.h"
#include "base/time.h"

struct checker {
	const char *home; /* borrowed */
	char program[256];
	uint32_t user, group; /* 0: as we are, in tests */
	int64_t every_ms, most_ms;
	pid_t pid;          /* 0: none is running */
	int fd;             /* owned: what it says; -1 */
	int64_t opened;     /* on the steady clock */
	int64_t began, due; /* on the steady clock … */
	instant due_at;     /* … and on the other one: whichever says it first */
	bool late;          /* it was killed */
	struct checker_result {
		instant at; /* of the end; 0: none yet */
		uint64_t differences, could_not, answers, seconds;
	} last;
};

/* ERR_INPUT of conf. */
err checker_configure(struct checker *k, const char *home, const struct conf *c, uint32_t user_base) CHECKED;
/* Starts one when it is due and the house was once ready, or is not for five minutes; ends one that is late, or when `stopping`. */
void checker_tend(struct checker *k, bool ready, bool stopping);
/* True where this process was it. */
bool checker_ended(struct checker *k, pid_t pid, int status) CHECKED;
void checker_tell(const struct checker *k, struct numbers *n);

#endif
