#include "base/der.h"
#include "base/hash.h"
#include "pki/forms.h"
#include "pki/name.h"

#define FORM_MAX (64U << 10)

void
forms_put_pem(struct buf *b, slice der)
{
	struct buf text OWNED(buf_drop) = BUF(FORM_MAX);

	buf_put_base64(&text, der);
	buf_put_str(b, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < text.n; i += 64) {
		buf_put(b, slice_of(text.p + i, text.n - i < 64 ? text.n - i : 64));
		buf_put_u8(b, '\n');
	}
	buf_put_str(b, "-----END CERTIFICATE-----\n");
}

/*
 * RFC 5652 3, 5.1; RFC 5280 4.2.2.1: certificates only, nothing signed.
 *
 * ContentInfo ::= SEQUENCE { contentType id-signedData, content [0] EXPLICIT SEQUENCE {
 *	version 1, digestAlgorithms SET {}, encapContentInfo SEQUENCE { id-data }, certificates [0] IMPLICIT SET, signerInfos SET {} } }
 */
void
forms_put_p7c(struct buf *b, slice der)
{
	static const uint8_t signed_data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02},
	                     data[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
	size_t info = der_open(b, DER_SEQUENCE), content, inner, encap, certificates;

	der_put_oid(b, ARR(signed_data));
	content = der_open(b, DER_CTXC(0));
	inner = der_open(b, DER_SEQUENCE);
	der_put_u64(b, 1);
	der_put(b, DER_SET, (slice){NULL, 0});
	encap = der_open(b, DER_SEQUENCE);
	der_put_oid(b, ARR(data));
	der_close(b, encap);
	certificates = der_open(b, DER_CTXC(0));
	buf_put(b, der);
	der_close(b, certificates);
	der_put(b, DER_SET, (slice){NULL, 0});
	der_close(b, inner);
	der_close(b, content);
	der_close(b, info);
}

void
forms_put_sha256(struct buf *b, slice bytes)
{
	static const char hex[] = "0123456789ABCDEF";
	digest d = sha256(bytes);

	for (size_t i = 0; i < sizeof d.b; i++) {
		if (i > 0)
			buf_put_u8(b, ':');
		buf_put_u8(b, (uint8_t)hex[d.b[i] >> 4]);
		buf_put_u8(b, (uint8_t)hex[d.b[i] & 15]);
	}
}

void
forms_put_fingerprint(struct buf *b, const char *file, const struct cert *c)
{
	slice name;

	buf_put_str(b, "\nfile: ");
	buf_put_str(b, file);
	if (name_value(c->subject, NAME_CN, &name).kind == OK) {
		buf_put_str(b, "\nname: ");
		buf_put(b, name);
	}
	buf_put_str(b, "\nsha256: ");
	forms_put_sha256(b, c->whole);
	buf_put_str(b, "\nspki-sha256: ");
	forms_put_sha256(b, c->spki);
	buf_put_u8(b, '\n');
}
