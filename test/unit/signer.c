/* LINK: test/jpki/make.c test/edge/disk.c test/edge/hand.c role/signer/hello.c role/signer/turn.c role/signer/issuer.c role/signer/status.c role/signer/journal.c role/signer/journal_add.c role/signer/records_file.c role/signer/revoked_file.c role/signer/known_file.c role/signer/journal_line.c */
/*
 * The signer in one process: orders over a socket pair, a journal on disk, a key
 * in memory.  After each step the journal is read as an outsider reads it: no
 * serial stands for two to-be-signed bytes, no application or key for two
 * certificates that are not void (design law 2).
 */
#include <errno.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "act/books.h"
#include "base/conf.h"
#include "edge/clock.h"
#include "edge/index.h"
#include "pki/ocsp.h"
#include "role/signer/signer.h"
#include "test/edge/disk.h"
#include "test/edge/hand.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"
#define PIN LIT("1234")

static struct {
	const char *dir;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct signer *card, *ocsp;
	struct buf crl, responder_certificate;
	digest crl_digest;
	struct responder responder;
	struct world_person person;

	char base[128], folder[160];
	struct signing s;
	struct link *near, *far; /* the signer's end, the registrar's end */
	instant now;
	int64_t steady;
	uint64_t id;
	uint8_t books_shift; /* which books the registrar has */
} w;

/* --- the registrar's books: any tree will do ------------------------------------------------------------------------------ */

static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	digest left, right;
	uint8_t b[2];

	if (level == 0) {
		b[0] = (uint8_t)index;
		b[1] = *(uint8_t *)from;
		*out = tree_leaf(ARR(b));
		return ok;
	}
	TRY(node(from, level - 1, 2 * index, &left));
	TRY(node(from, level - 1, 2 * index + 1, &right));
	*out = tree_node(left, right);
	return ok;
}

static struct tree_nodes
books(void)
{
	return (struct tree_nodes){&w.books_shift, node};
}

static struct head
books_head(uint64_t size)
{
	struct tree_nodes nodes = books();
	struct head h = {.size = size};

	expect_ok("root", tree_root_at(&nodes, size, &h.root));
	return h;
}

/* --- the signer ------------------------------------------------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
wire(void)
{
	int pair[2];

	link_drop(&w.near);
	link_drop(&w.far);
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	w.near = link_new(pair[0], PEER_REGISTRAR, 0);
	w.far = link_new(pair[1], PEER_ISSUER, 0);
	signing_wire(&w.s);
}

static void
open_signer(enum signing_mode mode)
{
	uint8_t key_id[SHA1_LEN];

	w.s = (struct signing){.mode = mode, .state = (int)mode, .trust = w.trust, .stopped = ok};
	w.s.responder = &w.responder;
	w.s.live_limit = LIVE_PER_SECOND;
	w.s.revoked = revoked_set_new();
	key_identifier(w.trust->issuer_key, key_id);
	expect_ok("journal", journal_open(w.folder, mode == SIGNER_ISSUER ? BY_ISSUER : BY_STATUS, w.trust->digest, key_id,
	                         &w.s.journal, w.s.revoked));
	if (mode == SIGNER_STATUS) {
		w.s.known = known_set_new();
		expect_ok("known", journal_open_known(w.s.journal, w.s.known));
	}
	for (unsigned k = 0; k < STARTER_KEYS_MAX; k++) {
		test_hands[k] = (struct test_hand){.signer = mode == SIGNER_ISSUER ? w.house->ca
		                                             : k == KEY_OCSP       ? w.ocsp
		                                                                   : w.house->status};
		hand_new(NULL, k, (slice){NULL, 0}, "", &w.s.hand[k]);
	}
	wire();
}

static void
close_signer(void)
{
	signing_drop(&w.s);
}

/* A crash: whatever was not committed is gone, and another process begins. */
static void
crash(void)
{
	enum signing_mode mode = w.s.mode;

	close_signer();
	open_signer(mode);
}

static int
begin(void **state)
{
	(void)state;
	/* in memory where there is such a place: each turn syncs twice, and what syncing means is the twin's to say */
	snprintf(w.base, sizeof w.base, "%s/inkan-signer-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w.base));
	snprintf(w.folder, sizeof w.folder, "%s/issuer", w.base);
	w.now = at_of(AT);
	w.steady = 1000;
	w.books_shift = 0;
	open_signer(SIGNER_ISSUER);
	return 0;
}

static int
end(void **state)
{
	struct journal_state before = *journal_state(w.s.journal);
	bool whole = !journal_is_dirty(w.s.journal);
	enum signing_mode mode = w.s.mode;

	(void)state;
	close_signer();
	if (whole) { /* what was remembered while writing is what a reading of the lines says */
		const struct journal_state *after;

		open_signer(mode);
		after = journal_state(w.s.journal);
		expect_number("books", after->books.size, before.books.size);
		expect_true("books", digest_eq(after->books.root, before.books.root));
		expect_number("checkpoint", after->checkpoint.size, before.checkpoint.size);
		expect_true("checkpoint", digest_eq(after->checkpoint.root, before.checkpoint.root));
		expect_number("list", after->list.number, before.list.number);
		expect_number(
		    "revoked by rule", journal_count_hour(&after->revoked, w.now), journal_count_hour(&before.revoked, w.now));
		expect_number("parts", after->list.parts, before.list.parts);
		expect_true("parted", digest_eq(after->list.parted, before.list.parted));
		expect_number("complete list", after->list.complete, before.list.complete);
		expect_number("orders of it", after->list.complete_orders, before.list.complete_orders);
		expect_number("version", after->ruleset_version, before.ruleset_version);
		expect_true("rule set", digest_eq(after->ruleset, before.ruleset));
		expect_number("at", (uint64_t)after->at.ms, (uint64_t)before.at.ms);
		close_signer();
	}
	link_drop(&w.near);
	link_drop(&w.far);
	(void)nftw(w.base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	w.dir = make_world(DAY, 16);
	w.house = house_new(w.dir, at_of(AT));
	house_read(w.house, &w.trust, &w.profile, &w.ruleset);
	w.card = signer_load(w.dir, "yamada");
	w.ocsp = signer_new(KEY_P256, 256);
	world_person(w.dir, "yamada", &w.person);
	world_crl(w.dir, "signca03.crl", &w.crl, NULL);
	w.crl_digest = sha256(buf_slice(&w.crl));
	house_responder(w.house, w.ocsp, at_of(AT), &w.responder_certificate);
	expect_ok("responder", responder_get(w.trust, buf_slice(&w.responder_certificate), &w.responder));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	responder_drop(&w.responder);
	buf_drop(&w.responder_certificate);
	buf_drop(&w.crl);
	signer_drop(&w.card);
	signer_drop(&w.ocsp);
	ruleset_drop(&w.ruleset);
	profile_drop(&w.profile);
	trust_drop(&w.trust);
	house_drop(&w.house);
	return 0;
}

/* --- orders and answers -------------------------------------------------------------------------------------------------------- */

struct result {
	enum err_kind kind;
	char what[512];
	struct buf body; /* kept until the next order of the test */
};

static struct result results[64];

static uint64_t
put(uint8_t kind, slice body)
{
	link_order(w.far, kind, ++w.id, body);
	expect_ok("sent", link_flush(w.far));
	return w.id;
}

static void
turn(void)
{
	expect_ok("fill", link_fill(w.near));
	expect_ok("turn", signing_turn(&w.s, w.near, w.now, w.steady, PIN));
	while (!link_is_empty(w.near)) {
		expect_ok("answers", link_flush(w.near));
		expect_ok("read", link_fill(w.far));
	}
	w.now.ms += 3;
	w.steady += 3;
}

static struct result *
take(uint64_t id)
{
	struct result *r = &results[id % COUNT(results)];
	struct frame f;

	expect_ok("answered", link_wait(w.far, 1000, &f));
	expect_number("id", f.id, id);
	buf_drop(&r->body);
	r->body = BUF(FRAME_MAX);
	r->kind = f.fail;
	snprintf(r->what, sizeof r->what, "%.*s", (int)f.what.n, (const char *)f.what.p);
	buf_put(&r->body, f.body);
	return r;
}

static struct result *
ask(uint8_t kind, const struct buf *body)
{
	uint64_t id = put(kind, body == NULL ? (slice){NULL, 0} : buf_slice(body));

	turn();
	return take(id);
}

static void
refused(const char *row, const struct result *r, enum err_kind kind, const char *what)
{
	if (r->kind != kind || strcmp(r->what, what) != 0)
		fail_msg("%s: got %d \"%s\", expected %d \"%s\"", row, (int)r->kind, r->what, (int)kind, what);
}

static void
accepted(const char *row, const struct result *r)
{
	if (r->kind != OK)
		fail_msg("%s: refused: %d \"%s\"", row, (int)r->kind, r->what);
}

static struct result *
say_hello(uint64_t size, struct head journal, uint64_t from)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct head_order o = {.books = books_head(size), .journal = journal, .proof_from = from};
	struct tree_nodes nodes = books();

	if (from > 0 && from < size)
		expect_ok("proof", tree_consistency(&nodes, from, size, o.proof, &o.n_proof));
	head_order_put(&b, &o);
	return ask(ORDER_HELLO, &b);
}

/* Hello as the registrar says it: once more where the answer names another head. */
static struct head_reply
greet(uint64_t size)
{
	struct result *r = say_hello(size, (struct head){0}, 0);
	struct head_reply h;

	accepted("hello", r);
	expect_ok("reply", head_reply_get(buf_slice(&r->body), &h));
	if (h.books.size != size) {
		r = say_hello(size, (struct head){0}, h.books.size);
		accepted("hello again", r);
		expect_ok("reply", head_reply_get(buf_slice(&r->body), &h));
	}
	expect_number("heard", h.books.size, size);
	return h;
}

static struct result *
give_rules(slice ruleset, slice approval)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	rules_order_put(&b, &(struct rules_order){buf_slice(&w.house->profile), ruleset, approval, {NULL, 0}});
	return ask(ORDER_RULES, &b);
}

static struct result *
give_crl(void)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	slice whole = buf_slice(&w.crl), first;

	if (!slice_take(&whole, whole.n / 2, &first))
		abort();
	part_put(&b, &(struct part){.number = 0, .last = false, .bytes = first});
	accepted("a part", ask(ORDER_CRL_IN, &b));
	buf_clear(&b);
	part_put(&b, &(struct part){.number = 1, .last = true, .bytes = whole});
	return ask(ORDER_CRL_IN, &b);
}

static void
prepare_with(slice ruleset, slice approval)
{
	greet(9);
	accepted("rules", give_rules(ruleset, approval));
	accepted("crl", give_crl());
}

static struct result *list_as(uint64_t number, uint64_t base, unsigned partition);

static void
prepare(uint64_t size)
{
	greet(size);
	accepted("rules", give_rules(buf_slice(&w.house->ruleset), buf_slice(&w.house->approval)));
	accepted("crl", give_crl());
}

/* One applicant's order, as the registrar makes it. */
struct applicant {
	struct signer *own;
	struct buf application;
	struct issue_order order;
};

static void
applicant_drop(struct applicant *a)
{
	signer_drop(&a->own);
	buf_drop(&a->application);
}

static void
replan(struct applicant *a)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);

	a->order.dossier = dossier_id_of(sha256(a->order.application));
	expect_ok("plan", issue_plan_tbs(w.profile, &w.trust->issuer,
	                      &(struct issue_facts){.dossier = a->order.dossier,
	                          .serial = a->order.serial,
	                          .not_before = a->order.not_before,
	                          .validity_years = 5,
	                          .name = slice_str(w.person.name),
	                          .address = slice_str(w.person.address),
	                          .birth = LIT("-"),
	                          .spki = signer_spki(a->own)},
	                      &tbs));
	a->order.tbs = sha256(buf_slice(&tbs));
}

static void
applicant_new(struct applicant *a, uint8_t number)
{
	struct make_application m;
	char nonce[32];

	*a = (struct applicant){.own = signer_new(KEY_P256, 256), .application = BUF(CMS_MAX)};
	application_for(w.house, w.dir, "yamada", w.now, &m);
	snprintf(nonce, sizeof nonce, "nonce-%u", number);
	m.nonce = nonce;
	m.validity = "5";
	make_application(&a->application, w.card, a->own, &m);
	a->order = (struct issue_order){.serial = {16, {0x40, number, 3}},
	    .not_before = w.now,
	    .judged = w.now,
	    .books = books_head(9),
	    .application = buf_slice(&a->application),
	    .method = STATUS_CRL,
	    .crl = w.crl_digest,
	    .ruleset = w.ruleset->digest};
	replan(a);
}

static struct result *
issue(const struct applicant *a)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	issue_order_put(&b, &a->order);
	return ask(ORDER_ISSUE, &b);
}

static struct result *
void_it(const struct applicant *a)
{
	struct buf b OWNED(buf_drop) = BUF(256);

	void_order_put(&b, &(struct void_order){a->order.dossier, a->order.serial});
	return ask(ORDER_VOID, &b);
}

/* --- the outsider ------------------------------------------------------------------------------------------------------------- */

static uint64_t
count_lines(enum act act)
{
	struct book *b = NULL;
	struct book_opened opened;
	struct book_reader *r = NULL;
	uint64_t n, count = 0;
	slice s;

	expect_ok("open", book_open(w.folder, BOOK_READ, 0, &b, &opened));
	if (opened.size > 0) {
		expect_ok("read", book_read_from(b, 0, &r));
		while (book_read_next(r, &n, &s).kind == OK) {
			struct line l;

			expect_ok("line", line_get(s, &l));
			count += l.act == act;
		}
		book_reader_close(&r);
	}
	book_close(&b);
	return count;
}

/* Each serial one tbs; each application and key one serial that is not void. */
static void
audit(void)
{
	static struct {
		char serial[64], tbs[80], application[80], key[80];
		bool voided;
	} seen[256];
	struct book *b = NULL;
	struct book_opened opened;
	struct book_reader *r = NULL;
	size_t n_seen = 0;
	uint64_t n;
	slice s;

	expect_ok("open", book_open(w.folder, BOOK_READ, 0, &b, &opened));
	if (opened.size > 0) {
		expect_ok("read", book_read_from(b, 0, &r));
		while (book_read_next(r, &n, &s).kind == OK) {
			struct json *doc OWNED(json_drop) = NULL;
			struct line l;
			slice serial_hex, v;
			size_t i = 0;

			expect_ok("line", line_get(s, &l));
			if (l.act != ACT_INTENT && l.act != ACT_VOID)
				continue;
			expect_ok("body", line_body(&l, &doc));
			expect_ok("serial", json_text(json_root(doc), "serial", &serial_hex));
			while (i < n_seen && !slice_eq(slice_str(seen[i].serial), serial_hex))
				i++;
			if (l.act == ACT_VOID) {
				if (i < n_seen)
					seen[i].voided = true;
				continue;
			}
			assert_true(i == n_seen && n_seen < COUNT(seen)); /* one intent a serial */
			memset(&seen[i], 0, sizeof seen[i]);
			memcpy(seen[i].serial, serial_hex.p, serial_hex.n);
			expect_ok("application", json_text(json_root(doc), "application", &v));
			memcpy(seen[i].application, v.p, v.n);
			expect_ok("key", json_text(json_root(doc), "key", &v));
			memcpy(seen[i].key, v.p, v.n);
			n_seen++;
		}
		book_reader_close(&r);
	}
	book_close(&b);
	for (size_t i = 0; i < n_seen; i++)
		for (size_t k = 0; k < i; k++)
			if (!seen[i].voided && !seen[k].voided) {
				assert_string_not_equal(seen[i].application, seen[k].application);
				assert_string_not_equal(seen[i].key, seen[k].key);
			}
}

static struct issue_reply
certificate_of(struct result *r)
{
	struct issue_reply reply;

	accepted("issued", r);
	expect_ok("reply", issue_reply_get(buf_slice(&r->body), &reply));
	return reply;
}

/* --- hello ---------------------------------------------------------------------------------------------------------------- */

static void
hello_first(void **state)
{
	struct applicant a OWNED(applicant_drop);

	(void)state;
	applicant_new(&a, 1);
	refused("before hello", issue(&a), ERR_BUSY,
	    "signer-hello: design 3: the registrar did not say hello on this wire, or not rightly");
	greet(9);
	refused("before rules", issue(&a), ERR_BUSY,
	    "issue-rules: house: this signer was given no profile, rule set and approval yet");
	accepted("rules", give_rules(buf_slice(&w.house->ruleset), buf_slice(&w.house->approval)));
	refused("before the CRL", issue(&a), ERR_ABSENT,
	    "issue-crl: JPKI Act 19: the CRL this order cites was not handed over");
	accepted("crl", give_crl());
	certificate_of(issue(&a));
	wire();
	refused("a new wire", issue(&a), ERR_BUSY,
	    "signer-hello: design 3: the registrar did not say hello on this wire, or not rightly");
	audit();
}

/* Either side rolled back: both ways it shows, and the serials are named. */
static void
rollback(void **state)
{
	static const char *const WHAT[] = {
	    "signer-books-rollback: design 3: the books are shorter than those this signer saw",
	    "signer-books-other: design 3: the books are not an extension of those this signer saw",
	    "signer-journal-rollback: design 3: the books know a longer journal than this one",
	    "signer-journal-other: design 3: the books know another journal than this one",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(WHAT); i++) {
		struct applicant a OWNED(applicant_drop);
		struct head_reply h;
		struct result *r;
		slice serials;

		w.books_shift = 0;
		prepare(9 + i);
		applicant_new(&a, (uint8_t)(10 + i));
		a.order.books = books_head(9 + i);
		certificate_of(issue(&a));
		h = greet(9 + i);
		switch (i) {
		case 0:
			r = say_hello(5, (struct head){0}, 0);
			break;
		case 1:
			w.books_shift = 1;
			r = say_hello(20, (struct head){0}, 9 + i);
			break;
		case 2:
			h.journal.size += 2;
			r = say_hello(9 + i, h.journal, 9 + i);
			break;
		default:
			h.journal.root.b[0] ^= 1;
			r = say_hello(9 + i, h.journal, 9 + i);
			break;
		}
		refused("rolled back", r, ERR_CORRUPT, WHAT[i]);
		if (i < 2) {
			expect_ok("named", octets_get(buf_slice(&r->body), &serials));
			expect_true("the serial", serials.n >= 33 && memcmp(serials.p, "40", 2) == 0);
		}
		refused("nothing more", issue(&a), ERR_CORRUPT, WHAT[i]);
		w.books_shift = 0;
		crash();
	}
	audit();
}

static void
journal_extends(void **state)
{
	struct head_reply first, later;
	struct applicant a OWNED(applicant_drop);
	struct result *r;

	(void)state;
	prepare(9);
	first = greet(9);
	applicant_new(&a, 1);
	certificate_of(issue(&a));
	r = say_hello(9, first.journal, 9);
	accepted("hello", r);
	expect_ok("reply", head_reply_get(buf_slice(&r->body), &later));
	expect_true("grew", later.journal.size > first.journal.size);
	expect_ok("proof", tree_check_consistency(first.journal.size, first.journal.root, later.journal.size,
	                       later.journal.root, later.proof, later.n_proof));
}

/* --- issuing -------------------------------------------------------------------------------------------------------------- */

/* Law 2 */
static void
used_once(void **state)
{
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop);
	struct issue_reply first, again;
	struct buf kept OWNED(buf_drop) = BUF(CERT_MAX);
	uint64_t lines;

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	first = certificate_of(issue(&a));
	buf_put(&kept, first.certificate);
	lines = journal_head(w.s.journal).size;
	again = certificate_of(issue(&a));
	expect_same("byte for byte", again.certificate, buf_slice(&kept));
	expect_number("nothing new", journal_head(w.s.journal).size, lines);
	expect_number("signed once", test_hands[0].signatures, 1);
	crash();
	greet(9); /* no rules, no CRL, no hand: what was signed is answered */
	again = certificate_of(issue(&a));
	expect_same("after a crash too", again.certificate, buf_slice(&kept));
	prepare(9);

	applicant_new(&b, 2);
	b.order.serial = a.order.serial;
	refused("the serial for another", issue(&b), ERR_CONFLICT,
	    "signer-serial: design law 2: this serial was used for other bytes");
	applicant_drop(&b);
	applicant_new(&b, 3);
	b.order.application = a.order.application;
	{
		struct signer *own = b.own;

		b.own = a.own;
		replan(&b);
		refused("the application again", issue(&b), ERR_CONFLICT,
		    "journal-application: design law 2: this application was used for another certificate");
		b.own = own;
	}
	applicant_drop(&b);
	applicant_new(&b, 4);
	{
		struct make_application m;
		struct signer *own = b.own;

		b.own = a.own;
		application_for(w.house, w.dir, "yamada", w.now, &m);
		m.nonce = "another";
		m.validity = "5";
		buf_clear(&b.application);
		make_application(&b.application, w.card, a.own, &m);
		b.order.application = buf_slice(&b.application);
		replan(&b);
		refused("the key again", issue(&b), ERR_CONFLICT,
		    "journal-key: design law 2: this key stands in another certificate");
		b.own = own;
	}
	audit();
}

/* One turn hears "finish this intent", "finish it" and "void it": it is signed once, and never free for another. */
static void
finished_and_voided(struct applicant *a)
{
	struct buf order OWNED(buf_drop) = BUF(FRAME_BODY_MAX), undo OWNED(buf_drop) = BUF(256);
	uint64_t id[3];

	applicant_new(a, 3);
	test_hands[0].at = test_hands[0].calls + 1;
	test_hands[0].from_there_on = true;
	test_hands[0].how = HAND_LOST_AFTER;
	expect_true("lost", issue(a)->kind == ERR_BUSY);
	test_hands[0].at = 0;
	issue_order_put(&order, &a->order);
	void_order_put(&undo, &(struct void_order){a->order.dossier, a->order.serial});
	id[0] = put(ORDER_ISSUE, buf_slice(&order));
	id[1] = put(ORDER_ISSUE, buf_slice(&order));
	id[2] = put(ORDER_VOID, buf_slice(&undo));
	turn();
	certificate_of(take(id[0]));
	for (size_t i = 1; i < COUNT(id); i++)
		refused(row_name("beside its signature", i), take(id[i]), ERR_BUSY,
		    "signer-at-hand: house: this serial is being signed at this moment; ask again");
	refused("signed is not void", void_it(a), ERR_CONFLICT,
	    "signer-void-signed: design law 2: this serial was signed; ask for its certificate");
	a->order.serial.b[2] = 9;
	replan(a);
	refused("a second certificate", issue(a), ERR_CONFLICT,
	    "journal-application: design law 2: this application was used for another certificate");
}

static void
voids(void **state)
{
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop), c OWNED(applicant_drop);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	accepted("void", void_it(&a));
	accepted("void again", void_it(&a));
	expect_number("one line", count_lines(ACT_VOID), 1);
	refused(
	    "void is void", issue(&a), ERR_CONFLICT, "signer-void: design law 2: this serial is void and is never signed");
	a.order.serial.b[2] = 9;
	replan(&a);
	certificate_of(issue(&a)); /* the same application under another serial */
	refused("signed is not void", void_it(&a), ERR_CONFLICT,
	    "signer-void-signed: design law 2: this serial was signed; ask for its certificate");

	applicant_new(&b, 2); /* an intent whose result is lost, voided, and the application ordered anew */
	test_hands[0].at = test_hands[0].calls + 1;
	test_hands[0].from_there_on = true;
	test_hands[0].how = HAND_LOST_AFTER;
	expect_true("lost", issue(&b)->kind == ERR_BUSY);
	test_hands[0].at = 0;
	accepted("void", void_it(&b));
	crash();
	prepare(9);
	refused(
	    "void is void", issue(&b), ERR_CONFLICT, "signer-void: design law 2: this serial is void and is never signed");
	b.order.serial.b[2] = 9;
	replan(&b);
	certificate_of(issue(&b));
	finished_and_voided(&c);
	audit();
}

/* A crash or a fault at every line: the intent is finished with the same bytes, never others. */
static void
faults(void **state)
{
	static const struct {
		const char *row;
		enum hand_fault how;
		bool for_good;
		uint64_t signatures; /* made by the key until the certificate is out */
	} rows[] = {
	    {"lost before", HAND_LOST_BEFORE, false, 1},
	    {"lost after", HAND_LOST_AFTER, false, 2},
	    {"wrong", HAND_WRONG, false, 2},
	    {"lost before for good", HAND_LOST_BEFORE, true, 0},
	    {"lost after for good", HAND_LOST_AFTER, true, 2},
	    {"wrong for good", HAND_WRONG, true, 2},
	};

	(void)state;
	prepare(9);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct applicant a OWNED(applicant_drop);
		struct test_hand *h = &test_hands[0];
		uint64_t intents = count_lines(ACT_INTENT), done = count_lines(ACT_SIGNED);
		struct issue_reply reply;
		struct result *r;
		struct cert c;

		applicant_new(&a, (uint8_t)(1 + i));
		h->signatures = 0;
		h->at = h->calls + 1;
		h->how = rows[i].how;
		h->from_there_on = rows[i].for_good;
		r = issue(&a);
		expect_number(rows[i].row, h->signatures, rows[i].signatures);
		expect_number("one intent", count_lines(ACT_INTENT), intents + 1);
		if (rows[i].for_good) {
			expect_true(rows[i].row, r->kind == ERR_BUSY || r->kind == ERR_WORLD);
			expect_number("no result", count_lines(ACT_SIGNED), done);
			h->at = 0;
			crash();
			prepare(9);
			w.now.ms += 10 * 60 * SECOND_MS; /* long after its notBefore: an intent is finished all the same */
			w.steady += 10 * 60 * SECOND_MS;
			r = issue(&a);
			expect_number("no second intent", count_lines(ACT_INTENT), intents + 1);
		}
		h->at = 0;
		reply = certificate_of(r);
		expect_ok("reads", cert_get(reply.certificate, &c));
		expect_ok("signed", cert_check_signed_by(&c, w.trust->issuer_key));
		expect_true("the bytes ordered", digest_eq(sha256(c.tbs), a.order.tbs));
		expect_number("one result", count_lines(ACT_SIGNED), done + 1);
		audit();
	}
	expect_number("no refusals", count_lines(ACT_REFUSED), 0);
}

/* Without a hand nothing is intended; a refusal leaves its line. */
static void
traces(void **state)
{
	struct applicant a OWNED(applicant_drop);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	test_hands[0].absent = true;
	refused(
	    "no hand", issue(&a), ERR_BUSY, "hand-rest: house: the hand failed a moment ago; it is started again shortly");
	expect_number("no intent", count_lines(ACT_INTENT), 0);
	test_hands[0].absent = false;
	a.order.tbs.b[0] ^= 1;
	refused("other bytes", issue(&a), ERR_CONFLICT,
	    "issue-tbs: Rule 12(1)(i)ヘ: the planned certificate is not the one the books ordered");
	expect_number("noted", count_lines(ACT_REFUSED), 1);
	expect_number("no intent", count_lines(ACT_INTENT), 0);
	a.order.tbs.b[0] ^= 1;
	certificate_of(issue(&a));
	audit();
}

/* Many orders in one turn: two syncs for all; the same serial twice in a turn is asked again. */
static void
batches(void **state)
{
	static struct applicant a[12];
	uint64_t id[13];
	size_t n;

	(void)state;
	prepare(9);
	for (n = 0; n < COUNT(a); n++) {
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		applicant_new(&a[n], (uint8_t)(n + 1));
		issue_order_put(&b, &a[n].order);
		id[n] = put(ORDER_ISSUE, buf_slice(&b));
	}
	{
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		issue_order_put(&b, &a[3].order);
		id[n] = put(ORDER_ISSUE, buf_slice(&b));
	}
	test_hands[0].at = test_hands[0].calls + 5; /* and the hand is lost in the middle */
	test_hands[0].how = HAND_LOST_AFTER;
	turn();
	for (n = 0; n < COUNT(a); n++) {
		struct issue_reply reply = certificate_of(take(id[n]));
		struct cert c;

		expect_ok("reads", cert_get(reply.certificate, &c));
		expect_true("each its own", digest_eq(sha256(c.tbs), a[n].order.tbs));
	}
	refused("twice in a turn", take(id[n]), ERR_BUSY,
	    "journal-turn: house: another order of this very moment has it; ask again");
	test_hands[0].at = 0;
	certificate_of(issue(&a[3]));
	for (n = 0; n < COUNT(a); n++)
		applicant_drop(&a[n]);
	expect_number("intents", count_lines(ACT_INTENT), COUNT(a));
	expect_number("results", count_lines(ACT_SIGNED), COUNT(a));
	audit();
}

/* The order comes again after a bad moment: it is finished with the bytes that were ordered, once. */
static void
finished(const char *row, const struct applicant *a)
{
	struct issue_reply reply;
	struct cert c;

	reply = certificate_of(issue(a));
	expect_ok(row, cert_get(reply.certificate, &c));
	expect_ok(row, cert_check_signed_by(&c, w.trust->issuer_key));
	expect_true(row, digest_eq(sha256(c.tbs), a->order.tbs));
	audit();
}

/* The disk fails at each effect of a turn: nothing is answered, the process ends, and the next one finishes. */
static void
disk_fails(void **state)
{
	static const enum fault HOW[] = {FAULT_BEFORE, FAULT_HALF, FAULT_AFTER};
	uint8_t number = 1;

	(void)state;
	prepare(9);
	for (size_t i = 0; i < COUNT(HOW); i++)
		for (long nth = 1;; nth++) {
			struct applicant a OWNED(applicant_drop);
			struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
			uint64_t id;
			err e;

			applicant_new(&a, number++);
			issue_order_put(&b, &a.order);
			id = put(ORDER_ISSUE, buf_slice(&b));
			expect_ok("fill", link_fill(w.near));
			disk_fault = (struct disk_fault){HOW[i], nth, EIO, 0};
			e = signing_turn(&w.s, w.near, w.now, w.steady, PIN);
			disk_fault = (struct disk_fault){0};
			if (e.kind == OK) {
				expect_true("effects were failed", nth > 3);
				expect_ok("answers", link_flush(w.near));
				certificate_of(take(id));
				break;
			}
			expect_true("nothing is told", link_is_empty(w.near));
			crash();
			prepare(9);
			finished(row_name("fails", (size_t)nth), &a);
		}
}

/* The process dies, or the power goes, at each effect of a turn. */
static void
dies(void **state)
{
	static const enum fault HOW[] = {DIE_BEFORE, DIE_HALF, DIE_AFTER, POWER_ALL, POWER_ODD, POWER_EVEN, POWER_HALF};
	uint8_t number = 1;

	(void)state;
	prepare(9);
	for (size_t i = 0; i < COUNT(HOW); i++) {
		bool died = true;

		for (long nth = 1; died; nth++) {
			struct applicant a OWNED(applicant_drop);
			int status_of_child;
			pid_t child;

			applicant_new(&a, number++);
			close_signer();
			child = fork();
			assert_true(child >= 0);
			if (child == 0) {
				struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

				open_signer(SIGNER_ISSUER);
				prepare(9);
				issue_order_put(&b, &a.order);
				put(ORDER_ISSUE, buf_slice(&b));
				disk_fault = (struct disk_fault){HOW[i], nth, EIO, 0};
				if (link_fill(w.near).kind != OK || signing_turn(&w.s, w.near, w.now, w.steady, PIN).kind != OK)
					_exit(1);
				_exit(0);
			}
			assert_int_equal(child, waitpid(child, &status_of_child, 0));
			assert_true(WIFEXITED(status_of_child));
			died = WEXITSTATUS(status_of_child) == DIED;
			assert_true(died || WEXITSTATUS(status_of_child) == 0);
			expect_true("effects were hit", died || nth > 3);
			open_signer(SIGNER_ISSUER);
			w.now.ms += 100; /* the child's lines are later than our clock */
			w.steady += 100;
			prepare(9);
			finished(row_name("dies", (size_t)nth), &a);
		}
	}
}

/* --- rules ---------------------------------------------------------------------------------------------------------------- */

static void
approve(slice ruleset, const char *version, const char *until, struct buf *out)
{
	char service[256], hexa[65] = {0};
	struct buf h OWNED(buf_drop) = BUF(80);
	const char *v[P_COUNT] = {[P_SERVICE] = service,
	    [P_RULESET] = hexa,
	    [P_VERSION] = version,
	    [P_FROM] = "2026-11-01T00:00:00.000Z",
	    [P_UNTIL] = until,
	    [P_RESPONSIBLE] = "hanako",
	    [P_DATE] = "2026-11-01T00:00:00.000Z"};

	memcpy(service, w.trust->service.p, w.trust->service.n);
	service[w.trust->service.n] = '\0';
	digest_put(&h, sha256(ruleset));
	memcpy(hexa, h.p, 64);
	*out = BUF(CMS_MAX);
	make_document(out, w.house->hanako, FORM_APPROVAL, v, (slice){NULL, 0}, at_of("2026-11-01T00:00:00.000Z"));
}

static slice
with_version(slice file, const char *version, char *room, size_t n)
{
	const uint8_t *p = memmem(file.p, file.n, "version = 1", 11);

	assert_non_null(p);
	snprintf(room, n, "%.*sversion = %s%.*s", (int)(p - file.p), (const char *)file.p, version,
	    (int)(file.n - (size_t)(p - file.p) - 11), (const char *)p + 11);
	return slice_str(room);
}

static void
approvals(void **state)
{
	static char room2[8192], room3[9000];
	struct buf a2 OWNED(buf_drop) = {0}, a3 OWNED(buf_drop) = {0}, other OWNED(buf_drop) = {0};
	slice two = with_version(buf_slice(&w.house->ruleset), "2", room2, sizeof room2), three;
	struct applicant a OWNED(applicant_drop);

	(void)state;
	approve(two, "2", "2027-01-01T00:00:00.000Z", &a2);
	greet(9);
	accepted("crl", give_crl());
	accepted("version 1", give_rules(buf_slice(&w.house->ruleset), buf_slice(&w.house->approval)));
	accepted("version 2", give_rules(two, buf_slice(&a2)));
	refused("version 1 again", give_rules(buf_slice(&w.house->ruleset), buf_slice(&w.house->approval)), ERR_POLICY,
	    "signer-approval-old: Rule 12(1)(i)ニ: a later version of the rule set was seen before");
	crash();
	greet(9);
	refused("and after a crash", give_rules(buf_slice(&w.house->ruleset), buf_slice(&w.house->approval)), ERR_POLICY,
	    "signer-approval-old: Rule 12(1)(i)ニ: a later version of the rule set was seen before");
	snprintf(room3, sizeof room3, "# another\n%s", room2);
	three = slice_str(room3);
	approve(three, "2", "2027-01-01T00:00:00.000Z", &other);
	refused("another version 2", give_rules(three, buf_slice(&other)), ERR_POLICY,
	    "signer-approval-other: Rule 12(1)(i)ニ: another rule set was approved as this version");
	/* lapses while the signer runs */
	three = with_version(buf_slice(&w.house->ruleset), "3", room3, sizeof room3);
	approve(three, "3", "2026-11-22T01:10:00.000Z", &a3);
	accepted("version 3", give_rules(three, buf_slice(&a3)));
	accepted("crl", give_crl());
	w.now = at_of("2026-11-22T01:10:00.000Z");
	w.steady += 10 * 60 * SECOND_MS;
	applicant_new(&a, 1);
	a.order.ruleset = sha256(three);
	refused("lapsed", issue(&a), ERR_POLICY,
	    "issue-approval: Rule 12(1)(i)ニ: the approval of the rule set is not in force");
	crash();
	prepare_with(three, buf_slice(&a3));
	refused("lapsed at a start", issue(&a), ERR_POLICY,
	    "issue-approval: Rule 12(1)(i)ニ: the approval of the rule set is not in force");
	accepted("a list is made all the same", list_as((uint64_t)w.now.ms, 0, 0));
	{
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
		char room[8192];

		snprintf(room, sizeof room, "# another\n%.*s", (int)w.house->profile.n, (const char *)w.house->profile.p);
		rules_order_put(&b, &(struct rules_order){slice_str(room), buf_slice(&w.house->ruleset),
		                        buf_slice(&w.house->approval), {NULL, 0}});
		refused("another profile", ask(ORDER_RULES, &b), ERR_POLICY,
		    "signer-profile: design law 4: the profile is not one the trust file names");
	}
}

/* A profile beside the house's, which divides the lists. */
static slice
parted_profile(const char *list, unsigned parts, char *room, size_t n)
{
	slice p = buf_slice(&w.house->profile), head;
	const uint8_t *at = memmem(p.p, p.n, "crl = ", 6), *rest = memmem(p.p, p.n, "ocsp = ", 7);

	assert_true(at != NULL && rest != NULL);
	head = (slice){p.p, (size_t)(at - p.p)};
	snprintf(room, n, "%.*scrl = http://127.0.0.1:8480/crl/%s\ncrl_partitions = %u\n%.*s", (int)head.n,
	    (const char *)head.p, list, parts, (int)(p.n - (size_t)(rest - p.p)), (const char *)rest);
	return slice_str(room);
}

static struct result *
give_profile(slice profile)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	rules_order_put(
	    &b, &(struct rules_order){profile, buf_slice(&w.house->ruleset), buf_slice(&w.house->approval), {NULL, 0}});
	return ask(ORDER_RULES, &b);
}

/* A certificate names its part for life: of two profiles in one trust file the registrar cannot choose how many there are. */
static void
parted(void **state)
{
	static const char OTHER[] =
	    "list-parted: RFC 5280 5.2.5: certificates name parts of the lists that this profile does not make";
	static char room[3][8192];
	char extra[1024];
	struct buf file OWNED(buf_drop) = BUF(CONF_MAX), hex OWNED(buf_drop) = BUF(256);
	slice four = parted_profile("issuer.crl", 4, room[0], sizeof room[0]),
	      five = parted_profile("issuer.crl", 5, room[1], sizeof room[1]),
	      elsewhere = parted_profile("other.crl", 4, room[2], sizeof room[2]);
	struct trust *own OWNED(trust_drop) = NULL, *was = w.trust;
	const slice all[] = {four, five, elsewhere};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		digest d = sha256(all[i]);

		buf_put_hex(&hex, digest_slice(&d));
	}
	snprintf(extra, sizeof extra,
	    "[profile.four]\nsha256 = %.64s\n[profile.five]\nsha256 = %.64s\n"
	    "[profile.elsewhere]\nsha256 = %.64s\n",
	    (const char *)hex.p, (const char *)hex.p + 64, (const char *)hex.p + 128);
	house_put_trust(w.house, w.dir, "test", "crl", extra, &file);
	expect_ok("trust", trust_get(buf_slice(&file), &own));
	w.trust = own;
	crash();
	prepare(9);
	accepted("in four parts", give_profile(four));
	accepted("the fourth", list_as(5, 0, 4));
	refused("in five", give_profile(five), ERR_POLICY, OTHER);
	refused("under another name", give_profile(elsewhere), ERR_POLICY, OTHER);
	refused("in none", give_profile(buf_slice(&w.house->profile)), ERR_POLICY, OTHER);
	refused("there is no fifth", list_as(6, 0, 5), ERR_POLICY,
	    "list-partition: RFC 5280 5.2.5: the profile has no such part of the list");
	crash();
	greet(9);
	refused("in five, after a crash", give_profile(five), ERR_POLICY, OTHER);
	accepted("in four, after a crash", give_profile(four));
	accepted("the fourth", list_as(7, 0, 4));
	close_signer();
	w.trust = was;
	open_signer(SIGNER_ISSUER);
}

static struct result *
say_automation(const char *action, const char *date)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	char service[256];
	const char *v[S_COUNT] = {service, action, "an odd hour", "hanako", date};

	snprintf(service, sizeof service, "%.*s", (int)w.trust->service.n, (const char *)w.trust->service.p);
	make_document(&cms, w.house->hanako, FORM_AUTOMATION, v, (slice){NULL, 0}, at_of(date));
	rules_order_put(&b, &(struct rules_order){buf_slice(&w.house->profile), buf_slice(&w.house->ruleset),
	                        buf_slice(&w.house->approval), buf_slice(&cms)});
	return ask(ORDER_RULES, &b);
}

/* B-15イ: what a responsible person stopped stays stopped, whatever the registrar says or leaves out afterwards. */
static void
stopped(void **state)
{
	static const char STOPPED[] = "issue-stopped: Rule 6(xv): a responsible person stopped what is decided by rule";
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	applicant_new(&b, 2);
	accepted("resumed before", say_automation("resume", "2026-11-22T00:30:00.000Z"));
	accepted("stopped", say_automation("stop", "2026-11-22T00:40:00.000Z"));
	refused("stopped", issue(&a), ERR_POLICY, STOPPED);
	accepted("an older resumption", say_automation("resume", "2026-11-22T00:30:00.000Z"));
	refused("still stopped", issue(&a), ERR_POLICY, STOPPED);
	prepare(9); /* none is handed over */
	refused("nothing said", issue(&a), ERR_POLICY, STOPPED);
	crash();
	prepare(9);
	refused("after a crash", issue(&a), ERR_POLICY, STOPPED);
	accepted("a later resumption", say_automation("resume", "2026-11-22T00:50:00.000Z"));
	accepted("issued", issue(&a));
	accepted("the stop once more", say_automation("stop", "2026-11-22T00:40:00.000Z"));
	accepted("issued too", issue(&b));
	audit();
}

/* The rule set's number for an hour holds at the signer as well: the registrar's count is its own word. */
static void
per_hour(void **state)
{
	static char room[8192], room2[8192];
	slice two = with_version(buf_slice(&w.house->ruleset), "2", room, sizeof room);
	const uint8_t *p = memmem(two.p, two.n, "= 5000", 6);
	struct buf approval OWNED(buf_drop) = {0};
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop), c OWNED(applicant_drop);
	struct applicant *all[] = {&a, &b, &c};

	(void)state;
	assert_non_null(p);
	snprintf(room2, sizeof room2, "%.*s= 2%.*s", (int)(p - two.p), (const char *)two.p,
	    (int)(two.n - (size_t)(p - two.p) - 6), (const char *)p + 6);
	two = slice_str(room2);
	approve(two, "2", "2027-01-01T00:00:00.000Z", &approval);
	greet(9);
	accepted("two an hour", give_rules(two, buf_slice(&approval)));
	accepted("crl", give_crl());
	for (size_t i = 0; i < COUNT(all); i++) {
		applicant_new(all[i], (uint8_t)(i + 1));
		all[i]->order.ruleset = sha256(two);
	}
	accepted("the first", issue(&a));
	accepted("the second", issue(&b));
	accepted("the second again is its first answer", issue(&b));
	crash();
	greet(9);
	accepted("two an hour", give_rules(two, buf_slice(&approval)));
	accepted("crl", give_crl());
	refused("the third, also after a crash", issue(&c), ERR_POLICY,
	    "issue-hour: Rule 6(xv): as many certificates were made by rule within the hour as the rules allow");
	w.now.ms += HOUR_MS - SECOND_MS;
	w.steady += HOUR_MS - SECOND_MS;
	w.now.ms += 2 * SECOND_MS;
	w.steady += 2 * SECOND_MS;
	c.order.not_before = c.order.judged = w.now;
	replan(&c);
	accepted("an hour later", issue(&c));
	audit();
}

/* What the last index file carries: the same bytes back, also of before there was an automation or a count in it. */
static void
carried(void **state)
{
	instant now = at_of(AT);
	static const struct {
		const char *row;
		bool automation, counted, parted, revoked;
	} rows[] = {
	    {"neither", false, false, false, false},
	    {"stopped", true, false, false, false},
	    {"counted", false, true, false, false},
	    {"both", true, true, false, false},
	    {"parted", false, false, true, false},
	    {"revoked", false, false, false, true},
	    {"all", true, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal_state s = {.books = books_head(9), .at = now}, back;
		struct buf one OWNED(buf_drop) = BUF(1024), two OWNED(buf_drop) = BUF(1024);

		if (rows[i].automation)
			s.automation = (struct automation){.document = sha256(LIT("S-1")), .stopped = true, .date = now};
		if (rows[i].counted)
			for (int k = 0; k < 14; k++) /* the oldest two are of the hour before */
				journal_count_add(&s.issued, (instant){now.ms - (13 - k) * JOURNAL_PART_MS});
		if (rows[i].parted) {
			s.list.parts = 16;
			s.list.parted = sha256(LIT("crl"));
		}
		if (rows[i].revoked)
			journal_count_add(&s.revoked, now);
		journal_state_put(&one, &s);
		expect_ok(rows[i].row, buf_check(&one));
		expect_ok(rows[i].row, journal_state_get(buf_slice(&one), &back));
		journal_state_put(&two, &back);
		expect_same(rows[i].row, buf_slice(&two), buf_slice(&one));
		expect_true(rows[i].row, back.automation.stopped == rows[i].automation &&
		                             digest_eq(back.automation.document, s.automation.document));
		expect_number(rows[i].row, journal_count_hour(&back.issued, now), rows[i].counted ? JOURNAL_HOUR : 0);
		expect_number(rows[i].row, journal_count_hour(&back.issued, (instant){now.ms + HOUR_MS}), 0);
		expect_number(rows[i].row, journal_count_hour(&back.revoked, now), rows[i].revoked);
		expect_number(rows[i].row, back.list.parts, rows[i].parted ? 16 : 0);
	}
}

/* A list of one of J-LIS's CAs, made so many hours before now, handed over. */
static digest
give_list(const char *ca, int64_t hours)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX), tbs OWNED(buf_drop) = BUF(4096),
	             sig OWNED(buf_drop) = BUF(SIG_MAX), list OWNED(buf_drop) = BUF(8192);
	struct signer *s OWNED(signer_drop) = signer_load(w.dir, ca);
	struct cert c;

	expect_ok(ca, cert_get(signer_certificate(s), &c));
	crl_put_tbs(&tbs, &(struct crl_plan){.alg = SIG_RSA_SHA256,
	                      .issuer = c.subject,
	                      .this_update = {w.now.ms - hours * HOUR_MS},
	                      .next_update = {w.now.ms + DAY_MS},
	                      .number = (uint64_t)(1000 - hours),
	                      .aki = c.ski});
	signer_sign(s, SIG_RSA_SHA256, buf_slice(&tbs), &sig);
	cert_join(&list, buf_slice(&tbs), SIG_RSA_SHA256, buf_slice(&sig));
	part_put(&b, &(struct part){.number = 0, .last = true, .bytes = buf_slice(&list)});
	accepted(ca, ask(ORDER_CRL_IN, &b));
	return sha256(buf_slice(&list));
}

/* Two of each CA: the oldest by its own time goes, never another CA's, and a lent one never pushes out the day's. */
static void
lists_kept(void **state)
{
	/* which of those handed over so far are still there, after each */
	static const struct {
		const char *ca;
		int64_t hours;
		const char *there;
	} ROWS[] = {
	    {"signca03", 50, "0"},
	    {"signca01", 90, "01"},
	    {"signca03", 26, "012"},
	    {"signca03", 2, "123"},
	    {"signca03", 400, "134"}, /* lent, for a revocation cites it */
	    {"signca03", 300, "135"}, /* another: the lent one made room */
	    {"signca01", 3, "1356"},
	    {"signca02", 3, "13567"},
	    {"signca03", 1, "13678"},
	    {"signca01", 2, "36789"},
	};
	digest given[COUNT(ROWS)];

	(void)state;
	greet(9);
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		char there[COUNT(ROWS) + 1] = "";

		given[i] = give_list(ROWS[i].ca, ROWS[i].hours);
		for (size_t k = 0, n = 0; k <= i; k++)
			if (signing_crl(&w.s, given[k]) != NULL)
				there[n++] = (char)('0' + k);
		expect_same(row_name("kept", i), slice_str(there), slice_str(ROWS[i].there));
	}
}

/* A state of another layout in the index costs a reading of the lines, and nothing that they forbid is forgotten. */
static void
carried_other(void **state)
{
	static const char *const ROWS[] = {"\x30\x03\x02\x01\x09", "", "\x04\x01x"};
	struct applicant a OWNED(applicant_drop);
	char path[sizeof w.folder + 8];

	(void)state;
	snprintf(path, sizeof path, "%s/index", w.folder);
	prepare(9);
	applicant_new(&a, 1);
	accepted("issued", issue(&a));
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct buf none OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
		struct index *index OWNED(index_close) = NULL;
		struct book *book OWNED(book_close) = NULL;
		struct book_opened opened;
		uint64_t covered;

		close_signer();
		expect_ok("book", book_open(w.folder, BOOK_WRITE, 0, &book, &opened));
		expect_ok("index", index_open(path, book_nodes(book), opened.size, &index, &covered, &none));
		expect_number("nothing sealed", covered, 0);
		expect_ok("seal", index_seal(index, opened.size, opened.root, slice_str(ROWS[i])));
		index_close(&index);
		book_close(&book);
		open_signer(SIGNER_ISSUER);
		prepare(9);
		refused("the serial again", void_it(&a), ERR_CONFLICT,
		    "signer-void-signed: design law 2: this serial was signed; ask for its certificate");
	}
	audit();
}

static void
lists_of_jlis(void **state)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct buf forged OWNED(buf_drop) = BUF(1 << 20);
	struct result *r;

	(void)state;
	greet(9);
	part_put(&b, &(struct part){.number = 1, .last = true, .bytes = buf_slice(&w.crl)});
	refused("not from its first part", ask(ORDER_CRL_IN, &b), ERR_INPUT,
	    "signer-crl-part: house: a part of the CRL is missing");
	buf_put(&forged, buf_slice(&w.crl));
	forged.p[forged.n - 1] ^= 1;
	buf_clear(&b);
	part_put(&b, &(struct part){.number = 0, .last = true, .bytes = buf_slice(&forged)});
	r = ask(ORDER_CRL_IN, &b);
	expect_true("forged", r->kind == ERR_POLICY && strncmp(r->what, "jpki-crl-anchor", 15) == 0);
	buf_clear(&b);
	part_put(&b, &(struct part){.number = 0, .last = true, .bytes = buf_slice(&w.crl)});
	accepted("whole", ask(ORDER_CRL_IN, &b));
	accepted("twice", ask(ORDER_CRL_IN, &b));
}

/* --- the clock: law 9 ------------------------------------------------------------------------------------------------------ */

static void
clocks(void **state)
{
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop), c OWNED(applicant_drop);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	w.now.ms -= 10 * SECOND_MS;
	refused("behind", issue(&a), ERR_WORLD,
	    "signer-clock-behind: design law 9: the clock stands before the journal's last line");
	w.now.ms += 10 * SECOND_MS;
	certificate_of(issue(&a));
	/* nobody can confirm that time runs back; what starts under such an hour does not take it for its first */
	w.now.ms -= 2 * HOUR_MS;
	signing_confirm(&w.s, w.now, w.steady);
	refused("behind, confirmed", issue(&a), ERR_WORLD,
	    "signer-clock-behind: design law 9: the clock stands before the journal's last line");
	crash();
	refused("behind at a start", say_hello(9, (struct head){0}, 9), ERR_WORLD,
	    "signer-clock-behind: design law 9: the clock stands before the journal's last line");
	w.now.ms += 2 * HOUR_MS;
	prepare(9); /* right again */
	crash();
	w.s.clock_wall =
	    (instant){w.now.ms - 2000 * DAY_MS}; /* inkand's look at a clock that stood behind is no beginning */
	w.s.clock_steady = w.steady;
	prepare(9);
	w.now.ms += HOUR_MS;
	applicant_new(&b, 2);
	refused("an hour ahead", issue(&b), ERR_WORLD,
	    "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	refused("and still", issue(&b), ERR_WORLD,
	    "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	w.now.ms -= HOUR_MS;
	applicant_new(&c, 3);
	certificate_of(issue(&c)); /* right again by itself */
	w.now.ms += HOUR_MS;
	refused("ahead", issue(&b), ERR_WORLD,
	    "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	signing_confirm(&w.s, w.now, w.steady);
	certificate_of(issue(&b));
	w.now.ms += 2 * HOUR_MS; /* an hour's quiet is no jump */
	w.steady += 2 * HOUR_MS;
	accepted("later", give_crl());
	w.now.ms += HOUR_MS;
	crash();
	w.s.clock_wall = (instant){w.now.ms - HOUR_MS}; /* inkand's look before the jump */
	w.s.clock_steady = w.steady;
	refused("started anew within a jump", say_hello(9, (struct head){0}, 9), ERR_WORLD,
	    "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	w.now.ms += DAY_MS;
	crash();
	refused("off for a day", say_hello(9, (struct head){0}, 9), ERR_WORLD,
	    "signer-clock-ahead: design law 9: the clock went ahead at once; an operator confirms it");
	signing_confirm(&w.s, w.now, w.steady);
	greet(9);
	audit();
}

/* --- revoking, lists, answers, checkpoints --------------------------------------------------------------------------------- */

static void
put_revoked(struct buf *out, const struct applicant *a, slice certificate)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), number OWNED(buf_drop) = BUF(64);
	char service[256], serial_hex[64], date[32];
	struct buf d OWNED(buf_drop) = BUF(32);
	const char *v[V_COUNT] = {[V_SERVICE] = service,
	    [V_SERIAL] = serial_hex,
	    [V_REASON] = "keyCompromise",
	    [V_DATE] = date,
	    [V_SENTENCE] = REVOCATION_SENTENCE};

	memcpy(service, w.trust->service.p, w.trust->service.n);
	service[w.trust->service.n] = '\0';
	serial_put_hex(&number, a->order.serial);
	snprintf(serial_hex, sizeof serial_hex, "%.*s", (int)number.n, (const char *)number.p);
	instant_put(&d, w.now);
	snprintf(date, sizeof date, "%.*s", (int)d.n, (const char *)d.p);
	signer_set_certificate(a->own, certificate);
	make_document(&cms, a->own, FORM_REVOCATION, v, (slice){NULL, 0}, w.now);
	revoked_order_put(out, &(struct revoked_order){.certificate = certificate,
	                           .cms = buf_slice(&cms),
	                           .judged = w.now,
	                           .revoked = w.now,
	                           .reason = REASON_KEY_COMPROMISE});
}

static struct result *
ask_revoked(const struct applicant *a, slice certificate)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	put_revoked(&b, a, certificate);
	return ask(ORDER_REVOKED, &b);
}

static struct result *
list_as(uint64_t number, uint64_t base, unsigned partition)
{
	struct buf b OWNED(buf_drop) = BUF(256);

	crl_order_put(&b, &(struct crl_order){.number = number,
	                      .now = w.now,
	                      .next_update = {w.now.ms + 36 * HOUR_MS},
	                      .base = base,
	                      .partition = partition});
	return ask(ORDER_CRL_OUT, &b);
}

static struct result *
list(uint64_t number)
{
	return list_as(number, 0, 0);
}

static struct result *
list_part(uint64_t number, uint64_t part)
{
	struct buf b OWNED(buf_drop) = BUF(256);

	list_part_order_put(&b, &(struct list_part_order){number, part});
	return ask(ORDER_CRL_PART, &b);
}

/* Fetches the list that was just signed; how many entries it has. */
static size_t
entries_of(struct result *r)
{
	struct buf whole OWNED(buf_drop) = BUF(1 << 22);
	struct list_reply reply;
	struct part p = {0};
	struct crl_entry e;
	struct crl c;
	size_t n = 0;

	accepted("list", r);
	expect_ok("reply", list_reply_get(buf_slice(&r->body), &reply));
	for (uint64_t i = 0; !p.last; i++) {
		struct result *part = list_part(reply.number, i);

		accepted("part", part);
		expect_ok("part", part_get(buf_slice(&part->body), &p));
		expect_number("in order", p.number, i);
		buf_put(&whole, p.bytes);
	}
	expect_number("length", whole.n, reply.bytes);
	expect_ok("list", crl_get_any(buf_slice(&whole), &c));
	expect_true("digest", digest_eq(sha256(c.tbs), reply.tbs));
	expect_ok("signed", crl_check_signed_by(&c, w.trust->issuer_key));
	while (c.entries.n > 0) {
		expect_ok("entry", crl_next(&c.entries, &e));
		n++;
	}
	expect_number("count", n, reply.count);
	return n;
}

/* B-10 B-11 */
static void
revocations(void **state)
{
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop);
	struct buf ca OWNED(buf_drop) = BUF(CERT_MAX), cb OWNED(buf_drop) = BUF(CERT_MAX);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	applicant_new(&b, 2);
	buf_put(&ca, certificate_of(issue(&a)).certificate);
	buf_put(&cb, certificate_of(issue(&b)).certificate);
	expect_number("empty", entries_of(list(5)), 0);
	refused("the number again", list(5), ERR_CONFLICT, "list-number: RFC 5280 5.2.3: the number of a list only grows");
	accepted("revoked", ask_revoked(&a, buf_slice(&ca)));
	accepted("again: nothing new", ask_revoked(&a, buf_slice(&ca)));
	expect_number("one line", count_lines(ACT_REVOKED), 1);
	expect_number("on the list", entries_of(list(6)), 1);
	crash();
	prepare(9);
	refused("numbers outlive a crash", list(6), ERR_CONFLICT,
	    "list-number: RFC 5280 5.2.3: the number of a list only grows");
	expect_number("the set outlives a crash", entries_of(list(7)), 1);
	test_hands[0].at = test_hands[0].calls + 1;
	test_hands[0].how = HAND_LOST_AFTER;
	expect_number("a lost hand", entries_of(list(8)), 1);
	refused("all of it is given out", list_part(8, 1), ERR_ABSENT,
	    "signer-list: house: this part is not the next of the list that was signed last");
	refused("a delta to another list", list_as(9, 7, 0), ERR_POLICY,
	    "list-base: RFC 5280 5.2.4: a delta adds to the last complete list of all certificates");
	refused("no such part", list_as(9, 0, 1), ERR_POLICY,
	    "list-partition: RFC 5280 5.2.5: the profile has no such part of the list");
	expect_number("nothing came after it", entries_of(list_as(9, 8, 0)), 0);
	accepted("revoked", ask_revoked(&b, buf_slice(&cb)));
	expect_number("one came after it", entries_of(list_as(10, 8, 0)), 1);
	crash();
	prepare(9);
	expect_number("what came after it outlives a crash", entries_of(list_as(11, 8, 0)), 1);
	expect_number("all", entries_of(list(12)), 2);
	refused("another list's part", list_part(11, 0), ERR_ABSENT,
	    "signer-list: house: this part is not the next of the list that was signed last");
	audit();
}

/* Rule 12(1)(ii)ロ: what was revoked by rule within the hour stands in the journal, so a restart forgets none of it. */
static void
revoked_hour(void **state)
{
	struct revocation r = {.revoked = w.now,
	    .not_after = instant_add_years(w.now, 5),
	    .reason = REASON_KEY_COMPROMISE,
	    .by = REVOCATION_BY_OFFICER,
	    .serial = {16, {0x40}}};
	struct applicant a OWNED(applicant_drop), b OWNED(applicant_drop);
	struct buf ca OWNED(buf_drop) = BUF(CERT_MAX), cb OWNED(buf_drop) = BUF(CERT_MAX);

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	applicant_new(&b, 2);
	buf_put(&ca, certificate_of(issue(&a)).certificate);
	buf_put(&cb, certificate_of(issue(&b)).certificate);
	journal_turn(w.s.journal, w.now);
	for (unsigned i = 0; i < 2 * REVOCATION_RULE_HOUR_MAX - 1; i++) {
		r.serial.b[14] = (uint8_t)(i >> 8);
		r.serial.b[15] = (uint8_t)i;
		r.by = i < REVOCATION_RULE_HOUR_MAX ? REVOCATION_BY_OFFICER
		       : i % 2 == 0                 ? REVOCATION_BY_CARD
		                                    : REVOCATION_BY_CERTIFICATE;
		journal_add_revoked(w.s.journal, &r);
	}
	expect_ok("commit", journal_commit(w.s.journal));
	crash();
	prepare(9);
	accepted("the last of the hour", ask_revoked(&a, buf_slice(&ca)));
	accepted("again: nothing new", ask_revoked(&a, buf_slice(&ca)));
	refused("one more", ask_revoked(&b, buf_slice(&cb)), ERR_BUSY,
	    "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides");
	crash();
	prepare(9);
	refused("one more, after a crash", ask_revoked(&b, buf_slice(&cb)), ERR_BUSY,
	    "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides");
	w.now.ms += HOUR_MS - SECOND_MS;
	w.steady += HOUR_MS - SECOND_MS;
	w.now.ms += 2 * SECOND_MS;
	w.steady += 2 * SECOND_MS;
	accepted("an hour later", ask_revoked(&b, buf_slice(&cb)));
}

/*
 * Without its base the set is made again from the lines, in bounded time and memory: more than a few go to a new base as
 * they are read.
 */
static void
base_lost(void **state)
{
	struct revocation r = {.revoked = w.now,
	    .not_after = instant_add_years(w.now, 5),
	    .reason = REASON_KEY_COMPROMISE,
	    .by = REVOCATION_BY_CERTIFICATE,
	    .serial = {16, {0x40}}};
	struct crl_entry e;
	char path[4096];
	digest chain;
	serial first = {0};
	bool found;

	(void)state;
	snprintf(path, sizeof path, "%s/revoked", w.folder);
	for (unsigned i = 0; i < REVOKED_RECENT_MAX + 5; i++) {
		unsigned mixed = i * 2654435761U;

		memcpy(r.serial.b + 4, &mixed, sizeof mixed);
		if (i == 0)
			first = r.serial;
		r.invalid_since.ms = i % 2 == 0 ? w.now.ms - DAY_MS : 0;
		if (!journal_is_dirty(w.s.journal))
			journal_turn(w.s.journal, w.now);
		journal_add_revoked(w.s.journal, &r);
		if (i % 4096 == 0)
			expect_ok("commit", journal_commit(w.s.journal));
	}
	expect_ok("commit", journal_commit(w.s.journal));
	assert_int_equal(access(path, F_OK), -1);
	crash();
	expect_number("all", revoked_set_orders(w.s.revoked), REVOKED_RECENT_MAX + 5);
	expect_number("few in memory", revoked_set_recent(w.s.revoked), 5);
	expect_ok("the last", revoked_set_find(w.s.revoked, r.serial, &found, &e));
	expect_true("… since when, from its line", found && e.has_invalidity && e.invalidity.ms == w.now.ms - DAY_MS);
	expect_ok("the first", revoked_set_find(w.s.revoked, first, &found, &e));
	expect_true("… and from the base", found && e.has_invalidity && e.invalidity.ms == w.now.ms - DAY_MS);
	memcpy(first.b + 4, &(unsigned){2654435761U}, sizeof(unsigned));
	expect_ok("the second", revoked_set_find(w.s.revoked, first, &found, &e));
	expect_true("… whose line does not say", found && !e.has_invalidity);
	chain = revoked_set_digest(w.s.revoked);
	crash();
	expect_number("from the base", revoked_set_recent(w.s.revoked), 5);
	expect_true("the same", digest_eq(chain, revoked_set_digest(w.s.revoked)));
	assert_int_equal(unlink(path), 0);
	crash();
	expect_number("from the lines", revoked_set_recent(w.s.revoked), 5);
	expect_true("the same", digest_eq(chain, revoked_set_digest(w.s.revoked)));
}

static struct result *
answers(slice certificate)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	answers_order_put(
	    &b, &(struct answers_order){
	            .now = w.now, .next_update = {w.now.ms + 48 * HOUR_MS}, .n = 1, .certificate = {certificate}});
	return ask(ORDER_ANSWERS, &b);
}

static struct result *
refresh(serial after, serial upto)
{
	struct buf b OWNED(buf_drop) = BUF(1024);

	refresh_order_put(&b,
	    &(struct refresh_order){.now = w.now, .next_update = {w.now.ms + 48 * HOUR_MS}, .after = after, .upto = upto});
	return ask(ORDER_REFRESH, &b);
}

/* The one row of a refresh, with the answer it makes; its signature is verified. */
static struct answer_row
refreshed(struct result *r)
{
	static struct slots_part p;
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_plan plan;

	accepted("refresh", r);
	expect_ok("part", slots_part_get(buf_slice(&r->body), &p));
	expect_true("one, and the last", p.n == 1 && p.last && !p.whole);
	expect_same("responder", p.responder, w.responder.cert.whole);
	plan = (struct ocsp_plan){.issuer = w.responder.issuer,
	    .serial = p.slot[0].serial,
	    .status = p.slot[0].revoked ? OCSP_REVOKED : OCSP_GOOD,
	    .revoked = p.slot[0].revoked_at,
	    .reason = p.slot[0].reason,
	    .produced = p.produced,
	    .this_update = p.this_update,
	    .next_update = p.next_update,
	    .responder_key_id = ARR(w.responder.key_id)};
	ocsp_put_data(&data, &plan);
	expect_ok("signed", key_check(w.responder.key, w.responder.alg, buf_slice(&data), p.slot[0].signature));
	return p.slot[0];
}

static size_t
refreshed_many(struct result *r)
{
	static struct slots_part p;

	accepted("refresh", r);
	expect_ok("part", slots_part_get(buf_slice(&r->body), &p));
	expect_true("the last", p.last);
	return p.n;
}

static enum ocsp_status
status_of(struct result *r)
{
	struct answers_reply reply;
	struct ocsp_answer a;

	accepted("answers", r);
	expect_ok("reply", answers_reply_get(buf_slice(&r->body), &reply));
	expect_number("one", reply.n, 1);
	expect_ok("answer", ocsp_answer_get(reply.answer[0], &a));
	expect_ok("signed", key_check(w.responder.key, a.alg, a.data, a.signature));
	return a.status;
}

static struct result *
checkpoint(uint64_t from, uint64_t to)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct checkpoint_order o = {.books = books_head(to), .from = from};
	struct tree_nodes nodes = books();

	if (from > 0 && from < to)
		expect_ok("proof", tree_consistency(&nodes, from, to, o.proof, &o.n_proof));
	checkpoint_order_put(&b, &o);
	return ask(ORDER_CHECKPOINT, &b);
}

static struct link *front_near, *front_far;

static void
front_open(uint64_t number, struct link **near, struct link **far)
{
	int pair[2];

	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	*near = link_new(pair[0], PEER_FRONT, number);
	*far = link_new(pair[1], PEER_STATUS, 0);
}

static void
fronts_open(void)
{
	front_open(0, &front_near, &front_far);
	w.s.front[0] = front_near;
	w.s.front_wrong[0] = false;
	w.s.n_front = 1;
}

static void
fronts_close(void)
{
	w.s.n_front = 0;
	link_drop(&front_near);
	link_drop(&front_far);
}

/* A front's order, and the frame that comes back; it lives until the next. */
static struct frame
front_asks(uint8_t kind, slice body)
{
	struct frame f = {0};

	link_order(front_far, kind, 7, body);
	expect_ok("sent", link_flush(front_far));
	expect_ok("fill", link_fill(front_near));
	turn();
	if (!w.s.front_wrong[0])
		expect_ok("answered", link_wait(front_far, 1000, &f));
	return f;
}

static void
expect_fallback(const char *row, const struct frame *f, enum err_kind kind, const char *what)
{
	if (f->fail != kind || !slice_eq(f->what, slice_str(what)))
		fail_msg("%s: got %d \"%.*s\"", row, (int)f->fail, (int)f->what.n, (const char *)f->what.p);
}

#define FLOOD 40U

/* So many orders of a front wait. */
static void
flood(slice order)
{
	for (unsigned i = 0; i < FLOOD; i++)
		link_order(front_far, ORDER_LIVE, i + 1, order);
	expect_ok("sent", link_flush(front_far));
	expect_ok("fill", link_fill(front_near));
}

/* What of it is answered by now. */
static size_t
flood_answered(void)
{
	struct frame f;
	bool have = true;
	size_t n = 0;

	expect_ok("answers", link_flush(front_near));
	(void)link_fill(front_far).kind;
	for (; have; n += have) {
		expect_ok("an answer", link_next(front_far, &have, &f));
		if (have)
			expect_fallback("flood", &f, OK, "");
	}
	return n;
}

/* A front that asks for all it can get keeps nothing of the house's own from being signed. */
static void
flooded(slice order)
{
	uint64_t size = journal_head(w.s.journal).size;
	size_t answered;

	w.s.live_us = 0;
	flood(order);
	turn();
	expect_number("nothing else waits: all at once", flood_answered(), FLOOD);
	expect_number("… in one step", journal_head(w.s.journal).size, size + 1);

	flood(order);
	expect_number("the house's own is signed beside it", refreshed_many(refresh((serial){0}, (serial){0})), 1);
	expect_number("… all of it too", flood_answered(), FLOOD);
	expect_number("… but few in the step that has a ticket of the house", journal_head(w.s.journal).size, size + 4);

	w.s.live_us = 10 * LIVE_STEP_US; /* a slow key: what waits behind a step waits long */
	flood(order);
	turn();
	answered = flood_answered();
	expect_number("one a step", answered, STEPS_MAX);
	w.s.live_us = LIVE_STEP_US / 2;
	turn();
	expect_number("two steps of fewest, then what the key was measured to do", flood_answered(), FLOOD - answered);
}

/* Room for one a step: a front that floods has each other step, not all. */
static void
flooded_by_one(slice order)
{
	struct link *near, *far;
	struct frame f;
	bool have;

	front_open(1, &near, &far);
	w.s.front[1] = near;
	w.s.front_wrong[1] = false;
	w.s.n_front = 2;
	w.s.live_us = 10 * LIVE_STEP_US;
	flood(order);
	link_order(far, ORDER_LIVE, 1, order);
	expect_ok("sent", link_flush(far));
	expect_ok("fill", link_fill(near));
	turn();
	expect_ok("answers", link_flush(near));
	(void)link_fill(far).kind;
	expect_ok("an answer", link_next(far, &have, &f));
	expect_true("the other front is answered beside it", have);
	expect_fallback("the other front", &f, OK, "");
	expect_number("in a step of its own", flood_answered(), STEPS_MAX - 1);
	for (int turns = 0; turns < 30; turns++) {
		turn();
		(void)flood_answered();
	}
	w.s.n_front = 1;
	w.s.live_us = 0;
	link_drop(&near);
	link_drop(&far);
}

/* What a front may have signed: an answer to a request, about what is known; over the limit, or unknown, nothing. */
static void
live(serial known, enum ocsp_status status)
{
	struct ocsp_certid id[2] = {{HASH_SHA1, ARR(w.responder.issuer.name1), ARR(w.responder.issuer.key1), known},
	    {HASH_SHA256, ARR(w.responder.issuer.name256), ARR(w.responder.issuer.key256), known}};
	struct buf q OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX), b OWNED(buf_drop) = BUF(OCSP_REQUEST_MAX + 8);
	slice nonce = LIT("0123456789abcdef0123456789abcdef"), whole;
	uint64_t size = journal_head(w.s.journal).size;
	struct ocsp_live_answer a;
	struct frame f;

	fronts_open();
	ocsp_request_put_many(&q, id, 2, nonce);
	octets_put(&b, buf_slice(&q));
	f = front_asks(ORDER_LIVE, buf_slice(&b));
	expect_fallback("live", &f, OK, "");
	expect_ok("one string", octets_get(f.body, &whole));
	expect_ok("an answer", ocsp_live_get(whole, &a));
	expect_ok("signed", key_check(w.responder.key, a.alg, a.data, a.signature));
	expect_true("on both", a.live.n == 2 && a.live.single[0].status == status && a.live.single[1].status == status &&
	                           a.live.single[1].id.alg == HASH_SHA256);
	expect_same("nonce", a.live.nonce, nonce);
	expect_true("for an hour", a.live.single[0].next_update.ms - a.live.single[0].this_update.ms == HOUR_MS);
	expect_number("one line", journal_head(w.s.journal).size, size + 1);

	w.s.live_limit = 5;
	w.s.live_second = w.steady;
	w.s.live_count = 5;
	f = front_asks(ORDER_LIVE, buf_slice(&b));
	expect_fallback("over the limit", &f, ERR_BUSY,
	    "signer-live-limit: house: too many answers are asked for live; those made ahead are given");
	expect_number("no line", journal_head(w.s.journal).size, size + 1);
	w.steady += SECOND_MS;
	w.now.ms += SECOND_MS;
	f = front_asks(ORDER_LIVE, buf_slice(&b));
	expect_fallback("a second later", &f, OK, "");
	w.s.live_limit = LIVE_PER_SECOND;
	flooded(buf_slice(&b));
	flooded_by_one(buf_slice(&b));

	id[1].serial.b[id[1].serial.n - 1] ^= 1;
	buf_clear(&q);
	buf_clear(&b);
	ocsp_request_put_many(&q, id, 2, nonce);
	octets_put(&b, buf_slice(&q));
	f = front_asks(ORDER_LIVE, buf_slice(&b));
	expect_fallback("not known", &f, ERR_ABSENT,
	    "answer-unknown: Rule 6(xi): this certificate was never shown: nothing is said of it");
	w.s.greeted = false;
	f = front_asks(ORDER_LIVE, buf_slice(&b));
	expect_fallback("no registrar", &f, ERR_BUSY,
	    "signer-hello: design 3: the registrar did not say hello on this wire, or not rightly");
	w.s.greeted = true;
	/* a captured front: only its own wire ends */
	(void)front_asks(ORDER_REVOKED, (slice){NULL, 0});
	expect_true("another order", w.s.front_wrong[0]);
	fronts_close();
	fronts_open();
	(void)front_asks(ORDER_LIVE, bytes(OCSP_REQUEST_MAX + 9, 0));
	expect_true("too long", w.s.front_wrong[0]);
	fronts_close();
}

/* The first signature of a login and every 64th after it are verified, those between are not: the checker sees them. */
static void
verified(void **state)
{
	struct applicant a OWNED(applicant_drop);
	struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);
	struct test_hand *h = &test_hands[0];
	uint64_t logins;

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	buf_put(&certificate, certificate_of(issue(&a)).certificate);
	close_signer();
	snprintf(w.folder, sizeof w.folder, "%s/status", w.base);
	open_signer(SIGNER_STATUS);
	greet(9);
	h->how = HAND_WRONG;
	h->from_there_on = true;
	for (unsigned login = 0; login < 2; login++) {
		h->at = h->calls + 1;
		refused("the first", answers(buf_slice(&certificate)), ERR_WORLD,
		    "answer-signature: RFC 6960: what the token returned is not the responder's signature");
		h->at = 0;
		expect_number("it is known all the same", refreshed_many(refresh((serial){0}, (serial){0})), 1);
		logins = h->started;
		h->at = h->calls + 1;
		for (uint64_t i = 2; i <= VERIFY_EVERY; i++)
			expect_number("the 2nd to the 64th", refreshed_many(refresh((serial){0}, (serial){0})), 1);
		expect_number("by one login", h->started, logins);
		refused("the 65th", refresh((serial){0}, (serial){0}), ERR_WORLD,
		    "answer-signature: RFC 6960: what the token returned is not the responder's signature");
	}
}

static void
status(void **state)
{
	struct applicant a OWNED(applicant_drop);
	struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);
	struct checkpoint c;
	struct result *r;
	slice note;

	(void)state;
	prepare(9);
	applicant_new(&a, 1);
	buf_put(&certificate, certificate_of(issue(&a)).certificate);
	close_signer();
	snprintf(w.folder, sizeof w.folder, "%s/status", w.base); /* a journal of its own */
	open_signer(SIGNER_STATUS);
	greet(9);
	expect_number("what was never shown is not known", refreshed_many(refresh((serial){0}, (serial){0})), 0);
	assert_int_equal(OCSP_GOOD, status_of(answers(buf_slice(&certificate))));
	{
		serial low = {1, {1}}, high = {16, {0x7F, [15] = 0xFF}};
		struct answer_row row = refreshed(refresh((serial){0}, (serial){0}));

		expect_true("good", !row.revoked);
		live(row.serial, OCSP_GOOD);
		expect_number("it is the last", refreshed_many(refresh(row.serial, (serial){0})), 0);
		expect_number("up to it", refreshed_many(refresh(low, row.serial)), 1);
		expect_number("below it", refreshed_many(refresh((serial){0}, low)), 0);
		expect_number("above it", refreshed_many(refresh(high, (serial){0})), 0);
		{
			struct buf b OWNED(buf_drop) = BUF(1024);

			refresh_order_put(&b, &(struct refresh_order){.now = w.now, .next_update = {w.now.ms + 49 * HOUR_MS}});
			refused("for too long", ask(ORDER_REFRESH, &b), ERR_POLICY,
			    "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate");
		}
	}
	accepted("revoked", ask_revoked(&a, buf_slice(&certificate)));
	expect_true("never good again", refreshed(refresh((serial){0}, (serial){0})).revoked);
	live(refreshed(refresh((serial){0}, (serial){0})).serial, OCSP_REVOKED);
	assert_int_equal(OCSP_REVOKED, status_of(answers(buf_slice(&certificate))));
	crash();
	greet(9);
	expect_true("known after a crash", refreshed(refresh((serial){0}, (serial){0})).revoked);
	test_hands[0].at = test_hands[0].calls + 1; /* not verified: one of this login was */
	test_hands[0].how = HAND_LOST_AFTER;
	expect_true("a lost hand", refreshed(refresh((serial){0}, (serial){0})).revoked);
	crash();
	greet(9);
	test_hands[0].at = test_hands[0].calls + 1;
	test_hands[0].how = HAND_WRONG;
	assert_int_equal(OCSP_REVOKED, status_of(answers(buf_slice(&certificate))));
	{
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		answers_order_put(&b, &(struct answers_order){.now = w.now, .next_update = {w.now.ms + HOUR_MS}});
		refused("for nothing", ask(ORDER_ANSWERS, &b), ERR_INPUT,
		    "signer-answers: house: an order for answers names no certificate");
	}

	r = checkpoint(0, 9);
	accepted("checkpoint", r);
	expect_ok("note", octets_get(buf_slice(&r->body), &note));
	expect_ok("reads", checkpoint_get(note, &c));
	expect_ok("checks", checkpoint_check(&c, w.trust->origin, w.trust->status_key));
	accepted("extends", checkpoint(9, 12));
	accepted("again", checkpoint(12, 12));
	crash();
	greet(12);
	refused("shorter", checkpoint(9, 11), ERR_CONFLICT,
	    "books-smaller: design law 9: the books have fewer lines than this signer has seen");
	refused("from elsewhere", checkpoint(9, 13), ERR_CONFLICT,
	    "books-from: house: the proof does not start at the head this signer has seen");
	w.books_shift = 1;
	expect_true("other books", checkpoint(12, 13)->kind == ERR_POLICY);
	w.books_shift = 0;
	accepted("right", checkpoint(12, 13));
	crash(); /* books of between the last hello and the last checkpoint */
	refused("set back behind a checkpoint", say_hello(12, (struct head){0}, 12), ERR_CORRUPT,
	    "signer-books-rollback: design 3: the books are shorter than those this signer saw");
}

/* --- lists, answers, checkpoints, cut short --------------------------------------------------------------------------- */
/* One order in a process that may die of it; true where it was answered, and well. */
static bool
ask_mortal(uint8_t kind, const struct buf *body)
{
	uint64_t id = put(kind, buf_slice(body));
	struct frame f;

	if (link_fill(w.near).kind != OK || signing_turn(&w.s, w.near, w.now, w.steady, PIN).kind != OK)
		_exit(1);
	while (!link_is_empty(w.near))
		if (link_flush(w.near).kind != OK || link_fill(w.far).kind != OK)
			_exit(1);
	w.now.ms += 3;
	w.steady += 3;
	return link_wait(w.far, 1000, &f).kind == OK && f.id == id && f.fail == OK;
}

/* The journal's lists: no number twice. */
static void
audit_lists(const char *row)
{
	struct book *b = NULL;
	struct book_opened opened;
	struct book_reader *r = NULL;
	uint64_t n, last = 0, number;
	slice s;

	expect_ok(row, book_open(w.folder, BOOK_READ, 0, &b, &opened));
	expect_ok(row, book_read_from(b, 0, &r));
	while (book_read_next(r, &n, &s).kind == OK) {
		struct json *doc OWNED(json_drop) = NULL;
		struct line l;

		expect_ok(row, line_get(s, &l));
		if (l.act != ACT_CRL_PUBLISHED)
			continue;
		expect_ok(row, line_body(&l, &doc));
		expect_ok(row, json_natural(json_root(doc), "number", &number));
		expect_true("a list's number only grows", number > last);
		last = number;
	}
	book_reader_close(&r);
	book_close(&b);
}

struct reached {
	bool revoked, list, good, answer, renewed;
	uint64_t checkpoint;
};

/* In a process of its own: what one revocation brings at the issuer, or what the status signer makes of it. */
static bool
live_a_round(
    const struct applicant *a, slice certificate, uint64_t number, struct disk_fault fault, volatile struct reached *to)
{
	enum signing_mode mode = w.s.mode;
	struct buf revoke OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	int status_of_child;
	pid_t child;

	put_revoked(&revoke, a, certificate);
	close_signer();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		open_signer(mode);
		if (mode == SIGNER_ISSUER)
			prepare(9);
		else
			greet(number - 1);
		disk_fault = fault;
		if (mode == SIGNER_STATUS) {
			answers_order_put(
			    &b, &(struct answers_order){
			            .now = w.now, .next_update = {w.now.ms + 48 * HOUR_MS}, .n = 1, .certificate = {certificate}});
			to->good = ask_mortal(ORDER_ANSWERS, &b);
		}
		to->revoked = ask_mortal(ORDER_REVOKED, &revoke);
		buf_clear(&b);
		if (mode == SIGNER_ISSUER) {
			crl_order_put(
			    &b, &(struct crl_order){.number = number, .now = w.now, .next_update = {w.now.ms + 36 * HOUR_MS}});
			to->list = ask_mortal(ORDER_CRL_OUT, &b);
			buf_clear(&b);
			list_part_order_put(&b, &(struct list_part_order){number, 0});
			_exit(ask_mortal(ORDER_CRL_PART, &b) ? 0 : 1);
		}
		answers_order_put(
		    &b, &(struct answers_order){
		            .now = w.now, .next_update = {w.now.ms + 48 * HOUR_MS}, .n = 1, .certificate = {certificate}});
		to->answer = ask_mortal(ORDER_ANSWERS, &b);
		buf_clear(&b);
		refresh_order_put(&b, &(struct refresh_order){.now = w.now, .next_update = {w.now.ms + 48 * HOUR_MS}});
		to->renewed = ask_mortal(ORDER_REFRESH, &b);
		buf_clear(&b);
		{
			struct checkpoint_order o = {.books = books_head(number), .from = number - 1};
			struct tree_nodes nodes = books();

			if (tree_consistency(&nodes, number - 1, number, o.proof, &o.n_proof).kind != OK)
				_exit(1);
			checkpoint_order_put(&b, &o);
		}
		if (ask_mortal(ORDER_CHECKPOINT, &b))
			to->checkpoint = number;
		_exit(to->good && to->answer && to->renewed && to->checkpoint != 0 ? 0 : 1);
	}
	assert_int_equal(child, waitpid(child, &status_of_child, 0));
	assert_true(WIFEXITED(status_of_child));
	if (WEXITSTATUS(status_of_child) != 0 && WEXITSTATUS(status_of_child) != DIED)
		fail_msg("the signer ended with %d at effect %ld", WEXITSTATUS(status_of_child), fault.nth);
	open_signer(mode);
	w.now.ms += 1000; /* the child's lines are later than our clock */
	w.steady += 1000;
	return WEXITSTATUS(status_of_child) == 0;
}

/* B-10, B-11: dead, or without power, at each effect of a revocation, its list, its answers, a checkpoint. */
static void
rounds_cut(enum signing_mode mode)
{
	static const enum fault HOW[] = {DIE_BEFORE, DIE_HALF, DIE_AFTER, POWER_ALL, POWER_ODD, POWER_EVEN, POWER_HALF};
	struct reached *to = mmap(NULL, sizeof *to, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct applicant a[250];
	static struct buf certificate[COUNT(a)];
	uint64_t number = 20;
	size_t next = 0;

	assert_true(to != MAP_FAILED);
	prepare(9);
	for (size_t i = 0; i < COUNT(a); i++) {
		applicant_new(&a[i], (uint8_t)(i + 1));
		certificate[i] = BUF(CERT_MAX);
		buf_put(&certificate[i], certificate_of(issue(&a[i])).certificate);
	}
	if (mode == SIGNER_STATUS) {
		close_signer();
		snprintf(w.folder, sizeof w.folder, "%s/status", w.base);
		open_signer(SIGNER_STATUS);
		greet(9);
		accepted("the first checkpoint", checkpoint(0, number - 1));
	}
	for (size_t i = 0; i < COUNT(HOW); i++) {
		bool lived = false;

		for (long nth = 1; !lived; nth++, next++, number++) {
			slice c = buf_slice(&certificate[next]);
			char row[64];

			assert_true(next < COUNT(a));
			snprintf(row, sizeof row, "way %zu, effect %ld", i, nth);
			memset(to, 0, sizeof *to);
			lived = live_a_round(&a[next], c, number, (struct disk_fault){HOW[i], nth, EIO, 0}, to);
			if (lived && nth <= (mode == SIGNER_ISSUER ? 4 : 6))
				fail_msg("%s: no effects were hit", row);
			if (mode == SIGNER_ISSUER) {
				struct result *r;

				prepare(9);
				if (to->revoked) { /* told so: it is on whatever list comes next */
					expect_number(row, entries_of(list(++number)), next + 1);
					refused(row, list(number - 1), ERR_CONFLICT,
					    "list-number: RFC 5280 5.2.3: the number of a list only grows");
				}
				r = list(number);
				if (to->list || to->revoked)
					refused(row, r, ERR_CONFLICT, "list-number: RFC 5280 5.2.3: the number of a list only grows");
				accepted(row, ask_revoked(&a[next], c));
				expect_number(row, entries_of(list(++number)), next + 1);
				audit_lists(row);
				continue;
			}
			greet(number);
			if (to->revoked) /* told so: never good again */
				expect_number(row, status_of(answers(c)), OCSP_REVOKED);
			accepted(row, ask_revoked(&a[next], c));
			expect_number(row, status_of(answers(c)), OCSP_REVOKED);
			expect_true(row, refreshed_many(refresh((serial){0}, (serial){0})) == next + 1);
			if (to->checkpoint != 0)
				refused(row, checkpoint(number - 2, number - 1), ERR_CONFLICT,
				    "books-smaller: design law 9: the books have fewer lines than this signer has seen");
			accepted(row, checkpoint(to->checkpoint != 0 ? number : number - 1, number));
		}
	}
	for (size_t i = 0; i < COUNT(a); i++) {
		applicant_drop(&a[i]);
		buf_drop(&certificate[i]);
	}
	(void)munmap(to, sizeof *to);
}

static void
lists_cut(void **state)
{
	(void)state;
	rounds_cut(SIGNER_ISSUER);
}

static void
answers_cut(void **state)
{
	(void)state;
	rounds_cut(SIGNER_STATUS);
}

/* What one mode hears the other does not: a peer that says it is not argued with. */
static void
gates(void **state)
{
	static const struct {
		enum signing_mode mode;
		uint8_t kind;
		size_t n;
		const char *what;
	} rows[] = {
	    {SIGNER_ISSUER, ORDER_ANSWERS, 8, "gate-early: house: a peer said something that may not be said now"},
	    {SIGNER_STATUS, ORDER_LIVE, 8, "gate-unknown: house: a peer said something this role does not hear"},
	    {SIGNER_ISSUER, ORDER_REFRESH, 8, "gate-early: house: a peer said something that may not be said now"},
	    {SIGNER_ISSUER, ORDER_CHECKPOINT, 8, "gate-early: house: a peer said something that may not be said now"},
	    {SIGNER_STATUS, ORDER_ISSUE, 8, "gate-early: house: a peer said something that may not be said now"},
	    {SIGNER_STATUS, ORDER_CRL_OUT, 8, "gate-early: house: a peer said something that may not be said now"},
	    {SIGNER_ISSUER, ORDER_SIGN, 8, "gate-unknown: house: a peer said something this role does not hear"},
	    {SIGNER_ISSUER, ORDER_VOID, 257, "gate-long: house: a peer said more than it may"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		close_signer();
		open_signer(rows[i].mode);
		put(rows[i].kind, bytes(rows[i].n, 0));
		expect_ok("fill", link_fill(w.near));
		expect_err(row_name("gate", i), signing_turn(&w.s, w.near, w.now, w.steady, PIN), ERR_WORLD, rows[i].what);
		close_signer();
		open_signer(SIGNER_ISSUER);
	}
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {EACH(hello_first), EACH(rollback), EACH(journal_extends), EACH(used_once),
	    EACH(voids), EACH(faults), EACH(traces), EACH(batches), EACH(disk_fails), EACH(dies), EACH(approvals),
	    EACH(stopped), EACH(parted), EACH(revoked_hour), EACH(per_hour), EACH(carried), EACH(carried_other),
	    EACH(lists_of_jlis), EACH(lists_kept), EACH(clocks), EACH(revocations), EACH(base_lost), EACH(verified),
	    EACH(status), EACH(lists_cut), EACH(answers_cut), EACH(gates)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
