/* Certificates and what is said of them: the issuer pinned, OCSP and CRL verified. */
#include "base/der.h"
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"
#include "pki/chain.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/ocsp.h"

#define ISSUER_FILE "issuer.cer"
#define FINGERPRINT_TYPED 16          /* hexadecimal digits a person compares: 64 bits */
#define STATUS_AGE_S (48U * 3600)     /* the house's own limit for an answer           */
#define CRL_READ_MAX (64U << 20)      /* bytes of our issuer's list: 1.6 million revoked */
#define CLOCK_MS (5 * 60 * SECOND_MS) /* between this computer and the service         */

/* The base64 between the PEM lines, or the bytes as they are. */
err
certificate_of_file(slice file, struct buf *der)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	struct buf text OWNED(buf_drop) = BUF(FILE_READ_MAX);
	slice rest = file, line;
	bool inside = false;

	buf_clear(der);
	if (file.n > 0 && file.p[0] == DER_SEQUENCE) {
		buf_put(der, file);
		return buf_check(der);
	}
	while (rest.n > 0) {
		if (!slice_cut(&rest, '\n', &line)) {
			line = rest;
			rest.n = 0;
		}
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (slice_eq(line, slice_str(begin)))
			inside = true;
		else if (slice_eq(line, slice_str(end)) && inside)
			return base64_get(buf_slice(&text), der);
		else if (inside)
			buf_put(&text, line);
	}
	return fail(ERR_INPUT, "certificate-form: RFC 7468: this is neither a certificate in PEM nor in DER");
}

static err
issuer_of(slice der, struct cert *out, struct key **key)
{
	TRY(cert_get(der, out));
	if (!out->is_ca)
		return fail(ERR_POLICY, "issuer-ca: RFC 5280 4.2.1.9: this is no certificate of an issuer");
	return key_get_spki(out->spki, key);
}

static err
issuer_fetch(struct inkan *k, struct buf *der)
{
	struct buf file OWNED(buf_drop) = BUF(FILE_READ_MAX);

	if (k->o.issuer != NULL)
		TRY(file_read(k->o.issuer, FILE_READ_MAX, &file));
	else
		TRY(service_get(k, "/ca/issuer.cer", LIT(""), CERT_MAX, &file));
	return certificate_of_file(buf_slice(&file), der);
}

/* Hexadecimal as people write it: colons and blanks between, either case. */
static void
plain_hex(slice s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == ':' || c == ' ')
			continue;
		buf_put_u8(out, c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 'a') : c);
	}
}

/* The person has the fingerprint from elsewhere (gazette, letter) and types its beginning; it is not shown before. */
static err
confirm_fingerprint(struct inkan *k, const struct cert *c)
{
	struct buf typed OWNED(buf_drop) = BUF(256), plain OWNED(buf_drop) = BUF(256), name OWNED(buf_drop) = BUF(2048);
	struct buf mine OWNED(buf_drop) = BUF(64), shown OWNED(buf_drop) = BUF(128);
	digest d = cert_digest(c);
	size_t need = FINGERPRINT_TYPED;

	name_put_text(&name, c->subject);
	SAY(k, "Issuer: {1}", buf_slice(&name));
	digest_put(&mine, d);
	if (k->o.fingerprint != NULL) {
		plain_hex(slice_str(k->o.fingerprint), &plain);
		need = mine.n;
	} else {
		TRY(ask_line(k, "fingerprint",
		    "Type the first 16 characters of the issuer's SHA-256 fingerprint as the official notice or your letter "
		    "has it",
		    &typed));
		plain_hex(buf_slice(&typed), &plain);
	}
	if (plain.n < need || plain.n > mine.n || memcmp(plain.p, mine.p, plain.n) != 0)
		return fail(
		    ERR_POLICY, "issuer-fingerprint: Act 4(3): the issuer's certificate has another fingerprint; do not go on");
	put_fingerprint(&shown, digest_slice(&d));
	SAY(k, "Its SHA-256 fingerprint fits: {1}", buf_slice(&shown));
	return ok;
}

err
issuer_find(struct inkan *k, struct buf *der, struct cert *out, struct key **key, bool *pinned)
{
	*pinned = k->dir >= 0 && k->o.issuer == NULL && store_has(k, ISSUER_FILE);
	if (*pinned)
		TRY(store_read(k, ISSUER_FILE, der));
	else
		TRY(issuer_fetch(k, der));
	*pinned = *pinned || k->o.issuer != NULL;
	return issuer_of(buf_slice(der), out, key);
}

err
issuer_pin(struct inkan *k, struct buf *der, struct cert *out, struct key **key)
{
	bool pinned;

	TRY(issuer_find(k, der, out, key, &pinned));
	if (pinned && k->o.issuer == NULL)
		return ok;
	TRY(confirm_fingerprint(k, out));
	return store_write(k, ISSUER_FILE, buf_slice(der));
}

/* --- status ------------------------------------------------------------------------------------ */
static void
url_of(struct inkan *k, slice uri, const char *path, struct buf *out)
{
	buf_clear(out);
	if (uri.n > 0) {
		buf_put(out, uri);
		buf_put_u8(out, '\0');
	} else {
		buf_put(out, buf_slice(&k->url));
		buf_put(out, slice_of(path, strlen(path) + 1));
	}
}

err
status_ocsp(struct inkan *k, const struct cert *c, const struct cert *issuer, struct status_said *out)
{
	struct buf url OWNED(buf_drop) = BUF(NET_URL_MAX), q OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX),
	               a OWNED(buf_drop) = BUF(64U << 10);
	struct ocsp_issuer names;
	struct ocsp_certid id = {.alg = HASH_SHA256, .serial = c->serial};
	struct chain_status s;

	ocsp_issuer_of(issuer, &names);
	id.name_hash = ARR(names.name256);
	id.key_hash = ARR(names.key256);
	ocsp_request_put(&q, &id, LIT(""));
	TRY(buf_check(&q));
	url_of(k, cert_ocsp_uri(c), "/ocsp", &url);
	TRY(buf_check(&url));
	TRY(service_post_url(k, (char *)url.p, "application/ocsp-request", buf_slice(&q), &a));
	TRY(chain_check_ocsp(c, issuer, buf_slice(&a), LIT(""), clock_now(), STATUS_AGE_S, &s));
	if (s.status == OCSP_UNKNOWN)
		return fail(ERR_ABSENT, "status-unknown: RFC 6960 2.2: the responder does not know this certificate");
	out->ocsp = s.status == OCSP_REVOKED ? WORD_REVOKED : WORD_GOOD;
	out->ocsp_at = s.this_update;
	out->ocsp_revoked = s.revoked;
	return ok;
}

static err
status_crl(struct inkan *k, const struct cert *c, const struct cert *issuer, const struct key *issuer_key,
    struct status_said *out)
{
	struct buf url OWNED(buf_drop) = BUF(NET_URL_MAX), list OWNED(buf_drop) = BUF(CRL_READ_MAX);
	struct crl_entry e;
	struct crl l;
	instant now = clock_now();

	url_of(k, cert_crl_uri(c), "/crl/issuer.crl", &url);
	TRY(buf_check(&url));
	TRY(service_get_url(k, (char *)url.p, CRL_READ_MAX, &list));
	TRY(crl_get(buf_slice(&list), &l));
	if (!slice_eq(l.issuer, issuer->subject))
		return fail(ERR_POLICY, "status-crl-issuer: RFC 5280 6.3.3: the list is another issuer's");
	TRY(crl_check_signed_by(&l, issuer_key));
	if (l.this_update.ms > now.ms + CLOCK_MS || l.next_update.ms <= now.ms)
		return fail(ERR_POLICY, "status-crl-old: RFC 5280 6.3.3: the list is not today's");
	out->crl = WORD_GOOD;
	out->crl_at = l.this_update;
	for (slice rest = l.entries; rest.n > 0;) {
		TRY(crl_next(&rest, &e));
		if (serial_eq(e.serial, c->serial)) {
			out->crl = WORD_REVOKED;
			out->crl_revoked = e.revoked;
		}
	}
	return ok;
}

void
status_ask(struct inkan *k, const struct cert *c, const struct cert *issuer, const struct key *issuer_key,
    struct status_said *out)
{
	*out = (struct status_said){.ocsp = WORD_NONE, .crl = WORD_NONE};
	out->ocsp_err = status_ocsp(k, c, issuer, out);
	out->crl_err = status_crl(k, c, issuer, issuer_key, out);
	if (out->crl_err.kind != OK)
		out->crl = WORD_NONE;
}

static void
say_word(struct inkan *k, const char *good, const char *revoked, const char *none, enum word w, instant at,
    instant since, err e, const char *json_name)
{
	static const char *const names[] = {[WORD_GOOD] = "good", [WORD_REVOKED] = "revoked", [WORD_NONE] = "none"};
	struct buf a OWNED(buf_drop) = BUF(64), s OWNED(buf_drop) = BUF(64);

	if (k->o.json)
		json_put_named(&k->json, json_name, slice_str(names[w]));
	if (w == WORD_NONE) {
		say_line(k, none);
		SAY(k, "  because: {1}", slice_str(words(k->lang, e.what)));
		return;
	}
	put_when(&a, k->lang, at);
	put_when(&s, k->lang, since);
	SAY(k, w == WORD_GOOD ? good : revoked, buf_slice(&a), buf_slice(&s));
}

void
status_say(struct inkan *k, const struct status_said *s)
{
	say_word(k, "OCSP: not revoked, as of {1}.", "OCSP: REVOKED since {2}, as of {1}.",
	    "OCSP: no answer that proves anything.", s->ocsp, s->ocsp_at, s->ocsp_revoked, s->ocsp_err, "ocsp");
	say_word(k, "Revocation list: not on it, as of {1}.", "Revocation list: REVOKED since {2}, as of {1}.",
	    "Revocation list: none that proves anything.", s->crl, s->crl_at, s->crl_revoked, s->crl_err, "crl");
}
