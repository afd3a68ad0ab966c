#include "source/syslog_framing.h"

struct slice syslog_framing_trim(struct slice message)
{
    if (message.size > 0 && message.at[message.size - 1] == '\0') {
        message.size--;
    } else if (message.size > 0 && message.at[message.size - 1] == '\n') {
        message.size--;
        message.size -= message.size > 0 && message.at[message.size - 1] == '\r';
    }
    return message;
}

static size_t limit(const struct syslog_framing *f)
{
    return f->record_bytes > 0 ? f->record_bytes : SYSLOG_FRAMING_RECORD;
}

static bool is_trailer(char c)
{
    return c == '\n' || c == '\0';
}

/* Offset of the first trailer at or after `from`, or the size. */
static size_t find_trailer(struct slice bytes, size_t from)
{
    struct slice rest = slice_from(bytes, from);
    size_t line = slice_find_byte(rest, '\n');
    return from + slice_find_byte(slice_of(rest.at, line), '\0');
}

/* What stands between messages: trailers again, and blank lines of CR LF. A CR alone at the end may
 * be the first half. */
static size_t skip_empty(struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        if (is_trailer(bytes.at[at])) {
            at++;
        } else if (bytes.at[at] == '\r' && at + 1 < bytes.size && is_trailer(bytes.at[at + 1])) {
            at += 2;
        } else {
            break;
        }
    }
    return at;
}

enum start { START_UNKNOWN, START_LINE, START_COUNTED };

/* Digits at the front, at most one more than a count has; and what they are. */
static size_t read_digits(struct slice bytes, size_t *value)
{
    size_t digits = 0;
    *value = 0;
    while (digits < bytes.size && digits <= SYSLOG_FRAMING_DIGITS &&
            slice_is_digit(bytes.at[digits])) {
        *value = *value * 10 + (size_t)(bytes.at[digits] - '0');
        digits++;
    }
    return digits;
}

/* How the message at the front is framed; a counted one's size, and where it begins. */
static enum start look(const struct syslog_framing *f, struct slice bytes, size_t *size, size_t *at)
{
    size_t digits = read_digits(bytes, size);
    if (bytes.size == 0) {
        return START_UNKNOWN;
    }
    if (digits == 0 || digits > SYSLOG_FRAMING_DIGITS || bytes.at[0] == '0') {
        return START_LINE;
    }
    *at = digits + 1;
    if (digits < bytes.size && bytes.at[digits] != ' ') {
        return START_LINE;
    }
    if (f->counted && digits < bytes.size) {
        return START_COUNTED;
    }
    if (*at >= bytes.size) {
        return START_UNKNOWN;
    }
    return bytes.at[*at] == '<' ? START_COUNTED : START_LINE;
}

static enum syslog_framing_what next_counted(struct syslog_framing *f, struct slice bytes,
        size_t size, size_t at, struct syslog_framing_step *step)
{
    struct slice body = slice_from(bytes, at);
    size_t piece = size < SYSLOG_FRAMING_PIECE ? size : SYSLOG_FRAMING_PIECE;
    if (size > limit(f)) {
        if (body.size < piece) {
            return SYSLOG_FRAMING_MORE;
        }
        f->counted = true;
        f->skip = size - piece;
        step->used += at + piece;
        step->message = slice_of(body.at, piece);
        return SYSLOG_FRAMING_TOO_LONG;
    }
    if (body.size < size) {
        return SYSLOG_FRAMING_MORE;
    }
    f->counted = true;
    step->used += at + size;
    step->message = syslog_framing_trim(slice_of(body.at, size));
    return SYSLOG_FRAMING_MESSAGE;
}

static enum syslog_framing_what next_line(
        struct syslog_framing *f, struct slice bytes, struct syslog_framing_step *step)
{
    /* One byte more than the limit may be the CR before the line feed. */
    size_t most = limit(f) + 1;
    struct slice seen = slice_of(bytes.at, bytes.size > most + 1 ? most + 1 : bytes.size);
    size_t end = find_trailer(seen, f->searched);
    bool found = end < seen.size;
    bool cr = found && end > 0 && bytes.at[end] == '\n' && bytes.at[end - 1] == '\r';
    if (found ? end - cr > limit(f) : end > most) {
        size_t piece = limit(f) < SYSLOG_FRAMING_PIECE ? limit(f) : SYSLOG_FRAMING_PIECE;
        f->searched = 0;
        f->counted = false;
        f->skip_line = true;
        step->used += piece;
        step->message = slice_of(bytes.at, piece);
        return SYSLOG_FRAMING_TOO_LONG;
    }
    if (!found) {
        f->searched = end;
        return SYSLOG_FRAMING_MORE;
    }
    f->searched = 0;
    f->counted = false;
    step->used += end + 1;
    step->message = slice_of(bytes.at, end - cr);
    return SYSLOG_FRAMING_MESSAGE;
}

/* The rest of a message that was too long; what comes behind it is left. */
static size_t skip_rest(struct syslog_framing *f, struct slice bytes)
{
    size_t used = 0;
    if (f->skip > 0) {
        used = f->skip < bytes.size ? f->skip : bytes.size;
        f->skip -= used;
    } else if (f->skip_line) {
        used = find_trailer(bytes, 0);
        f->skip_line = used == bytes.size;
    }
    return used;
}

enum syslog_framing_what syslog_framing_next(
        struct syslog_framing *f, struct slice bytes, struct syslog_framing_step *step)
{
    for (*step = (struct syslog_framing_step){0};;) {
        struct slice rest = slice_from(bytes, step->used);
        size_t passed = skip_rest(f, rest);
        if (f->skip == 0 && !f->skip_line) {
            passed += skip_empty(slice_from(rest, passed));
        }
        step->used += passed;
        rest = slice_from(rest, passed);
        size_t size = 0, at = 0;
        enum start start = f->searched > 0 ? START_LINE : look(f, rest, &size, &at);
        if (rest.size == 0 || slice_equal(rest, SLICE("\r")) || start == START_UNKNOWN) {
            return SYSLOG_FRAMING_MORE;
        }
        enum syslog_framing_what what = start == START_COUNTED
                                                ? next_counted(f, rest, size, at, step)
                                                : next_line(f, rest, step);
        if (what != SYSLOG_FRAMING_MESSAGE || step->message.size > 0) {
            return what;
        }
    }
}

bool syslog_framing_is_cut(struct slice rest)
{
    return rest.size > 0 && !slice_equal(rest, SLICE("\r"));
}
