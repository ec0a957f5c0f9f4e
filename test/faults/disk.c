/*
 * disk.c - preloaded into a role: its k-th write or sync of a file fails where a test says, or the role dies of it.
 *
 *	INKAN_DISK_FAULTS    a folder; the role's rule is the file of its name there (registrar, issuer, status, publisher, …)
 *
 * A rule is one line of RULE_BYTES, written in place:  CALL ERROR LEFT
 *
 *	sync EIO 3      the third fdatasync or fsync from now on says EIO and does nothing
 *	write ENOSPC 1  the next write or pwrite of a regular file
 *	half ENOSPC 1   the next one writes half of it, and what is written after it fails
 *	kill before 7   the process dies before the seventh effect from now on: a write, a sync, a rename, a removal
 *	kill half 7     … in the middle of it, where it is a write
 *	kill after 7    … when it is done
 *
 * The number falls with each call and stays at 0 after the failure: it fails once.  The file is mapped before the role
 * locks itself in, so the test may give another rule at any time.  A role has one thread; its log is not a file of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE_BYTES 32

static char *rule;
static int spent; /* a half write: its rest fails */

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_unlinkat)(int, const char *, int);

#define REAL(name) *(void **)(&real_##name) = dlsym(RTLD_NEXT, #name)

/* registrar, publisher: the program; a signer goes by what it is: issuer, status. */
static void
role_name(char out[64])
{
	char line[256] = {0};
	size_t n, at;
	FILE *f = fopen("/proc/self/cmdline", "r");

	out[0] = '\0';
	if (f == NULL)
		return;
	n = fread(line, 1, sizeof line - 1, f);
	fclose(f);
	at = strlen(line);
	while (at > 0 && line[at - 1] != '/')
		at--;
	if (strcmp(line + at, "signer") == 0 && strlen(line) + 1 < n)
		at = strlen(line) + 1;
	snprintf(out, 64, "%.60s", line + at);
}

__attribute__((constructor)) static void
map_rule(void)
{
	const char *folder = getenv("INKAN_DISK_FAULTS");
	char name[64], path[512];
	void *p;
	int fd;

	REAL(write);
	REAL(pwrite);
	REAL(fdatasync);
	REAL(fsync);
	REAL(renameat);
	REAL(unlinkat);
	role_name(name);
	if (folder == NULL || name[0] == '\0')
		return;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, RULE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	rule = p == MAP_FAILED ? NULL : p;
}

/* One call less until it is due; true when it is. */
static int
is_due(const char *call, char error[16])
{
	char word[16], text[RULE_BYTES + 16];
	int left;

	if (rule == NULL)
		return 0;
	memcpy(text, rule, RULE_BYTES);
	text[RULE_BYTES - 1] = '\0';
	if (sscanf(text, "%15s %15s %d", word, error, &left) != 3 || left <= 0 || strcmp(word, call) != 0)
		return 0;
	snprintf(text, sizeof text, "%s %s %d", word, error, left - 1);
	memset(rule, ' ', RULE_BYTES - 1);
	memcpy(rule, text, strlen(text));
	return left == 1;
}

/* The error this call must give, or 0. */
static int
fault(const char *call)
{
	char error[16];

	if (!is_due(call, error))
		return 0;
	return strcmp(error, "ENOSPC") == 0 ? ENOSPC : EIO;
}

/* As kill -9: nothing runs any more. */
static void
die(void)
{
	__builtin_trap();
}

/* What the next effect is to die of: 'b'efore, 'h'alf, 'a'fter; 0: nothing. */
static int
mortal(void)
{
	char when[16];

	if (!is_due("kill", when))
		return 0;
	if (when[0] == 'b')
		die();
	return when[0];
}

static ssize_t
end(int when, ssize_t done)
{
	if (when != 0)
		die();
	return done;
}

static int
is_file(int fd)
{
	struct stat st;

	return fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int
fails(int e)
{
	if (e != 0)
		errno = e;
	return e != 0;
}

/* Half of it is written, and the next piece fails; n otherwise. */
static size_t
half_of(size_t n)
{
	int e = n > 1 ? fault("half") : 0;

	if (e == 0)
		return n;
	spent = e;
	return n / 2;
}

static int
take_spent(void)
{
	int e = spent;

	spent = 0;
	return e;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	int when;

	if (rule == NULL || !is_file(fd))
		return real_write(fd, p, n);
	if (fails(take_spent()) || fails(fault("write")))
		return -1;
	when = mortal();
	return end(when, real_write(fd, p, when == 'h' ? n / 2 : half_of(n)));
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	int when;

	if (rule == NULL || !is_file(fd))
		return real_pwrite(fd, p, n, at);
	if (fails(take_spent()) || fails(fault("write")))
		return -1;
	when = mortal();
	return end(when, real_pwrite(fd, p, when == 'h' ? n / 2 : half_of(n), at));
}

/* SQLite asks for this name. */
ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return pwrite(fd, p, n, at);
}

int
fdatasync(int fd)
{
	int when;

	if (rule != NULL && fails(fault("sync")))
		return -1;
	when = mortal();
	return (int)end(when, real_fdatasync(fd));
}

int
fsync(int fd)
{
	int when;

	if (rule != NULL && fails(fault("sync")))
		return -1;
	when = mortal();
	return (int)end(when, real_fsync(fd));
}

int
renameat(int from, const char *a, int to, const char *b)
{
	int when = mortal();

	return (int)end(when, real_renameat(from, a, to, b));
}

int
unlinkat(int at, const char *name, int flags)
{
	int when = mortal();

	return (int)end(when, real_unlinkat(at, name, flags));
}
