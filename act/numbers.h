/*
 * numbers.h - how the house stands, in numbers: what every role sends outward, so that nobody need reach in.
 *
 * Depends on: base, time, der, json, body.  Pure.
 *
 * A NUMBER is a family (one row of the table in numbers.c: name, help, kind, unit, labels), a series of it (one set of
 * labels from a list that the table holds, so that no stranger adds one), `of` for families that are told several times
 * (front 0, 1, …; mirror 0, 1, …), and a value.  There is no personal data in any of them, and no text at all.
 *
 * Times are told as times, never as ages: whoever shows them reckons age and countdown by his own clock, and they stay
 * right when the one who told them is gone (inkan_numbers_age_seconds says since when).
 *
 * They travel as ORDER_NUMBERS: a front tells its own to the registrar once a second and hears the whole house's; the
 * registrar tells messenger, which pushes them outside (heartbeat.h); inkand tells its own with the heartbeat.
 *
 * Shown as Prometheus's text format 0.0.4, or as one JSON object; ALARMS are judged from them by one table.
 */
#ifndef ACT_NUMBERS_H
#define ACT_NUMBERS_H

#include "act/body.h"
#include "base/base.h"
#include "base/time.h"

#define NUMBERS_MAX 1536       /* eight fronts, eight mirrors and the rest: 1,000 at most         */
#define NUMBERS_BYTES (48U << 10) /* of their body                                                 */
#define NUMBERS_TEXT (192U << 10) /* of the longest page                                           */
#define ALARMS_MAX 32

enum number {
	/* inkand's */
	N_ROLE_UP = 1,   /* by role: processes alive */
	N_ROLE_RESTARTS,
	N_ROLE_STOPPED,
	N_ROOM_CLOSED,
	N_DISK_FREE,
	N_DISK_SIZE,
	/* registrar's */
	N_NUMBERS_AT,
	N_BOOKS_OPEN,
	N_CLOCK_OK,
	N_LINES,
	N_LAST_ENTRY,
	N_DOSSIERS,
	N_FLIGHTS,
	N_QUEUE,
	N_VERIFIERS,
	N_SIGNER,
	N_JOURNAL,
	N_HELPER_REFUSALS,
	N_HSM_ERRORS,
	N_ISSUANCE,
	N_AUTOMATION,
	N_APPROVAL,
	N_RESPONDER,
	N_CHECKPOINT_AT,
	N_CHECKPOINT_SIZE,
	N_OCSP_OLDEST,
	N_OCSP_LAPSE,
	N_CRL_AT,
	N_CRL_NEXT,
	N_CRL_NUMBER,
	N_JLIS_AT,
	N_JLIS_NEXT,
	/* messenger's */
	N_HEARTBEAT_AT,
	N_HEARTBEAT_FAILURES,
	N_MIRROR_AT,
	N_MIRROR_MISSING,
	N_MIRROR_REFUSED,
	N_MIRROR_FAILURES,
	/* the checker's, as inkand tells them: inkanctl check-status by the clock */
	N_CHECK_AT,
	N_CHECK_DIFFERENCES,
	N_CHECK_COULD_NOT,
	N_CHECK_ALARM,
	N_CHECK_ANSWERS,
	N_CHECK_SECONDS,
	/* a front's */
	N_HTTP_ANSWERS,
	N_HTTP_SECONDS,
	N_REFUSALS,
	N_OCSP_ANSWERS,
	N_OCSP_LIVE,
	N_HTTP_CONNECTIONS,
	N_HTTP_REFUSED,
	N_HTTP_LATE,
	N_HTTP_WAITING,
	N_STATUS_FILE_GOOD,
	N_STATUS_FILE_ANSWERS,
	N_STATUS_FILE_MADE,
	N_STATUS_FILES_DAMAGED,
	N_STATUS_BLOCKS_DAMAGED,
	N_END
};

/* Series of the families above, in the order of their label lists. */
enum { ROLE_FRONT = 0, ROLE_REGISTRAR, ROLE_VERIFIER, ROLE_ISSUER, ROLE_STATUS, ROLE_PUBLISHER, ROLE_MESSENGER, ROLE_N };
enum { HELPER_VERIFIER = 0, HELPER_ISSUER, HELPER_STATUS, HELPER_PUBLISHER, HELPER_MESSENGER, HELPER_N };
enum { QUEUE_VERIFIERS = 0, QUEUE_ISSUER, QUEUE_HELD, QUEUE_STATUS, QUEUE_MESSENGER, QUEUE_N };
enum { LIST_COMPLETE = 0, LIST_DELTA, LIST_PARTITION, LIST_N };
enum { ROUTE_CLASS_OCSP = 0, ROUTE_CLASS_FILE, ROUTE_CLASS_APPLICATION, ROUTE_CLASS_OTHER, ROUTE_CLASS_N };
enum { LIVE_SIGNED = 0, LIVE_AHEAD, LIVE_N };
#define SIGNER_STATES 5 /* away hello rules ready stopped: a signer's series is 5 × signer + state */

/* A histogram: bucket i counts what took at most HISTOGRAM_US[i], the last whatever took longer. */
#define HISTOGRAM_BOUNDS 10
extern const uint64_t HISTOGRAM_US[HISTOGRAM_BOUNDS];
struct histogram {
	uint64_t count[HISTOGRAM_BOUNDS + 1], sum_us;
};
void histogram_add(struct histogram *h, int64_t us);

struct numbers {
	size_t n;
	struct {
		uint8_t family;
		uint16_t series, of;
		uint64_t value;
	} at[NUMBERS_MAX];
};

/* Appends; what does not fit, or is not of the table, is an assert.  A time before 1970 is not told. */
void numbers_tell(struct numbers *n, enum number family, unsigned series, unsigned of, uint64_t value);
void numbers_tell_time(struct numbers *n, enum number family, unsigned series, unsigned of, instant t);
void numbers_tell_histogram(struct numbers *n, enum number family, unsigned which, unsigned of, const struct histogram *h);
/* Adds all of the other; those whose family is a front's only where `fronts` says so. */
void numbers_join(struct numbers *n, const struct numbers *from);
bool numbers_find(const struct numbers *n, enum number family, unsigned series, unsigned of, uint64_t *value) CHECKED;
bool numbers_is_front(unsigned family) CHECKED;

/* The body of ORDER_NUMBERS.  ERR_INPUT order-form: no such family, series, or too many. */
err numbers_get(slice body, struct numbers *out) CHECKED;
void numbers_put(struct buf *b, const struct numbers *n);

/* Prometheus text format 0.0.4: HELP, TYPE, samples; each family once, all its series together. */
void numbers_put_metrics(struct buf *b, const struct numbers *n, instant now);
/* Members of one JSON object: "inkan_x{label=\"y\"}": value. */
void numbers_put_json(struct buf *b, const struct numbers *n, instant now);

/*
 * What a person must look at (503 from /health, an alarm at the outside monitor) or will have to (a warning).  `what` is
 * "code: clause: sentence", in the table of numbers.c.  No number, no alarm, but for the registrar's own silence.
 */
struct alarms {
	size_t n;
	struct {
		bool warning;
		const char *what;
	} at[ALARMS_MAX];
	bool any; /* one that is not a warning */
};
void numbers_judge(const struct numbers *n, instant now, struct alarms *out);

#endif
