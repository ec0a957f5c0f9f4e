#include "test/unit/pki.h"

#include <openssl/ocsp.h>

#include "pki/chain.h"

#define CERTIFICATE "chain-certificate: RFC 5280 4.1: libcrypto does not read the certificate"
#define CRITICAL "ocsp-answer-critical: RFC 6960 4.4: the answer has a critical extension that we do not know"
#define FUTURE "ocsp-future: RFC 6960 4.2.2.1: the answer is of a time to come"
#define LAPSED "ocsp-lapsed: RFC 6960 4.2.2.1: the answer no longer holds"
#define MALFORMED "ocsp-malformed: RFC 6960 4.2.1: what came back is not an OCSP answer"
#define OTHER "ocsp-other-certificate: RFC 6960 3.2: the answer does not speak of this certificate"
#define PATH "chain-path: RFC 5280 6: the certificate does not lead to the anchor"
#define SIGNER "ocsp-signer: RFC 6960 4.2.2.2: the answer is not signed by the issuer or its responder"
#define STALE "ocsp-stale: JPKI Act 19: the answer is older than the arrangement allows"
#define TIME "ocsp-time: RFC 6960 4.2.2.1: a time in the answer is none"
#define TWO "ocsp-two-answers: RFC 6960 4.2.1: the answer speaks twice of the certificate, not alike"

#define MAX_AGE_S 900 /* J-LIS's responder renews its data every 15 minutes */

static struct signer ca, ca2, responder, person;
static slice anchor_der, anchor2_der, leaf_der, delegated;
static struct cert anchor, anchor2, leaf;
static struct ocsp_issuer issuer;

static int
make_world(void **state)
{
	(void)state;
	ca = signer_new(KEY_P256);
	ca2 = signer_new(KEY_P256);
	responder = signer_new(KEY_RSA);
	person = signer_new(KEY_P256);
	/* Two generations of one CA under one name, as JPKI has three. */
	anchor_der = ca_made(&ca, "試験認証局");
	anchor2_der = ca_made(&ca2, "試験認証局");
	leaf_der = leaf_made(&ca, "試験認証局", &person);
	delegated = responder_made(&ca, "試験認証局", &responder, later(86400));
	expect_ok("anchor", cert_get(anchor_der, &anchor));
	expect_ok("anchor", cert_get(anchor2_der, &anchor2));
	expect_ok("leaf", cert_get(leaf_der, &leaf));
	ocsp_issuer_of(&anchor, &issuer);
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&ca);
	signer_drop(&ca2);
	signer_drop(&responder);
	signer_drop(&person);
	return temp_drop(state);
}

static struct ocsp_plan
plan_for(enum ocsp_status status)
{
	return (struct ocsp_plan){.issuer = issuer,
	    .serial = leaf.serial,
	    .status = status,
	    .revoked = {NOW.ms - 60000},
	    .produced = NOW,
	    .this_update = NOW,
	    .next_update = later(3600),
	    .responder_key_id = ARR(responder.id)};
}

static slice
data_of(const struct ocsp_plan *p)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

	ocsp_put_data(&data, p);
	return copy(buf_slice(&data));
}

static slice
signed_by(const struct signer *s, slice certificate, slice data)
{
	struct buf whole OWNED(buf_drop) = BUF(2 * OCSP_ANSWER_MAX);

	ocsp_join(&whole, data, s->alg, signer_sign(s, s->alg, data), certificate);
	return copy(buf_slice(&whole));
}

static slice
answer(const struct ocsp_plan *p)
{
	return signed_by(&responder, delegated, data_of(p));
}

static err
judge(slice a, struct chain_status *out)
{
	return chain_check_ocsp(&leaf, &anchor, a, slice_of(NULL, 0), NOW, MAX_AGE_S, out);
}

static void
test_status(void **state)
{
	struct chain_status s;

	(void)state;
	for (enum ocsp_status st = OCSP_GOOD; st <= OCSP_UNKNOWN; st++) {
		struct ocsp_plan p = plan_for(st);

		expect_ok("status", judge(answer(&p), &s));
		expect_true("status", s.status == st && s.this_update.ms == NOW.ms && s.next_update.ms == later(3600).ms &&
		                          s.produced.ms == NOW.ms && s.revoked.ms == (st == OCSP_REVOKED ? NOW.ms - 60000 : 0));
		/* By the CA itself, with its certificate inside and without. */
		p.responder_key_id = ARR(ca.id);
		expect_ok("by the CA", judge(signed_by(&ca, anchor_der, data_of(&p)), &s));
		expect_ok("by the CA", judge(signed_by(&ca, slice_of(NULL, 0), data_of(&p)), &s));
	}
}

/* ResponseData {[2], produced, list}, 2.N a SingleResponse {CertID, status, this, [0] next}; signed after the change. */
static void
test_data(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with, *expect;
	} rows[] = {
	    {"one digest only", "2.1", '-', "", NULL},
	    {"the other digest only", "2.0", '-', "", NULL},
	    {"no NULL", "2.0.0.0.1", '-', "", NULL},
	    {"no answer", "2", '=', "3000", SIGNER},
	    {"the same twice", "2.0", '2', "", NULL},
	    {"said good and revoked", "2.0.1", '=', "A111 180F32303236313132313233353930305A", TWO},
	    {"said good and unknown", "2.1.1", '=', "8200", TWO},
	    {"two thisUpdates", "2.1.2", '=', "180F32303236313132313233353930305A", TWO},
	    {"another serial", "2.0.0.3", '=', "020101", NULL},
	    {"no nextUpdate", "2.0.3", '-', "",
	        "ocsp-no-next-update: RFC 5019 2.2.4: the answer does not say how long it holds"},
	    {"thisUpdate that is none", "2.0.2", '=', "180F32303236313332323030303030305A", TIME},
	    {"nextUpdate that is none", "2.0.3.0", '=', "180F32303236313332323030303030305A", TIME},
	    {"revoked at a time that is none", "2.0.1", '=', "A111 180F32303236313332313233353930305A", TIME},
	    {"producedAt that is none", "1", '=', "180F32303236313332323030303030305A", TIME},
	    {"an extension", "2", '>', "A10D 300B 3009 0603551D12 0402 3000", NULL},
	    {"a critical extension", "2", '>', "A110 300E 300C 0603551D12 0101FF 0402 3000", CRITICAL},
	    {"a critical single extension", "2.0.3", '>', "A110 300E 300C 0603551D12 0101FF 0402 3000", CRITICAL},
	};
	const struct ocsp_plan p = plan_for(OCSP_GOOD);
	slice data = data_of(&p);
	struct chain_status s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[64];
		slice changed, whole;
		err e;

		snprintf(path, sizeof path, "0.%s", rows[i].path);
		changed = edit(data, path, rows[i].op, hex(rows[i].with));
		whole = signed_by(&responder, delegated, changed);
		e = judge(whole, &s);
		expect_text(rows[i].name, e, rows[i].expect);
		expect_true(rows[i].name, e.kind == OK || e.kind == ERR_POLICY);
	}
}

static void
test_whole(void **state)
{
	static const struct {
		const char *name, *path;
		char op;
		const char *with, *expect;
	} rows[] = {
	    {"byte after", "0", '>', "00", MALFORMED},
	    {"not an answer", "0", '=', "0500", MALFORMED},
	    {"nothing", "0", '-', "", MALFORMED},
	    {"tryLater", "0", '=', "30030A0103", "ocsp-unsuccessful: RFC 6960 4.2.1: the responder gave no answer"},
	    {"another type", "0.1.0.0", '=', "06092B0601050507300109",
	        "ocsp-basic: RFC 6960 4.2.1: the answer is not a basic one"},
	    {"no body", "0.1.0.1", '=', "0400", "ocsp-basic: RFC 6960 4.2.1: the answer is not a basic one"},
	    {"SHA-1", "0.1.0.1.0.1", '=', "300D06092A864886F70D0101050500",
	        "ocsp-algorithm: CR-1: the answer is signed with an algorithm that is too weak or unknown"},
	    {"another status", "0.1.0.1.0.0.2.0.1", '=', "8200", SIGNER},
	    {"no certificate", "0.1.0.1.0.3", '-', "", SIGNER},
	};
	const struct ocsp_plan p = plan_for(OCSP_GOOD);
	slice whole = answer(&p);
	struct chain_status s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		err e = judge(edit(whole, rows[i].path, rows[i].op, hex(rows[i].with)), &s);

		expect_text(rows[i].name, e, rows[i].expect);
		expect_number(rows[i].name, e.kind, ERR_POLICY);
	}
	for (size_t n = 0; n < whole.n; n += 7)
		expect_err("a prefix", judge(copy(slice_of(whole.p, n)), &s), ERR_POLICY, MALFORMED);
}

/* Who may sign. */
static void
test_signer(void **state)
{
	struct ocsp_plan p = plan_for(OCSP_GOOD);
	slice data = data_of(&p);
	struct cert_plan plain;
	struct signer weak = {.alg = SIG_RSA_SHA256};
	struct chain_status s;
	struct cert broken = anchor;
	unsigned char *der = NULL;
	int n;

	(void)state;
	expect_err("a responder of the CA's other key",
	    judge(signed_by(&responder, responder_made(&ca2, "試験認証局", &responder, later(86400)), data), &s),
	    ERR_POLICY, SIGNER);
	expect_err("a responder of another CA",
	    judge(signed_by(&responder, responder_made(&ca2, "よその認証局", &responder, later(86400)), data), &s),
	    ERR_POLICY, SIGNER);
	expect_err("a responder whose time is over",
	    judge(signed_by(&responder, responder_made(&ca, "試験認証局", &responder, later(-1)), data), &s), ERR_POLICY,
	    SIGNER);
	plain = leaf_plan(&ca, "試験認証局", &responder);
	expect_err(
	    "a person's certificate", judge(signed_by(&responder, cert_made(&plain, &ca), data), &s), ERR_POLICY, SIGNER);
	p.responder_key_id = ARR(ca2.id);
	expect_err("the CA's other key", judge(signed_by(&ca2, anchor2_der, data_of(&p)), &s), ERR_POLICY, SIGNER);
	expect_ok("the other generation's own", chain_check_ocsp(&leaf, &anchor,
	                                            answer(&(struct ocsp_plan){.issuer = issuer,
	                                                .serial = leaf.serial,
	                                                .produced = NOW,
	                                                .this_update = NOW,
	                                                .next_update = later(60),
	                                                .responder_key_id = ARR(responder.id)}),
	                                            slice_of(NULL, 0), NOW, MAX_AGE_S, &s));
	/* CR-1: a responder with a key of 1024 bits. */
	weak.pkey = EVP_RSA_gen(1024);
	n = i2d_PUBKEY(weak.pkey, &der);
	weak.spki = copy(slice_of(der, (size_t)n));
	OPENSSL_free(der);
	{
		slice s2 = weak.spki, alg, bits;
		uint8_t h[SHA512_LEN];

		expect_ok("spki", der_get(&s2, DER_SEQUENCE, &s2));
		expect_ok("spki", der_get(&s2, DER_SEQUENCE, &alg));
		expect_ok("spki", der_get_bits(&s2, &bits));
		hash_of(HASH_SHA1, bits, h);
		memcpy(weak.id, h, SHA1_LEN);
	}
	p.responder_key_id = ARR(weak.id);
	expect_err("a weak responder",
	    judge(signed_by(&weak, responder_made(&ca, "試験認証局", &weak, later(86400)), data_of(&p)), &s), ERR_POLICY,
	    SIGNER);
	EVP_PKEY_free(weak.pkey);
	broken.whole = slice_of(anchor.whole.p, anchor.whole.n - 1);
	p = plan_for(OCSP_GOOD);
	expect_err("an anchor that cannot be read",
	    chain_check_ocsp(&leaf, &broken, answer(&p), slice_of(NULL, 0), NOW, MAX_AGE_S, &s), ERR_POLICY,
	    "ocsp-anchor: house: libcrypto does not read the anchor");
}

static void
test_subject(void **state)
{
	struct ocsp_plan p = plan_for(OCSP_GOOD);
	struct chain_status s;
	struct cert other = leaf;

	(void)state;
	other.serial.b[15] ^= 1;
	expect_err("another serial", chain_check_ocsp(&other, &anchor, answer(&p), slice_of(NULL, 0), NOW, MAX_AGE_S, &s),
	    ERR_POLICY, OTHER);
	/* The answer speaks of the same serial under the other generation. */
	ocsp_issuer_of(&anchor2, &p.issuer);
	expect_err("another issuer", judge(answer(&p), &s), ERR_POLICY, SIGNER);
	p.responder_key_id = ARR(ca.id);
	expect_err("another issuer, by the CA", judge(signed_by(&ca, anchor_der, data_of(&p)), &s), ERR_POLICY, SIGNER);
	p = plan_for(OCSP_GOOD);
	p.responder_key_id = ARR(ca.id);
	p.serial = serial_of("01");
	expect_err("by the CA, another serial", judge(signed_by(&ca, anchor_der, data_of(&p)), &s), ERR_POLICY, OTHER);
}

static void
test_nonce(void **state)
{
	static const struct {
		const char *name, *asked, *echoed, *expect;
	} rows[] = {
	    {"none asked, none echoed", "", "", NULL},
	    {"none asked, one echoed", "", "0123", NULL},
	    {"echoed", "0123456789abcdef", "0123456789abcdef", NULL},
	    {"not echoed", "0123456789abcdef", "", "ocsp-no-nonce: RFC 6960 4.4.1: the answer does not repeat our nonce"},
	    {"another", "0123456789abcdef", "0123456789abcdee",
	        "ocsp-other-nonce: RFC 6960 4.4.1: the answer repeats another nonce than ours"},
	    {"its beginning", "0123456789abcdef", "0123",
	        "ocsp-other-nonce: RFC 6960 4.4.1: the answer repeats another nonce than ours"},
	};
	struct chain_status s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ocsp_plan p = plan_for(OCSP_GOOD);

		p.nonce = slice_str(rows[i].echoed);
		expect_text(rows[i].name,
		    chain_check_ocsp(&leaf, &anchor, answer(&p), slice_str(rows[i].asked), NOW, MAX_AGE_S, &s), rows[i].expect);
	}
}

static void
test_times(void **state)
{
	static const struct {
		const char *name;
		int64_t produced, this_update, next_update; /* seconds from now */
		const char *expect;
	} rows[] = {
	    {"as old as allowed", -900, -900, 1, NULL},
	    {"older", -901, -901, 1, STALE},
	    {"as far ahead as clocks may differ", 300, 300, 400, NULL},
	    {"thisUpdate further ahead", 0, 301, 400, FUTURE},
	    {"produced further ahead", 301, 0, 400, FUTURE},
	    {"ends now", -10, -10, 0, LAPSED},
	    {"ended", -10, -10, -1, LAPSED},
	};
	struct chain_status s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ocsp_plan p = plan_for(OCSP_GOOD);

		p.produced = later(rows[i].produced);
		p.this_update = later(rows[i].this_update);
		p.next_update = later(rows[i].next_update);
		expect_text(rows[i].name, judge(answer(&p), &s), rows[i].expect);
	}
}

/* An answer that libcrypto itself makes, as `openssl ocsp` stands for J-LIS's responder. */
static void
test_foreign(void **state)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
		int status;
		unsigned long flags;
		enum ocsp_status expect;
	} rows[] = {
	    {"good", EVP_sha1, V_OCSP_CERTSTATUS_GOOD, 0, OCSP_GOOD},
	    {"good by SHA-256", EVP_sha256, V_OCSP_CERTSTATUS_GOOD, 0, OCSP_GOOD},
	    {"revoked", EVP_sha1, V_OCSP_CERTSTATUS_REVOKED, 0, OCSP_REVOKED},
	    {"unknown, named by key", EVP_sha1, V_OCSP_CERTSTATUS_UNKNOWN, OCSP_RESPID_KEY, OCSP_UNKNOWN},
	};
	X509 *x = x509_of(leaf_der), *a = x509_of(anchor_der), *d = x509_of(delegated);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		OCSP_BASICRESP *b = OCSP_BASICRESP_new();
		OCSP_CERTID *id = OCSP_cert_to_id(rows[i].md(), x, a);
		ASN1_TIME *now = ASN1_TIME_set(NULL, NOW.ms / 1000), *next = ASN1_TIME_set(NULL, NOW.ms / 1000 + 900);
		struct chain_status s;
		OCSP_RESPONSE *r;
		unsigned char *der = NULL;
		slice data;
		int n;

		OCSP_basic_add1_status(b, id, rows[i].status, OCSP_REVOKED_STATUS_NOSTATUS, now, now, next);
		OCSP_basic_sign(b, d, responder.pkey, EVP_sha256(), NULL, rows[i].flags | OCSP_NOTIME);
		r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, b);
		n = i2d_OCSP_RESPONSE(r, &der);
		/* libcrypto knows no producedAt but the machine's clock: it is put in, and signed again. */
		data = part(slice_of(der, (size_t)n), "0.1.0.1.0.0");
		data = edit(data, "0.1", '=', hex("180F32303236313132323030303030305A"));
		expect_ok(rows[i].name, judge(signed_by(&responder, delegated, data), &s));
		expect_number(rows[i].name, s.status, rows[i].expect);
		OPENSSL_free(der);
		OCSP_RESPONSE_free(r);
		OCSP_BASICRESP_free(b);
		OCSP_CERTID_free(id);
		ASN1_TIME_free(now);
		ASN1_TIME_free(next);
	}
	X509_free(x);
	X509_free(a);
	X509_free(d);
}

static void
test_path(void **state)
{
	struct cert_plan p = leaf_plan(&ca, "試験認証局", &person);
	slice old;

	(void)state;
	expect_ok("leaf", chain_check_path(leaf_der, anchor_der, NOW));
	expect_ok("itself", chain_check_path(anchor_der, anchor_der, NOW));
	expect_err("the other generation", chain_check_path(leaf_der, anchor2_der, NOW), ERR_POLICY, PATH);
	expect_err("too early", chain_check_path(leaf_der, anchor_der, later(-3601)), ERR_POLICY, PATH);
	expect_ok("last second", chain_check_path(leaf_der, anchor_der, later(86399)));
	expect_err("too late", chain_check_path(leaf_der, anchor_der, later(86400)), ERR_POLICY, PATH);
	expect_err("below a leaf", chain_check_path(leaf_der, delegated, NOW), ERR_POLICY, PATH);
	expect_err("unknown critical",
	    chain_check_path(
	        edit(leaf_der, "0.0.7.0.0", '<', hex("300E 0603551D12 0101FF 0404 30028200")), anchor_der, NOW),
	    ERR_POLICY, PATH);
	p.not_after = later(800 * 86400);
	old = cert_made(&p, &ca);
	expect_err("the anchor's time is over", chain_check_path(old, anchor_der, later(366 * 86400)), ERR_POLICY, PATH);
	expect_err("not a certificate", chain_check_path(hex("3000"), anchor_der, NOW), ERR_INPUT, CERTIFICATE);
	expect_err("byte after", chain_check_path(join(leaf_der, hex("00")), anchor_der, NOW), ERR_INPUT, CERTIFICATE);
	expect_err("no anchor", chain_check_path(leaf_der, slice_of(NULL, 0), NOW), ERR_INPUT, CERTIFICATE);
	expect_err("too long", chain_check_path(bytes(CERT_MAX + 1, 0x30), anchor_der, NOW), ERR_INPUT, CERTIFICATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_data),
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_signer),
	    cmocka_unit_test(test_subject),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_foreign),
	    cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests_name("chain", tests, make_world, drop_world);
}
