#include "edge/ipc.h"
#include "role/verifier/verifier.h"

#define FLUSH_EVERY 8 /* facts: the registrar writes some into the books while we judge the next */

/* Every frame that is whole, while the registrar takes the answers; one result a frame, or none. */
static err
hear(struct verifier *v, struct link *l)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct frame in, f;
	bool have = true, whole;
	size_t n = 0;

	while (!link_is_full(l)) {
		slice s;

		TRY(link_next(l, &have, &in));
		if (!have)
			return ok;
		buf_clear(&out);
		TRY(verifier_step(v, &in, &out));
		TRY(buf_check(&out));
		for (s = buf_slice(&out); s.n > 0;) {
			TRY(frame_get(&s, &whole, &f));
			assert(whole);
			link_put(l, &f);
		}
		if (++n % FLUSH_EVERY == 0)
			TRY(link_flush(l));
	}
	return ok;
}

/* One turn without waiting.  A registrar that is new knows nothing of what the last one handed over. */
static err
verifier_turn(struct verifier *v, struct wires *w)
{
	struct link *l = wires_find(w, PEER_REGISTRAR, 0);

	if (wires_fresh(w, PEER_REGISTRAR, 0)) {
		verifier_drop(v);
		verifier_start(v);
	}
	return l == NULL ? ok : hear(v, l);
}

static err
serve(struct verifier *v, struct wires *w, const struct start *s)
{
	struct jail j;

	verifier_jail(s, &j);
	TRY(jail_enter(&j));
	while (!wires_stopped(w)) {
		err e = verifier_turn(v, w);

		/* The registrar went wrong; what is held here is nothing that could be damaged: inkand starts it anew. */
		if (e.kind != OK)
			return fail(ERR_WORLD, e.what);
		wires_flush(w);
		TRY(wires_wait(w, -1));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct wires *w OWNED(wires_drop) = NULL;
	struct verifier v;
	struct start s;
	err e = start_get("verifier", argc, argv, &s);

	verifier_start(&v);
	if (e.kind == OK)
		e = wires_open(&w);
	if (e.kind == OK)
		e = serve(&v, w, &s);
	verifier_drop(&v);
	return start_end(e);
}
