/* Every file conf_get accepts, OpenSSL's parser accepts, with the same sections, names and values. */
#include <openssl/bio.h>
#include <openssl/conf.h>

#include "base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Each value of theirs is ours, and none of theirs is missing: ours are counted by what their section lacks. */
static void
same_section(const struct conf *c, CONF *ref, slice section, const char *const *none)
{
	char name[65] = {0};
	STACK_OF(CONF_VALUE) * values;
	int n;

	memcpy(name, section.p, section.n);
	values = NCONF_get_section(ref, name);
	if (values == NULL)
		abort();
	n = sk_CONF_VALUE_num(values);
	for (int i = 0; i < n; i++) {
		const CONF_VALUE *v = sk_CONF_VALUE_value(values, i);
		const char *const one[] = {v->name, NULL};
		slice ours;

		if (conf_text(c, section, v->name, &ours).kind != OK || !slice_eq(ours, slice_str(v->value)))
			abort();
		if (n == 1 && conf_check_known(c, section, one).kind != OK)
			abort();
	}
	if ((n == 0) != (conf_check_known(c, section, none).kind == OK))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const none[] = {NULL};
	struct conf *c OWNED(conf_drop) = NULL;
	STACK_OF(OPENSSL_CSTRING) * names;
	CONF *ref;
	BIO *bio;
	int theirs = 0, ours = 0;

	if (conf_get(slice_of(p, n), &c).kind != OK || n == 0)
		return 0;
	bio = BIO_new_mem_buf(p, (int)n);
	ref = NCONF_new(NULL);
	if (NCONF_load_bio(ref, bio, NULL) != 1)
		abort();
	for (size_t i = 0; conf_section(c, i).n > 0; i++) {
		same_section(c, ref, conf_section(c, i), none);
		ours++;
	}
	names = NCONF_get_section_names(ref);
	for (int i = 0; i < sk_OPENSSL_CSTRING_num(names); i++)
		theirs += strcmp(sk_OPENSSL_CSTRING_value(names, i), "default") != 0;
	if (theirs != ours)
		abort();
	sk_OPENSSL_CSTRING_free(names);
	NCONF_free(ref);
	BIO_free(bio);
	return 0;
}
