#include "edge/clock.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

static err
use_test_clock(const struct start *s, const struct trust *t)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX), name OWNED(buf_drop) = BUF(1024);
	struct conf *c OWNED(conf_drop) = NULL;
	slice file;

	TRY(start_load(s, "inkan.conf", &text));
	TRY(conf_get(buf_slice(&text), &c));
	file = conf_text_or(c, LIT("clock"), "test", (slice){NULL, 0});
	if (file.n == 0)
		return ok;
	if (!t->test_clock)
		return fail(ERR_POLICY, "registrar-test-clock: design law 7: the trust file does not allow a test clock");
	buf_put(&name, file);
	buf_put_u8(&name, 0);
	return clock_use_test(start_path(s, (const char *)name.p));
}

static err
serve(struct registrar *r, const struct start *s)
{
	struct jail j;

	TRY(wires_open(&r->wires));
	jail_warm_up();
	TRY(registrar_configure(r, s->home));
	r->seen = s->clock;
	r->seen_at = s->clock_at;
	TRY(use_test_clock(s, r->trust));
	registrar_jail(s, r->weak_jail, &j);
	TRY(jail_enter(&j));
	TRY(registrar_open(r));
	while (!wires_stopped(r->wires)) {
		TRY(registrar_turn(r));
		wires_flush(r->wires);
		TRY(wires_wait(r->wires, registrar_timeout_ms(r)));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct registrar *r = mem_new(1, sizeof *r);
	struct start s;
	err e = start_get("registrar", argc, argv, &s);

	if (e.kind == OK)
		e = serve(r, &s);
	registrar_close(r);
	wires_drop(&r->wires);
	free(r);
	return start_end(e);
}
