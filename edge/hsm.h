/*
 * hsm.h - the token that holds keys of this house: PKCS#11 2.40 (and EdDSA of 3.0),
 *         called directly; RFC 7512 names.
 *
 * Depends on: base/key; p11-kit's headers and URIs.  Touches: the module it is
 * told to load, by absolute path, and whatever that module touches.
 *
 * Fourteen calls of the module are used: C_Initialize, C_Finalize, C_GetSlotList,
 * C_GetTokenInfo, C_OpenSession, C_CloseSession, C_Login, C_FindObjectsInit,
 * C_FindObjects, C_FindObjectsFinal, C_GetAttributeValue, C_SignInit, C_Sign and,
 * for a ceremony alone, C_GenerateKeyPair.  One struct is one session on one
 * token; the module is initialised by the first and finalised by the last close.
 *
 * Keys are named by URI, never by slot number: "pkcs11:token=inkan;object=issuer"
 * (token label, serial, manufacturer, model; object label and id).  A URI with a
 * PIN, a PIN source or a module in it is refused: those are told elsewhere.
 *
 * ERRORS carry the CK_RV in .why, hsm_rv_name() spells it:
 *   hsm-pin         ERR_POLICY   the PIN was refused: never tried again by anyone but a person
 *   hsm-pin-locked  ERR_POLICY   the token takes no PIN any more
 *   hsm-session     ERR_BUSY     session or login lost: open anew, log in, try again
 *   hsm-gone        ERR_BUSY     the token is not in its slot, or the device failed: the same, until it is back
 *   hsm-key         ERR_ABSENT   no such key on the token, or more than one
 *   hsm-mechanism   ERR_POLICY   the key or token does not sign that way
 *   hsm-module, hsm-uri, hsm-token, hsm-call: ERR_WORLD, an operator must look
 */
#ifndef EDGE_HSM_H
#define EDGE_HSM_H

#include "base/base.h"
#include "base/key.h"

#define HSM_SLOTS_MAX 64  /* slots looked through for the token: more is no CA's machine */
#define HSM_LABEL_MAX 64  /* bytes of a key's label                                      */

struct hsm;

/* Loads the module, finds the one token the URI names, opens a session (read-only unless for a ceremony). */
enum hsm_mode { HSM_SIGN, HSM_CEREMONY };
err hsm_open(const char *module, slice uri, enum hsm_mode mode, struct hsm **out) CHECKED;
void hsm_close(struct hsm **h);
/* C_Login as user; already logged in is success. */
err hsm_login(struct hsm *h, slice pin) CHECKED;
/* Finds the private key the URI names and reads its public half. */
err hsm_find(struct hsm *h) CHECKED;
/*
 * After a lost session or login: a new session on the same token, login, the same
 * key found again.  The module stays loaded, so it works inside a jail.
 */
err hsm_again(struct hsm *h, slice pin) CHECKED;
/* The SubjectPublicKeyInfo of the key found; lives as long as h. */
slice hsm_spki(const struct hsm *h);
enum key_kind hsm_kind(const struct hsm *h);
/*
 * Signs with the key found: `bytes` is the finished hash of the algorithm, or the
 * message for Ed25519.  The signature comes out as X.509 wants it (ECDSA: DER).
 * It is not verified here.
 */
err hsm_sign(struct hsm *h, enum sig_alg alg, slice bytes, struct buf *out) CHECKED;

/*
 * A ceremony: makes a key pair on the token under the URI's label and id, private,
 * sensitive, not extractable (FA-4), and makes it the key found.  bits: RSA only.
 * ERR_CONFLICT hsm-key-there where the label is taken.
 */
err hsm_generate(struct hsm *h, enum key_kind kind, unsigned bits) CHECKED;

/*
 * A ceremony before the first: makes a token on a free slot of the module (a token
 * in software; a hardware module's own tools do this for it) with a user PIN.
 * ERR_ABSENT hsm-no-slot where none is free.
 */
err hsm_make_token(const char *module, slice label, slice officer_pin, slice pin) CHECKED;

/* What the token says of itself, for the journal and the baseline: "manufacturer model serial firmware". */
void hsm_put_token(const struct hsm *h, struct buf *out);

/* "CKR_DEVICE_ERROR"; "CKR_?" for one without a name here. */
const char *hsm_rv_name(long rv);
/* The session must be made anew, and then the same may be tried again. */
bool hsm_is_lost(err e);

#endif
