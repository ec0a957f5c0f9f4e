#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/sealed.h"

#define HEAD_LEN (8U + 4U + 4U + 8U + 8U + 8U + SHA256_LEN)
#define ENTRY_LEN 16U
#define ROOT_AT 40U
#define PAGE_BYTES 4096U
#define STRIDE ((size_t)1 << 20) /* of a file read through: then its pages are given back */

static uint64_t
get_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v); /* every machine this runs on is little-endian: asserted in sealed_open */
}

struct sealed_entry
sealed_at(const struct sealed *f, uint64_t i)
{
	const uint8_t *p = f->entries + i * ENTRY_LEN;

	return (struct sealed_entry){get_be64(p), get_be64(p + 8)};
}

int
sealed_entry_cmp(const void *a, const void *b)
{
	const struct sealed_entry *x = a, *y = b;

	if (x->print != y->print)
		return x->print < y->print ? -1 : 1;
	return x->where < y->where ? -1 : x->where > y->where;
}

/*
 * A filter in memory for each file, 10 bits an entry: it says "not here" of
 * nearly all that is not here, and most of what is asked was never used.  So the
 * files' pages stay on disk, and a look-up costs one cache line a file.
 */
#define FILTER_WORDS 8U /* one cache line: all bits of a fingerprint lie in it */
#define FILTER_BITS 5U
#define FILTER_ENTRIES 51U /* of a block: 10 bits each, about 1 in 60 is said to be here and is not */

static uint64_t *
filter_block(const struct sealed *f, uint64_t print)
{
	return f->filter + (size_t)((print >> 32) * f->blocks >> 32) * FILTER_WORDS;
}

static uint64_t
filter_mix(uint64_t print)
{
	print ^= print >> 32;
	print *= 0x9E3779B97F4A7C15U;
	return print ^ print >> 29;
}

static void
filter_add(struct sealed *f, uint64_t print)
{
	uint64_t *block = filter_block(f, print), bits = filter_mix(print);

	for (unsigned k = 0; k < FILTER_BITS; k++, bits >>= 9)
		block[(bits >> 6) & 7] |= UINT64_C(1) << (bits & 63);
}

bool
sealed_may_have(const struct sealed *f, uint64_t print)
{
	const uint64_t *block = filter_block(f, print);
	uint64_t bits = filter_mix(print);

	for (unsigned k = 0; k < FILTER_BITS; k++, bits >>= 9)
		if ((block[(bits >> 6) & 7] >> (bits & 63) & 1) == 0)
			return false;
	return true;
}

void
sealed_drop(struct sealed *f)
{
	union {
		const uint8_t *from;
		void *to;
	} u = {.from = f->map};

	if (f->map != NULL)
		munmap(u.to, f->size);
	free(f->filter);
	*f = (struct sealed){0};
}

static err
damaged(void)
{
	return fail(ERR_INPUT, "index-damaged: house: an index file is damaged; it is made anew from the book");
}

/* Pages that were read once need not stay: a merged file is larger than all else this process holds. */
void
sealed_forget(const struct sealed *f, size_t from, size_t to)
{
	union {
		const uint8_t *from;
		void *to;
	} u = {.from = f->map + (from & ~(size_t)(PAGE_BYTES - 1))};
	size_t n = (to & ~(size_t)(PAGE_BYTES - 1)) - (from & ~(size_t)(PAGE_BYTES - 1));

	if (n > 0)
		(void)madvise(u.to, n, MADV_DONTNEED);
}

static digest
hash_of_map(const struct sealed *f)
{
	size_t n = f->size - SHA256_LEN;
	struct hash h;

	hash_start(&h);
	for (size_t at = 0; at < n; at += STRIDE) {
		size_t k = n - at < STRIDE ? n - at : STRIDE;

		hash_add(&h, (slice){f->map + at, k});
		sealed_forget(f, at, at + k);
	}
	return hash_end(&h);
}

static void
make_filter(struct sealed *f)
{
	size_t done = HEAD_LEN + f->carried_n;

	f->blocks = (size_t)f->count / FILTER_ENTRIES + 1;
	f->filter = mem_new(f->blocks * FILTER_WORDS, sizeof f->filter[0]);
	for (uint64_t k = 0; k < f->count; k++) {
		filter_add(f, get_be64(f->entries + k * ENTRY_LEN));
		if (k % (STRIDE / ENTRY_LEN) == STRIDE / ENTRY_LEN - 1) {
			sealed_forget(f, done, done + STRIDE);
			done += STRIDE;
		}
	}
}

static err
check_file(struct sealed *f)
{
	uint64_t count, carried;
	digest d;

	if (f->size < HEAD_LEN + SHA256_LEN || memcmp(f->map, "INKANIDX", 8) != 0 || be_get(f->map + 8, 4) != 1)
		return damaged();
	carried = be_get(f->map + 12, 4);
	f->from = be_get(f->map + 16, 8);
	f->to = be_get(f->map + 24, 8);
	count = be_get(f->map + 32, 8);
	if (carried > SEALED_CARRIED_MAX || count > f->size / ENTRY_LEN || f->from >= f->to ||
	    f->to >= SEALED_NO_LINE >> 4 || f->size != HEAD_LEN + carried + count * ENTRY_LEN + SHA256_LEN)
		return damaged();
	d = hash_of_map(f);
	if (memcmp(d.b, f->map + f->size - SHA256_LEN, SHA256_LEN) != 0)
		return damaged();
	f->carried = f->map + HEAD_LEN;
	f->carried_n = (size_t)carried;
	f->entries = f->carried + carried;
	f->count = count;
	return ok;
}

err
sealed_open(const char *path, uint64_t number, struct sealed *out)
{
	struct sealed f = {.number = number};
	struct stat st;
	void *map;
	int fd;
	err e;

	assert(get_be64((const uint8_t[8]){0, 0, 0, 0, 0, 0, 0, 1}) == 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_why(ERR_WORLD, "index-open: house: an index file cannot be opened", errno);
	if (fstat(fd, &st) != 0 || st.st_size <= 0) {
		close(fd);
		return damaged();
	}
	f.size = (size_t)st.st_size;
	map = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return fail_why(ERR_WORLD, "index-map: house: an index file cannot be mapped", errno);
	f.map = map;
	e = check_file(&f);
	if (e.kind == OK)
		make_filter(&f);
	(void)madvise(map, f.size, MADV_DONTNEED);
	(void)madvise(map, f.size, MADV_RANDOM);
	if (e.kind != OK) {
		sealed_drop(&f);
		return e;
	}
	*out = f;
	return ok;
}

digest
sealed_root(const struct sealed *f)
{
	digest root;

	memcpy(root.b, f->map + ROOT_AT, SHA256_LEN);
	return root;
}

struct sealed_entry
sealed_walk(const struct sealed *f, uint64_t at)
{
	struct sealed_entry e = sealed_at(f, at);
	size_t read = HEAD_LEN + f->carried_n + (size_t)(at + 1) * ENTRY_LEN;

	if ((at + 1) % (STRIDE / ENTRY_LEN) == 0 && read > STRIDE)
		sealed_forget(f, read - STRIDE, read);
	return e;
}

/*
 * The first entry whose fingerprint is not below `print`.  Prints are uniform, so
 * a guess by proportion lands near, and a few of them within a cache line or two;
 * after GUESSES by halves, so that no file however odd is walked.
 */
#define GUESSES 6
#define NEAR 8 /* entries: two cache lines */
uint64_t
sealed_lower(const struct sealed *f, uint64_t print)
{
	uint64_t lo = 0, hi = f->count, first = 0, last = UINT64_MAX;

	for (unsigned guess = 0; hi - lo > NEAR; guess++) {
		double part = (double)(print - first) / ((double)(last - first) + 1.0);
		uint64_t mid = guess < GUESSES ? lo + (uint64_t)(part * (double)(hi - lo)) : lo + (hi - lo) / 2;
		uint64_t there;

		if (mid >= hi)
			mid = hi - 1;
		there = get_be64(f->entries + mid * ENTRY_LEN);
		if (there < print) {
			lo = mid + 1;
			first = there;
		} else {
			hi = mid;
			last = there;
		}
		/* a guess that fell just beside: one step the other way closes the window */
		if (guess < GUESSES && there < print && lo + NEAR < hi) {
			there = get_be64(f->entries + (lo + NEAR) * ENTRY_LEN);
			if (there >= print) {
				hi = lo + NEAR;
				last = there;
			} else {
				lo += NEAR + 1;
				first = there;
			}
		} else if (guess < GUESSES && there >= print && hi > lo + NEAR) {
			there = get_be64(f->entries + (hi - NEAR) * ENTRY_LEN);
			if (there < print) {
				lo = hi - NEAR + 1;
				first = there;
			} else {
				hi -= NEAR;
				last = there;
			}
		}
	}
	while (lo < hi && get_be64(f->entries + lo * ENTRY_LEN) < print)
		lo++;
	return lo;
}

/* --- writing ------------------------------------------------------------------- */
static err
write_all(int fd, slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno);
		s.p += n;
		s.n -= (size_t)n;
	}
	return ok;
}

static bool
next_entry(struct sealed_source *s, struct sealed_entry *out)
{
	struct sealed_entry e;
	size_t from = SEALED_FAN;

	if (s->entry != NULL) {
		if (s->at == s->n)
			return false;
		*out = s->entry[s->at++];
		return true;
	}
	for (size_t k = 0; k < SEALED_FAN; k++) {
		if (s->place[k] == s->file[k]->count)
			continue;
		e = sealed_at(s->file[k], s->place[k]);
		if (from == SEALED_FAN || sealed_entry_cmp(&e, out) < 0) {
			*out = e;
			from = k;
		}
	}
	if (from == SEALED_FAN)
		return false;
	s->place[from]++;
	return true;
}

#define CHUNK (4096U * ENTRY_LEN)

static err
put(int fd, struct hash *h, slice s)
{
	hash_add(h, s);
	return write_all(fd, s);
}

static err
put_entries(int fd, struct hash *h, struct sealed_source *from)
{
	uint8_t *chunk = mem_new(1, CHUNK);
	struct sealed_entry e;
	size_t n = 0;
	err r = ok;

	while (r.kind == OK && next_entry(from, &e)) {
		be_put(chunk + n, 8, e.print);
		be_put(chunk + n + 8, 8, e.where);
		n += ENTRY_LEN;
		if (n == CHUNK) {
			r = put(fd, h, (slice){chunk, n});
			n = 0;
			for (size_t k = 0; from->entry == NULL && k < SEALED_FAN; k++) {
				size_t read = HEAD_LEN + from->file[k]->carried_n + (size_t)from->place[k] * ENTRY_LEN;

				if (read - from->forgotten[k] >= STRIDE) {
					sealed_forget(from->file[k], from->forgotten[k], read);
					from->forgotten[k] = read;
				}
			}
		}
	}
	if (r.kind == OK)
		r = put(fd, h, (slice){chunk, n});
	free(chunk);
	return r;
}

static err
put_all(int fd, const struct sealed_plan *p, struct sealed_source *from)
{
	uint8_t head[HEAD_LEN] = "INKANIDX";
	struct hash h;
	digest sum;

	hash_start(&h);
	be_put(head + 8, 4, 1);
	be_put(head + 12, 4, p->carried.n);
	be_put(head + 16, 8, p->from);
	be_put(head + 24, 8, p->to);
	be_put(head + 32, 8, p->count);
	memcpy(head + ROOT_AT, p->root.b, SHA256_LEN);
	TRY(put(fd, &h, ARR(head)));
	TRY(put(fd, &h, p->carried));
	TRY(put_entries(fd, &h, from));
	sum = hash_end(&h);
	return write_all(fd, ARR(sum.b));
}

err
sealed_write(const char *path, const struct sealed_plan *p, struct sealed_source *from)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	err r;

	if (fd < 0)
		return fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno);
	r = put_all(fd, p, from);
	if (r.kind == OK && fsync(fd) != 0)
		r = fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno);
	close(fd);
	return r;
}
