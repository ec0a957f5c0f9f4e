/* LINK: test/jpki/make.c role/signer/journal.c role/signer/journal_add.c role/signer/records_file.c role/signer/known_file.c role/signer/revoked_file.c role/signer/journal_line.c */
/*
 * fill - N dossiers into a house that stands still, so that a large one can be measured.
 *
 *   fill HOME WORLD MODULE TOKEN-URI PIN COUNT [answered]
 *
 * HOME is a house that was opened once (its first lines and J-LIS's list are in the books) and closed; WORLD the world of
 * its cards; module, URI and PIN those of its issuer's key, with the token's environment set.  Everything goes through the
 * real writers: books with openings, evidence packs and tree, the issuer's journal with its index, the projection; heads
 * of each stand in the other as the running house would write them, and certificates are signed by the house's own CA key:
 * the roles take the house as theirs, and the status signer every certificate.
 *
 * What is not real: a card's signature on an application is random bytes (0.6 ms each otherwise; nobody looks at it again
 * but `books replay`), all applications carry one card's certificate and the lines another digest for each; nobody judged.
 * Each certificate is due for its first OCSP answer, unless `answered`: then lines say that all got one, for ten years.
 *
 * Run as root: files are made as the users that own HOME/books and HOME/journal-issuer.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/issue.h"
#include "edge/clock.h"
#include "edge/db.h"
#include "edge/hsm.h"
#include "edge/random.h"
#include "pki/cms.h"
#include "role/signer/journal.h"
#include "test/jpki/make.h"

#define TURN 512U
#define MAKERS 2U
#define CARD "many-00001"

struct one {
	digest document, key, card;
	dossier_id id;
	slice spki;
	struct buf spki_of;
	struct issue_order order;
	struct issue_plan plan;
	struct buf tbs, certificate;
	uint64_t intent;
};

static struct fill {
	const char *home;
	uid_t books_uid, journal_uid;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct approval approval;
	struct world_person person;
	struct signer *card;
	struct hsm *hsm;
	struct book *book;
	struct db *db;
	struct journal *journal;
	struct revoked_set *revoked;
	instant at;
	FILE *maker[MAKERS];
	pid_t maker_pid[MAKERS];
	uint64_t made;
} f;

static void
need(err e, const char *what)
{
	if (e.kind == OK)
		return;
	fprintf(stderr, "fill: %s: %s (%ld)\n", what, e.what, e.why);
	exit(1);
}

static void
as(uid_t uid)
{
	if (seteuid(0) != 0 || setegid(uid) != 0 || seteuid(uid) != 0) {
		perror("fill: seteuid");
		exit(1);
	}
}

static void
path_of(char out[1024], const char *name)
{
	snprintf(out, 1024, "%s/%s", f.home, name);
}

static void
load(const char *name, struct buf *out)
{
	char path[1024];
	FILE *file;
	size_t n;

	path_of(path, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(buf_space(out, out->max), 1, out->max, file);
	out->n = n;
	fclose(file);
}

static uid_t
owner(const char *name)
{
	char path[1024];
	struct stat st;

	path_of(path, name);
	if (stat(path, &st) != 0) {
		perror(path);
		exit(1);
	}
	return st.st_uid;
}

static void
open_house(const char *world)
{
	struct buf trust OWNED(buf_drop) = BUF(65536), profile OWNED(buf_drop) = BUF(65536),
	                 ruleset OWNED(buf_drop) = BUF(65536), approval OWNED(buf_drop) = BUF(65536);
	char path[1024];
	uint8_t key[SHA1_LEN];
	struct book_opened opened;

	load("trust.conf", &trust);
	load("person-signature.conf", &profile);
	load("ruleset.conf", &ruleset);
	load("approval.cms", &approval);
	need(trust_get(buf_slice(&trust), &f.trust), "trust.conf");
	need(profile_get(buf_slice(&profile), &f.profile), "profile");
	need(ruleset_get(buf_slice(&ruleset), &f.ruleset), "rule set");
	need(approval_check(f.trust, buf_slice(&approval), f.ruleset, clock_now(), &f.approval), "approval");
	f.card = signer_load(world, CARD);
	world_person(world, CARD, &f.person);
	f.books_uid = owner("books");
	f.journal_uid = owner("journal-issuer");
	key_identifier(f.trust->issuer_key, key);
	f.revoked = revoked_set_new();
	as(f.journal_uid);
	path_of(path, "journal-issuer");
	need(journal_open(path, BY_ISSUER, f.trust->digest, key, &f.journal, f.revoked), "journal");
	as(f.books_uid);
	path_of(path, "books");
	need(book_open(path, BOOK_WRITE, 0, &f.book, &opened), "books");
	path_of(path, "state/state.db");
	need(db_open(path, &f.db), "projection");
	need(db_catch_up(f.db, f.book, book_size(f.book), NULL, NULL), "projection");
	f.at = opened.last_at;
	as(0);
}

/* --- lines, as the registrar writes them ---------------------------------------------------------------------------- */

static digest
enter(struct entry *e, const struct evidence_at *places)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(16 * OPENING_MAX);
	slice rest, one;

	e->line.n = book_next(f.book);
	e->line.at = f.at;
	e->line.under = db_ledger(f.db)->baseline;
	for (size_t i = 0; i < e->n_personal; i++)
		random_bytes(e->personal[i].salt, SALT_LEN);
	entry_put(&line, &openings, e);
	need(db_apply(f.db, e, places), "projection");
	rest = buf_slice(&openings);
	while (slice_cut(&rest, '\n', &one))
		book_add_opening(f.book, one);
	book_add_line(f.book, buf_slice(&line));
	return tree_leaf(buf_slice(&line));
}

static struct entry
about(enum act act, const struct one *o)
{
	return (struct entry){
	    .line = {.act = act, .about = ABOUT_DOSSIER, .dossier = o->id, .by = BY_REGISTRAR, .by_id = LIT("registrar")}};
}

static void
begin(void)
{
	instant now = clock_now();

	f.at = (instant){now.ms > f.at.ms ? now.ms : f.at.ms + 1};
	need(db_begin(f.db), "projection");
}

static void
commit(void)
{
	as(f.books_uid);
	need(book_commit(f.book), "books");
	need(db_commit(f.db, (struct head){book_size(f.book), book_root(f.book)}), "projection");
	if (db_unstored(f.db) > 8192)
		need(db_store(f.db), "projection");
	as(0);
}

/* A whole application but for the card's signature. */
static void
make_application_of(struct buf *cms, struct buf *text, struct signer *own)
{
	struct buf attrs OWNED(buf_drop) = BUF(4096);
	static char service[256];
	char nonce[33], birth[16];
	uint8_t random[16], signature[256];
	struct make_application a = {.service = service,
	    .name = f.person.name,
	    .address = f.person.address,
	    .sex = f.person.sex[0] == '1' ? "male" : "female",
	    .at = clock_now()};
	struct cms_plan p;

	snprintf(service, sizeof service, "%.*s", (int)f.trust->service.n, (const char *)f.trust->service.p);
	snprintf(birth, sizeof birth, "%.4s-%.2s-%.2s", f.person.birth + 1, f.person.birth + 5, f.person.birth + 7);
	random_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	a.birth = birth;
	a.nonce = nonce;
	make_application_text(text, own, &a);
	p = (struct cms_plan){.content = buf_slice(text),
	    .certificate = signer_certificate(f.card),
	    .signing_time = a.at,
	    .alg = SIG_RSA_SHA256};
	random_bytes(signature, sizeof signature);
	cms_put_attrs(&attrs, &p);
	cms_join(cms, &p, buf_slice(&attrs), ARR(signature));
	need(buf_check(cms), "CMS");
}

static void
send(FILE *to, slice s)
{
	uint32_t n = (uint32_t)s.n;

	if (fwrite(&n, sizeof n, 1, to) != 1 || fwrite(s.p, s.n, 1, to) != 1)
		_exit(1);
}

static void
take(FILE *from, struct buf *out)
{
	uint32_t n;

	buf_clear(out);
	if (fread(&n, sizeof n, 1, from) != 1 || n > out->max || fread(buf_space(out, n), n, 1, from) != 1) {
		fputs("fill: a maker of applications ended\n", stderr);
		exit(1);
	}
	out->n = n;
}

/* Applications are made beside what is done with them: as many as are taken. */
static void
makers_start(void)
{
	for (unsigned i = 0; i < MAKERS; i++) {
		int pair[2];
		pid_t pid;

		if (pipe(pair) != 0 || (pid = fork()) < 0) {
			perror("fill");
			exit(1);
		}
		if (pid > 0) {
			close(pair[1]);
			f.maker[i] = fdopen(pair[0], "rb");
			f.maker_pid[i] = pid;
			continue;
		}
		close(pair[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (FILE *to = fdopen(pair[1], "wb"); to != NULL;) {
			struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), text OWNED(buf_drop) = BUF(DOCUMENT_MAX);
			struct signer *own OWNED(signer_drop) = signer_new(KEY_P256, 256);

			make_application_of(&cms, &text, own);
			send(to, buf_slice(&text));
			send(to, buf_slice(&cms));
			send(to, signer_spki(own));
		}
		_exit(1);
	}
}

static void
makers_end(void)
{
	for (unsigned i = 0; i < MAKERS; i++) {
		(void)kill(f.maker_pid[i], SIGKILL);
		(void)waitpid(f.maker_pid[i], NULL, 0);
		fclose(f.maker[i]);
	}
}

/* The next application, with what it says. */
static void
next_application(struct one *o, struct buf *cms, slice values[A_COUNT], struct buf *text)
{
	FILE *from = f.maker[f.made++ % MAKERS];
	struct document d;

	o->spki_of = BUF(SPKI_MAX);
	take(from, text);
	take(from, cms);
	take(from, &o->spki_of);
	need(document_get_form(buf_slice(text), FORM_APPLICATION, &d), "document");
	memcpy(values, d.value, A_COUNT * sizeof values[0]);
}

static void
enter_received(struct one *o)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), text OWNED(buf_drop) = BUF(DOCUMENT_MAX),
	               by OWNED(buf_drop) = BUF(LINE_ID_MAX);
	slice v[A_COUNT];
	struct evidence_at at;
	struct entry e;

	next_application(o, &cms, v, &text);
	o->document = sha256(buf_slice(&cms));
	o->id = dossier_id_of(o->document);
	o->spki = buf_slice(&o->spki_of);
	o->key = sha256(o->spki);
	o->card = sha256_two(LIT("card"), ARR(o->document.b));
	buf_put_hex(&by, ARR(o->card.b));
	book_add_evidence(f.book, o->document, buf_slice(&cms), &at);
	e = about(ACT_EXPLANATION_ACKNOWLEDGED, o);
	e.line.by = BY_APPLICANT;
	e.line.by_id = buf_slice(&by);
	e.line.n_evidence = 1;
	e.line.evidence[0] = o->document;
	e.language = v[A_LANGUAGE];
	e.shown = e.confirmed = f.at;
	e.explanation = f.trust->explanation[0].sha256;
	e.terms = f.trust->terms[0].sha256;
	(void)enter(&e, NULL);
	e.line.act = ACT_APPLICATION_RECEIVED;
	e.document = o->document;
	e.key = o->key;
	e.card = o->card;
	e.token = sha256(ARR(o->id.b));
	e.profile_name = v[A_PROFILE];
	e.validity = 5;
	for (size_t i = 0; i < A_COUNT; i++)
		if (form_is_personal(FORM_APPLICATION, i))
			e.personal[e.n_personal++] = (struct personal){.field = form_field(FORM_APPLICATION, i), .value = v[i]};
	(void)enter(&e, &at);
}

static void
enter_decided(struct one *o)
{
	const struct ledger *h = db_ledger(f.db);
	struct buf id OWNED(buf_drop) = BUF(LINE_ID_MAX);
	struct entry e = about(ACT_IDENTITY_VERIFIED, o);

	e.line.by_id = LIT("verifier");
	e.judged = f.at;
	e.method = STATUS_CRL;
	e.status = h->jlis[0].digest;
	e.this_update = h->jlis[0].this_update;
	e.next_update = h->jlis[0].next_update;
	e.trust = f.trust->digest;
	e.line.n_evidence = 1;
	e.line.evidence[0] = e.status;
	(void)enter(&e, NULL);
	e = about(ACT_APPLICATION_ACCEPTED, o);
	buf_put_hex(&id, digest_slice(&f.ruleset->digest));
	e.line.by = BY_RULE;
	e.line.by_id = buf_slice(&id);
	e.ruleset = f.ruleset->digest;
	e.approval = f.approval.document;
	e.engine = DECISION_ENGINE;
	e.responsible = f.approval.responsible->label;
	e.validity = 5;
	(void)enter(&e, NULL);
}

static void
enter_ordered(struct one *o)
{
	struct issue_facts facts = {.dossier = o->id,
	    .serial = random_serial(),
	    .not_before = instant_floor_second(f.at),
	    .validity_years = 5,
	    .name = slice_str(f.person.name),
	    .address = slice_str(f.person.address),
	    .birth = LIT("1980-01-15"),
	    .spki = o->spki};
	struct entry e = about(ACT_CERTIFICATE_ORDERED, o);

	o->tbs = BUF(ISSUE_TBS_MAX);
	need(issue_plan_tbs(f.profile, &f.trust->issuer, &facts, &o->tbs), "plan");
	e.serial = facts.serial;
	e.not_before = facts.not_before;
	e.tbs = sha256(buf_slice(&o->tbs));
	e.profile = f.profile->digest;
	o->order = (struct issue_order){.dossier = o->id, .serial = facts.serial, .tbs = e.tbs, .leaf = enter(&e, NULL)};
	o->plan = (struct issue_plan){
	    .ticket = ticket_make_certificate(PROOF_RULE, f.trust->issuer.alg, buf_slice(&o->tbs), f.approval.document),
	    .dossier = o->id,
	    .serial = facts.serial,
	    .application = o->document,
	    .key = o->key,
	    .card = o->card,
	    .judged = f.at,
	    .status = db_ledger(f.db)->jlis[0].digest,
	    .responsible = f.approval.responsible->label};
}

static void
enter_issued(struct one *o, struct head journal)
{
	struct entry e = about(ACT_CERTIFICATE_ISSUED, o);
	struct evidence_at at;
	struct cert c;

	need(cert_get(buf_slice(&o->certificate), &c), "certificate");
	e.line.by = BY_ISSUER;
	e.line.by_id = LIT("issuer");
	e.line.n_evidence = 1;
	e.line.evidence[0] = e.certificate = sha256(buf_slice(&o->certificate));
	e.serial = c.serial;
	e.not_after = c.not_after;
	e.signed_at = f.at;
	e.journal = journal.size;
	e.journal_root = journal.root;
	book_add_evidence(f.book, e.certificate, buf_slice(&o->certificate), &at);
	(void)enter(&e, &at);
}

/* --- the issuer's part ------------------------------------------------------------------------------------------------ */

static void
sign(struct one *o, size_t n)
{
	struct head books = {book_size(f.book), book_root(f.book)};

	as(f.journal_uid);
	journal_turn(f.journal, clock_now());
	for (size_t i = 0; i < n; i++) {
		o[i].order.books = books;
		o[i].intent = journal_add_intent(f.journal, &o[i].plan, &o[i].order, f.profile->name);
	}
	need(journal_commit(f.journal), "intents");
	as(0);
	for (size_t i = 0; i < n; i++) {
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), spent OWNED(buf_drop) = BUF(16384);

		need(ticket_spend(o[i].plan.ticket, &spent), "ticket");
		need(hsm_sign(f.hsm, f.trust->issuer.alg, buf_slice(&spent), &sig), "token");
		o[i].certificate = BUF(CERT_MAX);
		cert_join(&o[i].certificate, buf_slice(&o[i].tbs), f.trust->issuer.alg, buf_slice(&sig));
	}
	as(f.journal_uid);
	for (size_t i = 0; i < n; i++)
		journal_add_signed(f.journal, o[i].id, o[i].order.serial, o[i].intent, buf_slice(&o[i].certificate));
	need(journal_commit(f.journal), "results");
	need(journal_tend(f.journal), "index");
	as(0);
}

static void
turn(size_t n, bool answered)
{
	static struct one o[TURN];
	struct head journal;

	memset(o, 0, sizeof o);
	begin();
	for (size_t i = 0; i < n; i++) {
		enter_received(&o[i]);
		enter_decided(&o[i]);
		enter_ordered(&o[i]);
	}
	commit();
	sign(o, n);
	journal = journal_head(f.journal);
	begin();
	for (size_t i = 0; i < n; i++)
		enter_issued(&o[i], journal);
	for (size_t i = 0; answered && i < n; i += ENTRY_SERIALS_MAX) {
		struct entry e = {
		    .line = {.act = ACT_OCSP_PUBLISHED, .about = ABOUT_HOUSE, .by = BY_REGISTRAR, .by_id = LIT("registrar")},
		    .this_update = instant_floor_second(f.at),
		    .next_update = instant_add_years(instant_floor_second(f.at), 10)};

		for (size_t k = i; k < n && k < i + ENTRY_SERIALS_MAX; k++)
			e.serials[e.n_serials++] = o[k].order.serial;
		(void)enter(&e, NULL);
	}
	commit();
	for (size_t i = 0; i < n; i++) {
		issue_plan_drop(&o[i].plan);
		buf_drop(&o[i].spki_of);
		buf_drop(&o[i].tbs);
		buf_drop(&o[i].certificate);
	}
}

int
main(int argc, char **argv)
{
	uint64_t count, done = 0;
	int64_t began = clock_steady_ms();
	bool answered = argc == 8 && strcmp(argv[7], "answered") == 0;

	if ((argc != 7 && !answered) || (count = strtoull(argv[6], NULL, 10)) == 0 || geteuid() != 0) {
		fprintf(stderr, "usage: fill HOME WORLD MODULE TOKEN-URI PIN COUNT [answered], as root, HOME closed\n");
		return 2;
	}
	f.home = argv[1];
	need(hsm_open(argv[3], slice_str(argv[4]), HSM_SIGN, &f.hsm), "token");
	need(hsm_login(f.hsm, slice_str(argv[5])), "token");
	need(hsm_find(f.hsm), "token");
	open_house(argv[2]);
	makers_start();
	while (done < count) {
		size_t n = count - done < TURN ? (size_t)(count - done) : TURN;

		turn(n, answered);
		done += n;
		if (done % (TURN * 50) == 0 || done == count) {
			fprintf(stderr, "\r%llu dossiers, %lld s ", (unsigned long long)done,
			    (long long)(clock_steady_ms() - began) / 1000);
		}
	}
	fputc('\n', stderr);
	makers_end();
	as(f.books_uid);
	need(db_store(f.db), "projection");
	db_close(&f.db);
	book_close(&f.book);
	as(f.journal_uid);
	journal_close(&f.journal);
	as(0);
	hsm_close(&f.hsm);
	return 0;
}
