#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "edge/call.h"
#include "edge/clock.h"

#define MAIL_ANSWER_S 10L /* to one command; below inkand's patience with a role that does not answer */

struct one {
	CURL *easy;
	uint64_t id;
	struct buf sent, got;
	size_t sent_at;
	struct curl_slist *headers, *to;
	char error[CURL_ERROR_SIZE]; /* of a letter: libcurl says at which command a server refused only here */
	bool mail;
	enum call_method method;
	int file; /* owned, -1: none */
	uint64_t file_at, file_bytes;
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

static size_t
on_file(char *p, size_t size, size_t n, void *cls)
{
	struct one *o = cls;
	uint64_t left = o->file_bytes - o->file_at;
	size_t want = size * n < left ? size * n : (size_t)left;
	ssize_t got = pread(o->file, p, want, (off_t)o->file_at);

	if (got < 0 || (size_t)got < want)
		return CURL_READFUNC_ABORT; /* shorter than it was: replaced files are other files, so the disk is at fault */
	o->file_at += want;
	return want;
}

static int
on_seek(void *cls, curl_off_t offset, int origin)
{
	struct one *o = cls;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > o->file_bytes)
		return CURL_SEEKFUNC_FAIL;
	o->file_at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
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
	if (o->file >= 0)
		close(o->file);
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

/* Who we are to a store, and what we put there. */
static void
dress_push(struct one *o, const struct call *call)
{
	struct buf line OWNED(buf_drop) = BUF(512);

	curl_easy_setopt(o->easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	if (call->ca != NULL)
		curl_easy_setopt(o->easy, CURLOPT_CAINFO, call->ca);
	if (call->user != NULL) {
		struct buf key OWNED(buf_drop) = BUF(SECRET_MAX + 1);

		curl_easy_setopt(o->easy, CURLOPT_USERNAME, call->user);
		buf_put(&key, secret_slice(call->secret));
		buf_put_u8(&key, '\0');
		curl_easy_setopt(o->easy, CURLOPT_PASSWORD, (const char *)key.p);
		wipe(key.p, key.n);
	}
	if (call->region != NULL) {
		digest none = sha256((slice){NULL, 0});

		buf_put_str(&line, "aws:amz:");
		buf_put_str(&line, call->region);
		buf_put_str(&line, ":s3");
		buf_put_u8(&line, '\0');
		curl_easy_setopt(o->easy, CURLOPT_AWS_SIGV4, (const char *)line.p);
		buf_clear(&line);
		buf_put_str(&line, "x-amz-content-sha256: ");
		digest_put(&line, call->sha != NULL ? *call->sha : none);
		buf_put_u8(&line, '\0');
		o->headers = curl_slist_append(o->headers, (const char *)line.p);
	}
	if (call->method == CALL_DELETE) {
		curl_easy_setopt(o->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
		curl_easy_setopt(o->easy, CURLOPT_HTTPHEADER, o->headers);
		return;
	}
	buf_clear(&line);
	buf_put_str(&line, "Content-Type: ");
	buf_put_str(&line, call->type);
	buf_put_u8(&line, '\0');
	o->headers = curl_slist_append(o->headers, (const char *)line.p);
	if (call->region == NULL) /* libcurl signs what stands in this list, also what is never sent */
		o->headers = curl_slist_append(o->headers, "Expect:");
	curl_easy_setopt(o->easy, CURLOPT_HTTPHEADER, o->headers);
	curl_easy_setopt(o->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(o->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->file_bytes);
	curl_easy_setopt(o->easy, CURLOPT_READFUNCTION, on_file);
	curl_easy_setopt(o->easy, CURLOPT_READDATA, o);
	curl_easy_setopt(o->easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(o->easy, CURLOPT_SEEKDATA, o);
}

/* The headers and the body of one call. */
static void
dress(struct one *o, const struct call *call)
{
	char type[128];

	if (call->method != CALL_ASK)
		dress_push(o, call);
	else if (call->mail_to != NULL) {
		o->mail = true;
		curl_easy_setopt(o->easy, CURLOPT_ERRORBUFFER, o->error);
		o->to = curl_slist_append(NULL, call->mail_to);
		/* a relay that keeps silent: libcurl waits for the answer to its goodbye, and whoever called waits with it */
		curl_easy_setopt(o->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, MAIL_ANSWER_S);
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

	int file = call->method == CALL_PUT ? call->file : -1;

	if (calls_is_full(c)) {
		if (file >= 0)
			close(file);
		return fail(ERR_BUSY, "call-many: house: too many calls are under way");
	}
	o = mem_new(1, sizeof *o);
	o->method = call->method;
	o->file = file;
	o->file_bytes = call->file_bytes;
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
	curl_easy_setopt(o->easy, CURLOPT_PATH_AS_IS, 1L); /* what was named is asked for: no step up is resolved here */
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

/*
 * RFC 5321 4.2.1: 5yz to RCPT is for good.  530 and 554 speak of us (sign in first, no relaying for you): what is wrong in
 * our configuration is no word about anybody's address.
 */
static bool
is_recipient_refused(const struct one *o, CURLcode rc, long *code)
{
	if (!o->mail || rc == CURLE_OK || strncmp(o->error, "RCPT failed: 5", 14) != 0)
		return false;
	curl_easy_getinfo(o->easy, CURLINFO_RESPONSE_CODE, code);
	return *code >= 500 && *code <= 599 && *code != 530 && *code != 554;
}

static err
result_of(const struct one *o, CURLcode rc)
{
	long status = 0;

	if (o->got.over)
		return fail(ERR_WORLD, "call-long: house: an answer from outside is longer than it may be");
	if (is_recipient_refused(o, rc, &status))
		return fail_why(
		    ERR_POLICY, "call-recipient: RFC 5321 4.2.1: the mail server refuses this recipient for good", status);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return fail_why(ERR_WORLD, "call-late: house: no answer from outside in time", rc);
	if (rc != CURLE_OK)
		return fail_why(ERR_WORLD, "call-failed: house: the other side could not be reached", rc);
	curl_easy_getinfo(o->easy, CURLINFO_RESPONSE_CODE, &status);
	if (o->method != CALL_ASK)
		return (status >= 200 && status <= 204) || (o->method == CALL_DELETE && status == 404)
		           ? ok
		           : fail_why(ERR_WORLD, "call-status: house: the other side answered with an error", status);
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
