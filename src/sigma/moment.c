#include "sigma/moment.h"

struct moment {
    int year, month, day;
    int hour, minute; /* -1: not given */
};

/* Exactly `count` digits at the front, cut off. */
static bool take(struct slice *text, size_t count, int *out)
{
    int value = 0;
    if (text->size < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9') {
            return false;
        }
        value = value * 10 + (text->at[i] - '0');
    }
    *text = slice_of(text->at + count, text->size - count);
    *out = value;
    return true;
}

static bool skip(struct slice *text, char byte)
{
    if (text->size == 0 || text->at[0] != byte) {
        return false;
    }
    *text = slice_of(text->at + 1, text->size - 1);
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool read_date(struct slice *text, struct moment *t)
{
    return take(text, 4, &t->year) && skip(text, '-') && take(text, 2, &t->month) &&
           skip(text, '-') && take(text, 2, &t->day) && t->month >= 1 && t->month <= 12 &&
           t->day >= 1 && t->day <= days_of(t->year, t->month);
}

/* :ss and a fraction, where they are. A leap second is 60. */
static bool read_seconds(struct slice *text)
{
    int second, digit;
    if (!skip(text, ':')) {
        return true;
    }
    if (!take(text, 2, &second) || second > 60) {
        return false;
    }
    if (skip(text, '.') || skip(text, ',')) {
        if (!take(text, 1, &digit)) {
            return false;
        }
        while (take(text, 1, &digit)) {
        }
    }
    return true;
}

/* Z, UTC, or an offset. */
static bool read_zone(struct slice text)
{
    int hours, minutes;
    (void)skip(&text, ' ');
    if (text.size == 0 || slice_equal_nocase(text, SLICE("Z")) ||
            slice_equal_nocase(text, SLICE("UTC"))) {
        return true;
    }
    if (!skip(&text, '+') && !skip(&text, '-')) {
        return false;
    }
    if (!take(&text, 2, &hours) || hours > 23) {
        return false;
    }
    (void)skip(&text, ':');
    return text.size == 0 || (take(&text, 2, &minutes) && minutes < 60 && text.size == 0);
}

static bool read(struct slice text, struct moment *t)
{
    t->hour = -1;
    t->minute = -1;
    if (!read_date(&text, t)) {
        return false;
    }
    if (text.size == 0) {
        return true;
    }
    return (skip(&text, 'T') || skip(&text, 't') || skip(&text, ' ')) && take(&text, 2, &t->hour) &&
           t->hour < 24 && skip(&text, ':') && take(&text, 2, &t->minute) && t->minute < 60 &&
           read_seconds(&text) && read_zone(text);
}

/* Day of the week of a date, Monday 0 (Sakamoto's congruence). */
static int weekday(int year, int month, int day)
{
    static const int offsets[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    int y = month < 3 ? year - 1 : year;
    return (y + y / 4 - y / 100 + y / 400 + offsets[month - 1] + day + 6) % 7;
}

/* A year has 53 weeks when it begins on a Thursday, or on a Wednesday and is leap. */
static int weeks_of(int year)
{
    int first = weekday(year, 1, 1);
    return first == 3 || (first == 2 && is_leap(year)) ? 53 : 52;
}

static int week_of(const struct moment *t)
{
    int day = t->day;
    for (int m = 1; m < t->month; m++) {
        day += days_of(t->year, m);
    }
    int week = (day - 1 - weekday(t->year, t->month, t->day) + 10) / 7;
    if (week < 1) {
        return t->year > 0 ? weeks_of(t->year - 1) : 52;
    }
    return week > weeks_of(t->year) ? 1 : week;
}

bool moment_part(struct slice text, enum op part, int64_t *out)
{
    struct moment t;
    if (text.size < 10 || text.size > 64 || !read(text, &t)) {
        return false;
    }
    int value = part == OP_YEAR     ? t.year
                : part == OP_MONTH  ? t.month
                : part == OP_WEEK   ? week_of(&t)
                : part == OP_DAY    ? t.day
                : part == OP_HOUR   ? t.hour
                : part == OP_MINUTE ? t.minute
                                    : -1;
    *out = value;
    return value >= 0;
}
