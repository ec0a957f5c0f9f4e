#include <unistd.h>

#include "act/entry.h"
#include "base/conf.h"
#include "edge/clock.h"
#include "test/system/parts/attempt.h"

struct attack w;

void
is(bool good, const char *name)
{
	w.tests++;
	w.failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", w.tests, name);
	if (!good)
		printf("# %s (%d)\n", w.p.reply.there ? w.p.reply.what : "no answer", (int)w.p.reply.fail);
	fflush(stdout);
}

void
need(bool yes, const char *what)
{
	if (yes)
		return;
	printf("Bail out! %s %s\n", what, w.p.reply.what);
	exit(1);
}

void
shell(const char *format, const char *a, const char *b)
{
	char command[4096];

	snprintf(command, sizeof command, format, a, b);
	need(system(command) == 0, command);
}

bool
says(const struct reply *r, const char *code)
{
	size_t n = strlen(code);

	return r->there && r->fail != OK && strncmp(r->what, code, n) == 0 && r->what[n] == ':';
}

void
world_file(const char *name, struct buf *out)
{
	char path[2300];

	snprintf(path, sizeof path, "%s/%s", w.world, name);
	file_get(path, out);
}

void
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

void
start(const char *mode)
{
	slice pin = buf_slice(strcmp(mode, "status") == 0 ? &w.status_pin : &w.pin);

	while (pin.n > 0 && pin.p[pin.n - 1] == '\n')
		pin.n--;
	process_start(&w.p, w.libexec, w.home, mode, pin);
}

const struct reply *
rules(slice profile, slice ruleset, slice approval)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	rules_order_put(&b, &(struct rules_order){profile, ruleset, approval, {NULL, 0}});
	return ask(&w.p, ORDER_RULES, buf_slice(&b));
}

const struct reply *
true_rules(void)
{
	return rules(buf_slice(&w.house->profile), buf_slice(&w.house->ruleset), buf_slice(&w.house->approval));
}

const struct reply *
list(slice bytes)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	need(bytes.n <= PART_BYTES, "a list in one part");
	part_put(&b, &(struct part){.number = 0, .last = true, .bytes = bytes});
	return ask(&w.p, ORDER_CRL_IN, buf_slice(&b));
}

void
open_issuer(uint64_t size)
{
	start("issuer");
	need(greet(&w.p, size, NULL), "hello");
	need(true_rules()->fail == OK, "rules");
	need(list(buf_slice(&w.crl))->fail == OK, "list");
}

void
attempt_drop(struct attempt *a)
{
	signer_drop(&a->own);
	buf_drop(&a->cms);
	buf_drop(&a->decision);
	buf_drop(&a->answer);
}

/* The registrar's own plan: what it says fits what it orders, so that only the signer's judgement stands in the way. */
void
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

void
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
void
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

void
sign_by(struct attempt *a, const char *card)
{
	struct signer *s OWNED(signer_drop) = signer_load(w.world, card);

	buf_clear(&a->cms);
	make_application(&a->cms, s, a->own, &a->says);
	order(a);
}

/* A true application by a card, ordered rightly. */
void
apply(struct attempt *a, const char *card)
{
	begin(a, card);
	sign_by(a, card);
}

const struct reply *
issue(const struct attempt *a)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	issue_order_put(&b, &a->o);
	return ask(&w.p, ORDER_ISSUE, buf_slice(&b));
}

const char *
hex_of(serial s)
{
	static char text[64];
	struct buf b OWNED(buf_drop) = BUF(64);

	serial_put_hex(&b, s);
	snprintf(text, sizeof text, "%.*s", (int)b.n, (const char *)b.p);
	return text;
}

/* The honest way works: else nothing that is refused would mean anything. */
void
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
void
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

void
time_text(instant t, char out[RFC3339_LEN + 1])
{
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	memcpy(out, b.p, RFC3339_LEN);
	out[RFC3339_LEN] = '\0';
}

/* In HOME. */
void
at_home(const char *command)
{
	shell("cd '%s' && %s", w.home, command);
}

void
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

void
subject_drop(struct subject *s)
{
	signer_drop(&s->own);
	buf_drop(&s->cms);
	buf_drop(&s->certificate);
}

void
prepare(char **argv)
{
	char at[RFC3339_LEN + 1], old[RFC3339_LEN + 1], later[RFC3339_LEN + 1];
	instant now = clock_now();

	w.libexec = argv[1];
	w.home = argv[2];
	w.world = argv[3];
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
	world_file("signca03.crl", &w.crl);
	w.crl_digest = sha256(buf_slice(&w.crl));
	world_run((const char *const[]){"leaf", w.world, "child", "--at", at, "--birth", "520190601", NULL});
	world_run((const char *const[]){"revoke", w.world, "tanaka", "--at", later, NULL});
	home_file("tokens/pin", &w.pin);
	w.status_pin = BUF(SECRET_MAX);
	home_file("tokens-status/pin", &w.status_pin);
	make_trust(now);
}
