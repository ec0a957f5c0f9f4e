#include "act/body.h"
#include "base/der.h"
#include "base/text.h"
#include "pki/cms.h"

/*
 * What every body is made of:
 *
 *   Instant  ::= INTEGER (0..254033452799999)  milliseconds since 1950-01-01T00:00:00Z (INSTANT_MIN_MS)
 *   Digest   ::= OCTET STRING (SIZE (32))
 *   Id       ::= OCTET STRING (SIZE (16))     a dossier, a bearer token
 *   Serial   ::= INTEGER (1..2^159)
 *   Count    ::= INTEGER (0..2^63-1)
 *   Bytes    ::= OCTET STRING
 *   Text     ::= UTF8String                   one line, as base/text has it
 *   Head     ::= SEQUENCE { size Count, root Digest }
 *   Proof    ::= SEQUENCE SIZE (0..64) OF Digest
 *
 * No member has a DEFAULT and OPTIONAL ones are told apart by their tag, so that
 * one value has one encoding.
 */

err
body_malformed(void)
{
	return fail(ERR_INPUT, "order-form: house: a body between two processes is not in its form");
}

err
body_open(slice body, slice *members)
{
	slice s;

	TRY(der_get(&body, DER_SEQUENCE, &s));
	TRY(der_end(body));
	*members = s;
	return ok;
}

err
body_get_instant(slice *s, instant *out)
{
	uint64_t v;

	TRY(der_get_u64(s, (uint64_t)(INSTANT_MAX_MS - INSTANT_MIN_MS), &v));
	*out = (instant){(int64_t)v + INSTANT_MIN_MS};
	return ok;
}

void
body_put_instant(struct buf *b, instant t)
{
	assert(t.ms >= INSTANT_MIN_MS && t.ms <= INSTANT_MAX_MS);
	der_put_u64(b, (uint64_t)(t.ms - INSTANT_MIN_MS));
}

err
body_get_fixed(slice *s, uint8_t *out, size_t n)
{
	slice v;

	TRY(der_get(s, DER_OCTETS, &v));
	if (v.n != n)
		return body_malformed();
	memcpy(out, v.p, n);
	return ok;
}

err
body_get_digest(slice *s, digest *out)
{
	return body_get_fixed(s, out->b, sizeof out->b);
}

void
body_put_digest(struct buf *b, digest d)
{
	der_put(b, DER_OCTETS, digest_slice(&d));
}

err
body_get_bytes(slice *s, slice *out)
{
	return der_get(s, DER_OCTETS, out);
}

void
body_put_bytes(struct buf *b, slice s)
{
	der_put(b, DER_OCTETS, s);
}

/* A signed document: never longer than the HTTP face takes one. */
err
body_get_cms(slice *s, slice *out)
{
	slice v;

	TRY(der_get(s, DER_OCTETS, &v));
	if (v.n > CMS_MAX)
		return body_malformed();
	*out = v;
	return ok;
}

err
body_get_line(slice *s, slice *out)
{
	slice v;

	TRY(der_get(s, DER_UTF8, &v));
	TRY(text_check_line(v));
	*out = v;
	return ok;
}

void
body_put_line(struct buf *b, slice s)
{
	der_put(b, DER_UTF8, s);
}

err
body_get_count(slice *s, uint64_t *out)
{
	return der_get_u64(s, INT64_MAX, out);
}

/* ENUMERATED (least..most) */
err
body_get_enum(slice *s, unsigned least, unsigned most, unsigned *out)
{
	unsigned v = 0;

	TRY(der_get_enum(s, most, &v));
	if (v < least)
		return body_malformed();
	*out = v;
	return ok;
}

err
body_get_method(slice *s, enum status_method *out)
{
	unsigned v = 0;

	TRY(body_get_enum(s, STATUS_NONE, STATUS_OCSP, &v));
	*out = (enum status_method)v;
	return ok;
}

err
body_get_reason(slice *s, enum crl_reason *out)
{
	unsigned v = 0;

	TRY(body_get_enum(s, REASON_UNSPECIFIED, REASON_CESSATION, &v));
	*out = (enum crl_reason)v;
	return ok;
}

err
body_get_optional_serial(slice *s, bool *has, serial *out)
{
	if (!der_next_is(*s, DER_INTEGER))
		return ok;
	TRY(serial_get(s, out));
	*has = true;
	return ok;
}

void
body_put_optional_serial(struct buf *b, bool has, serial v)
{
	if (has)
		serial_put(b, v);
}

err
body_get_head(slice *in, struct head *out)
{
	struct head h;
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	TRY(body_get_count(&s, &h.size));
	TRY(body_get_digest(&s, &h.root));
	TRY(der_end(s));
	*out = h;
	return ok;
}

void
body_put_head(struct buf *b, const struct head *h)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, h->size);
	body_put_digest(b, h->root);
	der_close(b, seq);
}

err
body_get_proof(slice *in, size_t *n, digest out[PROOF_MAX])
{
	size_t k = 0;
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	while (s.n > 0) {
		if (k == PROOF_MAX)
			return body_malformed();
		TRY(body_get_digest(&s, &out[k]));
		k++;
	}
	*n = k;
	return ok;
}

void
body_put_proof(struct buf *b, size_t n, const digest *proof)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(n <= PROOF_MAX);
	for (size_t i = 0; i < n; i++)
		body_put_digest(b, proof[i]);
	der_close(b, seq);
}

/*
 * Octets ::= OCTET STRING                  the body is this one element
 */
err
octets_get(slice body, slice *out)
{
	slice v;

	TRY(der_get(&body, DER_OCTETS, &v));
	TRY(der_end(body));
	*out = v;
	return ok;
}

void
octets_put(struct buf *b, slice s)
{
	der_put(b, DER_OCTETS, s);
}

/*
 * Part ::= SEQUENCE { number Count, last BOOLEAN, bytes Bytes (SIZE (0..PART_BYTES)) }
 */
err
body_get_part(slice *in, struct part *out)
{
	struct part p;
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	TRY(body_get_count(&s, &p.number));
	TRY(der_get_bool(&s, &p.last));
	TRY(body_get_bytes(&s, &p.bytes));
	TRY(der_end(s));
	if (p.bytes.n > PART_BYTES)
		return body_malformed();
	*out = p;
	return ok;
}

err
part_get(slice body, struct part *out)
{
	struct part p;

	TRY(body_get_part(&body, &p));
	TRY(der_end(body));
	*out = p;
	return ok;
}

void
part_put(struct buf *b, const struct part *p)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, p->number);
	der_put_bool(b, p->last);
	body_put_bytes(b, p->bytes);
	der_close(b, seq);
}
