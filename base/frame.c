#include "base/der.h"
#include "base/frame.h"

/* How long the frame at the front is, 0 when its header is not there yet. */
static err
frame_length(slice s, size_t *out)
{
	size_t k, n = 0;

	*out = 0;
	if (s.n > 0 && s.p[0] != DER_SEQUENCE)
		return fail(ERR_CORRUPT, "frame-form: house: a stream between processes does not hold frames");
	if (s.n < 2)
		return ok;
	if (s.p[1] < 0x80) {
		*out = 2 + (size_t)s.p[1];
		return ok;
	}
	k = s.p[1] & 0x7F;
	if (k == 0)
		return fail(ERR_CORRUPT, "frame-form: house: a stream between processes does not hold frames");
	if (k > 3)
		return fail(ERR_CORRUPT, "frame-long: house: a frame is longer than 128 KiB");
	if (s.n < 2 + k)
		return ok;
	for (size_t i = 0; i < k; i++)
		n = n << 8 | s.p[2 + i];
	if (2 + k + n > FRAME_MAX)
		return fail(ERR_CORRUPT, "frame-long: house: a frame is longer than 128 KiB");
	*out = 2 + k + n;
	return ok;
}

static err
get_members(slice s, struct frame *f)
{
	slice seq;
	uint64_t kind;
	unsigned fail_kind;

	TRY(der_get(&s, DER_SEQUENCE, &seq));
	TRY(der_get_u64(&seq, 255, &kind));
	TRY(der_get_u64(&seq, INT64_MAX, &f->id));
	TRY(der_get_enum(&seq, ERR_CORRUPT, &fail_kind));
	TRY(der_get(&seq, DER_UTF8, &f->what));
	TRY(der_get(&seq, DER_OCTETS, &f->body));
	TRY(der_end(seq));
	f->kind = (uint8_t)kind;
	f->fail = (enum err_kind)fail_kind;
	return ok;
}

err
frame_get(slice *stream, bool *whole, struct frame *out)
{
	struct frame f;
	slice s = *stream, one;
	size_t n;

	TRY(frame_length(s, &n));
	if (n == 0 || n > s.n) {
		*whole = false;
		return ok;
	}
	if (!slice_take(&s, n, &one))
		abort();
	if (get_members(one, &f).kind != OK)
		return fail(ERR_CORRUPT, "frame-form: house: a stream between processes does not hold frames");
	*out = f;
	*whole = true;
	*stream = s;
	return ok;
}

void
frame_put(struct buf *b, const struct frame *f)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, f->kind);
	der_put_u64(b, f->id);
	der_put_enum(b, f->fail);
	der_put(b, DER_UTF8, f->what);
	der_put(b, DER_OCTETS, f->body);
	der_close(b, seq);
}

err
gate_check(const struct gate *rows, size_t n, unsigned from, int *state, const struct frame *f)
{
	bool known = false;

	assert(*state >= 0 && *state < 32);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].kind != f->kind || rows[i].from != from)
			continue;
		known = true;
		if ((rows[i].when >> *state & 1) == 0)
			continue;
		if (f->body.n > rows[i].most)
			return fail(ERR_CORRUPT, "gate-long: house: a peer said more than it may");
		if (rows[i].then != GATE_STAY)
			*state = rows[i].then;
		return ok;
	}
	if (known)
		return fail(ERR_CORRUPT, "gate-early: house: a peer said something that may not be said now");
	return fail(ERR_CORRUPT, "gate-unknown: house: a peer said something this role does not hear");
}
