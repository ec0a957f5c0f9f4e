#include "role/signer/known_file.h"

static const struct records_kind KIND = {"known", "known.new", (const uint8_t *)"INKAN-KNOWN 1\n\0", KNOWN_RECORD, 8};

err
known_file_open(int folder, struct records_file **out, struct records_from *base, uint64_t *covers)
{
	uint8_t extra[8];

	TRY(records_file_open(folder, &KIND,
	    fail(ERR_CORRUPT, "known-file: design 3: the file of known serials is not whole"), out, base, extra));
	*covers = be_get(extra, 8);
	return ok;
}

err
known_file_write(int folder, struct known_set *s, instant ended, uint64_t covers)
{
	struct records_writer w OWNED(records_writer_drop) = {.fd = -1};
	uint8_t record[KNOWN_RECORD], extra[8];
	struct known_walk walk;
	struct known_one k;
	bool have;

	TRY(records_writer_open(&w, folder, &KIND));
	TRY(known_walk_start(&walk, s, (serial){0}));
	for (;;) {
		TRY(known_walk_next(&walk, &have, &k));
		if (!have)
			break;
		if (k.not_after.ms < ended.ms)
			continue;
		known_record_put(record, &k);
		TRY(records_writer_put(&w, record));
	}
	be_put(extra, 8, covers);
	return records_writer_end(&w, extra);
}
