#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/json.h"
#include "cmd/inkanctl/check.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/file.h"

#define SAID_MAX 1000U /* differences that are printed; the rest is counted                */
#define AGAIN_MS 1100  /* before what differs is looked at again: answer_ms, and a little  */
#define JOBS_MOST 32
#define NUMBER_MAX 100000000

static const char USAGE[] =
    "usage: inkanctl check-status [FOLDER] [--home DIR] [--url URL | --files DIR] [OPTIONS]\n"
    "  recomputes from the books what every list and OCSP answer must say, and reads what is served\n"
    "  FOLDER         a house's folder, or a copy of its books alone; else --home\n"
    "  --url URL      read below this address instead of the profile's own (a mirror)\n"
    "  --files DIR    read a repository or mirror on disk\n"
    "  --trust FILE   the trust file, where FOLDER is books alone\n"
    "  --issuer FILE  or the CA certificate (DER); the trust file is then the one of the books that names it\n"
    "  --get          ask for OCSP by GET alone\n"
    "  --no-ocsp      no OCSP answers; --no-tiles: no tiles\n"
    "  --answer-s N   a revocation reaches OCSP within N seconds (1)\n"
    "  --signed-s N   a new certificate has its answer, a revoked one its new one, within N seconds (30)\n"
    "  --list-s N     a revocation reaches the lists within N seconds (30)\n"
    "  --clock-s N    a served time may be N seconds ahead of this clock (5)\n"
    "  --left-h N     an answer lives for N more hours at least (12)\n"
    "  --jobs N       so many processes (one for each core; over HTTP four)\n"
    "  --metrics FILE write the result for Prometheus' textfile collector\n"
    "  --mail ADDRESS tell it by mail when it is not all as the books say; office: office_mail of inkan.conf\n"
    "  --json         one object on standard output\n"
    "  exit codes: 0 all as the books say, 1 differences, 2 usage, 3 could not be checked\n";

/* --- differences -------------------------------------------------------------------------- */

void
differences_add(struct differences *d, const char *what, const serial *of, slice where)
{
	struct difference *one;

	d->total++;
	if (d->n == CHECK_KEPT_MAX)
		return;
	if (d->n == d->cap) {
		d->cap = d->cap == 0 ? 64 : d->cap * 2;
		d->at = mem_grow(d->at, d->cap, sizeof *d->at);
	}
	one = &d->at[d->n++];
	*one = (struct difference){.what = what, .serial = of == NULL ? (serial){0} : *of};
	memcpy(one->where, where.p, where.n < CHECK_WHERE ? where.n : CHECK_WHERE - 1);
}

void
differences_drop(struct differences *d)
{
	free(d->at);
	*d = (struct differences){0};
}

void
check_could_not(struct check *c, const char *what)
{
	for (size_t i = 0; i < c->n_could_not; i++)
		if (strcmp(c->could_not[i], what) == 0)
			return;
	if (c->n_could_not < COUNT(c->could_not))
		c->could_not[c->n_could_not++] = what;
}

static void
check_drop(struct check *c)
{
	for (size_t i = 0; i < c->n_responders; i++)
		responder_drop(&c->responder[i].r);
	differences_drop(&c->found);
	source_drop(&c->source);
	served_drop(&c->told);
	profile_drop(&c->profile);
	buf_drop(&c->profile_file);
	trust_drop(&c->trust);
	books_drop(&c->books);
}

/* --- what the books say ---------------------------------------------------------------------- */

/* Lines that came since. */
static err
read_lines(struct check *c)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;
	err e;

	TRY(book_read_from(c->books.book, c->told.lines, &r));
	while ((e = book_read_next(r, &n, &line)).kind == OK) {
		TRY(served_take(&c->told, line));
		if (c->ctl.progress && c->told.lines % 65536 == 0)
			fprintf(stderr, "\r%s %llu / %llu   ", ctl_words(&c->ctl, "lines"), (unsigned long long)c->told.lines,
			    (unsigned long long)c->books.opened.size);
	}
	if (e.kind != ERR_ABSENT)
		return e;
	served_settle(&c->told);
	c->count.certificates = c->told.n;
	c->count.revoked = c->told.n_revoked;
	return ok;
}

/* The books as they stand now. */
static err
read_on(struct check *c)
{
	struct books b OWNED(books_drop) = {.folder = -1}, old;

	TRY(c->lines ? books_open_lines(c->books.home, &b) : books_open(c->books.home, &b));
	old = c->books;
	c->books = b;
	b = old;
	return read_lines(c);
}

static err
load_trust(struct check *c, const char *trust_file, const char *issuer_file)
{
	struct buf file OWNED(buf_drop) = BUF(CONF_MAX), issuer OWNED(buf_drop) = BUF(CERT_MAX);

	if (c->trust != NULL)
		return ok;
	if (trust_file != NULL) {
		TRY(ctl_read(trust_file, &file));
		return trust_get(buf_slice(&file), &c->trust);
	}
	if (issuer_file != NULL) {
		TRY(ctl_read(issuer_file, &issuer));
		TRY(books_evidence(&c->books, c->told.trust, &file));
		TRY(trust_get(buf_slice(&file), &c->trust));
		if (!slice_eq(buf_slice(&issuer), buf_slice(&c->trust->issuer_der)))
			return fail(ERR_POLICY, "check-issuer: house: the books are another issuer's than the certificate given");
		return ok;
	}
	c->trust = c->books.trust;
	c->books.trust = NULL;
	return c->trust != NULL
	           ? ok
	           : fail(ERR_INPUT, "check-trust: house: books alone; name a trust file or the CA certificate");
}

err
check_configure(struct check *c, const struct conf *conf)
{
	uint64_t hours;
	slice test;

	if (decimal_get(conf_text_or(conf, LIT("registrar"), "crl_every_h", LIT("12")), 1000, &hours).kind == OK)
		c->allowed.every_ms = (int64_t)hours * HOUR_MS;
	test = conf_text_or(conf, LIT("clock"), "test", (slice){NULL, 0});
	if (test.n > 0 && c->trust != NULL && c->trust->test_clock) { /* design law 7: of a test hierarchy alone */
		struct buf path OWNED(buf_drop) = BUF(4096);

		buf_put_str(&path, c->ctl.home);
		buf_put_u8(&path, '/');
		buf_put(&path, test);
		buf_put_u8(&path, 0);
		TRY(buf_check(&path));
		TRY(clock_use_test((const char *)path.p));
	}
	return ok;
}

/* The file that the baseline names: from beside the books where it is there, else from the evidence. */
static err
load_profile(struct check *c)
{
	struct buf file OWNED(buf_drop) = BUF(CONF_MAX), text OWNED(buf_drop) = BUF(CONF_MAX),
	                path OWNED(buf_drop) = BUF(1024);
	struct conf *conf OWNED(conf_drop) = NULL;
	slice name;

	buf_put(&file, buf_slice(&c->profile_file));
	if (c->profile_file.n == 0 && !c->books.alone && disk_load(c->books.folder, "inkan.conf", &text).kind == OK &&
	    conf_get(buf_slice(&text), &conf).kind == OK) {
		name = conf_text_or(conf, LIT("registrar"), "profile", LIT("profile.conf"));
		buf_put(&path, name);
		buf_put_u8(&path, 0);
		if (disk_load(c->books.folder, (const char *)path.p, &file).kind != OK)
			buf_clear(&file);
		TRY(check_configure(c, conf));
	}
	if (!digest_eq(sha256(buf_slice(&file)), c->told.profile)) {
		if (c->lines) /* the house's own file is another: it is in a change of rules, or somebody's hand was in it */
			return fail(ERR_WORLD, "check-profile: house: the profile is not the one the books name");
		buf_clear(&file);
		TRY(books_evidence(&c->books, c->told.profile, &file));
	}
	return profile_get(buf_slice(&file), &c->profile);
}

/* --- the check ---------------------------------------------------------------------------------- */

/* What differed is looked at again, against the books as they stand by then. */
static err
look_again(struct check *c)
{
	struct differences was = c->found;
	bool files = false;

	c->found = (struct differences){.total = was.total - was.n};
	(void)poll(NULL, 0, AGAIN_MS);
	for (size_t i = 0; i < c->n_responders; i++)
		responder_drop(&c->responder[i].r);
	c->n_responders = 0;
	for (size_t i = 0; i < was.n; i++)
		files = files || strcmp(was.at[i].where, "ocsp") != 0;
	TRY(read_on(c));
	if (c->source.files != NULL && !c->no_ocsp && source_map(&c->source).kind != OK)
		files = true;
	if (files)
		check_files(c, !c->no_tiles);
	for (size_t i = 0; i < was.n; i++) {
		const struct difference *d = &was.at[i];
		bool known;
		err e;

		if (strcmp(d->where, "ocsp") != 0)
			continue;
		if (d->serial.n == 0) { /* a damaged block */
			differences_add(&c->found, d->what, NULL, slice_str(d->where));
			continue;
		}
		e = check_answer(c, d->serial, i, &known);
		if (!known)
			check_could_not(c, e.what);
		else if (e.kind != OK)
			differences_add(&c->found, e.what, &d->serial, slice_str(d->where));
	}
	differences_drop(&was);
	return ok;
}

static err
check(struct check *c)
{
	ocsp_issuer_of(&c->trust->issuer, &c->names);
	check_files(c, !c->no_tiles);
	if (!c->no_ocsp)
		TRY(check_answers(c));
	for (int round = 1; round < CHECK_ROUNDS && c->found.n > 0; round++)
		TRY(look_again(c));
	if (c->told.n == 0 && c->told.checkpoint.n == 0)
		check_could_not(c, "check-empty: house: the books hold nothing that could be compared");
	return ok;
}

/* --- the result ------------------------------------------------------------------------------------ */

static enum done
result(const struct check *c)
{
	return c->found.total > 0 ? DONE_NO : c->n_could_not > 0 ? DONE_WORLD : DONE_OK;
}

static void
put_line(const struct check *c, const char *what, uint64_t v)
{
	printf("  %-44s %llu\n", ctl_words(&c->ctl, what), (unsigned long long)v);
}

static void
print_people(const struct check *c)
{
	printf("%s\n", ctl_words(&c->ctl, "What is served"));
	put_line(c, "certificates of the books", c->count.certificates);
	put_line(c, "of them revoked", c->count.revoked);
	put_line(c, "OCSP answers, each signature verified", c->count.answers);
	put_line(c, "serials asked for that nobody issued", c->count.probes);
	put_line(c, "lists, every entry compared", c->count.lists);
	put_line(c, "tiles under the checkpoint", c->count.tiles);
	for (size_t i = 0; i < c->found.n && i < SAID_MAX; i++) {
		const struct difference *d = &c->found.at[i];
		struct buf b OWNED(buf_drop) = BUF(256);

		if (d->serial.n > 0) {
			serial_put_hex(&b, d->serial);
			buf_put_u8(&b, ' ');
		}
		printf("%.*s%s: %s\n", (int)b.n, b.n == 0 ? "" : (const char *)b.p, d->where, ctl_words(&c->ctl, d->what));
	}
	for (size_t i = 0; i < c->n_could_not; i++)
		printf("%s %s\n", ctl_words(&c->ctl, "Could not be checked:"), ctl_words(&c->ctl, c->could_not[i]));
	if (result(c) == DONE_OK)
		printf("%s\n", ctl_words(&c->ctl, "Everything is served as the books say."));
	else
		printf("%llu %s\n", (unsigned long long)c->found.total, ctl_words(&c->ctl, "differences"));
}

/* What it took: CPU of all processes, the largest one's memory. */
static void
put_used(struct buf *j)
{
	struct rusage self, children;
	uint64_t us;

	if (getrusage(RUSAGE_SELF, &self) != 0 || getrusage(RUSAGE_CHILDREN, &children) != 0)
		return;
	us = (uint64_t)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec) *
	         1000000 +
	     (uint64_t)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
	                children.ru_stime.tv_usec);
	json_put_named_number(j, "cpu_ms", us / 1000);
	json_put_named_number(
	    j, "memory_kib", (uint64_t)(self.ru_maxrss > children.ru_maxrss ? self.ru_maxrss : children.ru_maxrss));
}

static void
print_json(const struct check *c, int64_t ms)
{
	struct buf j OWNED(buf_drop) = BUF(4U << 20);

	json_open(&j, '{');
	json_put_named_number(&j, "result", result(c));
	json_put_named_number(&j, "lines", c->told.lines);
	json_put_named_number(&j, "certificates", c->count.certificates);
	json_put_named_number(&j, "revoked", c->count.revoked);
	json_put_named_number(&j, "answers", c->count.answers);
	json_put_named_number(&j, "slots", c->count.slots);
	json_put_named_number(&j, "probes", c->count.probes);
	json_put_named_number(&j, "lists", c->count.lists);
	json_put_named_number(&j, "tiles", c->count.tiles);
	json_put_named_number(&j, "ms", (uint64_t)ms);
	put_used(&j);
	json_put_named_number(&j, "found", c->found.total);
	json_put_name(&j, "differences");
	json_open(&j, '[');
	for (size_t i = 0; i < c->found.n && i < SAID_MAX; i++) {
		const struct difference *d = &c->found.at[i];

		json_open(&j, '{');
		json_put_named(&j, "where", slice_str(d->where));
		if (d->serial.n > 0)
			json_put_named_hex(&j, "serial", serial_slice(&d->serial));
		json_put_named(&j, "what", slice_str(d->what));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_put_name(&j, "could_not");
	json_open(&j, '[');
	for (size_t i = 0; i < c->n_could_not; i++)
		json_put_text(&j, slice_str(c->could_not[i]));
	json_close(&j, ']');
	json_close(&j, '}');
	buf_put_u8(&j, '\n');
	fwrite(j.p, 1, j.n, stdout);
}

static void
put_metric(struct buf *b, const char *name, const char *help, uint64_t v)
{
	buf_put_str(b, "# HELP inkan_check_status_");
	buf_put_str(b, name);
	buf_put_u8(b, ' ');
	buf_put_str(b, help);
	buf_put_str(b, "\n# TYPE inkan_check_status_");
	buf_put_str(b, name);
	buf_put_str(b, " gauge\ninkan_check_status_");
	buf_put_str(b, name);
	buf_put_u8(b, ' ');
	buf_put_decimal(b, v);
	buf_put_u8(b, '\n');
}

/* The file is replaced whole: a collector reads the old result or the new one. */
static err
write_metrics(const struct check *c, enum done done, int64_t ms, const char *file)
{
	struct buf b OWNED(buf_drop) = BUF(8192), path OWNED(buf_drop) = BUF(4096);
	slice whole = slice_str(file);
	size_t slash = whole.n;
	int folder = -1;
	err e;

	put_metric(&b, "result", "0 all as the books say, 1 differences, 3 could not be checked", done);
	put_metric(&b, "differences", "what is served otherwise than the books say", c->found.total);
	put_metric(&b, "could_not", "reasons why something was not checked", c->n_could_not);
	put_metric(&b, "certificates", "certificates of the books", c->count.certificates);
	put_metric(&b, "answers", "OCSP answers read and verified", c->count.answers);
	put_metric(&b, "time_seconds", "when it ended", (uint64_t)(clock_now().ms / 1000));
	put_metric(&b, "duration_ms", "how long it took", (uint64_t)ms);
	TRY(buf_check(&b));
	while (slash > 0 && whole.p[slash - 1] != '/')
		slash--;
	buf_put_str(&path, slash == 0 ? "." : "");
	buf_put(&path, (slice){whole.p, slash});
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	TRY(disk_folder(DISK_HERE, (const char *)path.p, FOLDER_THERE, &folder));
	e = disk_replace(folder, file + slash, buf_slice(&b));
	disk_close(&folder);
	return e;
}

/* --- the command -------------------------------------------------------------------------------------- */

struct options {
	const char *trust, *issuer, *metrics, *mail, *clocked;
	uint64_t jobs;
};

static bool
get_number(const char *text, uint64_t least, int64_t unit, int64_t *out)
{
	uint64_t v;

	if (decimal_get(slice_str(text), NUMBER_MAX, &v).kind != OK || v < least)
		return false;
	*out = (int64_t)v * unit;
	return true;
}

/* False: it is not understood. */
static bool
take_option(struct check *c, struct options *o, int which, const char *value)
{
	int64_t jobs;

	switch (which) {
	case 'h':
		c->ctl.home = value;
		return true;
	case 'j':
		return c->ctl.json = true;
	case 'u':
		c->source.base = value;
		return true;
	case 'f':
		c->source.files = value;
		return true;
	case 't':
		o->trust = value;
		return true;
	case 'i':
		o->issuer = value;
		return true;
	case 'm':
		o->metrics = value;
		return true;
	case 'M':
		o->mail = value;
		return true;
	case 'C':
		o->clocked = value;
		return true;
	case 'g':
		return c->source.get = true;
	case 'o':
		return c->no_ocsp = true;
	case 'T':
		return c->no_tiles = true;
	case 'a':
		return get_number(value, 0, SECOND_MS, &c->allowed.answer_ms);
	case 's':
		return get_number(value, 0, SECOND_MS, &c->allowed.signed_ms);
	case 'l':
		return get_number(value, 0, SECOND_MS, &c->allowed.list_ms);
	case 'c':
		return get_number(value, 0, SECOND_MS, &c->allowed.clock_ms);
	case 'L':
		return get_number(value, 0, HOUR_MS, &c->allowed.left_ms);
	case 'n':
		if (!get_number(value, 1, 1, &jobs) || jobs > JOBS_MOST)
			return false;
		o->jobs = (uint64_t)jobs;
		return true;
	default:
		return false;
	}
}

static bool
get_options(struct check *c, struct options *o, int argc, char **argv, enum done *done)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'},
	    {"url", required_argument, NULL, 'u'}, {"files", required_argument, NULL, 'f'},
	    {"trust", required_argument, NULL, 't'}, {"issuer", required_argument, NULL, 'i'},
	    {"metrics", required_argument, NULL, 'm'}, {"mail", required_argument, NULL, 'M'},
	    {"clocked", required_argument, NULL, 'C'}, {"get", no_argument, NULL, 'g'}, {"no-ocsp", no_argument, NULL, 'o'},
	    {"no-tiles", no_argument, NULL, 'T'}, {"answer-s", required_argument, NULL, 'a'},
	    {"signed-s", required_argument, NULL, 's'}, {"list-s", required_argument, NULL, 'l'},
	    {"clock-s", required_argument, NULL, 'c'}, {"left-h", required_argument, NULL, 'L'},
	    {"jobs", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'H'}, {0}};
	int k;

	optind = 1;
	opterr = 0;
	*done = DONE_USAGE;
	while ((k = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (k == 'H') {
			fputs(ctl_words(&c->ctl, USAGE), stdout);
			*done = DONE_OK;
			return false;
		}
		if (!take_option(c, o, k, optarg)) {
			ctl_refuse_option(argv);
			fputs(ctl_words(&c->ctl, USAGE), stderr);
			return false;
		}
	}
	if (optind < argc)
		c->ctl.home = argv[optind++];
	if (optind < argc || (c->source.base != NULL && c->source.files != NULL) ||
	    (o->trust != NULL && o->issuer != NULL)) {
		fputs(ctl_words(&c->ctl, USAGE), stderr);
		return false;
	}
	return true;
}

static size_t
jobs_of(const struct check *c, const struct options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cores < 1 ? 1 : (size_t)cores;

	if (o->jobs > 0)
		return (size_t)o->jobs;
	if (c->source.files == NULL) /* while one waits for the server another verifies */
		n *= 4;
	return n > JOBS_MOST ? JOBS_MOST : n;
}

/* What cannot even begin is not checked, whatever its kind: never 0, never 1. */
static enum done
run(struct check *c, const struct options *o)
{
	err e = c->lines ? books_open_lines(c->ctl.home, &c->books) : books_open(c->ctl.home, &c->books);

	if (e.kind == OK)
		e = read_lines(c);
	if (c->ctl.progress)
		fputs("\r\033[K", stderr);
	if (e.kind == OK)
		e = load_trust(c, o->trust, o->issuer);
	if (e.kind == OK)
		e = load_profile(c);
	if (e.kind == OK)
		e = check(c);
	if (e.kind == OK)
		return result(c);
	if (c->jobs > 0)
		ctl_explain(e);
	check_could_not(c, e.what);
	return c->found.total > 0 ? DONE_NO : DONE_WORLD;
}

enum done
check_run(struct check *c)
{
	return run(c, &(struct options){.jobs = 0});
}

int
check_status_main(int argc, char **argv)
{
	struct check c OWNED(check_drop) = {
	    .ctl = {.home = ctl_house(), .lang = ctl_locale(), .progress = isatty(STDERR_FILENO) == 1},
	    .books = {.folder = -1},
	    .allowed = SERVED_ALLOWED};
	int64_t began = clock_steady_ms();
	struct options o = {0};
	enum done done;

	if (!get_options(&c, &o, argc, argv, &done))
		return done;
	if (o.clocked != NULL)
		return (int)check_clocked(&c, o.clocked);
	c.jobs = jobs_of(&c, &o);
	done = run(&c, &o);
	if (o.metrics != NULL) {
		err e = write_metrics(&c, done, clock_steady_ms() - began, o.metrics);

		if (e.kind != OK) { /* whoever reads that file believes an old result */
			ctl_explain(e);
			check_could_not(&c, e.what);
			done = result(&c);
		}
	}
	if (o.mail != NULL && done != DONE_OK) {
		err e = check_mail(&c, o.mail);

		if (e.kind != OK) { /* the exit code says it all the same */
			ctl_explain(e);
			check_could_not(&c, e.what);
		}
	}
	if (c.ctl.json)
		print_json(&c, clock_steady_ms() - began);
	else
		print_people(&c);
	return (int)done;
}
