#include "test/unit/pki.h"

#define DEFAULT_WRITTEN "der-default: X.690 11.5: a DEFAULT value is written out"
#define EMPTY_LIST "cert-list: RFC 5280 4.2: an extension holds an empty list"
#define NOT_V3 "cert-version: RFC 5280 4.1.2.1: the certificate is not of version 3"
#define SERIAL "serial: RFC 5280 4.1.2.2: a serial number is positive and has at most 20 bytes"
#define SERIAL_HEX "serial-hex: house: a serial number is written in 2 to 40 hexadecimal digits, not from 00"
#define SHORT "der-short: X.690 8.1: the input ends within an element"
#define TRAILING "der-trailing: X.690 8.1: bytes follow where nothing may follow"
#define TYPE "der-type: X.690 8.1.2: another element was expected here"
#define WEAK "signature-algorithm: CR-1: the signature algorithm is not one the guideline's article 3 lists"

static struct signer ca, person;
static slice leaf, anchor;

static int
make_world(void **state)
{
	(void)state;
	ca = signer_new(KEY_P256);
	person = signer_new(KEY_RSA);
	anchor = ca_made(&ca, "試験認証局");
	leaf = leaf_made(&ca, "試験認証局", &person);
	return 0;
}

static int
drop_world(void **state)
{
	signer_drop(&ca);
	signer_drop(&person);
	return temp_drop(state);
}

/*
 * In our leaf: 0.0 is tbs {version, serial, alg, issuer, validity, subject, spki, [3]}, and 0.0.7.0 its extensions
 * {AKI, SKI, keyUsage, policies, CRLDP, AIA}; in our CA {AKI, SKI, keyUsage, basicConstraints}.
 */
struct row {
	const char *name, *path;
	char op;
	const char *with, *expect;
};

static const struct row LEAF_ROWS[] = {
    {"byte after", "0", '>', "00", TRAILING},
    {"version 1", "0.0.0", '-', "", NOT_V3},
    {"version 2", "0.0.0.0", '=', "020101", NOT_V3},
    {"version 4", "0.0.0.0", '=', "020103", NOT_V3},
    {"version twice", "0.0.0.0", '2', "", TRAILING},
    {"serial 0", "0.0.1", '=', "020100", SERIAL},
    {"serial negative", "0.0.1", '=', "0201FF", "der-negative: X.690 8.3: a negative INTEGER where none may be"},
    {"serial not minimal", "0.0.1", '=', "02020001",
        "der-integer: X.690 8.3.2: an INTEGER is not in its shortest form"},
    {"serial of 20 bytes", "0.0.1", '=', "0215 00 FF0102030405060708090A0B0C0D0E0F10111213", NULL},
    {"serial of 21 bytes", "0.0.1", '=', "0215 01 FF0102030405060708090A0B0C0D0E0F10111213", SERIAL},
    {"another algorithm inside", "0.0.2", '=', "300D 06092A864886F70D01010B 0500",
        "cert-algorithm: RFC 5280 4.1.1.2: the signature algorithms inside and outside differ"},
    {"another algorithm outside", "0.1", '=', "300D 06092A864886F70D01010B 0500",
        "cert-algorithm: RFC 5280 4.1.1.2: the signature algorithms inside and outside differ"},
    {"empty issuer", "0.0.3", '=', "3000", "name-empty: RFC 5280 4.1.2.4: a name without attributes"},
    {"empty subject", "0.0.5", '=', "3000", "name-empty: RFC 5280 4.1.2.4: a name without attributes"},
    {"notBefore = notAfter", "0.0.4", '=', "301E 170D3236313132323030303030305A 170D3236313132323030303030305A", NULL},
    {"notBefore > notAfter", "0.0.4", '=', "301E 170D3236313132323030303030315A 170D3236313132323030303030305A",
        "cert-validity: RFC 5280 4.1.2.5: notBefore lies after notAfter"},
    {"no seconds", "0.0.4", '=', "301C 170B323631313232303030305A 170D3236313132323030303030305A",
        "der-time: RFC 5280 4.1.2.5: a time has seconds, Z and nothing else"},
    {"third time", "0.0.4.1", '2', "", TRAILING},
    {"spki without key", "0.0.6.1", '-', "", SHORT},
    {"spki not a SEQUENCE", "0.0.6", '=', "0500", TYPE},
    {"spki with a broken OID", "0.0.6.0.0", '=', "06022AFF",
        "der-oid: X.690 8.19: not a well-formed OBJECT IDENTIFIER"},
    {"spki with parameters of another type", "0.0.6.0.1", '=', "2C02 0C00", TYPE},
    {"spki with two parameters", "0.0.6.0.1", '2', "", TRAILING},
    {"unique identifier", "0.0.6", '>', "81020001", TYPE},
    {"no extensions", "0.0.7", '-', "", NULL},
    {"empty extensions", "0.0.7", '=', "A3023000",
        "extension-list: RFC 5280 4.1: a list of extensions stands there without one"},
    {"extensions twice", "0.0.7", '2', "", TRAILING},
    {"critical FALSE", "0.0.7.0.1.0", '>', "010100", DEFAULT_WRITTEN},
    {"critical 01", "0.0.7.0.1.0", '>', "010101", "der-bool: X.690 11.1: a BOOLEAN is 00 or FF"},
    {"extension twice", "0.0.7.0.1", '2', "", "extension-twice: RFC 5280 4.2: an extension stands twice"},
    {"unknown extension twice", "0.0.7.0.1", '<', "3009 0603551D12 0402 3000 3009 0603551D12 0402 3000",
        "extension-twice: RFC 5280 4.2: an extension stands twice"},
    {"more in an extension", "0.0.7.0.1.1", '>', "0500", TRAILING},
    {"keyUsage of no bit", "0.0.7.0.2.2.0", '=', "030100", "cert-key-usage: RFC 5280 4.2.1.3: keyUsage names no use"},
    {"keyUsage with zero bits at its end", "0.0.7.0.2.2.0", '=', "030205C0",
        "der-named-bits: X.690 11.2: a named-bit list is not in its shortest form"},
    {"keyUsage and more", "0.0.7.0.2.2.0", '>', "0500", TRAILING},
    {"SKI and more", "0.0.7.0.1.1.0", '>', "0500", TRAILING},
    {"AKI empty", "0.0.7.0.0.1.0", '=', "3000", NULL},
    {"AKI with issuer and serial", "0.0.7.0.0.1.0.0", '>', "A1028200 820101", NULL},
    {"AKI with issuer only", "0.0.7.0.0.1.0.0", '>', "A1028200", SHORT},
    {"AKI with more", "0.0.7.0.0.1.0.0", '>', "830101", TRAILING},
    {"no policy", "0.0.7.0.3.1.0", '=', "3000", EMPTY_LIST},
    {"policy twice", "0.0.7.0.3.1.0.0", '2', "", "cert-policy-twice: RFC 5280 4.2.1.4: a policy is named twice"},
    {"policy without qualifier", "0.0.7.0.3.1.0.0.1", '-', "", NULL},
    {"policy and more", "0.0.7.0.3.1.0.0.1", '2', "", TRAILING},
    {"8 policies", "0.0.7.0.3.1.0.0", '<',
        "3003060100 3003060101 3003060102 3003060103 3003060104 3003060105 3003060106", NULL},
    {"9 policies", "0.0.7.0.3.1.0.0", '<',
        "3003060100 3003060101 3003060102 3003060103 3003060104 3003060105 3003060106 3003060107",
        "cert-policies: house: a certificate names at most 8 policies"},
    {"no distribution point", "0.0.7.0.4.1.0", '=', "3000", EMPTY_LIST},
    {"no access", "0.0.7.0.5.1.0", '=', "3000", EMPTY_LIST},
    {"half a distribution point", "0.0.7.0.4.1.0", '=', "3002 3001", SHORT},
    {"signature with unused bits", "0.2", '=', "03020410",
        "der-bits: X.690 8.6: a BIT STRING of whole bytes was expected"},
    {"bytes after the signature", "0.2", '>', "0500", TRAILING},
};

static const struct row CA_ROWS[] = {
    {"cA FALSE written out", "0.0.7.0.3.2.0", '=', "3003 010100", DEFAULT_WRITTEN},
    {"no cA", "0.0.7.0.3.2.0", '=', "3000", NULL},
    {"path length 0", "0.0.7.0.3.2.0.0", '>', "020100", NULL},
    {"path length without cA", "0.0.7.0.3.2.0", '=', "3003 020100",
        "cert-path-length: RFC 5280 4.2.1.9: a path length stands where cA is not set"},
    {"path length too long", "0.0.7.0.3.2.0.0", '>', "020500FFFFFFFF",
        "der-range: X.690 8.3: an INTEGER is larger than it may be here"},
    {"basicConstraints and more", "0.0.7.0.3.2.0.0", '>', "0500", TRAILING},
};

static void
test_refusals(void **state)
{
	struct cert c;

	(void)state;
	for (size_t i = 0; i < COUNT(LEAF_ROWS) + COUNT(CA_ROWS); i++) {
		const struct row *r = i < COUNT(LEAF_ROWS) ? &LEAF_ROWS[i] : &CA_ROWS[i - COUNT(LEAF_ROWS)];

		expect_text(
		    r->name, cert_get(edit(i < COUNT(LEAF_ROWS) ? leaf : anchor, r->path, r->op, hex(r->with)), &c), r->expect);
	}
	/* The same weak algorithm in both places. */
	expect_err("SHA-1",
	    cert_get(
	        edit(edit(leaf, "0.0.2", '=', hex("300906072A8648CE3D0401")), "0.1", '=', hex("300906072A8648CE3D0401")),
	        &c),
	    ERR_POLICY, WEAK);
	/* Every prefix is refused, whatever it is. */
	for (size_t n = 0; n < leaf.n; n++)
		expect_true("a prefix", cert_get(copy(slice_of(leaf.p, n)), &c).kind == ERR_INPUT);
}

/* EXTENSIONS_MAX, CERT_MAX and one more. */
static void
test_limits(void **state)
{
	struct cert c;

	(void)state;
	for (size_t n = 26; n <= 27; n++) {
		struct buf more OWNED(buf_drop) = BUF(1024);

		for (size_t i = 0; i < n; i++) {
			const uint8_t e[] = {0x30, 0x08, 0x06, 0x03, 0x55, 0x1D, (uint8_t)(64 + i), 0x04, 0x01, 0x00};

			buf_put(&more, ARR(e));
		}
		expect_text("extensions", cert_get(edit(leaf, "0.0.7.0.0", '<', buf_slice(&more)), &c),
		    n == 26 ? NULL : "extension-many: house: a certificate or a list has at most 32 extensions");
	}
	for (size_t n = CERT_MAX; n <= CERT_MAX + 1; n++) {
		/* The lengths around have two bytes already; the extension is 13 bytes longer than its value. */
		slice wide;
		struct buf e OWNED(buf_drop) = BUF(2 * CERT_MAX), v OWNED(buf_drop) = BUF(2 * CERT_MAX);

		buf_put(&v, hex("0603551D40"));
		der_put(&v, DER_OCTETS, bytes(n - leaf.n - 13, 0));
		der_put(&e, DER_SEQUENCE, buf_slice(&v));
		wide = edit(leaf, "0.0.7.0.0", '<', buf_slice(&e));
		expect_number("size", wide.n, n);
		expect_text("long", cert_get(wide, &c),
		    n == CERT_MAX ? NULL : "cert-long: house: a certificate has at most 8192 bytes");
	}
}

static void
test_unknown(void **state)
{
	static const struct {
		const char *name, *ext;
		bool unknown;
	} rows[] = {
	    {"issuerAltName", "300B 0603551D12 0404 30028200", false},
	    {"issuerAltName critical", "300E 0603551D12 0101FF 0404 30028200", true},
	    {"nameConstraints critical", "300C 0603551D1E 0101FF 0402 3000", true},
	    {"extendedKeyUsage critical", "3016 0603551D25 0101FF 040C 300A 06082B06010505070304", false},
	};
	struct cert c;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_ok(rows[i].name, cert_get(edit(leaf, "0.0.7.0.0", '<', hex(rows[i].ext)), &c));
		expect_true(rows[i].name, c.unknown_critical == rows[i].unknown);
		expect_true(rows[i].name, !c.eku_ocsp);
	}
	expect_err("empty EKU", cert_get(edit(leaf, "0.0.7.0.0", '<', hex("3009 0603551D25 0402 3000")), &c), ERR_INPUT,
	    EMPTY_LIST);
	expect_err("empty SAN", cert_get(edit(leaf, "0.0.7.0.0", '<', hex("3009 0603551D11 0402 3000")), &c), ERR_INPUT,
	    EMPTY_LIST);
	expect_err("nocheck and more",
	    cert_get(edit(leaf, "0.0.7.0.0", '<', hex("3013 06092B0601050507300105 0406 0500 0500 0500")), &c), ERR_INPUT,
	    TRAILING);
}

static slice
der_of_name(const X509_NAME *n)
{
	const unsigned char *p;
	size_t len;

	expect_number("name", (uint64_t)X509_NAME_get0_der(n, &p, &len), 1);
	return slice_of(p, len);
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	expect_number("time", (uint64_t)ASN1_TIME_to_tm(t, &tm), 1);
	return (int64_t)timegm(&tm);
}

static slice
octets_of(const ASN1_OCTET_STRING *s)
{
	return s == NULL ? slice_of(NULL, 0) : slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* libcrypto and we read the same in a certificate. */
static void
expect_agreement(const char *row, slice der)
{
	X509 *x = x509_of(der);
	struct cert c;
	uint32_t usage;

	expect_ok(row, cert_get(der, &c));
	expect_same(row, serial_slice(&c.serial), octets_of(X509_get0_serialNumber(x)));
	expect_same(row, c.issuer, der_of_name(X509_get_issuer_name(x)));
	expect_same(row, c.subject, der_of_name(X509_get_subject_name(x)));
	expect_number(row, (uint64_t)(c.not_before.ms / 1000), (uint64_t)seconds_of(X509_get0_notBefore(x)));
	expect_number(row, (uint64_t)(c.not_after.ms / 1000), (uint64_t)seconds_of(X509_get0_notAfter(x)));
	expect_same(row, c.ski, octets_of(X509_get0_subject_key_id(x)));
	expect_same(row, c.aki, octets_of(X509_get0_authority_key_id(x)));
	/* libcrypto numbers the bits from the other end of each byte. */
	usage = X509_get_key_usage(x);
	if (c.has_key_usage)
		for (unsigned bit = 0; bit < 8; bit++)
			expect_number(row, c.key_usage >> bit & 1, usage >> (7 - bit) & 1);
	else
		expect_number(row, usage, UINT32_MAX);
	expect_number(row, c.is_ca, (X509_get_extension_flags(x) & EXFLAG_CA) != 0);
	expect_number(row, X509_get_extension_flags(x) & EXFLAG_INVALID, 0);
	expect_number(row, c.eku_ocsp,
	    (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) != 0);
	expect_number(row, c.unknown_critical, (X509_get_extension_flags(x) & EXFLAG_CRITICAL) != 0);
	X509_free(x);
}

static void
test_openssl(void **state)
{
	struct signer rsa = signer_new(KEY_RSA), p384 = signer_new(KEY_P384);
	struct cert_plan p;
	X509 *x, *issuer = x509_of(anchor);

	(void)state;
	expect_agreement("ca", anchor);
	expect_agreement("leaf", leaf);
	expect_agreement("responder", responder_made(&ca, "試験認証局", &p384, later(86400)));
	x = x509_of(leaf);
	expect_number("verify", (uint64_t)X509_verify(x, X509_get0_pubkey(issuer)), 1);
	expect_number("serial number's length", (uint64_t)X509_get_ext_count(x), 6);
	X509_free(x);
	X509_free(issuer);
	/* Every algorithm a CA of ours may have. */
	for (enum sig_alg alg = SIG_RSA_SHA256; alg <= SIG_ECDSA_SHA384; alg++) {
		const struct signer *s = alg >= SIG_ECDSA_SHA256 ? &p384 : &rsa;
		struct cert c;
		slice der;

		p = leaf_plan(s, "試験認証局", s);
		p.alg = alg;
		p.not_after = (instant){INT64_C(2524608000000)}; /* 2050: GeneralizedTime */
		der = cert_made(&p, s);
		expect_agreement("algorithms", der);
		expect_ok("algorithms", cert_get(der, &c));
		expect_number("algorithms", c.alg, alg);
		expect_ok("algorithms", cert_check_signed_by(&c, s->key));
		expect_err("another key", cert_check_signed_by(&c, alg >= SIG_ECDSA_SHA256 ? ca.key : person.key), ERR_POLICY,
		    "signature: Act 2(1): the signature was not made by this key over these bytes");
		x = x509_of(der);
		expect_number("algorithms", (uint64_t)X509_verify(x, s->pkey), 1);
		X509_free(x);
	}
	signer_drop(&rsa);
	signer_drop(&p384);
}

/* The command line reads the same, word for word. */
static void
test_command(void **state)
{
	(void)state;
	temp_write_cert("leaf.pem", leaf);
	temp_write_cert("ca.pem", anchor);
	expect_run("openssl verify -attime 1795305600 -CAfile ca.pem -x509_strict -policy_check leaf.pem");
	expect_run("openssl x509 -in leaf.pem -noout -text -nameopt utf8,sep_comma_plus_space >text");
	expect_run("grep -q 'CPS: http://ca.test/cps' text");
	expect_run("grep -q 'OCSP - URI:http://ca.test/ocsp' text");
	expect_run("grep -q 'CA Issuers - URI:http://ca.test/ca/1.cer' text");
	expect_run("grep -q 'URI:http://ca.test/crl/1.crl' text");
	expect_run("grep -q 'Digital Signature, Non Repudiation' text");
	expect_run("grep -q 'X509v3 Key Usage: critical' text");
	expect_run("grep -q 'CN=山田　太郎' text");
	expect_run("grep -q '7f:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f' text");
}

/* The plan that a certificate of ours was made from. */
static struct cert_plan
plan_of(const struct cert *c)
{
	struct cert_plan p = {.serial = c->serial,
	    .alg = c->alg,
	    .issuer = c->issuer,
	    .subject = c->subject,
	    .spki = c->spki,
	    .not_before = c->not_before,
	    .not_after = c->not_after,
	    .is_ca = c->is_ca,
	    .key_usage = c->key_usage,
	    .aki = c->aki,
	    .ski = c->ski,
	    .crl_uri = cert_crl_uri(c),
	    .ocsp_uri = cert_ocsp_uri(c),
	    .ocsp_signer = c->eku_ocsp};

	if (c->n_policies > 0)
		p.policy = c->policy[0];
	return p;
}

/* What get accepts, put writes back byte for byte. */
static void
test_law(void **state)
{
	const slice made[] = {anchor, leaf, responder_made(&ca, "試験認証局", &person, later(60))};

	(void)state;
	for (size_t i = 0; i < COUNT(made); i++) {
		struct buf tbs OWNED(buf_drop) = BUF(CERT_MAX), whole OWNED(buf_drop) = BUF(CERT_MAX);
		struct cert_plan p;
		struct cert c;

		expect_ok("law", cert_get(made[i], &c));
		p = plan_of(&c);
		if (i == 1) {
			p.cps_uri = LIT("http://ca.test/cps");
			p.ca_issuers_uri = LIT("http://ca.test/ca/1.cer");
		}
		cert_put_tbs(&tbs, &p);
		expect_same("tbs", buf_slice(&tbs), c.tbs);
		cert_join(&whole, buf_slice(&tbs), c.alg, c.signature);
		expect_same("whole", buf_slice(&whole), made[i]);
	}
}

static void
test_fields(void **state)
{
	struct cert c, other;
	digest d;

	(void)state;
	expect_ok("leaf", cert_get(leaf, &c));
	expect_same("ocsp", cert_ocsp_uri(&c), LIT("http://ca.test/ocsp"));
	expect_same("crl", cert_crl_uri(&c), LIT("http://ca.test/crl/1.crl"));
	expect_number("policies", c.n_policies, 1);
	expect_same("policy", c.policy[0], LIT("\x2A\x83\x08\x8C\x9B\x55\x63\x01"));
	expect_true("usage", c.has_key_usage && c.key_usage_critical && !c.policies_critical);
	expect_number("usage", c.key_usage, USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION);
	expect_number("path", c.path_len, PATHLEN_NONE);
	expect_true("issued by another", !cert_is_self_issued(&c));
	expect_true("whole", slice_eq(c.whole, leaf));
	d = cert_digest(&c);
	expect_true("digest", digest_eq(d, sha256(leaf)));
	expect_ok("signed", cert_check_signed_by(&c, ca.key));
	expect_ok("ca", cert_get(anchor, &other));
	expect_true("self-issued", cert_is_self_issued(&other));
	expect_true("no uri", cert_ocsp_uri(&other).n == 0 && cert_crl_uri(&other).n == 0);
	/* A distribution point that is a directoryName, as JPKI's, then one with a URI. */
	expect_ok("points",
	    cert_get(edit(leaf, "0.0.7.0.4.1.0.0", '<', hex("3015 A013 A011 A40F 300D310B30090603550406 1302 4A50")), &c));
	expect_same("points", cert_crl_uri(&c), LIT("http://ca.test/crl/1.crl"));
	expect_ok("issuers only", cert_get(edit(leaf, "0.0.7.0.5.1.0.0", '-', hex("")), &c));
	expect_number("issuers only", cert_ocsp_uri(&c).n, 0);
}

static void
test_validity(void **state)
{
	struct cert c;
	static const struct {
		const char *name;
		int64_t ms;
		bool valid;
	} rows[] = {
	    {"before", -3600001, false},
	    {"notBefore", -3600000, true},
	    {"notAfter", 86400000, true},
	    {"within the last second", 86400999, true},
	    {"after", 86401000, false},
	};

	(void)state;
	expect_ok("leaf", cert_get(leaf, &c));
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_true(rows[i].name, cert_is_valid_at(&c, (instant){NOW.ms + rows[i].ms}) == rows[i].valid);
}

static void
test_serials(void **state)
{
	static const struct {
		const char *hex, *expect;
	} rows[] = {
	    {"01", NULL},
	    {"ff", NULL},
	    {"0100", NULL},
	    {"ff00000000000000000000000000000000000001", NULL},
	    {"01ff00000000000000000000000000000000000001", SERIAL_HEX},
	    {"", SERIAL_HEX},
	    {"1", SERIAL_HEX},
	    {"00", SERIAL_HEX},
	    {"0001", SERIAL_HEX},
	    {"FF", SERIAL_HEX},
	    {"0x", SERIAL_HEX},
	};
	/* In numerical order. */
	static const char *const order[] = {"01", "02", "7f", "80", "ff", "0100", "01ff", "0200", "ff01", "010000"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf h OWNED(buf_drop) = BUF(64), d OWNED(buf_drop) = BUF(64);
		serial s, t;
		slice in;

		expect_text(rows[i].hex, serial_get_hex(txt(rows[i].hex), &s), rows[i].expect);
		if (rows[i].expect != NULL)
			continue;
		serial_put_hex(&h, s);
		expect_same(rows[i].hex, buf_slice(&h), slice_str(rows[i].hex));
		serial_put(&d, s);
		in = copy(buf_slice(&d));
		expect_ok(rows[i].hex, serial_get(&in, &t));
		expect_true(rows[i].hex, serial_eq(s, t) && in.n == 0);
	}
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t j = 0; j < COUNT(order); j++) {
			int want = i < j ? -1 : i > j, got = serial_cmp(serial_of(order[i]), serial_of(order[j]));

			expect_true(order[i], (got > 0) - (got < 0) == want);
			expect_true(order[i], serial_eq(serial_of(order[i]), serial_of(order[j])) == (i == j));
		}
}

/* J-LIS's own: pinned by digest, one name, three keys; domain 2.4. */
static void
test_jpki_anchors(void **state)
{
	static const struct {
		const char *file, *serial, *sha256;
		int64_t not_before, not_after;
	} rows[] = {
	    {"signca01.cer", "01", "19645405a1fe14377434bd55957628ac4038557c542403a2243f21c706fc9355", 1445308828,
	        1760885999},
	    {"signca02.cer", "0132c4ab", "79679c33e4cc9319440f1ad120a597ff1844e2ef217063adb176966fd5e6fbeb", 1568504516,
	        1884092399},
	    {"signca03.cer", "067c6a21", "d227f6cde11d35c5252178f106f843d24651944975413b539fa2fb68dbfa365f", 1689468627,
	        2005052399},
	};
	slice name = {NULL, 0};

	(void)state;
	if (vector_read("jpki-anchors/signca01.cer").n == 0) {
		print_message("# skipped: vectors not present\n");
		skip();
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[64];
		struct buf b OWNED(buf_drop) = BUF(256);
		struct key *k OWNED(key_drop) = NULL;
		struct cert c;
		uint8_t id[SHA1_LEN];
		digest want;
		slice der;

		snprintf(path, sizeof path, "jpki-anchors/%s", rows[i].file);
		der = vector_read(path);
		expect_ok(path, cert_get(der, &c));
		expect_agreement(path, der);
		expect_ok(path, digest_get(slice_str(rows[i].sha256), &want));
		expect_true(path, digest_eq(cert_digest(&c), want));
		expect_true(path, serial_eq(c.serial, serial_of(rows[i].serial)));
		expect_number(path, (uint64_t)(c.not_before.ms / 1000), (uint64_t)rows[i].not_before);
		expect_number(path, (uint64_t)(c.not_after.ms / 1000), (uint64_t)rows[i].not_after);
		expect_true(path, c.is_ca && c.path_len == PATHLEN_NONE && !c.unknown_critical && cert_is_self_issued(&c));
		expect_number(path, c.key_usage, USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN);
		expect_true(path, c.san.n > 0 && c.crldp.n > 0 && c.aki.n == 0 && c.alg == SIG_RSA_SHA256);
		expect_ok(path, key_get_spki(c.spki, &k));
		expect_ok(path, cert_check_signed_by(&c, k));
		key_identifier(k, id);
		expect_same(path, c.ski, ARR(id));
		name_put_text(&b, c.subject);
		expect_same(path, buf_slice(&b),
		    LIT("C=JP, O=JPKI, OU=JPKI for digital signature, "
		        "OU=Japan Agency for Local Authority Information Systems"));
		if (i > 0)
			expect_same("one name", c.subject, name);
		name = c.subject;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_openssl),
	    cmocka_unit_test(test_command),
	    cmocka_unit_test(test_law),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_validity),
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_jpki_anchors),
	};

	return cmocka_run_group_tests_name("cert", tests, make_world, drop_world);
}
