#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/dossier.h"
#include "act/revocation.h"
#include "cmd/inkanctl/ceremony.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/paper.h"
#include "cmd/inkanctl/rotate.h"
#include "cmd/inkanctl/start.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/jail.h"
#include "edge/random.h"

#define IN_USE_MS 60000 /* a signer reads its journal first */
#define NAME_MAX_BYTES 64

/* How a key stands in the books. */
enum standing { KEY_NOWHERE, KEY_WANTED, KEY_MADE, KEY_USED, KEY_LEFT };

struct rotate {
	struct office office;
	const char *ca_pin_file, *status_pin_file, *present;
	int home, folder; /* HOME, HOME/rotation (locked) */
	bool again;       /* it was begun before          */
	instant began;
	char object[NAME_MAX_BYTES];
	struct responder last;  /* the certificate before it  */
	struct buf certificate; /* the new one                */
	digest key;
	size_t n_keys; /* that the books know        */
	char until[RFC3339_LEN + 1];
};

static void
rotate_drop(struct rotate *r)
{
	responder_drop(&r->last);
	buf_drop(&r->certificate);
	office_drop(&r->office);
	disk_close(&r->folder);
	disk_close(&r->home);
}

static void
tell(const struct rotate *r, const char *english)
{
	if (!r->office.json)
		fprintf(stderr, "%s\n", ctl_say(english));
}

/* --- tokens --------------------------------------------------------------------------- */
/* A text of inkan.conf as a C string that lives until the process ends; NULL where absent. */
static const char *
text(const struct rotate *r, const char *section, const char *name)
{
	slice s = conf_text_or(r->office.conf, slice_str(section), name, (slice){NULL, 0});
	char *z;

	if (s.n == 0)
		return NULL;
	z = mem_new(s.n + 1, 1);
	memcpy(z, s.p, s.n);
	return z;
}

/* As the signer chooses it: a token of its own, or the issuer's. */
static const char *
status_section(const struct rotate *r)
{
	return text(r, "status_token", "module") != NULL ? "status_token" : "token";
}

static err
read_pin(const struct rotate *r, const char *section, const char *given, const char *prompt, struct secret *out)
{
	const char *file = given != NULL ? given : text(r, section, "pin_file");
	char path[4096];

	if (file == NULL)
		return start_ask_pin(ctl_say(prompt), out)
		           ? ok
		           : fail(ERR_INPUT,
		                 "rotate-pin: house: nobody is at the terminal to give the token's PIN; say it in a file");
	if (given != NULL || file[0] == '/')
		return ctl_read_pin(file, out);
	if (snprintf(path, sizeof path, "%s/%s", r->office.home, file) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	return ctl_read_pin(path, out);
}

/* --- a process for each token ------------------------------------------------------------ */
/*
 * A token in software is its signer's files, read by foreign code: who took that signer may have written them.  So a token
 * is used by a process of its own, which is the user to whom its folder belongs before the module is loaded, and has no way
 * back; it alone reads the token's PIN.  What comes out of it is one frame: kind, why, length of the text, text, bytes.
 */
#define SAID_MAX 512
#define HEAD 11

struct user_of_token {
	pid_t pid; /* 0: this is it */
	int fd;
};

/* The user to whom the token's folder belongs; 0: this process stays who it is. */
static err
find_user(const struct rotate *r, const char *section, uint32_t *uid)
{
	const char *folder = text(r, section, "folder");
	struct stat st = {.st_uid = 0};

	if (folder != NULL && geteuid() == 0 && fstatat(r->home, folder, &st, 0) != 0)
		return fail_why(ERR_WORLD, "rotate-token: house: the token's folder is not there", errno);
	*uid = st.st_uid;
	return ok;
}

static err
begin_use(const struct rotate *r, const char *section, struct user_of_token *out)
{
	int pair[2];
	uint32_t uid;

	TRY(find_user(r, section, &uid)); /* before, so that there is something to say it to */
	if (pipe(pair) != 0)
		return fail_why(ERR_WORLD, "rotate-process: house: no more processes to be had", errno);
	fflush(NULL);
	out->pid = fork();
	out->fd = pair[out->pid == 0];
	close(pair[out->pid != 0]);
	if (out->pid >= 0)
		return ok;
	close(out->fd);
	return fail_why(ERR_WORLD, "rotate-process: house: no more processes to be had", errno);
}

/*
 * The PIN was read.  Off the terminal, which foreign code could type into, and which could stop it while a token is written
 * in place; with no file but the pipe and the lock of HOME/rotation, which nobody has before the token is let go.
 */
static err
leave(struct rotate *r, const char *section, struct user_of_token *u)
{
	int none = open("/dev/null", O_RDWR), lock;
	uint32_t uid;

	TRY(find_user(r, section, &uid));
	(void)setsid();
	if (none < 0 || dup2(none, 0) < 0 || dup2(none, 1) < 0 || dup2(none, 2) < 0)
		return fail_why(ERR_WORLD, "rotate-process: house: no more processes to be had", errno);
	lock = fcntl(r->folder, F_DUPFD, 64);
	u->fd = fcntl(u->fd, F_DUPFD, 64);
	if (lock < 64 || lock > 65 || u->fd < 64 || u->fd > 65 || close_range(3, 63, 0) != 0 ||
	    close_range(66, ~0U, 0) != 0)
		return fail_why(ERR_WORLD, "rotate-process: house: no more processes to be had", errno);
	r->home = r->folder = -1;
	return jail_leave_root(uid);
}

static _Noreturn void
end_use(const struct user_of_token *u, err e, slice bytes)
{
	struct buf b OWNED(buf_drop) = BUF(HEAD + SAID_MAX + CERT_MAX);
	slice said = slice_str(e.kind == OK ? "" : e.what);
	uint8_t head[HEAD];

	head[0] = (uint8_t)e.kind;
	be_put(head + 1, 8, (uint64_t)e.why);
	be_put(head + 9, 2, said.n);
	buf_put(&b, ARR(head));
	buf_put(&b, said);
	if (e.kind == OK)
		buf_put(&b, bytes);
	_exit(buf_check(&b).kind == OK && write(u->fd, b.p, b.n) == (ssize_t)b.n ? 0 : 1);
}

/* What it said is foreign: a kind there is, and a text that harms no terminal. */
static err
read_said(slice in, struct buf *out)
{
	slice head, said;
	char *z;

	if (!slice_take(&in, HEAD, &head) || head.p[0] > ERR_CORRUPT || be_get(head.p + 9, 2) > SAID_MAX ||
	    !slice_take(&in, (size_t)be_get(head.p + 9, 2), &said) || (head.p[0] == OK && in.n > out->max))
		return fail(ERR_WORLD, "rotate-ended: house: the process that uses the token ended without an answer");
	for (size_t i = 0; i < said.n; i++)
		if (said.p[i] < ' ' || said.p[i] > '~')
			return fail(ERR_WORLD, "rotate-ended: house: the process that uses the token ended without an answer");
	if (head.p[0] == OK) {
		buf_put(out, in);
		return buf_check(out);
	}
	z = mem_new(said.n + 1, 1); /* as long as this process lives, as all texts of errors do */
	memcpy(z, said.p, said.n);
	return fail_why((enum err_kind)head.p[0], z, (long)be_get(head.p + 1, 8));
}

static err
hear_use(const struct user_of_token *u, struct buf *out)
{
	uint8_t said[HEAD + SAID_MAX + CERT_MAX];
	size_t n = 0;
	ssize_t got = 1;

	while (n < sizeof said && (got > 0 || (got < 0 && errno == EINTR))) {
		got = read(u->fd, said + n, sizeof said - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(u->fd);
	while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return read_said(slice_of(said, n), out);
}

/* The URI of the token: its key's without the key. */
static err
token_uri(const char *uri, struct buf *out)
{
	const char *at = strstr(uri, ";object=");
	size_t n = at == NULL ? 0 : strcspn(at + 1, ";") + 1;

	if (at == NULL || strstr(uri, ";id=") != NULL)
		return fail(ERR_INPUT, "rotate-uri: RFC 7512: inkan.conf names the OCSP key by something else than its label");
	buf_put(out, slice_of(uri, (size_t)(at - uri)));
	buf_put_str(out, at + n);
	buf_put_u8(out, '\0');
	return buf_check(out);
}

/* --- HOME/rotation ------------------------------------------------------------------------ */
static err
begin(struct rotate *r)
{
	uint64_t size;

	TRY(disk_folder(DISK_HERE, r->office.home, FOLDER_THERE, &r->home));
	r->again = disk_size_of(r->home, "rotation", &size).kind == OK;
	TRY(disk_folder(r->home, "rotation", FOLDER_MAKE, &r->folder));
	if (fchmod(r->folder, 0700) != 0 || flock(r->folder, LOCK_EX | LOCK_NB) != 0)
		return fail_why(ERR_BUSY, "rotate-busy: house: the responder's key is being changed just now", errno);
	return ok;
}

/* Nothing is left to complete. */
static err
finish(struct rotate *r)
{
	static const char *const NAMES[] = {"ocsp.cer", "tbs", "object"};

	for (size_t i = 0; i < COUNT(NAMES); i++) {
		err e = disk_remove(r->folder, NAMES[i]);

		if (e.kind != OK && e.kind != ERR_ABSENT)
			return e;
	}
	if (unlinkat(r->home, "rotation", AT_REMOVEDIR) != 0)
		return fail_why(ERR_WORLD, "rotate-folder: house: the folder rotation cannot be taken away", errno);
	return disk_sync_folder(r->home);
}

/* The label of the key; a new one where `anew`. */
static err
name_key(struct rotate *r, bool anew)
{
	struct buf b OWNED(buf_drop) = BUF(NAME_MAX_BYTES - 1);
	uint8_t raw[4];
	err e = ok;

	if (!anew)
		e = disk_load(r->folder, "object", &b);
	if (anew || e.kind == ERR_ABSENT) {
		random_bytes(raw, sizeof raw);
		buf_put_str(&b, "ocsp-");
		buf_put_hex(&b, ARR(raw));
		e = disk_replace(r->folder, "object", buf_slice(&b));
	}
	TRY(e);
	memcpy(r->object, b.p, b.n);
	r->object[b.n] = '\0';
	return ok;
}

/* In its own process. */
static err
use_for_key(struct rotate *r, struct user_of_token *u, struct ceremony_token *t, struct buf *spki)
{
	const char *section = status_section(r);
	struct secret pin OWNED(secret_drop) = {.n = 0};

	TRY(read_pin(r, section, strcmp(section, "token") == 0 ? r->ca_pin_file : r->status_pin_file,
	    "PIN of the status signer's token", &pin));
	t->pin = secret_slice(&pin);
	TRY(leave(r, section, u));
	return ceremony_key(t, r->object, spki);
}

static err
ask_key(struct rotate *r, struct ceremony_token *t, struct buf *spki)
{
	struct user_of_token u;

	TRY(begin_use(r, status_section(r), &u));
	if (u.pid == 0) {
		err e = use_for_key(r, &u, t, spki);

		end_use(&u, e, buf_slice(spki));
	}
	return hear_use(&u, spki);
}

/* The key in the status signer's token: SubjectPublicKeyInfo. */
static err
make_key(struct rotate *r, struct buf *spki)
{
	const char *section = status_section(r), *uri = text(r, section, "ocsp");
	struct ceremony_token t = {text(r, section, "module"), text(r, section, "environment"), NULL, {NULL, 0}};
	struct buf base OWNED(buf_drop) = BUF(1024);
	err e;

	if (t.module == NULL || uri == NULL)
		return fail(ERR_INPUT, "signer-token: house: inkan.conf names no module or no key in [token]");
	TRY(token_uri(uri, &base));
	t.uri = (const char *)base.p;
	e = ask_key(r, &t, spki);
	if (e.kind != ERR_CONFLICT && e.kind != ERR_ABSENT)
		return e;
	TRY(name_key(r, true)); /* half a key, where the last one was cut short: it stays unused */
	buf_clear(spki);
	return ask_key(r, &t, spki);
}

/* What the CA's key signs, written down before it does; again the same bytes. */
static err
plan(struct rotate *r, slice spki, struct buf *tbs)
{
	err e = disk_load(r->folder, "tbs", tbs);

	if (e.kind == OK && memmem(tbs->p, tbs->n, spki.p, spki.n) != NULL)
		return ok;
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	buf_clear(tbs);
	/* the books take no certificate of the second in which the last key was recorded, or before */
	while (instant_floor_second(r->office.now = clock_now()).ms <= instant_floor_second(r->began).ms)
		(void)poll(NULL, 0, 50);
	TRY(ceremony_plan(r->office.trust, &r->last.cert, spki, r->office.now, tbs));
	return disk_replace(r->folder, "tbs", buf_slice(tbs));
}

/* In its own process. */
static err
use_for_signature(
    struct rotate *r, struct user_of_token *u, struct ceremony_token *t, const char *uri, slice tbs, struct buf *sig)
{
	struct secret pin OWNED(secret_drop) = {.n = 0};

	TRY(read_pin(r, "token", r->ca_pin_file, "PIN of the token", &pin));
	t->pin = secret_slice(&pin);
	TRY(leave(r, "token", u));
	return ceremony_certify(t, slice_str(uri), r->office.trust, r->last.cert.alg, tbs, sig);
}

static err
certify(struct rotate *r, slice tbs)
{
	const char *uri = text(r, "token", "issuer");
	struct ceremony_token t = {text(r, "token", "module"), text(r, "token", "environment"), NULL, {NULL, 0}};
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct user_of_token u;

	if (t.module == NULL || uri == NULL)
		return fail(ERR_INPUT, "signer-token: house: inkan.conf names no module or no key in [token]");
	TRY(begin_use(r, "token", &u));
	if (u.pid == 0) {
		err e = use_for_signature(r, &u, &t, uri, tbs, &sig);

		end_use(&u, e, buf_slice(&sig));
	}
	TRY(hear_use(&u, &sig));
	TRY(ceremony_join(r->office.trust, r->last.cert.alg, tbs, buf_slice(&sig), &r->certificate));
	return disk_replace(r->folder, "ocsp.cer", buf_slice(&r->certificate));
}

/*
 * The new one is named as the one before, and signed as that was.  The file is the publisher's: nothing in it is believed
 * but what the CA's key signed, or a captured publisher would write what that key signs next.
 */
static err
read_last(struct rotate *r)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	char path[4096];

	if (snprintf(path, sizeof path, "%s/repository/ca/ocsp.cer", r->office.home) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	TRY(ctl_read(path, &der));
	responder_drop(&r->last);
	return responder_get(r->office.trust, buf_slice(&der), &r->last);
}

/* Key and certificate, made now or by a command that was cut short. */
static err
make(struct rotate *r)
{
	struct buf spki OWNED(buf_drop) = BUF(SPKI_MAX), tbs OWNED(buf_drop) = BUF(CERT_MAX);
	struct responder c OWNED(responder_drop) = {0};
	struct buf until OWNED(buf_drop) = BUF(RFC3339_LEN);
	err e;

	TRY(name_key(r, false));
	e = disk_load(r->folder, "ocsp.cer", &r->certificate);
	if (e.kind == ERR_ABSENT) {
		TRY(read_last(r));
		tell(r, "Making the key in the status signer's token.");
		TRY(make_key(r, &spki));
		TRY(plan(r, buf_slice(&spki), &tbs));
		tell(r, "Having the certificate signed by the CA's key.");
		buf_clear(&r->certificate);
		e = certify(r, buf_slice(&tbs));
	}
	TRY(e);
	TRY(responder_get(r->office.trust, buf_slice(&r->certificate), &c));
	r->key = key_digest(c.key);
	instant_put(&until, c.cert.not_after);
	memcpy(r->until, until.p, until.n);
	return ok;
}

/* --- the books ------------------------------------------------------------------------------- */
/* *stands: what the registrar says of the key. */
static err
ask_books(struct rotate *r, enum standing *stands)
{
	static const char *const WORDS[] = {
	    [KEY_WANTED] = "wanted", [KEY_MADE] = "made", [KEY_USED] = "used", [KEY_LEFT] = "left"};
	struct json *j OWNED(json_drop) = NULL;
	struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN);
	json responder, keys;

	TRY(office_state(&r->office, &j));
	TRY(json_member(json_root(j), "responder", &responder));
	TRY(json_list(responder, "keys", &keys));
	digest_put(&hex, r->key);
	*stands = KEY_NOWHERE;
	r->n_keys = json_count(keys);
	for (size_t i = 0; i < json_count(keys); i++) {
		slice key, state;

		TRY(json_text(json_at(keys, i), "key", &key));
		TRY(json_text(json_at(keys, i), "state", &state));
		for (size_t k = KEY_WANTED; k < COUNT(WORDS) && slice_eq(key, buf_slice(&hex)); k++)
			if (slice_eq(state, slice_str(WORDS[k])))
				*stands = (enum standing)k;
	}
	return ok;
}

/* K-1 of the one key, as the person who runs this signs it. */
static err
record(struct rotate *r)
{
	struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN), date OWNED(buf_drop) = BUF(RFC3339_LEN);
	const char *module = text(r, status_section(r), "module");
	struct office *o = &r->office;
	slice value[M_COUNT];

	digest_put(&hex, r->key);
	o->now = clock_now();
	value[M_SERVICE] = o->trust->service;
	value[M_KEYS] = buf_slice(&hex);
	value[M_ALGORITHM] = LIT("p256");
	value[M_TOKEN] = slice_str(module);
	value[M_PRESENT] = r->present != NULL ? slice_str(r->present) : office_or_dash(o->person);
	value[M_HOW] = slice_eq(o->trust->state, LIT("NONE")) ? LIT("alone") : LIT("together");
	value[M_PERSON] = office_or_dash(o->person);
	value[M_DATE] = office_date(o, &date);
	return office_act(o, FORM_KEYS, value, M_COUNT, buf_slice(&r->certificate));
}

/* From its next start on the status signer answers by the new one. */
static err
change(const struct rotate *r)
{
	struct buf b OWNED(buf_drop) = BUF(CONF_MAX), there OWNED(buf_drop) = BUF(CONF_MAX),
	             base OWNED(buf_drop) = BUF(1024);

	TRY(token_uri(text(r, status_section(r), "ocsp"), &base));
	buf_put_str(&b,
	    "# Written by inkanctl rotate-responder: the key that OCSP answers are signed by, and its certificate.\n"
	    "[responder]\nkey = ");
	ceremony_put_uri(&b, (const char *)base.p, r->object);
	buf_put_str(&b, "\ncertificate = ");
	buf_put_base64(&b, buf_slice(&r->certificate));
	buf_put_u8(&b, '\n');
	TRY(buf_check(&b));
	if (disk_load(r->home, "responder.conf", &there).kind == OK && slice_eq(buf_slice(&there), buf_slice(&b)))
		return ok; /* and its signer is not started once more */
	return disk_replace(r->home, "responder.conf", buf_slice(&b));
}

/* False: nothing of it can be seen before the signers are started. */
static bool
signers_run(const struct rotate *r)
{
	pid_t pid = start_running(r->office.home);

	return pid != 0 && kill(pid, SIGUSR2) == 0 && faccessat(r->home, "run/room-closed", F_OK, 0) != 0;
}

static err
wait_for_use(struct rotate *r)
{
	int64_t end = clock_steady_ms() + IN_USE_MS;
	enum standing stands = KEY_NOWHERE;
	err e = ok;

	while (stands != KEY_USED) {
		if (clock_steady_ms() > end)
			return e.kind != OK
			           ? e
			           : fail(ERR_WORLD, "rotate-late: house: the status signer does not stand with the new key yet; "
			                             "look at the log, and run this again");
		(void)poll(NULL, 0, 100);
		e = ask_books(r, &stands);
	}
	return ok;
}

static void
say_end(const struct rotate *r, const char *english, const char *word)
{
	struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN);

	digest_put(&hex, r->key);
	if (r->office.json)
		printf("{\"responder\":\"%.*s\",\"until\":\"%s\",\"state\":\"%s\"}\n", (int)hex.n, (const char *)hex.p,
		    r->until, word);
	else
		printf("%s: %.16s, %s\n", ctl_say(english), (const char *)hex.p, r->until);
}

/* The house's own rule, said before a key is made in vain. */
static err
check_room(struct rotate *r)
{
	enum standing stands;

	TRY(ask_books(r, &stands)); /* it must run: the books come before the use */
	return r->n_keys < RESPONDERS_MAX
	           ? ok
	           : fail(ERR_CONFLICT, "keys-soon: Rule 6(xvii): four keys of responders are in use, may have answers "
	                                "about or wait for their use; wait until one is retired: two days after its use, "
	                                "or seven after its record");
}

static err
run(struct rotate *r, int *exit_code)
{
	enum standing stands;
	uint64_t size;

	TRY(office_load(&r->office));
	r->began = clock_now();
	TRY(disk_folder(DISK_HERE, r->office.home, FOLDER_THERE, &r->home));
	r->again = disk_size_of(r->home, "rotation", &size).kind == OK;
	disk_close(&r->home);
	if (!r->again) {
		TRY(check_room(r));
		TRY(read_last(r)); /* before anything is begun */
	}
	TRY(begin(r));
	if (r->again)
		tell(r, "A change of the responder's key was begun before: it is completed.");
	TRY(make(r));
	TRY(ask_books(r, &stands));
	if (stands == KEY_NOWHERE || stands == KEY_WANTED) {
		TRY(record(r));
		TRY(ask_books(r, &stands));
	}
	if (stands == KEY_WANTED) {
		say_end(r, "The record of another person present is wanted; that person runs this command too", "wanted");
		*exit_code = DONE_NO;
		return ok;
	}
	if (stands != KEY_USED && stands != KEY_LEFT) {
		TRY(change(r));
		if (!signers_run(r)) {
			say_end(r, "The key is used when the signers are started; run this again then", "made");
			*exit_code = DONE_NO;
			return ok;
		}
		TRY(wait_for_use(r));
	}
	TRY(finish(r));
	say_end(r, "OCSP answers are signed with the new key from now on", "used");
	return ok;
}

/* --- arguments ------------------------------------------------------------------------------------ */
static int
usage(FILE *f)
{
	fputs(ctl_say("usage: inkanctl rotate-responder [--home DIR] [--yes] [--json] [--present NAMES]\n"
	              "         [--ca-pin-file FILE] [--status-pin-file FILE]\n"
	              "         [--person LABEL --module FILE --key URI --pin-file FILE --environment NAME=VALUE]\n"
	              "  makes another key for OCSP answers in the status signer's token, has the CA's key sign its "
	              "certificate,\n"
	              "  has the making recorded (K-1, by the person who runs this), and has the status signer use it, "
	              "while the\n"
	              "  house answers on; answers given before stay valid. What was cut short is completed by running it "
	              "again.\n"
	              "  PINs that no file gives are asked for; whose record it is stands in [office] of inkan.conf\n"
	              "  exit codes: 0 done, 1 refused, or another person's record is wanted, 2 usage, 3 could not\n"),
	    f);
	return f == stdout ? 0 : 2;
}

static const struct {
	const char *name;
	size_t at;
} TEXTS[] = {
    {"home", offsetof(struct rotate, office.home)},
    {"person", offsetof(struct rotate, office.person)},
    {"module", offsetof(struct rotate, office.module)},
    {"environment", offsetof(struct rotate, office.environment)},
    {"key", offsetof(struct rotate, office.key)},
    {"pin-file", offsetof(struct rotate, office.pin_file)},
    {"ca-pin-file", offsetof(struct rotate, ca_pin_file)},
    {"status-pin-file", offsetof(struct rotate, status_pin_file)},
    {"present", offsetof(struct rotate, present)},
};

/* -1: go on; else the exit code. */
static int
get_options(int argc, char **argv, struct rotate *r)
{
	struct option names[COUNT(TEXTS) + 4] = {{0}};
	int c;

	for (size_t i = 0; i < COUNT(TEXTS); i++)
		names[i] = (struct option){TEXTS[i].name, required_argument, NULL, 1000 + (int)i};
	names[COUNT(TEXTS)] = (struct option){"yes", no_argument, NULL, 'y'};
	names[COUNT(TEXTS) + 1] = (struct option){"json", no_argument, NULL, 'j'};
	names[COUNT(TEXTS) + 2] = (struct option){"help", no_argument, NULL, 'H'};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (c >= 1000)
			memcpy((uint8_t *)r + TEXTS[c - 1000].at, &optarg, sizeof optarg);
		else if (c == 'y')
			r->office.yes = true;
		else if (c == 'j')
			r->office.json = r->office.quiet = true;
		else if (c == 'H')
			return usage(stdout);
		else {
			ctl_refuse_option(argv);
			return usage(stderr);
		}
	if (optind < argc)
		return usage(stderr);
	if (r->office.home == NULL)
		r->office.home = ctl_house();
	return -1;
}

int
rotate_main(int argc, char **argv)
{
	struct rotate r OWNED(rotate_drop) = {
	    .office = {.room = BUF(65536)}, .home = -1, .folder = -1, .certificate = BUF(CERT_MAX)};
	int c = get_options(argc, argv, &r), code = DONE_OK;
	err e;

	if (c >= 0)
		return c;
	e = run(&r, &code);
	if (e.kind == OK)
		return code;
	ctl_explain(e);
	return e.kind == ERR_WORLD || e.kind == ERR_BUSY || e.kind == ERR_CORRUPT ? DONE_WORLD : DONE_NO;
}
