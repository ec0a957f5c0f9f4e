/* A token of SoftHSM through edge/hsm: names, logins, keys of every kind, signatures that libcrypto verifies. */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "edge/hsm.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define USER LIT("user-pin-1")

static char folder[128], environment[300];

/* SoftHSM keeps three numbers of each curve when it is closed: its leak, not ours. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:CRYPTO_zalloc\nleak:ASN1_STRING_set\n";
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
setup(void **state)
{
	char path[256];
	FILE *f;

	(void)state;
	snprintf(folder, sizeof folder, "%s/inkan-hsm-XXXXXX", getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tokens", folder);
	assert_int_equal(0, mkdir(path, 0700));
	snprintf(path, sizeof path, "%s/softhsm2.conf", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", folder);
	fclose(f);
	snprintf(environment, sizeof environment, "SOFTHSM2_CONF=%s", path);
	putenv(environment);
	expect_ok("a token", hsm_make_token(MODULE, LIT("first"), LIT("officer-pin"), USER));
	expect_ok("another", hsm_make_token(MODULE, LIT("second"), LIT("officer-pin"), LIT("user-pin-2")));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static void
names(void **state)
{
	static const struct {
		const char *module, *uri, *what;
	} rows[] = {
	    {MODULE, "pkcs11:token=first", NULL},
	    {MODULE, "pkcs11:token=first;manufacturer=SoftHSM%20project", NULL},
	    {"libsofthsm2.so", "pkcs11:token=first", "hsm-module: house: a PKCS#11 module is named by an absolute path"},
	    {"/usr/lib/nothing.so", "pkcs11:token=first", "hsm-module-load: PKCS#11: the module cannot be loaded"},
	    {"/usr/lib/x86_64-linux-gnu/libc.so.6", "pkcs11:token=first",
	        "hsm-module-load: PKCS#11: the module cannot be loaded"},
	    {MODULE, "", "hsm-uri: RFC 7512: this is no PKCS#11 URI"},
	    {MODULE, "slot 3", "hsm-uri: RFC 7512: this is no PKCS#11 URI"},
	    {MODULE, "pkcs11:token=first;unheard-of=x", "hsm-uri: RFC 7512: this is no PKCS#11 URI"},
	    {MODULE, "pkcs11:token=first?pin-value=1", "hsm-uri-pin: house: PIN and module do not stand in a key's URI"},
	    {MODULE, "pkcs11:token=first?pin-source=/etc/pin",
	        "hsm-uri-pin: house: PIN and module do not stand in a key's URI"},
	    {MODULE, "pkcs11:token=first?module-path=/x.so",
	        "hsm-uri-pin: house: PIN and module do not stand in a key's URI"},
	    {MODULE, "pkcs11:token=third", "hsm-token: RFC 7512: the token the URI names is not there"},
	    {MODULE, "pkcs11:model=SoftHSM%20v2", "hsm-token-twice: RFC 7512: the URI names more than one token"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct hsm *h OWNED(hsm_close) = NULL;

		expect_text(rows[i].uri, hsm_open(rows[i].module, slice_str(rows[i].uri), HSM_SIGN, &h), rows[i].what);
	}
}

static void
logins(void **state)
{
	struct hsm *h OWNED(hsm_close) = NULL;
	err e;

	(void)state;
	expect_ok("open", hsm_open(MODULE, LIT("pkcs11:token=second;object=nothing"), HSM_SIGN, &h));
	e = hsm_login(h, USER);
	expect_err(
	    "the other's PIN", e, ERR_POLICY, "hsm-pin: PKCS#11 C_Login: the token refused the PIN; it is not tried again");
	assert_string_equal(hsm_rv_name(e.why), "CKR_PIN_INCORRECT");
	expect_true("not to be tried again", !hsm_is_lost(e));
	expect_err("none", hsm_login(h, LIT("")), ERR_POLICY,
	    "hsm-pin: PKCS#11 C_Login: the token refused the PIN; it is not tried again");
	expect_ok("right", hsm_login(h, LIT("user-pin-2")));
	expect_ok("twice", hsm_login(h, LIT("user-pin-2")));
	expect_err("no such key", hsm_find(h), ERR_ABSENT,
	    "hsm-key: RFC 7512: the URI names no private key on the token, or more than one");
	assert_string_equal(hsm_rv_name(0x7FFFFFFF), "CKR_?");
}

/* CR-1, FA-4 */
static void
keys(void **state)
{
	static const struct {
		const char *uri;
		enum key_kind kind;
		unsigned bits;
		enum sig_alg alg[4];
	} rows[] = {
	    {"pkcs11:token=first;object=p256", KEY_P256, 0, {SIG_ECDSA_SHA256, SIG_ECDSA_SHA384}},
	    {"pkcs11:token=first;object=p384;id=%01%02", KEY_P384, 0, {SIG_ECDSA_SHA384}},
	    {"pkcs11:token=first;object=rsa", KEY_RSA, 2048,
	        {SIG_RSA_SHA256, SIG_RSA_SHA512, SIG_PSS_SHA256, SIG_PSS_SHA384}},
	    {"pkcs11:token=first;object=edwards", KEY_ED25519, 0, {SIG_ED25519}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct hsm *made OWNED(hsm_close) = NULL, *h OWNED(hsm_close) = NULL;
		struct key *k OWNED(key_drop) = NULL;
		slice uri = slice_str(rows[i].uri);

		expect_ok("open", hsm_open(MODULE, uri, HSM_CEREMONY, &made));
		expect_ok("login", hsm_login(made, USER));
		expect_ok(rows[i].uri, hsm_generate(made, rows[i].kind, rows[i].bits));
		expect_err("twice", hsm_generate(made, rows[i].kind, rows[i].bits), ERR_CONFLICT,
		    "hsm-key-there: Rule 6(xvii): the token already holds a key of that name");
		expect_ok("again", hsm_open(MODULE, uri, HSM_SIGN, &h));
		expect_ok("login", hsm_login(h, USER));
		expect_ok("found", hsm_find(h));
		expect_same("the same", hsm_spki(h), hsm_spki(made));
		assert_int_equal(hsm_kind(h), rows[i].kind);
		expect_ok("key", key_get_spki(hsm_spki(h), &k));
		for (size_t a = 0; a < COUNT(rows[i].alg) && rows[i].alg[a] != 0; a++) {
			enum sig_alg alg = rows[i].alg[a];
			struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);
			uint8_t hash[SHA512_LEN];
			slice bytes = LIT("what is signed");

			if (alg != SIG_ED25519) {
				hash_of(sig_alg_hash(alg), bytes, hash);
				bytes = slice_of(hash, hash_len(sig_alg_hash(alg)));
			}
			expect_ok(row_name("sign", a), hsm_sign(h, alg, bytes, &sig));
			expect_ok(row_name("verify", a), key_check(k, alg, LIT("what is signed"), buf_slice(&sig)));
			buf_clear(&sig);
			expect_ok("a new session", hsm_again(h, USER));
			expect_ok("signs too", hsm_sign(h, alg, bytes, &sig));
			expect_ok("verify", key_check(k, alg, LIT("what is signed"), buf_slice(&sig)));
			if (alg != SIG_ED25519)
				expect_err("not a hash", hsm_sign(h, alg, LIT("short"), &sig), ERR_POLICY,
				    "hsm-mechanism: PKCS#11: the key or the token does not sign this way");
		}
		{
			struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);

			expect_err("another kind's",
			    hsm_sign(h, rows[i].kind == KEY_RSA ? SIG_ECDSA_SHA256 : SIG_RSA_SHA256, bytes(32, 1), &sig),
			    ERR_POLICY, "hsm-mechanism: PKCS#11: the key or the token does not sign this way");
		}
	}
	{
		struct hsm *h OWNED(hsm_close) = NULL;
		struct buf text OWNED(buf_drop) = BUF(256);

		expect_ok("open", hsm_open(MODULE, LIT("pkcs11:token=first"), HSM_CEREMONY, &h));
		expect_ok("login", hsm_login(h, USER));
		expect_err("no label", hsm_generate(h, KEY_P256, 0), ERR_WORLD,
		    "hsm-uri-object: RFC 7512: a key to be made needs an object label in its URI");
		expect_err("more than one", hsm_find(h), ERR_ABSENT,
		    "hsm-key: RFC 7512: the URI names no private key on the token, or more than one");
		hsm_put_token(h, &text);
		expect_true("says what it is", memmem(text.p, text.n, "SoftHSM", 7) != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(logins), cmocka_unit_test(keys)};

	if (access(MODULE, R_OK) != 0) {
		puts("ok 1 - # SKIP no SoftHSM here");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
