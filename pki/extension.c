#include "base/der.h"
#include "pki/extension.h"

/*
 * Extension ::= SEQUENCE {
 *	extnID     OBJECT IDENTIFIER,
 *	critical   BOOLEAN DEFAULT FALSE,
 *	extnValue  OCTET STRING }
 */
err
extension_get(slice *in, struct extension *out)
{
	struct extension x = {0};
	slice s = *in, e;

	TRY(der_get(&s, DER_SEQUENCE, &e));
	TRY(der_get_oid(&e, &x.oid));
	if (der_next_is(e, DER_BOOLEAN)) {
		TRY(der_get_bool(&e, &x.critical));
		if (!x.critical)
			return fail(ERR_INPUT, "der-default: X.690 11.5: a DEFAULT value is written out");
	}
	TRY(der_get(&e, DER_OCTETS, &x.value));
	TRY(der_end(e));
	if (x.oid.n == 3 && x.oid.p[0] == 0x55 && x.oid.p[1] == 0x1D)
		x.ce = x.oid.p[2];
	*out = x;
	*in = s;
	return ok;
}

err
extensions_get(slice in, struct extensions *out)
{
	slice list;

	TRY(der_get(&in, DER_SEQUENCE, &list));
	TRY(der_end(in));
	if (list.n == 0)
		return fail(ERR_INPUT, "extension-list: RFC 5280 4.1: a list of extensions stands there without one");
	out->n = 0;
	while (list.n > 0) {
		struct extension *x = &out->at[out->n];

		if (out->n == EXTENSIONS_MAX)
			return fail(ERR_INPUT, "extension-many: house: a certificate or a list has at most 32 extensions");
		TRY(extension_get(&list, x));
		for (size_t i = 0; i < out->n; i++)
			if (slice_eq(out->at[i].oid, x->oid))
				return fail(ERR_INPUT, "extension-twice: RFC 5280 4.2: an extension stands twice");
		out->n++;
	}
	return ok;
}

/* --- writing ---------------------------------------------------------------- */

struct extension_mark
extension_open(struct buf *b, slice oid, bool critical)
{
	struct extension_mark e = {.seq = der_open(b, DER_SEQUENCE)};

	der_put_oid(b, oid);
	if (critical)
		der_put_bool(b, true);
	e.octets = der_open(b, DER_OCTETS);
	return e;
}

void
extension_close(struct buf *b, struct extension_mark e)
{
	der_close(b, e.octets);
	der_close(b, e.seq);
}

struct extension_mark
extension_open_ce(struct buf *b, uint8_t arc, bool critical)
{
	return extension_open(b, (slice){(const uint8_t[]){0x55, 0x1D, arc}, 3}, critical);
}

/* --- authorityKeyIdentifier ------------------------------------------------- */

/*
 * AuthorityKeyIdentifier ::= SEQUENCE {
 *	keyIdentifier              [0] IMPLICIT OCTET STRING OPTIONAL,
 *	authorityCertIssuer        [1] IMPLICIT GeneralNames OPTIONAL,
 *	authorityCertSerialNumber  [2] IMPLICIT INTEGER OPTIONAL }
 */
err
aki_get(slice in, slice *out)
{
	slice s, id = {NULL, 0}, skip;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	if (der_next_is(s, DER_CTX(0)))
		TRY(der_get(&s, DER_CTX(0), &id));
	if (der_next_is(s, DER_CTXC(1))) {
		TRY(der_get(&s, DER_CTXC(1), &skip));
		TRY(der_get(&s, DER_CTX(2), &skip));
	}
	TRY(der_end(s));
	*out = id;
	return ok;
}

void
aki_put(struct buf *b, slice id)
{
	struct extension_mark e = extension_open_ce(b, CE_AKI, false);
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put(b, DER_CTX(0), id);
	der_close(b, seq);
	extension_close(b, e);
}
