#include <stdio.h>

#include "cmd/inkanctl/audit.h"
#include "edge/disk.h"

/*
 * Books and journals know of each other what each cannot take back: the books
 * name heads of the journals, the journals heads of the books, and each
 * certificate stands in both.  What one knows and the other does not was
 * invented, held back or rolled back.
 */

err
journal_view_open(const char *home, enum in in, struct journal_view *out)
{
	struct journal_view v = {.in = in};
	struct buf path OWNED(buf_drop) = BUF(4096);
	err e;

	buf_put_str(&path, home);
	buf_put_str(&path, in == IN_ISSUER ? "/journal-issuer" : "/journal-status");
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	e = book_open((const char *)path.p, BOOK_READ, 0, &v.book, &v.opened);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	*out = v;
	return ok;
}

void
journal_view_drop(struct journal_view *v)
{
	book_close(&v->book);
}

/* --- one journal ------------------------------------------------------------------------ */

static err
body_serial(json body, serial *out)
{
	slice s;

	TRY(json_text(body, "serial", &s));
	return serial_get_hex(s, out);
}

static err
body_head(json body, const char *size, const char *root, struct head *out)
{
	TRY(json_natural(body, size, &out->size));
	return json_hex(body, root, out->root.b, SHA256_LEN);
}

#define UNKNOWN(what) audit_find(a, v->in, l->n, what)

/* A serial of the journal as the books have it; says so where they do not. */
static struct paper *
known(struct audit *a, const struct journal_view *v, const struct line *l, json body)
{
	struct paper *p;
	serial s;

	if (body_serial(body, &s).kind != OK) {
		UNKNOWN("verify-journal-line: house: a line of a journal does not say what its act must say");
		return NULL;
	}
	p = map_find(&a->papers, &s);
	if (p == NULL || p->ordered == NO_LINE) {
		UNKNOWN("verify-journal-unknown: design 3: a journal has a serial the books never ordered");
		return NULL;
	}
	if (memcmp(p->dossier.b, l->dossier.b, sizeof l->dossier.b) != 0)
		UNKNOWN("verify-journal-dossier: design 3: a journal has a serial under another dossier than the books");
	return p;
}

static void
take_intent(struct audit *a, const struct journal_view *v, const struct line *l, json body)
{
	struct paper *p = known(a, v, l, body);
	digest tbs, leaf;
	struct head books;

	if (p == NULL)
		return;
	if (p->intended)
		UNKNOWN("verify-intent-twice: design law 2: a journal has two intents under one serial");
	p->intended = true;
	if (json_hex(body, "tbs", tbs.b, SHA256_LEN).kind != OK || !digest_eq(tbs, p->tbs))
		UNKNOWN("verify-intent-tbs: design law 2: an intent is for other bytes than the books ordered");
	if (json_hex(body, "leaf", leaf.b, SHA256_LEN).kind != OK || !digest_eq(leaf, p->leaf))
		UNKNOWN("verify-intent-leaf: design 3: an intent names another line than the order in the books");
	if (body_head(body, "books_size", "books_root", &books).kind == OK)
		heads_add(&a->books_heads, v->in, l->n, books);
}

static void
take_signed(struct audit *a, struct journal_view *v, const struct line *l, json body)
{
	struct buf bytes OWNED(buf_drop) = BUF(CERT_MAX);
	struct paper *p = known(a, v, l, body);
	struct evidence_at at = {0};
	uint64_t pack, length;
	digest name;
	err e;

	if (json_hex(body, "certificate", name.b, SHA256_LEN).kind != OK || json_natural(body, "pack", &pack).kind != OK ||
	    json_natural(body, "offset", &at.offset).kind != OK || json_natural(body, "length", &length).kind != OK) {
		UNKNOWN("verify-journal-line: house: a line of a journal does not say what its act must say");
		return;
	}
	at.pack = (uint32_t)pack;
	at.length = (uint32_t)length;
	e = book_evidence(v->book, &at, name, (slice){NULL, 0}, &bytes);
	if (e.kind != OK)
		UNKNOWN(e.what);
	if (p == NULL)
		return;
	if (!p->intended)
		UNKNOWN("verify-signed-early: design idea 4: a certificate was signed without an intent before");
	if (p->void_)
		UNKNOWN("verify-signed-void: design law 2: a certificate was signed after its serial was void");
	p->signed_ = true;
	if (p->issued == NO_LINE)
		a->count.waiting++;
	else if (!digest_eq(name, p->certificate))
		UNKNOWN("verify-signed-other: design law 2: the journal has another certificate under a serial than the books");
}

static void
take_revoked(struct audit *a, const struct journal_view *v, const struct line *l)
{
	struct paper *p = map_find(&a->papers, &l->serial);

	if (p == NULL || p->revoked == NO_LINE) {
		UNKNOWN("verify-revoked-unknown: Rule 6(x): a signer holds a serial revoked that the books do not");
		return;
	}
	if (v->in == IN_ISSUER)
		p->revoked_by_issuer = true;
	else
		p->revoked_by_status = true;
}

static void
take_journal_line(struct audit *a, struct journal_view *v, const struct line *l, json body)
{
	struct paper *p;
	struct head h;
	uint64_t number;

	switch (l->act) {
	case ACT_INTENT:
		take_intent(a, v, l, body);
		break;
	case ACT_SIGNED:
		take_signed(a, v, l, body);
		break;
	case ACT_VOID:
		p = known(a, v, l, body);
		if (p != NULL)
			p->void_ = true;
		break;
	case ACT_REVOKED:
		take_revoked(a, v, l);
		break;
	case ACT_CRL_PUBLISHED:
		if (json_natural(body, "number", &number).kind == OK)
			numbers_add(&a->signed_crls, number);
		break;
	case ACT_CHECKPOINT_SIGNED:
		if (body_head(body, "size", "root", &h).kind == OK) {
			heads_add(&a->notes_signed, v->in, l->n, h);
			heads_add(&a->books_heads, v->in, l->n, h);
		}
		break;
	case ACT_SEEN:
		if (body_head(body, "books_size", "books_root", &h).kind == OK)
			heads_add(&a->books_heads, v->in, l->n, h);
		break;
	case ACT_REFUSED:
	case ACT_OCSP_PUBLISHED:
		break;
	default:
		UNKNOWN("verify-journal-act: design 3: a line of a journal has an act that no journal has");
	}
}

err
audit_journal(struct audit *a, struct journal_view *v)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	struct tree t = {0};
	uint64_t n = 0, lines = 0;
	instant at = {0};
	digest root;
	slice bytes;
	err e;

	if (v->book == NULL)
		return ok;
	TRY(book_read_from(v->book, 0, &r));
	while ((e = book_read_next(r, &n, &bytes)).kind == OK) {
		struct json *body OWNED(json_drop) = NULL;
		struct line l;

		tree_add(&t, tree_leaf(bytes));
		audit_progress(a, "journal", lines++, v->opened.size);
		e = line_get(bytes, &l);
		if (e.kind == OK)
			e = line_body(&l, &body);
		if (e.kind != OK) {
			audit_find(a, v->in, n, e.what);
			continue;
		}
		if (l.at.ms < at.ms)
			audit_find(a, v->in, n, "verify-time: design law 9: time runs back in the book");
		at = l.at;
		take_journal_line(a, v, &l, json_root(body));
	}
	if (e.kind != ERR_ABSENT)
		audit_find(a, v->in, n, e.what);
	root = tree_root(&t);
	if (e.kind == ERR_ABSENT && !digest_eq(root, v->opened.root))
		audit_find(a, v->in, NO_LINE, "verify-root: RFC 6962 2.1: the tiles give another root than the lines");
	*(v->in == IN_ISSUER ? &a->count.issuer_lines : &a->count.status_lines) = lines;
	return e.kind == ERR_ABSENT || e.kind == ERR_CORRUPT ? ok : e;
}

/* --- all together ------------------------------------------------------------------------- */

/* A head that the books name, in a journal that may have grown since it was opened. */
static void
check_head(struct audit *a, const struct head_seen *h, const struct journal_view *v, uint64_t size_now)
{
	struct tree_nodes nodes;
	digest root;

	if (v->book == NULL || h->head.size == 0)
		return;
	if (h->head.size > v->opened.size) {
		if (h->head.size > size_now)
			audit_find(
			    a, IN_BOOKS, h->n, "verify-journal-rollback: design 3: a journal is shorter than the books know it");
		else
			a->count.later++;
		return;
	}
	nodes = book_nodes(v->book);
	if (tree_root_at(&nodes, h->head.size, &root).kind != OK || !digest_eq(root, h->head.root))
		audit_find(a, IN_BOOKS, h->n, "verify-journal-head: design 3: a journal is not the one the books know");
}

static void
check_books_heads(struct audit *a)
{
	struct tree_nodes nodes = book_nodes(a->books->book);

	for (size_t i = 0; i < a->books_heads.n; i++) {
		const struct head_seen *h = &a->books_heads.at[i];
		digest root;

		if (h->head.size == 0)
			continue;
		if (h->head.size > a->books->opened.size)
			audit_find(
			    a, h->in, h->n, "verify-books-rollback: design 3: the books are shorter than a journal knows them");
		else if (tree_root_at(&nodes, h->head.size, &root).kind != OK || !digest_eq(root, h->head.root))
			audit_find(a, h->in, h->n, "verify-books-head: design 3: the books are not the ones a journal knows");
	}
}

static void
check_note(struct audit *a, const struct note *n, const struct tree_nodes *nodes)
{
	const struct trust *t = a->books->trust;
	struct checkpoint c;
	digest root;

	if (n->size > n->n || tree_root_at(nodes, n->size, &root).kind != OK || !digest_eq(root, n->root))
		audit_find(a, IN_BOOKS, n->n,
		    "verify-checkpoint-root: C2SP tlog-checkpoint: a checkpoint has another root than the books");
	if (checkpoint_get(buf_slice(&n->text), &c).kind != OK || c.size != n->size || !digest_eq(c.root, n->root))
		audit_find(a, IN_BOOKS, n->n,
		    "verify-checkpoint-note: C2SP tlog-checkpoint: a checkpoint's note says other things than its line");
	else if (t != NULL && checkpoint_check(&c, t->origin, t->status_key).kind != OK)
		audit_find(a, IN_BOOKS, n->n,
		    "verify-checkpoint-signature: C2SP signed-note: a checkpoint is not signed by the status key");
	a->count.checkpoints++;
	if (n->size > a->count.signed_size)
		a->count.signed_size = n->size;
}

err
audit_published(struct audit *a, const char *home)
{
	int folder = -1;
	err e = disk_folder(DISK_HERE, home, FOLDER_THERE, &folder);

	a->published = BUF(CHECKPOINT_MAX);
	if (e.kind == OK)
		e = disk_load(folder, "repository/books/checkpoint", &a->published);
	disk_close(&folder);
	return e.kind == ERR_ABSENT ? ok : e;
}

static void
check_published(struct audit *a)
{
	struct tree_nodes nodes = book_nodes(a->books->book);
	const struct trust *t = a->books->trust;
	struct checkpoint c;
	digest root;

	if (a->published.n == 0 || t == NULL)
		return;
	if (checkpoint_get(buf_slice(&a->published), &c).kind != OK ||
	    checkpoint_check(&c, t->origin, t->status_key).kind != OK)
		audit_find(a, IN_BOOKS, NO_LINE,
		    "verify-published: C2SP signed-note: the published checkpoint is not one of the status key");
	else if (c.size > a->books->opened.size)
		audit_find(a, IN_BOOKS, NO_LINE,
		    "verify-published-size: law 9: the published checkpoint has more lines than the books");
	else if (tree_root_at(&nodes, c.size, &root).kind != OK || !digest_eq(root, c.root))
		audit_find(a, IN_BOOKS, NO_LINE,
		    "verify-published-root: C2SP tlog-checkpoint: the published checkpoint has another root than the books");
	else if (c.size > a->count.signed_size)
		a->count.signed_size = c.size;
}

static int
number_cmp(const void *x, const void *y)
{
	const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static int
head_cmp(const void *x, const void *y)
{
	const struct head_seen *a = x, *b = y;

	if (a->head.size != b->head.size)
		return a->head.size < b->head.size ? -1 : 1;
	return memcmp(a->head.root.b, b->head.root.b, SHA256_LEN);
}

/* What the books published, the status signer's journal knows. */
static void
check_published_acts(struct audit *a)
{
	struct numbers *crls = &a->signed_crls;
	struct heads *notes = &a->notes_signed;

	if (crls->n > 1)
		qsort(crls->at, crls->n, sizeof *crls->at, number_cmp);
	if (notes->n > 1)
		qsort(notes->at, notes->n, sizeof *notes->at, head_cmp);
	for (size_t i = 0; i < a->crls.n; i++)
		if (crls->n == 0 || bsearch(&a->crls.at[i], crls->at, crls->n, sizeof *crls->at, number_cmp) == NULL)
			audit_find(
			    a, IN_BOOKS, NO_LINE, "verify-crl-unknown: Rule 6(xi): no journal knows a list the books published");
	for (size_t i = 0; i < a->n_notes; i++) {
		const struct head_seen key = {.head = {a->note[i].size, a->note[i].root}};

		if (notes->n == 0 || bsearch(&key, notes->at, notes->n, sizeof *notes->at, head_cmp) == NULL)
			audit_find(a, IN_BOOKS, a->note[i].n,
			    "verify-checkpoint-unknown: design law 9: no journal knows a checkpoint of the books");
	}
}

static void
check_paper(struct audit *a, const struct paper *p, const struct journal_view *issuer)
{
	if (issuer->book != NULL && p->issued != NO_LINE && !p->signed_ && p->journal <= issuer->opened.size)
		audit_find(a, IN_BOOKS, p->issued,
		    "verify-issued-unknown: design 3: the issuer's journal does not know a certificate of the books");
	if (issuer->book != NULL && p->voided != NO_LINE && p->intended && !p->void_)
		audit_find(
		    a, IN_BOOKS, p->voided, "verify-void-unknown: design 3: the issuer's journal does not know a serial void");
	/* A list that covers the line was signed from the issuer's own set. */
	if (issuer->book != NULL && p->revoked != NO_LINE && p->revoked < a->ledger.crl_covers && !p->revoked_by_issuer)
		audit_find(a, IN_BOOKS, p->revoked,
		    "verify-revoked-held: Rule 6(x): a list covers a revocation that is not in the issuer's set");
}

err
audit_reconcile(struct audit *a, const struct journal_view *issuer, const struct journal_view *status)
{
	struct journal_view now[2] = {{0}};
	struct tree_nodes nodes = book_nodes(a->books->book);

	for (size_t i = 0; i < a->n_notes; i++)
		check_note(a, &a->note[i], &nodes);
	if (a->books->alone)
		return ok;
	check_published(a);
	if (issuer->book == NULL && a->count.issued > 0)
		audit_find(
		    a, IN_ISSUER, NO_LINE, "verify-journal-absent: design 3: the books name a journal that is not there");
	if (status->book == NULL && (a->n_notes > 0 || a->crls.n > 0))
		audit_find(
		    a, IN_STATUS, NO_LINE, "verify-journal-absent: design 3: the books name a journal that is not there");
	TRY(journal_view_open(a->books->home, IN_ISSUER, &now[0]));
	TRY(journal_view_open(a->books->home, IN_STATUS, &now[1]));
	for (size_t i = 0; i < a->journal_heads.n; i++) {
		const struct head_seen *h = &a->journal_heads.at[i];

		check_head(a, h, h->in == IN_ISSUER ? issuer : status, now[h->in == IN_ISSUER ? 0 : 1].opened.size);
	}
	journal_view_drop(&now[0]);
	journal_view_drop(&now[1]);
	check_books_heads(a);
	for (size_t i = 0; i < a->papers.n; i++)
		check_paper(a, (const struct paper *)(const void *)(a->papers.row + i * a->papers.row_size), issuer);
	/* What was entered after the journals were opened is newer than what was read of them. */
	if (status->book != NULL && a->count.later == 0)
		check_published_acts(a);
	return ok;
}
