/* LINK: test/jpki/make.c */
/* The trust file and the persons it pins (B-16, FA-3; domain 2.4). */
#include "test/unit/test.h"

#include <unistd.h>

#include "act/trust.h"
#include "base/der.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

static struct {
	const char *dir;
	struct house *house;
} w;

static int
setup(void **state)
{
	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	house_drop(&w.house);
	return 0;
}

/* The first `from` of the file replaced; from "" appends. */
static slice
edit(slice file, const char *from, const char *to)
{
	const uint8_t *p = from[0] == '\0' ? file.p + file.n : memmem(file.p, file.n, from, strlen(from));
	size_t at;

	assert_non_null(p);
	at = (size_t)(p - file.p);
	return join(join(slice_of(file.p, at), slice_str(to)), slice_of(p + strlen(from), file.n - at - strlen(from)));
}

static void
reads_what_it_says(void **state)
{
	struct trust *t OWNED(trust_drop) = NULL;
	struct buf file OWNED(buf_drop) = BUF(96 << 10);

	(void)state;
	house_put_trust(w.house, w.dir, "test", "ocsp",
	    "[terms.0]\nsha256 = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\ncurrent = no\n", &file);
	expect_ok("trust", trust_get(buf_slice(&file), &t));
	expect_true("digest", digest_eq(t->digest, sha256(buf_slice(&file))));
	expect_same("service", t->service, LIT("Inkan Test CA"));
	expect_same("origin", t->origin, LIT("inkan.test/books"));
	expect_number("hierarchy", t->hierarchy, HIERARCHY_TEST);
	expect_number("method", t->method, STATUS_OCSP);
	expect_number("age", t->max_age_s, 93600);
	expect_number("anchors", t->n_anchors, 3);
	expect_same("anchor", t->anchor[2].label, LIT("signca03"));
	expect_number("policy", (uint64_t)jpki_policy_of(buf_slice(&t->anchor[2].policy)), JPKI_POLICY_TEST_SIGNATURE);
	expect_number("persons", t->n_persons, 3);
	expect_same("person", t->person[0].name, LIT("岡田　花子"));
	expect_number("duties", t->person[0].duties, DUTY_RESPONSIBLE | DUTY_OFFICER | DUTY_REVOCATION);
	expect_number("duties", t->person[1].duties, DUTY_OFFICER);
	expect_true("profile", trust_has_profile(t, sha256(buf_slice(&w.house->profile))));
	expect_true("terms", trust_has_terms(t, w.house->terms));
	expect_true("explanation", trust_has_explanation(t, w.house->explanation));
	expect_true("not each other's", !trust_has_terms(t, w.house->explanation) &&
	                                    !trust_has_explanation(t, w.house->terms) &&
	                                    !trust_has_profile(t, w.house->terms));
	expect_true("old terms", !trust_has_terms(t, t->terms[1].sha256));
	expect_number("old terms are known", t->n_terms, 2);
}

#define HIERARCHY "trust-hierarchy: house: an anchor or its policy belongs to another hierarchy"
#define DUTY "trust-duty: Rule 6(xvi): a duty is responsible, officer or revocation, each once"
#define SECTION "trust-section: house: the trust file has a section its reader does not know"
#define STATUS "trust-status: JPKI Act 19(1): the status method is crl or ocsp, with a maximum age"
#define ORIGIN "trust-origin: C2SP signed-note: an origin has no blank and no plus sign"
#define ABSENT "conf-absent: house: a configuration file lacks a name it must have"

static void
refusals(void **state)
{
	static const struct {
		const char *hierarchy, *from, *to, *what;
	} rows[] = {
	    {"test", "version = 1", "version = 2",
	        "trust-version: house: the trust file is of a version this engine does not read"},
	    {"test", "version = 1\n", "", ABSENT},
	    {"test", "service = Inkan Test CA", "service =", "trust-service: house: the service has no name"},
	    {"test", "hierarchy = test", "hierarchy = demo",
	        "trust-hierarchy-word: house: a hierarchy is test or production"},
	    {"test", "state = NONE", "state = PENDING",
	        "trust-state: Act 4(1): the state of accreditation is NONE or ACCREDITED"},
	    {"test", "clock = system", "clock = mine", "trust-clock: house: the clock is system or test"},
	    {"production", "clock = system", "clock = test",
	        "trust-test-clock: house: a test clock stands in a production trust file"},
	    {"production", "arrangement = 2026-04-01 no. 1", "arrangement = none",
	        "trust-arrangement: JPKI Act 17(1): production needs the record of the arrangement with J-LIS"},
	    {"production", "arrangement = 2026-04-01 no. 1", "arrangement =",
	        "trust-arrangement: JPKI Act 17(1): production needs the record of the arrangement with J-LIS"},
	    {"test", "method = crl", "method = none", STATUS},
	    {"test", "max_age_s = 93600", "max_age_s = 0", STATUS},
	    {"test", "max_age_s = 93600", "max_age_s = 2592001",
	        "number: house: not a plain decimal number within its limit"},
	    {"test", "origin = inkan.test/books", "origin = inkan test", ORIGIN},
	    {"test", "origin = inkan.test/books", "origin = inkan+test", ORIGIN},
	    {"test", "origin = inkan.test/books", "origin =", ORIGIN},
	    {"test", "clock = system", "clock = system\ncolour = red",
	        "conf-unknown: house: a configuration file has a name its reader does not know"},
	    /* an anchor, or its policy, of the other hierarchy, either way */
	    {"test", "hierarchy = test", "hierarchy = production",
	        "trust-arrangement: JPKI Act 17(1): production needs the record of the arrangement with J-LIS"},
	    {"production", "hierarchy = production", "hierarchy = test", HIERARCHY},
	    {"test", "policy = 1.2.392.200149.8.5.1.0.20", "policy = 1.2.392.200149.8.5.1.1.20", HIERARCHY},
	    {"production", "policy = 1.2.392.200149.8.5.1.1.20", "policy = 1.2.392.200149.8.5.1.0.20", HIERARCHY},
	    {"test", "policy = 1.2.392.200149.8.5.1.0.20", "policy = 1.2.392.200149.8.5.1.3.30", HIERARCHY},
	    {"test", "policy = 1.2.392.200149.8.5.1.0.20", "policy = 1.2.392.200149.8.5.1.0.40", HIERARCHY},
	    {"test", "policy = 1.2.392.200149.8.5.1.0.20", "policy = one",
	        "oid: X.660: an object identifier is written like 1.2.392.200149"},
	    {"test", "policy = 1.2.392.200149.8.5.1.0.20", "policy = 1.2.3\nsmartphone_policy = x",
	        "oid: X.660: an object identifier is written like 1.2.392.200149"},
	    {"test", "duties = officer", "duties = king", DUTY},
	    {"test", "duties = officer", "duties = officer officer", DUTY},
	    {"test", "duties = officer", "duties = officer  revocation", DUTY},
	    {"test", "duties = officer", "duties =", DUTY},
	    {"test", "current = yes", "current = maybe", "conf-flag: house: a flag is yes or no"},
	    {"test", "", "[anchor]\ncertificate = MAA=\n", SECTION},
	    {"test", "", "[anchor.]\ncertificate = MAA=\n", SECTION},
	    {"test", "", "[friend.jiro]\nname = a\n", SECTION},
	    {"test", "", "[other]\nname = a\n", SECTION},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf file OWNED(buf_drop) = BUF(96 << 10);
		struct trust *t = NULL;

		house_put_trust(w.house, w.dir, rows[i].hierarchy, "crl", "", &file);
		expect_text(row_name("rows", i), trust_get(edit(buf_slice(&file), rows[i].from, rows[i].to), &t), rows[i].what);
		expect_true("nothing is left", t == NULL);
	}
}

/* The line that begins with `name` in the section, with another base64. */
static slice
with_base64(slice file, const char *section, const char *name, slice der)
{
	struct buf line OWNED(buf_drop) = BUF(16384);
	const uint8_t *p = memmem(file.p, file.n, section, strlen(section)), *end;
	size_t at;

	assert_non_null(p);
	p = memmem(p, (size_t)(file.p + file.n - p), name, strlen(name));
	assert_non_null(p);
	end = memchr(p, '\n', (size_t)(file.p + file.n - p));
	at = (size_t)(p - file.p);
	buf_put_str(&line, name);
	buf_put_str(&line, " = ");
	buf_put_base64(&line, der);
	return join(join(slice_of(file.p, at), buf_slice(&line)), slice_of(end, (size_t)(file.p + file.n - end)));
}

static void
certificates_and_keys(void **state)
{
	struct signer *yamada OWNED(signer_drop) = signer_load(w.dir, "yamada"),
	                      *ca2 OWNED(signer_drop) = signer_load(w.dir, "signca02");
	struct buf hex_own OWNED(buf_drop) = BUF(65), hex_leaf OWNED(buf_drop) = BUF(65);
	struct trust *t = NULL;
	slice file = buf_slice(&w.house->trust), leaf = signer_certificate(yamada), s;
	char own[65] = "", other[65] = "";

	(void)state;
	expect_text("another anchor under this digest",
	    trust_get(with_base64(file, "[anchor.signca01]", "certificate", signer_certificate(ca2)), &t),
	    "trust-anchor-digest: house: an anchor is not the certificate its SHA-256 names");
	s = with_base64(file, "[anchor.signca01]", "certificate", leaf);
	digest_put(&hex_leaf, sha256(leaf));
	memcpy(other, hex_leaf.p, 64);
	{
		struct buf ca1 OWNED(buf_drop) = BUF(CERT_MAX);
		char path[2300];

		snprintf(path, sizeof path, "%s/signca01.cer", w.dir);
		file_get(path, &ca1);
		digest_put(&hex_own, sha256(buf_slice(&ca1)));
		memcpy(own, hex_own.p, 64);
	}
	expect_text("a leaf as anchor", trust_get(edit(s, own, other), &t),
	    "trust-anchor-ca: domain 2.4: an anchor is not a self-issued CA certificate");
	expect_text("a leaf as issuer", trust_get(with_base64(file, "[issuer]", "certificate", leaf), &t),
	    "trust-issuer-ca: RFC 5280 4.2.1.9: the issuer's certificate is not a CA's");
	expect_text("status key", trust_get(with_base64(file, "[issuer]", "status_key", signer_spki(w.house->hanako)), &t),
	    "trust-status-key: C2SP signed-note: checkpoints are signed by an Ed25519 key");
	expect_text("two persons, one key",
	    trust_get(with_base64(file, "[person.jiro]", "key", signer_spki(w.house->hanako)), &t),
	    "trust-person-twice: Rule 6(xvi): two persons have the same key");
	expect_text("no certificate", trust_get(with_base64(file, "[issuer]", "certificate", LIT("\x30\x00")), &t),
	    "der-short: X.690 8.1: the input ends within an element");
	expect_true("nothing is left", t == NULL);
}

static void
too_many(void **state)
{
	static const char *const kinds[] = {"profile", "terms", "explanation"};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct buf extra OWNED(buf_drop) = BUF(16384), good OWNED(buf_drop) = BUF(96 << 10),
		                 bad OWNED(buf_drop) = BUF(96 << 10);
		struct trust *t OWNED(trust_drop) = NULL, *none = NULL;
		char section[128];

		for (int i = 1; i <= TRUST_DIGESTS_MAX; i++) {
			if (i == TRUST_DIGESTS_MAX) {
				buf_put_u8(&extra, '\0');
				house_put_trust(w.house, w.dir, "test", "crl", (const char *)extra.p, &good);
				extra.n--;
			}
			snprintf(section, sizeof section,
			    "[%s.n%d]\nsha256 = 00112233445566778899aabbccddeeff00112233445566778899aabbccddee%02x\n", kinds[k], i,
			    (unsigned)i);
			buf_put_str(&extra, section);
		}
		buf_put_u8(&extra, '\0');
		house_put_trust(w.house, w.dir, "test", "crl", (const char *)extra.p, &bad);
		expect_ok(kinds[k], trust_get(buf_slice(&good), &t));
		expect_text(kinds[k], trust_get(buf_slice(&bad), &none),
		    "trust-many: house: more sections of one kind than a trust file may have");
	}
}

/* More persons and anchors than there is room for. */
static void
too_many_owned(void **state)
{
	struct buf persons OWNED(buf_drop) = BUF(65536), anchors OWNED(buf_drop) = BUF(96 << 10),
	                   file OWNED(buf_drop) = BUF(96 << 10), file2 OWNED(buf_drop) = BUF(96 << 10),
	                   der OWNED(buf_drop) = BUF(CERT_MAX), hex64 OWNED(buf_drop) = BUF(65);
	struct trust *t = NULL;
	char line[128], path[2300];

	(void)state;
	for (int i = 0; i < TRUST_PERSONS_MAX - 2; i++) {
		struct signer *k OWNED(signer_drop) = signer_new(KEY_P256, 256);

		snprintf(line, sizeof line, "[person.n%d]\nname = n\nduties = officer\nkey = ", i);
		buf_put_str(&persons, line);
		buf_put_base64(&persons, signer_spki(k));
		buf_put_str(&persons, "\n");
	}
	buf_put_u8(&persons, '\0');
	house_put_trust(w.house, w.dir, "test", "crl", (const char *)persons.p, &file);
	expect_text("persons", trust_get(buf_slice(&file), &t),
	    "trust-many: house: more sections of one kind than a trust file may have");
	snprintf(path, sizeof path, "%s/signca03.cer", w.dir);
	file_get(path, &der);
	digest_put(&hex64, sha256(buf_slice(&der)));
	for (int i = 0; i < TRUST_ANCHORS_MAX - 2; i++) {
		snprintf(line, sizeof line, "[anchor.n%d]\nhierarchy = test\npolicy = 1.2.392.200149.8.5.1.0.20\nsha256 = ", i);
		buf_put_str(&anchors, line);
		buf_put(&anchors, buf_slice(&hex64));
		buf_put_str(&anchors, "\ncertificate = ");
		buf_put_base64(&anchors, buf_slice(&der));
		buf_put_str(&anchors, "\n");
	}
	buf_put_u8(&anchors, '\0');
	house_put_trust(w.house, w.dir, "test", "crl", (const char *)anchors.p, &file2);
	expect_text("anchors", trust_get(buf_slice(&file2), &t),
	    "trust-many: house: more sections of one kind than a trust file may have");
	expect_true("nothing is left", t == NULL);
}

static void
persons(void **state)
{
	struct trust *t OWNED(trust_drop) = NULL;
	struct signer *stranger OWNED(signer_drop) = signer_new(KEY_P256, 256),
	                        *yamada OWNED(signer_drop) = signer_load(w.dir, "yamada");
	const struct {
		const struct signer *who;
		unsigned duty;
		const char *what;
	} rows[] = {
	    {w.house->hanako, DUTY_RESPONSIBLE, NULL},
	    {w.house->jiro, DUTY_OFFICER, NULL},
	    {w.house->jiro, DUTY_OFFICER | DUTY_REVOCATION, NULL},
	    {w.house->saburo, DUTY_OFFICER, "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, DUTY_RESPONSIBLE, "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {stranger, DUTY_OFFICER, "person-unknown: Rule 6(xvi): the signer is no person the trust file names"},
	    {yamada, DUTY_OFFICER,
	        "person-certificate: Rule 6(xvi): a person of the house signs with the key pinned for it"},
	};
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
	const struct trust_person *who;
	struct cms c;

	(void)state;
	expect_ok("trust", trust_get(buf_slice(&w.house->trust), &t));
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&cms);
		make_cms(&cms, rows[i].who, LIT("text"), at_of(AT));
		expect_text(row_name("rows", i), trust_check_person(t, buf_slice(&cms), rows[i].duty, &c, &who), rows[i].what);
		if (rows[i].what == NULL)
			expect_same(row_name("rows", i), c.content, LIT("text"));
	}
	buf_clear(&cms);
	make_cms(&cms, w.house->hanako, LIT("text"), at_of(AT));
	cms.p[cms.n - 1] ^= 1;
	expect_text("signature", trust_check_person(t, buf_slice(&cms), DUTY_RESPONSIBLE, &c, &who),
	    "signature: Act 2(1): the signature was not made by this key over these bytes");
}

/* The real anchors in a production file, by the SHA-256 of domain 2.4: a test leaf is of another hierarchy then. */
static void
real_anchors(void **state)
{
	static const char dir[] = "../shared/vectors/jpki-anchors";
	struct buf file OWNED(buf_drop) = BUF(96 << 10);
	struct trust *t OWNED(trust_drop) = NULL;
	digest want;

	(void)state;
	if (access("../shared/vectors/jpki-anchors/signca03.cer", R_OK) != 0) {
		print_message("# skipped: vectors not present\n");
		skip();
	}
	house_put_trust(w.house, dir, "production", "ocsp", "", &file);
	expect_ok("production", trust_get(buf_slice(&file), &t));
	expect_number("anchors", t->n_anchors, 3);
	expect_ok("sha256", digest_get(LIT("d227f6cde11d35c5252178f106f843d24651944975413b539fa2fb68dbfa365f"), &want));
	expect_true("signca03", digest_eq(cert_digest(&t->anchor[2].cert), want));
	for (size_t i = 0; i < t->n_anchors; i++) {
		expect_true("three generations under one DN", slice_eq(t->anchor[i].cert.subject, t->anchor[0].cert.subject));
		expect_ok("signed by itself", cert_check_signed_by(&t->anchor[i].cert, t->anchor[i].key));
	}
}

static void
known_policies(void **state)
{
	static const struct {
		const char *oid;
		enum jpki_policy is;
	} rows[] = {{"1.2.392.200149.8.5.1.1.20", JPKI_POLICY_SIGNATURE},
	    {"1.2.392.200149.8.5.1.0.20", JPKI_POLICY_TEST_SIGNATURE}, {"1.2.392.200149.8.5.1.3.30", JPKI_POLICY_AUTH},
	    {"1.2.392.200149.8.5.1.1.40", JPKI_POLICY_SMARTPHONE},
	    {"1.2.392.200149.8.5.1.0.40", JPKI_POLICY_TEST_SMARTPHONE}, {"1.2.392.200149.8.5.1.1.21", JPKI_POLICY_OTHER},
	    {"1.2.392.200149.8.5.1.1", JPKI_POLICY_OTHER}, {"2.999", JPKI_POLICY_OTHER}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(64);

		expect_ok(rows[i].oid, oid_get_dotted(slice_str(rows[i].oid), &b));
		expect_number(rows[i].oid, (uint64_t)jpki_policy_of(buf_slice(&b)), (uint64_t)rows[i].is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_it_says),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(certificates_and_keys),
	    cmocka_unit_test(too_many),
	    cmocka_unit_test(too_many_owned),
	    cmocka_unit_test(persons),
	    cmocka_unit_test(real_anchors),
	    cmocka_unit_test(known_policies),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
