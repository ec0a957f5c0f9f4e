#include "act/numbers.h"
#include "base/json.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * Copies of the repository: messenger pushes them, the registrar asks how they are, so that it stands with all the rest in
 * `inkanctl status` and in the numbers for whoever watches.  Nothing of it is in the books.
 */
#define ASK_EVERY_MS 2000

void
mirrors_tend(struct registrar *r)
{
	if (r->seen_steady - r->mirrors.asked < ASK_EVERY_MS || link_of(r, PEER_MESSENGER, 0) == NULL)
		return;
	r->mirrors.asked = r->seen_steady;
	turn_order(r, PEER_MESSENGER, 0, ORDER_MIRRORS, ++r->generations, (slice){NULL, 0});
}

err
mirrors_result(struct registrar *r, const struct frame *x)
{
	struct mirrors_reply reply;

	if (x->fail != OK) {
		log_what(LOG_WARN, "messenger", x->what);
		return ok;
	}
	TRY(mirrors_reply_get(x->body, &reply));
	r->mirrors.bytes.max = FRAME_BODY_MAX;
	buf_clear(&r->mirrors.bytes);
	buf_put(&r->mirrors.bytes, x->body);
	TRY(mirrors_reply_get(buf_slice(&r->mirrors.bytes), &r->mirrors.last));
	r->mirrors.heard = r->seen_steady;
	return ok;
}

void
mirrors_put(const struct registrar *r, struct buf *b)
{
	static const char *const KINDS[] = {[MIRROR_FOLDER] = "folder", [MIRROR_S3] = "s3", [MIRROR_PUT] = "put"};

	json_put_name(b, "mirrors");
	json_open(b, '[');
	for (size_t i = 0; i < r->mirrors.last.n; i++) {
		const struct mirror_state *m = &r->mirrors.last.mirror[i];
		uint64_t since = (uint64_t)(r->seen_steady - r->mirrors.heard) / 1000;

		json_open(b, '{');
		json_put_named(b, "name", m->name);
		json_put_named(b, "kind", slice_str(KINDS[m->kind]));
		json_put_name(b, "whole_look");
		json_put_bool(b, m->walking);
		json_put_named_number(b, "behind", m->behind);
		json_put_named_number(b, "missing", m->missing);
		json_put_named_number(b, "behind_s", m->seconds);
		json_put_named_number(b, "pushed", m->pushed);
		json_put_named_number(b, "failures", m->failures);
		json_put_named_number(b, "failures_in_a_row", m->in_a_row);
		json_put_named(b, "trouble", m->trouble);
		json_put_named_number(b, "refused", m->refused);
		json_put_named(b, "refused_path", m->refused_path);
		json_put_named(b, "refused_why", m->refused_why);
		json_put_named_number(b, "said_s", since);
		json_close(b, '}');
	}
	json_close(b, ']');
}

/* What relying parties are told, held against the books: not the registrar's own word, and so not in the books either. */
void
mirrors_put_check(const struct registrar *r, struct buf *b)
{
	slice beat = r->wires == NULL ? (slice){NULL, 0} : wires_beat(r->wires);
	struct numbers *n = mem_new(1, sizeof *n);
	uint64_t at = 0, differences = 0, could_not = 0, answers = 0, seconds = 0;

	json_put_name(b, "check");
	json_open(b, '{');
	if (beat.n > 0 && numbers_get(beat, n).kind == OK && numbers_find(n, N_CHECK_AT, 0, 0, &at)) {
		struct buf t OWNED(buf_drop) = BUF(64);
		bool all = numbers_find(n, N_CHECK_DIFFERENCES, 0, 0, &differences) &&
		           numbers_find(n, N_CHECK_COULD_NOT, 0, 0, &could_not) &&
		           numbers_find(n, N_CHECK_ANSWERS, 0, 0, &answers) && numbers_find(n, N_CHECK_SECONDS, 0, 0, &seconds);
		const char *state = differences > 0 ? "differs" : !all || could_not > 0 ? "unchecked" : "as the books say";

		instant_put(&t, (instant){(int64_t)at});
		json_put_named(b, "state", slice_str(state));
		json_put_named(b, "at", buf_slice(&t));
		json_put_named_number(b, "differences", differences);
		json_put_named_number(b, "could_not", could_not);
		json_put_named_number(b, "answers", answers);
		json_put_named_number(b, "seconds", seconds);
	} else
		json_put_named(b, "state", LIT("none"));
	json_close(b, '}');
	free(n);
}
