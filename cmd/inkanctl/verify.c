#include <stdio.h>

#include "cmd/inkanctl/audit.h"
#include "edge/disk.h"

static const char USAGE[] = "usage: inkanctl books verify [FOLDER] [--home DIR] [--json]\n"
                            "  FOLDER  a house's folder, or a copy of its books alone; else --home\n"
                            "  exit codes: 0 everything is so, 1 something is not, 2 usage, 3 could not be read\n";

static const char *const INS[] = {[IN_BOOKS] = "books", [IN_ISSUER] = "journal-issuer", [IN_STATUS] = "journal-status"};

static void
audit_drop(struct audit **p)
{
	struct audit *a = *p;

	free(a->piece);
	map_drop(&a->papers);
	map_drop(&a->folders);
	free(a->journal_heads.at);
	free(a->books_heads.at);
	free(a->notes_signed.at);
	free(a->crls.at);
	free(a->signed_crls.at);
	for (size_t i = 0; i < a->n_notes; i++)
		buf_drop(&a->note[i].text);
	free(a->note);
	buf_drop(&a->published);
	free(a);
}

static void
put_number(const struct ctl *c, const char *what, uint64_t v)
{
	printf("  %-44s %llu\n", ctl_words(c, what), (unsigned long long)v);
}

static void
print_time(const char *before, instant t)
{
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	printf("%s%.*s", before, (int)b.n, (const char *)b.p);
}

static void
print_people(const struct ctl *c, const struct audit *a, const struct books *b)
{
	struct buf root OWNED(buf_drop) = BUF(64);
	uint64_t kept = a->findings < FINDINGS_MAX ? a->findings : FINDINGS_MAX;

	digest_put(&root, b->opened.root);
	printf("%s\n", ctl_words(c, "The books"));
	put_number(c, "lines, each hashed again", a->count.lines);
	if (a->count.lines > 0) {
		print_time("  ", a->count.first);
		print_time(" - ", a->count.last);
		printf("\n  root %.*s\n", (int)root.n, (const char *)root.p);
	}
	put_number(c, "dossiers", a->count.dossiers);
	put_number(c, "openings that open what their lines commit to", a->count.opened_fields);
	put_number(
	    c, "pieces of evidence that are what they are called", a->count.evidence - a->count.sealed - a->count.erased);
	put_number(c, "sealed and not opened: no key here", a->count.sealed);
	put_number(c, "erased by law", a->count.erased);
	put_number(c, "pieces that no line names", a->count.unnamed);
	put_number(c, "signed checkpoints", a->count.checkpoints);
	put_number(c, "lines under a signed checkpoint", a->count.signed_size);
	put_number(c, "certificates issued", a->count.issued);
	put_number(c, "certificates revoked", a->count.revoked);
	put_number(c, "orders voided", a->count.voided);
	if (a->count.issuer)
		put_number(c, "lines of the issuer's journal", a->count.issuer_lines);
	if (a->count.status)
		put_number(c, "lines of the status signer's journal", a->count.status_lines);
	if (a->count.waiting > 0)
		put_number(c, "signed, not yet in the books", a->count.waiting);
	for (uint64_t i = 0; i < kept; i++) {
		const struct finding *f = &a->finding[i];

		if (f->n == NO_LINE)
			printf("%s: %s\n", INS[f->in], ctl_words(c, f->what));
		else
			printf("%s %llu: %s\n", INS[f->in], (unsigned long long)f->n, ctl_words(c, f->what));
	}
	if (b->trust == NULL && !b->alone)
		printf("%s\n", ctl_words(c, "No trust file here: no signature was checked."));
	if (b->alone)
		printf("%s\n", ctl_words(c, "Books alone: no journal was compared, no signature was checked."));
	if (a->findings == 0)
		printf("%s\n", ctl_words(c, "Everything is as the books say."));
	else
		printf("%llu %s\n", (unsigned long long)a->findings, ctl_words(c, "findings"));
}

static void
print_json(const struct audit *a, const struct books *b)
{
	struct buf j OWNED(buf_drop) = BUF(1U << 20);
	uint64_t kept = a->findings < FINDINGS_MAX ? a->findings : FINDINGS_MAX;

	json_open(&j, '{');
	json_put_named_number(&j, "lines", a->count.lines);
	json_put_named_hex(&j, "root", digest_slice(&b->opened.root));
	json_put_named_number(&j, "dossiers", a->count.dossiers);
	json_put_named_number(&j, "openings", a->count.opened_fields);
	json_put_named_number(&j, "evidence", a->count.evidence);
	json_put_named_number(&j, "sealed", a->count.sealed);
	json_put_named_number(&j, "erased", a->count.erased);
	json_put_named_number(&j, "unnamed", a->count.unnamed);
	json_put_named_number(&j, "checkpoints", a->count.checkpoints);
	json_put_named_number(&j, "signed_lines", a->count.signed_size);
	json_put_named_number(&j, "ordered", a->count.ordered);
	json_put_named_number(&j, "issued", a->count.issued);
	json_put_named_number(&j, "voided", a->count.voided);
	json_put_named_number(&j, "revoked", a->count.revoked);
	json_put_named_number(&j, "waiting", a->count.waiting);
	json_put_named_number(&j, "issuer_lines", a->count.issuer_lines);
	json_put_named_number(&j, "status_lines", a->count.status_lines);
	json_put_name(&j, "alone");
	json_put_bool(&j, b->alone);
	json_put_named_number(&j, "found", a->findings);
	json_put_name(&j, "findings");
	json_open(&j, '[');
	for (uint64_t i = 0; i < kept; i++) {
		json_open(&j, '{');
		json_put_named(&j, "in", slice_str(INS[a->finding[i].in]));
		if (a->finding[i].n != NO_LINE)
			json_put_named_number(&j, "n", a->finding[i].n);
		json_put_named(&j, "what", slice_str(a->finding[i].what));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_put_u8(&j, '\n');
	fwrite(j.p, 1, j.n, stdout);
}

static err
verify(struct audit *a, struct books *b, const char *home)
{
	struct journal_view issuer OWNED(journal_view_drop) = {0}, status OWNED(journal_view_drop) = {0};

	TRY(audit_published(a, home));
	TRY(journal_view_open(home, IN_ISSUER, &issuer));
	TRY(journal_view_open(home, IN_STATUS, &status));
	issuer.in = IN_ISSUER;
	status.in = IN_STATUS;
	a->count.issuer = issuer.book != NULL;
	a->count.status = status.book != NULL;
	TRY(books_open(home, b));
	TRY(audit_evidence(a));
	TRY(audit_lines(a));
	TRY(audit_journal(a, &issuer));
	TRY(audit_journal(a, &status));
	return audit_reconcile(a, &issuer, &status);
}

int
verify_main(int argc, char **argv)
{
	struct audit *a OWNED(audit_drop) = mem_new(1, sizeof *a);
	struct books b OWNED(books_drop) = {.folder = -1};
	struct ctl c;
	enum done done;
	int rest;
	err e;

	if (!ctl_get(&c, argc, argv, USAGE, &done, &rest))
		return done;
	if (argc - rest > 1) {
		fputs(ctl_words(&c, USAGE), stderr);
		return DONE_USAGE;
	}
	a->ctl = &c;
	a->books = &b;
	a->papers = (struct map){.row_size = sizeof(struct paper), .key_size = sizeof(serial)};
	a->folders = (struct map){.row_size = sizeof(struct folder_of), .key_size = sizeof(dossier_id)};
	e = verify(a, &b, argc > rest ? argv[rest] : c.home);
	if (c.progress)
		fputs("\r\033[K", stderr);
	if (e.kind != OK) /* a book that does not open is damaged, or was cut: that is an answer too */
		return ctl_fail(&c, e);
	if (c.json)
		print_json(a, &b);
	else
		print_people(&c, a, &b);
	return a->findings == 0 ? DONE_OK : DONE_NO;
}
