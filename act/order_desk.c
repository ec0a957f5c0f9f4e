#include "act/order_desk.h"
#include "base/der.h"

/*
 * ChallengeReply ::= SEQUENCE { nonce Text, expires Instant }
 */
err
challenge_reply_get(slice body, struct challenge_reply *out)
{
	struct challenge_reply r;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_line(&s, &r.nonce));
	TRY(body_get_instant(&s, &r.expires));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
challenge_reply_put(struct buf *b, const struct challenge_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_line(b, r->nonce);
	body_put_instant(b, r->expires);
	der_close(b, seq);
}

static const char *const state_names[] = {
    [DOSSIER_RECEIVED] = "received",
    [DOSSIER_WAITING] = "waiting",
    [DOSSIER_REVIEW] = "review",
    [DOSSIER_REFUSED] = "refused",
    [DOSSIER_ORDERED] = "ordered",
    [DOSSIER_ISSUED] = "issued",
    [DOSSIER_DELIVERED] = "delivered",
    [DOSSIER_RECEIPTED] = "receipted",
    [DOSSIER_REVOKED] = "revoked",
    [DOSSIER_WITHDRAWN] = "withdrawn",
};

const char *
dossier_state_name(enum dossier_state s)
{
	assert(s >= DOSSIER_RECEIVED && s <= DOSSIER_WITHDRAWN);
	return state_names[s];
}

static err
get_state(slice *s, enum dossier_state *out)
{
	unsigned v = 0;

	TRY(body_get_enum(s, DOSSIER_RECEIVED, DOSSIER_WITHDRAWN, &v));
	*out = (enum dossier_state)v;
	return ok;
}

/*
 * ApplyOrder ::= SEQUENCE { cms Bytes (SIZE (0..CMS_MAX)), wait BOOLEAN }
 */
err
apply_order_get(slice body, struct apply_order *out)
{
	struct apply_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_cms(&s, &o.cms));
	TRY(der_get_bool(&s, &o.wait));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
apply_order_put(struct buf *b, const struct apply_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, o->cms);
	der_put_bool(b, o->wait);
	der_close(b, seq);
}

/*
 * ApplyReply ::= SEQUENCE { dossier Id, token Id, state ENUMERATED (1..10), serial Serial OPTIONAL }
 */
err
apply_reply_get(slice body, struct apply_reply *out)
{
	struct apply_reply r = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_fixed(&s, r.dossier.b, sizeof r.dossier.b));
	TRY(body_get_fixed(&s, r.token.b, sizeof r.token.b));
	TRY(get_state(&s, &r.state));
	TRY(body_get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
apply_reply_put(struct buf *b, const struct apply_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, ARR(r->dossier.b));
	body_put_bytes(b, ARR(r->token.b));
	der_put_enum(b, r->state);
	body_put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * DossierOrder ::= SEQUENCE { dossier Id, token Id }
 */
err
dossier_order_get(slice body, struct dossier_order *out)
{
	struct dossier_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_fixed(&s, o.dossier.b, sizeof o.dossier.b));
	TRY(body_get_fixed(&s, o.token.b, sizeof o.token.b));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
dossier_order_put(struct buf *b, const struct dossier_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, ARR(o->dossier.b));
	body_put_bytes(b, ARR(o->token.b));
	der_close(b, seq);
}

/*
 * DossierReply ::= SEQUENCE { state ENUMERATED (1..10), since Instant, why Text, serial Serial OPTIONAL }
 */
err
dossier_reply_get(slice body, struct dossier_reply *out)
{
	struct dossier_reply r = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(get_state(&s, &r.state));
	TRY(body_get_instant(&s, &r.since));
	TRY(body_get_line(&s, &r.why));
	TRY(body_get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
dossier_reply_put(struct buf *b, const struct dossier_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, r->state);
	body_put_instant(b, r->since);
	body_put_line(b, r->why);
	body_put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * EntryReply ::= SEQUENCE { n Count, at Instant, line Bytes, serial Serial OPTIONAL }
 */
err
entry_reply_get(slice body, struct entry_reply *out)
{
	struct entry_reply r = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_count(&s, &r.n));
	TRY(body_get_instant(&s, &r.at));
	TRY(body_get_bytes(&s, &r.line));
	TRY(body_get_optional_serial(&s, &r.has_serial, &r.serial));
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
entry_reply_put(struct buf *b, const struct entry_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_u64(b, r->n);
	body_put_instant(b, r->at);
	body_put_bytes(b, r->line);
	body_put_optional_serial(b, r->has_serial, r->serial);
	der_close(b, seq);
}

/*
 * SerialOrder ::= SEQUENCE { serial Serial }
 */
err
serial_order_get(slice body, struct serial_order *out)
{
	struct serial_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(serial_get(&s, &o.serial));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
serial_order_put(struct buf *b, const struct serial_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	serial_put(b, o->serial);
	der_close(b, seq);
}

/*
 * SerialReply ::= SEQUENCE { state ENUMERATED (1..4), at Instant, reason ENUMERATED (0..5) }
 */
err
serial_reply_get(slice body, struct serial_reply *out)
{
	struct serial_reply r;
	unsigned state;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, SERIAL_VALID, SERIAL_UNKNOWN, &state));
	TRY(body_get_instant(&s, &r.at));
	TRY(body_get_reason(&s, &r.reason));
	TRY(der_end(s));
	r.state = (enum serial_state)state;
	*out = r;
	return ok;
}

void
serial_reply_put(struct buf *b, const struct serial_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, r->state);
	body_put_instant(b, r->at);
	der_put_enum(b, r->reason);
	der_close(b, seq);
}

/*
 * OfficeOrder ::= SEQUENCE { cms Bytes (SIZE (0..CMS_MAX)), ruleset Bytes }
 */
err
office_order_get(slice body, struct office_order *out)
{
	struct office_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_cms(&s, &o.cms));
	TRY(body_get_bytes(&s, &o.ruleset));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
office_order_put(struct buf *b, const struct office_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_bytes(b, o->cms);
	body_put_bytes(b, o->ruleset);
	der_close(b, seq);
}
