/* Whatever revocation_check takes into the set is a serial of a certificate of ours, for a reason a document gives. */
#include "act/revocation.h"
#include "test/fuzz/trust_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct trust *t;
	struct revoked_set *s OWNED(revoked_set_drop) = NULL;
	struct revoked_order o;
	struct revocation r;
	struct crl_entry e;
	struct revoked row;
	struct cert c;
	bool found = false;
	instant now;

	if (t == NULL && trust_get(slice_str(TRUST_FILE), &t).kind != OK)
		abort();
	if (revoked_order_get(slice_of(p, n), &o).kind != OK ||
	    instant_get(LIT("2026-11-22T01:00:00.000Z"), &now).kind != OK ||
	    revocation_check(t, &o, &(struct revocation_lists){0}, now, &r).kind != OK)
		return 0;
	s = revoked_set_new();
	row = revocation_row(&r);
	if (revoked_set_add(s, &row).kind != OK || revoked_set_find(s, r.serial, &found, &e).kind != OK)
		abort();
	if (cert_get(o.certificate, &c).kind != OK || cert_check_signed_by(&c, t->issuer_key).kind != OK ||
	    !serial_eq(c.serial, r.serial) || !found || e.reason != r.reason)
		abort();
	return 0;
}
