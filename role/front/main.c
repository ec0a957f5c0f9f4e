#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/jail.h"
#include "edge/log.h"
#include "role/front/front.h"

/* Until both the listener and the registrar's wire are there. */
static err
wait_for_wires(struct wires *w)
{
	while (!wires_stopped(w) && wires_listener(w, PEER_PUBLIC) < 0)
		TRY(wires_wait(w, 1000));
	return ok;
}

static err
serve(struct front *f, uint32_t uid, const char *home)
{
	char repository[1024];
	struct http_face public = front_face(f), private = front_private_face(f);
	struct jail j = {.role = "front", .sets = JAIL_PURE | JAIL_FILES | JAIL_ACCEPT, .uid = uid, .n_read = 1, .read = {repository}};

	snprintf(repository, sizeof repository, "%s/repository", home);
	f->repository = open(repository, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->repository < 0)
		return fail(ERR_WORLD, "front-repository: house: the repository's folder is not there");
	TRY(wires_open(&f->wires));
	TRY(wait_for_wires(f->wires));
	if (wires_stopped(f->wires))
		return ok;
	TRY(http_open(wires_listener(f->wires, PEER_PUBLIC), &public, &f->http));
	wires_watch(f->wires, http_fd(f->http));
	TRY(wires_wait(f->wires, 0)); /* the private listener comes right behind */
	if (wires_listener(f->wires, PEER_PRIVATE) >= 0) {
		TRY(http_open(wires_listener(f->wires, PEER_PRIVATE), &private, &f->private));
		wires_watch(f->wires, http_fd(f->private));
	}
	TRY(jail_enter(&j));
	while (!wires_stopped(f->wires)) {
		TRY(front_turn(f));
		wires_flush(f->wires);
		TRY(wires_wait(f->wires, front_timeout_ms(f)));
	}
	http_close(&f->http);
	http_close(&f->private);
	return ok;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"home", required_argument, NULL, 'h'}, {"number", required_argument, NULL, 'n'},
		{"uid", required_argument, NULL, 'u'}, {0}};
	struct front *f = mem_new(1, sizeof *f);
	const char *home = NULL;
	uint64_t uid = 0;
	int c;
	err e;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == 'h')
			home = optarg;
		else if (c == 'u' && decimal_get(slice_str(optarg), UINT32_MAX, &uid).kind != OK)
			return 2;
		else if (c == '?')
			return 2;
	if (home == NULL)
		return 2;
	log_open("front");
	e = serve(f, (uint32_t)uid, home);
	wires_drop(&f->wires);
	free(f);
	if (e.kind == OK || e.kind == ERR_ABSENT) /* inkand is gone: so are we */
		return 0;
	log_err(LOG_ALARM, e);
	return e.kind == ERR_CORRUPT ? 3 : 1;
}
