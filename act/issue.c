#include "act/entry.h"
#include "act/issue.h"
#include "pki/cert.h"
#include "pki/name.h"

void
issue_plan_drop(struct issue_plan *p)
{
	ticket_drop(&p->ticket);
	*p = (struct issue_plan){0};
}

/* C, CN = 氏名 (B-5ハ), serialNumber so that two of one name stay two, then what the profile records besides. */
static void
put_subject(struct buf *b, const struct profile *p, const struct issue_facts *f)
{
	struct name_part part[NAME_ATTRS_MAX];
	struct buf id OWNED(buf_drop) = BUF(64);
	size_t n = 0;

	buf_put_hex(&id, (slice){f->dossier.b, sizeof f->dossier.b});
	part[n++] = (struct name_part){NAME_C, LIT("JP")};
	part[n++] = (struct name_part){NAME_CN, f->name};
	part[n++] = (struct name_part){NAME_SERIAL, buf_slice(&id)};
	if (p->address)
		part[n++] = (struct name_part){NAME_STREET, f->address};
	if (p->birth)
		part[n++] = (struct name_part){NAME_BIRTH, f->birth};
	name_put(b, part, n);
}

err
issue_plan_tbs(const struct profile *p, const struct cert *issuer, const struct issue_facts *f, struct buf *tbs)
{
	struct buf subject OWNED(buf_drop) = BUF(4096), out OWNED(buf_drop) = BUF(ISSUE_TBS_MAX);
	struct buf crl OWNED(buf_drop) = BUF(512);
	struct key *k OWNED(key_drop) = NULL;
	uint8_t ski[SHA1_LEN];
	instant from = instant_floor_second(f->not_before), until;

	if (f->serial.n != 16 || f->serial.b[0] < 0x40 || f->serial.b[0] > 0x7F)
		return fail(ERR_POLICY, "issue-serial: RFC 5280 4.1.2.2: a serial is 16 random bytes, the first 40 to 7F");
	if (f->name.n == 0 || (p->address && f->address.n == 0) || (p->birth && f->birth.n == 0))
		return fail(ERR_POLICY, "issue-name: Rule 6(v): a certificate names its person");
	if (f->validity_years < 1 || f->validity_years > p->validity_years_max)
		return fail(ERR_POLICY, "issue-validity: Rule 6(iv): the validity is not one the profile gives");
	TRY(key_name_spki(
	    f->spki, &k)); /* the signer has its application's possession proof, the registrar its verifier's word */
	TRY(profile_check_key(p, k));
	key_identifier(k, ski);
	until = instant_add_years(from, f->validity_years);
	until.ms -= SECOND_MS;
	if (until.ms > issuer->not_after.ms)
		return fail(ERR_POLICY, "issue-issuer-end: Rule 6(ix): the certificate would outlive its issuer");
	put_subject(&subject, p, f);
	TRY(buf_check(&subject));
	profile_put_crl_uri(&crl, p, profile_partition(p, f->serial));
	cert_put_tbs(&out, &(struct cert_plan){
	                       .serial = f->serial,
	                       .alg = issuer->alg,
	                       .issuer = issuer->subject,
	                       .subject = buf_slice(&subject),
	                       .spki = f->spki,
	                       .not_before = from,
	                       .not_after = until,
	                       .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION,
	                       .aki = issuer->ski,
	                       .ski = ARR(ski),
	                       .policy = buf_slice(&p->policy),
	                       .cps_uri = p->cps,
	                       .crl_uri = buf_slice(&crl),
	                       .ocsp_uri = p->ocsp,
	                       .ca_issuers_uri = p->ca_issuers,
	                   });
	TRY(buf_check(&out));
	buf_put(tbs, buf_slice(&out));
	return buf_check(tbs);
}

/* The lint reads certificates: before signing it gets one with an empty-handed signature of 64 zero bytes. */
static err
lint_tbs(const struct issue_view *v, slice tbs)
{
	static const uint8_t zero[64];
	struct buf whole OWNED(buf_drop) = BUF(CERT_MAX);

	cert_join(&whole, tbs, v->trust->issuer.alg, ARR(zero));
	TRY(buf_check(&whole));
	return profile_lint(v->profile, &v->trust->issuer, buf_slice(&whole));
}

static err
check_times(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn, enum proof by)
{
	int64_t age = o->not_before.ms - o->judged.ms, off = v->now.ms - o->not_before.ms;

	if (off < -ISSUE_CLOCK_MS || (turn == ISSUE_NEW && off > ISSUE_CLOCK_MS))
		return fail(ERR_POLICY, "issue-clock: Rule 6(v)ロ: notBefore is over 5 minutes off the signer's clock");
	if (off > ISSUE_FINISH_MS)
		return fail(ERR_POLICY, "issue-late: Rule 6(v)ロ: the order is too old to be finished; it is voided and made "
		                        "anew from fresh evidence");
	if (age < -ISSUE_CLOCK_MS || age > (by == PROOF_RULE ? ISSUE_JUDGED_RULE_MS : ISSUE_JUDGED_OFFICER_MS))
		return fail(
		    ERR_POLICY, "issue-judged: JPKI Act 19: identity was not judged within the time allowed before issue");
	return ok;
}

static err
check_rules(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn, enum proof *by)
{
	bool rule = !digest_eq(o->ruleset, (digest){0}), officer = o->decision.n > 0;

	if (rule == officer)
		return fail(
		    ERR_INPUT, "issue-form: Rule 12(1)(i)ニ: an order names either a rule set or an officer's document");
	if (v->profile == NULL || (rule && (v->ruleset == NULL || v->approval == NULL)))
		return fail(ERR_BUSY, "issue-rules: house: this signer was given no profile, rule set and approval yet");
	if (rule && (!digest_eq(o->ruleset, v->ruleset->digest) || !digest_eq(o->ruleset, v->approval->ruleset)))
		return fail(
		    ERR_POLICY, "issue-ruleset: Rule 12(1)(i)ニ: the order names another rule set than the approved one");
	if (rule && (v->now.ms < v->approval->from.ms || v->now.ms >= v->approval->until.ms))
		return fail(ERR_POLICY, "issue-approval: Rule 12(1)(i)ニ: the approval of the rule set is not in force");
	if (rule && turn == ISSUE_NEW && v->stopped)
		return fail(ERR_POLICY, "issue-stopped: Rule 6(xv): a responsible person stopped what is decided by rule");
	if (rule && turn == ISSUE_NEW && v->by_rule_last_hour >= v->ruleset->accepted_per_hour_max)
		return fail(ERR_POLICY,
		    "issue-hour: Rule 6(xv): as many certificates were made by rule within the hour as the rules allow");
	if (o->method == STATUS_CRL && (v->crl == NULL || !digest_eq(crl_table_digest(v->crl), o->crl)))
		return fail(ERR_ABSENT, "issue-crl: JPKI Act 19: the CRL this order cites was not handed over");
	*by = rule ? PROOF_RULE : PROOF_OFFICER;
	return ok;
}

/* The order brings evidence of the card's status that is young enough; what this signer knows better counts. */
static err
check_lists(const struct issue_view *v, const struct identity *i)
{
	for (size_t k = 0; k < v->n_held; k++) {
		const struct crl_table *t = v->held[k];

		if (t != NULL && slice_eq(crl_table_aki(t), v->trust->anchor[i->anchor].cert.ski) &&
		    crl_table_this_update(t).ms > i->status_this_update.ms && crl_table_has(t, i->leaf.serial))
			return fail(ERR_POLICY,
			    "issue-revoked-since: JPKI Act 19(1): a later list than the order's names the card's certificate");
	}
	return ok;
}

/* Identity and decision once more, from the raw bytes. */
static err
judge(const struct issue_view *v, const struct issue_order *o, enum proof by, const struct application *a,
    struct identity *i, struct decision *d, const struct trust_person **who)
{
	struct status_evidence evidence = {
	    .method = o->method,
	    .ocsp_answer = o->ocsp_answer,
	    .ocsp_nonce = o->ocsp_nonce,
	    .crl = o->method == STATUS_CRL ? v->crl : NULL,
	};

	if (!slice_eq(a->profile, v->profile->name))
		return fail(ERR_POLICY, "issue-profile: house: the application is for another profile than this signer's");
	identity_check(v->trust, a, &evidence, o->judged, i);
	if (i->verdict == VERDICT_FAILED || i->verdict == VERDICT_UNCHECKED)
		return i->why;
	TRY(check_lists(v, i));
	if (by == PROOF_RULE) {
		decision_by_rule(v->ruleset, v->profile, v->trust, a, i, NULL, o->not_before, d);
		*who = v->approval->responsible;
	} else
		TRY(decision_by_officer(v->trust, v->profile, o->decision, a, i, o->not_before, d, who));
	return d->outcome == OUTCOME_ACCEPT ? ok : d->why;
}

static err
plan(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn, enum proof by,
    const struct application *a, struct issue_plan *out)
{
	struct buf tbs OWNED(buf_drop) = BUF(ISSUE_TBS_MAX), birth OWNED(buf_drop) = BUF(16);
	const struct trust_person *who = NULL;
	struct identity i;
	struct decision d;
	dossier_id own;
	slice bytes;

	TRY(judge(v, o, by, a, &i, &d, &who));
	own = dossier_id_of(a->document);
	if (memcmp(own.b, o->dossier.b, sizeof own.b) != 0)
		return fail(ERR_CONFLICT, "issue-dossier: Rule 6(v): the certificate would name another application's dossier");
	birth_put(&birth, a->birth_year, a->birth_month, a->birth_day);
	TRY(issue_plan_tbs(v->profile, &v->trust->issuer,
	    &(struct issue_facts){
	        .dossier = o->dossier,
	        .serial = o->serial,
	        .not_before = o->not_before,
	        .validity_years = d.validity_years,
	        .name = d.name,
	        .address = d.address,
	        .birth = buf_slice(&birth),
	        .spki = a->request.spki,
	    },
	    &tbs));
	bytes = buf_slice(&tbs);
	if (!digest_eq(sha256(bytes), o->tbs))
		return fail(
		    ERR_CONFLICT, "issue-tbs: Rule 12(1)(i)ヘ: the planned certificate is not the one the books ordered");
	TRY(lint_tbs(v, bytes));
	TRY(check_times(v, o, turn, by));
	*out = (struct issue_plan){
	    .ticket = ticket_make_certificate(
	        by, v->trust->issuer.alg, bytes, by == PROOF_RULE ? v->approval->document : sha256(o->decision)),
	    .dossier = o->dossier,
	    .serial = o->serial,
	    .application = a->document,
	    .key = key_digest(a->key),
	    .card = i.leaf_digest,
	    .not_before = instant_floor_second(o->not_before),
	    .judged = o->judged,
	    .method = i.method,
	    .status = i.status_digest,
	    .responsible = who->label,
	};
	out->not_after = instant_add_years(out->not_before, d.validity_years);
	out->not_after.ms -= SECOND_MS;
	return ok;
}

err
issue_plan(const struct issue_view *v, const struct issue_order *o, enum issue_turn turn, struct issue_plan *out)
{
	struct application a OWNED(application_drop) = {0};
	enum proof by = PROOF_RULE;

	TRY(check_rules(v, o, turn, &by));
	TRY(application_get_like(o->application, v->trust->issuer_key, &a));
	return plan(v, o, turn, by, &a, out);
}

err
issue_join(const struct issue_view *v, const struct issue_plan *p, slice signature, struct buf *certificate)
{
	struct buf whole OWNED(buf_drop) = BUF(CERT_MAX);
	slice tbs = ticket_tbs(p->ticket);

	if (key_check(v->trust->issuer_key, ticket_alg(p->ticket), tbs, signature).kind != OK)
		return fail(ERR_WORLD, "issue-signature: Rule 6(vi): what the token returned is not the issuer's signature");
	cert_join(&whole, tbs, ticket_alg(p->ticket), signature);
	TRY(buf_check(&whole));
	TRY(profile_lint(v->profile, &v->trust->issuer, buf_slice(&whole)));
	buf_put(certificate, buf_slice(&whole));
	return buf_check(certificate);
}
