#include <stdio.h>
#include <unistd.h>

#include "act/order.h"
#include "act/order_desk.h"
#include "act/order_send.h"
#include "act/order_sign.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "edge/log.h"
#include "role/publisher/publisher.h"

#define PARTS_END ".part"
#define FILES_AGAIN_MS 2000  /* after files of answers could not be written */
#define SAME_MAX (64U << 10) /* larger files are written again, whatever stands there */

enum { FROM_REGISTRAR = 1 };
static const struct gate GATE[] = {
    {ORDER_FILE, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_SLOTS, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_WITHDRAW, FROM_REGISTRAR, GATE_ANY, 64, GATE_STAY},
    {ORDER_TILES, FROM_REGISTRAR, GATE_ANY, 8192, GATE_STAY},
};

/* --- files ------------------------------------------------------------------------ */
#define NAME_BYTES 200

/* The folder a path below the repository ends in, made on the way, and the last step's name. */
static err
enter_folder(const struct publisher *p, slice path, int *out, char name[NAME_BYTES])
{
	const err bad = fail(ERR_INPUT, "publisher-path: house: a published file has a plain path");
	int folder = dup(p->repository);
	slice step;
	err e = folder < 0 ? fail(ERR_WORLD, "publisher-folder: house: the repository's folder is gone") : ok;

	while (e.kind == OK && slice_cut(&path, '/', &step)) {
		int below = -1;

		if (step.n == 0) /* base64 with "//": one stroke to a file system; orders have none (order-path) */
			continue;
		if (step.n >= NAME_BYTES || step.p[0] == '.')
			e = bad;
		else {
			memcpy(name, step.p, step.n);
			name[step.n] = '\0';
			e = disk_folder(folder, name, FOLDER_MAKE, &below);
		}
		disk_close(&folder);
		folder = below;
	}
	if (e.kind == OK && (path.n == 0 || path.n >= NAME_BYTES - sizeof PARTS_END || path.p[0] == '.'))
		e = bad;
	if (e.kind != OK) {
		disk_close(&folder);
		return e;
	}
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	*out = folder;
	return ok;
}

/* Mirrors have no use for the status files: these are front's. */
static err
note_change(struct publisher *p, slice path, const digest *d)
{
	return slice_has_prefix(path, LIT("status/")) ? ok : changes_put(&p->changes, path, d);
}

/* These bytes stand there already: after a restart much comes again. */
static bool
is_same(int folder, const char *name, slice bytes)
{
	struct buf b OWNED(buf_drop) = BUF(SAME_MAX);
	uint64_t size;

	return bytes.n <= SAME_MAX && disk_size_of(folder, name, &size).kind == OK && size == bytes.n &&
	       disk_load(folder, name, &b).kind == OK && slice_eq(buf_slice(&b), bytes);
}

err
publisher_put(struct publisher *p, slice path, slice bytes)
{
	char name[NAME_BYTES];
	int folder = -1;
	bool same;
	digest d;
	err e = ok;

	TRY(enter_folder(p, path, &folder, name));
	same = is_same(folder, name, bytes);
	if (!same)
		e = disk_replace(folder, name, bytes);
	disk_close(&folder);
	if (e.kind != OK || (same && !p->changes.broken))
		return e;
	d = sha256(bytes);
	return note_change(p, path, &d);
}

err
publisher_remove(struct publisher *p, slice path)
{
	char name[NAME_BYTES];
	int folder = -1;
	bool there;
	err e;

	TRY(enter_folder(p, path, &folder, name));
	e = disk_remove(folder, name);
	disk_close(&folder);
	there = e.kind == OK;
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	return there ? note_change(p, path, NULL) : ok;
}

/* What comes in parts is written beside, and never held: a list of ten million entries is 400 MB. */
static void
parts_end(struct publisher *p)
{
	disk_close(&p->parts_file);
	disk_close(&p->parts_folder);
	p->next_part = UINT64_MAX;
}

static err
parts_start(struct publisher *p, slice path)
{
	char temp[NAME_BYTES];

	parts_end(p);
	TRY(enter_folder(p, path, &p->parts_folder, p->parts_name));
	snprintf(temp, sizeof temp, "%.*s%s", (int)(NAME_BYTES - sizeof PARTS_END), p->parts_name, PARTS_END);
	TRY(disk_open(p->parts_folder, temp, DISK_SCRATCH, &p->parts_file));
	buf_clear(&p->path);
	buf_put(&p->path, path);
	p->next_part = 0;
	hash_start(&p->parts_hash);
	return buf_check(&p->path);
}

static err
parts_add(struct publisher *p, const struct file_order *o)
{
	char temp[NAME_BYTES];
	digest d;

	if (o->part.number != p->next_part || !slice_eq(o->path, buf_slice(&p->path)))
		return fail(ERR_INPUT, "publisher-parts: house: the parts of a file came in another order");
	p->next_part++;
	TRY(disk_append(p->parts_file, o->part.bytes));
	hash_add(&p->parts_hash, o->part.bytes);
	if (!o->part.last)
		return ok;
	TRY(disk_sync(p->parts_file)); /* a crash before the rename: the old file, and a scrap that is written over */
	snprintf(temp, sizeof temp, "%.*s%s", (int)(NAME_BYTES - sizeof PARTS_END), p->parts_name, PARTS_END);
	TRY(disk_rename(p->parts_folder, temp, p->parts_name));
	d = hash_end(&p->parts_hash);
	return note_change(p, buf_slice(&p->path), &d);
}

static err
take_file(struct publisher *p, slice body)
{
	struct file_order o;
	err e;

	TRY(file_order_get(body, &o));
	if (o.part.number == 0 && o.part.last) { /* whole: it may come between the parts of another */
		TRY(publisher_put(p, o.path, o.part.bytes));
		return tree_text(p, o.path);
	}
	if (o.part.number == 0)
		TRY(parts_start(p, o.path));
	e = parts_add(p, &o);
	if (e.kind != OK || o.part.last)
		parts_end(p);
	return e.kind == OK && o.part.last ? tree_text(p, o.path) : e;
}

/* --- status files ------------------------------------------------------------------- */
static size_t
place(const struct publisher *p, serial s)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (serial_cmp(p->recent[mid].serial, s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
publisher_has_recent(const struct publisher *p, serial s)
{
	size_t at = place(p, s);

	return at < p->n && serial_eq(p->recent[at].serial, s);
}

/* The newer word wins; a withdrawal gives way only to an answer produced after it. */
static void
put_slot(struct publisher *p, const struct slot *s)
{
	size_t at = place(p, s->serial);

	if (at < p->n && serial_eq(p->recent[at].serial, s->serial)) {
		if (s->produced.ms >= p->recent[at].produced.ms)
			p->recent[at] = *s;
		return;
	}
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 256 : p->cap * 2;
		p->recent = mem_grow(p->recent, p->cap, sizeof *p->recent);
	}
	memmove(p->recent + at + 1, p->recent + at, (p->n - at) * sizeof *p->recent);
	p->recent[at] = *s;
	p->n++;
}

static void
take_written(struct slots_writer *w, struct buf *b)
{
	slice piece;

	while (slots_write_out(w, &piece))
		buf_put(b, piece);
}

static err
write_recent(struct publisher *p)
{
	struct buf b OWNED(buf_drop) = BUF((size_t)slots_file_bytes(&p->common, p->n));
	struct slots_writer w OWNED(slots_writer_drop) = {0};

	slots_write_start(&w, &p->common, clock_now());
	for (size_t i = 0; i < p->n; i++) {
		slots_write(&w, &p->recent[i]);
		take_written(&w, &b);
	}
	slots_write_end(&w);
	take_written(&w, &b);
	TRY(buf_check(&b));
	return publisher_put(p, LIT("status/recent"), buf_slice(&b));
}

/* Two sorted lists into one new base; recent's word stands before base's. */
static err
merge(struct publisher *p)
{
	struct buf old OWNED(buf_drop) = BUF(PUBLISHED_MAX), b OWNED(buf_drop) = BUF(PUBLISHED_MAX);
	struct slots base OWNED(slots_drop) = {0};
	struct slots_writer w OWNED(slots_writer_drop) = {0};
	struct slots_common common = p->common;
	uint8_t map[SLOTS_RESPONDERS_MAX] = {0};
	struct slot s;
	uint64_t i = 0;
	size_t k = 0;
	int folder = -1;
	err e;

	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_load(folder, "base", &old);
	disk_close(&folder);
	if (e.kind == OK)
		TRY(slots_get(buf_slice(&old), &base));
	else if (e.kind != ERR_ABSENT)
		return e;
	if (base.n > 0)
		TRY(slots_common_join(&common, &base.common, map));
	slots_write_start(&w, &common, clock_now());
	while (i < base.n || k < p->n) {
		int c = 1;

		if (i < base.n) {
			TRY(slots_at(&base, i, &s));
			s.responder = s.state == SLOT_WITHDRAWN ? 0 : map[s.responder];
			c = k < p->n ? serial_cmp(s.serial, p->recent[k].serial) : -1;
		}
		slots_write(&w, c < 0 ? &s : &p->recent[k]);
		take_written(&w, &b);
		i += c <= 0;
		k += c >= 0;
	}
	slots_write_end(&w);
	take_written(&w, &b);
	TRY(buf_check(&b));
	TRY(publisher_put(p, LIT("status/base"), buf_slice(&b)));
	p->n = 0; /* only now: a crash before here merges again */
	ocsp_files_look_anew(p);
	return write_recent(p);
}

/* The responders of `from`, with certificates of our own. */
static err
join_common(struct publisher *p, const struct slots_common *from)
{
	struct slots_common c = p->has_common ? p->common : *from;
	uint8_t map[SLOTS_RESPONDERS_MAX];

	TRY(slots_common_join(&c, from, map));
	for (size_t i = p->has_common ? p->common.n_responders : 0; i < c.n_responders; i++) {
		buf_clear(&p->responder[i]);
		buf_put(&p->responder[i], c.responder[i].cert);
		c.responder[i].cert = buf_slice(&p->responder[i]);
	}
	p->common = c;
	p->has_common = true;
	return ok;
}

/* An answer by a responder not seen yet adds it: its certificate was replaced. */
static err
take_answer(struct publisher *p, slice answer)
{
	struct slots_common c;
	struct slot s;

	if (!p->has_common || slot_get_answer(answer, &p->common, &s).kind != OK) {
		TRY(slots_common_get(answer, &p->issuer, &c));
		TRY(join_common(p, &c));
		TRY(slot_get_answer(answer, &p->common, &s));
	}
	put_slot(p, &s);
	ocsp_files_add(p, s.serial, answer);
	return ok;
}

static err
take_slots(struct publisher *p, slice body)
{
	struct answers_reply r;

	TRY(answers_reply_get(body, &r));
	for (size_t i = 0; i < r.n; i++)
		TRY(take_answer(p, r.answer[i]));
	if (p->n >= SLOTS_RECENT_MAX)
		return merge(p);
	return r.n == 0 ? ok : write_recent(p);
}

static err
take_withdrawal(struct publisher *p, slice body)
{
	struct serial_order o;
	instant now = clock_now();

	TRY(serial_order_get(body, &o));
	if (!p->has_common)
		return ok; /* nothing was ever published */
	put_slot(p, &(struct slot){.serial = o.serial,
	                .state = SLOT_WITHDRAWN,
	                .produced = instant_floor_second(now),
	                .this_update = now,
	                .next_update = now});
	TRY(write_recent(p));
	return ocsp_files_remove(p, o.serial);
}

static err
take_checkpoint(struct publisher *p, slice body)
{
	struct checkpoint_order o;

	TRY(checkpoint_order_get(body, &o));
	return publisher_put(p, LIT("books/checkpoint"), o.note);
}

err
publisher_take(struct publisher *p, const struct frame *f)
{
	switch (f->kind) {
	case ORDER_FILE:
		return take_file(p, f->body);
	case ORDER_SLOTS:
		return take_slots(p, f->body);
	case ORDER_WITHDRAW:
		return take_withdrawal(p, f->body);
	case ORDER_TILES:
		return take_checkpoint(p, f->body);
	default:
		abort(); /* the gate lets no other through */
	}
}

/* An ORDER_FILE is answered after its last part only. */
static bool
is_answered(const struct frame *f)
{
	struct file_order o;

	return f->kind != ORDER_FILE || (file_order_get(f->body, &o).kind == OK && o.part.last);
}

err
publisher_turn(struct publisher *p)
{
	struct link *l = wires_find(p->wires, PEER_REGISTRAR, 0);
	struct frame f;
	bool have = l != NULL;
	int state = 0;

	while (have) {
		err e;

		TRY(link_next(l, &have, &f));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), FROM_REGISTRAR, &state, &f));
		e = publisher_take(p, &f);
		if (e.kind == ERR_CORRUPT)
			return e;
		if (e.kind != OK) {
			log_err(LOG_ALARM, e);
			link_refuse(l, &f, e);
		} else if (is_answered(&f))
			link_answer(l, &f, (slice){NULL, 0});
	}
	if (clock_steady_ms() >= p->files_again) {
		err e = ocsp_files_turn(p);

		if (e.kind == ERR_CORRUPT)
			return e;
		if (e.kind != OK) {
			log_err(LOG_ALARM, e);
			p->files_again = clock_steady_ms() + FILES_AGAIN_MS;
		}
	}
	return ok;
}

int
publisher_timeout_ms(const struct publisher *p)
{
	return ocsp_files_waits(p) && clock_steady_ms() >= p->files_again ? 0 : 1000;
}

static err
load_recent(struct publisher *p)
{
	struct buf b OWNED(buf_drop) = BUF(PUBLISHED_MAX);
	struct slots s OWNED(slots_drop) = {0};
	struct slot one;
	int folder = -1;
	err e;

	TRY(disk_folder(p->repository, "status", FOLDER_MAKE, &folder));
	e = disk_load(folder, "recent", &b);
	disk_close(&folder);
	if (e.kind == ERR_ABSENT)
		return ok;
	TRY(e);
	e = slots_get(buf_slice(&b), &s);
	for (uint64_t i = 0; e.kind == OK && i < s.n; i++) {
		e = slots_at(&s, i, &one);
		if (e.kind == OK)
			put_slot(p, &one);
	}
	if (e.kind != OK) { /* the registrar sends all answers again; front withholds the damaged ones meanwhile */
		log_err(LOG_ALARM, e);
		p->n = 0;
		return ok;
	}
	return join_common(p, &s.common);
}

err
publisher_open(struct publisher *p, int repository)
{
	int folder = -1;
	err e;

	p->repository = repository;
	p->issuer_der = BUF(CERT_MAX);
	for (size_t i = 0; i < SLOTS_RESPONDERS_MAX; i++)
		p->responder[i] = BUF(CERT_MAX);
	p->parts_file = p->parts_folder = p->changes.fd = -1;
	p->path = BUF(256);
	p->next_part = UINT64_MAX;
	TRY(disk_folder(repository, "ca", FOLDER_THERE, &folder));
	e = disk_load(folder, "issuer.cer", &p->issuer_der);
	disk_close(&folder);
	TRY(e);
	TRY(cert_get(buf_slice(&p->issuer_der), &p->issuer));
	TRY(changes_open(repository, clock_now(), &p->changes));
	TRY(load_recent(p));
	p->files.looking = p->ocsp_files;
	e = tree_certificates(p);
	if (e.kind != OK) /* a full disk: answers and lists matter more, and the next start makes them */
		log_err(LOG_ALARM, e);
	return ok;
}

void
publisher_drop(struct publisher *p)
{
	buf_drop(&p->issuer_der);
	for (size_t i = 0; i < SLOTS_RESPONDERS_MAX; i++)
		buf_drop(&p->responder[i]);
	if (p->path.max > 0) { /* it was opened */
		parts_end(p);
		changes_close(&p->changes, true);
	}
	buf_drop(&p->path);
	free(p->recent);
	for (size_t i = 0; i < p->files.n; i++)
		buf_drop(&p->files.queue[i].answer);
	free(p->files.queue);
	ocsp_files_close(&p->files);
	for (size_t i = 0; i < COUNT(p->gazette); i++)
		buf_drop(&p->gazette[i]);
	wires_drop(&p->wires);
}
