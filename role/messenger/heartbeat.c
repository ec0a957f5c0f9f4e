#include "act/heartbeat.h"
#include "act/order.h"
#include "edge/clock.h"
#include "edge/ed25519.h"
#include "edge/log.h"
#include "role/messenger/messenger.h"

/*
 * Nothing reaches into the CA room: the house says outward how it stands, signed, and the monitor's alarm is silence.  A
 * heartbeat goes out whether or not the registrar lives: the age of its numbers is one of them, and an alarm above ten
 * seconds.
 */
#define EVERY_S 60
#define MONITOR_WAIT_MS 10000

static err
set(char *out, size_t max, slice s)
{
	if (s.n >= max)
		return fail(ERR_INPUT, "messenger-long: house: an address in the configuration is too long");
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return ok;
}

err
heartbeat_configure(struct messenger *m)
{
	static const char *const names[] = {"url", "heartbeat_s", "house", NULL};
	const slice sec = LIT("heartbeat");
	uint64_t every;

	if (!conf_has_section(m->conf, sec))
		return ok;
	TRY(conf_check_known(m->conf, sec, names));
	TRY(set(m->beat.url, sizeof m->beat.url, conf_text_or(m->conf, sec, "url", LIT(""))));
	TRY(set(m->beat.name, HEARTBEAT_NAME_MAX, conf_text_or(m->conf, sec, "house", LIT("inkan"))));
	TRY(conf_number_or(m->conf, sec, "heartbeat_s", HEARTBEAT_EVERY_S_MAX, EVERY_S, &every));
	m->beat.every_ms = (int64_t)(every == 0 ? 1 : every) * SECOND_MS;
	return ok;
}

/* The house's numbers, answered with our own. */
void
heartbeat_take(struct messenger *m, struct link *l, const struct frame *f)
{
	struct buf body OWNED(buf_drop) = BUF(NUMBERS_BYTES);
	struct numbers *n = mem_new(1, sizeof *n);

	if (numbers_get(f->body, n).kind == OK) {
		free(m->beat.house);
		m->beat.house = n;
	} else
		free(n);
	n = mem_new(1, sizeof *n);
	if (m->beat.url[0] != '\0') {
		numbers_tell_time(n, N_HEARTBEAT_AT, 0, 0, m->beat.taken);
		numbers_tell(n, N_HEARTBEAT_FAILURES, 0, 0, m->beat.failures);
	}
	mirrors_tell(&m->mirrors, n);
	numbers_tell(n, N_QUEUE, QUEUE_MESSENGER, 0, m->n);
	numbers_put(&body, n);
	free(n);
	link_answer(l, f, buf_slice(&body));
}

static err
push(struct messenger *m)
{
	struct buf text OWNED(buf_drop) = BUF(HEARTBEAT_MAX);
	struct numbers *n = mem_new(1, sizeof *n), *inkand = mem_new(1, sizeof *inkand);
	slice beat = wires_beat(m->wires);
	uint8_t signature[ED25519_SIGNATURE];
	struct heartbeat h = {
	    .house = slice_str(m->beat.name), .time = clock_now(), .every_s = (uint64_t)(m->beat.every_ms / SECOND_MS)};
	err e;

	m->beat.sequence = (uint64_t)h.time.ms > m->beat.sequence ? (uint64_t)h.time.ms : m->beat.sequence + 1;
	h.sequence = m->beat.sequence;
	if (beat.n > 0 && numbers_get(beat, inkand).kind == OK)
		numbers_join(n, inkand);
	if (m->beat.house != NULL)
		numbers_join(n, m->beat.house);
	heartbeat_put_text(&text, &h, n);
	free(inkand);
	free(n);
	e = ed25519_sign(secret_slice(&m->beat.key), buf_slice(&text), signature);
	if (e.kind == OK)
		heartbeat_put_signature(&text, ARR(signature));
	if (e.kind == OK)
		e = buf_check(&text);
	if (e.kind == OK)
		e = calls_start(m->calls, &(struct call){.id = m->calls_made + 1,
		                              .url = m->beat.url,
		                              .type = "application/vnd.inkan.heartbeat",
		                              .body = buf_slice(&text),
		                              .max_bytes = 4096,
		                              .wait_ms = MONITOR_WAIT_MS});
	if (e.kind == OK)
		e = messenger_remember(m, 0, ORDER_NUMBERS);
	return e;
}

void
heartbeat_tend(struct messenger *m)
{
	int64_t now = clock_steady_ms();
	err e;

	if (m->beat.url[0] == '\0' || now < m->beat.due || m->beat.under_way || calls_is_full(m->calls))
		return;
	m->beat.due = now + m->beat.every_ms;
	e = push(m);
	m->beat.under_way = e.kind == OK;
	if (e.kind != OK)
		heartbeat_sent(m, e);
}

void
heartbeat_sent(struct messenger *m, err e)
{
	m->beat.under_way = false;
	if (e.kind == OK) {
		m->beat.taken = clock_now();
		return;
	}
	if (m->beat.failures++ == 0 || m->beat.failures % 60 == 0) /* a monitor that is away for a night fills no log */
		log_err(LOG_WARN, e);
}

int
heartbeat_timeout_ms(const struct messenger *m)
{
	int64_t left = m->beat.due - clock_steady_ms();

	if (m->beat.url[0] == '\0' || m->beat.under_way)
		return -1;
	return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}
