#include "base/der.h"
#include "role/signer/journal_line.h"

/* --- what a line says ------------------------------------------------------------- */
err
journal_corrupt(void)
{
	return fail(ERR_CORRUPT, "journal-line: house: a line of the journal does not say what its act must say");
}

err
journal_get_serial(json body, serial *out)
{
	slice s;

	TRY(json_text(body, "serial", &s));
	return serial_get_hex(s, out);
}

static err
get_instant(json body, const char *name, instant *out)
{
	slice s;

	TRY(json_text(body, name, &s));
	return instant_get(s, out);
}

err
journal_get_head(json body, const char *size, const char *root, struct head *out)
{
	TRY(json_natural(body, size, &out->size));
	return json_hex(body, root, out->root.b, SHA256_LEN);
}

err
journal_get_revoked(const struct line *l, json body, struct revocation *out)
{
	struct revocation r = {.serial = l->serial};
	slice word;

	TRY(json_text(body, "reason", &word));
	TRY(reason_get(word, &r.reason));
	TRY(get_instant(body, "revoked", &r.revoked));
	TRY(get_instant(body, "not_after", &r.not_after));
	if (json_has(body, "invalid_since"))
		TRY(get_instant(body, "invalid_since", &r.invalid_since));
	TRY(json_text(body, "by", &word));
	r.by = slice_eq(word, LIT("officer")) ? REVOCATION_BY_OFFICER
	       : slice_eq(word, LIT("card"))  ? REVOCATION_BY_CARD
	                                      : REVOCATION_BY_CERTIFICATE;
	*out = r;
	return ok;
}

void
journal_put_known(struct buf *b, const struct known_one *k)
{
	if (b->n > 0)
		buf_put_u8(b, ' ');
	serial_put_hex(b, k->serial);
	buf_put_u8(b, '/');
	buf_put_decimal(b, (uint64_t)k->not_after.ms);
}

err
journal_get_known(slice one, struct known_one *out)
{
	struct known_one k;
	slice hex;
	uint64_t ms;

	if (!slice_cut(&one, '/', &hex))
		return journal_corrupt();
	TRY(serial_get_hex(hex, &k.serial));
	TRY(decimal_get(one, INSTANT_MAX_MS, &ms));
	k.not_after.ms = (int64_t)ms;
	*out = k;
	return ok;
}

void
journal_count_add(struct journal_count *c, instant at)
{
	int64_t part = at.ms / JOURNAL_PART_MS;
	size_t i = (size_t)(part % JOURNAL_HOUR);

	if (c->part[i] != part) {
		c->part[i] = part;
		c->n[i] = 0;
	}
	c->n[i]++;
}

uint64_t
journal_count_hour(const struct journal_count *c, instant now)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < JOURNAL_HOUR; i++)
		if (c->part[i] > now.ms / JOURNAL_PART_MS - JOURNAL_HOUR)
			sum += c->n[i];
	return sum;
}

static err
get_automation(json body, struct automation *out)
{
	struct automation a;
	slice said;

	TRY(json_hex(body, "automation", a.document.b, SHA256_LEN));
	TRY(json_text(body, "says", &said));
	TRY(get_instant(body, "date", &a.date));
	a.stopped = slice_eq(said, LIT("stop"));
	*out = a;
	return ok;
}

static err
get_parted(json body, struct list_memory *out)
{
	uint64_t parts;

	TRY(json_natural(body, "parts", &parts));
	TRY(json_hex(body, "parted", out->parted.b, SHA256_LEN));
	if (parts < 2 || parts > CRL_PARTITIONS_MAX)
		return journal_corrupt();
	out->parts = (unsigned)parts;
	return ok;
}

static err
apply_seen(struct journal_state *s, json body)
{
	if (json_has(body, "automation"))
		return get_automation(body, &s->automation);
	if (json_has(body, "books_size"))
		return journal_get_head(body, "books_size", "books_root", &s->books);
	if (json_has(body, "ruleset")) {
		TRY(json_natural(body, "version", &s->ruleset_version));
		return json_hex(body, "ruleset", s->ruleset.b, SHA256_LEN);
	}
	if (json_has(body, "parts"))
		return get_parted(body, &s->list);
	return ok;
}

err
journal_state_apply(struct journal_state *s, const struct line *l, json body)
{
	struct head books;
	slice proof, by;

	switch (l->act) {
	case ACT_INTENT:
		TRY(journal_get_head(body, "books_size", "books_root", &books));
		TRY(json_text(body, "proof", &proof));
		if (slice_eq(proof, slice_str(proof_name(PROOF_RULE))))
			journal_count_add(&s->issued, l->at);
		if (books.size > s->books.size)
			s->books = books;
		break;
	case ACT_REVOKED:
		TRY(json_text(body, "by", &by));
		if (!slice_eq(by, slice_str(revocation_by_name(REVOCATION_BY_OFFICER))))
			journal_count_add(&s->revoked, l->at);
		break;
	case ACT_CRL_PUBLISHED:
		TRY(json_natural(body, "number", &s->list.number));
		if (json_has(body, "base") || json_has(body, "partition"))
			break;
		s->list.complete = s->list.number;
		TRY(json_natural(body, "orders", &s->list.complete_orders));
		break;
	case ACT_CHECKPOINT_SIGNED:
		TRY(journal_get_head(body, "size", "root", &s->checkpoint));
		if (s->checkpoint.size > s->books.size)
			s->books = s->checkpoint; /* books set back behind it are not the ones that were signed */
		break;
	case ACT_SEEN:
		TRY(apply_seen(s, body));
		break;
	default:
		break;
	}
	s->at = l->at;
	return ok;
}

/* --- what is carried -------------------------------------------------------------- */
/*
 * Carried ::= SEQUENCE {
 *	booksSize       INTEGER (0..2^63-1),
 *	booksRoot       OCTET STRING (SIZE (32)),
 *	checkpointSize  INTEGER (0..2^63-1),
 *	checkpointRoot  OCTET STRING (SIZE (32)),
 *	listNumber      INTEGER (0..2^63-1),
 *	complete        INTEGER (0..2^63-1),         the last complete list of all certificates: its number,
 *	completeOrders  INTEGER (0..2^63-1),         and how many had entered the set then
 *	rulesetVersion  INTEGER (0..2^63-1),
 *	ruleset         OCTET STRING (SIZE (32)),
 *	at              OCTET STRING,                RFC 3339
 *	automation      SEQUENCE { document OCTET STRING (SIZE (32)), stopped INTEGER (0..1), date OCTET STRING },
 *	byRule          SEQUENCE OF Part,
 *	parted          SEQUENCE { parts INTEGER (0..1024), list OCTET STRING (SIZE (32)) },
 *	revoked         SEQUENCE OF Part }
 * Part ::= SEQUENCE { part INTEGER, count INTEGER (1..2^32-1) }
 * The last two, and then the two before, are left out together where they say nothing; parts rise, and are of the hour
 * before `at`.
 */
static bool
is_counted(const struct journal_count *c, instant at, int64_t part)
{
	int64_t last = at.ms / JOURNAL_PART_MS;

	return part > last - JOURNAL_HOUR && part <= last && c->part[part % JOURNAL_HOUR] == part &&
	       c->n[part % JOURNAL_HOUR] > 0;
}

static bool
counts_any(const struct journal_count *c, instant at)
{
	for (size_t i = 0; i < JOURNAL_HOUR; i++)
		if (is_counted(c, at, c->part[i]))
			return true;
	return false;
}

static void
put_moment(struct buf *b, instant t)
{
	struct buf text OWNED(buf_drop) = BUF(64);

	instant_put(&text, t);
	der_put(b, DER_OCTETS, buf_slice(&text));
}

static void
put_count(struct buf *b, const struct journal_count *c, instant at)
{
	int64_t last = at.ms / JOURNAL_PART_MS;
	size_t seq = der_open(b, DER_SEQUENCE), one;

	for (int64_t part = last - JOURNAL_HOUR + 1; part <= last; part++) {
		if (part < 0 || !is_counted(c, at, part))
			continue;
		one = der_open(b, DER_SEQUENCE);
		der_put_u64(b, (uint64_t)part);
		der_put_u64(b, c->n[part % JOURNAL_HOUR]);
		der_close(b, one);
	}
	der_close(b, seq);
}

static void
put_newer(struct buf *b, const struct journal_state *s)
{
	bool newest = s->list.parts > 0 || counts_any(&s->revoked, s->at);
	size_t seq;

	if (!newest && !counts_any(&s->issued, s->at) && digest_eq(s->automation.document, (digest){0}))
		return;
	seq = der_open(b, DER_SEQUENCE);
	der_put(b, DER_OCTETS, ARR(s->automation.document.b));
	der_put_u64(b, s->automation.stopped);
	put_moment(b, s->automation.date);
	der_close(b, seq);
	put_count(b, &s->issued, s->at);
	if (!newest)
		return;
	seq = der_open(b, DER_SEQUENCE);
	der_put_u64(b, s->list.parts);
	der_put(b, DER_OCTETS, ARR(s->list.parted.b));
	der_close(b, seq);
	put_count(b, &s->revoked, s->at);
}

void
journal_state_put(struct buf *b, const struct journal_state *s)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, s->books.size);
	der_put(b, DER_OCTETS, ARR(s->books.root.b));
	der_put_u64(b, s->checkpoint.size);
	der_put(b, DER_OCTETS, ARR(s->checkpoint.root.b));
	der_put_u64(b, s->list.number);
	der_put_u64(b, s->list.complete);
	der_put_u64(b, s->list.complete_orders);
	der_put_u64(b, s->ruleset_version);
	der_put(b, DER_OCTETS, ARR(s->ruleset.b));
	put_moment(b, s->at);
	put_newer(b, s);
	der_close(b, seq);
}

static err
get_digest(slice *s, digest *out)
{
	slice v;

	TRY(der_get(s, DER_OCTETS, &v));
	if (v.n != SHA256_LEN)
		return journal_corrupt();
	memcpy(out->b, v.p, SHA256_LEN);
	return ok;
}

static err
get_count(slice *from, instant at, struct journal_count *c)
{
	int64_t last = at.ms / JOURNAL_PART_MS, before = -1;
	slice s;

	TRY(der_get(from, DER_SEQUENCE, &s));
	while (s.n > 0) {
		uint64_t part, count;
		slice one;

		TRY(der_get(&s, DER_SEQUENCE, &one));
		TRY(der_get_u64(&one, INT64_MAX, &part));
		TRY(der_get_u64(&one, UINT32_MAX, &count));
		TRY(der_end(one));
		if ((int64_t)part <= before || (int64_t)part <= last - JOURNAL_HOUR || (int64_t)part > last || count == 0)
			return journal_corrupt();
		c->part[part % JOURNAL_HOUR] = before = (int64_t)part;
		c->n[part % JOURNAL_HOUR] = (uint32_t)count;
	}
	return ok;
}

static err
get_newest(slice s, struct journal_state *r)
{
	uint64_t parts;
	slice one;

	TRY(der_get(&s, DER_SEQUENCE, &one));
	TRY(der_get_u64(&one, CRL_PARTITIONS_MAX, &parts));
	TRY(get_digest(&one, &r->list.parted));
	TRY(der_end(one));
	r->list.parts = (unsigned)parts;
	TRY(get_count(&s, r->at, &r->revoked));
	if (parts == 1 || (parts == 0) != digest_eq(r->list.parted, (digest){0}) ||
	    (parts == 0 && !counts_any(&r->revoked, r->at)))
		return journal_corrupt();
	return der_end(s);
}

/* What says nothing is left out. */
static err
get_newer(slice s, struct journal_state *r)
{
	uint64_t stopped;
	slice one, v;

	if (s.n == 0)
		return ok;
	TRY(der_get(&s, DER_SEQUENCE, &one));
	TRY(get_digest(&one, &r->automation.document));
	TRY(der_get_u64(&one, 1, &stopped));
	r->automation.stopped = stopped == 1;
	TRY(der_get(&one, DER_OCTETS, &v));
	TRY(instant_get(v, &r->automation.date));
	TRY(der_end(one));
	TRY(get_count(&s, r->at, &r->issued));
	if (s.n > 0)
		return get_newest(s, r);
	if (!counts_any(&r->issued, r->at) && digest_eq(r->automation.document, (digest){0}))
		return journal_corrupt();
	return ok;
}

err
journal_state_get(slice in, struct journal_state *out)
{
	struct journal_state r = {0};
	slice s, v;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_u64(&s, INT64_MAX, &r.books.size));
	TRY(get_digest(&s, &r.books.root));
	TRY(der_get_u64(&s, INT64_MAX, &r.checkpoint.size));
	TRY(get_digest(&s, &r.checkpoint.root));
	TRY(der_get_u64(&s, INT64_MAX, &r.list.number));
	TRY(der_get_u64(&s, INT64_MAX, &r.list.complete));
	TRY(der_get_u64(&s, INT64_MAX, &r.list.complete_orders));
	TRY(der_get_u64(&s, INT64_MAX, &r.ruleset_version));
	TRY(get_digest(&s, &r.ruleset));
	TRY(der_get(&s, DER_OCTETS, &v));
	TRY(instant_get(v, &r.at));
	TRY(get_newer(s, &r));
	*out = r;
	return ok;
}
