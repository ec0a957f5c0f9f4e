/* The house's HTTP face, from the applicant's side. */
#include <unistd.h>

#include "base/text.h"
#include "cmd/inkan/inkan.h"
#include "edge/clock.h"

#define DEFAULT_URL "http://127.0.0.1:8480"
#define WAIT_MS 20000
#define BUSY_TRIES 5
#define BUSY_WAIT_MS 1000
#define PROBLEM_MAX (64U << 10)

static const char refused[] = "service-refused: house: the service says no";

bool
service_refused(err e)
{
	return e.what != NULL && slice_has_prefix(slice_str(e.what), LIT("service-refused:"));
}

err
service_use(struct inkan *k, slice from_state)
{
	slice url = k->o.url != NULL ? slice_str(k->o.url) : from_state.n > 0 ? from_state : LIT(DEFAULT_URL);

	if (!slice_has_prefix(url, LIT("http://")) && !slice_has_prefix(url, LIT("https://")))
		return fail(ERR_INPUT, "service-url: RFC 9110 4.2: the service's address begins with https:// or http://");
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url = (slice){url.p, url.n - 1};
	buf_clear(&k->url);
	buf_put(&k->url, url);
	return buf_check(&k->url);
}

/* Text from outside is shown only as one clean line. */
static void
keep_line(struct buf *b, json j, const char *name)
{
	slice s;

	buf_clear(b);
	if (json_has(j, name) && json_text(j, name, &s).kind == OK && text_check_line(s).kind == OK)
		buf_put(b, s);
}

static err
refusal_of(struct inkan *k, const struct net_answer *a)
{
	struct json *doc OWNED(json_drop) = NULL;
	enum err_kind kind = a->status == 400   ? ERR_INPUT
	                     : a->status == 403 ? ERR_POLICY
	                     : a->status == 404 ? ERR_ABSENT
	                     : a->status == 409 ? ERR_CONFLICT
	                                        : ERR_BUSY;

	k->refusal.status = a->status;
	buf_clear(&k->refusal.code);
	buf_clear(&k->refusal.clause);
	buf_clear(&k->refusal.text);
	if (strcmp(a->type, "application/problem+json") == 0 && json_get(buf_slice(&a->body), &doc).kind == OK) {
		json j = json_root(doc);

		keep_line(&k->refusal.code, j, "type");
		keep_line(&k->refusal.clause, j, "title");
		keep_line(&k->refusal.text, j, k->lang == LANG_JA && json_has(j, "detail_ja") ? "detail_ja" : "detail");
	}
	if (k->refusal.code.n == 0) {
		buf_put_str(&k->refusal.code, "http-");
		buf_put_decimal(&k->refusal.code, a->status);
	}
	if (k->refusal.text.n == 0)
		buf_put_str(&k->refusal.text, words(k->lang, "the service gave no answer that can be understood"));
	return fail_why(kind, refused, (long)a->status);
}

static err
call(struct inkan *k, const struct net_ask *ask, struct buf *out)
{
	struct net_answer a OWNED(net_answer_drop) = {.status = 0};

	if (k->net == NULL)
		TRY(net_open(&k->net));
	TRY(net_call(k->net, ask, &a));
	if (a.status < 200 || a.status > 299)
		return refusal_of(k, &a);
	buf_clear(out);
	buf_put(out, buf_slice(&a.body));
	return buf_check(out);
}

static void
full_url(const struct inkan *k, const char *path, struct buf *out)
{
	buf_put(out, buf_slice(&k->url));
	buf_put(out, slice_of(path, strlen(path) + 1));
}

err
service_get(struct inkan *k, const char *path, slice bearer, size_t max, struct buf *out)
{
	struct buf url OWNED(buf_drop) = BUF(NET_URL_MAX);
	err e = ok;

	full_url(k, path, &url);
	TRY(buf_check(&url));
	for (int i = 0; i < BUSY_TRIES; i++) { /* a certificate waits for its first OCSP answer */
		e = call(k,
		    &(struct net_ask){.method = NET_GET,
		        .url = (char *)url.p,
		        .bearer = bearer,
		        .max_bytes = max > PROBLEM_MAX ? max : PROBLEM_MAX,
		        .wait_ms = WAIT_MS},
		    out);
		if (e.kind != ERR_BUSY)
			return e;
		if (i + 1 < BUSY_TRIES)
			(void)usleep(BUSY_WAIT_MS * 1000);
	}
	return e;
}

err
service_get_url(struct inkan *k, const char *url, size_t max, struct buf *out)
{
	return call(k, &(struct net_ask){.method = NET_GET, .url = url, .max_bytes = max, .wait_ms = WAIT_MS}, out);
}

err
service_post_url(struct inkan *k, const char *url, const char *type, slice body, struct buf *out)
{
	return call(k,
	    &(struct net_ask){
	        .method = NET_POST, .url = url, .type = type, .body = body, .max_bytes = PROBLEM_MAX, .wait_ms = WAIT_MS},
	    out);
}

err
service_post(struct inkan *k, const char *path, const char *type, slice body, unsigned wait_s, struct buf *out)
{
	struct buf url OWNED(buf_drop) = BUF(NET_URL_MAX), prefer OWNED(buf_drop) = BUF(32);
	err e = ok;

	full_url(k, path, &url);
	TRY(buf_check(&url));
	buf_put_str(&prefer, "wait=");
	buf_put_decimal(&prefer, wait_s);
	buf_put_u8(&prefer, '\0');
	for (int i = 0; i < BUSY_TRIES; i++) {
		e = call(k,
		    &(struct net_ask){.method = NET_POST,
		        .url = (char *)url.p,
		        .type = type,
		        .body = body,
		        .prefer = wait_s > 0 ? (char *)prefer.p : NULL,
		        .max_bytes = PROBLEM_MAX,
		        .wait_ms = WAIT_MS + (int)wait_s * 1000},
		    out);
		if (e.kind != ERR_BUSY)
			return e;
		if (i + 1 < BUSY_TRIES)
			(void)usleep(BUSY_WAIT_MS * 1000);
	}
	return e;
}

/* --- how a dossier stands ------------------------------------------------------------------ */
void
standing_drop(struct standing *s)
{
	buf_drop(&s->state);
	buf_drop(&s->why);
	buf_drop(&s->code);
	buf_drop(&s->serial);
}

err
service_standing(struct inkan *k, const struct state *s, struct standing *out)
{
	struct buf path OWNED(buf_drop) = BUF(256), answer OWNED(buf_drop) = BUF(PROBLEM_MAX);
	struct json *doc OWNED(json_drop) = NULL;
	struct standing r = {.state = BUF(64), .why = BUF(4096), .code = BUF(128), .serial = BUF(64)};
	slice since;
	json j;

	buf_put_str(&path, "/applications/");
	buf_put(&path, s->dossier);
	buf_put_u8(&path, '\0');
	TRY(buf_check(&path));
	TRY(service_get(k, (char *)path.p, s->token, PROBLEM_MAX, &answer));
	TRY(json_get(buf_slice(&answer), &doc));
	j = json_root(doc);
	TRY(json_text(j, "since", &since));
	TRY(instant_get(since, &r.since));
	keep_line(&r.state, j, "state");
	keep_line(&r.code, j, "code");
	keep_line(&r.why, j, k->lang == LANG_JA && json_has(j, "why_ja") ? "why_ja" : "why");
	keep_line(&r.serial, j, "serial");
	*out = r;
	return ok;
}
