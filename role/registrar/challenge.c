#include "edge/random.h"
#include "role/registrar/registrar.h"

/*
 * A challenge is random (16) ‖ expiry in ms (8) ‖ MAC (16), in hexadecimal: one
 * that is never used costs no memory.  Those used are kept until they lapse, in
 * two tables by turns: when one has seen a whole lifetime the older is emptied.
 */
#define RANDOM_LEN 16
#define EXPIRY_LEN 8
#define MAC_LEN 16
#define CHALLENGE_LEN (RANDOM_LEN + EXPIRY_LEN + MAC_LEN)
#define USED_MAX (1U << 20) /* of a lifetime: 1,700 applications a second for ten minutes; 16 bytes each */

struct slot {
	uint64_t nonce, document; /* first 8 bytes of each; zero: free */
};

struct used {
	struct slot *slot[2];
	size_t n[2], cap[2];
	unsigned young;
	instant since; /* the younger table's first */
};

static uint64_t
first8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v | (v == 0); /* zero says free */
}

static digest
mac_of(const struct registrar *r, const uint8_t *p)
{
	return hmac_sha256(ARR(r->challenge_secret), slice_of(p, RANDOM_LEN + EXPIRY_LEN));
}

void
challenge_put(struct registrar *r, struct buf *body)
{
	struct buf text OWNED(buf_drop) = BUF(NONCE_TEXT_MAX);
	instant expires = {r->now.ms + r->challenge_ms};
	uint8_t c[CHALLENGE_LEN];
	digest mac;

	random_bytes(c, RANDOM_LEN);
	for (size_t i = 0; i < EXPIRY_LEN; i++)
		c[RANDOM_LEN + i] = (uint8_t)((uint64_t)expires.ms >> (8 * (EXPIRY_LEN - 1 - i)));
	mac = mac_of(r, c);
	memcpy(c + RANDOM_LEN + EXPIRY_LEN, mac.b, MAC_LEN);
	buf_put_hex(&text, ARR(c));
	challenge_reply_put(body, &(struct challenge_reply){buf_slice(&text), expires});
}

static struct slot *
find(const struct used *u, unsigned which, uint64_t nonce)
{
	size_t i;

	if (u->cap[which] == 0)
		return NULL;
	i = (size_t)(nonce >> 7) & (u->cap[which] - 1);
	while (u->slot[which][i].nonce != 0 && u->slot[which][i].nonce != nonce)
		i = (i + 1) & (u->cap[which] - 1);
	return &u->slot[which][i];
}

static void
grow(struct used *u, unsigned which)
{
	struct slot *old = u->slot[which];
	size_t cap = u->cap[which];

	u->cap[which] = cap == 0 ? 4096 : 2 * cap;
	u->slot[which] = mem_new(u->cap[which], sizeof *old);
	for (size_t i = 0; i < cap; i++)
		if (old[i].nonce != 0)
			*find(u, which, old[i].nonce) = old[i];
	free(old);
}

static void
change_tables(struct registrar *r)
{
	struct used *u = r->used;

	if (r->now.ms - u->since.ms <= r->challenge_ms)
		return;
	u->young ^= 1;
	u->n[u->young] = 0;
	free(u->slot[u->young]);
	u->slot[u->young] = NULL;
	u->cap[u->young] = 0;
	u->since = r->now;
}

/* Used before, by which document? */
static bool
find_used(const struct used *u, uint64_t nonce, uint64_t *document)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct slot *s = find(u, i, nonce);

		if (s != NULL && s->nonce != 0) {
			*document = s->document;
			return true;
		}
	}
	return false;
}

err
challenge_use(struct registrar *r, slice nonce, digest document)
{
	uint8_t c[CHALLENGE_LEN];
	uint64_t expires = 0, before, key;
	struct used *u;
	digest mac;

	if (r->used == NULL)
		r->used = mem_new(1, sizeof *r->used);
	u = r->used;
	if (hex_get(nonce, c, sizeof c).kind != OK)
		return fail(
		    ERR_POLICY, "nonce-unknown: Rule 6(iii-2): this challenge was not given by us, or before we started");
	mac = mac_of(r, c);
	if (!slice_eq_secret(slice_of(c + RANDOM_LEN + EXPIRY_LEN, MAC_LEN), slice_of(mac.b, MAC_LEN)))
		return fail(
		    ERR_POLICY, "nonce-unknown: Rule 6(iii-2): this challenge was not given by us, or before we started");
	for (size_t i = 0; i < EXPIRY_LEN; i++)
		expires = expires << 8 | c[RANDOM_LEN + i];
	if (r->now.ms > (int64_t)expires)
		return fail(
		    ERR_POLICY, "nonce-late: Rule 6(iii-2): the challenge has lapsed; ask for a new one and sign again");
	change_tables(r);
	key = first8(c);
	if (find_used(u, key, &before))
		return before == first8(document.b)
		           ? ok
		           : fail(ERR_CONFLICT, "nonce-used: Rule 6(iii-2): the challenge was used by another document");
	if (u->n[u->young] == USED_MAX)
		return fail(ERR_BUSY, "nonce-many: house: too many challenges were used in a short time");
	if (2 * (u->n[u->young] + 1) > u->cap[u->young])
		grow(u, u->young);
	*find(u, u->young, key) = (struct slot){key, first8(document.b)};
	u->n[u->young]++;
	return ok;
}

void
challenge_drop(struct registrar *r)
{
	if (r->used != NULL)
		for (unsigned i = 0; i < 2; i++)
			free(r->used->slot[i]);
	free(r->used);
	r->used = NULL;
	wipe(r->challenge_secret, sizeof r->challenge_secret);
}
