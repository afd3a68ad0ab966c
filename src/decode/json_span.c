#include "decode/json_span.h"

#include "decode/json_scan.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Inside of brackets, or of a string that stands alone; false: the value is over behind `c`. */
static bool span_inside(struct json_span *span, char c)
{
    if (span->escape) {
        span->escape = false;
        return true;
    }
    switch (c) {
    case '\\':
        span->escape = true; /* outside of a string as well, where it is an error */
        return true;
    case '"':
        span->string = !span->string;
        break;
    case '{':
    case '[':
        span->depth += !span->string;
        break;
    case '}':
    case ']':
        span->depth -= !span->string;
        break;
    default:
        break;
    }
    return span->depth > 0 || span->string;
}

/* Whether `c` ends a value that is not in brackets. */
static bool ends_stray(char c)
{
    return c == '\n' || c == ',' || c == '{' || c == '[' || c == ']';
}

/* Whether a brace at a line's front begins another record. Between tokens of a well-formed value
 * it can stand only where a value can. */
static bool begins_record(const struct json_span *span)
{
    bool value = span->last == ':' || span->last == ',' || span->last == '[';
    return span->front && !span->string && (!value || span->depth > JSON_SPAN_DEEP);
}

/* A byte within the value; false: the value was over before it. */
static bool span_go_on(struct json_span *span, char c)
{
    if ((c == '\n' && span->string) || (c == '{' && begins_record(span))) {
        span->broken = true;
        return false;
    }
    if (!span_inside(span, c)) {
        span->phase = JSON_SPAN_BEHIND;
        span->blanks = 0;
    }
    span->front = c == '\n';
    span->last = is_blank(c) ? span->last : c;
    return true;
}

/* One byte; false: the value ended before it. */
static bool span_byte(struct json_span *span, char c)
{
    switch (span->phase) {
    case JSON_SPAN_NEW:
        span->phase = c == '{' || c == '[' || c == '"' ? JSON_SPAN_INSIDE : JSON_SPAN_STRAY;
        return span->phase == JSON_SPAN_STRAY || span_go_on(span, c);
    case JSON_SPAN_INSIDE:
        return span_go_on(span, c);
    case JSON_SPAN_BEHIND:
        if (ends_stray(c) || span->blanks == JSON_SPAN_BLANKS) {
            return false;
        }
        span->blanks++;
        if (!is_blank(c)) {
            span->phase = JSON_SPAN_STRAY;
        }
        return true;
    case JSON_SPAN_STRAY:
    default:
        return !ends_stray(c);
    }
}

/* Each bit becomes the parity of itself and all below: inside of strings from their quotes. */
static uint64_t parity_below(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

/* The bracket among 64 bytes that brings the depth to 0, or 64 and the new depth. */
static unsigned last_bracket(uint64_t opens, uint64_t closes, uint32_t *depth)
{
    for (uint64_t both = opens | closes; both; both &= both - 1) {
        uint64_t bit = both & -both;
        if (opens & bit) {
            ++*depth;
        } else if (--*depth == 0) {
            return (unsigned)__builtin_ctzll(bit);
        }
    }
    return JSON_SCAN_STEP;
}

/* What stands before bytes[at], for what comes next; the piece was entered at `from`. */
static void look_back(struct json_span *span, struct slice bytes, size_t from, size_t at)
{
    span->front = at > from ? bytes.at[at - 1] == '\n' : span->front;
    while (at > from && is_blank(bytes.at[at - 1])) {
        at--;
    }
    span->last = at > from ? bytes.at[at - 1] : span->last;
}

/* 64 bytes at a time while the value goes on: to its last bracket, or to where something must be
 * looked at byte by byte. */
static size_t span_steps(struct json_span *span, struct slice bytes, size_t from)
{
    uint64_t escaped = span->escape, inside = span->string ? ~(uint64_t)0 : 0;
    uint64_t front = span->front;
    uint32_t depth = span->depth;
    size_t at = from;
    while (bytes.size - at >= JSON_SCAN_STEP) {
        uint64_t next = escaped;
        struct json_marks marks = json_scan_marks(bytes.at + at, &next);
        uint64_t strings = parity_below(marks.quotes) ^ inside;
        uint64_t opens = marks.opens & ~strings, closes = marks.closes & ~strings;
        if ((marks.newlines & strings) || (opens & (marks.newlines << 1 | front))) {
            break;
        }
        unsigned last = last_bracket(opens, closes, &depth);
        if (last < JSON_SCAN_STEP) {
            depth = 1;
            inside = escaped = 0;
            at += last;
            break;
        }
        inside = strings >> 63 ? ~(uint64_t)0 : 0;
        front = marks.newlines >> 63;
        escaped = next;
        at += JSON_SCAN_STEP;
    }
    span->escape = escaped;
    span->string = inside;
    span->depth = depth;
    look_back(span, bytes, from, at);
    return at;
}

bool json_span_over(struct json_span *span, struct slice bytes, size_t *at)
{
    size_t i = *at, careful = i; /* up to there by bytes */
    while (i < bytes.size) {
        if (i >= careful && span->phase == JSON_SPAN_INSIDE && span->depth > 0) {
            i = span_steps(span, bytes, i);
            careful = i + JSON_SCAN_STEP;
            continue;
        }
        if (!span_byte(span, bytes.at[i])) {
            break;
        }
        i++;
    }
    *at = i;
    return i < bytes.size;
}
