#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/messenger/mirror.h"

#define DEPTH_MAX 24 /* folders below each other: a base64 path has at most a few strokes */

/* --- files of its own ----------------------------------------------------------------------- */

static void
own_name(char out[96], const struct mirror *m, const char *ending)
{
	snprintf(out, 96, "%s.%s", m->name, ending);
}

static void
load_place(const struct mirrors *all, struct mirror *m)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	char name[96];
	slice rest, word;
	struct changes_place p = {0};

	own_name(name, m, "place");
	if (disk_load(all->folder, name, &b).kind != OK)
		return;
	rest = buf_slice(&b);
	if (rest.n > 0 && rest.p[rest.n - 1] == '\n')
		rest.n--;
	if (slice_cut(&rest, ' ', &word) && decimal_get(word, INT64_MAX, &p.epoch).kind == OK &&
	    decimal_get(rest, INT64_MAX, &p.seq).kind == OK)
		m->place = m->written = p;
}

static void
save_place(const struct mirrors *all, struct mirror *m, int64_t now)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	char name[96];

	if ((m->place.epoch == m->written.epoch && m->place.seq == m->written.seq) || now - m->written_at < MIRROR_PLACE_MS)
		return;
	own_name(name, m, "place");
	buf_put_decimal(&b, m->place.epoch);
	buf_put_u8(&b, ' ');
	buf_put_decimal(&b, m->place.seq);
	buf_put_u8(&b, '\n');
	m->written_at = now;
	if (disk_replace(all->folder, name, buf_slice(&b)).kind == OK)
		m->written = m->place;
}

static uint64_t
hash_path(slice s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a: names of ours, nobody chooses them */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h == 0 ? 1 : h;
}

/* True where it was not known. */
static bool
know(struct mirror *m, uint64_t h)
{
	size_t i;

	if (m->known_n * 2 >= m->known_cap) {
		uint64_t *old = m->known;
		size_t n = m->known_cap;

		m->known_cap = n == 0 ? 1024 : n * 2;
		m->known = mem_new(m->known_cap, sizeof *m->known);
		m->known_n = 0;
		for (i = 0; i < n; i++)
			if (old[i] != 0)
				(void)know(m, old[i]);
		free(old);
	}
	for (i = (size_t)h & (m->known_cap - 1); m->known[i] != 0; i = (i + 1) & (m->known_cap - 1))
		if (m->known[i] == h)
			return false;
	m->known[i] = h;
	m->known_n++;
	return true;
}

/* The next line of NAME.have or NAME.walk from *at; false at the end. */
static bool
list_line(int fd, uint64_t *at, char out[CHANGES_PATH_MAX + 2])
{
	uint8_t chunk[CHANGES_PATH_MAX + 2];
	slice s, line;
	size_t got;

	if (disk_read_some(fd, *at, chunk, sizeof chunk, &got).kind != OK)
		return false;
	s = slice_of(chunk, got);
	if (!slice_cut(&s, '\n', &line) || line.n < 2)
		return false;
	memcpy(out, line.p, line.n);
	out[line.n] = '\0';
	*at += line.n + 1;
	return true;
}

static err
open_have(const struct mirrors *all, struct mirror *m)
{
	char name[96], line[CHANGES_PATH_MAX + 2];
	uint64_t at = 0, size;

	disk_close(&m->have);
	free(m->known);
	m->known = NULL;
	m->known_n = m->known_cap = 0;
	own_name(name, m, "have");
	TRY(disk_open(all->folder, name, DISK_MAKE, &m->have));
	while (list_line(m->have, &at, line))
		if (line[0] == '+')
			(void)know(m, hash_path(slice_str(line + 1)));
	TRY(disk_size(m->have, &size));
	return size > at ? disk_cut(m->have, at) : ok; /* half a line: its file was not put yet, or is known as before */
}

/* Before it is put: nothing is there that this list does not name. */
static err
note_have(struct mirror *m, const char *path)
{
	struct buf b OWNED(buf_drop) = BUF(CHANGES_PATH_MAX + 2);

	if (!know(m, hash_path(slice_str(path))))
		return ok;
	buf_put_u8(&b, '+');
	buf_put_str(&b, path);
	buf_put_u8(&b, '\n');
	return disk_append(m->have, buf_slice(&b));
}

/* --- what the repository holds ----------------------------------------------------------------- */

/*
 * The folder a path ends in, step by step: no link is followed, whoever made it.  Where it is made on the way it is readable
 * for everybody: it is a copy of what is public.
 */
static err
enter(int top, const char *path, bool make, int *out, const char **name)
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

static err
open_published(const struct mirrors *all, const char *path, int *out)
{
	const char *name;
	int folder = -1;
	err e;

	TRY(enter(all->repository, path, false, &folder, &name));
	e = disk_open(folder, name, DISK_READ, out);
	disk_close(&folder);
	return e;
}

static bool
is_there(const struct mirrors *all, const char *path)
{
	const char *name;
	struct stat st;
	int folder = -1;
	bool there;

	if (enter(all->repository, path, false, &folder, &name).kind != OK)
		return false;
	there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	disk_close(&folder);
	return there;
}

static bool
ends(const char *s, const char *ending)
{
	size_t n = strlen(s), k = strlen(ending);

	return n >= k && strcmp(s + n - k, ending) == 0;
}

/* Speaks for other files: goes when they are there. */
static bool
is_last(const char *path)
{
	return ends(path, ".html") || strncmp(path, "fingerprints.", 13) == 0 || strcmp(path, "books/checkpoint") == 0 ||
	       strcmp(path, "texts/history.txt") == 0;
}

static err
list_put(int fd, char sign, const char *path)
{
	struct buf b OWNED(buf_drop) = BUF(CHANGES_PATH_MAX + 2);

	buf_put_u8(&b, (uint8_t)sign);
	buf_put_str(&b, path);
	buf_put_u8(&b, '\n');
	return buf_check(&b).kind == OK ? disk_append(fd, buf_slice(&b)) : ok; /* longer than any path of ours */
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

	if (strlen(path) >= OCSP_PATH_BYTES || enter(all->repository, path, false, &folder, &name).kind != OK)
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
list_folder(const struct mirrors *all, int folder, const char *above, int to, bool last, unsigned depth)
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

		if (x->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path - 1 || ends(path, ".new") || ends(path, ".part") ||
		    strcmp(path, CHANGES_NAME) == 0 || strcmp(path, "status") == 0 ||
		    fstatat(folder, x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(folder, x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

			path[n] = '/';
			path[n + 1] = '\0';
			if (below < 0)
				continue; /* gone meanwhile */
			e = list_folder(all, below, path, to, last, depth + 1);
			disk_close(&below);
		} else if (S_ISREG(st.st_mode) && is_last(path) == last) {
			if (strncmp(path, "ocsp/", 5) == 0)
				whole_ocsp_path(all, path);
			e = list_put(to, '+', path);
		}
	}
	closedir(d);
	return e;
}

/* --- a look over everything ----------------------------------------------------------------------- */

static err
walk_start(const struct mirrors *all, struct mirror *m)
{
	char name[96], line[CHANGES_PATH_MAX + 2];
	struct change c;
	uint64_t at = 0;
	bool have = true;
	err e = ok;

	while (have)
		TRY(changes_next(&m->puts, &have, &c));
	m->walk_seq = m->puts.seq; /* what comes after this line is followed when the look has ended */
	own_name(name, m, "walk");
	disk_close(&m->walk);
	TRY(disk_open(all->folder, name, DISK_SCRATCH, &m->walk));
	while (e.kind == OK && list_line(m->have, &at, line))
		if (line[0] == '+' && !is_there(all, line + 1))
			e = list_put(m->walk, '-', line + 1);
	TRY(e);
	TRY(list_folder(all, all->repository, "", m->walk, false, 0));
	TRY(list_folder(all, all->repository, "", m->walk, true, 0));
	m->walk_at = 0;
	m->walking = true;
	return ok;
}

/* All of it is there: what the look found is what it has. */
static err
walk_end(const struct mirrors *all, struct mirror *m)
{
	char from[96], to[96];

	TRY(disk_sync(m->walk));
	disk_close(&m->walk);
	own_name(from, m, "walk");
	own_name(to, m, "have");
	TRY(disk_rename(all->folder, from, to));
	TRY(open_have(all, m));
	m->walking = false;
	m->place = (struct changes_place){m->puts.epoch, m->walk_seq};
	return ok;
}

/* --- items -------------------------------------------------------------------------------------------- */

static void
add(struct mirror *m, uint64_t seq, bool gone, slice path)
{
	struct mirror_item *x = &m->item[m->n++];

	*x = (struct mirror_item){.seq = seq, .gone = gone};
	memcpy(x->path, path.p, path.n);
	x->path[path.n] = '\0';
}

/* The log's lines from the mirror's place on; a gap begins a look over everything. */
static err
open_log(const struct mirrors *all, struct mirror *m)
{
	bool gap, other;

	TRY(changes_read_open(all->repository, m->place, &m->puts, &gap));
	if (m->have < 0)
		TRY(open_have(all, m));
	m->n = 0;
	m->walking = false;
	if (gap)
		TRY(walk_start(all, m));
	TRY(changes_read_open(all->repository, (struct changes_place){m->puts.epoch, m->puts.seq}, &m->gones, &other));
	m->opened = !other;
	return ok;
}

/* At the end of a log that was replaced: on in the new one, or a gap. */
static err
next_log(const struct mirrors *all, struct changes_reader *r, bool *gap)
{
	return changes_read_open(all->repository, (struct changes_place){r->epoch, r->seq}, r, gap);
}

/* Removals are read ahead of everything. */
static err
read_gones(const struct mirrors *all, struct mirror *m)
{
	struct change c;
	bool have = true, gap = false;

	while (m->n < MIRROR_ITEMS) {
		TRY(changes_next(&m->gones, &have, &c));
		if (have) {
			char path[CHANGES_PATH_MAX + 1];

			if (!c.gone)
				continue;
			snprintf(path, sizeof path, "%.*s", (int)c.path.n, (const char *)c.path.p);
			if (!is_there(all, path))
				add(m, c.seq, true, c.path);
			continue;
		}
		if (!changes_replaced(&m->gones))
			return ok;
		TRY(next_log(all, &m->gones, &gap));
		if (gap) {
			m->opened = false; /* it begins anew: everything is looked at */
			return ok;
		}
	}
	return ok;
}

static size_t
puts_waiting(const struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !m->item[i].gone || m->item[i].seq == 0;
	return n;
}

/* Half of the room stays for removals. */
static err
read_puts(const struct mirrors *all, struct mirror *m)
{
	char line[CHANGES_PATH_MAX + 2];
	struct change c;
	bool have = true, gap = false;

	while (m->walking && m->n < MIRROR_ITEMS / 2) {
		if (!list_line(m->walk, &m->walk_at, line))
			return puts_waiting(m) == 0 ? walk_end(all, m) : ok;
		add(m, 0, line[0] == '-', slice_str(line + 1));
	}
	while (!m->walking && m->n < MIRROR_ITEMS / 2 && (m->puts.epoch != m->gones.epoch || m->puts.seq < m->gones.seq)) {
		TRY(changes_next(&m->puts, &have, &c));
		if (have) {
			if (!c.gone && !c.closed)
				add(m, c.seq, false, c.path);
			continue;
		}
		if (!changes_replaced(&m->puts))
			return ok;
		TRY(next_log(all, &m->puts, &gap));
		if (gap) {
			m->opened = false;
			return ok;
		}
	}
	return ok;
}

/* --- doing it ------------------------------------------------------------------------------------------- */

static const char *
type_of(const char *path)
{
	static const struct {
		const char *ending, *type;
	} TYPES[] = {{".cer", "application/pkix-cert"}, {".crl", "application/pkix-crl"},
	    {".pem", "application/x-pem-file"}, {".p7c", "application/pkcs7-mime; smime-type=certs-only"},
	    {".txt", "text/plain; charset=utf-8"}, {".json", "application/json"}, {".html", "text/html; charset=utf-8"},
	    {"/checkpoint", "text/plain; charset=utf-8"}};

	if (strncmp(path, "ocsp/", 5) == 0)
		return "application/ocsp-response";
	for (size_t i = 0; i < COUNT(TYPES); i++)
		if (ends(path, TYPES[i].ending))
			return TYPES[i].type;
	return "application/octet-stream";
}

/* RFC 3986 2.3: unreserved characters and "/" as they are: also what a signature of S3 is made over. */
static void
put_url(struct buf *b, const struct mirror *m, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_put_str(b, m->url);
	if (m->kind == MIRROR_S3) {
		buf_put_u8(b, '/');
		buf_put_str(b, m->bucket);
	}
	buf_put_u8(b, '/');
	for (; *path != '\0'; path++) {
		uint8_t c = (uint8_t)*path;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~/", c) != NULL)
			buf_put_u8(b, c);
		else {
			buf_put_u8(b, '%');
			buf_put_u8(b, (uint8_t)hex[c >> 4]);
			buf_put_u8(b, (uint8_t)hex[c & 15]);
		}
	}
	buf_put_u8(b, '\0');
}

static void
failed(struct mirror *m, err e)
{
	m->failures++;
	m->in_a_row++;
	m->trouble = e.what;
	m->backoff = m->backoff == 0 ? 1000 : m->backoff * 2;
	if (m->backoff > MIRROR_BACKOFF_MAX_MS)
		m->backoff = MIRROR_BACKOFF_MAX_MS;
	m->again = clock_steady_ms() + m->backoff;
	log_err(m->in_a_row == 1 ? LOG_WARN : LOG_ALARM, e);
	log_number(LOG_WARN, "mirror-failed: house: a copy of the repository could not be brought up to date", m->name,
	    m->in_a_row);
}

static void
succeeded(struct mirror *m, struct mirror_item *x)
{
	x->flying = false;
	x->done = true;
	m->pushed++;
	m->backoff = 0;
	m->in_a_row = 0;
	m->trouble = NULL;
}

static err
open_source(const struct mirrors *all, const char *path, int *fd, uint64_t *size, digest *sha)
{
	uint8_t chunk[65536];
	struct hash h;
	size_t got = 0;
	err e;

	TRY(open_published(all, path, fd));
	e = disk_size(*fd, size);
	hash_start(&h);
	for (uint64_t at = 0; e.kind == OK && at < *size; at += got) {
		e = disk_read_some(*fd, at, chunk, sizeof chunk, &got);
		if (e.kind == OK && got == 0)
			e = fail(ERR_CORRUPT, "disk-short: house: a file ends before what it must hold");
		hash_add(&h, slice_of(chunk, got));
	}
	*sha = hash_end(&h);
	if (e.kind != OK)
		disk_close(fd);
	return e;
}

static err
send(struct mirrors *all, struct mirror *m, struct mirror_item *x)
{
	struct buf url OWNED(buf_drop) = BUF(2048);
	struct call call = {.method = x->gone ? CALL_DELETE : CALL_PUT,
	    .max_bytes = 64U << 10,
	    .wait_ms = MIRROR_WAIT_MS,
	    .file = -1,
	    .type = type_of(x->path),
	    .user = m->user[0] == '\0' ? NULL : m->user,
	    .secret = &m->secret,
	    .region = m->kind == MIRROR_S3 ? m->region : NULL,
	    .ca = m->ca[0] == '\0' ? NULL : m->ca};
	digest sha;

	put_url(&url, m, x->path);
	TRY(buf_check(&url));
	call.url = (const char *)url.p;
	if (!x->gone) {
		err e = open_source(all, x->path, &call.file, &call.file_bytes, &sha);

		if (e.kind == ERR_ABSENT) { /* it is gone again: a later line says so */
			x->done = true;
			return ok;
		}
		TRY(e);
		call.sha = &sha;
		call.wait_ms += (int)(call.file_bytes / 100);
		e = note_have(m, x->path);
		if (e.kind != OK) {
			disk_close(&call.file);
			return e;
		}
	}
	call.id = ++all->calls_made;
	TRY(calls_start(all->calls, &call));
	x->call = call.id;
	x->flying = true;
	return ok;
}

static err
copy(const struct mirrors *all, int folder, const char *name, const char *path)
{
	const err bad = fail(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written");
	uint8_t chunk[65536];
	char temp[256];
	int from = -1, to;
	uint64_t at = 0;
	size_t got;
	err e;

	TRY(open_published(all, path, &from));
	snprintf(temp, sizeof temp, ".%.240s.new", name);
	to = openat(folder, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	e = to < 0 || fchmod(to, 0644) != 0 ? fail_why(bad.kind, bad.what, errno) : ok;
	do {
		got = 0;
		if (e.kind == OK)
			e = disk_read_some(from, at, chunk, sizeof chunk, &got);
		if (e.kind == OK)
			e = disk_append(to, slice_of(chunk, got));
		at += got;
	} while (e.kind == OK && got > 0);
	if (e.kind == OK && (fsync(to) != 0 || renameat(folder, temp, folder, name) != 0 || fsync(folder) != 0))
		e = fail_why(bad.kind, bad.what, errno);
	disk_close(&from);
	disk_close(&to);
	return e;
}

static err
put_down(struct mirrors *all, struct mirror *m, struct mirror_item *x)
{
	const char *name;
	int folder = -1;
	err e = ok;

	TRY(enter(m->fd, x->path, true, &folder, &name));
	if (x->gone) {
		if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
			e = fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
		else if (fsync(folder) != 0)
			e = fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
	} else {
		e = note_have(m, x->path);
		if (e.kind == OK)
			e = copy(all, folder, name, x->path);
		if (e.kind == ERR_ABSENT)
			e = ok;
	}
	disk_close(&folder);
	if (e.kind == OK)
		succeeded(m, x);
	return e;
}

static bool
path_flies(const struct mirror *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].flying && strcmp(m->item[i].path, path) == 0)
			return true;
	return false;
}

static size_t
flying(const struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->item[i].flying;
	return n;
}

static err
start_one(struct mirrors *all, struct mirror *m, struct mirror_item *x)
{
	if (x->gone && is_there(all, x->path)) { /* it came again: a later line puts it */
		x->done = true;
		return ok;
	}
	if (!x->gone && !is_there(all, x->path)) {
		x->done = true;
		return ok;
	}
	return m->kind == MIRROR_FOLDER ? put_down(all, m, x) : send(all, m, x);
}

/* Removals first, wherever they stand; then the rest in order. */
static err
start_items(struct mirrors *all, struct mirror *m)
{
	for (int puts = 0; puts < 2; puts++) {
		bool earlier = false; /* of the rest one before it is not done */

		for (size_t i = 0; i < m->n && flying(m) < MIRROR_FLIGHTS; i++) {
			struct mirror_item *x = &m->item[i];

			if (x->gone == (puts == 1) || x->done)
				continue;
			if (puts == 1 && is_last(x->path) && earlier)
				break;
			earlier = true;
			if (!x->flying && !path_flies(m, x->path) && !calls_is_full(all->calls))
				TRY(start_one(all, m, x));
			earlier = earlier && !x->done;
			if (puts == 1 && is_last(x->path) && !x->done)
				break;
		}
	}
	return ok;
}

static void
settle(struct mirror *m)
{
	uint64_t least = m->puts.seq;
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->item[i].done)
			m->item[n++] = m->item[i];
	m->n = n;
	if (m->walking || !m->opened)
		return;
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].seq != 0 && m->item[i].seq < least)
			least = m->item[i].seq;
	m->place = (struct changes_place){m->puts.epoch, least};
}

static bool
is_whole(const struct mirror *m)
{
	return m->opened && !m->walking && m->n == 0 && m->puts.seq == m->gones.seq;
}

static err
turn(struct mirrors *all, struct mirror *m, int64_t now)
{
	if (!m->opened) {
		if (m->place.epoch == 0)
			load_place(all, m);
		if (flying(m) > 0)
			return ok; /* of the log before: they land first */
		TRY(open_log(all, m));
	}
	TRY(read_gones(all, m));
	TRY(read_puts(all, m));
	TRY(start_items(all, m));
	settle(m);
	if (is_whole(m))
		m->whole_at = now;
	save_place(all, m, now);
	return ok;
}

static void
landed(struct mirrors *all, const struct call_result *r)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->mirror[i].n; k++) {
			struct mirror *m = &all->mirror[i];

			if (!m->item[k].flying || m->item[k].call != r->id)
				continue;
			if (r->err.kind == OK)
				succeeded(m, &m->item[k]);
			else {
				m->item[k].flying = false;
				failed(m, r->err);
			}
			m->looked = 0; /* on at once */
			return;
		}
}

void
mirrors_turn(struct mirrors *m)
{
	int64_t now = clock_steady_ms();
	struct call_result r;

	if (m->n == 0)
		return;
	calls_turn(m->calls);
	while (calls_next(m->calls, &r)) {
		landed(m, &r);
		buf_drop(&r.body);
	}
	for (size_t i = 0; i < m->n; i++) {
		struct mirror *x = &m->mirror[i];
		err e;

		if (x->whole_at == 0)
			x->whole_at = now;
		if (now < x->again || (x->looked != 0 && now - x->looked < MIRROR_LOOK_MS))
			continue;
		x->looked = now;
		e = turn(m, x, now);
		if (e.kind == ERR_CORRUPT) { /* a log that cannot be read on: everything is looked at */
			x->opened = false;
			x->place = (struct changes_place){0, 1};
		}
		if (e.kind != OK && e.kind != ERR_ABSENT)
			failed(x, e);
		else if (x->kind == MIRROR_FOLDER && x->n > 0)
			x->looked = 0;
	}
	calls_turn(m->calls); /* what was started begins */
}

int
mirrors_timeout_ms(const struct mirrors *m)
{
	int ms;

	if (m->n == 0)
		return 1000;
	for (size_t i = 0; i < m->n; i++)
		if (m->mirror[i].looked == 0)
			return 0;
	ms = calls_timeout_ms(m->calls);
	return ms < 0 || ms > MIRROR_LOOK_MS ? MIRROR_LOOK_MS : ms;
}

void
mirrors_state(const struct mirrors *m, struct mirrors_reply *out)
{
	int64_t now = clock_steady_ms();

	*out = (struct mirrors_reply){.n = m->n};
	for (size_t i = 0; i < m->n; i++) {
		const struct mirror *x = &m->mirror[i];
		uint64_t seq = x->walking ? x->walk_seq : x->place.seq;

		out->mirror[i] = (struct mirror_state){.name = slice_str(x->name),
		    .kind = x->kind,
		    .walking = x->walking || !x->opened,
		    .behind = x->opened && x->gones.seq > seq ? x->gones.seq - seq : 0,
		    .seconds = is_whole(x) || x->whole_at == 0 ? 0 : (uint64_t)(now - x->whole_at) / 1000,
		    .pushed = x->pushed,
		    .failures = x->failures,
		    .in_a_row = x->in_a_row,
		    .trouble = slice_str(x->trouble == NULL ? "-" : x->trouble)};
	}
}

void
mirrors_drop(struct mirrors *m)
{
	for (size_t i = 0; i < m->n && m->mirror != NULL; i++) {
		struct mirror *x = &m->mirror[i];

		if (m->folder >= 0)
			save_place(m, x, x->written_at + MIRROR_PLACE_MS);
		changes_read_close(&x->puts);
		changes_read_close(&x->gones);
		disk_close(&x->fd);
		disk_close(&x->have);
		disk_close(&x->walk);
		free(x->known);
		secret_drop(&x->secret);
	}
	free(m->mirror);
	calls_drop(&m->calls);
	disk_close(&m->repository);
	disk_close(&m->folder);
}
