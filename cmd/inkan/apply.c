/*
 * inkan apply: PIN → explanation → the document whole → PIN again → sent.
 *
 * The order is the argument (Rule 6(i), 6(ii), JPKI Act 19(2)): nobody signs what
 * he has not been shown, nobody is shown the document before he has confirmed the
 * explanation, and the challenge is fetched only after the reading.  What a crash
 * leaves: before the signature a key file that the next run uses; after it
 * application.cms, which the next run sends again, and equal bytes get one answer.
 */
#include "base/text.h"
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"
#include "pki/request.h"

#include "act/identity.h"

#define CHALLENGE_ROUNDS 5
#define CHALLENGE_SPARE_MS 5000 /* for the way to the service */
#define WORD_LEN_MIN 4
#define WORD_LEN_MAX 16
#define APPLICATION_FILE "application.cms"
#define DOCUMENT_TYPE "application/cms"

struct terms {
	struct json *doc; /* owned */
	slice service, terms, explanation, version, consent, word;
	digest terms_digest, explanation_digest;
	uint64_t years_max;
};

static err
get_text(json j, const char *member, digest *d, slice *text, json *out)
{
	TRY(json_member(j, member, out));
	TRY(json_hex(*out, "sha256", d->b, sizeof d->b));
	TRY(json_text(*out, "text", text));
	if (!digest_eq(sha256(*text), *d))
		return fail(ERR_POLICY, "terms-digest: Rule 6(i): the service's text does not fit the digest it names");
	if (text_check(*text).kind != OK)
		return fail(
		    ERR_INPUT, "terms-text: Rule 6(i): the service's text holds characters that cannot be shown as they are");
	return ok;
}

/* The confirmation stands at the end of the last line, after the colon: it differs in each version and language. */
static err
find_word(slice text, slice *word)
{
	slice line = {NULL, 0}, rest = text, s, before;
	bool good;

	while (slice_cut(&rest, '\n', &s))
		if (s.n > 0)
			line = s;
	while (slice_cut(&line, ':', &before))
		;
	while (line.n > 0 && line.p[0] == ' ')
		line = (slice){line.p + 1, line.n - 1};
	good = line.n >= WORD_LEN_MIN && line.n <= WORD_LEN_MAX;
	for (size_t i = 0; good && i < line.n; i++)
		good = (line.p[i] >= '0' && line.p[i] <= '9') || (line.p[i] >= 'A' && line.p[i] <= 'Z');
	if (!good)
		return fail(ERR_INPUT, "terms-word: Rule 6(i): the explanation does not end with its confirmation number");
	*word = line;
	return ok;
}

static err
terms_fetch(struct inkan *k, const char *profile, struct terms *out)
{
	struct buf path OWNED(buf_drop) = BUF(256), answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct terms t = {.doc = NULL};
	slice said;
	json j, e;
	err r;

	buf_put_str(&path, "/terms/");
	buf_put_str(&path, profile);
	buf_put_str(&path, k->lang == LANG_JA ? "?lang=ja" : "?lang=en");
	buf_put_u8(&path, '\0');
	TRY(buf_check(&path));
	TRY(service_get(k, (char *)path.p, LIT(""), JSON_MAX, &answer));
	TRY(json_get(buf_slice(&answer), &t.doc));
	j = json_root(t.doc);
	r = json_text(j, "service", &t.service);
	if (r.kind == OK && text_check_line(t.service).kind != OK)
		r = fail(
		    ERR_INPUT, "terms-text: Rule 6(i): the service's text holds characters that cannot be shown as they are");
	if (r.kind == OK)
		r = json_text(j, "profile", &said);
	if (r.kind == OK && !slice_eq(said, slice_str(profile)))
		r = fail(ERR_INPUT, "terms-profile: Rule 6(i): the service's text is for another kind of certificate");
	if (r.kind == OK)
		r = json_natural(j, "validity_years_max", &t.years_max);
	if (r.kind == OK)
		r = get_text(j, "terms", &t.terms_digest, &t.terms, &e);
	if (r.kind == OK)
		r = get_text(j, "explanation", &t.explanation_digest, &t.explanation, &e);
	if (r.kind == OK)
		r = json_text(e, "language", &said);
	if (r.kind == OK && !slice_eq(said, k->lang == LANG_JA ? LIT("ja") : LIT("en")))
		r = fail(ERR_INPUT, "terms-language: Rule 6(i): the explanation came in another language");
	if (r.kind == OK)
		r = json_text(j, "consent", &t.consent);
	/* What will be signed is our own sentence; a service that shows another one wants something else. */
	if (r.kind == OK && !slice_eq(t.consent, slice_str(APPLICATION_CONSENT)))
		r = fail(ERR_POLICY, "terms-consent: Rule 6(ii): the service asks for a consent that this tool does not know");
	if (r.kind == OK)
		r = find_word(t.explanation, &t.word);
	if (r.kind != OK) {
		json_drop(&t.doc);
		return r;
	}
	*out = t;
	return ok;
}

/* Page by page: a page ends at an empty line. */
static err
show_pages(struct inkan *k, slice text)
{
	slice rest = text, line, page = {text.p, 0};

	while (slice_cut(&rest, '\n', &line)) {
		page.n = (size_t)(rest.p - page.p);
		if (line.n > 0)
			continue;
		say_raw(k, page);
		if (rest.n > 0)
			TRY(ask_page(k));
		page = (slice){rest.p, 0};
	}
	say_raw(k, page);
	return ok;
}

/* Rule 6(i): shown, and confirmed by typing what stands at its end; never by Enter, never by a preset. */
static err
explain(struct inkan *k, const struct terms *t, instant *shown, instant *confirmed)
{
	say_gap(k);
	SAY(k, "Terms of use of: {1}", t->service);
	say_gap(k);
	TRY(show_pages(k, t->terms));
	say_gap(k);
	say_line(k, "The explanation follows. Please read all five points.");
	say_gap(k);
	*shown = clock_now();
	TRY(show_pages(k, t->explanation));
	TRY(ask_word(
	    k, "confirm", "When you have read and understood it, type the confirmation number at its end", t->word));
	*confirmed = clock_now();
	return ok;
}

/* --- what the applicant says ------------------------------------------------------------- */
struct said {
	struct buf name, address, birth, contact, validity, helped, kept, id_hex; /* owned */
	slice sex;
	instant shown, confirmed;
};

static void
said_drop(struct said *s)
{
	buf_drop(&s->name);
	buf_drop(&s->address);
	buf_drop(&s->birth);
	buf_drop(&s->contact);
	buf_drop(&s->validity);
	buf_drop(&s->helped);
	buf_drop(&s->kept);
	buf_drop(&s->id_hex);
}

/* Domain 2.3: EYYYYMMDD, the year is Gregorian; 1 male, 2 female, 3 unknown. */
static err
take_person(struct inkan *k, const struct jpki_person *p, struct said *s)
{
	uint64_t year, month, day;
	slice b = p->birth;

	if (b.n != 9)
		return fail(ERR_INPUT, "card-birth: JPKI Rule 14: the card's date of birth cannot be read");
	year = month = day = 0;
	for (size_t i = 1; i < 9; i++) {
		uint64_t *to = i < 5 ? &year : i < 7 ? &month : &day;

		if (b.p[i] < '0' || b.p[i] > '9')
			return fail(ERR_INPUT, "card-birth: JPKI Rule 14: the card's date of birth cannot be read");
		*to = *to * 10 + (uint64_t)(b.p[i] - '0');
	}
	birth_put(&s->birth, (int)year, (int)month, (int)day);
	s->sex = slice_eq(p->sex, LIT("1")) ? LIT("male") : slice_eq(p->sex, LIT("2")) ? LIT("female") : LIT("unknown");
	buf_put(&s->address, p->address);
	if (k->o.name != NULL)
		buf_put_str(&s->name, k->o.name);
	else
		buf_put(&s->name, p->name);
	SAY(k, "Name on the card: {1}", p->name);
	for (size_t i = 0; i < p->name_flags.n; i++)
		if (p->name_flags.p[i] == '1' && k->o.name == NULL) {
			say_line(k, "The card writes a character of this name by a substitute. To ask for the true form, start "
			            "with --name; an "
			            "officer then decides.");
			break;
		}
	return text_check_line(buf_slice(&s->name));
}

static err
ask_rest(struct inkan *k, uint64_t years_max, struct said *s)
{
	struct buf prompt OWNED(buf_drop) = BUF(256), digits OWNED(buf_drop) = BUF(20);
	uint64_t years = 0;

	if (k->o.contact != NULL)
		buf_put_str(&s->contact, k->o.contact);
	else
		TRY(ask_line(
		    k, "contact", "Mail address for notices (or the word letter: by letter to your address)", &s->contact));
	if (k->o.validity != NULL)
		buf_put_str(&s->validity, k->o.validity);
	else {
		buf_put_decimal(&digits, years_max);
		say_put(&prompt, k->lang, "Validity in years, 1 to {1}", (const slice[]){{NULL, 0}, buf_slice(&digits)}, 2);
		buf_put_u8(&prompt, '\0');
		TRY(ask_line(k, "validity", (char *)prompt.p, &s->validity));
	}
	if (decimal_get(buf_slice(&s->validity), years_max, &years).kind != OK || years == 0)
		return fail(
		    ERR_INPUT, "validity: Rule 6(iv): the validity is a number of years from 1 to what the service offers");
	if (k->o.helped != NULL)
		buf_put_str(&s->helped, k->o.helped);
	else
		TRY(ask_line(
		    k, "helped", "Did somebody help you with this? Name and relation, or Enter for nobody", &s->helped));
	if (s->helped.n == 0)
		buf_put_str(&s->helped, "-");
	return ok;
}

/* --- challenge, document, signature ---------------------------------------------------------- */
static err
challenge_fetch(struct inkan *k, struct buf *nonce, instant *expires)
{
	struct buf answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct json *doc OWNED(json_drop) = NULL;
	slice s;

	TRY(service_post(k, "/challenges", "application/json", LIT(""), 0, &answer));
	TRY(json_get(buf_slice(&answer), &doc));
	TRY(json_text(json_root(doc), "expires", &s));
	TRY(instant_get(s, expires));
	TRY(json_text(json_root(doc), "nonce", &s));
	if (s.n == 0 || s.n > NONCE_TEXT_MAX || text_check_line(s).kind != OK)
		return fail(ERR_INPUT, "challenge: Rule 6(iii-2): the service's challenge cannot be used");
	buf_clear(nonce);
	buf_put(nonce, s);
	return buf_check(nonce);
}

static void
put_instant(struct buf *b, instant t)
{
	instant_put(b, t);
}

static err
build(struct inkan *k, const struct terms *t, const struct said *s, struct holder *own, slice nonce, struct buf *text)
{
	struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX),
	                p10 OWNED(buf_drop) = BUF(REQUEST_MAX);
	struct buf date OWNED(buf_drop) = BUF(32), shown OWNED(buf_drop) = BUF(32), confirmed OWNED(buf_drop) = BUF(32);
	struct buf terms OWNED(buf_drop) = BUF(64), explanation OWNED(buf_drop) = BUF(64);
	slice v[A_COUNT];

	request_put_info(&info, buf_slice(&own->spki), nonce);
	TRY(buf_check(&info));
	TRY(holder_sign(k, own, sig_alg_for(own->kind), buf_slice(&info), &sig));
	request_join(&p10, buf_slice(&info), sig_alg_for(own->kind), buf_slice(&sig));
	TRY(buf_check(&p10));
	put_instant(&date, clock_now());
	put_instant(&shown, s->shown);
	put_instant(&confirmed, s->confirmed);
	digest_put(&terms, t->terms_digest);
	digest_put(&explanation, t->explanation_digest);
	v[A_SERVICE] = t->service;
	v[A_PROFILE] = slice_str(k->o.profile);
	v[A_DATE] = buf_slice(&date);
	v[A_NAME] = buf_slice(&s->name);
	v[A_ADDRESS] = buf_slice(&s->address);
	v[A_BIRTH] = buf_slice(&s->birth);
	v[A_SEX] = s->sex;
	v[A_CONTACT] = buf_slice(&s->contact);
	v[A_VALIDITY] = buf_slice(&s->validity);
	v[A_TERMS] = buf_slice(&terms);
	v[A_EXPLANATION] = buf_slice(&explanation);
	v[A_LANGUAGE] = k->lang == LANG_JA ? LIT("ja") : LIT("en");
	v[A_SHOWN] = buf_slice(&shown);
	v[A_CONFIRMED] = buf_slice(&confirmed);
	v[A_KEY] = buf_slice(&s->kept);
	v[A_HELPED] = buf_slice(&s->helped);
	v[A_CONSENT] = slice_str(APPLICATION_CONSENT);
	v[A_NONCE] = nonce;
	return document_put(text, FORM_APPLICATION, v, A_COUNT, buf_slice(&p10));
}

static void
show_document(struct inkan *k, slice text)
{
	say_gap(k);
	say_line(k, "This is the document you are about to sign, whole:");
	say_rule(k);
	say_raw(k, text);
	say_rule(k);
}

/* Fetches a challenge, shows the document, takes the PIN; again where the challenge lapsed meanwhile. */
static err
sign_application(struct inkan *k, const struct terms *t, const struct said *s, struct holder *own, struct holder *card,
    slice leaf, struct buf *cms)
{
	for (int i = 0; i < CHALLENGE_ROUNDS; i++) {
		struct buf nonce OWNED(buf_drop) = BUF(NONCE_TEXT_MAX), text OWNED(buf_drop) = BUF(DOCUMENT_MAX);
		instant expires;

		TRY(challenge_fetch(k, &nonce, &expires));
		TRY(build(k, t, s, own, buf_slice(&nonce), &text));
		show_document(k, buf_slice(&text));
		buf_clear(cms);
		TRY(holder_sign_document(k, card, leaf, buf_slice(&text), cms));
		if (clock_now().ms < expires.ms - CHALLENGE_SPARE_MS)
			return ok;
		say_line(k,
		    "The challenge has lapsed while the document was read. Nothing was sent. Here it is again with a new one:");
	}
	return fail(
	    ERR_POLICY, "challenge-late: Rule 6(iii-2): the challenge lapsed each time; check this computer's clock");
}

/* --- sending ------------------------------------------------------------------------------------ */
static err
send_application(struct inkan *k, slice cms, struct state *s)
{
	struct buf answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct json *doc OWNED(json_drop) = NULL;
	uint64_t wait_s = 30;
	uint8_t unused[16];
	json j;

	if (k->o.wait != NULL && decimal_get(slice_str(k->o.wait), 120, &wait_s).kind != OK)
		return fail(ERR_INPUT, "usage: inkan(1): --wait is a number of seconds up to 120");
	TRY(service_post(k, "/applications", DOCUMENT_TYPE, cms, (unsigned)wait_s, &answer));
	TRY(json_get(buf_slice(&answer), &doc));
	j = json_root(doc);
	TRY(json_text(j, "dossier", &s->dossier));
	TRY(json_text(j, "token", &s->token));
	if (hex_get(s->dossier, unused, sizeof unused).kind != OK || hex_get(s->token, unused, sizeof unused).kind != OK)
		return fail(ERR_INPUT, "service-answer: house: the service's answer cannot be understood");
	return state_save(k, s); /* while doc holds the words */
}

/* Sends what is signed, and says how it stands. */
static err
send_and_say(struct inkan *k, slice cms, struct state *s, enum done *done)
{
	struct state now OWNED(state_drop) = {.doc = NULL};
	struct standing st OWNED(standing_drop) = {.since = {0}};

	TRY(send_application(k, cms, s));
	TRY(state_load(k, &now));
	say_gap(k);
	say_line(k, "Sent.");
	SAY(k, "Number of your application (dossier): {1}", now.dossier);
	if (k->o.json)
		json_put_named(&k->json, "dossier", now.dossier);
	TRY(service_standing(k, &now, &st));
	say_standing(k, &st);
	*done = slice_eq(buf_slice(&st.state), LIT("refused")) ? DONE_NO : DONE_OK;
	return ok;
}

static err
send_again(struct inkan *k, enum done *done)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct state s OWNED(state_drop) = {.doc = NULL};

	TRY(state_load(k, &s));
	TRY(store_read(k, APPLICATION_FILE, &cms));
	TRY(service_use(k, s.url));
	say_line(
	    k, "An application signed earlier was never answered: the same bytes are sent again. (--new starts afresh.)");
	return send_and_say(k, buf_slice(&cms), &s, done);
}

/* A folder holds one application: what is there is put aside only where the person says --new. */
static err
look_at_folder(struct inkan *k, bool *signed_before)
{
	struct state s OWNED(state_drop) = {.doc = NULL};
	err e;

	*signed_before = store_has(k, APPLICATION_FILE);
	if (k->o.anew) {
		static const char *const aside[] = {
		    APPLICATION_FILE, "state.json", "certificate.cer", "receipt.cms", "key.pem"};
		bool answered = false;

		e = state_load(k, &s);
		answered = e.kind == OK && s.dossier.n > 0;
		for (size_t i = 0; i < COUNT(aside); i++) {
			struct buf to OWNED(buf_drop) = BUF(128), at OWNED(buf_drop) = BUF(32);

			/* The key of an application that was never answered is used again. */
			if (!store_has(k, aside[i]) || (!answered && strcmp(aside[i], "key.pem") == 0))
				continue;
			instant_put(&at, clock_now());
			buf_put_str(&to, aside[i]);
			buf_put_u8(&to, '.');
			buf_put(&to, buf_slice(&at));
			buf_put_u8(&to, '\0');
			TRY(store_rename(k, aside[i], (char *)to.p));
		}
		*signed_before = false;
		return ok;
	}
	e = state_load(k, &s);
	if (e.kind == OK && s.dossier.n > 0)
		return fail(ERR_CONFLICT, "apply-there: inkan(1): this folder already holds an application; see inkan status, "
		                          "or take another folder with --dir");
	return e.kind == OK || e.kind == ERR_ABSENT ? ok : e;
}

static bool
challenge_refused(const struct inkan *k, err e)
{
	return service_refused(e) && e.kind != ERR_BUSY && slice_has_prefix(buf_slice(&k->refusal.code), LIT("nonce-"));
}

static err
apply(struct inkan *k, enum done *done)
{
	struct buf leaf OWNED(buf_drop) = BUF(CERT_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct terms t = {.doc = NULL};
	struct json *doc OWNED(json_drop) = NULL;
	struct holder card OWNED(holder_drop) = {.card = NULL}, own OWNED(holder_drop) = {.card = NULL};
	struct said said OWNED(said_drop) = {.name = BUF(DOCUMENT_VALUE_MAX),
	    .address = BUF(DOCUMENT_VALUE_MAX),
	    .birth = BUF(16),
	    .contact = BUF(CONTACT_MAX),
	    .validity = BUF(2),
	    .helped = BUF(DOCUMENT_VALUE_MAX),
	    .kept = BUF(DOCUMENT_VALUE_MAX),
	    .id_hex = BUF(64)};
	struct state s = {.doc = NULL};
	struct application mine OWNED(application_drop) = {.name = {NULL, 0}};
	struct jpki_person person;
	struct cert c;
	bool signed_before;
	err e =
	    fail(ERR_BUSY, "challenge-late: Rule 6(iii-2): the challenge lapsed each time; check this computer's clock");

	TRY(store_open(k));
	TRY(look_at_folder(k, &signed_before));
	if (signed_before)
		return send_again(k, done);
	TRY(service_use(k, LIT("")));
	if (k->o.profile == NULL)
		k->o.profile = "person-signature";
	TRY(terms_fetch(k, k->o.profile, &t)); /* first: no PIN is asked for a service that does not answer */
	doc = t.doc;
	TRY(holder_card(k, &card, &leaf));
	TRY(jpki_get(buf_slice(&leaf), &c, &person));
	if (!cert_is_valid_at(&c, clock_now()))
		return fail(ERR_POLICY,
		    "card-expired: JPKI Act 5: the card's signature certificate is not valid today; the municipal window "
		    "renews it");
	TRY(take_person(k, &person, &said));
	TRY(explain(k, &t, &said.shown, &said.confirmed));
	TRY(ask_rest(k, t.years_max > 5 ? 5 : t.years_max, &said));
	TRY(holder_make(k, &own, &s, &said.kept, &said.id_hex));
	s.url = buf_slice(&k->url);
	s.profile = slice_str(k->o.profile);
	s.service = t.service;
	for (int i = 0; i < CHALLENGE_ROUNDS && e.kind != OK; i++) {
		TRY(sign_application(k, &t, &said, &own, &card, buf_slice(&leaf), &cms));
		application_drop(&mine);
		TRY(application_get(buf_slice(&cms), &mine)); /* as the service will read it */
		TRY(state_save(k, &s));
		TRY(store_write(k, APPLICATION_FILE, buf_slice(&cms))); /* before sending: a lost answer is asked for again */
		e = send_and_say(k, buf_slice(&cms), &s, done);
		if (!challenge_refused(k, e))
			return e;
		say_line(k, "The service no longer takes the challenge. Nothing was accepted. Here is the document again with "
		            "a new one:");
	}
	return e;
}

enum done
cmd_apply(struct inkan *k)
{
	enum done done = DONE_OK;
	err e = apply(k, &done);

	if (e.kind == OK)
		return done;
	say_err(k, e);
	/* A refusal that repeating cannot cure: the bytes are put aside, and the next run starts afresh with the same key. */
	if (service_refused(e) && (e.kind == ERR_INPUT || e.kind == ERR_POLICY || e.kind == ERR_CONFLICT) &&
	    store_has(k, APPLICATION_FILE)) {
		(void)store_rename(k, APPLICATION_FILE, APPLICATION_FILE ".refused").kind;
		say_line(k, "Nothing was accepted, and nothing is recorded of it. inkan apply starts again.");
	}
	return done_of(e);
}
