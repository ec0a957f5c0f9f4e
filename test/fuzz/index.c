/* LINK: edge/index.c */
/*
 * An index file of any bytes under a right checksum and root is either thrown
 * away or read without a fault; whatever it then says is a line below its end.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/index.h"
#include "edge/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A line a damaged file would be a file of lines. */
void
log_text(enum log_level l, const char *what)
{
	(void)l;
	(void)what;
}

static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	uint8_t b[9] = {(uint8_t)level};

	(void)from;
	memcpy(b + 1, &index, sizeof index);
	*out = sha256(ARR(b));
	return ok;
}

static void
write_file(const char *path, const uint8_t *p, size_t n)
{
	struct buf b OWNED(buf_drop) = BUF(1U << 20);
	struct tree_nodes nodes = {NULL, node};
	uint64_t to = 0;
	digest d;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	buf_put(&b, slice_of(p, n));
	if (n >= 72) { /* what only luck would hit is made right: the root of its size, the sum of its bytes */
		for (size_t i = 24; i < 32; i++)
			to = to << 8 | p[i];
		if (to < 1000 && tree_root_at(&nodes, to, &d).kind == OK)
			memcpy(b.p + 40, d.b, sizeof d.b);
	}
	d = sha256(buf_slice(&b));
	buf_put(&b, digest_slice(&d));
	if (fd < 0 || write(fd, b.p, b.n) != (ssize_t)b.n)
		abort();
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char folder[64], path[96];
	struct tree_nodes nodes = {NULL, node};
	struct buf carried OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
	struct index *i OWNED(index_close) = NULL;
	struct index_iter iter = {0};
	uint64_t covered, line, found[INDEX_FOUND_MAX];

	if (n > 4096)
		return 0;
	if (folder[0] == '\0') {
		snprintf(folder, sizeof folder, "%s/inkan-fuzz-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
		    (int)getpid());
		(void)mkdir(folder, 0700);
		snprintf(path, sizeof path, "%s/00000000.idx", folder);
	}
	write_file(path, p, n);
	if (index_open(folder, nodes, 1000, &i, &covered, &carried).kind == OK) {
		for (uint8_t k = 0; k < 16; k++)
			(void)index_find(i, k, slice_of(&k, 1), found);
		while (index_next(i, 1, &iter, &line))
			continue;
		if (covered > 1000)
			abort();
	}
	(void)unlink(path);
	(void)rmdir(folder);
	folder[0] = '\0';
	return 0;
}
