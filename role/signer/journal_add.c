/* Lines of a signer's journal, put into the turn: what each act says. */
#include "role/signer/journal_inside.h"

void
journal_turn(struct journal *j, instant now)
{
	assert(!j->dirty);
	j->at = now;
	if (now.ms <= j->state.at.ms)
		j->at.ms = j->state.at.ms + 1;
}

bool
journal_is_dirty(const struct journal *j)
{
	return j->dirty;
}

/*
 * Puts one line into the turn.  Its caller tells index and state what it says, so
 * that the next order of the turn sees it; a reading of the same line at the next
 * start tells them the same (index_line, apply), which the tests hold us to.
 */
static void
add(struct journal *j, struct line *l, const struct buf *body)
{
	struct buf text OWNED(buf_drop) = BUF(LINE_MAX);

	l->n = book_next(j->book);
	l->at = j->at;
	l->by = j->who;
	l->by_id = j->who == BY_ISSUER ? LIT("issuer") : LIT("status");
	l->under = j->trust;
	l->body = buf_slice(body);
	line_put(&text, l);
	assert(!text.over);
	book_add_line(j->book, buf_slice(&text));
	j->state.at = l->at;
	j->dirty = true;
}

static void
put_hex(struct buf *b, const char *name, digest d)
{
	json_put_named_hex(b, name, ARR(d.b));
}

static void
put_serial(struct buf *b, serial s)
{
	struct buf hex OWNED(buf_drop) = BUF(64);

	serial_put_hex(&hex, s);
	json_put_named(b, "serial", buf_slice(&hex));
}

static void
put_time(struct buf *b, const char *name, instant t)
{
	struct buf text OWNED(buf_drop) = BUF(64);

	instant_put(&text, t);
	json_put_named(b, name, buf_slice(&text));
}

static void
put_head(struct buf *b, const char *size, const char *root, struct head h)
{
	json_put_named_number(b, size, h.size);
	put_hex(b, root, h.root);
}

static void
rule(struct line *l, slice id)
{
	l->rule[l->n_rules++] = id;
}

uint64_t
journal_add_intent(struct journal *j, const struct issue_plan *p, const struct issue_order *o, slice profile)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_INTENT, .about = ABOUT_DOSSIER, .dossier = p->dossier};
	struct head books = o->books.size > j->state.books.size ? o->books : j->state.books;

	rule(&l, LIT("B-6"));
	json_open(&b, '{');
	put_serial(&b, p->serial);
	put_hex(&b, "tbs", ticket_digest(p->ticket));
	put_hex(&b, "application", p->application);
	put_hex(&b, "key", p->key);
	json_put_named(&b, "proof", slice_str(proof_name(ticket_proof(p->ticket))));
	put_hex(&b, "grounds", ticket_grounds(p->ticket));
	json_put_named(&b, "responsible", p->responsible);
	put_hex(&b, "card", p->card);
	put_hex(&b, "status", p->status);
	put_time(&b, "judged", p->judged);
	put_hex(&b, "leaf", o->leaf);
	put_head(&b, "books_size", "books_root", books);
	json_put_named(&b, "profile", profile);
	json_close(&b, '}');
	add(j, &l, &b);
	index_add(j->index, BY_SERIAL, serial_slice(&p->serial), l.n);
	index_add(j->index, BY_APPLICATION, ARR(p->application.b), l.n);
	index_add(j->index, BY_KEY, ARR(p->key.b), l.n);
	j->state.books = books;
	if (ticket_proof(p->ticket) == PROOF_RULE)
		journal_count_add(&j->state.issued, l.at);
	return l.n;
}

void
journal_add_signed(struct journal *j, dossier_id dossier, serial s, uint64_t intent, slice certificate)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_SIGNED, .about = ABOUT_DOSSIER, .dossier = dossier, .n_evidence = 1};
	struct evidence_at at;

	rule(&l, LIT("B-6"));
	l.evidence[0] = sha256(certificate);
	book_add_evidence(j->book, l.evidence[0], certificate, &at);
	json_open(&b, '{');
	put_serial(&b, s);
	json_put_named_number(&b, "intent", intent);
	put_hex(&b, "certificate", l.evidence[0]);
	json_put_named_number(&b, "pack", at.pack);
	json_put_named_number(&b, "offset", at.offset);
	json_put_named_number(&b, "length", at.length);
	json_close(&b, '}');
	add(j, &l, &b);
	index_add(j->index, BY_SERIAL, serial_slice(&s), l.n);
}

void
journal_add_refused(struct journal *j, dossier_id dossier, serial s, err why)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_REFUSED, .about = ABOUT_DOSSIER, .dossier = dossier};
	slice text = slice_str(why.what), code;

	if (!slice_cut(&text, ':', &code))
		code = text;
	json_open(&b, '{');
	put_serial(&b, s);
	json_put_named(&b, "why", code);
	json_close(&b, '}');
	add(j, &l, &b);
}

void
journal_add_void(struct journal *j, dossier_id dossier, serial s)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_VOID, .about = ABOUT_DOSSIER, .dossier = dossier};

	json_open(&b, '{');
	put_serial(&b, s);
	json_close(&b, '}');
	add(j, &l, &b);
	index_add(j->index, BY_SERIAL, serial_slice(&s), l.n);
}

void
journal_add_revoked(struct journal *j, const struct revocation *r)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_REVOKED, .about = ABOUT_CERTIFICATE, .serial = r->serial};

	memcpy(l.issuer, j->issuer, SHA1_LEN);
	rule(&l, LIT("B-10"));
	json_open(&b, '{');
	json_put_named(&b, "reason", slice_str(reason_name(r->reason)));
	put_time(&b, "revoked", r->revoked);
	put_time(&b, "not_after", r->not_after);
	if (r->invalid_since.ms != 0)
		put_time(&b, "invalid_since", r->invalid_since);
	json_put_named(&b, "by", slice_str(revocation_by_name(r->by)));
	json_put_named(&b, "person", r->person);
	put_hex(&b, "document", r->document);
	json_close(&b, '}');
	add(j, &l, &b);
	index_add(j->index, BY_REVOKED, serial_slice(&r->serial), l.n);
	if (r->by != REVOCATION_BY_OFFICER)
		journal_count_add(&j->state.revoked, l.at);
}

void
journal_add_list(struct journal *j, const struct crl_order *o, const struct list_plan *p)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_CRL_PUBLISHED, .about = ABOUT_HOUSE};

	rule(&l, LIT("B-11"));
	json_open(&b, '{');
	json_put_named_number(&b, "number", o->number);
	put_time(&b, "this_update", o->now);
	put_time(&b, "next_update", o->next_update);
	json_put_named_number(&b, "count", p->count);
	put_hex(&b, "tbs", p->tbs);
	json_put_named_number(&b, "orders", p->filter.upto);
	if (o->base != 0)
		json_put_named_number(&b, "base", o->base);
	if (o->partition != 0)
		json_put_named_number(&b, "partition", o->partition);
	json_close(&b, '}');
	add(j, &l, &b);
	j->state.list.number = o->number;
	if (o->base == 0 && o->partition == 0) {
		j->state.list.complete = o->number;
		j->state.list.complete_orders = p->filter.upto;
	}
}

void
journal_add_answers(struct journal *j, const struct journal_answers *a)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX), known OWNED(buf_drop) = BUF(LINE_BODY_MAX),
	             hex OWNED(buf_drop) = BUF(2 * SERIAL_MAX);
	struct line l = {.act = ACT_OCSP_PUBLISHED, .about = ABOUT_HOUSE};

	assert(a->n_fresh <= ANSWERS_MAX);
	rule(&l, LIT("B-11"));
	json_open(&b, '{');
	json_put_named_number(&b, "count", a->count);
	put_time(&b, "this_update", a->this_update);
	put_time(&b, "next_update", a->next_update);
	put_hex(&b, "tbs", a->tbs);
	for (size_t i = 0; i < a->n_fresh; i++)
		journal_put_known(&known, &a->fresh[i]);
	if (known.n > 0)
		json_put_named(&b, "known", buf_slice(&known));
	if (a->after.n > 0) {
		serial_put_hex(&hex, a->after);
		json_put_named(&b, "after", buf_slice(&hex));
		buf_clear(&hex);
	}
	if (a->upto.n > 0) {
		serial_put_hex(&hex, a->upto);
		json_put_named(&b, "upto", buf_slice(&hex));
	}
	json_close(&b, '}');
	add(j, &l, &b);
}

void
journal_add_checkpoint(struct journal *j, struct head books)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);
	struct line l = {.act = ACT_CHECKPOINT_SIGNED, .about = ABOUT_HOUSE};

	json_open(&b, '{');
	put_head(&b, "size", "root", books);
	json_close(&b, '}');
	add(j, &l, &b);
	j->state.checkpoint = books;
	if (books.size > j->state.books.size)
		j->state.books = books;
}

static void
add_seen(struct journal *j, struct buf *b)
{
	struct line l = {.act = ACT_SEEN, .about = ABOUT_HOUSE};

	json_close(b, '}');
	add(j, &l, b);
}

void
journal_add_books(struct journal *j, struct head books)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	put_head(&b, "books_size", "books_root", books);
	add_seen(j, &b);
	j->state.books = books;
}

void
journal_add_ruleset(struct journal *j, uint64_t version, digest ruleset, digest approval)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	json_put_named_number(&b, "version", version);
	put_hex(&b, "ruleset", ruleset);
	put_hex(&b, "approval", approval);
	add_seen(j, &b);
	j->state.ruleset_version = version;
	j->state.ruleset = ruleset;
}

void
journal_add_automation(struct journal *j, const struct automation *a)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	put_hex(&b, "automation", a->document);
	json_put_named(&b, "says", a->stopped ? LIT("stop") : LIT("resume"));
	put_time(&b, "date", a->date);
	add_seen(j, &b);
	j->state.automation = *a;
}

void
journal_add_parted(struct journal *j, const struct profile *p)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	json_put_named_number(&b, "parts", p->crl_partitions);
	put_hex(&b, "parted", revocation_parted(p));
	add_seen(j, &b);
	j->state.list.parts = p->crl_partitions;
	j->state.list.parted = revocation_parted(p);
}

uint64_t
journal_by_rule(const struct journal *j, instant now)
{
	return journal_count_hour(&j->state.issued, now);
}

uint64_t
journal_revoked_by_rule(const struct journal *j, instant now)
{
	return journal_count_hour(&j->state.revoked, now);
}

void
journal_add_clock(struct journal *j)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	json_put_named(&b, "clock", LIT("confirmed"));
	add_seen(j, &b);
}

void
journal_add_started(struct journal *j, slice as)
{
	struct buf b OWNED(buf_drop) = BUF(LINE_BODY_MAX);

	json_open(&b, '{');
	json_put_named(&b, "started", as);
	add_seen(j, &b);
}
