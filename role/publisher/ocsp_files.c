#include <fcntl.h>
#include <unistd.h>

#include "edge/disk.h"
#include "edge/log.h"
#include "role/publisher/publisher.h"

/*
 * OCSP answers as files, where the configuration asks for them: each under the path a GET in the shape of RFC 5019 has
 * (SHA-1 CertID, no nonce): ocsp/ and the base64 of the request, whose "/" are folders, so that every spelling a client may
 * choose ("/" or "%2F", "+" or "%2B") leads a file server to the same file.
 *
 * Written after the status files, from a queue, a few a turn, since each costs two syncs: a revocation that comes meanwhile
 * waits for no more than those.  What a
 * revocation withdraws is removed at once, from the queue too.  A start looks at every answer of the status files, some a
 * turn, and writes what a crash kept from being written.
 *
 * A limit: a path has a folder of its own only where its base64 has a "/", so most files stand in one folder.  ext4 takes
 * about ten million names in one; above that an issuer needs its answers from front, or an object store.
 */
#define WRITTEN_A_TURN 4
#define LOOKED_A_TURN 256                 /* read and found to be as they should */
#define QUEUE_MAX (2U * SLOTS_RECENT_MAX) /* 50 MB; what does not fit is written at the next look */

/* Two strokes one after the other are one to a file system, and stay two in the path that mirrors and clients use. */
err
ocsp_files_put(struct publisher *p, serial s, slice answer)
{
	struct buf path OWNED(buf_drop) = BUF(512);

	ocsp_place_put(&path, &p->common.issuer, s);
	TRY(buf_check(&path));
	return publisher_put(p, buf_slice(&path), answer);
}

void
ocsp_files_add(struct publisher *p, serial s, slice answer)
{
	struct ocsp_files *o = &p->files;

	if (!p->ocsp_files)
		return;
	if (o->n == QUEUE_MAX) {
		o->look_again = true;
		return;
	}
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 64 : o->cap * 2;
		o->queue = mem_grow(o->queue, o->cap, sizeof *o->queue);
	}
	o->queue[o->n] = (struct ocsp_pending){.serial = s, .answer = BUF(answer.n)};
	buf_put(&o->queue[o->n++].answer, answer);
}

err
ocsp_files_remove(struct publisher *p, serial s)
{
	struct buf path OWNED(buf_drop) = BUF(512);

	if (!p->ocsp_files || !p->has_common)
		return ok;
	for (size_t i = 0; i < p->files.n; i++)
		if (serial_eq(p->files.queue[i].serial, s))
			buf_clear(&p->files.queue[i].answer);
	ocsp_place_put(&path, &p->common.issuer, s);
	TRY(buf_check(&path));
	return publisher_remove(p, buf_slice(&path));
}

/* Another base: what was made anew becomes files, and a look that is on its way goes over what stands now. */
void
ocsp_files_look_anew(struct publisher *p)
{
	struct ocsp_files *o = &p->files;

	if (!p->ocsp_files)
		return;
	ocsp_files_close(o);
	o->looking = true;
}

void
ocsp_files_close(struct ocsp_files *o)
{
	slots_drop(&o->base);
	map_close(&o->mapped);
	o->base = (struct slots){0};
	o->opened = false;
	o->at_base = o->at_recent = 0;
}

static err
map_base(struct publisher *p)
{
	struct ocsp_files *o = &p->files;
	int folder = -1, fd = -1;
	err e;

	o->opened = true;
	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_open(folder, "base", DISK_READ, &fd);
	disk_close(&folder);
	if (e.kind == ERR_ABSENT)
		return ok;
	TRY(e);
	e = map_open(fd, MAP_IN_ORDER, &o->mapped);
	disk_close(&fd);
	TRY(e);
	if (slots_get(o->mapped.bytes, &o->base).kind !=
	    OK) /* damaged: all comes again (status.c), and is looked at then */
		map_close(&o->mapped);
	return ok;
}

static err
look_at(struct publisher *p, const struct slots_common *common, const struct slot *s)
{
	struct buf b OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

	if (s->state == SLOT_WITHDRAWN)
		return ocsp_files_remove(p, s->serial);
	TRY(slot_put_answer(&b, common, s));
	return ocsp_files_put(p, s->serial, buf_slice(&b));
}

/* Some more of the look over everything; a damaged block is passed over, front says so. */
static err
look(struct publisher *p)
{
	struct ocsp_files *o = &p->files;
	uint64_t before = p->written;
	struct slot s;

	if (!o->opened)
		TRY(map_base(p));
	for (size_t i = 0; i < LOOKED_A_TURN && p->written - before < WRITTEN_A_TURN; i++) {
		if (o->at_base < o->base.n) { /* on to the next one only when this one is written */
			if (slots_at(&o->base, o->at_base, &s).kind == OK && !map_is_gone(&o->mapped) &&
			    !publisher_has_recent(p, s.serial))
				TRY(look_at(p, &o->base.common, &s));
			o->at_base++;
		} else if (o->at_recent < p->n) {
			TRY(look_at(p, &p->common, &p->recent[o->at_recent]));
			o->at_recent++;
		} else {
			ocsp_files_close(o);
			o->looking = o->look_again;
			o->look_again = false;
			return ok;
		}
	}
	return ok;
}

bool
ocsp_files_waits(const struct publisher *p)
{
	return p->ocsp_files && p->has_common && (p->files.n > 0 || p->files.looking);
}

err
ocsp_files_turn(struct publisher *p)
{
	struct ocsp_files *o = &p->files;
	size_t n = o->n < WRITTEN_A_TURN ? o->n : WRITTEN_A_TURN;
	err e = ok;

	if (!ocsp_files_waits(p))
		return ok;
	if (o->n == 0)
		return look(p);
	for (size_t i = 0; i < n; i++) {
		if (o->queue[i].answer.n > 0 && e.kind == OK)
			e = ocsp_files_put(p, o->queue[i].serial, buf_slice(&o->queue[i].answer));
		if (e.kind != OK) { /* a full disk: the rest stays, and all is tried again */
			memmove(o->queue, o->queue + i, (o->n - i) * sizeof o->queue[0]);
			o->n -= i;
			return e;
		}
		buf_drop(&o->queue[i].answer);
	}
	memmove(o->queue, o->queue + n, (o->n - n) * sizeof o->queue[0]);
	o->n -= n;
	if (o->n == 0 && o->look_again) {
		o->looking = true;
		o->look_again = false;
	}
	return ok;
}
