/*
 * front.h - the HTTP face of the house.
 *
 * HOLDS    nothing; maps the published status files, opens published files.
 * HEARS    strangers over HTTP; the registrar's answers.
 * TOUCHES  HOME/repository (reading), the sockets handed to it.
 * NEVER    SQL, keys, the books, outgoing connections, a verdict that counts.
 *
 * Every answer to a stranger is JSON, problem+json (RFC 9457; `type` is the
 * refusal's code), a published file, or an OCSP answer.  The routes stand in one
 * table, which doc/openapi.json is held against by a test.
 */
#ifndef ROLE_FRONT_FRONT_H
#define ROLE_FRONT_FRONT_H

#include "act/slots.h"
#include "base/base.h"
#include "edge/http.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/start.h"

/* Published answers of one issuer: both status files, mapped; read anew when they are replaced. */
struct answers {
	struct {
		int64_t ino, mtime_ns;
		slice map;
		struct slots slots;
		bool good;
	} file[2];      /* recent, base */
	int64_t looked; /* steady ms of the last look at the folder */
};

struct front {
	struct wires *wires;
	struct http *http, *private;
	int repository;                         /* descriptor of HOME/repository */
	uint64_t waiting[HTTP_CONNECTIONS_MAX]; /* by slot: the request that waits for the registrar, 0 none */
	int64_t since[HTTP_CONNECTIONS_MAX];
	int64_t look_at; /* the next look for who waits too long: 4,096 places are not looked through at every wake */
	struct answers answers;
	uint64_t status_count[6]; /* answers by hundred                 */
	uint64_t ocsp_count[4];   /* good, revoked, unauthorized, other */
};

/* One turn without waiting: HTTP, then the registrar's answers. */
err front_turn(struct front *f) CHECKED;
struct http_face front_face(struct front *f);
struct http_face front_private_face(struct front *f);
int front_timeout_ms(const struct front *f);

/* jail.c: what it may still do: read the repository, answer on the sockets it was given. */
void front_jail(const struct start *s, struct jail *out);

/* answers.c: an OCSP request's DER to a whole reply. */
void answers_reply_to(struct front *f, slice request, instant now, struct buf *body, struct http_reply *reply);

#endif
