#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * Checkpoints (FA-3): the tree of the books signed by the status signer, then published with its tiles.
 *
 * signer → books → publisher.  What is to be published follows from the books: the ledger's last checkpoint, until the
 * publisher has said that it stands.  Its tiles go before its note, and the note only when all of them are written, so that
 * no reader sees one whose tree is not there.  TILES_OPEN_MAX of them are on their way at once: after a fill, or a day's
 * outage of the publisher, there are tens of thousands.
 *
 * One checkpoint at a time, published before the next is entered: after a crash only the last one's tiles can be missing,
 * those beyond the one before it.
 */
#define LATE_MS 20000 /* an order without a result: asked again        */
#define SOON_MS 200   /* after a revocation the next one is made early */
#define AGAIN_MS 1000 /* after the publisher could not write           */

static bool
is_shown(const struct registrar *r)
{
	return db_ledger(r->db)->checkpoint_size <= r->shows.shown;
}

static err
ask_signer(struct registrar *r)
{
	struct checkpoint_order o = {.books = {book_size(r->book), book_root(r->book)}};
	const struct ledger *h = db_ledger(r->db);
	struct tree_nodes nodes = book_nodes(r->book);

	if (r->pub.note_asked && r->seen_steady - r->pub.note_at > LATE_MS)
		r->pub.note_asked = false;
	if (r->status.step != SIGNER_READY || r->pub.note_asked || !is_shown(r) || !status_can_send(r, PEER_STATUS) ||
	    !status_can_send(r, PEER_PUBLISHER) || o.books.size == 0 || !ledger_owes_checkpoint(h) ||
	    r->seen_steady - r->pub.note_at < (r->note_soon ? SOON_MS : CHECKPOINT_EVERY_MS))
		return ok;
	/* the signer may have signed one whose answer was lost: then from there */
	o.from = r->pub.note_from > h->checkpoint_size ? r->pub.note_from : h->checkpoint_size;
	if (o.from > o.books.size)
		return ok;
	if (o.from > 0)
		TRY(tree_consistency(&nodes, o.from, o.books.size, o.proof, &o.n_proof));
	r->note_soon = false;
	r->pub.note_id = ++r->generations;
	r->pub.note_asked = true;
	r->pub.note_at = r->seen_steady;
	r->pub.note_head = o.books;
	checkpoint_order_put(body_new(r), &o);
	turn_order(r, PEER_STATUS, 0, ORDER_CHECKPOINT, r->pub.note_id, buf_slice(&r->body));
	return ok;
}

err
note_result(struct registrar *r, const struct frame *x)
{
	struct entry e = entry_of(r, ACT_CHECKPOINT_SIGNED);
	struct head_reply last;

	if (!r->pub.note_asked || x->id != r->pub.note_id)
		return ok;
	r->pub.note_asked = false;
	if (x->fail != OK) {
		log_what(LOG_WARN, "status", x->what);
		if (x->fail == ERR_CONFLICT && head_reply_get(x->body, &last).kind == OK)
			r->pub.note_from = last.books.size;
		return ok;
	}
	/* where the publisher is new since, the one before is being shown to it again: the signer will say that it signed this */
	if (turn_open_check(r).kind != OK || !is_shown(r) || r->pub.note_head.size <= db_ledger(r->db)->checkpoint_size)
		return ok;
	TRY(octets_get(x->body, &e.note));
	e.line.by = BY_STATUS;
	e.line.by_id = LIT("status");
	e.size = r->pub.note_head.size;
	e.root = r->pub.note_head.root;
	e.journal = r->status.journal.size;
	e.journal_root = r->status.journal.root;
	r->shows.soon = true;
	return turn_enter(r, &e, NULL);
}

/* --- to the publisher ------------------------------------------------------------------------- */
static void
set_level(struct registrar *r, int level)
{
	r->shows.level = level;
	r->shows.index = (r->shows.from >> (8 * level)) / 256;
}

static err
start(struct registrar *r)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	const struct ledger *h = db_ledger(r->db);
	struct entry e OWNED(entry_drop) = {0};
	uint64_t n;
	slice line;

	TRY(book_read_from(r->book, h->checkpoint_n, &reader));
	TRY(book_read_next(reader, &n, &line));
	TRY(entry_get(line, &e));
	r->shows.note.max = ENTRY_TEXT_MAX;
	buf_clear(&r->shows.note);
	buf_put(&r->shows.note, e.note);
	r->shows.books = (struct head){e.size, e.root};
	r->shows.from = h->checkpoint_before;
	r->shows.n_open = 0;
	r->shows.id = 0;
	r->shows.going = true;
	set_level(r, 0);
	return buf_check(&r->shows.note);
}

/* The width of the tile that is next; 0: all of them went. */
static unsigned
next_width(struct registrar *r)
{
	for (;;) {
		uint64_t nodes = r->shows.books.size >> (8 * r->shows.level);

		if (nodes == 0)
			return 0;
		if (r->shows.index < nodes / 256)
			return 256;
		if (r->shows.index == nodes / 256 && nodes % 256 > 0)
			return (unsigned)(nodes % 256);
		set_level(r, r->shows.level + 1);
	}
}

/* One tile of the tree below repository/books. */
static err
send_tile(struct registrar *r, unsigned width)
{
	struct buf path OWNED(buf_drop) = BUF(256), bytes OWNED(buf_drop) = BUF(256 * SHA256_LEN);
	uint64_t id = ++r->generations;

	buf_put_str(&path, "books/");
	tile_put_path(&path, r->shows.level, r->shows.index, width);
	TRY(book_tile(r->book, r->shows.level, r->shows.index, width, &bytes));
	status_send_file(r, buf_slice(&path), id, buf_slice(&bytes));
	r->shows.open[r->shows.n_open++] = id;
	r->shows.index++;
	return ok;
}

static err
show(struct registrar *r)
{
	unsigned width = 0;

	r->shows.soon = false;
	if (r->seen_steady < r->shows.again || !status_can_send(r, PEER_PUBLISHER))
		return ok;
	if (!r->shows.going && is_shown(r))
		return ok;
	if (!r->shows.going)
		TRY(start(r));
	while (r->shows.n_open < TILES_OPEN_MAX && (width = next_width(r)) > 0)
		TRY(send_tile(r, width));
	if (width > 0 || r->shows.n_open > 0 || r->shows.id != 0)
		return ok;
	r->shows.id = ++r->generations;
	checkpoint_order_put(
	    body_new(r), &(struct checkpoint_order){.books = r->shows.books, .note = buf_slice(&r->shows.note)});
	turn_order(r, PEER_PUBLISHER, 0, ORDER_TILES, r->shows.id, buf_slice(&r->body));
	return ok;
}

/* From the beginning: what stands there is not written again. */
static void
show_again(struct registrar *r)
{
	r->shows.going = false;
	r->shows.again = r->seen_steady + AGAIN_MS;
}

bool
note_is_tile(struct registrar *r, const struct frame *x)
{
	for (size_t i = 0; r->shows.going && i < r->shows.n_open; i++)
		if (r->shows.open[i] == x->id) {
			r->shows.open[i] = r->shows.open[--r->shows.n_open];
			if (x->fail != OK) {
				log_what(LOG_WARN, "publisher", x->what);
				show_again(r);
			}
			return true;
		}
	return false;
}

void
note_published(struct registrar *r, const struct frame *x)
{
	if (!r->shows.going || x->id != r->shows.id)
		return;
	r->shows.going = false;
	if (x->fail == OK)
		r->shows.shown = r->shows.books.size;
	else
		show_again(r);
}

void
note_forget(struct registrar *r)
{
	r->shows.going = false;
	r->shows.shown = 0;
}

err
note_tend(struct registrar *r)
{
	TRY(ask_signer(r));
	return show(r);
}
