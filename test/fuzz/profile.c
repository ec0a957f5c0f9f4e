/* What profile_get accepts can be written into a certificate, which then passes its lint; any other bytes never crash it. */
#include "act/profile.h"
#include "base/der.h"
#include "pki/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const uint8_t SPKI[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08,
    0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

static void
lint_own(const struct profile *p)
{
	struct name_part part[] = {{NAME_C, LIT("JP")}, {NAME_CN, LIT("a")}, {NAME_SERIAL, LIT("1")},
	    {NAME_OTHER, {NULL, 0}}, {NAME_OTHER, {NULL, 0}}};
	struct buf name OWNED(buf_drop) = BUF(1024), tbs OWNED(buf_drop) = BUF(CERT_MAX),
	                der OWNED(buf_drop) = BUF(CERT_MAX);
	uint8_t spki[sizeof SPKI + 64] = {0}, ski[SHA512_LEN], id[SHA1_LEN] = {1};
	struct cert issuer = {.not_before = {0}, .not_after = {INSTANT_MAX_MS}, .spki = ARR(spki), .ski = ARR(id)};
	size_t parts = 3;

	if ((p->keys & SIZE_P256) == 0)
		return;
	if (p->address)
		part[parts++] = (struct name_part){NAME_STREET, LIT("a")};
	if (p->birth)
		part[parts++] = (struct name_part){NAME_BIRTH, LIT("1990-01-01")};
	name_put(&name, part, parts);
	memcpy(spki, SPKI, sizeof SPKI);
	hash_of(HASH_SHA1, slice_of(spki + sizeof SPKI - 1, 65), ski);
	issuer.subject = buf_slice(&name);
	cert_put_tbs(&tbs, &(struct cert_plan){.serial = {16, {0x40}},
	                       .alg = SIG_ECDSA_SHA256,
	                       .issuer = issuer.subject,
	                       .subject = buf_slice(&name),
	                       .spki = ARR(spki),
	                       .not_before = {0},
	                       .not_after = instant_add_years((instant){0}, p->validity_years_max),
	                       .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	                       .aki = issuer.ski,
	                       .ski = slice_of(ski, SHA1_LEN),
	                       .policy = buf_slice(&p->policy),
	                       .cps_uri = p->cps,
	                       .crl_uri = p->crl,
	                       .ocsp_uri = p->ocsp,
	                       .ca_issuers_uri = p->ca_issuers});
	cert_join(&der, buf_slice(&tbs), SIG_ECDSA_SHA256, LIT("x"));
	if (profile_lint(p, &issuer, buf_slice(&der)).kind != OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char file[] = "[profile]\nname = a\nversion = 1\npolicy = 2.999\ncps = http://a/\ncrl = http://a/\n"
	                           "ocsp = http://a/\nca_issuers = http://a/\nvalidity_years_max = 5\nkeys = p256\n"
	                           "subject_address = no\nsubject_birth = no\n";
	struct profile *q OWNED(profile_drop) = NULL, *own OWNED(profile_drop) = NULL;
	struct cert issuer = {.not_after = {INSTANT_MAX_MS}};

	if (profile_get(slice_of(p, n), &q).kind == OK)
		lint_own(q);
	if (profile_get(slice_str(file), &own).kind != OK)
		abort();
	if (profile_lint(own, &issuer, slice_of(p, n)).kind == OK)
		abort(); /* an issuer without a name issued nothing */
	return 0;
}
