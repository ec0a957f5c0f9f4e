/*
 * hand.c - the twin of role/signer/hand.c for tests in one process: a key in
 *          memory, and a plan of what goes wrong.
 *
 * test_hands[k] is told what key hand k holds and how its signatures fail; see
 * test/edge/hand.h.
 */
#include "test/edge/hand.h"
#include "test/jpki/make.h"

struct hand {
	unsigned key;
};

struct test_hand test_hands[STARTER_KEYS_MAX];

void
hand_new(struct starter *s, unsigned key, slice spki, const char *refused, struct hand **out)
{
	(void)s;
	(void)spki;
	(void)refused;
	*out = mem_new(1, sizeof **out);
	(*out)->key = key;
}

void
hand_drop(struct hand **h)
{
	free(*h);
	*h = NULL;
}

void
hand_end(struct hand *h)
{
	test_hands[h->key].up = false;
	test_hands[h->key].ended++;
}

uint64_t
hand_logins(const struct hand *h)
{
	return test_hands[h->key].started;
}

err
hand_ready(struct hand *h, slice pin)
{
	struct test_hand *t = &test_hands[h->key];

	if (pin.n == 0)
		return fail(ERR_BUSY, "hand-no-pin: house: the token's PIN was not given yet");
	if (t->absent)
		return fail(ERR_BUSY, "hand-rest: house: the hand failed a moment ago; it is started again shortly");
	t->started += !t->up;
	t->up = true;
	return ok;
}

/* What is begun is in nobody's hands yet: a process that ends here leaves intents, as one that ends before. */
void
hand_begin(struct hand *h, size_t n, struct ticket *const *t)
{
	(void)h;
	(void)n;
	(void)t;
}

/* As a token: what it is given is a hash, or the message for Ed25519. */
static void
sign_spent(const struct signer *by, enum sig_alg alg, slice given, struct buf *out)
{
	struct buf raw OWNED(buf_drop) = BUF(SIG_MAX);

	signer_sign_hash(by, alg, given, &raw);
	if (alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384)
		ecdsa_put(out, buf_slice(&raw));
	else
		buf_put(out, buf_slice(&raw));
}

void
hand_sign(struct hand *h, size_t n, struct ticket *const *t, struct buf *signature, err *outcome)
{
	struct test_hand *th = &test_hands[h->key];

	for (size_t i = 0; i < n; i++) {
		struct buf bytes OWNED(buf_drop) = BUF(16 << 10);
		uint64_t call = ++th->calls;
		bool hit = th->at != 0 && (call == th->at || (th->from_there_on && call >= th->at));

		outcome[i] =
		    fail(ERR_BUSY, "hand-lost: house: the hand was lost while it signed; the same bytes are signed again");
		if (!th->up)
			continue;
		if (hit && th->how == HAND_LOST_BEFORE) {
			th->up = false;
			continue;
		}
		if (ticket_spend(t[i], &bytes).kind != OK)
			abort();
		th->signatures++;
		if (hit && th->how == HAND_WRONG)
			signer_sign(th->signer, ticket_alg(t[i]), LIT("else"), &signature[i]);
		else
			sign_spent(th->signer, ticket_alg(t[i]), buf_slice(&bytes), &signature[i]);
		if (hit && th->how == HAND_LOST_AFTER) {
			th->up = false;
			buf_clear(&signature[i]);
			continue;
		}
		outcome[i] = ok;
	}
}
