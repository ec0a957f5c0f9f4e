#include "act/order.h"
#include "base/json.h"
#include "base/words.h"
#include "edge/clock.h"
#include "role/front/front.h"

/*
 * The private face: /metrics and /health speak for the whole house, by this front's own numbers, by what the registrar told
 * it last, which it keeps when the registrar is gone, and by what inkand says with each heartbeat.
 */
#define ASK_EVERY_MS 1000

void
metrics_time(struct front *f, enum route_class class, int64_t us)
{
	histogram_add(&f->seconds[class], us);
}

static void
add_files(const struct front *f, struct numbers *n)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct status_file *s = &f->answers.file[i];

		numbers_tell(n, N_STATUS_FILE_GOOD, i, f->number, s->good);
		numbers_tell(n, N_STATUS_FILE_ANSWERS, i, f->number, s->good ? s->slots.n : 0);
		if (s->good)
			numbers_tell_time(n, N_STATUS_FILE_MADE, i, f->number, s->slots.made);
	}
	numbers_tell(n, N_STATUS_FILES_DAMAGED, 0, f->number, f->answers.files_damaged);
	numbers_tell(n, N_STATUS_BLOCKS_DAMAGED, 0, f->number, f->answers.blocks_damaged);
}

static void
add_own(const struct front *f, struct numbers *n)
{
	struct http_counts c = http_counts(f->http);

	for (unsigned i = 0; i < 4; i++)
		numbers_tell(n, N_HTTP_ANSWERS, i, f->number, f->status_count[i + 2]);
	for (unsigned i = 0; i < ROUTE_CLASS_N; i++)
		numbers_tell_histogram(n, N_HTTP_SECONDS, i, f->number, &f->seconds[i]);
	for (unsigned i = 0; i < COUNT(f->refusals); i++)
		numbers_tell(n, N_REFUSALS, i, f->number, f->refusals[i]);
	for (unsigned post = 0; post < 2; post++)
		for (unsigned i = 0; i < COUNT(f->ocsp_by[0]); i++)
			numbers_tell(n, N_OCSP_ANSWERS, post * (unsigned)COUNT(f->ocsp_by[0]) + i, f->number, f->ocsp_by[post][i]);
	for (unsigned i = 0; i < LIVE_N; i++)
		numbers_tell(n, N_OCSP_LIVE, i, f->number, f->live_count[i]);
	numbers_tell(n, N_HTTP_CONNECTIONS, 0, f->number, c.connections);
	numbers_tell(n, N_HTTP_REFUSED, 0, f->number, c.refused);
	numbers_tell(n, N_HTTP_LATE, 0, f->number, c.late);
	numbers_tell(n, N_HTTP_WAITING, 0, f->number, c.suspended);
	add_files(f, n);
}

/* Once a second: our own to the registrar, the house's back. */
void
metrics_ask(struct front *f)
{
	struct link *l = wires_find(f->wires, PEER_REGISTRAR, 0);
	struct buf body OWNED(buf_drop) = BUF(NUMBERS_BYTES);
	int64_t now = clock_steady_ms();
	struct numbers *n;

	if (l == NULL || link_is_full(l) || now < f->ask_at)
		return;
	f->ask_at = now + ASK_EVERY_MS;
	answers_look(f);
	n = mem_new(1, sizeof *n);
	add_own(f, n);
	numbers_put(&body, n);
	free(n);
	link_order(l, ORDER_NUMBERS, 0, buf_slice(&body));
}

/* What cannot be read leaves the last ones standing: their age shows. */
void
metrics_take(struct front *f, const struct frame *x)
{
	struct numbers *n;

	if (x->fail != OK)
		return;
	n = mem_new(1, sizeof *n);
	if (numbers_get(x->body, n).kind == OK)
		*f->house = *n;
	free(n);
}

/* All that is known here. */
static struct numbers *
collect(const struct front *f)
{
	struct numbers *n = mem_new(1, sizeof *n), *inkand = mem_new(1, sizeof *inkand);
	slice beat = wires_beat(f->wires);

	if (beat.n > 0 && numbers_get(beat, inkand).kind == OK)
		numbers_join(n, inkand);
	free(inkand);
	numbers_join(n, f->house);
	add_own(f, n);
	return n;
}

void
metrics_put(const struct front *f, struct buf *b)
{
	struct numbers *n = collect(f);

	numbers_put_metrics(b, n, clock_now());
	free(n);
}

static slice
code_of(slice *text)
{
	slice code;

	return slice_cut(text, ':', &code) ? code : *text;
}

/* One reason: its code, and the whole sentence in both languages. */
static void
put_reason(struct buf *b, const char *what)
{
	struct buf ja OWNED(buf_drop) = BUF(2048);
	slice text = slice_str(what);

	words_put(&ja, LANG_JA, text);
	json_open(b, '{');
	json_put_named(b, "why", text);
	json_put_named(b, "why_ja", buf_slice(&ja));
	json_put_named(b, "code", code_of(&text));
	json_close(b, '}');
}

static void
put_reasons(struct buf *b, const char *name, const struct alarms *a, bool warning)
{
	json_put_name(b, name);
	json_open(b, '[');
	for (size_t i = 0; i < a->n; i++)
		if (a->at[i].warning == warning)
			put_reason(b, a->at[i].what);
	json_close(b, ']');
}

unsigned
metrics_put_health(const struct front *f, struct buf *b)
{
	static const char unhealthy[] = "unhealthy: house: a person must look at this house; the reasons say at what";
	struct numbers *n = collect(f);
	struct alarms a;

	numbers_judge(n, clock_now(), &a);
	free(n);
	json_open(b, '{');
	if (a.any) {
		json_put_named(b, "type", LIT("unhealthy"));
		json_put_named_number(b, "status", 503);
		json_put_named(b, "title", LIT("house"));
		json_put_named(b, "detail", slice_str(unhealthy + sizeof "unhealthy: house: " - 1));
		json_put_named(b, "detail_ja", slice_str(words(LANG_JA, unhealthy)));
		put_reasons(b, "reasons", &a, false);
	} else
		json_put_named(b, "status", LIT("ok"));
	put_reasons(b, "warnings", &a, true);
	json_close(b, '}');
	return a.any ? 503 : 200;
}
