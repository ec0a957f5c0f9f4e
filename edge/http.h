/*
 * http.h - the HTTP face: libmicrohttpd on the role's own loop.
 *
 * Depends on: base; libmicrohttpd.  Touches: the listening socket it is given
 * and the connections accepted from it.
 *
 * What a stranger can cost is bounded here:
 *   connections          HTTP_CONNECTIONS_MAX, beyond: closed at accept
 *   header bytes         HTTP_HEADER_BYTES a connection, beyond: 431
 *   body                 a route's `body_max`, announced by Content-Length: none or
 *                        chunked: 411, larger: 413, both before a byte is read
 *   two of one header    Content-Length, Transfer-Encoding, Host, Authorization: 400, so that
 *                        nobody between us and the client can have read the other one
 *   all bodies together  HTTP_BODIES_MAX, beyond: 503
 *   time                 HTTP_HEAD_MS from connecting (or the last answer) to the
 *                        end of the headers when any byte came, HTTP_BODY_MS for
 *                        the body: libmicrohttpd's own time-out is inactivity
 *                        only, so we keep a deadline and shut the socket down
 *
 * Every connection has at most one request under way, and a place for it that is
 * made once: an ordinary request takes no memory here, beyond libmicrohttpd's own.
 *
 * A request that is not answered at once is suspended; its answer is matched by
 * slot and generation, so that a client who left gets nobody else's.
 */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include "base/base.h"

#define HTTP_CONNECTIONS_MAX 4096
#define HTTP_HEADER_BYTES (8U << 10) /* emptied after every request: what is not needed costs time */
#define HTTP_BODIES_MAX (24U << 20)
#define HTTP_HEAD_MS 15000
#define HTTP_BODY_MS 15000
#define HTTP_IDLE_S 30
#define HTTP_PATH_MAX 2048        /* GET /ocsp/{base64} of a request with a long CertID is below 400 */
#define HTTP_ROOM_MAX (96U << 10) /* of an answer that a role builds in a request's room               */
#define HTTP_KEEP_BYTES 4096      /* a place keeps its buffers up to this size for the next request     */

enum http_method { HTTP_GET = 1, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_request {
	enum http_method method;
	slice path;  /* before '?', not decoded                       */
	slice query; /* after '?'                                     */
	slice authorization, content_type, prefer, language, accept, if_none_match;
	slice body;
	uint64_t id; /* names this request in http_answer(): slot and generation */
	/*
	 * Empty, of at most HTTP_ROOM_MAX bytes, and this edge's own until the answer is sent: a body that a role builds in
	 * it is not copied.
	 */
	struct buf *room;
};

struct http_reply {
	unsigned status;
	const char *type; /* Content-Type                             */
	slice body;       /* copied, but where it stands in the request's room */
	int fd;           /* or a file (taken over), when `file` is set */
	bool file;
	bool machine; /* no browser shows it: lines that only browsers heed are left out */
	uint64_t file_bytes;
	const char *location, *cache, *etag, *allow, *retry_after, *last_modified, *expires;
};

/*
 * The role's two answers: how long a body may be on this path and method (0:
 * none; HTTP_NO_ROUTE: the role will answer, without a body), and the request
 * itself, whole: true when *reply is filled in, false to suspend it.
 */
#define HTTP_NO_ROUTE SIZE_MAX
struct http_face {
	void *role;
	size_t (*body_max)(void *role, enum http_method method, slice path);
	bool (*request)(void *role, const struct http_request *q, struct http_reply *reply);
	/* the reply for what this edge refuses itself: 411, 413, 431, 503 */
	void (*refuse)(void *role, unsigned status, struct http_reply *reply, struct buf *body);
};

struct http;
/* Takes the listening socket over (a duplicate is kept). */
err http_open(int listen_fd, const struct http_face *face, struct http **out) CHECKED;
void http_close(struct http **h);
/* Wait on this descriptor; call http_turn when it is readable or http_timeout_ms has passed. */
int http_fd(const struct http *h);
int http_timeout_ms(const struct http *h);
void http_turn(struct http *h);
/* Answers a suspended request; an id whose client left is passed over. */
void http_answer(struct http *h, uint64_t id, const struct http_reply *reply);

struct http_counts {
	uint64_t connections, requests, suspended, refused, late, body_bytes;
};
struct http_counts http_counts(const struct http *h);

#endif
