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
 *   crl_partitions = 16                       may stand: so many partial lists, issuer-1.crl to issuer-16.crl; a
 *                                             certificate's CRLDP names the one that its serial falls to; once in force
 *                                             neither the number nor crl ever changes (revocation_check_parted)
 *   crl_delta = http://…/crl/delta.crl        may stand: freshestCRL of the complete list
 *   crl_expired = no                          may stand: yes: who was revoked stays on the lists after the end
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
#include "pki/crl.h"

/* The keys a certificate can be made for: exact sizes, so that a list says what it means. */
enum key_size { SIZE_P256 = 1 << 0, SIZE_P384 = 1 << 1, SIZE_RSA2048 = 1 << 2, SIZE_RSA3072 = 1 << 3, SIZE_RSA4096 = 1 << 4 };
/* "p256 rsa2048": words with one blank between, each once.  ERR_INPUT profile-keys. */
err key_sizes_get(slice words, unsigned *out) CHECKED;
/* The one bit of this key; 0 for any other. */
unsigned key_size_of(enum key_kind kind, unsigned bits);

#define PROFILE_YEARS_MAX 5 /* Rule 6(iv) */

struct profile {
	struct conf *conf; /* owned */
	digest digest;
	slice name, cps, crl, crl_delta, ocsp, ca_issuers; /* crl_delta may be empty */
	unsigned crl_partitions;                           /* 0: one list for all    */
	bool crl_expired;
	struct buf policy; /* owned: OID content */
	int validity_years_max;
	unsigned keys;     /* mask of enum key_size */
	bool address, birth;
};

/* ERR_INPUT conf-…, oid-…, profile-version, profile-name, profile-uri, profile-keys. */
err profile_get(slice file, struct profile **out) CHECKED;
void profile_drop(struct profile **p);
/* The CRLDP of partition 1 … crl_partitions: ".../issuer-7.crl"; of 0: the list of all. */
void profile_put_crl_uri(struct buf *b, const struct profile *p, unsigned partition);
/* The partition that tells of this serial; 0 where there are none. */
unsigned profile_partition(const struct profile *p, serial s);
/* CR-1 and the profile's own list.  ERR_POLICY profile-key. */
err profile_check_key(const struct profile *p, const struct key *k) CHECKED;

/*
 * The lint every certificate of a person passes before and after it is signed:
 * CR-1 (issuer's and subscriber's keys and algorithm), B-4 (at most 5 calendar
 * years), B-5 イ–ニ (issuer, serial, dates, NAME, key), B-6, keyUsage, policy,
 * CRLDP, AIA, SKI, AKI as the profile has them.  At last the bytes are written
 * again from what they say and compared: nothing else can stand in them.
 * Takes a whole certificate, or a TBSCertificate joined (cert_join) with any
 * bytes as signature: the signature itself is not checked here, since before
 * signing there is none.  A serial is 16 bytes from 40 to 7F.  ERR_POLICY lint-….
 */
err profile_lint(const struct profile *p, const struct cert *issuer, slice certificate_or_tbs_joined) CHECKED;

#endif
