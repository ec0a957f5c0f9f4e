/* Every body between two roles: read strictly, written back byte for byte. */
#include "test/unit/test.h"

#include "base/der.h"
#include "test/fuzz/order_rows.h"

#define T1 ((instant){INT64_C(1795309200123)})
#define T2 ((instant){INSTANT_MIN_MS})
#define T3 ((instant){INSTANT_MAX_MS})

static struct sample {
	const char *name;
	slice body;
} samples[64];
static size_t n_samples;

static void
add(const char *name, const struct buf *b)
{
	samples[n_samples].name = name;
	samples[n_samples++].body = copy(buf_slice(b));
}

#define ADD(T, ...)                                                                                                    \
	do {                                                                                                               \
		struct T v_ = {__VA_ARGS__};                                                                                   \
		struct buf b_ OWNED(buf_drop) = BUF(1 << 20);                                                                  \
                                                                                                                       \
		T##_put(&b_, &v_);                                                                                             \
		add(#T, &b_);                                                                                                  \
	} while (0)

static const serial SERIAL = {16, {0x41, 2, 3}};
static const digest DIGEST = {{9, 8, 7}};

static void
add_facts(void)
{
	struct facts f = {.verdict = VERDICT_MISMATCH,
	    .why = LIT("jpki-name: …"),
	    .kind = ERR_POLICY,
	    .chained = true,
	    .mismatch = MISMATCH_NAME | MISMATCH_ADDRESS,
	    .form = FORM_REVOCATION,
	    .document = DIGEST,
	    .signer = SIGNER_CARD,
	    .signer_serial = SERIAL,
	    .key = DIGEST,
	    .key_kind = KEY_P384,
	    .key_bits = 384,
	    .spki = LIT("\x30\x00"),
	    .same_card = true,
	    .method = STATUS_CRL,
	    .status_this_update = T1,
	    .status_next_update = T3,
	    .card_name = LIT("山田　太郎"),
	    .card_address = LIT("椿県"),
	    .ocsp_request = LIT("\x30\x00"),
	    .n = V_COUNT};
	struct buf b OWNED(buf_drop) = BUF(1 << 16);

	for (size_t i = 0; i < V_COUNT; i++)
		f.value[i] = LIT("a");
	facts_put(&b, &f);
	add("facts", &b);
	ADD(facts, .verdict = VERDICT_UNCHECKED, .kind = ERR_BUSY, .why = LIT("x"));
}

static int
setup(void **state)
{
	struct buf o OWNED(buf_drop) = BUF(64);

	(void)state;
	octets_put(&o, LIT("abc"));
	add("octets", &o);
	ADD(part, .number = 0, .last = true, .bytes = LIT("abc"));
	ADD(challenge_reply, .nonce = LIT("n"), .expires = T1);
	ADD(apply_order, .cms = LIT("cms"), .wait = true);
	ADD(apply_reply, .dossier = {{1}}, .token = {{2}}, .state = DOSSIER_ISSUED, .has_serial = true, .serial = SERIAL);
	ADD(apply_reply, .state = DOSSIER_RECEIVED);
	ADD(dossier_order, .dossier = {{1}}, .token = {{2}});
	ADD(dossier_reply, .state = DOSSIER_WITHDRAWN, .since = T2, .why = LIT("w"), .has_serial = true, .serial = SERIAL);
	ADD(entry_reply, .n = 7, .at = T1, .line = LIT("{}"));
	ADD(entry_reply, .n = INT64_MAX, .at = T3, .has_serial = true, .serial = SERIAL);
	ADD(serial_order, .serial = SERIAL);
	ADD(serial_reply, .state = SERIAL_REVOKED, .at = T1, .reason = REASON_CESSATION);
	ADD(crl_reply, .digest = DIGEST, .this_update = T1, .next_update = T3, .count = 3);
	ADD(verify_order, .purpose = PURPOSE_OFFICE, .at = T1, .method = STATUS_OCSP, .ocsp_answer = LIT("a"),
	    .cms = LIT("c"), .certificate = LIT("d"), .application = LIT("e"));
	add_facts();
	ADD(head_order, .books = {5, DIGEST}, .journal = {6, DIGEST}, .n_proof = 2, .proof_from = 3);
	ADD(head_reply, .books = {5, DIGEST}, .journal = {6, DIGEST}, .n_proof = 64, .responder = LIT("certificate"));
	ADD(rules_order, .profile = LIT("p"), .ruleset = LIT("r"), .approval = LIT("a"), .automation = LIT("s"));
	ADD(issue_order, .serial = SERIAL, .not_before = T1, .judged = T1, .application = LIT("a"), .method = STATUS_CRL,
	    .decision = LIT("d"), .again = true);
	ADD(issue_reply, .certificate = LIT("c"), .journal = {1, DIGEST}, .signed_at = T1);
	ADD(void_order, .dossier = {{1}}, .serial = SERIAL);
	ADD(revoked_order, .certificate = LIT("c"), .cms = LIT("m"), .judged = T1, .revoked = T1,
	    .reason = REASON_KEY_COMPROMISE);
	ADD(crl_order, .number = 9, .now = T1, .next_update = T1, .base = 8, .partition = CRL_PARTITIONS_MAX);
	ADD(list_reply, .number = 9, .count = 3, .bytes = 1u << 30, .tbs = DIGEST, .journal = {1, DIGEST});
	ADD(list_part_order, .number = 9, .part = 4);
	ADD(answers_order, .now = T1, .next_update = T1, .n = 2, .certificate = {LIT("a"), LIT("b")});
	ADD(answers_reply, .n = 2, .serial = {{1, {1}}, {16, {0x7F}}}, .this_update = {T1, T1}, .next_update = {T3, T3},
	    .answer = {LIT("x"), LIT("y")});
	ADD(refresh_order, .now = T1, .next_update = T3);
	ADD(refresh_order, .now = T1, .next_update = T3, .after = {1, {1}}, .upto = SERIAL);
	ADD(slots_part, .last = true, .whole = true, .produced = T1, .this_update = T1, .next_update = T3);
	ADD(slots_part, .produced = T1, .this_update = T1, .next_update = T3, .responder = LIT("r"), .n = 2,
	    .slot = {{.serial = {1, {1}}, .signature = LIT("s")},
	        {.serial = SERIAL, .revoked = true, .revoked_at = T1, .reason = REASON_SUPERSEDED, .signature = LIT("t")}});
	ADD(renewed_reply, .lost = true);
	ADD(sign_many_order, .alg = SIG_ED25519, .n = 2, .bytes = {LIT("a"), LIT("b")});
	ADD(sign_many_reply, .n = 1, .signature = {LIT("c")});
	ADD(checkpoint_order, .books = {5, DIGEST}, .from = 2, .n_proof = 1, .note = LIT("n"));
	ADD(call_order, .kind = CALL_JLIS_CRL, .body = LIT("b"));
	ADD(mirrors_reply, .n = 0);
	ADD(mirrors_reply, .n = 2,
	    .mirror = {{.name = LIT("web"),
	                   MIRROR_FOLDER,
	                   .whole_at = T1,
	                   .pushed = 12,
	                   .trouble = LIT("-"),
	                   .refused_path = LIT("-"),
	                   .refused_why = LIT("-")},
	        {.name = LIT("store"),
	            MIRROR_S3,
	            .walking = true,
	            .behind = 5,
	            .missing = 9,
	            .whole_at = T1,
	            .seconds = 60,
	            .pushed = 7,
	            .failures = 3,
	            .in_a_row = 2,
	            .trouble = LIT("call-late: house: no answer from outside in time"),
	            .refused = 1,
	            .refused_path = LIT("crl/issuer.crl"),
	            .refused_why = LIT("call-status: house: the other side answered with an error")}});
	ADD(mail_order, .to = LIT("a@b.jp"), .subject = LIT("s"), .text = LIT("one\ntwo\n"));
	ADD(lapse_order, .after = T1);
	ADD(lapse_order, .after = T3, .has_serial = true, .after_serial = SERIAL);
	ADD(lapse_reply, .state = LAPSE_LOOKING);
	ADD(lapse_reply, .state = LAPSE_NONE);
	ADD(lapse_reply, .state = LAPSE_FOUND, .serial = SERIAL, .this_update = T1, .next_update = T3);
	ADD(list_times_order, .path = LIT("crl/issuer-7.crl"));
	ADD(list_times, .this_update = T1, .next_update = T3);
	ADD(file_order, .path = LIT("tile/0/x001/067.p/1"), .part = {.number = 1, .last = false, .bytes = LIT("b")});
	ADD(office_order, .cms = LIT("c"), .ruleset = LIT("r"));
	ADD(sign_order, .alg = SIG_ED25519, .bytes = LIT("b"));
	ADD(wire_order, .peer = PEER_OFFICE, .number = 255);
	return 0;
}

static const struct order_row *
row_of(const char *name)
{
	for (size_t i = 0; i < COUNT(order_rows); i++)
		if (strcmp(order_rows[i].name, name) == 0)
			return &order_rows[i];
	abort();
}

static void
written_as_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_samples; i++) {
		struct buf b OWNED(buf_drop) = BUF(1 << 20);

		expect_ok(samples[i].name, row_of(samples[i].name)->again(samples[i].body, &b));
		expect_same(samples[i].name, buf_slice(&b), samples[i].body);
	}
	for (size_t i = 0; i < COUNT(order_rows); i++) {
		bool found = false;

		for (size_t k = 0; k < n_samples; k++)
			found = found || strcmp(order_rows[i].name, samples[k].name) == 0;
		expect_true(order_rows[i].name, found);
	}
}

/* Every prefix, a byte more, and every bit turned: refused, or still one value with one encoding. */
static void
nothing_looser(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_samples; i++) {
		const struct order_row *row = row_of(samples[i].name);
		slice s = samples[i].body;

		for (size_t n = 0; n < s.n; n++) {
			struct buf b OWNED(buf_drop) = BUF(1 << 20);

			expect_number(samples[i].name, row->again(copy(slice_of(s.p, n)), &b).kind, ERR_INPUT);
		}
		{
			struct buf b OWNED(buf_drop) = BUF(1 << 20);

			expect_number(samples[i].name, row->again(join(s, hex("00")), &b).kind, ERR_INPUT);
		}
		for (size_t bit = 0; bit < 8 * (s.n < 400 ? s.n : 400); bit++) {
			struct buf b OWNED(buf_drop) = BUF(1 << 20), turned OWNED(buf_drop) = BUF(1 << 20);

			buf_put(&turned, s);
			turned.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			if (row->again(buf_slice(&turned), &b).kind == OK)
				expect_same(samples[i].name, buf_slice(&b), buf_slice(&turned));
		}
	}
}

#define FORM "order-form: house: a body between two processes is not in its form"
#define PATH "order-path: house: a path that could leave the repository's tree"

static void
refusals(void **state)
{
	static const uint8_t long_part[PART_BYTES + 1], long_cms[CMS_MAX + 1];
	static uint8_t line[DOCUMENT_VALUE_MAX + 2];
	struct buf b OWNED(buf_drop) = BUF(1 << 20), c OWNED(buf_drop) = BUF(1 << 20), d OWNED(buf_drop) = BUF(1 << 20),
	             out OWNED(buf_drop) = BUF(1 << 20);
	struct facts f = {.verdict = VERDICT_VERIFIED, .form = FORM_RECEIPT, .n = R_COUNT - 1};
	size_t seq, list;

	(void)state;
	part_put(&b, &(struct part){.bytes = ARR(long_part)});
	expect_text("a part too long", row_of("part")->again(buf_slice(&b), &out), FORM);
	apply_order_put(&c, &(struct apply_order){.cms = ARR(long_cms)});
	expect_text("a document too long", row_of("apply_order")->again(buf_slice(&c), &out), FORM);
	for (size_t i = 0; i < f.n; i++)
		f.value[i] = LIT("a");
	facts_put(&d, &f);
	expect_text("a line missing", row_of("facts")->again(buf_slice(&d), &out), FORM);
	f.n = R_COUNT;
	memset(line, 'a', sizeof line);
	{
		const struct {
			const char *what;
			slice why, person, value;
			bool good;
		} texts[] = {
		    {"texts as long as they may be", slice_of(line, FACTS_WHY_MAX), slice_of(line, FACTS_LABEL_MAX),
		        slice_of(line, DOCUMENT_VALUE_MAX), true},
		    {"a refusal longer than any", slice_of(line, FACTS_WHY_MAX + 1), LIT("a"), LIT("a"), false},
		    {"a label longer than a book line's", LIT("a"), slice_of(line, FACTS_LABEL_MAX + 1), LIT("a"), false},
		    {"a label that would end a book line's text", LIT("a"), LIT("a\"b"), LIT("a"), false},
		    {"… or begin an escape in it", LIT("a"), LIT("a\\b"), LIT("a"), false},
		    {"a value longer than a document's", LIT("a"), LIT("a"), slice_of(line, DOCUMENT_VALUE_MAX + 1), false},
		};

		for (size_t i = 0; i < COUNT(texts); i++) {
			f.why = texts[i].why;
			f.person = texts[i].person;
			for (size_t k = 0; k < f.n; k++)
				f.value[k] = texts[i].value;
			buf_clear(&d);
			facts_put(&d, &f);
			if (texts[i].good)
				expect_ok(texts[i].what, row_of("facts")->again(buf_slice(&d), &out));
			else
				expect_text(texts[i].what, row_of("facts")->again(buf_slice(&d), &out), FORM);
		}
	}
	expect_text("an enumeration from 1", row_of("wire_order")->again(hex("30 06 0A 01 00 02 01 00"), &out), FORM);
	expect_text("an id of 15 bytes",
	    row_of("dossier_order")
	        ->again(hex("30 22 04 0F 000102030405060708090A0B0C0D0E 04 0F 000102030405060708090A0B0C0D0E"), &out),
	    FORM);
	buf_clear(&b);
	seq = der_open(&b, DER_SEQUENCE);
	der_put_u64(&b, 0);
	der_put_u64(&b, 0);
	list = der_open(&b, DER_SEQUENCE);
	for (size_t i = 0; i <= ANSWERS_MAX; i++)
		der_put(&b, DER_OCTETS, LIT("a"));
	der_close(&b, list);
	der_close(&b, seq);
	expect_text("33 certificates", row_of("answers_order")->again(buf_slice(&b), &out), FORM);
}

static void
paths(void **state)
{
	static char longest[201], longer[202];
	const struct {
		const char *path, *what;
	} rows[] = {{"checkpoint", NULL}, {"tile/0/x001/067", NULL}, {"crl/issuer.crl", NULL}, {"a_b/c-d.e", NULL},
	    {longest, NULL}, {longer, PATH}, {"", PATH}, {"/etc/passwd", PATH}, {"../a", PATH}, {"a/../b", PATH},
	    {"a/./b", PATH}, {"a//b", PATH}, {"a/", PATH}, {".hidden", PATH}, {"a/.b", PATH}, {"A", PATH}, {"a b", PATH},
	    {"a\\b", PATH}, {"é", PATH}};

	(void)state;
	memset(longest, 'a', 200);
	memset(longer, 'a', 201);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(1024), out OWNED(buf_drop) = BUF(1024);

		file_order_put(&b, &(struct file_order){.path = slice_str(rows[i].path), .part = {.last = true}});
		expect_text(row_name("rows", i), row_of("file_order")->again(buf_slice(&b), &out), rows[i].what);
	}
}

static void
state_names(void **state)
{
	(void)state;
	assert_string_equal("received", dossier_state_name(DOSSIER_RECEIVED));
	assert_string_equal("issued", dossier_state_name(DOSSIER_ISSUED));
	assert_string_equal("withdrawn", dossier_state_name(DOSSIER_WITHDRAWN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(written_as_read),
	    cmocka_unit_test(nothing_looser),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(state_names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
