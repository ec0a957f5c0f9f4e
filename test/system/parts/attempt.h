/*
 * attempt.h - what an attacker with the registrar's code says, and how a test tells whether it worked.
 *
 * Link it with "LINK: test/system/parts/attempt.c test/system/parts/signers.c test/jpki/make.c".
 *
 * HOME was made by `inkanctl init`; the keys of the CA are in its token and only there.  The trust file is replaced by one
 * that pins the same CA and three persons whose keys the test has, so that it can also say what true documents do.
 */
#ifndef TEST_SYSTEM_PARTS_ATTEMPT_H
#define TEST_SYSTEM_PARTS_ATTEMPT_H

#include "act/decision.h"
#include "act/issue.h"
#include "act/profile.h"
#include "act/trust.h"
#include "base/base.h"
#include "test/jpki/make.h"
#include "test/system/parts/signers.h"

#define SERVICE "Inkan Test CA"

struct attack {
	int tests, failures;
	const char *libexec, *home, *world;
	struct buf pin, status_pin, crl;
	struct house *house;
	struct trust *trust;
	struct profile *profile;
	struct ruleset *ruleset;
	digest crl_digest;
	struct process p;
	unsigned serials, honest; /* drawn; certificates that came out rightly */
};
extern struct attack w;

struct attempt {
	struct signer *own;
	struct buf cms, decision, answer;
	struct make_application says;
	struct world_person person;
	struct issue_order o;
	/* what the registrar plans with, where it is not what the application says */
	slice spki, name;
	int years;
};

struct subject { /* a certificate of the house, with all that belongs to it */
	struct signer *own;
	struct buf cms, certificate;
};

/* A line of TAP. */
void is(bool good, const char *name);
/* The stage itself: where it fails there is nothing to say. */
void need(bool yes, const char *what);
/* A command, with two words put in. */
void shell(const char *format, const char *a, const char *b);
/* Refused with this code. */
bool says(const struct reply *r, const char *code);
/* Files of the world and of the house. */
void world_file(const char *name, struct buf *out);
void home_file(const char *name, struct buf *out);
/* The signer in w.p, with the PIN. */
void start(const char *mode);
/* What a registrar hands over. */
const struct reply *rules(slice profile, slice ruleset, slice approval);
const struct reply *true_rules(void);
const struct reply *list(slice bytes);
/* An issuer that has all it needs for books of this size. */
void open_issuer(uint64_t size);
void attempt_drop(struct attempt *a);
/* The registrar's own plan for what the attempt says: .o.tbs. */
void plan(struct attempt *a);
/* A whole order for a.cms: fresh serial, now, by rule. */
void order(struct attempt *a);
/* An application by this card, unsigned yet: the caller may change what it says; then sign_by(). */
void begin(struct attempt *a, const char *card);
void sign_by(struct attempt *a, const char *card);
/* A true application by a card, ordered rightly. */
void apply(struct attempt *a, const char *card);
const struct reply *issue(const struct attempt *a);
const char *hex_of(serial s);
/* The honest way works: else nothing that is refused would mean anything. */
void comes_out(const char *name, const struct attempt *a, struct buf *certificate);
/*
 * Refused with this code, nothing signed under that serial; what a person or the law refuses stands in the journal, what
 * is only not possible now does not.
 */
void is_refused(const char *name, const struct attempt *a, const char *code);
void time_text(instant t, char out[RFC3339_LEN + 1]);
/* A command in HOME. */
void at_home(const char *command);
/* A certificate of the house, with all that belongs to it. */
void certify(struct subject *s, const char *card, const char *name);
void subject_drop(struct subject *s);
/* LIBEXEC HOME WORLD: lists of today and of three days ago, a card revoked since, the trust file. */
void prepare(char **argv);

#endif
