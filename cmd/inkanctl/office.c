#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "act/application.h"
#include "act/body.h"
#include "act/decision.h"
#include "act/document.h"
#include "act/entry.h"
#include "act/order.h"
#include "act/order_desk.h"
#include "act/trust.h"
#include "base/conf.h"
#include "cmd/inkanctl/inkanctl.h"
#include "cmd/inkanctl/office.h"
#include "cmd/inkanctl/paper.h"
#include "cmd/inkanctl/start.h"
#include "edge/book.h"
#include "edge/clock.h"
#include "edge/hsm.h"
#include "edge/ipc.h"
#include "pki/cms.h"

void
office_drop(struct office *o)
{
	conf_drop(&o->conf);
	trust_drop(&o->trust);
	buf_drop(&o->room);
	secret_drop(&o->pin);
}

/* Said to the person; the exit code follows from the kind. */
static int
end(err e)
{
	if (e.kind == OK)
		return 0;
	ctl_explain(e);
	return e.kind == ERR_WORLD || e.kind == ERR_BUSY || e.kind == ERR_CORRUPT ? 3 : 1;
}

/* --- files and settings ----------------------------------------------------------- */
/* A name that does not begin with / stands below the folder. */
static err
read_below(const char *folder, const char *name, struct buf *out)
{
	char path[4096];

	if (name[0] == '/')
		return ctl_read(name, out);
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	return ctl_read(path, out);
}

/* A setting of [office], unless an option has said it. */
static void
setting(struct office *o, const char *name, const char **out)
{
	slice v = conf_text_or(o->conf, LIT("office"), name, (slice){NULL, 0});
	char *p;

	if (*out != NULL || v.n == 0)
		return;
	p = mem_new(v.n + 1, 1); /* lives as long as the process */
	memcpy(p, v.p, v.n);
	*out = p;
}

static err
load_pin(struct office *o)
{
	char path[4096];

	if (o->pin_file[0] == '/')
		return ctl_read_pin(o->pin_file, &o->pin);
	if (snprintf(path, sizeof path, "%s/%s", o->home, o->pin_file) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	return ctl_read_pin(path, &o->pin);
}

err
office_load(struct office *o)
{
	struct buf text OWNED(buf_drop) = BUF(CONF_MAX), trust OWNED(buf_drop) = BUF(CONF_MAX);
	slice clock;
	char path[4096];

	TRY(ctl_check_house(o->home));
	TRY(read_below(o->home, "inkan.conf", &text));
	TRY(conf_get(buf_slice(&text), &o->conf));
	TRY(read_below(o->home, "trust.conf", &trust));
	TRY(trust_get(buf_slice(&trust), &o->trust));
	clock = conf_text_or(o->conf, LIT("clock"), "test", (slice){NULL, 0});
	if (clock.n > 0) {
		snprintf(path, sizeof path, "%s/%.*s", o->home, (int)clock.n, (const char *)clock.p);
		TRY(clock_use_test(path));
	}
	o->now = clock_now();
	setting(o, "person", &o->person);
	setting(o, "module", &o->module);
	setting(o, "environment", &o->environment);
	setting(o, "key", &o->key);
	setting(o, "pin_file", &o->pin_file);
	return ok;
}

/* --- the registrar ------------------------------------------------------------------ */
static err
ask(const struct office *o, uint8_t kind, slice body, struct buf *out)
{
	struct link *l OWNED(link_drop) = NULL;
	char path[4096], *text;
	struct frame f;

	if (snprintf(path, sizeof path, "%s/run/office", o->home) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	TRY(link_connect(path, PEER_OFFICE, &l));
	link_order(l, kind, 1, body);
	TRY(link_wait(l, 3 * OFFICE_WAIT_MS, &f));
	if (f.fail != OK) {
		text = mem_new(f.what.n + 1, 1); /* lives as long as the process */
		memcpy(text, f.what.p, f.what.n);
		return fail(f.fail, text);
	}
	buf_put(out, f.body);
	return buf_check(out);
}

err
office_state(const struct office *o, struct json **out)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	slice text;

	TRY(ask(o, ORDER_STATE, (slice){NULL, 0}, &b));
	TRY(octets_get(buf_slice(&b), &text));
	return json_get(text, out);
}

/* --- signing --------------------------------------------------------------------------- */
static err
open_key(struct office *o, struct hsm **out)
{
	struct hsm *h OWNED(hsm_close) = NULL;

	if (o->module == NULL || o->key == NULL || o->pin_file == NULL || o->person == NULL)
		return fail(ERR_INPUT, "office-key: house: say whose key signs: --person, --module, --key and --pin-file");
	if (o->environment != NULL) {
		union {
			const char *from;
			char *to;
		} e = {.from = o->environment};

		if (putenv(e.to) != 0)
			abort();
	}
	TRY(load_pin(o));
	TRY(hsm_open(o->module, slice_str(o->key), HSM_SIGN, &h));
	TRY(hsm_login(h, secret_slice(&o->pin)));
	TRY(hsm_find(h));
	*out = h;
	h = NULL;
	return ok;
}

/* The document as CMS, its signature verified here before anybody else sees it. */
static err
sign(struct office *o, slice text, struct buf *out)
{
	struct buf attrs OWNED(buf_drop) = BUF(4096), sig OWNED(buf_drop) = BUF(SIG_MAX);
	struct cms_plan p = {.content = text, .signing_time = instant_floor_second(o->now)};
	struct hsm *h OWNED(hsm_close) = NULL;
	struct key *k OWNED(key_drop) = NULL;
	uint8_t hash[SHA512_LEN];

	TRY(open_key(o, &h));
	TRY(key_get_spki(hsm_spki(h), &k));
	p.alg = sig_alg_for(key_kind(k));
	if (p.alg == SIG_ED25519)
		return fail(ERR_POLICY, "office-kind: house: a person's documents are signed with RSA or ECDSA");
	key_identifier(k, p.key_id);
	cms_put_attrs(&attrs, &p);
	TRY(buf_check(&attrs));
	hash_of(sig_alg_hash(p.alg), buf_slice(&attrs), hash);
	TRY(hsm_sign(h, p.alg, (slice){hash, hash_len(sig_alg_hash(p.alg))}, &sig));
	TRY(key_check(k, p.alg, buf_slice(&attrs), buf_slice(&sig)));
	cms_join(out, &p, buf_slice(&attrs), buf_slice(&sig));
	return buf_check(out);
}

/* What is signed is what was shown; never by Enter alone. */
static err
confirm(const struct office *o, slice text)
{
	char line[64] = {0};

	fprintf(stderr, "----\n%.*s----\n", (int)text.n, (const char *)text.p);
	if (o->yes)
		return ok;
	if (!isatty(0))
		return fail(ERR_INPUT, "office-confirm: house: nobody is at the terminal to confirm; --yes says so beforehand");
	fprintf(stderr, "%s: ", ctl_say("Type \"sign\" to sign this document"));
	if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "sign\n") != 0)
		return fail(ERR_POLICY, "office-not-signed: house: the document was not confirmed and is not signed");
	return ok;
}

static void
show_entry(const struct office *o, const struct entry_reply *e)
{
	if (o->json) {
		printf("%.*s\n", (int)e->line.n, (const char *)e->line.p);
		return;
	}
	{
		struct buf b OWNED(buf_drop) = BUF(256);

		instant_put(&b, e->at);
		printf("%s %llu, %.*s\n", ctl_say("entered in the books as line"), (unsigned long long)e->n, (int)b.n,
		    (const char *)b.p);
	}
}

/* Shows, signs, sends, and says which line it became. */
err
office_act(struct office *o, enum form form, const slice *value, size_t n, slice ruleset)
{
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX), cms OWNED(buf_drop) = BUF(CMS_MAX),
	                body OWNED(buf_drop) = BUF(FRAME_BODY_MAX), reply OWNED(buf_drop) = BUF(FRAME_MAX);
	struct entry_reply e;

	TRY(document_put(&text, form, value, n, (slice){NULL, 0}));
	TRY(confirm(o, buf_slice(&text)));
	TRY(sign(o, buf_slice(&text), &cms));
	office_order_put(&body, &(struct office_order){buf_slice(&cms), ruleset});
	TRY(buf_check(&body));
	TRY(ask(o, ORDER_OFFICE, buf_slice(&body), &reply));
	TRY(entry_reply_get(buf_slice(&reply), &e));
	if (!o->quiet)
		show_entry(o, &e);
	return ok;
}

slice
office_date(const struct office *o, struct buf *room)
{
	instant_put(room, o->now);
	return buf_slice(room);
}

slice
office_or_dash(const char *s)
{
	return s == NULL || s[0] == '\0' ? LIT("-") : slice_str(s);
}

/* --- decide: D-1 ---------------------------------------------------------------------------- */
/* The application's digest, as the registrar lists it. */
static err
find_review(const struct office *o, slice dossier, char hex[65])
{
	struct json *j OWNED(json_drop) = NULL;
	json list;
	slice text;

	TRY(office_state(o, &j));
	TRY(json_list(json_root(j), "to_decide", &list));
	for (size_t i = 0; i < json_count(list); i++) {
		TRY(json_text(json_at(list, i), "dossier", &text));
		if (!slice_eq(text, dossier))
			continue;
		TRY(json_text(json_at(list, i), "application", &text));
		if (text.n != 64)
			break;
		memcpy(hex, text.p, 64);
		hex[64] = '\0';
		return ok;
	}
	return fail(ERR_ABSENT, "office-review: Rule 12(1)(i): no application with this number waits for a person");
}

/* The signed application from the books' evidence. */
static err
load_application(const struct office *o, digest name, struct buf *cms)
{
	struct book *b OWNED(book_close) = NULL;
	struct evidence_iter iter = {0};
	struct book_opened opened;
	struct evidence_at at;
	char path[4096];
	digest d;

	if (snprintf(path, sizeof path, "%s/books", o->home) >= (int)sizeof path)
		return fail(ERR_INPUT, "office-path: house: the path of a file is too long");
	TRY(book_open(path, BOOK_READ, 0, &b, &opened));
	do
		TRY(book_evidence_next(b, &iter, &d, &at));
	while (!digest_eq(d, name));
	return book_evidence(b, &at, name, (slice){NULL, 0}, cms);
}

static err
decide(struct office *o, const char *dossier, const char *decision)
{
	struct buf cms OWNED(buf_drop) = BUF(CMS_MAX), date OWNED(buf_drop) = BUF(RFC3339_LEN);
	bool accept = strcmp(decision, "accept") == 0;
	slice value[D_COUNT];
	struct document d;
	char hex[65];
	digest name;
	struct cms c;

	if (!accept && strcmp(decision, "refuse") != 0)
		return fail(ERR_INPUT, "office-decision: Rule 12(1)(i): a decision is accept or refuse");
	TRY(find_review(o, slice_str(dossier), hex));
	TRY(digest_get(slice_str(hex), &name));
	TRY(load_application(o, name, &cms));
	TRY(cms_get(buf_slice(&cms), &c));
	TRY(document_get_form(c.content, FORM_APPLICATION, &d));
	if (!o->json)
		fprintf(stderr, "%.*s", (int)c.content.n, (const char *)c.content.p);
	value[D_SERVICE] = o->trust->service;
	value[D_DOSSIER] = slice_str(dossier);
	value[D_APPLICATION] = slice_str(hex);
	value[D_DECISION] = slice_str(decision);
	/* what the certificate will say: the applicant's own words unless the officer writes others */
	value[D_NAME] = !accept ? LIT("-") : o->name != NULL ? slice_str(o->name) : d.value[A_NAME];
	value[D_ADDRESS] = !accept ? LIT("-") : o->address != NULL ? slice_str(o->address) : d.value[A_ADDRESS];
	value[D_REASON] = office_or_dash(o->reason);
	value[D_OFFICER] = office_or_dash(o->person);
	value[D_DATE] = office_date(o, &date);
	return office_act(o, FORM_DECISION, value, D_COUNT, (slice){NULL, 0});
}

/* --- revoke: V-2; approve: P-1; automation: S-1 ------------------------------------------------ */
static err
take_back(struct office *o, const char *number)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN), since OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[W_COUNT];

	if (o->since != NULL)
		TRY(office_put_time(o->since, &since));
	value[W_SERVICE] = o->trust->service;
	value[W_SERIAL] = slice_str(number);
	value[W_REASON] = o->reason == NULL ? LIT("unspecified") : slice_str(o->reason);
	value[W_SINCE] = buf_slice(&since);
	value[W_GROUNDS] = office_or_dash(o->grounds);
	value[W_OFFICER] = office_or_dash(o->person);
	value[W_DATE] = office_date(o, &date);
	return office_act(o, FORM_OFFICE_REVOCATION, value, W_COUNT, (slice){NULL, 0});
}

/* "2026-11-22" is that day in Japan, else RFC 3339 as it stands. */
err
office_put_time(const char *text, struct buf *out)
{
	instant t;

	if (text == NULL)
		return fail(ERR_INPUT, "office-time: house: say --from and --until, as days or as times");
	if (strlen(text) == 10) {
		TRY(day_get_jst(slice_str(text), &t));
		instant_put(out, t);
		return ok;
	}
	TRY(instant_get(slice_str(text), &t));
	buf_put_str(out, text);
	return ok;
}

static err
approve(struct office *o, const char *file)
{
	struct buf rules OWNED(buf_drop) = BUF(CONF_MAX), date OWNED(buf_drop) = BUF(RFC3339_LEN),
	                 from OWNED(buf_drop) = BUF(RFC3339_LEN), until OWNED(buf_drop) = BUF(RFC3339_LEN),
	                 hex OWNED(buf_drop) = BUF(64), version OWNED(buf_drop) = BUF(24);
	struct ruleset *r OWNED(ruleset_drop) = NULL;
	slice value[P_COUNT];

	TRY(ctl_read(file, &rules));
	TRY(ruleset_get(buf_slice(&rules), &r));
	TRY(office_put_time(o->from, &from));
	TRY(office_put_time(o->until, &until));
	digest_put(&hex, r->digest);
	buf_put_decimal(&version, r->version);
	value[P_SERVICE] = o->trust->service;
	value[P_RULESET] = buf_slice(&hex);
	value[P_VERSION] = buf_slice(&version);
	value[P_FROM] = buf_slice(&from);
	value[P_UNTIL] = buf_slice(&until);
	value[P_RESPONSIBLE] = office_or_dash(o->person);
	value[P_DATE] = office_date(o, &date);
	return office_act(o, FORM_APPROVAL, value, P_COUNT, buf_slice(&rules));
}

static err
automation(struct office *o, const char *action)
{
	struct buf date OWNED(buf_drop) = BUF(RFC3339_LEN);
	slice value[S_COUNT];

	value[S_SERVICE] = o->trust->service;
	value[S_ACTION] = slice_str(action);
	value[S_REASON] = office_or_dash(o->reason);
	value[S_RESPONSIBLE] = office_or_dash(o->person);
	value[S_DATE] = office_date(o, &date);
	return office_act(o, FORM_AUTOMATION, value, S_COUNT, (slice){NULL, 0});
}

/* --- reading ------------------------------------------------------------------------------------ */
static err
show_list(json root, const char *name)
{
	json list;

	TRY(json_list(root, name, &list));
	for (size_t i = 0; i < json_count(list); i++) {
		slice dossier, why, state, since = {NULL, 0};

		TRY(json_text(json_at(list, i), "dossier", &dossier));
		TRY(json_text(json_at(list, i), "why", &why));
		TRY(json_text(json_at(list, i), "state", &state));
		if (json_has(json_at(list, i), "since"))
			TRY(json_text(json_at(list, i), "since", &since));
		printf("%.*s  %.*s  %.*s  ", (int)dossier.n, (const char *)dossier.p, (int)since.n, (const char *)since.p,
		    (int)state.n, (const char *)state.p);
		{
			struct buf b OWNED(buf_drop) = BUF(2048);

			words_put(&b, ctl_locale(), why);
			printf("%.*s\n", (int)b.n, (const char *)b.p);
		}
	}
	return ok;
}

static err
show_state(const struct office *o, const char *what)
{
	struct buf b OWNED(buf_drop) = BUF(FRAME_MAX);
	struct json *j OWNED(json_drop) = NULL;
	slice text;

	TRY(ask(o, ORDER_STATE, (slice){NULL, 0}, &b));
	TRY(octets_get(buf_slice(&b), &text));
	if (o->json) {
		printf("%.*s\n", (int)text.n, (const char *)text.p);
		return ok;
	}
	TRY(json_get(text, &j));
	if (strcmp(what, "automation") == 0) {
		TRY(json_text(json_root(j), "automation", &text));
		printf("%.*s\n", (int)text.n, (const char *)text.p);
		return ok;
	}
	TRY(show_list(json_root(j), "to_decide"));
	return show_list(json_root(j), "letters");
}

/* --- arguments ------------------------------------------------------------------------------------ */
static const struct {
	const char *name;
	size_t at;
} TEXTS[] = {
    {"home", offsetof(struct office, home)},
    {"person", offsetof(struct office, person)},
    {"module", offsetof(struct office, module)},
    {"environment", offsetof(struct office, environment)},
    {"key", offsetof(struct office, key)},
    {"pin-file", offsetof(struct office, pin_file)},
    {"reason", offsetof(struct office, reason)},
    {"grounds", offsetof(struct office, grounds)},
    {"name", offsetof(struct office, name)},
    {"address", offsetof(struct office, address)},
    {"from", offsetof(struct office, from)},
    {"until", offsetof(struct office, until)},
    {"how", offsetof(struct office, how)},
    {"number", offsetof(struct office, number)},
    {"since", offsetof(struct office, since)},
};

static int
usage(FILE *f)
{
	fputs(
	    ctl_say(
	        "usage: inkanctl office list [--json]\n"
	        "       inkanctl office decide DOSSIER accept|refuse --reason TEXT [--name NAME --address ADDRESS]\n"
	        "       inkanctl office revoke SERIAL --grounds TEXT [--reason "
	        "unspecified|keyCompromise|affiliationChanged|\n"
	        "                                                      superseded|cessationOfOperation]\n"
	        "                              [--since TIME]                      since when it was not to be trusted\n"
	        "       inkanctl office keep SERIAL --grounds TEXT                 refuses a request to revoke\n"
	        "       inkanctl office extend DOSSIER --until DAY --reason TEXT   more time for a late receipt\n"
	        "       inkanctl office letter DOSSIER revocation|reminder|notice --how TEXT [--from TIME]\n"
	        "       inkanctl office note accident|network --reason TEXT [--from TIME]\n"
	        "       inkanctl office permit LABEL granted|withdrawn DUTY --number N --from DAY --until DAY\n"
	        "       inkanctl office approve FILE --from DAY --until DAY\n"
	        "       inkanctl automation stop|resume --reason TEXT\n"
	        "       inkanctl automation status [--json]\n"
	        "options: --home DIR, --yes, and whose key signs: --person LABEL --module FILE --key URI --pin-file FILE\n"
	        "         [--environment NAME=VALUE]; what is not said stands in [office] of inkan.conf\n"
	        "The document is shown whole, then signed with the person's own key, then entered in the books.\n"
	        "exit: 0 done, 1 refused, 2 usage, 3 could not\n"),
	    f);
	return f == stdout ? 0 : 2;
}

/* -1: go on; else the exit code. */
static int
get_options(int argc, char **argv, struct office *o)
{
	struct option names[COUNT(TEXTS) + 4] = {{0}};
	int c;

	for (size_t i = 0; i < COUNT(TEXTS); i++)
		names[i] = (struct option){TEXTS[i].name, required_argument, NULL, 1000 + (int)i};
	names[COUNT(TEXTS)] = (struct option){"yes", no_argument, NULL, 'y'};
	names[COUNT(TEXTS) + 1] = (struct option){"json", no_argument, NULL, 'j'};
	names[COUNT(TEXTS) + 2] = (struct option){"help", no_argument, NULL, 'H'};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (c >= 1000)
			memcpy((uint8_t *)o + TEXTS[c - 1000].at, &optarg, sizeof optarg);
		else if (c == 'y')
			o->yes = true;
		else if (c == 'j')
			o->json = true;
		else if (c == 'H')
			return usage(stdout);
		else {
			ctl_refuse_option(argv);
			return usage(stderr);
		}
	if (o->home == NULL)
		o->home = ctl_house();
	return -1;
}

static err
run_office(struct office *o, int n, char **word)
{
	err e;

	TRY(office_load(o));
	if (strcmp(word[0], "list") == 0 && n == 1)
		return show_state(o, "list");
	if (strcmp(word[0], "decide") == 0 && n == 3)
		return decide(o, word[1], word[2]);
	if (strcmp(word[0], "revoke") == 0 && n == 2)
		return take_back(o, word[1]);
	if (strcmp(word[0], "approve") == 0 && n == 2)
		return approve(o, word[1]);
	if (paper_run(o, n, word, &e))
		return e;
	return fail(ERR_INPUT, "office-usage: house: no such command; inkanctl office --help");
}

static err
run_automation(struct office *o, int n, char **word)
{
	TRY(office_load(o));
	if (n == 1 && strcmp(word[0], "status") == 0)
		return show_state(o, "automation");
	if (n == 1 && (strcmp(word[0], "stop") == 0 || strcmp(word[0], "resume") == 0))
		return automation(o, word[0]);
	return fail(ERR_INPUT, "office-usage: house: no such command; inkanctl office --help");
}

static int
run(int argc, char **argv, err (*with)(struct office *, int, char **))
{
	struct office o OWNED(office_drop) = {.room = BUF(65536)};
	int c = get_options(argc, argv, &o);
	err e;

	if (c >= 0)
		return c;
	if (optind == argc)
		return usage(stderr);
	e = with(&o, argc - optind, argv + optind);
	if (e.kind == ERR_INPUT && strncmp(e.what, "office-usage", 12) == 0) {
		(void)end(e);
		return 2;
	}
	return end(e);
}

int
office_main(int argc, char **argv)
{
	return run(argc, argv, run_office);
}

int
automation_main(int argc, char **argv)
{
	return run(argc, argv, run_automation);
}
