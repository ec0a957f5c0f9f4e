/* LINK: test/jpki/make.c */
/* Who applies: ID-2, JPKI Act 19, domain 2.8; every bad leaf of the test world with its reason. */
#include <setjmp.h>
#include <stdarg.h>

#include "act/identity.h"
#include "base/text.h"
#include "pki/ocsp.h"
#include "test/jpki/make.h"

#include <cmocka.h>

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

static struct {
	const char *dir;
	struct house *house;
	struct trust *trust;
	struct signer *own;
	struct buf crl_bytes[3];
	struct crl_table *crl[3];
} w;

static void
load_crl(size_t i, const char *name)
{
	char path[2300];
	struct crl c;
	size_t anchor;

	w.crl_bytes[i] = BUF(1 << 20);
	snprintf(path, sizeof path, "%s/%s", w.dir, name);
	file_get(path, &w.crl_bytes[i]);
	assert_int_equal(OK, crl_get(buf_slice(&w.crl_bytes[i]), &c).kind);
	assert_int_equal(OK, identity_crl_anchor(w.trust, &c, &anchor).kind);
	assert_int_equal(i, anchor);
	assert_int_equal(OK, crl_table_new(&c, &w.crl[i]).kind);
}

static int
setup(void **state)
{
	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	assert_int_equal(OK, trust_get(buf_slice(&w.house->trust), &w.trust).kind);
	w.own = signer_new(KEY_P256, 256);
	load_crl(0, "signca01.crl");
	load_crl(1, "signca02.crl");
	load_crl(2, "signca03.crl");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		crl_table_drop(&w.crl[i]);
		buf_drop(&w.crl_bytes[i]);
	}
	signer_drop(&w.own);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

static struct status_evidence
crl_evidence(size_t i)
{
	return (struct status_evidence){.method = STATUS_CRL, .crl = w.crl[i]};
}

/* An application by a leaf, saying what is on the card of `who`. */
static void
judge(const char *leaf, const char *who, const struct trust *t, const struct status_evidence *s, const char *now,
    struct identity *out)
{
	struct signer *card OWNED(signer_drop) = signer_load(w.dir, leaf);
	static struct buf cms;
	struct application a OWNED(application_drop) = {0};
	struct make_application m;

	cms.max = CMS_MAX;
	buf_clear(&cms);
	application_for(w.house, w.dir, who, at_of(AT), &m);
	make_application(&cms, card, w.own, &m);
	assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
	identity_check(t, &a, s, at_of(now), out);
}

static void
good_cards(void **state)
{
	static const struct {
		const char *card;
		size_t crl;
	} rows[] = {{"yamada", 2}, {"yoshida", 2}, {"sato", 2}, {"takahashi", 2}, {"tanaka", 2}, {"ito", 2}, {"kato", 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) { /* ID-2 */
		struct status_evidence s = crl_evidence(rows[i].crl);
		struct identity id;

		judge(rows[i].card, rows[i].card, w.trust, &s, AT, &id);
		assert_int_equal(VERDICT_VERIFIED, id.verdict);
		assert_int_equal(OK, id.why.kind);
		assert_true(id.chained);
		assert_int_equal(rows[i].crl, id.anchor);
		assert_true(digest_eq(id.leaf_digest, sha256(id.leaf.whole)));
		assert_int_equal(STATUS_CRL, id.method);
		assert_true(digest_eq(id.status_digest, crl_table_digest(w.crl[rows[i].crl])));
		assert_int_equal(at_of("2026-11-22T00:00:00.000Z").ms, id.status_this_update.ms);
	}
}

#define POLICY "jpki-policy: domain 2.2: the certificate policy is not one this house takes"
#define USAGE "jpki-key-usage: domain 2.2: the certificate is not for digitalSignature and nonRepudiation"
#define AUTH "jpki-auth-certificate: Rule 5(1)(ii): a user-authentication certificate says nothing of intent"
#define PHONE "jpki-smartphone: Rule 5(1)(iii): smartphone certificates are not taken yet"
#define ATTRIBUTES                                                                                                     \
	"jpki-attributes: domain 2.3: name, birth date, sex and address do not each stand once, as they should"
#define FLAGS "jpki-flags: domain 2.3: the substitute flags are not one digit of 0 or 1 for each character"
#define CARDKEY "jpki-key: JPKI Rule 2: the card's key is not RSA of 2048 bits with exponent 65537"
#define ANCHOR "jpki-anchor: domain 2.4: no pinned J-LIS certificate of this name signed the card's certificate"
#define HIERARCHY "jpki-hierarchy: domain 2.4: the certificate belongs to another hierarchy than this house"

static void
bad_leaves(void **state)
{
	static const struct {
		const char *leaf;
		bool chained; /* only then may an entry be made */
		const char *what;
	} rows[] = {
	    {"suzuki", true, "jpki-revoked: JPKI Act 19(1): the card's certificate is revoked"},
	    {"auth-profile", false, AUTH},
	    {"yamada-auth", false, AUTH},
	    {"phone", false, PHONE},
	    {"phone-policy", false, PHONE},
	    {"wrong-policy", false, POLICY},
	    {"no-policy", false, POLICY},
	    {"policy-not-critical", false, POLICY},
	    {"other-hierarchy", false, HIERARCHY},
	    {"expired", true, "jpki-expired: RFC 5280 6.1.3: the card's certificate has expired"},
	    {"not-yet", true, "jpki-not-yet-valid: RFC 5280 6.1.3: the card's certificate is not valid yet"},
	    {"anchor-expired", true,
	        "jpki-anchor-expired: RFC 5280 6.1.3: the J-LIS certificate above the card's is not valid now"},
	    {"critical-unknown", false, "jpki-critical: RFC 5280 4.2: a critical extension we do not know"},
	    {"foreign-key", false, ANCHOR},
	    {"self-signed", false, ANCHOR},
	    {"signature-broken", false, ANCHOR},
	    {"self-issued", false, "jpki-self-issued: domain 2.8: the signer's certificate names itself as its issuer"},
	    {"exponent-3", false, CARDKEY},
	    {"rsa-1024", false, CARDKEY},
	    {"rsa-3072", false, CARDKEY},
	    {"p256", false, CARDKEY},
	    {"no-nonrepudiation", false, USAGE},
	    {"no-key-usage", false, USAGE},
	    {"key-usage-certsign", false, USAGE},
	    {"ca-true", false, "jpki-ca-leaf: domain 2.8: the signer's certificate is a CA's"},
	    {"no-san", true, ATTRIBUTES},
	    {"no-name", true, ATTRIBUTES},
	    {"name-control", true, ATTRIBUTES},
	    {"birth-twice", true, ATTRIBUTES},
	    {"birth-bad", true, ATTRIBUTES},
	    {"birth-short", true, ATTRIBUTES},
	    {"sex-bad", true, ATTRIBUTES},
	    {"address-201", true, ATTRIBUTES},
	    {"flags-short", true, FLAGS},
	    {"flags-digit", true, FLAGS},
	    {"flags-missing", true, FLAGS},
	    {"address-flags-short", true, FLAGS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct status_evidence s = crl_evidence(2);
		struct identity id;

		judge(
		    rows[i].leaf, rows[i].leaf[0] == 's' && rows[i].leaf[1] == 'u' ? "suzuki" : "yamada", w.trust, &s, AT, &id);
		if (id.why.kind == OK || strcmp(rows[i].what, id.why.what) != 0)
			print_message("# %s: %s\n", rows[i].leaf, id.why.kind == OK ? "accepted" : id.why.what);
		assert_int_equal(VERDICT_FAILED, id.verdict);
		assert_string_equal(rows[i].what, id.why.what);
		assert_int_equal(ERR_POLICY, id.why.kind);
		assert_int_equal(rows[i].chained, id.chained);
	}
}

/* Leaves that the strict reader of certificates refuses: no application comes out of them at all. */
static void
unreadable_leaves(void **state)
{
	static const struct {
		const char *leaf, *what;
	} rows[] = {
	    {"sha1", "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"},
	    {"key-usage-twice", "extension-twice: RFC 5280 4.2: an extension stands twice"},
	    {"ber-length", "der-minimal: X.690 10.1: a length is not in its shortest form"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
		struct jpki_person p;
		struct cert c;
		char path[2300];
		err e;

		snprintf(path, sizeof path, "%s/%s.cer", w.dir, rows[i].leaf);
		file_get(path, &der);
		e = jpki_get(buf_slice(&der), &c, &p);
		assert_string_equal(rows[i].what, e.what);
	}
}

/* The profile alone: every leaf whose fault is not above it is read, and gives its attributes. */
static void
leaf_profile(void **state)
{
	static const char *const good[] = {
	    "yamada", "suzuki", "yoshida", "takahashi", "extra-othername", "address-200", "expired", "foreign-key"};
	static const char *const bad[] = {"ca-true", "no-policy", "yamada-auth", "phone", "rsa-1024", "flags-short"};
	struct jpki_person p;
	struct cert c;
	char path[2300];

	(void)state;
	for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
		struct buf der OWNED(buf_drop) = BUF(CERT_MAX);

		snprintf(path, sizeof path, "%s/%s.cer", w.dir, i < COUNT(good) ? good[i] : bad[i - COUNT(good)]);
		file_get(path, &der);
		assert_int_equal(i < COUNT(good) ? OK : ERR_POLICY, jpki_get(buf_slice(&der), &c, &p).kind);
		if (i == 3) {
			assert_true(slice_eq(p.name, LIT("高橋　三郎")));
			assert_true(slice_eq(p.name_flags, LIT("10000")));
			assert_true(slice_eq(p.birth, LIT("319720229")));
			assert_true(slice_eq(p.sex, LIT("1")));
		}
	}
}

static void
algorithm_of_the_leaf(void **state)
{
	struct signer *card OWNED(signer_drop) = signer_load(w.dir, "yamada");
	static const uint8_t sha256_rsa[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B};
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct make_application m = {.at = at_of(AT)};
	struct application a OWNED(application_drop) = {0};
	struct status_evidence s = crl_evidence(2);
	struct identity id;

	(void)state;
	buf_put(&der, signer_certificate(card));
	for (uint8_t *p = der.p; (p = memmem(p, (size_t)(der.p + der.n - p), sha256_rsa, sizeof sha256_rsa)) != NULL;)
		p[8] = 0x0C; /* sha384 */
	signer_set_certificate(card, buf_slice(&der));
	make_application(&cms, card, w.own, &m);
	assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
	identity_check(w.trust, &a, &s, at_of(AT), &id);
	assert_string_equal(
	    "jpki-algorithm: domain 2.2: the certificate is not signed with sha256WithRSAEncryption", id.why.what);
}

/* Another's card certificate over one's own signature; a message without any certificate. */
static void
signature_of_the_document(void **state)
{
	struct signer *card OWNED(signer_drop) = signer_load(w.dir, "yamada"),
	                    *other OWNED(signer_drop) = signer_load(w.dir, "sato"),
	                    *person OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), bare OWNED(buf_drop) = BUF(CMS_MAX);
	struct make_application m = {.at = at_of(AT)};
	struct application a OWNED(application_drop) = {0};
	struct status_evidence s = crl_evidence(2);
	struct identity id;
	struct cms c;

	(void)state;
	signer_set_certificate(other, signer_certificate(card));
	make_application(&cms, other, w.own, &m);
	assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
	identity_check(w.trust, &a, &s, at_of(AT), &id);
	assert_int_equal(VERDICT_FAILED, id.verdict);
	assert_string_equal("jpki-signature: JPKI Act 19(1): the document was not signed with the card's key", id.why.what);
	assert_false(id.chained);
	make_cms(&bare, person, LIT("x"), at_of(AT));
	assert_int_equal(OK, cms_get(buf_slice(&bare), &c).kind);
	identity_check_signer(w.trust, &c, &s, at_of(AT), &id);
	assert_int_equal(VERDICT_FAILED, id.verdict);
	assert_string_equal(
	    "jpki-no-certificate: domain 2.8: the document does not carry the card's certificate", id.why.what);
}

/* JPKI Act 19(1): what was not checked is not accepted. */
static void
status_unchecked(void **state)
{
	const struct {
		struct status_evidence s;
		const char *now, *what;
	} rows[] = {
	    {{.method = STATUS_NONE}, AT,
	        "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"},
	    {{.method = STATUS_CRL}, AT,
	        "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"},
	    {{.method = STATUS_OCSP}, AT,
	        "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"},
	    {crl_evidence(1), AT, "jpki-crl-other: RFC 5280 6.3.3: the CRL is not of the CA that issued the certificate"},
	    {crl_evidence(2), "2026-11-23T02:00:00.001Z",
	        "jpki-stale: JPKI Act 19(1): the CRL is not of the time it is asked for"}, /* max_age_s is 26 hours */
	    {crl_evidence(2), "2026-11-21T23:54:59.999Z",
	        "jpki-stale: JPKI Act 19(1): the CRL is not of the time it is asked for"},
	};
	const char *const good[] = {"2026-11-23T02:00:00.000Z", "2026-11-21T23:55:00.000Z"};
	struct status_evidence s = crl_evidence(2);
	struct identity id;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge("yamada", "yamada", w.trust, &rows[i].s, rows[i].now, &id);
		assert_int_equal(VERDICT_UNCHECKED, id.verdict);
		assert_string_equal(rows[i].what, id.why.what);
		assert_int_equal(ERR_BUSY, id.why.kind);
		assert_true(id.chained);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		judge("yamada", "yamada", w.trust, &s, good[i], &id);
		assert_int_equal(VERDICT_VERIFIED, id.verdict);
	}
}

/* A status that can be a list only of the day after nextUpdate: a trust file that allows more than 26 hours. */
static void
crl_after_its_end(void **state)
{
	struct buf file OWNED(buf_drop) = BUF(96 << 10), edited OWNED(buf_drop) = BUF(96 << 10);
	struct trust *t OWNED(trust_drop) = NULL;
	struct status_evidence s = crl_evidence(2);
	struct identity id;
	const uint8_t *p;

	(void)state;
	house_put_trust(w.house, w.dir, "test", "crl", "", &file);
	p = memmem(file.p, file.n, "= 93600", 7);
	buf_put(&edited, slice_of(file.p, (size_t)(p - file.p)));
	buf_put_str(&edited, "= 999999");
	buf_put(&edited, slice_of(p + 7, (size_t)(file.p + file.n - p - 7)));
	assert_int_equal(OK, trust_get(buf_slice(&edited), &t).kind);
	judge("yamada", "yamada", t, &s, "2026-11-23T23:59:59.999Z", &id);
	assert_int_equal(VERDICT_VERIFIED, id.verdict);
	judge("yamada", "yamada", t, &s, "2026-11-24T00:00:00.000Z", &id); /* nextUpdate */
	assert_int_equal(VERDICT_UNCHECKED, id.verdict);
	assert_string_equal("jpki-stale: JPKI Act 19(1): the CRL is not of the time it is asked for", id.why.what);
}

static void
put_answer(const char *leaf, enum ocsp_status status, slice nonce, struct buf *out)
{
	struct signer *responder OWNED(signer_drop) = signer_load(w.dir, "ocsp");
	struct signer *card OWNED(signer_drop) = signer_load(w.dir, leaf);
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct key *k OWNED(key_drop) = NULL;
	struct ocsp_plan p = {.status = status,
	    .revoked = at_of("2026-11-01T00:00:00.000Z"),
	    .produced = at_of(AT),
	    .this_update = at_of(AT),
	    .next_update = at_of("2026-11-22T02:00:00.000Z"),
	    .nonce = nonce};
	uint8_t id[SHA1_LEN];
	struct cert c;

	assert_int_equal(OK, key_get_spki(signer_spki(responder), &k).kind);
	key_identifier(k, id);
	p.responder_key_id = ARR(id);
	ocsp_issuer_of(&w.trust->anchor[2].cert, &p.issuer);
	assert_int_equal(OK, cert_get(signer_certificate(card), &c).kind);
	p.serial = c.serial;
	ocsp_put_data(&data, &p);
	signer_sign(responder, SIG_RSA_SHA256, buf_slice(&data), &sig);
	ocsp_join(out, buf_slice(&data), SIG_RSA_SHA256, buf_slice(&sig), signer_certificate(responder));
}

static void
status_by_ocsp(void **state)
{
	static const struct {
		const char *leaf; /* whose answer */
		enum ocsp_status status;
		bool nonce; /* the one that was sent */
		enum verdict verdict;
		const char *what;
	} rows[] = {
	    {"yamada", OCSP_GOOD, true, VERDICT_VERIFIED, NULL},
	    {"yamada", OCSP_REVOKED, true, VERDICT_FAILED,
	        "jpki-revoked: JPKI Act 19(1): the card's certificate is revoked"},
	    {"yamada", OCSP_UNKNOWN, true, VERDICT_UNCHECKED,
	        "jpki-unknown: RFC 6960 2.2: J-LIS does not know the card's certificate"},
	    {"yamada", OCSP_GOOD, false, VERDICT_UNCHECKED, NULL},
	    {"sato", OCSP_GOOD, true, VERDICT_UNCHECKED, NULL},
	};
	static const uint8_t sent[16] = {1, 2, 3}, other[16] = {3, 2, 1};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf answer OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct status_evidence s = {.method = STATUS_OCSP, .ocsp_nonce = ARR(sent)};
		struct identity id;

		put_answer(rows[i].leaf, rows[i].status, rows[i].nonce ? ARR(sent) : ARR(other), &answer);
		s.ocsp_answer = buf_slice(&answer);
		judge("yamada", "yamada", w.trust, &s, AT, &id);
		assert_int_equal(rows[i].verdict, id.verdict);
		if (rows[i].what != NULL)
			assert_string_equal(rows[i].what, id.why.what);
		if (id.verdict == VERDICT_VERIFIED)
			assert_true(digest_eq(id.status_digest, sha256(buf_slice(&answer))));
	}
	for (size_t n = 0; n < 3; n++) { /* garbage is no answer */
		struct status_evidence s = {.method = STATUS_OCSP, .ocsp_answer = slice_of("\x30\x03\x0A\x01", 2 + n)};
		struct identity id;

		judge("yamada", "yamada", w.trust, &s, AT, &id);
		assert_int_equal(VERDICT_UNCHECKED, id.verdict);
	}
}

static void
ocsp_request(void **state)
{
	struct signer *card OWNED(signer_drop) = signer_load(w.dir, "yamada"),
	                    *other OWNED(signer_drop) = signer_load(w.dir, "yamada-auth");
	struct buf b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct ocsp_issuer issuer;
	struct ocsp_request r;
	struct cert c, auth;

	(void)state;
	assert_int_equal(OK, cert_get(signer_certificate(card), &c).kind);
	assert_int_equal(OK, identity_put_ocsp_request(&b, w.trust, &c, LIT("0123456789abcdef")).kind);
	assert_int_equal(OK, ocsp_request_get(buf_slice(&b), &r).kind);
	ocsp_issuer_of(&w.trust->anchor[2].cert, &issuer);
	assert_true(ocsp_certid_is_of(&r.id[0], &issuer));
	assert_true(serial_eq(r.id[0].serial, c.serial));
	assert_true(slice_eq(r.nonce, LIT("0123456789abcdef")));
	assert_int_equal(OK, cert_get(signer_certificate(other), &auth).kind);
	assert_string_equal(ANCHOR, identity_put_ocsp_request(&b, w.trust, &auth, LIT("")).what);
}

static void
crl_of_a_stranger(void **state)
{
	struct buf bytes OWNED(buf_drop) = BUF(1 << 20);
	struct crl c;
	size_t anchor;
	char path[2300];

	(void)state;
	snprintf(path, sizeof path, "%s/authca.crl", w.dir);
	file_get(path, &bytes);
	assert_int_equal(OK, crl_get(buf_slice(&bytes), &c).kind);
	assert_string_equal("jpki-crl-anchor: RFC 5280 6.3.3: no pinned J-LIS certificate of this name signed the CRL",
	    identity_crl_anchor(w.trust, &c, &anchor).what);
	assert_int_equal(OK, crl_get(buf_slice(&w.crl_bytes[2]), &c).kind);
	c.signature.n--;
	assert_int_equal(ERR_POLICY, identity_crl_anchor(w.trust, &c, &anchor).kind);
}

/* A production file with production anchors: the test leaf, and the production leaf of the other world. */
static void
hierarchies(void **state)
{
	char dir[2200], keys[2300];
	struct buf file OWNED(buf_drop) = BUF(96 << 10);
	struct trust *t OWNED(trust_drop) = NULL;
	struct status_evidence none = {.method = STATUS_NONE};
	const char *test_dir = w.dir;
	struct identity id;

	(void)state;
	snprintf(dir, sizeof dir, "%s-production", w.dir);
	snprintf(keys, sizeof keys, "%s/../world-keys", w.dir);
	world_run((const char *const[]){dir, "--at", DAY, "--keys", keys, "--production", NULL});
	house_put_trust(w.house, dir, "production", "crl", "", &file);
	assert_int_equal(OK, trust_get(buf_slice(&file), &t).kind);
	judge("yamada", "yamada", t, &none, AT, &id);
	assert_int_equal(VERDICT_FAILED, id.verdict);
	assert_string_equal(HIERARCHY, id.why.what);
	w.dir = dir;
	judge("yamada", "yamada", t, &none, AT, &id);
	assert_int_equal(VERDICT_UNCHECKED, id.verdict);
	assert_true(id.chained);
	judge("yamada", "yamada", w.trust, &none, AT, &id);
	assert_string_equal(HIERARCHY, id.why.what);
	w.dir = test_dir;
}

#define NAME "jpki-name: Rule 5(1): the name is not the card's, or stands where the card has a substitute character"
#define ADDRESS                                                                                                        \
	"jpki-address: Rule 5(1): the address is not the card's, or stands where the card has a substitute character"

static void
mismatches(void **state)
{
	static const struct {
		const char *card;
		struct make_application m;
		unsigned mismatch;
		const char *what;
	} rows[] = {
	    {"yamada", {.name = "山田　次郎"}, MISMATCH_NAME, NAME},
	    {"yamada", {.birth = "1980-01-16"}, MISMATCH_BIRTH, "jpki-birth: Rule 5(1): the birth date is not the card's"},
	    {"yamada", {.sex = "female"}, MISMATCH_SEX, "jpki-sex: Rule 5(1): the sex is not the card's"},
	    {"yamada", {.address = "椿県若葉市中央一丁目２番４号"}, MISMATCH_ADDRESS, ADDRESS},
	    {"yamada", {.address = "椿県若葉市中央１－２－４", .sex = "unknown"}, MISMATCH_ADDRESS | MISMATCH_SEX,
	        "jpki-sex: Rule 5(1): the sex is not the card's"},
	    {"yamada", {.address = "椿県若葉市中央1-2-3"}, 0, NULL},
	    {"yamada", {.name = "山田 太郎"}, 0, NULL},
	    /* the true form where the card has a substitute: a person decides */
	    {"yoshida", {.name = "𠮷田　花子"}, MISMATCH_NAME, NAME},
	    {"takahashi", {.name = "髙橋　三郎"}, MISMATCH_NAME, NAME},
	    {"tanaka", {.address = "椿県若葉市𣘺町４番地"}, MISMATCH_ADDRESS, ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signer *card OWNED(signer_drop) = signer_load(w.dir, rows[i].card);
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct application a OWNED(application_drop) = {0};
		struct status_evidence s = crl_evidence(2);
		struct make_application m;
		struct identity id;

		application_for(w.house, w.dir, rows[i].card, at_of(AT), &m);
		m.name = rows[i].m.name != NULL ? rows[i].m.name : m.name;
		m.birth = rows[i].m.birth != NULL ? rows[i].m.birth : m.birth;
		m.sex = rows[i].m.sex != NULL ? rows[i].m.sex : m.sex;
		m.address = rows[i].m.address != NULL ? rows[i].m.address : m.address;
		make_application(&cms, card, w.own, &m);
		assert_int_equal(OK, application_get(buf_slice(&cms), &a).kind);
		identity_check(w.trust, &a, &s, at_of(AT), &id);
		assert_int_equal(rows[i].mismatch, id.mismatch);
		assert_int_equal(rows[i].mismatch == 0 ? VERDICT_VERIFIED : VERDICT_MISMATCH, id.verdict);
		if (rows[i].what != NULL)
			assert_string_equal(rows[i].what, id.why.what);
		/* a revocation request has no attributes to compare */
		identity_check_signer(w.trust, &a.cms, &s, at_of(AT), &id);
		assert_int_equal(VERDICT_VERIFIED, id.verdict);
	}
}

static void
comparing(void **state)
{
	static const struct {
		const char *card, *flags, *text;
		bool address, same;
	} rows[] = {
	    /* names: width and blanks, nothing else */
	    {"山田　太郎", "00000", "山田　太郎", false, true},
	    {"山田　太郎", "00000", "山田 太郎", false, true},
	    {"山田　太郎", "00000", "山田  太郎", false, true},
	    {"山田　太郎", "00000", "山田太郎", false, false},
	    {"ＳＭＩＴＨ　ＪＯＨＮ", "0000000000", "SMITH JOHN", false, true},
	    {"ＳＭＩＴＨ　ＪＯＨＮ", "0000000000", "Smith John", false, false},
	    {"ｶﾞ　ｱ", "0000", "ガ ア", false, true},
	    {"高橋　三郎", "00000", "髙橋　三郎", false, false},
	    /* flags: the same substitute, nothing else, nowhere else */
	    {"〓田　花子", "10000", "〓田　花子", false, true},
	    {"〓田　花子", "10000", "〓田 花子", false, true},
	    {"〓田　花子", "10000", "吉田　花子", false, false},
	    {"〓田　花子", "10000", "田　花子", false, false},
	    {"〓〓　花子", "11000", "〓〓　花子", false, true},
	    {"〓〓　花子", "11000", "〓田　花子", false, false},
	    {"〓〓　花子", "10000", "〓〓　花子", false, true},
	    {"花　〓", "001", "花　〓", false, true},
	    {"花　〓", "001", "花　", false, false},
	    {"花　〓", "001", "〓", false, false},
	    {"Ａ田", "10", "Ａ田", false, true},
	    {"Ａ田", "10", "A田", false, false}, /* a flagged place is compared before any normalisation */
	    {"花〓子〓", "0101", "花 〓子〓", false, false},
	    {"花子〓", "000", "花子〓", false, true},
	    /* addresses: 丁目 番地 番 号, hyphens, kanji digits before 丁目, blanks */
	    {"中央一丁目２番３号", "000000000", "中央1-2-3", true, true},
	    {"中央一丁目２番３号", "000000000", "中央１丁目２－３", true, true},
	    {"中央一丁目２番３号", "000000000", "中央１ー２ー３", true, true},
	    {"中央一丁目２番３号", "000000000", "中央 １‐２−３", true, true},
	    {"中央一丁目２番３号", "000000000", "中央1-23", true, false},
	    {"中央一丁目２番３号", "000000000", "中央12-3", true, false},
	    {"中央一丁目２番３号", "000000000", "中央1-2", true, false},
	    {"中央十二丁目１番", "00000000", "中央１２－１", true, true},
	    {"中央二十丁目１番", "00000000", "中央20-1", true, true},
	    {"中央二十三丁目", "0000000", "中央23丁目", true, true},
	    {"一番町４番地", "000000", "一番町4", true, true},
	    {"一番町４番地", "000000", "1番町4", true, false},
	    {"緑町４番地５", "000000", "緑町4-5", true, true},
	    {"緑町４番地５", "000000", "緑町45", true, false},
	    {"緑町４番地　若葉荘", "000000000", "緑町4若葉荘", true, true},
	    {"栄町１－２－３　１０１", "00000000000", "栄町1-2-3 101", true, true},
	    {"栄町１－２－３　１０１", "00000000000", "栄町1-2-3101", true, false},
	    {"栄町１－２－３　若葉ハイツ１０１", "0000000000000000", "栄町1-2-3若葉ハイツ101", true, true},
	    {"栄町１－２－３　若葉ハイツ", "0000000000000", "栄町1-2-3若葉ハイシ", true, false},
	    {"セーヌ町２", "00000", "セ-ヌ町2", true, false}, /* a long vowel mark in a word is no hyphen */
	    {"〓町４番地", "10000", "〓町4", true, true},
	    {"〓町４番地", "10000", "橋町4", true, false},
	    {"若葉市〓町４番地", "00010000", "若葉市　〓町4", true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jpki_person p = {.birth = LIT("319800115"),
		    .sex = LIT("1"),
		    .name = LIT("a"),
		    .name_flags = LIT("0"),
		    .address = LIT("b"),
		    .address_flags = LIT("0")};
		struct application a = {.birth_year = 1980,
		    .birth_month = 1,
		    .birth_day = 15,
		    .sex = SEX_MALE,
		    .name = LIT("a"),
		    .address = LIT("b")};
		unsigned want = rows[i].same ? 0 : rows[i].address ? MISMATCH_ADDRESS : MISMATCH_NAME;

		*(rows[i].address ? &p.address : &p.name) = slice_str(rows[i].card);
		*(rows[i].address ? &p.address_flags : &p.name_flags) = slice_str(rows[i].flags);
		*(rows[i].address ? &a.address : &a.name) = slice_str(rows[i].text);
		if (want != identity_compare(&p, &a))
			print_message("# row %zu: %s / %s\n", i, rows[i].card, rows[i].text);
		assert_int_equal(want, identity_compare(&p, &a));
	}
}

/*
 * An address of 200 characters that is 798 in NFKC and would be 824 with its chome in digits: more than any place is
 * made for.  It compares as different, and nothing is written beyond.
 */
static void
comparing_what_grows(void **state)
{
	struct buf text OWNED(buf_drop) = BUF(4096);
	struct jpki_person p = {.birth = LIT("319800115"),
	    .sex = LIT("1"),
	    .name = LIT("a"),
	    .name_flags = LIT("0"),
	    .address = LIT("b"),
	    .address_flags = LIT("0")};
	struct application a = {
	    .birth_year = 1980, .birth_month = 1, .birth_day = 15, .sex = SEX_MALE, .name = LIT("a"), .address = LIT("b")};

	(void)state;
	for (size_t i = 0; i < 120; i++)
		buf_put_str(&text, "㌖");
	for (size_t i = 0; i < 26; i++)
		buf_put_str(&text, "十丁目");
	a.address = buf_slice(&text);
	assert_int_equal(text_count(a.address), 198);
	assert_int_equal(identity_compare(&p, &a), MISMATCH_ADDRESS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_cards),
	    cmocka_unit_test(bad_leaves),
	    cmocka_unit_test(unreadable_leaves),
	    cmocka_unit_test(leaf_profile),
	    cmocka_unit_test(algorithm_of_the_leaf),
	    cmocka_unit_test(signature_of_the_document),
	    cmocka_unit_test(status_unchecked),
	    cmocka_unit_test(crl_after_its_end),
	    cmocka_unit_test(status_by_ocsp),
	    cmocka_unit_test(ocsp_request),
	    cmocka_unit_test(crl_of_a_stranger),
	    cmocka_unit_test(hierarchies),
	    cmocka_unit_test(mismatches),
	    cmocka_unit_test(comparing),
	    cmocka_unit_test(comparing_what_grows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
