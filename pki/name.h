/*
 * name.h - distinguished names, RFC 5280 4.1.2.4.
 *
 * Depends on: base, der, text.  Pure.
 *
 * A name is kept as the bytes of its whole Name element; two names are the same
 * when their bytes are (one issuer writes its name one way; JPKI's three CA
 * generations do).
 *
 * Refused: a name without attributes or with more than NAME_ATTRS_MAX, an RDN of
 * several attributes, values other than UTF8String (checked by text_check_line)
 * and PrintableString, empty values, a countryName that is not a PrintableString
 * of two capital letters.
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "base/base.h"

#define NAME_ATTRS_MAX 12 /* JPKI's names have four attributes, ours at most nine */

enum name_attr {
	NAME_C = 1,
	NAME_ST,
	NAME_L,
	NAME_O,
	NAME_OU,
	NAME_CN,
	NAME_SERIAL, /* serialNumber 2.5.4.5                                                           */
	NAME_ORG_ID, /* organizationIdentifier 2.5.4.97                                                */
	NAME_STREET, /* streetAddress 2.5.4.9: the address of a person's certificate                   */
	NAME_BIRTH,  /* description 2.5.4.13: the birth date, where a profile wants it in the subject  */
	NAME_OTHER,  /* any attribute not named above: read, never written                             */
};

struct name_part {
	enum name_attr attr;
	slice value; /* UTF-8, borrowed from the name */
};

/* Takes a whole Name off *in and checks it; *out is the whole element, borrowed from the input. */
err name_get(slice *in, slice *out) CHECKED;
/* The parts of a name in order; n is at most NAME_ATTRS_MAX.  Refuses what name_get refuses. */
err name_parts(slice name, struct name_part out[NAME_ATTRS_MAX], size_t *n) CHECKED;
/* The first value of an attribute; ERR_ABSENT name-absent. */
err name_value(slice name, enum name_attr attr, slice *out) CHECKED;
/*
 * Writes UTF8Strings, but countryName and serialNumber as PrintableString.
 * Asserts what name_get asks for: 1 to NAME_ATTRS_MAX parts, none of them
 * NAME_OTHER or empty, a countryName of two capital letters, a printable
 * serialNumber.  That values are clean UTF-8 is the caller's to know.
 */
void name_put(struct buf *b, const struct name_part *parts, size_t n);
/* For people: "C=JP, O=…, CN=…" with RFC 4514 escapes; attributes of no name by their dotted number. */
void name_put_text(struct buf *b, slice name);

#endif
