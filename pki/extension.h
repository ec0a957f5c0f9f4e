/*
 * extension.h - extensions as certificates, CRLs, their entries and OCSP have them: RFC 5280 4.1, 4.2.
 *
 * Depends on: base, der.  Pure.
 *
 * Takes one apart or a whole list, and knows the numbers of those under 2.5.29; what a value means, and whether an unknown
 * critical one matters, is its reader's judgement.  Slices borrow from the input.
 *
 * ERR_INPUT: extension-list (none in the list), extension-many (over EXTENSIONS_MAX), extension-twice (RFC 5280 4.2),
 * der-default (critical FALSE is written out), der-….
 */
#ifndef PKI_EXTENSION_H
#define PKI_EXTENSION_H

#include "base/base.h"

#define EXTENSIONS_MAX 32 /* of one list; real certificates have about ten */

/* Extensions under 2.5.29, by the last byte of their OID. */
enum {
	CE_SKI = 14,
	CE_KEY_USAGE = 15,
	CE_SAN = 17,
	CE_BASIC = 19,
	CE_NUMBER = 20,
	CE_REASON = 21,
	CE_INVALIDITY = 24,
	CE_DELTA = 27,
	CE_IDP = 28,
	CE_CRLDP = 31,
	CE_POLICIES = 32,
	CE_AKI = 35,
	CE_EKU = 37,
	CE_FRESHEST = 46,
	CE_EXPIRED = 60,
};

struct extension {
	slice oid;
	uint8_t ce; /* CE_…, or another number under 2.5.29; 0: of another arc */
	bool critical;
	slice value; /* content of the OCTET STRING */
};
struct extensions {
	size_t n;
	struct extension at[EXTENSIONS_MAX];
};

/*
 * Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }: takes one off *in, which
 * does not move on a refusal.
 */
err extension_get(slice *in, struct extension *out) CHECKED;
/* Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, nothing after it, no two alike.  *out is only whole on success. */
err extensions_get(slice in, struct extensions *out) CHECKED;

/* Opens an extension up to its value, which is written between; close closes what stands open. */
struct extension_mark {
	size_t seq, octets;
};
struct extension_mark extension_open(struct buf *b, slice oid, bool critical);
struct extension_mark extension_open_ce(struct buf *b, uint8_t ce, bool critical);
void extension_close(struct buf *b, struct extension_mark m);

/* The value of authorityKeyIdentifier: its keyIdentifier, empty when it has none.  Writing: the whole extension. */
err aki_get(slice value, slice *id) CHECKED;
void aki_put(struct buf *b, slice id);

#endif
