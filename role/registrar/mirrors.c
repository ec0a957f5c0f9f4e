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
		json_put_named_number(b, "behind_s", m->seconds);
		json_put_named_number(b, "pushed", m->pushed);
		json_put_named_number(b, "failures", m->failures);
		json_put_named_number(b, "failures_in_a_row", m->in_a_row);
		json_put_named(b, "trouble", m->trouble);
		json_put_named_number(b, "said_s", since);
		json_close(b, '}');
	}
	json_close(b, ']');
}
