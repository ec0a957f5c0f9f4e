/*
 * base/key: which keys exist above this floor (CR-1), and what their signatures
 * are; OpenSSL makes the keys and signatures and is the second opinion.
 */
#include "test/unit/test.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "base/key.h"

#define SIGNATURE "signature: Act 2(1): the signature was not made by this key over these bytes"
#define ALGORITHM "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"
#define POINT "key-point: RFC 5480 2.2: a point is written uncompressed"
#define CURVE "key-curve: RFC 5480 2.1.1: an EC key names its curve"
#define CURVE_WEAK "key-curve-weak: CR-1: an EC key stands on P-256 or P-384"
#define KIND "key-kind: CR-1: the key is neither RSA nor on an elliptic curve we know"
#define EXPONENT "key-exponent: CR-1: an RSA key has the public exponent 65537"
#define TOO_LONG "key-long: house: an RSA key has at most 8192 bits"
#define WEAK "key-weak: CR-1: an RSA key has at least 2048 bits"
#define EVEN "key-even: CR-1: an RSA modulus is the product of two odd primes"
#define INVALID "key-invalid: CR-1: the numbers of this key are not a public key"

/* The keys of this program, made once: rsa, p256, p384, ed, and a second rsa. */
static struct {
	EVP_PKEY *rsa, *rsa2, *p256, *p384, *ed;
} made;

static int
make_keys(void **state)
{
	(void)state;
	made.rsa = EVP_RSA_gen(2048);
	made.rsa2 = EVP_RSA_gen(2056); /* not a power of two */
	made.p256 = EVP_EC_gen("P-256");
	made.p384 = EVP_EC_gen("P-384");
	made.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return made.rsa == NULL || made.rsa2 == NULL || made.p256 == NULL || made.p384 == NULL || made.ed == NULL;
}

static int
drop_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(made.rsa);
	EVP_PKEY_free(made.rsa2);
	EVP_PKEY_free(made.p256);
	EVP_PKEY_free(made.p384);
	EVP_PKEY_free(made.ed);
	return 0;
}

static slice
spki_of(EVP_PKEY *p)
{
	unsigned char *out = NULL;
	int n = i2d_PUBKEY(p, &out);
	slice s = copy(slice_of(out, (size_t)n));

	OPENSSL_free(out);
	return s;
}

static slice
modulus_of(EVP_PKEY *p)
{
	BIGNUM *n = NULL;
	uint8_t *out;
	slice s;

	assert_int_equal(EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	out = keep((size_t)BN_num_bytes(n));
	s = slice_of(out, (size_t)BN_bn2bin(n, out));
	BN_free(n);
	return s;
}

static slice
point_of(EVP_PKEY *p)
{
	uint8_t out[200];
	size_t n = 0;

	assert_int_equal(EVP_PKEY_get_octet_string_param(p, OSSL_PKEY_PARAM_PUB_KEY, out, sizeof out, &n), 1);
	return copy(slice_of(out, n));
}

/* An odd number of so many bits: for limits, no one has to know its factors. */
static slice
modulus_like(unsigned bits)
{
	size_t n = (bits + 7) / 8;
	uint8_t *p = keep(n);

	memset(p, 0xA5, n);
	p[0] = (uint8_t)(1U << (bits - 1) % 8);
	return slice_of(p, n);
}

static slice
rsa_spki(slice modulus)
{
	struct buf b = BUF(4000);
	slice s;

	key_put_spki(&b, KEY_RSA, modulus);
	s = copy(buf_slice(&b));
	buf_drop(&b);
	return s;
}

/* An SPKI of our own: the algorithm's members in hex, and the key's bits. */
static slice
spki_raw(const char *alg, slice bits)
{
	struct buf b = BUF(4000);
	size_t seq = der_open(&b, DER_SEQUENCE);
	slice s;

	der_put(&b, DER_SEQUENCE, hex(alg));
	der_put_bits(&b, bits);
	der_close(&b, seq);
	s = copy(buf_slice(&b));
	buf_drop(&b);
	return s;
}

#define A_RSA "06092A864886F70D010101 0500"
#define A_P256 "06072A8648CE3D0201 06082A8648CE3D030107"
#define A_P384 "06072A8648CE3D0201 06052B81040022"
#define A_ED "06032B6570"

/* RSAPublicKey with its INTEGERs given whole. */
static slice
rsa_raw(slice modulus, const char *exponent)
{
	struct buf b = BUF(4000);
	size_t seq = der_open(&b, DER_SEQUENCE);
	slice s;

	der_put_integer(&b, modulus);
	buf_put(&b, hex(exponent));
	der_close(&b, seq);
	s = copy(buf_slice(&b));
	buf_drop(&b);
	return s;
}

/* What is accepted, OpenSSL accepts, and it writes the same bytes. */
static void
expect_openssl_same(const char *row, slice spki)
{
	const unsigned char *p = spki.p;
	EVP_PKEY *k = d2i_PUBKEY(NULL, &p, (long)spki.n);

	if (k == NULL)
		fail_msg("%s: OpenSSL refuses this key", row);
	expect_same(row, spki_of(k), spki);
	EVP_PKEY_free(k);
}

static void
test_spki(void **state)
{
	slice n = modulus_of(made.rsa), p256 = point_of(made.p256), p384 = point_of(made.p384), ed = bytes(32, 3);
	uint8_t off[65], even[256];
	const struct {
		const char *name;
		slice in;
		const char *expect;
		enum key_kind kind;
		unsigned bits;
	} rows[] = {
	    {"RSA 2048", spki_of(made.rsa), NULL, KEY_RSA, 2048},
	    {"RSA 2056", spki_of(made.rsa2), NULL, KEY_RSA, 2056},
	    {"P-256", spki_of(made.p256), NULL, KEY_P256, 256},
	    {"P-384", spki_of(made.p384), NULL, KEY_P384, 384},
	    {"Ed25519", spki_of(made.ed), NULL, KEY_ED25519, 255},
	    {"RSA at its least", rsa_spki(modulus_like(2048)), NULL, KEY_RSA, 2048},
	    {"RSA below its least", rsa_spki(modulus_like(2047)), WEAK, 0, 0},
	    {"RSA 1024", rsa_spki(modulus_like(1024)), WEAK, 0, 0},
	    {"RSA 2049", rsa_spki(modulus_like(2049)), NULL, KEY_RSA, 2049},
	    {"RSA at its most", rsa_spki(modulus_like(8192)), NULL, KEY_RSA, 8192},
	    {"RSA above its most", rsa_spki(modulus_like(8193)), TOO_LONG, 0, 0},
	    {"RSA far above its most", rsa_spki(modulus_like(16384)), TOO_LONG, 0, 0},
	    {"RSA modulus 0", rsa_spki(bytes(1, 0)), WEAK, 0, 0},
	    {"RSA modulus 1", rsa_spki(bytes(1, 1)), WEAK, 0, 0},
	    {"RSA even", rsa_spki(slice_of(memcpy(even, n.p, 256), 256)), NULL, KEY_RSA, 2048}, /* made even below */
	    {"RSA e = 3", spki_raw(A_RSA, rsa_raw(n, "020103")), EXPONENT, 0, 0},
	    {"RSA e = 1", spki_raw(A_RSA, rsa_raw(n, "020101")), EXPONENT, 0, 0},
	    {"RSA e = 65536", spki_raw(A_RSA, rsa_raw(n, "0203010000")), EXPONENT, 0, 0},
	    {"RSA e = 65538", spki_raw(A_RSA, rsa_raw(n, "0203010002")), EXPONENT, 0, 0},
	    {"RSA e = 2^64+65537", spki_raw(A_RSA, rsa_raw(n, "0209010000000000010001")), EXPONENT, 0, 0},
	    {"RSA e = 65537 in four bytes", spki_raw(A_RSA, rsa_raw(n, "020400010001")), EXPONENT, 0, 0},
	    {"RSA without e", spki_raw(A_RSA, rsa_raw(n, "")), EXPONENT, 0, 0},
	    {"RSA and one number more", spki_raw(A_RSA, rsa_raw(n, "0203010001 020100")),
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow", 0, 0},
	    {"RSA and bytes more", spki_raw(A_RSA, join(rsa_raw(n, "0203010001"), hex("00"))),
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow", 0, 0},
	    {"RSA bits that are no sequence", spki_raw(A_RSA, bytes(300, 4)),
	        "der-type: X.690 8.1.2: another element was expected here", 0, 0},
	    {"RSA without NULL", spki_raw("06092A864886F70D010101", rsa_raw(n, "0203010001")),
	        "der-short: X.690 8.1: the input ends within an element", 0, 0},
	    {"RSA with an OID for NULL", spki_raw("06092A864886F70D010101 06012A", rsa_raw(n, "0203010001")),
	        "der-type: X.690 8.1.2: another element was expected here", 0, 0},
	    {"RSA with two NULLs", spki_raw(A_RSA "0500", rsa_raw(n, "0203010001")),
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow", 0, 0},
	    {"RSASSA-PSS as key type", spki_raw("06092A864886F70D01010A", rsa_raw(n, "0203010001")), KIND, 0, 0},
	    {"DSA", spki_raw("06072A8648CE380401", hex("020101")), KIND, 0, 0},
	    {"X25519", spki_raw("06032B656E", ed), KIND, 0, 0},
	    {"Ed448", spki_raw("06032B6571", bytes(57, 3)), KIND, 0, 0},
	    {"P-256 by numbers", spki_raw(A_P256, p256), NULL, KEY_P256, 256},
	    {"P-384 by numbers", spki_raw(A_P384, p384), NULL, KEY_P384, 384},
	    {"P-192", spki_raw("06072A8648CE3D0201 06082A8648CE3D030101", bytes(49, 4)), CURVE_WEAK, 0, 0},
	    {"P-224", spki_raw("06072A8648CE3D0201 06052B81040021", bytes(57, 4)), CURVE_WEAK, 0, 0},
	    {"P-521", spki_raw("06072A8648CE3D0201 06052B81040023", bytes(133, 4)), CURVE_WEAK, 0, 0},
	    {"secp256k1", spki_raw("06072A8648CE3D0201 06052B8104000A", bytes(65, 4)), CURVE_WEAK, 0, 0},
	    {"EC without a curve", spki_raw("06072A8648CE3D0201", p256), CURVE, 0, 0},
	    {"EC with an implicit curve", spki_raw("06072A8648CE3D0201 0500", p256), CURVE, 0, 0},
	    {"EC with the curve written out", spki_raw("06072A8648CE3D0201 3003020101", p256), CURVE, 0, 0},
	    {"EC with two curves", spki_raw(A_P256 "06052B81040022", p256), CURVE, 0, 0},
	    {"P-384's point on P-256", spki_raw(A_P256, p384), POINT, 0, 0},
	    {"P-256's point on P-384", spki_raw(A_P384, p256), POINT, 0, 0},
	    {"a point cut", spki_raw(A_P256, (slice){p256.p, 64}), POINT, 0, 0},
	    {"a point longer", spki_raw(A_P256, join(p256, hex("00"))), POINT, 0, 0},
	    {"a compressed point", spki_raw(A_P256, join(hex("02"), (slice){p256.p + 1, 32})), POINT, 0, 0},
	    {"a hybrid point", spki_raw(A_P256, join(hex("06"), (slice){p256.p + 1, 64})), POINT, 0, 0},
	    {"the point at infinity", spki_raw(A_P256, hex("00")), POINT, 0, 0},
	    {"no point", spki_raw(A_P256, (slice){NULL, 0}), POINT, 0, 0},
	    {"a point off the curve", spki_raw(A_P256, slice_of(memcpy(off, p256.p, 65), 65)), NULL, KEY_P256, 256},
	    {"coordinates 0", spki_raw(A_P256, join(hex("04"), bytes(64, 0))), INVALID, 0, 0},
	    {"coordinates beyond the field", spki_raw(A_P256, join(hex("04"), bytes(64, 0xFF))), INVALID, 0, 0},
	    {"Ed25519 of 31 bytes", spki_raw(A_ED, bytes(31, 3)), POINT, 0, 0},
	    {"Ed25519 of 33 bytes", spki_raw(A_ED, bytes(33, 3)), POINT, 0, 0},
	    {"Ed25519 with NULL", spki_raw(A_ED "0500", ed),
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow", 0, 0},
	    {"bytes after it", join(spki_of(made.p256), hex("00")),
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow", 0, 0},
	    {"nothing", (slice){NULL, 0}, "der-short: X.690 8.1: the input ends within an element", 0, 0},
	    {"a set", hex("3100"), "der-type: X.690 8.1.2: another element was expected here", 0, 0},
	    {"bytes at SPKI_MAX", bytes(SPKI_MAX, 0x30), "der-trailing: X.690 8.1: bytes follow where nothing may follow",
	        0, 0},
	    {"bytes at SPKI_MAX+1", bytes(SPKI_MAX + 1, 0x30), TOO_LONG, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key *k OWNED(key_drop) = NULL;
		slice in = rows[i].in;
		const char *expect = rows[i].expect;
		uint8_t *p;

		if (strcmp(rows[i].name, "RSA even") == 0) {
			even[255] = (uint8_t)(even[255] & 0xFE);
			in = rsa_spki(ARR(even));
			expect = EVEN;
		} else if (strcmp(rows[i].name, "a point off the curve") == 0) {
			p = keep(in.n);
			memcpy(p, in.p, in.n);
			p[in.n - 1] = (uint8_t)(p[in.n - 1] ^ 1);
			in = slice_of(p, in.n);
			expect = INVALID;
		}
		expect_text(rows[i].name, key_get_spki(in, &k), expect);
		if (expect != NULL) {
			assert_null(k);
			continue;
		}
		assert_int_equal(key_kind(k), rows[i].kind);
		assert_int_equal(key_bits(k), rows[i].bits);
		expect_same(rows[i].name, key_spki(k), in);
		expect_true(rows[i].name, digest_eq(key_digest(k), sha256(in)));
		expect_openssl_same(rows[i].name, in);
	}
}

/* The kind of the refusal: below the law is a matter of policy, bytes are input. */
static void
test_kinds(void **state)
{
	struct key *k = NULL;

	(void)state;
	expect_err("weak", key_get_spki(rsa_spki(modulus_like(2047)), &k), ERR_POLICY, WEAK);
	expect_err(
	    "curve", key_get_spki(spki_raw("06072A8648CE3D0201 06052B81040021", bytes(57, 4)), &k), ERR_POLICY, CURVE_WEAK);
	expect_err("kind", key_get_spki(spki_raw("06032B656E", bytes(32, 1)), &k), ERR_POLICY, KIND);
	expect_err("invalid", key_get_spki(spki_raw(A_P256, join(hex("04"), bytes(64, 0))), &k), ERR_POLICY, INVALID);
	expect_err("point", key_get_spki(spki_raw(A_P256, hex("04")), &k), ERR_INPUT, POINT);
	expect_err("der", key_get_spki(hex("30"), &k), ERR_INPUT, "der-short: X.690 8.1: the input ends within an element");
	key_drop(&k);
}

/* What PKCS#11 gives becomes the SPKI that OpenSSL writes; the identifier is OpenSSL's too. */
static void
test_put_spki(void **state)
{
	const struct {
		EVP_PKEY *p;
		enum key_kind kind;
		slice material;
	} rows[] = {
	    {made.rsa, KEY_RSA, modulus_of(made.rsa)},
	    {made.rsa, KEY_RSA, join(hex("0000"), modulus_of(made.rsa))},
	    {made.rsa2, KEY_RSA, modulus_of(made.rsa2)},
	    {made.p256, KEY_P256, point_of(made.p256)},
	    {made.p384, KEY_P384, point_of(made.p384)},
	    {made.ed, KEY_ED25519, point_of(made.ed)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(SPKI_MAX);
		struct key *k OWNED(key_drop) = NULL;
		uint8_t id[SHA1_LEN], ref[EVP_MAX_MD_SIZE];
		X509_PUBKEY *x = NULL;
		unsigned n = 0;
		const unsigned char *bits;
		int len;

		key_put_spki(&b, rows[i].kind, rows[i].material);
		expect_same(row_name("spki", i), buf_slice(&b), spki_of(rows[i].p));
		expect_ok(row_name("spki", i), key_get_spki(buf_slice(&b), &k));
		key_identifier(k, id);
		X509_PUBKEY_set(&x, rows[i].p);
		X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, x);
		EVP_Digest(bits, (size_t)len, ref, &n, EVP_sha1(), NULL);
		expect_same(row_name("identifier", i), ARR(id), slice_of(ref, n));
		X509_PUBKEY_free(x);
	}
}

static slice
sign(EVP_PKEY *p, const EVP_MD *md, int padding, int salt, const EVP_MD *mgf, slice message)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc = NULL;
	uint8_t sig[SIG_MAX];
	size_t n = sizeof sig;

	assert_int_equal(EVP_DigestSignInit(c, &pc, md, NULL, p), 1);
	if (padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pc, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, salt), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(pc, mgf), 1);
	}
	assert_int_equal(EVP_DigestSign(c, sig, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(c);
	return copy(slice_of(sig, n));
}

/* A signature block of our own choice: m^d mod n, without any padding. */
static slice
sign_block(EVP_PKEY *p, slice block)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(p, NULL);
	uint8_t sig[SIG_MAX];
	size_t n = sizeof sig;

	assert_int_equal(EVP_PKEY_sign_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(c, sig, &n, block.p, block.n), 1);
	EVP_PKEY_CTX_free(c);
	return copy(slice_of(sig, n));
}

/* A key by itself; one that takes its curve from another of its kind, or of another; one with its table. */
enum way { ALONE, LIKE_SAME, LIKE_OTHER, KEPT, WAYS };

static struct key *
load_as(EVP_PKEY *p, enum way way)
{
	struct key *like OWNED(key_drop) = NULL, *k = NULL;

	if (way == LIKE_SAME || way == LIKE_OTHER)
		expect_ok("like", key_get_spki(spki_of(way == LIKE_SAME ? p : p == made.p256 ? made.p384 : made.p256), &like));
	expect_ok("load", key_get_spki_like(spki_of(p), like, &k));
	if (way == KEPT) {
		key_keep(k);
		key_keep(k); /* once is enough */
	}
	return k;
}

static struct key *
load(EVP_PKEY *p)
{
	struct key *k = NULL;

	expect_ok("load", key_get_spki(spki_of(p), &k));
	return k;
}

static slice
flipped(slice s, size_t bit)
{
	uint8_t *p = keep(s.n);

	memcpy(p, s.p, s.n);
	p[bit / 8] = (uint8_t)(p[bit / 8] ^ 1 << bit % 8);
	return slice_of(p, s.n);
}

static void
test_check(void **state)
{
	const struct row {
		const char *name;
		EVP_PKEY *p;
		enum sig_alg alg;
		const EVP_MD *md;
		int padding;
	} rows[] = {
	    {"RSA SHA-256", made.rsa, SIG_RSA_SHA256, EVP_sha256(), RSA_PKCS1_PADDING},
	    {"RSA SHA-384", made.rsa, SIG_RSA_SHA384, EVP_sha384(), RSA_PKCS1_PADDING},
	    {"RSA SHA-512", made.rsa, SIG_RSA_SHA512, EVP_sha512(), RSA_PKCS1_PADDING},
	    {"RSA 2056 SHA-256", made.rsa2, SIG_RSA_SHA256, EVP_sha256(), RSA_PKCS1_PADDING},
	    {"PSS SHA-256", made.rsa, SIG_PSS_SHA256, EVP_sha256(), RSA_PKCS1_PSS_PADDING},
	    {"PSS SHA-384", made.rsa, SIG_PSS_SHA384, EVP_sha384(), RSA_PKCS1_PSS_PADDING},
	    {"PSS SHA-512", made.rsa, SIG_PSS_SHA512, EVP_sha512(), RSA_PKCS1_PSS_PADDING},
	    {"PSS 2056 SHA-256", made.rsa2, SIG_PSS_SHA256, EVP_sha256(), RSA_PKCS1_PSS_PADDING},
	    {"P-256 SHA-256", made.p256, SIG_ECDSA_SHA256, EVP_sha256(), 0},
	    {"P-256 SHA-384", made.p256, SIG_ECDSA_SHA384, EVP_sha384(), 0},
	    {"P-384 SHA-256", made.p384, SIG_ECDSA_SHA256, EVP_sha256(), 0},
	    {"P-384 SHA-384", made.p384, SIG_ECDSA_SHA384, EVP_sha384(), 0},
	    {"Ed25519", made.ed, SIG_ED25519, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * WAYS; i++) {
		const struct row *row = &rows[i / WAYS];
		struct key *k OWNED(key_drop) = load_as(row->p, i % WAYS);
		slice message = LIT("what was signed"), sig, empty;
		const char *name = row->name;

		sig = sign(row->p, row->md, row->padding, RSA_PSS_SALTLEN_DIGEST, row->md, message);
		expect_ok(name, key_check(k, row->alg, message, sig));
		expect_ok(name, key_check(k, row->alg, message, sig)); /* a check changes nothing in the key */
		empty = sign(row->p, row->md, row->padding, RSA_PSS_SALTLEN_DIGEST, row->md, LIT(""));
		expect_ok(name, key_check(k, row->alg, (slice){NULL, 0}, empty));

		expect_err(name, key_check(k, row->alg, LIT("what was not"), sig), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, (slice){NULL, 0}, sig), ERR_POLICY, SIGNATURE);
		for (size_t bit = 0; bit < sig.n * 8; bit += row->p == made.p384 ? 37 : 7)
			expect_err(name, key_check(k, row->alg, message, flipped(sig, bit)), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, (slice){NULL, 0}), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, (slice){sig.p, sig.n - 1}), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, join(sig, hex("00"))), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, join(hex("00"), sig)), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, bytes(sig.n, 0)), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, bytes(sig.n, 0xFF)), ERR_POLICY, SIGNATURE);
		expect_err(name, key_check(k, row->alg, message, bytes(5000, 1)), ERR_POLICY, SIGNATURE);
		/* every other algorithm, and every other key */
		for (size_t j = 0; j < COUNT(rows); j++) {
			struct key *other OWNED(key_drop) = load(rows[j].p);

			if (rows[j].alg != row->alg)
				expect_err(name, key_check(k, rows[j].alg, message, sig), ERR_POLICY, SIGNATURE);
			if (rows[j].p != row->p)
				expect_err(name, key_check(other, row->alg, message, sig), ERR_POLICY, SIGNATURE);
		}
	}
}

/* PKCS#1 v1.5 blocks that a parsing verifier may accept, and one that builds and compares does not. */
static void
test_pkcs1_blocks(void **state)
{
	static const char INFO[] = "3031 300D 0609608648016503040201 0500 0420";
	static const struct {
		const char *name, *head, *info, *tail;
		bool good;
	} rows[] = {
	    {"as it must be", "0001", INFO, "", true},
	    {"without NULL", "0001", "302F 300B 0609608648016503040201 0420", "", false},
	    {"bytes after the hash, padding short", "0001", INFO, "00112233445566778899AABBCCDDEEFF", false},
	    {"lengths in their long form", "0001", "308131 300D 0609608648016503040201 0500 0420", "", false},
	    {"another digest's name", "0001", "3031 300D 0609608648016503040202 0500 0420", "", false},
	    {"NULL with a byte in it", "0001", "3032 300E 0609608648016503040201 050100 0420", "", false},
	    {"block type 2", "0002", INFO, "", false},
	    {"block type 0", "0000", INFO, "", false},
	    {"a bare hash", "0001", "", "", false},
	};
	struct key *k OWNED(key_drop) = load(made.rsa);
	slice message = LIT("what was signed"), n = modulus_of(made.rsa);
	digest d = sha256(message);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice head = hex(rows[i].head), end = join(join(hex(rows[i].info), digest_slice(&d)), hex(rows[i].tail));
		slice block = join(join(head, bytes(n.n - head.n - 1 - end.n, 0xFF)), join(hex("00"), end));
		slice sig = sign_block(made.rsa, block);

		if (rows[i].good)
			expect_ok(rows[i].name, key_check(k, SIG_RSA_SHA256, message, sig));
		else
			expect_err(rows[i].name, key_check(k, SIG_RSA_SHA256, message, sig), ERR_POLICY, SIGNATURE);
	}
	{
		/* a padding byte that is not FF */
		slice end = join(hex(INFO), digest_slice(&d));
		size_t pad = n.n - 3 - end.n;
		slice block = join(join(hex("0001"), bytes(pad - 1, 0xFF)), join(hex("FE00"), end));

		expect_err("FE", key_check(k, SIG_RSA_SHA256, message, sign_block(made.rsa, block)), ERR_POLICY, SIGNATURE);
	}
}

/* A number above the modulus is no signature, though its power is the same. */
static void
test_rsa_range(void **state)
{
	struct key *k OWNED(key_drop) = load(made.rsa2);
	slice n = modulus_of(made.rsa2);
	unsigned tried = 0;
	char text[32];

	(void)state;
	assert_int_equal(n.n, 257);
	for (unsigned i = 0; i < 400 && tried == 0; i++) {
		slice message = (snprintf(text, sizeof text, "message %u", i), txt(text)), sig;
		uint8_t *sum = keep(n.n);
		unsigned carry = 0;

		sig = sign(made.rsa2, EVP_sha256(), RSA_PKCS1_PADDING, 0, NULL, message);
		for (size_t j = n.n; j-- > 0;) {
			carry += (unsigned)sig.p[j] + n.p[j];
			sum[j] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0)
			continue;
		expect_ok("below", key_check(k, SIG_RSA_SHA256, message, sig));
		expect_err("above", key_check(k, SIG_RSA_SHA256, message, slice_of(sum, n.n)), ERR_POLICY, SIGNATURE);
		tried++;
	}
	assert_int_equal(tried, 1);
	expect_err("the modulus itself", key_check(k, SIG_RSA_SHA256, LIT("x"), n), ERR_POLICY, SIGNATURE);
}

static void
test_pss(void **state)
{
	const struct {
		const char *name;
		enum sig_alg alg;
		const EVP_MD *md, *mgf;
		int salt;
		bool good;
	} rows[] = {
	    {"salt as long as the hash", SIG_PSS_SHA256, EVP_sha256(), EVP_sha256(), 32, true},
	    {"salt one shorter", SIG_PSS_SHA256, EVP_sha256(), EVP_sha256(), 31, false},
	    {"salt one longer", SIG_PSS_SHA256, EVP_sha256(), EVP_sha256(), 33, false},
	    {"no salt", SIG_PSS_SHA256, EVP_sha256(), EVP_sha256(), 0, false},
	    {"the longest salt", SIG_PSS_SHA256, EVP_sha256(), EVP_sha256(), RSA_PSS_SALTLEN_MAX, false},
	    {"another mask hash", SIG_PSS_SHA256, EVP_sha256(), EVP_sha1(), 32, false},
	    {"the longest hash's mask", SIG_PSS_SHA256, EVP_sha256(), EVP_sha512(), 32, false},
	    {"SHA-512", SIG_PSS_SHA512, EVP_sha512(), EVP_sha512(), 64, true},
	    {"SHA-512 with SHA-256's salt", SIG_PSS_SHA512, EVP_sha512(), EVP_sha512(), 32, false},
	    {"PKCS#1 asked for", SIG_RSA_SHA256, EVP_sha256(), EVP_sha256(), 32, false},
	};
	struct key *k OWNED(key_drop) = load(made.rsa);
	slice message = LIT("what was signed");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice sig = sign(made.rsa, rows[i].md, RSA_PKCS1_PSS_PADDING, rows[i].salt, rows[i].mgf, message);

		if (rows[i].good)
			expect_ok(rows[i].name, key_check(k, rows[i].alg, message, sig));
		else
			expect_err(rows[i].name, key_check(k, rows[i].alg, message, sig), ERR_POLICY, SIGNATURE);
	}
	/* One signature has one spelling: as long as the modulus, also where it begins with a zero (one in 256 does). */
	for (int tries = 0;; tries++) {
		slice sig = sign(made.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 32, EVP_sha256(), message);

		assert_true(tries < 20000);
		if (sig.p[0] != 0)
			continue;
		expect_ok("it begins with a zero", key_check(k, SIG_PSS_SHA256, message, sig));
		expect_err("its zero taken off", key_check(k, SIG_PSS_SHA256, message, slice_of(sig.p + 1, sig.n - 1)),
		    ERR_POLICY, SIGNATURE);
		break;
	}
}

/* ECDSA: one encoding only, and r and s as PKCS#11 gives them. */
static void
ecdsa_rows(enum way way)
{
	struct key *k OWNED(key_drop) = load_as(made.p256, way);
	const slice n = hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"); /* SEC 2: the order */
	slice message = LIT("what was signed"), sig, s, seq, r, v;
	struct buf b OWNED(buf_drop) = BUF(200), raw OWNED(buf_drop) = BUF(64);
	size_t mark;

	sig = sign(made.p256, EVP_sha256(), 0, 0, NULL, message);
	s = sig;
	expect_ok("sequence", der_get(&s, DER_SEQUENCE, &seq));
	expect_ok("r", der_get_integer(&seq, &r));
	expect_ok("s", der_get_integer(&seq, &v));

	for (size_t i = r.n; i < 32; i++)
		buf_put_u8(&raw, 0);
	buf_put(&raw, r);
	for (size_t i = v.n; i < 32; i++)
		buf_put_u8(&raw, 0);
	buf_put(&raw, v);
	ecdsa_put(&b, buf_slice(&raw));
	expect_same("from r and s", buf_slice(&b), sig);

	buf_clear(&b);
	mark = der_open(&b, DER_SEQUENCE);
	der_put(&b, DER_INTEGER, join(hex("0000"), r));
	der_put_integer(&b, v);
	der_close(&b, mark);
	expect_err("padded r", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);

	buf_clear(&b);
	mark = der_open(&b, DER_SEQUENCE);
	der_put_integer(&b, r);
	der_put_integer(&b, v);
	der_put_null(&b);
	der_close(&b, mark);
	expect_err("a third member", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);

	buf_clear(&b);
	ecdsa_put(&b, bytes(64, 0));
	expect_same("zeros", buf_slice(&b), hex("3006 020100 020100"));
	expect_err("zeros", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);
	buf_clear(&b);
	ecdsa_put(&b, join(bytes(32, 0), (slice){raw.p + 32, 32}));
	expect_err("r = 0", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);
	buf_clear(&b);
	ecdsa_put(&b, join((slice){raw.p, 32}, n));
	expect_err("s = n", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);
	buf_clear(&b);
	ecdsa_put(&b, join(n, (slice){raw.p + 32, 32}));
	expect_err("r = n", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&b)), ERR_POLICY, SIGNATURE);
	expect_err("r and s bare", key_check(k, SIG_ECDSA_SHA256, message, buf_slice(&raw)), ERR_POLICY, SIGNATURE);
}

static void
test_ecdsa(void **state)
{
	(void)state;
	for (enum way w = ALONE; w < WAYS; w++)
		ecdsa_rows(w);
}

/* As OpenSSL writes it into what it signs. */
static void
test_alg_openssl(void **state)
{
	const struct {
		EVP_PKEY *p;
		const EVP_MD *md;
		int padding, salt;
		enum sig_alg alg;
	} rows[] = {
	    {made.rsa, EVP_sha256(), 0, 0, SIG_RSA_SHA256},
	    {made.rsa, EVP_sha384(), 0, 0, SIG_RSA_SHA384},
	    {made.rsa, EVP_sha512(), 0, 0, SIG_RSA_SHA512},
	    {made.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 32, SIG_PSS_SHA256},
	    {made.rsa, EVP_sha384(), RSA_PKCS1_PSS_PADDING, 48, SIG_PSS_SHA384},
	    {made.rsa, EVP_sha512(), RSA_PKCS1_PSS_PADDING, 64, SIG_PSS_SHA512},
	    {made.p256, EVP_sha256(), 0, 0, SIG_ECDSA_SHA256},
	    {made.p384, EVP_sha384(), 0, 0, SIG_ECDSA_SHA384},
	    {made.ed, NULL, 0, 0, SIG_ED25519},
	    {made.rsa, EVP_sha1(), 0, 0, 0},
	    {made.rsa, EVP_sha224(), 0, 0, 0},
	    {made.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING, 20, 0},
	    {made.rsa, EVP_sha1(), RSA_PKCS1_PSS_PADDING, 20, 0},
	    {made.p256, EVP_sha1(), 0, 0, 0},
	    {made.p256, EVP_sha512(), 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(200);
		X509_REQ *req = X509_REQ_new();
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pc = NULL;
		const X509_ALGOR *alg = NULL;
		unsigned char *out = NULL;
		enum sig_alg got = 0;
		slice in, s;
		int n;

		X509_REQ_set_pubkey(req, rows[i].p);
		assert_int_equal(EVP_DigestSignInit(c, &pc, rows[i].md, NULL, rows[i].p), 1);
		if (rows[i].padding != 0) {
			EVP_PKEY_CTX_set_rsa_padding(pc, rows[i].padding);
			EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, rows[i].salt);
		}
		assert_true(X509_REQ_sign_ctx(req, c) > 0);
		X509_REQ_get0_signature(req, NULL, &alg);
		n = i2d_X509_ALGOR(alg, &out);
		s = in = copy(slice_of(out, (size_t)n));
		if (rows[i].alg == 0)
			expect_err(row_name("openssl", i), sig_alg_get(&s, &got), ERR_POLICY, ALGORITHM);
		else {
			expect_ok(row_name("openssl", i), sig_alg_get(&s, &got));
			assert_int_equal(got, rows[i].alg);
			sig_alg_put(&b, rows[i].alg);
			expect_same(row_name("openssl", i), buf_slice(&b), in);
		}
		OPENSSL_free(out);
		EVP_MD_CTX_free(c);
		X509_REQ_free(req);
	}
}

static void
test_alg_rows(void **state)
{
	static const struct {
		const char *in, *expect;
		enum sig_alg alg;
	} rows[] = {
	    {"300D 06092A864886F70D01010B 0500", NULL, SIG_RSA_SHA256},
	    {"300D 06092A864886F70D01010C 0500", NULL, SIG_RSA_SHA384},
	    {"300D 06092A864886F70D01010D 0500", NULL, SIG_RSA_SHA512},
	    {"300A 06082A8648CE3D040302", NULL, SIG_ECDSA_SHA256},
	    {"300A 06082A8648CE3D040303", NULL, SIG_ECDSA_SHA384},
	    {"3005 06032B6570", NULL, SIG_ED25519},
	    {"300B 06092A864886F70D01010B", ALGORITHM, 0},      /* RSA without NULL */
	    {"300C 06082A8648CE3D040302 0500", ALGORITHM, 0},   /* ECDSA with NULL */
	    {"3007 06032B6570 0500", ALGORITHM, 0},             /* Ed25519 with NULL */
	    {"300D 06092A864886F70D010105 0500", ALGORITHM, 0}, /* SHA-1 */
	    {"300D 06092A864886F70D010104 0500", ALGORITHM, 0}, /* MD5 */
	    {"300D 06092A864886F70D01010A 0500", ALGORITHM, 0}, /* PSS with NULL */
	    {"300D 06092A864886F70D01010A 3000", ALGORITHM, 0}, /* PSS with every default: SHA-1 */
	    {"300B 0609608648016503040302", ALGORITHM, 0},      /* DSA */
	    {"300A 06082A8648CE3D040304", ALGORITHM, 0},        /* ECDSA with SHA-512 */
	    {"3000", ALGORITHM, 0},
	    {"310D 06092A864886F70D01010B 0500", "der-type: X.690 8.1.2: another element was expected here", 0},
	    {"300D 06092A864886F70D01010B 05", "der-short: X.690 8.1: the input ends within an element", 0},
	    {"", "der-short: X.690 8.1: the input ends within an element", 0},
	};
	static const struct {
		enum sig_alg alg;
		enum hash_alg hash;
		bool rsa, ec, ed;
	} fits[] = {
	    {SIG_RSA_SHA256, HASH_SHA256, true, false, false},
	    {SIG_RSA_SHA384, HASH_SHA384, true, false, false},
	    {SIG_RSA_SHA512, HASH_SHA512, true, false, false},
	    {SIG_PSS_SHA256, HASH_SHA256, true, false, false},
	    {SIG_PSS_SHA384, HASH_SHA384, true, false, false},
	    {SIG_PSS_SHA512, HASH_SHA512, true, false, false},
	    {SIG_ECDSA_SHA256, HASH_SHA256, false, true, false},
	    {SIG_ECDSA_SHA384, HASH_SHA384, false, true, false},
	    {SIG_ED25519, HASH_SHA512, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		slice in = hex(rows[i].in), s = in, more = join(in, hex("0500"));
		struct buf b OWNED(buf_drop) = BUF(100);
		enum sig_alg got = 0;

		expect_text(rows[i].in, sig_alg_get(&s, &got), rows[i].expect);
		if (rows[i].expect != NULL) {
			expect_true(rows[i].in, s.p == in.p && s.n == in.n && got == 0);
			continue;
		}
		assert_int_equal(got, rows[i].alg);
		assert_int_equal(s.n, 0);
		sig_alg_put(&b, got);
		expect_same(rows[i].in, buf_slice(&b), in);
		expect_ok(rows[i].in, sig_alg_get(&more, &got));
		expect_same(rows[i].in, more, hex("0500"));
	}
	for (size_t i = 0; i < COUNT(fits); i++) {
		enum sig_alg a = fits[i].alg;

		assert_int_equal(sig_alg_hash(a), fits[i].hash);
		assert_true(sig_alg_fits(a, KEY_RSA) == fits[i].rsa);
		assert_true(sig_alg_fits(a, KEY_P256) == fits[i].ec);
		assert_true(sig_alg_fits(a, KEY_P384) == fits[i].ec);
		assert_true(sig_alg_fits(a, KEY_ED25519) == fits[i].ed);
	}
	assert_false(sig_alg_fits(SIG_RSA_SHA256, 0));
	assert_int_equal(sig_alg_for(KEY_RSA), SIG_RSA_SHA256);
	assert_int_equal(sig_alg_for(KEY_P256), SIG_ECDSA_SHA256);
	assert_int_equal(sig_alg_for(KEY_P384), SIG_ECDSA_SHA384);
	assert_int_equal(sig_alg_for(KEY_ED25519), SIG_ED25519);
}

/* The prefix as the card's manual has it (domain 2.6), and a signature over it by libcrypto's bare RSA. */
static void
test_digest_info(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(100);
	struct key *k OWNED(key_drop) = load(made.rsa);
	slice message = LIT("what was signed");
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(made.rsa, NULL);
	digest d = sha256(message);
	uint8_t sig[SIG_MAX];
	size_t n = sizeof sig;

	(void)state;
	digest_info_put(&b, HASH_SHA256, digest_slice(&d));
	expect_same("SHA-256", buf_slice(&b), join(hex("3031300D060960864801650304020105000420"), digest_slice(&d)));
	assert_int_equal(EVP_PKEY_sign_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(c, sig, &n, b.p, b.n), 1);
	EVP_PKEY_CTX_free(c);
	expect_ok("signed as a token does", key_check(k, SIG_RSA_SHA256, message, slice_of(sig, n)));
	buf_clear(&b);
	digest_info_put(&b, HASH_SHA384, bytes(48, 1));
	expect_same("SHA-384", buf_slice(&b), join(hex("3041300D060960864801650304020205000430"), bytes(48, 1)));
	buf_clear(&b);
	digest_info_put(&b, HASH_SHA512, bytes(64, 1));
	expect_same("SHA-512", buf_slice(&b), join(hex("3051300D060960864801650304020305000440"), bytes(64, 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_spki),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_put_spki),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_pkcs1_blocks),
	    cmocka_unit_test(test_rsa_range),
	    cmocka_unit_test(test_pss),
	    cmocka_unit_test(test_ecdsa),
	    cmocka_unit_test(test_alg_openssl),
	    cmocka_unit_test(test_alg_rows),
	    cmocka_unit_test(test_digest_info),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
