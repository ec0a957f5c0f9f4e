/*
 * ticket.h - the right to sign: a value that only the one who checked can make,
 *            and that is used once.
 *
 * Depends on: base, hash, key.  Pure.
 *
 * Whatever leaves a private key of this house was carried to it by a ticket.  A
 * ticket holds the bytes to be signed, the algorithm, and a tagged proof of why
 * they may be signed:
 *
 *   PROOF_RULE          a certificate: identity and the approved rule set said yes again
 *   PROOF_OFFICER       a certificate: identity, and an officer's signed document
 *   PROOF_REVOKED_SET   a CRL or an OCSP answer, made from the signer's own revoked set
 *   PROOF_BOOKS         a checkpoint, shown to extend the last one signed
 *
 * `grounds` names the proof in the journal: the digest of the approval, of the
 * officer's document, of the revoked set, or the books' root.
 *
 * ticket_make_*() are called by act/issue, act/revocation and act/books only;
 * the tool `check` holds every object to that by symbol.  The body of the struct
 * stands in ticket.c, so that none is made by writing into memory by name.
 * Later proofs (the subscriber's current certificate, an organisation) are more
 * tags, not more ways round.
 */
#ifndef ACT_TICKET_H
#define ACT_TICKET_H

#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"

enum proof { PROOF_RULE = 1, PROOF_OFFICER, PROOF_REVOKED_SET, PROOF_BOOKS };
/* "rule", "officer", "revoked-set", "books": the journal's words. */
const char *proof_name(enum proof p);

struct ticket;

/* Copies tbs. */
struct ticket *ticket_make_certificate(enum proof by, enum sig_alg alg, slice tbs, digest grounds);
struct ticket *ticket_make_status(enum sig_alg alg, slice tbs, digest set);
/* For a list that is never whole in memory: `hashed` is what its key is given, `tbs` the SHA-256 of its bytes; ticket_tbs is empty. */
struct ticket *ticket_make_list(enum sig_alg alg, slice hashed, digest tbs, digest set);
struct ticket *ticket_make_checkpoint(slice text, digest root);
void ticket_drop(struct ticket **t);

enum proof ticket_proof(const struct ticket *t);
enum sig_alg ticket_alg(const struct ticket *t);
/* The bytes to be signed; live as long as t. */
slice ticket_tbs(const struct ticket *t);
/* SHA-256 of them: what the books' certificate.ordered and the journal's intent name. */
digest ticket_digest(const struct ticket *t);
digest ticket_grounds(const struct ticket *t);

/*
 * Spends the ticket: writes what the key is given, the hash of the bytes by the
 * algorithm, or the bytes themselves for Ed25519.  ERR_CONFLICT ticket-spent the
 * second time.
 */
err ticket_spend(struct ticket *t, struct buf *out) CHECKED;

#endif
