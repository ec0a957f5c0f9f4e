/*
 * ocsp.h - OCSP, RFC 6960 in the shapes of RFC 5019: our responder reads
 *          requests and writes answers; for J-LIS we write requests (its answers
 *          are judged in pki/chain).
 *
 * Depends on: base, time, der, hash, key, cert, crl.  Pure.
 *
 * One answer of ours carries two SingleResponses for one certificate, with a
 * SHA-1 and a SHA-256 CertID, so that one pre-signed answer serves both kinds
 * of client (RFC 5019 2.2.1 allows it).  An answer made when it is asked for (for
 * a nonce, or for several certificates) carries one SingleResponse for each
 * CertID of the request, as it was asked.
 */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

#define OCSP_REQUEST_MAX 4096 /* bytes; a request for one certificate has about 120, for 16 about 2,000        */
#define OCSP_ANSWER_MAX 8192  /* bytes, with a delegated certificate inside                                    */
#define OCSP_MANY_MAX 16      /* certificates asked for at once: a path and its siblings; each costs a look-up */
#define OCSP_NONCE_MAX 128    /* RFC 9654 2.1: SIZE(1..128); longer or empty is malformed                      */
#define OCSP_NONCE_OURS 32    /* what a client of ours draws: RFC 9654 2.1 asks for 32 at least                */
#define OCSP_EXTENSIONS_MAX 8

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };
enum ocsp_error { OCSP_MALFORMED = 1, OCSP_INTERNAL = 2, OCSP_TRY_LATER = 3, OCSP_UNAUTHORIZED = 6 };

struct ocsp_certid {
	enum hash_alg alg; /* HASH_SHA1 or HASH_SHA256 */
	slice name_hash, key_hash;
	serial serial;
};

struct ocsp_request {
	size_t n; /* how many are asked for, 1 to OCSP_MANY_MAX */
	struct ocsp_certid id[OCSP_MANY_MAX];
	slice nonce; /* may be empty */
};

/*
 * ERR_INPUT: answered malformedRequest.  ERR_POLICY: asks in a way this
 * responder does not serve (another hash, a signed request, a critical
 * extension, more than OCSP_MANY_MAX certificates: the 17th is not read, nor
 * what follows it): unauthorized.  The requestor's name is passed over.
 */
err ocsp_request_get(slice in, struct ocsp_request *out) CHECKED;
/* CertIDs carry NULL parameters, as OpenSSL, Java and Go write them. */
void ocsp_request_put(struct buf *b, const struct ocsp_certid *id, slice nonce);
void ocsp_request_put_many(struct buf *b, const struct ocsp_certid *id, size_t n, slice nonce);
/*
 * GET, RFC 5019 5 (RFC 6960 A.1): what follows the responder's address, base64 of
 * the request, URL-encoded.  Any character may come escaped, '+', '/' and '=' also
 * as they are; nothing else is passed over: padding is there, no white space, no
 * base64url, no second escaping.  ERR_INPUT.  Writing escapes all three, in one
 * spelling, so that a cache or a file server has one name for a request.
 */
err ocsp_path_get(slice path, struct buf *request) CHECKED;
void ocsp_path_put(struct buf *b, slice request);
/* What a certificate of this issuer is called in OCSP. */
struct ocsp_issuer { /* hashes of its Name and of its subjectPublicKey bits */
	uint8_t name1[20], key1[20], name256[32], key256[32];
};
void ocsp_issuer_of(const struct cert *issuer, struct ocsp_issuer *out);
bool ocsp_certid_is_of(const struct ocsp_certid *id, const struct ocsp_issuer *issuer);
/*
 * Where an answer stands as a file of a repository: "ocsp/" and the plain base64 of the request that RFC 5019 has for it (a
 * SHA-1 CertID, no nonce).  Two strokes one after the other are one to a file system.
 */
void ocsp_place_put(struct buf *b, const struct ocsp_issuer *issuer, serial s);

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

/* ResponseData: what is signed, for an answer made ahead. */
void ocsp_put_data(struct buf *b, const struct ocsp_plan *p);
/* The same whole, without a place of its own for what is signed: an answer made ahead, from what is kept of it. */
void ocsp_put_answer(struct buf *b, const struct ocsp_plan *p, enum sig_alg alg, slice signature, slice responder_cert);
/* The whole OCSPResponse with the delegated certificate inside. */
void ocsp_join(struct buf *b, slice data, enum sig_alg alg, slice signature, slice responder_cert);
/* An answer made when it is asked for: one word on each CertID of a request, in its order. */
struct ocsp_single {
	struct ocsp_certid id; /* as asked */
	enum ocsp_status status;
	instant revoked; /* when status is revoked */
	enum crl_reason reason;
	instant this_update, next_update;
};
struct ocsp_live {
	slice responder_key_id; /* 20 bytes */
	instant produced;
	slice nonce; /* the request's, echoed when not empty */
	size_t n;    /* 1 to OCSP_MANY_MAX */
	struct ocsp_single single[OCSP_MANY_MAX];
};
/* ResponseData: what is signed, for such an answer; ocsp_join makes it whole. */
void ocsp_put_live(struct buf *b, const struct ocsp_live *p);

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

/* The same for answers made when asked for; one made ahead is read too, as two words on one certificate. */
struct ocsp_live_answer {
	enum ocsp_error error; /* 0: successful */
	slice data;
	enum sig_alg alg;
	slice signature, responder_cert;
	struct ocsp_live live;
};
err ocsp_live_get(slice in, struct ocsp_live_answer *out) CHECKED;

#endif
