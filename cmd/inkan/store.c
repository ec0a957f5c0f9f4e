/* This person's folder: every write is whole and durable, or was not made. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/inkan/inkan.h"

static err
make_dir(const char *path)
{
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail_why(ERR_WORLD, "store-dir: inkan(1): the folder for your state cannot be made", errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_why(ERR_WORLD, "store-dir: inkan(1): the folder for your state cannot be made", errno);
	(void)fsync(fd);
	close(fd);
	return ok;
}

err
store_open(struct inkan *k)
{
	static char in_home[4096];
	struct stat st;

	if (k->o.dir == NULL) {
		const char *home = getenv("HOME");

		if (home == NULL || snprintf(in_home, sizeof in_home, "%s/.inkan", home) >= (int)sizeof in_home)
			return fail(ERR_INPUT, "store-home: inkan(1): there is no HOME; name a folder with --dir");
		k->o.dir = in_home;
	}
	TRY(make_dir(k->o.dir));
	k->dir = open(k->o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir < 0 || fstat(k->dir, &st) != 0)
		return fail_why(ERR_WORLD, "store-dir: inkan(1): the folder for your state cannot be made", errno);
	if ((st.st_mode & 077) != 0)
		return fail(ERR_POLICY, "store-mode: inkan(1): others can read the folder; make it yours alone with chmod 700");
	if (flock(k->dir, LOCK_EX | LOCK_NB) != 0)
		return fail(ERR_BUSY, "store-lock: inkan(1): another inkan works in this folder");
	return ok;
}

bool
store_has(const struct inkan *k, const char *name)
{
	return faccessat(k->dir, name, F_OK, 0) == 0;
}

static err
read_all(int fd, size_t max, struct buf *out)
{
	uint8_t part[65536];
	ssize_t n;

	buf_clear(out);
	while ((n = read(fd, part, sizeof part)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_why(ERR_WORLD, "store-read: inkan(1): the file cannot be read", errno);
		buf_put(out, slice_of(part, (size_t)n));
		if (out->over || out->n > max)
			return fail(ERR_INPUT, "store-long: inkan(1): the file is longer than such a file can be");
	}
	wipe(part, sizeof part);
	return ok;
}

err
store_read(const struct inkan *k, const char *name, struct buf *out)
{
	int fd = openat(k->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	err e;

	if (fd < 0)
		return fail_why(ERR_ABSENT, "store-absent: inkan(1): there is no such file in your folder", errno);
	e = read_all(fd, out->max, out);
	close(fd);
	return e;
}

static err
write_to(int dir, const char *name, int flags, slice bytes)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	bool good = fd >= 0;

	while (good && bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		good = n > 0;
		if (good)
			bytes = (slice){bytes.p + n, bytes.n - (size_t)n};
	}
	good = good && fsync(fd) == 0;
	if (fd >= 0)
		good = close(fd) == 0 && good;
	return good ? ok : fail_why(ERR_WORLD, "store-write: inkan(1): the file cannot be written", errno);
}

err
store_write(const struct inkan *k, const char *name, slice bytes)
{
	TRY(write_to(k->dir, ".new", O_TRUNC, bytes));
	if (renameat(k->dir, ".new", k->dir, name) != 0 || fsync(k->dir) != 0)
		return fail_why(ERR_WORLD, "store-write: inkan(1): the file cannot be written", errno);
	return ok;
}

err
store_append(const struct inkan *k, const char *name, slice bytes)
{
	TRY(write_to(k->dir, name, O_APPEND, bytes));
	return fsync(k->dir) == 0 ? ok : fail_why(ERR_WORLD, "store-write: inkan(1): the file cannot be written", errno);
}

err
store_rename(const struct inkan *k, const char *from, const char *to)
{
	if (renameat(k->dir, from, k->dir, to) != 0 || fsync(k->dir) != 0)
		return fail_why(ERR_WORLD, "store-write: inkan(1): the file cannot be written", errno);
	return ok;
}

void
store_path(const struct inkan *k, const char *name, struct buf *out)
{
	buf_clear(out);
	buf_put_str(out, k->o.dir);
	buf_put_u8(out, '/');
	buf_put(out, slice_of(name, strlen(name) + 1));
}

err
file_read(const char *path, size_t max, struct buf *out)
{
	int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	err e;

	if (fd < 0)
		return fail_why(ERR_ABSENT, "store-file: inkan(1): the file cannot be opened", errno);
	e = read_all(fd, max, out);
	close(fd);
	return e;
}

/* --- state.json ------------------------------------------------------------------------ */
#define STATE_FILE "state.json"
#define STATE_MAX (16U << 10)

static const struct {
	const char *name;
	size_t at;
} FIELDS[] = {{"url", offsetof(struct state, url)}, {"profile", offsetof(struct state, profile)},
    {"service", offsetof(struct state, service)}, {"dossier", offsetof(struct state, dossier)},
    {"token", offsetof(struct state, token)}, {"key", offsetof(struct state, key)},
    {"key_module", offsetof(struct state, key_module)}, {"key_label", offsetof(struct state, key_label)},
    {"key_id", offsetof(struct state, key_id)}};

void
state_drop(struct state *s)
{
	json_drop(&s->doc);
	*s = (struct state){.doc = NULL};
}

err
state_load(const struct inkan *k, struct state *out)
{
	struct buf file OWNED(buf_drop) = BUF(STATE_MAX);
	struct state s = {.doc = NULL};
	uint64_t format;
	err e;

	if (!store_has(k, STATE_FILE))
		return fail(ERR_ABSENT, "state-none: inkan(1): nobody has applied from this folder yet; see inkan apply");
	TRY(store_read(k, STATE_FILE, &file));
	e = json_get(buf_slice(&file), &s.doc);
	if (e.kind == OK)
		e = json_natural(json_root(s.doc), "format", &format);
	if (e.kind == OK && format != 1)
		e = fail(ERR_INPUT, "state-format: inkan(1): the folder was written by a later version of inkan");
	for (size_t i = 0; e.kind == OK && i < COUNT(FIELDS); i++)
		if (json_has(json_root(s.doc), FIELDS[i].name))
			e = json_text(json_root(s.doc), FIELDS[i].name, (slice *)(void *)((char *)&s + FIELDS[i].at));
	if (e.kind != OK) {
		json_drop(&s.doc);
		return e;
	}
	*out = s;
	return ok;
}

err
state_save(const struct inkan *k, const struct state *s)
{
	struct buf b OWNED(buf_drop) = BUF(STATE_MAX);
	struct state copy = *s;

	json_open(&b, '{');
	json_put_named_number(&b, "format", 1);
	for (size_t i = 0; i < COUNT(FIELDS); i++) {
		slice v = *(slice *)(void *)((char *)&copy + FIELDS[i].at);

		if (v.n > 0)
			json_put_named(&b, FIELDS[i].name, v);
	}
	json_close(&b, '}');
	buf_put_u8(&b, '\n');
	TRY(buf_check(&b));
	return store_write(k, STATE_FILE, buf_slice(&b));
}
