/*
 * paper.h - what the documents of `inkanctl office` share: whose key signs, and
 *           the way from values to a line in the books.
 *
 * Depends on: act/{document,trust}, base/{conf,json}.  Touches: HOME/run/office,
 * the person's token, the terminal.
 */
#ifndef CMD_INKANCTL_PAPER_H
#define CMD_INKANCTL_PAPER_H

#include "act/document.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/time.h"

/* What the person asks for, and whose key signs it. */
struct office {
	const char *home, *person, *module, *key, *pin_file, *environment;
	const char *reason, *name, *address, *grounds, *from, *until, *how, *number, *since;
	bool yes, json, quiet; /* quiet: the line it became is not said */
	struct conf *conf;   /* inkan.conf      */
	struct trust *trust; /* trust.conf      */
	struct buf room;     /* texts from conf */
	struct secret pin;
	instant now;
};

/* Reads the house's inkan.conf and trust.conf, and from [office] whatever no option has said. */
err office_load(struct office *o) CHECKED;
void office_drop(struct office *o);
/* Shows the document, signs it, sends it (with a rule set's file, or nothing), and says which line it became. */
err office_act(struct office *o, enum form form, const slice *value, size_t n, slice ruleset) CHECKED;
/* What the registrar says of the house; owned by the caller. */
err office_state(const struct office *o, struct json **out) CHECKED;
/* Now, as a document writes it; lives in `room`. */
slice office_date(const struct office *o, struct buf *room);
slice office_or_dash(const char *s);
/* "2026-11-22" is that day in Japan, else RFC 3339 as it stands; NULL: ERR_INPUT office-time. */
err office_put_time(const char *text, struct buf *out) CHECKED;

/* papers.c: V-3, X-1, L-1, N-1, G-1.  False: no such command with so many words. */
bool paper_run(struct office *o, int n, char **word, err *out);

#endif
