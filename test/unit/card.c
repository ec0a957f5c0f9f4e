/* PKCS#11 tokens of a person, against SoftHSM: found by name, one try a login, keys that never leave. */
#include <unistd.h>

#include "test/unit/test.h"

#include "edge/card.h"

static char folder[] = "/tmp/inkan-card-XXXXXX";
static char module[256];

static const slice ID1 = {(const uint8_t *)"\x01", 1}, ID2 = {(const uint8_t *)"\x02", 1},
                   ID3 = {(const uint8_t *)"\x03", 1};

static struct secret
secret_of(const char *s)
{
	struct secret x;

	expect_ok("secret", secret_set(&x, slice_str(s)));
	return x;
}

static int
set_up(void **state)
{
	char command[512], conf[128];
	FILE *p;
	size_t n;

	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", folder);
	setenv("SOFTHSM2_CONF", conf, 1);
	(void)snprintf(command, sizeof command,
	    "test/card/softhsm make %s mine 87654321 4321 && test/card/softhsm make %s twin 87654321 1111 && "
	    "test/card/softhsm make %s twin "
	    "87654321 1111",
	    folder, folder, folder);
	if (system(command) != 0)
		return 1;
	p = popen("test/card/softhsm module", "r");
	if (p == NULL)
		return 1;
	n = fread(module, 1, sizeof module - 1, p);
	(void)pclose(p);
	module[n > 0 ? n - 1 : 0] = '\0';
	return module[0] == '\0';
}

static int
clean_up(void **state)
{
	char command[512];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void
test_found(void **state)
{
	static const struct {
		const char *module, *label;
		enum err_kind kind;
		const char *expect;
	} rows[] = {
	    {"softhsm.so", "mine", ERR_INPUT, "card-module-path: PKCS#11: the module is named by its absolute path"},
	    {"/nowhere/softhsm.so", "mine", ERR_ABSENT,
	        "card-module: PKCS#11: the module for cards is not there; install opensc or name it with --module"},
	    {NULL, "min", ERR_ABSENT, "card-label: PKCS#11: no card or token of that name is there"},
	    {NULL, "mine ", ERR_ABSENT, "card-label: PKCS#11: no card or token of that name is there"},
	    {NULL, "twin", ERR_CONFLICT, "card-many: PKCS#11: two cards or tokens of that name are there; take one out"},
	};
	struct card *c OWNED(card_close) = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_err(rows[i].expect, card_open(rows[i].module == NULL ? module : rows[i].module, rows[i].label, &c),
		    rows[i].kind, rows[i].expect);
	expect_ok("mine", card_open(module, "mine", &c));
	expect_same("label", card_label(c), LIT("mine"));
	expect_same("model", card_model(c), LIT("SoftHSM v2"));
	expect_number("a serial number", card_serial(c).n, 16);
}

static void
test_pins(void **state)
{
	struct secret right = secret_of("4321"), wrong = secret_of("4322"), none = {.n = 0};
	struct card *c OWNED(card_close) = NULL;

	(void)state;
	expect_ok("open", card_open(module, "mine", &c));
	expect_number("all tries", card_tries(c), CARD_TRIES_ALL);
	expect_err("wrong", card_login(c, &wrong), ERR_POLICY,
	    "card-pin-wrong: PKCS#11: the PIN is wrong; the card counts wrong ones and locks itself after a few");
	expect_number("the token says so", card_tries(c), CARD_TRIES_SOME_USED);
	expect_err("empty", card_login(c, &none), ERR_INPUT,
	    "card-pin-form: PKCS#11: this cannot be the PIN; the card was not asked");
	expect_ok("right", card_login(c, &right));
	expect_ok("again", card_login(c, &right));
	expect_number("set back", card_tries(c), CARD_TRIES_ALL);
}

static void
test_jpki_pin(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"ABC123", "ABC123"},
	    {"abc123", "ABC123"},
	    {"ABCDEFGH12345678", "ABCDEFGH12345678"},
	    {"ABCDEFGH123456789", NULL},
	    {"ABC12", NULL},
	    {"ABC 123", NULL},
	    {"ＡＢＣ１２３", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct secret s = secret_of(rows[i].in);
		err e = card_pin_of_jpki(&s);

		expect_text(rows[i].in, e,
		    rows[i].out == NULL ? "card-pin-form: PKCS#11: this cannot be the PIN; the card was not asked" : NULL);
		if (rows[i].out != NULL)
			expect_same(rows[i].in, secret_slice(&s), slice_str(rows[i].out));
	}
}

static void
test_keys(void **state)
{
	static const struct {
		const char *name;
		enum key_kind kind;
		unsigned bits;
		enum sig_alg alg;
		const slice *id;
	} rows[] = {
	    {"P-256", KEY_P256, 0, SIG_ECDSA_SHA256, &ID1},
	    {"P-384", KEY_P384, 0, SIG_ECDSA_SHA384, &ID2},
	    {"RSA-2048", KEY_RSA, 2048, SIG_RSA_SHA256, &ID3},
	};
	struct secret right = secret_of("4321"), wrong = secret_of("9999");
	struct card *c OWNED(card_close) = NULL;

	(void)state;
	expect_ok("open", card_open(module, "mine", &c));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf spki OWNED(buf_drop) = BUF(SPKI_MAX), again OWNED(buf_drop) = BUF(SPKI_MAX);
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), sig2 OWNED(buf_drop) = BUF(SIG_MAX),
		               cert OWNED(buf_drop) = BUF(64);
		struct key *k OWNED(key_drop) = NULL;

		expect_ok("login", card_login(c, &right));
		expect_err(rows[i].name, card_has_key(c, *rows[i].id), ERR_ABSENT,
		    "card-object: PKCS#11: the card has no such certificate or key");
		expect_ok(rows[i].name, card_generate(c, rows[i].kind, rows[i].bits, "subscriber", *rows[i].id, &spki));
		expect_ok(rows[i].name, card_has_key(c, *rows[i].id));
		expect_err(rows[i].name, card_generate(c, rows[i].kind, rows[i].bits, "subscriber", *rows[i].id, &again),
		    ERR_CONFLICT, "card-key-there: PKCS#11: the token holds a key of that id already");
		expect_ok(rows[i].name, card_spki(c, *rows[i].id, &again));
		expect_same(rows[i].name, buf_slice(&again), buf_slice(&spki));
		expect_ok(rows[i].name, key_get_spki(buf_slice(&spki), &k));
		expect_number(rows[i].name, key_kind(k), rows[i].kind);
		expect_ok(rows[i].name, card_sign(c, *rows[i].id, rows[i].alg, LIT("a document"), NULL, &sig));
		expect_ok(rows[i].name, key_check(k, rows[i].alg, LIT("a document"), buf_slice(&sig)));
		/* With a PIN the token itself has checked it for this one signature. */
		expect_ok(rows[i].name, card_sign(c, *rows[i].id, rows[i].alg, LIT("another"), &right, &sig2));
		expect_ok(rows[i].name, key_check(k, rows[i].alg, LIT("another"), buf_slice(&sig2)));
		buf_clear(&sig2);
		expect_err(rows[i].name, card_sign(c, *rows[i].id, rows[i].alg, LIT("another"), &wrong, &sig2), ERR_POLICY,
		    "card-pin-wrong: PKCS#11: the PIN is wrong; the card counts wrong ones and locks itself after a few");
		expect_number("nothing came out", sig2.n, 0);
		expect_err(rows[i].name, card_certificate(c, *rows[i].id, &cert), ERR_ABSENT,
		    "card-object: PKCS#11: the card has no such certificate or key");
	}
	expect_ok("login", card_login(c, &right));
	{
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);

		expect_err("PSS", card_sign(c, ID3, SIG_PSS_SHA256, LIT("a document"), NULL, &sig), ERR_POLICY,
		    "card-mechanism: PKCS#11: the token does not do this with that kind of key");
	}
}

static void
test_certificates(void **state)
{
	struct secret right = secret_of("4321");
	struct card *c OWNED(card_close) = NULL;
	struct buf out OWNED(buf_drop) = BUF(9000);
	slice cert = bytes(8000, 0x30), name = hex("3000");

	(void)state;
	expect_ok("open", card_open(module, "mine", &c));
	expect_ok("login", card_login(c, &right));
	expect_ok("store", card_store_certificate(c, "mine", ID1, name, cert));
	expect_ok("read", card_certificate(c, ID1, &out));
	expect_same("the same", buf_slice(&out), cert);
	expect_err("again", card_store_certificate(c, "mine", ID1, name, cert), ERR_CONFLICT,
	    "card-key-there: PKCS#11: the token holds a key of that id already");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_pins),
	    cmocka_unit_test(test_jpki_pin),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_certificates),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
