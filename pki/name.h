/*
 * name.h - distinguished names, RFC 5280 4.1.2.4.
 *
 * Depends on: base, der, text.  Pure.
 *
 * A name is kept as the bytes of its whole Name element; two names are the same
 * when their bytes are (one issuer writes its name one way; JPKI's three CA
 * generations do).  One attribute in each RDN, values UTF8String or
 * PrintableString (countryName: PrintableString of two letters).
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "base/base.h"

#define NAME_ATTRS_MAX 12

enum name_attr {
	NAME_C = 1,
	NAME_ST,
	NAME_L,
	NAME_O,
	NAME_OU,
	NAME_CN,
	NAME_SERIAL,  /* serialNumber 2.5.4.5            */
	NAME_ORG_ID,  /* organizationIdentifier 2.5.4.97 */
	NAME_STREET,  /* streetAddress 2.5.4.9, the address of a person's certificate */
	NAME_BIRTH,   /* dateOfBirth 1.3.6.1.5.5.7.9.1 is no RDN: 2.5.4.13 description carries it, see the profile */
	NAME_OTHER,
};

struct name_part {
	enum name_attr attr;
	slice value; /* UTF-8 */
};

/* Takes a whole Name off *in and checks it; *out is the whole element. */
err name_get(slice *in, slice *out) CHECKED;
/* The parts of a checked name in order; n is at most NAME_ATTRS_MAX. */
err name_parts(slice name, struct name_part out[NAME_ATTRS_MAX], size_t *n) CHECKED;
/* The first value of an attribute; ERR_ABSENT name-absent. */
err name_value(slice name, enum name_attr attr, slice *out) CHECKED;
void name_put(struct buf *b, const struct name_part *parts, size_t n);
/* For people: "C=JP, O=…, CN=…" with RFC 4514 escapes. */
void name_put_text(struct buf *b, slice name);

#endif
