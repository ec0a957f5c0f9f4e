/* LINK: test/jpki/make.c */
/* Profiles, and the lint of every certificate of a person (CR-1, B-4, B-5, B-6, B-8, B-11). */
#include "test/unit/test.h"

#include "act/profile.h"
#include "pki/name.h"
#include "test/jpki/make.h"

#define AT "2026-11-22T01:00:00.000Z"

static const char FILE_TEXT[] = "[profile]\n"
                                "name = person-signature\n"
                                "version = 1\n"
                                "policy = 2.999.1.1\n"
                                "cps = http://127.0.0.1:8480/cps/\n"
                                "crl = http://127.0.0.1:8480/crl/issuer.crl\n"
                                "ocsp = http://127.0.0.1:8480/ocsp\n"
                                "ca_issuers = http://127.0.0.1:8480/ca/issuer.cer\n"
                                "validity_years_max = 5\n"
                                "keys = p256 p384 rsa2048\n"
                                "subject_address = no\n"
                                "subject_birth = no\n";

static slice
edit(const char *from, const char *to)
{
	const char *p = strstr(FILE_TEXT, from);
	size_t at;

	assert_non_null(p);
	at = (size_t)(p - FILE_TEXT);
	return join(join(slice_of(FILE_TEXT, at), slice_str(to)), slice_str(p + strlen(from)));
}

static void
reads_what_it_says(void **state)
{
	struct profile *p OWNED(profile_drop) = NULL;

	(void)state;
	expect_ok("profile", profile_get(slice_str(FILE_TEXT), &p));
	expect_true("digest", digest_eq(p->digest, sha256(slice_str(FILE_TEXT))));
	expect_same("name", p->name, LIT("person-signature"));
	expect_same("crl", p->crl, LIT("http://127.0.0.1:8480/crl/issuer.crl"));
	expect_number("years", (uint64_t)p->validity_years_max, 5);
	expect_number("keys", p->keys, SIZE_P256 | SIZE_P384 | SIZE_RSA2048);
	expect_true("flags", !p->address && !p->birth);
	expect_same("policy", buf_slice(&p->policy), hex("88 37 01 01"));
}

#define URI "profile-uri: RFC 5280 4.2.1.6: a URI is http or https in at most 255 printable characters"
#define KEYS "profile-keys: CR-1: keys are p256, p384, rsa2048, rsa3072 or rsa4096, each once"
#define NAME_TEXT "profile-name: house: a profile has a name of at most 64 bytes"
#define PARTITIONS "profile-partitions: RFC 5280 5.2.5: a list is parted into 2 to 1024, or not at all"
#define YEARS "profile-validity: Rule 6(iv): a certificate is valid for 1 to 5 years"

static void
refusals(void **state)
{
	static char long_uri[300];
	const struct {
		const char *from, *to, *what;
	} rows[] = {
	    {"version = 1", "version = 2", "profile-version: house: the profile is of a version this engine does not read"},
	    {"name = person-signature", "name =", NAME_TEXT},
	    {"name = person-signature", "name = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	        NAME_TEXT},
	    {"policy = 2.999.1.1", "policy = 2", "oid: X.660: an object identifier is written like 1.2.392.200149"},
	    {"cps = http://127.0.0.1:8480/cps/", "cps = ftp://a/", URI},
	    {"crl = http://127.0.0.1:8480/crl/issuer.crl", "crl = http://a b/", URI},
	    {"ocsp = http://127.0.0.1:8480/ocsp", "ocsp = http://例/", URI},
	    {"ocsp = ", "crl_partitions = 1\nocsp = ", PARTITIONS},
	    {"ocsp = ", "crl_partitions = 1025\nocsp = ", PARTITIONS},
	    {"ocsp = ", "crl_delta = ftp://a/\nocsp = ", URI},
	    {"ocsp = ", "crl_expired = 1\nocsp = ", "conf-flag: house: a flag is yes or no"},
	    {"ca_issuers = http://127.0.0.1:8480/ca/issuer.cer", long_uri, URI},
	    {"validity_years_max = 5", "validity_years_max = 6", YEARS}, /* B-4 */
	    {"validity_years_max = 5", "validity_years_max = 0", YEARS},
	    {"keys = p256 p384 rsa2048", "keys = p256 p192", KEYS}, /* CR-1 */
	    {"keys = p256 p384 rsa2048", "keys = rsa1024", KEYS},
	    {"keys = p256 p384 rsa2048", "keys = p256 p256", KEYS},
	    {"keys = p256 p384 rsa2048", "keys =", KEYS},
	    {"subject_birth = no", "subject_birth = 0", "conf-flag: house: a flag is yes or no"},
	    {"subject_birth = no\n", "", "conf-absent: house: a configuration file lacks a name it must have"},
	    {"subject_birth = no", "subject_sex = no",
	        "conf-unknown: house: a configuration file has a name its reader does not know"},
	    {"subject_birth = no\n", "subject_birth = no\n[more]\na = b\n",
	        "profile-section: house: a profile has the section [profile] and no other"},
	};

	(void)state;
	snprintf(long_uri, sizeof long_uri, "ca_issuers = http://%0249d", 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct profile *p = NULL;

		expect_text(row_name("rows", i), profile_get(edit(rows[i].from, rows[i].to), &p), rows[i].what);
		expect_true("nothing is left", p == NULL);
	}
}

static void
keys(void **state)
{
	static const struct {
		enum key_kind kind;
		unsigned bits;
		bool allowed;
	} rows[] = {{KEY_P256, 256, true}, {KEY_P384, 384, true}, {KEY_RSA, 2048, true}, {KEY_RSA, 3072, false},
	    {KEY_RSA, 2304, false}, {KEY_ED25519, 256, false}};
	struct profile *p OWNED(profile_drop) = NULL;

	(void)state;
	expect_ok("profile", profile_get(slice_str(FILE_TEXT), &p));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signer *s OWNED(signer_drop) = signer_new(rows[i].kind, rows[i].bits);
		struct key *k OWNED(key_drop) = NULL;

		expect_ok("key", key_get_spki(signer_spki(s), &k));
		expect_text(row_name("rows", i), profile_check_key(p, k),
		    rows[i].allowed ? NULL : "profile-key: CR-1: the profile does not allow a key of this kind or size");
	}
}

/* ---- the lint -------------------------------------------------------------------------------------------------------- */

static struct {
	struct signer *ca, *own;
	struct profile *profile;
	struct cert issuer;
	uint8_t ski[SHA1_LEN];
	struct buf subject;
} w;

static void
put_name(struct buf *b, const struct name_part *parts, size_t n)
{
	buf_clear(b);
	name_put(b, parts, n);
}

static int
setup(void **state)
{
	const struct name_part parts[] = {
	    {NAME_C, LIT("JP")}, {NAME_CN, LIT("山田　太郎")}, {NAME_SERIAL, LIT("0123456789abcdef")}};
	struct key *k OWNED(key_drop) = NULL;

	(void)state;
	w.ca = signer_new(KEY_P256, 256);
	w.own = signer_new(KEY_P256, 256);
	make_ca(w.ca, "Inkan test", "CA", at_of(AT), 20);
	expect_ok("issuer", cert_get(signer_certificate(w.ca), &w.issuer));
	expect_ok("profile", profile_get(slice_str(FILE_TEXT), &w.profile));
	expect_ok("key", key_get_spki(signer_spki(w.own), &k));
	key_identifier(k, w.ski);
	w.subject = BUF(2048);
	put_name(&w.subject, parts, COUNT(parts));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&w.ca);
	signer_drop(&w.own);
	profile_drop(&w.profile);
	buf_drop(&w.subject);
	return 0;
}

static struct cert_plan
good_plan(void)
{
	return (struct cert_plan){.serial = {16, {0x40, 1, 2}},
	    .issuer = w.issuer.subject,
	    .subject = buf_slice(&w.subject),
	    .spki = signer_spki(w.own),
	    .not_before = at_of(AT),
	    .not_after = instant_add_years(at_of(AT), 5),
	    .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	    .aki = w.issuer.ski,
	    .ski = ARR(w.ski),
	    .policy = buf_slice(&w.profile->policy),
	    .cps_uri = w.profile->cps,
	    .crl_uri = w.profile->crl,
	    .ocsp_uri = w.profile->ocsp,
	    .ca_issuers_uri = w.profile->ca_issuers};
}

static void
lint(const char *row, struct cert_plan *plan, const struct profile *p, const char *what)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), tbs OWNED(buf_drop) = BUF(CERT_MAX),
	               joined OWNED(buf_drop) = BUF(CERT_MAX);

	make_certificate(&der, w.ca, plan);
	expect_text(row, profile_lint(p, &w.issuer, buf_slice(&der)), what);
	/* the same before it is signed: joined with nothing that is a signature */
	cert_put_tbs(&tbs, plan);
	cert_join(&joined, buf_slice(&tbs), plan->alg, hex("00"));
	expect_text(row, profile_lint(p, &w.issuer, buf_slice(&joined)), what);
}

#define SUBJECT "lint-subject: Rule 6(v)ハ: the subject is not C, the name, and what the profile adds"
#define SERIAL "lint-serial: Rule 6(v)イ: a serial number has 16 bytes, the first from 40 to 7F"
#define USAGE "lint-key-usage: RFC 5280 4.2.1.3: a person's key signs documents and nothing else"
#define KEY_ID "lint-key-id: RFC 5280 4.2.1.1: the key identifiers are not the keys' own"
#define LINT_STATUS "lint-status: Rule 6(xi): the certificate does not say where its status is found"
#define LINT_YEARS "lint-validity: Rule 6(iv): the certificate is valid for longer than its profile allows"
#define OUTLIVES "lint-issuer-validity: RFC 5280 6.1: the certificate would outlive its issuer's"
#define LINT_POLICY "lint-policy: Rule 6(vii): the policy is not the one of the profile"
#define LINT_BYTES "lint-bytes: house: the certificate says more or other than its profile"
#define KEY_SIZE "profile-key: CR-1: the profile does not allow a key of this kind or size"

/* RFC 5280 5.2.5: which list tells of a certificate is fixed when it is made. */
static void
partitions(void **state)
{
	struct buf text OWNED(buf_drop) = BUF(4096), uri OWNED(buf_drop) = BUF(300);
	struct profile *p OWNED(profile_drop) = NULL;
	struct cert_plan plan = good_plan();
	unsigned k;

	(void)state;
	expect_number("one list", profile_partition(w.profile, plan.serial), 0);
	buf_put_str(&text, FILE_TEXT);
	buf_put_str(&text, "crl_partitions = 8\ncrl_delta = http://127.0.0.1:8480/crl/delta.crl\n");
	expect_ok("profile", profile_get(buf_slice(&text), &p));
	k = profile_partition(p, plan.serial);
	expect_true("a part", k >= 1 && k <= 8);
	profile_put_crl_uri(&uri, p, 7);
	expect_same("the seventh", buf_slice(&uri), LIT("http://127.0.0.1:8480/crl/issuer-7.crl"));
	lint("the list of all", &plan, p, LINT_STATUS);
	buf_clear(&uri);
	profile_put_crl_uri(&uri, p, k % 8 + 1);
	plan.crl_uri = buf_slice(&uri);
	lint("another part", &plan, p, LINT_STATUS);
	buf_clear(&uri);
	profile_put_crl_uri(&uri, p, k);
	plan.crl_uri = buf_slice(&uri);
	lint("its part", &plan, p, NULL);
}

static void
lint_accepts(void **state)
{
	static const struct {
		enum key_kind kind;
		unsigned bits;
	} rows[] = {{KEY_P256, 256}, {KEY_P384, 384}, {KEY_RSA, 2048}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signer *s OWNED(signer_drop) = signer_new(rows[i].kind, rows[i].bits);
		struct key *k OWNED(key_drop) = NULL;
		struct cert_plan p = good_plan();
		uint8_t id[SHA1_LEN];

		expect_ok("key", key_get_spki(signer_spki(s), &k));
		key_identifier(k, id);
		p.spki = signer_spki(s);
		p.ski = ARR(id);
		lint(row_name("rows", i), &p, w.profile, NULL);
	}
}

static void
lint_refuses(void **state)
{
	static const uint8_t other_policy[] = {0x88, 0x37, 0x02}, other_id[SHA1_LEN] = {1};
	struct signer *rsa3072 OWNED(signer_drop) = signer_new(KEY_RSA, 3072),
	                       *ed OWNED(signer_drop) = signer_new(KEY_ED25519, 256);
	struct buf issuer OWNED(buf_drop) = BUF(1024), no_c OWNED(buf_drop) = BUF(1024), more OWNED(buf_drop) = BUF(1024),
	                  us OWNED(buf_drop) = BUF(1024), order OWNED(buf_drop) = BUF(1024);
	const struct name_part o[] = {{NAME_C, LIT("JP")}, {NAME_O, LIT("Another CA")}};
	const struct name_part cn_only[] = {{NAME_CN, LIT("山田　太郎")}, {NAME_SERIAL, LIT("1")}};
	const struct name_part with_o[] = {
	    {NAME_C, LIT("JP")}, {NAME_CN, LIT("山田　太郎")}, {NAME_SERIAL, LIT("1")}, {NAME_O, LIT("Ministry")}};
	const struct name_part from_us[] = {{NAME_C, LIT("US")}, {NAME_CN, LIT("a")}, {NAME_SERIAL, LIT("1")}};
	const struct name_part turned[] = {{NAME_C, LIT("JP")}, {NAME_SERIAL, LIT("1")}, {NAME_CN, LIT("a")}};
	struct cert_plan p;

	(void)state;
	put_name(&issuer, o, COUNT(o));
	put_name(&no_c, cn_only, COUNT(cn_only));
	put_name(&more, with_o, COUNT(with_o));
	put_name(&us, from_us, COUNT(from_us));
	put_name(&order, turned, COUNT(turned));
#define ROW(change, expect) /* one change to a good plan */                                                            \
	p = good_plan();                                                                                                   \
	change;                                                                                                            \
	lint(#change, &p, w.profile, expect)
	ROW(p.issuer = buf_slice(&issuer), "lint-issuer: Rule 6(v)イ: the certificate does not name its issuer"); /* B-5 */
	ROW(p.serial.b[0] = 0x3F, SERIAL);
	ROW(p.serial.b[0] = 0x80, SERIAL);
	ROW(p.serial.n = 15, SERIAL);
	ROW(p.not_after.ms += SECOND_MS, LINT_YEARS); /* B-4 */
	ROW(p.not_before.ms -= SECOND_MS, LINT_YEARS);
	ROW((p.not_before.ms -= SECOND_MS, p.not_after.ms -= SECOND_MS), OUTLIVES);
	ROW((p.not_before = instant_add_years(at_of(AT), 16), p.not_after = instant_add_years(at_of(AT), 21)), OUTLIVES);
	ROW(p.subject = buf_slice(&no_c), SUBJECT);
	ROW(p.subject = buf_slice(&more), SUBJECT); /* B-8 */
	ROW(p.subject = buf_slice(&us), SUBJECT);
	ROW(p.subject = buf_slice(&order), SUBJECT);
	ROW(p.spki = signer_spki(rsa3072), KEY_SIZE); /* CR-1 */
	ROW(p.spki = signer_spki(ed), KEY_SIZE);
	ROW(p.key_usage = USAGE_DIGITAL_SIGNATURE, USAGE);
	ROW(p.key_usage |= USAGE_KEY_CERT_SIGN, USAGE);
	ROW(p.is_ca = true, USAGE);
	ROW(p.policy = ARR(other_policy), LINT_POLICY); /* B-7 */
	ROW((p.policy = LIT(""), p.cps_uri = LIT("")), LINT_POLICY);
	ROW(p.crl_uri = LIT(""), LINT_STATUS); /* B-11 */
	ROW(p.crl_uri = LIT("http://a/"), LINT_STATUS);
	ROW(p.ocsp_uri = LIT("http://a/"), LINT_STATUS);
	ROW(p.ski = ARR(other_id), KEY_ID);
	ROW(p.aki = ARR(other_id), KEY_ID);
	ROW(p.cps_uri = LIT("http://a/"), LINT_BYTES);
	ROW(p.ca_issuers_uri = LIT(""), LINT_BYTES);
	ROW(p.ca_issuers_uri = LIT("http://a/"), LINT_BYTES);
	ROW(p.ocsp_signer = true, LINT_BYTES);
#undef ROW
}

/* What a profile adds is certified, and must be there then. */
static void
lint_of_other_profiles(void **state)
{
	struct profile *both OWNED(profile_drop) = NULL;
	struct buf name OWNED(buf_drop) = BUF(1024);
	const struct name_part full[] = {{NAME_C, LIT("JP")}, {NAME_CN, LIT("山田　太郎")}, {NAME_SERIAL, LIT("1")},
	    {NAME_STREET, LIT("椿県若葉市中央一丁目２番３号")}, {NAME_BIRTH, LIT("1980-01-15")}};
	struct cert_plan p = good_plan();
	slice file = edit("subject_address = no\nsubject_birth = no\n", "subject_address = yes\nsubject_birth = yes\n");

	(void)state;
	expect_ok("profile", profile_get(file, &both));
	lint("without", &p, both, SUBJECT);
	put_name(&name, full, COUNT(full));
	p.subject = buf_slice(&name);
	lint("with", &p, both, NULL);
	lint("too much", &p, w.profile, SUBJECT);
}

/* An issuer whose key the law does not take for signing, and an algorithm that is not its key's (B-6). */
static void
lint_of_the_issuer(void **state)
{
	struct signer *ed OWNED(signer_drop) = signer_new(KEY_ED25519, 256);
	struct cert_plan p = good_plan();
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), tbs OWNED(buf_drop) = BUF(CERT_MAX),
	               joined OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert weak = w.issuer;

	(void)state;
	make_certificate(&der, w.ca, &p);
	weak.spki = signer_spki(ed);
	expect_text("issuer's key", profile_lint(w.profile, &weak, buf_slice(&der)), KEY_SIZE);
	p.alg = SIG_RSA_SHA256;
	cert_put_tbs(&tbs, &p);
	cert_join(&joined, buf_slice(&tbs), p.alg, hex("00"));
	expect_text("algorithm", profile_lint(w.profile, &w.issuer, buf_slice(&joined)),
	    "lint-algorithm: Rule 6(vi): the issuer's key or algorithm does not meet Rule 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_it_says),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(partitions),
	    cmocka_unit_test(lint_accepts),
	    cmocka_unit_test(lint_refuses),
	    cmocka_unit_test(lint_of_other_profiles),
	    cmocka_unit_test(lint_of_the_issuer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
