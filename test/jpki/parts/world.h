/*
 * world.h - what the parts of the JPKI world for tests share; what it makes stands at the head of world.c.
 *
 * Depends on: libcrypto, base.  Every failure ends the program with a sentence: these are tests' tools.  The DER words
 * take what they are given: join(a, b) and tlv(tag, b) own their arguments, an X509_NAME handed in is freed.
 */
#ifndef TEST_JPKI_PARTS_WORLD_H
#define TEST_JPKI_PARTS_WORLD_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base.h"

#define DER_MAX 65536
#define LINE_MAX_BYTES 4096
#define DAY INT64_C(86400)

enum key_id {
	K_SIGN1,
	K_SIGN2,
	K_SIGN3,
	K_AUTHCA,
	K_OCSP,
	K_FOREIGN,
	K_LEAF1,
	K_LEAF2,
	K_LEAF3,
	K_LEAF4,
	K_LEAF5,
	K_AUTH,
	K_MANY,
	K_1024,
	K_3072,
	K_E3,
	K_P256,
	K_COUNT
};

enum ca_id { CA_SIGN1, CA_SIGN2, CA_SIGN3, CA_AUTH, CA_COUNT };

struct ca {
	const char *name, *unit;
	enum key_id key;
	uint8_t serial[4];
	size_t serial_n;
	int from_days, until_days; /* from --at */
};

extern const struct ca ca_table[CA_COUNT];

/* The world being made. */
struct world {
	const char *dir, *keys, *ocsp;
	int64_t at;
	bool production;
	uint32_t next_serial;
	EVP_PKEY *pool[K_COUNT];
	X509 *ca[CA_COUNT];
	FILE *list, *persons;
};

extern struct world w;

struct person {
	const char *card, *name, *flags, *truth, *birth, *sex, *address, *address_flags, *address_truth;
};

enum ocsp_odd { OCSP_GOOD, OCSP_NO_EKU, OCSP_EXPIRED, OCSP_FOREIGN };

struct leaf {
	const char *file;
	enum ca_id ca;
	enum key_id key;
	uint64_t odd;
	const char *policy; /* NULL: the hierarchy's own */
	int from_days, until_days;
	const char *birth, *sex, *address; /* instead of the person's */
	const char *what;                  /* NULL: nothing is wrong with it */
};

/* pool.c: files, and keys made once */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void need(bool yes, const char *what);
/* "dir/name suffix" joined; four of them live at a time. */
const char *path(const char *dir, const char *name, const char *suffix);
FILE *open_or_die(const char *p, const char *mode);
/* Writes beside and renames: a responder that watches the file never reads half of it. */
void write_file(const char *p, slice s);
struct buf read_file(const char *p);
void key_store(const char *p, EVP_PKEY *k);
/* Owned by the pool. */
EVP_PKEY *key(enum key_id id);

/* der.c: DER by hand, names, times, what certificates have in common */
struct buf raw(const void *p, size_t n);
struct buf join(struct buf a, struct buf b);
struct buf tlv(uint8_t tag, struct buf in);
struct buf text(uint8_t tag, const char *s);
struct buf oid(const char *dotted);
void ext(X509 *x, const char *dotted, int critical, struct buf der);
void rdn(X509_NAME *n, const char *type, const char *value);
const char *org(void);
X509_NAME *name_ca(enum ca_id id);
X509_NAME *name_service(void);
/* GeneralNames under that tag, with one directoryName. */
struct buf directory(uint8_t tag, X509_NAME *n);
struct buf crldp(X509_NAME *n);
int64_t time_get(const char *s);
struct tm utc(int64_t t);
/* 23:59:59 in Japan of the day t lies in. */
int64_t day_end(int64_t t);
/* The end of the fifth birthday after t; without a birthday, five years after t, a day short. */
int64_t fifth_birthday(int64_t t, const char *birth);
void validity(X509 *x, int64_t from, int64_t until);
void serial_set(X509 *x, const uint8_t *p, size_t n);
void serial_next(X509 *x);
const char *serial_hex(X509 *x);
struct buf key_hash(X509 *x);
void ski(X509 *x);
void aki(X509 *x, X509 *ca);
struct buf x509_der(X509 *x);
X509 *x509_load(const char *name);

/* issuer.c: CAs, responders, indices, CRLs */
void ca_make(enum ca_id id);
void anchors_make(void);
void ocsp_make(const char *name, enum ocsp_odd odd);
void index_add(enum ca_id ca, X509 *x, int64_t until, bool revoked);
void index_revoke(const char *name, const char *reason);
void crls_make(int64_t next_hours);

/* leaf.c: persons and leaves */
void leaf_make(const struct leaf *l, const struct person *p);
void person_write(const struct person *p);
/* Every leaf of the table, and a user-auth leaf for every person. */
void leaves_make(void);
/* That many more persons with one key pair. */
void many_make(unsigned long count);
/* The person whom later leaves take their attributes from. */
struct person person_first(void);

#endif
