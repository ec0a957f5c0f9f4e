#include "cmd/inkanctl/page.h"
#include "pki/cert.h"
#include "pki/forms.h"

/* Plain text within HTML. */
static void
put_html(struct buf *b, slice text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '<')
			buf_put_str(b, "&lt;");
		else if (text.p[k] == '&')
			buf_put_str(b, "&amp;");
		else
			buf_put_u8(b, text.p[k]);
}

static err
put_mark(struct buf *b, slice mark, const struct page *p)
{
	struct cert issuer;

	if (slice_eq(mark, LIT("service")))
		put_html(b, p->service);
	else if (slice_eq(mark, LIT("state_ja")))
		buf_put_str(b, p->accredited ? "認定認証業務" : "なし（試験用。認定を受けていません）");
	else if (slice_eq(mark, LIT("state_en")))
		buf_put_str(b, p->accredited ? "accredited" : "none (test, not accredited)");
	else if (slice_eq(mark, LIT("issuer_sha256")))
		forms_put_sha256(b, p->issuer);
	else if (slice_eq(mark, LIT("spki_sha256"))) {
		TRY(cert_get(p->issuer, &issuer));
		forms_put_sha256(b, issuer.spki);
	} else {
		buf_put_str(b, "{{");
		buf_put(b, mark);
		buf_put_str(b, "}}");
	}
	return ok;
}

err
page_put(struct buf *out, slice web, const struct page *p)
{
	while (web.n > 0) {
		const uint8_t *from = memmem(web.p, web.n, "{{", 2), *to;
		size_t n = from == NULL ? web.n : (size_t)(from - web.p);

		buf_put(out, slice_of(web.p, n));
		web = slice_of(web.p + n, web.n - n);
		if (web.n == 0)
			break;
		web = slice_of(web.p + 2, web.n - 2);
		to = memmem(web.p, web.n, "}}", 2);
		n = to == NULL ? web.n : (size_t)(to - web.p);
		TRY(put_mark(out, slice_of(web.p, n), p));
		n = to == NULL ? n : n + 2;
		web = slice_of(web.p + n, web.n - n);
	}
	return buf_check(out);
}
