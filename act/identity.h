/*
 * identity.h - who applies: Rule 5(1)(ii), JPKI Act 19, domain 2.8.
 *
 * Depends on: base, pki, trust, application.  Pure: same bytes, same trust, same
 * time, same verdict; the verifier, the signer and the replay all call this.
 *
 * Order of checks and their codes (each a row in the table test):
 *   jpki-ca-leaf · jpki-self-issued · jpki-algorithm · jpki-key (RSA-2048, e 65537) ·
 *   jpki-key-usage (nonRepudiation: an auth certificate never has it) ·
 *   jpki-auth-certificate · jpki-smartphone (not yet supported) · jpki-policy ·
 *   jpki-critical · jpki-hierarchy (a test leaf in production) · jpki-anchor (by DN
 *   AND signature) · jpki-not-yet-valid · jpki-expired · jpki-signature ·
 *   jpki-attributes (name, birth, sex, address each exactly once, unknown ones
 *   ignored) · jpki-flags (length) · jpki-revoked · jpki-unchecked.
 */
#ifndef ACT_IDENTITY_H
#define ACT_IDENTITY_H

#include "act/application.h"
#include "act/trust.h"
#include "base/base.h"
#include "pki/chain.h"
#include "pki/crl.h"

enum verdict {
	VERDICT_VERIFIED = 1,
	VERDICT_FAILED,    /* .why says which check                                    */
	VERDICT_MISMATCH,  /* verified, but name/birth/sex/address differ: to a person */
	VERDICT_UNCHECKED, /* status could not be checked: waits, never accepted       */
};

/* The four attributes of a JPKI signature certificate, borrowed from the leaf. */
struct jpki_person {
	slice name, birth, sex, address;      /* as in the certificate      */
	slice name_flags, address_flags;      /* digits, or empty           */
};
enum { MISMATCH_NAME = 1, MISMATCH_BIRTH = 2, MISMATCH_SEX = 4, MISMATCH_ADDRESS = 8 };

/* What is known of the leaf's status. */
struct status_evidence {
	enum status_method method;   /* STATUS_NONE: nothing yet                        */
	slice ocsp_answer, ocsp_nonce;
	const struct crl_table *crl; /* its signature was checked against its anchor    */
};

struct identity {
	enum verdict verdict;
	err why;                     /* FAILED, UNCHECKED: the reason; MISMATCH: the first */
	bool chained;                /* signature and chain reached a pinned anchor: an entry may be made */
	unsigned mismatch;
	struct cert leaf;            /* borrows from the CMS */
	digest leaf_digest;
	size_t anchor;               /* index in trust */
	struct jpki_person person;
	enum status_method method;
	instant status_this_update, status_next_update;
	digest status_digest;        /* of the OCSP answer or CRL */
};

/* The JPKI leaf profile alone (strict), for tests and revocation requests. */
err jpki_get(slice leaf_der, struct cert *leaf, struct jpki_person *out) CHECKED;

/*
 * Judges an application.  Success means "judged": read out->verdict.
 */
void identity_check(const struct trust *t, const struct application *a, const struct status_evidence *s, instant now,
	struct identity *out);

/* The same for any document a card signed (a revocation request): chain and status, no attributes compared. */
void identity_check_signer(const struct trust *t, const struct cms *c, const struct status_evidence *s, instant now,
	struct identity *out);

/*
 * Compares the four attributes of the application with the card's: a flagged
 * position passes by rule only with the same substitute character; the rest
 * after NFKC and address normalisation (width, chome/banchi hyphens, blanks).
 */
unsigned identity_compare(const struct jpki_person *p, const struct application *a);

/* The OCSP request for a leaf, as messenger sends it to J-LIS. */
err identity_put_ocsp_request(struct buf *b, const struct trust *t, const struct cert *leaf, slice nonce) CHECKED;

#endif
