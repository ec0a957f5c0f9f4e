/*
 * call.h - calling out over HTTP, many calls at once: messenger alone does it.
 *
 * Depends on: base, hash; libcurl.  Touches: the network, for the addresses of its
 * configuration only.
 *
 * No redirects, http and https only, answers bounded in bytes and in time.  Each
 * call has an id; results come in any order.
 */
#ifndef EDGE_CALL_H
#define EDGE_CALL_H

#include "base/base.h"
#include "base/hash.h"

#define CALLS_MAX 32                /* at once; the rest waits in messenger's queue     */
#define CALL_BYTES_MAX (256U << 20) /* J-LIS's CRL of the whole country is far below it */
#define CALL_WAIT_MS 20000          /* for an answer; a CRL gets CALL_LONG_MS           */
#define CALL_LONG_MS 300000

struct calls;

enum call_method { CALL_ASK = 0 /* GET, POST where there is a type, mail */, CALL_PUT, CALL_DELETE };

struct call {
	enum call_method method;
	uint64_t id;
	const char *url;  /* copied                                */
	const char *type; /* Content-Type of body; NULL: GET       */
	slice body;       /* copied                                */
	size_t max_bytes;
	int wait_ms;
	const char *mail_from, *mail_to; /* smtp: the envelope; body is the message */
	/* CALL_PUT: the first file_bytes of a file, read as they are sent; the descriptor is taken over, whatever is returned */
	int file;
	uint64_t file_bytes;
	const digest *sha;  /* of them; said to a store, which checks it */
	const char *region; /* AWS Signature Version 4 for S3; NULL: basic authentication, or none where user is NULL */
	const char *user;
	const struct secret *secret; /* libcurl copies it, and frees its copy with the call */
	const char *ca;              /* PEM file of who may vouch for the other side; NULL: the system's */
};
/* For CALL_PUT and CALL_DELETE any 200 to 204 is success, for CALL_DELETE also 404. */

struct call_result {
	uint64_t id;
	err err;         /* ERR_WORLD call-…: nothing usable came; why is libcurl's code or the HTTP status.  ERR_POLICY
	                    call-recipient: a mail server refuses this recipient for good; why is its reply code */
	struct buf body; /* owned by whoever took the result */
};

struct calls *calls_new(void);
void calls_drop(struct calls **c);
/* A descriptor to wait on, and for how long at most (-1: for ever). */
int calls_fd(const struct calls *c);
int calls_timeout_ms(const struct calls *c);
bool calls_is_full(const struct calls *c);
err calls_start(struct calls *c, const struct call *call) CHECKED;
/* Moves the calls on. */
void calls_turn(struct calls *c);
/* False when no call has ended. */
bool calls_next(struct calls *c, struct call_result *out) CHECKED;

#endif
