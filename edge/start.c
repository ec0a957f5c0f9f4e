#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "base/conf.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/log.h"
#include "edge/start.h"

static err
get_clock(slice text, struct start *s)
{
	uint64_t wall, steady;
	slice w;

	if (!slice_cut(&text, ':', &w))
		return fail(ERR_INPUT, "start-usage: house: a role is started by inkand, not by hand");
	TRY(decimal_get(w, INT64_MAX, &wall));
	TRY(decimal_get(text, INT64_MAX, &steady));
	s->clock = (instant){(int64_t)wall};
	s->clock_at = (int64_t)steady;
	return ok;
}

err
start_get(const char *role, int argc, char **argv, struct start *out)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'},
	    {"number", required_argument, NULL, 'n'}, {"uid", required_argument, NULL, 'u'},
	    {"group", required_argument, NULL, 'g'}, {"clock", required_argument, NULL, 'c'}, {0}};
	const err usage = fail(ERR_INPUT, "start-usage: house: a role is started by inkand, not by hand");
	struct start s = {0};
	uint64_t uid = 0, group = 0;
	int c;

	signal(SIGPIPE, SIG_IGN);
	log_open(role);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == 'h')
			s.home = optarg;
		else if (c == '?' || (c == 'u' && decimal_get(slice_str(optarg), UINT32_MAX, &uid).kind != OK) ||
		         (c == 'g' && decimal_get(slice_str(optarg), UINT32_MAX, &group).kind != OK) ||
		         (c == 'n' && decimal_get(slice_str(optarg), UINT32_MAX, &s.number).kind != OK) ||
		         (c == 'c' && get_clock(slice_str(optarg), &s).kind != OK))
			return usage;
	if (s.home == NULL)
		return usage;
	s.mode = optind < argc ? argv[optind] : NULL;
	s.uid = (uint32_t)uid;
	s.group = (uint32_t)group;
	*out = s;
	return ok;
}

int
start_end(err e)
{
	if (e.kind == OK)
		return 0;
	if (e.kind == ERR_ABSENT && strncmp(e.what, "wires-control:", 14) == 0) /* inkand is gone: so are we */
		return 0;
	log_err(LOG_ALARM, e);
	return e.kind == ERR_CORRUPT ? 3 : e.kind == ERR_INPUT ? 2 : 1;
}

const char *
start_path(const struct start *s, const char *name)
{
	size_t n = strlen(s->home) + strlen(name) + 2;
	char *p = mem_new(n, 1);

	snprintf(p, n, "%s/%s", s->home, name);
	return p;
}

err
start_load(const struct start *s, const char *name, struct buf *out)
{
	struct buf path OWNED(buf_drop) = BUF(8192);

	buf_put_str(&path, s->home);
	buf_put_u8(&path, '/');
	buf_put_str(&path, name);
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	return file_load((const char *)path.p, out);
}

err
start_test_clock(const struct start *s)
{
	struct buf bytes OWNED(buf_drop) = BUF(CONF_MAX), name OWNED(buf_drop) = BUF(512);
	struct conf *conf OWNED(conf_drop) = NULL;
	slice file;
	err e = start_load(s, "inkan.conf", &bytes);

	if (e.kind == ERR_WORLD && e.why == ENOENT)
		return ok; /* no house, a test of one role */
	TRY(e);
	TRY(conf_get(buf_slice(&bytes), &conf));
	file = conf_text_or(conf, LIT("clock"), "test", (slice){NULL, 0});
	if (file.n == 0)
		return ok;
	buf_put(&name, file);
	buf_put_u8(&name, '\0');
	TRY(buf_check(&name));
	return clock_use_test(start_path(s, (const char *)name.p));
}
