#include "edge/log.h"
#include "role/publisher/publisher.h"

/*
 * Whose answers the status files hold (RFC 6960 4.2.2.2): a place for each responder in what all answers share, and the
 * bytes of its certificate, which every answer carries along.
 */
err
responders_join(struct publisher *p, const struct slots_common *from)
{
	struct slots_common c = p->has_common ? p->common : *from;
	uint8_t map[SLOTS_RESPONDERS_MAX];

	TRY(slots_common_join(&c, from, map));
	for (size_t i = p->has_common ? p->common.n_responders : 0; i < c.n_responders; i++) {
		buf_clear(&p->responder[i]);
		buf_put(&p->responder[i], c.responder[i].cert);
		c.responder[i].cert = buf_slice(&p->responder[i]);
	}
	p->common = c;
	p->has_common = true;
	return ok;
}

err
responders_join_base(struct publisher *p, const struct slots *base)
{
	uint8_t map[SLOTS_RESPONDERS_MAX];

	TRY(responders_join(p, &base->common));
	slots_common_map(&p->common, &base->common, map);
	for (size_t i = 0; i < base->common.n_responders; i++)
		p->base_until[map[i]] = BASE_UNKNOWN;
	p->base_joined = true;
	return ok;
}

/* Which of them an answer later than `at` is by; the last that came is about to sign. */
static void
mark_used(const struct publisher *p, instant at, bool used[SLOTS_RESPONDERS_MAX])
{
	memset(used, 0, SLOTS_RESPONDERS_MAX * sizeof *used);
	for (size_t i = 0; i < p->n; i++)
		if (p->recent[i].state != SLOT_WITHDRAWN && p->recent[i].next_update.ms > at.ms)
			used[p->recent[i].responder] = true;
	for (size_t i = 0; i < p->renewed.n; i++) {
		struct slot s;

		memcpy(&s, p->renewed.slot + i * p->renewed.stride, p->renewed.stride);
		if (s.next_update.ms > at.ms)
			used[s.responder] = true;
	}
	for (size_t i = 0; i < p->common.n_responders; i++)
		used[i] = used[i] || p->base_until[i] > at.ms;
	used[p->common.n_responders - 1] = true;
}

/* Recent and renewed answers go with their responder, or keep it at its new place. */
static void
move_answers(struct publisher *p, const uint8_t map[SLOTS_RESPONDERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct slot *s = &p->recent[i];

		if (s->state != SLOT_WITHDRAWN && map[s->responder] == SLOTS_RESPONDER_NONE)
			continue;
		s->responder = s->state == SLOT_WITHDRAWN ? 0 : map[s->responder];
		p->recent[n++] = *s;
	}
	p->n = n;
	n = 0;
	for (size_t i = 0; i < p->renewed.n; i++) {
		struct slot s;

		memcpy(&s, p->renewed.slot + i * p->renewed.stride, p->renewed.stride);
		if (map[s.responder] == SLOTS_RESPONDER_NONE)
			continue;
		s.responder = map[s.responder];
		memcpy(p->renewed.slot + n++ * p->renewed.stride, &s, p->renewed.stride);
	}
	p->renewed.n = n;
}

void
responders_drop(struct publisher *p, instant at)
{
	size_t before = p->common.n_responders;
	uint8_t map[SLOTS_RESPONDERS_MAX];
	bool used[SLOTS_RESPONDERS_MAX];

	assert(!p->merge.on);
	if (before < 2)
		return;
	mark_used(p, at, used);
	slots_common_keep(&p->common, used, map);
	if (p->common.n_responders == before)
		return;
	for (size_t i = 0; i < before; i++) {
		struct buf moved = p->responder[i]; /* the bytes stay where they are: the common part borrows them */

		if (map[i] == SLOTS_RESPONDER_NONE || map[i] == i)
			continue;
		p->responder[i] = p->responder[map[i]];
		p->responder[map[i]] = moved;
		p->base_until[map[i]] = p->base_until[i];
	}
	for (size_t i = p->common.n_responders; i < before; i++)
		p->base_until[i] = 0;
	move_answers(p, map);
	p->dirty = true;
	log_text(LOG_NOTE,
	    "publisher-responder: RFC 6960 4.2.2.2: no answer is by an earlier responder any more; it leaves "
	    "the status files");
}
