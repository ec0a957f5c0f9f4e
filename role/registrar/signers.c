#include "act/books.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

/*
 * Both signers, on every new wire: heads both ways, then profile, rule set and
 * approval, then J-LIS's list; only then the day's orders.  Who finds that the
 * other was set back stops, names what is affected, and an operator must look.
 */

#define RESPONDER_AGAIN_MS 5000

static void
stop(struct keyholder *s, const char *why)
{
	s->step = SIGNER_STOPPED;
	s->stopped = why;
	log_text(LOG_ALARM, why);
}

/*
 * Hello says our head, and proves that it extends the head at proof_from; a
 * signer that knows another answers with that one, and hello is said again.
 */
static err
hello(struct registrar *r, struct keyholder *s, struct head from)
{
	struct head_order o = {.books = {book_size(r->book), book_root(r->book)}, .proof_from = from.size};
	const struct ledger *h = db_ledger(r->db);
	struct tree_nodes nodes = book_nodes(r->book);

	if (from.size > 0 && from.size < o.books.size)
		TRY(tree_consistency(&nodes, from.size, o.books.size, o.proof, &o.n_proof));
	o.journal = s->peer == PEER_ISSUER ? h->issuer : h->status;
	s->hello = o.books;
	s->known = o.journal;
	head_order_put(body_new(r), &o);
	turn_order(r, s->peer, 0, ORDER_HELLO, s->id, buf_slice(&r->body));
	return ok;
}

err
signer_fresh(struct registrar *r, struct keyholder *s)
{
	if (s->step == SIGNER_STOPPED)
		return ok; /* what was found does not go away with a new wire */
	s->step = SIGNER_HELLO;
	s->orders = 0;
	memset(s->crl, 0, sizeof s->crl);
	memset(s->sending, 0, sizeof s->sending);
	s->lent = (digest){0};
	s->telling = UINT64_MAX;
	s->telling_officer = s->officers_new = false;
	s->officers = 0;
	s->held_until = 0;
	s->none_at = UINT64_MAX;
	s->told = db_ledger(r->db)->crl_covers;
	s->id = ++r->generations;
	s->hello_at = INT64_MAX;
	return hello(r, s, (struct head){0});
}

void
signer_rules(struct registrar *r, struct keyholder *s)
{
	rules_order_put(body_new(r), &(struct rules_order){buf_slice(&r->files.profile), buf_slice(&r->files.ruleset),
	                                 buf_slice(&r->files.approval), buf_slice(&r->files.automation)});
	turn_order(r, s->peer, 0, ORDER_RULES, s->id, buf_slice(&r->body));
	if (s->step == SIGNER_HELLO)
		s->step = SIGNER_RULES;
}

/* The serials whose certificates the books have from a part of the journal that is gone. */
static void
name_serials(struct registrar *r, uint64_t journal_size)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;

	if (book_read_from(r->book, 0, &reader).kind != OK)
		return;
	while (book_read_next(reader, &n, &line).kind == OK) {
		struct entry e OWNED(entry_drop) = {0};

		if (memmem(line.p, line.n, "certificate.issued", 18) == NULL || entry_get(line, &e).kind != OK)
			continue;
		if (e.line.act == ACT_CERTIFICATE_ISSUED && e.journal > journal_size)
			log_id(LOG_ALARM, "journal-rollback: design 3: issued, and not in the issuer's journal any more", "serial",
			    serial_slice(&e.serial));
	}
}

/* A signer that stopped names, in its refusal's body, the serials our books hide; or how short its journal is. */
static void
name_hidden(struct registrar *r, slice body)
{
	slice text, hex, word;
	uint64_t size;
	serial n;

	if (octets_get(body, &text).kind != OK)
		return;
	while (slice_cut(&text, '\n', &hex))
		if (slice_has_prefix(hex, LIT(HELLO_JOURNAL))) {
			if (slice_take(&hex, sizeof HELLO_JOURNAL - 1, &word) && decimal_get(hex, INT64_MAX, &size).kind == OK)
				name_serials(r, size);
		} else if (serial_get_hex(hex, &n).kind == OK)
			log_id(LOG_ALARM, "books-rollback: design 3: signed, and its order is not in the books any more", "serial",
			    serial_slice(&n));
}

/* Heads both ways: NULL where each extends what the other knew, else what is wrong. */
static const char *
heads_differ(struct registrar *r, const struct keyholder *s, const struct head_reply *reply)
{
	struct tree_nodes nodes = book_nodes(r->book);
	digest root;

	if (reply->journal.size < s->known.size)
		return "journal-rollback: design 3: a signer's journal is of an older day than the books";
	if (s->known.size > 0 &&
	    books_check_extends(s->known, reply->journal, s->known.size, reply->proof, reply->n_proof).kind != OK)
		return "journal-other: design 3: a signer's journal does not extend the one the books know";
	if (reply->books.size > book_size(r->book))
		return "books-rollback: design 3: a signer has seen more lines than the books hold";
	if (reply->books.size > 0 &&
	    (tree_root_at(&nodes, reply->books.size, &root).kind != OK || !digest_eq(root, reply->books.root)))
		return "books-other: design 3: a signer has seen other lines than the books hold";
	return NULL;
}

static err
hello_result(struct registrar *r, struct keyholder *s, const struct frame *x)
{
	struct head_reply reply;
	const char *differ;

	if (x->fail == ERR_CORRUPT) {
		log_what(LOG_ALARM, s->peer == PEER_ISSUER ? "issuer" : "status", x->what);
		stop(s, "signer-stopped: design 3: a signer found that books or journal were set back; it signs nothing");
		name_hidden(r, x->body);
		return ok;
	}
	if (x->fail != OK) {
		log_what(LOG_WARN, s->peer == PEER_ISSUER ? "issuer" : "status", x->what);
		s->hello_at = r->seen_steady + 1000;
		return ok;
	}
	TRY(head_reply_get(x->body, &reply));
	differ = heads_differ(r, s, &reply);
	if (differ != NULL) {
		stop(s, differ);
		if (reply.journal.size < s->known.size)
			name_serials(r, reply.journal.size);
		return ok;
	}
	s->journal = reply.journal;
	if (reply.books.size != s->hello.size)
		return hello(r, s, reply.books);
	if (s->peer == PEER_STATUS) {
		err e = keys_hear_responder(r, reply.responder);

		if (e.kind != OK) { /* said again, in case its K-1 is on its way */
			log_err(LOG_ALARM, e);
			s->hello_at = r->seen_steady + RESPONDER_AGAIN_MS;
			return ok;
		}
	}
	signer_rules(r, s);
	return ok;
}

/* A hello that was refused for the hour's sake is said again. */
err
signer_tend(struct registrar *r, struct keyholder *s)
{
	if (s->step != SIGNER_HELLO || r->seen_steady < s->hello_at || link_of(r, s->peer, 0) == NULL)
		return ok;
	s->hello_at = INT64_MAX;
	return hello(r, s, (struct head){0});
}

static err
rules_result(struct registrar *r, struct keyholder *s, const struct frame *x)
{
	if (x->fail != OK) {
		log_what(LOG_ALARM, s->peer == PEER_ISSUER ? "issuer" : "status", x->what);
		return ok; /* stays without rules: nothing is ordered of it, until an approval it takes */
	}
	if (s->step == SIGNER_RULES)
		s->step = SIGNER_READY;
	r->owed.issue_at = 0;
	return ok;
}

/* --- revocations: each to both sets, in the books' order ----------------------------------- */
static err
tell(struct registrar *r, struct keyholder *s, const struct record *d)
{
	struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX), application OWNED(buf_drop) = BUF(CMS_MAX),
	                       cms OWNED(buf_drop) = BUF(CMS_MAX), answer OWNED(buf_drop) = BUF(64U << 10);
	struct revoked_order o = {.method = d->d.revocation_method,
	    .judged = d->d.revocation_judged,
	    .revoked = d->d.revoked,
	    .reason = d->d.reason};
	struct evidence_at at;

	TRY(flight_load(r, d, &application, &certificate));
	TRY(db_place(r->db, d->d.revocation, &at));
	TRY(book_evidence(r->book, &at, d->d.revocation, (slice){NULL, 0}, &cms));
	if (o.method == STATUS_CRL)
		o.crl = d->d.revocation_status;
	else if (o.method == STATUS_OCSP) {
		TRY(db_place(r->db, d->d.revocation_status, &at));
		TRY(book_evidence(r->book, &at, d->d.revocation_status, secret_slice(&r->jlis_key), &answer));
		o.ocsp_answer = buf_slice(&answer);
		o.ocsp_nonce = ARR(d->d.revocation_nonce);
	}
	o.certificate = buf_slice(&certificate);
	o.cms = buf_slice(&cms);
	if (d->d.revoker == SIGNER_CARD)
		o.application = buf_slice(&application);
	revoked_order_put(body_new(r), &o);
	turn_order(r, s->peer, 0, ORDER_REVOKED, d->d.revoked_n, buf_slice(&r->body));
	s->telling = d->d.revoked_n;
	return ok;
}

bool
signer_has_heard(const struct keyholder *s, const struct dossier *d)
{
	return d->revoked_n < s->told || (d->revoker == SIGNER_PERSON && d->revoked_n < s->officers);
}

#define HELD_MS 10000
#define OFFICERS_AT_ONCE 16

/*
 * The signer takes no more by rule in this hour (revocation-cap).  What a person signed does not wait behind that: the
 * officers' ones beyond go ahead, and are told again, to no effect, when their turn among all comes.
 */
static err
tell_officers(struct registrar *r, struct keyholder *s)
{
	struct record d[OFFICERS_AT_ONCE];
	size_t n;

	if (s->officers < s->told)
		s->officers = s->told;
	TRY(db_revoked(r->db, s->officers, d, OFFICERS_AT_ONCE, &n));
	for (size_t i = 0; i < n && d[i].d.revoked_n < book_size(r->book); i++) {
		if (d[i].d.revoker == SIGNER_PERSON) {
			TRY(tell(r, s, &d[i]));
			s->telling_officer = true;
			return ok;
		}
		s->officers = d[i].d.revoked_n + 1;
	}
	return ok;
}

static err
tell_next(struct registrar *r, struct keyholder *s)
{
	struct record d;
	size_t n;

	if (s->step != SIGNER_READY || s->telling != UINT64_MAX || s->told >= db_ledger(r->db)->revoked_end ||
	    link_of(r, s->peer, 0) == NULL)
		return ok;
	if (r->seen_steady < s->held_until)
		return tell_officers(r, s);
	if (s->none_at == r->revocations)
		return ok; /* nothing was revoked since the last look */
	TRY(db_revoked(r->db, s->told, &d, 1, &n));
	if (n == 0)
		s->none_at = r->revocations;
	/* only what is durable: a line of this turn is told after it */
	return n == 1 && d.d.revoked_n < book_size(r->book) ? tell(r, s, &d) : ok;
}

err
signer_tell_revoked(struct registrar *r)
{
	TRY(tell_next(r, &r->issuer));
	return tell_next(r, &r->status);
}

/*
 * The revocation cites a list of J-LIS that the signer has not got any more, since days may lie between the entry and its
 * hearing: lent once, from the evidence.  False: that cannot help.
 */
static bool
lend_cited(struct registrar *r, struct keyholder *s, uint64_t line)
{
	struct buf bytes OWNED(buf_drop) = BUF(CRL_MAX);
	struct evidence_at at;
	struct record d;
	digest cited;
	size_t n;

	if (db_revoked(r->db, line, &d, 1, &n).kind != OK || n == 0 || d.d.revocation_method != STATUS_CRL)
		return false;
	cited = d.d.revocation_status;
	for (size_t i = 0; i < JLIS_LISTS_MAX; i++)
		if (digest_eq(s->sending[i], cited))
			return true; /* on its way */
	if (digest_eq(s->lent, cited) || db_place(r->db, cited, &at).kind != OK ||
	    book_evidence(r->book, &at, cited, secret_slice(&r->jlis_key), &bytes).kind != OK)
		return false;
	s->lent = cited;
	jlis_send_parts(r, s->peer, 0, JLIS_LISTS_MAX, buf_slice(&bytes));
	return true;
}

static err
revoked_result(struct registrar *r, struct keyholder *s, const struct frame *x)
{
	bool officer = s->telling_officer;
	struct head_reply reply;

	if (s->telling != x->id)
		return ok;
	s->telling = UINT64_MAX;
	s->telling_officer = false;
	if (x->fail == ERR_BUSY && slice_has_prefix(x->what, LIT("revocation-cap")))
		s->held_until = r->seen_steady + HELD_MS;
	if (x->fail == ERR_BUSY || x->fail == ERR_WORLD || (x->fail == ERR_ABSENT && lend_cited(r, s, x->id))) {
		log_what(LOG_WARN, s->peer == PEER_ISSUER ? "issuer" : "status", x->what);
		return ok; /* told again with the next turn */
	}
	if (x->fail != OK) {
		/* Told, and not believed: a person must look; the others are not held up. */
		log_number(LOG_ALARM, "revocation-disbelieved: design 3: a signer does not take a revocation of the books",
		    "line", x->id);
		log_what(LOG_ALARM, s->peer == PEER_ISSUER ? "issuer" : "status", x->what);
	} else {
		TRY(head_reply_get(x->body, &reply));
		s->journal = reply.journal;
	}
	if (officer) {
		s->officers = x->id + 1;
		s->officers_new = true;
	} else
		s->told = x->id + 1;
	r->revoked_told = r->revoked_told || s->peer == PEER_STATUS;
	return ok;
}

err
signer_result(struct registrar *r, struct keyholder *s, const struct frame *x)
{
	struct flight *f;

	switch (x->kind) {
	case ORDER_HELLO:
		return x->id == s->id ? hello_result(r, s, x) : ok;
	case ORDER_RULES:
		return x->id == s->id ? rules_result(r, s, x) : ok;
	case ORDER_REVOKED:
		return revoked_result(r, s, x);
	case ORDER_CRL_IN:
		return jlis_crl_result(r, s->peer, 0, x);
	case ORDER_CRL_OUT:
		return lists_signed(r, x);
	case ORDER_CRL_PART:
		return lists_part(r, x);
	case ORDER_ISSUE:
		s->orders -= s->orders > 0;
		f = flight_of_id(r, x->id);
		return f != NULL && f->stage == STAGE_ISSUE ? issuing_result(r, f, x) : ok;
	case ORDER_VOID:
		f = flight_of_id(r, x->id);
		return f != NULL && f->stage == STAGE_VOID ? issuing_void_result(r, f, x) : ok;
	default:
		return status_result(r, x);
	}
}
