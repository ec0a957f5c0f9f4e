/*
 * page.h - the service's first page, from web/index.html.
 *
 * Depends on: pki/cert.  Pure.
 *
 * The template names what differs between houses as {{mark}}:
 *
 *   {{service}}                    the service's name
 *   {{state_ja}} {{state_en}}      whether it is accredited, in words
 *   {{issuer_sha256}}              the issuer certificate's fingerprint, 00:11:… in capitals
 *   {{spki_sha256}}                that of its public key
 *
 * A mark that is not among these stays as it is.  What is put in is escaped as HTML.
 */
#ifndef CMD_INKANCTL_PAGE_H
#define CMD_INKANCTL_PAGE_H

#include "base/base.h"

struct page {
	slice service;
	bool accredited;
	slice issuer; /* its certificate in DER */
};

/* Refused: an issuer that is no certificate, a page longer than *out may become. */
CHECKED err page_put(struct buf *out, slice web, const struct page *p);

#endif
