#include "base/time.h"

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar (years from March, 400-year eras). */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, doe;
	int yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = (int)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = (int64_t)yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static struct civil
civil_from_ms(int64_t ms)
{
	struct civil c;
	int64_t days = ms / DAY_MS, rest = ms % DAY_MS, era, doe, yoe, doy, mp;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	days += 719468;
	era = days / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	c.hour = (int)(rest / HOUR_MS);
	c.minute = (int)(rest / 60000 % 60);
	c.second = (int)(rest / 1000 % 60);
	c.ms = (int)(rest % 1000);
	return c;
}

struct civil
civil_utc(instant t)
{
	return civil_from_ms(t.ms);
}

struct civil
civil_jst(instant t)
{
	return civil_from_ms(t.ms + 9 * HOUR_MS);
}

static bool
is_leap(int y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static int
month_days(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

bool
civil_is_valid(const struct civil *c)
{
	return c->year >= 1800 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= month_days(c->year, c->month) && c->hour >= 0 && c->hour <= 23 && c->minute >= 0 &&
	       c->minute <= 59 && c->second >= 0 && c->second <= 59 && c->ms >= 0 && c->ms <= 999;
}

err
civil_get_utc(const struct civil *c, instant *out)
{
	int64_t ms;

	if (!civil_is_valid(c))
		return fail(ERR_INPUT, "time: RFC 3339: not a date and time that exists");
	ms = days_from_civil(c->year, c->month, c->day) * DAY_MS + c->hour * HOUR_MS + c->minute * 60000 +
	     c->second * 1000 + c->ms;
	if (ms < INSTANT_MIN_MS || ms > INSTANT_MAX_MS)
		return fail(ERR_INPUT, "time-range: house: an instant lies within the years 1950 to 9999");
	*out = (instant){ms};
	return ok;
}

static void
put_digits(struct buf *b, int v, int n)
{
	uint8_t d[4];

	for (int i = n - 1; i >= 0; i--) {
		d[i] = (uint8_t)('0' + v % 10);
		v /= 10;
	}
	buf_put(b, (slice){d, (size_t)n});
}

static void
put_day(struct buf *b, const struct civil *c)
{
	put_digits(b, c->year, 4);
	buf_put_u8(b, '-');
	put_digits(b, c->month, 2);
	buf_put_u8(b, '-');
	put_digits(b, c->day, 2);
}

void
instant_put(struct buf *b, instant t)
{
	struct civil c = civil_utc(t);

	put_day(b, &c);
	buf_put_u8(b, 'T');
	put_digits(b, c.hour, 2);
	buf_put_u8(b, ':');
	put_digits(b, c.minute, 2);
	buf_put_u8(b, ':');
	put_digits(b, c.second, 2);
	buf_put_u8(b, '.');
	put_digits(b, c.ms, 3);
	buf_put_u8(b, 'Z');
}

void
instant_put_http(struct buf *b, instant t)
{
	static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c = civil_utc(t);
	int64_t weekday = (t.ms - INSTANT_MIN_MS) / DAY_MS % 7; /* 1950-01-01 was a Sunday */

	const int v[] = {c.day, c.year / 100, c.year % 100, c.hour, c.minute, c.second};
	static const uint8_t at[] = {5, 12, 14, 17, 20, 23};
	uint8_t *p = buf_space(b, HTTP_DATE_LEN);

	if (p == NULL)
		return;
	memcpy(p, "ddd, 00 mmm 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(p, days + (weekday + 3) % 7 * 3, 3);
	memcpy(p + 8, months + (c.month - 1) * 3, 3);
	for (size_t i = 0; i < COUNT(v); i++) {
		p[at[i]] = (uint8_t)('0' + v[i] / 10);
		p[at[i] + 1] = (uint8_t)('0' + v[i] % 10);
	}
}

/* Reads n digits at the front of *s, then the byte `then` (0: nothing). */
static bool
take_digits(slice *s, size_t n, char then, int *out)
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
	if (then != 0 && (!slice_take(s, 1, &d) || d.p[0] != (uint8_t)then))
		return false;
	*out = v;
	return true;
}

err
instant_get(slice in, instant *out)
{
	struct civil c;

	if (in.n != RFC3339_LEN || !take_digits(&in, 4, '-', &c.year) || !take_digits(&in, 2, '-', &c.month) ||
	    !take_digits(&in, 2, 'T', &c.day) || !take_digits(&in, 2, ':', &c.hour) ||
	    !take_digits(&in, 2, ':', &c.minute) || !take_digits(&in, 2, '.', &c.second) ||
	    !take_digits(&in, 3, 'Z', &c.ms))
		return fail(ERR_INPUT, "time-form: RFC 3339: a time is written 2026-11-22T01:02:03.004Z");
	return civil_get_utc(&c, out);
}

void
day_put_jst(struct buf *b, instant t)
{
	struct civil c = civil_jst(t);

	/* "Without end" is 9999-12-31T23:59:59Z (RFC 5280 4.1.2.5), a morning of the year 10000 in Japan. */
	if (c.year > 9999)
		c = (struct civil){.year = 9999, .month = 12, .day = 31};
	put_day(b, &c);
}

err
day_get_jst(slice in, instant *out)
{
	struct civil c = {0};
	instant t;

	if (in.n != 10 || !take_digits(&in, 4, '-', &c.year) || !take_digits(&in, 2, '-', &c.month) ||
	    !take_digits(&in, 2, 0, &c.day))
		return fail(ERR_INPUT, "day-form: RFC 3339: a day is written 2026-11-22");
	TRY(civil_get_utc(&c, &t));
	if (t.ms - 9 * HOUR_MS < INSTANT_MIN_MS)
		return fail(ERR_INPUT, "time-range: house: an instant lies within the years 1950 to 9999");
	*out = (instant){t.ms - 9 * HOUR_MS};
	return ok;
}

instant
instant_add_years(instant t, int n)
{
	const int64_t jst = 9 * HOUR_MS;
	struct civil c = civil_jst(t);
	int64_t ms;

	assert(n >= -10000 && n <= 10000);
	c.year += n;
	if (c.year < 1949) /* days_from_civil counts eras upwards from the year 0 */
		return (instant){INSTANT_MIN_MS};
	if (c.day > month_days(c.year, c.month))
		c.day = month_days(c.year, c.month);
	ms = days_from_civil(c.year, c.month, c.day) * DAY_MS + (t.ms + jst - INSTANT_MIN_MS) % DAY_MS - jst;
	return (instant){ms < INSTANT_MIN_MS ? INSTANT_MIN_MS : ms > INSTANT_MAX_MS ? INSTANT_MAX_MS : ms};
}

instant
instant_floor_second(instant t)
{
	int64_t r = ((t.ms % 1000) + 1000) % 1000;

	return (instant){t.ms - r};
}

int
age_years(int year, int month, int day, instant t)
{
	struct civil c = civil_jst(t);

	return c.year - year - (c.month < month || (c.month == month && c.day < day));
}
