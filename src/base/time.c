#include "base/time.h"

/* What is left of the text while it is read. */
struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte) {
        return false;
    }
    c->at++;
    return true;
}

/* The next byte, when it is one of `bytes`; else 0. */
static char take_any(struct cursor *c, const char *bytes)
{
    if (c->at == c->end || *c->at == 0 || !strchr(bytes, *c->at)) {
        return 0;
    }
    return *c->at++;
}

static bool digit_at(const struct cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

/* Exactly `count` digits. */
static bool take_digits(struct cursor *c, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (!digit_at(c)) {
            return false;
        }
        *value = *value * 10 + (*c->at++ - '0');
    }
    return true;
}

/* ---- calendar -------------------------------------------------------------------------------- */

static bool leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int64_t year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap(year));
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t time_days(int64_t year, int month, int day)
{
    /* Years that begin in March end with the leap day, so that months before it have fixed
     * lengths: 153 days in each five of them. */
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t leap_days = floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);
    return y * 365 + leap_days + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct parts {
    int year, month, day, hour, minute, second;
    int64_t fraction; /* nanoseconds */
    int64_t east;     /* of UTC, seconds */
};

static bool parts_join(const struct parts *p, int64_t *ns)
{
    if (p->month < 1 || p->month > 12 || p->day < 1 || p->day > month_days(p->year, p->month) ||
            p->hour > 23 || p->minute > 59 || p->second > 60) {
        return false;
    }
    int64_t seconds = time_days(p->year, p->month, p->day) * 86400 + p->hour * 3600 +
                      p->minute * 60 + p->second - p->east;
    /* The first representable second begins before the range does: add the fraction unscaled. */
    __int128_t whole = (__int128_t)seconds * TIME_SECOND + p->fraction;
    if (whole < INT64_MIN || whole > INT64_MAX) {
        return false;
    }
    *ns = (int64_t)whole;
    return true;
}

/* Digits after the point, at least one; past the ninth they are read and dropped. */
static bool take_fraction(struct cursor *c, int64_t *fraction)
{
    int64_t unit = TIME_SECOND;
    *fraction = 0;
    if (!digit_at(c)) {
        return false;
    }
    for (; digit_at(c); c->at++) {
        unit /= 10;
        *fraction += (*c->at - '0') * unit;
    }
    return true;
}

/* Z, +hh:mm, +hhmm, +hh or nothing. */
static bool take_zone(struct cursor *c, int64_t *east)
{
    *east = 0;
    if (take_any(c, "Zz")) {
        return true;
    }
    char sign = take_any(c, "+-");
    int hours = 0, minutes = 0;
    if (!sign) {
        return true;
    }
    if (!take_digits(c, 2, &hours)) {
        return false;
    }
    bool colon = take(c, ':');
    if ((colon || digit_at(c)) && !take_digits(c, 2, &minutes)) {
        return false;
    }
    if (hours > 23 || minutes > 59) {
        return false;
    }
    *east = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return true;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.f, then a zone, perhaps after a blank. */
static bool take_clock(struct cursor *c, struct parts *p)
{
    if (!take_digits(c, 2, &p->hour) || !take(c, ':') || !take_digits(c, 2, &p->minute)) {
        return false;
    }
    if (take(c, ':')) {
        if (!take_digits(c, 2, &p->second)) {
            return false;
        }
        if (take_any(c, ".,") && !take_fraction(c, &p->fraction)) {
            return false;
        }
    }
    take(c, ' ');
    return take_zone(c, &p->east);
}

static bool parse_iso(struct cursor c, int64_t *ns)
{
    struct parts p = {0};
    if (!take_digits(&c, 4, &p.year)) {
        return false;
    }
    char separator = take_any(&c, "-/");
    if (!separator || !take_digits(&c, 2, &p.month) || !take(&c, separator) ||
            !take_digits(&c, 2, &p.day)) {
        return false;
    }
    if (c.at != c.end && (!take_any(&c, "Tt ") || !take_clock(&c, &p))) {
        return false;
    }
    return c.at == c.end && parts_join(&p, ns);
}

static int month_number(struct slice name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (slice_equal_nocase(name, slice_of(names + i * 3, 3))) {
            return i + 1;
        }
    }
    return 0;
}

static bool parse_common(struct cursor c, int64_t *ns)
{
    struct parts p = {0};
    if (!take_digits(&c, 2, &p.day) || !take(&c, '/') || c.end - c.at < 3) {
        return false;
    }
    p.month = month_number(slice_of(c.at, 3));
    c.at += 3;
    if (!p.month || !take(&c, '/') || !take_digits(&c, 4, &p.year) || !take(&c, ':') ||
            !take_clock(&c, &p)) {
        return false;
    }
    return c.at == c.end && parts_join(&p, ns);
}

/* Digits alone, perhaps with a fraction: the unit follows from the size. */
static bool parse_epoch(struct cursor c, int64_t *ns)
{
    bool negative = take(&c, '-');
    int64_t value = 0, fraction = 0;
    const char *start = c.at;
    for (; digit_at(&c); c.at++) {
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
                __builtin_add_overflow(value, (int64_t)(*c.at - '0'), &value)) {
            return false;
        }
    }
    if (c.at == start || (take(&c, '.') && !take_fraction(&c, &fraction)) || c.at != c.end) {
        return false;
    }
    static const int64_t ends[] = {100000000000, 100000000000000, 100000000000000000};
    int64_t unit = TIME_SECOND;
    for (int i = 0; i < 3 && value >= ends[i]; i++) {
        unit /= 1000;
    }
    __int128_t whole = (__int128_t)value * unit + fraction / (TIME_SECOND / unit);
    whole = negative ? -whole : whole;
    if (whole < INT64_MIN || whole > INT64_MAX) {
        return false;
    }
    *ns = (int64_t)whole;
    return true;
}

bool time_parse(struct slice text, int64_t *ns)
{
    text = slice_trim(text);
    if (text.size == 0) {
        return false;
    }
    const struct cursor c = {text.at, text.at + text.size};
    return parse_iso(c, ns) || parse_common(c, ns) || parse_epoch(c, ns);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_digits(char *to, int64_t value, int count)
{
    for (int i = count; i-- > 0; value /= 10) {
        to[i] = (char)('0' + value % 10);
    }
}

/* The inverse of time_days. */
static void split_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t d = days + 719468;
    int64_t era = floor_div(d, 146097);
    int64_t of_era = d - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (y * 365 + y / 4 - y / 100);
    int64_t m = (of_year * 5 + 2) / 153;
    *day = (int)(of_year - (m * 153 + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = era * 400 + y + (*month <= 2);
}

void time_format(struct buf *out, int64_t ns)
{
    int64_t all_seconds = floor_div(ns, TIME_SECOND);
    int64_t fraction = ns % TIME_SECOND + (ns % TIME_SECOND < 0 ? TIME_SECOND : 0);
    int64_t days = floor_div(all_seconds, 86400);
    int64_t seconds = all_seconds - days * 86400;
    int64_t year;
    int month, day;
    split_days(days, &year, &month, &day);
    char text[] = "0000-00-00T00:00:00.000000000Z";
    put_digits(text, year, 4);
    put_digits(text + 5, month, 2);
    put_digits(text + 8, day, 2);
    put_digits(text + 11, seconds / 3600, 2);
    put_digits(text + 14, seconds / 60 % 60, 2);
    put_digits(text + 17, seconds % 60, 2);
    put_digits(text + 20, fraction, 9);
    size_t size = 29;
    if (fraction == 0) {
        size = 19;
    } else if (fraction % 1000000 == 0) {
        size = 23;
    } else if (fraction % 1000 == 0) {
        size = 26;
    }
    text[size] = 'Z';
    buf_add(out, slice_of(text, size + 1));
}
