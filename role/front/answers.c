/*
 * OCSP from the published status files: RFC 6960, RFC 5019; Rule 6(xi) B-11.
 *
 * What is answered when something is wrong leans to one side: `good` is given only where the newest word on a
 * certificate was read and says so.  Where a file or a block of it is damaged, the word in it may have been a revocation;
 * an older copy of it would not say.  So a certificate that may stand there gets tryLater, and `revoked` from an older
 * word only, which no newer one takes back.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "edge/clock.h"
#include "edge/log.h"
#include "role/front/front.h"

#define LOOK_EVERY_MS 100 /* revocation shows within a second: a tenth of it may pass before we see a new file */

/*
 * RFC 5019 6.2 lets a cache keep an answer until nextUpdate, RFC 9111 5.3 puts max-age before Expires: a minute, so that
 * a revocation shows in a cache within a minute of showing here, while a certificate asked for a thousand times a second
 * costs us one answer a minute.
 */
#define CACHE_MAX_S 60

static const char *const FILES[] = {"status/recent", "status/base"};

/* --- the files -------------------------------------------------------------------- */
static void
let_go(struct status_file *s)
{
	slots_drop(&s->slots);
	map_close(&s->map);
	s->good = false;
}

static void
tell_file(struct front *f)
{
	f->answers.files_damaged++;
	log_text(LOG_ALARM, "front-status-file: house: a published status file is damaged; its answers are withheld");
}

/* Maps a file that was replaced. */
static void
look_at(struct front *f, size_t i)
{
	struct status_file *s = &f->answers.file[i];
	int fd = openat(f->repository, FILES[i], O_RDONLY | O_CLOEXEC);
	struct stat st;
	int64_t mtime;

	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0) {
		close(fd);
		return;
	}
	mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (s->there && s->ino == (int64_t)st.st_ino && s->mtime_ns == mtime && s->bytes == st.st_size) {
		close(fd);
		return;
	}
	let_go(s);
	*s =
	    (struct status_file){.ino = (int64_t)st.st_ino, .mtime_ns = mtime, .bytes = (int64_t)st.st_size, .there = true};
	/* a look-up reads a block, not what follows it */
	s->good = map_open(fd, MAP_HERE_AND_THERE, &s->map).kind == OK && slots_get(s->map.bytes, &s->slots).kind == OK &&
	          !map_is_gone(&s->map);
	close(fd);
	if (!s->good)
		tell_file(f);
}

/* recent first: the publisher writes base and then empties recent into it, so that what left recent stands in base. */
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

void
answers_drop(struct answers *a)
{
	let_go(&a->file[0]);
	let_go(&a->file[1]);
	buf_drop(&a->text);
}

/* What was just read of it may be half of what it said: it was cut short under us, or the disk could not read it. */
static bool
is_gone(struct front *f, struct status_file *s)
{
	if (!s->good || !map_is_gone(&s->map))
		return false;
	let_go(s);
	tell_file(f);
	return true;
}

/* Each damaged block is told of once. */
static void
tell_damage(struct front *f, struct status_file *s)
{
	uint64_t n = slots_damaged(&s->slots);

	if (n == s->damaged)
		return;
	f->answers.blocks_damaged += n - s->damaged;
	s->damaged = n;
	log_number(LOG_ALARM, "front-status-block: house: a block of a status file is damaged; its answers are withheld",
	    "blocks", f->answers.blocks_damaged);
}

/* --- the word on a certificate ------------------------------------------------------ */
static err
damaged_now(void)
{
	return fail(ERR_BUSY, "front-damaged: Rule 6(xi): the answer cannot be read just now");
}

/* The newest word on a serial: recent before base.  ERR_ABSENT; ERR_BUSY where it may stand in what is damaged. */
static err
find(struct front *f, const struct ocsp_certid *id, const struct slots **from, struct slot *out)
{
	bool damaged = false;

	for (size_t i = 0; i < 2; i++) {
		struct status_file *s = &f->answers.file[i];
		err e;

		if (!s->there)
			continue;
		if (!s->good) {
			damaged = true;
			continue;
		}
		if (!ocsp_certid_is_of(id, &s->slots.common.issuer))
			continue;
		e = slots_find(&s->slots, id->serial, out);
		if (is_gone(f, s)) {
			damaged = true;
			continue;
		}
		if (e.kind == OK && (!damaged || out->state == SLOT_REVOKED)) {
			*from = &s->slots;
			return ok;
		}
		if (e.kind == ERR_CORRUPT)
			tell_damage(f, s);
		damaged = damaged || e.kind == ERR_CORRUPT;
	}
	if (damaged)
		return damaged_now();
	return fail(ERR_ABSENT, "front-unknown: RFC 5019 2.2.3: this responder has no answer for that certificate");
}

/* A clock set back makes an answer one of a time to come; RFC 6960 4.2.2.1 lets no client take it. */
static err
check_time(const struct slot *s, instant now)
{
	if (now.ms < s->this_update.ms)
		return fail(ERR_BUSY, "front-early: RFC 6960 4.2.2.1: the answer is of a time to come");
	if (now.ms >= s->next_update.ms)
		return fail(ERR_BUSY, "front-stale: RFC 6960 2.4: the answer's time has passed, a new one is being signed");
	return ok;
}

/* --- the reply ---------------------------------------------------------------------- */
/* One more line of text; returns where it begins. */
static size_t
text_start(struct answers *a)
{
	if (a->text.n > 0)
		buf_put_u8(&a->text, '\0');
	return a->text.n;
}

/*
 * RFC 5019 6.2: what a cache may do with an answer.  The ETag is the end of the signature, which no two answers share;
 * Last-Modified and Expires are thisUpdate and nextUpdate.
 */
static void
put_head(struct front *f, const struct slot *s, instant now, struct http_reply *reply)
{
	struct answers *a = &f->answers;
	int64_t left = (s->next_update.ms - now.ms) / 1000;
	size_t etag, cache, modified, expires, n = s->signature_n < 16 ? s->signature_n : 16;

	buf_clear(&a->text);
	etag = text_start(a);
	buf_put_u8(&a->text, '"');
	buf_put_hex(&a->text, slice_of(s->signature + s->signature_n - n, n));
	buf_put_u8(&a->text, '"');
	cache = text_start(a);
	buf_put_str(&a->text, "max-age=");
	buf_put_decimal(&a->text, (uint64_t)(left < CACHE_MAX_S ? left : CACHE_MAX_S));
	buf_put_str(&a->text, ", public, no-transform, must-revalidate");
	modified = text_start(a);
	instant_put_http(&a->text, s->this_update);
	expires = text_start(a);
	instant_put_http(&a->text, s->next_update);
	buf_put_u8(&a->text, '\0');
	assert(!a->text.over);
	reply->etag = (const char *)a->text.p + etag;
	reply->cache = (const char *)a->text.p + cache;
	reply->last_modified = (const char *)a->text.p + modified;
	reply->expires = (const char *)a->text.p + expires;
}

/* RFC 9110 13.1.2: "*", or a list in which our tag stands, weak or not; our tag has no comma in it. */
static bool
has_it(const struct http_request *q, const char *etag)
{
	slice list = q->if_none_match, one;

	if (q->method == HTTP_POST || list.n == 0)
		return false;
	for (bool more = true; more;) {
		more = slice_cut(&list, ',', &one);
		if (!more)
			one = list;
		while (one.n > 0 && (one.p[0] == ' ' || one.p[0] == '\t'))
			one = (slice){one.p + 1, one.n - 1};
		while (one.n > 0 && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
			one.n--;
		if (slice_has_prefix(one, LIT("W/")))
			one = (slice){one.p + 2, one.n - 2};
		if (slice_eq(one, slice_str(etag)) || slice_eq(one, LIT("*")))
			return true;
	}
	return false;
}

static bool
is_ours(const struct front *f, const struct ocsp_certid *id)
{
	for (size_t i = 0; i < COUNT(f->answers.file); i++)
		if (f->answers.file[i].good && ocsp_certid_is_of(id, &f->answers.file[i].slots.common.issuer))
			return true;
	return false;
}

/*
 * Of ours, with an answer that is not withheld, or with none where that is signed: only then is the signer's time spent on
 * it.
 */
static bool
may_be_live(struct front *f, const struct ocsp_request *asked)
{
	for (size_t i = 0; i < asked->n; i++) {
		const struct slots *from;
		struct slot slot;
		err e = find(f, &asked->id[i], &from, &slot);

		if (e.kind == ERR_ABSENT && f->unknown == UNKNOWN_SIGNED && is_ours(f, &asked->id[i]))
			continue;
		if (e.kind != OK || slot.state == SLOT_WITHDRAWN)
			return false;
	}
	return true;
}

/* What was made ahead satisfies it: one certificate, no nonce, and not one of which only the signer says that it is unknown. */
static bool
is_ahead(struct front *f, const struct ocsp_request *asked)
{
	const struct slots *from;
	struct slot slot;

	return asked->n == 1 && asked->nonce.n == 0 &&
	       (f->unknown != UNKNOWN_SIGNED || find(f, &asked->id[0], &from, &slot).kind != ERR_ABSENT);
}

/*
 * A request that no answer made ahead satisfies - it has a nonce, asks for several certificates, or for one that is unknown
 * where that is signed - is handed over to
 * the status signer while the client waits: true when it was, and http_answer(f->http, q->id, …) follows.  False while it
 * is away or has much to do: then a nonce is not echoed (RFC 9654 2.1 leaves that to the responder, RFC 5019 2.2.1 to the
 * client) and the answer made ahead is given; several certificates get tryLater.  What is withheld here - revoked in the
 * books, and the signer may not know yet - is not asked.
 */
static bool
answers_live(struct front *f, const struct http_request *q, slice request, const struct ocsp_request *asked)
{
	struct link *l = wires_find(f->wires, PEER_STATUS, 0);
	struct buf body OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX + 8);
	struct live *free_place = NULL;

	for (size_t i = 0; i < LIVE_WAITING_MAX && free_place == NULL; i++)
		if (f->answers.live[i].id == 0)
			free_place = &f->answers.live[i];
	if (l == NULL || link_is_full(l) || free_place == NULL || request.n > OCSP_REQUEST_MAX || !may_be_live(f, asked))
		return false;
	octets_put(&body, request);
	if (buf_check(&body).kind != OK)
		return false;
	link_order(l, ORDER_LIVE, q->id, buf_slice(&body));
	free_place->id = q->id;
	free_place->since = clock_steady_ms();
	free_place->n = request.n;
	memcpy(free_place->request, request.p, request.n);
	f->answers.n_live++;
	return true;
}

static err
judge(struct front *f, const struct ocsp_request *asked, instant now, const struct slots **from, struct slot *slot)
{
	if (asked->n > 1) {
		for (size_t i = 0; i < asked->n; i++) {
			err e = find(f, &asked->id[i], from, slot);

			if (e.kind == ERR_ABSENT)
				return e;
		}
		return fail(ERR_BUSY, "front-many: RFC 6960 2.3: several certificates are asked for; please try later");
	}
	TRY(find(f, &asked->id[0], from, slot));
	return check_time(slot, now);
}

static void
put_error(struct front *f, err e, struct buf *room)
{
	static const struct {
		size_t counted;
		enum ocsp_error e;
	} of[] = {[ERR_INPUT] = {4, OCSP_MALFORMED},
	    [ERR_POLICY] = {2, OCSP_UNAUTHORIZED},
	    [ERR_ABSENT] = {2, OCSP_UNAUTHORIZED},
	    [ERR_BUSY] = {3, OCSP_TRY_LATER}};

	buf_clear(room);
	f->ocsp_count[of[e.kind].counted]++;
	ocsp_put_error(room, of[e.kind].e);
}

void
answers_look(struct front *f)
{
	look(f);
}

/* From what was made ahead. */
static void
reply_ahead(struct front *f, const struct http_request *q, err e, const struct ocsp_request *asked, instant now,
    struct http_reply *reply)
{
	const struct slots *from = NULL;
	struct slot slot;

	*reply = (struct http_reply){.status = 200, .type = "application/ocsp-response", .machine = true};
	if (e.kind == OK)
		e = judge(f, asked, now, &from, &slot);
	if (e.kind == OK)
		e = slots_put_answer(q->room, from, &slot);
	for (size_t i = 0; e.kind == OK && i < COUNT(f->answers.file); i++) /* its header has the responder's certificate */
		if (is_gone(f, &f->answers.file[i]))
			e = damaged_now();
	if (e.kind != OK)
		put_error(f, e, q->room);
	else {
		f->ocsp_count[slot.state == SLOT_REVOKED ? 1 : 0]++;
		put_head(f, &slot, now, reply);
		if (has_it(q, reply->etag)) {
			reply->status = 304;
			buf_clear(q->room);
		}
	}
	reply->body = buf_slice(q->room);
}

bool
answers_reply_to(struct front *f, const struct http_request *q, slice request, instant now, struct http_reply *reply)
{
	struct ocsp_request asked;
	err e;

	look(f);
	e = ocsp_request_get(request, &asked);
	if (e.kind == OK && !is_ahead(f, &asked) && answers_live(f, q, request, &asked))
		return false;
	reply_ahead(f, q, e, &asked, now, reply);
	return true;
}

/* --- live ----------------------------------------------------------------------------- */
/* `signed_now` is empty where the signer said nothing, or no; `why` then. */
static void
live_reply(struct front *f, struct live *w, slice signed_now, enum err_kind why)
{
	struct buf room OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct http_request q = {.id = w->id, .method = HTTP_POST, .room = &room};
	struct http_reply reply = {
	    .status = 200, .type = "application/ocsp-response", .machine = true, .cache = "no-store", .body = signed_now};
	struct ocsp_request asked;
	err e;

	look(f);
	e = ocsp_request_get(slice_of(w->request, w->n), &asked);
	if (signed_now.n == 0 || e.kind != OK || !may_be_live(f, &asked))
		signed_now.n = 0;
	f->live_count[signed_now.n > 0 ? LIVE_SIGNED : LIVE_AHEAD]++;
	if (signed_now.n == 0) { /* withheld since it was asked: so it is now */
		if (e.kind == OK && asked.n > 1 && (why == ERR_ABSENT || why == ERR_POLICY))
			e = fail(ERR_ABSENT, "front-unknown: RFC 5019 2.2.3: this responder has no answer for that certificate");
		reply_ahead(f, &q, e, &asked, clock_now(), &reply);
	}
	w->id = 0;
	f->answers.n_live--;
	f->status_count[2]++;
	http_answer(f->http, q.id, &reply);
}

void
answers_live_came(struct front *f, const struct frame *r)
{
	slice whole = {NULL, 0};

	if (r->fail == OK && octets_get(r->body, &whole).kind != OK)
		whole = (slice){NULL, 0};
	for (size_t i = 0; i < LIVE_WAITING_MAX && r->id != 0; i++)
		if (f->answers.live[i].id == r->id) {
			live_reply(f, &f->answers.live[i], whole, r->fail);
			return;
		}
}

void
answers_live_end(struct front *f, enum live_end which)
{
	int64_t now = clock_steady_ms();

	for (size_t i = 0; i < LIVE_WAITING_MAX && f->answers.n_live > 0; i++) {
		struct live *w = &f->answers.live[i];

		if (w->id != 0 && (which == LIVE_ALL || now - w->since >= LIVE_LATE_MS))
			live_reply(f, w, (slice){NULL, 0}, ERR_BUSY);
	}
}
