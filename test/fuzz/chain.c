/*
 * Judging strangers: the first byte says what follows,
 *	0  an OCSP answer as it came,
 *	1  ResponseData, which the issuer's key signs here, so that what stands behind
 *	   the signature is reached too,
 *	2  a certificate, for the path.
 * Whatever libcrypto makes of it: the answer is judged or refused by policy, and
 * an answer of our own form is understood as our own reader understands it.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "pki/chain.h"
#include "pki/name.h"

#define NOW ((instant){INT64_C(1795305600000)}) /* 2026-11-22T00:00:00Z */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* ECPrivateKey on P-256 with the number 1: no one's key. */
static const uint8_t KEY_ONE[] = {0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01,
    0x07};

static EVP_PKEY *pkey;
static struct buf anchor_der = {.max = CERT_MAX};
static struct cert anchor, leaf;

static slice
sign(slice message)
{
	static uint8_t sig[128];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = sizeof sig;

	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, message.p, message.n) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	return slice_of(sig, n);
}

static void
make_world(void)
{
	struct buf name OWNED(buf_drop) = BUF(256), tbs OWNED(buf_drop) = BUF(CERT_MAX);
	const unsigned char *at = KEY_ONE;
	unsigned char *spki = NULL;
	struct cert_plan p = {.serial = {1, {1}}, .alg = SIG_ECDSA_SHA256, .is_ca = true, .key_usage = USAGE_KEY_CERT_SIGN};
	err e;
	int n;

	if (pkey != NULL)
		return;
	pkey = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, sizeof KEY_ONE);
	n = i2d_PUBKEY(pkey, &spki);
	name_put(&name, &(struct name_part){NAME_CN, LIT("one")}, 1);
	p.issuer = p.subject = buf_slice(&name);
	p.spki = slice_of(spki, (size_t)n);
	p.not_before = (instant){NOW.ms - DAY_MS};
	p.not_after = (instant){NOW.ms + DAY_MS};
	cert_put_tbs(&tbs, &p);
	cert_join(&anchor_der, buf_slice(&tbs), SIG_ECDSA_SHA256, sign(buf_slice(&tbs)));
	OPENSSL_free(spki);
	e = cert_get(buf_slice(&anchor_der), &anchor);
	assert(e.kind == OK);
	leaf = anchor;
}

static void
judge(slice answer)
{
	struct chain_status s = {.status = OCSP_UNKNOWN};
	struct ocsp_issuer issuer;
	struct ocsp_answer a;
	err e = chain_check_ocsp(&leaf, &anchor, answer, slice_of(NULL, 0), NOW, 3600, &s);

	assert(e.kind == OK || e.kind == ERR_POLICY);
	if (e.kind != OK)
		return;
	assert(s.this_update.ms <= NOW.ms + 300000 && s.next_update.ms > NOW.ms);
	if (ocsp_answer_get(answer, &a).kind == OK) {
		ocsp_issuer_of(&anchor, &issuer);
		assert(a.status == s.status && a.this_update.ms == s.this_update.ms && a.next_update.ms == s.next_update.ms);
		assert(a.produced.ms == s.produced.ms && serial_eq(a.serial, leaf.serial));
		assert(s.status != OCSP_REVOKED || a.revoked.ms == s.revoked.ms);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	slice in = slice_of(p, n), kind, data;

	make_world();
	if (!slice_take(&in, 1, &kind))
		return 0;
	if (kind.p[0] == 0) {
		judge(in);
	} else if (kind.p[0] == 1) {
		struct buf whole OWNED(buf_drop) = BUF(4 * OCSP_ANSWER_MAX);

		if (in.n > OCSP_ANSWER_MAX || der_get_whole(&in, DER_SEQUENCE, &data).kind != OK)
			return 0;
		ocsp_join(&whole, data, SIG_ECDSA_SHA256, sign(data), slice_of(NULL, 0));
		judge(buf_slice(&whole));
	} else if (kind.p[0] == 2) {
		err e = chain_check_path(in, buf_slice(&anchor_der), NOW);

		assert(e.kind == OK || e.kind == ERR_POLICY || e.kind == ERR_INPUT);
	}
	return 0;
}
