#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/index.h"
#include "edge/log.h"

#define HEAD_LEN (8U + 4U + 4U + 8U + 8U + 8U + SHA256_LEN)
#define ENTRY_LEN 16U
#define NO_LINE UINT64_MAX
#define PAGE_BYTES 4096U
#define TOUCHED_MAX 64U          /* look-ups of five pages and their neighbours: 20 MiB */
#define STRIDE ((size_t)1 << 20) /* of a file read through: then its pages are given back */

struct entry {
	uint64_t print, where; /* where: line << 4 | kind; NO_LINE: an empty place */
};

struct sealed {
	uint64_t number, from, to, count;
	const uint8_t *map, *entries, *carried;
	size_t size, carried_n;
	uint64_t *filter; /* owned: blocks of FILTER_WORDS words */
	size_t blocks;
};

struct index {
	char folder[512];
	size_t n_files;
	struct sealed file[INDEX_FILES_MAX];
	uint64_t next_number;
	unsigned touched; /* look-ups in files since their pages were given back */
	/* what is not sealed: open addressing, at most half full */
	struct entry *table;
	size_t used, places;
};

/* --- bytes --------------------------------------------------------------------- */

static uint64_t
get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put_be(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t
get_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v); /* every machine this runs on is little-endian: asserted in index_open */
}

static struct entry
entry_at(const uint8_t *entries, uint64_t i)
{
	const uint8_t *p = entries + i * ENTRY_LEN;

	return (struct entry){get_be64(p), get_be64(p + 8)};
}

static uint64_t
print_of(unsigned kind, slice value)
{
	uint8_t k = (uint8_t)kind;
	digest d = sha256_two((slice){&k, 1}, value);

	return get_be(d.b, 8);
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->print != y->print)
		return x->print < y->print ? -1 : 1;
	return x->where < y->where ? -1 : x->where > y->where;
}

/* --- memory -------------------------------------------------------------------- */

static void
place(struct entry *table, size_t places, struct entry e)
{
	size_t at = (size_t)e.print & (places - 1);

	while (table[at].where != NO_LINE)
		at = (at + 1) & (places - 1);
	table[at] = e;
}

static struct entry *
table_new(size_t places)
{
	struct entry *t = mem_new(places, sizeof *t);

	for (size_t i = 0; i < places; i++)
		t[i].where = NO_LINE;
	return t;
}

static void
add(struct index *i, struct entry e)
{
	if (2 * (i->used + 1) > i->places) {
		size_t places = i->places * 2;
		struct entry *t = table_new(places);

		for (size_t k = 0; k < i->places; k++)
			if (i->table[k].where != NO_LINE)
				place(t, places, i->table[k]);
		free(i->table);
		i->table = t;
		i->places = places;
	}
	place(i->table, i->places, e);
	i->used++;
}

void
index_add(struct index *i, unsigned kind, slice value, uint64_t n)
{
	assert(kind < INDEX_KINDS && n < NO_LINE >> 4);
	add(i, (struct entry){print_of(kind, value), n << 4 | kind});
}

/* --- files --------------------------------------------------------------------- */

static void
path_of(const struct index *i, uint64_t number, const char *ending, char out[600])
{
	snprintf(out, 600, "%s/%08llu.idx%s", i->folder, (unsigned long long)number, ending);
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

static bool
filter_has(const struct sealed *f, uint64_t print)
{
	const uint64_t *block = filter_block(f, print);
	uint64_t bits = filter_mix(print);

	for (unsigned k = 0; k < FILTER_BITS; k++, bits >>= 9)
		if ((block[(bits >> 6) & 7] >> (bits & 63) & 1) == 0)
			return false;
	return true;
}

static void
unmap(struct sealed *f)
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
static void
forget(const struct sealed *f, size_t from, size_t to)
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
		forget(f, at, at + k);
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
			forget(f, done, done + STRIDE);
			done += STRIDE;
		}
	}
}

static err
check_file(struct sealed *f)
{
	uint64_t count, carried;
	digest d;

	if (f->size < HEAD_LEN + SHA256_LEN || memcmp(f->map, "INKANIDX", 8) != 0 || get_be(f->map + 8, 4) != 1)
		return damaged();
	carried = get_be(f->map + 12, 4);
	f->from = get_be(f->map + 16, 8);
	f->to = get_be(f->map + 24, 8);
	count = get_be(f->map + 32, 8);
	if (carried > INDEX_CARRIED_MAX || count > f->size / ENTRY_LEN || f->from >= f->to || f->to >= NO_LINE >> 4 ||
	    f->size != HEAD_LEN + carried + count * ENTRY_LEN + SHA256_LEN)
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

static err
map_file(struct index *i, uint64_t number, struct sealed *out)
{
	struct sealed f = {.number = number};
	struct stat st;
	char path[600];
	void *map;
	int fd;
	err e;

	path_of(i, number, "", path);
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
		unmap(&f);
		return e;
	}
	*out = f;
	return ok;
}

static int
sealed_cmp(const void *a, const void *b)
{
	const struct sealed *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to > y->to ? -1 : x->to < y->to; /* the wider first */
}

static void
remove_file(struct index *i, struct sealed *f)
{
	char path[600];

	path_of(i, f->number, "", path);
	unmap(f);
	(void)unlink(path);
}

/* Keeps what covers 0.. without gap and belongs to this book; a crash between merge and removal leaves parts behind. */
static err
choose(struct index *i, struct sealed *all, size_t n, struct tree_nodes nodes, uint64_t size)
{
	uint64_t at = 0;

	qsort(all, n, sizeof all[0], sealed_cmp);
	for (size_t k = 0; k < n; k++) {
		bool fits = all[k].from == at && all[k].to <= size && i->n_files < INDEX_FILES_MAX;
		digest root;

		if (fits) {
			TRY(tree_root_at(&nodes, all[k].to, &root));
			fits = memcmp(root.b, all[k].map + 40, SHA256_LEN) == 0;
		}
		if (!fits) {
			remove_file(i, &all[k]);
			continue;
		}
		i->file[i->n_files++] = all[k];
		at = all[k].to;
	}
	return ok;
}

/* "00000012.idx"; anything else in the folder is not ours to read, but a half-written file is ours to remove. */
static bool
number_of(const char *name, uint64_t *out)
{
	return strlen(name) == 12 && strcmp(name + 8, ".idx") == 0 && name[0] >= '0' && name[0] <= '9' &&
	       (*out = strtoull(name, NULL, 10)) < 100000000;
}

static err
read_folder(struct index *i, struct tree_nodes nodes, uint64_t size)
{
	struct sealed all[2 * INDEX_FILES_MAX];
	struct dirent *de;
	size_t n = 0;
	DIR *dir = opendir(i->folder);

	if (dir == NULL)
		return fail_why(ERR_WORLD, "index-folder: house: the index's folder cannot be read", errno);
	while ((de = readdir(dir)) != NULL) {
		uint64_t number;

		if (!number_of(de->d_name, &number))
			continue;
		if (number >= i->next_number)
			i->next_number = number + 1;
		if (n == COUNT(all))
			continue;
		if (map_file(i, number, &all[n]).kind == OK)
			n++;
		else {
			char path[600];

			log_text(LOG_WARN, "index-damaged: house: an index file is damaged; it is made anew from the book");
			path_of(i, number, "", path);
			(void)unlink(path);
		}
	}
	closedir(dir);
	return choose(i, all, n, nodes, size);
}

err
index_open(const char *folder, struct tree_nodes nodes, uint64_t size, struct index **out, uint64_t *covered,
    struct buf *carried)
{
	struct index *i OWNED(index_close) = mem_new(1, sizeof *i);

	assert(get_be64((const uint8_t[8]){0, 0, 0, 0, 0, 0, 0, 1}) == 1);
	if ((size_t)snprintf(i->folder, sizeof i->folder, "%s", folder) >= sizeof i->folder)
		return fail(ERR_WORLD, "index-path: house: the path of the index is too long");
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fail_why(ERR_WORLD, "index-folder: house: the index's folder cannot be read", errno);
	i->places = 1024;
	i->table = table_new(i->places);
	TRY(read_folder(i, nodes, size));
	*covered = 0;
	if (i->n_files > 0) {
		const struct sealed *last = &i->file[i->n_files - 1];

		*covered = last->to;
		buf_put(carried, (slice){last->carried, last->carried_n});
	}
	*out = i;
	i = NULL;
	return ok;
}

void
index_close(struct index **i)
{
	if (*i == NULL)
		return;
	for (size_t k = 0; k < (*i)->n_files; k++)
		unmap(&(*i)->file[k]);
	free((*i)->table);
	free(*i);
	*i = NULL;
}

/* --- finding ------------------------------------------------------------------- */

/*
 * The first entry whose fingerprint is not below `print`.  Prints are uniform, so
 * a guess by proportion lands near, and a few of them within a cache line or two;
 * after GUESSES by halves, so that no file however odd is walked.
 */
#define GUESSES 6
#define NEAR 8 /* entries: two cache lines */
static uint64_t
lower_bound(const struct sealed *f, uint64_t print)
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

static int
line_cmp(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* The kernel maps a page's neighbours with it: after some look-ups all of them are given back. */
static void
touch(struct index *i)
{
	if (++i->touched < TOUCHED_MAX)
		return;
	i->touched = 0;
	for (size_t k = 0; k < i->n_files; k++)
		forget(&i->file[k], 0, i->file[k].size);
}

size_t
index_find(struct index *i, unsigned kind, slice value, uint64_t out[INDEX_FOUND_MAX])
{
	uint64_t print = print_of(kind, value);
	size_t n = 0;

	for (size_t k = 0; k < i->n_files; k++) {
		const struct sealed *f = &i->file[k];

		if (!filter_has(f, print))
			continue;
		touch(i);
		for (uint64_t at = lower_bound(f, print); at < f->count && n < INDEX_FOUND_MAX; at++) {
			struct entry e = entry_at(f->entries, at);

			if (e.print != print)
				break;
			if ((e.where & 15) == kind)
				out[n++] = e.where >> 4;
		}
	}
	for (size_t at = (size_t)print & (i->places - 1); i->table[at].where != NO_LINE && n < INDEX_FOUND_MAX;
	     at = (at + 1) & (i->places - 1))
		if (i->table[at].print == print && (i->table[at].where & 15) == kind)
			out[n++] = i->table[at].where >> 4;
	qsort(out, n, sizeof out[0], line_cmp);
	return n;
}

bool
index_next(const struct index *i, unsigned kind, struct index_iter *iter, uint64_t *n)
{
	for (; iter->file < i->n_files; iter->file++, iter->at = 0)
		while (iter->at < i->file[iter->file].count) {
			const struct sealed *f = &i->file[iter->file];
			struct entry e = entry_at(f->entries, iter->at++);
			size_t read = HEAD_LEN + f->carried_n + iter->at * ENTRY_LEN;

			if (iter->at % (STRIDE / ENTRY_LEN) == 0 && read > STRIDE)
				forget(f, read - STRIDE, read);
			if ((e.where & 15) == kind) {
				*n = e.where >> 4;
				return true;
			}
		}
	while (iter->at < i->places) {
		struct entry e = i->table[iter->at++];

		if (e.where != NO_LINE && (e.where & 15) == kind) {
			*n = e.where >> 4;
			return true;
		}
	}
	return false;
}

/* --- sealing ------------------------------------------------------------------- */

bool
index_is_due(const struct index *i, uint64_t size)
{
	uint64_t covered = i->n_files == 0 ? 0 : i->file[i->n_files - 1].to;

	return size >= covered + INDEX_SEAL_LINES;
}

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

static err
sync_folder(const struct index *i)
{
	int fd = open(i->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, why;

	if (fd < 0)
		return fail_why(ERR_WORLD, "index-folder: house: the index's folder cannot be read", errno);
	rc = fsync(fd);
	why = errno;
	close(fd);
	return rc == 0 ? ok : fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", why);
}

/* Where sorted entries come from: memory, or sealed files that are merged as they are read. */
struct source {
	const struct entry *entry; /* n of them; NULL: files */
	size_t n, at;
	const struct sealed *file[INDEX_FAN];
	uint64_t place[INDEX_FAN];
	size_t forgotten[INDEX_FAN]; /* bytes of each whose pages were given back */
};

static bool
next_entry(struct source *s, struct entry *out)
{
	struct entry e;
	size_t from = INDEX_FAN;

	if (s->entry != NULL) {
		if (s->at == s->n)
			return false;
		*out = s->entry[s->at++];
		return true;
	}
	for (size_t k = 0; k < INDEX_FAN; k++) {
		if (s->place[k] == s->file[k]->count)
			continue;
		e = entry_at(s->file[k]->entries, s->place[k]);
		if (from == INDEX_FAN || entry_cmp(&e, out) < 0) {
			*out = e;
			from = k;
		}
	}
	if (from == INDEX_FAN)
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
put_entries(int fd, struct hash *h, struct source *from)
{
	uint8_t *chunk = mem_new(1, CHUNK);
	struct entry e;
	size_t n = 0;
	err r = ok;

	while (r.kind == OK && next_entry(from, &e)) {
		put_be(chunk + n, 8, e.print);
		put_be(chunk + n + 8, 8, e.where);
		n += ENTRY_LEN;
		if (n == CHUNK) {
			r = put(fd, h, (slice){chunk, n});
			n = 0;
			for (size_t k = 0; from->entry == NULL && k < INDEX_FAN; k++) {
				size_t read = HEAD_LEN + from->file[k]->carried_n + (size_t)from->place[k] * ENTRY_LEN;

				if (read - from->forgotten[k] >= STRIDE) {
					forget(from->file[k], from->forgotten[k], read);
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

struct plan {
	uint64_t from, to, count;
	digest root;
	slice carried;
};

static err
put_all(int fd, const struct plan *p, struct source *from)
{
	uint8_t head[HEAD_LEN] = "INKANIDX";
	struct hash h;
	digest sum;

	hash_start(&h);
	put_be(head + 8, 4, 1);
	put_be(head + 12, 4, p->carried.n);
	put_be(head + 16, 8, p->from);
	put_be(head + 24, 8, p->to);
	put_be(head + 32, 8, p->count);
	memcpy(head + 40, p->root.b, SHA256_LEN);
	TRY(put(fd, &h, ARR(head)));
	TRY(put(fd, &h, p->carried));
	TRY(put_entries(fd, &h, from));
	sum = hash_end(&h);
	return write_all(fd, ARR(sum.b));
}

/* Written beside, synced, renamed: the file is there whole or not at all. */
static err
write_file(struct index *i, const struct plan *p, struct source *from, struct sealed *out)
{
	char temporary[600], path[600];
	err r;
	int fd;

	path_of(i, i->next_number, ".new", temporary);
	path_of(i, i->next_number, "", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = fd < 0 ? fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno)
	           : put_all(fd, p, from);
	if (r.kind == OK && (fsync(fd) != 0 || rename(temporary, path) != 0))
		r = fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno);
	if (fd >= 0)
		close(fd);
	if (r.kind == OK)
		r = sync_folder(i);
	if (r.kind == OK)
		r = map_file(i, i->next_number, out);
	if (r.kind != OK) {
		(void)unlink(temporary);
		return r;
	}
	i->next_number++;
	return ok;
}

/* The last INDEX_FAN files hold about as many lines each: one file instead. */
static err
merge(struct index *i)
{
	while (i->n_files >= INDEX_FAN) {
		struct sealed *first = &i->file[i->n_files - INDEX_FAN], *last = &i->file[i->n_files - 1], whole;
		uint64_t lines = last->to - last->from;
		struct source from = {.entry = NULL};
		struct plan p = {.from = first->from, .to = last->to, .carried = {last->carried, last->carried_n}};

		for (size_t k = 0; k < INDEX_FAN; k++) {
			const struct sealed *f = first + k;

			if (f->to - f->from > 2 * lines || 2 * (f->to - f->from) < lines)
				return ok;
			p.count += f->count;
			from.file[k] = f;
		}
		memcpy(p.root.b, last->map + 40, SHA256_LEN);
		TRY(write_file(i, &p, &from, &whole));
		for (struct sealed *f = first; f <= last; f++)
			remove_file(i, f);
		*first = whole;
		i->n_files -= INDEX_FAN - 1;
	}
	return ok;
}

err
index_seal(struct index *i, uint64_t to, digest root, slice carried)
{
	struct plan p = {
	    .from = i->n_files == 0 ? 0 : i->file[i->n_files - 1].to, .to = to, .root = root, .carried = carried};
	struct source from = {0};
	struct entry *e;
	struct sealed f;
	err r;

	assert(to > p.from && carried.n <= INDEX_CARRIED_MAX);
	if (i->n_files == INDEX_FILES_MAX)
		return fail(ERR_WORLD, "index-many: house: more index files than there can be; they were not merged");
	e = mem_new(i->used + 1, sizeof *e);
	for (size_t k = 0; k < i->places; k++)
		if (i->table[k].where != NO_LINE)
			e[from.n++] = i->table[k];
	qsort(e, from.n, sizeof *e, entry_cmp);
	from.entry = e;
	p.count = from.n;
	r = write_file(i, &p, &from, &f);
	free(e);
	TRY(r);
	i->file[i->n_files++] = f;
	free(i->table);
	i->places = 1024;
	i->used = 0;
	i->table = table_new(i->places);
	return merge(i);
}
