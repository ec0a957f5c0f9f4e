/*
 * revoked.h - a signer's own set of revoked serials, at any size: B-10, B-11.
 *
 * Depends on: base, time, hash, records, crl.  Pure: what is on disk is read by a function it is given.
 *
 * Two layers: a base, sorted records that somebody else keeps (a file), and what
 * entered since, in memory.  Ten million serials then cost the process a few
 * megabytes: one serial in 64 of the base, and the recent ones.
 *
 * A serial enters once; the first entry stands, a later one changes nothing.  Each
 * gets its ORDER, 0, 1, 2, … as it enters, so that "the set as it was" is "all
 * below this order": a list is signed from one moment of the set while others
 * enter, and a delta holds those from an order on.  A serial leaves only when the
 * base is written anew and its certificate ended long ago (REVOKED_KEEP_MS).
 *
 * A record of the base, all numbers big-endian, 56 bytes:
 *	0  21  the serial (act/records.h)
 *	21  1  reason                 22  1  1: has an invalidity date    23  1  zero
 *	24  8  revoked   32  8  notAfter of the certificate   40  8  invalidity date, or 0   48  8  order
 * Times are ms since 1970.
 */
#ifndef ACT_REVOKED_H
#define ACT_REVOKED_H

#include "act/records.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/crl.h"

#define REVOKED_RECORD 56
#define REVOKED_RECENT_MAX 16384U /* then the base is written anew                        */
/* notAfter + this: the list after it was published, however late (RFC 5280 3.3). */
#define REVOKED_KEEP_MS (4 * DAY_MS)

struct revoked {
	struct crl_entry entry;
	instant not_after;
	uint64_t order;
};

/* The lower layer. */
struct revoked_base {
	struct records_from from;
	uint64_t orders; /* the next order */
	digest chain;    /* of all that ever entered below it */
};

struct revoked_set;
struct revoked_set *revoked_set_new(void);
void revoked_set_drop(struct revoked_set **s);
/* Puts the base under an empty set.  Reads it once: every record is judged, ERR_CORRUPT revoked-base. */
err revoked_set_base(struct revoked_set *s, const struct revoked_base *base) CHECKED;
/* After a new base was written from a walk over everything: nothing is recent any more. */
err revoked_set_rebase(struct revoked_set *s, const struct revoked_base *base) CHECKED;

/* r->order is not looked at.  No effect on a serial that is there. */
err revoked_set_add(struct revoked_set *s, const struct revoked *r) CHECKED;
err revoked_set_find(const struct revoked_set *s, serial number, bool *found, struct crl_entry *out) CHECKED;
/* The next order: how many ever entered. */
uint64_t revoked_set_orders(const struct revoked_set *s);
size_t revoked_set_recent(const struct revoked_set *s);
/* A hash chain over all that ever entered, in order: the grounds of a ticket. */
digest revoked_set_digest(const struct revoked_set *s);

/* --- walking ---------------------------------------------------------------------- */

struct revoked_filter {
	uint64_t from, upto;         /* orders: from ≤ order < upto                                        */
	instant ended;               /* certificates that ended before are passed over; INSTANT_MIN_MS: none */
	unsigned partitions, partition; /* crl_partition_of; partition 0: all                               */
};

/* In rising order of serial, after `last` where it has bytes.  The set must not change between two steps. */
struct revoked_walk {
	const struct revoked_set *set;
	struct revoked_filter filter;
	struct records_walk base;
	size_t recent_at;
};
err revoked_walk_start(struct revoked_walk *w, const struct revoked_set *s, const struct revoked_filter *f, serial last) CHECKED;
err revoked_walk_next(struct revoked_walk *w, bool *have, struct revoked *out) CHECKED;

void revoked_record_put(uint8_t out[REVOKED_RECORD], const struct revoked *r);
err revoked_record_get(const uint8_t in[REVOKED_RECORD], struct revoked *out) CHECKED;

#endif
