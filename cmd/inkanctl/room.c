#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/room.h"
#include "cmd/inkanctl/start.h"
#include "edge/clock.h"

#define ENDED_MS 15000

/* True when run/pids names neither signer. */
static bool
is_empty(const char *pids)
{
	struct buf text OWNED(buf_drop) = BUF(8192);
	slice rest, line;

	if (ctl_read(pids, &text).kind != OK)
		return false;
	rest = buf_slice(&text);
	while (slice_cut(&rest, '\n', &line))
		if (slice_has_prefix(line, LIT("issuer ")) || slice_has_prefix(line, LIT("status ")))
			return false;
	return true;
}

static int
put_flag(const char *path, bool closed)
{
	int fd;

	if (!closed)
		return unlink(path) == 0 ? 0 : -1;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fsync(fd) != 0)
		return -1;
	return close(fd);
}

static int
change(const struct ctl *c, const char *path, bool closed)
{
	char *pids = ctl_path(c, "run/pids");
	int64_t end = clock_steady_ms() + ENDED_MS;
	pid_t pid = start_running(c->home);
	int done = DONE_OK;

	if (put_flag(path, closed) != 0) {
		perror(path);
		done = DONE_WORLD;
	} else if (pid != 0 && kill(pid, SIGUSR2) != 0) {
		perror("inkanctl: kill");
		done = DONE_WORLD;
	}
	while (done == DONE_OK && closed && pid != 0 && !is_empty(pids)) {
		if (clock_steady_ms() > end) {
			fprintf(stderr, "inkanctl: %s\n", ctl_say("the signers did not stop in time"));
			done = DONE_WORLD;
		}
		(void)poll(NULL, 0, 20);
	}
	free(pids);
	return done;
}

int
room_main(int argc, char **argv)
{
	static const char usage[] =
	    "usage: inkanctl room [close|open] [--home DIR] [--json]\n"
	    "  pauses both signers, or starts them again: for work in the CA room, or a drill\n"
	    "  what is published stays good until it lapses; nothing new is signed meanwhile\n"
	    "  without a word: says whether the room is closed; a closed room stays closed over a restart\n"
	    "  exit codes: 0 done, 1 it was so already, 2 usage, 3 could not\n";
	struct ctl c;
	enum done done;
	int rest;
	char *path;
	bool is_closed, closed;
	err e;

	if (!ctl_get(&c, argc, argv, usage, &done, &rest))
		return done;
	if (argc - rest > 1 ||
	    (argc - rest == 1 && strcmp(argv[rest], "close") != 0 && strcmp(argv[rest], "open") != 0)) {
		fputs(ctl_words(&c, usage), stderr);
		return DONE_USAGE;
	}
	e = ctl_check_house(c.home);
	if (e.kind != OK)
		return (int)ctl_fail(&c, e);
	path = ctl_path(&c, "run/room-closed");
	is_closed = access(path, F_OK) == 0;
	if (argc == rest) {
		if (c.json)
			printf("{\"room\":\"%s\"}\n", is_closed ? "closed" : "open");
		else
			printf("%s\n", is_closed ? ctl_say("the room is closed: the signers are paused") : ctl_say("the room is open"));
		free(path);
		return DONE_OK;
	}
	closed = strcmp(argv[rest], "close") == 0;
	if (closed == is_closed) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("it was so already"));
		done = DONE_NO;
	} else
		done = (enum done)change(&c, path, closed);
	free(path);
	return (int)done;
}
