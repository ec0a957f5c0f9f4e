/*
 * order_send.h - what goes out of the house: calls and letters through messenger, files through publisher.
 *
 * Depends on: base, time, der, text, body, cert (serials).  Pure.
 *
 * Bodies of ORDER_CALL, ORDER_MAIL, ORDER_MIRRORS, ORDER_FILE, ORDER_LAPSE and ORDER_LIST_TIMES (order.h); errors and
 * borrowing as there.  ORDER_SLOTS, ORDER_WITHDRAW and ORDER_TILES carry bodies of order_sign.h and order_desk.h on.
 */
#ifndef ACT_ORDER_SEND_H
#define ACT_ORDER_SEND_H

#include "act/body.h"
#include "base/base.h"
#include "base/time.h"
#include "pki/cert.h"

/* ORDER_CALL: bytes come back in parts, unjudged; only a verifier and the signers read them. */
enum call_kind { CALL_JLIS_OCSP = 1, CALL_JLIS_CRL };
struct call_order {
	enum call_kind kind; /* the URL is messenger's own: no one names addresses to it */
	slice
	    body; /* CALL_JLIS_OCSP: the request in DER; CALL_JLIS_CRL: which address in inkan.conf, in digits from 0; none: 0 */
};
/* ORDER_MAIL: one letter in plain text. */
struct mail_order {
	slice to, subject; /* one line each */
	slice text;        /* UTF-8, lines each ended by LF */
};
/* ORDER_FILE: one part of a file; it stands in repository/ whole, and only then, when the last has come. */
struct file_order {
	slice
	    path; /* below repository/: names of [a-z0-9._-] that begin with no dot, "/" between; at most 200 bytes; order-path */
	struct part part;
};
/* ORDER_MIRRORS: one copy of the repository each, as inkan.conf names them. */
#define MIRRORS_MAX 8 /* more copies are made from copies */
enum mirror_kind { MIRROR_FOLDER = 1, MIRROR_S3, MIRROR_PUT };
struct mirror_state {
	slice name; /* one line */
	enum mirror_kind kind;
	bool walking;      /* it is being looked at whole: after a gap, or at first   */
	uint64_t behind;   /* changes it does not show yet                            */
	uint64_t missing;  /* files it has yet to take or to lose: changes, what a look over everything has left, refused ones */
	instant whole_at;  /* when it last showed everything; never: when it was first heard of */
	uint64_t seconds;  /* since it last showed everything; 0: it does             */
	uint64_t pushed;   /* files put or removed since messenger started            */
	uint64_t failures; /* tries that failed since then                            */
	uint64_t in_a_row; /* … since the last that did not                           */
	slice trouble;     /* the last failure, "code: clause: sentence"; "-" where the last try went well */
	uint64_t refused;  /* files it does not take while it takes others            */
	slice refused_path, refused_why; /* the first of them; "-": none               */
};
struct mirrors_reply {
	size_t n;
	struct mirror_state mirror[MIRRORS_MAX];
};
/*
 * ORDER_LAPSE: the first "good" that readers get whose time ends, in the order of (nextUpdate, serial), behind a place in
 * it; the publisher knows no notAfter, so who knows it asks on behind what has ended.
 */
struct lapse_order {
	instant after;       /* nextUpdate           */
	bool has_serial;     /* without: from `after` on, itself too */
	serial after_serial;
};
enum lapse_state { LAPSE_LOOKING = 0 /* not known yet: ask again */, LAPSE_NONE, LAPSE_FOUND };
struct lapse_reply {
	enum lapse_state state;
	serial serial; /* and times, where found */
	instant this_update, next_update;
};
/* ORDER_LIST_TIMES: what stands in a published list; refused ERR_ABSENT where there is none. */
struct list_times_order {
	slice path; /* as file_order's */
};
struct list_times {
	instant this_update, next_update;
};
err lapse_order_get(slice body, struct lapse_order *out) CHECKED;
void lapse_order_put(struct buf *b, const struct lapse_order *o);
err lapse_reply_get(slice body, struct lapse_reply *out) CHECKED;
void lapse_reply_put(struct buf *b, const struct lapse_reply *r);
err list_times_order_get(slice body, struct list_times_order *out) CHECKED;
void list_times_order_put(struct buf *b, const struct list_times_order *o);
err list_times_get(slice body, struct list_times *out) CHECKED;
void list_times_put(struct buf *b, const struct list_times *t);
err mirrors_reply_get(slice body, struct mirrors_reply *out) CHECKED;
void mirrors_reply_put(struct buf *b, const struct mirrors_reply *r);
err call_order_get(slice body, struct call_order *out) CHECKED;
void call_order_put(struct buf *b, const struct call_order *o);
err mail_order_get(slice body, struct mail_order *out) CHECKED;
void mail_order_put(struct buf *b, const struct mail_order *o);
err file_order_get(slice body, struct file_order *out) CHECKED;
void file_order_put(struct buf *b, const struct file_order *o);

#endif
