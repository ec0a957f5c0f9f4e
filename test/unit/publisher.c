/* LINK: role/publisher/publisher.c role/publisher/status.c role/publisher/responders.c role/publisher/tree.c role/publisher/ocsp_files.c role/publisher/lapse.c test/jpki/make.c */
/* The status files while responders' certificates change: every answer stays what was signed, and no fifth is turned away. */
#include "test/unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/order_desk.h"
#include "act/order_sign.h"
#include "edge/clock.h"
#include "role/publisher/publisher.h"
#include "test/jpki/make.h"

#define MANY 40U /* certificates: three blocks of slots */
#define LIFE_MS (48 * HOUR_MS)

/* The clock's twin: it goes when it is told. */
static instant now = {1795312370000};

instant
clock_now(void)
{
	return now;
}

int64_t
clock_steady_ms(void)
{
	return now.ms;
}

err
clock_use_test(const char *path)
{
	(void)path;
	return ok;
}

static struct {
	char folder[64];
	struct publisher p;
	struct signer *ca;
	struct cert issuer;
	uint64_t id;
	struct signer *by;
	uint8_t key_id[SHA1_LEN];
} w;

static serial
serial_of(uint8_t v)
{
	serial s = {.n = 16, .b = {0x40}};

	s.b[15] = v;
	return s;
}

/* Another key from now on: what a rotation of the responder does. */
static void
rotate(uint8_t number)
{
	struct cert_plan plan = {.serial = serial_of(number),
	    .not_before = instant_floor_second(now),
	    .not_after = instant_add_years(instant_floor_second(now), 3),
	    .key_usage = USAGE_DIGITAL_SIGNATURE,
	    .ocsp_signer = true};
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct key *k OWNED(key_drop) = NULL;

	signer_drop(&w.by);
	w.by = signer_new(KEY_P256, 256);
	expect_ok("key", key_get_spki(signer_spki(w.by), &k));
	key_identifier(k, w.key_id);
	plan.issuer = plan.subject = w.issuer.subject;
	plan.spki = signer_spki(w.by);
	plan.ski = ARR(w.key_id);
	plan.aki = w.issuer.ski;
	make_certificate(&der, w.ca, &plan);
	signer_set_certificate(w.by, buf_slice(&der));
}

static void
sign(uint8_t v, struct buf *data, struct buf *sig)
{
	struct ocsp_plan p = {.serial = serial_of(v),
	    .status = OCSP_GOOD,
	    .produced = instant_floor_second(now),
	    .this_update = instant_floor_second(now),
	    .next_update = instant_floor_second((instant){now.ms + LIFE_MS}),
	    .responder_key_id = ARR(w.key_id)};

	ocsp_issuer_of(&w.issuer, &p.issuer);
	ocsp_put_data(data, &p);
	signer_sign(w.by, SIG_ECDSA_SHA256, buf_slice(data), sig);
}

/* A first answer. */
static err
give(uint8_t v)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX),
	                whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct answers_reply r = {.n = 1, .serial = {serial_of(v)}};

	sign(v, &data, &sig);
	ocsp_join(&whole, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), signer_certificate(w.by));
	r.answer[0] = buf_slice(&whole);
	r.this_update[0] = instant_floor_second(now);
	r.next_update[0] = instant_floor_second((instant){now.ms + LIFE_MS});
	answers_reply_put(&body, &r);
	TRY(status_take_slots(&w.p, buf_slice(&body)));
	return status_write(&w.p);
}

/* Answers made anew of the first n certificates. */
static void
renew(uint8_t n)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct buf sig[MANY];
	struct slots_part part = {.last = true,
	    .produced = instant_floor_second(now),
	    .this_update = instant_floor_second(now),
	    .next_update = instant_floor_second((instant){now.ms + LIFE_MS}),
	    .responder = signer_certificate(w.by),
	    .n = n};
	bool at_once;

	for (uint8_t i = 0; i < n; i++) {
		struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);

		sig[i] = BUF(SIG_MAX);
		sign((uint8_t)(i + 1), &data, &sig[i]);
		part.slot[i] = (struct answer_row){.serial = serial_of((uint8_t)(i + 1)), .signature = buf_slice(&sig[i])};
	}
	slots_part_put(&body, &part);
	expect_ok("anew", status_take_renewed(&w.p, ++w.id, buf_slice(&body), &at_once));
	for (uint8_t i = 0; i < n; i++)
		buf_drop(&sig[i]);
}

/* Seen by readers: whatever was held back is merged. */
static void
merge(void)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	uint64_t done[RENEWED_IDS_MAX + 2], question = ++w.id;
	bool seen = false, at_once;

	slots_part_put(&body, &(struct slots_part){.last = true});
	expect_ok("asked", status_take_renewed(&w.p, question, buf_slice(&body), &at_once));
	for (unsigned i = 0; i < 100 && !seen; i++) {
		size_t n;

		expect_ok("turn", status_turn(&w.p, now.ms, done, &n));
		for (size_t k = 0; k < n; k++)
			seen = seen || done[k] == question;
	}
	expect_true("seen", seen);
}

static void
load(const char *name, struct buf *out)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/status/%s", w.folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf_space(out, 1U << 20), 1U << 20);
	close(fd);
	out->n = n > 0 ? (size_t)n : 0;
}

/* How many responders a file names; every answer in it verifies under the certificate it carries. */
static size_t
responders_in(const char *name, size_t *n)
{
	struct buf file OWNED(buf_drop) = BUF(1U << 21);
	struct slots s OWNED(slots_drop) = {0};

	load(name, &file);
	*n = 0;
	if (file.n == 0)
		return 0;
	expect_ok(name, slots_get(buf_slice(&file), &s));
	*n = (size_t)s.n;
	for (uint64_t i = 0; i < s.n; i++) {
		struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
		struct key *k OWNED(key_drop) = NULL;
		struct ocsp_answer a;
		struct slot one;
		struct cert c;

		expect_ok("slot", slots_at(&s, i, &one));
		expect_ok("answer", slot_put_answer(&whole, &s.common, &one));
		expect_ok("read", ocsp_answer_get(buf_slice(&whole), &a));
		expect_ok("certificate", cert_get(a.responder_cert, &c));
		expect_ok("key", key_get_spki(c.spki, &k));
		expect_ok("signature", key_check(k, a.alg, a.data, a.signature));
	}
	return s.common.n_responders;
}

static void
open_publisher(void)
{
	int fd = open(w.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	w.p = (struct publisher){0};
	expect_ok("open", publisher_open(&w.p, fd));
}

static void
close_publisher(void)
{
	int fd = w.p.repository;

	publisher_drop(&w.p);
	close(fd);
}

static int
setup(void **state)
{
	char path[128];
	slice der;
	int fd;

	(void)state;
	snprintf(w.folder, sizeof w.folder, "/tmp/publisher.XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	w.ca = signer_new(KEY_P256, 256);
	make_ca(w.ca, "slots", "slots test CA", instant_floor_second(now), 10);
	der = signer_certificate(w.ca);
	expect_ok("issuer", cert_get(der, &w.issuer));
	snprintf(path, sizeof path, "%s/ca", w.folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof path, "%s/ca/issuer.cer", w.folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, der.p, der.n), (ssize_t)der.n);
	close(fd);
	open_publisher();
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	close_publisher();
	signer_drop(&w.by);
	signer_drop(&w.ca);
	snprintf(command, sizeof command, "rm -rf %s", w.folder);
	return system(command);
}

/* Ten changes, each after the wheel went round: the files never name more than two. */
static void
test_ten(void **state)
{
	size_t n;

	(void)state;
	rotate(200);
	for (uint8_t v = 1; v <= MANY; v++)
		expect_ok("first", give(v));
	renew(MANY);
	merge();
	expect_number("one", responders_in("base", &n), 1);
	expect_number("all", n, MANY);
	for (uint8_t i = 1; i <= 10; i++) {
		now.ms += HOUR_MS;
		rotate((uint8_t)(200 + i));
		expect_ok("by the new one", give(MANY)); /* revoked, or issued, meanwhile */
		renew(MANY / 2);
		merge();
		expect_number("half of them", responders_in("base", &n), 2);
		if (i == 5) { /* what a restart finds in the files says the same */
			close_publisher();
			open_publisher();
		}
		renew(MANY);
		merge();
		now.ms += HOUR_MS;
		renew(MANY);
		merge();
		expect_number("the old one left", responders_in("base", &n), 1);
		expect_number("nobody's answer did", n, MANY);
		expect_ok("recent too", give(1));
		expect_number("the old one left recent", responders_in("recent", &n), 1);
	}
}

static const char FIFTH[] = "slots-responders: house: a status file has answers of at most four responders";
static const char LOOKS[] = "publisher-looks: house: whose answers may leave is being looked up; ask again";

/* Base is looked at in so many turns. */
static void
look(unsigned turns)
{
	uint64_t done[RENEWED_IDS_MAX + 2];
	size_t n;

	for (unsigned i = 0; i < turns; i++) {
		expect_true("on its way", w.p.look.on && publisher_timeout_ms(&w.p) == 0);
		expect_ok("turn", status_turn(&w.p, now.ms, done, &n));
	}
}

/* Five in a day: the fifth is refused while four have valid answers, and taken once one's have lapsed. */
static void
test_fifth(void **state)
{
	size_t n;

	(void)state;
	now.ms += 100 * HOUR_MS;
	for (uint8_t i = 0; i < 4; i++) {
		rotate((uint8_t)(220 + i));
		expect_ok("each has one", give((uint8_t)(MANY + 1 + i)));
		if (i == 0) {
			renew(MANY);
			merge();
			renew(MANY); /* the last of the ten changes leaves */
			merge();
		}
		if (i == 1)
			merge();
		now.ms += HOUR_MS;
	}
	expect_number("four", responders_in("recent", &n), 4);
	rotate(224);
	expect_text("a fifth", give(MANY + 5), FIFTH);
	close_publisher();
	open_publisher(); /* nobody looked at base since */
	expect_text("it is looked at", give(MANY + 5), LOOKS);
	expect_text("asked meanwhile", give(MANY + 5), LOOKS);
	look(1);
	expect_true("done", !w.p.look.on);
	expect_text("still", give(MANY + 5), FIFTH);
	now.ms += LIFE_MS - 4 * HOUR_MS; /* the first one's have lapsed, to the second */
	renew(1);
	expect_ok("room", give(MANY + 5));
	expect_number("four again", responders_in("recent", &n), 4);
	merge();
	expect_number("in base too", responders_in("base", &n), 4);
	expect_number("what had lapsed left with its responder", n, 5);
}

/* A base of many answers is looked at over turns. */
static void
test_look_in_steps(void **state)
{
	static const uint8_t SIG[8] = {1};

	(void)state;
	now.ms += 100 * DAY_MS; /* nothing of the others is left */
	rotate(230);
	for (unsigned i = 0; i < 2 * MERGE_SLOTS + 1;) {
		struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
		struct slots_part part = {.last = true,
		    .produced = instant_floor_second(now),
		    .this_update = instant_floor_second(now),
		    .next_update = instant_floor_second((instant){now.ms + LIFE_MS}),
		    .responder = signer_certificate(w.by)};
		bool at_once;

		for (; part.n < COUNT(part.slot) && i < 2 * MERGE_SLOTS + 1; i++)
			part.slot[part.n++] = (struct answer_row){
			    .serial = {4, {0x50, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}}, .signature = ARR(SIG)};
		slots_part_put(&body, &part);
		expect_ok("anew", status_take_renewed(&w.p, ++w.id, buf_slice(&body), &at_once));
	}
	merge();
	renew(1); /* whose answers all left leave with the next merge */
	merge();
	expect_true("base", w.p.base_n >= 2 * MERGE_SLOTS + 1);
	for (uint8_t i = 0; i < 3; i++) {
		rotate((uint8_t)(231 + i));
		expect_ok("each has one", give((uint8_t)(MANY + 1 + i)));
	}
	close_publisher();
	open_publisher();
	rotate(234);
	for (int again = 0; again < 2; again++) {
		expect_text("not at once", give(MANY + 5), again ? FIFTH : LOOKS);
		if (!again) {
			look(3);
			expect_true("done", !w.p.look.on);
		}
	}
	close_publisher();
	open_publisher();
	expect_text("once more", give(MANY + 5), LOOKS);
	look(1); /* and it ends on its way */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ten), cmocka_unit_test(test_fifth), cmocka_unit_test(test_look_in_steps)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
