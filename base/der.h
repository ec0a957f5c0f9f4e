/*
 * der.h - strict DER, X.690: consume from a slice, append to a buffer.
 *
 * Depends on: base, time.  Pure.
 *
 * Refused wherever it stands: indefinite and non-minimal lengths, tags of more
 * than one byte, BOOLEANs other than 00 and FF, INTEGERs with superfluous
 * leading bytes, unused bits that are not zero, and lengths beyond the input.
 * A failed read moves nothing.  What comes out borrows from what went in.
 */
#ifndef BASE_DER_H
#define BASE_DER_H

#include "base/base.h"
#include "base/time.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0A,
	DER_UTF8 = 0x0C,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_UTCTIME = 0x17,
	DER_GENTIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
/* Context-specific tags 0 to 30, primitive and constructed. */
#define DER_CTX(n) ((uint8_t)(0x80 | (n)))
#define DER_CTXC(n) ((uint8_t)(0xA0 | (n)))

/* The content of the next element, which must have this tag. */
err der_get(slice *in, uint8_t tag, slice *out) CHECKED;
/* The same with its tag and length bytes. */
err der_get_whole(slice *in, uint8_t tag, slice *out) CHECKED;
/* The next element, whatever it is; whole or content may be NULL. */
err der_get_any(slice *in, uint8_t *tag, slice *content, slice *whole) CHECKED;
/* Nothing may be left. */
err der_end(slice in) CHECKED;
bool der_next_is(slice in, uint8_t tag);

err der_get_bool(slice *in, bool *out) CHECKED;
/* An INTEGER 0..max. */
err der_get_u64(slice *in, uint64_t max, uint64_t *out) CHECKED;
/* An ENUMERATED 0..max. */
err der_get_enum(slice *in, unsigned max, unsigned *out) CHECKED;
/* A non-negative INTEGER of any size: its magnitude, without the sign byte; zero is one 00 byte. */
err der_get_integer(slice *in, slice *out) CHECKED;
/* Content bytes of a well-formed OBJECT IDENTIFIER. */
err der_get_oid(slice *in, slice *out) CHECKED;
/* A BIT STRING of whole bytes. */
err der_get_bits(slice *in, slice *out) CHECKED;
/* A named-bit list of at most 16 bits: bit 0 of the ASN.1 is bit 0 here.  Trailing zero bits are refused (X.690 11.2.2). */
err der_get_named_bits(slice *in, uint32_t *out) CHECKED;
err der_get_null(slice *in) CHECKED;
/* RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050, both with seconds and Z. */
err der_get_time(slice *in, instant *out) CHECKED;
/* GeneralizedTime with seconds and Z, no fraction. */
err der_get_gentime(slice *in, instant *out) CHECKED;

void der_put(struct buf *b, uint8_t tag, slice content);
/* Tag and length alone, of content that is written elsewhere; der_head_bytes is how long they are. */
void der_put_head(struct buf *b, uint8_t tag, size_t content);
size_t der_head_bytes(size_t content);
/* What stands between open and close becomes the content. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);
/* BIT STRING whose content is written between: open_bits, write, close. */
size_t der_open_bits(struct buf *b);
void der_put_bool(struct buf *b, bool v);
void der_put_u64(struct buf *b, uint64_t v);
void der_put_enum(struct buf *b, unsigned v);
/* A non-negative INTEGER from its magnitude, big-endian; leading zeros are stripped, a sign byte is added. */
void der_put_integer(struct buf *b, slice magnitude);
void der_put_oid(struct buf *b, slice content);
void der_put_bits(struct buf *b, slice s);
void der_put_named_bits(struct buf *b, uint32_t bits);
void der_put_null(struct buf *b);
void der_put_time(struct buf *b, instant t);
void der_put_gentime(struct buf *b, instant t);

/*
 * Dotted decimal to content bytes and back: for configuration and for people.
 * Read: at most 64 content bytes, arcs below 2^63.  Written: an arc of more than 64
 * bits is shown as "?", which cannot be read.
 */
err oid_get_dotted(slice in, struct buf *out) CHECKED;
void oid_put_dotted(struct buf *b, slice content);

#endif
