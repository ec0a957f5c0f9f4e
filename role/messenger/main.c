#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "edge/jail.h"
#include "edge/start.h"
#include "role/messenger/messenger.h"

/* The folder of a delivered file: the file may come later, or be replaced. */
static const char *
folder_of(const char *path)
{
	char *folder = strdup(path), *slash;

	if (folder == NULL)
		abort();
	slash = strrchr(folder, '/');
	slash[slash == folder ? 1 : 0] = '\0';
	return folder;
}

/* Read before the jail: addresses, the mail folder, and what the resolver and TLS will want to open. */
static err
prepare(struct messenger *m, const struct start *s, struct jail *j)
{
	static const char *const system_paths[] = {
	    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/usr/lib"};
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);
	struct stat st;

	TRY(start_load(s, "inkan.conf", &text));
	TRY(messenger_configure(m, buf_slice(&text)));
	if (strcmp(m->relay, "folder") == 0) {
		const char *mail = start_path(s, "mail");

		m->mail_folder = open(mail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (m->mail_folder < 0)
			return fail_why(ERR_WORLD, "messenger-folder: house: the mail folder is not there", errno);
		j->write[j->n_write++] = mail;
	}
	for (size_t i = 0; i < m->n_crl; i++)
		if (m->crl[i][0] == '/')
			j->read[j->n_read++] = folder_of(m->crl[i]);
	for (size_t i = 0; i < COUNT(system_paths); i++)
		if (stat(system_paths[i], &st) == 0 && j->n_read < JAIL_PATHS_MAX)
			j->read[j->n_read++] = system_paths[i];
	return ok;
}

static err
serve(struct messenger *m, const struct start *s)
{
	struct jail j = {.role = "messenger", .sets = JAIL_PURE | JAIL_FILES | JAIL_CONNECT | JAIL_THREADS, .uid = s->uid};

	TRY(prepare(m, s, &j));
	TRY(wires_open(&m->wires));
	m->calls = calls_new();
	wires_watch(m->wires, calls_fd(m->calls));
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

	m->mail_folder = -1;
	e = start_get("messenger", argc, argv, &s);

	if (e.kind == OK)
		e = serve(m, &s);
	messenger_drop(m);
	free(m);
	return start_end(e);
}
