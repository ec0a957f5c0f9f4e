/* LINK: role/registrar/apply.c role/registrar/ask.c role/registrar/challenge.c role/registrar/flight.c role/registrar/issuing.c role/registrar/jlis.c role/registrar/office.c role/registrar/registrar.c role/registrar/revoke.c role/registrar/signers.c role/registrar/lists.c role/registrar/status.c role/registrar/texts.c role/registrar/turn.c role/verifier/verifier.c test/jpki/make.c test/edge/disk.c */
/* The acts beside the straight way: what is kept of texts and lists, what officers write, who is reminded.  Rule 6, 12(1). */
#include "test/unit/stage.h"

#define CONF "[registrar]\n"

static struct scene *
ready(const char *conf)
{
	struct scene *s = stage_new_with("crl", conf);

	stage_turns(s, 12);
	return s;
}

/* --- what was read and published is kept ----------------------------------------------------------------------------- */
static void
expect_kept(struct scene *s, slice bytes)
{
	struct buf got OWNED(buf_drop) = BUF(TEXT_BYTES_MAX);
	struct evidence_at at;

	expect_ok("place", db_place(s->r->db, sha256(bytes), &at));
	expect_ok("evidence", book_evidence(s->r->book, &at, sha256(bytes), (slice){NULL, 0}, &got));
	expect_same("kept", buf_slice(&got), bytes);
}

/* 12(1)3イ, 12(1)2ニ: the text that the baseline names, and each list that was published, byte for byte. */
static void
test_texts(void **state)
{
	struct scene *s = ready(CONF);

	(void)state;
	stage_wait(s, 4000);
	stage_turns(s, 12);
	expect_true("a list", s->crls == 1);
	expect_kept(s, LIT(STAGE_CPS));
	expect_kept(s, LIT("a list of ours"));
	stage_audit(s);
	stage_drop(s);
}

/* B-13: a house that lacks a text its baseline names opens no books. */
static void
test_no_text(void **state)
{
	struct scene *s = stage_new_with("crl", CONF);
	size_t i;

	(void)state;
	stage_stop(s);
	put_file(s, "cps.txt", LIT("another practice statement\n"));
	stage_start(s);
	i = stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0});
	expect_number("closed", s->heard[i].fail, ERR_WORLD);
	expect_same("why", slice_str(s->heard[i].what),
	    LIT("baseline-text: Rule 6(xiii): a text that the baseline names is not among this house's texts"));
	expect_number("no line", book_size(s->r->book), 0);
	stage_drop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
