/*
 * heartbeat.h - what the house says about itself to an outside monitor, whose alarm is silence.
 *
 * Depends on: base, time, key, json, numbers.  Pure.
 *
 * Two lines of text:
 *
 *   {"heartbeat":1,"house":"…","sequence":…,"time":"…","every_s":…,"alarms":[…],"warnings":[…],"numbers":{…}}
 *   base64 of an Ed25519 signature over the first line with its newline
 *
 * Numbers and codes only, no personal data.  The sequence rises with each, also over a restart (it is the time in
 * milliseconds, or one more than the last), so that an old heartbeat is known for one.
 */
#ifndef ACT_HEARTBEAT_H
#define ACT_HEARTBEAT_H

#include "act/numbers.h"
#include "base/base.h"
#include "base/json.h"
#include "base/key.h"
#include "base/time.h"

#define HEARTBEAT_MAX (64U << 10)
#define HEARTBEAT_NAME_MAX 120
#define HEARTBEAT_EVERY_S_MAX 3600

struct heartbeat {
	slice house;
	uint64_t sequence, every_s;
	instant time;
	json alarms; /* list of texts; lives as long as the document */
};

/* The first line, with its newline: what is signed. */
void heartbeat_put_text(struct buf *b, const struct heartbeat *h, const struct numbers *n);
/* The second. */
void heartbeat_put_signature(struct buf *b, slice signature);
/*
 * Signature first, then the words; *doc owns what *out borrows.  ERR_INPUT heartbeat-form; ERR_POLICY
 * heartbeat-signature.
 */
err heartbeat_get(slice in, const struct key *k, struct json **doc, struct heartbeat *out) CHECKED;

#endif
