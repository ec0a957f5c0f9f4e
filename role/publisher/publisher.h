/*
 * publisher.h - what is public, on disk: the repository tree, Rule 6(ix)-(xi), (xiii).
 *
 * HOLDS    HOME/repository: ca/ crl/ cps/ terms/ texts/ books/ status/, ocsp/ where asked for; from HOME/inkan.conf:
 *            [publisher]
 *            ocsp_files = no              yes: every answer also as a file under the path of its GET (ocsp_files.c)
 *            [gazette]                    where the fingerprints were made public, Act 4(3); without: "test, not accredited"
 *            issue = 1234
 *            date = 2026-11-22
 *            page = 5
 * HEARS    the registrar: this file (in parts), these OCSP answers, withdraw this
 *          one, this checkpoint; which answer lapses first, what times a list has.
 * TOUCHES  HOME/repository alone.
 * NEVER    keys, SQL, a judgement: everything it publishes is signed by others.
 *
 * Every file is replaced whole: a reader sees the old one or the new one; one that
 * has the same bytes already is left alone.  What changed stands in the log of
 * edge/changes.h, but for status/, which mirrors have no use for.  The
 * status files' format stands in act/slots.c.  What is new, revoked or withdrawn
 * goes into `recent`, which is written once for all that waits.  Answers made anew
 * are held back in memory, until they are an eighth of `base`, or an hour old, or
 * asked for; then they and recent are merged into a new base, a few thousand slots
 * at a time, so that a revocation never waits for it.  Recent that is full is merged
 * before it takes more; while the disk lets nothing be merged, new answers are refused,
 * and withdrawals have room for longer.  A file that comes in parts is refused above
 * PUBLISHED_MAX, and no scrap of one that was given up stays.  A crash loses what was held
 * back: it was not answered for, and is made again.
 *
 * A responder whose certificate was changed stays in the files as long as an answer
 * of its does, and leaves with the merge after that.  Where a fifth comes while four
 * stand there, those whose answers have all lapsed leave at once, with them.
 *
 * On a full disk `status/reserve` gives its room to recent, which is written whole: it has the bytes of the longest recent
 * there may be, 8.4 MB by a P-256 key, so a revocation shows all the same.
 *
 * Where a status file is found damaged, what can be read of it stays; `status/lost`
 * remembers, across restarts, that the registrar shall send all again.  A damaged
 * `recent` may have said what was revoked: it is left as it is until something new
 * must be seen, and emptied then, and front answers nothing but `revoked`, until all
 * has come.
 */
#ifndef ROLE_PUBLISHER_PUBLISHER_H
#define ROLE_PUBLISHER_PUBLISHER_H

#include "act/order_send.h"
#include "act/slots.h"
#include "base/base.h"
#include "base/conf.h"
#include "edge/changes.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/map.h"
#include "edge/start.h"
#include "pki/ocsp.h"

#define PUBLISHED_MAX (512U << 20) /* bytes of a file: a CRL of ten million entries */

#define RENEWED_BYTES_MAX (16U << 20) /* held back: 110,000 answers by a P-256 key; twice that while merging  */
#define RENEWED_AGE_MS (3600 * 1000)  /* of 28 h that each has left                                          */
#define RENEWED_IDS_MAX 512U          /* batches held back: the registrar has half as many on their way      */
#define RECENT_ANSWERS_MAX (2U * SLOTS_RECENT_MAX)   /* while nothing can be merged: 4.2 MB … */
#define RECENT_WITHDRAWN_MAX (4U * SLOTS_RECENT_MAX) /* … and what may not be seen any more goes on longer */
#define MERGE_SLOTS 4096U           /* at a time: 5 ms                                                     */
#define MERGE_AGAIN_MS 2000         /* after one that failed: a full disk is not filled again and again     */
#define MERGE_SYNC_BYTES (8U << 20) /* written between two syncs: none lasts                               */
#define RESERVE_AGAIN_MS 30000      /* after it was used                                                   */
#define BASE_UNKNOWN INT64_MAX
#define ENDED_KEEP_MS (30 * DAY_MS) /* an answer whose time passed so long ago leaves base                 */

/* Slots of one stride: short signatures take little. */
struct renewed {
	uint8_t *slot; /* owned */
	size_t n, cap, stride;
	size_t n_ids; /* batches that are whole in it: answered once it is seen */
	uint64_t id[RENEWED_IDS_MAX];
	int64_t since; /* steady ms of the first */
};

/* A merge on its way. */
struct merge {
	bool on;
	int fd;
	struct slots_common common;
	struct slots_writer w;
	struct map map; /* of the old base */
	struct slots base;
	uint8_t responder[SLOTS_RESPONDERS_MAX]; /* of the old base, in the new one; SLOTS_RESPONDER_NONE: dropped */
	int64_t until[SLOTS_RESPONDERS_MAX];     /* the last nextUpdate of each in the new one                     */
	uint64_t i, unsynced, n;
	size_t k, m;
};

/* Answers that are to become files. */
struct ocsp_pending {
	serial serial;
	struct buf answer; /* owned; empty: withdrawn meanwhile */
};
struct ocsp_files {
	size_t n, cap;
	struct ocsp_pending *queue; /* owned */
	bool looking, look_again;   /* every answer is looked at; once more after that */
	bool opened;
	struct map mapped; /* status/base */
	struct slots base;
	uint64_t at_base;
	size_t at_recent;
};

/* Which answer lapses first: lapse.c. */
struct lapse_first;
struct lapses {
	bool open, stale; /* stale: base was replaced since */
	struct map map;   /* of status/base */
	struct slots base;
	size_t n, looked;          /* segments; the first `looked` of them are known */
	struct lapse_first *first; /* owned, one a segment */
	struct lapse_order from;   /* the last question  */
};

struct publisher {
	struct wires *wires;
	struct lapses lapses;
	struct changes changes;
	bool ocsp_files;
	struct ocsp_files files;
	uint64_t written;      /* files replaced or removed by publisher_put and _remove */
	struct buf gazette[3]; /* issue, date, page; empty: none */
	int64_t files_again;   /* on the steady clock: not before, after files of answers could not be written */
	int repository;        /* folder descriptor */
	struct buf issuer_der; /* ca/issuer.cer     */
	struct cert issuer;
	bool has_common;
	struct buf responder[SLOTS_RESPONDERS_MAX]; /* owned copies of the common part's certificates */
	struct slots_common common;
	bool base_joined;                         /* base's responders stand in common                          */
	int64_t base_until[SLOTS_RESPONDERS_MAX]; /* last nextUpdate of each in base; BASE_UNKNOWN: not looked at */
	size_t n, cap;
	struct slot *recent; /* sorted by serial, owned */
	size_t frozen_n;
	struct slot *frozen; /* what of recent is being merged; the same */
	bool dirty;          /* recent is not written yet                */
	struct renewed renewed, merging;
	struct merge merge;
	struct merge look;   /* the same over the old base alone: until when its responders' answers are valid */
	int64_t merge_again; /* on the steady clock: not before */
	uint64_t reserved;   /* bytes of status/reserve; status_reserve_bytes is the whole of it */
	int64_t reserve_again;
	uint64_t base_n;
	bool held;        /* recent was damaged: what base says may be older than what it said, so it stays as it is */
	bool lost, asked; /* asked: what is held back shall be seen now */
	uint64_t question, whole_question; /* its ids, 0: none */
	int parts_file, parts_folder;      /* of the file that comes in parts, -1: none */
	char parts_name[200];
	uint64_t parts_bytes;
	struct buf path;
	uint64_t next_part;
	struct hash parts_hash;
};

/* jail.c: what it may still do: write the repository. */
void publisher_jail(const struct start *s, struct jail *out);
/* tree.c: what inkan.conf says; before publisher_open, or never: then no files of answers, no gazette. */
err publisher_configure(struct publisher *p, slice file) CHECKED;
/* Reads what is published: the issuer's certificate and status/recent; makes what follows from it. */
err publisher_open(struct publisher *p, int repository) CHECKED;
/* The judgement of one frame, for tests: answers on no link; *now: it can be answered once status_write is through. */
err publisher_take(struct publisher *p, const struct frame *f, bool *now) CHECKED;
err publisher_turn(struct publisher *p) CHECKED;
/* How long it may sleep before the next turn. */
int publisher_timeout_ms(const struct publisher *p);
void publisher_drop(struct publisher *p);

/* Under this path stand these bytes, durably; or nothing any more.  The log of changes says so. */
err publisher_put(struct publisher *p, slice path, slice bytes) CHECKED;
err publisher_remove(struct publisher *p, slice path) CHECKED;
bool publisher_has_recent(const struct publisher *p, serial s);
/* The same, but for what is being merged. */
bool publisher_is_newer(const struct publisher *p, serial s);

/* --- status.c: the status files ------------------------------------------------------ */
err status_open(struct publisher *p) CHECKED;
err status_take_slots(struct publisher *p, slice body) CHECKED;
err status_take_withdrawal(struct publisher *p, slice body) CHECKED;
/* *now: it can be answered at once; else status_turn gives its id when it is seen. */
err status_take_renewed(struct publisher *p, uint64_t id, slice body, bool *now) CHECKED;
/* What is kept on the disk for recent, should it be full; 0 while there is no answer whose length is known. */
uint64_t status_reserve_bytes(const struct publisher *p);
/* Writes recent, if it changed. */
err status_write(struct publisher *p) CHECKED;
/* Goes on with a merge, or begins one that is due; `done` gets the ids that are seen by now, RENEWED_IDS_MAX + 1 at most. */
err status_turn(struct publisher *p, int64_t steady_ms, uint64_t *done, size_t *n) CHECKED;
/* A new registrar: it knows none of the ids. */
void status_forget(struct publisher *p);
void status_drop(struct publisher *p);

/* --- responders.c: whose answers they hold --------------------------------------------- */
/* The responders of `from`, with certificates of our own; ERR_CONFLICT slots-responders where there would be more than four. */
err responders_join(struct publisher *p, const struct slots_common *from) CHECKED;
/* Those of base, whose answers nobody has looked at yet. */
err responders_join_base(struct publisher *p, const struct slots *base) CHECKED;
/*
 * While nothing is being merged: those that no answer later than `at` is by leave, with the answers they have left; the one
 * that came last stays.
 */
void responders_drop(struct publisher *p, instant at);

/* --- lapse.c: when what is published lapses -------------------------------------------- */
/* Reads nothing by itself before the first question; some of status/base a turn then. */
void lapses_turn(struct publisher *p);
bool lapses_waits(const struct publisher *p);
/* status/base was replaced. */
void lapses_look_anew(struct publisher *p);
/* ORDER_LAPSE, ORDER_LIST_TIMES.  ERR_ABSENT: no such list. */
err lapses_answer(struct publisher *p, const struct frame *f, struct buf *body) CHECKED;
void lapses_drop(struct publisher *p);

/* --- tree.c: what follows from files that came ----------------------------------- */
/* ca/issuer.pem, ca/issuer.p7c, fingerprints.txt, fingerprints.json. */
err tree_certificates(struct publisher *p) CHECKED;
/* The version of a text that has just come under texts/, kept for ever. */
err tree_text(struct publisher *p, slice path) CHECKED;

/* --- ocsp_files.c: answers under the path of their GET; nothing where not asked for -- */
err ocsp_files_put(struct publisher *p, serial s, slice answer) CHECKED;
void ocsp_files_add(struct publisher *p, serial s, slice answer);
/* At once, durably. */
err ocsp_files_remove(struct publisher *p, serial s) CHECKED;
void ocsp_files_look_anew(struct publisher *p);
bool ocsp_files_waits(const struct publisher *p);
err ocsp_files_turn(struct publisher *p) CHECKED;
void ocsp_files_close(struct ocsp_files *o);

#endif
