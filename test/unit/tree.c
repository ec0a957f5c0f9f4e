/* RFC 6962 hashes and proofs, C2SP checkpoints and tile paths: act/tree.  The vectors of transparency-dev/merkle. */
#include "test/unit/test.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "act/tree.h"
#include "base/json.h"
#include "base/key.h"

#define VECTORS "../shared/vectors/merkle"
#define CONSISTENCY "tree-consistency: RFC 9162 2.1.4.2: the later tree does not extend the earlier one"
#define INCLUSION "tree-inclusion: RFC 9162 2.1.3.2: the proof does not put the line under this root"

/* All nodes of a tree in memory. */
#define LEAVES_MAX 300
struct forest {
	digest leaf[LEAVES_MAX];
};

static digest
leaf_at(uint64_t i)
{
	uint8_t b[2] = {(uint8_t)(i >> 8), (uint8_t)i};

	return tree_leaf(ARR(b));
}

static err
forest_node(void *from, unsigned level, uint64_t index, digest *out)
{
	const struct forest *f = from;
	digest l, r;

	if (level == 0) {
		assert_true(index < LEAVES_MAX);
		*out = f->leaf[index];
		return ok;
	}
	TRY(forest_node(from, level - 1, 2 * index, &l));
	TRY(forest_node(from, level - 1, 2 * index + 1, &r));
	*out = tree_node(l, r);
	return ok;
}

/* RFC 6962 2.1, word for word and slow: MTH(D[n]). */
static digest
mth(const digest *d, size_t n)
{
	size_t k = 1;

	if (n == 0)
		return tree_empty();
	if (n == 1)
		return d[0];
	while (2 * k < n)
		k *= 2;
	return tree_node(mth(d, k), mth(d + k, n - k));
}

static void
test_roots(void **state)
{
	struct forest f;
	struct tree t = {0};
	struct tree_nodes nodes = {&f, forest_node};
	(void)state;

	assert_true(digest_eq(tree_root(&t), tree_empty()));
	for (size_t i = 0; i < LEAVES_MAX; i++)
		f.leaf[i] = leaf_at(i);
	for (size_t i = 0; i < LEAVES_MAX; i++) {
		digest d;

		assert_true(digest_eq(tree_root(&t), mth(f.leaf, i)));
		assert_int_equal(tree_root_at(&nodes, i, &d).kind, OK);
		assert_true(digest_eq(d, mth(f.leaf, i)));
		tree_add(&t, f.leaf[i]);
	}
}

static void
test_proofs(void **state)
{
	static struct forest f;
	struct tree_nodes nodes = {&f, forest_node};
	digest proof[TREE_PROOF_MAX], root[70];
	size_t n;
	(void)state;

	for (size_t i = 0; i < LEAVES_MAX; i++)
		f.leaf[i] = leaf_at(i);
	for (size_t i = 0; i < COUNT(root); i++)
		root[i] = mth(f.leaf, i);
	for (uint64_t size = 1; size < COUNT(root); size++) {
		for (uint64_t i = 0; i < size; i++) {
			assert_int_equal(tree_inclusion(&nodes, i, size, proof, &n).kind, OK);
			assert_int_equal(tree_check_inclusion(f.leaf[i], i, size, proof, n, root[size]).kind, OK);
			/* one bit, one node, one place off */
			if (n > 0) {
				proof[n / 2].b[7] ^= 1;
				assert_string_equal(tree_check_inclusion(f.leaf[i], i, size, proof, n, root[size]).what, INCLUSION);
				proof[n / 2].b[7] ^= 1;
				assert_string_equal(tree_check_inclusion(f.leaf[i], i, size, proof, n - 1, root[size]).what, INCLUSION);
				assert_string_equal(tree_check_inclusion(f.leaf[i], i ^ 1, size, proof, n, root[size]).what, INCLUSION);
			}
		}
		for (uint64_t from = 1; from <= size; from++) {
			assert_int_equal(tree_consistency(&nodes, from, size, proof, &n).kind, OK);
			assert_int_equal(tree_check_consistency(from, root[from], size, root[size], proof, n).kind, OK);
			if (n > 0) {
				proof[n - 1].b[0] ^= 1;
				assert_string_equal(
				    tree_check_consistency(from, root[from], size, root[size], proof, n).what, CONSISTENCY);
				proof[n - 1].b[0] ^= 1;
				assert_string_equal(
				    tree_check_consistency(from, root[from], size, root[size], proof, n - 1).what, CONSISTENCY);
			}
			if (from < size)
				assert_string_equal(
				    tree_check_consistency(from, root[from - 1], size, root[size], proof, n).what, CONSISTENCY);
		}
		assert_int_equal(tree_consistency(&nodes, 0, size, proof, &n).kind, OK);
		assert_int_equal(n, 0);
		assert_string_equal(tree_inclusion(&nodes, size, size, proof, &n).what,
		    "tree-index: RFC 6962 2.1.1: the tree has no such leaf at that size");
		assert_string_equal(tree_consistency(&nodes, size + 1, size, proof, &n).what,
		    "tree-sizes: RFC 6962 2.1.2: there is no proof from a larger tree to a smaller one");
	}
	assert_string_equal(tree_check_inclusion(f.leaf[0], 0, 0, proof, 0, root[0]).what, INCLUSION);
	assert_string_equal(tree_check_consistency(2, root[2], 1, root[1], proof, 0).what, CONSISTENCY);
	assert_string_equal(tree_check_consistency(0, root[0], 1, root[1], proof, 0).what, CONSISTENCY);
}

/* --- vectors ------------------------------------------------------------------- */

static bool
digest_of(json j, const char *name, digest *out)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	slice s;

	*out = (digest){{0}};
	if (json_text(j, name, &s).kind != OK || base64_get(s, &b).kind != OK || b.n == 0 || b.n > SHA256_LEN)
		return false;
	/* Some rows call a short text a hash, meaning "whatever": then it is whatever, filled up with zeros. */
	if (b.n > 0)
		memcpy(out->b, b.p, b.n);
	return true;
}

/* What this code's types cannot hold (a longer hash, a negative size) it refuses before it checks. */
static bool
accepts(json j, bool inclusion)
{
	digest proof[TREE_PROOF_MAX + 1], a, b;
	uint64_t from, to;
	size_t n = 0;
	json list;

	if (json_has(j, "proof") && json_list(j, "proof", &list).kind == OK)
		for (; n < json_count(list); n++) {
			struct buf d OWNED(buf_drop) = BUF(256);
			slice s;

			if (n == COUNT(proof) || json_as_text(json_at(list, n), &s).kind != OK || base64_get(s, &d).kind != OK ||
			    d.n != SHA256_LEN)
				return false;
			memcpy(proof[n].b, d.p, SHA256_LEN);
		}
	if (inclusion)
		return json_natural(j, "leafIdx", &from).kind == OK && json_natural(j, "treeSize", &to).kind == OK &&
		       digest_of(j, "leafHash", &a) && digest_of(j, "root", &b) &&
		       tree_check_inclusion(a, from, to, proof, n, b).kind == OK;
	return json_natural(j, "size1", &from).kind == OK && json_natural(j, "size2", &to).kind == OK &&
	       digest_of(j, "root1", &a) && digest_of(j, "root2", &b) &&
	       tree_check_consistency(from, a, to, b, proof, n).kind == OK;
}

static bool
wants_error(slice file)
{
	static const char want[] = "\"wantErr\": true";

	return memmem(file.p, file.n, want, sizeof want - 1) != NULL;
}

static unsigned
one_folder(const char *path, bool inclusion)
{
	DIR *d = opendir(path);
	struct dirent *e;
	unsigned count = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		struct json *doc OWNED(json_drop) = NULL;
		char name[512];
		uint8_t bytes[16384];
		struct stat st;
		size_t n;
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		assert_int_equal(stat(name, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			count += one_folder(name, inclusion);
			continue;
		}
		f = fopen(name, "rb");
		assert_non_null(f);
		n = fread(bytes, 1, sizeof bytes, f);
		fclose(f);
		/* A number beyond 2^63 is refused by the reader already. */
		if ((json_get(slice_of(bytes, n), &doc).kind == OK && accepts(json_root(doc), inclusion)) ==
		    wants_error(slice_of(bytes, n)))
			fail_msg("%s: %s", name, wants_error(slice_of(bytes, n)) ? "accepted" : "refused");
		count++;
	}
	closedir(d);
	return count;
}

static void
test_vectors(void **state)
{
	struct stat st;
	(void)state;

	if (stat(VECTORS, &st) != 0) {
		print_message("# skipped: vectors not present\n");
		skip();
	}
	assert_true(one_folder(VECTORS "/inclusion", true) > 50);
	assert_true(one_folder(VECTORS "/consistency", false) > 50);
}

/* --- checkpoints ------------------------------------------------------------------ */

/* A private key of 32 equal bytes: made here, used nowhere else. */
static void
sign(slice text, uint8_t public_key[32], uint8_t signature[64])
{
	uint8_t secret[32];
	size_t n = 64, k = 32;
	EVP_PKEY *key;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	memset(secret, 7, sizeof secret);
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, public_key, &k), 1);
	assert_int_equal(EVP_DigestSignInit(c, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(c, signature, &n, text.p, text.n), 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
}

static void
test_checkpoint(void **state)
{
	struct buf text OWNED(buf_drop) = BUF(CHECKPOINT_MAX), note OWNED(buf_drop) = BUF(CHECKPOINT_MAX);
	struct buf spki OWNED(buf_drop) = BUF(SPKI_MAX), again OWNED(buf_drop) = BUF(CHECKPOINT_MAX);
	struct key *key OWNED(key_drop) = NULL, *rsa OWNED(key_drop) = NULL;
	uint8_t public_key[32], signature[64];
	struct checkpoint c;
	(void)state;

	checkpoint_put_text(&text, LIT("inkan.test/books"), 12345, leaf_at(1));
	sign(buf_slice(&text), public_key, signature);
	checkpoint_join(&note, buf_slice(&text), LIT("inkan.test/books"), ARR(public_key), ARR(signature));
	key_put_spki(&spki, KEY_ED25519, ARR(public_key));
	assert_int_equal(key_get_spki(buf_slice(&spki), &key).kind, OK);
	assert_int_equal(checkpoint_get(buf_slice(&note), &c).kind, OK);
	assert_int_equal(c.size, 12345);
	assert_true(digest_eq(c.root, leaf_at(1)));
	assert_int_equal(checkpoint_check(&c, LIT("inkan.test/books"), key).kind, OK);
	/* what get accepts, put writes back */
	checkpoint_put_text(&again, c.origin, c.size, c.root);
	assert_true(slice_eq(buf_slice(&again), c.text));

	assert_string_equal(checkpoint_check(&c, LIT("inkan.test/other"), key).what,
	    "checkpoint-origin: C2SP tlog-checkpoint: the checkpoint is of another book");
	c.key_id[0] ^= 1;
	assert_string_equal(checkpoint_check(&c, LIT("inkan.test/books"), key).what,
	    "checkpoint-signer: C2SP signed-note: the checkpoint names another key");
	c.key_id[0] ^= 1;
	c.signature[0] ^= 1;
	assert_int_equal(checkpoint_check(&c, LIT("inkan.test/books"), key).kind, ERR_POLICY);

	/* a key of another kind */
	buf_clear(&spki);
	{
		static const uint8_t g[65] = {4, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63,
		    0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2,
		    0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B,
		    0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5};

		key_put_spki(&spki, KEY_P256, ARR(g));
		assert_int_equal(key_get_spki(buf_slice(&spki), &rsa).kind, OK);
		assert_string_equal(checkpoint_check(&c, LIT("inkan.test/books"), rsa).what,
		    "checkpoint-key: C2SP signed-note: checkpoints are signed with Ed25519");
	}
	/* every byte is asked for, and no more */
	for (size_t i = 0; i < note.n; i++)
		assert_string_equal(checkpoint_get(slice_of(note.p, i), &c).what,
		    "checkpoint: C2SP tlog-checkpoint: not a checkpoint with one Ed25519 signature");
	buf_put_u8(&note, '\n');
	assert_int_equal(checkpoint_get(buf_slice(&note), &c).kind, ERR_INPUT);
}

/* The C2SP paths of its own examples and ours. */
static void
test_tile_paths(void **state)
{
	static const struct {
		int level;
		uint64_t index;
		unsigned width;
		const char *path;
	} rows[] = {
	    {0, 0, 256, "tile/0/000"},
	    {3, 1234067, 256, "tile/3/x001/x234/067"},
	    {0, 1234067, 8, "tile/0/x001/x234/067.p/8"},
	    {-1, 999, 256, "tile/entries/999"},
	    {0, 1000, 255, "tile/0/x001/000.p/255"},
	    {1, UINT64_MAX >> 8, 256, "tile/1/x072/x057/x594/x037/x927/935"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(128);

		tile_put_path(&b, rows[i].level, rows[i].index, rows[i].width);
		buf_put_u8(&b, 0);
		assert_string_equal((const char *)b.p, rows[i].path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_roots),
	    cmocka_unit_test(test_proofs),
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_checkpoint),
	    cmocka_unit_test(test_tile_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
