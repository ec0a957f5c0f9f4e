/* LINK: role/registrar/apply.c role/registrar/ask.c role/registrar/challenge.c role/registrar/flight.c role/registrar/issuing.c role/registrar/jlis.c role/registrar/keys.c role/registrar/lapse.c role/registrar/lists.c role/registrar/mirrors.c role/registrar/numbers.c role/registrar/office.c role/registrar/papers.c role/registrar/permit.c role/registrar/opening.c role/registrar/recall.c role/registrar/registrar.c role/registrar/revoke.c role/registrar/signers.c role/registrar/status.c role/registrar/note.c role/registrar/refresh.c role/registrar/texts.c role/registrar/turn.c role/registrar/watch.c role/registrar/withdraw.c role/verifier/verifier.c test/jpki/make.c test/edge/disk.c */
/* The registrar's turn with pretended helpers: design 3, laws 1 to 3; B-2, ID-2, B-3.2イ, B-10 to B-12, 12(1). */
#include "test/unit/stage.h"

#include <sys/wait.h>

#include "edge/disk.h"
#include "test/edge/disk.h"

#define STRAIGHT                                                                                                       \
	"explanation.acknowledged application.received identity.verified application.accepted certificate.ordered "        \
	"certificate.issued"
#define CONF "[registrar]\n"

static struct scene *
ready(const char *method, const char *conf)
{
	struct scene *s = stage_new_with(method, conf);

	stage_turns(s, 12);
	return s;
}

static void
expect_acts_at(const char *file, int line, struct scene *s, const dossier_id *of, const char *want)
{
	const char *got = stage_acts(s, of);

	if (strcmp(got, want) != 0)
		fail_at(file, line, "the books say\n  %s\nexpected\n  %s", got, want);
}
#define expect_acts(...) expect_acts_at(__FILE__, __LINE__, __VA_ARGS__)

static void
expect_state_at(const char *file, int line, enum dossier_state got, enum dossier_state want)
{
	if (got != want)
		fail_at(file, line, "the dossier is %s, expected %s", dossier_state_name(got), dossier_state_name(want));
}
#define expect_state(...) expect_state_at(__FILE__, __LINE__, __VA_ARGS__)

static void
expect_heard_at(const char *file, int line, struct scene *s, size_t i, enum err_kind kind, const char *what)
{
	if (s->heard[i].fail != kind || strcmp(s->heard[i].what, what) != 0)
		fail_at(file, line, "heard %d \"%s\", expected %d \"%s\"", (int)s->heard[i].fail, s->heard[i].what, (int)kind,
		    what);
}
#define expect_heard(...) expect_heard_at(__FILE__, __LINE__, __VA_ARGS__)

static struct entry_reply
entry_heard(struct scene *s, size_t i)
{
	struct entry_reply e = {0};

	if (s->heard[i].fail != OK)
		fail_msg("refused: %s", s->heard[i].what);
	expect_ok("entry", entry_reply_get(buf_slice(&s->heard[i].body), &e));
	return e;
}

/* --- the straight way ------------------------------------------------------------------------------------------------- */
/* B-2, ID-2, 12(1)1イロハニヘ: each line once, in this order; then status and checkpoint follow by themselves. */
static void
test_straight(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a;
	uint64_t lines;

	(void)state;
	applicant_new(s, "yamada", &a, NULL);
	expect_number("answered", s->heard[apply(s, &a, true)].fail, OK);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	expect_true("serial", a.reply.has_serial && a.reply.serial.n == 16 && a.reply.serial.b[0] >= 0x40);
	expect_acts(s, &a.reply.dossier, STRAIGHT);
	stage_wait(s, 4000);
	stage_turns(s, 12);
	expect_number("an OCSP answer", s->answers, 1);
	expect_number("published", s->slots, 1);
	expect_true("checkpoints", s->notes >= 1 && s->tiles >= s->notes);
	expect_true("founded first", strncmp(stage_acts(s, NULL), "baseline.set ruleset.approved ", 29) == 0);
	stage_wait(s, 10000);
	stage_turns(s, 12);
	/* nothing is owed: silence, and no line is made of it */
	lines = book_size(s->r->book);
	stage_wait(s, 10000);
	stage_turns(s, 12);
	if (book_size(s->r->book) != lines)
		fail_msg("no silence: %s", stage_acts(s, NULL));
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* The same bytes get their first answer, at any moment; without waiting the first commit is answered. */
static void
test_again(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct apply_reply first, late;
	struct applicant a;
	uint64_t one, two, dossiers;

	(void)state;
	applicant_new(s, "yamada", &a, NULL);
	stage_cut(s, ISSUER);
	one = apply_send(s, &a, false);
	two = apply_send(s, &a, true);
	expect_ok("first", apply_reply_get(buf_slice(&s->heard[stage_until(s, one)].body), &first));
	expect_state(first.state, DOSSIER_ORDERED);
	/* with no issuer there is nothing to wait for */
	expect_ok("second", apply_reply_get(buf_slice(&s->heard[stage_until(s, two)].body), &late));
	expect_state(late.state, DOSSIER_ORDERED);
	stage_back(s, ISSUER);
	stage_wait(s, 2000);
	stage_turns(s, 10);
	dossiers = s->r->applications;
	(void)apply(s, &a, false);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	expect_true("one dossier, one token", memcmp(&a.reply.dossier, &first.dossier, sizeof first.dossier) == 0 &&
	                                          memcmp(&a.reply.token, &first.token, sizeof first.token) == 0);
	expect_number("no new dossier", s->r->applications, dossiers);
	expect_number("one certificate", s->issued, 1);
	expect_acts(s, &a.reply.dossier, STRAIGHT);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* Busy helpers: a turn is kept open for company, but not for ever; nothing of it leaves before its commit. */
static void
test_gathers(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct registrar *r = s->r;
	uint64_t id, lines = book_size(r->book);
	struct applicant a;
	int64_t began;

	(void)state;
	applicant_new(s, "yamada", &a, NULL);
	id = apply_send(s, &a, false);
	for (int turns = 0; !r->gathering && turns < 20; turns++) {
		lines = book_size(r->book);
		r->issuer.orders += GATHER_ORDERS;
		r->verifier[0].orders += GATHER_JUDGED + 1;
		stage_turn(s);
		if (!r->gathering) {
			r->issuer.orders -= GATHER_ORDERS;
			r->verifier[0].orders -= GATHER_JUDGED + 1;
		}
	}
	expect_true("a turn is kept open", r->gathering && r->in_turn);
	expect_number("it is looked at again at once", (uint64_t)registrar_timeout_ms(r), 1);
	expect_number("nothing is in the books yet", book_size(r->book), lines);
	expect_true("lines wait", book_next(r->book) > lines);
	for (size_t i = 0; i < s->n_heard; i++)
		expect_true("nobody heard of it", s->heard[i].id != id);
	began = r->began_at;
	for (int turns = 0; r->gathering && turns < 100000; turns++)
		stage_turn(s);
	expect_true("the same turn ends", !r->gathering && !r->in_turn && r->seen_steady - began >= GATHER_MS);
	expect_true("it is in the books", book_size(r->book) > lines);
	r->issuer.orders -= GATHER_ORDERS;
	r->verifier[0].orders -= GATHER_JUDGED + 1;
	expect_number("and answered", s->heard[stage_until(s, id)].fail, OK);
	stage_turns(s, 12);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- refused before there is a dossier ----------------------------------------------------------------------------------- */
static char nonce_room[NONCE_TEXT_MAX + 1];

static void
with_room_nonce(struct make_application *m)
{
	m->nonce = nonce_room;
}

static void
with_foreign_nonce(struct make_application *m)
{
	memset(nonce_room, 'a', 80);
	nonce_room[80] = '\0';
	m->nonce = nonce_room;
}

static void
with_old_terms(struct make_application *m)
{
	m->terms = "00000000000000000000000000000000000000000000000000000000000000aa";
}

static void
with_old_explanation(struct make_application *m)
{
	m->explanation = "00000000000000000000000000000000000000000000000000000000000000bb";
}

static void
refused_row(
    struct scene *s, const char *card, void (*change)(struct make_application *), enum err_kind kind, const char *what)
{
	uint64_t dossiers = s->r->applications;
	struct applicant a;
	size_t i;

	applicant_new(s, card, &a, change);
	i = apply(s, &a, true);
	expect_heard(s, i, kind, what);
	expect_number("no stranger makes the books grow", s->r->applications, dossiers);
	applicant_drop(&a);
}

/* B-3.2イ: a challenge is for one document, for ten minutes, from us. */
static void
test_refused(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct applicant a;
	size_t i;

	(void)state;
	refused_row(s, "yamada", with_foreign_nonce, ERR_POLICY,
	    "nonce-unknown: Rule 6(iii-2): this challenge was not given by us, or before we started");
	stage_challenge(s, nonce_room, sizeof nonce_room);
	applicant_new(s, "yamada", &a, with_room_nonce);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	{
		/* one application has one encoding: nobody makes a second application of it */
		struct applicant twin = a;
		uint64_t dossiers = s->r->applications;

		twin.cms = BUF(CMS_MAX);
		make_twin(buf_slice(&a.cms), &twin.cms);
		expect_heard(s, apply(s, &twin, true), ERR_INPUT,
		    "cms-rsa: RFC 5652 10.1.2: an RSA signature goes under rsaEncryption, so that a document has one encoding");
		expect_number("no second dossier", s->r->applications, dossiers);
		buf_drop(&twin.cms);
	}
	refused_row(s, "sato", with_room_nonce, ERR_CONFLICT,
	    "nonce-used: Rule 6(iii-2): the challenge was used by another document");
	stage_challenge(s, nonce_room, sizeof nonce_room);
	stage_wait(s, 601 * SECOND_MS);
	refused_row(s, "sato", with_room_nonce, ERR_POLICY,
	    "nonce-late: Rule 6(iii-2): the challenge has lapsed; ask for a new one and sign again");
	refused_row(s, "sato", with_old_terms, ERR_POLICY,
	    "decision-terms: Rule 6(xiii): the terms agreed to are not those in force");
	refused_row(s, "sato", with_old_explanation, ERR_POLICY,
	    "decision-explanation: Rule 6(i): the explanation confirmed is not one in force");
	apply_order_put(&b, &(struct apply_order){LIT("not a CMS"), true});
	i = stage_ask(s, FRONT, ORDER_APPLY, buf_slice(&b));
	expect_number("not CMS", s->heard[i].fail, ERR_INPUT);
	buf_clear(&b);
	octets_put(&b, LIT("not a CMS"));
	expect_number("no receipt", s->heard[stage_ask(s, FRONT, ORDER_RECEIPT, buf_slice(&b))].fail, ERR_INPUT);
	expect_number("no revocation", s->heard[stage_ask(s, FRONT, ORDER_REVOKE, buf_slice(&b))].fail, ERR_INPUT);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* ID-2: a card that J-LIS has revoked; the entry is made since the chain reached an anchor. */
static void
test_failed(void **state)
{
	struct scene *s = ready("crl", CONF);
	char why[WHY_MAX + 1];
	struct applicant a;

	(void)state;
	applicant_new(s, "suzuki", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_REFUSED);
	expect_state(dossier(s, &a, why), DOSSIER_REFUSED);
	expect_true(why, strncmp(why, "jpki-revoked:", 13) == 0);
	expect_acts(
	    s, &a.reply.dossier, "explanation.acknowledged application.received identity.failed application.refused");
	expect_number("no certificate", s->issued, 0);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* CR-1, 12(1)1ホ: one key for one application; one open application from one card. */
static void
test_duplicates(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct make_application m;
	char why[WHY_MAX + 1];
	struct applicant a, b;

	(void)state;
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	applicant_new(s, "sato", &b, NULL);
	/* the other one's key, in an application of one's own */
	stage_challenge(s, nonce_room, sizeof nonce_room);
	application_for(s->house, s->world, "sato", clock_now(), &m);
	m.nonce = nonce_room;
	buf_clear(&b.cms);
	make_application(&b.cms, b.card, a.own, &m);
	(void)apply(s, &b, true);
	expect_state(b.reply.state, DOSSIER_REFUSED);
	(void)dossier(s, &b, why);
	expect_true(why,
	    strcmp(why, "key-used: Rule 6(iii-2): this public key stands in another application; make a new key") == 0);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* --- waiting ------------------------------------------------------------------------------------------------------------- */
/* Status that could not be checked is never accepted: it waits, others go on, and after 72 hours it ends. */
static void
test_waiting(void **state)
{
	struct scene *s = stage_new_with("crl", CONF);
	struct applicant a, b;
	char why[WHY_MAX + 1];

	(void)state;
	s->messenger_fails = true;
	stage_turns(s, 8);
	applicant_new(s, "yamada", &a, NULL);
	applicant_new(s, "sato", &b, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_WAITING);
	expect_acts(s, &a.reply.dossier, "explanation.acknowledged application.received identity.unchecked");
	stage_audit(s);
	/* it is tried again, and nothing is written about that */
	stage_wait(s, 30 * SECOND_MS);
	stage_turns(s, 8);
	expect_acts(s, &a.reply.dossier, "explanation.acknowledged application.received identity.unchecked");
	/* J-LIS answers again: all who wait are judged at once */
	s->messenger_fails = false;
	stage_wait(s, 700 * SECOND_MS);
	stage_turns(s, 30);
	expect_state(dossier(s, &a, why), DOSSIER_ISSUED);
	expect_acts(s, &a.reply.dossier,
	    "explanation.acknowledged application.received identity.unchecked identity.verified application.accepted "
	    "certificate.ordered certificate.issued");
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

static void
test_waiting_ends(void **state)
{
	struct scene *s = stage_new_with("crl", CONF);
	struct applicant a;
	char why[WHY_MAX + 1];

	(void)state;
	s->messenger_fails = true;
	stage_turns(s, 8);
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_WAITING);
	stage_wait(s, 72 * HOUR_MS - 60 * SECOND_MS);
	stage_turns(s, 12);
	expect_state(dossier(s, &a, why), DOSSIER_WAITING);
	stage_wait(s, 11 * 60 * SECOND_MS);
	stage_turns(s, 12);
	expect_state(dossier(s, &a, why), DOSSIER_REFUSED);
	expect_true(why,
	    strcmp(why,
	        "unchecked-end: Rule 5(1)(ii): the card's status could not be checked within 72 hours; apply again") == 0);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- a person decides --------------------------------------------------------------------------------------------------- */
static void
put_text(struct buf *b, const char *text)
{
	buf_clear(b);
	buf_put_str(b, text);
	buf_put_u8(b, 0);
}

static const char *
service_of(const struct scene *s)
{
	static char text[128];

	snprintf(text, sizeof text, "%.*s", (int)s->trust->service.n, (const char *)s->trust->service.p);
	return text;
}

static const char *
now_text(void)
{
	static char text[RFC3339_LEN + 1];
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, clock_now());
	snprintf(text, sizeof text, "%.*s", (int)b.n, (const char *)b.p);
	return text;
}

static void
put_hex(char *out, slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes.p[i]);
}

static struct buf last_office = {.max = FRAME_BODY_MAX};

static size_t
office(struct scene *s, const struct signer *who, enum form form, const char *const *values, slice ruleset)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), *b = &last_office;

	make_document(&cms, who, form, values, (slice){NULL, 0}, clock_now());
	buf_clear(b);
	office_order_put(b, &(struct office_order){buf_slice(&cms), ruleset});
	return stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(b));
}

/* The order as it stood on the wire, for whoever sends it again. */
static void
keep_office(struct buf *out)
{
	buf_clear(out);
	buf_put(out, buf_slice(&last_office));
}

static size_t
office_again(struct scene *s, const struct buf *kept)
{
	return stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(kept));
}

static size_t
decide(struct scene *s, const struct applicant *a, const struct signer *who, const char *officer, const char *decision,
    const char *name, const char *address)
{
	digest d = sha256(buf_slice(&a->cms));
	char id[33], application[65];
	const char *values[D_COUNT] = {
	    service_of(s), id, application, decision, name, address, "looked at the paper", officer};

	put_hex(id, ARR(a->reply.dossier.b));
	put_hex(application, ARR(d.b));
	values[D_DATE] = now_text();
	return office(s, who, FORM_DECISION, values, (slice){NULL, 0});
}

static void
other_name(struct make_application *m)
{
	m->name = "山田　次郎";
}

/* 12(1)1ニ: what the rule sends to a person is closed by a person's signed document, after a fresh look at the card. */
static void
test_review(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf room OWNED(buf_drop) = BUF(1024);
	struct applicant a, b;
	char why[WHY_MAX + 1];
	size_t i;

	(void)state;
	applicant_new(s, "yamada", &a, other_name);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_REVIEW);
	(void)dossier(s, &a, why);
	expect_true(
	    why, strncmp(why, "jpki-mismatch", 13) == 0 || strncmp(why, "identity-", 9) == 0 || strchr(why, ':') != NULL);
	put_text(&room, "椿県若葉市中央一丁目２番３号");
	i = decide(s, &a, s->house->saburo, "saburo", "accept", "山田　太郎", (char *)room.p);
	expect_number("saburo revokes, he does not decide", s->heard[i].fail, ERR_POLICY);
	i = decide(s, &a, s->house->jiro, "jiro", "accept", "山田　太郎", (char *)room.p);
	(void)entry_heard(s, i);
	stage_turns(s, 6);
	expect_state(dossier(s, &a, why), DOSSIER_ISSUED);
	expect_acts(s, &a.reply.dossier,
	    "explanation.acknowledged application.received identity.mismatch review.opened identity.mismatch "
	    "application.accepted certificate.ordered certificate.issued");
	i = decide(s, &a, s->house->jiro, "jiro", "accept", "山田　太郎", (char *)room.p);
	expect_heard(
	    s, i, ERR_CONFLICT, "decide-state: Rule 12(1)(i): this application does not wait for a person's decision");
	stage_audit(s);
	applicant_new(s, "sato", &b, other_name);
	(void)apply(s, &b, true);
	expect_state(b.reply.state, DOSSIER_REVIEW);
	(void)entry_heard(s, decide(s, &b, s->house->jiro, "jiro", "refuse", "-", "-"));
	expect_state(dossier(s, &b, why), DOSSIER_REFUSED);
	expect_true(
	    why, strcmp(why, "officer-refused: Rule 12(1)(i)ホ: an officer refused this application; the reason is in the "
	                     "books") == 0);
	expect_number("one certificate", s->issued, 1);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

static void
automation(struct scene *s, const char *action)
{
	const char *values[S_COUNT] = {service_of(s), action, "an odd hour", "hanako"};

	values[S_DATE] = now_text();
	(void)entry_heard(s, office(s, s->house->hanako, FORM_AUTOMATION, values, (slice){NULL, 0}));
}

#define OFFICE_OLD "office-old: Rule 6(xv): a document of this kind that was signed later is in force; sign a new one"
#define OFFICE_AHEAD "office-ahead: Rule 6(xv): the document is dated in the future; set your clock and sign again"

/* B-15イ: a stop or a resumption counts once and in the order of signing, also after a restart and a new projection. */
static void
test_automation_replayed(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf stop OWNED(buf_drop) = BUF(FRAME_BODY_MAX), resume OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	const char *values[S_COUNT] = {service_of(s), "stop", "an odd hour", "hanako", "2026-11-22T01:30:00.000Z"};
	char path[512];
	uint64_t n, size;

	(void)state;
	automation(s, "resume");
	keep_office(&resume);
	stage_wait(s, 1000);
	automation(s, "stop");
	keep_office(&stop);
	n = entry_heard(s, office_again(s, &stop)).n;
	expect_number("the very same: its line", n, db_ledger(s->r->db)->automated.n);
	expect_heard(s, office_again(s, &resume), ERR_CONFLICT, OFFICE_OLD);
	expect_true("still stopped", db_ledger(s->r->db)->stopped);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	expect_heard(s, office_again(s, &resume), ERR_CONFLICT, OFFICE_OLD);
	expect_true("the issuer hears it at every start", s->automation.n > 0);
	stage_wait(s, 1000);
	automation(s, "resume");
	expect_heard(s, office_again(s, &stop), ERR_CONFLICT, OFFICE_OLD);
	stage_stop(s);
	snprintf(path, sizeof path, "%s/state/state.db", s->home);
	db_delete(path);
	stage_start(s);
	stage_turns(s, 10);
	size = book_size(s->r->book);
	expect_heard(s, office_again(s, &stop), ERR_CONFLICT, OFFICE_OLD);
	expect_heard(s, office_again(s, &resume), ERR_CONFLICT, OFFICE_OLD);
	expect_heard(s, office(s, s->house->hanako, FORM_AUTOMATION, values, (slice){NULL, 0}), ERR_POLICY, OFFICE_AHEAD);
	expect_number("no line of any", book_size(s->r->book), size);
	expect_true("goes on", !db_ledger(s->r->db)->stopped);
	stage_audit(s);
	stage_drop(s);
}

/* B-16: a permission is recorded once, numbers rise, and what is withdrawn was granted. */
static void
test_permissions(void **state)
{
	struct scene *s = ready("crl", CONF);
	digest jiro = sha256(signer_spki(s->house->jiro));
	char key[65];
	struct buf first OWNED(buf_drop) = BUF(FRAME_BODY_MAX), second OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	const char *values[G_COUNT] = {service_of(s), "7", "granted", "jiro", key, "officer", "2026-11-22T00:00:00.000Z",
	    "2027-11-22T00:00:00.000Z", "hanako"};
	uint64_t n;

	(void)state;
	put_hex_text(key, jiro);
	values[G_DATE] = now_text();
	n = entry_heard(s, office(s, s->house->hanako, FORM_PERMISSION, values, (slice){NULL, 0})).n;
	keep_office(&first);
	expect_number("the same line", entry_heard(s, office_again(s, &first)).n, n);
	stage_wait(s, 1000);
	values[G_DATE] = now_text();
	expect_heard(s, office(s, s->house->hanako, FORM_PERMISSION, values, (slice){NULL, 0}), ERR_CONFLICT,
	    "permission-number: Rule 6(xvi): a permission of this number, or a later one, was granted");
	values[G_STATE] = "withdrawn";
	values[G_NUMBER] = "8";
	expect_heard(s, office(s, s->house->hanako, FORM_PERMISSION, values, (slice){NULL, 0}), ERR_ABSENT,
	    "permission-absent: Rule 6(xvi): no permission of this number was granted");
	values[G_NUMBER] = "7";
	(void)entry_heard(s, office(s, s->house->hanako, FORM_PERMISSION, values, (slice){NULL, 0}));
	keep_office(&second);
	expect_heard(s, office_again(s, &first), ERR_CONFLICT, OFFICE_OLD);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	expect_heard(s, office_again(s, &first), ERR_CONFLICT, OFFICE_OLD);
	expect_number("two lines", db_ledger(s->r->db)->permissions, 2);
	stage_audit(s);
	stage_drop(s);
}

/* B-15イ: stopped, everything goes to a person; resumed, the rule decides again; it survives a restart. */
static void
test_automation(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b;
	char why[WHY_MAX + 1];

	(void)state;
	automation(s, "stop");
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_REVIEW);
	(void)dossier(s, &a, why);
	expect_true(why, strstr(why, "automat") != NULL);
	automation(s, "resume");
	applicant_new(s, "sato", &b, NULL);
	(void)apply(s, &b, true);
	expect_state(b.reply.state, DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* A rule set counts from its approval on, also after a restart; one that nobody responsible signed counts for nothing. */
static void
test_approve(void **state)
{
	static const char RULES[] =
	    "[ruleset]\nversion = 2\nprofile = person-signature\nengine = 1\nvalidity_years_max = 1\n"
	    "age_min = 15\nkeys = p384\nopen_per_card_max = 1\nvalid_per_card_max = 3\n"
	    "duplicate = refuse\n[limits]\naccepted_per_hour_max = 5000\nrefused_percent_max = 50\n";
	struct buf first OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	const char *values[P_COUNT] = {0};
	struct scene *s = ready("crl", CONF);
	digest d = sha256(slice_str(RULES));
	struct applicant a;
	char hex[65];
	size_t i;

	(void)state;
	put_hex(hex, ARR(d.b));
	values[P_SERVICE] = service_of(s);
	values[P_RULESET] = hex;
	values[P_VERSION] = "2";
	values[P_FROM] = "2026-11-01T00:00:00.000Z";
	values[P_UNTIL] = "2027-11-01T00:00:00.000Z";
	values[P_RESPONSIBLE] = "jiro";
	values[P_DATE] = now_text();
	i = office(s, s->house->jiro, FORM_APPROVAL, values, slice_str(RULES));
	expect_number("an officer approves nothing", s->heard[i].fail, ERR_POLICY);
	values[P_RESPONSIBLE] = "hanako";
	i = office(s, s->house->hanako, FORM_APPROVAL, values, LIT("[ruleset]\nversion = 3\n"));
	expect_true("another file", s->heard[i].fail != OK);
	(void)entry_heard(s, office(s, s->house->hanako, FORM_APPROVAL, values, slice_str(RULES)));
	keep_office(&first);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	expect_true("in force", digest_eq(s->r->ruleset->digest, d));
	{
		/* what was approved before counts no more, and one version is one rule set */
		static const struct {
			const char *from, *to, *version, *what;
		} rows[] = {
		    {"version = 2", "version = 1", "1",
		        "approve-old: Rule 12(1)(i)ニ: a later version of the rule set is in force"},
		    {"age_min = 15", "age_min = 16", "2",
		        "approve-other: Rule 12(1)(i)ニ: another rule set was approved as this version"},
		};

		for (size_t k = 0; k < COUNT(rows); k++) {
			const char *at = strstr(RULES, rows[k].from);
			char other[1024], other_hex[65];
			digest o;

			snprintf(other, sizeof other, "%.*s%s%s", (int)(at - RULES), RULES, rows[k].to, at + strlen(rows[k].from));
			o = sha256(slice_str(other));
			put_hex(other_hex, ARR(o.b));
			stage_wait(s, 1000);
			values[P_RULESET] = other_hex;
			values[P_VERSION] = rows[k].version;
			values[P_DATE] = now_text();
			expect_heard(
			    s, office(s, s->house->hanako, FORM_APPROVAL, values, slice_str(other)), ERR_CONFLICT, rows[k].what);
		}
		values[P_RULESET] = hex;
		values[P_VERSION] = "2";
		values[P_DATE] = now_text();
		expect_true("the first approval again is its line",
		    entry_heard(s, office_again(s, &first)).n == db_ledger(s->r->db)->approved.n);
		(void)entry_heard(s, office(s, s->house->hanako, FORM_APPROVAL, values, slice_str(RULES)));
		expect_heard(s, office_again(s, &first), ERR_CONFLICT, OFFICE_OLD);
	}
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_REFUSED); /* P-256 is not in it */
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- the issuer --------------------------------------------------------------------------------------------------------------- */
/* Not now: asked again.  For good: voided, and a person looks.  Too late: voided, and ordered anew from fresh evidence. */
static void
test_issuer(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b, c;
	char why[WHY_MAX + 1];

	(void)state;
	s->issuer_refuses = "hsm-gone: PKCS#11: the token is not in its slot";
	s->issuer_kind = ERR_BUSY;
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_ORDERED);
	stage_wait(s, 3000);
	stage_turns(s, 5);
	expect_true("asked again", s->refused_by_issuer >= 2);
	s->issuer_refuses = NULL;
	stage_wait(s, 3000);
	stage_turns(s, 8);
	expect_state(dossier(s, &a, why), DOSSIER_ISSUED);
	expect_acts(s, &a.reply.dossier, STRAIGHT);

	s->issuer_refuses = "issue-review: Rule 12(1)(i): the rule set sends this application to a person";
	s->issuer_kind = ERR_POLICY;
	applicant_new(s, "sato", &b, NULL);
	(void)apply(s, &b, true);
	stage_turns(s, 6);
	expect_state(dossier(s, &b, why), DOSSIER_REVIEW);
	expect_number("voided", s->voided, 1);
	expect_acts(s, &b.reply.dossier,
	    "explanation.acknowledged application.received identity.verified application.accepted certificate.ordered "
	    "certificate.voided review.opened");
	s->issuer_refuses = NULL;

	stage_cut(s, ISSUER);
	applicant_new(s, "kato", &c, NULL);
	(void)apply(s, &c, true);
	expect_state(c.reply.state, DOSSIER_ORDERED);
	stage_wait(s, 11 * 60 * SECOND_MS);
	stage_turns(s, 4);
	stage_back(s, ISSUER);
	stage_turns(s, 24);
	expect_state(dossier(s, &c, why), DOSSIER_ISSUED);
	expect_acts(s, &c.reply.dossier,
	    "explanation.acknowledged application.received identity.verified application.accepted certificate.ordered "
	    "certificate.voided identity.verified application.accepted certificate.ordered certificate.issued");
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	applicant_drop(&c);
	stage_drop(s);
}

/* An issuer whose hour never agrees: ordered anew some times, then a person looks; the books do not grow for ever. */
static void
test_issuer_late(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a;
	char why[WHY_MAX + 1];

	(void)state;
	s->issuer_refuses =
	    "issue-late: Rule 6(v)ロ: the order is too old to be finished; it is voided and made anew from fresh evidence";
	s->issuer_kind = ERR_POLICY;
	applicant_new(s, "yamada", &a, NULL);
	(void)apply(s, &a, true);
	for (int i = 0; i < 20; i++) {
		stage_wait(s, 2000);
		stage_turns(s, 12);
	}
	expect_state(dossier(s, &a, why), DOSSIER_REVIEW);
	expect_true(why, strncmp(why, "issue-late:", 11) == 0);
	expect_number("voided each", s->voided, ORDERS_TIMELY_MAX);
	stage_audit(s);
	applicant_drop(&a);

	/* once late, then in time: from fresh evidence, by itself */
	applicant_new(s, "sato", &a, NULL);
	(void)apply(s, &a, true);
	s->issuer_refuses = NULL;
	for (int i = 0; i < 4; i++) {
		stage_wait(s, 2000);
		stage_turns(s, 12);
	}
	expect_state(dossier(s, &a, why), DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- delivery, receipt ---------------------------------------------------------------------------------------------------------- */
static void
fetch(struct scene *s, struct applicant *a, struct buf *certificate)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	slice der;
	size_t i;

	dossier_order_put(&b, &(struct dossier_order){a->reply.dossier, a->reply.token});
	i = stage_ask(s, FRONT, ORDER_FETCH, buf_slice(&b));
	for (int k = 0; k < 5 && s->heard[i].fail == ERR_BUSY; k++) { /* until others can ask about it */
		expect_heard(s, i, ERR_BUSY,
		    "fetch-status: Rule 6(xi): others cannot ask about this certificate yet; it is delivered when they can, "
		    "please try "
		    "again in a moment");
		stage_wait(s, 1100);
		i = stage_ask(s, FRONT, ORDER_FETCH, buf_slice(&b));
	}
	expect_number("fetch", s->heard[i].fail, OK);
	expect_ok("fetch", octets_get(buf_slice(&s->heard[i].body), &der));
	buf_clear(certificate);
	buf_put(certificate, der);
	signer_set_certificate(a->own, der);
}

static void
with_mail(struct make_application *m)
{
	m->contact = "taro@example.jp";
}

static void
with_letter(struct make_application *m)
{
	m->contact = "letter";
}

static void
issued_with(struct scene *s, const char *card, struct applicant *a, void (*change)(struct make_application *))
{
	struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);

	applicant_new(s, card, a, change);
	(void)apply(s, a, true);
	expect_state(a->reply.state, DOSSIER_ISSUED);
	fetch(s, a, &certificate);
}

static void
issued(struct scene *s, const char *card, struct applicant *a)
{
	issued_with(s, card, a, with_mail);
}

static size_t
receipt(struct scene *s, const struct applicant *a, const struct signer *by)
{
	digest d = sha256(signer_certificate(a->own));
	char id[33], number[33], certificate[65];
	const char *values[R_COUNT] = {service_of(s), id, number, certificate, AT, RECEIPT_SENTENCE};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	put_hex(id, ARR(a->reply.dossier.b));
	put_hex(number, serial_slice(&a->reply.serial));
	put_hex(certificate, ARR(d.b));
	values[R_DATE] = now_text();
	make_document(&cms, by, FORM_RECEIPT, values, (slice){NULL, 0}, clock_now());
	octets_put(&b, buf_slice(&cms));
	return stage_ask(s, FRONT, ORDER_RECEIPT, buf_slice(&b));
}

/* 12(1)1リ: fetched once is an act, signed for with the new key once is another. */
static void
test_receipt(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf one OWNED(buf_drop) = BUF(CERT_MAX), b OWNED(buf_drop) = BUF(256);
	struct applicant a, o;
	struct cert c;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	fetch(s, &a, &one);
	expect_ok("ours", cert_get(buf_slice(&one), &c));
	expect_true("its serial", serial_eq(c.serial, a.reply.serial));
	a.reply.token.b[0] ^= 1;
	dossier_order_put(&b, &(struct dossier_order){a.reply.dossier, a.reply.token});
	expect_heard(s, stage_ask(s, FRONT, ORDER_FETCH, buf_slice(&b)), ERR_ABSENT,
	    "token: RFC 6750: no application stands under this number and token");
	a.reply.token.b[0] ^= 1;
	expect_heard(
	    s, receipt(s, &a, o.own), ERR_POLICY, "receipt-serial: Rule 12(1)(i)リ: the receipt names another certificate");
	(void)entry_heard(s, receipt(s, &a, a.own));
	stage_wait(s, 2000);
	expect_heard(s, receipt(s, &a, a.own), ERR_CONFLICT,
	    "receipt-twice: Rule 12(1)(i): another receipt for this certificate is in the books");
	expect_acts(s, &a.reply.dossier, STRAIGHT " certificate.delivered receipt.received");
	expect_state(dossier(s, &a, NULL), DOSSIER_RECEIPTED);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/* --- revocation -------------------------------------------------------------------------------------------------------------------- */
static size_t
ask_revoke(struct scene *s, const struct applicant *a, const struct signer *by, struct buf *keep)
{
	char number[33];
	const char *values[V_COUNT] = {service_of(s), number, "keyCompromise", AT, REVOCATION_SENTENCE};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	put_hex(number, serial_slice(&a->reply.serial));
	values[V_DATE] = now_text();
	make_document(&cms, by, FORM_REVOCATION, values, (slice){NULL, 0}, clock_now());
	octets_put(&b, buf_slice(&cms));
	if (keep != NULL)
		buf_put(keep, buf_slice(&b));
	return stage_ask(s, FRONT, ORDER_REVOKE, buf_slice(&b));
}

static size_t
ask_twin(struct scene *s, uint8_t kind, const struct buf *body)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	slice of;

	expect_ok("a document", octets_get(buf_slice(body), &of));
	make_twin(of, &cms);
	expect_true("another", !slice_eq(of, buf_slice(&cms)));
	octets_put(&b, buf_slice(&cms));
	return stage_ask(s, FRONT, kind, buf_slice(&b));
}

static enum serial_state
serial_state(struct scene *s, serial number)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	struct serial_reply x;
	size_t i;

	serial_order_put(&b, &(struct serial_order){number});
	i = stage_ask(s, FRONT, ORDER_SERIAL, buf_slice(&b));
	expect_ok("serial", serial_reply_get(buf_slice(&s->heard[i].body), &x));
	return x.state;
}

/* B-10, B-11, B-12: by the certificate's own key at once; both signers, the answer, the list, the letter. */
static void
test_revoke(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf again OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	uint64_t crls, answers, n;
	struct applicant a, o;
	size_t i;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	crls = s->crls;
	answers = s->answers;
	expect_true("valid", serial_state(s, a.reply.serial) == SERIAL_VALID);
	expect_heard(s, ask_revoke(s, &a, o.own, NULL), ERR_POLICY,
	    "verifier-serial: Rule 6(x): the request names another certificate than the one that signed it");
	i = ask_revoke(s, &a, a.own, &again);
	n = entry_heard(s, i).n;
	expect_true("revoked", serial_state(s, a.reply.serial) == SERIAL_REVOKED);
	stage_turns(s, 16);
	expect_number("withdrawn at once", s->withdrawn, 1);
	expect_true("told to both", s->told[0] == 1 && s->told[1] == 1);
	expect_number("a new answer", s->answers, answers + 1);
	expect_number("a new list", s->crls, crls + 1);
	expect_number("a letter", s->mails, 1);
	expect_same("to whom", buf_slice(&s->mail), LIT("taro@example.jp"));
	expect_acts(
	    s, &a.reply.dossier, STRAIGHT " certificate.delivered revocation.requested certificate.revoked user.notified");
	/* the same document: its line; another: too late */
	expect_number("the same line", entry_heard(s, stage_ask(s, FRONT, ORDER_REVOKE, buf_slice(&again))).n, n);
	/* the other encoding of its signature says nothing new */
	expect_heard(s, ask_twin(s, ORDER_REVOKE, &again), ERR_CONFLICT,
	    "revoked-already: Rule 6(x): the certificate has been revoked before");
	stage_wait(s, 2000);
	expect_heard(s, ask_revoke(s, &a, a.own, NULL), ERR_CONFLICT,
	    "revoked-already: Rule 6(x): the certificate has been revoked before");
	expect_heard(
	    s, receipt(s, &a, a.own), ERR_CONFLICT, "receipt-revoked: Rule 6(x): the certificate has been revoked");
	/* nothing more is owed */
	stage_turns(s, 10);
	expect_true("once", s->told[0] == 1 && s->told[1] == 1 && s->crls == crls + 1);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/* By the card of the application with good status: at once.  By another: to an officer at once, whose document ends it. */
static void
test_revoke_by_card(void **state)
{
	const char *values[W_COUNT] = {0};
	struct scene *s = ready("crl", CONF "office_mail = office@example.jp\n");
	struct applicant a, o;
	struct entry_reply entered;
	char number[33], since[64];

	(void)state;
	issued(s, "yamada", &a);
	issued_with(s, "sato", &o, with_letter);
	(void)entry_heard(s, ask_revoke(s, &a, a.card, NULL));
	expect_state(dossier(s, &a, NULL), DOSSIER_REVOKED);
	(void)entry_heard(s, ask_revoke(s, &o, a.card, NULL));
	expect_same("the officers hear at once", buf_slice(&s->mail), LIT("office@example.jp"));
	expect_state(dossier(s, &o, NULL), DOSSIER_DELIVERED);
	expect_acts(s, &o.reply.dossier, STRAIGHT " certificate.delivered revocation.requested review.opened");
	put_hex(number, serial_slice(&o.reply.serial));
	values[W_SERVICE] = service_of(s);
	values[W_SERIAL] = number;
	values[W_REASON] = "affiliationChanged";
	values[W_GROUNDS] = "telephoned";
	values[W_OFFICER] = "saburo";
	values[W_DATE] = now_text();
	/* since when: what the signers would refuse is not entered */
	values[W_SINCE] = "2000-01-01T00:00:00.000Z";
	expect_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values, (slice){NULL, 0}), ERR_POLICY,
	    "revocation-since: RFC 5280 5.3.2: invalid since a time before the certificate began");
	values[W_SINCE] = values[W_DATE] = "2999-01-01T00:00:00.000Z";
	expect_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values, (slice){NULL, 0}), ERR_POLICY,
	    "revocation-since-late: RFC 5280 5.3.2: invalid since a time after the decision itself");
	expect_state(dossier(s, &o, NULL), DOSSIER_DELIVERED);
	values[W_SINCE] = values[W_DATE] = now_text();
	snprintf(since, sizeof since, "\"invalid_since\":\"%.19s.000Z\"", values[W_SINCE]);
	entered = entry_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values, (slice){NULL, 0}));
	expect_true("in whole seconds in the books", memmem(entered.line.p, entered.line.n, since, strlen(since)) != NULL);
	expect_state(dossier(s, &o, NULL), DOSSIER_REVOKED);
	stage_wait(s, 6000);
	stage_turns(s, 16);
	expect_true("told to both", s->told[0] == 2 && s->told[1] == 2);
	expect_number("mails", s->mails, 2);
	expect_acts(s, &o.reply.dossier,
	    STRAIGHT " certificate.delivered revocation.requested review.opened certificate.revoked review.opened");
	{
		struct record d;

		expect_ok("owed", db_dossier(s->r->db, o.reply.dossier, &d));
		expect_number("a letter, to an officer", d.d.owes, OWES_LETTER);
	}
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/* B-10: what anybody's card can ask for is bounded; what the same document asked for is asked once. */
static void
test_revoke_by_strangers(void **state)
{
	static const char OPEN[] = "revoke-open: Rule 6(x): a request for this certificate waits for an officer; telephone "
	                           "the service if it hastes";
	struct scene *s = ready("crl", CONF "office_mail = office@example.jp\n");
	struct buf first OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct applicant a, o, k;
	uint64_t n, mails;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	issued(s, "kato", &k);
	stage_turns(s, 6);
	mails = s->mails;
	n = entry_heard(s, ask_revoke(s, &o, a.card, &first)).n;
	expect_number(
	    "the same document has its line", entry_heard(s, stage_ask(s, FRONT, ORDER_REVOKE, buf_slice(&first))).n, n);
	stage_wait(s, 1000);
	expect_heard(s, ask_revoke(s, &o, a.card, NULL), ERR_CONFLICT, OPEN);
	expect_heard(s, ask_revoke(s, &o, k.card, NULL), ERR_CONFLICT, OPEN);
	expect_heard(s, ask_revoke(s, &k, a.card, NULL), ERR_BUSY,
	    "revoke-card: Rule 6(x): this card asked for another's certificate today; telephone the service instead");
	expect_acts(s, &o.reply.dossier, STRAIGHT " certificate.delivered revocation.requested review.opened");
	expect_acts(s, &k.reply.dossier, STRAIGHT " certificate.delivered");
	expect_number("one alarm", s->mails, mails + 1);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	expect_number(
	    "its line, after a restart", entry_heard(s, stage_ask(s, FRONT, ORDER_REVOKE, buf_slice(&first))).n, n);
	expect_heard(s, ask_revoke(s, &k, a.card, NULL), ERR_BUSY,
	    "revoke-card: Rule 6(x): this card asked for another's certificate today; telephone the service instead");
	for (size_t i = 0; i < STRANGERS_MAX; i++) {
		s->r->stranger[i].at = s->r->seen_steady > 0 ? s->r->seen_steady : 1;
		s->r->stranger[i].card.b[0] = (uint8_t)(i + 1);
	}
	expect_heard(s, ask_revoke(s, &a, o.card, NULL), ERR_BUSY,
	    "revoke-many: Rule 6(x): too many ask with other cards today; telephone the service instead");
	/* none of this stands in the way of the certificate's own card or key */
	(void)entry_heard(s, ask_revoke(s, &o, o.card, NULL));
	expect_state(dossier(s, &o, NULL), DOSSIER_REVOKED);
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	expect_state(dossier(s, &a, NULL), DOSSIER_REVOKED);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	applicant_drop(&k);
	stage_drop(s);
}

/* Nobody gains by a restart, whatever became of the kept counts: the lines say the same, and are read for it. */
static void
test_counts_kept(void **state)
{
	static const char TODAY[] =
	    "revoke-card: Rule 6(x): this card asked for another's certificate today; telephone the service instead";
	static const struct {
		const char *row;
		enum { WHOLE, GONE, CUT, TURNED, OLDER, OTHER, LONGER } became;
		bool lines;
	} rows[] = {
	    {"whole: no line is read", WHOLE, false},
	    {"gone", GONE, true},
	    {"cut off", CUT, true},
	    {"of the stop before: the lines since", OLDER, true},
	    {"one bit turned", TURNED, true},
	    {"of other books", OTHER, true},
	    {"of books that are longer", LONGER, true},
	    {"whole again", WHOLE, false},
	};
	struct scene *s = ready("crl", CONF "office_mail = office@example.jp\n");
	struct buf old OWNED(buf_drop) = BUF(1 << 16);
	struct applicant a, o, k;
	int folder = -1;
	char path[128];

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	issued(s, "kato", &k);
	stage_turns(s, 6);
	snprintf(path, sizeof path, "%s/state", s->home);
	expect_ok("folder", disk_folder(DISK_HERE, path, FOLDER_THERE, &folder));
	stage_stop(s);
	expect_ok("kept at a stop", disk_load(folder, "counts", &old));
	stage_start(s);
	stage_turns(s, 10);
	(void)entry_heard(s, ask_revoke(s, &o, a.card, NULL));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf now OWNED(buf_drop) = BUF(1 << 16);
		uint32_t accepted = 0, decided = 0;

		stage_stop(s);
		expect_ok(rows[i].row, disk_load(folder, "counts", &now));
		if (rows[i].became == GONE)
			expect_ok(rows[i].row, disk_remove(folder, "counts"));
		if (rows[i].became == CUT)
			expect_ok(rows[i].row, disk_replace(folder, "counts", (slice){now.p, now.n / 2}));
		if (rows[i].became == OLDER)
			expect_ok(rows[i].row, disk_replace(folder, "counts", buf_slice(&old)));
		if (rows[i].became == TURNED || rows[i].became == OTHER || rows[i].became == LONGER) {
			uint8_t *last = memmem(now.p, now.n, "\x04\x20", 2); /* behind the number of lines */
			digest sum;

			expect_true("the last line's digest", last != NULL && last - now.p < 16);
			if (rows[i].became == TURNED)
				now.p[now.n / 2] ^= 1;
			else if (rows[i].became == OTHER)
				last[2] ^= 1;
			else
				last[-1] |= 0x7F;
			sum = sha256((slice){now.p, now.n - 34});
			if (rows[i].became != TURNED)
				memcpy(now.p + now.n - 32, sum.b, sizeof sum.b);
			expect_ok(rows[i].row, disk_replace(folder, "counts", buf_slice(&now)));
		}
		stage_start(s);
		expect_true(rows[i].row, (s->r->recalled > 0) == rows[i].lines);
		if (rows[i].became == OLDER)
			expect_true("not the others", s->r->recalled < 20);
		for (size_t m = 0; m < RATE_MINUTES; m++) {
			accepted += s->r->rate.accepted[m];
			decided += s->r->rate.decided[m];
		}
		expect_number(rows[i].row, accepted, 3);
		expect_number(rows[i].row, decided, 3);
		stage_turns(s, 10);
		expect_heard(s, ask_revoke(s, &k, a.card, NULL), ERR_BUSY, TODAY);
	}
	for (size_t i = 0; i < 30; i++) {
		stage_wait(s, HOUR_MS - 60 * SECOND_MS);
		stage_turns(s, 4);
	}
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	(void)entry_heard(s, ask_revoke(s, &k, o.card, NULL)); /* a day later */
	disk_close(&folder);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	applicant_drop(&k);
	stage_drop(s);
}

/* What a signer takes no more of by rule does not hold up what a person signed, nor anybody's answers. */
static void
test_revoke_over_the_cap(void **state)
{
	const char *values[W_COUNT] = {0};
	struct scene *s = ready("crl", CONF);
	struct applicant a, o, k;
	uint64_t crls, answers;
	char number[33];

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	s->capped = true;
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	stage_turns(s, 6);
	expect_true("held", s->told[0] == 0 && s->told[1] == 0);
	put_hex(number, serial_slice(&o.reply.serial));
	values[W_SERVICE] = service_of(s);
	values[W_SERIAL] = number;
	values[W_REASON] = "affiliationChanged";
	values[W_GROUNDS] = "telephoned";
	values[W_OFFICER] = "saburo";
	values[W_DATE] = now_text();
	crls = s->crls;
	answers = s->answers;
	s->lists_fail = 1; /* what was told before its turn is not forgotten with a list that fails */
	(void)entry_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values, (slice){NULL, 0}));
	stage_turns(s, 6);
	expect_true("told to both", s->told[0] == 1 && s->told[1] == 1);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	expect_number("its answer", s->answers, answers + 1);
	expect_number("a list with it", s->crls, crls + 1);
	issued(s, "kato", &k);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	expect_number("others' answers go on", s->answers, answers + 2);
	s->capped = false;
	stage_wait(s, 20000);
	stage_turns(s, 10);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	expect_true("then the one that waited", s->told[0] >= 2 && s->told[1] >= 2);
	expect_true("covered", db_ledger(s->r->db)->crl_covers >= db_ledger(s->r->db)->revoked_end);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	applicant_drop(&k);
	stage_drop(s);
}

/* More wait for a signer's word than one turn looks at: who stands behind them has an answer all the same, once the end is reached. */
static void
test_answers_behind_many(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, o, k;
	uint64_t answers;
	struct record d;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	s->capped = true;
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	(void)entry_heard(s, ask_revoke(s, &o, o.own, NULL));
	stage_turns(s, 6);
	expect_true("two wait", s->told[0] == 0 && s->told[1] == 0);
	answers = s->answers;
	s->r->pub.look_most = 1;
	issued(s, "kato", &k);
	for (int i = 0; i < 8; i++) {
		stage_wait(s, 1200);
		stage_turns(s, 4);
	}
	expect_number("the third has its answer", s->answers, answers + 1);
	expect_ok("dossier", db_serial(s->r->db, k.reply.serial, &d));
	expect_true("nothing is due", d.due.ms == 0);
	s->capped = false;
	for (int i = 0; i < 12; i++) {
		stage_wait(s, 6000);
		stage_turns(s, 4);
	}
	expect_ok("dossier", db_serial(s->r->db, a.reply.serial, &d));
	expect_true("nor of the first", d.due.ms == 0);
	expect_ok("dossier", db_serial(s->r->db, o.reply.serial, &d));
	expect_true("nor of the second", d.due.ms == 0);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	applicant_drop(&k);
	stage_drop(s);
}

/* A signer that has another day's list only is lent the one the revocation cites: nothing behind it waits for ever. */
static void
test_revoke_by_old_list(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, o;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &o);
	for (size_t i = 0; i < COUNT(s->crl); i++)
		crl_table_drop(&s->crl[i]);
	(void)entry_heard(s, ask_revoke(s, &a, a.card, NULL));
	(void)entry_heard(s, ask_revoke(s, &o, o.own, NULL));
	stage_turns(s, 16);
	expect_true("the list was missed", s->cited_absent > 0);
	expect_true("told to both", s->told[0] == 2 && s->told[1] == 2);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/* Answers are asked for while others are on their way; "good" that is overtaken by a revocation is thrown away, and asked anew. */
static void
test_answers_on_their_way(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b;
	struct record d;
	uint64_t n;

	(void)state;
	s->answers_hang = true;
	applicant_new(s, "yamada", &a, with_mail);
	(void)apply(s, &a, true);
	stage_turns(s, 8);
	stage_wait(s, 1200);
	stage_turns(s, 4);
	expect_number("the first answer is on its way", s->n_kept, 1);
	applicant_new(s, "sato", &b, with_mail);
	(void)apply(s, &b, true);
	stage_turns(s, 8);
	stage_wait(s, 1200);
	stage_turns(s, 4);
	expect_number("the second beside it", s->n_kept, 2);
	(void)entry_heard(s, ask_revoke(s, &a, a.card, NULL));
	stage_turns(s, 6);
	stage_wait(s, 1200);
	stage_turns(s, 4);
	expect_number("nothing is asked twice", s->n_kept, 2);
	s->answers_hang = false;
	n = s->slots;
	stage_let_go(s, 1, true);
	stage_turns(s, 4);
	expect_number("the second is published", s->slots, n + 1);
	stage_let_go(s, 0, true);
	stage_turns(s, 4);
	expect_number("of the first only what says revoked", s->slots, n + 2);
	stage_turns(s, 4);
	expect_ok("dossier", db_serial(s->r->db, a.reply.serial, &d));
	expect_true("nothing is due", d.due.ms == 0);
	expect_ok("dossier", db_serial(s->r->db, b.reply.serial, &d));
	expect_true("nothing is due", d.due.ms == 0);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* A revocation while the signers are away: withdrawn at once, told when they are back, also after a restart. */
static void
test_revoke_alone(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a;
	uint64_t n;

	(void)state;
	issued(s, "yamada", &a);
	stage_wait(s, 6000);
	stage_turns(s, 8);
	stage_cut(s, STATUS);
	stage_cut(s, ISSUER);
	stage_cut(s, PUBLISHER);
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	stage_turns(s, 6);
	expect_number("nobody withdraws it", s->withdrawn, 0);
	stage_back(s, PUBLISHER);
	stage_turns(s, 6);
	expect_number("withdrawn", s->withdrawn, 1);
	s->withdraw_refused = 1;
	stage_cut(s, PUBLISHER); /* it died, and may have lost it */
	stage_back(s, PUBLISHER);
	stage_turns(s, 6);
	expect_number("withdrawn again", s->withdrawn, 2);
	stage_wait(s, 1100); /* … and could not do it */
	stage_turns(s, 6);
	expect_number("once more, a second later", s->withdrawn, 3);
	stage_wait(s, 1100);
	stage_turns(s, 6);
	expect_number("taken: no more", s->withdrawn, 3);
	expect_true("nobody to tell", s->told[0] == 0 && s->told[1] == 0);
	stage_stop(s);
	s->away[STATUS] = s->away[ISSUER] = false;
	stage_start(s);
	stage_turns(s, 24);
	expect_true("told to both", s->told[0] == 1 && s->told[1] == 1);
	expect_true("a list covers it", db_ledger(s->r->db)->crl_covers > 0);
	n = s->withdrawn;
	stage_cut(s, PUBLISHER);
	stage_back(s, PUBLISHER);
	stage_turns(s, 6);
	expect_number("answered: withdrawn no more", s->withdrawn, n);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* An issuer that ends over a list is asked for another one as soon as it is back. */
static void
test_list_lost(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a;
	uint64_t crls;

	(void)state;
	issued(s, "yamada", &a);
	stage_wait(s, 6000);
	stage_turns(s, 8);
	crls = s->crls;
	s->lists_hang = true;
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	stage_wait(s, 6000);
	stage_turns(s, 6);
	expect_number("asked in vain", s->crls, crls);
	s->lists_hang = false;
	stage_cut(s, ISSUER);
	stage_turns(s, 2);
	stage_back(s, ISSUER);
	stage_wait(s, 6000);
	stage_turns(s, 12);
	expect_number("a list", s->crls, crls + 1);
	expect_true("covered", db_ledger(s->r->db)->crl_covers >= db_ledger(s->r->db)->revoked_end);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- clock and books -------------------------------------------------------------------------------------------------------------------- */
/* Design law 9. */
static void
test_clock(void **state)
{
	struct scene *s = ready("crl", CONF);
	size_t i;

	(void)state;
	*stage_clock += 2 * HOUR_MS;
	i = stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0});
	expect_heard(s, i, ERR_WORLD, "clock-ahead: design law 9: the clock went an hour ahead at once");
	*stage_clock -= 2 * HOUR_MS;
	expect_number("right again", s->heard[stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0})].fail, OK);
	*stage_clock -= HOUR_MS;
	i = stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0});
	expect_heard(s, i, ERR_WORLD, "clock-behind: design law 9: the clock stands before the last entry");
	*stage_clock += HOUR_MS;
	stage_wait(s, 3 * HOUR_MS);
	expect_number("confirmed", s->heard[stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0})].fail, OK);
	stage_audit(s);
	stage_drop(s);
}

/* Whatever helpers finish while the clock is wrong, no line is made of it, and no turn runs its course under that hour. */
static void
wrong_clock(struct scene *s, int64_t off)
{
	uint64_t lines = book_size(s->r->book), orders = s->issued;

	*stage_clock += off;
	for (int turn = 0; turn < 6; turn++) {
		*stage_clock += 1;
		stage_turn(s);
		if (book_size(s->r->book) != lines)
			fail_msg("entered by a clock %lld ms off: %s", (long long)off, stage_acts(s, NULL));
	}
	expect_true("closed", s->r->clock_closed.kind == ERR_WORLD);
	/* at most the one order that was on its way */
	expect_true("nothing is ordered", s->issued <= orders + 1);
	*stage_clock -= off;
}

/* Design law 9, at every step of a dossier's way: it sits at a verifier, at the issuer, is asked for, is revoked. */
static void
test_clock_under_way(void **state)
{
	static const char *const cards[] = {"yamada", "sato", "kato", "tanaka", "ito", "takahashi", "watanabe"};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct scene *s = ready("crl", CONF);
	struct applicant a[COUNT(cards)];
	uint64_t id;
	size_t heard;

	(void)state;
	for (size_t i = 0; i < COUNT(cards); i++) {
		applicant_new(s, cards[i], &a[i], with_mail);
		id = apply_send(s, &a[i], true);
		stage_turns(s, (int)i);
		wrong_clock(s, i % 2 == 0 ? 2 * HOUR_MS : -2 * HOUR_MS);
		heard = stage_until(s, id);
		if (i == 0) { /* sent under the wrong clock */
			expect_heard(s, heard, ERR_WORLD, "clock-ahead: design law 9: the clock went an hour ahead at once");
			continue;
		}
		expect_ok("apply", apply_reply_get(buf_slice(&s->heard[heard].body), &a[i].reply));
		expect_state(a[i].reply.state, DOSSIER_ISSUED);
		stage_audit(s);
	}
	for (size_t i = 1; i < 5; i++) {
		char number[33];
		const char *values[V_COUNT] = {service_of(s), number, "keyCompromise", AT, REVOCATION_SENTENCE};

		put_hex(number, serial_slice(&a[i].reply.serial));
		values[V_DATE] = now_text();
		buf_clear(&cms);
		buf_clear(&b);
		make_document(&cms, a[i].card, FORM_REVOCATION, values, (slice){NULL, 0}, clock_now());
		octets_put(&b, buf_slice(&cms));
		id = stage_send(s, FRONT, ORDER_REVOKE, buf_slice(&b));
		stage_turns(s, (int)i);
		wrong_clock(s, i % 2 == 0 ? 2 * HOUR_MS : -2 * HOUR_MS);
		(void)entry_heard(s, stage_until(s, id));
		expect_true("revoked", serial_state(s, a[i].reply.serial) == SERIAL_REVOKED);
		stage_audit(s);
	}
	for (size_t i = 0; i < COUNT(cards); i++)
		applicant_drop(&a[i]);
	stage_drop(s);
}

static void
state_db(const struct scene *s, char path[512])
{
	snprintf(path, 512, "%s/state/state.db", s->home);
}

/* A projection that is gone, older, damaged or of other books is made anew, and says the same. */
static void
test_projection(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf old OWNED(buf_drop) = BUF(64U << 20);
	struct applicant a, b;
	char path[512];

	(void)state;
	issued(s, "yamada", &a);
	stage_stop(s);
	state_db(s, path);
	file_get(path, &old);
	stage_start(s);
	stage_turns(s, 10);
	issued(s, "sato", &b);
	(void)receipt(s, &b, b.own);
	for (int how = 0; how < 3; how++) {
		stage_stop(s);
		db_delete(path);
		if (how == 1)
			file_put(path, buf_slice(&old)); /* of an older day: it catches up */
		else if (how == 2)
			file_put(path, LIT("SQLite format 3 this is not"));
		stage_start(s);
		stage_audit(s);
		stage_turns(s, 8);
		expect_state(dossier(s, &b, NULL), DOSSIER_RECEIPTED);
	}
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* Disk full or a failed sync at any effect: 503, nothing taken until the books are opened anew, and all is whole then. */
static void
test_disk(void **state)
{
	static const enum fault ways[] = {FAULT_BEFORE, FAULT_HALF, FAULT_AFTER};
	static const char *const cards[] = {"yamada", "sato", "kato"};
	struct scene *s = ready("crl", CONF);
	int failed = 0;

	(void)state;
	for (size_t w = 0; w < COUNT(ways); w++) {
		struct applicant a;

		applicant_new(s, cards[w], &a, NULL);
		for (long nth = 1; nth < 40; nth++) {
			size_t i;

			disk_fault = (struct disk_fault){ways[w], nth, ENOSPC, 0};
			i = apply(s, &a, true);
			disk_fault = (struct disk_fault){0};
			if (s->heard[i].fail == OK)
				break;
			failed++;
			expect_heard(
			    s, i, ERR_WORLD, "registrar-closed: design 3: nothing can be made durable now; try again later");
			for (int t = 0; t < 40 && s->r->closed.kind != OK; t++) {
				stage_wait(s, 1100);
				stage_turn(s);
			}
			expect_number("open again", s->r->closed.kind, OK);
			stage_turns(s, 4);
			stage_audit(s);
		}
		stage_wait(s, 2000);
		stage_turns(s, 8);
		(void)apply(s, &a, true);
		expect_state(a.reply.state, DOSSIER_ISSUED);
		applicant_drop(&a);
	}
	expect_true("there were failures", failed > 6);
	stage_audit(s);
	stage_drop(s);
}

/*
 * While nothing may be done the role rests: what was to come at once (a signed checkpoint whose line was lost, a revocation
 * the signer just heard) does not keep it turning, nor does a clock that stands behind the last entry.
 */
static void
test_rests(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct registrar *r = s->r;
	int turns = 0;

	(void)state;
	stage_turns(s, 12);
	stage_wait(s, 4000); /* a checkpoint is due; its line is lost */
	for (; r->pub.note_asked || r->closed.kind == OK; turns++) {
		assert_true(turns < 100);
		if (r->pub.note_asked)
			disk_fault = (struct disk_fault){FAULT_BEFORE, 1, ENOSPC, 0};
		stage_turn(s);
		if (r->closed.kind != OK)
			break;
	}
	disk_fault = (struct disk_fault){0};
	expect_true("the checkpoint was heard", r->shows.soon && r->book == NULL);
	r->more = true; /* as where a turn of many messages failed */
	expect_number("closed books are waited for", (uint64_t)registrar_timeout_ms(r), 100);
	stage_wait(s, 1100);
	stage_turns(s, 4);
	expect_number("open again", r->closed.kind, OK);
	stage_wait(s, 4000);
	stage_turns(s, 12);
	*stage_clock += 2 * HOUR_MS;
	stage_turns(s, 4);
	expect_true("ahead", r->clock_closed.kind != OK);
	r->revoked_told = r->shows.soon = true;
	expect_number("the clock is waited for", (uint64_t)registrar_timeout_ms(r), 100);
	*stage_clock -= 4 * HOUR_MS;
	stage_turns(s, 4);
	expect_true("behind", r->clock_closed.kind != OK && r->late);
	expect_number("a clock behind too", (uint64_t)registrar_timeout_ms(r), 100);
	*stage_clock += 2 * HOUR_MS;
	stage_turns(s, 12);
	expect_number("right again", r->clock_closed.kind, OK);
	stage_audit(s);
	stage_drop(s);
}

/* --- many lines before a checkpoint ----------------------------------------------------------------------------------- */
/* Lines that no helper has to do with, straight into the books. */
static void
enter_many(struct scene *s, uint64_t n)
{
	struct registrar *r = s->r;

	while (n > 0) {
		expect_ok("begin", db_begin(r->db));
		r->now.ms = r->last_at.ms + 1;
		for (int i = 0; i < 400 && n > 0; i++, n--) {
			struct entry e = entry_of(r, ACT_OPERATION_DONE);

			e.what = LIT("drill");
			expect_ok("enter", turn_enter(r, &e, NULL));
		}
		expect_ok("commit", turn_commit(r));
	}
	stage_clock_set((instant){r->last_at.ms + 1});
}

static uint64_t
tiles_there(const struct scene *s, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (uint64_t i = from; i < to; i++)
		n += s->tile_there[i];
	return n;
}

/* Turns until so many tiles were given or the note was, at most a few hundred. */
static void
until_tiles(struct scene *s, uint64_t files, uint64_t notes)
{
	for (int i = 0; i < 400 && s->tile_files < files && s->tiles < notes; i++)
		stage_turn(s);
}

/* FA-3: after a fill or an outage tiles leave a few at a time, each again that was not written, and the note after all of them. */
static void
test_tiles(void **state)
{
	struct scene *s = ready("crl", CONF);
	uint64_t notes, files;

	(void)state;
	stage_wait(s, 4000);
	stage_turns(s, 12);
	notes = s->tiles;
	expect_true("a checkpoint is public", notes > 0 && s->r->shows.shown == db_ledger(s->r->db)->checkpoint_size);
	enter_many(s, 40 * 256);
	s->tile_files = s->tiles_at_once = 0;
	s->tile_refused = 25;
	stage_wait(s, 4000);
	until_tiles(s, 20, notes + 1);
	expect_true("some went, not all", s->tile_files >= 20 && s->tile_files < 36);
	expect_true("a turn holds few", s->r->bytes.cap <= 4 * TILES_OPEN_MAX * 256 * SHA256_LEN);
	stage_turns(s, 12);
	expect_number("one was refused: no note", s->tiles, notes);
	files = s->tile_files;
	stage_turns(s, 12);
	expect_number("nor more of them", s->tile_files, files);
	stage_wait(s, 1000);
	until_tiles(s, files + 20, notes + 1);
	/* the publisher ends half-way: the next one gets all of them */
	stage_cut(s, PUBLISHER);
	stage_turns(s, 4);
	memset(s->tile_there, 0, sizeof s->tile_there);
	expect_number("no note yet", s->tiles, notes);
	stage_back(s, PUBLISHER);
	s->tile_files = 0;
	until_tiles(s, UINT64_MAX, notes + 1);
	expect_number("then the note", s->tiles, notes + 1);
	expect_number("after each full tile", tiles_there(s, 0, 40), 40);
	expect_true("and what they make together", s->tile_files >= 42);
	expect_true("a few at once", s->tiles_at_once > 1 && s->tiles_at_once <= TILES_OPEN_MAX);
	stage_turns(s, 4);
	expect_true("it is public", s->r->shows.shown == db_ledger(s->r->db)->checkpoint_size);
	/* the next one speaks for what is new, and a new publisher is shown only that */
	s->tile_files = 0;
	enter_many(s, 600);
	stage_wait(s, 4000);
	until_tiles(s, UINT64_MAX, notes + 2);
	expect_true("the next has few tiles", s->tiles == notes + 2 && s->tile_files <= 6);
	stage_audit(s);
	stage_drop(s);
}

/* --- when what is published lapses --- */
static void
soon(struct scene *s)
{
	for (int i = 0; i < 4; i++) {
		stage_wait(s, 1100);
		stage_turns(s, 6);
	}
}

/*
 * Issue 3, 8: the first answer that counts to lapse, not the first there is: what nobody issued, what is revoked and what has
 * ended is passed over; what was known stands while the publisher looks; a new registrar asks at once.
 */
static void
test_lapse(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b;
	uint64_t questions, rests = 0;
	instant t;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &b);
	soon(s);
	t = s->r->now;
	expect_true("nothing is published", s->r->lapse.next.ms == 0 && s->r->lapse.made.ms == 0);
	expect_true("the list's time is known", lapse_of_lists(s->r, LIST_COMPLETE).next_update.ms > t.ms);
	expect_true("there is no delta", lapse_of_lists(s->r, LIST_DELTA).next_update.ms == 0);
	expect_true("nor a part", lapse_of_lists(s->r, LIST_PARTITION).next_update.ms == 0);
	s->n_lapses = 3;
	s->lapse[0] = (struct lapse_reply){LAPSE_FOUND, {2, {0x40, 1}}, {t.ms - 2000}, {t.ms + HOUR_MS}};
	s->lapse[1] = (struct lapse_reply){LAPSE_FOUND, a.reply.serial, {t.ms - 1000}, {t.ms + 10 * HOUR_MS}};
	s->lapse[2] = (struct lapse_reply){LAPSE_FOUND, b.reply.serial, {t.ms}, {t.ms + 20 * HOUR_MS}};
	soon(s);
	expect_true("not what nobody issued", s->r->lapse.next.ms == t.ms + 10 * HOUR_MS);
	expect_true("the first that counts", s->r->lapse.made.ms == t.ms - 1000);
	questions = s->lapse_questions;
	soon(s);
	expect_number("once a second", s->lapse_questions - questions, 4);
	s->lapses_looking = true;
	soon(s);
	expect_true("while the publisher looks it stands", s->r->lapse.next.ms == t.ms + 10 * HOUR_MS);
	stage_stop(s);
	stage_start(s);
	soon(s);
	expect_true("a new registrar has nothing to say yet", s->r->lapse.next.ms == 0);
	s->lapses_looking = false;
	soon(s);
	expect_true("and asks", s->r->lapse.next.ms == t.ms + 10 * HOUR_MS && s->r->lapse.made.ms == t.ms - 1000);
	(void)ask_revoke(s, &a, a.own, NULL);
	soon(s);
	expect_true("what is revoked counts no more", s->r->lapse.made.ms == t.ms);
	s->n_lapses = 2;
	soon(s);
	expect_true("nor what is not published", s->r->lapse.next.ms == 0);
	s->lapses_stand = true; /* a publisher that names the same again and again: what nobody issued */
	s->lapse[0].next_update = (instant){s->r->lapse.from.after.ms};
	soon(s);
	questions = s->lapse_questions;
	stage_turns(s, 40);
	expect_number("not asked on behind it", s->lapse_questions - questions <= 1, 1);
	s->lapses_stand = false;
	/* the repository of an older day under a new publisher: what lapses first there stands before what was looked at */
	s->lapse[0] = (struct lapse_reply){LAPSE_FOUND, b.reply.serial, {t.ms - 5000}, {t.ms + HOUR_MS / 2}};
	s->n_lapses = 1;
	expect_true("a list was made since", lapse_of_lists(s->r, LIST_COMPLETE).next_update.ms != 0);
	stage_cut(s, PUBLISHER);
	stage_turns(s, 4);
	stage_back(s, PUBLISHER);
	stage_turns(s, 8);
	expect_true("its lists are not there", lapse_of_lists(s->r, LIST_COMPLETE).next_update.ms == 0);
	soon(s);
	expect_true("a repository that was set back is looked at", s->r->lapse.made.ms == t.ms - 5000);
	/* many that count no more: none of them costs a rest */
	s->r->lapse.from = (struct lapse_order){0};
	for (size_t i = 0; i < 3; i++)
		s->lapse[i] = (struct lapse_reply){LAPSE_FOUND, {2, {0x40, (uint8_t)(i + 1)}}, {t.ms - 2000}, {t.ms + HOUR_MS}};
	s->lapse[3] = (struct lapse_reply){LAPSE_FOUND, b.reply.serial, {t.ms}, {t.ms + 20 * HOUR_MS}};
	s->n_lapses = 4;
	questions = s->lapse_questions;
	stage_wait(s, 1100);
	for (int turns = 0; s->r->lapse.made.ms != t.ms && turns < 100; turns++) {
		stage_turn(s);
		rests += !s->r->lapse.asked && s->r->lapse.made.ms != t.ms && registrar_timeout_ms(s->r) != 0;
	}
	expect_number("all of them were asked about", s->lapse_questions - questions, 4);
	expect_number("at once", rests, 0);
	stage_turn(s);
	expect_true("then a second passes", registrar_timeout_ms(s->r) > 0);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* --- the wheel -------------------------------------------------------------------------------------------------------- */
/* So many hours of ordinary days. */
static void
hours(struct scene *s, int n)
{
	for (int i = 0; i < 2 * n; i++) {
		stage_wait(s, HOUR_MS / 2);
		stage_turns(s, 4);
	}
}

/* B-11: answers made anew in a round of 20 h; what the signer lost is shown again; what readers lost is sent again. */
static void
test_wheel(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b;
	uint64_t answers;

	(void)state;
	issued(s, "yamada", &a);
	issued(s, "sato", &b);
	stage_wait(s, 6000);
	stage_turns(s, 10);
	answers = s->answers;
	expect_number("answered first with the certificates", answers, 2);
	hours(s, 21);
	expect_true("both anew", s->refreshed >= 2 && s->renewed == s->refreshed);
	expect_number("no certificate was shown", s->answers, answers);
	expect_true("it stands in the books", db_ledger(s->r->db)->wheel.ms > s->r->now.ms - 22 * HOUR_MS);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 10);
	s->forgets = true;
	hours(s, 21);
	expect_true("what it forgot was shown to it", s->answers >= answers + 2);
	s->forgets = false;
	s->loses = true;
	stage_cut(s, PUBLISHER);
	stage_turns(s, 4);
	stage_back(s, PUBLISHER);
	s->refreshed = s->renewed = s->whole = 0;
	for (int i = 0; i < 60 && s->whole == 0; i++) {
		stage_wait(s, 100);
		stage_turns(s, 4);
	}
	expect_true("all were sent again", s->renewed >= 2);
	expect_number("and that was said", s->whole, 1);
	(void)ask_revoke(s, &a, a.own, NULL);
	stage_turns(s, 16);
	s->says_good = true;
	s->refreshed = s->renewed = 0;
	hours(s, 21);
	expect_true("good about what is revoked goes nowhere", s->refreshed >= 2 && s->renewed < s->refreshed);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* Rule 6(xi): at every hour of two rounds each answer that is served is good for a day more: the room may be away so long. */
static void
test_wheel_leaves_a_day(void **state)
{
	static const char *const cards[] = {"yamada", "sato", "kato"};
	struct scene *s = ready("crl", CONF);
	struct applicant a[COUNT(cards)];
	uint64_t answers;

	(void)state;
	for (size_t i = 0; i < COUNT(cards); i++) {
		issued(s, cards[i], &a[i]);
		hours(s, 1);
	}
	answers = s->answers;
	expect_number("all are served", s->n_served, COUNT(cards));
	for (int h = 0; h < 40; h++) {
		stage_wait(s, HOUR_MS);
		stage_turns(s, 6);
		for (size_t i = 0; i < s->n_served; i++)
			if (s->served[i].next_update.ms - clock_now().ms < 24 * HOUR_MS)
				fail_at(__FILE__, __LINE__, "after %d hours answer %zu has %lld minutes left", h + 1, i,
				    (long long)((s->served[i].next_update.ms - clock_now().ms) / 60000));
	}
	expect_true("each was made anew in both rounds", s->renewed >= 2 * COUNT(cards));
	expect_number("by the wheel", s->answers, answers);
	stage_audit(s);
	for (size_t i = 0; i < COUNT(cards); i++)
		applicant_drop(&a[i]);
	stage_drop(s);
}

/* --- J-LIS asked about each card -------------------------------------------------------------------------------------- */
/* ID-2: asked, answered with our nonce, judged again, both sealed among the evidence; other dossiers go on meanwhile. */
static void
test_ocsp(void **state)
{
	struct scene *s = ready("ocsp", CONF);
	struct applicant a, b, c;
	char why[WHY_MAX + 1];

	(void)state;
	s->messenger_fails = true;
	applicant_new(s, "yamada", &a, with_mail);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_WAITING);
	s->messenger_fails = false;
	applicant_new(s, "sato", &b, with_mail);
	(void)apply(s, &b, true);
	expect_state(b.reply.state, DOSSIER_WAITING);
	stage_turns(s, 8);
	expect_state(dossier(s, &b, why), DOSSIER_ISSUED);
	expect_number("asked once", s->ocsp_calls, 1);
	expect_acts(s, &b.reply.dossier,
	    "explanation.acknowledged application.received identity.unchecked identity.verified application.accepted "
	    "certificate.ordered certificate.issued");
	expect_state(dossier(s, &a, why), DOSSIER_WAITING);
	stage_wait(s, 6000);
	stage_turns(s, 12);
	expect_state(dossier(s, &a, why), DOSSIER_ISSUED);
	/* the order is made again from the sealed answer after a restart */
	stage_cut(s, ISSUER);
	applicant_new(s, "ito", &c, with_mail);
	(void)apply(s, &c, false);
	stage_turns(s, 8);
	expect_state(dossier(s, &c, why), DOSSIER_ORDERED);
	stage_stop(s);
	s->away[ISSUER] = false;
	stage_start(s);
	stage_turns(s, 16);
	expect_state(dossier(s, &c, why), DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&c);
	applicant_new(s, "yoshida", &c, with_mail);
	s->jlis_status = OCSP_REVOKED;
	(void)apply(s, &c, false);
	stage_turns(s, 8);
	expect_state(dossier(s, &c, why), DOSSIER_REFUSED);
	expect_true(why, strncmp(why, "jpki-revoked:", 13) == 0);
	/* revocation by card: its status is asked too */
	(void)apply(s, &a, false);
	s->jlis_status = OCSP_GOOD;
	(void)entry_heard(s, ask_revoke(s, &a, a.card, NULL));
	expect_state(dossier(s, &a, why), DOSSIER_REVOKED);
	stage_turns(s, 12);
	expect_true("told to both", s->told[0] == 1 && s->told[1] == 1);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	applicant_drop(&c);
	stage_drop(s);
}

/*
 * B-15イ: a house whose approval has ended opens all the same: nothing is decided by rule, everything else goes on, and a new
 * approval is taken.
 */
static size_t
approve_until(struct scene *s, const char *version, int64_t ms)
{
	static const char RULES[] =
	    "[ruleset]\nversion = %s\nprofile = person-signature\nengine = 1\nvalidity_years_max = 5\n"
	    "age_min = 15\nkeys = p256\nopen_per_card_max = 1\nvalid_per_card_max = 3\n"
	    "duplicate = refuse\n[limits]\naccepted_per_hour_max = 5000\nrefused_percent_max = 50\n";
	struct buf until OWNED(buf_drop) = BUF(RFC3339_LEN + 1);
	const char *values[P_COUNT] = {0};
	char rules[1024], hex[65];
	digest d;

	snprintf(rules, sizeof rules, RULES, version);
	d = sha256(slice_str(rules));
	put_hex(hex, ARR(d.b));
	instant_put(&until, (instant){clock_now().ms + ms});
	buf_put_u8(&until, 0);
	values[P_SERVICE] = service_of(s);
	values[P_RULESET] = hex;
	values[P_VERSION] = version;
	values[P_FROM] = "2026-11-01T00:00:00.000Z";
	values[P_UNTIL] = (const char *)until.p;
	values[P_RESPONSIBLE] = "hanako";
	values[P_DATE] = now_text();
	return office(s, s->house->hanako, FORM_APPROVAL, values, slice_str(rules));
}

static void
test_lapsed(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b, c;
	char why[WHY_MAX + 1];

	(void)state;
	(void)entry_heard(s, approve_until(s, "2", HOUR_MS));
	stage_turns(s, 4);
	issued(s, "yamada", &a);
	for (int again = 0; again < 2; again++) { /* while it runs, and after a restart */
		if (again == 0) {
			stage_wait(s, 2 * HOUR_MS);
			stage_turns(s, 4);
		} else {
			stage_stop(s);
			stage_start(s);
			stage_turns(s, 20);
		}
		applicant_new(s, again == 0 ? "sato" : "kato", &b, NULL);
		(void)apply(s, &b, true);
		expect_state(b.reply.state, DOSSIER_REVIEW);
		(void)dossier(s, &b, why);
		expect_true(why,
		    strcmp(why, "decision-lapsed: Rule 6(xv): the approval of the rule set has ended; an officer decides") ==
		        0);
		applicant_drop(&b);
	}
	/* nobody's certificate waits for that: who revokes is heard, and lists are made */
	(void)entry_heard(s, ask_revoke(s, &a, a.own, NULL));
	expect_state(dossier(s, &a, NULL), DOSSIER_REVOKED);
	stage_wait(s, 6000);
	stage_turns(s, 16);
	expect_true("told to both", s->told[0] == 1 && s->told[1] == 1);
	expect_heard(s, approve_until(s, "3", -HOUR_MS), ERR_POLICY,
	    "approval-period: Rule 6(xv): the approval is not in force now");
	(void)entry_heard(s, approve_until(s, "3", DAY_MS));
	stage_turns(s, 6);
	applicant_new(s, "ito", &c, NULL);
	(void)apply(s, &c, true);
	expect_state(c.reply.state, DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&c);
	stage_drop(s);
}

/* --- limits ---------------------------------------------------------------------------------------------------------------- */
/* B-15イ: above a limit everything goes to a person, and that is recorded once. */
static void
test_limits(void **state)
{
	static const char RULES[] =
	    "[ruleset]\nversion = 2\nprofile = person-signature\nengine = 1\nvalidity_years_max = 5\n"
	    "age_min = 15\nkeys = p256\nopen_per_card_max = 1\nvalid_per_card_max = 3\n"
	    "duplicate = refuse\n[limits]\naccepted_per_hour_max = 1\nrefused_percent_max = 50\n";
	static const char *const cards[] = {"yamada", "sato", "kato"};
	const char *values[P_COUNT] = {0};
	struct scene *s = ready("crl", CONF);
	digest d = sha256(slice_str(RULES));
	struct applicant a;
	const char *found;
	char hex[65];

	(void)state;
	put_hex(hex, ARR(d.b));
	values[P_SERVICE] = service_of(s);
	values[P_RULESET] = hex;
	values[P_VERSION] = "2";
	values[P_FROM] = "2026-11-01T00:00:00.000Z";
	values[P_UNTIL] = "2027-11-01T00:00:00.000Z";
	values[P_RESPONSIBLE] = "hanako";
	values[P_DATE] = now_text();
	(void)entry_heard(s, office(s, s->house->hanako, FORM_APPROVAL, values, slice_str(RULES)));
	stage_turns(s, 4);
	for (size_t i = 0; i < COUNT(cards); i++) {
		applicant_new(s, cards[i], &a, with_mail);
		(void)apply(s, &a, true);
		expect_state(a.reply.state, i == 0 ? DOSSIER_ISSUED : DOSSIER_REVIEW);
		applicant_drop(&a);
		stage_stop(s); /* nobody gains by a restart: what is counted stands in the books */
		stage_start(s);
		stage_turns(s, 10);
	}
	found = strstr(stage_acts(s, NULL), "review.opened");
	expect_true("recorded", found != NULL);
	expect_true("once", found != NULL && strstr(found + 1, "review.opened") == NULL);
	stage_wait(s, HOUR_MS + 60 * SECOND_MS);
	applicant_new(s, "ito", &a, with_mail);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- rollbacks ----------------------------------------------------------------------------------------------------------------- */
/* Design 3: what was set back shows on one side or the other; nothing is ordered of that signer any more. */
static void
test_rollback(void **state)
{
	static const struct {
		const char *row;
		struct head journal, seen;
		enum err_kind fails;
		const char *stopped;
	} rows[] = {
	    {"a journal of an older day", {1, {{0}}}, {0}, OK,
	        "journal-rollback: design 3: a signer's journal is of an older day than the books"},
	    {"another journal", {2, {{3}}}, {0}, OK,
	        "journal-other: design 3: a signer's journal does not extend the one the books know"},
	    {"books of an older day", {0}, {100000, {{3}}}, OK,
	        "books-rollback: design 3: a signer has seen more lines than the books hold"},
	    {"other books", {0}, {3, {{3}}}, OK,
	        "books-other: design 3: a signer has seen other lines than the books hold"},
	    {"the signer says so", {0}, {0}, ERR_CORRUPT,
	        "signer-stopped: design 3: a signer found that books or journal were set back; it signs nothing"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene *s = ready("crl", CONF);
		struct applicant a;

		s->journal[0] = (struct head){2, {{9}}};
		issued(s, "yamada", &a); /* the books know the issuer's journal at 2 lines */
		if (rows[i].journal.size > 0)
			s->journal[0] = rows[i].journal;
		s->seen[0] = rows[i].seen;
		s->hello_fails = rows[i].fails;
		stage_wire(s, ISSUER);
		stage_turns(s, 4);
		expect_number(rows[i].row, s->r->issuer.step, SIGNER_STOPPED);
		expect_same(rows[i].row, slice_str(s->r->issuer.stopped), slice_str(rows[i].stopped));
		applicant_drop(&a);
		applicant_new(s, "sato", &a, with_mail);
		(void)apply(s, &a, true);
		expect_state(a.reply.state, DOSSIER_ORDERED);
		expect_number("nothing signed", s->issued, 1);
		stage_wire(s, ISSUER);
		stage_turns(s, 4);
		expect_number("a new wire heals nothing", s->r->issuer.step, SIGNER_STOPPED);
		applicant_drop(&a);
		stage_drop(s);
	}
}

/* --- helpers that go wrong -------------------------------------------------------------------------------------------------------- */
/* A verifier lost over a document: another one; three lost over the same one: the document is not taken. */
static void
test_verifiers(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a, b;
	uint64_t id;
	size_t i;

	(void)state;
	applicant_new(s, "yamada", &a, with_mail);
	applicant_new(s, "sato", &b, with_mail);
	stage_back(s, VERIFIER2);
	stage_turns(s, 6);
	/* both read; each loses its end before it answers */
	id = apply_send(s, &a, true);
	for (int lost = 0; lost < 2; lost++) {
		*stage_clock += 2;
		expect_ok("wait", wires_wait(s->r->wires, 0));
		expect_ok("turn", registrar_turn(s->r));
		wires_flush(s->r->wires);
		stage_wire(s, VERIFIER);
		stage_wire(s, VERIFIER2);
	}
	i = stage_until(s, id);
	expect_number("judged by another", s->heard[i].fail, OK);
	id = apply_send(s, &b, true);
	for (int lost = 0; lost < 12; lost++) {
		/* both take the trust file and the lists, then the document, and are gone */
		stage_end_turn(s, ISSUER);
		*stage_clock += 2;
		expect_ok("wait", wires_wait(s->r->wires, 0));
		expect_ok("turn", registrar_turn(s->r));
		wires_flush(s->r->wires);
		if (lost % 4 == 3) {
			stage_wire(s, VERIFIER);
			stage_wire(s, VERIFIER2);
		} else if (lost % 4 < 2) {
			stage_end_turn(s, VERIFIER);
			stage_end_turn(s, VERIFIER2);
		}
	}
	stage_turns(s, 20);
	i = stage_until(s, id);
	expect_true("judged, or not taken: never forgotten",
	    s->heard[i].fail == OK ||
	        strcmp(s->heard[i].what,
	            "verifier-lost: house: this document could not be read to its end; it is not taken") == 0);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&b);
	stage_drop(s);
}

/* --- a captured verifier: what it says must not make the books unreadable, nor stop the house ------------------------------------- */
static const char *lie_text;

static void
lie_why(struct facts *x)
{
	x->verdict = VERDICT_FAILED;
	x->kind = ERR_POLICY;
	x->why = slice_str(lie_text);
}

static void
lie_profile(struct facts *x)
{
	x->value[A_PROFILE] = slice_str(lie_text);
}

static void
lie_digest(struct crl_reply *c)
{
	c->digest.b[0] ^= 1;
}

static void
test_lies(void **state)
{
#define THREE "\xE5\xAD\x97"
#define THIRTY THREE THREE THREE THREE THREE THREE THREE THREE THREE THREE
#define COMMITMENT "c:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	static const struct {
		const char *says, *kept;
	} rows[] = {
	    {"jpki-x: Rule 5: a reason", "jpki-x: Rule 5: a reason"},
	    /* 9 bytes and characters of three: cut after the 82nd, not within the next */
	    {"ab: c: d " THIRTY THIRTY THIRTY THIRTY THIRTY THIRTY THIRTY THIRTY THIRTY, NULL},
	    {COMMITMENT, "helper-text: house: the reason that was given is no text of this house"},
	    {"no text of the house's form", "helper-text: house: the reason that was given is no text of this house"},
	};
	char why[WHY_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene *s = ready("crl", CONF);
		struct applicant a;

		applicant_new(s, "yamada", &a, with_mail);
		lie_text = rows[i].says;
		s->lie = lie_why;
		(void)apply(s, &a, true);
		s->lie = NULL;
		expect_state(dossier(s, &a, why), DOSSIER_REFUSED);
		if (rows[i].kept != NULL)
			expect_same("what the books keep", slice_str(why), slice_str(rows[i].kept));
		else
			expect_same("what the books keep", slice_str(why), slice_of(rows[i].says, 9 + 82 * 3));
		stage_audit(s);
		stage_stop(s);
		stage_start(s);
		stage_turns(s, 12);
		expect_state(dossier(s, &a, NULL), DOSSIER_REFUSED); /* whole after a restart */
		stage_audit(s);
		applicant_drop(&a);
		stage_drop(s);
	}
	{
		struct scene *s = ready("crl", CONF);
		struct applicant a;
		size_t i;

		applicant_new(s, "yamada", &a, with_mail);
		lie_text = COMMITMENT;
		s->lie = lie_profile;
		i = apply(s, &a, true);
		s->lie = NULL;
		expect_same("a kind that is not offered", slice_str(s->heard[i].what),
		    LIT("decision-profile: Rule 6(ii): this kind of certificate is not offered"));
		expect_number("and nothing of it is kept", s->r->applications, 0);
		stage_audit(s);
		applicant_drop(&a);
		stage_drop(s);
	}
	{
		struct scene *s = stage_new_with("crl", CONF);
		struct applicant a;

		s->crl_lie = lie_digest;
		stage_turns(s, 12);
		s->crl_lie = NULL;
		stage_wire(s, VERIFIER);
		stage_turns(s, 4);
		stage_wait(s, 2000);
		stage_turns(s, 20);
		applicant_new(s, "yamada", &a, with_mail);
		(void)apply(s, &a, true);
		expect_state(a.reply.state, DOSSIER_ISSUED);
		stage_audit(s);
		applicant_drop(&a);
		stage_drop(s);
	}
}

/* The list in use and the day's new one reach a verifier at the same time, after a start: neither is taken for the other. */
static void
test_two_lists(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct buf bytes OWNED(buf_drop) = BUF(CRL_MAX);
	uint64_t closed = s->closed;

	(void)state;
	stage_stop(s);
	s->newer = make_world("2026-11-22T00:30:00Z", 0);
	s->away[MESSENGER] = true;
	s->judging_held = true;
	stage_start(s);
	stage_turns(s, 6);
	expect_true("the list in use is on its way", s->held.n > 0);
	stage_back(s, MESSENGER);
	stage_turns(s, 6);
	stage_release(s, VERIFIER);
	stage_turns(s, 6);
	world_crl(s->newer, "signca03.crl", &bytes, NULL);
	expect_number("no link was closed", s->closed, closed);
	expect_true("the new one is in use", digest_eq(db_ledger(s->r->db)->jlis[0].digest, sha256(buf_slice(&bytes))));
	stage_audit(s);
	stage_drop(s);
}

/* Rule 6(xi): how often a list is made and how long it lives, as inkan.conf says; what is ordered says so. */
static void
test_list_times(void **state)
{
	static const char REFUSED[] = "registrar-lists: Rule 6(xi): a list lives longer than the time to the next one";
	static const struct {
		const char *conf;
		int64_t every_h, life_h;
		const char *what;
	} rows[] = {
	    {"", 12, 36, NULL},
	    {"crl_every_h = 24\ncrl_life_h = 48\n", 24, 48, NULL},
	    {"crl_every_h = 35\n", 35, 36, NULL},
	    {"crl_every_h = 36\n", 0, 0, REFUSED},
	    {"crl_life_h = 12\n", 0, 0, REFUSED},
	    {"crl_every_h = 0\n", 0, 0, REFUSED},
	    {"crl_every_h = 24\ncrl_life_h = 24\n", 0, 0, REFUSED},
	    {"crl_life_h = 48\n", 12, 48, NULL},
	    {"crl_life_h = 49\n", 0, 0, "number: house: not a plain decimal number within its limit"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf conf OWNED(buf_drop) = BUF(4096);
		struct scene *s;
		err e;

		buf_put_str(&conf, CONF);
		buf_put_str(&conf, rows[i].conf);
		if (rows[i].what != NULL) {
			struct registrar *r = mem_new(1, sizeof *r);

			s = ready("crl", CONF);
			stage_stop(s);
			put_file(s, "inkan.conf", buf_slice(&conf));
			e = registrar_configure(r, s->home);
			if (e.kind != ERR_INPUT || strcmp(e.what, rows[i].what) != 0)
				fail_at(__FILE__, __LINE__, "%s: %s", rows[i].conf, e.kind == OK ? "taken" : e.what);
			registrar_close(r);
			free(r);
			put_file(s, "inkan.conf", LIT(CONF));
			stage_start(s);
		} else {
			uint64_t lists;

			buf_put_u8(&conf, 0);
			s = ready("crl", (const char *)conf.p);
			lists = s->crls;
			expect_number("thisUpdate to nextUpdate", (uint64_t)(s->list.next_update.ms - s->list.now.ms),
			    (uint64_t)(rows[i].life_h * HOUR_MS));
			stage_wait(s, rows[i].every_h * HOUR_MS - 60 * SECOND_MS);
			stage_turns(s, 4);
			expect_number("none before its time", s->crls, lists);
			stage_wait(s, 60 * SECOND_MS);
			stage_turns(s, 6);
			expect_number("one at its time", s->crls, lists + 1);
			expect_number(
			    "and again", (uint64_t)(s->list.next_update.ms - s->list.now.ms), (uint64_t)(rows[i].life_h * HOUR_MS));
		}
		stage_drop(s);
	}
}

/* What is written in inkan.conf and cannot be read is never taken for what is not written. */
static void
test_mistyped(void **state)
{
	static const char *const rows[] = {"challenge_s = ten", "challenge_s = 86401", "jlis_every_s = 1 day",
	    "crl_every_h = -1", "crl_life_h = 1.5", "weak_jail = maybe"};
	struct scene *s = ready("crl", CONF);

	(void)state;
	stage_stop(s);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf conf OWNED(buf_drop) = BUF(4096);
		struct registrar *r = mem_new(1, sizeof *r);

		buf_put_str(&conf, "[registrar]\n");
		buf_put_str(&conf, rows[i]);
		buf_put_u8(&conf, '\n');
		put_file(s, "inkan.conf", buf_slice(&conf));
		expect_true(rows[i], registrar_configure(r, s->home).kind == ERR_INPUT);
		registrar_close(r);
		free(r);
	}
	put_file(s, "inkan.conf", LIT(CONF));
	stage_start(s);
	stage_drop(s);
}

/* Frames nobody should send: the link is closed, the house goes on; nonsense in a result rolls its turn back. */
static void
test_nonsense(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct applicant a;

	(void)state;
	link_order(s->end[FRONT], ORDER_STATE, 5, (slice){NULL, 0}); /* front may not ask that */
	(void)link_flush(s->end[FRONT]).kind;
	stage_turns(s, 3);
	link_put(
	    s->end[STATUS], &(struct frame){.kind = ORDER_CHECKPOINT, .id = s->r->pub.note_id, .body = LIT("\x04\x00")});
	link_put(s->end[PUBLISHER], &(struct frame){.kind = ORDER_SLOTS, .id = 999});
	link_put(s->end[ISSUER], &(struct frame){.kind = ORDER_ISSUE, .id = 999, .body = LIT("x")});
	stage_turns(s, 6);
	{ /* what one helper says costs the others nothing */
		uint64_t closed = s->closed;

		s->r->fault = ok;
		for (int times = 0; times < 3; times++) {
			link_put(s->end[MESSENGER], &(struct frame){.kind = ORDER_NUMBERS, .id = 1, .body = LIT("x")});
			stage_turns(s, 3);
		}
		expect_number("its links were closed", s->closed, closed + 3);
		expect_true("the books were not", s->r->fault.kind == OK && s->r->closed.kind == OK);
	}
	{ /* half a frame, and then nothing more: no link to wait on for ever */
		static const uint8_t half[] = {0, 0, 1};
		int fd = link_fd(s->end[VERIFIER]);

		assert_int_equal(send(fd, half, sizeof half, 0), sizeof half);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		expect_ok("wait", wires_wait(s->r->wires, 0));
		expect_ok("wait", wires_wait(s->r->wires, 0));
		expect_true("it is no link any more", wires_find(s->r->wires, PEER_VERIFIER, 0) == NULL);
		stage_wire(s, VERIFIER);
		stage_turns(s, 6);
	}
	applicant_new(s, "yamada", &a, with_mail);
	(void)apply(s, &a, true);
	expect_state(a.reply.state, DOSSIER_ISSUED);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* What inkanctl status shows is JSON without personal data. */
static void
test_state(void **state)
{
	struct scene *s = ready("crl", CONF);
	struct json *j OWNED(json_drop) = NULL;
	struct applicant a;
	json list;
	slice text;
	size_t i;

	(void)state;
	applicant_new(s, "yamada", &a, other_name);
	(void)apply(s, &a, true);
	i = stage_ask(s, OFFICE, ORDER_STATE, (slice){NULL, 0});
	expect_ok("state", octets_get(buf_slice(&s->heard[i].body), &text));
	expect_ok("state", json_get(text, &j));
	expect_ok("to decide", json_list(json_root(j), "to_decide", &list));
	expect_number("one", json_count(list), 1);
	expect_ok("taking", json_text(json_root(j), "taking", &text));
	expect_same("taking", text, LIT("yes"));
	expect_true("no names", memmem(s->heard[i].body.p, s->heard[i].body.n, "山田", strlen("山田")) == NULL);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- any order, any death ------------------------------------------------------------------------------------------------ */
static uint64_t seed;

static unsigned
dice(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* Everybody once, in an order that nobody chose; the outsider looks after each. */
static void
random_turn(struct scene *s)
{
	int order[ENDS];

	for (int i = 0; i < ENDS; i++)
		order[i] = i;
	for (int i = ENDS - 1; i > 0; i--) {
		int k = (int)dice((unsigned)i + 1), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
	*stage_clock += 2;
	expect_ok("wait", wires_wait(s->r->wires, 0));
	expect_ok("turn", registrar_turn(s->r));
	wires_flush(s->r->wires);
	for (int i = 0; i < ENDS; i++)
		if (dice(4) != 0)
			stage_end_turn(s, order[i]);
	if (dice(6) == 0)
		stage_audit(s);
}

#define CROWD 5
static const char *const CARDS[CROWD] = {"yamada", "sato", "kato", "suzuki", "tanaka"};

/* Every dossier has ended or has its certificate; each serial stands in one line of certificate.issued. */
static void
expect_finished(struct scene *s)
{
	const struct db_counts *c = db_counts(s->r->db);
	uint64_t left = c->state[DOSSIER_RECEIVED] + c->state[DOSSIER_WAITING] + c->state[DOSSIER_ORDERED];

	for (int t = 0; left > 0 && t < 60; t++) {
		stage_wait(s, 2000);
		stage_turns(s, 4);
		left = c->state[DOSSIER_RECEIVED] + c->state[DOSSIER_WAITING] + c->state[DOSSIER_ORDERED];
	}
	expect_number("nobody is forgotten", left, 0);
	stage_audit(s);
}

static void
random_step(struct scene *s, struct applicant *a)
{
	unsigned who = dice(CROWD), what = dice(20);
	int end = (int)dice(ENDS - 1);

	if (what < 8)
		(void)apply_send(s, &a[who], dice(2) == 0);
	else if (what < 11 && end != FRONT && !s->away[end] && s->end[end] != NULL)
		stage_wire(s, end); /* a new process at the other end */
	else if (what < 13 && end > VERIFIER2)
		(s->away[end] ? stage_back : stage_cut)(s, end);
	else if (what < 14) {
		stage_stop(s);
		for (int i = 0; i < ENDS; i++)
			s->away[i] = i == VERIFIER2;
		stage_start(s);
	} else if (what < 16)
		stage_wait(s, (int64_t)dice(8000));
	random_turn(s);
}

static void
test_any_order(void **state)
{
	(void)state;
	for (uint64_t run = 1; run <= 6; run++) {
		struct scene *s = ready("crl", CONF);
		struct applicant a[CROWD];

		seed = run;
		for (size_t i = 0; i < CROWD; i++)
			applicant_new(s, CARDS[i], &a[i], with_mail);
		for (int step = 0; step < 120; step++)
			random_step(s, a);
		for (int i = 0; i < ENDS; i++)
			if (s->away[i] && i != VERIFIER2)
				stage_back(s, i);
		expect_finished(s);
		for (size_t i = 0; i < CROWD; i++)
			applicant_drop(&a[i]);
		stage_drop(s);
	}
}

/* In a process of its own: one application, and the process ends at the nth effect on the disk; true when it lived. */
static bool
apply_in_child(struct scene *s, struct applicant *a, enum fault how, long nth)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		s->r = NULL; /* the parent's; its descriptors are not used here */
		disk_fault = (struct disk_fault){how, nth, EIO, 0};
		for (int i = 0; i < ENDS; i++)
			s->end[i] = NULL;
		s->control = NULL;
		stage_start(s);
		stage_turns(s, 8);
		stage_challenge(s, nonce_room, sizeof nonce_room);
		{
			struct make_application m;

			application_for(s->house, s->world, "yamada", clock_now(), &m);
			m.nonce = nonce_room;
			buf_clear(&a->cms);
			make_application(&a->cms, a->card, a->own, &m);
		}
		(void)apply(s, a, true);
		if (a->reply.state != DOSSIER_ISSUED)
			_exit(4);
		stage_turns(s, 8);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DIED)
		fail_msg("the registrar ended with %d at effect %ld", WEXITSTATUS(status), nth);
	return WEXITSTATUS(status) == 0;
}

/* Dead at each effect of the disk: started again, what was begun finishes, and nothing is there twice. */
static void
test_death(void **state)
{
	static const enum fault ways[] = {DIE_BEFORE, DIE_HALF, DIE_AFTER};

	(void)state;
	for (size_t w = 0; w < COUNT(ways); w++)
		for (long nth = 1;; nth++) {
			struct scene *s = stage_new_with("crl", CONF);
			struct applicant a = {
			    .card = signer_load(s->world, "yamada"), .own = signer_new(KEY_P256, 256), .cms = BUF(CMS_MAX)};
			bool lived;

			stage_stop(s);
			lived = apply_in_child(s, &a, ways[w], nth);
			stage_start(s);
			stage_turns(s, 12);
			expect_finished(s);
			expect_true("at most one", db_counts(s->r->db)->state[DOSSIER_ISSUED] <= 1);
			if (lived)
				expect_number("what was answered is there", db_counts(s->r->db)->state[DOSSIER_ISSUED], 1);
			applicant_drop(&a);
			stage_drop(s);
			if (lived) {
				expect_true("there were effects to die at", nth > 15);
				break;
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_straight),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_gathers),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_failed),
	    cmocka_unit_test(test_duplicates),
	    cmocka_unit_test(test_waiting),
	    cmocka_unit_test(test_waiting_ends),
	    cmocka_unit_test(test_review),
	    cmocka_unit_test(test_automation),
	    cmocka_unit_test(test_automation_replayed),
	    cmocka_unit_test(test_permissions),
	    cmocka_unit_test(test_issuer_late),
	    cmocka_unit_test(test_approve),
	    cmocka_unit_test(test_lapsed),
	    cmocka_unit_test(test_issuer),
	    cmocka_unit_test(test_receipt),
	    cmocka_unit_test(test_revoke),
	    cmocka_unit_test(test_answers_on_their_way),
	    cmocka_unit_test(test_revoke_by_card),
	    cmocka_unit_test(test_revoke_by_strangers),
	    cmocka_unit_test(test_counts_kept),
	    cmocka_unit_test(test_revoke_over_the_cap),
	    cmocka_unit_test(test_answers_behind_many),
	    cmocka_unit_test(test_revoke_by_old_list),
	    cmocka_unit_test(test_revoke_alone),
	    cmocka_unit_test(test_list_lost),
	    cmocka_unit_test(test_clock),
	    cmocka_unit_test(test_clock_under_way),
	    cmocka_unit_test(test_projection),
	    cmocka_unit_test(test_disk),
	    cmocka_unit_test(test_rests),
	    cmocka_unit_test(test_tiles),
	    cmocka_unit_test(test_lapse),
	    cmocka_unit_test(test_wheel),
	    cmocka_unit_test(test_wheel_leaves_a_day),
	    cmocka_unit_test(test_ocsp),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_rollback),
	    cmocka_unit_test(test_verifiers),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_two_lists),
	    cmocka_unit_test(test_list_times),
	    cmocka_unit_test(test_mistyped),
	    cmocka_unit_test(test_nonsense),
	    cmocka_unit_test(test_state),
	    cmocka_unit_test(test_any_order),
	    cmocka_unit_test(test_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
