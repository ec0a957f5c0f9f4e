/*
 * signer - the right hand of the law: judges again, plans again, and lets a key move.
 *
 *	signer issuer|status --home DIR [--number N] [--uid U]      descriptor 3: inkand
 *
 * HOLDS    the trust file, profile, rule set and approval; its journal; the set of
 *          revoked serials; J-LIS CRLs as tables.
 *          issuer: the CA key, in a hand.  status: the OCSP and the checkpoint key, each in a hand.
 * HEARS    the registrar: orders to issue, void, revoke, list, answer; status also the fronts: OCSP requests; inkand: wires, the PIN, the clock, stop.
 *          The gate table stands in turn.c.
 * TOUCHES  DIR/journal-issuer or DIR/journal-status, for writing; at start DIR/inkan.conf, DIR/trust.conf and
 *          for status DIR/responder.conf or DIR/repository/ca/ocsp.cer, for reading.
 *
 * responder.conf, written by inkanctl rotate-responder, names the OCSP key and its certificate together, so that no start
 * ever finds the one without the other; without it they are [status_token] (or [token]) of inkan.conf and the certificate
 * that was published when the house was made:
 *
 *	[responder]
 *	key = pkcs11:token=…;object=…
 *	certificate = BASE64
 *
 * NEVER    an internet socket, SQL, a PKCS#11 module in its own memory; a certificate the registrar's word
 *          alone would make; "good" for a serial in the set.
 *
 * exit: 0 stopped as asked · 1 to be started anew · 2 usage · 3 what it holds is damaged, a person must look
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "edge/log.h"
#include "role/signer/signer.h"

#define PATH_BYTES 600

struct house {
	struct start start;
	enum signing_mode mode;
	struct conf *conf;
	struct trust *trust;
	struct responder responder;
	struct conf *changed; /* responder.conf, or NULL */
	struct starter *starter;
	const char *folder;
};

/* A text of the configuration as a C string that lives until the process ends; NULL where absent. */
static const char *
text_of(const struct conf *c, const char *section, const char *name)
{
	slice s = conf_text_or(c, slice_str(section), name, (slice){NULL, 0});
	char *z;

	if (s.n == 0)
		return NULL;
	z = mem_new(s.n + 1, 1);
	memcpy(z, s.p, s.n);
	return z;
}

static const char *
text(const struct house *h, const char *section, const char *name)
{
	return text_of(h->conf, section, name);
}

static bool
is_weak(const struct house *h)
{
	return slice_eq(conf_text_or(h->conf, LIT("jail"), "weak", LIT("no")), LIT("yes"));
}

/* Whom OCSP answers are by: as it was changed last, or as the house was made. */
static err
read_responder(struct house *h)
{
	struct buf file OWNED(buf_drop) = BUF(CONF_MAX), certificate OWNED(buf_drop) = BUF(CERT_MAX);
	err e = start_load(&h->start, "responder.conf", &file);
	slice base64;

	if (e.kind == ERR_WORLD && e.why == ENOENT)
		TRY(start_load(&h->start, "repository/ca/ocsp.cer", &certificate));
	else {
		TRY(e);
		TRY(conf_get(buf_slice(&file), &h->changed));
		TRY(conf_text(h->changed, LIT("responder"), "certificate", &base64));
		TRY(base64_get(base64, &certificate));
	}
	return responder_get(h->trust, buf_slice(&certificate), &h->responder);
}

static err
read_conf(struct house *h)
{
	struct buf conf OWNED(buf_drop) = BUF(CONF_MAX), trust OWNED(buf_drop) = BUF(CONF_MAX);
	const char *clock;

	TRY(start_load(&h->start, "inkan.conf", &conf));
	TRY(conf_get(buf_slice(&conf), &h->conf));
	TRY(start_load(&h->start, "trust.conf", &trust));
	TRY(trust_get(buf_slice(&trust), &h->trust));
	key_keep(h->trust->issuer_key); /* what the token returns is verified each time; what status is shown too */
	if (h->mode == SIGNER_STATUS)
		TRY(read_responder(h));
	clock = text(h, "clock", "test");
	if (clock == NULL)
		return ok;
	if (!h->trust->test_clock)
		return fail(ERR_POLICY, "signer-test-clock: design law 7: the trust file does not allow a test clock");
	return clock_use_test(start_path(&h->start, clock));
}

/* The hand stands beside us. */
static err
open_starter(struct house *h)
{
	/* the status signer's keys lie in a token of their own; one that lies with the issuer's is another house's choice */
	bool own = h->mode == SIGNER_STATUS && text(h, "status_token", "module") != NULL;
	const char *section = own ? "status_token" : "token", *folder = text(h, section, "folder");
	struct starter_plan p = {
	    .uid = h->start.uid,
	    .weak = is_weak(h),
	    .module = text(h, section, "module"),
	    .environment = text(h, section, "environment"),
	};
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
	p.folder = folder == NULL ? "-" : folder[0] == '/' ? folder : start_path(&h->start, folder);
	if (h->mode == SIGNER_ISSUER)
		p.uri[KEY_ISSUER] = text(h, "token", "issuer");
	else {
		p.uri[KEY_OCSP] = h->changed != NULL ? text_of(h->changed, "responder", "key") : text(h, section, "ocsp");
		p.uri[KEY_CHECKPOINT] = text(h, section, "checkpoint");
	}
	if (p.module == NULL || p.uri[0] == NULL || (h->mode == SIGNER_STATUS && p.uri[1] == NULL))
		return fail(ERR_INPUT, "signer-token: house: inkan.conf names no module or no key in [token]");
	return starter_open(&p, &h->starter);
}

static err
enter_jail(const struct house *h)
{
	struct jail j;

	if (mkdir(h->folder, 0700) != 0 && errno != EEXIST)
		return fail_why(ERR_WORLD, "signer-folder: house: the journal's folder cannot be made", errno);
	signer_jail(&h->start, h->folder, is_weak(h), &j);
	return jail_enter(&j);
}

static err
open_signer(struct house *h, struct signing *s)
{
	uint8_t key_id[SHA1_LEN];
	char refused[PATH_BYTES];
	enum unknown_word unknown;
	uint64_t limit;

	TRY(conf_number_or(h->conf, LIT("signer"), "live_per_second", LIVE_LIMIT_MAX, LIVE_PER_SECOND, &limit));
	TRY(revocation_unknown_get(conf_text_or(h->conf, LIT("ocsp"), "unknown", LIT("unauthorized")), &unknown));
	*s = (struct signing){.mode = h->mode, .state = (int)h->mode, .trust = h->trust, .stopped = ok, .alone = ok};
	s->clock_wall = h->start.clock;
	s->clock_steady = h->start.clock_at;
	s->responder = h->mode == SIGNER_STATUS ? &h->responder : NULL;
	s->revoked = revoked_set_new();
	s->live_limit = (unsigned)limit;
	s->unknown = unknown;
	key_identifier(h->trust->issuer_key, key_id);
	TRY(journal_open(h->folder, h->mode == SIGNER_ISSUER ? BY_ISSUER : BY_STATUS, h->trust->digest, key_id, &s->journal,
	    s->revoked));
	if (h->mode == SIGNER_STATUS) {
		s->known = known_set_new();
		TRY(journal_open_known(s->journal, s->known));
	}
	snprintf(refused, sizeof refused, "%s/pin-refused", h->folder);
	if (h->mode == SIGNER_ISSUER)
		hand_new(h->starter, KEY_ISSUER, key_spki(h->trust->issuer_key), refused, &s->hand[KEY_ISSUER]);
	else {
		hand_new(h->starter, KEY_OCSP, key_spki(h->responder.key), refused, &s->hand[KEY_OCSP]);
		hand_new(h->starter, KEY_CHECKPOINT, key_spki(h->trust->status_key), refused, &s->hand[KEY_CHECKPOINT]);
	}
	return ok;
}

static void
lend_fronts(struct signing *s, struct wires *w)
{
	s->n_front = 0;
	for (size_t i = 0; i < wires_count(w) && s->n_front < FRONTS_MAX; i++)
		if (link_peer(wires_at(w, i)) == PEER_FRONT) {
			s->front_wrong[s->n_front] = false;
			s->front[s->n_front++] = wires_at(w, i);
		}
}

static void
take_fronts_back(struct signing *s, struct wires *w)
{
	for (size_t i = 0; i < s->n_front; i++)
		if (s->front_wrong[i])
			wires_close(w, s->front[i]);
	s->n_front = 0;
}

static err
serve(struct signing *s, struct wires *w)
{
	for (;;) {
		struct link *registrar;

		TRY(wires_wait(w, s->more ? 0 : -1));
		if (wires_stopped(w))
			return ok;
		if (wires_fresh(w, PEER_REGISTRAR, 0))
			signing_wire(s);
		if (wires_confirmed(w))
			signing_confirm(s, clock_now(), clock_steady_ms());
		registrar = wires_find(w, PEER_REGISTRAR, 0);
		lend_fronts(s, w);
		if (registrar != NULL)
			TRY(signing_turn(s, registrar, clock_now(), clock_steady_ms(), secret_slice(wires_pin(w))));
		else {
			s->more = false;
			signing_refuse_fronts(s);
		}
		take_fronts_back(s, w);
		wires_flush(w);
	}
}

static err
run(struct house *h)
{
	struct wires *w OWNED(wires_drop) = NULL;
	struct signing s OWNED(signing_drop) = {0};

	TRY(read_conf(h));
	TRY(wires_open(&w));
	TRY(open_starter(h)); /* before the jail: hands are born outside it */
	TRY(enter_jail(h));
	TRY(open_signer(h, &s));
	return serve(&s, w);
}

int
main(int argc, char **argv)
{
	struct house h = {0};
	err e = start_get("signer", argc, argv, &h.start);

	if (e.kind == OK &&
	    (h.start.mode == NULL || (strcmp(h.start.mode, "issuer") != 0 && strcmp(h.start.mode, "status") != 0)))
		e = fail(ERR_INPUT, "signer-mode: house: a signer is an issuer or a status signer");
	if (e.kind == OK) {
		log_open(h.start.mode);
		h.mode = strcmp(h.start.mode, "issuer") == 0 ? SIGNER_ISSUER : SIGNER_STATUS;
		h.folder = start_path(&h.start, h.mode == SIGNER_ISSUER ? "journal-issuer" : "journal-status");
		e = run(&h);
	}
	starter_close(&h.starter);
	responder_drop(&h.responder);
	trust_drop(&h.trust);
	conf_drop(&h.conf);
	conf_drop(&h.changed);
	return start_end(e);
}
