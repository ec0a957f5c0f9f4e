/*
 * journal_line.h - what the lines of a signer's journal say, and what is remembered of all of them.
 *
 * Depends on: base, act/body, act/decision, act/line, act/entry, act/revocation.  Pure.
 *
 * The acts and their bodies stand in journal.h.  A get reads from a line's parsed body; what is missing or malformed there
 * gives what base/json and act/line refuse with, and the journal makes one answer of it: ERR_CORRUPT journal-line.
 */
#ifndef ROLE_SIGNER_JOURNAL_LINE_H
#define ROLE_SIGNER_JOURNAL_LINE_H

#include "act/body.h"
#include "act/decision.h"
#include "act/entry.h"
#include "act/line.h"
#include "act/revocation.h"
#include "base/base.h"
#include "base/json.h"
#include "base/time.h"

#define JOURNAL_HOUR 12 /* parts of an hour that are counted apart */
#define JOURNAL_PART_MS (5 * 60 * SECOND_MS)

/* How many there were in the last hour: parts since 1970 in a ring, and the count of each. */
struct journal_count {
	int64_t part[JOURNAL_HOUR];
	uint32_t n[JOURNAL_HOUR];
};

/* The fold of all lines: what a signer remembers besides its indexed values. */
struct journal_state {
	struct head books;       /* the last head of the books it has seen or signed  */
	struct head checkpoint;  /* the last one signed; size 0: none                */
	struct list_memory list; /* the last number used, the last complete list, the parts */
	uint64_t ruleset_version; /* the highest approved version seen               */
	digest ruleset;          /* … and which rule set that was                    */
	struct automation automation;   /* the last S-1 it heard of                 */
	struct journal_count issued;    /* intents by rule                          */
	struct journal_count revoked;   /* serials that no officer revoked          */
	instant at;              /* of the last line                                 */
};

/* ERR_CORRUPT journal-line. */
err journal_corrupt(void) CHECKED;

/* The member "serial", and a head by the names of its two members. */
err journal_get_serial(json body, serial *out) CHECKED;
err journal_get_head(json body, const char *size, const char *root, struct head *out) CHECKED;
/* A line of act `revoked`. */
err journal_get_revoked(const struct line *l, json body, struct revocation *out) CHECKED;

/* One known serial in the member "known" of ocsp.published: a blank, then hex, a slash, notAfter in ms. */
void journal_put_known(struct buf *b, const struct known_one *k);
err journal_get_known(slice one, struct known_one *out) CHECKED;

/* One more at that time; how many there were in the hour before now. */
void journal_count_add(struct journal_count *c, instant at);
uint64_t journal_count_hour(const struct journal_count *c, instant now);

/* The fold: what a line adds to what is remembered. */
err journal_state_apply(struct journal_state *s, const struct line *l, json body) CHECKED;
/* The state as the last index file carries it: DER, one value one encoding. */
void journal_state_put(struct buf *b, const struct journal_state *s);
err journal_state_get(slice in, struct journal_state *out) CHECKED;

#endif
