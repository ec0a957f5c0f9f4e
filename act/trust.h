/*
 * trust.h - the trust file: what this house believes, in one file under one digest.
 *
 * Depends on: base, conf, der, hash, key, time, cert, cms.  Pure.
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
 *   [anchor.NAME]                             a J-LIS signature CA
 *   certificate = <base64>   sha256 = <hex>   hierarchy = test|production   policy = 1.2.392…  smartphone_policy = … (optional, refused still)
 *   [person.NAME]
 *   name = 岡田 花子   key = <base64 SPKI>   duties = responsible officer revocation
 *   [profile.NAME]        sha256 = <hex>
 *   [terms.NAME]          sha256 = <hex>
 *   [explanation.LANG.VERSION]  sha256 = <hex>  current = yes
 * `current = no` (optional in the last three, else yes) keeps an older text known
 * that is no longer taken.
 */
#ifndef ACT_TRUST_H
#define ACT_TRUST_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/cms.h"

enum hierarchy { HIERARCHY_TEST = 1, HIERARCHY_PRODUCTION };
enum status_method { STATUS_NONE = 0, STATUS_CRL, STATUS_OCSP };
/* Duties are words, in the trust file and in permissions. */
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
	struct buf smartphone_policy; /* owned: OID content, empty when not given */
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

/*
 * ERR_INPUT conf-…, base64, and trust-… where a value is none of those above;
 * ERR_POLICY trust-test-clock, trust-arrangement (production without one),
 * trust-hierarchy (an anchor, or its policy, of the other hierarchy),
 * trust-anchor-digest, trust-anchor-ca, trust-issuer-ca, trust-status-key,
 * trust-person-twice (plural persons have keys of their own), trust-many.
 */
err trust_get(slice file, struct trust **out) CHECKED;
void trust_drop(struct trust **t);
bool trust_has_profile(const struct trust *t, digest d);     /* current ones */
bool trust_has_terms(const struct trust *t, digest d);       /* current ones */
bool trust_has_explanation(const struct trust *t, digest d); /* current ones */

/* The duty a word names; 0: none of them (a permission for a room, a machine). */
unsigned duty_of(slice word);

/*
 * A document signed by a person of the house: CMS without certificate whose
 * signer key id is pinned here with one of the duties in the mask.  Gives the
 * message, whose .content is the document's text, and who signed.  ERR_POLICY
 * person-certificate, person-unknown, person-duty, signature.
 */
err trust_check_person(const struct trust *t, slice cms, unsigned duty, struct cms *c, const struct trust_person **who) CHECKED;

/* The policies J-LIS is known to write (domain 2.2), as OID contents: what a leaf is, whatever the file says. */
enum jpki_policy { JPKI_POLICY_OTHER, JPKI_POLICY_SIGNATURE, JPKI_POLICY_TEST_SIGNATURE, JPKI_POLICY_AUTH, JPKI_POLICY_SMARTPHONE,
	JPKI_POLICY_TEST_SMARTPHONE };
enum jpki_policy jpki_policy_of(slice oid);

#endif
