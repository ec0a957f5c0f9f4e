/*
 * order_judge.h - what a verifier is asked: these bytes, at this time, under this evidence; and the facts it answers with.
 *
 * Depends on: base, time, der, hash, text, cert, key, application, identity, body.  Pure.
 *
 * Bodies of ORDER_CRL_IN and ORDER_VERIFY (order.h); errors and borrowing as there.  What a verifier says can be
 * believed as far as the books go; a signer judges the same bytes again by itself.
 */
#ifndef ACT_ORDER_JUDGE_H
#define ACT_ORDER_JUDGE_H

#include "act/application.h"
#include "act/identity.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/time.h"
#include "pki/cert.h"

struct crl_reply {
	digest digest;
	instant this_update, next_update;
	uint64_t count;
};
err crl_reply_get(slice body, struct crl_reply *out) CHECKED;
void crl_reply_put(struct buf *b, const struct crl_reply *r);

enum purpose {
	PURPOSE_APPLICATION = 1, /* document A-1, signed by a card                             */
	PURPOSE_RECEIPT,         /* R-1, signed by the certificate delivered                   */
	PURPOSE_REVOCATION,      /* V-1, signed by the certificate itself or by a card         */
	PURPOSE_OFFICE,          /* any document of a person of the house                      */
	PURPOSE_WITHDRAWAL,      /* A-2, signed by the application's card or its key           */
};
struct verify_order {
	enum purpose purpose;
	instant at;
	enum status_method method; /* what status evidence comes along: NONE, CRL, OCSP */
	digest crl;                /* cites a CRL handed over before                    */
	slice ocsp_answer, ocsp_nonce;
	slice cms;
	slice certificate; /* REVOCATION by card: our certificate; else empty    */
	slice application; /* REVOCATION by card, WITHDRAWAL: the application's CMS; else empty */
};
err verify_order_get(slice body, struct verify_order *out) CHECKED;
void verify_order_put(struct buf *b, const struct verify_order *o);

/* Who signed a document. */
enum signer_kind { SIGNER_CARD = 1, SIGNER_CERTIFICATE, SIGNER_PERSON };
#define FACTS_WHY_MAX 1024 /* bytes of a refusal's text                                */
#define FACTS_LABEL_MAX 64 /* bytes of a person's label: what a book line names one by */

struct facts {
	enum verdict verdict;
	slice why;          /* text of the refusal, empty when verified */
	enum err_kind kind; /* its kind                                 */
	bool chained;
	unsigned mismatch;
	enum form form;
	digest document; /* SHA-256 of the CMS */
	enum signer_kind signer;
	digest signer_digest; /* of its certificate; of its SPKI for a person */
	serial signer_serial; /* zero length for a person                      */
	slice person;         /* its label in the trust file                    */
	digest key;           /* of the subscriber's SPKI; zero when none       */
	enum key_kind key_kind;
	unsigned key_bits;
	slice spki;     /* the subscriber's, whole: the registrar plans the certificate from it; empty when none */
	bool same_card; /* REVOCATION: the leaf is the application's      */
	enum status_method method;
	instant status_this_update, status_next_update;
	digest status_digest;
	slice card_name, card_address; /* the card's own characters, for a person's certificate */
	slice ocsp_request;            /* when verdict is UNCHECKED for want of status: what messenger sends */
	size_t n;
	slice value[DOCUMENT_LINES_MAX]; /* the document's lines in form order */
};
err facts_get(slice body, struct facts *out) CHECKED;
void facts_put(struct buf *b, const struct facts *f);

#endif
