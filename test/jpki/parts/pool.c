/*
 * pool.c - files, and a pool of keys: RSA keys are slow to make, so leaves share a few.
 */
#include "test/jpki/parts/world.h"

static const struct {
	const char *name;
	unsigned bits; /* 0: P-256 */
	unsigned e;
} key_table[K_COUNT] = {
    [K_SIGN1] = {"signca01", 2048, 65537},
    [K_SIGN2] = {"signca02", 2048, 65537},
    [K_SIGN3] = {"signca03", 2048, 65537},
    [K_AUTHCA] = {"authca", 2048, 65537},
    [K_OCSP] = {"ocsp", 2048, 65537},
    [K_FOREIGN] = {"foreign", 2048, 65537},
    [K_LEAF1] = {"leaf1", 2048, 65537},
    [K_LEAF2] = {"leaf2", 2048, 65537},
    [K_LEAF3] = {"leaf3", 2048, 65537},
    [K_LEAF4] = {"leaf4", 2048, 65537},
    [K_LEAF5] = {"leaf5", 2048, 65537},
    [K_AUTH] = {"auth", 2048, 65537},
    [K_MANY] = {"many", 2048, 65537},
    [K_1024] = {"rsa1024", 1024, 65537},
    [K_3072] = {"rsa3072", 3072, 65537},
    [K_E3] = {"e3", 2048, 3},
    [K_P256] = {"p256", 0, 0},
};

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "world: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	ERR_print_errors_fp(stderr);
	exit(1);
}

void
need(bool yes, const char *what)
{
	if (!yes)
		die("%s", what);
}

const char *
path(const char *dir, const char *name, const char *suffix)
{
	static char p[4][LINE_MAX_BYTES];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(p[i], sizeof p[i], "%s/%s%s", dir, name, suffix);
	return p[i];
}

FILE *
open_or_die(const char *p, const char *mode)
{
	FILE *f = fopen(p, mode);

	if (f == NULL)
		die("%s: %s", p, strerror(errno));
	return f;
}

void
write_file(const char *p, slice s)
{
	char tmp[LINE_MAX_BYTES + 8];
	FILE *f;

	snprintf(tmp, sizeof tmp, "%s.new", p);
	f = open_or_die(tmp, "wb");
	if (fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0 || rename(tmp, p) != 0)
		die("%s: %s", p, strerror(errno));
}

struct buf
read_file(const char *p)
{
	struct buf b = BUF(1 << 26);
	FILE *f = open_or_die(p, "rb");
	uint8_t part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(&b, slice_of(part, n));
	fclose(f);
	return b;
}

static EVP_PKEY *
key_make(unsigned bits, unsigned e)
{
	EVP_PKEY_CTX *c;
	EVP_PKEY *k = NULL;
	BIGNUM *n;

	if (bits == 0)
		return EVP_EC_gen("P-256");
	n = BN_new();
	c = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	need(c != NULL && n != NULL && BN_set_word(n, e) == 1, "key");
	need(EVP_PKEY_keygen_init(c) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(c, (int)bits) == 1 &&
	         EVP_PKEY_CTX_set1_rsa_keygen_pubexp(c, n) == 1 && EVP_PKEY_keygen(c, &k) == 1,
	    "RSA key generation");
	BN_free(n);
	EVP_PKEY_CTX_free(c);
	return k;
}

void
key_store(const char *p, EVP_PKEY *k)
{
	char tmp[LINE_MAX_BYTES + 32];
	FILE *f;

	snprintf(tmp, sizeof tmp, "%s.%ld.new", p, (long)getpid());
	f = open_or_die(tmp, "wb");
	need(PEM_write_PKCS8PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1, "write key");
	if (fclose(f) != 0 || rename(tmp, p) != 0)
		die("%s: %s", p, strerror(errno));
}

EVP_PKEY *
key(enum key_id id)
{
	const char *p = path(w.keys, key_table[id].name, ".key");
	FILE *f;

	if (w.pool[id] != NULL)
		return w.pool[id];
	if ((f = fopen(p, "rb")) != NULL) {
		w.pool[id] = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
		need(w.pool[id] != NULL, p);
		return w.pool[id];
	}
	w.pool[id] = key_make(key_table[id].bits, key_table[id].e);
	need(w.pool[id] != NULL, "key");
	key_store(p, w.pool[id]);
	return w.pool[id];
}
