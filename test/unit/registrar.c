/* LINK: role/registrar/apply.c role/registrar/ask.c role/registrar/challenge.c role/registrar/flight.c role/registrar/jlis.c role/registrar/office.c role/registrar/registrar.c role/registrar/revoke.c role/registrar/signers.c role/registrar/status.c role/registrar/turn.c role/verifier/verifier.c test/jpki/make.c */
/* The registrar's turn with pretended helpers: design 3, law 1 to 3; B-2, ID-2, B-3.2イ, B-10 to B-12. */
#include "test/unit/stage.h"

/* Apply, identity, decision, order, issue, status, checkpoint: each line once, in this order. */
static void
test_straight(void **state)
{
	static const enum act WANT[] = {ACT_BASELINE_SET, ACT_RULESET_APPROVED};
	struct scene *s = stage_new_with("crl", "[registrar]\n");
	struct applicant a;
	char why[WHY_MAX + 1];
	size_t i;

	(void)state;
	(void)WANT;
	stage_turns(s, 12);
	applicant_new(s, "yamada", &a, NULL);
	i = apply(s, &a, true);
	expect_text("answer", s->heard[i].fail == OK ? ok : fail(s->heard[i].fail, s->heard[i].what), NULL);
	(void)dossier(s, &a, why);
	print_message("%s: %s\n", dossier_state_name(a.reply.state), why);
	expect_number("issued", a.reply.state, DOSSIER_ISSUED);
	stage_turns(s, 20);
	stage_audit(s);
	applicant_drop(&a);
	stage_drop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_straight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
