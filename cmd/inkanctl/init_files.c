#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/ed25519.h"
#include "act/application.h"
#include "base/json.h"
#include "cmd/inkanctl/init_house.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/page.h"
#include "edge/hsm.h"
#include "edge/random.h"
#include "pki/cert.h"

#define TEXT_MAX_BYTES (256U << 10)
#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"

const char *const INIT_LANGS[2] = {"ja", "en"};

/* --- files --------------------------------------------------------------------- */

err
init_world(const char *what, const char *path)
{
	fprintf(stderr, "inkanctl: %s: %s\n", path, strerror(errno));
	return fail(ERR_WORLD, what);
}

err
init_folder(const struct init *i, const char *name, mode_t mode)
{
	char path[PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s/%s", i->home, name);
	if (mkdir(path, mode) != 0)
		return init_world("init-folder: house: a folder of the new house cannot be made", path);
	return ok;
}

err
init_file(const struct init *i, const char *name, slice bytes, mode_t mode)
{
	char path[PATH_BYTES + 64];
	int fd;

	snprintf(path, sizeof path, "%s/%s", i->home, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return init_world("init-file: house: a file of the new house cannot be written", path);
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n <= 0) {
			close(fd);
			return init_world("init-file: house: a file of the new house cannot be written", path);
		}
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	if (fsync(fd) != 0 || close(fd) != 0)
		return init_world("init-file: house: a file of the new house cannot be written", path);
	return ok;
}

/* --- what is given ---------------------------------------------------------------- */

/* inkan.conf is read from elsewhere: a path in it does not depend on where init was called. */
static err
absolute(const char **path)
{
	char *whole;

	if (*path == NULL || strstr(*path, "://") != NULL)
		return ok;
	whole = realpath(*path, NULL); /* lives as long as the process */
	if (whole == NULL)
		return init_world("file-read: house: a file cannot be read", *path);
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
err
init_read_given(struct init *i)
{
	struct cert c;

	TRY(absolute(&i->pin_file));
	TRY(absolute(&i->status_pin_file));
	TRY(absolute(&i->person_pin_file));
	for (size_t k = 0; k < i->n_crls; k++)
		TRY(absolute(&i->crl[k]));
	for (size_t k = 0; k < 2; k++) {
		TRY(read_text(i, "terms", INIT_LANGS[k], &i->terms[k]));
		TRY(read_text(i, "explanation", INIT_LANGS[k], &i->explanation[k]));
	}
	TRY(read_text(i, "cps", NULL, &i->cps));
	for (size_t k = 0; k < i->n_anchors; k++) {
		i->anchor_der[k] = BUF(CERT_MAX);
		TRY(ctl_read(i->anchor[k], &i->anchor_der[k]));
		TRY(cert_get(buf_slice(&i->anchor_der[k]), &c));
	}
	if (i->module != NULL)
		TRY(ctl_read_pin(i->pin_file, &i->pin));
	if (i->status_module != NULL)
		TRY(ctl_read_pin(i->status_pin_file, &i->status_pin));
	if (i->person_module != NULL)
		TRY(ctl_read_pin(i->person_pin_file, &i->person_pin));
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

	TRY(init_folder(i, folder, 0700));
	snprintf(name, sizeof name, "%s/softhsm", folder);
	TRY(init_folder(i, name, 0700));
	buf_put_str(&conf, "directories.tokendir = ");
	buf_put_str(&conf, i->home);
	buf_put_u8(&conf, '/');
	buf_put_str(&conf, name);
	buf_put_str(&conf, "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n");
	snprintf(name, sizeof name, "%s/softhsm2.conf", folder);
	TRY(init_file(i, name, buf_slice(&conf), 0600));
	snprintf(environment, PATH_BYTES, "SOFTHSM2_CONF=%.800s/%s", i->home, name);
	random_pin(pin);
	random_pin(&officer); /* forgotten: such a token is thrown away, not administered */
	buf_put(&line, secret_slice(pin));
	buf_put_u8(&line, '\n');
	snprintf(name, sizeof name, "%s/pin", folder);
	TRY(init_file(i, name, buf_slice(&line), 0600));
	wipe(line.p, line.n);
	if (putenv(e.to) != 0)
		abort();
	return hsm_make_token(SOFTHSM_MODULE, slice_str(label), secret_slice(&officer), secret_slice(pin));
}

err
init_tokens(struct init *i)
{
	if (i->module == NULL) {
		TRY(make_softhsm(i, "tokens", "inkan", i->token_environment, &i->pin));
		i->module = SOFTHSM_MODULE;
		i->environment = i->token_environment;
		i->token_uri = "pkcs11:token=inkan";
		i->pin_file = "tokens/pin";
		i->keep_pin_file = true;
		TRY(make_softhsm(i, "tokens-status", "inkan-status", i->status_room, &i->status_pin));
		i->status_module = SOFTHSM_MODULE;
		i->status_environment = i->status_room;
		i->status_uri = "pkcs11:token=inkan-status";
		i->status_pin_file = "tokens-status/pin";
	} else if (i->status_module == NULL)
		TRY(secret_set(&i->status_pin, secret_slice(&i->pin)));
	if (i->person_module == NULL) {
		TRY(make_softhsm(i, "office", "inkan-office", i->office_environment, &i->person_pin));
		i->person_module = SOFTHSM_MODULE;
		i->person_environment = i->office_environment;
		i->person_uri = "pkcs11:token=inkan-office";
		i->person_pin_file = "office/pin";
	}
	return ok;
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
write_page(struct init *i, const char *name)
{
	struct buf web OWNED(buf_drop) = BUF(TEXT_MAX_BYTES), page OWNED(buf_drop) = BUF(2 * TEXT_MAX_BYTES);
	char path[PATH_BYTES], to[64];

	snprintf(path, sizeof path, "%s/%s", i->web, name);
	TRY(ctl_read(path, &web));
	TRY(page_put(&page, buf_slice(&web),
	    &(struct page){
	        .service = slice_str(i->service),
	        .accredited = strcmp(i->state, "ACCREDITED") == 0,
	        .issuer = buf_slice(&i->made.issuer),
	    }));
	snprintf(to, sizeof to, "repository/%s", name);
	return init_file(i, to, buf_slice(&page), 0644);
}

err
init_repository(struct init *i)
{
	char name[128];

	TRY(init_folder(i, "repository", 0755));
	TRY(init_folder(i, "repository/ca", 0755));
	TRY(init_folder(i, "repository/cps", 0755));
	TRY(init_folder(i, "repository/terms", 0755));
	TRY(init_file(i, "repository/ca/issuer.cer", buf_slice(&i->made.issuer), 0644));
	TRY(init_file(i, "repository/ca/ocsp.cer", buf_slice(&i->made.ocsp), 0644));
	/* the key of the books' checkpoints, for whoever checks that a promised entry is in the tree */
	TRY(init_file(i, "repository/ca/books.spki", buf_slice(&i->made.status_key), 0644));
	TRY(init_file(i, "repository/cps/" PROFILE ".txt", buf_slice(&i->cps), 0644));
	TRY(write_page(i, "index.html"));
	TRY(write_page(i, "index.en.html"));
	for (size_t k = 0; k < 2; k++) {
		struct buf b OWNED(buf_drop) = BUF(4 * TEXT_MAX_BYTES);

		json_open(&b, '{');
		json_put_named(&b, "profile", LIT(PROFILE));
		json_put_named(&b, "service", slice_str(i->service));
		json_put_named_number(&b, "validity_years_max", 5);
		put_named_text(&b, "terms", buf_slice(&i->terms[k]), NULL);
		put_named_text(&b, "explanation", buf_slice(&i->explanation[k]), INIT_LANGS[k]);
		json_put_named(&b, "consent", slice_str(APPLICATION_CONSENT));
		json_close(&b, '}');
		TRY(buf_check(&b));
		snprintf(name, sizeof name, "repository/terms/" PROFILE ".%s.json", INIT_LANGS[k]);
		TRY(init_file(i, name, buf_slice(&b), 0644));
	}
	return ok;
}

/* As people read them, for the books: the registrar keeps them beside the baseline that names them. */
err
init_texts(struct init *i)
{
	char name[64];

	TRY(init_folder(i, "texts", 0755));
	for (size_t k = 0; k < 2; k++) {
		snprintf(name, sizeof name, "texts/terms.%s.txt", INIT_LANGS[k]);
		TRY(init_file(i, name, buf_slice(&i->terms[k]), 0644));
		snprintf(name, sizeof name, "texts/explanation.%s.txt", INIT_LANGS[k]);
		TRY(init_file(i, name, buf_slice(&i->explanation[k]), 0644));
	}
	return init_file(i, "texts/cps.txt", buf_slice(&i->cps), 0644);
}

/* As openssl reads it: openssl pkey -pubin -in repository/heartbeat.pub. */
static err
put_heartbeat_key(struct init *i, slice seed)
{
	struct buf pem OWNED(buf_drop) = BUF(512), der OWNED(buf_drop) = BUF(SPKI_MAX);
	uint8_t public[ED25519_PUBLIC];

	TRY(ed25519_public(seed, public));
	key_put_spki(&der, KEY_ED25519, ARR(public));
	buf_put_str(&pem, "-----BEGIN PUBLIC KEY-----\n");
	buf_put_base64(&pem, buf_slice(&der));
	buf_put_str(&pem, "\n-----END PUBLIC KEY-----\n");
	TRY(buf_check(&pem));
	return init_file(i, "repository/heartbeat.pub", buf_slice(&pem), 0644);
}

err
init_keys(struct init *i)
{
	static const char *const NAMES[] = {"keys/token.key", "keys/jlis.key", "keys/heartbeat.key"};
	uint8_t raw[32];
	err e = init_folder(i, "keys", 0700);

	for (size_t k = 0; k < COUNT(NAMES) && e.kind == OK; k++) {
		random_bytes(raw, sizeof raw);
		e = init_file(i, NAMES[k], ARR(raw), 0600);
	}
	if (e.kind == OK) /* the last one's public half, for the outside monitor */
		e = put_heartbeat_key(i, ARR(raw));
	wipe(raw, sizeof raw);
	return e;
}
