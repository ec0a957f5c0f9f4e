#include "act/order_judge.h"
#include "act/body.h"
#include "base/der.h"

/*
 * CrlReply ::= SEQUENCE { digest Digest, thisUpdate Instant, nextUpdate Instant, count Count }
 */
err
crl_reply_get(slice body, struct crl_reply *out)
{
	struct crl_reply r;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_digest(&s, &r.digest));
	TRY(body_get_instant(&s, &r.this_update));
	TRY(body_get_instant(&s, &r.next_update));
	TRY(body_get_count(&s, &r.count));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
crl_reply_put(struct buf *b, const struct crl_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_digest(b, r->digest);
	body_put_instant(b, r->this_update);
	body_put_instant(b, r->next_update);
	der_put_u64(b, r->count);
	der_close(b, seq);
}

/*
 * VerifyOrder ::= SEQUENCE {
 *	purpose      ENUMERATED (1..4),
 *	at           Instant,
 *	method       ENUMERATED (0..2),
 *	crl          Digest,
 *	ocspAnswer   Bytes,
 *	ocspNonce    Bytes,
 *	cms          Bytes (SIZE (0..CMS_MAX)),
 *	certificate  Bytes,
 *	application  Bytes (SIZE (0..CMS_MAX)) }
 */
err
verify_order_get(slice body, struct verify_order *out)
{
	struct verify_order o;
	unsigned purpose;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, PURPOSE_APPLICATION, PURPOSE_WITHDRAWAL, &purpose));
	TRY(body_get_instant(&s, &o.at));
	TRY(body_get_method(&s, &o.method));
	TRY(body_get_digest(&s, &o.crl));
	TRY(body_get_bytes(&s, &o.ocsp_answer));
	TRY(body_get_bytes(&s, &o.ocsp_nonce));
	TRY(body_get_cms(&s, &o.cms));
	TRY(body_get_bytes(&s, &o.certificate));
	TRY(body_get_cms(&s, &o.application));
	TRY(der_end(s));
	o.purpose = (enum purpose)purpose;
	*out = o;
	return ok;
}

void
verify_order_put(struct buf *b, const struct verify_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->purpose);
	body_put_instant(b, o->at);
	der_put_enum(b, o->method);
	body_put_digest(b, o->crl);
	body_put_bytes(b, o->ocsp_answer);
	body_put_bytes(b, o->ocsp_nonce);
	body_put_bytes(b, o->cms);
	body_put_bytes(b, o->certificate);
	body_put_bytes(b, o->application);
	der_close(b, seq);
}

/* Texts that go on into the books: no longer than what a document or a line holds. */
static err
get_short(slice *s, size_t most, slice *out)
{
	slice v;

	TRY(body_get_line(s, &v));
	if (v.n > most)
		return body_malformed();
	*out = v;
	return ok;
}

/*
 * Facts ::= SEQUENCE {
 *	verdict       ENUMERATED (1..4),
 *	why           Text (SIZE (0..FACTS_WHY_MAX)),
 *	kind          ENUMERATED (0..7),
 *	chained       BOOLEAN,
 *	mismatch      INTEGER (0..15),
 *	form          ENUMERATED (0..FORM_COUNT-1),      0: the document could not be read
 *	document      Digest,
 *	signer        ENUMERATED (0..3),                 0: nobody was found
 *	signerDigest  Digest,
 *	signerSerial  Serial OPTIONAL,
 *	person        Text (SIZE (0..FACTS_LABEL_MAX)), without quote and backslash
 *	key           Digest,
 *	keyKind       ENUMERATED (0..4),
 *	keyBits       INTEGER (0..16384),
 *	spki          Bytes,
 *	sameCard      BOOLEAN,
 *	method        ENUMERATED (0..2),
 *	thisUpdate    Instant,
 *	nextUpdate    Instant,
 *	status        Digest,
 *	cardName      Text,
 *	cardAddress   Text,
 *	ocspRequest   Bytes,
 *	values        SEQUENCE SIZE (0..24) OF Text (SIZE (0..DOCUMENT_VALUE_MAX)) }    as many as the form has lines
 */
static err
get_values(slice *in, struct facts *f)
{
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	while (s.n > 0) {
		if (f->n == DOCUMENT_LINES_MAX)
			return body_malformed();
		TRY(get_short(&s, DOCUMENT_VALUE_MAX, &f->value[f->n]));
		f->n++;
	}
	if (f->n != (f->form == 0 ? 0 : form_lines(f->form)))
		return body_malformed();
	return ok;
}

static err
get_signer(slice *s, struct facts *f)
{
	unsigned signer, kind;
	uint64_t bits;
	bool has = false;

	TRY(body_get_enum(s, 0, SIGNER_PERSON, &signer));
	TRY(body_get_digest(s, &f->signer_digest));
	TRY(body_get_optional_serial(s, &has, &f->signer_serial));
	TRY(get_short(s, FACTS_LABEL_MAX, &f->person));
	for (size_t i = 0; i < f->person.n; i++)
		if (f->person.p[i] == '"' || f->person.p[i] == '\\')
			return body_malformed();
	TRY(body_get_digest(s, &f->key));
	TRY(body_get_enum(s, 0, KEY_ED25519, &kind));
	TRY(der_get_u64(s, 16384, &bits));
	TRY(body_get_bytes(s, &f->spki));
	TRY(der_get_bool(s, &f->same_card));
	f->signer = (enum signer_kind)signer;
	f->key_kind = (enum key_kind)kind;
	f->key_bits = (unsigned)bits;
	return ok;
}

err
facts_get(slice body, struct facts *out)
{
	struct facts f = {0};
	unsigned verdict, kind, form;
	uint64_t mismatch;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, VERDICT_VERIFIED, VERDICT_UNCHECKED, &verdict));
	TRY(get_short(&s, FACTS_WHY_MAX, &f.why));
	TRY(body_get_enum(&s, OK, ERR_CORRUPT, &kind));
	TRY(der_get_bool(&s, &f.chained));
	TRY(der_get_u64(&s, MISMATCH_NAME | MISMATCH_BIRTH | MISMATCH_SEX | MISMATCH_ADDRESS, &mismatch));
	TRY(body_get_enum(&s, 0, FORM_COUNT - 1, &form));
	TRY(body_get_digest(&s, &f.document));
	TRY(get_signer(&s, &f));
	TRY(body_get_method(&s, &f.method));
	TRY(body_get_instant(&s, &f.status_this_update));
	TRY(body_get_instant(&s, &f.status_next_update));
	TRY(body_get_digest(&s, &f.status_digest));
	TRY(body_get_line(&s, &f.card_name));
	TRY(body_get_line(&s, &f.card_address));
	TRY(body_get_bytes(&s, &f.ocsp_request));
	f.verdict = (enum verdict)verdict;
	f.kind = (enum err_kind)kind;
	f.mismatch = (unsigned)mismatch;
	f.form = (enum form)form;
	TRY(get_values(&s, &f));
	TRY(der_end(s));
	*out = f;
	return ok;
}

void
facts_put(struct buf *b, const struct facts *f)
{
	size_t seq = der_open(b, DER_SEQUENCE), values;

	der_put_enum(b, f->verdict);
	body_put_line(b, f->why);
	der_put_enum(b, f->kind);
	der_put_bool(b, f->chained);
	der_put_u64(b, f->mismatch);
	der_put_enum(b, f->form);
	body_put_digest(b, f->document);
	der_put_enum(b, f->signer);
	body_put_digest(b, f->signer_digest);
	body_put_optional_serial(b, f->signer_serial.n > 0, f->signer_serial);
	body_put_line(b, f->person);
	body_put_digest(b, f->key);
	der_put_enum(b, f->key_kind);
	der_put_u64(b, f->key_bits);
	body_put_bytes(b, f->spki);
	der_put_bool(b, f->same_card);
	der_put_enum(b, f->method);
	body_put_instant(b, f->status_this_update);
	body_put_instant(b, f->status_next_update);
	body_put_digest(b, f->status_digest);
	body_put_line(b, f->card_name);
	body_put_line(b, f->card_address);
	body_put_bytes(b, f->ocsp_request);
	assert(f->n <= DOCUMENT_LINES_MAX);
	values = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < f->n; i++)
		body_put_line(b, f->value[i]);
	der_close(b, values);
	der_close(b, seq);
}
