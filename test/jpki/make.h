/*
 * make.h - what tests and benches sign: applications with a card's key, the house's documents with its persons' keys,
 *          and a whole small house around a JPKI-like world.
 *
 * Link it with a first line "LINK: test/jpki/make.c".  Touches files, processes, randomness; every failure ends the
 * process with a word about it: a test without its world has nothing to say.
 *
 * Shortest use:
 *	const char *dir = make_world("2026-11-22T00:00:00Z", 0);     the world of that day, made once a build folder
 *	struct house *h = house_new(dir, at);                        CA, persons, trust file, profile, rule set, approval
 *	struct signer *card = signer_load(dir, "yamada"), *own = signer_new(KEY_P256, 256);
 *	struct make_application a;
 *	application_for(h, dir, "yamada", at, &a);
 *	make_application(&cms, card, own, &a);
 */
#ifndef TEST_JPKI_MAKE_H
#define TEST_JPKI_MAKE_H

#include "act/decision.h"
#include "act/document.h"
#include "act/profile.h"
#include "act/trust.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/crl.h"

/* --- files and worlds ------------------------------------------------------------------------------------------------ */

/* Appends a file's bytes. */
void file_get(const char *path, struct buf *out);
void file_put(const char *path, slice s);

/*
 * The folder of a world as of `at` (see test/jpki/world.c), with `many` more leaves: made by the tool beside this
 * program's build folder if it is not there yet; processes that ask at once wait for each other.  Lives for ever.
 */
const char *make_world(const char *at, unsigned many);
/* Runs the tool: words end with NULL, the first is the first argument. */
void world_run(const char *const *words);

/* A row of the world's `persons`: what stands on the card, and the true forms. */
struct world_person {
	char name[512], name_flags[512], true_name[512], birth[16], sex[4], address[1024], address_flags[512],
	    true_address[1024];
};
void world_person(const char *dir, const char *card, struct world_person *out);

/* DIR/NAME, a list of one of the world's CAs: its bytes, and the table of it (NULL: not wanted).  The bytes outlive the table. */
void world_crl(const char *dir, const char *name, struct buf *bytes, struct crl_table **out);

/* --- keys ------------------------------------------------------------------------------------------------------------ */

/* A private key, and the certificate that goes with it or none. */
struct signer;
/* DIR/NAME.key and DIR/NAME.cer of a world ("many-00000" has the key many.key). */
struct signer *signer_load(const char *dir, const char *name);
/* A fresh key: RSA by bits, P-256, P-384, Ed25519. */
struct signer *signer_new(enum key_kind kind, unsigned bits);
/* From unencrypted PKCS#8 PEM and back, for keys that outlive a process. */
struct signer *signer_from_pem(const char *path);
void signer_to_pem(const struct signer *s, const char *path);
void signer_drop(struct signer **s);
slice signer_spki(const struct signer *s);
enum key_kind signer_kind(const struct signer *s);
/* Empty when there is none. */
slice signer_certificate(const struct signer *s);
void signer_set_certificate(struct signer *s, slice der);
/* A signature over `message`, as X.509 wants it. */
void signer_sign(const struct signer *s, enum sig_alg alg, slice message, struct buf *out);
/* The same over a finished hash (for Ed25519: the message): what a hand answers to ORDER_SIGN; ECDSA as r || s. */
void signer_sign_hash(const struct signer *s, enum sig_alg alg, slice hash, struct buf *out);

/* --- objects --------------------------------------------------------------------------------------------------------- */

/* Signs any plan of a certificate (pki/cert.h) with the issuer's key; .alg is set here. */
void make_certificate(struct buf *out, const struct signer *issuer, struct cert_plan *plan);
/* A self-signed CA certificate "C=JP, O=<org>, CN=<cn>", set into ca. */
void make_ca(struct signer *ca, const char *org, const char *cn, instant from, int years);
/* A PKCS#10 of pki/request.h. */
void make_request(struct buf *out, const struct signer *subscriber, slice challenge);

/* CMS of any content: with who's certificate, or by its key identifier when it has none. */
void make_cms(struct buf *out, const struct signer *who, slice content, instant at);
/* The other encoding of one signature that anybody can write: RSA by its other name, or (r, n - s) by P-256. */
void make_twin(slice cms, struct buf *out);
/* A document of the house in a CMS; values in form order; block empty but for A-1. */
void make_document(struct buf *out, const struct signer *who, enum form form, const char *const *values, slice block,
    instant at);

/* What an application says; NULL members are filled with something plain by make_application(). */
struct make_application {
	const char *service, *profile, *name, *address, *birth, *sex, *contact, *validity, *terms, *explanation, *language,
	    *key, *helped, *nonce;
	instant at; /* date, times of the explanation and signing time */
	char room[4096]; /* where application_for() keeps its texts: do not copy the struct after it */
};
void make_application(
    struct buf *out, const struct signer *card, const struct signer *subscriber, const struct make_application *a);
/* The document alone, without signature. */
void make_application_text(struct buf *out, const struct signer *subscriber, const struct make_application *a);

/* --- a house --------------------------------------------------------------------------------------------------------- */

/* Everything the tests' business is made of.  Persons: hanako (responsible, all duties), jiro (officer), saburo (revocation). */
struct house {
	struct signer *ca, *status, *hanako, *jiro, *saburo;
	digest terms, explanation;
	struct buf profile, ruleset, approval, trust; /* files and a CMS; the trust file pins the profile */
};
/* Rule set and approval are in force from a day before `at` for a year. */
struct house *house_new(const char *world, instant at);
void house_drop(struct house **h);
/* The trust file of a house, made again after a change; `extra` is appended ("" for none). */
void house_put_trust(const struct house *h, const char *world, const char *hierarchy, const char *method, const char *extra,
    struct buf *out);
/* Its files, as they are read; NULL: not wanted. */
void house_read(const struct house *h, struct trust **t, struct profile **p, struct ruleset **r);
/* What its CA gives to the OCSP responder `of`, for a year from `from`. */
void house_responder(const struct house *h, const struct signer *of, instant from, struct buf *out);
/* An application that says what the card says, for this house's service, profile, terms and explanation. */
void application_for(const struct house *h, const char *world, const char *card, instant at, struct make_application *out);

/* An instant from its text, or the end of the process. */
instant at_of(const char *rfc3339);

#endif
