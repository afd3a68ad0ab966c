#include "decode/json_envelope.h"

#include <string.h>

static const char *const arrays[] = {JSON_ENVELOPE_KEYS};

/* Of pages of an answer: nobody misses them. */
static const char *const furniture[] = {"kind", "etag", "apiVersion", "metadata", "nextPageToken",
        "nextLink", "nextToken", "NextToken", "count"};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_one_of(struct slice key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(key, slice_text(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_array_key(struct slice key)
{
    return is_one_of(key, arrays, sizeof arrays / sizeof *arrays);
}

static bool is_furniture(struct slice key)
{
    return slice_starts(key, SLICE("@odata.")) ||
           is_one_of(key, furniture, sizeof furniture / sizeof *furniture);
}

static bool ends_without_case(struct slice text, struct slice end)
{
    for (size_t i = 1; i <= end.size; i++) {
        if (i > text.size || (text.at[text.size - i] | 0x20) != end.at[end.size - i]) {
            return false;
        }
    }
    return true;
}

/* A record's, not a page's. */
static bool is_time(struct slice key)
{
    return ends_without_case(key, SLICE("time")) || ends_without_case(key, SLICE("timestamp")) ||
           slice_equal(key, SLICE("ts"));
}

/* Reading stops at the first byte that is not there. */
struct members {
    struct slice bytes;
    size_t at;
};

static char peek(struct members *m)
{
    while (m->at < m->bytes.size && is_blank(m->bytes.at[m->at])) {
        m->at++;
    }
    return m->at < m->bytes.size ? m->bytes.at[m->at] : '\0';
}

static bool take(struct members *m, char c)
{
    bool there = peek(m) == c;
    m->at += there;
    return there;
}

/* The inside of a string, as it stands. */
static bool take_string(struct members *m, struct slice *out)
{
    if (!take(m, '"')) {
        return false;
    }
    size_t start = m->at;
    while (m->at < m->bytes.size && m->bytes.at[m->at] != '"') {
        m->at += m->bytes.at[m->at] == '\\' ? 2 : 1;
    }
    if (m->at >= m->bytes.size) {
        m->at = m->bytes.size;
        return false;
    }
    *out = slice_of(m->bytes.at + start, m->at - start);
    m->at++;
    return true;
}

/* Over the brackets that begin here. */
static bool take_brackets(struct members *m)
{
    struct slice text;
    size_t depth = 0;
    while (m->at < m->bytes.size) {
        char c = m->bytes.at[m->at];
        if (c == '"') {
            if (!take_string(m, &text)) {
                return false;
            }
            continue;
        }
        depth += c == '{' || c == '[';
        m->at++;
        if ((c == '}' || c == ']') && --depth == 0) {
            return true;
        }
    }
    return false;
}

static bool take_scalar(struct members *m)
{
    struct slice text;
    if (peek(m) == '"') {
        return take_string(m, &text);
    }
    size_t start = m->at;
    while (m->at < m->bytes.size && !is_blank(m->bytes.at[m->at]) &&
            !strchr(",}]{[\"", m->bytes.at[m->at])) {
        m->at++;
    }
    return m->at > start;
}

/* A member's value that is not the array: whether an envelope may have it. */
static bool take_beside(struct members *m, struct slice key)
{
    char c = peek(m);
    if (c == '{' || c == '[') {
        bool listed = slice_equal(key, SLICE("metadata")) ||
                      slice_equal(key, SLICE("subscriptionFilters"));
        return listed && take_brackets(m);
    }
    return !is_time(key) && take_scalar(m);
}

/* Whether the array that begins here has records. */
static bool take_array(struct members *m)
{
    if (!take(m, '[')) {
        return false;
    }
    size_t inside = m->at;
    char first = peek(m);
    if (first == ']') { /* nothing in it, and nothing beside it: an empty page */
        m->at++;
        first = peek(m) == '}' ? '{' : m->at < m->bytes.size ? 'x' : '\0';
    }
    if (first) {
        m->at = inside;
    }
    return first == '{';
}

/* Up to the array's inside; false: that is none, or m is at its end. */
static bool take_head(struct members *m, struct json_envelope_head *out)
{
    if (!take(m, '{')) {
        return false;
    }
    for (;;) {
        struct slice key;
        if (!take_string(m, &key) || !take(m, ':')) {
            return false;
        }
        if (is_array_key(key) && peek(m) == '[') {
            out->key = key;
            return take_array(m);
        }
        if (!take_beside(m, key) || !take(m, ',')) {
            return false;
        }
        if (!out->beside.size && !is_furniture(key)) {
            out->beside = key;
        }
    }
}

enum json_envelope json_envelope_open(struct slice bytes, struct json_envelope_head *out)
{
    bool all = bytes.size < JSON_ENVELOPE_HEAD;
    struct members m = {slice_of(bytes.at, all ? bytes.size : JSON_ENVELOPE_HEAD), 0};
    struct json_envelope_head head = {0};
    if (take_head(&m, &head)) {
        head.inside = m.at;
        *out = head;
        return JSON_ENVELOPE_FOUND;
    }
    return all && m.at >= m.bytes.size ? JSON_ENVELOPE_MORE : JSON_ENVELOPE_NONE;
}

struct slice json_envelope_beside(struct slice tail)
{
    struct members m = {tail, 0};
    struct slice key;
    while (take(&m, ',') && take_string(&m, &key) && take(&m, ':')) {
        if (!is_furniture(key)) {
            return key;
        }
        bool brackets = peek(&m) == '{' || peek(&m) == '[';
        if (!(brackets ? take_brackets(&m) : take_scalar(&m))) {
            break;
        }
    }
    return (struct slice){0};
}
