/* Words to people. */
#include "base/text.h"
#include "cmd/inkan/inkan.h"

void
say_put(struct buf *b, enum lang l, const char *text, const slice *with, size_t n)
{
	for (const char *p = words(l, text); *p != '\0'; p++) {
		size_t i = p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}' ? (size_t)(p[1] - '0') : 0;

		if (i == 0) {
			buf_put_u8(b, (uint8_t)*p);
			continue;
		}
		assert(i < n); /* a translation with a number of its own is a bug */
		buf_put(b, with[i]);
		p += 2;
	}
}

void
say_raw(struct inkan *k, slice text)
{
	(void)fwrite(text.p, 1, text.n, k->out);
	(void)fflush(k->out);
}

void
say(struct inkan *k, const char *text, const slice *with, size_t n)
{
	struct buf b OWNED(buf_drop) = BUF(TEXT_SHOWN_MAX);

	say_put(&b, k->lang, text, with, n);
	buf_put_u8(&b, '\n');
	say_raw(k, buf_slice(&b));
}

void
say_line(struct inkan *k, const char *text)
{
	say(k, text, NULL, 0);
}

void
say_gap(struct inkan *k)
{
	say_raw(k, LIT("\n"));
}

void
say_rule(struct inkan *k)
{
	say_raw(k, LIT("--------\n"));
}

/* "code: clause: sentence" in its three parts. */
static void
parts(slice s, slice out[3])
{
	out[0] = out[1] = (slice){NULL, 0};
	(void)(slice_cut(&s, ':', &out[0]) && slice_cut(&s, ':', &out[1]));
	out[2] = s;
	for (size_t i = 1; i < 3; i++)
		while (out[i].n > 0 && out[i].p[0] == ' ')
			out[i] = (slice){out[i].p + 1, out[i].n - 1};
}

enum done
done_of(err e)
{
	static const enum done done[] = {[OK] = DONE_OK,
	    [ERR_INPUT] = DONE_INPUT,
	    [ERR_POLICY] = DONE_NO,
	    [ERR_ABSENT] = DONE_ABSENT,
	    [ERR_CONFLICT] = DONE_NO,
	    [ERR_BUSY] = DONE_LATER,
	    [ERR_WORLD] = DONE_LATER,
	    [ERR_CORRUPT] = DONE_NO};

	if (e.what != NULL && slice_has_prefix(slice_str(e.what), LIT("ask-stopped:")))
		return DONE_STOPPED;
	if (e.what != NULL && slice_has_prefix(slice_str(e.what), LIT("usage:")))
		return DONE_USAGE;
	return done[e.kind];
}

void
say_err(struct inkan *k, err e)
{
	struct buf text OWNED(buf_drop) = BUF(8192);
	slice part[3], english[3];

	parts(slice_str(e.what), english);
	words_put(&text, k->lang, slice_str(e.what));
	parts(buf_slice(&text), part);
	part[0] = english[0];
	if (service_refused(e)) {
		part[0] = buf_slice(&k->refusal.code);
		part[1] = buf_slice(&k->refusal.clause);
		part[2] = buf_slice(&k->refusal.text);
	}
	if (k->o.json) {
		json_put_name(&k->json, "error");
		json_open(&k->json, '{');
		json_put_named(&k->json, "code", part[0]);
		json_put_named(&k->json, "clause", part[1]);
		json_put_named(&k->json, "text", part[2]);
		json_close(&k->json, '}');
	}
	{
		struct buf b OWNED(buf_drop) = BUF(8192);

		buf_put_str(&b, "inkan: ");
		buf_put(&b, part[2]);
		buf_put_str(&b, " [");
		buf_put(&b, part[0]);
		buf_put_str(&b, ": ");
		buf_put(&b, part[1]);
		buf_put_str(&b, "]\n");
		(void)fwrite(b.p, 1, b.n, stderr);
	}
}

static void
put_two(struct buf *b, int v)
{
	buf_put_u8(b, (uint8_t)('0' + v / 10 % 10));
	buf_put_u8(b, (uint8_t)('0' + v % 10));
}

void
put_when(struct buf *b, enum lang l, instant t)
{
	struct civil c = civil_jst(t);

	buf_put_decimal(b, (uint64_t)c.year);
	buf_put_str(b, l == LANG_JA ? "年" : "-");
	put_two(b, c.month);
	buf_put_str(b, l == LANG_JA ? "月" : "-");
	put_two(b, c.day);
	buf_put_str(b, l == LANG_JA ? "日 " : " ");
	put_two(b, c.hour);
	buf_put_u8(b, ':');
	put_two(b, c.minute);
	buf_put_u8(b, ':');
	put_two(b, c.second);
	if (l != LANG_JA)
		buf_put_str(b, " JST");
}

void
put_fingerprint(struct buf *b, slice d)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < d.n; i++) {
		if (i > 0)
			buf_put_u8(b, ':');
		buf_put_u8(b, (uint8_t)hex[d.p[i] >> 4]);
		buf_put_u8(b, (uint8_t)hex[d.p[i] & 15]);
	}
}

void
say_standing(struct inkan *k, const struct standing *s)
{
	/* dossier_state_name's words, as an applicant understands them */
	static const struct {
		const char *state, *text;
	} texts[] = {
	    {"received", "Your application was received and is being examined."},
	    {"waiting",
	        "The status of your card's certificate could not be checked yet; the service tries again by itself."},
	    {"review", "A person is examining your application."},
	    {"ordered", "Your application was accepted; the certificate is being made."},
	    {"issued", "Your certificate was issued. Get it with: inkan receive"},
	    {"delivered", "Your certificate was fetched; the receipt is still to be signed: inkan receive"},
	    {"receipted", "You have received your certificate and signed for it."},
	    {"refused", "Your application was refused."},
	    {"revoked", "Your certificate was revoked."},
	    {"withdrawn", "You withdrew your application."},
	};
	struct buf when OWNED(buf_drop) = BUF(64);
	const char *text = NULL;
	slice why = buf_slice(&s->why), unused;

	for (size_t i = 0; i < COUNT(texts); i++)
		if (slice_eq(buf_slice(&s->state), slice_str(texts[i].state)))
			text = texts[i].text;
	if (text != NULL)
		say_line(k, text);
	else
		SAY(k, "Your application: {1}", buf_slice(&s->state));
	put_when(&when, k->lang, s->since);
	SAY(k, "Since {1}.", buf_slice(&when));
	if (why.n > 0) {
		/* "code: clause: sentence": people read the sentence first */
		(void)(slice_cut(&why, ':', &unused) && slice_cut(&why, ':', &unused));
		SAY(k, "Reason:{1} [{2}]", why, buf_slice(&s->code));
	}
	if (k->o.json) {
		json_put_named(&k->json, "state", buf_slice(&s->state));
		if (s->serial.n > 0)
			json_put_named(&k->json, "serial", buf_slice(&s->serial));
		if (s->code.n > 0)
			json_put_named(&k->json, "reason", buf_slice(&s->code));
	}
}
