/* What each act adds to its line: put writes, get reads the same, and nothing else is read (12(1), design 5). */
#include "test/unit/test.h"

#include "act/entry.h"

/* Every member an act could have, each with something in it. */
static struct entry
full(enum act a)
{
	struct entry e = {.line = {.n = 7,
	                      .at = {1795312370123},
	                      .act = a,
	                      .about = ABOUT_HOUSE,
	                      .by = BY_REGISTRAR,
	                      .by_id = LIT("registrar")}};
	digest *const d[] = {&e.document, &e.key, &e.card, &e.token, &e.terms, &e.explanation, &e.profile, &e.ruleset,
	    &e.trust, &e.approval, &e.status, &e.request, &e.tbs, &e.certificate, &e.crl, &e.answers, &e.root,
	    &e.journal_root, &e.line.under};
	instant *const t[] = {&e.shown, &e.confirmed, &e.judged, &e.not_before, &e.not_after, &e.signed_at, &e.from,
	    &e.until, &e.this_update, &e.next_update};
	uint64_t *const n[] = {
	    &e.validity, &e.mismatch, &e.engine, &e.version, &e.number, &e.count, &e.covers, &e.size, &e.journal};
	slice *const s[] = {
	    &e.why, &e.language, &e.responsible, &e.state, &e.what, &e.how, &e.duty, &e.note, &e.profile_name};

	for (size_t i = 0; i < COUNT(d); i++)
		memset(d[i]->b, (int)i + 1, SHA256_LEN);
	for (size_t i = 0; i < COUNT(t); i++)
		t[i]->ms = 1795312370000 + (int64_t)i;
	for (size_t i = 0; i < COUNT(n); i++)
		*n[i] = 100 + i;
	for (size_t i = 0; i < COUNT(s); i++)
		*s[i] = i == 0 ? LIT("code: clause: a \"sentence\" with\nlines") : LIT("word");
	memset(e.nonce, 0x77, sizeof e.nonce);
	e.serial = (serial){3, {1, 2, 3}};
	e.method = STATUS_OCSP;
	e.signer = SIGNER_CARD;
	e.reason = REASON_SUPERSEDED;
	e.n_serials = 2;
	e.serials[0] = (serial){1, {9}};
	e.serials[1] = (serial){20, {0x7F, [19] = 1}};
	return e;
}

/* The law of every format: what put writes, get takes, and put writes again byte for byte. */
static void
test_law(void **state)
{
	(void)state;
	for (enum act a = ACT_BASELINE_SET; a < ACT_INTENT; a++)
		for (int empty = 0; empty < 2; empty++) {
			struct buf one OWNED(buf_drop) = BUF(LINE_MAX), two OWNED(buf_drop) = BUF(LINE_MAX),
			               openings OWNED(buf_drop) = BUF(OPENING_MAX);
			struct entry e = full(a), back OWNED(entry_drop) = {0}, again;

			if (empty) {
				again = (struct entry){.line = e.line, .reason = REASON_UNSPECIFIED};
				e = again;
			}
			entry_put(&one, &openings, &e);
			expect_ok(act_name(a), entry_get(buf_slice(&one), &back));
			again = back;
			entry_put(&two, &openings, &again);
			expect_same(act_name(a), buf_slice(&two), buf_slice(&one));
			expect_number("no openings", openings.n, 0);
			if (!empty)
				expect_true("it cites a rule", back.line.n_rules > 0 || a == ACT_NOTICE_SENT ||
				                                   a >= ACT_KEY_GENERATED || a == ACT_KEY_ERASED ||
				                                   a == ACT_REMINDER_SENT);
		}
}

/* Law 7: personal data stands beside the line, never in it. */
static void
test_personal(void **state)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(OPENING_MAX);
	struct entry e = full(ACT_APPLICATION_RECEIVED), back OWNED(entry_drop) = {0};
	slice rest, one;
	size_t n = 0;

	(void)state;
	e.personal[0] = (struct personal){.field = "name", .value = LIT("山田　太郎"), .salt = {1}};
	e.personal[1] = (struct personal){.field = "address", .value = LIT("椿県\"若葉\"市"), .salt = {2}};
	e.n_personal = 2;
	entry_put(&line, &openings, &e);
	expect_true("not in the line", memmem(line.p, line.n, "山田", strlen("山田")) == NULL);
	expect_ok("read", entry_get(buf_slice(&line), &back));
	for (rest = buf_slice(&openings); slice_cut(&rest, '\n', &one); n++) {
		struct opening o OWNED(opening_drop) = {0};
		digest committed;
		void *iter = NULL;
		slice field;
		bool found = false;

		expect_ok("opening", opening_get(one, &o));
		while (line_next_personal(back.doc, &iter, &field, &committed))
			found = found || (slice_eq(field, o.field) && digest_eq(committed, commitment_of(o.salt, o.value)));
		expect_true("opens", found);
		expect_number("of its line", o.n, 7);
	}
	expect_number("two", n, 2);
}

/* {body of a certificate.voided or another, why it is refused} */
static void
test_refused(void **state)
{
	static const struct {
		const char *row;
		enum act act;
		const char *body, *expect;
	} rows[] = {
	    {"nothing", ACT_CERTIFICATE_VOIDED, "{}", NULL},
	    {"a member of another act", ACT_CERTIFICATE_VOIDED, "{\"size\":1}",
	        "entry-member: house: a book line says something its act has no member for"},
	    {"serial", ACT_CERTIFICATE_VOIDED, "{\"serial\":\"123\"}",
	        "entry-serial: RFC 5280 4.1.2.2: not a serial number"},
	    {"serial long", ACT_CERTIFICATE_VOIDED, "{\"serial\":\"000102030405060708090a0b0c0d0e0f1011121314\"}",
	        "entry-serial: RFC 5280 4.1.2.2: not a serial number"},
	    {"no serials", ACT_OCSP_PUBLISHED, "{\"serials\":[]}",
	        "entry-serials: house: an empty list of serials, or one of more than 32"},
	    {"method", ACT_IDENTITY_VERIFIED, "{\"method\":\"guess\"}",
	        "entry-word: house: a word this member does not know"},
	    {"signer", ACT_REVOCATION_REQUESTED, "{\"reason\":\"unspecified\",\"signer\":\"cat\"}",
	        "entry-word: house: a word this member does not know"},
	    {"reason", ACT_REVOCATION_REQUESTED, "{\"reason\":\"boredom\"}",
	        "entry-reason: RFC 5280 5.3.1: no such reason for a revocation"},
	};
	struct buf text OWNED(buf_drop) = BUF(ENTRY_TEXT_MAX + 64), line OWNED(buf_drop) = BUF(LINE_MAX);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct entry e = full(rows[i].act), back OWNED(entry_drop) = {0};

		buf_clear(&line);
		e.line.body = slice_str(rows[i].body);
		line_put(&line, &e.line);
		expect_text(rows[i].row, entry_get(buf_slice(&line), &back), rows[i].expect);
	}
	for (size_t n = ENTRY_TEXT_MAX; n <= ENTRY_TEXT_MAX + 1; n++) {
		struct entry e = full(ACT_CERTIFICATE_VOIDED), back OWNED(entry_drop) = {0};

		buf_clear(&text);
		buf_clear(&line);
		buf_put_str(&text, "{\"why\":\"");
		memset(buf_space(&text, n), 'x', n);
		buf_put_str(&text, "\"}");
		e.line.body = buf_slice(&text);
		line_put(&line, &e.line);
		expect_text("length", entry_get(buf_slice(&line), &back),
		    n == ENTRY_TEXT_MAX ? NULL : "entry-text: house: a text of a book line is longer than 1024 bytes");
	}
}

static void
test_words(void **state)
{
	enum crl_reason r;

	(void)state;
	for (enum crl_reason i = REASON_UNSPECIFIED; i <= REASON_CESSATION; i++) {
		expect_ok(reason_name(i), reason_get(slice_str(reason_name(i)), &r));
		expect_number(reason_name(i), r, i);
	}
	expect_same("ocsp", slice_str(status_method_name(STATUS_OCSP)), LIT("ocsp"));
	expect_same("card", slice_str(signer_kind_name(SIGNER_CARD)), LIT("card"));
	{
		digest d = {{1, 2, 3, [15] = 4, [16] = 5}};
		dossier_id id = dossier_id_of(d);

		expect_same("dossier", ARR(id.b), slice_of(d.b, 16));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_law),
	    cmocka_unit_test(test_personal),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
