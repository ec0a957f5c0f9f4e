#include "role/front/front.h"

void
front_jail(const struct start *s, struct jail *out)
{
	*out = (struct jail){.role = "front",
	    .sets = JAIL_PURE | JAIL_FILES | JAIL_ACCEPT,
	    .uid = s->uid,
	    .n_read = 1,
	    .read = {start_path(s, "repository")}};
}
