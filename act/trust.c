#include "act/trust.h"
#include "base/conf.h"
#include "base/der.h"

/* ---- what J-LIS writes: domain 2.2 ---------------------------------------------------------------------------------- */

/* 1.2.392.200149.8.5.1.x.y */
static const uint8_t JPKI_ARC[] = {0x2A, 0x83, 0x08, 0x8C, 0x9B, 0x55, 0x08, 0x05, 0x01};

enum jpki_policy
jpki_policy_of(slice oid)
{
	static const struct {
		uint8_t end[2];
		enum jpki_policy is;
	} known[] = {
	    {{1, 20}, JPKI_POLICY_SIGNATURE},
	    {{0, 20}, JPKI_POLICY_TEST_SIGNATURE},
	    {{3, 30}, JPKI_POLICY_AUTH},
	    {{1, 40}, JPKI_POLICY_SMARTPHONE},
	    {{0, 40}, JPKI_POLICY_TEST_SMARTPHONE},
	};

	if (oid.n != sizeof JPKI_ARC + 2 || !slice_has_prefix(oid, ARR(JPKI_ARC)))
		return JPKI_POLICY_OTHER;
	for (size_t i = 0; i < COUNT(known); i++)
		if (memcmp(oid.p + sizeof JPKI_ARC, known[i].end, 2) == 0)
			return known[i].is;
	return JPKI_POLICY_OTHER;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static const char *const NAMES_TRUST[] = {"version", "service", "hierarchy", "state", "clock", NULL};
static const char *const NAMES_STATUS[] = {"method", "max_age_s", "arrangement", NULL};
static const char *const NAMES_ISSUER[] = {"certificate", "status_key", "origin", NULL};
static const char *const NAMES_ANCHOR[] = {"certificate", "sha256", "hierarchy", "policy", "smartphone_policy", NULL};
static const char *const NAMES_PERSON[] = {"name", "key", "duties", NULL};
static const char *const NAMES_DIGEST[] = {"sha256", "current", NULL};

#define MAX_AGE_S_MAX (30U * 86400U) /* a status a month old says nothing any more */

static err
get_base64(const struct conf *c, slice section, const char *name, struct buf *out)
{
	slice s;

	TRY(conf_text(c, section, name, &s));
	return base64_get(s, out);
}

static err
get_hierarchy(const struct conf *c, slice section, enum hierarchy *out)
{
	slice s;

	TRY(conf_text(c, section, "hierarchy", &s));
	if (slice_eq(s, LIT("test")))
		*out = HIERARCHY_TEST;
	else if (slice_eq(s, LIT("production")))
		*out = HIERARCHY_PRODUCTION;
	else
		return fail(ERR_INPUT, "trust-hierarchy-word: house: a hierarchy is test or production");
	return ok;
}

/* A key given as base64 of its SubjectPublicKeyInfo. */
static err
get_key(const struct conf *c, slice section, const char *name, struct key **out)
{
	struct buf spki OWNED(buf_drop) = BUF(SPKI_MAX);

	TRY(get_base64(c, section, name, &spki));
	return key_get_spki(buf_slice(&spki), out);
}

static err
get_house(struct trust *t)
{
	slice section = LIT("trust"), clock;
	uint64_t version;

	TRY(conf_check_known(t->conf, section, NAMES_TRUST));
	TRY(conf_number(t->conf, section, "version", INT64_MAX, &version));
	if (version != 1)
		return fail(ERR_INPUT, "trust-version: house: the trust file is of a version this engine does not read");
	TRY(conf_text(t->conf, section, "service", &t->service));
	TRY(get_hierarchy(t->conf, section, &t->hierarchy));
	TRY(conf_text(t->conf, section, "state", &t->state));
	if (!slice_eq(t->state, LIT("NONE")) && !slice_eq(t->state, LIT("ACCREDITED")))
		return fail(ERR_INPUT, "trust-state: Act 4(1): the state of accreditation is NONE or ACCREDITED");
	TRY(conf_text(t->conf, section, "clock", &clock));
	t->test_clock = slice_eq(clock, LIT("test"));
	if (!t->test_clock && !slice_eq(clock, LIT("system")))
		return fail(ERR_INPUT, "trust-clock: house: the clock is system or test");
	if (t->test_clock && t->hierarchy != HIERARCHY_TEST)
		return fail(ERR_POLICY, "trust-test-clock: house: a test clock stands in a production trust file");
	if (t->service.n == 0)
		return fail(ERR_INPUT, "trust-service: house: the service has no name");
	return ok;
}

static err
get_status(struct trust *t)
{
	slice section = LIT("status"), method;
	uint64_t age;

	TRY(conf_check_known(t->conf, section, NAMES_STATUS));
	TRY(conf_text(t->conf, section, "method", &method));
	t->method = slice_eq(method, LIT("crl")) ? STATUS_CRL : slice_eq(method, LIT("ocsp")) ? STATUS_OCSP : STATUS_NONE;
	TRY(conf_number(t->conf, section, "max_age_s", MAX_AGE_S_MAX, &age));
	t->max_age_s = (uint32_t)age;
	if (t->method == STATUS_NONE || age == 0)
		return fail(ERR_INPUT, "trust-status: JPKI Act 19(1): the status method is crl or ocsp, with a maximum age");
	TRY(conf_text(t->conf, section, "arrangement", &t->arrangement));
	if (t->hierarchy == HIERARCHY_PRODUCTION && (t->arrangement.n == 0 || slice_eq(t->arrangement, LIT("none"))))
		return fail(
		    ERR_POLICY, "trust-arrangement: JPKI Act 17(1): production needs the record of the arrangement with J-LIS");
	return ok;
}

static err
get_issuer(struct trust *t)
{
	slice section = LIT("issuer");

	TRY(conf_check_known(t->conf, section, NAMES_ISSUER));
	t->issuer_der = BUF(CERT_MAX);
	TRY(get_base64(t->conf, section, "certificate", &t->issuer_der));
	TRY(cert_get(buf_slice(&t->issuer_der), &t->issuer));
	TRY(key_get_spki(t->issuer.spki, &t->issuer_key));
	if (!t->issuer.is_ca || (t->issuer.key_usage & USAGE_KEY_CERT_SIGN) == 0 || t->issuer.ski.n != SHA1_LEN)
		return fail(ERR_POLICY, "trust-issuer-ca: RFC 5280 4.2.1.9: the issuer's certificate is not a CA's");
	TRY(get_key(t->conf, section, "status_key", &t->status_key));
	if (key_kind(t->status_key) != KEY_ED25519)
		return fail(ERR_POLICY, "trust-status-key: C2SP signed-note: checkpoints are signed by an Ed25519 key");
	TRY(conf_text(t->conf, section, "origin", &t->origin));
	if (t->origin.n == 0 || memchr(t->origin.p, ' ', t->origin.n) != NULL ||
	    memchr(t->origin.p, '+', t->origin.n) != NULL)
		return fail(ERR_INPUT, "trust-origin: C2SP signed-note: an origin has no blank and no plus sign");
	return ok;
}

/* A test policy never stands in a production file, nor the other way round; nor a policy for another use. */
static bool
policy_fits(slice oid, enum hierarchy h)
{
	switch (jpki_policy_of(oid)) {
	case JPKI_POLICY_OTHER:
		return true;
	case JPKI_POLICY_SIGNATURE:
		return h == HIERARCHY_PRODUCTION;
	case JPKI_POLICY_TEST_SIGNATURE:
		return h == HIERARCHY_TEST;
	default:
		return false;
	}
}

static err
get_anchor(struct trust *t, slice section, slice label)
{
	struct trust_anchor *a = &t->anchor[t->n_anchors];
	slice hex, oid;
	digest want;

	if (t->n_anchors == TRUST_ANCHORS_MAX)
		return fail(ERR_INPUT, "trust-many: house: more sections of one kind than a trust file may have");
	t->n_anchors++; /* from here on trust_drop sees it */
	a->label = label;
	a->der = BUF(CERT_MAX);
	a->policy = BUF(64);
	a->smartphone_policy = BUF(64);
	TRY(conf_check_known(t->conf, section, NAMES_ANCHOR));
	TRY(get_base64(t->conf, section, "certificate", &a->der));
	TRY(conf_text(t->conf, section, "sha256", &hex));
	TRY(digest_get(hex, &want));
	if (!digest_eq(want, sha256(buf_slice(&a->der))))
		return fail(ERR_POLICY, "trust-anchor-digest: house: an anchor is not the certificate its SHA-256 names");
	TRY(cert_get(buf_slice(&a->der), &a->cert));
	TRY(key_get_spki(a->cert.spki, &a->key));
	if (!a->cert.is_ca || (a->cert.key_usage & USAGE_KEY_CERT_SIGN) == 0 || !cert_is_self_issued(&a->cert))
		return fail(ERR_POLICY, "trust-anchor-ca: domain 2.4: an anchor is not a self-issued CA certificate");
	TRY(get_hierarchy(t->conf, section, &a->hierarchy));
	TRY(conf_text(t->conf, section, "policy", &oid));
	TRY(oid_get_dotted(oid, &a->policy));
	oid = conf_text_or(t->conf, section, "smartphone_policy", (slice){NULL, 0});
	if (oid.n > 0)
		TRY(oid_get_dotted(oid, &a->smartphone_policy));
	if (a->hierarchy != t->hierarchy || !policy_fits(buf_slice(&a->policy), t->hierarchy))
		return fail(ERR_POLICY, "trust-hierarchy: house: an anchor or its policy belongs to another hierarchy");
	return ok;
}

static const struct conf_word DUTIES[] = {
    {"responsible", DUTY_RESPONSIBLE}, {"officer", DUTY_OFFICER}, {"revocation", DUTY_REVOCATION}};

unsigned
duty_of(slice word)
{
	for (size_t i = 0; i < COUNT(DUTIES); i++)
		if (slice_eq(word, slice_str(DUTIES[i].word)))
			return (unsigned)DUTIES[i].bit;
	return 0;
}

static err
get_duties(slice words, unsigned *out)
{
	if (!conf_set_get(words, DUTIES, COUNT(DUTIES), out))
		return fail(ERR_INPUT, "trust-duty: Rule 6(xvi): a duty is responsible, officer or revocation, each once");
	return ok;
}

static err
get_person(struct trust *t, slice section, slice label)
{
	struct trust_person *p = &t->person[t->n_persons];
	slice duties;

	if (t->n_persons == TRUST_PERSONS_MAX)
		return fail(ERR_INPUT, "trust-many: house: more sections of one kind than a trust file may have");
	t->n_persons++;
	p->label = label;
	TRY(conf_check_known(t->conf, section, NAMES_PERSON));
	TRY(conf_text(t->conf, section, "name", &p->name));
	TRY(get_key(t->conf, section, "key", &p->key));
	key_identifier(p->key, p->key_id);
	TRY(conf_text(t->conf, section, "duties", &duties));
	TRY(get_duties(duties, &p->duties));
	for (size_t i = 0; i + 1 < t->n_persons; i++)
		if (memcmp(t->person[i].key_id, p->key_id, sizeof p->key_id) == 0)
			return fail(ERR_POLICY, "trust-person-twice: Rule 6(xvi): two persons have the same key");
	return ok;
}

static err
get_digest_of(struct trust *t, slice section, slice label, struct trust_digest *list, size_t *n)
{
	struct trust_digest d = {.label = label, .current = true};
	slice hex;

	if (*n == TRUST_DIGESTS_MAX)
		return fail(ERR_INPUT, "trust-many: house: more sections of one kind than a trust file may have");
	TRY(conf_check_known(t->conf, section, NAMES_DIGEST));
	TRY(conf_text(t->conf, section, "sha256", &hex));
	TRY(digest_get(hex, &d.sha256));
	if (conf_text_or(t->conf, section, "current", (slice){NULL, 0}).p != NULL)
		TRY(conf_flag(t->conf, section, "current", &d.current));
	list[(*n)++] = d;
	return ok;
}

static err
get_named(struct trust *t, slice section)
{
	slice label = section, kind;

	if (slice_eq(section, LIT("trust")) || slice_eq(section, LIT("status")) || slice_eq(section, LIT("issuer")))
		return ok;
	if (!slice_cut(&label, '.', &kind) || label.n == 0)
		return fail(ERR_INPUT, "trust-section: house: the trust file has a section its reader does not know");
	if (slice_eq(kind, LIT("anchor")))
		return get_anchor(t, section, label);
	if (slice_eq(kind, LIT("person")))
		return get_person(t, section, label);
	if (slice_eq(kind, LIT("profile")))
		return get_digest_of(t, section, label, t->profile, &t->n_profiles);
	if (slice_eq(kind, LIT("terms")))
		return get_digest_of(t, section, label, t->terms, &t->n_terms);
	if (slice_eq(kind, LIT("explanation")))
		return get_digest_of(t, section, label, t->explanation, &t->n_explanations);
	return fail(ERR_INPUT, "trust-section: house: the trust file has a section its reader does not know");
}

err
trust_get(slice file, struct trust **out)
{
	struct trust *t OWNED(trust_drop) = mem_new(1, sizeof *t);
	slice section;

	TRY(conf_get(file, &t->conf));
	t->digest = sha256(file);
	TRY(get_house(t));
	TRY(get_status(t));
	TRY(get_issuer(t));
	for (size_t i = 0; (section = conf_section(t->conf, i)).n > 0; i++)
		TRY(get_named(t, section));
	*out = t;
	t = NULL;
	return ok;
}

void
trust_drop(struct trust **t)
{
	struct trust *v = *t;

	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n_anchors; i++) {
		key_drop(&v->anchor[i].key);
		buf_drop(&v->anchor[i].der);
		buf_drop(&v->anchor[i].policy);
		buf_drop(&v->anchor[i].smartphone_policy);
	}
	for (size_t i = 0; i < v->n_persons; i++)
		key_drop(&v->person[i].key);
	key_drop(&v->issuer_key);
	key_drop(&v->status_key);
	buf_drop(&v->issuer_der);
	conf_drop(&v->conf);
	free(v);
	*t = NULL;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

static bool
has_digest(const struct trust_digest *list, size_t n, digest d)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].current && digest_eq(list[i].sha256, d))
			return true;
	return false;
}

bool
trust_has_profile(const struct trust *t, digest d)
{
	return has_digest(t->profile, t->n_profiles, d);
}

bool
trust_has_terms(const struct trust *t, digest d)
{
	return has_digest(t->terms, t->n_terms, d);
}

bool
trust_has_explanation(const struct trust *t, digest d)
{
	return has_digest(t->explanation, t->n_explanations, d);
}

err
trust_check_person(const struct trust *t, slice cms, unsigned duty, struct cms *c, const struct trust_person **who)
{
	const struct trust_person *p = NULL;
	struct cms m;

	TRY(cms_get(cms, &m));
	if (m.certificate.n > 0)
		return fail(
		    ERR_POLICY, "person-certificate: Rule 6(xvi): a person of the house signs with the key pinned for it");
	for (size_t i = 0; i < t->n_persons; i++)
		if (memcmp(t->person[i].key_id, m.key_id, sizeof m.key_id) == 0)
			p = &t->person[i];
	if (p == NULL)
		return fail(ERR_POLICY, "person-unknown: Rule 6(xvi): the signer is no person the trust file names");
	TRY(cms_check(&m, p->key));
	if ((p->duties & duty) == 0)
		return fail(ERR_POLICY, "person-duty: Rule 6(xvi): the signer is not permitted to do this");
	*c = m;
	*who = p;
	return ok;
}
