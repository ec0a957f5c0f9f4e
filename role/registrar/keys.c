#include "act/revocation.h"
#include "role/registrar/registrar.h"

#define KEY_UNUSED_MS (7 * DAY_MS) /* a change waits so long for its second person, or for a closed room */
#define PUBLISH_AGAIN_MS 2000      /* after the publisher could not write it                             */

/*
 * Rule 6(xvii), 12(1)(i)チ: the books begin with how the keys were made: K-1, signed by every person who was present, and a
 * line for each key; and they say when each was put to use, which is when its signer first stands ready.  The responder's key
 * changes in a running house: K-1 comes over run/office, with the certificate; the signer is started anew and says by which
 * certificate it answers, and the key before it is retired when its last answer is over.
 */
static const char *const NAMES[KEYS_COUNT] = {"issuer", "ocsp", "checkpoint"};

struct making {
	const struct trust_person *who;
	struct document d;
	digest key[KEYS_COUNT];
};

static err
read_keys(slice list, struct making *m)
{
	slice one;
	size_t n = 0;

	for (bool more = true; more; n++) {
		more = slice_cut(&list, ' ', &one);
		if (n == KEYS_COUNT)
			break;
		TRY(digest_get(more ? one : list, &m->key[n]));
	}
	return n == KEYS_COUNT
	           ? ok
	           : fail(ERR_POLICY, "keys-many: Rule 6(xvii): the record names the keys of issuer, OCSP and checkpoint");
}

static err
read_making(const struct registrar *r, slice cms, struct making *m)
{
	struct cms c;

	TRY(trust_check_person(r->trust, cms, DUTY_RESPONSIBLE | DUTY_OFFICER | DUTY_REVOCATION, &c, &m->who));
	TRY(document_get_form(c.content, FORM_KEYS, &m->d));
	if (!slice_eq(m->d.value[M_SERVICE], r->trust->service) || !slice_eq(m->d.value[M_PERSON], m->who->label))
		return fail(ERR_POLICY, "keys-person: Rule 6(xvii): the record is of another service, or names another signer");
	TRY(read_keys(m->d.value[M_KEYS], m));
	if (!digest_eq(m->key[0], sha256(r->trust->issuer.spki)) || !digest_eq(m->key[2], key_digest(r->trust->status_key)))
		return fail(ERR_POLICY, "keys-other: Rule 6(xvii): the record is of other keys than the trust file's");
	return ok;
}

/* All records say the same, each in its signer's name; one alone only where nobody is accredited. */
static err
check(const struct registrar *r, struct making *m)
{
	size_t n = r->files.n_keys;

	for (size_t i = 0; i < n; i++) {
		TRY(read_making(r, buf_slice(&r->files.keys[i]), &m[i]));
		for (size_t line = M_KEYS; line <= M_HOW; line++)
			if (!slice_eq(m[i].d.value[line], m[0].d.value[line]))
				return fail(
				    ERR_POLICY, "keys-differ: Rule 6(xvii): the persons present do not say the same of the keys");
		for (size_t k = 0; k < i; k++)
			if (m[k].who == m[i].who)
				return fail(ERR_POLICY, "keys-twice: Rule 6(xvii): one person signed two records of the same keys");
	}
	if (n == 0)
		return slice_eq(r->trust->state, LIT("NONE"))
		           ? ok
		           : fail(ERR_POLICY, "keys-none: Rule 6(xvii): an accredited house has the record of its keys");
	if (n == 1 && (!slice_eq(m[0].d.value[M_HOW], LIT("alone")) || !slice_eq(r->trust->state, LIT("NONE"))))
		return fail(ERR_POLICY, "keys-alone: Rule 6(xvii): keys are made by plural persons, and each of them signs");
	if (n > 1 && !slice_eq(m[0].d.value[M_HOW], LIT("together")))
		return fail(ERR_POLICY, "keys-alone: Rule 6(xvii): keys are made by plural persons, and each of them signs");
	return ok;
}

err
keys_check(const struct registrar *r)
{
	struct making m[KEYS_PERSONS_MAX] = {{NULL, {0}, {{{0}}}}};

	return check(r, m);
}

err
keys_found(struct registrar *r)
{
	struct making m[KEYS_PERSONS_MAX] = {{NULL, {0}, {{{0}}}}};

	TRY(check(r, m));
	for (size_t k = 0; k < KEYS_COUNT && r->files.n_keys > 0; k++) {
		struct entry e = entry_of(r, ACT_KEY_GENERATED);
		struct evidence_at at[KEYS_PERSONS_MAX];

		e.line.by = BY_RESPONSIBLE;
		e.line.by_id = m[0].who->label;
		e.document = sha256(buf_slice(&r->files.keys[0]));
		e.what = slice_str(NAMES[k]);
		e.key = m[0].key[k];
		e.how = m[0].d.value[M_HOW];
		e.line.n_evidence = r->files.n_keys;
		for (size_t i = 0; i < r->files.n_keys; i++)
			TRY(turn_evidence(r, buf_slice(&r->files.keys[i]), &e.line.evidence[i], &at[i]));
		TRY(turn_enter(r, &e, at));
	}
	return ok;
}

/* --- a changed responder -------------------------------------------------------------------- */
/* What a person says was made: one key, and the certificate beside it is the issuer's, for that key, and in force. */
static err
check_made(const struct registrar *r, const struct facts *x, slice certificate, digest *key, instant *from)
{
	struct responder c OWNED(responder_drop) = {0};

	TRY(responder_get(r->trust, certificate, &c));
	if (digest_get(x->value[M_KEYS], key).kind != OK || !digest_eq(*key, key_digest(c.key)))
		return fail(ERR_POLICY, "keys-certificate: Rule 6(xvii): the record is of another key than the certificate's");
	if (!cert_is_valid_at(&c.cert, r->now))
		return fail(ERR_POLICY, "keys-ended: RFC 6960 4.2.2.2: the responder's certificate is not in force");
	if (!slice_eq(r->trust->state, LIT("NONE")) && !slice_eq(x->value[M_HOW], LIT("together")))
		return fail(ERR_POLICY, "keys-alone: Rule 6(xvii): keys are made by plural persons, and each of them signs");
	*from = c.cert.not_before;
	return ok;
}

/*
 * A key is recorded once; another person may be wanted for it.  One that was retired is in no list any more, but its
 * certificate is public, in force for years, and not of later than its own record.  *n: the line that says it already,
 * UINT64_MAX: none.
 */
static err
check_new(const struct registrar *r, const struct flight *f, const struct facts *x, const struct entry *e, instant from,
    uint64_t *n)
{
	const struct ledger *h = db_ledger(r->db);
	const struct responder_key *k = ledger_find_responder(h, e->key);
	bool again = false;
	size_t room = 0;

	*n = UINT64_MAX;
	if (k != NULL) {
		if (!digest_eq(k->certificate, sha256(buf_slice(&f->ruleset_file))) ||
		    (k->wants > 0 && !slice_eq(x->value[M_HOW], LIT("together"))))
			return fail(ERR_POLICY, "keys-differ: Rule 6(xvii): the persons present do not say the same of the keys");
		if (k->wants == 0 || digest_eq(k->person, sha256(x->person))) {
			*n = k->n;
			return ok;
		}
	}
	/* each person's: its date is what later ones are held against */
	TRY(office_check_newer(r, &h->made, e->signed_at, f->document, &again));
	if (again)
		*n = h->made.n;
	if (k != NULL)
		return ok;
	if (!again && from.ms <= instant_floor_second(h->key_at).ms)
		return fail(ERR_POLICY, "keys-old: Rule 6(xvii): the certificate is not of later than the last record of a "
		                        "responder's key; a key that was retired is never used again");
	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		room += digest_eq(h->responder[i].key, (digest){{0}});
	return again || room > 0
	           ? ok
	           : fail(ERR_CONFLICT, "keys-soon: Rule 6(xvii): four keys of responders are in use, may have answers "
	                                "about or wait for their use; wait until one is retired: two days after its use, "
	                                "or seven after its record");
}

err
keys_judged(struct registrar *r, struct flight *f, const struct facts *x)
{
	struct entry e = office_entry(r, ACT_KEY_GENERATED, f, x);
	struct evidence_at at[2];
	uint64_t n = UINT64_MAX;
	instant from = {0};
	err bad = instant_get(x->value[M_DATE], &e.signed_at);

	if (bad.kind == OK)
		bad = check_made(r, x, buf_slice(&f->ruleset_file), &e.key, &from);
	if (bad.kind == OK)
		bad = check_new(r, f, x, &e, from, &n);
	if (bad.kind != OK) {
		flight_refuse_err(r, f, bad);
		return ok;
	}
	if (n != UINT64_MAX)
		return office_answer_old(r, f, n);
	e.what = LIT("ocsp");
	e.how = x->value[M_HOW];
	e.line.n_evidence = 2;
	TRY(turn_evidence(r, buf_slice(&f->cms), &e.line.evidence[0], &at[0]));
	TRY(turn_evidence(r, buf_slice(&f->ruleset_file), &e.line.evidence[1], &at[1]));
	e.certificate = e.line.evidence[1];
	TRY(turn_enter(r, &e, at));
	office_answer(r, f);
	return ok;
}

/* The key in use is in the books, or was recorded with the house; not so in one that was made without a record of its keys. */
static bool
is_recorded(const struct ledger *h)
{
	bool first = false;

	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		first = first || (!digest_eq(h->responder[i].key, (digest){{0}}) &&
		                     digest_eq(h->responder[i].certificate, (digest){{0}}));
	return first || ledger_responder(h) != NULL;
}

err
keys_hear_responder(struct registrar *r, slice certificate)
{
	static const char UNKNOWN[] =
	    "keys-unknown: Rule 6(xvii): the status signer stands with a key that is not in the books, "
	    "or was retired; nothing is asked of it";
	const struct ledger *h = db_ledger(r->db);
	struct responder c OWNED(responder_drop) = {0};
	const struct responder_key *k;
	digest key;

	if (certificate.n == 0) /* what is not said cannot be held against the books */
		return fail(ERR_POLICY, UNKNOWN);
	TRY(responder_get(r->trust, certificate, &c));
	key = key_digest(c.key);
	k = ledger_find_responder(h, key);
	if ((k == NULL || k->wants > 0) && is_recorded(h))
		return fail(ERR_POLICY, UNKNOWN);
	r->responder.certificate = r->responder.certificate.max > 0 ? r->responder.certificate : BUF(CERT_MAX);
	buf_clear(&r->responder.certificate);
	buf_put(&r->responder.certificate, certificate);
	r->responder.key = key;
	r->responder.until = c.cert.not_after;
	TRY(buf_check(&r->responder.certificate));
	keys_publish(r);
	return ok;
}

void
keys_publish(struct registrar *r)
{
	struct buf path OWNED(buf_drop) = BUF(64);
	slice certificate = buf_slice(&r->responder.certificate);
	digest d = sha256(certificate);

	if (certificate.n == 0)
		return;
	r->responder.owed = true;
	if (!status_can_send(r, PEER_PUBLISHER))
		return;
	buf_put_str(&path, "ca/ocsp-");
	buf_put_hex(&path, (slice){d.b, 8});
	buf_put_str(&path, ".cer");
	r->responder.owed = false;
	r->responder.file[0] = ++r->generations;
	r->responder.file[1] = ++r->generations;
	status_send_file(r, buf_slice(&path), r->responder.file[0], certificate);
	status_send_file(r, LIT("ca/ocsp.cer"), r->responder.file[1], certificate);
}

void
keys_published(struct registrar *r, const struct frame *x)
{
	if (x->fail == OK || (x->id != r->responder.file[0] && x->id != r->responder.file[1]))
		return;
	r->responder.owed = true;
	r->responder.again_at = r->seen_steady + PUBLISH_AGAIN_MS;
}

/* Which of the three is ready and not in the books as in use: of the responder each change of its key. */
static bool
is_first_use(const struct registrar *r, unsigned k, digest *key)
{
	const struct ledger *h = db_ledger(r->db);
	const struct responder_key *known;

	*key = k == 0 ? sha256(r->trust->issuer.spki) : k == 1 ? r->responder.key : key_digest(r->trust->status_key);
	if (k != 1)
		return ((h->keys_made & ~h->keys_used) >> k & 1) != 0;
	known = ledger_find_responder(h, *key);
	return known != NULL && known->wants == 0 && (known->used.ms == 0 || known->left.ms != 0);
}

/*
 * Of a key that never signed: one made later is in use, or its change was given up.  As long as the status signer does not
 * stand ready with another, its next start may be with this one.
 */
static bool
is_given_up(struct registrar *r, const struct responder_key *k, const struct responder_key *now)
{
	if (k->made.ms < now->made.ms)
		return true;
	return r->now.ms >= k->made.ms + KEY_UNUSED_MS && r->status.step == SIGNER_READY &&
	       status_can_send(r, PEER_STATUS) && digest_eq(r->responder.key, now->key);
}

/* An answer lives ANSWER_LIFE_MS: when the last by a key that was left is over, or it never made one. */
static err
retire(struct registrar *r)
{
	const struct ledger *h = db_ledger(r->db);
	const struct responder_key *now = ledger_responder(h);

	for (size_t i = 0; i < RESPONDERS_MAX && now != NULL; i++) {
		const struct responder_key *k = &h->responder[i];
		struct entry e = entry_of(r, ACT_KEY_RETIRED);

		if (digest_eq(k->key, (digest){{0}}) || k == now ||
		    (k->used.ms != 0 ? r->now.ms < k->left.ms + ANSWER_LIFE_MS : !is_given_up(r, k, now)))
			continue;
		e.what = LIT("ocsp");
		e.key = k->key;
		e.from = k->left;
		TRY(turn_enter(r, &e, NULL));
	}
	return ok;
}

err
keys_tend(struct registrar *r)
{
	for (unsigned k = 0; k < KEYS_COUNT; k++) {
		const struct keyholder *s = k == 0 ? &r->issuer : &r->status;
		struct entry e = entry_of(r, ACT_KEY_ACTIVATED);

		if (s->step != SIGNER_READY || !is_first_use(r, k, &e.key))
			continue;
		e.line.by = k == 0 ? BY_ISSUER : BY_STATUS;
		e.line.by_id = k == 0 ? LIT("issuer") : LIT("status");
		e.what = slice_str(NAMES[k]);
		e.journal = s->journal.size;
		e.journal_root = s->journal.root;
		TRY(turn_enter(r, &e, NULL));
	}
	if (r->responder.owed && !r->in_turn && r->seen_steady >= r->responder.again_at)
		keys_publish(r);
	return retire(r);
}
