/* base/time: instants, days in Japan, years as the law counts them. */
#include "test/unit/test.h"

#include <time.h>

#include "base/time.h"

#define FORM "time-form: RFC 3339: a time is written 2026-11-22T01:02:03.004Z"
#define NONE "time: RFC 3339: not a date and time that exists"
#define RANGE "time-range: house: an instant lies within the years 1950 to 9999"
#define DAY "day-form: RFC 3339: a day is written 2026-11-22"

static const char *
instant_text(instant t)
{
	static char s[RFC3339_LEN + 1];
	struct buf b OWNED(buf_drop) = BUF(RFC3339_LEN);

	instant_put(&b, t);
	expect_ok("instant_put", buf_check(&b));
	assert_int_equal(b.n, RFC3339_LEN);
	memcpy(s, b.p, b.n);
	return s;
}

static instant
at(const char *s)
{
	instant t = {0};

	expect_ok(s, instant_get(txt(s), &t));
	return t;
}

static void
test_instant(void **state)
{
	static const struct {
		const char *in;
		int64_t ms;
		const char *expect;
	} rows[] = {
	    {"1970-01-01T00:00:00.000Z", 0, NULL},
	    {"1969-12-31T23:59:59.999Z", -1, NULL},
	    {"2026-11-22T01:02:03.004Z", INT64_C(1795309323004), NULL},
	    {"2000-02-29T12:00:00.000Z", INT64_C(951825600000), NULL},
	    {"1950-01-01T00:00:00.000Z", INSTANT_MIN_MS, NULL},
	    {"9999-12-31T23:59:59.999Z", INSTANT_MAX_MS, NULL},
	    {"1949-12-31T23:59:59.999Z", 0, RANGE},
	    {"1800-01-01T00:00:00.000Z", 0, RANGE},
	    {"1799-12-31T23:59:59.999Z", 0, NONE},
	    {"0000-01-01T00:00:00.000Z", 0, NONE},
	    {"2023-02-29T00:00:00.000Z", 0, NONE},
	    {"2100-02-29T00:00:00.000Z", 0, NONE},
	    {"2024-04-31T00:00:00.000Z", 0, NONE},
	    {"2024-00-01T00:00:00.000Z", 0, NONE},
	    {"2024-13-01T00:00:00.000Z", 0, NONE},
	    {"2024-01-00T00:00:00.000Z", 0, NONE},
	    {"2024-01-32T00:00:00.000Z", 0, NONE},
	    {"2024-01-01T24:00:00.000Z", 0, NONE},
	    {"2024-01-01T00:60:00.000Z", 0, NONE},
	    {"2016-12-31T23:59:60.000Z", 0, NONE}, /* a leap second that did exist */
	    {"", 0, FORM},
	    {"2024-01-01T00:00:00Z", 0, FORM},
	    {"2024-01-01T00:00:00.00Z", 0, FORM},
	    {"2024-01-01T00:00:00.0000Z", 0, FORM},
	    {"2024-01-01t00:00:00.000z", 0, FORM},
	    {"2024-01-01 00:00:00.000Z", 0, FORM},
	    {"2024-01-01T00:00:00,000Z", 0, FORM},
	    {"2024-01-01T00:00:00.000+", 0, FORM},
	    {"2024-1 -01T00:00:00.000Z", 0, FORM},
	    {"2024/01/01T00:00:00.000Z", 0, FORM},
	    {"-024-01-01T00:00:00.000Z", 0, FORM},
	    {"2024-01-01T00:00:00.000Z\n", 0, FORM},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		instant t = {77};

		expect_text(rows[i].in, instant_get(txt(rows[i].in), &t), rows[i].expect);
		if (rows[i].expect != NULL) {
			assert_int_equal(t.ms, 77);
			continue;
		}
		expect_true(rows[i].in, t.ms == rows[i].ms);
		assert_string_equal(instant_text(t), rows[i].in);
	}
}

/* libc's calendar agrees, over the whole range and on every day of 400 years. */
static void
test_libc(void **state)
{
	(void)state;
	for (int64_t ms = INSTANT_MIN_MS; ms <= INSTANT_MAX_MS;
	     ms += ms < INT64_C(12000000000000) ? DAY_MS - 1 : 997 * DAY_MS + 12345) {
		int64_t r = ((ms % 1000) + 1000) % 1000;
		time_t s = (time_t)((ms - r) / 1000);
		struct civil c = civil_utc((instant){ms});
		instant back;
		struct tm tm;

		gmtime_r(&s, &tm);
		if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 || c.day != tm.tm_mday || c.hour != tm.tm_hour ||
		    c.minute != tm.tm_min || c.second != tm.tm_sec || c.ms != r)
			fail_msg("%lld ms is another day", (long long)ms);
		expect_ok("back", civil_get_utc(&c, &back));
		if (back.ms != ms || !civil_is_valid(&c))
			fail_msg("%lld ms does not come back", (long long)ms);
	}
}

/* RFC 9110 5.6.7, libc being the second opinion. */
static void
test_http_date(void **state)
{
	(void)state;
	for (int64_t s = INSTANT_MIN_MS / 1000; s < INSTANT_MAX_MS / 1000; s += 86400 * 11 + 12345) {
		struct buf b OWNED(buf_drop) = BUF(HTTP_DATE_LEN);
		time_t t = (time_t)s;
		struct tm tm;
		char want[64];

		instant_put_http(&b, (instant){s * 1000 + 999});
		assert_true(gmtime_r(&t, &tm) != NULL && strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
		expect_ok("fits", buf_check(&b));
		expect_same(want, buf_slice(&b), slice_str(want));
	}
}

static void
test_day(void **state)
{
	static const struct {
		const char *in, *instant, *expect;
	} rows[] = {
	    {"2026-11-22", "2026-11-21T15:00:00.000Z", NULL},
	    {"1970-01-01", "1969-12-31T15:00:00.000Z", NULL},
	    {"1950-01-02", "1950-01-01T15:00:00.000Z", NULL},
	    {"9999-12-31", "9999-12-30T15:00:00.000Z", NULL},
	    {"1950-01-01", NULL, RANGE},
	    {"1949-12-31", NULL, RANGE},
	    {"2023-02-29", NULL, NONE},
	    {"2026-11-2", NULL, DAY},
	    {"2026-11-222", NULL, DAY},
	    {"2026/11/22", NULL, DAY},
	    {"20261122  ", NULL, DAY},
	    {"", NULL, DAY},
	};
	struct buf b OWNED(buf_drop) = BUF(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		instant t = {77};

		expect_text(rows[i].in, day_get_jst(txt(rows[i].in), &t), rows[i].expect);
		if (rows[i].expect != NULL) {
			assert_int_equal(t.ms, 77);
			continue;
		}
		assert_string_equal(instant_text(t), rows[i].instant);
		buf_clear(&b);
		day_put_jst(&b, t);
		expect_same("first instant", buf_slice(&b), txt(rows[i].in));
		buf_clear(&b);
		day_put_jst(&b, (instant){t.ms + DAY_MS - 1});
		expect_same("last instant", buf_slice(&b), txt(rows[i].in));
	}
	/* "without end", RFC 5280 4.1.2.5, is no day of the year 0 */
	buf_clear(&b);
	day_put_jst(&b, at("9999-12-31T23:59:59.000Z"));
	expect_same("without end", buf_slice(&b), LIT("9999-12-31"));
	assert_int_equal(civil_jst(at("2026-12-31T15:00:00.000Z")).year, 2027);
	assert_int_equal(civil_jst(at("2026-12-31T15:00:00.000Z")).hour, 0);
}

/* Rule 6(iv): five years are years, not days; Civil Code 143(2). */
static void
test_years(void **state)
{
	static const struct {
		const char *from;
		int n;
		const char *to;
	} rows[] = {
	    {"2026-11-22T01:02:03.004Z", 5, "2031-11-22T01:02:03.004Z"},
	    {"2026-11-22T01:02:03.004Z", 0, "2026-11-22T01:02:03.004Z"},
	    {"2026-11-22T01:02:03.004Z", -10, "2016-11-22T01:02:03.004Z"},
	    {"2024-02-29T03:00:00.000Z", 1, "2025-02-28T03:00:00.000Z"},
	    {"2024-02-29T03:00:00.000Z", 4, "2028-02-29T03:00:00.000Z"},
	    {"2024-02-28T03:00:00.000Z", 1, "2025-02-28T03:00:00.000Z"},
	    {"2023-02-28T03:00:00.000Z", 1, "2024-02-28T03:00:00.000Z"},
	    /* 29 February, 05:00 in Japan, while it is the 28th elsewhere */
	    {"2024-02-28T20:00:00.000Z", 5, "2029-02-27T20:00:00.000Z"},
	    /* 1 March, 05:00 in Japan, while it is 29 February elsewhere */
	    {"2024-02-29T20:00:00.000Z", 5, "2029-02-28T20:00:00.000Z"},
	    {"1960-06-15T00:00:00.001Z", 10, "1970-06-15T00:00:00.001Z"},
	    {"9998-12-31T14:59:59.999Z", 1, "9999-12-31T14:59:59.999Z"},
	    {"9998-12-31T23:59:59.999Z", 1, "9999-12-31T23:59:59.999Z"},
	    {"9999-12-31T23:59:59.000Z", 10, "9999-12-31T23:59:59.999Z"},
	    {"2026-11-22T00:00:00.000Z", 10000, "9999-12-31T23:59:59.999Z"},
	    {"1955-01-01T00:00:00.000Z", -5, "1950-01-01T00:00:00.000Z"},
	    {"1955-01-01T00:00:00.000Z", -6, "1950-01-01T00:00:00.000Z"},
	    {"1955-01-01T00:00:00.000Z", -10000, "1950-01-01T00:00:00.000Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(instant_text(instant_add_years(at(rows[i].from), rows[i].n)), rows[i].to);
}

static void
test_second(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
	    {"2026-11-22T01:02:03.999Z", "2026-11-22T01:02:03.000Z"},
	    {"2026-11-22T01:02:03.000Z", "2026-11-22T01:02:03.000Z"},
	    {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.000Z"},
	    {"1950-01-01T00:00:00.001Z", "1950-01-01T00:00:00.000Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(instant_text(instant_floor_second(at(rows[i].from))), rows[i].to);
}

static void
test_age(void **state)
{
	static const struct {
		int year, month, day;
		const char *at;
		int age;
	} rows[] = {
	    {2008, 11, 22, "2026-11-21T14:59:59.999Z", 17},
	    {2008, 11, 22, "2026-11-21T15:00:00.000Z", 18}, /* midnight in Japan */
	    {2008, 11, 22, "2026-12-01T00:00:00.000Z", 18},
	    {2008, 11, 22, "2026-10-31T00:00:00.000Z", 17},
	    {2008, 2, 29, "2026-02-28T14:59:59.999Z", 17},
	    {2008, 2, 29, "2026-02-28T15:00:00.000Z", 18},
	    {1907, 3, 1, "2026-11-22T00:00:00.000Z", 119}, /* born before any instant */
	    {2026, 11, 22, "2026-11-22T00:00:00.000Z", 0},
	};
	static const struct {
		struct civil c;
		bool valid;
	} days[] = {
	    {{.year = 1800, .month = 1, .day = 1}, true},
	    {{.year = 1799, .month = 12, .day = 31}, false},
	    {{.year = 9999, .month = 12, .day = 31}, true},
	    {{.year = 10000, .month = 1, .day = 1}, false},
	    {{.year = 1900, .month = 2, .day = 28}, true},
	    {{.year = 1900, .month = 2, .day = 29}, false},
	    {{.year = 2000, .month = 2, .day = 29}, true},
	    {{.year = 2000, .month = 0, .day = 1}, false},
	    {{.year = 2000, .month = 1, .day = 1, .ms = 1000}, false},
	    {{.year = 2000, .month = 1, .day = 1, .ms = 999, .second = 59, .minute = 59, .hour = 23}, true},
	    {{.year = 2000, .month = 1, .day = 1, .hour = -1}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (age_years(rows[i].year, rows[i].month, rows[i].day, at(rows[i].at)) != rows[i].age)
			fail_msg("age[%zu]", i);
	for (size_t i = 0; i < COUNT(days); i++)
		expect_true(row_name("valid", i), civil_is_valid(&days[i].c) == days[i].valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_instant),
	    cmocka_unit_test(test_libc),
	    cmocka_unit_test(test_http_date),
	    cmocka_unit_test(test_day),
	    cmocka_unit_test(test_years),
	    cmocka_unit_test(test_second),
	    cmocka_unit_test(test_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
