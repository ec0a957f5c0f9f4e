/*
 * vcard.c - a virtual My Number Card in a virtual reader: an IFD handler for pcscd (domain facts 2.6).
 *
 * DEVICENAME in reader.conf is a folder with the card's files:
 *	sign.cer sign.key signca.cer   the signature certificate (DER), its key (PKCS#8 PEM), its CA; may be absent
 *	auth.cer auth.key authca.cer   the same for user authentication
 *	pin.sign pin.auth              the PINs, one line each
 *	tries.sign tries.auth          tries left, one digit; written before a comparison is answered, as a card does
 *	removed                        while it is there the reader is empty
 *
 * Only what the surveys of real cards describe is answered; all else gets an ISO 7816-4 status word.  A power cycle or
 * a new SELECT of the application forgets selection and logins, never the tries.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ifdhandler.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define READERS_MAX 16
#define FILE_MAX 8192
#define RSA_BYTES 256
#define RAW_MAX 245 /* 256 minus the 11 octets PKCS#1 padding needs at least */

enum pin { PIN_AUTH, PIN_SIGN, PIN_NONE };

static const struct {
	const char *name;
	unsigned tries;
	size_t min, max;
} pin_table[] = {{"auth", 3, 4, 4}, {"sign", 5, 6, 16}};

enum ef_kind { EF_FILE, EF_BYTES, EF_PIN, EF_KEY };

static const struct ef {
	unsigned id;
	enum ef_kind kind;
	enum pin pin; /* whose login it needs; for a PIN itself: which */
	const char *name;
} ef_table[] = {
    {0x0001, EF_FILE, PIN_SIGN, "sign.cer"},
    {0x0002, EF_FILE, PIN_NONE, "signca.cer"},
    {0x0006, EF_BYTES, PIN_NONE, "token"},
    {0x0008, EF_BYTES, PIN_NONE, "presence"},
    {0x000A, EF_FILE, PIN_NONE, "auth.cer"},
    {0x000B, EF_FILE, PIN_NONE, "authca.cer"},
    {0x0017, EF_KEY, PIN_AUTH, "auth.key"},
    {0x0018, EF_PIN, PIN_AUTH, "auth"},
    {0x001A, EF_KEY, PIN_SIGN, "sign.key"},
    {0x001B, EF_PIN, PIN_SIGN, "sign"},
};

struct card {
	char dir[512];
	bool open, powered, selected;
	const struct ef *ef;
	bool login[2];
};

struct apdu {
	uint8_t cla, ins, p1, p2;
	const uint8_t *data;
	size_t lc, le; /* le 0: none asked for */
};

struct answer {
	uint8_t p[FILE_MAX];
	size_t n;
	unsigned sw;
};

static struct card cards[READERS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const uint8_t atr[] = {0x3B, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14};
static const uint8_t jpki_ap[] = {0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01};

/* ---- the card's files --------------------------------------------------------------------------------------------- */

static void
card_path(const struct card *c, const char *a, const char *b, char *out, size_t max)
{
	snprintf(out, max, "%s/%s%s", c->dir, a, b);
}

static bool
card_has(const struct card *c, const char *name)
{
	char p[600];

	card_path(c, name, "", p, sizeof p);
	return access(p, R_OK) == 0;
}

/* Up to max bytes of a file; -1 where it is not there. */
static long
card_read(const struct card *c, const char *a, const char *b, uint8_t *out, size_t max)
{
	char p[600];
	FILE *f;
	size_t n;

	card_path(c, a, b, p, sizeof p);
	if ((f = fopen(p, "rb")) == NULL)
		return -1;
	n = fread(out, 1, max, f);
	fclose(f);
	return (long)n;
}

static bool
card_write(const struct card *c, const char *a, const char *b, const uint8_t *in, size_t n)
{
	char p[600], tmp[610];
	FILE *f;
	bool good;

	card_path(c, a, b, p, sizeof p);
	snprintf(tmp, sizeof tmp, "%s.new", p);
	if ((f = fopen(tmp, "wb")) == NULL)
		return false;
	good = fwrite(in, 1, n, f) == n && fputc('\n', f) != EOF;
	return fclose(f) == 0 && good && rename(tmp, p) == 0;
}

static unsigned
tries_get(const struct card *c, enum pin pin)
{
	uint8_t b[1];

	if (card_read(c, "tries.", pin_table[pin].name, b, 1) != 1 || b[0] < '0' || b[0] > '9')
		return pin_table[pin].tries;
	return (unsigned)(b[0] - '0');
}

static bool
tries_set(const struct card *c, enum pin pin, unsigned n)
{
	return card_write(c, "tries.", pin_table[pin].name, (const uint8_t[]){(uint8_t)('0' + n)}, 1);
}

static const struct ef *
ef_find(unsigned id)
{
	for (size_t i = 0; i < sizeof ef_table / sizeof ef_table[0]; i++)
		if (ef_table[i].id == id)
			return &ef_table[i];
	return NULL;
}

static bool
ef_is_there(const struct card *c, const struct ef *e)
{
	return (e->kind != EF_FILE && e->kind != EF_KEY) || card_has(c, e->name);
}

/* P2 of VERIFY, CHANGE and 2A: 80 is the selected file, 80|n the file with that short number. */
static const struct ef *
ef_by_p2(const struct card *c, uint8_t p2)
{
	if (!c->selected || (p2 & 0xE0) != 0x80)
		return NULL;
	return p2 == 0x80 ? c->ef : ef_find(p2 & 0x1F);
}

/* The 160 bytes of a CK_TOKEN_INFO; only the label is known to be looked at. */
static size_t
token_info(uint8_t *out)
{
	memset(out, ' ', 96);
	memset(out + 96, 0, 64);
	memcpy(out, "JPKIAPICCTOKEN2", 15);
	memcpy(out + 32, "JPKI", 4);
	return 160;
}

static size_t
presence(const struct card *c, uint8_t *out)
{
	out[0] = card_has(c, "sign.cer") ? 0x8F : 0x00;
	out[1] = card_has(c, "auth.cer") ? 0x8F : 0x00;
	out[2] = 0x00;
	return 3;
}

/* ---- commands -------------------------------------------------------------------------------------------------------- */

static unsigned
do_select(struct card *c, const struct apdu *a)
{
	const struct ef *e;

	if (a->p2 != 0x0C)
		return 0x6A86;
	if (a->p1 == 0x04) {
		if (a->lc != sizeof jpki_ap || memcmp(a->data, jpki_ap, sizeof jpki_ap) != 0)
			return 0x6A82;
		c->selected = true;
		c->ef = NULL;
		c->login[PIN_AUTH] = c->login[PIN_SIGN] = false;
		return 0x9000;
	}
	if (a->p1 != 0x02)
		return 0x6A86;
	if (a->lc != 2)
		return 0x6700;
	e = ef_find((unsigned)(a->data[0] << 8 | a->data[1]));
	if (!c->selected || e == NULL || !ef_is_there(c, e))
		return 0x6A82;
	c->ef = e;
	return 0x9000;
}

static bool
pin_is(const struct card *c, enum pin pin, const uint8_t *p, size_t n)
{
	uint8_t b[32];
	long have = card_read(c, "pin.", pin_table[pin].name, b, sizeof b);

	while (have > 0 && (b[have - 1] == '\n' || b[have - 1] == '\r'))
		have--;
	return have > 0 && (size_t)have == n && memcmp(b, p, n) == 0;
}

static unsigned
do_verify(struct card *c, const struct apdu *a)
{
	const struct ef *e = ef_by_p2(c, a->p2);
	unsigned left;

	if (a->p1 != 0x00)
		return 0x6A86;
	if (e == NULL || e->kind != EF_PIN)
		return 0x6A88;
	left = tries_get(c, e->pin);
	if (left == 0)
		return 0x6984;
	if (a->lc == 0)
		return 0x63C0 | left;
	c->login[e->pin] = false;
	if (!tries_set(c, e->pin, left - 1)) /* counted before it is compared: pulling the card saves no try */
		return 0x6581;
	if (!pin_is(c, e->pin, a->data, a->lc))
		return 0x63C0 | (left - 1);
	if (!tries_set(c, e->pin, pin_table[e->pin].tries))
		return 0x6581;
	c->login[e->pin] = true;
	return 0x9000;
}

static unsigned
do_change(struct card *c, const struct apdu *a)
{
	const struct ef *e = ef_by_p2(c, a->p2);

	if (a->p1 != 0x01)
		return 0x6A86;
	if (e == NULL || e->kind != EF_PIN)
		return 0x6A88;
	if (!c->login[e->pin])
		return 0x6982;
	if (a->lc < pin_table[e->pin].min || a->lc > pin_table[e->pin].max)
		return 0x6A80;
	for (size_t i = 0; i < a->lc; i++) {
		bool digit = a->data[i] >= '0' && a->data[i] <= '9', upper = a->data[i] >= 'A' && a->data[i] <= 'Z';

		if (!digit && !(upper && e->pin == PIN_SIGN))
			return 0x6A80;
	}
	return card_write(c, "pin.", e->name, a->data, a->lc) ? 0x9000 : 0x6581;
}

static unsigned
do_read(struct card *c, const struct apdu *a, struct answer *r)
{
	bool by_number = a->p1 & 0x80;
	const struct ef *e = by_number ? ef_find(a->p1 & 0x1F) : c->ef;
	size_t from = by_number ? a->p2 : (size_t)(a->p1 << 8 | a->p2);
	uint8_t whole[FILE_MAX];
	long n;

	if (!c->selected || e == NULL)
		return by_number ? 0x6A82 : 0x6986;
	if (e->kind != EF_FILE && e->kind != EF_BYTES)
		return 0x6981;
	if (e->pin != PIN_NONE && !c->login[e->pin])
		return 0x6982;
	if (a->le == 0 || a->lc != 0)
		return 0x6700;
	if (e->kind == EF_FILE)
		n = card_read(c, e->name, "", whole, sizeof whole);
	else
		n = (long)(e->id == 0x0006 ? token_info(whole) : presence(c, whole));
	if (n < 0)
		return 0x6A82;
	if (from > (size_t)n)
		return 0x6B00;
	r->n = (size_t)n - from < a->le ? (size_t)n - from : a->le;
	memcpy(r->p, whole + from, r->n);
	return 0x9000;
}

/* RSASSA-PKCS1-v1_5 over bytes that are padded as given. */
static bool
rsa_raw(const struct card *c, const char *name, const uint8_t *in, size_t n, struct answer *r)
{
	char p[600];
	FILE *f;
	EVP_PKEY *k;
	EVP_PKEY_CTX *x = NULL;
	size_t len = RSA_BYTES;
	bool good;

	card_path(c, name, "", p, sizeof p);
	if ((f = fopen(p, "rb")) == NULL)
		return false;
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	good = k != NULL && EVP_PKEY_get_size(k) == RSA_BYTES && (x = EVP_PKEY_CTX_new(k, NULL)) != NULL &&
	       EVP_PKEY_sign_init(x) == 1 && EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_sign(x, r->p, &len, in, n) == 1 && len == RSA_BYTES;
	r->n = good ? len : 0;
	EVP_PKEY_CTX_free(x);
	EVP_PKEY_free(k);
	return good;
}

static unsigned
do_sign(struct card *c, const struct apdu *a, struct answer *r)
{
	static const uint8_t sha256[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	    0x01, 0x05, 0x00, 0x04, 0x20};
	const struct ef *e = ef_by_p2(c, a->p2);
	uint8_t info[sizeof sha256 + 32];

	if (a->p1 != 0x00 && a->p1 != 0x02)
		return 0x6A86;
	if (e == NULL || e->kind != EF_KEY)
		return 0x6A88;
	if (!c->login[e->pin])
		return 0x6982;
	if (a->le < RSA_BYTES || a->lc == 0 || a->lc > RAW_MAX || (a->p1 == 0x02 && a->lc != 32))
		return 0x6700;
	if (a->p1 == 0x00)
		return rsa_raw(c, e->name, a->data, a->lc, r) ? 0x9000 : 0x6F00;
	memcpy(info, sha256, sizeof sha256);
	memcpy(info + sizeof sha256, a->data, 32);
	return rsa_raw(c, e->name, info, sizeof info, r) ? 0x9000 : 0x6F00;
}

/*
 * CLA INS P1 P2 [Lc data] [Le], short or extended (ISO 7816-4 5.1); false where the lengths do not add up.
 */
static bool
apdu_get(const uint8_t *p, size_t n, struct apdu *a)
{
	size_t head, le_size;
	bool extended;

	memset(a, 0, sizeof *a);
	if (n < 4)
		return false;
	a->cla = p[0], a->ins = p[1], a->p1 = p[2], a->p2 = p[3];
	if (n == 4)
		return true;
	if (n == 5) {
		a->le = p[4] == 0 ? 256 : p[4];
		return true;
	}
	extended = p[4] == 0;
	if (extended && n == 7) {
		a->le = (size_t)(p[5] << 8 | p[6]);
		a->le = a->le == 0 ? 65536 : a->le;
		return true;
	}
	if (extended && n < 7)
		return false;
	head = extended ? 7 : 5;
	le_size = extended ? 2 : 1;
	a->lc = extended ? (size_t)(p[5] << 8 | p[6]) : p[4];
	a->data = p + head;
	if (a->lc == 0 || (n != head + a->lc && n != head + a->lc + le_size))
		return false;
	if (n == head + a->lc)
		return true;
	a->le = extended ? (size_t)(p[n - 2] << 8 | p[n - 1]) : p[n - 1];
	if (a->le == 0)
		a->le = extended ? 65536 : 256;
	return true;
}

static void
card_do(struct card *c, const uint8_t *p, size_t n, struct answer *r)
{
	struct apdu a;

	r->n = 0;
	if (!apdu_get(p, n, &a))
		r->sw = 0x6700;
	else if (a.cla == 0x80 && a.ins == 0x2A)
		r->sw = do_sign(c, &a, r);
	else if (a.cla != 0x00)
		r->sw = 0x6E00;
	else if (a.ins == 0xA4)
		r->sw = do_select(c, &a);
	else if (a.ins == 0x20)
		r->sw = do_verify(c, &a);
	else if (a.ins == 0x24)
		r->sw = do_change(c, &a);
	else if (a.ins == 0xB0)
		r->sw = do_read(c, &a, r);
	else
		r->sw = 0x6D00;
	if (r->sw != 0x9000)
		r->n = 0;
}

/* ---- what pcscd calls ------------------------------------------------------------------------------------------------ */

static struct card *
card_of(DWORD lun)
{
	DWORD i = lun >> 16;

	return i < READERS_MAX && (lun & 0xFFFF) == 0 && cards[i].open ? &cards[i] : NULL;
}

static bool
card_is_in(const struct card *c)
{
	return card_has(c, "auth.cer") && !card_has(c, "removed");
}

static void
card_forget(struct card *c)
{
	c->selected = false;
	c->ef = NULL;
	c->login[PIN_AUTH] = c->login[PIN_SIGN] = false;
}

RESPONSECODE
IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
	DWORD i = lun >> 16;

	if (i >= READERS_MAX || name == NULL || strlen(name) >= sizeof cards[0].dir)
		return IFD_NO_SUCH_DEVICE;
	memset(&cards[i], 0, sizeof cards[i]);
	snprintf(cards[i].dir, sizeof cards[i].dir, "%s", name);
	cards[i].open = true;
	return IFD_SUCCESS;
}

RESPONSECODE
IFDHCreateChannel(DWORD lun, DWORD channel)
{
	(void)lun;
	(void)channel;
	return IFD_NO_SUCH_DEVICE; /* only by name */
}

RESPONSECODE
IFDHCloseChannel(DWORD lun)
{
	struct card *c = card_of(lun);

	if (c == NULL)
		return IFD_NO_SUCH_DEVICE;
	c->open = false;
	return IFD_SUCCESS;
}

RESPONSECODE
IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
	struct card *c = card_of(lun);
	uint8_t v;

	if (c == NULL && tag != TAG_IFD_SIMULTANEOUS_ACCESS && tag != TAG_IFD_THREAD_SAFE)
		return IFD_NO_SUCH_DEVICE;
	if (tag == TAG_IFD_ATR) {
		if (*length < sizeof atr || !c->powered)
			return IFD_COMMUNICATION_ERROR;
		memcpy(value, atr, sizeof atr);
		*length = sizeof atr;
		return IFD_SUCCESS;
	}
	switch (tag) {
	case TAG_IFD_SLOTS_NUMBER:
		v = 1;
		break;
	case TAG_IFD_SIMULTANEOUS_ACCESS:
		v = READERS_MAX;
		break;
	case TAG_IFD_THREAD_SAFE:
	case TAG_IFD_SLOT_THREAD_SAFE:
		v = 0;
		break;
	default:
		return IFD_ERROR_TAG;
	}
	if (*length < 1)
		return IFD_ERROR_INSUFFICIENT_BUFFER;
	*value = v;
	*length = 1;
	return IFD_SUCCESS;
}

RESPONSECODE
IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
	(void)lun;
	(void)tag;
	(void)length;
	(void)value;
	return IFD_NOT_SUPPORTED;
}

RESPONSECODE
IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
	(void)flags;
	(void)pts1;
	(void)pts2;
	(void)pts3;
	return card_of(lun) != NULL && protocol == SCARD_PROTOCOL_T1 ? IFD_SUCCESS : IFD_PROTOCOL_NOT_SUPPORTED;
}

RESPONSECODE
IFDHPowerICC(DWORD lun, DWORD action, PUCHAR out, PDWORD length)
{
	struct card *c = card_of(lun);

	if (c == NULL)
		return IFD_NO_SUCH_DEVICE;
	card_forget(c);
	c->powered = false;
	if (action == IFD_POWER_DOWN) {
		*length = 0;
		return IFD_SUCCESS;
	}
	if (action != IFD_POWER_UP && action != IFD_RESET)
		return IFD_NOT_SUPPORTED;
	if (!card_is_in(c))
		return IFD_ERROR_POWER_ACTION;
	c->powered = true;
	memcpy(out, atr, sizeof atr);
	*length = sizeof atr;
	return IFD_SUCCESS;
}

RESPONSECODE
IFDHTransmitToICC(
    DWORD lun, SCARD_IO_HEADER send, PUCHAR tx, DWORD tx_n, PUCHAR rx, PDWORD rx_n, PSCARD_IO_HEADER receive)
{
	static struct answer r;
	struct card *c = card_of(lun);
	DWORD room = *rx_n;

	(void)send;
	*rx_n = 0;
	if (c == NULL)
		return IFD_NO_SUCH_DEVICE;
	if (!card_is_in(c) || !c->powered)
		return IFD_ICC_NOT_PRESENT;
	pthread_mutex_lock(&lock);
	card_do(c, tx, tx_n, &r);
	if (r.n + 2 > room) {
		pthread_mutex_unlock(&lock);
		return IFD_ERROR_INSUFFICIENT_BUFFER;
	}
	memcpy(rx, r.p, r.n);
	rx[r.n] = (UCHAR)(r.sw >> 8);
	rx[r.n + 1] = (UCHAR)r.sw;
	*rx_n = r.n + 2;
	pthread_mutex_unlock(&lock);
	if (receive != NULL)
		receive->Protocol = 1;
	return IFD_SUCCESS;
}

RESPONSECODE
IFDHControl(DWORD lun, DWORD code, PUCHAR tx, DWORD tx_n, PUCHAR rx, DWORD rx_n, LPDWORD returned)
{
	(void)lun;
	(void)code;
	(void)tx;
	(void)tx_n;
	(void)rx;
	(void)rx_n;
	*returned = 0;
	return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE
IFDHICCPresence(DWORD lun)
{
	struct card *c = card_of(lun);

	if (c == NULL)
		return IFD_NO_SUCH_DEVICE;
	return card_is_in(c) ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT;
}
