/*
 * pin.h - the PINs of the house's tokens, in locked memory.
 *
 * Depends on: base, edge/file, edge/log.  Touches: the file that names them, once.
 *
 * They are given at the start by a descriptor or a file (two lines where there are two tokens: the issuer's, the status
 * signer's); a test's house may name a file for each in its configuration, which is said in the log.
 */
#ifndef CMD_INKAND_PIN_H
#define CMD_INKAND_PIN_H

#include "base/base.h"
#include "base/conf.h"

/* Two empty ones, in memory that is locked and in no dump: of the issuer's token, of the status signer's.  ERR_WORLD inkand-mlock. */
err pin_room(struct secret **out) CHECKED;
/* Fills them: `file` may be NULL; with one token both are the same. */
err pin_take(const char *home, const struct conf *c, const char *file, bool one_token, struct secret pin[2]) CHECKED;

#endif
