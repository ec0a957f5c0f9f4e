/*
 * The plain EC calls are marked deprecated in OpenSSL 3, but they alone let keys of one curve share what is the same for
 * all of them: a key that is used once costs 4 us to load instead of 40 us.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "base/key.h"

/*
 * An RSA key is kept as numbers: PKCS#1 v1.5 is one power and one comparison, and the plain power costs 25 us for a key
 * that is used once (19 us when used again) where the same through EVP costs 45 us (26 us), most of it for finding
 * algorithms by name.  The card's keys are used once each, so an application's price is made here.
 */
struct key {
	enum key_kind kind;
	unsigned bits;
	struct buf spki;
	slice material;    /* the subjectPublicKey bits, in spki       */
	slice modulus;     /* RSA: without its sign byte, in spki      */
	BIGNUM *n;         /* RSA                                      */
	BN_MONT_CTX *mont; /* RSA: n's Montgomery form, read only here */
	EC_KEY *ec;        /* P-256, P-384                             */
	EC_GROUP *table;   /* its curve with multiples of this key's point in place of the generator's, see key_keep */
	EVP_PKEY *pkey;    /* Ed25519                                  */
	bool named;        /* none of these: it checks nothing         */
};

#define RSA_EXPONENT 65537

static const uint8_t OID_RSA[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
static const uint8_t OID_EC[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
static const uint8_t OID_P256[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t OID_P384[] = {0x2B, 0x81, 0x04, 0x00, 0x22};
static const uint8_t OID_ED25519[] = {0x2B, 0x65, 0x70};
static const uint8_t OID_PSS[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A};
static const uint8_t OID_MGF1[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08};
static const uint8_t OID_SHA256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t OID_SHA384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
static const uint8_t OID_SHA512[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
static const uint8_t OID_RSA_SHA256[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B};
static const uint8_t OID_RSA_SHA384[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C};
static const uint8_t OID_RSA_SHA512[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D};
static const uint8_t OID_ECDSA_SHA256[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
static const uint8_t OID_ECDSA_SHA384[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03};

static slice
hash_oid(enum hash_alg a)
{
	assert(a != HASH_SHA1); /* no signature here rests on it */
	return a == HASH_SHA256 ? ARR(OID_SHA256) : a == HASH_SHA384 ? ARR(OID_SHA384) : ARR(OID_SHA512);
}

static const struct sig_row {
	enum sig_alg alg;
	enum hash_alg hash;
	bool pss, null; /* parameters: of PSS; NULL (RFC 4055 5) */
	slice oid;
} SIGS[] = {
    {SIG_RSA_SHA256, HASH_SHA256, false, true, {OID_RSA_SHA256, sizeof OID_RSA_SHA256}},
    {SIG_RSA_SHA384, HASH_SHA384, false, true, {OID_RSA_SHA384, sizeof OID_RSA_SHA384}},
    {SIG_RSA_SHA512, HASH_SHA512, false, true, {OID_RSA_SHA512, sizeof OID_RSA_SHA512}},
    {SIG_PSS_SHA256, HASH_SHA256, true, false, {OID_PSS, sizeof OID_PSS}},
    {SIG_PSS_SHA384, HASH_SHA384, true, false, {OID_PSS, sizeof OID_PSS}},
    {SIG_PSS_SHA512, HASH_SHA512, true, false, {OID_PSS, sizeof OID_PSS}},
    {SIG_ECDSA_SHA256, HASH_SHA256, false, false, {OID_ECDSA_SHA256, sizeof OID_ECDSA_SHA256}},
    {SIG_ECDSA_SHA384, HASH_SHA384, false, false, {OID_ECDSA_SHA384, sizeof OID_ECDSA_SHA384}},
    {SIG_ED25519, HASH_SHA512, false, false, {OID_ED25519, sizeof OID_ED25519}},
};

static const struct sig_row *
sig_row(enum sig_alg alg)
{
	for (size_t i = 0; i < COUNT(SIGS); i++)
		if (SIGS[i].alg == alg)
			return &SIGS[i];
	abort();
}

/*
 * RSASSA-PSS-params ::= SEQUENCE {
 *	hashAlgorithm     [0] HashAlgorithm,      the same hash
 *	maskGenAlgorithm  [1] MGF1 with it,
 *	saltLength        [2] INTEGER,            as long as the hash
 *	trailerField      [3] DEFAULT 1 }         (RFC 4055 3.1)
 */
static void
put_pss_params(struct buf *b, enum hash_alg h)
{
	size_t seq = der_open(b, DER_SEQUENCE), a, m, s;

	a = der_open(b, DER_CTXC(0));
	s = der_open(b, DER_SEQUENCE);
	der_put_oid(b, hash_oid(h));
	der_put_null(b);
	der_close(b, s);
	der_close(b, a);
	a = der_open(b, DER_CTXC(1));
	m = der_open(b, DER_SEQUENCE);
	der_put_oid(b, ARR(OID_MGF1));
	s = der_open(b, DER_SEQUENCE);
	der_put_oid(b, hash_oid(h));
	der_put_null(b);
	der_close(b, s);
	der_close(b, m);
	der_close(b, a);
	a = der_open(b, DER_CTXC(2));
	der_put_u64(b, hash_len(h));
	der_close(b, a);
	der_close(b, seq);
}

void
sig_alg_put(struct buf *b, enum sig_alg alg)
{
	const struct sig_row *r = sig_row(alg);
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_oid(b, r->oid);
	if (r->pss)
		put_pss_params(b, r->hash);
	else if (r->null)
		der_put_null(b);
	der_close(b, seq);
}

/* One spelling is accepted for each algorithm, the one we write: so reading is comparing. */
err
sig_alg_get(slice *in, enum sig_alg *out)
{
	struct buf b OWNED(buf_drop) = BUF(128);
	slice s = *in, whole, alg, oid = {NULL, 0};

	TRY(der_get_whole(&s, DER_SEQUENCE, &whole));
	alg = whole;
	TRY(der_get(&alg, DER_SEQUENCE, &alg));
	if (der_get_oid(&alg, &oid).kind != OK)
		oid.n = 0; /* none of ours */
	for (size_t i = 0; i < COUNT(SIGS); i++) {
		if (!slice_eq(SIGS[i].oid, oid))
			continue;
		buf_clear(&b);
		sig_alg_put(&b, SIGS[i].alg);
		if (slice_eq(buf_slice(&b), whole)) {
			*out = SIGS[i].alg;
			*in = s;
			return ok;
		}
	}
	return fail(
	    ERR_POLICY, "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists");
}

enum hash_alg
sig_alg_hash(enum sig_alg alg)
{
	return sig_row(alg)->hash;
}

bool
sig_alg_fits(enum sig_alg alg, enum key_kind kind)
{
	switch (kind) {
	case KEY_RSA:
		return alg >= SIG_RSA_SHA256 && alg <= SIG_PSS_SHA512;
	case KEY_P256:
	case KEY_P384:
		return alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384;
	case KEY_ED25519:
		return alg == SIG_ED25519;
	}
	return false;
}

enum sig_alg
sig_alg_for(enum key_kind kind)
{
	switch (kind) {
	case KEY_RSA:
		return SIG_RSA_SHA256;
	case KEY_P256:
		return SIG_ECDSA_SHA256;
	case KEY_P384:
		return SIG_ECDSA_SHA384;
	case KEY_ED25519:
		return SIG_ED25519;
	}
	abort();
}

/* The libcrypto key from finished numbers, NULL where they are none. */
static EVP_PKEY *
pkey_from(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL)
		abort();
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static OSSL_PARAM_BLD *
bld_new(void)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();

	if (bld == NULL)
		abort();
	return bld;
}

/*
 * RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
 */
static err
get_rsa(struct key *k)
{
	slice s = k->material, seq, n;
	uint64_t e;
	BN_CTX *ctx;
	unsigned top = 0;

	TRY(der_get(&s, DER_SEQUENCE, &seq));
	TRY(der_end(s));
	TRY(der_get_integer(&seq, &n));
	if (der_get_u64(&seq, RSA_EXPONENT, &e).kind != OK || e != RSA_EXPONENT)
		return fail(ERR_POLICY, "key-exponent: CR-1: an RSA key has the public exponent 65537");
	TRY(der_end(seq));
	while (n.p[0] >> top != 0)
		top++;
	k->bits = (unsigned)(n.n - 1) * 8 + top;
	if (n.n > KEY_RSA_BITS_MAX / 8)
		return fail(ERR_POLICY, "key-long: house: an RSA key has at most 8192 bits");
	if (k->bits < KEY_RSA_BITS_MIN)
		return fail(ERR_POLICY, "key-weak: CR-1: an RSA key has at least 2048 bits");
	if ((n.p[n.n - 1] & 1) == 0)
		return fail(ERR_POLICY, "key-even: CR-1: an RSA modulus is the product of two odd primes");
	k->modulus = n;
	if (k->named)
		return ok;
	k->n = BN_bin2bn(n.p, (int)n.n, NULL);
	k->mont = BN_MONT_CTX_new();
	ctx = BN_CTX_new();
	if (k->n == NULL || k->mont == NULL || ctx == NULL || BN_MONT_CTX_set(k->mont, k->n, ctx) != 1)
		abort();
	BN_CTX_free(ctx);
	return ok;
}

/* For what needs more than the numbers: RSASSA-PSS. */
static EVP_PKEY *
rsa_pkey(const struct key *k)
{
	OSSL_PARAM_BLD *bld = bld_new();
	EVP_PKEY *pkey;

	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, k->n) != 1 ||
	    OSSL_PARAM_BLD_push_uint(bld, OSSL_PKEY_PARAM_RSA_E, RSA_EXPONENT) != 1)
		abort();
	pkey = pkey_from("RSA", bld);
	if (pkey == NULL)
		abort();
	return pkey;
}

/* The curve of `like` where it is the same: 1 us instead of 15 us. */
static EC_KEY *
ec_key(enum key_kind kind, slice point, const struct key *like)
{
	EC_KEY *k = EC_KEY_new();
	EC_GROUP *own = NULL;
	const EC_GROUP *group;

	if (like != NULL && like->kind == kind && like->ec != NULL)
		group = EC_KEY_get0_group(like->ec);
	else
		group = own = EC_GROUP_new_by_curve_name(kind == KEY_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	if (k == NULL || group == NULL || EC_KEY_set_group(k, group) != 1)
		abort();
	EC_GROUP_free(own);
	if (EC_KEY_oct2key(k, point.p, point.n, NULL) != 1) { /* not on the curve */
		EC_KEY_free(k);
		return NULL;
	}
	return k;
}

static err
get_ec(struct key *k, slice params, const struct key *like)
{
	slice curve;

	if (der_get_oid(&params, &curve).kind != OK || params.n != 0)
		return fail(ERR_POLICY, "key-curve: RFC 5480 2.1.1: an EC key names its curve");
	if (slice_eq(curve, ARR(OID_P256))) {
		k->kind = KEY_P256;
		k->bits = 256;
	} else if (slice_eq(curve, ARR(OID_P384))) {
		k->kind = KEY_P384;
		k->bits = 384;
	} else
		return fail(ERR_POLICY, "key-curve-weak: CR-1: an EC key stands on P-256 or P-384");
	if (k->material.n != 1 + 2 * k->bits / 8 || k->material.p[0] != 4)
		return fail(ERR_INPUT, "key-point: RFC 5480 2.2: a point is written uncompressed");
	if (!k->named)
		k->ec = ec_key(k->kind, k->material, like);
	return ok;
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *	algorithm         SEQUENCE { OID, parameters },
 *	subjectPublicKey  BIT STRING }
 */
static err
get_spki(slice in, struct key *k, const struct key *like)
{
	slice seq, alg, oid;

	if (in.n > SPKI_MAX)
		return fail(ERR_POLICY, "key-long: house: an RSA key has at most 8192 bits");
	buf_put(&k->spki, in);
	in = buf_slice(&k->spki);
	TRY(der_get(&in, DER_SEQUENCE, &seq));
	TRY(der_end(in));
	TRY(der_get(&seq, DER_SEQUENCE, &alg));
	TRY(der_get_bits(&seq, &k->material));
	TRY(der_end(seq));
	TRY(der_get_oid(&alg, &oid));
	if (slice_eq(oid, ARR(OID_RSA))) {
		k->kind = KEY_RSA;
		TRY(der_get_null(&alg));
		TRY(der_end(alg));
		TRY(get_rsa(k));
	} else if (slice_eq(oid, ARR(OID_EC))) {
		TRY(get_ec(k, alg, like));
	} else if (slice_eq(oid, ARR(OID_ED25519))) {
		TRY(der_end(alg));
		if (k->material.n != 32)
			return fail(ERR_INPUT, "key-point: RFC 5480 2.2: a point is written uncompressed");
		k->kind = KEY_ED25519;
		k->bits = 255;
		if (!k->named)
			k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->material.p, 32);
	} else
		return fail(ERR_POLICY, "key-kind: CR-1: the key is neither RSA nor on an elliptic curve we know");
	if (!k->named && k->kind != KEY_RSA && k->ec == NULL && k->pkey == NULL)
		return fail(ERR_POLICY, "key-invalid: CR-1: the numbers of this key are not a public key");
	return ok;
}

static err
make_key(slice spki, bool named, const struct key *like, struct key **out)
{
	struct key *k OWNED(key_drop) = mem_new(1, sizeof *k);

	k->spki = BUF(SPKI_MAX);
	k->named = named;
	TRY(get_spki(spki, k, like));
	*out = k;
	k = NULL;
	return ok;
}

err
key_get_spki(slice spki, struct key **out)
{
	return make_key(spki, false, NULL, out);
}

err
key_get_spki_like(slice spki, const struct key *like, struct key **out)
{
	return make_key(spki, false, like, out);
}

err
key_name_spki(slice spki, struct key **out)
{
	return make_key(spki, true, NULL, out);
}

void
key_drop(struct key **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	EC_KEY_free((*k)->ec);
	EC_GROUP_free((*k)->table);
	BN_MONT_CTX_free((*k)->mont);
	BN_free((*k)->n);
	buf_drop(&(*k)->spki);
	free(*k);
	*k = NULL;
}

enum key_kind
key_kind(const struct key *k)
{
	return k->kind;
}

unsigned
key_bits(const struct key *k)
{
	return k->bits;
}

slice
key_spki(const struct key *k)
{
	return buf_slice(&k->spki);
}

digest
key_digest(const struct key *k)
{
	return sha256(buf_slice(&k->spki));
}

void
key_identifier(const struct key *k, uint8_t out[SHA1_LEN])
{
	uint8_t h[SHA512_LEN];

	hash_of(HASH_SHA1, k->material, h);
	memcpy(out, h, SHA1_LEN);
}

void
key_put_spki(struct buf *b, enum key_kind kind, slice material)
{
	size_t seq = der_open(b, DER_SEQUENCE), alg = der_open(b, DER_SEQUENCE), bits, rsa;

	switch (kind) {
	case KEY_RSA:
		der_put_oid(b, ARR(OID_RSA));
		der_put_null(b);
		break;
	case KEY_P256:
	case KEY_P384:
		der_put_oid(b, ARR(OID_EC));
		der_put_oid(b, kind == KEY_P256 ? ARR(OID_P256) : ARR(OID_P384));
		break;
	case KEY_ED25519:
		der_put_oid(b, ARR(OID_ED25519));
		break;
	}
	der_close(b, alg);
	bits = der_open_bits(b);
	if (kind == KEY_RSA) {
		rsa = der_open(b, DER_SEQUENCE);
		der_put_integer(b, material);
		der_put_u64(b, RSA_EXPONENT);
		der_close(b, rsa);
	} else
		buf_put(b, material);
	der_close(b, bits);
	der_close(b, seq);
}

/*
 * EMSA-PKCS1-v1_5, RFC 8017 9.2: 00 01 FF..FF 00 DigestInfo.  Nothing of the signature is parsed: the one message that
 * may come out is built and compared.
 */
static bool
check_pkcs1(const struct key *k, enum hash_alg a, slice hashed, slice signature)
{
	struct buf info OWNED(buf_drop) = BUF(128);
	uint8_t want[KEY_RSA_BITS_MAX / 8], got[KEY_RSA_BITS_MAX / 8];
	size_t n = k->modulus.n, pad;
	BIGNUM *s, *m;
	BN_CTX *ctx;
	bool good;

	if (signature.n != n || slice_cmp(signature, k->modulus) >= 0)
		return false;
	digest_info_put(&info, a, hashed);
	pad = n - 3 - info.n;
	want[0] = 0;
	want[1] = 1;
	memset(want + 2, 0xFF, pad);
	want[2 + pad] = 0;
	memcpy(want + 3 + pad, info.p, info.n);

	ctx = BN_CTX_new();
	s = BN_bin2bn(signature.p, (int)n, NULL);
	m = BN_new();
	if (ctx == NULL || s == NULL || m == NULL || BN_to_montgomery(m, s, k->mont, ctx) != 1)
		abort();
	for (int i = 0; i < 16;
	     i++) /* s^65536, then times s itself, which is not in Montgomery's form: nor is the product */
		if (BN_mod_mul_montgomery(m, m, m, k->mont, ctx) != 1)
			abort();
	if (BN_mod_mul_montgomery(m, m, s, k->mont, ctx) != 1)
		abort();
	good = BN_bn2binpad(m, got, (int)n) == (int)n && memcmp(want, got, n) == 0;
	BN_free(m);
	BN_free(s);
	BN_CTX_free(ctx);
	return good;
}

static const EVP_MD *
md_of(enum hash_alg h)
{
	return h == HASH_SHA256 ? EVP_sha256() : h == HASH_SHA384 ? EVP_sha384() : EVP_sha512();
}

static bool
check_pss(const struct key *k, enum hash_alg a, slice hashed, slice signature)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *pkey;
	bool good;

	if (signature.n != k->modulus.n) /* RFC 8017 8.1.2: libcrypto takes one without its leading zeros too */
		return false;
	pkey = rsa_pkey(k);
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	if (ctx == NULL)
		abort();
	good = EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, md_of(a)) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_PKEY_verify(ctx, signature.p, signature.n, hashed.p, hashed.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return good;
}

/*
 * FIPS 186-5 6.4.2 with both products from tables:
 *	x of (z/s) G + (r/s) Q, mod n, is r.
 * Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }
 */
static bool
check_kept(const struct key *k, slice z, slice signature)
{
	const EC_GROUP *curve = EC_KEY_get0_group(k->ec);
	const BIGNUM *n = EC_GROUP_get0_order(curve);
	slice seq, r_bytes, s_bytes;
	BN_CTX *ctx;
	BIGNUM *r, *s, *u, *v, *x;
	EC_POINT *a, *b;
	bool good;

	if (der_get(&signature, DER_SEQUENCE, &seq).kind != OK || der_end(signature).kind != OK ||
	    der_get_integer(&seq, &r_bytes).kind != OK || der_get_integer(&seq, &s_bytes).kind != OK ||
	    der_end(seq).kind != OK || r_bytes.n > k->bits / 8 || s_bytes.n > k->bits / 8)
		return false;
	if (z.n > k->bits / 8)
		z.n = k->bits / 8; /* the leftmost bits */
	ctx = BN_CTX_new();
	r = BN_bin2bn(r_bytes.p, (int)r_bytes.n, NULL);
	s = BN_bin2bn(s_bytes.p, (int)s_bytes.n, NULL);
	u = BN_bin2bn(z.p, (int)z.n, NULL);
	v = BN_new();
	x = BN_new();
	a = EC_POINT_new(curve);
	b = EC_POINT_new(curve);
	if (ctx == NULL || r == NULL || s == NULL || u == NULL || v == NULL || x == NULL || a == NULL || b == NULL)
		abort();
	good = !BN_is_zero(r) && BN_cmp(r, n) < 0 && !BN_is_zero(s) && BN_cmp(s, n) < 0 &&
	       BN_mod_inverse(s, s, n, ctx) != NULL && BN_mod_mul(u, u, s, n, ctx) == 1 &&
	       BN_mod_mul(v, r, s, n, ctx) == 1 && EC_POINT_mul(curve, a, u, NULL, NULL, ctx) == 1 &&
	       EC_POINT_mul(k->table, b, v, NULL, NULL, ctx) == 1 && EC_POINT_add(curve, a, a, b, ctx) == 1 &&
	       EC_POINT_is_at_infinity(curve, a) == 0 && EC_POINT_get_affine_coordinates(curve, a, x, NULL, ctx) == 1 &&
	       BN_nnmod(x, x, n, ctx) == 1 && BN_cmp(x, r) == 0;
	EC_POINT_free(b);
	EC_POINT_free(a);
	BN_free(x);
	BN_free(v);
	BN_free(u);
	BN_free(s);
	BN_free(r);
	BN_CTX_free(ctx);
	return good;
}

static bool
check_ecdsa(const struct key *k, slice hashed, slice signature)
{
	if (k->table != NULL)
		return check_kept(k, hashed, signature);
	return ECDSA_verify(0, hashed.p, (int)hashed.n, signature.p, (int)signature.n, k->ec) == 1;
}

void
key_keep(struct key *k)
{
	const EC_GROUP *curve;
	BN_CTX *ctx;

	if (k->ec == NULL || k->table != NULL)
		return;
	curve = EC_KEY_get0_group(k->ec);
	k->table = EC_GROUP_dup(curve);
	ctx = BN_CTX_new();
	if (k->table == NULL || ctx == NULL ||
	    EC_GROUP_set_generator(k->table, EC_KEY_get0_public_key(k->ec), EC_GROUP_get0_order(curve), BN_value_one()) !=
	        1 ||
	    EC_GROUP_precompute_mult(k->table, ctx) != 1)
		abort();
	BN_CTX_free(ctx);
}

static bool
check_ed25519(EVP_PKEY *pkey, slice message, slice signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	if (ctx == NULL)
		abort();
	good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	       EVP_DigestVerify(ctx, signature.p, signature.n, message.p, message.n) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static err
not_signed(void)
{
	return fail(ERR_POLICY, "signature: Act 2(1): the signature was not made by this key over these bytes");
}

err
key_check_hashed(const struct key *k, enum sig_alg alg, slice hashed, slice signature)
{
	const struct sig_row *r = sig_row(alg);
	bool good = false;

	assert(!k->named && alg != SIG_ED25519 && hashed.n == hash_len(r->hash));
	if (!sig_alg_fits(alg, k->kind))
		good = false;
	else if (k->kind != KEY_RSA)
		good = check_ecdsa(k, hashed, signature);
	else if (r->pss)
		good = check_pss(k, r->hash, hashed, signature);
	else
		good = check_pkcs1(k, r->hash, hashed, signature);
	return good ? ok : not_signed();
}

err
key_check(const struct key *k, enum sig_alg alg, slice message, slice signature)
{
	uint8_t h[SHA512_LEN];

	assert(!k->named);
	if (alg == SIG_ED25519)
		return k->kind == KEY_ED25519 && check_ed25519(k->pkey, message, signature) ? ok : not_signed();
	hash_of(sig_alg_hash(alg), message, h);
	return key_check_hashed(k, alg, (slice){h, hash_len(sig_alg_hash(alg))}, signature);
}

void
ecdsa_put(struct buf *b, slice raw)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(raw.n > 0 && raw.n % 2 == 0);
	der_put_integer(b, (slice){raw.p, raw.n / 2});
	der_put_integer(b, (slice){raw.p + raw.n / 2, raw.n / 2});
	der_close(b, seq);
}

void
digest_info_put(struct buf *b, enum hash_alg alg, slice value)
{
	size_t seq = der_open(b, DER_SEQUENCE), a = der_open(b, DER_SEQUENCE);

	assert(value.n == hash_len(alg));
	der_put_oid(b, hash_oid(alg));
	der_put_null(b);
	der_close(b, a);
	der_put(b, DER_OCTETS, value);
	der_close(b, seq);
}
