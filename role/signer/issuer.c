#include "role/signer/signer.h"

#define LIST_ROOM (24U << 10) /* for the end of the last part: an entry, a Name, two URIs, a signature */

static struct issue_view
view_of(const struct signing *s, const struct issue_order *o, instant now)
{
	return (struct issue_view){
	    .trust = s->trust,
	    .profile = s->profile,
	    .ruleset = s->ruleset,
	    .approval = s->has_approval ? &s->approval : NULL,
	    .stopped = journal_state(s->journal)->automation.stopped,
	    .by_rule_last_hour = journal_by_rule(s->journal, now),
	    .crl = signing_crl(s, o->crl),
	    .held = s->crl,
	    .n_held = COUNT(s->crl),
	    .now = now,
	};
}

static err
at_hand(void)
{
	return fail(ERR_BUSY, "signer-at-hand: house: this serial is being signed at this moment; ask again");
}

/* At a hand now: the step before this one signs it. */
static err
check_at_rest(const struct signing *s, serial n)
{
	for (size_t i = 0; s->old != NULL && i < s->old->n; i++)
		if (s->old->task[i]->kind == ORDER_ISSUE && serial_eq(s->old->task[i]->issue.serial, n))
			return at_hand();
	return ok;
}

/*
 * About to be signed by this very step.  A new intent stands in the journal by now, an old one that is finished adds no
 * line: without this a serial could be void and signed at once, and its application and key free for a second certificate.
 */
static err
check_not_heard(const struct signing *s, serial n)
{
	for (size_t i = 0; s->heard != NULL && i < s->heard->n; i++)
		if (s->heard->task[i]->kind == ORDER_ISSUE && s->heard->task[i]->signing &&
		    serial_eq(s->heard->task[i]->issue.serial, n))
			return at_hand();
	return ok;
}

/* What the journal says of the serial decides whether this is a new act, an intent to finish, or an answer to repeat. */
static err
recall(struct signing *s, struct task *t, enum issue_turn *turn)
{
	const struct issue_order *o = &t->issue;
	struct journal_record r;
	err e;

	TRY(check_at_rest(s, o->serial));
	e = journal_find(s->journal, o->serial, &r);
	*turn = ISSUE_NEW;
	if (e.kind == ERR_ABSENT)
		return ok;
	TRY(e);
	TRY(check_not_heard(s, o->serial));
	if (r.voided)
		return fail(ERR_CONFLICT, "signer-void: design law 2: this serial is void and is never signed");
	if (!digest_eq(r.tbs, o->tbs) || memcmp(r.dossier.b, o->dossier.b, sizeof r.dossier.b) != 0)
		return fail(ERR_CONFLICT, "signer-serial: design law 2: this serial was used for other bytes");
	*turn = ISSUE_FINISH;
	t->intent = r.intent;
	if (r.done) {
		struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);

		TRY(journal_certificate(s->journal, &r, &certificate));
		issue_reply_put(
		    &t->answer, &(struct issue_reply){buf_slice(&certificate), journal_head(s->journal), r.signed_at});
	}
	return ok;
}

err
issuer_issue(struct signing *s, struct task *t, instant now)
{
	struct issue_view v;
	enum issue_turn turn;

	TRY(issue_order_get(buf_slice(&t->order), &t->issue)); /* untrusted bytes become a value                  */
	TRY(recall(s, t, &turn));                              /* answered before: the same answer, nothing new   */
	if (t->answer.n > 0)
		return ok;
	v = view_of(s, &t->issue, now);
	TRY(issue_plan(&v, &t->issue, turn, &t->plan)); /* identity and decision again, then a ticket      */
	TRY(journal_check_unused(s->journal, t->issue.serial, t->plan.application, t->plan.key));
	if (turn == ISSUE_NEW)
		t->intent = journal_add_intent(s->journal, &t->plan, &t->issue, s->profile->name);
	t->signing = true;
	t->hand = KEY_ISSUER;
	t->n = 1;
	t->ticket[0] = t->plan.ticket; /* borrowed: the plan owns it */
	return ok;
}

err
issuer_void(struct signing *s, struct task *t)
{
	struct void_order o;
	struct journal_record r;
	err e;

	TRY(void_order_get(buf_slice(&t->order), &o));
	t->wants_head = true;
	TRY(check_at_rest(s, o.serial));
	e = journal_find(s->journal, o.serial, &r);
	if (e.kind == OK)
		TRY(check_not_heard(s, o.serial));
	if (e.kind == OK && r.done)
		return fail(ERR_CONFLICT, "signer-void-signed: design law 2: this serial was signed; ask for its certificate");
	if (e.kind == OK && r.voided)
		return ok;
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	journal_add_void(s->journal, o.dossier, o.serial);
	return ok;
}

static err
take_ruleset(struct signing *s, const struct rules_order *o, instant now)
{
	const struct journal_state *seen = journal_state(s->journal);
	struct ruleset *r OWNED(ruleset_drop) = NULL;
	struct approval a;

	TRY(ruleset_get(o->ruleset, &r));
	/* one that has lapsed where there is none better: nothing is issued under it, and lists are made as before */
	if (s->has_approval && !approval_has_lapsed(&s->approval, now))
		TRY(approval_check(s->trust, o->approval, r, now, &a));
	else
		TRY(approval_check_begun(s->trust, o->approval, r, now, &a));
	if (a.version < seen->ruleset_version)
		return fail(
		    ERR_POLICY, "signer-approval-old: Rule 12(1)(i)ニ: a later version of the rule set was seen before");
	if (a.version == seen->ruleset_version && !digest_eq(a.ruleset, seen->ruleset))
		return fail(
		    ERR_POLICY, "signer-approval-other: Rule 12(1)(i)ニ: another rule set was approved as this version");
	if (a.version > seen->ruleset_version)
		journal_add_ruleset(s->journal, a.version, a.ruleset, a.document);
	ruleset_drop(&s->ruleset);
	s->ruleset = r;
	r = NULL;
	s->approval = a;
	s->has_approval = true;
	return ok;
}

/*
 * What was stopped stays stopped until a document of a later date says otherwise: an older one that is handed over again
 * changes nothing, and the registrar cannot take back what this journal has heard.
 */
static err
take_automation(struct signing *s, slice cms)
{
	const struct journal_state *seen = journal_state(s->journal);
	struct automation a;

	TRY(automation_check(s->trust, cms, &a));
	if (a.date.ms > seen->automation.date.ms)
		journal_add_automation(s->journal, &a);
	return ok;
}

err
issuer_rules(struct signing *s, struct task *t, instant now)
{
	const struct list_memory *lists = &journal_state(s->journal)->list;
	struct profile *p OWNED(profile_drop) = NULL;
	struct rules_order o;

	TRY(rules_order_get(buf_slice(&t->order), &o));
	TRY(profile_get(o.profile, &p));
	if (!trust_has_profile(s->trust, p->digest))
		return fail(ERR_POLICY, "signer-profile: design law 4: the profile is not one the trust file names");
	if (o.automation.n > 0)
		TRY(take_automation(s, o.automation));
	TRY(revocation_check_parted(lists, p));
	if (lists->parts == 0 && p->crl_partitions > 0)
		journal_add_parted(s->journal, p);
	if (o.approval.n > 0)
		TRY(take_ruleset(s, &o, now));
	profile_drop(&s->profile);
	s->profile = p;
	p = NULL;
	return ok;
}

err
issuer_list(struct signing *s, struct task *t, instant now)
{
	struct list_plan *p = mem_new(1, sizeof *p);
	struct crl_order o;

	t->list = p;
	TRY(crl_order_get(buf_slice(&t->order), &o));
	if (s->profile == NULL)
		return fail(ERR_BUSY, "signer-no-profile: house: the profile was not handed over yet");
	TRY(revocation_plan_list(s->trust, s->profile, s->revoked, &o, &journal_state(s->journal)->list, now, p));
	/* the number is used up before the key moves: a crash leaves a gap, never two lists of one number */
	journal_add_list(s->journal, &o, p);
	t->ticket[0] = p->ticket;
	p->ticket = NULL;
	t->signing = true;
	t->hand = KEY_ISSUER;
	t->n = 1;
	return ok;
}

void
issuer_list_end(struct signing *s)
{
	if (s->list != NULL)
		list_plan_drop(s->list);
	free(s->list);
	s->list = NULL;
}

err
issuer_list_part(struct signing *s, struct task *t, int64_t steady_ms)
{
	struct buf bytes OWNED(buf_drop) = BUF(PART_BYTES);
	struct list_part_order o;
	struct part p = {0};
	err e;

	TRY(list_part_order_get(buf_slice(&t->order), &o));
	if (s->list == NULL || s->list->number != o.number || s->list_part != o.part)
		return fail(ERR_ABSENT, "signer-list: house: this part is not the next of the list that was signed last");
	s->list_at = steady_ms;
	e = revocation_list_part(s->revoked, s->list, PART_BYTES - LIST_ROOM, &bytes, &p.last);
	p.number = s->list_part++;
	if (e.kind != OK || p.last)
		issuer_list_end(s);
	TRY(e);
	p.bytes = buf_slice(&bytes);
	part_put(&t->answer, &p);
	return ok;
}

/* After a lost hand: the same bytes, a new ticket. */
err
issuer_plan_again(struct signing *s, struct task *t, instant now)
{
	digest was = ticket_digest(t->ticket[0]);
	struct issue_view v;

	if (t->kind == ORDER_ISSUE) {
		struct issue_plan again = {0};

		v = view_of(s, &t->issue, now);
		TRY(issue_plan(&v, &t->issue, ISSUE_FINISH, &again));
		issue_plan_drop(&t->plan);
		t->plan = again;
		t->ticket[0] = t->plan.ticket;
	} else {
		/* others may have entered since: the list is of the moment it was planned */
		ticket_drop(&t->ticket[0]);
		t->ticket[0] = revocation_list_ticket(s->trust, t->list);
	}
	if (!digest_eq(was, ticket_digest(t->ticket[0])))
		return fail(ERR_CONFLICT, "signer-bytes: design law 2: planned again, the bytes came out otherwise");
	return ok;
}

void
issuer_join(struct signing *s, struct task *t, instant now)
{
	struct issue_view v;

	if (t->outcome.kind == OK)
		t->outcome = t->signed_as[0];
	if (t->outcome.kind != OK)
		return;
	if (t->kind == ORDER_CRL_OUT) {
		t->outcome = revocation_join_list(s->trust, t->list, buf_slice(&t->signature[0]));
		if (t->outcome.kind == OK) {
			issuer_list_end(s);
			s->list = t->list;
			s->list_part = 0;
			s->list_at = s->clock_steady;
			t->list = NULL;
		}
	} else {
		struct buf certificate OWNED(buf_drop) = BUF(CERT_MAX);

		v = view_of(s, &t->issue, now);
		t->outcome = issue_join(&v, &t->plan, buf_slice(&t->signature[0]), &certificate);
		if (t->outcome.kind == OK) {
			journal_add_signed(s->journal, t->plan.dossier, t->plan.serial, t->intent, buf_slice(&certificate));
			buf_put(&t->answer, buf_slice(&certificate)); /* wrapped once the commit is through */
		}
	}
	if (t->outcome.kind == ERR_WORLD)
		hand_end(s->hand[t->hand]); /* what signed wrongly signs no more */
}
