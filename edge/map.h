/*
 * map.h - a file mapped for reading, which may be cut short or go bad under its reader.
 *
 * Depends on: base.  Touches: the file; the signal SIGBUS of this process, from the first map on.
 *
 * Who writes the file may cut it short, a disk may fail to read a page of it: to touch such a page ends a process.  Here it
 * does not: the whole map is taken away at once and reads as zeros from then on, and map_is_gone says so.  Who reads asks
 * that AFTER reading and before believing: what was read meanwhile may be half of it.  It stays so until the map is closed.
 *
 * SIGBUS for any other reason ends the process as ever.
 */
#ifndef EDGE_MAP_H
#define EDGE_MAP_H

#include "base/base.h"

/* At a time in one process: front has two status files; publisher has base for merge, look, lapse and answers as files, and a list. */
#define MAPS_MAX 5

struct map {
	slice bytes;  /* as long as the file was when it was opened; lives until map_close */
	size_t place; /* 0: not open */
};

enum map_use { MAP_HERE_AND_THERE, MAP_IN_ORDER };

/* The whole file, which may be closed then; one of no bytes has none.  ERR_WORLD map-open. */
err map_open(int fd, enum map_use use, struct map *out) CHECKED;
bool map_is_gone(const struct map *m);
/* What was read so far counts to this process's memory no more; it can be read again.  For who reads a large file once. */
void map_rest(const struct map *m);
/* Zero is nothing to close. */
void map_close(struct map *m);

#endif
