#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/heartbeat.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/monitor.h"
#include "edge/clock.h"
#include "edge/http.h"

#define LATE_S_MAX 86400
#define OFF_S 300          /* a heartbeat's time and ours                                    */
#define STRANGERS_MS 60000 /* bad heartbeats raise one alarm in so long: anybody can post one */
#define MESSAGE_MAX (16U << 10)

struct monitor {
	const char *mail, *exec, *state;
	bool json, once;
	int64_t late_ms, off_ms;
	struct key *key;
	struct http *http;
	int64_t heard;    /* on the steady clock; the start counts as one */
	int64_t stranger; /* the last alarm about a bad one               */
	uint64_t sequence, taken, refused;
	bool silent, raised;
	struct buf alarms; /* owned: as they stood in the last heartbeat, a line each */
};

static volatile sig_atomic_t stopped; /* the one thing a signal may touch */

static void
stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* --- what an alarm does ------------------------------------------------------------ */
static void
put_message(struct buf *b, bool mail, slice code, slice text)
{
	struct buf ja OWNED(buf_drop) = BUF(2048);

	words_put(&ja, LANG_JA, text);
	if (mail) {
		buf_put_str(b, "Subject: [inkan] ");
		buf_put(b, code);
		buf_put_str(
		    b, "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	}
	buf_put(b, text);
	buf_put_u8(b, '\n');
	buf_put(b, buf_slice(&ja));
	buf_put_u8(b, '\n');
}

/* The message on its standard input; of --exec also code and sentence as $1 and $2. */
static void
run(const char *command, bool mail, slice code, slice text)
{
	struct buf message OWNED(buf_drop) = BUF(MESSAGE_MAX);
	char one[128], two[1024];
	int pipes[2];
	pid_t child;

	put_message(&message, mail, code, text);
	snprintf(one, sizeof one, "%.*s", (int)code.n, (const char *)code.p);
	snprintf(two, sizeof two, "%.*s", (int)(text.n < 1000 ? text.n : 1000), (const char *)text.p);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return;
	child = fork();
	if (child == 0) {
		if (dup2(pipes[0], 0) == 0)
			execl("/bin/sh", "sh", "-c", command, "inkan-alarm", one, two, (char *)NULL);
		_exit(127);
	}
	close(pipes[0]);
	if (child > 0 && write(pipes[1], message.p, message.n) < 0)
		perror("inkanctl: write"); /* a pipe takes so little at once; a child that reads nothing is its own matter */
	close(pipes[1]);
}

static void
say(struct monitor *m, const char *event, const char *what)
{
	struct buf line OWNED(buf_drop) = BUF(MESSAGE_MAX), time OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice text = slice_str(what), rest = text, code;

	if (!slice_cut(&rest, ':', &code))
		code = text;
	instant_put(&time, clock_now());
	if (m->json) {
		json_open(&line, '{');
		json_put_named(&line, "time", buf_slice(&time));
		json_put_named(&line, "event", slice_str(event));
		json_put_named(&line, "code", code);
		json_put_named(&line, "what", text);
		json_close(&line, '}');
	} else {
		buf_put(&line, buf_slice(&time));
		buf_put_u8(&line, ' ');
		buf_put_str(&line, event);
		buf_put_u8(&line, ' ');
		words_put(&line, ctl_locale(), text);
	}
	printf("%.*s\n", (int)line.n, (const char *)line.p);
	(void)fflush(stdout);
	if (strcmp(event, "alarm") == 0)
		m->raised = true;
	if (m->mail != NULL)
		run(m->mail, true, code, text);
	if (m->exec != NULL)
		run(m->exec, false, code, text);
}

/* Anybody can post rubbish: it is told, and not told again at once. */
static void
stranger(struct monitor *m, const char *what)
{
	int64_t now = clock_steady_ms();

	m->refused++;
	if (m->stranger != 0 && now - m->stranger < STRANGERS_MS)
		return;
	m->stranger = now;
	say(m, "alarm", what);
}

/* --- heartbeats -------------------------------------------------------------------- */
static bool
stands_in(slice lines, slice want)
{
	slice line;

	while (slice_cut(&lines, '\n', &line))
		if (slice_eq(line, want))
			return true;
	return false;
}

/* Alarms that are new are raised; those that are gone are said to be over. */
static void
take_alarms(struct monitor *m, json list)
{
	struct buf now = BUF(MESSAGE_MAX);
	slice rest, line, text;

	for (size_t i = 0; i < json_count(list) && i < ALARMS_MAX; i++)
		if (json_as_text(json_at(list, i), &text).kind == OK && text.n < 512 && memchr(text.p, '\n', text.n) == NULL) {
			buf_put(&now, text);
			buf_put_u8(&now, '\n');
		}
	rest = buf_slice(&now);
	while (slice_cut(&rest, '\n', &line)) {
		char what[512];

		snprintf(what, sizeof what, "%.*s", (int)line.n, (const char *)line.p);
		if (!stands_in(buf_slice(&m->alarms), line))
			say(m, "alarm", what);
	}
	rest = buf_slice(&m->alarms);
	while (slice_cut(&rest, '\n', &line)) {
		char what[512];

		snprintf(what, sizeof what, "%.*s", (int)line.n, (const char *)line.p);
		if (!stands_in(buf_slice(&now), line))
			say(m, "over", what);
	}
	buf_drop(&m->alarms);
	m->alarms = now;
}

/* Written beside and renamed: after a crash the old number, and never none. */
static void
store(const struct monitor *m)
{
	char text[32], beside[PATH_MAX];
	int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)m->sequence), fd;

	if (m->state == NULL)
		return;
	snprintf(beside, sizeof beside, "%s.new", m->state);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)n) != n || fsync(fd) != 0 || rename(beside, m->state) != 0)
		perror(m->state);
	if (fd >= 0)
		close(fd);
}

static err
take(struct monitor *m, slice body)
{
	struct json *doc OWNED(json_drop) = NULL;
	struct heartbeat h;
	int64_t off;

	TRY(heartbeat_get(body, m->key, &doc, &h));
	if (h.sequence <= m->sequence)
		return fail(ERR_CONFLICT, "heartbeat-replay: house: this heartbeat, or a later one, was here before");
	off = h.time.ms - clock_now().ms;
	if (off > m->off_ms || off < -m->off_ms)
		return fail(ERR_POLICY, "heartbeat-time: house: this heartbeat's time is far from the monitor's own");
	m->sequence = h.sequence;
	m->taken++;
	m->heard = clock_steady_ms();
	store(m);
	if (m->silent)
		say(m, "over", "heartbeat-silence: house: the house is silent: no heartbeat came in time");
	m->silent = false;
	take_alarms(m, h.alarms);
	return ok;
}

static void
look(struct monitor *m)
{
	if (m->silent || clock_steady_ms() - m->heard <= m->late_ms)
		return;
	m->silent = true;
	say(m, "alarm", "heartbeat-silence: house: the house is silent: no heartbeat came in time");
}

/* --- HTTP -------------------------------------------------------------------------- */
static size_t
body_max(void *role, enum http_method method, slice path)
{
	(void)role;
	return method == HTTP_POST && slice_eq(path, LIT("/heartbeat")) ? HEARTBEAT_MAX : HTTP_NO_ROUTE;
}

static void
put_state(struct monitor *m, struct buf *b)
{
	slice rest = buf_slice(&m->alarms), line;

	json_open(b, '{');
	json_put_named(b, "status", m->silent ? LIT("silent") : m->alarms.n > 0 ? LIT("alarm") : LIT("ok"));
	json_put_named_number(b, "heard_s_ago", (uint64_t)(clock_steady_ms() - m->heard) / 1000);
	json_put_named_number(b, "sequence", m->sequence);
	json_put_named_number(b, "taken", m->taken);
	json_put_named_number(b, "refused", m->refused);
	json_put_name(b, "alarms");
	json_open(b, '[');
	while (slice_cut(&rest, '\n', &line))
		json_put_text(b, line);
	json_close(b, ']');
	json_close(b, '}');
}

static bool
request(void *role, const struct http_request *q, struct http_reply *reply)
{
	struct monitor *m = role;
	err e;

	*reply = (struct http_reply){.status = 404, .type = "text/plain"};
	if (q->method == HTTP_GET && slice_eq(q->path, LIT("/health"))) {
		put_state(m, q->room);
		*reply = (struct http_reply){.status = m->silent || m->alarms.n > 0 ? 503 : 200, .type = "application/json"};
	} else if (q->method == HTTP_POST && slice_eq(q->path, LIT("/heartbeat"))) {
		e = take(m, q->body);
		reply->status = e.kind == OK ? 200 : e.kind == ERR_CONFLICT ? 409 : e.kind == ERR_POLICY ? 403 : 400;
		buf_put_str(q->room, e.kind == OK ? "taken" : e.what);
		buf_put_u8(q->room, '\n');
		if (e.kind != OK)
			stranger(m, e.what);
	}
	reply->body = buf_slice(q->room);
	return true;
}

static void
refuse(void *role, unsigned status, struct http_reply *reply, struct buf *body)
{
	(void)role;
	(void)body;
	*reply = (struct http_reply){.status = status, .type = "text/plain"};
}

/* --- start ------------------------------------------------------------------------- */
static err
load_key(const char *path, struct key **out)
{
	struct buf text OWNED(buf_drop) = BUF(4096), der OWNED(buf_drop) = BUF(SPKI_MAX);
	struct key *k OWNED(key_drop) = NULL;
	const err bad = fail(ERR_INPUT,
	    "monitor-key: house: the file is not the public key that inkanctl init left in repository/heartbeat.pub");
	slice rest, line;

	TRY(ctl_read(path, &text));
	rest = buf_slice(&text);
	if (!slice_cut(&rest, '\n', &line) || !slice_eq(line, LIT("-----BEGIN PUBLIC KEY-----")) ||
	    !slice_cut(&rest, '\n', &line) || base64_get(line, &der).kind != OK ||
	    !slice_eq(rest, LIT("-----END PUBLIC KEY-----\n")) || key_get_spki(buf_slice(&der), &k).kind != OK ||
	    key_kind(k) != KEY_ED25519)
		return bad;
	*out = k;
	k = NULL;
	return ok;
}

static err
listen_at(const char *where, int *out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV}, *a;
	char host[64], *colon;
	int fd, one = 1;

	snprintf(host, sizeof host, "%s", where);
	colon = strrchr(host, ':');
	if (colon == NULL)
		return fail(ERR_INPUT, "monitor-listen: house: --listen takes an address and a port such as 127.0.0.1:8490");
	*colon = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &a) != 0)
		return fail(ERR_INPUT, "monitor-listen: house: --listen takes an address and a port such as 127.0.0.1:8490");
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 64) != 0) {
		int why = errno;

		freeaddrinfo(a);
		if (fd >= 0)
			close(fd);
		return fail_why(ERR_WORLD, "monitor-bind: house: the address to listen on is taken or not ours", why);
	}
	freeaddrinfo(a);
	*out = fd;
	return ok;
}

/* The last sequence that was taken, over a restart; a file that is not there yet is none, one that cannot be read is not. */
static err
load_state(struct monitor *m)
{
	struct buf text OWNED(buf_drop) = BUF(64);
	slice rest, line;

	if (m->state == NULL || access(m->state, F_OK) != 0)
		return ok;
	TRY(ctl_read(m->state, &text));
	rest = buf_slice(&text);
	if (!slice_cut(&rest, '\n', &line) || rest.n > 0 || decimal_get(line, INT64_MAX, &m->sequence).kind != OK)
		return fail(
		    ERR_INPUT, "monitor-state: house: the file of --state does not hold the last number, and nothing else");
	return ok;
}

static err
watch(struct monitor *m, const char *listen_text, const char *key)
{
	struct http_face face = {.role = m, .body_max = body_max, .request = request, .refuse = refuse};
	struct sigaction action = {.sa_handler = stop};
	int fd = -1;

	TRY(load_key(key, &m->key));
	TRY(load_state(m));
	TRY(listen_at(listen_text, &fd));
	TRY(http_open(fd, &face, &m->http));
	close(fd);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* children of --mail and --exec are nobody's to wait for */
	m->heard = clock_steady_ms();
	while (!stopped && !(m->once && m->raised)) {
		struct pollfd p = {.fd = http_fd(m->http), .events = POLLIN};
		int ms = http_timeout_ms(m->http);

		(void)poll(&p, 1, ms < 0 || ms > 200 ? 200 : ms);
		http_turn(m->http);
		look(m);
	}
	return ok;
}

static int
usage(FILE *f)
{
	fputs(
	    ctl_say("usage: inkanctl monitor --listen ADDR:PORT --key FILE --late SECONDS [--mail CMD | --exec CMD]\n"
	            "                        [--state FILE] [--clock-off SECONDS] [--once] [--json]\n"
	            "  takes a house's heartbeats, on another machine; its alarm is silence\n"
	            "  --key FILE       the house's repository/heartbeat.pub\n"
	            "  --late SECONDS   silent for so long: alarm\n"
	            "  --mail CMD       gets each alarm as a letter on standard input, such as \"sendmail ca@example.jp\"\n"
	            "  --exec CMD       is run with code and sentence as $1 and $2\n"
	            "  --state FILE     keeps the last sequence, so that an old heartbeat is known after a restart\n"
	            "  --once           ends with 1 after the first alarm\n"
	            "  exit codes: 0 stopped, 1 an alarm (--once), 2 usage, 3 could not\n"),
	    f);
	return f == stdout ? 0 : 2;
}

int
monitor_main(int argc, char **argv)
{
	static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
	    {"key", required_argument, NULL, 'k'}, {"late", required_argument, NULL, 's'},
	    {"mail", required_argument, NULL, 'm'}, {"exec", required_argument, NULL, 'e'},
	    {"state", required_argument, NULL, 't'}, {"clock-off", required_argument, NULL, 'o'},
	    {"once", no_argument, NULL, '1'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'H'}, {0}};
	struct monitor m = {.alarms = BUF(MESSAGE_MAX)};
	const char *where = NULL, *key = NULL;
	uint64_t late = 0, off = OFF_S;
	bool good = true;
	int c;
	err e;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'l':
			where = optarg;
			break;
		case 'k':
			key = optarg;
			break;
		case 's':
			good = good && decimal_get(slice_str(optarg), LATE_S_MAX, &late).kind == OK;
			break;
		case 'o':
			good = good && decimal_get(slice_str(optarg), LATE_S_MAX, &off).kind == OK;
			break;
		case 'm':
			m.mail = optarg;
			break;
		case 'e':
			m.exec = optarg;
			break;
		case 't':
			m.state = optarg;
			break;
		case '1':
			m.once = true;
			break;
		case 'j':
			m.json = true;
			break;
		case 'H':
			return usage(stdout);
		default:
			ctl_refuse_option(argv);
			return usage(stderr);
		}
	if (!good || where == NULL || key == NULL || late == 0 || optind < argc || (m.mail != NULL && m.exec != NULL))
		return usage(stderr);
	m.late_ms = (int64_t)late * SECOND_MS;
	m.off_ms = (int64_t)off * SECOND_MS;
	e = watch(&m, where, key);
	http_close(&m.http);
	key_drop(&m.key);
	buf_drop(&m.alarms);
	if (e.kind != OK) {
		ctl_explain(e);
		return DONE_WORLD;
	}
	return m.once && m.raised ? DONE_NO : DONE_OK;
}
