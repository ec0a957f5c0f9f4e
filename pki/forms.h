/*
 * forms.h - a certificate in the other forms people and programs take it in: PEM (RFC 7468), a PKCS #7 bag (RFC 5652), its
 *           fingerprints in words.
 *
 * Depends on: base, hash, der, name, cert.  Pure.
 *
 * The publisher makes them from the certificate; whoever checks what is served makes them again and compares bytes.
 */
#ifndef PKI_FORMS_H
#define PKI_FORMS_H

#include "base/base.h"
#include "pki/cert.h"

void forms_put_pem(struct buf *b, slice der);
void forms_put_p7c(struct buf *b, slice der);
/* "AB:CD:…" of the SHA-256 of these bytes. */
void forms_put_sha256(struct buf *b, slice bytes);
/* An empty line, then "file:", "name:" where it has a common name, "sha256:" and "spki-sha256:", a line each. */
void forms_put_fingerprint(struct buf *b, const char *file, const struct cert *c);

#endif
