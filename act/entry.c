#include "act/entry.h"

/* The kinds of members. */
enum kind {
	K_DIGEST = 1,
	K_TIME,
	K_NUMBER,
	K_TEXT,
	K_SERIAL,
	K_SERIALS,
	K_NONCE,
	K_METHOD,
	K_SIGNER,
	K_REASON,
};

struct member {
	const char *name;
	enum kind kind;
	size_t at; /* offset in struct entry */
};

#define M(kind, field)                                                                                                 \
	{                                                                                                                  \
#field, kind, offsetof(struct entry, field)                                                                    \
	}
#define D(field) M(K_DIGEST, field)
#define T(field) M(K_TIME, field)
#define N(field) M(K_NUMBER, field)
#define S(field) M(K_TEXT, field)

#define MEMBERS_MAX 16

/* Indexed by act; the order is the order in the body. */
static const struct member MEMBERS[ACT_COUNT][MEMBERS_MAX] = {
    [ACT_BASELINE_SET] = {D(document), S(state), D(trust), D(profile), D(ruleset)},
    [ACT_RULESET_APPROVED] = {D(document), D(ruleset), N(version), T(from), T(until), T(signed_at)},
    [ACT_PERMISSION_GRANTED] = {D(document), N(number), D(key), S(duty), T(from), T(until), T(signed_at)},
    [ACT_PERMISSION_WITHDRAWN] = {D(document), N(number), D(key), S(duty), T(from), T(until), T(signed_at)},
    [ACT_AUTOMATION_STOPPED] = {D(document), S(why), T(signed_at)},
    [ACT_AUTOMATION_RESUMED] = {D(document), S(why), T(signed_at)},
    [ACT_EXPLANATION_ACKNOWLEDGED] = {D(explanation), S(language), T(shown), T(confirmed)},
    [ACT_APPLICATION_RECEIVED] = {D(document), D(key), D(card), D(token),
        {"profile", K_TEXT, offsetof(struct entry, profile_name)}, D(terms), N(validity)},
#define IDENTITY                                                                                                       \
	{                                                                                                                  \
		T(judged), M(K_METHOD, method), D(status), T(this_update), T(next_update), M(K_NONCE, nonce), D(request),      \
		    D(trust), N(mismatch), S(why)                                                                              \
	}
    [ACT_IDENTITY_VERIFIED] = IDENTITY,
    [ACT_IDENTITY_FAILED] = IDENTITY,
    [ACT_IDENTITY_MISMATCH] = IDENTITY,
    [ACT_IDENTITY_UNCHECKED] = IDENTITY,
    [ACT_APPLICATION_ACCEPTED] = {D(ruleset), D(approval), N(engine), S(responsible), D(document), N(validity)},
    [ACT_APPLICATION_REFUSED] = {D(ruleset), D(approval), N(engine), S(responsible), D(document), S(why)},
    [ACT_APPLICATION_WITHDRAWN] = {D(document), S(why)},
    [ACT_CERTIFICATE_ORDERED] = {M(K_SERIAL, serial), T(not_before), D(tbs), D(profile)},
    [ACT_CERTIFICATE_VOIDED] = {M(K_SERIAL, serial), S(why)},
    [ACT_CERTIFICATE_ISSUED] = {M(K_SERIAL, serial), D(certificate), T(not_after), T(signed_at), N(journal),
        D(journal_root)},
    [ACT_CERTIFICATE_DELIVERED] = {M(K_SERIAL, serial)},
    [ACT_RECEIPT_RECEIVED] = {D(document), M(K_SERIAL, serial)},
    [ACT_REVIEW_OPENED] = {S(why), S(how)},
    [ACT_REVIEW_EXTENDED] = {S(why), T(until), D(document)},
    [ACT_REVOCATION_REQUESTED] = {D(document), M(K_SERIAL, serial), M(K_REASON, reason), M(K_SIGNER, signer)},
    [ACT_CERTIFICATE_REVOKED] = {D(document), M(K_SERIAL, serial), M(K_REASON, reason), M(K_SIGNER, signer), T(judged),
        M(K_METHOD, method), D(status), M(K_NONCE, nonce), D(ruleset), S(responsible), T(invalid_since)},
    [ACT_REVOCATION_REFUSED] = {D(document), M(K_SERIAL, serial), S(why), D(request)},
    [ACT_NOTICE_SENT] = {D(document), M(K_SERIAL, serial), S(how), T(from)},
    [ACT_REMINDER_SENT] = {D(document), M(K_SERIAL, serial), S(how), T(from)},
    [ACT_KEY_GENERATED] = {D(document), S(what), D(key), D(certificate), S(how), T(signed_at)},
    [ACT_KEY_ACTIVATED] = {D(document), S(what), D(key), N(journal), D(journal_root)},
    [ACT_KEY_RETIRED] = {S(what), D(key), T(from), S(why)},
    [ACT_USER_NOTIFIED] = {M(K_SERIAL, serial), S(how), D(document), T(from)},
    [ACT_CRL_PUBLISHED] = {N(number), T(this_update), T(next_update), D(crl), N(count), N(base), N(partition),
        N(regular), N(covers), N(journal), D(journal_root)},
    [ACT_OCSP_PUBLISHED] = {T(this_update), T(next_update), D(answers), M(K_SERIALS, serials), N(count),
        M(K_SERIAL, after), M(K_SERIAL, upto), T(due)},
    [ACT_CHECKPOINT_SIGNED] = {N(size), D(root), S(note), N(journal), D(journal_root)},
    [ACT_OPERATION_DONE] = {S(what), N(number), D(status), T(this_update), T(next_update), N(count)},
    [ACT_ACCIDENT_NOTED] = {S(why), N(size), D(root), D(document), S(what), T(from)},
};
static const struct member OTHER[MEMBERS_MAX] = {S(what), S(why)};

static const struct member *
members_of(enum act a)
{
	assert(a > 0 && a < ACT_COUNT);
	return MEMBERS[a][0].name == NULL ? OTHER : MEMBERS[a];
}

/* The laws a line of this act answers to. */
#define RULES_MAX 4
static const char *const RULES[ACT_COUNT][RULES_MAX] = {
    [ACT_BASELINE_SET] = {"B-13", "B-15イ"},
    [ACT_RULESET_APPROVED] = {"B-15イ", "B-15ロ"},
    [ACT_PERMISSION_GRANTED] = {"B-16"},
    [ACT_PERMISSION_WITHDRAWN] = {"B-16"},
    [ACT_AUTOMATION_STOPPED] = {"B-15イ"},
    [ACT_AUTOMATION_RESUMED] = {"B-15イ"},
    [ACT_EXPLANATION_ACKNOWLEDGED] = {"B-1"},
    [ACT_APPLICATION_RECEIVED] = {"B-2", "B-3.2イ"},
    [ACT_APPLICATION_WITHDRAWN] = {"B-2"},
    [ACT_IDENTITY_VERIFIED] = {"ID-2"},
    [ACT_IDENTITY_FAILED] = {"ID-2"},
    [ACT_IDENTITY_MISMATCH] = {"ID-2"},
    [ACT_IDENTITY_UNCHECKED] = {"ID-2"},
    [ACT_APPLICATION_ACCEPTED] = {"12(1)1ニ"},
    [ACT_APPLICATION_REFUSED] = {"12(1)1ニ", "12(1)1ホ"},
    [ACT_CERTIFICATE_ORDERED] = {"B-4", "B-5"},
    [ACT_CERTIFICATE_VOIDED] = {"12(1)1ヘ"},
    [ACT_CERTIFICATE_ISSUED] = {"B-4", "B-5", "B-6"},
    [ACT_CERTIFICATE_DELIVERED] = {"12(1)1ヘ"},
    [ACT_RECEIPT_RECEIVED] = {"12(1)1リ"},
    [ACT_REVIEW_OPENED] = {"12(1)1ニ"},
    [ACT_REVIEW_EXTENDED] = {"12(1)1ニ"},
    [ACT_REVOCATION_REQUESTED] = {"12(1)2イ"},
    [ACT_CERTIFICATE_REVOKED] = {"B-10", "12(1)2ロ"},
    [ACT_REVOCATION_REFUSED] = {"12(1)2ハ"},
    [ACT_USER_NOTIFIED] = {"B-12"},
    [ACT_CRL_PUBLISHED] = {"B-11", "12(1)2ニ"},
    [ACT_OCSP_PUBLISHED] = {"B-11", "12(1)2ニ"},
    [ACT_CHECKPOINT_SIGNED] = {"FA-3"},
    [ACT_OPERATION_DONE] = {"FA-3"},
    [ACT_ACCIDENT_NOTED] = {"12(1)4ヘ"},
    [ACT_NOTICE_SENT] = {"12(1)1リ"},
    [ACT_REMINDER_SENT] = {"12(1)1リ"},
    [ACT_KEY_GENERATED] = {"B-17", "12(1)1チ"},
    [ACT_KEY_ACTIVATED] = {"B-17", "12(1)1チ"},
    [ACT_KEY_RETIRED] = {"B-17", "12(1)1チ"},
};

void
entry_set_rules(struct entry *e)
{
	e->line.n_rules = 0;
	for (size_t i = 0; i < RULES_MAX && RULES[e->line.act][i] != NULL; i++)
		e->line.rule[e->line.n_rules++] = slice_str(RULES[e->line.act][i]);
}

/* --- words ------------------------------------------------------------------- */
static const char *const METHODS[] = {[STATUS_NONE] = "none", [STATUS_CRL] = "crl", [STATUS_OCSP] = "ocsp"};
static const char *const SIGNERS[] = {
    [SIGNER_CARD] = "card", [SIGNER_CERTIFICATE] = "certificate", [SIGNER_PERSON] = "person"};
/* RFC 5280 5.3.1's own names, as document V-1 has them. */
static const char *const REASONS[] = {
    [REASON_UNSPECIFIED] = "unspecified",
    [REASON_KEY_COMPROMISE] = "keyCompromise",
    [REASON_CA_COMPROMISE] = "cACompromise",
    [REASON_AFFILIATION_CHANGED] = "affiliationChanged",
    [REASON_SUPERSEDED] = "superseded",
    [REASON_CESSATION] = "cessationOfOperation",
};

const char *
status_method_name(enum status_method m)
{
	assert((size_t)m < COUNT(METHODS));
	return METHODS[m];
}

const char *
signer_kind_name(enum signer_kind k)
{
	assert(k >= SIGNER_CARD && (size_t)k < COUNT(SIGNERS));
	return SIGNERS[k];
}

const char *
reason_name(enum crl_reason r)
{
	assert((size_t)r < COUNT(REASONS));
	return REASONS[r];
}

/* The index of a word in a list that may have holes; n when it is not there. */
static size_t
word_find(const char *const *words, size_t n, slice s)
{
	size_t i = 0;

	while (i < n && (words[i] == NULL || !slice_eq(slice_str(words[i]), s)))
		i++;
	return i;
}

err
reason_get(slice text, enum crl_reason *out)
{
	size_t i = word_find(REASONS, COUNT(REASONS), text);

	if (i == COUNT(REASONS))
		return fail(ERR_INPUT, "entry-reason: RFC 5280 5.3.1: no such reason for a revocation");
	*out = (enum crl_reason)i;
	return ok;
}

dossier_id
dossier_id_of(digest document)
{
	dossier_id id;

	memcpy(id.b, document.b, sizeof id.b);
	return id;
}

/* --- writing ----------------------------------------------------------------- */
static bool
is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0 && b[n - 1] == 0)
		n--;
	return n == 0;
}

static const void *
field_of(const struct entry *e, size_t at)
{
	return (const uint8_t *)e + at;
}

static void
put_serial(struct buf *b, const char *name, serial s)
{
	json_put_named_hex(b, name, serial_slice(&s));
}

static void
put_member(struct buf *b, const struct entry *e, const struct member *m)
{
	const void *p = field_of(e, m->at);

	switch (m->kind) {
	case K_DIGEST:
		if (!is_zero(p, SHA256_LEN))
			json_put_named_hex(b, m->name, slice_of(p, SHA256_LEN));
		return;
	case K_NONCE:
		if (!is_zero(p, sizeof e->nonce))
			json_put_named_hex(b, m->name, slice_of(p, sizeof e->nonce));
		return;
	case K_TIME:
		if (((const instant *)p)->ms != 0) {
			uint8_t room[RFC3339_LEN];
			struct buf t = {.p = room, .cap = sizeof room, .max = sizeof room};

			instant_put(&t, *(const instant *)p);
			json_put_named(b, m->name, buf_slice(&t));
		}
		return;
	case K_NUMBER:
		if (*(const uint64_t *)p != 0)
			json_put_named_number(b, m->name, *(const uint64_t *)p);
		return;
	case K_TEXT:
		if (((const slice *)p)->n != 0)
			json_put_named(b, m->name, *(const slice *)p);
		return;
	case K_SERIAL:
		if (((const serial *)p)->n != 0)
			put_serial(b, m->name, *(const serial *)p);
		return;
	case K_SERIALS:
		if (e->n_serials == 0)
			return;
		json_put_name(b, m->name);
		json_open(b, '[');
		for (size_t i = 0; i < e->n_serials; i++) {
			uint8_t room[2 * SERIAL_MAX];
			struct buf t = {.p = room, .cap = sizeof room, .max = sizeof room};

			buf_put_hex(&t, serial_slice(&e->serials[i]));
			json_put_text(b, buf_slice(&t));
		}
		json_close(b, ']');
		return;
	case K_METHOD:
		if (e->method != STATUS_NONE)
			json_put_named(b, m->name, slice_str(METHODS[e->method]));
		return;
	case K_SIGNER:
		if (e->signer != 0)
			json_put_named(b, m->name, slice_str(signer_kind_name(e->signer)));
		return;
	case K_REASON:
		json_put_named(b, m->name, slice_str(reason_name(e->reason)));
		return;
	}
}

void
entry_put(struct buf *line, struct buf *openings, struct entry *e)
{
	uint8_t room[LINE_BODY_MAX];
	struct buf body = {.p = room, .cap = sizeof room, .max = sizeof room};

	json_open(&body, '{');
	for (const struct member *m = members_of(e->line.act); m->name != NULL; m++)
		put_member(&body, e, m);
	for (size_t i = 0; i < e->n_personal; i++) {
		const struct personal *p = &e->personal[i];

		line_put_personal(&body, openings, e->line.n, p->field, p->value, p->salt);
		buf_put_u8(openings, '\n');
	}
	json_close(&body, '}');
	assert(!body.over);
	entry_set_rules(e);
	e->line.body = buf_slice(&body);
	line_put(line, &e->line);
	e->line.body = (slice){NULL, 0};
}

/* --- reading ----------------------------------------------------------------- */
static err
get_serial(slice hex, serial *out)
{
	serial s = {0};

	if (hex.n == 0 || hex.n % 2 != 0 || hex.n / 2 > SERIAL_MAX)
		return fail(ERR_INPUT, "entry-serial: RFC 5280 4.1.2.2: not a serial number");
	s.n = (uint8_t)(hex.n / 2);
	TRY(hex_get(hex, s.b, s.n));
	*out = s;
	return ok;
}

static err
get_serials(json j, const char *name, struct entry *e)
{
	json list;
	slice text;

	TRY(json_list(j, name, &list));
	if (json_count(list) == 0 || json_count(list) > ENTRY_SERIALS_MAX)
		return fail(ERR_INPUT, "entry-serials: house: an empty list of serials, or one of more than 32");
	for (size_t i = 0; i < json_count(list); i++) {
		TRY(json_as_text(json_at(list, i), &text));
		TRY(get_serial(text, &e->serials[i]));
	}
	e->n_serials = json_count(list);
	return ok;
}

/* A word of a list: its index, the first (nothing) excepted. */
static err
get_word(json j, const char *name, const char *const *words, size_t n, size_t *out)
{
	slice text;
	size_t i;

	TRY(json_text(j, name, &text));
	i = word_find(words, n, text);
	if (i == n)
		return fail(ERR_INPUT, "entry-word: house: a word this member does not know");
	*out = i;
	return ok;
}

static err
get_member(json j, const struct member *m, struct entry *e)
{
	void *p = (uint8_t *)e + m->at;
	slice text;
	uint64_t v;
	size_t i;

	switch (m->kind) {
	case K_DIGEST:
		return json_hex(j, m->name, p, SHA256_LEN);
	case K_NONCE:
		return json_hex(j, m->name, p, sizeof e->nonce);
	case K_TIME:
		TRY(json_text(j, m->name, &text));
		return instant_get(text, p);
	case K_NUMBER:
		TRY(json_natural(j, m->name, &v));
		*(uint64_t *)p = v;
		return ok;
	case K_TEXT:
		TRY(json_text(j, m->name, &text));
		if (text.n > ENTRY_TEXT_MAX)
			return fail(ERR_INPUT, "entry-text: house: a text of a book line is longer than 1024 bytes");
		*(slice *)p = text;
		return ok;
	case K_SERIAL:
		TRY(json_text(j, m->name, &text));
		return get_serial(text, p);
	case K_SERIALS:
		return get_serials(j, m->name, e);
	case K_METHOD:
		TRY(get_word(j, m->name, METHODS, COUNT(METHODS), &i));
		e->method = (enum status_method)i;
		return ok;
	case K_SIGNER:
		TRY(get_word(j, m->name, SIGNERS, COUNT(SIGNERS), &i));
		e->signer = (enum signer_kind)i;
		return ok;
	case K_REASON:
		TRY(json_text(j, m->name, &text));
		return reason_get(text, &e->reason);
	}
	return ok;
}

/* Members of the body that are neither in the table nor commitments. */
static err
check_known(const struct member *table, json body)
{
	void *iter = NULL;
	slice name, text;
	json value;
	digest c;

	while (json_next(body, &iter, &name, &value)) {
		const struct member *m = table;

		while (m->name != NULL && !slice_eq(slice_str(m->name), name))
			m++;
		if (m->name == NULL && !(json_as_text(value, &text).kind == OK && commitment_get(text, &c)))
			return fail(ERR_INPUT, "entry-member: house: a book line says something its act has no member for");
	}
	return ok;
}

static err
get_body(struct entry *e)
{
	const struct member *table = members_of(e->line.act);
	json body;

	TRY(line_body(&e->line, &e->doc));
	body = json_root(e->doc);
	for (const struct member *m = table; m->name != NULL; m++)
		if (json_has(body, m->name))
			TRY(get_member(body, m, e));
	return check_known(table, body);
}

err
entry_get(slice line, struct entry *out)
{
	struct entry e = {0};
	err r;

	TRY(line_get(line, &e.line));
	r = get_body(&e);
	if (r.kind != OK) {
		json_drop(&e.doc);
		return r;
	}
	*out = e;
	return ok;
}

void
entry_drop(struct entry *e)
{
	json_drop(&e->doc);
	*e = (struct entry){0};
}
