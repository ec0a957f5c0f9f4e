/*
 * ocsp.h - OCSP, RFC 6960 in the shapes of RFC 5019: our responder reads
 *          requests and writes answers; for J-LIS we write requests (its answers
 *          are judged in pki/chain).
 *
 * Depends on: base, time, der, hash, key, cert.  Pure.
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

#define OCSP_REQUEST_MAX 4096
#define OCSP_ANSWER_MAX 8192

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
enum ocsp_error { OCSP_MALFORMED = 1, OCSP_INTERNAL = 2, OCSP_TRY_LATER = 3, OCSP_UNAUTHORIZED = 6 };

struct ocsp_certid {
	enum hash_alg alg; /* HASH_SHA1 or HASH_SHA256 */
	slice name_hash, key_hash;
	serial serial;
};

struct ocsp_request {
	size_t n;               /* how many were asked; the first is kept */
	struct ocsp_certid id;
	slice nonce;            /* may be empty */
};

/* ERR_INPUT: answered malformedRequest.  ERR_POLICY: asks in a way this responder does not serve: unauthorized. */
err ocsp_request_get(slice in, struct ocsp_request *out) CHECKED;
void ocsp_request_put(struct buf *b, const struct ocsp_certid *id, slice nonce);
/* What a certificate of this issuer is called in OCSP. */
struct ocsp_issuer {
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

/* Reads an answer of our own make (status, times) for the checker and `inkan revoke`; checks no signature. */
struct ocsp_answer {
	enum ocsp_error error; /* 0: successful */
	slice data;            /* signed bytes  */
	enum sig_alg alg;
	slice signature, responder_cert; /* cert may be empty */
	serial serial;
	enum ocsp_status status;
	instant revoked, produced, this_update, next_update;
};
err ocsp_answer_get(slice in, struct ocsp_answer *out) CHECKED;

#endif
