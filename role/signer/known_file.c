#include "base/hash.h"
#include "edge/disk.h"
#include "role/signer/known_file.h"

#define NAME "known"
#define MAGIC LIT("INKAN-KNOWN 1\n\0\0")
#define TRAILER 64U
#define CHUNK (KNOWN_RECORD * 2048U)

struct known_file {
	int fd;
};

static err
damaged(void)
{
	return fail(ERR_CORRUPT, "known-file: design 3: the file of known serials is not whole");
}

static err
read_records(void *of, uint64_t first, size_t n, uint8_t *out)
{
	const struct known_file *f = of;

	return disk_read(f->fd, first * KNOWN_RECORD, out, n * KNOWN_RECORD);
}

static void
put_be(struct buf *b, uint64_t v)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_put_u8(b, (uint8_t)(v >> shift));
}

static uint64_t
get_be(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

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

err
known_file_open(int folder, struct known_file **out, struct known_base *base, uint64_t *covers)
{
	struct known_file *f OWNED(known_file_close) = mem_new(1, sizeof *f);
	uint8_t t[TRAILER];
	uint64_t size, n;
	digest d;

	f->fd = -1;
	TRY(disk_open(folder, NAME, DISK_READ, &f->fd));
	TRY(disk_size(f->fd, &size));
	if (size < TRAILER)
		return damaged();
	TRY(disk_read(f->fd, size - TRAILER, t, TRAILER));
	n = get_be(t + 16);
	if (!slice_eq((slice){t, 16}, MAGIC) || n > size / KNOWN_RECORD || n * KNOWN_RECORD + TRAILER != size)
		return damaged();
	TRY(digest_of(f->fd, size - SHA256_LEN, &d));
	if (memcmp(d.b, t + TRAILER - SHA256_LEN, SHA256_LEN) != 0)
		return damaged();
	*base = (struct known_base){.of = f, .n = n, .read = read_records};
	*covers = get_be(t + 24);
	*out = f;
	f = NULL;
	return ok;
}

void
known_file_close(struct known_file **f)
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
put_all(struct writer *w, struct known_set *s, instant ended, uint64_t covers)
{
	struct known_walk walk;
	uint64_t n = 0;
	digest d;

	hash_start(&w->h);
	TRY(known_walk_start(&walk, s, (serial){0}));
	for (;;) {
		uint8_t record[KNOWN_RECORD];
		struct known_one k;
		bool have;

		TRY(known_walk_next(&walk, &have, &k));
		if (!have)
			break;
		if (k.not_after.ms < ended.ms)
			continue;
		known_record_put(record, &k);
		buf_put(&w->b, ARR(record));
		n++;
		if (w->b.n >= CHUNK)
			TRY(flush(w));
	}
	buf_put(&w->b, MAGIC);
	put_be(&w->b, n);
	put_be(&w->b, covers);
	TRY(flush(w));
	d = hash_end(&w->h);
	TRY(disk_append(w->fd, digest_slice(&d)));
	return disk_sync(w->fd);
}

err
known_file_write(int folder, struct known_set *s, instant ended, uint64_t covers)
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
