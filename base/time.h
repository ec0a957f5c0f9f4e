/*
 * time.h - instants and calendar days: RFC 3339, RFC 5280 4.1.2.5.
 *
 * Depends on: base.  Pure: nothing here knows what time it is; an instant is
 * always an argument.
 *
 * An instant counts milliseconds since 1970-01-01T00:00:00Z without leap
 * seconds and lies within the years 1950 to 9999.  Days of the law (deadlines,
 * retention) are days in Japan: JST = UTC+9, no daylight saving.  A birth date may
 * lie before 1950 and is no instant but a civil day: civil_is_valid, age_years.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/base.h"

typedef struct {
	int64_t ms;
} instant;

#define INSTANT_MIN_MS INT64_C(-631152000000)   /* 1950-01-01T00:00:00Z     */
#define INSTANT_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define SECOND_MS INT64_C(1000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

struct civil {
	int year, month, day;     /* month 1-12, day 1-31 */
	int hour, minute, second; /* no leap second       */
	int ms;
};

struct civil civil_utc(instant t);
/* The same instant as the wall clock in Japan shows it. */
struct civil civil_jst(instant t);
bool civil_is_valid(const struct civil *c);
/* ERR_INPUT where c names no instant (a 30 February, the year 1949). */
err civil_get_utc(const struct civil *c, instant *out) CHECKED;

/* "2026-11-22T01:02:03.004Z", the form of the books. */
#define RFC3339_LEN 24
void instant_put(struct buf *b, instant t);
/* "Sun, 22 Nov 2026 01:02:03 GMT": RFC 9110 5.6.7, the form HTTP writes. */
#define HTTP_DATE_LEN 29
void instant_put_http(struct buf *b, instant t);
/* The books' form and nothing looser. */
err instant_get(slice in, instant *out) CHECKED;
/*
 * "2026-11-22", a day; as read it is that day in Japan and gives its first instant,
 * so that 1950-01-02 is the first that can be read.  The last nine hours of 9999
 * (the end that means "without end") are shown as its last day.
 */
void day_put_jst(struct buf *b, instant t);
err day_get_jst(slice in, instant *out) CHECKED;

/*
 * The same clock time in Japan n calendar years later; 29 February goes to 28
 * February (Civil Code 143(2)), and nothing goes beyond what an instant may be.
 * Law counts years, not 365 days, and its days are Japan's: Rule 6(iv).
 */
instant instant_add_years(instant t, int n);
/* Without milliseconds, as X.509 has it. */
instant instant_floor_second(instant t);
/* Full years of age on the day of t in Japan of one born on that day. */
int age_years(int year, int month, int day, instant t);

#endif
