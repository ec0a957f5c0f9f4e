/*
 * publisher.h - what is public, on disk: the repository tree, Rule 6(ix)-(xi), (xiii).
 *
 * HOLDS    HOME/repository: ca/ crl/ cps/ terms/ books/ status/.
 * HEARS    the registrar: this file (in parts), these OCSP answers, withdraw this
 *          one, this checkpoint.
 * TOUCHES  HOME/repository alone.
 * NEVER    keys, SQL, a judgement: everything it publishes is signed by others.
 *
 * Every file is replaced whole: a reader sees the old one or the new one.  The
 * status files' format stands in act/slots.c; `recent` is written with each batch
 * and merged into `base` when it is full.
 */
#ifndef ROLE_PUBLISHER_PUBLISHER_H
#define ROLE_PUBLISHER_PUBLISHER_H

#include "act/slots.h"
#include "base/base.h"
#include "edge/ipc.h"
#include "edge/jail.h"
#include "edge/start.h"

#define PUBLISHED_MAX (512U << 20) /* bytes of a file: a CRL of ten million entries */

struct publisher {
	struct wires *wires;
	int repository;        /* folder descriptor */
	struct buf issuer_der; /* ca/issuer.cer     */
	struct cert issuer;
	bool has_common;
	struct buf responder[SLOTS_RESPONDERS_MAX]; /* owned copies of the common part's certificates */
	struct slots_common common;
	size_t n, cap;
	struct slot *recent; /* sorted by serial, owned */
	int parts_file, parts_folder; /* of the file that comes in parts, -1: none */
	char parts_name[128];
	struct buf path;
	uint64_t next_part;
};

/* jail.c: what it may still do: write the repository. */
void publisher_jail(const struct start *s, struct jail *out);
/* Reads what is published: the issuer's certificate and status/recent. */
err publisher_open(struct publisher *p, int repository) CHECKED;
/* The judgement of one frame, for tests: writes what it must, answers on no link. */
err publisher_take(struct publisher *p, const struct frame *f) CHECKED;
err publisher_turn(struct publisher *p) CHECKED;
void publisher_drop(struct publisher *p);

#endif
