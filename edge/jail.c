#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <jansson.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "edge/jail.h"

/* Debian's headers know ABI 2; the kernel may know more.  Later rights by number (landlock(7)). */
#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_ABI1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)     /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND (1ULL << 0)      /* ABI 4 */
#define NET_CONNECT (1ULL << 1)
#define SCOPE_ABSTRACT (1ULL << 0) /* ABI 6 */

struct ruleset_attr { /* as the newest kernel has it; an older one is told a smaller size */
	uint64_t fs, net, scoped;
};

static int
byte_cmp(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

void
jail_warm_up(void)
{
	const time_t epoch = 0;
	uint8_t sorted[2048];
	struct tm calendar;
	json_t *seed;

	/* glibc's first qsort over 1 KiB asks how much memory there is, once: an index or a list of J-LIS is sorted later */
	memset(sorted, 1, sizeof sorted);
	sorted[0] = 2;
	qsort(sorted, sizeof sorted, 1, byte_cmp);
	/* glibc's first gmtime opens /etc/localtime: libcrypto asks for the calendar when it checks a validity */
	(void)gmtime_r(&epoch, &calendar);

	OPENSSL_init_crypto(
	    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS | OPENSSL_INIT_ADD_ALL_CIPHERS, NULL);
	(void)sha256((slice){NULL, 0});
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL)); /* loads the default provider */
	seed = json_loads("{\"warm\":\"up\"}", 0, NULL);
	json_decref(seed);
}

static err
add_paths(int ruleset, const char *const *path, size_t n, uint64_t rights)
{
	for (size_t i = 0; i < n; i++) {
		struct landlock_path_beneath_attr a = {.allowed_access = rights};
		long rc;

		a.parent_fd = open(path[i], O_PATH | O_CLOEXEC);
		if (a.parent_fd < 0)
			return fail_why(ERR_WORLD, "jail-path: house: a folder this role needs is not there", errno);
		rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
		if (rc != 0 && errno == EINVAL) { /* a file, not a folder: rights of files only */
			a.allowed_access &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
			rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
		}
		if (rc != 0) {
			int why = errno;

			close(a.parent_fd);
			return fail_why(ERR_WORLD, "jail-landlock: house: the kernel does not confine files", why);
		}
		close(a.parent_fd);
	}
	return ok;
}

static err
enter_landlock(const struct jail *j)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr a = {.fs = FS_ABI1};
	size_t size = sizeof a.fs;
	uint64_t reading = FS_READ_FILE | FS_READ_DIR | (j->sets & JAIL_THREADS ? FS_EXECUTE : 0);
	err e;
	int fd;

	if (abi < 1) {
		if (j->weak)
			return ok;
		return fail_why(ERR_WORLD, "jail-landlock: house: the kernel does not confine files", errno);
	}
	a.fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	if (abi >= 4) {
		size = sizeof a.fs + sizeof a.net;
		a.net = j->sets & JAIL_CONNECT ? NET_BIND : NET_BIND | NET_CONNECT;
	}
	if (abi >= 6 && (j->sets & JAIL_CONNECT) == 0) {
		size = sizeof a;
		a.scoped = SCOPE_ABSTRACT;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (fd < 0)
		return fail_why(ERR_WORLD, "jail-landlock: house: the kernel does not confine files", errno);
	e = add_paths(fd, j->read, j->n_read, reading & a.fs);
	if (e.kind == OK)
		e = add_paths(fd, j->write, j->n_write, a.fs & ~FS_EXECUTE);
	if (e.kind == OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		e = fail_why(ERR_WORLD, "jail-landlock: house: the kernel does not confine files", errno);
	close(fd);
	return e;
}

/* System calls by set, in words; what this machine does not have is passed over. */
static const struct {
	unsigned set;
	const char *names;
} CALLS[] = {
    {JAIL_PURE,
        "read write readv writev recvfrom recvmsg sendto sendmsg poll ppoll close fcntl shutdown getsockopt "
        "mmap munmap mremap mprotect madvise brk futex clock_gettime clock_nanosleep nanosleep gettimeofday getrandom "
        "exit exit_group rt_sigreturn rt_sigaction rt_sigprocmask restart_syscall sigaltstack getpid gettid "
        "fstat lseek sched_yield sched_getaffinity rseq set_robust_list uname"},
    {JAIL_FILES,
        "open openat creat stat lstat newfstatat statx ftruncate truncate fallocate fsync fdatasync rename renameat "
        "renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat getdents64 pread64 pwrite64 preadv pwritev readlink "
        "readlinkat access faccessat faccessat2 flock fchmod fchmodat chmod fchown utimensat geteuid getuid getegid "
        "getgid getcwd statfs fstatfs copy_file_range sync_file_range umask ioctl dup"},
    {JAIL_READ, "open openat stat lstat newfstatat statx getdents64 pread64 preadv readlink readlinkat access "
                "faccessat faccessat2 "
                "geteuid getuid getegid getgid getcwd statfs fstatfs ioctl dup"},
    {JAIL_ACCEPT,
        "accept accept4 getpeername getsockname setsockopt epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 "
        "sendfile ioctl"},
    {JAIL_CONNECT, "connect bind setsockopt getsockname getpeername socketpair ioctl pipe pipe2 sendmmsg recvmmsg "
                   "eventfd2 epoll_create1 epoll_ctl epoll_wait epoll_pwait geteuid getuid"},
    {JAIL_THREADS, "set_robust_list rseq set_tid_address prlimit64 getrlimit sched_getparam sched_getscheduler "
                   "sched_setscheduler getuid geteuid getgid getegid prctl sysinfo"},
};

static err
add_calls(scmp_filter_ctx ctx, const char *names)
{
	slice rest = slice_str(names), word;

	while (rest.n > 0) {
		char name[40] = {0};
		int nr, rc;

		if (!slice_cut(&rest, ' ', &word)) {
			word = rest;
			rest.n = 0;
		}
		if (word.n == 0 || word.n >= sizeof name)
			continue;
		memcpy(name, word.p, word.n);
		nr = seccomp_syscall_resolve_name(name);
		if (nr == __NR_SCMP_ERROR)
			continue;
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		if (rc != 0 && rc != -EEXIST && rc != -EDOM)
			return fail_why(ERR_WORLD, "jail-seccomp: house: the kernel does not filter system calls", -rc);
	}
	return ok;
}

/* Namespaces: nothing here needs one, and in them a process would be root again. */
#define CLONE_NEW                                                                                                      \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* The resolver asks for the other two, and does without them: no service of this machine is called, no route is read. */
static const struct {
	int domain;
	bool allowed;
} SOCKETS[] = {{AF_INET, true}, {AF_INET6, true}, {AF_UNIX, false}, {AF_NETLINK, false}};

/*
 * What hangs on arguments.  abort(3) signals its own process; a role signals no other, though others run as its user.
 * A thread is a clone(2) that says so.  clone3(2) hides its flags in memory: it is said not to exist, and libc uses clone.
 */
static err
add_exceptions(scmp_filter_ctx ctx, unsigned sets)
{
	struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
	                    thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_NEW, CLONE_THREAD);
	int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self);

	if (rc == 0 && sets & JAIL_THREADS)
		rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread);
	if (rc == 0 && sets & JAIL_THREADS)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; rc == 0 && sets & JAIL_CONNECT && i < COUNT(SOCKETS); i++) {
		struct scmp_arg_cmp domain = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)SOCKETS[i].domain);

		rc = seccomp_rule_add_array(
		    ctx, SOCKETS[i].allowed ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, &domain);
	}
	if (rc != 0)
		return fail_why(ERR_WORLD, "jail-seccomp: house: the kernel does not filter system calls", -rc);
	return ok;
}

/* INKAN_JAIL_TRAP=1: says which call was refused before ending; for whoever writes a role. */
static void
trapped(int sig, siginfo_t *info, void *context)
{
	struct buf b = BUF(64);
	ssize_t n;

	(void)sig;
	(void)context;
	buf_put_str(&b, "jail: refused system call ");
	buf_put_decimal(&b, (uint64_t)info->si_syscall);
	buf_put_u8(&b, '\n');
	n = write(2, b.p, b.n);
	(void)n;
	_exit(159);
}

static err
enter_seccomp(const struct jail *j)
{
	bool trap = getenv("INKAN_JAIL_TRAP") != NULL;
	uint32_t otherwise = j->sets & JAIL_EPERM ? SCMP_ACT_ERRNO(EPERM) : trap ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	err e = ok;
	int rc;

	if (ctx == NULL)
		return fail(ERR_WORLD, "jail-seccomp: house: the kernel does not filter system calls");
	if (trap) {
		struct sigaction a = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};

		sigaction(SIGSYS, &a, NULL);
	}
	for (size_t i = 0; i < COUNT(CALLS) && e.kind == OK; i++)
		if (j->sets & CALLS[i].set)
			e = add_calls(ctx, CALLS[i].names);
	if (e.kind == OK)
		e = add_exceptions(ctx, j->sets);
	rc = e.kind == OK ? seccomp_load(ctx) : 0;
	if (rc != 0)
		e = fail_why(ERR_WORLD, "jail-seccomp: house: the kernel does not filter system calls", -rc);
	seccomp_release(ctx);
	return e;
}

static err
drop_user(uint32_t uid, uint32_t group)
{
	int signal_of_parent = 0;
	gid_t more = group;

	if (uid == 0 || getuid() == uid)
		return ok;
	(void)prctl(PR_GET_PDEATHSIG, &signal_of_parent, 0, 0, 0);
	if (setgroups(group != 0, &more) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
		return fail_why(ERR_WORLD, "jail-user: house: this process cannot become the role's user", errno);
	/* another user forgets to die with its parent: a hand stuck in its module would outlive its signer */
	(void)prctl(PR_SET_PDEATHSIG, signal_of_parent, 0, 0, 0);
	return ok;
}

static err
no_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_why(ERR_WORLD, "jail-privs: house: the kernel does not give up new privileges", errno);
	return ok;
}

static err
leave_root(uint32_t uid, uint32_t group)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	TRY(drop_user(uid, group));
	return no_new_privileges();
}

err
jail_leave_root(uint32_t uid)
{
	return leave_root(uid, 0);
}

err
jail_keep_capabilities(const int *keep, size_t n)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (geteuid() != 0)
		return ok;
	for (size_t i = 0; i < n; i++)
		data[keep[i] / 32].permitted |= 1U << (keep[i] % 32);
	for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (c >= 64 || (data[c / 32].permitted >> (c % 32) & 1) == 0)
			if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0 && errno != EPERM)
				return fail_why(
				    ERR_WORLD, "jail-capabilities: house: the kernel does not take capabilities back", errno);
	/* a container's root may have fewer than we would keep */
	{
		struct __user_cap_data_struct have[2] = {{0}};

		if (syscall(SYS_capget, &header, have) != 0)
			return fail_why(ERR_WORLD, "jail-capabilities: house: the kernel does not take capabilities back", errno);
		for (size_t i = 0; i < 2; i++) {
			data[i].permitted &= have[i].permitted;
			data[i].effective = data[i].permitted;
		}
	}
	if (syscall(SYS_capset, &header, data) != 0)
		return fail_why(ERR_WORLD, "jail-capabilities: house: the kernel does not take capabilities back", errno);
	return no_new_privileges();
}

err
jail_enter(const struct jail *j)
{
	jail_warm_up();
	TRY(leave_root(j->uid, j->group));
	TRY(enter_landlock(j));
	return enter_seccomp(j);
}
