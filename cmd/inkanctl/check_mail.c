/*
 * The alarm by mail.  It does not go through the house's processes: what is wrong may be one of them.  Relay and sender
 * are those of inkan.conf's [messenger]; with `mail = folder` the letter is laid into HOME/mail.
 */
#include <poll.h>
#include <stdio.h>

#include "base/conf.h"
#include "cmd/inkanctl/check.h"
#include "edge/call.h"
#include "edge/clock.h"
#include "edge/disk.h"

#define SAID_MAX 20U /* differences that a letter names; serials of certificates, no names */

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
put_text(struct buf *b, const struct check *c)
{
	static const enum lang LANGS[] = {LANG_JA, LANG_EN};

	for (size_t l = 0; l < COUNT(LANGS); l++) {
		buf_put_decimal(b, c->found.total);
		buf_put_u8(b, ' ');
		words_put(b, LANGS[l], LIT("differences"));
		buf_put_u8(b, '\n');
		for (size_t i = 0; i < c->found.n && i < SAID_MAX; i++) {
			const struct difference *d = &c->found.at[i];

			if (d->serial.n > 0) {
				serial_put_hex(b, d->serial);
				buf_put_u8(b, ' ');
			}
			buf_put_str(b, d->where);
			buf_put_str(b, ": ");
			words_put(b, LANGS[l], slice_str(d->what));
			buf_put_u8(b, '\n');
		}
		for (size_t i = 0; i < c->n_could_not; i++) {
			words_put(b, LANGS[l], LIT("Could not be checked:"));
			buf_put_u8(b, ' ');
			words_put(b, LANGS[l], slice_str(c->could_not[i]));
			buf_put_u8(b, '\n');
		}
		buf_put_u8(b, '\n');
	}
	buf_put_str(b, "inkanctl check-status\n");
}

static void
put_message(struct buf *b, const struct check *c, slice from, slice to)
{
	struct buf text OWNED(buf_drop) = BUF(128U << 10), coded OWNED(buf_drop) = BUF(256U << 10);

	put_text(&text, c);
	buf_put_base64(&coded, buf_slice(&text));
	buf_put_str(b, "Date: ");
	instant_put_http(b, clock_now());
	buf_put_str(b, "\r\nFrom: <");
	buf_put(b, from);
	buf_put_str(b, ">\r\nTo: <");
	buf_put(b, to);
	buf_put_str(b, ">\r\nSubject: inkan: what is served differs from the books, or could not be checked"
	               "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8"
	               "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < coded.n; i += 76) {
		buf_put(b, (slice){coded.p + i, coded.n - i < 76 ? coded.n - i : 76});
		buf_put_str(b, "\r\n");
	}
}

static err
lay_down(int home, slice message)
{
	int folder = -1;
	char name[64];
	err e;

	snprintf(name, sizeof name, "%lld-check.eml", (long long)clock_now().ms);
	TRY(disk_folder(home, "mail", FOLDER_THERE, &folder));
	e = disk_replace(folder, name, message);
	disk_close(&folder);
	return e;
}

static err
send_by(const char *relay, const char *from, const char *to, slice message)
{
	struct calls *calls OWNED(calls_drop) = calls_new();
	struct call_result r = {.err = ok};
	int64_t end = clock_steady_ms() + CALL_WAIT_MS + 1000;

	TRY(calls_start(calls, &(struct call){.id = 1,
	                           .url = relay,
	                           .body = message,
	                           .max_bytes = 4096,
	                           .wait_ms = CALL_WAIT_MS,
	                           .mail_from = from,
	                           .mail_to = to}));
	while (!calls_next(calls, &r)) {
		struct pollfd p = {.fd = calls_fd(calls), .events = POLLIN};

		if (clock_steady_ms() > end)
			return fail(ERR_BUSY, "check-mail-late: RFC 5321: the mail relay did not take the letter in time");
		(void)poll(&p, 1, calls_timeout_ms(calls) < 0 ? 1000 : calls_timeout_ms(calls));
		calls_turn(calls);
	}
	buf_drop(&r.body);
	return r.err;
}

static void
text_of(char out[256], slice s)
{
	size_t n = s.n < 255 ? s.n : 255;

	memcpy(out, s.p, n);
	out[n] = '\0';
}

static err
mail_from(int home, const struct check *c, const char *address)
{
	struct buf file OWNED(buf_drop) = BUF(CONF_MAX), message OWNED(buf_drop) = BUF(512U << 10);
	struct conf *conf OWNED(conf_drop) = NULL;
	char relay[256], from[256], to[256];
	slice who = slice_str(address);

	TRY(disk_load(home, "inkan.conf", &file));
	TRY(conf_get(buf_slice(&file), &conf));
	if (slice_eq(who, LIT("office")))
		who = conf_text_or(conf, LIT("registrar"), "office_mail", (slice){NULL, 0});
	text_of(to, who);
	text_of(relay, conf_text_or(conf, LIT("messenger"), "mail", LIT("folder")));
	text_of(from, conf_text_or(conf, LIT("messenger"), "mail_from", LIT("inkan@localhost")));
	if (!is_address(slice_str(to)) || !is_address(slice_str(from)))
		return fail(ERR_INPUT, "check-mail-address: RFC 5321 4.1.2: not a mail address the alarm can be sent to");
	put_message(&message, c, slice_str(from), slice_str(to));
	TRY(buf_check(&message));
	return strcmp(relay, "folder") == 0 ? lay_down(home, buf_slice(&message))
	                                    : send_by(relay, from, to, buf_slice(&message));
}

err
check_mail(const struct check *c, const char *address)
{
	int home = -1;
	err e;

	TRY(disk_folder(DISK_HERE, c->ctl.home, FOLDER_THERE, &home)); /* also where the books could not be opened */
	e = mail_from(home, c, address);
	disk_close(&home);
	return e;
}
