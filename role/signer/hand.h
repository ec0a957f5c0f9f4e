/*
 * hand.h - a signer's grip on one hand: one key, in another process.
 *
 * Depends on: act/ticket, act/order, edge/ipc, role/signer/starter.
 *
 * hand_sign() takes tickets and gives back signatures; it spends each ticket
 * and takes no bytes.  A hand that is late is killed and started anew; what it
 * had in its hands is then lost (HAND_LOST): the caller plans again, gets a new
 * ticket for the same bytes, and asks again.  The hand's key must be the key the
 * house expects, else nothing is signed.
 *
 * The PIN is sent once to each hand.  When the token refuses it, that is written
 * to PIN-REFUSED in the journal's folder and synced; while that file is there no
 * hand is started: only a person takes it away.
 *
 * test/edge/hand.c is the twin for tests in one process: the same header over a
 * key in memory, with a counter that fails the nth signature before or after its
 * effect.
 */
#ifndef ROLE_SIGNER_HAND_H
#define ROLE_SIGNER_HAND_H

#include "act/ticket.h"
#include "base/base.h"
#include "role/signer/starter.h"

#define HAND_LATE_MS 5000     /* a signature takes 70 us to 10 ms; a network HSM 100 ms; 5 s is stuck   */
#define HAND_IN_FLIGHT 2048   /* tickets: 32 of them in a frame of at most 2 KiB, they fit a socket's buffer, nobody blocks */
#define HAND_REST_MS 1000     /* the longest pause between a hand that failed and the next one           */

struct hand;

/* `key` of the starter's plan; `spki`: the key it must hold; `refused`: path of the file PIN-REFUSED. */
void hand_new(struct starter *s, unsigned key, slice spki, const char *refused, struct hand **out);
void hand_drop(struct hand **h);

/*
 * Makes sure that a hand is there and logged in.  ERR_BUSY hand-no-pin (not given
 * yet), hand-rest, hand-late, hsm-session, hsm-gone: later by itself.  ERR_WORLD
 * hand-pin-refused, hand-key, hsm-…: an operator must look.
 */
err hand_ready(struct hand *h, slice pin) CHECKED;

/*
 * Spends the first HAND_IN_FLIGHT tickets and sends them to the hand, without waiting for it: the caller judges the next
 * orders meanwhile.  hand_sign with the same tickets must follow before anything else is asked of this hand.
 */
void hand_begin(struct hand *h, size_t n, struct ticket *const *t);

/*
 * Has every ticket signed, several in flight.  outcome[i] is OK with signature[i]
 * filled, or says why not.  After a lost hand the rest are ERR_BUSY hand-lost and
 * their tickets may be spent.
 */
void hand_sign(struct hand *h, size_t n, struct ticket *const *t, struct buf *signature, err *outcome);

/* How often a hand was started and logged in: another number is another login. */
uint64_t hand_logins(const struct hand *h);

/* Ends the hand: what it signed was wrong. */
void hand_end(struct hand *h);

#endif
