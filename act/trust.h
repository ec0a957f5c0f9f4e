/*
 * trust.h - the trust file: what this house believes, in one file under one digest.
 *
 * Depends on: base, conf, der, hash, key, time, cert, document, cms.  Pure.
 *
 * Read at start by the signers, given to verifiers by the registrar, named by
 * its SHA-256 in every journal record and identity verdict.  Changed by two
 * persons (it is pinned in the accredited baseline).  conf syntax; certificates
 * and keys in base64 DER on one line, so that the file stands alone:
 *
 *   [trust]
 *   version = 1
 *   service = Inkan Demonstration CA          the service line of every document
 *   hierarchy = test                          test | production
 *   state = NONE                              NONE | ACCREDITED
 *   clock = system                            system | test (test hierarchy only)
 *   [status]
 *   method = crl                              crl | ocsp: how J-LIS is asked
 *   max_age_s = 93600                         of a CRL's or answer's thisUpdate
 *   arrangement = none                        none | the arrangement's date and reference; production needs one
 *   [issuer]
 *   certificate = <base64>                    our CA certificate
 *   status_key = <base64 SPKI>                Ed25519 checkpoint key
 *   origin = inkan.test/books                 checkpoint origin line
 *   [anchor.NAME]
 *   certificate = <base64>   sha256 = <hex>   hierarchy = test|production   policy = 1.2.392…  smartphone_policy = … (optional, refused still)
 *   [person.NAME]
 *   name = 岡田 花子   key = <base64 SPKI>   duties = responsible officer revocation
 *   [profile.NAME]        sha256 = <hex>
 *   [terms.NAME]          sha256 = <hex>
 *   [explanation.LANG.VERSION]  sha256 = <hex>  current = yes
 */
#ifndef ACT_TRUST_H
#define ACT_TRUST_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"

enum hierarchy { HIERARCHY_TEST = 1, HIERARCHY_PRODUCTION };
enum status_method { STATUS_NONE = 0, STATUS_CRL, STATUS_OCSP };
enum duty { DUTY_RESPONSIBLE = 1 << 0, DUTY_OFFICER = 1 << 1, DUTY_REVOCATION = 1 << 2 };

#define TRUST_ANCHORS_MAX 8
#define TRUST_PERSONS_MAX 16
#define TRUST_DIGESTS_MAX 16

struct trust_anchor {
	slice label;
	struct buf der;      /* owned */
	struct cert cert;    /* borrows from der */
	struct key *key;     /* owned */
	enum hierarchy hierarchy;
	struct buf policy;   /* owned: OID content */
};
struct trust_person {
	slice label, name;
	struct key *key;     /* owned */
	uint8_t key_id[SHA1_LEN];
	unsigned duties;
};
struct trust_digest {
	slice label;
	digest sha256;
	bool current;
};

struct trust {
	struct conf *conf;   /* owned; slices below live as long */
	digest digest;       /* of the file */
	slice service, state, arrangement, origin;
	enum hierarchy hierarchy;
	bool test_clock;
	enum status_method method;
	uint32_t max_age_s;
	struct buf issuer_der;  /* owned */
	struct cert issuer;
	struct key *issuer_key; /* owned */
	struct key *status_key; /* owned: Ed25519 checkpoint key */
	size_t n_anchors, n_persons, n_profiles, n_terms, n_explanations;
	struct trust_anchor anchor[TRUST_ANCHORS_MAX];
	struct trust_person person[TRUST_PERSONS_MAX];
	struct trust_digest profile[TRUST_DIGESTS_MAX], terms[TRUST_DIGESTS_MAX], explanation[TRUST_DIGESTS_MAX];
};

/* ERR_POLICY trust-test-clock, trust-arrangement (production without one), trust-anchor-digest, trust-hierarchy… */
err trust_get(slice file, struct trust **out) CHECKED;
void trust_drop(struct trust **t);
bool trust_has_profile(const struct trust *t, digest d);
bool trust_has_terms(const struct trust *t, digest d);       /* current ones */
bool trust_has_explanation(const struct trust *t, digest d); /* current ones */

/*
 * A document signed by a person of the house: CMS without certificate whose
 * signer key id is pinned here with the duty.  Gives the document's text and who
 * signed.  ERR_POLICY person-…
 */
struct document;
struct cms;
err trust_check_person(const struct trust *t, slice cms, unsigned duty, struct cms *c, const struct trust_person **who) CHECKED;

#endif
