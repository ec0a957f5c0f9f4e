/* What is remembered of a copy in HOME/mirror, over restarts: its place, what was put there, what it refused. */
#include <fcntl.h>

#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/messenger/mirror_inside.h"

void
mirror_own_name(char out[96], const struct mirror *m, const char *ending)
{
	snprintf(out, 96, "%s.%s", m->name, ending);
}

void
mirror_load_place(const struct mirrors *all, struct mirror *m)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	char name[96];
	slice rest, word;
	struct changes_place p = {0};
	uint64_t whole = 0;

	mirror_own_name(name, m, "place");
	if (disk_load(all->folder, name, &b).kind != OK)
		return;
	rest = buf_slice(&b);
	if (rest.n > 0 && rest.p[rest.n - 1] == '\n')
		rest.n--;
	if (!slice_cut(&rest, ' ', &word) || decimal_get(word, INT64_MAX, &p.epoch).kind != OK)
		return;
	if (!slice_cut(&rest, ' ', &word)) /* of an older house: no time in it */
		word = rest;
	else if (decimal_get(rest, INT64_MAX, &whole).kind != OK)
		return;
	if (decimal_get(word, INT64_MAX, &p.seq).kind != OK)
		return;
	m->place = m->written = p;
	if (whole > 0 && (int64_t)whole <= clock_now().ms)
		m->whole_at = m->whole_written = (instant){(int64_t)whole};
}

void
mirror_save_place(const struct mirrors *all, struct mirror *m, int64_t now)
{
	struct buf b OWNED(buf_drop) = BUF(64);
	char name[96];

	bool moved = m->place.epoch != m->written.epoch || m->place.seq != m->written.seq;

	if ((!moved && m->whole_at.ms - m->whole_written.ms < MIRROR_WHOLE_MS) || now - m->written_at < MIRROR_PLACE_MS)
		return;
	mirror_own_name(name, m, "place");
	buf_put_decimal(&b, m->place.epoch);
	buf_put_u8(&b, ' ');
	buf_put_decimal(&b, m->place.seq);
	buf_put_u8(&b, ' ');
	buf_put_decimal(&b, m->whole_at.ms < 0 ? 0 : (uint64_t)m->whole_at.ms);
	buf_put_u8(&b, '\n');
	m->written_at = now;
	if (disk_replace(all->folder, name, buf_slice(&b)).kind == OK) {
		m->written = m->place;
		m->whole_written = m->whole_at;
	}
}

static uint64_t
hash_path(slice s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a: names of ours, nobody chooses them */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h == 0 ? 1 : h;
}

/*
 * 8 bytes a place and half of them empty at least: 16 to 32 bytes a path, 16 MB for a million.  Two paths of one hash are
 * taken for one: at ten million paths that is one chance in 300,000, and then one file is not found by a look that must go.
 */
static bool
know(struct mirror *m, uint64_t h)
{
	size_t i;

	if (m->known_n * 2 >= m->known_cap) {
		uint64_t *old = m->known;
		size_t n = m->known_cap;

		m->known_cap = n == 0 ? 1024 : n * 2;
		m->known = mem_new(m->known_cap, sizeof *m->known);
		m->known_n = 0;
		for (i = 0; i < n; i++)
			if (old[i] != 0)
				(void)know(m, old[i]);
		free(old);
	}
	for (i = (size_t)h & (m->known_cap - 1); m->known[i] != 0; i = (i + 1) & (m->known_cap - 1))
		if (m->known[i] == h)
			return false;
	m->known[i] = h;
	m->known_n++;
	return true;
}

bool
mirror_know(struct mirror *m, slice path)
{
	return know(m, hash_path(path));
}

void
mirror_lines_start(struct mirror_lines *l)
{
	l->at = 0;
	l->i = l->n = 0;
}

err
mirror_next_line(int fd, struct mirror_lines *l, bool *have, slice *line)
{
	for (;;) {
		slice rest = slice_of(l->chunk + l->i, l->n - l->i);
		size_t got;

		if (slice_cut(&rest, '\n', line)) {
			l->i += line->n + 1;
			if (line->n < 2 || line->n > CHANGES_PATH_MAX + 1)
				continue;
			*have = true;
			return ok;
		}
		if (l->n - l->i == sizeof l->chunk) /* no line is so long */
			l->i = l->n;
		memmove(l->chunk, l->chunk + l->i, l->n - l->i);
		l->at += l->i;
		l->n -= l->i;
		l->i = 0;
		TRY(disk_read_some(fd, l->at + l->n, l->chunk + l->n, sizeof l->chunk - l->n, &got));
		l->n += got;
		if (got == 0) {
			*have = false;
			return ok;
		}
	}
}

err
mirror_open_have(const struct mirrors *all, struct mirror *m)
{
	char name[96];

	disk_close(&m->have);
	free(m->known);
	m->known = NULL;
	m->known_n = m->known_cap = 0;
	mirror_own_name(name, m, "have");
	TRY(disk_open(all->folder, name, DISK_MAKE, &m->have));
	mirror_lines_start(&m->look.had);
	m->look.step = MIRROR_KNOWS;
	return ok;
}

/* Half a line: its file was not put yet, or is known as before. */
err
mirror_end_have(struct mirror *m)
{
	uint64_t at = m->look.had.at + m->look.had.i, size;

	TRY(disk_size(m->have, &size));
	return size > at ? disk_cut(m->have, at) : ok;
}

/* Before it is put: nothing is there that this list does not name. */
err
mirror_note_have(struct mirror *m, const char *path)
{
	struct buf b OWNED(buf_drop) = BUF(CHANGES_PATH_MAX + 2);

	if (!mirror_know(m, slice_str(path)))
		return ok;
	buf_put_u8(&b, '+');
	buf_put_str(&b, path);
	buf_put_u8(&b, '\n');
	return disk_append(m->have, buf_slice(&b));
}

/* --- what it would not take ------------------------------------------------------------------- */

void
mirror_load_refused(const struct mirrors *all, struct mirror *m)
{
	struct mirror_lines *l = &m->look.had; /* not in use yet */
	char name[96];
	bool have = true;
	slice line;
	int fd = -1;

	mirror_own_name(name, m, "refused");
	if (disk_open(all->folder, name, DISK_READ, &fd).kind != OK)
		return;
	mirror_lines_start(l);
	while (m->n_refused < MIRROR_REFUSED_MAX && mirror_next_line(fd, l, &have, &line).kind == OK && have)
		if (line.p[0] == '+') {
			struct mirror_refused *r = &m->refused[m->n_refused++];

			*r = (struct mirror_refused){.backoff = 1000, .why = "mirror-refused: house: a copy did not take a file"};
			snprintf(r->path, sizeof r->path, "%.*s", (int)line.n - 1, (const char *)line.p + 1);
		}
	disk_close(&fd);
}

/* Whole, each time one comes or goes: that is rare, and they are few. */
void
mirror_save_refused(const struct mirrors *all, const struct mirror *m)
{
	struct buf b OWNED(buf_drop) = BUF(MIRROR_REFUSED_MAX * (CHANGES_PATH_MAX + 2));
	char name[96];
	err e;

	for (size_t i = 0; i < m->n_refused; i++) {
		buf_put_u8(&b, '+');
		buf_put_str(&b, m->refused[i].path);
		buf_put_u8(&b, '\n');
	}
	mirror_own_name(name, m, "refused");
	e = disk_replace(all->folder, name, buf_slice(&b));
	if (e.kind != OK)
		log_err(LOG_WARN, e);
}

static struct mirror_refused *
find_refused(struct mirror *m, const char *path)
{
	for (size_t i = 0; i < m->n_refused; i++)
		if (strcmp(m->refused[i].path, path) == 0)
			return &m->refused[i];
	return NULL;
}

int64_t
mirror_longer(int64_t backoff)
{
	backoff = backoff == 0 ? 1000 : backoff * 2;
	return backoff > MIRROR_BACKOFF_MAX_MS ? MIRROR_BACKOFF_MAX_MS : backoff;
}

void
mirror_put_aside(const struct mirrors *all, struct mirror *m, const char *path, err e)
{
	struct mirror_refused *r = find_refused(m, path);
	bool fresh = r == NULL;

	if (fresh &&
	    m->n_refused == MIRROR_REFUSED_MAX) { /* too many to remember: the next look over everything finds them */
		m->lost++;
		m->look_again = clock_steady_ms() + MIRROR_LOST_MS;
		return;
	}
	if (fresh) {
		r = &m->refused[m->n_refused++];
		*r = (struct mirror_refused){0};
		snprintf(r->path, sizeof r->path, "%s", path);
		log_err(LOG_ALARM, e);
		log_number(LOG_ALARM, "mirror-refused: house: a copy did not take a file; inkanctl status names it", m->name,
		    m->n_refused);
		mirror_save_refused(all, m);
	}
	r->why = e.what;
	r->trying = false;
	r->backoff = mirror_longer(r->backoff);
	r->again = clock_steady_ms() + r->backoff;
}

void
mirror_taken(const struct mirrors *all, struct mirror *m, const char *path)
{
	struct mirror_refused *r = find_refused(m, path);

	if (r == NULL)
		return;
	*r = m->refused[--m->n_refused];
	mirror_save_refused(all, m);
}
