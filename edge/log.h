/*
 * log.h - one line a fact, on standard error.
 *
 * Touches: descriptor 2.
 *
 *   2026-11-22T01:02:03.004Z registrar warn jlis-unreachable: … why=111 dossier=…
 *
 * No personal data ever: what may follow the text is numbers, digests, dossier
 * ids and serials, which log_id and log_number are the only ways to give.
 */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

#include "base/base.h"

enum log_level { LOG_NOTE, LOG_WARN, LOG_ALARM };

/* Who speaks, and that this process may write its name before each line. */
void log_open(const char *role);
void log_text(enum log_level l, const char *what);
void log_number(enum log_level l, const char *what, const char *name, uint64_t v);
/* Bytes in hexadecimal, at most 32. */
void log_id(enum log_level l, const char *what, const char *name, slice id);
void log_err(enum log_level l, err e);
/* The text a peer sent with its refusal: its code and clause only, at most 256 printable bytes. */
void log_what(enum log_level l, const char *from, slice what);

#endif
