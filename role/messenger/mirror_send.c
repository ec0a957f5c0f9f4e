/* One file on its way to a copy, or away from it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/disk.h"
#include "role/messenger/mirror_inside.h"

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
		if (mirror_path_ends(path, TYPES[i].ending))
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

static err
open_source(const struct mirrors *all, const char *path, int *fd, uint64_t *size, digest *sha)
{
	uint8_t chunk[65536];
	struct hash h;
	size_t got = 0;
	err e;

	TRY(mirror_open_published(all, path, fd));
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
		e = mirror_note_have(m, x->path);
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

	TRY(mirror_open_published(all, path, &from));
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
put_down(struct mirrors *all, struct mirror *m, struct mirror_item *x, bool *landed)
{
	const char *name;
	int folder = -1;
	err e = ok;

	TRY(mirror_enter(m->fd, x->path, true, &folder, &name));
	if (x->gone) {
		if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
			e = fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
		else if (fsync(folder) != 0)
			e = fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
	} else {
		e = mirror_note_have(m, x->path);
		if (e.kind == OK)
			e = copy(all, folder, name, x->path);
		if (e.kind == ERR_ABSENT)
			e = ok;
	}
	disk_close(&folder);
	*landed = e.kind == OK;
	return e;
}

err
mirror_carry(struct mirrors *all, struct mirror *m, struct mirror_item *x, bool *landed)
{
	*landed = false;
	if (!changes_is_path(slice_str(x->path))) { /* a name that somebody made in the repository is no path of a copy */
		x->done = true;
		return ok;
	}
	if (x->gone == mirror_is_there(all, x->path)) { /* it came again, or is gone again: a later line says so */
		x->done = true;
		return ok;
	}
	return m->kind == MIRROR_FOLDER ? put_down(all, m, x, landed) : send(all, m, x);
}
