#include "act/order_sign.h"
#include "base/der.h"

/*
 * HeadOrder ::= SEQUENCE { books Head, journal Head, proofFrom Count, proof Proof }
 */
err
head_order_get(slice body, struct head_order *out)
{
	struct head_order o = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_head(&s, &o.books));
	TRY(body_get_head(&s, &o.journal));
	TRY(body_get_count(&s, &o.proof_from));
	TRY(body_get_proof(&s, &o.n_proof, o.proof));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
head_order_put(struct buf *b, const struct head_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_head(b, &o->books);
	body_put_head(b, &o->journal);
	der_put_u64(b, o->proof_from);
	body_put_proof(b, o->n_proof, o->proof);
	der_close(b, seq);
}

/*
 * HeadReply ::= SEQUENCE { journal Head, books Head, proof Proof, responder Bytes }
 */
err
head_reply_get(slice body, struct head_reply *out)
{
	struct head_reply r = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_head(&s, &r.journal));
	TRY(body_get_head(&s, &r.books));
	TRY(body_get_proof(&s, &r.n_proof, r.proof));
	TRY(body_get_bytes(&s, &r.responder));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
head_reply_put(struct buf *b, const struct head_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_head(b, &r->journal);
	body_put_head(b, &r->books);
	body_put_proof(b, r->n_proof, r->proof);
	body_put_bytes(b, r->responder);
	der_close(b, seq);
}

/*
 * RulesOrder ::= SEQUENCE { profile Bytes, ruleset Bytes, approval, automation Bytes (SIZE (0..CMS_MAX)) }
 */
err
rules_order_get(slice body, struct rules_order *out)
{
	struct rules_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_bytes(&s, &o.profile));
	TRY(body_get_bytes(&s, &o.ruleset));
	TRY(body_get_cms(&s, &o.approval));
	TRY(body_get_cms(&s, &o.automation));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
rules_order_put(struct buf *b, const struct rules_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, o->profile);
	body_put_bytes(b, o->ruleset);
	body_put_bytes(b, o->approval);
	body_put_bytes(b, o->automation);
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

	TRY(body_open(body, &s));
	TRY(body_get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(serial_get(&s, &o.serial));
	TRY(body_get_instant(&s, &o.not_before));
	TRY(body_get_digest(&s, &o.tbs));
	TRY(body_get_digest(&s, &o.leaf));
	TRY(body_get_head(&s, &o.books));
	TRY(body_get_instant(&s, &o.judged));
	TRY(body_get_cms(&s, &o.application));
	TRY(body_get_method(&s, &o.method));
	TRY(body_get_digest(&s, &o.crl));
	TRY(body_get_bytes(&s, &o.ocsp_answer));
	TRY(body_get_bytes(&s, &o.ocsp_nonce));
	TRY(body_get_digest(&s, &o.ruleset));
	TRY(body_get_cms(&s, &o.decision));
	TRY(der_get_bool(&s, &o.again));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
issue_order_put(struct buf *b, const struct issue_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, ARR(o->dossier.b));
	serial_put(b, o->serial);
	body_put_instant(b, o->not_before);
	body_put_digest(b, o->tbs);
	body_put_digest(b, o->leaf);
	body_put_head(b, &o->books);
	body_put_instant(b, o->judged);
	body_put_bytes(b, o->application);
	der_put_enum(b, o->method);
	body_put_digest(b, o->crl);
	body_put_bytes(b, o->ocsp_answer);
	body_put_bytes(b, o->ocsp_nonce);
	body_put_digest(b, o->ruleset);
	body_put_bytes(b, o->decision);
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

	TRY(body_open(body, &s));
	TRY(body_get_bytes(&s, &r.certificate));
	TRY(body_get_head(&s, &r.journal));
	TRY(body_get_instant(&s, &r.signed_at));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
issue_reply_put(struct buf *b, const struct issue_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, r->certificate);
	body_put_head(b, &r->journal);
	body_put_instant(b, r->signed_at);
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

	TRY(body_open(body, &s));
	TRY(body_get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(serial_get(&s, &o.serial));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
void_order_put(struct buf *b, const struct void_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, ARR(o->dossier.b));
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

	TRY(body_open(body, &s));
	TRY(body_get_bytes(&s, &o.certificate));
	TRY(body_get_cms(&s, &o.cms));
	TRY(body_get_cms(&s, &o.application));
	TRY(body_get_method(&s, &o.method));
	TRY(body_get_digest(&s, &o.crl));
	TRY(body_get_bytes(&s, &o.ocsp_answer));
	TRY(body_get_bytes(&s, &o.ocsp_nonce));
	TRY(body_get_instant(&s, &o.judged));
	TRY(body_get_instant(&s, &o.revoked));
	TRY(body_get_reason(&s, &o.reason));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
revoked_order_put(struct buf *b, const struct revoked_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, o->certificate);
	body_put_bytes(b, o->cms);
	body_put_bytes(b, o->application);
	der_put_enum(b, o->method);
	body_put_digest(b, o->crl);
	body_put_bytes(b, o->ocsp_answer);
	body_put_bytes(b, o->ocsp_nonce);
	body_put_instant(b, o->judged);
	body_put_instant(b, o->revoked);
	der_put_enum(b, o->reason);
	der_close(b, seq);
}

/*
 * CrlOrder ::= SEQUENCE { number Count, now Instant, nextUpdate Instant, base Count, partition INTEGER (0..1024) }
 */
err
crl_order_get(slice body, struct crl_order *out)
{
	struct crl_order o;
	uint64_t partition;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_count(&s, &o.number));
	TRY(body_get_instant(&s, &o.now));
	TRY(body_get_instant(&s, &o.next_update));
	TRY(body_get_count(&s, &o.base));
	TRY(der_get_u64(&s, CRL_PARTITIONS_MAX, &partition));
	TRY(der_end(s));
	o.partition = (unsigned)partition;
	*out = o;
	return ok;
}

void
crl_order_put(struct buf *b, const struct crl_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, o->number);
	body_put_instant(b, o->now);
	body_put_instant(b, o->next_update);
	der_put_u64(b, o->base);
	der_put_u64(b, o->partition);
	der_close(b, seq);
}

/*
 * ListReply ::= SEQUENCE { number, count, bytes Count, tbs Digest, journal Head }
 */
err
list_reply_get(slice body, struct list_reply *out)
{
	struct list_reply r;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_count(&s, &r.number));
	TRY(body_get_count(&s, &r.count));
	TRY(body_get_count(&s, &r.bytes));
	TRY(body_get_digest(&s, &r.tbs));
	TRY(body_get_head(&s, &r.journal));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
list_reply_put(struct buf *b, const struct list_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, r->number);
	der_put_u64(b, r->count);
	der_put_u64(b, r->bytes);
	body_put_digest(b, r->tbs);
	body_put_head(b, &r->journal);
	der_close(b, seq);
}

/*
 * ListPartOrder ::= SEQUENCE { number, part Count }
 */
err
list_part_order_get(slice body, struct list_part_order *out)
{
	struct list_part_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_count(&s, &o.number));
	TRY(body_get_count(&s, &o.part));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
list_part_order_put(struct buf *b, const struct list_part_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, o->number);
	der_put_u64(b, o->part);
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

	TRY(body_open(body, &s));
	TRY(body_get_instant(&s, &o.now));
	TRY(body_get_instant(&s, &o.next_update));
	TRY(der_get(&s, DER_SEQUENCE, &list));
	TRY(der_end(s));
	while (list.n > 0) {
		if (o.n == ANSWERS_MAX)
			return body_malformed();
		TRY(body_get_bytes(&list, &o.certificate[o.n]));
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
	body_put_instant(b, o->now);
	body_put_instant(b, o->next_update);
	list = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < o->n; i++)
		body_put_bytes(b, o->certificate[i]);
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

	TRY(body_open(body, &list));
	while (list.n > 0) {
		if (r.n == ANSWERS_MAX)
			return body_malformed();
		TRY(der_get(&list, DER_SEQUENCE, &s));
		TRY(serial_get(&s, &r.serial[r.n]));
		TRY(body_get_instant(&s, &r.this_update[r.n]));
		TRY(body_get_instant(&s, &r.next_update[r.n]));
		TRY(body_get_bytes(&s, &r.answer[r.n]));
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
		body_put_instant(b, r->this_update[i]);
		body_put_instant(b, r->next_update[i]);
		body_put_bytes(b, r->answer[i]);
		der_close(b, seq);
	}
	der_close(b, list);
}

/*
 * RefreshOrder ::= SEQUENCE { now Instant, nextUpdate Instant, after Serial OPTIONAL …, upto Serial … } each in a SEQUENCE
 */
static err
get_bound(slice *s, serial *out)
{
	slice in;
	bool has;

	TRY(der_get(s, DER_SEQUENCE, &in));
	*out = (serial){0};
	TRY(body_get_optional_serial(&in, &has, out));
	return der_end(in);
}

static void
put_bound(struct buf *b, serial v)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_optional_serial(b, v.n > 0, v);
	der_close(b, seq);
}

err
refresh_order_get(slice body, struct refresh_order *out)
{
	struct refresh_order o = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_instant(&s, &o.now));
	TRY(body_get_instant(&s, &o.next_update));
	TRY(get_bound(&s, &o.after));
	TRY(get_bound(&s, &o.upto));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
refresh_order_put(struct buf *b, const struct refresh_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_instant(b, o->now);
	body_put_instant(b, o->next_update);
	put_bound(b, o->after);
	put_bound(b, o->upto);
	der_close(b, seq);
}

/*
 * SlotsPart ::= SEQUENCE {
 *	last        BOOLEAN,
 *	whole       BOOLEAN,
 *	produced    Instant,
 *	thisUpdate  Instant,
 *	nextUpdate  Instant,
 *	responder   Bytes,
 *	slots       SEQUENCE SIZE (0..SLOTS_PART_MAX) OF SEQUENCE {
 *		serial     Serial,
 *		signature  Bytes,
 *		revoked    SEQUENCE { at Instant, reason ENUMERATED (0..5) } OPTIONAL } }
 */
static err
answer_row_get(slice *list, struct answer_row *out)
{
	struct answer_row r = {0};
	slice s, revoked;

	TRY(der_get(list, DER_SEQUENCE, &s));
	TRY(serial_get(&s, &r.serial));
	TRY(body_get_bytes(&s, &r.signature));
	r.revoked = s.n > 0;
	if (r.revoked) {
		TRY(der_get(&s, DER_SEQUENCE, &revoked));
		TRY(body_get_instant(&revoked, &r.revoked_at));
		TRY(body_get_reason(&revoked, &r.reason));
		TRY(der_end(revoked));
	}
	TRY(der_end(s));
	*out = r;
	return ok;
}

err
slots_part_get(slice body, struct slots_part *out)
{
	slice s, list;

	out->n = 0;
	TRY(body_open(body, &s));
	TRY(der_get_bool(&s, &out->last));
	TRY(der_get_bool(&s, &out->whole));
	TRY(body_get_instant(&s, &out->produced));
	TRY(body_get_instant(&s, &out->this_update));
	TRY(body_get_instant(&s, &out->next_update));
	TRY(body_get_bytes(&s, &out->responder));
	TRY(der_get(&s, DER_SEQUENCE, &list));
	TRY(der_end(s));
	while (list.n > 0) {
		if (out->n == SLOTS_PART_MAX)
			return body_malformed();
		TRY(answer_row_get(&list, &out->slot[out->n]));
		out->n++;
	}
	return ok;
}

void
slots_part_put(struct buf *b, const struct slots_part *p)
{
	size_t seq = der_open(b, DER_SEQUENCE), list;

	assert(p->n <= SLOTS_PART_MAX);
	der_put_bool(b, p->last);
	der_put_bool(b, p->whole);
	body_put_instant(b, p->produced);
	body_put_instant(b, p->this_update);
	body_put_instant(b, p->next_update);
	body_put_bytes(b, p->responder);
	list = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < p->n; i++) {
		size_t row = der_open(b, DER_SEQUENCE);

		serial_put(b, p->slot[i].serial);
		body_put_bytes(b, p->slot[i].signature);
		if (p->slot[i].revoked) {
			size_t revoked = der_open(b, DER_SEQUENCE);

			body_put_instant(b, p->slot[i].revoked_at);
			der_put_enum(b, p->slot[i].reason);
			der_close(b, revoked);
		}
		der_close(b, row);
	}
	der_close(b, list);
	der_close(b, seq);
}

/*
 * RenewedReply ::= SEQUENCE { lost BOOLEAN }
 */
err
renewed_reply_get(slice body, struct renewed_reply *out)
{
	slice s;

	TRY(body_open(body, &s));
	TRY(der_get_bool(&s, &out->lost));
	return der_end(s);
}

void
renewed_reply_put(struct buf *b, const struct renewed_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_bool(b, r->lost);
	der_close(b, seq);
}

/*
 * CheckpointOrder ::= SEQUENCE { books Head, from Count, proof Proof, note Bytes }
 */
err
checkpoint_order_get(slice body, struct checkpoint_order *out)
{
	struct checkpoint_order o = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_head(&s, &o.books));
	TRY(body_get_count(&s, &o.from));
	TRY(body_get_proof(&s, &o.n_proof, o.proof));
	TRY(body_get_bytes(&s, &o.note));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
checkpoint_order_put(struct buf *b, const struct checkpoint_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_head(b, &o->books);
	der_put_u64(b, o->from);
	body_put_proof(b, o->n_proof, o->proof);
	body_put_bytes(b, o->note);
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

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, SIG_RSA_SHA256, SIG_ED25519, &alg));
	TRY(body_get_bytes(&s, &o.bytes));
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
	body_put_bytes(b, o->bytes);
	der_close(b, seq);
}

/*
 * SignManyOrder ::= SEQUENCE { alg ENUMERATED (1..9), bytes SEQUENCE SIZE (0..SIGN_MANY_MAX) OF Bytes }
 * SignManyReply ::= SEQUENCE SIZE (0..SIGN_MANY_MAX) OF Bytes
 */
static err
get_list(slice list, slice out[SIGN_MANY_MAX], size_t *n)
{
	*n = 0;
	while (list.n > 0) {
		if (*n == SIGN_MANY_MAX)
			return body_malformed();
		TRY(body_get_bytes(&list, &out[*n]));
		(*n)++;
	}
	return ok;
}

err
sign_many_order_get(slice body, struct sign_many_order *out)
{
	unsigned alg;
	slice s, list;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, SIG_RSA_SHA256, SIG_ED25519, &alg));
	TRY(der_get(&s, DER_SEQUENCE, &list));
	TRY(der_end(s));
	out->alg = (enum sig_alg)alg;
	return get_list(list, out->bytes, &out->n);
}

void
sign_many_order_put(struct buf *b, const struct sign_many_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE), list;

	assert(o->n <= SIGN_MANY_MAX);
	der_put_enum(b, o->alg);
	list = der_open(b, DER_SEQUENCE);
	for (size_t i = 0; i < o->n; i++)
		body_put_bytes(b, o->bytes[i]);
	der_close(b, list);
	der_close(b, seq);
}

err
sign_many_reply_get(slice body, struct sign_many_reply *out)
{
	slice list;

	TRY(body_open(body, &list));
	return get_list(list, out->signature, &out->n);
}

void
sign_many_reply_put(struct buf *b, const struct sign_many_reply *r)
{
	size_t list = der_open(b, DER_SEQUENCE);

	assert(r->n <= SIGN_MANY_MAX);
	for (size_t i = 0; i < r->n; i++)
		body_put_bytes(b, r->signature[i]);
	der_close(b, list);
}
