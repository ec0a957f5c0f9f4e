/*
 * ceremony.h - the keys of a new house: Rule 6(xvii), 12(1)(i)ト チ.
 *
 * Depends on: pki, edge/hsm, edge/random.  Touches: the tokens.
 *
 * Makes, each in its token, never outside it:
 *   issuer      the CA key, and its self-signed certificate
 *   ocsp        P-256, and the certificate the issuer delegates OCSP to
 *   checkpoint  Ed25519, for the books' checkpoints; both in the status signer's token, which opens no CA key
 *   person      P-256, the first responsible person's, in a token of their own
 * and signs documents with the person's key; and, in a house that runs, another responder's key and certificate, each
 * step by itself, so that one that was cut short is done again.
 */
#ifndef CMD_INKANCTL_CEREMONY_H
#define CMD_INKANCTL_CEREMONY_H

#include "base/base.h"
#include "base/key.h"
#include "base/time.h"

#define CA_YEARS 20   /* the first certificate of 5 years is issued on the first day, the last 15 years later */
#define OCSP_YEARS 3  /* with ocsp-nocheck it cannot be revoked: a new one is made in time                    */

struct ceremony_token {
	const char *module, *environment; /* environment: "NAME=value" or NULL */
	const char *uri;                  /* "pkcs11:token=…", the object is added */
	slice pin;
};

struct ceremony_algorithm {
	const char *word; /* "p256" … "rsa4096-pss" */
	enum key_kind kind;
	unsigned bits;
	enum sig_alg alg;
};
/* NULL: no such word. */
const struct ceremony_algorithm *ceremony_algorithm(const char *word);
/* All of them, for the help text. */
const char *ceremony_words(void);

struct ceremony_options {
	struct ceremony_token ca, status, person; /* status: may be the CA's own */
	const struct ceremony_algorithm *algorithm;
	slice organisation, common_name; /* of the issuer's DN */
	instant now;
};

struct ceremony_made { /* owned by the caller */
	struct buf issuer, ocsp;            /* certificates, DER     */
	struct buf status_key, person_key;  /* SubjectPublicKeyInfos */
	struct buf token;                   /* what the CA's token says of itself */
};
void ceremony_made_drop(struct ceremony_made *m);

/* The uri of an object on a token: base;object=name. */
void ceremony_put_uri(struct buf *b, const char *base, const char *object);

err ceremony_make(const struct ceremony_options *o, struct ceremony_made *out) CHECKED;
/* The ocsp key of a token under this label: as it is there already, or made now. */
err ceremony_key(const struct ceremony_token *t, const char *object, struct buf *spki) CHECKED;
/* What the issuer is to sign of it: with a serial of its own, named as the last one was. */
struct trust;
struct cert;
err ceremony_plan(const struct trust *t, const struct cert *last, slice spki, instant now, struct buf *tbs) CHECKED;
/* The issuer's signature under it, by the key that `uri` names and the trust file knows; and the certificate of both. */
err ceremony_certify(
    const struct ceremony_token *ca, slice uri, const struct trust *t, enum sig_alg alg, slice tbs, struct buf *sig) CHECKED;
err ceremony_join(const struct trust *t, enum sig_alg alg, slice tbs, slice sig, struct buf *out) CHECKED;
/* CMS over a document by the person's key. */
err ceremony_sign(const struct ceremony_token *person, slice text, instant at, struct buf *out) CHECKED;

#endif
