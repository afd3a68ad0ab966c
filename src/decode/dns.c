#include "decode/dns.h"

#include <string.h>

#include "decode/dnslog.h"
#include "decode/fields.h"
#include "decode/linewise.h"

enum { TIMESTAMP, PID, MESSAGE };
static const char *const names[] = {
        [TIMESTAMP] = "timestamp", [PID] = "pid", [MESSAGE] = "message"};

/* Does the text begin like `shape`? '0' is any digit, 'a' any letter. */
static bool has_shape(struct slice s, const char *shape)
{
    for (size_t i = 0; shape[i]; i++) {
        char c = i < s.size ? s.at[i] : 0;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool fits = shape[i] == '0'   ? c >= '0' && c <= '9'
                    : shape[i] == 'a' ? letter
                                      : shape[i] == c;
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* ---- BIND ------------------------------------------------------------------------------------ */

/* "28-Nov-2024 15:26:27.498 " or "2024-11-28T15:26:27.498Z " in front of *rest. */
static struct slice take_bind_time(struct slice *rest)
{
    size_t size = 0;
    if (has_shape(*rest, "00-aaa-0000 00:00:00")) {
        size = 12 + slice_find_byte(slice_from(*rest, 12), ' ');
    } else if (has_shape(*rest, "0000-00-00T00:00:00")) {
        size = slice_find_byte(*rest, ' ');
    }
    struct slice time = slice_of(rest->at, size);
    if (size > 0) {
        *rest = slice_from(*rest, size < rest->size ? size + 1 : size);
    }
    return time;
}

enum { TIME_ROOM = 40 };

/* The first form of a time as 2024-11-28T15:26:27.498. */
static bool put_bind_time(struct fields_sink *sink, struct slice time)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (time.size == 0 || time.at[2] != '-') {
        if (time.size > 0) {
            fields_put(sink, TIMESTAMP, time);
        }
        return true;
    }
    int month = 0;
    while (month < 12 && memcmp(months + (ptrdiff_t)month * 3, time.at + 3, 3) != 0) {
        month++;
    }
    if (month == 12 || time.size > TIME_ROOM) {
        return true;
    }
    char *to = arena_alloc(sink->scratch, TIME_ROOM, 1);
    if (!to) {
        return false;
    }
    memcpy(to, time.at + 7, 4);
    to[4] = to[7] = '-';
    to[5] = month >= 9 ? '1' : '0';
    to[6] = (char)('0' + (month + 1) % 10);
    memcpy(to + 8, time.at, 2);
    to[10] = 'T';
    memcpy(to + 11, time.at + 12, time.size - 12);
    fields_made(sink, TIMESTAMP, slice_of(to, time.size - 1));
    return true;
}

static bool is_bind(struct slice line)
{
    struct slice category, severity;
    struct slice time = take_bind_time(&line);
    bool front = dnslog_bind_front(&line, &category, &severity);
    bool client = slice_starts(line, SLICE("client ")) && slice_find_byte(line, '#') < line.size &&
                  slice_find(line, SLICE(": ")) != SIZE_MAX;
    return client || (time.size > 0 && front);
}

static enum err parse_bind(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct slice rest = text;
    (void)context;
    if (!put_bind_time(sink, take_bind_time(&rest))) {
        return diag_say(diag, ERR_MEMORY, "no memory for a time");
    }
    (void)dnslog_bind(sink, (struct slice){0}, rest);
    fields_put(sink, MESSAGE, rest);
    return OK;
}

static const struct fields_form bind_form = FIELDS_FORM("bind", names, parse_bind);

/* ---- Unbound --------------------------------------------------------------------------------- */

/* "[1570526945] unbound[17265:13] info: ..." or "[17265:13] info: ..."; what follows the time. */
static struct slice take_unbound_time(struct slice *rest)
{
    struct slice after = *rest;
    if (after.size == 0 || *after.at != '[') {
        return (struct slice){0};
    }
    struct slice time = slice_cut(&after, ']');
    size_t program = slice_find(after, SLICE("unbound["));
    if (program != 1) {
        return (struct slice){0};
    }
    *rest = slice_from(after, 8);
    return slice_from(time, 1);
}

static bool is_unbound(struct slice line)
{
    struct slice pid, tid, level;
    (void)take_unbound_time(&line);
    return *line.at == '[' && dnslog_unbound_front(&line, &pid, &tid, &level);
}

static enum err parse_unbound(
        void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct slice rest = text, pid, tid, level;
    (void)context;
    struct slice time = take_unbound_time(&rest);
    if (time.size > 0) {
        fields_put(sink, TIMESTAMP, time);
    }
    struct slice message = rest;
    if (!dnslog_unbound_front(&message, &pid, &tid, &level)) {
        return diag_say(diag, ERR_SYNTAX, "no line of Unbound's log");
    }
    if (pid.size > 0) {
        fields_put(sink, PID, pid);
    }
    (void)dnslog_unbound(sink, (struct slice){0}, rest);
    if (message.size > 0) {
        fields_put(sink, MESSAGE, message);
    }
    return OK;
}

static const struct fields_form unbound_form = FIELDS_FORM("unbound", names, parse_unbound);

/* ---- decoders -------------------------------------------------------------------------------- */

static int recognise_bind(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_bind);
}

static int recognise_unbound(struct slice head, bool whole)
{
    return linewise_sure(head, whole, is_unbound);
}

static const struct linewise bind_kind = {.forms = {&bind_form}};
static const struct linewise unbound_kind = {.forms = {&unbound_form}};

static enum err bind_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&bind_kind, paths, limits, out);
}

static enum err unbound_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    return linewise_new(&unbound_kind, paths, limits, out);
}

const struct decoder dns_bind_decoder = {
        .name = "bind",
        .about = "BIND 9's own log files: queries, answers, what else it says",
        .recognise = recognise_bind,
        .reader_new = bind_new,
        LINEWISE_CALLS,
};

const struct decoder dns_unbound_decoder = {
        .name = "unbound",
        .about = "Unbound's own log file",
        .recognise = recognise_unbound,
        .reader_new = unbound_new,
        LINEWISE_CALLS,
};
