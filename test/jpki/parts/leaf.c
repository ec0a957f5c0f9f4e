/*
 * leaf.c - the persons and their leaves, good ones and every bad one of domain facts 2.8.
 */
#include "test/jpki/parts/world.h"

#define POLICY_PRODUCTION "1.2.392.200149.8.5.1.1.20"
#define POLICY_TEST "1.2.392.200149.8.5.1.0.20"
#define POLICY_PHONE "1.2.392.200149.8.5.1.1.40" /* reported, not confirmed */
#define POLICY_PHONE_TEST "1.2.392.200149.8.5.1.0.40"
#define POLICY_AUTH "1.2.392.200149.8.5.1.3.30"

#define NO_FLAGS NULL /* all zeros, as many as there are characters */
#define SAME NULL     /* the true form is the recorded one */

static const struct person people[] = {
    {"yamada", "山田　太郎", NO_FLAGS, SAME, "319800115", "1", "椿県若葉市中央一丁目２番３号", NO_FLAGS, SAME},
    {"suzuki", "鈴木　次郎", NO_FLAGS, SAME, "319651231", "1", "椿県若葉市本町２丁目１０番地", NO_FLAGS, SAME},
    {"yoshida", "〓田　花子", "10000", "𠮷田　花子", "419890108", "2", "椿県若葉市緑町４番地５", NO_FLAGS, SAME},
    {"sato", "佐藤　美咲", NO_FLAGS, SAME, "419950704", "2", "椿県若葉市栄町１－２－３　若葉ハイツ１０１", NO_FLAGS,
        SAME},
    {"takahashi", "高橋　三郎", "10000", "髙橋　三郎", "319720229", "1", "椿県若葉市中央三丁目１番１号", NO_FLAGS,
        SAME},
    {"tanaka", "田中　恵", NO_FLAGS, SAME, "420000401", "2", "椿県若葉市〓町４番地", "0000010000",
        "椿県若葉市𣘺町４番地"},
    {"ito", "伊藤　ウメ", NO_FLAGS, SAME, "319400000", "2", "椿県若葉市北町９番地", NO_FLAGS, SAME},
    {"kato", "加藤　健", NO_FLAGS, SAME, "320011103", "1", "椿県若葉市南町７番地", NO_FLAGS, SAME},
    {"watanabe", "渡辺　直子", NO_FLAGS, SAME, "319550505", "2", "椿県若葉市東町８番地", NO_FLAGS, SAME},
    {"kodomo", "小林　葵", NO_FLAGS, SAME, "520190601", "2", "椿県若葉市西町６番地", NO_FLAGS, SAME},
};

/* What departs from the profile. */
#define ODD(n) (UINT64_C(1) << (n))
#define AUTH_PROFILE ODD(0)
#define NO_NONREPUDIATION ODD(1)
#define CA_TRUE ODD(2)
#define NO_NAME ODD(3)
#define BIRTH_TWICE ODD(4)
#define FLAGS_SHORT ODD(5)
#define ADDRESS_FLAGS_SHORT ODD(6)
#define EXTRA_OTHERNAME ODD(7)
#define CRITICAL_UNKNOWN ODD(8)
#define SIGNED_BY_STRANGER ODD(9)
#define SELF_SIGNED ODD(10)
#define SELF_ISSUED ODD(11)
#define BROKEN_SIGNATURE ODD(12)
#define SHA1 ODD(13)
#define POLICY_PLAIN ODD(14) /* not critical */
#define NO_POLICY ODD(15)
#define NO_SAN ODD(16)
#define FLAG_DIGIT_2 ODD(17)
#define NO_FLAGS_AT_ALL ODD(18)
#define TRAILING ODD(19)
#define BER_LENGTH ODD(20)
#define USAGE_TWICE ODD(21)
#define NO_USAGE ODD(22)
#define NO_INDEX ODD(23) /* no responder knows it */
#define REVOKED ODD(24)
#define CONTROL_IN_NAME ODD(25)
#define USAGE_CERTSIGN ODD(26)

static const struct leaf leaves[] = {
    {.file = "yamada", .ca = CA_SIGN3, .key = K_LEAF1},
    {.file = "suzuki", .ca = CA_SIGN3, .key = K_LEAF2, .odd = REVOKED, .what = "listed in the CRL"},
    {.file = "yoshida", .ca = CA_SIGN3, .key = K_LEAF3},
    {.file = "sato", .ca = CA_SIGN3, .key = K_LEAF4},
    {.file = "takahashi", .ca = CA_SIGN3, .key = K_LEAF5, .odd = EXTRA_OTHERNAME},
    {.file = "tanaka", .ca = CA_SIGN3, .key = K_LEAF1},
    {.file = "ito", .ca = CA_SIGN3, .key = K_LEAF2},
    {.file = "kato", .ca = CA_SIGN2, .key = K_LEAF3, .from_days = -900},
    {.file = "watanabe", .ca = CA_SIGN3, .key = K_LEAF4, .odd = NO_INDEX},
    {.file = "extra-othername", .ca = CA_SIGN3, .key = K_LEAF2, .odd = EXTRA_OTHERNAME},

    {.file = "auth-profile",
        .ca = CA_SIGN3,
        .key = K_AUTH,
        .odd = AUTH_PROFILE,
        .what = "user-auth profile under the signature CA: no attributes, no nonRepudiation"},
    {.file = "phone",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = POLICY_PHONE_TEST,
        .what = "smartphone policy (test arc)"},
    {.file = "phone-policy", .ca = CA_SIGN3, .key = K_LEAF1, .policy = POLICY_PHONE, .what = "smartphone policy"},
    {.file = "wrong-policy",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = "1.3.6.1.4.1.99999.1",
        .what = "policy OID unknown"},
    {.file = "other-hierarchy",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .policy = "other",
        .what = "production policy under a test anchor, or the other way round"},
    {.file = "no-policy", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_POLICY, .what = "no certificatePolicies"},
    {.file = "policy-not-critical",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = POLICY_PLAIN,
        .what = "certificatePolicies is not critical"},
    {.file = "expired", .ca = CA_SIGN3, .key = K_LEAF1, .from_days = -700, .until_days = -1, .what = "expired"},
    {.file = "not-yet", .ca = CA_SIGN3, .key = K_LEAF1, .from_days = 2, .what = "not yet valid"},
    {.file = "anchor-expired", .ca = CA_SIGN1, .key = K_LEAF1, .from_days = -400, .what = "its CA has expired"},
    {.file = "critical-unknown",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = CRITICAL_UNKNOWN,
        .what = "unknown critical extension"},
    {.file = "foreign-key",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = SIGNED_BY_STRANGER,
        .what = "the anchor's DN and key id, signed by a foreign key"},
    {.file = "self-signed", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SELF_SIGNED, .what = "signed by its own key"},
    {.file = "self-issued", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SELF_ISSUED, .what = "its subject is its issuer"},
    {.file = "signature-broken",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BROKEN_SIGNATURE,
        .what = "one bit of the signature flipped"},
    {.file = "sha1", .ca = CA_SIGN3, .key = K_LEAF1, .odd = SHA1, .what = "sha1WithRSAEncryption"},
    {.file = "exponent-3", .ca = CA_SIGN3, .key = K_E3, .what = "e is not 65537"},
    {.file = "rsa-1024", .ca = CA_SIGN3, .key = K_1024, .what = "1024-bit modulus"},
    {.file = "rsa-3072", .ca = CA_SIGN3, .key = K_3072, .what = "3072-bit modulus"},
    {.file = "p256", .ca = CA_SIGN3, .key = K_P256, .what = "not an RSA key"},
    {.file = "no-nonrepudiation",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = NO_NONREPUDIATION,
        .what = "keyUsage without nonRepudiation"},
    {.file = "no-key-usage", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_USAGE, .what = "no keyUsage"},
    {.file = "key-usage-twice", .ca = CA_SIGN3, .key = K_LEAF1, .odd = USAGE_TWICE, .what = "keyUsage stands twice"},
    {.file = "key-usage-certsign",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = USAGE_CERTSIGN,
        .what = "keyUsage has keyCertSign"},
    {.file = "ca-true", .ca = CA_SIGN3, .key = K_LEAF1, .odd = CA_TRUE, .what = "basicConstraints CA:TRUE"},
    {.file = "no-san", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_SAN, .what = "no subjectAltName"},
    {.file = "no-name", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_NAME, .what = "no name otherName"},
    {.file = "name-control",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = CONTROL_IN_NAME,
        .what = "a line feed and a right-to-left override in the name"},
    {.file = "birth-twice",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BIRTH_TWICE,
        .what = "birth-date otherName stands twice"},
    {.file = "birth-bad", .ca = CA_SIGN3, .key = K_LEAF1, .birth = "319801331", .what = "birth date has a month 13"},
    {.file = "birth-short",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .birth = "19800115",
        .what = "birth date without its era digit"},
    {.file = "sex-bad", .ca = CA_SIGN3, .key = K_LEAF1, .sex = "9", .what = "sex is none of 1, 2, 3"},
    {.file = "flags-short", .ca = CA_SIGN3, .key = K_LEAF1, .odd = FLAGS_SHORT, .what = "name flags one short"},
    {.file = "flags-digit",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = FLAG_DIGIT_2,
        .what = "a name flag is neither 0 nor 1"},
    {.file = "flags-missing", .ca = CA_SIGN3, .key = K_LEAF1, .odd = NO_FLAGS_AT_ALL, .what = "no flags otherNames"},
    {.file = "address-flags-short",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = ADDRESS_FLAGS_SHORT,
        .what = "address flags one short"},
    {.file = "address-200", .ca = CA_SIGN3, .key = K_LEAF1, .address = "200"},
    {.file = "address-201", .ca = CA_SIGN3, .key = K_LEAF1, .address = "201", .what = "address of 201 characters"},
    {.file = "trailing", .ca = CA_SIGN3, .key = K_LEAF1, .odd = TRAILING, .what = "one byte after the certificate"},
    {.file = "ber-length",
        .ca = CA_SIGN3,
        .key = K_LEAF1,
        .odd = BER_LENGTH,
        .what = "outermost length not minimal: BER"},
};

static const struct person *
person_find(const char *card)
{
	for (size_t i = 0; i < COUNT(people); i++)
		if (strcmp(people[i].card, card) == 0)
			return &people[i];
	return NULL;
}

struct person
person_first(void)
{
	return people[0];
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((uint8_t)*s & 0xC0) != 0x80;
	return n;
}

/* The flags as given, or one 0 for each character. */
static void
flags_fill(char *out, size_t max, const char *flags, const char *of)
{
	size_t n = characters(of);

	need(n < max, "text too long");
	if (flags != NULL) {
		snprintf(out, max, "%s", flags);
		return;
	}
	memset(out, '0', n);
	out[n] = '\0';
}

/* otherName [0] { OID, [0] EXPLICIT UTF8String }; nn is the last arc below 1.2.392.200149.8.5.5. */
static struct buf
other(int nn, const char *value)
{
	char dotted[64];

	snprintf(dotted, sizeof dotted, "1.2.392.200149.8.5.5.%d", nn);
	return tlv(0xA0, join(oid(dotted), tlv(0xA0, text(0x0C, value))));
}

static struct buf
san(const struct person *p, uint64_t odd)
{
	struct buf b = BUF(DER_MAX);
	char nf[512], af[512], name[1024];

	snprintf(name, sizeof name, "%s%s", p->name, odd & CONTROL_IN_NAME ? "\n\u202E" : "");
	flags_fill(nf, sizeof nf, p->flags, name);
	flags_fill(af, sizeof af, p->address_flags, p->address);
	if (odd & FLAGS_SHORT)
		nf[strlen(nf) - 1] = '\0';
	if (odd & ADDRESS_FLAGS_SHORT)
		af[strlen(af) - 1] = '\0';
	if (odd & FLAG_DIGIT_2)
		nf[0] = '2';
	if (!(odd & NO_NAME))
		b = join(b, other(1, name));
	b = join(b, other(4, p->birth));
	if (odd & BIRTH_TWICE)
		b = join(b, other(4, p->birth));
	b = join(b, other(3, p->sex));
	b = join(b, other(5, p->address));
	if (!(odd & NO_FLAGS_AT_ALL)) {
		b = join(b, other(2, nf));
		b = join(b, other(6, af));
	}
	if (odd & EXTRA_OTHERNAME)
		b = join(b, other(7, "タカハシ　サブロウ"));
	return tlv(0x30, b);
}

/* CertificatePolicies with one policy and a CPS qualifier. */
static struct buf
policies(const char *policy)
{
	struct buf cps = join(oid("1.3.6.1.5.5.7.2.1"), text(0x16, "http://www.jpki.go.jp/cps.html"));

	return tlv(0x30, tlv(0x30, join(oid(policy), tlv(0x30, tlv(0x30, cps)))));
}

static void
key_usage(X509 *x, uint64_t odd)
{
	static const uint8_t both[] = {0x03, 0x02, 0x06, 0xC0}, one[] = {0x03, 0x02, 0x07, 0x80},
	                     certsign[] = {0x03, 0x02, 0x02, 0xC4};
	const uint8_t *u = odd & (AUTH_PROFILE | NO_NONREPUDIATION) ? one : odd & USAGE_CERTSIGN ? certsign : both;

	if (odd & NO_USAGE)
		return;
	ext(x, "2.5.29.15", 1, raw(u, 4));
	if (odd & USAGE_TWICE)
		ext(x, "2.5.29.15", 1, raw(u, 4));
}

static void
extensions(X509 *x, const struct leaf *l, const struct person *p)
{
	static const uint8_t is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xFF}, null[] = {0x05, 0x00};
	const char *own = w.production ? POLICY_PRODUCTION : POLICY_TEST, *policy = l->policy == NULL ? own : l->policy;
	bool auth = l->odd & AUTH_PROFILE;
	X509_NAME *dp = X509_NAME_new();

	if (strcmp(policy, "other") == 0)
		policy = w.production ? POLICY_TEST : POLICY_PRODUCTION;
	key_usage(x, l->odd);
	if (!auth && !(l->odd & NO_SAN))
		ext(x, "2.5.29.17", 0, san(p, l->odd));
	if (!(l->odd & NO_POLICY))
		ext(x, "2.5.29.32", !(l->odd & POLICY_PLAIN), policies(auth ? POLICY_AUTH : policy));
	ext(x, "2.5.29.18", 0, directory(0x30, name_service()));
	rdn(dp, "C", "JP");
	rdn(dp, "O", org());
	rdn(dp, "OU", ca_table[l->ca].unit);
	rdn(dp, "OU", "CRL Distribution Points");
	rdn(dp, "OU", "Tsubaki-ken");
	rdn(dp, "CN", "Wakaba-shi CRLDP");
	ext(x, "2.5.29.31", 0, crldp(dp));
	ext(x, "1.3.6.1.5.5.7.1.1", 0, tlv(0x30, tlv(0x30, join(oid("1.3.6.1.5.5.7.48.1"), text(0x86, w.ocsp)))));
	if (l->odd & CA_TRUE)
		ext(x, "2.5.29.19", 1, raw(is_ca, sizeof is_ca));
	if (l->odd & CRITICAL_UNKNOWN)
		ext(x, "1.3.6.1.4.1.99999.2", 1, raw(null, sizeof null));
	aki(x, w.ca[l->ca]);
	ski(x);
}

/* CN: request time and five digits (or 14 characters for user-auth), then nine of the window's id. */
static void
subject(X509 *x, const struct leaf *l, int64_t from)
{
	X509_NAME *n = X509_NAME_new();
	struct tm tm = utc(from + 9 * 3600);
	char cn[64], stamp[32];

	strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &tm);
	rdn(n, "C", "JP");
	if (l->odd & AUTH_PROFILE) {
		snprintf(cn, sizeof cn, "%014X99999001A", w.next_serial);
	} else {
		snprintf(cn, sizeof cn, "%s%05u99999001A", stamp, w.next_serial % 100000);
		rdn(n, "L", "Tsubaki-ken");
		rdn(n, "L", "Wakaba-shi");
	}
	rdn(n, "CN", cn);
	need(X509_set_subject_name(x, n) == 1, "subject");
	X509_NAME_free(n);
}

/* Damage that OpenSSL would not write by itself. */
static struct buf
damage(struct buf der, uint64_t odd)
{
	struct buf b = BUF(DER_MAX);

	if (odd & BROKEN_SIGNATURE)
		der.p[der.n - 17] ^= 0x10;
	if (odd & TRAILING)
		buf_put_u8(&der, 0x00);
	if (!(odd & BER_LENGTH))
		return der;
	buf_put(&b, slice_of((const uint8_t[]){0x30, 0x83, 0x00}, 3)); /* 30 82 hh ll becomes 30 83 00 hh ll */
	buf_put(&b, slice_of(der.p + 2, der.n - 2));
	buf_drop(&der);
	return b;
}

void
leaf_make(const struct leaf *l, const struct person *p)
{
	int64_t from = w.at + (l->from_days == 0 ? -200 : l->from_days) * DAY;
	int64_t until = l->until_days == 0 ? fifth_birthday(from, p->birth) : day_end(w.at + l->until_days * DAY);
	enum key_id signer = l->odd & SIGNED_BY_STRANGER ? K_FOREIGN : l->odd & SELF_SIGNED ? l->key : ca_table[l->ca].key;
	X509 *x = X509_new();
	struct buf der OWNED(buf_drop) = BUF(DER_MAX);

	need(x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, key(l->key)) == 1, "leaf");
	subject(x, l, from);
	serial_next(x);
	if (l->odd & SELF_ISSUED)
		need(X509_set_subject_name(x, X509_get_subject_name(w.ca[l->ca])) == 1, "subject");
	need(X509_set_issuer_name(x, X509_get_subject_name(w.ca[l->ca])) == 1, "issuer");
	validity(x, from, until);
	extensions(x, l, p);
	need(X509_sign(x, key(signer), l->odd & SHA1 ? EVP_sha1() : EVP_sha256()) > 0, "sign leaf");
	der = damage(x509_der(x), l->odd);
	write_file(path(w.dir, l->file, ".cer"), buf_slice(&der));
	if (l->key != K_MANY)
		key_store(path(w.dir, l->file, ".key"), key(l->key));
	if (!(l->odd & NO_INDEX))
		index_add(l->ca, x, until, l->odd & REVOKED);
	fprintf(w.list, "%s\t%s\t%s\t%s\t%s\n", l->file, ca_table[l->ca].name, serial_hex(x),
	    l->odd & REVOKED  ? "revoked"
	    : l->what != NULL ? "bad"
	                      : "good",
	    l->what != NULL ? l->what : "");
	X509_free(x);
}

void
person_write(const struct person *p)
{
	char nf[512], af[512];

	flags_fill(nf, sizeof nf, p->flags, p->name);
	flags_fill(af, sizeof af, p->address_flags, p->address);
	fprintf(w.persons, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p->card, p->name, nf, p->truth ? p->truth : p->name,
	    p->birth, p->sex, p->address, af, p->address_truth ? p->address_truth : p->address);
}

void
leaves_make(void)
{
	char address[201 * 3 + 1] = "", file[64];

	for (size_t i = 0; i < 201; i++)
		memcpy(address + 3 * i, "町", 3);
	for (size_t i = 0; i < COUNT(leaves); i++) {
		const struct leaf *l = &leaves[i];
		const struct person *who = person_find(l->file);
		struct person p = who != NULL ? *who : people[0];

		p.birth = l->birth != NULL ? l->birth : p.birth;
		p.sex = l->sex != NULL ? l->sex : p.sex;
		if (l->address != NULL) {
			address[3 * (strcmp(l->address, "200") == 0 ? 200 : 201)] = '\0';
			p.address = address;
		}
		leaf_make(l, &p);
		memcpy(address + 600, "町", 3);
	}
	for (size_t i = 0; i < COUNT(people); i++) {
		struct leaf l = {
		    .file = file, .ca = CA_AUTH, .key = K_AUTH, .odd = AUTH_PROFILE, .what = "user-auth certificate"};

		snprintf(file, sizeof file, "%s-auth", people[i].card);
		leaf_make(&l, &people[i]);
		person_write(&people[i]);
	}
}

/* N persons with one key pair; the given name counts in kanji digits. */
void
many_make(unsigned long count)
{
	static const char *const family[] = {"佐々木", "山口", "松本", "井上", "木村", "林", "清水", "山崎", "森", "池田"};
	static const char *const digit[] = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
	char name[128], given[64], address[256], birth[16], file[64];

	if (count > 0)
		key_store(path(w.dir, "many", ".key"), key(K_MANY));
	for (unsigned long i = 0; i < count; i++) {
		struct person p = {.card = file, .name = name, .birth = birth, .sex = i % 2 ? "2" : "1", .address = address};
		struct leaf l = {.file = file, .ca = CA_SIGN3, .key = K_MANY};
		size_t n = 0;

		for (unsigned long div = 10000; div > 0; div /= 10)
			n += (size_t)snprintf(given + n, sizeof given - n, "%s", digit[i / div % 10]);
		snprintf(file, sizeof file, "many-%05lu", i);
		snprintf(name, sizeof name, "%s　%s", family[i % COUNT(family)], given);
		snprintf(address, sizeof address, "椿県若葉市大字千町%lu番地", i + 1);
		snprintf(birth, sizeof birth, "3%lu%02lu%02lu", 1950 + i % 38, 1 + i % 12, 1 + i % 28);
		leaf_make(&l, &p);
		person_write(&p);
	}
}
