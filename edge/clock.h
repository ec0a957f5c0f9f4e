/*
 * clock.h - what time it is.
 *
 * Touches: CLOCK_REALTIME and CLOCK_MONOTONIC; for tests a file of one int64,
 * mapped once, whose milliseconds are added (a production trust file refuses a
 * test clock, design law 7).
 */
#ifndef EDGE_CLOCK_H
#define EDGE_CLOCK_H

#include "base/base.h"
#include "base/time.h"

instant clock_now(void);
/* Milliseconds that never run back: for timeouts only. */
int64_t clock_steady_ms(void);
/* The same in microseconds: for how long something took. */
int64_t clock_steady_us(void);
/* Maps the offset file; call before the jail.  ERR_WORLD clock-test. */
err clock_use_test(const char *path) CHECKED;

#endif
