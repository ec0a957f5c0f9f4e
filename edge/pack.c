#include "edge/pack.h"
#include "edge/disk.h"

void
pack_put(struct buf *b, digest name, slice bytes)
{
	static const uint8_t zeros[USTAR_BLOCK];
	uint32_t length = (uint32_t)bytes.n;

	assert(bytes.n <= USTAR_SIZE_MAX);
	ustar_put(b, name.b, length);
	buf_put(b, bytes);
	buf_put(b, (slice){zeros, (size_t)(ustar_padded(length) - length)});
}

uint64_t
pack_member_bytes(uint32_t length)
{
	return USTAR_BLOCK + ustar_padded(length);
}

struct pack_walk
pack_walk_from(struct place at, struct place end)
{
	return (struct pack_walk){.at = at, .end = end, .fd = -1};
}

err
pack_walk_next(const struct shelf *s, struct pack_walk *w, digest *name, struct place *found, uint32_t *length)
{
	const err damaged = fail(ERR_CORRUPT, "pack-member: house: a pack holds something that is no member of ours");
	uint8_t header[USTAR_BLOCK];
	uint32_t n;

	while (w->fd < 0 || w->at.offset >= w->size) {
		if (!place_is_before(w->at, w->end))
			return fail(ERR_ABSENT, "pack-end: house: there are no more members");
		if (w->fd >= 0) {
			disk_close(&w->fd);
			w->at = (struct place){w->at.file + 1, 0};
			continue;
		}
		TRY(shelf_file(s, w->at.file, false, &w->fd));
		TRY(disk_size(w->fd, &w->size));
		if (w->at.file == w->end.file) {
			if (w->size < w->end.offset)
				return damaged;
			w->size = w->end.offset;
		}
	}
	if (w->size - w->at.offset < USTAR_BLOCK)
		return damaged;
	TRY(disk_read(w->fd, w->at.offset, header, sizeof header));
	if (ustar_get(ARR(header), name->b, &n).kind != OK || w->size - w->at.offset < pack_member_bytes(n))
		return damaged;
	*found = w->at;
	*length = n;
	w->at.offset += pack_member_bytes(n);
	return ok;
}

void
pack_walk_close(struct pack_walk *w)
{
	disk_close(&w->fd);
}

err
pack_read(const struct shelf *s, struct place at, digest name, uint32_t length, struct buf *out)
{
	uint8_t header[USTAR_BLOCK], *p = NULL;
	size_t start = out->n;
	uint32_t n = 0;
	digest stands = {{0}};
	int fd = -1;
	err e;

	TRY(shelf_file(s, at.file, false, &fd));
	e = disk_read(fd, at.offset, header, sizeof header);
	if (e.kind == OK)
		e = ustar_get(ARR(header), stands.b, &n);
	if (e.kind == ERR_INPUT || (e.kind == OK && (n != length || !digest_eq(stands, name))))
		e = fail(ERR_CORRUPT, "pack-member: house: a pack holds something that is no member of ours");
	if (e.kind == OK && length > 0) {
		p = buf_space(out, length);
		e = p == NULL ? buf_check(out) : disk_read(fd, at.offset + USTAR_BLOCK, p, length);
	}
	disk_close(&fd);
	if (e.kind != OK)
		out->n = start;
	return e;
}
