#include "act/ticket.h"

struct ticket {
	enum proof proof;
	enum sig_alg alg;
	bool spent;
	digest tbs_digest, grounds;
	slice tbs, hashed; /* of the memory behind the struct; one of them is empty */
};

const char *
proof_name(enum proof p)
{
	switch (p) {
	case PROOF_RULE:
		return "rule";
	case PROOF_OFFICER:
		return "officer";
	case PROOF_REVOKED_SET:
		return "revoked-set";
	case PROOF_BOOKS:
		return "books";
	}
	abort();
}

static struct ticket *
make(enum proof p, enum sig_alg alg, slice tbs, digest grounds)
{
	struct ticket *t = mem_new(1, sizeof *t + tbs.n);
	uint8_t *copy = (uint8_t *)(t + 1);

	assert(tbs.n > 0);
	memcpy(copy, tbs.p, tbs.n);
	*t = (struct ticket){
	    .proof = p,
	    .alg = alg,
	    .tbs_digest = sha256(tbs),
	    .grounds = grounds,
	    .tbs = {copy, tbs.n},
	};
	return t;
}

struct ticket *
ticket_make_certificate(enum proof by, enum sig_alg alg, slice tbs, digest grounds)
{
	assert(by == PROOF_RULE || by == PROOF_OFFICER);
	return make(by, alg, tbs, grounds);
}

struct ticket *
ticket_make_status(enum sig_alg alg, slice tbs, digest set)
{
	return make(PROOF_REVOKED_SET, alg, tbs, set);
}

struct ticket *
ticket_make_list(enum sig_alg alg, slice hashed, digest tbs, digest set)
{
	struct ticket *t = make(PROOF_REVOKED_SET, alg, hashed, set);

	assert(alg != SIG_ED25519 && hashed.n == hash_len(sig_alg_hash(alg)));
	t->hashed = t->tbs;
	t->tbs = (slice){NULL, 0};
	t->tbs_digest = tbs;
	return t;
}

struct ticket *
ticket_make_checkpoint(slice text, digest root)
{
	return make(PROOF_BOOKS, SIG_ED25519, text, root);
}

void
ticket_drop(struct ticket **t)
{
	free(*t);
	*t = NULL;
}

enum proof
ticket_proof(const struct ticket *t)
{
	return t->proof;
}

enum sig_alg
ticket_alg(const struct ticket *t)
{
	return t->alg;
}

slice
ticket_tbs(const struct ticket *t)
{
	return t->tbs;
}

digest
ticket_digest(const struct ticket *t)
{
	return t->tbs_digest;
}

digest
ticket_grounds(const struct ticket *t)
{
	return t->grounds;
}

err
ticket_spend(struct ticket *t, struct buf *out)
{
	uint8_t h[SHA512_LEN];
	enum hash_alg alg = sig_alg_hash(t->alg);

	if (t->spent)
		return fail(ERR_CONFLICT, "ticket-spent: house: a right to sign is used once");
	t->spent = true;
	if (t->alg == SIG_ED25519) {
		buf_put(out, t->tbs);
		return ok;
	}
	if (t->hashed.n > 0) {
		buf_put(out, t->hashed);
		return ok;
	}
	hash_of(alg, t->tbs, h);
	buf_put(out, (slice){h, hash_len(alg)});
	return ok;
}
