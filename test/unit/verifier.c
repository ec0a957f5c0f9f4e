/* LINK: role/verifier/verifier.c test/jpki/make.c */
/* The verifier as a pure step: frame in, frames out (ID-2, B-2, B-10, Rule 12(1)1リ, B-16). */
#include "test/unit/test.h"

#include "act/application.h"
#include "act/body.h"
#include "act/document.h"
#include "act/identity.h"
#include "act/order.h"
#include "act/order_judge.h"
#include "pki/ocsp.h"
#include "role/verifier/verifier.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"
#define HEX32 "00112233445566778899aabbccddeeff"

static struct {
	const char *dir;
	struct house *house;
	struct signer *own, *card;
	struct buf application; /* yamada's, for own */
	char serial[64], certificate[65];
} w;

/* A certificate of the house for the key of `own`. */
static void
issue(struct signer *to, const struct signer *by, uint8_t first, struct buf *out)
{
	struct cert ca;
	struct cert_plan p;

	if (cert_get(signer_certificate(w.house->ca), &ca).kind != OK)
		abort();
	p = (struct cert_plan){.serial = {16, {first, 1, 2}},
	    .issuer = ca.subject,
	    .subject = ca.subject,
	    .spki = signer_spki(to),
	    .not_before = at_of("2026-11-22T00:30:00.000Z"),
	    .not_after = at_of("2027-11-22T00:30:00.000Z"),
	    .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	    .aki = ca.ski,
	    .ski = ca.ski};
	make_certificate(out, by, &p);
}

static int
setup(void **state)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), h OWNED(buf_drop) = BUF(256);
	struct make_application m;
	struct cert c;

	(void)state;
	w.dir = make_world(DAY, 0);
	w.house = house_new(w.dir, at_of(AT));
	w.card = signer_load(w.dir, "yamada");
	w.own = signer_new(KEY_P256, 256);
	w.application = BUF(CMS_MAX);
	application_for(w.house, w.dir, "yamada", at_of(AT), &m);
	make_application(&w.application, w.card, w.own, &m);
	issue(w.own, w.house->ca, 0x41, &der);
	signer_set_certificate(w.own, buf_slice(&der));
	expect_ok("own", cert_get(signer_certificate(w.own), &c));
	serial_put_hex(&h, c.serial);
	memcpy(w.serial, h.p, h.n);
	buf_clear(&h);
	digest_put(&h, cert_digest(&c));
	memcpy(w.certificate, h.p, h.n);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&w.card);
	signer_drop(&w.own);
	buf_drop(&w.application);
	house_drop(&w.house);
	return 0;
}

/* One order through a step; the one result, whose slices borrow from `out`. */
static err
step(struct verifier *v, uint8_t kind, slice body, struct buf *out, struct frame *result)
{
	struct frame in = {.kind = kind, .id = 7, .body = body};
	bool whole = false;
	slice s;

	*result = (struct frame){.kind = 0};
	buf_clear(out);
	TRY(verifier_step(v, &in, out));
	s = buf_slice(out);
	if (s.n == 0)
		return ok;
	expect_ok("frame", frame_get(&s, &whole, result));
	expect_true("one whole frame", whole && s.n == 0);
	expect_number("kind", result->kind, kind);
	expect_number("id", result->id, 7);
	return ok;
}

static void
give(struct verifier *v, uint8_t kind, slice bytes, size_t part, struct buf *out, struct frame *result)
{
	uint64_t n = 0;
	bool last;

	do {
		struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
		struct part p = {.number = n++};

		last = bytes.n <= part;
		p.last = last;
		if (!slice_take(&bytes, last ? bytes.n : part, &p.bytes))
			abort();
		part_put(&body, &p);
		expect_ok("part", step(v, kind, buf_slice(&body), out, result));
		expect_true("an answer after the last part only", last == (result->kind != 0));
	} while (!last);
}

static void
give_file(struct verifier *v, const char *name, struct buf *out, struct frame *result)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 20);
	char path[2300];

	snprintf(path, sizeof path, "%s/%s", w.dir, name);
	file_get(path, &b);
	give(v, ORDER_CRL_IN, buf_slice(&b), 700, out, result);
}

static void
ready(struct verifier *v, const char *method, struct buf *out)
{
	struct buf file OWNED(buf_drop) = BUF(96 << 10);
	struct frame r;

	verifier_start(v);
	house_put_trust(w.house, w.dir, "test", method, "", &file);
	give(v, ORDER_TRUST, buf_slice(&file), 5000, out, &r);
	expect_number("trust", r.fail, OK);
}

static struct frame
verify(struct verifier *v, const struct verify_order *o, struct buf *out, struct facts *f)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct frame r;

	verify_order_put(&body, o);
	expect_ok("verify", step(v, ORDER_VERIFY, buf_slice(&body), out, &r));
	*f = (struct facts){.verdict = 0};
	if (r.fail == OK) {
		struct buf again OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		digest name = sha256(o->cms);

		expect_ok("facts", facts_get(r.body, f));
		facts_put(&again, f);
		expect_same("facts again", buf_slice(&again), r.body);
		expect_same("document", digest_slice(&f->document), digest_slice(&name));
	}
	return r;
}

static void
trust_then_lists(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	struct crl_reply c;
	struct frame r;
	digest d;
	slice s;

	(void)state;
	verifier_start(&v);
	give(&v, ORDER_TRUST, LIT("[trust]\n"), 100, &out, &r);
	expect_number("refused", r.fail, ERR_INPUT);
	expect_same("refused", r.what, LIT("conf-absent: house: a configuration file lacks a name it must have"));
	give(&v, ORDER_TRUST, buf_slice(&w.house->trust), 5000, &out, &r);
	d = sha256(buf_slice(&w.house->trust));
	expect_ok("digest", octets_get(r.body, &s));
	expect_same("digest", s, digest_slice(&d));
	give_file(&v, "signca03.crl", &out, &r);
	expect_ok("crl", crl_reply_get(r.body, &c));
	expect_number("thisUpdate", (uint64_t)c.this_update.ms, (uint64_t)at_of("2026-11-22T00:00:00.000Z").ms);
	expect_true("entries", c.count >= 1);
	give_file(&v, "authca.crl", &out, &r);
	expect_number("a stranger's list", r.fail, ERR_POLICY);
	expect_same("a stranger's list", r.what,
	    LIT("jpki-crl-anchor: RFC 5280 6.3.3: no pinned J-LIS certificate of this name signed the CRL"));
	for (size_t i = 0; i < 5; i++)
		give_file(&v, i % 2 ? "signca02.crl" : "signca03.crl", &out, &r);
	expect_number("the same again is one", v.n_crls, 2);
	give(&v, ORDER_TRUST, buf_slice(&w.house->trust), 5000, &out, &r);
	expect_number("new trust, no lists", v.n_crls, 0);
}

/* Today's list of a CA and the one before, whatever else comes in. */
static void
two_lists_of_each_ca(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct signer *ca OWNED(signer_drop) = signer_load(w.dir, "signca03");
	struct verifier v OWNED(verifier_drop);
	struct crl_reply c;
	struct cert issuer;
	struct frame r;

	(void)state;
	ready(&v, "crl", &out);
	give_file(&v, "signca02.crl", &out, &r);
	expect_ok("issuer", cert_get(signer_certificate(ca), &issuer));
	for (uint64_t i = 1; i <= 4; i++) {
		struct buf tbs OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX), der OWNED(buf_drop) = BUF(8192);
		struct crl_plan p = {.alg = SIG_RSA_SHA256,
		    .issuer = issuer.subject,
		    .this_update = {at_of(AT).ms + (int64_t)i * SECOND_MS},
		    .next_update = {at_of(AT).ms + DAY_MS},
		    .number = i,
		    .aki = issuer.ski};

		crl_put_tbs(&tbs, &p);
		signer_sign(ca, SIG_RSA_SHA256, buf_slice(&tbs), &sig);
		cert_join(&der, buf_slice(&tbs), SIG_RSA_SHA256, buf_slice(&sig));
		give(&v, ORDER_CRL_IN, buf_slice(&der), 4096, &out, &r);
		expect_ok("list", crl_reply_get(r.body, &c));
		expect_number("held", v.n_crls, i == 1 ? 2 : 3);
	}
	expect_true("the newest is there", digest_eq(crl_table_digest(v.crl[2]), c.digest));
}

/* A registrar gone wrong is not argued with. */
static void
gone_wrong(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), part OWNED(buf_drop) = BUF(1024), body OWNED(buf_drop) = BUF(1024);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_OFFICE, .at = at_of(AT)};
	struct frame r;

	(void)state;
	verifier_start(&v);
	verify_order_put(&body, &o);
	expect_err("before trust", step(&v, ORDER_VERIFY, buf_slice(&body), &out, &r), ERR_CORRUPT,
	    "gate-early: house: a peer said something that may not be said now");
	expect_err("other order", step(&v, ORDER_SIGN, LIT(""), &out, &r), ERR_CORRUPT,
	    "gate-unknown: house: a peer said something this role does not hear");
	part_put(&part, &(struct part){.number = 1, .last = false, .bytes = LIT("x")});
	expect_err("part 1 first", step(&v, ORDER_TRUST, buf_slice(&part), &out, &r), ERR_CORRUPT,
	    "verifier-part: house: a part came out of its order");
	ready(&v, "crl", &out);
	buf_clear(&part);
	part_put(&part, &(struct part){.number = 0, .last = false, .bytes = LIT("x")});
	expect_ok("part 0", step(&v, ORDER_CRL_IN, buf_slice(&part), &out, &r));
	buf_clear(&part);
	part_put(&part, &(struct part){.number = 1, .last = false, .bytes = LIT("x")});
	expect_err("another thing between", step(&v, ORDER_TRUST, buf_slice(&part), &out, &r), ERR_CORRUPT,
	    "verifier-part: house: a part came out of its order");
	expect_err("no order", step(&v, ORDER_VERIFY, LIT("\x30\x00"), &out, &r), ERR_INPUT,
	    "der-short: X.690 8.1: the input ends within an element");
}

static void
application_by_crl(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {
	    .purpose = PURPOSE_APPLICATION, .at = at_of(AT), .method = STATUS_CRL, .cms = buf_slice(&w.application)};
	struct crl_reply c;
	struct facts f;
	struct frame r;
	struct cert leaf;

	(void)state;
	ready(&v, "crl", &out);
	verify(&v, &o, &out, &f);
	expect_number("no list yet", f.verdict, VERDICT_UNCHECKED);
	expect_true("chained", f.chained);
	give_file(&v, "signca03.crl", &out, &r);
	expect_ok("crl", crl_reply_get(r.body, &c));
	give_file(&v, "signca02.crl", &out, &r);
	o.crl = c.digest;
	r = verify(&v, &o, &out, &f);
	expect_number("verified", f.verdict, VERDICT_VERIFIED);
	expect_number("form", f.form, FORM_APPLICATION);
	expect_number("lines", f.n, A_COUNT);
	expect_same("name", f.value[A_NAME], LIT("山田　太郎"));
	expect_same("card's name", f.card_name, LIT("山田　太郎"));
	expect_same("key", f.spki, signer_spki(w.own));
	expect_number("key", f.key_kind, KEY_P256);
	expect_number("signer", f.signer, SIGNER_CARD);
	expect_true("list", digest_eq(f.status_digest, c.digest));
	expect_ok("leaf", cert_get(signer_certificate(w.card), &leaf));
	expect_true("leaf", serial_eq(leaf.serial, f.signer_serial) && digest_eq(f.signer_digest, cert_digest(&leaf)));
	expect_true("nothing to ask", f.ocsp_request.n == 0 && f.why.n == 0);
}

/* A card of the older CA is judged by that CA's list, also where another is cited. */
static void
application_of_another_generation(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct signer *kato OWNED(signer_drop) = signer_load(w.dir, "kato");
	struct verifier v OWNED(verifier_drop);
	struct make_application m;
	struct verify_order o = {.purpose = PURPOSE_APPLICATION, .at = at_of(AT), .method = STATUS_CRL};
	struct crl_reply c2, c3;
	struct facts f;
	struct frame r;

	(void)state;
	ready(&v, "crl", &out);
	application_for(w.house, w.dir, "kato", at_of(AT), &m);
	make_application(&cms, kato, w.own, &m);
	o.cms = buf_slice(&cms);
	give_file(&v, "signca03.crl", &out, &r);
	expect_ok("crl", crl_reply_get(r.body, &c3));
	o.crl = c3.digest;
	verify(&v, &o, &out, &f);
	expect_number("only the other list", f.verdict, VERDICT_UNCHECKED);
	give_file(&v, "signca02.crl", &out, &r);
	expect_ok("crl", crl_reply_get(r.body, &c2));
	verify(&v, &o, &out, &f);
	expect_number("its own list", f.verdict, VERDICT_VERIFIED);
	expect_true("its own list", digest_eq(f.status_digest, c2.digest));
}

static void
application_by_ocsp(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_APPLICATION,
	    .at = at_of(AT),
	    .method = STATUS_NONE,
	    .cms = buf_slice(&w.application),
	    .ocsp_nonce = LIT("0123456789abcdef")};
	struct ocsp_request q;
	struct facts f;

	(void)state;
	ready(&v, "ocsp", &out);
	verify(&v, &o, &out, &f);
	expect_number("nothing known", f.verdict, VERDICT_UNCHECKED);
	expect_same("nothing known", f.why,
	    LIT("jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"));
	expect_ok("request", ocsp_request_get(f.ocsp_request, &q));
	expect_same("nonce", q.nonce, LIT("0123456789abcdef"));
	o.method = STATUS_OCSP;
	o.ocsp_answer = LIT("\x30\x03\x0A\x01\x03"); /* tryLater */
	verify(&v, &o, &out, &f);
	expect_number("try later", f.verdict, VERDICT_UNCHECKED);
	expect_true("ask again", f.ocsp_request.n > 0);
}

static void
application_not_for_this_house(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	static const char old[] = "00000000000000000000000000000000000000000000000000000000000000ff";
	const struct {
		struct make_application m;
		const char *what;
	} rows[] = {
	    {{.service = "Another CA"}, "decision-service: Rule 6(ii): the document was meant for another service"},
	    {{.profile = "e-seal"}, "decision-profile: Rule 6(ii): this kind of certificate is not offered"},
	    {{.terms = old}, "decision-terms: Rule 6(xiii): the terms agreed to are not those in force"},
	    {{.explanation = old}, "decision-explanation: Rule 6(i): the explanation confirmed is not one in force"},
	};

	(void)state;
	ready(&v, "crl", &out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct verify_order o = {.purpose = PURPOSE_APPLICATION, .at = at_of(AT)};
		struct make_application m;
		struct facts f;

		application_for(w.house, w.dir, "yamada", at_of(AT), &m);
		m.service = rows[i].m.service;
		m.profile = rows[i].m.profile;
		m.terms = rows[i].m.terms != NULL ? rows[i].m.terms : m.terms;
		m.explanation = rows[i].m.explanation != NULL ? rows[i].m.explanation : m.explanation;
		make_application(&cms, w.card, w.own, &m);
		o.cms = buf_slice(&cms);
		verify(&v, &o, &out, &f);
		expect_number(rows[i].what, f.verdict, VERDICT_FAILED);
		expect_same(rows[i].what, f.why, slice_str(rows[i].what));
		expect_number(rows[i].what, f.kind, ERR_POLICY);
		expect_true("nothing is kept of it", !f.chained);
		expect_number("the values are given", f.n, A_COUNT);
	}
}

static void
unreadable(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	struct facts f;

	(void)state;
	ready(&v, "crl", &out);
	for (int purpose = PURPOSE_APPLICATION; purpose <= PURPOSE_WITHDRAWAL; purpose++) {
		struct verify_order o = {.purpose = (enum purpose)purpose, .at = at_of(AT), .cms = LIT("\x30\x00")};
		struct frame r = verify(&v, &o, &out, &f);

		expect_number("fail", r.fail, ERR_INPUT);
		expect_same("what", r.what, LIT("der-short: X.690 8.1: the input ends within an element"));
	}
}

static void
receipts(void **state)
{
	const char *const good[] = {"Inkan Test CA", HEX32, w.serial, w.certificate, AT, RECEIPT_SENTENCE};
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	               bad OWNED(buf_drop) = BUF(CMS_MAX);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_RECEIPT, .at = at_of(AT)};
	struct facts f;
	struct frame r;

	(void)state; /* Rule 12(1)1リ */
	ready(&v, "crl", &out);
	make_document(&cms, w.own, FORM_RECEIPT, good, (slice){NULL, 0}, at_of(AT));
	o.cms = buf_slice(&cms);
	verify(&v, &o, &out, &f);
	expect_number("verified", f.verdict, VERDICT_VERIFIED);
	expect_number("signer", f.signer, SIGNER_CERTIFICATE);
	expect_number("form", f.form, FORM_RECEIPT);
	expect_same("certificate", f.value[R_CERTIFICATE], slice_str(w.certificate));
	expect_true("chained", f.chained);
	make_document(&bad, w.card, FORM_RECEIPT, good, (slice){NULL, 0}, at_of(AT));
	o.cms = buf_slice(&bad);
	r = verify(&v, &o, &out, &f);
	expect_number("by a card", r.fail, ERR_POLICY);
}

static void
put_revocation(struct buf *out, const struct signer *who, const char *number, const char *service)
{
	const char *const values[] = {service, number, "keyCompromise", AT, REVOCATION_SENTENCE};

	make_document(out, who, FORM_REVOCATION, values, (slice){NULL, 0}, at_of(AT));
}

static void
revocation_by_certificate(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_REVOCATION, .at = at_of(AT)};
	struct facts f;
	struct cert c;

	(void)state; /* B-10 */
	ready(&v, "crl", &out);
	put_revocation(&cms, w.own, w.serial, "Inkan Test CA");
	o.cms = buf_slice(&cms);
	verify(&v, &o, &out, &f);
	expect_number("verified", f.verdict, VERDICT_VERIFIED);
	expect_number("signer", f.signer, SIGNER_CERTIFICATE);
	expect_ok("own", cert_get(signer_certificate(w.own), &c));
	expect_true("serial", serial_eq(c.serial, f.signer_serial));
	expect_same("reason", f.value[V_REASON], LIT("keyCompromise"));
}

/* A clock that is ahead: refused while it can still be said; a signer would never take what the books had promised. */
static void
revocation_ahead(void **state)
{
	const char *const office_values[] = {"Inkan Test CA", w.serial, "superseded", NULL, "telephone", "saburo", AT};
	const struct {
		int64_t ms;
		enum err_kind kind;
	} rows[] = {{0, OK}, {-DAY_MS, OK}, {5 * 60 * SECOND_MS - SECOND_MS, OK}, {5 * 60 * SECOND_MS, ERR_POLICY},
	    {DAY_MS, ERR_POLICY}};
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);

	(void)state;
	ready(&v, "crl", &out);
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const bool by_office = i >= COUNT(rows);
		const char *const own_values[] = {"Inkan Test CA", w.serial, "keyCompromise", AT, REVOCATION_SENTENCE};
		const instant signed_at = {at_of(AT).ms + rows[i % COUNT(rows)].ms};
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct verify_order o = {.purpose = by_office ? PURPOSE_OFFICE : PURPOSE_REVOCATION, .at = at_of(AT)};
		struct facts f;
		struct frame r;

		make_document(&cms, by_office ? w.house->saburo : w.own, by_office ? FORM_OFFICE_REVOCATION : FORM_REVOCATION,
		    by_office ? office_values : own_values, (slice){NULL, 0}, signed_at);
		o.cms = buf_slice(&cms);
		r = verify(&v, &o, &out, &f);
		expect_number(row_name("rows", i), r.fail, rows[i % COUNT(rows)].kind);
		if (r.fail != OK)
			expect_same(row_name("rows", i), r.what,
			    LIT("verifier-signing-time: Rule 6(x): the request was signed in the future; set your clock and sign "
			        "again"));
	}
}

static void
revocation_refused(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), other_der OWNED(buf_drop) = BUF(CERT_MAX),
	               forged_der OWNED(buf_drop) = BUF(CERT_MAX);
	struct signer *other OWNED(signer_drop) = signer_new(KEY_P256, 256),
	                     *forged OWNED(signer_drop) = signer_new(KEY_P256, 256),
	                     *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct verifier v OWNED(verifier_drop);

	(void)state;
	issue(other, w.house->ca, 0x42, &other_der);
	issue(forged, forged, 0x41, &forged_der);
	signer_set_certificate(other, buf_slice(&other_der));
	signer_set_certificate(forged, buf_slice(&forged_der));
	signer_set_certificate(thief, signer_certificate(w.own));
	const struct {
		const struct signer *who;
		const char *service, *what;
	} rows[] = {
	    {other, "Inkan Test CA",
	        "verifier-serial: Rule 6(x): the request names another certificate than the one that signed it"},
	    {forged, "Inkan Test CA",
	        "verifier-certificate: Rule 6(x): the signer's certificate is not a person's of this issuer"},
	    {w.house->ca, "Inkan Test CA",
	        "verifier-certificate: Rule 6(x): the signer's certificate is not a person's of this issuer"},
	    {thief, "Inkan Test CA", "signature: Act 2(1): the signature was not made by this key over these bytes"},
	    {w.house->hanako, "Inkan Test CA",
	        "verifier-signer: Rule 6(x): the request is signed by neither certificate nor card"},
	    {w.own, "Another CA", "verifier-service: Rule 6(vii): the document is for another service"},
	};
	ready(&v, "crl", &out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct verify_order o = {.purpose = PURPOSE_REVOCATION, .at = at_of(AT)};
		struct facts f;
		struct frame r;

		put_revocation(&cms, rows[i].who, w.serial, rows[i].service);
		o.cms = buf_slice(&cms);
		r = verify(&v, &o, &out, &f);
		expect_number(row_name("rows", i), r.fail, ERR_POLICY);
		expect_same(row_name("rows", i), r.what, slice_str(rows[i].what));
	}
}

static void
revocation_by_card(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	               by_sato OWNED(buf_drop) = BUF(CMS_MAX), by_suzuki OWNED(buf_drop) = BUF(CMS_MAX),
	               other_der OWNED(buf_drop) = BUF(CERT_MAX);
	struct signer *sato OWNED(signer_drop) = signer_load(w.dir, "sato"),
	                    *suzuki OWNED(signer_drop) = signer_load(w.dir, "suzuki"),
	                    *other OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_REVOCATION, .at = at_of(AT), .method = STATUS_CRL};
	struct facts f;
	struct frame r;

	(void)state;
	ready(&v, "crl", &out);
	give_file(&v, "signca03.crl", &out, &r);
	put_revocation(&cms, w.card, w.serial, "Inkan Test CA");
	o.cms = buf_slice(&cms);
	verify(&v, &o, &out, &f);
	expect_number("first look", f.verdict, VERDICT_VERIFIED);
	expect_number("first look", f.signer, SIGNER_CARD);
	expect_true("first look", !f.same_card);
	expect_same("which", f.value[V_SERIAL], slice_str(w.serial));
	o.certificate = signer_certificate(w.own);
	o.application = buf_slice(&w.application);
	verify(&v, &o, &out, &f);
	expect_true("same card", f.same_card && f.verdict == VERDICT_VERIFIED);
	issue(other, w.house->ca, 0x42, &other_der);
	o.certificate = buf_slice(&other_der);
	verify(&v, &o, &out, &f);
	expect_true("another's certificate under this application", !f.same_card);
	o.certificate = signer_certificate(w.own);
	put_revocation(&by_sato, sato, w.serial, "Inkan Test CA");
	o.cms = buf_slice(&by_sato);
	verify(&v, &o, &out, &f);
	expect_true("another card", !f.same_card && f.verdict == VERDICT_VERIFIED);
	put_revocation(&by_suzuki, suzuki, w.serial, "Inkan Test CA");
	o.cms = buf_slice(&by_suzuki);
	verify(&v, &o, &out, &f);
	expect_number("a revoked card", f.verdict, VERDICT_FAILED);
	expect_true("an entry may be made", f.chained);
	expect_same("a revoked card", f.why, LIT("jpki-revoked: JPKI Act 19(1): the card's certificate is revoked"));
}

static void
put_withdrawal(struct buf *out, const struct signer *who, digest application, const char *service)
{
	const char *values[C_COUNT] = {service, HEX32, NULL, AT, WITHDRAWAL_SENTENCE};
	struct buf hex OWNED(buf_drop) = BUF(65);

	digest_put(&hex, application);
	buf_put_u8(&hex, 0);
	values[C_APPLICATION] = (const char *)hex.p;
	buf_clear(out);
	make_document(out, who, FORM_WITHDRAWAL, values, (slice){NULL, 0}, at_of(AT));
}

/* Rule 6(ii): by the card that applied, or the key that was to be certified; by nobody else. */
static void
withdrawal(void **state)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	               application OWNED(buf_drop) = BUF(CMS_MAX);
	struct signer *sato OWNED(signer_drop) = signer_load(w.dir, "sato"),
	                    *own OWNED(signer_drop) = signer_new(KEY_P256, 256),
	                    *other OWNED(signer_drop) = signer_new(KEY_P256, 256);
	static const char NEITHER[] =
	    "verifier-withdrawer: Rule 6(ii): the withdrawal is signed neither by the application's card nor by its key";
	const struct {
		const char *row;
		const struct signer *who;
		const char *what; /* NULL: verified */
		enum signer_kind signer;
	} rows[] = {
	    {"the card", w.card, NULL, SIGNER_CARD},
	    {"the key", own, NULL, SIGNER_CERTIFICATE},
	    {"another card", sato, NEITHER, 0},
	    {"another key", other, NEITHER, 0},
	    {"our certificate for another key", w.own, NEITHER, 0},
	};
	struct verifier v OWNED(verifier_drop);
	struct verify_order o = {.purpose = PURPOSE_WITHDRAWAL, .at = at_of(AT)};
	struct make_application m;
	struct facts f;
	struct frame r;

	(void)state;
	ready(&v, "crl", &out);
	application_for(w.house, w.dir, "yamada", at_of(AT), &m);
	make_application(&application, w.card, own, &m);
	for (size_t i = 0; i < COUNT(rows); i++) {
		put_withdrawal(&cms, rows[i].who, sha256(buf_slice(&application)), "Inkan Test CA");
		o.cms = buf_slice(&cms);
		o.application = (slice){NULL, 0};
		verify(&v, &o, &out, &f);
		expect_number(rows[i].row, f.verdict, VERDICT_UNCHECKED);
		expect_same(rows[i].row, f.value[C_DOSSIER], LIT(HEX32));
		o.application = buf_slice(&application);
		r = verify(&v, &o, &out, &f);
		if (rows[i].what != NULL) {
			expect_same(rows[i].row, r.what, slice_str(rows[i].what));
			continue;
		}
		expect_number(rows[i].row, f.verdict, VERDICT_VERIFIED);
		expect_number(rows[i].row, f.signer, rows[i].signer);
	}
	put_withdrawal(&cms, w.card, sha256(buf_slice(&w.application)), "Inkan Test CA");
	o.cms = buf_slice(&cms);
	r = verify(&v, &o, &out, &f);
	expect_same("other", r.what, LIT("verifier-application: Rule 6(ii): the withdrawal is of another application"));
	put_withdrawal(&cms, w.card, sha256(buf_slice(&application)), "Another CA");
	o.cms = buf_slice(&cms);
	r = verify(&v, &o, &out, &f);
	expect_same("service", r.what, LIT("verifier-service: Rule 6(vii): the document is for another service"));
}

static void
office(void **state)
{
	static const char *const hex64 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct verifier v OWNED(verifier_drop);
	const struct {
		const struct signer *who;
		enum form form;
		const char *values[G_COUNT], *what; /* NULL: verified */
	} rows[] = {
	    {w.house->jiro, FORM_DECISION, {"Inkan Test CA", HEX32, hex64, "accept", "a", "b", "register", "jiro", AT},
	        NULL},
	    {w.house->saburo, FORM_OFFICE_REVOCATION,
	        {"Inkan Test CA", w.serial, "superseded", NULL, "telephone", "saburo", AT}, NULL},
	    {w.house->hanako, FORM_AUTOMATION, {"Inkan Test CA", "stop", "drill", "hanako", AT}, NULL},
	    {w.house->hanako, FORM_APPROVAL, {"Inkan Test CA", hex64, "1", AT, AT, "hanako", AT}, NULL},
	    {w.house->hanako, FORM_PERMISSION,
	        {"Inkan Test CA", "1", "granted", "jiro", hex64, "officer", AT, AT, "hanako", AT}, NULL},
	    {w.house->hanako, FORM_BASELINE,
	        {"Inkan Test CA", "NONE", hex64, hex64, hex64, hex64, hex64, "-", "hanako", AT}, NULL},
	    {w.house->saburo, FORM_KEEP, {"Inkan Test CA", w.serial, hex64, "telephone", "saburo", AT}, NULL},
	    {w.house->jiro, FORM_EXTENSION, {"Inkan Test CA", HEX32, AT, "telephone", "jiro", AT}, NULL},
	    {w.house->saburo, FORM_LETTER, {"Inkan Test CA", HEX32, "reminder", AT, "post", "saburo", AT}, NULL},
	    {w.house->hanako, FORM_NOTE, {"Inkan Test CA", "network", AT, "a port was open", "hanako", AT}, NULL},
	    {w.house->jiro, FORM_KEEP, {"Inkan Test CA", w.serial, hex64, "telephone", "jiro", AT},
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, FORM_NOTE, {"Inkan Test CA", "network", AT, "a port was open", "hanako", AT},
	        "verifier-person: Rule 12(1): the document names somebody else than who signed it"},
	    {w.house->saburo, FORM_DECISION, {"Inkan Test CA", HEX32, hex64, "accept", "a", "b", "register", "saburo", AT},
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, FORM_AUTOMATION, {"Inkan Test CA", "resume", "drill", "jiro", AT},
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, FORM_OFFICE_REVOCATION, {"Inkan Test CA", w.serial, "superseded", AT, "telephone", "jiro", AT},
	        "person-duty: Rule 6(xvi): the signer is not permitted to do this"},
	    {w.house->jiro, FORM_DECISION, {"Inkan Test CA", HEX32, hex64, "accept", "a", "b", "register", "hanako", AT},
	        "verifier-person: Rule 12(1): the document names somebody else than who signed it"},
	    {w.house->hanako, FORM_AUTOMATION, {"Another CA", "stop", "drill", "hanako", AT},
	        "verifier-service: Rule 6(vii): the document is for another service"},
	    {w.house->hanako, FORM_REVOCATION, {"Inkan Test CA", w.serial, "superseded", AT, REVOCATION_SENTENCE},
	        "verifier-form: Rule 6(xvi): this is no document of a person of the house"},
	    {w.own, FORM_AUTOMATION, {"Inkan Test CA", "stop", "drill", "hanako", AT},
	        "person-certificate: Rule 6(xvi): a person of the house signs with the key pinned for it"},
	};

	(void)state; /* B-16 */
	ready(&v, "crl", &out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf cms OWNED(buf_drop) = BUF(CMS_MAX);
		struct verify_order o = {.purpose = PURPOSE_OFFICE, .at = at_of(AT)};
		const char *row = row_name("rows", i);
		struct facts f;
		struct frame r;

		make_document(&cms, rows[i].who, rows[i].form, rows[i].values, (slice){NULL, 0}, at_of(AT));
		o.cms = buf_slice(&cms);
		r = verify(&v, &o, &out, &f);
		if (rows[i].what != NULL) {
			expect_same(row, r.what, slice_str(rows[i].what));
			continue;
		}
		expect_number(row, r.fail, OK);
		expect_number(row, f.verdict, VERDICT_VERIFIED);
		expect_number(row, f.signer, SIGNER_PERSON);
		expect_number(row, f.form, rows[i].form);
		expect_same(row, f.person,
		    slice_str(rows[i].who == w.house->jiro     ? "jiro"
		              : rows[i].who == w.house->saburo ? "saburo"
		                                               : "hanako"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trust_then_lists),
	    cmocka_unit_test(two_lists_of_each_ca),
	    cmocka_unit_test(gone_wrong),
	    cmocka_unit_test(application_by_crl),
	    cmocka_unit_test(application_of_another_generation),
	    cmocka_unit_test(application_by_ocsp),
	    cmocka_unit_test(application_not_for_this_house),
	    cmocka_unit_test(unreadable),
	    cmocka_unit_test(receipts),
	    cmocka_unit_test(revocation_by_certificate),
	    cmocka_unit_test(revocation_ahead),
	    cmocka_unit_test(revocation_refused),
	    cmocka_unit_test(revocation_by_card),
	    cmocka_unit_test(withdrawal),
	    cmocka_unit_test(office),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
