/*
 * cms.h - CMS SignedData, RFC 5652, in the one form the house signs documents
 *         with.
 *
 * Depends on: base, time, der, hash, key, cert.  Pure.
 *
 *   ContentInfo { signedData, SignedData {
 *	version 1 (3 when no certificate is there: RFC 5652 5.1),
 *	digestAlgorithms { one SHA-2, without parameters },
 *	encapContentInfo { id-data, eContent PRESENT },
 *	certificates { EXACTLY the signer's, or absent where the signer's key is
 *	               pinned by its identifier (officers' documents) },
 *	no crls,
 *	signerInfos { ONE SignerInfo {
 *	   version 1, issuerAndSerialNumber   (or version 3, [0] subjectKeyIdentifier = SHA-1
 *	                                       of the key, when certificates are absent),
 *	   digestAlgorithm the same,
 *	   signedAttrs { contentType, signingTime, messageDigest, signingCertificateV2 (where
 *	                 a certificate is there; one ESSCertIDv2 by the same digest, with
 *	                 issuerSerial) }: this is their order in a DER SET OF,
 *	   signatureAlgorithm: rsaEncryption with the digest above (as OpenSSL writes it;
 *	                 the same signature under sha256WithRSAEncryption would be a second
 *	                 spelling of one document), RSASSA-PSS, ecdsa-with-SHA256/384,
 *	                 Ed25519 never,
 *	   NO unsignedAttrs } } } }
 *
 * Anything else, and any byte after, is refused: detached content, BER, two
 * signers, unsigned attributes, other attributes (smimeCapabilities, which
 * `openssl cms` adds unless told -nosmimecap).  The writer gives back byte for byte
 * what the reader took, so what is signed by RSA, as every application is, has one
 * encoding: nobody without the key can make another that verifies.
 *
 * What is signed by ECDSA has two: with (r, s) also (r, n - s) is a signature of the
 * same bytes, and anybody can write it; tokens and OpenSSL write either, so neither can
 * be refused.  Receipts, requests to revoke and the house's own documents therefore
 * never count by their digest alone: each counts by what it says, once where its dossier
 * stands, or by its date after the last one of its form.
 */
#ifndef PKI_CMS_H
#define PKI_CMS_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"

#define CMS_MAX (64U << 10) /* bytes: the body limit of the HTTP face */

struct cms {
	slice content;            /* the document's bytes                  */
	slice certificate;        /* whole, empty when the key is pinned   */
	uint8_t key_id[SHA1_LEN]; /* of the signer, when certificate is empty */
	instant signing_time;
	enum sig_alg alg;
	slice signed_attrs; /* as they stand: [0] IMPLICIT, whole element */
	slice signature;
};

/*
 * Reads, and checks everything that needs no key: messageDigest against the
 * content (ERR_POLICY cms-message-digest), signingCertificateV2 and
 * issuerAndSerialNumber against the certificate, which must be one that cert_get
 * takes.  Slices borrow from `in`.
 */
err cms_get(slice in, struct cms *out) CHECKED;
/*
 * The signature over the attributes (re-tagged SET OF, RFC 5652 5.4) is by this
 * key, which the caller took from the certificate or from its pins.
 */
err cms_check(const struct cms *c, const struct key *k) CHECKED;

struct cms_plan {
	slice content;
	slice certificate; /* one cert_get takes (asserted); empty: signer named by key_id */
	uint8_t key_id[SHA1_LEN];
	instant signing_time; /* written in whole seconds            */
	enum sig_alg alg;     /* not Ed25519                         */
};
/* The attributes as the SET OF (tag 31) whose bytes are signed. */
void cms_put_attrs(struct buf *b, const struct cms_plan *p);
/* The whole message: attrs is what cms_put_attrs wrote. */
void cms_join(struct buf *b, const struct cms_plan *p, slice attrs, slice signature);

#endif
