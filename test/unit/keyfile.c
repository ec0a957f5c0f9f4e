/* The subscriber's key in a file: what we write OpenSSL opens, and nothing weaker comes out. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "edge/keyfile.h"

static char folder[] = "/tmp/inkan-keyfile-XXXXXX";

static char *
at(const char *name)
{
	char *p = (char *)keep(sizeof folder + strlen(name) + 1);

	(void)snprintf(p, sizeof folder + strlen(name) + 1, "%s/%s", folder, name);
	return p;
}

static struct secret
secret_of(const char *s)
{
	struct secret x;

	expect_ok("secret", secret_set(&x, slice_str(s)));
	return x;
}

static slice
file_of(const char *path, const char *ending)
{
	char name[256];
	uint8_t *p = keep(8192);
	ssize_t n;
	int fd;

	(void)snprintf(name, sizeof name, "%s%s", path, ending);
	fd = open(name, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, p, 8192);
	close(fd);
	assert_true(n > 0);
	return slice_of(p, (size_t)n);
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int
run(const char *format, ...)
{
	char command[2048];
	va_list a;

	va_start(a, format);
	(void)vsnprintf(command, sizeof command, format, a);
	va_end(a);
	return system(command);
}

static const struct kind_row {
	const char *name;
	enum key_kind kind;
	unsigned bits;
	enum keyfile_kdf kdf;
	const char *kdf_said; /* by openssl asn1parse */
} KINDS[] = {
    {"P-256, scrypt", KEY_P256, 0, KEYFILE_SCRYPT, "OBJECT *:scrypt"},
    {"P-384, PBKDF2", KEY_P384, 0, KEYFILE_PBKDF2, "OBJECT *:PBKDF2"},
    {"RSA-2048, scrypt", KEY_RSA, 2048, KEYFILE_SCRYPT, "OBJECT *:scrypt"},
    {"RSA-3072, PBKDF2", KEY_RSA, 3072, KEYFILE_PBKDF2, "OBJECT *:PBKDF2"},
};

static void
test_kinds(void **state)
{
	struct secret pass = secret_of("正しい馬の電池 staple"), wrong = secret_of("another passphrase");

	(void)state;
	for (size_t i = 0; i < COUNT(KINDS); i++) {
		const struct kind_row *r = &KINDS[i];
		struct keyfile *k OWNED(keyfile_drop) = NULL, *back OWNED(keyfile_drop) = NULL;
		struct key *public OWNED(key_drop) = NULL;
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), sig2 OWNED(buf_drop) = BUF(SIG_MAX);
		char *path = at(row_name("key", i));
		struct stat st;

		expect_ok(r->name, keyfile_new(r->kind, r->bits, &k));
		expect_ok(r->name, keyfile_store(k, path, &pass, r->kdf));
		assert_int_equal(stat(path, &st), 0);
		expect_number(r->name, st.st_mode & 07777, 0600);
		expect_err(r->name, keyfile_store(k, path, &pass, r->kdf), ERR_CONFLICT,
		    "keyfile-there: house: a file of that name is there already; it is never overwritten");
		expect_err(r->name, keyfile_load(path, &wrong, &back), ERR_POLICY,
		    "keyfile-passphrase: RFC 8018: the passphrase is wrong, or the file is damaged");
		expect_ok(r->name, keyfile_load(path, &pass, &back));
		expect_same(r->name, keyfile_spki(back), keyfile_spki(k));
		expect_number(r->name, keyfile_kind(back), r->kind);

		/* base/key believes both */
		expect_ok(r->name, key_get_spki(keyfile_spki(k), &public));
		expect_ok(r->name, keyfile_sign(k, sig_alg_for(r->kind), LIT("a document"), &sig));
		expect_ok(r->name, key_check(public, sig_alg_for(r->kind), LIT("a document"), buf_slice(&sig)));
		expect_ok(r->name, keyfile_sign(back, sig_alg_for(r->kind), LIT("a document"), &sig2));
		expect_ok(r->name, key_check(public, sig_alg_for(r->kind), LIT("a document"), buf_slice(&sig2)));
		expect_err(r->name, key_check(public, sig_alg_for(r->kind), LIT("a documenu"), buf_slice(&sig2)), ERR_POLICY,
		    "signature: Act 2(1): the signature was not made by this key over these bytes");

		/* and OpenSSL: the stated costs, and the key itself */
		expect_number(r->name,
		    (unsigned)run(
		        "openssl asn1parse -in '%s' | grep -q -E '%s' && openssl asn1parse -in '%s' | grep -q aes-256-cbc",
		        path, r->kdf_said, path),
		    0);
		expect_number(r->name,
		    (unsigned)run("openssl asn1parse -in '%s' | grep -q 'INTEGER *:%s'", path,
		        r->kdf == KEYFILE_SCRYPT ? "4000" : "0927C0"),
		    0);
		expect_number(r->name,
		    (unsigned)run(
		        "openssl pkey -in '%s' -passin 'pass:正しい馬の電池 staple' -pubout -outform DER -out '%s.pub'", path,
		        path),
		    0);
		expect_same(r->name, file_of(at(row_name("key", i)), ".pub"), keyfile_spki(k));
	}
}

static void
test_passphrases(void **state)
{
	static const struct {
		const char *in, *expect;
	} rows[] = {
	    {"12345678", NULL},
	    {"1234567", "keyfile-passphrase-short: NIST SP 800-63B: a passphrase has 8 characters or more"},
	    {"", "keyfile-passphrase-short: NIST SP 800-63B: a passphrase has 8 characters or more"},
	    {"八文字の合言葉だ", NULL},
	    {"七文字の合言葉", "keyfile-passphrase-short: NIST SP 800-63B: a passphrase has 8 characters or more"},
	    {"12345678\n", "keyfile-passphrase-form: house: a passphrase is one line of plain text"},
	    {"\xff"
	     "12345678",
	        "keyfile-passphrase-form: house: a passphrase is one line of plain text"},
	};
	struct keyfile *k OWNED(keyfile_drop) = NULL;

	(void)state;
	expect_ok("new", keyfile_new(KEY_P256, 0, &k));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct secret s = secret_of(rows[i].in);
		char *path = at(row_name("pass", i));

		expect_text(rows[i].in, keyfile_store(k, path, &s, KEYFILE_PBKDF2), rows[i].expect);
		expect_true(rows[i].in, (access(path, F_OK) == 0) == (rows[i].expect == NULL));
	}
}

/* CR-1: no weaker key than the law's comes out, and none of another kind. */
static void
test_refused(void **state)
{
	struct secret pass = secret_of("a passphrase");
	struct keyfile *k OWNED(keyfile_drop) = NULL;
	FILE *f;

	(void)state;
	expect_err("RSA-2047", keyfile_new(KEY_RSA, 2047, &k), ERR_INPUT,
	    "keyfile-kind: CR-1: a key of this kind signs no documents here");
	expect_err("Ed25519", keyfile_new(KEY_ED25519, 0, &k), ERR_INPUT,
	    "keyfile-kind: CR-1: a key of this kind signs no documents here");
	expect_err("no file", keyfile_load(at("nothing"), &pass, &k), ERR_ABSENT,
	    "keyfile-absent: house: the key's file cannot be opened");
	f = fopen(at("text"), "w");
	assert_non_null(f);
	fputs("no key\n", f);
	fclose(f);
	chmod(at("text"), 0600);
	expect_err("no key", keyfile_load(at("text"), &pass, &k), ERR_INPUT,
	    "keyfile-form: RFC 5958: this is not an encrypted key's file");
	chmod(at("text"), 0640);
	expect_err("others read", keyfile_load(at("text"), &pass, &k), ERR_POLICY,
	    "keyfile-mode: house: others can read the key's file; make it yours alone with chmod 600");
	assert_int_equal(run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 2>/dev/null | openssl pkcs8 "
	                     "-topk8 -v2 aes-256-cbc "
	                     "-passout 'pass:a passphrase' -out '%s'; chmod 600 '%s'",
	                     at("weak"), at("weak")),
	    0);
	expect_err("RSA-1024", keyfile_load(at("weak"), &pass, &k), ERR_POLICY,
	    "key-weak: CR-1: an RSA key has at least 2048 bits");
	expect_err("a folder that is not there",
	    keyfile_new(KEY_P256, 0, &k).kind == OK ? keyfile_store(k, at("no/key"), &pass, KEYFILE_SCRYPT) : ok, ERR_WORLD,
	    "keyfile-write: house: the file could not be written");
}

static void
test_pkcs12(void **state)
{
	struct secret pass = secret_of("a passphrase");
	struct keyfile *k OWNED(keyfile_drop) = NULL;
	slice der;

	(void)state;
	expect_ok("new", keyfile_new(KEY_P256, 0, &k));
	expect_ok("store", keyfile_store(k, at("p12key"), &pass, KEYFILE_SCRYPT));
	assert_int_equal(
	    run("openssl req -x509 -new -key '%s' -passin 'pass:a passphrase' -subj /CN=me -outform DER -out '%s'",
	        at("p12key"), at("me.cer")),
	    0);
	der = file_of(at("me.cer"), "");
	expect_ok("export", keyfile_export(k, der, "me", at("me.p12"), &pass));
	assert_int_equal(
	    run("openssl pkey -in '%s' -passin 'pass:a passphrase' -pubout -outform DER -out '%s' && openssl pkcs12 -in "
	        "'%s' "
	        "-passin 'pass:a passphrase' -nodes 2>/dev/null | openssl pkey -pubout -outform DER | cmp - '%s'",
	        at("p12key"), at("p12pub"), at("me.p12"), at("p12pub")),
	    0);
	assert_int_equal(
	    run("openssl pkcs12 -in '%s' -passin 'pass:a passphrase' -info -noout 2>&1 | grep -q 'Iteration 200000'",
	        at("me.p12")),
	    0);
	expect_err("again", keyfile_export(k, der, "me", at("me.p12"), &pass), ERR_CONFLICT,
	    "keyfile-there: house: a file of that name is there already; it is never overwritten");
	keyfile_drop(&k);
	expect_ok("another", keyfile_new(KEY_P256, 0, &k));
	expect_err("another's certificate", keyfile_export(k, der, "me", at("me2.p12"), &pass), ERR_INPUT,
	    "keyfile-other: RFC 7292: the certificate is not one for this key");
}

static int
clean_up(void **state)
{
	(void)state;
	return run("rm -rf '%s'", folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_passphrases),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_pkcs12),
	};

	if (mkdtemp(folder) == NULL)
		return 1;
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
