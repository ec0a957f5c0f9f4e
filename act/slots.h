/*
 * slots.h - status files: pre-signed OCSP answers at rest, Rule 6(xi) B-11.
 *
 * Depends on: base, pki/ocsp.  Pure: a file is a slice (mapped by its reader),
 * or bytes that a writer hands out piece by piece.
 *
 * All answers of one issuer by one responder differ only in serial, status,
 * times and signature.  A file keeps what is common once and a slot of what
 * differs for each certificate; the answer's bytes are made from both, and the
 * writer takes in only answers that come out byte for byte the same.  Answers of
 * up to four responders stand in one file, so that a responder's certificate is
 * replaced without a gap: old answers stay until a new one takes their place.
 *
 * Two files of this one format serve an issuer: `recent`, looked up first and
 * replaced with each batch, and `base`, into which recent is merged at leisure.
 *
 * Reading: the header, the end and the index (1.5 bytes a slot) are checked when
 * a file is opened; a block of 16 slots when it is first touched, never again.
 * A damaged block costs the certificates in it and no others: the index, not the
 * slots, says where a serial is.  Ten million slots are open in milliseconds.
 *
 * Writing: one pass, in rising order of serial, the number of slots not known
 * before; what is kept in memory is the index.
 *
 * The format stands byte by byte at the top of slots.c.
 */
#ifndef ACT_SLOTS_H
#define ACT_SLOTS_H

#include "base/base.h"
#include "pki/ocsp.h"

#define SLOTS_RECENT_MAX 16384U      /* then recent is merged into base: 2.1 MB rewritten a batch at most  */
#define SLOTS_RESPONDERS_MAX 4       /* two in a rotation; two more where one was cut short or undone      */
#define SLOTS_RESPONDER_NONE 0xFF    /* of a map: it does not stand there                                 */
#define SLOTS_BLOCK 16               /* slots with one checksum: 2 KB with a P-256 responder               */
#define SLOTS_OUT_BYTES (256U << 10) /* a writer hands out its bytes in pieces of about this size         */

#define SLOT_SIGNATURE_MAX 512 /* RSA-4096, the largest responder key */

enum slot_state { SLOT_GOOD = 0, SLOT_REVOKED = 1, SLOT_WITHDRAWN = 2 };

struct slot {
	serial serial;
	enum slot_state state;
	enum crl_reason reason;
	uint8_t responder; /* which of the file's (struct slots_common); 0 where withdrawn */
	instant revoked, produced, this_update, next_update;
	uint16_t signature_n;
	uint8_t signature[SLOT_SIGNATURE_MAX];
};

struct slots_responder {
	enum sig_alg alg;
	uint8_t key_id[SHA1_LEN];
	slice cert;
};

/* What all answers share: the issuer, and who may have signed them. */
struct slots_common {
	struct ocsp_issuer issuer;
	size_t n_responders; /* 1 to SLOTS_RESPONDERS_MAX */
	struct slots_responder responder[SLOTS_RESPONDERS_MAX];
};

/* --- reading ------------------------------------------------------------------ */

struct slots {
	struct slots_common common; /* certificates borrow from the file */
	uint64_t n;
	instant made;
	slice slots, index; /* borrowed from the file        */
	size_t slot_bytes;
	uint8_t *seen;       /* owned, one a block: see slots.c */
	struct mould *mould; /* owned: see slots.c */
	uint64_t *damaged;   /* owned: blocks found damaged so far */
};

/* Checks header, end and index; *out is dropped before the file is let go.  ERR_CORRUPT slots-header. */
err slots_get(slice file, struct slots *out) CHECKED;
void slots_drop(struct slots *s);
/* ERR_ABSENT slot-absent; ERR_CORRUPT slot-block: the block it would stand in is damaged. */
err slots_find(const struct slots *s, serial want, struct slot *out) CHECKED;
/* The i-th, i < n; ERR_CORRUPT slot-block. */
err slots_at(const struct slots *s, uint64_t i, struct slot *out) CHECKED;
/* How many blocks were found damaged since the file was opened. */
uint64_t slots_damaged(const struct slots *s);

/* --- answers ------------------------------------------------------------------ */

/*
 * The same bytes as slot_put_answer's for a slot of this file, the faster for having been made before: answers of one
 * shape (responder, status, lengths) differ in a few places only, and those are filled in.
 */
err slots_put_answer(struct buf *b, const struct slots *s, const struct slot *slot) CHECKED;
/* The whole OCSPResponse, no memory taken but b's; ERR_BUSY slot-withdrawn where there is none to give now. */
err slot_put_answer(struct buf *b, const struct slots_common *c, const struct slot *s) CHECKED;
/*
 * Takes an answer apart; ERR_INPUT slot-foreign where it is not of this issuer or none of these responders, or would
 * not come out the same.
 */
err slot_get_answer(slice answer, const struct slots_common *c, struct slot *out) CHECKED;
/* The longest signature by this algorithm that a slot takes. */
size_t slots_signature_max(enum sig_alg alg);
/* What all answers share, from the first of them, or from the certificate of who signs them: one responder, whose bytes are borrowed. */
err slots_common_get(slice answer, const struct cert *issuer, struct slots_common *out) CHECKED;
err slots_common_of(slice responder, const struct cert *issuer, struct slots_common *out) CHECKED;
/*
 * Adds the responders of `from` that `into` does not have; map[i] is where from's i-th stands in `into` then: what a
 * slot's `responder` becomes when it moves.  Certificates stay borrowed from where they were.  ERR_INPUT slot-foreign:
 * another issuer; ERR_CONFLICT slots-responders: there would be more than four (leave out those whose answers have
 * all lapsed).
 */
err slots_common_join(
    struct slots_common *into, const struct slots_common *from, uint8_t map[SLOTS_RESPONDERS_MAX]) CHECKED;
/*
 * Leaves out the responders that `keep` does not name, one at least; map[i]: where the i-th stands now,
 * SLOTS_RESPONDER_NONE where it left.
 */
void slots_common_keep(
    struct slots_common *c, const bool keep[SLOTS_RESPONDERS_MAX], uint8_t map[SLOTS_RESPONDERS_MAX]);
/* Where a responder of `from` stands in `c`: map[i], SLOTS_RESPONDER_NONE where it does not. */
void slots_common_map(const struct slots_common *c, const struct slots_common *from, uint8_t map[SLOTS_RESPONDERS_MAX]);

/* --- writing ------------------------------------------------------------------ */

/*
 *	slots_write_start(&w, &common, now);
 *	for each slot, in rising order of serial {
 *		slots_write(&w, &slot);
 *		while (slots_write_out(&w, &bytes))
 *			… append bytes to the new file …
 *	}
 *	slots_write_end(&w);
 *	while (slots_write_out(&w, &bytes))
 *		… append …
 *	slots_writer_drop(&w);
 */
struct slots_writer {
	struct buf out, index; /* owned */
	struct buf *given;     /* whose bytes were handed out last: emptied at the next call */
	uint64_t n;
	size_t slot_bytes;
	uint32_t crc, header_crc;
	uint8_t last[SERIAL_MAX];
	size_t n_responders;
	bool ended;
};
void slots_write_start(struct slots_writer *w, const struct slots_common *c, instant made);
void slots_write(struct slots_writer *w, const struct slot *s);
void slots_write_end(struct slots_writer *w);
/* The next piece of the file, when there is one worth writing; it lives until the next call with w. */
bool slots_write_out(struct slots_writer *w, slice *piece) CHECKED;
void slots_writer_drop(struct slots_writer *w);
/* Bytes of a file of n slots. */
uint64_t slots_file_bytes(const struct slots_common *c, uint64_t n);

#endif
