/*
 * ipc.h - links between roles, and the control socket to inkand.
 *
 * Depends on: base/frame, act/order.  Touches: the descriptors it is given,
 * poll(2).  No role but messenger ever makes a socket: inkand makes pairs and
 * hands them out over descriptor 3, again after a restart of either end.
 *
 * A LINK is a non-blocking stream socket with a queue each way.  Nobody blocks
 * in send: link_put() always queues; a role looks at link_is_full() and stops
 * reading from whoever makes it write there.  A link whose peer is gone, or
 * speaks no frames, says so once and is then closed by its owner.
 *
 * WIRES are all links of one role with its control socket: wires_wait() is the
 * only place where a role sleeps.  It answers heartbeats, takes new wires
 * (one with the same peer and number replaces the old: .fresh is set), the PIN,
 * and the word to stop.
 *
 *   struct wires *w OWNED(wires_drop) = NULL;
 *   TRY(wires_open(&w));                       (descriptor 3)
 *   for (;;) {
 *	TRY(wires_wait(w, timeout_ms));
 *	if (wires_stopped(w)) break;
 *	TRY(role_turn(r));                      (reads links, puts answers)
 *	wires_flush(w);
 *   }
 */
#ifndef EDGE_IPC_H
#define EDGE_IPC_H

#include "act/order.h"
#include "base/base.h"
#include "base/frame.h"

#define LINK_IN_MAX (4U << 20)    /* bytes read ahead from one peer: 32 of the largest frames            */
#define LINK_OUT_FULL (1U << 20)  /* queued bytes from which a link counts as full                       */
#define LINK_OUT_MAX (512U << 20) /* a J-LIS CRL or our CRL on its way in parts; more is a bug, and abort */

struct link;

/* Takes the descriptor over and makes it non-blocking. */
struct link *link_new(int fd, enum peer peer, uint64_t number);
void link_drop(struct link **l);
enum peer link_peer(const struct link *l);
uint64_t link_number(const struct link *l);
int link_fd(const struct link *l);
/* Reads what is there.  ERR_ABSENT link-closed; ERR_WORLD link-read. */
err link_fill(struct link *l) CHECKED;
/* The next whole frame; its slices live until the next link_next() or link_fill() on this link. */
err link_next(struct link *l, bool *have, struct frame *f) CHECKED;
void link_put(struct link *l, const struct frame *f);
/* Orders and answers in one call. */
void link_order(struct link *l, uint8_t kind, uint64_t id, slice body);
void link_answer(struct link *l, const struct frame *to, slice body);
void link_refuse(struct link *l, const struct frame *to, err e);
/* Writes what the socket takes now. */
err link_flush(struct link *l) CHECKED;
bool link_is_full(const struct link *l);
bool link_is_empty(const struct link *l); /* nothing queued to write */
/* Waits (bounded) until a frame is there: for tools and tests, never for roles.  ERR_BUSY link-late. */
err link_wait(struct link *l, int wait_ms, struct frame *f) CHECKED;
/* AF_UNIX stream connection to a path, for tools. */
err link_connect(const char *path, enum peer peer, struct link **out) CHECKED;

struct wires;
err wires_open(struct wires **out) CHECKED;                 /* descriptor 3           */
err wires_open_fd(int control, struct wires **out) CHECKED; /* tests: another one      */
void wires_drop(struct wires **w);
/* One more descriptor to wait on (an HTTP daemon's epoll): NULL events are POLLIN. */
void wires_watch(struct wires *w, int fd);
bool wires_watched_ready(const struct wires *w, int fd);
/* Sleeps until something can be read (or written where queued), at most timeout_ms (-1: for ever); fills all links. */
err wires_wait(struct wires *w, int timeout_ms) CHECKED;
/* Writes on every link; a link that fails is closed (see wires_closed). */
void wires_flush(struct wires *w);
/* The body of the last heartbeat: numbers of inkand's (act/numbers); empty before. */
slice wires_beat(const struct wires *w);
bool wires_stopped(const struct wires *w);
bool wires_confirmed(struct wires *w); /* an operator confirmed the clock: true once */
/* The PIN as inkand gave it, empty until then. */
const struct secret *wires_pin(const struct wires *w);

size_t wires_count(const struct wires *w);
struct link *wires_at(struct wires *w, size_t i);
struct link *wires_find(struct wires *w, enum peer peer, uint64_t number);
/* True once after a (new) link to this peer came up: say hello again, forget what was asked of the old one. */
bool wires_fresh(struct wires *w, enum peer peer, uint64_t number);
/*
 * Closes a link whose peer went wrong, and asks inkand for a new one: at once the first time, then after a second and twice
 * as long each time (cmd/inkand/house.h).
 * (A peer that is gone needs no asking: its successor is wired to us at its start.)
 */
void wires_close(struct wires *w, struct link *l);
/* Listening sockets handed over (PEER_PUBLIC, PEER_PRIVATE, PEER_OFFICE): -1 when none came. */
int wires_listener(const struct wires *w, enum peer peer);
/* Accepts what waits on the office listener as links numbered upward; credentials are asked by link_credentials. */
void wires_accept_office(struct wires *w);
/* SO_PEERCRED of a link from run/office. */
err link_credentials(const struct link *l, uint32_t *uid, uint32_t *pid) CHECKED;

/* Sends a descriptor along with a frame (inkand's side). */
err ipc_send_fd(int control, const struct frame *f, int fd) CHECKED;

#endif
