/*
 * CRLs: what we accept libcrypto accepts with as many entries; a list written
 * from what was read is read again as the same; a table has what the walk gave.
 */
#include <openssl/x509.h>

#include "base/base.h"
#include "pki/crl.h"

#define ENTRIES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
compare(const void *a, const void *b)
{
	return serial_cmp(((const struct crl_entry *)a)->serial, ((const struct crl_entry *)b)->serial);
}

/* The entries of a list, sorted, each serial once; false when one is refused. */
static bool
entries_of(const struct crl *c, struct crl_entry out[ENTRIES_MAX], size_t *n, size_t *all)
{
	slice s = c->entries;
	size_t k = 0;

	*all = 0;
	*n = 0;
	while (s.n > 0) {
		struct crl_entry e;

		if (crl_next(&s, &e).kind != OK)
			return false;
		(*all)++;
		if (k < ENTRIES_MAX)
			out[k++] = e;
	}
	qsort(out, k, sizeof *out, compare);
	for (size_t i = 0; i < k; i++)
		if (*n == 0 || serial_cmp(out[*n - 1].serial, out[i].serial) != 0)
			out[(*n)++] = out[i];
	return true;
}

static struct crl_plan
plan_of(const struct crl *c, const struct crl_entry *e, size_t n)
{
	struct crl_plan p = {.alg = c->alg,
	    .issuer = c->issuer,
	    .this_update = c->this_update,
	    .next_update = c->next_update,
	    .aki = c->aki,
	    .entry = e,
	    .n = n};

	for (size_t i = 0; i < c->number.n && c->number.n <= 8; i++)
		p.number = p.number << 8 | c->number.p[i];
	return p;
}

static void
law(const struct crl *c, const struct crl_entry *e, size_t n)
{
	struct buf tbs OWNED(buf_drop) = BUF(1 << 22), again OWNED(buf_drop) = BUF(1 << 22);
	struct buf whole OWNED(buf_drop) = BUF(1 << 22);
	struct crl_plan p = plan_of(c, e, n);
	struct crl_entry got[ENTRIES_MAX];
	size_t m, all;
	struct crl d;
	err er;

	if (c->signature.n == 0 || c->signature.n > SIG_MAX)
		return;
	crl_put_tbs(&tbs, &p);
	cert_join(&whole, buf_slice(&tbs), c->alg, c->signature);
	er = crl_get(buf_slice(&whole), &d);
	assert(er.kind == OK && slice_eq(d.tbs, buf_slice(&tbs)) && slice_eq(d.signature, c->signature));
	assert(entries_of(&d, got, &m, &all) && m == n && all == n);
	p = plan_of(&d, got, m);
	crl_put_tbs(&again, &p);
	assert(slice_eq(buf_slice(&again), buf_slice(&tbs)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct crl_table *t OWNED(crl_table_drop) = NULL;
	struct crl_entry e[ENTRIES_MAX];
	const unsigned char *at = p;
	struct crl c;
	X509_CRL *x;
	size_t m, all;
	bool good, table;

	if (crl_get(slice_of(p, n), &c).kind != OK)
		return 0;
	good = entries_of(&c, e, &m, &all);
	table = crl_table_new(&c, &t).kind == OK;
	assert(table == good);
	if (!good)
		return 0;
	assert(crl_table_count(t) == all);
	for (size_t i = 0; i < m; i++)
		assert(crl_table_has(t, e[i].serial));
	x = d2i_X509_CRL(NULL, &at, (long)n);
	assert(x != NULL && at == p + n);
	assert((size_t)(X509_CRL_get_REVOKED(x) == NULL ? 0 : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x))) == all);
	X509_CRL_free(x);
	law(&c, e, m);
	return 0;
}
