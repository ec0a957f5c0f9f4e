/*
 * registrar.h - the one who writes the books.
 *
 * HOLDS    the books (HOME/books), their projection and counts (HOME/state); the
 *          token key and the J-LIS seal key (HOME/keys).
 * HEARS    front's orders; verifiers', signers', publisher's and messenger's
 *          results; run/office.
 * TOUCHES  the folders above; reads HOME/inkan.conf, the trust file, profile,
 *          rule set, approval and baseline at start.
 * NEVER    network, private keys of certificates, parsing what strangers sent:
 *          a verifier parses, the registrar reads its facts.
 *
 * THE TURN IS THE GROUP COMMIT.  Every waiting message is judged against the
 * projection and projected at once; then evidence, openings and lines are made
 * durable together (book_commit), the projection is committed, and only then is
 * anything answered or ordered.  On error nothing of the turn has happened: all
 * are answered 503 and nothing is taken until the books are opened anew.  What is
 * in memory only (open challenges, who waits for an answer) may die with the process;
 * what a dossier owes to a helper, and what the limits count, follows from the books.
 *
 * inkan.conf, sections this role reads (names are of files below HOME):
 *
 *   [registrar]
 *   trust = trust.conf
 *   profile = person-signature.conf      only until the books hold the first baseline …
 *   ruleset = ruleset.conf
 *   approval = approval.cms
 *   baseline = baseline.cms              … which the first turn enters
 *   texts = texts/terms.ja.txt …         every text the baseline names: kept as evidence with it, a blank between
 *   keys = keys.cms …                    K-1, one of each person present: entered with the baseline
 *   token_key = keys/token.key           32 bytes, made at init
 *   jlis_key = keys/jlis.key             32 bytes, made at init: seals what J-LIS sends
 *   jlis_every_s = 86400                 a new CRL is fetched so often
 *   challenge_s = 600                    a challenge may be used so long
 *   office_mail = office@example.jp      who hears at once that a revocation waits for an officer; absent: the log alone
 *   crl_every_h = 12                     a regular list, Rule 6(xi) …
 *   crl_life_h = 36                      … and how long it holds, at most 48
 *   weak_jail = no                       yes: a kernel without Landlock is accepted
 *   [clock]
 *   test = <file>                        a test clock (test hierarchy only)
 */
#ifndef ROLE_REGISTRAR_REGISTRAR_H
#define ROLE_REGISTRAR_REGISTRAR_H

#include "act/decision.h"
#include "act/dossier.h"
#include "act/entry.h"
#include "act/order.h"
#include "act/order_desk.h"
#include "act/order_judge.h"
#include "act/order_send.h"
#include "act/order_sign.h"
#include "act/numbers.h"
#include "act/profile.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/conf.h"
#include "edge/book.h"
#include "edge/db.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/start.h"

#define FLIGHTS_MAX 1024                /* applications and documents on their way: 16 MB of buffers at most      */
#define CALLERS_MAX 4                   /* who wait for one of them: the same bytes sent again from elsewhere     */
#define LINKS_MAX 64                    /* as edge/ipc                                                            */
#define VERIFIER_ORDERS_MAX 64          /* a verifier's queue: 10 ms of its work                                  */
#define ISSUER_ORDERS_MAX 256           /* the issuer's queue                                                     */
#define TURN_FRAMES_MAX 512             /* messages of one turn                                                   */
#define GATHER_MS 2                     /* a turn is kept open so long at most …                                  */
#define GATHER_ORDERS 8                 /* … while the issuer has so many orders …                                */
#define GATHER_JUDGED 2                 /* … and the verifiers so many: nobody is idle, and more share its syncs  */
#define GATHER_LINES 256
#define STORE_EVERY_MS 1000             /* the projection's file lags the books by so much at most …              */
#define STORE_LINES 4096                /* … or so many lines: 0.2 s of catching up after a crash                 */
#define WAIT_END_MS (72 * HOUR_MS)      /* status could not be checked: refused after that (CP 4.1.3)             */
#define ORDER_VOID_MS (600 * SECOND_MS) /* an order without a certificate is voided after that (design 3)         */
#define STRANGERS_MAX 32                /* requests by others' cards for an officer in a day; above it only telephone  */
#define STRANGER_MS (24 * HOUR_MS)      /* one of them by one card                                                    */
#define ORDERS_TIMELY_MAX 5             /* refused so often for the hour's sake: a person looks, no more orders   */
#define CRL_EVERY_H 12 /* Rule 6(xi) */
#define CRL_LIFE_H 36
#define CRL_LIFE_H_MAX 48
#define CRL_APART_MS 5000             /* CRLs after revocations are at least so far apart                       */
#define ANSWER_LIFE_MS (48 * HOUR_MS) /* of an OCSP answer: a day's outage is survived                         */
#define ROUND_MS (20 * HOUR_MS)       /* all answers are made anew in so long: 28 h of each remain                */
#define BATCHES_MAX 256                /* refreshed, and not seen by readers yet: the publisher gathers them       */
#define BATCHES_ASKED 2                /* at the signer: its hand has always work, a revocation waits for two      */
#define MISSING_MAX 4096               /* known to us and not to the signer: to be shown to it                     */
#define CHECKPOINT_EVERY_MS 3000
#define TILES_OPEN_MAX 16              /* at the publisher, 8 KiB each: the first checkpoint after a fill has tens of thousands */
#define CLOCK_JUMP_MS HOUR_MS /* design law 9 */
#define OFFICE_CLOCK_MS (5 * 60 * SECOND_MS) /* an officer's clock and ours                                */
#define CLOCK_OFF_MS                                                                                                   \
	(24 * HOUR_MS) /* between the last entry and a start: no ordinary night, since a list is made every 12 h */
#define REOPEN_EVERY_MS 1000
#define TEXTS_MAX (LINE_EVIDENCE_MAX - 3) /* the line that keeps them names document, trust file and profile too */
#define KEYS_PERSONS_MAX 8                /* who were present when the keys were made                                */
#define KEYS_COUNT 3                      /* issuer, OCSP, checkpoint                                               */
#define TEXT_NAME_MAX 100                 /* bytes of its file's name                       */
#define TEXT_BYTES_MAX (256U << 10)       /* of one text: a book of rules is 100 KiB                              */
#define CRL_KEPT_MAX                                                                                                   \
	(1U << 20) /* bytes of a list kept with its line; of longer ones (25,000 revoked) only the regular */

/* Who asked: an answer finds its way by it, or is dropped when the link is another by then. */
struct caller {
	enum peer peer;
	uint64_t number, generation;
	uint64_t id;
	uint8_t kind;
	bool wait;
};

enum stage {
	STAGE_FREE = 0,
	STAGE_HOLD,   /* waits for a verifier                     */
	STAGE_VERIFY, /* at a verifier                            */
	STAGE_JLIS,   /* messenger asks J-LIS about the card      */
	STAGE_ORDER,  /* ordered in this turn: goes out after it  */
	STAGE_ISSUE,  /* at the issuer                            */
	STAGE_VOID,   /* the issuer is asked to void the serial   */
	STAGE_MAIL,   /* at the messenger                         */
};

#define OWED_AT_ONCE 64    /* dossiers that one look takes from what the books say is owed */
#define OWED_EVERY_MS 1000 /* between two looks                                             */

/* What a flight is for. */
enum errand {
	ERRAND_APPLY = 1, /* from front, not in the books yet        */
	ERRAND_JUDGE,     /* in the books: judged again              */
	ERRAND_ISSUE,     /* ordered before: the issuer is asked again */
	ERRAND_DECIDE,    /* an officer's decision: judged again, then decided by it */
	ERRAND_RECEIPT,
	ERRAND_REVOKE,
	ERRAND_OFFICE,
	ERRAND_NOTICE, /* the verifier reads whom to write to      */
	ERRAND_REMIND, /* the same, about the receipt              */
	ERRAND_WITHDRAW,
};

struct flight {
	uint64_t id; /* of orders: slot and generation */
	enum stage stage;
	enum errand errand;
	size_t n_callers;
	struct caller caller[CALLERS_MAX];
	digest document;
	dossier_id dossier;
	uint64_t verifier;
	unsigned tries;
	bool asked_jlis, second; /* second: our certificate and the application went along (revocation by card) */
	instant judged;          /* the time the verifier was given */
	enum status_method method;
	digest crl;
	uint8_t nonce[16];
	struct issue_order order; /* without its bytes, which stand in the buffers below */
	uint8_t order_nonce[16];
	struct buf cms, application, certificate, answer, request, decision;
	digest decision_document;
	struct buf officer, ruleset_file; /* the officer's label; the file beside an approval */
	struct buf name, address;         /* as the officer decided */
	bool refuse;
	struct buf reason;
};

/* One message of a turn that leaves after its commit. */
struct parcel {
	struct caller to;
	bool is_order, cut; /* cut: an answer that is a refusal */
	enum err_kind fail;
	size_t what_at, what_n, body_at, body_n;
};

struct judge {
	bool known, ready; /* ready: has the trust file */
	uint64_t number, generation;
	unsigned orders;
	digest crl[JLIS_LISTS_MAX], sending[JLIS_LISTS_MAX]; /* J-LIS's lists it holds; those on their way */
};

/* What is told to a signer, in this order: hello, rules, CRL, then the day's work. */
enum signer_step { SIGNER_AWAY = 0, SIGNER_HELLO, SIGNER_RULES, SIGNER_READY, SIGNER_STOPPED };
struct keyholder {
	enum peer peer;
	enum signer_step step;
	uint64_t generation, id;
	struct head journal, hello, known; /* as told last; of ours in hello; of theirs in the books then */
	int64_t hello_at;
	digest crl[JLIS_LISTS_MAX], sending[JLIS_LISTS_MAX];
	digest lent;         /* a list of an older day, sent because a revocation cites it */
	unsigned orders;     /* certificates at the issuer */
	uint64_t told;       /* revocations by lines below it are in its set */
	uint64_t officers;   /* so are officers' ones below it, where the others wait for the signer's hour */
	bool officers_new;   /* one of them is on no list yet                                     */
	bool telling_officer;
	int64_t held_until;  /* on the steady clock: then the next of the others is tried again   */
	uint64_t telling;    /* line of the one being told, UINT64_MAX: none */
	uint64_t none_at;    /* of registrar.revocations: then there was none to tell */
	const char *stopped; /* why */
};

#define RATE_MINUTES 60
struct rate {
	int64_t minute[RATE_MINUTES];
	uint32_t accepted[RATE_MINUTES], refused[RATE_MINUTES], decided[RATE_MINUTES];
};

struct used; /* challenges used, challenge.c */

struct files {
	struct buf trust, profile, ruleset, approval, baseline, automation;
	size_t n_texts;
	struct buf text[TEXTS_MAX]; /* terms, explanations, CPS: what people read */
	char text_name[TEXTS_MAX][TEXT_NAME_MAX]; /* the last step of its path */
	bool text_in_force[TEXTS_MAX];            /* the baseline names it     */
	size_t n_keys;
	struct buf keys[KEYS_PERSONS_MAX]; /* K-1 of each person who was present */
};

/* Our own lists on their way. */
enum lists_stage { LISTS_REST, LISTS_SIGN /* at the issuer */, LISTS_PARTS /* part by part to the publisher */, LISTS_PUBLISH };
struct lists {
	enum lists_stage stage;
	bool in_round, regular, whole, delta, base_lost;
	bool officers; /* the round is for an officer's revocation that was told before its turn */
	uint64_t todo[CRL_PARTITIONS_MAX / 64 + 1]; /* partitions of this round, a bit each, from 1 */
	uint64_t covers;                            /* line: revocations below stand in this round  */
	int64_t round_at, at, again;                /* steady ms                                    */
	uint64_t id, part, count;
	bool asked; /* a part is on its way */
	struct crl_order order;
	struct hash hash;
	struct buf path; /* URI */
	struct buf kept; /* its bytes, of a list of at most CRL_KEPT_MAX */
};

/* Answers made anew, on their way: refresh.c. */
struct refresh_batch {
	uint64_t id;
	bool sent; /* all of it, to the publisher */
	serial after, upto;
	int64_t after8, upto8;
	instant due, this_update, next_update;
	uint64_t n;
	struct hash hash;
	struct serial_row *row; /* owned while it is compared */
	size_t n_rows, at;
	int64_t asked_at;
};
struct wheel {
	instant at; /* served up to here; 0: to where the books say */
	int64_t after8;
	serial after;
	size_t n;
	struct refresh_batch batch[BATCHES_MAX]; /* in the order they were asked for */
	int64_t again;                           /* steady ms: not before            */
	bool whole, told;                        /* answers were lost: one whole turn, and then the publisher is told */
	instant whole_until;
	uint64_t question; /* id of it */
	size_t n_missing;
	serial missing[MISSING_MAX];
};

/* Of what is due, looked at in one turn: those that wait are passed over, and the next turn goes on behind them. */
#define DUE_LOOK_MOST 8192U

#define ANSWERS_ORDERS 16U /* at the signer and the publisher: 512 certificates share their syncs */

/* One order of answers on its way: to the signer, then to the publisher. */
struct answers_batch {
	uint64_t id; /* 0: none */
	bool sent;   /* to the publisher */
	int64_t asked_at;
	size_t n_asked;
	serial asked[ANSWERS_MAX];
	size_t n;
	serial serials[ANSWERS_MAX];
	bool good[ANSWERS_MAX];
	instant this_update, next_update;
	digest answers;
};

struct registrar {
	const char *home;
	char books[1024], state[1024], state_folder[1024];
	struct wires *wires;
	struct book *book;
	struct db *db;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	struct approval approval;
	struct files files;
	struct secret token_key, jlis_key;
	uint8_t challenge_secret[32];
	int64_t challenge_ms, jlis_every_ms;

	/* why nothing is taken: OK while open */
	err closed;       /* the books, the baseline           */
	err clock_closed; /* the clock                         */
	int64_t reopen_at;
	err fault; /* what closed the books last, and when: for the operator */
	instant fault_at;

	/* the clock as last seen */
	instant last_at, seen; /* of the last entry; the last good look at the clock, before the first inkand's or none … */
	int64_t seen_at;       /* … on the steady clock                                 */
	bool looked;
	int64_t seen_steady;   /* now, on the steady clock                              */
	int64_t stored_at;     /* on the steady clock: the last time the projection went into its file   */
	uint64_t stored_checkpoint;
	int64_t began_at;      /* on the steady clock: this turn                          */
	bool gathering;        /* this turn is kept open: more share its commit           */
	bool late, more;       /* this turn waits a millisecond; messages are left       */
	bool weak_jail;
	char office_mail[256]; /* empty: none */

	/* the turn */
	instant now;
	bool in_turn;
	err broken; /* of this turn */
	size_t n_parcels, cap_parcels;
	struct parcel *parcel;
	struct buf bytes;                /* of parcels       */
	struct buf line, openings, body; /* of one entry */
	uint64_t line_n;
	size_t n_ordered;
	uint32_t ordered[FLIGHTS_MAX]; /* flights whose order goes out after the commit */
	uint64_t revocations;          /* entered, whatever became of the turn: who has told all need not look again */
	bool revoked_now;              /* in this turn                                         */
	bool revoked_told;             /* status has it in its set: the new answer at once    */
	bool note_soon;                /* a revocation: the next checkpoint at once            */

	/* links */
	size_t n_links;
	struct known {
		enum peer peer;
		uint64_t number, generation;
	} link[LINKS_MAX];
	uint64_t generations;
	size_t next_link;

	struct flight flight[FLIGHTS_MAX];
	uint64_t flight_key[FLIGHTS_MAX]; /* first bytes of .document, 0 when free */
	uint32_t flights, flight_hint;
	bool held; /* some wait for a verifier */
	uint64_t flight_ids;

	struct judge verifier[8];
	size_t next_verifier;
	struct keyholder issuer, status;
	struct {
		struct buf certificate; /* as the status signer last said hello; empty: it did not say */
		digest key;
		instant until;
		bool owed;        /* the publisher has not got it yet, or could not write it */
		uint64_t file[2]; /* the orders by which it was last asked                   */
		int64_t again_at; /* not before: on the steady clock                         */
	} responder;
	struct used *used;
	struct rate rate;
	struct {
		digest card;
		int64_t at; /* on the steady clock */
	} stranger[STRANGERS_MAX];
	bool limit_recorded;
	int64_t limit_minute;
	uint64_t counts_kept, recalled; /* lines: the kept counts stand at so many; the start read so many more */

	/* J-LIS's CRL */
	struct {
		bool asking, whole;
		size_t which; /* of messenger's addresses */
		uint64_t id, generation;
		int64_t next_at, backoff_ms;
		struct buf bytes;
		digest digest;
		uint64_t trying; /* the verifier that judges it */
		bool judged;
	} jlis;

	/* our status, see status.c */
	struct {
		bool note_asked;
		/* steady ms: it refused a withdrawal, all of them again then; 0: none refused */
		int64_t withdraw_at;
		bool withdraw_again;     /* a new publisher: what is revoked and not answered so is withdrawn again … */
		struct record withdrawn; /* … up to this one */
		uint64_t note_id;
		int64_t answers_at, note_at;
		struct answers_batch batch[ANSWERS_ORDERS];
		bool more_due;           /* the last order was full: the next at once   */
		bool again;              /* one that is due was passed over because it was on its way */
		struct record taken;     /* up to this one what is due was asked for …  */
		bool has_taken;          /* … since it was last looked at from the first */
		size_t look_most;        /* DUE_LOOK_MOST; a test has fewer             */
		uint64_t note_from;
		struct head note_head;
	} pub;

	/* the last checkpoint on its way to the publisher: its tiles, a few at a time, then its note; see note.c */
	struct {
		bool going, soon;
		uint64_t shown;       /* the checkpoint of so many lines is published                    */
		uint64_t from, index; /* tiles of `books` beyond `from` lines: next is `index` of `level` */
		int level;
		struct head books;
		struct buf note;
		size_t n_open;
		uint64_t open[TILES_OPEN_MAX]; /* ids of what the publisher has not answered yet */
		uint64_t id;                   /* of the note's order, 0: not sent              */
		int64_t again;                 /* steady ms: not before                         */
	} shows;

	struct wheel wheel; /* see refresh.c */
	struct lists lists; /* our CRLs, see lists.c */
	struct {
		int64_t asked, heard; /* steady ms; heard 0: never since the start */
		struct buf bytes;     /* the reply's body: what its slices borrow from */
		struct mirrors_reply last;
	} mirrors;                /* copies of the repository, as messenger last said: mirrors.c */
	int64_t crl_every_ms, crl_life_ms;
	struct {
		bool asked, list_asked;
		uint64_t id, list_id;
		int64_t at, again, list_at; /* steady ms */
		struct {
			int64_t since; /* steady ms */
			unsigned n;
		} second;
		struct lapse_order from;    /* behind all that has ended    */
		instant made, next;         /* of the first answer to lapse; zero: none, or not known yet */
		size_t next_list;           /* to be looked at              */
		struct list_times list[CRL_PARTITIONS_MAX + 2]; /* of all, partition 1 …, the delta; zero: not there */
		bool list_told[CRL_PARTITIONS_MAX + 2];         /* published since the publisher's wire is new       */
	} lapse;                                            /* when what is published lapses: lapse.c */

	struct {
		int64_t verify_at, issue_at, notice_at, watch_at; /* steady ms of the next look */
		instant verify_looked;
		bool all_verify; /* a new CRL: all that wait, at once */
		uint64_t verify_after, issue_after, notice_after, watch_after_n; /* the page before ended there */
		instant watch_after;
		bool verify_more, issue_more;
		uint64_t mail_at;
	} owed;

	/* numbers.c: what helpers and fronts told, and what was counted since this process began */
	struct {
		struct numbers front[8], messenger;
		uint64_t refusals[HELPER_N], hsm[2]; /* hsm: issuer, status */
		struct histogram issuance;
		int64_t at; /* on the steady clock: messenger was told */
	} told;

	uint64_t uncounted[8]; /* refusals that are counted, not kept, by kind */
	uint64_t turns, lines, applications;
	uint64_t effects; /* lines and evidence that turns took in: did a message leave something in this one? */
};

/* --- jail.c: what it may still do: write books and projection, accept at run/office --- */
void registrar_jail(const struct start *s, bool weak, struct jail *out);

/* --- registrar.c: open, turn, close ------------------------------------------- */
/* `r` is zeroed.  Reads configuration, files and keys: before the jail. */
err registrar_configure(struct registrar *r, const char *home) CHECKED;
/* Opens books and projection; r->wires may be set already, to answer heartbeats meanwhile. */
err registrar_open(struct registrar *r) CHECKED;
/* recall.c: the limits' counts of the last hour and day, as they were kept and from the lines since. */
err registrar_recall(struct registrar *r) CHECKED;
/* Between turns; what cannot be kept is said and read from the lines at the next start. */
enum keep_when { KEEP_IN_TIME /* after many lines */, KEEP_NOW };
void registrar_keep_counts(struct registrar *r, enum keep_when when);
void registrar_close(struct registrar *r);
/* The books and their projection alone: after an error they are closed and opened anew. */
err registrar_open_books(struct registrar *r) CHECKED;
void registrar_close_books(struct registrar *r);
/* One turn without waiting.  ERR_CORRUPT: the role stops. */
err registrar_turn(struct registrar *r) CHECKED;
/* How long the role may sleep before the next turn. */
int registrar_timeout_ms(struct registrar *r);

/* --- turn.c: entries and what leaves after the commit -------------------------- */
/* What is refused now, or ok. */
err turn_open_check(const struct registrar *r) CHECKED;
struct entry entry_of(const struct registrar *r, enum act act);
struct entry entry_about(const struct registrar *r, enum act act, dossier_id about);
/* Adds a personal field, with its salt. */
void entry_personal(struct entry *e, const char *field, slice value);
/* Puts the line into the turn: e's number, time and baseline are set here; `places` as db_apply. */
err turn_enter(struct registrar *r, struct entry *e, const struct evidence_at *places) CHECKED;
/* A piece of evidence of the next line; known ones are found, not added again. */
err turn_evidence(struct registrar *r, slice bytes, digest *name, struct evidence_at *at) CHECKED;
err turn_sealed(struct registrar *r, slice bytes, digest *name, struct evidence_at *at) CHECKED;
void turn_answer(struct registrar *r, const struct caller *to, slice body);
void turn_refuse(struct registrar *r, const struct caller *to, err e);
/* A text that is borrowed: copied here. */
void turn_refuse_text(struct registrar *r, const struct caller *to, enum err_kind kind, slice what);
void turn_order(struct registrar *r, enum peer peer, uint64_t number, uint8_t kind, uint64_t id, slice body);
/* At once: for what changes nothing anywhere, whatever becomes of the turn. */
void turn_order_now(struct registrar *r, enum peer peer, uint64_t number, uint8_t kind, uint64_t id, slice body);
err turn_commit(struct registrar *r) CHECKED;
void turn_rollback(struct registrar *r);
/* The line that was entered last, for an entry_reply. */
void turn_entry_reply(struct registrar *r, const struct caller *to, const serial *s);
/* A line that stands in the books already. */
err turn_old_entry(struct registrar *r, const struct caller *to, uint64_t n, const serial *s) CHECKED;
struct known *link_known(struct registrar *r, enum peer peer, uint64_t number);
struct link *link_of(struct registrar *r, enum peer peer, uint64_t number);

/* --- challenge.c ------------------------------------------------------------------ */
void challenge_put(struct registrar *r, struct buf *body);
/* ERR_POLICY nonce-unknown, nonce-late; ERR_CONFLICT nonce-used; ERR_BUSY nonce-many. */
err challenge_use(struct registrar *r, slice nonce, digest document) CHECKED;
void challenge_drop(struct registrar *r);

/* --- flight.c -------------------------------------------------------------------- */
struct flight *flight_new(struct registrar *r, enum errand errand, digest document);
struct flight *flight_of_document(struct registrar *r, digest document);
struct flight *flight_of_id(struct registrar *r, uint64_t id);
void flight_free(struct registrar *r, struct flight *f);
/* Ends it without a refusal: applicants hear their dossier's state, others that they may try again. */
void flight_land(struct registrar *r, struct flight *f);
/* Goes on under another document: an officer's decision about it was read. */
void flight_rename(struct registrar *r, struct flight *f, digest document);
/* Gives the memory back. */
void flight_wipe(struct flight *f);
void flight_drop_all(struct registrar *r, err why);
/* Sends to a verifier, or holds it until one is there. */
void flight_verify(struct registrar *r, struct flight *f);
/* ORDER_MAIL's result: this letter will never go, to this address; anything else is tried again. */
bool flight_mail_refused(const struct frame *x);
/* A letter to the subscriber by mail; its result comes back to the flight. */
void flight_mail(struct registrar *r, struct flight *f, slice to, slice subject, slice text);
void flight_send_held(struct registrar *r);
/* A document that is one OCTET STRING, from front: goes to a verifier. */
err flight_take_document(struct registrar *r, enum errand errand, const struct caller *c, slice body) CHECKED;
void flight_forget_verifier(struct registrar *r, uint64_t number);
void flight_refuse(struct registrar *r, struct flight *f, enum err_kind kind, slice what);
void flight_refuse_err(struct registrar *r, struct flight *f, err e);
err flight_load(struct registrar *r, const struct record *d, struct buf *application, struct buf *certificate) CHECKED;

/* --- apply.c: the straight way ---------------------------------------------------- */
err apply_order(struct registrar *r, const struct caller *c, slice body) CHECKED;
err apply_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
/* Judges again what owes a verdict, orders again what owes a certificate. */
err apply_owed(struct registrar *r) CHECKED;
/* Applicants of a flight hear what the dossier says: those who did not ask to wait, or all. */
void apply_answer(struct registrar *r, struct flight *f, const struct dossier *d, bool all);
/* All of them, from the books. */
void apply_answer_all(struct registrar *r, struct flight *f);
token apply_token(const struct registrar *r, digest document);
void apply_rate(struct registrar *r, enum outcome o);
void apply_rate_at(struct registrar *r, instant at, enum outcome o);
/* Ends a dossier that waits for a person, or orders its certificate, as the officer's document says. */
err apply_decided(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;

/* A helper's text as a line keeps it: at most WHY_MAX bytes of UTF-8, "code: clause: sentence"; another is not kept. */
slice apply_cut(slice text);

/* --- issuing.c: to the issuer and back ------------------------------------------------ */
/* What the issuer is told, from what the books say; `leaf` is certificate.ordered's. */
void issuing_set_order(struct flight *f, const struct dossier *d, digest leaf);
/* Orders committed just now.  One that cannot leave is owed: its callers hear "ordered". */
err issuing_send(struct registrar *r) CHECKED;
err issuing_result(struct registrar *r, struct flight *f, const struct frame *x) CHECKED;
err issuing_void_result(struct registrar *r, struct flight *f, const struct frame *x) CHECKED;
err issuing_owed(struct registrar *r, int64_t steady) CHECKED;

/* --- ask.c: small questions ------------------------------------------------------- */
err ask_dossier(struct registrar *r, const struct caller *c, slice body) CHECKED;
err ask_fetch(struct registrar *r, const struct caller *c, slice body) CHECKED;
err ask_serial(struct registrar *r, const struct caller *c, slice body) CHECKED;
err ask_state(struct registrar *r, const struct caller *c) CHECKED;
/* The same while there are no books: that nothing is taken, and why. */
void ask_state_closed(struct registrar *r, struct link *l, const struct frame *x);

/* --- revoke.c: receipts, revocations, notices --------------------------------------- */
err receipt_order(struct registrar *r, const struct caller *c, slice body) CHECKED;
err receipt_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
/* A stranger's request of so long ago, at a start. */
void revoke_recall_stranger(struct registrar *r, digest card, int64_t ago_ms);
err revoke_order(struct registrar *r, const struct caller *c, slice body) CHECKED;
err revoke_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
err revoke_by_officer(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
err notice_owed(struct registrar *r) CHECKED;
err notice_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
err notice_result(struct registrar *r, struct flight *f, const struct frame *x) CHECKED;

/* --- permit.c: who may do what, Rule 6(xvi) ----------------------------------------------- */
/* A permission G-1 the books may take.  ERR_POLICY permission-person, permission-duty. */
err permit_check(const struct registrar *r, const struct facts *x) CHECKED;
/* Who signed an office's document may still sign such ones.  ERR_POLICY person-withdrawn. */
err permit_check_signer(const struct registrar *r, const struct facts *x) CHECKED;

/* --- keys.c: how the keys were made and put to use, Rule 6(xvii) ---------------------------- */
/* ERR_POLICY keys-…: the records are not of these keys, or not of enough persons. */
err keys_check(const struct registrar *r) CHECKED;
/* key.generated of each, in the first turn. */
err keys_found(struct registrar *r) CHECKED;
/* key.activated, when its signer first stands ready with it; key.retired, when no answer by it is valid any more. */
err keys_tend(struct registrar *r) CHECKED;
/* K-1 of a changed responder, its certificate beside it. */
err keys_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
/*
 * The status signer says by which certificate it answers.  ERR_POLICY keys-unknown: it does not say, or the books know of no
 * such key, or not from enough persons; what responder_get refuses.
 */
err keys_hear_responder(struct registrar *r, slice certificate) CHECKED;
/* ca/ocsp.cer, and under a name of its own for whoever keeps the earlier ones; again in keys_tend until they were written. */
void keys_publish(struct registrar *r);
/* What the publisher says of them. */
void keys_published(struct registrar *r, const struct frame *x);

/* --- papers.c: V-3, X-1, L-1, N-1 of an officer ------------------------------------------ */
err paper_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;

/* --- numbers.c: how the house stands ------------------------------------------------------------ */
/* Every frame of a helper passes here: refusals are counted. */
void numbers_heard(struct registrar *r, enum peer peer, const struct frame *x);
void numbers_issued(struct registrar *r, const struct dossier *d);
/* A front's own, answered with the house's at once, also while the books are closed. */
void numbers_answer(struct registrar *r, struct link *l, const struct frame *x);
void numbers_tend(struct registrar *r);
err numbers_result(struct registrar *r, const struct frame *x) CHECKED;

/* --- lapse.c: when what is published lapses -------------------------------------------------- */
/* The publisher is new, and may stand before another repository. */
void lapse_fresh(struct registrar *r);
void lapse_tend(struct registrar *r);
/* The next turn has something to ask: it is not waited for. */
bool lapse_is_due(struct registrar *r);
err lapse_result(struct registrar *r, const struct frame *x) CHECKED;
err lapse_list_result(struct registrar *r, const struct frame *x) CHECKED;
/* This list is public now. */
void lapse_listed(struct registrar *r, const struct crl_order *o);
/* Of the published lists of a kind (numbers.h) the one whose nextUpdate comes first; zero: there is none. */
struct list_times lapse_of_lists(const struct registrar *r, unsigned kind);

/* --- watch.c: receipts that do not come ---------------------------------------------------- */
err watch_owed(struct registrar *r) CHECKED;
err watch_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
err watch_result(struct registrar *r, struct flight *f, const struct frame *x) CHECKED;

/* --- withdraw.c: A-2 of an applicant --------------------------------------------------------- */
err withdraw_order(struct registrar *r, const struct caller *c, slice body) CHECKED;
err withdraw_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;

/* --- office.c ----------------------------------------------------------------------- */
err office_order(struct registrar *r, const struct caller *c, slice body) CHECKED;
err office_judged(struct registrar *r, struct flight *f, const struct facts *x) CHECKED;
/* What the judges of documents share: the line of a responsible person's; counted once, and only a newer one; who waits is answered. */
struct entry office_entry(const struct registrar *r, enum act act, const struct flight *f, const struct facts *x);
err office_check_newer(
    const struct registrar *r, const struct said *last, instant date, digest document, bool *again) CHECKED;
void office_answer(struct registrar *r, struct flight *f);
err office_answer_old(struct registrar *r, struct flight *f, uint64_t n) CHECKED;
/* The house's first lines; and every start: that what is here is what was accredited. */
err office_found(struct registrar *r) CHECKED;
err office_load_rules(struct registrar *r) CHECKED;

/* --- texts.c: what people read, kept with the books -------------------------------------- */
/*
 * Adds to the line of a baseline every text its document names, as evidence; `at` has LINE_EVIDENCE_MAX places.
 * Without a line (both NULL): only looks whether they could be.  ERR_POLICY baseline-text: one of them is not
 * among the files of this house.
 */
err texts_keep(struct registrar *r, const struct document *d, struct entry *e, struct evidence_at *at) CHECKED;
/* Which of our files the baseline in force names: what is published. */
void texts_mark(struct registrar *r, const struct document *d);
/* To the publisher: every text in force, and the practice statement under the path that certificates name. */
void texts_publish(struct registrar *r);

/* --- jlis.c -------------------------------------------------------------------------- */
err jlis_tend(struct registrar *r) CHECKED;
err jlis_part(struct registrar *r, const struct frame *x) CHECKED;
/* Every list in use was sent there before; `holds`: and was taken in. */
bool jlis_is_given(const struct registrar *r, const digest *crl, const digest *sending);
err jlis_crl_result(struct registrar *r, enum peer peer, uint64_t number, const struct frame *x) CHECKED;
void jlis_give(struct registrar *r);
/* A list in numbered parts to one link; the order's id says which it is.  JLIS_LISTS_MAX: one of an older day, only lent. */
void jlis_send_parts(struct registrar *r, enum peer peer, uint64_t number, size_t which, slice bytes);
void jlis_ask(struct registrar *r, struct flight *f, slice request);
err jlis_answer(struct registrar *r, struct flight *f, const struct frame *x) CHECKED;

/* --- signers.c ------------------------------------------------------------------------- */
err signer_fresh(struct registrar *r, struct keyholder *s) CHECKED;
err signer_tend(struct registrar *r, struct keyholder *s) CHECKED;
err signer_result(struct registrar *r, struct keyholder *s, const struct frame *x) CHECKED;
void signer_rules(struct registrar *r, struct keyholder *s);
/* This revocation stands in its set. */
bool signer_has_heard(const struct keyholder *s, const struct dossier *d);
err signer_tell_revoked(struct registrar *r) CHECKED;

/* --- status.c ---------------------------------------------------------------------------- */
err status_tend(struct registrar *r) CHECKED;
/* How long a turn may wait, for the sake of answers. */
int status_timeout_ms(struct registrar *r);
/* Orders of answers on their way are not waited for: what is due is asked for again. */
void status_forget_answers(struct registrar *r);
err status_result(struct registrar *r, const struct frame *x) CHECKED;
err publisher_result(struct registrar *r, const struct frame *x) CHECKED;
void publisher_fresh(struct registrar *r);
void status_send_file(struct registrar *r, slice path, uint64_t id, slice bytes);
bool status_can_send(struct registrar *r, enum peer peer);
/* The publisher may say something that a line is made of. */
bool status_awaits_lines(const struct registrar *r);
/* The path below the repository: what a URI of our profile says after the host. */
slice status_path(slice uri, slice otherwise);

/* --- note.c: checkpoints, and the tiles they speak for ----------------------------------- */
err note_tend(struct registrar *r) CHECKED;
/* The signer's word. */
err note_result(struct registrar *r, const struct frame *x) CHECKED;
/* The publisher's: of a tile (false: it was another file), and of the note. */
bool note_is_tile(struct registrar *r, const struct frame *x);
void note_published(struct registrar *r, const struct frame *x);
/* The publisher is new: the last checkpoint is shown to it again, with what it speaks for beyond the one before. */
void note_forget(struct registrar *r);

/* --- refresh.c ----------------------------------------------------------------------- */
err refresh_tend(struct registrar *r) CHECKED;
err refresh_part(struct registrar *r, const struct frame *x) CHECKED;
err refresh_published(struct registrar *r, const struct frame *x) CHECKED;
/* A new wire to the signer or the publisher: from where the books say, and whether the publisher lost any. */
void refresh_reset(struct registrar *r);
void refresh_ask_lost(struct registrar *r);

/* --- lists.c ------------------------------------------------------------------------- */
err lists_tend(struct registrar *r) CHECKED;
err lists_signed(struct registrar *r, const struct frame *x) CHECKED;
err lists_part(struct registrar *r, const struct frame *x) CHECKED;
err lists_published(struct registrar *r, const struct frame *x) CHECKED;
/* The issuer is new: what was on its way is not, and the round begins anew. */
void lists_lost(struct registrar *r);
void lists_drop(struct lists *l);

/* --- mirrors.c: how the copies of the repository are -------------------------------------- */
void mirrors_tend(struct registrar *r);
err mirrors_result(struct registrar *r, const struct frame *x) CHECKED;
/* "check": { … } of the state's JSON: the last check by the clock, as inkand told it. */
void mirrors_put_check(const struct registrar *r, struct buf *b);
/* "mirrors": [ … ] of the state's JSON. */
void mirrors_put(const struct registrar *r, struct buf *b);

/* A body is built in r->body: cleared here. */
struct buf *body_new(struct registrar *r);

#endif
