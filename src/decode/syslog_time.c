#include "decode/syslog_time.h"

#include <stdio.h>
#include <string.h>

struct cursor {
    const char *at, *end;
};

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool take(struct cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte) {
        return false;
    }
    c->at++;
    return true;
}

static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

/* `least` to `most` digits, and no digit behind them. */
static bool take_number(struct cursor *c, int least, int most, int *value)
{
    int digits = 0;
    *value = 0;
    while (c->at < c->end && slice_is_digit(*c->at) && digits <= most) {
        *value = *value * 10 + (*c->at++ - '0');
        digits++;
    }
    return digits >= least && digits <= most;
}

static bool two(const char *at, int8_t *value)
{
    if (!slice_is_digit(at[0]) || !slice_is_digit(at[1])) {
        return false;
    }
    *value = (int8_t)((at[0] - '0') * 10 + (at[1] - '0'));
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

static int month_of(const struct cursor *c)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (c->end - c->at < 3) {
        return 0;
    }
    char a = (char)(c->at[0] | 0x20), b = (char)(c->at[1] | 0x20), d = (char)(c->at[2] | 0x20);
    for (int i = 0; i < 12; i++) {
        if (names[i * 3] == a && names[i * 3 + 1] == b && names[i * 3 + 2] == d) {
            return i + 1;
        }
    }
    return 0;
}

static bool take_month(struct cursor *c, struct syslog_time *t)
{
    t->month = (int8_t)month_of(c);
    c->at += t->month ? 3 : 0;
    return t->month != 0;
}

static bool take_weekday(struct cursor *c)
{
    static const char names[] = "MonTueWedThuFriSatSun";
    for (int i = 0; c->end - c->at > 4 && i < 7; i++) {
        if (memcmp(c->at, names + i * 3, 3) == 0 && (c->at[3] == ' ' || c->at[3] == ',')) {
            c->at += c->at[3] == ',' ? 5 : 4;
            return true;
        }
    }
    return false;
}

/* Names of zones that mean one thing: those of RFC 822 section 5.1, and Europe's. */
static const struct {
    struct slice name;
    int8_t hours;
} zones[] = {
        {{"UTC", sizeof("UTC") - 1}, 0},
        {{"GMT", sizeof("GMT") - 1}, 0},
        {{"Z", sizeof("Z") - 1}, 0},
        {{"EST", sizeof("EST") - 1}, -5},
        {{"EDT", sizeof("EDT") - 1}, -4},
        {{"CST", sizeof("CST") - 1}, -6},
        {{"CDT", sizeof("CDT") - 1}, -5},
        {{"MST", sizeof("MST") - 1}, -7},
        {{"MDT", sizeof("MDT") - 1}, -6},
        {{"PST", sizeof("PST") - 1}, -8},
        {{"PDT", sizeof("PDT") - 1}, -7},
        {{"WET", sizeof("WET") - 1}, 0},
        {{"WEST", sizeof("WEST") - 1}, 1},
        {{"CET", sizeof("CET") - 1}, 1},
        {{"CEST", sizeof("CEST") - 1}, 2},
        {{"EET", sizeof("EET") - 1}, 2},
        {{"EEST", sizeof("EEST") - 1}, 3},
        {{"MSK", sizeof("MSK") - 1}, 3},
};

/* +hh:mm, +hhmm or +hh */
static bool zone_number(struct slice name, int32_t *east)
{
    struct cursor c = {name.at, name.at + name.size};
    int minutes = 0;
    int8_t hour;
    if (name.size < 3 || (*name.at != '+' && *name.at != '-') || !two(name.at + 1, &hour)) {
        return false;
    }
    c.at += 3;
    if ((take(&c, ':') || c.at < c.end) && (!take_number(&c, 2, 2, &minutes) || c.at != c.end)) {
        return false;
    }
    if (hour > 23 || minutes > 59) {
        return false;
    }
    *east = (hour * 60 + minutes) * (*name.at == '-' ? -60 : 60);
    return true;
}

bool syslog_time_zone(struct slice name, int32_t *east)
{
    for (size_t i = 0; name.size < 5 && i < sizeof zones / sizeof *zones; i++) {
        if (slice_equal(name, zones[i].name)) {
            *east = zones[i].hours * 3600;
            return true;
        }
    }
    return zone_number(name, east);
}

/* A zone at the cursor, up to a blank, a colon that ends the timestamp, or the end. */
static bool take_zone(struct cursor *c, struct syslog_time *t)
{
    const char *end = c->at;
    bool sign = end < c->end && (*end == '+' || *end == '-');
    end += sign;
    while (end < c->end &&
            (is_letter(*end) || slice_is_digit(*end) ||
                    (sign && *end == ':' && end + 1 < c->end && slice_is_digit(end[1])))) {
        end++;
    }
    if (!syslog_time_zone(slice_of(c->at, (size_t)(end - c->at)), &t->east)) {
        return false;
    }
    t->zoned = true;
    c->at = end;
    return true;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Digits behind '.' or ','; those past the ninth are dropped. */
static void take_fraction(struct cursor *c, struct syslog_time *t)
{
    int32_t unit = (int32_t)TIME_SECOND;
    if ((peek(c) != '.' && peek(c) != ',') || c->end - c->at < 2 || !slice_is_digit(c->at[1])) {
        return;
    }
    for (c->at++; c->at < c->end && slice_is_digit(*c->at); c->at++) {
        unit /= 10;
        t->fraction += (*c->at - '0') * unit;
    }
}

/* hh:mm:ss or h:mm:ss, perhaps with a fraction. */
static bool take_clock(struct cursor *c, struct syslog_time *t)
{
    int hour;
    if (!take_number(c, 1, 2, &hour) || c->end - c->at < 6 || c->at[0] != ':' || c->at[3] != ':' ||
            !two(c->at + 1, &t->minute) || !two(c->at + 4, &t->second)) {
        return false;
    }
    t->hour = (int8_t)hour;
    c->at += 6;
    take_fraction(c, t);
    return t->hour < 24 && t->minute < 60 && t->second <= 60;
}

static bool take_day(struct cursor *c, struct syslog_time *t)
{
    int day;
    while (peek(c) == ' ') {
        c->at++;
    }
    if (!take_number(c, 1, 2, &day) || day < 1 || day > 31) {
        return false;
    }
    t->day = (int8_t)day;
    return true;
}

/* Four digits of a year and what ends them. */
static bool take_year(struct cursor *c, struct syslog_time *t)
{
    struct cursor look = *c;
    int year;
    if (!take_number(&look, 4, 4, &year) || year < 1970 || year > 2200 || peek(&look) == ':' ||
            peek(&look) == '.') {
        return false;
    }
    t->year = (int16_t)year;
    *c = look;
    return true;
}

/* ---- forms ----------------------------------------------------------------------------------- */

/* What may stand behind: " UTC", " +0200", " 2024", and a colon. */
static void take_tail(struct cursor *c, struct syslog_time *t)
{
    struct cursor look = *c;
    struct syslog_time year = {0};
    if (!t->zoned && take(&look, ' ') && take_zone(&look, t)) {
        *c = look;
    }
    look = *c;
    if (t->year == 0 && take(&look, ' ') && take_year(&look, &year) &&
            (peek(&look) == ' ' || peek(&look) == ':' || look.at == look.end)) {
        t->year = year.year;
        *c = look;
    }
    take(c, ':');
}

/* Nov 22 16:02:33; Nov 22 2024 16:02:33; Nov 22 16:02:33 2024; Nov 22 16:02:33.123 CET 2024: */
static bool read_month_first(struct cursor *c, struct syslog_time *t)
{
    if (!take_month(c, t) || peek(c) != ' ' || !take_day(c, t)) {
        return false;
    }
    take(c, ',');
    if (!take(c, ' ')) {
        return false;
    }
    if (take_year(c, t)) {
        take(c, ',');
        if (!take(c, ' ')) {
            return false;
        }
    }
    if (!take_clock(c, t)) {
        return false;
    }
    if (peek(c) == ' ' || peek(c) == ':') {
        take_tail(c, t);
    }
    return true;
}

/* 2024 Mar  1 12:00:00, behind the year and the blank */
static bool read_month_second(struct cursor *c, struct syslog_time *t)
{
    if (!take_month(c, t) || !take_day(c, t) || !take(c, ' ') || !take_clock(c, t)) {
        return false;
    }
    take_tail(c, t);
    return true;
}

/* mm-ddT or with blanks and slashes, behind the year */
static bool take_month_and_day(struct cursor *c, struct syslog_time *t)
{
    int month;
    char separator = *c->at++;
    if (!take_number(c, 2, 2, &month) || month < 1 || month > 12 || !take(c, separator) ||
            !take_day(c, t)) {
        return false;
    }
    t->month = (int8_t)month;
    return take(c, 'T') || take(c, ' ');
}

/* 2024-03-01T12:00:00.5+01:00; 2024-03-01 12:00:00,123; 2024/03/01 12:00:00; 2024 Mar  1 12:00:00
 */
static bool read_year_first(struct cursor *c, struct syslog_time *t)
{
    if (!take_year(c, t)) {
        return false;
    }
    if (take(c, ' ')) {
        return read_month_second(c, t);
    }
    if ((peek(c) != '-' && peek(c) != '/') || !take_month_and_day(c, t) || !take_clock(c, t)) {
        return false;
    }
    char zone = peek(c);
    if (take_zone(c, t)) {
        t->iso = zone == '+' || zone == '-' || c->at[-1] == 'Z';
        take(c, ':');
        return true;
    }
    take_tail(c, t);
    return true;
}

/* 22 Nov 2024 16:02:33; 22/Nov/2024:16:02:33 +0100; 11/22/2024:16:02:33 GMT (NetScaler) */
static bool read_day_first(struct cursor *c, struct syslog_time *t)
{
    int first, second;
    if (!take_number(c, 1, 2, &first)) {
        return false;
    }
    char separator = peek(c);
    if (separator != ' ' && separator != '/' && separator != '-') {
        return false;
    }
    c->at++;
    t->day = (int8_t)first;
    if (!take_month(c, t)) {
        if (separator != '/' || !take_number(c, 2, 2, &second) || first > 12) {
            return false;
        }
        t->month = (int8_t)first;
        t->day = (int8_t)second;
    }
    int year;
    if (!take(c, separator) || !take_number(c, 4, 4, &year) || (!take(c, ' ') && !take(c, ':')) ||
            !take_clock(c, t)) {
        return false;
    }
    t->year = (int16_t)year;
    take_tail(c, t);
    return t->day >= 1 && t->day <= 31;
}

/* Meraki: 1673541902.311547724 */
static bool read_epoch(struct cursor *c, struct syslog_time *t)
{
    const char *start = c->at;
    while (slice_is_digit(peek(c))) {
        c->at++;
    }
    if (c->at - start < 10 || c->at - start > 13 || !take(c, '.') || !slice_is_digit(peek(c))) {
        return false;
    }
    while (slice_is_digit(peek(c))) {
        c->at++;
    }
    t->iso = true;
    return true;
}

size_t syslog_time_read(struct slice text, struct syslog_time *t)
{
    typedef bool form(struct cursor * c, struct syslog_time * t);
    static form *const of_digits[] = {read_year_first, read_day_first, read_epoch};
    struct cursor c = {text.at, text.at + text.size};
    *t = (struct syslog_time){0};
    if (text.size < 14) {
        return 0;
    }
    bool found = false;
    if (slice_is_digit(*text.at)) {
        for (size_t i = 0; !found && i < 3; i++) {
            c.at = text.at;
            *t = (struct syslog_time){0};
            found = of_digits[i](&c, t);
        }
    } else {
        take_weekday(&c);
        found = slice_is_digit(peek(&c)) ? read_day_first(&c, t) : read_month_first(&c, t);
    }
    if (!found || (c.at < c.end && *c.at != ' ' && c.at[-1] != ':')) {
        *t = (struct syslog_time){0};
        return 0;
    }
    size_t size = (size_t)(c.at - text.at);
    t->text = slice_of(text.at, size - (c.at[-1] == ':'));
    return size;
}

/* What follows a timestamp decides whether it ends there (a zone, a year): a blank, a letter and
 * four bytes more tell, since zones' names are shorter and years have digits. */
enum { DECISIVE = 6 };

/* At least 8 bytes, without a call. */
static inline bool same_bytes(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    for (size_t i = 0; i + 8 < size; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) {
            return false;
        }
    }
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return x == y;
}

size_t syslog_time_recall(
        struct syslog_time_memory *memory, struct slice text, struct syslog_time *t)
{
    if (memory->size > 0 && text.size > memory->size &&
            same_bytes(text.at, memory->bytes, memory->size)) {
        *t = memory->time;
        t->text.at = text.at;
        return memory->read;
    }
    size_t read = syslog_time_read(text, t), size = read + DECISIVE;
    if (read > 0 && size <= sizeof memory->bytes && size <= text.size && text.at[read] == ' ' &&
            is_letter(text.at[read + 1])) {
        memcpy(memory->bytes, text.at, size);
        memory->size = size;
        memory->read = read;
        memory->time = *t;
    }
    return read;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool exists(const struct syslog_time *t, int year)
{
    static const int8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return t->month >= 1 && t->month <= 12 && t->day <= days[t->month - 1] &&
           (t->month != 2 || t->day < 29 || leap(year));
}

static int64_t seconds_of(const struct syslog_time *t, int year, int32_t east)
{
    return time_days(year, t->month, t->day) * 86400 + t->hour * 3600 + t->minute * 60 + t->second -
           east;
}

/* The latest year in which the time is not after `most`; 0: none. A 29th of February can be eight
 * years back. */
static int latest_year(const struct syslog_time *t, int64_t most, int32_t east)
{
    int64_t days = most / 86400;
    int year = (int)(1970 + days / 365 + 1); /* never too low */
    for (int i = 0; i < 12 + days / 1400; i++, year--) {
        if (exists(t, year) && seconds_of(t, year, east) <= most) {
            return year;
        }
    }
    return 0;
}

static int year_of(const struct syslog_clock *clock, const struct syslog_time *t, int32_t east)
{
    int64_t most;
    if (t->year || clock->year) {
        return t->year ? t->year : clock->year;
    }
    if (clock->written_ns < 0 ||
            __builtin_add_overflow(clock->written_ns, SYSLOG_TIME_AHEAD, &most)) {
        return 0;
    }
    return latest_year(t, most / TIME_SECOND, east);
}

static size_t put_digits(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return (size_t)digits;
}

/* yyyy-mm-ddThh:mm:ss[.fffffffff]+hh:mm */
static size_t write_text(char *to, const struct syslog_time *t, int year, int32_t east)
{
    const int parts[] = {t->month, t->day, t->hour, t->minute, t->second};
    size_t n = put_digits(to, year, 4);
    for (int i = 0; i < 5; i++) {
        to[n++] = "--T::"[i];
        n += put_digits(to + n, parts[i], 2);
    }
    if (t->fraction) {
        int32_t fraction = t->fraction;
        int digits = 9;
        for (; fraction % 1000 == 0; fraction /= 1000) {
            digits -= 3;
        }
        to[n++] = '.';
        n += put_digits(to + n, fraction, digits);
    }
    if (east == 0) {
        to[n++] = 'Z';
        return n;
    }
    int32_t minutes = (east < 0 ? -east : east) / 60;
    to[n++] = east < 0 ? '-' : '+';
    n += put_digits(to + n, minutes / 60, 2);
    to[n++] = ':';
    return n + put_digits(to + n, minutes % 60, 2);
}

struct slice syslog_time_text(struct syslog_clock *clock, const struct syslog_time *t)
{
    if (t->iso || t->text.size == 0) {
        return t->text;
    }
    if (t->text.size == clock->last_size && clock->last_size >= 8 &&
            same_bytes(clock->last, t->text.at, clock->last_size)) {
        return slice_of(clock->made, clock->made_size);
    }
    int32_t east = t->zoned ? t->east : clock->east;
    int year = year_of(clock, t, east);
    clock->made_size = year && exists(t, year) ? write_text(clock->made, t, year, east) : 0;
    clock->last_size = t->text.size <= SYSLOG_TIME_TEXT ? t->text.size : 0;
    memcpy(clock->last, t->text.at, clock->last_size);
    return slice_of(clock->made, clock->made_size);
}
