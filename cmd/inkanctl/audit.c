#include <stdio.h>

#include "act/decision.h"
#include "act/revocation.h"
#include "base/conf.h"
#include "cmd/inkanctl/audit.h"
#include "edge/disk.h"
#include "edge/tile.h"

/* --- findings, maps ---------------------------------------------------------------- */

void
audit_find(struct audit *a, enum in in, uint64_t n, const char *what)
{
	if (a->findings < FINDINGS_MAX)
		a->finding[a->findings] = (struct finding){in, n, what};
	a->findings++;
}

void
audit_progress(const struct audit *a, const char *what, uint64_t n, uint64_t of)
{
	if (!a->ctl->progress || n % 4096 != 0)
		return;
	fprintf(stderr, "\r%s %llu / %llu   ", ctl_words(a->ctl, what), (unsigned long long)n, (unsigned long long)of);
}

static uint64_t
hash_of_key(const uint8_t *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static size_t
map_slot(const struct map *m, const void *key)
{
	size_t i = (size_t)hash_of_key(key, m->key_size) & (m->slots - 1);

	while (m->slot[i] != 0 && memcmp(m->row + (m->slot[i] - 1) * m->row_size, key, m->key_size) != 0)
		i = (i + 1) & (m->slots - 1);
	return i;
}

void *
map_find(const struct map *m, const void *key)
{
	size_t i = m->slots == 0 ? 0 : map_slot(m, key);

	return m->slots == 0 || m->slot[i] == 0 ? NULL : m->row + (m->slot[i] - 1) * m->row_size;
}

static void
map_grow(struct map *m)
{
	m->slots = m->slots == 0 ? 1024 : m->slots * 2;
	free(m->slot);
	m->slot = mem_new(m->slots, sizeof *m->slot);
	for (size_t i = 0; i < m->n; i++)
		m->slot[map_slot(m, m->row + i * m->row_size)] = (uint32_t)(i + 1);
}

void *
map_make(struct map *m, const void *key)
{
	void *found = map_find(m, key);
	uint8_t *row;

	if (found != NULL)
		return found;
	assert(m->n < UINT32_MAX - 1);
	if (2 * m->n >= m->slots)
		map_grow(m);
	if (m->n == m->max) {
		m->max = m->max == 0 ? 256 : m->max * 2;
		m->row = mem_grow(m->row, m->max, m->row_size);
	}
	row = m->row + m->n * m->row_size;
	memset(row, 0, m->row_size);
	memcpy(row, key, m->key_size);
	m->slot[map_slot(m, key)] = (uint32_t)(++m->n);
	return row;
}

void
map_drop(struct map *m)
{
	free(m->row);
	free(m->slot);
}

void
heads_add(struct heads *h, enum in in, uint64_t n, struct head head)
{
	if (h->n == h->max) {
		h->max = h->max == 0 ? 64 : h->max * 2;
		h->at = mem_grow(h->at, h->max, sizeof *h->at);
	}
	h->at[h->n++] = (struct head_seen){head, n, in};
}

void
numbers_add(struct numbers *v, uint64_t x)
{
	if (v->n == v->max) {
		v->max = v->max == 0 ? 64 : v->max * 2;
		v->at = mem_grow(v->at, v->max, sizeof *v->at);
	}
	v->at[v->n++] = x;
}

/* --- evidence ------------------------------------------------------------------------ */

enum whole { PIECE_WHOLE, PIECE_SEALED, PIECE_ERASED, PIECE_BAD };

struct piece {
	digest name;
	struct evidence_at at;
	enum whole whole;
	bool named; /* a line names it */
};

static int
piece_cmp(const void *x, const void *y)
{
	return memcmp(((const struct piece *)x)->name.b, ((const struct piece *)y)->name.b, SHA256_LEN);
}

static struct piece *
piece_of(const struct audit *a, digest name)
{
	struct piece key = {.name = name};

	return a->n_pieces == 0 ? NULL : bsearch(&key, a->piece, a->n_pieces, sizeof *a->piece, piece_cmp);
}

static enum whole
piece_check(struct audit *a, const struct piece *p)
{
	struct buf bytes OWNED(buf_drop) = BUF(UINT32_MAX);
	err e = book_evidence(a->books->book, &p->at, p->name, books_key(a->books), &bytes);

	if (e.kind == OK) {
		a->count.bytes += bytes.n;
		return PIECE_WHOLE;
	}
	if (e.kind == ERR_ABSENT) {
		if (p->at.sealed && a->books->key.n == 0) {
			a->count.sealed++;
			return PIECE_SEALED;
		}
		a->count.erased++;
		return PIECE_ERASED;
	}
	audit_find(a, IN_BOOKS, NO_LINE, e.what);
	return PIECE_BAD;
}

/* Every member of every pack: the header, and what its bytes hash to. */
err
audit_evidence(struct audit *a)
{
	struct evidence_iter iter = {0};
	size_t max = 0, kept = 0;
	struct piece p = {0};
	err e;

	while ((e = book_evidence_next(a->books->book, &iter, &p.name, &p.at)).kind == OK) {
		if (a->n_pieces == max) {
			max = max == 0 ? 1024 : max * 2;
			a->piece = mem_grow(a->piece, max, sizeof *a->piece);
		}
		p.whole = piece_check(a, &p);
		a->piece[a->n_pieces++] = p;
		audit_progress(a, "evidence", a->n_pieces, a->n_pieces);
	}
	if (e.kind != ERR_ABSENT)
		audit_find(a, IN_BOOKS, NO_LINE, e.what);
	if (a->n_pieces > 1)
		qsort(a->piece, a->n_pieces, sizeof *a->piece, piece_cmp);
	/* The same piece may stand there twice: the better one counts. */
	for (size_t i = 0; i < a->n_pieces; i++) {
		if (kept > 0 && digest_eq(a->piece[kept - 1].name, a->piece[i].name)) {
			if (a->piece[i].whole < a->piece[kept - 1].whole)
				a->piece[kept - 1] = a->piece[i];
			continue;
		}
		a->piece[kept++] = a->piece[i];
	}
	a->n_pieces = kept;
	a->count.evidence = kept;
	return ok;
}

/* --- openings: read along with the lines --------------------------------------------- */

#define BUCKETS (2U * BOOK_TURN_LINES_MAX) /* openings of a turn stand in any order, and no turn is longer */

struct opened {
	uint64_t n;
	char field[OPENING_FIELD_MAX + 1];
	digest commitment;
	bool used;
};

struct bucket {
	struct opened *o;
	size_t n, max;
};

struct reading {
	struct audit *a;
	struct book_reader *lines, *openings;
	struct bucket *bucket;
	bool ahead; /* `next` was read and not put into its bucket yet */
	struct opened next;
	/* the tree made again, and the tiles of each level */
	struct tree tree;
	digest part[8][TILE_NODES];
	/* the line before */
	instant at;
	bool any;
};

static void
reading_drop(struct reading **p)
{
	struct reading *r = *p;

	book_reader_close(&r->lines);
	book_reader_close(&r->openings);
	for (size_t i = 0; i < BUCKETS; i++)
		free(r->bucket[i].o);
	free(r->bucket);
	free(r);
}

static void
bucket_add(struct reading *r, const struct opened *o)
{
	struct bucket *b = &r->bucket[o->n % BUCKETS];

	if (b->n == b->max) {
		b->max = b->max == 0 ? 8 : b->max * 2;
		b->o = mem_grow(b->o, b->max, sizeof *b->o);
	}
	b->o[b->n++] = *o;
}

/* The next opening, hashed; false at the end. */
static bool
opening_next(struct reading *r)
{
	uint64_t n;
	slice line;

	for (;;) {
		struct opening o OWNED(opening_drop) = {0};
		err e = book_read_next(r->openings, &n, &line);

		if (e.kind != OK) {
			if (e.kind != ERR_ABSENT)
				audit_find(r->a, IN_BOOKS, NO_LINE, e.what);
			return false;
		}
		r->a->count.openings++;
		e = opening_get(line, &o);
		if (e.kind != OK) {
			audit_find(r->a, IN_BOOKS, n, e.what);
			continue;
		}
		r->next = (struct opened){.n = o.n, .commitment = commitment_of(o.salt, o.value)};
		memcpy(r->next.field, o.field.p, o.field.n);
		return true;
	}
}

/* Everything that can belong to line n stands in its bucket then. */
static void
openings_up_to(struct reading *r, uint64_t n)
{
	while (r->openings != NULL) {
		if (!r->ahead && !opening_next(r)) {
			book_reader_close(&r->openings);
			return;
		}
		r->ahead = r->next.n > n + BOOK_TURN_LINES_MAX;
		if (r->ahead)
			return;
		if (r->next.n < n)
			audit_find(r->a, IN_BOOKS, r->next.n, "verify-opening-order: design 5: an opening stands after its turn");
		else
			bucket_add(r, &r->next);
	}
}

static void
missing(struct audit *a, const struct line *l, const char *what)
{
	struct folder_of *f;

	/* Of a dossier whose erasure is in the books nothing is missing: asked at the end. */
	if (l->about != ABOUT_DOSSIER) {
		audit_find(a, IN_BOOKS, l->n, what);
		return;
	}
	f = map_find(&a->folders, l->dossier.b);
	if (f == NULL)
		audit_find(a, IN_BOOKS, l->n, what);
	else if (f->missing == NO_LINE) {
		f->missing = l->n;
		f->what = what;
	}
}

static void
check_openings(struct reading *r, const struct line *l)
{
	struct bucket *b = &r->bucket[l->n % BUCKETS];
	struct json *body OWNED(json_drop) = NULL;
	void *iter = NULL;
	slice field;
	digest d;

	openings_up_to(r, l->n);
	if (line_body(l, &body).kind != OK)
		return;
	while (line_next_personal(body, &iter, &field, &d)) {
		struct opened *found = NULL;

		for (size_t i = 0; i < b->n; i++)
			if (b->o[i].n == l->n && slice_eq(slice_str(b->o[i].field), field))
				found = &b->o[i];
		if (found == NULL) {
			missing(r->a, l, "verify-opening-missing: design 5: a line commits to a field that has no opening");
			continue;
		}
		if (found->used)
			audit_find(r->a, IN_BOOKS, l->n, "verify-opening-twice: design 5: a field of a line has two openings");
		if (!digest_eq(found->commitment, d))
			audit_find(r->a, IN_BOOKS, l->n, "verify-opening: design 5: an opening is not what its line committed to");
		found->used = true;
		r->a->count.opened_fields++;
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->o[i].n == l->n && !b->o[i].used)
			audit_find(r->a, IN_BOOKS, l->n, "verify-opening-none: design 5: an opening opens nothing its line says");
	b->n = 0;
}

/* --- the tree --------------------------------------------------------------------------- */

static digest
tile_root(const digest *d)
{
	struct tree t = {0};

	/* 256 complete nodes of one level hash like 256 leaves. */
	for (size_t i = 0; i < TILE_NODES; i++)
		tree_add(&t, d[i]);
	return tree_root(&t);
}

static void
check_tiles(struct reading *r, digest leaf)
{
	uint64_t n = r->tree.size;

	tree_add(&r->tree, leaf);
	for (int l = 0; l < 8; l++) {
		uint64_t at = n >> (8 * l);
		struct buf tile OWNED(buf_drop) = BUF(TILE_BYTES);

		r->part[l][at & 255] = leaf;
		if ((at & 255) != 255)
			return;
		if (book_tile(r->a->books->book, l, at >> 8, TILE_NODES, &tile).kind != OK ||
		    !slice_eq(buf_slice(&tile), slice_of(r->part[l], TILE_BYTES)))
			audit_find(r->a, IN_BOOKS, n, "verify-tile: C2SP tlog-tiles: a tile does not say what the lines say");
		leaf = tile_root(r->part[l]);
	}
}

/* --- what a line says ---------------------------------------------------------------------- */

static struct paper *
paper_of(struct audit *a, serial s)
{
	struct paper *p = map_find(&a->papers, &s);

	if (p != NULL)
		return p;
	p = map_make(&a->papers, &s);
	p->ordered = p->issued = p->voided = p->revoked = NO_LINE;
	return p;
}

static void
check_evidence(struct audit *a, const struct line *l)
{
	for (size_t i = 0; i < l->n_evidence; i++) {
		struct piece *p = piece_of(a, l->evidence[i]);

		if (p == NULL) {
			missing(a, l, "verify-evidence-missing: design 5: the packs hold no piece of evidence a line names");
			continue;
		}
		p->named = true;
		if (p->whole == PIECE_ERASED && !p->at.sealed)
			missing(a, l, "verify-evidence-erased: Rule 12(2): evidence was erased, and no line says so");
		if (p->whole == PIECE_BAD)
			audit_find(a, IN_BOOKS, l->n, "verify-evidence: design 5: a piece of evidence is not what its name says");
	}
}

static bool
line_names(const struct line *l, digest d)
{
	for (size_t i = 0; i < l->n_evidence; i++)
		if (digest_eq(l->evidence[i], d))
			return true;
	return false;
}

/* The certificate itself: what was ordered, for the key that applied, signed by the issuer. */
static void
check_certificate(struct audit *a, const struct entry *e, const struct dossier *d)
{
	struct buf bytes OWNED(buf_drop) = BUF(CERT_MAX);
	const struct trust *t = a->books->trust;
	const struct piece *p = piece_of(a, e->certificate);
	const char *bad = NULL;
	struct cert c;

	if (!line_names(&e->line, e->certificate)) {
		audit_find(a, IN_BOOKS, e->line.n,
		    "verify-certificate-none: Rule 12(1)1ヘ: certificate.issued comes without the certificate");
		return;
	}
	if (p == NULL || p->whole != PIECE_WHOLE)
		return; /* said already, or erased by law */
	if (book_evidence(a->books->book, &p->at, e->certificate, (slice){NULL, 0}, &bytes).kind != OK ||
	    cert_get(buf_slice(&bytes), &c).kind != OK)
		bad = "verify-certificate-form: RFC 5280 4.1: the certificate in the evidence cannot be read";
	else if (!serial_eq(c.serial, e->serial) || !serial_eq(d->serial, e->serial))
		bad = "verify-certificate-serial: Rule 6(v): the certificate has another serial than was ordered";
	else if (!digest_eq(sha256(c.tbs), d->tbs))
		bad = "verify-certificate-tbs: design law 2: the certificate is not what was ordered";
	else if (!digest_eq(sha256(c.spki), d->key))
		bad = "verify-certificate-key: Rule 6(v)ニ: the certificate is for another key than the application's";
	else if (c.not_after.ms != e->not_after.ms)
		bad = "verify-certificate-end: Rule 6(iv): the certificate ends another day than its line says";
	else if (t != NULL &&
	         (!slice_eq(c.issuer, t->issuer.subject) || cert_check_signed_by(&c, t->issuer_key).kind != OK))
		bad = "verify-certificate-signature: Rule 6(v)イ: the certificate is not signed by the issuer";
	if (bad != NULL)
		audit_find(a, IN_BOOKS, e->line.n, bad);
}

/* Rule 6(i), 6(xiii): what the applicant had before him can be read at home. */
static void
check_text(struct audit *a, uint64_t n, digest text)
{
	const struct piece *p = piece_of(a, text);

	if (p == NULL || p->whole == PIECE_ERASED)
		audit_find(a, IN_BOOKS, n, "verify-text: Rule 6(i): the text this applicant was shown is not in the evidence");
}

/* Rule 12(1)(ii)ニ: the list that was published, where the line keeps it. */
static void
check_list(struct audit *a, const struct entry *e)
{
	struct buf bytes OWNED(buf_drop) = BUF(CRL_MAX);
	const struct trust *t = a->books->trust;
	const struct piece *p = piece_of(a, e->crl);
	const char *bad = NULL;
	struct crl c;

	if (e->line.n_evidence == 0)
		return; /* a long one between two regular ones */
	if (!line_names(&e->line, e->crl))
		bad = "verify-list-none: Rule 12(1)2ニ: crl.published comes with something else than its list";
	else if (p == NULL || p->whole != PIECE_WHOLE)
		return; /* said already, or erased by law */
	else if (book_evidence(a->books->book, &p->at, e->crl, (slice){NULL, 0}, &bytes).kind != OK ||
	         crl_get_any(buf_slice(&bytes), &c).kind != OK || c.is_delta != (e->base != 0) ||
	         (c.point.n > 0) != (e->partition != 0))
		bad = "verify-list-form: RFC 5280 5.1: the list in the evidence cannot be read";
	else if (c.this_update.ms != e->this_update.ms || c.next_update.ms != e->next_update.ms)
		bad = "verify-list-time: Rule 6(xi): the list in the evidence is of another time than its line says";
	else if (t != NULL &&
	         (!slice_eq(c.issuer, t->issuer.subject) || crl_check_signed_by(&c, t->issuer_key).kind != OK))
		bad = "verify-list-signature: Rule 6(xi): the list in the evidence is not signed by the issuer";
	if (bad != NULL)
		audit_find(a, IN_BOOKS, e->line.n, bad);
}

/* Rule 6(xvii): a changed responder: its certificate, the issuer's, and who of the house says that its key was made. */
static void
check_key(struct audit *a, const struct entry *e)
{
	struct buf bytes OWNED(buf_drop) = BUF(CERT_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX);
	const struct piece *p = piece_of(a, e->certificate), *k = piece_of(a, e->document);
	struct responder r OWNED(responder_drop) = {0};
	const struct trust *t = a->books->trust;
	const struct trust_person *who;
	const char *bad = NULL;
	struct document d;
	struct cms c;
	digest named;

	if (digest_eq(e->certificate, (digest){{0}}) || t == NULL)
		return; /* the keys of a new house: their certificates are the trust file's, or their first answers' */
	if (!line_names(&e->line, e->certificate) || !line_names(&e->line, e->document))
		bad = "verify-key-none: Rule 12(1)1チ: key.generated comes without its record or the certificate";
	else if (p == NULL || p->whole != PIECE_WHOLE || k == NULL || k->whole != PIECE_WHOLE)
		return; /* said already, or erased by law */
	else if (book_evidence(a->books->book, &p->at, e->certificate, (slice){NULL, 0}, &bytes).kind != OK ||
	         responder_get(t, buf_slice(&bytes), &r).kind != OK || !digest_eq(key_digest(r.key), e->key))
		bad = "verify-key-certificate: RFC 6960 4.2.2.2: the issuer delegated nothing to the key of this line";
	else if (book_evidence(a->books->book, &k->at, e->document, (slice){NULL, 0}, &cms).kind != OK ||
	         trust_check_person(t, buf_slice(&cms), decision_duty(FORM_KEYS), &c, &who).kind != OK ||
	         document_get_form(c.content, FORM_KEYS, &d).kind != OK || !slice_eq(who->label, e->line.by_id) ||
	         digest_get(d.value[M_KEYS], &named).kind != OK || !digest_eq(named, e->key))
		bad = "verify-key-record: Rule 6(xvii): no person of the house signed that this key was made";
	if (bad != NULL)
		audit_find(a, IN_BOOKS, e->line.n, bad);
}

static void
take_note(struct audit *a, const struct entry *e)
{
	struct note *n;

	if (a->n_notes == a->max_notes) {
		a->max_notes = a->max_notes == 0 ? 64 : a->max_notes * 2;
		a->note = mem_grow(a->note, a->max_notes, sizeof *a->note);
	}
	n = &a->note[a->n_notes++];
	*n = (struct note){e->line.n, e->size, e->root, BUF(CHECKPOINT_MAX)};
	buf_put(&n->text, e->note);
}

/* Before the fold takes the line: what the fold forgets. */
static void
take_line(struct audit *a, const struct entry *e, slice line, const struct dossier *d)
{
	struct paper *p;

	switch (e->line.act) {
	case ACT_EXPLANATION_ACKNOWLEDGED:
		check_text(a, e->line.n, e->explanation);
		break;
	case ACT_APPLICATION_RECEIVED:
		check_text(a, e->line.n, e->terms);
		break;
	case ACT_CERTIFICATE_ORDERED:
		a->count.ordered++;
		p = paper_of(a, e->serial);
		if (p->ordered != NO_LINE)
			audit_find(a, IN_BOOKS, e->line.n, "verify-serial-twice: design law 2: a serial was ordered twice");
		p->ordered = e->line.n;
		p->dossier = e->line.dossier;
		p->tbs = e->tbs;
		p->leaf = tree_leaf(line);
		break;
	case ACT_CERTIFICATE_ISSUED:
		a->count.issued++;
		p = paper_of(a, e->serial);
		p->issued = e->line.n;
		p->certificate = e->certificate;
		p->journal = e->journal;
		heads_add(&a->journal_heads, IN_ISSUER, e->line.n, (struct head){e->journal, e->journal_root});
		if (d != NULL)
			check_certificate(a, e, d);
		break;
	case ACT_CERTIFICATE_VOIDED:
		a->count.voided++;
		paper_of(a, e->serial)->voided = e->line.n;
		break;
	case ACT_CERTIFICATE_REVOKED:
		a->count.revoked++;
		paper_of(a, e->serial)->revoked = e->line.n;
		break;
	case ACT_KEY_GENERATED:
		check_key(a, e);
		break;
	case ACT_CRL_PUBLISHED:
		check_list(a, e);
		numbers_add(&a->crls, e->number);
		heads_add(&a->journal_heads, IN_ISSUER, e->line.n, (struct head){e->journal, e->journal_root});
		break;
	case ACT_CHECKPOINT_SIGNED:
		take_note(a, e);
		heads_add(&a->journal_heads, IN_STATUS, e->line.n, (struct head){e->journal, e->journal_root});
		break;
	default:
		break;
	}
}

/* Ordered after accepted, issued after ordered, and so on: the fold itself refuses what does not follow. */
static void
fold_line(struct audit *a, const struct entry *e, slice line)
{
	struct folder_of *f = NULL;
	err bad;

	if (e->line.about == ABOUT_DOSSIER) {
		f = map_find(&a->folders, e->line.dossier.b);
		if (f == NULL) {
			f = map_make(&a->folders, e->line.dossier.b);
			f->missing = NO_LINE;
			a->count.dossiers++;
		}
	}
	take_line(a, e, line, f == NULL ? NULL : &f->d);
	if (f != NULL && e->line.act == ACT_EVIDENCE_ERASED) {
		f->erased = true;
		return;
	}
	bad = f == NULL ? ok : dossier_apply(&f->d, e);
	if (bad.kind != OK)
		audit_find(a, IN_BOOKS, e->line.n, bad.what);
	bad = ledger_apply(&a->ledger, e);
	if (bad.kind != OK)
		audit_find(a, IN_BOOKS, e->line.n, bad.what);
}

static void
check_line(struct reading *r, uint64_t n, slice line)
{
	struct entry e OWNED(entry_drop) = {0};
	struct audit *a = r->a;
	digest under;
	struct line l;
	err bad;

	check_tiles(r, tree_leaf(line));
	bad = line_get(line, &l);
	if (bad.kind == OK) {
		if (r->any && l.at.ms < r->at.ms)
			audit_find(a, IN_BOOKS, n, "verify-time: design law 9: time runs back in the book");
		r->at = l.at;
		if (!r->any)
			a->count.first = l.at;
		a->count.last = l.at;
		r->any = true;
		bad = entry_get(line, &e);
	}
	if (bad.kind != OK) {
		audit_find(a, IN_BOOKS, n, bad.what);
		return;
	}
	under = e.line.act == ACT_BASELINE_SET ? e.document : a->ledger.baseline;
	if (!digest_eq(e.line.under, under))
		audit_find(a, IN_BOOKS, n, "verify-under: Act 9(1): a line names another baseline than the one in force");
	fold_line(a, &e, line);
	check_evidence(a, &e.line);
	check_openings(r, &e.line);
}

static void
check_ends(struct reading *r)
{
	struct audit *a = r->a;
	digest root = tree_root(&r->tree);

	if (r->tree.size != a->books->opened.size || !digest_eq(root, a->books->opened.root))
		audit_find(a, IN_BOOKS, NO_LINE, "verify-root: RFC 6962 2.1: the tiles give another root than the lines");
	openings_up_to(r, UINT64_MAX - BOOK_TURN_LINES_MAX - 1);
	for (size_t i = 0; i < BUCKETS; i++)
		for (size_t k = 0; k < r->bucket[i].n; k++)
			audit_find(a, IN_BOOKS, r->bucket[i].o[k].n,
			    "verify-opening-none: design 5: an opening opens nothing its line says");
	for (size_t i = 0; i < a->folders.n; i++) {
		const struct folder_of *f = (const struct folder_of *)(const void *)(a->folders.row + i * a->folders.row_size);

		if (f->missing != NO_LINE && !f->erased)
			audit_find(a, IN_BOOKS, f->missing, f->what);
	}
	for (size_t i = 0; i < a->n_pieces; i++)
		a->count.unnamed += !a->piece[i].named;
}

err
audit_lines(struct audit *a)
{
	struct reading *r OWNED(reading_drop) = mem_new(1, sizeof *r);
	uint64_t n = 0;
	slice line;
	err e;

	r->a = a;
	r->bucket = mem_new(BUCKETS, sizeof *r->bucket);
	TRY(book_read_from(a->books->book, 0, &r->lines));
	TRY(book_read_openings(a->books->book, &r->openings));
	while ((e = book_read_next(r->lines, &n, &line)).kind == OK) {
		check_line(r, n, line);
		a->count.lines++;
		audit_progress(a, "lines", n, a->books->opened.size);
	}
	if (e.kind != ERR_ABSENT)
		audit_find(a, IN_BOOKS, n, e.what);
	check_ends(r);
	return e.kind == ERR_ABSENT || e.kind == ERR_CORRUPT ? ok : e;
}
