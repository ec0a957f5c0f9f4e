/*
 * inkan status, inkan receive: the certificate comes to the one who holds the key.
 *
 * Before anything is signed the certificate is compared with what was applied for
 * and with the issuer whose fingerprint the person confirmed; the receipt is
 * signed with the new key, which proves that key and certificate belong together.
 */
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"
#include "pki/name.h"

#define CERTIFICATE_FILE "certificate.cer"
#define RECEIPT_FILE "receipt.cms"

enum done
cmd_status(struct inkan *k)
{
	struct state s OWNED(state_drop) = {.doc = NULL};
	struct standing st OWNED(standing_drop) = {.since = {0}};
	err e = store_open(k);

	if (e.kind == OK)
		e = state_load(k, &s);
	if (e.kind == OK && s.dossier.n == 0)
		e = fail(ERR_ABSENT,
		    "state-unsent: inkan(1): the application was signed but never answered; inkan apply sends it again");
	if (e.kind == OK)
		e = service_use(k, s.url);
	if (e.kind == OK)
		e = service_standing(k, &s, &st);
	if (e.kind != OK) {
		say_err(k, e);
		return done_of(e);
	}
	SAY(k, "Number of your application (dossier): {1}", s.dossier);
	if (k->o.json)
		json_put_named(&k->json, "dossier", s.dossier);
	say_standing(k, &st);
	if (slice_eq(buf_slice(&st.state), LIT("refused")))
		return DONE_NO;
	return slice_eq(buf_slice(&st.state), LIT("received")) || slice_eq(buf_slice(&st.state), LIT("waiting")) ||
	               slice_eq(buf_slice(&st.state), LIT("review")) || slice_eq(buf_slice(&st.state), LIT("ordered"))
	           ? DONE_WAITS
	           : DONE_OK;
}

/* What stands in the certificate against what was applied for. */
static err
check_certificate(struct inkan *k, const struct cert *c, const struct cert *issuer, const struct key *issuer_key,
    const struct application *a)
{
	struct key *key OWNED(key_drop) = NULL;
	slice name;

	TRY(cert_check_signed_by(c, issuer_key));
	if (!slice_eq(c->issuer, issuer->subject))
		return fail(ERR_POLICY, "receive-issuer: RFC 5280 6.1.3: the certificate names another issuer");
	if (c->is_ca || c->key_usage != (USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION))
		return fail(ERR_POLICY, "receive-usage: B-5: the certificate is not for a person's signatures");
	TRY(key_get_spki(c->spki, &key));
	if (!digest_eq(key_digest(key), key_digest(a->key)))
		return fail(ERR_POLICY,
		    "receive-key: Rule 6(iii-2): the certificate is for another key than yours; it was not received");
	if (c->not_after.ms > instant_add_years(c->not_before, a->validity_years).ms)
		return fail(
		    ERR_POLICY, "receive-validity: Rule 6(iv): the certificate is valid for longer than you applied for");
	if (!cert_is_valid_at(c, clock_now()))
		return fail(ERR_POLICY,
		    "receive-time: RFC 5280 4.1.2.5: the certificate is not valid now; check this computer's clock");
	TRY(name_value(c->subject, NAME_CN, &name));
	if (slice_eq(name, a->name))
		return ok;
	SAY(k, "You applied with the name {1}; the certificate says {2}.", a->name, name);
	return ask_word(k, "accept", "If that is right, type: accept", LIT("accept"));
}

static void
show_certificate(struct inkan *k, const struct cert *c)
{
	struct buf subject OWNED(buf_drop) = BUF(2048), serial_hex OWNED(buf_drop) = BUF(64),
	                   shown OWNED(buf_drop) = BUF(128);
	struct buf from OWNED(buf_drop) = BUF(64), to OWNED(buf_drop) = BUF(64);
	digest d = cert_digest(c);

	name_put_text(&subject, c->subject);
	serial_put_hex(&serial_hex, c->serial);
	put_when(&from, k->lang, c->not_before);
	put_when(&to, k->lang, c->not_after);
	put_fingerprint(&shown, digest_slice(&d));
	SAY(k, "Certificate for: {1}", buf_slice(&subject));
	SAY(k, "Serial number: {1}", buf_slice(&serial_hex));
	SAY(k, "Valid: {1} to {2}", buf_slice(&from), buf_slice(&to));
	SAY(k, "SHA-256 fingerprint: {1}", buf_slice(&shown));
	if (k->o.json) {
		json_put_named(&k->json, "serial", buf_slice(&serial_hex));
		json_put_named_hex(&k->json, "sha256", digest_slice(&d));
	}
}

static err
sign_receipt(struct inkan *k, const struct state *s, const struct application *a, const struct cert *c, struct buf *cms,
    struct holder *own)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), serial_hex OWNED(buf_drop) = BUF(64),
	                hex OWNED(buf_drop) = BUF(64);
	struct buf date OWNED(buf_drop) = BUF(32);
	slice v[R_COUNT];

	serial_put_hex(&serial_hex, c->serial);
	digest_put(&hex, cert_digest(c));
	instant_put(&date, clock_now());
	v[R_SERVICE] = a->text.value[A_SERVICE];
	v[R_DOSSIER] = s->dossier;
	v[R_SERIAL] = buf_slice(&serial_hex);
	v[R_CERTIFICATE] = buf_slice(&hex);
	v[R_DATE] = buf_slice(&date);
	v[R_SENTENCE] = slice_str(RECEIPT_SENTENCE);
	TRY(document_put(&text, FORM_RECEIPT, v, R_COUNT, LIT("")));
	say_gap(k);
	say_line(k, "This is the receipt you sign with your new key, whole:");
	say_rule(k);
	say_raw(k, buf_slice(&text));
	say_rule(k);
	TRY(holder_own(k, own, s));
	return holder_sign_document(k, own, c->whole, buf_slice(&text), cms);
}

/* Beside the key, where other programs look; and as PKCS#12 where asked. */
static err
put_beside_key(struct inkan *k, struct holder *own, const struct cert *c)
{
	struct secret pass OWNED(secret_drop) = {.n = 0};
	err e;

	if (own->card != NULL) {
		slice id = slice_of(own->id, own->id_n);

		e = card_store_certificate(own->card, "inkan", id, c->subject, c->whole);
		return e.kind == ERR_CONFLICT ? ok : e;
	}
	if (k->o.export_to == NULL)
		return ok;
	say_line(k, "Key and certificate are also written as PKCS#12.");
	TRY(ask_new_passphrase(k, &pass));
	return keyfile_export(own->file, c->whole, "inkan", k->o.export_to, &pass);
}

static err
receive(struct inkan *k)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), issuer_der OWNED(buf_drop) = BUF(CERT_MAX),
	               cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct buf application_cms OWNED(buf_drop) = BUF(CMS_MAX), path OWNED(buf_drop) = BUF(256),
	                           answer OWNED(buf_drop) = BUF(JSON_MAX);
	struct application a OWNED(application_drop) = {.name = {NULL, 0}};
	struct holder own OWNED(holder_drop) = {.card = NULL};
	struct promise p OWNED(promise_drop) = {.n = 0};
	struct state s OWNED(state_drop) = {.doc = NULL};
	struct key *issuer_key OWNED(key_drop) = NULL;
	struct cert issuer, c;

	TRY(store_open(k));
	TRY(state_load(k, &s));
	TRY(store_read(k, "application.cms", &application_cms));
	TRY(application_get(buf_slice(&application_cms), &a));
	TRY(service_use(k, s.url));
	buf_put_str(&path, "/applications/");
	buf_put(&path, s.dossier);
	buf_put_str(&path, "/certificate");
	buf_put_u8(&path, '\0');
	TRY(buf_check(&path));
	TRY(service_get(k, (char *)path.p, s.token, CERT_MAX, &der));
	TRY(cert_get(buf_slice(&der), &c));
	TRY(issuer_pin(k, &issuer_der, &issuer, &issuer_key));
	show_certificate(k, &c);
	TRY(check_certificate(k, &c, &issuer, issuer_key, &a));
	say_line(k, "It is for your key, by the issuer you confirmed, and says what you applied for.");
	TRY(store_write(k, CERTIFICATE_FILE, buf_slice(&der)));
	if (store_has(k, RECEIPT_FILE)) { /* signed before, its answer lost: the same bytes again */
		TRY(store_read(k, RECEIPT_FILE, &cms));
	} else {
		TRY(sign_receipt(k, &s, &a, &c, &cms, &own));
		TRY(store_write(k, RECEIPT_FILE, buf_slice(&cms)));
		TRY(put_beside_key(k, &own, &c));
	}
	TRY(service_post(k, "/receipts", "application/cms", buf_slice(&cms), 0, &answer));
	TRY(promise_take(k, buf_slice(&answer), &p));
	{
		struct buf where OWNED(buf_drop) = BUF(4200);

		store_path(k, CERTIFICATE_FILE, &where);
		where.n--; /* its NUL */
		SAY(k, "Your certificate is in {1}", buf_slice(&where));
		if (k->o.json)
			json_put_named(&k->json, "certificate", buf_slice(&where));
	}
	return ok;
}

enum done
cmd_receive(struct inkan *k)
{
	err e = receive(k);

	if (e.kind == OK)
		return DONE_OK;
	say_err(k, e);
	return service_refused(e) && e.kind == ERR_ABSENT ? DONE_WAITS : done_of(e);
}
