/* Who signs: the My Number Card, or the subscriber's own key in a file or a token. */
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"
#include "edge/random.h"
#include "pki/cms.h"

#define KEY_FILE "key.pem"
#define KEY_LABEL "inkan"

static const char card_ask[] = "PIN of the card's signature certificate (6 to 16 letters and digits)";
static const char token_ask[] = "PIN of the token that keeps your key";

void
holder_drop(struct holder *h)
{
	card_close(&h->card);
	keyfile_drop(&h->file);
	buf_drop(&h->spki);
	*h = (struct holder){.card = NULL};
}

/* What PKCS#11 tells of earlier tries, before the next one is spent. */
static err
tell_tries(struct inkan *k, struct card *c)
{
	switch (card_tries(c)) {
	case CARD_TRIES_NONE:
		return fail(ERR_POLICY,
		    "card-pin-locked: PKCS#11: the PIN is locked; for a My Number Card the municipal window sets a new one");
	case CARD_TRIES_LAST:
		say_line(k, "Careful: only one try of the PIN is left. After a wrong one the card is locked, and only the "
		            "municipal window "
		            "helps.");
		return ok;
	case CARD_TRIES_SOME_USED:
		say_line(k, "Note: a wrong PIN was given before; the card counts wrong ones.");
		return ok;
	case CARD_TRIES_ALL:
	default:
		return ok;
	}
}

/* A file of answers never tries a second time: its next line was meant for something else. */
static bool
may_try_again(const struct inkan *k, err e)
{
	slice what = slice_str(e.what);

	return ask_is_person(k) &&
	       (slice_has_prefix(what, LIT("card-pin-wrong:")) || slice_has_prefix(what, LIT("card-pin-last:")) ||
	           slice_has_prefix(what, LIT("card-pin-form:")));
}

/* One PIN from the person for one try; a person may try again by his own will, nobody else. */
static err
login(struct inkan *k, struct card *c, const char *name, const char *prompt, bool jpki)
{
	for (;;) {
		struct secret pin OWNED(secret_drop) = {.n = 0};
		err e;

		TRY(tell_tries(k, c));
		TRY(ask_secret(k, name, prompt, &pin));
		if (pin.n == 0)
			return fail(ERR_POLICY, "ask-stopped: inkan(1): stopped by you; nothing was sent");
		e = jpki ? card_pin_of_jpki(&pin) : ok;
		if (e.kind == OK)
			e = card_login(c, &pin);
		if (e.kind == OK || !may_try_again(k, e))
			return e;
		say_err(k, e);
		say_line(k, "You may type it again, or stop with Enter alone.");
	}
}

static err
id_of(const char *hex, struct holder *h)
{
	h->id_n = strlen(hex) / 2;
	if (h->id_n == 0 || h->id_n > sizeof h->id)
		return fail(ERR_INPUT, "usage: inkan(1): an object's id is 1 to 32 bytes in hexadecimal");
	return hex_get(slice_str(hex), h->id, h->id_n);
}

static bool
is_jpki(const struct card *c)
{
	return slice_has_prefix(card_label(c), LIT("JPKI"));
}

err
holder_card(struct inkan *k, struct holder *h, struct buf *certificate)
{
	struct buf found OWNED(buf_drop) = BUF(4096);
	struct cert c;
	struct key *key OWNED(key_drop) = NULL;
	err e;

	TRY(id_of(k->o.card_id == NULL ? "02" : k->o.card_id, h));
	if (k->o.module == NULL)
		TRY(card_find_module(&found));
	TRY(card_open(k->o.module == NULL ? (char *)found.p : k->o.module,
	    k->o.card_label == NULL ? CARD_JPKI_LABEL : k->o.card_label, &h->card));
	h->asks = "pin";
	SAY(k, "Card: {1}", card_label(h->card));
	TRY(login(k, h->card, h->asks, card_ask, is_jpki(h->card)));
	e = card_certificate(h->card, slice_of(h->id, h->id_n), certificate);
	if (e.kind == ERR_ABSENT && slice_has_prefix(slice_str(e.what), LIT("card-object:")))
		return fail(ERR_ABSENT, "card-without: JPKI Act 3: this card holds no signature certificate (a child's card, "
		                        "or none was asked for); the municipal "
		                        "window can add one");
	TRY(e);
	TRY(cert_get(buf_slice(certificate), &c));
	TRY(key_get_spki(c.spki, &key));
	h->kind = key_kind(key);
	h->spki = BUF(SPKI_MAX);
	buf_put(&h->spki, c.spki);
	return buf_check(&h->spki);
}

/* --- the subscriber's key -------------------------------------------------------------- */
static const struct {
	const char *name;
	enum key_kind kind;
	unsigned bits;
} KINDS[] = {{"p256", KEY_P256, 0}, {"p384", KEY_P384, 0}, {"rsa2048", KEY_RSA, 2048}, {"rsa3072", KEY_RSA, 3072},
    {"rsa4096", KEY_RSA, 4096}};

static err
kind_of(const char *name, enum key_kind *kind, unsigned *bits)
{
	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(name == NULL ? "p256" : name, KINDS[i].name) == 0) {
			*kind = KINDS[i].kind;
			*bits = KINDS[i].bits;
			return ok;
		}
	return fail(ERR_INPUT, "usage: inkan(1): a key is one of p256 p384 rsa2048 rsa3072 rsa4096");
}

static err
load_file(struct inkan *k, struct holder *h)
{
	struct buf path OWNED(buf_drop) = BUF(4200);
	struct secret pass OWNED(secret_drop) = {.n = 0};

	store_path(k, KEY_FILE, &path);
	for (;;) {
		err e;

		TRY(ask_secret(k, "passphrase", "Passphrase of your key", &pass));
		if (pass.n == 0)
			return fail(ERR_POLICY, "ask-stopped: inkan(1): stopped by you; nothing was sent");
		e = keyfile_load((char *)path.p, &pass, &h->file);
		if (e.kind != ERR_POLICY || !ask_is_person(k) ||
		    !slice_has_prefix(slice_str(e.what), LIT("keyfile-passphrase:")))
			return e;
		say_err(k, e);
	}
}

static err
make_file(struct inkan *k, struct holder *h)
{
	struct secret pass OWNED(secret_drop) = {.n = 0};
	struct buf path OWNED(buf_drop) = BUF(4200);
	enum key_kind kind;
	unsigned bits;
	const char *kdf = k->o.kdf == NULL ? "scrypt" : k->o.kdf;

	if (strcmp(kdf, "scrypt") != 0 && strcmp(kdf, "pbkdf2") != 0)
		return fail(ERR_INPUT, "usage: inkan(1): --kdf is scrypt or pbkdf2");
	TRY(kind_of(k->o.key, &kind, &bits));
	if (store_has(k, KEY_FILE)) {
		say_line(k, "The key made here earlier is used.");
		return load_file(k, h);
	}
	say_line(k, strcmp(kdf, "scrypt") == 0 ? "A new key is made and kept in a file, encrypted with AES-256 under your "
	                                         "passphrase (scrypt, N=16384 r=8 p=8)."
	                                       : "A new key is made and kept in a file, encrypted with AES-256 under your "
	                                         "passphrase (PBKDF2, 600,000 rounds).");
	TRY(ask_new_passphrase(k, &pass));
	TRY(keyfile_new(kind, bits, &h->file));
	store_path(k, KEY_FILE, &path);
	return keyfile_store(h->file, (char *)path.p, &pass, strcmp(kdf, "scrypt") == 0 ? KEYFILE_SCRYPT : KEYFILE_PBKDF2);
}

static err
open_token(struct inkan *k, struct holder *h, const char *module, const char *label)
{
	TRY(card_open(module, label, &h->card));
	h->asks = "key-pin";
	SAY(k, "Token: {1}", card_label(h->card));
	return login(k, h->card, h->asks, token_ask, false);
}

static err
take_file_spki(struct holder *h)
{
	h->spki = BUF(SPKI_MAX);
	h->kind = keyfile_kind(h->file);
	buf_put(&h->spki, keyfile_spki(h->file));
	return buf_check(&h->spki);
}

err
holder_make(struct inkan *k, struct holder *h, struct state *s, struct buf *kept, struct buf *id_hex)
{
	enum key_kind kind;
	unsigned bits;

	if (k->o.key_label == NULL) {
		s->key = LIT("file");
		buf_put_str(kept, "file");
		TRY(make_file(k, h));
		return take_file_spki(h);
	}
	TRY(kind_of(k->o.key, &kind, &bits));
	if (k->o.key_module == NULL)
		return fail(ERR_INPUT, "usage: inkan(1): a key in a token needs its module: --key-module");
	TRY(open_token(k, h, k->o.key_module, k->o.key_label));
	h->spki = BUF(SPKI_MAX);
	h->kind = kind;
	h->id_n = 8;
	random_bytes(h->id, h->id_n);
	TRY(card_generate(h->card, kind, bits, KEY_LABEL, slice_of(h->id, h->id_n), &h->spki));
	buf_put_str(kept, "token: ");
	buf_put(kept, card_model(h->card));
	buf_put_u8(kept, ' ');
	buf_put(kept, card_serial(h->card));
	buf_put_hex(id_hex, slice_of(h->id, h->id_n));
	s->key = LIT("token");
	s->key_module = slice_str(k->o.key_module);
	s->key_label = slice_str(k->o.key_label);
	s->key_id = buf_slice(id_hex);
	return ok;
}

err
holder_own(struct inkan *k, struct holder *h, const struct state *s)
{
	struct buf module OWNED(buf_drop) = BUF(4096), label OWNED(buf_drop) = BUF(64);
	struct key *key OWNED(key_drop) = NULL;

	if (!slice_eq(s->key, LIT("token"))) {
		TRY(load_file(k, h));
		return take_file_spki(h);
	}
	buf_put(&module, s->key_module);
	buf_put_u8(&module, '\0');
	buf_put(&label, s->key_label);
	buf_put_u8(&label, '\0');
	h->id_n = s->key_id.n / 2;
	if (h->id_n == 0 || h->id_n > sizeof h->id || hex_get(s->key_id, h->id, h->id_n).kind != OK)
		return fail(ERR_INPUT, "state-key: inkan(1): the folder does not say which key is yours");
	TRY(open_token(k, h, (char *)module.p, (char *)label.p));
	h->spki = BUF(SPKI_MAX);
	TRY(card_spki(h->card, slice_of(h->id, h->id_n), &h->spki));
	TRY(key_get_spki(buf_slice(&h->spki), &key));
	h->kind = key_kind(key);
	return ok;
}

/* --- signing --------------------------------------------------------------------------------- */
err
holder_sign(struct inkan *k, struct holder *h, enum sig_alg alg, slice message, struct buf *out)
{
	(void)k;
	if (h->file != NULL)
		return keyfile_sign(h->file, alg, message, out);
	return card_sign(h->card, slice_of(h->id, h->id_n), alg, message, NULL, out);
}

/* The act of will: what was shown is signed by giving the PIN for this one signature (JPKI Rule 36-2). */
static err
sign_with_pin(struct inkan *k, struct holder *h, enum sig_alg alg, slice message, struct buf *out)
{
	bool jpki = is_jpki(h->card);

	for (;;) {
		struct secret pin OWNED(secret_drop) = {.n = 0};
		err e;

		TRY(tell_tries(k, h->card));
		TRY(ask_secret(k, h->asks, "PIN again: giving it signs the document shown above", &pin));
		if (pin.n == 0)
			return fail(ERR_POLICY, "ask-stopped: inkan(1): stopped by you; nothing was sent");
		e = jpki ? card_pin_of_jpki(&pin) : ok;
		if (e.kind == OK)
			e = card_sign(h->card, slice_of(h->id, h->id_n), alg, message, &pin, out);
		if (e.kind == OK || !may_try_again(k, e))
			return e;
		say_err(k, e);
		say_line(k, "You may type it again, or stop with Enter alone.");
	}
}

err
holder_sign_document(struct inkan *k, struct holder *h, slice certificate, slice text, struct buf *cms)
{
	struct buf attrs OWNED(buf_drop) = BUF(4096), signature OWNED(buf_drop) = BUF(SIG_MAX);
	struct cms_plan p = {.content = text, .certificate = certificate, .alg = sig_alg_for(h->kind)};
	struct key *key OWNED(key_drop) = NULL;
	struct cert c;
	struct cms made;

	if (certificate.n == 0) { /* not certified yet: named by its key identifier */
		TRY(key_get_spki(buf_slice(&h->spki), &key));
		key_identifier(key, p.key_id);
	} else {
		TRY(cert_get(certificate, &c));
		TRY(key_get_spki(c.spki, &key));
	}
	p.signing_time = instant_floor_second(clock_now());
	cms_put_attrs(&attrs, &p);
	TRY(buf_check(&attrs));
	if (h->file != NULL)
		TRY(keyfile_sign(h->file, p.alg, buf_slice(&attrs), &signature));
	else
		TRY(sign_with_pin(k, h, p.alg, buf_slice(&attrs), &signature));
	cms_join(cms, &p, buf_slice(&attrs), buf_slice(&signature));
	TRY(buf_check(cms));
	/* What goes out is read and verified as the other side will: a card may have signed with another key. */
	TRY(cms_get(buf_slice(cms), &made));
	return cms_check(&made, key);
}
