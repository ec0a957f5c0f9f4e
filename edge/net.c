#include <curl/curl.h>

#include "edge/net.h"

/* One call under way. */
struct job {
	struct curl_slist *headers; /* owned */
	struct net_answer answer;   /* owned */
	size_t header_bytes;
	bool too_long;
};

struct net {
	CURL *easy;
};

void
net_answer_drop(struct net_answer *a)
{
	buf_drop(&a->body);
	*a = (struct net_answer){.status = 0};
}

static void
job_drop(struct job *j)
{
	/* The bearer stands in one of them. */
	for (struct curl_slist *h = j->headers; h != NULL; h = h->next)
		wipe(h->data, strlen(h->data));
	curl_slist_free_all(j->headers);
	net_answer_drop(&j->answer);
}

err
net_open(struct net **out)
{
	struct net *n;

	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return fail(ERR_WORLD, "net-library: libcurl: the network library cannot be started");
	n = mem_new(1, sizeof *n);
	n->easy = curl_easy_init();
	if (n->easy == NULL)
		abort();
	*out = n;
	return ok;
}

void
net_close(struct net **p)
{
	struct net *n = *p;

	if (n == NULL)
		return;
	curl_easy_cleanup(n->easy);
	free(n);
	curl_global_cleanup();
	*p = NULL;
}

static size_t
on_body(char *p, size_t size, size_t count, void *to)
{
	struct job *j = to;

	buf_put(&j->answer.body, slice_of(p, size * count));
	j->too_long = j->too_long || j->answer.body.over;
	return j->too_long ? 0 : size * count; /* fewer than given ends the call */
}

static size_t
on_header(char *p, size_t size, size_t count, void *to)
{
	struct job *j = to;

	(void)p;
	j->header_bytes += size * count;
	j->too_long = j->too_long || j->header_bytes > NET_HEADERS_MAX;
	return j->too_long ? 0 : size * count;
}

/* "Name: value" as one more header; values with a line end would be two headers. */
static err
add_header(struct job *j, const char *name, slice value)
{
	struct buf line OWNED(buf_drop) = BUF(NET_HEAD_MAX);
	struct curl_slist *more;

	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] > 0x7E)
			return fail(ERR_INPUT, "net-header: RFC 9110 5.5: a header's value is not printable");
	buf_put_str(&line, name);
	buf_put_str(&line, ": ");
	buf_put(&line, value);
	buf_put_u8(&line, '\0');
	TRY(buf_check(&line));
	more = curl_slist_append(j->headers, (const char *)line.p);
	wipe(line.p, line.cap);
	if (more == NULL)
		abort();
	j->headers = more;
	return ok;
}

static err
put_headers(struct job *j, const struct net_ask *a)
{
	/* "Expect:" without a value takes libcurl's own header away: a second round trip for nothing. */
	j->headers = curl_slist_append(NULL, "Expect:");
	if (j->headers == NULL)
		abort();
	if (a->method == NET_POST)
		TRY(add_header(j, "Content-Type", a->type == NULL ? LIT("application/octet-stream") : slice_str(a->type)));
	if (a->accept != NULL)
		TRY(add_header(j, "Accept", slice_str(a->accept)));
	if (a->prefer != NULL)
		TRY(add_header(j, "Prefer", slice_str(a->prefer)));
	if (a->bearer.n > 0) {
		struct buf v OWNED(buf_drop) = BUF(NET_HEAD_MAX);
		err e;

		buf_put_str(&v, "Bearer ");
		buf_put(&v, a->bearer);
		e = buf_check(&v);
		if (e.kind == OK)
			e = add_header(j, "Authorization", buf_slice(&v));
		wipe(v.p, v.cap);
		TRY(e);
	}
	return ok;
}

/* Any option that this libcurl does not know would be a hole: a bug of the build, hence the assertion. */
#define SET(option, value) assert(curl_easy_setopt(n->easy, option, value) == CURLE_OK)

static err
set_up(struct net *n, struct job *j, const struct net_ask *a)
{
	size_t len = a->url == NULL ? 0 : strnlen(a->url, NET_URL_MAX + 1);

	if (len == 0 || len > NET_URL_MAX)
		return fail(ERR_INPUT, "net-url: RFC 3986: the address is not one that can be called");
	TRY(put_headers(j, a));
	curl_easy_reset(n->easy); /* keeps the connection */
	SET(CURLOPT_URL, a->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTPHEADER, j->headers);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(a->wait_ms < NET_CONNECT_MS ? a->wait_ms : NET_CONNECT_MS));
	SET(CURLOPT_TIMEOUT_MS, (long)a->wait_ms);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, j);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, j);
	SET(CURLOPT_USERAGENT, "inkan");
	if (strstr(a->url, "://127.") != NULL || strstr(a->url, "://localhost") != NULL ||
	    strstr(a->url, "://[::1]") != NULL)
		SET(CURLOPT_NOPROXY, "*");
	if (a->method == NET_POST) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, a->body.n == 0 ? "" : (const char *)a->body.p);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)a->body.n);
	}
	return ok;
}

static err
result_of(const struct net *n, const struct job *j, CURLcode c)
{
	curl_off_t before_us = 0; /* until the request went out */

	if (j->too_long)
		return fail_why(ERR_INPUT, "net-long: house: the answer is longer than this call takes", (long)c);
	switch (c) {
	case CURLE_OK:
		return ok;
	case CURLE_OPERATION_TIMEDOUT:
		return fail_why(ERR_BUSY, "net-late: house: the answer did not come in time", (long)c);
	case CURLE_UNSUPPORTED_PROTOCOL: /* of the address, or of an answer that is no HTTP */
		if (curl_easy_getinfo(n->easy, CURLINFO_PRETRANSFER_TIME_T, &before_us) == CURLE_OK && before_us > 0)
			return fail_why(ERR_BUSY, "net-broken: RFC 9110: the answer ended too early or was none", (long)c);
		return fail_why(ERR_INPUT, "net-url: RFC 3986: the address is not one that can be called", (long)c);
	case CURLE_URL_MALFORMAT:
		return fail_why(ERR_INPUT, "net-url: RFC 3986: the address is not one that can be called", (long)c);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return fail_why(ERR_POLICY, "net-tls: RFC 8446: the server's certificate is not trusted", (long)c);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_BAD_CONTENT_ENCODING:
		return fail_why(ERR_BUSY, "net-broken: RFC 9110: the answer ended too early or was none", (long)c);
	default:
		return fail_why(ERR_BUSY, "net-unreachable: house: the server could not be reached", (long)c);
	}
}

err
net_call(struct net *n, const struct net_ask *ask, struct net_answer *out)
{
	struct job j OWNED(job_drop) = {.answer = {.body = BUF(ask->max_bytes)}};
	const char *type = NULL;
	long status = 0;
	CURLcode c;

	assert(ask->wait_ms > 0);
	TRY(set_up(n, &j, ask));
	c = curl_easy_perform(n->easy);
	TRY(result_of(n, &j, c));
	(void)curl_easy_getinfo(n->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(n->easy, CURLINFO_CONTENT_TYPE, &type);
	j.answer.status = status < 0 || status > 999 ? 0 : (unsigned)status;
	if (type != NULL) {
		size_t len = strcspn(type, "; \t");

		for (size_t i = 0; len < sizeof j.answer.type && i < len; i++)
			j.answer.type[i] = type[i] >= 'A' && type[i] <= 'Z' ? (char)(type[i] - 'A' + 'a') : type[i];
	}
	*out = j.answer;
	j.answer = (struct net_answer){.status = 0};
	return ok;
}
