#include "act/application.h"
#include "act/document.h"
#include "act/entry.h"
#include "act/identity.h"
#include "act/revocation.h"
#include "pki/cms.h"
#include "pki/name.h"

const char *
revocation_by_name(enum revocation_by b)
{
	switch (b) {
	case REVOCATION_BY_CERTIFICATE:
		return "certificate";
	case REVOCATION_BY_CARD:
		return "card";
	case REVOCATION_BY_OFFICER:
		return "officer";
	}
	abort();
}

/* --- who asks ------------------------------------------------------------------- */

static err
check_ours(const struct trust *t, const struct cert *c)
{
	if (!slice_eq(c->issuer, t->issuer.subject) || c->is_ca || c->eku_ocsp ||
	    cert_check_signed_by(c, t->issuer_key).kind != OK)
		return fail(ERR_POLICY, "revocation-certificate: Rule 6(x): the certificate is not a person's of this issuer");
	return ok;
}

/*
 * The application is the one this certificate was issued on: its subject names the dossier, which is the application's
 * digest.  The key alone would not say so: anybody can put the same PKCS#10 into a document of his own.
 */
static bool
is_application_of(const struct application *a, const struct cert *ours)
{
	struct buf id OWNED(buf_drop) = BUF(64);
	dossier_id d = dossier_id_of(a->document);
	slice named;

	buf_put_hex(&id, (slice){d.b, sizeof d.b});
	return slice_eq(a->request.spki, ours->spki) && name_value(ours->subject, NAME_SERIAL, &named).kind == OK &&
	       slice_eq(named, buf_slice(&id));
}

static err
check_lists(const struct trust *t, const struct revocation_lists *l, const struct identity *i, instant judged)
{
	for (size_t k = 0; k < l->n_held; k++) {
		const struct crl_table *c = l->held[k];

		if (c != NULL && slice_eq(crl_table_aki(c), t->anchor[i->anchor].cert.ski) && l->taken[k].ms <= judged.ms &&
		    crl_table_this_update(c).ms > i->status_this_update.ms && crl_table_has(c, i->leaf.serial))
			return fail(ERR_POLICY, "revocation-list: JPKI Act 19(1): a later list than the one cited was here and "
			                        "names the card; an officer "
			                        "decides");
	}
	return ok;
}

/* V-1 by the applicant's card: the application under this certificate names the card. */
static err
check_card(const struct trust *t, const struct revoked_order *o, const struct cert *ours, const struct cms *c,
    const struct revocation_lists *l)
{
	const struct crl_table *crl = l->cited;
	struct status_evidence evidence = {.method = o->method,
	    .ocsp_answer = o->ocsp_answer,
	    .ocsp_nonce = o->ocsp_nonce,
	    .crl = o->method == STATUS_CRL ? crl : NULL};
	struct application a OWNED(application_drop) = {0};
	struct identity i;

	if (o->application.n == 0)
		return fail(ERR_POLICY, "revocation-signer: Rule 6(x): the request is signed by neither certificate nor card");
	if (o->method == STATUS_CRL && (crl == NULL || !digest_eq(crl_table_digest(crl), o->crl)))
		return fail(ERR_ABSENT, "revocation-crl: JPKI Act 19: the CRL this request cites was not handed over");
	TRY(application_get(o->application, &a));
	if (!is_application_of(&a, ours))
		return fail(
		    ERR_POLICY, "revocation-application: Rule 6(x): the application is not the one of this certificate");
	if (!slice_eq(a.cms.certificate, c->certificate))
		return fail(
		    ERR_POLICY, "revocation-card: Rule 6(x): the request is signed by another card than the application");
	if (o->revoked.ms - o->judged.ms > REVOCATION_JUDGED_MS || o->judged.ms - o->revoked.ms > REVOCATION_CLOCK_MS)
		return fail(
		    ERR_POLICY, "revocation-judged: JPKI Act 19: the card's status was not judged in the hour of the entry");
	identity_check_signer(t, c, &evidence, o->judged, &i);
	if (i.verdict != VERDICT_VERIFIED)
		return i.why;
	return check_lists(t, l, &i, o->judged);
}

err
revocation_check_since(slice since, slice date, instant not_before, instant entered, instant *out)
{
	instant at = {0}, said;

	if (since.n > 0) {
		TRY(instant_get(since, &at));
		TRY(instant_get(date, &said));
		at = instant_floor_second(at);
		if (at.ms < not_before.ms)
			return fail(
			    ERR_POLICY, "revocation-since: RFC 5280 5.3.2: invalid since a time before the certificate began");
		if (at.ms > said.ms || at.ms > entered.ms)
			return fail(
			    ERR_POLICY, "revocation-since-late: RFC 5280 5.3.2: invalid since a time after the decision itself");
	}
	*out = at;
	return ok;
}

static err
check_document(const struct trust *t, const struct document *d, const struct cert *ours, struct revocation *r)
{
	bool office = d->form == FORM_OFFICE_REVOCATION;
	serial s;

	if (!office && d->form != FORM_REVOCATION)
		return fail(
		    ERR_INPUT, "revocation-form: Rule 6(x): the document is neither a request nor a decision to revoke");
	if (!slice_eq(d->value[office ? W_SERVICE : V_SERVICE], t->service))
		return fail(ERR_POLICY, "revocation-service: Rule 6(vii): the document is for another service");
	TRY(serial_get_hex(d->value[office ? W_SERIAL : V_SERIAL], &s));
	if (!serial_eq(s, ours->serial))
		return fail(ERR_POLICY, "revocation-serial: Rule 6(x): the document names another certificate");
	r->serial = s;
	if (office)
		TRY(revocation_check_since(
		    d->value[W_SINCE], d->value[W_DATE], ours->not_before, r->revoked, &r->invalid_since));
	return reason_get(d->value[office ? W_REASON : V_REASON], &r->reason);
}

static err
check_signer(const struct trust *t, const struct revoked_order *o, const struct cert *ours, const struct cms *c,
    const struct document *d, const struct revocation_lists *l, struct revocation *r)
{
	const struct trust_person *who;
	struct key *k OWNED(key_drop) = NULL;
	struct cms again;

	if (d->form == FORM_OFFICE_REVOCATION) {
		TRY(trust_check_person(t, o->cms, DUTY_REVOCATION, &again, &who));
		if (!slice_eq(d->value[W_OFFICER], who->label))
			return fail(ERR_POLICY, "revocation-officer: Rule 12(1)(ii)ロ: the document names another officer");
		r->by = REVOCATION_BY_OFFICER;
		r->person = who->label;
		return ok;
	}
	if (slice_eq(c->certificate, o->certificate)) {
		TRY(key_get_spki(ours->spki, &k));
		TRY(cms_check(c, k));
		r->by = REVOCATION_BY_CERTIFICATE;
		return ok;
	}
	TRY(check_card(t, o, ours, c, l));
	r->by = REVOCATION_BY_CARD;
	return ok;
}

err
revocation_check(const struct trust *t, const struct revoked_order *o, const struct revocation_lists *l, instant now,
    struct revocation *out)
{
	struct revocation r = {.revoked = instant_floor_second(o->revoked), .document = sha256(o->cms)};
	struct cert ours;
	struct cms c;
	struct document d;

	TRY(cert_get(o->certificate, &ours));
	TRY(check_ours(t, &ours));
	r.not_after = ours.not_after;
	if (now.ms > ours.not_after.ms)
		return fail(ERR_POLICY, "revocation-expired: Rule 6(x): the certificate has ended; there is nothing to revoke");
	TRY(cms_get(o->cms, &c));
	if (o->revoked.ms > now.ms + REVOCATION_CLOCK_MS || o->revoked.ms < c.signing_time.ms - REVOCATION_CLOCK_MS)
		return fail(
		    ERR_POLICY, "revocation-time: Rule 6(x): the entry lies before the request was signed, or ahead of now");
	TRY(document_get(c.content, &d));
	TRY(check_document(t, &d, &ours, &r));
	TRY(check_signer(t, o, &ours, &c, &d, l, &r));
	*out = r;
	return ok;
}

struct revoked
revocation_row(const struct revocation *r)
{
	return (struct revoked){
	    .entry = {.serial = r->serial,
	        .revoked = r->revoked,
	        .reason = r->reason,
	        .has_invalidity = r->invalid_since.ms != 0,
	        .invalidity = r->invalid_since},
	    .not_after = r->not_after,
	};
}

err
revocation_check_cap(uint64_t last_hour, enum revocation_by by)
{
	if (by == REVOCATION_BY_OFFICER || last_hour < REVOCATION_RULE_HOUR_MAX)
		return ok;
	return fail(
	    ERR_BUSY, "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides");
}

/* --- answers --------------------------------------------------------------------- */

err
responder_get(const struct trust *t, slice der, struct responder *out)
{
	struct responder r OWNED(responder_drop) = {.der = BUF(CERT_MAX)};

	buf_put(&r.der, der);
	TRY(buf_check(&r.der));
	TRY(cert_get(buf_slice(&r.der), &r.cert));
	if (!r.cert.eku_ocsp || !r.cert.ocsp_nocheck || r.cert.is_ca || !slice_eq(r.cert.issuer, t->issuer.subject) ||
	    cert_check_signed_by(&r.cert, t->issuer_key).kind != OK)
		return fail(
		    ERR_POLICY, "answer-responder: RFC 6960 4.2.2.2: the issuer did not delegate OCSP to this certificate");
	TRY(key_get_spki(r.cert.spki, &r.key));
	key_identifier(r.key, r.key_id);
	r.alg = sig_alg_for(key_kind(r.key));
	ocsp_issuer_of(&t->issuer, &r.issuer);
	*out = r;
	r = (struct responder){0};
	return ok;
}

void
responder_drop(struct responder *r)
{
	buf_drop(&r->der);
	key_drop(&r->key);
	*r = (struct responder){0};
}

/* In the set of revoked ones or not; nothing is good for longer than that would still hold it. */
static err
find_word(
    const struct revoked_set *s, const struct known_one *k, instant now, bool *is_revoked, struct crl_entry *entry)
{
	TRY(revoked_set_find(s, k->serial, is_revoked, entry));
	if (!*is_revoked && now.ms > k->not_after.ms + REVOKED_KEEP_MS)
		return fail(ERR_POLICY, "answer-ended: Rule 6(xi): the certificate ended, and what was revoked is forgotten "
		                        "since: nothing is good");
	return ok;
}

/* What is said of one serial. */
static err
plan_word(const struct revoked_set *s, const struct responder *r, const struct known_one *k, instant this_update,
    instant next_update, instant now, struct answer_plan *out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct answer_plan a = {.known = *k};
	struct ocsp_plan p;

	TRY(find_word(s, k, now, &a.revoked, &a.entry));
	p = (struct ocsp_plan){
	    .issuer = r->issuer,
	    .serial = k->serial,
	    .status = a.revoked ? OCSP_REVOKED : OCSP_GOOD,
	    .revoked = a.entry.revoked,
	    .reason = a.entry.reason,
	    .produced = instant_floor_second(now),
	    .this_update = instant_floor_second(this_update),
	    .next_update = instant_floor_second(next_update),
	    .responder_key_id = ARR(r->key_id),
	};
	ocsp_put_data(&data, &p);
	TRY(buf_check(&data));
	a.ticket = ticket_make_status(r->alg, buf_slice(&data), revoked_set_digest(s));
	*out = a;
	return ok;
}

err
revocation_plan_answer(const struct trust *t, const struct revoked_set *s, const struct responder *r, slice certificate,
    instant this_update, instant next_update, instant now, struct answer_plan *out)
{
	struct cert c;

	TRY(revocation_check_updates(this_update, next_update, now));
	TRY(cert_get(certificate, &c));
	TRY(check_ours(t, &c));
	return plan_word(s, r, &(struct known_one){c.serial, c.not_after}, this_update, next_update, now, out);
}

/* The one for a serial that is not known: also what is said of another issuer's. */
static err
find_known(const struct known_set *known, serial number, bool ours, struct known_one *k)
{
	bool found = false;

	if (ours)
		TRY(known_set_find(known, number, &found, k));
	if (!found)
		return fail(ERR_ABSENT, "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
	return ok;
}

err
revocation_plan_known(const struct known_set *known, const struct revoked_set *s, const struct responder *r,
    serial number, instant this_update, instant next_update, instant now, struct answer_plan *out)
{
	struct known_one k;

	TRY(revocation_check_updates(this_update, next_update, now));
	TRY(find_known(known, number, true, &k));
	return plan_word(s, r, &k, this_update, next_update, now, out);
}

err
revocation_unknown_get(slice word, enum unknown_word *out)
{
	*out = slice_eq(word, LIT("unknown")) ? UNKNOWN_SIGNED : UNKNOWN_UNAUTHORIZED;
	if (*out == UNKNOWN_SIGNED || slice_eq(word, LIT("unauthorized")))
		return ok;
	return fail(ERR_INPUT, "ocsp-unknown-word: RFC 6960 2.2: unknown in [ocsp] is unauthorized or unknown");
}

/* One certificate of a live answer. */
static err
plan_single(const struct known_set *known, const struct revoked_set *s, const struct responder *r,
    enum unknown_word unknown, const struct ocsp_certid *id, instant now, struct ocsp_single *out)
{
	bool ours = ocsp_certid_is_of(id, &r->issuer), is_revoked = false;
	struct crl_entry entry = {0};
	struct known_one k;
	err e = find_known(known, id->serial, ours, &k);

	*out = (struct ocsp_single){.id = *id, .this_update = instant_floor_second(now)};
	if (e.kind == ERR_ABSENT && ours && unknown == UNKNOWN_SIGNED) {
		TRY(revoked_set_find(s, id->serial, &is_revoked, &entry));
		if (is_revoked)
			return e; /* it is issued, and will be shown to us again */
		out->status = OCSP_UNKNOWN;
		out->next_update = (instant){out->this_update.ms + REVOCATION_UNKNOWN_MS};
		return ok;
	}
	TRY(e);
	TRY(find_word(s, &k, now, &is_revoked, &entry));
	out->status = is_revoked ? OCSP_REVOKED : OCSP_GOOD;
	out->revoked = entry.revoked;
	out->reason = entry.reason;
	out->next_update = (instant){out->this_update.ms + REVOCATION_LIVE_MS};
	return ok;
}

err
revocation_plan_live(const struct known_set *known, const struct revoked_set *s, const struct responder *r,
    enum unknown_word unknown, slice request, instant now, struct ticket **out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_request asked;
	struct ocsp_live live = {.responder_key_id = ARR(r->key_id), .produced = instant_floor_second(now)};

	TRY(ocsp_request_get(request, &asked));
	live.nonce = asked.nonce;
	live.n = asked.n;
	for (size_t i = 0; i < asked.n; i++)
		TRY(plan_single(known, s, r, unknown, &asked.id[i], now, &live.single[i]));
	ocsp_put_live(&data, &live);
	TRY(buf_check(&data));
	*out = ticket_make_status(r->alg, buf_slice(&data), revoked_set_digest(s));
	return ok;
}

err
revocation_check_answer(const struct responder *r, const struct ticket *k, slice signature)
{
	if (key_check(r->key, ticket_alg(k), ticket_tbs(k), signature).kind != OK)
		return fail(ERR_WORLD, "answer-signature: RFC 6960: what the token returned is not the responder's signature");
	return ok;
}

err
revocation_join_answer(const struct responder *r, const struct ticket *k, slice signature, struct buf *out)
{
	ocsp_join(out, ticket_tbs(k), ticket_alg(k), signature, r->cert.whole);
	return buf_check(out);
}
