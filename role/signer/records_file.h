/*
 * records_file.h - sorted records on disk, with what speaks for them behind.
 *
 * Depends on: act/records, edge/disk; touches the file it is told of the folder it is given.
 *
 *	n records, in rising order of serial
 *	then  16  what it is, as its owner says      8  n      what its owner adds, RECORDS_FILE_EXTRA bytes at most
 *	      32  SHA-256 of everything above
 *
 * Written beside and renamed: the old one or the new one.
 */
#ifndef ROLE_SIGNER_RECORDS_FILE_H
#define ROLE_SIGNER_RECORDS_FILE_H

#include "act/records.h"
#include "base/base.h"
#include "base/hash.h"

#define RECORDS_FILE_MAGIC 16U
#define RECORDS_FILE_EXTRA 128U

/* What one kind of file is. */
struct records_kind {
	const char *name;     /* of the file, and `name.new` while it is written */
	const char *fresh;    /* "name.new" */
	const uint8_t *magic; /* RECORDS_FILE_MAGIC bytes */
	size_t bytes, extra;  /* of a record, of what the owner adds */
};

struct records_file;
/*
 * Opens and checks it whole.  *from is good as long as the file is open; `extra` gets what the owner added.  ERR_ABSENT
 * disk-absent; `bad` where it is not whole.
 */
err records_file_open(int folder, const struct records_kind *k, err bad, struct records_file **out, struct records_from *from,
	uint8_t *extra) CHECKED;
void records_file_close(struct records_file **f);

/* Writing: open, each record, end; drop in any case. */
struct records_writer {
	const struct records_kind *kind;
	int fd, folder;
	uint64_t n;
	struct hash h;
	struct buf b; /* owned */
};
err records_writer_open(struct records_writer *w, int folder, const struct records_kind *k) CHECKED;
err records_writer_put(struct records_writer *w, const uint8_t *record) CHECKED;
/* Synced and renamed: a crash before leaves the old file, and a scrap that is written over. */
err records_writer_end(struct records_writer *w, const uint8_t *extra) CHECKED;
void records_writer_drop(struct records_writer *w);

#endif
