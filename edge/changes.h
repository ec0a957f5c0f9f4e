/*
 * changes.h - what changed in the repository, in order: the file repository/changes, which publisher writes and messenger
 *             reads to push mirrors.
 *
 * Depends on: base, hash, time, disk; touches the folder it is given.
 *
 * Text, a line each, ended by LF:
 *
 *   inkan-changes 1 EPOCH FIRST      the first line: which log this is, and the number its lines begin with
 *   SEQ SHA256 PATH                  under this path stands now, whole, a file of this SHA-256
 *   SEQ gone PATH                    under this path stands nothing any more
 *   SEQ closed                       its writer stopped as it should
 *
 * Numbers rise by one.  A line is written after what it says is so: whoever reads it finds that file, or a newer one with a
 * later line.  Nothing is synced line by line: a writer that does not find "closed" at the end begins a new epoch, since
 * lines may be missing; so does one that could not write a line.  A log of CHANGES_BYTES_MAX is replaced by an empty one of
 * the same epoch that goes on counting.
 *
 * A PLACE is (epoch, seq): all lines below seq are done with.  Whoever has a place of another epoch, or before FIRST, has a
 * gap and looks at every file.  A reader keeps the old log open until its end, so that only one that is behind and is
 * started anew meets a gap when a log is replaced.
 */
#ifndef EDGE_CHANGES_H
#define EDGE_CHANGES_H

#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"

#define CHANGES_NAME "changes"
#define CHANGES_BYTES_MAX (32U << 20) /* 200,000 lines: read in a fraction of a second           */
#define CHANGES_PATH_MAX 256          /* bytes; an OCSP path has about 120, a tile's less than 60 */

struct changes {
	int folder; /* borrowed */
	int fd;     /* owned    */
	uint64_t epoch, next, bytes;
	bool broken; /* a line could not be written: the next one begins a new epoch */
};

/* Goes on with the log that stands there, or begins a new epoch.  Closing -1 is nothing. */
err changes_open(int repository, instant now, struct changes *out) CHECKED;
/* `d` NULL: gone. */
err changes_put(struct changes *c, slice path, const digest *d) CHECKED;
/* Says "closed", durably, where `orderly`. */
void changes_close(struct changes *c, bool orderly);

/* No step begins with a dot, none leads to the root, no byte needs care: a path of ours, and no other is opened or sent. */
bool changes_is_path(slice path) CHECKED;

/* --- reading --- */
struct changes_place {
	uint64_t epoch, seq;
};
struct change {
	uint64_t seq;
	bool gone, closed;
	digest sha;
	slice path; /* borrowed from the reader, until its next call */
};
struct changes_reader {
	int folder;                         /* borrowed */
	int fd;                             /* owned, -1: not open */
	uint64_t epoch, first, seq, offset; /* seq: of the next line, at offset */
	size_t n, at;
	uint8_t chunk[32768];
};
/*
 * Opens the log at a place; *gap: the place is not in it, and the reader stands at its first line.  ERR_ABSENT where there
 * is no log yet; ERR_CORRUPT changes-form.
 */
err changes_read_open(int repository, struct changes_place at, struct changes_reader *out, bool *gap) CHECKED;
void changes_read_close(struct changes_reader *r);
/* The next whole line; *have false at the end of what is written. */
err changes_next(struct changes_reader *r, bool *have, struct change *out) CHECKED;
/* The place behind the last whole line, by a look at the file's end.  ERR_ABSENT, ERR_CORRUPT as above. */
err changes_end(int repository, struct changes_place *out) CHECKED;
/* At the end: another log stands under the name by now. */
bool changes_replaced(const struct changes_reader *r);

#endif
