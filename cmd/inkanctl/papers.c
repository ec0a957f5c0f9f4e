#include "act/dossier.h"
#include "base/hash.h"
#include "base/key.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/paper.h"

/* --- keep: V-3 ------------------------------------------------------------------- */
/* The request that waits, as the registrar lists it. */
static err
find_request(const struct office *o, slice number, char hex[65])
{
	struct json *j OWNED(json_drop) = NULL;
	json list;
	slice text;

	TRY(office_state(o, &j));
	TRY(json_list(json_root(j), "to_decide", &list));
	for (size_t i = 0; i < json_count(list); i++) {
		json one = json_at(list, i);

		if (!json_has(one, "request") || !json_has(one, "serial"))
			continue;
		TRY(json_text(one, "serial", &text));
		if (!slice_eq(text, number))
			continue;
		TRY(json_text(one, "request", &text));
		if (text.n != 64)
			break;
		memcpy(hex, text.p, 64);
		hex[64] = '\0';
		return ok;
	}
	return fail(
	    ERR_ABSENT, "office-request: Rule 12(1)(ii)ハ: no request to revoke this certificate waits for a person");
}

static err
keep(struct office *o, const char *number)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[KEEP_COUNT];
	char hex[65];

	TRY(find_request(o, slice_str(number), hex));
	value[KEEP_SERVICE] = o->trust->service;
	value[KEEP_SERIAL] = slice_str(number);
	value[KEEP_REQUEST] = slice_str(hex);
	value[KEEP_GROUNDS] = office_or_dash(o->grounds);
	value[KEEP_OFFICER] = office_or_dash(o->person);
	value[KEEP_DATE] = office_date(o, &date);
	return office_act(o, FORM_KEEP, value, KEEP_COUNT, (slice){NULL, 0});
}

/* --- extend: X-1; letter: L-1; note: N-1 -------------------------------------------- */
static err
extend(struct office *o, const char *dossier)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN), until OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[X_COUNT];

	TRY(office_put_time(o->until, &until));
	value[X_SERVICE] = o->trust->service;
	value[X_DOSSIER] = slice_str(dossier);
	value[X_UNTIL] = buf_slice(&until);
	value[X_REASON] = office_or_dash(o->reason);
	value[X_OFFICER] = office_or_dash(o->person);
	value[X_DATE] = office_date(o, &date);
	return office_act(o, FORM_EXTENSION, value, X_COUNT, (slice){NULL, 0});
}

/* When it was posted or noticed: --from, else now. */
static err
put_when(const struct office *o, struct buf *out)
{
	if (o->from != NULL)
		return office_put_time(o->from, out);
	instant_put(out, o->now);
	return ok;
}

static err
letter(struct office *o, const char *dossier, const char *about)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN), sent OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[L_COUNT];

	TRY(put_when(o, &sent));
	value[L_SERVICE] = o->trust->service;
	value[L_DOSSIER] = slice_str(dossier);
	value[L_ABOUT] = slice_str(about);
	value[L_SENT] = buf_slice(&sent);
	value[L_HOW] = office_or_dash(o->how);
	value[L_OFFICER] = office_or_dash(o->person);
	value[L_DATE] = office_date(o, &date);
	return office_act(o, FORM_LETTER, value, L_COUNT, (slice){NULL, 0});
}

static err
note(struct office *o, const char *kind)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN), noticed OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[N_COUNT];

	TRY(put_when(o, &noticed));
	value[N_SERVICE] = o->trust->service;
	value[N_KIND] = slice_str(kind);
	value[N_NOTICED] = buf_slice(&noticed);
	value[N_TEXT] = office_or_dash(o->reason);
	value[N_OFFICER] = office_or_dash(o->person);
	value[N_DATE] = office_date(o, &date);
	return office_act(o, FORM_NOTE, value, N_COUNT, (slice){NULL, 0});
}

/* --- permit: G-1 ----------------------------------------------------------------------- */
static err
permit(struct office *o, const char *label, const char *state, const char *duty)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN), from OWNED(buf_drop) = BUF(RFC3339_LEN),
	                until OWNED(buf_drop) = BUF(RFC3339_LEN), key OWNED(buf_drop) = BUF(64);
	const struct trust_person *who = NULL;
	slice value[G_COUNT];

	for (size_t i = 0; i < o->trust->n_persons; i++)
		if (slice_eq(o->trust->person[i].label, slice_str(label)))
			who = &o->trust->person[i];
	if (who == NULL)
		return fail(ERR_ABSENT, "office-person: Rule 6(xvi): the trust file names no such person");
	if (o->number == NULL)
		return fail(ERR_INPUT, "office-number: Rule 6(xvi): a permission has a number: --number");
	TRY(office_put_time(o->from, &from));
	TRY(office_put_time(o->until, &until));
	digest_put(&key, key_digest(who->key));
	value[G_SERVICE] = o->trust->service;
	value[G_NUMBER] = slice_str(o->number);
	value[G_STATE] = slice_str(state);
	value[G_PERSON] = slice_str(label);
	value[G_KEY] = buf_slice(&key);
	value[G_DUTY] = slice_str(duty);
	value[G_FROM] = buf_slice(&from);
	value[G_UNTIL] = buf_slice(&until);
	value[G_RESPONSIBLE] = office_or_dash(o->person);
	value[G_DATE] = office_date(o, &date);
	return office_act(o, FORM_PERMISSION, value, G_COUNT, (slice){NULL, 0});
}

bool
paper_run(struct office *o, int n, char **word, err *out)
{
	if (strcmp(word[0], "keep") == 0 && n == 2)
		*out = keep(o, word[1]);
	else if (strcmp(word[0], "extend") == 0 && n == 2)
		*out = extend(o, word[1]);
	else if (strcmp(word[0], "letter") == 0 && n == 3)
		*out = letter(o, word[1], word[2]);
	else if (strcmp(word[0], "note") == 0 && n == 2)
		*out = note(o, word[1]);
	else if (strcmp(word[0], "permit") == 0 && n == 4)
		*out = permit(o, word[1], word[2], word[3]);
	else
		return false;
	return true;
}
