#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_send.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/log.h"
#include "role/messenger/messenger.h"

enum { FROM_REGISTRAR = 1 };
static const struct gate GATE[] = {
    {ORDER_CALL, FROM_REGISTRAR, GATE_ANY, 16U << 10, GATE_STAY},
    {ORDER_MAIL, FROM_REGISTRAR, GATE_ANY, 64U << 10, GATE_STAY},
    {ORDER_MIRRORS, FROM_REGISTRAR, GATE_ANY, 0, GATE_STAY},
    {ORDER_NUMBERS, FROM_REGISTRAR, GATE_ANY, NUMBERS_BYTES, GATE_STAY},
};

static err
set_text(char *out, size_t max, slice s)
{
	if (s.n >= max)
		return fail(ERR_INPUT, "messenger-long: house: an address in the configuration is too long");
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return ok;
}

err
messenger_configure(struct messenger *m, slice file)
{
	static const char *const names[] = {"jlis_ocsp", "jlis_crl", "mail", "mail_from", NULL};
	const slice sec = LIT("messenger");
	slice crls, one;

	TRY(conf_get(file, &m->conf));
	TRY(conf_check_known(m->conf, sec, names));
	TRY(heartbeat_configure(m));
	TRY(alarm_configure(m));
	TRY(set_text(m->ocsp, sizeof m->ocsp, conf_text_or(m->conf, sec, "jlis_ocsp", LIT(""))));
	TRY(set_text(m->relay, sizeof m->relay, conf_text_or(m->conf, sec, "mail", LIT("folder"))));
	TRY(set_text(m->from, sizeof m->from, conf_text_or(m->conf, sec, "mail_from", LIT("inkan@localhost"))));
	crls = conf_text_or(m->conf, sec, "jlis_crl", LIT(""));
	while (crls.n > 0) {
		if (!slice_cut(&crls, ' ', &one)) {
			one = crls;
			crls.n = 0;
		}
		if (one.n == 0)
			continue;
		if (m->n_crl == MESSENGER_URLS_MAX)
			return fail(ERR_INPUT, "messenger-many: house: more CRL addresses than J-LIS has generations");
		TRY(set_text(m->crl[m->n_crl++], sizeof m->crl[0], one));
	}
	return ok;
}

static struct link *
registrar(struct messenger *m)
{
	return wires_find(m->wires, PEER_REGISTRAR, 0);
}

static void
refuse(struct messenger *m, uint8_t kind, uint64_t id, err e)
{
	struct link *l = registrar(m);

	log_err(LOG_WARN, e);
	if (l != NULL)
		link_refuse(l, &(struct frame){.kind = kind, .id = id}, e);
}

/* An object of any length, in parts. */
static void
answer_parts(struct messenger *m, uint8_t kind, uint64_t id, slice bytes)
{
	struct link *l = registrar(m);
	struct part p = {0};

	if (l == NULL)
		return;
	do {
		struct buf body OWNED(buf_drop) = BUF(FRAME_BODY_MAX);

		p.bytes = (slice){bytes.p, bytes.n < PART_BYTES ? bytes.n : PART_BYTES};
		bytes = (slice){bytes.n == 0 ? bytes.p : bytes.p + p.bytes.n, bytes.n - p.bytes.n};
		p.last = bytes.n == 0;
		part_put(&body, &p);
		link_put(l, &(struct frame){.kind = kind, .id = id, .body = buf_slice(&body)});
		p.number++;
	} while (!p.last);
}

err
messenger_remember(struct messenger *m, uint64_t id, uint8_t kind)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (m->kind_of[i] == 0) {
			m->kind_of[i] = kind;
			m->id_of[i] = id;
			m->call_of[i] = ++m->calls_made;
			return ok;
		}
	return fail(ERR_BUSY, "call-many: house: too many calls are under way");
}

static err
start_call(struct messenger *m, uint64_t id, slice body)
{
	struct call_order o;
	uint64_t which = 0;
	struct buf whole OWNED(buf_drop) = BUF(CALL_BYTES_MAX);

	TRY(call_order_get(body, &o));
	if (o.kind == CALL_JLIS_OCSP) {
		if (m->ocsp[0] == '\0')
			return fail(ERR_WORLD, "messenger-none: house: the configuration names no address for this");
		TRY(calls_start(m->calls, &(struct call){.id = m->calls_made + 1,
		                              .url = m->ocsp,
		                              .type = "application/ocsp-request",
		                              .body = o.body,
		                              .max_bytes = 64U << 10,
		                              .wait_ms = CALL_WAIT_MS}));
		return messenger_remember(m, id, ORDER_CALL);
	}
	if (o.body.n > 0)
		TRY(decimal_get(o.body, MESSENGER_URLS_MAX, &which));
	if (which >= m->n_crl)
		return fail(ERR_ABSENT, "messenger-none: house: the configuration names no address for this");
	if (m->crl[which][0] == '/') {
		TRY(file_load(m->crl[which], &whole));
		answer_parts(m, ORDER_CALL, id, buf_slice(&whole));
		return ok;
	}
	TRY(calls_start(m->calls,
	    &(struct call){
	        .id = m->calls_made + 1, .url = m->crl[which], .max_bytes = CALL_BYTES_MAX, .wait_ms = CALL_LONG_MS}));
	return messenger_remember(m, id, ORDER_CALL);
}

/* A header line with any characters: RFC 2047 encoded words of at most 45 bytes, cut between characters. */
static void
put_words(struct buf *b, slice s)
{
	while (s.n > 0) {
		size_t n = s.n < 42 ? s.n : 42;

		while (n < s.n && n > 0 && (s.p[n] & 0xC0) == 0x80)
			n--;
		buf_put_str(b, "=?UTF-8?B?");
		buf_put_base64(b, (slice){s.p, n});
		buf_put_str(b, "?=");
		s = (slice){s.p + n, s.n - n};
		if (s.n > 0)
			buf_put_str(b, "\r\n ");
	}
}

static bool
is_address(slice s)
{
	size_t at = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7F || strchr("<>()[]\\,;:\"", s.p[i]) != NULL)
			return false;
		at += s.p[i] == '@';
	}
	return at == 1 && s.n < 255 && s.n > 2;
}

static void
put_message(struct buf *b, const struct messenger *m, const struct mail_order *o)
{
	static const char *const day[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const month[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	instant now = clock_now();
	struct civil c = civil_jst(now);
	struct buf text OWNED(buf_drop) = BUF(128U << 10);
	char date[64];

	snprintf(date, sizeof date, "%s, %d %s %d %02d:%02d:%02d +0900", day[(now.ms + 9 * HOUR_MS) / DAY_MS % 7], c.day,
	    month[c.month - 1], c.year, c.hour, c.minute, c.second);
	buf_put_str(b, "Date: ");
	buf_put_str(b, date);
	buf_put_str(b, "\r\nFrom: <");
	buf_put_str(b, m->from);
	buf_put_str(b, ">\r\nTo: <");
	buf_put(b, o->to);
	buf_put_str(b, ">\r\nSubject: ");
	put_words(b, o->subject);
	buf_put_str(b, "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: "
	               "base64\r\n\r\n");
	buf_put_base64(&text, o->text);
	for (size_t i = 0; i < text.n; i += 76) {
		buf_put(b, (slice){text.p + i, text.n - i < 76 ? text.n - i : 76});
		buf_put_str(b, "\r\n");
	}
}

/*
 * One try under one name.  *taken: a letter, or what a crash left of one, stands there already: a letter that was laid down
 * is never written over, whatever the clock says.
 */
static err
lay_down(int folder, const char *name, slice message, bool *taken)
{
	char temporary[80];
	bool good;
	int fd, why;

	snprintf(temporary, sizeof temporary, ".%s", name);
	fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*taken = fd < 0 && errno == EEXIST;
	if (*taken)
		return ok;
	if (fd < 0)
		return fail_why(ERR_WORLD, "messenger-mail: house: the letter cannot be laid into the mail folder", errno);
	good = write(fd, message.p, message.n) == (ssize_t)message.n && fsync(fd) == 0;
	why = errno;
	close(fd);
	if (good && linkat(folder, temporary, folder, name, 0) != 0) { /* unlike rename(2) it replaces nothing */
		why = errno;
		good = false;
		*taken = why == EEXIST;
	}
	(void)unlinkat(folder, temporary, 0);
	if (*taken)
		return ok;
	if (!good || fsync(folder) != 0)
		return fail_why(
		    ERR_WORLD, "messenger-mail: house: the letter cannot be laid into the mail folder", good ? errno : why);
	return ok;
}

/* Durable before the registrar hears that it is sent. */
static err
put_letter(struct messenger *m, slice message)
{
	char name[64];
	bool taken = true;

	for (unsigned tries = 0; taken; tries++) {
		if (tries == LETTER_NAMES_MAX)
			return fail(ERR_WORLD, "messenger-names: house: no free name for a letter in the mail folder");
		snprintf(name, sizeof name, "%lld-%llu.eml", (long long)clock_now().ms, (unsigned long long)++m->letters);
		TRY(lay_down(m->mail_folder, name, message, &taken));
	}
	return ok;
}

err
messenger_letter(struct messenger *m, uint64_t id, uint8_t kind, const struct mail_order *o)
{
	struct buf message OWNED(buf_drop) = BUF(256U << 10);
	char to[256];

	if (!is_address(o->to))
		return fail(ERR_INPUT, "messenger-address: RFC 5321 4.1.2: not a mail address we can send to");
	put_message(&message, m, o);
	TRY(buf_check(&message));
	if (m->mail_folder >= 0)
		return put_letter(m, buf_slice(&message));
	TRY(set_text(to, sizeof to, o->to));
	TRY(calls_start(m->calls, &(struct call){.id = m->calls_made + 1,
	                              .url = m->relay,
	                              .body = buf_slice(&message),
	                              .max_bytes = 4096,
	                              .wait_ms = CALL_WAIT_MS,
	                              .mail_from = m->from,
	                              .mail_to = to}));
	return messenger_remember(m, id, kind);
}

static err
start_mail(struct messenger *m, uint64_t id, slice body)
{
	struct mail_order o;
	struct link *l = registrar(m);

	TRY(mail_order_get(body, &o));
	TRY(messenger_letter(m, id, ORDER_MAIL, &o));
	if (m->mail_folder >= 0 && l != NULL)
		link_answer(l, &(struct frame){.kind = ORDER_MAIL, .id = id}, (slice){NULL, 0});
	return ok;
}

static void
tell_mirrors(struct messenger *m, uint64_t id)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_BODY_MAX);
	struct link *l = registrar(m);
	struct mirrors_reply r;

	mirrors_state(&m->mirrors, &r);
	mirrors_reply_put(&b, &r);
	if (l != NULL)
		link_answer(l, &(struct frame){.kind = ORDER_MIRRORS, .id = id}, buf_slice(&b));
}

static void
start(struct messenger *m, uint8_t kind, uint64_t id, slice body)
{
	err e;

	if (kind == ORDER_MIRRORS) {
		tell_mirrors(m, id);
		return;
	}
	e = kind == ORDER_CALL ? start_call(m, id, body) : start_mail(m, id, body);

	if (e.kind != OK)
		refuse(m, kind, id, e);
}

static void
finish(struct messenger *m, struct call_result *r)
{
	struct link *l = registrar(m);
	uint64_t id = 0;
	uint8_t kind = 0;

	for (size_t i = 0; i < CALLS_MAX && kind == 0; i++)
		if (m->kind_of[i] != 0 && m->call_of[i] == r->id) {
			kind = m->kind_of[i];
			id = m->id_of[i];
			m->kind_of[i] = 0;
		}
	if (kind == ORDER_NUMBERS)
		heartbeat_sent(m, r->err);
	else if (kind == ORDER_BEAT)
		alarm_sent(m, r->err);
	else if (kind != 0 && r->err.kind != OK)
		refuse(m, kind, id, r->err);
	else if (kind == ORDER_CALL)
		answer_parts(m, kind, id, buf_slice(&r->body));
	else if (kind == ORDER_MAIL && l != NULL)
		link_answer(l, &(struct frame){.kind = ORDER_MAIL, .id = id}, (slice){NULL, 0});
	buf_drop(&r->body);
}

/* What the old registrar asked for is forgotten: the new one asks again for what it still owes. */
static void
forget(struct messenger *m)
{
	for (size_t i = 0; i < m->n; i++)
		buf_drop(&m->queue[i].body);
	m->n = 0;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (m->kind_of[i] != ORDER_BEAT) /* a letter of our own is nobody's order */
			m->kind_of[i] = 0;
	m->beat.under_way = false;
}

err
messenger_turn(struct messenger *m)
{
	struct call_result r;
	struct link *l = registrar(m);
	struct frame f;
	bool have = l != NULL;
	int state = 0;

	if (wires_fresh(m->wires, PEER_REGISTRAR, 0))
		forget(m);
	while (have && m->n < MESSENGER_QUEUE_MAX) {
		TRY(link_next(l, &have, &f));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), FROM_REGISTRAR, &state, &f));
		if (f.kind == ORDER_NUMBERS) {
			heartbeat_take(m, l, &f);
			continue;
		}
		m->queue[m->n] = (struct waiting){.id = f.id, .kind = f.kind, .body = BUF(f.body.n)};
		buf_put(&m->queue[m->n++].body, f.body);
	}
	for (size_t done = 0; m->n > done;) {
		if (calls_is_full(m->calls)) { /* the rest keeps its place */
			memmove(m->queue, m->queue + done, (m->n - done) * sizeof m->queue[0]);
			m->n -= done;
			break;
		}
		start(m, m->queue[done].kind, m->queue[done].id, buf_slice(&m->queue[done].body));
		buf_drop(&m->queue[done].body);
		if (++done == m->n) {
			m->n = 0;
			break;
		}
	}
	heartbeat_tend(m);
	if (!calls_is_full(m->calls))
		alarm_tend(m);
	calls_turn(m->calls);
	while (calls_next(m->calls, &r))
		finish(m, &r);
	mirrors_turn(&m->mirrors);
	return ok;
}

int
messenger_timeout_ms(const struct messenger *m)
{
	int ms = calls_timeout_ms(m->calls), copies = mirrors_timeout_ms(&m->mirrors), beat = heartbeat_timeout_ms(m);

	if (ms < 0 || ms > copies)
		ms = copies;
	return beat >= 0 && beat < ms ? beat : ms;
}

void
messenger_drop(struct messenger *m)
{
	forget(m);
	mirrors_drop(&m->mirrors);
	calls_drop(&m->calls);
	conf_drop(&m->conf);
	secret_drop(&m->beat.key);
	free(m->beat.house);
	wires_drop(&m->wires);
	if (m->mail_folder >= 0)
		close(m->mail_folder);
}
