/* The repository as a copy is made of it: a file by its path. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/disk.h"
#include "role/messenger/mirror_inside.h"

/*
 * The folder a path ends in, step by step: no link is followed, whoever made it.  Where it is made on the way it is readable
 * for everybody: it is a copy of what is public.
 */
err
mirror_enter(int top, const char *path, bool make, int *out, const char **name)
{
	int folder = dup(top);
	const char *stroke;

	*name = path;
	while (folder >= 0 && (stroke = strchr(path, '/')) != NULL) {
		char step[256];
		int below;

		snprintf(step, sizeof step, "%.*s", (int)(stroke - path), path);
		path = stroke + 1;
		if (step[0] == '\0')
			continue;
		if (strcmp(step, ".") == 0 || strcmp(step, "..") == 0) { /* never out of `top`, whoever wrote the path */
			close(folder);
			folder = -1;
			errno = EINVAL;
			break;
		}
		if (make && mkdirat(folder, step, 0755) == 0)
			(void)fsync(folder);
		below = openat(folder, step, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		close(folder);
		folder = below;
	}
	if (folder < 0 && !make && errno == ENOENT)
		return fail(ERR_ABSENT, "disk-absent: house: there is no such file");
	if (folder < 0)
		return fail_why(ERR_WORLD, "mirror-write: house: a copy's folder cannot be written", errno);
	*out = folder;
	*name = path;
	return ok;
}

err
mirror_open_published(const struct mirrors *all, const char *path, int *out)
{
	const char *name;
	int folder = -1;
	err e;

	TRY(mirror_enter(all->repository, path, false, &folder, &name));
	e = disk_open(folder, name, DISK_READ, out);
	disk_close(&folder);
	return e;
}

bool
mirror_is_there(const struct mirrors *all, const char *path)
{
	const char *name;
	struct stat st;
	int folder = -1;
	bool there;

	if (mirror_enter(all->repository, path, false, &folder, &name).kind != OK)
		return false;
	there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	disk_close(&folder);
	return there;
}

bool
mirror_path_ends(const char *s, const char *ending)
{
	size_t n = strlen(s), k = strlen(ending);

	return n >= k && strcmp(s + n - k, ending) == 0;
}

/* Speaks for other files: goes when they are there. */
bool
mirror_is_last(const char *path)
{
	return mirror_path_ends(path, ".html") || strncmp(path, "fingerprints.", 13) == 0 ||
	       strcmp(path, "books/checkpoint") == 0 || strcmp(path, "texts/history.txt") == 0;
}
