/* LINK: test/jpki/make.c */
/* What relying parties must be told, and every way in which they may be told something else: B-11, Rule 6(x), 6(xi). */
#include "test/unit/test.h"

#include "act/books.h"
#include "act/entry.h"
#include "act/served.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

enum { GOOD = 1, REVOKED, FRESH, ENDED, NEWLY, STRANGER }; /* the last byte of a serial */

static struct {
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct signer *responder, *stranger;
	struct buf responder_certificate, foreign;
	struct served told;
	struct ocsp_issuer names;
	uint64_t lines;
} w;

static serial
serial_of(uint8_t v)
{
	serial s = {.n = 16, .b = {0x40}};

	s.b[15] = v;
	return s;
}

static instant
later(int64_t ms)
{
	return (instant){at_of(AT).ms + ms};
}

static err
enter(struct entry *e, instant at)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(LINE_MAX);

	e->line.n = w.told.lines;
	e->line.at = at;
	if (e->line.by == 0)
		e->line.by = BY_REGISTRAR;
	e->line.by_id = LIT("registrar");
	if (e->line.about == 0)
		e->line.about = ABOUT_DOSSIER;
	entry_set_rules(e);
	entry_put(&line, &openings, e);
	return served_take(&w.told, buf_slice(&line));
}

static void
issued(uint8_t v, instant at, instant not_after)
{
	struct entry e = {
	    .line = {.act = ACT_CERTIFICATE_ISSUED}, .serial = serial_of(v), .not_after = not_after, .signed_at = at};

	e.certificate = sha256(ARR(e.serial.b));
	expect_ok("issued", enter(&e, at));
}

static void
revoked(uint8_t v, instant at, instant since)
{
	struct entry e = {.line = {.act = ACT_CERTIFICATE_REVOKED},
	    .serial = serial_of(v),
	    .reason = REASON_KEY_COMPROMISE,
	    .signer = SIGNER_PERSON,
	    .judged = at,
	    .invalid_since = since};

	expect_ok("revoked", enter(&e, at));
}

static void
published(uint64_t number, uint64_t base, uint64_t partition, digest crl, instant at)
{
	struct entry e = {.line = {.act = ACT_CRL_PUBLISHED, .about = ABOUT_HOUSE},
	    .number = number,
	    .base = base,
	    .partition = partition,
	    .this_update = instant_floor_second(at),
	    .next_update = {instant_floor_second(at).ms + 36 * HOUR_MS},
	    .crl = crl};

	expect_ok("published", enter(&e, at));
}

/* The house's profile with two parts and a delta. */
static void
read_profile(void)
{
	struct buf text OWNED(buf_drop) = BUF(8192);

	buf_put(&text, buf_slice(&w.house->profile));
	buf_put_str(&text, "crl_partitions = 2\ncrl_delta = http://127.0.0.1:8480/crl/delta.crl\n");
	expect_ok("profile", profile_get(buf_slice(&text), &w.profile));
}

static int
setup(void **state)
{
	const char *dir = make_world(DAY, 0);
	struct signer *other = signer_new(KEY_P256, 256);

	(void)state;
	w.house = house_new(dir, at_of(AT));
	house_read(w.house, &w.trust, NULL, NULL);
	read_profile();
	w.responder = signer_new(KEY_P256, 256);
	w.stranger = signer_new(KEY_P256, 256);
	house_responder(w.house, w.responder, at_of(AT), &w.responder_certificate);
	make_ca(other, "other", "other CA", at_of(AT), 5);
	w.foreign = BUF(CERT_MAX);
	buf_put(&w.foreign, signer_certificate(other));
	signer_drop(&other);
	ocsp_issuer_of(&w.trust->issuer, &w.names);
	issued(GOOD, later(0), later(1000 * DAY_MS));
	issued(REVOKED, later(1), later(1000 * DAY_MS));
	issued(ENDED, later(2), later(HOUR_MS));
	issued(NEWLY, later(3), later(1000 * DAY_MS));
	revoked(REVOKED, later(10500), instant_floor_second(later(5000)));
	revoked(NEWLY, later(2 * HOUR_MS), (instant){0});
	issued(FRESH, later(2 * HOUR_MS + 1), later(1000 * DAY_MS));
	served_settle(&w.told);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	served_drop(&w.told);
	signer_drop(&w.responder);
	signer_drop(&w.stranger);
	buf_drop(&w.responder_certificate);
	buf_drop(&w.foreign);
	profile_drop(&w.profile);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

/* --- answers ------------------------------------------------------------------------------ */

static void
test_answers(void **state)
{
	const struct served_allowed allowed = SERVED_ALLOWED;
	const int64_t now = 2 * HOUR_MS; /* after AT: NEWLY was revoked this moment, FRESH issued a millisecond later */
	static const struct {
		const char *row;
		uint8_t of;
		enum served_kind kind;
		enum ocsp_status status;
		enum crl_reason reason;
		int64_t revoked, made, read; /* ms after AT; after `now` */
		int64_t lives;               /* h */
		uint8_t about;               /* another serial than asked; 0: the same */
		bool other_issuer;
		const char *what;
	} rows[] = {
	    {"good", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 48, 0, false, NULL},
	    {"revoked", REVOKED, SERVED_ANSWER, OCSP_REVOKED, REASON_KEY_COMPROMISE, 10000, 0, 0, 48, 0, false, NULL},
	    {"revoked is good", REVOKED, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 48, 0, false,
	        "served-good: Rule 6(x): a certificate that the books revoke is served as good"},
	    {"a moment after the line", NEWLY, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 999, 48, 0, false, NULL},
	    {"a second after it", NEWLY, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 1000, 48, 0, false,
	        "served-good: Rule 6(x): a certificate that the books revoke is served as good"},
	    {"good is revoked", GOOD, SERVED_ANSWER, OCSP_REVOKED, REASON_KEY_COMPROMISE, 10000, 0, 0, 48, 0, false,
	        "served-revoked: Rule 6(xi): a certificate the books do not revoke is served as revoked"},
	    {"another reason", REVOKED, SERVED_ANSWER, OCSP_REVOKED, REASON_SUPERSEDED, 10000, 0, 0, 48, 0, false,
	        "served-reason: Rule 6(xi): a revocation is served with another reason than the books'"},
	    {"a second later", REVOKED, SERVED_ANSWER, OCSP_REVOKED, REASON_KEY_COMPROMISE, 11000, 0, 0, 48, 0, false,
	        "served-time: Rule 6(xi): a revocation is served with another time than the books'"},
	    {"unknown", GOOD, SERVED_ANSWER, OCSP_UNKNOWN, 0, 0, 0, 0, 48, 0, false,
	        "served-unknown: Rule 6(xi): a certificate of the books is served as unknown"},
	    {"never issued", STRANGER, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 48, 0, false,
	        "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued"},
	    {"never issued, revoked", STRANGER, SERVED_ANSWER, OCSP_REVOKED, 0, 0, 0, 0, 48, 0, false,
	        "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued"},
	    {"never issued, unknown", STRANGER, SERVED_ANSWER, OCSP_UNKNOWN, 0, 0, 0, 0, 48, 0, false, NULL},
	    {"never issued, withheld", STRANGER, SERVED_LATER, 0, 0, 0, 0, 0, 0, 0, false,
	        "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued"},
	    {"never issued, none", STRANGER, SERVED_NONE, 0, 0, 0, 0, 0, 0, 0, false, NULL},
	    {"another serial", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 48, REVOKED, false,
	        "served-serial: RFC 6960 4.1.1: an answer is about another certificate"},
	    {"another issuer", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 48, 0, true,
	        "served-issuer: RFC 6960 4.1.1: an answer is about another issuer's certificates"},
	    {"a clock a little ahead", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 5000, 0, 48, 0, false, NULL},
	    {"a time to come", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 6000, 0, 48, 0, false,
	        "served-future: RFC 6960 4.2.2.1: an answer is of a time to come"},
	    {"its time is over", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, HOUR_MS, 1, 0, false,
	        "served-late: RFC 6960 2.4: an answer is served whose nextUpdate has passed"},
	    {"twelve hours left", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 0, 12, 0, false, NULL},
	    {"fewer", GOOD, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 1, 12, 0, false,
	        "served-short: B-11: an answer was not renewed in time; it ends soon"},
	    {"ended itself: renewed no more", ENDED, SERVED_ANSWER, OCSP_GOOD, 0, 0, 0, 2 * HOUR_MS, 1, 0, false, NULL},
	    {"ended itself: no answer", ENDED, SERVED_NONE, 0, 0, 0, 0, 0, 0, 0, false, NULL},
	    {"new, not answered yet", FRESH, SERVED_NONE, 0, 0, 0, 0, 30000, 0, 0, false, NULL},
	    {"not answered", FRESH, SERVED_NONE, 0, 0, 0, 0, 30001, 0, 0, false,
	        "served-missing: Rule 6(xi): a certificate of the books has no answer"},
	    {"revoked and not answered", REVOKED, SERVED_NONE, 0, 0, 0, 0, 0, 0, 0, false,
	        "served-missing: Rule 6(xi): a certificate of the books has no answer"},
	    {"withheld without a revocation", GOOD, SERVED_LATER, 0, 0, 0, 0, 0, 0, 0, false,
	        "served-withheld: Rule 6(xi): the answer of a certificate that is not revoked is withheld"},
	    {"withheld while it is signed", NEWLY, SERVED_LATER, 0, 0, 0, 0, 29999, 0, 0, false, NULL},
	    {"withheld for long", NEWLY, SERVED_LATER, 0, 0, 0, 0, 30000, 0, 0, false,
	        "served-pending: Rule 6(xi): the answer that says revoked is not there yet"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ocsp_answer a = {.issuer = w.names,
		    .serial = serial_of(rows[i].about != 0 ? rows[i].about : rows[i].of),
		    .status = rows[i].status,
		    .reason = rows[i].reason,
		    .revoked = later(rows[i].revoked),
		    .produced = later(now + rows[i].made),
		    .this_update = later(now + rows[i].made),
		    .next_update = later(now + rows[i].made + rows[i].lives * HOUR_MS)};

		a.issuer.key256[0] ^= rows[i].other_issuer;
		expect_text(rows[i].row,
		    served_check_answer(
		        &w.told, &w.names, &allowed, serial_of(rows[i].of), rows[i].kind, &a, later(now + rows[i].read)),
		    rows[i].what);
	}
}

/* An answer by the responder, or by a stranger with the responder's certificate. */
static void
sign_answer(const struct signer *who, struct buf *out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct key *k OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN];

	expect_ok("key", key_get_spki(signer_spki(w.responder), &k));
	key_identifier(k, id);
	ocsp_put_data(&data, &(struct ocsp_plan){.issuer = w.names,
	                         .serial = serial_of(GOOD),
	                         .status = OCSP_GOOD,
	                         .produced = later(0),
	                         .this_update = later(0),
	                         .next_update = later(48 * HOUR_MS),
	                         .responder_key_id = ARR(id)});
	signer_sign(who, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), buf_slice(&w.responder_certificate));
}

static void
test_responder(void **state)
{
	struct buf ours OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), theirs OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct responder r OWNED(responder_drop) = {0}, none = {0};
	struct served known = {.n_keys = 1};
	struct ocsp_answer a;
	err e;

	(void)state;
	expect_ok("ours", served_check_responder(&w.told, w.trust, buf_slice(&w.responder_certificate), later(0), &r));
	e = served_check_responder(&w.told, w.trust, buf_slice(&w.foreign), later(0), &none);
	expect_err("a stranger's", e, ERR_POLICY,
	    "answer-responder: RFC 6960 4.2.2.2: the issuer did not delegate OCSP to this certificate");
	e = served_check_responder(&w.told, w.trust, buf_slice(&w.responder_certificate), later(800 * DAY_MS), &none);
	expect_err("ended", e, ERR_POLICY,
	    "served-responder-ended: RFC 6960 4.2.2.2: an answer is by a responder whose time is over");
	e = served_check_responder(&known, w.trust, buf_slice(&w.responder_certificate), later(0), &none);
	expect_err("a key the books do not name", e, ERR_POLICY,
	    "served-responder-key: Rule 6(xvii): an answer is by a key that the books know nothing of");
	known.key[0].key = key_digest(r.key);
	expect_ok(
	    "one they name", served_check_responder(&known, w.trust, buf_slice(&w.responder_certificate), later(0), &none));
	responder_drop(&none);
	sign_answer(w.responder, &ours);
	expect_ok("read", ocsp_answer_get(buf_slice(&ours), &a));
	expect_ok("signed", served_check_signature(&r, &a));
	sign_answer(w.stranger, &theirs);
	expect_ok("read", ocsp_answer_get(buf_slice(&theirs), &a));
	expect_err("by a stranger", served_check_signature(&r, &a), ERR_POLICY,
	    "served-signature: RFC 6960 3.2: an answer's signature is not by its responder");
}

/* Each key has its time: from when it was made until it was retired. */
static void
test_keys(void **state)
{
	static const char TIME[] =
	    "served-responder-time: Rule 6(xvii): an answer is by a key that was not yet made, or was "
	    "retired since, when it is in force";
	struct buf der OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), line OWNED(buf_drop) = BUF(LINE_MAX),
	               openings OWNED(buf_drop) = BUF(1024);
	struct responder r OWNED(responder_drop) = {0};
	struct served s OWNED(served_drop) = {0};
	struct ocsp_answer a;
	const struct {
		const char *row;
		enum act act;
		int64_t at;
		const char *what;
	} rows[] = {
	    {"not made yet", ACT_KEY_GENERATED, 2 * SECOND_MS, TIME},
	    {"made", ACT_KEY_GENERATED, 0, NULL},
	    {"retired before it lapses", ACT_KEY_RETIRED, 48 * HOUR_MS - 1, TIME},
	    {"retired when it lapses", ACT_KEY_RETIRED, 48 * HOUR_MS, NULL},
	};

	(void)state;
	expect_ok("ours", served_check_responder(&w.told, w.trust, buf_slice(&w.responder_certificate), later(0), &r));
	sign_answer(w.responder, &der);
	expect_ok("read", ocsp_answer_get(buf_slice(&der), &a));
	expect_ok("no key is known", served_check_key(&s, &r, &a));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct entry e = {.line = {.n = s.lines,
		                      .at = later(rows[i].at),
		                      .act = rows[i].act,
		                      .about = ABOUT_HOUSE,
		                      .by = BY_REGISTRAR,
		                      .by_id = LIT("registrar")},
		    .what = LIT("ocsp"),
		    .key = key_digest(r.key)};

		if (rows[i].act == ACT_KEY_GENERATED)
			s.n_keys = 0;
		buf_clear(&line);
		entry_put(&line, &openings, &e);
		expect_ok("line", served_take(&s, buf_slice(&line)));
		expect_number("one key", s.n_keys, 1);
		if (rows[i].what == NULL)
			expect_ok(rows[i].row, served_check_key(&s, &r, &a));
		else
			expect_err(rows[i].row, served_check_key(&s, &r, &a), ERR_POLICY, rows[i].what);
	}
	for (uint8_t i = 0; i < SERVED_KEYS_MAX + 4; i++) {
		struct entry e = {.line = {.n = s.lines,
		                      .at = later(0),
		                      .act = ACT_KEY_GENERATED,
		                      .about = ABOUT_HOUSE,
		                      .by = BY_REGISTRAR,
		                      .by_id = LIT("registrar")},
		    .what = LIT("ocsp"),
		    .key = {{1, i}}};

		buf_clear(&line);
		entry_put(&line, &openings, &e);
		expect_ok("line", served_take(&s, buf_slice(&line)));
	}
	expect_number("so many", s.n_keys, SERVED_KEYS_MAX);
	expect_err("the retired one was let go",
	    served_check_responder(&s, w.trust, buf_slice(&w.responder_certificate), later(0), &(struct responder){0}),
	    ERR_POLICY, "served-responder-key: Rule 6(xvii): an answer is by a key that the books know nothing of");
	expect_true("the last one not", s.key[SERVED_KEYS_MAX - 1].key.b[1] == SERVED_KEYS_MAX + 3);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct list_row {
	const char *row;
	unsigned partition;
	bool delta;
	uint64_t number, base;
	int64_t made, lives; /* after AT + 1 h, ms; h */
	struct {
		uint8_t of;
		enum crl_reason reason;
		int64_t at, since; /* 0: no invalidity date */
	} entry[3];
	size_t n;
	uint64_t scope_partition; /* read as this part, if not 9 */
	bool by_stranger, other_issuer, unpublished, old, changed;
	int64_t read; /* after AT + 1 h */
	const char *what[3];
};

static void
make_list(const struct list_row *row, struct buf *out)
{
	struct buf tbs OWNED(buf_drop) = BUF(65536), sig OWNED(buf_drop) = BUF(SIG_MAX), point OWNED(buf_drop) = BUF(512);
	struct crl_entry entry[3] = {{.serial = {.n = 0}}};
	enum sig_alg alg = sig_alg_for(signer_kind(w.house->ca));
	struct crl_plan plan = {.alg = alg,
	    .issuer = w.trust->issuer.subject,
	    .this_update = later(HOUR_MS + row->made),
	    .next_update = later(HOUR_MS + row->made + row->lives * HOUR_MS),
	    .number = row->number,
	    .aki = w.trust->issuer.ski,
	    .base = row->base,
	    .entry = entry,
	    .n = row->n};
	struct cert other;

	if (row->partition > 0) {
		profile_put_crl_uri(&point, w.profile, row->partition);
		plan.point = buf_slice(&point);
	}
	if (row->other_issuer) {
		expect_ok("other", cert_get(buf_slice(&w.foreign), &other));
		plan.issuer = other.subject;
	}
	for (size_t i = 0; i < row->n; i++)
		entry[i] = (struct crl_entry){.serial = serial_of(row->entry[i].of),
		    .revoked = later(row->entry[i].at),
		    .reason = row->entry[i].reason,
		    .has_invalidity = row->entry[i].since != 0,
		    .invalidity = later(row->entry[i].since)};
	crl_put_tbs(&tbs, &plan);
	if (row->by_stranger)
		alg = SIG_ECDSA_SHA256;
	signer_sign(
	    row->by_stranger ? w.stranger : w.house->ca, sig_alg_for(signer_kind(w.house->ca)), buf_slice(&tbs), &sig);
	cert_join(out, buf_slice(&tbs), sig_alg_for(signer_kind(w.house->ca)), buf_slice(&sig));
}

#define KEY REASON_KEY_COMPROMISE
#define IT                                                                                                             \
	{                                                                                                                  \
		REVOKED, KEY, 10000, 5000                                                                                      \
	}

static void
check_list_row(const struct list_row *r)
{
	struct served_allowed allowed = SERVED_ALLOWED;
	struct buf crl OWNED(buf_drop) = BUF(65536);
	struct served_list *last = &w.told.list[served_list_place(r->partition, r->delta)], was = *last;
	unsigned as = r->scope_partition == 9 ? r->partition : (unsigned)r->scope_partition;
	uint8_t *seen = served_seen_new(&w.told);
	struct served_said said = {0};
	instant read = later(HOUR_MS + r->read);
	uint64_t number = 0;

	allowed.every_ms = 12 * HOUR_MS;
	make_list(r, &crl);
	if (!r->unpublished)
		*last = (struct served_list){
		    .number = r->old ? r->number + 1 : r->number, .at = later(HOUR_MS), .crl = sha256(buf_slice(&crl))};
	last->crl.b[0] ^= r->changed;
	expect_ok(r->row, served_check_list(&w.told, w.trust, w.profile, &allowed,
	                      &(struct served_scope){.partition = as, .delta = r->delta, .complete = 7}, buf_slice(&crl),
	                      read, seen, &number, &said));
	served_check_missing(&w.told, w.profile, &allowed, as, read, seen, &said);
	for (size_t i = 0; i < COUNT(r->what) && (r->what[i] != NULL || i < said.n); i++)
		expect_text(r->row, i < said.n ? said.at[i].e : ok, r->what[i]);
	expect_number(r->row, said.total, said.n);
	*last = was;
	free(seen);
}

static void
test_lists(void **state)
{
	/* of the two parts, the one that REVOKED falls to */
	unsigned mine = crl_partition_of(serial_of(REVOKED), 2), other = 3 - mine;
	static const char missing[] = "served-list-missing: Rule 6(x): a list does not name a certificate the books revoke";
	static const char invalidity[] =
	    "served-list-invalidity: Rule 6(xi): a list gives another invalidity date than the books";
	const struct list_row rows[] = {
	    {"as the books say", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .what = {NULL}},
	    {"a part", mine, false, 7, 0, 0, 36, {IT}, 1, 9, .what = {NULL}},
	    {"the other part", other, false, 7, 0, 0, 36, {{0}}, 0, 9, .what = {NULL}},
	    {"a delta", 0, true, 8, 7, 0, 36, {IT}, 1, 9, .what = {NULL}},
	    {"nobody named", 0, false, 7, 0, 0, 36, {{0}}, 0, 9, .what = {missing}},
	    {"a stranger named", 0, false, 7, 0, 0, 36, {{GOOD, KEY, 10000, 0}, IT}, 2, 9,
	        .what = {"served-list-foreign: Rule 6(xi): a list names a certificate that the books do not revoke"}},
	    {"another reason", 0, false, 7, 0, 0, 36, {{REVOKED, REASON_SUPERSEDED, 10000, 0}}, 1, 9,
	        .what = {"served-list-reason: Rule 6(xi): a list gives another reason than the books"}},
	    {"another time", 0, false, 7, 0, 0, 36, {{REVOKED, KEY, 9000, 0}}, 1, 9,
	        .what = {"served-list-time: Rule 6(xi): a list gives another time of revocation than the books"}},
	    {"another invalidity date", 0, false, 7, 0, 0, 36, {{REVOKED, KEY, 10000, 4000}}, 1, 9, .what = {invalidity}},
	    {"without its invalidity date", 0, false, 7, 0, 0, 36, {{REVOKED, KEY, 10000, 0}}, 1, 9, .what = {invalidity}},
	    {"one that the books do not give", 0, false, 7, 0, 0, 36, {IT, {NEWLY, KEY, 2 * HOUR_MS, 5000}}, 2, 9,
	        .what = {invalidity}},
	    {"in the other part", other, false, 7, 0, 0, 36, {IT}, 1, 9,
	        .what = {"served-list-part: RFC 5280 5.2.5: a list names a certificate of another part"}},
	    {"a part at the address of all", mine, false, 7, 0, 0, 36, {IT}, 1, 0,
	        .what = {"served-list-scope: RFC 5280 5.2.5: a list tells of other certificates than its address says",
	            missing}},
	    {"a stranger's signature", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .by_stranger = true,
	        .what = {"served-list-signature: RFC 5280 5.1.1.3: a list is not signed by the issuer", missing}},
	    {"another issuer", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .other_issuer = true,
	        .what = {"served-list-issuer: RFC 5280 5.1.2.3: a list is by another issuer", missing}},
	    {"an older one", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .old = true, .read = 30000,
	        .what = {"served-list-old: RFC 5280 5.2.3: an older list is served than the books' last"}},
	    {"an older one, a moment long", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .old = true, .read = 29999, .what = {NULL}},
	    {"one of no line", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .unpublished = true,
	        .what = {"served-list-unknown: Rule 12(1)(ii)ニ: a list is served that no line of the books published"}},
	    {"other bytes under its number", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .changed = true,
	        .what = {"served-list-bytes: Rule 12(1)(ii)ニ: a list is served in other bytes than were published"}},
	    {"a delta to another list", 0, true, 9, 8, 0, 36, {IT}, 1, 9,
	        .what = {"served-list-base: RFC 5280 5.2.4: a delta adds to another list than is served"}},
	    {"a time to come", 0, false, 7, 0, 6000, 36, {IT}, 1, 9,
	        .what = {"served-list-future: RFC 5280 5.1.2.4: a list is of a time to come"}},
	    {"its time is over", 0, false, 7, 0, 0, 36, {IT, {NEWLY, KEY, 2 * HOUR_MS, 0}}, 2, 9, .read = 36 * HOUR_MS,
	        .what = {"served-list-late: RFC 5280 5.1.2.5: a list is served whose nextUpdate has passed"}},
	    {"a new one is due", 0, false, 7, 0, 0, 36, {IT, {NEWLY, KEY, 2 * HOUR_MS, 0}}, 2, 9, .read = 13 * HOUR_MS + 1,
	        .what = {"served-list-stale: B-11: no new list was made when one was due"}},
	    {"a new revocation, a moment long", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .read = HOUR_MS + 29999, .what = {NULL}},
	    {"and longer", 0, false, 7, 0, 0, 36, {IT}, 1, 9, .read = HOUR_MS + 30000, .what = {missing}},
	    {"both are missing", 0, false, 7, 0, 0, 36, {{0}}, 0, 9, .read = HOUR_MS + 30000, .what = {missing, missing}},
	};

	(void)state;
	w.told.list = mem_new(CRL_PARTITIONS_MAX + 2, sizeof *w.told.list);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_list_row(&rows[i]);
	free(w.told.list);
	w.told.list = NULL;
}

static void
test_list_bytes(void **state)
{
	const struct served_allowed allowed = SERVED_ALLOWED;
	const struct list_row plain = {.row = "plain", .lives = 36, .number = 7, .entry = {IT}, .n = 1};
	struct buf crl OWNED(buf_drop) = BUF(65536), tbs OWNED(buf_drop) = BUF(65536), sig OWNED(buf_drop) = BUF(SIG_MAX);
	uint8_t *seen = served_seen_new(&w.told);
	struct served_said said = {0};
	uint64_t number;

	(void)state;
	make_list(&plain, &crl);
	crl.n--;
	expect_err("torn",
	    served_check_list(&w.told, w.trust, w.profile, &allowed, &(struct served_scope){0}, buf_slice(&crl),
	        later(HOUR_MS), seen, &number, &said),
	    ERR_ABSENT, "served-list-form: RFC 5280 5.1: what is served as a list cannot be read");
	/* a certificate that ended: out of the lists four days later */
	{
		const struct list_row old = {.row = "ended",
		    .lives = 36,
		    .number = UINT64_MAX,
		    .made = 5 * DAY_MS,
		    .entry = {IT, {ENDED, KEY, 3 * HOUR_MS}},
		    .n = 2};
		struct buf late OWNED(buf_drop) = BUF(65536);

		revoked(ENDED, later(3 * HOUR_MS), (instant){0});
		served_settle(&w.told);
		free(seen);
		seen = served_seen_new(&w.told);
		make_list(&old, &late);
		expect_ok("ended", served_check_list(&w.told, w.trust, w.profile, &allowed, &(struct served_scope){0},
		                       buf_slice(&late), later(HOUR_MS + 5 * DAY_MS), seen, &number, &said));
		expect_number("unknown and ended", said.n, 2);
		expect_text(
		    "ended", said.at[1].e, "served-list-ended: RFC 5280 3.3: a list names a certificate that ended long ago");
		expect_true("and whose it is", serial_eq(said.at[1].serial, serial_of(ENDED)));
	}
	free(seen);
	/* a number of nine bytes is none of ours */
	{
		struct served_said more = {0};
		struct crl c;
		struct buf whole OWNED(buf_drop) = BUF(65536);
		const uint8_t *at;

		make_list(&(struct list_row){.row = "long", .lives = 36, .number = UINT64_MAX, .entry = {IT}, .n = 1}, &whole);
		/* UINT64_MAX is nine bytes of DER, 00 first: with 01 there it is over 2^64, and signed anew */
		expect_ok("nine bytes", crl_get(buf_slice(&whole), &c));
		buf_put(&tbs, c.tbs);
		at = memmem(tbs.p, tbs.n, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11);
		expect_true("number", at != NULL);
		tbs.p[(size_t)(at - tbs.p) + 2] = 1;
		signer_sign(w.house->ca, sig_alg_for(signer_kind(w.house->ca)), buf_slice(&tbs), &sig);
		buf_clear(&whole);
		cert_join(&whole, buf_slice(&tbs), sig_alg_for(signer_kind(w.house->ca)), buf_slice(&sig));
		seen = served_seen_new(&w.told);
		expect_ok("nine bytes", served_check_list(&w.told, w.trust, w.profile, &allowed, &(struct served_scope){0},
		                            buf_slice(&whole), later(HOUR_MS), seen, &number, &more));
		expect_text("nine bytes", more.n > 0 ? more.at[0].e : ok,
		    "served-list-number: RFC 5280 5.2.3: a list's number is not one of ours");
		free(seen);
	}
}

/* --- the fold ------------------------------------------------------------------------------------ */

static void
test_fold(void **state)
{
	struct entry e = {.line = {.act = ACT_CERTIFICATE_VOIDED}, .serial = serial_of(77), .why = LIT("why")};
	static const char other[] =
	    "{\"n\":0,\"at\":\"2026-11-22T01:00:00.000Z\",\"act\":\"application.received\",\"about\":\"never read\"";
	uint64_t lines = w.told.lines;

	(void)state;
	expect_ok("voided", enter(&e, later(1)));
	expect_number("voided", w.told.ordered.n, 1);
	expect_ok("a line that says nothing here is not read", served_take(&w.told, slice_str(other)));
	expect_number("and counted", w.told.lines, lines + 2);
	expect_err("one that does, and cannot be read",
	    served_take(&w.told,
	        LIT("{\"n\":0,\"at\":\"2026-11-22T01:00:00.000Z\",\"act\":\"certificate.revoked\",\"about\":\"x\"}")),
	    ERR_CORRUPT, "served-line: house: a line that says what is to be served cannot be read");
	expect_err("one of no form", served_take(&w.told, LIT("x")), ERR_CORRUPT,
	    "served-line: house: a line that says what is to be served cannot be read");
	published(5, 0, 0, sha256(LIT("a")), later(4 * HOUR_MS));
	published(6, 0, 2, sha256(LIT("b")), later(4 * HOUR_MS));
	expect_number("rises", w.told.fallen, 0);
	published(6, 5, 0, sha256(LIT("c")), later(4 * HOUR_MS));
	expect_number("does not", w.told.fallen, w.told.lines - 1);
	expect_number("all", w.told.list[served_list_place(0, false)].number, 5);
	expect_number("a part", w.told.list[served_list_place(2, false)].number, 6);
	expect_number("the delta", w.told.list[served_list_place(0, true)].base, 5);
}

/* --- checkpoint ------------------------------------------------------------------------------------- */

static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	(void)from;
	(void)level;
	*out = sha256(slice_of(&index, sizeof index));
	return ok;
}

static void
make_note(uint64_t size, digest root, struct buf *out)
{
	struct buf text OWNED(buf_drop) = BUF(CHECKPOINT_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	slice spki = key_spki(w.trust->status_key);

	checkpoint_put_text(&text, w.trust->origin, size, root);
	signer_sign(w.house->status, SIG_ED25519, buf_slice(&text), &sig);
	checkpoint_join(out, buf_slice(&text), w.trust->origin, (slice){spki.p + spki.n - 32, 32}, buf_slice(&sig));
}

static void
test_checkpoint(void **state)
{
	const struct served_allowed allowed = SERVED_ALLOWED;
	const struct tree_nodes nodes = {.node = node};
	struct served s = {.lines = 10};
	static const struct {
		const char *row;
		uint64_t size;
		bool other;
		int64_t read;
		const char *what;
	} rows[] = {
	    {"as the books say", 8, false, 60000, NULL},
	    {"more lines than there are", 11, false, 0,
	        "served-checkpoint-ahead: design law 9: the public has seen more lines than the books have"},
	    {"another book", 8, true, 0,
	        "served-checkpoint-root: RFC 6962 2.1: the public has seen another book than this one"},
	    {"an older one", 4, false, 30000,
	        "served-checkpoint-old: FA-3: an older checkpoint is served than the books' last"},
	    {"an older one, a moment long", 4, false, 29999, NULL},
	};

	(void)state;
	s.checkpoint.n = 9;
	s.checkpoint.size = 8;
	s.checkpoint.at = later(0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf note OWNED(buf_drop) = BUF(CHECKPOINT_MAX);
		uint64_t size;
		digest root;

		expect_ok(rows[i].row, tree_root_at(&nodes, rows[i].size, &root));
		root.b[0] ^= rows[i].other;
		make_note(rows[i].size, root, &note);
		expect_text(rows[i].row,
		    served_check_checkpoint(&s, w.trust, &allowed, &nodes, buf_slice(&note), later(rows[i].read), &size),
		    rows[i].what);
	}
}

static digest
digest_of(uint8_t v)
{
	return sha256(slice_of(&v, 1));
}

/* Beside document, trust file, profile and rule set, what a baseline has as evidence is what people read (Rule 6(xiii)). */
static void
test_texts(void **state)
{
	static const struct {
		uint8_t text;
		bool has, had;
	} rows[] = {{1, false, false}, {2, false, false}, {3, false, false}, {4, false, false}, {10, false, true},
	    {11, true, true}, {12, true, true}, {13, false, false}};
	static const uint8_t texts[2][2] = {{10, 11}, {11, 12}};
	struct served s = {.lines = 0};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(LINE_MAX);
		struct entry e = {.line = {.act = ACT_BASELINE_SET,
		                      .about = ABOUT_HOUSE,
		                      .by = BY_RESPONSIBLE,
		                      .by_id = LIT("x"),
		                      .n = k,
		                      .at = later((int64_t)k * 1000),
		                      .n_evidence = 5},
		    .state = LIT("NONE"),
		    .document = digest_of(1),
		    .trust = digest_of(2),
		    .profile = digest_of(3),
		    .ruleset = digest_of(4)};

		for (uint8_t i = 0; i < 3; i++)
			e.line.evidence[i] = digest_of((uint8_t)(i + 1));
		for (size_t i = 0; i < 2; i++)
			e.line.evidence[3 + i] = digest_of(texts[k][i]);
		entry_set_rules(&e);
		entry_put(&line, &openings, &e);
		expect_ok("a baseline", served_take(&s, buf_slice(&line)));
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(served_has_text(&s, digest_of(rows[i].text)) == rows[i].has);
		assert_true(served_had_text(&s, digest_of(rows[i].text)) == rows[i].had);
	}
	assert_int_equal(s.n_texts, 2);
	served_drop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_responder),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_list_bytes),
	    cmocka_unit_test(test_fold),
	    cmocka_unit_test(test_checkpoint),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("served", tests, setup, teardown);
}
