/*
 * receipt.h - the subscriber's receipt, 受領書: Rule 12(1)(i)リ, CP 4.1.3.
 *
 * Depends on: base, pki, trust, document, body.  Pure.
 *
 * Document R-1 signed with the NEW key, under the certificate delivered: it says
 * that the certificate came to the one who holds the key, and that he looked at
 * what it says.  No card and no challenge is needed.
 *
 * ERR_POLICY receipt-certificate (not a person's of this issuer), receipt-service,
 * receipt-serial, receipt-digest; what cms, document and key refuse.
 */
#ifndef ACT_RECEIPT_H
#define ACT_RECEIPT_H

#include "act/body.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/time.h"
#include "pki/cert.h"

struct receipt {
	dossier_id dossier;
	serial serial;
	digest document;    /* SHA-256 of the CMS         */
	digest certificate; /* SHA-256 of the certificate */
	instant date;
};

err receipt_check(const struct trust *t, slice cms, struct receipt *out) CHECKED;

#endif
