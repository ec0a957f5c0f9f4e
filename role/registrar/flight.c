#include "edge/log.h"
#include "edge/random.h"
#include "role/registrar/registrar.h"

#define TRIES_MAX 3 /* verifiers lost over one document: then it is the document */

static uint64_t
key_of(digest document)
{
	uint64_t v;

	memcpy(&v, document.b, sizeof v);
	return v | (v == 0);
}

struct flight *
flight_of_document(struct registrar *r, digest document)
{
	uint64_t key = key_of(document);

	if (r->flights == 0)
		return NULL;
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (r->flight_key[i] == key && digest_eq(r->flight[i].document, document))
			return &r->flight[i];
	return NULL;
}

struct flight *
flight_of_id(struct registrar *r, uint64_t id)
{
	struct flight *f = &r->flight[id % FLIGHTS_MAX];

	return f->stage != STAGE_FREE && f->id == id ? f : NULL;
}

/* The buffers keep their memory: the next document of this place needs as much. */
static void
clear(struct flight *f)
{
	struct buf *const b[] = {&f->cms, &f->application, &f->certificate, &f->answer, &f->request, &f->decision,
	    &f->officer, &f->ruleset_file, &f->name, &f->address, &f->reason};
	struct flight keep;

	for (size_t i = 0; i < COUNT(b); i++)
		buf_clear(b[i]);
	keep = (struct flight){.cms = f->cms,
	    .application = f->application,
	    .certificate = f->certificate,
	    .answer = f->answer,
	    .request = f->request,
	    .decision = f->decision,
	    .officer = f->officer,
	    .ruleset_file = f->ruleset_file,
	    .name = f->name,
	    .address = f->address,
	    .reason = f->reason};
	*f = keep;
}

static void
set_limits(struct flight *f)
{
	f->cms.max = f->application.max = f->decision.max = CMS_MAX;
	f->certificate.max = CERT_MAX;
	f->answer.max = f->request.max = 64U << 10;
	f->ruleset_file.max = CONF_MAX;
	f->officer.max = f->name.max = f->address.max = f->reason.max = DOCUMENT_VALUE_MAX;
}

struct flight *
flight_new(struct registrar *r, enum errand errand, digest document)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		size_t at = (r->flight_hint + i) % FLIGHTS_MAX;
		struct flight *f = &r->flight[at];

		if (f->stage != STAGE_FREE)
			continue;
		clear(f);
		set_limits(f);
		r->flight_hint = (uint32_t)(at + 1);
		r->flight_ids += FLIGHTS_MAX;
		f->id = r->flight_ids + at;
		f->stage = STAGE_HOLD;
		f->errand = errand;
		f->document = document;
		f->dossier = dossier_id_of(document);
		r->flight_key[at] = key_of(document);
		r->flights++;
		return f;
	}
	return NULL;
}

void
flight_free(struct registrar *r, struct flight *f)
{
	assert(f->stage != STAGE_FREE);
	f->stage = STAGE_FREE;
	f->id = 0;
	r->flight_key[f - r->flight] = 0;
	r->flights--;
}

void
flight_wipe(struct flight *f)
{
	struct buf *const b[] = {&f->cms, &f->application, &f->certificate, &f->answer, &f->request, &f->decision,
	    &f->officer, &f->ruleset_file, &f->name, &f->address, &f->reason};

	for (size_t i = 0; i < COUNT(b); i++)
		buf_drop(b[i]);
}

void
flight_rename(struct registrar *r, struct flight *f, digest document)
{
	f->document = document;
	f->dossier = dossier_id_of(document);
	r->flight_key[f - r->flight] = key_of(document);
}

void
flight_land(struct registrar *r, struct flight *f)
{
	apply_answer_all(r, f);
	for (size_t i = 0; i < f->n_callers; i++)
		turn_refuse(r, &f->caller[i], fail(ERR_BUSY, "flight-lost: house: a helper went away; send this again"));
	flight_free(r, f);
}

void
flight_refuse(struct registrar *r, struct flight *f, enum err_kind kind, slice what)
{
	for (size_t i = 0; i < f->n_callers; i++)
		turn_refuse_text(r, &f->caller[i], kind, what);
	flight_free(r, f);
}

void
flight_refuse_err(struct registrar *r, struct flight *f, err e)
{
	for (size_t i = 0; i < f->n_callers; i++)
		turn_refuse(r, &f->caller[i], e);
	flight_free(r, f);
}

void
flight_drop_all(struct registrar *r, err why)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (r->flight[i].stage != STAGE_FREE)
			flight_refuse_err(r, &r->flight[i], why);
}

/* --- verifiers ------------------------------------------------------------------ */
static bool
is_usable(struct registrar *r, const struct judge *v)
{
	const struct link *l;

	if (!v->ready || v->orders >= VERIFIER_ORDERS_MAX)
		return false;
	/* one that is still reading J-LIS's lists would judge without them */
	if (!jlis_is_given(r, v->crl, NULL))
		return false;
	l = link_of(r, PEER_VERIFIER, v->number);
	return l != NULL && !link_is_full(l);
}

static struct judge *
choose(struct registrar *r)
{
	for (size_t i = 0; i < COUNT(r->verifier); i++) {
		size_t at = (r->next_verifier + i) % COUNT(r->verifier);

		if (is_usable(r, &r->verifier[at])) {
			r->next_verifier = at + 1;
			return &r->verifier[at];
		}
	}
	return NULL;
}

static enum purpose
purpose_of(enum errand e)
{
	switch (e) {
	case ERRAND_RECEIPT:
		return PURPOSE_RECEIPT;
	case ERRAND_REVOKE:
		return PURPOSE_REVOCATION;
	case ERRAND_WITHDRAW:
		return PURPOSE_WITHDRAWAL;
	case ERRAND_OFFICE:
		return PURPOSE_OFFICE;
	default:
		return PURPOSE_APPLICATION;
	}
}

void
flight_verify(struct registrar *r, struct flight *f)
{
	struct judge *v = choose(r);
	struct verify_order o = {.purpose = purpose_of(f->errand), .at = r->now, .cms = buf_slice(&f->cms)};
	const struct ledger *h = db_ledger(r->db);

	f->stage = STAGE_HOLD;
	if (v == NULL) {
		r->held = true;
		return;
	}
	if (r->trust->method == STATUS_CRL) {
		size_t which = 0;

		/* one is cited; where the card is of another CA of J-LIS the verifier takes that one's */
		while (which < JLIS_LISTS_MAX && !ledger_has_list(h, which))
			which++;
		if (which < JLIS_LISTS_MAX) {
			o.method = STATUS_CRL;
			o.crl = h->jlis[which].digest;
		}
	} else if (r->trust->method == STATUS_OCSP) {
		if (f->nonce[0] == 0)
			random_bytes(f->nonce, sizeof f->nonce);
		f->nonce[0] |= 0x40; /* never zero: zero says none */
		o.method = f->answer.n > 0 ? STATUS_OCSP : STATUS_NONE;
		o.ocsp_answer = buf_slice(&f->answer);
		o.ocsp_nonce = ARR(f->nonce);
	}
	o.certificate = buf_slice(&f->certificate);
	o.application = buf_slice(&f->application);
	f->judged = r->now;
	f->method = o.method;
	f->crl = o.crl;
	verify_order_put(body_new(r), &o);
	turn_order_now(r, PEER_VERIFIER, v->number, ORDER_VERIFY, f->id, buf_slice(&r->body));
	f->verifier = v->number;
	f->stage = STAGE_VERIFY;
	v->orders++;
}

void
flight_send_held(struct registrar *r)
{
	if (!r->held)
		return;
	r->held = false;
	for (size_t i = 0; i < FLIGHTS_MAX && r->flights > 0; i++)
		if (r->flight[i].stage == STAGE_HOLD) {
			flight_verify(r, &r->flight[i]);
			if (r->flight[i].stage == STAGE_HOLD)
				return; /* none is free: the others wait too */
		}
}

void
flight_forget_verifier(struct registrar *r, uint64_t number)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *f = &r->flight[i];

		if (f->stage != STAGE_VERIFY || f->verifier != number)
			continue;
		f->stage = STAGE_HOLD;
		r->held = true;
		if (++f->tries < TRIES_MAX)
			continue;
		log_id(LOG_ALARM, "verifier-lost: house: a document ended three verifiers", "document",
		    digest_slice(&f->document));
		flight_refuse_err(
		    r, f, fail(ERR_INPUT, "verifier-lost: house: this document could not be read to its end; it is not taken"));
	}
}

err
flight_load(struct registrar *r, const struct record *d, struct buf *application, struct buf *certificate)
{
	if (application != NULL && application->n == 0)
		TRY(book_evidence(r->book, &d->application, d->d.document, (slice){NULL, 0}, application));
	if (certificate != NULL && certificate->n == 0)
		TRY(book_evidence(r->book, &d->certificate, d->d.certificate, (slice){NULL, 0}, certificate));
	return ok;
}

bool
flight_mail_refused(const struct frame *x)
{
	return x->fail == ERR_INPUT || x->fail == ERR_POLICY;
}

void
flight_mail(struct registrar *r, struct flight *f, slice to, slice subject, slice text)
{
	mail_order_put(body_new(r), &(struct mail_order){to, subject, text});
	turn_order(r, PEER_MESSENGER, 0, ORDER_MAIL, f->id, buf_slice(&r->body));
	f->stage = STAGE_MAIL;
}
