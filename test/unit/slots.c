/* LINK: test/jpki/make.c */
/* Status files: B-11, Rule 6(xi): what is served is what was signed, byte for byte, or nothing. */
#include "test/unit/test.h"

#include "act/slots.h"
#include "test/jpki/make.h"

static struct signer *ca, *responder, *second;
static struct cert issuer;
static uint8_t responder_id[SHA1_LEN], second_id[SHA1_LEN];

static serial
serial_of(uint8_t v)
{
	serial s = {.n = 16, .b = {0x40}};

	s.b[15] = v;
	return s;
}

/* An answer as the status signer makes it. */
static void
answer_by(struct signer *who, enum sig_alg alg, slice id, struct buf *out, uint8_t v, enum ocsp_status status,
    instant produced)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct ocsp_plan p = {.serial = serial_of(v),
	    .status = status,
	    .revoked = produced,
	    .reason = REASON_KEY_COMPROMISE,
	    .produced = produced,
	    .this_update = produced,
	    .next_update = {produced.ms + 36 * HOUR_MS},
	    .responder_key_id = id};

	ocsp_issuer_of(&issuer, &p.issuer);
	ocsp_put_data(&data, &p);
	signer_sign(who, alg, buf_slice(&data), &sig);
	buf_clear(out);
	ocsp_join(out, buf_slice(&data), alg, buf_slice(&sig), signer_certificate(who));
}

static void
answer(struct buf *out, uint8_t v, enum ocsp_status status, instant produced)
{
	answer_by(responder, SIG_ECDSA_SHA256, ARR(responder_id), out, v, status, produced);
}

static void
certify(struct signer *who, uint8_t id[SHA1_LEN], uint8_t number)
{
	instant at = at_of("2026-01-01T00:00:00.000Z");
	struct cert_plan plan = {.serial = serial_of(number),
	    .not_before = at,
	    .not_after = instant_add_years(at, 1),
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .ocsp_signer = true};
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct key *k OWNED(key_drop) = NULL;

	expect_ok("slots", key_get_spki(signer_spki(who), &k));
	key_identifier(k, id);
	plan.issuer = plan.subject = issuer.subject;
	plan.spki = signer_spki(who);
	plan.ski = (slice){id, SHA1_LEN};
	plan.aki = issuer.ski;
	make_certificate(&der, ca, &plan);
	signer_set_certificate(who, buf_slice(&der));
}

static int
setup(void **state)
{
	instant at = at_of("2026-01-01T00:00:00.000Z");

	(void)state;
	ca = signer_new(KEY_P256, 256);
	responder = signer_new(KEY_P256, 256);
	second = signer_new(KEY_P384, 384);
	make_ca(ca, "slots", "slots test CA", at, 10);
	expect_ok("slots", cert_get(signer_certificate(ca), &issuer));
	certify(responder, responder_id, 1);
	certify(second, second_id, 2);
	return 0;
}

static void
common_of(struct slots_common *c, struct buf *first)
{
	answer(first, 1, OCSP_GOOD, at_of("2026-02-01T00:00:00.000Z"));
	expect_ok("slots", slots_common_get(buf_slice(first), &issuer, c));
}

static void
take_written(struct slots_writer *w, struct buf *out)
{
	slice piece;

	while (slots_write_out(w, &piece))
		buf_put(out, piece);
}

/* A file of n slots with serials 2, 4, 6 … */
static void
file_of(struct buf *out, const struct slots_common *c, size_t n)
{
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slot s;

	slots_write_start(&w, c, at_of("2026-02-01T00:00:00.000Z"));
	for (size_t i = 0; i < n; i++) {
		struct buf a OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

		answer(&a, (uint8_t)(2 * i + 2), i % 3 == 0 ? OCSP_REVOKED : OCSP_GOOD, at_of("2026-02-01T00:00:00.000Z"));
		expect_ok("slots", slot_get_answer(buf_slice(&a), c, &s));
		slots_write(&w, &s);
		take_written(&w, out);
	}
	slots_write_end(&w);
	take_written(&w, out);
	assert_int_equal(out->n, slots_file_bytes(c, n));
}

/* By a mould or not: the same bytes. */
static void
expect_moulded(const struct slots *s, const struct slot *slot)
{
	struct buf plain OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), moulded OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

	expect_ok("plain", slot_put_answer(&plain, &s->common, slot));
	expect_ok("moulded", slots_put_answer(&moulded, s, slot));
	expect_same("moulded", buf_slice(&moulded), buf_slice(&plain));
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
		struct slots s OWNED(slots_drop) = {0};
		struct slot slot;

		file_of(&file, &c, n);
		expect_ok("slots", slots_get(buf_slice(&file), &s));
		assert_int_equal(s.n, n);
		for (size_t i = 0; i < n; i++) {
			struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
			struct ocsp_answer a;

			expect_ok("slots", slots_find(&s, serial_of((uint8_t)(2 * i + 2)), &slot));
			expect_ok("slots", slot_put_answer(&again, &s.common, &slot));
			expect_moulded(&s, &slot);
			expect_ok("slots", ocsp_answer_get(buf_slice(&again), &a));
			assert_int_equal(a.status, i % 3 == 0 ? OCSP_REVOKED : OCSP_GOOD);
			expect_text("slots", slots_find(&s, serial_of((uint8_t)(2 * i + 3)), &slot),
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
		struct slots s OWNED(slots_drop) = {0};
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
		struct slots s OWNED(slots_drop) = {0};

		expect_text("slots", slots_get((slice){file.p, n}, &s), "slots-header: house: a status file is not whole");
	}
}

/* A damaged block costs its own certificates and no others, whatever in it is damaged, and is counted once. */
static void
test_damaged_block(void **state)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), file OWNED(buf_drop) = BUF(1U << 20);
	struct slots_common c;
	size_t slots_at_byte;

	(void)state;
	common_of(&c, &first);
	file_of(&file, &c, 50);
	slots_at_byte = file.n - 32 - 4 * 24 - 50 * 128;
	for (size_t in = 0; in < 128; in++) {
		struct slots s OWNED(slots_drop) = {0};
		struct slot slot;

		file.p[slots_at_byte + 20 * 128 + in] ^= 0x40; /* slot 20 stands in the second block, 16 to 31 */
		expect_ok("slots", slots_get(buf_slice(&file), &s));
		for (int again = 0; again < 2; again++)
			for (uint8_t i = 0; i < 50; i++)
				if (i / 16 == 1)
					expect_text("slots", slots_find(&s, serial_of((uint8_t)(2 * i + 2)), &slot),
					    "slot-block: house: a block of a status file is damaged");
				else
					expect_ok("slots", slots_find(&s, serial_of((uint8_t)(2 * i + 2)), &slot));
		expect_text(
		    "slots", slots_find(&s, serial_of(41), &slot), "slot-block: house: a block of a status file is damaged");
		expect_text("slots", slots_find(&s, serial_of(1), &slot),
		    "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
		expect_text("slots", slots_find(&s, serial_of(101), &slot),
		    "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
		assert_int_equal(slots_damaged(&s), 1);
		file.p[slots_at_byte + 20 * 128 + in] ^= 0x40;
	}
	{
		struct slots s OWNED(slots_drop) = {0};
		struct slot slot;

		expect_ok("slots", slots_get(buf_slice(&file), &s));
		expect_ok("slots", slots_at(&s, 0, &slot));
		file.p[slots_at_byte] ^= 1; /* checked at the first touch: this block is not read through again */
		expect_ok("slots", slots_at(&s, 1, &slot));
		assert_int_equal(slots_damaged(&s), 0);
		file.p[slots_at_byte] ^= 1;
		file.p[slots_at_byte + 54] = 0xFF; /* … but what is copied out of it is: no length leads out of a slot */
		expect_text("slots", slots_at(&s, 0, &slot), "slot-block: house: a block of a status file is damaged");
		expect_text(
		    "slots", slots_find(&s, serial_of(4), &slot), "slot-block: house: a block of a status file is damaged");
		assert_int_equal(slots_damaged(&s), 1);
		file.p[slots_at_byte + 54] = 0;
	}
}

/* CRC-32C bit by bit: a second opinion, and what a forger would compute. */
static uint32_t
crc(const uint8_t *p, size_t n)
{
	uint32_t c = 0xFFFFFFFF;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0x82F63B78 : 0);
	}
	return ~c;
}

static void
put_crc(uint8_t *p, uint32_t c)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(c >> (24 - 8 * i));
}

/* All checksums of a small file anew, but those of blocks. */
static void
seal(struct buf *file)
{
	uint8_t *end = file->p + file->n - 32;

	put_crc(file->p + 4092, crc(file->p, 4092));
	memcpy(end + 12, file->p + 4092, 4);
	put_crc(end + 28, crc(end, 28));
}

/* A header whose checksum is right and whose content is not: what a captured writer could leave. */
static void
test_header(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{0, 'J'}, {13, '1'}, {131, 1}, {134, 0x10}, {135, 71}, {139, 0}, {139, 2}, {139, 5}, {163, 0},
	    {163, 99}, {164, 1}};
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), file OWNED(buf_drop) = BUF(1U << 20);
	struct slots_common c;

	(void)state;
	common_of(&c, &first);
	file_of(&file, &c, 3);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slots s OWNED(slots_drop) = {0};
		uint8_t old = file.p[rows[i].at];

		file.p[rows[i].at] = rows[i].value;
		seal(&file);
		expect_text("slots", slots_get(buf_slice(&file), &s), "slots-header: house: a status file is not whole");
		file.p[rows[i].at] = old;
		seal(&file);
		expect_ok("slots", slots_get(buf_slice(&file), &s));
	}
}

/* Rotation: answers of an old and a new responder, of another algorithm, in one file; moved, each keeps its own. */
static void
test_rotation(void **state)
{
	instant at = at_of("2026-02-01T00:00:00.000Z");
	struct buf one OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), two OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct buf file OWNED(buf_drop) = BUF(1U << 20), again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots s OWNED(slots_drop) = {0};
	struct slots_common old, new, more;
	uint8_t map[SLOTS_RESPONDERS_MAX];
	struct slot a, b, found;

	(void)state;
	answer(&one, 1, OCSP_GOOD, at);
	answer_by(second, SIG_ECDSA_SHA384, ARR(second_id), &two, 2, OCSP_REVOKED, at);
	expect_ok("slots", slots_common_get(buf_slice(&one), &issuer, &old));
	expect_ok("slots", slots_common_get(buf_slice(&two), &issuer, &new));
	expect_text("slots", slot_get_answer(buf_slice(&two), &old, &b),
	    "slot-foreign: house: an OCSP answer is not one this status file could give back");
	expect_ok("slots", slot_get_answer(buf_slice(&two), &new, &b));
	assert_int_equal(b.responder, 0);
	expect_ok("slots", slots_common_join(&old, &new, map));
	assert_int_equal(old.n_responders, 2);
	assert_int_equal(map[0], 1);
	expect_ok("slots", slots_common_join(&old, &new, map)); /* known already */
	assert_int_equal(old.n_responders, 2);
	b.responder = map[b.responder];
	expect_ok("slots", slot_get_answer(buf_slice(&one), &old, &a));
	slots_write_start(&w, &old, at);
	slots_write(&w, &a);
	slots_write(&w, &b);
	slots_write_end(&w);
	take_written(&w, &file);
	expect_ok("slots", slots_get(buf_slice(&file), &s));
	assert_int_equal(s.slot_bytes, 56 + 104);
	expect_ok("slots", slots_find(&s, serial_of(1), &found));
	expect_ok("slots", slot_put_answer(&again, &s.common, &found));
	expect_same("old", buf_slice(&again), buf_slice(&one));
	buf_clear(&again);
	expect_ok("slots", slots_find(&s, serial_of(2), &found));
	expect_ok("slots", slot_put_answer(&again, &s.common, &found));
	expect_same("new", buf_slice(&again), buf_slice(&two));
	for (uint64_t i = 0; i < 4; i++) {
		expect_ok("slots", slots_at(&s, i % 2, &found));
		expect_moulded(&s, &found);
	}
	more = old;
	slots_common_keep(&more, (const bool[SLOTS_RESPONDERS_MAX]){false, true}, map);
	assert_true(more.n_responders == 1 && map[0] == SLOTS_RESPONDER_NONE && map[1] == 0);
	expect_same("the second stays", more.responder[0].cert, old.responder[1].cert);
	slots_common_map(&more, &old, map);
	assert_true(map[0] == SLOTS_RESPONDER_NONE && map[1] == 0 && map[2] == SLOTS_RESPONDER_NONE);
	more = old;
	for (uint8_t i = 0; i < 3; i++) {
		new.responder[0].key_id[0] ^= (uint8_t)(i + 4);
		if (i < 2)
			expect_ok("slots", slots_common_join(&more, &new, map));
		else
			expect_text("slots", slots_common_join(&more, &new, map),
			    "slots-responders: house: a status file has answers of at most four responders");
	}
	new.issuer.key1[0] ^= 1;
	expect_text("slots", slots_common_join(&more, &new, map),
	    "slot-foreign: house: an OCSP answer is not one this status file could give back");
}

/* The file is handed out in pieces as it grows: no buffer ever holds all of it. */
static void
test_stream(void **state)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), file OWNED(buf_drop) = BUF(4U << 20);
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots s OWNED(slots_drop) = {0};
	struct slots_common c;
	struct slot slot;
	size_t most = 0;
	slice piece;

	(void)state;
	common_of(&c, &first);
	expect_ok("slots", slot_get_answer(buf_slice(&first), &c, &slot));
	slots_write_start(&w, &c, at_of("2026-02-01T00:00:00.000Z"));
	for (size_t i = 0; i < 20000; i++) {
		slot.serial.b[13] = (uint8_t)(i >> 16);
		slot.serial.b[14] = (uint8_t)(i >> 8);
		slot.serial.b[15] = (uint8_t)i;
		slots_write(&w, &slot);
		while (slots_write_out(&w, &piece)) {
			most = piece.n > most ? piece.n : most;
			buf_put(&file, piece);
		}
	}
	slots_write_end(&w);
	take_written(&w, &file);
	assert_true(most < SLOTS_OUT_BYTES + 128);
	assert_int_equal(file.n, slots_file_bytes(&c, 20000));
	expect_ok("slots", slots_get(buf_slice(&file), &s));
	for (uint64_t i = 0; i < 20000; i += 7) {
		serial want = slot.serial;

		want.b[14] = (uint8_t)(i >> 8);
		want.b[15] = (uint8_t)i;
		expect_ok("slots", slots_find(&s, want, &slot));
		assert_true(serial_eq(want, slot.serial));
	}
}

static int
by_number(const void *a, const void *b)
{
	return serial_cmp(*(const serial *)a, *(const serial *)b);
}

/* Serials of every shape are found, and those beside them are not: reckoning where one stands is a guess only. */
static void
test_search(void **state)
{
	enum { N = 5000 };
	static serial all[N];
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slots_common c;
	struct slot slot;
	uint64_t random = 88172645463325252;

	(void)state;
	common_of(&c, &first);
	expect_ok("slots", slot_get_answer(buf_slice(&first), &c, &slot));
	for (int shape = 0; shape < 5; shape++) {
		struct buf file OWNED(buf_drop) = BUF(2U << 20);
		struct slots_writer w OWNED(slots_writer_drop) = {0};
		struct slots s OWNED(slots_drop) = {0};
		size_t n = 0;

		for (size_t i = 0; i < N; i++) {
			serial *v = &all[i];

			*v = (serial){.n = 16};
			for (size_t k = 0; k < SERIAL_MAX; k++) {
				random ^= random << 13, random ^= random >> 7, random ^= random << 17;
				v->b[k] = (uint8_t)random;
			}
			if (shape == 1) /* of every length */
				v->n = (uint8_t)(1 + i % 20);
			else if (shape == 2) /* one after the other */
				memset(v->b, 0, 14), v->b[13] = 1, v->b[14] = (uint8_t)(i >> 8), v->b[15] = (uint8_t)i;
			else if (shape == 3) /* in few heaps */
				memset(v->b, (int)(i % 3), 12);
			else if (shape == 4) /* thinner and thinner */
				memset(v->b, 0, i % 15);
			v->b[0] |= 1;
		}
		qsort(all, N, sizeof *all, by_number);
		for (size_t i = 0; i < N; i++)
			if (n == 0 || !serial_eq(all[n - 1], all[i]))
				all[n++] = all[i];
		slots_write_start(&w, &c, at_of("2026-02-01T00:00:00.000Z"));
		for (size_t i = 0; i < n; i++)
			if (i % 5 != 2) {
				slot.serial = all[i];
				slot.state = i % 3 == 0 ? SLOT_REVOKED : SLOT_GOOD;
				slot.reason = slot.state == SLOT_REVOKED ? (enum crl_reason)(i % 2) : REASON_UNSPECIFIED;
				slot.revoked.ms = slot.state == SLOT_REVOKED ? (int64_t)i * 1234567 : 0;
				slot.this_update.ms = slot.produced.ms + (int64_t)i * 1000000007;
				slot.next_update.ms = slot.this_update.ms + (int64_t)i * 1000;
				slot.signature_n = (uint16_t)(72 - i % 3);
				slot.signature[i % 60] ^= (uint8_t)i;
				slots_write(&w, &slot);
			}
		slots_write_end(&w);
		take_written(&w, &file);
		expect_ok("slots", slots_get(buf_slice(&file), &s));
		for (size_t i = 0; i < n; i++) {
			expect_text("search", slots_find(&s, all[i], &slot),
			    i % 5 != 2 ? NULL : "slot-absent: RFC 5019 2.2.3: no answer was signed for this serial");
			assert_true(i % 5 == 2 || serial_eq(slot.serial, all[i]));
			if (i % 5 != 2)
				expect_moulded(&s, &slot);
		}
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
	expect_text("slots", slot_put_answer(&out, &c, &s),
	    "slot-withdrawn: Rule 6(x): a new answer for this certificate is being signed");
}

static int
teardown(void **state)
{
	(void)state;
	signer_drop(&ca);
	signer_drop(&responder);
	signer_drop(&second);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_damaged_block), cmocka_unit_test(test_header), cmocka_unit_test(test_rotation),
	    cmocka_unit_test(test_stream), cmocka_unit_test(test_search), cmocka_unit_test(test_refusals)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
