#include <fcntl.h>
#include <sys/mman.h>

#include "act/order.h"
#include "edge/disk.h"
#include "pki/crl.h"
#include "role/publisher/publisher.h"

/*
 * Which answer lapses first, of those that readers get: `recent` before `base`, as front reads them.
 *
 * Of every SEGMENT slots of base the first to lapse is remembered.  A look over base finds them, some slots a turn, when the
 * registrar asks for the first time and after every merge; ten million slots are 2,442 segments and seconds of reading.  What
 * is remembered of a segment holds until `recent` has a newer word on it, or the registrar asks for what stands behind it:
 * then that segment is read again.  recent is small, and read for each question.
 */
#define SEGMENT 4096U
#define LOOKED_A_TURN (2U * SEGMENT) /* as many as a merge takes twice: 2 ms where they are in memory */
#define PAGE 4096U
#define AGAIN_MAX 64U /* segments read again for one question; then it is asked once more */

struct lapse_first {
	instant next, made; /* next of NEVER: none */
	serial serial;
};
#define NEVER ((instant){INSTANT_MAX_MS})

static void
let_go(struct lapses *l)
{
	slots_drop(&l->base);
	map_close(&l->map);
	free(l->first);
	*l = (struct lapses){.open = false};
}

void
lapses_look_anew(struct publisher *p)
{
	p->lapses.stale = true;
}

void
lapses_drop(struct publisher *p)
{
	let_go(&p->lapses);
}

/* A file of the repository.  ERR_ABSENT. */
static err
open_map(struct publisher *p, const char *path, struct map *out)
{
	int fd = openat(p->repository, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	err e;

	if (fd < 0)
		return fail(ERR_ABSENT, "publisher-absent: house: there is no such file in the repository");
	e = map_open(fd, MAP_HERE_AND_THERE, out);
	disk_close(&fd);
	return e;
}

/* --- answers ------------------------------------------------------------------------------- */
static bool
is_behind(instant next, serial s, const struct lapse_order *o)
{
	return next.ms > o->after.ms || (next.ms == o->after.ms && (!o->has_serial || serial_cmp(s, o->after_serial) > 0));
}

/* A slot that would be the answer to the question, if it is served. */
static bool
is_first(const struct slot *s, const struct lapse_order *o, const struct lapse_first *best)
{
	return s->state == SLOT_GOOD && is_behind(s->next_update, s->serial, o) &&
	       (s->next_update.ms < best->next.ms ||
	           (s->next_update.ms == best->next.ms && serial_cmp(s->serial, best->serial) < 0));
}

static void
take(const struct slot *s, struct lapse_first *best)
{
	*best = (struct lapse_first){.next = s->next_update, .made = s->this_update, .serial = s->serial};
}

/* A segment that was read, out of our own memory: the file stays as it is, and mostly in the machine's. */
static void
let_pages(const struct lapses *l, uint64_t segment)
{
	union { /* madvise takes void * and changes nothing */
		const uint8_t *from;
		void *to;
	} u = {.from = l->base.slots.p + segment * SEGMENT * l->base.slot_bytes};
	size_t n = SEGMENT * l->base.slot_bytes, behind = (size_t)(u.from - l->map.bytes.p) % PAGE;

	u.from -= behind;
	if (segment + 1 == l->n)
		n = l->base.slots.n - segment * SEGMENT * l->base.slot_bytes;
	(void)madvise(u.to, n + behind, MADV_DONTNEED);
}

/* What is damaged is served to nobody: front says so, and it is no answer that lapses. */
static void
look_at_segment(struct publisher *p, uint64_t segment)
{
	struct lapses *l = &p->lapses;
	struct lapse_first best = {.next = NEVER};
	uint64_t end = (segment + 1) * SEGMENT < l->base.n ? (segment + 1) * SEGMENT : l->base.n;
	struct slot s;

	for (uint64_t i = segment * SEGMENT; i < end; i++)
		if (slots_at(&l->base, i, &s).kind == OK && is_first(&s, &l->from, &best) && !publisher_has_recent(p, s.serial))
			take(&s, &best);
	if (map_is_gone(
	        &l->map)) /* half of it was zeros: front withholds all of it, and it is read anew when it is replaced */
		best.next = NEVER;
	let_pages(l, segment);
	l->first[segment] = best;
}

static void
open_base(struct publisher *p, const struct lapse_order *from)
{
	struct lapses *l = &p->lapses;

	let_go(l);
	l->open = true;
	l->from = *from;
	if (open_map(p, "status/base", &l->map).kind != OK)
		return;
	if (slots_get(l->map.bytes, &l->base).kind != OK || map_is_gone(&l->map)) {
		slots_drop(&l->base); /* front withholds all of it */
		l->base = (struct slots){0};
	}
	l->n = (size_t)((l->base.n + SEGMENT - 1) / SEGMENT);
	l->first = mem_new(l->n == 0 ? 1 : l->n, sizeof *l->first);
}

bool
lapses_waits(const struct publisher *p)
{
	return p->lapses.open && !p->lapses.stale && p->lapses.looked < p->lapses.n;
}

void
lapses_turn(struct publisher *p)
{
	struct lapses *l = &p->lapses;

	if (!lapses_waits(p))
		return;
	for (size_t i = 0; i < LOOKED_A_TURN / SEGMENT && lapses_waits(p); i++)
		look_at_segment(p, l->looked++);
}

static uint64_t
first_segment(const struct lapses *l)
{
	uint64_t at = 0;

	for (uint64_t i = 1; i < l->n; i++)
		if (l->first[i].next.ms < l->first[at].next.ms ||
		    (l->first[i].next.ms == l->first[at].next.ms && serial_cmp(l->first[i].serial, l->first[at].serial) < 0))
			at = i;
	return at;
}

/* Of base; false: too much of it has a newer word, and some was looked at again. */
static bool
first_of_base(struct publisher *p, struct lapse_first *best)
{
	struct lapses *l = &p->lapses;
	size_t again = 0;
	bool known = false;

	*best = (struct lapse_first){.next = NEVER};
	while (!known && again < AGAIN_MAX) {
		uint64_t at = first_segment(l);
		const struct lapse_first *f = l->n == 0 ? NULL : &l->first[at];

		known = f == NULL || f->next.ms == NEVER.ms ||
		        (is_behind(f->next, f->serial, &l->from) && !publisher_has_recent(p, f->serial));
		if (known && f != NULL)
			*best = *f;
		if (known)
			break;
		look_at_segment(p, at);
		again++;
	}
	return known;
}

static void
first_of(const struct slot *list, size_t n, const struct publisher *p, bool is_frozen, struct lapse_first *best)
{
	for (size_t i = 0; i < n; i++)
		if (is_first(&list[i], &p->lapses.from, best) && !(is_frozen && publisher_is_newer(p, list[i].serial)))
			take(&list[i], best);
}

static void
find(struct publisher *p, const struct lapse_order *o, struct lapse_reply *out)
{
	struct lapses *l = &p->lapses;
	struct lapse_first best;

	*out = (struct lapse_reply){.state = LAPSE_LOOKING};
	/* what was remembered is of what stands behind an earlier place: a question that goes back makes it worthless */
	if (!l->open || l->stale ||
	    (o->after.ms < l->from.after.ms ||
	        (o->after.ms == l->from.after.ms && l->from.has_serial &&
	            (!o->has_serial || serial_cmp(o->after_serial, l->from.after_serial) < 0))))
		open_base(p, o);
	l->from = *o;
	lapses_turn(p);
	if (lapses_waits(p) || !first_of_base(p, &best))
		return;
	first_of(p->recent, p->n, p, false, &best);
	first_of(p->frozen, p->frozen_n, p, true, &best);
	out->state = best.next.ms == NEVER.ms ? LAPSE_NONE : LAPSE_FOUND;
	out->serial = best.serial;
	out->this_update = best.made;
	out->next_update = best.next;
}

/* --- lists --------------------------------------------------------------------------------- */
static err
look_at_list(struct publisher *p, slice path, struct list_times *out)
{
	struct map file = {.place = 0};
	char name[256];
	struct crl c;
	err e;

	if (path.n >= sizeof name)
		return fail(ERR_ABSENT, "publisher-absent: house: there is no such file in the repository");
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	TRY(open_map(p, name, &file));
	e = crl_get_any(file.bytes, &c);
	if (e.kind == OK && !map_is_gone(&file))
		*out = (struct list_times){.this_update = c.this_update, .next_update = c.next_update};
	else if (e.kind == OK)
		e = fail(ERR_ABSENT, "publisher-absent: house: there is no such file in the repository");
	map_close(&file);
	return e;
}

err
lapses_answer(struct publisher *p, const struct frame *f, struct buf *body)
{
	struct list_times_order list;
	struct list_times times;
	struct lapse_order o;
	struct lapse_reply r;

	if (f->kind == ORDER_LIST_TIMES) {
		TRY(list_times_order_get(f->body, &list));
		TRY(look_at_list(p, list.path, &times));
		list_times_put(body, &times);
		return ok;
	}
	TRY(lapse_order_get(f->body, &o));
	find(p, &o, &r);
	lapse_reply_put(body, &r);
	return ok;
}
