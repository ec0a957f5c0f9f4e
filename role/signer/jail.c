#include "role/signer/signer.h"

void
signer_jail(const struct start *s, const char *folder, bool weak, struct jail *out)
{
	*out = (struct jail){
	    .role = "signer", .sets = JAIL_PURE | JAIL_FILES, .uid = s->uid, .weak = weak, .n_write = 1, .write = {folder}};
}
