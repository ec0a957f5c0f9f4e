/* The registrar's files read, its books opened and closed. */

#include "edge/clock.h"
#include "edge/log.h"
#include "edge/random.h"
#include "role/registrar/registrar.h"

static err
load(const struct registrar *r, slice name, struct buf *out)
{
	struct buf path OWNED(buf_drop) = BUF(4096);
	struct start s = {.home = "", .mode = NULL};

	if (name.n == 0 || name.p[0] != '/') {
		buf_put_str(&path, r->home);
		buf_put_u8(&path, '/');
	}
	buf_put(&path, name);
	buf_put_u8(&path, 0);
	TRY(buf_check(&path));
	return start_load(&s, (const char *)path.p, out);
}

static err
load_secret(const struct registrar *r, slice name, struct secret *out)
{
	struct buf b OWNED(buf_drop) = BUF(SECRET_MAX);
	err e;

	TRY(load(r, name, &b));
	e = b.n == 32 ? secret_set(out, buf_slice(&b))
	              : fail(ERR_INPUT, "registrar-key: house: a key file of the registrar holds 32 bytes");
	wipe(b.p, b.n);
	return e;
}

static const slice SECTION = {(const uint8_t *)"registrar", 9};

static err
load_named(const struct registrar *r, const struct conf *c, const char *name, slice otherwise, struct buf *out)
{
	return load(r, conf_text_or(c, SECTION, name, otherwise), out);
}

static err
load_keys(struct registrar *r, const struct conf *c)
{
	slice names = conf_text_or(c, SECTION, "keys", (slice){NULL, 0}), one;

	while (names.n > 0) {
		if (!slice_cut(&names, ' ', &one)) {
			one = names;
			names.n = 0;
		}
		if (r->files.n_keys == KEYS_PERSONS_MAX)
			return fail(
			    ERR_INPUT, "registrar-keys: Rule 6(xvii): more records of the making of the keys than eight persons'");
		r->files.keys[r->files.n_keys] = BUF(CMS_MAX);
		TRY(load(r, one, &r->files.keys[r->files.n_keys++]));
	}
	return ok;
}

/* Under this name it is published: the last step of its path, as order_send.h has paths. */
static err
set_text_name(char out[TEXT_NAME_MAX], slice path)
{
	slice step;

	while (slice_cut(&path, '/', &step))
		continue;
	for (size_t i = 0; i < path.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", path.p[i]) == NULL || path.p[i] == '\0')
			path.n = 0;
	if (path.n == 0 || path.n >= TEXT_NAME_MAX || path.p[0] == '.')
		return fail(ERR_INPUT, "registrar-text-name: house: a text's file has a plain name: a to z, 0 to 9, . _ -");
	memcpy(out, path.p, path.n);
	out[path.n] = '\0';
	return ok;
}

/* Names with blanks between. */
static err
load_texts(struct registrar *r, const struct conf *c)
{
	slice names = conf_text_or(c, SECTION, "texts", (slice){NULL, 0}), one;

	while (names.n > 0) {
		if (!slice_cut(&names, ' ', &one)) {
			one = names;
			names.n = 0;
		}
		if (one.n == 0)
			continue;
		if (r->files.n_texts == TEXTS_MAX)
			return fail(ERR_INPUT, "registrar-texts: Rule 6(xiii): more texts are named than one line can keep");
		TRY(set_text_name(r->files.text_name[r->files.n_texts], one));
		r->files.text[r->files.n_texts] = BUF(TEXT_BYTES_MAX);
		TRY(load(r, one, &r->files.text[r->files.n_texts++]));
	}
	return ok;
}

/* Rule 6(xi): a list lives longer than the way to the next one, so that one that fails can be made again. */
static err
configure_lists(struct registrar *r, const struct conf *c)
{
	uint64_t every, life;

	TRY(conf_number_or(c, SECTION, "crl_every_h", CRL_LIFE_H_MAX, CRL_EVERY_H, &every));
	TRY(conf_number_or(c, SECTION, "crl_life_h", CRL_LIFE_H_MAX, CRL_LIFE_H, &life));
	if (every == 0 || life <= every)
		return fail(ERR_INPUT, "registrar-lists: Rule 6(xi): a list lives longer than the time to the next one");
	r->crl_every_ms = (int64_t)every * HOUR_MS;
	r->crl_life_ms = (int64_t)life * HOUR_MS;
	return ok;
}

static err
configure(struct registrar *r, const struct conf *c)
{
	static const char *const NAMES[] = {"trust", "profile", "ruleset", "approval", "baseline", "texts", "keys",
	    "token_key", "jlis_key", "jlis_every_s", "crl_every_h", "crl_life_h", "challenge_s", "office_mail", "weak_jail",
	    NULL};
	uint64_t v;
	slice mail;

	if (conf_has_section(c, SECTION))
		TRY(conf_check_known(c, SECTION, NAMES));
	TRY(conf_number_or(c, SECTION, "challenge_s", 86400, 600, &v));
	r->challenge_ms = (int64_t)v * SECOND_MS;
	TRY(conf_number_or(c, SECTION, "jlis_every_s", 86400, 86400, &v));
	r->jlis_every_ms = (int64_t)v * SECOND_MS;
	TRY(configure_lists(r, c));
	if (conf_text_or(c, SECTION, "weak_jail", (slice){NULL, 0}).p != NULL)
		TRY(conf_flag(c, SECTION, "weak_jail", &r->weak_jail));
	mail = conf_text_or(c, SECTION, "office_mail", (slice){NULL, 0});
	if (mail.n >= sizeof r->office_mail)
		return fail(ERR_INPUT, "registrar-mail: house: the officers' mail address is too long");
	if (mail.n > 0)
		memcpy(r->office_mail, mail.p, mail.n);
	TRY(load_named(r, c, "trust", LIT("trust.conf"), &r->files.trust));
	TRY(load_named(r, c, "profile", LIT("person-signature.conf"), &r->files.profile));
	TRY(load_named(r, c, "ruleset", LIT("ruleset.conf"), &r->files.ruleset));
	TRY(load_named(r, c, "approval", LIT("approval.cms"), &r->files.approval));
	TRY(load_named(r, c, "baseline", LIT("baseline.cms"), &r->files.baseline));
	TRY(load_texts(r, c));
	TRY(load_keys(r, c));
	TRY(load_secret(r, conf_text_or(c, SECTION, "token_key", LIT("keys/token.key")), &r->token_key));
	TRY(load_secret(r, conf_text_or(c, SECTION, "jlis_key", LIT("keys/jlis.key")), &r->jlis_key));
	TRY(trust_get(buf_slice(&r->files.trust), &r->trust));
	return profile_get(buf_slice(&r->files.profile), &r->profile);
}

static void
beat(void *with)
{
	struct registrar *r = with;

	if (r->wires != NULL && wires_wait(r->wires, 0).kind != OK)
		return; /* seen at the next turn */
}

/* Projection of these very books, or a new one. */
static err
open_db(struct registrar *r)
{
	err e = db_open(r->state, &r->db);

	if (e.kind == OK)
		e = db_catch_up(r->db, r->book, book_size(r->book), beat, r);
	if (e.kind == OK || (e.kind != ERR_CONFLICT && e.kind != ERR_CORRUPT))
		return e;
	log_err(LOG_WARN, e);
	log_text(LOG_NOTE, "db-anew: design 3: the projection is thrown away and made anew from the books");
	db_close(&r->db);
	db_delete(r->state);
	TRY(db_open(r->state, &r->db));
	return db_catch_up(r->db, r->book, book_size(r->book), beat, r);
}

/* The size of the last signed checkpoint, as an old projection knows it: nothing below it is ever cut off. */
static uint64_t
floor_of(const struct registrar *r)
{
	struct db *db OWNED(db_close) = NULL;

	return db_open_read(r->state, &db).kind == OK ? db_ledger(db)->checkpoint_size : 0;
}

err
registrar_open_books(struct registrar *r)
{
	struct book_opened o;

	TRY(book_open(r->books, BOOK_WRITE, floor_of(r), &r->book, &o));
	if (o.cut_lines > 0 || o.cut_bytes > 0)
		log_number(LOG_WARN, "books-cut: design 3: an unacknowledged tail was cut off", "lines", o.cut_lines);
	r->last_at = o.last_at;
	return open_db(r);
}

void
registrar_close_books(struct registrar *r)
{
	db_close(&r->db);
	book_close(&r->book);
	r->in_turn = false;
}

static err
load_conf(struct registrar *r, struct conf **c)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX);

	TRY(load(r, LIT("inkan.conf"), &text));
	return conf_get(buf_slice(&text), c);
}

err
registrar_configure(struct registrar *r, const char *home)
{
	struct conf *c OWNED(conf_drop) = NULL;

	r->home = home;
	r->files.trust.max = r->files.profile.max = r->files.ruleset.max = CONF_MAX;
	r->files.approval.max = r->files.baseline.max = r->files.automation.max = CMS_MAX;
	r->line.max = LINE_MAX;
	r->openings.max = 16 * OPENING_MAX;
	r->body.max = FRAME_BODY_MAX;
	r->bytes.max = 1U << 30; /* a J-LIS list in parts passes through here */
	r->issuer.peer = PEER_ISSUER;
	r->status.peer = PEER_STATUS;
	r->issuer.telling = r->status.telling = r->issuer.none_at = r->status.none_at = UINT64_MAX;
	random_bytes(r->challenge_secret, sizeof r->challenge_secret);
	if (snprintf(r->books, sizeof r->books, "%s/books", home) >= (int)sizeof r->books ||
	    snprintf(r->state_folder, sizeof r->state_folder, "%s/state", home) >= (int)sizeof r->state_folder ||
	    snprintf(r->state, sizeof r->state, "%s/state/state.db", home) >= (int)sizeof r->state)
		return fail(ERR_INPUT, "registrar-home: house: the path of the house's folder is too long");
	TRY(load_conf(r, &c));
	return configure(r, c);
}

err
registrar_open(struct registrar *r)
{
	r->now = clock_now();
	r->seen_steady = clock_steady_ms();
	r->pub.note_at = r->lists.round_at = r->pub.answers_at = r->seen_steady - DAY_MS;
	r->pub.look_most = DUE_LOOK_MOST;
	TRY(registrar_open_books(r));
	TRY(registrar_recall(r));
	r->closed = office_load_rules(r);
	if (r->closed.kind != OK) {
		log_err(LOG_ALARM, r->closed);
		r->closed.kind = ERR_WORLD; /* to outsiders: an operator must look */
	}
	return ok;
}

void
registrar_close(struct registrar *r)
{
	if (r->db != NULL && !r->in_turn) {
		(void)db_store(r->db).kind; /* else the next start catches up */
		registrar_keep_counts(r, KEEP_NOW);
	}
	registrar_close_books(r);
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		flight_wipe(&r->flight[i]);
	challenge_drop(r);
	ruleset_drop(&r->ruleset);
	profile_drop(&r->profile);
	trust_drop(&r->trust);
	secret_drop(&r->token_key);
	secret_drop(&r->jlis_key);
	buf_drop(&r->files.trust);
	buf_drop(&r->files.profile);
	buf_drop(&r->files.ruleset);
	buf_drop(&r->files.approval);
	buf_drop(&r->files.baseline);
	buf_drop(&r->files.automation);
	for (size_t i = 0; i < TEXTS_MAX; i++)
		buf_drop(&r->files.text[i]);
	for (size_t i = 0; i < KEYS_PERSONS_MAX; i++)
		buf_drop(&r->files.keys[i]);
	buf_drop(&r->line);
	buf_drop(&r->openings);
	buf_drop(&r->body);
	buf_drop(&r->bytes);
	buf_drop(&r->jlis.bytes);
	refresh_reset(r);
	lists_drop(&r->lists);
	buf_drop(&r->mirrors.bytes);
	buf_drop(&r->responder.certificate);
	buf_drop(&r->shows.note);
	free(r->parcel);
	r->parcel = NULL;
}
