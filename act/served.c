#include "act/served.h"

#include "act/entry.h"

#define PLACES (CRL_PARTITIONS_MAX + 2)
#define ACT_AT 160 /* "act" stands within the first bytes of a line: n and at are all that is before */

void
served_drop(struct served *s)
{
	free(s->row);
	free(s->revoked);
	free(s->ordered.at);
	free(s->list);
	free(s->old);
	*s = (struct served){0};
}

size_t
served_list_place(unsigned partition, bool delta)
{
	return delta ? PLACES - 1 : partition;
}

/* --- the fold ------------------------------------------------------------------------ */

static void
add_issued(struct served *s, const struct entry *e)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 1024 : s->cap + s->cap / 2;
		s->row = mem_grow(s->row, s->cap, sizeof *s->row);
	}
	s->row[s->n++] = (struct served_row){.serial = e->serial, .issued = e->line.at, .not_after = e->not_after};
}

static void
add_revoked(struct served *s, const struct entry *e)
{
	if (s->n_revoked == s->cap_revoked) {
		s->cap_revoked = s->cap_revoked == 0 ? 256 : s->cap_revoked + s->cap_revoked / 2;
		s->revoked = mem_grow(s->revoked, s->cap_revoked, sizeof *s->revoked);
	}
	s->revoked[s->n_revoked++] = (struct served_revoked){.serial = e->serial,
	    .reason = (uint8_t)e->reason,
	    .at = e->line.at,
	    .invalid_since = e->invalid_since,
	    .n = e->line.n};
}

static void
add_voided(struct serial_list *l, serial number)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->at = mem_grow(l->at, l->cap, sizeof *l->at);
	}
	l->at[l->n++] = number;
}

static void
add_list(struct served *s, const struct entry *e)
{
	struct served_list *l;

	if (e->partition > CRL_PARTITIONS_MAX)
		return;
	if (s->list == NULL)
		s->list = mem_new(PLACES, sizeof *s->list);
	if (e->number <= s->number && s->fallen == 0)
		s->fallen = e->line.n;
	s->number = e->number;
	l = &s->list[served_list_place((unsigned)e->partition, e->base != 0)];
	*l = (struct served_list){.number = e->number,
	    .base = e->base,
	    .at = e->line.at,
	    .this_update = e->this_update,
	    .next_update = e->next_update,
	    .crl = e->crl};
}

static struct served_key *
find_key(const struct served *s, digest key)
{
	union { /* the caller's own, whether it may write or not */
		const struct served_key *from;
		struct served_key *to;
	} u = {.to = NULL};

	for (size_t i = 0; i < s->n_keys; i++)
		if (digest_eq(s->key[i].key, key))
			u.from = &s->key[i];
	return u.to;
}

static void
take_key(struct served *s, const struct entry *e)
{
	struct served_key *k = find_key(s, e->key);
	size_t first = 0;

	if (e->line.act == ACT_KEY_RETIRED) {
		if (k != NULL)
			k->retired = e->line.at;
		return;
	}
	if (k != NULL)
		return;
	if (s->n_keys == SERVED_KEYS_MAX) {
		while (first + 1 < s->n_keys && s->key[first].retired.ms == 0)
			first++;
		s->n_keys--;
		memmove(&s->key[first], &s->key[first + 1], (s->n_keys - first) * sizeof s->key[0]);
	}
	s->key[s->n_keys++] = (struct served_key){.key = e->key, .made = e->line.at};
}

/* What the line has as evidence beside the document that sets the baseline: the texts people read. */
static void
take_texts(struct served *s, const struct entry *e)
{
	for (size_t i = 0; i < s->n_texts; i++) {
		if (s->n_old == s->cap_old) {
			s->cap_old = s->cap_old == 0 ? 16 : s->cap_old * 2;
			s->old = mem_grow(s->old, s->cap_old, sizeof *s->old);
		}
		s->old[s->n_old++] = s->text[i];
	}
	s->n_texts = 0;
	for (size_t i = 0; i < e->line.n_evidence && s->n_texts < SERVED_TEXTS_MAX; i++)
		if (!digest_eq(e->line.evidence[i], e->document) && !digest_eq(e->line.evidence[i], e->profile) &&
		    !digest_eq(e->line.evidence[i], e->trust) && !digest_eq(e->line.evidence[i], e->ruleset))
			s->text[s->n_texts++] = e->line.evidence[i];
}

static void
take(struct served *s, const struct entry *e)
{
	switch (e->line.act) {
	case ACT_CERTIFICATE_ISSUED:
		add_issued(s, e);
		break;
	case ACT_CERTIFICATE_REVOKED:
		add_revoked(s, e);
		break;
	case ACT_CERTIFICATE_VOIDED:
		add_voided(&s->ordered, e->serial);
		break;
	case ACT_CRL_PUBLISHED:
		add_list(s, e);
		break;
	case ACT_CHECKPOINT_SIGNED:
		s->checkpoint.n = e->line.n;
		s->checkpoint.size = e->size;
		s->checkpoint.at = e->line.at;
		s->checkpoint.root = e->root;
		break;
	case ACT_KEY_GENERATED:
	case ACT_KEY_ACTIVATED:
	case ACT_KEY_RETIRED:
		if (slice_eq(e->what, LIT("ocsp")) && !digest_eq(e->key, (digest){{0}}))
			take_key(s, e);
		break;
	case ACT_BASELINE_SET:
		s->profile = e->profile;
		s->trust = e->trust;
		take_texts(s, e);
		break;
	default:
		break;
	}
}

/* Whether this line says anything that counts here; true where that cannot be seen without reading it. */
static bool
is_wanted(slice line)
{
	static const char *const WANTED[] = {"certificate.issued\"", "certificate.revoked\"", "certificate.voided\"",
	    "crl.published\"", "checkpoint.signed\"", "key.generated\"", "key.activated\"", "key.retired\"",
	    "baseline.set\""};
	slice head = {line.p, line.n < ACT_AT ? line.n : ACT_AT};
	const uint8_t *p = memmem(head.p, head.n, "\"act\":\"", 7);
	slice act;

	if (p == NULL)
		return true;
	act = (slice){p + 7, (size_t)(line.p + line.n - p) - 7};
	for (size_t i = 0; i < COUNT(WANTED); i++)
		if (slice_has_prefix(act, slice_str(WANTED[i])))
			return true;
	return false;
}

err
served_take(struct served *s, slice line)
{
	struct entry e OWNED(entry_drop) = {0};

	if (is_wanted(line)) {
		if (entry_get(line, &e).kind != OK || e.line.n != s->lines)
			return fail(ERR_CORRUPT, "served-line: house: a line that says what is to be served cannot be read");
		take(s, &e);
	}
	s->lines++;
	return ok;
}

static bool
is_among(const digest *at, size_t n, digest d)
{
	for (size_t i = 0; i < n; i++)
		if (digest_eq(at[i], d))
			return true;
	return false;
}

bool
served_has_text(const struct served *s, digest text)
{
	return is_among(s->text, s->n_texts, text);
}

bool
served_had_text(const struct served *s, digest text)
{
	return is_among(s->text, s->n_texts, text) || is_among(s->old, s->n_old, text);
}

static int
row_cmp(const void *a, const void *b)
{
	return serial_cmp(((const struct served_row *)a)->serial, ((const struct served_row *)b)->serial);
}

static int
revoked_cmp(const void *a, const void *b)
{
	return serial_cmp(((const struct served_revoked *)a)->serial, ((const struct served_revoked *)b)->serial);
}

void
served_settle(struct served *s)
{
	if (s->settled != s->n)
		qsort(s->row, s->n, sizeof *s->row, row_cmp);
	if (s->settled_revoked != s->n_revoked)
		qsort(s->revoked, s->n_revoked, sizeof *s->revoked, revoked_cmp);
	s->settled = s->n;
	s->settled_revoked = s->n_revoked;
}

const struct served_row *
served_find(const struct served *s, serial number)
{
	struct served_row key = {.serial = number};

	assert(s->settled == s->n);
	return s->n == 0 ? NULL : bsearch(&key, s->row, s->n, sizeof *s->row, row_cmp);
}

const struct served_revoked *
served_find_revoked(const struct served *s, serial number)
{
	struct served_revoked key = {.serial = number};

	assert(s->settled_revoked == s->n_revoked);
	return s->n_revoked == 0 ? NULL : bsearch(&key, s->revoked, s->n_revoked, sizeof *s->revoked, revoked_cmp);
}

/* --- OCSP ------------------------------------------------------------------------------ */

static err
check_word(const struct served_row *c, const struct served_revoked *v, const struct served_allowed *w,
    const struct ocsp_answer *a, instant read)
{
	if (a->status == OCSP_GOOD && v != NULL && read.ms - v->at.ms >= w->answer_ms)
		return fail(ERR_POLICY, "served-good: Rule 6(x): a certificate that the books revoke is served as good");
	if (a->status == OCSP_REVOKED && c != NULL && v == NULL)
		return fail(
		    ERR_POLICY, "served-revoked: Rule 6(xi): a certificate the books do not revoke is served as revoked");
	if (a->status != OCSP_UNKNOWN && c == NULL)
		return fail(ERR_POLICY, "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued");
	if (a->status == OCSP_UNKNOWN && c != NULL)
		return fail(ERR_POLICY, "served-unknown: Rule 6(xi): a certificate of the books is served as unknown");
	if (a->status == OCSP_REVOKED && v != NULL && a->reason != (enum crl_reason)v->reason)
		return fail(
		    ERR_POLICY, "served-reason: Rule 6(xi): a revocation is served with another reason than the books'");
	if (a->status == OCSP_REVOKED && v != NULL && a->revoked.ms != instant_floor_second(v->at).ms)
		return fail(ERR_POLICY, "served-time: Rule 6(xi): a revocation is served with another time than the books'");
	return ok;
}

static err
check_times(const struct served_row *c, const struct served_allowed *w, const struct ocsp_answer *a, instant read)
{
	if (a->this_update.ms > read.ms + w->clock_ms || a->produced.ms > read.ms + w->clock_ms)
		return fail(ERR_POLICY, "served-future: RFC 6960 4.2.2.1: an answer is of a time to come");
	if (c == NULL || read.ms > c->not_after.ms) /* it is renewed no more */
		return ok;
	if (a->next_update.ms <= read.ms)
		return fail(ERR_POLICY, "served-late: RFC 6960 2.4: an answer is served whose nextUpdate has passed");
	if (a->next_update.ms - read.ms < w->left_ms && a->next_update.ms < c->not_after.ms)
		return fail(ERR_POLICY, "served-short: B-11: an answer was not renewed in time; it ends soon");
	return ok;
}

static err
check_silence(const struct served_row *c, const struct served_revoked *v, const struct served_allowed *w,
    enum served_kind kind, instant read)
{
	if (c == NULL && kind == SERVED_LATER)
		return fail(ERR_POLICY, "served-foreign: RFC 6960 2.2: a status is served for a serial the books never issued");
	if (c == NULL || read.ms > c->not_after.ms || read.ms - c->issued.ms < w->signed_ms)
		return ok;
	if (kind == SERVED_NONE)
		return fail(ERR_POLICY, "served-missing: Rule 6(xi): a certificate of the books has no answer");
	if (v == NULL)
		return fail(
		    ERR_POLICY, "served-withheld: Rule 6(xi): the answer of a certificate that is not revoked is withheld");
	if (read.ms - v->at.ms >= w->signed_ms)
		return fail(ERR_POLICY, "served-pending: Rule 6(xi): the answer that says revoked is not there yet");
	return ok;
}

err
served_check_answer(const struct served *s, const struct ocsp_issuer *issuer, const struct served_allowed *w,
    serial number, enum served_kind kind, const struct ocsp_answer *a, instant read)
{
	const struct served_row *c = served_find(s, number);
	const struct served_revoked *v = served_find_revoked(s, number);

	if (kind != SERVED_ANSWER)
		return check_silence(c, v, w, kind, read);
	if (memcmp(&a->issuer, issuer, sizeof *issuer) != 0)
		return fail(ERR_POLICY, "served-issuer: RFC 6960 4.1.1: an answer is about another issuer's certificates");
	if (!serial_eq(a->serial, number))
		return fail(ERR_POLICY, "served-serial: RFC 6960 4.1.1: an answer is about another certificate");
	TRY(check_word(c, v, w, a, read));
	return check_times(c, w, a, read);
}

err
served_check_responder(
    const struct served *s, const struct trust *t, slice certificate, instant read, struct responder *out)
{
	struct responder r OWNED(responder_drop) = {0};

	TRY(responder_get(t, certificate, &r));
	if (s->n_keys > 0 && find_key(s, key_digest(r.key)) == NULL)
		return fail(
		    ERR_POLICY, "served-responder-key: Rule 6(xvii): an answer is by a key that the books know nothing of");
	if (!cert_is_valid_at(&r.cert, read))
		return fail(
		    ERR_POLICY, "served-responder-ended: RFC 6960 4.2.2.2: an answer is by a responder whose time is over");
	*out = r;
	r = (struct responder){0};
	return ok;
}

err
served_check_key(const struct served *s, const struct responder *r, const struct ocsp_answer *a)
{
	const struct served_key *k = find_key(s, key_digest(r->key));

	if (k != NULL && (a->produced.ms < instant_floor_second(k->made).ms ||
	                     (k->retired.ms != 0 && a->next_update.ms > k->retired.ms)))
		return fail(ERR_POLICY,
		    "served-responder-time: Rule 6(xvii): an answer is by a key that was not yet made, or was "
		    "retired since, when it is in force");
	return ok;
}

err
served_check_signature(const struct responder *r, const struct ocsp_answer *a)
{
	if (!slice_eq(a->responder_key_id, ARR(r->key_id)) || key_check(r->key, a->alg, a->data, a->signature).kind != OK)
		return fail(ERR_POLICY, "served-signature: RFC 6960 3.2: an answer's signature is not by its responder");
	return ok;
}

/* --- checkpoint ------------------------------------------------------------------------- */

err
served_check_checkpoint(const struct served *s, const struct trust *t, const struct served_allowed *w,
    const struct tree_nodes *books, slice note, instant read, uint64_t *size)
{
	struct checkpoint c;
	digest root;

	TRY(checkpoint_get(note, &c));
	TRY(checkpoint_check(&c, t->origin, t->status_key));
	if (c.size > s->lines)
		return fail(
		    ERR_POLICY, "served-checkpoint-ahead: design law 9: the public has seen more lines than the books have");
	TRY(tree_root_at(books, c.size, &root));
	if (!digest_eq(root, c.root))
		return fail(ERR_POLICY, "served-checkpoint-root: RFC 6962 2.1: the public has seen another book than this one");
	if (s->checkpoint.n > 0 && c.size < s->checkpoint.size && read.ms - s->checkpoint.at.ms >= w->list_ms)
		return fail(ERR_POLICY, "served-checkpoint-old: FA-3: an older checkpoint is served than the books' last");
	*size = c.size;
	return ok;
}
