#include <sys/socket.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "cmd/inkand/house.h"
#include "edge/clock.h"
#include "edge/log.h"

#define AGAIN_MS 1000 /* between new wires to one that babbles, the first time … */
#define AGAIN_MOST_MS 30000

/* Who talks to whom. */
static const struct {
	enum peer a, b;
} WIRES[] = {
    {PEER_FRONT, PEER_REGISTRAR},
    {PEER_FRONT, PEER_STATUS},
    {PEER_REGISTRAR, PEER_VERIFIER},
    {PEER_REGISTRAR, PEER_ISSUER},
    {PEER_REGISTRAR, PEER_STATUS},
    {PEER_REGISTRAR, PEER_PUBLISHER},
    {PEER_REGISTRAR, PEER_MESSENGER},
};

static void
send_wire(struct role *to, enum peer peer, uint64_t number, int fd)
{
	struct buf body OWNED(buf_drop) = BUF(64);

	wire_order_put(&body, &(struct wire_order){peer, number});
	if (link_flush(to->control).kind != OK || !link_is_empty(to->control) ||
	    ipc_send_fd(link_fd(to->control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, fd).kind != OK)
		log_text(LOG_WARN, "inkand-wire: house: a wire could not be handed over; the role will be started anew");
}

static bool
is_wired(enum peer a, enum peer b)
{
	for (size_t i = 0; i < COUNT(WIRES); i++)
		if ((WIRES[i].a == a && WIRES[i].b == b) || (WIRES[i].a == b && WIRES[i].b == a))
			return true;
	return false;
}

/* A new wire between two that have one. */
static void
wire_two(struct role *r, struct role *o)
{
	int pair[2];

	if (o == r || r->pid == 0 || o->pid == 0 || !is_wired(r->peer, o->peer))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		log_text(LOG_ALARM, "inkand-pair: house: no more socket pairs to be had");
		return;
	}
	send_wire(r, o->peer, o->number, pair[0]);
	send_wire(o, r->peer, r->number, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

void
wire_role(struct house *h, struct role *r)
{
	for (size_t i = 0; i < h->n; i++)
		wire_two(r, &h->role[i]);
	if (r->peer == PEER_FRONT) {
		send_wire(r, PEER_PUBLIC, 0, h->public_fd);
		if (h->private_fd >= 0)
			send_wire(r, PEER_PRIVATE, 0, h->private_fd);
	}
	if (r->peer == PEER_REGISTRAR)
		send_wire(r, PEER_OFFICE, 0, h->office_fd);
	if ((r->peer == PEER_ISSUER || r->peer == PEER_STATUS) && h->pin[r->peer == PEER_STATUS].n > 0) {
		struct buf body OWNED(buf_drop) = BUF(SECRET_MAX + 8);

		octets_put(&body, secret_slice(&h->pin[r->peer == PEER_STATUS]));
		link_order(r->control, ORDER_PIN, 0, buf_slice(&body));
		(void)link_flush(r->control).kind;
		wipe(body.p, body.n);
	}
}

void
wire_want(struct house *h, const struct role *r, slice body)
{
	struct wire_order o;

	if (wire_order_get(body, &o).kind != OK)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (h->role[i].peer == o.peer && h->role[i].number == o.number)
			h->role[i].again |= 1U << (unsigned)(r - h->role);
}

void
wire_again(struct house *h, struct role *r, int64_t now)
{
	if (r->again == 0 || now < r->again_at)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (r->again & 1U << i)
			wire_two(r, &h->role[i]);
	if (now - r->again_at > STEADY_MS)
		r->again_ms = 0;
	r->again = 0;
	r->again_ms = r->again_ms == 0 ? AGAIN_MS : r->again_ms * 2 < AGAIN_MOST_MS ? r->again_ms * 2 : AGAIN_MOST_MS;
	r->again_at = now + r->again_ms;
}
