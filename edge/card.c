#include <dlfcn.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#include "base/der.h"
#include "edge/card.h"

#define VALUE_MAX 16384 /* bytes of an attribute: certificates are below 8,192 */

static const char *const MODULES[] = {
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/riscv64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib64/opensc-pkcs11.so",
    "/usr/lib/opensc-pkcs11.so",
    "/usr/lib/pkcs11/opensc-pkcs11.so",
    "/usr/local/lib/opensc-pkcs11.so",
};

struct card {
	void *library;
	CK_FUNCTION_LIST *f;
	bool initialised, logged_in;
	CK_FLAGS flags; /* of the session */
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	char label[33], model[17], serial[17];
};

err
card_find_module(struct buf *path)
{
	for (size_t i = 0; i < COUNT(MODULES); i++)
		if (access(MODULES[i], R_OK) == 0) {
			buf_put(path, slice_of(MODULES[i], strlen(MODULES[i]) + 1));
			return buf_check(path);
		}
	return fail(
	    ERR_ABSENT, "card-module: PKCS#11: the module for cards is not there; install opensc or name it with --module");
}

static err
rv_err(CK_RV rv)
{
	switch (rv) {
	case CKR_OK:
		return ok;
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_SLOT_ID_INVALID:
		return fail_why(
		    ERR_ABSENT, "card-removed: PKCS#11: the card was taken out; put it back and start again", (long)rv);
	case CKR_TOKEN_NOT_RECOGNIZED:
		return fail_why(ERR_POLICY,
		    "card-unrecognised: PKCS#11: a card is there but is not recognised; if a wrong PIN was given too often it "
		    "is "
		    "probably locked, and the municipal window sets a new PIN",
		    (long)rv);
	case CKR_PIN_LOCKED:
		return fail_why(ERR_POLICY,
		    "card-pin-locked: PKCS#11: the PIN is locked; for a My Number Card the municipal window sets a new one",
		    (long)rv);
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_INVALID:
		return fail_why(ERR_INPUT, "card-pin-form: PKCS#11: this cannot be the PIN; the card was not asked", (long)rv);
	case CKR_MECHANISM_INVALID:
	case CKR_MECHANISM_PARAM_INVALID:
	case CKR_KEY_TYPE_INCONSISTENT:
	case CKR_KEY_FUNCTION_NOT_PERMITTED:
	case CKR_FUNCTION_NOT_SUPPORTED:
	case CKR_CURVE_NOT_SUPPORTED:
		return fail_why(
		    ERR_POLICY, "card-mechanism: PKCS#11: the token does not do this with that kind of key", (long)rv);
	case CKR_USER_NOT_LOGGED_IN:
		return fail_why(ERR_POLICY, "card-pin-wanted: PKCS#11: the token wants its PIN first", (long)rv);
	default:
		return fail_why(ERR_WORLD, "card-call: PKCS#11: the card or its module failed; start again", (long)rv);
	}
}

/* "JPKI (Digital…)      " without the padding, NUL-ended. */
static void
unpad(char *to, const CK_UTF8CHAR *from, size_t n)
{
	while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\0'))
		n--;
	memcpy(to, from, n);
	to[n] = '\0';
}

static err
load(struct card *c, const char *module)
{
	CK_RV (*get)(CK_FUNCTION_LIST **);
	CK_RV rv;

	if (module[0] != '/')
		return fail(ERR_INPUT, "card-module-path: PKCS#11: the module is named by its absolute path");
	c->library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	if (c->library == NULL)
		return fail(ERR_ABSENT,
		    "card-module: PKCS#11: the module for cards is not there; install opensc or name it with --module");
	*(void **)&get = dlsym(c->library, "C_GetFunctionList");
	if (get == NULL || get(&c->f) != CKR_OK || c->f == NULL)
		return fail(ERR_ABSENT,
		    "card-module: PKCS#11: the module for cards is not there; install opensc or name it with --module");
	rv = c->f->C_Initialize(NULL);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return rv_err(rv);
	c->initialised = true;
	return ok;
}

/* The slot whose token has the label. */
static err
find_token(struct card *c, const char *label)
{
	CK_SLOT_ID slot[CARD_SLOTS_MAX];
	CK_ULONG n = CARD_SLOTS_MAX;
	size_t fit = 0, seen = 0, odd = 0;
	/* All slots: OpenSC leaves a card it does not recognise out of those with a token. */
	CK_RV rv = c->f->C_GetSlotList(CK_FALSE, slot, &n);

	if (rv != CKR_OK)
		return rv_err(rv);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO t;
		char name[33];

		rv = c->f->C_GetTokenInfo(slot[i], &t);
		if (rv == CKR_TOKEN_NOT_RECOGNIZED)
			odd++;
		if (rv != CKR_OK || (t.flags & CKF_TOKEN_INITIALIZED) == 0)
			continue;
		seen++;
		unpad(name, t.label, sizeof t.label);
		if (strcmp(name, label) != 0)
			continue;
		fit++;
		c->slot = slot[i];
		unpad(c->label, t.label, sizeof t.label);
		unpad(c->model, t.model, sizeof t.model);
		unpad(c->serial, t.serialNumber, sizeof t.serialNumber);
	}
	if (fit == 1)
		return ok;
	if (fit > 1)
		return fail(ERR_CONFLICT, "card-many: PKCS#11: two cards or tokens of that name are there; take one out");
	if (odd > 0)
		return rv_err(CKR_TOKEN_NOT_RECOGNIZED);
	if (seen > 0)
		return fail(ERR_ABSENT, "card-label: PKCS#11: no card or token of that name is there");
	return fail(ERR_ABSENT, "card-none: PKCS#11: no card is in a reader; put it in and start again");
}

err
card_open(const char *module, const char *label, struct card **out)
{
	struct card *c = mem_new(1, sizeof *c);
	err e;

	c->session = CK_INVALID_HANDLE;
	e = load(c, module);
	if (e.kind == OK)
		e = find_token(c, label);
	if (e.kind == OK) {
		CK_TOKEN_INFO t;

		/* A card whose token is write-protected takes no read-write session. */
		c->flags = CKF_SERIAL_SESSION;
		if (c->f->C_GetTokenInfo(c->slot, &t) == CKR_OK && (t.flags & CKF_WRITE_PROTECTED) == 0)
			c->flags |= CKF_RW_SESSION;
		e = rv_err(c->f->C_OpenSession(c->slot, c->flags, NULL, NULL, &c->session));
	}
	if (e.kind != OK) {
		card_close(&c);
		return e;
	}
	*out = c;
	return ok;
}

void
card_close(struct card **p)
{
	struct card *c = *p;

	if (c == NULL)
		return;
	if (c->session != CK_INVALID_HANDLE) {
		(void)c->f->C_Logout(c->session);
		(void)c->f->C_CloseSession(c->session);
	}
	if (c->initialised)
		(void)c->f->C_Finalize(NULL);
	/* The library stays mapped: pcsclite and libcrypto inside it have exit handlers of their own. */
	free(c);
	*p = NULL;
}

slice
card_label(const struct card *c)
{
	return slice_str(c->label);
}

slice
card_model(const struct card *c)
{
	return slice_str(c->model);
}

slice
card_serial(const struct card *c)
{
	return slice_str(c->serial);
}

enum card_tries
card_tries(struct card *c)
{
	CK_TOKEN_INFO t;

	if (c->f->C_GetTokenInfo(c->slot, &t) != CKR_OK || (t.flags & CKF_USER_PIN_LOCKED) != 0)
		return CARD_TRIES_NONE;
	if ((t.flags & CKF_USER_PIN_FINAL_TRY) != 0)
		return CARD_TRIES_LAST;
	return (t.flags & CKF_USER_PIN_COUNT_LOW) != 0 ? CARD_TRIES_SOME_USED : CARD_TRIES_ALL;
}

err
card_pin_of_jpki(struct secret *pin)
{
	bool good = pin->n >= CARD_JPKI_PIN_MIN && pin->n <= CARD_JPKI_PIN_MAX;

	for (size_t i = 0; i < pin->n; i++) {
		if (pin->p[i] >= 'a' && pin->p[i] <= 'z')
			pin->p[i] = (uint8_t)(pin->p[i] - 'a' + 'A');
		good = good && ((pin->p[i] >= 'A' && pin->p[i] <= 'Z') || (pin->p[i] >= '0' && pin->p[i] <= '9'));
	}
	return good ? ok : fail(ERR_INPUT, "card-pin-form: PKCS#11: this cannot be the PIN; the card was not asked");
}

/* A login that failed: what the token now tells about its tries, or said of the one that was left. */
static err
login_err(struct card *c, CK_RV rv, enum card_tries before)
{
	if (rv != CKR_PIN_INCORRECT)
		return rv_err(rv);
	switch (before == CARD_TRIES_LAST ? CARD_TRIES_NONE : card_tries(c)) {
	case CARD_TRIES_NONE:
		return rv_err(CKR_PIN_LOCKED);
	case CARD_TRIES_LAST:
		return fail_why(ERR_POLICY,
		    "card-pin-last: PKCS#11: the PIN is wrong, and only one try is left; after another wrong one the card is "
		    "locked",
		    (long)rv);
	default:
		return fail_why(ERR_POLICY,
		    "card-pin-wrong: PKCS#11: the PIN is wrong; the card counts wrong ones and locks itself after a few",
		    (long)rv);
	}
}

static CK_RV
login(struct card *c, CK_USER_TYPE who, const struct secret *pin)
{
	CK_UTF8CHAR copy[CARD_PIN_MAX]; /* C_Login takes no const */
	CK_RV rv;

	if (pin->n == 0 || pin->n > sizeof copy)
		return CKR_PIN_LEN_RANGE;
	memcpy(copy, pin->p, pin->n);
	rv = c->f->C_Login(c->session, who, copy, pin->n);
	wipe(copy, sizeof copy);
	return rv;
}

err
card_login(struct card *c, const struct secret *pin)
{
	enum card_tries before = card_tries(c);
	CK_RV rv = login(c, CKU_USER, pin);

	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return login_err(c, rv, before);
	c->logged_in = true;
	return ok;
}

/* --- objects ---------------------------------------------------------------------- */
static err
find_object(struct card *c, CK_OBJECT_CLASS class, slice id, CK_OBJECT_HANDLE *out)
{
	CK_BYTE id_copy[64];
	CK_ATTRIBUTE want[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id_copy, id.n}};
	CK_OBJECT_HANDLE h[2];
	CK_ULONG n = 0;
	CK_RV rv;

	assert(id.n > 0 && id.n <= sizeof id_copy);
	memcpy(id_copy, id.p, id.n);
	rv = c->f->C_FindObjectsInit(c->session, want, COUNT(want));
	if (rv != CKR_OK)
		return rv_err(rv);
	rv = c->f->C_FindObjects(c->session, h, COUNT(h), &n);
	(void)c->f->C_FindObjectsFinal(c->session);
	if (rv != CKR_OK)
		return rv_err(rv);
	if (n != 1)
		return fail(ERR_ABSENT, "card-object: PKCS#11: the card has no such certificate or key");
	*out = h[0];
	return ok;
}

static err
get_value(struct card *c, CK_OBJECT_HANDLE h, CK_ATTRIBUTE_TYPE type, struct buf *out)
{
	CK_ATTRIBUTE a = {type, NULL, 0};
	CK_RV rv = c->f->C_GetAttributeValue(c->session, h, &a, 1);

	if (rv != CKR_OK)
		return rv_err(rv);
	if (a.ulValueLen == 0 || a.ulValueLen == CK_UNAVAILABLE_INFORMATION || a.ulValueLen > VALUE_MAX)
		return fail(ERR_ABSENT, "card-object: PKCS#11: the card has no such certificate or key");
	buf_clear(out);
	a.pValue = buf_space(out, a.ulValueLen);
	TRY(buf_check(out));
	rv = c->f->C_GetAttributeValue(c->session, h, &a, 1);
	if (rv != CKR_OK)
		return rv_err(rv);
	return a.ulValueLen == out->n ? ok : rv_err(CKR_DEVICE_ERROR);
}

err
card_certificate(struct card *c, slice id, struct buf *out)
{
	CK_OBJECT_HANDLE h;

	TRY(find_object(c, CKO_CERTIFICATE, id, &h));
	return get_value(c, h, CKA_VALUE, out);
}

err
card_has_key(struct card *c, slice id)
{
	CK_OBJECT_HANDLE h;

	return find_object(c, CKO_PRIVATE_KEY, id, &h);
}

static bool
wants_pin_each_time(struct card *c, CK_OBJECT_HANDLE h)
{
	CK_BBOOL always = CK_FALSE;
	CK_ATTRIBUTE a = {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always};

	return c->f->C_GetAttributeValue(c->session, h, &a, 1) == CKR_OK && always == CK_TRUE;
}

/* C_Logout and C_Login again, so that the token itself has seen this PIN for this signature. */
static err
login_anew(struct card *c, const struct secret *pin)
{
	CK_RV rv = c->f->C_Logout(c->session);

	if (rv != CKR_OK && rv != CKR_USER_NOT_LOGGED_IN)
		return rv_err(rv);
	c->logged_in = false;
	return card_login(c, pin);
}

/* The PIN for one signature was wrong: the signature that waits for it is given up with its session. */
static err
give_up(struct card *c, CK_RV rv, enum card_tries before)
{
	err e = login_err(c, rv, before);

	(void)c->f->C_CloseSession(c->session);
	c->logged_in = false;
	c->session = CK_INVALID_HANDLE;
	rv = c->f->C_OpenSession(c->slot, c->flags, NULL, NULL, &c->session);
	if (rv != CKR_OK)
		c->session = CK_INVALID_HANDLE;
	return e;
}

static err
sign_init(struct card *c, slice id, enum sig_alg alg, const struct secret *pin)
{
	CK_MECHANISM m = {alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384 ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
	enum card_tries before;
	CK_OBJECT_HANDLE h;
	bool always;
	CK_RV rv;

	if (!c->logged_in && pin != NULL)
		TRY(card_login(c, pin));
	TRY(find_object(c, CKO_PRIVATE_KEY, id, &h));
	always = wants_pin_each_time(c, h);
	if (always && pin == NULL)
		return rv_err(CKR_USER_NOT_LOGGED_IN);
	if (!always && pin != NULL) {
		TRY(login_anew(c, pin));
		TRY(find_object(c, CKO_PRIVATE_KEY, id, &h)); /* handles of private objects may end with the login */
	}
	rv = c->f->C_SignInit(c->session, &m, h);
	if (rv != CKR_OK)
		return rv_err(rv);
	if (!always)
		return ok;
	before = card_tries(c);
	rv = login(c, CKU_CONTEXT_SPECIFIC, pin);
	return rv == CKR_OK ? ok : give_up(c, rv, before);
}

err
card_sign(struct card *c, slice id, enum sig_alg alg, slice message, const struct secret *pin, struct buf *out)
{
	struct buf in OWNED(buf_drop) = BUF(256);
	bool ecdsa = alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384;
	uint8_t hash[SHA512_LEN];
	CK_BYTE signature[SIG_MAX];
	CK_ULONG n = sizeof signature;
	CK_RV rv;

	if (!ecdsa && alg != SIG_RSA_SHA256 && alg != SIG_RSA_SHA384 && alg != SIG_RSA_SHA512)
		return rv_err(CKR_MECHANISM_INVALID);
	hash_of(sig_alg_hash(alg), message, hash);
	if (ecdsa)
		buf_put(&in, slice_of(hash, hash_len(sig_alg_hash(alg))));
	else
		digest_info_put(&in, sig_alg_hash(alg), slice_of(hash, hash_len(sig_alg_hash(alg))));
	TRY(sign_init(c, id, alg, pin));
	rv = c->f->C_Sign(c->session, in.p, in.n, signature, &n);
	if (rv != CKR_OK)
		return rv_err(rv);
	if (ecdsa)
		ecdsa_put(out, slice_of(signature, n));
	else
		buf_put(out, slice_of(signature, n));
	return buf_check(out);
}

/* --- the subscriber's own keys ---------------------------------------------------- */
/* What base/key makes a SubjectPublicKeyInfo of: an uncompressed point (in an OCTET STRING, 2.40 2.3.3) or a modulus. */
static err
public_material(struct card *c, CK_OBJECT_HANDLE h, enum key_kind *kind, struct buf *out)
{
	struct buf raw OWNED(buf_drop) = BUF(VALUE_MAX);
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE a = {CKA_KEY_TYPE, &type, sizeof type};
	CK_RV rv = c->f->C_GetAttributeValue(c->session, h, &a, 1);
	slice in, point;

	if (rv != CKR_OK)
		return rv_err(rv);
	if (type == CKK_RSA) {
		*kind = KEY_RSA;
		return get_value(c, h, CKA_MODULUS, out);
	}
	if (type != CKK_EC)
		return rv_err(CKR_MECHANISM_INVALID);
	TRY(get_value(c, h, CKA_EC_POINT, &raw));
	in = buf_slice(&raw);
	if (der_get(&in, DER_OCTETS, &point).kind != OK)
		point = buf_slice(&raw); /* some modules give the bare point */
	*kind = point.n == 97 ? KEY_P384 : KEY_P256;
	if (point.n != 65 && point.n != 97)
		return rv_err(CKR_MECHANISM_INVALID);
	buf_clear(out);
	buf_put(out, point);
	return buf_check(out);
}

err
card_spki(struct card *c, slice id, struct buf *spki)
{
	struct buf material OWNED(buf_drop) = BUF(VALUE_MAX);
	CK_OBJECT_HANDLE h;
	enum key_kind kind = KEY_RSA;

	TRY(find_object(c, CKO_PUBLIC_KEY, id, &h));
	TRY(public_material(c, h, &kind, &material));
	key_put_spki(spki, kind, buf_slice(&material));
	return buf_check(spki);
}

err
card_generate(struct card *c, enum key_kind kind, unsigned bits, const char *label, slice id, struct buf *spki)
{
	CK_BYTE p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
	CK_BYTE p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
	CK_BYTE f4[] = {0x01, 0x00, 0x01};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE id_copy[64];
	char name[64];
	CK_ULONG modulus_bits = bits, n_pub = 4, n_label = strnlen(label, sizeof name);
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1},
	    {CKA_EXTRACTABLE, &no, 1}, {CKA_SIGN, &yes, 1}, {CKA_LABEL, name, n_label}, {CKA_ID, id_copy, id.n}};
	CK_ATTRIBUTE public[7] = {
	    {CKA_TOKEN, &yes, 1}, {CKA_VERIFY, &yes, 1}, {CKA_LABEL, name, n_label}, {CKA_ID, id_copy, id.n}};
	CK_MECHANISM m = {kind == KEY_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE there, hpub, hprv;
	CK_RV rv;

	assert(id.n > 0 && id.n <= sizeof id_copy && (kind == KEY_RSA || kind == KEY_P256 || kind == KEY_P384));
	memcpy(id_copy, id.p, id.n);
	memcpy(name, label, n_label);
	if (kind == KEY_RSA) {
		public[n_pub++] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &modulus_bits, sizeof modulus_bits};
		public[n_pub++] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, f4, sizeof f4};
	} else if (kind == KEY_P256)
	public[n_pub++] = (CK_ATTRIBUTE){CKA_EC_PARAMS, p256, sizeof p256};
	else public[n_pub++] = (CK_ATTRIBUTE){CKA_EC_PARAMS, p384, sizeof p384};
	if (find_object(c, CKO_PRIVATE_KEY, id, &there).kind == OK)
		return fail(ERR_CONFLICT, "card-key-there: PKCS#11: the token holds a key of that id already");
	rv = c->f->C_GenerateKeyPair(c->session, &m, public, n_pub, private, COUNT(private), &hpub, &hprv);
	if (rv != CKR_OK)
		return rv_err(rv);
	return card_spki(c, id, spki);
}

err
card_store_certificate(struct card *c, const char *label, slice id, slice subject, slice certificate)
{
	struct buf copy OWNED(buf_drop) = BUF(VALUE_MAX);
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_BBOOL yes = CK_TRUE;
	size_t n_label = strlen(label);
	CK_OBJECT_HANDLE h;

	/* The module takes no const: one copy of all that is variable. */
	buf_put_str(&copy, label);
	buf_put(&copy, id);
	buf_put(&copy, subject);
	buf_put(&copy, certificate);
	TRY(buf_check(&copy));
	if (find_object(c, CKO_CERTIFICATE, id, &h).kind == OK)
		return fail(ERR_CONFLICT, "card-key-there: PKCS#11: the token holds a key of that id already");
	CK_ATTRIBUTE a[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, 1},
	    {CKA_CERTIFICATE_TYPE, &type, sizeof type}, {CKA_LABEL, copy.p, n_label}, {CKA_ID, copy.p + n_label, id.n},
	    {CKA_SUBJECT, copy.p + n_label + id.n, subject.n},
	    {CKA_VALUE, copy.p + n_label + id.n + subject.n, certificate.n}};
	return rv_err(c->f->C_CreateObject(c->session, a, COUNT(a), &h));
}
