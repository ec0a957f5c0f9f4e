#include "act/order.h"
#include "act/body.h"
#include "base/der.h"

/*
 * WireOrder ::= SEQUENCE { peer ENUMERATED (1..12), number INTEGER (0..255) }
 */
err
wire_order_get(slice body, struct wire_order *out)
{
	struct wire_order o;
	unsigned peer;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, PEER_INKAND, PEER_PRIVATE, &peer));
	TRY(der_get_u64(&s, 255, &o.number));
	TRY(der_end(s));
	o.peer = (enum peer)peer;
	*out = o;
	return ok;
}

void
wire_order_put(struct buf *b, const struct wire_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->peer);
	der_put_u64(b, o->number);
	der_close(b, seq);
}
