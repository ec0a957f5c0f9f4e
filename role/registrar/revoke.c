#include "act/revocation.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

/* --- receipts ---------------------------------------------------------------------- */
err
flight_take_document(struct registrar *r, enum errand errand, const struct caller *c, slice body)
{
	struct flight *f;
	slice cms;
	digest d;

	TRY(turn_open_check(r));
	TRY(octets_get(body, &cms));
	if (cms.n > CMS_MAX)
		return fail(ERR_INPUT, "cms-long: house: a document has at most 65536 bytes");
	d = sha256(cms);
	f = flight_of_document(r, d);
	if (f != NULL && f->errand == errand && f->n_callers < CALLERS_MAX) {
		f->caller[f->n_callers++] = *c;
		return ok;
	}
	f = f != NULL ? NULL : flight_new(r, errand, d);
	if (f == NULL)
		return fail(ERR_BUSY, "apply-busy: house: too many applications are being judged; try again by yourself");
	buf_put(&f->cms, cms);
	f->caller[f->n_callers++] = *c;
	flight_verify(r, f);
	return ok;
}

err
receipt_order(struct registrar *r, const struct caller *c, slice body)
{
	return flight_take_document(r, ERRAND_RECEIPT, c, body);
}

static void
answer_entry(struct registrar *r, struct flight *f, const serial *s)
{
	for (size_t i = 0; i < f->n_callers; i++)
		turn_entry_reply(r, &f->caller[i], s);
	flight_free(r, f);
}

/* The same document again: the line it made stands in the books. */
static err
answer_old(struct registrar *r, struct flight *f, uint64_t n, const serial *s)
{
	for (size_t i = 0; i < f->n_callers; i++)
		TRY(turn_old_entry(r, &f->caller[i], n, s));
	flight_free(r, f);
	return ok;
}

static err
check_receipt(const struct facts *x, const struct record *d)
{
	dossier_id id;
	digest certificate;

	TRY(hex_get(x->value[R_DOSSIER], id.b, sizeof id.b));
	TRY(digest_get(x->value[R_CERTIFICATE], &certificate));
	if (memcmp(id.b, d->d.id.b, sizeof id.b) != 0 || !digest_eq(certificate, d->d.certificate) ||
	    !digest_eq(x->signer_digest, d->d.certificate))
		return fail(ERR_POLICY, "receipt-other: Rule 12(1)(i)リ: the receipt is not for, or not by, this certificate");
	return ok;
}

static err
enter_receipt(struct registrar *r, struct flight *f, const struct record *d)
{
	struct entry e = entry_about(r, ACT_RECEIPT_RECEIVED, d->d.id);
	struct buf by OWNED(buf_drop) = BUF(LINE_ID_MAX);
	struct evidence_at at;

	buf_put_hex(&by, digest_slice(&d->d.certificate));
	e.line.by = BY_APPLICANT;
	e.line.by_id = buf_slice(&by);
	e.line.n_evidence = 1;
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	e.document = f->document;
	e.serial = d->d.serial;
	TRY(turn_enter(r, &e, &at));
	answer_entry(r, f, &d->d.serial);
	return ok;
}

err
receipt_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	serial s;
	err e;

	if (x->form != FORM_RECEIPT || x->n != R_COUNT || x->verdict != VERDICT_VERIFIED) {
		flight_refuse(r, f, x->kind == OK ? ERR_INPUT : x->kind,
		    x->why.n > 0 ? x->why : LIT("receipt-form: Rule 12(1)(i): this document is no receipt"));
		return ok;
	}
	e = serial_get_hex(x->value[R_SERIAL], &s);
	if (e.kind == OK)
		e = db_serial(r->db, s, &d);
	if (e.kind == OK)
		e = check_receipt(x, &d);
	if (e.kind == OK && digest_eq(d.d.receipt, f->document))
		return answer_old(r, f, d.d.receipt_n, &d.d.serial);
	if (e.kind == OK)
		e = dossier_plan(&d.d, ACT_RECEIPT_RECEIVED);
	if (e.kind == OK)
		return enter_receipt(r, f, &d);
	if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		return e;
	flight_refuse_err(r, f, e);
	return ok;
}

/* --- revocations -------------------------------------------------------------------- */
err
revoke_order(struct registrar *r, const struct caller *c, slice body)
{
	return flight_take_document(r, ERRAND_REVOKE, c, body);
}

static struct entry
revocation_entry(const struct registrar *r, enum act act, const struct flight *f, const struct record *d, slice by)
{
	struct entry e = entry_about(r, act, d->d.id);

	e.line.by = BY_APPLICANT;
	e.line.by_id = by;
	e.document = f->document;
	e.serial = d->d.serial;
	e.line.n_evidence = 1;
	e.line.evidence[0] = f->document;
	return e;
}

/* At once: the slot goes first, then the signers hear, then the new answer and the list (status.c). */
static void
withdraw(struct registrar *r, const serial *s)
{
	serial_order_put(body_new(r), &(struct serial_order){*s});
	turn_order(r, PEER_PUBLISHER, 0, ORDER_WITHDRAW, 0, buf_slice(&r->body));
	r->revoked_now = true;
	r->owed.notice_at = 0;
	r->revocations++;
}

/* Who decides by rule: the certificate's own key, or the application's card with good status. */
static bool
is_at_once(const struct facts *x, const struct record *d)
{
	if (x->signer == SIGNER_CERTIFICATE)
		return digest_eq(x->signer_digest, d->d.certificate);
	return x->signer == SIGNER_CARD && x->same_card && x->verdict == VERDICT_VERIFIED;
}

static err
enter_revoked(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d, slice by)
{
	struct entry e = revocation_entry(r, ACT_CERTIFICATE_REVOKED, f, d, by);
	struct buf id OWNED(buf_drop) = BUF(LINE_ID_MAX);
	struct evidence_at at[3] = {{0}};

	buf_put_hex(&id, digest_slice(&r->ruleset->digest));
	e.line.by = BY_RULE;
	e.line.by_id = buf_slice(&id);
	e.ruleset = r->ruleset->digest;
	e.responsible = r->approval.responsible->label;
	e.signer = x->signer;
	e.judged = f->judged;
	TRY(reason_get(x->value[V_REASON], &e.reason));
	TRY(db_place(r->db, f->document, &at[0]));
	if (x->signer == SIGNER_CARD) {
		e.method = x->method;
		e.status = x->status_digest;
		if (f->answer.n > 0) {
			memcpy(e.nonce, f->nonce, sizeof e.nonce);
			e.line.n_evidence = 3;
			TRY(turn_sealed(r, buf_slice(&f->answer), &e.line.evidence[1], &at[1]));
			TRY(turn_sealed(r, buf_slice(&f->request), &e.line.evidence[2], &at[2]));
			e.status = e.line.evidence[1];
		}
	}
	TRY(turn_enter(r, &e, at));
	withdraw(r, &d->d.serial);
	answer_entry(r, f, &d->d.serial);
	return ok;
}

static err
enter_requested(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d, slice by)
{
	struct entry e = revocation_entry(r, ACT_REVOCATION_REQUESTED, f, d, by);
	struct evidence_at at;

	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	e.signer = x->signer;
	TRY(reason_get(x->value[V_REASON], &e.reason));
	return turn_enter(r, &e, &at);
}

/* The officers' alarm; it names the dossier and nobody.  Lost, the entry and `inkanctl office list` still say it. */
static void
raise_alarm(struct registrar *r, const struct record *d, slice why)
{
	struct buf text OWNED(buf_drop) = BUF(2048);

	log_id(LOG_ALARM, "revoke-officer: Rule 6(x): a revocation waits for an officer", "dossier", ARR(d->d.id.b));
	if (r->office_mail[0] == '\0' || link_of(r, PEER_MESSENGER, 0) == NULL)
		return;
	buf_put_str(&text, "inkanctl office list\n\n");
	buf_put_hex(&text, ARR(d->d.id.b));
	buf_put_u8(&text, '\n');
	buf_put(&text, why);
	buf_put_u8(&text, '\n');
	mail_order_put(body_new(r), &(struct mail_order){slice_str(r->office_mail),
	                                LIT("失効の判断が必要です / A revocation waits for an officer"), buf_slice(&text)});
	turn_order(r, PEER_MESSENGER, 0, ORDER_MAIL, 0, buf_slice(&r->body));
}

/* A renewed, revoked or uncheckable card: to a revocation officer at once, with an alarm (B-10). */
static err
enter_for_officer(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d)
{
	struct entry e = entry_about(r, ACT_REVIEW_OPENED, d->d.id);

	e.why =
	    x->verdict == VERDICT_VERIFIED
	        ? LIT("revoke-other-card: Rule 6(x): asked with another card than the application's; an officer decides")
	        : LIT("revoke-unchecked: Rule 6(x): the card is revoked or could not be checked; an officer decides");
	TRY(turn_enter(r, &e, NULL));
	raise_alarm(r, d, e.why);
	answer_entry(r, f, &d->d.serial);
	return ok;
}

/* First the verifier says which serial is meant and who signed; a card is judged again beside the application. */
static err
second_look(struct registrar *r, struct flight *f, const struct record *d)
{
	f->second = true;
	TRY(flight_load(r, d, &f->application, &f->certificate));
	flight_verify(r, f);
	return ok;
}

/*
 * Anybody with a card can name any serial: so much of it as an officer can look at.  By one card one request a day for
 * certificates that are not of it, and of all cards STRANGERS_MAX; what is over is refused before anything is written.
 */
static err
count_stranger(struct registrar *r, digest card)
{
	size_t free_at = STRANGERS_MAX;

	for (size_t i = 0; i < STRANGERS_MAX; i++) {
		bool lapsed = r->stranger[i].at == 0 || r->seen_steady - r->stranger[i].at >= STRANGER_MS;

		if (!lapsed && digest_eq(r->stranger[i].card, card))
			return fail(ERR_BUSY, "revoke-card: Rule 6(x): this card asked for another's certificate today; telephone "
			                      "the service instead");
		if (lapsed)
			free_at = i;
	}
	if (free_at == STRANGERS_MAX)
		return fail(
		    ERR_BUSY, "revoke-many: Rule 6(x): too many ask with other cards today; telephone the service instead");
	r->stranger[free_at].card = card;
	r->stranger[free_at].at = r->seen_steady > 0 ? r->seen_steady : 1;
	return ok;
}

void
revoke_recall_stranger(struct registrar *r, digest card, int64_t ago_ms)
{
	for (size_t i = 0; i < STRANGERS_MAX; i++) {
		if (r->stranger[i].at != 0)
			continue;
		r->stranger[i].card = card;
		r->stranger[i].at = r->seen_steady - ago_ms != 0 ? r->seen_steady - ago_ms : 1;
		return;
	}
}

/*
 * What goes to an officer: one open request a certificate, and a second where the first was a stranger's and the card of
 * the application itself asks now.
 */
static err
check_for_officer(struct registrar *r, const struct facts *x, const struct record *d)
{
	bool own = digest_eq(x->signer_digest, d->d.card);

	if (d->d.question == QUESTION_REVOCATION && (!own || digest_eq(d->d.requester, d->d.card)))
		return fail(ERR_CONFLICT, "revoke-open: Rule 6(x): a request for this certificate waits for an officer; "
		                          "telephone the service if it hastes");
	return own ? ok : count_stranger(r, x->signer_digest);
}

static err
request(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d)
{
	struct buf by OWNED(buf_drop) = BUF(LINE_ID_MAX);
	bool at_once = is_at_once(x, d);
	err e;

	if (digest_eq(d->d.request, f->document))
		return answer_old(r, f, d->d.request_n, &d->d.serial);

	if (x->signer == SIGNER_CARD && x->verdict == VERDICT_UNCHECKED && x->ocsp_request.n > 0 && !f->asked_jlis) {
		jlis_ask(r, f, x->ocsp_request);
		if (f->stage == STAGE_JLIS)
			return ok;
	}
	e = at_once ? ok : check_for_officer(r, x, d);
	if (e.kind != OK) {
		flight_refuse_err(r, f, e);
		return ok;
	}
	buf_put_hex(&by, digest_slice(&x->signer_digest));
	TRY(enter_requested(r, f, x, d, buf_slice(&by)));
	return at_once ? enter_revoked(r, f, x, d, buf_slice(&by)) : enter_for_officer(r, f, x, d);
}

err
revoke_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	serial s;
	err e;

	if (x->form != FORM_REVOCATION || x->n != V_COUNT || !x->chained ||
	    (x->signer == SIGNER_CERTIFICATE && x->verdict != VERDICT_VERIFIED)) {
		flight_refuse(r, f, x->kind == OK ? ERR_INPUT : x->kind,
		    x->why.n > 0 ? x->why : LIT("revoke-form: Rule 6(x): this document is no request for revocation"));
		return ok;
	}
	e = serial_get_hex(x->value[V_SERIAL], &s);
	if (e.kind == OK)
		e = db_serial(r->db, s, &d);
	if (e.kind == OK && d.d.state == DOSSIER_REVOKED && digest_eq(d.d.revocation, f->document))
		return answer_old(r, f, d.d.revoked_n, &d.d.serial);
	if (e.kind == OK)
		e = dossier_plan(&d.d, ACT_CERTIFICATE_REVOKED);
	if (e.kind == OK && x->signer == SIGNER_CERTIFICATE && !digest_eq(x->signer_digest, d.d.certificate))
		e = fail(ERR_POLICY, "revoke-other: Rule 6(x): the request is signed with another certificate than it names");
	if (e.kind == OK && x->signer == SIGNER_CARD && !f->second)
		return second_look(r, f, &d);
	if (e.kind == OK)
		return request(r, f, x, &d);
	if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		return e;
	flight_refuse_err(r, f, e);
	return ok;
}

/* --- by an officer: V-2 ------------------------------------------------------------------ */
static err
check_since(struct registrar *r, struct flight *f, const struct facts *x, const struct record *d, instant *out)
{
	struct cert c;

	if (x->value[W_SINCE].n == 0)
		return ok;
	TRY(flight_load(r, d, NULL, &f->certificate));
	TRY(cert_get(buf_slice(&f->certificate), &c));
	return revocation_check_since(x->value[W_SINCE], x->value[W_DATE], c.not_before, instant_floor_second(r->now), out);
}

err
revoke_by_officer(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct entry e;
	struct evidence_at at;
	struct record d;
	instant since = {0};
	serial s;
	err bad = serial_get_hex(x->value[W_SERIAL], &s);

	if (bad.kind == OK)
		bad = db_serial(r->db, s, &d);
	if (bad.kind == OK && d.d.state == DOSSIER_REVOKED && digest_eq(d.d.revocation, f->document))
		return answer_old(r, f, d.d.revoked_n, &d.d.serial);
	if (bad.kind == OK)
		bad = dossier_plan(&d.d, ACT_CERTIFICATE_REVOKED);
	if (bad.kind == OK)
		bad = check_since(r, f, x, &d, &since);
	if (bad.kind != OK) {
		if (bad.kind == ERR_WORLD || bad.kind == ERR_CORRUPT)
			return bad;
		flight_refuse_err(r, f, bad);
		return ok;
	}
	e = revocation_entry(r, ACT_CERTIFICATE_REVOKED, f, &d, x->person);
	e.line.by = BY_OFFICER;
	e.responsible = x->person;
	e.signer = SIGNER_PERSON;
	e.judged = f->judged;
	e.invalid_since = since;
	TRY(reason_get(x->value[W_REASON], &e.reason));
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at));
	entry_personal(&e, "grounds", x->value[W_GROUNDS]);
	TRY(turn_enter(r, &e, &at));
	withdraw(r, &d.d.serial);
	answer_entry(r, f, &d.d.serial);
	return ok;
}

/* --- notices: Rule 6(xii) ------------------------------------------------------------------ */
#define NOTICES_AT_ONCE 8
#define NOTICE_EVERY_MS 1000
#define NOTICE_AGAIN_MS 30000

/* A verifier reads the application once more: the registrar parses no stranger's bytes, not even for an address. */
err
notice_owed(struct registrar *r)
{
	struct record d[NOTICES_AT_ONCE];
	size_t n;

	if (r->seen_steady < r->owed.notice_at || link_of(r, PEER_MESSENGER, 0) == NULL)
		return ok;
	r->owed.notice_at = r->seen_steady + NOTICE_EVERY_MS;
	TRY(db_owing(r->db, OWES_NOTICE, r->owed.notice_after, r->owed.notice_after == 0, d, NOTICES_AT_ONCE, &n));
	/* page by page, then from the first again: nobody's notice stands behind addresses that take no mail */
	r->owed.notice_after = n == NOTICES_AT_ONCE ? d[n - 1].d.n : 0;
	for (size_t i = 0; i < n; i++) {
		struct flight *f;

		if (d[i].d.revoked_n >= book_size(r->book) || flight_of_document(r, d[i].d.document) != NULL)
			continue;
		f = flight_new(r, ERRAND_NOTICE, d[i].d.document);
		if (f == NULL)
			return ok;
		TRY(flight_load(r, &d[i], &f->cms, NULL));
		flight_verify(r, f);
	}
	return ok;
}

static void
put_letter(struct buf *b, const struct record *d)
{
	buf_put_str(b, "あなたの電子証明書は失効しました。\n番号: ");
	buf_put_hex(b, serial_slice(&d->d.serial));
	buf_put_str(b, "\n日時: ");
	instant_put(b, d->d.revoked);
	buf_put_str(b, "\n理由: ");
	buf_put_str(b, reason_name(d->d.reason));
	buf_put_str(b, "\n心当たりがないときは、すぐにご連絡ください。\n\n"
	               "Your certificate has been revoked.\nSerial: ");
	buf_put_hex(b, serial_slice(&d->d.serial));
	buf_put_str(b, "\nTime: ");
	instant_put(b, d->d.revoked);
	buf_put_str(b, "\nReason: ");
	buf_put_str(b, reason_name(d->d.reason));
	buf_put_str(b, "\nIf you did not ask for this, please contact us at once.\n");
}

err
notice_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct buf text OWNED(buf_drop) = BUF(4096);
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (d.d.owes != OWES_NOTICE || x->form != FORM_APPLICATION || x->n != A_COUNT) {
		flight_free(r, f);
		return ok;
	}
	if (slice_eq(x->value[A_CONTACT], LIT("letter"))) {
		struct entry e = entry_about(r, ACT_REVIEW_OPENED, d.d.id);

		e.why = LIT("notice-letter: Rule 6(xii): the subscriber asked for letters; an officer sends this one");
		flight_free(r, f);
		return turn_enter(r, &e, NULL);
	}
	put_letter(&text, &d);
	flight_mail(r, f, x->value[A_CONTACT], LIT("電子証明書の失効のお知らせ / Your certificate has been revoked"),
	    buf_slice(&text));
	return ok;
}

err
notice_result(struct registrar *r, struct flight *f, const struct frame *x)
{
	struct entry e = entry_about(r, ACT_USER_NOTIFIED, f->dossier);
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (flight_mail_refused(x) && d.d.owes == OWES_NOTICE) {
		log_what(LOG_WARN, "messenger", x->what);
		e = entry_about(r, ACT_REVIEW_OPENED, d.d.id);
		e.why = LIT("notice-refused: Rule 6(xii): the subscriber's mail address is refused for good; an officer sends "
		            "this notice by letter");
		flight_free(r, f);
		return turn_enter(r, &e, NULL);
	}
	if (x->fail != OK) {
		log_what(LOG_WARN, "messenger", x->what);
		r->owed.notice_at = r->seen_steady + NOTICE_AGAIN_MS;
		flight_free(r, f);
		return ok;
	}
	flight_free(r, f);
	if (d.d.owes != OWES_NOTICE)
		return ok;
	e.line.by = BY_MESSENGER;
	e.line.by_id = LIT("messenger");
	e.serial = d.d.serial;
	e.how = LIT("mail");
	return turn_enter(r, &e, NULL);
}
