/* Our own lists: planned, signed by their hash, given out in parts.  RFC 5280 5, Rule 6(xi). */
#include "act/revocation.h"

err
revocation_check_updates(instant this_update, instant next_update, instant now)
{
	if (this_update.ms > now.ms + REVOCATION_CLOCK_MS || this_update.ms < now.ms - REVOCATION_CLOCK_MS)
		return fail(ERR_POLICY, "status-clock: Rule 6(xi): thisUpdate is over 5 minutes off the signer's clock");
	if (next_update.ms <= this_update.ms || next_update.ms - this_update.ms > STATUS_NEXT_MAX_MS)
		return fail(ERR_POLICY, "status-next: Rule 6(xi): nextUpdate lies at most 48 hours after thisUpdate");
	return ok;
}

void
list_plan_drop(struct list_plan *p)
{
	crl_frame_drop(&p->frame);
	ticket_drop(&p->ticket);
	*p = (struct list_plan){0};
}

digest
revocation_parted(const struct profile *p)
{
	return sha256_two(LIT("parted by ranges of serials: "), p->crl);
}

err
revocation_check_parted(const struct list_memory *m, const struct profile *p)
{
	if (m->parts == 0 || (m->parts == p->crl_partitions && digest_eq(m->parted, revocation_parted(p))))
		return ok;
	return fail(ERR_POLICY,
	    "list-parted: RFC 5280 5.2.5: certificates name parts of the lists that this profile does not make");
}

/* What a list holds, and what its extensions say of that. */
static err
scope_of(const struct trust *t, const struct profile *p, const struct revoked_set *s, const struct crl_order *o,
    const struct list_memory *m, instant now, struct buf *point, struct crl_plan *c, struct revoked_filter *f)
{
	*f = (struct revoked_filter){
	    .upto = revoked_set_orders(s),
	    .ended = {p->crl_expired ? INSTANT_MIN_MS : now.ms - REVOKED_KEEP_MS},
	    .partitions = p->crl_partitions,
	    .partition = o->partition,
	};
	*c = (struct crl_plan){
	    .alg = t->issuer.alg,
	    .issuer = t->issuer.subject,
	    .this_update = instant_floor_second(o->now),
	    .next_update = instant_floor_second(o->next_update),
	    .number = o->number,
	    .aki = t->issuer.ski,
	    .base = o->base,
	    .has_expired = p->crl_expired,
	    .expired = t->issuer.not_before,
	};
	if (o->partition > p->crl_partitions)
		return fail(ERR_POLICY, "list-partition: RFC 5280 5.2.5: the profile has no such part of the list");
	if (o->partition > 0) {
		profile_put_crl_uri(point, p, o->partition);
		c->point = buf_slice(point);
	} else if (o->base == 0)
		c->freshest = p->crl_delta;
	if (o->base == 0)
		return buf_check(point);
	if (o->partition > 0 || o->base != m->complete)
		return fail(
		    ERR_POLICY, "list-base: RFC 5280 5.2.4: a delta adds to the last complete list of all certificates");
	f->from = m->complete_orders;
	return ok;
}

static err
measure(const struct revoked_set *s, const struct revoked_filter *f, uint64_t *count, size_t *bytes)
{
	struct revoked_walk w;
	struct revoked r;
	bool have;

	*count = 0;
	*bytes = 0;
	TRY(revoked_walk_start(&w, s, f, (serial){0}));
	for (;;) {
		TRY(revoked_walk_next(&w, &have, &r));
		if (!have)
			return ok;
		(*count)++;
		*bytes += crl_entry_bytes(&r.entry);
		if (*count > CRL_ENTRIES_MAX)
			return fail(ERR_POLICY, "list-long: house: a list has at most ten million entries; use partitions");
	}
}

/* The hash its key is given, and the SHA-256 that names it. */
static err
hash_list(const struct revoked_set *s, const struct list_plan *p, struct hash_run *key, struct hash *name)
{
	struct buf entry OWNED(buf_drop) = BUF(256);
	bool same = key->alg == HASH_SHA256, have;
	struct revoked_walk w;
	struct revoked r;

	hash_add(name, buf_slice(&p->frame.head));
	hash_run_add(key, buf_slice(&p->frame.head));
	TRY(revoked_walk_start(&w, s, &p->filter, (serial){0}));
	for (;;) {
		TRY(revoked_walk_next(&w, &have, &r));
		if (!have)
			break;
		buf_clear(&entry);
		crl_put_entry(&entry, &r.entry);
		hash_add(name, buf_slice(&entry));
		if (!same)
			hash_run_add(key, buf_slice(&entry));
	}
	hash_add(name, buf_slice(&p->frame.tail));
	hash_run_add(key, buf_slice(&p->frame.tail));
	return buf_check(&entry);
}

static slice
hashed_of(const struct trust *t, const struct list_plan *p)
{
	return (slice){p->hashed, hash_len(sig_alg_hash(t->issuer.alg))};
}

struct ticket *
revocation_list_ticket(const struct trust *t, const struct list_plan *p)
{
	return ticket_make_list(t->issuer.alg, hashed_of(t, p), p->tbs, p->grounds);
}

err
revocation_plan_list(const struct trust *t, const struct profile *p, const struct revoked_set *s,
    const struct crl_order *o, const struct list_memory *m, instant now, struct list_plan *out)
{
	struct list_plan l OWNED(list_plan_drop) = {.number = o->number};
	struct buf point OWNED(buf_drop) = BUF(512);
	enum hash_alg alg = sig_alg_hash(t->issuer.alg);
	struct hash_run key;
	struct crl_plan c;
	struct hash name;
	size_t bytes;

	TRY(revocation_check_updates(o->now, o->next_update, now));
	if (o->number <= m->number)
		return fail(ERR_CONFLICT, "list-number: RFC 5280 5.2.3: the number of a list only grows");
	/* numbers are milliseconds: one far ahead would be the last that ever rose */
	if (o->number > (uint64_t)(now.ms + REVOCATION_CLOCK_MS))
		return fail(ERR_POLICY, "list-number-far: RFC 5280 5.2.3: the number of a list lies ahead of the time in ms");
	TRY(revocation_check_parted(m, p));
	TRY(scope_of(t, p, s, o, m, now, &point, &c, &l.filter));
	TRY(measure(s, &l.filter, &l.count, &bytes));
	crl_frame_make(&l.frame, &c, bytes);
	hash_start(&name);
	hash_run_start(&key, alg);
	TRY(hash_list(s, &l, &key, &name));
	l.tbs = hash_end(&name);
	if (alg == HASH_SHA256)
		memcpy(l.hashed, l.tbs.b, sizeof l.tbs.b);
	else
		hash_run_end(&key, l.hashed);
	l.grounds = revoked_set_digest(s);
	l.ticket = revocation_list_ticket(t, &l);
	*out = l;
	l = (struct list_plan){0};
	return ok;
}

err
revocation_join_list(const struct trust *t, struct list_plan *p, slice signature)
{
	if (key_check_hashed(t->issuer_key, t->issuer.alg, hashed_of(t, p), signature).kind != OK)
		return fail(ERR_WORLD, "list-signature: Rule 6(xi): what the token returned is not the issuer's signature");
	crl_frame_sign(&p->frame, signature);
	p->stage = LIST_HEAD;
	return ok;
}

/* Entries after the last one given out, until about `most` bytes are there. */
static err
put_entries(const struct revoked_set *s, struct list_plan *p, size_t most, struct buf *out)
{
	struct revoked_walk w;
	struct revoked r;
	size_t from = out->n;
	bool have;

	TRY(revoked_walk_start(&w, s, &p->filter, p->last));
	while (out->n < most) {
		TRY(revoked_walk_next(&w, &have, &r));
		if (!have) {
			p->stage = LIST_TAIL;
			break;
		}
		crl_put_entry(out, &r.entry);
		p->last = r.entry.serial;
	}
	TRY(buf_check(out));
	hash_add(&p->again, (slice){out->p + from, out->n - from});
	return ok;
}

err
revocation_list_part(const struct revoked_set *s, struct list_plan *p, size_t most, struct buf *out, bool *last)
{
	assert(p->stage != LIST_ENDED && p->frame.outer.n > 0);
	if (p->stage == LIST_HEAD) {
		hash_start(&p->again);
		p->last = (serial){0};
		buf_put(out, buf_slice(&p->frame.outer));
		buf_put(out, buf_slice(&p->frame.head));
		hash_add(&p->again, buf_slice(&p->frame.head));
		p->stage = LIST_ENTRIES;
	}
	if (p->stage == LIST_ENTRIES)
		TRY(put_entries(s, p, most, out));
	*last = p->stage == LIST_TAIL;
	if (!*last)
		return ok;
	hash_add(&p->again, buf_slice(&p->frame.tail));
	if (!digest_eq(hash_end(&p->again), p->tbs))
		return fail(ERR_CORRUPT, "list-bytes: design law 2: a list came out otherwise than it was signed");
	buf_put(out, buf_slice(&p->frame.tail));
	buf_put(out, buf_slice(&p->frame.end));
	p->stage = LIST_ENDED;
	return buf_check(out);
}
