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
