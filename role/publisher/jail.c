#include "role/publisher/publisher.h"

void
publisher_jail(const struct start *s, struct jail *out)
{
	*out = (struct jail){.role = "publisher",
	    .sets = JAIL_PURE | JAIL_FILES,
	    .uid = s->uid,
	    .n_write = 1,
	    .write = {start_path(s, "repository")}};
}
