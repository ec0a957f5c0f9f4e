#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/jail.h"
#include "edge/log.h"
#include "role/messenger/messenger.h"

/* Read before the jail: URLs, the mail folder, and what the resolver and TLS will want to open. */
static err
prepare(struct messenger *m, const char *home, struct jail *j)
{
	static char mail[1024];
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);
	char path[1024];
	uint8_t chunk[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/inkan.conf", home);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_why(ERR_WORLD, "messenger-conf: house: inkan.conf cannot be read", errno);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		buf_put(&text, slice_of(chunk, (size_t)n));
	close(fd);
	TRY(messenger_configure(m, buf_slice(&text)));
	m->mail_folder = -1;
	if (strcmp(m->relay, "folder") == 0) {
		snprintf(mail, sizeof mail, "%s/mail", home);
		m->mail_folder = open(mail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (m->mail_folder < 0)
			return fail_why(ERR_WORLD, "messenger-folder: house: the mail folder is not there", errno);
		j->write[j->n_write++] = mail;
	}
	for (size_t i = 0; i < m->n_crl; i++)
		if (m->crl[i][0] == '/') {
			char *slash;
			static char folder[MESSENGER_URLS_MAX][256];

			snprintf(folder[i], sizeof folder[i], "%s", m->crl[i]); /* the file may come later, or be replaced */
			slash = strrchr(folder[i], '/');
			slash[slash == folder[i] ? 1 : 0] = '\0';
			j->read[j->n_read++] = folder[i];
		}
	for (size_t i = 0; i < 5; i++) { /* resolver and certificates of the authorities */
		static const char *const system_paths[] = {
		    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/usr/lib"};
		struct stat st;

		if (stat(system_paths[i], &st) == 0 && j->n_read < JAIL_PATHS_MAX)
			j->read[j->n_read++] = system_paths[i];
	}
	return ok;
}

static err
serve(struct messenger *m, const char *home, uint32_t uid)
{
	struct jail j = {.role = "messenger", .sets = JAIL_PURE | JAIL_FILES | JAIL_CONNECT | JAIL_THREADS, .uid = uid};

	TRY(prepare(m, home, &j));
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
	static const struct option options[] = {{"home", required_argument, NULL, 'h'},
	    {"number", required_argument, NULL, 'n'}, {"uid", required_argument, NULL, 'u'}, {0}};
	struct messenger *m = mem_new(1, sizeof *m);
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
	log_open("messenger");
	e = serve(m, home, (uint32_t)uid);
	if (m->calls != NULL)
		messenger_drop(m);
	free(m);
	if (e.kind == OK || e.kind == ERR_ABSENT) /* inkand is gone: so are we */
		return 0;
	log_err(LOG_ALARM, e);
	return e.kind == ERR_CORRUPT ? 3 : 1;
}
