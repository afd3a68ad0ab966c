#include "event/typed.h"

#include <string.h>

static uint16_t load_u16(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t load_u32(const char *at)
{
    return (uint32_t)load_u16(at) | (uint32_t)load_u16(at + 2) << 16;
}

static uint64_t load_u64(const char *at)
{
    return (uint64_t)load_u32(at) | (uint64_t)load_u32(at + 4) << 32;
}

size_t typed_u64(uint64_t number, char *to)
{
    char digits[20];
    size_t n = sizeof digits;
    for (; number >= 10; number /= 10) {
        digits[--n] = (char)('0' + number % 10);
    }
    digits[--n] = (char)('0' + number);
    memcpy(to, digits + n, sizeof digits - n);
    return sizeof digits - n;
}

size_t typed_i64(int64_t number, char *to)
{
    if (number >= 0) {
        return typed_u64((uint64_t)number, to);
    }
    to[0] = '-';
    return 1 + typed_u64(0 - (uint64_t)number, to + 1);
}

static size_t write_hex(uint64_t number, char *to)
{
    unsigned nibbles = number ? (67 - (unsigned)__builtin_clzll(number)) / 4 : 1;
    to[0] = '0';
    to[1] = 'x';
    for (unsigned i = 0; i < nibbles; i++) {
        to[2 + i] = "0123456789abcdef"[number >> 4 * (nibbles - 1 - i) & 15];
    }
    return 2 + nibbles;
}

static void write_byte_hex(unsigned char byte, char *to)
{
    to[0] = "0123456789ABCDEF"[byte >> 4];
    to[1] = "0123456789ABCDEF"[byte & 15];
}

static size_t write_guid(struct slice bytes, char *to)
{
    /* The first three groups are little-endian numbers (RFC 9562 section 4 has them big-endian). */
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t n = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            to[n++] = '-';
        }
        write_byte_hex((unsigned char)bytes.at[order[i]], to + n);
        n += 2;
    }
    return n;
}

static size_t write_sid(struct slice bytes, char *to)
{
    /* [MS-DTYP] 2.4.2: revision, count, a big-endian authority, little-endian sub-authorities. */
    const unsigned char *p = (const unsigned char *)bytes.at;
    uint64_t authority = 0;
    for (unsigned i = 2; i < TYPED_SID_HEADER; i++) {
        authority = authority << 8 | p[i];
    }
    size_t n = 2;
    memcpy(to, "S-", 2);
    n += typed_u64(p[0], to + n);
    to[n++] = '-';
    n += typed_u64(authority, to + n);
    for (unsigned i = 0; i < p[1]; i++) {
        to[n++] = '-';
        n += typed_u64(load_u32(bytes.at + TYPED_SID_HEADER + 4 * i), to + n);
    }
    return n;
}

static void write_two(unsigned number, char *to)
{
    to[0] = (char)('0' + number / 10);
    to[1] = (char)('0' + number % 10);
}

struct moment {
    unsigned year, month, day, hour, minute, second, micro;
};

static size_t write_moment(const struct moment *m, char *to)
{
    size_t n = 4;
    if (m->year > 9999) {
        n = typed_u64(m->year, to);
    } else {
        write_two(m->year / 100, to);
        write_two(m->year % 100, to + 2);
    }
    char *rest = to + n;
    memcpy(rest, "-00-00T00:00:00.000000Z", 23);
    write_two(m->month, rest + 1);
    write_two(m->day, rest + 4);
    write_two(m->hour, rest + 7);
    write_two(m->minute, rest + 10);
    write_two(m->second, rest + 13);
    write_two(m->micro / 10000, rest + 16);
    write_two(m->micro / 100 % 100, rest + 18);
    write_two(m->micro % 100, rest + 20);
    return n + 23;
}

/* Days since 1601-01-01, the start of a cycle of 400 years. */
static void set_day(struct moment *m, uint64_t days)
{
    uint64_t cycle = days / 146097;
    uint32_t day = (uint32_t)(days % 146097);
    uint32_t century = day / 36524;
    century -= century == 4; /* the last day of the cycle */
    day -= century * 36524;
    uint32_t leap = day / 1461;
    day -= leap * 1461;
    uint32_t year = day / 365;
    year -= year == 4;
    day -= year * 365;
    m->year = (unsigned)(1601 + cycle * 400 + century * 100 + leap * 4 + year);
    bool leap_year = year == 3 && (leap != 24 || century == 3);
    static const uint16_t before[2][13] = {
            {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
            {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};
    unsigned month = day / 32; /* never too late, at most one too early */
    month += day >= before[leap_year][month + 1];
    m->month = month + 1;
    m->day = day - before[leap_year][month] + 1;
}

static size_t write_filetime(uint64_t ticks, char *to)
{
    struct moment m;
    uint64_t seconds = ticks / 10000000;
    uint32_t of_day = (uint32_t)(seconds % 86400);
    set_day(&m, seconds / 86400);
    m.hour = of_day / 3600;
    m.minute = of_day / 60 % 60;
    m.second = of_day % 60;
    m.micro = (unsigned)(ticks % 10000000 / 10);
    return write_moment(&m, to);
}

static size_t write_systemtime(struct slice bytes, char *to)
{
    /* [MS-DTYP] 2.3.13; the day of the week, the third number, says nothing new. */
    struct moment m = {
            .year = load_u16(bytes.at),
            .month = load_u16(bytes.at + 2),
            .day = load_u16(bytes.at + 6),
            .hour = load_u16(bytes.at + 8),
            .minute = load_u16(bytes.at + 10),
            .second = load_u16(bytes.at + 12),
            .micro = 1000u * load_u16(bytes.at + 14),
    };
    bool valid = m.month >= 1 && m.month <= 12 && m.day >= 1 && m.day <= 31 && m.hour < 24 &&
                 m.minute < 60 && m.second < 60 && m.micro < 1000000 && m.year >= 1601;
    return valid ? write_moment(&m, to) : write_filetime(0, to);
}

static size_t write_integer(uint8_t type, const char *at, char *to)
{
    switch (type) {
    case TYPED_INT8:
        return typed_i64((int8_t)at[0], to);
    case TYPED_UINT8:
        return typed_u64((uint8_t)at[0], to);
    case TYPED_INT16:
        return typed_i64((int16_t)load_u16(at), to);
    case TYPED_UINT16:
        return typed_u64(load_u16(at), to);
    case TYPED_INT32:
        return typed_i64((int32_t)load_u32(at), to);
    case TYPED_UINT32:
        return typed_u64(load_u32(at), to);
    case TYPED_INT64:
        return typed_i64((int64_t)load_u64(at), to);
    default:
        return typed_u64(load_u64(at), to);
    }
}

static size_t write_bool(const char *at, char *to)
{
    uint32_t number = load_u32(at);
    if (number > 1) {
        return typed_i64((int32_t)number, to); /* some providers store bit masks as booleans */
    }
    memcpy(to, number ? "true" : "false", 5);
    return number ? 4 : 5;
}

size_t typed_write(uint8_t type, struct slice bytes, char *to)
{
    switch (type) {
    case TYPED_BOOL:
        return write_bool(bytes.at, to);
    case TYPED_GUID:
        return write_guid(bytes, to);
    case TYPED_FILETIME:
        return write_filetime(load_u64(bytes.at), to);
    case TYPED_SYSTEMTIME:
        return write_systemtime(bytes, to);
    case TYPED_SID:
        return write_sid(bytes, to);
    case TYPED_HEX32:
        return write_hex(load_u32(bytes.at), to);
    case TYPED_HEX64:
        return write_hex(load_u64(bytes.at), to);
    case TYPED_SIZE:
        return write_hex(bytes.size == 4 ? load_u32(bytes.at) : load_u64(bytes.at), to);
    default:
        return type >= TYPED_INT8 && type <= TYPED_UINT64 ? write_integer(type, bytes.at, to) : 0;
    }
}
