/* A rule set that is accepted stays within the law. */
#include "act/decision.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ruleset *r OWNED(ruleset_drop) = NULL, *again OWNED(ruleset_drop) = NULL;

	if (ruleset_get(slice_of(p, n), &r).kind != OK)
		return 0;
	if (r->validity_years_max < 1 || r->validity_years_max > 5 || r->keys == 0 || r->refused_percent_max > 100)
		abort();
	if (ruleset_get(slice_of(p, n), &again).kind != OK || !digest_eq(r->digest, again->digest))
		abort();
	return 0;
}
