/*
 * front.h - the HTTP face of the house.
 *
 * HOLDS    nothing; maps the published status files, opens published files.
 * HEARS    strangers over HTTP; the registrar's answers; the status signer's to OCSP requests.
 * TOUCHES  HOME/repository (reading), the sockets handed to it.
 * NEVER    SQL, keys, the books, outgoing connections, a verdict that counts.
 *
 * Every answer to a stranger is JSON, problem+json (RFC 9457; `type` is the
 * refusal's code), a published file, or an OCSP answer.  The routes stand in one
 * table, which doc/openapi.json is held against by a test.
 */
#ifndef ROLE_FRONT_FRONT_H
#define ROLE_FRONT_FRONT_H

#include "act/numbers.h"
#include "act/revocation.h"
#include "act/slots.h"
#include "base/base.h"
#include "edge/http.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/map.h"
#include "edge/start.h"

/*
 * Published answers of one issuer: both status files, mapped.  A file that was replaced is mapped anew between two
 * requests; nothing of the old map outlives the request that read it.
 */
#define LIVE_WAITING_MAX 128 /* requests handed over and not answered: 0.5 MB; more fall back at once          */
#define LIVE_LATE_MS 2000    /* then the answer made ahead is given: clients of TLS wait 3 s and more for OCSP */

struct answers {
	struct status_file {
		int64_t ino, mtime_ns, bytes; /* of the file that was looked at last     */
		struct map map;               /* of it; empty where it could not be read */
		struct slots slots;
		bool there, good;                   /* good: its header, index and end are whole       */
		uint64_t damaged;                   /* blocks found damaged in it and told of          */
	} file[2];                              /* recent, base                                    */
	int64_t looked;                         /* steady ms of the last look at the folder        */
	uint64_t files_damaged, blocks_damaged; /* since this process began        */
	struct buf text;                        /* of an answer's header lines, each ended by NUL  */
	struct live {                           /* handed over to the status signer                */
		uint64_t id;                        /* the HTTP request; 0: this place is free         */
		int64_t since;                      /* steady ms                                       */
		size_t n;
		uint8_t request[OCSP_REQUEST_MAX];
	} live[LIVE_WAITING_MAX];
	size_t n_live;
};

struct front {
	struct wires *wires;
	struct http *http, *private;
	int repository;                         /* descriptor of HOME/repository */
	uint64_t waiting[HTTP_CONNECTIONS_MAX]; /* by slot: the request that waits for the registrar, 0 none */
	int64_t since[HTTP_CONNECTIONS_MAX];
	int64_t look_at; /* the next look for who waits too long: 4,096 places are not looked through at every wake */
	struct answers answers;
	struct buf der;            /* the request of an OCSP GET */
	enum unknown_word unknown; /* signed: the status signer is asked about serials that have no answer */
	uint64_t status_count[6];  /* answers by hundred                 */
	unsigned number;           /* of several fronts */
	struct numbers *house;     /* owned: as the registrar told it last */
	int64_t ask_at;            /* on the steady clock: the registrar is asked again */
	struct histogram seconds[ROUTE_CLASS_N];
	uint8_t class[HTTP_CONNECTIONS_MAX];    /* of those that wait … */
	int64_t began_us[HTTP_CONNECTIONS_MAX]; /* … since */
	uint64_t refusals[7];                   /* by err_kind, from ERR_INPUT */
	uint64_t ocsp_by[2][5];                 /* by method: GET, POST; as below */
	uint64_t live_count[LIVE_N];
	uint64_t ocsp_count[5]; /* good, revoked, unauthorized, try later, malformed: of those made ahead */
};

/* inkan.conf, where there is one.  ERR_INPUT ocsp-unknown-word. */
err front_configure(struct front *f, const struct start *s) CHECKED;
/* One turn without waiting: HTTP, then the registrar's answers. */
err front_turn(struct front *f) CHECKED;
struct http_face front_face(struct front *f);
struct http_face front_private_face(struct front *f);
int front_timeout_ms(const struct front *f);

/* jail.c: what it may still do: read the repository, answer on the sockets it was given. */
void front_jail(const struct start *s, struct jail *out);

/*
 * answers.c: an OCSP request's DER to a whole reply; true when it is answered, false when it was handed over and will be
 * answered by http_answer.
 */
bool answers_reply_to(
    struct front *f, const struct http_request *q, slice request, instant now, struct http_reply *reply) CHECKED;
/* Looks whether a file was replaced, as every request does: so that a front that nobody asks knows it too. */
void answers_look(struct front *f);
/* What the status signer said, or that no more is to be expected of it. */
void answers_live_came(struct front *f, const struct frame *r);
enum live_end { LIVE_LATE, LIVE_ALL };
/* Those who wait too long, or all: they get what was made ahead. */
void answers_live_end(struct front *f, enum live_end which);
void answers_drop(struct answers *a);

/* metrics.c: how the house stands, on the private face. */
enum route_class { CLASS_OCSP = ROUTE_CLASS_OCSP, CLASS_FILE, CLASS_APPLICATION, CLASS_OTHER };
void metrics_time(struct front *f, enum route_class class, int64_t us);
void metrics_ask(struct front *f);
void metrics_take(struct front *f, const struct frame *x);
void metrics_put(const struct front *f, struct buf *b);
/* The body; 200, or 503 where a person must look. */
unsigned metrics_put_health(const struct front *f, struct buf *b) CHECKED;

#endif
