#include "role/registrar/registrar.h"

/*
 * Rule 6(xvii), 12(1)(i)チ: the books begin with how the keys were made: K-1, signed by every person who was present, and a
 * line for each key; and they say when each was put to use, which is when its signer first stands ready.
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

err
keys_tend(struct registrar *r)
{
	for (unsigned k = 0; k < KEYS_COUNT; k++) {
		const struct ledger *h = db_ledger(r->db);
		const struct keyholder *s = k == 0 ? &r->issuer : &r->status;
		struct entry e = entry_of(r, ACT_KEY_ACTIVATED);

		if (((h->keys_made & ~h->keys_used) >> k & 1) == 0 || s->step != SIGNER_READY)
			continue;
		e.line.by = k == 0 ? BY_ISSUER : BY_STATUS;
		e.line.by_id = k == 0 ? LIT("issuer") : LIT("status");
		e.what = slice_str(NAMES[k]);
		e.journal = s->journal.size;
		e.journal_root = s->journal.root;
		TRY(turn_enter(r, &e, NULL));
	}
	return ok;
}
