/*
 * What limits count is in the books: a registrar that starts takes its counts of the last hour and the last day from their
 * lines, so that nobody gains by its restart.
 *
 * A day of a busy house is millions of lines.  So the counts are kept beside the projection, in HOME/state/counts, with the
 * line they stand at, and a start reads the lines since; of an absent file, a damaged one, or one of other books, those of
 * the day.  It follows from the books and is no act: whatever happens to it, the lines say the same.
 *
 * Counts ::= SEQUENCE {
 *	version   INTEGER (1),
 *	lines     INTEGER,                    -- of the book, when it was written
 *	last      OCTET STRING,               -- digest of the last of them
 *	limit     INTEGER,                    -- minute + 1 of the last review for the hour's limit; 0: none
 *	minutes   SEQUENCE (60) OF SEQUENCE { minute, accepted, refused, decided  INTEGER },
 *	strangers SEQUENCE OF SEQUENCE { at (body_put_instant), card  OCTET STRING } }
 * and behind it an OCTET STRING: the digest of all this.
 */
#include "act/body.h"
#include "base/der.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/registrar/registrar.h"

#define RECALL_LINES_MAX                                                                                               \
	500000U               /* of the day's, the newest: half a second of a start, where the counts were not kept */
#define KEEP_LINES 16384U /* so many lines since they were: 15 MB to read, a few times a minute at the most      */
#define COUNTS_MAX 16384U /* bytes: 60 minutes and 32 strangers are 4 KiB                                        */
#define ACT_WITHIN 128U   /* bytes of a line: number and time stand before its act */

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

/* Line `n`; borrowed from the reader. */
static err
line_at(const struct registrar *r, uint64_t n, struct book_reader **reader, slice *out)
{
	uint64_t number;

	TRY(book_read_from(r->book, n, reader));
	return book_read_next(*reader, &number, out);
}

static err
time_of(const struct registrar *r, uint64_t n, instant *out)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	struct line l;
	slice s;

	TRY(line_at(r, n, &reader, &s));
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

/* --- kept ------------------------------------------------------------------------------- */
static void
rate_put(struct buf *b, const struct rate *x)
{
	size_t list = der_open(b, DER_SEQUENCE);

	for (size_t i = 0; i < RATE_MINUTES; i++) {
		size_t one = der_open(b, DER_SEQUENCE);

		der_put_u64(b, (uint64_t)x->minute[i]);
		der_put_u64(b, x->accepted[i]);
		der_put_u64(b, x->refused[i]);
		der_put_u64(b, x->decided[i]);
		der_close(b, one);
	}
	der_close(b, list);
}

static err
rate_get(slice *in, struct rate *x)
{
	slice list, one;

	TRY(der_get(in, DER_SEQUENCE, &list));
	for (size_t i = 0; i < RATE_MINUTES; i++) {
		uint64_t n[4];

		TRY(der_get(&list, DER_SEQUENCE, &one));
		TRY(body_get_count(&one, &n[0]));
		for (size_t k = 1; k < COUNT(n); k++)
			TRY(der_get_u64(&one, UINT32_MAX, &n[k]));
		TRY(der_end(one));
		x->minute[i] = (int64_t)n[0];
		x->accepted[i] = (uint32_t)n[1];
		x->refused[i] = (uint32_t)n[2];
		x->decided[i] = (uint32_t)n[3];
	}
	return der_end(list);
}

static void
strangers_put(struct buf *b, const struct registrar *r, instant now)
{
	size_t list = der_open(b, DER_SEQUENCE);

	for (size_t i = 0; i < STRANGERS_MAX; i++) {
		size_t one;

		if (r->stranger[i].at == 0 || r->seen_steady - r->stranger[i].at >= STRANGER_MS)
			continue;
		one = der_open(b, DER_SEQUENCE);
		body_put_instant(b, (instant){now.ms - (r->seen_steady - r->stranger[i].at)});
		body_put_digest(b, r->stranger[i].card);
		der_close(b, one);
	}
	der_close(b, list);
}

struct strangers {
	size_t n;
	instant at[STRANGERS_MAX];
	digest card[STRANGERS_MAX];
};

static err
strangers_get(slice *in, struct strangers *out)
{
	slice list, one;

	TRY(der_get(in, DER_SEQUENCE, &list));
	for (; list.n > 0; out->n++) {
		if (out->n == STRANGERS_MAX)
			return body_malformed();
		TRY(der_get(&list, DER_SEQUENCE, &one));
		TRY(body_get_instant(&one, &out->at[out->n]));
		TRY(body_get_digest(&one, &out->card[out->n]));
		TRY(der_end(one));
	}
	return ok;
}

static err
last_digest(const struct registrar *r, uint64_t lines, digest *out)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	slice s;

	TRY(line_at(r, lines - 1, &reader, &s));
	*out = sha256(s);
	return ok;
}

static err
keep(struct registrar *r)
{
	struct buf b OWNED(buf_drop) = BUF(COUNTS_MAX);
	uint64_t size = book_size(r->book);
	int folder = -1;
	digest last;
	size_t seq;
	err e;

	TRY(last_digest(r, size, &last));
	seq = der_open(&b, DER_SEQUENCE);
	der_put_u64(&b, 1);
	der_put_u64(&b, size);
	body_put_digest(&b, last);
	der_put_u64(&b, r->limit_recorded ? (uint64_t)r->limit_minute + 1 : 0);
	rate_put(&b, &r->rate);
	strangers_put(&b, r, clock_now());
	der_close(&b, seq);
	body_put_digest(&b, sha256(buf_slice(&b)));
	TRY(buf_check(&b));
	TRY(disk_folder(DISK_HERE, r->state_folder, FOLDER_THERE, &folder));
	e = disk_replace(folder, "counts", buf_slice(&b));
	disk_close(&folder);
	return e;
}

void
registrar_keep_counts(struct registrar *r, enum keep_when when)
{
	uint64_t size = book_size(r->book);
	err e;

	if (size <= r->counts_kept || (when == KEEP_IN_TIME && size - r->counts_kept < KEEP_LINES))
		return;
	r->counts_kept = size; /* also where it fails: once more after as many lines */
	e = keep(r);
	if (e.kind != OK)
		log_err(LOG_WARN, e);
}

/* The line they stand at; what is no counts of these books changes nothing. */
static err
take_kept(struct registrar *r, uint64_t *lines)
{
	struct buf b OWNED(buf_drop) = BUF(COUNTS_MAX);
	struct rate rate = {0};
	struct strangers strangers = {0};
	uint64_t version, size, limit;
	slice in, whole, s;
	int folder = -1;
	digest last, sum;
	err e;

	TRY(disk_folder(DISK_HERE, r->state_folder, FOLDER_THERE, &folder));
	e = disk_load(folder, "counts", &b);
	disk_close(&folder);
	TRY(e);
	in = buf_slice(&b);
	s = in;
	TRY(der_get_whole(&s, DER_SEQUENCE, &whole));
	TRY(body_get_digest(&s, &sum));
	TRY(der_end(s));
	if (!digest_eq(sum, sha256(whole)))
		return body_malformed();
	TRY(body_open(whole, &s));
	TRY(der_get_u64(&s, 1, &version));
	TRY(body_get_count(&s, &size));
	TRY(body_get_digest(&s, &sum));
	TRY(body_get_count(&s, &limit));
	TRY(rate_get(&s, &rate));
	TRY(strangers_get(&s, &strangers));
	TRY(der_end(s));
	if (version != 1 || size == 0 || size > book_size(r->book))
		return body_malformed();
	TRY(last_digest(r, size, &last));
	if (!digest_eq(last, sum))
		return body_malformed();
	r->rate = rate;
	r->limit_recorded = limit > 0;
	r->limit_minute = limit > 0 ? (int64_t)limit - 1 : 0;
	for (size_t i = 0; i < strangers.n; i++)
		if (r->now.ms - strangers.at[i].ms < STRANGER_MS)
			revoke_recall_stranger(r, strangers.card[i], r->now.ms - strangers.at[i].ms);
	*lines = size;
	return ok;
}

/* --- lines ------------------------------------------------------------------------------ */
static err
recall_line(struct registrar *r, slice s)
{
	struct line l;
	bool hour;

	if (!is_counted(s))
		return ok;
	TRY(line_get(s, &l));
	hour = l.at.ms > r->now.ms - HOUR_MS;
	if (l.act == ACT_REVOCATION_REQUESTED)
		return recall_request(r, &l);
	if (hour && l.act == ACT_REVIEW_OPENED)
		recall_review(r, &l);
	else if (hour && l.act == ACT_APPLICATION_ACCEPTED)
		apply_rate_at(r, l.at, OUTCOME_ACCEPT);
	else if (hour && l.act == ACT_APPLICATION_REFUSED)
		apply_rate_at(r, l.at, OUTCOME_REFUSE);
	return ok;
}

err
registrar_recall(struct registrar *r)
{
	struct book_reader *reader OWNED(book_reader_close) = NULL;
	uint64_t n, kept = 0, size = book_size(r->book);
	slice s;
	err e = take_kept(r, &kept);

	if (e.kind != OK && e.kind != ERR_ABSENT)
		log_err(LOG_WARN, e);
	r->counts_kept = kept;
	TRY(first_later(r, r->now.ms - STRANGER_MS, &n));
	if (n < kept)
		n = kept;
	if (size - n > RECALL_LINES_MAX)
		n = size - RECALL_LINES_MAX;
	r->recalled = size - n;
	if (n == size)
		return ok;
	TRY(book_read_from(r->book, n, &reader));
	while ((e = book_read_next(reader, &n, &s)).kind == OK)
		TRY(recall_line(r, s));
	if (e.kind != ERR_ABSENT)
		return e;
	registrar_keep_counts(r, KEEP_IN_TIME);
	return ok;
}
