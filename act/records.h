/*
 * records.h - sorted records with a serial each, too many for memory: what act/revoked and act/known stand on.
 *
 * Depends on: base, cert.  Pure: what is on disk is read by a function it is given.
 *
 * A record is of fixed length and begins with its serial: one byte for its length, 20
 * for its bytes (none of them a leading zero), zeros behind.  Records stand in rising
 * order of serial, each once.  In memory is one serial of every RECORDS_BLOCK; a
 * look-up reads one block.
 */
#ifndef ACT_RECORDS_H
#define ACT_RECORDS_H

#include "base/base.h"
#include "pki/cert.h"

#define RECORDS_BLOCK 64U     /* records read at once, and one serial kept of as many */
#define RECORDS_BYTES_MAX 64U /* of one record                                         */
#define RECORDS_SERIAL 21U    /* of them the serial                                    */

/* Gives records first … first+n-1; an error of it is the caller's answer, never "not there". */
struct records_from {
	void *of;
	uint64_t n;
	err (*read)(void *of, uint64_t first, size_t n, uint8_t *out);
};

/* Zeros: no records. */
struct records {
	struct records_from from;
	size_t bytes; /* of a record */
	serial *mark; /* owned: the first serial of every block */
	size_t marks;
};
/*
 * Reads them all once: `check` judges each record for what stands behind its serial, and `bad` is the refusal of a serial
 * that is none, or not above the one before.  On an error *r stays as it was.
 */
err records_put(struct records *r, const struct records_from *from, size_t bytes,
	err (*check)(const uint8_t *record, const void *with), const void *with, err bad) CHECKED;
void records_drop(struct records *r);
/* The record of this serial to `out`, where *found. */
err records_find(const struct records *r, serial number, bool *found, uint8_t out[RECORDS_BYTES_MAX]) CHECKED;

/* A walk in order; the records must not be put anew during it. */
struct records_walk {
	const struct records *records;
	uint64_t at, block_first;
	size_t block_n;
	uint8_t block[RECORDS_BLOCK * RECORDS_BYTES_MAX];
};
/* To the first record after `last`; to the first of all where it has no bytes. */
err records_walk_start(struct records_walk *w, const struct records *r, serial last) CHECKED;
/* The record it stands at, NULL at the end; good until the next call. */
err records_walk_look(struct records_walk *w, const uint8_t **record) CHECKED;
void records_walk_on(struct records_walk *w);

void records_put_serial(uint8_t record[RECORDS_SERIAL], serial s);
/* False: no serial in its one form. */
bool records_get_serial(const uint8_t record[RECORDS_SERIAL], serial *out);

#endif
