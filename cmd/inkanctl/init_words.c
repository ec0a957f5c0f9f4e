#include "act/decision.h"
#include "act/document.h"
#include "act/trust.h"
#include "base/conf.h"
#include "cmd/inkanctl/init_house.h"
#include "pki/cert.h"
#include "cmd/inkanctl/inkanctl.h"

#define POLICY_JPKI "1.2.392.200149.8.5.1.1.20" /* domain 2.2 */
#define POLICY_JPKI_TEST "1.2.392.200149.8.5.1.0.20"
#define APPROVAL_YEARS 1 /* an accreditation lasts a year (Act 7): so does what depends on it */

/* --- texts ----------------------------------------------------------------------- */

static void
put_line(struct buf *b, const char *name, slice value)
{
	buf_put_str(b, name);
	buf_put_str(b, " = ");
	buf_put(b, value);
	buf_put_u8(b, '\n');
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
	put_line(b, name, slice_str(value));
}

static void
put_url(struct buf *b, const char *name, const struct init *i, const char *path)
{
	buf_put_str(b, name);
	buf_put_str(b, " = ");
	buf_put_str(b, i->url);
	buf_put_str(b, path);
	buf_put_u8(b, '\n');
}

static void
put_base64(struct buf *b, const char *name, slice bytes)
{
	buf_put_str(b, name);
	buf_put_str(b, " = ");
	buf_put_base64(b, bytes);
	buf_put_u8(b, '\n');
}

static void
put_sha256(struct buf *b, const char *section, slice bytes)
{
	buf_put_u8(b, '\n');
	buf_put_u8(b, '[');
	buf_put_str(b, section);
	buf_put_str(b, "]\nsha256 = ");
	digest_put(b, sha256(bytes));
	buf_put_u8(b, '\n');
}

void
init_profile(struct init *i)
{
	struct buf *b = &i->profile;

	*b = BUF(CONF_MAX);
	buf_put_str(b, "# What a person's certificate looks like (act/profile).\n\n[profile]\n");
	put_text(b, "name", PROFILE);
	put_text(b, "version", "1");
	put_text(b, "policy", i->policy);
	put_url(b, "cps", i, "/cps/" PROFILE ".txt");
	put_url(b, "crl", i, "/crl/issuer.crl");
	if (i->partitions != NULL)
		put_text(b, "crl_partitions", i->partitions);
	if (i->delta)
		put_url(b, "crl_delta", i, "/crl/delta.crl");
	if (i->expired)
		put_text(b, "crl_expired", "yes");
	put_url(b, "ocsp", i, "/ocsp");
	put_url(b, "ca_issuers", i, "/ca/issuer.cer");
	put_text(b, "validity_years_max", "5");
	put_text(b, "keys", "p256 p384 rsa2048 rsa3072 rsa4096");
	put_text(b, "subject_address", i->address ? "yes" : "no");
	put_text(b, "subject_birth", i->birth ? "yes" : "no");
}

void
init_ruleset(struct init *i)
{
	i->ruleset = BUF(CONF_MAX);
	buf_put_str(&i->ruleset, "# When an application is accepted without a person (act/decision).\n\n"
	                         "[ruleset]\n"
	                         "version = 1\n"
	                         "profile = " PROFILE "\n"
	                         "engine = 1\n"
	                         "validity_years_max = 5\n"
	                         "age_min = 15\n"
	                         "keys = p256 p384 rsa2048 rsa3072 rsa4096\n"
	                         "open_per_card_max = 1\n"
	                         "valid_per_card_max = 3\n"
	                         "duplicate = refuse\n\n"
	                         "[limits]\n"
	                         "accepted_per_hour_max = ");
	buf_put_str(&i->ruleset, i->per_hour);
	buf_put_str(&i->ruleset, "\nrefused_percent_max = 50\n");
}

static void
put_anchor(const struct init *i, size_t k, struct buf *b)
{
	slice der = buf_slice(&i->anchor_der[k]);
	char section[48];

	snprintf(section, sizeof section, "\n[anchor.jpki-%zu]\n", k + 1);
	buf_put_str(b, section);
	put_base64(b, "certificate", der);
	buf_put_str(b, "sha256 = ");
	digest_put(b, sha256(der));
	buf_put_u8(b, '\n');
	put_text(b, "hierarchy", i->hierarchy);
	put_text(b, "policy", strcmp(i->hierarchy, "test") == 0 ? POLICY_JPKI_TEST : POLICY_JPKI);
}

err
init_trust(struct init *i)
{
	struct buf *b = &i->trust;
	char section[64];
	struct trust *t OWNED(trust_drop) = NULL;

	*b = BUF(CONF_MAX);
	buf_put_str(b,
	    "# What this house believes (act/trust).  Its digest stands in the baseline: changed by two persons only.\n\n");
	buf_put_str(b, "[trust]\nversion = 1\n");
	put_text(b, "service", i->service);
	put_text(b, "hierarchy", i->hierarchy);
	put_text(b, "state", i->state);
	put_text(b, "clock", i->test_clock ? "test" : "system");
	buf_put_str(b, "\n[status]\n");
	put_text(b, "method", i->status);
	put_text(b, "max_age_s", "93600");
	put_text(b, "arrangement", i->arrangement);
	buf_put_str(b, "\n[issuer]\n");
	put_base64(b, "certificate", buf_slice(&i->made.issuer));
	put_base64(b, "status_key", buf_slice(&i->made.status_key));
	buf_put_str(b, "origin = ");
	buf_put_str(b, strstr(i->url, "://") == NULL ? i->url : strstr(i->url, "://") + 3);
	buf_put_str(b, "/books\n");
	for (size_t k = 0; k < i->n_anchors; k++)
		put_anchor(i, k, b);
	snprintf(section, sizeof section, "\n[person.%.40s]\n", i->label);
	buf_put_str(b, section);
	put_text(b, "name", i->responsible);
	put_base64(b, "key", buf_slice(&i->made.person_key));
	put_text(b, "duties", "responsible officer revocation");
	put_sha256(b, "profile." PROFILE, buf_slice(&i->profile));
	for (size_t k = 0; k < 2; k++) {
		snprintf(section, sizeof section, "terms." PROFILE ".%s.1", INIT_LANGS[k]);
		put_sha256(b, section, buf_slice(&i->terms[k]));
	}
	for (size_t k = 0; k < 2; k++) {
		snprintf(section, sizeof section, "explanation.%s.1", INIT_LANGS[k]);
		put_sha256(b, section, buf_slice(&i->explanation[k]));
		buf_put_str(b, "current = yes\n");
	}
	TRY(buf_check(b));
	return trust_get(buf_slice(b), &t); /* the signers must be able to read what is written here */
}

/* --- inkan.conf ------------------------------------------------------------------- */

/* One token: its keys, and, for tests, where its PIN lies. */
static void
put_keys(const struct init *i, const char *module, const char *environment, const char *folder, const char *uri,
    const char *const *keys, size_t n, const char *pin_file, struct buf *b)
{
	put_text(b, "module", module);
	if (environment != NULL)
		put_text(b, "environment", environment);
	if (folder != NULL)
		put_text(b, "folder", folder);
	for (size_t k = 0; k < n; k++) {
		struct buf whole OWNED(buf_drop) = BUF(1024);

		ceremony_put_uri(&whole, uri, keys[k]);
		put_line(b, keys[k], buf_slice(&whole));
	}
	if (i->keep_pin_file) {
		buf_put_str(b, "# A test's way: in production this line goes, and inkanctl start asks for the PIN.\n");
		put_text(b, "pin_file", pin_file);
	}
}

static void
put_token(const struct init *i, struct buf *b)
{
	static const char *const KEYS[] = {"issuer", "ocsp", "checkpoint"};
	bool soft = i->environment == i->token_environment;

	buf_put_str(b, "\n# The CA's keys: a PKCS#11 module by its path, keys by RFC 7512.  folder: what the module "
	               "writes, if anything.\n"
	               "[token]\n");
	put_keys(i, i->module, i->environment, soft ? "tokens" : NULL, i->token_uri, KEYS, i->status_module == NULL ? 3 : 1,
	    i->pin_file, b);
	if (i->status_module != NULL) {
		buf_put_str(
		    b, "\n# The status signer's, in a token of their own: its PIN opens no key of the CA.\n[status_token]\n");
		put_keys(i, i->status_module, i->status_environment, soft ? "tokens-status" : NULL, i->status_uri, KEYS + 1, 2,
		    i->status_pin_file, b);
	}
	buf_put_str(b, "\n# The responsible person's key, used by inkanctl office.\n[office]\n");
	put_text(b, "person", i->label);
	put_text(b, "module", i->person_module);
	if (i->person_environment != NULL)
		put_text(b, "environment", i->person_environment);
	{
		struct buf uri OWNED(buf_drop) = BUF(1024);

		ceremony_put_uri(&uri, i->person_uri, "person");
		put_line(b, "key", buf_slice(&uri));
	}
	put_text(b, "pin_file", i->person_pin_file);
}

err
init_conf(struct init *i)
{
	struct buf b OWNED(buf_drop) = BUF(CONF_MAX);

	buf_put_str(
	    &b, "# How the processes of this house are started.  Paths are below this folder unless they begin with /.\n");
	buf_put_str(&b, "\n[inkand]\n");
	if (i->user_base != NULL)
		put_text(&b, "user_base", i->user_base);
	else
		buf_put_str(&b, "# user_base = 61000: each role gets a user of its own (as root)\n");
	buf_put_str(&b, "\n[front]\n");
	put_text(&b, "listen", i->listen);
	if (i->private != NULL)
		put_text(&b, "private", i->private);
	put_text(&b, "count", i->fronts);
	buf_put_str(&b, "\n[verifier]\n");
	put_text(&b, "count", i->verifiers);
	buf_put_str(&b, "\n# [check] every_s = 3600, url = ...: what is served is held against the books by inkand's clock; inkand(1)\n");
	buf_put_str(&b, "\n[registrar]\n");
	put_text(&b, "profile", PROFILE ".conf");
	put_text(&b, "keys", "keys.cms");
	put_text(&b, "texts",
	    "texts/terms.ja.txt texts/terms.en.txt texts/explanation.ja.txt texts/explanation.en.txt texts/cps.txt");
	put_text(&b, "weak_jail", i->weak ? "yes" : "no");
	put_token(i, &b);
	buf_put_str(&b, "\n# Who is called outside.  jlis_crl: addresses or files, a blank between; mail: folder, or a "
	                "relay.\n[messenger]\n");
	if (i->n_crls > 0) {
		buf_put_str(&b, "jlis_crl =");
		for (size_t k = 0; k < i->n_crls; k++) {
			buf_put_u8(&b, ' ');
			buf_put_str(&b, i->crl[k]);
		}
		buf_put_u8(&b, '\n');
	}
	if (i->jlis_ocsp != NULL)
		put_text(&b, "jlis_ocsp", i->jlis_ocsp);
	put_text(&b, "mail", "folder");
	buf_put_str(&b, "\n[jail]\n");
	put_text(&b, "weak", i->weak ? "yes" : "no");
	if (i->test_clock) {
		buf_put_str(&b, "\n# Milliseconds added to the clock, one int64: tests only.\n[clock]\n");
		put_text(&b, "test", "clock");
	}
	TRY(buf_check(&b));
	return init_file(i, "inkan.conf", buf_slice(&b), 0644);
}

/* --- the first documents ------------------------------------------------------------ */

static void
put_digests(struct buf *b, const struct buf *one, const struct buf *two)
{
	digest_put(b, sha256(buf_slice(one)));
	if (two == NULL)
		return;
	buf_put_u8(b, ' ');
	digest_put(b, sha256(buf_slice(two)));
}

static err
sign(struct init *i, enum form form, const slice *value, size_t n, struct buf *out)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	struct ceremony_token t = {i->person_module, i->person_environment, i->person_uri, secret_slice(&i->person_pin)};

	*out = BUF(CMS_MAX);
	TRY(document_put(&text, form, value, n, (slice){NULL, 0}));
	return ceremony_sign(&t, buf_slice(&text), i->now, out);
}

err
init_approval(struct init *i)
{
	struct buf digest_hex OWNED(buf_drop) = BUF(80), from OWNED(buf_drop) = BUF(32), until OWNED(buf_drop) = BUF(32),
	                      date OWNED(buf_drop) = BUF(32);
	struct trust *t OWNED(trust_drop) = NULL;
	struct ruleset *r OWNED(ruleset_drop) = NULL;
	struct approval a;
	slice value[P_COUNT];

	put_digests(&digest_hex, &i->ruleset, NULL);
	instant_put(&from, i->now);
	instant_put(&until, instant_add_years(i->now, APPROVAL_YEARS));
	instant_put(&date, i->now);
	value[P_SERVICE] = slice_str(i->service);
	value[P_RULESET] = buf_slice(&digest_hex);
	value[P_VERSION] = LIT("1");
	value[P_FROM] = buf_slice(&from);
	value[P_UNTIL] = buf_slice(&until);
	value[P_RESPONSIBLE] = slice_str(i->label);
	value[P_DATE] = buf_slice(&date);
	TRY(sign(i, FORM_APPROVAL, value, P_COUNT, &i->approval));
	TRY(trust_get(buf_slice(&i->trust), &t));
	TRY(ruleset_get(buf_slice(&i->ruleset), &r));
	return approval_check(t, buf_slice(&i->approval), r, i->now, &a);
}

err
init_baseline(struct init *i)
{
	struct buf trust OWNED(buf_drop) = BUF(80), profile OWNED(buf_drop) = BUF(80), ruleset OWNED(buf_drop) = BUF(80),
	                 terms OWNED(buf_drop) = BUF(160), explanation OWNED(buf_drop) = BUF(160),
	                 cps OWNED(buf_drop) = BUF(80), date OWNED(buf_drop) = BUF(32);
	slice value[B_COUNT];

	put_digests(&trust, &i->trust, NULL);
	put_digests(&profile, &i->profile, NULL);
	put_digests(&ruleset, &i->ruleset, NULL);
	put_digests(&terms, &i->terms[0], &i->terms[1]);
	put_digests(&explanation, &i->explanation[0], &i->explanation[1]);
	put_digests(&cps, &i->cps, NULL);
	instant_put(&date, i->now);
	value[B_SERVICE] = slice_str(i->service);
	value[B_STATE] = slice_str(i->state);
	value[B_TRUST] = buf_slice(&trust);
	value[B_PROFILE] = buf_slice(&profile);
	value[B_RULESET] = buf_slice(&ruleset);
	value[B_TERMS] = buf_slice(&terms);
	value[B_EXPLANATION] = buf_slice(&explanation);
	value[B_CPS] = buf_slice(&cps);
	value[B_RESPONSIBLE] = slice_str(i->label);
	value[B_DATE] = buf_slice(&date);
	return sign(i, FORM_BASELINE, value, B_COUNT, &i->baseline);
}

err
init_making(struct init *i)
{
	struct buf keys OWNED(buf_drop) = BUF(256), date OWNED(buf_drop) = BUF(32);
	struct cert issuer, ocsp;
	slice value[M_COUNT];

	TRY(cert_get(buf_slice(&i->made.issuer), &issuer));
	TRY(cert_get(buf_slice(&i->made.ocsp), &ocsp));
	digest_put(&keys, sha256(issuer.spki));
	buf_put_u8(&keys, ' ');
	digest_put(&keys, sha256(ocsp.spki));
	buf_put_u8(&keys, ' ');
	digest_put(&keys, sha256(buf_slice(&i->made.status_key)));
	instant_put(&date, i->now);
	value[M_SERVICE] = slice_str(i->service);
	value[M_KEYS] = buf_slice(&keys);
	value[M_ALGORITHM] = slice_str(i->algorithm->word);
	value[M_TOKEN] = buf_slice(&i->made.token);
	value[M_PRESENT] = slice_str(i->label);
	value[M_HOW] = LIT("alone");
	value[M_PERSON] = slice_str(i->label);
	value[M_DATE] = buf_slice(&date);
	return sign(i, FORM_KEYS, value, M_COUNT, &i->making);
}
