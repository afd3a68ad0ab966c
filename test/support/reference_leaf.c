#include "support/reference_leaf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <time.h>

#include "base/fold.h"
#include "support/tree.h"

/* ---- characters ---------------------------------------------------------------------------- */

/* Bytes of the character at `at`; a byte that begins none counts as one. */
static size_t character(struct slice s, size_t at, uint32_t *code)
{
    unsigned char lead = (unsigned char)s.at[at];
    size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t value = size == 1 ? lead : size ? lead & (0xFFu >> (size + 1)) : 0;
    if (size == 0 || lead > 0xF4 || size > s.size - at) {
        *code = UINT32_MAX;
        return 1;
    }
    for (size_t i = 1; i < size; i++) {
        unsigned char c = (unsigned char)s.at[at + i];
        if ((c & 0xC0) != 0x80) {
            *code = UINT32_MAX;
            return 1;
        }
        value = value << 6 | (c & 0x3F);
    }
    *code = value;
    return size;
}

enum err reference_leaf_fold(struct arena *arena, struct slice text, struct slice *folded)
{
    char *to = arena_alloc(arena, text.size * 2 + 4, 1);
    size_t size = 0;
    if (!to) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < text.size;) {
        uint32_t code;
        size_t step = character(text, i, &code);
        if (code == UINT32_MAX) {
            to[size++] = text.at[i];
        } else {
            size += tree_encode(fold_code(code), to + size);
        }
        i += step;
    }
    *folded = slice_of(to, size);
    return OK;
}

/* ---- texts --------------------------------------------------------------------------------- */

static bool stands_at(struct slice text, size_t at, struct slice part)
{
    return part.size <= text.size - at && memcmp(text.at + at, part.at, part.size) == 0;
}

static bool contains(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.size <= text.size; i++) {
        if (stands_at(text, i, part)) {
            return true;
        }
    }
    return false;
}

static bool ends_with(struct slice text, struct slice part)
{
    return part.size <= text.size && stands_at(text, text.size - part.size, part);
}

/* A whole text against a pattern. After a failure only the last PATTERN_MANY need take one
 * character more: what an earlier one could take, it can as well. */
static bool matches(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, many = SIZE_MAX, from = 0;
    uint32_t code;
    while (t < text.size || p < pattern.size) {
        char c = p < pattern.size ? pattern.at[p] : '\0';
        if (p < pattern.size && c == PATTERN_MANY) {
            many = ++p;
            from = t;
        } else if (p < pattern.size && c == PATTERN_ONE && t < text.size) {
            t += character(text, t, &code);
            p++;
        } else if (p < pattern.size && t < text.size && c == text.at[t]) {
            p++;
            t++;
        } else if (many != SIZE_MAX && from < text.size) {
            from += character(text, from, &code);
            t = from;
            p = many;
        } else {
            return false;
        }
    }
    return true;
}

bool reference_leaf_texts(enum op op, struct slice text, struct slice other)
{
    switch (op) {
    case OP_FIELD_EQUAL:
        return slice_equal(text, other);
    case OP_FIELD_PREFIX:
        return stands_at(text, 0, other);
    case OP_FIELD_SUFFIX:
        return ends_with(text, other);
    default:
        return contains(text, other);
    }
}

/* Longer texts are no numbers (sigma/predicate.c). */
enum { NUMBER_TEXT = 1000 };

/* ---- numbers ------------------------------------------------------------------------------- */

static size_t digits(struct slice s, size_t at)
{
    size_t n = 0;
    while (at + n < s.size && s.at[at + n] >= '0' && s.at[at + n] <= '9') {
        n++;
    }
    return n;
}

/* The whole text is a number: -? digits (. digits)? ([eE] [+-]? digits)? */
static bool is_number(struct slice s, bool *plain)
{
    size_t at = s.size && s.at[0] == '-';
    size_t n = digits(s, at);
    if (n == 0) {
        return false;
    }
    at += n;
    *plain = at == s.size;
    if (at < s.size && s.at[at] == '.') {
        n = digits(s, at + 1);
        if (n == 0) {
            return false;
        }
        at += n + 1;
    }
    if (at < s.size && (s.at[at] | 32) == 'e') {
        at++;
        at += at < s.size && (s.at[at] == '+' || s.at[at] == '-');
        n = digits(s, at);
        if (n == 0) {
            return false;
        }
        at += n;
    }
    return at == s.size;
}

/* -1, 0, 1: the text's number against the predicate's; false: the text is none. Exact between
 * 64-bit integers, otherwise as doubles. */
static bool compare_number(const struct predicate *p, struct slice text, int *order)
{
    bool plain = false;
    char copy[NUMBER_TEXT + 1];
    if (text.size > NUMBER_TEXT || !is_number(text, &plain)) {
        return false;
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    errno = 0;
    long long whole = plain ? strtoll(copy, NULL, 10) : 0;
    if (plain && p->is_integer && errno == 0) {
        *order = whole < p->integer ? -1 : whole > p->integer;
        return true;
    }
    double value = strtod(copy, NULL), wanted = p->is_integer ? (double)p->integer : p->number;
    *order = value < wanted ? -1 : value > wanted;
    return true;
}

static bool test_number(const struct predicate *p, struct slice text)
{
    int order = 0;
    if (!compare_number(p, text, &order)) {
        return false;
    }
    switch (p->op) {
    case OP_NUMBER:
        return order == 0;
    case OP_LESS:
        return order < 0;
    case OP_LESS_EQUAL:
        return order <= 0;
    case OP_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* ---- addresses ----------------------------------------------------------------------------- */

/* A zone (RFC 4007) is left out of account. */
static bool test_cidr(const struct cidr *cidr, struct slice text)
{
    char copy[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    size_t zone = slice_find_byte(text, '%');
    if (cidr->v6 && zone < text.size) {
        text.size = zone;
    }
    if (text.size >= sizeof copy || memchr(text.at, '\0', text.size)) {
        return false;
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    if (inet_pton(cidr->v6 ? AF_INET6 : AF_INET, copy, address) != 1) {
        return false;
    }
    for (unsigned bit = 0; bit < cidr->bits; bit++) {
        unsigned mask = 0x80u >> (bit & 7);
        if ((address[bit / 8] ^ cidr->address[bit / 8]) & mask) {
            return false;
        }
    }
    return true;
}

/* ---- times --------------------------------------------------------------------------------- */

/* Two digits of what the pattern's group took; -1: nothing. */
static int two_digits(const char *text, const regmatch_t *group)
{
    const char *at = text + group->rm_so;
    return group->rm_so < 0 ? -1 : (at[0] - '0') * 10 + (at[1] - '0');
}

/* The parts of a time as it is written (sigma/moment.h), by a pattern and the C library's
 * calendar. */
static bool test_time(const struct predicate *p, struct slice text)
{
    static const char pattern[] =
            "^([0-9]{2})([0-9]{2})-([0-9]{2})-([0-9]{2})"
            "([Tt ]([01][0-9]|2[0-3]):([0-5][0-9])(:([0-5][0-9]|60)([.,][0-9]+)?)?"
            "( ?([Zz]|[Uu][Tt][Cc]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?)?$";
    static regex_t compiled;
    static bool ready;
    regmatch_t groups[8];
    char copy[65], week[8];
    if (!ready) {
        ready = regcomp(&compiled, pattern, REG_EXTENDED) == 0;
    }
    if (text.size >= sizeof copy || memchr(text.at, '\0', text.size)) {
        return false;
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    if (!ready || regexec(&compiled, copy, 8, groups, 0) != 0) {
        return false;
    }
    int year = two_digits(copy, &groups[1]) * 100 + two_digits(copy, &groups[2]);
    int month = two_digits(copy, &groups[3]), day = two_digits(copy, &groups[4]);
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    timegm(&tm);
    strftime(week, sizeof week, "%V", &tm);
    if (tm.tm_mday != day || tm.tm_mon != month - 1) {
        return false; /* no such day */
    }
    int parts[] = {two_digits(copy, &groups[7]), two_digits(copy, &groups[6]), day,
            (int)strtol(week, NULL, 10), month, year};
    int part = parts[p->op - OP_MINUTE];
    return p->is_integer && part >= 0 && part == p->integer;
}

/* ---- all ----------------------------------------------------------------------------------- */

static bool test_text(const struct predicate *p, struct slice text)
{
    switch (p->op) {
    case OP_EQUAL:
        return slice_equal(text, p->text);
    case OP_PREFIX:
        return stands_at(text, 0, p->text);
    case OP_SUFFIX:
        return ends_with(text, p->text);
    case OP_CONTAINS:
        return contains(text, p->text);
    default:
        return matches(p->text, text);
    }
}

enum verdict reference_leaf_test(
        const struct predicate *p, const struct reference_value *value, struct regex_cache *cache)
{
    bool yes = false;
    if (value->kind != REFERENCE_TEXT) {
        return VERDICT_NO;
    }
    if (p->op == OP_REGEX) {
        return regex_search(p->regex, cache, value->text);
    }
    if (p->op <= OP_PATTERN) {
        yes = test_text(p, p->cased ? value->text : value->folded);
    } else if (p->op == OP_CIDR) {
        yes = test_cidr(&p->cidr, value->text);
    } else if (p->op >= OP_NUMBER && p->op <= OP_GREATER_EQUAL) {
        yes = test_number(p, value->text);
    } else if (p->op >= OP_MINUTE && p->op <= OP_YEAR) {
        yes = test_time(p, value->text);
    }
    return yes ? VERDICT_YES : VERDICT_NO;
}
