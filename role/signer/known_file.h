/*
 * known_file.h - the base of a status signer's known serials, on disk.
 *
 * Depends on: act/known, records_file; touches the file `known` of the journal's folder.
 *
 * A cache (act/known.h).  The file is one of role/signer/records_file with records of 32 bytes, "INKAN-KNOWN 1\n" and two
 * zero bytes, and as what is added 8 bytes: lines of the journal it covers.
 */
#ifndef ROLE_SIGNER_KNOWN_FILE_H
#define ROLE_SIGNER_KNOWN_FILE_H

#include "act/known.h"
#include "base/base.h"
#include "role/signer/records_file.h"

/* *base is good as long as the file is open.  ERR_ABSENT disk-absent; ERR_CORRUPT known-file. */
err known_file_open(int folder, struct records_file **out, struct records_from *base, uint64_t *covers) CHECKED;
/* Everything of the set but what ended before `ended`. */
err known_file_write(int folder, struct known_set *s, instant ended, uint64_t covers) CHECKED;

#endif
