/*
 * cert.h - certificates, RFC 5280 4: strict reader for those we accept under a
 *          narrow profile (our own, JPKI's), and the one writer of ours.
 *
 * Depends on: base, time, der, hash, key, text, name, extension.  Pure.
 *
 * The reader takes v3 certificates in strict DER of at most CERT_MAX bytes with
 * a positive serial of at most 20 bytes, equal signature algorithms inside and
 * outside (one that base/key knows), names as pki/name takes them, notBefore <=
 * notAfter, no unique identifiers and no repeated extension.  It reads the
 * extensions below and only notes whether another critical one stands there;
 * what that means is its caller's judgement.  It checks no signature, and the
 * numbers of the key only when the caller loads it (key_get_spki).
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"

#define CERT_MAX 8192 /* bytes; real JPKI leaves are below 2,048                                 */
#define CERT_POLICIES_MAX 8
#define SERIAL_MAX 20

/* A serial number: the magnitude without sign byte. */
typedef struct {
	uint8_t n;
	uint8_t b[SERIAL_MAX];
} serial;

/* keyUsage bits, RFC 5280 4.2.1.3 (the names that begin with KU_ are macros of libcrypto) */
enum {
	USAGE_DIGITAL_SIGNATURE = 1 << 0,
	USAGE_NON_REPUDIATION = 1 << 1,
	USAGE_KEY_CERT_SIGN = 1 << 5,
	USAGE_CRL_SIGN = 1 << 6,
};

#define PATHLEN_NONE UINT32_MAX

struct cert {
	slice whole, tbs; /* as they stand; borrowed from the input */
	serial serial;
	enum sig_alg alg;
	slice signature;
	slice issuer, subject; /* whole Names               */
	slice spki;            /* whole SubjectPublicKeyInfo */
	instant not_before, not_after;

	bool has_key_usage, key_usage_critical;
	uint32_t key_usage;
	bool is_ca; /* basicConstraints cA          */
	uint32_t path_len;
	slice ski, aki; /* key identifiers, may be empty */
	slice san;      /* content of GeneralNames, may be empty */
	slice policies; /* content of certificatePolicies        */
	bool policies_critical;
	size_t n_policies;
	slice policy[CERT_POLICIES_MAX]; /* OID contents */
	bool eku_ocsp;                   /* extendedKeyUsage holds id-kp-OCSPSigning */
	bool ocsp_nocheck;
	slice aia, crldp;      /* contents, may be empty */
	bool unknown_critical; /* a critical extension other than those read here */
};

/* A whole Certificate, nothing after it.  Slices borrow from `in`. */
err cert_get(slice in, struct cert *out) CHECKED;
digest cert_digest(const struct cert *c);
/* The signature of c is by this key: key_check over tbs. */
err cert_check_signed_by(const struct cert *c, const struct key *issuer) CHECKED;
/* notBefore <= t <= notAfter, in whole seconds: the second that notAfter names still belongs to the period. */
bool cert_is_valid_at(const struct cert *c, instant t);
/* Issuer and subject are the same name. */
bool cert_is_self_issued(const struct cert *c);
/* The first OCSP URI of the AIA, the first URI of the CRLDP; empty slice when there is none. */
slice cert_ocsp_uri(const struct cert *c);
slice cert_crl_uri(const struct cert *c);

bool serial_eq(serial a, serial b);
int serial_cmp(serial a, serial b);             /* as numbers    */
err serial_get(slice *in, serial *out) CHECKED; /* a DER INTEGER */
void serial_put(struct buf *b, serial s);       /* a DER INTEGER */
slice serial_slice(const serial *s);            /* borrows from s */
/* Two lower-case digits a byte, as many as the magnitude has: one spelling for each serial. */
err serial_get_hex(slice hex, serial *out) CHECKED;
void serial_put_hex(struct buf *b, serial s);

/* What a certificate of ours says.  Empty slices and zero flags leave the extension out. */
struct cert_plan {
	serial serial;
	enum sig_alg alg;              /* the issuer's        */
	slice issuer, subject;         /* whole Names          */
	slice spki;                    /* whole                */
	instant not_before, not_after; /* whole seconds */
	bool is_ca;                    /* writes basicConstraints critical (cA TRUE, no pathLen); leaves write none  */
	uint32_t key_usage;            /* critical             */
	slice aki, ski;                /* 20 bytes each        */
	slice policy;                  /* OID content          */
	slice cps_uri;                 /* qualifier of policy  */
	slice crl_uri, ocsp_uri, ca_issuers_uri;
	bool ocsp_signer; /* extendedKeyUsage OCSPSigning and id-pkix-ocsp-nocheck */
};

/*
 * TBSCertificate, extensions in this order: AKI, SKI, keyUsage, policies,
 * basicConstraints, extendedKeyUsage and nocheck, CRLDP, AIA (OCSP, caIssuers).
 * Asserts whole seconds, URIs of printable ASCII below 512 bytes and a policy
 * where there is a CPS URI: plans are made by us.  Equal plans give equal bytes.
 */
void cert_put_tbs(struct buf *b, const struct cert_plan *p);
/* Certificate ::= SEQUENCE { tbs, alg, signature }; CertificateList has the same form. */
void cert_join(struct buf *b, slice tbs, enum sig_alg alg, slice signature);

#endif
