/* LINK: test/jpki/make.c test/system/parts/http.c */
/*
 * badinput - everything a stranger may send instead of an application, to a house that runs: the right status and code, and
 *            nothing stored before the chain reached an anchor.
 *
 *	badinput WORLD PORT HOME FIRST         all rows, cards many-FIRST …; prints TAP
 *	badinput WORLD PORT HOME FIRST FILE    writes a good application into FILE, for later
 *
 * HOME/books is only read: how many applications it holds, how many bytes of evidence.
 */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/document.h"
#include "base/der.h"
#include "edge/clock.h"
#include "pki/cms.h"
#include "pki/request.h"
#include "test/system/parts/http.h"

#define LATE_MS 20000
#define BIG (128U << 10)

static const char *world, *home;
static int port;
static unsigned card_number, tests, failures;
static struct terms terms;

/* --- TAP ------------------------------------------------------------------------------------------------------------ */
static void
tap(bool good, const char *name, const char *got, const char *want)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests, name);
	if (!good) {
		printf("# got:  %s\n# want: %s\n", got, want);
		failures++;
	}
}

/* --- what the house holds -------------------------------------------------------------------------------------------- */
/* Bytes of the files below a folder of the books. */
static uint64_t
bytes_in(const char *folder)
{
	char path[1024], file[2048];
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(path, sizeof path, "%s/books/%s", home, folder);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.' && stat(file, &st) == 0)
			sum += (uint64_t)st.st_size;
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

/* Openings come with applications alone; evidence with them and with what J-LIS said. */
struct held {
	uint64_t openings, evidence;
};

static struct held
held(void)
{
	return (struct held){bytes_in("openings"), bytes_in("evidence")};
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */
enum how {
	PLAIN,
	EMPTY,
	NOT_CMS,
	TRAILING,
	INDEFINITE,
	LONG_LENGTH,
	TWO_SIGNERS,
	UNSIGNED_ATTRIBUTES,
	TOO_LONG,
	OVERRIDE,
	ZERO_WIDTH,
	CARRIAGE_RETURN,
	LINE_TWICE,
	BYTE_CHANGED,
	NONCE_UNKNOWN,
	NONCE_OTHER_HOUSE,
	TERMS_OLD,
	EXPLANATION_OLD,
	SERVICE_OTHER,
	KEY_RSA_1024,
	KEY_P192,
	KEY_OF_ANOTHER,
	REQUEST_SIGNATURE,
	REQUEST_CHALLENGE,
};

static const struct row {
	const char *name;
	enum how how;
	const char *card; /* NULL: a good one */
	int status;
	const char *code;
	bool refused; /* 201: an entry was made, and the dossier says why it was refused */
} ROWS[] = {
    {"an empty body", EMPTY, NULL, 400, "der-short", false},
    {"not CMS", NOT_CMS, NULL, 400, "der-type", false},
    {"a byte after the CMS", TRAILING, NULL, 400, "der-trailing", false},
    {"BER: an indefinite length", INDEFINITE, NULL, 400, "der-indefinite", false},
    {"BER: a length not in its shortest form", LONG_LENGTH, NULL, 400, "der-minimal", false},
    {"two signers", TWO_SIGNERS, NULL, 400, "cms-signers", false},
    {"unsigned attributes", UNSIGNED_ATTRIBUTES, NULL, 400, "cms-unsigned", false},
    {"a body over 64 KiB", TOO_LONG, NULL, 413, "body-long", false},
    {"a right-to-left override", OVERRIDE, NULL, 400, "text-hidden", false},
    {"a zero-width space", ZERO_WIDTH, NULL, 400, "text-hidden", false},
    {"a carriage return", CARRIAGE_RETURN, NULL, 400, "text-hidden", false},
    {"a line twice", LINE_TWICE, NULL, 400, "document-line", false},
    {"a byte changed after signing", BYTE_CHANGED, NULL, 403, "cms-message-digest", false},
    {"a challenge of nobody", NONCE_UNKNOWN, NULL, 403, "nonce-unknown", false},
    {"a challenge of another house", NONCE_OTHER_HOUSE, NULL, 403, "nonce-unknown", false},
    {"terms that are not current", TERMS_OLD, NULL, 403, "decision-terms", false},
    {"an explanation that is not current", EXPLANATION_OLD, NULL, 403, "decision-explanation", false},
    {"for another service", SERVICE_OTHER, NULL, 403, "decision-service", false},
    {"a user-auth certificate", PLAIN, "yamada-auth", 403, "jpki-auth-certificate", false},
    {"a user-auth profile under the signature CA", PLAIN, "auth-profile", 403, "jpki-auth-certificate", false},
    {"a smartphone certificate", PLAIN, "phone", 403, "jpki-smartphone", false},
    {"a smartphone's policy", PLAIN, "phone-policy", 403, "jpki-smartphone", false},
    {"a wrong policy", PLAIN, "wrong-policy", 403, "jpki-policy", false},
    {"no policy", PLAIN, "no-policy", 403, "jpki-policy", false},
    {"the other hierarchy", PLAIN, "other-hierarchy", 403, "jpki-hierarchy", false},
    {"an unknown critical extension", PLAIN, "critical-unknown", 403, "jpki-critical", false},
    {"the anchor's name, a foreign key", PLAIN, "foreign-key", 403, "jpki-anchor", false},
    {"signed by itself", PLAIN, "self-signed", 403, "jpki-anchor", false},
    {"a broken signature", PLAIN, "signature-broken", 403, "jpki-anchor", false},
    {"no nonRepudiation", PLAIN, "no-nonrepudiation", 403, "jpki-key-usage", false},
    {"a CA's certificate", PLAIN, "ca-true", 403, "jpki-ca-leaf", false},
    {"a card key of 1024 bits", PLAIN, "rsa-1024", 403, "jpki-key", false},
    {"a policy that is not critical", PLAIN, "policy-not-critical", 403, "jpki-policy", false},
    {"a card key of 3072 bits", PLAIN, "rsa-3072", 403, "jpki-key", false},
    {"a card key on P-256", PLAIN, "p256", 403, "jpki-key", false},
    {"no key usage", PLAIN, "no-key-usage", 403, "jpki-key-usage", false},
    {"a key usage of CAs", PLAIN, "key-usage-certsign", 403, "jpki-key-usage", false},
    {"issued by itself", PLAIN, "self-issued", 403, "jpki-self-issued", false},
    {"no subjectAltName", PLAIN, "no-san", 201, "jpki-attributes", true},
    {"a birth date twice", PLAIN, "birth-twice", 201, "jpki-attributes", true},
    {"no such birth date", PLAIN, "birth-bad", 201, "jpki-attributes", true},
    {"flags too short", PLAIN, "flags-short", 201, "jpki-flags", true},
    {"no flags", PLAIN, "flags-missing", 201, "jpki-flags", true},
    {"a control character in the name", PLAIN, "name-control", 201, "jpki-attributes", true},
    {"an address of 201 characters", PLAIN, "address-201", 201, "jpki-attributes", true},
    {"an RSA key of 1024 bits", KEY_RSA_1024, NULL, 403, "key-weak", false},
    {"a P-192 key", KEY_P192, NULL, 403, "key-curve-weak", false},
    {"a request with a wrong signature", REQUEST_SIGNATURE, NULL, 403, "request-possession", false},
    {"a request with another challenge", REQUEST_CHALLENGE, NULL, 400, "application-challenge", false},
    {"an expired certificate", PLAIN, "expired", 201, "jpki-expired", true},
    {"a certificate not yet valid", PLAIN, "not-yet", 201, "jpki-not-yet-valid", true},
    {"a certificate of an expired CA", PLAIN, "anchor-expired", 201, "jpki-anchor-expired", true},
    {"a revoked card", PLAIN, "suzuki", 201, "jpki-revoked", true},
    {"a card without a name", PLAIN, "no-name", 201, "jpki-attributes", true},
    {"the key of another subscriber", KEY_OF_ANOTHER, NULL, 201, "key-used", true},
};

/* --- building -------------------------------------------------------------------------------------------------------- */
static void
next_card(char name[32])
{
	snprintf(name, 32, "many-%05u", card_number++);
}

/* The first of `what` in the text becomes `by`. */
static void
replace(struct buf *text, const char *what, slice by)
{
	struct buf out OWNED(buf_drop) = BUF(BIG);
	const uint8_t *at = memmem(text->p, text->n, what, strlen(what));
	size_t before = at == NULL ? 0 : (size_t)(at - text->p);

	if (at == NULL) {
		fprintf(stderr, "badinput: no %s in the document\n", what);
		exit(3);
	}
	buf_put(&out, slice_of(text->p, before));
	buf_put(&out, by);
	buf_put(&out, slice_of(at + strlen(what), text->n - before - strlen(what)));
	buf_clear(text);
	buf_put(text, buf_slice(&out));
}

/* Another PKCS#10 in the document's block. */
static void
replace_request(struct buf *text, slice der)
{
	static const char begin[] = "-----BEGIN CERTIFICATE REQUEST-----\n";
	struct buf b64 OWNED(buf_drop) = BUF(BIG);
	const uint8_t *at = memmem(text->p, text->n, begin, sizeof begin - 1);
	slice rest;

	if (at == NULL)
		exit(3);
	text->n = (size_t)(at - text->p) + sizeof begin - 1;
	buf_put_base64(&b64, der);
	rest = buf_slice(&b64);
	while (rest.n > 0) {
		slice line;
		size_t n = rest.n < 64 ? rest.n : 64;

		if (!slice_take(&rest, n, &line))
			exit(3);
		buf_put(text, line);
		buf_put_u8(text, '\n');
	}
	buf_put_str(text, "-----END CERTIFICATE REQUEST-----\n");
}

/* What our own writer will not write: by OpenSSL; the key is dropped. */
static void
request_by_openssl(struct buf *out, EVP_PKEY *k, const char *challenge)
{
	X509_REQ *r = X509_REQ_new();
	unsigned char *der = NULL;
	int n;

	X509_REQ_set_version(r, X509_REQ_VERSION_1);
	X509_REQ_set_pubkey(r, k);
	X509_REQ_add1_attr_by_NID(
	    r, NID_pkcs9_challengePassword, MBSTRING_UTF8, (const unsigned char *)challenge, (int)strlen(challenge));
	X509_REQ_sign(r, k, EVP_sha256());
	n = i2d_X509_REQ(r, &der);
	if (n <= 0)
		exit(3);
	buf_put(out, slice_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_REQ_free(r);
	EVP_PKEY_free(k);
}

/* ContentInfo and SignedData taken apart: what stands before the signerInfos, and the one SignerInfo. */
static void
take_apart(slice cms, slice *oid, slice *head, slice *signer)
{
	slice s, inner, sd, any, whole, set;
	uint8_t tag;
	const uint8_t *start;

	if (der_get(&cms, DER_SEQUENCE, &s).kind != OK || der_get_whole(&s, DER_OID, oid).kind != OK ||
	    der_get(&s, DER_CTXC(0), &inner).kind != OK || der_get(&inner, DER_SEQUENCE, &sd).kind != OK)
		exit(3);
	start = sd.p;
	while (der_get_any(&sd, &tag, &any, &whole).kind == OK) {
		if (sd.n > 0)
			continue;
		*head = slice_of(start, (size_t)(whole.p - start));
		set = any;
		if (der_get(&set, DER_SEQUENCE, signer).kind != OK)
			exit(3);
		return;
	}
	exit(3);
}

static void
put_together(struct buf *out, slice oid, slice head, slice signers)
{
	struct buf sd OWNED(buf_drop) = BUF(BIG), inner OWNED(buf_drop) = BUF(BIG), all OWNED(buf_drop) = BUF(BIG);

	buf_put(&sd, head);
	der_put(&sd, DER_SET, signers);
	der_put(&inner, DER_SEQUENCE, buf_slice(&sd));
	buf_put(&all, oid);
	der_put(&all, DER_CTXC(0), buf_slice(&inner));
	buf_clear(out);
	der_put(out, DER_SEQUENCE, buf_slice(&all));
}

/* Two SignerInfos, or one with unsigned attributes. */
static void
change_signers(struct buf *cms, bool two)
{
	struct buf copy OWNED(buf_drop) = BUF(BIG), signers OWNED(buf_drop) = BUF(BIG), one OWNED(buf_drop) = BUF(BIG);
	static const uint8_t attribute[] = {/* SEQUENCE { challengePassword, SET { UTF8String "x" } } */
	    0x30, 0x10, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x07, 0x31, 0x03, 0x0C, 0x01, 0x78};
	slice oid, head, signer;

	buf_put(&copy, buf_slice(cms));
	take_apart(buf_slice(&copy), &oid, &head, &signer);
	buf_put(&one, signer);
	if (!two)
		der_put(&one, DER_CTXC(1), ARR(attribute));
	der_put(&signers, DER_SEQUENCE, buf_slice(&one));
	if (two)
		der_put(&signers, DER_SEQUENCE, buf_slice(&one));
	put_together(cms, oid, head, buf_slice(&signers));
}

/* The outermost length otherwise: 30 80 … 00 00, or one byte longer than it needs. */
static void
change_length(struct buf *cms, bool indefinite)
{
	struct buf copy OWNED(buf_drop) = BUF(BIG);
	slice in, content;

	buf_put(&copy, buf_slice(cms));
	in = buf_slice(&copy);
	if (der_get(&in, DER_SEQUENCE, &content).kind != OK)
		exit(3);
	buf_clear(cms);
	buf_put_u8(cms, DER_SEQUENCE);
	if (indefinite)
		buf_put_u8(cms, 0x80);
	else {
		buf_put_u8(cms, 0x83);
		buf_put_u8(cms, 0);
		buf_put_u8(cms, (uint8_t)(content.n >> 8));
		buf_put_u8(cms, (uint8_t)content.n);
	}
	buf_put(cms, content);
	if (indefinite) {
		buf_put_u8(cms, 0);
		buf_put_u8(cms, 0);
	}
}

/* The document that the row wants, before it is signed. */
static void
change_text(struct buf *text, const struct row *r, const struct signer *own, const char *nonce)
{
	struct buf request OWNED(buf_drop) = BUF(REQUEST_MAX);

	switch (r->how) {
	case OVERRIDE:
		replace(text, "氏名 / Name: ", LIT("氏名 / Name: \xE2\x80\xAE"));
		break;
	case ZERO_WIDTH:
		replace(text, "氏名 / Name: ", LIT("氏名 / Name: a\xE2\x80\x8B"));
		break;
	case CARRIAGE_RETURN:
		replace(text, "\n", LIT("\r\n"));
		break;
	case LINE_TWICE: {
		const uint8_t *at = memmem(text->p, text->n, "性別", strlen("性別")), *end;
		struct buf twice OWNED(buf_drop) = BUF(4096);

		end = at == NULL ? NULL : memchr(at, '\n', text->n - (size_t)(at - text->p));
		if (end == NULL)
			exit(3);
		buf_put(&twice, slice_of(at, (size_t)(end - at) + 1));
		buf_put(&twice, LIT("性別"));
		replace(text, "性別", buf_slice(&twice));
		break;
	}
	case KEY_P192:
	case KEY_RSA_1024:
		request_by_openssl(&request, r->how == KEY_P192 ? EVP_EC_gen("P-192") : EVP_RSA_gen(1024), nonce);
		replace_request(text, buf_slice(&request));
		break;
	case REQUEST_SIGNATURE:
		make_request(&request, own, slice_str(nonce));
		request.p[request.n - 1] ^= 1;
		replace_request(text, buf_slice(&request));
		break;
	case REQUEST_CHALLENGE:
		make_request(&request, own, LIT("00112233445566778899aabbccddeeff"));
		replace_request(text, buf_slice(&request));
		break;
	default:
		break;
	}
}

static void
change_cms(struct buf *cms, enum how how)
{
	switch (how) {
	case EMPTY:
		buf_clear(cms);
		break;
	case NOT_CMS:
		buf_clear(cms);
		for (int i = 0; i < 3000; i++)
			buf_put_u8(cms, (uint8_t)('a' + i % 26));
		break;
	case TRAILING:
		buf_put_u8(cms, 0);
		break;
	case INDEFINITE:
	case LONG_LENGTH:
		change_length(cms, how == INDEFINITE);
		break;
	case TWO_SIGNERS:
	case UNSIGNED_ATTRIBUTES:
		change_signers(cms, how == TWO_SIGNERS);
		break;
	case TOO_LONG:
		while (cms->n <= CMS_MAX)
			buf_put_u8(cms, 0);
		break;
	case BYTE_CHANGED: {
		uint8_t *at = memmem(cms->p, cms->n, "A-1", 3), *digit;

		digit = at == NULL ? NULL : memmem(at, cms->n - (size_t)(at - cms->p), ": 5\n", 4);
		if (digit == NULL)
			exit(3);
		digit[2] = '4'; /* the validity asked for */
		break;
	}
	default:
		break;
	}
}

/* One application as the row wants it; `own` is the subscriber's key, `used` one that another dossier has. */
static void
build(const struct row *r, const struct signer *used, struct buf *cms)
{
	static const char other[] = "0000000000000000000000000000000000000000000000000000000000000001";
	struct signer *card OWNED(signer_drop) = NULL, *own OWNED(signer_drop) = NULL;
	struct buf text OWNED(buf_drop) = BUF(BIG);
	struct make_application a;
	struct room room;
	char name[32], *nonce = challenge_new(port);

	if (r->card == NULL)
		next_card(name);
	card = signer_load(world, r->card == NULL ? name : r->card);
	own = signer_new(KEY_P256, 256);
	applicant_for(world,
	    r->card == NULL                  ? name
	    : strcmp(r->card, "suzuki") == 0 ? "suzuki"
	                                     : "yamada",
	    &terms, clock_now(), &room, &a);
	a.nonce = nonce;
	if (r->how == NONCE_UNKNOWN)
		a.nonce = "no-such-challenge";
	if (r->how == NONCE_OTHER_HOUSE) /* the right form, another secret */
		nonce[2] = nonce[2] == '0' ? '1' : '0';
	if (r->how == TERMS_OLD)
		a.terms = other;
	if (r->how == EXPLANATION_OLD)
		a.explanation = other;
	if (r->how == SERVICE_OTHER)
		a.service = "Another service";
	make_application_text(&text, r->how == KEY_OF_ANOTHER ? used : own, &a);
	change_text(&text, r, own, nonce);
	make_cms(cms, card, buf_slice(&text), clock_now());
	change_cms(cms, r->how);
	free(nonce);
}

static void
post(const char *path, slice body, struct answer *a)
{
	ask(port, "POST", path, "Content-Type: application/cms\r\nPrefer: wait=20\r\n", body, LATE_MS, a);
}

/* What the dossier says of itself. */
static char *
code_of(const struct answer *applied)
{
	struct answer a OWNED(answer_drop) = {0};
	char path[128], headers[128], *dossier = answer_text(applied, "dossier"), *token = answer_text(applied, "token");

	snprintf(path, sizeof path, "/applications/%s", dossier == NULL ? "" : dossier);
	snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token == NULL ? "" : token);
	ask(port, "GET", path, headers, (slice){NULL, 0}, LATE_MS, &a);
	free(dossier);
	free(token);
	return answer_text(&a, "code");
}

static void
row(const struct row *r, const struct signer *used)
{
	struct buf cms OWNED(buf_drop) = BUF(BIG);
	struct answer a OWNED(answer_drop) = {0};
	struct held before, after;
	char got[256], want[256], *code, *state, name[200];

	build(r, used, &cms);
	before = held();
	post("/applications", buf_slice(&cms), &a);
	after = held();
	code = r->refused ? code_of(&a) : answer_text(&a, "type");
	state = answer_text(&a, "state");
	snprintf(got, sizeof got, "%d %s %s %.*s", a.status, code, state,
	    r->status / 100 == a.status / 100 ? 0 : (int)(a.body.n < 150 ? a.body.n : 150), (const char *)a.body.p);
	snprintf(want, sizeof want, "%d %s %s ", r->status, r->code, r->refused ? "refused" : "(null)");
	tap(strcmp(got, want) == 0, r->name, got, want);
	snprintf(name, sizeof name, "… %s", r->refused ? "and it stands in the books" : "and nothing is stored");
	tap((before.openings == after.openings && before.evidence == after.evidence) == !r->refused, name,
	    "books grew or did not", "the other");
	free(code);
	free(state);
}

/* --- the same again, and others under one challenge --------------------------------------------------------------------- */
struct issued {
	struct signer *own;
	char *dossier, *token, *serial;
	char certificate[2 * SHA256_LEN + 1];
};

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void
apply_twice(struct issued *x)
{
	struct buf one OWNED(buf_drop) = BUF(BIG), two OWNED(buf_drop) = BUF(BIG);
	struct signer *card OWNED(signer_drop) = NULL, *own2 OWNED(signer_drop) = signer_new(KEY_P256, 256);
	struct answer a OWNED(answer_drop) = {0}, b OWNED(answer_drop) = {0};
	struct make_application m;
	struct room room;
	struct held before;
	char name[32], *nonce = challenge_new(port), *code;

	next_card(name);
	card = signer_load(world, name);
	x->own = signer_new(KEY_P256, 256);
	applicant_for(world, name, &terms, clock_now(), &room, &m);
	m.nonce = nonce;
	make_application(&one, card, x->own, &m);
	make_application(&two, card, own2, &m);
	post("/applications", buf_slice(&one), &a);
	x->dossier = answer_text(&a, "dossier");
	x->token = answer_text(&a, "token");
	x->serial = answer_text(&a, "serial");
	tap(a.status == 201 && x->serial != NULL, "a good application", (const char *)a.body.p, "201 with a serial");
	before = held();
	post("/applications", buf_slice(&one), &b);
	tap(b.status == 201 && same(x->dossier, answer_text(&b, "dossier")) && same(x->token, answer_text(&b, "token")) &&
	        same(x->serial, answer_text(&b, "serial")),
	    "the same document again gets its first answer", (const char *)b.body.p, (const char *)a.body.p);
	tap(before.openings == held().openings && before.evidence == held().evidence, "… and nothing new", "more",
	    "the same");
	post("/applications", buf_slice(&two), &b);
	code = answer_text(&b, "type");
	tap(b.status == 409 && same(code, "nonce-used"), "another document under its challenge", code, "nonce-used");
	tap(before.openings == held().openings && before.evidence == held().evidence, "… and nothing is stored", "more",
	    "the same");
	free(code);
	free(nonce);
}

static void
fetch(struct issued *x)
{
	struct answer a OWNED(answer_drop) = {0};
	struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN);
	char path[128], headers[128];
	digest d;

	snprintf(path, sizeof path, "/applications/%s/certificate", x->dossier);
	ask(port, "GET", path, "Authorization: Bearer 00000000000000000000000000000000\r\n", (slice){NULL, 0}, LATE_MS, &a);
	tap(a.status == 404, "a certificate is given to no other token", (const char *)a.body.p, "404");
	snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", x->token);
	for (int i = 0; i < 200 && (i == 0 || a.status == 503); i++) { /* once others can ask about it */
		if (i > 0)
			pause_ms(50);
		ask(port, "GET", path, headers, (slice){NULL, 0}, LATE_MS, &a);
	}
	tap(a.status == 200, "the certificate is fetched", (const char *)a.body.p, "200");
	d = sha256(buf_slice(&a.body));
	buf_put_hex(&hex, digest_slice(&d));
	memcpy(x->certificate, hex.p, hex.n);
	x->certificate[hex.n] = '\0';
	signer_set_certificate(x->own, buf_slice(&a.body));
}

/* A receipt and a revocation, each twice; the second of another text is another document. */
static void
document_twice(const struct issued *x, enum form form, const char *path, const char *what, const char *twice_code)
{
	struct buf one OWNED(buf_drop) = BUF(CMS_MAX), two OWNED(buf_drop) = BUF(CMS_MAX), date OWNED(buf_drop) = BUF(64);
	struct answer a OWNED(answer_drop) = {0}, b OWNED(answer_drop) = {0};
	const char *r[R_COUNT] = {terms.service, x->dossier, x->serial, x->certificate, NULL, RECEIPT_SENTENCE};
	const char *v[V_COUNT] = {terms.service, x->serial, "superseded", NULL, REVOCATION_SENTENCE};
	char name[128], *code;

	instant_put(&date, clock_now());
	buf_put_u8(&date, 0);
	r[R_DATE] = v[V_DATE] = (const char *)date.p;
	make_document(&one, x->own, form, form == FORM_RECEIPT ? r : v, (slice){NULL, 0}, clock_now());
	buf_clear(&date);
	instant_put(&date, (instant){clock_now().ms + 1000});
	buf_put_u8(&date, 0);
	make_document(&two, x->own, form, form == FORM_RECEIPT ? r : v, (slice){NULL, 0}, clock_now());
	post(path, buf_slice(&one), &a);
	snprintf(name, sizeof name, "a %s", what);
	tap(a.status == 201, name, (const char *)a.body.p, "201");
	post(path, buf_slice(&one), &b);
	snprintf(name, sizeof name, "the same %s again gets its first answer", what);
	tap(b.status == 201 && answer_number(&a, "n") == answer_number(&b, "n"), name, (const char *)b.body.p,
	    (const char *)a.body.p);
	post(path, buf_slice(&two), &b);
	code = answer_text(&b, "type");
	snprintf(name, sizeof name, "another %s is refused", what);
	tap(b.status == 409 && same(code, twice_code), name, code, twice_code);
	free(code);
}

/* Made now, sent by the script when its challenge has lapsed. */
static void
prepare_late(const char *file)
{
	static const struct row good = {.how = PLAIN};
	struct buf cms OWNED(buf_drop) = BUF(BIG);

	build(&good, NULL, &cms);
	file_put(file, buf_slice(&cms));
}

int
main(int argc, char **argv)
{
	struct issued x = {0};

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: badinput WORLD PORT HOME FIRST [FILE]\n");
		return 2;
	}
	world = argv[1];
	port = (int)strtol(argv[2], NULL, 10);
	home = argv[3];
	card_number = (unsigned)strtoul(argv[4], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	terms_get(port, &terms);
	if (argc == 6) {
		prepare_late(argv[5]);
		return 0;
	}
	apply_twice(&x);
	for (size_t i = 0; i < COUNT(ROWS); i++)
		row(&ROWS[i], x.own);
	fetch(&x);
	document_twice(&x, FORM_RECEIPT, "/receipts", "receipt", "receipt-twice");
	document_twice(&x, FORM_REVOCATION, "/revocations", "revocation", "revoked-already");
	printf("1..%u\n", tests);
	return failures != 0;
}
