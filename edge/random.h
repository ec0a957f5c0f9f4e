/*
 * random.h - bytes nobody can guess: getrandom(2).
 *
 * Touches: the kernel's generator.  Waits until it is seeded; anything else it
 * may answer is abort, since nothing here may go on without it.
 */
#ifndef EDGE_RANDOM_H
#define EDGE_RANDOM_H

#include "base/base.h"
#include "pki/cert.h"

void random_bytes(void *p, size_t n);
/* 16 bytes, the first 0x40 to 0x7F: positive, of constant length, 126 bits of entropy (CA/B and RFC 5280 4.1.2.2 ask 64). */
serial random_serial(void);

#endif
