#include "act/application.h"
#include "act/document.h"
#include "act/entry.h"
#include "act/identity.h"
#include "act/revocation.h"
#include "pki/cms.h"
#include "pki/name.h"
#include "pki/ocsp.h"

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

/* --- the set ------------------------------------------------------------------- */

struct revoked_set {
	struct crl_entry *entry; /* sorted by serial */
	instant *not_after;      /* beside           */
	size_t n, cap;
	bool has_digest;
	digest digest;
	instant hour[REVOCATION_RULE_HOUR_MAX]; /* a ring of the last ones by rule */
	size_t hour_next;
};

struct revoked_set *
revoked_set_new(void)
{
	struct revoked_set *s = mem_new(1, sizeof *s);

	for (size_t i = 0; i < COUNT(s->hour); i++)
		s->hour[i].ms = INSTANT_MIN_MS;
	return s;
}

void
revoked_set_drop(struct revoked_set **s)
{
	if (*s == NULL)
		return;
	free((*s)->entry);
	free((*s)->not_after);
	free(*s);
	*s = NULL;
}

/* Where the serial is, or belongs. */
static size_t
place(const struct revoked_set *s, serial number)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(s->entry[mid].serial, number) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
revoked_set_add(struct revoked_set *s, const struct revocation *r)
{
	size_t at = place(s, r->serial);

	if (at < s->n && serial_eq(s->entry[at].serial, r->serial))
		return;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->entry = mem_grow(s->entry, s->cap, sizeof s->entry[0]);
		s->not_after = mem_grow(s->not_after, s->cap, sizeof s->not_after[0]);
	}
	memmove(s->entry + at + 1, s->entry + at, (s->n - at) * sizeof s->entry[0]);
	memmove(s->not_after + at + 1, s->not_after + at, (s->n - at) * sizeof s->not_after[0]);
	s->entry[at] = (struct crl_entry){.serial = r->serial, .revoked = r->revoked, .reason = r->reason};
	s->not_after[at] = r->not_after;
	s->n++;
	s->has_digest = false;
}

bool
revoked_set_find(const struct revoked_set *s, serial number, struct crl_entry *out)
{
	size_t at = place(s, number);

	if (at == s->n || !serial_eq(s->entry[at].serial, number))
		return false;
	*out = s->entry[at];
	return true;
}

size_t
revoked_set_count(const struct revoked_set *s)
{
	return s->n;
}

void
revoked_set_expire(struct revoked_set *s, instant now)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->not_after[i].ms + REVOKED_KEEP_MS < now.ms)
			continue;
		s->entry[kept] = s->entry[i];
		s->not_after[kept++] = s->not_after[i];
	}
	if (kept != s->n)
		s->has_digest = false;
	s->n = kept;
}

digest
revoked_set_digest(struct revoked_set *s)
{
	struct hash h;

	if (s->has_digest)
		return s->digest;
	hash_start(&h);
	for (size_t i = 0; i < s->n; i++) {
		struct buf b OWNED(buf_drop) = BUF(128);

		serial_put(&b, s->entry[i].serial);
		instant_put(&b, s->entry[i].revoked);
		buf_put_decimal(&b, s->entry[i].reason);
		hash_add(&h, buf_slice(&b));
	}
	s->digest = hash_end(&h);
	s->has_digest = true;
	return s->digest;
}

err
revoked_set_check_cap(struct revoked_set *s, enum revocation_by by, instant now)
{
	if (by == REVOCATION_BY_OFFICER)
		return ok;
	if (now.ms - s->hour[s->hour_next].ms < HOUR_MS)
		return fail(
		    ERR_BUSY, "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides");
	s->hour[s->hour_next] = now;
	s->hour_next = (s->hour_next + 1) % COUNT(s->hour);
	return ok;
}

/* --- lists and answers --------------------------------------------------------------- */

static err
check_updates(instant this_update, instant next_update, instant now)
{
	if (this_update.ms > now.ms + REVOCATION_CLOCK_MS || this_update.ms < now.ms - REVOCATION_CLOCK_MS)
		return fail(ERR_POLICY, "status-clock: Rule 6(xi): thisUpdate is over 5 minutes off the signer's clock");
	if (next_update.ms <= this_update.ms || next_update.ms - this_update.ms > STATUS_NEXT_MAX_MS)
		return fail(ERR_POLICY, "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate");
	return ok;
}

err
revocation_plan_crl(const struct trust *t, struct revoked_set *s, const struct crl_order *o, uint64_t last_number,
    instant now, struct ticket **out)
{
	struct buf tbs OWNED(buf_drop) = BUF(CRL_MAX);

	TRY(check_updates(o->now, o->next_update, now));
	if (o->number <= last_number)
		return fail(ERR_CONFLICT, "list-number: RFC 5280 5.2.3: the number of a list only grows");
	crl_put_tbs(&tbs, &(struct crl_plan){
	                      .alg = t->issuer.alg,
	                      .issuer = t->issuer.subject,
	                      .this_update = instant_floor_second(o->now),
	                      .next_update = instant_floor_second(o->next_update),
	                      .number = o->number,
	                      .aki = t->issuer.ski,
	                      .entry = s->entry,
	                      .n = s->n,
	                  });
	TRY(buf_check(&tbs));
	*out = ticket_make_status(t->issuer.alg, buf_slice(&tbs), revoked_set_digest(s));
	return ok;
}

err
revocation_join_crl(const struct trust *t, const struct ticket *k, slice signature, struct buf *out)
{
	if (key_check(t->issuer_key, ticket_alg(k), ticket_tbs(k), signature).kind != OK)
		return fail(ERR_WORLD, "list-signature: Rule 6(xi): what the token returned is not the issuer's signature");
	cert_join(out, ticket_tbs(k), ticket_alg(k), signature);
	return buf_check(out);
}

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

err
revocation_plan_answer(const struct trust *t, struct revoked_set *s, const struct responder *r, slice certificate,
    instant this_update, instant next_update, instant now, struct ticket **out, serial *number)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct crl_entry e = {0};
	struct cert c;
	bool revoked;
	struct ocsp_plan p;

	TRY(check_updates(this_update, next_update, now));
	TRY(cert_get(certificate, &c));
	TRY(check_ours(t, &c));
	revoked = revoked_set_find(s, c.serial, &e);
	if (!revoked && now.ms > c.not_after.ms + REVOKED_KEEP_MS)
		return fail(ERR_POLICY, "answer-ended: Rule 6(xi): the certificate ended, and what was revoked is forgotten "
		                        "since: nothing is good");
	p = (struct ocsp_plan){
	    .serial = c.serial,
	    .status = revoked ? OCSP_REVOKED : OCSP_GOOD,
	    .revoked = e.revoked,
	    .reason = e.reason,
	    .produced = instant_floor_second(now),
	    .this_update = instant_floor_second(this_update),
	    .next_update = instant_floor_second(next_update),
	    .responder_key_id = ARR(r->key_id),
	};
	ocsp_issuer_of(&t->issuer, &p.issuer);
	ocsp_put_data(&data, &p);
	TRY(buf_check(&data));
	*out = ticket_make_status(r->alg, buf_slice(&data), revoked_set_digest(s));
	*number = c.serial;
	return ok;
}

err
revocation_join_answer(const struct responder *r, const struct ticket *k, slice signature, struct buf *out)
{
	if (key_check(r->key, ticket_alg(k), ticket_tbs(k), signature).kind != OK)
		return fail(ERR_WORLD, "answer-signature: RFC 6960: what the token returned is not the responder's signature");
	ocsp_join(out, ticket_tbs(k), ticket_alg(k), signature, r->cert.whole);
	return buf_check(out);
}
