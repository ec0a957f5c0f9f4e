#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/inkand/checker.h"
#include "edge/clock.h"
#include "edge/log.h"

#define EVERY_S 3600
#define MOST_S 1800 /* a million certificates take two minutes */
#define SECONDS_MAX (UINT64_C(7) * 86400)
#define FIRST_MS 300000 /* a house that was opened is looked at soon, when its first round is through */
#define CHECKER_USER 8  /* offset from user_base, as the roles have theirs                              */
#define BOOKS_USER 2    /* the registrar's: its group may read the books                                */
#define NICE 10         /* nobody who asks for an answer waits for it                                   */
#define LINE_BYTES 128
#define MEMORY_LEAST ((rlim_t)2 << 30) /* of addresses: libraries, threads of the resolver, a fold of ten million */
#define NUMBER_MAX 1000000000000U

/* inkanctl lies beside inkand.  Looked for at the start: later who is not root may not ask where it runs from. */
static void
find_program(struct checker *k)
{
	char self[200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	snprintf(k->program, sizeof k->program, "%s/inkanctl", self);
}

static void
plan_next(struct checker *k, int64_t wait_ms)
{
	k->due = clock_steady_ms() + wait_ms;
	k->due_at = (instant){clock_now().ms + wait_ms};
}

err
checker_configure(struct checker *k, const char *home, const struct conf *c, uint32_t user_base)
{
	static const char *const names[] = {"every_s", "most_s", "url", NULL};
	const slice sec = LIT("check");
	uint64_t every = EVERY_S, most = MOST_S;

	*k = (struct checker){.home = home, .fd = -1, .opened = clock_steady_ms()};
	if (conf_has_section(c, sec)) {
		TRY(conf_check_known(c, sec, names));
		TRY(conf_number_or(c, sec, "every_s", SECONDS_MAX, EVERY_S, &every));
		TRY(conf_number_or(c, sec, "most_s", SECONDS_MAX, MOST_S, &most));
	}
	k->every_ms = (int64_t)every * SECOND_MS;
	k->most_ms = (int64_t)(most == 0 ? 1 : most) * SECOND_MS;
	if (user_base != 0) {
		k->user = user_base + CHECKER_USER;
		k->group = user_base + BOOKS_USER;
	}
	find_program(k);
	plan_next(k, k->every_ms < FIRST_MS ? k->every_ms : FIRST_MS);
	return ok;
}

static void
done(struct checker *k, struct checker_result r)
{
	r.at = clock_now();
	r.seconds = (uint64_t)(clock_steady_ms() - k->began + 999) / 1000;
	if (r.differences > 0)
		log_number(LOG_ALARM, "check-differs: Rule 6(xi): what is served differs from the books", "differences",
		    r.differences);
	if (r.could_not > 0)
		log_number(LOG_ALARM, "check-unchecked: design law 5: what is served could not be held against the books",
		    "reasons", r.could_not);
	k->last = r;
	plan_next(k, k->every_ms);
}

/* It was not even begun. */
static void
could_not_start(struct checker *k, err e)
{
	log_err(LOG_ALARM, e);
	k->began = clock_steady_ms();
	done(k, (struct checker_result){.could_not = 1});
}

/* It reads what strangers serve: where memory ends it is the first that goes, and long before it the kernel says no. */
static void
bound_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	rlim_t most = pages > 0 && page > 0 ? (rlim_t)pages * (rlim_t)page / 2 : 0;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (most < MEMORY_LEAST)
		most = MEMORY_LEAST;
	(void)setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
	if (fd >= 0 && write(fd, "1000", 4) != 4)
		log_text(LOG_WARN, "inkand-check-memory: house: a check by the clock is not the first to go where memory ends");
	if (fd >= 0)
		close(fd);
}

/* In the child: descriptor 3 is the pipe, nothing else is inherited beside 0, 1, 2. */
static void
exec_check(const struct checker *k, int to)
{
	char who[48];
	const char *argv[] = {k->program, "check-status", "--home", k->home, "--clocked", who, NULL};
	union {
		const char **from;
		char *const *to;
	} u = {.from = argv};
	sigset_t none;

	snprintf(who, sizeof who, "%u:%u", k->user, k->group);
	if (dup2(to, 3) != 3 || close_range(4, ~0U, 0) != 0)
		_exit(127);
	if (to == 3)
		(void)fcntl(3, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive its inkand */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	bound_memory();
	execv(k->program, u.to);
	_exit(127);
}

static void
start(struct checker *k)
{
	err e =
	    access(k->program, X_OK) == 0
	        ? ok
	        : fail(ERR_WORLD, "inkand-checker: house: inkanctl is not beside inkand; nothing is checked by the clock");
	int pair[2];

	if (e.kind == OK && pipe2(pair, O_CLOEXEC) != 0)
		e = fail_why(ERR_WORLD, "inkand-check: house: a check by the clock could not be started", errno);
	if (e.kind != OK) {
		could_not_start(k, e);
		return;
	}
	k->pid = fork();
	if (k->pid == 0)
		exec_check(k, pair[1]);
	close(pair[1]);
	if (k->pid < 0) {
		k->pid = 0;
		close(pair[0]);
		could_not_start(
		    k, fail_why(ERR_WORLD, "inkand-check: house: a check by the clock could not be started", errno));
		return;
	}
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK); /* who else holds the other end keeps nobody waiting */
	k->fd = pair[0];
	k->began = clock_steady_ms();
	k->late = false;
}

void
checker_tend(struct checker *k, bool ready, bool stopping)
{
	int64_t now = clock_steady_ms();

	if (k->pid == 0) {
		bool due = k->every_ms > 0 && (now >= k->due || clock_now().ms >= k->due_at.ms);

		if (due && !stopping && (ready || now >= k->opened + FIRST_MS))
			start(k);
		return;
	}
	if (k->late || (!stopping && now - k->began <= k->most_ms))
		return;
	k->late = true;
	if (!stopping)
		log_text(LOG_ALARM, "inkand-check-late: house: a check by the clock took too long and is killed");
	kill(k->pid, SIGKILL);
}

/* "differences could_not answers", a line. */
static bool
get_line(slice s, struct checker_result *out)
{
	struct checker_result r = {0};
	slice a, b;

	if (s.n == 0 || s.p[s.n - 1] != '\n')
		return false;
	s.n--;
	if (!slice_cut(&s, ' ', &a) || !slice_cut(&s, ' ', &b) || decimal_get(a, NUMBER_MAX, &r.differences).kind != OK ||
	    decimal_get(b, NUMBER_MAX, &r.could_not).kind != OK || decimal_get(s, NUMBER_MAX, &r.answers).kind != OK)
		return false;
	*out = r;
	return true;
}

bool
checker_ended(struct checker *k, pid_t pid, int status)
{
	struct checker_result r = {0};
	uint8_t line[LINE_BYTES];
	ssize_t n;
	bool said;
	int code;

	if (k->pid == 0 || k->pid != pid)
		return false;
	n = read(k->fd, line, sizeof line); /* it has ended: what it said is there */
	close(k->fd);
	k->fd = -1;
	k->pid = 0;
	said = n > 0 && get_line(slice_of(line, (size_t)n), &r);
	code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	/* line and exit code are one word: 0 nothing, 1 differences, 3 not seen whole */
	if (!said || k->late || code != (r.differences > 0 ? 1 : r.could_not > 0 ? 3 : 0))
		r.could_not++;
	done(k, r);
	return true;
}

void
checker_tell(const struct checker *k, struct numbers *n)
{
	if (k->last.at.ms == 0)
		return;
	numbers_tell_time(n, N_CHECK_AT, 0, 0, k->last.at);
	numbers_tell(n, N_CHECK_DIFFERENCES, 0, 0, k->last.differences);
	numbers_tell(n, N_CHECK_COULD_NOT, 0, 0, k->last.could_not);
	numbers_tell(n, N_CHECK_ALARM, 0, 0, k->last.differences > 0 || k->last.could_not > 0);
	numbers_tell(n, N_CHECK_ANSWERS, 0, 0, k->last.answers);
	numbers_tell(n, N_CHECK_SECONDS, 0, 0, k->last.seconds);
}
