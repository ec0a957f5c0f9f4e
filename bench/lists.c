/* LINK: test/jpki/make.c role/signer/records_file.c role/signer/revoked_file.c */
/*
 * lists - what a full list of many revoked certificates costs the issuer: time and memory.
 *
 *   bench/lists WORLD FOLDER N       WORLD: of build/test/jpki/world; prints one line of JSON
 *
 * The set's base is written by its real writer; then a process of its own opens it, plans the list, has its hash signed
 * (P-256), and gives out the parts into FOLDER/issuer.crl, as the publisher writes them.  FOLDER/index.txt is the same set
 * for `openssl ca -gencrl`.  What the way through registrar and publisher costs is not in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/revocation.h"
#include "edge/disk.h"
#include "role/signer/revoked_file.h"
#include "test/jpki/make.h"

static const char AT[] = "2026-11-22T01:00:00.000Z";

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
need(err e, const char *what)
{
	if (e.kind == OK)
		return;
	fprintf(stderr, "lists: %s: %s\n", what, e.what);
	exit(3);
}

/* The i-th of n revoked ones: serials of our form, rising, a third with each of three reasons. */
static struct revoked
made(uint64_t i, uint64_t n)
{
	uint64_t step = ((UINT64_C(1) << 62) - 1) / n, high = (UINT64_C(1) << 62) + i * step,
	         low = i * UINT64_C(0x9E3779B97F4A7C15);
	struct revoked r = {.entry = {.serial = {.n = 16},
	                        .revoked = {at_of(AT).ms - (int64_t)(i % 100000) * 60000},
	                        .reason = i % 3 == 0   ? REASON_KEY_COMPROMISE
	                                  : i % 3 == 1 ? REASON_SUPERSEDED
	                                               : REASON_AFFILIATION_CHANGED},
	    .not_after = {at_of(AT).ms + 1000 * DAY_MS},
	    .order = i};

	for (int k = 0; k < 8; k++) {
		r.entry.serial.b[k] = (uint8_t)(high >> (56 - 8 * k));
		r.entry.serial.b[8 + k] = (uint8_t)(low >> (56 - 8 * k));
	}
	return r;
}

static uint64_t made_n;

static err
read_made(void *of, uint64_t first, size_t n, uint8_t *out)
{
	(void)of;
	for (size_t i = 0; i < n; i++) {
		struct revoked r = made(first + i, made_n);

		revoked_record_put(out + i * REVOKED_RECORD, &r);
	}
	return ok;
}

static void
write_base(int folder)
{
	const struct revoked_base base = {.from = {.n = made_n, .read = read_made}, .orders = made_n};
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();

	need(revoked_set_base(s, &base), "set");
	need(revoked_file_write(folder, s, (instant){INSTANT_MIN_MS}, (struct head){0}), "base");
}

/* V/R expiry revocation,reason serial file subject, as `openssl ca` keeps it. */
static void
write_index(const char *path)
{
	static const char *const words[] = {"keyCompromise", "superseded", "affiliationChanged"};
	FILE *f = fopen(path, "w");

	if (f == NULL)
		need(fail(ERR_WORLD, "a file"), path);
	for (uint64_t i = 0; i < made_n; i++) {
		struct revoked r = made(i, made_n);
		struct civil c = civil_utc(r.entry.revoked);
		struct buf hex OWNED(buf_drop) = BUF(64);

		buf_put_hex(&hex, serial_slice(&r.entry.serial));
		for (size_t k = 0; k < hex.n; k++)
			if (hex.p[k] >= 'a')
				hex.p[k] = (uint8_t)(hex.p[k] - 'a' + 'A');
		fprintf(f, "R\t290101000000Z\t%02d%02d%02d%02d%02d%02dZ,%s\t%.*s\tunknown\t/CN=%llu\n", c.year % 100, c.month,
		    c.day, c.hour, c.minute, c.second, words[i % 3], (int)hex.n, (const char *)hex.p, (unsigned long long)i);
	}
	fclose(f);
}

static void
list(const struct house *h, int folder)
{
	struct trust *t OWNED(trust_drop) = NULL;
	struct profile *p OWNED(profile_drop) = NULL;
	struct revoked_set *s OWNED(revoked_set_drop) = revoked_set_new();
	struct records_file *file OWNED(records_file_close) = NULL;
	struct crl_order o = {.number = 1, .now = at_of(AT), .next_update = {at_of(AT).ms + 36 * HOUR_MS}};
	struct buf raw OWNED(buf_drop) = BUF(SIG_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX),
	               part OWNED(buf_drop) = BUF(128U << 10);
	const struct list_memory m = {0};
	struct revoked_base base;
	struct list_plan l = {0};
	struct head covers;
	struct rusage u;
	double start, opened, planned;
	bool last = false;
	int fd;

	house_read(h, &t, &p, NULL);
	start = now_s();
	need(revoked_file_open(folder, &file, &base, &covers), "open");
	need(revoked_set_base(s, &base), "open");
	opened = now_s();
	need(revocation_plan_list(t, p, s, &o, &m, o.now, &l), "plan");
	planned = now_s();
	signer_sign_hash(h->ca, SIG_ECDSA_SHA256, (slice){l.hashed, SHA256_LEN}, &raw);
	ecdsa_put(&sig, buf_slice(&raw));
	need(revocation_join_list(t, &l, buf_slice(&sig)), "join");
	need(disk_open(folder, "issuer.crl.part", DISK_SCRATCH, &fd), "file");
	while (!last) {
		buf_clear(&part);
		need(revocation_list_part(s, &l, 76U << 10, &part, &last), "part");
		need(disk_append(fd, buf_slice(&part)), "file");
	}
	need(disk_sync(fd), "file");
	disk_close(&fd);
	need(disk_rename(folder, "issuer.crl.part", "issuer.crl"), "file");
	(void)getrusage(RUSAGE_SELF, &u);
	printf("{\"entries\":%llu,\"bytes\":%zu,\"open_s\":%.3f,\"plan_s\":%.3f,\"parts_s\":%.3f,\"list_s\":%.3f,\"peak_"
	       "mib\":%.1f}\n",
	    (unsigned long long)l.count, l.frame.whole, opened - start, planned - opened, now_s() - planned,
	    now_s() - opened, (double)u.ru_maxrss / 1024);
	list_plan_drop(&l);
}

int
main(int argc, char **argv)
{
	struct house *h OWNED(house_drop) = NULL;
	struct buf ca OWNED(buf_drop) = BUF(CERT_MAX);
	char path[4096];
	int folder = -1, status = 0;
	pid_t child;

	if (argc != 4 || (made_n = strtoull(argv[3], NULL, 10)) == 0) {
		fputs("usage: bench/lists WORLD FOLDER N\n", stderr);
		return 2;
	}
	h = house_new(argv[1], at_of(AT));
	need(disk_folder(DISK_HERE, argv[2], FOLDER_MAKE, &folder), "folder");
	write_base(folder);
	snprintf(path, sizeof path, "%s/index.txt", argv[2]);
	write_index(path);
	{
		struct trust *t OWNED(trust_drop) = NULL;
		int fd = -1;

		house_read(h, &t, NULL, NULL);
		need(disk_open(folder, "issuer.cer", DISK_SCRATCH, &fd), "issuer");
		need(disk_append(fd, buf_slice(&t->issuer_der)), "issuer");
		disk_close(&fd);
	}
	fflush(stdout);
	child = fork(); /* its own peak of memory: what was needed to write the set is not in it */
	if (child == 0) {
		list(h, folder);
		return 0;
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 3;
	disk_close(&folder);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}
