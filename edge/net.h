/*
 * net.h - calling out: GET and POST over HTTP and HTTPS, RFC 9110.
 *
 * Depends on: base; libcurl.  Touches: the network, the resolver, the system's
 * certificate authorities for HTTPS, the proxy variables of the environment
 * (never for a loopback host).
 *
 * What the other side can cost is bounded by each call: bytes of the answer
 * (beyond: the call ends), and the time for all of it.  Redirects are not
 * followed: a 3xx is an answer like any other.  No cookies, no credentials of
 * the URL, no protocol but http and https.
 *
 * Calls run side by side without threads of ours: net_start() begins one,
 * net_turn() moves all of them, net_next() hands over what has ended.  A tool
 * that wants one answer uses net_call().
 *
 * ERRORS: net-unreachable, net-late (ERR_BUSY: may be tried again) · net-long,
 * net-url (ERR_INPUT) · net-tls (ERR_POLICY: the server's certificate is not
 * trusted) · net-broken (ERR_BUSY: the answer ended too early or is no HTTP).
 * .why is the CURLcode.  A status of 400 or more is no error of this edge.
 */
#ifndef EDGE_NET_H
#define EDGE_NET_H

#include "base/base.h"

#define NET_CALLS_MAX 64  /* under way at once                                         */
#define NET_URL_MAX 2048  /* bytes of a URL                                            */
#define NET_HEAD_MAX 1024 /* bytes of one header we send                               */
#define NET_CONNECT_MS 10000
#define NET_HEADERS_MAX (64U << 10) /* bytes of all headers of an answer: libcurl alone would take 300 KB each */

enum net_method { NET_GET = 1, NET_POST };

struct net_ask {
	enum net_method method;
	const char *url;
	slice body;                         /* of a POST; copied                       */
	const char *type, *accept, *prefer; /* header values, or NULL                  */
	slice bearer;                       /* Authorization: Bearer, or empty         */
	size_t max_bytes;                   /* of the answer's body                    */
	int wait_ms;                        /* for all of it                           */
};

struct net_answer {
	unsigned status;
	char type[64];   /* Content-Type without parameters, lower case; empty when none or longer */
	struct buf body; /* owned */
};
void net_answer_drop(struct net_answer *a);

struct net;
err net_open(struct net **out) CHECKED;
/* Calls under way end without an answer. */
void net_close(struct net **n);

/* One call, to its end. */
err net_call(struct net *n, const struct net_ask *ask, struct net_answer *out) CHECKED;

/* Begins a call; its number comes back from net_next().  ERR_BUSY net-full. */
err net_start(struct net *n, const struct net_ask *ask, uint64_t *number) CHECKED;
/* Moves what can be moved now, waiting at most wait_ms for something to move. */
void net_turn(struct net *n, int wait_ms);
/* The next call that has ended: false when none has.  *result says how; *out is filled in when it is ok, then owned by the caller. */
bool net_next(struct net *n, uint64_t *number, err *result, struct net_answer *out) CHECKED;
size_t net_count(const struct net *n);

#endif
