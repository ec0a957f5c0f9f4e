/* LINK: test/jpki/make.c */
/*
 * answers - holds front to what it answers to OCSP: B-11, Rule 6(xi); RFC 6960, 5019, 9654, 9110.  Plays inkand for one
 * real `front` process and the publisher, writes status files with the real writer and damages them, and judges every
 * answer as a relying party would.  Prints TAP.
 *
 *   answers FRONT-EXECUTABLE FOLDER [ALLOCATIONS]
 *
 * ALLOCATIONS is test/faults/allocations.c, built; without it what front takes of the heap is not counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/slots.h"
#include "base/der.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "test/jpki/make.h"

#define N 100 /* certificates in base: serials 1 to N */
enum { STALE = 90, EARLY = 91, SHORT = 92, WITHDRAWN = 93, REVOKED = 7, NEWLY_REVOKED = 5, UNKNOWN = 101 };
#define OTHER_WORDS -1 /* no answer of the form we know */

static int tests, failures;
static uint16_t port, private_port;
static struct link *control;
static pid_t front_pid;
static char home[1024], counted[1100]; /* the file that allocations are counted in */
static struct signer *ca, *responder, *stranger;
static struct cert issuer;
static struct ocsp_issuer names;
static struct key *responder_key;
static uint8_t responder_id[SHA1_LEN];
static struct slots_common common;
static struct buf first = {.max = OCSP_ANSWER_MAX};
static instant now;

static bool
is(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
	fflush(stdout);
	return good;
}

static void
need(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	if (front_pid > 0)
		(void)kill(front_pid, SIGKILL);
	exit(1);
}

/* --- status files ------------------------------------------------------------------ */
static serial
serial_of(uint8_t v)
{
	serial s = {.n = 16, .b = {0x41}};

	s.b[15] = v;
	return s;
}

static void
world(void)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	instant from = {now.ms - DAY_MS};
	struct cert_plan plan = {.serial = serial_of(250),
	    .not_before = from,
	    .not_after = instant_add_years(from, 1),
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .ocsp_signer = true};

	ca = signer_new(KEY_P256, 256);
	responder = signer_new(KEY_P256, 256);
	stranger = signer_new(KEY_P256, 256);
	make_ca(ca, "answers", "answers test CA", from, 10);
	make_ca(stranger, "answers", "another CA", from, 10);
	need(cert_get(signer_certificate(ca), &issuer).kind == OK, "the CA's certificate");
	ocsp_issuer_of(&issuer, &names);
	need(key_get_spki(signer_spki(responder), &responder_key).kind == OK, "the responder's key");
	key_identifier(responder_key, responder_id);
	plan.issuer = plan.subject = issuer.subject;
	plan.spki = signer_spki(responder);
	plan.ski = ARR(responder_id);
	plan.aki = issuer.ski;
	make_certificate(&der, ca, &plan);
	signer_set_certificate(responder, buf_slice(&der));
}

static void
answer(struct buf *out, uint8_t v, enum ocsp_status status, instant from, instant to)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);

	ocsp_put_data(&data, &(struct ocsp_plan){.issuer = names,
	                         .serial = serial_of(v),
	                         .status = status,
	                         .revoked = {status == OCSP_REVOKED ? now.ms - 2 * HOUR_MS : 0},
	                         .reason = status == OCSP_REVOKED ? REASON_KEY_COMPROMISE : REASON_UNSPECIFIED,
	                         .produced = from,
	                         .this_update = from,
	                         .next_update = to,
	                         .responder_key_id = ARR(responder_id)});
	signer_sign(responder, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	buf_clear(out);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), signer_certificate(responder));
}

static void
put_answer(struct slots_writer *w, uint8_t v, enum ocsp_status status)
{
	struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	instant from = {now.ms - HOUR_MS}, to = {now.ms + 47 * HOUR_MS};
	struct slot s;

	if (v == STALE)
		to = (instant){now.ms - 1000};
	else if (v == EARLY)
		from = (instant){now.ms + 600000};
	else if (v == SHORT)
		to = (instant){now.ms + 30000};
	answer(&whole, v, status, from, to);
	if (common.n_responders == 0) {
		buf_put(&first, buf_slice(&whole));
		need(slots_common_get(buf_slice(&first), &issuer, &common).kind == OK, "the first answer");
		slots_write_start(w, &common, now);
	}
	need(slot_get_answer(buf_slice(&whole), &common, &s).kind == OK, "an answer");
	slots_write(w, &s);
}

static void
take_written(struct slots_writer *w, struct buf *out)
{
	slice piece;

	while (slots_write_out(w, &piece))
		buf_put(out, piece);
}

/* base: everything good but REVOKED and, where asked, one more. */
static void
make_base(struct buf *out, uint8_t revoked)
{
	struct slots_writer w OWNED(slots_writer_drop) = {0};

	buf_clear(out);
	if (common.n_responders > 0)
		slots_write_start(&w, &common, now);
	for (uint8_t v = 1; v <= N; v++)
		put_answer(&w, v, v == REVOKED || v == revoked ? OCSP_REVOKED : OCSP_GOOD);
	slots_write_end(&w);
	take_written(&w, out);
}

static void
make_recent(struct buf *out)
{
	struct slots_writer w OWNED(slots_writer_drop) = {0};

	buf_clear(out);
	slots_write_start(&w, &common, now);
	put_answer(&w, NEWLY_REVOKED, OCSP_REVOKED);
	slots_write(&w, &(struct slot){.serial = serial_of(WITHDRAWN),
	                    .state = SLOT_WITHDRAWN,
	                    .produced = now,
	                    .this_update = now,
	                    .next_update = now});
	slots_write_end(&w);
	take_written(&w, out);
}

/* As the publisher does: a new file, renamed over the old one. */
static void
publish(const char *name, slice bytes)
{
	char path[1200], temp[1200];

	snprintf(path, sizeof path, "%s/repository/status/%s", home, name);
	snprintf(temp, sizeof temp, "%s/repository/status/%s.new", home, name);
	file_put(temp, bytes);
	need(rename(temp, path) == 0, "rename");
}

/* --- a client ------------------------------------------------------------------------ */
static int
dial(uint16_t to)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct timeval wait = {.tv_sec = 5};

	need(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	return fd;
}

struct reply {
	struct buf bytes;
	unsigned status;
	slice head, body;
};

static void
reply_drop(struct reply *r)
{
	buf_drop(&r->bytes);
}

#define REPLY ((struct reply){.bytes = BUF(1U << 20)})

/* One answer off a connection; false where it ended or took too long. */
static bool
hear(int fd, bool has_body, struct reply *r)
{
	buf_clear(&r->bytes);
	for (;;) {
		uint8_t chunk[8192];
		const uint8_t *at = r->bytes.n < 4 ? NULL : memmem(r->bytes.p, r->bytes.n, "\r\n\r\n", 4);
		ssize_t n;

		if (at != NULL) {
			size_t head = (size_t)(at - r->bytes.p) + 4;
			const uint8_t *l = memmem(r->bytes.p, head, "Content-Length: ", 16);
			size_t body = l == NULL || !has_body ? 0 : (size_t)strtoul((const char *)l + 16, NULL, 10);

			if (r->bytes.n >= head + body) {
				r->head = (slice){r->bytes.p, head};
				r->body = (slice){r->bytes.p + head, r->bytes.n - head};
				r->status = head > 12 ? (unsigned)strtoul((const char *)r->bytes.p + 9, NULL, 10) : 0;
				return true;
			}
		}
		n = recv(fd, chunk, sizeof chunk, 0);
		if (n <= 0)
			return false;
		buf_put(&r->bytes, slice_of(chunk, (size_t)n));
	}
}

static void
say(int fd, slice s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		s = (slice){s.p + n, s.n - (size_t)n};
	}
}

static void
exchange(slice request, bool has_body, struct reply *r)
{
	int fd = dial(port);

	say(fd, request);
	r->status = 0;
	(void)hear(fd, has_body, r);
	close(fd);
}

/* Keeps one header line's value. */
static slice
line_of(const struct reply *r, const char *name)
{
	const uint8_t *at = memmem(r->head.p, r->head.n, name, strlen(name)), *end;

	if (at == NULL)
		return (slice){NULL, 0};
	at += strlen(name);
	end = memmem(at, (size_t)(r->head.p + r->head.n - at), "\r\n", 2);
	return (slice){at, end == NULL ? 0 : (size_t)(end - at)};
}

static void
id_of(struct ocsp_certid *id, enum hash_alg alg, uint8_t v, const struct ocsp_issuer *of)
{
	*id = alg == HASH_SHA1 ? (struct ocsp_certid){alg, ARR(of->name1), ARR(of->key1), serial_of(v)}
	                       : (struct ocsp_certid){alg, ARR(of->name256), ARR(of->key256), serial_of(v)};
}

static void
request_of(struct buf *der, uint8_t v)
{
	struct ocsp_certid id;

	id_of(&id, v % 2 == 0 ? HASH_SHA1 : HASH_SHA256, v, &names);
	buf_clear(der);
	ocsp_request_put(der, &id, (slice){NULL, 0});
}

static void
post(slice der, const char *more, struct buf *http)
{
	buf_clear(http);
	buf_put_str(http, "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\n");
	buf_put_str(http, more);
	buf_put_str(http, "Content-Length: ");
	buf_put_decimal(http, der.n);
	buf_put_str(http, "\r\n\r\n");
	buf_put(http, der);
}

static void
get(slice path, const char *method, const char *more, struct buf *http)
{
	buf_clear(http);
	buf_put_str(http, method);
	buf_put_str(http, " /ocsp/");
	buf_put(http, path);
	buf_put_str(http, " HTTP/1.1\r\nHost: x\r\n");
	buf_put_str(http, more);
	buf_put_str(http, "\r\n");
}

/* What an answer says of a serial, its signature verified: an OCSP status, 100 + an error, OTHER_WORDS. */
static int
word_on(const struct reply *r, uint8_t v)
{
	struct ocsp_answer a;

	if (r->status != 200 || !slice_eq(line_of(r, "Content-Type: "), LIT("application/ocsp-response")) ||
	    ocsp_answer_get(r->body, &a).kind != OK)
		return OTHER_WORDS;
	if (a.error != 0)
		return 100 + (int)a.error;
	if (!serial_eq(a.serial, serial_of(v)) || key_check(responder_key, a.alg, a.data, a.signature).kind != OK ||
	    a.this_update.ms > clock_now().ms || a.next_update.ms <= clock_now().ms || a.nonce.n > 0)
		return OTHER_WORDS;
	return (int)a.status;
}

static int
ask(uint8_t v)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), http OWNED(buf_drop) = BUF(8192);
	struct reply r OWNED(reply_drop) = REPLY;

	request_of(&der, v);
	post(buf_slice(&der), "", &http);
	exchange(buf_slice(&http), true, &r);
	return word_on(&r, v);
}

/* Until the word on a serial is that one, 1 s at most: Rule 6(x) is about a second here. */
static bool
becomes(uint8_t v, int word)
{
	int64_t end = clock_steady_ms() + 1000;

	while (ask(v) != word)
		if (clock_steady_ms() > end)
			return false;
	return true;
}

#define MALFORMED (100 + OCSP_MALFORMED)
#define TRY_LATER (100 + OCSP_TRY_LATER)
#define UNAUTHORIZED (100 + OCSP_UNAUTHORIZED)

/* --- front ---------------------------------------------------------------------------- */
static int
listener(uint16_t *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1024) == 0 &&
	         getsockname(fd, (struct sockaddr *)&a, &n) == 0,
	    "a listening socket");
	*out = ntohs(a.sin_port);
	return fd;
}

static void
give_wire(enum peer peer, int fd)
{
	struct buf body OWNED(buf_drop) = BUF(64);

	wire_order_put(&body, &(struct wire_order){peer, 0});
	need(ipc_send_fd(link_fd(control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, fd).kind == OK,
	    "a wire");
	close(fd);
}

static void
start_front(const char *exe, const char *shim)
{
	int pair[2], public = listener(&port), private = listener(&private_port);
	char path[1200];
	int log;

	snprintf(path, sizeof path, "%s/log", home);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	need(log >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a control socket");
	front_pid = fork();
	if (front_pid == 0) {
		if (dup2(log, 2) < 0 || dup2(pair[1], 3) < 0)
			_exit(127);
		if (pair[1] == 3)
			(void)fcntl(3, F_SETFD, 0);
		if (shim != NULL && (setenv("LD_PRELOAD", shim, 1) != 0 || setenv("INKAN_ALLOCATIONS", counted, 1) != 0))
			_exit(127);
		execl(exe, exe, "--home", home, "--number", "0", "--uid", "0", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	close(log);
	control = link_new(pair[0], PEER_FRONT, 0);
	give_wire(PEER_PUBLIC, public);
	give_wire(PEER_PRIVATE, private);
}

static size_t
times(slice in, const char *what)
{
	size_t n = 0;
	const uint8_t *at;

	while ((at = memmem(in.p, in.n, what, strlen(what))) != NULL) {
		n++;
		in = (slice){at + 1, in.n - (size_t)(at + 1 - in.p)};
	}
	return n;
}

static size_t
logged(const char *what)
{
	struct buf b OWNED(buf_drop) = BUF(1U << 20);
	char path[1200];

	snprintf(path, sizeof path, "%s/log", home);
	file_get(path, &b);
	return times(buf_slice(&b), what);
}

static bool
metric_is(const char *line)
{
	struct reply r OWNED(reply_drop) = REPLY;
	int fd = dial(private_port);
	bool good;

	say(fd, LIT("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
	good = hear(fd, true, &r) && memmem(r.body.p, r.body.n, line, strlen(line)) != NULL;
	if (!good)
		printf("# %.*s\n", (int)r.body.n, (const char *)r.body.p);
	close(fd);
	return good;
}

/* --- rows ------------------------------------------------------------------------------ */
static void
words(void)
{
	static const struct {
		uint8_t v;
		int word;
		const char *name;
	} rows[] = {
	    {1, OCSP_GOOD, "good, by SHA-256"},
	    {2, OCSP_GOOD, "good, by SHA-1"},
	    {N, OCSP_GOOD, "the last one"},
	    {REVOKED, OCSP_REVOKED, "revoked"},
	    {NEWLY_REVOKED, OCSP_REVOKED, "revoked in recent, good in base: revoked"},
	    {WITHDRAWN, TRY_LATER, "withdrawn: tryLater, though base says good"},
	    {UNKNOWN, UNAUTHORIZED, "an unknown serial: unauthorized"},
	    {STALE, TRY_LATER, "past its nextUpdate: tryLater"},
	    {EARLY, TRY_LATER, "of a time to come (a clock set back): tryLater"},
	    {SHORT, OCSP_GOOD, "good for half a minute more"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int word = ask(rows[i].v);

		if (!is(word == rows[i].word, rows[i].name))
			printf("# got %d, want %d\n", word, rows[i].word);
	}
}

/* RFC 5019 5 and 6: GET gives what POST gives, with lines that a cache can use. */
static void
caching(void)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), path OWNED(buf_drop) = BUF(8192);
	struct buf http OWNED(buf_drop) = BUF(16384), etag OWNED(buf_drop) = BUF(256), more OWNED(buf_drop) = BUF(1024);
	struct buf modified OWNED(buf_drop) = BUF(64), expires OWNED(buf_drop) = BUF(64);
	struct reply by_post OWNED(reply_drop) = REPLY, r OWNED(reply_drop) = REPLY;
	static const struct {
		const char *before, *after;
		unsigned status;
	} tags[] = {{"", "", 304}, {"\"other\", ", "", 304}, {"W/", "", 304}, {"\"a\",\"b\",\t", " , \"c\"", 304},
	    {"\"x", "\"", 200}, {"", "x", 200}};

	request_of(&der, 1);
	post(buf_slice(&der), "", &http);
	exchange(buf_slice(&http), true, &by_post);
	ocsp_path_put(&path, buf_slice(&der));
	get(buf_slice(&path), "GET", "", &http);
	exchange(buf_slice(&http), true, &r);
	is(word_on(&r, 1) == OCSP_GOOD && slice_eq(r.body, by_post.body), "GET and POST: the same bytes");
	buf_clear(&path);
	buf_put_base64(&path, buf_slice(&der));
	get(buf_slice(&path), "GET", "", &http);
	exchange(buf_slice(&http), true, &r);
	is(slice_eq(r.body, by_post.body), "a GET that escapes nothing: the same");
	instant_put_http(&modified, (instant){now.ms - HOUR_MS});
	instant_put_http(&expires, (instant){now.ms + 47 * HOUR_MS});
	is(slice_eq(line_of(&r, "Last-Modified: "), buf_slice(&modified)), "Last-Modified is thisUpdate");
	is(slice_eq(line_of(&r, "Expires: "), buf_slice(&expires)), "Expires is nextUpdate");
	is(slice_eq(line_of(&r, "Cache-Control: "), LIT("max-age=60, public, no-transform, must-revalidate")),
	    "a cache keeps it for a minute");
	buf_put(&etag, line_of(&r, "ETag: "));
	is(etag.n == 34 && slice_eq(buf_slice(&etag), line_of(&by_post, "ETag: ")), "an ETag, one for both ways");
	for (size_t i = 0; i < COUNT(tags); i++) {
		buf_clear(&more);
		buf_put_str(&more, "If-None-Match: ");
		buf_put_str(&more, tags[i].before);
		buf_put(&more, buf_slice(&etag));
		buf_put_str(&more, tags[i].after);
		buf_put(&more, LIT("\r\n\0"));
		get(buf_slice(&path), "GET", (const char *)more.p, &http);
		exchange(buf_slice(&http), tags[i].status == 200, &r);
		is(r.status == tags[i].status && (tags[i].status == 200 || r.body.n == 0) &&
		        slice_eq(line_of(&r, "ETag: "), buf_slice(&etag)) && line_of(&r, "Expires: ").n > 0,
		    tags[i].status == 304 ? "a cache that has it: 304 without body" : "one that has another: 200");
	}
	get(buf_slice(&path), "GET", "If-None-Match: *\r\n", &http);
	exchange(buf_slice(&http), false, &r);
	is(r.status == 304, "If-None-Match: *");
	post(buf_slice(&der), "If-None-Match: *\r\n", &http);
	exchange(buf_slice(&http), true, &r);
	is(r.status == 200, "a POST is never 304");
	get(buf_slice(&path), "HEAD", "", &http);
	exchange(buf_slice(&http), false, &r);
	is(r.status == 200 && r.body.n == 0 && slice_eq(line_of(&r, "ETag: "), buf_slice(&etag)), "HEAD");
	request_of(&der, SHORT);
	buf_clear(&path);
	ocsp_path_put(&path, buf_slice(&der));
	get(buf_slice(&path), "GET", "", &http);
	exchange(buf_slice(&http), true, &r);
	{
		slice cache = line_of(&r, "Cache-Control: ");
		unsigned long age = cache.n > 8 ? strtoul((const char *)cache.p + 8, NULL, 10) : 0;

		is(slice_has_prefix(cache, LIT("max-age=")) && age > 0 && age <= 30, "never kept beyond nextUpdate");
	}
	request_of(&der, UNKNOWN);
	post(buf_slice(&der), "", &http);
	exchange(buf_slice(&http), true, &r);
	is(slice_eq(line_of(&r, "Cache-Control: "), LIT("no-store")) && line_of(&r, "ETag: ").n == 0,
	    "an unsigned answer is not kept");
}

/* One request both ways; a path over the limit of a request line has its own answer. */
static bool
both_say(slice der, int word, const char *name)
{
	struct buf path OWNED(buf_drop) = BUF(1U << 16), http OWNED(buf_drop) = BUF(1U << 17);
	struct reply p OWNED(reply_drop) = REPLY, g OWNED(reply_drop) = REPLY;
	int by_post, by_get;

	post(der, "", &http);
	exchange(buf_slice(&http), true, &p);
	by_post = word_on(&p, 20);
	ocsp_path_put(&path, der);
	get(buf_slice(&path), "GET", "", &http);
	exchange(buf_slice(&http), true, &g);
	by_get = word_on(&g, 20);
	if (by_post == word && (by_get == word || (path.n > 2000 && g.status == 414)))
		return true;
	printf("# %s: POST %u %d, GET %u %d, want %d\n", name, p.status, by_post, g.status, by_get, word);
	return false;
}

/* Nonces, several certificates, other issuers. */
static void
shapes(void)
{
	static const struct {
		const char *name;
		size_t n;
		bool strange, nonce;
		int word;
	} rows[] = {
	    {"a nonce: the answer made ahead, without it", 1, false, true, OCSP_GOOD},
	    {"two certificates: tryLater", 2, false, false, TRY_LATER},
	    {"sixteen with a nonce: tryLater", 16, false, true, TRY_LATER},
	    {"seventeen: unauthorized", 17, false, false, UNAUTHORIZED},
	    {"another issuer: unauthorized", 1, true, false, UNAUTHORIZED},
	    {"sixteen of another issuer: unauthorized", 16, true, false, UNAUTHORIZED},
	};
	struct cert other;
	struct ocsp_issuer strange;

	need(cert_get(signer_certificate(stranger), &other).kind == OK, "the other CA");
	ocsp_issuer_of(&other, &strange);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
		struct ocsp_certid id[17];

		for (size_t k = 0; k < rows[i].n; k++)
			id_of(&id[k], k % 2 == 0 ? HASH_SHA1 : HASH_SHA256, (uint8_t)(20 + k), rows[i].strange ? &strange : &names);
		ocsp_request_put_many(
		    &der, id, rows[i].n, rows[i].nonce ? LIT("0123456789abcdef0123456789abcdef") : (slice){NULL, 0});
		is(both_say(buf_slice(&der), rows[i].word, rows[i].name), rows[i].name);
	}
}

/* The status signer's end, played: what it says or does not say, and what the client gets for it. */
static void
live(void)
{
	enum { SAYS, REFUSES_BUSY, REFUSES_ABSENT, SILENT, GONE };
	static const struct {
		const char *name;
		size_t n;
		uint8_t from;
		int does, word;
	} rows[] = {
	    {"live: what it says is passed on", 1, 20, SAYS, -2},
	    {"live: for several too", 2, 20, SAYS, -2},
	    {"over its limit: the answer made ahead", 1, 20, REFUSES_BUSY, OCSP_GOOD},
	    {"over its limit, several: tryLater", 2, 20, REFUSES_BUSY, TRY_LATER},
	    {"it does not know one of several: unauthorized", 2, 20, REFUSES_ABSENT, UNAUTHORIZED},
	    {"an unknown one among several: it is not asked, unauthorized", 2, N, -1, UNAUTHORIZED},
	    {"a withdrawn one: it is not asked, tryLater", 1, WITHDRAWN, -1, TRY_LATER},
	    {"a withdrawn one among several: it is not asked, tryLater", 2, WITHDRAWN - 1, -1, TRY_LATER},
	    {"it is silent: the answer made ahead, 2 s later", 1, 20, SILENT, OCSP_GOOD},
	    {"it is silent, several: tryLater", 2, 20, SILENT, TRY_LATER},
	    {"it is gone in between: the answer made ahead", 1, 20, GONE, OCSP_GOOD},
	};
	struct buf said OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), body OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX + 8);
	struct link *l;
	int pair[2];

	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a wire");
	l = link_new(pair[0], PEER_FRONT, 0);
	give_wire(PEER_STATUS, pair[1]);
	answer(&said, 77, OCSP_GOOD, now, (instant){now.ms + HOUR_MS});
	octets_put(&body, buf_slice(&said));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), http OWNED(buf_drop) = BUF(8192);
		struct reply r OWNED(reply_drop) = REPLY;
		struct ocsp_certid id[2];
		struct frame f = {0};
		int fd = dial(port);
		int64_t began = clock_steady_ms();
		bool right = true;

		for (size_t k = 0; k < rows[i].n; k++)
			id_of(&id[k], k % 2 == 0 ? HASH_SHA1 : HASH_SHA256, (uint8_t)(rows[i].from + k), &names);
		ocsp_request_put_many(&der, id, rows[i].n, LIT("0123456789abcdef0123456789abcdef"));
		post(buf_slice(&der), "", &http);
		say(fd, buf_slice(&http));
		if (rows[i].does >= 0) {
			slice asked;

			need(link_wait(l, 5000, &f).kind == OK, rows[i].name);
			right = f.kind == ORDER_LIVE && octets_get(f.body, &asked).kind == OK && slice_eq(asked, buf_slice(&der));
		}
		if (rows[i].does == SAYS)
			link_answer(l, &f, buf_slice(&body));
		else if (rows[i].does == REFUSES_BUSY)
			link_refuse(l, &f, fail(ERR_BUSY, "a: b: c"));
		else if (rows[i].does == REFUSES_ABSENT)
			link_refuse(l, &f, fail(ERR_ABSENT, "a: b: c"));
		if (rows[i].does == GONE)
			link_drop(&l);
		else
			(void)link_flush(l).kind;
		right = hear(fd, true, &r) && right;
		close(fd);
		if (rows[i].does == SILENT)
			right = right && clock_steady_ms() - began >= 1900 && clock_steady_ms() - began < 4500;
		else
			right = right && clock_steady_ms() - began < 1900;
		if (rows[i].word == -2)
			right = right && slice_eq(r.body, buf_slice(&said)) &&
			        slice_eq(line_of(&r, "Cache-Control: "), LIT("no-store"));
		else
			right = right && word_on(&r, rows[i].from) == rows[i].word;
		is(right, rows[i].name);
	}
}

/* Everything malformed is answered, cheaply, and the next one is served. */
static void
malformed(void)
{
	static const char *const paths[] = {"", "A", "AA", "AAA", "AAAA", "%", "%zz", "%2", "%00", "====", "-_-_", "AA AA",
	    "AAAA%0A", "MFEw%20TzBN", "%252B", "////", "//", "+", "%2B%2f", "..%2f..", "../../ca/issuer.cer", "AAAA?x=y"};
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), http OWNED(buf_drop) = BUF(2U << 20);
	struct buf path OWNED(buf_drop) = BUF(1U << 20);
	size_t bad = 0;

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct reply r OWNED(reply_drop) = REPLY;
		bool good;

		get(slice_str(paths[i]), "GET", "", &http);
		exchange(buf_slice(&http), true, &r);
		/* what is no address of ours any more, or no HTTP, is 4xx; everything else is OCSP's own word */
		good = word_on(&r, 0) == MALFORMED || (r.status >= 400 && r.status < 500);
		if (!good)
			printf("# %s: %u %d\n", paths[i], r.status, word_on(&r, 0));
		bad += !good;
	}
	is(bad == 0, "every broken path is malformed or 4xx");
	/* a good request broken in its transport */
	request_of(&der, 1);
	buf_put_base64(&path, buf_slice(&der));
	bad = 0;
	for (size_t cut = 1; cut < 8; cut++) {
		struct reply r OWNED(reply_drop) = REPLY;

		get((slice){path.p, path.n - cut}, "GET", "", &http);
		exchange(buf_slice(&http), true, &r);
		bad += word_on(&r, 1) != MALFORMED;
	}
	is(bad == 0, "a path cut short is malformed");
	bad = 0;
	for (size_t i = 0; i < der.n; i++) { /* every prefix, and every byte flipped */
		struct reply r OWNED(reply_drop) = REPLY, s OWNED(reply_drop) = REPLY;
		int word;

		post((slice){der.p, i}, "", &http);
		exchange(buf_slice(&http), true, &r);
		bad += word_on(&r, 1) != MALFORMED;
		der.p[i] ^= 0xFF;
		post(buf_slice(&der), "", &http);
		exchange(buf_slice(&http), true, &s);
		word = word_on(&s, 1);
		bad += word != MALFORMED && word != UNAUTHORIZED;
		der.p[i] ^= 0xFF;
	}
	is(bad == 0, "no prefix and no flipped byte gets a signed word");
	{
		struct reply r OWNED(reply_drop) = REPLY;
		int64_t began = clock_steady_ms();

		/* ten thousand certificates in one request: 600 KB, refused by its announced length */
		buf_clear(&http);
		buf_put_str(&http, "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n");
		exchange(buf_slice(&http), true, &r);
		is(r.status == 413 && clock_steady_ms() - began < 1000, "ten thousand at once: 413 before a byte is read");
		buf_clear(&http);
		buf_put_str(&http, "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n");
		exchange(buf_slice(&http), true, &r);
		is(r.status == 413, "one byte over the limit: 413");
		exchange(
		    LIT("POST /ocsp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), true, &r);
		is(r.status == 411, "chunked: 411");
		exchange(LIT("GET /ocsp HTTP/1.1\r\nHost: x\r\n\r\n"), true, &r);
		is(r.status == 405, "GET without a request: 405");
		buf_clear(&path);
		for (size_t i = 0; i < 2100; i++)
			buf_put_u8(&path, 'A');
		get(buf_slice(&path), "GET", "", &http);
		exchange(buf_slice(&http), true, &r);
		is(r.status == 414, "a path over the limit: 414");
		/* several requests on their way at once, a bad one among them */
		request_of(&der, 1);
		post(buf_slice(&der), "", &http);
		{
			int fd = dial(port);
			struct buf all OWNED(buf_drop) = BUF(1U << 16);
			uint8_t chunk[4096];
			ssize_t n = 1;

			say(fd, buf_slice(&http));
			say(fd, LIT("GET /ocsp/%zz HTTP/1.1\r\nHost: x\r\n\r\n"));
			say(fd, buf_slice(&http));
			while (n > 0 && times(buf_slice(&all), "max-age=60") < 2) {
				n = recv(fd, chunk, sizeof chunk, 0);
				buf_put(&all, slice_of(chunk, n > 0 ? (size_t)n : 0));
			}
			is(times(buf_slice(&all), "HTTP/1.1 200 OK") == 3 && times(buf_slice(&all), "\x30\x03\x0a\x01\x01") == 1,
			    "three requests sent ahead on one connection: three answers in turn");
			close(fd);
		}
	}
	is(ask(1) == OCSP_GOOD, "and others are served");
}

/* What the process has computed so far, microseconds: waiting and whatever else runs here do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t = {0};
	clockid_t clock;

	need(clock_getcpuclockid(front_pid, &clock) == 0 && clock_gettime(clock, &t) == 0, "front's CPU time");
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A bad request costs no more than a few good ones do: 15 us without, ten times that with a sanitizer. */
#define BAD_CPU_US 400

/* As edit() of test/unit/pki.h: what stands at a path of a DER list goes, comes twice, or `with` before, after, in its place. */
static void
edit(slice list, const char *path, char op, slice with, struct buf *out)
{
	char *end;
	unsigned long at = strtoul(path, &end, 10);
	slice content, whole;
	uint8_t tag;

	for (unsigned long i = 0; list.n > 0; i++) {
		need(der_get_any(&list, &tag, &content, &whole).kind == OK, path);
		if (i != at)
			buf_put(out, whole);
		else if (*end == '.') {
			struct buf inner OWNED(buf_drop) = BUF(1U << 16);

			edit(content, end + 1, op, with, &inner);
			der_put(out, tag, buf_slice(&inner));
		} else {
			if (op == '<' || op == '=')
				buf_put(out, with);
			if (op != '=' && op != '-')
				buf_put(out, whole);
			if (op == '2')
				buf_put(out, whole);
			if (op == '>')
				buf_put(out, with);
		}
	}
}

/*
 * Every kind of thing a request may not be, by POST and by GET: OCSP's own word, at the price of a good one.  0.0 is
 * tbsRequest {list, [2]}, 0.0.0.0 a Request {CertID}, 0.0.0.0.0 its CertID {algorithm, name, key, serial}, 0.0.1.0.0 the
 * nonce's extension.
 */
static void
forms(void)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with;
		int word;
	} rows[] = {
	    {"a byte after it", "0", '>', "00", MALFORMED},
	    {"signed by somebody", "0.0", '>', "A0023000", UNAUTHORIZED},
	    {"something after what is asked", "0.0", '2', "", MALFORMED},
	    {"version 1 written out", "0.0.0", '<', "A003020100", MALFORMED},
	    {"version 2", "0.0.0", '<', "A003020101", MALFORMED},
	    {"who asks is named", "0.0.0", '<', "A10486026161", OCSP_GOOD},
	    {"no list", "0.0.0", '-', "", MALFORMED},
	    {"an empty list", "0.0.0", '=', "3000", MALFORMED},
	    {"a request without CertID", "0.0.0.0.0", '-', "", MALFORMED},
	    {"a CertID twice in one request", "0.0.0.0.0", '2', "", MALFORMED},
	    {"an extension of one request, critical", "0.0.0.0.0", '>', "A010300E300C0603551D120101FF04023000",
	        UNAUTHORIZED},
	    {"SHA-384", "0.0.0.0.0.0", '=', "300D06096086480165030402020500", UNAUTHORIZED},
	    {"MD5", "0.0.0.0.0.0", '=', "300C06082A864886F70D02050500", UNAUTHORIZED},
	    {"an algorithm that is none", "0.0.0.0.0.0", '=', "3000", MALFORMED},
	    {"another hash than it says", "0.0.0.0.0.0", '=', "300D06096086480165030402010500", MALFORMED},
	    {"a short hash of the name", "0.0.0.0.0.1", '=', "040100", MALFORMED},
	    {"a hash of the key of 64 bytes", "0.0.0.0.0.2", '=',
	        "0440000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	        "000000"
	        "000000000000000000000000",
	        MALFORMED},
	    {"the key of another issuer", "0.0.0.0.0.2", '=', "04140000000000000000000000000000000000000000", UNAUTHORIZED},
	    {"the name of another issuer", "0.0.0.0.0.1", '=', "04140000000000000000000000000000000000000000",
	        UNAUTHORIZED},
	    {"serial 0", "0.0.0.0.0.3", '=', "020100", MALFORMED},
	    {"a negative serial", "0.0.0.0.0.3", '=', "0201FF", MALFORMED},
	    {"no serial", "0.0.0.0.0.3", '=', "0200", MALFORMED},
	    {"a serial with a zero before it", "0.0.0.0.0.3", '=', "02020001", MALFORMED},
	    {"a serial of 21 bytes", "0.0.0.0.0.3", '=', "0215010000000000000000000000000000000000000000", MALFORMED},
	    {"a serial that is text", "0.0.0.0.0.3", '=', "0C0141", MALFORMED},
	    {"empty extensions", "0.0.1", '=', "A2023000", MALFORMED},
	    {"extensions twice", "0.0.1", '2', "", MALFORMED},
	    {"a nonce twice", "0.0.1.0.0", '2', "", MALFORMED},
	    {"an empty nonce", "0.0.1.0.0.1.0", '=', "0400", MALFORMED},
	    {"a nonce that is not wrapped", "0.0.1.0.0.1", '=', "040461626364", MALFORMED},
	    {"an unknown critical extension", "0.0.1.0.0", '>', "301206092B06010505073001040101FF04023000", UNAUTHORIZED},
	    {"an unknown extension", "0.0.1.0.0", '>', "300F06092B060105050730010404023000", OCSP_GOOD},
	    {"an indefinite length", "0", '=', "3080308000000000", MALFORMED},
	    {"a length that is not the shortest", "0", '=', "308100", MALFORMED},
	    {"a length of four gigabytes", "0", '=', "3084FFFFFFFF", MALFORMED},
	    {"a length of more bytes than there are numbers", "0", '=', "30FF0101", MALFORMED},
	    {"a tag of many bytes", "0", '=', "3F8F8F8F8F0100", MALFORMED},
	    {"one byte", "0", '=', "30", MALFORMED},
	    {"text", "0", '=', "48656C6C6F", MALFORMED},
	};
	struct buf good OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), der OWNED(buf_drop) = BUF(1U << 16);
	struct ocsp_certid id;
	int64_t began, spent;
	size_t bad = 0;

	id_of(&id, HASH_SHA1, 20, &names);
	ocsp_request_put(&good, &id, LIT("0123456789abcdef0123456789abcdef"));
	began = cpu_us();
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t with[256];
		size_t n = strlen(rows[i].with) / 2;

		for (size_t k = 0; k < n; k++) {
			unsigned v;

			need(sscanf(rows[i].with + 2 * k, "%2x", &v) == 1, rows[i].name);
			with[k] = (uint8_t)v;
		}
		buf_clear(&der);
		edit(buf_slice(&good), rows[i].path, rows[i].op, slice_of(with, n), &der);
		bad += !both_say(buf_slice(&der), rows[i].word, rows[i].name);
	}
	/* as deep as it gets, and as many as it holds */
	buf_clear(&der);
	for (int i = 0; i < 2000; i++)
		buf_put(&der, LIT("\x30\x80"));
	bad += !both_say(buf_slice(&der), MALFORMED, "two thousand lists in each other");
	buf_clear(&der);
	for (int i = 0; i < 1000; i++) {
		struct buf outer OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);

		der_put(&outer, DER_SEQUENCE, buf_slice(&der));
		buf_clear(&der);
		buf_put(&der, buf_slice(&outer));
	}
	bad += !both_say(buf_slice(&der), MALFORMED, "a thousand, each with its length");
	{
		struct ocsp_certid many[50];

		for (size_t i = 0; i < COUNT(many); i++)
			id_of(&many[i], HASH_SHA1, (uint8_t)(i + 1), &names);
		buf_clear(&der);
		ocsp_request_put_many(&der, many, COUNT(many), (slice){NULL, 0});
		bad += !both_say(buf_slice(&der), UNAUTHORIZED, "fifty certificates");
	}
	spent = cpu_us() - began;
	is(bad == 0, "every form a request may not have, by POST and by GET: OCSP's own word");
	printf("# %lld us of CPU a bad request\n", (long long)spent / (int64_t)(2 * COUNT(rows) + 6));
	is(spent <= (int64_t)(2 * COUNT(rows) + 6) * BAD_CPU_US, "each at the price of a few good ones");
}

/* A good request, broken on its way: by how a path is written, by what HTTP says of a body. */
static void
ways(void)
{
	enum { BROKEN = -3 }; /* malformed, or no address of ours any more: 4xx */
	static const struct {
		const char *name, *before, *after;
		int word;
	} rows[] = {
	    {"as it is", "", "", OCSP_GOOD},
	    {"an escape cut short", "", "%", BROKEN},
	    {"an escape of one digit", "", "%4", BROKEN},
	    {"an escape of no digits", "", "%zz", BROKEN},
	    {"an escape in an escape", "%25", "", BROKEN},
	    {"an escape before it", "%", "", BROKEN},
	    {"a padding more", "", "=", BROKEN},
	    {"a padding more, escaped", "", "%3D", BROKEN},
	    {"four more", "", "====", BROKEN},
	    {"padding first", "=", "", BROKEN},
	    {"a letter more", "", "A", BROKEN},
	    {"a letter first", "A", "", BROKEN},
	    {"four letters more", "", "AAAA", BROKEN},
	    {"a NUL", "", "%00", BROKEN},
	    {"a line end", "", "%0A", BROKEN},
	    {"a line end within", "MFEw%0D%0A", "", BROKEN},
	    {"a blank", "", "%20", BROKEN},
	    {"a tab first", "%09", "", BROKEN},
	    {"base64url's letters", "-_", "", BROKEN},
	    {"a letter of two bytes", "%C3%A9", "", BROKEN},
	    {"an overlong stroke", "%C0%AF", "", BROKEN},
	    {"a stroke more", "", "/", BROKEN},
	    {"a stroke first", "/", "", BROKEN},
	    {"a folder above", "../", "", BROKEN},
	    {"a folder above, escaped", "..%2F", "", BROKEN},
	    {"a fragment", "", "#a", BROKEN},
	    {"it twice", "MAA", "", BROKEN},
	};
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), b64 OWNED(buf_drop) = BUF(8192);
	struct buf path OWNED(buf_drop) = BUF(16384), http OWNED(buf_drop) = BUF(1U << 20);
	int64_t began, spent;
	struct reply r OWNED(reply_drop) = REPLY;
	size_t bad = 0;

	request_of(&der, 20);
	ocsp_path_put(&b64, buf_slice(&der));
	began = cpu_us();
	for (size_t i = 0; i < COUNT(rows); i++) {
		int word;

		buf_clear(&path);
		buf_put_str(&path, rows[i].before);
		buf_put(&path, buf_slice(&b64));
		buf_put_str(&path, rows[i].after);
		get(buf_slice(&path), "GET", "", &http);
		exchange(buf_slice(&http), true, &r);
		word = word_on(&r, 20);
		if (rows[i].word != BROKEN ? word == rows[i].word
		                           : word == MALFORMED || (word == OTHER_WORDS && r.status >= 400 && r.status < 500))
			continue;
		printf("# %s: %u %d\n", rows[i].name, r.status, word);
		bad++;
	}
	spent = cpu_us() - began;
	is(bad == 0, "a good request in every broken path: malformed or 4xx");
	is(spent <= (int64_t)COUNT(rows) * BAD_CPU_US, "each at the price of a few good ones");
	/* ten thousand certificates, really sent */
	{
		struct ocsp_certid id;
		struct buf one OWNED(buf_drop) = BUF(256), all OWNED(buf_drop) = BUF(1U << 20),
		               body OWNED(buf_drop) = BUF(1U << 20);
		slice whole, content, in;
		uint8_t tag;

		id_of(&id, HASH_SHA1, 20, &names);
		ocsp_request_put(&one, &id, (slice){NULL, 0});
		in = buf_slice(&one);
		for (int depth = 0; depth < 3; depth++) {
			need(der_get_any(&in, &tag, &content, &whole).kind == OK, "a request's list");
			in = content;
		}
		for (int i = 0; i < 10000; i++)
			buf_put(&all, content);
		der_put(&body, DER_SEQUENCE, buf_slice(&all));
		buf_clear(&all);
		der_put(&all, DER_SEQUENCE, buf_slice(&body));
		buf_clear(&body);
		der_put(&body, DER_SEQUENCE, buf_slice(&all));
		buf_clear(&http);
		http.max = 2U << 20;
		post(buf_slice(&body), "", &http);
		began = cpu_us();
		exchange(buf_slice(&http), true, &r);
		spent = cpu_us() - began;
		is((r.status == 413 || r.status == 0) && spent < 20000, "ten thousand certificates, sent: refused, unread");
		printf("# %zu bytes, status %u, %lld us of CPU\n", body.n, r.status, (long long)spent);
	}
	is(ask(20) == OCSP_GOOD, "and others are served");
}

/* --- files that change, and files that are damaged ------------------------------------ */

/* Requests on one connection while the file is replaced again and again: each answer is one of the two that were signed. */
static void
replaced(slice base, slice other)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), http OWNED(buf_drop) = BUF(8192);
	struct reply r OWNED(reply_drop) = REPLY;
	int fd = dial(port), word, seen[2] = {0};
	bool good = true;

	request_of(&der, 8);
	post(buf_slice(&der), "", &http);
	for (int i = 0; i < 3000 && good; i++) {
		if (i % 100 == 0)
			publish("base", i / 100 % 2 == 0 ? other : base);
		say(fd, buf_slice(&http));
		good = hear(fd, true, &r);
		word = word_on(&r, 8);
		good = good && (word == OCSP_GOOD || word == OCSP_REVOKED);
		if (good)
			seen[word]++;
		if (i % 100 == 50)
			(void)poll(NULL, 0, 20); /* the look is ten times a second */
	}
	close(fd);
	printf("# good %d, revoked %d\n", seen[0], seen[1]);
	is(good && seen[0] > 0 && seen[1] > 0, "a file replaced under traffic: every answer is whole");
	publish("base", other);
	is(becomes(8, OCSP_REVOKED), "what was revoked shows within a second");
	publish("base", base);
	is(becomes(8, OCSP_GOOD), "and back");
}

static void
damaged(struct buf *base, struct buf *recent)
{
	size_t at = base->n - 32 - 7 * 24 - N * 128; /* where the slots begin; the second block has serials 17 to 32 */
	size_t before = logged("front-status-block"), bad = 0;
	uint8_t old = base->p[at + 20 * 128 + 60];

	base->p[at + 20 * 128 + 60] ^= 1; /* one bit of a signature */
	publish("base", buf_slice(base));
	is(becomes(21, TRY_LATER), "one flipped bit: its answer is withheld");
	for (uint8_t v = 1; v <= 40; v++) {
		int word = ask(v), want = v >= 17 && v <= 32                   ? TRY_LATER
		                          : v == REVOKED || v == NEWLY_REVOKED ? OCSP_REVOKED
		                                                               : OCSP_GOOD;

		bad += word != want;
	}
	is(bad == 0, "its block is, and no other");
	is(logged("front-status-block") == before + 1, "one alarm for the block");
	is(metric_is("\ninkan_status_blocks_damaged_total{front=\"0\"} 1\n"), "and a metric");
	base->p[at + 20 * 128 + 60] = old;
	publish("base", buf_slice(base));
	is(becomes(21, OCSP_GOOD), "a whole file again: served");

	before = logged("front-status-file");
	publish("base", (slice){base->p, base->n / 2});
	is(becomes(1, TRY_LATER), "half a file: tryLater");
	is(ask(NEWLY_REVOKED) == OCSP_REVOKED, "what stands in recent is answered");
	publish("base", (slice){base->p, 0});
	is(ask(1) == TRY_LATER, "an empty file: tryLater");
	publish("base", buf_slice(base));
	is(becomes(1, OCSP_GOOD), "whole again: served");
	is(logged("front-status-file") > before && logged("front-status-file") <= before + 2, "an alarm for each file");
	is(metric_is("\ninkan_status_file_good{file=\"base\",front=\"0\"} 1\n") &&
	        metric_is("\ninkan_status_file_answers{file=\"base\",front=\"0\"} 100\n"),
	    "metrics of a file");

	recent->p[recent->n - 1] ^= 1;
	publish("recent", buf_slice(recent));
	is(becomes(1, TRY_LATER), "recent damaged: no good from base, for it may be revoked there");
	is(ask(REVOKED) == OCSP_REVOKED, "a revocation stands all the same");
	is(ask(UNKNOWN) == TRY_LATER, "and a new certificate may stand in it");
	recent->p[recent->n - 1] ^= 1;
	recent->p[4096] ^= 1; /* a block of it: all that recent has */
	publish("recent", buf_slice(recent));
	is(becomes(1, OCSP_GOOD), "a damaged block of recent: what cannot stand in it is served");
	is(ask(6) == TRY_LATER, "what may stand in it is not");
	is(ask(NEWLY_REVOKED) == TRY_LATER && ask(WITHDRAWN) == TRY_LATER, "never good for what stands in it");
	recent->p[4096] ^= 1;
	publish("recent", buf_slice(recent));
	is(becomes(NEWLY_REVOKED, OCSP_REVOKED), "whole again");
}

/*
 * A publisher that is captured cuts short the very files that front reads, asked all the while: nobody dies of it, the word
 * is withheld, an alarm is given, others go on.
 */
static void
cut_short(slice base, slice recent)
{
	static const struct {
		const char *file;
		off_t kept;
		uint8_t v;
		int before;
	} rows[] = {{"base", 0, 1, OCSP_GOOD}, {"base", 4096, 60, OCSP_GOOD}, {"base", 8192, 100, OCSP_GOOD},
	    {"recent", 0, NEWLY_REVOKED, OCSP_REVOKED}, {"recent", 4096, NEWLY_REVOKED, OCSP_REVOKED}};
	size_t alarms = logged("front-status-file"), bad = 0, gone = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int again = 0; again < 6; again++) {
			char path[1200];
			bool good;
			int word;

			publish("base", base);
			publish("recent", recent);
			if (!becomes(REVOKED, OCSP_REVOKED) || !becomes(rows[i].v, rows[i].before)) {
				printf("# %s, %lld left, whole: %d %d\n", rows[i].file, (long long)rows[i].kept, ask(rows[i].v),
				    ask(REVOKED));
				bad++;
			}
			snprintf(path, sizeof path, "%s/repository/status/%s", home, rows[i].file);
			(void)poll(NULL, 0, again * 17); /* at another moment of its look, ten times a second */
			need(truncate(path, rows[i].kept) == 0, "truncate");
			word = ask(rows[i].v);
			/* until its next look front may have the file before; and a page that is still there says what was signed */
			good = (word == TRY_LATER || word == rows[i].before) && becomes(rows[i].v, TRY_LATER) &&
			       ask(rows[i].file[0] == 'b' ? NEWLY_REVOKED : REVOKED) == OCSP_REVOKED;
			if (!good)
				printf("# %s, %lld left: %d, then %d\n", rows[i].file, (long long)rows[i].kept, word, ask(rows[i].v));
			gone += word == TRY_LATER && again > 0;
			bad += !good;
		}
	publish("base", base);
	publish("recent", recent);
	is(bad == 0 && gone > 0 && waitpid(front_pid, NULL, WNOHANG) == 0,
	    "a status file cut short in its place: tryLater, never good, and front lives");
	is(logged("front-status-file") >= alarms + 30, "an alarm each time");
	is(becomes(1, OCSP_GOOD) && becomes(NEWLY_REVOKED, OCSP_REVOKED), "whole files again: served");
}

/* Issue 3, 1; edge/http.h: an ordinary request takes no memory of ours, be it GET or POST, whatever the answer. */
static uint64_t
allocations(void)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	uint64_t n = 0;

	file_get(counted, &b);
	need(b.n == sizeof n, "the count of allocations");
	memcpy(&n, b.p, sizeof n);
	return n;
}

/* On kept connections, so many requests: each certificate in turn, every fourth with a tag that front has. */
static bool
kept(const int fd[4], size_t n, bool by_get)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), path OWNED(buf_drop) = BUF(8192);
	struct buf http OWNED(buf_drop) = BUF(16384);
	struct reply r OWNED(reply_drop) = REPLY;
	bool good = true;

	for (size_t i = 0; i < n && good; i++) {
		bool tag = by_get && i % 4 == 3;

		request_of(&der, (uint8_t)(1 + i % UNKNOWN));
		buf_clear(&path);
		ocsp_path_put(&path, buf_slice(&der));
		if (by_get)
			get(buf_slice(&path), "GET", tag ? "If-None-Match: \"a\", *\r\n" : "", &http);
		else
			post(buf_slice(&der), "", &http);
		say(fd[i % 4], buf_slice(&http));
		good = hear(fd[i % 4], true, &r) && (r.status == 200 || (tag && r.status == 304));
	}
	return good;
}

static void
unallocated(bool counts)
{
	static const char *const says[] = {
	    "1,000 kept POSTs: no allocation in our own code", "1,000 kept GETs: no allocation in our own code"};
	int fd[4];

	if (!counts) {
		printf(
		    "ok %d - allocations are counted # SKIP built with sanitizers, which have a heap of their own\n", ++tests);
		return;
	}
	is(allocations() > 0, "allocations are counted: to start takes some");
	for (size_t k = 0; k < COUNT(fd); k++)
		fd[k] = dial(port);
	/* each place keeps what its first requests took */
	is(kept(fd, 800, true) && kept(fd, 800, false), "all are answered");
	for (size_t by_get = 0; by_get < 2; by_get++) {
		uint64_t before = allocations(), after;
		bool good = kept(fd, 1000, by_get == 1);

		after = allocations();
		if (!is(good && after == before, says[by_get]))
			printf("# %llu allocations\n", (unsigned long long)(after - before));
	}
	for (size_t k = 0; k < COUNT(fd); k++)
		close(fd[k]);
}

int
main(int argc, char **argv)
{
	struct buf base OWNED(buf_drop) = BUF(1U << 20), other OWNED(buf_drop) = BUF(1U << 20);
	struct buf recent OWNED(buf_drop) = BUF(1U << 20);
	char path[1200];
	int status;

	if (argc != 3 && argc != 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	snprintf(home, sizeof home, "%s", argv[2]);
	now = instant_floor_second(clock_now());
	world();
	make_base(&base, 0);
	make_base(&other, 8);
	make_recent(&recent);
	snprintf(path, sizeof path, "%s/repository", home);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/repository/status", home);
	(void)mkdir(path, 0755);
	snprintf(counted, sizeof counted, "%s/allocations", home);
	file_put(counted, slice_of(&(uint64_t){0}, sizeof(uint64_t)));
	start_front(argv[1], argv[3]);
	is(ask(1) == UNAUTHORIZED, "nothing is published yet: unauthorized");
	publish("base", buf_slice(&base));
	publish("recent", buf_slice(&recent));
	is(becomes(1, OCSP_GOOD), "published: answered within a second");
	words();
	unallocated(argc == 4);
	caching();
	shapes();
	live();
	malformed();
	forms();
	ways();
	replaced(buf_slice(&base), buf_slice(&other));
	damaged(&base, &recent);
	cut_short(buf_slice(&base), buf_slice(&recent));
	is(metric_is("inkan_ocsp_answers_total{answer=\"malformed\",method="), "malformed ones are counted");
	link_order(control, ORDER_STOP, 0, (slice){NULL, 0});
	(void)link_flush(control).kind;
	is(waitpid(front_pid, &status, 0) == front_pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "told to stop, it stops");
	printf("1..%d\n", tests);
	return failures != 0;
}
