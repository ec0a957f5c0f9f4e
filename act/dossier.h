/*
 * dossier.h - a certificate's file from application to retention end, and the
 *             house's own state, as folds over the books.
 *
 * Depends on: base, body, order_desk, order_judge, line, entry.  Pure.
 *
 * The books are the system (design, idea 1): what is true now follows from the
 * lines and nothing else.  dossier_apply() is one step of that fold; a projection
 * keeps its result and may be thrown away.  One table {state, act, next, refusal,
 * owes} says which act may follow in which state, what it leads to, what an
 * outsider is told who comes too early or too late, and which order the new state
 * owes to a helper: "select the states that owe and send again" is restart and
 * ordinary day alike.
 */
#ifndef ACT_DOSSIER_H
#define ACT_DOSSIER_H

#include "act/entry.h"
#include "act/body.h"
#include "act/order_desk.h"
#include "act/order_judge.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/cert.h"

#define JLIS_LISTS_MAX 8 /* generations of J-LIS's CA with a list each: three today */

/* What a dossier owes to a helper. */
enum owes {
	OWES_NOTHING = 0,
	OWES_VERIFY = 1, /* verifier: judge the application with fresh evidence                 */
	OWES_ISSUE = 2,  /* issuer: the certificate ordered                                     */
	OWES_NOTICE = 3, /* messenger: tell the subscriber of the revocation, Rule 6(xii)       */
	OWES_LETTER = 4, /* an officer: the same by letter, since no mail address was given     */
	OWES_PERSON = 5, /* an officer: a signed decision                                       */
	OWES_COUNT,
};
const char *owes_name(enum owes o);

/* What a review about a certificate asks: what its officer may answer with follows from it. */
enum question {
	QUESTION_NONE = 0,
	QUESTION_REVOCATION = 1, /* a request to revoke that no rule decides: V-2 or V-3 */
	QUESTION_RECEIPT = 2,    /* no receipt in time: V-2, X-1, or the receipt itself   */
};

/* CP 4.1.3 (domain 3): counted from the day of issue, which with simultaneous sending is the day of the notice. */
#define RECEIPT_REMIND_MS (14 * DAY_MS) /* then the subscriber is reminded                       */
#define RECEIPT_END_MS (30 * DAY_MS)    /* then an officer is asked: somebody else may have it    */

struct dossier {
	dossier_id id; /* first 16 bytes of .document                                  */
	uint64_t n;    /* of application.received                                      */
	enum dossier_state state;
	enum owes owes;
	bool accepted; /* decided, and no order made of it yet                         */
	bool review;   /* a review about the certificate (its revocation) is open      */
	instant received, since;
	digest document, key, card, token;
	uint8_t validity; /* years asked for                                              */
	uint16_t why_n;
	char why[WHY_MAX]; /* of a refusal or an open review                               */

	/* the last verdict on the applicant, as long as an order may come of it */
	instant judged;
	enum status_method method;
	digest status;
	uint8_t nonce[16];
	digest decision; /* an officer's document; zero: by rule                         */
	digest ruleset;  /* what decided by rule                                         */

	uint32_t orders; /* how many were made: voided ones too                          */
	serial serial;   /* of the order in force                                        */
	instant ordered, not_before;
	uint64_t ordered_n;
	digest tbs;

	digest certificate;
	instant issued, not_after;

	enum question question; /* of an open review about the certificate          */
	instant reminded;       /* of the receipt; zero: not                        */
	instant watch;          /* the receipt is looked for then; zero: not at all */

	digest receipt; /* the document                                                 */
	uint64_t receipt_n;

	instant revoked;
	uint64_t revoked_n;
	enum crl_reason reason;
	digest request;    /* the last document that asked for revocation …               */
	digest requester;  /* … and the certificate of the card or key that signed it     */
	uint64_t request_n; /* the line that answered it                                 */

	digest revocation; /* the document it rests on                                     */
	enum signer_kind revoker;
	instant revocation_judged;
	enum status_method revocation_method;
	digest revocation_status;
	uint8_t revocation_nonce[16];
};

/*
 * One step of the fold.  ERR_CORRUPT dossier-…: the line does not follow from
 * what came before it: the books are not what this house wrote.  *d is zero
 * before application.received.
 */
err dossier_apply(struct dossier *d, const struct entry *e) CHECKED;

/*
 * Whether an act may be entered now; the refusal is the outsider's text:
 * ERR_CONFLICT or ERR_ABSENT.
 */
err dossier_plan(const struct dossier *d, enum act act) CHECKED;

slice dossier_why(const struct dossier *d);
/* An officer's document accepted it: the order rests on that and on no rule set. */
bool dossier_is_by_officer(const struct dossier *d);
/* A certificate that is neither revoked nor expired. */
bool dossier_is_valid(const struct dossier *d, instant now);
/* Neither ended nor issued. */
bool dossier_is_open(const struct dossier *d);

/* --- the house's own state ----------------------------------------------------- */
/* The last document of one form that a responsible person signed: whatever is not newer was said before. */
struct said {
	instant at; /* the document's own date */
	digest document;
	uint64_t n; /* the line it made */
};

/*
 * A key that the responder's certificates are for: made by K-1, put to use when the status signer first stands with it, left
 * when it stands with another, and retired, which takes it out of this list, when no answer by it can be valid any more.
 */
#define RESPONDERS_MAX 4 /* as a status file has: one in use, and changes of the last two days */
struct responder_key {
	digest key;         /* of its SubjectPublicKeyInfo; zero: no such place in the list                        */
	digest certificate; /* evidence of the line; zero: the first, which was made with the house                */
	digest person;      /* SHA-256 of the label of who signed the first K-1                                    */
	uint64_t wants;     /* persons whose K-1 is still wanted                                                   */
	uint64_t n;         /* the line of the first K-1                                                           */
	instant made, used, left; /* left: another was put to use; zero while it is in use, and before            */
};

struct ledger {
	digest baseline;          /* in force: what every line names as `under`; zero before the first */
	digest ruleset, approval; /* in force */
	instant approval_from, approval_until;
	uint64_t ruleset_version;
	bool stopped;         /* automation, by a responsible person */
	uint64_t permissions; /* how many were recorded */
	uint64_t permission;  /* the highest number granted: they rise */
	struct said approved, automated, permitted; /* P-1, S-1, G-1 */
	uint64_t keys_made, keys_used; /* bits: issuer, ocsp, checkpoint */
	struct said made;              /* K-1 of a changed responder     */
	instant key_at; /* when the last key of a responder was recorded: no certificate of one before is of later */
	uint8_t off_key[TRUST_PERSONS_MAX][SHA256_LEN]; /* whose duties were withdrawn … */
	uint8_t off_duties[TRUST_PERSONS_MAX];          /* … and not given back           */

	uint64_t last_other_n; /* the last line that is no checkpoint.signed; 0 with empty books */
	bool any_other;
	uint64_t checkpoint_size, checkpoint_n; /* …_n: the line that says so */
	uint64_t checkpoint_before;             /* size of the one before     */
	digest checkpoint_root;
	instant checkpoint_at;

	uint64_t revoked_end; /* the line after the last certificate.revoked */
	uint64_t crl_number, crl_covers; /* all certificate.revoked below line `covers` stand in it */
	uint64_t crl_complete;           /* number of the last complete list of all certificates    */
	instant crl_at, crl_next;        /* crl_at: when every list was last made anew               */

	instant wheel; /* OCSP answers were made anew of all that was due by it */

	/* the lists of J-LIS now in use, one of each of its CAs; a zero digest: none */
	struct {
		digest digest;
		instant this_update, next_update;
	} jlis[JLIS_LISTS_MAX];

	struct head issuer, status; /* the journals' heads as the books have them */

	struct responder_key responder[RESPONDERS_MAX];
};

err ledger_apply(struct ledger *h, const struct entry *e) CHECKED;
/* Duties withdrawn from the person with this key. */
unsigned ledger_withdrawn(const struct ledger *h, digest key);
/* The responder's key with this digest, of those not retired; the one put to use last: NULL where there is none. */
const struct responder_key *ledger_find_responder(const struct ledger *h, digest key);
const struct responder_key *ledger_responder(const struct ledger *h);
/* A list of J-LIS that is in use; false: none has this number. */
bool ledger_has_list(const struct ledger *h, size_t which);
/* The books hold something no signed checkpoint covers. */
bool ledger_owes_checkpoint(const struct ledger *h);

#endif
