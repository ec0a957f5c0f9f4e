#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/index.h"
#include "edge/log.h"
#include "edge/sealed.h"

#define TOUCHED_MAX 64U /* look-ups of five pages and their neighbours: 20 MiB */

struct index {
	char folder[512];
	size_t n_files;
	struct sealed file[INDEX_FILES_MAX];
	uint64_t next_number;
	unsigned touched; /* look-ups in files since their pages were given back */
	/* what is not sealed: open addressing, at most half full */
	struct sealed_entry *table;
	size_t used, places;
};

/* --- memory -------------------------------------------------------------------- */

static uint64_t
print_of(unsigned kind, slice value)
{
	uint8_t k = (uint8_t)kind;
	digest d = sha256_two((slice){&k, 1}, value);
	uint64_t print = 0;

	for (size_t i = 0; i < 8; i++)
		print = print << 8 | d.b[i];
	return print;
}

static void
place(struct sealed_entry *table, size_t places, struct sealed_entry e)
{
	size_t at = (size_t)e.print & (places - 1);

	while (table[at].where != SEALED_NO_LINE)
		at = (at + 1) & (places - 1);
	table[at] = e;
}

static struct sealed_entry *
table_new(size_t places)
{
	struct sealed_entry *t = mem_new(places, sizeof *t);

	for (size_t i = 0; i < places; i++)
		t[i].where = SEALED_NO_LINE;
	return t;
}

static void
add(struct index *i, struct sealed_entry e)
{
	if (2 * (i->used + 1) > i->places) {
		size_t places = i->places * 2;
		struct sealed_entry *t = table_new(places);

		for (size_t k = 0; k < i->places; k++)
			if (i->table[k].where != SEALED_NO_LINE)
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
	assert(kind < INDEX_KINDS && n < SEALED_NO_LINE >> 4);
	add(i, (struct sealed_entry){print_of(kind, value), n << 4 | kind});
}

/* --- files --------------------------------------------------------------------- */

static void
path_of(const struct index *i, uint64_t number, const char *ending, char out[600])
{
	snprintf(out, 600, "%s/%08llu.idx%s", i->folder, (unsigned long long)number, ending);
}

static err
open_file(const struct index *i, uint64_t number, struct sealed *out)
{
	char path[600];

	path_of(i, number, "", path);
	return sealed_open(path, number, out);
}

static int
range_cmp(const void *a, const void *b)
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
	sealed_drop(f);
	(void)unlink(path);
}

/* Keeps what covers 0.. without gap and belongs to this book; a crash between merge and removal leaves parts behind. */
static err
choose(struct index *i, struct sealed *all, size_t n, struct tree_nodes nodes, uint64_t size)
{
	uint64_t at = 0;

	qsort(all, n, sizeof all[0], range_cmp);
	for (size_t k = 0; k < n; k++) {
		bool fits = all[k].from == at && all[k].to <= size && i->n_files < INDEX_FILES_MAX;
		digest root;

		if (fits) {
			TRY(tree_root_at(&nodes, all[k].to, &root));
			fits = digest_eq(root, sealed_root(&all[k]));
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
		if (open_file(i, number, &all[n]).kind == OK)
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
		sealed_drop(&(*i)->file[k]);
	free((*i)->table);
	free(*i);
	*i = NULL;
}

/* The last first: a crash between two leaves files that cover the beginning, which are thrown away the same way. */
void
index_forget(struct index *i)
{
	while (i->n_files > 0)
		remove_file(i, &i->file[--i->n_files]);
}

/* --- finding ------------------------------------------------------------------- */

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
		sealed_forget(&i->file[k], 0, i->file[k].size);
}

size_t
index_find(struct index *i, unsigned kind, slice value, uint64_t out[INDEX_FOUND_MAX])
{
	uint64_t print = print_of(kind, value);
	size_t n = 0;

	for (size_t k = 0; k < i->n_files; k++) {
		const struct sealed *f = &i->file[k];

		if (!sealed_may_have(f, print))
			continue;
		touch(i);
		for (uint64_t at = sealed_lower(f, print); at < f->count && n < INDEX_FOUND_MAX; at++) {
			struct sealed_entry e = sealed_at(f, at);

			if (e.print != print)
				break;
			if ((e.where & 15) == kind)
				out[n++] = e.where >> 4;
		}
	}
	for (size_t at = (size_t)print & (i->places - 1); i->table[at].where != SEALED_NO_LINE && n < INDEX_FOUND_MAX;
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
			struct sealed_entry e = sealed_walk(f, iter->at++);

			if ((e.where & 15) == kind) {
				*n = e.where >> 4;
				return true;
			}
		}
	while (iter->at < i->places) {
		struct sealed_entry e = i->table[iter->at++];

		if (e.where != SEALED_NO_LINE && (e.where & 15) == kind) {
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

/* Written beside, synced, renamed: the file is there whole or not at all. */
static err
write_file(struct index *i, const struct sealed_plan *p, struct sealed_source *from, struct sealed *out)
{
	char temporary[600], path[600];
	err r;

	path_of(i, i->next_number, ".new", temporary);
	path_of(i, i->next_number, "", path);
	r = sealed_write(temporary, p, from);
	if (r.kind == OK && rename(temporary, path) != 0)
		r = fail_why(ERR_WORLD, "index-write: house: an index file cannot be written", errno);
	if (r.kind == OK)
		r = sync_folder(i);
	if (r.kind == OK)
		r = open_file(i, i->next_number, out);
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
		struct sealed_source from = {.entry = NULL};
		struct sealed_plan p = {.from = first->from, .to = last->to, .carried = {last->carried, last->carried_n}};

		for (size_t k = 0; k < INDEX_FAN; k++) {
			const struct sealed *f = first + k;

			if (f->to - f->from > 2 * lines || 2 * (f->to - f->from) < lines)
				return ok;
			p.count += f->count;
			from.file[k] = f;
		}
		p.root = sealed_root(last);
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
	struct sealed_plan p = {
	    .from = i->n_files == 0 ? 0 : i->file[i->n_files - 1].to, .to = to, .root = root, .carried = carried};
	struct sealed_source from = {0};
	struct sealed_entry *e;
	struct sealed f;
	err r;

	assert(to > p.from && carried.n <= INDEX_CARRIED_MAX);
	if (i->n_files == INDEX_FILES_MAX)
		return fail(ERR_WORLD, "index-many: house: more index files than there can be; they were not merged");
	e = mem_new(i->used + 1, sizeof *e);
	for (size_t k = 0; k < i->places; k++)
		if (i->table[k].where != SEALED_NO_LINE)
			e[from.n++] = i->table[k];
	qsort(e, from.n, sizeof *e, sealed_entry_cmp);
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
