#include "edge/log.h"
#include "role/registrar/registrar.h"

/* --- what the applicant asks about his dossier ----------------------------------- */
/* Unknown dossier and wrong token get one answer: no one learns which numbers exist. */
static err
open_dossier(struct registrar *r, slice body, struct record *out)
{
	struct dossier_order o;
	struct record d;
	digest t;
	err e;

	TRY(dossier_order_get(body, &o));
	t = sha256(ARR(o.token.b));
	e = db_dossier(r->db, o.dossier, &d);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	if (e.kind != OK || !slice_eq_secret(digest_slice(&t), digest_slice(&d.d.token)))
		return fail(ERR_ABSENT, "token: RFC 6750: no application stands under this number and token");
	*out = d;
	return ok;
}

err
ask_dossier(struct registrar *r, const struct caller *c, slice body)
{
	struct dossier_reply x = {0};
	struct record d;

	TRY(open_dossier(r, body, &d));
	x.state = d.d.state;
	x.since = d.d.since;
	x.why = dossier_why(&d.d);
	if (d.d.serial.n > 0) {
		x.has_serial = true;
		x.serial = d.d.serial;
	}
	dossier_reply_put(body_new(r), &x);
	turn_answer(r, c, buf_slice(&r->body));
	return ok;
}

/* The first fetch is an act; later ones give the same bytes. */
err
ask_fetch(struct registrar *r, const struct caller *c, slice body)
{
	struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);
	struct record d;

	TRY(open_dossier(r, body, &d));
	if (d.certificate.length == 0)
		return dossier_plan(&d.d, ACT_CERTIFICATE_DELIVERED);
	if (d.d.issued.ms >= r->now.ms) /* in this very turn: its bytes are not in a pack before the commit */
		return dossier_plan(&(struct dossier){0}, ACT_CERTIFICATE_DELIVERED);
	if (d.d.state == DOSSIER_ISSUED && d.due.ms != 0)
		return fail(ERR_BUSY,
		    "fetch-status: Rule 6(xi): others cannot ask about this certificate yet; it is delivered when they "
		    "can, please try again in a moment");
	TRY(flight_load(r, &d, NULL, &certificate));
	if (d.d.state == DOSSIER_ISSUED) {
		struct entry e = entry_about(r, ACT_CERTIFICATE_DELIVERED, d.d.id);

		TRY(turn_open_check(r));
		e.serial = d.d.serial;
		TRY(turn_enter(r, &e, NULL));
	}
	octets_put(body_new(r), buf_slice(&certificate));
	turn_answer(r, c, buf_slice(&r->body));
	return ok;
}

/* Public: the state of a serial, never a name. */
err
ask_serial(struct registrar *r, const struct caller *c, slice body)
{
	struct serial_reply x = {.state = SERIAL_UNKNOWN};
	struct serial_order o;
	struct record d;
	err e;

	TRY(serial_order_get(body, &o));
	e = db_serial(r->db, o.serial, &d);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	if (e.kind == OK && d.d.certificate.b[0] + d.d.issued.ms != 0) {
		if (d.d.state == DOSSIER_REVOKED)
			x = (struct serial_reply){SERIAL_REVOKED, d.d.revoked, d.d.reason};
		else if (r->now.ms > d.d.not_after.ms)
			x = (struct serial_reply){SERIAL_EXPIRED, d.d.not_after, REASON_UNSPECIFIED};
		else
			x = (struct serial_reply){SERIAL_VALID, d.d.not_after, REASON_UNSPECIFIED};
	}
	serial_reply_put(body_new(r), &x);
	turn_answer(r, c, buf_slice(&r->body));
	return ok;
}

/* --- inkanctl status ------------------------------------------------------------------ */
static const char *
step_name(const struct keyholder *s)
{
	static const char *const NAMES[] = {[SIGNER_AWAY] = "away",
	    [SIGNER_HELLO] = "hello",
	    [SIGNER_RULES] = "rules",
	    [SIGNER_READY] = "ready",
	    [SIGNER_STOPPED] = "stopped"};

	return NAMES[s->step];
}

static void
put_signer(struct buf *b, const char *name, const struct keyholder *s)
{
	json_put_name(b, name);
	json_open(b, '{');
	json_put_named(b, "state", slice_str(step_name(s)));
	if (s->step == SIGNER_STOPPED)
		json_put_named(b, "why", slice_str(s->stopped));
	json_put_named_number(b, "journal", s->journal.size);
	json_put_named_number(b, "orders", s->orders);
	json_close(b, '}');
}

static void
put_instant(struct buf *b, const char *name, instant t)
{
	struct buf text OWNED(buf_drop) = BUF(RFC3339_LEN);

	if (t.ms == 0)
		return;
	instant_put(&text, t);
	json_put_named(b, name, buf_slice(&text));
}

/* The certificate that answers are by, and the keys whose answers may still be about. */
static void
put_responder(const struct registrar *r, struct buf *b)
{
	const struct ledger *h = db_ledger(r->db);

	json_put_name(b, "responder");
	json_open(b, '{');
	if (r->responder.certificate.n > 0) {
		json_put_named_hex(b, "key", digest_slice(&r->responder.key));
		put_instant(b, "until", r->responder.until);
	}
	json_put_name(b, "keys");
	json_open(b, '[');
	for (size_t i = 0; i < RESPONDERS_MAX; i++) {
		const struct responder_key *k = &h->responder[i];

		if (digest_eq(k->key, (digest){{0}}))
			continue;
		json_open(b, '{');
		json_put_named_hex(b, "key", digest_slice(&k->key));
		json_put_named(b, "state",
		    k->wants > 0         ? LIT("wanted")
		    : k->left.ms != 0 ? LIT("left")
		    : k->used.ms != 0 ? LIT("used")
		                      : LIT("made"));
		put_instant(b, "since", k->left.ms != 0 ? k->left : k->used.ms != 0 ? k->used : k->made);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void
put_verifiers(struct registrar *r, struct buf *b)
{
	uint64_t ready = 0, known = 0;

	for (size_t i = 0; i < COUNT(r->verifier); i++) {
		known += r->verifier[i].known;
		ready += r->verifier[i].ready;
	}
	json_put_named_number(b, "verifiers", known);
	json_put_named_number(b, "verifiers_ready", ready);
}

static void
put_dossiers(struct registrar *r, struct buf *b)
{
	const struct db_counts *c = db_counts(r->db);

	json_put_name(b, "dossiers");
	json_open(b, '{');
	for (enum dossier_state s = DOSSIER_RECEIVED; s <= DOSSIER_WITHDRAWN; s++)
		json_put_named_number(b, dossier_state_name(s), c->state[s]);
	json_close(b, '}');
}

/* What waits for a person: dossier numbers only. */
static err
put_owed_to_persons(struct registrar *r, struct buf *b, enum owes owes, const char *name)
{
	struct record d[32];
	size_t n;

	TRY(db_owing(r->db, owes, 0, true, d, COUNT(d), &n));
	json_put_name(b, name);
	json_open(b, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(b, '{');
		json_put_named_hex(b, "dossier", ARR(d[i].d.id.b));
		json_put_named_hex(b, "application", digest_slice(&d[i].d.document));
		json_put_named(b, "state", slice_str(dossier_state_name(d[i].d.state)));
		json_put_named(b, "why", dossier_why(&d[i].d));
		put_instant(b, "since", d[i].d.since);
		if (d[i].d.serial.n > 0)
			json_put_named_hex(b, "serial", serial_slice(&d[i].d.serial));
		if (d[i].d.question == QUESTION_REVOCATION)
			json_put_named_hex(b, "request", digest_slice(&d[i].d.request));
		json_close(b, '}');
	}
	json_close(b, ']');
	return ok;
}

/* Who may be told what strangers are not: the office. */
static void
put_house(struct registrar *r, struct buf *b, err closed)
{
	json_put_named(b, "service", r->trust->service);
	json_put_named(b, "state", r->trust->state);
	json_put_named(b, "taking", closed.kind == OK ? LIT("yes") : slice_str(closed.what));
	put_instant(b, "now", r->now);
	if (r->fault.kind != OK) {
		json_put_named(b, "last_fault", slice_str(r->fault.what));
		put_instant(b, "last_fault_at", r->fault_at);
	}
}

/* How long what is published stays good: the time, and seconds until then; 0: it has lapsed. */
static void
put_countdown(struct registrar *r, struct buf *b, const char *at, const char *seconds, instant t)
{
	put_instant(b, at, t);
	if (t.ms > 0)
		json_put_named_number(b, seconds, t.ms <= r->now.ms ? 0 : (uint64_t)(t.ms - r->now.ms) / 1000);
}

static void
put_countdowns(struct registrar *r, struct buf *b)
{
	instant list = {0};

	for (unsigned i = 0; i < LIST_N; i++) {
		instant t = lapse_of_lists(r, i).next_update;

		if (t.ms != 0 && (list.ms == 0 || t.ms < list.ms))
			list = t;
	}
	put_countdown(r, b, "ocsp_lapse", "ocsp_lapse_s", r->lapse.next);
	put_countdown(r, b, "crl_next", "crl_next_s", list);
}

void
ask_state_closed(struct registrar *r, struct link *l, const struct frame *x)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX - 64);

	json_open(&b, '{');
	put_house(r, &b, r->closed);
	json_close(&b, '}');
	octets_put(body_new(r), buf_slice(&b));
	link_answer(l, x, buf_slice(&r->body));
}

err
ask_state(struct registrar *r, const struct caller *c)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX - 64);
	const struct ledger *h = db_ledger(r->db);
	err closed = turn_open_check(r);
	digest root = book_root(r->book);

	json_open(&b, '{');
	put_house(r, &b, closed);
	json_put_named_number(&b, "lines", book_size(r->book));
	json_put_named_hex(&b, "root", digest_slice(&root));
	json_put_named_hex(&b, "baseline", digest_slice(&h->baseline));
	json_put_named_hex(&b, "ruleset", digest_slice(&h->ruleset));
	put_instant(&b, "approved_until", h->approval_until);
	json_put_named(&b, "automation", h->stopped ? LIT("stopped") : LIT("on"));
	json_put_named_number(&b, "checkpoint", h->checkpoint_size);
	put_instant(&b, "checkpoint_at", h->checkpoint_at);
	json_put_named_number(&b, "crl_number", h->crl_number);
	put_countdowns(r, &b);
	put_instant(&b, "jlis_crl_at", h->jlis[0].this_update);
	json_put_named_number(&b, "flights", r->flights);
	put_verifiers(r, &b);
	put_signer(&b, "issuer", &r->issuer);
	put_signer(&b, "status", &r->status);
	put_responder(r, &b);
	put_dossiers(r, &b);
	mirrors_put(r, &b);
	mirrors_put_check(r, &b);
	TRY(put_owed_to_persons(r, &b, OWES_PERSON, "to_decide"));
	TRY(put_owed_to_persons(r, &b, OWES_LETTER, "letters"));
	json_close(&b, '}');
	TRY(buf_check(&b));
	octets_put(body_new(r), buf_slice(&b));
	turn_answer(r, c, buf_slice(&r->body));
	return ok;
}
