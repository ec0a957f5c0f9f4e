#include "act/books.h"

err
books_check_extends(struct head old, struct head new, uint64_t from, const digest *proof, size_t n)
{
	if (new.size < old.size)
		return fail(ERR_CONFLICT, "books-smaller: design law 9: the books have fewer lines than this signer has seen");
	if (old.size == 0)
		return ok;
	if (new.size == old.size) {
		if (!digest_eq(new.root, old.root))
			return fail(ERR_CONFLICT, "books-root: design law 9: the books have other lines than this signer has seen");
		return ok;
	}
	if (from != old.size)
		return fail(ERR_CONFLICT, "books-from: house: the proof does not start at the head this signer has seen");
	return tree_check_consistency(old.size, old.root, new.size, new.root, proof, n);
}

err
books_plan_checkpoint(slice origin, const struct checkpoint_order *o, struct head last, struct ticket **out)
{
	struct buf text OWNED(buf_drop) = BUF(CHECKPOINT_MAX);

	TRY(books_check_extends(last, o->books, o->from, o->proof, o->n_proof));
	checkpoint_put_text(&text, origin, o->books.size, o->books.root);
	TRY(buf_check(&text));
	*out = ticket_make_checkpoint(buf_slice(&text), o->books.root);
	return ok;
}

err
books_join_checkpoint(slice origin, const struct key *k, const struct ticket *t, slice signature, struct buf *out)
{
	slice spki = key_spki(k);

	assert(key_kind(k) == KEY_ED25519 && spki.n > 32);
	if (key_check(k, SIG_ED25519, ticket_tbs(t), signature).kind != OK)
		return fail(ERR_WORLD, "books-signature: house: what the token returned is not the checkpoint key's signature");
	checkpoint_join(out, ticket_tbs(t), origin, (slice){spki.p + spki.n - 32, 32}, signature);
	return buf_check(out);
}
