#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "act/body.h"
#include "edge/clock.h"
#include "edge/ipc.h"

#define WIRES_MAX 64 /* fronts, verifiers, helpers and tools at the office socket of one house */
#define WATCHED_MAX 8
#define READ_CHUNK (64U << 10)
#define CONTROL_FD 3

struct link {
	int fd;
	enum peer peer;
	uint64_t number;
	struct buf in, out;
	size_t in_at, out_at; /* how much of each is consumed */
	bool ended;           /* the peer's end is closed     */
};

struct link *
link_new(int fd, enum peer peer, uint64_t number)
{
	struct link *l = mem_new(1, sizeof *l);

	*l = (struct link){.fd = fd, .peer = peer, .number = number, .in = BUF(LINK_IN_MAX), .out = BUF(LINK_OUT_MAX)};
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return l;
}

void
link_drop(struct link **l)
{
	if (*l == NULL)
		return;
	close((*l)->fd);
	if ((*l)->in.p != NULL)
		wipe((*l)->in.p, (*l)->in.cap);
	buf_drop(&(*l)->in);
	if ((*l)->out.p != NULL)
		wipe((*l)->out.p, (*l)->out.cap);
	buf_drop(&(*l)->out);
	free(*l);
	*l = NULL;
}

enum peer
link_peer(const struct link *l)
{
	return l->peer;
}

uint64_t
link_number(const struct link *l)
{
	return l->number;
}

int
link_fd(const struct link *l)
{
	return l->fd;
}

/* Moves what is not yet read to the front; the slices of earlier frames end here. */
static void
compact(struct buf *b, size_t *at)
{
	if (*at == 0)
		return;
	buf_eat(b, *at);
	*at = 0;
}

/* Nothing more comes: what is left is whole frames that are still to be read, or nothing worth waiting for. */
static err
link_ended(const struct link *l)
{
	slice rest = {l->in.p == NULL ? NULL : l->in.p + l->in_at, l->in.n - l->in_at};
	struct frame f;
	bool have = false;

	if (rest.n > 0)
		TRY(frame_get(&rest, &have, &f));
	return have ? ok : fail(ERR_ABSENT, "link-closed: house: the role at the other end is gone");
}

err
link_fill(struct link *l)
{
	compact(&l->in, &l->in_at);
	while (l->in.n + READ_CHUNK <= LINK_IN_MAX) {
		uint8_t *at = buf_space(&l->in, READ_CHUNK);
		ssize_t n;

		do
			n = recv(l->fd, at, READ_CHUNK, MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		l->in.n -= READ_CHUNK - (n > 0 ? (size_t)n : 0);
		if (n == 0) {
			l->ended = true;
			break;
		}
		if (n < 0) {
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				break;
			return fail_why(ERR_WORLD, "link-read: house: a link to another role cannot be read", errno);
		}
		if ((size_t)n < READ_CHUNK)
			break;
	}
	return l->ended ? link_ended(l) : ok;
}

err
link_next(struct link *l, bool *have, struct frame *f)
{
	slice s = {l->in.p == NULL ? NULL : l->in.p + l->in_at, l->in.n - l->in_at};
	size_t before = s.n;

	*have = false;
	if (s.n == 0)
		return ok;
	TRY(frame_get(&s, have, f));
	l->in_at += before - s.n;
	return ok;
}

void
link_put(struct link *l, const struct frame *f)
{
	if (l->out_at == l->out.n)
		compact(&l->out, &l->out_at);
	frame_put(&l->out, f);
	assert(!l->out.over);
}

void
link_order(struct link *l, uint8_t kind, uint64_t id, slice body)
{
	link_put(l, &(struct frame){.kind = kind, .id = id, .body = body});
}

void
link_answer(struct link *l, const struct frame *to, slice body)
{
	link_put(l, &(struct frame){.kind = to->kind, .id = to->id, .body = body});
}

void
link_refuse(struct link *l, const struct frame *to, err e)
{
	assert(e.kind != OK);
	link_put(l, &(struct frame){.kind = to->kind, .id = to->id, .fail = e.kind, .what = slice_str(e.what)});
}

err
link_flush(struct link *l)
{
	while (l->out_at < l->out.n) {
		ssize_t n = send(l->fd, l->out.p + l->out_at, l->out.n - l->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0)
			return fail_why(ERR_ABSENT, "link-closed: house: the role at the other end is gone", errno);
		l->out_at += (size_t)n;
	}
	if (l->out_at > READ_CHUNK || l->out_at == l->out.n)
		compact(&l->out, &l->out_at);
	return ok;
}

bool
link_is_full(const struct link *l)
{
	return l->out.n - l->out_at >= LINK_OUT_FULL;
}

bool
link_is_empty(const struct link *l)
{
	return l->out.n == l->out_at;
}

err
link_wait(struct link *l, int wait_ms, struct frame *f)
{
	int64_t end = clock_steady_ms() + wait_ms;

	for (;;) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};
		int64_t left = end - clock_steady_ms();
		bool have;

		TRY(link_next(l, &have, f));
		if (have)
			return ok;
		if (left <= 0)
			return fail(ERR_BUSY, "link-late: house: the other end did not answer in time");
		TRY(link_flush(l));
		if (!link_is_empty(l))
			p.events |= POLLOUT;
		(void)poll(&p, 1, (int)left);
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			TRY(link_fill(l));
	}
}

err
link_connect(const char *path, enum peer peer, struct link **out)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof a.sun_path)
		return fail(ERR_INPUT, "link-path: unix(7): the path of a socket is longer than the system allows");
	memcpy(a.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_why(
		    ERR_WORLD, "link-connect: house: the house cannot be reached at its socket; is inkand running?", errno);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		int why = errno;

		close(fd);
		return fail_why(
		    ERR_WORLD, "link-connect: house: the house cannot be reached at its socket; is inkand running?", why);
	}
	*out = link_new(fd, peer, 0);
	return ok;
}

struct wires {
	struct link *control;
	size_t n;
	struct link *link[WIRES_MAX];
	bool fresh[WIRES_MAX];
	struct {
		enum peer peer;
		int fd;
	} listener[4];
	size_t n_listeners;
	size_t n_watched;
	int watched[WATCHED_MAX];
	bool ready[WATCHED_MAX];
	bool stopped, confirmed;
	struct secret pin;
	struct buf beat;   /* owned: what inkand said last with a heartbeat */
	int waiting_fd[8]; /* descriptors that came along, in order, not yet named by a frame */
	size_t n_waiting;
	uint64_t accepted;
};

err
wires_open_fd(int control, struct wires **out)
{
	struct wires *w = mem_new(1, sizeof *w);

	w->control = link_new(control, PEER_INKAND, 0);
	w->beat = BUF(FRAME_BODY_MAX);
	(void)fcntl(control, F_SETFD, FD_CLOEXEC);
	*out = w;
	return ok;
}

err
wires_open(struct wires **out)
{
	if (fcntl(CONTROL_FD, F_GETFD) < 0)
		return fail(ERR_INPUT, "wires: house: a role is started by inkand, which gives it its control socket");
	return wires_open_fd(CONTROL_FD, out);
}

void
wires_drop(struct wires **w)
{
	if (*w == NULL)
		return;
	for (size_t i = 0; i < (*w)->n; i++)
		link_drop(&(*w)->link[i]);
	for (size_t i = 0; i < (*w)->n_listeners; i++)
		close((*w)->listener[i].fd);
	for (size_t i = 0; i < (*w)->n_waiting; i++)
		close((*w)->waiting_fd[i]);
	secret_drop(&(*w)->pin);
	buf_drop(&(*w)->beat);
	link_drop(&(*w)->control);
	free(*w);
	*w = NULL;
}

/* Reads the control socket: bytes into the link's buffer, descriptors beside. */
static err
control_fill(struct wires *w)
{
	struct link *l = w->control;
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
		struct cmsghdr align;
	} space;
	uint8_t chunk[4096];
	struct iovec v = {chunk, sizeof chunk};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
	ssize_t n;

	compact(&l->in, &l->in_at);
	do
		n = recvmsg(l->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return ok;
	if (n <= 0)
		return fail_why(ERR_ABSENT, "wires-control: house: inkand is gone", n < 0 ? errno : 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < k; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (w->n_waiting == COUNT(w->waiting_fd))
				return fail(ERR_CORRUPT, "wires-many: house: inkand sent more descriptors than it named");
			w->waiting_fd[w->n_waiting++] = fd;
		}
	}
	buf_put(&l->in, slice_of(chunk, (size_t)n));
	wipe(chunk, sizeof chunk); /* the PIN travels here */
	return ok;
}

static void
add_link(struct wires *w, struct link *l)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->link[i]->peer == l->peer && w->link[i]->number == l->number) {
			link_drop(&w->link[i]);
			w->link[i] = l;
			w->fresh[i] = true;
			return;
		}
	if (w->n == WIRES_MAX) {
		link_drop(&l);
		return;
	}
	w->fresh[w->n] = true;
	w->link[w->n++] = l;
}

static err
take_wire(struct wires *w, slice body)
{
	struct wire_order o;
	int fd;

	TRY(wire_order_get(body, &o));
	if (w->n_waiting == 0)
		return fail(ERR_CORRUPT, "wires-none: house: inkand named a wire and sent no descriptor");
	fd = w->waiting_fd[0];
	memmove(w->waiting_fd, w->waiting_fd + 1, --w->n_waiting * sizeof fd);
	if (o.peer != PEER_PUBLIC && o.peer != PEER_PRIVATE && o.peer != PEER_OFFICE) {
		add_link(w, link_new(fd, o.peer, o.number));
		return ok;
	}
	if (w->n_listeners == COUNT(w->listener))
		return fail(ERR_CORRUPT, "wires-many: house: inkand sent more descriptors than it named");
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	w->listener[w->n_listeners].peer = o.peer;
	w->listener[w->n_listeners++].fd = fd;
	if (o.peer == PEER_OFFICE)
		wires_watch(w, fd);
	return ok;
}

static err
control_turn(struct wires *w)
{
	struct frame f;
	bool have;

	TRY(control_fill(w));
	for (;;) {
		slice pin;

		TRY(link_next(w->control, &have, &f));
		if (!have)
			break;
		switch (f.kind) {
		case ORDER_WIRE:
			TRY(take_wire(w, f.body));
			break;
		case ORDER_BEAT:
			buf_clear(&w->beat);
			buf_put(&w->beat, f.body);
			link_answer(w->control, &f, (slice){NULL, 0});
			break;
		case ORDER_STOP:
			w->stopped = true;
			break;
		case ORDER_PIN:
			TRY(octets_get(f.body, &pin));
			TRY(secret_set(&w->pin, pin));
			wipe(w->control->in.p, w->control->in_at);
			break;
		case ORDER_CONFIRM:
			w->confirmed = true;
			link_answer(w->control, &f, (slice){NULL, 0});
			break;
		default:
			return fail(ERR_CORRUPT, "gate-unknown: house: a peer said something this role does not hear");
		}
	}
	return link_flush(w->control);
}

static size_t
find(const struct wires *w, enum peer peer, uint64_t number)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->link[i]->peer == peer && w->link[i]->number == number)
			return i;
	return SIZE_MAX;
}

static void
drop_link(struct wires *w, struct link *l)
{
	size_t i = find(w, l->peer, l->number);

	assert(i != SIZE_MAX && w->link[i] == l);
	link_drop(&w->link[i]);
	w->n--;
	memmove(w->link + i, w->link + i + 1, (w->n - i) * sizeof w->link[0]);
	memmove(w->fresh + i, w->fresh + i + 1, (w->n - i) * sizeof w->fresh[0]);
}

void
wires_watch(struct wires *w, int fd)
{
	assert(w->n_watched < WATCHED_MAX);
	w->watched[w->n_watched++] = fd;
}

slice
wires_beat(const struct wires *w)
{
	return buf_slice(&w->beat);
}

bool
wires_watched_ready(const struct wires *w, int fd)
{
	for (size_t i = 0; i < w->n_watched; i++)
		if (w->watched[i] == fd)
			return w->ready[i];
	return false;
}

err
wires_wait(struct wires *w, int timeout_ms)
{
	struct pollfd p[1 + WIRES_MAX + WATCHED_MAX];
	size_t n_links = w->n, k = 0;

	p[k++] = (struct pollfd){.fd = w->control->fd, .events = POLLIN};
	for (size_t i = 0; i < n_links; i++)
		p[k++] = (struct pollfd){.fd = w->link[i]->ended ? -1 : w->link[i]->fd, /* it would be ready for ever */
		    .events = (short)((w->link[i]->in.n + READ_CHUNK <= LINK_IN_MAX ? POLLIN : 0) |
		                      (link_is_empty(w->link[i]) ? 0 : POLLOUT))};
	for (size_t i = 0; i < w->n_watched; i++)
		p[k++] = (struct pollfd){.fd = w->watched[i], .events = POLLIN};
	if (poll(p, (nfds_t)k, timeout_ms) < 0 && errno != EINTR)
		return fail_why(ERR_WORLD, "wires-poll: house: the system refuses to wait on our links", errno);
	for (size_t i = 0; i < w->n_watched; i++)
		w->ready[i] = p[1 + n_links + i].revents != 0;
	for (size_t i = n_links; i-- > 0;) { /* backwards: closing moves what stands behind */
		struct link *l = w->link[i];

		if (l->ended ? link_ended(l).kind != OK
		             : p[1 + i].revents & (POLLIN | POLLHUP | POLLERR) && link_fill(l).kind != OK)
			drop_link(w, l);
	}
	return p[0].revents != 0 ? control_turn(w) : ok;
}

void
wires_flush(struct wires *w)
{
	for (size_t i = w->n; i-- > 0;)
		if (link_flush(w->link[i]).kind != OK)
			drop_link(w, w->link[i]);
	(void)link_flush(w->control).kind; /* a broken one is seen when it is read */
}

bool
wires_stopped(const struct wires *w)
{
	return w->stopped;
}

bool
wires_confirmed(struct wires *w)
{
	bool was = w->confirmed;

	w->confirmed = false;
	return was;
}

const struct secret *
wires_pin(const struct wires *w)
{
	return &w->pin;
}

size_t
wires_count(const struct wires *w)
{
	return w->n;
}

struct link *
wires_at(struct wires *w, size_t i)
{
	return w->link[i];
}

struct link *
wires_find(struct wires *w, enum peer peer, uint64_t number)
{
	size_t i = find(w, peer, number);

	return i == SIZE_MAX ? NULL : w->link[i];
}

bool
wires_fresh(struct wires *w, enum peer peer, uint64_t number)
{
	size_t i = find(w, peer, number);
	bool was = i != SIZE_MAX && w->fresh[i];

	if (was)
		w->fresh[i] = false;
	return was;
}

void
wires_close(struct wires *w, struct link *l)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	bool ours = l->peer != PEER_OFFICE; /* what inkand did not wire it cannot wire again */

	wire_order_put(&body, &(struct wire_order){l->peer, l->number});
	drop_link(w, l);
	if (!ours)
		return;
	link_order(w->control, ORDER_WIRE, 0, buf_slice(&body));
	(void)link_flush(w->control).kind; /* else with the next */
}

int
wires_listener(const struct wires *w, enum peer peer)
{
	for (size_t i = 0; i < w->n_listeners; i++)
		if (w->listener[i].peer == peer)
			return w->listener[i].fd;
	return -1;
}

void
wires_accept_office(struct wires *w)
{
	int listener = wires_listener(w, PEER_OFFICE);

	if (listener < 0 || !wires_watched_ready(w, listener))
		return;
	while (w->n < WIRES_MAX) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			break;
		add_link(w, link_new(fd, PEER_OFFICE, ++w->accepted));
	}
}

err
link_credentials(const struct link *l, uint32_t *uid, uint32_t *pid)
{
	struct ucred c;
	socklen_t n = sizeof c;

	if (getsockopt(l->fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		return fail_why(ERR_WORLD, "link-credentials: house: the system does not say who connected", errno);
	*uid = c.uid;
	*pid = (uint32_t)c.pid;
	return ok;
}

err
ipc_send_fd(int control, const struct frame *f, int fd)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space = {.bytes = {0}};
	struct iovec v;
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	frame_put(&b, f);
	v = (struct iovec){b.p, b.n};
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	do
		n = sendmsg(control, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)b.n)
		return fail_why(ERR_WORLD, "ipc-send: house: a wire could not be handed to a role", errno);
	return ok;
}
