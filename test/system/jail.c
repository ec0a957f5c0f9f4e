/* LINK: role/front/jail.c role/hand/jail.c role/messenger/jail.c role/messenger/mirror.c role/messenger/mirror_conf.c role/messenger/mirror_look.c role/messenger/mirror_own.c role/messenger/mirror_send.c role/messenger/mirror_tree.c role/publisher/jail.c role/registrar/jail.c role/signer/jail.c role/verifier/jail.c */
/*
 * jail - goes into each role's own jail, as the role does, and tries from there what a captured role would try.
 * Prints TAP, a line for each role and attempt.
 *
 *	jail FOLDER
 *
 * The house in FOLDER is as careless as can be: every folder 0777, every file 0666.  What is refused there is refused by
 * the jail, not by the modes that inkand sets (test/system/jail.test looks at those on a running house).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "role/front/front.h"
#include "role/hand/hand.h"
#include "role/messenger/messenger.h"
#include "role/publisher/publisher.h"
#include "role/registrar/registrar.h"
#include "role/signer/signer.h"
#include "role/verifier/verifier.h"

#define USER_BASE 64100U

enum role { FRONT, REGISTRAR, VERIFIER, ISSUER, STATUS, HAND, PUBLISHER, MESSENGER, ROLES };
static const char *const NAME[ROLES] = {
    "front", "registrar", "verifier", "issuer", "status", "hand", "publisher", "messenger"};
static const unsigned USER[ROLES] = {1, 2, 3, 4, 4, 4, 6, 7};

/* How an attempt ends.  REFUSED: killed where the jail kills, EPERM for a hand. */
enum end { WORKS, DENIED, REFUSED };

static int tests, failures;
static const char *home;
static char office[128];
static pid_t victim; /* a process of the role's own user, outside the jail */
static uint16_t port;
static int listener, unconnected, repository;

static void
is(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
	fflush(stdout);
}

static const char *
below(const char *name)
{
	return start_path(&(struct start){.home = home}, name);
}

/* --- a careless house ------------------------------------------------------------------ */

static const char *const FOLDERS[] = {"books", "books/entries", "state", "keys", "journal-issuer", "journal-status",
    "tokens", "repository", "repository/ca", "mail", "run", "delivered"};
static const char *const FILES[] = {"books/entries/00000000.jsonl", "state/state.db", "keys/token.key",
    "journal-issuer/line", "journal-status/line", "tokens/object", "repository/ca/issuer.cer", "mail/letter",
    "delivered/signca03.crl", "inkan.conf", "trust.conf"};
/* In every folder that some role may use: another user's file. */
static const char *const PRIVATE[] = {"books/private", "state/private", "journal-issuer/private",
    "journal-status/private", "tokens/private", "repository/private", "mail/private"};

static void
put_file(const char *name, mode_t mode)
{
	int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, "x\n", 2) != 2 || fchmod(fd, mode) != 0 || close(fd) != 0)
		abort();
}

static void
build_house(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof in;
	int fd;

	for (size_t i = 0; i < COUNT(FOLDERS); i++)
		if (mkdir(below(FOLDERS[i]), 0777) != 0 || chmod(below(FOLDERS[i]), 0777) != 0)
			abort();
	for (size_t i = 0; i < COUNT(FILES); i++)
		put_file(FILES[i], 0666);
	for (size_t i = 0; i < COUNT(PRIVATE); i++)
		put_file(PRIVATE[i], 0600);
	if (symlink("../books/entries/00000000.jsonl", below("repository/escape")) != 0)
		abort();
	snprintf(office, sizeof office, "%s/run/office", home);
	memcpy(a.sun_path, office, strlen(office) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || chmod(office, 0600) != 0 || listen(fd, 8) != 0)
		abort();
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) != 0 || listen(listener, 128) != 0 ||
	    getsockname(listener, (struct sockaddr *)&in, &n) != 0)
		abort();
	port = ntohs(in.sin_port);
	unconnected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	repository = open(below("repository"), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* --- the roles' own jails --------------------------------------------------------------- */

static uint32_t
user_of(enum role r)
{
	return geteuid() == 0 ? USER_BASE + USER[r] : 0;
}

static void
jail_of(enum role r, struct jail *j)
{
	static struct messenger m;
	const struct start s = {.home = home, .uid = user_of(r)};

	switch (r) {
	case FRONT:
		front_jail(&s, j);
		return;
	case REGISTRAR:
		registrar_jail(&s, false, j);
		return;
	case VERIFIER:
		verifier_jail(&s, j);
		return;
	case ISSUER:
		signer_jail(&s, below("journal-issuer"), false, j);
		return;
	case STATUS:
		signer_jail(&s, below("journal-status"), false, j);
		return;
	case HAND:
		hand_jail(below("tokens"), s.uid, false, j);
		return;
	case PUBLISHER:
		publisher_jail(&s, j);
		return;
	default:
		snprintf(m.relay, sizeof m.relay, "folder");
		snprintf(m.crl[0], sizeof m.crl[0], "%s", below("delivered/signca03.crl"));
		m.n_crl = 1;
		messenger_jail(&m, &s, j);
	}
}

/* --- attempts: >= 0 where it works, -1 and errno where not -------------------------------- */

static long
try_read(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, &c, 1);
}

static long
try_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, "y", 1);
}

static long
try_create(const char *folder)
{
	char path[512];

	snprintf(path, sizeof path, "%s/new", folder);
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long
try_list(const char *folder)
{
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* From the folder it holds, by dots. */
static long
try_dots(const char *name)
{
	return openat(repository, name, O_RDONLY | O_CLOEXEC);
}

static long
try_rename_out(const char *from)
{
	return rename(from, below("mail/stolen"));
}

static long
try_link_in(const char *to)
{
	return link(below("books/entries/00000000.jsonl"), to);
}

static long
try_truncate(const char *path)
{
	return truncate(path, 0);
}

static long
try_inet(const char *none)
{
	(void)none;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
try_inet6(const char *none)
{
	(void)none;
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

static long
try_unix(const char *none)
{
	(void)none;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
try_netlink(const char *none)
{
	(void)none;
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static struct sockaddr_in
loopback(uint16_t p)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* On a socket made before the jail: it only has to connect. */
static long
try_connect(const char *none)
{
	struct sockaddr_in a = loopback(port);

	(void)none;
	return connect(unconnected, (struct sockaddr *)&a, sizeof a);
}

static long
try_bind(const char *none)
{
	struct sockaddr_in a = loopback(0);

	(void)none;
	a.sin_port = htons((uint16_t)(port ^ 1));
	return bind(unconnected, (struct sockaddr *)&a, sizeof a);
}

static long
try_listen(const char *none)
{
	(void)none;
	return listen(unconnected, 1);
}

static long
try_accept(const char *none)
{
	struct sockaddr_in a;
	socklen_t n = sizeof a;

	(void)none;
	(void)fcntl(listener, F_SETFL, O_NONBLOCK);
	if (accept(listener, (struct sockaddr *)&a, &n) < 0 && errno != EAGAIN)
		return -1;
	return 0;
}

static long
try_office(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sun_path, path, strlen(path) + 1);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&a, sizeof a);
}

static long
try_exec(const char *program)
{
	char *const none[] = {NULL};

	return execve(program, none, none);
}

static long
try_exec_memory(const char *none)
{
	(void)none;
	return syscall(SYS_memfd_create, "code", 0U);
}

static long
try_fork(const char *none)
{
	long pid;

	(void)none;
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_fork_libc(const char *none)
{
	pid_t pid = fork();

	(void)none;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_clone3(const char *none)
{
	struct clone_args a = {.flags = 0, .exit_signal = SIGCHLD};
	long pid;

	(void)none;
	pid = syscall(SYS_clone3, &a, sizeof a);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_ptrace(const char *none)
{
	(void)none;
	return ptrace(PTRACE_ATTACH, victim, NULL, NULL);
}

static long
try_traceme(const char *none)
{
	(void)none;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
try_peek(const char *none)
{
	static char here[16];
	struct iovec a = {here, 1}, b = {here, 1};

	(void)none;
	return process_vm_readv(victim, &a, 1, &b, 1, 0);
}

static long
try_poke(const char *none)
{
	static char here[16];
	struct iovec a = {here, 1}, b = {here, 1};

	(void)none;
	return process_vm_writev(victim, &a, 1, &b, 1, 0);
}

static long
try_memory(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)victim, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long
try_kill(const char *none)
{
	(void)none;
	return kill(victim, 0);
}

static long
try_tgkill(const char *none)
{
	(void)none;
	return syscall(SYS_tgkill, victim, victim, 0);
}

static long
try_pidfd(const char *none)
{
	(void)none;
	return syscall(SYS_pidfd_open, victim, 0U);
}

static long
try_root(const char *none)
{
	(void)none;
	return setresuid(0, 0, 0);
}

static long
try_userns(const char *none)
{
	(void)none;
	return unshare(CLONE_NEWUSER);
}

static long
try_userns_clone(const char *none)
{
	long pid;

	(void)none;
	pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_mount(const char *none)
{
	(void)none;
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long
try_symlink(const char *at)
{
	return symlink("/etc/shadow", at);
}

static long
try_chroot(const char *none)
{
	(void)none;
	return chroot("/");
}

static long
try_device(const char *none)
{
	(void)none;
	return mknod("/tmp/dev", S_IFCHR | 0600, 0x0103);
}

static long
try_syscall(const char *number)
{
	return syscall(strtol(number, NULL, 10), 0L, 0L, 0L, 0L, 0L, 0L);
}

/* abort(3) must still work: every assertion of the house ends in it. */
static long
try_abort(const char *none)
{
	(void)none;
	(void)signal(SIGABRT, SIG_DFL);
	abort();
}

/* --- running one --------------------------------------------------------------------------- */

/* Exit status of a child in the role's jail: 0 works, 1..250 errno, 255 no jail, 1000 + signal. */
static int
in_jail(enum role r, long (*attempt)(const char *), const char *with)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct jail j;

		jail_of(r, &j);
		if (jail_enter(&j).kind != OK)
			_exit(255);
		errno = 0;
		_exit(attempt(with) >= 0 ? 0 : errno > 0 && errno < 251 ? errno : 254);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static bool
ended(enum role r, enum end want, int got)
{
	switch (want) {
	case WORKS:
		return got == 0;
	case DENIED: /* by Landlock or by the user; EXDEV: into a folder with other rights; or no such sockets */
		return got == EACCES || got == EPERM || got == EXDEV || got == EAFNOSUPPORT;
	default:
		return r == HAND ? got == EPERM : got == 1000 + SIGSYS;
	}
}

static void
expect(enum role r, const char *what, long (*attempt)(const char *), const char *with, enum end want)
{
	static const char *const HOW[] = {"can", "cannot", "may not"};
	int got = in_jail(r, attempt, with);
	char line[256];

	snprintf(line, sizeof line, "%s %s %s", NAME[r], HOW[want], what);
	is(ended(r, want, got), line);
	if (!ended(r, want, got))
		printf("# ended with %d\n", got);
}

/* --- files --------------------------------------------------------------------------------------- */

/* Own: what the role may read and write below the house. */
static const char *const OWN[ROLES][3] = {
    [REGISTRAR] = {"books", "state"},
    [ISSUER] = {"journal-issuer"},
    [STATUS] = {"journal-status"},
    [HAND] = {"tokens"},
    [PUBLISHER] = {"repository"},
    [MESSENGER] = {"mail"},
};

static bool
is_own(enum role r, const char *name)
{
	for (size_t i = 0; i < 3 && OWN[r][i] != NULL; i++)
		if (strncmp(name, OWN[r][i], strlen(OWN[r][i])) == 0)
			return true;
	return false;
}

static bool
is_readable(enum role r, const char *name)
{
	return is_own(r, name) || (r == FRONT && strncmp(name, "repository/", 11) == 0) ||
	       (r == MESSENGER && strncmp(name, "delivered/", 10) == 0);
}

static void
files_of(enum role r)
{
	enum end no = r == VERIFIER ? REFUSED : DENIED;
	char what[160];

	for (size_t i = 0; i < COUNT(FILES); i++) {
		snprintf(what, sizeof what, "read %s", FILES[i]);
		expect(r, what, try_read, below(FILES[i]), is_readable(r, FILES[i]) ? WORKS : no);
		snprintf(what, sizeof what, "write %s", FILES[i]);
		expect(r, what, try_write, below(FILES[i]), is_own(r, FILES[i]) ? WORKS : no);
	}
	for (size_t i = 0; i < COUNT(FOLDERS); i++) {
		if (strchr(FOLDERS[i], '/') != NULL)
			continue;
		snprintf(what, sizeof what, "make a file in %s", FOLDERS[i]);
		expect(r, what, try_create, below(FOLDERS[i]), is_own(r, FOLDERS[i]) ? WORKS : no);
		snprintf(what, sizeof what, "%s/new", FOLDERS[i]);
		(void)unlink(below(what));
	}
	if (geteuid() == 0)
		for (size_t i = 0; i < COUNT(PRIVATE); i++) {
			snprintf(what, sizeof what, "read another user's %s", PRIVATE[i]);
			expect(r, what, try_read, below(PRIVATE[i]), no);
		}
	expect(r, "look into the house", try_list, home, no);
	expect(r, "read /etc/passwd", try_read, "/etc/passwd", r == HAND ? WORKS : no);
	expect(r, "write /etc/hosts", try_write, "/etc/hosts", no);
	expect(r, "read its own memory map", try_read, "/proc/self/maps", no);
	expect(r, "make a file in /tmp", try_create, "/tmp", no);
	expect(r, "cut the books short", try_truncate, below(FILES[0]), is_own(r, FILES[0]) ? WORKS : no);
}

static void
tricks(void)
{
	expect(FRONT, "follow a link out of the repository", try_read, below("repository/escape"), DENIED);
	expect(FRONT, "go out of the folder it holds by dots", try_dots, "../books/entries/00000000.jsonl", DENIED);
	expect(FRONT, "open the projection by dots", try_dots, "../state/state.db", DENIED);
	expect(FRONT, "open what is published by the folder it holds", try_dots, "ca/issuer.cer", WORKS);
	expect(PUBLISHER, "follow a link out of the repository", try_write, below("repository/escape"), DENIED);
	expect(PUBLISHER, "go out of the repository by dots", try_dots, "../books/entries/00000000.jsonl", DENIED);
	expect(PUBLISHER, "carry a file out of the repository", try_rename_out, below("repository/ca/issuer.cer"), DENIED);
	expect(PUBLISHER, "link the books into the repository", try_link_in, below("repository/books"), DENIED);
	expect(REGISTRAR, "carry lines into the mail", try_rename_out, below("books/entries/00000000.jsonl"), DENIED);
	expect(ISSUER, "link the books into its journal", try_link_in, below("journal-issuer/books"), DENIED);
	expect(HAND, "carry the token's files away", try_rename_out, below("tokens/object"), DENIED);
}

/* --- the network ------------------------------------------------------------------------------------ */

static void
network_of(enum role r)
{
	enum end out = r == MESSENGER ? WORKS : REFUSED;

	expect(r, "make an internet socket", try_inet, NULL, out);
	expect(r, "make an IPv6 socket", try_inet6, NULL, out);
	expect(r, "make a local socket", try_unix, NULL, r == MESSENGER ? DENIED : REFUSED);
	expect(r, "ask the kernel over netlink", try_netlink, NULL, r == MESSENGER ? DENIED : REFUSED);
	expect(r, "connect a socket it was left", try_connect, NULL, out);
	expect(r, "bind a socket it was left", try_bind, NULL, r == MESSENGER ? DENIED : REFUSED);
	expect(r, "listen", try_listen, NULL, REFUSED);
	expect(r, "accept on a listener it was given", try_accept, NULL, r == FRONT || r == REGISTRAR ? WORKS : REFUSED);
	if (geteuid() == 0)
		expect(r, "speak to run/office", try_office, office, r == MESSENGER ? DENIED : REFUSED);
}

/* --- other processes, other rights -------------------------------------------------------------------- */

static const struct {
	const char *what;
	long (*attempt)(const char *);
	const char *with;
} NOBODY[] = {
    {"run a program", try_exec, "/bin/true"},
    {"run a program from memory", try_exec_memory, NULL},
    {"fork", try_fork, NULL},
    {"trace another process", try_ptrace, NULL},
    {"be traced", try_traceme, NULL},
    {"read another process's memory", try_peek, NULL},
    {"write another process's memory", try_poke, NULL},
    {"kill another process", try_kill, NULL},
    {"signal another process's thread", try_tgkill, NULL},
    {"hold another process", try_pidfd, NULL},
    {"become root", try_root, NULL},
    {"enter a user namespace", try_userns, NULL},
    {"fork into a user namespace", try_userns_clone, NULL},
    {"mount", try_mount, NULL},
    {"change its root", try_chroot, NULL},
    {"make a device", try_device, NULL},
    {"make a symbolic link", try_symlink, "/tmp/link"},
};
static const struct {
	const char *what;
	long number;
} CALLS[] = {
    {"load a kernel module", SYS_init_module},
    {"use bpf", SYS_bpf},
    {"use io_uring", SYS_io_uring_setup},
    {"use userfaultfd", SYS_userfaultfd},
    {"use perf events", SYS_perf_event_open},
    {"use the kernel's keys", SYS_keyctl},
    {"set the clock", SYS_clock_settime},
    {"reboot", SYS_reboot},
    {"loosen seccomp", SYS_seccomp},
    {"open a file by handle", SYS_open_by_handle_at},
    {"enter another namespace", SYS_setns},
};

static void
others_of(enum role r)
{
	char number[16];
	int got;

	for (size_t i = 0; i < COUNT(NOBODY); i++)
		expect(r, NOBODY[i].what, NOBODY[i].attempt, NOBODY[i].with, REFUSED);
	for (size_t i = 0; i < COUNT(CALLS); i++) {
		snprintf(number, sizeof number, "%ld", CALLS[i].number);
		expect(r, CALLS[i].what, try_syscall, number, REFUSED);
	}
	/* clone3 and fork(3): where there are threads they are said not to exist, or to be forbidden */
	got = in_jail(r, try_clone3, NULL);
	is(r == HAND || r == MESSENGER ? got == ENOSYS : got == 1000 + SIGSYS, "… nor clone3");
	got = in_jail(r, try_fork_libc, NULL);
	is(r == HAND ? got == EPERM : got == 1000 + SIGSYS, "… nor fork(3)");
	expect(r, "open another process's memory", try_memory, "mem", r == VERIFIER ? REFUSED : DENIED);
	expect(r, "read another process's environment", try_memory, "environ", r == VERIFIER ? REFUSED : DENIED);
	got = in_jail(r, try_abort, NULL);
	is(got == 1000 + SIGABRT, "… but an assertion still ends it");
}

/* What the kernel says of a process in the jail. */
static void
status_of(enum role r)
{
	char path[64], text[8192], want[128], line[128];
	int wait_for[2], ready[2], fd, status;
	ssize_t n;
	char c = 0;
	pid_t pid;

	if (pipe(wait_for) != 0 || pipe(ready) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		struct jail j;

		close(wait_for[1]);
		jail_of(r, &j);
		if (jail_enter(&j).kind != OK || write(ready[1], &c, 1) != 1)
			_exit(1);
		(void)!read(wait_for[0], &c, 1);
		_exit(0);
	}
	close(wait_for[0]);
	(void)!read(ready[0], &c, 1);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	snprintf(line, sizeof line, "%s: no new privileges, system calls filtered", NAME[r]);
	is(strstr(text, "NoNewPrivs:\t1\n") != NULL && strstr(text, "Seccomp:\t2\n") != NULL, line);
	if (geteuid() == 0) {
		uint32_t u = user_of(r);

		snprintf(want, sizeof want, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", u, u, u, u, u, u, u, u);
		snprintf(line, sizeof line, "%s: a user of its own, no groups, no capabilities", NAME[r]);
		is(strstr(text, want) != NULL && strstr(text, "Groups:\t \n") != NULL &&
		        strstr(text, "CapEff:\t0000000000000000\n") != NULL &&
		        strstr(text, "CapPrm:\t0000000000000000\n") != NULL,
		    line);
	}
	close(wait_for[1]);
	close(ready[0]);
	close(ready[1]);
	waitpid(pid, &status, 0);
}

/* Somebody to attack: of the same user, not jailed, dumpable. */
static pid_t
start_victim(enum role r)
{
	pid_t pid = fork();

	if (pid == 0) {
		uint32_t u = user_of(r);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (u != 0 && (setresgid(u, u, u) != 0 || setresuid(u, u, u) != 0))
			_exit(1);
		(void)prctl(PR_SET_DUMPABLE, 1);
		for (;;)
			pause();
	}
	return pid;
}

/* Who only reads (the checker): of the books their lines, and no call that could change a file. */
static int
as_reader(long (*attempt)(const char *), const char *with)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct jail j = {
		    .role = "reader", .sets = JAIL_PURE | JAIL_READ, .n_read = 1, .read = {below("books/entries")}};

		if (jail_enter(&j).kind != OK)
			_exit(255);
		errno = 0;
		_exit(attempt(with) >= 0 ? 0 : errno > 0 && errno < 251 ? errno : 254);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static long
try_chmod(const char *path)
{
	return chmod(path, 0600);
}

static void
reader(void)
{
	const char *line = below("books/entries/00000000.jsonl");

	is(as_reader(try_read, line) == 0, "a reader can read what it is given");
	is(as_reader(try_read, below("books/private")) == EACCES, "a reader cannot read what lies beside it");
	is(as_reader(try_write, line) == EACCES, "a reader cannot write what it is given");
	is(as_reader(try_chmod, line) == 1000 + SIGSYS, "a reader may not give a file other rights");
	is(as_reader(try_truncate, line) == 1000 + SIGSYS, "a reader may not cut a file");
	is(as_reader(try_rename_out, line) == 1000 + SIGSYS, "a reader may not rename a file");
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	(void)unsetenv("INKAN_JAIL_TRAP"); /* it would soften how the jail ends a process */
	(void)umask(0);
	home = argv[1];
	build_house();
	for (enum role r = FRONT; r < ROLES; r++) {
		int status;

		victim = start_victim(r);
		status_of(r);
		files_of(r);
		network_of(r);
		others_of(r);
		kill(victim, SIGKILL);
		waitpid(victim, &status, 0);
	}
	tricks();
	reader();
	printf("1..%d\n", tests);
	return failures > 0;
}
