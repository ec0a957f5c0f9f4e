#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * CP 4.1.3 (domain 3): who has not signed for the certificate is reminded, once; when its time is over an officer is
 * asked, for somebody else may have fetched it.  What is due follows from the books (dossier.watch), so a restart or a
 * clock set right changes nothing.
 */

#define REMINDERS_AT_ONCE 8
#define WATCH_EVERY_MS 1000
#define WATCH_AGAIN_MS 30000 /* after a mail that could not be sent */

/* A verifier reads the contact out of the application: the registrar parses no stranger's bytes. */
static err
remind(struct registrar *r, const struct record *d)
{
	struct flight *f;

	if (link_of(r, PEER_MESSENGER, 0) == NULL || flight_of_document(r, d->d.document) != NULL)
		return ok;
	f = flight_new(r, ERRAND_REMIND, d->d.document);
	if (f == NULL)
		return ok;
	TRY(flight_load(r, d, &f->cms, NULL));
	flight_verify(r, f);
	return ok;
}

static err
open_question(struct registrar *r, const struct dossier *d)
{
	struct entry e = entry_about(r, ACT_REVIEW_OPENED, d->id);

	e.line.by = BY_CLOCK;
	e.line.by_id = LIT("clock");
	e.why = LIT("receipt-late: CP 4.1.3: no receipt after 30 days; an officer asks, gives more time, or revokes");
	e.how = LIT("receipt");
	log_id(LOG_ALARM, "receipt-late: CP 4.1.3: a receipt is late; an officer is asked", "dossier", ARR(d->id.b));
	return turn_enter(r, &e, NULL);
}

err
watch_owed(struct registrar *r)
{
	struct record d[REMINDERS_AT_ONCE], after = {.d = {.watch = r->owed.watch_after, .n = r->owed.watch_after_n}};
	size_t n;

	if (r->seen_steady < r->owed.watch_at)
		return ok;
	r->owed.watch_at = r->seen_steady + WATCH_EVERY_MS;
	TRY(db_watched(r->db, r->now, &after, d, REMINDERS_AT_ONCE, &n));
	/* page by page, then from the first again: nobody's reminder stands behind addresses that take no mail */
	r->owed.watch_after = n == REMINDERS_AT_ONCE ? d[n - 1].d.watch : (instant){0};
	r->owed.watch_after_n = n == REMINDERS_AT_ONCE ? d[n - 1].d.n : 0;
	for (size_t i = 0; i < n; i++)
		if (d[i].d.reminded.ms == 0)
			TRY(remind(r, &d[i]));
		else
			TRY(open_question(r, &d[i].d));
	return ok;
}

/* The letter names the dossier and nobody. */
static void
put_reminder(struct buf *b, const struct dossier *d)
{
	buf_put_str(b, "電子証明書の受領書がまだ届いていません。inkan receive で受け取り、受領書を送ってください。\n"
	               "届かないときは、証明書を失効させることがあります。\n申込番号: ");
	buf_put_hex(b, ARR(d->id.b));
	buf_put_str(b, "\n期限: ");
	instant_put(b, (instant){d->issued.ms + RECEIPT_END_MS});
	buf_put_str(b,
	    "\n\nNo receipt for your certificate has arrived.  Fetch it and send the receipt with inkan receive.\n"
	    "Without it the certificate may be revoked.\nDossier: ");
	buf_put_hex(b, ARR(d->id.b));
	buf_put_str(b, "\nUntil: ");
	instant_put(b, (instant){d->issued.ms + RECEIPT_END_MS});
	buf_put_u8(b, '\n');
}

/* Still to be reminded: the receipt may have come while a verifier read. */
static bool
is_due(const struct registrar *r, const struct dossier *d)
{
	return d->watch.ms != 0 && d->watch.ms <= r->now.ms && d->reminded.ms == 0;
}

err
watch_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct buf text OWNED(buf_drop) = BUF(4096);
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (!is_due(r, &d.d) || x->form != FORM_APPLICATION || x->n != A_COUNT) {
		flight_land(r, f);
		return ok;
	}
	if (slice_eq(x->value[A_CONTACT], LIT("letter"))) {
		struct entry e = entry_about(r, ACT_REVIEW_OPENED, d.d.id);

		e.why = LIT("reminder-letter: CP 4.1.3: the subscriber asked for letters; an officer posts this reminder");
		e.how = LIT("letter");
		flight_land(r, f);
		return turn_enter(r, &e, NULL);
	}
	put_reminder(&text, &d.d);
	flight_mail(r, f, x->value[A_CONTACT], LIT("電子証明書の受領書について / The receipt of your certificate"),
	    buf_slice(&text));
	return ok;
}

err
watch_result(struct registrar *r, struct flight *f, const struct frame *x)
{
	struct entry e = entry_about(r, ACT_REMINDER_SENT, f->dossier);
	struct record d;

	TRY(db_dossier(r->db, f->dossier, &d));
	if (flight_mail_refused(x) && is_due(r, &d.d)) {
		log_what(LOG_WARN, "messenger", x->what);
		e = entry_about(r, ACT_REVIEW_OPENED, d.d.id);
		e.why =
		    LIT("reminder-refused: CP 4.1.3: the subscriber's mail address is refused for good; an officer posts this "
		        "reminder");
		e.how = LIT("letter");
		flight_land(r, f);
		return turn_enter(r, &e, NULL);
	}
	if (x->fail != OK) {
		log_what(LOG_WARN, "messenger", x->what);
		r->owed.watch_at = r->seen_steady + WATCH_AGAIN_MS;
	}
	flight_land(r, f);
	if (x->fail != OK || !is_due(r, &d.d))
		return ok;
	e.line.by = BY_MESSENGER;
	e.line.by_id = LIT("messenger");
	e.serial = d.d.serial;
	e.how = LIT("mail");
	return turn_enter(r, &e, NULL);
}
