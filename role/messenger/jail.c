#include <sys/stat.h>

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

void
messenger_jail(const struct messenger *m, const struct start *s, struct jail *out)
{
	static const char *const system_paths[] = {
	    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/usr/lib"};
	struct jail j = {.role = "messenger", .sets = JAIL_PURE | JAIL_FILES | JAIL_CONNECT | JAIL_THREADS, .uid = s->uid};
	struct stat st;

	if (strcmp(m->relay, "folder") == 0)
		j.write[j.n_write++] = start_path(s, "mail");
	for (size_t i = 0; i < m->n_crl; i++)
		if (m->crl[i][0] == '/')
			j.read[j.n_read++] = folder_of(m->crl[i]);
	for (size_t i = 0; i < COUNT(system_paths); i++)
		if (stat(system_paths[i], &st) == 0 && j.n_read < JAIL_PATHS_MAX)
			j.read[j.n_read++] = system_paths[i];
	mirrors_jail(&m->mirrors, s, &j);
	*out = j;
}
