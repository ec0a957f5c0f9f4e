/* LINK: test/jpki/make.c */
/* Taking a certificate back: B-10, B-11, Rule 12(1)(ii); the set, lists and answers made from it; receipts. */
#include "test/unit/test.h"

#include <time.h>

#include "act/entry.h"
#include "act/issue.h"
#include "act/receipt.h"
#include "act/revocation.h"
#include "pki/name.h"
#include "pki/ocsp.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"
#define AT_MS UINT64_C(1795309200000)

static struct {
	const char *dir;
	struct house *house;
	struct trust *trust;
	struct signer *card, *other_card, *own, *other, *responder;
	struct crl_table *crl;
	struct buf crl_bytes, application, certificate, other_certificate, responder_certificate;
} w;

static const struct revocation_lists NO_LISTS;

/* A person's certificate as issue.c plans it. */
static void
certificate(struct signer *subject, uint8_t last, instant from, int years, struct buf *out)
{
	uint8_t ski[SHA1_LEN];
	struct key *k OWNED(key_drop) = NULL;
	struct buf name OWNED(buf_drop) = BUF(1024), id OWNED(buf_drop) = BUF(64);
	dossier_id dossier = dossier_id_of(sha256(buf_slice(&w.application)));
	struct cert_plan p = {.serial = {16, {0x40, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, last}},
	    .issuer = w.trust->issuer.subject,
	    .spki = signer_spki(subject),
	    .not_before = from,
	    .not_after = instant_add_years(from, years),
	    .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	    .aki = w.trust->issuer.ski,
	    .ski = ARR(ski)};

	buf_put_hex(&id, (slice){dossier.b, sizeof dossier.b});
	name_put(&name,
	    (struct name_part[]){{NAME_C, LIT("JP")}, {NAME_CN, LIT("山田　太郎")}, {NAME_SERIAL, buf_slice(&id)}}, 3);
	p.subject = buf_slice(&name);
	expect_ok("key", key_get_spki(signer_spki(subject), &k));
	key_identifier(k, ski);
	*out = BUF(CERT_MAX);
	make_certificate(out, w.house->ca, &p);
}

static int
setup(void **state)
{
	struct make_application a;

	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	house_read(w.house, &w.trust, NULL, NULL);
	w.card = signer_load(w.dir, "yamada");
	w.other_card = signer_load(w.dir, "ito");
	w.own = signer_new(KEY_P256, 256);
	w.other = signer_new(KEY_P256, 256);
	w.responder = signer_new(KEY_P256, 256);
	world_crl(w.dir, "signca03.crl", &w.crl_bytes, &w.crl);
	w.application = BUF(CMS_MAX);
	application_for(w.house, w.dir, "yamada", at_of(AT), &a);
	make_application(&w.application, w.card, w.own, &a);
	certificate(w.own, 14, at_of(AT), 5, &w.certificate);
	certificate(w.other, 15, at_of(AT), 5, &w.other_certificate);
	signer_set_certificate(w.own, buf_slice(&w.certificate));
	signer_set_certificate(w.other, buf_slice(&w.other_certificate));
	house_responder(w.house, w.responder, at_of(AT), &w.responder_certificate);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&w.card);
	signer_drop(&w.other_card);
	signer_drop(&w.own);
	signer_drop(&w.other);
	signer_drop(&w.responder);
	crl_table_drop(&w.crl);
	buf_drop(&w.crl_bytes);
	buf_drop(&w.application);
	buf_drop(&w.certificate);
	buf_drop(&w.other_certificate);
	buf_drop(&w.responder_certificate);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

static void
service_of(char out[256])
{
	memcpy(out, w.trust->service.p, w.trust->service.n);
	out[w.trust->service.n] = '\0';
}

static void
serial_of(slice certificate_der, char out[64])
{
	struct buf hexa OWNED(buf_drop) = BUF(64);
	struct cert c;

	expect_ok("cert", cert_get(certificate_der, &c));
	serial_put_hex(&hexa, c.serial);
	memcpy(out, hexa.p, hexa.n);
	out[hexa.n] = '\0';
}

static void
request(const struct signer *who, const char *service, const char *serial_hex, struct buf *out)
{
	const char *v[V_COUNT] = {[V_SERVICE] = service,
	    [V_SERIAL] = serial_hex,
	    [V_REASON] = "keyCompromise",
	    [V_DATE] = AT,
	    [V_SENTENCE] = REVOCATION_SENTENCE};

	*out = BUF(CMS_MAX);
	make_document(out, who, FORM_REVOCATION, v, (slice){NULL, 0}, at_of(AT));
}

static void
decision_since(const struct signer *who, const char *label, const char *serial_hex, const char *since, struct buf *out)
{
	char service[256];
	const char *v[W_COUNT] = {[W_SERVICE] = service,
	    [W_SERIAL] = serial_hex,
	    [W_REASON] = "cessationOfOperation",
	    [W_SINCE] = since,
	    [W_GROUNDS] = "本人の死亡届",
	    [W_OFFICER] = label,
	    [W_DATE] = AT};

	service_of(service);
	*out = BUF(CMS_MAX);
	make_document(out, who, FORM_OFFICE_REVOCATION, v, (slice){NULL, 0}, at_of(AT));
}

static void
decision(const struct signer *who, const char *label, const char *serial_hex, struct buf *out)
{
	decision_since(who, label, serial_hex, NULL, out);
}

static struct revoked_order
order_of(slice cms)
{
	return (struct revoked_order){.certificate = buf_slice(&w.certificate),
	    .cms = cms,
	    .application = buf_slice(&w.application),
	    .method = STATUS_CRL,
	    .crl = crl_table_digest(w.crl),
	    .judged = at_of(AT),
	    .revoked = at_of(AT)};
}

/* --- who may ask ------------------------------------------------------------------------------------------------------- */

/* B-10 */
static void
asked_rightly(void **state)
{
	char service[256], number[64];
	struct buf own OWNED(buf_drop) = {0}, card OWNED(buf_drop) = {0}, office OWNED(buf_drop) = {0};
	struct revocation r;
	struct revoked_order o;

	(void)state;
	service_of(service);
	serial_of(buf_slice(&w.certificate), number);
	request(w.own, service, number, &own);
	request(w.card, service, number, &card);
	decision(w.house->saburo, "saburo", number, &office);

	o = order_of(buf_slice(&own));
	o.application = (slice){NULL, 0};
	o.method = STATUS_NONE;
	expect_ok("own key", revocation_check(w.trust, &o, &NO_LISTS, at_of(AT), &r));
	assert_int_equal(r.by, REVOCATION_BY_CERTIFICATE);
	assert_int_equal(r.reason, REASON_KEY_COMPROMISE);
	assert_string_equal(revocation_by_name(r.by), "certificate");

	o = order_of(buf_slice(&card));
	expect_ok("card", revocation_check(w.trust, &o, &(struct revocation_lists){.cited = w.crl}, at_of(AT), &r));
	assert_int_equal(r.by, REVOCATION_BY_CARD);
	assert_string_equal(revocation_by_name(r.by), "card");
	/* however late the signer hears of it */
	expect_ok("days later", revocation_check(w.trust, &o, &(struct revocation_lists){.cited = w.crl},
	                            (instant){at_of(AT).ms + 30 * DAY_MS}, &r));

	o = order_of(buf_slice(&office));
	expect_ok("officer", revocation_check(w.trust, &o, &NO_LISTS, at_of(AT), &r));
	assert_int_equal(r.by, REVOCATION_BY_OFFICER);
	assert_string_equal(revocation_by_name(r.by), "officer");
	expect_same("person", r.person, LIT("saburo"));
	assert_int_equal(r.reason, REASON_CESSATION);
	expect_number("nobody said since when", (uint64_t)r.invalid_since.ms, 0);
	expect_true("nor will a list", !revocation_row(&r).entry.has_invalidity);
}

/* RFC 5280 5.3.2: since when, as the officer found it; from his line into the entry. */
static void
since_when(void **state)
{
	static const char early[] = "revocation-since: RFC 5280 5.3.2: invalid since a time before the certificate began";
	static const char late[] = "revocation-since-late: RFC 5280 5.3.2: invalid since a time after the decision itself";
	static const struct {
		const char *row;
		int64_t began, since, entered; /* of the certificate, the line, the entry: ms from the decision's own date */
		const char *what;
	} rows[] = {
	    {"from its first second", -DAY_MS, -DAY_MS, 0, NULL},
	    {"a second before it", -DAY_MS, -DAY_MS - SECOND_MS, 0, early},
	    {"a day ago", -5 * DAY_MS, -DAY_MS, 0, NULL},
	    {"in whole seconds", -5 * DAY_MS, -DAY_MS + 999, 0, NULL},
	    {"as it is decided", -DAY_MS, 0, 0, NULL},
	    {"a second later", -DAY_MS, SECOND_MS, REVOCATION_CLOCK_MS, late},
	    {"after the entry", -DAY_MS, 0, -SECOND_MS, late},
	};
	char number[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = {0}, mine OWNED(buf_drop) = {0}, text OWNED(buf_drop) = BUF(64);
		instant since = {at_of(AT).ms + rows[i].since};
		struct crl_entry e;
		struct revoked_order o;
		struct revocation r;
		char line[64] = {0};

		certificate(w.own, 77, (instant){at_of(AT).ms + rows[i].began}, 5, &mine);
		serial_of(buf_slice(&mine), number);
		instant_put(&text, since);
		memcpy(line, text.p, text.n);
		decision_since(w.house->saburo, "saburo", number, line, &cms);
		o = order_of(buf_slice(&cms));
		o.certificate = buf_slice(&mine);
		o.revoked.ms += rows[i].entered;
		expect_text(
		    rows[i].row, revocation_check(w.trust, &o, &NO_LISTS, (instant){at_of(AT).ms + HOUR_MS}, &r), rows[i].what);
		if (rows[i].what != NULL)
			continue;
		e = revocation_row(&r).entry;
		expect_true(rows[i].row, e.has_invalidity && e.invalidity.ms == instant_floor_second(since).ms);
	}
}

static void
asked_wrongly(void **state)
{
	enum who { OWN, CARD, OTHER_CARD, OTHER, RECEIPT, OFFICE, OFFICE_LABEL, OFFICE_DUTY };
	static const struct {
		const char *row;
		enum who who;
		int change;
		enum err_kind kind;
		const char *what;
	} rows[] = {
	    {"another service", OWN, 1, ERR_POLICY, "revocation-service: Rule 6(vii): the document is for another service"},
	    {"another serial", OWN, 2, ERR_POLICY, "revocation-serial: Rule 6(x): the document names another certificate"},
	    {"a receipt", RECEIPT, 0, ERR_INPUT,
	        "revocation-form: Rule 6(x): the document is neither a request nor a decision to revoke"},
	    {"another's certificate", OTHER, 3, ERR_POLICY,
	        "revocation-signer: Rule 6(x): the request is signed by neither certificate nor card"},
	    {"another card", OTHER_CARD, 0, ERR_POLICY,
	        "revocation-card: Rule 6(x): the request is signed by another card than the application"},
	    {"another application", CARD, 4, ERR_POLICY,
	        "revocation-application: Rule 6(x): the application is not the one of this certificate"},
	    {"another's card in an application of its own", OTHER_CARD, 14, ERR_POLICY,
	        "revocation-application: Rule 6(x): the application is not the one of this certificate"},
	    {"unchecked card", CARD, 5, ERR_ABSENT,
	        "revocation-crl: JPKI Act 19: the CRL this request cites was not handed over"},
	    {"judged long before", CARD, 6, ERR_POLICY,
	        "revocation-judged: JPKI Act 19: the card's status was not judged in the hour of the entry"},
	    {"judged after", CARD, 7, ERR_POLICY,
	        "revocation-judged: JPKI Act 19: the card's status was not judged in the hour of the entry"},
	    {"ended", OWN, 8, ERR_POLICY,
	        "revocation-expired: Rule 6(x): the certificate has ended; there is nothing to revoke"},
	    {"before it was asked", OWN, 9, ERR_POLICY,
	        "revocation-time: Rule 6(x): the entry lies before the request was signed, or ahead of now"},
	    {"in the future", OWN, 10, ERR_POLICY,
	        "revocation-time: Rule 6(x): the entry lies before the request was signed, or ahead of now"},
	    {"not ours", OWN, 11, ERR_POLICY,
	        "revocation-certificate: Rule 6(x): the certificate is not a person's of this issuer"},
	    {"the issuer's own", OWN, 12, ERR_POLICY,
	        "revocation-certificate: Rule 6(x): the certificate is not a person's of this issuer"},
	    {"the responder's", OWN, 13, ERR_POLICY,
	        "revocation-certificate: Rule 6(x): the certificate is not a person's of this issuer"},
	    {"another officer named", OFFICE_LABEL, 0, ERR_POLICY,
	        "revocation-officer: Rule 12(1)(ii)ロ: the document names another officer"},
	    {"not his duty", OFFICE_DUTY, 0, ERR_POLICY, NULL},
	};
	char service[256], number[64], other_number[64];

	(void)state;
	service_of(service);
	serial_of(buf_slice(&w.certificate), number);
	serial_of(buf_slice(&w.other_certificate), other_number);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = {0}, application OWNED(buf_drop) = BUF(CMS_MAX),
		               forged OWNED(buf_drop) = BUF(CERT_MAX);
		struct make_application a;
		struct revoked_order o;
		struct revocation r;
		instant now = at_of(AT);
		const char *n = rows[i].change == 2 ? other_number : number;
		err e;

		if (rows[i].who == OFFICE_LABEL)
			decision(w.house->saburo, "hanako", n, &cms);
		else if (rows[i].who == OFFICE_DUTY)
			decision(w.house->jiro, "jiro", n, &cms);
		else if (rows[i].who == RECEIPT) {
			char digest_hex[65] = {0};
			struct buf h OWNED(buf_drop) = BUF(80);
			const char *v[R_COUNT] = {[R_SERVICE] = service,
			    [R_DOSSIER] = "000102030405060708090a0b0c0d0e0f",
			    [R_SERIAL] = number,
			    [R_CERTIFICATE] = digest_hex,
			    [R_DATE] = AT,
			    [R_SENTENCE] = RECEIPT_SENTENCE};

			digest_put(&h, sha256(buf_slice(&w.certificate)));
			memcpy(digest_hex, h.p, 64);
			cms = BUF(CMS_MAX);
			make_document(&cms, w.own, FORM_RECEIPT, v, (slice){NULL, 0}, at_of(AT));
		} else
			request(rows[i].who == CARD         ? w.card
			        : rows[i].who == OTHER_CARD ? w.other_card
			        : rows[i].who == OTHER      ? w.other
			                                    : w.own,
			    rows[i].change == 1 ? "Another Service" : service, n, &cms);
		o = order_of(buf_slice(&cms));
		switch (rows[i].change) {
		case 3:
			o.application = (slice){NULL, 0};
			break;
		case 4:
			application_for(w.house, w.dir, "yamada", at_of(AT), &a);
			make_application(&application, w.card, w.other, &a);
			o.application = buf_slice(&application);
			break;
		case 14: /* the subscriber's own PKCS#10, taken out of his application */
			application_for(w.house, w.dir, "ito", at_of(AT), &a);
			make_application(&application, w.other_card, w.own, &a);
			o.application = buf_slice(&application);
			break;
		case 5:
			o.crl = sha256(LIT("x"));
			break;
		case 6:
			o.judged.ms -= REVOCATION_JUDGED_MS + 1;
			break;
		case 7:
			o.judged.ms += REVOCATION_CLOCK_MS + 1;
			break;
		case 8:
			now = instant_add_years(now, 6);
			break;
		case 9:
			o.revoked.ms -= REVOCATION_CLOCK_MS + 1;
			break;
		case 10:
			o.revoked.ms += REVOCATION_CLOCK_MS + 1;
			break;
		case 11:
			buf_put(&forged, buf_slice(&w.certificate));
			forged.p[forged.n - 1] ^= 1;
			o.certificate = buf_slice(&forged);
			break;
		case 12:
			o.certificate = w.trust->issuer.whole;
			break;
		case 13:
			o.certificate = buf_slice(&w.responder_certificate);
			break;
		default:
			break;
		}
		e = revocation_check(w.trust, &o, &(struct revocation_lists){.cited = w.crl}, now, &r);
		if (rows[i].what == NULL)
			expect_true(rows[i].row, e.kind == ERR_POLICY && strncmp(e.what, "person-duty", 11) == 0);
		else
			expect_err(rows[i].row, e, rows[i].kind, rows[i].what);
	}
}

/* JPKI Act 19(1): the day of the list is not chosen by who orders. */
static void
asked_by_an_older_list(void **state)
{
	static const struct {
		const char *row;
		int64_t later, taken;
		bool names, good;
	} rows[] = {
	    {"a later list that was here names the card", SECOND_MS, 0, true, false},
	    {"it does not", SECOND_MS, 0, false, true},
	    {"it came after the judgement", SECOND_MS, 1, true, true},
	    {"it is no later one", 0, 0, true, true},
	};
	struct buf tbs OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX), cms OWNED(buf_drop) = {0};
	char service[256], number[64];
	struct cert card;

	(void)state;
	service_of(service);
	serial_of(buf_slice(&w.certificate), number);
	request(w.card, service, number, &cms);
	expect_ok("card", cert_get(signer_certificate(w.card), &card));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct crl_entry e = {.serial = card.serial, .revoked = {at_of(AT).ms - DAY_MS}, .reason = REASON_UNSPECIFIED};
		struct signer *anchor OWNED(signer_drop) = signer_load(w.dir, "signca03");
		struct buf bytes OWNED(buf_drop) = BUF(8192);
		struct crl_table *table OWNED(crl_table_drop) = NULL;
		struct revoked_order o = order_of(buf_slice(&cms));
		instant taken = {o.judged.ms + rows[i].taken};
		struct revocation_lists l = {.cited = w.crl, .taken = &taken, .n_held = 1};
		struct crl_table *held[1];
		struct revocation r;
		struct crl c;
		err got;

		buf_clear(&tbs);
		buf_clear(&sig);
		if (!rows[i].names)
			e.serial.b[1] ^= 1;
		expect_ok("crl", crl_get(buf_slice(&w.crl_bytes), &c));
		crl_put_tbs(&tbs, &(struct crl_plan){.alg = SIG_RSA_SHA256,
		                      .issuer = c.issuer,
		                      .this_update = {c.this_update.ms + rows[i].later},
		                      .next_update = {c.next_update.ms + DAY_MS},
		                      .number = 1U << 30,
		                      .aki = crl_table_aki(w.crl),
		                      .entry = &e,
		                      .n = 1});
		signer_sign(anchor, SIG_RSA_SHA256, buf_slice(&tbs), &sig);
		cert_join(&bytes, buf_slice(&tbs), SIG_RSA_SHA256, buf_slice(&sig));
		expect_ok("list", crl_get(buf_slice(&bytes), &c));
		expect_ok("list", crl_table_new(&c, &table));
		held[0] = table;
		l.held = held;
		got = revocation_check(w.trust, &o, &l, at_of(AT), &r);
		if (rows[i].good)
			expect_ok(rows[i].row, got);
		else
			expect_err(rows[i].row, got, ERR_POLICY,
			    "revocation-list: JPKI Act 19(1): a later list than the one cited was here and names the card; an "
			    "officer "
			    "decides");
	}
}

/* --- the set --------------------------------------------------------------------------------------------------------- */

static struct revocation
entry(uint8_t last, instant not_after)
{
	return (struct revocation){.serial = {2, {0x40, last}},
	    .revoked = at_of(AT),
	    .not_after = not_after,
	    .reason = REASON_SUPERSEDED,
	    .by = REVOCATION_BY_CERTIFICATE};
}

static void
the_cap(void **state)
{
	static const char CAP[] =
	    "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides";

	(void)state;
	expect_ok("below, by a card", revocation_check_cap(REVOCATION_RULE_HOUR_MAX - 1, REVOCATION_BY_CARD));
	expect_ok("below, by its key", revocation_check_cap(REVOCATION_RULE_HOUR_MAX - 1, REVOCATION_BY_CERTIFICATE));
	expect_err(
	    "one more, by a card", revocation_check_cap(REVOCATION_RULE_HOUR_MAX, REVOCATION_BY_CARD), ERR_BUSY, CAP);
	expect_err("one more, by its key", revocation_check_cap(REVOCATION_RULE_HOUR_MAX, REVOCATION_BY_CERTIFICATE),
	    ERR_BUSY, CAP);
	expect_ok("an officer", revocation_check_cap(REVOCATION_RULE_HOUR_MAX, REVOCATION_BY_OFFICER));
}

/* --- lists ----------------------------------------------------------------------------------------------------------- */

/* The token's part: it is given the hash. */
static void
sign_list(const struct list_plan *t, struct buf *sig)
{
	struct buf raw OWNED(buf_drop) = BUF(SIG_MAX);

	signer_sign_hash(w.house->ca, SIG_ECDSA_SHA256, (slice){t->hashed, SHA256_LEN}, &raw);
	buf_clear(sig);
	ecdsa_put(sig, buf_slice(&raw));
}

static void
lists(void **state)
{
	static const struct {
		const char *row;
		int64_t this_off, next_off;
		uint64_t number, last;
		const char *what;
	} rows[] = {
	    {"good", 0, 36 * HOUR_MS, 8, 7, NULL},
	    {"first", 0, 36 * HOUR_MS, 1, 0, NULL},
	    {"same number", 0, 36 * HOUR_MS, 7, 7, "list-number: RFC 5280 5.2.3: the number of a list only grows"},
	    {"lower number", 0, 36 * HOUR_MS, 6, 7, "list-number: RFC 5280 5.2.3: the number of a list only grows"},
	    {"number of now", 0, 36 * HOUR_MS, AT_MS + REVOCATION_CLOCK_MS, AT_MS, NULL},
	    {"number ahead", 0, 36 * HOUR_MS, AT_MS + REVOCATION_CLOCK_MS + 1, 7,
	        "list-number-far: RFC 5280 5.2.3: the number of a list lies ahead of the time in ms"},
	    {"old", -REVOCATION_CLOCK_MS - 1, 36 * HOUR_MS, 8, 7,
	        "status-clock: Rule 6(xi): thisUpdate is over 5 minutes off the signer's clock"},
	    {"future", REVOCATION_CLOCK_MS + 1, 36 * HOUR_MS, 8, 7,
	        "status-clock: Rule 6(xi): thisUpdate is over 5 minutes off the signer's clock"},
	    {"no time", 0, 0, 8, 7, "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate"},
	    {"most", 0, STATUS_NEXT_MAX_MS, 8, 7, NULL},
	    {"too long", 0, STATUS_NEXT_MAX_MS + 1, 8, 7,
	        "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate"},
	};
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct revocation r = entry(9, instant_add_years(at_of(AT), 5));
	struct revoked row = revocation_row(&r);
	struct profile *p OWNED(profile_drop) = NULL;
	instant now = at_of(AT);

	(void)state;
	expect_ok("profile", profile_get(buf_slice(&w.house->profile), &p));
	expect_ok("add", revoked_set_add(s, &row));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct crl_order o = {.number = rows[i].number,
		    .now = {now.ms + rows[i].this_off},
		    .next_update = {now.ms + rows[i].this_off + rows[i].next_off}};
		const struct list_memory m = {.number = rows[i].last};
		struct list_plan t OWNED(list_plan_drop) = {0};
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(1 << 16);
		struct crl_entry e;
		struct crl c;
		slice entries;
		bool last;

		expect_text(rows[i].row, revocation_plan_list(w.trust, p, s, &o, &m, now, &t), rows[i].what);
		if (rows[i].what != NULL)
			continue;
		expect_number("one", t.count, 1);
		signer_sign(w.house->ca, ticket_alg(t.ticket), LIT("else"), &sig);
		expect_err("wrong signature", revocation_join_list(w.trust, &t, buf_slice(&sig)), ERR_WORLD,
		    "list-signature: Rule 6(xi): what the token returned is not the issuer's signature");
		sign_list(&t, &sig);
		expect_ok("join", revocation_join_list(w.trust, &t, buf_slice(&sig)));
		expect_ok("part", revocation_list_part(s, &t, 1 << 15, &whole, &last));
		expect_true("all", last);
		expect_number("its length", whole.n, t.frame.whole);
		expect_ok("reads", crl_get(buf_slice(&whole), &c));
		expect_ok("signed", crl_check_signed_by(&c, w.trust->issuer_key));
		entries = c.entries;
		expect_ok("entry", crl_next(&entries, &e));
		expect_true("serial", serial_eq(e.serial, r.serial));
		expect_number("only", entries.n, 0);
		expect_true("grounds", digest_eq(ticket_grounds(t.ticket), revoked_set_digest(s)));
	}
}

/*
 * Who ended leaves the lists REVOKED_KEEP_MS later, so that each stands on one list after its end; where the profile says
 * crl_expired it stays, and every list says since when: expiredCertsOnCRL (2.5.29.60), X.509 9.5.2.7.
 */
static void
list_ended(void **state)
{
	static const uint8_t ID[] = {0x06, 0x03, 0x55, 0x1D, 0x3C, 0x04, 0x11, 0x18, 0x0F};
	static const struct {
		const char *row;
		int64_t end_ms; /* from now */
		uint64_t stands, stays;
	} rows[] = {
	    {"valid", DAY_MS, 1, 1},
	    {"ended just now", -1, 1, 1},
	    {"after twice the longest life of a list", -2 * STATUS_NEXT_MAX_MS, 1, 1},
	    {"as long as it is kept", -REVOKED_KEEP_MS, 1, 1},
	    {"no longer", -REVOKED_KEEP_MS - 1, 0, 1},
	    {"years ago", -3 * 365 * DAY_MS, 0, 1},
	};
	struct buf text OWNED(buf_drop) = BUF(1 << 14);
	instant now = at_of(AT);
	const struct list_memory m = {.number = 7};
	struct crl_order o = {.number = 8, .now = now, .next_update = {now.ms + 36 * HOUR_MS}};

	(void)state;
	for (unsigned stay = 0; stay < 2; stay++) {
		struct profile *p OWNED(profile_drop) = NULL;

		buf_clear(&text);
		buf_put(&text, buf_slice(&w.house->profile));
		buf_put_str(&text, stay == 1 ? "crl_expired = yes\n" : "");
		expect_ok("profile", profile_get(buf_slice(&text), &p));
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
			struct revocation r = entry(9, (instant){now.ms + rows[i].end_ms});
			struct revoked row = revocation_row(&r);
			struct list_plan t OWNED(list_plan_drop) = {0};
			struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(1 << 16);
			time_t since = (time_t)(w.trust->issuer.not_before.ms / SECOND_MS);
			const uint8_t *at;
			char date[16];
			struct tm tm;
			struct crl c;
			bool last;

			expect_ok("add", revoked_set_add(s, &row));
			expect_ok(rows[i].row, revocation_plan_list(w.trust, p, s, &o, &m, now, &t));
			expect_number(rows[i].row, t.count, stay == 1 ? rows[i].stays : rows[i].stands);
			sign_list(&t, &sig);
			expect_ok("join", revocation_join_list(w.trust, &t, buf_slice(&sig)));
			expect_ok("part", revocation_list_part(s, &t, 1 << 15, &whole, &last));
			expect_ok("reads", crl_get(buf_slice(&whole), &c));
			at = memmem(whole.p, whole.n, ID, sizeof ID);
			expect_true("it says so", (at != NULL) == (stay == 1));
			if (at == NULL)
				continue;
			assert(gmtime_r(&since, &tm) != NULL && strftime(date, sizeof date, "%Y%m%d%H%M%SZ", &tm) == 15);
			expect_same("since the issuer began", (slice){at + sizeof ID, 15}, slice_str(date));
		}
	}
}

/* Records made as they are read: eleven million of them are nowhere. */
static err
read_made(void *of, uint64_t first, size_t n, uint8_t *out)
{
	(void)of;
	for (size_t i = 0; i < n; i++) {
		struct revoked r = {
		    .entry = {.serial = {5, {0x40}}, .revoked = at_of(AT)}, .not_after = at_of(AT), .order = first + i};
		uint32_t v = (uint32_t)(first + i);

		for (int k = 0; k < 4; k++)
			r.entry.serial.b[1 + k] = (uint8_t)(v >> (24 - 8 * k));
		revoked_record_put(out + i * REVOKED_RECORD, &r);
	}
	return ok;
}

static void
list_long(void **state)
{
	const struct revoked_base base = {
	    .from = {.n = CRL_ENTRIES_MAX + 1, .read = read_made}, .orders = CRL_ENTRIES_MAX + 1};
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct crl_order o = {.number = 5, .now = at_of(AT), .next_update = {at_of(AT).ms + HOUR_MS}};
	struct profile *p OWNED(profile_drop) = NULL;
	struct list_plan t OWNED(list_plan_drop) = {0};
	const struct list_memory m = {0};

	(void)state;
	expect_ok("profile", profile_get(buf_slice(&w.house->profile), &p));
	expect_ok("base", revoked_set_base(s, &base));
	expect_err("one too many", revocation_plan_list(w.trust, p, s, &o, &m, at_of(AT), &t), ERR_POLICY,
	    "list-long: house: a list has at most ten million entries; use partitions");
}

/* A set that comes out otherwise than it was signed is not given out. */
static void
list_bytes(void **state)
{
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new(),
	                      *other OWNED(revoked_set_drop) = revoked_set_new();
	struct crl_order o = {.number = 5, .now = at_of(AT), .next_update = {at_of(AT).ms + HOUR_MS}};
	struct profile *p OWNED(profile_drop) = NULL;
	struct list_plan t OWNED(list_plan_drop) = {0};
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(1 << 16);
	const struct list_memory m = {0};
	bool last;

	(void)state;
	expect_ok("profile", profile_get(buf_slice(&w.house->profile), &p));
	for (uint8_t i = 1; i < 9; i++) {
		struct revocation r = entry(i, instant_add_years(at_of(AT), 5));
		struct revoked row = revocation_row(&r);

		expect_ok("add", revoked_set_add(s, &row));
		row.entry.reason = REASON_KEY_COMPROMISE;
		expect_ok("add", revoked_set_add(other, &row));
	}
	expect_ok("plan", revocation_plan_list(w.trust, p, s, &o, &m, at_of(AT), &t));
	sign_list(&t, &sig);
	expect_ok("join", revocation_join_list(w.trust, &t, buf_slice(&sig)));
	expect_err("another set", revocation_list_part(other, &t, 1 << 15, &whole, &last), ERR_CORRUPT,
	    "list-bytes: design law 2: a list came out otherwise than it was signed");
}

/* --- answers --------------------------------------------------------------------------------------------------------- */

static void
answers(void **state)
{
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct responder r OWNED(responder_drop) = {0}, none;
	instant now = at_of(AT), next = {at_of(AT).ms + 36 * HOUR_MS};
	struct cert c;

	(void)state;
	expect_err("not delegated", responder_get(w.trust, buf_slice(&w.certificate), &none), ERR_POLICY,
	    "answer-responder: RFC 6960 4.2.2.2: the issuer did not delegate OCSP to this certificate");
	expect_ok("responder", responder_get(w.trust, buf_slice(&w.responder_certificate), &r));
	expect_ok("ours", cert_get(buf_slice(&w.certificate), &c));
	for (unsigned revoked = 0; revoked < 2; revoked++) {
		struct answer_plan t = {0};
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct ocsp_answer a;

		expect_ok("plan", revocation_plan_answer(w.trust, s, &r, buf_slice(&w.certificate), now, next, now, &t));
		expect_true("serial", serial_eq(t.known.serial, c.serial) && t.known.not_after.ms == c.not_after.ms);
		signer_sign(w.responder, ticket_alg(t.ticket), LIT("else"), &sig);
		expect_err("wrong signature", revocation_check_answer(&r, t.ticket, buf_slice(&sig)), ERR_WORLD,
		    "answer-signature: RFC 6960: what the token returned is not the responder's signature");
		buf_clear(&sig);
		signer_sign(w.responder, ticket_alg(t.ticket), ticket_tbs(t.ticket), &sig);
		expect_ok("right signature", revocation_check_answer(&r, t.ticket, buf_slice(&sig)));
		expect_ok("join", revocation_join_answer(&r, t.ticket, buf_slice(&sig), &whole));
		expect_ok("reads", ocsp_answer_get(buf_slice(&whole), &a));
		assert_int_equal(a.status, revoked == 0 ? OCSP_GOOD : OCSP_REVOKED);
		{
			struct revocation e = {.serial = c.serial,
			    .revoked = now,
			    .not_after = c.not_after,
			    .reason = REASON_KEY_COMPROMISE,
			    .by = REVOCATION_BY_OFFICER};

			struct revoked row = revocation_row(&e);

			expect_ok("add", revoked_set_add(s, &row));
		}
		ticket_drop(&t.ticket);
	}
	{
		struct answer_plan t = {0}, last = {0};
		struct buf forged OWNED(buf_drop) = BUF(CERT_MAX);

		buf_put(&forged, buf_slice(&w.other_certificate));
		forged.p[forged.n - 1] ^= 1;
		expect_err("not ours: never good",
		    revocation_plan_answer(w.trust, s, &r, buf_slice(&forged), now, next, now, &t), ERR_POLICY,
		    "revocation-certificate: Rule 6(x): the certificate is not a person's of this issuer");
		{
			instant end = {c.not_after.ms + REVOKED_KEEP_MS}, after = {end.ms + 1};
			struct revoked_set *empty OWNED(revoked_set_drop) = revoked_set_new();

			expect_ok("the last good", revocation_plan_answer(w.trust, empty, &r, buf_slice(&w.certificate), end,
			                               (instant){end.ms + HOUR_MS}, end, &last));
			expect_err("good for ever",
			    revocation_plan_answer(
			        w.trust, empty, &r, buf_slice(&w.certificate), after, (instant){after.ms + HOUR_MS}, after, &t),
			    ERR_POLICY,
			    "answer-ended: Rule 6(xi): the certificate ended, and what was revoked is forgotten since: nothing is "
			    "good");
			expect_ok("revoked is said as long as it is known",
			    revocation_plan_answer(
			        w.trust, s, &r, buf_slice(&w.certificate), after, (instant){after.ms + HOUR_MS}, after, &t));
			ticket_drop(&t.ticket);
			ticket_drop(&last.ticket);
		}
		expect_err("too long",
		    revocation_plan_answer(w.trust, s, &r, buf_slice(&w.other_certificate), now,
		        (instant){now.ms + STATUS_NEXT_MAX_MS + 1}, now, &t),
		    ERR_POLICY, "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate");
	}
	{
		struct known_set *known OWNED(known_set_drop) = known_set_new();
		struct known_one k = {c.serial, c.not_after};
		struct answer_plan p = {0};
		bool fresh;

		expect_err("never shown", revocation_plan_known(known, s, &r, c.serial, now, next, now, &p), ERR_ABSENT,
		    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
		expect_ok("shown", known_set_add(known, &k, &fresh));
		expect_err("not now", revocation_plan_known(known, s, &r, c.serial, now, next, next, &p), ERR_POLICY,
		    "status-clock: Rule 6(xi): thisUpdate is over 5 minutes off the signer's clock");
		expect_ok("known", revocation_plan_known(known, s, &r, c.serial, now, next, now, &p));
		expect_true("and revoked", p.revoked && p.entry.reason == REASON_KEY_COMPROMISE);
		ticket_drop(&p.ticket);
		{
			struct buf q OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
			slice nonce = LIT("0123456789abcdef0123456789abcdef");
			struct ocsp_certid id[2] = {{HASH_SHA1, ARR(r.issuer.name1), ARR(r.issuer.key1), c.serial},
			    {HASH_SHA256, ARR(r.issuer.name256), ARR(r.issuer.key256), c.serial}};
			struct ticket *live = NULL;

			ocsp_request_put_many(&q, id, 2, nonce);
			expect_ok("live", revocation_plan_live(known, s, &r, UNKNOWN_UNAUTHORIZED, buf_slice(&q), now, &live));
			expect_true("from the set", ticket_proof(live) == PROOF_REVOKED_SET);
			expect_true("with the nonce", memmem(ticket_tbs(live).p, ticket_tbs(live).n, nonce.p, nonce.n) != NULL);
			ticket_drop(&live);
			id[1].serial.b[id[1].serial.n - 1] ^= 1;
			buf_clear(&q);
			ocsp_request_put_many(&q, id, 2, nonce);
			expect_err("one that is not known",
			    revocation_plan_live(known, s, &r, UNKNOWN_UNAUTHORIZED, buf_slice(&q), now, &live), ERR_ABSENT,
			    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
			expect_ok(
			    "or that is signed", revocation_plan_live(known, s, &r, UNKNOWN_SIGNED, buf_slice(&q), now, &live));
			expect_true("as unknown", memmem(ticket_tbs(live).p, ticket_tbs(live).n, "\x82\x00", 2) != NULL);
			ticket_drop(&live);
			{
				struct known_set *nothing OWNED(known_set_drop) = known_set_new();

				expect_err("but not of one that is revoked and only forgotten here",
				    revocation_plan_live(nothing, s, &r, UNKNOWN_SIGNED, buf_slice(&q), now, &live), ERR_ABSENT,
				    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
			}
			{
				enum unknown_word word;

				expect_ok("the word", revocation_unknown_get(LIT("unknown"), &word));
				expect_true("signed", word == UNKNOWN_SIGNED);
				expect_ok("the word", revocation_unknown_get(LIT("unauthorized"), &word));
				expect_true("not signed", word == UNKNOWN_UNAUTHORIZED);
				expect_err("another", revocation_unknown_get(LIT("revoked"), &word), ERR_INPUT,
				    "ocsp-unknown-word: RFC 6960 2.2: unknown in [ocsp] is unauthorized or unknown");
			}
			id[1] = id[0];
			id[1].key_hash = ARR(r.issuer.name1);
			buf_clear(&q);
			ocsp_request_put_many(&q, id, 2, nonce);
			expect_err("another issuer's",
			    revocation_plan_live(known, s, &r, UNKNOWN_UNAUTHORIZED, buf_slice(&q), now, &live), ERR_ABSENT,
			    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
			expect_err("and nothing is ever signed of it",
			    revocation_plan_live(known, s, &r, UNKNOWN_SIGNED, buf_slice(&q), now, &live), ERR_ABSENT,
			    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
			expect_true("no request",
			    revocation_plan_live(known, s, &r, UNKNOWN_UNAUTHORIZED, LIT("x"), now, &live).kind == ERR_INPUT);
		}
	}
}

/* --- receipts -------------------------------------------------------------------------------------------------------- */

static void
receipts(void **state)
{
	static const struct {
		const char *row;
		int change;
		enum err_kind kind;
		const char *what;
	} rows[] = {
	    {"good", 0, OK, NULL},
	    {"another service", 1, ERR_POLICY, "receipt-service: Rule 6(vii): the receipt is for another service"},
	    {"another serial", 2, ERR_POLICY, "receipt-serial: Rule 12(1)(i)リ: the receipt names another certificate"},
	    {"other bytes", 3, ERR_POLICY,
	        "receipt-digest: Rule 12(1)(i)リ: the receipt names another certificate's bytes"},
	    {"by a person of the house", 4, ERR_POLICY,
	        "receipt-certificate: Rule 12(1)(i)リ: the signer is not a certificate of this issuer"},
	    {"by a card", 5, ERR_POLICY,
	        "receipt-certificate: Rule 12(1)(i)リ: the signer is not a certificate of this issuer"},
	};
	char service[256], number[64], other_number[64], digest_hex[65] = {0}, other_hex[65] = {0};
	struct buf h OWNED(buf_drop) = BUF(80), h2 OWNED(buf_drop) = BUF(80);

	(void)state;
	service_of(service);
	serial_of(buf_slice(&w.certificate), number);
	serial_of(buf_slice(&w.other_certificate), other_number);
	digest_put(&h, sha256(buf_slice(&w.certificate)));
	digest_put(&h2, sha256(buf_slice(&w.other_certificate)));
	memcpy(digest_hex, h.p, 64);
	memcpy(other_hex, h2.p, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *v[R_COUNT] = {[R_SERVICE] = rows[i].change == 1 ? "Another" : service,
		    [R_DOSSIER] = "000102030405060708090a0b0c0d0e0f",
		    [R_SERIAL] = rows[i].change == 2 ? other_number : number,
		    [R_CERTIFICATE] = rows[i].change == 3 ? other_hex : digest_hex,
		    [R_DATE] = AT,
		    [R_SENTENCE] = RECEIPT_SENTENCE};
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct receipt r;
		err e;

		make_document(&cms,
		    rows[i].change == 4   ? w.house->hanako
		    : rows[i].change == 5 ? w.card
		                          : w.own,
		    FORM_RECEIPT, v, (slice){NULL, 0}, at_of(AT));
		e = receipt_check(w.trust, buf_slice(&cms), &r);
		expect_text(rows[i].row, e, rows[i].what);
		if (e.kind != OK)
			continue;
		expect_true("certificate", digest_eq(r.certificate, sha256(buf_slice(&w.certificate))));
		expect_number("dossier", r.dossier.b[15], 15);
		expect_number("date", (uint64_t)r.date.ms, (uint64_t)at_of(AT).ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(asked_rightly), cmocka_unit_test(since_when),
	    cmocka_unit_test(asked_wrongly), cmocka_unit_test(asked_by_an_older_list), cmocka_unit_test(the_cap),
	    cmocka_unit_test(lists), cmocka_unit_test(list_bytes), cmocka_unit_test(list_long),
	    cmocka_unit_test(list_ended), cmocka_unit_test(answers), cmocka_unit_test(receipts)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
