/* What is public beside the answers: the CA's certificate, the lists, the checkpoint and the tiles under it. */
#include <stdio.h>

#include "cmd/inkanctl/check.h"
#include "edge/clock.h"
#include "edge/tile.h"

#define SMALL_MAX (1U << 20)

static void
differ(struct check *c, const char *what, slice where)
{
	differences_add(&c->found, what, NULL, where);
}

err
check_get(struct check *c, slice uri, struct buf *out)
{
	err e;

	if (c->gone)
		return fail(ERR_BUSY, "check-gone: house: the server does not answer");
	e = source_file(&c->source, uri, out);
	c->gone = e.kind != OK && e.kind != ERR_ABSENT && e.kind != ERR_INPUT;
	return e;
}

/* A file that must be there; false: it is not, or was not to be had, and that is said. */
static bool
fetch(struct check *c, slice uri, struct buf *out)
{
	err e = check_get(c, uri, out);

	if (e.kind == ERR_ABSENT)
		differ(c, "served-file: Rule 6(xi): a file that the books published is not there", uri);
	else if (e.kind != OK)
		check_could_not(c, e.what);
	return e.kind == OK;
}

static void
check_ca(struct check *c)
{
	struct buf der OWNED(buf_drop) = BUF(SMALL_MAX);

	if (fetch(c, c->profile->ca_issuers, &der) && !slice_eq(buf_slice(&der), buf_slice(&c->trust->issuer_der)))
		differ(c, "served-ca: Rule 6(ix): another CA certificate is served than the trust file names",
		    c->profile->ca_issuers);
}

void
check_put_uri(struct buf *b, const struct check *c, const char *name)
{
	slice uri = c->profile->ca_issuers;
	size_t host = 0, slashes = 0;

	while (host < uri.n && slashes < 3)
		slashes += uri.p[host++] == '/';
	buf_clear(b);
	buf_put(b, (slice){uri.p, host});
	buf_put_str(b, name);
}

/* --- lists -------------------------------------------------------------------------------- */

static void
take_said(struct check *c, const struct served_said *said, slice where)
{
	for (size_t i = 0; i < said->n; i++)
		differences_add(&c->found, said->at[i].e.what, said->at[i].serial.n > 0 ? &said->at[i].serial : NULL, where);
	c->found.total += said->total - said->n;
}

#define LIST_ENTRY 64U        /* of ours: a serial of 16 bytes, a time, a reason */
#define LIST_HEAD (64U << 10) /* everything else in a list                       */

/* Twice what the books give: what is served is not kept in memory beyond it. */
static size_t
list_max(const struct check *c)
{
	uint64_t most = 2 * (LIST_HEAD + LIST_ENTRY * (uint64_t)c->told.n_revoked);

	return most < CRL_MAX ? (size_t)most : CRL_MAX;
}

static bool
is_too_long(err e)
{
	return e.kind == ERR_INPUT && (strncmp(e.what, "net-long:", 9) == 0 || strncmp(e.what, "disk-long:", 10) == 0);
}

/* One list; the number of it, 0 where there is none to be read. */
static uint64_t
check_list(struct check *c, const struct served_scope *scope, slice uri, uint8_t *seen)
{
	const struct served_list *last =
	    c->told.list == NULL ? NULL : &c->told.list[served_list_place(scope->partition, scope->delta)];
	struct buf crl OWNED(buf_drop) = BUF(list_max(c));
	struct served_said *said = mem_new(1, sizeof *said);
	uint64_t number = 0;
	err e = check_get(c, uri, &crl);

	if (e.kind == ERR_ABSENT && (last == NULL || last->number == 0))
		e = ok; /* the first round has not made it yet */
	else if (e.kind == ERR_ABSENT)
		differ(c, "served-file: Rule 6(xi): a file that the books published is not there", uri);
	else if (is_too_long(e))
		differ(c, "served-list-long: Rule 6(xi): a list is longer than all that the books revoke", uri);
	else if (e.kind != OK)
		check_could_not(c, e.what);
	else {
		c->count.lists++;
		e = served_check_list(
		    &c->told, c->trust, c->profile, &c->allowed, scope, buf_slice(&crl), clock_now(), seen, &number, said);
		if (e.kind != OK)
			differ(c, e.what, uri);
	}
	take_said(c, said, uri);
	free(said);
	return number;
}

static void
check_missing(struct check *c, unsigned partition, slice uri, instant read, const uint8_t *seen)
{
	struct served_said *said = mem_new(1, sizeof *said);

	served_check_missing(&c->told, c->profile, &c->allowed, partition, read, seen, said);
	take_said(c, said, uri);
	free(said);
}

static void
check_lists(struct check *c)
{
	struct buf uri OWNED(buf_drop) = BUF(1024);
	uint8_t *seen = served_seen_new(&c->told);
	struct served_scope scope = {0};
	instant read = clock_now();

	if (c->told.fallen > 0)
		differ(c, "served-number: RFC 5280 5.2.3: the numbers of the lists in the books do not rise", LIT("books"));
	scope.complete = check_list(c, &scope, c->profile->crl, seen);
	if (c->profile->crl_delta.n > 0) {
		scope.delta = true;
		(void)check_list(c, &scope, c->profile->crl_delta, seen);
	}
	check_missing(c, 0, c->profile->crl, read, seen);
	free(seen);
	for (unsigned k = 1; k <= c->profile->crl_partitions; k++) {
		seen = served_seen_new(&c->told);
		read = clock_now();
		buf_clear(&uri);
		profile_put_crl_uri(&uri, c->profile, k);
		(void)check_list(c, &(struct served_scope){.partition = k}, buf_slice(&uri), seen);
		check_missing(c, k, buf_slice(&uri), read, seen);
		free(seen);
	}
}

/* --- checkpoint ------------------------------------------------------------------------------ */

static void
check_tile(struct check *c, int level, uint64_t index, unsigned width)
{
	struct buf uri OWNED(buf_drop) = BUF(1024), ours OWNED(buf_drop) = BUF(TILE_BYTES),
	               theirs OWNED(buf_drop) = BUF(SMALL_MAX);
	err e = book_tile(c->books.book, level, index, width, &ours);

	check_put_uri(&uri, c, "books/");
	tile_put_path(&uri, level, index, width);
	if (e.kind != OK) {
		check_could_not(c, e.what);
		return;
	}
	if (!fetch(c, buf_slice(&uri), &theirs))
		return;
	c->count.tiles++;
	if (!slice_eq(buf_slice(&ours), buf_slice(&theirs)))
		differ(c, "served-tile: C2SP tlog-tiles: a tile is served in other bytes than the books give", buf_slice(&uri));
}

static void
check_checkpoint(struct check *c, bool tiles)
{
	struct buf uri OWNED(buf_drop) = BUF(1024), note OWNED(buf_drop) = BUF(SMALL_MAX);
	struct tree_nodes nodes = book_nodes(c->books.book);
	uint64_t size = 0;
	err e;

	check_put_uri(&uri, c, "books/checkpoint");
	e = check_get(c, buf_slice(&uri), &note);
	if (e.kind == ERR_ABSENT && c->told.checkpoint.n == 0)
		return;
	if (e.kind == ERR_ABSENT)
		differ(c, "served-file: Rule 6(xi): a file that the books published is not there", buf_slice(&uri));
	else if (e.kind != OK)
		check_could_not(c, e.what);
	else {
		e = served_check_checkpoint(&c->told, c->trust, &c->allowed, &nodes, buf_slice(&note), clock_now(), &size);
		if (e.kind == ERR_WORLD || e.kind == ERR_CORRUPT)
			check_could_not(c, e.what);
		else if (e.kind != OK)
			differ(c, e.what, buf_slice(&uri));
	}
	for (int level = 0; tiles && size >> (8 * level) > 0; level++) {
		uint64_t n = size >> (8 * level);

		for (uint64_t i = 0; i < n / TILE_NODES && !c->gone; i++)
			check_tile(c, level, i, TILE_NODES);
		if (n % TILE_NODES > 0)
			check_tile(c, level, n / TILE_NODES, (unsigned)(n % TILE_NODES));
	}
}

void
check_files(struct check *c, bool tiles)
{
	check_ca(c);
	check_lists(c);
	check_checkpoint(c, tiles);
	check_tree(c);
}
