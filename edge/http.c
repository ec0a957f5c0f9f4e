#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/http.h"

#define SWEEP_MS 250
#define HTTP_SINGLES 4  /* headers that stand once or not at all */
#define ANSWER_MS 60000 /* to take an answer, and a second more for each 16 KB of it */

/* One connection: its deadline. */
struct conn {
	struct conn *next, *prev;
	int fd;
	int64_t due; /* steady ms; 0: none (its request waits for us) */
};

/* The place of one request. */
struct req {
	struct MHD_Connection *mhd; /* NULL: free */
	struct conn *conn;
	uint32_t slot, generation;
	bool begun, suspended, counted;
	uint64_t declared; /* Content-Length, counted against HTTP_BODIES_MAX */
	size_t uri_n;
	struct http_request q;      /* its slices are libmicrohttpd's for as long as the request lives */
	slice length, coding, host; /* Content-Length, Transfer-Encoding, Host */
	bool twice;                 /* one of those that stand once stands twice */
	struct buf query, body, room;
	struct MHD_Response *response; /* of an answer that came while suspended */
	unsigned status;
};

struct http {
	struct MHD_Daemon *daemon;
	struct http_face face;
	int epoll;
	struct conn *conns;
	struct req slot[HTTP_CONNECTIONS_MAX];
	uint32_t n_free,
	    free_slot[HTTP_CONNECTIONS_MAX]; /* the last one freed is taken first: few places are ever touched */
	bool resumed;
	int64_t now; /* steady ms when the turn began: a turn is short, a deadline is not */
	int64_t swept;
	struct http_counts counts;
};

/* --- connections --------------------------------------------------------------- */
static void
on_connection(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	struct conn *c;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *i = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

		c = mem_new(1, sizeof *c);
		c->fd = i == NULL ? -1 : i->connect_fd;
		c->due = clock_steady_ms() + HTTP_HEAD_MS;
		c->next = h->conns;
		if (c->next != NULL)
			c->next->prev = c;
		h->conns = c;
		h->counts.connections++;
		*context = c;
		return;
	}
	c = *context;
	if (c == NULL)
		return;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		h->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
	*context = NULL;
}

/* libmicrohttpd's time-out is inactivity; one byte a second would hold a connection for ever. */
static void
sweep(struct http *h)
{
	int64_t now = clock_steady_ms();

	if (now - h->swept < SWEEP_MS)
		return;
	h->swept = now;
	for (struct conn *c = h->conns; c != NULL; c = c->next)
		if (c->due != 0 && now > c->due) {
			(void)shutdown(c->fd, SHUT_RDWR);
			c->due = now + ANSWER_MS;
			h->counts.late++;
		}
}

/* --- requests ------------------------------------------------------------------ */
/* The address as it came; libmicrohttpd cuts it at '?' and takes the rest apart in place. */
static void *
on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct http *h = cls;
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *query = strchr(uri, '?');
	struct req *r;

	if (h->n_free == 0)
		return NULL; /* as many places as connections: never */
	r = &h->slot[h->free_slot[--h->n_free]];
	r->slot = (uint32_t)(r - h->slot);
	r->generation++;
	r->mhd = mhd;
	r->conn = i == NULL ? NULL : i->socket_context;
	r->uri_n = strlen(uri);
	r->q = (struct http_request){.id = (uint64_t)r->generation << 32 | r->slot, .room = &r->room};
	r->length = r->coding = r->host = (slice){NULL, 0};
	r->twice = false;
	r->query.max = HTTP_PATH_MAX;
	r->body.max = 0;
	r->room.max = HTTP_ROOM_MAX;
	if (query != NULL)
		buf_put_str(&r->query, query + 1);
	return r;
}

/* A place's buffer for the next request. */
static void
keep(struct buf *b)
{
	if (b->cap > HTTP_KEEP_BYTES)
		buf_drop(b);
	buf_clear(b);
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct req *r = *context;

	(void)mhd;
	(void)code;
	if (r == NULL)
		return;
	if (r->conn != NULL)
		r->conn->due = h->now + HTTP_IDLE_S * 1000;
	if (r->counted)
		h->counts.body_bytes -= r->declared;
	if (r->suspended)
		h->counts.suspended--;
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	r->response = NULL;
	r->mhd = NULL;
	r->begun = r->suspended = r->counted = false;
	keep(&r->query);
	keep(&r->body);
	keep(&r->room);
	h->free_slot[h->n_free++] = r->slot;
	*context = NULL;
}

static void
header(struct MHD_Response *m, const char *name, const char *value)
{
	if (value != NULL)
		(void)MHD_add_response_header(m, name, value);
}

static struct MHD_Response *
response_of(const struct http_reply *reply, const struct buf *room)
{
	struct MHD_Response *m;

	if (reply->file)
		m = MHD_create_response_from_fd64(reply->file_bytes, reply->fd);
	else {
		union { /* libmicrohttpd takes void * and does not write to it */
			const uint8_t *from;
			void *to;
		} u = {.from = reply->body.p};

		m = MHD_create_response_from_buffer(reply->body.n, u.to,
		    room != NULL && reply->body.p == room->p ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
	}
	if (m == NULL)
		abort();
	header(m, "Content-Type", reply->type);
	header(m, "Location", reply->location);
	header(m, "Cache-Control", reply->cache == NULL ? "no-store" : reply->cache);
	header(m, "ETag", reply->etag);
	header(m, "Last-Modified", reply->last_modified);
	header(m, "Expires", reply->expires);
	header(m, "Allow", reply->allow);
	header(m, "Retry-After", reply->retry_after);
	if (!reply->machine)
		header(m, "X-Content-Type-Options", "nosniff");
	return m;
}

static enum MHD_Result
queue(const struct http *h, struct req *r, const struct http_reply *reply)
{
	struct MHD_Response *m = response_of(reply, &r->room);
	uint64_t bytes = reply->file ? reply->file_bytes : reply->body.n;
	enum MHD_Result rc = MHD_queue_response(r->mhd, reply->status, m);

	if (r->conn != NULL)
		r->conn->due = h->now + ANSWER_MS + (int64_t)(bytes / 16);
	MHD_destroy_response(m);
	return rc;
}

/* The role's answer at once. */
static bool
ask(struct http *h, struct req *r, enum MHD_Result *rc)
{
	struct http_reply reply = {0};
	bool answered = h->face.request(h->face.role, &r->q, &reply);

	if (answered)
		*rc = queue(h, r, &reply);
	return answered;
}

static enum MHD_Result
refuse(struct http *h, struct req *r, unsigned status)
{
	struct http_reply reply = {.status = status};
	struct buf body OWNED(buf_drop) = BUF(4096);

	h->counts.refused++;
	h->face.refuse(h->face.role, status, &reply, &body);
	return queue(h, r, &reply);
}

static enum http_method
method_of(const char *m)
{
	if (strcmp(m, "GET") == 0)
		return HTTP_GET;
	if (strcmp(m, "POST") == 0)
		return HTTP_POST;
	return strcmp(m, "HEAD") == 0 ? HTTP_HEAD : HTTP_OTHER;
}

/*
 * One walk over the headers.  Of one that comes twice the first counts, but not of those that somebody between us and the
 * client may read otherwise (RFC 9112 6.3, 11.2).
 */
static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct req *r = cls;
	static const struct {
		const char *name;
		size_t n, at; /* of a slice of struct req */
		bool once;
	} known[] = {
#define KNOWN(text, member, once) {text, sizeof text - 1, offsetof(struct req, member), once}
	    KNOWN("Content-Length", length, true),
	    KNOWN("Content-Type", q.content_type, false),
	    KNOWN("If-None-Match", q.if_none_match, false),
	    KNOWN("Accept", q.accept, false),
	    KNOWN("Accept-Language", q.language, false),
	    KNOWN("Authorization", q.authorization, true),
	    KNOWN("Prefer", q.prefer, false),
	    KNOWN("Transfer-Encoding", coding, true),
	    KNOWN("Host", host, true),
	};
	size_t n = strlen(name);

	(void)kind;
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].n == n && strncasecmp(name, known[i].name, n) == 0) {
			slice *to = (slice *)(void *)((uint8_t *)r + known[i].at);

			if (to->p == NULL)
				*to = slice_str(value == NULL ? "" : value);
			else
				r->twice = r->twice || known[i].once;
			break;
		}
	return MHD_YES;
}

/* The headers are read, no byte of a body is: everything that can be refused without one is refused here. */
static enum MHD_Result
begin(struct http *h, struct req *r, const char *method, const char *path)
{
	size_t most;
	enum MHD_Result rc;

	r->begun = true;
	h->counts.requests++;
	if (r->conn != NULL)
		r->conn->due = h->now + HTTP_BODY_MS;
	if (r->query.over || r->uri_n > HTTP_PATH_MAX)
		return refuse(h, r, 414);
	r->q.method = method_of(method);
	r->q.path = slice_str(path);
	r->q.query = buf_slice(&r->query);
	(void)MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, on_header, r);
	if (r->twice)
		return refuse(h, r, 400);
	most = h->face.body_max(h->face.role, r->q.method, r->q.path);
	if (most == HTTP_NO_ROUTE)
		return ask(h, r, &rc) ? rc : refuse(h, r, 404);
	if (r->coding.n > 0 || (r->q.method == HTTP_POST && r->length.n == 0))
		return refuse(h, r, 411);
	r->declared = 0;
	if (r->length.n > 0 && decimal_get(r->length, UINT64_MAX / 2, &r->declared).kind != OK)
		return refuse(h, r, 400);
	if (r->declared > most)
		return refuse(h, r, 413);
	if (h->counts.body_bytes + r->declared > HTTP_BODIES_MAX)
		return refuse(h, r, 503);
	r->counted = true;
	h->counts.body_bytes += r->declared;
	r->body.max = r->declared;
	return MHD_YES;
}

static enum MHD_Result
on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
    const char *data, size_t *data_n, void **context)
{
	struct http *h = cls;
	struct req *r = *context;
	enum MHD_Result rc;

	(void)version;
	if (r == NULL)
		return MHD_NO;
	if (!r->begun)
		return begin(h, r, method, url);
	if (*data_n > 0) {
		buf_put(&r->body, slice_of(data, *data_n));
		*data_n = 0;
		return MHD_YES;
	}
	if (r->response != NULL) { /* it was suspended, and answered */
		rc = MHD_queue_response(mhd, r->status, r->response);
		MHD_destroy_response(r->response);
		r->response = NULL;
		if (r->conn != NULL)
			r->conn->due = h->now + ANSWER_MS;
		return rc;
	}
	if (r->body.over || r->body.n != r->declared)
		return refuse(h, r, 400);
	r->q.body = buf_slice(&r->body);
	if (ask(h, r, &rc))
		return rc;
	r->suspended = true;
	h->counts.suspended++;
	if (r->conn != NULL)
		r->conn->due = 0;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

void
http_answer(struct http *h, uint64_t id, const struct http_reply *reply)
{
	uint32_t slot = (uint32_t)id, generation = (uint32_t)(id >> 32);
	struct req *r = slot < HTTP_CONNECTIONS_MAX ? &h->slot[slot] : NULL;

	if (r == NULL || r->mhd == NULL || r->generation != generation || !r->suspended || r->response != NULL) {
		if (reply->file)
			close(reply->fd);
		return;
	}
	r->response = response_of(reply, NULL);
	r->status = reply->status;
	r->suspended = false;
	h->counts.suspended--;
	h->resumed = true;
	MHD_resume_connection(r->mhd);
}

/* --- the daemon ---------------------------------------------------------------- */
static size_t
keep_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

err
http_open(int listen_fd, const struct http_face *face, struct http **out)
{
	struct http *h = mem_new(1, sizeof *h);
	const union MHD_DaemonInfo *info;
	int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);

	h->face = *face;
	h->now = clock_steady_ms();
	for (uint32_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		h->free_slot[h->n_free++] = HTTP_CONNECTIONS_MAX - 1 - i;
	h->daemon = fd < 0
	                ? NULL
	                : MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, h,
	                      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
	                      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
	                      (unsigned)HTTP_IDLE_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
	                      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
	info = h->daemon == NULL ? NULL : MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		free(h);
		return fail_why(ERR_WORLD, "http-open: house: the HTTP server cannot be started on this socket", errno);
	}
	h->epoll = info->epoll_fd;
	*out = h;
	return ok;
}

void
http_close(struct http **h)
{
	if (*h == NULL)
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if ((*h)->slot[i].mhd != NULL && (*h)->slot[i].suspended)
			http_answer(*h, (*h)->slot[i].q.id, &(struct http_reply){.status = 503, .type = "text/plain"});
	MHD_run((*h)->daemon);
	MHD_stop_daemon((*h)->daemon);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		buf_drop(&(*h)->slot[i].query);
		buf_drop(&(*h)->slot[i].body);
		buf_drop(&(*h)->slot[i].room);
	}
	free(*h);
	*h = NULL;
}

int
http_fd(const struct http *h)
{
	return h->epoll;
}

int
http_timeout_ms(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (h->resumed)
		return 0;
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms < SWEEP_MS)
		return (int)ms;
	return h->conns == NULL ? -1 : SWEEP_MS;
}

void
http_turn(struct http *h)
{
	h->resumed = false;
	h->now = clock_steady_ms();
	(void)MHD_run(h->daemon);
	sweep(h);
}

struct http_counts
http_counts(const struct http *h)
{
	return h->counts;
}
