/* LINK: test/jpki/make.c test/system/parts/attempt.c test/system/parts/signers.c */
/*
 * attacker - has the registrar's code, and so its wires, its words and its books; and wants a certificate that the law
 * would not give.  Against the real issuer with a real token.  Prints TAP, a line for each thing tried.
 *
 *	attacker LIBEXEC HOME WORLD
 */
#include "act/entry.h"
#include "act/identity.h"
#include "base/conf.h"
#include "edge/clock.h"
#include "pki/crl.h"
#include "test/system/parts/attempt.h"

/* --- before anything was handed over ---------------------------------------------------------------------------------- */

static void
too_early(void)
{
	struct attempt a OWNED(attempt_drop);

	start("issuer");
	apply(&a, "yamada");
	is_refused("an order before hello", &a, "signer-hello");
	need(greet(&w.p, 9, NULL), "hello");
	is_refused("an order before profile and rules were given", &a, "issue-rules");
	need(true_rules()->fail == OK, "rules");
	is_refused("a list that was not handed over", &a, "issue-crl");
	is(list(buf_slice(&w.crl))->fail == OK, "the list of today is taken");
	comes_out("a true application: a certificate", &a, NULL);
}

/* --- forged applications ------------------------------------------------------------------------------------------------ */

static void
forged_applications(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_RSA, 2048),
	                     *card OWNED(signer_drop) = signer_load(w.world, "yamada");
	struct buf text OWNED(buf_drop) = BUF(CMS_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	uint8_t *at;

	apply(&a, "yamada");
	at = memmem(a.cms.p, a.cms.n, "1980-01-15", 10);
	need(at != NULL, "a birth date in the application");
	at[3] = '1';
	order(&a);
	is_refused("an application whose bytes were changed after the card signed", &a, "cms-message-digest");
	buf_clear(&a.cms);
	signer_set_certificate(thief, signer_certificate(card));
	make_application(&a.cms, thief, a.own, &a.says);
	order(&a);
	is_refused("an application with the card's certificate, signed by another key", &a, "jpki-signature");
	begin(&b, "yamada");
	sign_by(&b, "foreign-key");
	is_refused("a card of a CA that only bears J-LIS's name", &b, "jpki-anchor");
	sign_by(&b, "self-signed");
	is_refused("a card that signed itself", &b, "jpki-anchor");
	sign_by(&b, "other-hierarchy");
	is_refused("a card of the other hierarchy", &b, "jpki-hierarchy");
	sign_by(&b, "wrong-policy");
	is_refused("a certificate of another policy", &b, "jpki-policy");
	sign_by(&b, "yamada-auth");
	is_refused("the card's other certificate, made without its signature PIN", &b, "jpki-auth-certificate");
	/* the request inside is another's: the text is signed by the card, the key's owner never agreed */
	make_application_text(&text, w.house->hanako, &a.says);
	at = memmem(text.p, text.n, "nonce-", 6);
	need(at != NULL, "a nonce in the application");
	at[0] = 'N';
	make_cms(&cms, card, buf_slice(&text), clock_now());
	buf_clear(&a.cms);
	buf_put(&a.cms, buf_slice(&cms));
	order(&a);
	is_refused("a request for a certificate made for another application", &a, "application-challenge");
	a.o.application = LIT("not CMS at all");
	is_refused("an application that is none", &a, "der-short");
	buf_put_u8(&a.cms, 0);
	order(&a);
	is_refused("an application with a byte behind it", &a, "der-trailing");
}

/* --- forged verdicts ---------------------------------------------------------------------------------------------------- */

/* The registrar says "verified" by ordering at all: the signer judges again. */
static void
forged_verdicts(void)
{
	static const struct {
		const char *name, *card, *code;
	} cards[] = {
	    {"verified, says the registrar of a revoked card", "suzuki", "jpki-revoked"},
	    {"verified, says the registrar of an expired card", "expired", "jpki-expired"},
	    {"verified, says the registrar of a card not yet valid", "not-yet", "jpki-not-yet-valid"},
	    {"verified, says the registrar of a card whose CA has ended", "anchor-expired", "jpki-anchor-expired"},
	    {"by rule, says the registrar of a child", "child", "decision-age"},
	};
	struct attempt a OWNED(attempt_drop);

	for (size_t i = 0; i < COUNT(cards); i++) {
		struct attempt b OWNED(attempt_drop);
		bool has_person = strcmp(cards[i].card, "suzuki") == 0 || strcmp(cards[i].card, "child") == 0;

		begin(&b, has_person ? cards[i].card : "yamada");
		sign_by(&b, cards[i].card);
		is_refused(cards[i].name, &b, cards[i].code);
	}
	begin(&a, "yamada");
	a.says.name = "山田　次郎";
	a.name = slice_str(a.says.name);
	sign_by(&a, "yamada");
	is_refused("verified, says the registrar of another name than the card's", &a, "jpki-name");
	a.name = slice_str(a.person.name);
	plan(&a);
	is_refused("… and of the card's name under an application that says another", &a, "jpki-name");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.birth = "1981-01-15";
	sign_by(&a, "yamada");
	is_refused("verified, says the registrar of another birth date", &a, "jpki-birth");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.service = "Another CA";
	sign_by(&a, "yamada");
	is_refused("an application meant for another service", &a, "decision-service");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.terms = a.says.explanation;
	sign_by(&a, "yamada");
	is_refused("an application under terms that are not in force", &a, "decision-terms");
	attempt_drop(&a);
	begin(&a, "yamada");
	a.says.explanation = a.says.terms;
	sign_by(&a, "yamada");
	is_refused("an application whose explanation was another", &a, "decision-explanation");
}

/* --- forged status ------------------------------------------------------------------------------------------------------- */

/* An answer about a leaf, made by `openssl ocsp` as J-LIS's responder makes it, or as somebody else would. */
static void
ocsp(const char *leaf, const char *responder, const char *nonce, struct buf *out)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), request OWNED(buf_drop) = BUF(4096);
	char name[64], path[2300], command[8192];
	struct cert c;

	snprintf(name, sizeof name, "%s.cer", leaf);
	world_file(name, &der);
	need(cert_get(buf_slice(&der), &c).kind == OK, leaf);
	need(identity_put_ocsp_request(&request, w.trust, &c, slice_str(nonce)).kind == OK, "an OCSP request");
	snprintf(path, sizeof path, "%s/asked.der", w.world);
	file_put(path, buf_slice(&request));
	snprintf(command, sizeof command,
	    "cd '%s' && openssl ocsp -index signca03.index -CA signca03.cer -rsigner %s.cer -rkey %s.key -reqin asked.der "
	    "-respout answered.der -ndays 1 >/dev/null 2>&1",
	    w.world, responder, responder);
	need(system(command) == 0, command);
	buf_clear(out);
	world_file("answered.der", out);
}

static void
by_ocsp(struct attempt *a, const char *nonce)
{
	a->o.method = STATUS_OCSP;
	a->o.crl = (digest){0};
	a->o.ocsp_answer = buf_slice(&a->answer);
	a->o.ocsp_nonce = slice_str(nonce);
}

static void
forged_lists(void)
{
	struct buf bytes OWNED(buf_drop) = BUF(PART_BYTES), empty OWNED(buf_drop) = BUF(PART_BYTES);
	struct attempt a OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_RSA, 2048);
	struct buf tbs OWNED(buf_drop) = BUF(PART_BYTES), sig OWNED(buf_drop) = BUF(SIG_MAX);
	const struct trust_anchor *anchor = &w.trust->anchor[2];
	struct crl_reply r;
	instant now = clock_now();

	crl_put_tbs(&tbs, &(struct crl_plan){.alg = SIG_RSA_SHA256,
	                      .issuer = anchor->cert.subject,
	                      .this_update = instant_floor_second(now),
	                      .next_update = instant_floor_second((instant){now.ms + DAY_MS}),
	                      .number = 1U << 31,
	                      .aki = anchor->cert.ski});
	signer_sign(thief, SIG_RSA_SHA256, buf_slice(&tbs), &sig);
	cert_join(&empty, buf_slice(&tbs), SIG_RSA_SHA256, buf_slice(&sig));
	is(says(list(buf_slice(&empty)), "jpki-crl-anchor"), "an empty list in J-LIS's name, signed by another key");
	buf_put(&bytes, buf_slice(&w.crl));
	bytes.p[bytes.n - 1] ^= 1;
	is(says(list(buf_slice(&bytes)), "jpki-crl-anchor"), "J-LIS's list with a bit changed");
	apply(&a, "suzuki");
	a.o.crl = sha256(buf_slice(&empty));
	is_refused("a revoked card under a list that was refused", &a, "issue-crl");
	buf_clear(&bytes);
	world_file("old.crl", &bytes);
	need(
	    list(buf_slice(&bytes))->fail == OK && crl_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK, "an old list");
	attempt_drop(&a);
	apply(&a, "tanaka");
	a.o.crl = r.digest;
	is_refused("a revoked card under a list of three days ago, from before it was revoked", &a, "jpki-stale");
	a.o.judged.ms -= 3 * DAY_MS;
	is_refused("… as if the card had been judged three days ago", &a, "issue-judged");
	a.o.not_before.ms -= 3 * DAY_MS;
	plan(&a);
	is_refused("… as if the certificate had been ordered three days ago", &a, "lint-issuer-validity");
	a.o.again = true;
	is_refused("… as if it were an old order, asked again", &a, "lint-issuer-validity");
	attempt_drop(&a);
	buf_clear(&bytes);
	world_file("signca02.crl", &bytes);
	need(list(buf_slice(&bytes))->fail == OK && crl_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK,
	    "another list");
	apply(&a, "suzuki");
	a.o.crl = r.digest;
	is_refused("a revoked card under the list of J-LIS's older CA", &a, "jpki-crl-other");
	a.o.method = STATUS_NONE;
	a.o.crl = (digest){0};
	is_refused("a card nobody asked J-LIS about", &a, "jpki-unchecked");
	need(list(buf_slice(&w.crl))->fail == OK, "list");
}

static void
forged_answers(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	uint8_t *at;

	apply(&a, "yamada");
	ocsp("yamada", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "another-nonce-16");
	is_refused("J-LIS's answer to another question", &a, "ocsp-other-nonce");
	ocsp("sato", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("J-LIS's answer about another card", &a, "ocsp-other-certificate");
	ocsp("yamada", "ocsp-no-eku", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a certificate that may not answer", &a, "ocsp-signer");
	ocsp("yamada", "ocsp-foreign", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a stranger's responder", &a, "ocsp-signer");
	ocsp("yamada", "ocsp-expired", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("an answer by a responder that has ended", &a, "ocsp-signer");
	apply(&b, "suzuki");
	ocsp("suzuki", "ocsp", "nonce-of-sixteen", &b.answer);
	by_ocsp(&b, "nonce-of-sixteen");
	is_refused("J-LIS's answer that the card is revoked", &b, "jpki-revoked");
	ocsp("yamada", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	at = a.answer.p + a.answer.n / 2;
	at[0] ^= 1;
	is_refused("J-LIS's answer with a bit changed", &a, "ocsp-signer");
	at[0] ^= 1;
	comes_out("the answer as it was: a certificate", &a, NULL);
}

/* --- forged acceptance ------------------------------------------------------------------------------------------------- */

static void
approve(struct buf *out, const struct signer *who, const char *label, slice ruleset, const char *version,
    int64_t from_days, int64_t until_days)
{
	char from[RFC3339_LEN + 1], until[RFC3339_LEN + 1], date[RFC3339_LEN + 1];
	struct buf hex OWNED(buf_drop) = BUF(65);
	instant now = clock_now();

	time_text((instant){now.ms + from_days * DAY_MS}, from);
	time_text((instant){now.ms + until_days * DAY_MS}, until);
	time_text(now, date);
	digest_put(&hex, sha256(ruleset));
	buf_put_u8(&hex, '\0');
	const char *const v[P_COUNT] = {SERVICE, (const char *)hex.p, version, from, until, label, date};
	buf_clear(out);
	make_document(out, who, FORM_APPROVAL, v, (slice){NULL, 0}, now);
}

/* A copy of `from` with the first `was` as `is`, of the same length. */
static void
change(struct buf *out, const struct buf *from, const char *was, const char *now)
{
	uint8_t *at;

	buf_clear(out);
	buf_put(out, buf_slice(from));
	at = memmem(out->p, out->n, was, strlen(was));
	need(at != NULL && strlen(was) == strlen(now), was);
	memcpy(at, now, strlen(now));
}

static void
forged_acceptance(void)
{
	struct buf lax OWNED(buf_drop) = BUF(CONF_MAX), approval OWNED(buf_drop) = BUF(CMS_MAX),
	               profile OWNED(buf_drop) = BUF(CONF_MAX), second OWNED(buf_drop) = BUF(CONF_MAX);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	slice right = buf_slice(&w.house->profile), ours = buf_slice(&w.house->ruleset);
	struct attempt a OWNED(attempt_drop);
	struct ruleset *r OWNED(ruleset_drop) = NULL;

	change(&lax, &w.house->ruleset, "age_min = 15", "age_min = 01");
	if (ruleset_get(buf_slice(&lax), &r).kind != OK)
		change(&lax, &w.house->ruleset, "age_min = 15", "age_min = 16");
	apply(&a, "yamada");
	a.o.ruleset = sha256(buf_slice(&lax));
	is_refused("accepted by a rule set nobody approved", &a, "issue-ruleset");
	a.o.ruleset = (digest){0};
	is_refused("accepted by nothing at all", &a, "issue-form");
	a.o.ruleset = w.ruleset->digest;
	a.o.decision = LIT("accepted");
	is_refused("accepted by rule and by an officer at once", &a, "issue-form");
	approve(&approval, thief, "hanako", buf_slice(&lax), "1", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "person-unknown"),
	    "an approval by a key nobody pinned");
	approve(&approval, w.house->jiro, "jiro", buf_slice(&lax), "1", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "person-duty"), "an approval by an officer");
	approve(&approval, w.house->hanako, "jiro", ours, "1", -1, 300);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-responsible"), "an approval that names somebody else");
	is(says(rules(right, buf_slice(&lax), buf_slice(&w.house->approval)), "approval-ruleset"),
	    "the true approval under another rule set");
	approve(&approval, w.house->hanako, "hanako", ours, "1", -700, -1);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-period"), "an approval that has lapsed");
	approve(&approval, w.house->hanako, "hanako", ours, "1", 1, 300);
	is(says(rules(right, ours, buf_slice(&approval)), "approval-period"), "an approval that does not hold yet");
	change(&approval, &w.house->approval, "hanako", "hanakO");
	is(rules(right, ours, buf_slice(&approval))->fail != OK, "the true approval with a letter changed");
	change(&profile, &w.house->profile, "validity_years_max = 5", "validity_years_max = 4");
	is(says(rules(buf_slice(&profile), ours, buf_slice(&w.house->approval)), "signer-profile"),
	    "a profile the trust file does not name");
	apply(&a, "child");
	is_refused("after all these the rule set in force is the approved one", &a, "decision-age");
	/* a later version is approved; the earlier one, truly approved then, is brought back */
	change(&second, &w.house->ruleset, "version = 1", "version = 2");
	approve(&approval, w.house->hanako, "hanako", buf_slice(&second), "2", -1, 300);
	is(rules(right, buf_slice(&second), buf_slice(&approval))->fail == OK, "a second version, truly approved");
	is(says(true_rules(), "signer-approval-old"), "the first version brought back");
	change(&lax, &second, "open_per_card_max = 1", "open_per_card_max = 9");
	approve(&approval, w.house->hanako, "hanako", buf_slice(&lax), "2", -1, 300);
	is(says(rules(right, buf_slice(&lax), buf_slice(&approval)), "signer-approval-other"),
	    "another rule set approved as the same version");
	attempt_drop(&a);
	apply(&a, "yamada");
	is_refused("accepted by the rule set that was replaced", &a, "issue-ruleset");
	process_stop(&w.p);
	start("issuer");
	need(greet(&w.p, 9, NULL), "hello");
	is(says(true_rules(), "signer-approval-old"), "… nor is it taken by a signer that was started anew");
	ruleset_drop(&w.ruleset);
	need(ruleset_get(buf_slice(&second), &w.ruleset).kind == OK, "second rule set");
	buf_clear(&w.house->ruleset);
	buf_put(&w.house->ruleset, buf_slice(&second));
	buf_clear(&w.house->approval);
	approve(&w.house->approval, w.house->hanako, "hanako", buf_slice(&second), "2", -1, 300);
	need(true_rules()->fail == OK && list(buf_slice(&w.crl))->fail == OK, "the second rule set");
	attempt_drop(&a);
	apply(&a, "sato");
	comes_out("accepted by the rule set in force: a certificate", &a, NULL);
}

/* --- forged decisions ------------------------------------------------------------------------------------------------------- */

static void
decide(struct attempt *a, const struct signer *who, const char *label, slice about, const char *word)
{
	struct buf hex OWNED(buf_drop) = BUF(65), id OWNED(buf_drop) = BUF(65);
	dossier_id d = dossier_id_of(sha256(about));
	bool yes = strcmp(word, "accept") == 0;
	char date[RFC3339_LEN + 1];
	instant now = clock_now();

	time_text(now, date);
	digest_put(&hex, sha256(about));
	buf_put_u8(&hex, '\0');
	buf_put_hex(&id, (slice){d.b, sizeof d.b});
	buf_put_u8(&id, '\0');
	const char *const v[D_COUNT] = {[D_SERVICE] = SERVICE,
	    [D_DOSSIER] = (const char *)id.p,
	    [D_APPLICATION] = (const char *)hex.p,
	    [D_DECISION] = word,
	    [D_NAME] = yes ? a->says.name : "-",
	    [D_ADDRESS] = yes ? a->person.address : "-",
	    [D_REASON] = "住民票を見た",
	    [D_OFFICER] = label,
	    [D_DATE] = date};
	buf_clear(&a->decision);
	make_document(&a->decision, who, FORM_DECISION, v, (slice){NULL, 0}, now);
	a->o.ruleset = (digest){0};
	a->o.decision = buf_slice(&a->decision);
}

static void
forged_decisions(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop), c OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);

	begin(&a, "yamada");
	a.says.name = "山田　太朗";
	a.name = slice_str(a.says.name);
	sign_by(&a, "yamada");
	decide(&a, thief, "jiro", buf_slice(&a.cms), "accept");
	is_refused("a review decided by a key nobody pinned", &a, "person-unknown");
	decide(&a, w.house->saburo, "saburo", buf_slice(&a.cms), "accept");
	is_refused("a review decided by a person without that duty", &a, "person-duty");
	decide(&a, w.house->jiro, "hanako", buf_slice(&a.cms), "accept");
	is_refused("a review decided in another officer's name", &a, "decision-officer");
	decide(&a, w.house->jiro, "jiro", LIT("another application"), "accept");
	is_refused("an officer's decision about another application", &a, "decision-application");
	decide(&a, w.house->jiro, "jiro", buf_slice(&a.cms), "refuse");
	is_refused("an officer's refusal, taken for an acceptance", &a, "decision-refused");
	decide(&a, w.house->jiro, "jiro", buf_slice(&a.cms), "accept");
	a.name = LIT("鈴木　太郎");
	plan(&a);
	is_refused("an officer's acceptance under another name than he decided", &a, "issue-tbs");
	a.name = slice_str(a.says.name);
	plan(&a);
	a.decision.p[a.decision.n - 1] ^= 1;
	is_refused("an officer's acceptance with a bit changed", &a, "signature");
	a.decision.p[a.decision.n - 1] ^= 1;
	comes_out("an officer's true acceptance of what differed: a certificate", &a, NULL);
	apply(&b, "suzuki");
	decide(&b, w.house->jiro, "jiro", buf_slice(&b.cms), "accept");
	is_refused("an officer cannot accept a revoked card either", &b, "jpki-revoked");
	b.o.method = STATUS_NONE;
	is_refused("nor one nobody asked about", &b, "jpki-unchecked");
	apply(&c, "sato");
	c.o.ruleset = (digest){0};
	c.o.decision = buf_slice(&a.decision);
	is_refused("the decision about one applicant, used for another", &c, "decision-application");
}

/* --- used twice, or ordered otherwise ------------------------------------------------------------------------------------------ */

static void
replays(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop), c OWNED(attempt_drop);
	struct buf first OWNED(buf_drop) = BUF(CERT_MAX);
	struct issue_reply r;
	serial used;
	unsigned lines;

	apply(&a, "yamada");
	comes_out("an order: a certificate", &a, &first);
	lines = journal_count(w.home, "issuer", "\"n\":", NULL, NULL);
	is(issue(&a)->fail == OK && issue_reply_get(buf_slice(&w.p.reply.body), &r).kind == OK &&
	        slice_eq(r.certificate, buf_slice(&first)) &&
	        journal_count(w.home, "issuer", "\"n\":", NULL, NULL) == lines,
	    "the same order again: the same certificate byte for byte, no line more");
	used = a.o.serial;
	order(&a);
	is_refused("the same application under another serial", &a, "journal-application");
	a.o.serial = used;
	a.o.not_before.ms += 60 * SECOND_MS;
	plan(&a);
	is(says(issue(&a), "signer-serial"), "a used serial with another notBefore");
	apply(&b, "sato");
	b.o.serial = used;
	plan(&b);
	is(says(issue(&b), "signer-serial"), "a used serial for another person");
	attempt_drop(&b);
	begin(&b, "yamada");
	signer_drop(&b.own);
	b.own = signer_new(KEY_P256, 256);
	b.spki = signer_spki(b.own);
	sign_by(&b, "yamada");
	comes_out("a second application: a certificate", &b, NULL);
	begin(&c, "sato");
	{
		struct signer *mine = c.own;

		c.own = b.own;
		c.spki = signer_spki(b.own);
		sign_by(&c, "sato");
		is_refused("a key that stands in another certificate", &c, "journal-key");
		c.own = mine;
	}
}

static void
other_orders(void)
{
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);
	struct signer *thief OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct buf body OWNED(buf_drop) = BUF(256);

	apply(&a, "yamada");
	apply(&b, "sato");
	a.spki = signer_spki(thief);
	plan(&a);
	is_refused("another key under a good application", &a, "issue-tbs");
	a.spki = signer_spki(a.own);
	a.name = slice_str(b.person.name);
	plan(&a);
	is_refused("another name under a good application", &a, "issue-tbs");
	a.name = slice_str(a.person.name);
	a.years = 4;
	plan(&a);
	is_refused("other years under a good application", &a, "issue-tbs");
	a.years = 5;
	plan(&a);
	a.o.tbs.b[0] ^= 1;
	is_refused("other bytes than the books ordered", &a, "issue-tbs");
	order(&a);
	a.o.dossier = b.o.dossier;
	plan(&a);
	is_refused("another's dossier in the subject", &a, "issue-dossier");
	order(&a);
	a.o.not_before.ms -= 6 * 60 * SECOND_MS;
	a.o.judged = a.o.not_before;
	plan(&a);
	is_refused("a certificate that begins before its issuer", &a, "lint-issuer-validity");
	order(&a);
	a.o.not_before.ms += 6 * 60 * SECOND_MS;
	a.o.judged = a.o.not_before;
	plan(&a);
	is_refused("a certificate that begins in six minutes", &a, "issue-clock");
	order(&a);
	a.o.judged.ms -= 2 * HOUR_MS;
	is_refused("a card judged two hours ago", &a, "issue-judged");
	order(&a);
	a.o.serial.b[0] = 0x01;
	plan(&a);
	is_refused("a serial that this house does not draw", &a, "issue-serial");
	order(&a);
	void_order_put(&body, &(struct void_order){a.o.dossier, a.o.serial});
	is(ask(&w.p, ORDER_VOID, buf_slice(&body))->fail == OK, "a serial is made void");
	is_refused("… and then ordered", &a, "signer-void");
	order(&a);
	comes_out("the application under a fresh serial: a certificate", &a, NULL);
	buf_clear(&body);
	void_order_put(&body, &(struct void_order){a.o.dossier, a.o.serial});
	is(says(ask(&w.p, ORDER_VOID, buf_slice(&body)), "signer-void-signed"), "a certificate is not made void by a word");
	order(&a);
	is_refused("… so its application is not free for another", &a, "journal-application");
}

/* The card was revoked since: the list of this morning is young enough by the rules, and the signer knows a later one. */
static void
chosen_list(void)
{
	struct buf now OWNED(buf_drop) = BUF(PART_BYTES);
	struct attempt a OWNED(attempt_drop), b OWNED(attempt_drop);

	world_file("signca03.crl", &now);
	need(list(buf_slice(&now))->fail == OK, "the list of now");
	apply(&a, "tanaka");
	is_refused("a revoked card under a list of before, though the signer holds a later one", &a, "issue-revoked-since");
	is(strcmp(issue(&a)->what,
	       "issue-revoked-since: JPKI Act 19(1): a later list than the order's names the card's certificate") == 0,
	    "… in these words");
	ocsp("tanaka", "ocsp", "nonce-of-sixteen", &a.answer);
	by_ocsp(&a, "nonce-of-sixteen");
	is_refused("… and J-LIS's own answer says the same", &a, "jpki-revoked");
	apply(&b, "sato");
	comes_out("another card under the same list: a certificate", &b, NULL);
}

/* Both in one turn: the second must not slip past a look into committed lines alone. */
static void
same_turn(void)
{
	struct attempt a OWNED(attempt_drop);
	struct buf two OWNED(buf_drop) = BUF(2 * FRAME_MAX), body OWNED(buf_drop) = BUF(FRAME_MAX);
	unsigned before = journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL), good = 0;
	struct frame f;

	apply(&a, "takahashi");
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			order(&a); /* another serial */
		buf_clear(&body);
		issue_order_put(&body, &a.o);
		frame_put(&two, &(struct frame){.kind = ORDER_ISSUE, .id = 900 + (uint64_t)i, .body = buf_slice(&body)});
	}
	say(&w.p, buf_slice(&two));
	for (int i = 0; i < 2; i++)
		good += link_wait(w.p.registrar, 15000, &f).kind == OK && f.fail == OK;
	w.honest += good;
	is(good == 1 && journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == before + 1,
	    "one application twice in one breath: one certificate");
}

/* --- old days brought back ------------------------------------------------------------------------------ */

static void
restored_books(void)
{
	struct attempt a OWNED(attempt_drop);
	struct head journal;
	slice named;
	const struct reply *r;

	process_wire(&w.p);
	need(greet(&w.p, 24, NULL), "hello");
	apply(&a, "sato");
	a.o.books = books_head(24, BOOKS_MAX);
	comes_out("with books of 24 lines: a certificate", &a, NULL);
	process_stop(&w.p);
	start("issuer");
	r = hello(&w.p, books_head(20, BOOKS_MAX), (struct head){0}, 0, BOOKS_MAX);
	is(says(r, "signer-books-rollback"), "issuer: books restored from an earlier day");
	is(octets_get(buf_slice(&r->body), &named).kind == OK && memmem(named.p, named.n, hex_of(a.o.serial), 32) != NULL,
	    "… it names the serial they would hide");
	is(log_says(w.home, "issuer", "ALARM signer-rollback") && log_says(w.home, "issuer", hex_of(a.o.serial)),
	    "… in its log too");
	attempt_drop(&a);
	apply(&a, "yamada");
	is(says(issue(&a), "signer-books-rollback"), "… and signs nothing from then on");
	process_wire(&w.p);
	is(says(hello(&w.p, books_head(24, BOOKS_MAX), (struct head){0}, 0, BOOKS_MAX), "signer-books-rollback"),
	    "… not even when the books' next word is the right one: a person must look");
	process_stop(&w.p);
	start("issuer");
	is(says(hello(&w.p, books_head(26, 22), (struct head){0}, 24, 22), "signer-books-other"),
	    "issuer: longer books, other lines");
	process_stop(&w.p);
	start("issuer");
	r = hello(&w.p, books_head(26, BOOKS_MAX), (struct head){0}, 9, BOOKS_MAX);
	is(r->fail == OK && says(issue(&a), "signer-hello"), "issuer: a proof from another head opens no wire");
	is(greet(&w.p, 26, &journal), "issuer: the true books, longer: taken");
	process_stop(&w.p);
}

static void
restored_journal(void)
{
	struct attempt a OWNED(attempt_drop);
	struct head after;

	at_home("cp -a journal-issuer journal-old");
	open_issuer(26);
	apply(&a, "sato");
	comes_out("a certificate that the old journal does not know", &a, NULL);
	process_wire(&w.p);
	need(greet(&w.p, 26, &after), "hello");
	process_stop(&w.p);
	at_home("mv journal-issuer journal-kept && cp -a journal-old journal-issuer");
	start("issuer");
	is(says(hello(&w.p, books_head(26, BOOKS_MAX), after, 0, BOOKS_MAX), "signer-journal-rollback"),
	    "issuer: its journal restored from an earlier day");
	order(&a);
	is(says(issue(&a), "signer-journal-rollback"), "… and signs nothing: not that application a second time");
	is(journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == w.honest - 1, "… nothing at all");
	is(log_says(w.home, "issuer", "ALARM signer-journal-rollback"), "… and its log says so");
	process_stop(&w.p);
	/* who holds the registrar too can hide it for a while, not for ever */
	open_issuer(26);
	order(&a);
	is(issue(&a)->fail == OK, "who sets the journal back AND says it was never longer gets a second certificate");
	process_stop(&w.p);
	start("issuer");
	is(says(hello(&w.p, books_head(26, BOOKS_MAX), after, 0, BOOKS_MAX), "signer-journal-other") ||
	        says(&w.p.reply, "signer-journal-rollback"),
	    "… and is found by the first registrar that remembers the true head");
	process_stop(&w.p);
	at_home("rm -rf journal-issuer journal-old && mv journal-kept journal-issuer");
}

/* A line of the journal changed on disk, so that a used application looks unused. */
static void
edited_journal(void)
{
	struct head known;
	const struct reply *r;
	int code;

	start("issuer");
	need(greet(&w.p, 26, &known), "hello");
	process_stop(&w.p);
	at_home("cp -a journal-issuer journal-kept && sed -i '0,/\"application\":\"./s//\"application\":\"0/' "
	        "journal-issuer/entries/00000000.jsonl && ! cmp -s journal-issuer/entries/00000000.jsonl "
	        "journal-kept/entries/00000000.jsonl");
	start("issuer");
	r = hello(&w.p, books_head(26, BOOKS_MAX), known, 26, BOOKS_MAX);
	is(!r->there || says(r, "signer-journal-other"), "issuer: a line of its journal edited");
	code = r->there ? process_stop(&w.p) : process_wait(&w.p);
	is(r->there ? code == 0 : code == 3, "… a person must look");
	at_home("rm -rf journal-issuer && mv journal-kept journal-issuer");
}

/* --- the whole --------------------------------------------------------------------------------------------------------------------------- */

int
main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	prepare(argv);
	too_early();
	forged_applications();
	forged_verdicts();
	forged_lists();
	forged_answers();
	forged_acceptance();
	forged_decisions();
	replays();
	other_orders();
	same_turn();
	chosen_list();
	is(journal_count(w.home, "issuer", "\"act\":\"signed\"", NULL, NULL) == w.honest,
	    "the journal has signed what was true, and nothing else");
	restored_books();
	restored_journal();
	edited_journal();
	printf("1..%d\n", w.tests);
	return w.failures > 0;
}
