/* inkan verify, inkan fingerprint: what a certificate or a signed document is worth, in plain words. */
#include "base/text.h"
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"
#include "pki/cms.h"
#include "pki/name.h"

static void
say_certificate(struct inkan *k, const struct cert *c)
{
	struct buf subject OWNED(buf_drop) = BUF(2048), issuer OWNED(buf_drop) = BUF(2048),
	                   number OWNED(buf_drop) = BUF(64);
	struct buf from OWNED(buf_drop) = BUF(64), to OWNED(buf_drop) = BUF(64);

	name_put_text(&subject, c->subject);
	name_put_text(&issuer, c->issuer);
	serial_put_hex(&number, c->serial);
	put_when(&from, k->lang, c->not_before);
	put_when(&to, k->lang, c->not_after);
	SAY(k, "Certificate for: {1}", buf_slice(&subject));
	SAY(k, "Issued by: {1}", buf_slice(&issuer));
	SAY(k, "Serial number: {1}", buf_slice(&number));
	SAY(k, "Valid: {1} to {2}", buf_slice(&from), buf_slice(&to));
	if (k->o.json) {
		json_put_named(&k->json, "subject", buf_slice(&subject));
		json_put_named(&k->json, "issuer", buf_slice(&issuer));
		json_put_named(&k->json, "serial", buf_slice(&number));
	}
}

/* The verdict in one sentence at the end; law 5: "could not check" is never "good". */
static err
judge(struct inkan *k, const struct cert *c)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct key *key OWNED(key_drop) = NULL;
	struct status_said s;
	struct cert issuer;
	instant now = clock_now();
	bool pinned;

	say_certificate(k, c);
	TRY(issuer_find(k, &der, &issuer, &key, &pinned));
	if (!slice_eq(c->issuer, issuer.subject))
		return fail(
		    ERR_POLICY, "verify-issuer: RFC 5280 6.1.3: the certificate is another issuer's; name it with --issuer");
	TRY(cert_check_signed_by(c, key));
	say_line(k, "The issuer's signature on it is good.");
	if (!pinned)
		say_line(k, "Note: nobody has confirmed this issuer's fingerprint here; see inkan receive, or --issuer.");
	if (now.ms < c->not_before.ms)
		return fail(ERR_POLICY, "verify-early: RFC 5280 6.1.3: the certificate is not valid yet");
	status_ask(k, c, &issuer, key, &s);
	status_say(k, &s);
	if (s.ocsp == WORD_REVOKED || s.crl == WORD_REVOKED)
		return fail(ERR_POLICY, "verify-revoked: RFC 5280 6.1.3: the certificate was revoked; do not rely on it");
	if (!cert_is_valid_at(c, now))
		return fail(ERR_POLICY, "verify-expired: RFC 5280 6.1.3: the certificate's time is over");
	if (s.ocsp == WORD_NONE && s.crl == WORD_NONE)
		return fail(ERR_BUSY,
		    "verify-unchecked: Act 6: whether the certificate was revoked could not be checked; do not rely on it yet");
	if (!pinned)
		return fail(ERR_POLICY,
		    "verify-unpinned: Act 4(3): all of this rests on an issuer whose fingerprint nobody has confirmed");
	say_line(k, "The certificate is good.");
	return ok;
}

/* A document in the house's own signed form: what it says, and who signed it. */
static err
verify_cms(struct inkan *k, slice bytes)
{
	struct key *key OWNED(key_drop) = NULL;
	struct buf when OWNED(buf_drop) = BUF(64);
	struct cms m;
	struct cert c;

	TRY(cms_get(bytes, &m));
	if (m.certificate.n == 0)
		return fail(ERR_POLICY,
		    "verify-pinned: RFC 5652: the document is signed by a person of the house; inkanctl verifies it");
	TRY(cert_get(m.certificate, &c));
	TRY(key_get_spki(c.spki, &key));
	TRY(cms_check(&m, key));
	if (text_check(m.content).kind == OK) {
		say_line(k, "The signed document:");
		say_rule(k);
		say_raw(k, m.content);
		say_rule(k);
	}
	put_when(&when, k->lang, m.signing_time);
	SAY(k, "The signature is good: not a byte was changed since it was made, by its own words on {1}.",
	    buf_slice(&when));
	return judge(k, &c);
}

static err
verify_file(struct inkan *k, const char *path)
{
	struct buf file OWNED(buf_drop) = BUF(FILE_READ_MAX), der OWNED(buf_drop) = BUF(FILE_READ_MAX);
	struct cert c;
	struct cms m;

	TRY(file_read(path, FILE_READ_MAX, &file));
	if (cms_get(buf_slice(&file), &m).kind == OK)
		return verify_cms(k, buf_slice(&file));
	TRY(certificate_of_file(buf_slice(&file), &der));
	TRY(cert_get(buf_slice(&der), &c));
	return judge(k, &c);
}

static err
verify_folder(struct inkan *k)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert c;
	err status, books;

	if (!store_has(k, "certificate.cer"))
		return fail(ERR_ABSENT, "verify-none: inkan(1): there is no certificate in this folder; name a file");
	TRY(store_read(k, "certificate.cer", &der));
	TRY(cert_get(buf_slice(&der), &c));
	status = judge(k, &c);
	books = promises_check(k);
	return status.kind != OK ? status : books;
}

enum done
cmd_verify(struct inkan *k)
{
	struct state s OWNED(state_drop) = {.doc = NULL};
	err e = ok;

	/* A certificate alone can be verified without a folder. */
	if (k->o.n_args == 0 || k->o.dir != NULL)
		e = store_open(k);
	if (e.kind == OK && k->dir >= 0)
		(void)state_load(k, &s).kind;
	if (e.kind == OK)
		e = service_use(k, s.url);
	if (e.kind == OK)
		e = k->o.n_args == 0 ? verify_folder(k) : verify_file(k, k->o.args[0]);
	if (k->o.json)
		json_put_named(&k->json, "verdict",
		    e.kind == OK         ? LIT("good")
		    : e.kind == ERR_BUSY ? LIT("unchecked")
		                         : LIT("bad"));
	if (e.kind == OK)
		return DONE_OK;
	say_err(k, e);
	return done_of(e);
}

static err
fingerprint(struct inkan *k)
{
	struct buf file OWNED(buf_drop) = BUF(FILE_READ_MAX), der OWNED(buf_drop) = BUF(FILE_READ_MAX);
	struct buf whole OWNED(buf_drop) = BUF(128), spki OWNED(buf_drop) = BUF(128), name OWNED(buf_drop) = BUF(2048);
	const char *what = k->o.args[0];
	struct cert c;
	digest d, s;

	if (k->o.n_args != 1)
		return fail(ERR_INPUT, "usage: inkan(1): inkan fingerprint takes one file or address");
	if (slice_has_prefix(slice_str(what), LIT("http://")) || slice_has_prefix(slice_str(what), LIT("https://")))
		TRY(service_get_url(k, what, CERT_MAX, &file));
	else
		TRY(file_read(what, FILE_READ_MAX, &file));
	TRY(certificate_of_file(buf_slice(&file), &der));
	TRY(cert_get(buf_slice(&der), &c));
	d = cert_digest(&c);
	s = sha256(c.spki);
	put_fingerprint(&whole, digest_slice(&d));
	put_fingerprint(&spki, digest_slice(&s));
	name_put_text(&name, c.subject);
	SAY(k, "Certificate for: {1}", buf_slice(&name));
	SAY(k, "SHA-256 of the certificate: {1}", buf_slice(&whole));
	SAY(k, "SHA-256 of its public key:  {1}", buf_slice(&spki));
	if (k->o.json) {
		json_put_named(&k->json, "subject", buf_slice(&name));
		json_put_named_hex(&k->json, "certificate", digest_slice(&d));
		json_put_named_hex(&k->json, "public_key", digest_slice(&s));
	}
	return ok;
}

enum done
cmd_fingerprint(struct inkan *k)
{
	err e = fingerprint(k);

	if (e.kind == OK)
		return DONE_OK;
	say_err(k, e);
	return done_of(e);
}
