/* LINK: test/jpki/make.c */
/*
 * answers - status files of any size, made by the real writer from answers really signed, and requests for them.
 *
 *   answers make DIR N [PROCESSES]       DIR/ca.cer, DIR/ca.key, DIR/responder.cer, DIR/responder.key, DIR/base with N
 *                                        certificates, every 10th revoked; good from an hour ago for two days.  The signing
 *                                        is shared among processes (2).
 *   answers requests DIR N COUNT FIRST   for wrk: a Lua table of COUNT requests by GET and by POST for certificates spread
 *                                        over the N, in DIR/get.lua and DIR/post.lua, to be sent in turn; beside them
 *                                        DIR/file.lua and DIR/file-post.lua, the same for a static file, whose name in file.txt
 *                                        is as long as the path of a GET is on the average
 *   answers one DIR N I                  the DER of a request for the I-th, to DIR/request.der; its serial on standard output
 *   answers index DIR N                  DIR/index.txt of the same certificates, for openssl ocsp
 *   answers open FILE                    ms to open a status file as front does, and to read every block of it
 *
 * The I-th serial follows from I and N alone, in rising order.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/slots.h"
#include "base/hash.h"
#include "edge/clock.h"
#include "test/jpki/make.h"

#define PROCESSES_MAX 16
#define TEN "inkanbench"
#define FILE_NAME TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "oo"

static char path_room[2][4096];

static const char *
in(const char *dir, const char *name)
{
	static int turn;
	char *at = path_room[turn++ % 2];

	snprintf(at, sizeof path_room[0], "%s/%s", dir, name);
	return at;
}

static void
need(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "answers: %s\n", what);
		exit(1);
	}
}

/* 16 bytes from 40… to 7F…, as the registrar draws them, but rising with i. */
static serial
serial_of(uint64_t i, uint64_t n)
{
	uint64_t step = (UINT64_C(1) << 62) / n, top;
	uint8_t of[8];
	serial s = {.n = 16};
	digest d;

	for (size_t k = 0; k < 8; k++)
		of[k] = (uint8_t)(i >> (8 * k));
	d = sha256(ARR(of));
	memcpy(&top, d.b, 8);
	top = (UINT64_C(1) << 62) + i * step + top % step;
	for (size_t k = 0; k < 8; k++)
		s.b[k] = (uint8_t)(top >> (56 - 8 * k));
	memcpy(s.b + 8, d.b + 8, 8);
	return s;
}

static bool
is_revoked(uint64_t i)
{
	return i % 10 == 3;
}

struct world {
	struct signer *ca, *responder;
	struct cert issuer;
	struct ocsp_issuer names;
	uint8_t responder_id[SHA1_LEN];
};

static void
world_names(struct world *w)
{
	struct key *k OWNED(key_drop) = NULL;

	need(cert_get(signer_certificate(w->ca), &w->issuer).kind == OK, "the CA's certificate");
	ocsp_issuer_of(&w->issuer, &w->names);
	need(key_get_spki(signer_spki(w->responder), &k).kind == OK, "the responder's key");
	key_identifier(k, w->responder_id);
}

static void
world_new(struct world *w, const char *dir, instant now)
{
	instant from = {now.ms - DAY_MS};
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert_plan plan = {.serial = {.n = 1, .b = {2}},
	    .not_before = from,
	    .not_after = instant_add_years(from, 1),
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .ocsp_signer = true};

	w->ca = signer_new(KEY_P256, 256);
	w->responder = signer_new(KEY_P256, 256);
	make_ca(w->ca, "bench", "OCSP bench CA", from, 10);
	world_names(w);
	plan.issuer = plan.subject = w->issuer.subject;
	plan.spki = signer_spki(w->responder);
	plan.ski = ARR(w->responder_id);
	plan.aki = w->issuer.ski;
	make_certificate(&der, w->ca, &plan);
	signer_set_certificate(w->responder, buf_slice(&der));
	file_put(in(dir, "ca.cer"), signer_certificate(w->ca));
	file_put(in(dir, "responder.cer"), buf_slice(&der));
	signer_to_pem(w->ca, in(dir, "ca.key"));
	signer_to_pem(w->responder, in(dir, "responder.key"));
}

/* An answer, as the status signer plans and signs it. */
static void
answer(const struct world *w, uint64_t i, uint64_t n, instant now, struct buf *out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	instant from = {instant_floor_second(now).ms - HOUR_MS};

	ocsp_put_data(&data, &(struct ocsp_plan){.issuer = w->names,
	                         .serial = serial_of(i, n),
	                         .status = is_revoked(i) ? OCSP_REVOKED : OCSP_GOOD,
	                         .revoked = is_revoked(i) ? from : (instant){0},
	                         .reason = is_revoked(i) ? REASON_KEY_COMPROMISE : REASON_UNSPECIFIED,
	                         .produced = from,
	                         .this_update = from,
	                         .next_update = {from.ms + 48 * HOUR_MS},
	                         .responder_key_id = ARR(w->responder_id)});
	signer_sign(w->responder, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	buf_clear(out);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), signer_certificate(w->responder));
}

#define SHARE 256 /* certificates that one process signs in a row */

/* A process signs every so many shares and hands over their slots, taken apart from whole answers. */
static void
sign_shares(
    const struct world *w, const struct slots_common *c, uint64_t k, uint64_t of, uint64_t n, instant now, int fd)
{
	struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), out OWNED(buf_drop) = BUF(1U << 20);
	struct slot s;

	for (uint64_t from = k * SHARE; from < n; from += of * SHARE) {
		buf_clear(&out);
		for (uint64_t i = from; i < from + SHARE && i < n; i++) {
			answer(w, i, n, now, &whole);
			need(slot_get_answer(buf_slice(&whole), c, &s).kind == OK, "an answer that is not of the form of slots");
			buf_put(&out, slice_of(&s, sizeof s));
		}
		for (slice left = buf_slice(&out); left.n > 0;) {
			ssize_t m = write(fd, left.p, left.n);

			need(m > 0, "a pipe");
			left = (slice){left.p + m, left.n - (size_t)m};
		}
	}
	_exit(0);
}

static void
make(const char *dir, uint64_t n, unsigned long processes)
{
	instant now = instant_floor_second(clock_now());
	struct world w = {0};
	struct slots_common c;
	struct slots_writer sw OWNED(slots_writer_drop) = {0};
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	int64_t began = clock_steady_ms();
	FILE *of[PROCESSES_MAX];
	slice piece;
	FILE *out;

	need(n > 0 && processes > 0 && processes <= PROCESSES_MAX, "N and PROCESSES");
	(void)mkdir(dir, 0755);
	world_new(&w, dir, now);
	answer(&w, 0, n, now, &first);
	need(slots_common_get(buf_slice(&first), &w.issuer, &c).kind == OK, "the first answer");
	for (unsigned long k = 0; k < processes; k++) {
		int pair[2];
		pid_t pid;

		need(pipe(pair) == 0, "a pipe");
		pid = fork();
		need(pid >= 0, "a process");
		if (pid == 0)
			sign_shares(&w, &c, k, processes, n, now, pair[1]);
		close(pair[1]);
		of[k] = fdopen(pair[0], "r");
		need(of[k] != NULL, "a pipe");
	}
	out = fopen(in(dir, "base.new"), "w");
	need(out != NULL, "the file");
	slots_write_start(&sw, &c, now);
	for (uint64_t i = 0; i < n; i++) {
		struct slot s;

		need(fread(&s, sizeof s, 1, of[i / SHARE % processes]) == 1, "a share that ended early");
		slots_write(&sw, &s);
		while (slots_write_out(&sw, &piece))
			need(fwrite(piece.p, piece.n, 1, out) == 1, "the disk");
	}
	slots_write_end(&sw);
	while (slots_write_out(&sw, &piece))
		need(fwrite(piece.p, piece.n, 1, out) == 1, "the disk");
	need(fclose(out) == 0 && rename(in(dir, "base.new"), in(dir, "base")) == 0, "the disk");
	while (wait(NULL) > 0) {
	}
	printf("{\"answers\":%llu,\"seconds\":%.1f}\n", (unsigned long long)n, (double)(clock_steady_ms() - began) / 1000);
	signer_drop(&w.ca);
	signer_drop(&w.responder);
}

/* --- requests ---------------------------------------------------------------------- */
static void
load_names(struct world *w, const char *dir)
{
	static struct buf ca = {.max = CERT_MAX};

	file_get(in(dir, "ca.cer"), &ca);
	need(cert_get(buf_slice(&ca), &w->issuer).kind == OK, "the CA's certificate");
	ocsp_issuer_of(&w->issuer, &w->names);
}

/* Every other client asks by SHA-256. */
static void
request(const struct world *w, uint64_t i, uint64_t n, struct buf *out)
{
	struct ocsp_certid id = {HASH_SHA1, ARR(w->names.name1), ARR(w->names.key1), serial_of(i, n)};

	if (i % 2 == 1)
		id = (struct ocsp_certid){HASH_SHA256, ARR(w->names.name256), ARR(w->names.key256), id.serial};
	buf_clear(out);
	ocsp_request_put(out, &id, (slice){NULL, 0});
}

static void
put_lua(FILE *f, slice s)
{
	fputc('"', f);
	for (size_t i = 0; i < s.n; i++)
		fprintf(f, "\\%03u", s.p[i]);
	fputs("\",\n", f);
}

static void
requests(const char *dir, uint64_t n, uint64_t count, uint64_t first)
{
	static const char end[] =
	    "}\nlocal at = 0\nfunction request()\n\tat = at % #requests + 1\n\treturn requests[at]\nend\n"
	    "function init(args)\n\tat = math.random(0, #requests - 1)\nend\n"
	    "function done(summary, latency)\n"
	    "\tio.write(string.format('RESULT %.0f %.3f %.3f %d\\n', summary.requests / summary.duration * 1e6, "
	    "latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.connect + "
	    "summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))\n"
	    "end\n";
	FILE *get = fopen(in(dir, "get.lua"), "w"), *post = fopen(in(dir, "post.lua"), "w");
	FILE *file = fopen(in(dir, "file.lua"), "w"), *file_post = fopen(in(dir, "file-post.lua"), "w");
	FILE *all[] = {get, post, file, file_post};
	struct world w = {0};

	need(get != NULL && post != NULL && file != NULL && file_post != NULL, "the files");
	load_names(&w, dir);
	file_put(in(dir, "file.txt"), LIT(FILE_NAME));
	for (size_t k = 0; k < COUNT(all); k++)
		fputs("local requests = {\n", all[k]);
	for (uint64_t k = 0; k < count; k++) {
		struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), path OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
		struct buf http OWNED(buf_drop) = BUF(2 * OCSP_REQUEST_MAX);

		/* A stride prime to n: all over the file, no two alike. */
		request(&w, (first + k * 7919) % n, n, &der);
		ocsp_path_put(&path, buf_slice(&der));
		buf_put_str(&http, "GET /ocsp/");
		buf_put(&http, buf_slice(&path));
		buf_put_str(&http, " HTTP/1.1\r\nHost: bench\r\n\r\n");
		put_lua(get, buf_slice(&http));
		for (int nginx = 0; nginx < 2; nginx++) {
			buf_clear(&http);
			buf_put_str(&http, nginx ? "POST /" FILE_NAME : "POST /ocsp");
			buf_put_str(
			    &http, " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\nContent-Length: ");
			buf_put_decimal(&http, der.n);
			buf_put_str(&http, "\r\n\r\n");
			buf_put(&http, buf_slice(&der));
			put_lua(nginx ? file_post : post, buf_slice(&http));
		}
		put_lua(file, LIT("GET /" FILE_NAME " HTTP/1.1\r\nHost: bench\r\n\r\n"));
	}
	for (size_t k = 0; k < COUNT(all); k++) {
		fputs(end, all[k]);
		need(fclose(all[k]) == 0, "the disk");
	}
}

static void
one(const char *dir, uint64_t n, uint64_t i)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), text OWNED(buf_drop) = BUF(64);
	struct world w = {0};

	load_names(&w, dir);
	request(&w, i, n, &der);
	file_put(in(dir, "request.der"), buf_slice(&der));
	serial_put_hex(&text, serial_of(i, n));
	printf("%.*s %s\n", (int)text.n, (const char *)text.p, is_revoked(i) ? "revoked" : "good");
}

static void
index_of(const char *dir, uint64_t n)
{
	FILE *f = fopen(in(dir, "index.txt"), "w");

	need(f != NULL, "the file");
	for (uint64_t i = 0; i < n; i++) {
		serial s = serial_of(i, n);

		fprintf(f, "%s\t360101000000Z\t%s\t", is_revoked(i) ? "R" : "V",
		    is_revoked(i) ? "260101000000Z,keyCompromise" : "");
		for (size_t k = 0; k < s.n; k++)
			fprintf(f, "%02X", s.b[k]);
		fprintf(f, "\tunknown\t/CN=%llu\n", (unsigned long long)i);
	}
	need(fclose(f) == 0, "the disk");
}

/* --- opening ------------------------------------------------------------------------ */
static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void
open_file(const char *path)
{
	struct slots s OWNED(slots_drop) = {0};
	struct slot slot;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	double began = now_ms(), opened, read;
	void *p;

	need(fd >= 0 && fstat(fd, &st) == 0, "the file");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED && slots_get(slice_of(p, (size_t)st.st_size), &s).kind == OK, "the file is damaged");
	opened = now_ms();
	for (uint64_t i = 0; i < s.n; i += SLOTS_BLOCK)
		need(slots_at(&s, i, &slot).kind == OK, "a block is damaged");
	read = now_ms();
	printf("{\"answers\":%llu,\"bytes\":%lld,\"open_ms\":%.2f,\"all_blocks_ms\":%.1f}\n", (unsigned long long)s.n,
	    (long long)st.st_size, opened - began, read - opened);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	uint64_t v[3] = {0};

	for (int i = 3; i < argc && i < 6; i++)
		v[i - 3] = strtoull(argv[i], NULL, 10);
	if (strcmp(what, "make") == 0 && argc >= 4)
		make(argv[2], v[0], argc > 4 ? (unsigned long)v[1] : 2);
	else if (strcmp(what, "requests") == 0 && argc == 6)
		requests(argv[2], v[0], v[1], v[2]);
	else if (strcmp(what, "one") == 0 && argc == 5)
		one(argv[2], v[0], v[1]);
	else if (strcmp(what, "index") == 0 && argc == 4)
		index_of(argv[2], v[0]);
	else if (strcmp(what, "open") == 0 && argc == 3)
		open_file(argv[2]);
	else {
		fputs("usage: answers make DIR N [PROCESSES] | requests DIR N COUNT FIRST | one DIR N I | index DIR N | open "
		      "FILE\n",
		    stderr);
		return 2;
	}
	return 0;
}
