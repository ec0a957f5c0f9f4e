/*
 * known.h - the certificates a status signer has seen and verified, at any size: Rule 6(xi), B-11.
 *
 * Depends on: base, time, records.  Pure: what is on disk is read by a function it is given.
 *
 * "Good" is said only about what stands here and not in the set of revoked serials (act/revoked): a serial enters when
 * its certificate's bytes were there and its issuer's signature was verified.  Then its answer can be made again without
 * them.  It is a cache: what is lost is refused until its certificate is shown again.
 *
 * Two layers as in act/revoked: a base, sorted records that somebody else keeps (a file), and what entered since, in
 * memory; ten million serials cost a few megabytes.  What entered last waits unsorted, so that a batch moves the sorted
 * rest once.
 *
 * A record of the base, big-endian, 32 bytes:
 *	0  21  the serial (act/records.h)    21  3  zero    24  8  notAfter, ms since 1970
 */
#ifndef ACT_KNOWN_H
#define ACT_KNOWN_H

#include "act/records.h"
#include "base/base.h"
#include "base/time.h"

#define KNOWN_RECORD 32
#define KNOWN_RECENT_MAX 65536U /* then the base is written anew: 2.6 MB of memory      */
#define KNOWN_TAIL 256U         /* not sorted in yet                                    */

struct known_one {
	serial serial;
	instant not_after;
};

struct known_set;
struct known_set *known_set_new(void);
void known_set_drop(struct known_set **s);
/* Puts a base under it, and forgets what is recent when `and_recent`.  Reads it once: ERR_CORRUPT known-base. */
enum known_rest { KNOWN_KEEP_RECENT, KNOWN_FORGET_RECENT };
err known_set_base(struct known_set *s, const struct records_from *base, enum known_rest rest) CHECKED;

/* No effect on a serial that is there; *fresh says whether it is new. */
err known_set_add(struct known_set *s, const struct known_one *k, bool *fresh) CHECKED;
err known_set_find(const struct known_set *s, serial number, bool *found, struct known_one *out) CHECKED;
size_t known_set_recent(const struct known_set *s);
/* All there are: of both layers. */
uint64_t known_set_count(const struct known_set *s);

/* In rising order of serial, after `last` where it has bytes.  The set must not change between two steps. */
struct known_walk {
	const struct known_set *set;
	struct records_walk base;
	size_t recent_at;
};
err known_walk_start(struct known_walk *w, struct known_set *s, serial last) CHECKED;
err known_walk_next(struct known_walk *w, bool *have, struct known_one *out) CHECKED;

void known_record_put(uint8_t out[KNOWN_RECORD], const struct known_one *k);
err known_record_get(const uint8_t in[KNOWN_RECORD], struct known_one *out) CHECKED;

#endif
