/*
 * profile.h - what a kind of certificate of ours looks like: configuration, not code.
 *
 * Depends on: base, conf, der, hash, key, name, cert.  Pure.
 *
 *   [profile]
 *   name = person-signature
 *   version = 1
 *   policy = 2.999.1.1                        certificatePolicies
 *   cps = http://127.0.0.1:8480/cps/          CPS qualifier
 *   crl = http://…/crl/issuer.crl             CRLDP
 *   ocsp = http://…/ocsp
 *   ca_issuers = http://…/ca/issuer.cer
 *   validity_years_max = 5                    Rule 6(iv) B-4
 *   keys = p256 p384 rsa2048 rsa3072 rsa4096  CR-1
 *   subject_address = no                      yes: streetAddress holds it (B-8: a recorded attribute)
 *   subject_birth = no                        yes: description holds it
 */
#ifndef ACT_PROFILE_H
#define ACT_PROFILE_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"

struct profile {
	struct conf *conf; /* owned */
	digest digest;
	slice name, cps, crl, ocsp, ca_issuers;
	struct buf policy; /* owned: OID content */
	int validity_years_max;
	unsigned keys;     /* bit mask of 1 << enum key_kind; RSA with rsa_bits_min */
	bool address, birth;
};

err profile_get(slice file, struct profile **out) CHECKED;
void profile_drop(struct profile **p);
/* CR-1 and the profile's own list. */
err profile_check_key(const struct profile *p, const struct key *k) CHECKED;

/*
 * The lint every certificate of a person passes before and after it is signed:
 * CR-1 (issuer's and subscriber's keys and algorithm), B-4 (at most 5 calendar
 * years), B-5 イ–ニ (issuer, serial, dates, NAME, key), B-6, keyUsage, policy,
 * CRLDP, AIA, SKI, AKI as the profile has them.
 */
err profile_lint(const struct profile *p, const struct cert *issuer, slice certificate_or_tbs_joined) CHECKED;

#endif
