/* LINK: test/jpki/make.c test/system/parts/signers.c */
/*
 * attacker - has the registrar's code, and so its wires, its words and its books; and wants a certificate, or an answer,
 * that the law would not give.  Against the real signers with a real token.  Prints TAP, a line for each thing tried.
 *
 *	attacker LIBEXEC HOME WORLD
 *
 * HOME was made by `inkanctl init`; the keys of the CA are in its token and only there.  The trust file is replaced by one
 * that pins the same CA and three persons whose keys the test has, so that it can also say what true documents do.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "act/decision.h"
#include "act/entry.h"
#include "act/identity.h"
#include "act/issue.h"
#include "base/conf.h"
#include "edge/clock.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/ocsp.h"
#include "test/jpki/make.h"
#include "test/system/parts/signers.h"

#define SERVICE "Inkan Test CA"

static int tests, failures;
static struct {
	const char *libexec, *home, *world;
	struct buf pin, crl, certificate, second;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	digest crl_digest;
	struct process p;
	unsigned serials, honest; /* drawn; certificates that came out rightly */
} w;

static void
is(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
	if (!good)
		printf("# %s (%d)\n", w.p.reply.there ? w.p.reply.what : "no answer", (int)w.p.reply.fail);
	fflush(stdout);
}

static void
need(bool yes, const char *what)
{
	if (yes)
		return;
	printf("Bail out! %s %s\n", what, w.p.reply.what);
	exit(1);
}

static void
shell(const char *format, const char *a, const char *b)
{
	char command[4096];

	snprintf(command, sizeof command, format, a, b);
	need(system(command) == 0, command);
}

static bool
says(const struct reply *r, const char *code)
{
	size_t n = strlen(code);

	return r->there && r->fail != OK && strncmp(r->what, code, n) == 0 && r->what[n] == ':';
}

/* --- the house as the attacker finds it ------------------------------------------------------------------------ */

static void
world_file(const char *name, struct buf *out)
{
	char path[2300];

	snprintf(path, sizeof path, "%s/%s", w.world, name);
	file_get(path, out);
}

static void
home_file(const char *name, struct buf *out)
{
	char path[2300];

	snprintf(path, sizeof path, "%s/%s", w.home, name);
	file_get(path, out);
}

/* The value of a line "name = value" of init's trust file. */
static slice
value_of(slice text, const char *name)
{
	slice line, key = slice_str(name);

	while (slice_cut(&text, '\n', &line))
		if (slice_has_prefix(line, key) && line.n > key.n + 3 && line.p[key.n] == ' ')
			return slice_of(line.p + key.n + 3, line.n - key.n - 3);
	need(false, name);
	return text;
}

/* Our persons under init's CA: the token's key signs, no one of ours can. */
static void
make_trust(instant at)
{
	struct buf issuer OWNED(buf_drop) = BUF(CERT_MAX), old OWNED(buf_drop) = BUF(CONF_MAX),
	                  text OWNED(buf_drop) = BUF(CONF_MAX), fixed OWNED(buf_drop) = BUF(CONF_MAX);
	char path[1024];
	slice rest, line;

	w.house = house_new(w.world, at);
	home_file("repository/ca/issuer.cer", &issuer);
	home_file("trust.conf", &old);
	signer_set_certificate(w.house->ca, buf_slice(&issuer));
	house_put_trust(w.house, w.world, "test", "crl", "", &text);
	for (rest = buf_slice(&text); slice_cut(&rest, '\n', &line);) {
		if (slice_has_prefix(line, LIT("status_key = "))) {
			buf_put_str(&fixed, "status_key = ");
			line = value_of(buf_slice(&old), "status_key");
		}
		buf_put(&fixed, line);
		buf_put_u8(&fixed, '\n');
	}
	snprintf(path, sizeof path, "%s/trust.conf", w.home);
	file_put(path, buf_slice(&fixed));
	need(trust_get(buf_slice(&fixed), &w.trust).kind == OK, "trust file");
	need(profile_get(buf_slice(&w.house->profile), &w.profile).kind == OK, "profile");
	need(ruleset_get(buf_slice(&w.house->ruleset), &w.ruleset).kind == OK, "rule set");
}

static void
start(const char *mode)
{
	slice pin = buf_slice(&w.pin);

	while (pin.n > 0 && pin.p[pin.n - 1] == '\n')
		pin.n--;
	process_start(&w.p, w.libexec, w.home, mode, pin);
}

/* --- what a registrar hands over ---------------------------------------------------------------------------------- */

static const struct reply *
rules(slice profile, slice ruleset, slice approval)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	rules_order_put(&b, &(struct rules_order){profile, ruleset, approval});
	return ask(&w.p, ORDER_RULES, buf_slice(&b));
}

static const struct reply *
true_rules(void)
{
	return rules(buf_slice(&w.house->profile), buf_slice(&w.house->ruleset), buf_slice(&w.house->approval));
}

static const struct reply *
list(slice bytes)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	need(bytes.n <= PART_BYTES, "a list in one part");
	part_put(&b, &(struct part){.number = 0, .last = true, .bytes = bytes});
	return ask(&w.p, ORDER_CRL_IN, buf_slice(&b));
}

static void
open_issuer(uint64_t size)
{
	start("issuer");
	need(greet(&w.p, size, NULL), "hello");
	need(true_rules()->fail == OK, "rules");
	need(list(buf_slice(&w.crl))->fail == OK, "list");
}

/* --- one order ------------------------------------------------------------------------------------------------------ */

struct attempt {
	struct signer *own;
	struct buf cms, decision, answer;
	struct make_application says;
	struct world_person person;
	struct issue_order o;
	/* what the registrar plans with, where it is not what the application says */
	slice spki, name;
	int years;
};

static void
attempt_drop(struct attempt *a)
{
	signer_drop(&a->own);
	buf_drop(&a->cms);
	buf_drop(&a->decision);
	buf_drop(&a->answer);
}

/* The registrar's own plan: what it says fits what it orders, so that only the signer's judgement stands in the way. */
static void
plan(struct attempt *a)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);
	struct issue_facts f = {.dossier = a->o.dossier,
	    .serial = a->o.serial,
	    .not_before = a->o.not_before,
	    .validity_years = a->years,
	    .name = a->name,
	    .address = slice_str(a->person.address),
	    .birth = LIT("1980-01-15"),
	    .spki = a->spki};

	if (issue_plan_tbs(w.profile, &w.trust->issuer, &f, &tbs).kind == OK)
		a->o.tbs = sha256(buf_slice(&tbs));
	else
		a->o.tbs = sha256(LIT("what cannot be planned"));
}

static void
order(struct attempt *a)
{
	instant now = clock_now();
	serial s = {16, {0x41}};

	w.serials++;
	s.b[14] = (uint8_t)(w.serials >> 8);
	s.b[15] = (uint8_t)w.serials;
	a->o = (struct issue_order){.dossier = dossier_id_of(sha256(buf_slice(&a->cms))),
	    .serial = s,
	    .not_before = now,
	    .books = books_head(9, BOOKS_MAX),
	    .judged = now,
	    .application = buf_slice(&a->cms),
	    .method = STATUS_CRL,
	    .crl = w.crl_digest,
	    .ruleset = w.ruleset->digest};
	plan(a);
}

/* An application by this card, unsigned yet: the caller may change what it says. */
static void
begin(struct attempt *a, const char *card)
{
	static unsigned nonces;

	*a = (struct attempt){
	    .own = signer_new(KEY_P256, 256), .cms = BUF(CMS_MAX), .decision = BUF(CMS_MAX), .answer = BUF(64U << 10)};
	application_for(w.house, w.world, card, clock_now(), &a->says);
	world_person(w.world, card, &a->person);
	snprintf(a->says.room + sizeof a->says.room - 32, 32, "nonce-%u", ++nonces);
	a->says.nonce = a->says.room + sizeof a->says.room - 32;
	a->says.validity = "5";
	a->years = 5;
	a->name = slice_str(a->person.name);
	a->spki = signer_spki(a->own);
}

static void
sign_by(struct attempt *a, const char *card)
{
	struct signer *s OWNED(signer_drop) = signer_load(w.world, card);

	buf_clear(&a->cms);
	make_application(&a->cms, s, a->own, &a->says);
	order(a);
}

/* A true application by a card, ordered rightly. */
static void
apply(struct attempt *a, const char *card)
{
	begin(a, card);
	sign_by(a, card);
}

static const struct reply *
issue(const struct attempt *a)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	issue_order_put(&b, &a->o);
	return ask(&w.p, ORDER_ISSUE, buf_slice(&b));
}

static const char *
hex_of(serial s)
{
	static char text[64];
	struct buf b OWNED(buf_drop) = BUF(64);

	serial_put_hex(&b, s);
	snprintf(text, sizeof text, "%.*s", (int)b.n, (const char *)b.p);
	return text;
}

/* The honest way works: else nothing that is refused would mean anything. */
static void
comes_out(const char *name, const struct attempt *a, struct buf *certificate)
{
	const struct reply *r = issue(a);
	struct issue_reply x;
	struct cert c;
	bool good = r->there && r->fail == OK && issue_reply_get(buf_slice(&r->body), &x).kind == OK &&
	            cert_get(x.certificate, &c).kind == OK && serial_eq(c.serial, a->o.serial) &&
	            cert_check_signed_by(&c, w.trust->issuer_key).kind == OK &&
	            journal_count(w.home, "issuer", "\"act\":\"signed\"", hex_of(a->o.serial), NULL) == 1;

	w.honest += good;
	if (good && certificate != NULL) {
		buf_clear(certificate);
		buf_put(certificate, x.certificate);
	}
	is(good, name);
}

/*
 * Refused with this code, nothing signed under that serial; what a person or the law refuses stands in the journal, what
 * is only not possible now does not.
 */
static void
is_refused(const char *name, const struct attempt *a, const char *code)
{
	const struct reply *r = issue(a);
	char why[128];
	bool noted;

	snprintf(why, sizeof why, "\"why\":\"%s\"", code);
	noted = journal_count(w.home, "issuer", "\"act\":\"refused\"", hex_of(a->o.serial), why) > 0;
	is(says(r, code) && r->body.n == 0 && noted == (r->fail != ERR_BUSY && r->fail != ERR_ABSENT) &&
	        journal_count(w.home, "issuer", "\"act\":\"signed\"", hex_of(a->o.serial), NULL) == 0,
	    name);
}

/* --- before anything was handed over ---------------------------------------------------------------------------------- */

static void
too_early(void)
{
	struct attempt a OWNED(attempt_drop);

	start("issuer");
	apply(&a, "yamada");
	is_refused("an order before hello", &a, "signer-hello");
	need(greet(&w.p, 9, NULL), "hello");
	is_refused("an order before profile and rules were given", &a, "issue-rules");
	need(true_rules()->fail == OK, "rules");
	is_refused("a list that was not handed over", &a, "issue-crl");
	is(list(buf_slice(&w.crl))->fail == OK, "the list of today is taken");
	comes_out("a true application: a certificate", &a, &w.certificate);
}

/* --- forged applications ------------------------------------------------------------------------------------------------ */

static void
forged_applications(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_RSA, 2048),
	                     *card OWNED(signer_drop) = signer_load(w.world, "yamada");
	struct buf text OWNED(buf_drop) = BUF(CMS_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	uint8_t *at;

	apply(&a, "yamada");
	at = memmem(a.cms.p, a.cms.n, "1980-01-15", 10);
	need(at != NULL, "a birth date in the application");
	at[3] = '1';
	order(&a);
	is_refused("an application whose bytes were changed after the card signed", &a, "cms-message-digest");
	buf_clear(&a.cms);
	signer_set_certificate(thief, signer_certificate(card));
	make_application(&a.cms, thief, a.own, &a.says);
	order(&a);
	is_refused("an application with the card's certificate, signed by another key", &a, "jpki-signature");
	begin(&b, "yamada");
	sign_by(&b, "foreign-key");
	is_refused("a card of a CA that only bears J-LIS's name", &b, "jpki-anchor");
	sign_by(&b, "self-signed");
	is_refused("a card that signed itself", &b, "jpki-anchor");
	sign_by(&b, "other-hierarchy");
	is_refused("a card of the other hierarchy", &b, "jpki-hierarchy");
	sign_by(&b, "wrong-policy");
	is_refused("a certificate of another policy", &b, "jpki-policy");
	sign_by(&b, "yamada-auth");
	is_refused("the card's other certificate, made without its signature PIN", &b, "jpki-auth-certificate");
	/* the request inside is another's: the text is signed by the card, the key's owner never agreed */
	make_application_text(&text, w.house->hanako, &a.says);
	at = memmem(text.p, text.n, "nonce-", 6);
	need(at != NULL, "a nonce in the application");
	at[0] = 'N';
	make_cms(&cms, card, buf_slice(&text), clock_now());
	buf_clear(&a.cms);
	buf_put(&a.cms, buf_slice(&cms));
	order(&a);
	is_refused("a request for a certificate made for another application", &a, "application-challenge");
	a.o.application = LIT("not CMS at all");
	is_refused("an application that is none", &a, "der-short");
	buf_put_u8(&a.cms, 0);
	order(&a);
	is_refused("an application with a byte behind it", &a, "der-trailing");
}

/* --- forged verdicts ---------------------------------------------------------------------------------------------------- */

/* The registrar says "verified" by ordering at all: the signer judges again. */
static void
forged_verdicts(void)
{
	static const struct {
		const char *name, *card, *code;
	} cards[] = {
	    {"verified, says the registrar of a revoked card", "suzuki", "jpki-revoked"},
	    {"verified, says the registrar of an expired card", "expired", "jpki-expired"},
	    {"verified, says the registrar of a card not yet valid", "not-yet", "jpki-not-yet-valid"},
	    {"verified, says the registrar of a card whose CA has ended", "anchor-expired", "jpki-anchor-expired"},
	    {"by rule, says the registrar of a child", "child", "decision-age"},
	};
	struct attempt a OWNED(attempt_drop);

	for (size_t i = 0; i < COUNT(cards); i++) {
		struct attempt b OWNED(attempt_drop);
		bool has_person = strcmp(cards[i].card, "suzuki") == 0 || strcmp(cards[i].card, "child") == 0;

		begin(&b, has_person ? cards[i].card : "yamada");
		sign_by(&b, cards[i].card);
		is_refused(cards[i].name, &b, cards[i].code);
	}
	begin(&a, "yamada");
	a.says.name = "山田　次郎";
	a.name = slice_str(a.says.name);
	sign_by(&a, "yamada");
	is_refused("verified, says the registrar of another name than the card's", &a, "jpki-name");
	a.name = slice_str(a.person.name);
	plan(&a);
	is_refused("… and of the card's name under an application that says another", &a, "jpki-name");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.birth = "1981-01-15";
	sign_by(&a, "yamada");
	is_refused("verified, says the registrar of another birth date", &a, "jpki-birth");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.service = "Another CA";
	sign_by(&a, "yamada");
	is_refused("an application meant for another service", &a, "decision-service");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.terms = a.says.explanation;
	sign_by(&a, "yamada");
	is_refused("an application under terms that are not in force", &a, "decision-terms");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.explanation = a.says.terms;
	sign_by(&a, "yamada");
	is_refused("an application whose explanation was another", &a, "decision-explanation");
}

/* --- forged status ------------------------------------------------------------------------------------------------------- */

/* An answer about a leaf, made by `openssl ocsp` as J-LIS's responder makes it, or as somebody else would. */
static void
ocsp(const char *leaf, const char *responder, const char *nonce, struct buf *out)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), request OWNED(buf_drop) = BUF(4096);
	char name[64], path[2300], command[8192];
	struct cert c;

	snprintf(name, sizeof name, "%s.cer", leaf);
	world_file(name, &der);
	need(cert_get(buf_slice(&der), &c).kind == OK, leaf);
	need(identity_put_ocsp_request(&request, w.trust, &c, slice_str(nonce)).kind == OK, "an OCSP request");
	snprintf(path, sizeof path, "%s/asked.der", w.world);
	file_put(path, buf_slice(&request));
	snprintf(command, sizeof command,
	    "cd '%s' && openssl ocsp -index signca03.index -CA signca03.cer -rsigner %s.cer -rkey %s.key -reqin asked.der "
	    "-respout answered.der -ndays 1 >/dev/null 2>&1",
	    w.world, responder, responder);
	need(system(command) == 0, command);
	buf_clear(out);
	world_file("answered.der", out);
}

static void
by_ocsp(struct attempt *a, const char *nonce)
{
	a->o.method = STATUS_OCSP;
	a->o.crl = (digest){0};
	a->o.ocsp_answer = buf_slice(&a->answer);
	a->o.ocsp_nonce = slice_str(nonce);
}

static void
forged_lists(void)
{
	struct buf bytes OWNED(buf_drop) = BUF(PART_BYTES), empty OWNED(buf_drop) = BUF(PART_BYTES);
	struct attempt a OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_RSA, 2048);
	struct buf tbs OWNED(buf_drop) = BUF(PART_BYTES), sig OWNED(buf_drop) = BUF(SIG_MAX);
	const struct trust_anchor *anchor = &w.trust->anchor[2];
	struct crl_reply r;
	instant now = clock_now();

	crl_put_tbs(&tbs, &(struct crl_plan){.alg = SIG_RSA_SHA256,
	                      .issuer = anchor->cert.subject,
	                      .this_update = instant_floor_second(now),
	                      .next_update = instant_floor_second((instant){now.ms + DAY_MS}),
	                      .number = 1U << 31,
	                      .aki = anchor->cert.ski});
	signer_sign(thief, SIG_RSA_SHA256, buf_slice(&tbs), &sig);
	cert_join(&empty, buf_slice(&tbs), SIG_RSA_SHA256, buf_slice(&sig));
	is(says(list(buf_slice(&empty)), "jpki-crl-anchor"), "an empty list in J-LIS's name, signed by another key");
	buf_put(&bytes, buf_slice(&w.crl));
	bytes.p[bytes.n - 1] ^= 1;
	is(says(list(buf_slice(&bytes)), "jpki-crl-anchor"), "J-LIS's list with a bit changed");
	apply(&a, "suzuki");
	a.o.crl = sha256(buf_slice(&empty));
	is_refused("a revoked card under a list that was refused", &a, "issue-crl");
	buf_clear(&bytes);
	world_file("old.crl", &bytes);
	need(
	    list(buf_slice(&bytes))->fail == OK && crl_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK, "an old list");
	attempt_drop(&a);
	apply(&a, "tanaka");
	a.o.crl = r.digest;
	is_refused("a revoked card under a list of three days ago, from before it was revoked", &a, "jpki-stale");
	a.o.judged.ms -= 3 * DAY_MS;
	is_refused("… as if the card had been judged three days ago", &a, "issue-judged");
	a.o.not_before.ms -= 3 * DAY_MS;
	plan(&a);
	is_refused("… as if the certificate had been ordered three days ago", &a, "lint-issuer-validity");
	a.o.again = true;
	is_refused("… as if it were an old order, asked again", &a, "lint-issuer-validity");
	attempt_drop(&a);
	buf_clear(&bytes);
	world_file("signca02.crl", &bytes);
	need(list(buf_slice(&bytes))->fail == OK && crl_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK,
	    "another list");
	apply(&a, "suzuki");
	a.o.crl = r.digest;
	is_refused("a revoked card under the list of J-LIS's older CA", &a, "jpki-crl-other");
	a.o.method = STATUS_NONE;
	a.o.crl = (digest){0};
	is_refused("a card nobody asked J-LIS about", &a, "jpki-unchecked");
	need(list(buf_slice(&w.crl))->fail == OK, "list");
}

static void
forged_answers(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	uint8_t *at;

	apply(&a, "yamada");
	ocsp("yamada", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "another-nonce-16");
	is_refused("J-LIS's answer to another question", &a, "ocsp-other-nonce");
	ocsp("sato", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("J-LIS's answer about another card", &a, "ocsp-other-certificate");
	ocsp("yamada", "ocsp-no-eku", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a certificate that may not answer", &a, "ocsp-signer");
	ocsp("yamada", "ocsp-foreign", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a stranger's responder", &a, "ocsp-signer");
	ocsp("yamada", "ocsp-expired", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a responder that has ended", &a, "ocsp-signer");
	apply(&b, "suzuki");
	ocsp("suzuki", "ocsp", "nonce-of-sixteen", &b.answer);
	by_ocsp(&b, "nonce-of-sixteen");
	is_refused("J-LIS's answer that the card is revoked", &b, "jpki-revoked");
	ocsp("yamada", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	at = a.answer.p + a.answer.n / 2;
	at[0] ^= 1;
	is_refused("J-LIS's answer with a bit changed", &a, "ocsp-signer");
	at[0] ^= 1;
	comes_out("the answer as it was: a certificate", &a, NULL);
}

/* --- forged acceptance ------------------------------------------------------------------------------------------------- */

static void
time_text(instant t, char out[RFC3339_LEN + 1])
{
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	memcpy(out, b.p, RFC3339_LEN);
	out[RFC3339_LEN] = '\0';
}

static void
approve(struct buf *out, const struct signer *who, const char *label, slice ruleset, const char *version,
    int64_t from_days, int64_t until_days)
{
	char from[RFC3339_LEN + 1], until[RFC3339_LEN + 1], date[RFC3339_LEN + 1];
	struct buf hex OWNED(buf_drop) = BUF(65);
	instant now = clock_now();

	time_text((instant){now.ms + from_days * DAY_MS}, from);
	time_text((instant){now.ms + until_days * DAY_MS}, until);
	time_text(now, date);
	digest_put(&hex, sha256(ruleset));
	buf_put_u8(&hex, '\0');
	const char *const v[P_COUNT] = {SERVICE, (const char *)hex.p, version, from, until, label, date};
	buf_clear(out);
	make_document(out, who, FORM_APPROVAL, v, (slice){NULL, 0}, now);
}

/* A copy of `from` with the first `was` as `is`, of the same length. */
static void
change(struct buf *out, const struct buf *from, const char *was, const char *now)
{
	uint8_t *at;

	buf_clear(out);
	buf_put(out, buf_slice(from));
	at = memmem(out->p, out->n, was, strlen(was));
	need(at != NULL && strlen(was) == strlen(now), was);
	memcpy(at, now, strlen(now));
}

static void
forged_acceptance(void)
{
	struct buf lax OWNED(buf_drop) = BUF(CONF_MAX), approval OWNED(buf_drop) = BUF(CMS_MAX),
	               profile OWNED(buf_drop) = BUF(CONF_MAX), second OWNED(buf_drop) = BUF(CONF_MAX);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice right = buf_slice(&w.house->profile), ours = buf_slice(&w.house->ruleset);
	struct attempt a OWNED(attempt_drop);
	struct ruleset *r OWNED(ruleset_drop) = NULL;

	change(&lax, &w.house->ruleset, "age_min = 15", "age_min = 01");
	if (ruleset_get(buf_slice(&lax), &r).kind != OK)
		change(&lax, &w.house->ruleset, "age_min = 15", "age_min = 16");
	apply(&a, "yamada");
	a.o.ruleset = sha256(buf_slice(&lax));
	is_refused("accepted by a rule set nobody approved", &a, "issue-ruleset");
	a.o.ruleset = (digest){0};
	is_refused("accepted by nothing at all", &a, "issue-form");
	a.o.ruleset = w.ruleset->digest;
	a.o.decision = LIT("accepted");
	is_refused("accepted by rule and by an officer at once", &a, "issue-form");
	approve(&approval, thief, "hanako", buf_slice(&lax), "1", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "person-unknown"),
	    "an approval by a key nobody pinned");
	approve(&approval, w.house->jiro, "jiro", buf_slice(&lax), "1", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "person-duty"), "an approval by an officer");
	approve(&approval, w.house->hanako, "jiro", ours, "1", -1, 300);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-responsible"), "an approval that names somebody else");
	is(says(rules(right, buf_slice(&lax), buf_slice(&w.house->approval)), "approval-ruleset"),
	    "the true approval under another rule set");
	approve(&approval, w.house->hanako, "hanako", ours, "1", -700, -1);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-period"), "an approval that has lapsed");
	approve(&approval, w.house->hanako, "hanako", ours, "1", 1, 300);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-period"), "an approval that does not hold yet");
	change(&approval, &w.house->approval, "hanako", "hanakO");
	is(rules(right, ours, buf_slice(&approval))->fail != OK, "the true approval with a letter changed");
	change(&profile, &w.house->profile, "validity_years_max = 5", "validity_years_max = 4");
	is(says(rules(buf_slice(&profile), ours, buf_slice(&w.house->approval)), "signer-profile"),
	    "a profile the trust file does not name");
	apply(&a, "child");
	is_refused("after all these the rule set in force is the approved one", &a, "decision-age");
	/* a later version is approved; the earlier one, truly approved then, is brought back */
	change(&second, &w.house->ruleset, "version = 1", "version = 2");
	approve(&approval, w.house->hanako, "hanako", buf_slice(&second), "2", -1, 300);
	is(rules(right, buf_slice(&second), buf_slice(&approval))->fail == OK, "a second version, truly approved");
	is(says(true_rules(), "signer-approval-old"), "the first version brought back");
	change(&lax, &second, "open_per_card_max = 1", "open_per_card_max = 9");
	approve(&approval, w.house->hanako, "hanako", buf_slice(&lax), "2", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "signer-approval-other"),
	    "another rule set approved as the same version");
	attempt_drop(&a);
	apply(&a, "yamada");
	is_refused("accepted by the rule set that was replaced", &a, "issue-ruleset");
	process_stop(&w.p);
	start("issuer");
	need(greet(&w.p, 9, NULL), "hello");
	is(says(true_rules(), "signer-approval-old"), "… nor is it taken by a signer that was started anew");
	ruleset_drop(&w.ruleset);
	need(ruleset_get(buf_slice(&second), &w.ruleset).kind == OK, "second rule set");
	buf_clear(&w.house->ruleset);
	buf_put(&w.house->ruleset, buf_slice(&second));
	buf_clear(&w.house->approval);
	approve(&w.house->approval, w.house->hanako, "hanako", buf_slice(&second), "2", -1, 300);
	need(true_rules()->fail == OK && list(buf_slice(&w.crl))->fail == OK, "the second rule set");
	attempt_drop(&a);
	apply(&a, "sato");
	comes_out("accepted by the rule set in force: a certificate", &a, &w.second);
}

/* --- forged decisions ------------------------------------------------------------------------------------------------------- */

static void
decide(struct attempt *a, const struct signer *who, const char *label, slice about, const char *word)
{
	struct buf hex OWNED(buf_drop) = BUF(65), id OWNED(buf_drop) = BUF(65);
	dossier_id d = dossier_id_of(sha256(about));
	bool yes = strcmp(word, "accept") == 0;
	char date[RFC3339_LEN + 1];
	instant now = clock_now();

	time_text(now, date);
	digest_put(&hex, sha256(about));
	buf_put_u8(&hex, '\0');
	buf_put_hex(&id, (slice){d.b, sizeof d.b});
	buf_put_u8(&id, '\0');
	const char *const v[D_COUNT] = {[D_SERVICE] = SERVICE,
	    [D_DOSSIER] = (const char *)id.p,
	    [D_APPLICATION] = (const char *)hex.p,
	    [D_DECISION] = word,
	    [D_NAME] = yes ? a->says.name : "-",
	    [D_ADDRESS] = yes ? a->person.address : "-",
	    [D_REASON] = "住民票を見た",
	    [D_OFFICER] = label,
	    [D_DATE] = date};
	buf_clear(&a->decision);
	make_document(&a->decision, who, FORM_DECISION, v, (slice){NULL, 0}, now);
	a->o.ruleset = (digest){0};
	a->o.decision = buf_slice(&a->decision);
}

static void
forged_decisions(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop), c OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);

	begin(&a, "yamada");
	a.says.name = "山田　太朗";
	a.name = slice_str(a.says.name);
	sign_by(&a, "yamada");
	decide(&a, thief, "jiro", buf_slice(&a.cms), "accept");
	is_refused("a review decided by a key nobody pinned", &a, "person-unknown");
	decide(&a, w.house->saburo, "saburo", buf_slice(&a.cms), "accept");
	is_refused("a review decided by a person without that duty", &a, "person-duty");
	decide(&a, w.house->jiro, "hanako", buf_slice(&a.cms), "accept");
	is_refused("a review decided in another officer's name", &a, "decision-officer");
	decide(&a, w.house->jiro, "jiro", LIT("another application"), "accept");
	is_refused("an officer's decision about another application", &a, "decision-application");
	decide(&a, w.house->jiro, "jiro", buf_slice(&a.cms), "refuse");
	is_refused("an officer's refusal, taken for an acceptance", &a, "decision-refused");
	decide(&a, w.house->jiro, "jiro", buf_slice(&a.cms), "accept");
	a.name = LIT("鈴木　太郎");
	plan(&a);
	is_refused("an officer's acceptance under another name than he decided", &a, "issue-tbs");
	a.name = slice_str(a.says.name);
	plan(&a);
	a.decision.p[a.decision.n - 1] ^= 1;
	is_refused("an officer's acceptance with a bit changed", &a, "signature");
	a.decision.p[a.decision.n - 1] ^= 1;
	comes_out("an officer's true acceptance of what differed: a certificate", &a, NULL);
	apply(&b, "suzuki");
	decide(&b, w.house->jiro, "jiro", buf_slice(&b.cms), "accept");
	is_refused("an officer cannot accept a revoked card either", &b, "jpki-revoked");
	b.o.method = STATUS_NONE;
	is_refused("nor one nobody asked about", &b, "jpki-unchecked");
	apply(&c, "sato");
	c.o.ruleset = (digest){0};
	c.o.decision = buf_slice(&a.decision);
	is_refused("the decision about one applicant, used for another", &c, "decision-application");
}

/* --- used twice, or ordered otherwise ------------------------------------------------------------------------------------------ */

static void
replays(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop), c OWNED(attempt_drop);
	struct buf first OWNED(buf_drop) = BUF(CERT_MAX);
	struct issue_reply r;
	serial used;
	unsigned lines;

	apply(&a, "yamada");
	comes_out("an order: a certificate", &a, &first);
	lines = journal_count(w.home, "issuer", "\"n\":", NULL, NULL);
	is(issue(&a)->fail == OK && issue_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK &&
	        slice_eq(r.certificate, buf_slice(&first)) &&
	        journal_count(w.home, "issuer", "\"n\":", NULL, NULL) == lines,
	    "the same order again: the same certificate byte for byte, no line more");
	used = a.o.serial;
	order(&a);
	is_refused("the same application under another serial", &a, "journal-application");
	a.o.serial = used;
	a.o.not_before.ms += 60 * SECOND_MS;
	plan(&a);
	is(says(issue(&a), "signer-serial"), "a used serial with another notBefore");
	apply(&b, "sato");
	b.o.serial = used;
	plan(&b);
	is(says(issue(&b), "signer-serial"), "a used serial for another person");
	attempt_drop(&b);
	begin(&b, "yamada");
	signer_drop(&b.own);
	b.own = signer_new(KEY_P256, 256);
	b.spki = signer_spki(b.own);
	sign_by(&b, "yamada");
	comes_out("a second application: a certificate", &b, NULL);
	begin(&c, "sato");
	{
		struct signer *mine = c.own;

		c.own = b.own;
		c.spki = signer_spki(b.own);
		sign_by(&c, "sato");
		is_refused("a key that stands in another certificate", &c, "journal-key");
		c.own = mine;
	}
}

static void
other_orders(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct buf body OWNED(buf_drop) = BUF(256);

	apply(&a, "yamada");
	apply(&b, "sato");
	a.spki = signer_spki(thief);
	plan(&a);
	is_refused("another key under a good application", &a, "issue-tbs");
	a.spki = signer_spki(a.own);
	a.name = slice_str(b.person.name);
	plan(&a);
	is_refused("another name under a good application", &a, "issue-tbs");
	a.name = slice_str(a.person.name);
	a.years = 4;
	plan(&a);
	is_refused("other years under a good application", &a, "issue-tbs");
	a.years = 5;
	plan(&a);
	a.o.tbs.b[0] ^= 1;
	is_refused("other bytes than the books ordered", &a, "issue-tbs");
	order(&a);
	a.o.dossier = b.o.dossier;
	plan(&a);
	is_refused("another's dossier in the subject", &a, "issue-dossier");
	order(&a);
	a.o.not_before.ms -= 6 * 60 * SECOND_MS;
	a.o.judged = a.o.not_before;
	plan(&a);
	is_refused("a certificate that begins before its issuer", &a, "lint-issuer-validity");
	order(&a);
	a.o.not_before.ms += 6 * 60 * SECOND_MS;
	a.o.judged = a.o.not_before;
	plan(&a);
	is_refused("a certificate that begins in six minutes", &a, "issue-clock");
	order(&a);
	a.o.judged.ms -= 2 * HOUR_MS;
	is_refused("a card judged two hours ago", &a, "issue-judged");
	order(&a);
	a.o.serial.b[0] = 0x01;
	plan(&a);
	is_refused("a serial that this house does not draw", &a, "issue-serial");
	order(&a);
	void_order_put(&body, &(struct void_order){a.o.dossier, a.o.serial});
	is(ask(&w.p, ORDER_VOID, buf_slice(&body))->fail == OK, "a serial is made void");
	is_refused("… and then ordered", &a, "signer-void");
	order(&a);
	comes_out("the application under a fresh serial: a certificate", &a, NULL);
	buf_clear(&body);
	void_order_put(&body, &(struct void_order){a.o.dossier, a.o.serial});
	is(says(ask(&w.p, ORDER_VOID, buf_slice(&body)), "signer-void-signed"), "a certificate is not made void by a word");
	order(&a);
	is_refused("… so its application is not free for another", &a, "journal-application");
}

/* The card was revoked since: the list of this morning is young enough by the rules, and the signer knows a later one. */
static void
chosen_list(void)
{
	struct buf now OWNED(buf_drop) = BUF(PART_BYTES);
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);

	world_file("signca03.crl", &now);
	need(list(buf_slice(&now))->fail == OK, "the list of now");
	apply(&a, "tanaka");
	is_refused("a revoked card under a list of before, though the signer holds a later one", &a, "issue-revoked-since");
	is(strcmp(issue(&a)->what,
	       "issue-revoked-since: JPKI Act 19(1): a later list than the order's names the card's certificate") == 0,
	    "… in these words");
	ocsp("tanaka", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("… and J-LIS's own answer says the same", &a, "jpki-revoked");
	apply(&b, "sato");
	comes_out("another card under the same list: a certificate", &b, NULL);
}

/* Both in one turn: the second must not slip past a look into committed lines alone. */
static void
same_turn(void)
{
	struct attempt a OWNED(attempt_drop);
	struct buf two OWNED(buf_drop) = BUF(2 * FRAME_MAX), body OWNED(buf_drop) = BUF(FRAME_MAX);
	unsigned before = journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL), good = 0;
	struct frame f;

	apply(&a, "takahashi");
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			order(&a); /* another serial */
		buf_clear(&body);
		issue_order_put(&body, &a.o);
		frame_put(&two, &(struct frame){.kind = ORDER_ISSUE, .id = 900 + (uint64_t)i, .body = buf_slice(&body)});
	}
	say(&w.p, buf_slice(&two));
	for (int i = 0; i < 2; i++)
		good += link_wait(w.p.registrar, 15000, &f).kind == OK && f.fail == OK;
	w.honest += good;
	is(good == 1 && journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == before + 1,
	    "one application twice in one breath: one certificate");
}

/* --- frames that nobody should hear ------------------------------------------------------------------------------------------------ */

static void
bad_frames(const char *mode)
{
	static const uint8_t garbage[] = "GET / HTTP/1.1\r\n\r\n", huge[] = {0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF},
	                     ber[] = {0x30, 0x80, 0x02, 0x01, 0x2A};
	static const struct {
		const char *name;
		uint8_t kind;
		size_t body;
		slice raw;
	} rows[] = {
	    {"raw bytes to sign, as a signer asks its hand", ORDER_SIGN, 40, {NULL, 0}},
	    {"the question which key the hand has", ORDER_KEY, 0, {NULL, 0}},
	    {"a PIN, as inkand gives it", ORDER_PIN, 8, {NULL, 0}},
	    {"a wire, as inkand gives it", ORDER_WIRE, 8, {NULL, 0}},
	    {"the clock's confirmation, as inkand gives it", ORDER_CONFIRM, 0, {NULL, 0}},
	    {"a kind nobody knows", 250, 0, {NULL, 0}},
	    {"a front's order", ORDER_APPLY, 40, {NULL, 0}},
	    {"an officer's document", ORDER_OFFICE, 40, {NULL, 0}},
	    {"an order longer than its kind", ORDER_CRL_OUT, 300, {NULL, 0}},
	    {"no frame at all", 0, 0, {garbage, sizeof garbage - 1}},
	    {"a frame of two gigabytes", 0, 0, {huge, sizeof huge}},
	    {"a frame in BER", 0, 0, {ber, sizeof ber}},
	};
	static const uint8_t zero[512];
	bool issuer = strcmp(mode, "issuer") == 0;
	char name[160];

	for (size_t i = 0; i < COUNT(rows) + 2; i++) {
		struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
		unsigned lines;
		int code;

		start(mode);
		need(greet(&w.p, 30, NULL), "hello");
		lines = journal_count(w.home, mode, "\"n\":", NULL, NULL);
		if (i < COUNT(rows) && rows[i].raw.n > 0)
			buf_put(&b, rows[i].raw);
		else {
			uint8_t kind = i < COUNT(rows) ? rows[i].kind : issuer == (i & 1) ? ORDER_ANSWERS : ORDER_CHECKPOINT;

			if (!issuer && i >= COUNT(rows))
				kind = i & 1 ? ORDER_ISSUE : ORDER_CRL_OUT;
			frame_put(&b, &(struct frame){.kind = kind, .id = 7, .body = {zero, i < COUNT(rows) ? rows[i].body : 0}});
		}
		say(&w.p, buf_slice(&b));
		code = process_wait(&w.p);
		snprintf(name, sizeof name, "%s: %s ends the process, signs nothing", mode,
		    i < COUNT(rows) ? rows[i].name
		    : i & 1         ? "one order of the other signer"
		                    : "another order of the other signer");
		is(code == 1 && journal_count(w.home, mode, "\"n\":", NULL, NULL) == lines, name);
	}
	start(mode);
	need(greet(&w.p, 30, NULL), "hello");
	for (uint8_t k = ORDER_HELLO; k <= ORDER_CHECKPOINT; k++) {
		const struct reply *r;

		if ((issuer && k >= ORDER_ANSWERS) || (!issuer && (k == ORDER_ISSUE || k == ORDER_VOID || k == ORDER_CRL_OUT)))
			continue;
		if (!issuer && k == ORDER_RULES)
			continue; /* status has no use for them and passes them over */
		r = ask(&w.p, k, LIT("\x30\x03\x02\x01\x05"));
		snprintf(name, sizeof name, "%s: order %u with a body that is none is refused", mode, k);
		is(r->there && r->fail == ERR_INPUT, name);
	}
	process_stop(&w.p);
}

/* --- revocations, lists, answers ------------------------------------------------------------------------------------------------------ */

static void
request_revocation(
    struct buf *out, const struct signer *who, const char *service, slice certificate, const char *reason)
{
	char date[RFC3339_LEN + 1];
	struct cert c;
	instant now = clock_now();

	need(cert_get(certificate, &c).kind == OK, "a certificate");
	time_text(now, date);
	const char *const v[V_COUNT] = {service, hex_of(c.serial), reason, date, REVOCATION_SENTENCE};
	buf_clear(out);
	make_document(out, who, FORM_REVOCATION, v, (slice){NULL, 0}, now);
}

static void
officer_revocation(struct buf *out, const struct signer *who, const char *label, slice certificate)
{
	char date[RFC3339_LEN + 1];
	struct cert c;
	instant now = clock_now();

	need(cert_get(certificate, &c).kind == OK, "a certificate");
	time_text(now, date);
	const char *const v[W_COUNT] = {SERVICE, hex_of(c.serial), "cessationOfOperation", "本人の届出", label, date};
	buf_clear(out);
	make_document(out, who, FORM_OFFICE_REVOCATION, v, (slice){NULL, 0}, now);
}

static const struct reply *
tell_revoked(slice certificate, slice cms, slice application)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant now = clock_now();

	revoked_order_put(&b, &(struct revoked_order){.certificate = certificate,
	                          .cms = cms,
	                          .application = application,
	                          .method = STATUS_CRL,
	                          .crl = w.crl_digest,
	                          .judged = now,
	                          .revoked = now,
	                          .reason = REASON_KEY_COMPROMISE});
	return ask(&w.p, ORDER_REVOKED, buf_slice(&b));
}

struct subject { /* a certificate of the house, with all that belongs to it */
	struct signer *own;
	struct buf cms, certificate;
};

static void
revocation_refused(const char *mode, const char *name, const struct reply *r, const char *code)
{
	char line[200];

	snprintf(line, sizeof line, "%s: %s", mode, name);
	is(says(r, code) && journal_count(w.home, mode, "\"act\":\"revoked\"", NULL, NULL) == 0, line);
}

static void
invented_revocations(const char *mode, const struct subject *s, const struct subject *other)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), stolen OWNED(buf_drop) = BUF(CMS_MAX),
	               forged OWNED(buf_drop) = BUF(CERT_MAX), list_now OWNED(buf_drop) = BUF(PART_BYTES);
	struct signer *card OWNED(signer_drop) = signer_load(w.world, "takahashi"),
	                    *tanaka OWNED(signer_drop) = signer_load(w.world, "tanaka"),
	                    *suzuki OWNED(signer_drop) = signer_load(w.world, "suzuki"),
	                    *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice ours = buf_slice(&s->certificate), application = buf_slice(&s->cms);
	struct make_application says;

	/* s was certified by tanaka's card, which was revoked since */
	revocation_refused(
	    mode, "a revocation without any document", tell_revoked(ours, LIT("-"), application), "der-short");
	signer_set_certificate(s->own, ours);
	request_revocation(&cms, s->own, SERVICE, buf_slice(&other->certificate), "keyCompromise");
	revocation_refused(mode, "a true request, for another certificate",
	    tell_revoked(ours, buf_slice(&cms), application), "revocation-serial");
	request_revocation(&cms, s->own, "Another CA", ours, "keyCompromise");
	revocation_refused(mode, "a true request, to another service", tell_revoked(ours, buf_slice(&cms), application),
	    "revocation-service");
	signer_set_certificate(other->own, buf_slice(&other->certificate));
	request_revocation(&cms, other->own, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by another subscriber", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	revocation_refused(
	    mode, "… without an application", tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0}), "revocation-signer");
	signer_set_certificate(thief, ours);
	request_revocation(&cms, thief, SERVICE, ours, "keyCompromise");
	revocation_refused(mode, "a request with the certificate, signed by another key",
	    tell_revoked(ours, buf_slice(&cms), application), "signature");
	request_revocation(&cms, card, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by another card", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	application_for(w.house, w.world, "takahashi", clock_now(), &says);
	make_application(&stolen, card, s->own, &says);
	revocation_refused(mode, "a request by another card, with an application that carries the subscriber's PKCS#10",
	    tell_revoked(ours, buf_slice(&cms), buf_slice(&stolen)), "revocation-application");
	request_revocation(&cms, suzuki, SERVICE, ours, "keyCompromise");
	revocation_refused(
	    mode, "a request by a revoked card", tell_revoked(ours, buf_slice(&cms), application), "revocation-card");
	world_file("signca03.crl", &list_now);
	need(list(buf_slice(&list_now))->fail == OK, "the list of now");
	w.crl_digest = sha256(buf_slice(&list_now));
	request_revocation(&cms, tanaka, SERVICE, ours, "keyCompromise");
	revocation_refused(mode, "a request by the applicant's own card, revoked since",
	    tell_revoked(ours, buf_slice(&cms), application), "jpki-revoked");
	w.crl_digest = sha256(buf_slice(&w.crl));
	officer_revocation(&cms, w.house->jiro, "jiro", ours);
	revocation_refused(mode, "a decision by an officer without that duty",
	    tell_revoked(ours, buf_slice(&cms), application), "person-duty");
	officer_revocation(&cms, w.house->saburo, "hanako", ours);
	revocation_refused(
	    mode, "a decision in another's name", tell_revoked(ours, buf_slice(&cms), application), "revocation-officer");
	officer_revocation(&cms, thief, "saburo", ours);
	revocation_refused(mode, "a decision by a key with a certificate", tell_revoked(ours, buf_slice(&cms), application),
	    "person-certificate");
	officer_revocation(&cms, w.house->saburo, "saburo", buf_slice(&other->certificate));
	revocation_refused(
	    mode, "a true decision about another", tell_revoked(ours, buf_slice(&cms), application), "revocation-serial");
	buf_put(&forged, ours);
	forged.p[forged.n - 1] ^= 1;
	officer_revocation(&cms, w.house->saburo, "saburo", ours);
	revocation_refused(mode, "a certificate that is not ours",
	    tell_revoked(buf_slice(&forged), buf_slice(&cms), application), "revocation-certificate");
}

/* What one answer says of a certificate; 0 where none came. */
static enum ocsp_status
answered(slice certificate, struct ocsp_answer *out)
{
	static struct buf kept = {.max = FRAME_MAX};
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant now = clock_now();
	struct answers_reply r;

	answers_order_put(
	    &b, &(struct answers_order){
	            .now = now, .next_update = {now.ms + 40 * HOUR_MS}, .n = 1, .certificate = {certificate}});
	if (ask(&w.p, ORDER_ANSWERS, buf_slice(&b))->fail != OK)
		return 0;
	buf_clear(&kept);
	buf_put(&kept, buf_slice(&w.p.reply.body));
	need(answers_reply_get(buf_slice(&kept), &r).kind == OK && r.n == 1 && ocsp_answer_get(r.answer[0], out).kind == OK,
	    "an answer that can be read");
	return out->status;
}

static const struct reply *
answers(slice certificate, int64_t from_ms, int64_t life_ms)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	instant at = {clock_now().ms + from_ms};

	answers_order_put(
	    &b, &(struct answers_order){.now = at, .next_update = {at.ms + life_ms}, .n = 1, .certificate = {certificate}});
	return ask(&w.p, ORDER_ANSWERS, buf_slice(&b));
}

static const struct reply *
our_list(uint64_t number, int64_t from_ms, int64_t life_ms)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	instant at = {clock_now().ms + from_ms};

	crl_order_put(&b, &(struct crl_order){.number = number, .now = at, .next_update = {at.ms + life_ms}});
	return ask(&w.p, ORDER_CRL_OUT, buf_slice(&b));
}

static bool
list_has(const struct reply *r, slice certificate)
{
	struct crl_entry e;
	struct part p;
	struct cert c;
	struct crl l;

	need(r->fail == OK && part_get(buf_slice(&r->body), &p).kind == OK && crl_get(p.bytes, &l).kind == OK &&
	         crl_check_signed_by(&l, w.trust->issuer_key).kind == OK && cert_get(certificate, &c).kind == OK,
	    "a list");
	while (l.entries.n > 0) {
		need(crl_next(&l.entries, &e).kind == OK, "an entry");
		if (serial_eq(e.serial, c.serial))
			return true;
	}
	return false;
}

static void
suppressed_in_lists(const struct subject *s)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	slice ours = buf_slice(&s->certificate);

	is(says(our_list(100, -10 * 60 * SECOND_MS, 36 * HOUR_MS), "status-clock"), "issuer: a list dated ten minutes ago");
	is(says(our_list(100, 0, 3650 * DAY_MS), "status-next"), "issuer: a list for ten years");
	is(!list_has(our_list(100, 0, 36 * HOUR_MS), ours), "issuer: a list before the revocation");
	request_revocation(&cms, s->own, SERVICE, ours, "keyCompromise");
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK,
	    "issuer: the subscriber's true request is taken");
	is(list_has(our_list(101, 0, 36 * HOUR_MS), ours), "issuer: a list after it names the serial");
	is(says(our_list(101, 0, 36 * HOUR_MS), "list-number"), "issuer: another list under the same number");
	is(says(our_list(99, 0, 36 * HOUR_MS), "list-number"), "issuer: a list under an older number");
	process_stop(&w.p);
	open_issuer(26);
	is(says(our_list(101, 0, 36 * HOUR_MS), "list-number"), "issuer: numbers outlive the process");
	is(list_has(our_list(102, 0, 36 * HOUR_MS), ours), "issuer: no list without the serial after a new start");
}

static void
status_signer(const struct subject *s, const struct subject *other)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), forged OWNED(buf_drop) = BUF(CERT_MAX),
	               responder OWNED(buf_drop) = BUF(CERT_MAX);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice ours = buf_slice(&s->certificate);
	struct ocsp_answer a;
	struct cert c;

	start("status");
	is(says(answers(ours, 0, HOUR_MS), "signer-hello"), "status: an answer before hello");
	need(greet(&w.p, 9, NULL) && list(buf_slice(&w.crl))->fail == OK, "hello");
	invented_revocations("status", s, other);
	is(answered(ours, &a) == OCSP_GOOD, "status: good, as long as nobody truly asked for revocation");
	is(says(answers(ours, -10 * 60 * SECOND_MS, HOUR_MS), "status-clock"), "status: an answer dated ten minutes ago");
	is(says(answers(ours, 10 * 60 * SECOND_MS, HOUR_MS), "status-clock"), "status: an answer dated in ten minutes");
	is(says(answers(ours, 0, 30 * DAY_MS), "status-next"), "status: good for a month");
	need(cert_get(ours, &c).kind == OK, "certificate");
	{
		struct cert_plan p = {.serial = {16, {0x42, 1}},
		    .issuer = w.trust->issuer.subject,
		    .subject = c.subject,
		    .spki = signer_spki(thief),
		    .not_before = c.not_before,
		    .not_after = c.not_after,
		    .key_usage = USAGE_DIGITAL_SIGNATURE,
		    .aki = w.trust->issuer.ski};

		make_certificate(&forged, thief, &p);
	}
	is(says(answers(buf_slice(&forged), 0, HOUR_MS), "revocation-certificate"),
	    "status: good for a certificate that was never issued");
	buf_clear(&forged);
	buf_put(&forged, ours);
	memcpy((uint8_t *)memmem(forged.p, forged.n, c.serial.b, c.serial.n), "\x43", 1);
	is(says(answers(buf_slice(&forged), 0, HOUR_MS), "revocation-certificate"), "status: good for another serial");
	is(says(answers(w.trust->issuer.whole, 0, HOUR_MS), "revocation-certificate"), "status: good for the CA itself");
	home_file("repository/ca/ocsp.cer", &responder);
	is(says(answers(buf_slice(&responder), 0, HOUR_MS), "revocation-certificate"),
	    "status: good for its own certificate");
	request_revocation(&cms, s->own, SERVICE, ours, "keyCompromise");
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK,
	    "status: the subscriber's true request is taken");
	is(answered(ours, &a) == OCSP_REVOKED && a.reason == REASON_KEY_COMPROMISE,
	    "status: asked for good after it: revoked");
	process_wire(&w.p);
	need(greet(&w.p, 9, NULL), "hello");
	is(answered(ours, &a) == OCSP_REVOKED, "status: asked over a new wire: revoked");
	officer_revocation(&cms, w.house->saburo, "saburo", ours);
	is(tell_revoked(ours, buf_slice(&cms), (slice){NULL, 0})->fail == OK && answered(ours, &a) == OCSP_REVOKED &&
	        a.reason == REASON_KEY_COMPROMISE,
	    "status: a later document changes neither reason nor time");
	is(process_stop(&w.p) == 0, "status: it is stopped");
	start("status");
	need(greet(&w.p, 9, NULL), "hello");
	is(answered(ours, &a) == OCSP_REVOKED, "status: asked after a new start: revoked");
	is(answered(buf_slice(&other->certificate), &a) == OCSP_GOOD, "status: and good for the other");
}

/* --- checkpoints, and old days brought back -------------------------------------------------------------------------------------------- */

static const struct reply *
checkpoint(struct head books, uint64_t from, uint64_t fork)
{
	struct buf b OWNED(buf_drop) = BUF(16U << 10);
	struct checkpoint_order o = {.books = books, .from = from};

	o.n_proof = books_proof(from, books.size, fork, o.proof);
	checkpoint_order_put(&b, &o);
	return ask(&w.p, ORDER_CHECKPOINT, buf_slice(&b));
}

static bool
is_checkpoint(const struct reply *r, uint64_t size)
{
	struct checkpoint c;
	slice note;

	return r->fail == OK && octets_get(buf_slice(&r->body), &note).kind == OK && checkpoint_get(note, &c).kind == OK &&
	       checkpoint_check(&c, w.trust->origin, w.trust->status_key).kind == OK && c.size == size;
}

static void
checkpoints(void)
{
	is(is_checkpoint(checkpoint(books_head(12, BOOKS_MAX), 0, BOOKS_MAX), 12), "status: a first checkpoint");
	is(says(checkpoint(books_head(11, BOOKS_MAX), 0, BOOKS_MAX), "books-smaller"),
	    "status: a checkpoint of fewer lines");
	is(says(checkpoint(books_head(12, 5), 0, 5), "books-root"), "status: other lines of the same number");
	is(says(checkpoint(books_head(20, 5), 12, 5), "tree-consistency"),
	    "status: a forked tree, with the fork's own proof");
	is(says(checkpoint(books_head(20, 11), 12, BOOKS_MAX), "tree-consistency"),
	    "status: a forked tree, with the true tree's proof");
	is(says(checkpoint(books_head(20, BOOKS_MAX), 9, BOOKS_MAX), "books-from"), "status: a proof from elsewhere");
	is(says(checkpoint(books_head(20, BOOKS_MAX), 0, BOOKS_MAX), "books-from"), "status: no proof");
	is(is_checkpoint(checkpoint(books_head(20, BOOKS_MAX), 12, BOOKS_MAX), 20), "status: a true extension is signed");
	process_stop(&w.p);
	start("status");
	/* books of a day between the last hello (9) and the last checkpoint (20) */
	is(says(hello(&w.p, books_head(15, BOOKS_MAX), (struct head){0}, 9, BOOKS_MAX), "signer-books-rollback"),
	    "status: books restored from before the last checkpoint");
	is(log_says(w.home, "status", "ALARM signer-books-rollback"), "status: … and its log says so");
	is(says(checkpoint(books_head(21, BOOKS_MAX), 20, BOOKS_MAX), "signer-books-rollback"),
	    "status: … and nothing is signed from then on");
	process_stop(&w.p);
	start("status");
	is(says(hello(&w.p, books_head(25, 14), (struct head){0}, 20, 14), "signer-books-other"),
	    "status: longer books that fork before the last checkpoint");
	process_stop(&w.p);
	start("status");
	is(greet(&w.p, 30, NULL), "status: the true books, longer: taken");
	process_stop(&w.p);
}

static void
restored_books(void)
{
	struct attempt a OWNED(attempt_drop);
	struct head journal;
	slice named;
	const struct reply *r;

	process_wire(&w.p);
	need(greet(&w.p, 24, NULL), "hello");
	apply(&a, "sato");
	a.o.books = books_head(24, BOOKS_MAX);
	comes_out("with books of 24 lines: a certificate", &a, NULL);
	process_stop(&w.p);
	start("issuer");
	r = hello(&w.p, books_head(20, BOOKS_MAX), (struct head){0}, 0, BOOKS_MAX);
	is(says(r, "signer-books-rollback"), "issuer: books restored from an earlier day");
	is(octets_get(buf_slice(&r->body), &named).kind == OK && memmem(named.p, named.n, hex_of(a.o.serial), 32) != NULL,
	    "… it names the serial they would hide");
	is(log_says(w.home, "issuer", "ALARM signer-rollback") && log_says(w.home, "issuer", hex_of(a.o.serial)),
	    "… in its log too");
	attempt_drop(&a);
	apply(&a, "yamada");
	is(says(issue(&a), "signer-books-rollback"), "… and signs nothing from then on");
	process_wire(&w.p);
	is(says(hello(&w.p, books_head(24, BOOKS_MAX), (struct head){0}, 0, BOOKS_MAX), "signer-books-rollback"),
	    "… not even when the books' next word is the right one: a person must look");
	process_stop(&w.p);
	start("issuer");
	is(says(hello(&w.p, books_head(26, 22), (struct head){0}, 24, 22), "signer-books-other"),
	    "issuer: longer books, other lines");
	process_stop(&w.p);
	start("issuer");
	r = hello(&w.p, books_head(26, BOOKS_MAX), (struct head){0}, 9, BOOKS_MAX);
	is(r->fail == OK && says(issue(&a), "signer-hello"), "issuer: a proof from another head opens no wire");
	is(greet(&w.p, 26, &journal), "issuer: the true books, longer: taken");
	process_stop(&w.p);
}

/* In HOME. */
static void
at_home(const char *command)
{
	shell("cd '%s' && %s", w.home, command);
}

static void
restored_journal(void)
{
	struct attempt a OWNED(attempt_drop);
	struct head after;

	at_home("cp -a journal-issuer journal-old");
	open_issuer(26);
	apply(&a, "sato");
	comes_out("a certificate that the old journal does not know", &a, NULL);
	process_wire(&w.p);
	need(greet(&w.p, 26, &after), "hello");
	process_stop(&w.p);
	at_home("mv journal-issuer journal-kept && cp -a journal-old journal-issuer");
	start("issuer");
	is(says(hello(&w.p, books_head(26, BOOKS_MAX), after, 0, BOOKS_MAX), "signer-journal-rollback"),
	    "issuer: its journal restored from an earlier day");
	order(&a);
	is(says(issue(&a), "signer-journal-rollback"), "… and signs nothing: not that application a second time");
	is(journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == w.honest - 1, "… nothing at all");
	is(log_says(w.home, "issuer", "ALARM signer-journal-rollback"), "… and its log says so");
	process_stop(&w.p);
	/* who holds the registrar too can hide it for a while, not for ever */
	open_issuer(26);
	order(&a);
	is(issue(&a)->fail == OK, "who sets the journal back AND says it was never longer gets a second certificate");
	process_stop(&w.p);
	start("issuer");
	is(says(hello(&w.p, books_head(26, BOOKS_MAX), after, 0, BOOKS_MAX), "signer-journal-other") ||
	        says(&w.p.reply, "signer-journal-rollback"),
	    "… and is found by the first registrar that remembers the true head");
	process_stop(&w.p);
	at_home("rm -rf journal-issuer journal-old && mv journal-kept journal-issuer");
}

/* A line of the journal changed on disk, so that a used application looks unused. */
static void
edited_journal(void)
{
	struct head known;
	const struct reply *r;
	int code;

	start("issuer");
	need(greet(&w.p, 26, &known), "hello");
	process_stop(&w.p);
	at_home("cp -a journal-issuer journal-kept && sed -i '0,/\"application\":\"./s//\"application\":\"0/' "
	        "journal-issuer/entries/00000000.jsonl && ! cmp -s journal-issuer/entries/00000000.jsonl "
	        "journal-kept/entries/00000000.jsonl");
	start("issuer");
	r = hello(&w.p, books_head(26, BOOKS_MAX), known, 26, BOOKS_MAX);
	is(!r->there || says(r, "signer-journal-other"), "issuer: a line of its journal edited");
	code = r->there ? process_stop(&w.p) : process_wait(&w.p);
	is(r->there ? code == 0 : code == 3, "… a person must look");
	at_home("rm -rf journal-issuer && mv journal-kept journal-issuer");
}

/* --- the whole --------------------------------------------------------------------------------------------------------------------------- */

static void
certify(struct subject *s, const char *card, const char *name)
{
	struct attempt a;

	apply(&a, card);
	*s = (struct subject){.cms = BUF(CMS_MAX), .certificate = BUF(CERT_MAX)};
	comes_out(name, &a, &s->certificate);
	buf_put(&s->cms, buf_slice(&a.cms));
	s->own = a.own;
	a.own = NULL;
	attempt_drop(&a);
}

static void
subject_drop(struct subject *s)
{
	signer_drop(&s->own);
	buf_drop(&s->cms);
	buf_drop(&s->certificate);
}

static void
prepare(void)
{
	char at[RFC3339_LEN + 1], old[RFC3339_LEN + 1], later[RFC3339_LEN + 1];
	instant now = clock_now();

	time_text((instant){now.ms - now.ms % SECOND_MS - 3 * HOUR_MS}, at);
	time_text((instant){now.ms - now.ms % SECOND_MS - 3 * DAY_MS}, old);
	time_text((instant){now.ms - now.ms % SECOND_MS - HOUR_MS}, later);
	memcpy(at + 19, "Z", 2); /* the tool wants seconds */
	memcpy(later + 19, "Z", 2);
	memcpy(old + 19, "Z", 2);
	world_run((const char *const[]){"crl", w.world, "--at", old, NULL});
	shell("cp '%s/signca03.crl' '%s/old.crl'", w.world, w.world);
	world_run((const char *const[]){"crl", w.world, "--at", at, NULL});
	w.crl = BUF(PART_BYTES);
	w.pin = BUF(SECRET_MAX);
	w.certificate = BUF(CERT_MAX);
	w.second = BUF(CERT_MAX);
	world_file("signca03.crl", &w.crl);
	w.crl_digest = sha256(buf_slice(&w.crl));
	world_run((const char *const[]){"leaf", w.world, "child", "--at", at, "--birth", "520190601", NULL});
	world_run((const char *const[]){"revoke", w.world, "tanaka", "--at", later, NULL});
	home_file("tokens/pin", &w.pin);
	make_trust(now);
}

int
main(int argc, char **argv)
{
	struct subject s OWNED(subject_drop) = {0}, other OWNED(subject_drop) = {0};

	if (argc != 4)
		return 2;
	w.libexec = argv[1];
	w.home = argv[2];
	w.world = argv[3];
	prepare();
	too_early();
	forged_applications();
	forged_verdicts();
	forged_lists();
	forged_answers();
	forged_acceptance();
	forged_decisions();
	replays();
	other_orders();
	same_turn();
	certify(&s, "tanaka", "a certificate to be revoked");
	certify(&other, "yamada", "a certificate to stay");
	is(journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == w.honest,
	    "the journal has signed what was true, and nothing else");
	chosen_list();
	restored_books();
	restored_journal();
	edited_journal();
	open_issuer(26);
	invented_revocations("issuer", &s, &other);
	suppressed_in_lists(&s);
	process_stop(&w.p);
	status_signer(&s, &other);
	checkpoints();
	bad_frames("issuer");
	bad_frames("status");
	printf("1..%d\n", tests);
	return failures > 0;
}
