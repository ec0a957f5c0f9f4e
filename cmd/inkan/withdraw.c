/*
 * inkan withdraw: Rule 6(ii); who applied takes the application back, with the key that was to be certified or the
 * card, until a certificate is ordered.  Afterwards a certificate is revoked.
 */
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"

#define DIGITS_TYPED 4

static err
sign_withdrawal(struct inkan *k, const struct state *s, slice application, struct buf *cms)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), date OWNED(buf_drop) = BUF(32), hex OWNED(buf_drop) = BUF(64),
	                leaf OWNED(buf_drop) = BUF(CERT_MAX);
	struct holder h OWNED(holder_drop) = {.card = NULL};
	slice v[C_COUNT];

	instant_put(&date, clock_now());
	digest_put(&hex, sha256(application));
	v[C_SERVICE] = s->service;
	v[C_DOSSIER] = s->dossier;
	v[C_APPLICATION] = buf_slice(&hex);
	v[C_DATE] = buf_slice(&date);
	v[C_SENTENCE] = slice_str(WITHDRAWAL_SENTENCE);
	if (k->o.by_card)
		TRY(holder_card(k, &h, &leaf));
	TRY(document_put(&text, FORM_WITHDRAWAL, v, C_COUNT, LIT("")));
	say_gap(k);
	say_line(k, "This is the withdrawal you are about to sign, whole:");
	say_rule(k);
	say_raw(k, buf_slice(&text));
	say_rule(k);
	TRY(ask_word(k, "confirm", "To go on, type the last 4 characters of the number of your application",
	    slice_of(s->dossier.p + s->dossier.n - DIGITS_TYPED, DIGITS_TYPED)));
	if (!k->o.by_card)
		TRY(holder_own(k, &h, s));
	return holder_sign_document(k, &h, buf_slice(&leaf), buf_slice(&text), cms);
}

static err
withdraw(struct inkan *k)
{
	struct buf application OWNED(buf_drop) = BUF(CMS_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	                       answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct promise p OWNED(promise_drop) = {.n = 0};
	struct state s OWNED(state_drop) = {.doc = NULL};

	TRY(store_open(k));
	TRY(state_load(k, &s));
	TRY(service_use(k, s.url));
	if (s.dossier.n < DIGITS_TYPED)
		return fail(ERR_ABSENT, "withdraw-none: inkan(1): no application of this folder was taken by the service");
	TRY(store_read(k, "application.cms", &application));
	TRY(sign_withdrawal(k, &s, buf_slice(&application), &cms));
	TRY(store_write(k, "withdrawal.cms", buf_slice(&cms)));
	TRY(service_post(k, "/withdrawals", "application/cms", buf_slice(&cms), 0, &answer));
	TRY(promise_take(k, buf_slice(&answer), &p));
	say_line(k, "Your application was withdrawn.");
	return promise_tell(k, &p);
}

enum done
cmd_withdraw(struct inkan *k)
{
	err e = withdraw(k);

	if (e.kind == OK)
		return DONE_OK;
	say_err(k, e);
	return done_of(e);
}
