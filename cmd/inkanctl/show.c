#include <stdio.h>

#include "act/document.h"
#include "act/dossier.h"
#include "cmd/inkanctl/books.h"

static const char USAGE[] = "usage: inkanctl books show DOSSIER|house|SHA256 [--home DIR] [--json]\n"
                            "  DOSSIER  32 hexadecimal digits, as the applicant was told\n"
                            "  house    the lines about the house itself: baseline, keys, permissions, lists\n"
                            "  SHA256   64 hexadecimal digits: a piece of evidence, as it is, to standard output\n";

/* What happened, in words; the translation stands in po/ja.po. */
static const char *const SAID[ACT_COUNT] = {
    [ACT_BASELINE_SET] = "The accredited baseline was set",
    [ACT_RULESET_APPROVED] = "A rule set was approved",
    [ACT_PERMISSION_GRANTED] = "A permission was granted",
    [ACT_PERMISSION_WITHDRAWN] = "A permission was withdrawn",
    [ACT_AUTOMATION_STOPPED] = "Decisions by rule were stopped",
    [ACT_AUTOMATION_RESUMED] = "Decisions by rule were taken again",
    [ACT_EXPLANATION_ACKNOWLEDGED] = "The applicant confirmed the explanation",
    [ACT_APPLICATION_RECEIVED] = "The application was received",
    [ACT_APPLICATION_WITHDRAWN] = "The applicant withdrew the application",
    [ACT_IDENTITY_VERIFIED] = "The applicant's identity was verified",
    [ACT_IDENTITY_FAILED] = "The applicant's identity could not be confirmed",
    [ACT_IDENTITY_MISMATCH] = "The card is good, but says other things than the application",
    [ACT_IDENTITY_UNCHECKED] = "The card's status could not be checked",
    [ACT_APPLICATION_ACCEPTED] = "The application was accepted",
    [ACT_APPLICATION_REFUSED] = "The application was refused",
    [ACT_CERTIFICATE_ORDERED] = "A certificate was ordered",
    [ACT_CERTIFICATE_VOIDED] = "The order was voided",
    [ACT_CERTIFICATE_ISSUED] = "The certificate was issued",
    [ACT_NOTICE_SENT] = "A notice was sent",
    [ACT_CERTIFICATE_DELIVERED] = "The certificate was delivered",
    [ACT_RECEIPT_RECEIVED] = "The receipt arrived",
    [ACT_KEY_ERASED] = "The key made for the subscriber was erased",
    [ACT_REMINDER_SENT] = "A reminder was sent",
    [ACT_REVIEW_OPENED] = "An officer must decide",
    [ACT_REVIEW_EXTENDED] = "The officer's time was extended",
    [ACT_REVOCATION_REQUESTED] = "A revocation was requested",
    [ACT_CERTIFICATE_REVOKED] = "The certificate was revoked",
    [ACT_REVOCATION_REFUSED] = "The revocation was refused",
    [ACT_USER_NOTIFIED] = "The subscriber was told of the revocation",
    [ACT_CRL_PUBLISHED] = "A revocation list was published",
    [ACT_OCSP_PUBLISHED] = "OCSP answers were published",
    [ACT_CHECKPOINT_SIGNED] = "A checkpoint of the books was signed",
    [ACT_KEY_GENERATED] = "A key of the house was made",
    [ACT_KEY_ACTIVATED] = "A key of the house was put to use",
    [ACT_KEY_RETIRED] = "A key of the house was retired",
    [ACT_OPERATION_DONE] = "An operation was done",
    [ACT_ACCIDENT_NOTED] = "An accident was noted",
    [ACT_EVIDENCE_ERASED] = "Evidence and personal data were erased, their retention having ended",
};

struct kept_line {
	uint64_t n;
	struct buf text;
};

struct show {
	struct kept_line *line, *opening; /* owned */
	size_t n_lines, n_openings;
	struct dossier d;
};

static void
show_drop(struct show *s)
{
	for (size_t i = 0; i < s->n_lines; i++)
		buf_drop(&s->line[i].text);
	for (size_t i = 0; i < s->n_openings; i++)
		buf_drop(&s->opening[i].text);
	free(s->line);
	free(s->opening);
}

static void
keep_line(struct kept_line **at, size_t *n, uint64_t number, slice text)
{
	struct kept_line k = {number, BUF(LINE_MAX)};

	buf_put(&k.text, text);
	*at = mem_grow(*at, *n + 1, sizeof **at);
	(*at)[(*n)++] = k;
}

/* The dossier's lines, in the books' order, and folded. */
static err
collect_lines(const struct books *b, slice about, struct show *s)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;
	err e;

	TRY(book_read_from(b->book, 0, &r));
	while ((e = book_read_next(r, &n, &line)).kind == OK) {
		struct entry x OWNED(entry_drop) = {0};

		if (memmem(line.p, line.n, about.p, about.n) == NULL)
			continue;
		TRY(entry_get(line, &x));
		if (x.line.about == ABOUT_DOSSIER && x.line.act != ACT_EVIDENCE_ERASED)
			TRY(dossier_apply(&s->d, &x));
		keep_line(&s->line, &s->n_lines, n, line);
	}
	if (e.kind != ERR_ABSENT)
		return e;
	return s->n_lines == 0 ? fail(ERR_ABSENT, "show-absent: Rule 12(1): the books have no such dossier") : ok;
}

static bool
is_ours(const struct show *s, uint64_t n)
{
	for (size_t i = 0; i < s->n_lines; i++)
		if (s->line[i].n == n)
			return true;
	return false;
}

static err
collect_openings(const struct books *b, struct show *s)
{
	struct book_reader *r OWNED(book_reader_close) = NULL;
	uint64_t n;
	slice line;
	err e;

	TRY(book_read_openings(b->book, &r));
	while ((e = book_read_next(r, &n, &line)).kind == OK)
		if (is_ours(s, n))
			keep_line(&s->opening, &s->n_openings, n, line);
	return e.kind == ERR_ABSENT ? ok : e;
}

/* --- for people --------------------------------------------------------------------- */

static void
put(slice s)
{
	fwrite(s.p, 1, s.n, stdout);
}

static void
print_when(instant t)
{
	struct civil c = civil_jst(t);

	printf("%04d-%02d-%02d %02d:%02d:%02d JST", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

/* The words the applicant signed: a field's name in the books is a line of a form. */
static const char *
label(slice field)
{
	for (int f = FORM_APPLICATION; f < FORM_COUNT; f++)
		for (size_t i = 0; i < form_lines((enum form)f); i++)
			if (form_is_personal((enum form)f, i) && slice_eq(field, slice_str(form_field((enum form)f, i))))
				return form_label((enum form)f, i);
	return NULL;
}

/* The value a commitment commits to, where its opening still stands and opens it. */
static bool
open_field(const struct show *s, uint64_t n, slice field, digest commitment)
{
	for (size_t i = 0; i < s->n_openings; i++) {
		struct opening o OWNED(opening_drop) = {0};

		if (s->opening[i].n != n || opening_get(buf_slice(&s->opening[i].text), &o).kind != OK ||
		    !slice_eq(o.field, field) || !digest_eq(commitment_of(o.salt, o.value), commitment))
			continue;
		put(o.value);
		return true;
	}
	return false;
}

static void
print_member(const struct ctl *c, const struct show *s, uint64_t n, json body, slice name, json value)
{
	struct buf key OWNED(buf_drop) = BUF(64);
	const char *in_words = label(name);
	uint64_t number;
	slice text;
	digest d;

	buf_put(&key, name);
	buf_put_u8(&key, 0);
	if (json_as_text(value, &text).kind == OK && commitment_get(text, &d)) {
		printf("      %s: ", in_words == NULL ? (const char *)key.p : in_words);
		if (!open_field(s, n, name, d))
			fputs(ctl_words(c, "(erased, or not to be opened)"), stdout);
		putchar('\n');
		return;
	}
	printf("      %s: ", (const char *)key.p);
	if (json_as_text(value, &text).kind == OK) {
		/* a refusal's text is said in the reader's language */
		struct buf t OWNED(buf_drop) = BUF(LINE_MAX);

		words_put(&t, c->lang, text);
		put(buf_slice(&t));
	} else if (!key.over && json_natural(body, (const char *)key.p, &number).kind == OK)
		printf("%llu", (unsigned long long)number);
	else
		for (size_t i = 0; i < json_count(value); i++)
			if (json_as_text(json_at(value, i), &text).kind == OK) {
				put(text);
				putchar(' ');
			}
	putchar('\n');
}

static void
print_line(const struct ctl *c, const struct show *s, const struct kept_line *k)
{
	struct json *body OWNED(json_drop) = NULL;
	struct line l;
	void *iter = NULL;
	slice name;
	json value;

	if (line_get(buf_slice(&k->text), &l).kind != OK || line_body(&l, &body).kind != OK)
		return; /* they were read before */
	print_when(l.at);
	printf("  %s\n", ctl_words(c, SAID[l.act] == NULL ? act_name(l.act) : SAID[l.act]));
	printf("      #%llu %s, %s %s", (unsigned long long)l.n, act_name(l.act), ctl_words(c, "class"), act_class(l.act));
	for (size_t i = 0; i < l.n_rules; i++) {
		fputs(i == 0 ? " (" : " ", stdout);
		put(l.rule[i]);
	}
	printf("%s; %s", l.n_rules > 0 ? ")" : "", by_name(l.by));
	if (l.by_id.n > 0 && !slice_eq(l.by_id, slice_str(by_name(l.by)))) {
		putchar(' ');
		put(l.by_id);
	}
	putchar('\n');
	while (json_next(json_root(body), &iter, &name, &value))
		print_member(c, s, l.n, json_root(body), name, value);
	for (size_t i = 0; i < l.n_evidence; i++) {
		struct buf h OWNED(buf_drop) = BUF(64);

		digest_put(&h, l.evidence[i]);
		printf("      %s ", ctl_words(c, "evidence"));
		put(buf_slice(&h));
		putchar('\n');
	}
}

static void
print_people(const struct ctl *c, const struct show *s)
{
	struct buf id OWNED(buf_drop) = BUF(64);

	if (s->d.state == 0)
		printf("%s\n\n", ctl_words(c, "The house"));
	else {
		buf_put_hex(&id, ARR(s->d.id.b));
		printf("%s ", ctl_words(c, "Dossier"));
		put(buf_slice(&id));
		printf(": %s\n\n", ctl_words(c, dossier_state_name(s->d.state)));
	}
	for (size_t i = 0; i < s->n_lines; i++)
		print_line(c, s, &s->line[i]);
}

static void
print_json(const struct show *s)
{
	struct buf b OWNED(buf_drop) = BUF(64U << 20);

	json_open(&b, '{');
	json_put_named_hex(&b, "dossier", ARR(s->d.id.b));
	json_put_named(&b, "state", slice_str(s->d.state == 0 ? "-" : dossier_state_name(s->d.state)));
	json_put_name(&b, "lines");
	json_open(&b, '[');
	for (size_t i = 0; i < s->n_lines; i++)
		json_put_raw(&b, buf_slice(&s->line[i].text));
	json_close(&b, ']');
	json_put_name(&b, "openings");
	json_open(&b, '[');
	for (size_t i = 0; i < s->n_openings; i++)
		json_put_raw(&b, buf_slice(&s->opening[i].text));
	json_close(&b, ']');
	json_close(&b, '}');
	buf_put_u8(&b, '\n');
	put(buf_slice(&b));
}

/* What a line names, byte for byte: the terms an applicant saw, a list that was published. */
static int
show_evidence(const struct ctl *c, digest name)
{
	struct buf bytes OWNED(buf_drop) = BUF(UINT32_MAX);
	struct books b OWNED(books_drop) = {.folder = -1};
	err e = books_open(c->home, &b);

	if (e.kind == OK)
		e = books_evidence(&b, name, &bytes);
	if (e.kind != OK)
		return ctl_fail(c, e);
	put(buf_slice(&bytes));
	return DONE_OK;
}

int
show_main(int argc, char **argv)
{
	struct books b OWNED(books_drop) = {.folder = -1};
	struct show s OWNED(show_drop) = {0};
	struct buf about OWNED(buf_drop) = BUF(64);
	struct ctl c;
	dossier_id id;
	enum done done;
	digest name;
	bool house;
	int rest;
	err e;

	if (!ctl_get(&c, argc, argv, USAGE, &done, &rest))
		return done;
	if (rest + 1 == argc && digest_get(slice_str(argv[rest]), &name).kind == OK)
		return show_evidence(&c, name);
	house = rest + 1 == argc && strcmp(argv[rest], "house") == 0;
	if (rest + 1 != argc || (!house && hex_get(slice_str(argv[rest]), id.b, sizeof id.b).kind != OK)) {
		fputs(ctl_words(&c, USAGE), stderr);
		return DONE_USAGE;
	}
	buf_put_str(&about, "\"about\":\"");
	buf_put_str(&about, house ? "" : argv[rest]);
	buf_put_u8(&about, '"');
	e = books_open(c.home, &b);
	if (e.kind == OK)
		e = collect_lines(&b, buf_slice(&about), &s);
	if (e.kind == OK)
		e = collect_openings(&b, &s);
	if (e.kind != OK)
		return ctl_fail(&c, e);
	if (c.json)
		print_json(&s);
	else
		print_people(&c, &s);
	return DONE_OK;
}
