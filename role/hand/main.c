/*
 * hand - one key on one token, for one signer.
 *
 *	hand MODULE URI FOLDER|- [UID] [weak]       descriptor 3: the signer
 *
 * HOLDS    one PKCS#11 module, one session, one key; the PIN, wiped when it ends.
 * HEARS    its signer only: the PIN once, then "which key" and "sign this".
 * TOUCHES  what the module touches: FOLDER is where a token in software keeps
 *          its files.
 * NEVER    is root once the PIN comes: module and login run as the role's user, then
 *          the jail closes (Landlock and system calls; not before, since a module
 *          reads what it likes where it likes while it starts).
 *          Sees a certificate, a book or a journal; decides anything.  It signs
 *          what it is told: the right to sign was spent before it got here.
 *
 * A session or login that is lost is opened anew once, here, with the same PIN;
 * if that does not help, the order is refused with the token's own code and this
 * process ends: its signer starts another.  One that hangs in the module is
 * killed by its signer.  A PIN that the token refuses is never tried twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_sign.h"
#include "edge/hsm.h"
#include "edge/ipc.h"
#include "edge/log.h"
#include "role/hand/hand.h"

enum state { START, READY };

#define LOCK_MS 2000 /* a login takes milliseconds; a signer gives its hand 5 s for all of it */
#define LOCK_LOOK_MS 5
#define SIGN_MOST (16U << 10) /* a hash, or for Ed25519 a whole checkpoint */

/* {type, from, when, most, then} */
static const struct gate GATE[] = {
    {ORDER_PIN, PEER_ISSUER, 1 << START, SECRET_MAX + 16, READY},
    {ORDER_KEY, PEER_ISSUER, 1 << READY, 0, GATE_STAY},
    {ORDER_SIGN, PEER_ISSUER, 1 << READY, SIGN_MOST, GATE_STAY},
    {ORDER_SIGN_MANY, PEER_ISSUER, 1 << READY, SIGN_MOST, GATE_STAY},
};

struct hand {
	const char *module, *folder;
	slice uri;
	uint32_t uid;
	bool weak;
	struct link *signer;
	struct secret pin;
	struct hsm *hsm;
	int state;
	bool ending; /* answer what is queued, then exit */
};

/*
 * A token in software is rewritten by every login, and for a moment it is not
 * whole: hands that open the same folder do it one after the other.  One that
 * hangs there is not waited for longer than LOCK_MS.
 */
static int
lock_folder(const char *folder)
{
	const struct timespec moment = {.tv_nsec = LOCK_LOOK_MS * 1000000L};
	int fd = strcmp(folder, "-") == 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int waited = 0; fd >= 0 && waited < LOCK_MS; waited += LOCK_LOOK_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			break;
		(void)nanosleep(&moment, NULL);
	}
	return fd;
}

static err
find_key(struct hand *h)
{
	TRY(hsm_open(h->module, h->uri, HSM_SIGN, &h->hsm));
	TRY(hsm_login(h->hsm, secret_slice(&h->pin)));
	return hsm_find(h->hsm);
}

static err
open_token(struct hand *h)
{
	struct jail j;
	int lock = lock_folder(h->folder);
	err e = find_key(h);

	if (lock >= 0)
		close(lock);
	TRY(e);
	hand_jail(h->folder, h->uid, h->weak, &j);
	return jail_enter(&j);
}

static err
sign_bytes(struct hand *h, enum sig_alg alg, slice bytes, struct buf *sig)
{
	err e = hsm_sign(h->hsm, alg, bytes, sig);

	if (hsm_is_lost(e)) {
		int lock = lock_folder(h->folder);
		err again = hsm_again(h->hsm, secret_slice(&h->pin));

		if (lock >= 0)
			close(lock);
		log_text(LOG_WARN, hsm_rv_name(e.why));
		TRY(again);
		buf_clear(sig);
		e = hsm_sign(h->hsm, alg, bytes, sig);
	}
	return e;
}

static err
sign(struct hand *h, slice body, struct buf *out)
{
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct sign_order o;

	TRY(sign_order_get(body, &o));
	TRY(sign_bytes(h, o.alg, o.bytes, &sig));
	octets_put(out, buf_slice(&sig));
	return ok;
}

static err
sign_many(struct hand *h, slice body, struct buf *out)
{
	struct buf all OWNED(buf_drop) = BUF(SIGN_MANY_MAX * SIG_MAX);
	struct sign_many_reply r = {0};
	struct sign_many_order o;
	size_t at[SIGN_MANY_MAX];

	TRY(sign_many_order_get(body, &o));
	for (; r.n < o.n; r.n++) {
		struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);

		TRY(sign_bytes(h, o.alg, o.bytes[r.n], &sig));
		at[r.n] = all.n;
		r.signature[r.n].n = sig.n;
		buf_put(&all, buf_slice(&sig));
	}
	for (size_t i = 0; i < r.n; i++)
		r.signature[i].p = all.p + at[i];
	sign_many_reply_put(out, &r);
	return ok;
}

static err
obey(struct hand *h, const struct frame *f, struct buf *out)
{
	slice pin;

	switch (f->kind) {
	case ORDER_PIN:
		TRY(octets_get(f->body, &pin));
		TRY(secret_set(&h->pin, pin));
		return open_token(h);
	case ORDER_KEY:
		octets_put(out, hsm_spki(h->hsm));
		return ok;
	case ORDER_SIGN_MANY:
		return sign_many(h, f->body, out);
	default:
		return sign(h, f->body, out);
	}
}

static err
turn(struct hand *h)
{
	struct frame f;
	bool have;

	TRY(link_fill(h->signer));
	while (!h->ending) {
		struct buf out OWNED(buf_drop) = BUF(SIGN_MANY_MAX * (SIG_MAX + 8));
		err e;

		TRY(link_next(h->signer, &have, &f));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), PEER_ISSUER, &h->state, &f));
		e = obey(h, &f, &out);
		if (e.kind == OK) {
			link_answer(h->signer, &f, buf_slice(&out));
			TRY(link_flush(h->signer)); /* the signer joins this one while we sign the next */
			continue;
		}
		log_err(LOG_WARN, e);
		if (e.why != 0)
			log_text(LOG_WARN, hsm_rv_name(e.why));
		link_refuse(h->signer, &f, e);
		h->ending = h->hsm == NULL || hsm_is_lost(e) || e.kind == ERR_WORLD || f.kind == ORDER_PIN;
	}
	return link_flush(h->signer);
}

static err
serve(struct hand *h)
{
	while (!h->ending || !link_is_empty(h->signer)) {
		struct pollfd p = {.fd = link_fd(h->signer), .events = POLLIN};

		if (!link_is_empty(h->signer))
			p.events |= POLLOUT;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return fail_why(ERR_WORLD, "hand-poll: house: the system refuses to wait", errno);
		if (h->ending)
			TRY(link_flush(h->signer));
		else
			TRY(turn(h));
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct hand h = {.state = START};
	uint64_t uid = 0;
	err e;

	log_open("hand");
	if (argc < 4 || argc > 6 || (argc > 4 && decimal_get(slice_str(argv[4]), UINT32_MAX, &uid).kind != OK)) {
		fputs("usage: hand MODULE URI FOLDER|- [UID] [weak], started by a signer on descriptor 3\n", stderr);
		return 2;
	}
	h.module = argv[1];
	h.uri = slice_str(argv[2]);
	h.folder = argv[3];
	h.uid = (uint32_t)uid;
	h.weak = argc == 6;
	h.signer = link_new(3, PEER_ISSUER, 0);
	e = jail_leave_root(h.uid); /* the module is foreign code: it is loaded, and sees the PIN, as the token's user */
	if (e.kind == OK)
		e = serve(&h);
	secret_drop(&h.pin);
	hsm_close(&h.hsm);
	link_drop(&h.signer);
	if (e.kind == OK || e.kind == ERR_ABSENT) /* the signer is gone: so are we */
		return 0;
	log_err(LOG_ALARM, e);
	return 1;
}
