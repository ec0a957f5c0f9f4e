/*
 * A look over everything: what was put and stands there no more, then every file.  In steps, for a repository may hold
 * millions of files, and whoever waits for messenger (inkand for its beat, the registrar for J-LIS) waits for one step.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/disk.h"
#include "role/messenger/mirror_inside.h"

#define SYNC_BYTES (4U << 20) /* of NAME.walk at once: its end must not wait for all of it */

static err
flush_list(struct mirror *m)
{
	struct mirror_look *k = &m->look;

	if (k->out.n == 0)
		return ok;
	TRY(disk_append(m->walk, buf_slice(&k->out)));
	k->unsynced += k->out.n;
	buf_clear(&k->out);
	if (k->unsynced < SYNC_BYTES)
		return ok;
	k->unsynced = 0;
	return disk_sync(m->walk);
}

/* What is none of our paths, say with a line's end in it, is not listed: it would be other lines. */
static err
list_put(struct mirror *m, char sign, slice path)
{
	struct buf *out = &m->look.out;

	if (!changes_is_path(path))
		return ok;
	if (out->n + path.n + 2 > out->max)
		TRY(flush_list(m));
	buf_put_u8(out, (uint8_t)sign);
	buf_put(out, path);
	buf_put_u8(out, '\n');
	m->walk_left++;
	return buf_check(out);
}

/* --- what was put ------------------------------------------------------------------------------------ */

/* As mirror_is_there, of many lines that name one folder; what cannot be looked at is an error, not absent. */
static err
is_there(const struct mirrors *all, struct mirror_look *k, const char *path, bool *there)
{
	const char *stroke = strrchr(path, '/'), *name = stroke == NULL ? path : stroke + 1;
	size_t n = (size_t)(name - path);
	struct stat st;

	*there = false;
	if (k->near < 0 || strncmp(k->near_path, path, n) != 0 || k->near_path[n] != '\0') {
		err e;

		disk_close(&k->near);
		e = mirror_enter(all->repository, path, false, &k->near, &name);
		if (e.kind == ERR_ABSENT || e.why == ENOTDIR || e.why == ELOOP)
			return ok;
		TRY(e);
		memcpy(k->near_path, path, n);
		k->near_path[n] = '\0';
	}
	*there = fstatat(k->near, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	return ok;
}

/* One line of NAME.have. */
static err
know_one(const struct mirrors *all, struct mirror *m)
{
	struct mirror_look *k = &m->look;
	char path[CHANGES_PATH_MAX + 1];
	bool have, there = true;
	slice line;

	TRY(mirror_next_line(m->have, &k->had, &have, &line));
	if (!have) {
		TRY(mirror_end_have(m));
		k->step = m->walking ? MIRROR_FINDS : MIRROR_STANDS;
		return ok;
	}
	if (line.p[0] != '+')
		return ok;
	line = (slice){line.p + 1, line.n - 1};
	(void)mirror_know(m, line);
	if (!m->walking)
		return ok;
	memcpy(path, line.p, line.n);
	path[line.n] = '\0';
	TRY(is_there(all, k, path, &there));
	return there ? ok : list_put(m, '-', line);
}

/* --- what stands there ------------------------------------------------------------------------------- */

/*
 * A base64 path with "//" is shorter on the disk than in a request.  All requests for an issuer's certificates have one
 * length, so only a shorter one is looked up, in the answer itself.
 */
#define OCSP_PATH_BYTES 117 /* "ocsp/" and the base64 of 83 bytes: a SHA-1 CertID with a serial of 16 */

static void
whole_ocsp_path(int folder, const char *name, char path[CHANGES_PATH_MAX + 1])
{
	struct buf b OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX),
	             out OWNED(buf_drop) = BUF(CHANGES_PATH_MAX);
	struct ocsp_certid id = {.alg = HASH_SHA1};
	struct ocsp_answer a;

	if (strlen(path) >= OCSP_PATH_BYTES || disk_load(folder, name, &b).kind != OK ||
	    ocsp_answer_get(buf_slice(&b), &a).kind != OK)
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

static err
unreadable(int why)
{
	return fail_why(ERR_WORLD, "mirror-list: house: a folder of the repository cannot be read", why);
}

/* `name` below `above`, whose path of `n` bytes stands in k->path; gone meanwhile is nothing. */
static err
enter(struct mirror_look *k, int above, const char *name, size_t n)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (fd < 0 && k->depth > 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return ok;
	if (d == NULL) {
		int why = errno;

		disk_close(&fd);
		return unreadable(why);
	}
	k->folder[k->depth] = d;
	k->below[k->depth++] = n;
	return ok;
}

static void
leave(struct mirror_look *k)
{
	closedir(k->folder[--k->depth]);
	k->folder[k->depth] = NULL;
}

static bool
is_of_copies(const char *name, const char *path)
{
	return name[0] != '.' && !mirror_path_ends(path, ".new") && !mirror_path_ends(path, ".part") &&
	       strcmp(path, CHANGES_NAME) != 0 && strcmp(path, "status") != 0;
}

static err
find_in(struct mirror *m, DIR *d, const struct dirent *x, size_t above)
{
	struct mirror_look *k = &m->look;
	bool end = k->step == MIRROR_FINDS_END;
	unsigned char type = x->d_type;
	size_t n = strlen(x->d_name);
	struct stat st;

	if (above + n + 1 > CHANGES_PATH_MAX) /* longer than any path of ours */
		return ok;
	memcpy(k->path + above, x->d_name, n + 1);
	if (!is_of_copies(x->d_name, k->path))
		return ok;
	if (type == DT_UNKNOWN && fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
	if (type == DT_DIR && k->depth <= MIRROR_DEPTH_MAX) {
		if (end && strcmp(k->path, "ocsp") == 0) /* an answer speaks for nobody else */
			return ok;
		memcpy(k->path + above + n, "/", 2);
		return enter(k, dirfd(d), x->d_name, above + n + 1);
	}
	if (type != DT_REG || mirror_is_last(k->path) != end)
		return ok;
	if (strncmp(k->path, "ocsp/", 5) == 0) {
		char path[CHANGES_PATH_MAX + 1];

		memcpy(path, k->path, above + n + 1);
		whole_ocsp_path(dirfd(d), x->d_name, path);
		return list_put(m, '+', slice_str(path));
	}
	return list_put(m, '+', slice_str(k->path));
}

/* One name of the folder that is open innermost. */
static err
find_one(const struct mirrors *all, struct mirror *m)
{
	struct mirror_look *k = &m->look;
	struct dirent *x;

	if (k->depth == 0)
		TRY(enter(k, all->repository, ".", 0));
	errno = 0;
	x = readdir(k->folder[k->depth - 1]);
	if (x != NULL)
		return find_in(m, k->folder[k->depth - 1], x, k->below[k->depth - 1]);
	if (errno != 0 && errno != ENOENT) /* ENOENT: it was removed meanwhile */
		return unreadable(errno);
	leave(k);
	if (k->depth == 0)
		k->step = k->step == MIRROR_FINDS ? MIRROR_FINDS_END : MIRROR_STANDS;
	return ok;
}

/* --- a look over everything --------------------------------------------------------------------------- */

void
mirror_look_stop(struct mirror *m)
{
	while (m->look.depth > 0)
		leave(&m->look);
	disk_close(&m->look.near);
	buf_drop(&m->look.out);
	m->look.step = MIRROR_STANDS;
}

err
mirror_look_step(const struct mirrors *all, struct mirror *m)
{
	struct mirror_look *k = &m->look;
	int64_t until = clock_steady_ms() + MIRROR_STEP_MS;
	err e = ok;

	for (unsigned i = 0; e.kind == OK && k->step != MIRROR_STANDS && i < MIRROR_STEP_ENTRIES; i++) {
		if (i % 32 == 31 && clock_steady_ms() >= until)
			break;
		e = k->step == MIRROR_KNOWS ? know_one(all, m) : find_one(all, m);
	}
	disk_close(&k->near);
	if (e.kind == OK)
		e = flush_list(m);
	if (e.kind != OK)
		mirror_look_stop(m);
	return e;
}

/* All of them are tried with the rest; what a look does not find must still go, and stays by its name. */
static void
keep_refused_removals(const struct mirrors *all, struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_refused; i++)
		if (!mirror_is_there(all, m->refused[i].path))
			m->refused[n++] = m->refused[i];
	if (n == m->n_refused)
		return;
	m->n_refused = n;
	mirror_save_refused(all, m);
}

err
mirror_walk_start(const struct mirrors *all, struct mirror *m)
{
	char name[96];
	struct change c;
	bool have = true;

	while (have)
		TRY(changes_next(&m->puts, &have, &c));
	m->walk_seq = m->puts.seq; /* what comes after this line is followed when the look has ended */
	mirror_look_stop(m);
	mirror_own_name(name, m, "walk");
	disk_close(&m->walk);
	TRY(disk_open(all->folder, name, DISK_SCRATCH, &m->walk));
	m->walk_left = 0;
	m->look.unsynced = 0;
	m->look.out = BUF(MIRROR_CHUNK_BYTES);
	mirror_lines_start(&m->look.had);
	mirror_lines_start(&m->walk_lines);
	m->look.step = MIRROR_KNOWS;
	m->walking = true;
	m->lost = 0;
	keep_refused_removals(all, m);
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
	mirror_look_stop(m);
	m->walking = false;
	m->place = (struct changes_place){m->puts.epoch, m->walk_seq};
	return mirror_open_have(all, m);
}
