/* What inkan.conf says of each copy, and what the copies need of the jail. */

#include "edge/disk.h"
#include "edge/file.h"
#include "role/messenger/mirror.h"

#define SEC "mirror."

static err
set(char *out, size_t max, const struct conf *c, slice sec, const char *name)
{
	slice s = conf_text_or(c, sec, name, (slice){NULL, 0});

	if (s.n >= max)
		return fail(ERR_INPUT, "mirror-long: house: a value of a copy's configuration is too long");
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return ok;
}

static err
set_path(char *out, size_t max, const struct conf *c, slice sec, const char *name, const struct start *s)
{
	slice text = conf_text_or(c, sec, name, (slice){NULL, 0});
	int n;

	out[0] = '\0';
	if (text.n == 0)
		return ok;
	n = snprintf(out, max, "%s%s%.*s", text.p[0] == '/' ? "" : s->home, text.p[0] == '/' ? "" : "/", (int)text.n,
	    (const char *)text.p);
	if (n < 0 || (size_t)n >= max)
		return fail(ERR_INPUT, "mirror-long: house: a value of a copy's configuration is too long");
	return ok;
}

/* Characters that stand in a URL or a signature as they are. */
static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7F || strchr("\"<>\\^`{|}?#@", *s) != NULL)
			return false;
	return true;
}

static err
check(const struct mirror *m)
{
	if (m->kind == MIRROR_FOLDER)
		return m->folder[0] == '/' ? ok
		                           : fail(ERR_INPUT, "mirror-folder: house: a copy in a folder names it from the root");
	if (strncmp(m->url, "https://", 8) != 0 && strncmp(m->url, "http://", 7) != 0)
		return fail(ERR_INPUT, "mirror-url: house: a copy's url begins with https:// or http://");
	if (!is_plain(m->url) || !is_plain(m->bucket) || !is_plain(m->region))
		return fail(ERR_INPUT, "mirror-plain: house: url, bucket and region hold plain characters only");
	if (m->kind == MIRROR_S3 && (m->bucket[0] == '\0' || m->region[0] == '\0' || m->user[0] == '\0'))
		return fail(ERR_INPUT, "mirror-s3: house: a store wants url, bucket, region, user and secret");
	if (m->user[0] != '\0' && m->secret.n == 0)
		return fail(ERR_INPUT, "mirror-secret: house: a copy that names a user names the file of its secret");
	return ok;
}

static err
configure_one(struct mirror *m, const struct conf *c, slice sec, const struct start *s)
{
	static const char *const names[] = {"kind", "folder", "url", "bucket", "region", "user", "secret", "ca", NULL};
	slice kind;
	char secret[512];

	m->fd = m->have = m->walk = m->look.near = m->puts.fd = m->gones.fd = -1;
	m->refused = mem_new(MIRROR_REFUSED_MAX, sizeof *m->refused);
	TRY(conf_check_known(c, sec, names));
	memcpy(m->name, sec.p + sizeof SEC - 1, sec.n - (sizeof SEC - 1));
	TRY(conf_text(c, sec, "kind", &kind));
	m->kind = slice_eq(kind, LIT("folder")) ? MIRROR_FOLDER : slice_eq(kind, LIT("s3")) ? MIRROR_S3 : MIRROR_PUT;
	if (m->kind == MIRROR_PUT && !slice_eq(kind, LIT("put")))
		return fail(ERR_INPUT, "mirror-kind: house: a copy's kind is folder, s3 or put");
	TRY(set(m->url, sizeof m->url, c, sec, "url"));
	TRY(set(m->bucket, sizeof m->bucket, c, sec, "bucket"));
	TRY(set(m->region, sizeof m->region, c, sec, "region"));
	TRY(set(m->user, sizeof m->user, c, sec, "user"));
	TRY(set(m->folder, sizeof m->folder, c, sec, "folder"));
	TRY(set_path(m->ca, sizeof m->ca, c, sec, "ca", s));
	TRY(set_path(secret, sizeof secret, c, sec, "secret", s));
	if (secret[0] != '\0')
		TRY(file_load_pin(secret, &m->secret));
	while (m->url[0] != '\0' && m->url[strlen(m->url) - 1] == '/')
		m->url[strlen(m->url) - 1] = '\0';
	return check(m);
}

err
mirrors_configure(struct mirrors *m, const struct conf *c, const struct start *s)
{
	m->mirror = mem_new(MIRRORS_MAX, sizeof *m->mirror);
	for (size_t i = 0; conf_section(c, i).n > 0; i++) {
		slice sec = conf_section(c, i);

		if (!slice_has_prefix(sec, LIT(SEC)) || sec.n == sizeof SEC - 1)
			continue;
		if (m->n == MIRRORS_MAX)
			return fail(ERR_INPUT, "mirror-many: house: more than eight copies; further ones are made from copies");
		TRY(configure_one(&m->mirror[m->n++], c, sec, s));
	}
	if (m->n == 0)
		return ok;
	TRY(disk_folder(DISK_HERE, start_path(s, "repository"), FOLDER_THERE, &m->repository));
	TRY(disk_folder(DISK_HERE, start_path(s, "mirror"), FOLDER_THERE, &m->folder));
	for (size_t i = 0; i < m->n; i++)
		if (m->mirror[i].kind == MIRROR_FOLDER)
			TRY(disk_folder(DISK_HERE, m->mirror[i].folder, FOLDER_THERE, &m->mirror[i].fd));
	m->calls = calls_new();
	return ok;
}

void
mirrors_jail(const struct mirrors *m, const struct start *s, struct jail *out)
{
	if (m->n == 0)
		return;
	out->group = s->group;
	out->read[out->n_read++] = start_path(s, "repository");
	out->write[out->n_write++] = start_path(s, "mirror");
	for (size_t i = 0; i < m->n; i++) {
		if (m->mirror[i].kind == MIRROR_FOLDER)
			out->write[out->n_write++] = m->mirror[i].folder;
		if (m->mirror[i].ca[0] != '\0' && out->n_read < JAIL_PATHS_MAX)
			out->read[out->n_read++] = m->mirror[i].ca;
	}
}
