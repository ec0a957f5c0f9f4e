/*
 * starter.h - the small process that starts hands.
 *
 * Depends on: base.  Touches: fork, exec, signals, the sockets it makes.
 *
 * A signer is jailed before it hears its first order, and a hand must be born
 * outside that jail: its module opens files and devices no signer may.  So the
 * signer forks this one first.  It listens to its signer alone, one byte an
 * order ("a new hand for key k"), ends the old hand of that key, starts another
 * on a fresh socket pair and sends the signer's end back.  It sees no PIN, no
 * bytes to sign and no signature.  It dies with its signer, its hands with it.
 */
#ifndef ROLE_SIGNER_STARTER_H
#define ROLE_SIGNER_STARTER_H

#include "base/base.h"

#define STARTER_KEYS_MAX 2 /* the status signer has two: OCSP and checkpoints */

struct starter_plan {
	const char *program;     /* path of the executable `hand`             */
	const char *module;      /* absolute path                             */
	const char *folder;      /* what the module may write, or "-"         */
	const char *environment; /* "NAME=value" for the module, or NULL      */
	uint32_t uid;
	bool weak;               /* see edge/jail                             */
	const char *uri[STARTER_KEYS_MAX];
};

struct starter;

/* Forks; `plan` and what it points to must live until then only. */
err starter_open(const struct starter_plan *plan, struct starter **out) CHECKED;
void starter_close(struct starter **s);
/* Ends the hand of that key, however stuck, and starts another: its socket. */
err starter_start(struct starter *s, unsigned key, int *fd) CHECKED;

#endif
