#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/jail.h"
#include "role/signer/starter.h"

/* A hand becomes the role's user, and is killed when it is late: nothing else of root is needed. */
static const int KEEP[] = {CAP_SETUID, CAP_SETGID, CAP_KILL};

#define START_WAIT_MS 5000 /* fork and exec take milliseconds; more is a machine in trouble */

struct starter {
	int fd;
	pid_t pid;
};

/* --- in the starter ------------------------------------------------------------ */

static void
exec_hand(const struct starter_plan *p, unsigned key, int fd)
{
	char uid[16];
	const char *argv[8];
	size_t n = 0;
	union {
		const char **from;
		char *const *to;
	} u = {.from = argv};

	snprintf(uid, sizeof uid, "%u", p->uid);
	argv[n++] = p->program;
	argv[n++] = p->module;
	argv[n++] = p->uri[key];
	argv[n++] = p->folder;
	argv[n++] = uid;
	if (p->weak)
		argv[n++] = "weak";
	argv[n] = NULL;
	if (p->environment != NULL) {
		union {
			const char *from;
			char *to;
		} e = {.from = p->environment};

		if (putenv(e.to) != 0)
			_exit(127);
	}
	if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) != 0)
		_exit(127);
	(void)fcntl(3, F_SETFD, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(p->program, u.to);
	_exit(127);
}

static bool
send_fd(int to, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space = {.bytes = {0}};
	char byte = 1;
	struct iovec v = {&byte, 1};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &m, MSG_NOSIGNAL) == 1;
}

/* Kills, and waits: no two hands of one key at once. */
static void
end_hand(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	*pid = 0;
}

static bool
start_hand(const struct starter_plan *p, unsigned key, int signer, pid_t *pid)
{
	int pair[2];
	bool sent;

	end_hand(pid);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	*pid = fork();
	if (*pid == 0)
		exec_hand(p, key, pair[1]);
	close(pair[1]);
	sent = *pid > 0 && send_fd(signer, pair[0]);
	close(pair[0]);
	return sent;
}

static void
serve(const struct starter_plan *p, int signer)
{
	pid_t pid[STARTER_KEYS_MAX] = {0};
	uint8_t key;
	ssize_t n;

	for (;;) {
		n = recv(signer, &key, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || key >= STARTER_KEYS_MAX || p->uri[key] == NULL || !start_hand(p, key, signer, &pid[key]))
			break;
	}
	for (size_t i = 0; i < STARTER_KEYS_MAX; i++)
		end_hand(&pid[i]);
}

/* --- in the signer ------------------------------------------------------------- */

err
starter_open(const struct starter_plan *plan, struct starter **out)
{
	int pair[2];
	struct starter *s;
	pid_t pid, parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail_why(ERR_WORLD, "starter-pair: house: no more socket pairs to be had", errno);
	pid = fork();
	if (pid < 0) {
		int why = errno;

		close(pair[0]);
		close(pair[1]);
		return fail_why(ERR_WORLD, "starter-fork: house: no more processes to be had", why);
	}
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		signal(SIGPIPE, SIG_IGN);
		if (plan->uid != 0 && jail_keep_capabilities(KEEP, COUNT(KEEP)).kind != OK)
			_exit(127);
		if (dup2(pair[1], 3) != 3 || close_range(4, ~0U, 0) != 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
			_exit(127);
		serve(plan, 3);
		_exit(0);
	}
	close(pair[1]);
	s = mem_new(1, sizeof *s);
	*s = (struct starter){pair[0], pid};
	*out = s;
	return ok;
}

void
starter_close(struct starter **s)
{
	if (*s == NULL)
		return;
	close((*s)->fd); /* the starter sees it, ends its hands and itself */
	free(*s);
	*s = NULL;
}

err
starter_start(struct starter *s, unsigned key, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space;
	uint8_t byte = (uint8_t)key;
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	struct iovec v = {&byte, 1};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
	struct cmsghdr *c;

	if (send(s->fd, &byte, 1, MSG_NOSIGNAL) != 1 || poll(&p, 1, START_WAIT_MS) != 1 ||
	    recvmsg(s->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
		return fail_why(ERR_ABSENT, "starter-gone: house: the process that starts hands does not answer", errno);
	c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS)
		return fail(ERR_ABSENT, "starter-gone: house: the process that starts hands does not answer");
	memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return ok;
}
