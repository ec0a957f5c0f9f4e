#include "role/registrar/registrar.h"

void
registrar_jail(const struct start *s, bool weak, struct jail *out)
{
	*out = (struct jail){.role = "registrar",
	    .sets = JAIL_PURE | JAIL_FILES | JAIL_ACCEPT,
	    .uid = s->uid,
	    .weak = weak,
	    .n_write = 2,
	    .write = {start_path(s, "books"), start_path(s, "state")}};
}
