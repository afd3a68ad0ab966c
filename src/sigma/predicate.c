#include "sigma/predicate.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sigma/address.h"
#include "sigma/glob.h"
#include "sigma/literal.h"
#include "sigma/moment.h"

/* ---- numbers ------------------------------------------------------------------------------- */

enum { NUMBER_TEXT = 1000 }; /* a longer text is taken for no number */

static size_t skip_digits(struct slice text, size_t i)
{
    while (i < text.size && text.at[i] >= '0' && text.at[i] <= '9') {
        i++;
    }
    return i;
}

/* Is the whole of it a number? *whole: without fraction and exponent. */
static bool is_number(struct slice text, bool *whole)
{
    size_t i = text.size > 0 && text.at[0] == '-';
    size_t end = skip_digits(text, i);
    if (end == i) {
        return false;
    }
    *whole = end == text.size;
    if (end < text.size && text.at[end] == '.') {
        i = end + 1;
        end = skip_digits(text, i);
        if (end == i) {
            return false;
        }
    }
    if (end < text.size && (text.at[end] == 'e' || text.at[end] == 'E')) {
        i = end + 1;
        i += i < text.size && (text.at[i] == '-' || text.at[i] == '+');
        end = skip_digits(text, i);
        if (end == i) {
            return false;
        }
    }
    return end == text.size;
}

static bool parse_integer(struct slice text, int64_t *out)
{
    bool negative = text.at[0] == '-';
    int64_t value = 0;
    for (size_t i = negative; i < text.size; i++) {
        int64_t digit = text.at[i] - '0';
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
                (negative ? __builtin_sub_overflow(value, digit, &value)
                          : __builtin_add_overflow(value, digit, &value))) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool predicate_parse_number(struct slice text, double *number, bool *is_integer, int64_t *integer)
{
    bool whole;
    if (text.size > NUMBER_TEXT || !is_number(text, &whole)) {
        return false;
    }
    *integer = 0;
    *is_integer = whole && parse_integer(text, integer);
    if (*is_integer) {
        *number = (double)*integer;
        return true;
    }
    char copy[NUMBER_TEXT + 1];
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    *number = strtod(copy, NULL);
    return true;
}

/* <0, 0, >0: the text's number against the rule's. Exact where both are integers. */
static bool compare_number(const struct predicate *p, struct slice text, int *order)
{
    double number;
    bool is_integer;
    int64_t integer;
    if (!predicate_parse_number(text, &number, &is_integer, &integer)) {
        return false;
    }
    if (is_integer && p->is_integer) {
        *order = (integer > p->integer) - (integer < p->integer);
    } else {
        *order = (number > p->number) - (number < p->number);
    }
    return true;
}

static bool test_number(const struct predicate *p, struct slice text)
{
    int order;
    if (!compare_number(p, text, &order)) {
        return false;
    }
    switch (p->op) {
    case OP_LESS:
        return order < 0;
    case OP_LESS_EQUAL:
        return order <= 0;
    case OP_GREATER:
        return order > 0;
    case OP_GREATER_EQUAL:
        return order >= 0;
    default:
        return order == 0;
    }
}

/* ---- texts --------------------------------------------------------------------------------- */

static enum verdict yes_if(bool yes)
{
    return yes ? VERDICT_YES : VERDICT_NO;
}

static bool test_time(const struct predicate *p, struct slice text)
{
    int64_t part;
    return moment_part(text, p->op, &part) && part == p->integer;
}

static enum verdict test_string(const struct predicate *p, struct slice text)
{
    switch (p->op) {
    case OP_EQUAL:
        return yes_if(slice_equal(text, p->text));
    case OP_PREFIX:
        return yes_if(slice_starts(text, p->text));
    case OP_SUFFIX:
        return yes_if(slice_ends(text, p->text));
    case OP_CONTAINS:
        return yes_if(text.size >= p->text.size &&
                      memmem(text.at, text.size, p->text.at, p->text.size) != NULL);
    default:
        return glob_match(p->text, text);
    }
}

enum verdict predicate_test_text(const struct predicate *p, struct slice text, struct slice folded,
        struct regex_cache *cache)
{
    if (p->op <= OP_PATTERN) {
        return test_string(p, p->cased ? text : folded);
    }
    if (p->op == OP_REGEX) {
        return regex_search(p->regex, cache, text);
    }
    if (p->op == OP_CIDR) {
        return yes_if(address_within(&p->cidr, text));
    }
    if (p->op >= OP_NUMBER && p->op <= OP_GREATER_EQUAL) {
        return yes_if(test_number(p, text));
    }
    if (p->op >= OP_MINUTE && p->op <= OP_YEAR) {
        return yes_if(test_time(p, text));
    }
    return VERDICT_NO; /* of presence or of another field: not a question of a text */
}

/* ---- words --------------------------------------------------------------------------------- */

static const char *const op_words[OP_COUNT] = {[OP_EQUAL] = "is",
        [OP_PREFIX] = "startswith",
        [OP_SUFFIX] = "endswith",
        [OP_CONTAINS] = "contains",
        [OP_PATTERN] = "is like",
        [OP_REGEX] = "re",
        [OP_CIDR] = "cidr",
        [OP_NUMBER] = "is number",
        [OP_LESS] = "lt",
        [OP_LESS_EQUAL] = "lte",
        [OP_GREATER] = "gt",
        [OP_GREATER_EQUAL] = "gte",
        [OP_NULL] = "is null",
        [OP_PRESENT] = "is present",
        [OP_EXISTS] = "exists",
        [OP_FIELD_EQUAL] = "is field",
        [OP_FIELD_PREFIX] = "startswith field",
        [OP_FIELD_SUFFIX] = "endswith field",
        [OP_FIELD_CONTAINS] = "contains field",
        [OP_MINUTE] = "minute",
        [OP_HOUR] = "hour",
        [OP_DAY] = "day",
        [OP_WEEK] = "week",
        [OP_MONTH] = "month",
        [OP_YEAR] = "year"};

void predicate_write(const struct predicate *p, const struct fields *fields, struct buf *out)
{
    static const struct slice regex_marks[] = {{"i", 1}, {"m", 1}, {"s", 1}};
    buf_add(out, p->field == FIELD_NONE ? SLICE("any field") : field_name(fields, p->field));
    buf_byte(out, ' ');
    buf_add(out, slice_text(op_words[p->op]));
    for (unsigned i = 0; i < 3; i++) {
        if (p->regex_flags & 1u << i) {
            buf_byte(out, '|');
            buf_add(out, regex_marks[i]);
        }
    }
    if (p->cased) {
        buf_add(out, SLICE(" cased"));
    }
    if (p->op == OP_NULL || p->op == OP_PRESENT || p->op == OP_EXISTS) {
        return;
    }
    bool quoted = p->op <= OP_REGEX;
    buf_add(out, quoted ? SLICE(" '") : SLICE(" "));
    if (p->op == OP_PATTERN) {
        literal_write(p->text, out);
    } else {
        buf_add(out, p->text);
    }
    if (quoted) {
        buf_byte(out, '\'');
    }
}
