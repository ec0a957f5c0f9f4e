#include "base/seal.h"
#include "edge/log.h"
#include "edge/random.h"
#include "role/registrar/registrar.h"

/* --- links ------------------------------------------------------------------- */
struct known *
link_known(struct registrar *r, enum peer peer, uint64_t number)
{
	for (size_t i = 0; i < r->n_links; i++)
		if (r->link[i].peer == peer && r->link[i].number == number)
			return &r->link[i];
	return NULL;
}

struct link *
link_of(struct registrar *r, enum peer peer, uint64_t number)
{
	return wires_find(r->wires, peer, number);
}

struct buf *
body_new(struct registrar *r)
{
	buf_clear(&r->body);
	r->body.over = false;
	return &r->body;
}

/* --- entries ------------------------------------------------------------------ */
struct entry
entry_of(const struct registrar *r, enum act act)
{
	struct entry e = {.line = {.act = act, .about = ABOUT_HOUSE, .by = BY_REGISTRAR, .by_id = LIT("registrar")}};

	(void)r;
	return e;
}

struct entry
entry_about(const struct registrar *r, enum act act, dossier_id about)
{
	struct entry e = entry_of(r, act);

	e.line.about = ABOUT_DOSSIER;
	e.line.dossier = about;
	return e;
}

void
entry_personal(struct entry *e, const char *field, slice value)
{
	struct personal *p = &e->personal[e->n_personal];

	assert(e->n_personal < ENTRY_PERSONAL_MAX);
	*p = (struct personal){.field = field, .value = value};
	e->n_personal++;
}

static void
set_salts(struct entry *e)
{
	uint8_t salts[ENTRY_PERSONAL_MAX * SALT_LEN];

	if (e->n_personal == 0)
		return;
	random_bytes(salts, e->n_personal * SALT_LEN);
	for (size_t i = 0; i < e->n_personal; i++)
		memcpy(e->personal[i].salt, salts + i * SALT_LEN, SALT_LEN);
	wipe(salts, sizeof salts);
}

err
turn_enter(struct registrar *r, struct entry *e, const struct evidence_at *places)
{
	slice openings, one;

	/* law 9, in the one place every line passes: what a helper finished under another clock is entered under none */
	TRY(turn_open_check(r));
	r->in_turn = true;
	r->effects++;
	e->line.n = book_next(r->book);
	e->line.at = r->now;
	e->line.under = e->line.act == ACT_BASELINE_SET ? e->document : db_ledger(r->db)->baseline;
	set_salts(e);
	buf_clear(&r->line);
	buf_clear(&r->openings);
	entry_put(&r->line, &r->openings, e);
	TRY(db_apply(r->db, e, places));
	openings = buf_slice(&r->openings);
	while (slice_cut(&openings, '\n', &one))
		book_add_opening(r->book, one);
	book_add_line(r->book, buf_slice(&r->line));
	r->line_n = e->line.n;
	r->lines++;
	return ok;
}

err
turn_evidence(struct registrar *r, slice bytes, digest *name, struct evidence_at *at)
{
	digest d = sha256(bytes);
	err e = db_place(r->db, d, at);

	r->effects++;
	if (e.kind == ERR_ABSENT)
		book_add_evidence(r->book, d, bytes, at);
	else
		TRY(e);
	*name = d;
	return ok;
}

err
turn_sealed(struct registrar *r, slice bytes, digest *name, struct evidence_at *at)
{
	uint8_t nonce[SEAL_NONCE_LEN];
	digest d = sha256(bytes);
	err e = db_place(r->db, d, at);

	r->effects++;
	if (e.kind == ERR_ABSENT) {
		random_bytes(nonce, sizeof nonce);
		book_add_sealed(r->book, d, bytes, secret_slice(&r->jlis_key), ARR(nonce), at);
	} else
		TRY(e);
	*name = d;
	return ok;
}

/* --- what leaves after the commit ------------------------------------------------ */
static struct parcel *
parcel_new(struct registrar *r)
{
	if (r->n_parcels == r->cap_parcels) {
		r->cap_parcels = r->cap_parcels == 0 ? 256 : 2 * r->cap_parcels;
		r->parcel = mem_grow(r->parcel, r->cap_parcels, sizeof *r->parcel);
	}
	r->parcel[r->n_parcels] = (struct parcel){0};
	return &r->parcel[r->n_parcels++];
}

static void
put_bytes(struct registrar *r, slice s, size_t *at, size_t *n)
{
	*at = r->bytes.n;
	*n = s.n;
	buf_put(&r->bytes, s);
	assert(!r->bytes.over);
}

void
turn_answer(struct registrar *r, const struct caller *to, slice body)
{
	struct parcel *p = parcel_new(r);

	p->to = *to;
	put_bytes(r, body, &p->body_at, &p->body_n);
}

void
turn_refuse_text(struct registrar *r, const struct caller *to, enum err_kind kind, slice what)
{
	struct parcel *p = parcel_new(r);

	assert(kind != OK);
	p->to = *to;
	p->fail = kind;
	put_bytes(r, what, &p->what_at, &p->what_n);
	if (to->kind == ORDER_APPLY || to->kind == ORDER_RECEIPT || to->kind == ORDER_REVOKE || to->kind == ORDER_WITHDRAWN)
		r->uncounted[kind]++;
}

void
turn_refuse(struct registrar *r, const struct caller *to, err e)
{
	turn_refuse_text(r, to, e.kind, slice_str(e.what));
	if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
		log_err(LOG_WARN, e);
}

void
turn_order(struct registrar *r, enum peer peer, uint64_t number, uint8_t kind, uint64_t id, slice body)
{
	const struct known *k = link_known(r, peer, number);
	struct parcel *p = parcel_new(r);

	p->is_order = true;
	p->to = (struct caller){
	    .peer = peer, .number = number, .generation = k == NULL ? 0 : k->generation, .id = id, .kind = kind};
	put_bytes(r, body, &p->body_at, &p->body_n);
}

void
turn_order_now(struct registrar *r, enum peer peer, uint64_t number, uint8_t kind, uint64_t id, slice body)
{
	struct link *l = link_of(r, peer, number);

	if (l != NULL)
		link_order(l, kind, id, body);
}

static slice
bytes_at(const struct registrar *r, size_t at, size_t n)
{
	return (slice){n == 0 ? NULL : r->bytes.p + at, n};
}

/* Everything that was held back until the lines are durable; `failed` not OK: all askers hear that instead. */
static void
send_parcels(struct registrar *r, err failed)
{
	for (size_t i = 0; i < r->n_parcels; i++) {
		const struct parcel *p = &r->parcel[i];
		const struct known *k = link_known(r, p->to.peer, p->to.number);
		struct link *l = link_of(r, p->to.peer, p->to.number);
		struct frame f = {.kind = p->to.kind, .id = p->to.id};

		if (l == NULL || k == NULL || k->generation != p->to.generation || (p->is_order && failed.kind != OK))
			continue;
		if (failed.kind != OK) {
			link_refuse(l, &f, failed);
			continue;
		}
		f.fail = p->fail;
		f.what = bytes_at(r, p->what_at, p->what_n);
		f.body = bytes_at(r, p->body_at, p->body_n);
		link_put(l, &f);
	}
	r->n_parcels = 0;
	buf_clear(&r->bytes);
}

void
turn_entry_reply(struct registrar *r, const struct caller *to, const serial *s)
{
	struct entry_reply x = {.n = r->line_n, .at = r->now, .line = buf_slice(&r->line)};

	if (s != NULL && s->n > 0) {
		x.has_serial = true;
		x.serial = *s;
	}
	entry_reply_put(body_new(r), &x);
	turn_answer(r, to, buf_slice(&r->body));
}

err
turn_old_entry(struct registrar *r, const struct caller *to, uint64_t n, const serial *s)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct entry_reply x = {.n = n};
	struct line l;
	uint64_t at;

	TRY(book_read_from(r->book, n, &reader));
	TRY(book_read_next(reader, &at, &x.line));
	TRY(line_get(x.line, &l));
	x.at = l.at;
	if (s != NULL && s->n > 0) {
		x.has_serial = true;
		x.serial = *s;
	}
	entry_reply_put(body_new(r), &x);
	turn_answer(r, to, buf_slice(&r->body));
	return ok;
}

/* --- commit ---------------------------------------------------------------------- */
err
turn_open_check(const struct registrar *r)
{
	if (r->closed.kind != OK)
		return r->closed;
	return r->clock_closed;
}

/*
 * Many turns go into the projection's file at once: what a crash takes of them is applied again from the books.  A signed
 * checkpoint goes at once, since nothing below it may ever be cut off the books.
 */
static err
store(struct registrar *r)
{
	uint64_t checkpoint = db_ledger(r->db)->checkpoint_size;

	if (db_unstored(r->db) == 0) {
		r->stored_at = r->seen_steady;
		return ok;
	}
	if (db_unstored(r->db) < STORE_LINES && r->seen_steady - r->stored_at < STORE_EVERY_MS &&
	    checkpoint == r->stored_checkpoint)
		return ok;
	TRY(db_store(r->db));
	r->stored_at = r->seen_steady;
	r->stored_checkpoint = checkpoint;
	registrar_keep_counts(r, KEEP_IN_TIME);
	return ok;
}

err
turn_commit(struct registrar *r)
{
	if (!r->in_turn)
		db_rollback(r->db); /* only questions */
	else {
		TRY(book_commit(r->book));
		/* A crash here: the projection lags, and catches up at the next start. */
		TRY(db_commit(r->db, (struct head){book_size(r->book), book_root(r->book)}));
		r->in_turn = false;
		r->last_at = r->now;
		r->turns++;
	}
	TRY(issuing_send(r));
	send_parcels(r, ok);
	return store(r);
}

void
turn_rollback(struct registrar *r)
{
	db_rollback(r->db);
	book_rollback(r->book);
	r->in_turn = false;
	r->n_ordered = 0;
	send_parcels(r, fail(ERR_WORLD, "registrar-closed: design 3: nothing can be made durable now; try again later"));
}
