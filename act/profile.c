#include "act/profile.h"
#include "base/conf.h"
#include "base/der.h"
#include "pki/name.h"

/* ---- the sizes of keys ----------------------------------------------------------------------------------------------- */

static const struct {
	enum key_kind kind;
	unsigned bits;
	enum key_size size;
} sizes[] = {
    {KEY_P256, 256, SIZE_P256},
    {KEY_P384, 384, SIZE_P384},
    {KEY_RSA, 2048, SIZE_RSA2048},
    {KEY_RSA, 3072, SIZE_RSA3072},
    {KEY_RSA, 4096, SIZE_RSA4096},
};

err
key_sizes_get(slice words, unsigned *out)
{
	static const struct conf_word known[] = {{"p256", SIZE_P256}, {"p384", SIZE_P384}, {"rsa2048", SIZE_RSA2048},
	    {"rsa3072", SIZE_RSA3072}, {"rsa4096", SIZE_RSA4096}};

	if (!conf_set_get(words, known, COUNT(known), out))
		return fail(ERR_INPUT, "profile-keys: CR-1: keys are p256, p384, rsa2048, rsa3072 or rsa4096, each once");
	return ok;
}

unsigned
key_size_of(enum key_kind kind, unsigned bits)
{
	for (size_t i = 0; i < COUNT(sizes); i++)
		if (sizes[i].kind == kind && sizes[i].bits == bits)
			return sizes[i].size;
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static const char *const NAMES[] = {"name", "version", "policy", "cps", "crl", "crl_partitions", "crl_delta",
    "crl_expired", "ocsp", "ca_issuers", "validity_years_max", "keys", "subject_address", "subject_birth", NULL};

#define URI_MAX 255

/* Printable ASCII of http or https: what cert_put_tbs writes without asking again. */
static err
get_uri(const struct conf *c, const char *name, slice *out)
{
	slice s;
	bool good;

	TRY(conf_text(c, LIT("profile"), name, &s));
	good = s.n <= URI_MAX && (slice_has_prefix(s, LIT("http://")) || slice_has_prefix(s, LIT("https://")));
	for (size_t i = 0; i < s.n; i++)
		good = good && s.p[i] > ' ' && s.p[i] < 0x7F;
	if (!good)
		return fail(
		    ERR_INPUT, "profile-uri: RFC 5280 4.2.1.6: a URI is http or https in at most 255 printable characters");
	*out = s;
	return ok;
}

static err
get_head(struct profile *p)
{
	uint64_t version;
	slice section = LIT("profile"), oid;

	if (conf_section(p->conf, 1).n > 0)
		return fail(ERR_INPUT, "profile-section: house: a profile has the section [profile] and no other");
	TRY(conf_check_known(p->conf, section, NAMES));
	TRY(conf_number(p->conf, section, "version", INT64_MAX, &version));
	if (version != 1)
		return fail(ERR_INPUT, "profile-version: house: the profile is of a version this engine does not read");
	TRY(conf_text(p->conf, section, "name", &p->name));
	if (p->name.n == 0 || p->name.n > 64)
		return fail(ERR_INPUT, "profile-name: house: a profile has a name of at most 64 bytes");
	TRY(conf_text(p->conf, section, "policy", &oid));
	p->policy = BUF(64);
	return oid_get_dotted(oid, &p->policy);
}

static err
get_lists(struct profile *p)
{
	slice section = LIT("profile"), none = {NULL, 0};
	uint64_t n = 0;

	TRY(get_uri(p->conf, "crl", &p->crl));
	if (conf_text_or(p->conf, section, "crl_partitions", none).n > 0)
		TRY(conf_number(p->conf, section, "crl_partitions", INT64_MAX, &n));
	if (n > CRL_PARTITIONS_MAX || n == 1)
		return fail(ERR_INPUT, "profile-partitions: RFC 5280 5.2.5: a list is parted into 2 to 1024, or not at all");
	p->crl_partitions = (unsigned)n;
	if (conf_text_or(p->conf, section, "crl_delta", none).n > 0)
		TRY(get_uri(p->conf, "crl_delta", &p->crl_delta));
	return conf_text_or(p->conf, section, "crl_expired", none).n == 0
	           ? ok
	           : conf_flag(p->conf, section, "crl_expired", &p->crl_expired);
}

void
profile_put_crl_uri(struct buf *b, const struct profile *p, unsigned partition)
{
	size_t dot = p->crl.n;

	if (partition == 0) {
		buf_put(b, p->crl);
		return;
	}
	while (dot > 0 && p->crl.p[dot - 1] != '.' && p->crl.p[dot - 1] != '/')
		dot--;
	if (dot == 0 || p->crl.p[dot - 1] != '.')
		dot = p->crl.n + 1; /* a name without an ending */
	buf_put(b, (slice){p->crl.p, dot - 1});
	buf_put_str(b, "-");
	buf_put_decimal(b, partition);
	buf_put(b, (slice){p->crl.p + dot - 1, p->crl.n - (dot - 1)});
}

unsigned
profile_partition(const struct profile *p, serial s)
{
	return p->crl_partitions == 0 ? 0 : crl_partition_of(s, p->crl_partitions);
}

err
profile_get(slice file, struct profile **out)
{
	struct profile *p OWNED(profile_drop) = mem_new(1, sizeof *p);
	slice section = LIT("profile"), keys;
	uint64_t years;

	TRY(conf_get(file, &p->conf));
	p->digest = sha256(file);
	TRY(get_head(p));
	TRY(get_uri(p->conf, "cps", &p->cps));
	TRY(get_lists(p));
	TRY(get_uri(p->conf, "ocsp", &p->ocsp));
	TRY(get_uri(p->conf, "ca_issuers", &p->ca_issuers));
	TRY(conf_number(p->conf, section, "validity_years_max", INT64_MAX, &years));
	if (years == 0 || years > PROFILE_YEARS_MAX)
		return fail(ERR_POLICY, "profile-validity: Rule 6(iv): a certificate is valid for 1 to 5 years");
	p->validity_years_max = (int)years;
	TRY(conf_text(p->conf, section, "keys", &keys));
	TRY(key_sizes_get(keys, &p->keys));
	TRY(conf_flag(p->conf, section, "subject_address", &p->address));
	TRY(conf_flag(p->conf, section, "subject_birth", &p->birth));
	*out = p;
	p = NULL;
	return ok;
}

void
profile_drop(struct profile **p)
{
	if (*p == NULL)
		return;
	buf_drop(&(*p)->policy);
	conf_drop(&(*p)->conf);
	free(*p);
	*p = NULL;
}

static err
key_refused(void)
{
	return fail(ERR_POLICY, "profile-key: CR-1: the profile does not allow a key of this kind or size");
}

err
profile_check_key(const struct profile *p, const struct key *k)
{
	return (key_size_of(key_kind(k), key_bits(k)) & p->keys) == 0 ? key_refused() : ok;
}

/* ---- the lint -------------------------------------------------------------------------------------------------------- */

#define SERIAL_BYTES 16 /* 128 random bits, the first two of them 01: positive, never short */

struct spki {
	enum key_kind kind;
	unsigned bits;
	slice material; /* the subjectPublicKey bits */
};

static const uint8_t OID_RSA[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
static const uint8_t OID_EC[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
static const uint8_t OID_P256[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t OID_P384[] = {0x2B, 0x81, 0x04, 0x00, 0x22};

static unsigned
bits_of(slice magnitude)
{
	unsigned n = (unsigned)magnitude.n * 8;

	for (uint8_t top = magnitude.p[0]; n > 0 && (top & 0x80) == 0; top = (uint8_t)(top << 1 | 1))
		n--;
	return n;
}

/*
 * RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
 */
static err
get_rsa(slice bits, struct spki *out)
{
	slice s, n;
	uint64_t e;

	TRY(der_get(&bits, DER_SEQUENCE, &s));
	TRY(der_end(bits));
	TRY(der_get_integer(&s, &n));
	TRY(der_get_u64(&s, UINT64_MAX, &e));
	TRY(der_end(s));
	if (e != 65537)
		return key_refused();
	out->kind = KEY_RSA;
	out->bits = bits_of(n);
	return ok;
}

/*
 * Reads what kind of key it is, without loading it: the lint looks at every
 * certificate twice, and the key's numbers were judged when its possession was
 * proven.
 */
static err
get_spki(slice in, struct spki *out)
{
	struct spki k = {0};
	slice s, alg, oid, curve;

	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get(&s, DER_SEQUENCE, &alg));
	TRY(der_get_bits(&s, &k.material));
	TRY(der_end(s));
	TRY(der_get_oid(&alg, &oid));
	if (slice_eq(oid, ARR(OID_RSA))) {
		TRY(get_rsa(k.material, &k));
	} else if (slice_eq(oid, ARR(OID_EC))) {
		TRY(der_get_oid(&alg, &curve));
		if (slice_eq(curve, ARR(OID_P256)) && k.material.n == 65)
			k.kind = KEY_P256, k.bits = 256;
		else if (slice_eq(curve, ARR(OID_P384)) && k.material.n == 97)
			k.kind = KEY_P384, k.bits = 384;
	}
	if (k.kind == 0)
		return key_refused();
	*out = k;
	return ok;
}

static err
lint_serial(const struct cert *c)
{
	if (c->serial.n != SERIAL_BYTES || c->serial.b[0] < 0x40 || c->serial.b[0] > 0x7F)
		return fail(ERR_POLICY, "lint-serial: Rule 6(v)イ: a serial number has 16 bytes, the first from 40 to 7F");
	return ok;
}

static err
lint_validity(const struct profile *p, const struct cert *issuer, const struct cert *c)
{
	if (c->not_after.ms > instant_add_years(c->not_before, p->validity_years_max).ms)
		return fail(
		    ERR_POLICY, "lint-validity: Rule 6(iv): the certificate is valid for longer than its profile allows");
	if (c->not_before.ms < issuer->not_before.ms || c->not_after.ms > issuer->not_after.ms)
		return fail(ERR_POLICY, "lint-issuer-validity: RFC 5280 6.1: the certificate would outlive its issuer's");
	return ok;
}

/* C, CN = the name, serialNumber, then what the profile adds: nothing else is certified (B-8). */
static err
lint_subject(const struct profile *p, const struct cert *c)
{
	struct name_part part[NAME_ATTRS_MAX];
	enum name_attr want[NAME_ATTRS_MAX] = {NAME_C, NAME_CN, NAME_SERIAL};
	size_t n, n_want = 3;

	if (p->address)
		want[n_want++] = NAME_STREET;
	if (p->birth)
		want[n_want++] = NAME_BIRTH;
	TRY(name_parts(c->subject, part, &n));
	for (size_t i = 0; i < n && i < n_want; i++)
		if (part[i].attr != want[i])
			n = 0;
	if (n != n_want || !slice_eq(part[0].value, LIT("JP")))
		return fail(ERR_POLICY, "lint-subject: Rule 6(v)ハ: the subject is not C, the name, and what the profile adds");
	return ok;
}

static err
lint_keys(const struct profile *p, const struct cert *issuer, const struct cert *c, struct spki *out)
{
	struct spki own, subscriber;

	TRY(get_spki(issuer->spki, &own));
	if (key_size_of(own.kind, own.bits) == 0 || !sig_alg_fits(c->alg, own.kind))
		return fail(ERR_POLICY, "lint-algorithm: Rule 6(vi): the issuer's key or algorithm does not meet Rule 2");
	TRY(get_spki(c->spki, &subscriber));
	if ((key_size_of(subscriber.kind, subscriber.bits) & p->keys) == 0)
		return key_refused();
	*out = subscriber;
	return ok;
}

/* Written again from what it says and what the profile says, the certificate must come out the same. */
static err
lint_bytes(const struct profile *p, const struct cert *issuer, const struct cert *c, slice ski)
{
	struct buf again OWNED(buf_drop) = BUF(CERT_MAX), crl OWNED(buf_drop) = BUF(URI_MAX + 16);

	profile_put_crl_uri(&crl, p, profile_partition(p, c->serial));
	cert_put_tbs(&again, &(struct cert_plan){
	                         .serial = c->serial,
	                         .alg = c->alg,
	                         .issuer = issuer->subject,
	                         .subject = c->subject,
	                         .spki = c->spki,
	                         .not_before = c->not_before,
	                         .not_after = c->not_after,
	                         .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	                         .aki = issuer->ski,
	                         .ski = ski,
	                         .policy = buf_slice(&p->policy),
	                         .cps_uri = p->cps,
	                         .crl_uri = buf_slice(&crl),
	                         .ocsp_uri = p->ocsp,
	                         .ca_issuers_uri = p->ca_issuers,
	                     });
	if (buf_check(&again).kind != OK || !slice_eq(buf_slice(&again), c->tbs))
		return fail(ERR_POLICY, "lint-bytes: house: the certificate says more or other than its profile");
	return ok;
}

err
profile_lint(const struct profile *p, const struct cert *issuer, slice certificate_or_tbs_joined)
{
	struct buf crl OWNED(buf_drop) = BUF(URI_MAX + 16);
	struct cert c;
	struct spki key;
	uint8_t ski[SHA512_LEN];

	TRY(cert_get(certificate_or_tbs_joined, &c));
	if (!slice_eq(c.issuer, issuer->subject))
		return fail(ERR_POLICY, "lint-issuer: Rule 6(v)イ: the certificate does not name its issuer");
	TRY(lint_serial(&c));
	TRY(lint_validity(p, issuer, &c));
	TRY(lint_subject(p, &c));
	TRY(lint_keys(p, issuer, &c, &key));
	if (c.is_ca || !c.key_usage_critical || c.key_usage != (USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION))
		return fail(ERR_POLICY, "lint-key-usage: RFC 5280 4.2.1.3: a person's key signs documents and nothing else");
	if (c.n_policies != 1 || !slice_eq(c.policy[0], buf_slice(&p->policy)))
		return fail(ERR_POLICY, "lint-policy: Rule 6(vii): the policy is not the one of the profile");
	profile_put_crl_uri(&crl, p, profile_partition(p, c.serial));
	if (!slice_eq(cert_crl_uri(&c), buf_slice(&crl)) || !slice_eq(cert_ocsp_uri(&c), p->ocsp))
		return fail(ERR_POLICY, "lint-status: Rule 6(xi): the certificate does not say where its status is found");
	hash_of(HASH_SHA1, key.material, ski);
	if (!slice_eq(c.ski, (slice){ski, SHA1_LEN}) || issuer->ski.n == 0 || !slice_eq(c.aki, issuer->ski))
		return fail(ERR_POLICY, "lint-key-id: RFC 5280 4.2.1.1: the key identifiers are not the keys' own");
	return lint_bytes(p, issuer, &c, (slice){ski, SHA1_LEN});
}
