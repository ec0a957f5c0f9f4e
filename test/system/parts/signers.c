#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_sign.h"
#include "test/jpki/make.h"
#include "test/system/parts/signers.h"

#define WAIT_MS 15000

static void
need(bool yes, const char *what)
{
	if (yes)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

/* --- processes ------------------------------------------------------------------------------------------ */

void
process_wire(struct process *p)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	int pair[2];

	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	wire_order_put(&body, &(struct wire_order){.peer = PEER_REGISTRAR, .number = 0});
	need(ipc_send_fd(p->control, &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, pair[1]).kind == OK,
	    "the wire");
	close(pair[1]);
	link_drop(&p->registrar);
	p->registrar = link_new(pair[0], PEER_ISSUER, 0);
}

static void
control_say(struct process *p, uint8_t kind, slice body)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);

	frame_put(&b, &(struct frame){.kind = kind, .body = body});
	need(write(p->control, b.p, b.n) == (ssize_t)b.n, "the control socket");
}

void
process_start(struct process *p, const char *libexec, const char *home, const char *mode, slice pin)
{
	struct buf body OWNED(buf_drop) = BUF(SECRET_MAX);
	char exe[1024], log[1024];
	int pair[2];

	*p = (struct process){.mode = mode};
	snprintf(exe, sizeof exe, "%s/signer", libexec);
	snprintf(log, sizeof log, "%s/%s.log", home, mode);
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	p->pid = fork();
	if (p->pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

		if (fd >= 0 && dup2(fd, 2) == 2 && dup2(pair[1], 3) == 3 && close_range(4, ~0U, 0) == 0)
			execl(exe, exe, mode, "--home", home, "--number", "0", "--uid", "0", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	p->control = pair[0];
	octets_put(&body, pin);
	control_say(p, ORDER_PIN, buf_slice(&body));
	process_wire(p);
}

int
process_wait(struct process *p)
{
	int status = 0, ended = 0;

	for (int i = 0; i < WAIT_MS / 10 && (ended = waitpid(p->pid, &status, WNOHANG)) == 0; i++)
		usleep(10000);
	if (ended == 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
	}
	link_drop(&p->registrar);
	close(p->control);
	buf_drop(&p->reply.body);
	return ended == 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int
process_stop(struct process *p)
{
	control_say(p, ORDER_STOP, (slice){NULL, 0});
	return process_wait(p);
}

void
say(struct process *p, slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(link_fd(p->registrar), bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0)
			usleep(1000);
		else
			bytes = slice_of(bytes.p + n, bytes.n - (size_t)n);
		if (n < 0 && kill(p->pid, 0) != 0)
			return;
	}
}

const struct reply *
ask(struct process *p, uint8_t kind, slice body)
{
	struct reply *r = &p->reply;
	struct frame f;

	link_order(p->registrar, kind, ++p->id, body);
	buf_drop(&r->body);
	*r = (struct reply){.body = BUF(FRAME_MAX)};
	if (link_wait(p->registrar, WAIT_MS, &f).kind != OK || f.id != p->id)
		return r;
	r->there = true;
	r->kind = f.kind;
	r->fail = f.fail;
	snprintf(r->what, sizeof r->what, "%.*s", (int)f.what.n, (const char *)f.what.p);
	buf_put(&r->body, f.body);
	return r;
}

/* --- books ------------------------------------------------------------------------------------------------- */

static digest
leaf(uint64_t n, uint64_t fork)
{
	char text[64];

	snprintf(text, sizeof text, "%s line %llu", n >= fork ? "another" : "a", (unsigned long long)n);
	return tree_leaf(slice_str(text));
}

static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	digest a, b;

	if (level == 0) {
		*out = leaf(index, *(const uint64_t *)from);
		return ok;
	}
	TRY(node(from, level - 1, 2 * index, &a));
	TRY(node(from, level - 1, 2 * index + 1, &b));
	*out = tree_node(a, b);
	return ok;
}

struct head
books_head(uint64_t size, uint64_t fork)
{
	struct tree t = {0};

	for (uint64_t i = 0; i < size; i++)
		tree_add(&t, leaf(i, fork));
	return (struct head){size, tree_root(&t)};
}

size_t
books_proof(uint64_t from, uint64_t to, uint64_t fork, digest proof[TREE_PROOF_MAX])
{
	struct tree_nodes nodes = {&fork, node};
	size_t n = 0;

	if (from > 0 && from < to)
		need(tree_consistency(&nodes, from, to, proof, &n).kind == OK, "a proof");
	return n;
}

const struct reply *
hello(struct process *p, struct head books, struct head journal, uint64_t from, uint64_t fork)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	struct head_order o = {.books = books, .journal = journal, .proof_from = from};

	o.n_proof = books_proof(from, books.size, fork, o.proof);
	head_order_put(&b, &o);
	return ask(p, ORDER_HELLO, buf_slice(&b));
}

bool
greet(struct process *p, uint64_t size, struct head *journal)
{
	uint64_t from = 0;

	for (int i = 0; i < 2; i++) {
		const struct reply *r = hello(p, books_head(size, BOOKS_MAX), (struct head){0}, from, BOOKS_MAX);
		struct head_reply h;

		if (r->fail != OK || head_reply_get(buf_slice(&r->body), &h).kind != OK)
			return false;
		if (journal != NULL)
			*journal = h.journal;
		if (h.books.size == size)
			return true;
		from = h.books.size;
	}
	return false;
}

/* --- what a signer wrote -------------------------------------------------------------------------------------- */

static bool
holds(slice line, const char *word)
{
	return word == NULL || memmem(line.p, line.n, word, strlen(word)) != NULL;
}

unsigned
journal_count(const char *home, const char *mode, const char *a, const char *b, const char *c)
{
	struct buf text OWNED(buf_drop) = BUF(64U << 20);
	char path[1024];
	unsigned n = 0;
	slice rest, line;

	snprintf(path, sizeof path, "%s/journal-%s/entries/00000000.jsonl", home, mode);
	file_get(path, &text);
	for (rest = buf_slice(&text); slice_cut(&rest, '\n', &line);)
		n += holds(line, a) && holds(line, b) && holds(line, c);
	return n;
}

bool
log_says(const char *home, const char *mode, const char *text)
{
	struct buf b OWNED(buf_drop) = BUF(64U << 20);
	char path[1024];

	snprintf(path, sizeof path, "%s/%s.log", home, mode);
	file_get(path, &b);
	return holds(buf_slice(&b), text);
}
