/* syslog_time: the timestamps of syslog lines.
 *
 *     size_t n = syslog_time_read(text, &t);     // "Nov 22 16:02:33 web-01 ...": 15; 0: none
 *     struct slice iso = syslog_time_text(&clock, &t);   // "2026-11-22T16:02:33Z"
 *
 * A timestamp without a year (RFC 3164 section 4.1.2) is taken for the latest year in which it is
 * not more than a day after the time the file was last written: SYSLOG_TIME_AHEAD for clocks that
 * differ. A timestamp without a zone is the clock's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/time.h"

#define SYSLOG_TIME_AHEAD TIME_DAY
enum { SYSLOG_TIME_TEXT = 40 };

struct syslog_time {
    struct slice text; /* as it stands; size 0: none */
    bool iso;          /* time_parse reads it, and it has a zone */
    int16_t year;      /* 0: none */
    int8_t month, day, hour, minute, second;
    bool zoned;
    int32_t east;     /* seconds, where zoned */
    int32_t fraction; /* nanoseconds */
};

/* What the lines themselves do not say. */
struct syslog_clock {
    int64_t written_ns; /* when the file was last written; INT64_MIN: not known */
    int32_t east;       /* the zone of timestamps without one, seconds */
    int32_t year;       /* of timestamps without one; 0: found by written_ns */
    /* The last one, for lines of the same second. */
    char last[SYSLOG_TIME_TEXT];
    size_t last_size;
    char made[SYSLOG_TIME_TEXT];
    size_t made_size;
};

/* The last timestamp that was read: most lines have the time of the one before. {0}: none yet. */
struct syslog_time_memory {
    char bytes[48]; /* the timestamp, and what behind it says that it ends there */
    size_t size;
    size_t read;
    struct syslog_time time;
};

/* syslog_time_read, faster where the text begins as the last one did. */
size_t syslog_time_recall(
        struct syslog_time_memory *memory, struct slice text, struct syslog_time *t);
/* The timestamp at the front of a text, blanks and a colon behind a zone included: its size, or 0.
 * Also date and time in other orders: see the .c file's table. */
size_t syslog_time_read(struct slice text, struct syslog_time *t);
/* As RFC 3339: borrowed from the line (`iso`) or from the clock, until the next call. Size 0: there
 * is no such day, or the year is not known. */
struct slice syslog_time_text(struct syslog_clock *clock, const struct syslog_time *t);
/* A zone as +hh:mm, -hhmm, Z, UTC or one of a few usual names. */
bool syslog_time_zone(struct slice name, int32_t *east);
