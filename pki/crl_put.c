/* Writing CRLs: whole ones at once, and great ones in parts whose lengths are known before the first byte. */
#include "base/der.h"
#include "pki/crl.h"
#include "pki/extension.h"

#define UTCTIME_END_MS INT64_C(2524608000000) /* 2050-01-01: RFC 5280 5.1.2.4 */

/*
 * Ranges of equal size of what a house draws: 16 bytes, the first 40 to 7F, random.  By their first 30 bits after that; others
 * go to the ends, so that a part is always a stretch of the serials in their order, and its list is made from that stretch.
 */
#define PART_LOW UINT32_C(0x40000000)
#define PART_BITS 30

unsigned
crl_partition_of(serial s, unsigned n)
{
	uint32_t v = 0;

	assert(n > 0 && n <= CRL_PARTITIONS_MAX);
	if (s.n != 16)
		return s.n < 16 ? 1 : n;
	for (size_t i = 0; i < 4; i++)
		v = v << 8 | s.b[i];
	if (v < PART_LOW || v >= 2 * PART_LOW)
		return v < PART_LOW ? 1 : n;
	return (unsigned)((uint64_t)(v - PART_LOW) * n >> PART_BITS) + 1;
}

serial
crl_partition_before(unsigned partition, unsigned n)
{
	serial s = {.n = 16};
	uint32_t v;

	assert(partition >= 1 && partition <= n && n <= CRL_PARTITIONS_MAX);
	if (partition == 1)
		return (serial){0};
	/* the least that is of this part, less one */
	v = PART_LOW + (uint32_t)((((uint64_t)(partition - 1) << PART_BITS) + n - 1) / n) - 1;
	for (size_t i = 0; i < 4; i++)
		s.b[i] = (uint8_t)(v >> (24 - 8 * i));
	memset(s.b + 4, 0xFF, 12);
	return s;
}

/* --- entries ----------------------------------------------------------------- */

void
crl_put_entry(struct buf *b, const struct crl_entry *e)
{
	size_t seq = der_open(b, DER_SEQUENCE), exts;
	struct extension_mark m;

	serial_put(b, e->serial);
	der_put_time(b, e->revoked);
	if (e->reason != REASON_UNSPECIFIED || e->has_invalidity) {
		exts = der_open(b, DER_SEQUENCE);
		if (e->reason != REASON_UNSPECIFIED) {
			m = extension_open_ce(b, CE_REASON, false);
			der_put_enum(b, e->reason);
			extension_close(b, m);
		}
		if (e->has_invalidity) {
			m = extension_open_ce(b, CE_INVALIDITY, false);
			der_put_gentime(b, e->invalidity);
			extension_close(b, m);
		}
		der_close(b, exts);
	}
	der_close(b, seq);
}

/*
 * An extension of an entry: SEQUENCE { OID 5 bytes, OCTET STRING { ENUMERATED 3 bytes or GeneralizedTime 17 } }; all of it is
 * shorter than 128 bytes, so that every head has two.
 */
size_t
crl_entry_bytes(const struct crl_entry *e)
{
	bool sign = e->serial.b[0] >= 0x80;
	size_t n = 2U + e->serial.n + (sign ? 1U : 0U) + (e->revoked.ms < UTCTIME_END_MS ? 15U : 17U), exts = 0;

	assert(e->serial.n > 0 && e->serial.b[0] != 0);

	if (e->reason != REASON_UNSPECIFIED)
		exts += 2 + 5 + 2 + 3;
	if (e->has_invalidity)
		exts += 2 + 5 + 2 + 17;
	return 2 + n + (exts > 0 ? 2 + exts : 0);
}

/* --- around them ---------------------------------------------------------------- */

/* DistributionPointName: [0] { fullName [0] { URI [6] } } */
static void
put_point_name(struct buf *b, slice uri)
{
	size_t name = der_open(b, DER_CTXC(0)), full = der_open(b, DER_CTXC(0));

	der_put(b, DER_CTX(6), uri);
	der_close(b, full);
	der_close(b, name);
}

static void
put_freshest(struct buf *b, slice uri)
{
	struct extension_mark m = extension_open_ce(b, CE_FRESHEST, false);
	size_t list = der_open(b, DER_SEQUENCE), point = der_open(b, DER_SEQUENCE);

	put_point_name(b, uri);
	der_close(b, point);
	der_close(b, list);
	extension_close(b, m);
}

static void
put_number(struct buf *b, uint8_t arc, bool critical, uint64_t number)
{
	struct extension_mark m = extension_open_ce(b, arc, critical);

	der_put_u64(b, number);
	extension_close(b, m);
}

static void
put_tail(struct buf *b, const struct crl_plan *p)
{
	size_t ctx = der_open(b, DER_CTXC(0)), list = der_open(b, DER_SEQUENCE), seq;
	struct extension_mark m;

	if (p->aki.n > 0)
		aki_put(b, p->aki);
	put_number(b, CE_NUMBER, false, p->number);
	if (p->base != 0)
		put_number(b, CE_DELTA, true, p->base);
	if (p->point.n > 0) {
		m = extension_open_ce(b, CE_IDP, true);
		seq = der_open(b, DER_SEQUENCE);
		put_point_name(b, p->point);
		der_close(b, seq);
		extension_close(b, m);
	}
	if (p->freshest.n > 0)
		put_freshest(b, p->freshest);
	if (p->has_expired) {
		m = extension_open_ce(b, CE_EXPIRED, false);
		der_put_gentime(b, p->expired);
		extension_close(b, m);
	}
	der_close(b, list);
	der_close(b, ctx);
}

static void
put_fields(struct buf *b, const struct crl_plan *p)
{
	der_put_u64(b, 1);
	sig_alg_put(b, p->alg);
	buf_put(b, p->issuer);
	der_put_time(b, p->this_update);
	der_put_time(b, p->next_update);
}

void
crl_frame_make(struct crl_frame *f, const struct crl_plan *p, size_t entries)
{
	struct buf fields OWNED(buf_drop) = BUF(CRL_AROUND_MAX);

	assert(p->next_update.ms > p->this_update.ms && p->issuer.n > 0 && entries <= CRL_MAX);
	assert((p->base == 0 || p->base < p->number) && p->point.n < 512 && p->freshest.n < 512);
	*f = (struct crl_frame){.alg = p->alg,
	    .outer = BUF(16),
	    .head = BUF(CRL_AROUND_MAX),
	    .tail = BUF(CRL_AROUND_MAX),
	    .end = BUF(SIG_MAX + 128)};
	put_fields(&fields, p);
	put_tail(&f->tail, p);
	f->tbs = fields.n + f->tail.n + entries + (entries > 0 ? der_head_bytes(entries) : 0);
	der_put_head(&f->head, DER_SEQUENCE, f->tbs);
	f->tbs += der_head_bytes(f->tbs);
	buf_put(&f->head, buf_slice(&fields));
	if (entries > 0)
		der_put_head(&f->head, DER_SEQUENCE, entries);
	if (buf_check(&f->head).kind != OK || buf_check(&f->tail).kind != OK)
		abort(); /* a Name of ours and two URIs are far shorter */
}

void
crl_frame_drop(struct crl_frame *f)
{
	buf_drop(&f->outer);
	buf_drop(&f->head);
	buf_drop(&f->tail);
	buf_drop(&f->end);
}

void
crl_frame_sign(struct crl_frame *f, slice signature)
{
	assert(signature.n > 0 && signature.n <= SIG_MAX);
	buf_clear(&f->outer);
	buf_clear(&f->end);
	sig_alg_put(&f->end, f->alg);
	der_put_bits(&f->end, signature);
	der_put_head(&f->outer, DER_SEQUENCE, f->tbs + f->end.n);
	f->whole = f->outer.n + f->tbs + f->end.n;
}

void
crl_put_tbs(struct buf *b, const struct crl_plan *p)
{
	struct crl_frame f OWNED(crl_frame_drop) = {0};
	size_t entries = 0;

	assert(p->n <= CRL_ENTRIES_MAX);
	for (size_t i = 0; i < p->n; i++)
		entries += crl_entry_bytes(&p->entry[i]);
	crl_frame_make(&f, p, entries);
	buf_put(b, buf_slice(&f.head));
	for (size_t i = 0; i < p->n; i++) {
		assert(i == 0 || serial_cmp(p->entry[i - 1].serial, p->entry[i].serial) < 0);
		crl_put_entry(b, &p->entry[i]);
	}
	buf_put(b, buf_slice(&f.tail));
}
