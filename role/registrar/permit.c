#include "role/registrar/registrar.h"

/*
 * Rule 6(xvi): what a person of the house may do is the trust file's to give; permission G-1 can end a duty from this
 * turn on and give it back, and records every other permission (rooms, machines) for the books.  More than the trust file
 * gives no permission can give: the signers judge by that file, so an officer the registrar believed alone would decide
 * what no signer signs.  For the same reason a withdrawal binds this role alone (doc/threats.md says what that leaves
 * open) until a new trust file is in force without the person.
 */
static const struct trust_person *
person_of(const struct registrar *r, slice label, digest key)
{
	for (size_t i = 0; i < r->trust->n_persons; i++) {
		const struct trust_person *p = &r->trust->person[i];

		if (slice_eq(p->label, label) && digest_eq(key_digest(p->key), key))
			return p;
	}
	return NULL;
}

err
permit_check(const struct registrar *r, const struct facts *x)
{
	const struct trust_person *who;
	unsigned duty = duty_of(x->value[G_DUTY]);
	digest key;

	TRY(digest_get(x->value[G_KEY], &key));
	who = person_of(r, x->value[G_PERSON], key);
	if (who == NULL)
		return fail(ERR_POLICY,
		    "permission-person: Rule 6(xvi): the trust file names no such person with this key; persons enter with a "
		    "new trust file");
	if ((who->duties & duty) != duty)
		return fail(ERR_POLICY, "permission-duty: Rule 6(xvi): the trust file does not give this person that duty; a "
		                        "permission ends one or "
		                        "gives it back");
	return ok;
}

err
permit_check_signer(const struct registrar *r, const struct facts *x)
{
	const struct ledger *h = db_ledger(r->db);
	unsigned asked = decision_duty(x->form), off = ledger_withdrawn(h, x->signer_digest), has = 0;

	for (size_t i = 0; i < r->trust->n_persons; i++)
		if (digest_eq(key_digest(r->trust->person[i].key), x->signer_digest))
			has = r->trust->person[i].duties;
	if ((has & asked & ~off) == 0)
		return fail(ERR_POLICY, "person-withdrawn: Rule 6(xvi): this permission of the signer was withdrawn");
	return ok;
}
