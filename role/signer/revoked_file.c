#include "role/signer/revoked_file.h"

#define EXTRA (8U + SHA256_LEN + 8U + SHA256_LEN) /* orders, chain, lines, root */

static const struct records_kind KIND = {
    "revoked", "revoked.new", (const uint8_t *)"INKAN-REVOKED 1\n", REVOKED_RECORD, EXTRA};

static err
damaged(void)
{
	return fail(ERR_CORRUPT, "revoked-file: design 3: the file of revoked serials is not whole");
}

err
revoked_file_open(int folder, struct records_file **out, struct revoked_base *base, struct head *covers)
{
	struct records_file *f OWNED(records_file_close) = NULL;
	uint8_t extra[EXTRA];

	TRY(records_file_open(folder, &KIND, damaged(), &f, &base->from, extra));
	base->orders = be_get(extra, 8);
	memcpy(base->chain.b, extra + 8, SHA256_LEN);
	covers->size = be_get(extra + 8 + SHA256_LEN, 8);
	memcpy(covers->root.b, extra + 16 + SHA256_LEN, SHA256_LEN);
	if (base->orders < base->from.n)
		return damaged();
	*out = f;
	f = NULL;
	return ok;
}

static void
put_extra(uint8_t out[EXTRA], const struct revoked_set *s, struct head covers)
{
	digest chain = revoked_set_digest(s);

	be_put(out, 8, revoked_set_orders(s));
	memcpy(out + 8, chain.b, SHA256_LEN);
	be_put(out + 8 + SHA256_LEN, 8, covers.size);
	memcpy(out + 16 + SHA256_LEN, covers.root.b, SHA256_LEN);
}

err
revoked_file_write(int folder, const struct revoked_set *s, instant ended, struct head covers)
{
	const struct revoked_filter kept = {.upto = UINT64_MAX, .ended = ended};
	struct records_writer w OWNED(records_writer_drop) = {.fd = -1};
	uint8_t record[REVOKED_RECORD], extra[EXTRA];
	struct revoked_walk walk;
	struct revoked r;
	bool have;

	TRY(records_writer_open(&w, folder, &KIND));
	TRY(revoked_walk_start(&walk, s, &kept, (serial){0}));
	for (;;) {
		TRY(revoked_walk_next(&walk, &have, &r));
		if (!have)
			break;
		revoked_record_put(record, &r);
		TRY(records_writer_put(&w, record));
	}
	put_extra(extra, s, covers);
	return records_writer_end(&w, extra);
}
