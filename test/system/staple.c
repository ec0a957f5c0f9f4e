/* LINK: test/jpki/make.c */
/*
 * staple - one answer about one certificate of a small CA that is not the house's, by the words the house makes its own
 * with: planned and joined by pki/ocsp, taken apart, kept in a status file and made again by act/slots.
 *
 *   staple CA.cer RESPONDER.cer RESPONDER.key CERTIFICATE.cer good|revoked FILE
 *
 * The house's CA signs persons' certificates alone, by tickets: none that names a host, as curl wants.  All in DER; the
 * key in PEM.  Ends with a word where anything is not as it should be.
 */
#include <stdio.h>
#include <stdlib.h>

#include "act/slots.h"
#include "edge/clock.h"
#include "test/jpki/make.h"

static void
need(err e)
{
	if (e.kind == OK)
		return;
	fprintf(stderr, "staple: %s\n", e.what);
	exit(1);
}

static void
certificate_read(const char *path, struct buf *der, struct cert *out)
{
	*der = BUF(CERT_MAX);
	file_get(path, der);
	need(cert_get(buf_slice(der), out));
}

static void
answer(
    const struct cert *ca, const struct cert *leaf, slice responder, struct signer *key, bool revoked, struct buf *out)
{
	struct buf data OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct key *k OWNED(key_drop) = NULL;
	uint8_t id[SHA1_LEN];
	instant now = clock_now();
	struct ocsp_plan plan = {.serial = leaf->serial,
	    .status = revoked ? OCSP_REVOKED : OCSP_GOOD,
	    .revoked = {revoked ? now.ms - HOUR_MS : 0},
	    .reason = revoked ? REASON_KEY_COMPROMISE : REASON_UNSPECIFIED,
	    .produced = {now.ms - HOUR_MS},
	    .this_update = {now.ms - HOUR_MS},
	    .next_update = {now.ms + 47 * HOUR_MS},
	    .responder_key_id = ARR(id)};

	ocsp_issuer_of(ca, &plan.issuer);
	need(key_get_spki(signer_spki(key), &k));
	key_identifier(k, id);
	ocsp_put_data(&data, &plan);
	signer_sign(key, SIG_ECDSA_SHA256, buf_slice(&data), &sig);
	ocsp_join(out, buf_slice(&data), SIG_ECDSA_SHA256, buf_slice(&sig), responder);
}

/* Through a status file and out again, as the publisher writes it and a front reads it. */
static void
through_file(slice one, const struct cert *ca, serial of, struct buf *out)
{
	struct buf file OWNED(buf_drop) = BUF(1 << 20);
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots s OWNED(slots_drop) = {0};
	struct slots_common common;
	struct slot slot;
	slice piece;

	need(slots_common_get(one, ca, &common));
	need(slot_get_answer(one, &common, &slot));
	slots_write_start(&w, &common, clock_now());
	slots_write(&w, &slot);
	slots_write_end(&w);
	while (slots_write_out(&w, &piece))
		buf_put(&file, piece);
	need(slots_get(buf_slice(&file), &s));
	need(slots_find(&s, of, &slot));
	need(slots_put_answer(out, &s, &slot));
}

int
main(int argc, char **argv)
{
	struct buf ca_der OWNED(buf_drop) = BUF(0), responder_der OWNED(buf_drop) = BUF(0),
	                  leaf_der OWNED(buf_drop) = BUF(0);
	struct buf one OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX), out OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct signer *key OWNED(signer_drop) = NULL;
	struct cert ca, responder, leaf;

	if (argc != 7 || (strcmp(argv[5], "good") != 0 && strcmp(argv[5], "revoked") != 0)) {
		fputs("usage: staple CA.cer RESPONDER.cer RESPONDER.key CERTIFICATE.cer good|revoked FILE\n", stderr);
		return 2;
	}
	certificate_read(argv[1], &ca_der, &ca);
	certificate_read(argv[2], &responder_der, &responder);
	certificate_read(argv[4], &leaf_der, &leaf);
	key = signer_from_pem(argv[3]);
	answer(&ca, &leaf, buf_slice(&responder_der), key, argv[5][0] == 'r', &one);
	through_file(buf_slice(&one), &ca, leaf.serial, &out);
	file_put(argv[6], buf_slice(&out));
	return 0;
}
