/*
 * net.h - a tool's calls to the service: GET and POST over HTTP and HTTPS,
 *         RFC 9110, one at a time.  (Many at once, for messenger: edge/call.)
 *
 * Depends on: base; libcurl.  Touches: the network, the resolver, the system's
 * certificate authorities for HTTPS, the proxy variables of the environment
 * (never for a loopback host).
 *
 * What the other side can cost is bounded by each call: bytes of the answer and
 * of its headers (beyond: the call ends), and the time for all of it.  Redirects
 * are not followed: a 3xx is an answer like any other.  No cookies, no
 * credentials of the URL, no protocol but http and https.
 *
 * ERRORS: net-unreachable, net-late, net-broken (the answer ended too early or is
 * no HTTP) (ERR_BUSY: may be tried again) · net-long, net-url, net-header
 * (ERR_INPUT) · net-tls (ERR_POLICY: the server's certificate is not trusted) ·
 * net-library (ERR_WORLD).  .why is the CURLcode.  A status of 400 or more is no
 * error of this edge.
 */
#ifndef EDGE_NET_H
#define EDGE_NET_H

#include "base/base.h"

#define NET_URL_MAX 2048            /* bytes of a URL                                            */
#define NET_HEAD_MAX 1024           /* bytes of one header we send                               */
#define NET_HEADERS_MAX (64U << 10) /* bytes of all headers of an answer: libcurl alone would take 300 KB each */
#define NET_CONNECT_MS 10000

enum net_method { NET_GET = 1, NET_POST };

struct net_ask {
	enum net_method method;
	const char *url;
	slice body;                         /* of a POST                           */
	const char *type, *accept, *prefer; /* header values, or NULL              */
	slice bearer;                       /* Authorization: Bearer, or empty     */
	size_t max_bytes;                   /* of the answer's body                */
	int wait_ms;                        /* for all of it                       */
};

struct net_answer {
	unsigned status;
	char type[64];   /* Content-Type without parameters, lower case; empty when none or longer */
	struct buf body; /* owned */
};
void net_answer_drop(struct net_answer *a);

struct net; /* keeps the connection between calls */
err net_open(struct net **out) CHECKED;
void net_close(struct net **n);
/* One call, to its end. */
err net_call(struct net *n, const struct net_ask *ask, struct net_answer *out) CHECKED;

#endif
