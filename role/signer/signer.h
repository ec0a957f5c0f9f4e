/*
 * signer.h - one signer, issuer or status: what it holds between turns.
 *
 * Depends on: everything below; role/signer/{hand,journal,starter}.
 *
 * A TURN takes orders in steps of at most TURN_ORDERS_MAX while orders wait, at most
 * STEPS_MAX of them.  A step is one straight sequence for all its orders together, so
 * that one sync serves many, and the hands sign one step's tickets while the next
 * step's orders are judged:
 *
 *   hear      untrusted bytes become values; each is judged; a plan makes a ticket
 *   sign      the hands finish the tickets of the step before; late or lost: planned
 *             again, once
 *   join      verifies what the token returned, lints what came out
 *   commit    every new intent durable before the key moves; refuses what was used;
 *             every result of the step before durable before it is told
 *   answer    the step before
 *   begin     the hands get the new tickets
 *
 * A crash before an order's first commit leaves nothing of it; between its two, an
 * intent that is finished with the same bytes when the order comes again; after the
 * second, a result that is answered again byte for byte.  A serial that is at a hand is
 * asked for again later (ERR_BUSY): it is neither signed twice at once nor voided.
 *
 * HELLO.  The registrar says which head its books have, which head of this
 * journal they remember, and proves its books extend the head at `proof_from`.
 * The answer says which head of the books this journal has seen: when that is the
 * head just told, both extend each other and the wire is open; when it is another,
 * the registrar says hello again with a proof from there.  When either is not an
 * extension of what the other knows, one of them was rolled back: the signer
 * refuses everything from then on (ERR_CORRUPT) and names, in the refusal's body
 * and its log, the serials whose intents the rolled-back books would hide.
 */
#ifndef ROLE_SIGNER_SIGNER_H
#define ROLE_SIGNER_SIGNER_H

#include "act/decision.h"
#include "act/issue.h"
#include "act/body.h"
#include "act/order_sign.h"
#include "act/profile.h"
#include "act/revocation.h"
#include "act/trust.h"
#include "base/base.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/start.h"
#include "role/signer/hand.h"
#include "role/signer/journal.h"

#define TURN_ORDERS_MAX 24U
#define VERIFY_EVERY 64U                 /* of the OCSP signatures of one login after the first: the checker sees the rest            */
#define STEPS_MAX 8U                     /* of a turn: then inkand is heard again                                                  */
#define SIGN_ROUNDS 2U                   /* the first, and once more with a new hand: 2 x HAND_LATE_MS stays below inkand's patience */
#define CRLS_MAX (2 * TRUST_ANCHORS_MAX) /* J-LIS's: today's and the last one of each of its CAs                                    */
#define LIST_IDLE_MS 60000               /* a list of which no part is fetched so long is given up                                */
#define CLOCK_AHEAD_MS (1 * HOUR_MS)     /* design law 9                                                                           */
#define CLOCK_BEHIND_MS (1 * SECOND_MS)  /* lines of busy turns may run a few ms ahead of the clock                                */
#define CLOCK_OFF_MS (24 * HOUR_MS)      /* since the last line at a start: a list is made every 12 h, so this was no ordinary night */

/*
 * What fronts ask for.  Pre-signing is never starved, whatever the key's speed: the registrar is heard first in every step, a
 * step's live answers are no more than its own tickets where it has any (LIVE_STEP_LEAST excepted), and what they cost, as
 * the last steps measured it, is LIVE_STEP_US at most.  The number for a second spares journal and processor.
 */
#define LIVE_PER_SECOND 20000U           /* where inkan.conf has no [signer] live_per_second: more than one P-256 key signs  */
#define LIVE_LIMIT_MAX 1000000U
#define LIVE_STEP_MAX 128U
#define LIVE_STEP_LEAST 8U
#define LIVE_STEP_US 20000               /* a revocation waits for two steps: well below its second                         */
#define FRONTS_MAX 8U

enum signing_mode { SIGNER_ISSUER, SIGNER_STATUS }; /* also the gate's states */
/* Keys of the starter's plan. */
enum { KEY_ISSUER = 0, KEY_OCSP = 0, KEY_CHECKPOINT = 1 };

struct signing {
	enum signing_mode mode;
	int state; /* of the gate: the mode */
	const struct trust *trust;
	const struct responder *responder; /* status only */
	struct hand *hand[STARTER_KEYS_MAX];
	struct journal *journal;
	struct revoked_set *revoked;
	struct known_set *known; /* status only */
	uint64_t verified_of;    /* login of the hand whose first OCSP signature was verified … */
	uint64_t unverified;     /* … and how many were not since the last that was             */
	struct list_plan *list;  /* signed and being given out, or NULL; owned */
	uint64_t list_part;      /* the next of it                             */
	int64_t list_at;         /* steady ms of the last part                 */

	struct profile *profile;
	struct ruleset *ruleset;
	struct approval approval;
	bool has_approval;

	struct crl_table *crl[CRLS_MAX]; /* the newest first */
	instant crl_taken[CRLS_MAX];     /* when each came                                               */
	struct buf crl_parts;
	uint64_t crl_next_part;

	bool greeted;           /* on this wire                                                 */
	bool started, warm;     /* the line is written; the hands were started once             */
	err stopped;            /* a rollback was seen: the refusal of everything               */
	err alone;              /* the starter is gone: this process ends after its answers     */
	bool has_clock;
	instant clock_wall;     /* the last good moment on both clocks; before the first inkand's, or none */
	int64_t clock_steady;
	bool clock_held;
	bool more;              /* orders wait that this turn did not take                      */
	struct link *front[FRONTS_MAX]; /* status: who may ask for live answers; lent for one turn */
	size_t n_front;
	size_t first_front;             /* heard first in this step: the next each time */
	bool front_wrong[FRONTS_MAX];   /* out of a turn: it said what it may not; its wire is to be closed */
	int64_t live_second;    /* steady: since when live_count counts                         */
	unsigned live_count;
	unsigned live_limit;    /* a second                                                     */
	enum unknown_word unknown; /* what a live answer says of a serial that is not known     */
	int64_t live_us;        /* what one ticket of the last steps took; 0: not known yet     */
	int64_t begun_us;       /* steady: since when the hands have what they have             */
	const struct batch *old; /* within a turn: what is at the hands while the next is heard  */
	const struct batch *heard; /* the next                                                   */
};

/* One order on its way through a turn. */
struct task {
	uint8_t kind;
	uint64_t id;
	struct link *from;      /* lent for the turn                         */
	struct buf order;       /* owned copy of the body                    */
	err outcome;
	struct buf answer;      /* body                                      */
	bool wants_head;        /* answered with the head after the commit   */
	bool signing;
	unsigned hand;
	/* ISSUE */
	struct issue_order issue;
	struct issue_plan plan;
	uint64_t intent;
	/* CRL_OUT */
	struct list_plan *list; /* owned until it is signed */
	/* CRL_OUT, ANSWERS, REFRESH, CHECKPOINT: tickets and what they become */
	size_t n;
	size_t room; /* of the arrays, owned */
	struct ticket **ticket;
	struct answer_plan *plan_of; /* ANSWERS, REFRESH: what each says; the tickets stand above */
	struct buf *signature;
	err *signed_as;
	instant produced; /* REFRESH: as planned */
	struct head head_known;
};

/* jail.c: what it may still do: write its journal, which is `folder`. */
void signer_jail(const struct start *s, const char *folder, bool weak, struct jail *out);

/* What one step of a turn heard. */
struct batch {
	size_t n;
	struct task *task[TURN_ORDERS_MAX + LIVE_STEP_MAX];
};

void signing_drop(struct signing *s);
/* A new wire to the registrar: it must say hello again. */
void signing_wire(struct signing *s);
/* An operator looked at the clock and says it is right. */
void signing_confirm(struct signing *s, instant now, int64_t steady_ms);
/*
 * One turn over what waits on the link.  `pin` may be empty.  An error ends the
 * process: ERR_CORRUPT for good, any other to be started anew.
 */
/* Orders of fronts while no registrar is there to tell what was revoked: told to fall back (ERR_BUSY signer-hello). */
void signing_refuse_fronts(struct signing *s);
err signing_turn(struct signing *s, struct link *registrar, instant now, int64_t steady_ms, slice pin) CHECKED;

/* --- issuer.c: what only the issuer does; status.c: what only status does ------------ */
err issuer_issue(struct signing *s, struct task *t, instant now) CHECKED;
err issuer_void(struct signing *s, struct task *t) CHECKED;
err issuer_rules(struct signing *s, struct task *t, instant now) CHECKED;
err issuer_list(struct signing *s, struct task *t, instant now) CHECKED;
err issuer_list_part(struct signing *s, struct task *t, int64_t steady_ms) CHECKED;
/* Lets a list go that nobody fetches any more: the set's base can be written again. */
void issuer_list_end(struct signing *s);
err issuer_plan_again(struct signing *s, struct task *t, instant now) CHECKED;
void issuer_join(struct signing *s, struct task *t, instant now);
err status_answers(struct signing *s, struct task *t, instant now) CHECKED;
err status_refresh(struct signing *s, struct task *t, instant now) CHECKED;
/* One live answer; status_live_note writes one line for all of a step. */
err status_live(struct signing *s, struct task *t, instant now) CHECKED;
void status_live_note(struct signing *s, struct task **task, size_t n, instant now);
/* The results of a refresh that was signed: several. */
void status_give(struct signing *s, struct link *l, struct task *t);
err status_checkpoint(struct signing *s, struct task *t) CHECKED;
err status_plan_again(struct signing *s, struct task *t, instant now) CHECKED;
void status_join(struct signing *s, struct task *t);
/* both */
/* hello.c: which of journal and books was set back shows here.  ERR_CORRUPT: it stops for good. */
err signing_hello(struct signing *s, struct task *t) CHECKED;
const struct crl_table *signing_crl(const struct signing *s, digest d);

#endif
