/*
 * signer - the right hand of the law: judges again, plans again, and lets a key move.
 *
 *	signer issuer|status --home DIR [--number N] [--uid U]      descriptor 3: inkand
 *
 * HOLDS    the trust file, profile, rule set and approval; its journal; the set of
 *          revoked serials; J-LIS CRLs as tables.
 *          issuer: the CA key, in a hand.  status: the OCSP and the checkpoint key, each in a hand.
 * HEARS    the registrar: orders to issue, void, revoke, list, answer; inkand: wires, the PIN, the clock, stop.
 *          The gate table stands in turn.c.
 * TOUCHES  DIR/journal-issuer or DIR/journal-status, for writing; at start DIR/inkan.conf, DIR/trust.conf and
 *          for status DIR/repository/ca/ocsp.cer, for reading.
 * NEVER    an internet socket, SQL, a PKCS#11 module in its own memory; a certificate the registrar's word
 *          alone would make; "good" for a serial in the set.
 *
 * exit: 0 stopped as asked · 1 to be started anew · 2 usage · 3 what it holds is damaged, a person must look
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "base/conf.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/log.h"
#include "role/signer/signer.h"

#define EXIT_CORRUPT 3
#define PATH_BYTES 600

struct start {
	enum signer_mode mode;
	const char *home;
	uint32_t uid;
	struct conf *conf;
	struct trust *trust;
	struct responder responder;
	struct starter *starter;
	char folder[PATH_BYTES];
};

static err
read_file(const char *home, const char *name, size_t max, struct buf *out)
{
	char path[PATH_BYTES];
	uint8_t chunk[8192];
	ssize_t n;
	int fd;

	*out = BUF(max);
	snprintf(path, sizeof path, "%s/%s", home, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_why(ERR_WORLD, "signer-file: house: a file of the house cannot be read", errno);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		buf_put(out, slice_of(chunk, (size_t)n));
	close(fd);
	if (n < 0)
		return fail(ERR_WORLD, "signer-file: house: a file of the house cannot be read");
	return buf_check(out);
}

/* A text of the configuration as a C string that lives until the process ends; NULL where absent. */
static const char *
text(const struct conf *c, const char *section, const char *name)
{
	slice s = conf_text_or(c, slice_str(section), name, (slice){NULL, 0});
	char *z;

	if (s.n == 0)
		return NULL;
	z = mem_new(s.n + 1, 1);
	memcpy(z, s.p, s.n);
	return z;
}

/* A path of the configuration, taken from the home folder where it is relative. */
static const char *
path_of(const struct start *st, const char *name, const char *otherwise)
{
	const char *s = text(st->conf, "token", name);
	char *z;

	if (s == NULL)
		return otherwise;
	if (s[0] == '/')
		return s;
	z = mem_new(PATH_BYTES, 1);
	snprintf(z, PATH_BYTES, "%s/%s", st->home, s);
	return z;
}

static err
read_conf(struct start *st)
{
	struct buf b OWNED(buf_drop) = {0};
	char path[PATH_BYTES];
	slice clock;

	TRY(read_file(st->home, "inkan.conf", CONF_MAX, &b));
	TRY(conf_get(buf_slice(&b), &st->conf));
	buf_drop(&b);
	TRY(read_file(st->home, "trust.conf", CONF_MAX, &b));
	TRY(trust_get(buf_slice(&b), &st->trust));
	if (st->mode == SIGNER_STATUS) {
		buf_drop(&b);
		TRY(read_file(st->home, "repository/ca/ocsp.cer", CERT_MAX, &b));
		TRY(responder_get(st->trust, buf_slice(&b), &st->responder));
	}
	if (conf_text(st->conf, LIT("clock"), "test", &clock).kind == OK && clock.n > 0) {
		if (!st->trust->test_clock)
			return fail(ERR_POLICY, "signer-test-clock: design law 7: the trust file does not allow a test clock");
		snprintf(path, sizeof path, "%s/%.*s", st->home, (int)clock.n, (const char *)clock.p);
		TRY(clock_use_test(path));
	}
	return ok;
}

/* The hand stands beside us. */
static err
open_starter(struct start *st)
{
	struct starter_plan p = {.uid = st->uid};
	char self[PATH_BYTES], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 8);

	if (n <= 0)
		return fail_why(ERR_WORLD, "signer-self: house: this program does not find its own place", errno);
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return fail(ERR_WORLD, "signer-self: house: this program does not find its own place");
	memcpy(slash, "/hand", sizeof "/hand");
	p.program = self;
	p.module = text(st->conf, "token", "module");
	p.folder = path_of(st, "folder", "-");
	p.environment = text(st->conf, "token", "environment");
	p.weak = slice_eq(conf_text_or(st->conf, LIT("jail"), "weak", LIT("no")), LIT("yes"));
	if (st->mode == SIGNER_ISSUER)
		p.uri[KEY_ISSUER] = text(st->conf, "token", "issuer");
	else {
		p.uri[KEY_OCSP] = text(st->conf, "token", "ocsp");
		p.uri[KEY_CHECKPOINT] = text(st->conf, "token", "checkpoint");
	}
	if (p.module == NULL || p.uri[0] == NULL || (st->mode == SIGNER_STATUS && p.uri[1] == NULL))
		return fail(ERR_WORLD, "signer-token: house: inkan.conf names no module or no key in [token]");
	return starter_open(&p, &st->starter);
}

static err
enter_jail(const struct start *st)
{
	struct jail j = {
	    .role = "signer",
	    .sets = JAIL_PURE | JAIL_FILES,
	    .uid = st->uid,
	    .weak = slice_eq(conf_text_or(st->conf, LIT("jail"), "weak", LIT("no")), LIT("yes")),
	    .n_write = 1,
	    .write = {st->folder},
	};

	return jail_enter(&j);
}

static err
open_signer(struct start *st, struct signer *s)
{
	uint8_t key_id[SHA1_LEN];
	char refused[PATH_BYTES + 16];

	*s = (struct signer){.mode = st->mode, .state = (int)st->mode, .trust = st->trust, .stopped = ok};
	s->responder = st->mode == SIGNER_STATUS ? &st->responder : NULL;
	s->revoked = revoked_set_new();
	key_identifier(st->trust->issuer_key, key_id);
	TRY(journal_open(st->folder, st->mode == SIGNER_ISSUER ? BY_ISSUER : BY_STATUS, st->trust->digest, key_id,
	    &s->journal, s->revoked));
	snprintf(refused, sizeof refused, "%s/pin-refused", st->folder);
	if (st->mode == SIGNER_ISSUER)
		hand_new(st->starter, KEY_ISSUER, key_spki(st->trust->issuer_key), refused, &s->hand[KEY_ISSUER]);
	else {
		hand_new(st->starter, KEY_OCSP, key_spki(st->responder.key), refused, &s->hand[KEY_OCSP]);
		hand_new(st->starter, KEY_CHECKPOINT, key_spki(st->trust->status_key), refused, &s->hand[KEY_CHECKPOINT]);
	}
	return ok;
}

static err
serve(struct signer *s, struct wires *w)
{
	for (;;) {
		struct link *registrar;

		TRY(wires_wait(w, s->more ? 0 : -1));
		if (wires_stopped(w))
			return ok;
		if (wires_fresh(w, PEER_REGISTRAR, 0))
			signer_wire(s);
		if (wires_confirmed(w))
			signer_confirm(s, clock_now(), clock_steady_ms());
		registrar = wires_find(w, PEER_REGISTRAR, 0);
		if (registrar != NULL)
			TRY(signer_turn(s, registrar, clock_now(), clock_steady_ms(), secret_slice(wires_pin(w))));
		else
			s->more = false;
		wires_flush(w);
	}
}

static err
run(struct start *st)
{
	struct wires *w OWNED(wires_drop) = NULL;
	struct signer s OWNED(signer_drop) = {0};

	TRY(read_conf(st));
	TRY(wires_open(&w));
	TRY(open_starter(st)); /* before the jail: hands are born outside it */
	TRY(enter_jail(st));
	TRY(open_signer(st, &s));
	return serve(&s, w);
}

static void
usage(FILE *f)
{
	fputs("usage: signer issuer|status --home DIR [--number N] [--uid U], started by inkand\n"
	      "exit: 0 stopped as asked, 1 start anew, 2 usage, 3 its journal is damaged\n",
	    f);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'},
	    {"number", required_argument, NULL, 'n'}, {"uid", required_argument, NULL, 'u'},
	    {"help", no_argument, NULL, '?' + 256}, {0}};
	struct start st = {0};
	uint64_t uid = 0;
	int c;
	err e;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			st.home = optarg;
		else if (c == 'u' && decimal_get(slice_str(optarg), UINT32_MAX, &uid).kind == OK)
			st.uid = (uint32_t)uid;
		else if (c == '?' + 256) {
			usage(stdout);
			return 0;
		} else if (c != 'n') {
			usage(stderr);
			return 2;
		}
	}
	if (optind + 1 != argc || st.home == NULL ||
	    (strcmp(argv[optind], "issuer") != 0 && strcmp(argv[optind], "status") != 0)) {
		usage(stderr);
		return 2;
	}
	st.mode = strcmp(argv[optind], "issuer") == 0 ? SIGNER_ISSUER : SIGNER_STATUS;
	log_open(argv[optind]);
	snprintf(st.folder, sizeof st.folder, "%s/journal-%s", st.home, argv[optind]);
	e = run(&st);
	starter_close(&st.starter);
	responder_drop(&st.responder);
	trust_drop(&st.trust);
	conf_drop(&st.conf);
	if (e.kind == OK || e.kind == ERR_ABSENT) /* inkand is gone: so are we */
		return e.kind == OK ? 0 : 1;
	log_err(LOG_ALARM, e);
	return e.kind == ERR_CORRUPT ? EXIT_CORRUPT : 1;
}
