#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_sign.h"
#include "base/key.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "edge/log.h"
#include "role/signer/hand.h"

struct hand {
	struct starter *starter;
	unsigned key;
	struct buf spki;
	char refused[512];
	struct link *link; /* NULL: none is up */
	uint64_t next_id;
	unsigned failures; /* since the last signature */
	int64_t rest_until;
	size_t begun;  /* tickets that are in the hand already */
	uint64_t base; /* the first one's id: ids count tickets */
	uint64_t logins;
};

void
hand_new(struct starter *s, unsigned key, slice spki, const char *refused, struct hand **out)
{
	struct hand *h = mem_new(1, sizeof *h);

	h->starter = s;
	h->key = key;
	h->spki = BUF(SPKI_MAX);
	buf_put(&h->spki, spki);
	snprintf(h->refused, sizeof h->refused, "%s", refused);
	*out = h;
}

void
hand_drop(struct hand **h)
{
	if (*h == NULL)
		return;
	link_drop(&(*h)->link);
	buf_drop(&(*h)->spki);
	free(*h);
	*h = NULL;
}

/* One failure, or two, may be a moment's: another hand at once.  More: a pause that grows, so that no token is stormed. */
void
hand_end(struct hand *h)
{
	int64_t rest = h->failures < 2 ? 0 : h->failures > 5 ? HAND_REST_MS : HAND_REST_MS >> (6 - h->failures);

	link_drop(&h->link); /* the next start kills it, however stuck it is */
	h->failures++;
	h->rest_until = clock_steady_ms() + rest;
}

/* Durable before anything else is done: the next start of this signer must see it. */
static err
write_refused(const struct hand *h)
{
	static const char TEXT[] = "The token refused the PIN.  Nothing tries it again while this file is here.\n"
	                           "Give the right PIN to inkand, remove this file, start the signers.\n";
	int fd = open(h->refused, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), dir;
	char folder[512], *slash;

	if (fd < 0)
		return fail_why(ERR_WORLD, "hand-pin-file: house: a refused PIN cannot be noted", errno);
	if (write(fd, TEXT, sizeof TEXT - 1) != (ssize_t)(sizeof TEXT - 1) || fsync(fd) != 0) {
		int why = errno;

		close(fd);
		return fail_why(ERR_WORLD, "hand-pin-file: house: a refused PIN cannot be noted", why);
	}
	close(fd);
	snprintf(folder, sizeof folder, "%s", h->refused);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		return ok;
	*slash = '\0';
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) != 0) {
		int why = errno;

		if (dir >= 0)
			close(dir);
		return fail_why(ERR_WORLD, "hand-pin-file: house: a refused PIN cannot be noted", why);
	}
	close(dir);
	return ok;
}

/* The refusals a hand may answer with, as our own static texts: what a peer sends is never trusted to be one. */
static err
of_frame(const struct frame *f)
{
	static const struct {
		const char *code;
		enum err_kind kind;
		const char *what;
	} KNOWN[] = {
	    {"hsm-pin", ERR_POLICY, "hsm-pin: PKCS#11 C_Login: the token refused the PIN; it is not tried again"},
	    {"hsm-pin-locked", ERR_POLICY, "hsm-pin-locked: PKCS#11 C_Login: the token takes no PIN any more"},
	    {"hsm-session", ERR_BUSY, "hsm-session: PKCS#11: the session or its login is lost"},
	    {"hsm-gone", ERR_BUSY, "hsm-gone: PKCS#11: the token is not there or its device failed"},
	    {"hsm-token", ERR_BUSY, "hsm-token: RFC 7512: the token the URI names is not there"},
	    {"hsm-key", ERR_WORLD, "hsm-key: RFC 7512: the URI names no private key on the token, or more than one"},
	    {"hsm-mechanism", ERR_WORLD, "hsm-mechanism: PKCS#11: the key or the token does not sign this way"},
	};
	slice rest = f->what, code;

	if (f->fail == OK)
		return ok;
	if (slice_cut(&rest, ':', &code))
		for (size_t i = 0; i < COUNT(KNOWN); i++)
			if (slice_eq(code, slice_str(KNOWN[i].code)))
				return fail(KNOWN[i].kind, KNOWN[i].what);
	return fail(ERR_WORLD, "hand-refused: house: the hand could not sign; its own log says why");
}

/* Asks one thing and waits for its answer. */
static err
ask(struct hand *h, uint8_t kind, slice body, struct buf *out)
{
	struct frame f;
	slice s;

	link_order(h->link, kind, ++h->next_id, body);
	TRY(link_wait(h->link, HAND_LATE_MS, &f));
	if (f.kind != kind || f.id != h->next_id)
		return fail(ERR_WORLD, "hand-answer: house: the hand answered something else");
	TRY(of_frame(&f));
	if (out == NULL)
		return ok;
	TRY(octets_get(f.body, &s));
	buf_put(out, s);
	return buf_check(out);
}

static err
greet(struct hand *h, slice pin)
{
	struct buf body OWNED(buf_drop) = BUF(SECRET_MAX + 16), spki OWNED(buf_drop) = BUF(SPKI_MAX);
	err e;

	octets_put(&body, pin);
	e = ask(h, ORDER_PIN, buf_slice(&body), NULL);
	wipe(body.p, body.n);
	if (e.kind == ERR_POLICY) {
		TRY(write_refused(h));
		return fail_why(ERR_WORLD, e.what, e.why); /* not the order is refused: an operator must look */
	}
	TRY(e);
	TRY(ask(h, ORDER_KEY, (slice){NULL, 0}, &spki));
	if (!slice_eq(buf_slice(&spki), buf_slice(&h->spki)))
		return fail(ERR_WORLD, "hand-key: design law 4: the key in the token is not the key of the trust file");
	return ok;
}

err
hand_ready(struct hand *h, slice pin)
{
	int fd;
	err e;

	if (h->link != NULL)
		return ok;
	if (pin.n == 0)
		return fail(ERR_BUSY, "hand-no-pin: house: the token's PIN was not given yet");
	if (clock_steady_ms() < h->rest_until)
		return fail(ERR_BUSY, "hand-rest: house: the hand failed a moment ago; it is started again shortly");
	if (access(h->refused, F_OK) == 0)
		return fail(ERR_WORLD, "hand-pin-refused: house: the token refused this PIN before; a person must clear that");
	TRY(starter_start(h->starter, h->key, &fd));
	h->link = link_new(fd, PEER_HAND, h->key);
	e = greet(h, pin);
	if (e.kind != OK) {
		hand_end(h);
		log_err(LOG_ALARM, e);
		return e.kind == ERR_ABSENT ? fail(ERR_BUSY, "hand-died: house: the hand ended before it could sign") : e;
	}
	h->logins++;
	return ok;
}

uint64_t
hand_logins(const struct hand *h)
{
	return h->logins;
}

static err
lost(void)
{
	return fail(ERR_BUSY, "hand-lost: house: the hand was lost while it signed; the same bytes are signed again");
}

static err
keep(struct buf *signature, slice s)
{
	buf_clear(signature);
	buf_put(signature, s);
	return buf_check(signature);
}

/*
 * Takes answers until `want` are in or the hand is late.  An order's id is its first ticket's, and ids count up from
 * `base`, one for each ticket.
 */
static err
take(struct hand *h, uint64_t base, size_t sent, size_t *answered, size_t want, struct buf *signature, err *outcome)
{
	struct frame f;
	slice s;

	while (*answered < want) {
		struct sign_many_reply r = {.n = 1};
		size_t at;

		TRY(link_wait(h->link, HAND_LATE_MS, &f));
		if ((f.kind != ORDER_SIGN && f.kind != ORDER_SIGN_MANY) || f.id < base || f.id - base >= sent)
			return fail(ERR_WORLD, "hand-answer: house: the hand answered something else");
		at = (size_t)(f.id - base);
		if (f.fail != OK) {
			outcome[at] = of_frame(&f);
			return outcome[at];
		}
		if (f.kind == ORDER_SIGN_MANY)
			TRY(sign_many_reply_get(f.body, &r));
		else {
			TRY(octets_get(f.body, &s));
			r.signature[0] = s;
		}
		if (r.n == 0 || r.n > sent - at)
			return fail(ERR_WORLD, "hand-answer: house: the hand answered something else");
		for (size_t i = 0; i < r.n; i++) {
			TRY(keep(&signature[at + i], r.signature[i]));
			outcome[at + i] = ok;
		}
		*answered += r.n;
	}
	return ok;
}

static err
send_one(struct hand *h, struct ticket *t)
{
	struct buf body OWNED(buf_drop) = BUF(20 << 10), bytes OWNED(buf_drop) = BUF(16 << 10);

	TRY(ticket_spend(t, &bytes));
	TRY(buf_check(&bytes));
	sign_order_put(&body, &(struct sign_order){ticket_alg(t), buf_slice(&bytes)});
	link_order(h->link, ORDER_SIGN, ++h->next_id, buf_slice(&body));
	h->begun++;
	return ok;
}

/* Up to SIGN_MANY_MAX of one algorithm in one order. */
static err
send_many(struct hand *h, size_t n, struct ticket *const *t)
{
	struct buf body OWNED(buf_drop) = BUF(16 << 10), bytes OWNED(buf_drop) = BUF(SIGN_MANY_MAX * SHA512_LEN);
	struct sign_many_order o = {.alg = ticket_alg(t[0])};
	size_t at[SIGN_MANY_MAX];

	while (o.n < n && o.n < SIGN_MANY_MAX && ticket_alg(t[o.n]) == o.alg) {
		at[o.n] = bytes.n;
		TRY(ticket_spend(t[o.n], &bytes));
		o.n++;
	}
	TRY(buf_check(&bytes));
	for (size_t i = 0; i < o.n; i++)
		o.bytes[i] = (slice){bytes.p + at[i], (i + 1 < o.n ? at[i + 1] : bytes.n) - at[i]};
	sign_many_order_put(&body, &o);
	TRY(buf_check(&body));
	link_order(h->link, ORDER_SIGN_MANY, h->next_id + 1, buf_slice(&body));
	h->next_id += o.n;
	h->begun += o.n;
	return ok;
}

/* One order more: a text of any length goes alone, hashes go together. */
static err
send_next(struct hand *h, size_t n, struct ticket *const *t)
{
	if (n == 1 || ticket_alg(t[0]) == SIG_ED25519)
		return send_one(h, t[0]);
	return send_many(h, n, t);
}

static err
begin(struct hand *h, size_t n, struct ticket *const *t)
{
	h->base = h->next_id + 1;
	while (h->begun < n && h->begun < HAND_IN_FLIGHT)
		TRY(send_next(h, n - h->begun, t + h->begun));
	return link_flush(h->link);
}

void
hand_begin(struct hand *h, size_t n, struct ticket *const *t)
{
	assert(h->begun == 0);
	if (h->link == NULL || begin(h, n, t).kind == OK)
		return;
	link_drop(&h->link); /* hand_sign says that it is lost */
	h->begun = 0;
}

static err
sign_all(struct hand *h, size_t n, struct ticket *const *t, struct buf *signature, err *outcome)
{
	size_t answered = 0;

	if (h->begun == 0)
		TRY(begin(h, n, t));
	while (h->begun < n) {
		TRY(take(h, h->base, h->begun, &answered, answered + 1, signature, outcome));
		TRY(send_next(h, n - h->begun, t + h->begun));
		TRY(link_flush(h->link));
	}
	return take(h, h->base, n, &answered, n, signature, outcome);
}

void
hand_sign(struct hand *h, size_t n, struct ticket *const *t, struct buf *signature, err *outcome)
{
	bool gone = h->link == NULL;
	err e = ok;

	for (size_t i = 0; i < n; i++)
		outcome[i] = lost();
	if (gone) {
		h->begun = 0;
		return;
	}
	e = sign_all(h, n, t, signature, outcome);
	h->begun = 0;
	for (size_t i = 0; i < n; i++)
		gone = gone || (outcome[i].kind == ERR_BUSY || outcome[i].kind == ERR_WORLD);
	if (e.kind != OK)
		log_err(LOG_ALARM, e);
	if (e.kind != OK || gone)
		hand_end(h);
	else
		h->failures = 0;
}
