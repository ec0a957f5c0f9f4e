/*
 * request.h - certification requests, PKCS#10, RFC 2986, in the application's
 *             narrow form.
 *
 * Depends on: base, der, text, key.  Pure.
 *
 * Version 0, an EMPTY subject (who applies stands in the document, proven by the
 * card), exactly one attribute challengePassword (UTF8String, the server's
 * nonce), no extension request.  The self-signature proves possession of the
 * key (Rule 6(iii-2)イ: the public key is sent with the application).
 */
#ifndef PKI_REQUEST_H
#define PKI_REQUEST_H

#include "base/base.h"
#include "base/key.h"

#define REQUEST_MAX 2600          /* bytes: an RSA key of 8192 bits, its signature, the longest challenge */
#define REQUEST_CHALLENGE_MAX 255 /* bytes; RFC 2985 5.4.1 allows 255 characters                          */

struct request {
	slice whole, info; /* info is what is signed */
	slice spki;
	slice challenge; /* UTF-8 */
	enum sig_alg alg;
	slice signature;
};

/* A whole request, nothing after it.  Slices borrow from `in`. */
err request_get(slice in, struct request *out) CHECKED;
/*
 * Proves possession: k is the key of r->spki (the caller loads it with
 * key_get_spki, which is where CR-1 is judged) and made the self-signature.
 * ERR_POLICY request-possession.
 */
err request_check(const struct request *r, const struct key *k) CHECKED;
/* CertificationRequestInfo, what is signed; then the whole. */
void request_put_info(struct buf *b, slice spki, slice challenge);
void request_join(struct buf *b, slice info, enum sig_alg alg, slice signature);

#endif
