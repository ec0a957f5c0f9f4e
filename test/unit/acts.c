/* LINK: role/registrar/apply.c role/registrar/ask.c role/registrar/challenge.c role/registrar/flight.c role/registrar/issuing.c role/registrar/jlis.c role/registrar/keys.c role/registrar/lapse.c role/registrar/lists.c role/registrar/mirrors.c role/registrar/numbers.c role/registrar/office.c role/registrar/papers.c role/registrar/permit.c role/registrar/opening.c role/registrar/recall.c role/registrar/registrar.c role/registrar/revoke.c role/registrar/signers.c role/registrar/status.c role/registrar/note.c role/registrar/refresh.c role/registrar/texts.c role/registrar/turn.c role/registrar/watch.c role/registrar/withdraw.c role/verifier/verifier.c test/jpki/make.c test/edge/disk.c */
/* The acts beside the straight way: what is kept of texts and lists, what officers write, who is reminded.  Rule 6, 12(1). */
#include "test/unit/stage.h"

#define CONF "[registrar]\n"

static struct scene *
ready(const char *conf)
{
	struct scene *s = stage_new_with("crl", conf);

	stage_turns(s, 12);
	return s;
}

/* --- what was read and published is kept ----------------------------------------------------------------------------- */
static void
expect_kept(struct scene *s, slice bytes)
{
	struct buf got OWNED(buf_drop) = BUF(TEXT_BYTES_MAX);
	struct evidence_at at;

	expect_ok("place", db_place(s->r->db, sha256(bytes), &at));
	expect_ok("evidence", book_evidence(s->r->book, &at, sha256(bytes), (slice){NULL, 0}, &got));
	expect_same("kept", buf_slice(&got), bytes);
}

/* 12(1)3イ, 12(1)2ニ: the text that the baseline names, and each list that was published, byte for byte. */
static void
test_texts(void **state)
{
	struct scene *s = ready(CONF);

	(void)state;
	stage_wait(s, 4000);
	stage_turns(s, 12);
	expect_true("a list", s->crls == 1);
	expect_kept(s, LIT(STAGE_CPS));
	expect_kept(s, LIT("a list of ours"));
	stage_audit(s);
	stage_drop(s);
}

/* B-13: a house that lacks a text its baseline names opens no books. */
static void
test_no_text(void **state)
{
	struct scene *s = stage_new_with("crl", CONF);
	size_t i;

	(void)state;
	stage_stop(s);
	put_file(s, "cps.txt", LIT("another practice statement\n"));
	stage_start(s);
	i = stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0});
	expect_number("closed", s->heard[i].fail, ERR_WORLD);
	expect_same("why", slice_str(s->heard[i].what),
	    LIT("baseline-text: Rule 6(xiii): a text that the baseline names is not among this house's texts"));
	expect_number("no line", book_size(s->r->book), 0);
	stage_drop(s);
}

/* --- people ------------------------------------------------------------------------------------------------------------ */
static void
expect_acts_at(const char *file, int line, struct scene *s, const dossier_id *of, const char *want)
{
	const char *got = stage_acts(s, of);

	if (strcmp(got, want) != 0)
		fail_at(file, line, "the books say\n  %s\nexpected\n  %s", got, want);
}
#define expect_acts(...) expect_acts_at(__FILE__, __LINE__, __VA_ARGS__)

static void
expect_heard_at(const char *file, int line, struct scene *s, size_t i, enum err_kind kind, const char *what)
{
	if (s->heard[i].fail != kind || strcmp(s->heard[i].what, what) != 0)
		fail_at(file, line, "heard %d \"%s\", expected %d \"%s\"", (int)s->heard[i].fail, s->heard[i].what, (int)kind,
		    what);
}
#define expect_heard(...) expect_heard_at(__FILE__, __LINE__, __VA_ARGS__)

static void
expect_taken_at(const char *file, int line, struct scene *s, size_t i)
{
	if (s->heard[i].fail != OK)
		fail_at(file, line, "refused: %s", s->heard[i].what);
}
#define expect_taken(...) expect_taken_at(__FILE__, __LINE__, __VA_ARGS__)

static const char *
hex_of(slice bytes)
{
	static char room[8][129];
	static size_t at;
	char *out = room[at++ % 8];

	assert(bytes.n <= 64);
	for (size_t i = 0; i < bytes.n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes.p[i]);
	return out;
}

static const char *
time_of(instant t)
{
	static char room[4][RFC3339_LEN + 1];
	static size_t at;
	char *out = room[at++ % 4];
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	memcpy(out, b.p, RFC3339_LEN);
	out[RFC3339_LEN] = '\0';
	return out;
}

static const char *
service_of(const struct scene *s)
{
	static char room[128];

	snprintf(room, sizeof room, "%.*s", (int)s->trust->service.n, (const char *)s->trust->service.p);
	return room;
}

static size_t
office(struct scene *s, const struct signer *who, enum form form, const char *const *values)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	make_document(&cms, who, form, values, (slice){NULL, 0}, clock_now());
	office_order_put(&b, &(struct office_order){buf_slice(&cms), {NULL, 0}});
	return stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(&b));
}

/* A document over front, by its kind of order. */
static size_t
outside(struct scene *s, uint8_t kind, const struct signer *who, enum form form, const char *const *values)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	make_document(&cms, who, form, values, (slice){NULL, 0}, clock_now());
	octets_put(&b, buf_slice(&cms));
	return stage_ask(s, FRONT, kind, buf_slice(&b));
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
other_name(struct make_application *m)
{
	m->name = "山田　次郎";
}

/* The certificate comes back to the applicant, who may sign with it. */
static void
issued(struct scene *s, const char *card, struct applicant *a, void (*change)(struct make_application *))
{
	struct buf b OWNED(buf_drop) = BUF(256);
	slice der;
	size_t i;

	applicant_new(s, card, a, change);
	expect_taken(s, apply(s, a, true));
	expect_number("issued", a->reply.state, DOSSIER_ISSUED);
	dossier_order_put(&b, &(struct dossier_order){a->reply.dossier, a->reply.token});
	i = stage_ask(s, FRONT, ORDER_FETCH, buf_slice(&b));
	for (int k = 0; k < 5 && s->heard[i].fail == ERR_BUSY; k++) { /* until others can ask about it */
		stage_wait(s, 1100);
		i = stage_ask(s, FRONT, ORDER_FETCH, buf_slice(&b));
	}
	expect_taken(s, i);
	expect_ok("certificate", octets_get(buf_slice(&s->heard[i].body), &der));
	signer_set_certificate(a->own, der);
}

static struct record
record_of(struct scene *s, const struct applicant *a)
{
	struct record d;

	expect_ok("dossier", db_dossier(s->r->db, a->reply.dossier, &d));
	return d;
}

#define ISSUED                                                                                                         \
	"explanation.acknowledged application.received identity.verified application.accepted certificate.ordered "        \
	"certificate.issued certificate.delivered"

static size_t
ask_revoke(struct scene *s, const struct applicant *a, const struct signer *by)
{
	const char *values[V_COUNT] = {service_of(s), hex_of(serial_slice(&a->reply.serial)), "keyCompromise",
	    time_of(clock_now()), REVOCATION_SENTENCE};

	return outside(s, ORDER_REVOKE, by, FORM_REVOCATION, values);
}

static size_t
receipt(struct scene *s, const struct applicant *a)
{
	digest d = sha256(signer_certificate(a->own));
	const char *values[R_COUNT] = {service_of(s), hex_of(ARR(a->reply.dossier.b)),
	    hex_of(serial_slice(&a->reply.serial)), hex_of(digest_slice(&d)), time_of(clock_now()), RECEIPT_SENTENCE};

	return outside(s, ORDER_RECEIPT, a->own, FORM_RECEIPT, values);
}

static size_t
extend(struct scene *s, const struct applicant *a, instant until)
{
	const char *values[X_COUNT] = {
	    service_of(s), hex_of(ARR(a->reply.dossier.b)), time_of(until), "telephoned", "jiro", time_of(clock_now())};

	return office(s, s->house->jiro, FORM_EXTENSION, values);
}

static size_t
letter(struct scene *s, const struct applicant *a, const char *about, instant sent)
{
	const char *values[L_COUNT] = {service_of(s), hex_of(ARR(a->reply.dossier.b)), about, time_of(sent),
	    "registered mail 123", "saburo", time_of(clock_now())};

	return office(s, s->house->saburo, FORM_LETTER, values);
}

/* --- a request that an officer refuses: 12(1)2ハ ------------------------------------------------------------------- */
static void
test_keep(void **state)
{
	struct scene *s = ready(CONF);
	struct applicant a, o;
	digest request, none = {{1}};
	const char *values[KEEP_COUNT] = {0};

	(void)state;
	issued(s, "yamada", &a, with_mail);
	issued(s, "sato", &o, with_mail);
	values[KEEP_SERVICE] = service_of(s);
	values[KEEP_SERIAL] = hex_of(serial_slice(&o.reply.serial));
	values[KEEP_REQUEST] = hex_of(digest_slice(&none));
	values[KEEP_GROUNDS] = "a stranger's card";
	values[KEEP_OFFICER] = "saburo";
	values[KEEP_DATE] = time_of(clock_now());
	expect_heard(s, office(s, s->house->saburo, FORM_KEEP, values), ERR_CONFLICT,
	    "keep-none: Rule 12(1)(ii)ハ: no request to revoke this certificate waits for an officer");
	expect_taken(s, ask_revoke(s, &o, a.card));
	expect_heard(s, office(s, s->house->saburo, FORM_KEEP, values), ERR_CONFLICT,
	    "keep-other: Rule 12(1)(ii)ハ: another request to revoke this certificate waits by now");
	request = record_of(s, &o).d.request;
	values[KEEP_SERIAL] = hex_of(serial_slice(&o.reply.serial));
	values[KEEP_REQUEST] = hex_of(digest_slice(&request));
	values[KEEP_DATE] = time_of(clock_now());
	expect_heard(s, office(s, s->house->jiro, FORM_KEEP, values), ERR_POLICY,
	    "person-duty: Rule 6(xvi): the signer is not permitted to do this");
	expect_taken(s, office(s, s->house->saburo, FORM_KEEP, values));
	expect_number("nothing is owed", record_of(s, &o).d.owes, OWES_NOTHING);
	expect_acts(s, &o.reply.dossier, ISSUED " revocation.requested review.opened revocation.refused");
	/* and the subscriber may still revoke */
	expect_taken(s, ask_revoke(s, &o, o.own));
	expect_number("revoked", record_of(s, &o).d.state, DOSSIER_REVOKED);
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/* --- a receipt that does not come: CP 4.1.3 --------------------------------------------------------------------------- */
/* The clock goes on without jumps, as a house at work sees it. */
static void
days_pass(struct scene *s, int n)
{
	for (int i = 0; i < n * 48; i++) {
		stage_wait(s, DAY_MS / 48);
		stage_turns(s, 1);
	}
	stage_turns(s, 8);
}

static void
test_receipt_late(void **state)
{
	struct scene *s = ready(CONF);
	struct applicant a, o;
	uint64_t mails;

	(void)state;
	issued(s, "yamada", &a, with_mail);
	issued(s, "sato", &o, with_mail);
	expect_taken(s, receipt(s, &o));
	days_pass(s, 13);
	expect_acts(s, &a.reply.dossier, ISSUED);
	mails = s->mails;
	s->messenger_fails = true;
	days_pass(s, 1);
	stage_wait(s, 60000);
	stage_turns(s, 6);
	expect_acts(s, &a.reply.dossier, ISSUED);
	s->messenger_fails = false;
	stage_wait(s, 60000);
	stage_turns(s, 10);
	expect_number("one mail", s->mails, mails + 1);
	expect_same("to whom", buf_slice(&s->mail), LIT("taro@example.jp"));
	expect_acts(s, &a.reply.dossier, ISSUED " reminder.sent");
	expect_heard(s, extend(s, &a, (instant){clock_now().ms + DAY_MS}), ERR_CONFLICT,
	    "extend-none: CP 4.1.3: no receipt past its time waits here for an officer");
	/* a restart changes nothing */
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 12);
	days_pass(s, 15);
	expect_acts(s, &a.reply.dossier, ISSUED " reminder.sent");
	days_pass(s, 2);
	expect_acts(s, &a.reply.dossier, ISSUED " reminder.sent review.opened");
	expect_number("asked", record_of(s, &a).d.owes, OWES_PERSON);
	expect_heard(s, extend(s, &a, (instant){clock_now().ms + 61 * DAY_MS}), ERR_POLICY,
	    "extend-until: CP 4.1.3: a time is extended to a later day, by at most 60 days");
	expect_heard(s, extend(s, &a, clock_now()), ERR_POLICY,
	    "extend-until: CP 4.1.3: a time is extended to a later day, by at most 60 days");
	expect_taken(s, extend(s, &a, (instant){clock_now().ms + 3 * DAY_MS}));
	days_pass(s, 2);
	expect_acts(s, &a.reply.dossier, ISSUED " reminder.sent review.opened review.extended");
	days_pass(s, 2);
	expect_acts(s, &a.reply.dossier, ISSUED " reminder.sent review.opened review.extended review.opened");
	expect_taken(s, receipt(s, &a));
	expect_number("the receipt answers", record_of(s, &a).d.owes, OWES_NOTHING);
	expect_acts(s, &o.reply.dossier, ISSUED " receipt.received");
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	stage_drop(s);
}

/*
 * Whose address takes no mail just now is tried again for ever, and holds up nobody: the last one's reminder, and at the end the notice
 * of its revocation, come through though more than one page of others stands before it.
 */
#define DEAD 9
static void
with_dead_mail(struct make_application *m)
{
	m->contact = "nobody@gone.example";
}

static void
test_dead_addresses(void **state)
{
	const char *world = stage_world;
	struct applicant a[DEAD + 1];
	struct scene *s;

	(void)state;
	stage_world = make_world(DAY, DEAD + 1);
	s = ready(CONF);
	for (int i = 0; i <= DEAD; i++) {
		char card[16];

		snprintf(card, sizeof card, "many-%05d", i);
		issued(s, card, &a[i], i < DEAD ? with_dead_mail : with_mail);
	}
	days_pass(s, 14);
	for (int i = 0; i < 4; i++) {
		stage_wait(s, 60000);
		stage_turns(s, 10);
	}
	expect_acts(s, &a[0].reply.dossier, ISSUED);
	expect_acts(s, &a[DEAD].reply.dossier, ISSUED " reminder.sent");
	for (int i = 0; i <= DEAD; i++)
		expect_taken(s, ask_revoke(s, &a[i], a[i].own));
	for (int i = 0; i < 4; i++) {
		stage_wait(s, 60000);
		stage_turns(s, 10);
	}
	expect_acts(s, &a[0].reply.dossier, ISSUED " revocation.requested certificate.revoked");
	expect_acts(
	    s, &a[DEAD].reply.dossier, ISSUED " reminder.sent revocation.requested certificate.revoked user.notified");
	stage_audit(s);
	for (int i = 0; i <= DEAD; i++)
		applicant_drop(&a[i]);
	stage_drop(s);
	stage_world = world;
}

static void
with_refused_mail(struct make_application *m)
{
	m->contact = "refused@gone.example";
}

/* B-12: what a mail server refuses for good is asked of it once; then an officer owes a letter, and says so when it went. */
static void
test_refused_addresses(void **state)
{
	struct scene *s = ready(CONF);
	struct applicant a;
	struct dossier d;
	slice state_of;
	size_t i;

	(void)state;
	issued(s, "yamada", &a, with_refused_mail);
	days_pass(s, 15);
	expect_acts(s, &a.reply.dossier, ISSUED " review.opened");
	d = record_of(s, &a).d;
	expect_number("a letter is owed", d.owes, OWES_LETTER);
	expect_same("why", dossier_why(&d),
	    LIT("reminder-refused: CP 4.1.3: the subscriber's mail address is refused for good; an officer posts this "
	        "reminder"));
	expect_taken(s, letter(s, &a, "reminder", clock_now()));
	expect_taken(s, ask_revoke(s, &a, a.own));
	for (int k = 0; k < 4; k++) {
		stage_wait(s, 60000);
		stage_turns(s, 10);
	}
	expect_acts(s, &a.reply.dossier,
	    ISSUED " review.opened reminder.sent revocation.requested certificate.revoked review.opened");
	d = record_of(s, &a).d;
	expect_number("a letter is owed", d.owes, OWES_LETTER);
	expect_same("why", dossier_why(&d),
	    LIT("notice-refused: Rule 6(xii): the subscriber's mail address is refused for good; an officer sends this "
	        "notice by "
	        "letter"));
	i = stage_ask(s, OFFICE, ORDER_STATE, (slice){NULL, 0});
	expect_ok("the state", octets_get(buf_slice(&s->heard[i].body), &state_of));
	expect_true("the office sees it", memmem(state_of.p, state_of.n, "notice-refused: Rule 6(xii)", 27) != NULL);
	expect_taken(s, letter(s, &a, "revocation", clock_now()));
	expect_number("no more", record_of(s, &a).d.owes, OWES_NOTHING);
	expect_number("no mail went", s->mails, 0);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- letters: who asked for paper gets paper, and the debt ends with an officer's word -------------------------------- */
static void
test_letters(void **state)
{
	struct scene *s = ready(CONF);
	struct applicant a;
	instant before;

	(void)state;
	issued(s, "yamada", &a, with_letter);
	before = (instant){clock_now().ms - DAY_MS};
	expect_heard(s, letter(s, &a, "reminder", clock_now()), ERR_CONFLICT,
	    "letter-none: Rule 6(xii): no such letter is owed to this subscriber");
	days_pass(s, 15);
	expect_acts(s, &a.reply.dossier, ISSUED " review.opened");
	expect_number("owed", record_of(s, &a).d.owes, OWES_LETTER);
	expect_number("no mail", s->mails, 0);
	expect_heard(s, letter(s, &a, "revocation", clock_now()), ERR_CONFLICT,
	    "letter-none: Rule 6(xii): no such letter is owed to this subscriber");
	expect_heard(s, letter(s, &a, "reminder", before), ERR_POLICY,
	    "letter-sent: Rule 6(xii): a letter was posted before it was recorded, after the issue");
	expect_taken(s, letter(s, &a, "reminder", clock_now()));
	expect_acts(s, &a.reply.dossier, ISSUED " review.opened reminder.sent");
	expect_number("no more", record_of(s, &a).d.owes, OWES_NOTHING);
	expect_taken(s, letter(s, &a, "notice", clock_now()));
	expect_taken(s, ask_revoke(s, &a, a.own));
	stage_wait(s, 6000);
	stage_turns(s, 16);
	expect_number("owed", record_of(s, &a).d.owes, OWES_LETTER);
	expect_taken(s, letter(s, &a, "revocation", clock_now()));
	expect_number("no more", record_of(s, &a).d.owes, OWES_NOTHING);
	expect_acts(s, &a.reply.dossier,
	    ISSUED " review.opened reminder.sent notice.sent revocation.requested certificate.revoked review.opened "
	           "user.notified");
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- accidents: 12(1)4ヘ, 4ロ --------------------------------------------------------------------------------------- */
static void
test_note(void **state)
{
	struct scene *s = ready(CONF);
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	const char *values[N_COUNT] = {
	    service_of(s), "network", time_of(clock_now()), "a port was open for an hour", "jiro", time_of(clock_now())};

	(void)state;
	make_document(&cms, s->house->jiro, FORM_NOTE, values, (slice){NULL, 0}, clock_now());
	office_order_put(&b, &(struct office_order){buf_slice(&cms), {NULL, 0}});
	expect_taken(s, stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(&b)));
	expect_true("in the books", strstr(stage_acts(s, NULL), "accident.noted") != NULL);
	expect_kept(s, buf_slice(&cms));
	expect_heard(s, stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(&b)), ERR_CONFLICT,
	    "paper-twice: Rule 12(1): this very document stands in the books already");
	values[N_NOTICED] = time_of((instant){clock_now().ms + HOUR_MS});
	expect_heard(s, office(s, s->house->jiro, FORM_NOTE, values), ERR_POLICY,
	    "note-time: Rule 12(1)(iv)ヘ: an accident is noted after it was noticed");
	stage_audit(s);
	stage_drop(s);
}

/* --- an application taken back: Rule 6(ii) ------------------------------------------------------------------------------ */
static size_t
withdraw(struct scene *s, const struct applicant *a, const struct signer *by, digest application)
{
	const char *values[C_COUNT] = {service_of(s), hex_of(ARR(a->reply.dossier.b)), hex_of(digest_slice(&application)),
	    time_of(clock_now()), WITHDRAWAL_SENTENCE};

	return outside(s, ORDER_WITHDRAWN, by, FORM_WITHDRAWAL, values);
}

static void
test_withdraw(void **state)
{
	static const char REVIEWED[] =
	    "explanation.acknowledged application.received identity.mismatch review.opened application.withdrawn";
	struct scene *s = ready(CONF);
	struct applicant a, o, done;
	digest d, other = {{1}};

	(void)state;
	applicant_new(s, "yamada", &a, other_name);
	expect_taken(s, apply(s, &a, true));
	expect_number("review", a.reply.state, DOSSIER_REVIEW);
	issued(s, "sato", &done, with_mail);
	d = sha256(buf_slice(&a.cms));
	expect_heard(s, withdraw(s, &a, done.card, d), ERR_POLICY,
	    "verifier-withdrawer: Rule 6(ii): the withdrawal is signed neither by the application's card nor by its key");
	expect_heard(s, withdraw(s, &a, a.card, other), ERR_CONFLICT,
	    "withdraw-other: Rule 6(ii): the withdrawal names another application than this dossier's");
	expect_taken(s, withdraw(s, &a, a.card, d));
	expect_number("withdrawn", dossier(s, &a, NULL), DOSSIER_WITHDRAWN);
	expect_acts(s, &a.reply.dossier, REVIEWED);
	stage_wait(s, 1000);
	expect_heard(s, withdraw(s, &a, a.card, d), ERR_CONFLICT,
	    "withdraw-late: Rule 6(ii): the application has ended, or a certificate was ordered; ask for its revocation");
	expect_heard(s, withdraw(s, &done, done.card, sha256(buf_slice(&done.cms))), ERR_CONFLICT,
	    "withdraw-late: Rule 6(ii): the application has ended, or a certificate was ordered; ask for its revocation");
	/* the card may apply anew; and the key alone is enough where the card is lost */
	applicant_new(s, "yamada", &o, other_name);
	expect_taken(s, apply(s, &o, true));
	expect_taken(s, withdraw(s, &o, o.own, sha256(buf_slice(&o.cms))));
	expect_acts(s, &o.reply.dossier, REVIEWED);
	expect_heard(s,
	    outside(s, ORDER_WITHDRAWN, done.own, FORM_REVOCATION,
	        (const char *[]){service_of(s), "4a", "keyCompromise", AT, REVOCATION_SENTENCE}),
	    ERR_INPUT, "document-form: house: the document is of another form than was expected");
	stage_audit(s);
	applicant_drop(&a);
	applicant_drop(&o);
	applicant_drop(&done);
	stage_drop(s);
}

/* --- permissions: Rule 6(xvi), 12(1)4ニ -------------------------------------------------------------------------------- */
static size_t
permit(struct scene *s, const char *number, const char *label, const struct signer *of, const char *state,
    const char *duty)
{
	digest key = sha256(signer_spki(of));
	const char *values[G_COUNT] = {service_of(s), number, state, label, hex_of(digest_slice(&key)), duty,
	    time_of(clock_now()), time_of((instant){clock_now().ms + 365 * DAY_MS}), "hanako", time_of(clock_now())};

	return office(s, s->house->hanako, FORM_PERMISSION, values);
}

static void
test_permit(void **state)
{
	static const char WITHDRAWN[] = "person-withdrawn: Rule 6(xvi): this permission of the signer was withdrawn";
	struct scene *s = ready(CONF);
	struct applicant a;
	const char *values[W_COUNT] = {0};

	(void)state;
	issued(s, "yamada", &a, with_mail);
	expect_heard(s, permit(s, "7", "saburo", s->house->jiro, "granted", "officer"), ERR_POLICY,
	    "permission-person: Rule 6(xvi): the trust file names no such person with this key; persons enter with a new "
	    "trust file");
	expect_heard(s, permit(s, "7", "saburo", s->house->saburo, "granted", "officer"), ERR_POLICY,
	    "permission-duty: Rule 6(xvi): the trust file does not give this person that duty; a permission ends one or "
	    "gives it back");
	expect_taken(s, permit(s, "7", "saburo", s->house->saburo, "granted", "room 2"));
	expect_taken(s, permit(s, "0", "saburo", s->house->saburo, "withdrawn", "revocation"));
	values[W_SERVICE] = service_of(s);
	values[W_SERIAL] = hex_of(serial_slice(&a.reply.serial));
	values[W_REASON] = "superseded";
	values[W_GROUNDS] = "telephone";
	values[W_OFFICER] = "saburo";
	values[W_DATE] = time_of(clock_now());
	expect_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values), ERR_POLICY, WITHDRAWN);
	/* from the books, not from memory */
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 12);
	values[W_SERIAL] = hex_of(serial_slice(&a.reply.serial));
	values[W_DATE] = time_of(clock_now());
	expect_heard(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values), ERR_POLICY, WITHDRAWN);
	expect_taken(s, permit(s, "8", "saburo", s->house->saburo, "granted", "revocation"));
	values[W_SERIAL] = hex_of(serial_slice(&a.reply.serial));
	values[W_DATE] = time_of(clock_now());
	expect_taken(s, office(s, s->house->saburo, FORM_OFFICE_REVOCATION, values));
	expect_number("revoked", record_of(s, &a).d.state, DOSSIER_REVOKED);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

/* --- the keys: Rule 6(xvii), 12(1)1チ ------------------------------------------------------------------------------------ */
static void
put_making(struct scene *s, const char *file, const struct signer *who, const char *label, const char *how, digest ocsp)
{
	digest issuer = sha256(s->trust->issuer.spki), checkpoint = sha256(signer_spki(s->house->status));
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	char keys[3 * 65];
	const char *values[M_COUNT] = {service_of(s), keys, "p256", "SoftHSM", "hanako jiro", how, label, AT};

	snprintf(keys, sizeof keys, "%s %s %s", hex_of(digest_slice(&issuer)), hex_of(digest_slice(&ocsp)),
	    hex_of(digest_slice(&checkpoint)));
	make_document(&cms, who, FORM_KEYS, values, (slice){NULL, 0}, at_of(AT));
	put_file(s, file, buf_slice(&cms));
}

static void
test_keys(void **state)
{
	static const char ALONE[] = "keys-alone: Rule 6(xvii): keys are made by plural persons, and each of them signs";
	struct scene *s = stage_new_with("crl", CONF);
	digest ocsp = sha256(signer_spki(s->first_key)), other = {{2}};
	const struct signer *hanako = s->house->hanako, *jiro = s->house->jiro;
	const struct {
		const char *row, *label;
		const struct signer *who;
		const char *how;
		digest ocsp;
		const char *what; /* of the second record, beside hanako's good one */
	} rows[] = {
	    {"alone, but two", "jiro", jiro, "alone", ocsp,
	        "keys-differ: Rule 6(xvii): the persons present do not say the same of the keys"},
	    {"other keys", "jiro", jiro, "together", other,
	        "keys-differ: Rule 6(xvii): the persons present do not say the same of the keys"},
	    {"twice", "hanako", hanako, "together", ocsp,
	        "keys-twice: Rule 6(xvii): one person signed two records of the same keys"},
	    {"in another's name", "hanako", jiro, "together", ocsp,
	        "keys-person: Rule 6(xvii): the record is of another service, or names another signer"},
	};

	(void)state;
	stage_stop(s);
	put_file(s, "inkan.conf", LIT(STAGE_TEXTS "keys = one.cms\n"));
	put_making(s, "one.cms", hanako, "hanako", "together", ocsp);
	stage_start(s);
	expect_same("one of them", slice_str(s->r->closed.what), slice_str(ALONE));
	stage_stop(s);
	put_file(s, "inkan.conf", LIT(STAGE_TEXTS "keys = one.cms two.cms\n"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		put_making(s, "two.cms", rows[i].who, rows[i].label, rows[i].how, rows[i].ocsp);
		stage_start(s);
		expect_same(rows[i].row, slice_str(s->r->closed.what), slice_str(rows[i].what));
		stage_stop(s);
	}
	put_making(s, "two.cms", jiro, "jiro", "together", ocsp);
	stage_start(s);
	stage_turns(s, 16);
	expect_true("made by two, put to use once",
	    strncmp(stage_acts(s, NULL), "baseline.set ruleset.approved key.generated key.generated key.generated ", 71) ==
	            0 &&
	        strstr(stage_acts(s, NULL), "key.activated") != NULL);
	expect_number("all three", db_ledger(s->r->db)->keys_used, 7);
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 16);
	{
		const char *acts = stage_acts(s, NULL);
		size_t n = 0;

		while ((acts = strstr(acts, "key.activated")) != NULL) {
			acts++;
			n++;
		}
		expect_number("not again", n, 3);
	}
	stage_audit(s);
	stage_drop(s);
}

/* --- the responder's key changes in a running house -------------------------------------------------------------------- */
static size_t
make_dated(struct scene *s, const struct signer *who, const char *label, const char *how, const struct signer *of,
    slice certificate, instant date)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	digest key = sha256(signer_spki(of));
	const char *values[M_COUNT] = {
	    service_of(s), hex_of(digest_slice(&key)), "p256", "SoftHSM", "hanako jiro", how, label, time_of(date)};

	make_document(&cms, who, FORM_KEYS, values, (slice){NULL, 0}, clock_now());
	office_order_put(&b, &(struct office_order){buf_slice(&cms), certificate});
	return stage_ask(s, OFFICE, ORDER_OFFICE, buf_slice(&b));
}

static size_t
make_anew(struct scene *s, const struct signer *who, const char *label, const char *how, const struct signer *of,
    slice certificate)
{
	return make_dated(s, who, label, how, of, certificate, clock_now());
}

static void
answer_by(struct scene *s, const struct buf *certificate)
{
	stage_cut(s, STATUS);
	stage_turns(s, 4);
	buf_clear(&s->responder);
	buf_put(&s->responder, buf_slice(certificate));
	stage_back(s, STATUS);
	stage_turns(s, 16);
}

static size_t
count_of(struct scene *s, const char *act)
{
	const char *acts = stage_acts(s, NULL);
	size_t n = 0;

	for (; (acts = strstr(acts, act)) != NULL; acts++)
		n++;
	return n;
}

static void
certify_now(struct scene *s, const struct signer *of, struct buf *out)
{
	buf_drop(out);
	house_responder(s->house, of, instant_floor_second(clock_now()), out);
}

static void
test_rotation(void **state)
{
	static const char DIFFER[] = "keys-differ: Rule 6(xvii): the persons present do not say the same of the keys";
	static const char AHEAD[] =
	    "office-ahead: Rule 6(xv): the document is dated in the future; set your clock and sign again";
	static const char OLD[] =
	    "office-old: Rule 6(xv): a document of this kind that was signed later is in force; sign a new one";
	static const char RETIRED[] = "keys-old: Rule 6(xvii): the certificate is not of later than the last record of a "
	                              "responder's key; a key that was retired is never used again";
	struct scene *s = stage_new_with("crl", CONF);
	const struct signer *hanako = s->house->hanako, *jiro = s->house->jiro;
	const struct ledger *h;
	struct signer *of[6];
	struct buf cert[6], foreign OWNED(buf_drop) = BUF(CERT_MAX);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(of); i++) {
		of[i] = signer_new(KEY_P256, 256);
		cert[i] = BUF(CERT_MAX);
	}
	certify_now(s, of[0], &cert[0]);
	stage_stop(s);
	put_file(s, "inkan.conf", LIT(STAGE_TEXTS "keys = one.cms two.cms\n"));
	put_making(s, "one.cms", hanako, "hanako", "together", sha256(signer_spki(of[0])));
	put_making(s, "two.cms", jiro, "jiro", "together", sha256(signer_spki(of[0])));
	buf_clear(&s->responder);
	buf_put(&s->responder, buf_slice(&cert[0]));
	stage_start(s);
	stage_turns(s, 16);
	h = db_ledger(s->r->db);
	expect_true("the first is in use", ledger_responder(h) != NULL && h->keys_used == 7);
	/* what is not believed */
	certify_now(s, of[1], &cert[1]);
	expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[1], buf_slice(&cert[1])), ERR_POLICY, RETIRED);
	stage_wait(s, 1000);
	certify_now(s, of[1], &cert[1]);
	expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[2], buf_slice(&cert[1])), ERR_POLICY,
	    "keys-certificate: Rule 6(xvii): the record is of another key than the certificate's");
	expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[1], signer_certificate(s->house->ca)), ERR_POLICY,
	    "answer-responder: RFC 6960 4.2.2.2: the issuer did not delegate OCSP to this certificate");
	expect_heard(s, make_anew(s, hanako, "jiro", "alone", of[1], buf_slice(&cert[1])), ERR_POLICY,
	    "verifier-person: Rule 12(1): the document names somebody else than who signed it");
	house_responder(s->house, of[1], (instant){instant_floor_second(clock_now()).ms + DAY_MS}, &foreign);
	expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[1], buf_slice(&foreign)), ERR_POLICY,
	    "keys-ended: RFC 6960 4.2.2.2: the responder's certificate is not in force");
	answer_by(s, &cert[1]);
	expect_true("a signer with a key of no record is not asked", s->r->status.step == SIGNER_HELLO);
	answer_by(s, &(struct buf){0});
	expect_true("nor one that names none", s->r->status.step == SIGNER_HELLO);
	/* two persons, each in a line */
	expect_taken(s, make_anew(s, hanako, "hanako", "together", of[1], buf_slice(&cert[1])));
	expect_heard(s, make_anew(s, jiro, "jiro", "alone", of[1], buf_slice(&cert[1])), ERR_POLICY, DIFFER);
	i = count_of(s, "key.generated");
	expect_taken(s, make_anew(s, hanako, "hanako", "together", of[1], buf_slice(&cert[1])));
	expect_number("said already", count_of(s, "key.generated"), i);
	answer_by(s, &cert[1]);
	expect_true("one person is not two", s->r->status.step == SIGNER_HELLO);
	/* the second's date is held against clock and books as the first's: later ones are held against it */
	stage_wait(s, 1000);
	expect_heard(s,
	    make_dated(s, jiro, "jiro", "together", of[1], buf_slice(&cert[1]), instant_add_years(clock_now(), 1)),
	    ERR_POLICY, AHEAD);
	expect_heard(s,
	    make_dated(s, jiro, "jiro", "together", of[1], buf_slice(&cert[1]), (instant){clock_now().ms - 60 * SECOND_MS}),
	    ERR_CONFLICT, OLD);
	expect_taken(s, make_anew(s, jiro, "jiro", "together", of[1], buf_slice(&cert[1])));
	s->r->status.hello_at -= 6 * SECOND_MS; /* hello is said again */
	stage_turns(s, 16);
	expect_true("stands ready", s->r->status.step == SIGNER_READY);
	h = db_ledger(s->r->db);
	expect_true("in use", digest_eq(ledger_responder(h)->key, sha256(signer_spki(of[1]))));
	expect_number("each was put to use once", count_of(s, "key.activated"), 4);
	/* one alone where nobody is accredited; three in two days and no more */
	stage_wait(s, 1000);
	certify_now(s, of[2], &cert[2]);
	expect_taken(s, make_anew(s, hanako, "hanako", "alone", of[2], buf_slice(&cert[2])));
	stage_wait(s, 1000);
	certify_now(s, of[3], &cert[3]);
	expect_taken(s, make_anew(s, hanako, "hanako", "alone", of[3], buf_slice(&cert[3])));
	stage_wait(s, 1000);
	certify_now(s, of[4], &cert[4]);
	expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[4], buf_slice(&cert[4])), ERR_CONFLICT,
	    "keys-soon: Rule 6(xvii): four keys of responders are in use, may have answers about or wait for their use; "
	    "wait "
	    "until one is retired: two days after its use, or seven after its record");
	/* the third was never put to use: it ends with the use of one made after it */
	answer_by(s, &cert[3]);
	expect_number("one retired", count_of(s, "key.retired"), 1);
	expect_true("that one", ledger_find_responder(db_ledger(s->r->db), sha256(signer_spki(of[2]))) == NULL);
	/* from the books, not from memory */
	stage_stop(s);
	stage_start(s);
	stage_turns(s, 16);
	expect_number("nothing new", count_of(s, "key.activated"), 5);
	/* two days later nothing by the first two is valid any more */
	stage_wait(s, 48 * HOUR_MS - 60 * SECOND_MS);
	stage_turns(s, 16);
	expect_true("a minute before", count_of(s, "key.retired") <= 2);
	stage_wait(s, 120 * SECOND_MS);
	stage_turns(s, 16);
	expect_number("both retired", count_of(s, "key.retired"), 3);
	answer_by(s, &cert[0]);
	expect_true("a retired key is not asked", s->r->status.step == SIGNER_HELLO);
	/* its certificate is public, and lasts three years: one person's K-1 over it is no new key */
	for (i = 0; i < 2; i++) {
		stage_wait(s, 1000);
		expect_heard(s, make_anew(s, hanako, "hanako", "alone", of[i], buf_slice(&cert[i])), ERR_POLICY, RETIRED);
	}
	expect_true("nor is it asked then", s->r->status.step == SIGNER_HELLO);
	certify_now(s, of[4], &cert[4]);
	expect_taken(s, make_anew(s, hanako, "hanako", "alone", of[4], buf_slice(&cert[4])));
	stage_audit(s);
	for (i = 0; i < COUNT(of); i++) {
		signer_drop(&of[i]);
		buf_drop(&cert[i]);
	}
	stage_drop(s);
}

/* A change that was given up leaves its place; until the signer stands ready with another it may be the next it starts with. */
static void
test_given_up(void **state)
{
	struct scene *s = stage_new_with("crl", CONF);
	const struct signer *hanako = s->house->hanako;
	struct signer *of[3];
	struct buf cert[3];

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		of[i] = signer_new(KEY_P256, 256);
		cert[i] = BUF(CERT_MAX);
	}
	certify_now(s, of[0], &cert[0]);
	stage_stop(s);
	buf_clear(&s->responder);
	buf_put(&s->responder, buf_slice(&cert[0]));
	stage_start(s);
	stage_turns(s, 16);
	/* made without a record of its keys: the key in use is recorded later, by one person and then by another */
	expect_taken(s, make_anew(s, hanako, "hanako", "together", of[0], buf_slice(&cert[0])));
	stage_turns(s, 16);
	expect_true("one person's record harms nothing", s->r->closed.kind == OK && s->r->status.step == SIGNER_READY);
	expect_number("is not its use", count_of(s, "key.activated"), 0);
	stage_wait(s, 1000);
	expect_taken(s, make_anew(s, s->house->jiro, "jiro", "together", of[0], buf_slice(&cert[0])));
	stage_turns(s, 16);
	expect_number("two persons' is", count_of(s, "key.activated"), 1);
	/* what the publisher cannot write it is asked to write again */
	stage_wait(s, 1000);
	certify_now(s, of[1], &cert[1]);
	expect_taken(s, make_anew(s, hanako, "hanako", "alone", of[1], buf_slice(&cert[1])));
	s->responder_refused = 2;
	answer_by(s, &cert[1]);
	stage_wait(s, 2000);
	stage_turns(s, 4);
	expect_number("refused twice", s->responder_refused, 0);
	expect_true("and not yet published", slice_eq(buf_slice(&s->published), buf_slice(&cert[0])));
	stage_wait(s, 2000);
	stage_turns(s, 4);
	expect_true("published", slice_eq(buf_slice(&s->published), buf_slice(&cert[1])));
	/* given up */
	stage_wait(s, 1000);
	certify_now(s, of[2], &cert[2]);
	expect_taken(s, make_anew(s, hanako, "hanako", "alone", of[2], buf_slice(&cert[2])));
	stage_wait(s, 7 * DAY_MS - 60 * SECOND_MS);
	stage_turns(s, 16);
	expect_true("a minute before", ledger_find_responder(db_ledger(s->r->db), sha256(signer_spki(of[2]))) != NULL);
	stage_cut(s, STATUS);
	stage_turns(s, 4);
	stage_wait(s, 120 * SECOND_MS);
	stage_turns(s, 16);
	expect_true(
	    "while no signer stands", ledger_find_responder(db_ledger(s->r->db), sha256(signer_spki(of[2]))) != NULL);
	stage_back(s, STATUS);
	stage_turns(s, 16);
	expect_true("retired", ledger_find_responder(db_ledger(s->r->db), sha256(signer_spki(of[2]))) == NULL);
	stage_audit(s);
	for (size_t i = 0; i < COUNT(of); i++) {
		signer_drop(&of[i]);
		buf_drop(&cert[i]);
	}
	stage_drop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_no_text),
	    cmocka_unit_test(test_keep),
	    cmocka_unit_test(test_receipt_late),
	    cmocka_unit_test(test_dead_addresses),
	    cmocka_unit_test(test_refused_addresses),
	    cmocka_unit_test(test_letters),
	    cmocka_unit_test(test_note),
	    cmocka_unit_test(test_withdraw),
	    cmocka_unit_test(test_permit),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_rotation),
	    cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
