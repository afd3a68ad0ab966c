/* time: instants as int64 nanoseconds UTC since 1970, read from and written as text, without
 * libc's locale and time zones.
 *
 *     int64_t ns;
 *     if (!time_parse(SLICE("2021-10-20T13:39:12.7319Z"), &ns)) ... not a time
 *     time_format(&out, ns);                       // 2021-10-20T13:39:12.731900Z
 *
 * The range is that of the type: 1677-09-21T00:12:43.145224192Z to
 * 2262-04-11T23:47:16.854775807Z. The calendar is Gregorian throughout (ISO 8601); leap seconds
 * are not counted, as in POSIX. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define TIME_SECOND ((int64_t)1000000000)
#define TIME_DAY (86400 * TIME_SECOND)

/* What logs write:
 *     2021-10-20T13:39:12.731904Z    RFC 3339; blank for T, '/' for '-', ',' for '.', a zone of
 *     2021-10-20 13:39:12.731        +hh:mm, +hhmm or +hh, or none: UTC; without seconds; the date
 *     2021-10-20                     alone: its midnight
 *     20/Oct/2021:13:39:12 +0200     web servers' common log format
 *     1634737152.731904              digits alone: seconds below 10^11, then milliseconds below
 *     1634737152731                  10^14, microseconds below 10^17, nanoseconds
 * Blanks around it are ignored. Digits past the nanosecond are cut; second 60 is the next minute's
 * first. false, *ns untouched: something else, no such day, or out of range. */
bool time_parse(struct slice text, int64_t *ns) __attribute__((warn_unused_result));
/* RFC 3339 with Z and no, 3, 6 or 9 digits of fraction, whichever says it all. */
void time_format(struct buf *out, int64_t ns);

/* Days since 1970-01-01 of a day that exists; month from 1, day from 1. */
int64_t time_days(int64_t year, int month, int day);
