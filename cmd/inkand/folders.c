#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/inkand/folders.h"
#include "edge/log.h"

/*
 * Folders of the house and whose they are: only the role that writes one owns it.  The repository is read by the fronts:
 * its group is theirs, and files made in it later inherit the group.
 */
static const struct {
	const char *path;
	unsigned user, group;
	mode_t mode;
} FOLDERS[] = {
    {"run", 0, 0, 0700}, /* its sockets and locks are root's: nobody else so much as names them */
    {"books", 2, 2, 0750}, {"state", 2, 2, 0700}, {"keys", 2, 2, 0700}, {"journal-issuer", 4, 4, 0700},
    {"journal-status", STATUS_USER, STATUS_USER, 0700}, {"tokens", 4, 4, 0700},
    {"tokens-status", STATUS_USER, STATUS_USER, 0700}, {"repository", 6, 1, 02750}, {"mail", 7, 7, 0700},
    {"mirror", 7, 7, 0700}, /* credentials of stores, and how far each copy is */
};

#define SHARED_FOLDER 02750 /* where owner and group are two roles */
#define SHARED_FILE 0640

struct owner {
	uid_t uid;
	gid_t gid;
	bool shared;
	bool *too_deep; /* set where something was passed over */
};

static err
folder_failed(void)
{
	return fail_why(ERR_WORLD, "inkand-folder: house: a folder of the house cannot be made", errno);
}

err
folders_check_home(const char *home)
{
	struct stat st;

	if (stat(home, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return fail(ERR_POLICY,
		    "inkand-home: house: the house's folder belongs to another or can be written by others; "
		    "chown it to who starts the house, and chmod go-w");
	return ok;
}

static bool
is_given(const struct stat *st, const struct owner *o)
{
	mode_t mode = S_ISDIR(st->st_mode) ? SHARED_FOLDER : SHARED_FILE;

	return st->st_uid == o->uid && st->st_gid == o->gid && (!o->shared || (st->st_mode & 07777) == mode);
}

/* The open file or folder, and no name. */
static err
give_one(int fd, const struct stat *st, const struct owner *o)
{
	if (is_given(st, o))
		return ok;
	if (S_ISREG(st->st_mode) && st->st_nlink > 1 && st->st_uid != o->uid)
		return fail(ERR_POLICY,
		    "inkand-hard-link: house: a file in a role's folder is not the role's and has a second name; "
		    "copy it in its place, or remove it");
	if ((st->st_uid != o->uid || st->st_gid != o->gid) && fchown(fd, o->uid, o->gid) != 0)
		return folder_failed();
	if (o->shared && fchmod(fd, S_ISDIR(st->st_mode) ? SHARED_FOLDER : SHARED_FILE) != 0)
		return folder_failed();
	return ok;
}

static err give_all(int folder, const struct owner *o, unsigned depth) CHECKED;

/* What a name means at this moment; a link, and what is gone or no file, is passed over. */
static err
give_named(int folder, const char *name, const struct owner *o, unsigned depth)
{
	struct stat st;
	int fd;
	err e = ok;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ok : folder_failed();
	if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || is_given(&st, o)))
		return ok;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? ok : folder_failed();
	if (fstat(fd, &st) != 0)
		e = folder_failed();
	else if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
		e = give_one(fd, &st, o);
	if (e.kind == OK && S_ISDIR(st.st_mode))
		e = give_all(fd, o, depth + 1);
	close(fd);
	return e;
}

/*
 * No file of the house lies deeper than FOLDERS_DEPTH_MAX; what does was made by a role that was captured, whose it is and
 * stays.  It keeps no house from opening.
 */
static err
give_all(int folder, const struct owner *o, unsigned depth)
{
	int copy;
	DIR *d;
	struct dirent *one;
	err e = ok;

	if (depth >= FOLDERS_DEPTH_MAX) {
		*o->too_deep = true;
		return ok;
	}
	copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = copy < 0 ? NULL : fdopendir(copy);
	if (d == NULL) {
		e = folder_failed();
		if (copy >= 0)
			close(copy);
		return e;
	}
	while (e.kind == OK && (errno = 0, one = readdir(d)) != NULL)
		if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
			e = give_named(folder, one->d_name, o, depth);
	if (e.kind == OK && errno != 0)
		e = folder_failed();
	closedir(d);
	return e;
}

static err
make_one(int home, size_t i, uint32_t user_base, unsigned status_user)
{
	unsigned user = FOLDERS[i].user == STATUS_USER ? status_user : FOLDERS[i].user,
	         group = FOLDERS[i].group == STATUS_USER ? status_user : FOLDERS[i].group;
	bool too_deep = false;
	struct owner o = {
	    .uid = user_base + user, .gid = user_base + group, .shared = user != group, .too_deep = &too_deep};
	bool gives = user_base != 0 && FOLDERS[i].user != 0;
	struct stat st;
	int fd;
	err e = ok;

	if (mkdirat(home, FOLDERS[i].path, FOLDERS[i].mode) != 0 && errno != EEXIST)
		return folder_failed();
	fd = openat(home, FOLDERS[i].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		e = folder_failed();
	if (e.kind == OK && (gives || FOLDERS[i].user == 0) && fchmod(fd, FOLDERS[i].mode) != 0)
		e = folder_failed();
	if (e.kind == OK && gives)
		e = give_one(fd, &st, &o);
	if (e.kind == OK && gives)
		e = give_all(fd, &o, 0);
	if (too_deep)
		log_text(LOG_ALARM, "inkand-depth: house: folders stand deeper in each other than the house makes any; "
		                    "what is in them was left as it is; look who made them");
	if (fd >= 0)
		close(fd);
	return e;
}

err
folders_make(const char *home, uint32_t user_base, unsigned status_user)
{
	int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err e = ok;

	if (fd < 0)
		return folder_failed();
	for (size_t i = 0; e.kind == OK && i < COUNT(FOLDERS); i++)
		e = make_one(fd, i, user_base, status_user);
	close(fd);
	return e;
}
