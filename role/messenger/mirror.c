#include <errno.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/messenger/mirror_inside.h"

/* --- items -------------------------------------------------------------------------------------------- */

static void
add(struct mirror *m, uint64_t seq, bool gone, slice path)
{
	struct mirror_item *x = &m->item[m->n++];

	*x = (struct mirror_item){.seq = seq, .gone = gone};
	memcpy(x->path, path.p, path.n);
	x->path[path.n] = '\0';
}

/* A look begins: it would find again what must go, but that does not wait for it.  Its number may be of another log. */
static void
keep_removals(struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].gone && !m->item[i].again) {
			m->item[n] = m->item[i];
			m->item[n++].seq = 0;
		}
	m->n = n;
	for (size_t i = 0; i < m->n_refused; i++)
		m->refused[i].trying = false;
}

/* The log's lines from the mirror's place on; a gap begins a look over everything. */
static err
open_log(const struct mirrors *all, struct mirror *m)
{
	bool gap, other;

	TRY(changes_read_open(all->repository, m->place, &m->puts, &gap));
	if (m->have < 0 || m->look.step == MIRROR_KNOWS)
		TRY(mirror_open_have(all, m));
	if (!gap && !m->walking)
		m->n = 0; /* read again from its place on */
	keep_removals(m);
	if (gap || m->walking)
		TRY(mirror_walk_start(all, m));
	TRY(changes_read_open(all->repository, (struct changes_place){m->puts.epoch, m->puts.seq}, &m->gones, &other));
	m->opened = !other;
	return ok;
}

/* At the end of a log that was replaced: on in the new one, or a gap. */
static err
next_log(const struct mirrors *all, struct changes_reader *r, bool *gap)
{
	return changes_read_open(all->repository, (struct changes_place){r->epoch, r->seq}, r, gap);
}

/* Removals are read ahead of everything. */
static err
read_gones(const struct mirrors *all, struct mirror *m)
{
	struct change c;
	bool have = true, gap = false;

	while (m->n < MIRROR_ITEMS) {
		TRY(changes_next(&m->gones, &have, &c));
		if (have) {
			char path[CHANGES_PATH_MAX + 1];

			if (!c.gone)
				continue;
			snprintf(path, sizeof path, "%.*s", (int)c.path.n, (const char *)c.path.p);
			if (!mirror_is_there(all, path))
				add(m, c.seq, true, c.path);
			continue;
		}
		if (!changes_replaced(&m->gones))
			return ok;
		TRY(next_log(all, &m->gones, &gap));
		if (gap) {
			m->opened = false; /* it begins anew: everything is looked at */
			return ok;
		}
	}
	return ok;
}

static size_t
puts_waiting(const struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !m->item[i].gone || m->item[i].seq == 0;
	return n;
}

/* Half of the room stays for removals. */
static err
read_puts(const struct mirrors *all, struct mirror *m)
{
	struct change c;
	bool have = true, gap = false;
	slice line;

	while (m->walking && m->n < MIRROR_ITEMS / 2) {
		TRY(mirror_next_line(m->walk, &m->walk_lines, &have, &line));
		if (!have)
			return m->look.step == MIRROR_STANDS && puts_waiting(m) == 0 ? mirror_walk_end(all, m) : ok;
		m->walk_left -= m->walk_left > 0;
		add(m, 0, line.p[0] == '-', (slice){line.p + 1, line.n - 1});
	}
	if (m->look.step == MIRROR_KNOWS) /* what was put must be known first */
		return ok;
	while (!m->walking && m->n < MIRROR_ITEMS / 2 && (m->puts.epoch != m->gones.epoch || m->puts.seq < m->gones.seq)) {
		TRY(changes_next(&m->puts, &have, &c));
		if (have) {
			if (!c.gone && !c.closed)
				add(m, c.seq, false, c.path);
			continue;
		}
		if (!changes_replaced(&m->puts))
			return ok;
		TRY(next_log(all, &m->puts, &gap));
		if (gap) {
			m->opened = false;
			return ok;
		}
	}
	return ok;
}

/* --- doing it ------------------------------------------------------------------------------------------- */

/* The other side answered, and it is this file it does not want: not its credentials, not a bad hour of the whole. */
static bool
is_of_one(err e)
{
	static const long EVERYTHING[] = {401, 403, 407, 408, 425, 429},
	                  FILES[] = {EISDIR, ENOTDIR, ENAMETOOLONG, EINVAL, ELOOP};

	if (strncmp(e.what, "call-status:", 12) == 0) {
		for (size_t i = 0; i < COUNT(EVERYTHING); i++)
			if (e.why == EVERYTHING[i])
				return false;
		return e.why >= 400 && e.why < 500;
	}
	for (size_t i = 0; i < COUNT(FILES); i++)
		if (e.why == FILES[i] && strncmp(e.what, "mirror-write:", 13) == 0)
			return true;
	return false;
}

/* Something of the whole is wrong: nothing is begun for a while. */
static void
failed(struct mirror *m, err e)
{
	m->failures++;
	m->in_a_row++;
	m->trouble = e.what;
	m->backoff = mirror_longer(m->backoff);
	m->again = clock_steady_ms() + m->backoff;
	log_err(m->in_a_row == 1 ? LOG_WARN : LOG_ALARM, e);
	log_number(LOG_WARN, "mirror-failed: house: a copy of the repository could not be brought up to date", m->name,
	    m->in_a_row);
}

static void
succeeded(const struct mirrors *all, struct mirror *m, struct mirror_item *x)
{
	x->flying = false;
	x->done = true;
	m->pushed++;
	m->backoff = 0;
	m->in_a_row = 0;
	m->trouble = NULL;
	mirror_taken(all, m, x->path);
}

/*
 * One file was not taken.  Where it is this file, or the copy took others since its first try, it is put aside and the rest
 * goes on; else the whole copy waits.
 */
static void
not_taken(const struct mirrors *all, struct mirror *m, struct mirror_item *x, err e)
{
	bool aside = x->again || is_of_one(e);

	x->flying = false;
	if (x->tries++ == 0)
		x->pushed_then = m->pushed;
	if (!aside &&
	    x->tries >= MIRROR_TRIES) /* the second: only where there is room, a copy that is away is no refusal */
		aside = m->pushed > x->pushed_then || m->n_refused < MIRROR_REFUSED_MAX / 4;
	if (!aside) {
		failed(m, e);
		return;
	}
	x->done = true;
	m->failures++;
	mirror_put_aside(all, m, x->path, e);
}

static bool
path_flies(const struct mirror *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].flying && strcmp(m->item[i].path, path) == 0)
			return true;
	return false;
}

static size_t
flying(const struct mirror *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->item[i].flying;
	return n;
}

static void
start_one(struct mirrors *all, struct mirror *m, struct mirror_item *x)
{
	bool landed;
	err e = mirror_carry(all, m, x, &landed);

	if (e.kind != OK)
		not_taken(all, m, x, e);
	else if (landed)
		succeeded(all, m, x);
}

/* What was refused, once more, among the rest: as it stands now. */
static void
try_refused(const struct mirrors *all, struct mirror *m)
{
	int64_t now = clock_steady_ms();

	if (m->look.step == MIRROR_KNOWS)
		return;
	for (size_t i = 0; i < m->n_refused && m->n < MIRROR_ITEMS; i++) {
		struct mirror_refused *r = &m->refused[i];

		if (r->trying || now < r->again)
			continue;
		r->trying = true;
		add(m, 0, !mirror_is_there(all, r->path), slice_str(r->path));
		m->item[m->n - 1].again = true;
	}
}

/* Removals first, wherever they stand; then the rest in order. */
static void
start_items(struct mirrors *all, struct mirror *m)
{
	for (int puts = 0; puts < 2; puts++) {
		bool earlier = false; /* of the rest one before it is not done */

		for (size_t i = 0; i < m->n && flying(m) < MIRROR_FLIGHTS; i++) {
			struct mirror_item *x = &m->item[i];

			if (x->gone == (puts == 1) || x->done)
				continue;
			if (puts == 1 && mirror_is_last(x->path) && earlier)
				break;
			earlier = true;
			if (!x->flying && !path_flies(m, x->path) && !calls_is_full(all->calls))
				start_one(all, m, x);
			if (clock_steady_ms() < m->again) /* that went wrong, and not for one file alone */
				return;
			earlier = earlier && !x->done;
			if (puts == 1 && mirror_is_last(x->path) && !x->done)
				break;
		}
	}
}

static void
settle(struct mirror *m)
{
	uint64_t least = m->puts.seq;
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->item[i].done)
			m->item[n++] = m->item[i];
		else if (m->item[i].again) /* refused again, or another by now: its own clock says when it is tried next */
			for (size_t k = 0; k < m->n_refused; k++)
				m->refused[k].trying = m->refused[k].trying && strcmp(m->refused[k].path, m->item[i].path) != 0;
	m->n = n;
	if (m->walking || !m->opened)
		return;
	for (size_t i = 0; i < m->n; i++)
		if (m->item[i].seq != 0 && m->item[i].seq < least)
			least = m->item[i].seq;
	m->place = (struct changes_place){m->puts.epoch, least};
}

static bool
is_whole(const struct mirror *m)
{
	return m->opened && !m->walking && m->look.step == MIRROR_STANDS && m->n == 0 && m->n_refused == 0 &&
	       m->lost == 0 && m->puts.seq == m->gones.seq;
}

static err
turn(struct mirrors *all, struct mirror *m, int64_t now)
{
	if (!m->opened) {
		if (m->place.epoch == 0)
			mirror_load_place(all, m);
		if (m->whole_at.ms == 0) /* never yet: from now on it is late */
			m->whole_at = clock_now();
		if (flying(m) > 0)
			return ok; /* of the log before: they land first */
		if (m->have < 0)
			mirror_load_refused(all, m);
		TRY(open_log(all, m));
	}
	if (m->lost > 0 && now >= m->look_again && !m->walking && m->look.step == MIRROR_STANDS && flying(m) == 0) {
		keep_removals(m);
		TRY(mirror_walk_start(all, m));
	}
	TRY(read_gones(all, m));
	TRY(read_puts(all, m));
	try_refused(all, m);
	start_items(all, m);
	settle(m);
	if (m->look.step != MIRROR_STANDS) { /* last: what must go has left already */
		err e = mirror_look_step(all, m);

		if (e.kind != OK)
			m->opened = false; /* it begins anew */
		TRY(e);
	}
	if (is_whole(m))
		m->whole_at = clock_now();
	mirror_save_place(all, m, now);
	return ok;
}

static void
landed(struct mirrors *all, const struct call_result *r)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->mirror[i].n; k++) {
			struct mirror *m = &all->mirror[i];

			if (!m->item[k].flying || m->item[k].call != r->id)
				continue;
			if (r->err.kind == OK)
				succeeded(all, m, &m->item[k]);
			else
				not_taken(all, m, &m->item[k], r->err);
			m->looked = 0; /* on at once */
			return;
		}
}

void
mirrors_turn(struct mirrors *m)
{
	int64_t now = clock_steady_ms();
	struct call_result r;

	if (m->n == 0)
		return;
	calls_turn(m->calls);
	while (calls_next(m->calls, &r)) {
		landed(m, &r);
		buf_drop(&r.body);
	}
	for (size_t i = 0; i < m->n; i++) {
		struct mirror *x = &m->mirror[i];
		err e;

		if (now < x->again || (x->looked != 0 && now - x->looked < MIRROR_LOOK_MS))
			continue;
		x->looked = now;
		e = turn(m, x, now);
		if (e.kind == ERR_CORRUPT) { /* a log that cannot be read on: everything is looked at */
			x->opened = false;
			x->place = (struct changes_place){0, 1};
		}
		if (e.kind != OK && e.kind != ERR_ABSENT)
			failed(x, e);
		else if ((x->kind == MIRROR_FOLDER && x->n > 0) || x->look.step != MIRROR_STANDS)
			x->looked = 0; /* on at once, when everybody else was heard */
	}
	calls_turn(m->calls); /* what was started begins */
}

int
mirrors_timeout_ms(const struct mirrors *m)
{
	int ms;

	if (m->n == 0)
		return 1000;
	for (size_t i = 0; i < m->n; i++)
		if (m->mirror[i].looked == 0 && clock_steady_ms() >= m->mirror[i].again)
			return 0;
	ms = calls_timeout_ms(m->calls);
	return ms < 0 || ms > MIRROR_LOOK_MS ? MIRROR_LOOK_MS : ms;
}

/* Lines of the log that are not followed yet, by a look at its end. */
static uint64_t
behind(const struct mirrors *all, const struct mirror *m)
{
	uint64_t seq = m->walking ? m->walk_seq : m->place.seq;
	struct changes_place end;

	if (changes_end(all->repository, &end).kind != OK)
		return 0;
	if (!m->opened || end.epoch != m->puts.epoch)
		return 1;
	return end.seq > seq ? end.seq - seq : 0;
}

static uint64_t
looked_at(const struct mirror *m)
{
	uint64_t n = m->walking ? m->walk_left : 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->item[i].seq == 0 && !m->item[i].again;
	return n;
}

void
mirrors_state(const struct mirrors *m, struct mirrors_reply *out)
{
	instant now = clock_now();

	*out = (struct mirrors_reply){.n = m->n};
	for (size_t i = 0; i < m->n; i++) {
		const struct mirror *x = &m->mirror[i];
		const struct mirror_refused *r = x->n_refused > 0 ? &x->refused[0] : NULL;
		uint64_t lines = behind(m, x);

		out->mirror[i] = (struct mirror_state){.name = slice_str(x->name),
		    .kind = x->kind,
		    .walking = x->walking || !x->opened,
		    .behind = lines,
		    .missing = lines + looked_at(x) + x->n_refused + x->lost,
		    .seconds = is_whole(x) || now.ms < x->whole_at.ms ? 0 : (uint64_t)(now.ms - x->whole_at.ms) / 1000,
		    .whole_at = x->whole_at,
		    .pushed = x->pushed,
		    .failures = x->failures,
		    .in_a_row = x->in_a_row,
		    .trouble = slice_str(x->trouble == NULL ? "-" : x->trouble),
		    .refused = x->n_refused + x->lost,
		    .refused_path = slice_str(r == NULL ? "-" : r->path),
		    .refused_why = slice_str(r == NULL ? "-" : r->why)};
	}
}

/* Without a copy there is nothing to tell: a page says so by saying nothing. */
void
mirrors_tell(const struct mirrors *m, struct numbers *n)
{
	struct mirrors_reply r;

	mirrors_state(m, &r);
	for (unsigned i = 0; i < r.n; i++) {
		numbers_tell_time(n, N_MIRROR_AT, 0, i, r.mirror[i].whole_at);
		numbers_tell(n, N_MIRROR_MISSING, 0, i, r.mirror[i].missing);
		numbers_tell(n, N_MIRROR_REFUSED, 0, i, r.mirror[i].refused);
		numbers_tell(n, N_MIRROR_FAILURES, 0, i, r.mirror[i].failures);
	}
}

void
mirrors_drop(struct mirrors *m)
{
	for (size_t i = 0; i < m->n && m->mirror != NULL; i++) {
		struct mirror *x = &m->mirror[i];

		if (m->folder >= 0)
			mirror_save_place(m, x, x->written_at + MIRROR_PLACE_MS);
		changes_read_close(&x->puts);
		changes_read_close(&x->gones);
		disk_close(&x->fd);
		mirror_look_stop(x);
		disk_close(&x->have);
		disk_close(&x->walk);
		free(x->known);
		free(x->refused);
		secret_drop(&x->secret);
	}
	free(m->mirror);
	calls_drop(&m->calls);
	disk_close(&m->repository);
	disk_close(&m->folder);
}
