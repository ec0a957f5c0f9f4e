/*
 * stage.h - the registrar in one process with pretended helpers: links are socket pairs, the verifier is the real step,
 *           issuer, status, publisher and messenger do what they should or what a test tells them.
 *
 * The clock is the test's: it stands at AT plus what stage_wait() adds plus real time.
 */
#ifndef TEST_UNIT_STAGE_H
#define TEST_UNIT_STAGE_H

#include "test/unit/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <unistd.h>

#include "act/issue.h"
#include "act/receipt.h"
#include "act/revocation.h"
#include "edge/clock.h"
#include "pki/ocsp.h"
#include "role/registrar/registrar.h"
#include "role/verifier/verifier.h"
#include "test/jpki/make.h"

#define DAY "2026-11-22T00:00:00Z"
#define AT "2026-11-22T01:00:00.000Z"

enum { FRONT, VERIFIER, VERIFIER2, ISSUER, STATUS, PUBLISHER, MESSENGER, OFFICE, ENDS };
static const struct {
	enum peer peer;
	uint64_t number;
} END[ENDS] = {{PEER_FRONT, 0}, {PEER_VERIFIER, 0}, {PEER_VERIFIER, 1}, {PEER_ISSUER, 0}, {PEER_STATUS, 0},
    {PEER_PUBLISHER, 0}, {PEER_MESSENGER, 0}, {PEER_OFFICE, 0}};

#define ANSWERS_KEPT 64

struct scene {
	char home[64];
	const char *world;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct registrar *r;
	struct link *control, *end[ENDS];
	bool away[ENDS];
	struct verifier verifier[2];
	void (*lie)(struct facts *);         /* what a captured verifier makes of its facts */
	void (*crl_lie)(struct crl_reply *); /* … and of J-LIS's list                       */
	/* issuer */
	struct crl_table *crl[8]; /* the newest first */
	struct buf parts;
	struct approval approval;
	uint64_t refreshed, renewed, whole; /* of the wheel */
	/* what readers see: each serial's answer, as publisher was given it; a wheel's range when its last part was let be seen */
	struct {
		serial serial;
		instant next_update;
	} served[16];
	size_t n_served;
	bool forgets, says_good, loses;
	struct lapse_reply lapse[4]; /* what the publisher knows of, in order */
	size_t n_lapses;
	bool lapses_looking, lapses_stand;
	unsigned withdraw_refused;
	uint64_t lapse_questions;
	uint64_t issued, refused_by_issuer, voided, told[2], crls, answers, notes, mails, slots, withdrawn, tiles,
	    cited_absent;
	const char *issuer_refuses; /* text; kind below */
	enum err_kind issuer_kind;
	struct buf mail, automation;
	bool messenger_fails, capped; /* capped: the signers take no more by rule in this hour */
	bool answers_as_were;
	bool answers_hang; /* the status signer keeps orders of answers, and answers them later */
	struct {
		uint64_t id;
		struct buf body;
	} kept[4];
	size_t n_kept;
	/* tiles the publisher was given: all, at most at once, which full ones of the first level, to be refused the n-th next */
	uint64_t tile_files, tiles_at_once, tile_refused;
	bool tile_there[1000];
	struct crl_order list; /* the last one ordered                                   */
	bool lists_hang;       /* the issuer hears the order of a list and never answers */
	unsigned lists_fail;   /* so many orders of lists are refused                    */
	bool judging_held;     /* the verifiers' answers about lists of J-LIS wait in `held` */
	struct buf held;
	uint64_t closed;   /* links that the registrar closed */
	const char *newer; /* the world whose list J-LIS has, NULL: this one */
	uint64_t ocsp_calls;
	enum ocsp_status jlis_status;
	struct head journal[2]; /* what the signers say of theirs, issuer first */
	struct head seen[2];    /* the books' heads they say they have seen; size 0: what they are told */
	enum err_kind hello_fails;
	struct signer *first_key;    /* the responder's first key                               */
	struct buf responder;       /* the certificate that the status signer says it answers by                            */
	struct buf published;       /* ca/ocsp.cer, as the publisher was last given it and wrote it */
	unsigned responder_refused; /* so many of its orders fail                             */
	/* what front and office heard */
	size_t n_heard;
	struct {
		uint8_t kind;
		uint64_t id;
		enum err_kind fail;
		char what[256];
		struct buf body;
	} heard[ANSWERS_KEPT];
	uint64_t next_id, audits;
};

static int64_t *stage_clock;    /* the mapped offset */
static const char *stage_world; /* lives for ever    */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
stage_clock_set(instant t)
{
	char path[] = "/tmp/inkan-clock-XXXXXX";
	int64_t zero = 0;
	int fd;

	if (stage_clock == NULL) {
		fd = mkstemp(path);
		if (fd < 0 || write(fd, &zero, sizeof zero) != sizeof zero || clock_use_test(path).kind != OK)
			abort();
		stage_clock = mmap(NULL, sizeof zero, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (stage_clock == MAP_FAILED)
			abort();
		close(fd);
		unlink(path);
	}
	*stage_clock += t.ms - clock_now().ms;
}

/* Time goes on, on both clocks: what the registrar noted of the steady one lies further back then. */
static inline void
stage_wait(struct scene *s, int64_t ms)
{
	struct registrar *r = s->r;

	*stage_clock += ms;
	if (r == NULL)
		return;
	r->seen_at -= ms;
	r->reopen_at -= ms;
	r->jlis.next_at -= ms;
	r->pub.answers_at -= ms;
	if (r->pub.withdraw_at != 0)
		r->pub.withdraw_at -= ms;
	r->responder.again_at -= ms;
	r->lapse.again -= ms;
	r->lapse.at -= ms;
	r->lists.round_at -= ms;
	r->lists.again -= ms;
	r->wheel.again -= ms;
	r->pub.note_at -= ms;
	r->shows.again -= ms;
	r->owed.verify_at -= ms;
	r->owed.issue_at -= ms;
	r->owed.notice_at -= ms;
	r->issuer.held_until -= ms;
	r->status.held_until -= ms;
	r->owed.watch_at -= ms;
}

static void
put_file(const struct scene *s, const char *name, slice bytes)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", s->home, name);
	file_put(path, bytes);
}

static void
put_hex_text(char out[65], digest d)
{
	struct buf b OWNED(buf_drop) = BUF(64);

	digest_put(&b, d);
	memcpy(out, b.p, 64);
	out[64] = '\0';
}

#define STAGE_CPS "a practice statement\n"
#define STAGE_TEXTS "[registrar]\ntexts = cps.txt\n"

static void
put_house(struct scene *s, const char *conf)
{
	static const char *const FOLDERS[] = {"keys", "state", "books"};
	char trust[65], profile[65], ruleset[65], cps[65];
	struct buf b OWNED(buf_drop) = BUF(CMS_MAX), text OWNED(buf_drop) = BUF(CONF_MAX);
	const char *values[B_COUNT] = {"Inkan test", "NONE", trust, profile, ruleset, "-", "-", cps, "hanako", AT};
	uint8_t key[32];
	char path[512];

	for (size_t i = 0; i < COUNT(FOLDERS); i++) {
		snprintf(path, sizeof path, "%s/%s", s->home, FOLDERS[i]);
		if (mkdir(path, 0700) != 0)
			abort();
	}
	put_hex_text(trust, sha256(buf_slice(&s->house->trust)));
	put_hex_text(profile, sha256(buf_slice(&s->house->profile)));
	put_hex_text(ruleset, sha256(buf_slice(&s->house->ruleset)));
	put_hex_text(cps, sha256(LIT(STAGE_CPS)));
	{
		static char service[128];

		assert(s->trust->service.n < sizeof service);
		memcpy(service, s->trust->service.p, s->trust->service.n);
		values[0] = service;
	}
	make_document(&b, s->house->hanako, FORM_BASELINE, values, (slice){NULL, 0}, at_of(AT));
	put_file(s, "baseline.cms", buf_slice(&b));
	put_file(s, "trust.conf", buf_slice(&s->house->trust));
	put_file(s, "person-signature.conf", buf_slice(&s->house->profile));
	put_file(s, "ruleset.conf", buf_slice(&s->house->ruleset));
	put_file(s, "approval.cms", buf_slice(&s->house->approval));
	put_file(s, "cps.txt", LIT(STAGE_CPS));
	assert(strncmp(conf, "[registrar]\n", 12) == 0);
	buf_put_str(&text, STAGE_TEXTS);
	buf_put_str(&text, conf + 12);
	put_file(s, "inkan.conf", buf_slice(&text));
	memset(key, 7, sizeof key);
	put_file(s, "keys/token.key", ARR(key));
	memset(key, 9, sizeof key);
	put_file(s, "keys/jlis.key", ARR(key));
}

/* --- wires ------------------------------------------------------------------------------------------------------------ */
/* The office is a listening socket; the first connection to it stands for inkanctl. */
static void
stage_office(struct scene *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct buf body OWNED(buf_drop) = BUF(64);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s/office", s->home);
	(void)unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 8) != 0)
		abort();
	wire_order_put(&body, &(struct wire_order){PEER_OFFICE, 0});
	if (ipc_send_fd(link_fd(s->control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, fd).kind != OK)
		abort();
	close(fd);
	link_drop(&s->end[OFFICE]);
	expect_ok("office", link_connect(a.sun_path, PEER_OFFICE, &s->end[OFFICE]));
}

static void
stage_wire(struct scene *s, int which)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	int pair[2];

	if (which == OFFICE) {
		stage_office(s);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	wire_order_put(&body, &(struct wire_order){END[which].peer, END[which].number});
	if (ipc_send_fd(link_fd(s->control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, pair[0]).kind !=
	    OK)
		abort();
	close(pair[0]);
	link_drop(&s->end[which]);
	s->end[which] = link_new(pair[1], PEER_REGISTRAR, 0);
	if (which == VERIFIER || which == VERIFIER2) {
		verifier_drop(&s->verifier[which - VERIFIER]);
		verifier_start(&s->verifier[which - VERIFIER]);
	}
}

/* The link goes away, as when a process dies. */
static inline void
stage_cut(struct scene *s, int which)
{
	link_drop(&s->end[which]);
	s->away[which] = true;
}

static inline void
stage_back(struct scene *s, int which)
{
	s->away[which] = false;
	stage_wire(s, which);
}

static void
stage_start(struct scene *s)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	s->control = link_new(pair[1], PEER_INKAND, 0);
	s->r = mem_new(1, sizeof *s->r);
	expect_ok("wires", wires_open_fd(pair[0], &s->r->wires));
	expect_ok("configure", registrar_configure(s->r, s->home));
	expect_ok("open", registrar_open(s->r));
	for (int i = 0; i < ENDS; i++)
		if (!s->away[i])
			stage_wire(s, i);
}

static void
stage_stop(struct scene *s)
{
	registrar_close(s->r);
	wires_drop(&s->r->wires);
	free(s->r);
	s->r = NULL;
	link_drop(&s->control);
	for (int i = 0; i < ENDS; i++)
		link_drop(&s->end[i]);
}

static void
stage_load(struct scene *s)
{
	expect_ok("trust", trust_get(buf_slice(&s->house->trust), &s->trust));
	expect_ok("profile", profile_get(buf_slice(&s->house->profile), &s->profile));
	expect_ok("ruleset", ruleset_get(buf_slice(&s->house->ruleset), &s->ruleset));
}

static struct scene *
stage_new_with(const char *method, const char *conf)
{
	struct scene *s = mem_new(1, sizeof *s);

	/* in memory where there is some: it is the order of syncs that is tested, not a disk */
	snprintf(s->home, sizeof s->home, "%s/inkan-registrar-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(s->home) == NULL)
		abort();
	stage_clock_set(at_of(AT));
	if (stage_world == NULL)
		stage_world = make_world(DAY, 0);
	s->world = stage_world;
	s->house = house_new(s->world, at_of(AT));
	if (strcmp(method, "crl") != 0) {
		buf_clear(&s->house->trust);
		house_put_trust(s->house, s->world, "test", method, "", &s->house->trust);
	}
	stage_load(s);
	s->first_key = signer_new(KEY_P256, 256);
	house_responder(s->house, s->first_key, instant_floor_second(clock_now()), &s->responder);
	put_house(s, conf);
	s->parts = BUF(CRL_MAX);
	s->mail = BUF(1U << 20);
	s->held = BUF(1U << 20);
	for (int i = 0; i < 2; i++)
		verifier_start(&s->verifier[i]);
	s->away[VERIFIER2] = true;
	stage_start(s);
	return s;
}

static void
stage_drop(struct scene *s)
{
	signer_drop(&s->first_key);
	buf_drop(&s->responder);
	buf_drop(&s->published);
	if (s->r != NULL)
		stage_stop(s);
	for (size_t i = 0; i < ANSWERS_KEPT; i++)
		buf_drop(&s->heard[i].body);
	for (int i = 0; i < 2; i++)
		verifier_drop(&s->verifier[i]);
	for (size_t i = 0; i < COUNT(s->crl); i++)
		crl_table_drop(&s->crl[i]);
	buf_drop(&s->parts);
	buf_drop(&s->mail);
	buf_drop(&s->held);
	buf_drop(&s->automation);
	trust_drop(&s->trust);
	profile_drop(&s->profile);
	ruleset_drop(&s->ruleset);
	house_drop(&s->house);
	nftw(s->home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
}

/* A verifier's answer as the attacker in it would have it. */
static void
twist(const struct scene *s, struct frame *f, struct buf *body)
{
	struct crl_reply c;
	struct facts x;

	if (f->fail == OK && f->kind == ORDER_VERIFY && s->lie != NULL && facts_get(f->body, &x).kind == OK) {
		s->lie(&x);
		facts_put(body, &x);
		f->body = buf_slice(body);
	} else if (f->fail == OK && f->kind == ORDER_CRL_IN && s->crl_lie != NULL &&
	           crl_reply_get(f->body, &c).kind == OK) {
		s->crl_lie(&c);
		crl_reply_put(body, &c);
		f->body = buf_slice(body);
	}
}

/* --- helpers ------------------------------------------------------------------------------------------------------------ */
static void
verifier_hear(struct scene *s, int which)
{
	struct buf out OWNED(buf_drop) = BUF(FRAME_MAX);
	struct link *l = s->end[which];
	struct frame in, f;
	bool have = true, whole;

	while (link_next(l, &have, &in).kind == OK && have) {
		slice rest;

		buf_clear(&out);
		expect_ok("verifier", verifier_step(&s->verifier[which - VERIFIER], &in, &out));
		for (rest = buf_slice(&out); rest.n > 0;) {
			struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

			expect_ok("verifier", frame_get(&rest, &whole, &f));
			twist(s, &f, &body);
			if (s->judging_held && f.kind == ORDER_CRL_IN)
				frame_put(&s->held, &f);
			else
				link_put(l, &f);
		}
	}
}

/* What was held goes out, in its order. */
static inline void
stage_release(struct scene *s, int which)
{
	slice rest = buf_slice(&s->held);
	struct frame f;
	bool whole;

	s->judging_held = false;
	while (rest.n > 0) {
		expect_ok("held", frame_get(&rest, &whole, &f));
		link_put(s->end[which], &f);
	}
	buf_clear(&s->held);
}

/* A J-LIS list in parts; true when it was the last. */
static bool
take_part(struct scene *s, const struct frame *x)
{
	struct part p;

	expect_ok("part", part_get(x->body, &p));
	if (p.number == 0)
		buf_clear(&s->parts);
	buf_put(&s->parts, p.bytes);
	return p.last;
}

static void
answer_crl(struct scene *s, struct link *l, const struct frame *x)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	struct crl_table *t = NULL;
	struct crl c;

	if (!take_part(s, x))
		return;
	expect_ok("crl", crl_get(buf_slice(&s->parts), &c));
	expect_ok("crl", crl_table_new(&c, &t));
	crl_reply_put(&b, &(struct crl_reply){crl_table_digest(t), c.this_update, c.next_update, crl_table_count(t)});
	link_answer(l, x, buf_slice(&b));
	crl_table_drop(&s->crl[7]);
	memmove(&s->crl[1], &s->crl[0], 7 * sizeof s->crl[0]);
	s->crl[0] = t;
}

static const struct crl_table *
crl_of(const struct scene *s, digest d)
{
	for (size_t i = 0; i < COUNT(s->crl); i++)
		if (s->crl[i] != NULL && digest_eq(crl_table_digest(s->crl[i]), d))
			return s->crl[i];
	return NULL;
}

static void
answer_hello(struct scene *s, struct link *l, const struct frame *x, int which)
{
	struct buf b OWNED(buf_drop) = BUF(8192);
	struct head_order o;

	expect_ok("hello", head_order_get(x->body, &o));
	if (s->hello_fails != OK) {
		octets_put(&b, LIT("41020304\n"));
		link_put(
		    l, &(struct frame){.kind = x->kind,
		           .id = x->id,
		           .fail = s->hello_fails,
		           .what = LIT("signer-books-rollback: design 3: the books are shorter than those this signer saw"),
		           .body = buf_slice(&b)});
		return;
	}
	head_reply_put(&b, &(struct head_reply){.journal = s->journal[which],
	                       .books = s->seen[which].size > 0 ? s->seen[which] : o.books,
	                       .responder = which == 1 ? buf_slice(&s->responder) : (slice){NULL, 0}});
	link_answer(l, x, buf_slice(&b));
}

static void
answer_revoked(struct scene *s, struct link *l, const struct frame *x, int which)
{
	struct buf b OWNED(buf_drop) = BUF(8192);
	struct revoked_order o;
	struct revocation v;

	expect_ok("revoked", revoked_order_get(x->body, &o));
	if (o.method == STATUS_CRL && crl_of(s, o.crl) == NULL) {
		s->cited_absent++;
		link_refuse(
		    l, x, fail(ERR_ABSENT, "revocation-crl: JPKI Act 19: the CRL this request cites was not handed over"));
		return;
	}
	expect_ok("revoked",
	    revocation_check(s->trust, &o, &(struct revocation_lists){.cited = crl_of(s, o.crl)}, clock_now(), &v));
	if (s->capped && v.by != REVOCATION_BY_OFFICER) {
		link_refuse(l, x,
		    fail(ERR_BUSY,
		        "revocation-cap: Rule 12(1)(ii)ロ: too many in this hour without a person; an officer decides"));
		return;
	}
	head_reply_put(&b, &(struct head_reply){.n_proof = 0});
	s->told[which]++;
	link_answer(l, x, buf_slice(&b));
}

static void
issue(struct scene *s, struct link *l, const struct frame *x)
{
	struct issue_view v = {
	    .trust = s->trust, .profile = s->profile, .ruleset = s->ruleset, .approval = &s->approval, .now = clock_now()};
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), cert OWNED(buf_drop) = BUF(CERT_MAX), b OWNED(buf_drop) = BUF(16384);
	struct issue_plan p = {0};
	struct issue_order o;
	slice tbs;
	err e;

	expect_ok("issue", issue_order_get(x->body, &o));
	v.crl = crl_of(s, o.crl);
	e = s->issuer_refuses != NULL ? fail(s->issuer_kind, s->issuer_refuses) : issue_plan(&v, &o, ISSUE_NEW, &p);
	if (e.kind != OK) {
		s->refused_by_issuer++;
		link_refuse(l, x, e);
		return;
	}
	tbs = ticket_tbs(p.ticket);
	signer_sign(s->house->ca, ticket_alg(p.ticket), tbs, &sig);
	cert_join(&cert, tbs, ticket_alg(p.ticket), buf_slice(&sig));
	s->issued++;
	issue_reply_put(&b, &(struct issue_reply){buf_slice(&cert), s->journal[0], clock_now()});
	link_answer(l, x, buf_slice(&b));
	issue_plan_drop(&p);
}

static void
put_part(struct link *l, const struct frame *x, slice bytes)
{
	struct part p = {0};

	do {
		struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		p.bytes = (slice){bytes.p, bytes.n < PART_BYTES ? bytes.n : PART_BYTES};
		bytes = (slice){bytes.p + p.bytes.n, bytes.n - p.bytes.n};
		p.last = bytes.n == 0;
		part_put(&b, &p);
		link_answer(l, x, buf_slice(&b));
		p.number++;
	} while (!p.last);
}

static void
issuer_hear(struct scene *s)
{
	struct buf b OWNED(buf_drop) = BUF(8192);
	struct link *l = s->end[ISSUER];
	struct rules_order rules;
	struct frame x;
	bool have = true;

	while (link_next(l, &have, &x).kind == OK && have)
		switch (x.kind) {
		case ORDER_HELLO:
			answer_hello(s, l, &x, 0);
			break;
		case ORDER_RULES:
			expect_ok("rules", rules_order_get(x.body, &rules));
			s->automation.max = CMS_MAX;
			buf_clear(&s->automation);
			buf_put(&s->automation, rules.automation);
			ruleset_drop(&s->ruleset);
			expect_ok("rules", ruleset_get(rules.ruleset, &s->ruleset));
			expect_ok("rules", approval_check_begun(s->trust, rules.approval, s->ruleset, clock_now(), &s->approval));
			link_answer(l, &x, (slice){NULL, 0});
			break;
		case ORDER_CRL_IN:
			answer_crl(s, l, &x);
			break;
		case ORDER_ISSUE:
			issue(s, l, &x);
			break;
		case ORDER_VOID:
			s->voided++;
			buf_clear(&b);
			head_reply_put(&b, &(struct head_reply){.n_proof = 0});
			link_answer(l, &x, buf_slice(&b));
			break;
		case ORDER_REVOKED:
			answer_revoked(s, l, &x, 0);
			break;
		case ORDER_CRL_OUT: {
			struct crl_order o;

			expect_ok("list", crl_order_get(x.body, &o));
			if (s->lists_hang)
				break;
			if (s->lists_fail > 0) {
				s->lists_fail--;
				link_refuse(l, &x, fail(ERR_BUSY, "hand-lost: house: the hand was lost while it signed"));
				break;
			}
			s->crls++;
			s->list = o;
			buf_clear(&b);
			list_reply_put(&b, &(struct list_reply){.number = o.number, .count = 3, .bytes = 14});
			link_answer(l, &x, buf_slice(&b));
			break;
		}
		case ORDER_CRL_PART:
			put_part(l, &x, LIT("a list of ours"));
			break;
		default:
			fail_msg("the issuer heard %d", x.kind);
		}
}

static void
answer_answers(struct scene *s, struct link *l, const struct frame *x)
{
	struct buf all[ANSWERS_MAX], b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct answers_reply r = {0};
	struct answers_order o;

	expect_ok("answers", answers_order_get(x->body, &o));
	r.n = o.n;
	for (size_t i = 0; i < o.n; i++) {
		struct buf data OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX);
		struct ocsp_plan p = {.produced = o.now, .this_update = o.now, .next_update = o.next_update};
		uint8_t id[SHA1_LEN] = {1};
		struct record d;
		struct cert c;

		expect_ok("answers", cert_get(o.certificate[i], &c));
		expect_ok("answers", db_serial(s->r->db, c.serial, &d));
		ocsp_issuer_of(&s->trust->issuer, &p.issuer);
		p.serial = c.serial;
		p.responder_key_id = ARR(id);
		if (d.d.state == DOSSIER_REVOKED && !s->answers_as_were) {
			p.status = OCSP_REVOKED;
			p.revoked = d.d.revoked;
			p.reason = d.d.reason;
		}
		ocsp_put_data(&data, &p);
		signer_sign(s->house->ca, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
		all[i] = BUF(OCSP_ANSWER_MAX);
		ocsp_join(&all[i], buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), signer_certificate(s->house->ca));
		r.serial[i] = c.serial;
		r.this_update[i] = o.now;
		r.next_update[i] = o.next_update;
		r.answer[i] = buf_slice(&all[i]);
	}
	s->answers += o.n;
	answers_reply_put(&b, &r);
	link_answer(l, x, buf_slice(&b));
	for (size_t i = 0; i < o.n; i++)
		buf_drop(&all[i]);
}

/* The status signer answers the i-th order it kept, by what the books say now, or as if nothing was revoked. */
static inline void
stage_let_go(struct scene *s, size_t i, bool as_it_was)
{
	s->answers_as_were = as_it_was;
	answer_answers(s, s->end[STATUS],
	    &(struct frame){.kind = ORDER_ANSWERS, .id = s->kept[i].id, .body = buf_slice(&s->kept[i].body)});
	s->answers_as_were = false;
	buf_drop(&s->kept[i].body);
}

/* It knows all that the books issued, of at most SLOTS_PART_MAX; `forgets`: none. */
static void
answer_refresh(struct scene *s, struct link *l, const struct frame *x)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	static struct serial_row row[SLOTS_PART_MAX];
	struct slots_part p = {.last = true, .responder = LIT("its certificate")};
	struct refresh_order o;
	size_t n;

	expect_ok("refresh", refresh_order_get(x->body, &o));
	expect_ok("rows", db_range(s->r->db, INT64_MIN, INT64_MAX, row, SLOTS_PART_MAX, &n));
	p.produced = p.this_update = o.now;
	p.next_update = o.next_update;
	for (size_t i = 0; i < n && !s->forgets; i++) {
		if (!row[i].issued || row[i].not_after.ms < o.now.ms || serial_cmp(row[i].serial, o.after) <= 0 ||
		    (o.upto.n > 0 && serial_cmp(row[i].serial, o.upto) > 0))
			continue;
		p.slot[p.n++] = (struct answer_row){.serial = row[i].serial,
		    .revoked = row[i].revoked && !s->says_good,
		    .revoked_at = o.now,
		    .signature = LIT("signed")};
	}
	s->refreshed += p.n;
	slots_part_put(&b, &p);
	link_answer(l, x, buf_slice(&b));
}

static void
answer_note(struct scene *s, struct link *l, const struct frame *x)
{
	struct buf text OWNED(buf_drop) = BUF(CHECKPOINT_MAX), note OWNED(buf_drop) = BUF(CHECKPOINT_MAX),
	                sig OWNED(buf_drop) = BUF(SIG_MAX), b OWNED(buf_drop) = BUF(4096);
	slice spki = signer_spki(s->house->status);
	struct checkpoint_order o;

	expect_ok("note", checkpoint_order_get(x->body, &o));
	checkpoint_put_text(&text, s->trust->origin, o.books.size, o.books.root);
	signer_sign(s->house->status, SIG_ED25519, buf_slice(&text), &sig);
	checkpoint_join(&note, buf_slice(&text), s->trust->origin, (slice){spki.p + spki.n - 32, 32}, buf_slice(&sig));
	octets_put(&b, buf_slice(&note));
	s->notes++;
	link_answer(l, x, buf_slice(&b));
}

static void
status_hear(struct scene *s)
{
	struct link *l = s->end[STATUS];
	struct frame x;
	bool have = true;

	while (link_next(l, &have, &x).kind == OK && have)
		switch (x.kind) {
		case ORDER_HELLO:
			answer_hello(s, l, &x, 1);
			break;
		case ORDER_RULES:
			link_answer(l, &x, (slice){NULL, 0});
			break;
		case ORDER_CRL_IN:
			answer_crl(s, l, &x);
			break;
		case ORDER_REVOKED:
			answer_revoked(s, l, &x, 1);
			break;
		case ORDER_ANSWERS:
			if (s->answers_hang) {
				assert(s->n_kept < COUNT(s->kept));
				s->kept[s->n_kept].id = x.id;
				s->kept[s->n_kept].body = BUF(FRAME_BODY_MAX);
				buf_put(&s->kept[s->n_kept++].body, x.body);
			} else
				answer_answers(s, l, &x);
			break;
		case ORDER_REFRESH:
			answer_refresh(s, l, &x);
			break;
		case ORDER_CHECKPOINT:
			answer_note(s, l, &x);
			break;
		default:
			fail_msg("status heard %d", x.kind);
		}
}

/* The answers of this publisher lapse as the test says; its lists are not there to be read. */
static void
say_lapse(struct scene *s, struct link *l, const struct frame *x)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	struct lapse_reply r = {.state = s->lapses_looking ? LAPSE_LOOKING : LAPSE_NONE};
	struct lapse_order o;

	if (x->kind == ORDER_LIST_TIMES) {
		link_refuse(l, x, fail(ERR_ABSENT, "publisher-absent: house: there is no such file in the repository"));
		return;
	}
	expect_ok("lapse", lapse_order_get(x->body, &o));
	s->lapse_questions++;
	for (size_t i = 0; i < s->n_lapses && r.state == LAPSE_NONE; i++) /* they stand in order */
		if (s->lapses_stand || s->lapse[i].next_update.ms > o.after.ms ||
		    (s->lapse[i].next_update.ms == o.after.ms &&
		        (!o.has_serial || serial_cmp(s->lapse[i].serial, o.after_serial) > 0)))
			r = s->lapse[i];
	lapse_reply_put(&b, &r);
	link_answer(l, x, buf_slice(&b));
}

static void
serve(struct scene *s, serial of, instant next_update)
{
	size_t i = 0;

	while (i < s->n_served && !serial_eq(s->served[i].serial, of))
		i++;
	if (i == COUNT(s->served))
		return;
	s->n_served += i == s->n_served;
	s->served[i].serial = of;
	s->served[i].next_update = next_update;
}

static void
publisher_hear(struct scene *s)
{
	struct link *l = s->end[PUBLISHER];
	struct file_order f;
	struct frame x;
	bool have = true;
	uint64_t before = s->tile_files;

	while (link_next(l, &have, &x).kind == OK && have) {
		s->slots += x.kind == ORDER_SLOTS;
		if (x.kind == ORDER_SLOTS) {
			struct answers_reply a;

			expect_ok("slots", answers_reply_get(x.body, &a));
			for (size_t i = 0; i < a.n; i++)
				serve(s, a.serial[i], a.next_update[i]);
		}
		if (x.kind == ORDER_RENEWED && s->loses) {
			struct buf b OWNED(buf_drop) = BUF(64);

			renewed_reply_put(&b, &(struct renewed_reply){.lost = true});
			s->loses = false;
			link_answer(l, &x, buf_slice(&b));
			continue;
		}
		if (x.kind == ORDER_RENEWED) {
			struct slots_part p;

			expect_ok("renewed", slots_part_get(x.body, &p));
			s->renewed += p.n;
			s->whole += p.whole;
			for (size_t i = 0; i < p.n; i++)
				serve(s, p.slot[i].serial, p.next_update);
			if (!p.last)
				continue;
		}
		s->withdrawn += x.kind == ORDER_WITHDRAW;
		if (x.kind == ORDER_WITHDRAW && s->withdraw_refused > 0) {
			s->withdraw_refused--;
			link_refuse(l, &x, fail(ERR_WORLD, "disk-full: house: there is no room left on the disk"));
			continue;
		}
		s->tiles += x.kind == ORDER_TILES;
		if (x.kind == ORDER_LAPSE || x.kind == ORDER_LIST_TIMES) {
			say_lapse(s, l, &x);
			continue;
		}
		if (x.kind == ORDER_FILE) {
			expect_ok("file", file_order_get(x.body, &f));
			if (!f.part.last)
				continue;
			if (slice_eq(f.path, LIT("ca/ocsp.cer"))) {
				if (s->responder_refused > 0) {
					s->responder_refused--;
					link_refuse(l, &x, fail(ERR_WORLD, "disk-full: house: there is no room left on the disk"));
					continue;
				}
				s->published.max = CERT_MAX;
				buf_clear(&s->published);
				buf_put(&s->published, f.part.bytes);
			}
			if (slice_has_prefix(f.path, LIT("books/tile/"))) {
				s->tile_files++;
				if (s->tile_files - before > s->tiles_at_once)
					s->tiles_at_once = s->tile_files - before;
				if (s->tile_refused > 0 && --s->tile_refused == 0) {
					link_refuse(l, &x, fail(ERR_WORLD, "disk-full: house: there is no room left on the disk"));
					continue;
				}
				if (slice_has_prefix(f.path, LIT("books/tile/0/")) && f.path.n == 16)
					s->tile_there[100 * (f.path.p[13] - '0') + 10 * (f.path.p[14] - '0') + f.path.p[15] - '0'] = true;
			}
		}
		link_answer(l, &x, (slice){NULL, 0});
	}
}

/* What J-LIS's responder says about the card asked for. */
static slice
jlis_says(struct scene *s, slice request)
{
	static struct buf answer = {.max = OCSP_ANSWER_MAX};
	struct signer *responder OWNED(signer_drop) = signer_load(s->world, "ocsp");
	struct buf data OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct ocsp_plan p = {.status = s->jlis_status, .revoked = {clock_now().ms - DAY_MS}};
	uint8_t id[SHA1_LEN];
	struct ocsp_request q;
	struct cert c;
	struct key *k OWNED(key_drop) = NULL;

	expect_ok("request", ocsp_request_get(request, &q));
	for (size_t i = 0; i < s->trust->n_anchors; i++) {
		ocsp_issuer_of(&s->trust->anchor[i].cert, &p.issuer);
		if (ocsp_certid_is_of(&q.id[0], &p.issuer))
			break;
	}
	expect_ok("responder", cert_get(signer_certificate(responder), &c));
	expect_ok("responder", key_get_spki(c.spki, &k));
	key_identifier(k, id);
	p.serial = q.id[0].serial;
	p.produced = p.this_update = instant_floor_second(clock_now());
	p.next_update = (instant){p.this_update.ms + HOUR_MS};
	p.responder_key_id = ARR(id);
	p.nonce = q.nonce;
	ocsp_put_data(&data, &p);
	signer_sign(responder, SIG_RSA_SHA256, buf_slice(&data), &sig);
	buf_clear(&answer);
	ocsp_join(&answer, buf_slice(&data), SIG_RSA_SHA256, buf_slice(&sig), signer_certificate(responder));
	return buf_slice(&answer);
}

static void
messenger_hear(struct scene *s)
{
	struct buf crl OWNED(buf_drop) = BUF(CRL_MAX);
	struct link *l = s->end[MESSENGER];
	struct call_order c;
	struct mail_order m;
	struct frame x;
	bool have = true;
	char path[2300];

	while (link_next(l, &have, &x).kind == OK && have) {
		if (s->messenger_fails) {
			link_refuse(l, &x, fail(ERR_WORLD, "call-connect: house: the other side cannot be reached"));
			continue;
		}
		if (x.kind == ORDER_MIRRORS) {
			struct buf none OWNED(buf_drop) = BUF(8);

			mirrors_reply_put(&none, &(struct mirrors_reply){.n = 0});
			link_answer(l, &x, buf_slice(&none));
			continue;
		}
		if (x.kind == ORDER_NUMBERS)
			continue; /* told once a second; nothing waits for the answer */
		if (x.kind == ORDER_MAIL) {
			expect_ok("mail", mail_order_get(x.body, &m));
			if (slice_has_prefix(m.to, LIT("nobody@"))) {
				link_refuse(l, &x, fail(ERR_WORLD, "call-mail: house: the relay does not take the letter"));
				continue;
			}
			if (slice_has_prefix(m.to, LIT("refused@"))) {
				link_refuse(l, &x,
				    fail(
				        ERR_POLICY, "call-recipient: RFC 5321 4.2.1: the mail server refuses this recipient for good"));
				continue;
			}
			s->mails++;
			buf_clear(&s->mail);
			buf_put(&s->mail, m.to);
			link_answer(l, &x, (slice){NULL, 0});
			continue;
		}
		expect_ok("call", call_order_get(x.body, &c));
		if (c.kind == CALL_JLIS_OCSP) {
			s->ocsp_calls++;
			put_part(l, &x, jlis_says(s, c.body));
			continue;
		}
		if (c.kind == CALL_JLIS_CRL && (c.body.n == 0 || slice_eq(c.body, LIT("1")))) {
			snprintf(path, sizeof path, "%s/signca0%c.crl", s->newer == NULL ? s->world : s->newer,
			    c.body.n == 0 ? '3' : '2');
			buf_clear(&crl);
			file_get(path, &crl);
			put_part(l, &x, buf_slice(&crl));
		} else
			link_refuse(l, &x, fail(ERR_ABSENT, "messenger-none: house: the configuration names no address for this"));
	}
}

static void
asker_hear(struct scene *s, int which)
{
	struct frame x;
	bool have = true;

	while (link_next(s->end[which], &have, &x).kind == OK && have) {
		assert(s->n_heard < ANSWERS_KEPT);
		s->heard[s->n_heard].kind = x.kind;
		s->heard[s->n_heard].id = x.id;
		s->heard[s->n_heard].fail = x.fail;
		snprintf(s->heard[s->n_heard].what, sizeof s->heard[0].what, "%.*s", (int)x.what.n, (const char *)x.what.p);
		s->heard[s->n_heard].body.max = FRAME_MAX;
		buf_clear(&s->heard[s->n_heard].body);
		buf_put(&s->heard[s->n_heard].body, x.body);
		s->n_heard++;
	}
}

static void
stage_end_turn(struct scene *s, int which)
{
	if (s->end[which] == NULL)
		return;
	if (link_fill(s->end[which]).kind != OK) {
		s->closed++;
		link_drop(&s->end[which]); /* the registrar closed it, and says so to inkand */
		if (which == OFFICE)
			stage_wire(s, which);
		return;
	}
	switch (which) {
	case FRONT:
	case OFFICE:
		asker_hear(s, which);
		break;
	case VERIFIER:
	case VERIFIER2:
		verifier_hear(s, which);
		break;
	case ISSUER:
		issuer_hear(s);
		break;
	case STATUS:
		status_hear(s);
		break;
	case PUBLISHER:
		publisher_hear(s);
		break;
	default:
		messenger_hear(s);
	}
	if (s->end[which] != NULL)
		(void)link_flush(s->end[which]).kind;
}

/* --- the outsider ---------------------------------------------------------------------------------------------------------- */
/* Reads the books from the disk, folds them anew, and compares with the projection; lines rise in number and time. */
static void
stage_audit(struct scene *s)
{
	struct book *book OWNED(book_close) = NULL;
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct db *db OWNED(db_close) = NULL;
	struct book_opened opened;
	char path[512];
	uint64_t n, want = 0;
	instant last = {0};
	digest mine, theirs;
	slice line;

	s->audits++;
	snprintf(path, sizeof path, "%s/books", s->home);
	expect_ok("audit", book_open(path, BOOK_READ, 0, &book, &opened));
	expect_ok("audit", book_read_from(book, 0, &reader));
	while (book_read_next(reader, &n, &line).kind == OK) {
		struct entry e OWNED(entry_drop) = {0};

		expect_ok("audit line", entry_get(line, &e));
		expect_number("audit number", e.line.n, want++);
		expect_true("audit time", e.line.at.ms >= last.ms);
		last = e.line.at;
	}
	expect_number("audit size", want, book_size(s->r->book));
	expect_ok("audit db", db_open(":memory:", &db));
	expect_ok("audit fold", db_catch_up(db, book, want, NULL, NULL));
	expect_ok("audit digest", db_digest(db, &mine));
	expect_ok("audit digest", db_digest(s->r->db, &theirs));
	expect_true("the projection is the fold of the books", digest_eq(mine, theirs));
}

/* The acts about one dossier (NULL: about the house) in the books' order, as one text. */
static inline const char *
stage_acts(struct scene *s, const dossier_id *of)
{
	static char text[8192];
	struct book *book OWNED(book_close) = NULL;
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct book_opened opened;
	char path[512];
	uint64_t n;
	slice line;
	size_t at = 0;

	text[0] = '\0';
	snprintf(path, sizeof path, "%s/books", s->home);
	expect_ok("acts", book_open(path, BOOK_READ, 0, &book, &opened));
	expect_ok("acts", book_read_from(book, 0, &reader));
	while (book_read_next(reader, &n, &line).kind == OK) {
		struct line l;

		expect_ok("acts", line_get(line, &l));
		if (of == NULL ? l.about != ABOUT_HOUSE
		               : l.about != ABOUT_DOSSIER || memcmp(l.dossier.b, of->b, sizeof of->b) != 0)
			continue;
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at == 0 ? "" : " ", act_name(l.act));
		assert(at < sizeof text);
	}
	return text;
}

/* What inkand does: a wire that the registrar closed, and asks for, is made anew. */
static void
stage_rewire(struct scene *s)
{
	struct wire_order o;
	struct frame x;
	bool have = true;

	expect_ok("control", link_fill(s->control));
	while (link_next(s->control, &have, &x).kind == OK && have)
		for (int i = 0; i < ENDS && x.kind == ORDER_WIRE; i++)
			if (wire_order_get(x.body, &o).kind == OK && o.peer == END[i].peer && o.number == END[i].number &&
			    !s->away[i])
				stage_wire(s, i);
}

/* One turn of everybody, the registrar first. */
static void
stage_turn(struct scene *s)
{
	*stage_clock += 2; /* no two turns of the registrar in one millisecond */
	expect_ok("wait", wires_wait(s->r->wires, 0));
	expect_ok("turn", registrar_turn(s->r));
	wires_flush(s->r->wires);
	for (int i = 0; i < ENDS; i++)
		stage_end_turn(s, i);
	stage_rewire(s);
}

static void
stage_turns(struct scene *s, int n)
{
	while (n-- > 0)
		stage_turn(s);
}

/* Until the answer to `id` is there. */
static size_t
stage_until(struct scene *s, uint64_t id)
{
	for (int turns = 0; turns < 400; turns++) {
		for (size_t i = 0; i < s->n_heard; i++)
			if (s->heard[i].id == id)
				return i;
		stage_turn(s);
	}
	fail_msg("no answer came");
	return 0;
}

static uint64_t
stage_send(struct scene *s, int from, uint8_t kind, slice body)
{
	uint64_t id = ++s->next_id;

	if (s->n_heard > ANSWERS_KEPT - 8)
		s->n_heard = 0;
	link_order(s->end[from], kind, id, body);
	(void)link_flush(s->end[from]).kind;
	return id;
}

static size_t
stage_ask(struct scene *s, int from, uint8_t kind, slice body)
{
	return stage_until(s, stage_send(s, from, kind, body));
}

/* --- applicants -------------------------------------------------------------------------------------------------------------- */
struct applicant {
	struct signer *card, *own;
	struct buf cms;
	struct apply_reply reply;
};

static void
stage_challenge(struct scene *s, char *out, size_t n)
{
	size_t i = stage_ask(s, FRONT, ORDER_CHALLENGE, (slice){NULL, 0});
	struct challenge_reply c;

	expect_number("challenge", s->heard[i].fail, OK);
	expect_ok("challenge", challenge_reply_get(buf_slice(&s->heard[i].body), &c));
	snprintf(out, n, "%.*s", (int)c.nonce.n, (const char *)c.nonce.p);
}

static inline void
applicant_new(struct scene *s, const char *card, struct applicant *a, void (*change)(struct make_application *))
{
	struct make_application m;
	char nonce[NONCE_TEXT_MAX + 1];

	*a = (struct applicant){.card = signer_load(s->world, card), .own = signer_new(KEY_P256, 256), .cms = BUF(CMS_MAX)};
	stage_challenge(s, nonce, sizeof nonce);
	application_for(s->house, s->world, card, clock_now(), &m);
	m.nonce = nonce;
	if (change != NULL)
		change(&m);
	make_application(&a->cms, a->card, a->own, &m);
}

static inline void
applicant_drop(struct applicant *a)
{
	signer_drop(&a->card);
	signer_drop(&a->own);
	buf_drop(&a->cms);
}

static uint64_t
apply_send(struct scene *s, const struct applicant *a, bool wait)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

	apply_order_put(&b, &(struct apply_order){buf_slice(&a->cms), wait});
	return stage_send(s, FRONT, ORDER_APPLY, buf_slice(&b));
}

/* The state it was answered with, or the refusal's text in s->heard. */
static inline size_t
apply(struct scene *s, struct applicant *a, bool wait)
{
	size_t i = stage_until(s, apply_send(s, a, wait));

	if (s->heard[i].fail == OK)
		expect_ok("apply", apply_reply_get(buf_slice(&s->heard[i].body), &a->reply));
	return i;
}

static inline enum dossier_state
dossier(struct scene *s, const struct applicant *a, char why[WHY_MAX + 1])
{
	struct buf b OWNED(buf_drop) = BUF(256);
	struct dossier_reply d;
	size_t i;

	dossier_order_put(&b, &(struct dossier_order){a->reply.dossier, a->reply.token});
	i = stage_ask(s, FRONT, ORDER_DOSSIER, buf_slice(&b));
	expect_number("dossier", s->heard[i].fail, OK);
	expect_ok("dossier", dossier_reply_get(buf_slice(&s->heard[i].body), &d));
	if (why != NULL)
		snprintf(why, WHY_MAX + 1, "%.*s", (int)d.why.n, (const char *)d.why.p);
	return d.state;
}

#endif
