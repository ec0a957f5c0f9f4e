/*
 * verifier.h - reads what strangers send: bytes and a time in, facts out.
 *
 * HOLDS    nothing: a trust file and J-LIS's lists, which anybody may read
 * HEARS    the registrar: this trust, these lists, these bytes at this time
 * TOUCHES  nothing
 * NEVER    files, sockets, keys, the clock
 *
 * What it says can make an application go on or stop, and never makes a
 * certificate: the signer judges again from the same bytes.
 *
 * A document that cannot be read, or was not meant for this house, is refused
 * (the frame's fail and what): nothing is kept of it.  A document that was read
 * gives facts, with a verdict; `chained` says whether an entry may be made.
 *
 *   APPLICATION  A-1 by a card.  Not in force here (service, profile, terms,
 *                explanation): FAILED and not chained, the values are given.
 *   RECEIPT      R-1 by the certificate delivered (act/receipt).
 *   REVOCATION   V-1 by our certificate: SIGNER_CERTIFICATE, VERIFIED.  By a card:
 *                the card's verdict; same_card when the application given was
 *                signed by the very same certificate.
 *   WITHDRAWAL   A-2 by the card of the application, whatever its status, or by the key that was to be certified;
 *                without the application: the values alone, UNCHECKED.
 *   OFFICE       a document of a person of the house, signed by whom it names, with
 *                the duty its form asks for.
 *
 * By CRL, the list cited is used, or, where the leaf is of another J-LIS CA than
 * that list, the newest held of its own: facts.status_digest says which.  Where
 * J-LIS is asked by OCSP and no good answer came along, facts.ocsp_request is what
 * messenger sends, with the nonce of the order.
 */
#ifndef ROLE_VERIFIER_H
#define ROLE_VERIFIER_H

#include "act/trust.h"
#include "base/base.h"
#include "base/frame.h"
#include "edge/jail.h"
#include "edge/start.h"
#include "pki/crl.h"

#define VERIFIER_CRLS_MAX (2 * TRUST_ANCHORS_MAX) /* today's and the last one of each J-LIS CA */

struct verifier {
	int state;
	struct trust *trust;        /* owned */
	size_t n_crls;
	struct crl_table *crl[VERIFIER_CRLS_MAX]; /* owned, oldest first */
	struct buf parts;           /* what is coming in: a trust file or a CRL */
	uint8_t parts_kind;
	uint64_t parts_next;
};

/* jail.c: what it may still do: read and write the wires it has. */
void verifier_jail(const struct start *s, struct jail *out);

void verifier_start(struct verifier *v);
void verifier_drop(struct verifier *v);
/*
 * One order in, its result appended to `out` (nothing for a part that is not the
 * last).  ERR_CORRUPT, or any other err: the registrar went wrong, the process ends.
 */
err verifier_step(struct verifier *v, const struct frame *in, struct buf *out) CHECKED;

#endif
