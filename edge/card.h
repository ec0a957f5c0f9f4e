/*
 * card.h - a person's own PKCS#11 token: the My Number Card that signs the
 *          application, or the token that keeps the subscriber's key.
 *
 * Depends on: base, key; p11-kit's header.  Touches: the PKCS#11 module it is
 * told to load, and whatever that module touches (a reader, a file).
 *
 * A card is reached only through PKCS#11 (OpenSC's module for the real ones).
 * Tokens are found by label, never by slot number, objects by their id.  What
 * JPKI's signature token looks like there: its certificate is invisible before
 * the PIN, and its key is ALWAYS_AUTHENTICATE, so that each signature takes the
 * PIN again, which is the act of will (JPKI Rule 36-2).
 *
 * PINs are sent to the token once for each card_login() or card_sign() and never
 * again by themselves.  PKCS#11 tells no number of tries, only "some used", "last
 * one", "locked"; after the last try OpenSC no longer recognises the card at all.
 *
 * ERRORS (.why is the CK_RV):
 *   card-module        ERR_ABSENT    no module at that place, or none that works
 *   card-none          ERR_ABSENT    no card in a reader
 *   card-label         ERR_ABSENT    cards are there, none of that name
 *   card-many          ERR_CONFLICT  two of that name
 *   card-unrecognised  ERR_POLICY    a card that cannot be read: probably locked
 *   card-object        ERR_ABSENT    no such certificate or key on it
 *   card-key-there     ERR_CONFLICT  a key of that id is there already
 *   card-pin-form      ERR_INPUT     a PIN that can be none: the token was not asked
 *   card-pin-wrong     ERR_POLICY    wrong; tries are left
 *   card-pin-last      ERR_POLICY    wrong; one try is left
 *   card-pin-locked    ERR_POLICY    locked: only the municipal window helps
 *   card-removed       ERR_ABSENT    taken out meanwhile
 *   card-call          ERR_WORLD     anything else the module answered
 *   card-mechanism     ERR_POLICY    the token does not sign or make keys that way
 */
#ifndef EDGE_CARD_H
#define EDGE_CARD_H

#include "base/base.h"
#include "base/key.h"

#define CARD_SLOTS_MAX 64
#define CARD_PIN_MAX 64

/* How OpenSC names the signature side of a My Number Card, and the id of its certificate and key there. */
#define CARD_JPKI_LABEL "JPKI (Digital Signature PIN)"
#define CARD_JPKI_ID 0x02
/* The card's own rule for that PIN: 6 to 16 capital letters and digits. */
#define CARD_JPKI_PIN_MIN 6
#define CARD_JPKI_PIN_MAX 16

enum card_tries { CARD_TRIES_ALL, CARD_TRIES_SOME_USED, CARD_TRIES_LAST, CARD_TRIES_NONE };

struct card;

/* Where Debian and others put OpenSC's module; ERR_ABSENT card-module.  With the closing NUL. */
err card_find_module(struct buf *path) CHECKED;
/* Loads the module (absolute path) and opens a session on the one token of that label. */
err card_open(const char *module, const char *label, struct card **out) CHECKED;
/* Logs out, unloads. */
void card_close(struct card **c);

/* As the token says of itself, without padding; live as long as c. */
slice card_label(const struct card *c);
slice card_model(const struct card *c);
slice card_serial(const struct card *c);
/* Asked of the token each time; a token that cannot be read any more counts as CARD_TRIES_NONE. */
enum card_tries card_tries(struct card *c);

/* Small letters become capital ones, as JPKI's PIN has them; ERR_INPUT card-pin-form, before a try is spent. */
err card_pin_of_jpki(struct secret *pin) CHECKED;
/* One try.  Logged in already is success. */
err card_login(struct card *c, const struct secret *pin) CHECKED;
/* The certificate of that id, DER; visible after login. */
err card_certificate(struct card *c, slice id, struct buf *out) CHECKED;
/* Whether a private key of that id is there. */
err card_has_key(struct card *c, slice id) CHECKED;

/*
 * One signature over `message` with the key of that id: CKM_RSA_PKCS over the
 * DigestInfo, or CKM_ECDSA over the hash; as X.509 wants it (ECDSA: DER).  With a
 * PIN, the token is made to check it again for this signature: as
 * CKU_CONTEXT_SPECIFIC where the key is ALWAYS_AUTHENTICATE, else by a new login.
 * NULL: no PIN is asked for again; ERR_POLICY card-pin-wanted where the key wants it.
 */
err card_sign(
    struct card *c, slice id, enum sig_alg alg, slice message, const struct secret *pin, struct buf *out) CHECKED;

/*
 * Makes a key pair on the token (logged in): private, sensitive, not extractable.
 * Gives its SubjectPublicKeyInfo.  bits: RSA only.
 */
err card_generate(
    struct card *c, enum key_kind kind, unsigned bits, const char *label, slice id, struct buf *spki) CHECKED;
/* The public half of the key pair of that id, from the token's public key object. */
err card_spki(struct card *c, slice id, struct buf *spki) CHECKED;
/* Puts a certificate beside its key, so that other programs find it. */
err card_store_certificate(struct card *c, const char *label, slice id, slice subject, slice certificate) CHECKED;

#endif
