/* LINK: test/jpki/make.c */
/*
 * captured - a front in the attacker's hands: started by a real inkand in front's place, with front's wires, outside any
 * jail.  It does what front's code could be made to do to the registrar.  See test/system/captured.test.
 *
 *	front --home DIR --number N --uid U            descriptor 3: the control socket
 *
 * CAPTURED_WORLD is the world, CAPTURED_DIR a folder of the test: `phase` there says what to do now, `lines` gets a line
 * "ok NAME" or "not ok NAME" for each thing tried, `done-PHASE` is made when nothing is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/body.h"
#include "act/document.h"
#include "act/order.h"
#include "act/order_desk.h"
#include "act/order_judge.h"
#include "act/slots.h"
#include "act/trust.h"
#include "base/conf.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "edge/start.h"
#include "test/jpki/make.h"

#define WAIT_MS 12000 /* below inkand's patience */

static struct {
	const char *home, *world, *dir;
	struct wires *wires;
	struct trust *trust;
	uint64_t id;
	/* the last answer */
	bool there;
	enum err_kind fail;
	char what[512];
	struct buf body;
} w;

static const char *
in_dir(const char *name)
{
	static char path[4][1100];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof path[next], "%s/%s", w.dir, name);
	return path[next];
}

static void
is(bool good, const char *name)
{
	FILE *f = fopen(in_dir("lines"), "a");

	if (f == NULL)
		_exit(1);
	fprintf(f, "%s %s\n", good ? "ok" : "not ok", name);
	if (!good)
		fprintf(f, "# %s\n", w.there ? w.what : "no answer");
	fclose(f);
}

static void
need(bool yes, const char *what)
{
	if (yes)
		return;
	is(false, what);
	_exit(1);
}

static bool
has_file(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static void
put(const char *name, slice s)
{
	file_put(in_dir(name), s);
}

static void
get(const char *name, struct buf *out)
{
	buf_clear(out);
	file_get(in_dir(name), out);
}

/* --- front's wire ---------------------------------------------------------------------------------------- */

static struct link *
registrar(void)
{
	return wires_find(w.wires, PEER_REGISTRAR, 0);
}

static void
turn(int wait_ms)
{
	if (wires_wait(w.wires, wait_ms).kind != OK || wires_stopped(w.wires))
		_exit(0);
	wires_flush(w.wires);
}

static bool
ask(uint8_t kind, slice body)
{
	int64_t end = clock_steady_ms() + WAIT_MS;
	struct frame f;
	bool have;

	w.there = false;
	w.what[0] = '\0';
	buf_drop(&w.body);
	w.body = BUF(FRAME_MAX);
	if (registrar() == NULL)
		return false;
	link_order(registrar(), kind, ++w.id, body);
	wires_flush(w.wires);
	while (clock_steady_ms() < end && registrar() != NULL) {
		while (registrar() != NULL && link_next(registrar(), &have, &f).kind == OK && have) {
			if (f.id != w.id)
				continue;
			w.there = true;
			w.fail = f.fail;
			snprintf(w.what, sizeof w.what, "%.*s", (int)f.what.n, (const char *)f.what.p);
			buf_put(&w.body, f.body);
			return f.fail == OK;
		}
		turn(20);
	}
	return false;
}

static bool
says(const char *code)
{
	size_t n = strlen(code);

	return w.there && w.fail != OK && strncmp(w.what, code, n) == 0 && w.what[n] == ':';
}

/* Asked again while the house is only opening. */
static bool
ask_soon(uint8_t kind, slice body)
{
	for (int i = 0; i < 200; i++) {
		bool good = ask(kind, body);

		if (good || (w.there && w.fail != ERR_BUSY && w.fail != ERR_WORLD))
			return good;
		turn(100);
	}
	return false;
}

/* --- applicants --------------------------------------------------------------------------------------------- */

struct applicant {
	struct signer *card, *own;
	struct make_application says;
	struct world_person person;
	char nonce[256], birth[16], terms[65], explanation[65], service[256];
	struct buf cms, certificate;
	struct apply_reply reply;
};

static void
applicant_drop(struct applicant *a)
{
	signer_drop(&a->card);
	signer_drop(&a->own);
	buf_drop(&a->cms);
	buf_drop(&a->certificate);
}

static void
hex(digest d, char out[65])
{
	struct buf b OWNED(buf_drop) = BUF(65);

	digest_put(&b, d);
	memcpy(out, b.p, 64);
	out[64] = '\0';
}

static void
challenge(char out[256])
{
	struct challenge_reply r;

	need(ask_soon(ORDER_CHALLENGE, (slice){NULL, 0}) && challenge_reply_get(buf_slice(&w.body), &r).kind == OK,
	    "a challenge");
	snprintf(out, 256, "%.*s", (int)r.nonce.n, (const char *)r.nonce.p);
}

/* A true application of a card, signed, with a fresh challenge; `says` may be changed and signed again. */
static void
begin(struct applicant *a, const char *card)
{
	static const char *const sexes[] = {"male", "female", "unknown"};

	*a = (struct applicant){.card = signer_load(w.world, card),
	    .own = signer_new(KEY_P256, 256),
	    .cms = BUF(CMS_MAX),
	    .certificate = BUF(CERT_MAX)};
	world_person(w.world, card, &a->person);
	snprintf(
	    a->birth, sizeof a->birth, "%.4s-%.2s-%.2s", a->person.birth + 1, a->person.birth + 5, a->person.birth + 7);
	snprintf(a->service, sizeof a->service, "%.*s", (int)w.trust->service.n, (const char *)w.trust->service.p);
	hex(w.trust->terms[0].sha256, a->terms);
	hex(w.trust->explanation[0].sha256, a->explanation);
	challenge(a->nonce);
	a->says = (struct make_application){.at = clock_now()};
	a->says.service = a->service;
	a->says.name = a->person.name;
	a->says.address = a->person.address;
	a->says.birth = a->birth;
	a->says.sex = sexes[a->person.sex[0] - '1'];
	a->says.terms = a->terms;
	a->says.explanation = a->explanation;
	a->says.nonce = a->nonce;
}

static void
sign(struct applicant *a)
{
	buf_clear(&a->cms);
	make_application(&a->cms, a->card, a->own, &a->says);
}

static bool
send(struct applicant *a)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	apply_order_put(&b, &(struct apply_order){.cms = buf_slice(&a->cms), .wait = true});
	return ask_soon(ORDER_APPLY, buf_slice(&b)) && apply_reply_get(buf_slice(&w.body), &a->reply).kind == OK;
}

static bool
fetch(const struct apply_reply *of, const token *with, struct buf *out)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	slice certificate;

	dossier_order_put(&b, &(struct dossier_order){of->dossier, *with});
	if (!ask(ORDER_FETCH, buf_slice(&b)) || octets_get(buf_slice(&w.body), &certificate).kind != OK)
		return false;
	if (out != NULL) {
		buf_clear(out);
		buf_put(out, certificate);
	}
	return true;
}

/* Once others can ask about it, which a moment after issuance they can. */
static bool
fetch_soon(const struct apply_reply *of, const token *with, struct buf *out)
{
	for (int i = 0; i < 200; i++) {
		if (fetch(of, with, out))
			return true;
		if (!w.there || w.fail != ERR_BUSY)
			return false;
		turn(50);
	}
	return false;
}

static bool
look(const struct apply_reply *of, const token *with, struct dossier_reply *out)
{
	struct buf b OWNED(buf_drop) = BUF(256);

	dossier_order_put(&b, &(struct dossier_order){of->dossier, *with});
	return ask(ORDER_DOSSIER, buf_slice(&b)) && dossier_reply_get(buf_slice(&w.body), out).kind == OK;
}

static enum serial_state
state_of(serial s)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	struct serial_reply r;

	serial_order_put(&b, &(struct serial_order){s});
	need(ask(ORDER_SERIAL, buf_slice(&b)) && serial_reply_get(buf_slice(&w.body), &r).kind == OK, "a serial's state");
	return r.state;
}

/* Applies and fetches: a subscriber, with his certificate. */
static void
subscribe(struct applicant *a, const char *card)
{
	begin(a, card);
	sign(a);
	need(send(a) && a->reply.state == DOSSIER_ISSUED, "a true application is issued");
	need(fetch_soon(&a->reply, &a->reply.token, &a->certificate), "a certificate is fetched");
	signer_set_certificate(a->own, buf_slice(&a->certificate));
}

static bool
document(uint8_t kind, const struct signer *who, enum form form, const char *const *values)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_MAX);

	make_document(&cms, who, form, values, (slice){NULL, 0}, clock_now());
	octets_put(&b, buf_slice(&cms));
	return ask_soon(kind, buf_slice(&b));
}

static void
now_text(char out[RFC3339_LEN + 1])
{
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, clock_now());
	memcpy(out, b.p, RFC3339_LEN);
	out[RFC3339_LEN] = '\0';
}

static void
serial_text(serial s, char out[64])
{
	struct buf b OWNED(buf_drop) = BUF(64);

	serial_put_hex(&b, s);
	snprintf(out, 64, "%.*s", (int)b.n, (const char *)b.p);
}

static bool
revoke_by(const struct applicant *of, const struct signer *who)
{
	char date[RFC3339_LEN + 1], number[64];
	const char *const v[V_COUNT] = {of->service, number, "keyCompromise", date, REVOCATION_SENTENCE};

	now_text(date);
	serial_text(of->reply.serial, number);
	return document(ORDER_REVOKE, who, FORM_REVOCATION, v);
}

static bool
receipt_by(const struct applicant *of, const struct signer *who)
{
	char date[RFC3339_LEN + 1], number[64], certificate[65];
	struct buf id OWNED(buf_drop) = BUF(65);
	const char *v[R_COUNT] = {of->service, NULL, number, certificate, date, RECEIPT_SENTENCE};

	now_text(date);
	serial_text(of->reply.serial, number);
	hex(sha256(buf_slice(&of->certificate)), certificate);
	buf_put_hex(&id, (slice){of->reply.dossier.b, sizeof of->reply.dossier.b});
	buf_put_u8(&id, 0);
	v[R_DOSSIER] = (const char *)id.p;
	return document(ORDER_RECEIPT, who, FORM_RECEIPT, v);
}

/* What is kept for the next phase: NAME.dossier (hexadecimal), NAME.reply, NAME.key, NAME.cer. */
static void
keep(const char *name, const struct applicant *a)
{
	struct buf id OWNED(buf_drop) = BUF(64);
	char file[64];

	snprintf(file, sizeof file, "%s.reply", name);
	put(file, slice_of(&a->reply, sizeof a->reply));
	buf_put_hex(&id, (slice){a->reply.dossier.b, sizeof a->reply.dossier.b});
	snprintf(file, sizeof file, "%s.dossier", name);
	put(file, buf_slice(&id));
	snprintf(file, sizeof file, "%s.key", name);
	signer_to_pem(a->own, in_dir(file));
	snprintf(file, sizeof file, "%s.cer", name);
	put(file, buf_slice(&a->certificate));
}

static void
recall(const char *name, struct apply_reply *out)
{
	struct buf b OWNED(buf_drop) = BUF(4096);
	char file[64];

	snprintf(file, sizeof file, "%s.reply", name);
	get(file, &b);
	need(b.n == sizeof *out, file);
	memcpy(out, b.p, sizeof *out);
}

/* --- phase 1: front's own words ------------------------------------------------------------------------------ */

static void
forged_documents(struct applicant *a)
{
	struct applicant b OWNED(applicant_drop) = {0};
	dossier_id first = a->reply.dossier;
	uint8_t *at;

	need(send(a), "the same application again");
	is(memcmp(first.b, a->reply.dossier.b, sizeof first.b) == 0, "the same bytes sent again are the same dossier");
	begin(&b, "many-00002");
	sign(&b);
	at = memmem(b.cms.p, b.cms.n, b.birth, 10);
	need(at != NULL, "a birth date");
	at[3] ^= 1;
	is(!send(&b) && w.there, "an application with a digit changed on its way is refused");
	b.says.nonce = a->nonce;
	sign(&b);
	is(!send(&b) && says("nonce-used"), "another document under a challenge that was used is refused");
	b.nonce[0] = b.nonce[0] == '0' ? '1' : '0';
	b.says.nonce = b.nonce;
	sign(&b);
	is(!send(&b) && says("nonce-unknown"), "front gives no challenges of its own");
	b.says.nonce = "challenge";
	sign(&b);
	is(!send(&b) && says("nonce-unknown"), "… of no form");
	challenge(b.nonce);
	b.says.nonce = b.nonce;
	signer_drop(&b.own);
	b.own = signer_from_pem(in_dir("A.key"));
	sign(&b);
	is(!send(&b) || b.reply.state == DOSSIER_REFUSED || b.reply.state == DOSSIER_REVIEW,
	    "an application for a key that stands in a certificate is not issued");
	is(!fetch(&b.reply, &b.reply.token, NULL), "… and nothing can be fetched for it");
}

static void
forged_tokens(const struct applicant *a, const struct applicant *b)
{
	struct dossier_reply r;
	token none = {{0}}, near = a->reply.token;

	near.b[15] ^= 1;
	is(!fetch(&a->reply, &none, NULL) && says("token"), "no token: no certificate");
	is(!fetch(&a->reply, &near, NULL) && says("token"), "a token with one bit wrong: no certificate");
	is(!fetch(&a->reply, &b->reply.token, NULL) && says("token"), "another's token: no certificate");
	is(!look(&a->reply, &b->reply.token, &r) && says("token"), "another's token: no state");
	none = b->reply.token;
	is(!look(&(struct apply_reply){.dossier = {{1, 2, 3}}}, &none, &r) && says("token"),
	    "a dossier that is not there: the same answer");
}

static void
forged_requests(const struct applicant *a, const struct applicant *b)
{
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct buf body OWNED(buf_drop) = BUF(256);
	struct dossier_reply r;

	signer_set_certificate(thief, buf_slice(&a->certificate));
	is(!receipt_by(a, thief) && w.there, "a receipt signed by another key is refused");
	is(!receipt_by(a, b->own) && w.there, "a receipt signed by another subscriber is refused");
	is(look(&a->reply, &a->reply.token, &r) && r.state == DOSSIER_DELIVERED, "… nothing is receipted");
	is(!revoke_by(a, thief) && w.there, "a revocation signed by another key is refused");
	is(!revoke_by(a, b->own) && w.there, "a revocation signed by another subscriber is refused");
	octets_put(&body, LIT("revoke it"));
	is(!ask(ORDER_REVOKE, buf_slice(&body)) && w.there, "a revocation that is no document is refused");
	(void)revoke_by(a, b->card);
	is(state_of(a->reply.serial) == SERIAL_VALID, "a revocation signed by another's card revokes nothing");
	is(receipt_by(a, a->own), "the subscriber's own receipt is taken");
}

static void
phase_front(void)
{
	struct applicant a OWNED(applicant_drop) = {0}, b OWNED(applicant_drop) = {0}, r OWNED(applicant_drop) = {0},
	                   m OWNED(applicant_drop) = {0}, v OWNED(applicant_drop) = {0};

	subscribe(&a, "many-00000");
	keep("A", &a);
	is(true, "a captured front can carry a true application to its certificate");
	subscribe(&b, "many-00001");
	forged_documents(&a);
	forged_tokens(&a, &b);
	forged_requests(&a, &b);
	begin(&r, "suzuki");
	sign(&r);
	is(send(&r) && r.reply.state == DOSSIER_REFUSED, "a revoked card's application is refused");
	is(!fetch(&r.reply, &r.reply.token, NULL), "… nothing can be fetched for it");
	keep("R", &r);
	begin(&m, "many-00003");
	m.says.name = "森　鷗外";
	sign(&m);
	is(send(&m) && m.reply.state == DOSSIER_REVIEW, "an application in another name waits for a person");
	is(!fetch(&m.reply, &m.reply.token, NULL), "… nothing can be fetched for it");
	keep("M", &m);
	subscribe(&v, "many-00004");
	is(revoke_by(&v, v.own) && state_of(v.reply.serial) == SERIAL_REVOKED, "a subscriber's own revocation is taken");
	keep("V", &v);
}

/* What only others say.  Each ends the wire: inkand gives a new one to a new front alone, so we end and come again. */
static bool
bad_frame(unsigned n)
{
	static const uint8_t garbage[] = "POST / HTTP/1.1\r\n\r\n";
	static const struct {
		const char *name;
		uint8_t kind;
	} kinds[] = {
	    {"an officer's document", ORDER_OFFICE},
	    {"a verifier's verdict", ORDER_VERIFY},
	    {"an issuer's certificate", ORDER_ISSUE},
	    {"a signer's hello", ORDER_HELLO},
	    {"the status signer's answers", ORDER_ANSWERS},
	    {"a question of inkanctl's", ORDER_STATE},
	    {"no frame at all", 0},
	};
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	struct facts f = {.verdict = VERDICT_VERIFIED, .chained = true, .form = FORM_APPLICATION, .signer = SIGNER_CARD};
	char name[128];

	if (n >= COUNT(kinds))
		return false;
	need(ask_soon(ORDER_CHALLENGE, (slice){NULL, 0}), "a challenge");
	if (kinds[n].kind == ORDER_VERIFY)
		facts_put(&b, &f);
	if (kinds[n].kind == 0)
		need(write(link_fd(registrar()), garbage, sizeof garbage) == (ssize_t)sizeof garbage, "garbage");
	else
		link_order(registrar(), kinds[n].kind, 77, buf_slice(&b));
	wires_flush(w.wires);
	for (int i = 0; i < 250 && registrar() != NULL; i++)
		turn(20);
	snprintf(name, sizeof name, "front says %s: the registrar closes the wire", kinds[n].name);
	is(registrar() == NULL, name);
	return true;
}

/* --- phase 2: after the projection was forged -------------------------------------------------------------------- */

/* The published answer about a serial: what relying parties get. */
static bool
published(serial s, enum slot_state *out)
{
	static const char *const FILES[] = {"repository/status/recent", "repository/status/base"};

	for (size_t i = 0; i < COUNT(FILES); i++) {
		struct buf b OWNED(buf_drop) = BUF(64U << 20);
		char path[1100];
		struct slots slots OWNED(slots_drop) = {0};
		struct slot slot;

		snprintf(path, sizeof path, "%s/%s", w.home, FILES[i]);
		if (access(path, R_OK) != 0)
			continue;
		file_get(path, &b);
		if (slots_get(buf_slice(&b), &slots).kind == OK && slots_find(&slots, s, &slot).kind == OK) {
			*out = slot.state;
			return true;
		}
	}
	return false;
}

static void
phase_forged(void)
{
	struct applicant again OWNED(applicant_drop) = {0}, after OWNED(applicant_drop) = {0};
	struct apply_reply r, v;
	enum slot_state s = SLOT_GOOD;
	bool never = true;

	recall("R", &r);
	recall("V", &v);
	for (int i = 0; i < 40; i++) { /* the forged order is sent at once: two seconds are many */
		never = never && !fetch(&r, &r.token, NULL);
		turn(50);
	}
	is(never, "a refused application that the projection calls ordered: no certificate");
	is(published(v.serial, &s) && s == SLOT_REVOKED, "a revoked certificate that the projection calls valid: revoked");
	begin(&again, "many-00000");
	signer_drop(&again.own);
	again.own = signer_from_pem(in_dir("A.key"));
	sign(&again);
	(void)send(&again);
	is(!fetch(&again.reply, &again.reply.token, NULL),
	    "a subscriber's key that the projection forgot: no second certificate");
	subscribe(&after, "many-00005");
	is(true, "others are served meanwhile");
}

/* --- later phases: one more certificate, one more look ---------------------------------------------------------------- */

static void
phase_one_more(const char *card)
{
	struct applicant a OWNED(applicant_drop) = {0};

	subscribe(&a, card);
	is(true, "one more certificate");
}

/* Nothing comes out of a house that was set back. */
static void
phase_set_back(const char *card)
{
	struct applicant a OWNED(applicant_drop) = {0};
	bool none;

	begin(&a, card);
	sign(&a);
	none = !send(&a) || a.reply.state != DOSSIER_ISSUED;
	for (int i = 0; i < 20 && none; i++) {
		none = !fetch(&a.reply, &a.reply.token, NULL);
		turn(50);
	}
	is(none, "a house set back: no certificate");
}

static void
phase_fetch(void)
{
	struct apply_reply a;

	recall("L", &a);
	is(fetch_soon(&a, &a.token, NULL), "a certificate is fetched: one line more in the books");
}

static void
phase_leave(void)
{
	struct applicant a OWNED(applicant_drop) = {0};

	begin(&a, "many-00007");
	sign(&a);
	is(send(&a) && a.reply.state == DOSSIER_ISSUED, "a certificate that waits to be fetched");
	keep("L", &a);
}

static void
run(const char *phase)
{
	if (strcmp(phase, "front") == 0) {
		struct buf b OWNED(buf_drop) = BUF(16);
		uint64_t n = 0;

		if (!has_file("said")) {
			phase_front();
			put("said", LIT("0"));
		}
		get("said", &b);
		need(decimal_get(buf_slice(&b), 100, &n).kind == OK, "said");
		if (bad_frame((unsigned)n)) {
			buf_clear(&b);
			buf_put_decimal(&b, n + 1);
			put("said", buf_slice(&b));
			_exit(1);
		}
	} else if (strcmp(phase, "forged") == 0)
		phase_forged();
	else if (strcmp(phase, "leave") == 0)
		phase_leave();
	else if (strcmp(phase, "fetch") == 0)
		phase_fetch();
	else if (strncmp(phase, "more ", 5) == 0)
		phase_one_more(phase + 5);
	else if (strncmp(phase, "back ", 5) == 0)
		phase_set_back(phase + 5);
}

int
main(int argc, char **argv)
{
	struct buf trust OWNED(buf_drop) = BUF(CONF_MAX);
	struct start s;

	w.world = getenv("CAPTURED_WORLD");
	w.dir = getenv("CAPTURED_DIR");
	if (w.world == NULL || w.dir == NULL || start_get("front", argc, argv, &s).kind != OK ||
	    start_load(&s, "trust.conf", &trust).kind != OK || trust_get(buf_slice(&trust), &w.trust).kind != OK ||
	    wires_open(&w.wires).kind != OK)
		return 2;
	w.home = s.home;
	for (;;) {
		struct buf phase OWNED(buf_drop) = BUF(64);
		char name[80], word[64];

		turn(50);
		if (registrar() == NULL || !has_file("phase"))
			continue;
		get("phase", &phase);
		snprintf(word, sizeof word, "%.*s", (int)phase.n, (const char *)phase.p);
		snprintf(name, sizeof name, "done-%s", word);
		if (has_file(name))
			continue;
		run(word);
		put(name, LIT("done"));
	}
}
