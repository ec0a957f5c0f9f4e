/* The right to sign is used once, and says why it exists. */
#include "test/unit/test.h"

#include "act/ticket.h"

static void
spending(void **state)
{
	static const struct {
		enum sig_alg alg;
		size_t n;
	} rows[] = {
	    {SIG_ECDSA_SHA256, 32},
	    {SIG_ECDSA_SHA384, 48},
	    {SIG_RSA_SHA256, 32},
	    {SIG_RSA_SHA512, 64},
	    {SIG_PSS_SHA384, 48},
	    {SIG_ED25519, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ticket *t OWNED(ticket_drop) =
		    ticket_make_certificate(PROOF_RULE, rows[i].alg, LIT("bytes"), sha256(LIT("why")));
		struct buf out OWNED(buf_drop) = BUF(256);
		uint8_t want[SHA512_LEN];

		expect_ok("first", ticket_spend(t, &out));
		expect_number("length", out.n, rows[i].n);
		if (rows[i].alg == SIG_ED25519)
			expect_same("message", buf_slice(&out), LIT("bytes"));
		else {
			hash_of(sig_alg_hash(rows[i].alg), LIT("bytes"), want);
			expect_same("hash", buf_slice(&out), slice_of(want, rows[i].n));
		}
		expect_err("second", ticket_spend(t, &out), ERR_CONFLICT, "ticket-spent: house: a right to sign is used once");
		expect_number("nothing more", out.n, rows[i].n);
	}
}

static void
saying(void **state)
{
	struct ticket *c OWNED(ticket_drop) =
	    ticket_make_certificate(PROOF_OFFICER, SIG_ECDSA_SHA256, LIT("tbs"), sha256(LIT("document"))),
	                 *s OWNED(ticket_drop) = ticket_make_status(SIG_RSA_SHA256, LIT("list"), sha256(LIT("set"))),
	                 *b OWNED(ticket_drop) = ticket_make_checkpoint(LIT("text"), sha256(LIT("root")));
	static const struct {
		enum proof proof;
		const char *name;
	} names[] = {
	    {PROOF_RULE, "rule"}, {PROOF_OFFICER, "officer"}, {PROOF_REVOKED_SET, "revoked-set"}, {PROOF_BOOKS, "books"}};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(proof_name(names[i].proof), names[i].name);
	assert_int_equal(ticket_proof(c), PROOF_OFFICER);
	assert_int_equal(ticket_proof(s), PROOF_REVOKED_SET);
	assert_int_equal(ticket_proof(b), PROOF_BOOKS);
	assert_int_equal(ticket_alg(s), SIG_RSA_SHA256);
	assert_int_equal(ticket_alg(b), SIG_ED25519);
	expect_same("tbs", ticket_tbs(c), LIT("tbs"));
	expect_true("digest", digest_eq(ticket_digest(c), sha256(LIT("tbs"))));
	expect_true("grounds", digest_eq(ticket_grounds(s), sha256(LIT("set"))));
	expect_true("grounds", digest_eq(ticket_grounds(b), sha256(LIT("root"))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(spending), cmocka_unit_test(saying)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
