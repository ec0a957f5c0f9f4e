#include "act/dossier.h"

static const char *const OWES[OWES_COUNT] = {"nothing", "verify", "issue", "notice", "letter", "person"};

const char *
owes_name(enum owes o)
{
	assert((unsigned)o < OWES_COUNT);
	return OWES[o];
}

/*
 * The table.  `in` is a mask of states (bit 0: no dossier yet); KEEP leaves the
 * state (or what it owes) as it is.
 */
#define IN(s) (1U << (s))
#define NONE 1U
#define OPEN (IN(DOSSIER_RECEIVED) | IN(DOSSIER_WAITING) | IN(DOSSIER_REVIEW))
#define LIVE (IN(DOSSIER_ISSUED) | IN(DOSSIER_DELIVERED) | IN(DOSSIER_RECEIPTED))
#define KEEP (-1)

static const struct row {
	unsigned in;
	enum act act;
	int next, owes;
} ROWS[] = {
    {NONE, ACT_EXPLANATION_ACKNOWLEDGED, KEEP, KEEP},
    {NONE, ACT_APPLICATION_RECEIVED, DOSSIER_RECEIVED, OWES_VERIFY},
    {IN(DOSSIER_RECEIVED) | IN(DOSSIER_WAITING), ACT_IDENTITY_VERIFIED, DOSSIER_RECEIVED, OWES_VERIFY},
    {IN(DOSSIER_RECEIVED) | IN(DOSSIER_WAITING), ACT_IDENTITY_FAILED, DOSSIER_RECEIVED, OWES_VERIFY},
    {IN(DOSSIER_RECEIVED) | IN(DOSSIER_WAITING), ACT_IDENTITY_MISMATCH, DOSSIER_RECEIVED, OWES_VERIFY},
    {IN(DOSSIER_RECEIVED) | IN(DOSSIER_WAITING), ACT_IDENTITY_UNCHECKED, DOSSIER_WAITING, OWES_VERIFY},
    {IN(DOSSIER_REVIEW), ACT_IDENTITY_VERIFIED, KEEP, KEEP},
    {IN(DOSSIER_REVIEW), ACT_IDENTITY_FAILED, KEEP, KEEP},
    {IN(DOSSIER_REVIEW), ACT_IDENTITY_MISMATCH, KEEP, KEEP},
    {IN(DOSSIER_REVIEW), ACT_IDENTITY_UNCHECKED, KEEP, KEEP},
    {IN(DOSSIER_RECEIVED), ACT_REVIEW_OPENED, DOSSIER_REVIEW, OWES_PERSON},
    {IN(DOSSIER_REVIEW), ACT_REVIEW_EXTENDED, KEEP, KEEP},
    {IN(DOSSIER_RECEIVED) | IN(DOSSIER_REVIEW), ACT_APPLICATION_ACCEPTED, DOSSIER_RECEIVED, OWES_VERIFY},
    {OPEN, ACT_APPLICATION_REFUSED, DOSSIER_REFUSED, OWES_NOTHING},
    {OPEN, ACT_APPLICATION_WITHDRAWN, DOSSIER_WITHDRAWN, OWES_NOTHING},
    {IN(DOSSIER_RECEIVED), ACT_CERTIFICATE_ORDERED, DOSSIER_ORDERED, OWES_ISSUE},
    /* a new order comes from fresh evidence */
    {IN(DOSSIER_ORDERED), ACT_CERTIFICATE_VOIDED, DOSSIER_RECEIVED, OWES_VERIFY},
    {IN(DOSSIER_ORDERED), ACT_CERTIFICATE_ISSUED, DOSSIER_ISSUED, OWES_NOTHING},
    {IN(DOSSIER_ISSUED), ACT_CERTIFICATE_DELIVERED, DOSSIER_DELIVERED, KEEP},
    {IN(DOSSIER_ISSUED) | IN(DOSSIER_DELIVERED), ACT_RECEIPT_RECEIVED, DOSSIER_RECEIPTED, KEEP},
    {LIVE, ACT_REMINDER_SENT, KEEP, KEEP},
    {LIVE, ACT_NOTICE_SENT, KEEP, KEEP},
    {LIVE, ACT_REVOCATION_REQUESTED, KEEP, KEEP},
    {LIVE, ACT_REVIEW_OPENED, KEEP, OWES_PERSON},
    {LIVE, ACT_REVIEW_EXTENDED, KEEP, KEEP},
    {LIVE, ACT_REVOCATION_REFUSED, KEEP, OWES_NOTHING},
    {LIVE, ACT_CERTIFICATE_REVOKED, DOSSIER_REVOKED, OWES_NOTICE},
    {IN(DOSSIER_REVOKED), ACT_REVIEW_OPENED, KEEP, OWES_LETTER},
    {IN(DOSSIER_REVOKED), ACT_USER_NOTIFIED, KEEP, OWES_NOTHING},
};

static const struct row *
row_find(enum dossier_state state, enum act act)
{
	for (size_t i = 0; i < COUNT(ROWS); i++)
		if (ROWS[i].act == act && (ROWS[i].in & IN(state)) != 0)
			return &ROWS[i];
	return NULL;
}

/* What an outsider is told whose act finds no row. */
static const struct {
	enum act act;
	unsigned in;
	enum err_kind kind;
	const char *what;
} REFUSALS[] = {
    {ACT_CERTIFICATE_DELIVERED, NONE | OPEN | IN(DOSSIER_ORDERED), ERR_ABSENT,
        "certificate-not-yet: Rule 6(iv): no certificate has been issued for this application"},
    {ACT_CERTIFICATE_DELIVERED, IN(DOSSIER_REFUSED) | IN(DOSSIER_WITHDRAWN), ERR_ABSENT,
        "certificate-never: Rule 12(1)(i): this application ended without a certificate"},
    {ACT_RECEIPT_RECEIVED, NONE | OPEN | IN(DOSSIER_ORDERED) | IN(DOSSIER_REFUSED) | IN(DOSSIER_WITHDRAWN),
        ERR_CONFLICT, "receipt-early: Rule 12(1)(i): there is no certificate this receipt could be for"},
    {ACT_RECEIPT_RECEIVED, IN(DOSSIER_RECEIPTED), ERR_CONFLICT,
        "receipt-twice: Rule 12(1)(i): another receipt for this certificate is in the books"},
    {ACT_RECEIPT_RECEIVED, IN(DOSSIER_REVOKED), ERR_CONFLICT,
        "receipt-revoked: Rule 6(x): the certificate has been revoked"},
    {ACT_CERTIFICATE_REVOKED, IN(DOSSIER_REVOKED), ERR_CONFLICT,
        "revoked-already: Rule 6(x): the certificate has been revoked before"},
    {ACT_CERTIFICATE_REVOKED, ~(LIVE | IN(DOSSIER_REVOKED)), ERR_ABSENT,
        "revoke-absent: Rule 6(x): there is no such certificate to revoke"},
    {ACT_APPLICATION_WITHDRAWN, ~OPEN, ERR_CONFLICT,
        "withdraw-late: Rule 6(ii): the application has ended, or a certificate was ordered; ask for its revocation"},
    {ACT_APPLICATION_ACCEPTED, ~IN(DOSSIER_REVIEW), ERR_CONFLICT,
        "decide-state: Rule 12(1)(i): this application does not wait for a person's decision"},
};

err
dossier_plan(const struct dossier *d, enum act act)
{
	if (row_find(d->state, act) != NULL)
		return ok;
	for (size_t i = 0; i < COUNT(REFUSALS); i++)
		if (REFUSALS[i].act == act && (REFUSALS[i].in & IN(d->state)) != 0)
			return fail(REFUSALS[i].kind, REFUSALS[i].what);
	return fail(ERR_CONFLICT, "dossier-state: Rule 12(1): the dossier's state does not allow this act");
}

static void
set_why(struct dossier *d, slice why)
{
	size_t n = why.n < WHY_MAX ? why.n : WHY_MAX;

	memset(d->why, 0, sizeof d->why);
	if (n > 0)
		memcpy(d->why, why.p, n);
	d->why_n = (uint16_t)n;
}

slice
dossier_why(const struct dossier *d)
{
	return slice_of(d->why, d->why_n);
}

/* What served the decision and the order is not needed once the certificate is there. */
static void
forget_order(struct dossier *d)
{
	d->judged = (instant){0};
	d->method = STATUS_NONE;
	d->status = d->tbs = (digest){0};
	memset(d->nonce, 0, sizeof d->nonce);
	d->not_before = (instant){0};
}

static void
take_identity(struct dossier *d, const struct entry *e)
{
	d->judged = e->judged;
	d->method = e->method;
	d->status = e->status;
	memcpy(d->nonce, e->nonce, sizeof d->nonce);
}

static void
take_revoked(struct dossier *d, const struct entry *e)
{
	d->revoked = e->line.at;
	d->revoked_n = e->line.n;
	d->reason = e->reason;
	d->revocation = e->document;
	d->revoker = e->signer;
	d->revocation_judged = e->judged;
	d->revocation_method = e->method;
	d->revocation_status = e->status;
	memcpy(d->revocation_nonce, e->nonce, sizeof d->revocation_nonce);
	d->review = false;
	d->question = QUESTION_NONE;
	d->watch = (instant){0};
	set_why(d, (slice){NULL, 0});
}

static instant
after(const struct entry *e, int64_t ms)
{
	return (instant){e->line.at.ms + ms};
}

static void
take_received(struct dossier *d, const struct entry *e)
{
	d->id = e->line.dossier;
	d->n = e->line.n;
	d->received = e->line.at;
	d->document = e->document;
	d->key = e->key;
	d->card = e->card;
	d->token = e->token;
	d->validity = (uint8_t)e->validity;
}

static err
take_ordered(struct dossier *d, const struct entry *e)
{
	if (!d->accepted)
		return fail(ERR_CORRUPT, "dossier-order: Rule 12(1)(i): a certificate was ordered without an acceptance");
	d->accepted = false;
	d->review = false;
	d->orders++;
	d->serial = e->serial;
	d->ordered = e->line.at;
	d->ordered_n = e->line.n;
	d->not_before = e->not_before;
	d->tbs = e->tbs;
	return ok;
}

/* Acts about the certificate that was ordered: all of them name its serial. */
static err
take_certificate(struct dossier *d, const struct entry *e)
{
	if (!serial_eq(d->serial, e->serial))
		return fail(ERR_CORRUPT, "dossier-serial: Rule 6(v): the line is about another serial than the dossier's");
	if (e->line.act == ACT_CERTIFICATE_REVOKED) {
		take_revoked(d, e);
		return ok;
	}
	forget_order(d);
	if (e->line.act == ACT_CERTIFICATE_VOIDED) {
		d->serial = (serial){0};
		return ok;
	}
	d->certificate = e->certificate;
	d->not_after = e->not_after;
	d->issued = e->line.at;
	d->watch = after(e, RECEIPT_REMIND_MS);
	return ok;
}

/* Its officer has answered, or it has answered itself. */
static void
end_question(struct dossier *d, instant watch)
{
	d->review = false;
	d->question = QUESTION_NONE;
	d->owes = OWES_NOTHING;
	d->watch = watch;
	set_why(d, (slice){NULL, 0});
}

static bool
is_live(const struct dossier *d)
{
	return (IN(d->state) & LIVE) != 0;
}

/* A letter is owed, or something is asked; meanwhile nobody looks for the receipt. */
static void
take_review(struct dossier *d, const struct entry *e)
{
	bool letter = slice_eq(e->how, LIT("letter"));

	d->accepted = false;
	set_why(d, e->why);
	if (is_live(d) && letter) {
		d->owes = OWES_LETTER;
		d->watch = (instant){0};
		return;
	}
	d->review = true;
	if (!is_live(d))
		return;
	d->question = slice_eq(e->how, LIT("receipt")) ? QUESTION_RECEIPT : QUESTION_REVOCATION;
	if (d->question == QUESTION_REVOCATION)
		d->request_n = e->line.n;
	d->watch = (instant){0};
}

/* The end of the time is not before the day after a reminder: who is reminded late gets that day. */
static void
take_reminder(struct dossier *d, const struct entry *e)
{
	int64_t end = d->issued.ms + RECEIPT_END_MS, next = e->line.at.ms + DAY_MS;

	d->reminded = e->line.at;
	if (d->owes == OWES_LETTER) {
		d->owes = OWES_NOTHING;
		set_why(d, (slice){NULL, 0});
	}
	if (d->question == QUESTION_NONE && d->receipt_n == 0)
		d->watch = (instant){end > next ? end : next};
}

/* The members an act brings; the state has been set. */
static err
take(struct dossier *d, const struct entry *e)
{
	switch (e->line.act) {
	case ACT_APPLICATION_RECEIVED:
		take_received(d, e);
		return ok;
	case ACT_IDENTITY_VERIFIED:
	case ACT_IDENTITY_MISMATCH:
		take_identity(d, e);
		return ok;
	case ACT_IDENTITY_UNCHECKED:
		take_identity(d, e);
		set_why(d, e->why);
		return ok;
	case ACT_APPLICATION_ACCEPTED:
		d->accepted = true;
		d->decision = e->document;
		d->ruleset = e->ruleset;
		d->validity = (uint8_t)e->validity;
		set_why(d, (slice){NULL, 0});
		return ok;
	case ACT_APPLICATION_REFUSED:
	case ACT_APPLICATION_WITHDRAWN:
		d->accepted = false;
		forget_order(d);
		set_why(d, e->why);
		return ok;
	case ACT_REVIEW_OPENED:
		take_review(d, e);
		return ok;
	case ACT_REVIEW_EXTENDED:
		if (d->question == QUESTION_RECEIPT)
			end_question(d, e->until);
		return ok;
	case ACT_REMINDER_SENT:
		take_reminder(d, e);
		return ok;
	case ACT_RECEIPT_RECEIVED:
		d->receipt = e->document;
		d->receipt_n = e->line.n;
		if (d->question == QUESTION_RECEIPT || d->owes == OWES_LETTER)
			end_question(d, (instant){0});
		d->watch = (instant){0};
		return ok;
	case ACT_REVOCATION_REQUESTED:
		d->request = e->document;
		d->request_n = e->line.n;
		if (digest_get(e->line.by_id, &d->requester).kind != OK)
			d->requester = (digest){0};
		return ok;
	case ACT_REVOCATION_REFUSED:
		end_question(d, d->receipt_n == 0 ? after(e, DAY_MS) : (instant){0});
		set_why(d, e->why);
		return ok;
	case ACT_CERTIFICATE_ORDERED:
		return take_ordered(d, e);
	case ACT_CERTIFICATE_VOIDED:
	case ACT_CERTIFICATE_ISSUED:
	case ACT_CERTIFICATE_REVOKED:
		return take_certificate(d, e);
	default:
		return ok;
	}
}

err
dossier_apply(struct dossier *d, const struct entry *e)
{
	const struct row *r = row_find(d->state, e->line.act);
	struct dossier next = *d;

	if (r == NULL)
		return fail(ERR_CORRUPT, "dossier-act: Rule 12(1): the line does not follow from the dossier's state");
	if (r->next != KEEP) {
		next.state = (enum dossier_state)r->next;
		if (next.state != d->state)
			next.since = e->line.at;
	}
	if (r->owes != KEEP)
		next.owes = (enum owes)r->owes;
	TRY(take(&next, e));
	if (d->state != 0 && memcmp(d->id.b, e->line.dossier.b, sizeof d->id.b) != 0)
		return fail(ERR_CORRUPT, "dossier-about: Rule 12(1): the line is about another dossier");
	*d = next;
	return ok;
}

bool
dossier_is_by_officer(const struct dossier *d)
{
	return !digest_eq(d->decision, (digest){0});
}

bool
dossier_is_valid(const struct dossier *d, instant now)
{
	return (IN(d->state) & LIVE) != 0 && now.ms <= d->not_after.ms;
}

bool
dossier_is_open(const struct dossier *d)
{
	return (IN(d->state) & (OPEN | IN(DOSSIER_ORDERED))) != 0;
}

/* --- the house ----------------------------------------------------------------- */
static void
take_head(struct head *h, const struct entry *e)
{
	if (e->journal != 0)
		*h = (struct head){e->journal, e->journal_root};
}

/* Lines of before the date was in them: theirs stands for it. */
static void
take_said(struct said *s, const struct entry *e)
{
	*s = (struct said){e->signed_at.ms != 0 ? e->signed_at : e->line.at, e->document, e->line.n};
}

static uint64_t
key_bit(slice what)
{
	return slice_eq(what, LIT("issuer"))       ? 1
	       : slice_eq(what, LIT("ocsp"))       ? 2
	       : slice_eq(what, LIT("checkpoint")) ? 4
	                                           : 0;
}

static bool
is_off(const struct ledger *h, size_t i, digest key)
{
	return memcmp(h->off_key[i], key.b, SHA256_LEN) == 0;
}

static void
take_permission(struct ledger *h, const struct entry *e)
{
	unsigned duty = duty_of(e->duty);
	size_t i = 0;

	while (i < TRUST_PERSONS_MAX && !is_off(h, i, e->key))
		i++;
	if (i == TRUST_PERSONS_MAX) /* of whom nothing is ended yet: a place where nothing is ended any more */
		for (i = 0; i < TRUST_PERSONS_MAX && h->off_duties[i] != 0; i++)
			;
	if (duty == 0 || i == TRUST_PERSONS_MAX)
		return; /* of no duty, or of more persons than a trust file names: nothing of that kind is entered */
	memcpy(h->off_key[i], e->key.b, SHA256_LEN);
	if (e->line.act == ACT_PERMISSION_WITHDRAWN)
		h->off_duties[i] = (uint8_t)(h->off_duties[i] | duty);
	else
		h->off_duties[i] = (uint8_t)(h->off_duties[i] & ~duty);
}

unsigned
ledger_withdrawn(const struct ledger *h, digest key)
{
	unsigned duties = 0;

	for (size_t i = 0; i < TRUST_PERSONS_MAX; i++)
		if (is_off(h, i, key))
			duties |= h->off_duties[i];
	return duties;
}

static bool
is_none(digest d)
{
	return digest_eq(d, (digest){{0}});
}

const struct responder_key *
ledger_find_responder(const struct ledger *h, digest key)
{
	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		if (!is_none(key) && digest_eq(h->responder[i].key, key))
			return &h->responder[i];
	return NULL;
}

const struct responder_key *
ledger_responder(const struct ledger *h)
{
	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		if (h->responder[i].used.ms != 0 && h->responder[i].left.ms == 0)
			return &h->responder[i];
	return NULL;
}

static struct responder_key *
place_of_key(struct ledger *h, digest key)
{
	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		if (digest_eq(h->responder[i].key, key))
			return &h->responder[i];
	return NULL;
}

/* K-1 of the house's first keys stands in one line with everybody's; of a changed responder each has a line. */
static err
take_made(struct ledger *h, const struct entry *e)
{
	digest person = sha256(e->line.by_id);
	struct responder_key *k;

	h->keys_made |= key_bit(e->what);
	if (is_none(e->key) || !slice_eq(e->what, LIT("ocsp")))
		return ok;
	if (!is_none(e->certificate))
		take_said(&h->made, e);
	k = place_of_key(h, e->key);
	if (k != NULL) {
		k->wants -= k->wants > 0 && !digest_eq(k->person, person);
		return ok;
	}
	k = place_of_key(h, (digest){{0}});
	if (k == NULL)
		return fail(ERR_CORRUPT, "ledger-responders: Rule 6(xvii): more keys of responders than can be in use");
	*k = (struct responder_key){.key = e->key,
	    .certificate = e->certificate,
	    .person = person,
	    .wants = !is_none(e->certificate) && slice_eq(e->how, LIT("together")),
	    .n = e->line.n,
	    .made = e->line.at};
	if (e->line.at.ms > h->key_at.ms)
		h->key_at = e->line.at;
	return ok;
}

static err
take_used(struct ledger *h, const struct entry *e)
{
	struct responder_key *k;

	h->keys_used |= key_bit(e->what);
	if (is_none(e->key) || !slice_eq(e->what, LIT("ocsp")))
		return ok;
	k = place_of_key(h, e->key);
	if (k == NULL || k->wants > 0)
		return fail(ERR_CORRUPT, "ledger-key: Rule 6(xvii): a key is put to use, or retired, that was not recorded");
	for (size_t i = 0; i < RESPONDERS_MAX; i++)
		if (&h->responder[i] != k && h->responder[i].used.ms != 0 && h->responder[i].left.ms == 0)
			h->responder[i].left = e->line.at;
	k->used = e->line.at;
	k->left = (instant){0};
	return ok;
}

static err
take_retired(struct ledger *h, const struct entry *e)
{
	struct responder_key *k = is_none(e->key) ? NULL : place_of_key(h, e->key);

	if (k == NULL || k == ledger_responder(h))
		return fail(ERR_CORRUPT, "ledger-key: Rule 6(xvii): a key is put to use, or retired, that was not recorded");
	*k = (struct responder_key){0};
	return ok;
}

err
ledger_apply(struct ledger *h, const struct entry *e)
{
	switch (e->line.act) {
	case ACT_BASELINE_SET:
		h->baseline = e->document;
		break;
	case ACT_RULESET_APPROVED:
		h->ruleset = e->ruleset;
		h->approval = e->document;
		h->approval_from = e->from;
		h->approval_until = e->until;
		h->ruleset_version = e->version;
		take_said(&h->approved, e);
		break;
	case ACT_AUTOMATION_STOPPED:
		h->stopped = true;
		take_said(&h->automated, e);
		break;
	case ACT_AUTOMATION_RESUMED:
		h->stopped = false;
		take_said(&h->automated, e);
		break;
	case ACT_KEY_GENERATED:
		TRY(take_made(h, e));
		break;
	case ACT_KEY_ACTIVATED:
		TRY(take_used(h, e));
		break;
	case ACT_KEY_RETIRED:
		TRY(take_retired(h, e));
		break;
	case ACT_PERMISSION_GRANTED:
	case ACT_PERMISSION_WITHDRAWN:
		h->permissions++;
		if (e->line.act == ACT_PERMISSION_GRANTED && e->number > h->permission)
			h->permission = e->number;
		take_said(&h->permitted, e);
		take_permission(h, e);
		break;
	case ACT_CERTIFICATE_ISSUED:
		take_head(&h->issuer, e);
		break;
	case ACT_CERTIFICATE_REVOKED:
		h->revoked_end = e->line.n + 1;
		break;
	case ACT_CRL_PUBLISHED:
		if (e->number <= h->crl_number)
			return fail(ERR_CORRUPT, "ledger-crl: RFC 5280 5.2.3: a CRL number that does not rise");
		h->crl_number = e->number;
		h->crl_covers = e->covers;
		if (e->regular == 1)
			h->crl_at = e->this_update;
		if (e->base == 0 && e->partition == 0) {
			h->crl_complete = e->number;
			h->crl_next = e->next_update;
		}
		take_head(&h->issuer, e);
		break;
	case ACT_OCSP_PUBLISHED:
		if (e->due.ms > h->wheel.ms)
			h->wheel = e->due;
		break;
	case ACT_CHECKPOINT_SIGNED:
		if (e->size <= h->checkpoint_size || e->size > e->line.n)
			return fail(ERR_CORRUPT, "ledger-checkpoint: design 5: a checkpoint of a size that cannot be");
		h->checkpoint_before = h->checkpoint_size;
		h->checkpoint_size = e->size;
		h->checkpoint_n = e->line.n;
		h->checkpoint_root = e->root;
		h->checkpoint_at = e->line.at;
		take_head(&h->status, e);
		return ok;
	case ACT_OPERATION_DONE:
		if (slice_eq(e->what, LIT("jlis-crl")) && e->number < JLIS_LISTS_MAX) {
			h->jlis[e->number].digest = e->status;
			h->jlis[e->number].this_update = e->this_update;
			h->jlis[e->number].next_update = e->next_update;
		}
		break;
	default:
		break;
	}
	h->last_other_n = e->line.n;
	h->any_other = true;
	return ok;
}

bool
ledger_owes_checkpoint(const struct ledger *h)
{
	return h->any_other && h->last_other_n >= h->checkpoint_size;
}

bool
ledger_has_list(const struct ledger *h, size_t which)
{
	return which < JLIS_LISTS_MAX && h->jlis[which].this_update.ms != 0;
}
