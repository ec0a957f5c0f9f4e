/*
 * check.h - `inkanctl check-status`: what relying parties are told, held against the books.
 *
 * Depends on: act/served, act/slots, edge/{book,net,disk,clock}, cmd/inkanctl/books.
 * Touches: reads the books and what is published, in a folder or over HTTP; starts
 * processes of its own that read and verify, one for each core; writes nothing but
 * the file of --metrics.  By inkand's clock it is one process in a jail
 * (check_clocked.c).
 *
 * It believes nobody of the house: no projection, no journal, no set of a signer,
 * no file of the publisher.  It reads the lines of the books, the trust file, the
 * profile that the baseline names; and then what is served, as a stranger gets it.
 *
 * TWICE: while it reads, the house goes on.  What differs is a suspicion; then the
 * new lines of the books are read and the same thing is fetched again, up to
 * CHECK_ROUNDS times.  Only what still differs is said.
 *
 * Memory: the fold (act/served.h), shared by all processes; a list that is being
 * read; nothing that grows with the number of answers.
 */
#ifndef CMD_INKANCTL_CHECK_H
#define CMD_INKANCTL_CHECK_H

#include "act/served.h"
#include "act/slots.h"
#include "base/base.h"
#include "base/conf.h"
#include "cmd/inkanctl/books.h"
#include "edge/map.h"
#include "edge/net.h"

int check_status_main(int argc, char **argv);

#define CHECK_ROUNDS 3
#define CHECK_KEPT_MAX 20000U /* differences that are looked at again and can be said; the rest is counted */
#define CHECK_WHERE 120

/* One difference; small enough that a pipe takes it whole. */
struct difference {
	const char *what; /* static text: it means the same in a process forked from this one */
	serial serial;    /* of no bytes: of the whole */
	char where[CHECK_WHERE];
};

struct differences {
	struct difference *at;
	size_t n, cap;
	uint64_t total;
};
void differences_add(struct differences *d, const char *what, const serial *of, slice where);
void differences_drop(struct differences *d);

/* Where what is served is read from: addresses, or a folder. */
struct source {
	const char *base;  /* instead of scheme and host of the profile's addresses; NULL: as the profile says */
	const char *files; /* the folder; NULL: over HTTP                                                     */
	bool get;          /* OCSP by GET alone; else by POST, one in GET_EVERY by GET                        */
	struct net *net;   /* owned: of one process, made when first needed                                   */
	struct buf url;    /* owned                                                                           */
	struct status_map {
		struct map map;
		bool there;
		struct slots slots;
	} status[2];   /* recent, base: owned; mapped in the parent */
	bool places;   /* the folder has each answer under the path of its GET */
	bool by_place; /* … and is asked for those */
};
void source_drop(struct source *s);
/*
 * A published file: `uri` is the profile's address of it.  ERR_ABSENT: it is not
 * there.  Any other error: it could not be read, and nothing is known.
 */
err source_file(struct source *s, slice uri, struct buf *out) CHECKED;
/* The part of an address after scheme and host: a path in the repository. */
slice source_path(slice uri) CHECKED;
/* A folder's file by its path. */
err source_load(struct source *s, slice path, struct buf *out) CHECKED;
/* Whether an answer on this serial belongs under this path: the base64 of its request, whose "/" are folders. */
bool source_is_place(const struct ocsp_issuer *issuer, serial number, slice path) CHECKED;
/* The status files of a folder, mapped anew.  ERR_ABSENT where the folder has none; ERR_CORRUPT slots-header. */
err source_map(struct source *s) CHECKED;
/* Whether the folder has answers under the paths of their GETs, as a mirror has: s->places. */
void source_look(struct source *s);
/* The answer on one certificate as a stranger gets it; the DER of it into *out for SERVED_ANSWER. */
err source_answer(struct source *s, const struct ocsp_issuer *issuer, slice uri, serial number, uint64_t turn,
    enum served_kind *kind, struct buf *out) CHECKED;

struct check {
	struct ctl ctl;
	struct books books; /* owned, as all below */
	struct trust *trust;
	struct buf profile_file; /* read beforehand; empty: it is looked for beside the books */
	struct profile *profile;
	struct served told;
	struct ocsp_issuer names;
	struct source source;
	struct served_allowed allowed;
	struct differences found;
	bool no_ocsp, no_tiles;
	bool lines;                /* of the books nothing but lines and tiles may be read: trust and profile were before */
	bool gone;                 /* the server did not answer: no file is asked for any more */
	size_t jobs;               /* processes; 0: none but this one */
	const char *could_not[16]; /* static texts: what was not looked at, and why */
	size_t n_could_not;
	struct {
		uint64_t certificates, revoked, answers, probes, lists, entries, tiles, slots;
	} count;
	struct known_responder { /* of one process */
		struct responder r;
		err word; /* on its certificate */
	} responder[16];
	size_t n_responders;
};
void check_could_not(struct check *c, const char *what);
/* What inkan.conf says that the check needs: the hours between two lists, the test clock of a test hierarchy. */
err check_configure(struct check *c, const struct conf *conf) CHECKED;
/* All of it, from the books on; what could not begin is not checked. */
enum done check_run(struct check *c) CHECKED;

/* check_clocked.c: for inkand, in a jail; `who` is "UID:GROUP". */
enum done check_clocked(struct check *c, const char *who);
/* check_answers.c: every OCSP answer; and of some serials again. */
err check_answers(struct check *c) CHECKED;
/* One certificate's answer, or a serial's that must have none; ok, or what differs.  *known false: it could not be read (the err says why). */
err check_answer(struct check *c, serial number, uint64_t turn, bool *known) CHECKED;
/* check_mail.c: the result as a letter to an address, or to "office": office_mail of inkan.conf. */
err check_mail(const struct check *c, const char *address) CHECKED;
/* check_files.c: CA certificate, lists, checkpoint and tiles. */
void check_files(struct check *c, bool tiles);
/* "…/NAME" on the host where the CA's certificate is served. */
void check_put_uri(struct buf *b, const struct check *c, const char *name);
/* As source_file; a server that did not answer once is not waited for again. */
err check_get(struct check *c, slice uri, struct buf *out) CHECKED;

/* check_tree.c: other forms, fingerprints, texts, pages; in a folder what stands there besides. */
void check_tree(struct check *c);

#endif
