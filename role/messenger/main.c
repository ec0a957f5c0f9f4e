#include <errno.h>
#include <fcntl.h>

#include "edge/ed25519.h"
#include "role/messenger/messenger.h"

/* Read before the jail: addresses, the mail folder. */
static err
prepare(struct messenger *m, const struct start *s)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);

	TRY(start_load(s, "inkan.conf", &text));
	TRY(messenger_configure(m, buf_slice(&text)));
	TRY(mirrors_configure(&m->mirrors, m->conf, s));
	TRY(start_test_clock(s));
	if (m->beat.url[0] != '\0') {
		struct buf key OWNED(buf_drop) = BUF(SECRET_MAX);

		TRY(start_load(s, "keys/heartbeat.key", &key));
		TRY(secret_set(&m->beat.key, buf_slice(&key)));
		wipe(key.p, key.n);
		if (m->beat.key.n != ED25519_SEED)
			return fail(ERR_INPUT, "heartbeat-key: house: keys/heartbeat.key holds 32 bytes");
	}
	if (strcmp(m->relay, "folder") != 0)
		return ok;
	m->mail_folder = open(start_path(s, "mail"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->mail_folder < 0)
		return fail_why(ERR_WORLD, "messenger-folder: house: the mail folder is not there", errno);
	return ok;
}

static err
serve(struct messenger *m, const struct start *s)
{
	struct jail j;

	TRY(prepare(m, s));
	TRY(wires_open(&m->wires));
	m->calls = calls_new();
	wires_watch(m->wires, calls_fd(m->calls));
	if (m->mirrors.n > 0)
		wires_watch(m->wires, calls_fd(m->mirrors.calls));
	messenger_jail(m, s, &j);
	TRY(jail_enter(&j));
	while (!wires_stopped(m->wires)) {
		TRY(messenger_turn(m));
		wires_flush(m->wires);
		TRY(wires_wait(m->wires, messenger_timeout_ms(m)));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct messenger *m = mem_new(1, sizeof *m);
	struct start s;
	err e;

	m->mail_folder = m->mirrors.repository = m->mirrors.folder = -1;
	e = start_get("messenger", argc, argv, &s);

	if (e.kind == OK)
		e = serve(m, &s);
	messenger_drop(m);
	free(m);
	return start_end(e);
}
