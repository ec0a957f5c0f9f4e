/*
 * The book's part of the registrar's turn: CPU for each line beyond hashing, and the opening of a large book.
 *
 *   bench/book FOLDER [TURNS]      a turn is 40 applications of 3 lines, 4 openings and 6 KB of evidence
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "act/line.h"
#include "edge/book.h"

#define APPLICATIONS 40
#define LINES 3
#define OPENINGS 4
#define EVIDENCE 6144

static double
now_us(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct turn {
	struct buf evidence[APPLICATIONS], line[APPLICATIONS * LINES], opening[APPLICATIONS * OPENINGS];
	digest name[APPLICATIONS];
};

/* What the registrar has in hand before the book sees it: bytes, and the digest it judged by. */
static void
make_turn(struct turn *t, uint64_t first, uint64_t number)
{
	for (unsigned a = 0; a < APPLICATIONS; a++) {
		struct buf body OWNED(buf_drop) = BUF(LINE_BODY_MAX);
		uint8_t *p;

		t->evidence[a] = BUF(EVIDENCE);
		p = buf_space(&t->evidence[a], EVIDENCE);
		memset(p, (int)a, EVIDENCE);
		memcpy(p, &number, sizeof number);
		t->name[a] = sha256(buf_slice(&t->evidence[a]));
		for (unsigned l = 0; l < LINES; l++) {
			uint64_t n = first + a * LINES + l;
			struct line x = {.n = n,
			    .at = {INT64_C(1800000000000) + (int64_t)number},
			    .act = ACT_APPLICATION_RECEIVED,
			    .about = ABOUT_DOSSIER,
			    .by = BY_APPLICANT,
			    .n_rules = 2,
			    .rule = {LIT("B-2"), LIT("B-3.2")},
			    .n_evidence = 1,
			    .evidence = {t->name[a]}};

			buf_clear(&body);
			json_open(&body, '{');
			json_put_named(&body, "profile", LIT("person-signature"));
			for (unsigned k = 0; l == 0 && k < OPENINGS; k++) {
				static const char *const fields[OPENINGS] = {"name", "address", "birth", "contact"};
				struct buf *o = &t->opening[a * OPENINGS + k];
				uint8_t salt[SALT_LEN] = {(uint8_t)a, (uint8_t)k};

				*o = BUF(OPENING_MAX);
				memcpy(salt + 8, &number, sizeof number);
				line_put_personal(&body, o, n, fields[k], LIT("東京都千代田区霞が関一丁目"), salt);
			}
			json_close(&body, '}');
			x.body = buf_slice(&body);
			t->line[a * LINES + l] = BUF(LINE_MAX);
			line_put(&t->line[a * LINES + l], &x);
		}
	}
}

static void
drop_turn(struct turn *t)
{
	for (size_t i = 0; i < COUNT(t->evidence); i++)
		buf_drop(&t->evidence[i]);
	for (size_t i = 0; i < COUNT(t->line); i++)
		buf_drop(&t->line[i]);
	for (size_t i = 0; i < COUNT(t->opening); i++)
		buf_drop(&t->opening[i]);
}

static int
say(err e, const char *what)
{
	if (e.kind != OK)
		fprintf(stderr, "%s: %s (%ld)\n", what, e.what, e.why);
	return e.kind != OK;
}

int
main(int argc, char **argv)
{
	long turns = argc > 2 ? strtol(argv[2], NULL, 10) : 500;
	struct book *b = NULL;
	struct book_opened o;
	double cpu = 0, wall = 0, hashing = 0, start;
	static struct turn t;

	if (argc < 2 || say(book_open(argv[1], BOOK_WRITE, 0, &b, &o), "open"))
		return 2;
	for (long i = 0; i < turns; i++) {
		double c, w;

		make_turn(&t, book_size(b), o.size + (uint64_t)i);
		c = now_us(CLOCK_PROCESS_CPUTIME_ID);
		for (size_t k = 0; k < COUNT(t.line); k++)
			(void)tree_leaf(buf_slice(&t.line[k]));
		hashing += now_us(CLOCK_PROCESS_CPUTIME_ID) - c;
		w = now_us(CLOCK_MONOTONIC);
		c = now_us(CLOCK_PROCESS_CPUTIME_ID);
		for (unsigned a = 0; a < APPLICATIONS; a++) {
			struct evidence_at at;

			book_add_evidence(b, t.name[a], buf_slice(&t.evidence[a]), &at);
			for (unsigned k = 0; k < OPENINGS; k++)
				book_add_opening(b, buf_slice(&t.opening[a * OPENINGS + k]));
			for (unsigned l = 0; l < LINES; l++)
				book_add_line(b, buf_slice(&t.line[a * LINES + l]));
		}
		if (say(book_commit(b), "commit"))
			return 1;
		cpu += now_us(CLOCK_PROCESS_CPUTIME_ID) - c;
		wall += now_us(CLOCK_MONOTONIC) - w;
		drop_turn(&t);
	}
	book_close(&b);
	printf("turn: %.1f us CPU a line, of which %.1f hashing leaves; %.2f ms wall a turn of %d lines\n",
	    cpu / (double)turns / (APPLICATIONS * LINES), hashing / (double)turns / (APPLICATIONS * LINES),
	    wall / (double)turns / 1e3, APPLICATIONS * LINES);
	start = now_us(CLOCK_MONOTONIC);
	if (say(book_open(argv[1], BOOK_WRITE, 0, &b, &o), "open"))
		return 1;
	printf("open: %llu lines in %.1f ms\n", (unsigned long long)o.size, (now_us(CLOCK_MONOTONIC) - start) / 1e3);
	book_close(&b);
	return 0;
}
