/*
 * known_file.h - the base of a status signer's known serials, on disk.
 *
 * Depends on: act/known, edge/disk; touches the file `known` of the journal's folder.
 *
 * A cache (act/known.h).  The file:
 *
 *	n records of 32 bytes, in rising order of serial
 *	then  16  "INKAN-KNOWN 1\n" and two zero bytes     8  n     8  lines of the journal it covers
 *	      32  SHA-256 of everything above
 *
 * Written beside and renamed: the old one or the new one.
 */
#ifndef ROLE_SIGNER_KNOWN_FILE_H
#define ROLE_SIGNER_KNOWN_FILE_H

#include "act/known.h"
#include "base/base.h"

struct known_file;

/* *base is good as long as the file is open.  ERR_ABSENT disk-absent; ERR_CORRUPT known-file. */
err known_file_open(int folder, struct known_file **out, struct known_base *base, uint64_t *covers) CHECKED;
void known_file_close(struct known_file **f);
/* Everything of the set but what ended before `ended`. */
err known_file_write(int folder, struct known_set *s, instant ended, uint64_t covers) CHECKED;

#endif
