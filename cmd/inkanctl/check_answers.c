/*
 * Every OCSP answer there is, each signature verified: the signers look at one of
 * theirs in 64, here are the others.  The certificates of the books, sorted by
 * serial, are shared out among processes; each says what differs through a pipe.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/inkanctl/check.h"
#include "edge/clock.h"
#include "edge/random.h"

#define SHARE 1024U     /* certificates that one process takes in a row */
#define FAILED_MAX 20U  /* that could not be asked, one after the other: the server is gone */
#define PROBES 8U       /* serials nobody issued */
#define VOIDED_MAX 256U /* of orders that came to nothing */
#define JOBS_MAX 32U

enum said { SAID_DIFFERENCE = 1, SAID_PROGRESS, SAID_COULD_NOT, SAID_END };
struct message {
	enum said said;
	uint64_t answers, slots;
	struct difference d;
};

static const char ENDED[] = "check-ended: house: a process that checked answers did not come to its end";

struct job {
	pid_t pid;
	int fd;
	bool ended; /* said that it is through */
	struct buf in;
};

static void hear(struct check *c, struct job *j, const struct message *m);

/* --- one answer --------------------------------------------------------------------------- */

/* The responder of an answer; each certificate is judged once. */
static struct known_responder *
responder_of(struct check *c, const struct ocsp_answer *a, instant read)
{
	struct known_responder *k;

	for (size_t i = 0; i < c->n_responders; i++)
		if (slice_eq(buf_slice(&c->responder[i].r.der), a->responder_cert))
			return &c->responder[i];
	if (c->n_responders ==
	    COUNT(c->responder)) /* more than a status file has: strangers take turns in the last place */
		responder_drop(&c->responder[--c->n_responders].r);
	k = &c->responder[c->n_responders++];
	*k = (struct known_responder){.word = ok};
	k->word = served_check_responder(&c->told, c->trust, a->responder_cert, read, &k->r);
	if (k->word.kind == OK)
		key_keep(k->r.key);
	else {
		k->r.der = BUF(OCSP_ANSWER_MAX);
		buf_put(&k->r.der, a->responder_cert);
	}
	return k;
}

static err
check_once(struct check *c, serial number, uint64_t turn, bool *known)
{
	struct buf der OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct known_responder *k;
	struct ocsp_answer a = {0};
	enum served_kind kind;
	instant read;
	err e = source_answer(&c->source, &c->names, c->profile->ocsp, number, turn, &kind, &der);

	*known = e.kind == OK || e.kind == ERR_CORRUPT || e.kind == ERR_POLICY || e.kind == ERR_INPUT;
	TRY(e);
	read = clock_now();
	/* a revoked one's file is gone until its new answer is signed, as front says tryLater */
	if (c->source.by_place && kind == SERVED_NONE && served_find_revoked(&c->told, number) != NULL)
		kind = SERVED_LATER;
	if (kind == SERVED_ANSWER && ocsp_answer_get(buf_slice(&der), &a).kind != OK)
		return fail(ERR_POLICY, "check-form: RFC 6960 4.2.1: what is served as an OCSP answer cannot be read");
	TRY(served_check_answer(&c->told, &c->names, &c->allowed, number, kind, &a, read));
	if (kind != SERVED_ANSWER)
		return ok;
	k = responder_of(c, &a, read);
	TRY(k->word);
	TRY(served_check_key(&c->told, &k->r, &a));
	return served_check_signature(&k->r, &a);
}

err
check_answer(struct check *c, serial number, uint64_t turn, bool *known)
{
	err e = check_once(c, number, turn, known);

	if (e.kind != OK || !c->source.places || c->source.by_place)
		return e;
	c->source.by_place = true; /* the folder has both: the file under its path as well */
	e = check_once(c, number, turn, known);
	c->source.by_place = false;
	return e;
}

/* --- a process of its own --------------------------------------------------------------------- */

static void
send_message(struct check *c, int fd, const struct message *m)
{
	if (fd < 0) /* there is no other process */
		hear(c, NULL, m);
	else if (write(fd, m, sizeof *m) != (ssize_t)sizeof *m) /* a pipe takes so few bytes whole */
		_exit(1);
}

static void
send_difference(struct check *c, int fd, const char *what, serial number)
{
	struct message m = {.said = SAID_DIFFERENCE, .d = {.what = what, .serial = number, .where = "ocsp"}};

	send_message(c, fd, &m);
}

/* False: the server is gone. */
static bool
share_of_rows(struct check *c, int fd, size_t from, unsigned *failed)
{
	size_t to = c->told.n - from < SHARE ? c->told.n : from + SHARE;
	struct message m = {.said = SAID_PROGRESS, .answers = to - from};

	for (size_t i = from; i < to; i++) {
		serial number = c->told.row[i].serial;
		bool known;
		err e = check_answer(c, number, i, &known);

		*failed = known ? 0 : *failed + 1;
		if (e.kind != OK && known)
			send_difference(c, fd, e.what, number);
		if (!known && (*failed == 1 || *failed == FAILED_MAX)) {
			struct message no = {.said = SAID_COULD_NOT, .d = {.what = e.what}};

			send_message(c, fd, &no);
		}
		if (*failed == FAILED_MAX)
			return false;
	}
	send_message(c, fd, &m);
	return true;
}

/* Slots about serials that the books never issued. */
static void
share_of_slots(struct check *c, int fd, const struct slots *s, uint64_t from)
{
	uint64_t to = s->n - from < SHARE ? s->n : from + SHARE;
	struct message m = {.said = SAID_PROGRESS, .slots = to - from};

	for (uint64_t i = from; i < to; i++) {
		struct slot slot;
		err e = slots_at(s, i, &slot);

		if (e.kind != OK) {
			send_difference(c, fd, e.what, (serial){0});
			i |= SLOTS_BLOCK - 1; /* the block is told of once */
		} else if (served_find(&c->told, slot.serial) == NULL) {
			bool known;

			e = check_answer(c, slot.serial, i, &known);
			send_difference(c, fd,
			    e.kind != OK ? e.what
			                 : "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued",
			    slot.serial);
		}
	}
	send_message(c, fd, &m);
}

/* False: it did not come to its end. */
static bool
work(struct check *c, size_t k, int fd)
{
	struct message end = {.said = SAID_END};
	unsigned failed = 0;
	int64_t parent = fd >= 0 ? (int64_t)getppid() : 0;

	for (size_t from = k * SHARE; from < c->told.n; from += c->jobs * SHARE) {
		if ((fd >= 0 && (int64_t)getppid() != parent) || !share_of_rows(c, fd, from, &failed))
			return false;
	}
	for (size_t f = 0; f < 2; f++)
		for (uint64_t from = k * SHARE; c->source.status[f].there && from < c->source.status[f].slots.n;
		     from += c->jobs * SHARE)
			share_of_slots(c, fd, &c->source.status[f].slots, from);
	if (fd >= 0)
		send_message(c, fd, &end);
	return true;
}

/* --- all of them ----------------------------------------------------------------------------------- */

static void
hear(struct check *c, struct job *j, const struct message *m)
{
	switch (m->said) {
	case SAID_DIFFERENCE:
		differences_add(&c->found, m->d.what, m->d.serial.n > 0 ? &m->d.serial : NULL, slice_str(m->d.where));
		break;
	case SAID_PROGRESS:
		c->count.answers += m->answers;
		c->count.slots += m->slots;
		if (c->ctl.progress)
			fprintf(stderr, "\r%s %llu / %zu   ", ctl_words(&c->ctl, "answers"), (unsigned long long)c->count.answers,
			    c->told.n);
		break;
	case SAID_COULD_NOT:
		check_could_not(c, m->d.what);
		break;
	case SAID_END:
		j->ended = true;
		break;
	}
}

/* False at the end of what this process says. */
static bool
drain(struct check *c, struct job *j)
{
	struct message m;
	ssize_t got;
	uint8_t room[64 * sizeof(struct message)];

	got = read(j->fd, room, sizeof room);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	buf_put(&j->in, slice_of(room, (size_t)got));
	while (j->in.n >= sizeof m) {
		memcpy(&m, j->in.p, sizeof m);
		buf_eat(&j->in, sizeof m);
		hear(c, j, &m);
	}
	return true;
}

static err
start(struct check *c, struct job *j, size_t k)
{
	int pair[2];

	if (pipe(pair) != 0)
		return fail_why(ERR_WORLD, "check-pipe: house: no more pipes to be had", errno);
	fflush(NULL);
	j->pid = fork();
	if (j->pid == 0) {
		close(pair[0]);
		_exit(work(c, k, pair[1]) ? 0 : 1);
	}
	close(pair[1]);
	if (j->pid < 0) {
		close(pair[0]);
		return fail_why(ERR_WORLD, "check-fork: house: no more processes to be had", errno);
	}
	j->fd = pair[0];
	j->in = BUF(1U << 20);
	return ok;
}

static err
run(struct check *c, struct job *job, size_t n)
{
	struct pollfd p[JOBS_MAX];
	size_t open = n;

	for (size_t k = 0; k < n; k++)
		p[k] = (struct pollfd){.fd = job[k].fd, .events = POLLIN};
	while (open > 0) {
		if (poll(p, n, -1) < 0 && errno != EINTR)
			return fail_why(ERR_WORLD, "check-poll: house: its own processes cannot be heard", errno);
		for (size_t k = 0; k < n; k++)
			if (p[k].fd >= 0 && p[k].revents != 0 && !drain(c, &job[k])) {
				p[k].fd = -1;
				open--;
			}
	}
	return ok;
}

/* Serials that must have no answer. */
static void
probe(struct check *c)
{
	size_t voided = c->told.ordered.n < VOIDED_MAX ? c->told.ordered.n : VOIDED_MAX;

	for (size_t i = 0; i < PROBES + voided; i++) {
		serial number = i < PROBES ? random_serial() : c->told.ordered.at[c->told.ordered.n - 1 - (i - PROBES)];
		bool known;
		err e;

		if (served_find(&c->told, number) != NULL)
			continue;
		e = check_answer(c, number, i, &known);
		c->count.probes += known;
		if (e.kind != OK && known)
			differences_add(&c->found, e.what, &number, LIT("ocsp"));
		if (!known) {
			check_could_not(c, e.what);
			return;
		}
	}
}

err
check_answers(struct check *c)
{
	struct job job[JOBS_MAX] = {{.fd = -1}};
	size_t n = 0;
	err e = ok;

	assert(c->jobs <= JOBS_MAX);
	if (c->source.files != NULL) {
		err m = source_map(&c->source);

		source_look(&c->source);
		if (m.kind == ERR_CORRUPT)
			differences_add(&c->found, m.what, NULL, LIT("status"));
		if (m.kind != OK && (m.kind != ERR_ABSENT || !c->source.places)) {
			check_could_not(c, m.what);
			return ok;
		}
		c->source.by_place = m.kind != OK; /* a mirror: it has no status files */
	}
	probe(c);
	if (c->jobs == 0) {
		bool through;

		c->jobs = 1;
		through = work(c, 0, -1);
		c->jobs = 0;
		if (!through)
			check_could_not(c, ENDED);
		return ok;
	}
	net_close(&c->source.net); /* a connection is never shared by two processes */
	for (; n < c->jobs && e.kind == OK; n++)
		e = start(c, &job[n], n);
	if (e.kind != OK)
		n--;
	if (e.kind == OK)
		e = run(c, job, n);
	for (size_t k = 0; k < n; k++) {
		close(job[k].fd);
		while (waitpid(job[k].pid, NULL, 0) < 0 && errno == EINTR) {
		}
		if (!job[k].ended)
			check_could_not(c, ENDED);
		buf_drop(&job[k].in);
	}
	if (c->ctl.progress)
		fputs("\r\033[K", stderr);
	return e;
}
