#include "edge/disk.h"
#include "role/signer/revoked_file.h"

#define NAME "revoked"
#define MAGIC LIT("INKAN-REVOKED 1\n")
#define TRAILER 136U
#define CHUNK (REVOKED_RECORD * 1024U)

struct revoked_file {
	int fd;
};

static err
damaged(void)
{
	return fail(ERR_CORRUPT, "revoked-file: design 3: the file of revoked serials is not whole");
}

static err
read_records(void *of, uint64_t first, size_t n, uint8_t *out)
{
	const struct revoked_file *f = of;

	return disk_read(f->fd, first * REVOKED_RECORD, out, n * REVOKED_RECORD);
}

/* The digest of all but the last 32 bytes. */
static err
digest_of(int fd, uint64_t bytes, digest *out)
{
	uint8_t *chunk = mem_new(CHUNK, 1);
	struct hash h;
	err e = ok;

	hash_start(&h);
	for (uint64_t at = 0; e.kind == OK && at < bytes; at += CHUNK) {
		size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;

		e = disk_read(fd, at, chunk, n);
		hash_add(&h, (slice){chunk, n});
	}
	*out = hash_end(&h);
	free(chunk);
	return e;
}

static err
get_trailer(struct revoked_file *f, struct revoked_base *base, struct head *covers)
{
	uint8_t t[TRAILER];
	uint64_t size;
	digest d;

	TRY(disk_size(f->fd, &size));
	if (size < TRAILER)
		return damaged();
	TRY(disk_read(f->fd, size - TRAILER, t, TRAILER));
	if (!slice_eq((slice){t, 16}, MAGIC))
		return damaged();
	*base = (struct revoked_base){.of = f, .n = be_get(t + 16, 8), .orders = be_get(t + 24, 8), .read = read_records};
	memcpy(base->chain.b, t + 32, SHA256_LEN);
	covers->size = be_get(t + 64, 8);
	memcpy(covers->root.b, t + 72, SHA256_LEN);
	if (base->n > size / REVOKED_RECORD || base->n * REVOKED_RECORD + TRAILER != size || base->orders < base->n)
		return damaged();
	TRY(digest_of(f->fd, size - SHA256_LEN, &d));
	return memcmp(d.b, t + TRAILER - SHA256_LEN, SHA256_LEN) == 0 ? ok : damaged();
}

err
revoked_file_open(int folder, struct revoked_file **out, struct revoked_base *base, struct head *covers)
{
	struct revoked_file *f OWNED(revoked_file_close) = mem_new(1, sizeof *f);

	f->fd = -1;
	TRY(disk_open(folder, NAME, DISK_READ, &f->fd));
	TRY(get_trailer(f, base, covers));
	*out = f;
	f = NULL;
	return ok;
}

void
revoked_file_close(struct revoked_file **f)
{
	if (*f == NULL)
		return;
	disk_close(&(*f)->fd);
	free(*f);
	*f = NULL;
}

/* --- writing --------------------------------------------------------------------- */

struct writer {
	int fd;
	struct hash h;
	struct buf b;
};

static err
flush(struct writer *w)
{
	err e;

	TRY(buf_check(&w->b));
	hash_add(&w->h, buf_slice(&w->b));
	e = disk_append(w->fd, buf_slice(&w->b));
	buf_clear(&w->b);
	return e;
}

static err
put_records(struct writer *w, const struct revoked_set *s, instant ended, uint64_t *n)
{
	const struct revoked_filter all = {.upto = UINT64_MAX, .ended = ended};
	struct revoked_walk walk;
	struct revoked r;
	bool have;

	*n = 0;
	TRY(revoked_walk_start(&walk, s, &all, (serial){0}));
	for (;;) {
		uint8_t record[REVOKED_RECORD];

		TRY(revoked_walk_next(&walk, &have, &r));
		if (!have)
			return ok;
		revoked_record_put(record, &r);
		buf_put(&w->b, ARR(record));
		(*n)++;
		if (w->b.n >= CHUNK)
			TRY(flush(w));
	}
}

static void
put_number(struct buf *b, uint64_t v)
{
	uint8_t p[8];

	be_put(p, sizeof p, v);
	buf_put(b, ARR(p));
}

static err
put_all(struct writer *w, const struct revoked_set *s, instant ended, struct head covers)
{
	digest chain = revoked_set_digest(s), d;
	uint64_t n;

	hash_start(&w->h);
	TRY(put_records(w, s, ended, &n));
	buf_put(&w->b, MAGIC);
	put_number(&w->b, n);
	put_number(&w->b, revoked_set_orders(s));
	buf_put(&w->b, digest_slice(&chain));
	put_number(&w->b, covers.size);
	buf_put(&w->b, digest_slice(&covers.root));
	TRY(flush(w));
	d = hash_end(&w->h);
	TRY(disk_append(w->fd, digest_slice(&d)));
	return disk_sync(w->fd);
}

err
revoked_file_write(int folder, const struct revoked_set *s, instant ended, struct head covers)
{
	struct writer w = {.fd = -1, .b = BUF(CHUNK + 1024)};
	err e = disk_open(folder, NAME ".new", DISK_SCRATCH, &w.fd);

	if (e.kind == OK)
		e = put_all(&w, s, ended, covers); /* a crash here: the old file, and a scrap that is written over */
	disk_close(&w.fd);
	buf_drop(&w.b);
	TRY(e);
	return disk_rename(folder, NAME ".new", NAME);
}
