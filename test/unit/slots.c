/* LINK: test/jpki/make.c */
/* Status files: B-11, Rule 6(xi): what is served is what was signed, byte for byte, or nothing. */
#include "test/unit/test.h"

#include "act/slots.h"
#include "test/jpki/make.h"

static struct signer *ca, *responder;
static struct cert issuer;
static uint8_t responder_id[SHA1_LEN];

static serial
serial_of(uint8_t v)
{
	serial s = {.n = 16, .b = {0x40}};

	s.b[15] = v;
	return s;
}

/* An answer as the status signer makes it. */
static void
answer(struct buf *out, uint8_t v, enum ocsp_status status, instant produced)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct ocsp_plan p = {.serial = serial_of(v),
	    .status = status,
	    .revoked = produced,
	    .reason = REASON_KEY_COMPROMISE,
	    .produced = produced,
	    .this_update = produced,
	    .next_update = {produced.ms + 36 * HOUR_MS},
	    .responder_key_id = ARR(responder_id)};

	ocsp_issuer_of(&issuer, &p.issuer);
	ocsp_put_data(&data, &p);
	signer_sign(responder, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	buf_clear(out);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), signer_certificate(responder));
}

static int
setup(void **state)
{
	instant at = at_of("2026-01-01T00:00:00.000Z");
	struct cert_plan plan = {.serial = serial_of(1),
	    .not_before = at,
	    .not_after = instant_add_years(at, 1),
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .ocsp_signer = true};
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct key *k OWNED(key_drop) = NULL;

	(void)state;
	ca = signer_new(KEY_P256, 256);
	responder = signer_new(KEY_P256, 256);
	make_ca(ca, "slots", "slots test CA", at, 10);
	expect_ok("slots", cert_get(signer_certificate(ca), &issuer));
	expect_ok("slots", key_get_spki(signer_spki(responder), &k));
	key_identifier(k, responder_id);
	plan.issuer = plan.subject = issuer.subject;
	plan.spki = signer_spki(responder);
	plan.ski = ARR(responder_id);
	plan.aki = issuer.ski;
	make_certificate(&der, ca, &plan);
	signer_set_certificate(responder, buf_slice(&der));
	return 0;
}

static void
common_of(struct slots_common *c, struct buf *first)
{
	answer(first, 1, OCSP_GOOD, at_of("2026-02-01T00:00:00.000Z"));
	expect_ok("slots", slots_common_get(buf_slice(first), &issuer, c));
}

/* A file of n slots with serials 0, 2, 4 … */
static void
file_of(struct buf *out, const struct slots_common *c, size_t n)
{
	struct slots_writer w;
	struct slot s;

	slots_write_start(&w, out, c, at_of("2026-02-01T00:00:00.000Z"), n);
	for (size_t i = 0; i < n; i++) {
		struct buf a OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

		answer(&a, (uint8_t)(2 * i), i % 3 == 0 ? OCSP_REVOKED : OCSP_GOOD, at_of("2026-02-01T00:00:00.000Z"));
		expect_ok("slots", slot_get_answer(buf_slice(&a), c, &s));
		slots_write(&w, &s);
	}
	slots_write_end(&w);
	expect_ok("slots", buf_check(out));
	assert_int_equal(out->n, slots_file_bytes(c, n));
}

/* What goes in comes out, the same bytes. */
static void
test_round_trip(void **state)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slots_common c;

	(void)state;
	common_of(&c, &first);
	for (size_t n = 0; n < 40; n += 13) {
		struct buf file OWNED(buf_drop) = BUF(1U << 20);
		struct slots s;
		struct slot slot;

		file_of(&file, &c, n);
		expect_ok("slots", slots_get(buf_slice(&file), &s));
		assert_int_equal(s.n, n);
		for (size_t i = 0; i < n; i++) {
			struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
			struct ocsp_answer a;

			expect_ok("slots", slots_find(&s, serial_of((uint8_t)(2 * i)), &slot));
			expect_ok("slots", slot_put_answer(&again, &s.common, &slot));
			expect_ok("slots", ocsp_answer_get(buf_slice(&again), &a));
			assert_int_equal(a.status, i % 3 == 0 ? OCSP_REVOKED : OCSP_GOOD);
			expect_text("slots", slots_find(&s, serial_of((uint8_t)(2 * i + 1)), &slot),
			    "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
		}
	}
}

/* Every single damaged byte is found: header at once, a block when it is touched. */
static void
test_damage(void **state)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), file OWNED(buf_drop) = BUF(1U << 20);
	struct slots_common c;

	(void)state;
	common_of(&c, &first);
	file_of(&file, &c, 20);
	for (size_t i = 0; i < file.n; i++) {
		struct slots s;
		struct slot slot;
		bool found;

		file.p[i] ^= 0x10;
		found = slots_get(buf_slice(&file), &s).kind != OK;
		for (size_t k = 0; k < 20 && !found; k++)
			found = slots_at(&s, k, &slot).kind == ERR_CORRUPT;
		assert_true(found);
		file.p[i] ^= 0x10;
	}
	for (size_t n = 0; n < file.n; n += 7) {
		struct slots s;

		expect_text("slots", slots_get((slice){file.p, n}, &s), "slots-header: house: a status file is not whole");
	}
	{
		struct slots s;
		struct slot slot;

		expect_ok("slots", slots_get(buf_slice(&file), &s));
		file.p[file.n - 1] ^= 1;
		expect_text("slots", slots_at(&s, 19, &slot), "slot-block: house: a block of a status file is damaged");
		expect_ok("slots", slots_at(&s, 0, &slot)); /* another block is whole */
	}
}

static void
test_refusals(void **state)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), other OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct buf out OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slots_common c, strange;
	struct slot s;

	(void)state;
	common_of(&c, &first);
	ocsp_put_error(&other, OCSP_TRY_LATER);
	expect_text("slots", slot_get_answer(buf_slice(&other), &c, &s),
	    "slot-foreign: house: an OCSP answer is not one this status file could give back");
	expect_text("slots", slots_common_get(buf_slice(&other), &issuer, &strange),
	    "slot-foreign: house: an OCSP answer is not one this status file could give back");
	strange = c;
	strange.issuer.key1[0] ^= 1; /* of another issuer */
	expect_text("slots", slot_get_answer(buf_slice(&first), &strange, &s),
	    "slot-foreign: house: an OCSP answer is not one this status file could give back");
	expect_ok("slots", slot_get_answer(buf_slice(&first), &c, &s));
	s.state = SLOT_WITHDRAWN;
	expect_text("slots", 
	    slot_put_answer(&out, &c, &s), "slot-withdrawn: Rule 6(x): a new answer for this certificate is being signed");
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&ca);
	signer_drop(&responder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damage), cmocka_unit_test(test_refusals)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
