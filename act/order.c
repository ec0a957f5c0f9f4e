#include "act/order.h"
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

#define PROOF_MAX 64
#define PATH_BYTES_MAX 200 /* of a file in the repository: the longest tile path is below 60 */

static err
malformed(void)
{
	return fail(ERR_INPUT, "order-form: house: a body between two processes is not in its form");
}

static err
open_body(slice body, slice *members)
{
	slice s;

	TRY(der_get(&body, DER_SEQUENCE, &s));
	TRY(der_end(body));
	*members = s;
	return ok;
}

static err
get_instant(slice *s, instant *out)
{
	uint64_t v;

	TRY(der_get_u64(s, (uint64_t)(INSTANT_MAX_MS - INSTANT_MIN_MS), &v));
	*out = (instant){(int64_t)v + INSTANT_MIN_MS};
	return ok;
}

static void
put_instant(struct buf *b, instant t)
{
	assert(t.ms >= INSTANT_MIN_MS && t.ms <= INSTANT_MAX_MS);
	der_put_u64(b, (uint64_t)(t.ms - INSTANT_MIN_MS));
}

static err
get_fixed(slice *s, uint8_t *out, size_t n)
{
	slice v;

	TRY(der_get(s, DER_OCTETS, &v));
	if (v.n != n)
		return malformed();
	memcpy(out, v.p, n);
	return ok;
}

static err
get_digest(slice *s, digest *out)
{
	return get_fixed(s, out->b, sizeof out->b);
}

static void
put_digest(struct buf *b, digest d)
{
	der_put(b, DER_OCTETS, digest_slice(&d));
}

static err
get_bytes(slice *s, slice *out)
{
	return der_get(s, DER_OCTETS, out);
}

static void
put_bytes(struct buf *b, slice s)
{
	der_put(b, DER_OCTETS, s);
}

/* A signed document: never longer than the HTTP face takes one. */
static err
get_cms(slice *s, slice *out)
{
	slice v;

	TRY(der_get(s, DER_OCTETS, &v));
	if (v.n > CMS_MAX)
		return malformed();
	*out = v;
	return ok;
}

static err
get_line(slice *s, slice *out)
{
	slice v;

	TRY(der_get(s, DER_UTF8, &v));
	TRY(text_check_line(v));
	*out = v;
	return ok;
}

static void
put_line(struct buf *b, slice s)
{
	der_put(b, DER_UTF8, s);
}

static err
get_count(slice *s, uint64_t *out)
{
	return der_get_u64(s, INT64_MAX, out);
}

/* ENUMERATED (least..most) */
static err
get_enum(slice *s, unsigned least, unsigned most, unsigned *out)
{
	unsigned v = 0;

	TRY(der_get_enum(s, most, &v));
	if (v < least)
		return malformed();
	*out = v;
	return ok;
}

static err
get_method(slice *s, enum status_method *out)
{
	unsigned v = 0;

	TRY(get_enum(s, STATUS_NONE, STATUS_OCSP, &v));
	*out = (enum status_method)v;
	return ok;
}

static err
get_reason(slice *s, enum crl_reason *out)
{
	unsigned v = 0;

	TRY(get_enum(s, REASON_UNSPECIFIED, REASON_CESSATION, &v));
	*out = (enum crl_reason)v;
	return ok;
}

static err
get_optional_serial(slice *s, bool *has, serial *out)
{
	if (!der_next_is(*s, DER_INTEGER))
		return ok;
	TRY(serial_get(s, out));
	*has = true;
	return ok;
}

static void
put_optional_serial(struct buf *b, bool has, serial v)
{
	if (has)
		serial_put(b, v);
}

static err
get_head(slice *in, struct head *out)
{
	struct head h;
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	TRY(get_count(&s, &h.size));
	TRY(get_digest(&s, &h.root));
	TRY(der_end(s));
	*out = h;
	return ok;
}

static void
put_head(struct buf *b, const struct head *h)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, h->size);
	put_digest(b, h->root);
	der_close(b, seq);
}

static err
get_proof(slice *in, size_t *n, digest out[PROOF_MAX])
{
	size_t k = 0;
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	while (s.n > 0) {
		if (k == PROOF_MAX)
			return malformed();
		TRY(get_digest(&s, &out[k]));
		k++;
	}
	*n = k;
	return ok;
}

static void
put_proof(struct buf *b, size_t n, const digest *proof)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(n <= PROOF_MAX);
	for (size_t i = 0; i < n; i++)
		put_digest(b, proof[i]);
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
static err
get_part(slice s, struct part *out)
{
	struct part p;

	TRY(get_count(&s, &p.number));
	TRY(der_get_bool(&s, &p.last));
	TRY(get_bytes(&s, &p.bytes));
	TRY(der_end(s));
	if (p.bytes.n > PART_BYTES)
		return malformed();
	*out = p;
	return ok;
}

err
part_get(slice body, struct part *out)
{
	slice s;

	TRY(open_body(body, &s));
	return get_part(s, out);
}

void
part_put(struct buf *b, const struct part *p)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, p->number);
	der_put_bool(b, p->last);
	put_bytes(b, p->bytes);
	der_close(b, seq);
}

/* --- front ------------------------------------------------------------------- */

/*
 * ChallengeReply ::= SEQUENCE { nonce Text, expires Instant }
 */
err
challenge_reply_get(slice body, struct challenge_reply *out)
{
	struct challenge_reply r;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_line(&s, &r.nonce));
	TRY(get_instant(&s, &r.expires));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
challenge_reply_put(struct buf *b, const struct challenge_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_line(b, r->nonce);
	put_instant(b, r->expires);
	der_close(b, seq);
}

static const char *const state_names[] = {
    [DOSSIER_RECEIVED] = "received",
    [DOSSIER_WAITING] = "waiting",
    [DOSSIER_REVIEW] = "review",
    [DOSSIER_REFUSED] = "refused",
    [DOSSIER_ORDERED] = "ordered",
    [DOSSIER_ISSUED] = "issued",
    [DOSSIER_DELIVERED] = "delivered",
    [DOSSIER_RECEIPTED] = "receipted",
    [DOSSIER_REVOKED] = "revoked",
    [DOSSIER_WITHDRAWN] = "withdrawn",
};

const char *
dossier_state_name(enum dossier_state s)
{
	assert(s >= DOSSIER_RECEIVED && s <= DOSSIER_WITHDRAWN);
	return state_names[s];
}

static err
get_state(slice *s, enum dossier_state *out)
{
	unsigned v = 0;

	TRY(get_enum(s, DOSSIER_RECEIVED, DOSSIER_WITHDRAWN, &v));
	*out = (enum dossier_state)v;
	return ok;
}

/*
 * ApplyOrder ::= SEQUENCE { cms Bytes (SIZE (0..CMS_MAX)), wait BOOLEAN }
 */
err
apply_order_get(slice body, struct apply_order *out)
{
	struct apply_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_cms(&s, &o.cms));
	TRY(der_get_bool(&s, &o.wait));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
apply_order_put(struct buf *b, const struct apply_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, o->cms);
	der_put_bool(b, o->wait);
	der_close(b, seq);
}

/*
 * ApplyReply ::= SEQUENCE { dossier Id, token Id, state ENUMERATED (1..10), serial Serial OPTIONAL }
 */
err
apply_reply_get(slice body, struct apply_reply *out)
{
	struct apply_reply r = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_fixed(&s, r.dossier.b, sizeof r.dossier.b));
	TRY(get_fixed(&s, r.token.b, sizeof r.token.b));
	TRY(get_state(&s, &r.state));
	TRY(get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
apply_reply_put(struct buf *b, const struct apply_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, ARR(r->dossier.b));
	put_bytes(b, ARR(r->token.b));
	der_put_enum(b, r->state);
	put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * DossierOrder ::= SEQUENCE { dossier Id, token Id }
 */
err
dossier_order_get(slice body, struct dossier_order *out)
{
	struct dossier_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(get_fixed(&s, o.token.b, sizeof o.token.b));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
dossier_order_put(struct buf *b, const struct dossier_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, ARR(o->dossier.b));
	put_bytes(b, ARR(o->token.b));
	der_close(b, seq);
}

/*
 * DossierReply ::= SEQUENCE { state ENUMERATED (1..10), since Instant, why Text, serial Serial OPTIONAL }
 */
err
dossier_reply_get(slice body, struct dossier_reply *out)
{
	struct dossier_reply r = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_state(&s, &r.state));
	TRY(get_instant(&s, &r.since));
	TRY(get_line(&s, &r.why));
	TRY(get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
dossier_reply_put(struct buf *b, const struct dossier_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, r->state);
	put_instant(b, r->since);
	put_line(b, r->why);
	put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * EntryReply ::= SEQUENCE { n Count, at Instant, line Bytes, serial Serial OPTIONAL }
 */
err
entry_reply_get(slice body, struct entry_reply *out)
{
	struct entry_reply r = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_count(&s, &r.n));
	TRY(get_instant(&s, &r.at));
	TRY(get_bytes(&s, &r.line));
	TRY(get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
entry_reply_put(struct buf *b, const struct entry_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, r->n);
	put_instant(b, r->at);
	put_bytes(b, r->line);
	put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * SerialOrder ::= SEQUENCE { serial Serial }
 */
err
serial_order_get(slice body, struct serial_order *out)
{
	struct serial_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(serial_get(&s, &o.serial));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
serial_order_put(struct buf *b, const struct serial_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	serial_put(b, o->serial);
	der_close(b, seq);
}

/*
 * SerialReply ::= SEQUENCE { state ENUMERATED (1..4), at Instant, reason ENUMERATED (0..5) }
 */
err
serial_reply_get(slice body, struct serial_reply *out)
{
	struct serial_reply r;
	unsigned state;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_enum(&s, SERIAL_VALID, SERIAL_UNKNOWN, &state));
	TRY(get_instant(&s, &r.at));
	TRY(get_reason(&s, &r.reason));
	TRY(der_end(s));
	r.state = (enum serial_state)state;
	*out = r;
	return ok;
}

void
serial_reply_put(struct buf *b, const struct serial_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, r->state);
	put_instant(b, r->at);
	der_put_enum(b, r->reason);
	der_close(b, seq);
}

/* --- verifier ---------------------------------------------------------------- */

/*
 * CrlReply ::= SEQUENCE { digest Digest, thisUpdate Instant, nextUpdate Instant, count Count }
 */
err
crl_reply_get(slice body, struct crl_reply *out)
{
	struct crl_reply r;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_digest(&s, &r.digest));
	TRY(get_instant(&s, &r.this_update));
	TRY(get_instant(&s, &r.next_update));
	TRY(get_count(&s, &r.count));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
crl_reply_put(struct buf *b, const struct crl_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_digest(b, r->digest);
	put_instant(b, r->this_update);
	put_instant(b, r->next_update);
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

	TRY(open_body(body, &s));
	TRY(get_enum(&s, PURPOSE_APPLICATION, PURPOSE_OFFICE, &purpose));
	TRY(get_instant(&s, &o.at));
	TRY(get_method(&s, &o.method));
	TRY(get_digest(&s, &o.crl));
	TRY(get_bytes(&s, &o.ocsp_answer));
	TRY(get_bytes(&s, &o.ocsp_nonce));
	TRY(get_cms(&s, &o.cms));
	TRY(get_bytes(&s, &o.certificate));
	TRY(get_cms(&s, &o.application));
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
	put_instant(b, o->at);
	der_put_enum(b, o->method);
	put_digest(b, o->crl);
	put_bytes(b, o->ocsp_answer);
	put_bytes(b, o->ocsp_nonce);
	put_bytes(b, o->cms);
	put_bytes(b, o->certificate);
	put_bytes(b, o->application);
	der_close(b, seq);
}

/*
 * Facts ::= SEQUENCE {
 *	verdict       ENUMERATED (1..4),
 *	why           Text,
 *	kind          ENUMERATED (0..7),
 *	chained       BOOLEAN,
 *	mismatch      INTEGER (0..15),
 *	form          ENUMERATED (0..FORM_COUNT-1),      0: the document could not be read
 *	document      Digest,
 *	signer        ENUMERATED (0..3),                 0: nobody was found
 *	signerDigest  Digest,
 *	signerSerial  Serial OPTIONAL,
 *	person        Text,
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
 *	values        SEQUENCE SIZE (0..24) OF Text }    as many as the form has lines
 */
static err
get_values(slice *in, struct facts *f)
{
	slice s;

	TRY(der_get(in, DER_SEQUENCE, &s));
	while (s.n > 0) {
		if (f->n == DOCUMENT_LINES_MAX)
			return malformed();
		TRY(get_line(&s, &f->value[f->n]));
		f->n++;
	}
	if (f->n != (f->form == 0 ? 0 : form_lines(f->form)))
		return malformed();
	return ok;
}

static err
get_signer(slice *s, struct facts *f)
{
	unsigned signer, kind;
	uint64_t bits;
	bool has = false;

	TRY(get_enum(s, 0, SIGNER_PERSON, &signer));
	TRY(get_digest(s, &f->signer_digest));
	TRY(get_optional_serial(s, &has, &f->signer_serial));
	TRY(get_line(s, &f->person));
	TRY(get_digest(s, &f->key));
	TRY(get_enum(s, 0, KEY_ED25519, &kind));
	TRY(der_get_u64(s, 16384, &bits));
	TRY(get_bytes(s, &f->spki));
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

	TRY(open_body(body, &s));
	TRY(get_enum(&s, VERDICT_VERIFIED, VERDICT_UNCHECKED, &verdict));
	TRY(get_line(&s, &f.why));
	TRY(get_enum(&s, OK, ERR_CORRUPT, &kind));
	TRY(der_get_bool(&s, &f.chained));
	TRY(der_get_u64(&s, MISMATCH_NAME | MISMATCH_BIRTH | MISMATCH_SEX | MISMATCH_ADDRESS, &mismatch));
	TRY(get_enum(&s, 0, FORM_COUNT - 1, &form));
	TRY(get_digest(&s, &f.document));
	TRY(get_signer(&s, &f));
	TRY(get_method(&s, &f.method));
	TRY(get_instant(&s, &f.status_this_update));
	TRY(get_instant(&s, &f.status_next_update));
	TRY(get_digest(&s, &f.status_digest));
	TRY(get_line(&s, &f.card_name));
	TRY(get_line(&s, &f.card_address));
	TRY(get_bytes(&s, &f.ocsp_request));
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
	put_line(b, f->why);
	der_put_enum(b, f->kind);
	der_put_bool(b, f->chained);
	der_put_u64(b, f->mismatch);
	der_put_enum(b, f->form);
	put_digest(b, f->document);
	der_put_enum(b, f->signer);
	put_digest(b, f->signer_digest);
	put_optional_serial(b, f->signer_serial.n > 0, f->signer_serial);
	put_line(b, f->person);
	put_digest(b, f->key);
	der_put_enum(b, f->key_kind);
	der_put_u64(b, f->key_bits);
	put_bytes(b, f->spki);
	der_put_bool(b, f->same_card);
	der_put_enum(b, f->method);
	put_instant(b, f->status_this_update);
	put_instant(b, f->status_next_update);
	put_digest(b, f->status_digest);
	put_line(b, f->card_name);
	put_line(b, f->card_address);
	put_bytes(b, f->ocsp_request);
	assert(f->n <= DOCUMENT_LINES_MAX);
	values = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < f->n; i++)
		put_line(b, f->value[i]);
	der_close(b, values);
	der_close(b, seq);
}

/* --- signers ----------------------------------------------------------------- */

/*
 * HeadOrder ::= SEQUENCE { books Head, journal Head, proofFrom Count, proof Proof }
 */
err
head_order_get(slice body, struct head_order *out)
{
	struct head_order o = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_head(&s, &o.books));
	TRY(get_head(&s, &o.journal));
	TRY(get_count(&s, &o.proof_from));
	TRY(get_proof(&s, &o.n_proof, o.proof));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
head_order_put(struct buf *b, const struct head_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_head(b, &o->books);
	put_head(b, &o->journal);
	der_put_u64(b, o->proof_from);
	put_proof(b, o->n_proof, o->proof);
	der_close(b, seq);
}

/*
 * HeadReply ::= SEQUENCE { journal Head, books Head, proof Proof }
 */
err
head_reply_get(slice body, struct head_reply *out)
{
	struct head_reply r = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_head(&s, &r.journal));
	TRY(get_head(&s, &r.books));
	TRY(get_proof(&s, &r.n_proof, r.proof));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
head_reply_put(struct buf *b, const struct head_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_head(b, &r->journal);
	put_head(b, &r->books);
	put_proof(b, r->n_proof, r->proof);
	der_close(b, seq);
}

/*
 * RulesOrder ::= SEQUENCE { profile Bytes, ruleset Bytes, approval Bytes (SIZE (0..CMS_MAX)) }
 */
err
rules_order_get(slice body, struct rules_order *out)
{
	struct rules_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_bytes(&s, &o.profile));
	TRY(get_bytes(&s, &o.ruleset));
	TRY(get_cms(&s, &o.approval));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
rules_order_put(struct buf *b, const struct rules_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, o->profile);
	put_bytes(b, o->ruleset);
	put_bytes(b, o->approval);
	der_close(b, seq);
}

/*
 * IssueOrder ::= SEQUENCE {
 *	dossier      Id,
 *	serial       Serial,
 *	notBefore    Instant,
 *	tbs          Digest,
 *	leaf         Digest,
 *	books        Head,
 *	judged       Instant,
 *	application  Bytes (SIZE (0..CMS_MAX)),
 *	method       ENUMERATED (0..2),
 *	crl          Digest,
 *	ocspAnswer   Bytes,
 *	ocspNonce    Bytes,
 *	ruleset      Digest,
 *	decision     Bytes (SIZE (0..CMS_MAX)),
 *	again        BOOLEAN }
 */
err
issue_order_get(slice body, struct issue_order *out)
{
	struct issue_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(serial_get(&s, &o.serial));
	TRY(get_instant(&s, &o.not_before));
	TRY(get_digest(&s, &o.tbs));
	TRY(get_digest(&s, &o.leaf));
	TRY(get_head(&s, &o.books));
	TRY(get_instant(&s, &o.judged));
	TRY(get_cms(&s, &o.application));
	TRY(get_method(&s, &o.method));
	TRY(get_digest(&s, &o.crl));
	TRY(get_bytes(&s, &o.ocsp_answer));
	TRY(get_bytes(&s, &o.ocsp_nonce));
	TRY(get_digest(&s, &o.ruleset));
	TRY(get_cms(&s, &o.decision));
	TRY(der_get_bool(&s, &o.again));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
issue_order_put(struct buf *b, const struct issue_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, ARR(o->dossier.b));
	serial_put(b, o->serial);
	put_instant(b, o->not_before);
	put_digest(b, o->tbs);
	put_digest(b, o->leaf);
	put_head(b, &o->books);
	put_instant(b, o->judged);
	put_bytes(b, o->application);
	der_put_enum(b, o->method);
	put_digest(b, o->crl);
	put_bytes(b, o->ocsp_answer);
	put_bytes(b, o->ocsp_nonce);
	put_digest(b, o->ruleset);
	put_bytes(b, o->decision);
	der_put_bool(b, o->again);
	der_close(b, seq);
}

/*
 * IssueReply ::= SEQUENCE { certificate Bytes, journal Head, signedAt Instant }
 */
err
issue_reply_get(slice body, struct issue_reply *out)
{
	struct issue_reply r;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_bytes(&s, &r.certificate));
	TRY(get_head(&s, &r.journal));
	TRY(get_instant(&s, &r.signed_at));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
issue_reply_put(struct buf *b, const struct issue_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, r->certificate);
	put_head(b, &r->journal);
	put_instant(b, r->signed_at);
	der_close(b, seq);
}

/*
 * VoidOrder ::= SEQUENCE { dossier Id, serial Serial }
 */
err
void_order_get(slice body, struct void_order *out)
{
	struct void_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(serial_get(&s, &o.serial));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
void_order_put(struct buf *b, const struct void_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, ARR(o->dossier.b));
	serial_put(b, o->serial);
	der_close(b, seq);
}

/*
 * RevokedOrder ::= SEQUENCE {
 *	certificate  Bytes,
 *	cms          Bytes (SIZE (0..CMS_MAX)),
 *	application  Bytes (SIZE (0..CMS_MAX)),
 *	method       ENUMERATED (0..2),
 *	crl          Digest,
 *	ocspAnswer   Bytes,
 *	ocspNonce    Bytes,
 *	judged       Instant,
 *	revoked      Instant,
 *	reason       ENUMERATED (0..5) }
 */
err
revoked_order_get(slice body, struct revoked_order *out)
{
	struct revoked_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_bytes(&s, &o.certificate));
	TRY(get_cms(&s, &o.cms));
	TRY(get_cms(&s, &o.application));
	TRY(get_method(&s, &o.method));
	TRY(get_digest(&s, &o.crl));
	TRY(get_bytes(&s, &o.ocsp_answer));
	TRY(get_bytes(&s, &o.ocsp_nonce));
	TRY(get_instant(&s, &o.judged));
	TRY(get_instant(&s, &o.revoked));
	TRY(get_reason(&s, &o.reason));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
revoked_order_put(struct buf *b, const struct revoked_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, o->certificate);
	put_bytes(b, o->cms);
	put_bytes(b, o->application);
	der_put_enum(b, o->method);
	put_digest(b, o->crl);
	put_bytes(b, o->ocsp_answer);
	put_bytes(b, o->ocsp_nonce);
	put_instant(b, o->judged);
	put_instant(b, o->revoked);
	der_put_enum(b, o->reason);
	der_close(b, seq);
}

/*
 * CrlOrder ::= SEQUENCE { number Count, now Instant, nextUpdate Instant }
 */
err
crl_order_get(slice body, struct crl_order *out)
{
	struct crl_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_count(&s, &o.number));
	TRY(get_instant(&s, &o.now));
	TRY(get_instant(&s, &o.next_update));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
crl_order_put(struct buf *b, const struct crl_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, o->number);
	put_instant(b, o->now);
	put_instant(b, o->next_update);
	der_close(b, seq);
}

/*
 * AnswersOrder ::= SEQUENCE {
 *	now           Instant,
 *	nextUpdate    Instant,
 *	certificates  SEQUENCE SIZE (0..ANSWERS_MAX) OF Bytes }
 */
err
answers_order_get(slice body, struct answers_order *out)
{
	struct answers_order o = {0};
	slice s, list;

	TRY(open_body(body, &s));
	TRY(get_instant(&s, &o.now));
	TRY(get_instant(&s, &o.next_update));
	TRY(der_get(&s, DER_SEQUENCE, &list));
	TRY(der_end(s));
	while (list.n > 0) {
		if (o.n == ANSWERS_MAX)
			return malformed();
		TRY(get_bytes(&list, &o.certificate[o.n]));
		o.n++;
	}
	*out = o;
	return ok;
}

void
answers_order_put(struct buf *b, const struct answers_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE), list;

	assert(o->n <= ANSWERS_MAX);
	put_instant(b, o->now);
	put_instant(b, o->next_update);
	list = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < o->n; i++)
		put_bytes(b, o->certificate[i]);
	der_close(b, list);
	der_close(b, seq);
}

/*
 * AnswersReply ::= SEQUENCE SIZE (0..ANSWERS_MAX) OF SEQUENCE {
 *	serial      Serial,
 *	thisUpdate  Instant,
 *	nextUpdate  Instant,
 *	answer      Bytes }
 */
err
answers_reply_get(slice body, struct answers_reply *out)
{
	struct answers_reply r = {0};
	slice list, s;

	TRY(open_body(body, &list));
	while (list.n > 0) {
		if (r.n == ANSWERS_MAX)
			return malformed();
		TRY(der_get(&list, DER_SEQUENCE, &s));
		TRY(serial_get(&s, &r.serial[r.n]));
		TRY(get_instant(&s, &r.this_update[r.n]));
		TRY(get_instant(&s, &r.next_update[r.n]));
		TRY(get_bytes(&s, &r.answer[r.n]));
		TRY(der_end(s));
		r.n++;
	}
	*out = r;
	return ok;
}

void
answers_reply_put(struct buf *b, const struct answers_reply *r)
{
	size_t list = der_open(b, DER_SEQUENCE);

	assert(r->n <= ANSWERS_MAX);
	for (size_t i = 0; i < r->n; i++) {
		size_t seq = der_open(b, DER_SEQUENCE);

		serial_put(b, r->serial[i]);
		put_instant(b, r->this_update[i]);
		put_instant(b, r->next_update[i]);
		put_bytes(b, r->answer[i]);
		der_close(b, seq);
	}
	der_close(b, list);
}

/*
 * CheckpointOrder ::= SEQUENCE { books Head, from Count, proof Proof, note Bytes }
 */
err
checkpoint_order_get(slice body, struct checkpoint_order *out)
{
	struct checkpoint_order o = {0};
	slice s;

	TRY(open_body(body, &s));
	TRY(get_head(&s, &o.books));
	TRY(get_count(&s, &o.from));
	TRY(get_proof(&s, &o.n_proof, o.proof));
	TRY(get_bytes(&s, &o.note));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
checkpoint_order_put(struct buf *b, const struct checkpoint_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_head(b, &o->books);
	der_put_u64(b, o->from);
	put_proof(b, o->n_proof, o->proof);
	put_bytes(b, o->note);
	der_close(b, seq);
}

/* --- messenger, publisher, office, hand, inkand -------------------------------- */

/*
 * CallOrder ::= SEQUENCE { kind ENUMERATED (1..2), body Bytes }
 */
err
call_order_get(slice body, struct call_order *out)
{
	struct call_order o;
	unsigned kind;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_enum(&s, CALL_JLIS_OCSP, CALL_JLIS_CRL, &kind));
	TRY(get_bytes(&s, &o.body));
	TRY(der_end(s));
	o.kind = (enum call_kind)kind;
	*out = o;
	return ok;
}

void
call_order_put(struct buf *b, const struct call_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->kind);
	put_bytes(b, o->body);
	der_close(b, seq);
}

/*
 * MailOrder ::= SEQUENCE { to Text, subject Text, text UTF8String }   text: lines, each ended by LF
 */
err
mail_order_get(slice body, struct mail_order *out)
{
	struct mail_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_line(&s, &o.to));
	TRY(get_line(&s, &o.subject));
	TRY(der_get(&s, DER_UTF8, &o.text));
	TRY(der_end(s));
	TRY(text_check(o.text));
	*out = o;
	return ok;
}

void
mail_order_put(struct buf *b, const struct mail_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_line(b, o->to);
	put_line(b, o->subject);
	der_put(b, DER_UTF8, o->text);
	der_close(b, seq);
}

static err
path_refused(void)
{
	return fail(ERR_INPUT, "order-path: house: a path that could leave the repository's tree");
}

/* Names of [a-z0-9._-] that begin with no dot, with one stroke between. */
static err
check_path(slice path)
{
	bool start = true;

	if (path.n == 0 || path.n > PATH_BYTES_MAX)
		return path_refused();
	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';

		if (!word && (start || (c != '.' && c != '/')))
			return path_refused();
		start = c == '/';
	}
	return start ? path_refused() : ok;
}

/*
 * FileOrder ::= SEQUENCE { path UTF8String, part Part }
 */
err
file_order_get(slice body, struct file_order *out)
{
	struct file_order o;
	slice s, part;

	TRY(open_body(body, &s));
	TRY(der_get(&s, DER_UTF8, &o.path));
	TRY(der_get(&s, DER_SEQUENCE, &part));
	TRY(der_end(s));
	TRY(check_path(o.path));
	TRY(get_part(part, &o.part));
	*out = o;
	return ok;
}

void
file_order_put(struct buf *b, const struct file_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put(b, DER_UTF8, o->path);
	part_put(b, &o->part);
	der_close(b, seq);
}

/*
 * OfficeOrder ::= SEQUENCE { cms Bytes (SIZE (0..CMS_MAX)), ruleset Bytes }
 */
err
office_order_get(slice body, struct office_order *out)
{
	struct office_order o;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_cms(&s, &o.cms));
	TRY(get_bytes(&s, &o.ruleset));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
office_order_put(struct buf *b, const struct office_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	put_bytes(b, o->cms);
	put_bytes(b, o->ruleset);
	der_close(b, seq);
}

/*
 * SignOrder ::= SEQUENCE { alg ENUMERATED (1..9), bytes Bytes }
 */
err
sign_order_get(slice body, struct sign_order *out)
{
	struct sign_order o;
	unsigned alg;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_enum(&s, SIG_RSA_SHA256, SIG_ED25519, &alg));
	TRY(get_bytes(&s, &o.bytes));
	TRY(der_end(s));
	o.alg = (enum sig_alg)alg;
	*out = o;
	return ok;
}

void
sign_order_put(struct buf *b, const struct sign_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->alg);
	put_bytes(b, o->bytes);
	der_close(b, seq);
}

/*
 * WireOrder ::= SEQUENCE { peer ENUMERATED (1..12), number INTEGER (0..255) }
 */
err
wire_order_get(slice body, struct wire_order *out)
{
	struct wire_order o;
	unsigned peer;
	slice s;

	TRY(open_body(body, &s));
	TRY(get_enum(&s, PEER_INKAND, PEER_PRIVATE, &peer));
	TRY(der_get_u64(&s, 255, &o.number));
	TRY(der_end(s));
	o.peer = (enum peer)peer;
	*out = o;
	return ok;
}

void
wire_order_put(struct buf *b, const struct wire_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->peer);
	der_put_u64(b, o->number);
	der_close(b, seq);
}
