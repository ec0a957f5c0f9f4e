#include "act/tree.h"
#include "base/key.h"

digest
tree_leaf(slice line)
{
	return sha256_two(LIT("\0"), line);
}

digest
tree_node(digest left, digest right)
{
	uint8_t b[1 + 2 * SHA256_LEN];

	b[0] = 1;
	memcpy(b + 1, left.b, SHA256_LEN);
	memcpy(b + 1 + SHA256_LEN, right.b, SHA256_LEN);
	return sha256(ARR(b));
}

digest
tree_empty(void)
{
	return sha256((slice){NULL, 0});
}

void
tree_add(struct tree *t, digest leaf)
{
	unsigned k = 0;

	for (uint64_t s = t->size; (s & 1) != 0; s >>= 1)
		leaf = tree_node(t->edge[k++], leaf);
	assert(k < COUNT(t->edge));
	t->edge[k] = leaf;
	t->size++;
}

digest
tree_root(const struct tree *t)
{
	digest r = tree_empty();
	bool any = false;

	for (unsigned k = 0; k < COUNT(t->edge); k++) {
		if ((t->size >> k & 1) == 0)
			continue;
		r = any ? tree_node(t->edge[k], r) : t->edge[k];
		any = true;
	}
	return r;
}

/*
 * The root of the leaves [from, from + size): `from` is a multiple of the greatest
 * power of two not above `size`, so that the complete subtrees are nodes.
 */
static err
range_root(const struct tree_nodes *s, uint64_t from, uint64_t size, digest *out)
{
	digest d, r = {{0}};
	bool any = false;

	/* From the right: the smallest complete subtree first. */
	for (unsigned k = 0; k < 64; k++) {
		uint64_t start;

		if ((size >> k & 1) == 0)
			continue;
		start = from + (k == 63 ? 0 : size >> (k + 1) << (k + 1));
		TRY(s->node(s->from, k, start >> k, &d));
		r = any ? tree_node(d, r) : d;
		any = true;
	}
	*out = any ? r : tree_empty();
	return ok;
}

err
tree_root_at(const struct tree_nodes *s, uint64_t size, digest *out)
{
	return range_root(s, 0, size, out);
}

/* The greatest power of two below n (n > 1). */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void
turn_round(digest *d, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		digest x = d[i];

		d[i] = d[n - 1 - i];
		d[n - 1 - i] = x;
	}
}

err
tree_inclusion(const struct tree_nodes *s, uint64_t index, uint64_t size, digest out[TREE_PROOF_MAX], size_t *n)
{
	digest path[TREE_PROOF_MAX];
	uint64_t from = 0, left = size;
	size_t k = 0;

	if (index >= size)
		return fail(ERR_ABSENT, "tree-index: RFC 6962 2.1.1: the tree has no such leaf at that size");
	/* Down from the root: at each parting the side the leaf is not on goes into the path. */
	while (left > 1) {
		uint64_t half = split(left);

		if (index - from < half) {
			TRY(range_root(s, from + half, left - half, &path[k++]));
			left = half;
		} else {
			TRY(range_root(s, from, half, &path[k++]));
			from += half;
			left -= half;
		}
	}
	turn_round(path, k);
	memcpy(out, path, k * sizeof path[0]);
	*n = k;
	return ok;
}

err
tree_consistency(const struct tree_nodes *s, uint64_t from, uint64_t to, digest out[TREE_PROOF_MAX], size_t *n)
{
	digest path[TREE_PROOF_MAX];
	uint64_t start = 0, old = from, left = to;
	size_t k = 0;
	bool whole = true; /* the old part is the whole old tree, whose root the other side has */

	if (from > to)
		return fail(ERR_ABSENT, "tree-sizes: RFC 6962 2.1.2: there is no proof from a larger tree to a smaller one");
	if (from == 0) { /* everything extends nothing: the proof is empty */
		*n = 0;
		return ok;
	}
	while (old < left) {
		uint64_t half = split(left);

		if (old <= half) {
			TRY(range_root(s, start + half, left - half, &path[k++]));
			left = half;
		} else {
			TRY(range_root(s, start, half, &path[k++]));
			start += half;
			old -= half;
			left -= half;
			whole = false;
		}
	}
	if (!whole)
		TRY(range_root(s, start, old, &path[k++]));
	turn_round(path, k);
	memcpy(out, path, k * sizeof path[0]);
	*n = k;
	return ok;
}

/* RFC 9162 2.1.3.2. */
err
tree_check_inclusion(digest leaf, uint64_t index, uint64_t size, const digest *proof, size_t n, digest root)
{
	const err bad =
	    fail(ERR_POLICY, "tree-inclusion: RFC 9162 2.1.3.2: the proof does not put the line under this root");
	uint64_t fn = index, sn = size - 1;
	digest r = leaf;

	if (index >= size)
		return bad;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return bad;
		if ((fn & 1) != 0 || fn == sn) {
			r = tree_node(proof[i], r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else
			r = tree_node(r, proof[i]);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && digest_eq(r, root) ? ok : bad;
}

/* RFC 9162 2.1.4.2, with the one case that needs no proof: equal sizes. */
err
tree_check_consistency(uint64_t from, digest from_root, uint64_t to, digest to_root, const digest *proof, size_t n)
{
	const err bad =
	    fail(ERR_POLICY, "tree-consistency: RFC 9162 2.1.4.2: the later tree does not extend the earlier one");
	uint64_t fn = from - 1, sn = to - 1;
	digest fr, sr;
	size_t i = 0;

	if (from == to)
		return n == 0 && digest_eq(from_root, to_root) && (to > 0 || digest_eq(to_root, tree_empty())) ? ok : bad;
	if (from == 0 || from > to)
		return bad;
	while ((fn & 1) != 0) {
		fn >>= 1;
		sn >>= 1;
	}
	if (fn == 0) /* the old tree is one complete subtree: its root opens the proof, unsaid */
		fr = sr = from_root;
	else {
		if (n == 0)
			return bad;
		fr = sr = proof[i++];
	}
	for (; i < n; i++) {
		if (sn == 0)
			return bad;
		if ((fn & 1) != 0 || fn == sn) {
			fr = tree_node(proof[i], fr);
			sr = tree_node(proof[i], sr);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else
			sr = tree_node(sr, proof[i]);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && digest_eq(fr, from_root) && digest_eq(sr, to_root) ? ok : bad;
}

void
checkpoint_put_text(struct buf *b, slice origin, uint64_t size, digest root)
{
	buf_put(b, origin);
	buf_put_u8(b, '\n');
	buf_put_decimal(b, size);
	buf_put_u8(b, '\n');
	buf_put_base64(b, digest_slice(&root));
	buf_put_u8(b, '\n');
}

/* C2SP signed-note: the first four bytes of SHA-256(name ‖ LF ‖ 01 ‖ Ed25519 public key). */
static void
key_id_of(slice name, slice public_key, uint8_t out[4])
{
	struct hash h;
	digest d;

	hash_start(&h);
	hash_add(&h, name);
	hash_add(&h, LIT("\n\1"));
	hash_add(&h, public_key);
	d = hash_end(&h);
	memcpy(out, d.b, 4);
}

/* U+2014, the dash of a signature line, and its blank. */
#define DASH LIT("\xE2\x80\x94 ")

void
checkpoint_join(struct buf *b, slice text, slice name, slice public_key, slice signature)
{
	uint8_t sig[4 + 64];

	assert(signature.n == 64 && public_key.n == 32);
	key_id_of(name, public_key, sig);
	memcpy(sig + 4, signature.p, 64);
	buf_put(b, text);
	buf_put_u8(b, '\n');
	buf_put(b, DASH);
	buf_put(b, name);
	buf_put_u8(b, ' ');
	buf_put_base64(b, ARR(sig));
	buf_put_u8(b, '\n');
}

/* An origin or a key's name: printable ASCII without blank and plus (signed-note forbids both in names). */
static bool
is_name(slice s)
{
	if (s.n == 0 || s.n > 255)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7F || s.p[i] == '+')
			return false;
	return true;
}

err
checkpoint_get(slice note, struct checkpoint *out)
{
	const err bad = fail(ERR_INPUT, "checkpoint: C2SP tlog-checkpoint: not a checkpoint with one Ed25519 signature");
	struct checkpoint c;
	struct buf b OWNED(buf_drop) = BUF(128);
	slice s = note, line, blank;

	if (note.n > CHECKPOINT_MAX || !slice_cut(&s, '\n', &c.origin) || !is_name(c.origin) ||
	    !slice_cut(&s, '\n', &line) || decimal_get(line, INT64_MAX, &c.size).kind != OK ||
	    !slice_cut(&s, '\n', &line) || base64_get(line, &b).kind != OK || b.n != SHA256_LEN)
		return bad;
	memcpy(c.root.b, b.p, SHA256_LEN);
	c.text = (slice){note.p, note.n - s.n};
	if (!slice_cut(&s, '\n', &blank) || blank.n != 0 || !slice_has_prefix(s, DASH) || !slice_take(&s, DASH.n, &line) ||
	    !slice_cut(&s, ' ', &c.name) || !is_name(c.name) || !slice_cut(&s, '\n', &line) || s.n != 0)
		return bad;
	buf_clear(&b);
	if (base64_get(line, &b).kind != OK || b.n != sizeof c.key_id + sizeof c.signature)
		return bad;
	memcpy(c.key_id, b.p, sizeof c.key_id);
	memcpy(c.signature, b.p + sizeof c.key_id, sizeof c.signature);
	*out = c;
	return ok;
}

err
checkpoint_check(const struct checkpoint *c, slice origin, const struct key *k)
{
	slice spki = key_spki(k);
	uint8_t id[4];

	if (!slice_eq(c->origin, origin))
		return fail(ERR_POLICY, "checkpoint-origin: C2SP tlog-checkpoint: the checkpoint is of another book");
	if (key_kind(k) != KEY_ED25519)
		return fail(ERR_POLICY, "checkpoint-key: C2SP signed-note: checkpoints are signed with Ed25519");
	/* RFC 8410: the key's 32 bytes close its SubjectPublicKeyInfo. */
	assert(spki.n > 32);
	key_id_of(c->name, (slice){spki.p + spki.n - 32, 32}, id);
	if (memcmp(id, c->key_id, sizeof id) != 0)
		return fail(ERR_POLICY, "checkpoint-signer: C2SP signed-note: the checkpoint names another key");
	return key_check(k, SIG_ED25519, c->text, ARR(c->signature));
}

/* C2SP tlog-tiles: "tile/" level "/" groups of three digits, all but the last with x, then ".p/" width if not full. */
void
tile_put_path(struct buf *b, int level, uint64_t index, unsigned width)
{
	uint64_t group[7];
	size_t n = 0;

	do {
		group[n++] = index % 1000;
		index /= 1000;
	} while (index != 0);
	buf_put_str(b, "tile/");
	if (level < 0)
		buf_put_str(b, "entries");
	else
		buf_put_decimal(b, (uint64_t)level);
	while (n-- > 0) {
		buf_put_str(b, n > 0 ? "/x" : "/");
		buf_put_u8(b, (uint8_t)('0' + group[n] / 100));
		buf_put_u8(b, (uint8_t)('0' + group[n] / 10 % 10));
		buf_put_u8(b, (uint8_t)('0' + group[n] % 10));
	}
	if (width < 256) {
		buf_put_str(b, ".p/");
		buf_put_decimal(b, width);
	}
}
