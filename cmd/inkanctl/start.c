#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "base/conf.h"
#include "base/json.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/start.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/ipc.h"

#define READY_MS 120000 /* reading journals and books of a large house takes its time */
#define STOP_MS 20000

struct options {
	const char *home, *pin_file;
	bool json, wait, foreground;
};

static int
usage(FILE *f, const char *text)
{
	fputs(ctl_say(text), f);
	return f == stdout ? 0 : 2;
}

/* -1: go on, in a folder where a house stands; else the exit code. */
static int
get_options(int argc, char **argv, const char *text, struct options *o)
{
	static const struct option names[] = {{"home", required_argument, NULL, 'h'},
	    {"pin-file", required_argument, NULL, 'p'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'H'},
	    {0}};
	int c;
	err e;

	*o = (struct options){0};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (c == 'h')
			o->home = optarg;
		else if (c == 'p')
			o->pin_file = optarg;
		else if (c == 'j')
			o->json = true;
		else if (c == 'H')
			return usage(stdout, text);
		else {
			ctl_refuse_option(argv);
			return usage(stderr, text);
		}
	if (optind < argc)
		return usage(stderr, text);
	if (o->home == NULL)
		o->home = ctl_house();
	e = ctl_check_house(o->home);
	if (e.kind == OK)
		return -1;
	ctl_explain(e);
	return DONE_WORLD;
}

static void
path_of(char *out, size_t n, const char *home, const char *name)
{
	if ((size_t)snprintf(out, n, "%s/%s", home, name) >= n) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("the path of the house is too long"));
		exit(3);
	}
}

/* The running inkand, 0 when there is none: it holds the lock of run/inkand.pid as long as it lives. */
pid_t
start_running(const char *home)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[1024];
	int fd;

	path_of(path, sizeof path, home, "run/inkand.pid");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fcntl(fd, F_GETLK, &lock) != 0)
		lock.l_type = F_UNLCK;
	close(fd);
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/* The registrar's word about the house: JSON.  It answers only when it has opened its books. */
static err
ask_state(const char *home, int wait_ms, struct buf *out)
{
	struct link *l OWNED(link_drop) = NULL;
	struct frame f;
	char path[1024];
	slice text = {NULL, 0};

	path_of(path, sizeof path, home, "run/office");
	TRY(link_connect(path, PEER_OFFICE, &l));
	link_order(l, ORDER_STATE, 1, (slice){NULL, 0});
	TRY(link_wait(l, wait_ms, &f));
	if (f.fail != OK)
		return fail(f.fail, "state: house: the registrar does not say how the house stands");
	TRY(octets_get(f.body, &text));
	buf_put(out, text);
	return buf_check(out);
}

/* Asks without echo. */
static bool
ask_pin(int tty, const char *prompt, struct secret *pin)
{
	struct termios was, quiet;
	ssize_t n;

	dprintf(tty, "%s: ", prompt);
	if (tcgetattr(tty, &was) != 0)
		return false;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	n = read(tty, pin->p, sizeof pin->p);
	(void)tcsetattr(tty, TCSAFLUSH, &was);
	dprintf(tty, "\n");
	while (n > 0 && pin->p[n - 1] == '\n')
		n--;
	pin->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool
start_ask_pin(const char *prompt, struct secret *pin)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	bool good = tty >= 0 && ask_pin(tty, prompt, pin);

	if (tty >= 0)
		close(tty);
	return good;
}

/* Which PINs a person gives: of each token that the configuration names, and for which it names no file. */
struct asked {
	bool token, status;
};

/* Into a sealed memory file that inkand reads and nobody else can find: the issuer's in its first line, the other's in its second. */
static int
ask_pins(struct asked want)
{
	struct secret pin[2] = {{.n = 0}, {.n = 0}};
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC), fd = -1;
	bool good = tty >= 0;

	if (good && want.token)
		good = ask_pin(tty, ctl_say("PIN of the token"), &pin[0]);
	if (good && want.status)
		good = ask_pin(tty, ctl_say("PIN of the status signer's token"), &pin[1]);
	if (tty >= 0)
		close(tty);
	if (good)
		fd = memfd_create("pin", 0);
	if (fd >= 0 && (write(fd, pin[0].p, pin[0].n) != (ssize_t)pin[0].n || write(fd, "\n", 1) != 1 ||
	                   write(fd, pin[1].p, pin[1].n) != (ssize_t)pin[1].n || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	secret_drop(&pin[0]);
	secret_drop(&pin[1]);
	return fd;
}

static void
exec_inkand(const struct options *o, int pin_fd)
{
	char self[1024], pin_path[64];
	const char *argv[6] = {self, "--home", o->home, NULL};
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 16);
	char *slash;
	union {
		const char **from;
		char *const *to;
	} u = {.from = argv};

	if (n <= 0)
		_exit(127);
	self[n] = '\0';
	slash = strrchr(self, '/');
	snprintf(slash + 1, 8, "inkand");
	if (o->pin_file != NULL || pin_fd >= 0) {
		snprintf(pin_path, sizeof pin_path, "/proc/self/fd/%d", pin_fd);
		argv[3] = "--pin-file";
		argv[4] = o->pin_file != NULL ? o->pin_file : pin_path;
		argv[5] = NULL;
	}
	execv(self, u.to);
	_exit(127);
}

static bool
lacks_pin(const struct conf *c, slice section)
{
	slice v;

	return conf_text(c, section, "module", &v).kind == OK && conf_text(c, section, "pin_file", &v).kind != OK;
}

/* A PIN stands in a file that the configuration names in a test; else a person gives it. */
static struct asked
pins_wanted(const char *home)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);
	struct conf *c OWNED(conf_drop) = NULL;
	char path[1024];

	path_of(path, sizeof path, home, "inkan.conf");
	if (file_load(path, &text).kind != OK || conf_get(buf_slice(&text), &c).kind != OK)
		return (struct asked){false, false}; /* inkand says what is wrong with it */
	return (struct asked){lacks_pin(c, LIT("token")), lacks_pin(c, LIT("status_token"))};
}

static err
wait_ready(const struct options *o, pid_t child)
{
	int64_t end = clock_steady_ms() + READY_MS;

	while (clock_steady_ms() < end) {
		struct buf state OWNED(buf_drop) = BUF(FRAME_MAX);
		int status;

		if (waitpid(child, &status, WNOHANG) == child)
			return fail(ERR_WORLD, "start-ended: house: inkand ended at once; its log says why");
		if (ask_state(o->home, 500, &state).kind == OK)
			return ok;
		(void)poll(NULL, 0, 50);
	}
	return fail(ERR_BUSY, "start-late: house: the house did not answer in time; its log says why");
}

int
start_main(int argc, char **argv)
{
	static const char text[] =
	    "usage: inkanctl start [--home DIR] [--pin-file FILE]\n"
	    "  opens the house: starts its processes and waits until they are ready\n"
	    "  --pin-file FILE  the token's PIN; without it and without pin_file in inkan.conf it is asked for\n"
	    "  exit codes: 0 done, 1 it was running already, 2 usage, 3 could not\n";
	struct options o;
	char log[1024];
	int c = get_options(argc, argv, text, &o), pin_fd = -1, fd;
	struct asked want;
	pid_t child;
	err e;

	if (c >= 0)
		return c;
	if (start_running(o.home) != 0) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("the house is running already"));
		return 1;
	}
	want = pins_wanted(o.home);
	if (o.pin_file == NULL && (want.token || want.status))
		pin_fd = ask_pins(want);
	path_of(log, sizeof log, o.home, "log");
	(void)mkdir(log, 0750);
	path_of(log, sizeof log, o.home, "log/inkan.log");
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0) {
		perror(log);
		return 3;
	}
	child = fork();
	if (child == 0) {
		(void)setsid();
		if (dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(127);
		exec_inkand(&o, pin_fd);
	}
	e = child < 0 ? fail_why(ERR_WORLD, "start-fork: house: no more processes to be had", errno)
	              : wait_ready(&o, child);
	if (e.kind != OK) {
		fprintf(stderr, "inkanctl: %s (%s)\n", ctl_say(e.what), log);
		return 3;
	}
	printf("%s\n", ctl_say("the house is open"));
	return 0;
}

int
stop_main(int argc, char **argv)
{
	struct options o;
	int c = get_options(argc, argv,
	    "usage: inkanctl stop [--home DIR]\n"
	    "  closes the house: its processes end after the turn they are at\n"
	    "  exit codes: 0 done, 1 it was not running, 2 usage, 3 could not\n",
	    &o);
	int64_t end = clock_steady_ms() + STOP_MS;
	pid_t pid;

	if (c >= 0)
		return c;
	pid = start_running(o.home);
	if (pid == 0) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("the house is not running"));
		return 1;
	}
	if (kill(pid, SIGTERM) != 0) {
		perror("inkanctl: kill");
		return 3;
	}
	while (start_running(o.home) == pid && clock_steady_ms() < end)
		(void)poll(NULL, 0, 20);
	if (start_running(o.home) == pid) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("the house did not stop in time"));
		return 3;
	}
	return 0;
}

/* The public half of the key that heartbeats are signed with, base64 of its SubjectPublicKeyInfo, as the last member. */
static void
add_heartbeat_key(const char *home, struct buf *state)
{
	struct buf pem OWNED(buf_drop) = BUF(4096);
	char path[1024];
	slice rest, line;

	path_of(path, sizeof path, home, "repository/heartbeat.pub");
	if (access(path, R_OK) != 0 || file_load(path, &pem).kind != OK || state->n < 2 || state->p[state->n - 1] != '}')
		return;
	rest = buf_slice(&pem);
	if (!slice_cut(&rest, '\n', &line) || !slice_cut(&rest, '\n', &line))
		return;
	state->n--;
	buf_put_str(state, ",\"heartbeat_key\":");
	json_put_text(state, line);
	buf_put_u8(state, '}');
}

static uint64_t
number_of(json j, const char *name)
{
	uint64_t v = 0;

	return json_natural(j, name, &v).kind == OK ? v : 0;
}

/* A text of the registrar's, said in the reader's language; nothing where it is "-". */
static void
say_text(json j, const char *name, const char *before)
{
	struct buf t OWNED(buf_drop) = BUF(2048);
	slice text;

	if (json_text(j, name, &text).kind != OK || slice_eq(text, LIT("-")))
		return;
	words_put(&t, ctl_locale(), text);
	printf("%s %.*s", before, (int)t.n, (const char *)t.p);
}

/* One copy of the repository: completeness, age, last error. */
static void
say_mirror(json m)
{
	uint64_t missing = number_of(m, "missing"), refused = number_of(m, "refused");
	slice name;

	if (json_text(m, "name", &name).kind != OK)
		return;
	printf("%s %.*s: ", ctl_say("mirror"), (int)name.n, (const char *)name.p);
	if (missing == 0)
		printf("%s", ctl_say("complete"));
	else
		printf("%llu %s, %llu %s", (unsigned long long)missing, ctl_say("files missing"),
		    (unsigned long long)number_of(m, "behind_s"), ctl_say("s since it was complete"));
	say_text(m, "trouble", ";");
	if (refused > 0) {
		printf("; %llu %s", (unsigned long long)refused, ctl_say("files refused, the first:"));
		say_text(m, "refused_path", "");
		say_text(m, "refused_why", ",");
	}
	putchar('\n');
}

/* The last check by the clock. */
static void
say_check(json c)
{
	slice state, at;

	printf("%s: ", ctl_say("last check"));
	if (json_text(c, "state", &state).kind != OK || json_text(c, "at", &at).kind != OK) {
		printf("%s\n", ctl_say("none yet"));
		return;
	}
	printf("%.*s, ", (int)at.n, (const char *)at.p);
	if (slice_eq(state, LIT("as the books say")))
		printf("%s", ctl_say("all as the books say"));
	else
		printf("%llu %s, %llu %s", (unsigned long long)number_of(c, "differences"), ctl_say("differences"),
		    (unsigned long long)number_of(c, "could_not"), ctl_say("reasons why it was not seen whole"));
	printf(" (%llu %s)\n", (unsigned long long)number_of(c, "answers"), ctl_say("OCSP answers verified"));
}

static const char *
say_key(slice state)
{
	if (slice_eq(state, LIT("used")))
		return ctl_say("in use since");
	if (slice_eq(state, LIT("left")))
		return ctl_say("its last answers lapse within 48 hours of");
	return slice_eq(state, LIT("made")) ? ctl_say("made, not yet in use, since")
	                                    : ctl_say("wants the record of another person, since");
}

/* Who signs OCSP answers, until when, and whose answers may still be about. */
static void
say_responder(json r)
{
	slice text;
	json keys;

	if (json_text(r, "until", &text).kind == OK)
		printf("%-24s %.*s\n", "responder_until", (int)text.n, (const char *)text.p);
	if (json_list(r, "keys", &keys).kind != OK)
		return;
	for (size_t i = 0; i < json_count(keys); i++) {
		slice state, since;

		if (json_text(json_at(keys, i), "key", &text).kind == OK && json_text(json_at(keys, i), "state", &state).kind == OK &&
		    json_text(json_at(keys, i), "since", &since).kind == OK)
			printf("%s %.16s: %s, %.*s\n", ctl_say("responder's key"), (const char *)text.p, say_key(state), (int)since.n,
			    (const char *)since.p);
	}
}

/* What is said in words; false: it is shown as it is. */
static bool
status_says(slice name, json v)
{
	if (slice_eq(name, LIT("mirrors"))) {
		for (size_t i = 0; i < json_count(v); i++)
			say_mirror(json_at(v, i));
		return true;
	}
	if (slice_eq(name, LIT("responder"))) {
		say_responder(v);
		return true;
	}
	if (!slice_eq(name, LIT("check")))
		return false;
	say_check(v);
	return true;
}

/* "…_s": seconds, which people read in hours. */
static void
put_hours(struct buf *value, slice name)
{
	uint64_t s;

	if (name.n < 2 || name.p[name.n - 2] != '_' || name.p[name.n - 1] != 's' ||
	    decimal_get(buf_slice(value), INT64_MAX, &s).kind != OK)
		return;
	buf_put_str(value, " (");
	buf_put_decimal(value, s / 3600);
	buf_put_str(value, " h ");
	buf_put_decimal(value, s / 60 % 60);
	buf_put_str(value, " min)");
}

int
status_main(int argc, char **argv)
{
	struct options o;
	struct buf state OWNED(buf_drop) = BUF(FRAME_MAX);
	struct json *j OWNED(json_drop) = NULL;
	int c = get_options(argc, argv,
	    "usage: inkanctl status [--home DIR] [--json]\n"
	    "  how the house stands, as its registrar says\n"
	    "  exit codes: 0 done, 2 usage, 3 the house does not answer\n",
	    &o);
	void *iter = NULL;
	slice name, text;
	json v;
	err e;

	if (c >= 0)
		return c;
	e = ask_state(o.home, OFFICE_WAIT_MS, &state);
	add_heartbeat_key(o.home, &state);
	if (e.kind == OK)
		e = json_get(buf_slice(&state), &j);
	if (e.kind != OK) {
		ctl_explain(e);
		return 3;
	}
	if (o.json) {
		printf("%.*s\n", (int)state.n, (const char *)state.p);
		return 0;
	}
	while (json_next(json_root(j), &iter, &name, &v)) {
		struct buf value OWNED(buf_drop) = BUF(FRAME_MAX);

		if (status_says(name, v))
			continue;
		if (json_as_text(v, &text).kind == OK)
			buf_put(&value, text);
		else
			json_put_value(&value, v);
		put_hours(&value, name);
		printf("%-24.*s %.*s\n", (int)name.n, (const char *)name.p, (int)value.n, (const char *)value.p);
	}
	return 0;
}

int
confirm_main(int argc, char **argv)
{
	struct options o;
	int c = get_options(argc, argv,
	    "usage: inkanctl confirm-clock [--home DIR]\n"
	    "  says that the machine's clock is right; the house had stopped signing because of it\n"
	    "  exit codes: 0 done, 1 the house is not running, 2 usage, 3 could not\n",
	    &o);
	pid_t pid;

	if (c >= 0)
		return c;
	pid = start_running(o.home);
	if (pid == 0) {
		fprintf(stderr, "inkanctl: %s\n", ctl_say("the house is not running"));
		return 1;
	}
	return kill(pid, SIGUSR1) == 0 ? 0 : 3;
}
