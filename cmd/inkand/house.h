/*
 * house.h - inkand's table: the roles of a house, what is known of each, and the wires between them.
 *
 * Depends on: base, order, checker, edge/ipc.  Touches: sockets.
 *
 * A wire is a socket pair between two roles, handed to both over their control sockets.  Both ends get a new one when either
 * role starts anew, or when one of them closed it because of nonsense and asks (ORDER_WIRE): at once the first time, then after
 * a second and twice as long each time, half a minute at most, since on each wire who babbles could cost his hearer a turn.
 */
#ifndef CMD_INKAND_HOUSE_H
#define CMD_INKAND_HOUSE_H

#include <sys/types.h>
#include <time.h>

#include "base/base.h"
#include "cmd/inkand/checker.h"
#include "edge/ipc.h"

#define ROLES_MAX 24    /* at most 32: struct role's `again` */
#define STEADY_MS 60000 /* alive, or quiet, for so long: what was before is forgotten */

struct role {
	enum peer peer;
	uint64_t number;
	const char *name, *mode; /* executable, first argument or NULL */
	unsigned user;           /* offset from user_base              */
	pid_t pid;
	struct link *control;
	int64_t started, beat_sent, beat_heard, start_at;
	unsigned deaths;
	uint64_t restarts;
	bool answered, retired;
	bool paused;    /* a signer while the room is closed */
	uint32_t again; /* bit i: role[i] closed its wire to this one over nonsense; a new one is due at again_at */
	int64_t again_at, again_ms;
	int64_t read_at; /* when its control socket was last seen empty: it reads */
	bool renewed;    /* the status signer, told to stop: it is started with what responder.conf says now */
};

struct house {
	const char *home;
	char libexec[256];
	uint32_t user_base;
	size_t n;
	struct role role[ROLES_MAX];
	int public_fd, private_fd, office_fd;
	unsigned status_user; /* as above: its own where it has a token of its own */
	struct secret *pin;   /* in locked memory: of the issuer's token, of the status signer's */
	bool stopping;
	bool ready;       /* every role answered, once */
	bool room_closed; /* run/room-closed is there: signers are stopped, and not started */
	int64_t stop_at;
	uint64_t beat;
	struct checker checker;
	struct timespec responder_at; /* of responder.conf, when the status signer was started */
	ino_t responder_inode;
	instant clock;    /* the last moment both clocks agreed on, less than an hour apart since the one before … */
	int64_t clock_at; /* … on the steady one */
};

/* All wires of one role, new at both ends; the token's PIN to a signer. */
void wire_role(struct house *h, struct role *r);
/* What a role asked for: a new wire to the one it names. */
void wire_want(struct house *h, const struct role *r, slice body);
/* … and those of this one that are due. */
void wire_again(struct house *h, struct role *r, int64_t now);

#endif
