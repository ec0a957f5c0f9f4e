/*
 * http.h - what a stranger's program says to a house over HTTP: one question a connection, answered or not.
 *
 * Link it with a first line "LINK: test/jpki/make.c test/system/parts/http.c".  Touches sockets on 127.0.0.1.
 */
#ifndef TEST_SYSTEM_HTTP_H
#define TEST_SYSTEM_HTTP_H

#include "base/base.h"
#include "base/json.h"
#include "test/jpki/make.h"

struct answer {
	int status; /* 0: no whole answer came: refused, closed, or late */
	struct buf body;
};
void answer_drop(struct answer *a);

/* `headers` are whole lines, each with its CRLF; "" for none. */
void ask(
    int port, const char *method, const char *path, const char *headers, slice body, int late_ms, struct answer *out);
/* A member of the answer's JSON as a string of its own; NULL where there is none. */
char *answer_text(const struct answer *a, const char *name);
uint64_t answer_number(const struct answer *a, const char *name);

/* What applications of this house must name. */
struct terms {
	char *service, *terms, *explanation;
};
/* Asked until the house answers. */
void terms_get(int port, struct terms *out);
/* A fresh challenge, asked for until the house gives one; the caller frees it. */
char *challenge_new(int port);
/* All that the card says, and the house's terms; `room` keeps the texts alive. */
struct room {
	struct world_person person;
	char birth[16];
};
void applicant_for(const char *world, const char *card, const struct terms *t, instant at, struct room *room,
    struct make_application *out);
void pause_ms(int ms);

#endif
