/* LINK: test/jpki/make.c test/system/parts/http.c */
/*
 * clients - applicants who do not give up: while processes die they send the same bytes again until they are answered.
 *
 *	clients WORLD PORT FIRST COUNT WORKERS PAUSE_MS OUT
 *
 * Each worker takes cards many-FIRST … in turn.  One applies, waits for the certificate, fetches it, signs the receipt with
 * its new key, and one in eight asks for revocation with it.  Ends when OUT.stop exists or the cards are used up.  Every
 * promise that the house gave is a line of OUT, written the moment it was heard:
 *
 *	applied DOSSIER              2xx for the application: it stands in the books
 *	issued DOSSIER SHA256        the certificate's bytes, as fetched
 *	receipt DOSSIER N            line N says that the receipt was taken
 *	revoked SERIAL N             line N says that the certificate was revoked
 *	refused CODE                 a final refusal: none is expected
 *	lapsed DOSSIER               the challenge was given before the registrar died, and nothing was promised: made anew
 */
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/document.h"
#include "edge/clock.h"
#include "pki/cms.h"
#include "test/system/parts/http.h"

#define LATE_MS 8000
#define REVOKE_EACH 8

static const char *world, *out_path;
static int port, pause_between;
static struct terms terms;

static bool
is_stopped(void)
{
	char path[1024];

	snprintf(path, sizeof path, "%s.stop", out_path);
	return access(path, F_OK) == 0;
}

/* One write: lines of several workers never mix. */
__attribute__((format(printf, 1, 2))) static void
note(const char *format, ...)
{
	char line[512];
	va_list v;
	int fd = open(out_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), n;

	va_start(v, format);
	n = vsnprintf(line, sizeof line, format, v);
	va_end(v);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		_exit(3);
	close(fd);
}

/* Sends the same bytes until there is an answer that is final.  False: stopped before. */
static bool
send_until(const char *path, const char *headers, slice bytes, struct answer *a)
{
	for (;;) {
		ask(port, "POST", path, headers, bytes, LATE_MS, a);
		if (a->status >= 200 && a->status < 500)
			return true;
		if (is_stopped())
			return false;
		pause_ms(20);
	}
}

static void
hex_of(digest d, char out[2 * SHA256_LEN + 1])
{
	struct buf b OWNED(buf_drop) = BUF(2 * SHA256_LEN);

	buf_put_hex(&b, digest_slice(&d));
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
}

struct applicant {
	struct signer *own;
	char *dossier, *token, *serial;
	char certificate[2 * SHA256_LEN + 1];
};

static void
applicant_drop(struct applicant *a)
{
	signer_drop(&a->own);
	free(a->dossier);
	free(a->token);
	free(a->serial);
	*a = (struct applicant){0};
}

/* True when the house has promised to keep the application. */
static bool
apply(unsigned number, struct applicant *x)
{
	struct answer a OWNED(answer_drop) = {0};
	char name[32];

	snprintf(name, sizeof name, "many-%05u", number);
	for (;;) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct signer *card OWNED(signer_drop) = signer_load(world, name);
		struct make_application m;
		struct room room;
		char *nonce = challenge_new(port), *code, dossier[2 * SHA256_LEN + 1];

		signer_drop(&x->own);
		x->own = signer_new(KEY_P256, 256);
		applicant_for(world, name, &terms, clock_now(), &room, &m);
		m.nonce = nonce;
		m.contact = "applicant@example.jp"; /* so that messenger has letters to send */
		make_application(&cms, card, x->own, &m);
		hex_of(sha256(buf_slice(&cms)), dossier);
		if (!send_until("/applications", "Content-Type: application/cms\r\nPrefer: wait=5\r\n", buf_slice(&cms), &a)) {
			free(nonce);
			return false;
		}
		free(nonce);
		if (a.status / 100 == 2) {
			x->dossier = answer_text(&a, "dossier");
			x->token = answer_text(&a, "token");
			note("applied %s\n", x->dossier);
			return x->dossier != NULL && x->token != NULL;
		}
		code = answer_text(&a, "type");
		if (code == NULL || strcmp(code, "nonce-unknown") != 0) {
			note("refused %s %.32s\n", code, dossier);
			free(code);
			return false;
		}
		free(code);
		note("lapsed %.32s\n", dossier);
		if (is_stopped())
			return false;
	}
}

static bool
fetch(struct applicant *x)
{
	struct answer a OWNED(answer_drop) = {0};
	char path[128], headers[128];
	struct cert c;

	snprintf(path, sizeof path, "/applications/%s/certificate", x->dossier);
	snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", x->token);
	for (;;) {
		ask(port, "GET", path, headers, (slice){NULL, 0}, LATE_MS, &a);
		if (a.status == 200)
			break;
		if (is_stopped())
			return false;
		pause_ms(20);
	}
	if (cert_get(buf_slice(&a.body), &c).kind != OK) {
		note("refused certificate\n");
		return false;
	}
	{
		struct buf hex OWNED(buf_drop) = BUF(64);

		serial_put_hex(&hex, c.serial);
		buf_put_u8(&hex, 0);
		x->serial = mem_new(hex.n, 1);
		memcpy(x->serial, hex.p, hex.n);
	}
	hex_of(sha256(buf_slice(&a.body)), x->certificate);
	signer_set_certificate(x->own, buf_slice(&a.body));
	note("issued %s %s\n", x->dossier, x->certificate);
	return true;
}

static void
document(const struct applicant *x, enum form form, const char *const *values, const char *path, const char *word,
    const char *about)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct answer a OWNED(answer_drop) = {0};
	char *code;

	make_document(&cms, x->own, form, values, (slice){NULL, 0}, clock_now());
	if (!send_until(path, "Content-Type: application/cms\r\n", buf_slice(&cms), &a))
		return;
	if (a.status == 201) {
		note("%s %s %llu\n", word, about, (unsigned long long)answer_number(&a, "n"));
		return;
	}
	code = answer_text(&a, "type");
	note("refused %s %s\n", code, about);
	free(code);
}

static void
live(unsigned number)
{
	struct applicant x OWNED(applicant_drop) = {0};
	struct buf date OWNED(buf_drop) = BUF(64);

	if (!apply(number, &x) || !fetch(&x))
		return;
	instant_put(&date, clock_now());
	buf_put_u8(&date, 0);
	document(&x, FORM_RECEIPT,
	    (const char *const[R_COUNT]){
	        terms.service, x.dossier, x.serial, x.certificate, (const char *)date.p, RECEIPT_SENTENCE},
	    "/receipts", "receipt", x.dossier);
	if (number % REVOKE_EACH == 0)
		document(&x, FORM_REVOCATION,
		    (const char *const[V_COUNT]){
		        terms.service, x.serial, "keyCompromise", (const char *)date.p, REVOCATION_SENTENCE},
		    "/revocations", "revoked", x.serial);
}

int
main(int argc, char **argv)
{
	unsigned first, count, workers;
	int failed = 0, status;

	if (argc != 8) {
		fprintf(stderr, "usage: clients WORLD PORT FIRST COUNT WORKERS PAUSE_MS OUT\n");
		return 2;
	}
	world = argv[1];
	port = (int)strtol(argv[2], NULL, 10);
	first = (unsigned)strtoul(argv[3], NULL, 10);
	count = (unsigned)strtoul(argv[4], NULL, 10);
	workers = (unsigned)strtoul(argv[5], NULL, 10);
	pause_between = (int)strtol(argv[6], NULL, 10);
	out_path = argv[7];
	terms_get(port, &terms);
	for (unsigned w = 0; w < workers; w++) {
		pid_t pid = fork();

		if (pid < 0)
			return 3;
		if (pid > 0)
			continue;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = w; i < count && !is_stopped(); i += workers) {
			live(first + i);
			pause_ms(pause_between);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
