/*
 * The other files of the repository: forms of the certificates, their fingerprints, the texts people read with their history,
 * the pages; and in a folder whatever else stands there.  What can be made again is made again; of texts the books hold
 * the digests.  Two things nobody here can know, and so they are read by their form alone: the notice in the gazette, and
 * the key of heartbeats.
 *
 * A copy may be of a part: where the page and the fingerprints are not there, no file of this kind is missed; where they are,
 * all must be.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/inkanctl/check.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "pki/forms.h"

#define SMALL_MAX (1U << 20)
#define TEXTS_MAX 64 /* names of texts that are followed */
#define DEPTH_MAX 24
#define PATH_BYTES 1024

struct look {
	struct check *c;
	bool whole; /* it has its page: then it has all */
	struct {
		slice name, path; /* terms.en; texts/history/terms.en.0123456789abcdef.txt */
		digest d;
	} last[TEXTS_MAX]; /* of each name its last version */
	size_t n_last;
	struct buf responder; /* owned: ca/ocsp.cer as served */
};

static void
differ(struct check *c, const char *what, slice where)
{
	differences_add(&c->found, what, NULL, where);
}

static err
get(struct look *t, const char *path, struct buf *out)
{
	struct buf uri OWNED(buf_drop) = BUF(2048);

	check_put_uri(&uri, t->c, path);
	buf_drop(out);
	*out = BUF(SMALL_MAX);
	return check_get(t->c, buf_slice(&uri), out);
}

/* A file by its path in the repository.  False: it is not there, or could not be read, and that is said where it matters. */
static bool
have(struct look *t, const char *path, struct buf *out)
{
	struct buf uri OWNED(buf_drop) = BUF(2048);
	err e = get(t, path, out);

	check_put_uri(&uri, t->c, path);
	if (e.kind == ERR_ABSENT && t->whole)
		differ(t->c, "served-file: Rule 6(xi): a file that the books published is not there", buf_slice(&uri));
	else if (e.kind != OK && e.kind != ERR_ABSENT)
		check_could_not(t->c, e.what);
	return e.kind == OK;
}

static void
differ_at(struct look *t, const char *what, const char *path)
{
	struct buf uri OWNED(buf_drop) = BUF(2048);

	check_put_uri(&uri, t->c, path);
	differ(t->c, what, buf_slice(&uri));
}

static bool
holds(const struct buf *page, const struct buf *part)
{
	return page->n > 0 && memmem(page->p, page->n, part->p, part->n) != NULL;
}

/* --- certificates -------------------------------------------------------------------------- */

static void
check_forms(struct look *t)
{
	static const char OTHER[] = "served-form: Rule 6(ix): another form of the CA certificate is not made of its bytes";
	struct buf want OWNED(buf_drop) = BUF(SMALL_MAX), got OWNED(buf_drop) = BUF(SMALL_MAX);
	slice der = buf_slice(&t->c->trust->issuer_der);

	forms_put_pem(&want, der);
	if (have(t, "ca/issuer.pem", &got) && !slice_eq(buf_slice(&got), buf_slice(&want)))
		differ_at(t, OTHER, "ca/issuer.pem");
	buf_clear(&want);
	forms_put_p7c(&want, der);
	if (have(t, "ca/issuer.p7c", &got) && !slice_eq(buf_slice(&got), buf_slice(&want)))
		differ_at(t, OTHER, "ca/issuer.p7c");
	if (have(t, "ca/books.spki", &got) && !digest_eq(sha256(buf_slice(&got)), key_digest(t->c->trust->status_key)))
		differ_at(t, "served-key: design 5: another key for checkpoints is served than the trust file names",
		    "ca/books.spki");
}

/* A responder's certificate that is offered for download: ours, and one whose answers count. */
static void
check_responder(struct look *t)
{
	struct responder r = {0};
	err e;

	if (!have(t, "ca/ocsp.cer", &t->responder))
		return;
	e = served_check_responder(&t->c->told, t->c->trust, buf_slice(&t->responder), clock_now(), &r);
	if (e.kind != OK)
		differ_at(t, e.what, "ca/ocsp.cer");
	responder_drop(&r);
}

/* One certificate in both lists of fingerprints. */
static bool
is_in_lists(const char *file, slice der, const struct buf *text, const struct buf *list) /* NULL: it is not there */
{
	struct buf want OWNED(buf_drop) = BUF(8192), hex OWNED(buf_drop) = BUF(128), spki OWNED(buf_drop) = BUF(128);
	struct cert c;
	digest whole = sha256(der), key;

	if (cert_get(der, &c).kind != OK)
		return false;
	key = sha256(c.spki);
	forms_put_fingerprint(&want, file, &c);
	digest_put(&hex, whole);
	digest_put(&spki, key);
	return (text == NULL || holds(text, &want)) && (list == NULL || (holds(list, &hex) && holds(list, &spki)));
}

/* Lines "sha256: …" of the text, members "sha256" of the list: as many as certificates, none of anybody else. */
static size_t
count(const struct buf *in, const char *what)
{
	size_t n = 0, k = strlen(what);
	const uint8_t *p = in->p;

	while (p != NULL && (p = memmem(p, in->n - (size_t)(p - in->p), what, k)) != NULL) {
		n++;
		p += k;
	}
	return n;
}

static void
check_fingerprints(struct look *t)
{
	static const char OTHER[] =
	    "served-fingerprints: Rule 6(ix): the published fingerprints are not those of the CA's certificates";
	struct buf text OWNED(buf_drop) = BUF(SMALL_MAX), list OWNED(buf_drop) = BUF(SMALL_MAX);
	struct json *doc OWNED(json_drop) = NULL;
	size_t n = 1 + (t->responder.n > 0);
	bool has_list = have(t, "fingerprints.json", &list), has_text = have(t, "fingerprints.txt", &text), good;
	const struct buf *in_text = has_text ? &text : NULL, *in_list = has_list ? &list : NULL;

	if (!has_list && !has_text)
		return;
	good = is_in_lists("ca/issuer.cer", buf_slice(&t->c->trust->issuer_der), in_text, in_list) &&
	       (!has_list || json_get(buf_slice(&list), &doc).kind == OK);
	if (t->responder.n > 0)
		good = good && is_in_lists("ca/ocsp.cer", buf_slice(&t->responder), in_text, in_list);
	good = good && (!has_text || count(&text, "\nsha256: ") == n) && (!has_list || count(&list, "\"sha256\":\"") == n);
	if (!good)
		differ_at(t, OTHER, has_list ? "fingerprints.json" : "fingerprints.txt");
}

/* --- texts --------------------------------------------------------------------------------------- */

static void
follow(struct look *t, slice path, digest d)
{
	slice name = slice_of(path.p + 14, path.n - 14 - 21); /* texts/history/NAME.16 digits.txt */
	size_t i = 0;

	while (i < t->n_last && !slice_eq(t->last[i].name, name))
		i++;
	if (i == TEXTS_MAX)
		return;
	t->n_last += i == t->n_last;
	t->last[i].name = name;
	t->last[i].path = path;
	t->last[i].d = d;
}

/* "YYYY-MM-DD SHA-256 texts/history/NAME.HHHHHHHHHHHHHHHH.txt" */
static bool
get_line(slice line, slice *path, digest *d)
{
	slice day, hex;
	struct buf tail OWNED(buf_drop) = BUF(64);

	if (!slice_cut(&line, ' ', &day) || !slice_cut(&line, ' ', &hex) || day.n != 10 || digest_get(hex, d).kind != OK)
		return false;
	buf_put_u8(&tail, '.');
	buf_put_hex(&tail, slice_of(d->b, 8));
	buf_put_str(&tail, ".txt");
	*path = line;
	return slice_has_prefix(line, LIT("texts/history/")) && line.n > 14 + tail.n && line.n < CHECK_WHERE &&
	       slice_eq(slice_of(line.p + line.n - tail.n, tail.n), buf_slice(&tail));
}

static bool
is_text(struct look *t, slice path, digest want, const char *what)
{
	struct buf text OWNED(buf_drop) = BUF(SMALL_MAX);
	char name[CHECK_WHERE];

	snprintf(name, sizeof name, "%.*s", (int)path.n, (const char *)path.p);
	if (!have(t, name, &text) || digest_eq(sha256(buf_slice(&text)), want))
		return true;
	differ_at(t, what, name);
	return false;
}

static void
check_history(struct look *t, slice history)
{
	static const char UNKNOWN[] = "served-text: Rule 6(xiii): a text is served that no baseline of the books names";
	slice line, path;
	digest d;

	while (slice_cut(&history, '\n', &line)) {
		if (!get_line(line, &path, &d) || !served_had_text(&t->c->told, d)) {
			differ_at(t, UNKNOWN, "texts/history.txt");
			continue;
		}
		if (is_text(t, path, d, UNKNOWN))
			follow(t, path, d);
	}
	if (history.n > 0)
		differ_at(t, UNKNOWN, "texts/history.txt");
}

/* At its place stands the last version; every text in force is somebody's last version. */
static void
check_places(struct look *t)
{
	static const char OLD[] = "served-text-old: Rule 6(xiii): at a text's place stands another than the one in force";

	for (size_t i = 0; i < t->n_last; i++) {
		struct buf path OWNED(buf_drop) = BUF(256);

		buf_put_str(&path, "texts/");
		buf_put(&path, t->last[i].name);
		buf_put_str(&path, ".txt");
		(void)is_text(t, buf_slice(&path), t->last[i].d, OLD);
	}
	for (size_t k = 0; k < t->c->told.n_texts; k++) {
		bool found = false;

		for (size_t i = 0; i < t->n_last; i++)
			found = found || digest_eq(t->last[i].d, t->c->told.text[k]);
		if (!found)
			differ_at(t, "served-text-missing: Rule 6(xiii): a text in force is not among those that are served",
			    "texts/history.txt");
	}
}

/* The practice statement under the address that certificates name, where that is a file of this repository. */
static void
check_cps(struct look *t)
{
	struct buf text OWNED(buf_drop) = BUF(SMALL_MAX);
	slice cps = source_path(t->c->profile->cps);
	char name[256];

	if (!slice_has_prefix(cps, LIT("cps/")) || cps.p[cps.n - 1] == '/' || cps.n >= sizeof name)
		return;
	snprintf(name, sizeof name, "%.*s", (int)cps.n, (const char *)cps.p);
	if (have(t, name, &text) && !served_has_text(&t->c->told, sha256(buf_slice(&text))))
		differ_at(t, "served-text-old: Rule 6(xiii): at a text's place stands another than the one in force", name);
}

static bool
is_named_text(struct look *t, json doc, const char *name)
{
	json part;
	slice text;
	digest d;

	return json_member(doc, name, &part).kind == OK && json_text(part, "text", &text).kind == OK &&
	       json_hex(part, "sha256", d.b, sizeof d.b).kind == OK && digest_eq(sha256(text), d) &&
	       served_has_text(&t->c->told, d);
}

/* What an applicant's tool shows before anything is signed. */
static const char *const LANGS[] = {"ja", "en"};

/* The file of a language's terms for the applicant's tool. */
static const char *
terms_file(const struct check *c, const char *lang, char out[256])
{
	snprintf(out, 256, "terms/%.*s.%s.json", (int)c->profile->name.n, (const char *)c->profile->name.p, lang);
	return out;
}

static void
check_terms(struct look *t)
{
	for (size_t i = 0; i < COUNT(LANGS); i++) {
		struct buf file OWNED(buf_drop) = BUF(SMALL_MAX);
		struct json *doc OWNED(json_drop) = NULL;
		char name[256];

		snprintf(name, sizeof name, "terms/%.*s?lang=%s", (int)t->c->profile->name.n,
		    (const char *)t->c->profile->name.p, LANGS[i]);
		/* a folder, and a store that hands out files as they are, have it under its own name */
		if (t->c->source.files != NULL || (t->c->source.base != NULL && get(t, name, &file).kind == ERR_ABSENT))
			(void)terms_file(t->c, LANGS[i], name);
		if (have(t, name, &file) &&
		    (json_get(buf_slice(&file), &doc).kind != OK || !is_named_text(t, json_root(doc), "terms") ||
		        !is_named_text(t, json_root(doc), "explanation")))
			differ_at(t, "served-text-old: Rule 6(xiii): at a text's place stands another than the one in force", name);
	}
}

static void
check_pages(struct look *t)
{
	static const char *const PAGES[] = {"index.html", "index.en.html"};
	struct buf whole OWNED(buf_drop) = BUF(256), spki OWNED(buf_drop) = BUF(256);

	forms_put_sha256(&whole, buf_slice(&t->c->trust->issuer_der));
	forms_put_sha256(&spki, t->c->trust->issuer.spki);
	for (size_t i = 0; i < COUNT(PAGES); i++) {
		struct buf page OWNED(buf_drop) = BUF(SMALL_MAX);

		if (have(t, PAGES[i], &page) && (!holds(&page, &whole) || !holds(&page, &spki)))
			differ_at(
			    t, "served-page: Rule 6(ix): a page does not carry the fingerprints of the CA's certificate", PAGES[i]);
	}
}

/* --- what else stands in a folder --------------------------------------------------------------------- */

static bool
is_list(const struct check *c, slice path)
{
	struct buf uri OWNED(buf_drop) = BUF(1024);

	if (slice_eq(path, source_path(c->profile->crl)) ||
	    (c->profile->crl_delta.n > 0 && slice_eq(path, source_path(c->profile->crl_delta))))
		return true;
	for (unsigned k = 1; k <= c->profile->crl_partitions; k++) {
		buf_clear(&uri);
		profile_put_crl_uri(&uri, c->profile, k);
		if (slice_eq(path, source_path(buf_slice(&uri))))
			return true;
	}
	return false;
}

static bool
is_named_in_history(slice path, const struct buf *history)
{
	return history->n > 0 && memmem(history->p, history->n, path.p, path.n) != NULL;
}

/* A file of ocsp/: the path of a request about a certificate of ours. */
static bool
is_answer(struct check *c, slice path)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer a;

	return source_load(&c->source, path, &der).kind == OK && ocsp_answer_get(buf_slice(&der), &a).kind == OK &&
	       a.error == 0 && served_find(&c->told, a.serial) != NULL && source_is_place(&c->names, a.serial, path);
}

/* ca/ocsp-HHHHHHHHHHHHHHHH.cer, the beginning of its SHA-256: a responder's certificate of ours, also one whose time is over. */
static bool
is_responder(struct check *c, slice path)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX), want OWNED(buf_drop) = BUF(64);
	struct responder r = {0};
	digest d;
	err e;

	if (!slice_has_prefix(path, LIT("ca/ocsp-")) || source_load(&c->source, path, &der).kind != OK)
		return false;
	d = sha256(buf_slice(&der));
	buf_put_str(&want, "ca/ocsp-");
	buf_put_hex(&want, slice_of(d.b, 8));
	buf_put_str(&want, ".cer");
	e = served_check_responder(&c->told, c->trust, buf_slice(&der), clock_now(), &r);
	responder_drop(&r);
	return slice_eq(path, buf_slice(&want)) && (e.kind == OK || strncmp(e.what, "served-responder-ended:", 23) == 0);
}

static bool
is_ours(const struct look *t, slice path, const struct buf *history)
{
	static const char *const PLACES[] = {"index.html", "index.en.html", "fingerprints.txt", "fingerprints.json",
	    "heartbeat.pub", "changes", "ca/issuer.cer", "ca/issuer.pem", "ca/issuer.p7c", "ca/ocsp.cer", "ca/books.spki",
	    "books/checkpoint", "texts/history.txt", "status/recent", "status/base", "status/reserve", "status/parts",
	    "status/lost"};
	struct check *c = t->c;

	for (size_t i = 0; i < COUNT(PLACES); i++)
		if (slice_eq(path, slice_str(PLACES[i])))
			return true;
	if (slice_eq(path, source_path(c->profile->ca_issuers)) || slice_eq(path, source_path(c->profile->cps)) ||
	    is_list(c, path))
		return true;
	if (slice_has_prefix(
	        path, LIT("books/tile/"))) /* each below the checkpoint was compared; later ones are not yet asked for */
		return true;
	if (slice_has_prefix(path, LIT("texts/history/")))
		return is_named_in_history(path, history);
	if (slice_has_prefix(path, LIT("ocsp/")))
		return is_answer(c, path);
	if (slice_has_prefix(path, LIT("ca/ocsp-")))
		return is_responder(c, path);
	for (size_t i = 0; i < t->n_last; i++) {
		char name[CHECK_WHERE + 16];

		snprintf(name, sizeof name, "texts/%.*s.txt", (int)t->last[i].name.n, (const char *)t->last[i].name.p);
		if (slice_eq(path, slice_str(name)))
			return true;
	}
	for (size_t i = 0; i < COUNT(LANGS); i++) {
		char name[256];

		if (slice_eq(path, slice_str(terms_file(c, LANGS[i], name))))
			return true;
	}
	return false;
}

/*
 * What is still being written stands beside its place: NAME.new or NAME.part here, .NAME.new in a copy (mirror_send.c).
 * Beside a place of nobody it is nobody's too.
 */
static bool
is_on_its_way(const struct look *t, slice path, const struct buf *history)
{
	static const char *const ENDINGS[] = {".new", ".part"};
	struct buf known OWNED(buf_drop) = BUF(PATH_BYTES);
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	for (size_t i = 0; i < COUNT(ENDINGS); i++) {
		slice end = slice_str(ENDINGS[i]);
		size_t from = at + (i == 0 && path.p[at] == '.');

		if (path.n <= from + end.n || memcmp(path.p + path.n - end.n, end.p, end.n) != 0)
			continue;
		buf_clear(&known);
		buf_put(&known, slice_of(path.p, at));
		buf_put(&known, slice_of(path.p + from, path.n - from - end.n));
		if (is_ours(t, buf_slice(&known), history))
			return true;
	}
	return false;
}

static void
look_below(struct look *t, int folder, const char *above, unsigned depth, const struct buf *history)
{
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *x;

	if (d == NULL) {
		check_could_not(t->c, "check-folder: house: a folder of what is published cannot be read");
		return;
	}
	while ((x = readdir(d)) != NULL) {
		char path[PATH_BYTES];
		struct stat st;
		int n = snprintf(path, sizeof path, "%s%s", above, x->d_name);

		if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0 || n < 0 ||
		    fstatat(folder, x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && (size_t)n < sizeof path - 1) {
			int below = openat(folder, x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

			path[n] = '/';
			path[n + 1] = '\0';
			if (below >= 0)
				look_below(t, below, path, depth + 1, history);
			disk_close(&below);
		} else if ((size_t)n >= sizeof path - 1 ||
		           (!is_ours(t, slice_str(path), history) && !is_on_its_way(t, slice_str(path), history)))
			differ_at(t,
			    "served-nobody: Rule 6(xi): among what is published stands a file that the books know nothing of",
			    path);
	}
	closedir(d);
}

void
check_tree(struct check *c)
{
	struct buf page OWNED(buf_drop) = BUF(SMALL_MAX), history OWNED(buf_drop) = BUF(SMALL_MAX);
	struct look t = {.c = c, .responder = BUF(CERT_MAX)};
	int folder = -1;

	t.whole = have(&t, "index.html", &page) || have(&t, "fingerprints.json", &page);
	check_forms(&t);
	check_responder(&t);
	check_fingerprints(&t);
	if (have(&t, "texts/history.txt", &history)) {
		check_history(&t, buf_slice(&history));
		check_places(&t);
	}
	check_cps(&t);
	check_terms(&t);
	check_pages(&t);
	if (c->source.files != NULL && disk_folder(DISK_HERE, c->source.files, FOLDER_THERE, &folder).kind == OK) {
		look_below(&t, folder, "", 0, &history);
		disk_close(&folder);
	}
	buf_drop(&t.responder);
}
