#include "act/application.h"
#include "base/text.h"

#define BIRTH_YEAR_MIN 1868 /* Meiji 1: the first era a card can name */
#define BIRTH_YEAR_MAX 2199

/* ---- birth dates ----------------------------------------------------------------------------------------------------- */

static err
birth_refused(void)
{
	return fail(ERR_INPUT, "birth: house: a birth date is written like 1990-12-31, with zeros for what is unknown");
}

static bool
get_digits(slice *s, size_t n, int *out)
{
	slice d;
	int v = 0;

	if (!slice_take(s, n, &d))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (d.p[i] < '0' || d.p[i] > '9')
			return false;
		v = v * 10 + (d.p[i] - '0');
	}
	*out = v;
	return true;
}

/* A day that was, as far as it is known: an unknown year may have been a leap year, an unknown month a long one. */
static bool
is_day(int year, int month, int day)
{
	const struct civil c = {
	    .year = year == 0 ? 2000 : year, .month = month == 0 ? 1 : month, .day = day == 0 ? 1 : day};

	return (year == 0 || (year >= BIRTH_YEAR_MIN && year <= BIRTH_YEAR_MAX)) && civil_is_valid(&c);
}

err
birth_get(slice s, int *year, int *month, int *day)
{
	int y, m, d;
	slice a, b;

	if (!get_digits(&s, 4, &y) || !slice_take(&s, 1, &a) || !get_digits(&s, 2, &m) || !slice_take(&s, 1, &b) ||
	    !get_digits(&s, 2, &d) || s.n > 0 || a.p[0] != '-' || b.p[0] != '-' || m > 12 || d > 31 || !is_day(y, m, d))
		return birth_refused();
	*year = y;
	*month = m;
	*day = d;
	return ok;
}

static void
put_digits(struct buf *b, int v, int divisor)
{
	for (; divisor > 0; divisor /= 10)
		buf_put_u8(b, (uint8_t)('0' + v / divisor % 10));
}

void
birth_put(struct buf *b, int year, int month, int day)
{
	put_digits(b, year, 1000);
	buf_put_u8(b, '-');
	put_digits(b, month, 10);
	buf_put_u8(b, '-');
	put_digits(b, day, 10);
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static bool
is_mail_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && memchr("!#$%&'*+-/=?^_`{|}~.", c, 20) != NULL);
}

/* Local part, @, domain with a dot: what mail programs take without quoting (RFC 5321 4.1.2 Dot-string). */
static bool
is_mail(slice s)
{
	slice local;

	if (s.n > CONTACT_MAX || !slice_cut(&s, '@', &local) || local.n == 0 || local.n > 64 || s.n < 3)
		return false;
	for (size_t i = 0; i < local.n; i++)
		if (!is_mail_char(local.p[i]) || (local.p[i] == '.' && (i == 0 || i + 1 == local.n || local.p[i + 1] == '.')))
			return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool edge = i == 0 || i + 1 == s.n || s.p[i - 1] == '.' || s.p[i + 1] == '.';

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		        (!edge && (c == '-' || c == '.'))))
			return false;
	}
	return memchr(s.p, '.', s.n) != NULL;
}

/* "token: <model> <serial>" with something on both sides of the last blank. */
static bool
is_key_place(slice s)
{
	static const char token[] = "token: ";
	slice rest;

	if (slice_eq(s, LIT("file")))
		return true;
	if (!slice_has_prefix(s, slice_str(token)))
		return false;
	rest = (slice){s.p + strlen(token), s.n - strlen(token)};
	return rest.n > 2 && rest.p[0] != ' ' && memchr(rest.p, ' ', rest.n) != NULL;
}

static bool
is_helper(slice s)
{
	const uint8_t *comma;

	if (slice_eq(s, LIT("-")))
		return true;
	comma = memmem(s.p, s.n, ", ", 2);
	return comma != NULL && comma != s.p && comma + 2 < s.p + s.n;
}

static err
check_values(const struct application *a)
{
	const slice *v = a->text.value;

	if (text_count(a->name) > NAME_CHARACTERS_MAX || text_count(a->address) > NAME_CHARACTERS_MAX)
		return fail(ERR_INPUT, "application-long: domain 2.3: a name and an address have at most 200 characters");
	if (!slice_eq(a->contact, LIT("letter")) && !is_mail(a->contact))
		return fail(ERR_INPUT, "application-contact: house: the contact is a mail address, or \"letter\"");
	if (!is_key_place(v[A_KEY]))
		return fail(ERR_INPUT,
		    "application-key: house: the key is kept in \"file\", or \"token: \" with model and serial number");
	if (!is_helper(v[A_HELPED]))
		return fail(ERR_INPUT, "application-helped: house: who helped is \"-\", or a name, a comma and the relation");
	if (a->shown.ms > a->confirmed.ms || a->confirmed.ms > a->date.ms)
		return fail(ERR_INPUT,
		    "application-explanation: Rule 6(i): the explanation is shown, then confirmed, then the application made");
	return ok;
}

static err
get_values(struct application *a)
{
	const slice *v = a->text.value;
	uint64_t years;

	a->profile = v[A_PROFILE];
	a->name = v[A_NAME];
	a->address = v[A_ADDRESS];
	a->contact = v[A_CONTACT];
	a->nonce = v[A_NONCE];
	TRY(instant_get(v[A_DATE], &a->date));
	TRY(instant_get(v[A_SHOWN], &a->shown));
	TRY(instant_get(v[A_CONFIRMED], &a->confirmed));
	TRY(birth_get(v[A_BIRTH], &a->birth_year, &a->birth_month, &a->birth_day));
	a->sex = slice_eq(v[A_SEX], LIT("male")) ? SEX_MALE : slice_eq(v[A_SEX], LIT("female")) ? SEX_FEMALE : SEX_UNKNOWN;
	TRY(decimal_get(v[A_VALIDITY], 5, &years));
	a->validity_years = (int)years;
	TRY(digest_get(v[A_TERMS], &a->terms));
	TRY(digest_get(v[A_EXPLANATION], &a->explanation));
	return check_values(a);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static err
get_request(struct application *a, const struct key *like)
{
	TRY(document_block(&a->text, &a->request_der));
	TRY(request_get(buf_slice(&a->request_der), &a->request));
	TRY(key_get_spki_like(a->request.spki, like, &a->key));
	if (key_kind(a->key) == KEY_ED25519)
		return fail(ERR_POLICY, "key-kind: CR-1: the key is neither RSA nor on an elliptic curve we know");
	if (a->nonce.n > NONCE_TEXT_MAX || !slice_eq(a->request.challenge, a->nonce))
		return fail(
		    ERR_INPUT, "application-challenge: Rule 6(iii-2): the request and the document name other challenges");
	return request_check(&a->request, a->key);
}

static err
get_parts(slice cms, const struct key *like, struct application *a)
{
	TRY(cms_get(cms, &a->cms));
	if (a->cms.certificate.n == 0)
		return fail(ERR_INPUT, "application-signer: Rule 6(ii): an application carries the card's certificate");
	TRY(document_get_form(a->cms.content, FORM_APPLICATION, &a->text));
	TRY(get_values(a));
	return get_request(a, like);
}

err
application_get_like(slice cms, const struct key *like, struct application *out)
{
	struct application a = {.request_der = BUF(REQUEST_MAX), .document = sha256(cms)};
	err e = get_parts(cms, like, &a);

	if (e.kind != OK) {
		application_drop(&a);
		return e;
	}
	*out = a;
	return ok;
}

err
application_get(slice cms, struct application *out)
{
	return application_get_like(cms, NULL, out);
}

void
application_drop(struct application *a)
{
	key_drop(&a->key);
	buf_drop(&a->request_der);
	*a = (struct application){0};
}
