#include "act/document.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"

const char APPLICATION_CONSENT[] =
    "上の内容はすべて真実であり、説明を読んで理解し、この公開鍵に対する電子証明書の発行を申し込みます。 / All of the "
    "above "
    "is true; I have read and understood the explanation and apply for a certificate for this public key.";
const char RECEIPT_SENTENCE[] =
    "上の電子証明書を受領し、その内容が正しく、自分の鍵に対するものであることを確認しました。 / I have received the "
    "certificate named above and confirmed that it is correct and made for my own key.";
const char REVOCATION_SENTENCE[] =
    "上の電子証明書の失効を申請します。失効は取り消せないことを理解しています。 / I request the revocation of the "
    "certificate named above and understand that it cannot be undone.";
const char WITHDRAWAL_SENTENCE[] =
    "上の申込みを取り下げます。 / I withdraw the application named above.";

enum value_kind {
	VALUE_TEXT,
	VALUE_TIME,
	VALUE_TIME_OR_NONE, /* left out, its value is empty */
	VALUE_DIGEST,
	VALUE_DIGESTS,
	VALUE_DOSSIER,
	VALUE_SERIAL,
	VALUE_NUMBER,
	VALUE_WORD,     /* one of .is, which are separated by '|' */
	VALUE_SENTENCE, /* .is itself                             */
};

struct line_form {
	const char *label, *field;
	enum value_kind kind;
	bool personal;
	const char *is;
};

struct form_table {
	const char *number, *title;
	const struct line_form *line;
	size_t n;
	bool block;
};

#define REASONS "unspecified|keyCompromise|affiliationChanged|superseded|cessationOfOperation"
#define SERVICE                                                                                                        \
	{                                                                                                                  \
		"認証サービス / Service", "service", VALUE_TEXT, false, NULL                                                   \
	}

static const struct line_form lines_a[A_COUNT] = {
    [A_SERVICE] = SERVICE,
    [A_PROFILE] = {"証明書の種類 / Kind of certificate", "profile", VALUE_TEXT, false, NULL},
    [A_DATE] = {"申込日時 / Date of application", "date", VALUE_TIME, false, NULL},
    [A_NAME] = {"氏名 / Name", "name", VALUE_TEXT, true, NULL},
    [A_ADDRESS] = {"住所 / Address", "address", VALUE_TEXT, true, NULL},
    [A_BIRTH] = {"生年月日 / Date of birth", "birth", VALUE_TEXT, true, NULL},
    [A_SEX] = {"性別 / Sex", "sex", VALUE_WORD, true, "male|female|unknown"},
    [A_CONTACT] = {"連絡先 / Contact", "contact", VALUE_TEXT, true, NULL},
    [A_VALIDITY] = {"有効期間（年） / Validity in years", "validity", VALUE_WORD, false, "1|2|3|4|5"},
    [A_TERMS] = {"利用規約 / Terms of use", "terms", VALUE_DIGEST, false, NULL},
    [A_EXPLANATION] = {"重要事項の説明 / Explanation", "explanation", VALUE_DIGEST, false, NULL},
    [A_LANGUAGE] = {"説明の言語 / Language of the explanation", "language", VALUE_WORD, false, "ja|en"},
    [A_SHOWN] = {"説明を表示した時刻 / Explanation shown at", "shown", VALUE_TIME, false, NULL},
    [A_CONFIRMED] = {"説明を確認した時刻 / Explanation confirmed at", "confirmed", VALUE_TIME, false, NULL},
    [A_KEY] = {"鍵の保管場所 / Key kept in", "key", VALUE_TEXT, false, NULL},
    [A_HELPED] = {"手続を手伝った人 / Helped by", "helped", VALUE_TEXT, true, NULL},
    [A_CONSENT] = {"申込みの意思 / Consent", "consent", VALUE_SENTENCE, false, APPLICATION_CONSENT},
    [A_NONCE] = {"受付番号 / Challenge", "nonce", VALUE_TEXT, false, NULL},
};

static const struct line_form lines_r[R_COUNT] = {
    [R_SERVICE] = SERVICE,
    [R_DOSSIER] = {"申込番号 / Dossier", "dossier", VALUE_DOSSIER, false, NULL},
    [R_SERIAL] = {"証明書の番号 / Serial number", "serial", VALUE_SERIAL, false, NULL},
    [R_CERTIFICATE] = {"証明書のSHA-256 / SHA-256 of the certificate", "certificate", VALUE_DIGEST, false, NULL},
    [R_DATE] = {"受領日時 / Date of receipt", "date", VALUE_TIME, false, NULL},
    [R_SENTENCE] = {"受領の意思 / Receipt", "sentence", VALUE_SENTENCE, false, RECEIPT_SENTENCE},
};

static const struct line_form lines_v[V_COUNT] = {
    [V_SERVICE] = SERVICE,
    [V_SERIAL] = {"証明書の番号 / Serial number", "serial", VALUE_SERIAL, false, NULL},
    [V_REASON] = {"失効の理由 / Reason", "reason", VALUE_WORD, false, REASONS},
    [V_DATE] = {"申請日時 / Date of request", "date", VALUE_TIME, false, NULL},
    [V_SENTENCE] = {"失効申請の意思 / Request", "sentence", VALUE_SENTENCE, false, REVOCATION_SENTENCE},
};

static const struct line_form lines_w[W_COUNT] = {
    [W_SERVICE] = SERVICE,
    [W_SERIAL] = {"証明書の番号 / Serial number", "serial", VALUE_SERIAL, false, NULL},
    [W_REASON] = {"失効の理由 / Reason", "reason", VALUE_WORD, false, REASONS},
    [W_SINCE] = {"無効となった日時 / Invalid since", "since", VALUE_TIME_OR_NONE, false, NULL},
    [W_GROUNDS] = {"判断の根拠 / Grounds", "grounds", VALUE_TEXT, true, NULL},
    [W_OFFICER] = {"失効担当者 / Revocation officer", "officer", VALUE_TEXT, false, NULL},
    [W_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_d[D_COUNT] = {
    [D_SERVICE] = SERVICE,
    [D_DOSSIER] = {"申込番号 / Dossier", "dossier", VALUE_DOSSIER, false, NULL},
    [D_APPLICATION] = {"申込書のSHA-256 / SHA-256 of the application", "application", VALUE_DIGEST, false, NULL},
    [D_DECISION] = {"決定 / Decision", "decision", VALUE_WORD, false, "accept|refuse"},
    [D_NAME] = {"証明書に記載する氏名 / Name in the certificate", "name", VALUE_TEXT, true, NULL},
    [D_ADDRESS] = {"証明書に記載する住所 / Address in the certificate", "address", VALUE_TEXT, true, NULL},
    [D_REASON] = {"決定の理由 / Reason", "reason", VALUE_TEXT, true, NULL},
    [D_OFFICER] = {"審査担当者 / Officer", "officer", VALUE_TEXT, false, NULL},
    [D_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_p[P_COUNT] = {
    [P_SERVICE] = SERVICE,
    [P_RULESET] = {"審査規則のSHA-256 / SHA-256 of the rule set", "ruleset", VALUE_DIGEST, false, NULL},
    [P_VERSION] = {"審査規則の版 / Version of the rule set", "version", VALUE_NUMBER, false, NULL},
    [P_FROM] = {"適用開始 / In force from", "from", VALUE_TIME, false, NULL},
    [P_UNTIL] = {"適用終了 / In force until", "until", VALUE_TIME, false, NULL},
    [P_RESPONSIBLE] = {"責任者 / Responsible person", "responsible", VALUE_TEXT, false, NULL},
    [P_DATE] = {"承認日時 / Date of approval", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_s[S_COUNT] = {
    [S_SERVICE] = SERVICE,
    [S_ACTION] = {"措置 / Action", "action", VALUE_WORD, false, "stop|resume"},
    [S_REASON] = {"理由 / Reason", "reason", VALUE_TEXT, false, NULL},
    [S_RESPONSIBLE] = {"責任者 / Responsible person", "responsible", VALUE_TEXT, false, NULL},
    [S_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_g[G_COUNT] = {
    [G_SERVICE] = SERVICE,
    [G_NUMBER] = {"権限の番号 / Number of the permission", "number", VALUE_NUMBER, false, NULL},
    [G_STATE] = {"付与または取消 / State", "state", VALUE_WORD, false, "granted|withdrawn"},
    [G_PERSON] = {"対象者 / Person", "person", VALUE_TEXT, false, NULL},
    [G_KEY] = {"対象者の鍵のSHA-256 / SHA-256 of the person's key", "key", VALUE_DIGEST, false, NULL},
    [G_DUTY] = {"権限 / Duty", "duty", VALUE_TEXT, false, NULL},
    [G_FROM] = {"適用開始 / In force from", "from", VALUE_TIME, false, NULL},
    [G_UNTIL] = {"適用終了 / In force until", "until", VALUE_TIME, false, NULL},
    [G_RESPONSIBLE] = {"責任者 / Responsible person", "responsible", VALUE_TEXT, false, NULL},
    [G_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_b[B_COUNT] = {
    [B_SERVICE] = SERVICE,
    [B_STATE] = {"認定の状態 / State of accreditation", "state", VALUE_WORD, false, "NONE|ACCREDITED"},
    [B_TRUST] = {"信頼ファイル / Trust file", "trust", VALUE_DIGESTS, false, NULL},
    [B_PROFILE] = {"証明書プロファイル / Profiles", "profile", VALUE_DIGESTS, false, NULL},
    [B_RULESET] = {"審査規則 / Rule sets", "ruleset", VALUE_DIGESTS, false, NULL},
    [B_TERMS] = {"利用規約 / Terms of use", "terms", VALUE_DIGESTS, false, NULL},
    [B_EXPLANATION] = {"重要事項の説明 / Explanations", "explanation", VALUE_DIGESTS, false, NULL},
    [B_CPS] = {"認証業務規程 / CP and CPS", "cps", VALUE_DIGESTS, false, NULL},
    [B_RESPONSIBLE] = {"責任者 / Responsible person", "responsible", VALUE_TEXT, false, NULL},
    [B_DATE] = {"記録日時 / Date of record", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_k[KEEP_COUNT] = {
    [KEEP_SERVICE] = SERVICE,
    [KEEP_SERIAL] = {"証明書の番号 / Serial number", "serial", VALUE_SERIAL, false, NULL},
    [KEEP_REQUEST] = {"失効申請書のSHA-256 / SHA-256 of the request", "request", VALUE_DIGEST, false, NULL},
    [KEEP_GROUNDS] = {"却下の理由 / Grounds", "grounds", VALUE_TEXT, true, NULL},
    [KEEP_OFFICER] = {"失効担当者 / Revocation officer", "officer", VALUE_TEXT, false, NULL},
    [KEEP_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_x[X_COUNT] = {
    [X_SERVICE] = SERVICE,
    [X_DOSSIER] = {"申込番号 / Dossier", "dossier", VALUE_DOSSIER, false, NULL},
    [X_UNTIL] = {"延長後の期限 / Extended until", "until", VALUE_TIME, false, NULL},
    [X_REASON] = {"延長の理由 / Reason", "reason", VALUE_TEXT, true, NULL},
    [X_OFFICER] = {"担当者 / Officer", "officer", VALUE_TEXT, false, NULL},
    [X_DATE] = {"決定日時 / Date of decision", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_l[L_COUNT] = {
    [L_SERVICE] = SERVICE,
    [L_DOSSIER] = {"申込番号 / Dossier", "dossier", VALUE_DOSSIER, false, NULL},
    [L_ABOUT] = {"書面の種類 / Kind of letter", "about", VALUE_WORD, false, "revocation|reminder|notice"},
    [L_SENT] = {"発送日時 / Sent at", "sent", VALUE_TIME, false, NULL},
    [L_HOW] = {"発送方法 / How", "how", VALUE_TEXT, true, NULL},
    [L_OFFICER] = {"担当者 / Officer", "officer", VALUE_TEXT, false, NULL},
    [L_DATE] = {"記録日時 / Date of record", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_n[N_COUNT] = {
    [N_SERVICE] = SERVICE,
    [N_KIND] = {"種類 / Kind", "kind", VALUE_WORD, false, "accident|network"},
    [N_NOTICED] = {"認知日時 / Noticed at", "noticed", VALUE_TIME, false, NULL},
    [N_TEXT] = {"内容と対応 / What happened and what was done", "text", VALUE_TEXT, true, NULL},
    [N_OFFICER] = {"記録者 / Recorded by", "officer", VALUE_TEXT, false, NULL},
    [N_DATE] = {"記録日時 / Date of record", "date", VALUE_TIME, false, NULL},
};

static const struct line_form lines_c[C_COUNT] = {
    [C_SERVICE] = SERVICE,
    [C_DOSSIER] = {"申込番号 / Dossier", "dossier", VALUE_DOSSIER, false, NULL},
    [C_APPLICATION] = {"申込書のSHA-256 / SHA-256 of the application", "application", VALUE_DIGEST, false, NULL},
    [C_DATE] = {"取下日時 / Date of withdrawal", "date", VALUE_TIME, false, NULL},
    [C_SENTENCE] = {"取下げの意思 / Withdrawal", "sentence", VALUE_SENTENCE, false, WITHDRAWAL_SENTENCE},
};

static const struct line_form lines_m[M_COUNT] = {
    [M_SERVICE] = SERVICE,
    [M_KEYS] = {"公開鍵のSHA-256 / SHA-256 of the public keys", "keys", VALUE_DIGESTS, false, NULL},
    [M_ALGORITHM] = {"発行者の鍵の方式 / Algorithm of the issuer's key", "algorithm", VALUE_TEXT, false, NULL},
    [M_TOKEN] = {"暗号装置 / Token", "token", VALUE_TEXT, false, NULL},
    [M_PRESENT] = {"立会者 / Present", "present", VALUE_TEXT, false, NULL},
    [M_HOW] = {"複数人による作業 / By plural persons", "how", VALUE_WORD, false, "together|alone"},
    [M_PERSON] = {"署名者 / Signed by", "person", VALUE_TEXT, false, NULL},
    [M_DATE] = {"作成日時 / Made at", "date", VALUE_TIME, false, NULL},
};

static const struct form_table forms[FORM_COUNT] = {
    [FORM_APPLICATION] = {"A-1", "電子証明書利用申込書 / Application for a certificate (A-1, version 1)", lines_a,
        A_COUNT, true},
    [FORM_RECEIPT] = {"R-1", "電子証明書受領書 / Receipt of a certificate (R-1, version 1)", lines_r, R_COUNT, false},
    [FORM_REVOCATION] = {"V-1", "電子証明書失効申請書 / Request to revoke a certificate (V-1, version 1)", lines_v,
        V_COUNT, false},
    [FORM_OFFICE_REVOCATION] = {"V-2", "電子証明書失効決定書 / Decision to revoke a certificate (V-2, version 1)",
        lines_w, W_COUNT, false},
    [FORM_DECISION] = {"D-1", "審査決定書 / Decision on an application (D-1, version 1)", lines_d, D_COUNT, false},
    [FORM_APPROVAL] = {"P-1", "審査規則承認書 / Approval of a rule set (P-1, version 1)", lines_p, P_COUNT, false},
    [FORM_AUTOMATION] = {"S-1", "自動処理の停止・再開決定書 / Stop or resumption of automation (S-1, version 1)",
        lines_s, S_COUNT, false},
    [FORM_PERMISSION] = {"G-1", "権限付与書 / Permission (G-1, version 1)", lines_g, G_COUNT, false},
    [FORM_BASELINE] = {"B-1", "認定基準記録 / Baseline of the accredited business (B-1, version 1)", lines_b, B_COUNT,
        false},
    [FORM_KEEP] = {"V-3", "失効申請却下書 / Refusal of a request to revoke (V-3, version 1)", lines_k, KEEP_COUNT, false},
    [FORM_EXTENSION] = {"X-1", "期限延長書 / Extension of a time (X-1, version 1)", lines_x, X_COUNT, false},
    [FORM_LETTER] = {"L-1", "書面送付記録 / Record of a letter sent (L-1, version 1)", lines_l, L_COUNT, false},
    [FORM_NOTE] = {"N-1", "事故等記録書 / Note of an accident (N-1, version 1)", lines_n, N_COUNT, false},
    [FORM_WITHDRAWAL] = {"A-2", "電子証明書利用申込取下書 / Withdrawal of an application (A-2, version 1)", lines_c,
        C_COUNT, false},
    [FORM_KEYS] = {"K-1", "鍵生成記録書 / Record of the making of keys (K-1, version 1)", lines_m, M_COUNT, false},
};

#define BLOCK_BEGIN "-----BEGIN CERTIFICATE REQUEST-----\n"
#define BLOCK_END "-----END CERTIFICATE REQUEST-----\n"
#define BLOCK_COLUMNS 64 /* RFC 7468 2: base64 lines of exactly 64, the last one shorter or equal */
#define DOSSIER_HEX 32
#define SERIAL_HEX_MAX 40

static const struct form_table *
form_of(enum form f)
{
	assert(f > 0 && f < FORM_COUNT);
	return &forms[f];
}

const char *
form_number(enum form f)
{
	return form_of(f)->number;
}

const char *
form_title(enum form f)
{
	return form_of(f)->title;
}

size_t
form_lines(enum form f)
{
	return form_of(f)->n;
}

static const struct line_form *
line_of(enum form f, size_t line)
{
	assert(line < form_of(f)->n);
	return &form_of(f)->line[line];
}

const char *
form_label(enum form f, size_t line)
{
	return line_of(f, line)->label;
}

bool
form_is_personal(enum form f, size_t line)
{
	return line_of(f, line)->personal;
}

const char *
form_field(enum form f, size_t line)
{
	return line_of(f, line)->field;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* Space separators (Zs) of Unicode: the other white space is refused by text_check. */
static bool
is_blank(uint32_t cp)
{
	return cp == ' ' || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x202F || cp == 0x205F ||
	       cp == 0x3000;
}

static bool
has_blank_end(slice s)
{
	uint32_t cp = ' ';
	bool first = true;

	while (text_next(&s, &cp)) {
		if (first && is_blank(cp))
			return true;
		first = false;
	}
	return is_blank(cp);
}

static bool
is_hex(slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static bool
is_digests(slice s)
{
	slice one;

	if (slice_eq(s, LIT("-")))
		return true;
	while (slice_cut(&s, ' ', &one))
		if (one.n != 2 * SHA256_LEN || !is_hex(one))
			return false;
	return s.n == 2 * SHA256_LEN && is_hex(s);
}

static bool
is_word(slice s, const char *words)
{
	slice list = slice_str(words), one;

	while (slice_cut(&list, '|', &one))
		if (slice_eq(s, one))
			return true;
	return slice_eq(s, list);
}

static bool
is_serial(slice s)
{
	return s.n >= 2 && s.n <= SERIAL_HEX_MAX && s.n % 2 == 0 && is_hex(s) && !slice_has_prefix(s, LIT("00"));
}

static err
check_value(const struct line_form *l, slice v)
{
	instant t;
	uint64_t number;
	bool fits = true;

	if (v.n == 0 || v.n > DOCUMENT_VALUE_MAX || has_blank_end(v))
		return fail(ERR_INPUT, "document-value: house: a value is empty, too long, or begins or ends with a blank");
	switch (l->kind) {
	case VALUE_TEXT:
		break;
	case VALUE_TIME:
	case VALUE_TIME_OR_NONE:
		fits = instant_get(v, &t).kind == OK;
		break;
	case VALUE_DIGEST:
		fits = v.n == 2 * SHA256_LEN && is_hex(v);
		break;
	case VALUE_DIGESTS:
		fits = is_digests(v);
		break;
	case VALUE_DOSSIER:
		fits = v.n == DOSSIER_HEX && is_hex(v);
		break;
	case VALUE_SERIAL:
		fits = is_serial(v);
		break;
	case VALUE_NUMBER:
		fits = decimal_get(v, INT64_MAX, &number).kind == OK;
		break;
	case VALUE_WORD:
		fits = is_word(v, l->is);
		break;
	case VALUE_SENTENCE:
		if (!slice_eq(v, slice_str(l->is)))
			return fail(ERR_INPUT, "document-sentence: Rule 6(ii): the sentence of the form was changed");
		break;
	}
	return fits ? ok : fail(ERR_INPUT, "document-value-form: house: a value is not written as its line asks for");
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static err
get_title(slice *text, enum form *out)
{
	slice s = *text, line;

	if (slice_cut(&s, '\n', &line))
		for (int f = 1; f < FORM_COUNT; f++)
			if (slice_eq(line, slice_str(forms[f].title))) {
				*text = s;
				*out = (enum form)f;
				return ok;
			}
	return fail(ERR_INPUT, "document-title: house: the first line is no title of a form of this house");
}

static err
get_line(slice *text, const struct line_form *l, slice *out)
{
	slice s = *text, line, label;

	if (!slice_cut(&s, '\n', &line) || !slice_take(&line, strlen(l->label), &label) ||
	    !slice_eq(label, slice_str(l->label)) || !slice_has_prefix(line, LIT(": "))) {
		if (l->kind == VALUE_TIME_OR_NONE) {
			*out = (slice){NULL, 0};
			return ok;
		}
		return fail(ERR_INPUT, "document-line: house: a line is not the one that stands here in the form");
	}
	line = (slice){line.p + 2, line.n - 2};
	TRY(check_value(l, line));
	*text = s;
	*out = line;
	return ok;
}

static err
block_refused(void)
{
	return fail(ERR_INPUT, "document-block: RFC 7468: the request's block is missing or not in its one form");
}

/* Base64 in full lines of 64, to DER. */
static err
decode_block(slice block, struct buf *out)
{
	struct buf joined OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	slice line;

	while (slice_cut(&block, '\n', &line)) {
		if (line.n == 0 || line.n > BLOCK_COLUMNS || (block.n > 0 && line.n != BLOCK_COLUMNS))
			return block_refused();
		buf_put(&joined, line);
	}
	if (block.n > 0 || joined.n == 0 || base64_get(buf_slice(&joined), out).kind != OK)
		return block_refused();
	return ok;
}

static err
get_block(slice *text, slice *out)
{
	struct buf der OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	slice s = *text, head, line, block;

	if (!slice_has_prefix(s, LIT("\n" BLOCK_BEGIN)) || !slice_take(&s, sizeof "\n" BLOCK_BEGIN - 1, &head))
		return block_refused();
	block = (slice){s.p, 0};
	while (!slice_has_prefix(s, LIT(BLOCK_END)))
		if (!slice_cut(&s, '\n', &line))
			return block_refused();
	block.n = (size_t)(s.p - block.p);
	TRY(decode_block(block, &der));
	if (!slice_take(&s, sizeof BLOCK_END - 1, &head))
		return block_refused();
	*text = s;
	*out = block;
	return ok;
}

err
document_get(slice text, struct document *out)
{
	struct document d = {0};
	const struct form_table *f;

	if (text.n > DOCUMENT_MAX)
		return fail(ERR_INPUT, "document-long: house: a document is longer than 24 KiB");
	TRY(text_check(text));
	TRY(get_title(&text, &d.form));
	f = form_of(d.form);
	for (d.n = 0; d.n < f->n; d.n++)
		TRY(get_line(&text, &f->line[d.n], &d.value[d.n]));
	if (f->block)
		TRY(get_block(&text, &d.block));
	if (text.n > 0)
		return fail(ERR_INPUT, "document-end: house: something stands after the end of the document");
	*out = d;
	return ok;
}

err
document_get_form(slice text, enum form form, struct document *out)
{
	struct document d;

	TRY(document_get(text, &d));
	if (d.form != form)
		return fail(ERR_INPUT, "document-form: house: the document is of another form than was expected");
	*out = d;
	return ok;
}

err
document_block(const struct document *d, struct buf *out)
{
	return decode_block(d->block, out);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static void
put_block(struct buf *b, slice der)
{
	struct buf text OWNED(buf_drop) = BUF(2 * DOCUMENT_MAX);
	slice s, line;

	assert(der.n <= DOCUMENT_MAX);
	buf_put_base64(&text, der);
	s = buf_slice(&text);
	buf_put_str(b, "\n" BLOCK_BEGIN);
	while (s.n > 0) {
		if (!slice_take(&s, s.n < BLOCK_COLUMNS ? s.n : BLOCK_COLUMNS, &line))
			abort();
		buf_put(b, line);
		buf_put_u8(b, '\n');
	}
	buf_put_str(b, BLOCK_END);
}

err
document_put(struct buf *b, enum form form, const slice *value, size_t n, slice block)
{
	const struct form_table *f = form_of(form);
	struct buf text OWNED(buf_drop) = BUF(DOCUMENT_MAX);
	struct document d;

	assert(n == f->n && f->block == (block.n > 0));
	buf_put_str(&text, f->title);
	buf_put_u8(&text, '\n');
	for (size_t i = 0; i < n; i++) {
		if (f->line[i].kind == VALUE_TIME_OR_NONE && value[i].n == 0)
			continue;
		buf_put_str(&text, f->line[i].label);
		buf_put_str(&text, ": ");
		buf_put(&text, value[i]);
		buf_put_u8(&text, '\n');
	}
	if (f->block && block.n <= DOCUMENT_MAX)
		put_block(&text, block);
	if (block.n > DOCUMENT_MAX || buf_check(&text).kind != OK)
		return fail(ERR_INPUT, "document-long: house: a document is longer than 24 KiB");
	TRY(document_get(buf_slice(&text), &d));
	buf_put(b, buf_slice(&text));
	return ok;
}
