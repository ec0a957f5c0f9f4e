/* Lists, held against the books: RFC 5280 5, Rule 6(xi). */
#include "act/served.h"

#define BOUNDARY_MS (10 * 60 * SECOND_MS) /* the signer's clock and ours, where an ended certificate leaves the lists */
#define GRACE_MS HOUR_MS /* a regular round that is late by less is on its way                        */

static void
say(struct served_said *said, err e, const serial *of)
{
	said->total++;
	if (said->n == SERVED_SAID_MAX)
		return;
	said->at[said->n].e = e;
	said->at[said->n].serial = of == NULL ? (serial){0} : *of;
	said->n++;
}

uint8_t *
served_seen_new(const struct served *s)
{
	return mem_new(s->n_revoked / 8 + 1, 1);
}

/* --- the list itself ---------------------------------------------------------------------- */

static err
number_of(slice magnitude, uint64_t *out)
{
	uint64_t v = 0;

	if (magnitude.n == 0 || magnitude.n > 8)
		return fail(ERR_POLICY, "served-list-number: RFC 5280 5.2.3: a list's number is not one of ours");
	for (size_t i = 0; i < magnitude.n; i++)
		v = v << 8 | magnitude.p[i];
	*out = v;
	return ok;
}

/* Issuer, signature, and what its extensions say of its scope. */
static err
check_form(const struct trust *t, const struct profile *p, const struct served_scope *scope, const struct crl *c)
{
	struct buf point OWNED(buf_drop) = BUF(1024);

	if (!slice_eq(c->issuer, t->issuer.subject) || !slice_eq(c->aki, t->issuer.ski))
		return fail(ERR_POLICY, "served-list-issuer: RFC 5280 5.1.2.3: a list is by another issuer");
	if (crl_check_signed_by(c, t->issuer_key).kind != OK)
		return fail(ERR_POLICY, "served-list-signature: RFC 5280 5.1.1.3: a list is not signed by the issuer");
	if (scope->partition > 0)
		profile_put_crl_uri(&point, p, scope->partition);
	if (c->is_delta != scope->delta || c->has_idp != (scope->partition > 0) || !slice_eq(c->point, buf_slice(&point)))
		return fail(
		    ERR_POLICY, "served-list-scope: RFC 5280 5.2.5: a list tells of other certificates than its address says");
	return ok;
}

/* The number against the last that the books published at this address. */
static err
check_number(const struct served_list *last, const struct served_allowed *w, uint64_t number, instant read, slice crl)
{
	if (number < last->number && read.ms - last->at.ms < w->list_ms)
		return ok; /* on its way to here */
	if (number < last->number)
		return fail(ERR_POLICY, "served-list-old: RFC 5280 5.2.3: an older list is served than the books' last");
	if (number > last->number)
		return fail(
		    ERR_POLICY, "served-list-unknown: Rule 12(1)(ii)ニ: a list is served that no line of the books published");
	if (!digest_eq(sha256(crl), last->crl))
		return fail(
		    ERR_POLICY, "served-list-bytes: Rule 12(1)(ii)ニ: a list is served in other bytes than were published");
	return ok;
}

static void
check_times(const struct served_allowed *w, const struct crl *c, instant read, struct served_said *said)
{
	if (c->this_update.ms > read.ms + w->clock_ms)
		say(said, fail(ERR_POLICY, "served-list-future: RFC 5280 5.1.2.4: a list is of a time to come"), NULL);
	if (c->next_update.ms <= read.ms)
		say(said, fail(ERR_POLICY, "served-list-late: RFC 5280 5.1.2.5: a list is served whose nextUpdate has passed"),
		    NULL);
	else if (w->every_ms > 0 && read.ms - c->this_update.ms > w->every_ms + GRACE_MS)
		say(said, fail(ERR_POLICY, "served-list-stale: B-11: no new list was made when one was due"), NULL);
}

/* --- its entries ------------------------------------------------------------------------------ */

static bool
left_the_lists(const struct served *s, const struct profile *p, const struct served_revoked *v, int64_t at_ms)
{
	const struct served_row *c = served_find(s, v->serial);

	return c != NULL && !p->crl_expired && c->not_after.ms < at_ms - REVOKED_KEEP_MS;
}

static err
check_entry(const struct served *s, const struct profile *p, const struct served_scope *scope, const struct crl *c,
    const struct crl_entry *e, uint8_t *seen)
{
	const struct served_revoked *v = served_find_revoked(s, e->serial);

	if (v == NULL)
		return fail(
		    ERR_POLICY, "served-list-foreign: Rule 6(xi): a list names a certificate that the books do not revoke");
	seen[(size_t)(v - s->revoked) / 8] |= (uint8_t)(1U << (v - s->revoked) % 8);
	if (scope->partition > 0 && crl_partition_of(e->serial, p->crl_partitions) != scope->partition)
		return fail(ERR_POLICY, "served-list-part: RFC 5280 5.2.5: a list names a certificate of another part");
	if (e->reason != (enum crl_reason)v->reason)
		return fail(ERR_POLICY, "served-list-reason: Rule 6(xi): a list gives another reason than the books");
	if (e->revoked.ms != instant_floor_second(v->at).ms)
		return fail(ERR_POLICY, "served-list-time: Rule 6(xi): a list gives another time of revocation than the books");
	if (e->has_invalidity != (v->invalid_since.ms != 0) ||
	    (e->has_invalidity && e->invalidity.ms != v->invalid_since.ms))
		return fail(
		    ERR_POLICY, "served-list-invalidity: Rule 6(xi): a list gives another invalidity date than the books");
	if (left_the_lists(s, p, v, c->this_update.ms - BOUNDARY_MS))
		return fail(ERR_POLICY, "served-list-ended: RFC 5280 3.3: a list names a certificate that ended long ago");
	return ok;
}

err
served_check_list(const struct served *s, const struct trust *t, const struct profile *p,
    const struct served_allowed *w, const struct served_scope *scope, slice crl, instant read, uint8_t *seen,
    uint64_t *number, struct served_said *said)
{
	const struct served_list none = {0};
	const struct served_list *last =
	    s->list == NULL ? &none : &s->list[served_list_place(scope->partition, scope->delta)];
	uint64_t base = 0;
	struct crl_entry e;
	struct crl c;
	err bad = crl_get_any(crl, &c);

	if (bad.kind != OK)
		return fail(ERR_ABSENT, "served-list-form: RFC 5280 5.1: what is served as a list cannot be read");
	bad = check_form(t, p, scope, &c);
	if (bad.kind != OK) { /* its entries are nobody's word */
		say(said, bad, NULL);
		return ok;
	}
	bad = number_of(c.number, number);
	if (bad.kind == OK)
		bad = check_number(last, w, *number, read, crl);
	if (bad.kind != OK)
		say(said, bad, NULL);
	if (scope->delta && (number_of(c.base, &base).kind != OK || base > scope->complete))
		say(said, fail(ERR_POLICY, "served-list-base: RFC 5280 5.2.4: a delta adds to another list than is served"),
		    NULL);
	check_times(w, &c, read, said);
	while (c.entries.n > 0) {
		bad = crl_next(&c.entries, &e);
		if (bad.kind != OK)
			return fail(ERR_ABSENT, "served-list-form: RFC 5280 5.1: what is served as a list cannot be read");
		bad = check_entry(s, p, scope, &c, &e, seen);
		if (bad.kind != OK)
			say(said, bad, &e.serial);
	}
	return ok;
}

void
served_check_missing(const struct served *s, const struct profile *p, const struct served_allowed *w,
    unsigned partition, instant read, const uint8_t *seen, struct served_said *said)
{
	for (size_t i = 0; i < s->n_revoked; i++) {
		const struct served_revoked *v = &s->revoked[i];

		if ((seen[i / 8] >> i % 8 & 1) != 0 ||
		    (partition > 0 && crl_partition_of(v->serial, p->crl_partitions) != partition) ||
		    read.ms - v->at.ms < w->list_ms || left_the_lists(s, p, v, read.ms + BOUNDARY_MS))
			continue;
		say(said,
		    fail(ERR_POLICY, "served-list-missing: Rule 6(x): a list does not name a certificate the books revoke"),
		    &v->serial);
	}
}
