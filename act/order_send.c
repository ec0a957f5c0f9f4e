#include "act/order_send.h"
#include "base/der.h"
#include "base/text.h"

#define PATH_BYTES_MAX 200 /* of a file in the repository: the longest tile path is below 60 */

/*
 * CallOrder ::= SEQUENCE { kind ENUMERATED (1..2), body Bytes }
 */
err
call_order_get(slice body, struct call_order *out)
{
	struct call_order o;
	unsigned kind;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, CALL_JLIS_OCSP, CALL_JLIS_CRL, &kind));
	TRY(body_get_bytes(&s, &o.body));
	TRY(der_end(s));
	o.kind = (enum call_kind)kind;
	*out = o;
	return ok;
}

void
call_order_put(struct buf *b, const struct call_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, o->kind);
	body_put_bytes(b, o->body);
	der_close(b, seq);
}

/*
 * MailOrder ::= SEQUENCE { to Text, subject Text, text UTF8String }   text: lines, each ended by LF
 */
err
mail_order_get(slice body, struct mail_order *out)
{
	struct mail_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_line(&s, &o.to));
	TRY(body_get_line(&s, &o.subject));
	TRY(der_get(&s, DER_UTF8, &o.text));
	TRY(der_end(s));
	TRY(text_check(o.text));
	*out = o;
	return ok;
}

void
mail_order_put(struct buf *b, const struct mail_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_line(b, o->to);
	body_put_line(b, o->subject);
	der_put(b, DER_UTF8, o->text);
	der_close(b, seq);
}

static err
path_refused(void)
{
	return fail(ERR_INPUT, "order-path: house: a path that could leave the repository's tree");
}

/* Names of [a-z0-9._-] that begin with no dot, with one stroke between. */
static err
check_path(slice path)
{
	bool start = true;

	if (path.n == 0 || path.n > PATH_BYTES_MAX)
		return path_refused();
	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';

		if (!word && (start || (c != '.' && c != '/')))
			return path_refused();
		start = c == '/';
	}
	return start ? path_refused() : ok;
}

/*
 * FileOrder ::= SEQUENCE { path UTF8String, part Part }
 */
err
file_order_get(slice body, struct file_order *out)
{
	struct file_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(der_get(&s, DER_UTF8, &o.path));
	TRY(body_get_part(&s, &o.part));
	TRY(der_end(s));
	TRY(check_path(o.path));
	*out = o;
	return ok;
}

void
file_order_put(struct buf *b, const struct file_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put(b, DER_UTF8, o->path);
	part_put(b, &o->part);
	der_close(b, seq);
}

/*
 * MirrorsReply ::= SEQUENCE SIZE (0..8) OF SEQUENCE {
 *	name Text, kind ENUMERATED (1..3), walking BOOLEAN, behind Count, missing Count, wholeAt Instant, seconds Count,
 *	pushed Count, failures Count, inARow Count, trouble Text, refused Count, refusedPath Text, refusedWhy Text }
 */
err
mirrors_reply_get(slice body, struct mirrors_reply *out)
{
	struct mirrors_reply r = {0};
	slice s, one;

	TRY(body_open(body, &s));
	while (s.n > 0) {
		struct mirror_state *m = &r.mirror[r.n];
		unsigned kind;

		if (r.n == MIRRORS_MAX)
			return body_malformed();
		TRY(der_get(&s, DER_SEQUENCE, &one));
		TRY(body_get_line(&one, &m->name));
		TRY(body_get_enum(&one, MIRROR_FOLDER, MIRROR_PUT, &kind));
		TRY(der_get_bool(&one, &m->walking));
		TRY(body_get_count(&one, &m->behind));
		TRY(body_get_count(&one, &m->missing));
		TRY(body_get_instant(&one, &m->whole_at));
		TRY(body_get_count(&one, &m->seconds));
		TRY(body_get_count(&one, &m->pushed));
		TRY(body_get_count(&one, &m->failures));
		TRY(body_get_count(&one, &m->in_a_row));
		TRY(body_get_line(&one, &m->trouble));
		TRY(body_get_count(&one, &m->refused));
		TRY(body_get_line(&one, &m->refused_path));
		TRY(body_get_line(&one, &m->refused_why));
		TRY(der_end(one));
		m->kind = (enum mirror_kind)kind;
		r.n++;
	}
	*out = r;
	return ok;
}

void
mirrors_reply_put(struct buf *b, const struct mirrors_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	assert(r->n <= MIRRORS_MAX);
	for (size_t i = 0; i < r->n; i++) {
		const struct mirror_state *m = &r->mirror[i];
		size_t one = der_open(b, DER_SEQUENCE);

		body_put_line(b, m->name);
		der_put_enum(b, m->kind);
		der_put_bool(b, m->walking);
		der_put_u64(b, m->behind);
		der_put_u64(b, m->missing);
		body_put_instant(b, m->whole_at);
		der_put_u64(b, m->seconds);
		der_put_u64(b, m->pushed);
		der_put_u64(b, m->failures);
		der_put_u64(b, m->in_a_row);
		body_put_line(b, m->trouble);
		der_put_u64(b, m->refused);
		body_put_line(b, m->refused_path);
		body_put_line(b, m->refused_why);
		der_close(b, one);
	}
	der_close(b, seq);
}

/*
 * LapseOrder ::= SEQUENCE { after Instant, serial Serial OPTIONAL }
 */
err
lapse_order_get(slice body, struct lapse_order *out)
{
	struct lapse_order o = {0};
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_instant(&s, &o.after));
	TRY(body_get_optional_serial(&s, &o.has_serial, &o.after_serial));
	TRY(der_end(s));
	*out = o;
	return ok;
}

void
lapse_order_put(struct buf *b, const struct lapse_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_instant(b, o->after);
	body_put_optional_serial(b, o->has_serial, o->after_serial);
	der_close(b, seq);
}

/*
 * LapseReply ::= SEQUENCE { state ENUMERATED (0..2), found SEQUENCE { serial Serial, thisUpdate Instant, nextUpdate Instant } OPTIONAL }
 * `found` where the state is 2.
 */
err
lapse_reply_get(slice body, struct lapse_reply *out)
{
	struct lapse_reply r = {0};
	unsigned state;
	slice s, found;

	TRY(body_open(body, &s));
	TRY(body_get_enum(&s, LAPSE_LOOKING, LAPSE_FOUND, &state));
	r.state = (enum lapse_state)state;
	if (r.state == LAPSE_FOUND) {
		TRY(der_get(&s, DER_SEQUENCE, &found));
		TRY(serial_get(&found, &r.serial));
		TRY(body_get_instant(&found, &r.this_update));
		TRY(body_get_instant(&found, &r.next_update));
		TRY(der_end(found));
	}
	TRY(der_end(s));
	*out = r;
	return ok;
}

void
lapse_reply_put(struct buf *b, const struct lapse_reply *r)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_enum(b, r->state);
	if (r->state == LAPSE_FOUND) {
		size_t found = der_open(b, DER_SEQUENCE);

		serial_put(b, r->serial);
		body_put_instant(b, r->this_update);
		body_put_instant(b, r->next_update);
		der_close(b, found);
	}
	der_close(b, seq);
}

/*
 * ListTimesOrder ::= SEQUENCE { path UTF8String }
 */
err
list_times_order_get(slice body, struct list_times_order *out)
{
	struct list_times_order o;
	slice s;

	TRY(body_open(body, &s));
	TRY(der_get(&s, DER_UTF8, &o.path));
	TRY(der_end(s));
	TRY(check_path(o.path));
	*out = o;
	return ok;
}

void
list_times_order_put(struct buf *b, const struct list_times_order *o)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put(b, DER_UTF8, o->path);
	der_close(b, seq);
}

/*
 * ListTimes ::= SEQUENCE { thisUpdate Instant, nextUpdate Instant }
 */
err
list_times_get(slice body, struct list_times *out)
{
	struct list_times t;
	slice s;

	TRY(body_open(body, &s));
	TRY(body_get_instant(&s, &t.this_update));
	TRY(body_get_instant(&s, &t.next_update));
	TRY(der_end(s));
	*out = t;
	return ok;
}

void
list_times_put(struct buf *b, const struct list_times *t)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	body_put_instant(b, t->this_update);
	body_put_instant(b, t->next_update);
	der_close(b, seq);
}
