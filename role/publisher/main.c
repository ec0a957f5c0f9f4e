#include <fcntl.h>

#include "role/publisher/publisher.h"

static err
serve(struct publisher *p, const struct start *s)
{
	const char *repository = start_path(s, "repository");
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);
	struct jail j;
	int fd = open(repository, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(ERR_WORLD, "publisher-folder: house: the repository's folder is gone");
	TRY(start_load(s, "inkan.conf", &text));
	TRY(publisher_configure(p, buf_slice(&text)));
	TRY(start_test_clock(s));
	TRY(wires_open(&p->wires));
	publisher_jail(s, &j);
	TRY(jail_enter(&j));
	TRY(publisher_open(p, fd));
	while (!wires_stopped(p->wires)) {
		TRY(publisher_turn(p));
		wires_flush(p->wires);
		TRY(wires_wait(p->wires, publisher_timeout_ms(p)));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct publisher *p = mem_new(1, sizeof *p);
	struct start s;
	err e = start_get("publisher", argc, argv, &s);

	if (e.kind == OK)
		e = serve(p, &s);
	publisher_drop(p);
	free(p);
	return start_end(e);
}
