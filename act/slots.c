/*
 * A status file, all numbers big-endian; a serial is its number in 20 bytes:
 *
 *	header, h bytes
 *		0    16  "INKAN-STATUS 2\n" and a zero byte
 *		16    8  when it was made, ms since 1970
 *		24   20  SHA-1 of the issuer's name      44   20  SHA-1 of its key
 *		64   32  SHA-256 of the issuer's name    96   32  SHA-256 of its key
 *		128   4  h, a multiple of 4096
 *		132   4  s, the most bytes a signature of these responders has
 *		136   4  k, how many responders: 1 to 4
 *		140      k times: 20 the responder's key identifier, 4 signature algorithm (enum sig_alg),
 *		         4 bytes of its certificate, the certificate
 *		then zeros, and in the last 4 bytes the CRC-32C of all bytes above
 *	n slots of 56 + s bytes, in rising order of serial
 *		0   20  the serial
 *		20   1  state (0 good, 1 revoked, 2 withdrawn)   21  1  reason
 *		22   1  which responder, from 0                  23  1  zero
 *		24   8  revoked     32  8  produced     40  8  thisUpdate     48  6  nextUpdate - thisUpdate, ms
 *		54   2  bytes of the signature    56  s  the signature, then zeros
 *	index: ceil(n / 16) entries of 24 bytes, one for each block of 16 slots (the last block has what is left)
 *		0   20  the serial of the block's first slot     20  4  CRC-32C of the block's slots
 *	end, 32 bytes
 *		0    8  n
 *		8    4  CRC-32C of the index      12   4  the header's CRC-32C
 *		16  12  "INKAN-END 2\n"           28   4  CRC-32C of the 28 bytes above
 *
 * With a P-256 responder a slot has 128 bytes, and a block, half a page, never crosses one.
 */
#include "act/slots.h"
#include "base/der.h"

#define MAGIC LIT("INKAN-STATUS 2\n\0")
#define END_MAGIC LIT("INKAN-END 2\n")
#define FIXED_BYTES 140
#define RESPONDER_FIXED 28
#define HEADER_STEP 4096
#define SLOT_FIXED 56
#define ENTRY_BYTES 24
#define END_BYTES 32

#define YEAR_10000_MS 253402300800000 /* times of a slot are before it: GeneralizedTime has four digits */

/* --- CRC-32C (Castagnoli), reflected -------------------------------------------- */
#if defined(__x86_64__)
/* 2 KB in 0.3 us instead of 6: an index of ten million slots, 15 MB, is checked in 2 ms instead of 45. */
__attribute__((target("sse4.2"))) static uint32_t
crc_machine(uint32_t c, slice s)
{
	uint64_t v = c, word;

	for (; s.n >= 8; s = (slice){s.p + 8, s.n - 8}) {
		memcpy(&word, s.p, 8);
		v = __builtin_ia32_crc32di(v, word);
	}
	c = (uint32_t)v;
	for (size_t i = 0; i < s.n; i++)
		c = __builtin_ia32_crc32qi(c, s.p[i]);
	return c;
}
#endif

/* Four bits at a time: 16 words of table are nothing to the cache. */
static uint32_t
crc_table(uint32_t c, slice s)
{
	static const uint32_t t[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362,
	    0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

	for (size_t i = 0; i < s.n; i++) {
		c ^= s.p[i];
		c = c >> 4 ^ t[c & 15];
		c = c >> 4 ^ t[c & 15];
	}
	return c;
}

#define CRC_START 0xFFFFFFFFU

static uint32_t
crc_add(uint32_t c, slice s)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc_machine(c, s);
#endif
	return crc_table(c, s);
}

static uint32_t
crc32c(slice s)
{
	return ~crc_add(CRC_START, s);
}

/* --- serials --------------------------------------------------------------------- */
static void
put_serial(uint8_t p[SERIAL_MAX], serial s)
{
	assert(s.n > 0 && s.n <= SERIAL_MAX);
	memset(p, 0, SERIAL_MAX);
	memcpy(p + SERIAL_MAX - s.n, s.b, s.n);
}

static serial
get_serial(const uint8_t p[SERIAL_MAX])
{
	serial s = {.n = SERIAL_MAX};

	while (s.n > 0 && p[SERIAL_MAX - s.n] == 0)
		s.n--;
	memcpy(s.b, p + SERIAL_MAX - s.n, s.n);
	return s;
}

/* An RSA signature is as long as the modulus: the certificate's own length bounds it; ECDSA on P-384 has 104. */
size_t
slots_signature_max(enum sig_alg alg)
{
	return alg == SIG_ECDSA_SHA256 ? 72 : alg == SIG_ECDSA_SHA384 ? 104 : 512;
}

static size_t
signature_room(const struct slots_common *c)
{
	size_t most = 0;

	for (size_t i = 0; i < c->n_responders; i++)
		if (slots_signature_max(c->responder[i].alg) > most)
			most = slots_signature_max(c->responder[i].alg);
	return most;
}

static uint64_t
blocks_of(uint64_t n)
{
	return (n + SLOTS_BLOCK - 1) / SLOTS_BLOCK;
}

/* --- moulds ------------------------------------------------------------------------ */
/*
 * An answer once made, and where in it stand what another slot of the same shape has otherwise: a shape is all that the
 * lengths of DER depend on.  A file's answers have few shapes: good and revoked, signatures of 70 to 72 bytes.
 */
#define MOULDS 64
#define MOULD_TIMES 7 /* produced; then revoked (where it is), thisUpdate, nextUpdate, for two CertIDs */

struct mould {
	uint32_t shape; /* 0: empty */
	struct buf answer;
	size_t serial[2], signature, time[MOULD_TIMES], n_times;
};

/* --- reading ---------------------------------------------------------------------- */
static bool
responders_get(slice in, uint64_t n, struct slots_common *c)
{
	slice fixed, cert;

	if (n == 0 || n > SLOTS_RESPONDERS_MAX)
		return false;
	for (; c->n_responders < n; c->n_responders++) {
		struct slots_responder *r = &c->responder[c->n_responders];
		uint64_t cert_n;

		if (!slice_take(&in, RESPONDER_FIXED, &fixed))
			return false;
		cert_n = be_get(fixed.p + 24, 4);
		if (cert_n > CERT_MAX || !slice_take(&in, (size_t)cert_n, &cert))
			return false;
		memcpy(r->key_id, fixed.p, SHA1_LEN);
		r->alg = (enum sig_alg)be_get(fixed.p + 20, 4);
		r->cert = cert;
		if (r->alg < SIG_RSA_SHA256 || r->alg > SIG_ECDSA_SHA384)
			return false;
	}
	return true;
}

/* Takes the header off *file. */
static bool
header_get(slice *file, struct slots *s, uint32_t *crc)
{
	slice in = *file, head, rest;
	uint64_t h;

	if (in.n < HEADER_STEP || !slice_eq((slice){in.p, 16}, MAGIC))
		return false;
	h = be_get(in.p + 128, 4);
	if (h == 0 || h % HEADER_STEP != 0 || !slice_take(&in, (size_t)h, &head))
		return false;
	*crc = crc32c((slice){head.p, head.n - 4});
	if (be_get(head.p + head.n - 4, 4) != *crc)
		return false;
	s->made.ms = (int64_t)be_get(head.p + 16, 8);
	memcpy(s->common.issuer.name1, head.p + 24, 20);
	memcpy(s->common.issuer.key1, head.p + 44, 20);
	memcpy(s->common.issuer.name256, head.p + 64, 32);
	memcpy(s->common.issuer.key256, head.p + 96, 32);
	rest = (slice){head.p + FIXED_BYTES, head.n - FIXED_BYTES - 4};
	if (!responders_get(rest, be_get(head.p + 136, 4), &s->common) ||
	    be_get(head.p + 132, 4) != signature_room(&s->common))
		return false;
	s->slot_bytes = SLOT_FIXED + signature_room(&s->common);
	*file = in;
	return true;
}

/* The index names blocks in rising order: then a look-up ends, and finds what is there. */
static bool
index_rises(slice index)
{
	for (size_t at = ENTRY_BYTES; at < index.n; at += ENTRY_BYTES)
		if (memcmp(index.p + at - ENTRY_BYTES, index.p + at, SERIAL_MAX) >= 0)
			return false;
	return true;
}

err
slots_get(slice file, struct slots *out)
{
	const err bad = fail(ERR_CORRUPT, "slots-header: house: a status file is not whole");
	struct slots s = {0};
	const uint8_t *end;
	uint32_t header_crc;
	size_t index_n;

	if (!header_get(&file, &s, &header_crc) || file.n < END_BYTES)
		return bad;
	file.n -= END_BYTES;
	end = file.p + file.n;
	s.n = be_get(end, 8);
	if (!slice_eq((slice){end + 16, 12}, END_MAGIC) || be_get(end + 28, 4) != crc32c((slice){end, 28}) ||
	    be_get(end + 12, 4) != header_crc || s.n > UINT32_MAX)
		return bad;
	index_n = (size_t)blocks_of(s.n) * ENTRY_BYTES;
	if (file.n != (size_t)s.n * s.slot_bytes + index_n)
		return bad;
	s.slots = (slice){file.p, file.n - index_n};
	s.index = (slice){file.p + s.slots.n, index_n};
	if (be_get(end + 8, 4) != crc32c(s.index) || !index_rises(s.index))
		return bad;
	s.seen = mem_new((size_t)blocks_of(s.n) + 1, 1);
	s.damaged = mem_new(1, sizeof *s.damaged);
	s.mould = mem_new(MOULDS, sizeof *s.mould);
	*out = s;
	return ok;
}

void
slots_drop(struct slots *s)
{
	for (size_t i = 0; s->mould != NULL && i < MOULDS; i++)
		buf_drop(&s->mould[i].answer);
	free(s->seen);
	free(s->damaged);
	free(s->mould);
	*s = (struct slots){0};
}

uint64_t
slots_damaged(const struct slots *s)
{
	return s->damaged == NULL ? 0 : *s->damaged;
}

static const uint8_t *
entry(const struct slots *s, uint64_t block)
{
	return s->index.p + block * ENTRY_BYTES;
}

static const uint8_t *
slot_bytes(const struct slots *s, uint64_t i)
{
	return s->slots.p + i * s->slot_bytes;
}

/* A slot as slots_write writes it. */
static bool
slot_is_sound(const struct slots *s, const uint8_t *p)
{
	return p[20] <= SLOT_WITHDRAWN && p[21] <= REASON_AA_COMPROMISE && p[22] < s->common.n_responders && p[23] == 0 &&
	       be_get(p + 24, 8) < YEAR_10000_MS && be_get(p + 32, 8) < YEAR_10000_MS &&
	       be_get(p + 40, 8) < YEAR_10000_MS && be_get(p + 40, 8) + be_get(p + 48, 6) < YEAR_10000_MS &&
	       be_get(p + 54, 2) <= s->slot_bytes - SLOT_FIXED;
}

static bool
block_is_sound(const struct slots *s, uint64_t block)
{
	static const uint8_t zero[SERIAL_MAX];
	uint64_t first = block * SLOTS_BLOCK, n = s->n - first < SLOTS_BLOCK ? s->n - first : SLOTS_BLOCK;
	const uint8_t *e = entry(s, block), *next = first + n < s->n ? entry(s, block + 1) : NULL;
	const uint8_t *p = slot_bytes(s, first);

	if (be_get(e + SERIAL_MAX, 4) != crc32c((slice){p, (size_t)n * s->slot_bytes}) || memcmp(p, e, SERIAL_MAX) != 0 ||
	    memcmp(p, zero, SERIAL_MAX) == 0)
		return false;
	for (uint64_t i = 0; i < n; i++, p += s->slot_bytes) {
		const uint8_t *above = i + 1 < n ? p + s->slot_bytes : next;

		if (!slot_is_sound(s, p) || (above != NULL && memcmp(p, above, SERIAL_MAX) >= 0))
			return false;
	}
	return true;
}

static err
block_damaged(void)
{
	return fail(ERR_CORRUPT, "slot-block: house: a block of a status file is damaged");
}

/* The word on a block stands as long as the file is open: 0 not touched yet, 1 sound, 2 damaged. */
static err
check_block(const struct slots *s, uint64_t block)
{
	if (s->seen[block] == 0) {
		s->seen[block] = block_is_sound(s, block) ? 1 : 2;
		*s->damaged += s->seen[block] == 2;
	}
	return s->seen[block] == 1 ? ok : block_damaged();
}

/* Its writer may write it still, though ours never does: what is read is judged as it was copied, lengths above all. */
static err
slot_get(const struct slots *s, uint64_t i, struct slot *out)
{
	uint8_t p[SLOT_FIXED + SLOT_SIGNATURE_MAX];

	memcpy(p, slot_bytes(s, i), s->slot_bytes);
	if (!slot_is_sound(s, p)) {
		s->seen[i / SLOTS_BLOCK] = 2;
		++*s->damaged;
		return block_damaged();
	}
	out->serial = get_serial(p);
	out->state = (enum slot_state)p[20];
	out->reason = (enum crl_reason)p[21];
	out->responder = p[22];
	out->revoked.ms = (int64_t)be_get(p + 24, 8);
	out->produced.ms = (int64_t)be_get(p + 32, 8);
	out->this_update.ms = (int64_t)be_get(p + 40, 8);
	out->next_update.ms = out->this_update.ms + (int64_t)be_get(p + 48, 6);
	out->signature_n = (uint16_t)be_get(p + 54, 2);
	memcpy(out->signature, p + SLOT_FIXED, out->signature_n);
	return ok;
}

err
slots_at(const struct slots *s, uint64_t i, struct slot *out)
{
	assert(i < s->n);
	TRY(check_block(s, i / SLOTS_BLOCK));
	return slot_get(s, i, out);
}

/* The last of n rows of `step` bytes at p that is not above `want`; SIZE_MAX where all are. */
static uint64_t
last_not_above(const uint8_t *p, uint64_t n, size_t step, const uint8_t want[SERIAL_MAX])
{
	uint64_t lo = 0, hi = n;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (memcmp(p + mid * step, want, SERIAL_MAX) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? SIZE_MAX : lo - 1;
}

/* Eight bytes of a row's serial, as a number. */
static uint64_t
number_at(const struct slots *s, uint64_t block, size_t from)
{
	return be_get(entry(s, block) + from, 8);
}

/*
 * last_not_above over the whole index.  Serials are drawn at random, so where one stands can be reckoned: a guess, a
 * bracket of growing width around it, a second guess in that; what is left is halved.  Four lines of memory are touched
 * where halving alone touches ten.  Other serials cost more steps and are found all the same.
 */
static uint64_t
block_of(const struct slots *s, const uint8_t want[SERIAL_MAX])
{
	uint64_t n = blocks_of(s->n), lo = 0, hi = n, at; /* entries below lo are not above, from hi on they are */
	size_t from = 0;

	if (n == 0)
		return SIZE_MAX;
	while (from < SERIAL_MAX - 8 && entry(s, n - 1)[from] == 0)
		from++;
	for (int guess = 0; guess < 2 && hi - lo > 16; guess++) {
		uint64_t a = number_at(s, lo, from), b = number_at(s, hi - 1, from), v = be_get(want + from, 8);
		uint64_t step = guess == 0 ? 256 : 8;

		if (v <= a || v >= b || memcmp(want, entry(s, n - 1), from) != 0)
			break;
		at = lo + (uint64_t)((double)(v - a) / (double)(b - a) * (double)(hi - 1 - lo));
		at = at >= hi ? hi - 1 : at;
		if (memcmp(entry(s, at), want, SERIAL_MAX) <= 0)
			for (lo = at + 1; lo + step < hi; step *= 2, lo = at + 1) {
				at = lo + step;
				if (memcmp(entry(s, at), want, SERIAL_MAX) > 0) {
					hi = at;
					break;
				}
			}
		else
			for (hi = at; hi > lo + step; step *= 2, hi = at) {
				at = hi - step;
				if (memcmp(entry(s, at), want, SERIAL_MAX) <= 0) {
					lo = at + 1;
					break;
				}
			}
	}
	at = last_not_above(entry(s, lo), hi - lo, ENTRY_BYTES, want);
	return at == SIZE_MAX ? (lo == 0 ? SIZE_MAX : lo - 1) : lo + at;
}

err
slots_find(const struct slots *s, serial want, struct slot *out)
{
	uint8_t key[SERIAL_MAX];
	uint64_t block, first, n, i;

	put_serial(key, want);
	block = block_of(s, key);
	if (block != SIZE_MAX) {
		TRY(check_block(s, block));
		first = block * SLOTS_BLOCK;
		n = s->n - first < SLOTS_BLOCK ? s->n - first : SLOTS_BLOCK;
		i = last_not_above(slot_bytes(s, first), n, s->slot_bytes, key);
		if (i != SIZE_MAX && memcmp(slot_bytes(s, first + i), key, SERIAL_MAX) == 0)
			return slot_get(s, first + i, out);
	}
	return fail(ERR_ABSENT, "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
}

/* --- answers ---------------------------------------------------------------------- */
err
slot_put_answer(struct buf *b, const struct slots_common *c, const struct slot *s)
{
	const struct slots_responder *r = &c->responder[s->responder];

	assert(s->responder < c->n_responders);
	if (s->state == SLOT_WITHDRAWN)
		return fail(ERR_BUSY, "slot-withdrawn: Rule 6(x): a new answer for this certificate is being signed");
	ocsp_put_answer(b,
	    &(struct ocsp_plan){.issuer = c->issuer,
	        .serial = s->serial,
	        .status = s->state == SLOT_REVOKED ? OCSP_REVOKED : OCSP_GOOD,
	        .revoked = s->revoked,
	        .reason = s->reason,
	        .produced = s->produced,
	        .this_update = s->this_update,
	        .next_update = s->next_update,
	        .responder_key_id = ARR(r->key_id)},
	    r->alg, (slice){s->signature, s->signature_n}, r->cert);
	return buf_check(b);
}

/* Never 0. */
static uint32_t
shape_of(const struct slot *s)
{
	bool long_serial = s->serial.b[0] >= 0x80; /* DER puts a zero before it */

	return 1U << 31 | (uint32_t)s->signature_n << 20 | (uint32_t)s->serial.n << 12 | (uint32_t)long_serial << 11 |
	       (uint32_t)s->responder << 8 | (uint32_t)s->reason << 2 | (uint32_t)s->state;
}

/* Where content stands: `in` is part of the mould's answer. */
static size_t
place_of(const struct mould *m, slice in)
{
	return (size_t)(in.p - m->answer.p);
}

static err
mould_single(struct mould *m, slice *list, size_t which, const struct slot *s)
{
	slice one, id, status, part;

	TRY(der_get(list, DER_SEQUENCE, &one));
	TRY(der_get(&one, DER_SEQUENCE, &id));
	TRY(der_get(&id, DER_SEQUENCE, &part));
	TRY(der_get(&id, DER_OCTETS, &part));
	TRY(der_get(&id, DER_OCTETS, &part));
	TRY(der_get_integer(&id, &part));
	m->serial[which] = place_of(m, part);
	TRY(der_get(&one, s->state == SLOT_REVOKED ? DER_CTXC(1) : DER_CTX(0), &status));
	if (s->state == SLOT_REVOKED) {
		TRY(der_get(&status, DER_GENTIME, &part));
		m->time[m->n_times++] = place_of(m, part);
	}
	TRY(der_get(&one, DER_GENTIME, &part));
	m->time[m->n_times++] = place_of(m, part);
	TRY(der_get(&one, DER_CTXC(0), &status));
	TRY(der_get(&status, DER_GENTIME, &part));
	m->time[m->n_times++] = place_of(m, part);
	return ok;
}

/* Finds the places in an answer of our own make: pki/ocsp.c says how it is built. */
static err
mould_places(struct mould *m, const struct slot *s)
{
	slice in = buf_slice(&m->answer), data, list, part;

	m->n_times = 0;
	TRY(der_get(&in, DER_SEQUENCE, &in));
	TRY(der_get(&in, DER_ENUMERATED, &part));
	TRY(der_get(&in, DER_CTXC(0), &in));
	TRY(der_get(&in, DER_SEQUENCE, &in));
	TRY(der_get(&in, DER_OID, &part));
	TRY(der_get(&in, DER_OCTETS, &in));
	TRY(der_get(&in, DER_SEQUENCE, &in));
	TRY(der_get(&in, DER_SEQUENCE, &data));
	TRY(der_get(&data, DER_CTXC(2), &part));
	TRY(der_get(&data, DER_GENTIME, &part));
	m->time[m->n_times++] = place_of(m, part);
	TRY(der_get(&data, DER_SEQUENCE, &list));
	TRY(mould_single(m, &list, 0, s));
	TRY(mould_single(m, &list, 1, s));
	TRY(der_get(&in, DER_SEQUENCE, &part));
	TRY(der_get_bits(&in, &part));
	m->signature = place_of(m, part);
	return ok;
}

static void
put_time(uint8_t p[14], instant t)
{
	struct civil c = civil_utc(t);
	const int v[] = {c.year / 100, c.year % 100, c.month, c.day, c.hour, c.minute, c.second};

	for (size_t i = 0; i < COUNT(v); i++) {
		p[2 * i] = (uint8_t)('0' + v[i] / 10);
		p[2 * i + 1] = (uint8_t)('0' + v[i] % 10);
	}
}

static void
mould_fill(const struct mould *m, uint8_t *p, const struct slot *s)
{
	uint8_t text[4][14]; /* produced, revoked, thisUpdate, nextUpdate */
	size_t at = 0;

	put_time(text[0], s->produced);
	put_time(text[2], s->this_update);
	put_time(text[3], s->next_update);
	memcpy(p + m->time[at++], text[0], 14);
	if (s->state == SLOT_REVOKED)
		put_time(text[1], s->revoked);
	for (size_t i = 0; i < 2; i++) {
		memcpy(p + m->serial[i], s->serial.b, s->serial.n);
		for (size_t k = s->state == SLOT_REVOKED ? 1 : 2; k < 4; k++)
			memcpy(p + m->time[at++], text[k], 14);
	}
	memcpy(p + m->signature, s->signature, s->signature_n);
}

err
slots_put_answer(struct buf *b, const struct slots *s, const struct slot *slot)
{
	uint32_t shape = shape_of(slot);
	struct mould *m = &s->mould[(shape ^ shape >> 8 ^ shape >> 20) % MOULDS];
	uint8_t *p;

	if (slot->state == SLOT_WITHDRAWN)
		return slot_put_answer(b, &s->common, slot);
	if (m->shape != shape) {
		m->shape = 0;
		m->answer.max = OCSP_ANSWER_MAX;
		buf_clear(&m->answer);
		TRY(slot_put_answer(&m->answer, &s->common, slot));
		TRY(mould_places(m, slot));
		m->shape = shape;
	}
	p = buf_space(b, m->answer.n);
	if (p == NULL)
		return buf_check(b);
	memcpy(p, m->answer.p, m->answer.n);
	mould_fill(m, p, slot);
	return ok;
}

/* --- writing ---------------------------------------------------------------------- */
static size_t
header_bytes(const struct slots_common *c)
{
	size_t n = FIXED_BYTES + 4;

	for (size_t i = 0; i < c->n_responders; i++)
		n += RESPONDER_FIXED + c->responder[i].cert.n;
	return (n + HEADER_STEP - 1) / HEADER_STEP * HEADER_STEP;
}

uint64_t
slots_file_bytes(const struct slots_common *c, uint64_t n)
{
	return header_bytes(c) + n * (SLOT_FIXED + signature_room(c)) + blocks_of(n) * ENTRY_BYTES + END_BYTES;
}

void
slots_write_start(struct slots_writer *w, const struct slots_common *c, instant made)
{
	size_t h = header_bytes(c), at = FIXED_BYTES;
	uint8_t *p;

	assert(c->n_responders > 0 && c->n_responders <= SLOTS_RESPONDERS_MAX);
	*w = (struct slots_writer){.out = BUF(SIZE_MAX),
	    .index = BUF(SIZE_MAX),
	    .slot_bytes = SLOT_FIXED + signature_room(c),
	    .crc = CRC_START,
	    .n_responders = c->n_responders};
	p = buf_space(&w->out, h);
	memset(p, 0, h);
	memcpy(p, MAGIC.p, 16);
	be_put(p + 16, 8, (uint64_t)made.ms);
	memcpy(p + 24, c->issuer.name1, 20);
	memcpy(p + 44, c->issuer.key1, 20);
	memcpy(p + 64, c->issuer.name256, 32);
	memcpy(p + 96, c->issuer.key256, 32);
	be_put(p + 128, 4, h);
	be_put(p + 132, 4, signature_room(c));
	be_put(p + 136, 4, c->n_responders);
	for (size_t i = 0; i < c->n_responders; i++) {
		const struct slots_responder *r = &c->responder[i];

		memcpy(p + at, r->key_id, SHA1_LEN);
		be_put(p + at + 20, 4, r->alg);
		be_put(p + at + 24, 4, r->cert.n);
		memcpy(p + at + RESPONDER_FIXED, r->cert.p, r->cert.n);
		at += RESPONDER_FIXED + r->cert.n;
	}
	w->header_crc = crc32c((slice){p, h - 4});
	be_put(p + h - 4, 4, w->header_crc);
}

static void
forget_given(struct slots_writer *w)
{
	if (w->given != NULL)
		buf_clear(w->given);
	w->given = NULL;
}

static void
end_block(struct slots_writer *w)
{
	be_put(buf_space(&w->index, 4), 4, ~w->crc);
	w->crc = CRC_START;
}

void
slots_write(struct slots_writer *w, const struct slot *s)
{
	uint8_t *p;

	forget_given(w);
	p = buf_space(&w->out, w->slot_bytes);
	assert(!w->ended && s->responder < w->n_responders && s->signature_n <= w->slot_bytes - SLOT_FIXED);
	memset(p, 0, w->slot_bytes);
	put_serial(p, s->serial);
	assert(memcmp(w->last, p, SERIAL_MAX) < 0);
	memcpy(w->last, p, SERIAL_MAX);
	p[20] = (uint8_t)s->state;
	p[21] = (uint8_t)s->reason;
	p[22] = s->responder;
	be_put(p + 24, 8, (uint64_t)s->revoked.ms);
	be_put(p + 32, 8, (uint64_t)s->produced.ms);
	be_put(p + 40, 8, (uint64_t)s->this_update.ms);
	be_put(p + 48, 6, (uint64_t)(s->next_update.ms - s->this_update.ms));
	be_put(p + 54, 2, s->signature_n);
	memcpy(p + SLOT_FIXED, s->signature, s->signature_n);
	if (w->n % SLOTS_BLOCK == 0)
		buf_put(&w->index, ARR(w->last));
	w->crc = crc_add(w->crc, (slice){p, w->slot_bytes});
	if (++w->n % SLOTS_BLOCK == 0)
		end_block(w);
}

void
slots_write_end(struct slots_writer *w)
{
	uint8_t *p;
	uint32_t crc;

	forget_given(w);
	assert(!w->ended);
	if (w->n % SLOTS_BLOCK != 0)
		end_block(w);
	w->ended = true;
	crc = crc32c(buf_slice(&w->index));
	p = buf_space(&w->index, END_BYTES);
	be_put(p, 8, w->n);
	be_put(p + 8, 4, crc);
	be_put(p + 12, 4, w->header_crc);
	memcpy(p + 16, END_MAGIC.p, 12);
	be_put(p + 28, 4, crc32c((slice){p, 28}));
}

bool
slots_write_out(struct slots_writer *w, slice *piece)
{
	forget_given(w);
	if (w->out.n >= SLOTS_OUT_BYTES || (w->ended && w->out.n > 0))
		w->given = &w->out;
	else if (w->ended && w->index.n > 0)
		w->given = &w->index;
	else
		return false;
	*piece = buf_slice(w->given);
	return true;
}

void
slots_writer_drop(struct slots_writer *w)
{
	buf_drop(&w->out);
	buf_drop(&w->index);
	*w = (struct slots_writer){0};
}
