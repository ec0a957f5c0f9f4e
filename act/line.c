#include "act/line.h"
#include "base/text.h"

static const struct act_row {
	const char *name, *class;
} ACTS[ACT_COUNT] = {
    [ACT_BASELINE_SET] = {"baseline.set", "3"},
    [ACT_RULESET_APPROVED] = {"ruleset.approved", "3"},
    [ACT_PERMISSION_GRANTED] = {"permission.granted", "4ニ"},
    [ACT_PERMISSION_WITHDRAWN] = {"permission.withdrawn", "4ニ"},
    [ACT_AUTOMATION_STOPPED] = {"automation.stopped", "3"},
    [ACT_AUTOMATION_RESUMED] = {"automation.resumed", "3"},
    [ACT_EXPLANATION_ACKNOWLEDGED] = {"explanation.acknowledged", "1イ"},
    [ACT_APPLICATION_RECEIVED] = {"application.received", "1ロ"},
    [ACT_APPLICATION_WITHDRAWN] = {"application.withdrawn", "1ロ"},
    [ACT_IDENTITY_VERIFIED] = {"identity.verified", "1ハ"},
    [ACT_IDENTITY_FAILED] = {"identity.failed", "1ハ"},
    [ACT_IDENTITY_MISMATCH] = {"identity.mismatch", "1ハ"},
    [ACT_IDENTITY_UNCHECKED] = {"identity.unchecked", "1ハ"},
    [ACT_APPLICATION_ACCEPTED] = {"application.accepted", "1ニ"},
    [ACT_APPLICATION_REFUSED] = {"application.refused", "1ホ"},
    [ACT_CERTIFICATE_ORDERED] = {"certificate.ordered", "1ヘ"},
    [ACT_CERTIFICATE_VOIDED] = {"certificate.voided", "1ヘ"},
    [ACT_CERTIFICATE_ISSUED] = {"certificate.issued", "1ヘ"},
    [ACT_NOTICE_SENT] = {"notice.sent", "1リ"},
    [ACT_CERTIFICATE_DELIVERED] = {"certificate.delivered", "1リ"},
    [ACT_RECEIPT_RECEIVED] = {"receipt.received", "1リ"},
    [ACT_KEY_ERASED] = {"key.erased", "1リ"},
    [ACT_REMINDER_SENT] = {"reminder.sent", "1リ"},
    [ACT_REVIEW_OPENED] = {"review.opened", "1リ"},
    [ACT_REVIEW_EXTENDED] = {"review.extended", "1リ"},
    [ACT_REVOCATION_REQUESTED] = {"revocation.requested", "2イ"},
    [ACT_CERTIFICATE_REVOKED] = {"certificate.revoked", "2ロ"},
    [ACT_REVOCATION_REFUSED] = {"revocation.refused", "2ハ"},
    [ACT_USER_NOTIFIED] = {"user.notified", "2ニ"},
    [ACT_CRL_PUBLISHED] = {"crl.published", "2ニ"},
    [ACT_OCSP_PUBLISHED] = {"ocsp.published", "2ニ"},
    [ACT_CHECKPOINT_SIGNED] = {"checkpoint.signed", "2ニ"},
    [ACT_KEY_GENERATED] = {"key.generated", "1チ"},
    [ACT_KEY_ACTIVATED] = {"key.activated", "1チ"},
    [ACT_KEY_RETIRED] = {"key.retired", "1チ"},
    [ACT_OPERATION_DONE] = {"operation.done", "4"},
    [ACT_ACCIDENT_NOTED] = {"accident.noted", "4"},
    [ACT_EVIDENCE_ERASED] = {"evidence.erased", "4"},
    [ACT_INTENT] = {"intent", "-"},
    [ACT_SIGNED] = {"signed", "-"},
    [ACT_REFUSED] = {"refused", "-"},
    [ACT_VOID] = {"void", "-"},
    [ACT_REVOKED] = {"revoked", "-"},
    [ACT_SEEN] = {"seen", "-"},
};

static const char *const BYS[BY_COUNT] = {
    [BY_APPLICANT] = "applicant",
    [BY_RULE] = "rule",
    [BY_OFFICER] = "officer",
    [BY_RESPONSIBLE] = "responsible",
    [BY_REGISTRAR] = "registrar",
    [BY_ISSUER] = "issuer",
    [BY_STATUS] = "status",
    [BY_MESSENGER] = "messenger",
    [BY_PUBLISHER] = "publisher",
    [BY_CLOCK] = "clock",
    [BY_OPERATOR] = "operator",
};

const char *
act_name(enum act a)
{
	assert(a > 0 && a < ACT_COUNT);
	return ACTS[a].name;
}

const char *
act_class(enum act a)
{
	assert(a > 0 && a < ACT_COUNT);
	return ACTS[a].class;
}

err
act_get(slice name, enum act *out)
{
	for (enum act a = 1; a < ACT_COUNT; a++)
		if (slice_eq(name, slice_str(ACTS[a].name))) {
			*out = a;
			return ok;
		}
	return fail(ERR_INPUT, "line-act: Rule 12(1): the line names an act this book does not know");
}

const char *
by_name(enum by k)
{
	assert(k > 0 && k < BY_COUNT);
	return BYS[k];
}

static err
by_get(slice name, enum by *out)
{
	for (enum by k = 1; k < BY_COUNT; k++)
		if (slice_eq(name, slice_str(BYS[k]))) {
			*out = k;
			return ok;
		}
	return fail(ERR_INPUT, "line-by: house: the line names an actor this book does not know");
}

/* --- the body's grammar --------------------------------------------------------- */

/*
 * string  = '"' *( any UTF-8 but controls, quote, backslash / '\"' / '\\' / '\n' / '\u00' hex hex of another control ) '"'
 * value   = string / natural / "true" / "false" / '[' [ value *( ',' value ) ] ']' / object
 * object  = '{' [ string ':' value *( ',' string ':' value ) ] '}'
 *
 * What is well formed by this is what base/json writes.  Repeated names and what is
 * not UTF-8 are noticed here, and judged by the reader of base/json.
 */
static bool
skip(slice *s, slice literal)
{
	slice got;

	return slice_has_prefix(*s, literal) && slice_take(s, literal.n, &got);
}

static bool
skip_escape(slice *s)
{
	static const char hex[] = "0123456789abcdef";
	slice e;
	const char *high, *low;

	if (skip(s, LIT("\"")) || skip(s, LIT("\\")) || skip(s, LIT("n")))
		return true;
	if (!skip(s, LIT("u00")) || !slice_take(s, 2, &e) || e.p[0] == 0 || e.p[1] == 0)
		return false;
	high = strchr(hex, e.p[0]);
	low = strchr(hex, e.p[1]);
	/* Controls only, but not LF (which has its short form) and not NUL (which no text holds). */
	return high != NULL && low != NULL && high - hex < 2 && !(high == hex && (low - hex == 10 || low == hex));
}

static bool
skip_string(slice *s)
{
	slice c;

	if (!skip(s, LIT("\"")))
		return false;
	for (;;) {
		size_t n = 0;

		while (n < s->n && s->p[n] >= 0x20 && s->p[n] != '"' && s->p[n] != '\\')
			n++;
		if (!slice_take(s, n, &c) || !slice_take(s, 1, &c))
			return false;
		if (c.p[0] == '"')
			return true;
		if (c.p[0] != '\\' || !skip_escape(s))
			return false;
	}
}

static bool
skip_natural(slice *s)
{
	slice t = *s, d;
	uint64_t v;
	size_t n = 0;

	while (n < t.n && t.p[n] >= '0' && t.p[n] <= '9')
		n++;
	/* INT64_MAX: the largest that every reader of JSON keeps whole, jansson's among them. */
	return slice_take(&t, n, &d) && decimal_get(d, INT64_MAX, &v).kind == OK && slice_take(s, n, &d);
}

static bool skip_value(slice *s, unsigned depth, bool *once);

#define NAMES_MAX 32 /* of an object, compared here: no act's body has more */

/* `once` stays true where no name is there twice: one text has one spelling only, so bytes are compared. */
static void
note_name(slice names[NAMES_MAX], size_t *n, slice name, bool *once)
{
	for (size_t i = 0; i < *n; i++)
		if (slice_eq(names[i], name))
			*once = false;
	if (*n == NAMES_MAX)
		*once = false;
	else
		names[(*n)++] = name;
}

static bool
skip_members(slice *s, unsigned depth, bool *once)
{
	slice names[NAMES_MAX];
	size_t n = 0;

	do {
		const slice from = *s;

		if (!skip_string(s))
			return false;
		note_name(names, &n, (slice){from.p, from.n - s->n}, once);
		if (!skip(s, LIT(":")) || !skip_value(s, depth, once))
			return false;
	} while (skip(s, LIT(",")));
	return true;
}

static bool
skip_elements(slice *s, unsigned depth, bool *once)
{
	do {
		if (!skip_value(s, depth, once))
			return false;
	} while (skip(s, LIT(",")));
	return true;
}

static bool
skip_object(slice *s, unsigned depth, bool *once)
{
	if (depth == 0 || !skip(s, LIT("{")))
		return false;
	return skip(s, LIT("}")) || (skip_members(s, depth - 1, once) && skip(s, LIT("}")));
}

static bool
skip_value(slice *s, unsigned depth, bool *once)
{
	if (s->n == 0)
		return false;
	switch (s->p[0]) {
	case '"':
		return skip_string(s);
	case 't':
		return skip(s, LIT("true"));
	case 'f':
		return skip(s, LIT("false"));
	case '{':
		return skip_object(s, depth, once);
	case '[':
		if (depth == 0 || !skip(s, LIT("[")))
			return false;
		return skip(s, LIT("]")) || (skip_elements(s, depth - 1, once) && skip(s, LIT("]")));
	default:
		return skip_natural(s);
	}
}

/* --- the line -------------------------------------------------------------------- */

/* An id or a requirement: no quote, backslash, control. */
static bool
is_plain(slice s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7F || s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return s.n <= max;
}

static void
put_quoted(struct buf *b, slice s)
{
	buf_put_u8(b, '"');
	buf_put(b, s);
	buf_put_u8(b, '"');
}

static void
put_about(struct buf *b, const struct line *l)
{
	buf_put_u8(b, '"');
	switch (l->about) {
	case ABOUT_HOUSE:
		break;
	case ABOUT_DOSSIER:
		buf_put_hex(b, ARR(l->dossier.b));
		break;
	case ABOUT_CERTIFICATE:
		buf_put_hex(b, ARR(l->issuer));
		buf_put_u8(b, ':');
		buf_put_hex(b, slice_of(l->serial.b, l->serial.n));
		break;
	}
	buf_put_u8(b, '"');
}

void
line_put(struct buf *b, const struct line *l)
{
	slice body = l->body;
	const size_t start = b->n;
	bool once = true;

	assert(l->n_rules <= LINE_RULES_MAX && l->n_evidence <= LINE_EVIDENCE_MAX && is_plain(l->by_id, LINE_ID_MAX));
	assert(body.n <= LINE_BODY_MAX && skip_object(&body, LINE_DEPTH_MAX, &once) && body.n == 0);
	buf_put_str(b, "{\"n\":");
	buf_put_decimal(b, l->n);
	buf_put_str(b, ",\"at\":\"");
	instant_put(b, l->at);
	buf_put_str(b, "\",\"act\":\"");
	buf_put_str(b, act_name(l->act));
	buf_put_str(b, "\",\"about\":");
	put_about(b, l);
	buf_put_str(b, ",\"by\":{\"kind\":\"");
	buf_put_str(b, by_name(l->by));
	buf_put_str(b, "\",\"id\":");
	put_quoted(b, l->by_id);
	buf_put_str(b, "},\"under\":\"");
	digest_put(b, l->under);
	buf_put_str(b, "\",\"rule\":[");
	for (size_t i = 0; i < l->n_rules; i++) {
		assert(is_plain(l->rule[i], LINE_RULE_MAX));
		if (i > 0)
			buf_put_u8(b, ',');
		put_quoted(b, l->rule[i]);
	}
	buf_put_str(b, "],\"evidence\":[");
	for (size_t i = 0; i < l->n_evidence; i++) {
		buf_put_str(b, i > 0 ? ",\"" : "\"");
		digest_put(b, l->evidence[i]);
		buf_put_u8(b, '"');
	}
	buf_put_str(b, "],\"body\":");
	buf_put(b, l->body);
	buf_put_u8(b, '}');
	assert(b->over || b->n - start <= LINE_MAX);
}

#define FORM fail(ERR_INPUT, "line-form: design 5: the line is not written as the books write theirs")

static err
about_get(slice s, struct line *l)
{
	slice issuer;

	if (s.n == 0) {
		l->about = ABOUT_HOUSE;
		return ok;
	}
	if (s.n == 2 * sizeof l->dossier.b) {
		l->about = ABOUT_DOSSIER;
		return hex_get(s, l->dossier.b, sizeof l->dossier.b);
	}
	l->about = ABOUT_CERTIFICATE;
	if (!slice_cut(&s, ':', &issuer) || s.n == 0 || s.n > 2 * SERIAL_MAX || s.n % 2 != 0)
		return FORM;
	TRY(hex_get(issuer, l->issuer, sizeof l->issuer));
	l->serial.n = (uint8_t)(s.n / 2);
	return hex_get(s, l->serial.b, l->serial.n);
}

/* The elements of "…","…"] up to and over the bracket. */
static err
list_get(slice *s, slice *out, size_t max, size_t *n)
{
	size_t k = 0;

	if (skip(s, LIT("]"))) {
		*n = 0;
		return ok;
	}
	do {
		if (k == max)
			return fail(ERR_INPUT, "line-many: house: the line names more rules or evidence than a line may");
		if (!skip(s, LIT("\"")) || !slice_cut(s, '"', &out[k++]))
			return FORM;
	} while (skip(s, LIT(",")));
	if (!skip(s, LIT("]")))
		return FORM;
	*n = k;
	return ok;
}

static err
head_get(slice *s, struct line *l)
{
	slice v, evidence[LINE_EVIDENCE_MAX];

	if (!skip(s, LIT("{\"n\":")) || !slice_cut(s, ',', &v) || decimal_get(v, INT64_MAX, &l->n).kind != OK ||
	    !skip(s, LIT("\"at\":\"")) || !slice_cut(s, '"', &v))
		return FORM;
	TRY(instant_get(v, &l->at));
	if (!skip(s, LIT(",\"act\":\"")) || !slice_cut(s, '"', &v))
		return FORM;
	TRY(act_get(v, &l->act));
	if (!skip(s, LIT(",\"about\":\"")) || !slice_cut(s, '"', &v))
		return FORM;
	TRY(about_get(v, l));
	if (!skip(s, LIT(",\"by\":{\"kind\":\"")) || !slice_cut(s, '"', &v))
		return FORM;
	TRY(by_get(v, &l->by));
	if (!skip(s, LIT(",\"id\":\"")) || !slice_cut(s, '"', &l->by_id) || !is_plain(l->by_id, LINE_ID_MAX) ||
	    !skip(s, LIT("},\"under\":\"")) || !slice_cut(s, '"', &v))
		return FORM;
	TRY(digest_get(v, &l->under));
	if (!skip(s, LIT(",\"rule\":[")))
		return FORM;
	TRY(list_get(s, l->rule, LINE_RULES_MAX, &l->n_rules));
	for (size_t i = 0; i < l->n_rules; i++)
		if (!is_plain(l->rule[i], LINE_RULE_MAX))
			return FORM;
	if (!skip(s, LIT(",\"evidence\":[")))
		return FORM;
	TRY(list_get(s, evidence, LINE_EVIDENCE_MAX, &l->n_evidence));
	for (size_t i = 0; i < l->n_evidence; i++)
		TRY(digest_get(evidence[i], &l->evidence[i]));
	return skip(s, LIT(",\"body\":")) ? ok : FORM;
}

static bool
is_utf8(slice s)
{
	uint32_t cp;

	while (s.n > 0)
		if (s.p[0] < 0x80)
			s = (slice){s.p + 1, s.n - 1};
		else if (!text_next(&s, &cp))
			return false;
	return true;
}

err
line_get(slice in, struct line *out)
{
	struct line l = {0};
	slice s = in, rest;
	struct json *doc OWNED(json_drop) = NULL;
	bool once = true;

	if (in.n > LINE_MAX)
		return fail(ERR_INPUT, "line-long: house: the line is longer than any a book has");
	TRY(head_get(&s, &l));
	rest = s;
	if (!skip_object(&rest, LINE_DEPTH_MAX, &once) || !slice_eq(rest, LIT("}")))
		return fail(ERR_INPUT, "line-body: design 5: the line's body is not written as the books write theirs");
	l.body = slice_of(s.p, s.n - 1);
	if (l.body.n > LINE_BODY_MAX)
		return fail(ERR_INPUT, "line-long: house: the line is longer than any a book has");
	/* UTF-8 everywhere, no name twice: a book of millions of lines is read without a second reader, but in doubt */
	if (!once || !is_utf8(in))
		TRY(json_get(in, &doc));
	*out = l;
	return ok;
}

err
line_body(const struct line *l, struct json **out)
{
	return json_get(l->body, out);
}

/* --- commitments ------------------------------------------------------------------ */

digest
commitment_of(const uint8_t salt[SALT_LEN], slice value)
{
	return sha256_two(slice_of(salt, SALT_LEN), value);
}

bool
commitment_get(slice text, digest *out)
{
	slice c;

	return slice_take(&text, 2, &c) && slice_eq(c, LIT("c:")) && digest_get(text, out).kind == OK;
}

void
line_put_personal(
    struct buf *body, struct buf *opening, uint64_t n, const char *field, slice value, const uint8_t salt[SALT_LEN])
{
	digest d = commitment_of(salt, value);

	json_put_name(body, field);
	buf_put_str(body, "\"c:");
	digest_put(body, d);
	buf_put_u8(body, '"');
	opening_put(opening, n, slice_str(field), salt, value);
}

bool
line_next_personal(const struct json *body, void **iter, slice *field, digest *commitment)
{
	slice text, name;
	json v;

	while (json_next(json_root(body), iter, &name, &v))
		if (json_as_text(v, &text).kind == OK && commitment_get(text, commitment)) {
			*field = name;
			return true;
		}
	return false;
}

void
opening_put(struct buf *b, uint64_t n, slice field, const uint8_t salt[SALT_LEN], slice value)
{
	const size_t start = b->n;

	assert(field.n > 0 && is_plain(field, OPENING_FIELD_MAX));
	buf_put_str(b, "{\"n\":");
	buf_put_decimal(b, n);
	buf_put_str(b, ",\"field\":");
	put_quoted(b, field);
	buf_put_str(b, ",\"salt\":\"");
	buf_put_hex(b, slice_of(salt, SALT_LEN));
	buf_put_str(b, "\",\"value\":");
	json_put_text(b, value);
	buf_put_u8(b, '}');
	assert(b->over || b->n - start <= OPENING_MAX);
}

err
opening_get(slice in, struct opening *out)
{
	const err bad = fail(ERR_INPUT, "opening-form: design 5: the opening is not written as the books write theirs");
	struct json *doc OWNED(json_drop) = NULL;
	struct opening o = {0};
	slice s = in, v;

	if (in.n > OPENING_MAX)
		return fail(ERR_INPUT, "opening-long: house: the opening is longer than any a book has");
	if (!skip(&s, LIT("{\"n\":")) || !slice_cut(&s, ',', &v) || decimal_get(v, INT64_MAX, &o.n).kind != OK ||
	    !skip(&s, LIT("\"field\":\"")) || !slice_cut(&s, '"', &v) || v.n == 0 || !is_plain(v, OPENING_FIELD_MAX) ||
	    !skip(&s, LIT(",\"salt\":\"")) || !slice_cut(&s, '"', &v) || hex_get(v, o.salt, SALT_LEN).kind != OK ||
	    !skip(&s, LIT(",\"value\":")) || !skip_string(&s) || !slice_eq(s, LIT("}")))
		return bad;
	TRY(json_get(in, &doc));
	TRY(json_text(json_root(doc), "field", &o.field));
	TRY(json_text(json_root(doc), "value", &o.value));
	o.doc = doc;
	doc = NULL;
	*out = o;
	return ok;
}

void
opening_drop(struct opening *o)
{
	json_drop(&o->doc);
	*o = (struct opening){0};
}
