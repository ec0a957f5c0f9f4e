#include "edge/disk.h"
#include "edge/log.h"
#include "role/signer/journal_inside.h"
#include "role/signer/known_file.h"
#include "role/signer/revoked_file.h"

#define REREAD_LINES (8 * INDEX_SEAL_LINES) /* of an index made anew, sealed at once: ~4 MiB in memory */

/* --- reading -------------------------------------------------------------------- */

/* What the index is told of a line. */
static err
index_line(struct journal *j, const struct line *l, json body)
{
	uint8_t hex[SHA256_LEN];
	serial s;

	switch (l->act) {
	case ACT_INTENT:
		TRY(json_hex(body, "application", hex, sizeof hex));
		index_add(j->index, BY_APPLICATION, ARR(hex), l->n);
		TRY(json_hex(body, "key", hex, sizeof hex));
		index_add(j->index, BY_KEY, ARR(hex), l->n);
		/* fall through */
	case ACT_SIGNED:
	case ACT_VOID:
		TRY(journal_get_serial(body, &s));
		index_add(j->index, BY_SERIAL, serial_slice(&s), l->n);
		break;
	case ACT_REVOKED:
		index_add(j->index, BY_REVOKED, serial_slice(&l->serial), l->n);
		break;
	default:
		break;
	}
	return ok;
}

/* A new base from all there is, in place of the one that is open. */
static err
rebase(struct journal *j, struct revoked_set *revoked, instant ended, struct head covers)
{
	struct records_file *file OWNED(records_file_close) = NULL;
	struct revoked_base base;

	TRY(revoked_file_write(j->folder, revoked, ended, covers));
	TRY(revoked_file_open(j->folder, &file, &base, &covers));
	TRY(revoked_set_rebase(revoked, &base));
	records_file_close(&j->revoked);
	j->revoked = file;
	file = NULL;
	return ok;
}

/*
 * What line n of the book revoked, at a start.  Without a base, or with an old one, there may be millions: they go to a base
 * as they would have then, so that neither time nor memory grows out of bounds, and a start that is cut off goes on from it.
 */
static err
add_revoked(struct journal *j, struct revoked_set *set, const struct revocation *r, uint64_t n)
{
	struct tree_nodes nodes = book_nodes(j->book);
	struct revoked row = revocation_row(r);
	struct head covers = {.size = n + 1};

	TRY(revoked_set_add(set, &row));
	if (revoked_set_recent(set) < REVOKED_RECENT_MAX)
		return ok;
	TRY(tree_root_at(&nodes, covers.size, &covers.root));
	return rebase(j, set, (instant){INSTANT_MIN_MS}, covers);
}

/* One line: parsed, indexed where it is not yet, folded; revoked serials of it into the set, where one is given. */
static err
take_line(struct journal *j, slice bytes, struct revoked_set *revoked)
{
	struct json *doc OWNED(json_drop) = NULL;
	struct revocation r;
	struct line l;

	if (line_get(bytes, &l).kind != OK || line_body(&l, &doc).kind != OK)
		return journal_corrupt();
	if (index_line(j, &l, json_root(doc)).kind != OK || journal_state_apply(&j->state, &l, json_root(doc)).kind != OK)
		return journal_corrupt();
	if (l.act != ACT_REVOKED || revoked == NULL)
		return ok;
	if (journal_get_revoked(&l, json_root(doc), &r).kind != OK)
		return journal_corrupt();
	return add_revoked(j, revoked, &r, l.n);
}

/* Reads one line of the book; the parsed body is the caller's to drop, the line borrows from `text`. */
static err
read_line(const struct journal *j, uint64_t n, struct buf *text, struct line *l, struct json **doc)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t number;
	slice s;

	TRY(book_read_from(j->book, n, &r));
	TRY(book_read_next(r, &number, &s));
	buf_clear(text);
	buf_put(text, s);
	TRY(buf_check(text));
	if (number != n || line_get(buf_slice(text), l).kind != OK || line_body(l, doc).kind != OK)
		return journal_corrupt();
	return ok;
}

/* --- open ------------------------------------------------------------------------ */

static int
compare_lines(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The lines that revoked a serial, from `from` on, in the order they were written: the set counts by it. */
static size_t
revoked_lines(struct journal *j, uint64_t from, uint64_t **out)
{
	struct index_iter iter = {0};
	uint64_t *line = NULL, n;
	size_t count = 0, room = 0;

	while (index_next(j->index, BY_REVOKED, &iter, &n)) {
		if (n < from)
			continue;
		if (count == room) {
			room = room == 0 ? 1024 : room * 2;
			line = mem_grow(line, room, sizeof *line);
		}
		line[count++] = n;
	}
	if (count > 1)
		qsort(line, count, sizeof *line, compare_lines);
	*out = line;
	return count;
}

static err
read_revoked_line(struct journal *j, uint64_t n, struct buf *text, struct revoked_set *revoked)
{
	struct json *doc OWNED(json_drop) = NULL;
	struct revocation r;
	struct line l;

	TRY(read_line(j, n, text, &l, &doc));
	if (l.n != n || l.act != ACT_REVOKED || journal_get_revoked(&l, json_root(doc), &r).kind != OK)
		return journal_corrupt();
	return add_revoked(j, revoked, &r, n);
}

/* Revoked serials of the sealed lines that the base does not cover: few among many, found by the index. */
static err
read_revoked(struct journal *j, uint64_t from, struct revoked_set *revoked)
{
	struct buf text OWNED(buf_drop) = BUF(LINE_MAX);
	uint64_t *line;
	size_t n = revoked_lines(j, from, &line);
	err e = ok;

	for (size_t i = 0; e.kind == OK && i < n; i++)
		e = read_revoked_line(j, line[i], &text, revoked);
	free(line);
	return e;
}

/* The base, where it is an earlier state of this very journal; else everything is read from the lines. */
static err
open_base(struct journal *j, struct revoked_set *revoked, uint64_t *from)
{
	struct tree_nodes nodes = book_nodes(j->book);
	struct revoked_base base;
	struct head covers;
	digest root;
	err e = revoked_file_open(j->folder, &j->revoked, &base, &covers);

	*from = 0;
	if (e.kind == ERR_ABSENT)
		return ok;
	if (e.kind == OK && covers.size <= book_size(j->book))
		e = tree_root_at(&nodes, covers.size, &root);
	if (e.kind == OK && (covers.size > book_size(j->book) || !digest_eq(root, covers.root)))
		e = fail(ERR_CORRUPT, "journal-revoked-other: design 3: the file of revoked serials is of another journal");
	if (e.kind == OK)
		e = revoked_set_base(revoked, &base);
	if (e.kind == ERR_CORRUPT) { /* it follows from the lines */
		log_err(LOG_ALARM, e);
		records_file_close(&j->revoked);
		return ok;
	}
	TRY(e);
	*from = covers.size;
	return ok;
}

/* A part of the lines read again, sealed: an index made anew holds no more memory than at work, and a start cut short
 * goes on from there. */
static err
seal_read(struct journal *j, uint64_t read)
{
	struct buf carried OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
	struct tree_nodes nodes = book_nodes(j->book);
	digest root;

	TRY(tree_root_at(&nodes, read, &root));
	journal_state_put(&carried, &j->state);
	return index_seal(j->index, read, root, buf_slice(&carried));
}

static err
read_rest(struct journal *j, uint64_t from, uint64_t revoked_from, struct revoked_set *revoked)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice s;
	err e;

	if (from == book_size(j->book))
		return ok;
	TRY(book_read_from(j->book, from, &r));
	while ((e = book_read_next(r, &n, &s)).kind == OK) {
		TRY(take_line(j, s, n < revoked_from ? NULL : revoked));
		if (n + 1 - from < REREAD_LINES)
			continue;
		TRY(seal_read(j, n + 1));
		from = n + 1;
	}
	return e.kind == ERR_ABSENT ? ok : e;
}

err
journal_open(const char *folder, enum by who, digest trust, const uint8_t issuer[SHA1_LEN], struct journal **out,
    struct revoked_set *revoked)
{
	struct journal *j OWNED(journal_close) = mem_new(1, sizeof *j);
	struct buf carried OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
	struct book_opened opened;
	char path[600];
	uint64_t covered, revoked_from;

	j->folder = -1;
	j->who = who;
	j->trust = trust;
	memcpy(j->issuer, issuer, SHA1_LEN);
	TRY(book_open(folder, BOOK_WRITE, 0, &j->book, &opened));
	if (opened.cut_lines > 0 || opened.cut_bytes > 0)
		log_number(
		    LOG_WARN, "journal-cut: house: lines that were never acknowledged were cut off", "lines", opened.cut_lines);
	TRY(disk_folder(DISK_HERE, folder, FOLDER_THERE, &j->folder));
	TRY(open_base(j, revoked, &revoked_from));
	snprintf(path, sizeof path, "%s/index", folder);
	TRY(index_open(path, book_nodes(j->book), opened.size, &j->index, &covered, &carried));
	if (covered > 0 && journal_state_get(buf_slice(&carried), &j->state).kind != OK) { /* it follows from the lines */
		log_text(LOG_WARN,
		    "journal-index-other: house: the index carries a state of another layout; it is made anew from the lines");
		index_forget(j->index);
		covered = 0;
	}
	if (covered > 0)
		TRY(read_revoked(j, revoked_from, revoked));
	TRY(read_rest(j, covered, revoked_from, revoked));
	TRY(journal_tend(j));
	*out = j;
	j = NULL;
	return ok;
}

void
journal_close(struct journal **j)
{
	if (*j == NULL)
		return;
	index_close(&(*j)->index);
	records_file_close(&(*j)->revoked);
	records_file_close(&(*j)->known);
	book_close(&(*j)->book);
	disk_close(&(*j)->folder);
	free(*j);
	*j = NULL;
}

const struct journal_state *
journal_state(const struct journal *j)
{
	return &j->state;
}

struct head
journal_head(const struct journal *j)
{
	return (struct head){book_size(j->book), book_root(j->book)};
}

err
journal_proof(struct journal *j, uint64_t from, digest *root, digest proof[TREE_PROOF_MAX], size_t *n)
{
	struct tree_nodes nodes = book_nodes(j->book);

	*n = 0;
	TRY(tree_root_at(&nodes, from, root));
	if (from == 0 || from == book_size(j->book))
		return ok;
	return tree_consistency(&nodes, from, book_size(j->book), proof, n);
}

/* --- looking up ------------------------------------------------------------------- */

static err
same_turn(void)
{
	return fail(ERR_BUSY, "journal-turn: house: another order of this very moment has it; ask again");
}

static err
fold_intent(struct journal_record *r, const struct line *l, json body)
{
	r->intended = true;
	r->intent = l->n;
	r->dossier = l->dossier;
	TRY(json_hex(body, "tbs", r->tbs.b, SHA256_LEN));
	TRY(json_hex(body, "application", r->application.b, SHA256_LEN));
	return json_hex(body, "key", r->key.b, SHA256_LEN);
}

static err
fold_signed(struct journal_record *r, const struct line *l, json body)
{
	uint64_t pack, length;

	r->done = true;
	r->signed_at = l->at;
	TRY(json_hex(body, "certificate", r->certificate.b, SHA256_LEN));
	TRY(json_natural(body, "pack", &pack));
	TRY(json_natural(body, "offset", &r->at.offset));
	TRY(json_natural(body, "length", &length));
	r->at.pack = (uint32_t)pack;
	r->at.length = (uint32_t)length;
	return ok;
}

err
journal_find(struct journal *j, serial number, struct journal_record *out)
{
	struct journal_record r = {.serial = number};
	struct buf text OWNED(buf_drop) = BUF(LINE_MAX);
	uint64_t line[INDEX_FOUND_MAX];
	size_t n = index_find(j->index, BY_SERIAL, serial_slice(&number), line);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		struct json *doc OWNED(json_drop) = NULL;
		struct line l;
		serial s;
		err e = ok;

		if (line[i] >= book_size(j->book))
			return same_turn();
		TRY(read_line(j, line[i], &text, &l, &doc));
		if (journal_get_serial(json_root(doc), &s).kind != OK)
			return journal_corrupt();
		if (!serial_eq(s, number))
			continue; /* a fingerprint's collision */
		found = true;
		if (l.act == ACT_INTENT)
			e = fold_intent(&r, &l, json_root(doc));
		else if (l.act == ACT_SIGNED)
			e = fold_signed(&r, &l, json_root(doc));
		else if (l.act == ACT_VOID)
			r.voided = true;
		if (e.kind != OK)
			return journal_corrupt();
	}
	if (!found)
		return fail(ERR_ABSENT, "journal-absent: house: the journal does not know this serial");
	*out = r;
	return ok;
}

/* Whether `value` was used by an intent of another serial that still stands. */
static err
is_used(struct journal *j, unsigned kind, const char *name, digest value, serial mine, bool *used)
{
	struct buf text OWNED(buf_drop) = BUF(LINE_MAX);
	uint64_t line[INDEX_FOUND_MAX];
	size_t n = index_find(j->index, kind, digest_slice(&value), line);

	*used = n == INDEX_FOUND_MAX; /* used so often that not all is said: no need to look */
	for (size_t i = 0; i < n && !*used; i++) {
		struct json *doc OWNED(json_drop) = NULL;
		struct journal_record r;
		struct line l;
		digest d;
		serial s;

		if (line[i] >= book_size(j->book))
			return same_turn();
		TRY(read_line(j, line[i], &text, &l, &doc));
		if (json_hex(json_root(doc), name, d.b, SHA256_LEN).kind != OK ||
		    journal_get_serial(json_root(doc), &s).kind != OK)
			return journal_corrupt();
		if (!digest_eq(d, value) || serial_eq(s, mine))
			continue;
		TRY(journal_find(j, s, &r));
		*used = !r.voided || r.done;
	}
	return ok;
}

err
journal_check_unused(struct journal *j, serial s, digest application, digest key)
{
	bool used;

	TRY(is_used(j, BY_APPLICATION, "application", application, s, &used));
	if (used)
		return fail(
		    ERR_CONFLICT, "journal-application: design law 2: this application was used for another certificate");
	TRY(is_used(j, BY_KEY, "key", key, s, &used));
	if (used)
		return fail(ERR_CONFLICT, "journal-key: design law 2: this key stands in another certificate");
	return ok;
}

err
journal_certificate(struct journal *j, const struct journal_record *r, struct buf *out)
{
	err e;

	assert(r->done);
	e = book_evidence(j->book, &r->at, r->certificate, (slice){NULL, 0}, out);
	return e.kind == OK || e.kind == ERR_WORLD ? e : journal_corrupt();
}

err
journal_serials_beyond(struct journal *j, uint64_t size, struct buf *out)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice s;
	err e;

	if (book_size(j->book) == 0)
		return ok;
	TRY(book_read_from(j->book, 0, &r));
	while ((e = book_read_next(r, &n, &s)).kind == OK && out->n + 64 < out->max) {
		struct json *doc OWNED(json_drop) = NULL;
		struct head books;
		struct line l;
		slice hex;

		if (line_get(s, &l).kind != OK || l.act != ACT_INTENT || line_body(&l, &doc).kind != OK)
			continue;
		/* the intent's own line of the books stood within the head it names */
		if (journal_get_head(json_root(doc), "books_size", "books_root", &books).kind != OK || books.size <= size ||
		    json_text(json_root(doc), "serial", &hex).kind != OK)
			continue;
		buf_put(out, hex);
		buf_put_u8(out, '\n');
	}
	return e.kind == ERR_ABSENT || e.kind == OK ? ok : e;
}

/* --- durable ---------------------------------------------------------------------- */

err
journal_commit(struct journal *j)
{
	if (!j->dirty)
		return ok;
	TRY(book_commit(j->book));
	j->dirty = false;
	/* a second commit of one turn is a later moment */
	j->at.ms++;
	return ok;
}

err
journal_tend(struct journal *j)
{
	struct buf carried OWNED(buf_drop) = BUF(INDEX_CARRIED_MAX);
	uint64_t size = book_size(j->book);

	if (j->dirty || !index_is_due(j->index, size))
		return ok;
	journal_state_put(&carried, &j->state);
	return index_seal(j->index, size, book_root(j->book), buf_slice(&carried));
}

err
journal_tend_revoked(struct journal *j, struct revoked_set *revoked, instant ended)
{
	if (revoked_set_recent(revoked) < REVOKED_RECENT_MAX)
		return ok;
	if (j->dirty)
		return fail(ERR_BUSY, "journal-dirty: house: lines of this turn are not durable yet");
	return rebase(j, revoked, ended, journal_head(j));
}

/* --- known serials ---------------------------------------------------------------- */

static err
read_known_line(slice bytes, struct known_set *known)
{
	struct json *doc OWNED(json_drop) = NULL;
	struct line l;
	slice text, one;

	/* few lines say so: the others are not parsed */
	if (memmem(bytes.p, bytes.n, "\"known\":\"", 9) == NULL)
		return ok;
	if (line_get(bytes, &l).kind != OK || line_body(&l, &doc).kind != OK)
		return journal_corrupt();
	if (l.act != ACT_OCSP_PUBLISHED || json_text(json_root(doc), "known", &text).kind != OK)
		return ok;
	while (text.n > 0) {
		struct known_one k;
		bool fresh;

		if (!slice_cut(&text, ' ', &one)) {
			one = text;
			text.n = 0;
		}
		if (journal_get_known(one, &k).kind != OK)
			return journal_corrupt();
		TRY(known_set_add(known, &k, &fresh));
	}
	return ok;
}

static err
read_known(struct journal *j, uint64_t from, struct known_set *known)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice s;
	err e;

	if (from >= book_size(j->book))
		return ok;
	TRY(book_read_from(j->book, from, &r));
	while ((e = book_read_next(r, &n, &s)).kind == OK)
		TRY(read_known_line(s, known));
	return e.kind == ERR_ABSENT ? ok : e;
}

err
journal_open_known(struct journal *j, struct known_set *known)
{
	uint64_t size = book_size(j->book), from = size > KNOWN_LINES ? size - KNOWN_LINES : 0;
	struct records_from base;
	err e = known_file_open(j->folder, &j->known, &base, &j->known_covers);

	if (e.kind == OK)
		e = known_set_base(known, &base, KNOWN_FORGET_RECENT);
	if (e.kind != OK) {
		records_file_close(&j->known);
		j->known_covers = 0;
		if (e.kind != ERR_ABSENT && e.kind != ERR_CORRUPT)
			return e;
		if (e.kind == ERR_CORRUPT) /* the certificates are shown again */
			log_err(LOG_ALARM, e);
	}
	return read_known(j, j->known_covers > from ? j->known_covers : from, known);
}

err
journal_tend_known(struct journal *j, struct known_set *known, instant ended)
{
	struct records_file *file OWNED(records_file_close) = NULL;
	struct records_from base;
	uint64_t size = book_size(j->book), covers;

	if (known_set_recent(known) == 0 ||
	    (known_set_recent(known) < KNOWN_RECENT_MAX && size < j->known_covers + KNOWN_LINES / 2))
		return ok;
	if (j->dirty)
		return fail(ERR_BUSY, "journal-dirty: house: lines of this turn are not durable yet");
	TRY(known_file_write(j->folder, known, ended, size));
	TRY(known_file_open(j->folder, &file, &base, &covers));
	TRY(known_set_base(known, &base, KNOWN_FORGET_RECENT));
	records_file_close(&j->known);
	j->known = file;
	j->known_covers = covers;
	file = NULL;
	return ok;
}
