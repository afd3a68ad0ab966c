#include "decode/evtx_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { SID_HEADER = 8, NUMBER_ROOM = 40, TIME_ROOM = 32 };

/* Size in bytes of a value of a type that has one size. */
static const uint8_t fixed_size[EVTX_XML + 1] = {
        [EVTX_INT8] = 1,
        [EVTX_UINT8] = 1,
        [EVTX_INT16] = 2,
        [EVTX_UINT16] = 2,
        [EVTX_INT32] = 4,
        [EVTX_UINT32] = 4,
        [EVTX_INT64] = 8,
        [EVTX_UINT64] = 8,
        [EVTX_REAL32] = 4,
        [EVTX_REAL64] = 8,
        [EVTX_BOOL] = 4,
        [EVTX_GUID] = 16,
        [EVTX_FILETIME] = 8,
        [EVTX_SYSTEMTIME] = 16,
        [EVTX_HEX32] = 4,
        [EVTX_HEX64] = 8,
};

static bool type_known(uint8_t type)
{
    return type <= EVTX_HEX64 || type == EVTX_HANDLE || type == EVTX_BINXML || type == EVTX_XML;
}

static size_t sid_size(struct slice bytes)
{
    if (bytes.size < SID_HEADER) {
        return 0;
    }
    size_t size = SID_HEADER + 4 * (size_t)(unsigned char)bytes.at[1];
    return size <= bytes.size ? size : 0;
}

bool evtx_text_fits(uint8_t type, struct slice bytes)
{
    uint8_t element = type & (EVTX_ARRAY - 1);
    if (!type_known(element)) {
        return false;
    }
    uint8_t fixed = fixed_size[element];
    if (bytes.size == 0) {
        return true;
    }
    if (type & EVTX_ARRAY) {
        return fixed == 0 || bytes.size % fixed == 0;
    }
    if (fixed) {
        return bytes.size == fixed;
    }
    if (type == EVTX_SID) {
        return sid_size(bytes) != 0;
    }
    return type != EVTX_SIZE || bytes.size == 4 || bytes.size == 8;
}

bool evtx_text_unset(uint8_t type, struct slice bytes)
{
    if (bytes.size == 0 || type == EVTX_NULL) {
        return true;
    }
    if (type == EVTX_STRING) {
        return bytes.size < 2 || (bytes.at[0] | bytes.at[1]) == 0;
    }
    size_t i = 0;
    while (type == EVTX_ANSI && i < bytes.size && bytes.at[i] == 0) {
        i++;
    }
    return i == bytes.size;
}

struct slice evtx_text_utf16(struct slice bytes)
{
    size_t i = 0;
    size_t size = bytes.size & ~(size_t)1;
#ifdef __SSE2__
    for (; i + 16 <= size; i += 16) {
        __m128i units = _mm_loadu_si128((const __m128i *)(const void *)(bytes.at + i));
        int zero = _mm_movemask_epi8(_mm_cmpeq_epi16(units, _mm_setzero_si128()));
        if (zero) {
            return slice_of(bytes.at, i + (size_t)__builtin_ctz((unsigned)zero));
        }
    }
#endif
    while (i < size && (bytes.at[i] || bytes.at[i + 1])) {
        i += 2;
    }
    return slice_of(bytes.at, i);
}

static size_t string_item(struct slice rest, bool wide, struct slice *item)
{
    size_t end;
    if (wide) {
        *item = evtx_text_utf16(rest);
        end = item->size + 2;
    } else {
        *item = slice_of(rest.at, slice_find_byte(rest, 0));
        end = item->size + 1;
    }
    return end < rest.size ? end : rest.size;
}

bool evtx_text_item(uint8_t type, struct slice bytes, uint32_t *at, struct slice *item)
{
    if (*at >= bytes.size) {
        return false;
    }
    uint8_t element = type & (EVTX_ARRAY - 1);
    struct slice rest = slice_of(bytes.at + *at, bytes.size - *at);
    size_t size = fixed_size[element];
    if (element == EVTX_STRING || element == EVTX_ANSI) {
        size = string_item(rest, element == EVTX_STRING, item);
        *at += (uint32_t)size;
        return true;
    }
    if (element == EVTX_SID) {
        size = sid_size(rest);
    }
    if (size == 0) {
        size = rest.size; /* elements of no known size: one */
    }
    *item = slice_of(rest.at, size);
    *at += (uint32_t)size;
    return true;
}

static size_t element_room(uint8_t type, size_t size)
{
    switch (type) {
    case EVTX_STRING:
    case EVTX_ANSI:
        return 3 * size;
    case EVTX_SID:
        return NUMBER_ROOM + size / 4 * 11;
    case EVTX_BINARY:
    case EVTX_HANDLE:
    case EVTX_XML:
    case EVTX_BINXML:
        return 2 * size;
    case EVTX_SYSTEMTIME:
        return TIME_ROOM + NUMBER_ROOM;
    default:
        return NUMBER_ROOM;
    }
}

size_t evtx_text_room(uint8_t type, size_t size)
{
    uint8_t element = type & (EVTX_ARRAY - 1);
    if (!(type & EVTX_ARRAY)) {
        return element_room(element, size);
    }
    size_t fixed = fixed_size[element];
    if (fixed == 0) {
        return 16 * size + NUMBER_ROOM; /* a SID of 8 bytes is the longest for its size */
    }
    return size / fixed * (fixed <= 2 ? 8 : NUMBER_ROOM + 8);
}

static size_t write_u64(uint64_t number, char *to)
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

static size_t write_i64(int64_t number, char *to)
{
    if (number >= 0) {
        return write_u64((uint64_t)number, to);
    }
    to[0] = '-';
    return 1 + write_u64(0 - (uint64_t)number, to + 1);
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

static size_t write_binary(struct slice bytes, char *to)
{
    for (size_t i = 0; i < bytes.size; i++) {
        write_byte_hex((unsigned char)bytes.at[i], to + 2 * i);
    }
    return 2 * bytes.size;
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
    for (unsigned i = 2; i < SID_HEADER; i++) {
        authority = authority << 8 | p[i];
    }
    size_t n = 2;
    memcpy(to, "S-", 2);
    n += write_u64(p[0], to + n);
    to[n++] = '-';
    n += write_u64(authority, to + n);
    for (unsigned i = 0; i < p[1]; i++) {
        to[n++] = '-';
        n += write_u64(evtx_u32(bytes.at + SID_HEADER + 4 * i), to + n);
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
        n = write_u64(m->year, to);
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
            .year = evtx_u16(bytes.at),
            .month = evtx_u16(bytes.at + 2),
            .day = evtx_u16(bytes.at + 6),
            .hour = evtx_u16(bytes.at + 8),
            .minute = evtx_u16(bytes.at + 10),
            .second = evtx_u16(bytes.at + 12),
            .micro = 1000u * evtx_u16(bytes.at + 14),
    };
    bool valid = m.month >= 1 && m.month <= 12 && m.day >= 1 && m.day <= 31 && m.hour < 24 &&
                 m.minute < 60 && m.second < 60 && m.micro < 1000000 && m.year >= 1601;
    return valid ? write_moment(&m, to) : write_filetime(0, to);
}

/* digits * 10^(point - count): plain where that is short, else with an exponent. */
static size_t place_point(const char *digits, int count, int point, char *to)
{
    size_t n = 0;
    if (point > 0 && point <= 16) {
        for (int i = 0; i < point; i++) {
            to[n++] = i < count ? digits[i] : '0';
        }
        to[n++] = '.';
        if (count <= point) {
            to[n++] = '0';
        }
        for (int i = point; i < count; i++) {
            to[n++] = digits[i];
        }
        return n;
    }
    if (point > -5 && point <= 0) {
        memcpy(to, "0.0000000", 9);
        n = 2 + (size_t)-point;
        memcpy(to + n, digits, (size_t)count);
        return n + (size_t)count;
    }
    to[n++] = digits[0];
    if (count > 1) {
        to[n++] = '.';
        memcpy(to + n, digits + 1, (size_t)count - 1);
        n += (size_t)count - 1;
    }
    to[n++] = 'e';
    return n + write_i64(point - 1, to + n);
}

/* Takes the digits and the exponent out of "1.25e+03"; zeros at the end are dropped. */
static int take_digits(const char *text, char digits[24], int *exponent)
{
    int count = 0;
    for (const char *p = text; *p; p++) {
        if (*p == 'e') {
            *exponent = (int)strtol(p + 1, NULL, 10);
            break;
        }
        if (*p >= '0' && *p <= '9') {
            digits[count++] = *p;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

/* The fewest digits that give the same number again. */
static size_t write_real(double number, bool is_float, char *to)
{
    if (isnan(number) || isinf(number)) {
        const char *word = isnan(number) ? "NaN" : number < 0 ? "-inf" : "inf";
        size_t size = strlen(word);
        memcpy(to, word, size);
        return size;
    }
    char text[NUMBER_ROOM];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(number));
        double back = strtod(text, NULL);
        if (is_float ? (float)back == (float)fabs(number) : back == fabs(number)) {
            break;
        }
    }
    char digits[24];
    int exponent = 0;
    int count = take_digits(text, digits, &exponent);
    size_t n = 0;
    if (signbit(number)) {
        to[n++] = '-';
    }
    return n + place_point(digits, count, exponent + 1, to + n);
}

/* Windows-1252 above 0x7f as the WHATWG Encoding Standard has it; NULs inside are dropped. */
static size_t write_ansi(struct slice bytes, char *to)
{
    static const uint16_t high[32] = {0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021,
            0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C,
            0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E,
            0x178};
    size_t n = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte >= 0x80) {
            n += utf8_encode(byte < 0xA0 ? high[byte - 0x80] : byte, to + n);
        } else if (byte) {
            to[n++] = (char)byte;
        }
    }
    return n;
}

static size_t write_integer(uint8_t type, const char *at, char *to)
{
    switch (type) {
    case EVTX_INT8:
        return write_i64((int8_t)at[0], to);
    case EVTX_UINT8:
        return write_u64((uint8_t)at[0], to);
    case EVTX_INT16:
        return write_i64((int16_t)evtx_u16(at), to);
    case EVTX_UINT16:
        return write_u64(evtx_u16(at), to);
    case EVTX_INT32:
        return write_i64((int32_t)evtx_u32(at), to);
    case EVTX_UINT32:
        return write_u64(evtx_u32(at), to);
    case EVTX_INT64:
        return write_i64((int64_t)evtx_u64(at), to);
    default:
        return write_u64(evtx_u64(at), to);
    }
}

static size_t write_bool(const char *at, char *to)
{
    uint32_t number = evtx_u32(at);
    if (number > 1) {
        return write_i64((int32_t)number, to); /* some providers store bit masks as booleans */
    }
    memcpy(to, number ? "true" : "false", 5);
    return number ? 4 : 5;
}

static size_t write_float(uint8_t type, const char *at, char *to)
{
    if (type == EVTX_REAL32) {
        uint32_t bits = evtx_u32(at);
        float number;
        memcpy(&number, &bits, sizeof number);
        return write_real((double)number, true, to);
    }
    uint64_t bits = evtx_u64(at);
    double number;
    memcpy(&number, &bits, sizeof number);
    return write_real(number, false, to);
}

static size_t write_rest(uint8_t type, struct slice bytes, char *to)
{
    if (type == EVTX_REAL32 || type == EVTX_REAL64) {
        return write_float(type, bytes.at, to);
    }
    return type <= EVTX_UINT64 ? write_integer(type, bytes.at, to) : write_binary(bytes, to);
}

static size_t write_one(uint8_t type, struct slice bytes, char *to)
{
    switch (type) {
    case EVTX_NULL:
        return 0;
    case EVTX_STRING:
        return utf8_from_utf16(evtx_text_utf16(bytes), to);
    case EVTX_ANSI:
        return write_ansi(bytes, to);
    case EVTX_BOOL:
        return write_bool(bytes.at, to);
    case EVTX_GUID:
        return write_guid(bytes, to);
    case EVTX_FILETIME:
        return write_filetime(evtx_u64(bytes.at), to);
    case EVTX_SYSTEMTIME:
        return write_systemtime(bytes, to);
    case EVTX_SID:
        return write_sid(bytes, to);
    case EVTX_HEX32:
        return write_hex(evtx_u32(bytes.at), to);
    case EVTX_HEX64:
        return write_hex(evtx_u64(bytes.at), to);
    case EVTX_SIZE:
        return write_hex(bytes.size == 4 ? evtx_u32(bytes.at) : evtx_u64(bytes.at), to);
    default:
        return write_rest(type, bytes, to);
    }
}

size_t evtx_text_write(uint8_t type, struct slice bytes, char *to)
{
    if (!(type & EVTX_ARRAY)) {
        return write_one(type, bytes, to);
    }
    uint8_t element = type & (EVTX_ARRAY - 1);
    uint32_t at = 0;
    size_t n = 0;
    struct slice item;
    while (evtx_text_item(type, bytes, &at, &item)) {
        if (item.at != bytes.at) {
            to[n++] = ',';
        }
        bool odd = !evtx_text_fits(element, item) || item.size == 0;
        n += odd ? write_binary(item, to + n) : write_one(element, item, to + n);
    }
    return n;
}

enum value_kind evtx_text_kind(uint8_t type, struct slice bytes)
{
    if (type == EVTX_BOOL) {
        return evtx_u32(bytes.at) > 1 ? VALUE_NUMBER : VALUE_BOOL;
    }
    return type >= EVTX_INT8 && type <= EVTX_UINT64 ? VALUE_NUMBER : VALUE_STRING;
}

size_t evtx_text_short(uint8_t type, struct slice bytes, char *to, uint8_t *kind)
{
    *kind = VALUE_NUMBER;
    switch (type) {
    case EVTX_UINT8:
        return write_u64((uint8_t)bytes.at[0], to);
    case EVTX_UINT16:
        return write_u64(evtx_u16(bytes.at), to);
    case EVTX_UINT32:
        return write_u64(evtx_u32(bytes.at), to);
    default:
        break;
    }
    *kind = VALUE_STRING;
    switch (type) {
    case EVTX_HEX64:
        return write_hex(evtx_u64(bytes.at), to);
    case EVTX_FILETIME:
        return write_filetime(evtx_u64(bytes.at), to);
    case EVTX_GUID:
        return write_guid(bytes, to);
    default:
        return 0;
    }
}
