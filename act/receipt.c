#include "act/document.h"
#include "act/receipt.h"
#include "pki/cms.h"

err
receipt_check(const struct trust *t, slice cms, struct receipt *out)
{
	struct receipt r = {.document = sha256(cms)};
	struct key *k OWNED(key_drop) = NULL;
	struct document d;
	struct cert ours;
	struct cms c;
	digest named;
	serial s;

	TRY(cms_get(cms, &c));
	TRY(document_get_form(c.content, FORM_RECEIPT, &d));
	if (c.certificate.n == 0)
		return fail(ERR_POLICY, "receipt-certificate: Rule 12(1)(i)リ: the signer is not a certificate of this issuer");
	TRY(cert_get(c.certificate, &ours));
	if (!slice_eq(ours.issuer, t->issuer.subject) || ours.is_ca || ours.eku_ocsp ||
	    cert_check_signed_by(&ours, t->issuer_key).kind != OK)
		return fail(ERR_POLICY, "receipt-certificate: Rule 12(1)(i)リ: the signer is not a certificate of this issuer");
	TRY(key_get_spki(ours.spki, &k));
	TRY(cms_check(&c, k));
	if (!slice_eq(d.value[R_SERVICE], t->service))
		return fail(ERR_POLICY, "receipt-service: Rule 6(vii): the receipt is for another service");
	TRY(serial_get_hex(d.value[R_SERIAL], &s));
	if (!serial_eq(s, ours.serial))
		return fail(ERR_POLICY, "receipt-serial: Rule 12(1)(i)リ: the receipt names another certificate");
	TRY(digest_get(d.value[R_CERTIFICATE], &named));
	r.certificate = cert_digest(&ours);
	if (!digest_eq(named, r.certificate))
		return fail(ERR_POLICY, "receipt-digest: Rule 12(1)(i)リ: the receipt names another certificate's bytes");
	TRY(hex_get(d.value[R_DOSSIER], r.dossier.b, sizeof r.dossier.b));
	TRY(instant_get(d.value[R_DATE], &r.date));
	r.serial = ours.serial;
	*out = r;
	return ok;
}
