/*
 * order_send.h - what goes out of the house: calls and letters through messenger, files through publisher.
 *
 * Depends on: base, der, text, body.  Pure.
 *
 * Bodies of ORDER_CALL, ORDER_MAIL, ORDER_MIRRORS and ORDER_FILE (order.h); errors and borrowing as there.  ORDER_SLOTS, ORDER_WITHDRAW and
 * ORDER_TILES carry bodies of order_sign.h and order_desk.h on.
 */
#ifndef ACT_ORDER_SEND_H
#define ACT_ORDER_SEND_H

#include "act/body.h"
#include "base/base.h"

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
err mirrors_reply_get(slice body, struct mirrors_reply *out) CHECKED;
void mirrors_reply_put(struct buf *b, const struct mirrors_reply *r);
err call_order_get(slice body, struct call_order *out) CHECKED;
void call_order_put(struct buf *b, const struct call_order *o);
err mail_order_get(slice body, struct mail_order *out) CHECKED;
void mail_order_put(struct buf *b, const struct mail_order *o);
err file_order_get(slice body, struct file_order *out) CHECKED;
void file_order_put(struct buf *b, const struct file_order *o);

#endif
