#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "pki/cms.h"
#include "pki/name.h"
#include "pki/request.h"
#include "test/jpki/make.h"

static void need(bool yes, const char *what);

static void
need(bool yes, const char *what)
{
	if (yes)
		return;
	fprintf(stderr, "make: %s\n", what);
	exit(1);
}

/* ---- files and worlds ------------------------------------------------------------------------------------------------ */

void
file_get(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	uint8_t part[8192];
	size_t n;

	need(f != NULL, path);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(out, slice_of(part, n));
	fclose(f);
	need(buf_check(out).kind == OK, path);
}

void
file_put(const char *path, slice s)
{
	FILE *f = fopen(path, "wb");

	need(f != NULL && fwrite(s.p, 1, s.n, f) == s.n && fclose(f) == 0, path);
}

/* The build folder this program stands in: the nearest folder above it with test/jpki/world. */
static const char *
build_folder(void)
{
	static char dir[2048];
	char tool[2100];
	ssize_t n;

	if (dir[0] != '\0')
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	need(n > 0, "/proc/self/exe");
	dir[n] = '\0';
	for (char *stroke; (stroke = strrchr(dir, '/')) != NULL && stroke != dir;) {
		*stroke = '\0';
		snprintf(tool, sizeof tool, "%s/test/jpki/world", dir);
		if (access(tool, X_OK) == 0)
			return dir;
	}
	need(false, "no test/jpki/world in the build folder: make tools");
	return NULL;
}

void
world_run(const char *const *words)
{
	char tool[2100];
	const char *argv[16] = {tool};
	int status = 0;
	pid_t pid;

	snprintf(tool, sizeof tool, "%s/test/jpki/world", build_folder());
	for (size_t i = 0; words[i] != NULL; i++) {
		need(i + 2 < COUNT(argv), "words");
		argv[i + 1] = words[i];
	}
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		union {
			const char **c;
			char *const *m;
		} args = {argv};

		execv(tool, args.m);
		_exit(127);
	}
	need(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "test/jpki/world failed");
}

/* Not there, or made by an earlier build of the tool. */
static bool
is_older(const char *path)
{
	char tool[2100];
	struct stat a, b;

	snprintf(tool, sizeof tool, "%s/test/jpki/world", build_folder());
	need(stat(tool, &b) == 0, tool);
	return stat(path, &a) != 0 || a.st_mtime < b.st_mtime;
}

const char *
make_world(const char *at, unsigned many)
{
	char dir[2200], keys[2200], lock[2300], done[2300], count[16];
	const char *build = build_folder();
	int fd;

	snprintf(dir, sizeof dir, "%s/test/world-%s-%u", build, at, many);
	snprintf(keys, sizeof keys, "%s/test/world-keys", build);
	snprintf(lock, sizeof lock, "%s/test/world.lock", build);
	snprintf(done, sizeof done, "%s/state", dir);
	snprintf(count, sizeof count, "%u", many);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	need(fd >= 0 && flock(fd, LOCK_EX) == 0, lock);
	if (is_older(done)) /* the tool writes `state` last */
		world_run((const char *const[]){dir, "--at", at, "--keys", keys, "--many", count, NULL});
	close(fd);
	return strdup(dir);
}

void
world_person(const char *dir, const char *card, struct world_person *out)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 26);
	char path[2300];
	slice s, line, field;

	snprintf(path, sizeof path, "%s/persons", dir);
	file_get(path, &b);
	for (s = buf_slice(&b); slice_cut(&s, '\n', &line);) {
		const struct {
			char *to;
			size_t n;
		} to[] = {{out->name, sizeof out->name}, {out->name_flags, sizeof out->name_flags},
		    {out->true_name, sizeof out->true_name}, {out->birth, sizeof out->birth}, {out->sex, sizeof out->sex},
		    {out->address, sizeof out->address}, {out->address_flags, sizeof out->address_flags},
		    {out->true_address, sizeof out->true_address}};

		if (!slice_cut(&line, '\t', &field) || !slice_eq(field, slice_str(card)))
			continue;
		for (size_t i = 0; i < COUNT(to); i++) {
			if (!slice_cut(&line, '\t', &field))
				field = line;
			need(field.n < to[i].n, "persons");
			memcpy(to[i].to, field.p, field.n);
			to[i].to[field.n] = '\0';
		}
		return;
	}
	need(false, card);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------- */

struct signer {
	EVP_PKEY *pkey;
	struct key *key;
	struct buf cert;
};

static struct signer *
signer_of(EVP_PKEY *pkey)
{
	struct signer *s = mem_new(1, sizeof *s);
	unsigned char *p = NULL;
	int n;

	need(pkey != NULL, "key");
	s->pkey = pkey;
	s->cert = BUF(CERT_MAX);
	n = i2d_PUBKEY(pkey, &p);
	/* A key the house refuses (a leaf's of 1024 bits) can still sign: it has no struct key then. */
	if (n <= 0 || key_get_spki(slice_of(p, (size_t)n), &s->key).kind != OK)
		s->key = NULL;
	OPENSSL_free(p);
	return s;
}

struct signer *
signer_from_pem(const char *path)
{
	FILE *f = fopen(path, "rb");
	EVP_PKEY *k;

	need(f != NULL, path);
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return signer_of(k);
}

void
signer_to_pem(const struct signer *s, const char *path)
{
	FILE *f = fopen(path, "wb");

	need(f != NULL && PEM_write_PKCS8PrivateKey(f, s->pkey, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0, path);
}

struct signer *
signer_load(const char *dir, const char *name)
{
	struct buf cert OWNED(buf_drop) = BUF(CERT_MAX);
	char path[2300];
	struct signer *s;

	snprintf(path, sizeof path, "%s/%s.key", dir, strncmp(name, "many-", 5) == 0 ? "many" : name);
	s = signer_from_pem(path);
	snprintf(path, sizeof path, "%s/%s.cer", dir, name);
	file_get(path, &cert);
	signer_set_certificate(s, buf_slice(&cert));
	return s;
}

void
world_crl(const char *dir, const char *name, struct buf *bytes, struct crl_table **out)
{
	char path[2300];
	struct crl c;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	*bytes = BUF(1 << 20);
	file_get(path, bytes);
	need(crl_get(buf_slice(bytes), &c).kind == OK, path);
	if (out != NULL)
		need(crl_table_new(&c, out).kind == OK, path);
}

struct signer *
signer_new(enum key_kind kind, unsigned bits)
{
	switch (kind) {
	case KEY_RSA:
		return signer_of(EVP_RSA_gen(bits));
	case KEY_P256:
		return signer_of(EVP_EC_gen("P-256"));
	case KEY_P384:
		return signer_of(EVP_EC_gen("P-384"));
	case KEY_ED25519:
		return signer_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	}
	abort();
}

void
signer_drop(struct signer **s)
{
	if (*s == NULL)
		return;
	EVP_PKEY_free((*s)->pkey);
	key_drop(&(*s)->key);
	buf_drop(&(*s)->cert);
	free(*s);
	*s = NULL;
}

slice
signer_spki(const struct signer *s)
{
	need(s->key != NULL, "the house refuses this key");
	return key_spki(s->key);
}

enum key_kind
signer_kind(const struct signer *s)
{
	return s->key == NULL ? KEY_RSA : key_kind(s->key);
}

slice
signer_certificate(const struct signer *s)
{
	return buf_slice(&s->cert);
}

void
signer_set_certificate(struct signer *s, slice der)
{
	buf_clear(&s->cert);
	buf_put(&s->cert, der);
	need(buf_check(&s->cert).kind == OK, "certificate");
}

static bool
is_pss(enum sig_alg alg)
{
	return alg == SIG_PSS_SHA256 || alg == SIG_PSS_SHA384 || alg == SIG_PSS_SHA512;
}

static const EVP_MD *
md_of(enum sig_alg alg)
{
	if (alg == SIG_ED25519)
		return NULL;
	return sig_alg_hash(alg) == HASH_SHA256   ? EVP_sha256()
	       : sig_alg_hash(alg) == HASH_SHA384 ? EVP_sha384()
	                                          : EVP_sha512();
}

static void
set_pss(EVP_PKEY_CTX *c, enum sig_alg alg)
{
	if (is_pss(alg))
		need(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
		         EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1,
		    "PSS");
}

void
signer_sign(const struct signer *s, enum sig_alg alg, slice message, struct buf *out)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = NULL;
	uint8_t sig[SIG_MAX + 64];
	size_t n = sizeof sig;

	need(m != NULL && EVP_DigestSignInit(m, &c, md_of(alg), NULL, s->pkey) == 1, "sign");
	set_pss(c, alg);
	need(EVP_DigestSign(m, sig, &n, message.p, message.n) == 1, "sign");
	EVP_MD_CTX_free(m);
	buf_put(out, slice_of(sig, n));
}

/* SEQUENCE { r, s } to r || s of equal length. */
static void
put_raw(struct buf *out, slice der, size_t half)
{
	slice s, part;

	need(der_get(&der, DER_SEQUENCE, &s).kind == OK, "ECDSA");
	for (int i = 0; i < 2; i++) {
		need(der_get_integer(&s, &part).kind == OK && part.n <= half, "ECDSA");
		for (size_t k = part.n; k < half; k++)
			buf_put_u8(out, 0);
		buf_put(out, part);
	}
}

void
signer_sign_hash(const struct signer *s, enum sig_alg alg, slice hash, struct buf *out)
{
	EVP_PKEY_CTX *c;
	uint8_t sig[SIG_MAX + 64];
	size_t n = sizeof sig;

	if (alg == SIG_ED25519) {
		signer_sign(s, alg, hash, out);
		return;
	}
	c = EVP_PKEY_CTX_new(s->pkey, NULL);
	need(c != NULL && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_CTX_set_signature_md(c, md_of(alg)) == 1, "sign");
	set_pss(c, alg);
	need(EVP_PKEY_sign(c, sig, &n, hash.p, hash.n) == 1, "sign");
	EVP_PKEY_CTX_free(c);
	if (alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384)
		put_raw(out, slice_of(sig, n), key_bits(s->key) / 8);
	else
		buf_put(out, slice_of(sig, n));
}

/* ---- objects ----------------------------------------------------------------------------------------------------------- */

static enum sig_alg
alg_of(const struct signer *s)
{
	return sig_alg_for(signer_kind(s));
}

void
make_certificate(struct buf *out, const struct signer *issuer, struct cert_plan *plan)
{
	struct buf tbs OWNED(buf_drop) = BUF(CERT_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);

	plan->alg = alg_of(issuer);
	cert_put_tbs(&tbs, plan);
	signer_sign(issuer, plan->alg, buf_slice(&tbs), &sig);
	cert_join(out, buf_slice(&tbs), plan->alg, buf_slice(&sig));
	need(buf_check(out).kind == OK, "certificate");
}

void
make_ca(struct signer *ca, const char *org, const char *cn, instant from, int years)
{
	struct buf name OWNED(buf_drop) = BUF(1024), der OWNED(buf_drop) = BUF(CERT_MAX);
	const struct name_part parts[] = {{NAME_C, LIT("JP")}, {NAME_O, slice_str(org)}, {NAME_CN, slice_str(cn)}};
	uint8_t id[SHA1_LEN];
	struct cert_plan p;

	name_put(&name, parts, COUNT(parts));
	key_identifier(ca->key, id);
	p = (struct cert_plan){.serial = {16, {0x41}},
	    .issuer = buf_slice(&name),
	    .subject = buf_slice(&name),
	    .spki = signer_spki(ca),
	    .not_before = instant_floor_second(from),
	    .not_after = instant_add_years(instant_floor_second(from), years),
	    .is_ca = true,
	    .key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN,
	    .aki = ARR(id),
	    .ski = ARR(id)};
	make_certificate(&der, ca, &p);
	signer_set_certificate(ca, buf_slice(&der));
}

void
make_request(struct buf *out, const struct signer *subscriber, slice challenge)
{
	struct buf info OWNED(buf_drop) = BUF(REQUEST_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);

	request_put_info(&info, signer_spki(subscriber), challenge);
	signer_sign(subscriber, alg_of(subscriber), buf_slice(&info), &sig);
	request_join(out, buf_slice(&info), alg_of(subscriber), buf_slice(&sig));
}

void
make_cms(struct buf *out, const struct signer *who, slice content, instant at)
{
	struct buf attrs OWNED(buf_drop) = BUF(CMS_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct cms_plan p = {
	    .content = content, .certificate = signer_certificate(who), .signing_time = at, .alg = alg_of(who)};

	if (p.certificate.n == 0)
		key_identifier(who->key, p.key_id);
	cms_put_attrs(&attrs, &p);
	signer_sign(who, p.alg, buf_slice(&attrs), &sig);
	cms_join(out, &p, buf_slice(&attrs), buf_slice(&sig));
	need(buf_check(out).kind == OK, "CMS");
}

static void
put_text(struct buf *out, enum form form, const char *const *values, slice block)
{
	slice v[DOCUMENT_LINES_MAX];
	err e;

	for (size_t i = 0; i < form_lines(form); i++)
		v[i] = slice_str(values[i]);
	e = document_put(out, form, v, form_lines(form), block);
	need(e.kind == OK, e.kind == OK ? "" : e.what);
}

void
make_twin(slice cms, struct buf *out)
{
	static const uint8_t PLAIN[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04};
	const uint8_t *at = NULL, *p = cms.p;
	struct cms c;

	need(cms_get(cms, &c).kind == OK, "a document");
	if (c.alg == SIG_ECDSA_SHA256) {
		struct cms_plan plan = {
		    .content = c.content, .certificate = c.certificate, .signing_time = c.signing_time, .alg = c.alg};
		struct buf attrs OWNED(buf_drop) = BUF(8192);
		const unsigned char *from = c.signature.p;
		ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &from, (long)c.signature.n);
		EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
		BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(sig)), *s = BN_new();
		unsigned char *der = NULL;
		int n;

		need(BN_sub(s, EC_GROUP_get0_order(g), ECDSA_SIG_get0_s(sig)) == 1 && ECDSA_SIG_set0(sig, r, s) == 1, "n - s");
		n = i2d_ECDSA_SIG(sig, &der);
		memcpy(plan.key_id, c.key_id, sizeof plan.key_id);
		cms_put_attrs(&attrs, &plan);
		cms_join(out, &plan, buf_slice(&attrs), slice_of(der, (size_t)n));
		OPENSSL_free(der);
		ECDSA_SIG_free(sig);
		EC_GROUP_free(g);
		return;
	}
	while ((p = memmem(p, cms.n - (size_t)(p - cms.p), PLAIN, sizeof PLAIN)) != NULL)
		at = p++;
	need(at != NULL, "rsaEncryption before the signature");
	buf_put(out, slice_of(cms.p, (size_t)(at - cms.p) + 10));
	buf_put_u8(out, 0x0B);
	buf_put(out, slice_of(at + 11, cms.n - (size_t)(at - cms.p) - 11));
}

void
make_document(
    struct buf *out, const struct signer *who, enum form form, const char *const *values, slice block, instant at)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX);

	put_text(&text, form, values, block);
	make_cms(out, who, buf_slice(&text), at);
}

static const char * or (const char *s, const char *otherwise)
{
	return s != NULL ? s : otherwise;
}

static void
time_text(instant t, char out[RFC3339_LEN + 1])
{
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	memcpy(out, b.p, RFC3339_LEN);
	out[RFC3339_LEN] = '\0';
}

void
make_application_text(struct buf *out, const struct signer *subscriber, const struct make_application *a)
{
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	struct buf request OWNED(buf_drop) = BUF(REQUEST_MAX);
	char time[RFC3339_LEN + 1];
	const char *nonce = or (a->nonce, "challenge");

	time_text(a->at, time);
	make_request(&request, subscriber, slice_str(nonce));
	const char *const v[A_COUNT] = {
	    [A_SERVICE] = or (a->service, "Inkan Test CA"),
	    [A_PROFILE] = or (a->profile, "person-signature"),
	    [A_DATE] = time,
	    [A_NAME] = or (a->name, "山田　太郎"),
	    [A_ADDRESS] = or (a->address, "椿県若葉市中央一丁目２番３号"),
	    [A_BIRTH] = or (a->birth, "1980-01-15"),
	    [A_SEX] = or (a->sex, "male"),
	    [A_CONTACT] = or (a->contact, "letter"),
	    [A_VALIDITY] = or (a->validity, "5"),
	    [A_TERMS] = or (a->terms, zeros),
	    [A_EXPLANATION] = or (a->explanation, zeros),
	    [A_LANGUAGE] = or (a->language, "ja"),
	    [A_SHOWN] = time,
	    [A_CONFIRMED] = time,
	    [A_KEY] = or (a->key, "file"),
	    [A_HELPED] = or (a->helped, "-"),
	    [A_CONSENT] = APPLICATION_CONSENT,
	    [A_NONCE] = nonce,
	};
	put_text(out, FORM_APPLICATION, v, buf_slice(&request));
}

void
make_application(
    struct buf *out, const struct signer *card, const struct signer *subscriber, const struct make_application *a)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX);

	make_application_text(&text, subscriber, a);
	make_cms(out, card, buf_slice(&text), a->at);
}

/* ---- a house ------------------------------------------------------------------------------------------------------------- */

#define SERVICE "Inkan Test CA"

static const char PROFILE[] = "[profile]\n"
                              "name = person-signature\n"
                              "version = 1\n"
                              "policy = 2.999.1.1\n"
                              "cps = http://127.0.0.1:8480/cps/\n"
                              "crl = http://127.0.0.1:8480/crl/issuer.crl\n"
                              "ocsp = http://127.0.0.1:8480/ocsp\n"
                              "ca_issuers = http://127.0.0.1:8480/ca/issuer.cer\n"
                              "validity_years_max = 5\n"
                              "keys = p256 p384 rsa2048 rsa3072 rsa4096\n"
                              "subject_address = no\n"
                              "subject_birth = no\n";
static const char RULESET[] = "[ruleset]\n"
                              "version = 1\n"
                              "profile = person-signature\n"
                              "engine = 1\n"
                              "validity_years_max = 5\n"
                              "age_min = 15\n"
                              "keys = p256 p384 rsa2048 rsa3072 rsa4096\n"
                              "open_per_card_max = 1\n"
                              "valid_per_card_max = 3\n"
                              "duplicate = refuse\n"
                              "[limits]\n"
                              "accepted_per_hour_max = 5000\n"
                              "refused_percent_max = 50\n";

static void
put_pair(struct buf *out, const char *name, const char *value)
{
	buf_put_str(out, name);
	buf_put_str(out, " = ");
	buf_put_str(out, value);
	buf_put_u8(out, '\n');
}

static void
put_base64(struct buf *out, const char *name, slice der)
{
	buf_put_str(out, name);
	buf_put_str(out, " = ");
	buf_put_base64(out, der);
	buf_put_u8(out, '\n');
}

static void
put_digest(struct buf *out, const char *name, digest d)
{
	buf_put_str(out, name);
	buf_put_str(out, " = ");
	digest_put(out, d);
	buf_put_u8(out, '\n');
}

static void
put_person(struct buf *out, const char *label, const char *name, const struct signer *s, const char *duties)
{
	buf_put_str(out, "[person.");
	buf_put_str(out, label);
	buf_put_str(out, "]\n");
	put_pair(out, "name", name);
	put_base64(out, "key", signer_spki(s));
	put_pair(out, "duties", duties);
}

static void
put_anchors(struct buf *out, const char *world, const char *hierarchy)
{
	static const char *const names[] = {"signca01", "signca02", "signca03"};
	bool production = strcmp(hierarchy, "production") == 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
		char path[2300];

		snprintf(path, sizeof path, "%s/%s.cer", world, names[i]);
		file_get(path, &der);
		buf_put_str(out, "[anchor.");
		buf_put_str(out, names[i]);
		buf_put_str(out, "]\n");
		put_base64(out, "certificate", buf_slice(&der));
		put_digest(out, "sha256", sha256(buf_slice(&der)));
		put_pair(out, "hierarchy", hierarchy);
		put_pair(out, "policy", production ? "1.2.392.200149.8.5.1.1.20" : "1.2.392.200149.8.5.1.0.20");
	}
}

void
house_put_trust(const struct house *h, const char *world, const char *hierarchy, const char *method, const char *extra,
    struct buf *out)
{
	bool production = strcmp(hierarchy, "production") == 0;

	buf_put_str(out, "[trust]\n");
	put_pair(out, "version", "1");
	put_pair(out, "service", SERVICE);
	put_pair(out, "hierarchy", hierarchy);
	put_pair(out, "state", "NONE");
	put_pair(out, "clock", "system");
	buf_put_str(out, "[status]\n");
	put_pair(out, "method", method);
	put_pair(out, "max_age_s", "93600");
	put_pair(out, "arrangement", production ? "2026-04-01 no. 1" : "none");
	buf_put_str(out, "[issuer]\n");
	put_base64(out, "certificate", signer_certificate(h->ca));
	put_base64(out, "status_key", signer_spki(h->status));
	put_pair(out, "origin", "inkan.test/books");
	put_anchors(out, world, hierarchy);
	put_person(out, "hanako", "岡田　花子", h->hanako, "responsible officer revocation");
	put_person(out, "jiro", "森　次郎", h->jiro, "officer");
	put_person(out, "saburo", "原　三郎", h->saburo, "revocation");
	buf_put_str(out, "[profile.person-signature]\n");
	put_digest(out, "sha256", sha256(buf_slice(&h->profile)));
	buf_put_str(out, "[terms.1]\n");
	put_digest(out, "sha256", h->terms);
	buf_put_str(out, "[explanation.ja.1]\n");
	put_digest(out, "sha256", h->explanation);
	put_pair(out, "current", "yes");
	buf_put_str(out, extra);
	need(buf_check(out).kind == OK, "trust file");
}

static void
put_approval(struct house *h, instant at)
{
	char now[RFC3339_LEN + 1], from[RFC3339_LEN + 1], until[RFC3339_LEN + 1];
	struct buf hex OWNED(buf_drop) = BUF(65);

	time_text(at, now);
	time_text((instant){at.ms - DAY_MS}, from);
	time_text(instant_add_years(at, 1), until);
	digest_put(&hex, sha256(buf_slice(&h->ruleset)));
	buf_put_u8(&hex, '\0');
	const char *const v[P_COUNT] = {SERVICE, (const char *)hex.p, "1", from, until, "hanako", now};
	make_document(&h->approval, h->hanako, FORM_APPROVAL, v, (slice){NULL, 0}, at);
}

struct house *
house_new(const char *world, instant at)
{
	struct house *h = mem_new(1, sizeof *h);

	h->ca = signer_new(KEY_P256, 256);
	h->status = signer_new(KEY_ED25519, 256);
	h->hanako = signer_new(KEY_P256, 256);
	h->jiro = signer_new(KEY_P384, 384);
	h->saburo = signer_new(KEY_P256, 256);
	make_ca(h->ca, "Inkan test", "Inkan Test CA (test, not accredited)", (instant){at.ms - 365 * DAY_MS}, 20);
	h->terms = sha256(LIT("terms"));
	h->explanation = sha256(LIT("explanation"));
	h->profile = BUF(8192);
	h->ruleset = BUF(8192);
	h->approval = BUF(CMS_MAX);
	h->trust = BUF(96 << 10);
	buf_put_str(&h->profile, PROFILE);
	buf_put_str(&h->ruleset, RULESET);
	put_approval(h, at);
	house_put_trust(h, world, "test", "crl", "", &h->trust);
	return h;
}

void
house_read(const struct house *h, struct trust **t, struct profile **p, struct ruleset **r)
{
	if (t != NULL)
		need(trust_get(buf_slice(&h->trust), t).kind == OK, "the house's trust file");
	if (p != NULL)
		need(profile_get(buf_slice(&h->profile), p).kind == OK, "the house's profile");
	if (r != NULL)
		need(ruleset_get(buf_slice(&h->ruleset), r).kind == OK, "the house's rule set");
}

void
house_responder(const struct house *h, const struct signer *of, instant from, struct buf *out)
{
	struct key *k OWNED(key_drop) = NULL;
	uint8_t ski[SHA1_LEN];
	struct cert ca;

	need(cert_get(signer_certificate(h->ca), &ca).kind == OK, "the house's certificate");
	need(key_get_spki(signer_spki(of), &k).kind == OK, "a responder's key");
	key_identifier(k, ski);
	*out = BUF(CERT_MAX);
	make_certificate(out, h->ca,
	    &(struct cert_plan){.serial = {16, {0x41}},
	        .issuer = ca.subject,
	        .subject = ca.subject,
	        .spki = signer_spki(of),
	        .not_before = from,
	        .not_after = instant_add_years(from, 1),
	        .key_usage = USAGE_DIGITAL_SIGNATURE,
	        .aki = ca.ski,
	        .ski = ARR(ski),
	        .ocsp_signer = true});
}

void
house_drop(struct house **h)
{
	struct house *v = *h;

	if (v == NULL)
		return;
	signer_drop(&v->ca);
	signer_drop(&v->status);
	signer_drop(&v->hanako);
	signer_drop(&v->jiro);
	signer_drop(&v->saburo);
	buf_drop(&v->profile);
	buf_drop(&v->ruleset);
	buf_drop(&v->approval);
	buf_drop(&v->trust);
	free(v);
	*h = NULL;
}

/* Copies into the application's own room. */
static const char *
keep(struct make_application *a, size_t *at, const char *s)
{
	size_t n = strlen(s) + 1;
	char *to = a->room + *at;

	need(*at + n <= sizeof a->room, "room");
	memcpy(to, s, n);
	*at += n;
	return to;
}

void
application_for(const struct house *h, const char *world, const char *card, instant at, struct make_application *out)
{
	static const char *const sexes[] = {"male", "female", "unknown"};
	struct buf hex OWNED(buf_drop) = BUF(256);
	struct world_person p;
	char birth[16];
	size_t n = 0;

	world_person(world, card, &p);
	need(strlen(p.birth) == 9 && p.sex[0] >= '1' && p.sex[0] <= '3', "persons");
	snprintf(birth, sizeof birth, "%.4s-%.2s-%.2s", p.birth + 1, p.birth + 5, p.birth + 7);
	digest_put(&hex, h->terms);
	buf_put_u8(&hex, '\0');
	digest_put(&hex, h->explanation);
	buf_put_u8(&hex, '\0');
	*out = (struct make_application){.at = at, .sex = sexes[p.sex[0] - '1']};
	out->name = keep(out, &n, p.name);
	out->address = keep(out, &n, p.address);
	out->birth = keep(out, &n, birth);
	out->terms = keep(out, &n, (const char *)hex.p);
	out->explanation = keep(out, &n, (const char *)hex.p + 65);
}

instant
at_of(const char *rfc3339)
{
	instant t;

	need(instant_get(slice_str(rfc3339), &t).kind == OK, rfc3339);
	return t;
}
