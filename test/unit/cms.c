#include "test/unit/pki.h"

#include <openssl/cms.h>

#include "pki/cms.h"

#define ATTRIBUTES                                                                                                     \
	"cms-attributes: house: the signed attributes are contentType, signingTime, messageDigest and "                    \
	"signingCertificateV2, in this order"
#define DIGEST "cms-digest: RFC 5652 5.4: the digest and the signature algorithm do not belong together"
#define HASH "cms-hash: RFC 5754 2: the digest is SHA-256, SHA-384 or SHA-512, without parameters"
#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define SIGNATURE "signature: Act 2(1): the signature was not made by this key over these bytes"
#define SIGNER "cms-signer: RFC 5652 5.3: the signer named is not the certificate inside"
#define SIGNING_CERT "cms-signing-certificate: RFC 5035 4: signingCertificateV2 names another certificate"
#define TRAILING "der-trailing: X.690 8.1: bytes follow where nothing may follow"
#define TYPE "der-type: X.690 8.1.2: another element was expected here"
#define VERSION "cms-version: RFC 5652 5: a version that does not go with what follows"

#define TEXT "申込書\nname: 山田　太郎\n"

static struct signer ca, rsa, p256, p384;
static slice anchor, leaf_rsa, leaf_p256, leaf_p384;

static int
make_world(void **state)
{
	(void)state;
	ca = signer_new(KEY_P256);
	rsa = signer_new(KEY_RSA);
	p256 = signer_new(KEY_P256);
	p384 = signer_new(KEY_P384);
	anchor = ca_made(&ca, "試験認証局");
	leaf_rsa = leaf_made(&ca, "試験認証局", &rsa);
	leaf_p256 = leaf_made(&ca, "試験認証局", &p256);
	leaf_p384 = leaf_made(&ca, "試験認証局", &p384);
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&ca);
	signer_drop(&rsa);
	signer_drop(&p256);
	signer_drop(&p384);
	return temp_drop(state);
}

static slice
cms_made(const struct cms_plan *p, const struct signer *s)
{
	struct buf attrs OWNED(buf_drop) = BUF(8192), whole OWNED(buf_drop) = BUF(CMS_MAX + 8192);

	cms_put_attrs(&attrs, p);
	cms_join(&whole, p, buf_slice(&attrs), signer_sign(s, p->alg, buf_slice(&attrs)));
	return copy(buf_slice(&whole));
}

static struct cms_plan
plan(const struct signer *s, slice certificate)
{
	struct cms_plan p = {.content = LIT(TEXT), .certificate = certificate, .signing_time = NOW, .alg = s->alg};

	if (certificate.n == 0)
		memcpy(p.key_id, s->id, sizeof p.key_id);
	return p;
}

/*
 * 0.1.0 is SignedData {version, digests, content, [0] certificates, signers}, 0.1.0.4.0 the SignerInfo {version, sid,
 * digest, attributes, algorithm, signature}, 0.1.0.4.0.3 the attributes.
 */
struct row {
	const char *name, *path;
	char op;
	const char *with, *expect;
};

static const struct row ROWS[] = {
    {"byte after", "0", '>', "00", TRAILING},
    {"not signedData", "0.0", '=', "06092A864886F70D010701",
        "cms-signed-data: RFC 5652 5.1: the message is not signedData"},
    {"two contents", "0.1", '2', "", TRAILING},
    {"two SignedData", "0.1.0", '2', "", TRAILING},
    {"version 3 with a certificate", "0.1.0.0", '=', "020103", VERSION},
    {"no digest listed", "0.1.0.1", '=', "3100", SHORT},
    {"digest listed twice", "0.1.0.1.0", '2', "", "cms-digests: house: the message lists more than one digest"},
    {"SHA-1", "0.1.0.1.0", '=', "300706052B0E03021A", HASH},
    {"SHA-256 with NULL", "0.1.0.1.0", '=', "300D060960864801650304020105 00", HASH},
    {"another digest listed", "0.1.0.1.0", '=', "300B0609608648016503040202", DIGEST},
    {"other content", "0.1.0.2.0", '=', "060B2A864886F70D0109100104",
        "cms-data: RFC 5652 4: the content is not of type data"},
    {"detached", "0.1.0.2.1", '-', "", "cms-detached: house: the document is not inside its signature"},
    {"content twice", "0.1.0.2.1.0", '2', "", TRAILING},
    {"content in pieces", "0.1.0.2.1.0", '=', "2403040161", TYPE},
    {"changed content", "0.1.0.2.1.0", '=', "040161",
        "cms-message-digest: RFC 5652 11.2: the content is not what was signed"},
    {"certificate twice", "0.1.0.3.0", '2', "",
        "cms-certificates: house: the message carries more than the signer's certificate"},
    {"no certificate in the set", "0.1.0.3.0", '-', "", SHORT},
    {"an attribute certificate", "0.1.0.3.0", '=', "A2023000", TYPE},
    {"certificate taken away", "0.1.0.3", '-', "", VERSION},
    {"revocation lists", "0.1.0.3", '>', "A100", "cms-crls: house: the message carries revocation lists"},
    {"no signer", "0.1.0.4.0", '-', "", SHORT},
    {"two signers", "0.1.0.4.0", '2', "", "cms-signers: house: a document has one signer"},
    {"bytes after the signers", "0.1.0.4", '2', "", TRAILING},
    {"signer of version 3", "0.1.0.4.0.0", '=', "020103", VERSION},
    {"signer named by key", "0.1.0.4.0.1", '=', "8014 0000000000000000000000000000000000000000", TYPE},
    {"another issuer", "0.1.0.4.0.1.0", '=', "300C 310A 3008 0603550403 0C01 61", SIGNER},
    {"another serial", "0.1.0.4.0.1.1", '=', "020101", SIGNER},
    {"signer's other digest", "0.1.0.4.0.2", '=', "300B0609608648016503040202", DIGEST},
    {"no attributes", "0.1.0.4.0.3", '-', "", TYPE},
    {"empty attributes", "0.1.0.4.0.3", '=', "A000", ATTRIBUTES},
    {"no contentType", "0.1.0.4.0.3.0", '-', "", ATTRIBUTES},
    {"contentType twice", "0.1.0.4.0.3.0", '2', "", ATTRIBUTES},
    {"another contentType", "0.1.0.4.0.3.0.1.0", '=', "06092A864886F70D010702",
        "cms-content-type: RFC 5652 11.1: contentType is not the content's"},
    {"two contentTypes", "0.1.0.4.0.3.0.1.0", '2', "", TRAILING},
    {"no signingTime", "0.1.0.4.0.3.1", '-', "", ATTRIBUTES},
    {"signingTime before 2050 as GeneralizedTime", "0.1.0.4.0.3.1.1.0", '=', "180F32303236313132323030303030305A",
        "der-time-form: RFC 5280 4.1.2.5: a year before 2050 is a UTCTime"},
    {"two signingTimes", "0.1.0.4.0.3.1.1.0", '2', "", TRAILING},
    {"no messageDigest", "0.1.0.4.0.3.2", '-', "", ATTRIBUTES},
    {"another messageDigest", "0.1.0.4.0.3.2.1.0", '=', "040100",
        "cms-message-digest: RFC 5652 11.2: the content is not what was signed"},
    {"two digests in it", "0.1.0.4.0.3.2.1.0", '2', "", TRAILING},
    {"no signingCertificateV2", "0.1.0.4.0.3.3", '-', "", ATTRIBUTES},
    {"signingCertificateV2 twice", "0.1.0.4.0.3.3", '2', "", ATTRIBUTES},
    {"another attribute", "0.1.0.4.0.3.3", '>', "300F 06092A864886F70D01090F 3102 3000", ATTRIBUTES},
    {"attribute and more", "0.1.0.4.0.3.3.1", '2', "", TRAILING},
    {"two values", "0.1.0.4.0.3.3.1.0", '2', "", TRAILING},
    {"two certificates named", "0.1.0.4.0.3.3.1.0.0.0", '2', "", TRAILING},
    {"policies named", "0.1.0.4.0.3.3.1.0.0", '>', "3000", TRAILING},
    {"SHA-256 written out", "0.1.0.4.0.3.3.1.0.0.0.0", '<', "300B0609608648016503040201",
        "der-default: X.690 11.5: a DEFAULT value is written out"},
    {"SHA-384 said", "0.1.0.4.0.3.3.1.0.0.0.0", '<', "300B0609608648016503040202", SIGNING_CERT},
    {"another hash", "0.1.0.4.0.3.3.1.0.0.0.0", '=', "040100", SIGNING_CERT},
    {"no issuerSerial", "0.1.0.4.0.3.3.1.0.0.0.1", '-', "", SHORT},
    {"another issuer in it", "0.1.0.4.0.3.3.1.0.0.0.1.0.0.0", '=', "300C 310A 3008 0603550403 0C01 61", SIGNING_CERT},
    {"another serial in it", "0.1.0.4.0.3.3.1.0.0.0.1.1", '=', "020101", SIGNING_CERT},
    {"two issuers in it", "0.1.0.4.0.3.3.1.0.0.0.1.0.0", '2', "", TRAILING},
    {"Ed25519", "0.1.0.4.0.4", '=', "300506032B6570",
        "cms-ed25519: CR-1: a document is signed with RSA or on a curve of the guideline"},
    {"SHA-1 with RSA", "0.1.0.4.0.4", '=', "300D 06092A864886F70D010105 0500",
        "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"},
    {"signed with another digest", "0.1.0.4.0.4", '=', "300A06082A8648CE3D040303", DIGEST},
    {"no signature", "0.1.0.4.0.5", '-', "", SHORT},
    {"unsigned attributes", "0.1.0.4.0.5", '>', "A100",
        "cms-unsigned: house: a document carries no unsigned attributes"},
    {"something after the signature", "0.1.0.4.0.5", '2', "", TRAILING},
};

static const struct row PINNED_ROWS[] = {
    {"version 1 without a certificate", "0.1.0.0", '=', "020101", VERSION},
    {"signer of version 1", "0.1.0.3.0.0", '=', "020101", VERSION},
    {"short key identifier", "0.1.0.3.0.1", '=', "8001 00",
        "cms-key-id: RFC 5280 4.2.1.2: a key identifier has 20 bytes"},
    {"signer named by issuer", "0.1.0.3.0.1", '=', "3000", TYPE},
    {"signingCertificateV2", "0.1.0.3.0.3.2", '>', "300F 060B2A864886F70D010910022F 3100", ATTRIBUTES},
};

static void
test_refusals(void **state)
{
	const struct cms_plan p = plan(&p256, leaf_p256), q = plan(&p256, slice_of(NULL, 0));
	slice whole = cms_made(&p, &p256), pinned = cms_made(&q, &p256);
	struct cms c;

	(void)state;
	expect_ok("as it is", cms_get(whole, &c));
	expect_ok("as it is", cms_get(pinned, &c));
	for (size_t i = 0; i < COUNT(ROWS); i++)
		expect_text(
		    ROWS[i].name, cms_get(edit(whole, ROWS[i].path, ROWS[i].op, hex(ROWS[i].with)), &c), ROWS[i].expect);
	for (size_t i = 0; i < COUNT(PINNED_ROWS); i++)
		expect_text(PINNED_ROWS[i].name,
		    cms_get(edit(pinned, PINNED_ROWS[i].path, PINNED_ROWS[i].op, hex(PINNED_ROWS[i].with)), &c),
		    PINNED_ROWS[i].expect);
	for (size_t n = 0; n < whole.n; n++)
		expect_true("a prefix", cms_get(copy(slice_of(whole.p, n)), &c).kind == ERR_INPUT);
	/* BER: the same message with its outermost length indefinite. */
	whole = join(join(hex("3080"), slice_of(whole.p + 4, whole.n - 4)), hex("0000"));
	expect_err("BER", cms_get(whole, &c), ERR_INPUT, "der-indefinite: X.690 10.1: an indefinite length");
}

static void
test_limit(void **state)
{
	(void)state;
	for (size_t n = CMS_MAX; n <= CMS_MAX + 1; n++) {
		struct cms_plan p = plan(&p256, leaf_p256);
		size_t around;
		slice whole;
		struct cms c;

		/* An ECDSA signature has 70 to 72 bytes: try until the size is right. */
		p.content = bytes(60000, 'a');
		around = cms_made(&p, &p256).n - 60000;
		p.content = bytes(n - around, 'a');
		for (size_t tries = 0; (whole = cms_made(&p, &p256)).n != n; tries++)
			expect_true("a signature of the usual length", tries < 1000);
		expect_text("long", cms_get(whole, &c),
		    n == CMS_MAX ? NULL : "cms-long: house: a signed document has at most 65536 bytes");
	}
}

/* One row for each way a document is signed. */
struct way {
	const char *name;
	const struct signer *signer;
	const slice *certificate; /* NULL: pinned */
	enum sig_alg alg;
};

static const struct way WAYS[] = {
    {"RSA SHA-256", &rsa, &leaf_rsa, SIG_RSA_SHA256},
    {"RSA SHA-384", &rsa, &leaf_rsa, SIG_RSA_SHA384},
    {"RSA SHA-512", &rsa, &leaf_rsa, SIG_RSA_SHA512},
    {"PSS SHA-256", &rsa, &leaf_rsa, SIG_PSS_SHA256},
    {"PSS SHA-384", &rsa, &leaf_rsa, SIG_PSS_SHA384},
    {"PSS SHA-512", &rsa, &leaf_rsa, SIG_PSS_SHA512},
    {"P-256", &p256, &leaf_p256, SIG_ECDSA_SHA256},
    {"P-384", &p384, &leaf_p384, SIG_ECDSA_SHA384},
    {"pinned RSA", &rsa, NULL, SIG_RSA_SHA256},
    {"pinned P-256", &p256, NULL, SIG_ECDSA_SHA256},
    {"pinned P-384", &p384, NULL, SIG_ECDSA_SHA384},
};

static struct cms_plan
plan_of_way(const struct way *w)
{
	struct cms_plan p = plan(w->signer, w->certificate == NULL ? slice_of(NULL, 0) : *w->certificate);

	p.alg = w->alg;
	return p;
}

static bool
libcrypto_verifies(slice message, slice certificate, slice content)
{
	const unsigned char *p = message.p;
	CMS_ContentInfo *m = d2i_CMS_ContentInfo(NULL, &p, (long)message.n);
	BIO *out = BIO_new(BIO_s_mem());
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509 *x = x509_of(certificate), *ca_x = x509_of(anchor);
	X509_STORE *store = X509_STORE_new();
	char *text;
	long n;
	bool good;

	sk_X509_push(certs, x);
	X509_STORE_add_cert(store, ca_x);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW.ms / SECOND_MS);
	/* CMS_CADES compares signingCertificateV2 with the chain. */
	good =
	    m != NULL && p == message.p + message.n && CMS_verify(m, certs, store, NULL, out, CMS_BINARY | CMS_CADES) == 1;
	if (good) {
		n = BIO_get_mem_data(out, &text);
		expect_same("content", slice_of(text, (size_t)n), content);
	}
	sk_X509_pop_free(certs, X509_free);
	X509_free(ca_x);
	X509_STORE_free(store);
	BIO_free(out);
	CMS_ContentInfo_free(m);
	return good;
}

/* What get accepts, put writes back byte for byte; libcrypto verifies it. */
static void
test_law(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(WAYS); i++) {
		const struct way *w = &WAYS[i];
		struct buf attrs OWNED(buf_drop) = BUF(8192), again OWNED(buf_drop) = BUF(CMS_MAX);
		struct cms_plan p = plan_of_way(w);
		slice whole = cms_made(&p, w->signer);
		struct cms c;

		expect_ok(w->name, cms_get(whole, &c));
		expect_ok(w->name, cms_check(&c, w->signer->key));
		expect_same(w->name, c.content, LIT(TEXT));
		expect_same(w->name, c.certificate, p.certificate);
		expect_number(w->name, c.alg, w->alg);
		expect_true(w->name, c.signing_time.ms == NOW.ms);
		p = (struct cms_plan){
		    .content = c.content, .certificate = c.certificate, .signing_time = c.signing_time, .alg = c.alg};
		memcpy(p.key_id, c.key_id, sizeof p.key_id);
		cms_put_attrs(&attrs, &p);
		cms_join(&again, &p, buf_slice(&attrs), c.signature);
		expect_same(w->name, buf_slice(&again), whole);
		expect_true(w->name, w->certificate == NULL || libcrypto_verifies(whole, *w->certificate, LIT(TEXT)));
	}
}

/*
 * Who has no key makes no second encoding of what RSA signed: its other name is refused, as is every other byte that no
 * signature covers (test_refusals).  Of what ECDSA signed there are two: cms.h says who answers for that.
 */
static void
test_twins(void **state)
{
	static const struct {
		enum sig_alg alg;
		const char *name;
	} rows[] = {
	    {SIG_RSA_SHA256, "300D 06092A864886F70D01010B 0500"},
	    {SIG_RSA_SHA384, "300D 06092A864886F70D01010C 0500"},
	    {SIG_RSA_SHA512, "300D 06092A864886F70D01010D 0500"},
	};
	struct cms_plan p = plan(&rsa, leaf_rsa), q = plan(&p256, leaf_p256);
	slice whole, twin;
	struct cms c, d;
	ECDSA_SIG *sig;
	const unsigned char *at;
	unsigned char *der = NULL;
	BIGNUM *s = BN_new();
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	struct buf octets OWNED(buf_drop) = BUF(128);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		p.alg = rows[i].alg;
		whole = cms_made(&p, &rsa);
		expect_ok("as OpenSSL names it", cms_get(whole, &c));
		expect_err("the same signature by its other name",
		    cms_get(edit(whole, "0.1.0.4.0.4", '=', hex(rows[i].name)), &c), ERR_INPUT,
		    "cms-rsa: RFC 5652 10.1.2: an RSA signature goes under rsaEncryption, so that a document has one encoding");
	}
	expect_text("rsaEncryption without NULL",
	    cms_get(edit(whole, "0.1.0.4.0.4", '=', hex("300B 06092A864886F70D010101")), &c),
	    "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists");
	whole = cms_made(&q, &p256);
	expect_ok("ECDSA", cms_get(whole, &c));
	at = c.signature.p;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)c.signature.n);
	assert_int_equal(1, BN_sub(s, EC_GROUP_get0_order(g), ECDSA_SIG_get0_s(sig)));
	assert_int_equal(1, ECDSA_SIG_set0(sig, BN_dup(ECDSA_SIG_get0_r(sig)), s));
	der_put(&octets, DER_OCTETS, slice_of(der, (size_t)i2d_ECDSA_SIG(sig, &der)));
	twin = edit(whole, "0.1.0.4.0.5", '=', buf_slice(&octets));
	expect_ok("its twin", cms_get(twin, &d));
	expect_ok("its twin", cms_check(&d, p256.key));
	expect_true("another encoding", !slice_eq(whole, twin));
	expect_same("of the same", d.signed_attrs, c.signed_attrs);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EC_GROUP_free(g);
}

static void
test_check(void **state)
{
	const struct cms_plan p = plan(&rsa, leaf_rsa), q = plan(&p256, slice_of(NULL, 0));
	slice whole = cms_made(&p, &rsa), pinned = cms_made(&q, &p256);
	struct cms c;

	(void)state;
	expect_ok("rsa", cms_get(whole, &c));
	expect_err("another key", cms_check(&c, p256.key), ERR_POLICY, SIGNATURE);
	expect_err("the CA's key", cms_check(&c, ca.key), ERR_POLICY, SIGNATURE);
	expect_ok(
	    "another time", cms_get(edit(whole, "0.1.0.4.0.3.1.1.0", '=', hex("170D3236313132323030303030315A")), &c));
	expect_err("another time", cms_check(&c, rsa.key), ERR_POLICY, SIGNATURE);
	expect_ok("pinned", cms_get(pinned, &c));
	expect_same("pinned", ARR(c.key_id), ARR(p256.id));
	expect_err("another pin", cms_check(&c, p384.key), ERR_POLICY,
	    "cms-other-key: RFC 5652 5.3: the signer names another key");
	/* Another key of the same kind under the pinned identifier. */
	expect_ok("forged", cms_get(edit(pinned, "0.1.0.3.0.1", '=', join(hex("8014"), ARR(ca.id))), &c));
	expect_err("forged", cms_check(&c, ca.key), ERR_POLICY, SIGNATURE);
}

/* Messages as libcrypto makes them. */
static slice
libcrypto_signs(const struct signer *s, slice certificate, const EVP_MD *md, unsigned flags)
{
	X509 *x = x509_of(certificate);
	BIO *in = BIO_new_mem_buf(TEXT, sizeof TEXT - 1);
	CMS_ContentInfo *m = CMS_sign(NULL, NULL, NULL, in, CMS_BINARY | CMS_PARTIAL);
	unsigned char *der = NULL;
	slice out;
	int n;

	if (m == NULL || CMS_add1_signer(m, x, s->pkey, md, CMS_BINARY | flags) == NULL ||
	    CMS_final(m, in, NULL, CMS_BINARY) != 1)
		fail_msg("libcrypto does not sign");
	n = i2d_CMS_ContentInfo(m, &der);
	out = copy(slice_of(der, (size_t)n));
	OPENSSL_free(der);
	CMS_ContentInfo_free(m);
	BIO_free(in);
	X509_free(x);
	return out;
}

static void
test_libcrypto_signs(void **state)
{
	const struct {
		const char *name;
		const struct signer *signer;
		slice certificate;
		const EVP_MD *md;
		unsigned flags;
		const char *expect;
	} rows[] = {
	    {"RSA SHA-256", &rsa, leaf_rsa, EVP_sha256(), CMS_NOSMIMECAP | CMS_CADES, NULL},
	    {"RSA SHA-384", &rsa, leaf_rsa, EVP_sha384(), CMS_NOSMIMECAP | CMS_CADES, NULL},
	    {"RSA SHA-512", &rsa, leaf_rsa, EVP_sha512(), CMS_NOSMIMECAP | CMS_CADES, NULL},
	    {"P-256", &p256, leaf_p256, EVP_sha256(), CMS_NOSMIMECAP | CMS_CADES, NULL},
	    {"P-384", &p384, leaf_p384, EVP_sha384(), CMS_NOSMIMECAP | CMS_CADES, NULL},
	    {"smimeCapabilities", &p256, leaf_p256, EVP_sha256(), CMS_CADES, ATTRIBUTES},
	    {"no signingCertificateV2", &p256, leaf_p256, EVP_sha256(), CMS_NOSMIMECAP, ATTRIBUTES},
	    {"no attributes", &p256, leaf_p256, EVP_sha256(), CMS_NOATTR, TYPE},
	    {"no certificate", &p256, leaf_p256, EVP_sha256(), CMS_NOSMIMECAP | CMS_CADES | CMS_NOCERTS, VERSION},
	    {"signer named by key", &p256, leaf_p256, EVP_sha256(), CMS_NOSMIMECAP | CMS_CADES | CMS_USE_KEYID, VERSION},
	    {"pinned", &p256, leaf_p256, EVP_sha256(), CMS_NOSMIMECAP | CMS_NOCERTS | CMS_USE_KEYID, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice m = libcrypto_signs(rows[i].signer, rows[i].certificate, rows[i].md, rows[i].flags);
		struct cms c;

		expect_text(rows[i].name, cms_get(m, &c), rows[i].expect);
		if (rows[i].expect == NULL) {
			expect_ok(rows[i].name, cms_check(&c, rows[i].signer->key));
			expect_same(rows[i].name, c.content, LIT(TEXT));
		}
	}
}

static void
test_command(void **state)
{
	const struct cms_plan p = plan(&rsa, leaf_rsa);
	struct cms c;

	(void)state;
	temp_write_key("key.pem", &p256);
	temp_write_cert("cert.pem", leaf_p256);
	temp_write("doc", LIT(TEXT));
	expect_run("openssl cms -sign -nodetach -binary -nosmimecap -cades -in doc -signer cert.pem -inkey key.pem "
	           "-outform DER -out theirs.der");
	expect_ok("theirs", cms_get(temp_read("theirs.der"), &c));
	expect_ok("theirs", cms_check(&c, p256.key));
	expect_run("openssl cms -sign -nodetach -binary -cades -in doc -signer cert.pem -inkey key.pem -outform DER "
	           "-out capabilities.der");
	expect_err("capabilities", cms_get(temp_read("capabilities.der"), &c), ERR_INPUT, ATTRIBUTES);
	expect_run("openssl cms -sign -binary -nosmimecap -cades -in doc -signer cert.pem -inkey key.pem -outform DER "
	           "-out detached.der");
	expect_err("detached", cms_get(temp_read("detached.der"), &c), ERR_INPUT,
	    "cms-detached: house: the document is not inside its signature");
	temp_write("ours.der", cms_made(&p, &rsa));
	expect_run("openssl cms -verify -noverify -binary -inform DER -in ours.der -out text && cmp text doc");
	temp_write_cert("ca.pem", anchor);
	expect_run("openssl cms -verify -attime 1795305600 -CAfile ca.pem -purpose any -binary -inform DER -in ours.der "
	           "-out /dev/null");
	temp_write("forged.der", edit(cms_made(&p, &rsa), "0.1.0.4.0.5", '=', join(hex("04820100"), bytes(256, 1))));
	expect_true("forged", !run("openssl cms -verify -noverify -binary -inform DER -in forged.der -out /dev/null"));
}

/* A GeneralizedTime and a long serial do not change the order of the attributes. */
static void
test_late(void **state)
{
	struct cms_plan p = plan(&p256, leaf_p256);
	struct cms c;

	(void)state;
	p.signing_time = (instant){INT64_C(2524608000000)};
	expect_ok("2050", cms_get(cms_made(&p, &p256), &c));
	expect_true("2050", c.signing_time.ms == p.signing_time.ms);
	expect_ok("2050", cms_check(&c, p256.key));
	expect_true("2050", libcrypto_verifies(cms_made(&p, &p256), leaf_p256, LIT(TEXT)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_law),
	    cmocka_unit_test(test_twins),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_libcrypto_signs),
	    cmocka_unit_test(test_command),
	    cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests_name("cms", tests, make_world, drop_world);
}
