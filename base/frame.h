/*
 * frame.h - what two processes of the house say to each other.
 *
 * Depends on: base, der.  Pure.
 *
 *   Frame ::= SEQUENCE {
 *	kind  INTEGER (0..255),            what is asked or answered, see the role's gate
 *	id    INTEGER (0..2^63-1),         chosen by who asks, repeated by who answers
 *	fail  ENUMERATED (0..7),           enum err_kind; OK in every order
 *	what  UTF8String,                  the refusal's whole text, empty when OK
 *	body  OCTET STRING }               a DER SEQUENCE specified above its reader
 *
 * An order asks, a result carries the same kind and id.  At most FRAME_MAX bytes;
 * larger objects go in numbered parts.  On a stream the frame's own length
 * delimits it.
 *
 * A gate lists every frame a role will hear: anything else, or early, or longer,
 * ends the process that heard it (a peer gone wrong is not argued with).
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include "base/base.h"

#define FRAME_MAX (128U << 10)
/* What fits beside the other members. */
#define FRAME_BODY_MAX (FRAME_MAX - 1024)

struct frame {
	uint8_t kind;
	uint64_t id;
	enum err_kind fail;
	slice what;
	slice body;
};

/*
 * Takes one frame off the front of a stream.  *whole is false (nothing moved)
 * when more bytes must come first; ERR_CORRUPT frame-… when what stands there can
 * never become a frame.  The slices borrow from the stream.
 */
err frame_get(slice *stream, bool *whole, struct frame *out) CHECKED;
void frame_put(struct buf *b, const struct frame *f);

/* One row of a gate: the frame, who may send it, in which states (bit mask), its longest body, the state after. */
struct gate {
	uint8_t kind;
	unsigned from; /* the role's own number for the peer */
	unsigned when; /* bit mask of states                 */
	size_t most;   /* bytes of body                      */
	int then;      /* next state, or GATE_STAY           */
};
#define GATE_STAY (-1)
#define GATE_ANY UINT32_MAX

/*
 * ERR_CORRUPT gate-…; *state (0 to 31) moves to the row's `then`.  The same frame may
 * stand in several rows for several states; the first that fits counts.
 */
err gate_check(const struct gate *rows, size_t n, unsigned from, int *state, const struct frame *f) CHECKED;

#endif
