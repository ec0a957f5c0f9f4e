#include <errno.h>
#include <fcntl.h>

#include "base/conf.h"
#include "role/front/front.h"

/* Both listeners and their loops; the private one comes right behind the public one. */
static err
listen_all(struct front *f)
{
	struct http_face public = front_face(f), private = front_private_face(f);

	while (!wires_stopped(f->wires) && wires_listener(f->wires, PEER_PUBLIC) < 0)
		TRY(wires_wait(f->wires, 1000));
	if (wires_stopped(f->wires))
		return ok;
	TRY(http_open(wires_listener(f->wires, PEER_PUBLIC), &public, &f->http));
	wires_watch(f->wires, http_fd(f->http));
	TRY(wires_wait(f->wires, 0));
	if (wires_listener(f->wires, PEER_PRIVATE) >= 0) {
		TRY(http_open(wires_listener(f->wires, PEER_PRIVATE), &private, &f->private));
		wires_watch(f->wires, http_fd(f->private));
	}
	return ok;
}

err
front_configure(struct front *f, const struct start *s)
{
	struct buf bytes OWNED(buf_drop) = BUF(CONF_MAX);
	struct conf *conf OWNED(conf_drop) = NULL;
	err e = start_load(s, "inkan.conf", &bytes);

	if (e.kind == ERR_WORLD && e.why == ENOENT)
		return ok; /* no house, a test of this role */
	TRY(e);
	TRY(conf_get(buf_slice(&bytes), &conf));
	return revocation_unknown_get(conf_text_or(conf, LIT("ocsp"), "unknown", LIT("unauthorized")), &f->unknown);
}

static err
serve(struct front *f, const struct start *s)
{
	const char *repository = start_path(s, "repository");
	struct jail j;

	f->number = (unsigned)s->number;
	f->house = mem_new(1, sizeof *f->house);
	f->der = BUF(OCSP_REQUEST_MAX);
	f->answers.text = BUF(512);
	TRY(start_test_clock(s));
	TRY(front_configure(f, s));
	front_jail(s, &j);
	f->repository = open(repository, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->repository < 0)
		return fail(ERR_WORLD, "front-repository: house: the repository's folder is not there");
	TRY(wires_open(&f->wires));
	TRY(listen_all(f));
	TRY(jail_enter(&j));
	while (!wires_stopped(f->wires)) {
		TRY(front_turn(f));
		wires_flush(f->wires);
		TRY(wires_wait(f->wires, front_timeout_ms(f)));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct front *f = mem_new(1, sizeof *f);
	struct start s;
	err e = start_get("front", argc, argv, &s);

	if (e.kind == OK)
		e = serve(f, &s);
	answers_drop(&f->answers);
	buf_drop(&f->der);
	free(f->house);
	http_close(&f->http);
	http_close(&f->private);
	wires_drop(&f->wires);
	free(f);
	return start_end(e);
}
