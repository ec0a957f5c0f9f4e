/* LINK: test/jpki/make.c test/system/parts/http.c */
/*
 * drill.c - what relying parties and a subscriber see while the CA room is away.
 *
 *	drill ask PORT CA CLOCK FILE        every serial of FILE (one a line, hex), by GET and by POST, like this moment of
 *	                                    the test clock: prints how many said what, whose time has passed, and the first
 *	                                    nextUpdate of a "good", ms since 1970
 *	drill revoke PORT CA CLOCK KEY CERT OTHER
 *	                                    the subscriber's own request; then asks by GET, by POST, with a nonce and
 *	                                    together with OTHER, until none says "good" of it, and once more after a second:
 *	                                    prints when it was acknowledged (ms since 1970, real time), its line, and how long
 *	                                    each shape still said "good"
 *
 * CA is the issuer's certificate in DER, CLOCK the house's test clock.  Exit code 1: something did not answer.
 */
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include "act/document.h"
#include "edge/clock.h"
#include "pki/ocsp.h"
#include "test/system/parts/http.h"

#define LATE_MS 10000

enum { GOOD, REVOKED, LATER, UNAUTHORIZED, OTHER, SAID_N };
static const char *const SAID[SAID_N] = {"good", "revoked", "later", "unauthorized", "other"};

static int port;
static struct ocsp_issuer issuer;

static int64_t
real_ms(void)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

static void
need(bool so, const char *what)
{
	if (!so) {
		fprintf(stderr, "drill: %s\n", what);
		exit(1);
	}
}

static void
load(const char *path, struct buf *out)
{
	uint8_t chunk[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	need(fd >= 0, path);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		buf_put(out, slice_of(chunk, (size_t)n));
	close(fd);
}

static struct ocsp_certid
certid(serial s)
{
	return (struct ocsp_certid){
	    .alg = HASH_SHA1, .name_hash = ARR(issuer.name1), .key_hash = ARR(issuer.key1), .serial = s};
}

enum shape { BY_GET, BY_POST, NONCE, MANY, SHAPE_N };
static const char *const SHAPE[SHAPE_N] = {"get", "post", "nonce", "many"};

static void
put_question(enum shape shape, serial s, serial other, struct buf *out)
{
	struct ocsp_certid id[2] = {certid(s), certid(other)};

	ocsp_request_put_many(
	    out, id, shape == MANY ? 2 : 1, shape == NONCE ? LIT("0123456789abcdef0123456789abcdef") : (slice){NULL, 0});
}

/* What is said of the first; the answer's end where it is good. */
static int
say(enum shape shape, serial s, serial other, instant now, instant *next)
{
	struct buf question OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), path OWNED(buf_drop) = BUF(8192);
	struct answer a OWNED(answer_drop) = {0};
	struct ocsp_live_answer l;

	put_question(shape, s, other, &question);
	if (shape == BY_GET) {
		buf_put_str(&path, "/ocsp/");
		ocsp_path_put(&path, buf_slice(&question));
		buf_put_u8(&path, 0);
		ask(port, "GET", (const char *)path.p, "", (slice){NULL, 0}, LATE_MS, &a);
	} else
		ask(port, "POST", "/ocsp", "Content-Type: application/ocsp-request\r\n", buf_slice(&question), LATE_MS, &a);
	if (a.status != 200 || ocsp_live_get(buf_slice(&a.body), &l).kind != OK)
		return OTHER;
	if (l.error != 0)
		return l.error == OCSP_TRY_LATER ? LATER : l.error == OCSP_UNAUTHORIZED ? UNAUTHORIZED : OTHER;
	for (size_t i = 0; i < l.live.n; i++) {
		const struct ocsp_single *one = &l.live.single[i];

		if (!serial_eq(one->id.serial, s))
			continue;
		need(now.ms >= one->this_update.ms, "an answer of a time to come");
		*next = one->next_update;
		return one->status == OCSP_GOOD ? GOOD : one->status == OCSP_REVOKED ? REVOKED : OTHER;
	}
	return OTHER;
}

static void
ask_all(const char *file)
{
	uint64_t n[2][SAID_N] = {{0}}, lapsed = 0, asked = 0;
	struct buf text OWNED(buf_drop) = BUF(8U << 20);
	instant first = {INT64_MAX};
	slice rest, line;

	load(file, &text);
	rest = buf_slice(&text);
	while (slice_cut(&rest, '\n', &line)) {
		serial s;

		need(serial_get_hex(line, &s).kind == OK, "a serial");
		asked++;
		for (enum shape shape = BY_GET; shape <= BY_POST; shape++) {
			instant now = clock_now(), next = {0};
			int said = say(shape, s, s, now, &next);

			n[shape][said]++;
			if (said != GOOD && said != REVOKED)
				continue;
			lapsed += next.ms <= now.ms;
			if (said == GOOD && next.ms < first.ms)
				first = next;
		}
	}
	printf("{\"asked\":%llu", (unsigned long long)asked);
	for (int i = 0; i < SAID_N; i++) {
		need(n[BY_GET][i] == n[BY_POST][i], "GET and POST say the same");
		printf(",\"%s\":%llu", SAID[i], (unsigned long long)n[BY_GET][i]);
	}
	printf(",\"lapsed\":%llu,\"first\":%lld}\n", (unsigned long long)lapsed,
	    first.ms == INT64_MAX ? 0LL : (long long)first.ms);
}

static char *
serial_text(serial s)
{
	struct buf hex OWNED(buf_drop) = BUF(64);
	char *out;

	serial_put_hex(&hex, s);
	out = mem_new(hex.n + 1, 1);
	memcpy(out, hex.p, hex.n);
	return out;
}

static void
request_revocation(const char *key, const char *certificate, const char *other_hex)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), cms OWNED(buf_drop) = BUF(128U << 10),
	               date OWNED(buf_drop) = BUF(64);
	struct signer *own OWNED(signer_drop) = signer_from_pem(key);
	struct answer a OWNED(answer_drop) = {0};
	int64_t at, until[SHAPE_N] = {0};
	int last[SHAPE_N];
	struct terms terms;
	struct cert c;
	serial other;
	char *text;

	load(certificate, &der);
	need(cert_get(buf_slice(&der), &c).kind == OK, "a certificate");
	need(serial_get_hex(slice_str(other_hex), &other).kind == OK, "the other serial");
	signer_set_certificate(own, buf_slice(&der));
	terms_get(port, &terms);
	text = serial_text(c.serial);
	instant_put(&date, clock_now());
	buf_put_u8(&date, 0);
	make_document(&cms, own, FORM_REVOCATION,
	    (const char *const[V_COUNT]){terms.service, text, "keyCompromise", (const char *)date.p, REVOCATION_SENTENCE},
	    (slice){NULL, 0}, clock_now());
	ask(port, "POST", "/revocations", "Content-Type: application/cms\r\n", buf_slice(&cms), LATE_MS, &a);
	at = real_ms();
	if (a.status != 201)
		fprintf(stderr, "%d %.*s\n", a.status, (int)a.body.n, (const char *)a.body.p);
	need(a.status == 201, "the revocation was not taken");
	for (bool more = true; more && real_ms() - at < 10000;) {
		more = false;
		for (enum shape s = BY_GET; s < SHAPE_N; s++) {
			instant next;

			last[s] = say(s, c.serial, other, clock_now(), &next);
			if (last[s] != GOOD)
				continue;
			until[s] = real_ms() - at;
			more = true;
		}
		if (!more && real_ms() - at < 1000) { /* and it stays so */
			pause_ms(50);
			more = true;
		}
	}
	printf("{\"at\":%lld,\"line\":%llu", (long long)at, (unsigned long long)answer_number(&a, "n"));
	for (int s = 0; s < SHAPE_N; s++)
		printf(",\"%s\":{\"good_ms\":%lld,\"says\":\"%s\"}", SHAPE[s], (long long)until[s], SAID[last[s]]);
	printf("}\n");
	free(text);
}

int
main(int argc, char **argv)
{
	struct buf ca OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert c;

	if (argc < 6 || (strcmp(argv[1], "ask") == 0 ? argc != 6 : strcmp(argv[1], "revoke") != 0 || argc != 8)) {
		fputs("usage: drill ask PORT CA CLOCK FILE | revoke PORT CA CLOCK KEY CERT OTHER\n", stderr);
		return 2;
	}
	port = (int)strtol(argv[2], NULL, 10);
	load(argv[3], &ca);
	need(cert_get(buf_slice(&ca), &c).kind == OK, "the issuer's certificate");
	ocsp_issuer_of(&c, &issuer);
	need(clock_use_test(argv[4]).kind == OK, "the test clock");
	if (strcmp(argv[1], "ask") == 0)
		ask_all(argv[5]);
	else
		request_revocation(argv[5], argv[6], argv[7]);
	return 0;
}
