#include "edge/fold.h"

/*
 * A projection's own encoding, read only by the machine that wrote it: one bit a
 * field that is not zero, then those fields' bytes as they lie in memory.
 */
struct field {
	size_t at, size;
};
#define F(type, member)                                                                                                \
	{                                                                                                                  \
		offsetof(struct type, member), sizeof(((struct type *)NULL)->member)                                           \
	}

static const struct field RECORD[] = {
    F(record, d.id), F(record, d.n), F(record, d.state), F(record, d.owes), F(record, d.accepted), F(record, d.review),
    F(record, d.received), F(record, d.since), F(record, d.document), F(record, d.key), F(record, d.card),
    F(record, d.token), F(record, d.validity), F(record, d.judged), F(record, d.method), F(record, d.status),
    F(record, d.nonce), F(record, d.decision), F(record, d.ruleset), F(record, d.orders), F(record, d.serial),
    F(record, d.ordered), F(record, d.not_before), F(record, d.ordered_n), F(record, d.tbs), F(record, d.certificate),
    F(record, d.issued), F(record, d.not_after), F(record, d.question), F(record, d.reminded), F(record, d.watch), F(record, d.receipt), F(record, d.receipt_n), F(record, d.revoked),
    F(record, d.revoked_n), F(record, d.reason), F(record, d.request), F(record, d.requester), F(record, d.request_n), F(record, d.revocation), F(record, d.revoker),
    F(record, d.revocation_judged), F(record, d.revocation_method), F(record, d.revocation_status),
    F(record, d.revocation_nonce), F(record, application.sealed), F(record, application.pack),
    F(record, application.offset), F(record, application.length), F(record, certificate.sealed),
    F(record, certificate.pack), F(record, certificate.offset), F(record, certificate.length), F(record, due),
    F(record, d.why_n), /* with it, the text follows the fields */
};

static const struct field WHOLE[] = {
    F(whole, ledger.baseline),
    F(whole, ledger.ruleset),
    F(whole, ledger.approval),
    F(whole, ledger.approval_from),
    F(whole, ledger.approval_until),
    F(whole, ledger.stopped),
    F(whole, ledger.permissions),
    F(whole, ledger.ruleset_version),
    F(whole, ledger.permission),
    F(whole, ledger.approved.at),
    F(whole, ledger.approved.document),
    F(whole, ledger.approved.n),
    F(whole, ledger.automated.at),
    F(whole, ledger.automated.document),
    F(whole, ledger.automated.n),
    F(whole, ledger.permitted.at),
    F(whole, ledger.permitted.document),
    F(whole, ledger.permitted.n),
    F(whole, ledger.keys_made),
    F(whole, ledger.keys_used),
    F(whole, ledger.made.at),
    F(whole, ledger.made.document),
    F(whole, ledger.made.n),
    F(whole, ledger.key_at),
    F(whole, ledger.responder),
    F(whole, ledger.off_key),
    F(whole, ledger.off_duties),
    F(whole, ledger.last_other_n),
    F(whole, ledger.any_other),
    F(whole, ledger.checkpoint_size),
    F(whole, ledger.checkpoint_n),
    F(whole, ledger.checkpoint_before),
    F(whole, ledger.checkpoint_root),
    F(whole, ledger.checkpoint_at),
    F(whole, ledger.revoked_end),
    F(whole, ledger.crl_number),
    F(whole, ledger.crl_covers),
    F(whole, ledger.crl_complete),
    F(whole, ledger.crl_at),
    F(whole, ledger.crl_next),
    F(whole, ledger.wheel),
    F(whole, ledger.jlis),
    F(whole, ledger.issuer.size),
    F(whole, ledger.issuer.root),
    F(whole, ledger.status.size),
    F(whole, ledger.status.root),
    F(whole, counts.state),
    F(whole, applied.size),
    F(whole, applied.root),
    F(whole, next),
    F(whole, walked[0].pack),
    F(whole, walked[0].offset),
    F(whole, walked[1].pack),
    F(whole, walked[1].offset),
};

static const struct field PLACE[] = {
    F(evidence_at, sealed),
    F(evidence_at, pack),
    F(evidence_at, offset),
    F(evidence_at, length),
};

_Static_assert(COUNT(RECORD) <= 64 && COUNT(WHOLE) <= 64, "one bit a field");

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

static size_t
put(uint8_t out[FOLD_MAX], const void *from, const struct field *f, size_t n)
{
	uint64_t mask = 0;
	size_t at = sizeof mask;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = (const uint8_t *)from + f[i].at;

		if (is_zero(p, f[i].size))
			continue;
		mask |= UINT64_C(1) << i;
		assert(f[i].size <= FOLD_MAX - at);
		memcpy(out + at, p, f[i].size);
		at += f[i].size;
	}
	memcpy(out, &mask, sizeof mask);
	return at;
}

static err
get(slice in, void *to, const struct field *f, size_t n, slice *rest)
{
	uint64_t mask;
	slice s;

	if (!slice_take(&in, sizeof mask, &s))
		return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
	memcpy(&mask, s.p, sizeof mask);
	for (size_t i = 0; i < n; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		if (!slice_take(&in, f[i].size, &s))
			return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
		memcpy((uint8_t *)to + f[i].at, s.p, s.n);
	}
	*rest = in;
	return ok;
}

size_t
fold_put_record(uint8_t out[FOLD_MAX], const struct record *r)
{
	size_t n = put(out, r, RECORD, COUNT(RECORD));

	assert(r->d.why_n <= WHY_MAX && r->d.why_n <= FOLD_MAX - n);
	memcpy(out + n, r->d.why, r->d.why_n);
	return n + r->d.why_n;
}

err
fold_get_record(slice in, struct record *out)
{
	struct record r = {0};
	slice rest;

	TRY(get(in, &r, RECORD, COUNT(RECORD), &rest));
	if (rest.n != r.d.why_n || rest.n > WHY_MAX)
		return fail(ERR_CORRUPT, "db-damaged: design 3: a row of the projection cannot be read; make it anew");
	if (rest.n > 0)
		memcpy(r.d.why, rest.p, rest.n);
	*out = r;
	return ok;
}

size_t
fold_put_whole(uint8_t out[FOLD_MAX], const struct whole *w)
{
	return put(out, w, WHOLE, COUNT(WHOLE));
}

err
fold_get_whole(slice in, struct whole *out)
{
	struct whole w = {0};
	slice rest;

	TRY(get(in, &w, WHOLE, COUNT(WHOLE), &rest));
	*out = w;
	return ok;
}

size_t
fold_put_place(uint8_t out[FOLD_MAX], const struct evidence_at *at)
{
	return put(out, at, PLACE, COUNT(PLACE));
}

err
fold_get_place(slice in, struct evidence_at *out)
{
	struct evidence_at at = {0};
	slice rest;

	TRY(get(in, &at, PLACE, COUNT(PLACE), &rest));
	*out = at;
	return ok;
}

static uint32_t
mix(uint32_t h, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (uint32_t)f[i].at) * 16777619U;
		h = (h ^ (uint32_t)f[i].size) * 16777619U;
	}
	return h;
}

int64_t
fold_layout(void)
{
	uint32_t h = mix(mix(mix(2166136261U, RECORD, COUNT(RECORD)), WHOLE, COUNT(WHOLE)), PLACE, COUNT(PLACE));

	return (int64_t)(h & 0x7FFFFFFF) | 1;
}
