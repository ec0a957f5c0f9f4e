/*
 * inkand - starts the house's processes, wires them together, watches them.
 *
 * HOLDS   the table of roles and wires, every control socket, the token PIN in
 *         locked memory, the listening sockets until they are handed over.
 * HEARS   signals (TERM, INT: stop; USR1: the clock is confirmed), the roles'
 *         answers to heartbeats; USR2: look whether run/room-closed is there, and
 *         whether responder.conf is another than the status signer was started with.
 * NEVER   parses what comes from outside, writes a book, touches a key.
 *
 * A role that dies is started anew and every wire it had is made anew at both
 * ends; one that does not answer its heartbeat is killed first; one that stops
 * itself with EXIT_CORRUPT stays stopped until an operator has looked.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/body.h"
#include "act/numbers.h"
#include "act/order.h"
#include "base/conf.h"
#include "cmd/inkand/checker.h"
#include "cmd/inkand/folders.h"
#include "cmd/inkand/house.h"
#include "cmd/inkand/listen.h"
#include "cmd/inkand/pin.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/log.h"

#define BEAT_EVERY_MS 2000
#define BEAT_LATE_MS 15000   /* an answer later than this: the process is stuck, not slow */
#define START_LATE_MS 120000 /* before the first answer: reading journals and books        */
#define STOP_LATE_MS 10000
#define EXIT_CORRUPT 3 /* a role says: what I hold is damaged, do not start me again */

/*
 * What of root stays once ports are bound and folders given away, here and in every child: a role reads its files (whose
 * owner it will be, DAC_OVERRIDE), makes its folder, becomes its user, and takes more back (SETPCAP);
 * one that is late is killed.
 */
static const int KEEP[] = {CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_SETPCAP};

static void
add_role(struct house *h, enum peer peer, uint64_t number, const char *name, const char *mode, unsigned user)
{
	assert(h->n < ROLES_MAX);
	h->role[h->n++] = (struct role){.peer = peer, .number = number, .name = name, .mode = mode, .user = user};
}

/* run/pids: "name number pid" a line, for whoever must end or look at one process by its id. */
static void
write_pids(const struct house *h)
{
	struct buf path OWNED(buf_drop) = BUF(512), text OWNED(buf_drop) = BUF(4096);
	int fd;

	buf_put_str(&path, h->home);
	buf_put(&path, slice_of("/run/pids", sizeof "/run/pids")); /* with its NUL */
	for (size_t i = 0; i < h->n; i++) {
		if (h->role[i].pid == 0)
			continue;
		buf_put_str(&text, h->role[i].mode == NULL ? h->role[i].name : h->role[i].mode);
		buf_put_u8(&text, ' ');
		buf_put_decimal(&text, h->role[i].number);
		buf_put_u8(&text, ' ');
		buf_put_decimal(&text, (uint64_t)h->role[i].pid);
		buf_put_u8(&text, '\n');
	}
	if (h->checker.pid != 0) {
		buf_put_str(&text, "checker 0 ");
		buf_put_decimal(&text, (uint64_t)h->checker.pid);
		buf_put_u8(&text, '\n');
	}
	fd = open((char *)path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		log_text(LOG_WARN, "inkand-pids: house: the list of processes cannot be written");
	if (fd >= 0)
		close(fd);
}

/* In the child: descriptor 3 is the control socket, nothing else is inherited beside 0, 1, 2. */
static void
exec_role(const struct house *h, const struct role *r, int control)
{
	char path[512], number[24], uid[24], group[24], clock[48];
	const char *argv[14];
	size_t n = 0;
	sigset_t none;

	snprintf(path, sizeof path, "%s/%s", h->libexec, r->name);
	snprintf(number, sizeof number, "%llu", (unsigned long long)r->number);
	snprintf(uid, sizeof uid, "%u", h->user_base == 0 ? 0 : h->user_base + r->user);
	argv[n++] = path;
	if (r->mode != NULL)
		argv[n++] = r->mode;
	argv[n++] = "--home";
	argv[n++] = h->home;
	argv[n++] = "--number";
	argv[n++] = number;
	argv[n++] = "--uid";
	argv[n++] = uid;
	if (r->peer == PEER_MESSENGER && h->user_base != 0) { /* it reads what is published, as the fronts do */
		snprintf(group, sizeof group, "%u", h->user_base + 1);
		argv[n++] = "--group";
		argv[n++] = group;
	}
	snprintf(clock, sizeof clock, "%lld:%lld", (long long)h->clock.ms, (long long)h->clock_at);
	argv[n++] = "--clock";
	argv[n++] = clock;
	argv[n] = NULL;
	if (dup2(control, 3) != 3 || close_range(4, ~0U, 0) != 0)
		_exit(127);
	if (control == 3)
		(void)fcntl(3, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no role outlives its inkand */
	{
		union {
			const char **from;
			char *const *to;
		} u = {.from = argv};

		execv(path, u.to);
	}
	_exit(127);
}

/* responder.conf as it stands: a file that is replaced is another. */
static void
stat_responder(const struct house *h, ino_t *inode, struct timespec *at)
{
	char path[512];
	struct stat st;

	*inode = 0;
	*at = (struct timespec){0};
	snprintf(path, sizeof path, "%s/responder.conf", h->home);
	if (stat(path, &st) != 0)
		return;
	*inode = st.st_ino;
	*at = st.st_mtim;
}

static void
start_role(struct house *h, struct role *r)
{
	int pair[2];

	if (r->peer == PEER_STATUS) {
		stat_responder(h, &h->responder_inode, &h->responder_at);
		r->renewed = false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		r->start_at = clock_steady_ms() + 1000;
		return;
	}
	r->pid = fork();
	if (r->pid < 0) {
		r->pid = 0;
		close(pair[0]);
		close(pair[1]);
		r->start_at = clock_steady_ms() + 1000;
		return;
	}
	if (r->pid == 0)
		exec_role(h, r, pair[1]);
	close(pair[1]);
	link_drop(&r->control);
	r->control = link_new(pair[0], r->peer, r->number);
	r->started = r->beat_heard = r->beat_sent = r->read_at = clock_steady_ms();
	r->answered = false;
	r->again = 0;
	wire_role(h, r);
	write_pids(h);
}

static void
role_died(struct house *h, struct role *r, int status)
{
	int64_t now = clock_steady_ms();
	const char *name = r->mode == NULL ? r->name : r->mode;

	r->pid = 0;
	link_drop(&r->control);
	write_pids(h);
	if (h->stopping)
		return;
	if ((r->paused || r->renewed) && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		r->start_at = 0;
		return; /* as it was told */
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CORRUPT) {
		r->retired = true;
		log_number(LOG_ALARM,
		    "inkand-stopped: house: a role stopped because what it holds is damaged; look, then inkanctl start", name,
		    r->number);
		return;
	}
	r->restarts++;
	r->deaths = now - r->started > STEADY_MS ? 1 : r->deaths + 1;
	r->start_at = now + (r->deaths < 2 ? 0 : r->deaths > 7 ? 10000 : 100 << (r->deaths - 2));
	if (WIFSIGNALED(status))
		log_number(LOG_WARN, "inkand-died: house: a role died of a signal and is started anew", name,
		    (uint64_t)WTERMSIG(status));
	else
		log_number(
		    LOG_WARN, "inkand-died: house: a role ended and is started anew", name, (uint64_t)WEXITSTATUS(status));
}

static void
reap(struct house *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (checker_ended(&h->checker, pid, status))
			write_pids(h);
		for (size_t i = 0; i < h->n; i++)
			if (h->role[i].pid == pid)
				role_died(h, &h->role[i], status);
	}
}

static void
tell_all(struct house *h, uint8_t kind)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->role[i].pid != 0) {
			link_order(h->role[i].control, kind, 0, (slice){NULL, 0});
			(void)link_flush(h->role[i].control).kind;
		}
}

/* Design law 9: a role that is started anew after the clock jumped must not take the new hour for its first. */
static void
look_at_clock(struct house *h, bool confirmed)
{
	instant wall = clock_now();
	int64_t steady = clock_steady_ms(), off = wall.ms - (h->clock.ms + (steady - h->clock_at));

	if (h->clock.ms != 0 && (off <= -HOUR_MS || (off >= HOUR_MS && !confirmed)))
		return;
	h->clock = wall;
	h->clock_at = steady;
}

/* --- the CA room: inkanctl room close and open -------------------------------------- */
static bool
is_signer(const struct role *r)
{
	return r->peer == PEER_ISSUER || r->peer == PEER_STATUS;
}

/* The file stays over a restart of inkand: a room that a person closed, a person opens. */
static void
look_at_room(struct house *h)
{
	char path[512];
	bool was = h->room_closed;

	snprintf(path, sizeof path, "%s/run/room-closed", h->home);
	h->room_closed = access(path, F_OK) == 0;
	if (was != h->room_closed)
		log_text(LOG_WARN, h->room_closed ? "inkand-room-closed: house: the signers are paused until inkanctl room open"
		                                  : "inkand-room-open: house: the signers are started again");
	for (size_t i = 0; i < h->n; i++) {
		struct role *r = &h->role[i];

		if (!is_signer(r) || r->paused == h->room_closed)
			continue;
		r->paused = h->room_closed;
		r->start_at = 0;
		if (r->paused && r->pid != 0) {
			link_order(r->control, ORDER_STOP, 0, (slice){NULL, 0});
			(void)link_flush(r->control).kind;
		}
	}
}

/* Its key was changed: the status signer is stopped, and started with the new one. */
static void
look_at_responder(struct house *h)
{
	struct timespec at;
	ino_t inode;

	stat_responder(h, &inode, &at);
	for (size_t i = 0; i < h->n; i++) {
		struct role *r = &h->role[i];

		if (r->peer != PEER_STATUS || r->pid == 0 || r->renewed ||
		    (inode == h->responder_inode && at.tv_sec == h->responder_at.tv_sec &&
		        at.tv_nsec == h->responder_at.tv_nsec))
			continue;
		r->renewed = true;
		log_text(
		    LOG_NOTE, "inkand-responder: house: the responder's key was changed; the status signer is started anew");
		link_order(r->control, ORDER_STOP, 0, (slice){NULL, 0});
		(void)link_flush(r->control).kind;
	}
}

/* --- numbers ------------------------------------------------------------------------ */
static unsigned
role_number(const struct role *r)
{
	static const uint8_t number[] = {[PEER_FRONT] = ROLE_FRONT,
	    [PEER_REGISTRAR] = ROLE_REGISTRAR,
	    [PEER_VERIFIER] = ROLE_VERIFIER,
	    [PEER_ISSUER] = ROLE_ISSUER,
	    [PEER_STATUS] = ROLE_STATUS,
	    [PEER_PUBLISHER] = ROLE_PUBLISHER,
	    [PEER_MESSENGER] = ROLE_MESSENGER};

	return number[r->peer];
}

/* How the processes and the disk stand: the body of every heartbeat. */
static void
put_numbers(const struct house *h, struct buf *b)
{
	struct numbers *n = mem_new(1, sizeof *n);
	uint64_t up[ROLE_N] = {0}, restarts[ROLE_N] = {0}, stopped[ROLE_N] = {0};
	bool paused[ROLE_N] = {false};
	struct statvfs v;

	for (size_t i = 0; i < h->n; i++) {
		unsigned k = role_number(&h->role[i]);

		up[k] += h->role[i].pid != 0;
		restarts[k] += h->role[i].restarts;
		stopped[k] += h->role[i].retired;
		paused[k] = h->role[i].paused;
	}
	for (unsigned k = 0; k < ROLE_N; k++) {
		if (!paused[k]) /* what a person paused is not down */
			numbers_tell(n, N_ROLE_UP, k, 0, up[k]);
		numbers_tell(n, N_ROLE_RESTARTS, k, 0, restarts[k]);
		numbers_tell(n, N_ROLE_STOPPED, k, 0, stopped[k]);
	}
	numbers_tell(n, N_ROOM_CLOSED, 0, 0, h->room_closed);
	checker_tell(&h->checker, n);
	if (statvfs(h->home, &v) == 0) {
		numbers_tell(n, N_DISK_FREE, 0, 0, (uint64_t)v.f_bavail * v.f_frsize);
		numbers_tell(n, N_DISK_SIZE, 0, 0, (uint64_t)v.f_blocks * v.f_frsize);
	}
	numbers_put(b, n);
	free(n);
}

/* Starts what is due, sends heartbeats, kills what does not answer. */
static void
tend(struct house *h)
{
	int64_t now = clock_steady_ms();
	pid_t check = h->checker.pid;

	look_at_clock(h, false);
	checker_tend(&h->checker, h->ready, h->stopping);
	if (h->checker.pid != check)
		write_pids(h);
	for (size_t i = 0; i < h->n; i++) {
		struct role *r = &h->role[i];

		if (r->pid == 0) {
			if (!h->stopping && !r->retired && !r->paused && now >= r->start_at)
				start_role(h, r);
			continue;
		}
		if (h->stopping && now > h->stop_at) {
			log_text(LOG_WARN, "inkand-kill: house: a role did not stop in time and is killed");
			kill(r->pid, SIGKILL);
			continue;
		}
		if (link_is_empty(r->control))
			r->read_at = now;
		if (now - (r->beat_heard < r->read_at ? r->beat_heard : r->read_at) >
		    (r->answered ? BEAT_LATE_MS : START_LATE_MS)) {
			log_number(LOG_ALARM, "inkand-late: house: a role does not answer its heartbeat and is killed",
			    r->mode == NULL ? r->name : r->mode, r->number);
			kill(r->pid, SIGKILL);
			r->beat_heard = now;
			continue;
		}
		if (now - r->beat_sent >= (r->answered ? BEAT_EVERY_MS : 100)) {
			/* before the first answer one beat is enough: it waits in the socket */
			/* nothing is queued for one that does not read */
			if (link_is_empty(r->control) && (r->answered || r->beat_sent == r->started)) {
				struct buf body OWNED(buf_drop) = BUF(NUMBERS_BYTES);

				put_numbers(h, &body);
				link_order(r->control, ORDER_BEAT, ++h->beat, buf_slice(&body));
			}
			r->beat_sent = now;
		}
		wire_again(h, r, now);
		(void)link_flush(r->control).kind;
	}
}

static void
hear(struct house *h, struct role *r)
{
	struct frame f;
	bool have = true;

	if (link_fill(r->control).kind != OK)
		return; /* its death is seen by waitpid */
	while (link_next(r->control, &have, &f).kind == OK && have) {
		if (f.kind == ORDER_WIRE) {
			wire_want(h, r, f.body);
			continue;
		}
		r->beat_heard = clock_steady_ms();
		if (r->answered || f.kind != ORDER_BEAT)
			continue;
		r->answered = true;
		for (size_t i = 0; i < h->n && r != NULL; i++)
			if (!h->role[i].answered && !h->role[i].retired && !h->role[i].paused)
				r = NULL;
		if (r != NULL) {
			h->ready = true;
			log_text(LOG_NOTE, "inkand-ready: house: every role answers");
		}
		return;
	}
}

static bool
all_gone(const struct house *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->role[i].pid != 0)
			return false;
	return h->checker.pid == 0;
}

static void
take_signal(struct house *h, int signals)
{
	struct signalfd_siginfo s;

	if (read(signals, &s, sizeof s) != (ssize_t)sizeof s)
		return;
	if (s.ssi_signo == SIGCHLD)
		reap(h);
	else if (s.ssi_signo == SIGUSR1) {
		look_at_clock(h, true);
		tell_all(h, ORDER_CONFIRM);
	} else if (s.ssi_signo == SIGUSR2) {
		look_at_room(h);
		look_at_responder(h);
	} else if (!h->stopping) {
		h->stopping = true;
		h->stop_at = clock_steady_ms() + STOP_LATE_MS;
		tell_all(h, ORDER_STOP);
	}
}

static void
run(struct house *h, int signals)
{
	while (!h->stopping || !all_gone(h)) {
		struct pollfd p[1 + ROLES_MAX];
		struct role *of[1 + ROLES_MAX];
		nfds_t n = 0;

		tend(h);
		p[n++] = (struct pollfd){.fd = signals, .events = POLLIN};
		for (size_t i = 0; i < h->n; i++)
			if (h->role[i].pid != 0) {
				of[n] = &h->role[i];
				p[n++] = (struct pollfd){.fd = link_fd(h->role[i].control), .events = POLLIN};
			}
		(void)poll(p, n, 100);
		for (nfds_t i = 1; i < n; i++)
			if (p[i].revents & POLLIN)
				hear(h, of[i]);
		if (p[0].revents & POLLIN)
			take_signal(h, signals);
		reap(h);
	}
}

/* --- start ------------------------------------------------------------------- */
static err
configure(struct house *h, const struct conf *c)
{
	const slice sec = LIT("inkand"), front = LIT("front"), verifier = LIT("verifier");
	slice where, libexec = conf_text_or(c, sec, "libexec", (slice){NULL, 0});
	uint64_t v, fronts, verifiers;

	if (libexec.n >= sizeof h->libexec)
		return fail(ERR_INPUT, "inkand-libexec: house: the path of the roles is too long");
	if (libexec.n > 0) {
		memcpy(h->libexec, libexec.p, libexec.n);
		h->libexec[libexec.n] = '\0';
	}
	TRY(conf_number_or(c, sec, "user_base", UINT32_MAX / 2, 0, &v));
	h->user_base = (uint32_t)v;
	TRY(conf_number_or(c, front, "count", 8, 1, &fronts));
	TRY(conf_number_or(c, verifier, "count", 8, 1, &verifiers));
	fronts += fronts == 0;
	verifiers += verifiers == 0;
	TRY(conf_text(c, front, "listen", &where));
	TRY(listen_tcp(where, &h->public_fd));
	if (conf_text(c, front, "private", &where).kind == OK)
		TRY(listen_tcp(where, &h->private_fd));
	for (uint64_t i = 0; i < verifiers; i++)
		add_role(h, PEER_VERIFIER, i, "verifier", NULL, 3);
	add_role(h, PEER_ISSUER, 0, "signer", "issuer", 4);
	h->status_user = conf_text(c, LIT("status_token"), "module", &where).kind == OK ? STATUS_USER : 4;
	add_role(h, PEER_STATUS, 0, "signer", "status", h->status_user);
	add_role(h, PEER_PUBLISHER, 0, "publisher", NULL, 6);
	add_role(h, PEER_MESSENGER, 0, "messenger", NULL, 7);
	add_role(h, PEER_REGISTRAR, 0, "registrar", NULL, 2);
	for (uint64_t i = 0; i < fronts; i++)
		add_role(h, PEER_FRONT, i, "front", NULL, 1);
	return ok;
}

/* The roles stand beside us: …/bin/inkand, …/libexec/inkan/front as installed, …/libexec/front as built; else LIBEXEC. */
static void
find_libexec(struct house *h)
{
	static const char *const PLACES[] = {"libexec/inkan", "libexec"};
	char self[200], front[240];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	snprintf(h->libexec, sizeof h->libexec, "%s", LIBEXEC);
	if (n <= 0)
		return;
	self[n] = '\0';
	for (int i = 0; i < 2; i++) {
		slash = strrchr(self, '/');
		if (slash == NULL)
			return;
		*slash = '\0';
	}
	for (size_t i = 0; i < COUNT(PLACES); i++) {
		snprintf(front, sizeof front, "%s/%s/front", self, PLACES[i]);
		if (access(front, X_OK) != 0)
			continue;
		snprintf(h->libexec, sizeof h->libexec, "%s/%s", self, PLACES[i]);
		return;
	}
}

/*
 * run/inkand.pid, locked as long as this process lives: the lock says who runs, since a number alone may be another's by
 * now.  A second inkand over the same house would write the same books.
 */
static err
write_pid(const struct house *h)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[512];
	int fd; /* kept open until the process ends */

	snprintf(path, sizeof path, "%s/run/inkand.pid", h->home);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_why(ERR_WORLD, "inkand-pid: house: run/inkand.pid cannot be written", errno);
	if (fcntl(fd, F_SETLK, &lock) != 0)
		return fail_why(ERR_CONFLICT, "inkand-twice: house: an inkand of this house is running already", errno);
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return fail_why(ERR_WORLD, "inkand-pid: house: run/inkand.pid cannot be written", errno);
	return ok;
}

static err
start(struct house *h, const char *pin_file, int *signals)
{
	struct conf *c OWNED(conf_drop) = NULL;
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);
	char path[512];
	sigset_t set;
	slice s;

	h->public_fd = h->private_fd = h->office_fd = -1;
	TRY(folders_check_home(h->home));
	find_libexec(h);
	snprintf(path, sizeof path, "%s/inkan.conf", h->home);
	TRY(file_load(path, &text));
	TRY(conf_get(buf_slice(&text), &c));
	if (conf_text(c, LIT("clock"), "test", &s).kind == OK && s.n > 0) {
		snprintf(path, sizeof path, "%s/%.*s", h->home, (int)s.n, (const char *)s.p);
		TRY(clock_use_test(path));
	}
	look_at_clock(h, true);
	TRY(configure(h, c));
	TRY(pin_room(&h->pin));
	TRY(pin_take(h->home, c, pin_file, h->status_user != STATUS_USER, h->pin));
	TRY(folders_make(h->home, h->user_base, h->status_user));
	TRY(write_pid(h));
	TRY(checker_configure(&h->checker, h->home, c, h->user_base));
	TRY(listen_office(h->home, &h->office_fd));
	look_at_room(h);
	if (h->user_base != 0)
		TRY(jail_keep_capabilities(KEEP, COUNT(KEEP)));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*signals < 0)
		return fail_why(ERR_WORLD, "inkand-signals: house: the system gives no signal descriptor", errno);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* not before: who is not root could not read /proc/self/fd any more */
	return ok;
}

static void
usage(FILE *f)
{
	fputs("usage: inkand --home DIR [--pin-file FILE]\n"
	      "Starts and watches the processes of an Inkan house; stops on TERM or INT.\n"
	      "inkand --home DIR: 印鑑の各プロセスを起動し、見守ります。TERM または INT で止まります。\n"
	      "exit: 0 stopped as asked, 2 usage, 3 could not start\n",
	    f);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'},
	    {"pin-file", required_argument, NULL, 'p'}, {"help", no_argument, NULL, '?' + 256}, {0}};
	static struct house h; /* the one value of this process */
	const struct rlimit none = {0, 0};
	const char *pin_file = NULL;
	int c, signals;
	char path[512];
	err e;

	signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none); /* the PIN passes through buffers that are not locked; starters inherit it */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'h':
			h.home = realpath(optarg, NULL); /* kept until the end */
			if (h.home == NULL) {
				perror(optarg);
				return 3;
			}
			break;
		case 'p':
			pin_file = optarg;
			break;
		case '?' + 256:
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	if (h.home == NULL) {
		usage(stderr);
		return 2;
	}
	log_open("inkand");
	e = start(&h, pin_file, &signals);
	if (e.kind != OK) {
		log_err(LOG_ALARM, e);
		return 3;
	}
	run(&h, signals);
	secret_drop(&h.pin[0]);
	secret_drop(&h.pin[1]);
	snprintf(path, sizeof path, "%s/run/inkand.pid", h.home);
	(void)unlink(path);
	return 0;
}
