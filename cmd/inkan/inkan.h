/*
 * inkan.h - the parts of the subscriber's tool.
 *
 * Depends on: base, pki, act; edge/card, edge/keyfile, edge/net, edge/clock, edge/random.
 * Touches: the terminal, the folder that keeps this person's state, the service.
 *
 * The tool believes the service as little as it can: texts are shown only when
 * their digests fit, the certificate is taken only when it is for the own key and
 * by the issuer whose fingerprint the person confirmed, "revoked" is said only
 * when a verified OCSP answer says so.
 *
 * What is asked has a name ("pin", "contact", "confirm" …): with --answers FILE
 * the answers come from lines "name = value", taken in order for each name, and
 * nothing is asked at the terminal.
 */
#ifndef CMD_INKAN_INKAN_H
#define CMD_INKAN_INKAN_H

#include "act/application.h"
#include "act/document.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/key.h"
#include "base/time.h"
#include "base/words.h"
#include "edge/card.h"
#include "edge/keyfile.h"
#include "edge/net.h"
#include "pki/cert.h"

/* Exit codes: the man page names them. */
enum done {
	DONE_OK = 0,
	DONE_NO = 1,        /* refused by the service, or a check says no                       */
	DONE_USAGE = 2,     /* the command line is not understood                               */
	DONE_INPUT = 3,     /* what was given is malformed                                      */
	DONE_ABSENT = 4,    /* what was named is not there: a card, a token, a file, a dossier  */
	DONE_LATER = 5,     /* the service is not reached or busy: the same again later         */
	DONE_WAITS = 6,     /* nothing wrong, but not decided or not issued yet                 */
	DONE_STOPPED = 7,   /* the person did not confirm                                       */
	DONE_NOT_SHOWN = 8, /* revoked in the books, but not in the answers after 60 s          */
};

#define TEXT_SHOWN_MAX (256U << 10) /* bytes of terms or an explanation */
#define FILE_READ_MAX (1U << 20)    /* bytes of a file given on the command line */

struct options {
	const char *dir, *url, *lang, *answers, *profile, *module, *card_label, *card_id, *key, *kdf, *key_module,
	    *key_label, *name, *contact, *validity, *helped, *fingerprint, *export_to, *reason, *serial, *issuer, *wait;
	bool json, batch, by_card, anew;
	const char *args[4];
	size_t n_args;
};

/* What a service said no with, in its own words; see service_refused. */
struct refusal {
	unsigned status;
	struct buf code, clause, text; /* owned; text is in the reader's language */
};

struct ask;
struct inkan {
	struct options o;
	enum lang lang;
	FILE *out;       /* for people: standard output, with --json standard error */
	struct buf json; /* with --json: the one object, written as facts come up   */
	struct ask *ask; /* owned */
	struct net *net; /* owned; opened by the first call */
	int dir;         /* descriptor of the state folder, -1 until store_open */
	struct buf url;  /* owned: the service, no slash at the end, NUL-ended  */
	struct refusal refusal;
};

struct standing;
/* --- say.c: words to people ------------------------------------------------------------ */
/* Prints the text in the reader's language with {1} … {9} replaced, and a line end. */
#define SAY(k, text, ...)                                                                                              \
	say((k), (text), (const slice[]){{NULL, 0}, __VA_ARGS__}, COUNT(((const slice[]){{NULL, 0}, __VA_ARGS__})))
void say(struct inkan *k, const char *text, const slice *with, size_t n);
void say_put(struct buf *b, enum lang l, const char *text, const slice *with, size_t n);
/* One plain sentence without replacements. */
void say_line(struct inkan *k, const char *text);
/* An empty line; the rule above and below a document. */
void say_gap(struct inkan *k);
void say_rule(struct inkan *k);
/* Bytes of a document or of terms as they are: they were checked by text_check. */
void say_raw(struct inkan *k, slice text);
/* A refusal: the sentence in the reader's language, its code; also into the JSON object. */
void say_err(struct inkan *k, err e);
enum done done_of(err e);
/* Where a dossier stands, as its applicant understands it; also into the JSON object. */
void say_standing(struct inkan *k, const struct standing *s);
/* An instant as people of the reader's language write it, in Japan's time. */
void put_when(struct buf *b, enum lang l, instant t);
/* A fingerprint: upper-case pairs with colons, as openssl and gazettes write it. */
void put_fingerprint(struct buf *b, slice d);

/* --- ask.c: answers from people ---------------------------------------------------------- */
err ask_open(struct inkan *k) CHECKED;
void ask_close(struct ask **a);
bool ask_is_person(const struct inkan *k); /* a terminal, not a file of answers */
/* One line; empty is allowed.  ERR_ABSENT ask-answer, ask-terminal; ERR_POLICY ask-stopped at the end of input. */
err ask_line(struct inkan *k, const char *name, const char *prompt, struct buf *out) CHECKED;
/* The same without echo. */
err ask_secret(struct inkan *k, const char *name, const char *prompt, struct secret *out) CHECKED;
/* A new passphrase: twice, the same. */
err ask_new_passphrase(struct inkan *k, struct secret *out) CHECKED;
/* Turning a page: a person presses Enter; a file of answers needs none. */
err ask_page(struct inkan *k) CHECKED;
/* A deliberate act: the word must be typed as shown; three tries.  ERR_POLICY ask-stopped. */
err ask_word(struct inkan *k, const char *name, const char *prompt, slice word) CHECKED;

/* --- store.c: this person's folder -------------------------------------------------------- */
/* Opens DIR (made with mode 0700 where missing) and locks it against a second inkan. */
err store_open(struct inkan *k) CHECKED;
bool store_has(const struct inkan *k, const char *name);
/* ERR_ABSENT store-absent. */
err store_read(const struct inkan *k, const char *name, struct buf *out) CHECKED;
/* Whole or not at all, durable on return; replaces what was there. */
err store_write(const struct inkan *k, const char *name, slice bytes) CHECKED;
err store_append(const struct inkan *k, const char *name, slice bytes) CHECKED;
err store_rename(const struct inkan *k, const char *from, const char *to) CHECKED;
/* DIR/name, NUL-ended. */
void store_path(const struct inkan *k, const char *name, struct buf *out);
/* Any file or standard input ("-"). */
err file_read(const char *path, size_t max, struct buf *out) CHECKED;

/* DIR/state.json: what later commands must know.  Slices borrow from doc or from whoever set them. */
struct state {
	struct json *doc; /* owned */
	slice url, profile, service, dossier, token;
	slice key;                           /* "file" or "token"             */
	slice key_module, key_label, key_id; /* of a token; key_id in hex     */
};
/* ERR_ABSENT state-none where nobody applied from this folder. */
err state_load(const struct inkan *k, struct state *out) CHECKED;
err state_save(const struct inkan *k, const struct state *s) CHECKED;
void state_drop(struct state *s);
#define ZERO_IF_NONE(s) ((s).n == 0 ? LIT("") : (s))

/* --- service.c: the house's HTTP face ------------------------------------------------------ */
/* --url, or what the state says, or where the test house serves. */
err service_use(struct inkan *k, slice from_state) CHECKED;
/* GET below the service's address, or of a whole URL.  ERR_POLICY … service-refused: see k->refusal. */
err service_get(struct inkan *k, const char *path, slice bearer, size_t max, struct buf *out) CHECKED;
err service_get_url(struct inkan *k, const char *url, size_t max, struct buf *out) CHECKED;
/* POST; tried again for a while when busy, since equal bytes get equal answers. */
err service_post(
    struct inkan *k, const char *path, const char *type, slice body, unsigned wait_s, struct buf *out) CHECKED;
/* The same to another place, for OCSP. */
err service_post_url(struct inkan *k, const char *url, const char *type, slice body, struct buf *out) CHECKED;
bool service_refused(err e);
/* Where a dossier stands, and why. */
struct standing {
	struct buf state, why, code, serial; /* owned; why in the reader's language */
	instant since;
};
err service_standing(struct inkan *k, const struct state *s, struct standing *out) CHECKED;
void standing_drop(struct standing *s);

/* --- holder.c: who signs -------------------------------------------------------------------- */
/* The person's card, or the subscriber's own key in a file or a token. */
struct holder {
	struct card *card;    /* owned */
	struct keyfile *file; /* owned */
	const char *asks;     /* the name of its PIN: "pin" of the card, "key-pin" of a token */
	uint8_t id[32];
	size_t id_n;
	struct buf spki; /* owned */
	enum key_kind kind;
};
void holder_drop(struct holder *h);
/* The My Number Card: opened, tries told, PIN asked, logged in, its signature certificate read. */
err holder_card(struct inkan *k, struct holder *h, struct buf *certificate) CHECKED;
/* The subscriber's key, made or opened; made where `make` says so. */
err holder_make(struct inkan *k, struct holder *h, struct state *s, struct buf *kept, struct buf *id_hex) CHECKED;
err holder_own(struct inkan *k, struct holder *h, const struct state *s) CHECKED;
/* One signature; a card asks for its PIN again: the act of will. */
err holder_sign(struct inkan *k, struct holder *h, enum sig_alg alg, slice message, struct buf *out) CHECKED;
/* The CMS over a document by the holder of this certificate's key; what comes out was verified. */
err holder_sign_document(struct inkan *k, struct holder *h, slice certificate, slice text, struct buf *cms) CHECKED;

/* --- issuer.c: certificates and what is said of them -------------------------------------------- */
/* PEM or DER to DER. */
err certificate_of_file(slice file, struct buf *der) CHECKED;
/*
 * The issuer's certificate, pinned in DIR; the first time it is fetched (or read
 * from --issuer) and the person confirms its fingerprint.
 */
err issuer_pin(struct inkan *k, struct buf *der, struct cert *out, struct key **key) CHECKED;
/* The same without asking: what is pinned or named; *pinned says whether a person confirmed it. */
err issuer_find(struct inkan *k, struct buf *der, struct cert *out, struct key **key, bool *pinned) CHECKED;

enum word { WORD_GOOD = 1, WORD_REVOKED, WORD_NONE };
struct status_said {
	enum word ocsp, crl;
	instant ocsp_at, ocsp_revoked, crl_at, crl_revoked;
	err ocsp_err, crl_err; /* why there is no word */
};
/* Asks OCSP at the certificate's address, and reads the CRL of its distribution point; both verified. */
void status_ask(struct inkan *k, const struct cert *c, const struct cert *issuer, const struct key *issuer_key,
    struct status_said *out);
err status_ocsp(struct inkan *k, const struct cert *c, const struct cert *issuer, struct status_said *out) CHECKED;
void status_say(struct inkan *k, const struct status_said *s);

/* --- promise.c: the books keep what was promised --------------------------------------------------- */
/* An entry the service answered with: {n, at, line}, kept in DIR until and after the tree covers it. */
struct promise {
	uint64_t n;
	instant at;
	struct buf line; /* owned */
};
void promise_drop(struct promise *p);
/* Reads the service's answer, checks that line and numbers agree, says it, keeps it. */
err promise_take(struct inkan *k, slice answer, struct promise *out) CHECKED;
/* Its line records this act ("certificate.revoked"). */
bool promise_is(const struct promise *p, const char *act);
/* Is it in the published tree?  ERR_BUSY promise-early: the checkpoint does not reach it yet; ERR_POLICY: broken. */
err promise_check(struct inkan *k, const struct promise *p) CHECKED;
/* The same, said; only books that say otherwise than was promised are an error. */
err promise_tell(struct inkan *k, const struct promise *p) CHECKED;
/* All of DIR; says each; ERR_POLICY when one is broken. */
err promises_check(struct inkan *k) CHECKED;

/* --- commands ------------------------------------------------------------------------------------------ */
enum done cmd_apply(struct inkan *k);
enum done cmd_status(struct inkan *k);
enum done cmd_receive(struct inkan *k);
enum done cmd_revoke(struct inkan *k);
enum done cmd_withdraw(struct inkan *k);
enum done cmd_verify(struct inkan *k);
enum done cmd_fingerprint(struct inkan *k);

#endif
