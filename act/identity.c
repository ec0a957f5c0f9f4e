#include "act/identity.h"
#include "base/der.h"
#include "base/text.h"
#include "pki/ocsp.h"

/* ---- the leaf -------------------------------------------------------------------------------------------------------- */

#define LEAF_RSA_BITS 2048 /* domain 2.2, JPKI Rule 2 */

static bool
is_known_smartphone(const struct trust *t, slice policy)
{
	enum jpki_policy p = jpki_policy_of(policy);

	for (size_t i = 0; t != NULL && i < t->n_anchors; i++) {
		slice s = buf_slice(&t->anchor[i].smartphone_policy);

		if (s.n > 0 && slice_eq(s, policy))
			return true;
	}
	return p == JPKI_POLICY_SMARTPHONE || p == JPKI_POLICY_TEST_SMARTPHONE;
}

/* What the leaf is meant for, by its policies and its use.  t NULL: what J-LIS is known to write. */
static err
check_use(const struct trust *t, const struct cert *c)
{
	for (size_t i = 0; i < c->n_policies; i++) {
		if (jpki_policy_of(c->policy[i]) == JPKI_POLICY_AUTH)
			return fail(ERR_POLICY,
			    "jpki-auth-certificate: Rule 5(1)(ii): a user-authentication certificate says nothing of intent");
		if (is_known_smartphone(t, c->policy[i]))
			return fail(ERR_POLICY, "jpki-smartphone: Rule 5(1)(iii): smartphone certificates are not taken yet");
	}
	if (!c->key_usage_critical || c->key_usage != (USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION))
		return fail(
		    ERR_POLICY, "jpki-key-usage: domain 2.2: the certificate is not for digitalSignature and nonRepudiation");
	if (c->unknown_critical)
		return fail(ERR_POLICY, "jpki-critical: RFC 5280 4.2: a critical extension we do not know");
	if (!c->policies_critical || c->n_policies != 1)
		return fail(ERR_POLICY, "jpki-policy: domain 2.2: the certificate policy is not one this house takes");
	return ok;
}

static err
check_leaf(const struct trust *t, const struct cert *c)
{
	if (c->is_ca)
		return fail(ERR_POLICY, "jpki-ca-leaf: domain 2.8: the signer's certificate is a CA's");
	if (cert_is_self_issued(c))
		return fail(ERR_POLICY, "jpki-self-issued: domain 2.8: the signer's certificate names itself as its issuer");
	if (c->alg != SIG_RSA_SHA256)
		return fail(
		    ERR_POLICY, "jpki-algorithm: domain 2.2: the certificate is not signed with sha256WithRSAEncryption");
	return check_use(t, c);
}

static err
get_leaf_key(const struct cert *c, struct key **out)
{
	struct key *k OWNED(key_drop) = NULL;

	if (key_get_spki(c->spki, &k).kind != OK || key_kind(k) != KEY_RSA || key_bits(k) != LEAF_RSA_BITS)
		return fail(ERR_POLICY, "jpki-key: JPKI Rule 2: the card's key is not RSA of 2048 bits with exponent 65537");
	*out = k;
	k = NULL;
	return ok;
}

/* The policy is one of the pinned anchors', and does not give away another hierarchy. */
static err
check_policy(const struct trust *t, const struct cert *c)
{
	enum jpki_policy known = jpki_policy_of(c->policy[0]);

	if (known == (t->hierarchy == HIERARCHY_TEST ? JPKI_POLICY_SIGNATURE : JPKI_POLICY_TEST_SIGNATURE))
		return fail(
		    ERR_POLICY, "jpki-hierarchy: domain 2.4: the certificate belongs to another hierarchy than this house");
	for (size_t i = 0; i < t->n_anchors; i++)
		if (slice_eq(buf_slice(&t->anchor[i].policy), c->policy[0]))
			return ok;
	return fail(ERR_POLICY, "jpki-policy: domain 2.2: the certificate policy is not one this house takes");
}

/* ---- the four attributes --------------------------------------------------------------------------------------------- */

/* 1.2.392.200149.8.5.5.n */
static const uint8_t PERSONAL_ARC[] = {0x2A, 0x83, 0x08, 0x8C, 0x9B, 0x55, 0x08, 0x05, 0x05};

enum { ATTR_NAME = 1, ATTR_NAME_FLAGS, ATTR_SEX, ATTR_BIRTH, ATTR_ADDRESS, ATTR_ADDRESS_FLAGS, ATTR_COUNT };

#define ADDRESS_CHARACTERS_MAX 200 /* domain 2.3 */

static err
attributes_refused(void)
{
	return fail(ERR_POLICY,
	    "jpki-attributes: domain 2.3: name, birth date, sex and address do not each stand once, as they should");
}

static err
flags_refused(void)
{
	return fail(
	    ERR_POLICY, "jpki-flags: domain 2.3: the substitute flags are not one digit of 0 or 1 for each character");
}

/*
 * SubjectAltName ::= SEQUENCE OF GeneralName
 * GeneralName    ::= CHOICE { otherName [0] IMPLICIT SEQUENCE { type OBJECT IDENTIFIER, value [0] EXPLICIT ANY }, … }
 *
 * Six types of the personal arc hold one UTF8String each; other types and other
 * kinds of name are passed over, since more are announced (furigana).
 */
static err
get_attribute(slice in, slice v[ATTR_COUNT])
{
	slice oid, value, text;
	uint8_t which;

	TRY(der_get_oid(&in, &oid));
	TRY(der_get(&in, DER_CTXC(0), &value));
	TRY(der_end(in));
	if (oid.n != sizeof PERSONAL_ARC + 1 || !slice_has_prefix(oid, ARR(PERSONAL_ARC)))
		return ok;
	which = oid.p[sizeof PERSONAL_ARC];
	if (which == 0 || which >= ATTR_COUNT)
		return ok;
	if (der_get(&value, DER_UTF8, &text).kind != OK || value.n > 0 || text.n == 0 || v[which].n > 0 ||
	    text_check_line(text).kind != OK)
		return attributes_refused();
	v[which] = text;
	return ok;
}

static int
digits(slice s, size_t at, size_t n)
{
	int v = 0;

	for (size_t i = at; i < at + n; i++)
		v = v * 10 + (s.p[i] - '0');
	return v;
}

/* EYYYYMMDD: an era 0 to 5, then the Gregorian date, zeros where unknown. */
static bool
get_birth(slice s, int *year, int *month, int *day)
{
	struct buf b OWNED(buf_drop) = BUF(16);

	if (s.n != 9 || s.p[0] > '5')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	birth_put(&b, digits(s, 1, 4), digits(s, 5, 2), digits(s, 7, 2));
	return birth_get(buf_slice(&b), year, month, day).kind == OK;
}

static bool
flags_fit(slice flags, slice text)
{
	for (size_t i = 0; i < flags.n; i++)
		if (flags.p[i] != '0' && flags.p[i] != '1')
			return false;
	return flags.n > 0 && flags.n == text_count(text);
}

static err
get_person(const struct cert *c, struct jpki_person *out)
{
	slice v[ATTR_COUNT] = {{NULL, 0}}, names = c->san, name;
	int y, m, d;

	while (names.n > 0) {
		if (der_next_is(names, DER_CTXC(0))) {
			if (der_get(&names, DER_CTXC(0), &name).kind != OK)
				return attributes_refused();
			err e = get_attribute(name, v);
			if (e.kind != OK)
				return attributes_refused();
		} else if (der_get_any(&names, NULL, NULL, NULL).kind != OK) {
			return attributes_refused();
		}
	}
	if (v[ATTR_NAME].n == 0 || v[ATTR_ADDRESS].n == 0 || text_count(v[ATTR_ADDRESS]) > ADDRESS_CHARACTERS_MAX ||
	    v[ATTR_SEX].n != 1 || v[ATTR_SEX].p[0] < '1' || v[ATTR_SEX].p[0] > '3' || !get_birth(v[ATTR_BIRTH], &y, &m, &d))
		return attributes_refused();
	if (!flags_fit(v[ATTR_NAME_FLAGS], v[ATTR_NAME]) || !flags_fit(v[ATTR_ADDRESS_FLAGS], v[ATTR_ADDRESS]))
		return flags_refused();
	*out = (struct jpki_person){.name = v[ATTR_NAME],
	    .birth = v[ATTR_BIRTH],
	    .sex = v[ATTR_SEX],
	    .address = v[ATTR_ADDRESS],
	    .name_flags = v[ATTR_NAME_FLAGS],
	    .address_flags = v[ATTR_ADDRESS_FLAGS]};
	return ok;
}

err
jpki_get(slice leaf_der, struct cert *leaf, struct jpki_person *out)
{
	struct key *k OWNED(key_drop) = NULL;
	struct jpki_person p;
	struct cert c;

	TRY(cert_get(leaf_der, &c));
	TRY(check_leaf(NULL, &c));
	TRY(get_leaf_key(&c, &k));
	TRY(get_person(&c, &p));
	*leaf = c;
	*out = p;
	return ok;
}

/* ---- anchors ----------------------------------------------------------------------------------------------------------- */

static err
anchor_refused(void)
{
	return fail(
	    ERR_POLICY, "jpki-anchor: domain 2.4: no pinned J-LIS certificate of this name signed the card's certificate");
}

/* Anchors of this DN: those with the key identifier first, so that a good leaf costs one signature check. */
static bool
is_candidate(const struct trust_anchor *a, slice issuer, slice aki, bool by_key)
{
	return slice_eq(a->cert.subject, issuer) && (aki.n > 0 && slice_eq(aki, a->cert.ski)) == by_key;
}

err
identity_anchor_hint(const struct trust *t, const struct cert *leaf, size_t *anchor)
{
	for (int by_key = 1; by_key >= 0; by_key--)
		for (size_t i = t->n_anchors; i > 0; i--)
			if (is_candidate(&t->anchor[i - 1], leaf->issuer, leaf->aki, by_key)) {
				*anchor = i - 1;
				return ok;
			}
	return anchor_refused();
}

static err
find_anchor(const struct trust *t, const struct cert *leaf, size_t *anchor)
{
	for (int by_key = 1; by_key >= 0; by_key--)
		for (size_t i = 0; i < t->n_anchors; i++)
			if (is_candidate(&t->anchor[i], leaf->issuer, leaf->aki, by_key) &&
			    cert_check_signed_by(leaf, t->anchor[i].key).kind == OK) {
				*anchor = i;
				return ok;
			}
	return anchor_refused();
}

err
identity_crl_anchor(const struct trust *t, const struct crl *c, size_t *anchor)
{
	for (size_t i = 0; i < t->n_anchors; i++)
		if (is_candidate(&t->anchor[i], c->issuer, c->aki, true) &&
		    crl_check_signed_by(c, t->anchor[i].key).kind == OK) {
			*anchor = i;
			return ok;
		}
	return fail(ERR_POLICY, "jpki-crl-anchor: RFC 5280 6.3.3: no pinned J-LIS certificate of this name signed the CRL");
}

/* ---- status ---------------------------------------------------------------------------------------------------------- */

/* FAILED or UNCHECKED with its reason; VERIFIED when the status is good. */
static enum verdict
verdict_of(err e, enum verdict v, struct identity *id)
{
	id->why = e;
	return v;
}

static enum verdict
check_by_crl(const struct trust *t, const struct status_evidence *s, instant now, struct identity *id)
{
	if (s->crl == NULL)
		return verdict_of(
		    fail(ERR_BUSY, "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"),
		    VERDICT_UNCHECKED, id);
	if (crl_table_aki(s->crl).n == 0 || !slice_eq(crl_table_aki(s->crl), t->anchor[id->anchor].cert.ski))
		return verdict_of(
		    fail(ERR_BUSY, "jpki-crl-other: RFC 5280 6.3.3: the CRL is not of the CA that issued the certificate"),
		    VERDICT_UNCHECKED, id);
	id->status_this_update = crl_table_this_update(s->crl);
	id->status_next_update = crl_table_next_update(s->crl);
	id->status_digest = crl_table_digest(s->crl);
	if (id->status_this_update.ms > now.ms + STATUS_SKEW_MS || now.ms >= id->status_next_update.ms ||
	    now.ms - id->status_this_update.ms > (int64_t)t->max_age_s * SECOND_MS)
		return verdict_of(fail(ERR_BUSY, "jpki-stale: JPKI Act 19(1): the CRL is not of the time it is asked for"),
		    VERDICT_UNCHECKED, id);
	if (crl_table_has(s->crl, id->leaf.serial))
		return verdict_of(
		    fail(ERR_POLICY, "jpki-revoked: JPKI Act 19(1): the card's certificate is revoked"), VERDICT_FAILED, id);
	return VERDICT_VERIFIED;
}

static enum verdict
check_by_ocsp(const struct trust *t, const struct status_evidence *s, instant now, struct identity *id)
{
	struct chain_status st;
	err e;

	if (s->ocsp_answer.n == 0)
		return verdict_of(
		    fail(ERR_BUSY, "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"),
		    VERDICT_UNCHECKED, id);
	e = chain_check_ocsp(&id->leaf, &t->anchor[id->anchor].cert, s->ocsp_answer, s->ocsp_nonce, now, t->max_age_s, &st);
	if (e.kind != OK)
		return verdict_of(e, VERDICT_UNCHECKED, id);
	id->status_this_update = st.this_update;
	id->status_next_update = st.next_update;
	id->status_digest = sha256(s->ocsp_answer);
	if (st.status == OCSP_REVOKED)
		return verdict_of(
		    fail(ERR_POLICY, "jpki-revoked: JPKI Act 19(1): the card's certificate is revoked"), VERDICT_FAILED, id);
	if (st.status != OCSP_GOOD)
		return verdict_of(fail(ERR_BUSY, "jpki-unknown: RFC 6960 2.2: J-LIS does not know the card's certificate"),
		    VERDICT_UNCHECKED, id);
	return VERDICT_VERIFIED;
}

static enum verdict
check_status(const struct trust *t, const struct status_evidence *s, instant now, struct identity *id)
{
	id->method = s->method;
	switch (s->method) {
	case STATUS_CRL:
		return check_by_crl(t, s, now, id);
	case STATUS_OCSP:
		return check_by_ocsp(t, s, now, id);
	case STATUS_NONE:
		break;
	}
	return verdict_of(
	    fail(ERR_BUSY, "jpki-unchecked: JPKI Act 19(1): whether the certificate is revoked could not be checked"),
	    VERDICT_UNCHECKED, id);
}

/* ---- judging --------------------------------------------------------------------------------------------------------- */

static err
check_times(const struct trust *t, instant now, const struct identity *id)
{
	if (now.ms < id->leaf.not_before.ms)
		return fail(ERR_POLICY, "jpki-not-yet-valid: RFC 5280 6.1.3: the card's certificate is not valid yet");
	if (!cert_is_valid_at(&id->leaf, now))
		return fail(ERR_POLICY, "jpki-expired: RFC 5280 6.1.3: the card's certificate has expired");
	if (!cert_is_valid_at(&t->anchor[id->anchor].cert, now))
		return fail(
		    ERR_POLICY, "jpki-anchor-expired: RFC 5280 6.1.3: the J-LIS certificate above the card's is not valid now");
	return ok;
}

/* Everything but the status: one and the same leaf for all steps. */
static err
check_chain(const struct trust *t, const struct cms *c, instant now, struct identity *id)
{
	struct key *k OWNED(key_drop) = NULL;

	if (c->certificate.n == 0)
		return fail(ERR_POLICY, "jpki-no-certificate: domain 2.8: the document does not carry the card's certificate");
	TRY(cert_get(c->certificate, &id->leaf));
	id->leaf_digest = cert_digest(&id->leaf);
	TRY(check_leaf(t, &id->leaf));
	TRY(check_policy(t, &id->leaf));
	TRY(get_leaf_key(&id->leaf, &k));
	TRY(find_anchor(t, &id->leaf, &id->anchor));
	if (!slice_eq(buf_slice(&t->anchor[id->anchor].policy), id->leaf.policy[0]))
		return fail(ERR_POLICY, "jpki-policy: domain 2.2: the certificate policy is not one this house takes");
	if (cms_check(c, k).kind != OK)
		return fail(ERR_POLICY, "jpki-signature: JPKI Act 19(1): the document was not signed with the card's key");
	id->chained = true;
	TRY(check_times(t, now, id));
	return get_person(&id->leaf, &id->person);
}

void
identity_check_signer(
    const struct trust *t, const struct cms *c, const struct status_evidence *s, instant now, struct identity *out)
{
	struct identity id = {.why = ok};
	err e = check_chain(t, c, now, &id);

	if (e.kind != OK)
		id.verdict = verdict_of(e, VERDICT_FAILED, &id);
	else
		id.verdict = check_status(t, s, now, &id);
	*out = id;
}

static err
mismatch_why(unsigned mismatch)
{
	if (mismatch & MISMATCH_NAME)
		return fail(ERR_POLICY,
		    "jpki-name: Rule 5(1): the name is not the card's, or stands where the card has a substitute character");
	if (mismatch & MISMATCH_BIRTH)
		return fail(ERR_POLICY, "jpki-birth: Rule 5(1): the birth date is not the card's");
	if (mismatch & MISMATCH_SEX)
		return fail(ERR_POLICY, "jpki-sex: Rule 5(1): the sex is not the card's");
	return fail(ERR_POLICY,
	    "jpki-address: Rule 5(1): the address is not the card's, or stands where the card has a substitute character");
}

void
identity_check(const struct trust *t, const struct application *a, const struct status_evidence *s, instant now,
    struct identity *out)
{
	identity_check_signer(t, &a->cms, s, now, out);
	if (out->verdict != VERDICT_VERIFIED)
		return;
	out->mismatch = identity_compare(&out->person, a);
	if (out->mismatch != 0)
		out->verdict = verdict_of(mismatch_why(out->mismatch), VERDICT_MISMATCH, out);
}

err
identity_put_ocsp_request(struct buf *b, const struct trust *t, const struct cert *leaf, slice nonce)
{
	struct ocsp_issuer issuer;
	struct ocsp_certid id = {.alg = HASH_SHA1, .serial = leaf->serial};
	size_t anchor;

	TRY(identity_anchor_hint(t, leaf, &anchor));
	ocsp_issuer_of(&t->anchor[anchor].cert, &issuer);
	id.name_hash = ARR(issuer.name1);
	id.key_hash = ARR(issuer.key1);
	ocsp_request_put(b, &id, nonce);
	return ok;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------- */

/*
 * Only for comparing, never for a certificate.  A text becomes its code points in NFKC; then
 *   a name     has each run of blanks as one blank
 *   an address loses blanks (one stays between two digits), kanji digits before 丁目 become digits, hyphens of all
 *              kinds and long vowel marks between digits become '-', 丁目 番地 番 号 after a digit become '-', and a '-'
 *              that no digit follows goes away.
 */
#define CODES_MAX (4 * NAME_CHARACTERS_MAX) /* NFKC can make one character into several: ㌔ is three, ﷺ eighteen */

struct codes {
	size_t n;
	uint32_t c[CODES_MAX];
};

static bool
is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_dash(uint32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30FC || c == 0x2500 || c == 0x02D7 ||
	       c == 0x2043 || c == 0xFE63 || c == 0x2501;
}

/* False when it does not fit: then it compares as different, and a person looks. */
static bool
get_codes(slice s, struct codes *out)
{
	struct buf b OWNED(buf_drop) = BUF(4 * CODES_MAX);
	uint32_t c;

	out->n = 0;
	if (text_put_nfkc(&b, s).kind != OK)
		return false;
	for (s = buf_slice(&b); text_next(&s, &c);) {
		if (out->n == CODES_MAX)
			return false;
		out->c[out->n++] = c;
	}
	return s.n == 0;
}

static uint32_t
at(const struct codes *v, size_t i)
{
	return i < v->n ? v->c[i] : 0;
}

static void
one_blank(struct codes *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->c[i] != ' ' || n == 0 || v->c[n - 1] != ' ')
			v->c[n++] = v->c[i];
	v->n = n;
}

static void
blanks_between_digits_only(struct codes *v)
{
	size_t n = 0;

	one_blank(v);
	for (size_t i = 0; i < v->n; i++)
		if (v->c[i] != ' ' || (n > 0 && is_digit(v->c[n - 1]) && is_digit(at(v, i + 1))))
			v->c[n++] = v->c[i];
	v->n = n;
}

static int
kanji_digit(uint32_t c)
{
	static const uint32_t digit[] = {0x3007, 0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94, 0x516D, 0x4E03, 0x516B, 0x4E5D,
	    0x5341}; /* 〇一二三四五六七八九十 */

	for (size_t i = 0; i < COUNT(digit); i++)
		if (digit[i] == c)
			return (int)i;
	return -1;
}

static bool
is_chome(const struct codes *v, size_t i)
{
	return at(v, i) == 0x4E01 && at(v, i + 1) == 0x76EE; /* 丁目 */
}

/* 一 to 九十九 as a number; 0 for anything else (千 does not occur, 〇 is no chome). */
static int
kanji_number(const uint32_t *c, size_t n)
{
	int tens = 0, ones = 0;
	size_t i = 0;

	if (n > 0 && n <= 3 && kanji_digit(c[i]) != 10)
		ones = kanji_digit(c[i++]);
	if (i < n && kanji_digit(c[i]) == 10) {
		tens = ones == 0 ? 1 : ones;
		ones = 0;
		i++;
		if (i < n && kanji_digit(c[i]) != 10)
			ones = kanji_digit(c[i++]);
	}
	return i == n ? tens * 10 + ones : 0;
}

/* False when it no longer fits: 十丁目 is one character shorter than 10丁目. */
static bool
chome_to_digits(struct codes *v)
{
	struct codes w = {.n = 0};

	for (size_t i = 0; i < v->n;) {
		size_t k = i;
		int number = 0;

		while (kanji_digit(at(v, k)) >= 0)
			k++;
		if (k > i && is_chome(v, k))
			number = kanji_number(v->c + i, k - i);
		if (w.n + (number > 9 ? 2 : 1) > CODES_MAX)
			return false;
		if (number > 9)
			w.c[w.n++] = (uint32_t)('0' + number / 10);
		if (number > 0) {
			w.c[w.n++] = (uint32_t)('0' + number % 10);
			i = k;
		} else {
			w.c[w.n++] = v->c[i++];
		}
	}
	*v = w;
	return true;
}

/* How many characters at i are a word that stands for a hyphen after a digit. */
static size_t
word_at(const struct codes *v, size_t i)
{
	if (is_chome(v, i))
		return 2;
	if (at(v, i) == 0x756A && at(v, i + 1) == 0x5730) /* 番地 */
		return 2;
	if (at(v, i) == 0x756A && (is_digit(at(v, i + 1)) || i + 1 == v->n)) /* 番, but not 番町 */
		return 1;
	if (at(v, i) == 0x53F7) /* 号 */
		return 1;
	return is_dash(at(v, i)) && is_digit(at(v, i + 1)) ? 1 : 0;
}

static void
words_to_hyphens(struct codes *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n;) {
		size_t word = n > 0 && is_digit(v->c[n - 1]) ? word_at(v, i) : 0;

		if (word == 0) {
			v->c[n++] = v->c[i++];
			continue;
		}
		i += word;
		if (is_digit(at(v, i)))
			v->c[n++] = '-';
	}
	v->n = n;
}

static bool
normalise(slice s, bool address, struct codes *out)
{
	if (!get_codes(s, out))
		return false;
	if (address) {
		blanks_between_digits_only(out);
		if (!chome_to_digits(out))
			return false;
		words_to_hyphens(out);
	} else {
		one_blank(out);
	}
	return true;
}

static bool
same_normalised(slice a, slice b, bool address)
{
	struct codes x, y;

	if (slice_eq(a, b))
		return true;
	return normalise(a, address, &x) && normalise(b, address, &y) && x.n == y.n &&
	       memcmp(x.c, y.c, x.n * sizeof x.c[0]) == 0;
}

/*
 * Flags count the card's own code points, so they are applied before anything is
 * normalised: the card's text is cut at its flagged characters; the
 * application's must have those very characters at its cuts, and equal parts
 * between them.
 */
static bool
same_text(slice card, slice flags, slice text, bool address)
{
	slice part = card, rest = card, tail = text;
	uint32_t c;

	assert(flags.n == text_count(card)); /* get_person saw to it */
	part.n = 0;
	for (size_t i = 0; text_next(&rest, &c); i++) {
		slice before = {tail.p, 0}, after = tail;
		uint32_t d;
		bool found = false;

		if (flags.p[i] != '1') {
			part.n = (size_t)(rest.p - part.p);
			continue;
		}
		while (!found && text_next(&after, &d)) {
			found = d == c && same_normalised(part, before, address);
			if (!found)
				before.n = (size_t)(after.p - before.p);
		}
		if (!found)
			return false;
		tail = after;
		part = (slice){rest.p, 0};
	}
	return same_normalised(part, tail, address);
}

unsigned
identity_compare(const struct jpki_person *p, const struct application *a)
{
	unsigned mismatch = 0;
	int y = 0, m = 0, d = 0;

	if (!same_text(p->name, p->name_flags, a->name, false))
		mismatch |= MISMATCH_NAME;
	if (!get_birth(p->birth, &y, &m, &d) || y != a->birth_year || m != a->birth_month || d != a->birth_day)
		mismatch |= MISMATCH_BIRTH;
	if (p->sex.n != 1 || p->sex.p[0] - '0' != (int)a->sex)
		mismatch |= MISMATCH_SEX;
	if (!same_text(p->address, p->address_flags, a->address, true))
		mismatch |= MISMATCH_ADDRESS;
	return mismatch;
}
