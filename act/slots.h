/*
 * slots.h - status files: pre-signed OCSP answers at rest, Rule 6(xi) B-11.
 *
 * Depends on: base, pki/ocsp.  Pure: a file is a slice (mapped by its reader).
 *
 * All answers of one issuer by one responder differ only in serial, status,
 * times and signature.  A file keeps what is common once and a slot of what
 * differs for each certificate; the answer's bytes are made from both, and the
 * writer takes in only answers that come out byte for byte the same.  Two files
 * of this one format serve an issuer: `recent`, looked up first and replaced
 * with each batch, and `base`, into which recent is merged at leisure.
 *
 * The format stands byte by byte at the top of slots.c.
 */
#ifndef ACT_SLOTS_H
#define ACT_SLOTS_H

#include "base/base.h"
#include "pki/ocsp.h"

#define SLOTS_RECENT_MAX 16384U /* then recent is merged into base: 2.6 MB rewritten a batch at most */

#define SLOT_SIGNATURE_MAX 512 /* RSA-4096, the largest responder key */

enum slot_state { SLOT_GOOD = 0, SLOT_REVOKED = 1, SLOT_WITHDRAWN = 2 };

struct slot {
	serial serial;
	enum slot_state state;
	enum crl_reason reason;
	instant revoked, produced, this_update, next_update;
	uint16_t signature_n;
	uint8_t signature[SLOT_SIGNATURE_MAX];
};

/* What all answers share. */
struct slots_common {
	struct ocsp_issuer issuer;
	enum sig_alg alg;
	uint8_t responder_key_id[SHA1_LEN];
	slice responder_cert;
};

struct slots {
	struct slots_common common;
	uint64_t n;
	instant made;
	slice crcs, slots; /* borrowed from the file */
	size_t slot_bytes;
};

/* Checks header and sizes; blocks are checked as they are touched. */
err slots_get(slice file, struct slots *out) CHECKED;
/* ERR_ABSENT slot-absent; ERR_CORRUPT slot-block: a block's checksum is wrong. */
err slots_find(const struct slots *s, serial want, struct slot *out) CHECKED;
err slots_at(const struct slots *s, uint64_t i, struct slot *out) CHECKED;

/* The whole OCSPResponse; ERR_BUSY slot-withdrawn where there is none to give now. */
err slot_put_answer(struct buf *b, const struct slots_common *c, const struct slot *s) CHECKED;
/* Takes an answer apart; ERR_INPUT slot-foreign where it is not of this issuer and responder or would not come out the same. */
err slot_get_answer(slice answer, const struct slots_common *c, struct slot *out) CHECKED;
/* What all answers share, from the first of them; responder_cert borrows from the answer. */
err slots_common_get(slice answer, const struct cert *issuer, struct slots_common *out) CHECKED;

/* Writing: header, then slots in rising order of serial, then the end (which fills in checksums). */
struct slots_writer {
	struct buf *b;
	uint64_t n, of;
	size_t crcs_at, slots_at, slot_bytes;
};
void slots_write_start(struct slots_writer *w, struct buf *b, const struct slots_common *c, instant made, uint64_t n);
void slots_write(struct slots_writer *w, const struct slot *s);
void slots_write_end(struct slots_writer *w);
/* Bytes of a file of n slots, for the buffer's limit. */
size_t slots_file_bytes(const struct slots_common *c, uint64_t n);

#endif
