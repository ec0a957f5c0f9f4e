#include "act/application.h"
#include "act/body.h"
#include "act/decision.h"
#include "act/document.h"
#include "act/identity.h"
#include "act/order.h"
#include "act/order_judge.h"
#include "act/receipt.h"
#include "act/revocation.h"
#include "role/verifier/verifier.h"

enum { STATE_START, STATE_READY }; /* until there is trust, there is nothing to judge by */

#define PART_MOST (PART_BYTES + 64)

static const struct gate GATE[] = {
    {ORDER_TRUST, PEER_REGISTRAR, GATE_ANY, PART_MOST, GATE_STAY},
    {ORDER_CRL_IN, PEER_REGISTRAR, 1U << STATE_READY, PART_MOST, GATE_STAY},
    {ORDER_VERIFY, PEER_REGISTRAR, 1U << STATE_READY, FRAME_BODY_MAX, GATE_STAY},
};

static void
answer(struct buf *out, const struct frame *to, slice body)
{
	frame_put(out, &(struct frame){.kind = to->kind, .id = to->id, .fail = OK, .body = body});
}

static void
refuse(struct buf *out, const struct frame *to, err e)
{
	frame_put(out, &(struct frame){.kind = to->kind, .id = to->id, .fail = e.kind, .what = slice_str(e.what)});
}

/* ---- trust and lists ----------------------------------------------------------------------------------------------------- */

static void
drop_crls(struct verifier *v)
{
	for (size_t i = 0; i < v->n_crls; i++)
		crl_table_drop(&v->crl[i]);
	v->n_crls = 0;
}

void
verifier_start(struct verifier *v)
{
	*v = (struct verifier){.state = STATE_START, .parts = BUF(CRL_MAX)};
}

void
verifier_drop(struct verifier *v)
{
	drop_crls(v);
	trust_drop(&v->trust);
	buf_drop(&v->parts);
	*v = (struct verifier){.state = STATE_START};
}

/* Parts of one thing come one after another, from 0, with nothing of another thing between. */
static err
take_part(struct verifier *v, const struct frame *in, bool *whole)
{
	struct part p;

	TRY(part_get(in->body, &p));
	if (p.number == 0) {
		v->parts_kind = in->kind;
		v->parts_next = 0;
		buf_clear(&v->parts);
	}
	if (in->kind != v->parts_kind || p.number != v->parts_next)
		return fail(ERR_CORRUPT, "verifier-part: house: a part came out of its order");
	v->parts_next++;
	buf_put(&v->parts, p.bytes);
	if (buf_check(&v->parts).kind != OK)
		return fail(ERR_CORRUPT, "verifier-part: house: a part came out of its order");
	if (p.last)
		v->parts_kind = 0;
	*whole = p.last;
	return ok;
}

static err
hear_trust(struct verifier *v, const struct frame *in, struct buf *out)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	struct trust *t = NULL;
	bool whole;
	err e;

	TRY(take_part(v, in, &whole));
	if (!whole)
		return ok;
	e = trust_get(buf_slice(&v->parts), &t);
	buf_drop(&v->parts);
	if (e.kind != OK) {
		refuse(out, in, e);
		return ok;
	}
	drop_crls(v); /* they were checked against anchors that may be gone */
	trust_drop(&v->trust);
	v->trust = t;
	v->state = STATE_READY;
	octets_put(&body, digest_slice(&t->digest));
	answer(out, in, buf_slice(&body));
	return ok;
}

static err
read_crl(const struct verifier *v, struct crl_table **out)
{
	struct crl c;
	size_t anchor;

	TRY(crl_get(buf_slice(&v->parts), &c));
	TRY(identity_crl_anchor(v->trust, &c, &anchor));
	return crl_table_new(&c, out);
}

static void
forget_crl(struct verifier *v, size_t i)
{
	crl_table_drop(&v->crl[i]);
	memmove(v->crl + i, v->crl + i + 1, (--v->n_crls - i) * sizeof v->crl[0]);
}

/* Two of each CA, since orders in flight may still cite the one before; the same one again is one. */
static void
hold_crl(struct verifier *v, struct crl_table *t)
{
	size_t of_ca = 0, oldest = 0;

	for (size_t i = v->n_crls; i > 0; i--)
		if (digest_eq(crl_table_digest(v->crl[i - 1]), crl_table_digest(t)))
			forget_crl(v, i - 1);
	for (size_t i = v->n_crls; i > 0; i--)
		if (slice_eq(crl_table_aki(v->crl[i - 1]), crl_table_aki(t))) {
			of_ca++;
			oldest = i - 1;
		}
	if (of_ca == 2)
		forget_crl(v, oldest);
	assert(v->n_crls < VERIFIER_CRLS_MAX); /* each is signed by an anchor with a key identifier of its own */
	v->crl[v->n_crls++] = t;
}

static err
hear_crl(struct verifier *v, const struct frame *in, struct buf *out)
{
	struct buf body OWNED(buf_drop) = BUF(256);
	struct crl_table *t = NULL;
	bool whole;
	err e;

	TRY(take_part(v, in, &whole));
	if (!whole)
		return ok;
	e = read_crl(v, &t);
	buf_drop(&v->parts);
	if (e.kind != OK) {
		refuse(out, in, e);
		return ok;
	}
	hold_crl(v, t);
	crl_reply_put(&body, &(struct crl_reply){.digest = crl_table_digest(t),
	                         .this_update = crl_table_this_update(t),
	                         .next_update = crl_table_next_update(t),
	                         .count = crl_table_count(t)});
	answer(out, in, buf_slice(&body));
	return ok;
}

/* ---- judging --------------------------------------------------------------------------------------------------------------- */

static void
put_document(struct facts *f, const struct document *d)
{
	f->form = d->form;
	f->n = d->n;
	memcpy(f->value, d->value, d->n * sizeof d->value[0]);
}

static void
put_identity(struct facts *f, const struct identity *i)
{
	f->verdict = i->verdict;
	f->kind = i->why.kind;
	f->why = slice_str(i->why.what);
	f->chained = i->chained;
	f->mismatch = i->mismatch;
	f->signer = SIGNER_CARD;
	f->signer_digest = i->leaf_digest;
	f->signer_serial = i->leaf.serial;
	f->method = i->method;
	f->status_this_update = i->status_this_update;
	f->status_next_update = i->status_next_update;
	f->status_digest = i->status_digest;
	f->card_name = i->person.name;
	f->card_address = i->person.address;
}

/* The newest list of the leaf's own CA, the cited one first. */
static const struct crl_table *
find_crl(const struct verifier *v, digest cited, const struct cms *c)
{
	const struct crl_table *found = NULL;
	struct cert leaf;
	size_t anchor;

	if (cert_get(c->certificate, &leaf).kind != OK || identity_anchor_hint(v->trust, &leaf, &anchor).kind != OK)
		return NULL;
	for (size_t i = 0; i < v->n_crls; i++) {
		const struct crl_table *t = v->crl[i];

		if (!slice_eq(crl_table_aki(t), v->trust->anchor[anchor].cert.ski))
			continue;
		if (digest_eq(crl_table_digest(t), cited))
			return t;
		if (found == NULL || crl_table_this_update(t).ms >= crl_table_this_update(found).ms)
			found = t;
	}
	return found;
}

static struct status_evidence
evidence_of(const struct verifier *v, const struct verify_order *o, const struct cms *c)
{
	return (struct status_evidence){.method = o->method,
	    .ocsp_answer = o->ocsp_answer,
	    .ocsp_nonce = o->ocsp_nonce,
	    .crl = o->method == STATUS_CRL ? find_crl(v, o->crl, c) : NULL};
}

/* What messenger has to ask before this document can be judged. */
static void
put_request(const struct verifier *v, const struct verify_order *o, const struct identity *i, struct buf *request)
{
	if (i->verdict == VERDICT_UNCHECKED && v->trust->method == STATUS_OCSP && o->ocsp_nonce.n > 0 &&
	    identity_put_ocsp_request(request, v->trust, &i->leaf, o->ocsp_nonce).kind != OK)
		abort(); /* its anchor was found by its signature a moment ago */
}

static err
verify_application(
    const struct verifier *v, const struct verify_order *o, struct facts *f, struct application *a, struct buf *request)
{
	struct status_evidence s;
	struct identity i;
	err e;

	TRY(application_get_like(o->cms, v->trust->issuer_key, a));
	put_document(f, &a->text);
	f->key = key_digest(a->key);
	f->key_kind = key_kind(a->key);
	f->key_bits = key_bits(a->key);
	f->spki = key_spki(a->key);
	e = decision_check_house(v->trust, a);
	if (e.kind != OK) {
		f->verdict = VERDICT_FAILED;
		f->kind = e.kind;
		f->why = slice_str(e.what);
		return ok;
	}
	s = evidence_of(v, o, &a->cms);
	identity_check(v->trust, a, &s, o->at, &i);
	put_identity(f, &i);
	put_request(v, o, &i, request);
	f->ocsp_request = buf_slice(request);
	return ok;
}

static err
verify_receipt(const struct verifier *v, const struct verify_order *o, struct facts *f)
{
	struct receipt r;
	struct document d;
	struct cms c;

	TRY(receipt_check(v->trust, o->cms, &r));
	TRY(cms_get(o->cms, &c));
	TRY(document_get_form(c.content, FORM_RECEIPT, &d));
	put_document(f, &d);
	f->verdict = VERDICT_VERIFIED;
	f->chained = true;
	f->signer = SIGNER_CERTIFICATE;
	f->signer_digest = r.certificate;
	f->signer_serial = r.serial;
	return ok;
}

/* Signed with the key of the certificate that is to be revoked: nothing else is asked. */
static err
verify_own(
    const struct verifier *v, const struct cms *c, const struct cert *ours, const struct document *d, struct facts *f)
{
	struct key *k OWNED(key_drop) = NULL;
	serial named;

	if (ours->is_ca || ours->eku_ocsp || cert_check_signed_by(ours, v->trust->issuer_key).kind != OK)
		return fail(
		    ERR_POLICY, "verifier-certificate: Rule 6(x): the signer's certificate is not a person's of this issuer");
	TRY(serial_get_hex(d->value[V_SERIAL], &named));
	if (!serial_eq(named, ours->serial))
		return fail(ERR_POLICY,
		    "verifier-serial: Rule 6(x): the request names another certificate than the one that signed it");
	TRY(key_get_spki(ours->spki, &k));
	TRY(cms_check(c, k));
	f->verdict = VERDICT_VERIFIED;
	f->chained = true;
	f->signer = SIGNER_CERTIFICATE;
	f->signer_digest = cert_digest(ours);
	f->signer_serial = ours->serial;
	return ok;
}

/* The application that led to this certificate was signed by this very card. */
static bool
is_same_card(const struct verify_order *o, const struct cms *c)
{
	struct application a OWNED(application_drop) = {0};
	struct cert ours;

	return o->application.n > 0 && application_get(o->application, &a).kind == OK &&
	       cert_get(o->certificate, &ours).kind == OK && slice_eq(a.request.spki, ours.spki) &&
	       slice_eq(a.cms.certificate, c->certificate);
}

/*
 * A signer believes no entry made before its request was signed, or some minutes around it (act/revocation).  So what was
 * signed ahead of our hour is refused here, while the one who asks still hears it: afterwards the books would say
 * "revoked" and no list ever would.
 */
static err
check_signing_time(const struct verify_order *o, const struct cms *c)
{
	if (c->signing_time.ms > o->at.ms + REVOCATION_CLOCK_MS - SECOND_MS)
		return fail(ERR_POLICY,
		    "verifier-signing-time: Rule 6(x): the request was signed in the future; set your clock and sign again");
	return ok;
}

static err
verify_revocation(const struct verifier *v, const struct verify_order *o, struct facts *f, struct buf *request)
{
	struct status_evidence s;
	struct document d;
	struct identity i;
	struct cert signer;
	struct cms c;

	TRY(cms_get(o->cms, &c));
	TRY(document_get_form(c.content, FORM_REVOCATION, &d));
	if (!slice_eq(d.value[V_SERVICE], v->trust->service))
		return fail(ERR_POLICY, "verifier-service: Rule 6(vii): the document is for another service");
	if (c.certificate.n == 0)
		return fail(ERR_POLICY, "verifier-signer: Rule 6(x): the request is signed by neither certificate nor card");
	TRY(check_signing_time(o, &c));
	put_document(f, &d);
	TRY(cert_get(c.certificate, &signer));
	if (slice_eq(signer.issuer, v->trust->issuer.subject))
		return verify_own(v, &c, &signer, &d, f);
	s = evidence_of(v, o, &c);
	identity_check_signer(v->trust, &c, &s, o->at, &i);
	put_identity(f, &i);
	f->same_card = i.chained && is_same_card(o, &c);
	put_request(v, o, &i, request);
	f->ocsp_request = buf_slice(request);
	return ok;
}

/* By the card that applied or the key that was to be certified: a lost card's status does not matter to take back. */
static err
check_withdrawer(const struct verify_order *o, const struct document *d, const struct cms *c, struct facts *f)
{
	struct application a OWNED(application_drop) = {0};
	struct key *card OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN];
	struct cert leaf;
	digest named;

	TRY(application_get(o->application, &a));
	TRY(digest_get(d->value[C_APPLICATION], &named));
	key_identifier(a.key, id);
	if (!digest_eq(named, sha256(o->application)))
		return fail(ERR_POLICY, "verifier-application: Rule 6(ii): the withdrawal is of another application");
	if (c->certificate.n > 0 && slice_eq(c->certificate, a.cms.certificate)) {
		TRY(cert_get(c->certificate, &leaf));
		TRY(key_get_spki(leaf.spki, &card));
		TRY(cms_check(c, card));
		f->signer = SIGNER_CARD;
		f->signer_digest = cert_digest(&leaf);
		f->signer_serial = leaf.serial;
	} else if (c->certificate.n == 0 && memcmp(c->key_id, id, sizeof id) == 0) {
		TRY(cms_check(c, a.key));
		f->signer = SIGNER_CERTIFICATE;
		f->signer_digest = key_digest(a.key);
	} else
		return fail(ERR_POLICY,
		    "verifier-withdrawer: Rule 6(ii): the withdrawal is signed neither by the application's card nor by its key");
	f->verdict = VERDICT_VERIFIED;
	f->chained = true;
	return ok;
}

static err
verify_withdrawal(const struct verifier *v, const struct verify_order *o, struct facts *f)
{
	struct document d;
	struct cms c;

	TRY(cms_get(o->cms, &c));
	TRY(document_get_form(c.content, FORM_WITHDRAWAL, &d));
	if (!slice_eq(d.value[C_SERVICE], v->trust->service))
		return fail(ERR_POLICY, "verifier-service: Rule 6(vii): the document is for another service");
	put_document(f, &d);
	f->verdict = VERDICT_UNCHECKED;
	f->signer = SIGNER_CARD;
	return o->application.n == 0 ? ok : check_withdrawer(o, &d, &c, f);
}

/* The line of each form of the office that names who signed it. */
static const struct {
	enum form form;
	size_t line;
} OFFICE[] = {
    {FORM_OFFICE_REVOCATION, W_OFFICER},
    {FORM_DECISION, D_OFFICER},
    {FORM_APPROVAL, P_RESPONSIBLE},
    {FORM_AUTOMATION, S_RESPONSIBLE},
    {FORM_PERMISSION, G_RESPONSIBLE},
    {FORM_BASELINE, B_RESPONSIBLE},
    {FORM_KEEP, KEEP_OFFICER},
    {FORM_EXTENSION, X_OFFICER},
    {FORM_LETTER, L_OFFICER},
    {FORM_NOTE, N_OFFICER},
    {FORM_KEYS, M_PERSON},
};

static err
verify_office(const struct verifier *v, const struct verify_order *o, struct facts *f)
{
	const struct trust_person *who;
	struct document d;
	struct cms c;
	size_t i = 0;

	TRY(cms_get(o->cms, &c));
	TRY(document_get(c.content, &d));
	while (i < COUNT(OFFICE) && OFFICE[i].form != d.form)
		i++;
	if (i == COUNT(OFFICE))
		return fail(ERR_INPUT, "verifier-form: Rule 6(xvi): this is no document of a person of the house");
	TRY(trust_check_person(v->trust, o->cms, decision_duty(d.form), &c, &who));
	if (d.form == FORM_OFFICE_REVOCATION)
		TRY(check_signing_time(o, &c));
	if (!slice_eq(d.value[0], v->trust->service))
		return fail(ERR_POLICY, "verifier-service: Rule 6(vii): the document is for another service");
	if (!slice_eq(d.value[OFFICE[i].line], who->label))
		return fail(ERR_POLICY, "verifier-person: Rule 12(1): the document names somebody else than who signed it");
	put_document(f, &d);
	f->verdict = VERDICT_VERIFIED;
	f->chained = true;
	f->signer = SIGNER_PERSON;
	f->signer_digest = key_digest(who->key);
	f->person = who->label;
	return ok;
}

static err
judge(const struct verifier *v, const struct verify_order *o, struct buf *body)
{
	struct application a OWNED(application_drop) = {0};
	struct buf request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct facts f = {.document = sha256(o->cms)};

	switch (o->purpose) {
	case PURPOSE_APPLICATION:
		TRY(verify_application(v, o, &f, &a, &request));
		break;
	case PURPOSE_RECEIPT:
		TRY(verify_receipt(v, o, &f));
		break;
	case PURPOSE_REVOCATION:
		TRY(verify_revocation(v, o, &f, &request));
		break;
	case PURPOSE_OFFICE:
		TRY(verify_office(v, o, &f));
		break;
	case PURPOSE_WITHDRAWAL:
		TRY(verify_withdrawal(v, o, &f));
		break;
	}
	facts_put(body, &f);
	return buf_check(body);
}

static err
hear_verify(const struct verifier *v, const struct frame *in, struct buf *out)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct verify_order o;
	err e;

	TRY(verify_order_get(in->body, &o));
	e = judge(v, &o, &body);
	if (e.kind == OK)
		answer(out, in, buf_slice(&body));
	else
		refuse(out, in, e);
	return ok;
}

err
verifier_step(struct verifier *v, const struct frame *in, struct buf *out)
{
	TRY(gate_check(GATE, COUNT(GATE), PEER_REGISTRAR, &v->state, in));
	switch (in->kind) {
	case ORDER_TRUST:
		return hear_trust(v, in, out);
	case ORDER_CRL_IN:
		return hear_crl(v, in, out);
	default:
		return hear_verify(v, in, out);
	}
}
