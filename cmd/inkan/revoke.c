/*
 * inkan revoke: Rule 6(x); by the certificate's own key, or by the card that applied.
 *
 * The request (V-1) needs no challenge: a serial is revoked once, and saying it
 * again changes nothing.  It is done when a verified OCSP answer says "revoked";
 * when none does for 60 s, that is said loudly: somebody may be holding it back.
 */
#include <unistd.h>

#include "cmd/inkan/inkan.h"
#include "edge/clock.h"

#define SHOWN_WITHIN_MS 60000
#define LOOK_EVERY_MS 150
#define DIGITS_TYPED 4

static const char *const REASONS[] = {
    "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"};

/* As people read them, in the same order. */
static const char *const REASON_TEXTS[] = {
    "  1  no reason is given",
    "  2  the key is known to others, lost or stolen, or may be",
    "  3  what the certificate says of you has changed",
    "  4  another certificate takes its place",
    "  5  you stop using it",
};

static err
take_reason(struct inkan *k, struct buf *out)
{
	if (k->o.reason != NULL) {
		buf_put_str(out, k->o.reason);
	} else {
		say_line(k, "Why is it revoked?");
		for (size_t i = 0; i < COUNT(REASON_TEXTS); i++)
			say_line(k, REASON_TEXTS[i]);
		TRY(ask_line(k, "reason", "A number from 1 to 5", out));
	}
	for (size_t i = 0; i < COUNT(REASONS); i++) {
		char number[2] = {(char)('1' + (int)i), '\0'};

		if (slice_eq(buf_slice(out), slice_str(number)) || slice_eq(buf_slice(out), slice_str(REASONS[i]))) {
			buf_clear(out);
			buf_put_str(out, REASONS[i]);
			return buf_check(out);
		}
	}
	return fail(ERR_INPUT, "revoke-reason: RFC 5280 5.3.1: the reason is one of those shown");
}

/* Which certificate: the folder's own, or with --card and --serial one whose folder is lost. */
static err
which(struct inkan *k, struct buf *der, struct cert *c, struct buf *serial_hex, bool *have)
{
	serial s;

	*have = store_has(k, "certificate.cer");
	if (*have) {
		TRY(store_read(k, "certificate.cer", der));
		TRY(cert_get(buf_slice(der), c));
		serial_put_hex(serial_hex, c->serial);
	}
	if (k->o.serial != NULL) {
		struct buf given OWNED(buf_drop) = BUF(2 * SERIAL_MAX);

		TRY(serial_get_hex(slice_str(k->o.serial), &s));
		serial_put_hex(&given, s);
		if (*have && !slice_eq(buf_slice(&given), buf_slice(serial_hex)))
			*have = false; /* another than the folder's */
		buf_clear(serial_hex);
		buf_put(serial_hex, buf_slice(&given));
	}
	if (serial_hex->n == 0)
		return fail(ERR_ABSENT, "revoke-none: inkan(1): there is no certificate in this folder; name its number with "
		                        "--serial and sign with --card");
	if (!*have && !k->o.by_card)
		return fail(ERR_INPUT, "usage: inkan(1): a certificate that is not in the folder is revoked with --card");
	return ok;
}

static err
sign_request(struct inkan *k, const struct state *s, const struct cert *c, slice serial_hex, struct buf *cms)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), date OWNED(buf_drop) = BUF(32),
	                reason OWNED(buf_drop) = BUF(64);
	struct buf leaf OWNED(buf_drop) = BUF(CERT_MAX);
	struct holder h OWNED(holder_drop) = {.card = NULL};
	slice v[V_COUNT];

	TRY(take_reason(k, &reason));
	instant_put(&date, clock_now());
	v[V_SERVICE] = s->service;
	v[V_SERIAL] = serial_hex;
	v[V_REASON] = buf_slice(&reason);
	v[V_DATE] = buf_slice(&date);
	v[V_SENTENCE] = slice_str(REVOCATION_SENTENCE);
	if (k->o.by_card) /* its first PIN comes before the document: without it there is no certificate to sign under */
		TRY(holder_card(k, &h, &leaf));
	TRY(document_put(&text, FORM_REVOCATION, v, V_COUNT, LIT("")));
	say_gap(k);
	say_line(k, "This is the request you are about to sign, whole:");
	say_rule(k);
	say_raw(k, buf_slice(&text));
	say_rule(k);
	say_line(k, "A revocation cannot be undone.");
	TRY(ask_word(k, "confirm", "To go on, type the last 4 characters of the serial number",
	    slice_of(serial_hex.p + serial_hex.n - DIGITS_TYPED, DIGITS_TYPED)));
	if (k->o.by_card)
		return holder_sign_document(k, &h, buf_slice(&leaf), buf_slice(&text), cms);
	TRY(holder_own(k, &h, s));
	return holder_sign_document(k, &h, c->whole, buf_slice(&text), cms);
}

/* Waits until a verified answer says revoked. */
static enum done
wait_shown(struct inkan *k, const struct cert *c)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), ms OWNED(buf_drop) = BUF(20);
	struct key *issuer_key OWNED(key_drop) = NULL;
	struct status_said s = {.ocsp = WORD_NONE};
	int64_t start = clock_steady_ms(), took;
	struct cert issuer;
	bool pinned;
	err e = issuer_find(k, &der, &issuer, &issuer_key, &pinned);

	if (e.kind != OK) {
		say_err(k, e);
		return DONE_NOT_SHOWN;
	}
	for (;;) {
		e = status_ocsp(k, c, &issuer, &s);
		took = clock_steady_ms() - start;
		if (e.kind == OK && s.ocsp == WORD_REVOKED)
			break;
		if (took > SHOWN_WITHIN_MS) {
			say_line(k,
			    "ATTENTION: the service took the request, but its answers to others do not say so after 60 seconds. "
			    "Tell the service, and keep this folder: it holds the proof of your request.");
			if (k->o.json) {
				json_put_name(&k->json, "shown");
				json_put_bool(&k->json, false);
			}
			return DONE_NOT_SHOWN;
		}
		(void)usleep(LOOK_EVERY_MS * 1000);
	}
	buf_put_decimal(&ms, (uint64_t)took);
	SAY(k, "OCSP says: revoked (after {1} ms).", buf_slice(&ms));
	if (k->o.json) {
		json_put_name(&k->json, "shown");
		json_put_bool(&k->json, true);
		json_put_named_number(&k->json, "shown_after_ms", (uint64_t)took);
	}
	return DONE_OK;
}

static err
request(struct inkan *k, enum done *done)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), serial_hex OWNED(buf_drop) = BUF(64),
	               cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct buf answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct promise p OWNED(promise_drop) = {.n = 0};
	struct state s OWNED(state_drop) = {.doc = NULL};
	struct cert c;
	bool have, at_once;

	TRY(store_open(k));
	TRY(state_load(k, &s));
	TRY(service_use(k, s.url));
	TRY(which(k, &der, &c, &serial_hex, &have));
	if (serial_hex.n < DIGITS_TYPED)
		return fail(ERR_INPUT, "serial: RFC 5280 4.1.2.2: a serial number is written in hexadecimal");
	TRY(sign_request(k, &s, have ? &c : NULL, buf_slice(&serial_hex), &cms));
	TRY(store_write(k, "revocation.cms", buf_slice(&cms)));
	TRY(service_post(k, "/revocations", "application/cms", buf_slice(&cms), 0, &answer));
	TRY(promise_take(k, buf_slice(&answer), &p));
	at_once = promise_is(&p, "certificate.revoked");
	if (!at_once) {
		say_line(k, "Your request was taken. A revocation officer looks at it now, because the card's own status could "
		            "not vouch for it.");
		*done = DONE_WAITS;
		return ok;
	}
	*done = have ? wait_shown(k, &c) : DONE_OK;
	return promise_tell(k, &p);
}

enum done
cmd_revoke(struct inkan *k)
{
	enum done done = DONE_OK;
	err e = request(k, &done);

	if (e.kind == OK)
		return done;
	say_err(k, e);
	return done_of(e);
}
