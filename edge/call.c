#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "edge/call.h"
#include "edge/clock.h"

struct one {
	CURL *easy;
	uint64_t id;
	struct buf sent, got;
	size_t sent_at;
	struct curl_slist *headers, *to;
	bool mail;
};

struct calls {
	CURLM *multi;
	int epoll;
	int64_t due; /* steady ms, -1 none */
	size_t n;
	struct one *one[CALLS_MAX];
};

static int
on_socket(CURL *easy, curl_socket_t s, int what, void *cls, void *per_socket)
{
	struct calls *c = cls;
	struct epoll_event e = {.data.fd = s};

	(void)easy;
	(void)per_socket;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, s, &e);
		return 0;
	}
	e.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0U) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0U);
	if (epoll_ctl(c->epoll, EPOLL_CTL_MOD, s, &e) != 0)
		(void)epoll_ctl(c->epoll, EPOLL_CTL_ADD, s, &e);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *cls)
{
	struct calls *c = cls;

	(void)multi;
	c->due = ms < 0 ? -1 : clock_steady_ms() + ms;
	return 0;
}

static size_t
on_bytes(char *p, size_t size, size_t n, void *cls)
{
	struct one *o = cls;

	buf_put(&o->got, slice_of(p, size * n));
	return o->got.over ? 0 : size * n; /* less than all ends the call */
}

static size_t
on_send(char *p, size_t size, size_t n, void *cls)
{
	struct one *o = cls;
	size_t left = o->sent.n - o->sent_at, want = size * n < left ? size * n : left;

	if (want > 0)
		memcpy(p, o->sent.p + o->sent_at, want);
	o->sent_at += want;
	return want;
}

struct calls *
calls_new(void)
{
	struct calls *c = mem_new(1, sizeof *c);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	c->multi = curl_multi_init();
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->due = -1;
	if (c->multi == NULL || c->epoll < 0)
		abort();
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return c;
}

static void
one_drop(struct one *o)
{
	curl_easy_cleanup(o->easy);
	curl_slist_free_all(o->headers);
	curl_slist_free_all(o->to);
	buf_drop(&o->sent);
	buf_drop(&o->got);
	free(o);
}

void
calls_drop(struct calls **c)
{
	if (*c == NULL)
		return;
	for (size_t i = 0; i < (*c)->n; i++) {
		curl_multi_remove_handle((*c)->multi, (*c)->one[i]->easy);
		one_drop((*c)->one[i]);
	}
	curl_multi_cleanup((*c)->multi);
	close((*c)->epoll);
	free(*c);
	*c = NULL;
}

int
calls_fd(const struct calls *c)
{
	return c->epoll;
}

int
calls_timeout_ms(const struct calls *c)
{
	int64_t left = c->due - clock_steady_ms();

	if (c->due < 0)
		return -1;
	return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}

bool
calls_is_full(const struct calls *c)
{
	return c->n == CALLS_MAX;
}

/* The headers and the body of one call. */
static void
dress(struct one *o, const struct call *call)
{
	char type[128];

	if (call->mail_to != NULL) {
		o->mail = true;
		o->to = curl_slist_append(NULL, call->mail_to);
		curl_easy_setopt(o->easy, CURLOPT_MAIL_FROM, call->mail_from);
		curl_easy_setopt(o->easy, CURLOPT_MAIL_RCPT, o->to);
		curl_easy_setopt(o->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(o->easy, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(o->easy, CURLOPT_READDATA, o);
	} else if (call->type != NULL) {
		snprintf(type, sizeof type, "Content-Type: %s", call->type);
		o->headers = curl_slist_append(NULL, type);
		o->headers = curl_slist_append(o->headers, "Expect:");
		curl_easy_setopt(o->easy, CURLOPT_HTTPHEADER, o->headers);
		curl_easy_setopt(o->easy, CURLOPT_POSTFIELDS, o->sent.p == NULL ? (const uint8_t *)"" : o->sent.p);
		curl_easy_setopt(o->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->sent.n);
	}
}

err
calls_start(struct calls *c, const struct call *call)
{
	struct one *o;

	if (calls_is_full(c))
		return fail(ERR_BUSY, "call-many: house: too many calls are under way");
	o = mem_new(1, sizeof *o);
	o->id = call->id;
	o->easy = curl_easy_init();
	if (o->easy == NULL)
		abort();
	o->sent = BUF(call->body.n);
	o->got = BUF(call->max_bytes);
	buf_put(&o->sent, call->body);
	curl_easy_setopt(o->easy, CURLOPT_URL, call->url);
	curl_easy_setopt(o->easy, CURLOPT_PRIVATE, o);
	curl_easy_setopt(o->easy, CURLOPT_PROTOCOLS_STR, call->mail_to != NULL ? "smtp,smtps" : "http,https");
	curl_easy_setopt(o->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(o->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(o->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(o->easy, CURLOPT_TIMEOUT_MS, (long)call->wait_ms);
	curl_easy_setopt(o->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(o->easy, CURLOPT_WRITEDATA, o);
	dress(o, call);
	if (curl_multi_add_handle(c->multi, o->easy) != CURLM_OK) {
		one_drop(o);
		return fail(ERR_WORLD, "call-start: house: a call could not be started");
	}
	c->one[c->n++] = o;
	return ok;
}

void
calls_turn(struct calls *c)
{
	struct epoll_event e[32];
	int running, n = epoll_wait(c->epoll, e, (int)COUNT(e), 0);

	for (int i = 0; i < n; i++)
		(void)curl_multi_socket_action(c->multi, e[i].data.fd,
		    (e[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
		        (e[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0),
		    &running);
	if (c->due >= 0 && clock_steady_ms() >= c->due) {
		c->due = -1;
		(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

static err
result_of(const struct one *o, CURLcode rc)
{
	long status = 0;

	if (o->got.over)
		return fail(ERR_WORLD, "call-long: house: an answer from outside is longer than it may be");
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return fail_why(ERR_WORLD, "call-late: house: no answer from outside in time", rc);
	if (rc != CURLE_OK)
		return fail_why(ERR_WORLD, "call-failed: house: the other side could not be reached", rc);
	curl_easy_getinfo(o->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!o->mail && status != 200)
		return fail_why(ERR_WORLD, "call-status: house: the other side answered with an error", status);
	return ok;
}

bool
calls_next(struct calls *c, struct call_result *out)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct one *o = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		for (size_t i = 0; i < c->n; i++)
			if (c->one[i]->easy == m->easy_handle) {
				o = c->one[i];
				c->one[i] = c->one[--c->n];
				break;
			}
		if (o == NULL)
			abort();
		out->id = o->id;
		out->err = result_of(o, m->data.result);
		out->body = o->got;
		o->got = BUF(0);
		curl_multi_remove_handle(c->multi, o->easy);
		one_drop(o);
		return true;
	}
	return false;
}
