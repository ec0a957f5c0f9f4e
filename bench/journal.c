/* LINK: role/signer/journal.c role/signer/journal_add.c role/signer/records_file.c role/signer/revoked_file.c role/signer/known_file.c role/signer/journal_line.c */
/*
 * A signer's journal with many records: what a look-up and a record cost as it grows, and how long it takes to open.
 *
 *   bench/journal FOLDER RECORDS      prints one line of JSON a tenth, then the opening
 */
#include <sys/resource.h>
#include <time.h>

#include "role/signer/journal.h"

#define TURN 100U
#define CERTIFICATE 900

static double
now_us(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
need(err e, const char *what)
{
	if (e.kind == OK)
		return;
	fprintf(stderr, "journal: %s: %s\n", what, e.what);
	exit(1);
}

static digest
number(const char *kind, uint64_t n)
{
	return sha256_two(slice_str(kind), slice_of(&n, sizeof n));
}

static serial
serial_of(uint64_t n)
{
	digest d = number("serial", n);
	serial s = {.n = 16};

	memcpy(s.b, d.b, 16);
	s.b[0] = 0x40;
	return s;
}

/* What the signer does to its journal for each order, beside judging and signing. */
static void
turn(struct journal *j, uint64_t first, instant at)
{
	static uint64_t intent[TURN];

	journal_turn(j, at);
	for (unsigned i = 0; i < TURN; i++) {
		uint64_t n = first + i;
		digest tbs = number("tbs", n);
		struct journal_record r;
		struct issue_order o = {.serial = serial_of(n)};
		struct issue_plan p = {.ticket = ticket_make_certificate(PROOF_RULE, SIG_ECDSA_SHA256, ARR(tbs.b), tbs),
		    .serial = o.serial,
		    .application = number("application", n),
		    .key = number("key", n),
		    .judged = at,
		    .responsible = LIT("okada")};

		memcpy(p.dossier.b, p.application.b, sizeof p.dossier.b);
		if (journal_find(j, o.serial, &r).kind != ERR_ABSENT)
			need(fail(ERR_CORRUPT, "bench: house: a serial nobody used is known"), "find");
		need(journal_check_unused(j, o.serial, p.application, p.key), "unused");
		intent[i] = journal_add_intent(j, &p, &o, LIT("person-signature"));
		issue_plan_drop(&p);
	}
	need(journal_commit(j), "intents");
	for (unsigned i = 0; i < TURN; i++) {
		uint64_t n = first + i;
		uint8_t certificate[CERTIFICATE];
		dossier_id d = {{0}};

		for (size_t k = 0; k < sizeof certificate; k += SHA256_LEN) {
			digest part = number("certificate", n * 64 + k);

			memcpy(certificate + k, part.b, sizeof certificate - k < SHA256_LEN ? sizeof certificate - k : SHA256_LEN);
		}
		journal_add_signed(j, d, serial_of(n), intent[i], ARR(certificate));
	}
	need(journal_commit(j), "results");
	need(journal_tend(j), "index");
}

static struct journal *
open_journal(const char *folder, struct revoked_set *set, const char *when)
{
	static const uint8_t issuer[SHA1_LEN] = {1};
	struct journal *j = NULL;
	struct rusage u;
	double from = now_us(CLOCK_MONOTONIC);

	need(journal_open(folder, BY_ISSUER, (digest){0}, issuer, &j, set), "open");
	(void)getrusage(RUSAGE_SELF, &u);
	printf("{\"what\":\"%s\",\"lines\":%llu,\"seconds\":%.3f,\"peak_mib\":%.1f}\n", when,
	    (unsigned long long)journal_head(j).size, (now_us(CLOCK_MONOTONIC) - from) / 1e6, (double)u.ru_maxrss / 1024);
	return j;
}

int
main(int argc, char **argv)
{
	struct revoked_set *set OWNED(revoked_set_drop) = revoked_set_new();
	struct journal *j OWNED(journal_close) = NULL;
	uint64_t records, done;
	instant at = {1795000000000};

	if (argc != 3 || (records = strtoull(argv[2], NULL, 10)) == 0) {
		fputs("usage: bench/journal FOLDER RECORDS\n", stderr);
		return 2;
	}
	j = open_journal(argv[1], set, "open");
	done = journal_head(j).size / 2;
	for (uint64_t tenth = 1; tenth <= 10 && done < records; tenth++) {
		double from = now_us(CLOCK_PROCESS_CPUTIME_ID);
		uint64_t first = done;

		for (; done < records * tenth / 10; done += TURN)
			turn(j, done, (instant){at.ms + (int64_t)done * 10});
		if (done > first)
			printf("{\"what\":\"record\",\"records\":%llu,\"cpu_us\":%.1f}\n", (unsigned long long)done,
			    (now_us(CLOCK_PROCESS_CPUTIME_ID) - from) / (double)(done - first));
		fflush(stdout);
	}
	journal_close(&j);
	j = open_journal(argv[1], set, "open again");
	return 0;
}
