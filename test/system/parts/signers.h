/*
 * signers.h - plays inkand and the registrar for one real signer process at a time: the frames an attacker with the
 *             registrar's code would send, over the very wire.
 *
 * Link it with "LINK: test/system/parts/signers.c test/jpki/make.c".  Touches processes, files; every failure of the stage
 * itself ends the test with a word about it.
 */
#ifndef TEST_SYSTEM_PARTS_SIGNERS_H
#define TEST_SYSTEM_PARTS_SIGNERS_H

#include "act/body.h"
#include "act/tree.h"
#include "base/base.h"
#include "edge/ipc.h"

#define BOOKS_MAX 64

/* What the other end said; kept until the next ask() of the same process. */
struct reply {
	bool there;
	uint8_t kind;
	enum err_kind fail;
	char what[512];
	struct buf body;
};

struct process {
	pid_t pid;
	const char *mode;
	int control;
	struct link *registrar;
	uint64_t id;
	struct reply reply;
};

/* LIBEXEC/signer MODE --home HOME, with the token's PIN; what it logs is appended to HOME/MODE.log. */
void process_start(struct process *p, const char *libexec, const char *home, const char *mode, slice pin);
/* Asks it to stop, or waits until it ends by itself; the exit code, 1000 + signal, -1 when it does not end. */
int process_stop(struct process *p);
int process_wait(struct process *p);
/* Another wire to the registrar, as after a restart. */
void process_wire(struct process *p);

/* One order, one result. */
const struct reply *ask(struct process *p, uint8_t kind, slice body);
/* Bytes as they are, whatever they are. */
void say(struct process *p, slice bytes);

/* --- books that exist in memory only ------------------------------------------------------------------ */
/* Lines from `fork` on are others: BOOKS_MAX is the honest book. */
struct head books_head(uint64_t size, uint64_t fork);
size_t books_proof(uint64_t from, uint64_t to, uint64_t fork, digest proof[TREE_PROOF_MAX]);

const struct reply *hello(struct process *p, struct head books, struct head journal, uint64_t from, uint64_t fork);
/* As an honest registrar does: hello, and again from where the signer knows the books.  False: refused. */
bool greet(struct process *p, uint64_t size, struct head *journal);

/* --- what a signer wrote -------------------------------------------------------------------------------- */
/* Lines of the journal that hold all these words (NULL: none). */
unsigned journal_count(const char *home, const char *mode, const char *a, const char *b, const char *c);
bool log_says(const char *home, const char *mode, const char *text);

#endif
