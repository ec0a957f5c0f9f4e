/* LINK: test/jpki/parts/pool.c test/jpki/parts/der.c test/jpki/parts/issuer.c test/jpki/parts/leaf.c */
/*
 * world.c - makes a JPKI-like hierarchy for tests: domain facts 2.2 to 2.5, and every bad leaf of 2.8.
 *
 *	world DIR [--at T] [--keys DIR] [--ocsp URL] [--production] [--many N]
 *	world crl DIR [--at T] [--next HOURS]
 *	world revoke DIR NAME [--at T] [--reason WORD]
 *	world leaf DIR NAME [--at T] [--name S] [--name-flags S] [--birth S] [--sex S] [--address S] [--address-flags S]
 *
 * T is RFC 3339 in UTC (2026-11-22T01:02:03Z); without --at it is now.
 *
 * What stands in DIR afterwards:
 *	signca01 02 03 .cer .key   three generations of the signature CA under one DN; 01 has ended, 03 issues
 *	authca .cer .key           the CA of user-auth certificates
 *	anchors.pem                the three signature CAs
 *	NAME.cer NAME.key          leaves: DER and unencrypted PKCS#8 PEM; NAME-auth.* is the same person's user-auth pair
 *	CA.crl CA.index            daily CRL (DER) and the index `openssl ocsp` reads, one of each per CA; a running
 *	                           responder sees a revocation at the second question after it
 *	ocsp*.cer ocsp*.key        responder certificates under signca03: a good one and three bad ones
 *	list                       NAME, CA, serial, good|revoked|bad, what is wrong: one leaf a line, tabs between
 *	persons                    card, name, flags, true name, birth, sex, address, flags, true address; tabs between
 *	many-00000.cer ... many.key leaves of --many: one key pair, distinct persons, serials and CNs
 *	keys/                      the key pool; --keys shares one between worlds, since RSA keys are slow to make
 *
 * The hierarchy is O=JPKI-TEST with the test policy; --production says O=JPKI with the production policy instead
 * (still our keys, so only a trust file that pins them takes it).
 */
#include "test/jpki/parts/world.h"

struct world w = {.ocsp = "http://ocspsign.jpki-test.invalid/", .next_serial = 0x067D0001};

/* The next serial and the settings of making, for the later calls. */
static void
state_store(void)
{
	FILE *f = open_or_die(path(w.dir, "state", ""), "w");

	fprintf(f, "%" PRIu32 " %d %s\n%s\n", w.next_serial, w.production, w.ocsp, w.keys);
	fclose(f);
}

static void
state_load(void)
{
	static char ocsp[1024], keys[LINE_MAX_BYTES];
	FILE *f = open_or_die(path(w.dir, "state", ""), "r");
	int production = 0;

	need(fscanf(f, "%" SCNu32 " %d %1023s\n%4095[^\n]", &w.next_serial, &production, ocsp, keys) == 4, "state");
	fclose(f);
	w.production = production != 0;
	w.ocsp = ocsp;
	w.keys = keys;
	for (int i = 0; i < CA_COUNT; i++)
		w.ca[i] = x509_load(ca_table[i].name);
}

static void
world_make(unsigned long many)
{
	if (mkdir(w.dir, 0755) != 0 && errno != EEXIST)
		die("%s: %s", w.dir, strerror(errno));
	if (mkdir(w.keys, 0700) != 0 && errno != EEXIST)
		die("%s: %s", w.keys, strerror(errno));
	w.list = open_or_die(path(w.dir, "list", ""), "w");
	w.persons = open_or_die(path(w.dir, "persons", ""), "w");
	for (int i = 0; i < CA_COUNT; i++)
		ca_make((enum ca_id)i);
	anchors_make();
	ocsp_make("ocsp", OCSP_GOOD);
	ocsp_make("ocsp-no-eku", OCSP_NO_EKU);
	ocsp_make("ocsp-expired", OCSP_EXPIRED);
	ocsp_make("ocsp-foreign", OCSP_FOREIGN);
	leaves_make();
	many_make(many);
	crls_make(48);
	fclose(w.list);
	fclose(w.persons);
	state_store();
}

struct options {
	const char *word[3];
	int words;
	const char *reason;
	struct person who;
	unsigned long many;
	int64_t next_hours;
};

static bool
option(struct options *o, const char *name, const char *v)
{
	const struct {
		const char *name, **to;
	} plain[] = {{"--keys", &w.keys}, {"--ocsp", &w.ocsp}, {"--reason", &o->reason}, {"--name", &o->who.name},
	    {"--name-flags", &o->who.flags}, {"--birth", &o->who.birth}, {"--sex", &o->who.sex},
	    {"--address", &o->who.address}, {"--address-flags", &o->who.address_flags}};

	for (size_t i = 0; i < COUNT(plain); i++)
		if (strcmp(plain[i].name, name) == 0) {
			*plain[i].to = v;
			return true;
		}
	if (strcmp(name, "--at") == 0)
		w.at = time_get(v);
	else if (strcmp(name, "--many") == 0)
		o->many = strtoul(v, NULL, 10);
	else if (strcmp(name, "--next") == 0)
		o->next_hours = strtol(v, NULL, 10);
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = {.next_hours = 48, .who = person_first()};
	bool crl, revoke, leaf;

	w.at = (int64_t)time(NULL);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--production") == 0)
			w.production = true;
		else if (argv[i][0] == '-' && i + 1 < argc && option(&o, argv[i], argv[i + 1]))
			i++;
		else if (argv[i][0] == '-' || o.words == 3)
			die("%s: not understood; see the head of test/jpki/world.c", argv[i]);
		else
			o.word[o.words++] = argv[i];
	}
	crl = o.words == 2 && strcmp(o.word[0], "crl") == 0;
	revoke = o.words == 3 && strcmp(o.word[0], "revoke") == 0;
	leaf = o.words == 3 && strcmp(o.word[0], "leaf") == 0;
	if (!crl && !revoke && !leaf && o.words != 1)
		die("world DIR | crl DIR | revoke DIR NAME | leaf DIR NAME");
	w.dir = o.word[crl || revoke || leaf];
	if (o.words == 1) {
		if (w.keys == NULL)
			w.keys = strdup(path(w.dir, "keys", ""));
		world_make(o.many);
		return 0;
	}
	state_load();
	if (leaf) {
		w.list = open_or_die(path(w.dir, "list", ""), "a");
		w.persons = open_or_die(path(w.dir, "persons", ""), "a");
		o.who.card = o.word[2];
		leaf_make(&(struct leaf){.file = o.word[2], .ca = CA_SIGN3, .key = K_LEAF5, .from_days = -1}, &o.who);
		person_write(&o.who);
		fclose(w.list);
		fclose(w.persons);
		state_store();
	}
	if (revoke)
		index_revoke(o.word[2], o.reason);
	if (crl || revoke)
		crls_make(o.next_hours);
	return 0;
}
