/*
 * What a signer's journal and the books know of one another is told at the registrar's hello: which of them was set back shows
 * here, and nothing is signed then (design 3).
 */
#include "act/books.h"
#include "edge/log.h"
#include "role/signer/signer.h"

static void
name_serials(struct signing *s, uint64_t size, struct buf *out)
{
	slice rest, hex;
	serial number;

	if (journal_serials_beyond(s->journal, size, out).kind != OK)
		return;
	rest = buf_slice(out);
	while (slice_cut(&rest, '\n', &hex))
		if (serial_get_hex(hex, &number).kind == OK)
			log_id(LOG_ALARM, "signer-rollback: design 3: the books do not know the order of this serial", "serial",
			    serial_slice(&number));
}

/* The journal as the books remember it must be an earlier state of this one. */
static err
check_journal(struct signing *s, struct head theirs)
{
	digest root, proof[TREE_PROOF_MAX];
	size_t n;

	if (theirs.size > journal_head(s->journal).size)
		return fail(ERR_CORRUPT, "signer-journal-rollback: design 3: the books know a longer journal than this one");
	TRY(journal_proof(s->journal, theirs.size, &root, proof, &n));
	if (theirs.size > 0 && !digest_eq(root, theirs.root))
		return fail(ERR_CORRUPT, "signer-journal-other: design 3: the books know another journal than this one");
	return ok;
}

err
signing_hello(struct signing *s, struct task *t)
{
	struct head known = journal_state(s->journal)->books;
	struct head_order o;
	bool of_books;
	err e;

	TRY(head_order_get(buf_slice(&t->order), &o));
	s->greeted = false;
	t->wants_head = true;
	e = check_journal(s, o.journal);
	of_books = e.kind == OK;
	if (e.kind == OK && o.books.size >= known.size) {
		if (known.size > 0 && o.books.size > known.size && o.proof_from != known.size)
			return ok; /* not greeted: the answer says where the proof must start */
		e = books_check_extends(known, o.books, o.proof_from, o.proof, o.n_proof);
		if (e.kind == OK) {
			s->greeted = true;
			if (o.books.size > known.size)
				journal_add_books(s->journal, o.books);
			return ok;
		}
		e = fail(ERR_CORRUPT, "signer-books-other: design 3: the books are not an extension of those this signer saw");
	} else if (e.kind == OK)
		e = fail(ERR_CORRUPT, "signer-books-rollback: design 3: the books are shorter than those this signer saw");
	if (e.kind != ERR_CORRUPT)
		return e;
	log_err(LOG_ALARM, e);
	t->answer.max = FRAME_BODY_MAX - 1024;
	if (of_books) /* from where they part */
		name_serials(s, o.books.size < known.size ? o.books.size : 0, &t->answer);
	else { /* what the journal lost only the books can name: its size says from where */
		buf_put_str(&t->answer, HELLO_JOURNAL);
		buf_put_decimal(&t->answer, journal_head(s->journal).size);
		buf_put_u8(&t->answer, '\n');
	}
	s->stopped = e;
	return e;
}
