/* Answers from people: the terminal, or a file of answers. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/inkan/inkan.h"

#define ANSWERS_MAX_BYTES (64U << 10)
#define ANSWERS_LINES_MAX 256
#define WORD_TRIES 3

struct ask {
	int tty; /* -1: none */
	bool from_file;
	struct buf file; /* owned, wiped */
	size_t n;
	struct answer {
		slice name, value;
		bool taken;
	} answer[ANSWERS_LINES_MAX];
};

/* The terminal's settings while echo is off, for the signal that ends us. */
static struct termios before;
static volatile sig_atomic_t echo_off, the_tty;

static void
on_signal(int s)
{
	(void)s;
	if (echo_off)
		(void)tcsetattr(the_tty, TCSAFLUSH, &before);
	_exit(DONE_STOPPED);
}

static slice
trim(slice s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = (slice){s.p + 1, s.n - 1};
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s = (slice){s.p, s.n - 1};
	return s;
}

static err
read_answers(struct ask *a, const char *path)
{
	slice rest, line, name;

	TRY(file_read(path, ANSWERS_MAX_BYTES, &a->file));
	rest = buf_slice(&a->file);
	if (rest.n > 0 && text_check(rest).kind != OK)
		return fail(ERR_INPUT, "ask-file: inkan(1): the file of answers is not plain UTF-8 text");
	while (slice_cut(&rest, '\n', &line)) {
		if (trim(line).n == 0 || line.p[0] == '#')
			continue;
		if (a->n == ANSWERS_LINES_MAX || !slice_cut(&line, '=', &name))
			return fail(ERR_INPUT, "ask-line: inkan(1): an answer reads name = value");
		a->answer[a->n++] = (struct answer){trim(name), trim(line), false};
	}
	return ok;
}

err
ask_open(struct inkan *k)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct ask *a = mem_new(1, sizeof *a);

	a->tty = -1;
	a->file = BUF(ANSWERS_MAX_BYTES);
	a->from_file = k->o.batch || k->o.answers != NULL;
	k->ask = a;
	if (k->o.answers != NULL)
		return read_answers(a, k->o.answers);
	if (!a->from_file) {
		a->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (a->tty >= 0) {
			the_tty = a->tty;
			(void)sigaction(SIGINT, &sa, NULL);
			(void)sigaction(SIGTERM, &sa, NULL);
			(void)sigaction(SIGHUP, &sa, NULL);
		}
	}
	return ok;
}

void
ask_close(struct ask **p)
{
	struct ask *a = *p;

	if (a == NULL)
		return;
	if (a->tty >= 0)
		close(a->tty);
	if (a->file.p != NULL)
		wipe(a->file.p, a->file.cap);
	buf_drop(&a->file);
	free(a);
	*p = NULL;
}

bool
ask_is_person(const struct inkan *k)
{
	return !k->ask->from_file;
}

static err
answer_from_file(struct ask *a, const char *name, slice *out)
{
	for (size_t i = 0; i < a->n; i++)
		if (!a->answer[i].taken && slice_eq(a->answer[i].name, slice_str(name))) {
			a->answer[i].taken = true;
			*out = a->answer[i].value;
			return ok;
		}
	return fail(ERR_ABSENT, "ask-answer: inkan(1): the file of answers has no answer to what is asked");
}

static void
prompt_put(struct inkan *k, int fd, const char *prompt)
{
	slice s = slice_str(words(k->lang, prompt));
	struct buf b OWNED(buf_drop) = BUF(4096);

	buf_put(&b, s);
	buf_put_str(&b, ": ");
	s = buf_slice(&b);
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n <= 0)
			return;
		s = (slice){s.p + n, s.n - (size_t)n};
	}
}

/* A line up to Enter into p; longer than max: refused, since half of a PIN would be another PIN. */
static err
read_line(int fd, uint8_t *p, size_t max, size_t *n)
{
	bool over = false;
	uint8_t c;

	*n = 0;
	for (;;) {
		ssize_t r = read(fd, &c, 1);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return fail(ERR_POLICY, "ask-stopped: inkan(1): stopped by you; nothing was sent");
		if (c == '\n')
			return over ? fail(ERR_INPUT, "ask-long: inkan(1): what was typed is too long") : ok;
		over = over || *n == max;
		if (!over)
			p[(*n)++] = c;
	}
}

err
ask_line(struct inkan *k, const char *name, const char *prompt, struct buf *out)
{
	uint8_t line[1024];
	slice got;
	size_t n;

	if (k->ask->from_file) {
		TRY(answer_from_file(k->ask, name, &got));
	} else {
		if (k->ask->tty < 0)
			return fail(ERR_ABSENT, "ask-terminal: inkan(1): there is no terminal to ask at; see --answers");
		prompt_put(k, k->ask->tty, prompt);
		TRY(read_line(k->ask->tty, line, sizeof line, &n));
		got = trim(slice_of(line, n));
	}
	TRY(text_check_line(got));
	buf_clear(out);
	buf_put(out, got);
	return buf_check(out);
}

err
ask_secret(struct inkan *k, const char *name, const char *prompt, struct secret *out)
{
	struct termios quiet;
	slice got;
	size_t n = 0;
	err e;

	if (k->ask->from_file) {
		TRY(answer_from_file(k->ask, name, &got));
		return secret_set(out, got);
	}
	if (k->ask->tty < 0 || tcgetattr(k->ask->tty, &before) != 0)
		return fail(ERR_ABSENT, "ask-terminal: inkan(1): there is no terminal to ask at; see --answers");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	echo_off = 1;
	if (tcsetattr(k->ask->tty, TCSAFLUSH, &quiet) != 0) {
		echo_off = 0;
		return fail(ERR_ABSENT, "ask-terminal: inkan(1): there is no terminal to ask at; see --answers");
	}
	prompt_put(k, k->ask->tty, prompt);
	e = read_line(k->ask->tty, out->p, sizeof out->p, &n);
	(void)tcsetattr(k->ask->tty, TCSAFLUSH, &before);
	echo_off = 0;
	out->n = n;
	if (e.kind != OK)
		secret_drop(out);
	return e;
}

err
ask_new_passphrase(struct inkan *k, struct secret *out)
{
	struct secret again OWNED(secret_drop) = {.n = 0};

	for (int i = 0; i < WORD_TRIES; i++) {
		TRY(ask_secret(k, "passphrase", "New passphrase for the key (8 characters or more)", out));
		TRY(ask_secret(k, "passphrase", "The same passphrase again", &again));
		if (slice_eq_secret(secret_slice(out), secret_slice(&again)))
			return ok;
		say_line(k, "The two are not the same.");
		if (!ask_is_person(k))
			break;
	}
	return fail(ERR_INPUT, "ask-twice: inkan(1): the passphrase was not typed twice the same");
}

err
ask_page(struct inkan *k)
{
	uint8_t line[256];
	size_t n;

	if (k->ask->from_file)
		return ok;
	if (k->ask->tty < 0)
		return fail(ERR_ABSENT, "ask-terminal: inkan(1): there is no terminal to ask at; see --answers");
	prompt_put(k, k->ask->tty, "Enter: next page");
	return read_line(k->ask->tty, line, sizeof line, &n);
}

err
ask_word(struct inkan *k, const char *name, const char *prompt, slice word)
{
	struct buf got OWNED(buf_drop) = BUF(1024);

	for (int i = 0; i < WORD_TRIES; i++) {
		TRY(ask_line(k, name, prompt, &got));
		if (slice_eq(buf_slice(&got), word))
			return ok;
		say_line(k, "That is not what is shown.");
		if (!ask_is_person(k))
			break;
	}
	return fail(ERR_POLICY, "ask-stopped: inkan(1): stopped by you; nothing was sent");
}
