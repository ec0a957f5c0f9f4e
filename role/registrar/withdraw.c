#include "role/registrar/registrar.h"

/*
 * A-2, Rule 6(ii): who applied may take the application back until a certificate is ordered.  First a verifier says which
 * dossier is meant; then it judges the document beside the application: the same card, or the key that was to be certified.
 */
err
withdraw_order(struct registrar *r, const struct caller *c, slice body)
{
	return flight_take_document(r, ERRAND_WITHDRAW, c, body);
}

static err
enter_withdrawn(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d)
{
	struct entry e = entry_about(r, ACT_APPLICATION_WITHDRAWN, d->d.id);
	struct buf by OWNED(buf_drop) = BUF(LINE_ID_MAX);
	struct evidence_at at;

	buf_put_hex(&by, digest_slice(&x->signer_digest));
	e.line.by = BY_APPLICANT;
	e.line.by_id = buf_slice(&by);
	e.document = f->document;
	e.why = LIT("withdrawn: Rule 6(ii): the applicant withdrew this application");
	e.line.n_evidence = 1;
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	TRY(turn_enter(r, &e, &at));
	for (size_t i = 0; i < f->n_callers; i++)
		turn_entry_reply(r, &f->caller[i], NULL);
	flight_free(r, f);
	return ok;
}

/* The dossier the document names, as long as it may still be withdrawn. */
static err
find(struct registrar *r, const struct facts *x, struct record *d)
{
	dossier_id id;
	digest application;

	TRY(hex_get(x->value[C_DOSSIER], id.b, sizeof id.b));
	TRY(digest_get(x->value[C_APPLICATION], &application));
	TRY(db_dossier(r->db, id, d));
	if (!digest_eq(application, d->d.document))
		return fail(
		    ERR_CONFLICT, "withdraw-other: Rule 6(ii): the withdrawal names another application than this dossier's");
	TRY(dossier_plan(&d->d, ACT_APPLICATION_WITHDRAWN));
	if (flight_of_document(r, d->d.document) != NULL)
		return fail(ERR_BUSY, "office-busy: house: this document is being judged just now");
	return ok;
}

err
withdraw_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	err e;

	if (x->form != FORM_WITHDRAWAL || x->n != C_COUNT || (f->second && x->verdict != VERDICT_VERIFIED)) {
		flight_refuse(r, f, x->kind == OK ? ERR_INPUT : x->kind,
		    x->why.n > 0 ? x->why : LIT("withdraw-form: Rule 6(ii): this document withdraws no application"));
		return ok;
	}
	e = find(r, x, &d);
	if (e.kind == OK && f->second)
		return enter_withdrawn(r, f, x, &d);
	if (e.kind == OK) {
		f->second = true;
		TRY(flight_load(r, &d, &f->application, NULL));
		flight_verify(r, f);
		return ok;
	}
	if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		return e;
	flight_refuse_err(r, f, e);
	return ok;
}
