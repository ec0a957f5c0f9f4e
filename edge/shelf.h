/*
 * shelf.h - a row of numbered files that only grow: 00000000.jsonl, 00000001.jsonl, …
 *
 * Depends on: base, disk; touches the folder it is given.
 *
 * What a book keeps its lines, openings and evidence in.  Appending goes to the
 * last file; the next one begins when a turn begins and the last has SHELF_BYTES,
 * so that one append never spans two files.
 *
 * Files of lines hold text lines ended by LF that begin {"n":<number>, with
 * numbers that do not fall.  NUL bytes before a line are an erased place and are
 * skipped.
 */
#ifndef EDGE_SHELF_H
#define EDGE_SHELF_H

#include "base/base.h"
#include "base/time.h"

#define SHELF_BYTES (64U << 20)    /* opens fast, copies well                      */
#define SHELF_LINE_MAX (16U << 10) /* bytes of a line without LF                   */

struct shelf {
	int folder;         /* owned */
	int last;           /* owned: the last file, for writing; -1 while reading or when there is none */
	const char *suffix; /* ".jsonl", ".tar" */
	bool write;
	uint32_t files;
	uint64_t size; /* bytes of the last file */
};

/* A place: between two bytes of the row. */
struct place {
	uint32_t file;
	uint64_t offset;
};
bool place_is_before(struct place a, struct place b);

enum shelf_mode { SHELF_READ, SHELF_WRITE };

/* Opens what stands in above/name; made when absent (SHELF_WRITE), empty when absent (SHELF_READ). */
err shelf_open(int above, const char *name, const char *suffix, enum shelf_mode mode, struct shelf *out) CHECKED;
void shelf_close(struct shelf *s);
/* The end, and where the next append will go (the next file once the last one is full). */
struct place shelf_end(const struct shelf *s);
struct place shelf_next(const struct shelf *s);
/* Appends at shelf_next(); durable only after shelf_sync. */
err shelf_append(struct shelf *s, slice bytes) CHECKED;
err shelf_sync(struct shelf *s) CHECKED;
/* Everything from p on goes; synced.  The size of what went is added to *bytes. */
err shelf_cut(struct shelf *s, struct place p, uint64_t *bytes) CHECKED;
/* Everything from p on is written again and synced: durable, whatever happened before. */
err shelf_renew(struct shelf *s, struct place p) CHECKED;
/* One of the files; ERR_ABSENT. */
err shelf_file(const struct shelf *s, uint32_t file, bool edit, int *fd) CHECKED;
err shelf_file_size(const struct shelf *s, uint32_t file, uint64_t *out) CHECKED;

/* Lines from a place up to an end: owned. */
struct shelf_lines;
err shelf_lines_open(const struct shelf *s, struct place from, struct place end, struct shelf_lines **out) CHECKED;
void shelf_lines_close(struct shelf_lines **l);
/*
 * The next line without LF and where it begins; it lives until the next call.
 * ERR_ABSENT shelf-end after the last whole one; ERR_INPUT shelf-line: what stands
 * at *at is longer than a line may be.
 */
err shelf_lines_next(struct shelf_lines *l, slice *line, struct place *at) CHECKED;
/* After shelf-end: bytes without an LF stood there. */
bool shelf_lines_torn(const struct shelf_lines *l);

/* The number a line begins with; `at` too where it follows, as in a book's lines. */
bool line_number(slice line, uint64_t *n) CHECKED;
bool line_time(slice line, instant *at) CHECKED;
/*
 * A place before `end` from which line n is reached by reading on, few lines
 * before it; the first place where n is below all.  `exact` numbers (0, 1, 2, …)
 * are searched by halves; else (openings) the beginning of a file.
 */
err shelf_find(const struct shelf *s, uint64_t n, bool exact, struct place end, struct place *out) CHECKED;

#endif
