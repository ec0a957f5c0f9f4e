/*
 * journal_inside.h - what a signer's journal is to its own files, and to nobody else.
 *
 * Depends on: edge/book, edge/index, role/signer/{journal,journal_line,records_file}.
 *
 * journal.c opens, looks up and makes durable; journal_add.c puts lines into the turn.
 */
#ifndef ROLE_SIGNER_JOURNAL_INSIDE_H
#define ROLE_SIGNER_JOURNAL_INSIDE_H

#include "edge/book.h"
#include "edge/index.h"
#include "role/signer/journal.h"
#include "role/signer/journal_line.h"
#include "role/signer/records_file.h"

/* What the index knows lines by. */
enum { BY_SERIAL = 1, BY_APPLICATION, BY_KEY, BY_REVOKED };

struct journal {
	struct book *book;
	struct index *index;
	enum by who;
	digest trust;
	uint8_t issuer[SHA1_LEN];
	int folder;
	struct records_file *revoked;
	struct records_file *known;
	uint64_t known_covers; /* lines */
	struct journal_state state;
	instant at; /* of this turn */
	bool dirty;
};

#endif
