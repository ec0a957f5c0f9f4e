/* The repository as a copy is made of it: a file by its path, and a look over all of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/disk.h"
#include "role/messenger/mirror_inside.h"

#define DEPTH_MAX 24 /* folders below each other: a base64 path has at most a few strokes */

/*
 * The folder a path ends in, step by step: no link is followed, whoever made it.  Where it is made on the way it is readable
 * for everybody: it is a copy of what is public.
 */
err
mirror_enter(int top, const char *path, bool make, int *out, const char **name)
{
	int folder = dup(top);
	const char *stroke;

	*name = path;
	while (folder >= 0 && (stroke = strchr(path, '/')) != NULL) {
		char step[256];
		int below;

		snprintf(step, sizeof step, "%.*s", (int)(stroke - path), path);
		path = stroke + 1;
		if (step[0] == '\0')
			continue;
		if (make && mkdirat(folder, step, 0755) == 0)
			(void)fsync(folder);
		below = openat(folder, step, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		close(folder);
		folder = below;
	}
	if (folder < 0 && !make && errno == ENOENT)
		return fail(ERR_ABSENT, "disk-absent: house: there is no such file");
	if (folder < 0)
		return fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
	*out = folder;
	*name = path;
	return ok;
}

err
mirror_open_published(const struct mirrors *all, const char *path, int *out)
{
	const char *name;
	int folder = -1;
	err e;

	TRY(mirror_enter(all->repository, path, false, &folder, &name));
	e = disk_open(folder, name, DISK_READ, out);
	disk_close(&folder);
	return e;
}

bool
mirror_is_there(const struct mirrors *all, const char *path)
{
	const char *name;
	struct stat st;
	int folder = -1;
	bool there;

	if (mirror_enter(all->repository, path, false, &folder, &name).kind != OK)
		return false;
	there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	disk_close(&folder);
	return there;
}

bool
mirror_path_ends(const char *s, const char *ending)
{
	size_t n = strlen(s), k = strlen(ending);

	return n >= k && strcmp(s + n - k, ending) == 0;
}

/* Speaks for other files: goes when they are there. */
bool
mirror_is_last(const char *path)
{
	return mirror_path_ends(path, ".html") || strncmp(path, "fingerprints.", 13) == 0 ||
	       strcmp(path, "books/checkpoint") == 0 || strcmp(path, "texts/history.txt") == 0;
}

static err
list_put(struct mirror *m, char sign, const char *path)
{
	struct buf b OWNED(buf_drop) = BUF(CHANGES_PATH_MAX + 2);

	buf_put_u8(&b, (uint8_t)sign);
	buf_put_str(&b, path);
	buf_put_u8(&b, '\n');
	if (buf_check(&b).kind != OK) /* longer than any path of ours */
		return ok;
	m->walk_left++;
	return disk_append(m->walk, buf_slice(&b));
}

/*
 * A base64 path with "//" is shorter on the disk than in a request.  All requests for an issuer's certificates have one
 * length, so only a shorter one is looked up, in the answer itself.
 */
#define OCSP_PATH_BYTES 117 /* "ocsp/" and the base64 of 83 bytes: a SHA-1 CertID with a serial of 16 */

static void
whole_ocsp_path(const struct mirrors *all, char path[CHANGES_PATH_MAX + 1])
{
	struct buf b OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX),
	             out OWNED(buf_drop) = BUF(CHANGES_PATH_MAX);
	struct ocsp_certid id = {.alg = HASH_SHA1};
	struct ocsp_answer a;
	const char *name;
	int folder = -1;
	err e;

	if (strlen(path) >= OCSP_PATH_BYTES || mirror_enter(all->repository, path, false, &folder, &name).kind != OK)
		return;
	e = disk_load(folder, name, &b);
	disk_close(&folder);
	if (e.kind != OK || ocsp_answer_get(buf_slice(&b), &a).kind != OK)
		return;
	id.name_hash = ARR(a.issuer.name1);
	id.key_hash = ARR(a.issuer.key1);
	id.serial = a.serial;
	ocsp_request_put(&request, &id, (slice){NULL, 0});
	buf_put_str(&out, "ocsp/");
	buf_put_base64(&out, buf_slice(&request));
	if (buf_check(&out).kind == OK) {
		memcpy(path, out.p, out.n);
		path[out.n] = '\0';
	}
}

/* Every file below one folder: those that speak for others, or the rest. */
static err
list_folder(const struct mirrors *all, struct mirror *m, int folder, const char *above, bool last, unsigned depth)
{
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *x;
	err e = ok;

	if (d == NULL)
		return fail_why(ERR_WORLD, "mirror-list: house: a folder of the repository cannot be read", errno);
	while (e.kind == OK && (x = readdir(d)) != NULL) {
		char path[CHANGES_PATH_MAX + 1];
		struct stat st;
		int n = snprintf(path, sizeof path, "%s%s", above, x->d_name);

		if (x->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path - 1 || mirror_path_ends(path, ".new") ||
		    mirror_path_ends(path, ".part") || strcmp(path, CHANGES_NAME) == 0 || strcmp(path, "status") == 0 ||
		    fstatat(folder, x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(folder, x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

			path[n] = '/';
			path[n + 1] = '\0';
			if (below < 0)
				continue; /* gone meanwhile */
			e = list_folder(all, m, below, path, last, depth + 1);
			disk_close(&below);
		} else if (S_ISREG(st.st_mode) && mirror_is_last(path) == last) {
			if (strncmp(path, "ocsp/", 5) == 0)
				whole_ocsp_path(all, path);
			e = list_put(m, '+', path);
		}
	}
	closedir(d);
	return e;
}

/* --- a look over everything ----------------------------------------------------------------------- */

err
mirror_walk_start(const struct mirrors *all, struct mirror *m)
{
	char name[96], line[CHANGES_PATH_MAX + 2];
	struct change c;
	uint64_t at = 0;
	bool have = true;
	err e = ok;

	while (have)
		TRY(changes_next(&m->puts, &have, &c));
	m->walk_seq = m->puts.seq; /* what comes after this line is followed when the look has ended */
	mirror_own_name(name, m, "walk");
	disk_close(&m->walk);
	TRY(disk_open(all->folder, name, DISK_SCRATCH, &m->walk));
	m->walk_left = 0;
	while (e.kind == OK && mirror_list_line(m->have, &at, line))
		if (line[0] == '+' && !mirror_is_there(all, line + 1))
			e = list_put(m, '-', line + 1);
	TRY(e);
	TRY(list_folder(all, m, all->repository, "", false, 0));
	TRY(list_folder(all, m, all->repository, "", true, 0));
	m->walk_at = 0;
	m->walking = true;
	m->lost = 0;
	if (m->n_refused > 0) { /* all of them are tried with the rest */
		m->n_refused = 0;
		mirror_save_refused(all, m);
	}
	return ok;
}

/* All of it is there: what the look found is what it has. */
err
mirror_walk_end(const struct mirrors *all, struct mirror *m)
{
	char from[96], to[96];

	TRY(disk_sync(m->walk));
	disk_close(&m->walk);
	mirror_own_name(from, m, "walk");
	mirror_own_name(to, m, "have");
	TRY(disk_rename(all->folder, from, to));
	TRY(mirror_open_have(all, m));
	m->walking = false;
	m->place = (struct changes_place){m->puts.epoch, m->walk_seq};
	return ok;
}
