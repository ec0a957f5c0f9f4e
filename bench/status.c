/* LINK: test/jpki/make.c test/system/parts/http.c */
/*
 * status - what a relying party does to a house with many certificates.
 *
 *   status nonces CA-CERTIFICATE STATUS-FILE COUNT FILE
 *                            for wrk: a Lua table of COUNT requests for certificates all over the status file, each with a
 *                            nonce of its own
 *   status one CA-CERTIFICATE STATUS-FILE FILE
 *                            a request for the one in the middle, as DER; its serial is printed
 *   status revoked WORLD PORT CA-CERTIFICATE FIRST COUNT
 *                            COUNT applicants many-FIRST … get certificates, and each is revoked by its own key, one after
 *                            the other: ms from the acknowledged POST until every front says revoked (SURE answers in a
 *                            row, over connections of their own), and until the last that still said good
 *   status count BASE RECENT how many certificates have an answer in one or the other
 *   status find FILE SECONDS look-ups of serials of the file, in no order, each checked as front does; after every block was
 *                            touched once
 *
 * Each but one prints a line of JSON.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "act/document.h"
#include "act/slots.h"
#include "edge/clock.h"
#include "edge/random.h"
#include "pki/cms.h"
#include "test/system/parts/http.h"

#define LATE_MS 10000
#define VISIBLE_MAX_MS 30000
#define SURE 8 /* answers in a row: two fronts are both among them but once in 128 */
#define LOOK_MS 2

static void
need(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "status: %s\n", what);
		exit(1);
	}
}

static double
now_ms(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
open_slots(const char *path, struct slots *s)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	need(fd >= 0 && fstat(fd, &st) == 0, "the status file");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	need(p != MAP_FAILED && slots_get(slice_of(p, (size_t)st.st_size), s).kind == OK, "the status file is damaged");
}

static void
load_names(const char *path, struct ocsp_issuer *names)
{
	static struct buf ca = {.max = CERT_MAX};
	struct cert issuer;

	file_get(path, &ca);
	need(cert_get(buf_slice(&ca), &issuer).kind == OK, "the CA's certificate");
	ocsp_issuer_of(&issuer, names);
}

static struct ocsp_certid
certid(const struct ocsp_issuer *names, serial s)
{
	return (struct ocsp_certid){HASH_SHA256, ARR(names->name256), ARR(names->key256), s};
}

/* --- nonces --------------------------------------------------------------------------- */
static void
nonces(const char *ca, const char *file, uint64_t count, const char *out)
{
	static const char end[] =
	    "}\nlocal at = 0\nfunction request()\n\tat = at % #requests + 1\n\treturn requests[at]\nend\n"
	    "function init(args)\n\tat = math.random(0, #requests - 1)\nend\n"
	    "function done(summary, latency)\n"
	    "\tio.write(string.format('RESULT %d %.3f %.3f %.3f %d\\n', summary.requests, summary.duration / 1e6, "
	    "latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.connect + "
	    "summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))\n"
	    "end\n";
	struct slots s OWNED(slots_drop) = {0};
	struct ocsp_issuer names;
	FILE *f = fopen(out, "w");

	need(f != NULL, "the file of requests");
	fputs("local requests = {\n", f);
	load_names(ca, &names);
	open_slots(file, &s);
	for (uint64_t i = 0; i < count; i++) {
		struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), http OWNED(buf_drop) = BUF(2 * OCSP_REQUEST_MAX);
		uint8_t nonce[OCSP_NONCE_OURS];
		struct ocsp_certid id;
		struct slot slot;

		need(slots_at(&s, i * 7919 % s.n, &slot).kind == OK, "a block of the status file");
		id = certid(&names, slot.serial);
		random_bytes(nonce, sizeof nonce);
		ocsp_request_put(&der, &id, ARR(nonce));
		buf_put_str(
		    &http, "POST /ocsp HTTP/1.1\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\nContent-Length: ");
		buf_put_decimal(&http, der.n);
		buf_put_str(&http, "\r\n\r\n");
		buf_put(&http, buf_slice(&der));
		fputc('"', f);
		for (size_t k = 0; k < http.n; k++)
			fprintf(f, "\\%03u", http.p[k]);
		fputs("\",\n", f);
	}
	fputs(end, f);
	need(fclose(f) == 0, "the disk");
	printf("{\"requests\":%llu,\"certificates\":%llu}\n", (unsigned long long)count, (unsigned long long)s.n);
}

static void
one(const char *ca, const char *file, const char *out)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), hex OWNED(buf_drop) = BUF(2 * SERIAL_MAX);
	struct slots s OWNED(slots_drop) = {0};
	struct ocsp_issuer names;
	struct ocsp_certid id;
	struct slot slot;

	load_names(ca, &names);
	open_slots(file, &s);
	need(slots_at(&s, s.n / 2, &slot).kind == OK, "a block of the status file");
	id = certid(&names, slot.serial);
	ocsp_request_put(&der, &id, (slice){NULL, 0});
	file_put(out, buf_slice(&der));
	serial_put_hex(&hex, slot.serial);
	printf("%.*s\n", (int)hex.n, (const char *)hex.p);
}

/* --- revoked ---------------------------------------------------------------------------- */
struct subscriber {
	struct signer *own;
	char *dossier, *token;
	struct buf certificate;
	serial serial;
	char hex[2 * SERIAL_MAX + 1];
};

static void
apply(const char *world, int port, const struct terms *terms, unsigned number, struct subscriber *x)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct answer a OWNED(answer_drop) = {0};
	struct signer *card OWNED(signer_drop) = NULL;
	struct make_application m;
	struct room room;
	char name[32], *nonce = challenge_new(port);

	snprintf(name, sizeof name, "many-%05u", number);
	card = signer_load(world, name);
	x->own = signer_new(KEY_P256, 256);
	applicant_for(world, name, terms, clock_now(), &room, &m);
	m.nonce = nonce;
	make_application(&cms, card, x->own, &m);
	ask(port, "POST", "/applications", "Content-Type: application/cms\r\nPrefer: wait=10\r\n", buf_slice(&cms), LATE_MS,
	    &a);
	free(nonce);
	x->dossier = answer_text(&a, "dossier");
	x->token = answer_text(&a, "token");
	need(a.status / 100 == 2 && x->dossier != NULL && x->token != NULL, "an application was refused");
}

static void
fetch(int port, struct subscriber *x)
{
	struct answer a OWNED(answer_drop) = {0};
	int64_t began = clock_steady_ms();
	char path[128], headers[128];
	struct buf hex OWNED(buf_drop) = BUF(2 * SERIAL_MAX);
	struct cert c;

	snprintf(path, sizeof path, "/applications/%s/certificate", x->dossier);
	snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", x->token);
	do {
		need(clock_steady_ms() - began < 20 * LATE_MS, "a certificate is not given out");
		pause_ms(LOOK_MS);
		ask(port, "GET", path, headers, (slice){NULL, 0}, LATE_MS, &a);
	} while (a.status != 200);
	x->certificate = BUF(CERT_MAX);
	buf_put(&x->certificate, buf_slice(&a.body));
	need(cert_get(buf_slice(&x->certificate), &c).kind == OK, "a certificate");
	signer_set_certificate(x->own, buf_slice(&x->certificate));
	x->serial = c.serial;
	serial_put_hex(&hex, c.serial);
	memcpy(x->hex, hex.p, hex.n);
}

/* What a front says on it: a status, or -1 for tryLater. */
static int
said(int port, const struct ocsp_issuer *names, const struct subscriber *x)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct answer a OWNED(answer_drop) = {0};
	struct ocsp_certid id = certid(names, x->serial);
	struct ocsp_answer o;

	ocsp_request_put(&der, &id, (slice){NULL, 0});
	ask(port, "POST", "/ocsp", "Content-Type: application/ocsp-request\r\n", buf_slice(&der), LATE_MS, &a);
	need(a.status == 200 && ocsp_answer_get(buf_slice(&a.body), &o).kind == OK, "an OCSP answer");
	need(o.error == 0 || o.error == OCSP_TRY_LATER, "an OCSP answer that says neither");
	return o.error != 0 ? -1 : (int)o.status;
}

static void
revoke_one(int port, const struct ocsp_issuer *names, const struct terms *terms, struct subscriber *x, double *visible,
    double *good)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), date OWNED(buf_drop) = BUF(64);
	struct answer a OWNED(answer_drop) = {0};
	double began, first = 0;
	int in_a_row = 0;

	instant_put(&date, clock_now());
	buf_put_u8(&date, 0);
	make_document(&cms, x->own, FORM_REVOCATION,
	    (const char *const[V_COUNT]){
	        terms->service, x->hex, "keyCompromise", (const char *)date.p, REVOCATION_SENTENCE},
	    (slice){NULL, 0}, clock_now());
	need(said(port, names, x) == OCSP_GOOD, "a certificate is not good before it is revoked");
	ask(port, "POST", "/revocations", "Content-Type: application/cms\r\n", buf_slice(&cms), LATE_MS, &a);
	began = now_ms(CLOCK_MONOTONIC);
	need(a.status == 201, "a revocation was refused");
	*good = 0;
	while (in_a_row < SURE) {
		double asked = now_ms(CLOCK_MONOTONIC);
		int s = said(port, names, x);

		need(asked - began < VISIBLE_MAX_MS, "a revocation never shows");
		if (s == OCSP_REVOKED) {
			if (in_a_row++ == 0)
				first = now_ms(CLOCK_MONOTONIC);
			continue;
		}
		if (s == OCSP_GOOD)
			*good = now_ms(CLOCK_MONOTONIC) - began;
		in_a_row = 0;
		pause_ms(LOOK_MS);
	}
	*visible = first - began;
}

static void
revoked(const char *world, int port, const char *ca, unsigned first, unsigned count)
{
	struct subscriber *x = mem_new(count, sizeof *x);
	double *visible = mem_new(count, sizeof *visible), *good = mem_new(count, sizeof *good);
	struct ocsp_issuer names;
	struct terms terms;
	unsigned in_time = 0;

	load_names(ca, &names);
	terms_get(port, &terms);
	for (unsigned i = 0; i < count; i++)
		apply(world, port, &terms, first + i, &x[i]);
	for (unsigned i = 0; i < count; i++)
		fetch(port, &x[i]);
	for (unsigned i = 0; i < count; i++) {
		revoke_one(port, &names, &terms, &x[i], &visible[i], &good[i]);
		in_time += visible[i] <= 1000;
	}
	qsort(visible, count, sizeof *visible, compare);
	qsort(good, count, sizeof *good, compare);
	printf("{\"revocations\":%u,\"within_1_s\":%u,\"p50_ms\":%.0f,\"p99_ms\":%.0f,\"max_ms\":%.0f,\"last_good_max_ms\":"
	       "%.0f}\n",
	    count, in_time, visible[count / 2], visible[count * 99 / 100 - (count % 100 == 0)], visible[count - 1],
	    good[count - 1]);
	for (unsigned i = 0; i < count; i++) {
		signer_drop(&x[i].own);
		free(x[i].dossier);
		free(x[i].token);
		buf_drop(&x[i].certificate);
	}
	free(x);
	free(visible);
	free(good);
}

/* --- count --------------------------------------------------------------------------------- */
static void
count(const char *base, const char *recent)
{
	struct slots b OWNED(slots_drop) = {0}, r OWNED(slots_drop) = {0};
	uint64_t n;

	open_slots(base, &b);
	open_slots(recent, &r);
	n = b.n;
	for (uint64_t i = 0; i < r.n; i++) {
		struct slot slot, there;

		need(slots_at(&r, i, &slot).kind == OK, "a block is damaged");
		n += slots_find(&b, slot.serial, &there).kind == ERR_ABSENT;
	}
	printf("{\"answers\":%llu}\n", (unsigned long long)n);
}

/* --- find --------------------------------------------------------------------------------- */
static void
find(const char *path, double seconds)
{
	struct slots s OWNED(slots_drop) = {0};
	double began = now_ms(CLOCK_MONOTONIC), opened, touched, cpu, took;
	uint64_t n = 0, at = 0;
	serial *want;
	struct slot slot;

	open_slots(path, &s);
	opened = now_ms(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < s.n; i += SLOTS_BLOCK)
		need(slots_at(&s, i, &slot).kind == OK, "a block is damaged");
	touched = now_ms(CLOCK_MONOTONIC);
	want = mem_new(1U << 16, sizeof *want);
	for (size_t i = 0; i < 1U << 16; i++) {
		uint64_t r;

		random_bytes(&r, sizeof r);
		need(slots_at(&s, r % s.n, &slot).kind == OK, "a block is damaged");
		want[i] = slot.serial;
	}
	cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	do {
		for (unsigned k = 0; k < 1000; k++, n++) {
			need(slots_find(&s, want[at], &slot).kind == OK && serial_eq(slot.serial, want[at]), "a look-up fails");
			at = (at + 1) % (1U << 16);
		}
		took = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	} while (took < seconds * 1000);
	printf("{\"answers\":%llu,\"open_ms\":%.2f,\"all_blocks_ms\":%.1f,\"finds\":%llu,\"find_us\":%.2f}\n",
	    (unsigned long long)s.n, opened - began, touched - opened, (unsigned long long)n, took * 1000 / (double)n);
	free(want);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "nonces") == 0 && argc == 6)
		nonces(argv[2], argv[3], strtoull(argv[4], NULL, 10), argv[5]);
	else if (strcmp(what, "one") == 0 && argc == 5)
		one(argv[2], argv[3], argv[4]);
	else if (strcmp(what, "revoked") == 0 && argc == 7)
		revoked(argv[2], (int)strtol(argv[3], NULL, 10), argv[4], (unsigned)strtoul(argv[5], NULL, 10),
		    (unsigned)strtoul(argv[6], NULL, 10));
	else if (strcmp(what, "count") == 0 && argc == 4)
		count(argv[2], argv[3]);
	else if (strcmp(what, "find") == 0 && argc == 4)
		find(argv[2], strtod(argv[3], NULL));
	else {
		fputs("usage: status nonces CA-CERTIFICATE STATUS-FILE COUNT FILE | one CA-CERTIFICATE STATUS-FILE FILE | "
		      "revoked WORLD PORT CA-CERTIFICATE FIRST "
		      "COUNT | "
		      "find FILE SECONDS\n",
		    stderr);
		return 2;
	}
	return 0;
}
