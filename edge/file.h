/*
 * file.h - a whole file that a person or a configuration names by its path, and a PIN in one.
 *
 * Depends on: base.  Touches: the file named; it is read, never written.
 *
 * For what stands outside the house's own folders, or is read once at a start: paths are taken as they are, links are
 * followed.  What the house writes itself goes through edge/disk.
 *
 * ERR_WORLD file-read (errno in .why), ERR_INPUT file-size, secret-long.
 */
#ifndef EDGE_FILE_H
#define EDGE_FILE_H

#include "base/base.h"

/* Appends all of it to out; refused when it is longer than out->max leaves room for, and then out holds no promise. */
err file_load(const char *path, struct buf *out) CHECKED;

/* One line of at most SECRET_MAX bytes, without its line end; nothing of it stays elsewhere in memory. */
err file_load_pin(const char *path, struct secret *out) CHECKED;

#endif
