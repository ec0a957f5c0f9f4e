#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_desk.h"
#include "base/json.h"
#include "base/words.h"
#include "edge/clock.h"
#include "edge/log.h"
#include "role/front/front.h"

#define ANSWER_LATE_MS 130000 /* Prefer: wait is at most 120 s */
#define LATE_LOOK_MS 500      /* between looks for those who wait longer */
#define BODY_MAX (96U << 10)  /* of an answer we make          */

enum { FROM_REGISTRAR = 1, FROM_STATUS };

/* What the registrar and the status signer may say here. */
static const struct gate GATE[] = {
    {ORDER_CHALLENGE, FROM_REGISTRAR, GATE_ANY, 1024, GATE_STAY},
    {ORDER_APPLY, FROM_REGISTRAR, GATE_ANY, 1024, GATE_STAY},
    {ORDER_DOSSIER, FROM_REGISTRAR, GATE_ANY, 4096, GATE_STAY},
    {ORDER_FETCH, FROM_REGISTRAR, GATE_ANY, CERT_MAX + 64, GATE_STAY},
    {ORDER_RECEIPT, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_REVOKE, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_WITHDRAWN, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_SERIAL, FROM_REGISTRAR, GATE_ANY, 1024, GATE_STAY},
    {ORDER_NUMBERS, FROM_REGISTRAR, GATE_ANY, NUMBERS_BYTES, GATE_STAY},
    {ORDER_LIVE, FROM_STATUS, GATE_ANY, OCSP_ANSWER_MAX + 8, GATE_STAY},
};

/* The routes, one table: doc/openapi.json is held against it. */
enum route_kind { ROUTE_ORDER, ROUTE_OCSP, ROUTE_OCSP_GET, ROUTE_FILE, ROUTE_TERMS };
static const struct route {
	enum http_method method;
	const char *path; /* {} stands for one segment, a final * for the rest */
	enum route_kind kind;
	uint8_t order;
	size_t body_max;
	const char *type; /* of published files; NULL: by the ending of the name */
	const char *cache;
} ROUTES[] = {
    /* looked through in order: what is asked most stands first */
    {HTTP_POST, "/ocsp", ROUTE_OCSP, 0, OCSP_REQUEST_MAX, NULL, NULL},
    {HTTP_GET, "/ocsp/*", ROUTE_OCSP_GET, 0, 0, NULL, NULL},
    {HTTP_POST, "/challenges", ROUTE_ORDER, ORDER_CHALLENGE, 1024, NULL, NULL},
    {HTTP_POST, "/applications", ROUTE_ORDER, ORDER_APPLY, CMS_MAX, NULL, NULL},
    {HTTP_GET, "/applications/{}", ROUTE_ORDER, ORDER_DOSSIER, 0, NULL, NULL},
    {HTTP_GET, "/applications/{}/certificate", ROUTE_ORDER, ORDER_FETCH, 0, NULL, NULL},
    {HTTP_POST, "/receipts", ROUTE_ORDER, ORDER_RECEIPT, CMS_MAX, NULL, NULL},
    {HTTP_POST, "/revocations", ROUTE_ORDER, ORDER_REVOKE, CMS_MAX, NULL, NULL},
    {HTTP_POST, "/withdrawals", ROUTE_ORDER, ORDER_WITHDRAWN, CMS_MAX, NULL, NULL},
    {HTTP_GET, "/certificates/{}", ROUTE_ORDER, ORDER_SERIAL, 0, NULL, NULL},
    {HTTP_GET, "/terms/{}", ROUTE_TERMS, 0, 0, "application/json", "max-age=60"},
    {HTTP_GET, "/ca/*", ROUTE_FILE, 0, 0, NULL, "max-age=3600"},
    {HTTP_GET, "/crl/*", ROUTE_FILE, 0, 0, "application/pkix-crl", "max-age=60"},
    {HTTP_GET, "/cps/*", ROUTE_FILE, 0, 0, "text/plain; charset=utf-8", "max-age=3600"},
    {HTTP_GET, "/books/checkpoint", ROUTE_FILE, 0, 0, "text/plain; charset=utf-8", "max-age=1"},
    {HTTP_GET, "/books/tile/*", ROUTE_FILE, 0, 0, "application/octet-stream", "max-age=31536000, immutable"},
    {HTTP_GET, "/texts/*", ROUTE_FILE, 0, 0, "text/plain; charset=utf-8", "max-age=60"},
    {HTTP_GET, "/fingerprints.txt", ROUTE_FILE, 0, 0, "text/plain; charset=utf-8", "max-age=60"},
    {HTTP_GET, "/fingerprints.json", ROUTE_FILE, 0, 0, "application/json", "max-age=60"},
    {HTTP_GET, "/", ROUTE_FILE, 0, 0, "text/html; charset=utf-8", "max-age=60"},
    {HTTP_GET, "/index.html", ROUTE_FILE, 0, 0, "text/html; charset=utf-8", "max-age=60"},
    {HTTP_GET, "/index.en.html", ROUTE_FILE, 0, 0, "text/html; charset=utf-8", "max-age=60"},
};

/* The next segment of a path, without its slash. */
static slice
segment(slice *path)
{
	slice s;

	if (path->n > 0 && path->p[0] == '/')
		*path = (slice){path->p + 1, path->n - 1};
	for (size_t i = 0; i < path->n; i++)
		if (path->p[i] == '/') {
			s = (slice){path->p, i};
			*path = (slice){path->p + i, path->n - i};
			return s;
		}
	s = *path;
	*path = (slice){path->p + path->n, 0};
	return s;
}

/* The {} or * part goes to *arg. */
static bool
route_fits(const struct route *r, slice path, slice *arg)
{
	slice pattern = slice_str(r->path);

	*arg = (slice){NULL, 0};
	while (pattern.n > 0) {
		slice want = segment(&pattern), have;

		if (slice_eq(want, LIT("*"))) {
			if (path.n < 2 || path.p[0] != '/')
				return false;
			*arg = (slice){path.p + 1, path.n - 1};
			return true;
		}
		if (path.n == 0)
			return false;
		have = segment(&path);
		if (slice_eq(want, LIT("{}"))) {
			if (have.n == 0)
				return false;
			*arg = have;
		} else if (!slice_eq(want, have))
			return false;
	}
	return path.n == 0;
}

static const struct route *
route_of(enum http_method method, slice path, slice *arg, bool *other_method)
{
	enum http_method m = method == HTTP_HEAD ? HTTP_GET : method;

	*other_method = false;
	for (size_t i = 0; i < COUNT(ROUTES); i++)
		if (route_fits(&ROUTES[i], path, arg)) {
			if (ROUTES[i].method == m)
				return &ROUTES[i];
			*other_method = true;
		}
	return NULL;
}

/* --- answers --------------------------------------------------------------------- */
static enum lang
lang_of(const struct http_request *q)
{
	if (slice_eq(q->query, LIT("lang=en")))
		return LANG_EN;
	if (slice_eq(q->query, LIT("lang=ja")))
		return LANG_JA;
	return slice_has_prefix(q->language, LIT("en")) ? LANG_EN : LANG_JA;
}

static unsigned
status_of(enum err_kind k)
{
	static const unsigned status[] = {[OK] = 200,
	    [ERR_INPUT] = 400,
	    [ERR_POLICY] = 403,
	    [ERR_ABSENT] = 404,
	    [ERR_CONFLICT] = 409,
	    [ERR_BUSY] = 503,
	    [ERR_WORLD] = 503,
	    [ERR_CORRUPT] = 503};

	return status[k];
}

/* RFC 9457.  `what` is "code: clause: sentence"; an operator's trouble is nobody else's business. */
static void
problem(struct buf *b, unsigned status, enum err_kind kind, slice what, struct http_reply *reply)
{
	static const char unavailable[] = "unavailable: house: the service cannot do this just now; please try again later";
	struct buf ja OWNED(buf_drop) = BUF(2048);
	slice code, clause, text = kind == ERR_WORLD || kind == ERR_CORRUPT || what.n == 0 ? slice_str(unavailable) : what;
	slice japanese, unused;

	words_put(&ja, LANG_JA, text);
	japanese = buf_slice(&ja);
	if (!slice_cut(&text, ':', &code) || !slice_cut(&text, ':', &clause)) {
		code = LIT("unavailable");
		clause = (slice){NULL, 0};
	}
	(void)(slice_cut(&japanese, ':', &unused) && slice_cut(&japanese, ':', &unused));
	while (clause.n > 0 && clause.p[0] == ' ')
		clause = (slice){clause.p + 1, clause.n - 1};
	while (text.n > 0 && text.p[0] == ' ')
		text = (slice){text.p + 1, text.n - 1};
	while (japanese.n > 0 && japanese.p[0] == ' ')
		japanese = (slice){japanese.p + 1, japanese.n - 1};
	json_open(b, '{');
	json_put_named(b, "type", code);
	json_put_named_number(b, "status", status);
	json_put_named(b, "title", clause);
	json_put_named(b, "detail", text);
	json_put_named(b, "detail_ja", japanese);
	json_close(b, '}');
	*reply = (struct http_reply){.status = status, .type = "application/problem+json", .body = buf_slice(b)};
	if (status == 503)
		reply->retry_after = "2";
}

static void
problem_err(struct buf *b, unsigned status, err e, struct http_reply *reply)
{
	problem(b, status == 0 ? status_of(e.kind) : status, e.kind, slice_str(e.what), reply);
}

static void
count(struct front *f, unsigned status)
{
	f->status_count[status / 100 < 6 ? status / 100 : 5]++;
}

static void
refused(struct front *f, enum err_kind kind)
{
	f->refusals[kind - ERR_INPUT]++;
}

static void
put_named_instant(struct buf *b, const char *name, instant t)
{
	struct buf text OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&text, t);
	json_put_named(b, name, buf_slice(&text));
}

static void
put_named_serial(struct buf *b, const char *name, serial s)
{
	struct buf text OWNED(buf_drop) = BUF(2 * SERIAL_MAX);

	serial_put_hex(&text, s);
	json_put_named(b, name, buf_slice(&text));
}

static err
render_challenge(slice body, struct buf *b)
{
	struct challenge_reply r;

	TRY(challenge_reply_get(body, &r));
	json_open(b, '{');
	json_put_named(b, "nonce", r.nonce);
	put_named_instant(b, "expires", r.expires);
	json_close(b, '}');
	return ok;
}

static err
render_apply(slice body, struct buf *b, unsigned *status, struct buf *location)
{
	struct apply_reply r;

	TRY(apply_reply_get(body, &r));
	json_open(b, '{');
	json_put_named_hex(b, "dossier", ARR(r.dossier.b));
	json_put_named_hex(b, "token", ARR(r.token.b));
	json_put_named(b, "state", slice_str(dossier_state_name(r.state)));
	if (r.has_serial)
		put_named_serial(b, "serial", r.serial);
	json_close(b, '}');
	*status = r.state == DOSSIER_ISSUED || r.state == DOSSIER_REFUSED ? 201 : 202;
	buf_put_str(location, "/applications/");
	buf_put_hex(location, ARR(r.dossier.b));
	buf_put_u8(location, '\0');
	return ok;
}

static err
render_dossier(slice body, struct buf *b)
{
	struct dossier_reply r;
	slice rest, code;

	TRY(dossier_reply_get(body, &r));
	json_open(b, '{');
	json_put_named(b, "state", slice_str(dossier_state_name(r.state)));
	put_named_instant(b, "since", r.since);
	if (r.has_serial)
		put_named_serial(b, "serial", r.serial);
	rest = r.why;
	if (slice_cut(&rest, ':', &code)) {
		struct buf ja OWNED(buf_drop) = BUF(2048);

		words_put(&ja, LANG_JA, r.why);
		json_put_named(b, "code", code);
		json_put_named(b, "why", r.why);
		json_put_named(b, "why_ja", buf_slice(&ja));
	}
	json_close(b, '}');
	return ok;
}

static err
render_entry(slice body, struct buf *b)
{
	struct entry_reply r;

	TRY(entry_reply_get(body, &r));
	json_open(b, '{');
	json_put_named_number(b, "n", r.n);
	put_named_instant(b, "at", r.at);
	if (r.has_serial)
		put_named_serial(b, "serial", r.serial);
	json_put_named(b, "line", r.line); /* a string: its bytes are the leaf of the tree */
	json_close(b, '}');
	return ok;
}

static err
render_serial(slice body, struct buf *b)
{
	static const char *const name[] = {[SERIAL_VALID] = "valid",
	    [SERIAL_REVOKED] = "revoked",
	    [SERIAL_EXPIRED] = "expired",
	    [SERIAL_UNKNOWN] = "unknown"};
	struct serial_reply r;

	TRY(serial_reply_get(body, &r));
	json_open(b, '{');
	json_put_named(b, "state", slice_str(name[r.state]));
	if (r.state != SERIAL_UNKNOWN)
		put_named_instant(b, r.state == SERIAL_VALID ? "until" : "since", r.at);
	if (r.state == SERIAL_REVOKED)
		json_put_named_number(b, "reason", r.reason);
	json_close(b, '}');
	return ok;
}

/* The registrar's answer becomes the stranger's. */
static void
answer(struct front *f, const struct frame *r)
{
	struct buf b OWNED(buf_drop) = BUF(BODY_MAX), location OWNED(buf_drop) = BUF(128);
	struct http_reply reply = {.status = 200, .type = "application/json"};
	uint32_t slot = (uint32_t)r->id;
	slice certificate;
	err e = ok;

	if (slot >= HTTP_CONNECTIONS_MAX || f->waiting[slot] != r->id)
		return; /* its client was told already */
	f->waiting[slot] = 0;
	if (r->fail != OK) {
		problem(&b, status_of(r->fail), r->fail, r->what, &reply);
	} else {
		switch (r->kind) {
		case ORDER_CHALLENGE:
			reply.status = 201;
			e = render_challenge(r->body, &b);
			break;
		case ORDER_APPLY:
			e = render_apply(r->body, &b, &reply.status, &location);
			reply.location = (const char *)location.p;
			break;
		case ORDER_DOSSIER:
			e = render_dossier(r->body, &b);
			break;
		case ORDER_FETCH:
			reply.type = "application/pkix-cert";
			e = octets_get(r->body, &certificate);
			if (e.kind == OK)
				buf_put(&b, certificate);
			break;
		case ORDER_RECEIPT:
		case ORDER_REVOKE:
		case ORDER_WITHDRAWN:
			reply.status = 201;
			e = render_entry(r->body, &b);
			break;
		case ORDER_SERIAL:
			e = render_serial(r->body, &b);
			break;
		default:
			abort(); /* the gate lets no other through */
		}
		if (e.kind == OK)
			e = buf_check(&b);
		if (e.kind != OK) {
			log_err(LOG_ALARM, e);
			buf_clear(&b);
			problem_err(&b, 503, fail(ERR_WORLD, e.what), &reply);
		} else
			reply.body = buf_slice(&b);
	}
	if (r->fail != OK)
		refused(f, r->fail);
	count(f, reply.status);
	metrics_time(f, f->class[slot], clock_steady_us() - f->began_us[slot]);
	http_answer(f->http, r->id, &reply);
}

/* --- requests -------------------------------------------------------------------- */
/* Bodies of orders, from path, headers and body. */
static err
put_order(struct buf *b, const struct route *r, const struct http_request *q, slice arg)
{
	struct dossier_order d;
	struct serial_order s;
	slice bearer = q->authorization;

	switch (r->order) {
	case ORDER_APPLY:
		apply_order_put(b, &(struct apply_order){q->body, slice_has_prefix(q->prefer, LIT("wait="))});
		return buf_check(b);
	case ORDER_RECEIPT:
	case ORDER_REVOKE:
	case ORDER_WITHDRAWN:
		octets_put(b, q->body);
		return buf_check(b);
	case ORDER_DOSSIER:
	case ORDER_FETCH:
		if (!slice_has_prefix(bearer, LIT("Bearer ")))
			return fail(ERR_ABSENT, "token: RFC 6750: no application stands under this number and token");
		bearer = (slice){bearer.p + 7, bearer.n - 7};
		if (hex_get(arg, d.dossier.b, sizeof d.dossier.b).kind != OK ||
		    hex_get(bearer, d.token.b, sizeof d.token.b).kind != OK)
			return fail(ERR_ABSENT, "token: RFC 6750: no application stands under this number and token");
		dossier_order_put(b, &d);
		return ok;
	case ORDER_SERIAL:
		if (serial_get_hex(arg, &s.serial).kind != OK)
			return fail(ERR_INPUT, "serial: RFC 5280 4.1.2.2: a serial number is written in hexadecimal");
		serial_order_put(b, &s);
		return ok;
	default: /* ORDER_CHALLENGE */
		return ok;
	}
}

/* True when it was answered at once. */
static bool
ask_registrar(struct front *f, const struct route *r, const struct http_request *q, slice arg, struct buf *b,
    struct http_reply *reply)
{
	struct link *l = wires_find(f->wires, PEER_REGISTRAR, 0);
	struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	err e = put_order(&body, r, q, arg);

	if (e.kind == OK && (l == NULL || link_is_full(l)))
		e = fail(ERR_BUSY, "busy: house: the service is busy just now; please try again in a moment");
	if (e.kind != OK) {
		refused(f, e.kind);
		problem_err(b, 0, e, reply);
		return true;
	}
	link_order(l, r->order, q->id, buf_slice(&body));
	f->waiting[(uint32_t)q->id] = q->id;
	f->since[(uint32_t)q->id] = clock_steady_ms();
	return false;
}

/* A path below the repository: plain characters, no dot at the start of a segment. */
static bool
path_is_plain(slice p)
{
	bool start = true;

	if (p.n == 0 || p.n > 200)
		return false;
	for (size_t i = 0; i < p.n; i++) {
		uint8_t c = p.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		             c == '_' || c == '/' || c == '.';

		if (!plain || (start && (c == '.' || c == '/')))
			return false;
		start = c == '/';
	}
	return true;
}

/* Certificates come in several forms. */
static const char *
type_of(slice path)
{
	static const struct {
		const char *ending, *type;
	} TYPES[] = {{".cer", "application/pkix-cert"}, {".pem", "application/x-pem-file"},
	    {".p7c", "application/pkcs7-mime; smime-type=certs-only"}};

	for (size_t i = 0; i < COUNT(TYPES); i++) {
		slice ending = slice_str(TYPES[i].ending);

		if (path.n > ending.n && slice_eq(slice_of(path.p + path.n - ending.n, ending.n), ending))
			return TYPES[i].type;
	}
	return "application/octet-stream";
}

static void
send_file(struct front *f, const struct route *r, slice path, struct buf *b, struct http_reply *reply)
{
	struct buf name OWNED(buf_drop) = BUF(256);
	struct stat st;
	int fd;

	buf_put(&name, path);
	buf_put_u8(&name, '\0');
	fd = name.over || !path_is_plain(path)
	         ? -1
	         : openat(f->repository, (const char *)name.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		problem_err(
		    b, 404, fail(ERR_ABSENT, "not-found: RFC 9110 15.5.5: nothing is published under this address"), reply);
		return;
	}
	*reply = (struct http_reply){
	    .status = 200, .type = r->type != NULL ? r->type : type_of(path), .cache = r->cache, .file = true, .fd = fd, .file_bytes = (uint64_t)st.st_size};
}

static void
send_terms(struct front *f, const struct route *r, const struct http_request *q, slice profile, struct buf *b,
    struct http_reply *reply)
{
	struct buf name OWNED(buf_drop) = BUF(256);

	buf_put_str(&name, "terms/");
	buf_put(&name, profile);
	buf_put_str(&name, lang_of(q) == LANG_EN ? ".en.json" : ".ja.json");
	send_file(f, r, buf_slice(&name), b, reply);
}

/* Answers by kind and method: what this one added to the kinds. */
static void
count_method(struct front *f, const uint64_t *before, unsigned post)
{
	for (size_t i = 0; i < COUNT(f->ocsp_count); i++)
		f->ocsp_by[post][i] += f->ocsp_count[i] - before[i];
}

static bool
ocsp_post(struct front *f, const struct http_request *q, struct http_reply *reply)
{
	uint64_t before[COUNT(f->ocsp_count)];
	bool answered;

	memcpy(before, f->ocsp_count, sizeof before);
	answered = answers_reply_to(f, q, q->body, clock_now(), reply);
	count_method(f, before, 1);
	return answered;
}

static bool
ocsp_get(struct front *f, const struct http_request *q, slice arg, struct http_reply *reply)
{
	uint64_t before[COUNT(f->ocsp_count)];
	bool answered;

	memcpy(before, f->ocsp_count, sizeof before);
	buf_clear(&f->der);
	if (ocsp_path_get(arg, &f->der).kind != OK)
		buf_clear(&f->der); /* an empty request is malformed, and answered so */
	answered = answers_reply_to(f, q, buf_slice(&f->der), clock_now(), reply);
	count_method(f, before, 0);
	return answered;
}

static size_t
body_max(void *role, enum http_method method, slice path)
{
	const struct route *r;
	bool other;
	slice arg;

	(void)role;
	r = route_of(method, path, &arg, &other);
	return r == NULL ? HTTP_NO_ROUTE : r->body_max;
}

static enum route_class
class_of(const struct route *r)
{
	if (r == NULL)
		return CLASS_OTHER;
	switch (r->kind) {
	case ROUTE_OCSP:
	case ROUTE_OCSP_GET:
		return CLASS_OCSP;
	case ROUTE_FILE:
	case ROUTE_TERMS:
		return CLASS_FILE;
	case ROUTE_ORDER:
		break;
	}
	return r->order == ORDER_APPLY ? CLASS_APPLICATION : CLASS_OTHER;
}

static bool
request(void *role, const struct http_request *q, struct http_reply *reply)
{
	struct front *f = role;
	struct buf *b = q->room;
	const struct route *r;
	bool other, answered = true;
	int64_t began = clock_steady_us();
	slice arg;

	r = route_of(q->method, q->path, &arg, &other);
	if (r == NULL)
		refused(f, other ? ERR_INPUT : ERR_ABSENT);
	if (r == NULL && other)
		problem_err(b, 405, fail(ERR_INPUT, "method: RFC 9110 15.5.6: this address does not take that method"), reply);
	else if (r == NULL)
		problem_err(
		    b, 404, fail(ERR_ABSENT, "not-found: RFC 9110 15.5.5: nothing is published under this address"), reply);
	else
		switch (r->kind) {
		case ROUTE_ORDER:
			answered = ask_registrar(f, r, q, arg, b, reply);
			break;
		case ROUTE_OCSP:
			answered = ocsp_post(f, q, reply);
			break;
		case ROUTE_OCSP_GET:
			answered = ocsp_get(f, q, arg, reply);
			break;
		case ROUTE_FILE:
			send_file(f, r, q->path.n < 2 ? LIT("index.html") : (slice){q->path.p + 1, q->path.n - 1}, b, reply);
			break;
		case ROUTE_TERMS:
			send_terms(f, r, q, arg, b, reply);
			break;
		}
	if (r == NULL && other)
		reply->allow = q->method == HTTP_POST ? "GET, HEAD" : "POST";
	if (answered) {
		count(f, reply->status);
		metrics_time(f, class_of(r), clock_steady_us() - began);
	} else {
		f->class[(uint32_t)q->id] = (uint8_t)class_of(r);
		f->began_us[(uint32_t)q->id] = began;
	}
	return answered;
}

static void
refuse(void *role, unsigned status, struct http_reply *reply, struct buf *body)
{
	struct front *f = role;
	err e = fail(ERR_INPUT, "request: RFC 9112 2: the request is not well formed");

	if (status == 411)
		e = fail(ERR_INPUT, "length: RFC 9110 15.5.12: a body is announced by Content-Length");
	else if (status == 413)
		e = fail(ERR_INPUT, "body-long: house: the body is longer than this address takes");
	else if (status == 414)
		e = fail(ERR_INPUT, "uri-long: RFC 9110 15.5.15: the address is longer than we read");
	else if (status == 503)
		e = fail(ERR_BUSY, "busy: house: the service is busy just now; please try again in a moment");
	problem_err(body, status, e, reply);
	refused(f, e.kind);
	count(f, status);
}

struct http_face
front_face(struct front *f)
{
	return (struct http_face){.role = f, .body_max = body_max, .request = request, .refuse = refuse};
}

/* --- the private face: operators' monitors only ------------------------------------ */
static size_t
no_body(void *role, enum http_method method, slice path)
{
	(void)role;
	(void)method;
	(void)path;
	return 0;
}

static bool
private_request(void *role, const struct http_request *q, struct http_reply *reply)
{
	struct front *f = role;
	struct buf *b = q->room;

	if (slice_eq(q->path, LIT("/metrics"))) {
		metrics_put(f, b);
		*reply = (struct http_reply){.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8"};
	} else if (slice_eq(q->path, LIT("/health"))) {
		unsigned status = metrics_put_health(f, b);

		*reply = (struct http_reply){.status = status,
		    .type = status == 200 ? "application/json" : "application/problem+json",
		    .cache = "no-store"};
	} else
		*reply = (struct http_reply){.status = 404, .type = "text/plain"};
	reply->body = buf_slice(b);
	return true;
}

struct http_face
front_private_face(struct front *f)
{
	return (struct http_face){.role = f, .body_max = no_body, .request = private_request, .refuse = refuse};
}

/* --- the turn ---------------------------------------------------------------------- */
/* Whoever waited for a registrar that is gone, or waits too long, is told to try again: the same bytes get one answer. */
static void
give_up(struct front *f, bool all)
{
	int64_t now = clock_steady_ms();

	if (!all && now < f->look_at)
		return;
	f->look_at = now + LATE_LOOK_MS;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct buf b OWNED(buf_drop) = BUF(4096);
		struct http_reply reply;

		if (f->waiting[i] == 0 || (!all && now - f->since[i] < ANSWER_LATE_MS))
			continue;
		problem_err(
		    &b, 503, fail(ERR_BUSY, "busy: house: the service is busy just now; please try again in a moment"), &reply);
		count(f, 503);
		http_answer(f->http, f->waiting[i], &reply);
		f->waiting[i] = 0;
	}
}

static err
hear_status(struct front *f)
{
	struct link *l = wires_find(f->wires, PEER_STATUS, 0);
	struct frame r;
	bool have = l != NULL;
	int state = 0;

	if (wires_fresh(f->wires, PEER_STATUS, 0) || l == NULL)
		answers_live_end(f, LIVE_ALL); /* asked of a signer that is no more */
	while (have) {
		TRY(link_next(l, &have, &r));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), FROM_STATUS, &state, &r));
		answers_live_came(f, &r);
	}
	return ok;
}

err
front_turn(struct front *f)
{
	struct link *l = wires_find(f->wires, PEER_REGISTRAR, 0);
	struct frame r;
	bool have = l != NULL;
	int state = 0;

	if (wires_fresh(f->wires, PEER_REGISTRAR, 0) || l == NULL)
		give_up(f, true); /* asked of a registrar that is no more */
	while (have) {
		TRY(link_next(l, &have, &r));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), FROM_REGISTRAR, &state, &r));
		if (r.kind == ORDER_NUMBERS)
			metrics_take(f, &r);
		else
			answer(f, &r);
	}
	TRY(hear_status(f));
	http_turn(f->http);
	if (f->private != NULL)
		http_turn(f->private);
	give_up(f, false);
	metrics_ask(f);
	answers_live_end(f, LIVE_LATE);
	return ok;
}

int
front_timeout_ms(const struct front *f)
{
	int a = http_timeout_ms(f->http), b = f->private == NULL ? -1 : http_timeout_ms(f->private);

	if (a < 0 || (b >= 0 && b < a))
		a = b;
	if (f->answers.n_live > 0 && (a < 0 || a > LATE_LOOK_MS))
		a = LATE_LOOK_MS;
	return a < 0 || a > 1000 ? 1000 : a;
}
