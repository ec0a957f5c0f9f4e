#include "role/hand/hand.h"

void
hand_jail(const char *folder, uint32_t uid, bool weak, struct jail *out)
{
	struct jail j = {.role = "hand",
	    .sets = JAIL_PURE | JAIL_FILES | JAIL_THREADS | JAIL_EPERM,
	    .uid = uid,
	    .weak = weak,
	    .n_read = 3,
	    .read = {"/usr", "/etc", "/dev/urandom"}}; /* what the module loads late */

	if (strcmp(folder, "-") != 0)
		j.write[j.n_write++] = folder;
	*out = j;
}
