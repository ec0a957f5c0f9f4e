#include "test/unit/pki.h"

/* What name_get says about the RDNs. */
static void
test_get(void **state)
{
	static const struct {
		const char *name, *rdns, *expect;
	} rows[] = {
	    {"C and CN", "310B 3009 0603550406 1302 4A50  310A 3008 0603550403 0C01 61", NULL},
	    {"an attribute we do not name", "310A 3008 060355042A 0C01 61", NULL},
	    {"PrintableString with each kind", "3114 3012 060355040A 130B 417A 30 20 27 28 2B 2F 3A 3D 3F", NULL},
	    {"no attribute", "", "name-empty: RFC 5280 4.1.2.4: a name without attributes"},
	    {"two in one RDN", "3114 3008 0603550403 0C01 61 3008 060355040A 0C01 61",
	        "name-rdn: house: an RDN of a name holds more than one attribute"},
	    {"IA5String", "310A 3008 0603550403 1601 61",
	        "name-string: RFC 5280 4.1.2.4: a name is written in UTF8String or PrintableString"},
	    {"TeletexString", "310A 3008 0603550403 1401 61",
	        "name-string: RFC 5280 4.1.2.4: a name is written in UTF8String or PrintableString"},
	    {"BMPString", "310B 3009 0603550403 1E02 0061",
	        "name-string: RFC 5280 4.1.2.4: a name is written in UTF8String or PrintableString"},
	    {"@ in a PrintableString", "310A 3008 060355040A 1301 40",
	        "name-printable: X.680 41.4: a PrintableString holds another character"},
	    {"NUL in a PrintableString", "310A 3008 060355040A 1301 00",
	        "name-printable: X.680 41.4: a PrintableString holds another character"},
	    {"NUL in a UTF8String", "310A 3008 060355040A 0C01 00",
	        "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"right-to-left override", "310C 300A 060355040A 0C03 E280AE",
	        "text-hidden: house: a character that is not shown, or not as it is read"},
	    {"not UTF-8", "310A 3008 060355040A 0C01 FF", "text-utf8: RFC 3629: the text is not UTF-8"},
	    {"empty value", "3109 3007 060355040A 0C00", "name-value: RFC 5280 4.1.2.4: an attribute of a name is empty"},
	    {"country as UTF8String", "310B 3009 0603550406 0C02 4A50",
	        "name-country: RFC 5280 A.1: countryName is a PrintableString of two capital letters"},
	    {"country of three letters", "310C 300A 0603550406 1303 4A504E",
	        "name-country: RFC 5280 A.1: countryName is a PrintableString of two capital letters"},
	    {"country in small letters", "310B 3009 0603550406 1302 6A70",
	        "name-country: RFC 5280 A.1: countryName is a PrintableString of two capital letters"},
	    {"no value", "3107 3005 0603550403", "der-short: X.690 8.1: the input ends within an element"},
	    {"two values", "310D 300B 0603550403 0C01 61 0C01 61",
	        "der-trailing: X.690 8.1: bytes follow where nothing may follow"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(256);
		slice in, out;

		der_put(&b, DER_SEQUENCE, hex(rows[i].rdns));
		in = copy(buf_slice(&b));
		expect_text(rows[i].name, name_get(&in, &out), rows[i].expect);
		if (rows[i].expect == NULL) {
			expect_same(rows[i].name, out, buf_slice(&b));
			expect_number(rows[i].name, in.n, 0);
		} else
			expect_number(rows[i].name, in.n, b.n);
	}
}

/* NAME_ATTRS_MAX and one more. */
static void
test_limit(void **state)
{
	(void)state;
	for (size_t n = NAME_ATTRS_MAX; n <= NAME_ATTRS_MAX + 1; n++) {
		struct buf rdns OWNED(buf_drop) = BUF(512), b OWNED(buf_drop) = BUF(512);
		struct name_part parts[NAME_ATTRS_MAX];
		size_t got = 0;
		slice in, out;

		for (size_t i = 0; i < n; i++)
			buf_put(&rdns, hex("310A 3008 060355040B 0C01 61"));
		der_put(&b, DER_SEQUENCE, buf_slice(&rdns));
		in = copy(buf_slice(&b));
		expect_text("limit", name_get(&in, &out),
		    n == NAME_ATTRS_MAX ? NULL : "name-long: house: a name has at most 12 attributes");
		if (n == NAME_ATTRS_MAX) {
			expect_ok("limit", name_parts(out, parts, &got));
			expect_number("limit", got, n);
		}
	}
}

static const struct {
	enum name_attr attr;
	const char *value;
} EVERY[] = {{NAME_C, "JP"}, {NAME_ST, "東京都"}, {NAME_L, "千代田区"}, {NAME_O, "印鑑"}, {NAME_OU, "試験"},
    {NAME_ORG_ID, "NTRJP-1234567890123"}, {NAME_STREET, "東京都千代田区一番町1-1"}, {NAME_BIRTH, "1980-12-31"},
    {NAME_SERIAL, "A-1"}, {NAME_CN, "山田　太郎"}};

static slice
every_name(void)
{
	struct buf b OWNED(buf_drop) = BUF(1024);
	struct name_part parts[COUNT(EVERY)];

	for (size_t i = 0; i < COUNT(EVERY); i++)
		parts[i] = (struct name_part){EVERY[i].attr, slice_str(EVERY[i].value)};
	name_put(&b, parts, COUNT(parts));
	return copy(buf_slice(&b));
}

/* What is put comes out again, and putting what came out gives the same bytes. */
static void
test_put(void **state)
{
	struct buf again OWNED(buf_drop) = BUF(1024);
	struct name_part parts[NAME_ATTRS_MAX];
	slice name = every_name(), v;
	size_t n;

	(void)state;
	expect_ok("parts", name_parts(name, parts, &n));
	expect_number("parts", n, COUNT(EVERY));
	for (size_t i = 0; i < n; i++) {
		expect_number("attr", parts[i].attr, EVERY[i].attr);
		expect_same("value", parts[i].value, slice_str(EVERY[i].value));
	}
	name_put(&again, parts, n);
	expect_same("again", buf_slice(&again), name);
	expect_ok("value", name_value(name, NAME_CN, &v));
	expect_same("value", v, LIT("山田　太郎"));
	expect_err("absent", name_value(name_of("x"), NAME_BIRTH, &v), ERR_ABSENT,
	    "name-absent: RFC 5280 4.1.2.4: the name has no such attribute");
	expect_err("trailing", name_parts(join(name, hex("00")), parts, &n), ERR_INPUT,
	    "der-trailing: X.690 8.1: bytes follow where nothing may follow");
}

/* libcrypto reads the same attributes with the same values and string types. */
static void
test_openssl(void **state)
{
	static const struct {
		int nid, type;
	} want[] = {{NID_countryName, V_ASN1_PRINTABLESTRING}, {NID_stateOrProvinceName, V_ASN1_UTF8STRING},
	    {NID_localityName, V_ASN1_UTF8STRING}, {NID_organizationName, V_ASN1_UTF8STRING},
	    {NID_organizationalUnitName, V_ASN1_UTF8STRING}, {NID_organizationIdentifier, V_ASN1_UTF8STRING},
	    {NID_streetAddress, V_ASN1_UTF8STRING}, {NID_description, V_ASN1_UTF8STRING},
	    {NID_serialNumber, V_ASN1_PRINTABLESTRING}, {NID_commonName, V_ASN1_UTF8STRING}};
	slice name = every_name();
	const unsigned char *p = name.p;
	X509_NAME *x = d2i_X509_NAME(NULL, &p, (long)name.n);

	(void)state;
	expect_true("read", x != NULL && p == name.p + name.n);
	expect_number("count", (uint64_t)X509_NAME_entry_count(x), COUNT(want));
	for (int i = 0; i < (int)COUNT(want); i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(x, i);
		ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);

		expect_number("nid", (uint64_t)OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)), (uint64_t)want[i].nid);
		expect_number("type", (uint64_t)ASN1_STRING_type(s), (uint64_t)want[i].type);
		expect_same(
		    "value", slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)), slice_str(EVERY[i].value));
	}
	X509_NAME_free(x);
}

static void
test_text(void **state)
{
	static const struct {
		const char *value, *expect;
	} rows[] = {
	    {"山田　太郎", "CN=山田　太郎"},
	    {"a,b+c\"d\\e<f>g;h", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"},
	    {"#a#", "CN=\\#a#"},
	    {"  a b  ", "CN=\\  a b \\ "},
	    {" ", "CN=\\ "},
	    {"a=b", "CN=a=b"},
	};
	struct buf b OWNED(buf_drop) = BUF(512);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf name OWNED(buf_drop) = BUF(256);

		name_put(&name, &(struct name_part){NAME_CN, slice_str(rows[i].value)}, 1);
		buf_clear(&b);
		name_put_text(&b, buf_slice(&name));
		expect_same(rows[i].value, buf_slice(&b), slice_str(rows[i].expect));
	}
	buf_clear(&b);
	name_put_text(&b, every_name());
	expect_same("all", buf_slice(&b),
	    LIT("C=JP, ST=東京都, L=千代田区, O=印鑑, OU=試験, organizationIdentifier=NTRJP-1234567890123, "
	        "street=東京都千代田区一番町1-1, description=1980-12-31, serialNumber=A-1, CN=山田　太郎"));
	buf_clear(&b);
	name_put_text(&b, hex("300C 310A 3008 060355042A 0C01 61"));
	expect_same("another", buf_slice(&b), LIT("2.5.4.42=a"));
	buf_clear(&b);
	name_put_text(&b, hex("0101FF"));
	expect_same("no name", buf_slice(&b), LIT(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_put),
	    cmocka_unit_test(test_openssl),
	    cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
