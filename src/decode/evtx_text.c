#include "decode/evtx_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "event/typed.h"

enum { NUMBER_ROOM = TYPED_ROOM, REAL_ROOM = 40 };

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
    if (bytes.size < TYPED_SID_HEADER) {
        return 0;
    }
    size_t size = TYPED_SID_HEADER + 4 * (size_t)(unsigned char)bytes.at[1];
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

static size_t string_item(struct slice rest, bool wide, struct slice *item)
{
    size_t end;
    if (wide) {
        *item = utf8_until_nul(rest);
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
        return typed_room(type, size);
    case EVTX_BINARY:
    case EVTX_HANDLE:
    case EVTX_XML:
    case EVTX_BINXML:
        return 2 * size;
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
    return n + typed_i64(point - 1, to + n);
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
    char text[REAL_ROOM];
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

static size_t write_one(uint8_t type, struct slice bytes, char *to)
{
    switch (type) {
    case EVTX_NULL:
        return 0;
    case EVTX_STRING:
        return utf8_from_utf16(utf8_until_nul(bytes), to);
    case EVTX_ANSI:
        return write_ansi(bytes, to);
    case EVTX_REAL32:
    case EVTX_REAL64:
        return write_float(type, bytes.at, to);
    case EVTX_BINARY:
    case EVTX_HANDLE:
    case EVTX_BINXML:
    case EVTX_XML:
        return write_binary(bytes, to);
    default:
        return typed_write(type, bytes, to);
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
