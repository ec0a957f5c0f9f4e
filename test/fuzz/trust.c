/* A trust file that is accepted says what its bytes say, and is accepted again. */
#include "act/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct trust *t OWNED(trust_drop) = NULL;
	const struct trust_person *who;
	struct cms c;

	if (trust_get(slice_of(p, n), &t).kind != OK)
		return 0;
	if (!digest_eq(t->digest, sha256(slice_of(p, n))) || (t->test_clock && t->hierarchy != HIERARCHY_TEST))
		abort();
	for (size_t i = 0; i < t->n_anchors; i++)
		if (t->anchor[i].hierarchy != t->hierarchy || !t->anchor[i].cert.is_ca)
			abort();
	if (trust_check_person(t, slice_of(p, n), DUTY_OFFICER, &c, &who).kind == OK)
		abort(); /* a trust file is no CMS */
	return 0;
}
