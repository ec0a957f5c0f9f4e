/*
 * A status file, all numbers big-endian:
 *
 *	0    16  "INKAN-STATUS 1\n" and a zero byte
 *	16    8  when it was made, ms since 1970
 *	24    8  n, the number of slots
 *	32   20  SHA-1 of the issuer's name     52   20  SHA-1 of its key
 *	72   32  SHA-256 of the issuer's name  104   32  SHA-256 of its key
 *	136  20  the responder's key identifier
 *	156   4  signature algorithm (enum sig_alg)
 *	160   4  s, the most bytes a signature of this responder has
 *	164   4  c, bytes of the responder's certificate
 *	168   c  the responder's certificate
 *	     +4  CRC-32C of all bytes above
 *	then     ceil(n / 16) CRC-32C values of 4 bytes, one for each block of 16 slots
 *	then     n slots of 56 + s bytes, in rising order of serial:
 *		0   1  bytes of the serial       1  20  the serial, then zeros
 *		21  1  state (0 good, 1 revoked, 2 withdrawn)   22  1  reason
 *		23  1  zero
 *		24  8  revoked     32  8  produced     40  8  thisUpdate     48  6  nextUpdate - thisUpdate, ms
 *		54  2  bytes of the signature    56  s  the signature, then zeros
 *
 * The last block's checksum covers the slots that are there.
 */
#include "act/slots.h"

#define MAGIC LIT("INKAN-STATUS 1\n\0")
#define BLOCK_SLOTS 16 /* 2 KB: a look-up checks one block */
#define FIXED_BYTES 168
#define SLOT_FIXED 56

/* CRC-32C (Castagnoli), reflected, four bits at a time: 16 words of table are nothing to the cache. */
static uint32_t
crc32c(slice s)
{
	static const uint32_t t[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362,
	    0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
	uint32_t c = 0xFFFFFFFF;

	for (size_t i = 0; i < s.n; i++) {
		c ^= s.p[i];
		c = c >> 4 ^ t[c & 15];
		c = c >> 4 ^ t[c & 15];
	}
	return ~c;
}

static void
put_be(uint8_t *p, size_t n, uint64_t v)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t
get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* An RSA signature is as long as the modulus: the certificate's own length bounds it; ECDSA on P-384 has 104. */
static size_t
signature_bytes(enum sig_alg alg)
{
	return alg == SIG_ECDSA_SHA256 ? 72 : alg == SIG_ECDSA_SHA384 ? 104 : 512;
}

static size_t
blocks_of(uint64_t n)
{
	return (size_t)((n + BLOCK_SLOTS - 1) / BLOCK_SLOTS);
}

err
slots_get(slice file, struct slots *out)
{
	const err bad = fail(ERR_CORRUPT, "slots-header: house: a status file is not whole");
	struct slots s = {0};
	slice head, crc;
	size_t cert_n;

	if (file.n < FIXED_BYTES + 4)
		return bad;
	cert_n = (size_t)get_be(file.p + 164, 4);
	if (!slice_eq((slice){file.p, 16}, MAGIC) || cert_n > CERT_MAX || file.n < FIXED_BYTES + cert_n + 4)
		return bad;
	if (!slice_take(&file, FIXED_BYTES + cert_n, &head) || !slice_take(&file, 4, &crc) ||
	    get_be(crc.p, 4) != crc32c(head))
		return bad;
	s.made.ms = (int64_t)get_be(head.p + 16, 8);
	s.n = get_be(head.p + 24, 8);
	memcpy(s.common.issuer.name1, head.p + 32, 20);
	memcpy(s.common.issuer.key1, head.p + 52, 20);
	memcpy(s.common.issuer.name256, head.p + 72, 32);
	memcpy(s.common.issuer.key256, head.p + 104, 32);
	memcpy(s.common.responder_key_id, head.p + 136, 20);
	s.common.alg = (enum sig_alg)get_be(head.p + 156, 4);
	s.common.responder_cert = (slice){head.p + FIXED_BYTES, cert_n};
	if (s.common.alg < SIG_RSA_SHA256 || s.common.alg > SIG_ECDSA_SHA384 ||
	    get_be(head.p + 160, 4) != signature_bytes(s.common.alg) || s.n > UINT32_MAX)
		return bad;
	s.slot_bytes = SLOT_FIXED + signature_bytes(s.common.alg);
	if (!slice_take(&file, blocks_of(s.n) * 4, &s.crcs) || file.n != s.n * s.slot_bytes)
		return bad;
	s.slots = file;
	*out = s;
	return ok;
}

static err
check_block(const struct slots *s, uint64_t i)
{
	uint64_t block = i / BLOCK_SLOTS, first = block * BLOCK_SLOTS;
	uint64_t n = s->n - first < BLOCK_SLOTS ? s->n - first : BLOCK_SLOTS;
	slice bytes = {s->slots.p + first * s->slot_bytes, (size_t)n * s->slot_bytes};

	if (get_be(s->crcs.p + block * 4, 4) != crc32c(bytes))
		return fail(ERR_CORRUPT, "slot-block: house: a block of a status file is damaged");
	return ok;
}

static serial
serial_at(const struct slots *s, uint64_t i)
{
	const uint8_t *p = s->slots.p + i * s->slot_bytes;
	serial v = {.n = p[0] > SERIAL_MAX ? SERIAL_MAX : p[0]};

	memcpy(v.b, p + 1, v.n);
	return v;
}

err
slots_at(const struct slots *s, uint64_t i, struct slot *out)
{
	const uint8_t *p;
	struct slot v = {0};

	assert(i < s->n);
	TRY(check_block(s, i));
	p = s->slots.p + i * s->slot_bytes;
	v.serial = serial_at(s, i);
	v.state = (enum slot_state)p[21];
	v.reason = (enum crl_reason)p[22];
	v.revoked.ms = (int64_t)get_be(p + 24, 8);
	v.produced.ms = (int64_t)get_be(p + 32, 8);
	v.this_update.ms = (int64_t)get_be(p + 40, 8);
	v.next_update.ms = v.this_update.ms + (int64_t)get_be(p + 48, 6);
	if (p[21] > SLOT_WITHDRAWN || get_be(p + 54, 2) > s->slot_bytes - SLOT_FIXED)
		return fail(ERR_CORRUPT, "slot-block: house: a block of a status file is damaged");
	v.signature_n = (uint16_t)get_be(p + 54, 2);
	memcpy(v.signature, p + SLOT_FIXED, v.signature_n);
	*out = v;
	return ok;
}

err
slots_find(const struct slots *s, serial want, struct slot *out)
{
	uint64_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		int c = serial_cmp(serial_at(s, mid), want);

		if (c == 0)
			return slots_at(s, mid, out);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return fail(ERR_ABSENT, "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
}

static void
put_data(struct buf *b, const struct slots_common *c, const struct slot *s)
{
	ocsp_put_data(b, &(struct ocsp_plan){.issuer = c->issuer,
	                     .serial = s->serial,
	                     .status = s->state == SLOT_REVOKED ? OCSP_REVOKED : OCSP_GOOD,
	                     .revoked = s->revoked,
	                     .reason = s->reason,
	                     .produced = s->produced,
	                     .this_update = s->this_update,
	                     .next_update = s->next_update,
	                     .responder_key_id = ARR(c->responder_key_id)});
}

err
slot_put_answer(struct buf *b, const struct slots_common *c, const struct slot *s)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

	if (s->state == SLOT_WITHDRAWN)
		return fail(ERR_BUSY, "slot-withdrawn: Rule 6(x): a new answer for this certificate is being signed");
	put_data(&data, c, s);
	ocsp_join(b, buf_slice(&data), c->alg, (slice){s->signature, s->signature_n}, c->responder_cert);
	return buf_check(b);
}

err
slots_common_get(slice answer, const struct cert *issuer, struct slots_common *out)
{
	struct slots_common c = {0};
	struct ocsp_answer a;
	struct cert responder;
	struct key *k OWNED(key_drop) = NULL;

	TRY(ocsp_answer_get(answer, &a));
	if (a.error != 0)
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	TRY(cert_get(a.responder_cert, &responder));
	TRY(key_get_spki(responder.spki, &k));
	ocsp_issuer_of(issuer, &c.issuer);
	c.alg = a.alg;
	key_identifier(k, c.responder_key_id);
	c.responder_cert = a.responder_cert;
	*out = c;
	return ok;
}

err
slot_get_answer(slice answer, const struct slots_common *c, struct slot *out)
{
	struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer a;
	struct slot s = {0};

	TRY(ocsp_answer_get(answer, &a));
	if (a.error != 0 || a.status == OCSP_UNKNOWN || a.signature.n > signature_bytes(c->alg) || a.alg != c->alg ||
	    a.next_update.ms < a.this_update.ms)
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	s.serial = a.serial;
	s.state = a.status == OCSP_REVOKED ? SLOT_REVOKED : SLOT_GOOD;
	s.reason = a.reason;
	s.revoked = a.revoked;
	s.produced = a.produced;
	s.this_update = a.this_update;
	s.next_update = a.next_update;
	s.signature_n = (uint16_t)a.signature.n;
	memcpy(s.signature, a.signature.p, a.signature.n);
	TRY(slot_put_answer(&again, c, &s));
	if (!slice_eq(buf_slice(&again), answer))
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	*out = s;
	return ok;
}

size_t
slots_file_bytes(const struct slots_common *c, uint64_t n)
{
	return FIXED_BYTES + c->responder_cert.n + 4 + blocks_of(n) * 4 +
	       (size_t)n * (SLOT_FIXED + signature_bytes(c->alg));
}

void
slots_write_start(struct slots_writer *w, struct buf *b, const struct slots_common *c, instant made, uint64_t n)
{
	uint8_t h[FIXED_BYTES] = {0}, crc[4];

	assert(b->n == 0);
	memcpy(h, MAGIC.p, 16);
	put_be(h + 16, 8, (uint64_t)made.ms);
	put_be(h + 24, 8, n);
	memcpy(h + 32, c->issuer.name1, 20);
	memcpy(h + 52, c->issuer.key1, 20);
	memcpy(h + 72, c->issuer.name256, 32);
	memcpy(h + 104, c->issuer.key256, 32);
	memcpy(h + 136, c->responder_key_id, 20);
	put_be(h + 156, 4, c->alg);
	put_be(h + 160, 4, signature_bytes(c->alg));
	put_be(h + 164, 4, c->responder_cert.n);
	buf_put(b, ARR(h));
	buf_put(b, c->responder_cert);
	put_be(crc, 4, crc32c(buf_slice(b)));
	buf_put(b, ARR(crc));
	*w = (struct slots_writer){.b = b, .of = n, .slot_bytes = SLOT_FIXED + signature_bytes(c->alg)};
	w->crcs_at = b->n;
	if (n > 0 && buf_space(b, blocks_of(n) * 4) != NULL)
		memset(b->p + w->crcs_at, 0, blocks_of(n) * 4);
	w->slots_at = b->n;
}

void
slots_write(struct slots_writer *w, const struct slot *s)
{
	uint8_t *p = buf_space(w->b, w->slot_bytes);

	assert(w->n < w->of);
	w->n++;
	if (p == NULL)
		return;
	memset(p, 0, w->slot_bytes);
	p[0] = s->serial.n;
	memcpy(p + 1, s->serial.b, s->serial.n);
	p[21] = (uint8_t)s->state;
	p[22] = (uint8_t)s->reason;
	put_be(p + 24, 8, (uint64_t)s->revoked.ms);
	put_be(p + 32, 8, (uint64_t)s->produced.ms);
	put_be(p + 40, 8, (uint64_t)s->this_update.ms);
	put_be(p + 48, 6, (uint64_t)(s->next_update.ms - s->this_update.ms));
	put_be(p + 54, 2, s->signature_n);
	memcpy(p + SLOT_FIXED, s->signature, s->signature_n);
}

void
slots_write_end(struct slots_writer *w)
{
	assert(w->n == w->of);
	if (w->b->over)
		return;
	for (uint64_t block = 0; block < blocks_of(w->n); block++) {
		uint64_t first = block * BLOCK_SLOTS, n = w->n - first < BLOCK_SLOTS ? w->n - first : BLOCK_SLOTS;
		slice bytes = {w->b->p + w->slots_at + first * w->slot_bytes, (size_t)n * w->slot_bytes};

		put_be(w->b->p + w->crcs_at + block * 4, 4, crc32c(bytes));
	}
}
