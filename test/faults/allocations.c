/*
 * allocations.c - preloaded into a role: counts what its own code takes of the heap.
 *
 *	INKAN_ALLOCATIONS    a file of eight bytes: the count, in this machine's order of bytes
 *
 * A call counts where its return address lies in the program itself, not in a library that it calls.  The file is mapped
 * before the role locks itself in; the test reads it at any time.  A role has one thread.
 */
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, under the names by which it lets others stand in front of them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static volatile uint64_t *count;
static uintptr_t from, to; /* the program's text */

static void
note(const void *returns)
{
	uintptr_t at = (uintptr_t)returns;

	if (count != NULL && at >= from && at < to)
		(*count)++;
}

/* The program comes first. */
static int
find_text(struct dl_phdr_info *i, size_t n, void *of)
{
	(void)n;
	(void)of;
	for (size_t k = 0; k < i->dlpi_phnum; k++)
		if (i->dlpi_phdr[k].p_type == PT_LOAD && (i->dlpi_phdr[k].p_flags & PF_X) != 0) {
			from = i->dlpi_addr + i->dlpi_phdr[k].p_vaddr;
			to = from + i->dlpi_phdr[k].p_memsz;
		}
	return 1;
}

__attribute__((constructor)) static void
map_count(void)
{
	const char *path = getenv("INKAN_ALLOCATIONS");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	(void)dl_iterate_phdr(find_text, NULL);
	if (p != MAP_FAILED)
		count = p;
}

void *
malloc(size_t n)
{
	note(__builtin_return_address(0));
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	note(__builtin_return_address(0));
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	note(__builtin_return_address(0));
	return __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	note(__builtin_return_address(0));
	return __builtin_mul_overflow(n, size, &all) ? NULL : __libc_realloc(p, all);
}

char *
strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = __libc_malloc(n);

	note(__builtin_return_address(0));
	return p == NULL ? NULL : memcpy(p, s, n);
}
