/*
 * apdu.c - sends APDUs straight to the card's driver, also such as no PC/SC library would let through.
 *
 *	apdu DRIVER CARD HEX...          one power-up; prints each answer in hex
 *	apdu DRIVER CARD random N SEED   N random ones, most of them near a real command; prints how many got 9000
 *
 * The driver is called as pcscd calls it; what it writes beyond the room given is found and reported.
 */
#include <dlfcn.h>

#include "base/base.h"

/* PC/SC's own types, as wintypes.h and ifdhandler.h have them. */
typedef struct {
	unsigned long protocol, length;
} io_header;

#define POWER_UP 500
#define GUARD 0xA5
#define APDU_MAX 1100
#define ROOM 300

static long (*do_open)(unsigned long, char *);
static long (*do_power)(unsigned long, unsigned long, unsigned char *, unsigned long *);
static long (*do_transmit)(
    unsigned long, io_header, unsigned char *, unsigned long, unsigned char *, unsigned long *, io_header *);

static void *
symbol(void *so, const char *name)
{
	void *p = dlsym(so, name);

	if (p == NULL) {
		fprintf(stderr, "apdu: %s\n", dlerror());
		exit(1);
	}
	return p;
}

/* The answer's length; the status word are its last two bytes. */
static size_t
transmit(const uint8_t *in, size_t n, uint8_t out[ROOM])
{
	uint8_t *tx = mem_new(n + 1, 1), *rx = mem_new(ROOM + 16, 1); /* exact sizes, for a sanitizer to see */
	unsigned long got = ROOM;
	long rc;

	memcpy(tx, in, n);
	memset(rx, GUARD, ROOM + 16);
	rc = do_transmit(0, (io_header){1, 16}, tx, n, rx, &got, NULL);
	for (size_t i = 0; i < 16; i++)
		if (rx[ROOM + i] != GUARD) {
			fprintf(stderr, "apdu: written beyond the room\n");
			exit(1);
		}
	if (rc != 0)
		got = 0;
	if (got > ROOM) {
		fprintf(stderr, "apdu: more than the room\n");
		exit(1);
	}
	memcpy(out, rx, got);
	free(tx);
	free(rx);
	return got;
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* Half of them begin like a real command, with lengths that may lie. */
static size_t
random_apdu(uint64_t *state, uint8_t *p)
{
	static const uint8_t heads[][4] = {{0x00, 0xA4, 0x04, 0x0C}, {0x00, 0xA4, 0x02, 0x0C}, {0x00, 0x20, 0x00, 0x80},
	    {0x00, 0xB0, 0x00, 0x00}, {0x80, 0x2A, 0x00, 0x80}, {0x80, 0x2A, 0x02, 0x9A}, {0x00, 0x24, 0x01, 0x80},
	    {0x00, 0xB0, 0x8A, 0x00}};
	size_t n = next_random(state) % (next_random(state) % 8 == 0 ? APDU_MAX : 24);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next_random(state);
	if (n >= 4 && next_random(state) % 4 != 0)
		memcpy(p, heads[next_random(state) % COUNT(heads)], 4);
	if (n >= 6 && next_random(state) % 2 == 0)
		p[4] = (uint8_t)(n - 5);
	if (n >= 7 && p[1] == 0xA4 && p[2] == 0x02)
		p[4] = 2, p[5] = 0, p[6] &= 0x1F;
	return n;
}

int
main(int argc, char **argv)
{
	unsigned char atr[64];
	unsigned long atr_n = sizeof atr;
	uint8_t in[APDU_MAX], out[ROOM];
	void *so;
	size_t n, good = 0;

	if (argc < 4 || (so = dlopen(argv[1], RTLD_NOW)) == NULL) {
		fprintf(stderr, "apdu DRIVER CARD HEX... | random N SEED; %s\n", argc < 4 ? "" : dlerror());
		return 2;
	}
	*(void **)&do_open = symbol(so, "IFDHCreateChannelByName");
	*(void **)&do_power = symbol(so, "IFDHPowerICC");
	*(void **)&do_transmit = symbol(so, "IFDHTransmitToICC");
	if (do_open(0, argv[2]) != 0 || do_power(0, POWER_UP, atr, &atr_n) != 0) {
		fprintf(stderr, "apdu: no card in %s\n", argv[2]);
		return 1;
	}
	if (argc == 6 && strcmp(argv[3], "random") == 0) {
		uint64_t state = strtoull(argv[5], NULL, 10);

		for (unsigned long i = strtoul(argv[4], NULL, 10); i > 0; i--) {
			n = random_apdu(&state, in);
			n = transmit(in, n, out);
			if (n < 2) {
				fprintf(stderr, "apdu: no status word\n");
				return 1;
			}
			good += out[n - 2] == 0x90 && out[n - 1] == 0x00;
		}
		printf("%zu\n", good);
		return 0;
	}
	for (int i = 3; i < argc; i++) {
		struct buf hex OWNED(buf_drop) = BUF(2 * ROOM + 2);

		n = strlen(argv[i]) / 2;
		if (n > APDU_MAX || hex_get(slice_str(argv[i]), in, n).kind != OK) {
			fprintf(stderr, "apdu: %s: not lower-case hex\n", argv[i]);
			return 2;
		}
		n = transmit(in, n, out);
		buf_put_hex(&hex, slice_of(out, n));
		printf("%.*s\n", (int)hex.n, (const char *)hex.p);
	}
	return 0;
}
