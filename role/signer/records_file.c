#include "edge/disk.h"
#include "role/signer/records_file.h"

#define CHUNK (64U << 10)

struct records_file {
	int fd;
	size_t bytes;
};

static err
read_records(void *of, uint64_t first, size_t n, uint8_t *out)
{
	const struct records_file *f = of;

	return disk_read(f->fd, first * f->bytes, out, n * f->bytes);
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

static size_t
trailer_of(const struct records_kind *k)
{
	assert(k->extra <= RECORDS_FILE_EXTRA);
	return RECORDS_FILE_MAGIC + 8 + k->extra + SHA256_LEN;
}

err
records_file_open(int folder, const struct records_kind *k, err bad, struct records_file **out,
    struct records_from *from, uint8_t *extra)
{
	struct records_file *f OWNED(records_file_close) = mem_new(1, sizeof *f);
	uint8_t t[RECORDS_FILE_MAGIC + 8 + RECORDS_FILE_EXTRA + SHA256_LEN];
	size_t trailer = trailer_of(k);
	uint64_t size, n;
	digest d;

	*f = (struct records_file){.fd = -1, .bytes = k->bytes};
	TRY(disk_open(folder, k->name, DISK_READ, &f->fd));
	TRY(disk_size(f->fd, &size));
	if (size < trailer)
		return bad;
	TRY(disk_read(f->fd, size - trailer, t, trailer));
	n = be_get(t + RECORDS_FILE_MAGIC, 8);
	if (memcmp(t, k->magic, RECORDS_FILE_MAGIC) != 0 || n > size / k->bytes || n * k->bytes + trailer != size)
		return bad;
	TRY(digest_of(f->fd, size - SHA256_LEN, &d));
	if (memcmp(d.b, t + trailer - SHA256_LEN, SHA256_LEN) != 0)
		return bad;
	*from = (struct records_from){.of = f, .n = n, .read = read_records};
	memcpy(extra, t + RECORDS_FILE_MAGIC + 8, k->extra);
	*out = f;
	f = NULL;
	return ok;
}

void
records_file_close(struct records_file **f)
{
	if (*f == NULL)
		return;
	disk_close(&(*f)->fd);
	free(*f);
	*f = NULL;
}

/* --- writing --------------------------------------------------------------------- */

err
records_writer_open(struct records_writer *w, int folder, const struct records_kind *k)
{
	*w = (struct records_writer){.kind = k, .folder = folder, .fd = -1, .b = BUF(CHUNK + 1024)};
	hash_start(&w->h);
	return disk_open(folder, k->fresh, DISK_SCRATCH, &w->fd);
}

static err
flush(struct records_writer *w)
{
	err e;

	TRY(buf_check(&w->b));
	hash_add(&w->h, buf_slice(&w->b));
	e = disk_append(w->fd, buf_slice(&w->b));
	buf_clear(&w->b);
	return e;
}

err
records_writer_put(struct records_writer *w, const uint8_t *record)
{
	buf_put(&w->b, (slice){record, w->kind->bytes});
	w->n++;
	return w->b.n >= CHUNK ? flush(w) : ok;
}

err
records_writer_end(struct records_writer *w, const uint8_t *extra)
{
	uint8_t n[8];
	digest d;

	be_put(n, 8, w->n);
	buf_put(&w->b, (slice){w->kind->magic, RECORDS_FILE_MAGIC});
	buf_put(&w->b, ARR(n));
	buf_put(&w->b, (slice){extra, w->kind->extra});
	TRY(flush(w));
	d = hash_end(&w->h);
	TRY(disk_append(w->fd, digest_slice(&d)));
	TRY(disk_sync(w->fd));
	return disk_rename(w->folder, w->kind->fresh, w->kind->name);
}

void
records_writer_drop(struct records_writer *w)
{
	disk_close(&w->fd);
	buf_drop(&w->b);
}
