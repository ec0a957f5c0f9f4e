/* LINK: test/jpki/make.c */
/* A checkpoint is signed only for books that extend the last one signed. */
#include "test/unit/test.h"

#include "act/books.h"
#include "test/jpki/make.h"

/* Leaves 0..n-1 as single bytes, in memory. */
static err
node(void *from, unsigned level, uint64_t index, digest *out)
{
	digest left, right;
	uint8_t b;

	if (level == 0) {
		b = (uint8_t)(index + *(uint8_t *)from);
		*out = tree_leaf((slice){&b, 1});
		return ok;
	}
	TRY(node(from, level - 1, 2 * index, &left));
	TRY(node(from, level - 1, 2 * index + 1, &right));
	*out = tree_node(left, right);
	return ok;
}

static struct head
head_of(uint64_t size, uint8_t *shift)
{
	struct tree_nodes nodes = {shift, node};
	struct head h = {.size = size};

	expect_ok("root", tree_root_at(&nodes, size, &h.root));
	return h;
}

static struct checkpoint_order
order_of(uint64_t from, uint64_t to, uint8_t *shift)
{
	struct tree_nodes nodes = {shift, node};
	struct checkpoint_order o = {.books = head_of(to, shift), .from = from};

	if (from > 0 && from < to)
		expect_ok("proof", tree_consistency(&nodes, from, to, o.proof, &o.n_proof));
	return o;
}

static void
checkpoints(void **state)
{
	static uint8_t same = 0, other = 7;
	static const struct {
		const char *row;
		uint64_t last, from, to;
		uint8_t *shift;
		enum err_kind kind;
		const char *what;
	} rows[] = {
	    {"first", 0, 0, 5, &same, OK, NULL},
	    {"extends", 5, 5, 13, &same, OK, NULL},
	    {"by one", 7, 7, 8, &same, OK, NULL},
	    {"again", 13, 13, 13, &same, OK, NULL},
	    {"shorter", 13, 5, 12, &same, ERR_CONFLICT,
	        "books-smaller: design law 9: the books have fewer lines than this signer has seen"},
	    {"others, same size", 13, 13, 13, &other, ERR_CONFLICT,
	        "books-root: design law 9: the books have other lines than this signer has seen"},
	    {"others, longer", 13, 13, 20, &other, ERR_POLICY, NULL},
	    {"from elsewhere", 13, 5, 20, &same, ERR_CONFLICT,
	        "books-from: house: the proof does not start at the head this signer has seen"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ticket *t OWNED(ticket_drop) = NULL;
		struct checkpoint_order o = order_of(rows[i].from, rows[i].to, rows[i].shift);
		struct head last = {0};
		err e;

		if (rows[i].last > 0)
			last = head_of(rows[i].last, &same);
		e = books_plan_checkpoint(LIT("test.example/books"), &o, last, &t);
		if (rows[i].kind == OK)
			expect_ok(rows[i].row, e);
		else if (rows[i].what == NULL)
			expect_true(rows[i].row, e.kind == rows[i].kind && strncmp(e.what, "tree-consistency", 16) == 0);
		else
			expect_err(rows[i].row, e, rows[i].kind, rows[i].what);
	}
}

static void
notes(void **state)
{
	static uint8_t same = 0;
	struct signer *s = signer_new(KEY_ED25519, 256), *other = signer_new(KEY_ED25519, 256);
	struct checkpoint_order o = order_of(0, 9, &same);
	struct ticket *t OWNED(ticket_drop) = NULL;
	struct key *k OWNED(key_drop) = NULL;
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX), note OWNED(buf_drop) = BUF(CHECKPOINT_MAX);
	struct checkpoint c;

	(void)state;
	expect_ok("key", key_get_spki(signer_spki(s), &k));
	expect_ok("plan", books_plan_checkpoint(LIT("test.example/books"), &o, (struct head){0}, &t));
	signer_sign(other, SIG_ED25519, ticket_tbs(t), &sig);
	expect_err("another key", books_join_checkpoint(LIT("test.example/books"), k, t, buf_slice(&sig), &note), ERR_WORLD,
	    "books-signature: house: what the token returned is not the checkpoint key's signature");
	buf_clear(&sig);
	signer_sign(s, SIG_ED25519, ticket_tbs(t), &sig);
	expect_ok("join", books_join_checkpoint(LIT("test.example/books"), k, t, buf_slice(&sig), &note));
	expect_ok("reads", checkpoint_get(buf_slice(&note), &c));
	expect_ok("checks", checkpoint_check(&c, LIT("test.example/books"), k));
	expect_number("size", c.size, 9);
	signer_drop(&s);
	signer_drop(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(checkpoints), cmocka_unit_test(notes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
