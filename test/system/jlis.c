/* LINK: test/jpki/make.c */
/*
 * jlis.c - stands where J-LIS answers, and does what a test wants: late, nothing, garbage, or answers that are true in
 * all but one thing.
 *
 *	jlis PORT WORLD MODES
 *
 * MODES is read at every question; its last line that begins with the asked key counts.  A question for a card has the
 * key of its serial in hexadecimal as in WORLD/list, any other (GET) the key "list":
 *
 *	SERIAL good | revoked | unknown      as a responder would
 *	SERIAL old | lapsed | future         made three days ago; holds no longer; is of a time to come
 *	SERIAL other | no-nonce | nonce      about another certificate; without our nonce; with another
 *	SERIAL by NAME                       signed by that certificate of WORLD
 *	SERIAL busy                          an unsigned OCSP refusal
 *	KEY garbage | empty | error | hang   bytes that are none; no bytes; status 500; the connection stays open, silent
 *	KEY cut                              closes in the middle
 *	KEY file PATH                        the bytes of that file
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/clock.h"
#include "pki/ocsp.h"
#include "test/jpki/make.h"

#define QUESTION_MAX (64U << 10)

static const char *world, *modes;

/* A whole request: its head ends, then as many bytes as it says. */
static bool
read_question(int fd, struct buf *in, slice *body)
{
	static const char length[] = "Content-Length: ";
	uint8_t chunk[8192];
	ssize_t n;

	while (in->n < QUESTION_MAX) {
		const uint8_t *end = in->n == 0 ? NULL : memmem(in->p, in->n, "\r\n\r\n", 4), *l;
		size_t want = 0, head;

		if (end != NULL) {
			head = (size_t)(end - in->p) + 4;
			l = memmem(in->p, head, length, sizeof length - 1);
			for (const uint8_t *p = l == NULL ? end : l + sizeof length - 1; *p >= '0' && *p <= '9'; p++)
				want = want * 10 + (size_t)(*p - '0');
			if (in->n >= head + want) {
				*body = slice_of(in->p + head, want);
				return true;
			}
		}
		n = read(fd, chunk, sizeof chunk);
		if (n <= 0)
			return false;
		buf_put(in, slice_of(chunk, (size_t)n));
	}
	return false;
}

/* What the modes say about the key: "good" where they say nothing. */
static void
mode_of(const char *key, char mode[512])
{
	struct buf text OWNED(buf_drop) = BUF(64U << 10);
	slice rest, line;
	size_t n = strlen(key);

	snprintf(mode, 512, "good");
	file_get(modes, &text);
	rest = buf_slice(&text);
	while (slice_cut(&rest, '\n', &line))
		if (line.n > n + 1 && memcmp(line.p, key, n) == 0 && line.p[n] == ' ')
			snprintf(mode, 512, "%.*s", (int)(line.n - n - 1), (const char *)line.p + n + 1);
}

static bool
is(const char *mode, const char *word)
{
	return strcmp(mode, word) == 0;
}

static void
put_answer(const char *mode, const struct ocsp_request *q, struct buf *out)
{
	struct buf ca OWNED(buf_drop) = BUF(CERT_MAX), data OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct signer *by OWNED(signer_drop) = signer_load(world, strncmp(mode, "by ", 3) == 0 ? mode + 3 : "ocsp");
	struct key *k OWNED(key_drop) = NULL;
	instant now = instant_floor_second(clock_now());
	struct ocsp_plan p = {.serial = q->id[0].serial, .nonce = q->nonce, .status = OCSP_GOOD};
	uint8_t id[SHA1_LEN];
	struct cert c;
	char path[512];

	snprintf(path, sizeof path, "%s/signca03.cer", world);
	file_get(path, &ca);
	if (cert_get(buf_slice(&ca), &c).kind != OK)
		exit(3);
	ocsp_issuer_of(&c, &p.issuer);
	if (cert_get(signer_certificate(by), &c).kind != OK || key_get_spki(c.spki, &k).kind != OK)
		exit(3);
	key_identifier(k, id);
	p.responder_key_id = ARR(id);
	if (is(mode, "old"))
		now.ms -= 3 * DAY_MS;
	if (is(mode, "lapsed"))
		now.ms -= 2 * HOUR_MS;
	if (is(mode, "future"))
		now.ms += 2 * HOUR_MS;
	p.produced = p.this_update = now;
	p.next_update = (instant){now.ms + (is(mode, "old") ? 7 * DAY_MS : HOUR_MS)};
	if (is(mode, "revoked")) {
		p.status = OCSP_REVOKED;
		p.revoked = (instant){now.ms - DAY_MS};
	}
	if (is(mode, "unknown"))
		p.status = OCSP_UNKNOWN;
	if (is(mode, "other"))
		p.serial.b[p.serial.n - 1] ^= 1;
	if (is(mode, "no-nonce"))
		p.nonce = (slice){NULL, 0};
	if (is(mode, "nonce"))
		p.nonce = LIT("0123456789abcdef");
	ocsp_put_data(&data, &p);
	signer_sign(by, SIG_RSA_SHA256, buf_slice(&data), &sig);
	ocsp_join(out, buf_slice(&data), SIG_RSA_SHA256, buf_slice(&sig), signer_certificate(by));
}

static void
send_all(int fd, slice s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		s = (slice){s.p + n, s.n - (size_t)n};
	}
}

/* True when the connection is to stay as it is. */
static bool
answer(int fd)
{
	struct buf in OWNED(buf_drop) = BUF(QUESTION_MAX + 8192), out OWNED(buf_drop) = BUF(64U << 20);
	char key[64] = "list", mode[512], head[256];
	struct ocsp_request q;
	slice body, all;
	int n;

	if (!read_question(fd, &in, &body))
		return false;
	if (body.n > 0) {
		if (ocsp_request_get(body, &q).kind != OK)
			return false;
		for (size_t i = 0; i < q.id[0].serial.n; i++)
			snprintf(key + 2 * i, 3, "%02X", q.id[0].serial.b[i]);
	}
	mode_of(key, mode);
	printf("%s %s\n", key, mode);
	if (is(mode, "hang"))
		return true;
	if (is(mode, "garbage"))
		buf_put_str(&out, "<html>The service is being maintained.</html>\n");
	else if (strncmp(mode, "file ", 5) == 0)
		file_get(mode + 5, &out);
	else if (is(mode, "busy"))
		ocsp_put_error(&out, OCSP_TRY_LATER);
	else if (body.n > 0 && !is(mode, "empty") && !is(mode, "error"))
		put_answer(mode, &q, &out);
	all = buf_slice(&out);
	n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    is(mode, "error") ? "500 No" : "200 OK", all.n);
	send_all(fd, slice_of(head, (size_t)n));
	if (is(mode, "cut"))
		all.n /= 2;
	send_all(fd, all);
	return false;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(0x7F000001)}};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), c;

	if (argc != 4) {
		fputs("usage: jlis PORT WORLD MODES\n", stderr);
		return 2;
	}
	a.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	world = argv[2];
	modes = argv[3];
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0) {
		perror("jlis");
		return 3;
	}
	puts("waiting");
	while ((c = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		if (!answer(c))
			close(c);
	return 3;
}
