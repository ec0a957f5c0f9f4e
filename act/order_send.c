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
