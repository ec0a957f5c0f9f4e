/*
 * ed25519.h - signing with an Ed25519 key that is a file of 32 bytes: RFC 8032.
 *
 * Depends on: base; libcrypto.  Touches: nothing.
 *
 * For what a role of the house says about itself (a heartbeat), never for certificates, lists, answers or checkpoints: those
 * keys stay in a token.  Verifying stands in base/key.  The seed is wiped from our own memory by its owner; libcrypto's copy
 * lives for one call.
 */
#ifndef EDGE_ED25519_H
#define EDGE_ED25519_H

#include "base/base.h"

#define ED25519_SEED 32U
#define ED25519_PUBLIC 32U
#define ED25519_SIGNATURE 64U

/* ERR_WORLD ed25519: libcrypto does not take 32 bytes, or has no memory. */
err ed25519_public(slice seed, uint8_t out[ED25519_PUBLIC]) CHECKED;
err ed25519_sign(slice seed, slice message, uint8_t out[ED25519_SIGNATURE]) CHECKED;

#endif
