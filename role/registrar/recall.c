/*
 * What limits count is in the books: a registrar that starts takes its counts of the last hour and the last day from their
 * lines, so that nobody gains by its restart.
 */
#include "edge/log.h"
#include "role/registrar/registrar.h"

#define RECALL_LINES_MAX 500000U /* of the day's, the newest: half a second of a start */
#define ACT_WITHIN 128U          /* bytes of a line: number and time stand before its act */

/* The act as it stands in the bytes; most lines are none of ours and are not parsed. */
static bool
is_counted(slice line)
{
	static const char *const ACTS[] = {"\"act\":\"application.accepted\"", "\"act\":\"application.refused\"",
	    "\"act\":\"review.opened\"", "\"act\":\"revocation.requested\""};
	size_t n = line.n < ACT_WITHIN ? line.n : ACT_WITHIN;

	for (size_t i = 0; i < COUNT(ACTS); i++)
		if (memmem(line.p, n, ACTS[i], strlen(ACTS[i])) != NULL)
			return true;
	return false;
}

static err
time_of(const struct registrar *r, uint64_t n, instant *out)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct line l;
	uint64_t number;
	slice s;

	TRY(book_read_from(r->book, n, &reader));
	TRY(book_read_next(reader, &number, &s));
	TRY(line_get(s, &l));
	*out = l.at;
	return ok;
}

/* The first line later than `t`: times only rise. */
static err
first_later(const struct registrar *r, int64_t t, uint64_t *out)
{
	uint64_t low = 0, high = book_size(r->book);

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		instant at;

		TRY(time_of(r, mid, &at));
		if (at.ms > t)
			high = mid;
		else
			low = mid + 1;
	}
	*out = low;
	return ok;
}

static void
recall_review(struct registrar *r, const struct line *l)
{
	if (l->by != BY_RULE)
		return; /* a question of another kind: of a revocation, a receipt, a letter */
	if (l->about == ABOUT_DOSSIER) {
		apply_rate_at(r, l->at, OUTCOME_REVIEW);
		return;
	}
	r->limit_recorded = true;
	r->limit_minute = l->at.ms / 60000;
}

static err
recall_request(struct registrar *r, const struct line *l)
{
	struct record d;
	digest card;

	if (l->about != ABOUT_DOSSIER)
		return ok;
	if (db_dossier(r->db, l->dossier, &d).kind != OK)
		return ok; /* a projection that forgot it: turns find that, and make it anew; no start fails for it */
	/* by the certificate's own key, or by the application's card: nobody's stranger */
	if (digest_get(l->by_id, &card).kind != OK || digest_eq(card, d.d.certificate) || digest_eq(card, d.d.card))
		return ok;
	revoke_recall_stranger(r, card, r->now.ms - l->at.ms);
	return ok;
}

err
registrar_recall(struct registrar *r)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	uint64_t n, size = book_size(r->book);
	slice s;
	err e;

	TRY(first_later(r, r->now.ms - STRANGER_MS, &n));
	if (size - n > RECALL_LINES_MAX)
		n = size - RECALL_LINES_MAX;
	if (n == size)
		return ok;
	TRY(book_read_from(r->book, n, &reader));
	while ((e = book_read_next(reader, &n, &s)).kind == OK) {
		bool hour;
		struct line l;

		if (!is_counted(s))
			continue;
		TRY(line_get(s, &l));
		hour = l.at.ms > r->now.ms - HOUR_MS;
		if (l.act == ACT_REVOCATION_REQUESTED)
			TRY(recall_request(r, &l));
		else if (hour && l.act == ACT_REVIEW_OPENED)
			recall_review(r, &l);
		else if (hour && l.act == ACT_APPLICATION_ACCEPTED)
			apply_rate_at(r, l.at, OUTCOME_ACCEPT);
		else if (hour && l.act == ACT_APPLICATION_REFUSED)
			apply_rate_at(r, l.at, OUTCOME_REFUSE);
	}
	return e.kind == ERR_ABSENT ? ok : e;
}
