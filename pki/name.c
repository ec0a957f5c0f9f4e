#include "base/der.h"
#include "base/text.h"
#include "pki/name.h"

/* All attributes with a name of their own stand under 2.5.4: the last byte tells them apart. */
static const struct attr_row {
	enum name_attr attr;
	uint8_t arc;
	const char *label;
} ATTRS[] = {
    {NAME_C, 6, "C"},
    {NAME_ST, 8, "ST"},
    {NAME_L, 7, "L"},
    {NAME_O, 10, "O"},
    {NAME_OU, 11, "OU"},
    {NAME_CN, 3, "CN"},
    {NAME_SERIAL, 5, "serialNumber"},
    {NAME_ORG_ID, 97, "organizationIdentifier"},
    {NAME_STREET, 9, "street"},
    {NAME_BIRTH, 13, "description"},
};

static const struct attr_row *
row_of_oid(slice oid)
{
	if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04)
		for (size_t i = 0; i < COUNT(ATTRS); i++)
			if (ATTRS[i].arc == oid.p[2])
				return &ATTRS[i];
	return NULL;
}

static const struct attr_row *
row_of_attr(enum name_attr attr)
{
	for (size_t i = 0; i < COUNT(ATTRS); i++)
		if (ATTRS[i].attr == attr)
			return &ATTRS[i];
	return NULL;
}

/* X.680 41.4 */
static bool
is_printable(slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		        (c != 0 && strchr(" '()+,-./:=?", c) != NULL)))
			return false;
	}
	return true;
}

static bool
is_country(slice s)
{
	return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

/*
 * RelativeDistinguishedName ::= SET SIZE (1..MAX) OF SEQUENCE {
 *	type   OBJECT IDENTIFIER,
 *	value  UTF8String | PrintableString }
 */
static err
rdn_get(slice *in, slice *oid, slice *value)
{
	slice s = *in, set, atv, o, v;
	uint8_t tag;

	TRY(der_get(&s, DER_SET, &set));
	TRY(der_get(&set, DER_SEQUENCE, &atv));
	if (set.n != 0)
		return fail(ERR_INPUT, "name-rdn: house: an RDN of a name holds more than one attribute");
	TRY(der_get_oid(&atv, &o));
	TRY(der_get_any(&atv, &tag, &v, NULL));
	TRY(der_end(atv));
	if (tag == DER_PRINTABLE) {
		if (!is_printable(v))
			return fail(ERR_INPUT, "name-printable: X.680 41.4: a PrintableString holds another character");
	} else if (tag == DER_UTF8)
		TRY(text_check_line(v));
	else
		return fail(ERR_INPUT, "name-string: RFC 5280 4.1.2.4: a name is written in UTF8String or PrintableString");
	if (v.n == 0)
		return fail(ERR_INPUT, "name-value: RFC 5280 4.1.2.4: an attribute of a name is empty");
	if (slice_eq(o, LIT("\x55\x04\x06")) && (tag != DER_PRINTABLE || !is_country(v)))
		return fail(ERR_INPUT, "name-country: RFC 5280 A.1: countryName is a PrintableString of two capital letters");
	*oid = o;
	*value = v;
	*in = s;
	return ok;
}

err
name_get(slice *in, slice *out)
{
	slice s = *in, whole, rdns, oid, value;
	size_t n = 0;

	TRY(der_get_whole(&s, DER_SEQUENCE, &whole));
	rdns = whole;
	TRY(der_get(&rdns, DER_SEQUENCE, &rdns));
	if (rdns.n == 0)
		return fail(ERR_INPUT, "name-empty: RFC 5280 4.1.2.4: a name without attributes");
	while (rdns.n > 0) {
		if (n++ == NAME_ATTRS_MAX)
			return fail(ERR_INPUT, "name-long: house: a name has at most 12 attributes");
		TRY(rdn_get(&rdns, &oid, &value));
	}
	*out = whole;
	*in = s;
	return ok;
}

err
name_parts(slice name, struct name_part out[NAME_ATTRS_MAX], size_t *n)
{
	struct name_part parts[NAME_ATTRS_MAX];
	const struct attr_row *row;
	slice whole, rdns, oid;
	size_t k = 0;

	TRY(name_get(&name, &whole));
	TRY(der_end(name));
	TRY(der_get(&whole, DER_SEQUENCE, &rdns));
	for (; rdns.n > 0; k++) {
		TRY(rdn_get(&rdns, &oid, &parts[k].value));
		row = row_of_oid(oid);
		parts[k].attr = row == NULL ? NAME_OTHER : row->attr;
	}
	memcpy(out, parts, k * sizeof parts[0]);
	*n = k;
	return ok;
}

err
name_value(slice name, enum name_attr attr, slice *out)
{
	struct name_part parts[NAME_ATTRS_MAX];
	size_t n;

	TRY(name_parts(name, parts, &n));
	for (size_t i = 0; i < n; i++)
		if (parts[i].attr == attr) {
			*out = parts[i].value;
			return ok;
		}
	return fail(ERR_ABSENT, "name-absent: RFC 5280 4.1.2.4: the name has no such attribute");
}

void
name_put(struct buf *b, const struct name_part *parts, size_t n)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(n > 0 && n <= NAME_ATTRS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct attr_row *row = row_of_attr(parts[i].attr);
		bool printable = parts[i].attr == NAME_C || parts[i].attr == NAME_SERIAL;
		size_t set = der_open(b, DER_SET), atv = der_open(b, DER_SEQUENCE);

		assert(row != NULL && parts[i].value.n > 0);
		assert(parts[i].attr != NAME_C || is_country(parts[i].value));
		assert(!printable || is_printable(parts[i].value));
		der_put_oid(b, (slice){(const uint8_t[]){0x55, 0x04, row->arc}, 3});
		der_put(b, printable ? DER_PRINTABLE : DER_UTF8, parts[i].value);
		der_close(b, atv);
		der_close(b, set);
	}
	der_close(b, seq);
}

/* RFC 4514 2.4 */
static void
put_escaped(struct buf *b, slice v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if ((c != 0 && strchr(",+\"\\<>;", c) != NULL) || (i == 0 && (c == '#' || c == ' ')) ||
		    (i == v.n - 1 && c == ' '))
			buf_put_u8(b, '\\');
		buf_put_u8(b, c);
	}
}

void
name_put_text(struct buf *b, slice name)
{
	slice rdns, oid, value;
	bool first = true;

	if (der_get(&name, DER_SEQUENCE, &rdns).kind != OK)
		return;
	while (rdns.n > 0 && rdn_get(&rdns, &oid, &value).kind == OK) {
		const struct attr_row *row = row_of_oid(oid);

		if (!first)
			buf_put_str(b, ", ");
		first = false;
		if (row != NULL)
			buf_put_str(b, row->label);
		else
			oid_put_dotted(b, oid);
		buf_put_u8(b, '=');
		put_escaped(b, value);
	}
}
