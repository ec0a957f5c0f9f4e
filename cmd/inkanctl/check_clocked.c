/*
 * The check by inkand's clock (cmd/inkand/checker.h): a process of its own user, jailed before it reads a line.
 *
 * HOLDS    the trust file and the profile, read while it is still root.
 * TOUCHES  the books' lines and tiles (reads); the network, for what is public and the resolver's files.
 * NEVER    openings, evidence, sealed data, keys, the projection, journals, repository, mail; writes nothing but one line of numbers on descriptor 3; starts
 *          no process.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "cmd/inkanctl/check.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/jail.h"
#include "edge/log.h"

#define LOGGED_MAX 20U
#define TO_INKAND 3

/* A slice of the configuration as a string that lives as long as this process. */
static const char *
keep(slice s)
{
	char *p = mem_new(s.n + 1, 1);

	memcpy(p, s.p, s.n);
	return p;
}

static err
enter_jail(const struct check *c, uint32_t uid, uint32_t group)
{
	static const char *const system_paths[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl",
	    "/usr/lib"},
	                         *const lines[] = {"version", "entries", "tile"};
	struct jail j = {
	    .role = "checker", .sets = JAIL_PURE | JAIL_READ | JAIL_CONNECT | JAIL_THREADS, .uid = uid, .group = group};
	struct stat st;

	/* of the books what is published anyway: it parses what strangers serve, and can connect */
	for (size_t i = 0; i < COUNT(lines); i++) {
		char path[4096];

		if (snprintf(path, sizeof path, "%s/%s", c->ctl.home, lines[i]) < (int)sizeof path && stat(path, &st) == 0)
			j.read[j.n_read++] = keep(slice_str(path));
	}
	for (size_t i = 0; i < COUNT(system_paths); i++)
		if (stat(system_paths[i], &st) == 0)
			j.read[j.n_read++] = system_paths[i];
	return jail_enter(&j);
}

/* "UID:GROUP". */
static err
get_who(const char *text, uint64_t *uid, uint64_t *group)
{
	slice s = slice_str(text), first;

	if (!slice_cut(&s, ':', &first) || decimal_get(first, UINT32_MAX, uid).kind != OK ||
	    decimal_get(s, UINT32_MAX, group).kind != OK)
		return fail(ERR_INPUT, "check-clocked: house: a check by the clock is started by inkand, not by hand");
	return ok;
}

static err
load(const char *home, slice name, struct buf *out)
{
	struct buf path OWNED(buf_drop) = BUF(4096);

	if (name.n == 0 || name.p[0] != '/') {
		buf_put_str(&path, home);
		buf_put_u8(&path, '/');
	}
	buf_put(&path, name);
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	return file_load((const char *)path.p, out);
}

static err
prepare(struct check *c, uint64_t uid, uint64_t group)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX), trust OWNED(buf_drop) = BUF(CONF_MAX),
	                books OWNED(buf_drop) = BUF(4096);
	struct conf *conf OWNED(conf_drop) = NULL;
	slice url;

	TRY(load(c->ctl.home, LIT("inkan.conf"), &text));
	TRY(conf_get(buf_slice(&text), &conf));
	TRY(load(c->ctl.home, conf_text_or(conf, LIT("registrar"), "trust", LIT("trust.conf")), &trust));
	TRY(trust_get(buf_slice(&trust), &c->trust));
	c->profile_file = BUF(CONF_MAX);
	TRY(load(c->ctl.home, conf_text_or(conf, LIT("registrar"), "profile", LIT("profile.conf")), &c->profile_file));
	TRY(check_configure(c, conf));
	url = conf_text_or(conf, LIT("check"), "url", (slice){NULL, 0});
	if (url.n > 0)
		c->source.base = keep(url);
	buf_put_str(&books, c->ctl.home);
	buf_put_str(&books, "/books");
	c->ctl.home = keep(buf_slice(&books));
	c->lines = true;
	TRY(net_open(&c->source.net)); /* libcurl loads what it needs */
	return enter_jail(c, (uint32_t)uid, (uint32_t)group);
}

/* Serials and codes, no names: what differs, for whoever looks into the log. */
static void
log_found(const struct check *c)
{
	for (size_t i = 0; i < c->found.n && i < LOGGED_MAX; i++) {
		const struct difference *d = &c->found.at[i];

		if (d->serial.n > 0)
			log_id(LOG_ALARM, d->what, "serial", serial_slice(&d->serial));
		else
			log_text(LOG_ALARM, d->what);
	}
	for (size_t i = 0; i < c->n_could_not; i++)
		log_text(LOG_ALARM, c->could_not[i]);
}

enum done
check_clocked(struct check *c, const char *who)
{
	uint64_t uid, group;
	char line[96];
	enum done done;
	err e;
	int n;

	log_open("checker");
	c->ctl.progress = false;
	c->jobs = 0; /* none but this process */
	e = get_who(who, &uid, &group);
	if (e.kind == OK)
		e = prepare(c, uid, group);
	if (e.kind == OK)
		done = check_run(c);
	else {
		check_could_not(c, e.what);
		done = DONE_WORLD;
	}
	log_found(c);
	n = snprintf(line, sizeof line, "%llu %zu %llu\n", (unsigned long long)c->found.total, c->n_could_not,
	    (unsigned long long)c->count.answers);
	return n > 0 && write(TO_INKAND, line, (size_t)n) == (ssize_t)n ? done : DONE_WORLD;
}
