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
	TRY(json_text(body, "by", &word));
	r.by = slice_eq(word, LIT("officer")) ? REVOCATION_BY_OFFICER
	       : slice_eq(word, LIT("card"))  ? REVOCATION_BY_CARD
	                                      : REVOCATION_BY_CERTIFICATE;
	*out = r;
	return ok;
}

static err
apply_seen(struct journal_state *s, json body)
{
	if (json_has(body, "books_size"))
		return journal_get_head(body, "books_size", "books_root", &s->books);
	if (json_has(body, "ruleset")) {
		TRY(json_natural(body, "version", &s->ruleset_version));
		return json_hex(body, "ruleset", s->ruleset.b, SHA256_LEN);
	}
	return ok;
}

err
journal_state_apply(struct journal_state *s, const struct line *l, json body)
{
	struct head books;

	switch (l->act) {
	case ACT_INTENT:
		TRY(journal_get_head(body, "books_size", "books_root", &books));
		if (books.size > s->books.size)
			s->books = books;
		break;
	case ACT_CRL_PUBLISHED:
		TRY(json_natural(body, "number", &s->crl_number));
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
 *	crlNumber       INTEGER (0..2^63-1),
 *	rulesetVersion  INTEGER (0..2^63-1),
 *	ruleset         OCTET STRING (SIZE (32)),
 *	at              OCTET STRING }               RFC 3339
 */
void
journal_state_put(struct buf *b, const struct journal_state *s)
{
	size_t seq = der_open(b, DER_SEQUENCE);
	struct buf at OWNED(buf_drop) = BUF(64);

	der_put_u64(b, s->books.size);
	der_put(b, DER_OCTETS, ARR(s->books.root.b));
	der_put_u64(b, s->checkpoint.size);
	der_put(b, DER_OCTETS, ARR(s->checkpoint.root.b));
	der_put_u64(b, s->crl_number);
	der_put_u64(b, s->ruleset_version);
	der_put(b, DER_OCTETS, ARR(s->ruleset.b));
	instant_put(&at, s->at);
	der_put(b, DER_OCTETS, buf_slice(&at));
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
	TRY(der_get_u64(&s, INT64_MAX, &r.crl_number));
	TRY(der_get_u64(&s, INT64_MAX, &r.ruleset_version));
	TRY(get_digest(&s, &r.ruleset));
	TRY(der_get(&s, DER_OCTETS, &v));
	TRY(instant_get(v, &r.at));
	TRY(der_end(s));
	*out = r;
	return ok;
}
