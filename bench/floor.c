/* LINK: test/jpki/make.c */
/*
 * floor - what the cryptography of one application costs on this machine, right now.
 *
 *   floor MODULE TOKEN-URI PIN        prints JSON: microseconds of each operation
 *
 * One rate beside them, signatures a second, feels what else runs on the machine.  Measured through the house's own doors (base/key, edge/hsm), each over at least SECONDS.
 */
#include <stdio.h>
#include <time.h>

#include "base/hash.h"
#include "base/key.h"
#include "edge/hsm.h"
#include "test/jpki/make.h"

#define SECONDS 1.0

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
verify_us(enum key_kind kind, unsigned bits)
{
	struct signer *s OWNED(signer_drop) = signer_new(kind, bits);
	struct key *k OWNED(key_drop) = NULL;
	struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);
	slice message = LIT("the bytes that were signed");
	double start;
	size_t n = 0;

	signer_sign(s, sig_alg_for(kind), message, &sig);
	if (key_get_spki(signer_spki(s), &k).kind != OK)
		exit(1);
	start = now();
	do {
		for (int i = 0; i < 50; i++)
			if (key_check(k, sig_alg_for(kind), message, buf_slice(&sig)).kind != OK)
				exit(1);
		n += 50;
	} while (now() - start < SECONDS);
	return (now() - start) / (double)n * 1e6;
}

static double
sign_us(struct hsm *h, double *per_second)
{
	digest d = sha256(LIT("the bytes that are signed"));
	double start = now(), began = wall();
	size_t n = 0;

	do {
		for (int i = 0; i < 50; i++) {
			struct buf sig OWNED(buf_drop) = BUF(SIG_MAX);

			if (hsm_sign(h, SIG_ECDSA_SHA256, digest_slice(&d), &sig).kind != OK)
				exit(1);
		}
		n += 50;
	} while (now() - start < SECONDS);
	*per_second = (double)n / (wall() - began);
	return (now() - start) / (double)n * 1e6;
}

int
main(int argc, char **argv)
{
	struct hsm *h OWNED(hsm_close) = NULL;
	double rsa, ec, sign, all, per_second;
	err e;

	if (argc != 4)
		return 2;
	e = hsm_open(argv[1], slice_str(argv[2]), HSM_SIGN, &h);
	if (e.kind == OK)
		e = hsm_login(h, slice_str(argv[3]));
	if (e.kind == OK)
		e = hsm_find(h);
	if (e.kind != OK) {
		fprintf(stderr, "floor: %s\n", e.what);
		return 1;
	}
	rsa = verify_us(KEY_RSA, 2048);
	ec = verify_us(KEY_P256, 256);
	sign = sign_us(h, &per_second);
	all = 2 * (2 * rsa + ec) + sign + ec; /* verifier and signer; the token's signature and its verification */
	printf("{\"rsa2048_verify_us\":%.1f,\"p256_verify_us\":%.1f,\"p256_token_sign_us\":%.1f,\"p256_token_per_second\":%"
	       ".0f,\"application_us\":%.1f,"
	       "\"floor_per_second_2_cores\":%.0f}\n",
	    rsa, ec, sign, per_second, all, 2e6 / all);
	return 0;
}
