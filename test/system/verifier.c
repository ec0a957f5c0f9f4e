/* LINK: test/jpki/make.c */
/*
 * verifier - plays inkand and the registrar for one real `verifier` process in its jail.  Prints TAP.
 *
 *   verifier VERIFIER-EXECUTABLE FOLDER
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/body.h"
#include "act/decision.h"
#include "act/order.h"
#include "act/order_judge.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"
#define WAIT_MS 10000
#define MANY 300
#define NOBODY 65534

static int tests, failures;

static void
is(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
	fflush(stdout);
}

struct process {
	pid_t pid;
	int control;
	struct link *registrar;
};

static void
hand_wire(struct process *p)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	wire_order_put(&body, &(struct wire_order){.peer = PEER_REGISTRAR, .number = 0});
	if (ipc_send_fd(p->control, &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, pair[1]).kind != OK)
		abort();
	close(pair[1]);
	link_drop(&p->registrar);
	p->registrar = link_new(pair[0], PEER_VERIFIER, 0);
}

static struct process
start(const char *exe, const char *home)
{
	struct process p = {.registrar = NULL};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	p.pid = fork();
	if (p.pid == 0) {
		char uid[16];

		snprintf(uid, sizeof uid, "%u", geteuid() == 0 ? NOBODY : 0U);
		if (dup2(pair[1], 3) == 3)
			execl(exe, exe, "--home", home, "--number", "0", "--uid", uid, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	p.control = pair[0];
	hand_wire(&p);
	return p;
}

static int
end(struct process *p)
{
	int status = 0;

	for (int i = 0; i < WAIT_MS / 10 && waitpid(p->pid, &status, WNOHANG) == 0; i++)
		usleep(10000);
	if (kill(p->pid, 0) == 0 && waitpid(p->pid, &status, WNOHANG) == 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
	}
	link_drop(&p->registrar);
	close(p->control);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* One thing in parts; the answer to its last. */
static bool
give(struct process *p, uint8_t kind, slice bytes, struct frame *f)
{
	uint64_t n = 0;

	for (;;) {
		struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
		struct part part = {.number = n++, .last = bytes.n <= PART_BYTES};

		if (!slice_take(&bytes, part.last ? bytes.n : PART_BYTES, &part.bytes))
			abort();
		part_put(&body, &part);
		link_order(p->registrar, kind, 1, buf_slice(&body));
		if (part.last)
			return link_wait(p->registrar, WAIT_MS, f).kind == OK && f->kind == kind && f->fail == OK;
	}
}

static bool
judge(struct process *p, slice cms, uint64_t id, struct facts *out)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct frame f;

	verify_order_put(&body,
	    &(struct verify_order){.purpose = PURPOSE_APPLICATION, .at = at_of(AT), .method = STATUS_CRL, .cms = cms});
	link_order(p->registrar, ORDER_VERIFY, id, buf_slice(&body));
	return link_wait(p->registrar, WAIT_MS, &f).kind == OK && f.id == id && facts_get(f.body, out).kind == OK;
}

static bool
status_says(pid_t pid, const char *line)
{
	struct buf b OWNED(buf_drop) = BUF(1 << 16);
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file_get(path, &b);
	return memmem(b.p, b.n, line, strlen(line)) != NULL;
}

/* The verifier's own jail around the one thing it must never do. */
static void
jail_holds(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		const struct jail j = {.role = "verifier", .sets = JAIL_PURE};

		if (jail_enter(&j).kind != OK)
			_exit(1);
		_exit(open("/dev/null", O_RDONLY) >= 0 ? 2 : 3);
	}
	waitpid(pid, &status, 0);
	is(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "what the verifier may do does not include opening a file");
	pid = fork();
	if (pid == 0) {
		const struct jail j = {.role = "verifier", .sets = JAIL_PURE};

		if (jail_enter(&j).kind != OK)
			_exit(1);
		_exit(socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 2 : 3);
	}
	waitpid(pid, &status, 0);
	is(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "nor making a socket");
}

static void
ordinary_day(struct process *p, const struct house *h, slice cms, slice crl)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct facts x;
	struct frame f;
	bool good = true;

	is(give(p, ORDER_TRUST, buf_slice(&h->trust), &f), "it takes the trust file");
	is(status_says(p->pid, "Seccomp:\t2\n") && status_says(p->pid, "NoNewPrivs:\t1\n"),
	    "its system calls are filtered");
	is(geteuid() != 0 || status_says(p->pid, "Uid:\t65534\t65534\t65534\t65534\n"), "it is nobody");
	is(give(p, ORDER_CRL_IN, crl, &f), "it takes J-LIS's list");
	is(judge(p, cms, 5, &x) && x.verdict == VERDICT_VERIFIED && x.chained, "it judges an application");
	verify_order_put(&body,
	    &(struct verify_order){.purpose = PURPOSE_APPLICATION, .at = at_of(AT), .method = STATUS_CRL, .cms = cms});
	for (uint64_t i = 0; i < MANY; i++)
		link_order(p->registrar, ORDER_VERIFY, i, buf_slice(&body));
	for (uint64_t i = 0; i < MANY && good; i++)
		good = link_wait(p->registrar, WAIT_MS, &f).kind == OK && f.id == i && facts_get(f.body, &x).kind == OK &&
		       x.verdict == VERDICT_VERIFIED;
	is(good, "300 orders at once are answered in their order");
	hand_wire(p);
	is(give(p, ORDER_TRUST, buf_slice(&h->trust), &f) && judge(p, cms, 6, &x) && x.verdict == VERDICT_UNCHECKED,
	    "a new registrar finds nothing of what the last one handed over");
}

int
main(int argc, char **argv)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), crl OWNED(buf_drop) = BUF(1 << 20), beat OWNED(buf_drop) = BUF(64);
	const char *dir = make_world(DAY, 0);
	struct house *h OWNED(house_drop) = house_new(dir, at_of(AT));
	struct signer *card OWNED(signer_drop) = signer_load(dir, "yamada"),
	                    *own OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct make_application m;
	char path[2300];
	struct process p;
	struct frame f;

	if (argc != 3)
		return 2;
	application_for(h, dir, "yamada", at_of(AT), &m);
	make_application(&cms, card, own, &m);
	snprintf(path, sizeof path, "%s/signca03.crl", dir);
	file_get(path, &crl);
	p = start(argv[1], argv[2]);
	ordinary_day(&p, h, buf_slice(&cms), buf_slice(&crl));
	frame_put(&beat, &(struct frame){.kind = ORDER_STOP});
	is(write(p.control, beat.p, beat.n) == (ssize_t)beat.n && end(&p) == 0, "it stops when it is told to");

	p = start(argv[1], argv[2]);
	is(give(&p, ORDER_TRUST, buf_slice(&h->trust), &f), "started anew");
	link_order(p.registrar, ORDER_SIGN, 1, LIT(""));
	(void)link_flush(p.registrar).kind;
	is(end(&p) == 1, "a registrar that asks for what no registrar asks for ends it");
	p = start(argv[1], argv[2]);
	link_order(p.registrar, ORDER_VERIFY, 1, LIT("\x30\x00"));
	(void)link_flush(p.registrar).kind;
	is(end(&p) == 1, "and so does one that asks before it gave the trust file");
	jail_holds();
	printf("1..%d\n", tests);
	return failures > 0;
}
