#include "base/der.h"
#include "base/json.h"
#include "edge/clock.h"
#include "edge/disk.h"
#include "pki/forms.h"
#include "pki/name.h"
#include "role/publisher/publisher.h"

/*
 * What follows from the files that came: other forms of the certificates, fingerprints, the history of texts.  All of it is
 * made again from what stands there, so a crash between two of them is mended by the next start.
 */
#define DERIVED_MAX (64U << 10)
#define TEXT_MAX (256U << 10)  /* as the registrar has it */
#define HISTORY_MAX (1U << 20) /* 8,000 versions          */
#define NOT_ACCREDITED "test, not accredited"

/* --- configuration -------------------------------------------------------------------- */

static err
take(struct buf *out, slice s)
{
	*out = BUF(s.n);
	buf_put(out, s);
	return buf_check(out);
}

err
publisher_configure(struct publisher *p, slice file)
{
	static const char *const names[] = {"ocsp_files", NULL}, *const gazette[] = {"issue", "date", "page", NULL};
	const slice sec = LIT("publisher"), notice = LIT("gazette");
	struct conf *c OWNED(conf_drop) = NULL;
	slice s[3];

	TRY(conf_get(file, &c));
	if (conf_has_section(c, sec)) {
		TRY(conf_check_known(c, sec, names));
		if (conf_text(c, sec, "ocsp_files", &s[0]).kind == OK)
			TRY(conf_flag(c, sec, "ocsp_files", &p->ocsp_files));
	}
	if (!conf_has_section(c, notice))
		return ok;
	TRY(conf_check_known(c, notice, gazette));
	for (size_t i = 0; i < COUNT(s); i++) {
		TRY(conf_text(c, notice, gazette[i], &s[i]));
		TRY(take(&p->gazette[i], s[i]));
	}
	return ok;
}

/* --- certificates ------------------------------------------------------------------------ */

/* One certificate in both lists. */
static void
put_certificate(struct buf *text, struct buf *list, const char *file, const struct cert *c)
{
	digest whole = cert_digest(c), spki = sha256(c->spki);
	slice name;

	forms_put_fingerprint(text, file, c);
	json_open(list, '{');
	json_put_named(list, "file", slice_str(file));
	if (name_value(c->subject, NAME_CN, &name).kind == OK)
		json_put_named(list, "name", name);
	json_put_named_hex(list, "sha256", digest_slice(&whole));
	json_put_named_hex(list, "spki_sha256", digest_slice(&spki));
	json_close(list, '}');
}

/* Where a relying party can compare them: the gazette's notice of the accreditation, Act 4(3), or that there is none. */
static void
put_gazette(const struct publisher *p, struct buf *text, struct buf *list)
{
	json_put_name(list, "gazette");
	if (p->gazette[0].n == 0) {
		json_put_text(list, LIT(NOT_ACCREDITED));
		buf_put_str(text, "\n官報: なし（試験用。認定を受けていません）\ngazette: " NOT_ACCREDITED "\n");
		return;
	}
	json_open(list, '{');
	json_put_named(list, "issue", buf_slice(&p->gazette[0]));
	json_put_named(list, "date", buf_slice(&p->gazette[1]));
	json_put_named(list, "page", buf_slice(&p->gazette[2]));
	json_close(list, '}');
	buf_put_str(text, "\n官報: ");
	for (size_t i = 0; i < COUNT(p->gazette); i++) {
		static const char *const after[] = {" 号、", "、", " ページ\n"};

		buf_put(text, buf_slice(&p->gazette[i]));
		buf_put_str(text, after[i]);
	}
	buf_put_str(text, "gazette: Kanpo (Official Gazette) issue ");
	for (size_t i = 0; i < COUNT(p->gazette); i++) {
		static const char *const after[] = {", ", ", page ", "\n"};

		buf_put(text, buf_slice(&p->gazette[i]));
		buf_put_str(text, after[i]);
	}
}

static err
load(const struct publisher *p, const char *folder, const char *name, struct buf *out)
{
	int fd = -1;
	err e;

	TRY(disk_folder(p->repository, folder, FOLDER_THERE, &fd));
	e = disk_load(fd, name, out);
	disk_close(&fd);
	return e;
}

static err
other_forms(struct publisher *p, const char *pem, const char *p7c, slice der)
{
	struct buf b OWNED(buf_drop) = BUF(DERIVED_MAX);

	forms_put_pem(&b, der);
	TRY(buf_check(&b));
	TRY(publisher_put(p, slice_str(pem), buf_slice(&b)));
	buf_clear(&b);
	forms_put_p7c(&b, der);
	TRY(buf_check(&b));
	return publisher_put(p, slice_str(p7c), buf_slice(&b));
}

err
tree_certificates(struct publisher *p)
{
	struct buf text OWNED(buf_drop) = BUF(DERIVED_MAX), list OWNED(buf_drop) = BUF(DERIVED_MAX),
	                ocsp OWNED(buf_drop) = BUF(CERT_MAX);
	struct cert responder;
	err e = load(p, "ca", "ocsp.cer", &ocsp);

	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	TRY(other_forms(p, "ca/issuer.pem", "ca/issuer.p7c", p->issuer.whole));
	buf_put_str(&text, "証明書の SHA-256 指紋。ほかの確かな経路（官報など）で得たものと見比べてください。\n"
	                   "SHA-256 fingerprints of the certificates.  Compare them with what you got in another way, such "
	                   "as the gazette.\n");
	json_open(&list, '{');
	json_put_name(&list, "certificates");
	json_open(&list, '[');
	put_certificate(&text, &list, "ca/issuer.cer", &p->issuer);
	if (e.kind == OK && cert_get(buf_slice(&ocsp), &responder).kind == OK)
		put_certificate(&text, &list, "ca/ocsp.cer", &responder);
	json_close(&list, ']');
	put_gazette(p, &text, &list);
	json_close(&list, '}');
	buf_put_u8(&list, '\n');
	TRY(buf_check(&text));
	TRY(buf_check(&list));
	TRY(publisher_put(p, LIT("fingerprints.txt"), buf_slice(&text)));
	return publisher_put(p, LIT("fingerprints.json"), buf_slice(&list));
}

/* --- texts ---------------------------------------------------------------------------------- */

/*
 * texts/NAME.txt is the one in force.  Every version stays as texts/history/NAME.HHHHHHHHHHHHHHHH.txt, the beginning of its
 * SHA-256; texts/history.txt says a line each, in order: day it was first published, SHA-256, the file.
 */
err
tree_text(struct publisher *p, slice path)
{
	struct buf text OWNED(buf_drop) = BUF(TEXT_MAX), list OWNED(buf_drop) = BUF(HISTORY_MAX),
	                copy OWNED(buf_drop) = BUF(256), line OWNED(buf_drop) = BUF(512);
	struct civil day = civil_jst(clock_now());
	const slice folder = LIT("texts/"), ending = LIT(".txt");
	char name[128], date[16];
	digest d;
	err e;

	if (!slice_has_prefix(path, folder) || path.n >= folder.n + sizeof name || path.n < folder.n + ending.n ||
	    memchr(path.p + folder.n, '/', path.n - folder.n) != NULL ||
	    !slice_eq(slice_of(path.p + path.n - ending.n, ending.n), ending))
		return ok;
	snprintf(name, sizeof name, "%.*s", (int)(path.n - folder.n), (const char *)path.p + folder.n);
	TRY(load(p, "texts", name, &text));
	e = load(p, "texts", "history.txt", &list);
	if (e.kind != OK && e.kind != ERR_ABSENT)
		return e;
	d = sha256(buf_slice(&text));
	buf_put_str(&copy, "texts/history/");
	buf_put(&copy, slice_of(path.p + folder.n, path.n - folder.n - ending.n));
	buf_put_u8(&copy, '.');
	buf_put_hex(&copy, slice_of(d.b, 8));
	buf_put(&copy, ending);
	TRY(publisher_put(p, buf_slice(&copy), buf_slice(&text)));
	snprintf(date, sizeof date, "%04d-%02d-%02d ", day.year, day.month, day.day);
	digest_put(&line, d);
	buf_put_u8(&line, ' ');
	buf_put(&line, buf_slice(&copy));
	buf_put_u8(&line, '\n');
	TRY(buf_check(&line));
	if (memmem(list.p, list.n, line.p, line.n) != NULL)
		return ok;
	buf_put_str(&list, date);
	buf_put(&list, buf_slice(&line));
	TRY(buf_check(&list));
	return publisher_put(p, LIT("texts/history.txt"), buf_slice(&list));
}
