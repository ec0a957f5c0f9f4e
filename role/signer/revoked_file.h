/*
 * revoked_file.h - the base of a signer's set of revoked serials, on disk.
 *
 * Depends on: act/revoked, act/body, records_file; touches the file `revoked` of the journal's folder.
 *
 * It follows from the journal and can be made again from it; it is there so that a
 * start does not read a million lines and a million serials do not stand in
 * memory.  The file is one of role/signer/records_file with records of 56 bytes, "INKAN-REVOKED 1\n", and as what is added
 *
 *	 8  orders: how many had entered     32  their chain
 *	 8  lines of the journal it covers   32  the journal's root there
 */
#ifndef ROLE_SIGNER_REVOKED_FILE_H
#define ROLE_SIGNER_REVOKED_FILE_H

#include "act/body.h"
#include "act/revoked.h"
#include "base/base.h"
#include "role/signer/records_file.h"

/*
 * Opens and checks it whole.  *base is good as long as the file is open.  ERR_ABSENT disk-absent; ERR_CORRUPT
 * revoked-file: the caller reads the journal instead.
 */
err revoked_file_open(int folder, struct records_file **out, struct revoked_base *base, struct head *covers) CHECKED;
/* Everything of the set but what ended before `ended`. */
err revoked_file_write(int folder, const struct revoked_set *s, instant ended, struct head covers) CHECKED;

#endif
