/* LINK: test/jpki/make.c */
/*
 * served - books of N certificates and what is served of them, for `inkanctl check-status`.
 *
 *   bench/served WORLD DIR N      WORLD: of build/test/jpki/world
 *
 * DIR becomes a house without processes: inkan.conf, trust file, profile, books written by their real writer (six lines a
 * certificate, as an application leaves them, every tenth revoked), and repository/ with the CA's certificate, the list of
 * all and status/base: each answer really signed with P-256, the file by its real writer.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/entry.h"
#include "act/slots.h"
#include "edge/book.h"
#include "edge/clock.h"
#include "test/jpki/make.h"

#define PROCESSES 2
#define SHARE 256U
#define TURN 600U /* certificates a turn: 3,600 lines */

static struct {
	const char *dir;
	uint64_t n;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct signer *responder;
	struct buf responder_certificate;
	struct ocsp_issuer names;
	uint8_t responder_id[SHA1_LEN];
	instant now;
	struct book *book;
} f;

static void
need(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "served: %s\n", what);
		exit(1);
	}
}

static const char *
in(const char *name)
{
	static char room[4][4096];
	static int turn;
	char *at = room[turn++ % 4];

	snprintf(at, sizeof room[0], "%s/%s", f.dir, name);
	return at;
}

/* 16 bytes from 40… to 7F…, rising with i. */
static serial
serial_of(uint64_t i)
{
	uint64_t step = (UINT64_C(1) << 62) / f.n, top;
	uint8_t of[8];
	serial s = {.n = 16};
	digest d;

	memcpy(of, &i, sizeof of);
	d = sha256(ARR(of));
	memcpy(&top, d.b, 8);
	top = (UINT64_C(1) << 62) + i * step + top % step;
	for (size_t k = 0; k < 8; k++)
		s.b[k] = (uint8_t)(top >> (56 - 8 * k));
	memcpy(s.b + 8, d.b + 8, 8);
	return s;
}

static bool
is_revoked(uint64_t i)
{
	return i % 10 == 3;
}

static instant
revoked_at(void)
{
	return (instant){f.now.ms - HOUR_MS};
}

/* --- books ------------------------------------------------------------------------------------ */

static void
enter(struct entry *e, instant at)
{
	struct buf line OWNED(buf_drop) = BUF(LINE_MAX), openings OWNED(buf_drop) = BUF(LINE_MAX);

	e->line.n = book_next(f.book);
	e->line.at = at;
	e->line.by = BY_REGISTRAR;
	e->line.by_id = LIT("registrar");
	e->line.under = f.trust->digest;
	entry_set_rules(e);
	entry_put(&line, &openings, e);
	book_add_line(f.book, buf_slice(&line));
}

static void
commit(void)
{
	need(book_commit(f.book).kind == OK, "books");
}

static void
enter_certificate(uint64_t i, instant at)
{
	serial s = serial_of(i);
	digest d = sha256(serial_slice(&s));
	struct entry e = {.line = {.about = ABOUT_DOSSIER, .n_evidence = 1}}, of;

	memcpy(e.line.dossier.b, d.b, sizeof e.line.dossier.b);
	e.line.evidence[0] = d;
	of = e;
	of.line.act = ACT_EXPLANATION_ACKNOWLEDGED;
	of.explanation = d;
	of.language = LIT("ja");
	of.shown = of.confirmed = at;
	enter(&of, at);
	of = e;
	of.line.act = ACT_APPLICATION_RECEIVED;
	of.document = of.key = of.card = of.token = of.terms = d;
	of.profile_name = LIT("person-signature");
	of.validity = 5;
	enter(&of, at);
	of = e;
	of.line.act = ACT_IDENTITY_VERIFIED;
	of.judged = of.this_update = of.next_update = at;
	of.method = STATUS_CRL;
	of.status = of.trust = d;
	enter(&of, at);
	of = e;
	of.line.act = ACT_APPLICATION_ACCEPTED;
	of.ruleset = of.approval = d;
	of.engine = 1;
	of.validity = 5;
	of.responsible = LIT("hanako");
	enter(&of, at);
	of = e;
	of.line.act = ACT_CERTIFICATE_ORDERED;
	of.serial = s;
	of.not_before = instant_floor_second(at);
	of.tbs = of.profile = d;
	enter(&of, at);
	of = e;
	of.line.act = ACT_CERTIFICATE_ISSUED;
	of.serial = s;
	of.certificate = of.journal_root = d;
	of.not_after = instant_add_years(f.now, 5);
	of.signed_at = at;
	of.journal = i + 1;
	enter(&of, at);
}

static void
enter_baseline(instant at)
{
	struct entry e = {.line = {.act = ACT_BASELINE_SET, .about = ABOUT_HOUSE}};

	e.document = e.ruleset = f.trust->digest;
	e.state = LIT("NONE");
	e.trust = f.trust->digest;
	e.profile = f.profile->digest;
	enter(&e, at);
	commit();
}

static void
enter_revoked(uint64_t i, instant at)
{
	serial s = serial_of(i);
	digest d = sha256(serial_slice(&s));
	struct entry e = {.line = {.act = ACT_CERTIFICATE_REVOKED, .about = ABOUT_DOSSIER},
	    .serial = s,
	    .reason = REASON_KEY_COMPROMISE,
	    .signer = SIGNER_PERSON,
	    .judged = at,
	    .document = d};

	memcpy(e.line.dossier.b, d.b, sizeof e.line.dossier.b);
	enter(&e, at);
}

/* The list of all, signed, and its line. */
static void
make_list(instant at)
{
	struct buf tbs OWNED(buf_drop) = BUF(CRL_MAX), whole OWNED(buf_drop) = BUF(CRL_MAX),
	               sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct crl_entry *entry = mem_new((size_t)(f.n / 10 + 1), sizeof *entry);
	enum sig_alg alg = sig_alg_for(signer_kind(f.house->ca));
	struct entry e = {.line = {.act = ACT_CRL_PUBLISHED, .about = ABOUT_HOUSE}};
	size_t n = 0;

	for (uint64_t i = 0; i < f.n; i++)
		if (is_revoked(i))
			entry[n++] =
			    (struct crl_entry){.serial = serial_of(i), .revoked = revoked_at(), .reason = REASON_KEY_COMPROMISE};
	e.number = (uint64_t)at.ms;
	e.this_update = instant_floor_second(at);
	e.next_update = (instant){e.this_update.ms + 36 * HOUR_MS};
	crl_put_tbs(&tbs, &(struct crl_plan){.alg = alg,
	                      .issuer = f.trust->issuer.subject,
	                      .this_update = e.this_update,
	                      .next_update = e.next_update,
	                      .number = e.number,
	                      .aki = f.trust->issuer.ski,
	                      .entry = entry,
	                      .n = n});
	signer_sign(f.house->ca, alg, buf_slice(&tbs), &sig);
	cert_join(&whole, buf_slice(&tbs), alg, buf_slice(&sig));
	file_put(in("repository/crl/issuer.crl"), buf_slice(&whole));
	e.crl = sha256(buf_slice(&whole));
	e.count = n;
	enter(&e, at);
	commit();
	free(entry);
}

static void
make_books(void)
{
	struct book_opened opened;
	uint64_t revoked = 0, turn = 0;

	need(book_open(in("books"), BOOK_WRITE, 0, &f.book, &opened).kind == OK, "books");
	enter_baseline((instant){f.now.ms - 3 * HOUR_MS});
	for (uint64_t i = 0; i < f.n; i++) {
		/* the order of issue is not that of serials */
		enter_certificate((i * 7919 + 11) % f.n, (instant){f.now.ms - 2 * HOUR_MS + (int64_t)turn});
		if (i % TURN == TURN - 1 || i + 1 == f.n) {
			commit();
			turn++;
		}
	}
	turn = 0;
	for (uint64_t i = 0; i < f.n; i++)
		if (is_revoked(i)) {
			enter_revoked(i, (instant){revoked_at().ms + (int64_t)turn});
			if (++revoked % 4000 == 0) {
				commit();
				turn++;
			}
		}
	commit();
	make_list((instant){f.now.ms - HOUR_MS / 2});
	book_close(&f.book);
}

/* --- answers -------------------------------------------------------------------------------------- */

static void
answer(uint64_t i, struct buf *out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	instant from = {f.now.ms - HOUR_MS / 2};

	ocsp_put_data(&data, &(struct ocsp_plan){.issuer = f.names,
	                         .serial = serial_of(i),
	                         .status = is_revoked(i) ? OCSP_REVOKED : OCSP_GOOD,
	                         .revoked = is_revoked(i) ? revoked_at() : (instant){0},
	                         .reason = is_revoked(i) ? REASON_KEY_COMPROMISE : REASON_UNSPECIFIED,
	                         .produced = from,
	                         .this_update = from,
	                         .next_update = {from.ms + 48 * HOUR_MS},
	                         .responder_key_id = ARR(f.responder_id)});
	signer_sign(f.responder, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	buf_clear(out);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), buf_slice(&f.responder_certificate));
}

static void
sign_shares(const struct slots_common *c, uint64_t k, int fd)
{
	struct buf whole OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), out OWNED(buf_drop) = BUF(1U << 20);
	struct slot s;

	for (uint64_t from = k * SHARE; from < f.n; from += PROCESSES * SHARE) {
		buf_clear(&out);
		for (uint64_t i = from; i < from + SHARE && i < f.n; i++) {
			answer(i, &whole);
			need(slot_get_answer(buf_slice(&whole), c, &s).kind == OK, "an answer that is not of the form of slots");
			buf_put(&out, slice_of(&s, sizeof s));
		}
		for (slice left = buf_slice(&out); left.n > 0;) {
			ssize_t m = write(fd, left.p, left.n);

			need(m > 0, "a pipe");
			left = (slice){left.p + m, left.n - (size_t)m};
		}
	}
	_exit(0);
}

static void
write_out(struct slots_writer *w, FILE *out)
{
	slice piece;

	while (slots_write_out(w, &piece))
		need(fwrite(piece.p, piece.n, 1, out) == 1, "the disk");
}

static void
make_answers(void)
{
	struct buf first OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots_common c;
	FILE *of[PROCESSES], *out = fopen(in("repository/status/base"), "w");

	answer(0, &first);
	need(out != NULL && slots_common_get(buf_slice(&first), &f.trust->issuer, &c).kind == OK, "the first answer");
	for (uint64_t k = 0; k < PROCESSES; k++) {
		int pair[2];
		pid_t pid;

		need(pipe(pair) == 0, "a pipe");
		pid = fork();
		need(pid >= 0, "a process");
		if (pid == 0)
			sign_shares(&c, k, pair[1]);
		close(pair[1]);
		of[k] = fdopen(pair[0], "r");
		need(of[k] != NULL, "a pipe");
	}
	slots_write_start(&w, &c, f.now);
	for (uint64_t i = 0; i < f.n; i++) {
		struct slot s;

		need(fread(&s, sizeof s, 1, of[i / SHARE % PROCESSES]) == 1, "a share that ended early");
		slots_write(&w, &s);
		write_out(&w, out);
	}
	slots_write_end(&w);
	write_out(&w, out);
	need(fclose(out) == 0, "the disk");
	while (wait(NULL) > 0) {
	}
}

/* --- the house ---------------------------------------------------------------------------------------- */

static void
make_house(const char *world)
{
	static const char *const FOLDERS[] = {"", "repository", "repository/ca", "repository/crl", "repository/status"};
	struct key *k OWNED(key_drop) = NULL;

	for (size_t i = 0; i < COUNT(FOLDERS); i++)
		(void)mkdir(in(FOLDERS[i]), 0755);
	f.house = house_new(world, f.now);
	house_read(f.house, &f.trust, &f.profile, NULL);
	f.responder = signer_new(KEY_P256, 256);
	f.responder_certificate = BUF(CERT_MAX);
	house_responder(f.house, f.responder, (instant){f.now.ms - DAY_MS}, &f.responder_certificate);
	need(key_get_spki(signer_spki(f.responder), &k).kind == OK, "the responder's key");
	key_identifier(k, f.responder_id);
	ocsp_issuer_of(&f.trust->issuer, &f.names);
	file_put(in("trust.conf"), buf_slice(&f.house->trust));
	file_put(in("profile.conf"), buf_slice(&f.house->profile));
	file_put(in("inkan.conf"), LIT("[registrar]\nprofile = profile.conf\n"));
	file_put(in("repository/ca/issuer.cer"), buf_slice(&f.trust->issuer_der));
}

int
main(int argc, char **argv)
{
	int64_t began = clock_steady_ms();

	need(argc == 4, "usage: served WORLD DIR N");
	f.dir = argv[2];
	f.n = strtoull(argv[3], NULL, 10);
	need(f.n > 20 && f.n % 7919 != 0, "N");
	f.now = instant_floor_second(clock_now());
	make_house(argv[1]);
	make_books();
	make_answers();
	printf("{\"certificates\":%llu,\"seconds\":%.1f}\n", (unsigned long long)f.n,
	    (double)(clock_steady_ms() - began) / 1000);
	return 0;
}
