/*
 * application.h - the application of Rule 6(ii) and 6(iii-2)イ: one signed object
 *                 with the intent, the explanation's confirmation and the public
 *                 key.
 *
 * Depends on: base, der, hash, key, time, text, cert, cms, request, document.  Pure.
 *
 * A CMS (pki/cms) whose content is document A-1 with a PKCS#10 whose
 * challengePassword equals the document's nonce line and whose self-signature
 * proves possession of the subscriber key.  What is judged here needs neither
 * trust nor clock; identity.h judges who signed.
 *
 * Values: date, times: RFC 3339 as base/time; birth date 1990-12-31 (or
 * "unknown" parts as 0000-00-00 patterns of the card: 1990-00-00); sex
 * male | female | unknown; contact an e-mail address, or "letter"; validity 1..5
 * (years); terms and explanation 64 hex digits; language ja | en; key kept in
 * "file" or "token: <model> <serial>"; helped by "-" or "<name>, <relation>".
 *
 * ERR_INPUT cms-…, document-…, text-…, request-…, birth, and application-signer,
 * -long, -contact, -key, -helped, -explanation, -challenge; ERR_POLICY key-…
 * (CR-1), request-possession, cms-message-digest.
 */
#ifndef ACT_APPLICATION_H
#define ACT_APPLICATION_H

#include "act/document.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/time.h"
#include "pki/cms.h"
#include "pki/request.h"

#define CONTACT_MAX 254         /* bytes of a mail address, RFC 5321 4.5.3.1 */
#define NONCE_TEXT_MAX 128
#define NAME_CHARACTERS_MAX 200 /* of a name or an address: JPKI's own limit for an address */

enum sex { SEX_MALE = 1, SEX_FEMALE = 2, SEX_UNKNOWN = 3 };

struct application {
	struct cms cms;          /* borrows from the bytes given to application_get */
	digest document;         /* SHA-256 of the CMS bytes: the application's name */
	struct document text;
	slice profile, name, address, contact, nonce;
	int birth_year, birth_month, birth_day; /* 0: unknown */
	enum sex sex;
	int validity_years;
	digest terms, explanation;
	instant date, shown, confirmed;
	struct buf request_der;  /* owned */
	struct request request;  /* borrows from request_der */
	struct key *key;         /* owned: the subscriber's */
};

/*
 * Everything the bytes themselves can say; the possession proof is checked here
 * (one signature check).  Slices borrow from `cms`, which must outlive `out`.
 * On refusal nothing is left to drop.
 */
err application_get(slice cms, struct application *out) CHECKED;
/* The same for one of many: `like` as key_get_spki_like() has it. */
err application_get_like(slice cms, const struct key *like, struct application *out) CHECKED;
void application_drop(struct application *a);

/* Birth date of the document's value: "1990-12-31"; a part of zeros is unknown. */
err birth_get(slice s, int *year, int *month, int *day) CHECKED;
void birth_put(struct buf *b, int year, int month, int day);

#endif
