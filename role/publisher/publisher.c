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
    {ORDER_RENEWED, FROM_REGISTRAR, GATE_ANY, FRAME_BODY_MAX, GATE_STAY},
    {ORDER_WITHDRAW, FROM_REGISTRAR, GATE_ANY, 64, GATE_STAY},
    {ORDER_LAPSE, FROM_REGISTRAR, GATE_ANY, 64, GATE_STAY},
    {ORDER_LIST_TIMES, FROM_REGISTRAR, GATE_ANY, 256, GATE_STAY},
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
	if (!same) {
		p->written++;
		e = disk_replace(folder, name, bytes);
	}
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
	p->written += there;
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	return there ? note_change(p, path, NULL) : ok;
}

/*
 * What comes in parts is written beside, and never held: a list of ten million entries is 400 MB.  `status/parts` says which
 * file that is, so that a start finds what a crash left of it; one that is given up leaves nothing.
 */
static void
parts_temp(const struct publisher *p, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%.*s%s", (int)(NAME_BYTES - sizeof PARTS_END), p->parts_name, PARTS_END);
}

static void
parts_end(struct publisher *p)
{
	char temp[NAME_BYTES];

	parts_temp(p, temp);
	if (p->parts_file >= 0 && disk_remove(p->parts_folder, temp).kind == ERR_WORLD)
		log_text(LOG_WARN, "publisher-scrap: house: what is left of a file in parts cannot be removed");
	disk_close(&p->parts_file);
	disk_close(&p->parts_folder);
	p->next_part = UINT64_MAX;
}

/* What a crash left. */
static void
parts_clear(struct publisher *p)
{
	struct buf path OWNED(buf_drop) = BUF(256);
	char name[NAME_BYTES], temp[NAME_BYTES];
	int folder = -1, at = -1;

	if (disk_folder(p->repository, "status", FOLDER_MAKE, &folder).kind != OK)
		return;
	if (disk_load(folder, "parts", &path).kind == OK && enter_folder(p, buf_slice(&path), &at, name).kind == OK) {
		snprintf(temp, sizeof temp, "%.*s%s", (int)(NAME_BYTES - sizeof PARTS_END), name, PARTS_END);
		if (disk_remove(at, temp).kind == ERR_WORLD)
			log_text(LOG_WARN, "publisher-scrap: house: what is left of a file in parts cannot be removed");
	}
	disk_close(&at);
	disk_close(&folder);
}

static err
parts_start(struct publisher *p, slice path)
{
	char temp[NAME_BYTES];

	parts_end(p);
	TRY(publisher_put(p, LIT("status/parts"), path));
	TRY(enter_folder(p, path, &p->parts_folder, p->parts_name));
	parts_temp(p, temp);
	TRY(disk_open(p->parts_folder, temp, DISK_SCRATCH, &p->parts_file));
	p->parts_bytes = 0;
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
	p->parts_bytes += o->part.bytes.n;
	if (p->parts_bytes > PUBLISHED_MAX)
		return fail(ERR_INPUT, "publisher-long: house: a published file has at most 512 MiB");
	TRY(disk_append(p->parts_file, o->part.bytes));
	hash_add(&p->parts_hash, o->part.bytes);
	if (!o->part.last)
		return ok;
	TRY(disk_sync(p->parts_file)); /* a crash before the rename: the old file, and a scrap that is written over */
	parts_temp(p, temp);
	TRY(disk_rename(p->parts_folder, temp, p->parts_name));
	disk_close(&p->parts_file); /* no scrap any more */
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
		if (slice_eq(o.path, LIT("ca/ocsp.cer"))) /* the responder's was changed: its fingerprint too */
			return tree_certificates(p);
		return tree_text(p, o.path);
	}
	if (o.part.number == 0)
		TRY(parts_start(p, o.path));
	e = parts_add(p, &o);
	if (e.kind != OK || o.part.last)
		parts_end(p);
	return e.kind == OK && o.part.last ? tree_text(p, o.path) : e;
}

/* --- orders ----------------------------------------------------------------------- */
static err
take_checkpoint(struct publisher *p, slice body)
{
	struct checkpoint_order o;

	TRY(checkpoint_order_get(body, &o));
	return publisher_put(p, LIT("books/checkpoint"), o.note);
}

/* An ORDER_FILE is answered after its last part only. */
static bool
is_whole(const struct frame *f)
{
	struct file_order o;

	return file_order_get(f->body, &o).kind != OK || o.part.last;
}

err
publisher_take(struct publisher *p, const struct frame *f, bool *now)
{
	*now = true;
	switch (f->kind) {
	case ORDER_FILE:
		*now = is_whole(f);
		return take_file(p, f->body);
	case ORDER_SLOTS:
		return status_take_slots(p, f->body);
	case ORDER_RENEWED:
		return status_take_renewed(p, f->id, f->body, now);
	case ORDER_WITHDRAW:
		return status_take_withdrawal(p, f->body);
	case ORDER_TILES:
		return take_checkpoint(p, f->body);
	default:
		abort(); /* the gate lets no other through */
	}
}

/* An answer that waits for what all of a turn share: recent on disk. */
struct owed {
	uint8_t kind;
	uint64_t id;
};
#define OWED_MAX 64U

static err
settle(struct publisher *p, struct link *l, const struct owed *owed, size_t n)
{
	err e = status_write(p);

	if (e.kind == ERR_CORRUPT)
		return e;
	if (e.kind != OK)
		log_err(LOG_ALARM, e);
	for (size_t i = 0; i < n; i++) {
		struct frame f = {.kind = owed[i].kind, .id = owed[i].id};

		if (e.kind == OK)
			link_answer(l, &f, (slice){NULL, 0});
		else
			link_refuse(l, &f, e);
	}
	return ok;
}

static err
tend(struct publisher *p, struct link *l)
{
	uint64_t done[RENEWED_IDS_MAX + 2];
	size_t n = 0;
	err e = status_turn(p, clock_steady_ms(), done, &n);

	if (e.kind == ERR_CORRUPT)
		return e;
	if (e.kind != OK)
		log_err(LOG_ALARM, e);
	for (size_t i = 0; i < n && l != NULL; i++) {
		struct buf body OWNED(buf_drop) = BUF(64);

		renewed_reply_put(&body, &(struct renewed_reply){.lost = p->lost});
		link_answer(l, &(struct frame){.kind = ORDER_RENEWED, .id = done[i]}, buf_slice(&body));
	}
	return ok;
}

/* A question, which changes nothing: answered at once. */
static void
say(struct publisher *p, struct link *l, const struct frame *f)
{
	struct buf body OWNED(buf_drop) = BUF(256);
	err e = lapses_answer(p, f, &body);

	if (e.kind == OK)
		link_answer(l, f, buf_slice(&body));
	else
		link_refuse(l, f, e);
}

err
publisher_turn(struct publisher *p)
{
	struct link *l = wires_find(p->wires, PEER_REGISTRAR, 0);
	struct owed owed[OWED_MAX];
	struct frame f;
	bool have = l != NULL;
	size_t n = 0;
	int state = 0;

	if (wires_fresh(p->wires, PEER_REGISTRAR, 0))
		status_forget(p);
	while (have) {
		bool now;
		err e;

		TRY(link_next(l, &have, &f));
		if (!have)
			break;
		TRY(gate_check(GATE, COUNT(GATE), FROM_REGISTRAR, &state, &f));
		if (f.kind == ORDER_LAPSE || f.kind == ORDER_LIST_TIMES) {
			say(p, l, &f);
			continue;
		}
		e = publisher_take(p, &f, &now);
		if (e.kind == ERR_CORRUPT)
			return e;
		if (e.kind != OK) {
			log_err(e.kind == ERR_BUSY ? LOG_NOTE : LOG_ALARM, e);
			link_refuse(l, &f, e);
		} else if (now && p->dirty)
			owed[n++] = (struct owed){f.kind, f.id};
		else if (now)
			link_answer(l, &f, (slice){NULL, 0});
		if (n == OWED_MAX) {
			TRY(settle(p, l, owed, n));
			n = 0;
		}
	}
	if (l != NULL)
		TRY(settle(p, l, owed, n));
	TRY(tend(p, l));
	if (lapses_waits(p))
		lapses_turn(p);
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
	int64_t now = clock_steady_ms();

	if (p->merge.on || p->look.on || lapses_waits(p))
		return 0;
	return (p->asked && now >= p->merge_again) || (ocsp_files_waits(p) && now >= p->files_again) ? 0 : 1000;
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
	p->merge.fd = p->look.fd = p->parts_file = p->parts_folder = p->changes.fd = -1; /* 0 is somebody's file */
	p->path = BUF(256);
	p->next_part = UINT64_MAX;
	TRY(disk_folder(repository, "ca", FOLDER_THERE, &folder));
	e = disk_load(folder, "issuer.cer", &p->issuer_der);
	disk_close(&folder);
	TRY(e);
	TRY(cert_get(buf_slice(&p->issuer_der), &p->issuer));
	TRY(changes_open(repository, clock_now(), &p->changes));
	TRY(status_open(p));
	parts_clear(p);
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
	status_drop(p);
	lapses_drop(p);
	for (size_t i = 0; i < p->files.n; i++)
		buf_drop(&p->files.queue[i].answer);
	free(p->files.queue);
	ocsp_files_close(&p->files);
	for (size_t i = 0; i < COUNT(p->gazette); i++)
		buf_drop(&p->gazette[i]);
	wires_drop(&p->wires);
}
