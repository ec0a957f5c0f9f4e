/* What the slots of a status file have in common, and slots of answers that were signed. */
#include "act/slots.h"

err
slots_common_of(slice responder, const struct cert *issuer, struct slots_common *out)
{
	struct slots_common c = {.n_responders = 1};
	struct key *k OWNED(key_drop) = NULL;
	struct cert cert;

	TRY(cert_get(responder, &cert));
	TRY(key_get_spki(cert.spki, &k));
	ocsp_issuer_of(issuer, &c.issuer);
	c.responder[0].alg = sig_alg_for(key_kind(k));
	key_identifier(k, c.responder[0].key_id);
	c.responder[0].cert = responder;
	*out = c;
	return ok;
}

err
slots_common_get(slice answer, const struct cert *issuer, struct slots_common *out)
{
	struct slots_common c;
	struct ocsp_answer a;

	TRY(ocsp_answer_get(answer, &a));
	if (a.error != 0)
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	TRY(slots_common_of(a.responder_cert, issuer, &c));
	c.responder[0].alg = a.alg;
	*out = c;
	return ok;
}

static bool
responder_eq(const struct slots_responder *a, const struct slots_responder *b)
{
	return a->alg == b->alg && memcmp(a->key_id, b->key_id, sizeof a->key_id) == 0 && slice_eq(a->cert, b->cert);
}

void
slots_common_map(const struct slots_common *c, const struct slots_common *from, uint8_t map[SLOTS_RESPONDERS_MAX])
{
	memset(map, SLOTS_RESPONDER_NONE, SLOTS_RESPONDERS_MAX);
	for (size_t i = 0; i < from->n_responders; i++)
		for (size_t k = 0; k < c->n_responders; k++)
			if (responder_eq(&c->responder[k], &from->responder[i]))
				map[i] = (uint8_t)k;
}

void
slots_common_keep(struct slots_common *c, const bool keep[SLOTS_RESPONDERS_MAX], uint8_t map[SLOTS_RESPONDERS_MAX])
{
	size_t n = 0;

	memset(map, SLOTS_RESPONDER_NONE, SLOTS_RESPONDERS_MAX);
	for (size_t i = 0; i < c->n_responders; i++)
		if (keep[i]) {
			c->responder[n] = c->responder[i];
			map[i] = (uint8_t)n++;
		}
	assert(n > 0);
	memset(c->responder + n, 0, (SLOTS_RESPONDERS_MAX - n) * sizeof *c->responder);
	c->n_responders = n;
}

err
slots_common_join(struct slots_common *into, const struct slots_common *from, uint8_t map[SLOTS_RESPONDERS_MAX])
{
	struct slots_common c = *into;
	uint8_t m[SLOTS_RESPONDERS_MAX] = {0};

	if (memcmp(&c.issuer, &from->issuer, sizeof c.issuer) != 0)
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	for (size_t i = 0; i < from->n_responders; i++) {
		size_t k = 0;

		while (k < c.n_responders && !responder_eq(&c.responder[k], &from->responder[i]))
			k++;
		if (k == SLOTS_RESPONDERS_MAX)
			return fail(ERR_CONFLICT, "slots-responders: house: a status file has answers of at most four responders");
		if (k == c.n_responders)
			c.responder[c.n_responders++] = from->responder[i];
		m[i] = (uint8_t)k;
	}
	*into = c;
	memcpy(map, m, sizeof m);
	return ok;
}

err
slot_get_answer(slice answer, const struct slots_common *c, struct slot *out)
{
	struct buf again OWNED(buf_drop) = BUF(OCSP_ANSWER_MAX);
	struct ocsp_answer a;
	struct slot s = {0};
	size_t r = 0;

	TRY(ocsp_answer_get(answer, &a));
	if (a.error != 0 || a.status == OCSP_UNKNOWN || a.next_update.ms < a.this_update.ms)
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	while (r < c->n_responders &&
	       !(a.alg == c->responder[r].alg && slice_eq(a.responder_key_id, ARR(c->responder[r].key_id)) &&
	           slice_eq(a.responder_cert, c->responder[r].cert)))
		r++;
	if (r == c->n_responders || a.signature.n > slots_signature_max(a.alg))
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	s.serial = a.serial;
	s.state = a.status == OCSP_REVOKED ? SLOT_REVOKED : SLOT_GOOD;
	s.reason = a.reason;
	s.responder = (uint8_t)r;
	s.revoked = a.revoked;
	s.produced = a.produced;
	s.this_update = a.this_update;
	s.next_update = a.next_update;
	s.signature_n = (uint16_t)a.signature.n;
	memcpy(s.signature, a.signature.p, a.signature.n);
	TRY(slot_put_answer(&again, c, &s));
	if (!slice_eq(buf_slice(&again), answer))
		return fail(ERR_INPUT, "slot-foreign: house: an OCSP answer is not one this status file could give back");
	*out = s;
	return ok;
}
