/* LINK: role/publisher/publisher.c role/publisher/status.c role/publisher/responders.c role/publisher/tree.c role/publisher/ocsp_files.c role/publisher/lapse.c test/jpki/make.c test/edge/disk.c */
/*
 * What the publisher leaves for readers, Rule 6(xi) B-11: which word on a certificate they get when recent, base and answers
 * made anew differ; from damaged files; after a death, a power cut or a full disk at each single effect of a list, a status
 * file, a text, a checkpoint.  The reader here looks as front does, at what stands on the disk.
 */
#include "test/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/order_desk.h"
#include "act/order_send.h"
#include "act/order_sign.h"
#include "act/slots.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "role/publisher/publisher.h"
#include "test/edge/disk.h"
#include "test/jpki/make.h"

#define X 11 /* the certificate that rows are about */

static struct signer *ca, *responder;
static struct cert issuer;
static struct slots_common common;
static uint8_t responder_id[SHA1_LEN];
static instant day; /* second 0 of the rows */
static char top[64];
static int folder = -1;
static bool with_files = true; /* answers as files too */

/* --- a world --------------------------------------------------------------------------------- */
static serial
serial_of(unsigned v)
{
	serial s = {.n = 16, .b = {0x40}};

	s.b[13] = (uint8_t)(v >> 16);
	s.b[14] = (uint8_t)(v >> 8);
	s.b[15] = (uint8_t)v;
	return s;
}

static int
setup(void **state)
{
	struct buf der OWNED(buf_drop) = BUF(CERT_MAX);
	struct key *k OWNED(key_drop) = NULL;
	struct cert_plan plan = {
	    .serial = serial_of(9999), .key_usage = USAGE_DIGITAL_SIGNATURE, .ocsp_signer = true, .ski = ARR(responder_id)};

	(void)state;
	day = (instant){instant_floor_second(clock_now()).ms - HOUR_MS};
	ca = signer_new(KEY_P256, 256);
	responder = signer_new(KEY_P256, 256);
	make_ca(ca, "published", "published test CA", (instant){day.ms - DAY_MS}, 10);
	expect_ok("ca", cert_get(signer_certificate(ca), &issuer));
	expect_ok("key", key_get_spki(signer_spki(responder), &k));
	key_identifier(k, responder_id);
	plan.not_before = (instant){day.ms - DAY_MS};
	plan.not_after = instant_add_years(plan.not_before, 1);
	plan.issuer = plan.subject = issuer.subject;
	plan.spki = signer_spki(responder);
	plan.aki = issuer.ski;
	make_certificate(&der, ca, &plan);
	signer_set_certificate(responder, buf_slice(&der));
	expect_ok("common", slots_common_of(signer_certificate(responder), &issuer, &common));
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* An empty repository but for the CA's certificate; in memory where the machine has such a place: nothing here needs a disk. */
static void
fresh(void)
{
	int at = -1;

	disk_close(&folder);
	if (top[0] != '\0')
		(void)nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	snprintf(top, sizeof top, "%s/inkan-published-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(top));
	folder = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder >= 0);
	expect_ok("ca", disk_folder(folder, "ca", FOLDER_MAKE, &at));
	expect_ok("ca", disk_replace(at, "issuer.cer", signer_certificate(ca)));
	disk_close(&at);
}

static int
teardown(void **state)
{
	(void)state;
	disk_close(&folder);
	(void)nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static bool
load(const char *below, const char *name, struct buf *out)
{
	int at = -1;
	err e;

	buf_clear(out);
	if (disk_folder(folder, below, FOLDER_THERE, &at).kind != OK)
		return false;
	e = disk_load(at, name, out);
	disk_close(&at);
	return e.kind == OK;
}

static void
store(const char *below, const char *name, slice bytes)
{
	int at = -1;

	expect_ok(name, disk_folder(folder, below, FOLDER_MAKE, &at));
	expect_ok(name, disk_replace(at, name, bytes));
	disk_close(&at);
}

/* --- words ------------------------------------------------------------------------------------ */
enum word { NONE, GOOD, REVOKED, WITHDRAWN, WITHHELD };
static const char *const WORD[] = {"none", "good", "revoked", "withdrawn", "withheld"};

struct saying {
	enum word word;
	int64_t at; /* seconds after `day` */
};

static struct slot
slot_of(unsigned v, struct saying w)
{
	instant at = {day.ms + w.at * 1000};
	struct slot s = {.serial = serial_of(v),
	    .state = w.word == GOOD      ? SLOT_GOOD
	             : w.word == REVOKED ? SLOT_REVOKED
	                                 : SLOT_WITHDRAWN,
	    .produced = at,
	    .this_update = at,
	    .next_update = at};

	if (w.word == REVOKED) {
		s.revoked = day;
		s.reason = REASON_KEY_COMPROMISE;
	}
	if (w.word != WITHDRAWN) {
		s.next_update.ms += 2 * DAY_MS;
		s.signature_n = 70;
		memset(s.signature, (int)(v & 0xFF), 70);
	}
	return s;
}

/* Slots from..to by step, said at second 1, and X where its word is one; as the publisher writes them. */
static void
put_file(const char *name, unsigned from, unsigned to, unsigned step, struct saying x)
{
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct buf b OWNED(buf_drop) = BUF(16U << 20);
	slice piece;

	slots_write_start(&w, &common, day);
	for (unsigned v = 1; v <= to; v++) {
		struct slot s = slot_of(v, v == X ? x : (struct saying){GOOD, 1});

		if (v == X ? x.word != NONE : v >= from && (v - from) % step == 0)
			slots_write(&w, &s);
		while (slots_write_out(&w, &piece))
			buf_put(&b, piece);
	}
	slots_write_end(&w);
	while (slots_write_out(&w, &piece))
		buf_put(&b, piece);
	store("status", name, buf_slice(&b));
}

/* What front would make of it: see role/front/answers.c. */
static struct saying
word_on(unsigned v)
{
	static const char *const names[] = {"recent", "base"};
	bool damaged = false;

	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf b OWNED(buf_drop) = BUF(16U << 20);
		struct slots s OWNED(slots_drop) = {0};
		struct slot found;
		err e;

		if (!load("status", names[i], &b))
			continue;
		e = slots_get(buf_slice(&b), &s);
		if (e.kind == OK)
			e = slots_find(&s, serial_of(v), &found);
		if (e.kind == OK && (!damaged || found.state == SLOT_REVOKED))
			return (struct saying){found.state == SLOT_GOOD      ? GOOD
			                       : found.state == SLOT_REVOKED ? REVOKED
			                                                     : WITHDRAWN,
			    (found.produced.ms - day.ms) / 1000};
		damaged = damaged || e.kind == ERR_CORRUPT;
	}
	return (struct saying){damaged ? WITHHELD : NONE, 0};
}

static void
expect_word(const char *row, unsigned v, struct saying want)
{
	struct saying got = word_on(v);

	if (got.word != want.word || (got.word != WITHHELD && got.word != NONE && got.at != want.at))
		fail_msg("%s: serial %u: got %s of %lld, want %s of %lld", row, v, WORD[got.word], (long long)got.at,
		    WORD[want.word], (long long)want.at);
}

/* Not there, or whole to its last block; how many slots. */
static uint64_t
expect_whole(const char *row, const char *name)
{
	struct buf b OWNED(buf_drop) = BUF(16U << 20);
	struct slots s OWNED(slots_drop) = {0};
	struct slot one;

	if (!load("status", name, &b))
		return 0;
	expect_ok(row, slots_get(buf_slice(&b), &s));
	for (uint64_t i = 0; i < s.n; i++)
		expect_ok(row, slots_at(&s, i, &one));
	return s.n;
}

/* Its file is the answer with this word. */
static bool
has_file_of(unsigned v, struct saying w)
{
	struct buf request OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), path OWNED(buf_drop) = BUF(512);
	struct ocsp_certid id = {.alg = HASH_SHA1,
	    .name_hash = ARR(common.issuer.name1),
	    .key_hash = ARR(common.issuer.key1),
	    .serial = serial_of(v)};
	struct buf file OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), want OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slot s = slot_of(v, w);

	ocsp_request_put(&request, &id, (slice){NULL, 0});
	buf_put_str(&path, top);
	buf_put_str(&path, "/ocsp/");
	buf_put_base64(&path, buf_slice(&request));
	buf_put_u8(&path, 0);
	if (access((const char *)path.p, F_OK) != 0)
		return false;
	file_get((const char *)path.p, &file);
	return slot_put_answer(&want, &common, &s).kind == OK && slice_eq(buf_slice(&file), buf_slice(&want));
}

#define FILE_TURNS 4096 /* more than any look here takes */

/* --- the publisher, in this process -------------------------------------------------------------- */
static err
begin(struct publisher *p)
{
	*p = (struct publisher){.ocsp_files = with_files};
	return publisher_open(p, folder);
}

/* One order, and what a turn does after it. */
static err
order(struct publisher *p, uint8_t kind, uint64_t id, const struct buf *body)
{
	struct frame f = {.kind = kind, .id = id, .body = buf_slice(body)};
	bool now;

	TRY(buf_check(body));
	TRY(publisher_take(p, &f, &now));
	return status_write(p);
}

static err
say(struct publisher *p, unsigned v, struct saying w)
{
	struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct slot s = slot_of(v, w);
	struct answers_reply r = {
	    .n = 1, .serial = {s.serial}, .this_update = {s.this_update}, .next_update = {s.next_update}};

	if (w.word == WITHDRAWN) {
		serial_order_put(&body, &(struct serial_order){s.serial});
		return order(p, ORDER_WITHDRAW, 0, &body);
	}
	TRY(slot_put_answer(&whole, &common, &s));
	r.answer[0] = buf_slice(&whole);
	answers_reply_put(&body, &r);
	return order(p, ORDER_SLOTS, 1, &body);
}

/* Answers anew about `from` to `to` by step, and X where its word is one. */
static err
renew(struct publisher *p, uint64_t id, unsigned from, unsigned to, unsigned step, int64_t at, struct saying x)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct slots_part part = {.last = true, .responder = signer_certificate(responder)};
	struct slot s[SLOTS_PART_MAX];

	part.produced = part.this_update = (instant){day.ms + at * 1000};
	part.next_update = (instant){part.produced.ms + 2 * DAY_MS};
	for (unsigned v = from; v <= to; v += step) {
		s[part.n] = slot_of(v, (struct saying){GOOD, at});
		part.n++;
	}
	if (x.word != NONE) {
		assert_true(x.at == at && x.word != WITHDRAWN && X < from);
		memmove(s + 1, s, part.n * sizeof s[0]);
		s[0] = slot_of(X, x);
		part.n++;
	}
	for (size_t i = 0; i < part.n; i++)
		part.slot[i] = (struct answer_row){
		    s[i].serial, s[i].state == SLOT_REVOKED, s[i].revoked, s[i].reason, {s[i].signature, s[i].signature_n}};
	slots_part_put(&body, &part);
	return order(p, ORDER_RENEWED, id, &body);
}

static err
ask(struct publisher *p, uint64_t id, bool whole)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	slots_part_put(&body, &(struct slots_part){.last = true, .whole = whole});
	return order(p, ORDER_RENEWED, id, &body);
}

/* Turns until nothing is under way; *seen: the ids answered. */
static err
settle(struct publisher *p, uint64_t *seen)
{
	uint64_t done[RENEWED_IDS_MAX + 2];
	int64_t steady = 1000000;
	size_t n;

	for (int i = 0; i < 64; i++) {
		err e = status_turn(p, steady, done, &n);

		for (size_t k = 0; k < n; k++)
			*seen |= UINT64_C(1) << done[k];
		TRY(e);
		steady += MERGE_AGAIN_MS; /* what failed is tried again */
	}
	TRY(status_write(p));
	for (int i = 0; i < FILE_TURNS && ocsp_files_waits(p); i++)
		TRY(ocsp_files_turn(p));
	return ok;
}

/* --- which lapses first ------------------------------------------------------------------------- */
#define LAST 30001U /* of the serials of that test; the base has five segments (lapse.c) */

/* By reading everything. */
static struct lapse_reply
first_by_hand(const struct lapse_order *o)
{
	struct buf recent_bytes OWNED(buf_drop) = BUF(16U << 20), base_bytes OWNED(buf_drop) = BUF(16U << 20);
	struct slots recent OWNED(slots_drop) = {0}, base OWNED(slots_drop) = {0};
	struct lapse_reply best = {.state = LAPSE_NONE};

	if (load("status", "recent", &recent_bytes))
		expect_ok("recent", slots_get(buf_slice(&recent_bytes), &recent));
	if (load("status", "base", &base_bytes))
		expect_ok("base", slots_get(buf_slice(&base_bytes), &base));
	for (unsigned v = 1; v <= LAST; v++) {
		struct slot s;
		bool have = recent.n > 0 && slots_find(&recent, serial_of(v), &s).kind == OK;

		if (!have && (base.n == 0 || slots_find(&base, serial_of(v), &s).kind != OK))
			continue;
		if (s.state == SLOT_GOOD &&
		    (s.next_update.ms > o->after.ms ||
		        (s.next_update.ms == o->after.ms && (!o->has_serial || serial_cmp(s.serial, o->after_serial) > 0))) &&
		    (best.state == LAPSE_NONE || s.next_update.ms < best.next_update.ms))
			best = (struct lapse_reply){LAPSE_FOUND, s.serial, s.this_update, s.next_update};
	}
	return best;
}

static struct lapse_reply
first_told(struct publisher *p, const struct lapse_order *o)
{
	struct buf body OWNED(buf_drop) = BUF(64), reply OWNED(buf_drop) = BUF(256);
	struct lapse_reply r = {.state = LAPSE_LOOKING};

	lapse_order_put(&body, o);
	for (int turns = 0; turns < 100 && r.state == LAPSE_LOOKING; turns++) {
		buf_clear(&reply);
		expect_ok(
		    "asked", lapses_answer(p, &(struct frame){.kind = ORDER_LAPSE, .id = 1, .body = buf_slice(&body)}, &reply));
		expect_ok("told", lapse_reply_get(buf_slice(&reply), &r));
		if (lapses_waits(p))
			lapses_turn(p);
	}
	return r;
}

/* Asks on behind each that was found, as a registrar does whose certificates have ended. */
static void
expect_first(const char *row, struct publisher *p, int steps)
{
	struct lapse_order o = {{0}, false, {0}};

	for (int i = 0; i < steps; i++) {
		struct lapse_reply want = first_by_hand(&o), got = first_told(p, &o);

		if (got.state != want.state || (want.state == LAPSE_FOUND && (!serial_eq(got.serial, want.serial) ||
		                                                                 got.next_update.ms != want.next_update.ms ||
		                                                                 got.this_update.ms != want.this_update.ms)))
			fail_msg("%s, step %d: state %d at %lld, want %d at %lld", row, i, got.state, (long long)got.next_update.ms,
			    want.state, (long long)want.next_update.ms);
		if (want.state != LAPSE_FOUND)
			return;
		o = (struct lapse_order){want.next_update, true, want.serial};
	}
}

/* Issue 3, 8: the first answer to lapse of all that readers get, whatever recent says over base, before and after a merge. */
static void
test_lapse(void **state)
{
	struct publisher p;
	uint64_t seen;

	(void)state;
	with_files = false;
	fresh();
	expect_ok("begins", begin(&p));
	expect_first("nothing is published", &p, 1);
	publisher_drop(&p);
	put_file("base", 1, 20000, 1, (struct saying){GOOD, -5});
	expect_ok("begins", begin(&p));
	expect_first("a base alone", &p, 6);
	expect_ok("said", say(&p, LAST, (struct saying){GOOD, -9}));
	expect_first("one in recent", &p, 4);
	expect_ok("said", say(&p, X, (struct saying){WITHDRAWN, 0}));
	expect_first("one withdrawn", &p, 4);
	expect_ok("said", say(&p, LAST, (struct saying){REVOKED, 30}));
	expect_ok("said", say(&p, 1, (struct saying){GOOD, 20}));
	expect_ok("said", say(&p, 5000, (struct saying){REVOKED, 20}));
	expect_first("revoked, and made anew", &p, 4);
	for (unsigned v = 2; v <= 150; v++) /* more of one segment than one question looks at again */
		expect_ok("said", say(&p, v, (struct saying){GOOD, 21}));
	expect_first("many newer words", &p, 4);
	expect_ok("anew", renew(&p, 1, 4000, 4100, 1, 60, (struct saying){NONE, 0}));
	expect_first("answers held back are not seen", &p, 2);
	expect_ok("asked", ask(&p, 2, false));
	expect_ok("merged", settle(&p, &seen));
	expect_first("merged", &p, 6);
	publisher_drop(&p);
	expect_ok("begins", begin(&p));
	expect_first("a new publisher", &p, 6);
	publisher_drop(&p);
	with_files = true;
}

/* --- which word ------------------------------------------------------------------------------------ */
/* Readers had recent before base; afterwards base has the newest word of the three, and recent is empty. */
static void
test_merge(void **state)
{
	static const struct {
		const char *name;
		struct saying base, recent, renewed, want;
	} rows[] = {
	    {"nothing anywhere", {NONE, 0}, {NONE, 0}, {NONE, 0}, {NONE, 0}},
	    {"base alone stays", {GOOD, 1}, {NONE, 0}, {NONE, 0}, {GOOD, 1}},
	    {"recent alone goes into base", {NONE, 0}, {GOOD, 1}, {NONE, 0}, {GOOD, 1}},
	    {"made anew alone", {NONE, 0}, {NONE, 0}, {GOOD, 9}, {GOOD, 9}},
	    {"recent over an older base", {GOOD, 1}, {GOOD, 5}, {NONE, 0}, {GOOD, 5}},
	    {"recent over base, revoked", {GOOD, 1}, {REVOKED, 5}, {NONE, 0}, {REVOKED, 5}},
	    {"revoked in recent, of base's second", {GOOD, 5}, {REVOKED, 5}, {NONE, 0}, {REVOKED, 5}},
	    {"good in recent, of base's second", {REVOKED, 5}, {GOOD, 5}, {NONE, 0}, {REVOKED, 5}},
	    {"an older recent never over base", {GOOD, 5}, {GOOD, 1}, {NONE, 0}, {GOOD, 5}},
	    {"an older recent never over base, revoked", {REVOKED, 5}, {GOOD, 1}, {NONE, 0}, {REVOKED, 5}},
	    {"made anew over both", {GOOD, 1}, {GOOD, 5}, {GOOD, 9}, {GOOD, 9}},
	    {"made anew, revoked, over both", {GOOD, 1}, {GOOD, 5}, {REVOKED, 9}, {REVOKED, 9}},
	    {"made anew before the revocation", {GOOD, 1}, {REVOKED, 12}, {GOOD, 9}, {REVOKED, 12}},
	    {"made anew in the revocation's second", {GOOD, 1}, {REVOKED, 9}, {GOOD, 9}, {REVOKED, 9}},
	    {"made anew, older than base", {GOOD, 12}, {NONE, 0}, {GOOD, 9}, {GOOD, 12}},
	    {"withdrawn stays over base", {GOOD, 1}, {WITHDRAWN, 5}, {NONE, 0}, {WITHDRAWN, 5}},
	    {"withdrawn, and an older one made anew", {GOOD, 1}, {WITHDRAWN, 12}, {GOOD, 9}, {WITHDRAWN, 12}},
	    {"withdrawn in the second it was made anew", {GOOD, 1}, {WITHDRAWN, 9}, {GOOD, 9}, {WITHDRAWN, 9}},
	    {"withdrawn, then made anew", {GOOD, 1}, {WITHDRAWN, 5}, {GOOD, 9}, {GOOD, 9}},
	    {"withdrawn, then revoked", {GOOD, 1}, {WITHDRAWN, 5}, {REVOKED, 9}, {REVOKED, 9}},
	    {"revoked by a clock before the withdrawal's", {GOOD, 1}, {WITHDRAWN, 12}, {REVOKED, 9}, {REVOKED, 9}},
	    {"withdrawn after it was revoked: revoked still", {REVOKED, 1}, {WITHDRAWN, 5}, {NONE, 0}, {REVOKED, 1}},
	    {"withdrawn stays in base", {WITHDRAWN, 5}, {NONE, 0}, {NONE, 0}, {WITHDRAWN, 5}},
	    {"… until it is answered anew", {WITHDRAWN, 5}, {NONE, 0}, {REVOKED, 9}, {REVOKED, 9}},
	    {"an answer ended for a month leaves base", {GOOD, -33 * 86400}, {NONE, 0}, {NONE, 0}, {NONE, 0}},
	    {"one ended for less stays", {GOOD, -31 * 86400}, {NONE, 0}, {NONE, 0}, {GOOD, -31 * 86400}},
	    {"what is withdrawn never leaves", {WITHDRAWN, -99 * 86400}, {NONE, 0}, {NONE, 0}, {WITHDRAWN, -99 * 86400}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct publisher p;
		uint64_t seen = 0;

		fresh();
		put_file("base", 2, 60, 2, rows[i].base);
		put_file("recent", 3, 20, 100, rows[i].recent);
		expect_ok(rows[i].name, begin(&p));
		expect_ok(rows[i].name, renew(&p, 1, 22, 30, 2, 9, rows[i].renewed));
		expect_ok(rows[i].name, ask(&p, 2, false));
		expect_ok(rows[i].name, settle(&p, &seen));
		publisher_drop(&p);
		expect_number(rows[i].name, seen, 1U << 1 | 1U << 2);
		expect_number(rows[i].name, expect_whole(rows[i].name, "recent"), 0);
		expect_number(rows[i].name, expect_whole(rows[i].name, "base"), rows[i].want.word == NONE ? 31 : 32);
		expect_word(rows[i].name, X, rows[i].want);
		expect_word(rows[i].name, 2, (struct saying){GOOD, 1});
		expect_word(rows[i].name, 3, (struct saying){GOOD, 1});
		expect_word(rows[i].name, 24, (struct saying){GOOD, 9});
		expect_word(rows[i].name, 60, (struct saying){GOOD, 1});
		expect_word(rows[i].name, 61, (struct saying){NONE, 0});
	}
}

/* What comes on top of what recent has; the same while recent is on its way into base; and when that way is cut short. */
static void
test_arrival(void **state)
{
	static const struct {
		const char *name;
		struct saying recent, comes, want;
	} rows[] = {
	    {"the first", {NONE, 0}, {GOOD, 5}, {GOOD, 5}},
	    {"a newer one", {GOOD, 5}, {GOOD, 6}, {GOOD, 6}},
	    {"an older one", {GOOD, 5}, {GOOD, 4}, {GOOD, 5}},
	    {"revoked", {GOOD, 5}, {REVOKED, 6}, {REVOKED, 6}},
	    {"revoked in that second", {GOOD, 5}, {REVOKED, 5}, {REVOKED, 5}},
	    {"good in the second it was revoked", {REVOKED, 5}, {GOOD, 5}, {REVOKED, 5}},
	    {"good from before it was revoked", {REVOKED, 5}, {GOOD, 4}, {REVOKED, 5}},
	    {"good from before it was withdrawn", {WITHDRAWN, 5}, {GOOD, 4}, {WITHDRAWN, 5}},
	    {"good in the second it was withdrawn", {WITHDRAWN, 5}, {GOOD, 5}, {WITHDRAWN, 5}},
	    {"good after it was withdrawn", {WITHDRAWN, 5}, {GOOD, 6}, {GOOD, 6}},
	    {"revoked after it was withdrawn", {WITHDRAWN, 5}, {REVOKED, 6}, {REVOKED, 6}},
	    {"revoked, by the signer's slower clock", {WITHDRAWN, 5}, {REVOKED, 4}, {REVOKED, 4}},
	    {"withdrawn, revoked already", {REVOKED, 5}, {WITHDRAWN, 0}, {REVOKED, 5}},
	};
	enum { PLAIN, MERGING, UNDONE };

	(void)state;
	for (int how = PLAIN; how <= UNDONE; how++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			const char *row = rows[i].name;
			uint64_t done[RENEWED_IDS_MAX + 2], seen = 0;
			struct publisher p;
			size_t n;

			fresh();
			put_file("base", 2, how == PLAIN ? 60 : 9000, 2, (struct saying){GOOD, 1});
			put_file("recent", 3, 20, 100, rows[i].recent);
			expect_ok(row, begin(&p));
			for (int k = 0; how == PLAIN && k < FILE_TURNS && ocsp_files_waits(&p); k++)
				expect_ok(row, ocsp_files_turn(&p)); /* the look of a start has ended */
			if (how != PLAIN) {
				expect_ok(row, renew(&p, 1, 22, 30, 2, 9, (struct saying){NONE, 0}));
				expect_ok(row, ask(&p, 2, false));
				expect_ok(row, status_turn(&p, 1000000, done, &n));
				expect_true("a merge is on its way", p.merge.on && n == 0);
			}
			expect_ok(row, say(&p, X, rows[i].comes));
			for (int k = 0; k < FILE_TURNS && ocsp_files_waits(&p); k++)
				expect_ok(row, ocsp_files_turn(&p));
			if (how == PLAIN)
				expect_true("its file says the same, or there is none",
				    rows[i].want.word == WITHDRAWN ? !has_file_of(X, rows[i].comes) : has_file_of(X, rows[i].want));
			expect_word(row, X, rows[i].want); /* at once */
			expect_word(row, 3, (struct saying){GOOD, 1});
			if (how == UNDONE) {
				disk_fault = (struct disk_fault){FAULT_BEFORE, 1, ENOSPC, 0};
				expect_err(
				    row, status_turn(&p, 1000000, done, &n), ERR_WORLD, "disk-write: house: a file cannot be written");
				disk_fault = (struct disk_fault){0};
				expect_true("given up", !p.merge.on && n == 0);
				expect_ok(row, status_turn(&p, 1000000 + MERGE_AGAIN_MS - 1, done, &n));
				expect_true("not again at once", !p.merge.on && n == 0);
				expect_word(row, X, rows[i].want);
			}
			expect_ok(row, settle(&p, &seen));
			expect_word(row, X, rows[i].want);
			expect_word(row, 3, (struct saying){GOOD, 1});
			expect_number(row, seen, how == PLAIN ? 0 : 1U << 1 | 1U << 2);
			publisher_drop(&p);
			expect_ok(row, begin(&p)); /* a new publisher reads the same of it */
			expect_word(row, X, rows[i].want);
			publisher_drop(&p);
		}
}

/* --- files of answers ------------------------------------------------------------------------------ */
/* A look that has much to write leaves room for what comes meanwhile, and passes over nothing that could not be written. */
static void
test_look(void **state)
{
	struct publisher p;
	unsigned turns = 0;

	(void)state;
	with_files = true;
	fresh();
	put_file("base", 2, 200, 2, (struct saying){GOOD, 1});
	put_file("recent", 3, 101, 2, (struct saying){GOOD, 1});
	expect_ok("begin", begin(&p));
	while (ocsp_files_waits(&p)) {
		uint64_t before = p.written;
		bool full = turns++ % 3 == 1;

		if (full)
			disk_fault = (struct disk_fault){FAULT_BEFORE, 1, ENOSPC, 0};
		if (full && p.files.looking)
			(void)ocsp_files_turn(&p).kind;
		else
			expect_ok("look", ocsp_files_turn(&p));
		disk_fault = (struct disk_fault){0};
		expect_true("a few a turn", p.written - before <= 4);
		assert_true(turns < FILE_TURNS);
	}
	for (unsigned v = 2; v <= 200; v += 2)
		expect_true("a file of each of base", has_file_of(v, (struct saying){GOOD, 1}));
	for (unsigned v = 3; v <= 101; v += 2)
		expect_true("… and of recent", has_file_of(v, (struct saying){GOOD, 1}));
	publisher_drop(&p);
}

/* --- damage ---------------------------------------------------------------------------------------- */
/* The alarm is said, nothing that may have been revoked is called good, and when all has come again all is as before. */
static void
test_damage(void **state)
{
	enum how { HALF, EMPTY, NO_END, FLIP };
	static const struct {
		const char *name, *file;
		enum how how;
		long at;              /* FLIP: from the front, or from the end where negative */
		enum word two, sixty; /* readers, before anything comes: serial 2, serial 60   */
	} rows[] = {
	    {"recent: half of it", "recent", HALF, 0, WITHHELD, WITHHELD},
	    {"recent: empty", "recent", EMPTY, 0, WITHHELD, WITHHELD},
	    {"recent: its end torn off", "recent", NO_END, 0, WITHHELD, WITHHELD},
	    {"recent: a bit of its first bytes", "recent", FLIP, 3, WITHHELD, WITHHELD},
	    {"recent: a bit of the issuer's hashes", "recent", FLIP, 70, WITHHELD, WITHHELD},
	    {"recent: a bit of the responder's certificate", "recent", FLIP, 300, WITHHELD, WITHHELD},
	    {"recent: a bit of the zeros after it", "recent", FLIP, 4000, WITHHELD, WITHHELD},
	    {"recent: a bit of its first block", "recent", FLIP, 4096 + 60, GOOD, GOOD},
	    {"recent: a bit of a serial in its first block", "recent", FLIP, 4096 + 128 + 15, GOOD, GOOD},
	    {"recent: a bit of its last block", "recent", FLIP, 4096 + 20 * 128, GOOD, WITHHELD},
	    {"recent: a bit of its index", "recent", FLIP, -40, WITHHELD, WITHHELD},
	    {"recent: a bit of its end", "recent", FLIP, -20, WITHHELD, WITHHELD},
	    {"recent: its last bit", "recent", FLIP, -1, WITHHELD, WITHHELD},
	    {"base: half of it", "base", HALF, 0, WITHHELD, WITHHELD},
	    {"base: empty", "base", EMPTY, 0, WITHHELD, WITHHELD},
	    {"base: a bit of its header", "base", FLIP, 20, WITHHELD, WITHHELD},
	    {"base: a bit of its first block", "base", FLIP, 4096 + 60, WITHHELD, GOOD},
	    {"base: a bit of its last block", "base", FLIP, 4096 + 29 * 128, GOOD, WITHHELD},
	    {"base: a bit of its index", "base", FLIP, -40, WITHHELD, WITHHELD},
	    {"base: a bit of its end", "base", FLIP, -20, WITHHELD, WITHHELD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(16U << 20), lost OWNED(buf_drop) = BUF(4096);
		const char *row = rows[i].name;
		bool recent = strcmp(rows[i].file, "recent") == 0;
		struct publisher p;
		uint64_t seen = 0;

		fresh();
		put_file("base", 2, 60, 2, (struct saying){GOOD, 1});      /* 31 slots, X among them    */
		put_file("recent", 3, 49, 2, (struct saying){REVOKED, 5}); /* 24 slots: 3 to 49 by two */
		assert_true(load("status", rows[i].file, &b));
		if (rows[i].how == HALF)
			b.n /= 2;
		else if (rows[i].how == EMPTY)
			b.n = 0;
		else if (rows[i].how == NO_END)
			b.n -= 32;
		else
			b.p[rows[i].at >= 0 ? (size_t)rows[i].at : b.n - (size_t)-rows[i].at] ^= 1;
		store("status", rows[i].file, buf_slice(&b));
		expect_word(row, 2, (struct saying){rows[i].two, 1});
		expect_word(row, 60, (struct saying){rows[i].sixty, 1});
		expect_true(row, word_on(X).word != GOOD);
		expect_ok(row, begin(&p));
		expect_ok("damage stops nobody", ocsp_files_turn(&p));
		if (!p.lost) { /* a block of base is touched by a merge */
			expect_true(row, !recent);
			expect_ok(row, ask(&p, 4, false));
			expect_ok(row, renew(&p, 3, 22, 22, 2, 6, (struct saying){NONE, 0}));
			expect_ok(row, settle(&p, &seen));
		}
		expect_true(row, p.lost && load("status", "lost", &lost));
		publisher_drop(&p);
		expect_ok(row, begin(&p)); /* remembered */
		expect_true(row, p.lost);
		if (recent)
			expect_true(row, word_on(X).word != GOOD);
		/* revoked now, wherever it stands: never good from the moment this was answered */
		expect_ok(row, say(&p, 60, (struct saying){WITHDRAWN, 0}));
		expect_true(row, word_on(60).word == WITHHELD || word_on(60).word == WITHDRAWN);
		expect_ok(row, say(&p, 60, (struct saying){REVOKED, 4000}));
		expect_true(row, word_on(60).word == WITHHELD || word_on(60).word == REVOKED);
		if (recent)
			expect_true(row, word_on(X).word != GOOD);
		/* some come, then all have */
		expect_ok(row, renew(&p, 3, 22, 30, 2, 9, (struct saying){NONE, 0}));
		expect_ok(row, ask(&p, 4, false));
		expect_ok(row, settle(&p, &seen));
		expect_true(row, p.lost && load("status", "lost", &lost));
		expect_true(row, word_on(60).word == WITHHELD || word_on(60).word == REVOKED);
		expect_ok(row, renew(&p, 5, 12, 60, 1, 20, (struct saying){REVOKED, 20}));
		expect_ok(row, renew(&p, 6, 2, 10, 1, 20, (struct saying){NONE, 0}));
		expect_ok(row, ask(&p, 7, true));
		expect_ok(row, settle(&p, &seen));
		expect_true(row, !p.lost && !load("status", "lost", &lost));
		expect_true(row, (seen & 0xF8) == 0xF8);
		publisher_drop(&p);
		expect_whole(row, "recent");
		expect_whole(row, "base");
		expect_word(row, X, (struct saying){REVOKED, 20});
		expect_word(row, 60, (struct saying){REVOKED, 4000});
		for (unsigned v = 2; v < 60; v++)
			if (v != X)
				expect_word(row, v, (struct saying){GOOD, 20});
	}
}

/* Base is cut short, or its disk fails, while it is being merged: what was read stays, the rest is asked for again. */
static void
test_gone(void **state)
{
	uint64_t done[RENEWED_IDS_MAX + 2], seen = 0;
	struct publisher p;
	char path[128];
	size_t n;

	(void)state;
	fresh();
	put_file("base", 2, 9000, 2, (struct saying){GOOD, 1});
	put_file("recent", 3, 20, 100, (struct saying){REVOKED, 5});
	expect_ok("gone", begin(&p));
	expect_ok("gone", renew(&p, 1, 22, 30, 2, 9, (struct saying){NONE, 0}));
	expect_ok("gone", ask(&p, 2, false));
	expect_ok("gone", status_turn(&p, 1000000, done, &n));
	expect_true("a merge is on its way", p.merge.on && !p.lost);
	snprintf(path, sizeof path, "%s/status/base", top);
	assert_int_equal(truncate(path, 4096), 0);
	expect_ok("gone", settle(&p, &seen));
	expect_true("seen, and some were lost", seen == (1U << 1 | 1U << 2) && p.lost);
	publisher_drop(&p);
	expect_word("gone", X, (struct saying){REVOKED, 5});
	expect_word("gone", 3, (struct saying){GOOD, 1});
	expect_word("gone", 24, (struct saying){GOOD, 9});
	expect_word("gone", 2000, (struct saying){GOOD, 1});
	expect_word("gone", 9000, (struct saying){NONE, 0});
	expect_whole("gone", "base");
}

static bool
is_there(const char *below)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", top, below);
	return access(path, F_OK) == 0;
}

static err
part_of(struct publisher *p, const char *path, uint64_t number, bool last, slice bytes)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	file_order_put(&body, &(struct file_order){slice_str(path), {number, last, bytes}});
	return order(p, ORDER_FILE, 9, &body);
}

/* A file has a greatest length, and of one that is given up, by whomever, nothing stays. */
static void
test_parts(void **state)
{
	struct publisher p;

	(void)state;
	fresh();
	store("crl", "a.crl", LIT("old\n"));
	expect_ok("begin", begin(&p));
	expect_ok("a part", part_of(&p, "crl/a.crl", 0, false, LIT("one")));
	expect_true("beside", is_there("crl/a.crl.part"));
	expect_ok("of another", part_of(&p, "crl/b.crl", 0, false, LIT("one")));
	expect_true("given up", !is_there("crl/a.crl.part") && is_there("crl/b.crl.part"));
	expect_err("out of order", part_of(&p, "crl/b.crl", 2, false, LIT("one")), ERR_INPUT,
	    "publisher-parts: house: the parts of a file came in another order");
	expect_true("given up", !is_there("crl/b.crl.part"));
	expect_ok("a part", part_of(&p, "crl/a.crl", 0, false, LIT("one")));
	p.parts_bytes = PUBLISHED_MAX - 3; /* as if so much had come */
	expect_ok("the last that fits", part_of(&p, "crl/a.crl", 1, false, LIT("two")));
	expect_err("one byte more", part_of(&p, "crl/a.crl", 2, true, LIT("3")), ERR_INPUT,
	    "publisher-long: house: a published file has at most 512 MiB");
	expect_true("nothing stays of it", !is_there("crl/a.crl.part") && is_there("crl/a.crl"));
	/* a crash in the midst of it */
	expect_ok("a part", part_of(&p, "crl/a.crl", 0, false, LIT("one")));
	store("status", "base.new", LIT("half of a merge"));
	disk_close(&p.parts_file);
	publisher_drop(&p);
	expect_true("a scrap", is_there("crl/a.crl.part"));
	expect_ok("a start", begin(&p));
	expect_true("is swept away", !is_there("crl/a.crl.part") && !is_there("status/base.new") && is_there("crl/a.crl"));
	publisher_drop(&p);
}

/* Recent has a bound, whatever comes in one turn: it is merged before it takes more, and where it cannot be, it is refused. */
static void
test_bound(void **state)
{
	struct publisher p;
	uint64_t seen = 0;
	char path[128];

	(void)state;
	with_files = false;
	fresh();
	put_file("base", 2, 8, 2, (struct saying){GOOD, 1});
	put_file("recent", 20, 20 + SLOTS_RECENT_MAX - 1, 1, (struct saying){NONE, 0});
	expect_ok("begin", begin(&p));
	expect_number("full", p.n, SLOTS_RECENT_MAX);
	expect_ok("made anew", renew(&p, 3, 22, 30, 2, 9, (struct saying){NONE, 0}));
	expect_ok("one more", say(&p, 40000, (struct saying){WITHDRAWN, 0}));
	expect_true("what was full is on its way", p.merge.on && p.frozen_n == SLOTS_RECENT_MAX && p.n == 1);
	for (unsigned v = 40001; p.n < SLOTS_RECENT_MAX; v++) {
		struct buf body OWNED(buf_drop) = BUF(64);

		serial_order_put(&body, &(struct serial_order){serial_of(v)});
		expect_ok("withdrawn", status_take_withdrawal(&p, buf_slice(&body)));
	}
	expect_ok("and again, while the first is merged", say(&p, 60000, (struct saying){GOOD, 5}));
	expect_true("merged, and the next is on its way", p.merge.on && p.frozen_n == SLOTS_RECENT_MAX && p.n == 1);
	expect_ok("settle", settle(&p, &seen));
	expect_number("the batch is answered", seen, 1U << 3);
	expect_number("all of it", expect_whole("bound", "base"), 4 + 2 * SLOTS_RECENT_MAX);
	/* nothing can be merged: a folder stands where base.new goes */
	for (unsigned v = 100; p.n < SLOTS_RECENT_MAX; v++) {
		struct slot s = slot_of(v, (struct saying){GOOD, 7});
		struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
		struct answers_reply r = {
		    .n = 1, .serial = {s.serial}, .this_update = {s.this_update}, .next_update = {s.next_update}};

		expect_ok("answer", slot_put_answer(&whole, &common, &s));
		r.answer[0] = buf_slice(&whole);
		answers_reply_put(&body, &r);
		expect_ok("taken", status_take_slots(&p, buf_slice(&body)));
	}
	snprintf(path, sizeof path, "%s/status/base.new", top);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned v = 20000; p.n < RECENT_ANSWERS_MAX; v++) {
		struct buf body OWNED(buf_drop) = BUF(64);

		serial_order_put(&body, &(struct serial_order){serial_of(v)});
		expect_ok("goes on", status_take_withdrawal(&p, buf_slice(&body)));
	}
	expect_err("no more answers", say(&p, 65000, (struct saying){GOOD, 9}), ERR_WORLD,
	    "publisher-full: house: recent is full and cannot be merged into base; look at the disk");
	expect_ok("withdrawals still", say(&p, 65001, (struct saying){WITHDRAWN, 0}));
	assert_int_equal(rmdir(path), 0);
	p.merge_again = 0;
	expect_ok("again", say(&p, 65000, (struct saying){GOOD, 9}));
	expect_true("merged", p.n == 1);
	publisher_drop(&p);
	with_files = true;
}

/* --- texts ---------------------------------------------------------------------------------------------- */
/* The one in force under its name, every version under its digest, a line each; one that comes again adds none. */
static void
test_history(void **state)
{
	static const char *const come[] = {"terms of May\n", "terms of May\n", "terms of June\n", "terms of June\n"};
	struct buf b OWNED(buf_drop) = BUF(1 << 16);
	struct publisher p;
	size_t lines = 0;

	(void)state;
	fresh();
	expect_ok("begin", begin(&p));
	for (size_t i = 0; i < COUNT(come); i++) {
		struct buf body OWNED(buf_drop) = BUF(4096);

		file_order_put(&body, &(struct file_order){LIT("texts/terms.en.txt"), {0, true, slice_str(come[i])}});
		expect_ok("a text", order(&p, ORDER_FILE, 9, &body));
	}
	assert_true(load("texts", "terms.en.txt", &b));
	expect_true("the newest is in force", slice_eq(buf_slice(&b), slice_str(come[2])));
	assert_true(load("texts", "history.txt", &b));
	for (size_t i = 0; i < b.n; i++)
		lines += b.p[i] == '\n';
	expect_number("a line for each version", lines, 2);
	for (size_t i = 0; i <= 2; i += 2) {
		struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN), copy OWNED(buf_drop) = BUF(1 << 16);
		char name[64];

		digest_put(&hex, sha256(slice_str(come[i])));
		expect_true("its digest", memmem(b.p, b.n, hex.p, hex.n) != NULL);
		snprintf(name, sizeof name, "terms.en.%.16s.txt", (const char *)hex.p);
		assert_true(load("texts/history", name, &copy));
		expect_true("stays", slice_eq(buf_slice(&copy), slice_str(come[i])));
	}
	publisher_drop(&p);
}

/* The disk is full: a withdrawal shows all the same, from what was kept for it; then the reserve is made again. */
static void
test_reserve(void **state)
{
	uint64_t done[RENEWED_IDS_MAX + 2];
	struct buf b OWNED(buf_drop) = BUF(32U << 20);
	struct publisher p;
	size_t n;

	(void)state;
	with_files = false;
	for (long nth = 1; nth <= 3; nth++) { /* the making of the file, and each of its writes */
		fresh();
		put_file("base", 2, 60, 2, (struct saying){GOOD, 1});
		put_file("recent", 3, 20, 100, (struct saying){GOOD, 1});
		expect_ok("reserve", begin(&p));
		expect_ok("reserve", status_turn(&p, 1000000, done, &n));
		expect_true("there it is", p.reserved > 0 && load("status", "reserve", &b) && b.n == p.reserved);
		disk_fault = (struct disk_fault){nth == 3 ? FAULT_HALF : FAULT_BEFORE, nth == 3 ? 2 : nth, ENOSPC, 0};
		expect_ok("full, and it is withdrawn", say(&p, X, (struct saying){WITHDRAWN, 0}));
		expect_true("met", disk_fault.count > nth);
		disk_fault = (struct disk_fault){0};
		expect_true("so readers see it", word_on(X).word == WITHDRAWN);
		expect_true("from the reserve", p.reserved == 0 && !load("status", "reserve", &b));
		disk_fault = (struct disk_fault){FAULT_BEFORE, 2, ENOSPC, 0};
		expect_ok("still full", status_turn(&p, p.reserve_again, done, &n));
		disk_fault = (struct disk_fault){0};
		expect_true("nothing of it is left", p.reserved == 0 && !load("status", "reserve.new", &b));
		expect_ok("room again", status_turn(&p, p.reserve_again, done, &n));
		expect_true("there it is again", p.reserved > 0 && load("status", "reserve", &b) && b.n == p.reserved);
		publisher_drop(&p);
	}
	with_files = true;
}

/* Recent as long as it may ever be, and the disk is full: it is written whole, so the reserve has room for all of it. */
static void
test_reserve_whole(void **state)
{
	uint64_t done[RENEWED_IDS_MAX + 2], reserved;
	struct buf b OWNED(buf_drop) = BUF(32U << 20);
	struct publisher p;
	size_t n;

	(void)state;
	with_files = false;
	fresh();
	put_file("base", 2, 60, 2, (struct saying){GOOD, 1});
	put_file("recent", 20, 20 + RECENT_WITHDRAWN_MAX - 2, 1, (struct saying){NONE, 0});
	store("status", "reserve", LIT("of an earlier day, and short"));
	expect_ok("open", begin(&p));
	disk_fault = (struct disk_fault){FAULT_BEFORE, 2, ENOSPC, 0};
	(void)status_turn(&p, 1000000, done, &n).kind;
	expect_true("a longer one has no room", disk_fault.count >= 2);
	disk_fault = (struct disk_fault){0};
	expect_true("the short one stays", p.reserved == 28 && load("status", "reserve", &b) && b.n == p.reserved);
	p.merge_again = INT64_MAX; /* and nothing can be merged */
	expect_ok("room", status_turn(&p, p.reserve_again, done, &n));
	expect_true("its whole length", load("status", "reserve", &b) && b.n == p.reserved);
	reserved = p.reserved;
	disk_fault = (struct disk_fault){FAULT_HALF, 2, ENOSPC, 0};
	expect_ok("full, and it is withdrawn", say(&p, X, (struct saying){WITHDRAWN, 0}));
	expect_true("met", disk_fault.count > 2);
	disk_fault = (struct disk_fault){0};
	expect_true("so readers see it", word_on(X).word == WITHDRAWN);
	expect_true("from the reserve", p.reserved == 0);
	expect_number("all there may be", p.n + p.frozen_n, RECENT_WITHDRAWN_MAX);
	expect_true("what was kept is what it takes", load("status", "recent", &b) && b.n == reserved);
	publisher_drop(&p);
	with_files = true;
}

/* --- each single effect -------------------------------------------------------------------------------- */
/* What a day brings; a step is tried again until it is answered, as the registrar does. */
enum step { NEW, WITHDRAW, REVOKE, ANEW, LIST, TEXT, NOTE, STEPS };

static const char *const LIST_PARTS[] = {"the first part ", "the second part ", "the third\n"};
static const char LIST_NEW[] = "the first part the second part the third\n", LIST_OLD[] = "the list of yesterday\n";
static const char TEXT_NEW[] = "terms of today\n", NOTE_NEW[] = "a note\n";

static err
send_list(struct publisher *p)
{
	for (size_t i = 0; i < COUNT(LIST_PARTS); i++) {
		struct buf body OWNED(buf_drop) = BUF(4096);

		file_order_put(&body,
		    &(struct file_order){LIT("crl/issuer.crl"), {i, i + 1 == COUNT(LIST_PARTS), slice_str(LIST_PARTS[i])}});
		TRY(order(p, ORDER_FILE, 9, &body));
	}
	return ok;
}

static err
take_step(struct publisher *p, enum step step, uint64_t *seen)
{
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	switch (step) {
	case NEW:
		return say(p, 51, (struct saying){GOOD, 5});
	case WITHDRAW:
		return say(p, 4, (struct saying){WITHDRAWN, 0});
	case REVOKE:
		return say(p, 4, (struct saying){REVOKED, 7200});
	case ANEW:
		if (p->renewed.n == 0 && !p->merge.on) /* not held back from the last try */
			TRY(renew(p, 1, 12, 40, 4, 9, (struct saying){GOOD, 9}));
		TRY(ask(p, 2, false));
		TRY(settle(p, seen));
		return (*seen & 1U << 2) != 0 ? ok : fail(ERR_WORLD, "not seen: a: b");
	case LIST:
		return send_list(p);
	case TEXT:
		file_order_put(&body, &(struct file_order){LIT("texts/terms.en.txt"), {0, true, slice_str(TEXT_NEW)}});
		return order(p, ORDER_FILE, 10, &body);
	case NOTE:
		checkpoint_order_put(&body, &(struct checkpoint_order){.books = {.size = 1}, .note = slice_str(NOTE_NEW)});
		return order(p, ORDER_TILES, 11, &body);
	default:
		abort();
	}
}

/* Yesterday's repository: nothing of it may ever be seen cut short. */
static void
yesterday(void)
{
	fresh();
	put_file("base", 4, 36, 2, (struct saying){REVOKED, 1}); /* two blocks */
	put_file("recent", 3, 9, 2, (struct saying){NONE, 0});
	store("crl", "issuer.crl", slice_str(LIST_OLD));
}

static void
expect_one_of(const char *row, const char *below, const char *name, const char *old, const char *new, bool must)
{
	struct buf b OWNED(buf_drop) = BUF(4096);
	bool there = load(below, name, &b);

	if (must || there)
		expect_true(row, slice_eq(buf_slice(&b), slice_str(new)) ||
		                     (!must && old != NULL && slice_eq(buf_slice(&b), slice_str(old))));
	else
		expect_true(row, old == NULL);
}

/* What readers find, when the steps of `answered` were answered and others may have begun. */
static void
expect_consistent(const char *row, unsigned answered)
{
	enum word four = word_on(4).word, x = word_on(X).word;

	expect_whole(row, "recent");
	expect_whole(row, "base");
	expect_word(row, 34, (struct saying){GOOD, 1});
	expect_word(row, 3, (struct saying){GOOD, 1});
	expect_word(row, 5, (struct saying){GOOD, 1});
	expect_true(row, x == REVOKED || x == GOOD); /* good of second 9 is the signer's newer word */
	expect_true(row, four == ((answered & 1U << REVOKE) != 0 ? REVOKED : four));
	expect_true(row, (answered & 1U << WITHDRAW) == 0 || four == WITHDRAWN || four == REVOKED);
	if ((answered & 1U << WITHDRAW) != 0 && (answered & 1U << REVOKE) == 0 && four == WITHDRAWN)
		expect_true("no file says good of it", !has_file_of(4, (struct saying){GOOD, 1}));
	if ((answered & 1U << NEW) != 0)
		expect_word(row, 51, (struct saying){GOOD, 5});
	if ((answered & 1U << ANEW) != 0)
		expect_word(row, 40, (struct saying){GOOD, 9});
	expect_one_of(row, "crl", "issuer.crl", LIST_OLD, LIST_NEW, (answered & 1U << LIST) != 0);
	expect_one_of(row, "texts", "terms.en.txt", NULL, TEXT_NEW, (answered & 1U << TEXT) != 0);
	expect_one_of(row, "books", "checkpoint", NULL, NOTE_NEW, (answered & 1U << NOTE) != 0);
}

static void
expect_complete(const char *row)
{
	struct buf b OWNED(buf_drop) = BUF(4096);
	uint64_t seen = 0;
	struct publisher p;

	expect_ok(row, begin(&p));
	expect_true("nothing was damaged", !p.lost);
	for (int s = 0; s < STEPS; s++) {
		expect_ok(row, take_step(&p, (enum step)s, &seen));
		expect_ok(row, settle(&p, &seen)); /* no look is on its way when a new base comes */
	}
	publisher_drop(&p);
	expect_consistent(row, (1U << STEPS) - 1);
	expect_word(row, X, (struct saying){GOOD, 9});
	expect_true("every answer is a file, the newest",
	    !with_files || (has_file_of(34, (struct saying){GOOD, 1}) && has_file_of(51, (struct saying){GOOD, 5}) &&
	                       has_file_of(4, (struct saying){REVOKED, 7200}) &&
	                       has_file_of(12, (struct saying){GOOD, 9}) && has_file_of(X, (struct saying){GOOD, 9})));
	expect_true("the history", load("texts", "history.txt", &b) && memchr(b.p, '\n', b.n) == b.p + b.n - 1);
	expect_true("other forms", load("ca", "issuer.p7c", &b) && b.n > 0);
}

/* A publisher that lives through the day in a process of its own; answers to what it got to. */
static bool
live_a_day(enum fault how, long nth, volatile unsigned *answered)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct publisher p;
		uint64_t seen = 0;

		disk_fault = (struct disk_fault){how, nth, EIO, 0};
		if (begin(&p).kind != OK)
			_exit(1);
		for (int s = 0; s < STEPS; s++) {
			if (take_step(&p, (enum step)s, &seen).kind != OK || settle(&p, &seen).kind != OK)
				_exit(2);
			*answered |= 1U << s;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("the publisher died of signal %d at effect %ld of way %d", WTERMSIG(status), nth, (int)how);
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DIED)
		fail_msg("the publisher ended with %d at effect %ld", WEXITSTATUS(status), nth);
	return WEXITSTATUS(status) == 0;
}

/* kill -9, or no power, at each effect: temporary file, blocks, sync, rename, the folder's sync. */
static void
test_death(void **state)
{
	static const enum fault ways[] = {DIE_BEFORE, DIE_HALF, DIE_AFTER, POWER_ALL, POWER_ODD, POWER_EVEN, POWER_HALF};
	unsigned *answered = mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(answered != MAP_FAILED);
	for (size_t w = 0; w < COUNT(ways); w++) {
		bool lived = false;

		with_files = ways[w] == DIE_AFTER;
		for (long nth = 1; !lived; nth++) {
			char row[64];

			snprintf(row, sizeof row, "way %zu, effect %ld", w, nth);
			yesterday();
			*answered = 0;
			lived = live_a_day(ways[w], nth, answered);
			expect_consistent(row, *answered);
			expect_complete(row);
			expect_true("there were effects to die at", !lived || nth > 60);
		}
	}
	(void)munmap(answered, sizeof *answered);
}

/* A disk that is full, or fails, at each effect: said, and done at the next try; nobody dies of it. */
static void
test_disk(void **state)
{
	static const struct {
		enum fault how;
		int error;
	} ways[] = {{FAULT_BEFORE, ENOSPC}, {FAULT_HALF, ENOSPC}, {FAULT_AFTER, EIO}};
	unsigned failed = 0;

	(void)state;
	for (size_t w = 0; w < COUNT(ways); w++) {
		bool met = true;

		with_files = ways[w].how == FAULT_BEFORE;
		for (long nth = 1; met; nth++) {
			unsigned answered = 0;
			struct publisher p;
			uint64_t seen = 0;
			char row[64];

			snprintf(row, sizeof row, "way %zu, effect %ld", w, nth);
			yesterday();
			disk_fault = (struct disk_fault){ways[w].how, nth, ways[w].error, 0};
			while (begin(&p).kind != OK) { /* inkand starts it again */
				failed++;
				publisher_drop(&p);
			}
			for (int s = 0; s < STEPS; s++) {
				for (int again = 0; again < 3; again++) {
					err e = take_step(&p, (enum step)s, &seen);

					if (e.kind == OK)
						e = settle(&p, &seen);
					expect_true(row, e.kind == OK || e.kind == ERR_WORLD);
					failed += e.kind != OK;
					answered |= (e.kind == OK ? 1U : 0U) << s;
					expect_consistent(row, answered);
				}
				expect_true(row, (answered >> s & 1) != 0);
			}
			met = disk_fault.count >= nth;
			disk_fault = (struct disk_fault){0};
			publisher_drop(&p);
			expect_true("nothing was lost", !p.lost);
			expect_complete(row);
		}
	}
	expect_true("there were failures", failed > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lapse), cmocka_unit_test(test_merge),
	    cmocka_unit_test(test_arrival), cmocka_unit_test(test_look), cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_gone), cmocka_unit_test(test_parts), cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_history), cmocka_unit_test(test_reserve), cmocka_unit_test(test_reserve_whole),
	    cmocka_unit_test(test_death), cmocka_unit_test(test_disk)};

	return cmocka_run_group_tests_name("published", tests, setup, teardown);
}
