/*
 * cms.h - CMS SignedData, RFC 5652, in the one form the house signs documents
 *         with.
 *
 * Depends on: base, time, der, hash, key, cert.  Pure.
 *
 *   ContentInfo { signedData, SignedData {
 *	version 1, digestAlgorithms { one SHA-2 },
 *	encapContentInfo { id-data, eContent PRESENT },
 *	certificates { EXACTLY the signer's, or absent where the signer's key is
 *	               pinned by its identifier (officers' documents) },
 *	no crls,
 *	signerInfos { ONE SignerInfo {
 *	   version 1, issuerAndSerialNumber   (or version 3, [0] subjectKeyIdentifier = SHA-1
 *	                                       of the key, when certificates are absent),
 *	   digestAlgorithm the same,
 *	   signedAttrs { contentType, messageDigest, signingTime,
 *	                 signingCertificateV2 (where a certificate is there) } in DER SET order,
 *	   signatureAlgorithm: sha256/384/512WithRSAEncryption (or rsaEncryption as
 *	                 OpenSSL writes it: then with the digest above),
 *	                 RSASSA-PSS, ecdsa-with-SHA256/384, Ed25519 never,
 *	   NO unsignedAttrs } } } }
 *
 * Anything else, and any byte after, is refused: detached content, BER, two
 * signers, unsigned attributes, other attributes.
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
	slice content;     /* the document's bytes               */
	slice certificate; /* whole, empty when the key is pinned */
	uint8_t key_id[SHA1_LEN]; /* of the signer, when certificate is empty */
	instant signing_time;
	enum sig_alg alg;
	slice signed_attrs; /* as they stand: [0] IMPLICIT, whole element */
	slice signature;
};

/*
 * Reads, and checks everything that needs no key: messageDigest against the
 * content, signingCertificateV2 and issuerAndSerialNumber against the
 * certificate.
 */
err cms_get(slice in, struct cms *out) CHECKED;
/* The signature over the attributes (re-tagged SET OF, RFC 5652 5.4) is by this key. */
err cms_check(const struct cms *c, const struct key *k) CHECKED;

/* Writing: attributes first (these bytes, as a SET OF, are signed), then the whole. */
struct cms_plan {
	slice content;
	slice certificate;        /* empty: signer named by key_id */
	uint8_t key_id[SHA1_LEN];
	instant signing_time;
	enum sig_alg alg;
};
void cms_put_attrs(struct buf *b, const struct cms_plan *p);
void cms_join(struct buf *b, const struct cms_plan *p, slice attrs, slice signature);

#endif
