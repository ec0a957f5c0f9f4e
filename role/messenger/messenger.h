/*
 * messenger.h - the only role that calls out: J-LIS, mail, copies of the repository (mirror.h).
 *
 * HOLDS    URLs by kind and the mail folder or relay, from HOME/inkan.conf:
 *            [messenger]
 *            jlis_ocsp = http://…          where J-LIS's responder answers
 *            jlis_crl = http://… …         its CRLs, several with blanks between; or /path of a file delivered otherwise
 *            mail = folder                 HOME/mail, a file for each letter; or smtp://host:port
 *            mail_from = ca@example.jp
 *            [registrar]
 *            office_mail = ca@example.jp   who hears of a check by the clock that did not find all as the books say
 *            [heartbeat]
 *            url = https://…               where the outside monitor takes heartbeats; absent: none are pushed
 *            heartbeat_s = 60              how often
 *            house = name                  what the house is called there
 *          and HOME/keys/heartbeat.key, an Ed25519 key of its own, made at init.
 * HEARS    the registrar: fetch of this kind (it names no address), send this letter, how are the copies, these are the
 *          house's numbers; inkand: with each heartbeat what the check by its clock found; the office gets a letter
 *          (alarm.c).
 * TOUCHES  the network, HOME/mail; where there are copies HOME/mirror and, reading, HOME/repository.
 * NEVER    judges what comes back: bytes, never verdicts; keeps nothing but how far each copy is.
 */
#ifndef ROLE_MESSENGER_MESSENGER_H
#define ROLE_MESSENGER_MESSENGER_H

#include "act/numbers.h"
#include "act/order_send.h"
#include "base/base.h"
#include "base/conf.h"
#include "edge/call.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/start.h"
#include "role/messenger/mirror.h"

#define MESSENGER_URLS_MAX 8
#define MESSENGER_QUEUE_MAX 1024

struct waiting {
	uint64_t id;
	uint8_t kind;
	struct buf body; /* of the order, owned */
};

#define LETTER_NAMES_MAX 100000U /* tried for one letter: a folder nobody empties under a clock that stands */

struct messenger {
	struct wires *wires;
	struct calls *calls;
	struct conf *conf;
	char ocsp[256], crl[MESSENGER_URLS_MAX][256], relay[256], from[256];
	size_t n_crl;
	struct mirrors mirrors;
	int mail_folder; /* -1: relay */
	uint64_t letters;
	size_t n;
	struct waiting queue[MESSENGER_QUEUE_MAX]; /* not yet started */
	/* the calls under way: kind and id of the order, under a number of our own, since a new registrar counts from 1 again */
	uint8_t kind_of[CALLS_MAX];
	uint64_t id_of[CALLS_MAX], call_of[CALLS_MAX], calls_made;
	struct { /* heartbeat.c */
		char url[256], name[128];
		int64_t every_ms, due; /* due: on the steady clock */
		struct secret key;
		struct numbers *house; /* owned: as the registrar told them last; NULL: never */
		uint64_t sequence, failures;
		instant taken; /* by the monitor, the last one */
		bool under_way;
	} beat;
	struct {            /* alarm.c */
		char to[256];   /* the office; empty: no letter is written */
		int64_t looked; /* on the steady clock */
		struct alarm_seen {
			instant at; /* the check's end */
			unsigned kind;
			uint64_t differences, could_not, answers;
		} sent; /* what the last letter said, or the last check that was fine */
	} alarm;
};

/*
 * jail.c: what it may still do, once it is configured: connect, read what the resolver, TLS and a delivered list need,
 * write the mail folder where letters go into one.
 */
void messenger_jail(const struct messenger *m, const struct start *s, struct jail *out);
err messenger_configure(struct messenger *m, slice file) CHECKED;
err messenger_turn(struct messenger *m) CHECKED;
/* A call of our own is under way for an order of this kind and id.  ERR_BUSY call-many. */
err messenger_remember(struct messenger *m, uint64_t id, uint8_t kind) CHECKED;

/* heartbeat.c: signed numbers to the outside monitor; numbers of its own back to the registrar. */
err heartbeat_configure(struct messenger *m) CHECKED;
void heartbeat_take(struct messenger *m, struct link *l, const struct frame *f);
void heartbeat_tend(struct messenger *m);
void heartbeat_sent(struct messenger *m, err e);
/* Milliseconds until the next is due; -1: none is. */
int heartbeat_timeout_ms(const struct messenger *m);
/* One letter, into the folder or begun by the relay under this kind and id. */
err messenger_letter(struct messenger *m, uint64_t id, uint8_t kind, const struct mail_order *o) CHECKED;

/* alarm.c: the office hears by letter what the check by inkand's clock found. */
err alarm_configure(struct messenger *m) CHECKED;
void alarm_tend(struct messenger *m);
void alarm_sent(struct messenger *m, err e);

int messenger_timeout_ms(const struct messenger *m);
void messenger_drop(struct messenger *m);

#endif
