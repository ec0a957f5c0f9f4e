/* The one table of states, acts and what each state owes; the house's own ledger: design 2, 3; 12(1). */
#include "test/unit/test.h"

#include "act/dossier.h"

static const dossier_id ID = {{0xD0, 1}};
static const serial NUMBER = {16, {0x41, 2, 3}}, OTHER = {16, {0x42}};

static struct entry
entry(enum act a, uint64_t n)
{
	struct entry e = {
	    .line = {.n = n, .at = {1795312370000 + (int64_t)n}, .act = a, .about = ABOUT_DOSSIER, .dossier = ID}};

	memcpy(e.document.b, ID.b, sizeof ID.b);
	e.key.b[0] = 1;
	e.card.b[0] = 2;
	e.serial = NUMBER;
	e.validity = 3;
	e.not_after = (instant){1895312370000};
	e.why = LIT("code: clause: why");
	e.method = STATUS_CRL;
	e.status.b[0] = 5;
	e.tbs.b[0] = 6;
	e.judged = e.line.at;
	return e;
}

/* Acts by their first letters' names, applied in order; the last one may be refused. */
static err
walk(struct dossier *d, const enum act *acts, size_t n)
{
	*d = (struct dossier){0};
	for (size_t i = 0; i < n; i++) {
		struct entry e = entry(acts[i], i);

		TRY(dossier_apply(d, &e));
	}
	return ok;
}

#define ACTS(...) (const enum act[]){__VA_ARGS__}, sizeof((const enum act[]){__VA_ARGS__}) / sizeof(enum act)
#define APPLY ACT_EXPLANATION_ACKNOWLEDGED, ACT_APPLICATION_RECEIVED
#define ISSUE APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED, ACT_CERTIFICATE_ISSUED
#define OUT_OF_STATE "dossier-act: Rule 12(1): the line does not follow from the dossier's state"

static const struct {
	const char *row;
	const enum act *acts;
	size_t n;
	enum dossier_state state;
	enum owes owes;
	const char *expect;
} ROWS[] = {
    {"received", ACTS(APPLY), DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"without explanation", ACTS(ACT_APPLICATION_RECEIVED), DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"twice", ACTS(APPLY, ACT_APPLICATION_RECEIVED), 0, 0, OUT_OF_STATE},
    {"verified", ACTS(APPLY, ACT_IDENTITY_VERIFIED), DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"unchecked waits", ACTS(APPLY, ACT_IDENTITY_UNCHECKED), DOSSIER_WAITING, OWES_VERIFY, NULL},
    {"checked later", ACTS(APPLY, ACT_IDENTITY_UNCHECKED, ACT_IDENTITY_VERIFIED), DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"waiting ends", ACTS(APPLY, ACT_IDENTITY_UNCHECKED, ACT_APPLICATION_REFUSED), DOSSIER_REFUSED, OWES_NOTHING, NULL},
    {"waiting is not accepted", ACTS(APPLY, ACT_IDENTITY_UNCHECKED, ACT_APPLICATION_ACCEPTED), 0, 0, OUT_OF_STATE},
    {"failed", ACTS(APPLY, ACT_IDENTITY_FAILED, ACT_APPLICATION_REFUSED), DOSSIER_REFUSED, OWES_NOTHING, NULL},
    {"review", ACTS(APPLY, ACT_IDENTITY_MISMATCH, ACT_REVIEW_OPENED), DOSSIER_REVIEW, OWES_PERSON, NULL},
    {"decided", ACTS(APPLY, ACT_IDENTITY_MISMATCH, ACT_REVIEW_OPENED, ACT_IDENTITY_MISMATCH, ACT_APPLICATION_ACCEPTED),
        DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"ordered without acceptance", ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_CERTIFICATE_ORDERED), 0, 0,
        "dossier-order: Rule 12(1)(i): a certificate was ordered without an acceptance"},
    {"ordered out of review",
        ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_REVIEW_OPENED, ACT_CERTIFICATE_ORDERED), 0, 0,
        OUT_OF_STATE},
    {"ordered", ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED), DOSSIER_ORDERED,
        OWES_ISSUE, NULL},
    {"ordered twice",
        ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED, ACT_CERTIFICATE_ORDERED),
        0, 0, OUT_OF_STATE},
    {"voided",
        ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED, ACT_CERTIFICATE_VOIDED),
        DOSSIER_RECEIVED, OWES_VERIFY, NULL},
    {"a void needs a new acceptance",
        ACTS(APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED, ACT_CERTIFICATE_VOIDED,
            ACT_CERTIFICATE_ORDERED),
        0, 0, "dossier-order: Rule 12(1)(i): a certificate was ordered without an acceptance"},
    {"issued", ACTS(ISSUE), DOSSIER_ISSUED, OWES_NOTHING, NULL},
    {"issued twice", ACTS(ISSUE, ACT_CERTIFICATE_ISSUED), 0, 0, OUT_OF_STATE},
    {"refused after issue", ACTS(ISSUE, ACT_APPLICATION_REFUSED), 0, 0, OUT_OF_STATE},
    {"delivered", ACTS(ISSUE, ACT_CERTIFICATE_DELIVERED), DOSSIER_DELIVERED, OWES_NOTHING, NULL},
    {"receipted", ACTS(ISSUE, ACT_CERTIFICATE_DELIVERED, ACT_RECEIPT_RECEIVED), DOSSIER_RECEIPTED, OWES_NOTHING, NULL},
    {"receipted unfetched", ACTS(ISSUE, ACT_RECEIPT_RECEIVED), DOSSIER_RECEIPTED, OWES_NOTHING, NULL},
    {"revoked", ACTS(ISSUE, ACT_REVOCATION_REQUESTED, ACT_CERTIFICATE_REVOKED), DOSSIER_REVOKED, OWES_NOTICE, NULL},
    {"revocation to a person", ACTS(ISSUE, ACT_REVOCATION_REQUESTED, ACT_REVIEW_OPENED), DOSSIER_ISSUED, OWES_PERSON,
        NULL},
    {"revocation refused", ACTS(ISSUE, ACT_REVOCATION_REQUESTED, ACT_REVIEW_OPENED, ACT_REVOCATION_REFUSED),
        DOSSIER_ISSUED, OWES_NOTHING, NULL},
    {"notified", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED, ACT_USER_NOTIFIED), DOSSIER_REVOKED, OWES_NOTHING, NULL},
    {"by letter", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED, ACT_REVIEW_OPENED), DOSSIER_REVOKED, OWES_LETTER, NULL},
    {"revoked twice", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED, ACT_CERTIFICATE_REVOKED), 0, 0, OUT_OF_STATE},
    {"receipt after revocation", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED, ACT_RECEIPT_RECEIVED), 0, 0, OUT_OF_STATE},
    {"withdrawn", ACTS(APPLY, ACT_APPLICATION_WITHDRAWN), DOSSIER_WITHDRAWN, OWES_NOTHING, NULL},
    {"withdrawn from review", ACTS(APPLY, ACT_REVIEW_OPENED, ACT_APPLICATION_WITHDRAWN), DOSSIER_WITHDRAWN,
        OWES_NOTHING, NULL},
    {"withdrawn ordered",
        ACTS(
            APPLY, ACT_IDENTITY_VERIFIED, ACT_APPLICATION_ACCEPTED, ACT_CERTIFICATE_ORDERED, ACT_APPLICATION_WITHDRAWN),
        0, 0, OUT_OF_STATE},
    {"reminded", ACTS(ISSUE, ACT_REMINDER_SENT), DOSSIER_ISSUED, OWES_NOTHING, NULL},
    {"a reminder beside a question", ACTS(ISSUE, ACT_REVIEW_OPENED, ACT_REMINDER_SENT), DOSSIER_ISSUED, OWES_PERSON,
        NULL},
    {"a receipt beside a request to revoke", ACTS(ISSUE, ACT_REVIEW_OPENED, ACT_RECEIPT_RECEIVED), DOSSIER_RECEIPTED,
        OWES_PERSON, NULL},
    {"a reminder after the end", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED, ACT_REMINDER_SENT), 0, 0, OUT_OF_STATE},
};

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct dossier d;
		err e = walk(&d, ROWS[i].acts, ROWS[i].n);

		expect_text(ROWS[i].row, e, ROWS[i].expect);
		if (ROWS[i].expect != NULL) {
			expect_number(ROWS[i].row, e.kind, ERR_CORRUPT);
			continue;
		}
		expect_number(ROWS[i].row, d.state, ROWS[i].state);
		expect_number(ROWS[i].row, d.owes, ROWS[i].owes);
		expect_true(ROWS[i].row, owes_name(d.owes) != NULL);
	}
}

/* What an outsider is told who comes too early or too late: word for word. */
static void
test_plan(void **state)
{
	const struct {
		const char *row;
		const enum act *acts;
		size_t n;
		enum act act;
		enum err_kind kind;
		const char *expect;
	} rows[] = {
	    {"fetch early", ACTS(APPLY), ACT_CERTIFICATE_DELIVERED, ERR_ABSENT,
	        "certificate-not-yet: Rule 6(iv): no certificate has been issued for this application"},
	    {"fetch never", ACTS(APPLY, ACT_APPLICATION_REFUSED), ACT_CERTIFICATE_DELIVERED, ERR_ABSENT,
	        "certificate-never: Rule 12(1)(i): this application ended without a certificate"},
	    {"fetch", ACTS(ISSUE), ACT_CERTIFICATE_DELIVERED, OK, NULL},
	    {"receipt early", ACTS(APPLY), ACT_RECEIPT_RECEIVED, ERR_CONFLICT,
	        "receipt-early: Rule 12(1)(i): there is no certificate this receipt could be for"},
	    {"receipt twice", ACTS(ISSUE, ACT_RECEIPT_RECEIVED), ACT_RECEIPT_RECEIVED, ERR_CONFLICT,
	        "receipt-twice: Rule 12(1)(i): another receipt for this certificate is in the books"},
	    {"receipt revoked", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED), ACT_RECEIPT_RECEIVED, ERR_CONFLICT,
	        "receipt-revoked: Rule 6(x): the certificate has been revoked"},
	    {"revoke", ACTS(ISSUE), ACT_CERTIFICATE_REVOKED, OK, NULL},
	    {"revoke twice", ACTS(ISSUE, ACT_CERTIFICATE_REVOKED), ACT_CERTIFICATE_REVOKED, ERR_CONFLICT,
	        "revoked-already: Rule 6(x): the certificate has been revoked before"},
	    {"revoke nothing", ACTS(APPLY), ACT_CERTIFICATE_REVOKED, ERR_ABSENT,
	        "revoke-absent: Rule 6(x): there is no such certificate to revoke"},
	    {"decide", ACTS(APPLY, ACT_REVIEW_OPENED), ACT_APPLICATION_ACCEPTED, OK, NULL},
	    {"decide issued", ACTS(ISSUE), ACT_APPLICATION_ACCEPTED, ERR_CONFLICT,
	        "decide-state: Rule 12(1)(i): this application does not wait for a person's decision"},
	    {"withdraw late", ACTS(ISSUE), ACT_APPLICATION_WITHDRAWN, ERR_CONFLICT,
	        "withdraw-late: Rule 6(ii): the application has ended, or a certificate was ordered; ask for its "
	        "revocation"},
	    {"withdraw twice", ACTS(APPLY, ACT_APPLICATION_WITHDRAWN), ACT_APPLICATION_WITHDRAWN, ERR_CONFLICT,
	        "withdraw-late: Rule 6(ii): the application has ended, or a certificate was ordered; ask for its "
	        "revocation"},
	    {"withdraw", ACTS(APPLY, ACT_REVIEW_OPENED), ACT_APPLICATION_WITHDRAWN, OK, NULL},
	    {"another act", ACTS(ISSUE), ACT_CERTIFICATE_ORDERED, ERR_CONFLICT,
	        "dossier-state: Rule 12(1): the dossier's state does not allow this act"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dossier d;

		expect_ok(rows[i].row, walk(&d, rows[i].acts, rows[i].n));
		if (rows[i].expect == NULL)
			expect_ok(rows[i].row, dossier_plan(&d, rows[i].act));
		else
			expect_err(rows[i].row, dossier_plan(&d, rows[i].act), rows[i].kind, rows[i].expect);
	}
}

/* CP 4.1.3: what is looked for when, and what ends a question: by lines alone. */
static void
test_watch(void **state)
{
	static const enum act ISSUED[] = {ISSUE};
	struct entry e = entry(ACT_REVIEW_OPENED, 9);
	struct dossier d, late, asked;
	int64_t at;

	(void)state;
	expect_ok("issued", walk(&d, ISSUED, COUNT(ISSUED)));
	at = d.issued.ms;
	expect_number("a reminder", (uint64_t)(d.watch.ms - at), 14 * (uint64_t)DAY_MS);
	late = d;
	e = entry(ACT_REMINDER_SENT, 9);
	expect_ok("reminded", dossier_apply(&d, &e));
	expect_number("then the end", (uint64_t)(d.watch.ms - at), 30 * (uint64_t)DAY_MS);
	e.line.at.ms = at + 40 * DAY_MS;
	expect_ok("reminded late", dossier_apply(&late, &e));
	expect_number("a day at least", (uint64_t)(late.watch.ms - at), 41 * (uint64_t)DAY_MS);
	e = entry(ACT_REVIEW_OPENED, 10);
	e.how = LIT("receipt");
	expect_ok("asked", dossier_apply(&d, &e));
	expect_true("an officer", d.question == QUESTION_RECEIPT && d.owes == OWES_PERSON && d.watch.ms == 0);
	asked = d;
	e = entry(ACT_REVIEW_EXTENDED, 11);
	e.until.ms = at + 50 * DAY_MS;
	expect_ok("extended", dossier_apply(&d, &e));
	expect_true("until then", d.question == QUESTION_NONE && d.owes == OWES_NOTHING && d.watch.ms == at + 50 * DAY_MS);
	e = entry(ACT_RECEIPT_RECEIVED, 12);
	expect_ok("receipt", dossier_apply(&asked, &e));
	expect_true("answers itself", asked.question == QUESTION_NONE && asked.owes == OWES_NOTHING && asked.watch.ms == 0);
	expect_ok("issued", walk(&d, ISSUED, COUNT(ISSUED)));
	e = entry(ACT_REVIEW_OPENED, 9);
	e.how = LIT("letter");
	expect_ok("a letter", dossier_apply(&d, &e));
	expect_true("is owed", d.owes == OWES_LETTER && !d.review && d.watch.ms == 0);
	e = entry(ACT_REMINDER_SENT, 10);
	expect_ok("posted", dossier_apply(&d, &e));
	expect_true("nothing more", d.owes == OWES_NOTHING && d.watch.ms == at + 30 * DAY_MS);
	e = entry(ACT_REVOCATION_REQUESTED, 11);
	e.document.b[5] = 5;
	expect_ok("requested", dossier_apply(&d, &e));
	e = entry(ACT_REVIEW_OPENED, 12);
	e.why = LIT("revoke-other-card");
	expect_ok("asked", dossier_apply(&d, &e));
	expect_true("by whom", d.question == QUESTION_REVOCATION && d.request.b[5] == 5);
	e = entry(ACT_REVOCATION_REFUSED, 13);
	expect_ok("refused", dossier_apply(&d, &e));
	expect_true("looked for again", d.question == QUESTION_NONE && d.watch.ms == e.line.at.ms + DAY_MS);
}

/* Rule 6(xvi): a duty withdrawn, given back, and no other's. */
static void
test_permissions(void **state)
{
	struct ledger h = {0};
	struct entry e = entry(ACT_PERMISSION_WITHDRAWN, 3);
	digest other = {{9}};

	(void)state;
	e.duty = LIT("officer");
	expect_ok("withdrawn", ledger_apply(&h, &e));
	e.duty = LIT("revocation");
	expect_ok("withdrawn", ledger_apply(&h, &e));
	e.duty = LIT("room 2");
	expect_ok("no duty", ledger_apply(&h, &e));
	expect_number("both", ledger_withdrawn(&h, e.key), DUTY_OFFICER | DUTY_REVOCATION);
	expect_number("nobody else's", ledger_withdrawn(&h, other), 0);
	e.line.act = ACT_PERMISSION_GRANTED;
	e.duty = LIT("officer");
	expect_ok("given back", ledger_apply(&h, &e));
	expect_number("one left", ledger_withdrawn(&h, e.key), DUTY_REVOCATION);
	e.line.act = ACT_PERMISSION_WITHDRAWN;
	for (uint8_t i = 0; i < 2 * TRUST_PERSONS_MAX; i++) {
		e.key.b[1] = i;
		expect_ok("many", ledger_apply(&h, &e));
	}
	expect_number("counted", h.permissions, 4 + 2 * TRUST_PERSONS_MAX);
}

/* The place of one who has all duties back is not another's second one: what is ended twice is given back whole. */
static void
test_permissions_places(void **state)
{
	static const struct {
		enum act act;
		uint8_t who;
		const char *duty;
	} said[] = {{ACT_PERMISSION_WITHDRAWN, 1, "officer"}, {ACT_PERMISSION_WITHDRAWN, 2, "officer"},
	    {ACT_PERMISSION_GRANTED, 1, "officer"}, {ACT_PERMISSION_WITHDRAWN, 2, "revocation"},
	    {ACT_PERMISSION_GRANTED, 2, "officer"}};
	struct ledger h = {0};
	struct entry e = entry(ACT_PERMISSION_WITHDRAWN, 3);

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		e.line.act = said[i].act;
		e.key = (digest){{said[i].who}};
		e.duty = slice_str(said[i].duty);
		expect_ok("said", ledger_apply(&h, &e));
	}
	expect_number("one left", ledger_withdrawn(&h, e.key), DUTY_REVOCATION);
}

/* Rule 6(xvii): which keys of responders there are, which is in use, and since when the others are not. */
static void
test_responders(void **state)
{
	static const char UNKNOWN[] = "ledger-key: Rule 6(xvii): a key is put to use, or retired, that was not recorded";
	const digest first = {{1}}, second = {{2}}, third = {{3}};
	struct ledger h = {0};
	struct entry made = entry(ACT_KEY_GENERATED, 3), used = entry(ACT_KEY_ACTIVATED, 4),
	             ended = entry(ACT_KEY_RETIRED, 5);

	(void)state;
	made.what = used.what = ended.what = LIT("ocsp");
	made.certificate = (digest){{0}};
	made.how = LIT("together");
	made.key = used.key = first;
	expect_ok("the first", ledger_apply(&h, &made));
	expect_true("is in use by nobody", ledger_responder(&h) == NULL);
	expect_ok("used", ledger_apply(&h, &used));
	expect_true("in use", digest_eq(ledger_responder(&h)->key, first));
	made.certificate = (digest){{9}};
	made.key = second;
	made.line.by_id = LIT("hanako");
	made.signed_at = (instant){1795312370000};
	expect_ok("another", ledger_apply(&h, &made));
	expect_true("said", h.made.at.ms == 1795312370000);
	expect_true("since", h.key_at.ms == made.line.at.ms);
	used.key = second;
	expect_err("one person is not two", ledger_apply(&h, &used), ERR_CORRUPT, UNKNOWN);
	expect_ok("the same person again", ledger_apply(&h, &made));
	expect_number("is still one", ledger_find_responder(&h, second)->wants, 1);
	made.line.by_id = LIT("jiro");
	expect_ok("another person", ledger_apply(&h, &made));
	used.line.at.ms += 1000;
	expect_ok("used", ledger_apply(&h, &used));
	expect_true("in use", digest_eq(ledger_responder(&h)->key, second));
	expect_true("the first was left", ledger_find_responder(&h, first)->left.ms == used.line.at.ms);
	used.key = first;
	expect_ok("back", ledger_apply(&h, &used));
	expect_true("the first again", digest_eq(ledger_responder(&h)->key, first));
	used.key = second;
	expect_ok("and on", ledger_apply(&h, &used));
	ended.key = third;
	expect_err("one nobody made", ledger_apply(&h, &ended), ERR_CORRUPT, UNKNOWN);
	ended.key = second;
	expect_err("the one in use", ledger_apply(&h, &ended), ERR_CORRUPT, UNKNOWN);
	ended.key = first;
	expect_ok("the first ends", ledger_apply(&h, &ended));
	expect_true("is known no more", ledger_find_responder(&h, first) == NULL);
	for (uint8_t i = 0; i < RESPONDERS_MAX; i++) {
		made.key.b[0] = (uint8_t)(10 + i);
		if (i + 1 < RESPONDERS_MAX)
			expect_ok("so many", ledger_apply(&h, &made));
		else
			expect_err("too many", ledger_apply(&h, &made), ERR_CORRUPT,
			    "ledger-responders: Rule 6(xvii): more keys of responders than can be in use");
	}
}

/* Serials and dossiers must be the dossier's own; a refused step leaves it as it was. */
static void
test_own(void **state)
{
	static const enum act ISSUED[] = {ISSUE};
	struct dossier d, before;
	struct entry e;

	(void)state;
	expect_ok("issued", walk(&d, ISSUED, COUNT(ISSUED)));
	before = d;
	e = entry(ACT_CERTIFICATE_REVOKED, 9);
	e.serial = OTHER;
	expect_err("serial", dossier_apply(&d, &e), ERR_CORRUPT,
	    "dossier-serial: Rule 6(v): the line is about another serial than the dossier's");
	e = entry(ACT_CERTIFICATE_DELIVERED, 9);
	e.line.dossier.b[0] ^= 1;
	expect_err(
	    "dossier", dossier_apply(&d, &e), ERR_CORRUPT, "dossier-about: Rule 12(1): the line is about another dossier");
	expect_true("unchanged", memcmp(&d, &before, sizeof d) == 0);
	expect_ok("ordered", walk(&d, ISSUED, 5));
	e = entry(ACT_CERTIFICATE_ISSUED, 9);
	e.serial = OTHER;
	expect_err("issued", dossier_apply(&d, &e), ERR_CORRUPT,
	    "dossier-serial: Rule 6(v): the line is about another serial than the dossier's");
	e = entry(ACT_CERTIFICATE_VOIDED, 9);
	e.serial = OTHER;
	expect_err("voided", dossier_apply(&d, &e), ERR_CORRUPT,
	    "dossier-serial: Rule 6(v): the line is about another serial than the dossier's");
}

static void
test_facts(void **state)
{
	static const enum act ISSUED[] = {ISSUE}, REFUSED[] = {APPLY, ACT_IDENTITY_FAILED, ACT_APPLICATION_REFUSED};
	struct dossier d;
	struct entry e;

	(void)state;
	expect_ok("refused", walk(&d, REFUSED, COUNT(REFUSED)));
	expect_same("why", dossier_why(&d), LIT("code: clause: why"));
	expect_true("ended", !dossier_is_open(&d) && !dossier_is_valid(&d, (instant){0}));
	expect_ok("ordered", walk(&d, ISSUED, 5));
	expect_true("open", dossier_is_open(&d) && d.tbs.b[0] == 6 && d.method == STATUS_CRL && d.orders == 1);
	expect_ok("issued", walk(&d, ISSUED, COUNT(ISSUED)));
	expect_true("what served the order is gone", d.tbs.b[0] == 0 && d.method == STATUS_NONE && d.judged.ms == 0);
	expect_true("valid", dossier_is_valid(&d, d.not_after) && !dossier_is_valid(&d, (instant){d.not_after.ms + 1}));
	expect_true("not open", !dossier_is_open(&d));
	d.decision = (digest){0};
	expect_true("by rule", !dossier_is_by_officer(&d));
	d.decision.b[7] = 1; /* zeros where one might look are no zero digest */
	expect_true("by an officer", dossier_is_by_officer(&d));
	e = entry(ACT_RECEIPT_RECEIVED, 6);
	expect_ok("receipt", dossier_apply(&d, &e));
	expect_true("the receipt's line", d.receipt_n == 6 && digest_eq(d.receipt, e.document));
	e = entry(ACT_CERTIFICATE_REVOKED, 7);
	expect_ok("revoked", dossier_apply(&d, &e));
	expect_true("revoked", d.revoked_n == 7 && d.revoked.ms == e.line.at.ms && !dossier_is_valid(&d, d.issued));
}

/* --- the ledger --------------------------------------------------------------------------- */
static void
test_ledger(void **state)
{
	struct ledger h = {0};
	struct entry e = {.line = {.act = ACT_BASELINE_SET}, .document = {{9}}};

	(void)state;
	expect_true("nothing, nothing owed", !ledger_owes_checkpoint(&h) && !ledger_has_list(&h, 0));
	expect_ok("baseline", ledger_apply(&h, &e));
	expect_true("in force", h.baseline.b[0] == 9 && ledger_owes_checkpoint(&h));
	e = (struct entry){.line = {.act = ACT_CHECKPOINT_SIGNED, .n = 1}, .size = 1};
	expect_ok("checkpoint", ledger_apply(&h, &e));
	expect_true("its own line needs none", !ledger_owes_checkpoint(&h));
	expect_err("again", ledger_apply(&h, &e), ERR_CORRUPT,
	    "ledger-checkpoint: design 5: a checkpoint of a size that cannot be");
	e.size = 3;
	expect_err("ahead of itself", ledger_apply(&h, &e), ERR_CORRUPT,
	    "ledger-checkpoint: design 5: a checkpoint of a size that cannot be");
	e = (struct entry){.line = {.act = ACT_CRL_PUBLISHED, .n = 2}, .number = 5, .covers = 2, .journal = 4};
	expect_ok("list", ledger_apply(&h, &e));
	expect_true("list", h.crl_number == 5 && h.crl_complete == 5 && h.crl_at.ms == 0 && h.issuer.size == 4 &&
	                        ledger_owes_checkpoint(&h));
	e.number = 6;
	e.base = 5;
	e.regular = 1;
	e.this_update.ms = 77;
	expect_ok("a delta that ends a regular round", ledger_apply(&h, &e));
	expect_true("a delta", h.crl_number == 6 && h.crl_complete == 5 && h.crl_at.ms == 77);
	expect_err(
	    "list again", ledger_apply(&h, &e), ERR_CORRUPT, "ledger-crl: RFC 5280 5.2.3: a CRL number that does not rise");
	e = (struct entry){
	    .line = {.act = ACT_OPERATION_DONE, .n = 3}, .what = LIT("jlis-crl"), .number = 1, .this_update = {5}};
	expect_ok("J-LIS", ledger_apply(&h, &e));
	expect_true(
	    "its second list", ledger_has_list(&h, 1) && !ledger_has_list(&h, 0) && !ledger_has_list(&h, JLIS_LISTS_MAX));
	e = (struct entry){.line = {.act = ACT_AUTOMATION_STOPPED, .n = 4}};
	expect_ok("stop", ledger_apply(&h, &e));
	expect_true("stopped", h.stopped);
	e.line.act = ACT_AUTOMATION_RESUMED;
	expect_ok("resume", ledger_apply(&h, &e));
	expect_true("resumed", !h.stopped);
	expect_number("an old line's date is the line's", (uint64_t)h.automated.at.ms, 0);
	e = (struct entry){.line = {.act = ACT_AUTOMATION_STOPPED, .n = 5, .at = {90}}, .document = {{3}}};
	expect_ok("stop", ledger_apply(&h, &e));
	expect_true("as of its line", h.automated.at.ms == 90 && h.automated.n == 5 && h.automated.document.b[0] == 3);
	e.signed_at.ms = 70;
	expect_ok("stop", ledger_apply(&h, &e));
	expect_number("as of the document", (uint64_t)h.automated.at.ms, 70);
	e = (struct entry){.line = {.act = ACT_PERMISSION_GRANTED, .n = 6}, .number = 8, .signed_at = {80}};
	expect_ok("grant", ledger_apply(&h, &e));
	e = (struct entry){.line = {.act = ACT_PERMISSION_WITHDRAWN, .n = 7}, .number = 5, .signed_at = {81}};
	expect_ok("withdraw", ledger_apply(&h, &e));
	expect_true("numbers rise", h.permissions == 2 && h.permission == 8 && h.permitted.at.ms == 81);
	e = (struct entry){.line = {.act = ACT_RULESET_APPROVED, .n = 8}, .version = 4, .signed_at = {82}};
	expect_ok("approve", ledger_apply(&h, &e));
	expect_true("version", h.ruleset_version == 4 && h.approved.at.ms == 82 && h.approved.n == 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_watch),
	    cmocka_unit_test(test_permissions),
	    cmocka_unit_test(test_permissions_places),
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_responders),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
