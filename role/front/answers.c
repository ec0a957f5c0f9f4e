/* OCSP from the published status files: RFC 6960, RFC 5019; Rule 6(xi) B-11. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "role/front/front.h"

#define LOOK_EVERY_MS 100 /* revocation shows within a second: a tenth of it may pass before we see a new file */

static const char *const FILES[] = {"status/recent", "status/base"};

/* Maps a file that was replaced; the old map is let go, since no answer keeps a slice of it beyond its turn. */
static void
look_at(struct front *f, size_t i)
{
	struct stat st;
	int64_t mtime;
	void *p;
	int fd = openat(f->repository, FILES[i], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0 || st.st_size <= 0) {
		close(fd);
		return;
	}
	mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (f->answers.file[i].map.p != NULL && f->answers.file[i].ino == (int64_t)st.st_ino &&
	    f->answers.file[i].mtime_ns == mtime) {
		close(fd);
		return;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	if (f->answers.file[i].map.p != NULL) {
		union {
			const uint8_t *from;
			void *to;
		} u = {.from = f->answers.file[i].map.p};

		slots_drop(&f->answers.file[i].slots);
		(void)munmap(u.to, f->answers.file[i].map.n);
	}
	f->answers.file[i].ino = (int64_t)st.st_ino;
	f->answers.file[i].mtime_ns = mtime;
	f->answers.file[i].map = slice_of(p, (size_t)st.st_size);
	f->answers.file[i].good = slots_get(f->answers.file[i].map, &f->answers.file[i].slots).kind == OK;
	if (!f->answers.file[i].good)
		log_text(LOG_ALARM, "front-status-file: house: a published status file is damaged; its answers are withheld");
}

static void
look(struct front *f)
{
	int64_t now = clock_steady_ms();

	if (now - f->answers.looked < LOOK_EVERY_MS && f->answers.looked != 0)
		return;
	f->answers.looked = now;
	look_at(f, 0);
	look_at(f, 1);
}

/* The newest word on a serial: recent before base.  ERR_ABSENT, ERR_BUSY (withdrawn or damaged). */
static err
find(struct front *f, const struct ocsp_certid *id, const struct slots **from, struct slot *out)
{
	bool damaged = false;

	for (size_t i = 0; i < 2; i++) {
		const struct slots *s = &f->answers.file[i].slots;
		err e;

		if (f->answers.file[i].map.p == NULL)
			continue;
		if (!f->answers.file[i].good) {
			damaged = true;
			continue;
		}
		if (!ocsp_certid_is_of(id, &s->common.issuer))
			continue;
		e = slots_find(s, id->serial, out);
		if (e.kind == OK) {
			*from = s;
			return ok;
		}
		damaged = damaged || e.kind == ERR_CORRUPT;
	}
	if (damaged)
		return fail(ERR_BUSY, "front-damaged: Rule 6(xi): the answer cannot be read just now");
	return fail(ERR_ABSENT, "front-unknown: RFC 5019 2.2.3: this responder has no answer for that certificate");
}

void
answers_reply_to(struct front *f, slice request, instant now, struct buf *body, struct http_reply *reply)
{
	struct ocsp_request q;
	const struct slots *from = NULL;
	struct slot slot;
	err e;

	look(f);
	*reply = (struct http_reply){.status = 200, .type = "application/ocsp-response"};
	e = ocsp_request_get(request, &q);
	if (e.kind == OK && q.n != 1)
		e = fail(ERR_POLICY, "front-many: RFC 5019 2.1.1: one certificate is asked for at a time");
	if (e.kind == OK)
		e = find(f, &q.id[0], &from, &slot);
	if (e.kind == OK && now.ms >= slot.next_update.ms)
		e = fail(ERR_BUSY, "front-stale: RFC 6960 2.4: the answer's time has passed, a new one is being signed");
	if (e.kind == OK)
		e = slot_put_answer(body, &from->common, &slot);
	if (e.kind == OK) {
		f->ocsp_count[slot.state == SLOT_REVOKED ? 1 : 0]++;
		reply->cache = "max-age=60, public, no-transform, must-revalidate"; /* a revocation shows soon, RFC 5019 6.2 */
	} else {
		buf_clear(body);
		f->ocsp_count[e.kind == ERR_ABSENT || e.kind == ERR_POLICY ? 2 : 3]++;
		ocsp_put_error(body, e.kind == ERR_INPUT  ? OCSP_MALFORMED
		                     : e.kind == ERR_BUSY ? OCSP_TRY_LATER
		                                          : OCSP_UNAUTHORIZED);
	}
	reply->body = buf_slice(body);
}
