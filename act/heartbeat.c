#include "act/heartbeat.h"

static void
put_codes(struct buf *b, const char *name, const struct alarms *a, bool warning)
{
	json_put_name(b, name);
	json_open(b, '[');
	for (size_t i = 0; i < a->n; i++)
		if (a->at[i].warning == warning)
			json_put_text(b, slice_str(a->at[i].what));
	json_close(b, ']');
}

void
heartbeat_put_text(struct buf *b, const struct heartbeat *h, const struct numbers *n)
{
	struct buf time OWNED(buf_drop) = BUF(RFC3339_LEN);
	struct alarms a;

	instant_put(&time, h->time);
	numbers_judge(n, h->time, &a);
	json_open(b, '{');
	json_put_named_number(b, "heartbeat", 1);
	json_put_named(b, "house", h->house);
	json_put_named_number(b, "sequence", h->sequence);
	json_put_named(b, "time", buf_slice(&time));
	json_put_named_number(b, "every_s", h->every_s);
	put_codes(b, "alarms", &a, false);
	put_codes(b, "warnings", &a, true);
	json_put_name(b, "numbers");
	numbers_put_json(b, n, h->time);
	json_close(b, '}');
	buf_put_u8(b, '\n');
}

void
heartbeat_put_signature(struct buf *b, slice signature)
{
	buf_put_base64(b, signature);
	buf_put_u8(b, '\n');
}

static err
malformed(void)
{
	return fail(ERR_INPUT, "heartbeat-form: house: this is no heartbeat");
}

static err
get_words(json j, struct heartbeat *out)
{
	struct heartbeat h;
	uint64_t version;
	slice time;

	if (json_natural(j, "heartbeat", &version).kind != OK || version != 1 ||
	    json_text(j, "house", &h.house).kind != OK || h.house.n > HEARTBEAT_NAME_MAX ||
	    json_natural(j, "sequence", &h.sequence).kind != OK || json_natural(j, "every_s", &h.every_s).kind != OK ||
	    json_text(j, "time", &time).kind != OK || instant_get(time, &h.time).kind != OK ||
	    json_list(j, "alarms", &h.alarms).kind != OK)
		return malformed();
	*out = h;
	return ok;
}

err
heartbeat_get(slice in, const struct key *k, struct json **doc, struct heartbeat *out)
{
	struct buf signature OWNED(buf_drop) = BUF(SIG_MAX);
	struct json *j OWNED(json_drop) = NULL;
	slice rest = in, text, line;

	if (in.n > HEARTBEAT_MAX || !slice_cut(&rest, '\n', &text) || !slice_cut(&rest, '\n', &line) || rest.n != 0 ||
	    base64_get(line, &signature).kind != OK)
		return malformed();
	if (key_check(k, SIG_ED25519, slice_of(text.p, text.n + 1), buf_slice(&signature)).kind != OK)
		return fail(ERR_POLICY, "heartbeat-signature: house: this heartbeat is not signed by the key of that house");
	if (json_get(text, &j).kind != OK)
		return malformed();
	TRY(get_words(json_root(j), out));
	*doc = j;
	j = NULL;
	return ok;
}
