#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/inkanctl/check.h"
#include "edge/disk.h"

#define FILE_WAIT_MS 120000 /* a list of 400 MB */
#define ANSWER_WAIT_MS 10000
#define GET_EVERY 16U /* of the answers asked for by POST, one so many is asked for by GET */

static const char *const STATUS[2] = {"status/recent", "status/base"};

static void
unmap(struct status_map *m)
{
	slots_drop(&m->slots);
	map_close(&m->map);
	m->there = false;
}

void
source_drop(struct source *s)
{
	net_close(&s->net);
	buf_drop(&s->url);
	unmap(&s->status[0]);
	unmap(&s->status[1]);
}

slice
source_path(slice uri)
{
	slice rest = uri, part;

	if (slice_cut(&rest, ':', &part) && slice_has_prefix(rest, LIT("//"))) {
		rest = (slice){rest.p + 2, rest.n - 2};
		if (slice_cut(&rest, '/', &part))
			return rest;
		return (slice){NULL, 0};
	}
	return uri;
}

/* The address asked, or the file read, with its NUL. */
static err
put_address(struct source *s, slice uri)
{
	const char *base = s->files != NULL ? s->files : s->base;

	if (s->url.max == 0)
		s->url = BUF(8192);
	buf_clear(&s->url);
	if (base != NULL) {
		buf_put_str(&s->url, base);
		if (s->url.n > 0 && s->url.p[s->url.n - 1] != '/')
			buf_put_u8(&s->url, '/');
		buf_put(&s->url, source_path(uri));
	} else
		buf_put(&s->url, uri);
	return buf_check(&s->url);
}

static err
load_file(const struct source *s, struct buf *out)
{
	struct buf path OWNED(buf_drop) = BUF(8192);
	int folder = -1;
	size_t slash = s->url.n;
	err e;

	while (slash > 0 && s->url.p[slash - 1] != '/')
		slash--;
	buf_put(&path, (slice){s->url.p, slash});
	buf_put_u8(&path, '.');
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	TRY(disk_folder(DISK_HERE, (const char *)path.p, FOLDER_THERE, &folder));
	buf_clear(&path);
	buf_put(&path, (slice){s->url.p + slash, s->url.n - slash});
	buf_put_u8(&path, 0);
	e = disk_load(folder, (const char *)path.p, out);
	disk_close(&folder);
	return e;
}

err
source_load(struct source *s, slice path, struct buf *out)
{
	TRY(put_address(s, path));
	return load_file(s, out);
}

/* An HTTP status that is no answer. */
static err
status_err(unsigned status)
{
	if (status == 404 || status == 410)
		return fail(ERR_ABSENT, "check-absent: RFC 9110 15.5.5: the server has no such file");
	return fail_why(
	    ERR_BUSY, "check-http: RFC 9110 15: the server answers with something else than the file", (long)status);
}

err
source_file(struct source *s, slice uri, struct buf *out)
{
	struct net_answer a OWNED(net_answer_drop) = {0};

	TRY(put_address(s, uri));
	if (s->files != NULL)
		return load_file(s, out);
	buf_put_u8(&s->url, 0);
	if (s->net == NULL)
		TRY(net_open(&s->net));
	TRY(net_call(s->net,
	    &(struct net_ask){
	        .method = NET_GET, .url = (const char *)s->url.p, .max_bytes = out->max, .wait_ms = FILE_WAIT_MS},
	    &a));
	if (a.status != 200)
		return status_err(a.status);
	buf_drop(out);
	*out = a.body;
	a.body = (struct buf){0};
	return ok;
}

/* --- status files of a folder ----------------------------------------------------------- */

static err
map(struct source *s, size_t i)
{
	struct status_map *m = &s->status[i];
	int fd;
	err e;

	unmap(m);
	TRY(put_address(s, slice_str(STATUS[i])));
	buf_put_u8(&s->url, 0);
	fd = open((const char *)s->url.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(ERR_ABSENT, "check-status-file: house: the folder holds no status files");
	e = map_open(fd, MAP_IN_ORDER, &m->map);
	close(fd);
	TRY(e);
	TRY(slots_get(m->map.bytes, &m->slots));
	m->there = true;
	return ok;
}

/* recent first, as front does: what leaves it stands in base. */
err
source_map(struct source *s)
{
	err recent = map(s, 0), base = map(s, 1);

	if (recent.kind != OK && recent.kind != ERR_ABSENT)
		return recent;
	if (base.kind != OK && base.kind != ERR_ABSENT)
		return base;
	return recent.kind == OK || base.kind == OK ? ok : recent;
}

void
source_look(struct source *s)
{
	int folder = -1;

	s->places = s->files != NULL && put_address(s, LIT("ocsp")).kind == OK;
	if (!s->places)
		return;
	buf_put_u8(&s->url, 0);
	s->places = disk_folder(DISK_HERE, (const char *)s->url.p, FOLDER_THERE, &folder).kind == OK;
	disk_close(&folder);
}

/* Two strokes one after the other are one on a disk. */
bool
source_is_place(const struct ocsp_issuer *issuer, serial number, slice path)
{
	struct buf want OWNED(buf_drop) = BUF(1024), folded OWNED(buf_drop) = BUF(1024);

	ocsp_place_put(&want, issuer, number);
	for (size_t i = 0; i < want.n; i++)
		if (i == 0 || want.p[i] != '/' || want.p[i - 1] != '/')
			buf_put_u8(&folded, want.p[i]);
	return slice_eq(buf_slice(&folded), path);
}

static err
answer_of_place(
    struct source *s, const struct ocsp_issuer *issuer, serial number, enum served_kind *kind, struct buf *out)
{
	struct buf path OWNED(buf_drop) = BUF(1024);
	err e;

	ocsp_place_put(&path, issuer, number);
	TRY(buf_check(&path));
	e = source_load(s, buf_slice(&path), out);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	*kind = e.kind == OK ? SERVED_ANSWER : SERVED_NONE;
	return ok;
}

/* What front would answer from these files. */
static err
answer_of_files(struct source *s, serial number, enum served_kind *kind, struct buf *out)
{
	*kind = SERVED_NONE;
	for (size_t i = 0; i < 2; i++) {
		struct slot slot;
		err e;

		if (!s->status[i].there)
			continue;
		e = slots_find(&s->status[i].slots, number, &slot);
		if (e.kind == OK && slot.state != SLOT_WITHDRAWN)
			e = slot_put_answer(out, &s->status[i].slots.common, &slot);
		if (map_is_gone(&s->status[i].map))
			return fail(ERR_CORRUPT, "slots-header: house: a status file is not whole");
		if (e.kind == ERR_ABSENT)
			continue;
		TRY(e);
		*kind = slot.state == SLOT_WITHDRAWN ? SERVED_LATER : SERVED_ANSWER;
		return ok;
	}
	return ok;
}

/* --- over HTTP -------------------------------------------------------------------------------- */

static err
ask(struct source *s, slice uri, slice request, bool get, struct net_answer *a)
{
	TRY(put_address(s, uri));
	if (get) {
		buf_put_u8(&s->url, '/');
		ocsp_path_put(&s->url, request);
	}
	buf_put_u8(&s->url, 0);
	TRY(buf_check(&s->url));
	if (s->net == NULL)
		TRY(net_open(&s->net));
	return net_call(s->net,
	    &(struct net_ask){.method = get ? NET_GET : NET_POST,
	        .url = (const char *)s->url.p,
	        .body = get ? (slice){NULL, 0} : request,
	        .type = get ? NULL : "application/ocsp-request",
	        .max_bytes = OCSP_ANSWER_MAX,
	        .wait_ms = ANSWER_WAIT_MS},
	    a);
}

err
source_answer(struct source *s, const struct ocsp_issuer *issuer, slice uri, serial number, uint64_t turn,
    enum served_kind *kind, struct buf *out)
{
	struct buf request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX);
	struct net_answer a OWNED(net_answer_drop) = {0};
	struct ocsp_certid id = {HASH_SHA1, ARR(issuer->name1), ARR(issuer->key1), number};
	struct ocsp_answer read;

	buf_clear(out);
	if (s->files != NULL)
		return s->by_place ? answer_of_place(s, issuer, number, kind, out) : answer_of_files(s, number, kind, out);
	if (turn % 2 == 1) /* every other client asks by SHA-256 */
		id = (struct ocsp_certid){HASH_SHA256, ARR(issuer->name256), ARR(issuer->key256), number};
	ocsp_request_put(&request, &id, (slice){NULL, 0});
	TRY(ask(s, uri, buf_slice(&request), s->get || turn % GET_EVERY == 1, &a));
	if (a.status != 200)
		return status_err(a.status);
	*kind = SERVED_ANSWER;
	if (ocsp_answer_get(buf_slice(&a.body), &read).kind == OK && read.error != 0) {
		if (read.error != OCSP_TRY_LATER && read.error != OCSP_UNAUTHORIZED)
			return fail(ERR_POLICY, "check-ocsp-error: RFC 6960 4.2.1: a sound request is answered with an error");
		*kind = read.error == OCSP_TRY_LATER ? SERVED_LATER : SERVED_NONE;
		return ok;
	}
	buf_put(out, buf_slice(&a.body));
	return buf_check(out);
}
