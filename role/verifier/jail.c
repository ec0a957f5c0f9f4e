#include "role/verifier/verifier.h"

void
verifier_jail(const struct start *s, struct jail *out)
{
	*out = (struct jail){.role = "verifier", .sets = JAIL_PURE, .uid = s->uid};
}
