/*
 * hand.h - what one key's process may still do.
 *
 * Depends on: edge/jail.
 *
 * A module of a vendor opens files late and probes: it reads /usr, /etc and /dev/urandom, writes its own folder ("-":
 * none) and is refused the rest with EPERM.  Connections it opened at login go on; it cannot make new ones.
 */
#ifndef ROLE_HAND_HAND_H
#define ROLE_HAND_HAND_H

#include "edge/jail.h"

void hand_jail(const char *folder, uint32_t uid, bool weak, struct jail *out);

#endif
