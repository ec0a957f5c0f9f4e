/*
 * mirror.h - copies of the repository elsewhere: a folder, an S3-compatible store, a host that takes HTTPS PUT.
 *
 * HOLDS    for each, from HOME/inkan.conf (paths below HOME, or from the root):
 *            [mirror.NAME]
 *            kind = folder | s3 | put
 *            folder = /srv/www/inkan        folder: a local disk; a file system over the network may hold messenger up
 *            url = https://store.example.jp s3: the endpoint; put: what paths follow
 *            bucket = inkan                 s3, in the path of the URL
 *            region = ap-northeast-1        s3
 *            user = NAME                    s3: the access key's id; put: HTTP basic authentication, or none
 *            secret = mirror/NAME.secret    a file of one line; HOME/mirror belongs to messenger alone
 *            ca = mirror/NAME.pem           who vouches for the other side; without: the system's authorities
 * TOUCHES  repository/ (reads), the folders of folder mirrors, in HOME/mirror:
 *            NAME.place    "EPOCH SEQ MS": every change below SEQ of the log EPOCH (edge/changes.h) is there, or refused;
 *                          MS: when it was last found equal to the repository
 *            NAME.have     "+PATH" a line: what was ever put there, so that a look over everything finds what must go
 *            NAME.walk     the same while everything is looked at, "-PATH" for what must go
 *            NAME.refused  "+PATH" a line: what the copy did not take
 *
 * A change says where to look: what stands under its path then is put, where nothing stands it is removed.  Changes are
 * followed in their order, FLIGHTS at once; what speaks for other files (checkpoint, pages, lists of fingerprints and texts)
 * goes alone, when all before it is there.  What is gone goes first: removals overtake everything, so that the answer of a
 * revoked certificate leaves a copy that is hours behind at once.  Nothing is removed while it is on its way there.
 *
 * Where the log has a gap (edge/changes.h), and at first, everything is put again, and what was put once and stands in the
 * repository no more is removed first.  That look is made in steps, MIRROR_STEP_ENTRIES lines or names a turn, and between
 * two steps messenger does all it does otherwise: removals go on overtaking, what the look has found already is on its way.
 * Nothing is put while NAME.have is being read.  In memory a path that was ever put takes 16 to 32 bytes (48 for the moment
 * the table grows), a look nothing that grows with the tree.  A try that fails is repeated after 1 s, 2 s … 300 s; each copy waits alone.  A file
 * that a copy does not take while it takes others is put aside and tried again by a clock of its own: the rest goes on, and
 * the copy counts as incomplete until it has it.  status/ and the log itself are not copied.
 */
#ifndef ROLE_MESSENGER_MIRROR_H
#define ROLE_MESSENGER_MIRROR_H

#include <dirent.h>

#include "act/numbers.h"
#include "act/order_send.h"
#include "base/base.h"
#include "base/conf.h"
#include "edge/call.h"
#include "edge/changes.h"
#include "edge/jail.h"
#include "edge/start.h"

#define MIRROR_FLIGHTS 4     /* of one copy at once: all copies together are CALLS_MAX                */
#define MIRROR_ITEMS 64      /* read ahead                                                            */
#define MIRROR_WAIT_MS 30000 /* for an answer; a larger file gets a second more per 100 KB            */
#define MIRROR_BACKOFF_MAX_MS 300000
#define MIRROR_LOOK_MS 200       /* between two looks at the log                                          */
#define MIRROR_PLACE_MS 1000     /* the place is written so often at most                                 */
#define MIRROR_WHOLE_MS 60000    /* and so often for the time alone                                       */
#define MIRROR_TRIES 4           /* of one file, before it is held against this file                      */
#define MIRROR_REFUSED_MAX 1024U /* remembered by name; more are found by a look over everything …        */
#define MIRROR_LOST_MS 3600000   /* … an hour later                                                       */

#define MIRROR_STEP_ENTRIES 512U /* lines of NAME.have, or names in folders, a turn …                     */
#define MIRROR_STEP_MS 20        /* … and no more once it took so long                                    */
#define MIRROR_CHUNK_BYTES 65536U
#define MIRROR_DEPTH_MAX 24 /* folders below each other: a base64 path has at most a few strokes     */

struct mirror_item {
	uint64_t seq; /* of its change; 0: of a look over everything, or refused before */
	bool gone, flying, done;
	bool again; /* it was refused before */
	unsigned tries;
	uint64_t pushed_then; /* what the copy had taken at the first failure of this one */
	uint64_t call;
	char path[CHANGES_PATH_MAX + 1];
};

/* What a copy did not take. */
struct mirror_refused {
	char path[CHANGES_PATH_MAX + 1];
	const char *why; /* static */
	int64_t again, backoff;
	bool trying; /* an item stands for it */
};

/* A list of HOME/mirror, read from its beginning; it may grow meanwhile. */
struct mirror_lines {
	uint64_t at; /* byte of the file where chunk begins */
	size_t i, n; /* chunk: from here on not given yet; in it */
	uint8_t chunk[MIRROR_CHUNK_BYTES];
};

enum mirror_step {
	MIRROR_STANDS,   /* nothing is looked at                                                        */
	MIRROR_KNOWS,    /* NAME.have is read: what was put; in a look, what of it stands there no more */
	MIRROR_FINDS,    /* every file of the repository but …                                          */
	MIRROR_FINDS_END /* … those that speak for others                                               */
};

/* Where a look is. */
struct mirror_look {
	enum mirror_step step;
	struct mirror_lines had; /* of NAME.have */
	struct buf out;          /* owned: lines on their way into NAME.walk */
	size_t unsynced;         /* bytes of NAME.walk */
	unsigned depth;
	DIR *folder[MIRROR_DEPTH_MAX + 1];  /* owned: the repository, a folder in it, … */
	size_t below[MIRROR_DEPTH_MAX + 1]; /* bytes of path that lead to each */
	char path[CHANGES_PATH_MAX + 1];    /* of the name that is looked at */
	int near;                           /* owned: the folder of the line before, within a step; -1 */
	char near_path[CHANGES_PATH_MAX + 1];
};

struct mirror {
	char name[65], url[256], bucket[64], region[40], user[128], ca[512], folder[512];
	enum mirror_kind kind;
	struct secret secret;
	int fd;   /* owned: the folder; -1 */
	int have; /* owned: NAME.have, -1  */
	int walk; /* owned: NAME.walk, -1  */
	struct mirror_look look;
	struct mirror_lines walk_lines;
	uint64_t walk_left; /* lines after the last that was read */
	bool walking, opened;
	struct changes_place place, written; /* done with; as NAME.place says */
	uint64_t walk_seq;                   /* the place a look over everything leads to */
	struct changes_reader puts, gones;
	size_t n;
	struct mirror_item item[MIRROR_ITEMS];
	size_t known_n, known_cap;                  /* hashes of paths in NAME.have: open addressing */
	uint64_t *known;                            /* owned: half empty at least */
	int64_t again, backoff, looked, written_at; /* on the steady clock */
	instant whole_at, whole_written;            /* last found equal; as NAME.place says */
	struct mirror_refused *refused;             /* owned, MIRROR_REFUSED_MAX */
	size_t n_refused;
	uint64_t lost;      /* refused, and too many to remember */
	int64_t look_again; /* for them */
	uint64_t pushed, failures, in_a_row;
	const char *trouble; /* static; NULL: the last try went well */
};

struct mirrors {
	int repository, folder; /* owned: HOME/repository, HOME/mirror; -1 */
	struct calls *calls;    /* of their own: J-LIS never waits behind a copy */
	uint64_t calls_made;
	size_t n;
	struct mirror *mirror; /* owned, MIRRORS_MAX */
};

/* Before the jail.  ERR_INPUT mirror-…. */
err mirrors_configure(struct mirrors *m, const struct conf *c, const struct start *s) CHECKED;
/* What they need of the jail. */
void mirrors_jail(const struct mirrors *m, const struct start *s, struct jail *out);
void mirrors_turn(struct mirrors *m);
int mirrors_timeout_ms(const struct mirrors *m);
void mirrors_state(const struct mirrors *m, struct mirrors_reply *out);
/* The same as numbers for whoever watches: age, what is missing, what is refused, failures. */
void mirrors_tell(const struct mirrors *m, struct numbers *n);
void mirrors_drop(struct mirrors *m);

#endif
