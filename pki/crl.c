#include "base/der.h"
#include "pki/crl.h"
#include "pki/extension.h"
#include "pki/name.h"

/* The URI of a DistributionPointName that is one fullName of one URI, as we write it; else empty. */
static slice
first_uri(slice name)
{
	slice names, uri;

	if (der_get(&name, DER_CTXC(0), &names).kind != OK || name.n != 0 || !der_next_is(names, DER_CTX(6)) ||
	    der_get(&names, DER_CTX(6), &uri).kind != OK || names.n != 0)
		return (slice){NULL, 0};
	return uri;
}

/*
 * IssuingDistributionPoint ::= SEQUENCE {
 *	distributionPoint           [0] DistributionPointName OPTIONAL,
 *	onlyContainsUserCerts       [1] BOOLEAN DEFAULT FALSE,
 *	onlyContainsCACerts         [2] BOOLEAN DEFAULT FALSE,
 *	onlySomeReasons             [3] ReasonFlags OPTIONAL,
 *	indirectCRL                 [4] BOOLEAN DEFAULT FALSE,
 *	onlyContainsAttributeCerts  [5] BOOLEAN DEFAULT FALSE }
 *
 * The first two leave a list that says all about users' certificates of its
 * point; any other makes "not in it" mean less than it seems.
 */
static err
idp_get(slice in, slice *out, slice *point)
{
	slice list, s, skip;

	TRY(der_get(&in, DER_SEQUENCE, &list));
	TRY(der_end(in));
	s = list;
	if (der_next_is(s, DER_CTXC(0))) {
		TRY(der_get(&s, DER_CTXC(0), &skip));
		*point = first_uri(skip);
	}
	if (der_next_is(s, DER_CTX(1))) {
		TRY(der_get(&s, DER_CTX(1), &skip));
		if (!slice_eq(skip, LIT("\xFF")))
			return fail(ERR_INPUT, "der-default: X.690 11.5: a DEFAULT value is written out");
	}
	if (s.n != 0)
		return fail(ERR_POLICY, "crl-scope: RFC 5280 5.2.5: the list does not tell all about users' certificates");
	*out = list;
	return ok;
}

static err
extension_read(const struct extension *x, struct crl *c)
{
	slice value = x->value;

	switch (x->ce) {
	case CE_NUMBER:
		TRY(der_get_integer(&value, &c->number));
		TRY(der_end(value));
		if (c->number.n > SERIAL_MAX)
			return fail(ERR_INPUT, "crl-number: RFC 5280 5.2.3: a CRL number has at most 20 bytes");
		return ok;
	case CE_AKI:
		return aki_get(value, &c->aki);
	case CE_IDP:
		c->has_idp = true;
		return idp_get(value, &c->idp, &c->point);
	case CE_DELTA:
		c->is_delta = true;
		TRY(der_get_integer(&value, &c->base));
		TRY(der_end(value));
		if (!x->critical || c->base.n > SERIAL_MAX)
			return fail(ERR_INPUT, "crl-base: RFC 5280 5.2.4: a delta CRL names its base in a critical extension");
		return ok;
	default:
		break;
	}
	if (x->critical)
		return fail(ERR_POLICY, "crl-critical: RFC 5280 5.2: the list has a critical extension that we do not know");
	return ok;
}

/*
 * TBSCertList ::= SEQUENCE {
 *	version              INTEGER, 1 for v2
 *	signature            AlgorithmIdentifier,
 *	issuer               Name,
 *	thisUpdate           Time,
 *	nextUpdate           Time,
 *	revokedCertificates  SEQUENCE OF SEQUENCE { … } OPTIONAL,
 *	crlExtensions        [0] EXPLICIT SEQUENCE OF Extension OPTIONAL }
 */
static err
tbs_get(slice in, slice outer_alg, struct crl *c)
{
	struct extensions x;
	uint64_t version;
	slice alg, s;

	if (!der_next_is(in, DER_INTEGER))
		return fail(ERR_INPUT, "crl-version: RFC 5280 5.1.2.1: the list is not of version 2");
	TRY(der_get_u64(&in, UINT64_MAX, &version));
	if (version != 1)
		return fail(ERR_INPUT, "crl-version: RFC 5280 5.1.2.1: the list is not of version 2");
	TRY(der_get_whole(&in, DER_SEQUENCE, &alg));
	if (!slice_eq(alg, outer_alg))
		return fail(ERR_INPUT, "crl-algorithm: RFC 5280 5.1.1.2: the signature algorithms inside and outside differ");
	TRY(sig_alg_get(&alg, &c->alg));
	TRY(name_get(&in, &c->issuer));
	TRY(der_get_time(&in, &c->this_update));
	if (!der_next_is(in, DER_UTCTIME) && !der_next_is(in, DER_GENTIME))
		return fail(ERR_INPUT, "crl-next-update: RFC 5280 5.1.2.5: the list does not say when the next one comes");
	TRY(der_get_time(&in, &c->next_update));
	if (c->next_update.ms <= c->this_update.ms)
		return fail(ERR_INPUT, "crl-times: RFC 5280 5.1.2.5: nextUpdate does not lie after thisUpdate");
	if (der_next_is(in, DER_SEQUENCE)) {
		TRY(der_get(&in, DER_SEQUENCE, &c->entries));
		if (c->entries.n == 0)
			return fail(ERR_INPUT, "crl-empty: RFC 5280 5.1.2: an optional list stands there without elements");
	}
	if (in.n > 0) {
		TRY(der_get(&in, DER_CTXC(0), &s));
		TRY(extensions_get(s, &x));
		for (size_t i = 0; i < x.n; i++)
			TRY(extension_read(&x.at[i], c));
	}
	return der_end(in);
}

/*
 * CertificateList ::= SEQUENCE {
 *	tbsCertList         TBSCertList,
 *	signatureAlgorithm  AlgorithmIdentifier,
 *	signature           BIT STRING }
 */
err
crl_get_any(slice in, struct crl *out)
{
	struct crl c = {.whole = in};
	slice s, tbs, alg;

	if (in.n > CRL_MAX)
		return fail(ERR_INPUT, "crl-long: house: a CRL has at most 512 MiB");
	TRY(der_get(&in, DER_SEQUENCE, &s));
	TRY(der_end(in));
	TRY(der_get_whole(&s, DER_SEQUENCE, &c.tbs));
	TRY(der_get_whole(&s, DER_SEQUENCE, &alg));
	TRY(der_get_bits(&s, &c.signature));
	TRY(der_end(s));
	tbs = c.tbs;
	TRY(der_get(&tbs, DER_SEQUENCE, &s));
	TRY(tbs_get(s, alg, &c));
	*out = c;
	return ok;
}

err
crl_get(slice in, struct crl *out)
{
	struct crl c;

	TRY(crl_get_any(in, &c));
	if (c.is_delta)
		return fail(ERR_POLICY, "crl-delta: house: a delta CRL is only a part of a list");
	*out = c;
	return ok;
}

/* --- entries ---------------------------------------------------------------- */

static err
entry_extension_read(const struct extension *x, struct crl_entry *e, bool *has_reason)
{
	slice value = x->value;
	unsigned reason;

	switch (x->ce) {
	case CE_REASON:
		TRY(der_get_enum(&value, UINT8_MAX, &reason));
		TRY(der_end(value));
		if (*has_reason)
			return fail(ERR_INPUT, "crl-entry-twice: RFC 5280 4.2: an extension of an entry stands twice");
		if (reason > REASON_AA_COMPROMISE || reason == 7)
			return fail(ERR_INPUT, "crl-reason: RFC 5280 5.3.1: a reason that is not defined");
		if (reason == REASON_REMOVE)
			return fail(ERR_INPUT, "crl-remove: RFC 5280 5.3.1: removeFromCRL stands in delta CRLs only");
		e->reason = (enum crl_reason)reason;
		*has_reason = true;
		return ok;
	case CE_INVALIDITY:
		if (e->has_invalidity)
			return fail(ERR_INPUT, "crl-entry-twice: RFC 5280 4.2: an extension of an entry stands twice");
		TRY(der_get_gentime(&value, &e->invalidity));
		TRY(der_end(value));
		e->has_invalidity = true;
		return ok;
	default:
		if (x->critical)
			return fail(
			    ERR_POLICY, "crl-entry-critical: RFC 5280 5.3: an entry has a critical extension that we do not know");
		return ok;
	}
}

/*
 * SEQUENCE {
 *	userCertificate     INTEGER,
 *	revocationDate      Time,
 *	crlEntryExtensions  SEQUENCE OF Extension OPTIONAL }
 */
err
crl_next(slice *entries, struct crl_entry *out)
{
	struct crl_entry e = {.reason = REASON_UNSPECIFIED};
	slice s = *entries, entry, exts;
	struct extension x;
	bool has_reason = false;

	TRY(der_get(&s, DER_SEQUENCE, &entry));
	TRY(serial_get(&entry, &e.serial));
	TRY(der_get_time(&entry, &e.revoked));
	if (entry.n > 0) {
		TRY(der_get(&entry, DER_SEQUENCE, &exts));
		TRY(der_end(entry));
		if (exts.n == 0)
			return fail(ERR_INPUT, "crl-empty: RFC 5280 5.1.2: an optional list stands there without elements");
		while (exts.n > 0) {
			TRY(extension_get(&exts, &x));
			TRY(entry_extension_read(&x, &e, &has_reason));
		}
	}
	*out = e;
	*entries = s;
	return ok;
}

err
crl_check_signed_by(const struct crl *c, const struct key *issuer)
{
	return key_check(issuer, c->alg, c->tbs, c->signature);
}

/* --- the table -------------------------------------------------------------- */

struct crl_table {
	serial *row; /* sorted: 21 bytes a serial; CRL_MAX bounds how many */
	size_t n;
	digest digest;
	instant this_update, next_update;
	uint8_t aki[SHA512_LEN];
	size_t aki_n;
};

static int
compare_rows(const void *a, const void *b)
{
	return serial_cmp(*(const serial *)a, *(const serial *)b);
}

err
crl_table_new(const struct crl *c, struct crl_table **out)
{
	struct crl_table *t OWNED(crl_table_drop) = mem_new(1, sizeof *t);
	slice s = c->entries;
	struct crl_entry e;
	size_t room = 0;
	bool sorted = true;

	while (s.n > 0) {
		TRY(crl_next(&s, &e));
		if (t->n == room) {
			room = room == 0 ? 1024 : room * 2;
			t->row = mem_grow(t->row, room, sizeof *t->row);
		}
		sorted = sorted && (t->n == 0 || serial_cmp(t->row[t->n - 1], e.serial) <= 0);
		t->row[t->n++] = e.serial;
	}
	/* Lists of our make come sorted; a stranger's is sorted once. */
	if (!sorted)
		qsort(t->row, t->n, sizeof *t->row, compare_rows);
	if (t->n > 0)
		t->row = mem_grow(t->row, t->n, sizeof *t->row);
	t->digest = sha256(c->whole);
	t->this_update = c->this_update;
	t->next_update = c->next_update;
	if (c->aki.n > 0 && c->aki.n <= sizeof t->aki) {
		memcpy(t->aki, c->aki.p, c->aki.n);
		t->aki_n = c->aki.n;
	}
	*out = t;
	t = NULL;
	return ok;
}

void
crl_table_drop(struct crl_table **t)
{
	if (*t == NULL)
		return;
	free((*t)->row);
	free(*t);
	*t = NULL;
}

bool
crl_table_has(const struct crl_table *t, serial s)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = serial_cmp(s, t->row[mid]);

		if (d == 0)
			return true;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

size_t
crl_table_count(const struct crl_table *t)
{
	return t->n;
}

digest
crl_table_digest(const struct crl_table *t)
{
	return t->digest;
}

slice
crl_table_aki(const struct crl_table *t)
{
	return (slice){t->aki, t->aki_n};
}

instant
crl_table_this_update(const struct crl_table *t)
{
	return t->this_update;
}

instant
crl_table_next_update(const struct crl_table *t)
{
	return t->next_update;
}
