/* LINK: test/jpki/make.c */
/* The application: B-2, B-3.2イ (the public key comes with it), CR-1, B-1. */
#include <setjmp.h>
#include <stdarg.h>

#include "act/application.h"
#include "test/jpki/make.h"

#include <cmocka.h>

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

static struct {
	const char *dir;
	struct signer *card, *own;
} w;

static int
setup(void **state)
{
	(void)state;
	w.dir = make_world(DAY, 0);
	w.card = signer_load(w.dir, "yamada");
	w.own = signer_new(KEY_P256, 256);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&w.card);
	signer_drop(&w.own);
	return 0;
}

static void
good_application(void **state)
{
	struct make_application m = {.at = at_of(AT), .contact = "taro.yamada@example.jp", .helped = "山田　花子, 妻"};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct application a OWNED(application_drop) = {0};

	(void)state;
	make_application(&cms, w.card, w.own, &m);
	assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
	assert_true(digest_eq(a.document, sha256(buf_slice(&cms))));
	assert_true(slice_eq(a.name, LIT("山田　太郎")));
	assert_true(slice_eq(a.contact, LIT("taro.yamada@example.jp")));
	assert_int_equal(1980, a.birth_year);
	assert_int_equal(1, a.birth_month);
	assert_int_equal(15, a.birth_day);
	assert_int_equal(SEX_MALE, a.sex);
	assert_int_equal(5, a.validity_years);
	assert_int_equal(at_of(AT).ms, a.confirmed.ms);
	assert_true(slice_eq(key_spki(a.key), signer_spki(w.own)));
	assert_true(slice_eq(a.nonce, a.request.challenge));
}

/* CR-1: every key the law allows, each with its proof of possession. */
static void
every_kind_of_key(void **state)
{
	const struct {
		enum key_kind kind;
		unsigned bits;
	} rows[] = {{KEY_P256, 256}, {KEY_P384, 384}, {KEY_RSA, 2048}, {KEY_RSA, 3072}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct make_application m = {.at = at_of(AT)};
		struct signer *own OWNED(signer_drop) = signer_new(rows[i].kind, rows[i].bits);
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct application a OWNED(application_drop) = {0};

		make_application(&cms, w.card, own, &m);
		assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
		assert_int_equal(rows[i].kind, key_kind(a.key));
		assert_int_equal(rows[i].bits, key_bits(a.key));
	}
}

static void
expect(const struct buf *cms, enum err_kind kind, const char *what)
{
	struct application a;
	err e = application_get(buf_slice(cms), &a);

	assert_int_not_equal(OK, e.kind);
	assert_string_equal(what, e.what);
	assert_int_equal(kind, e.kind);
}

#define CONTACT "application-contact: house: the contact is a mail address, or \"letter\""
#define KEY "application-key: house: the key is kept in \"file\", or \"token: \" with model and serial number"
#define HELPED "application-helped: house: who helped is \"-\", or a name, a comma and the relation"
#define BIRTH "birth: house: a birth date is written like 1990-12-31, with zeros for what is unknown"
#define LONG "application-long: domain 2.3: a name and an address have at most 200 characters"

static void
values_are_refused(void **state)
{
	static char long_name[201 * 3 + 1], long_mail[300];
	const struct {
		struct make_application m;
		const char *what;
	} rows[] = {
	    {{.contact = "nobody"}, CONTACT},
	    {{.contact = "a@b@c.jp"}, CONTACT},
	    {{.contact = "a b@c.jp"}, CONTACT},
	    {{.contact = "@c.jp"}, CONTACT},
	    {{.contact = ".a@c.jp"}, CONTACT},
	    {{.contact = "a..b@c.jp"}, CONTACT},
	    {{.contact = "a@c"}, CONTACT},
	    {{.contact = "a@c..jp"}, CONTACT},
	    {{.contact = "a@-c.jp"}, CONTACT},
	    {{.contact = "a@例.jp"}, CONTACT},
	    {{.contact = "\"a\"@c.jp"}, CONTACT},
	    {{.contact = long_mail}, CONTACT},
	    {{.contact = "-"}, CONTACT},
	    {{.key = "cloud"}, KEY},
	    {{.key = "token: YubiKey"}, KEY},
	    {{.key = "token:"}, KEY},
	    {{.helped = "花子"}, HELPED},
	    {{.helped = "花子,妻"}, HELPED},
	    {{.helped = ", 妻"}, HELPED},
	    {{.birth = "1980-1-15"}, BIRTH},
	    {{.birth = "1980-13-01"}, BIRTH},
	    {{.birth = "1981-02-29"}, BIRTH},
	    {{.name = long_name}, LONG},
	    {{.address = long_name}, LONG},
	};

	(void)state;
	for (size_t i = 0; i < 201; i++)
		memcpy(long_name + 3 * i, "町", 3);
	memset(long_mail, 'a', 251);
	memcpy(long_mail, "b@", 2);
	memcpy(long_mail + 251, ".jpn", 5);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct make_application m = rows[i].m;
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);

		m.at = at_of(AT);
		make_application(&cms, w.card, w.own, &m);
		expect(&cms, ERR_INPUT, rows[i].what);
	}
}

static void
values_at_their_limits(void **state)
{
	static char name[200 * 3 + 1], mail[CONTACT_MAX + 1];
	const struct make_application rows[] = {{.name = name, .address = name}, {.contact = mail},
	    {.contact = "a+b.c'd@x-y.z1.jp"}, {.key = "token: YubiKey 5 NFC 123456"}, {.birth = "0000-00-00"},
	    {.birth = "1940-00-00"}, {.birth = "1900-01-01"}, {.sex = "unknown", .validity = "1", .language = "en"}};

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(name + 3 * i, "町", 3);
	memset(mail, 'a', CONTACT_MAX);
	memcpy(mail, "b@", 2);
	mail[CONTACT_MAX - 3] = '.';
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct make_application m = rows[i];
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct application a OWNED(application_drop) = {0};

		m.at = at_of(AT);
		make_application(&cms, w.card, w.own, &m);
		assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
	}
}

/* A document whose one line says something else, signed like any other. */
static void
make_edited(const char *from, const char *to, struct buf *cms)
{
	struct make_application m = {.at = at_of(AT)};
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), edited OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	const uint8_t *p;
	size_t at;

	make_application_text(&text, w.own, &m);
	p = memmem(text.p, text.n, from, strlen(from));
	assert_non_null(p);
	at = (size_t)(p - text.p);
	buf_put(&edited, slice_of(text.p, at));
	buf_put_str(&edited, to);
	buf_put(&edited, slice_of(text.p + at + strlen(from), text.n - at - strlen(from)));
	make_cms(cms, w.card, buf_slice(&edited), at_of(AT));
}

static void
explanation_before_application(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
	    {"Explanation confirmed at: 2026-11-22T01:00:00.000Z", "Explanation confirmed at: 2026-11-22T00:59:59.999Z"},
	    {"Explanation confirmed at: 2026-11-22T01:00:00.000Z", "Explanation confirmed at: 2026-11-22T01:00:00.001Z"},
	    {"Explanation shown at: 2026-11-22T01:00:00.000Z", "Explanation shown at: 2026-11-22T01:00:00.001Z"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) { /* B-1 */
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);

		make_edited(rows[i].from, rows[i].to, &cms);
		expect(&cms, ERR_INPUT,
		    "application-explanation: Rule 6(i): the explanation is shown, then confirmed, then the application made");
	}
}

static void
challenge_must_be_the_requests(void **state)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), longer OWNED(buf_drop) = BUF(CMS_MAX);
	char nonce[NONCE_TEXT_MAX + 2];
	struct make_application m = {.at = at_of(AT), .nonce = nonce};

	(void)state; /* B-3.2イ */
	make_edited("Challenge: challenge\n", "Challenge: chall3nge\n", &cms);
	expect(&cms, ERR_INPUT, "application-challenge: Rule 6(iii-2): the request and the document name other challenges");
	memset(nonce, 'n', sizeof nonce - 1);
	nonce[sizeof nonce - 1] = '\0';
	make_application(&longer, w.card, w.own, &m);
	expect(
	    &longer, ERR_INPUT, "application-challenge: Rule 6(iii-2): the request and the document name other challenges");
}

/* Puts another request into the block. */
static void
make_with_request(slice request, struct buf *cms)
{
	struct make_application m = {.at = at_of(AT)};
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), again OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	struct document d;

	make_application_text(&text, w.own, &m);
	assert_int_equal(OK, document_get(buf_slice(&text), &d).kind);
	assert_int_equal(OK, document_put(&again, FORM_APPLICATION, d.value, d.n, request).kind);
	make_cms(cms, w.card, buf_slice(&again), at_of(AT));
}

static void
possession_and_weak_keys(void **state)
{
	struct signer *other OWNED(signer_drop) = signer_new(KEY_P256, 256),
	                     *ed OWNED(signer_drop) = signer_new(KEY_ED25519, 256);
	struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX),
	                request OWNED(buf_drop) = BUF(REQUEST_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	                request2 OWNED(buf_drop) = BUF(REQUEST_MAX), cms2 OWNED(buf_drop) = BUF(CMS_MAX),
	                spki OWNED(buf_drop) = BUF(SPKI_MAX), info3 OWNED(buf_drop) = BUF(REQUEST_MAX),
	                request3 OWNED(buf_drop) = BUF(REQUEST_MAX), cms3 OWNED(buf_drop) = BUF(CMS_MAX);
	uint8_t modulus[128];

	(void)state;
	/* another subscriber's key in a request signed by one's own */
	request_put_info(&info, signer_spki(other), LIT("challenge"));
	signer_sign(w.own, SIG_ECDSA_SHA256, buf_slice(&info), &sig);
	request_join(&request, buf_slice(&info), SIG_ECDSA_SHA256, buf_slice(&sig));
	make_with_request(buf_slice(&request), &cms);
	expect(&cms, ERR_POLICY, "request-possession: Rule 6(iii-2): the request is not signed by the key it carries");
	make_request(&request2, ed, LIT("challenge"));
	make_with_request(buf_slice(&request2), &cms2);
	expect(&cms2, ERR_POLICY, "key-kind: CR-1: the key is neither RSA nor on an elliptic curve we know");
	memset(modulus, 0xC5, sizeof modulus);
	key_put_spki(&spki, KEY_RSA, ARR(modulus));
	request_put_info(&info3, buf_slice(&spki), LIT("challenge"));
	request_join(&request3, buf_slice(&info3), SIG_RSA_SHA256, ARR(modulus));
	make_with_request(buf_slice(&request3), &cms3);
	expect(&cms3, ERR_POLICY, "key-weak: CR-1: an RSA key has at least 2048 bits");
}

static void
not_an_application(void **state)
{
	struct make_application m = {.at = at_of(AT)};
	struct signer *person OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	                receipt OWNED(buf_drop) = BUF(CMS_MAX), good OWNED(buf_drop) = BUF(CMS_MAX);
	static const char *const r[] = {"Inkan Test CA", "00112233445566778899aabbccddeeff", "4a5b",
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", AT, RECEIPT_SENTENCE};

	(void)state;
	make_application_text(&text, w.own, &m);
	make_cms(&cms, person, buf_slice(&text), m.at);
	expect(&cms, ERR_INPUT, "application-signer: Rule 6(ii): an application carries the card's certificate");
	make_document(&receipt, w.card, FORM_RECEIPT, r, (slice){NULL, 0}, m.at);
	expect(&receipt, ERR_INPUT, "document-form: house: the document is of another form than was expected");
	make_application(&good, w.card, w.own, &m);
	for (size_t i = 0; i < good.n; i += 7) { /* no byte can change unseen, but for the signature's own */
		struct application a OWNED(application_drop) = {0};

		good.p[i] ^= 0x01;
		if (application_get(buf_slice(&good), &a).kind == OK)
			assert_true(a.cms.signature.p <= good.p + i || a.cms.signed_attrs.p <= good.p + i ||
			            a.cms.certificate.p <= good.p + i);
		good.p[i] ^= 0x01;
	}
}

static void
births(void **state)
{
	static const struct {
		const char *text;
		int year, month, day; /* year -1: refused */
	} rows[] = {{"1990-12-31", 1990, 12, 31}, {"2000-02-29", 2000, 2, 29}, {"1900-02-29", -1, 0, 0},
	    {"1868-01-01", 1868, 1, 1}, {"1867-12-31", -1, 0, 0}, {"1940-00-00", 1940, 0, 0}, {"1940-05-00", 1940, 5, 0},
	    {"0000-02-29", 0, 2, 29}, {"0000-02-30", -1, 0, 0}, {"1940-00-31", 1940, 0, 31}, {"1940-00-32", -1, 0, 0},
	    {"", -1, 0, 0}, {"1990-12-311", -1, 0, 0}, {"1990/12/31", -1, 0, 0}, {"199a-12-31", -1, 0, 0},
	    {"2200-01-01", -1, 0, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(32);
		int y = 0, m = 0, d = 0;
		err e = birth_get(slice_str(rows[i].text), &y, &m, &d);

		if (rows[i].year < 0) {
			assert_int_equal(ERR_INPUT, e.kind);
			assert_string_equal(BIRTH, e.what);
			continue;
		}
		assert_int_equal(OK, e.kind);
		assert_int_equal(rows[i].year, y);
		assert_int_equal(rows[i].month, m);
		assert_int_equal(rows[i].day, d);
		birth_put(&b, y, m, d);
		assert_true(slice_eq(buf_slice(&b), slice_str(rows[i].text)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_application),
	    cmocka_unit_test(every_kind_of_key),
	    cmocka_unit_test(values_are_refused),
	    cmocka_unit_test(values_at_their_limits),
	    cmocka_unit_test(explanation_before_application),
	    cmocka_unit_test(challenge_must_be_the_requests),
	    cmocka_unit_test(possession_and_weak_keys),
	    cmocka_unit_test(not_an_application),
	    cmocka_unit_test(births),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
