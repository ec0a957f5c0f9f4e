/*
 * body.h - what every body between two processes is made of: numbers, times, digests, bytes, lines, heads and proofs.
 *
 * Depends on: base, time, der, hash, text, cert, crl, cms, identity.  Pure.
 *
 * The bodies themselves stand in order.h and order_*.h, by conversation; the ASN.1 of the words below stands in body.c.
 * A get consumes one element from the front of *s, and moves nothing when it refuses; what it hands out borrows from the
 * frame.  A put appends one element.  One value has one encoding: no member has a DEFAULT, OPTIONAL ones are told apart
 * by their tag.  Refused with ERR_INPUT: order-form (the element is DER and still not what stands here), der-… and text-….
 */
#ifndef ACT_BODY_H
#define ACT_BODY_H

#include "act/identity.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

#define PROOF_MAX 64 /* digests of one proof: a tree of 2^64 leaves needs no more (RFC 6962 2.1) */

/* A dossier's number: the first 16 bytes of the application's SHA-256. */
typedef struct {
	uint8_t b[16];
} dossier_id;

/* How many leaves a book has, and the root over them (RFC 6962). */
struct head {
	uint64_t size;
	digest root;
};

/* order-form, for a body that breaks a rule of its own. */
err body_malformed(void) CHECKED;

/* A body is one SEQUENCE with nothing behind it: its members. */
err body_open(slice body, slice *members) CHECKED;

/* Milliseconds since INSTANT_MIN_MS; a put asserts that t lies between INSTANT_MIN_MS and INSTANT_MAX_MS. */
err body_get_instant(slice *s, instant *out) CHECKED;
void body_put_instant(struct buf *b, instant t);

/* An OCTET STRING of exactly n bytes: an id, a digest. */
err body_get_fixed(slice *s, uint8_t *out, size_t n) CHECKED;
err body_get_digest(slice *s, digest *out) CHECKED;
void body_put_digest(struct buf *b, digest d);

/* An OCTET STRING of any length; get_cms refuses one over CMS_MAX, as the HTTP face does. */
err body_get_bytes(slice *s, slice *out) CHECKED;
err body_get_cms(slice *s, slice *out) CHECKED;
void body_put_bytes(struct buf *b, slice s);

/* One line of text, as text_check_line has it. */
err body_get_line(slice *s, slice *out) CHECKED;
void body_put_line(struct buf *b, slice s);

/* 0 to 2^63-1; written by der_put_u64. */
err body_get_count(slice *s, uint64_t *out) CHECKED;

/* An ENUMERATED from least to most, both taken; written by der_put_enum. */
err body_get_enum(slice *s, unsigned least, unsigned most, unsigned *out) CHECKED;
err body_get_method(slice *s, enum status_method *out) CHECKED;
err body_get_reason(slice *s, enum crl_reason *out) CHECKED;

/* A serial that may be absent: *has and *out stay as they are when it is. */
err body_get_optional_serial(slice *s, bool *has, serial *out) CHECKED;
void body_put_optional_serial(struct buf *b, bool has, serial v);

err body_get_head(slice *s, struct head *out) CHECKED;
void body_put_head(struct buf *b, const struct head *h);

/* At most PROOF_MAX digests; a put asserts it. */
err body_get_proof(slice *s, size_t *n, digest out[PROOF_MAX]) CHECKED;
void body_put_proof(struct buf *b, size_t n, const digest *proof);

/* Bodies that are one thing, of bytes or of text: always one OCTET STRING. */
err octets_get(slice body, slice *out) CHECKED;
void octets_put(struct buf *b, slice s);

/* What is larger than a frame goes in numbered parts, the last one marked.  order-form over PART_BYTES. */
struct part {
	uint64_t number; /* from 0 */
	bool last;
	slice bytes;
};
err body_get_part(slice *s, struct part *out) CHECKED; /* within a larger body */
err part_get(slice body, struct part *out) CHECKED;
void part_put(struct buf *b, const struct part *p);
#define PART_BYTES (100U << 10) /* of payload in one frame */

#endif
