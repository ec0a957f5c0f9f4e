/*
 * identity.h - who applies: Rule 5(1)(ii), JPKI Act 19, domain 2.8.
 *
 * Depends on: base, pki, trust, application.  Pure: same bytes, same trust, same
 * time, same verdict; the verifier, the signer and the replay all call this.
 *
 * Order of checks and their codes (each a row in the table test):
 *   jpki-ca-leaf · jpki-self-issued · jpki-algorithm · jpki-auth-certificate ·
 *   jpki-smartphone (not yet supported) · jpki-key-usage (nonRepudiation) ·
 *   jpki-critical · jpki-hierarchy (a test leaf in production) · jpki-policy ·
 *   jpki-key (RSA-2048, e 65537) · jpki-anchor (by DN AND signature) ·
 *   jpki-signature · [chained: from here on an entry may be made] ·
 *   jpki-not-yet-valid · jpki-expired · jpki-anchor-expired ·
 *   jpki-attributes (name, birth, sex, address each exactly once, unknown ones
 *   ignored) · jpki-flags (length) · jpki-revoked · jpki-unchecked (no evidence) ·
 *   jpki-stale · jpki-crl-other (not signed by the leaf's own anchor) ·
 *   jpki-unknown, ocsp-… (the answer says or proves nothing).
 * Then, for an application, what differs: jpki-name · jpki-birth · jpki-sex ·
 * jpki-address.
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
	slice name_flags, address_flags;      /* a digit for each character */
};
enum { MISMATCH_NAME = 1, MISMATCH_BIRTH = 2, MISMATCH_SEX = 4, MISMATCH_ADDRESS = 8 };

/* What is known of the leaf's status. */
struct status_evidence {
	enum status_method method;   /* STATUS_NONE: nothing yet                        */
	slice ocsp_answer, ocsp_nonce;
	const struct crl_table *crl; /* its signature was checked by identity_crl_anchor */
};

/*
 * Which anchor signed this CRL: its issuer's DN, its key identifier AND its
 * signature.  Three generations share one DN and each has its list; a serial that
 * is not in another generation's list says nothing, so identity compares the
 * list's key identifier with the leaf's anchor.  ERR_POLICY jpki-crl-anchor.
 */
err identity_crl_anchor(const struct trust *t, const struct crl *c, size_t *anchor) CHECKED;
/* The anchor whose list a leaf will need, by DN and key identifier, without looking at signatures; ERR_POLICY jpki-anchor. */
err identity_anchor_hint(const struct trust *t, const struct cert *leaf, size_t *anchor) CHECKED;

#define STATUS_SKEW_MS (5 * 60 * SECOND_MS) /* clocks may differ: as in pki/chain */

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
