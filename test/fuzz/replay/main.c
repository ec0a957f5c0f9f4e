/* Replays a folder of inputs through LLVMFuzzerTestOneInput: the corpora as a part of make test. */
#include <dirent.h>
#include <stdio.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = mem_new(1 << 20, 1);
	size_t n;

	if (f == NULL) {
		free(p);
		return -1;
	}
	n = fread(p, 1, 1 << 20, f);
	fclose(f);
	p = mem_grow(p, n, 1); /* an exact size, so that a sanitizer sees one byte too many */
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	return 0;
}

int
main(int argc, char **argv)
{
	DIR *d;
	struct dirent *e;
	char path[4096];
	int n = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (argc < 2 || (d = opendir(argv[1])) == NULL) {
		printf("ok 1 - no corpus yet: the empty input\n");
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
		if (replay(path) != 0)
			return 1;
		n++;
	}
	closedir(d);
	printf("ok 1 - %d inputs\n", n);
	return 0;
}
