/*
 * ocsp.h - OCSP, RFC 6960 in the shapes of RFC 5019: our responder reads
 *          requests and writes answers; for J-LIS we write requests (its answers
 *          are judged in pki/chain).
 *
 * Depends on: base, time, der, hash, key, cert, crl.  Pure.
 *
 * One answer of ours carries two SingleResponses for one certificate, with a
 * SHA-1 and a SHA-256 CertID, so that one pre-signed answer serves both kinds
 * of client (RFC 5019 2.2.1 allows it).
 */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

#define OCSP_REQUEST_MAX 4096 /* bytes; a request for one certificate has about 120  */
#define OCSP_ANSWER_MAX 8192  /* bytes, with a delegated certificate inside          */
#define OCSP_NONCE_MAX 32     /* RFC 8954 2.1                                        */
#define OCSP_EXTENSIONS_MAX 8

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
enum ocsp_error { OCSP_MALFORMED = 1, OCSP_INTERNAL = 2, OCSP_TRY_LATER = 3, OCSP_UNAUTHORIZED = 6 };

struct ocsp_certid {
	enum hash_alg alg; /* HASH_SHA1 or HASH_SHA256 */
	slice name_hash, key_hash;
	serial serial;
};

struct ocsp_request {
	size_t n; /* how many were asked; the first is kept, all were read */
	struct ocsp_certid id;
	slice nonce; /* may be empty */
};

/*
 * ERR_INPUT: answered malformedRequest.  ERR_POLICY: asks in a way this
 * responder does not serve (another hash, a signed request, a critical
 * extension): unauthorized.  The requestor's name is passed over.
 */
err ocsp_request_get(slice in, struct ocsp_request *out) CHECKED;
/* CertIDs carry NULL parameters, as OpenSSL, Java and Go write them. */
void ocsp_request_put(struct buf *b, const struct ocsp_certid *id, slice nonce);
/* What a certificate of this issuer is called in OCSP. */
struct ocsp_issuer { /* hashes of its Name and of its subjectPublicKey bits */
	uint8_t name1[20], key1[20], name256[32], key256[32];
};
void ocsp_issuer_of(const struct cert *issuer, struct ocsp_issuer *out);
bool ocsp_certid_is_of(const struct ocsp_certid *id, const struct ocsp_issuer *issuer);

struct ocsp_plan {
	struct ocsp_issuer issuer;
	serial serial;
	enum ocsp_status status;
	instant revoked; /* when status is revoked */
	enum crl_reason reason;
	instant produced, this_update, next_update;
	slice responder_key_id; /* 20 bytes: ResponderID byKey */
	slice nonce;            /* echoed when not empty */
};

/* ResponseData: what is signed. */
void ocsp_put_data(struct buf *b, const struct ocsp_plan *p);
/* The whole OCSPResponse with the delegated certificate inside. */
void ocsp_join(struct buf *b, slice data, enum sig_alg alg, slice signature, slice responder_cert);
/* An unsigned OCSPResponse. */
void ocsp_put_error(struct buf *b, enum ocsp_error e);

/*
 * Reads an answer of our own make for the checker and `inkan revoke`; checks no
 * signature.  Only what ocsp_put_data would write from these facts is taken, so
 * both SingleResponses say the same.
 */
struct ocsp_answer {
	enum ocsp_error error; /* 0: successful */
	slice data;            /* signed bytes  */
	enum sig_alg alg;
	slice signature, responder_cert; /* cert may be empty */
	struct ocsp_issuer issuer;
	serial serial;
	enum ocsp_status status;
	enum crl_reason reason; /* with revoked, when status is revoked */
	instant revoked, produced, this_update, next_update;
	slice responder_key_id, nonce; /* nonce may be empty */
};
err ocsp_answer_get(slice in, struct ocsp_answer *out) CHECKED;

#endif
