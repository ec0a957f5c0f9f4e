#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/application.h"
#include "act/decision.h"
#include "act/document.h"
#include "act/profile.h"
#include "act/trust.h"
#include "base/conf.h"
#include "base/json.h"
#include "cmd/inkanctl/ceremony.h"
#include "cmd/inkanctl/init.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/page.h"
#include "edge/clock.h"
#include "edge/hsm.h"
#include "edge/random.h"
#include "pki/cert.h"

#define PATH_BYTES 1024
#define TEXT_MAX_BYTES (256U << 10)
#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PROFILE "person-signature"
#define POLICY_JPKI "1.2.392.200149.8.5.1.1.20" /* domain 2.2 */
#define POLICY_JPKI_TEST "1.2.392.200149.8.5.1.0.20"
#define APPROVAL_YEARS 1 /* an accreditation lasts a year (Act 7): so does what depends on it */

struct init {
	const char *home_given;
	char home[PATH_BYTES];
	const char *module, *token_uri, *pin_file, *environment;
	const char *person_module, *person_uri, *person_pin_file, *person_environment;
	const char *url, *listen, *private;
	const char *hierarchy, *state, *service, *organisation, *responsible, *label;
	const char *policy, *arrangement, *jlis_ocsp, *web, *user_base, *verifiers, *fronts;
	const char *status, *per_hour;
	const struct ceremony_algorithm *algorithm;
	size_t n_anchors, n_crls;
	const char *anchor[TRUST_ANCHORS_MAX], *crl[TRUST_ANCHORS_MAX];
	bool address, birth, test_clock, weak, keep_pin_file;
	instant now;
	struct secret pin, person_pin;
	char token_environment[PATH_BYTES], office_environment[PATH_BYTES];
	struct ceremony_made made;
	struct buf trust, profile, ruleset, approval, baseline, cps;
	struct buf terms[2], explanation[2]; /* ja, en */
	struct buf anchor_der[TRUST_ANCHORS_MAX];
	char web_found[PATH_BYTES];
};

#define ACCEPTED_PER_HOUR_MAX 1000000000 /* as the rule set's reader has it */

static const char *const LANGS[2] = {"ja", "en"};

/* --- files --------------------------------------------------------------------- */

static err
world(const char *what, const char *path)
{
	fprintf(stderr, "inkanctl: %s: %s\n", path, strerror(errno));
	return fail(ERR_WORLD, what);
}

static err
make_folder(const struct init *i, const char *name, mode_t mode)
{
	char path[PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s/%s", i->home, name);
	if (mkdir(path, mode) != 0)
		return world("init-folder: house: a folder of the new house cannot be made", path);
	return ok;
}

static err
write_file(const struct init *i, const char *name, slice bytes, mode_t mode)
{
	char path[PATH_BYTES + 64];
	int fd;

	snprintf(path, sizeof path, "%s/%s", i->home, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return world("init-file: house: a file of the new house cannot be written", path);
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n <= 0) {
			close(fd);
			return world("init-file: house: a file of the new house cannot be written", path);
		}
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	if (fsync(fd) != 0 || close(fd) != 0)
		return world("init-file: house: a file of the new house cannot be written", path);
	return ok;
}

/* --- tokens in software, for tests and the demo ------------------------------------- */

static void
random_pin(struct secret *out)
{
	uint8_t raw[12];
	struct buf hex OWNED(buf_drop) = BUF(64);

	random_bytes(raw, sizeof raw);
	buf_put_hex(&hex, ARR(raw));
	if (secret_set(out, buf_slice(&hex)).kind != OK)
		abort();
	wipe(hex.p, hex.n);
	wipe(raw, sizeof raw);
}

/* HOME/FOLDER/{softhsm2.conf, softhsm/, pin}: a token of its own under its own configuration. */
static err
make_softhsm(
    const struct init *i, const char *folder, const char *label, char environment[PATH_BYTES], struct secret *pin)
{
	struct buf conf OWNED(buf_drop) = BUF(4096), line OWNED(buf_drop) = BUF(SECRET_MAX + 1);
	struct secret officer OWNED(secret_drop) = {0};
	char name[128];
	union {
		const char *from;
		char *to;
	} e = {.from = environment};

	TRY(make_folder(i, folder, 0700));
	snprintf(name, sizeof name, "%s/softhsm", folder);
	TRY(make_folder(i, name, 0700));
	buf_put_str(&conf, "directories.tokendir = ");
	buf_put_str(&conf, i->home);
	buf_put_u8(&conf, '/');
	buf_put_str(&conf, name);
	buf_put_str(&conf, "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n");
	snprintf(name, sizeof name, "%s/softhsm2.conf", folder);
	TRY(write_file(i, name, buf_slice(&conf), 0600));
	snprintf(environment, PATH_BYTES, "SOFTHSM2_CONF=%.800s/%s", i->home, name);
	random_pin(pin);
	random_pin(&officer); /* forgotten: such a token is thrown away, not administered */
	buf_put(&line, secret_slice(pin));
	buf_put_u8(&line, '\n');
	snprintf(name, sizeof name, "%s/pin", folder);
	TRY(write_file(i, name, buf_slice(&line), 0600));
	wipe(line.p, line.n);
	if (putenv(e.to) != 0)
		abort();
	return hsm_make_token(SOFTHSM_MODULE, slice_str(label), secret_slice(&officer), secret_slice(pin));
}

static err
prepare_tokens(struct init *i)
{
	if (i->module == NULL) {
		TRY(make_softhsm(i, "tokens", "inkan", i->token_environment, &i->pin));
		i->module = SOFTHSM_MODULE;
		i->environment = i->token_environment;
		i->token_uri = "pkcs11:token=inkan";
		i->pin_file = "tokens/pin";
		i->keep_pin_file = true;
	}
	if (i->person_module == NULL) {
		TRY(make_softhsm(i, "office", "inkan-office", i->office_environment, &i->person_pin));
		i->person_module = SOFTHSM_MODULE;
		i->person_environment = i->office_environment;
		i->person_uri = "pkcs11:token=inkan-office";
		i->person_pin_file = "office/pin";
	}
	return ok;
}

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

/* inkan.conf is read from elsewhere: a path in it does not depend on where init was called. */
static err
absolute(const char **path)
{
	char *whole;

	if (*path == NULL || strstr(*path, "://") != NULL)
		return ok;
	whole = realpath(*path, NULL); /* lives as long as the process */
	if (whole == NULL)
		return world("file-read: house: a file cannot be read", *path);
	*path = whole;
	return ok;
}

static err
read_text(const struct init *i, const char *name, const char *lang, struct buf *out)
{
	char path[PATH_BYTES];

	*out = BUF(TEXT_MAX_BYTES);
	snprintf(path, sizeof path, "%s/%s/%s%s%s.txt", i->web, PROFILE, name, lang == NULL ? "" : ".",
	    lang == NULL ? "" : lang);
	return ctl_read(path, out);
}

/* Everything that is given as a file is read before anything is made. */
static err
read_given(struct init *i)
{
	struct cert c;

	TRY(absolute(&i->pin_file));
	TRY(absolute(&i->person_pin_file));
	for (size_t k = 0; k < i->n_crls; k++)
		TRY(absolute(&i->crl[k]));
	for (size_t k = 0; k < 2; k++) {
		TRY(read_text(i, "terms", LANGS[k], &i->terms[k]));
		TRY(read_text(i, "explanation", LANGS[k], &i->explanation[k]));
	}
	TRY(read_text(i, "cps", NULL, &i->cps));
	for (size_t k = 0; k < i->n_anchors; k++) {
		i->anchor_der[k] = BUF(CERT_MAX);
		TRY(ctl_read(i->anchor[k], &i->anchor_der[k]));
		TRY(cert_get(buf_slice(&i->anchor_der[k]), &c));
	}
	if (i->module != NULL)
		TRY(ctl_read_pin(i->pin_file, &i->pin));
	if (i->person_module != NULL)
		TRY(ctl_read_pin(i->person_pin_file, &i->person_pin));
	return ok;
}

static void
write_profile(struct init *i)
{
	struct buf *b = &i->profile;

	*b = BUF(CONF_MAX);
	buf_put_str(b, "# What a person's certificate looks like (act/profile).\n\n[profile]\n");
	put_text(b, "name", PROFILE);
	put_text(b, "version", "1");
	put_text(b, "policy", i->policy);
	put_url(b, "cps", i, "/cps/" PROFILE ".txt");
	put_url(b, "crl", i, "/crl/issuer.crl");
	put_url(b, "ocsp", i, "/ocsp");
	put_url(b, "ca_issuers", i, "/ca/issuer.cer");
	put_text(b, "validity_years_max", "5");
	put_text(b, "keys", "p256 p384 rsa2048 rsa3072 rsa4096");
	put_text(b, "subject_address", i->address ? "yes" : "no");
	put_text(b, "subject_birth", i->birth ? "yes" : "no");
}

static void
write_ruleset(struct init *i)
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

static err
write_trust(struct init *i)
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
		snprintf(section, sizeof section, "terms." PROFILE ".%s.1", LANGS[k]);
		put_sha256(b, section, buf_slice(&i->terms[k]));
	}
	for (size_t k = 0; k < 2; k++) {
		snprintf(section, sizeof section, "explanation.%s.1", LANGS[k]);
		put_sha256(b, section, buf_slice(&i->explanation[k]));
		buf_put_str(b, "current = yes\n");
	}
	TRY(buf_check(b));
	return trust_get(buf_slice(b), &t); /* the signers must be able to read what is written here */
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

static err
write_approval(struct init *i)
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

static err
write_baseline(struct init *i)
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

/* --- what is published from the first day -------------------------------------------- */

static void
put_named_text(struct buf *b, const char *name, slice text, const char *language)
{
	digest d = sha256(text);

	json_put_name(b, name);
	json_open(b, '{');
	if (language != NULL) {
		json_put_named(b, "version", LIT("1"));
		json_put_named(b, "language", slice_str(language));
	}
	json_put_named_hex(b, "sha256", digest_slice(&d));
	json_put_named(b, "text", text);
	json_close(b, '}');
}

static err
write_index(struct init *i)
{
	struct buf web OWNED(buf_drop) = BUF(TEXT_MAX_BYTES), page OWNED(buf_drop) = BUF(2 * TEXT_MAX_BYTES);
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/index.html", i->web);
	TRY(ctl_read(path, &web));
	TRY(page_put(&page, buf_slice(&web),
	    &(struct page){
	        .service = slice_str(i->service),
	        .accredited = strcmp(i->state, "ACCREDITED") == 0,
	        .issuer = buf_slice(&i->made.issuer),
	    }));
	return write_file(i, "repository/index.html", buf_slice(&page), 0644);
}

static err
write_repository(struct init *i)
{
	char name[128];

	TRY(make_folder(i, "repository", 0755));
	TRY(make_folder(i, "repository/ca", 0755));
	TRY(make_folder(i, "repository/cps", 0755));
	TRY(make_folder(i, "repository/terms", 0755));
	TRY(write_file(i, "repository/ca/issuer.cer", buf_slice(&i->made.issuer), 0644));
	TRY(write_file(i, "repository/ca/ocsp.cer", buf_slice(&i->made.ocsp), 0644));
	/* the key of the books' checkpoints, for whoever checks that a promised entry is in the tree */
	TRY(write_file(i, "repository/ca/books.spki", buf_slice(&i->made.status_key), 0644));
	TRY(write_file(i, "repository/cps/" PROFILE ".txt", buf_slice(&i->cps), 0644));
	TRY(write_index(i));
	for (size_t k = 0; k < 2; k++) {
		struct buf b OWNED(buf_drop) = BUF(4 * TEXT_MAX_BYTES);

		json_open(&b, '{');
		json_put_named(&b, "profile", LIT(PROFILE));
		json_put_named(&b, "service", slice_str(i->service));
		json_put_named_number(&b, "validity_years_max", 5);
		put_named_text(&b, "terms", buf_slice(&i->terms[k]), NULL);
		put_named_text(&b, "explanation", buf_slice(&i->explanation[k]), LANGS[k]);
		json_put_named(&b, "consent", slice_str(APPLICATION_CONSENT));
		json_close(&b, '}');
		TRY(buf_check(&b));
		snprintf(name, sizeof name, "repository/terms/" PROFILE ".%s.json", LANGS[k]);
		TRY(write_file(i, name, buf_slice(&b), 0644));
	}
	return ok;
}

/* As people read them, for the books: the registrar keeps them beside the baseline that names them. */
static err
write_texts(struct init *i)
{
	char name[64];

	TRY(make_folder(i, "texts", 0755));
	for (size_t k = 0; k < 2; k++) {
		snprintf(name, sizeof name, "texts/terms.%s.txt", LANGS[k]);
		TRY(write_file(i, name, buf_slice(&i->terms[k]), 0644));
		snprintf(name, sizeof name, "texts/explanation.%s.txt", LANGS[k]);
		TRY(write_file(i, name, buf_slice(&i->explanation[k]), 0644));
	}
	return write_file(i, "texts/cps.txt", buf_slice(&i->cps), 0644);
}

static err
write_keys(struct init *i)
{
	static const char *const NAMES[] = {"keys/token.key", "keys/jlis.key"};
	uint8_t raw[32];
	err e = make_folder(i, "keys", 0700);

	for (size_t k = 0; k < COUNT(NAMES) && e.kind == OK; k++) {
		random_bytes(raw, sizeof raw);
		e = write_file(i, NAMES[k], ARR(raw), 0600);
	}
	wipe(raw, sizeof raw);
	return e;
}

/* --- inkan.conf ------------------------------------------------------------------- */

static void
put_token(const struct init *i, struct buf *b)
{
	static const char *const KEYS[] = {"issuer", "ocsp", "checkpoint"};

	buf_put_str(b, "\n# The CA's keys: a PKCS#11 module by its path, keys by RFC 7512.  folder: what the module "
	               "writes, if anything.\n"
	               "[token]\n");
	put_text(b, "module", i->module);
	if (i->environment != NULL) {
		put_text(b, "environment", i->environment);
		if (i->environment == i->token_environment)
			put_text(b, "folder", "tokens");
	}
	for (size_t k = 0; k < COUNT(KEYS); k++) {
		struct buf uri OWNED(buf_drop) = BUF(1024);

		ceremony_put_uri(&uri, i->token_uri, KEYS[k]);
		put_line(b, KEYS[k], buf_slice(&uri));
	}
	if (i->keep_pin_file) {
		buf_put_str(b, "# A test's way: in production this line goes, and inkanctl start asks for the PIN.\n");
		put_text(b, "pin_file", i->pin_file);
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

static err
write_conf(struct init *i)
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
	buf_put_str(&b, "\n[registrar]\n");
	put_text(&b, "profile", PROFILE ".conf");
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
	return write_file(i, "inkan.conf", buf_slice(&b), 0644);
}

/* --- the whole --------------------------------------------------------------------- */

/* A step, in the reader's language. */
static void
tell(const char *english)
{
	puts(english);
	fflush(stdout);
}

static err
make_house(struct init *i)
{
	int64_t zero = 0;
	char *home;

	TRY(read_given(i));
	if (mkdir(i->home_given, 0755) != 0)
		return world("init-home: house: the new house's folder cannot be made; one that is there is never touched",
		    i->home_given);
	home = realpath(i->home_given, NULL);
	if (home == NULL || strlen(home) > PATH_BYTES - 224) {
		free(home);
		return fail(ERR_INPUT, "init-path: house: the path of the new house is too long");
	}
	snprintf(i->home, sizeof i->home, "%s", home);
	free(home);
	TRY(prepare_tokens(i));
	tell(ctl_say("Making the keys in their tokens (issuer, OCSP, checkpoint, responsible person)."));
	TRY(ceremony_make(
	    &(struct ceremony_options){
	        .ca = {i->module, i->environment, i->token_uri, secret_slice(&i->pin)},
	        .person = {i->person_module, i->person_environment, i->person_uri, secret_slice(&i->person_pin)},
	        .algorithm = i->algorithm,
	        .organisation = slice_str(i->organisation),
	        .common_name = slice_str(i->service),
	        .now = i->now,
	    },
	    &i->made));
	write_profile(i);
	write_ruleset(i);
	TRY(write_trust(i));
	tell(ctl_say("Signing the approval of the rule set (P-1) and the baseline (B-1)."));
	TRY(write_approval(i));
	TRY(write_baseline(i));
	TRY(write_file(i, "trust.conf", buf_slice(&i->trust), 0644));
	TRY(write_file(i, PROFILE ".conf", buf_slice(&i->profile), 0644));
	TRY(write_file(i, "ruleset.conf", buf_slice(&i->ruleset), 0644));
	TRY(write_file(i, "approval.cms", buf_slice(&i->approval), 0644));
	TRY(write_file(i, "baseline.cms", buf_slice(&i->baseline), 0644));
	TRY(write_keys(i));
	TRY(write_repository(i));
	TRY(write_texts(i));
	if (i->test_clock)
		TRY(write_file(i, "clock", slice_of(&zero, sizeof zero), 0644));
	return write_conf(i);
}

static void
usage(FILE *f)
{
	fputs(ctl_say("usage: inkanctl init --home DIR [options]\n"
	              "Makes a new house: keys in tokens, certificates, trust file, profile, rule set, first documents.\n"
	              "\n"
	              "  --anchor FILE           a J-LIS signature CA certificate (DER); several\n"
	              "  --hierarchy test|production   [test]\n"
	              "  --algorithm WORD        of the CA's key, one of those below [p256]\n"
	              "  --url URL               the address the certificates carry [http://127.0.0.1:8480]\n"
	              "  --listen ADDRESS:PORT   where front listens [taken from --url]\n"
	              "  --private ADDRESS:PORT  where /health and /metrics are\n"
	              "  --service NAME --organisation NAME    of the service and its DN\n"
	              "  --responsible NAME --person-label LABEL   the first responsible person\n"
	              "  --module FILE --token-uri URI --pin-file FILE [--token-environment NAME=VALUE] [--keep-pin-file]\n"
	              "                          the CA's token; without: a SoftHSM token in DIR/tokens (tests only)\n"
	              "  --person-module FILE --person-uri URI --person-pin-file FILE [--person-environment NAME=VALUE]\n"
	              "                          the person's token; without: a SoftHSM token in DIR/office\n"
	              "  --status crl|ocsp       how J-LIS is asked [crl]\n"
	              "  --jlis-crl FILE|URL     several     --jlis-ocsp URL     --arrangement TEXT   date and reference\n"
	              "  --policy OID            of the certificates [2.999.1.1]\n"
	              "  --accepted-per-hour N   above: every application goes to a person [5000]\n"
	              "  --address --birth       the certificate records them\n"
	              "  --web DIR               the texts people read [web, or where they were installed]\n"
	              "  --user-base N  --fronts N  --verifiers N  --test-clock  --weak-jail\n"
	              "exit: 0 done, 2 usage, 3 could not; what was made by then stays in DIR\n"),
	    f);
	fprintf(f, "--algorithm: %s\n", ceremony_words());
}

static const struct {
	const char *name;
	size_t at;
} TEXTS[] = {
    {"home", offsetof(struct init, home_given)},
    {"module", offsetof(struct init, module)},
    {"token-uri", offsetof(struct init, token_uri)},
    {"pin-file", offsetof(struct init, pin_file)},
    {"token-environment", offsetof(struct init, environment)},
    {"person-module", offsetof(struct init, person_module)},
    {"person-uri", offsetof(struct init, person_uri)},
    {"person-pin-file", offsetof(struct init, person_pin_file)},
    {"person-environment", offsetof(struct init, person_environment)},
    {"url", offsetof(struct init, url)},
    {"listen", offsetof(struct init, listen)},
    {"private", offsetof(struct init, private)},
    {"hierarchy", offsetof(struct init, hierarchy)},
    {"service", offsetof(struct init, service)},
    {"organisation", offsetof(struct init, organisation)},
    {"responsible", offsetof(struct init, responsible)},
    {"person-label", offsetof(struct init, label)},
    {"policy", offsetof(struct init, policy)},
    {"arrangement", offsetof(struct init, arrangement)},
    {"jlis-ocsp", offsetof(struct init, jlis_ocsp)},
    {"web", offsetof(struct init, web)},
    {"user-base", offsetof(struct init, user_base)},
    {"fronts", offsetof(struct init, fronts)},
    {"verifiers", offsetof(struct init, verifiers)},
    {"status", offsetof(struct init, status)},
    {"accepted-per-hour", offsetof(struct init, per_hour)},
};
static const struct {
	const char *name;
	size_t at;
} FLAGS[] = {
    {"address", offsetof(struct init, address)},
    {"birth", offsetof(struct init, birth)},
    {"test-clock", offsetof(struct init, test_clock)},
    {"weak-jail", offsetof(struct init, weak)},
    {"keep-pin-file", offsetof(struct init, keep_pin_file)},
};
enum { OPT_TEXT = 1000, OPT_FLAG = 2000, OPT_ANCHOR = 3000, OPT_CRL, OPT_ALGORITHM, OPT_HELP };

static bool
take_option(struct init *i, int c)
{
	if (c >= OPT_TEXT && c < OPT_TEXT + (int)COUNT(TEXTS))
		memcpy((uint8_t *)i + TEXTS[c - OPT_TEXT].at, &optarg, sizeof optarg);
	else if (c >= OPT_FLAG && c < OPT_FLAG + (int)COUNT(FLAGS)) {
		bool yes = true;

		memcpy((uint8_t *)i + FLAGS[c - OPT_FLAG].at, &yes, sizeof yes);
	} else if (c == OPT_ANCHOR && i->n_anchors < TRUST_ANCHORS_MAX)
		i->anchor[i->n_anchors++] = optarg;
	else if (c == OPT_CRL && i->n_crls < TRUST_ANCHORS_MAX)
		i->crl[i->n_crls++] = optarg;
	else if (c == OPT_ALGORITHM)
		return (i->algorithm = ceremony_algorithm(optarg)) != NULL;
	else
		return false;
	return true;
}

/* The texts installed with us (…/bin/inkanctl, …/share/inkan/web), else those of the source folder we stand in. */
static void
find_web(struct init *i)
{
	char self[PATH_BYTES - 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (i->web != NULL)
		return;
	i->web = "web";
	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	snprintf(i->web_found, sizeof i->web_found, "%s/../share/inkan/web", self);
	if (access(i->web_found, X_OK) == 0)
		i->web = i->web_found;
}

/* What the options leave open, and whether they go together. */
static err
complete(struct init *i)
{
	const char *host = strstr(i->url, "://");
	uint64_t n;

	if (i->home_given == NULL)
		return fail(ERR_INPUT, "init-home: house: say where the house is to be made: --home DIR");
	if (i->n_anchors == 0)
		return fail(ERR_INPUT, "init-anchor: house: name the signature CA certificates of J-LIS: --anchor FILE");
	if (host == NULL)
		return fail(ERR_INPUT, "init-url: house: --url begins with https:// or http://");
	if (i->listen == NULL)
		i->listen = host + 3;
	if (i->module != NULL && (i->token_uri == NULL || i->pin_file == NULL))
		return fail(ERR_INPUT, "init-token: house: --module wants --token-uri and --pin-file too");
	if (i->person_module != NULL && (i->person_uri == NULL || i->person_pin_file == NULL))
		return fail(ERR_INPUT, "init-person: house: --person-module wants --person-uri and --person-pin-file too");
	if (strcmp(i->hierarchy, "test") != 0 && strcmp(i->hierarchy, "production") != 0)
		return fail(ERR_INPUT, "init-hierarchy: house: --hierarchy is test or production");
	if (decimal_get(slice_str(i->per_hour), ACCEPTED_PER_HOUR_MAX, &n).kind != OK)
		return fail(ERR_INPUT, "init-per-hour: house: --accepted-per-hour is a number of at most 1000000000");
	find_web(i);
	return ok;
}

static void
init_drop(struct init *i)
{
	secret_drop(&i->pin);
	secret_drop(&i->person_pin);
	ceremony_made_drop(&i->made);
	buf_drop(&i->trust);
	buf_drop(&i->profile);
	buf_drop(&i->ruleset);
	buf_drop(&i->approval);
	buf_drop(&i->baseline);
	buf_drop(&i->cps);
	for (size_t k = 0; k < 2; k++) {
		buf_drop(&i->terms[k]);
		buf_drop(&i->explanation[k]);
	}
	for (size_t k = 0; k < TRUST_ANCHORS_MAX; k++)
		buf_drop(&i->anchor_der[k]);
}

int
init_main(int argc, char **argv)
{
	struct init i OWNED(init_drop) = {
	    .url = "http://127.0.0.1:8480",
	    .hierarchy = "test",
	    .state = "NONE", /* ACCREDITED is written by an accreditation, not by a ceremony */
	    .service = "Inkan Demonstration CA (test, not accredited)",
	    .organisation = "Inkan Demonstration",
	    .responsible = "岡田 花子",
	    .label = "okada",
	    .policy = "2.999.1.1", /* ITU-T X.660: the arc for examples */
	    .arrangement = "none",
	    .status = "crl",
	    .per_hour = "5000",
	    .fronts = "1",
	    .verifiers = "1",
	    .algorithm = ceremony_algorithm("p256"),
	};
	struct option options[COUNT(TEXTS) + COUNT(FLAGS) + 5] = {0};
	size_t n = 0;
	int c;
	err e;

	for (size_t k = 0; k < COUNT(TEXTS); k++)
		options[n++] = (struct option){TEXTS[k].name, required_argument, NULL, OPT_TEXT + (int)k};
	for (size_t k = 0; k < COUNT(FLAGS); k++)
		options[n++] = (struct option){FLAGS[k].name, no_argument, NULL, OPT_FLAG + (int)k};
	options[n++] = (struct option){"anchor", required_argument, NULL, OPT_ANCHOR};
	options[n++] = (struct option){"jlis-crl", required_argument, NULL, OPT_CRL};
	options[n++] = (struct option){"algorithm", required_argument, NULL, OPT_ALGORITHM};
	options[n++] = (struct option){"help", no_argument, NULL, OPT_HELP};
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_HELP) {
			usage(stdout);
			return DONE_OK;
		}
		if (!take_option(&i, c)) {
			ctl_refuse_option(argv);
			usage(stderr);
			return DONE_USAGE;
		}
	}
	if (optind != argc || argc == 1) {
		usage(stderr);
		return DONE_USAGE;
	}
	e = complete(&i);
	if (e.kind != OK) {
		ctl_explain(e);
		return DONE_USAGE;
	}
	i.now = clock_now();
	e = make_house(&i);
	if (e.kind == OK)
		return DONE_OK;
	ctl_explain(e);
	return DONE_WORLD;
}
