/*
 * document.h - what people sign: the house's own text form, signed as it was shown.
 *
 * Depends on: base, time, hash, text.  Pure.
 *
 *   title line            電子証明書利用申込書 / Application for a certificate (A-1, version 1)
 *   label: value          one line each, in the form's fixed order, all of them
 *   (an empty line and a PEM block "CERTIFICATE REQUEST", where the form has one)
 *
 * UTF-8, LF only, no BOM, text_check(); the label is one fixed bilingual string
 * ("氏名 / Name"), then ": ", then the value, which is never empty ("-" says none)
 * and has no blank at either end.  One line may be left out, V-2's "invalid since": its
 * value is empty then, and documents from before there was one read on.  An unknown, missing, repeated or displaced
 * line, or anything after the end, is refused: what is shown is what is parsed.
 *
 * Values are held to their line's own form, here, for every reader:
 *   times            RFC 3339 as base/time: 2026-11-22T01:02:03.004Z
 *   digests          64 hexadecimal digits; in B-1 and K-1 one or more with a blank between, or "-"
 *   dossiers         32 hexadecimal digits;  serials: the magnitude in hexadecimal, lower case
 *   versions, numbers  decimal
 *   reasons (V-1, V-2)  unspecified | keyCompromise | affiliationChanged | superseded | cessationOfOperation
 *   decision (D-1)   accept | refuse; its name and address are what the certificate will say, "-" where refused
 *   action (S-1)     stop | resume;  state (G-1): granted | withdrawn, (B-1): NONE | ACCREDITED
 *   letters (L-1)    revocation | reminder | notice;  kinds (N-1): accident | network
 *   how many (K-1)   together: at least two persons, each signs one | alone: one stands for them, in a test only
 *   validity         1 to 5;  sex: male | female | unknown;  language: ja | en
 *   sentences        word for word those below
 *   officer, responsible, person   labels of the trust file
 * All else is text of one line.
 *
 * ERR_INPUT document-long, -title, -line, -value, -value-form, -sentence, -block,
 * -end, -form, and text-….
 */
#ifndef ACT_DOCUMENT_H
#define ACT_DOCUMENT_H

#include "base/base.h"

#define DOCUMENT_MAX (24U << 10) /* bytes of text                                  */
#define DOCUMENT_VALUE_MAX 1024  /* bytes of a value; an address has 200 characters */
#define DOCUMENT_LINES_MAX 24

enum form {
	FORM_APPLICATION = 1, /* A-1 利用申込書                                        */
	FORM_RECEIPT,         /* R-1 受領書                                            */
	FORM_REVOCATION,      /* V-1 失効申請書, by the subscriber                     */
	FORM_OFFICE_REVOCATION, /* V-2 失効決定書, by a revocation officer             */
	FORM_DECISION,        /* D-1 審査決定書, by an officer, closes a review        */
	FORM_APPROVAL,        /* P-1 規則承認書, of a rule set, by a responsible person */
	FORM_AUTOMATION,      /* S-1 自動処理の停止・再開                              */
	FORM_PERMISSION,      /* G-1 権限付与書 (withdrawn by one with the same number and "withdrawn") */
	FORM_BASELINE,        /* B-1 認定基準記録                                      */
	FORM_KEEP,            /* V-3 失効申請却下書, by a revocation officer            */
	FORM_EXTENSION,       /* X-1 期限延長書, of a receipt that is late              */
	FORM_LETTER,          /* L-1 書面送付記録, closes a letter that is owed         */
	FORM_NOTE,            /* N-1 事故等記録書                                      */
	FORM_WITHDRAWAL,      /* A-2 利用申込取下書, by the applicant                  */
	FORM_KEYS,            /* K-1 鍵生成記録書, by each person who was present      */
	FORM_COUNT,
};

/* Line numbers in each form, the index into document.value. */
enum { A_SERVICE, A_PROFILE, A_DATE, A_NAME, A_ADDRESS, A_BIRTH, A_SEX, A_CONTACT, A_VALIDITY, A_TERMS, A_EXPLANATION,
	A_LANGUAGE, A_SHOWN, A_CONFIRMED, A_KEY, A_HELPED, A_CONSENT, A_NONCE, A_COUNT };
enum { R_SERVICE, R_DOSSIER, R_SERIAL, R_CERTIFICATE, R_DATE, R_SENTENCE, R_COUNT };
enum { V_SERVICE, V_SERIAL, V_REASON, V_DATE, V_SENTENCE, V_COUNT };
enum { W_SERVICE, W_SERIAL, W_REASON, W_SINCE, W_GROUNDS, W_OFFICER, W_DATE, W_COUNT };
enum { D_SERVICE, D_DOSSIER, D_APPLICATION, D_DECISION, D_NAME, D_ADDRESS, D_REASON, D_OFFICER, D_DATE, D_COUNT };
enum { P_SERVICE, P_RULESET, P_VERSION, P_FROM, P_UNTIL, P_RESPONSIBLE, P_DATE, P_COUNT };
enum { S_SERVICE, S_ACTION, S_REASON, S_RESPONSIBLE, S_DATE, S_COUNT };
enum { G_SERVICE, G_NUMBER, G_STATE, G_PERSON, G_KEY, G_DUTY, G_FROM, G_UNTIL, G_RESPONSIBLE, G_DATE, G_COUNT };
enum { B_SERVICE, B_STATE, B_TRUST, B_PROFILE, B_RULESET, B_TERMS, B_EXPLANATION, B_CPS, B_RESPONSIBLE, B_DATE, B_COUNT };
enum { KEEP_SERVICE, KEEP_SERIAL, KEEP_REQUEST, KEEP_GROUNDS, KEEP_OFFICER, KEEP_DATE, KEEP_COUNT };
enum { X_SERVICE, X_DOSSIER, X_UNTIL, X_REASON, X_OFFICER, X_DATE, X_COUNT };
enum { L_SERVICE, L_DOSSIER, L_ABOUT, L_SENT, L_HOW, L_OFFICER, L_DATE, L_COUNT };
enum { N_SERVICE, N_KIND, N_NOTICED, N_TEXT, N_OFFICER, N_DATE, N_COUNT };
enum { C_SERVICE, C_DOSSIER, C_APPLICATION, C_DATE, C_SENTENCE, C_COUNT };
enum { M_SERVICE, M_KEYS, M_ALGORITHM, M_TOKEN, M_PRESENT, M_HOW, M_PERSON, M_DATE, M_COUNT };

/* The sentences of and V-1: each stands in its document word for word. */
extern const char APPLICATION_CONSENT[];
extern const char RECEIPT_SENTENCE[];
extern const char REVOCATION_SENTENCE[];
extern const char WITHDRAWAL_SENTENCE[];

struct document {
	enum form form;
	size_t n;
	slice value[DOCUMENT_LINES_MAX]; /* borrowed from the text */
	slice block;                     /* the request's DER is base64 in here: content between the PEM lines; empty when the form has none */
};

/* Any known form; the caller compares .form with what it expects (document_get_form does both). */
err document_get(slice text, struct document *out) CHECKED;
err document_get_form(slice text, enum form form, struct document *out) CHECKED;
/*
 * Writes the text from values, a line that may be left out only where it has one; `block` is DER and only for forms that have one.
 * What would not be read back is refused, and nothing is written then.
 */
err document_put(struct buf *b, enum form form, const slice *value, size_t n, slice block) CHECKED;
/* Decodes .block to DER. */
err document_block(const struct document *d, struct buf *out) CHECKED;

/* For showing and for the books. */
const char *form_number(enum form f);           /* "A-1"                */
const char *form_title(enum form f);            /* the whole title line */
const char *form_label(enum form f, size_t line); /* "氏名 / Name"       */
size_t form_lines(enum form f);
/* Lines that hold personal data: they enter the books as commitments only. */
bool form_is_personal(enum form f, size_t line);
/* A stable ASCII name of the line for JSON ("name", "birth", "contact"). */
const char *form_field(enum form f, size_t line);

#endif
