/*
 * line.h - one line of a book: an act of Rule 12(1), or a step in a signer's
 *          journal; and the openings of what it commits to.
 *
 * Depends on: base, cert (serial), body (dossier_id).  Pure.
 *
 * Format 1.  One JSON object without white space, members in this order, all of
 * them always there; the bytes without the newline are the Merkle leaf, so equal
 * facts give equal bytes and only those bytes are read:
 *
 *   {"n":0,
 *    "at":"2026-11-22T01:02:03.004Z",       one for all lines of a turn
 *    "act":"application.received",          see enum act
 *    "about":"<dossier: 32 hex>"            or "<issuer key id: 40 hex>:<serial: hex>", or "" for the house itself
 *    "by":{"kind":"rule","id":"…"},         who did it; id never holds personal data
 *    "under":"<64 hex>",                    digest of the accredited baseline in force; in a journal: of the trust file
 *    "rule":["B-2","B-3.2イ"],              requirement ids of domain.md
 *    "evidence":["<64 hex>",…],             names of members of the packs (either family)
 *    "body":{…}}                            what the act adds; strings, naturals, true/false, lists, objects
 *
 * act, by.id and the rules are written without escapes (no quote, backslash or
 * control); in the body strings are escaped as base/json writes them and no
 * other way, numbers are naturals without leading zeros, null does not exist.
 *
 * Personal data never stands in a line.  A personal field is a member of the
 * body itself (not deeper) whose value is "c:" and 64 hex digits:
 * SHA-256(salt of 16 bytes ‖ value); its opening is a line of its own beside the
 * book: {"n":<the line's>,"field":"name","salt":"<32 hex>","value":"…"}.  No
 * other member of the body itself has such a value.
 */
#ifndef ACT_LINE_H
#define ACT_LINE_H

#include "act/body.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "pki/cert.h"

#define LINE_MAX (16U << 10)     /* bytes without LF: a line is read whole, a person reads it in a terminal */
#define LINE_BODY_MAX (8U << 10) /* of them the body: the rest is at most 16 digests and 16 rules           */
#define LINE_RULES_MAX 16
#define LINE_RULE_MAX 24     /* bytes of a requirement id */
#define LINE_EVIDENCE_MAX 16 /* a baseline names trust file, profile, rule set, approval, terms, explanations, CPS */
#define LINE_ID_MAX 64       /* bytes of by.id            */
#define LINE_DEPTH_MAX 4     /* brackets within brackets in a body */
#define SALT_LEN 16
#define OPENING_MAX (8U << 10) /* bytes of an opening without LF */
#define OPENING_FIELD_MAX 32   /* bytes of a field's name        */

/* Every act there is; a new one takes its place here and in the table of line.c, with its class of Rule 12(1). */
enum act {
	ACT_BASELINE_SET = 1,
	ACT_RULESET_APPROVED,
	ACT_PERMISSION_GRANTED,
	ACT_PERMISSION_WITHDRAWN,
	ACT_AUTOMATION_STOPPED,
	ACT_AUTOMATION_RESUMED,
	ACT_EXPLANATION_ACKNOWLEDGED,
	ACT_APPLICATION_RECEIVED,
	ACT_APPLICATION_WITHDRAWN,
	ACT_IDENTITY_VERIFIED,
	ACT_IDENTITY_FAILED,
	ACT_IDENTITY_MISMATCH,
	ACT_IDENTITY_UNCHECKED,
	ACT_APPLICATION_ACCEPTED,
	ACT_APPLICATION_REFUSED,
	ACT_CERTIFICATE_ORDERED,
	ACT_CERTIFICATE_VOIDED,
	ACT_CERTIFICATE_ISSUED,
	ACT_NOTICE_SENT,
	ACT_CERTIFICATE_DELIVERED,
	ACT_RECEIPT_RECEIVED,
	ACT_KEY_ERASED,
	ACT_REMINDER_SENT,
	ACT_REVIEW_OPENED,
	ACT_REVIEW_EXTENDED,
	ACT_REVOCATION_REQUESTED,
	ACT_CERTIFICATE_REVOKED,
	ACT_REVOCATION_REFUSED,
	ACT_USER_NOTIFIED,
	ACT_CRL_PUBLISHED,
	ACT_OCSP_PUBLISHED,
	ACT_CHECKPOINT_SIGNED,
	ACT_KEY_GENERATED,
	ACT_KEY_ACTIVATED,
	ACT_KEY_RETIRED,
	ACT_OPERATION_DONE,
	ACT_ACCIDENT_NOTED,
	ACT_EVIDENCE_ERASED, /* retention ended: body names what; its openings or members are gone by law */
	/* a signer's journal */
	ACT_INTENT,
	ACT_SIGNED,
	ACT_REFUSED,
	ACT_VOID,
	ACT_REVOKED, /* a serial enters the revoked set */
	ACT_SEEN,    /* a head of the books, the confirmed clock: what the signer must remember */
	ACT_COUNT,
};
const char *act_name(enum act a);  /* "application.received" */
const char *act_class(enum act a); /* "1ロ"; "-" for a journal's */
err act_get(slice name, enum act *out) CHECKED;

enum by {
	BY_APPLICANT = 1,
	BY_RULE,
	BY_OFFICER,
	BY_RESPONSIBLE,
	BY_REGISTRAR,
	BY_ISSUER,
	BY_STATUS,
	BY_MESSENGER,
	BY_PUBLISHER,
	BY_CLOCK,
	BY_OPERATOR,
	BY_COUNT,
};
const char *by_name(enum by k);

enum about { ABOUT_HOUSE = 1, ABOUT_DOSSIER, ABOUT_CERTIFICATE };

struct line {
	uint64_t n;
	instant at;
	enum act act;
	enum about about;
	dossier_id dossier;       /* ABOUT_DOSSIER     */
	uint8_t issuer[SHA1_LEN]; /* ABOUT_CERTIFICATE */
	serial serial;            /* ABOUT_CERTIFICATE */
	enum by by;
	slice by_id;
	digest under;
	size_t n_rules, n_evidence;
	slice rule[LINE_RULES_MAX];
	digest evidence[LINE_EVIDENCE_MAX];
	slice body; /* the whole object, "{…}" */
};

/*
 * Appends the line, without LF.  Asserts what we ourselves must have got right:
 * limits, characters, a body that reads back.
 */
void line_put(struct buf *b, const struct line *l);
/*
 * Reads exactly what line_put writes; slices borrow from `in`.  ERR_INPUT
 * line-…: a line that says the same in other bytes is refused too.
 */
err line_get(slice in, struct line *out) CHECKED;
/* The body's members, read with base/json; owned by the caller (json_drop).  `l` comes from line_get. */
err line_body(const struct line *l, struct json **out) CHECKED;

/* SHA-256(salt ‖ value). */
digest commitment_of(const uint8_t salt[SALT_LEN], slice value);
/* True (and the digest) where a text of a body is a commitment. */
bool commitment_get(slice text, digest *out);
/*
 * Writes a personal field: `"field":"c:…"` into a body that is being written, and
 * its opening (without LF) into `opening`, for line n.  The salt is fresh random
 * bytes, never used twice; an empty value is committed to like any other.
 */
void line_put_personal(
    struct buf *body, struct buf *opening, uint64_t n, const char *field, slice value, const uint8_t salt[SALT_LEN]);
/* Walks the body's personal fields: *iter starts NULL; false at the end.  `body` comes from line_body. */
bool line_next_personal(const struct json *body, void **iter, slice *field, digest *commitment) CHECKED;

struct opening {
	uint64_t n;
	slice field, value; /* borrow from doc */
	uint8_t salt[SALT_LEN];
	struct json *doc; /* owned */
};
void opening_put(struct buf *b, uint64_t n, slice field, const uint8_t salt[SALT_LEN], slice value);
/* Reads exactly what opening_put writes.  ERR_INPUT opening-…. */
err opening_get(slice in, struct opening *out) CHECKED;
void opening_drop(struct opening *o);

#endif
