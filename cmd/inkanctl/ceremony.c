#include "cmd/inkanctl/ceremony.h"
#include "act/trust.h"
#include "edge/hsm.h"
#include "edge/random.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/name.h"

static const struct ceremony_algorithm ALGORITHMS[] = {
    {"p256", KEY_P256, 0, SIG_ECDSA_SHA256},
    {"p384", KEY_P384, 0, SIG_ECDSA_SHA384},
    {"rsa2048", KEY_RSA, 2048, SIG_RSA_SHA256},
    {"rsa3072", KEY_RSA, 3072, SIG_RSA_SHA256},
    {"rsa4096", KEY_RSA, 4096, SIG_RSA_SHA256},
    {"rsa2048-pss", KEY_RSA, 2048, SIG_PSS_SHA256},
    {"rsa3072-pss", KEY_RSA, 3072, SIG_PSS_SHA256},
    {"rsa4096-pss", KEY_RSA, 4096, SIG_PSS_SHA256},
};

const struct ceremony_algorithm *
ceremony_algorithm(const char *word)
{
	for (size_t i = 0; i < COUNT(ALGORITHMS); i++)
		if (strcmp(word, ALGORITHMS[i].word) == 0)
			return &ALGORITHMS[i];
	return NULL;
}

const char *
ceremony_words(void)
{
	return "p256|p384|rsa2048|rsa3072|rsa4096|rsa2048-pss|rsa3072-pss|rsa4096-pss";
}

void
ceremony_made_drop(struct ceremony_made *m)
{
	buf_drop(&m->issuer);
	buf_drop(&m->ocsp);
	buf_drop(&m->status_key);
	buf_drop(&m->person_key);
	buf_drop(&m->token);
}

void
ceremony_put_uri(struct buf *b, const char *base, const char *object)
{
	buf_put_str(b, base);
	buf_put_str(b, ";object=");
	buf_put_str(b, object);
}

static err
open_uri(const struct ceremony_token *t, slice uri, enum hsm_mode mode, struct hsm **out)
{
	struct hsm *h OWNED(hsm_close) = NULL;

	if (t->environment != NULL) {
		union {
			const char *from;
			char *to;
		} e = {.from = t->environment};

		if (putenv(e.to) != 0)
			abort();
	}
	TRY(hsm_open(t->module, uri, mode, &h));
	TRY(hsm_login(h, t->pin));
	*out = h;
	h = NULL;
	return ok;
}

static err
open_key(const struct ceremony_token *t, const char *object, enum hsm_mode mode, struct hsm **out)
{
	struct buf uri OWNED(buf_drop) = BUF(1024);

	ceremony_put_uri(&uri, t->uri, object);
	TRY(buf_check(&uri));
	return open_uri(t, buf_slice(&uri), mode, out);
}

/* Signs and verifies: what a ceremony makes is checked before it is believed. */
static err
sign(struct hsm *h, enum sig_alg alg, slice message, struct buf *out)
{
	struct key *k OWNED(key_drop) = NULL;
	uint8_t hash[SHA512_LEN];
	slice bytes = message;

	if (alg != SIG_ED25519) {
		hash_of(sig_alg_hash(alg), message, hash);
		bytes = (slice){hash, hash_len(sig_alg_hash(alg))};
	}
	TRY(hsm_sign(h, alg, bytes, out));
	TRY(key_get_spki(hsm_spki(h), &k));
	return key_check(k, alg, message, buf_slice(out));
}

static err
certify(struct hsm *issuer, const struct cert_plan *p, struct buf *out)
{
	struct buf tbs OWNED(buf_drop) = BUF(CERT_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);

	cert_put_tbs(&tbs, p);
	TRY(buf_check(&tbs));
	TRY(sign(issuer, p->alg, buf_slice(&tbs), &sig));
	*out = BUF(CERT_MAX);
	cert_join(out, buf_slice(&tbs), p->alg, buf_slice(&sig));
	return buf_check(out);
}

static void
put_name(struct buf *b, slice organisation, slice common_name)
{
	name_put(b, (const struct name_part[]){{NAME_C, LIT("JP")}, {NAME_O, organisation}, {NAME_CN, common_name}}, 3);
}

/* A key of its own kind beside the issuer's: its SubjectPublicKeyInfo. */
static err
make_other(const struct ceremony_token *t, const char *object, enum key_kind kind, struct buf *spki)
{
	struct hsm *h OWNED(hsm_close) = NULL;

	TRY(open_key(t, object, HSM_CEREMONY, &h));
	TRY(hsm_generate(h, kind, 0));
	*spki = BUF(SPKI_MAX);
	buf_put(spki, hsm_spki(h));
	return buf_check(spki);
}

static err
make_issuer(const struct ceremony_options *o, struct hsm *h, slice name, struct ceremony_made *m)
{
	struct key *k OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN];
	instant from = instant_floor_second(o->now), until = instant_add_years(from, CA_YEARS);

	TRY(key_get_spki(hsm_spki(h), &k));
	key_identifier(k, id);
	until.ms -= SECOND_MS;
	return certify(h,
	    &(struct cert_plan){
	        .serial = random_serial(),
	        .alg = o->algorithm->alg,
	        .issuer = name,
	        .subject = name,
	        .spki = hsm_spki(h),
	        .not_before = from,
	        .not_after = until,
	        .is_ca = true,
	        .key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN,
	        .aki = ARR(id),
	        .ski = ARR(id),
	    },
	    &m->issuer);
}

static err
make_responder(const struct ceremony_options *o, struct hsm *h, slice name, slice spki, struct ceremony_made *m)
{
	struct buf subject OWNED(buf_drop) = BUF(1024);
	struct key *k OWNED(key_drop) = NULL, *own OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN], aki[SHA1_LEN];
	instant from = instant_floor_second(o->now), until = instant_add_years(from, OCSP_YEARS);

	TRY(key_get_spki(spki, &k));
	TRY(key_get_spki(hsm_spki(h), &own));
	key_identifier(k, id);
	key_identifier(own, aki);
	until.ms -= SECOND_MS;
	put_name(&subject, o->organisation, LIT("OCSP"));
	return certify(h,
	    &(struct cert_plan){
	        .serial = random_serial(),
	        .alg = o->algorithm->alg,
	        .issuer = name,
	        .subject = buf_slice(&subject),
	        .spki = spki,
	        .not_before = from,
	        .not_after = until,
	        .key_usage = USAGE_DIGITAL_SIGNATURE,
	        .aki = ARR(aki),
	        .ski = ARR(id),
	        .ocsp_signer = true,
	    },
	    &m->ocsp);
}

static err
make(const struct ceremony_options *o, struct ceremony_made *m)
{
	struct buf name OWNED(buf_drop) = BUF(2048), ocsp OWNED(buf_drop) = {0};
	struct hsm *h OWNED(hsm_close) = NULL;

	TRY(make_other(&o->status, "checkpoint", KEY_ED25519, &m->status_key));
	TRY(make_other(&o->status, "ocsp", KEY_P256, &ocsp));
	TRY(open_key(&o->ca, "issuer", HSM_CEREMONY, &h));
	TRY(hsm_generate(h, o->algorithm->kind, o->algorithm->bits));
	m->token = BUF(256);
	hsm_put_token(h, &m->token);
	put_name(&name, o->organisation, o->common_name);
	TRY(buf_check(&name));
	TRY(make_issuer(o, h, buf_slice(&name), m));
	TRY(make_responder(o, h, buf_slice(&name), buf_slice(&ocsp), m));
	hsm_close(&h);
	return make_other(&o->person, "person", KEY_P256, &m->person_key);
}

err
ceremony_make(const struct ceremony_options *o, struct ceremony_made *out)
{
	struct ceremony_made m OWNED(ceremony_made_drop) = {0};

	TRY(make(o, &m));
	*out = m;
	m = (struct ceremony_made){0};
	return ok;
}

err
ceremony_key(const struct ceremony_token *t, const char *object, struct buf *spki)
{
	struct hsm *h OWNED(hsm_close) = NULL;
	err e;

	TRY(open_key(t, object, HSM_CEREMONY, &h));
	e = hsm_find(h);
	if (e.kind == ERR_ABSENT)
		e = hsm_generate(h, KEY_P256, 0);
	TRY(e);
	buf_put(spki, hsm_spki(h));
	return buf_check(spki);
}

err
ceremony_plan(const struct trust *t, const struct cert *last, slice spki, instant now, struct buf *tbs)
{
	struct key *k OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN], aki[SHA1_LEN];
	instant from = instant_floor_second(now), until = instant_add_years(from, OCSP_YEARS);

	TRY(key_get_spki(spki, &k));
	key_identifier(k, id);
	key_identifier(t->issuer_key, aki);
	until.ms -= SECOND_MS;
	cert_put_tbs(tbs, &(struct cert_plan){
	                      .serial = random_serial(),
	                      .alg = last->alg,
	                      .issuer = t->issuer.subject,
	                      .subject = last->subject,
	                      .spki = spki,
	                      .not_before = from,
	                      .not_after = until.ms < t->issuer.not_after.ms ? until : t->issuer.not_after,
	                      .key_usage = USAGE_DIGITAL_SIGNATURE,
	                      .aki = ARR(aki),
	                      .ski = ARR(id),
	                      .ocsp_signer = true,
	                  });
	return buf_check(tbs);
}

err
ceremony_certify(
    const struct ceremony_token *ca, slice uri, const struct trust *t, enum sig_alg alg, slice tbs, struct buf *sig)
{
	struct hsm *h OWNED(hsm_close) = NULL;

	TRY(open_uri(ca, uri, HSM_SIGN, &h));
	TRY(hsm_find(h));
	if (!slice_eq(hsm_spki(h), t->issuer.spki))
		return fail(ERR_POLICY, "rotate-issuer: Rule 6(xvii): the token's key is not the trust file's issuer");
	return sign(h, alg, tbs, sig);
}

err
ceremony_join(const struct trust *t, enum sig_alg alg, slice tbs, slice sig, struct buf *out)
{
	TRY(key_check(t->issuer_key, alg, tbs, sig));
	cert_join(out, tbs, alg, sig);
	return buf_check(out);
}

err
ceremony_sign(const struct ceremony_token *person, slice text, instant at, struct buf *out)
{
	struct buf attrs OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct hsm *h OWNED(hsm_close) = NULL;
	struct key *k OWNED(key_drop) = NULL;
	struct cms_plan p = {.content = text, .signing_time = instant_floor_second(at), .alg = SIG_ECDSA_SHA256};

	TRY(open_key(person, "person", HSM_SIGN, &h));
	TRY(hsm_find(h));
	TRY(key_get_spki(hsm_spki(h), &k));
	key_identifier(k, p.key_id);
	cms_put_attrs(&attrs, &p);
	TRY(buf_check(&attrs));
	TRY(sign(h, p.alg, buf_slice(&attrs), &sig));
	cms_join(out, &p, buf_slice(&attrs), buf_slice(&sig));
	return buf_check(out);
}
