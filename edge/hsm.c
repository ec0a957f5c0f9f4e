#include <dlfcn.h>

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "base/der.h"
#include "edge/hsm.h"

struct hsm {
	void *module; /* of dlopen */
	CK_FUNCTION_LIST *f;
	bool initialized; /* by this struct: it finalises */
	bool has_session;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	P11KitUri *uri;
	CK_TOKEN_INFO token;
	CK_OBJECT_HANDLE key;
	enum key_kind kind;
	struct buf spki;
};

static const struct {
	CK_RV rv;
	const char *name;
} RVS[] = {
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
    {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID"},
    {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
    {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
    {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE"},
    {CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED"},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
    {CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
};

const char *
hsm_rv_name(long rv)
{
	for (size_t i = 0; i < COUNT(RVS); i++)
		if (RVS[i].rv == (CK_RV)rv)
			return RVS[i].name;
	return "CKR_?";
}

bool
hsm_is_lost(err e)
{
	return e.kind == ERR_BUSY;
}

/* What the caller does next depends on the code alone, never on which call returned it. */
static err
of_rv(CK_RV rv)
{
	long why = (long)rv;

	switch (rv) {
	case CKR_OK:
		return ok;
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return fail_why(ERR_POLICY, "hsm-pin: PKCS#11 C_Login: the token refused the PIN; it is not tried again", why);
	case CKR_PIN_LOCKED:
	case CKR_PIN_EXPIRED:
	case CKR_USER_PIN_NOT_INITIALIZED:
		return fail_why(ERR_POLICY, "hsm-pin-locked: PKCS#11 C_Login: the token takes no PIN any more", why);
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_USER_NOT_LOGGED_IN:
	case CKR_KEY_HANDLE_INVALID:
	case CKR_OBJECT_HANDLE_INVALID:
	case CKR_OPERATION_ACTIVE:
	case CKR_OPERATION_NOT_INITIALIZED:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
		return fail_why(ERR_BUSY, "hsm-session: PKCS#11: the session or its login is lost", why);
	case CKR_DEVICE_ERROR:
	case CKR_DEVICE_REMOVED:
	case CKR_DEVICE_MEMORY:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_TOKEN_NOT_RECOGNIZED:
	case CKR_SLOT_ID_INVALID:
	case CKR_FUNCTION_CANCELED:
	case CKR_SESSION_COUNT:
	case CKR_GENERAL_ERROR:
	case CKR_FUNCTION_FAILED:
		return fail_why(ERR_BUSY, "hsm-gone: PKCS#11: the token is not there or its device failed", why);
	case CKR_MECHANISM_INVALID:
	case CKR_MECHANISM_PARAM_INVALID:
	case CKR_KEY_TYPE_INCONSISTENT:
	case CKR_KEY_FUNCTION_NOT_PERMITTED:
	case CKR_FUNCTION_NOT_SUPPORTED:
		return fail_why(ERR_POLICY, "hsm-mechanism: PKCS#11: the key or the token does not sign this way", why);
	default:
		return fail_why(ERR_WORLD, "hsm-call: PKCS#11: a call of the module failed", why);
	}
}

static err
load(struct hsm *h, const char *path)
{
	CK_C_GetFunctionList get;
	void *sym;
	CK_RV rv;

	if (path[0] != '/')
		return fail(ERR_WORLD, "hsm-module: house: a PKCS#11 module is named by an absolute path");
	h->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	sym = h->module == NULL ? NULL : dlsym(h->module, "C_GetFunctionList");
	if (sym == NULL)
		return fail(ERR_WORLD, "hsm-module-load: PKCS#11: the module cannot be loaded");
	memcpy(&get, &sym, sizeof get); /* a function's address from an object's, POSIX dlsym */
	rv = get(&h->f);
	if (rv != CKR_OK || h->f == NULL)
		return fail_why(ERR_WORLD, "hsm-module-load: PKCS#11: the module cannot be loaded", (long)rv);
	rv = h->f->C_Initialize(NULL);
	h->initialized = rv == CKR_OK;
	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return ok;
	return of_rv(rv);
}

static err
get_uri(struct hsm *h, slice text)
{
	char z[1024];

	if (text.n == 0 || text.n >= sizeof z || memchr(text.p, 0, text.n) != NULL)
		return fail(ERR_WORLD, "hsm-uri: RFC 7512: this is no PKCS#11 URI");
	memcpy(z, text.p, text.n);
	z[text.n] = 0;
	h->uri = p11_kit_uri_new();
	if (h->uri == NULL)
		abort();
	if (p11_kit_uri_parse(z, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, h->uri) != P11_KIT_URI_OK ||
	    p11_kit_uri_any_unrecognized(h->uri))
		return fail(ERR_WORLD, "hsm-uri: RFC 7512: this is no PKCS#11 URI");
	if (p11_kit_uri_get_pin_value(h->uri) != NULL || p11_kit_uri_get_pin_source(h->uri) != NULL ||
	    p11_kit_uri_get_module_path(h->uri) != NULL || p11_kit_uri_get_module_name(h->uri) != NULL)
		return fail(ERR_WORLD, "hsm-uri-pin: house: PIN and module do not stand in a key's URI");
	return ok;
}

static err
find_token(struct hsm *h)
{
	CK_SLOT_ID slots[HSM_SLOTS_MAX];
	CK_ULONG n = HSM_SLOTS_MAX;
	bool found = false;

	TRY(of_rv(h->f->C_GetSlotList(CK_TRUE, slots, &n)));
	for (CK_ULONG i = 0; i < n && i < HSM_SLOTS_MAX; i++) {
		CK_TOKEN_INFO info;

		if (h->f->C_GetTokenInfo(slots[i], &info) != CKR_OK || !p11_kit_uri_match_token_info(h->uri, &info))
			continue;
		if (found)
			return fail(ERR_WORLD, "hsm-token-twice: RFC 7512: the URI names more than one token");
		found = true;
		h->slot = slots[i];
		h->token = info;
	}
	if (!found)
		return fail_why(
		    ERR_BUSY, "hsm-token: RFC 7512: the token the URI names is not there", (long)CKR_TOKEN_NOT_PRESENT);
	return ok;
}

err
hsm_open(const char *module, slice uri, enum hsm_mode mode, struct hsm **out)
{
	struct hsm *h OWNED(hsm_close) = mem_new(1, sizeof *h);
	CK_FLAGS flags = CKF_SERIAL_SESSION | (mode == HSM_CEREMONY ? CKF_RW_SESSION : 0);

	h->spki = BUF(SPKI_MAX);
	TRY(get_uri(h, uri));
	TRY(load(h, module));
	TRY(find_token(h));
	TRY(of_rv(h->f->C_OpenSession(h->slot, flags, NULL, NULL, &h->session)));
	h->has_session = true;
	*out = h;
	h = NULL;
	return ok;
}

void
hsm_close(struct hsm **hp)
{
	struct hsm *h = *hp;

	if (h == NULL)
		return;
	if (h->has_session)
		h->f->C_CloseSession(h->session);
	if (h->initialized)
		h->f->C_Finalize(NULL);
	if (h->module != NULL)
		dlclose(h->module);
	p11_kit_uri_free(h->uri);
	buf_drop(&h->spki);
	free(h);
	*hp = NULL;
}

err
hsm_login(struct hsm *h, slice pin)
{
	uint8_t copy[SECRET_MAX]; /* the module's pointer is not const */
	CK_RV rv;

	if (pin.n == 0 || pin.n > sizeof copy)
		return of_rv(CKR_PIN_LEN_RANGE);
	memcpy(copy, pin.p, pin.n);
	rv = h->f->C_Login(h->session, CKU_USER, copy, pin.n);
	wipe(copy, sizeof copy);
	return rv == CKR_USER_ALREADY_LOGGED_IN ? ok : of_rv(rv);
}

/* Label and id of the URI, with a class. */
static CK_ULONG template(const struct hsm *h, CK_OBJECT_CLASS *class, CK_ATTRIBUTE out[3])
{
	CK_ATTRIBUTE *a;
	CK_ULONG n = 0;

	out[n++] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof *class};
	if ((a = p11_kit_uri_get_attribute(h->uri, CKA_LABEL)) != NULL)
		out[n++] = *a;
	if ((a = p11_kit_uri_get_attribute(h->uri, CKA_ID)) != NULL)
		out[n++] = *a;
	return n;
}

static err
find(struct hsm *h, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE found[2], CK_ULONG *n)
{
	CK_ATTRIBUTE t[3];
	CK_RV rv, end;

	TRY(of_rv(h->f->C_FindObjectsInit(h->session, t, template(h, &class, t))));
	rv = h->f->C_FindObjects(h->session, found, 2, n);
	end = h->f->C_FindObjectsFinal(h->session);
	TRY(of_rv(rv));
	return of_rv(end);
}

static err
attribute(struct hsm *h, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, uint8_t *p, size_t max, slice *out)
{
	CK_ATTRIBUTE a = {type, p, max};

	TRY(of_rv(h->f->C_GetAttributeValue(h->session, o, &a, 1)));
	if (a.ulValueLen > max)
		return fail_why(ERR_WORLD, "hsm-call: PKCS#11: a call of the module failed", (long)CKR_BUFFER_TOO_SMALL);
	*out = (slice){p, a.ulValueLen};
	return ok;
}

/*
 * ECParameters ::= OBJECT IDENTIFIER (or for Edwards curves the name "edwards25519",
 * as PKCS#11 3.0 has it).  CKA_EC_POINT is a DER OCTET STRING around the point; some
 * tokens give the point bare.
 */
static err
read_ec(struct hsm *h, CK_OBJECT_HANDLE pub, bool edwards)
{
	static const uint8_t P256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
	static const uint8_t P384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
	uint8_t params[64], point[256];
	slice c, s, inner;
	size_t want;

	TRY(attribute(h, pub, CKA_EC_PARAMS, params, sizeof params, &c));
	TRY(attribute(h, pub, CKA_EC_POINT, point, sizeof point, &s));
	h->kind = edwards ? KEY_ED25519 : slice_eq(c, ARR(P256)) ? KEY_P256 : KEY_P384;
	if (h->kind == KEY_P384 && !slice_eq(c, ARR(P384)))
		return fail(ERR_POLICY, "hsm-curve: CR-1: the key in the token stands on another curve");
	want = h->kind == KEY_ED25519 ? 32 : h->kind == KEY_P256 ? 65 : 97;
	inner = s;
	if (s.n != want && der_get(&inner, DER_OCTETS, &s).kind != OK)
		s.n = 0;
	if (s.n != want)
		return fail(ERR_WORLD, "hsm-point: PKCS#11 2.3.3: the token gives no point of its curve");
	key_put_spki(&h->spki, h->kind, s);
	return ok;
}

static err
read_public(struct hsm *h, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public)
{
	CK_KEY_TYPE type = 0;
	uint8_t raw[sizeof type], modulus[KEY_RSA_BITS_MAX / 8];
	struct key *k OWNED(key_drop) = NULL;
	slice s;

	TRY(attribute(h, private, CKA_KEY_TYPE, raw, sizeof raw, &s));
	if (s.n == sizeof type)
		memcpy(&type, raw, sizeof type);
	buf_clear(&h->spki);
	switch (type) {
	case CKK_RSA:
		TRY(attribute(h, public, CKA_MODULUS, modulus, sizeof modulus, &s));
		h->kind = KEY_RSA;
		key_put_spki(&h->spki, KEY_RSA, s);
		break;
	case CKK_EC:
		TRY(read_ec(h, public, false));
		break;
	case CKK_EC_EDWARDS:
		TRY(read_ec(h, public, true));
		break;
	default:
		return fail(ERR_POLICY, "hsm-key-kind: CR-1: the key in the token is neither RSA nor elliptic");
	}
	TRY(buf_check(&h->spki));
	return key_get_spki(buf_slice(&h->spki), &k); /* CR-1 holds for our own keys first */
}

err
hsm_find(struct hsm *h)
{
	CK_OBJECT_HANDLE private[2], public[2];
	CK_ULONG n = 0;

	TRY(find(h, CKO_PRIVATE_KEY, private, &n));
	if (n != 1)
		return fail(ERR_ABSENT, "hsm-key: RFC 7512: the URI names no private key on the token, or more than one");
	TRY(find(h, CKO_PUBLIC_KEY, public, &n));
	if (n != 1)
		return fail(ERR_ABSENT, "hsm-key-public: RFC 7512: the key on the token has no public half beside it");
	TRY(read_public(h, private[0], public[0]));
	h->key = private[0];
	return ok;
}

err
hsm_again(struct hsm *h, slice pin)
{
	struct buf was OWNED(buf_drop) = BUF(SPKI_MAX);
	CK_RV rv;

	if (h->has_session)
		h->f->C_CloseSession(h->session); /* it may be gone already */
	h->has_session = false;
	h->key = 0;
	buf_put(&was, buf_slice(&h->spki));
	rv = h->f->C_Initialize(NULL);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return of_rv(rv);
	TRY(find_token(h));
	TRY(of_rv(h->f->C_OpenSession(h->slot, CKF_SERIAL_SESSION, NULL, NULL, &h->session)));
	h->has_session = true;
	TRY(hsm_login(h, pin));
	TRY(hsm_find(h));
	if (!slice_eq(buf_slice(&was), buf_slice(&h->spki)))
		return fail(ERR_WORLD, "hsm-key-changed: Rule 6(xvii): the token now holds another key under that name");
	return ok;
}

slice
hsm_spki(const struct hsm *h)
{
	return buf_slice(&h->spki);
}

enum key_kind
hsm_kind(const struct hsm *h)
{
	return h->kind;
}

err
hsm_sign(struct hsm *h, enum sig_alg alg, slice bytes, struct buf *out)
{
	static const struct {
		CK_MECHANISM_TYPE hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
	} PSS[] = {
	    [HASH_SHA256] = {CKM_SHA256, CKG_MGF1_SHA256},
	    [HASH_SHA384] = {CKM_SHA384, CKG_MGF1_SHA384},
	    [HASH_SHA512] = {CKM_SHA512, CKG_MGF1_SHA512},
	};
	enum hash_alg hash = sig_alg_hash(alg);
	CK_RSA_PKCS_PSS_PARAMS pss = {PSS[hash].hash, PSS[hash].mgf, hash_len(hash)};
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	struct buf input OWNED(buf_drop) = BUF(16 << 10);
	uint8_t sig[SIG_MAX];
	CK_ULONG n = sizeof sig;

	if (h->key == 0 || !sig_alg_fits(alg, h->kind) || (alg != SIG_ED25519 && bytes.n != hash_len(hash)))
		return of_rv(CKR_MECHANISM_INVALID);
	if (alg >= SIG_RSA_SHA256 && alg <= SIG_RSA_SHA512) {
		m.mechanism = CKM_RSA_PKCS;
		digest_info_put(&input, hash, bytes);
	} else {
		if (h->kind == KEY_RSA)
			m = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof pss};
		else if (h->kind == KEY_ED25519)
			m.mechanism = CKM_EDDSA;
		buf_put(&input, bytes);
	}
	TRY(buf_check(&input));
	TRY(of_rv(h->f->C_SignInit(h->session, &m, h->key)));
	TRY(of_rv(h->f->C_Sign(h->session, input.p, input.n, sig, &n)));
	if (n == 0 || n > sizeof sig || (m.mechanism == CKM_ECDSA && n % 2 != 0))
		return fail(ERR_WORLD, "hsm-signature: PKCS#11 C_Sign: the token gives no signature of its kind");
	if (m.mechanism == CKM_ECDSA)
		ecdsa_put(out, (slice){sig, n});
	else
		buf_put(out, (slice){sig, n});
	return buf_check(out);
}

/* In both templates: where it lies and what it is called. */
static CK_ULONG
named(const struct hsm *h, CK_BBOOL *yes, CK_ATTRIBUTE *t)
{
	CK_ATTRIBUTE *a;
	CK_ULONG n = 0;

	t[n++] = (CK_ATTRIBUTE){CKA_TOKEN, yes, sizeof *yes};
	if ((a = p11_kit_uri_get_attribute(h->uri, CKA_LABEL)) != NULL)
		t[n++] = *a;
	if ((a = p11_kit_uri_get_attribute(h->uri, CKA_ID)) != NULL)
		t[n++] = *a;
	return n;
}

err
hsm_generate(struct hsm *h, enum key_kind kind, unsigned bits)
{
	uint8_t P256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
	uint8_t P384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
	uint8_t ED25519[] = {0x13, 0x0C, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	uint8_t e[] = {1, 0, 1};
	CK_ULONG modulus = bits, n = 0, n_pub, n_priv;
	CK_ATTRIBUTE pub[8], priv[8];
	CK_OBJECT_HANDLE found[2], public = 0, private = 0;
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

	if (p11_kit_uri_get_attribute(h->uri, CKA_LABEL) == NULL)
		return fail(ERR_WORLD, "hsm-uri-object: RFC 7512: a key to be made needs an object label in its URI");
	TRY(find(h, CKO_PRIVATE_KEY, found, &n));
	if (n != 0)
		return fail(ERR_CONFLICT, "hsm-key-there: Rule 6(xvii): the token already holds a key of that name");
	n_pub = named(h, &yes, pub);
	n_priv = named(h, &yes, priv);
	pub[n_pub++] = (CK_ATTRIBUTE){CKA_VERIFY, &yes, sizeof yes};
	priv[n_priv++] = (CK_ATTRIBUTE){CKA_PRIVATE, &yes, sizeof yes};
	priv[n_priv++] = (CK_ATTRIBUTE){CKA_SENSITIVE, &yes, sizeof yes};
	priv[n_priv++] = (CK_ATTRIBUTE){CKA_EXTRACTABLE, &no, sizeof no};
	priv[n_priv++] = (CK_ATTRIBUTE){CKA_SIGN, &yes, sizeof yes};
	if (kind == KEY_RSA) {
		m.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		pub[n_pub++] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &modulus, sizeof modulus};
		pub[n_pub++] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, e, sizeof e};
	} else if (kind == KEY_ED25519) {
		m.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
		pub[n_pub++] = (CK_ATTRIBUTE){CKA_EC_PARAMS, ED25519, sizeof ED25519};
	} else
		pub[n_pub++] = kind == KEY_P256 ? (CK_ATTRIBUTE){CKA_EC_PARAMS, P256, sizeof P256}
		                                : (CK_ATTRIBUTE){CKA_EC_PARAMS, P384, sizeof P384};
	TRY(of_rv(h->f->C_GenerateKeyPair(h->session, &m, pub, n_pub, priv, n_priv, &public, &private)));
	TRY(read_public(h, private, public));
	h->key = private;
	return ok;
}

static err
free_slot(struct hsm *h)
{
	CK_SLOT_ID slots[HSM_SLOTS_MAX];
	CK_ULONG n = HSM_SLOTS_MAX;

	TRY(of_rv(h->f->C_GetSlotList(CK_TRUE, slots, &n)));
	for (CK_ULONG i = 0; i < n && i < HSM_SLOTS_MAX; i++) {
		CK_TOKEN_INFO info;

		if (h->f->C_GetTokenInfo(slots[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
			h->slot = slots[i];
			return ok;
		}
	}
	return fail(ERR_ABSENT, "hsm-no-slot: PKCS#11: the module has no slot free for a new token");
}

err
hsm_make_token(const char *module, slice label, slice officer_pin, slice pin)
{
	struct hsm *h OWNED(hsm_close) = mem_new(1, sizeof *h);
	uint8_t padded[32], officer[SECRET_MAX], user[SECRET_MAX];
	CK_RV rv;

	if (label.n == 0 || label.n > sizeof padded || officer_pin.n > sizeof officer || pin.n > sizeof user)
		return of_rv(CKR_PIN_LEN_RANGE);
	memset(padded, ' ', sizeof padded);
	memcpy(padded, label.p, label.n);
	memcpy(officer, officer_pin.p, officer_pin.n);
	memcpy(user, pin.p, pin.n);
	TRY(load(h, module));
	TRY(free_slot(h));
	rv = h->f->C_InitToken(h->slot, officer, officer_pin.n, padded);
	if (rv == CKR_OK)
		rv = h->f->C_OpenSession(h->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h->session);
	h->has_session = rv == CKR_OK;
	if (rv == CKR_OK)
		rv = h->f->C_Login(h->session, CKU_SO, officer, officer_pin.n);
	if (rv == CKR_OK)
		rv = h->f->C_InitPIN(h->session, user, pin.n);
	wipe(officer, sizeof officer);
	wipe(user, sizeof user);
	return of_rv(rv);
}

/* Fields of CK_TOKEN_INFO are padded with blanks. */
static void
put_padded(struct buf *out, const uint8_t *p, size_t n)
{
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == 0))
		n--;
	for (size_t i = 0; i < n; i++)
		buf_put_u8(out, p[i] >= 0x21 && p[i] < 0x7F && p[i] != '"' && p[i] != '\\' ? p[i] : '_');
	buf_put_u8(out, ' ');
}

void
hsm_put_token(const struct hsm *h, struct buf *out)
{
	put_padded(out, h->token.manufacturerID, sizeof h->token.manufacturerID);
	put_padded(out, h->token.model, sizeof h->token.model);
	put_padded(out, h->token.serialNumber, sizeof h->token.serialNumber);
	buf_put_decimal(out, h->token.firmwareVersion.major);
	buf_put_u8(out, '.');
	buf_put_decimal(out, h->token.firmwareVersion.minor);
}
