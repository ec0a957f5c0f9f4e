#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * What an officer writes beside decisions: V-3 refuses a request to revoke, X-1 gives a late receipt more time, L-1 says
 * that a letter which was owed was posted, N-1 notes an accident.
 */

#define EXTENSION_MAX_MS (60 * DAY_MS) /* as long again as a receipt may take, twice: then an officer looks once more */

/* An officer's word counts once, whoever sends it again. */
static err
check_new(struct registrar *r, const struct flight *f)
{
	struct evidence_at at;
	err e = db_place(r->db, f->document, &at);

	if (e.kind == OK)
		return fail(ERR_CONFLICT, "paper-twice: Rule 12(1): this very document stands in the books already");
	return e.kind == ERR_ABSENT ? ok : e;
}

static err
enter(struct registrar *r, struct flight *f, struct entry *e, const struct facts *x, const serial *s)
{
	struct evidence_at at;

	e->line.by = BY_OFFICER;
	e->line.by_id = x->person;
	e->document = f->document;
	e->line.n_evidence = 1;
	TRY(turn_evidence(r, buf_slice(&f->cms), &e->line.evidence[0], &at));
	TRY(turn_enter(r, e, &at));
	for (size_t i = 0; i < f->n_callers; i++)
		turn_entry_reply(r, &f->caller[i], s);
	flight_free(r, f);
	return ok;
}

/* V-3: names the very request it refuses (2ハ). */
static err
keep(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	struct entry e;
	digest request;
	serial s;

	TRY(serial_get_hex(x->value[KEEP_SERIAL], &s));
	TRY(digest_get(x->value[KEEP_REQUEST], &request));
	TRY(db_serial(r->db, s, &d));
	if (d.d.question != QUESTION_REVOCATION)
		return fail(
		    ERR_CONFLICT, "keep-none: Rule 12(1)(ii)ハ: no request to revoke this certificate waits for an officer");
	if (!digest_eq(request, d.d.request))
		return fail(
		    ERR_CONFLICT, "keep-other: Rule 12(1)(ii)ハ: another request to revoke this certificate waits by now");
	e = entry_about(r, ACT_REVOCATION_REFUSED, d.d.id);
	e.serial = d.d.serial;
	e.request = request;
	e.why = LIT("officer-kept: Rule 12(1)(ii)ハ: an officer refused a request to revoke; the grounds are in the books");
	entry_personal(&e, "grounds", x->value[KEEP_GROUNDS]);
	return enter(r, f, &e, x, &d.d.serial);
}

static err
find(struct registrar *r, slice hex, struct record *d)
{
	dossier_id id;

	TRY(hex_get(hex, id.b, sizeof id.b));
	return db_dossier(r->db, id, d);
}

/* */
static err
extend(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct record d;
	struct entry e;
	instant until;

	TRY(find(r, x->value[X_DOSSIER], &d));
	TRY(instant_get(x->value[X_UNTIL], &until));
	if (d.d.question != QUESTION_RECEIPT)
		return fail(ERR_CONFLICT, "extend-none: CP 4.1.3: no receipt past its time waits here for an officer");
	if (until.ms <= r->now.ms || until.ms - r->now.ms > EXTENSION_MAX_MS)
		return fail(ERR_POLICY, "extend-until: CP 4.1.3: a time is extended to a later day, by at most 60 days");
	e = entry_about(r, ACT_REVIEW_EXTENDED, d.d.id);
	e.until = until;
	e.why = LIT("officer-extended: CP 4.1.3: an officer gave more time for the receipt; the reason is in the books");
	entry_personal(&e, "reason", x->value[X_REASON]);
	return enter(r, f, &e, x, &d.d.serial);
}

/* L-1: the letter that was owed, or another one. */
static err
letter(struct registrar *r, struct flight *f, const struct facts *x)
{
	bool owed, revoked;
	struct record d;
	struct entry e;
	enum act act = ACT_NOTICE_SENT;
	instant sent;

	TRY(find(r, x->value[L_DOSSIER], &d));
	TRY(instant_get(x->value[L_SENT], &sent));
	owed = d.d.owes == OWES_LETTER;
	revoked = d.d.state == DOSSIER_REVOKED;
	if (slice_eq(x->value[L_ABOUT], LIT("revocation")))
		act = owed && revoked ? ACT_USER_NOTIFIED : 0;
	else if (slice_eq(x->value[L_ABOUT], LIT("reminder")))
		act = owed && !revoked ? ACT_REMINDER_SENT : 0;
	if (act == 0)
		return fail(ERR_CONFLICT, "letter-none: Rule 6(xii): no such letter is owed to this subscriber");
	TRY(dossier_plan(&d.d, act));
	if (sent.ms > r->now.ms || sent.ms < d.d.issued.ms)
		return fail(
		    ERR_POLICY, "letter-sent: Rule 6(xii): a letter was posted before it was recorded, after the issue");
	e = entry_about(r, act, d.d.id);
	e.serial = d.d.serial;
	e.how = LIT("letter");
	e.from = sent;
	entry_personal(&e, "how", x->value[L_HOW]);
	e.personal[0].field = "posted"; /* `how` is the line's own */
	return enter(r, f, &e, x, &d.d.serial);
}

/* N-1: class 4ヘ, and 4ロ where somebody came over the network. */
static err
note(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct entry e = entry_of(r, ACT_ACCIDENT_NOTED);

	TRY(instant_get(x->value[N_NOTICED], &e.from));
	if (e.from.ms > r->now.ms)
		return fail(ERR_POLICY, "note-time: Rule 12(1)(iv)ヘ: an accident is noted after it was noticed");
	e.what = x->value[N_KIND];
	entry_personal(&e, "text", x->value[N_TEXT]);
	log_text(LOG_WARN, "accident-noted: Rule 12(1)(iv)ヘ: an accident was noted in the books");
	return enter(r, f, &e, x, NULL);
}

err
paper_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	err e = check_new(r, f);

	if (e.kind == OK)
		switch (x->form) {
		case FORM_KEEP:
			e = keep(r, f, x);
			break;
		case FORM_EXTENSION:
			e = extend(r, f, x);
			break;
		case FORM_LETTER:
			e = letter(r, f, x);
			break;
		default:
			e = note(r, f, x);
			break;
		}
	if (e.kind == OK || e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		return e;
	flight_refuse_err(r, f, e);
	return ok;
}
