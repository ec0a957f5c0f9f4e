#include "act/order.h"
#include "edge/clock.h"
#include "edge/log.h"
#include "role/messenger/messenger.h"

/*
 * A letter to the office when the check by inkand's clock did not find all as the books say.  inkand tells its result with
 * each heartbeat: neither the registrar nor a signer is asked, for they may be what is wrong.  One letter when it begins or
 * becomes another thing, and one a day as long as it lasts; a letter that did not go is written again at the next check.
 * Nobody is named in it, and no certificate: which ones stands in the log.
 */
#define LOOK_EVERY_MS 1000
#define AGAIN_MS DAY_MS

enum { FINE, DIFFERS, UNCHECKED };

err
alarm_configure(struct messenger *m)
{
	slice to = conf_text_or(m->conf, LIT("registrar"), "office_mail", LIT(""));

	if (to.n >= sizeof m->alarm.to)
		return fail(ERR_INPUT, "messenger-long: house: an address in the configuration is too long");
	memcpy(m->alarm.to, to.p, to.n);
	m->alarm.to[to.n] = '\0';
	return ok;
}

static void
put_counts(
    struct buf *b, const struct alarm_seen *s, const char *differences, const char *could_not, const char *answers)
{
	buf_put_str(b, differences);
	buf_put_decimal(b, s->differences);
	buf_put_str(b, could_not);
	buf_put_decimal(b, s->could_not);
	buf_put_str(b, answers);
	buf_put_decimal(b, s->answers);
	buf_put_u8(b, '\n');
}

static void
put_text(struct buf *b, const struct alarm_seen *s)
{
	buf_put_str(b, s->kind == DIFFERS
	                   ? "公開されている内容が帳簿と違います。攻撃又は損傷とみなして対応してください。\n"
	                   : "公開されている内容を帳簿と照合できませんでした。合っていることにはなりません。\n");
	buf_put_str(b, "照合の終了: ");
	instant_put(b, s->at);
	put_counts(b, s, "\n相違: ", "\n確認できなかった理由の数: ", "\n検証した OCSP 応答: ");
	buf_put_str(
	    b, "何が違うかは log/inkan.log の checker の行にあります。inkanctl check-status でも確かめられます。\n\n");
	buf_put_str(
	    b, s->kind == DIFFERS
	           ? "What is served differs from the books.  Treat it as an attack or damage until shown otherwise.\n"
	           : "What is served could not be held against the books.  That is not a yes.\n");
	buf_put_str(b, "The check ended: ");
	instant_put(b, s->at);
	put_counts(b, s, "\ndifferences: ", "\nreasons why it was not seen whole: ", "\nOCSP answers verified: ");
	buf_put_str(
	    b, "What differs stands in log/inkan.log, in the lines of checker; inkanctl check-status shows it too.\n");
}

static void
write_letter(struct messenger *m, const struct alarm_seen *s)
{
	struct buf text OWNED(buf_drop) = BUF(4096);
	struct mail_order o = {.to = slice_str(m->alarm.to),
	    .subject = s->kind == DIFFERS ? LIT("公開内容が帳簿と違います / What is served differs from the books")
	                                  : LIT("公開内容を照合できません / What is served could not be checked")};
	err e;

	put_text(&text, s);
	o.text = buf_slice(&text);
	m->alarm.sent = *s; /* what goes wrong later takes it back */
	e = messenger_letter(m, 0, ORDER_BEAT, &o);
	if (e.kind != OK)
		alarm_sent(m, e);
}

void
alarm_sent(struct messenger *m, err e)
{
	if (e.kind == OK)
		return;
	log_err(LOG_ALARM, e);
	m->alarm.sent = (struct alarm_seen){.at = m->alarm.sent.at}; /* that check is through; the next one tries again */
}

void
alarm_tend(struct messenger *m)
{
	struct alarm_seen s = {0}, *sent = &m->alarm.sent;
	slice beat = wires_beat(m->wires);
	int64_t now = clock_steady_ms();
	struct numbers *n;
	uint64_t at;

	if (m->alarm.to[0] == '\0' || beat.n == 0 || now - m->alarm.looked < LOOK_EVERY_MS)
		return;
	m->alarm.looked = now;
	n = mem_new(1, sizeof *n);
	if (numbers_get(beat, n).kind == OK && numbers_find(n, N_CHECK_AT, 0, 0, &at) &&
	    numbers_find(n, N_CHECK_DIFFERENCES, 0, 0, &s.differences) &&
	    numbers_find(n, N_CHECK_COULD_NOT, 0, 0, &s.could_not) && numbers_find(n, N_CHECK_ANSWERS, 0, 0, &s.answers)) {
		s.at = (instant){(int64_t)at};
		s.kind = s.differences > 0 ? DIFFERS : s.could_not > 0 ? UNCHECKED : FINE;
	}
	free(n);
	if (s.at.ms == 0 || s.at.ms == sent->at.ms)
		return;
	if (s.kind == FINE)
		*sent = s;
	else if (s.kind != sent->kind || s.at.ms - sent->at.ms >= AGAIN_MS)
		write_letter(m, &s);
}
