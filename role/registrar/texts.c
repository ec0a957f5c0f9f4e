#include "edge/log.h"
#include "role/registrar/registrar.h"

/* The file of this digest; NULL: none of them is it. */
static const struct buf *
text_of(const struct registrar *r, digest want)
{
	for (size_t i = 0; i < r->files.n_texts; i++)
		if (digest_eq(sha256(buf_slice(&r->files.text[i])), want))
			return &r->files.text[i];
	return NULL;
}

/* A list of digests with blanks between, or "-"; `e` NULL: only whether all of them are here. */
static err
keep_list(struct registrar *r, slice list, struct entry *e, struct evidence_at *at)
{
	slice one;
	digest d;

	if (slice_eq(list, LIT("-")))
		return ok;
	while (list.n > 0) {
		const struct buf *text;
		size_t i = e == NULL ? 0 : e->line.n_evidence;

		if (!slice_cut(&list, ' ', &one)) {
			one = list;
			list.n = 0;
		}
		TRY(digest_get(one, &d));
		text = text_of(r, d);
		if (text == NULL || i == LINE_EVIDENCE_MAX)
			return fail(ERR_POLICY,
			    "baseline-text: Rule 6(xiii): a text that the baseline names is not among this house's texts");
		if (e == NULL)
			continue;
		TRY(turn_evidence(r, buf_slice(text), &e->line.evidence[i], &at[i]));
		e->line.n_evidence++;
	}
	return ok;
}

err
texts_keep(struct registrar *r, const struct document *d, struct entry *e, struct evidence_at *at)
{
	TRY(keep_list(r, d->value[B_TERMS], e, at));
	TRY(keep_list(r, d->value[B_EXPLANATION], e, at));
	return keep_list(r, d->value[B_CPS], e, at);
}

/* A digest stands in the document's lines in hexadecimal: terms, explanation, practice statement. */
static bool
names(const struct document *d, unsigned value, digest text)
{
	struct buf hex OWNED(buf_drop) = BUF(2 * SHA256_LEN);

	digest_put(&hex, text);
	return memmem(d->value[value].p, d->value[value].n, hex.p, hex.n) != NULL;
}

void
texts_mark(struct registrar *r, const struct document *d)
{
	for (size_t i = 0; i < r->files.n_texts; i++) {
		digest text = sha256(buf_slice(&r->files.text[i]));

		r->files.text_in_force[i] = names(d, B_TERMS, text) || names(d, B_EXPLANATION, text) || names(d, B_CPS, text);
		if (!r->files.text_in_force[i])
			log_number(LOG_WARN,
			    "texts-other: Rule 6(xiii): a text beside the books is not one that the baseline names; it is not "
			    "published",
			    r->files.text_name[i], i);
	}
}

void
texts_publish(struct registrar *r)
{
	slice cps = status_path(r->profile->cps, (slice){NULL, 0});

	for (size_t i = 0; i < r->files.n_texts; i++) {
		struct buf path OWNED(buf_drop) = BUF(256);

		if (!r->files.text_in_force[i])
			continue;
		buf_put_str(&path, "texts/");
		buf_put_str(&path, r->files.text_name[i]);
		status_send_file(r, buf_slice(&path), ++r->generations, buf_slice(&r->files.text[i]));
		/* what certificates name may be a page about it, or stand elsewhere: then it is the operator's */
		if (strcmp(r->files.text_name[i], "cps.txt") == 0 && slice_has_prefix(cps, LIT("cps/")) &&
		    cps.p[cps.n - 1] != '/')
			status_send_file(r, cps, ++r->generations, buf_slice(&r->files.text[i]));
	}
}
