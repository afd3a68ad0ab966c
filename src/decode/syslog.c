#include "decode/syslog.h"

#include <string.h>

#include "base/memory.h"
#include "decode/fields.h"
#include "decode/lines.h"
#include "decode/message.h"
#include "decode/message_auth.h"
#include "decode/syslog_head.h"

struct reader {
    struct fields_reader fields;
    struct decode_limits limits;
    struct syslog_clock clock;
    struct syslog_time_memory memory;
    struct slice block;
    size_t at;
};

/* ---- one record ------------------------------------------------------------------------------ */

/* RFC 5424 table 1 and 2; 12 to 15 as rsyslog names them. */
static const char *const facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
        "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0",
        "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
static const char *const severities[] = {
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
static const char numbers[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009\00010\00011\00012\000"
                              "13\00014\00015\00016\00017\00018\00019\00020\00021\00022\00023";

/* The digits of 0 to 23. */
static struct slice number_text(int n)
{
    return n < 10 ? slice_of(numbers + n * 2, 1) : slice_of(numbers + 20 + (n - 10) * 3, 2);
}

static void put_number(struct fields_sink *sink, size_t name, int n)
{
    struct value value = {.kind = VALUE_NUMBER, .text = number_text(n)};
    fields_remember(sink, value.text);
    fields_put_value(sink, name, &value);
}

static void put_if(struct fields_sink *sink, size_t name, struct slice text)
{
    if (text.size > 0) {
        fields_put(sink, name, text);
    }
}

/* RFC 5424 section 6.3.3: a backslash escapes '"', '\' and ']' alone. */
static struct slice unescape(struct fields_sink *sink, struct slice text)
{
    char *to = arena_alloc(sink->scratch, text.size, 1);
    size_t size = 0;
    for (size_t i = 0; to && i < text.size; i++) {
        if (text.at[i] == '\\' && i + 1 < text.size && strchr("\"\\]", text.at[i + 1])) {
            i++;
        }
        to[size++] = text.at[i];
    }
    return to ? slice_of(to, size) : text;
}

/* "sd.", and the parts joined by a dot. */
static struct slice data_name(struct fields_sink *sink, struct slice id, struct slice param)
{
    size_t size = 3 + id.size + (param.size ? 1 + param.size : 0);
    char *to = arena_alloc(sink->scratch, size, 1);
    if (!to) {
        return (struct slice){0};
    }
    memcpy(to, "sd.", 3);
    memcpy(to + 3, id.at, id.size);
    if (param.size > 0) {
        to[3 + id.size] = '.';
        memcpy(to + 4 + id.size, param.at, param.size);
    }
    return slice_of(to, size);
}

/* sd.ID.PARAM for each; an element without parameters is there without text. */
static void put_data(struct fields_sink *sink, struct slice data)
{
    struct slice id, params, name, value;
    while (syslog_head_element(&data, &id, &params)) {
        if (params.size == 0) {
            struct value empty = {.kind = VALUE_OBJECT};
            fields_named_value(sink, data_name(sink, id, params), &empty);
        }
        while (syslog_head_param(&params, &name, &value)) {
            struct slice path = data_name(sink, id, name);
            if (memchr(value.at, '\\', value.size)) {
                fields_named_made(sink, path, unescape(sink, value));
            } else {
                fields_named(sink, path, value);
            }
        }
    }
}

static void put_time(struct reader *r, struct fields_sink *sink, const struct syslog_head *head)
{
    struct slice text = syslog_time_text(&r->clock, &head->time);
    if (text.size == 0) {
        return;
    }
    if (head->time.iso) {
        fields_put(sink, MESSAGE_TIMESTAMP, text);
    } else {
        fields_made(sink, MESSAGE_TIMESTAMP, text);
    }
}

/* Pairs that say when. */
enum { RT, DEV_TIME, DATE, TIME, TIME_PAIRS };

/* Which of their names, or none (TIME_PAIRS), ends the text, behind a blank, '|' or tab, or as all
 * of it. */
static int time_pair(struct slice text)
{
    if (text.size < 2 || (text.at[text.size - 1] != 'e' && text.at[text.size - 1] != 't')) {
        return TIME_PAIRS;
    }
    int which = slice_ends(text, SLICE("rt"))        ? RT
                : slice_ends(text, SLICE("devTime")) ? DEV_TIME
                : slice_ends(text, SLICE("date"))    ? DATE
                : slice_ends(text, SLICE("time"))    ? TIME
                                                     : TIME_PAIRS;
    size_t size = which == RT ? 2 : which == DEV_TIME ? 7 : 4;
    char before = text.size > size ? text.at[text.size - size - 1] : ' ';
    return memchr(" |\t", before, 3) ? which : TIME_PAIRS;
}

/* What stands behind the first ` name=` (or `|name=`, or a tab before it) of each, up to the text's
 * end; at.NULL: nothing. */
static void find_pairs(struct slice text, struct slice values[TIME_PAIRS])
{
    size_t equals = slice_find_byte(text, '=');
    memset(values, 0, TIME_PAIRS * sizeof *values);
    while (equals < text.size) {
        int which = time_pair(slice_of(text.at, equals));
        if (which != TIME_PAIRS && !values[which].at) {
            values[which] = slice_from(text, equals + 1);
        }
        equals += 1 + slice_find_byte(slice_from(text, equals + 1), '=');
    }
}

/* date=2024-03-01 time=12:00:00 as one text; size 0: there is no such pair. */
static struct slice date_and_time(struct fields_sink *sink, struct slice date, struct slice time)
{
    char *to;
    if (date.size < 10 || time.size < 8 || !(to = arena_alloc(sink->scratch, 19, 1))) {
        return (struct slice){0};
    }
    memcpy(to, date.at, 10);
    to[10] = ' ';
    memcpy(to + 11, time.at, 8);
    return slice_of(to, 19);
}

/* The time of a message without a header: CEF's rt, LEEF's devTime, Fortinet's date and time.
 * Digits alone are seconds or parts of them since 1970. */
static void put_payload_time(struct reader *r, struct fields_sink *sink, struct slice text)
{
    struct slice values[TIME_PAIRS];
    struct syslog_time t;
    size_t digits = 0;
    find_pairs(text, values);
    struct slice value = values[RT].at         ? values[RT]
                         : values[DEV_TIME].at ? values[DEV_TIME]
                                               : date_and_time(sink, values[DATE], values[TIME]);
    if (value.size == 0) {
        return;
    }
    value.size = slice_find_byte(value, '\t'); /* LEEF's divider */
    while (digits < value.size && value.at[digits] >= '0' && value.at[digits] <= '9') {
        digits++;
    }
    if (digits >= 10 && (digits == value.size || value.at[digits] == ' ')) {
        fields_put(sink, MESSAGE_TIMESTAMP, slice_of(value.at, digits));
        return;
    }
    size_t size = syslog_time_read(value, &t);
    if (size > 0) {
        struct slice made = syslog_time_text(&r->clock, &t);
        made = made.size > 0 ? arena_copy(sink->scratch, made) : made;
        if (made.size > 0) {
            fields_made(sink, MESSAGE_TIMESTAMP, made);
        }
    }
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct reader *r = context;
    struct syslog_head head;
    (void)diag;
    syslog_head_read(text, &r->memory, &head);
    if (head.time.text.size > 0) {
        put_time(r, sink, &head);
    } else if (head.message.size > 0 && memchr(head.message.at, '=', head.message.size)) {
        put_payload_time(r, sink, head.message);
    }
    put_if(sink, MESSAGE_HOST, head.host);
    if (head.pri >= 0) {
        fields_made(sink, MESSAGE_FACILITY, slice_text(facilities[head.pri >> 3]));
        put_number(sink, MESSAGE_FACILITY_CODE, head.pri >> 3);
        fields_made(sink, MESSAGE_SEVERITY, slice_text(severities[head.pri & 7]));
        put_number(sink, MESSAGE_SEVERITY_CODE, head.pri & 7);
    } else {
        fields_format(sink, SLICE("syslog-plain"));
    }
    put_if(sink, MESSAGE_PROGRAM, head.program);
    put_if(sink, MESSAGE_PID, head.pid);
    put_if(sink, MESSAGE_MSGID, head.msgid);
    put_if(sink, MESSAGE_VERSION, head.version);
    fields_put(sink, MESSAGE_MESSAGE, head.message);
    put_data(sink, head.data);
    sink->last = true;
    if (slice_starts(head.module, SLICE("pam_"))) {
        message_auth_pam_of(sink, head.module, head.message);
    } else {
        message_read(sink, head.program, head.message);
    }
    return OK;
}

static const struct fields_form form = {
        .event = {.name = "syslog", .walk = fields_walk, .write_json = fields_write_json},
        .names = message_names,
        .count = MESSAGE_NAME_COUNT,
        .parse = parse,
        .late_first = MESSAGE_SENTENCES,
        .late_count = MESSAGE_SENTENCES_END - MESSAGE_SENTENCES,
};

/* ---- recognise ------------------------------------------------------------------------------- */

/* A header that only syslog has: a time of it and then something like a tag, or a PRI. */
static bool is_header(struct slice line)
{
    struct syslog_head head;
    struct syslog_time_memory memory = {0};
    syslog_head_read(line, &memory, &head);
    bool timed = head.time.text.size > 0;
    if (head.pri >= 0) {
        return timed || head.version.size > 0 || head.program.size > 0 || *line.at == '<';
    }
    /* Without a PRI: a date of RFC 3164 or ISO 8601, and a program or a host. */
    if (!timed || (head.program.size == 0 && head.host.size == 0)) {
        return false;
    }
    return head.program.size > 0 || (*line.at >= 'A' && *line.at <= 'Z');
}

/* Cisco's %FACILITY-SEVERITY-MNEMONIC: without a header. */
static bool is_mnemonic(struct slice line)
{
    struct slice facility = slice_cut(&line, '-'), severity = slice_cut(&line, '-');
    bool good = facility.size > 2 && *facility.at == '%' && severity.size == 1 &&
                *severity.at >= '0' && *severity.at <= '7';
    size_t colon = slice_find_byte(line, ':');
    for (size_t i = 0; good && i < colon; i++) {
        good = slice_is_digit(line.at[i]) || line.at[i] == '_' ||
               (line.at[i] >= 'A' && line.at[i] <= 'Z');
    }
    return good && colon > 0 && colon < line.size;
}

static bool is_payload(struct slice line)
{
    struct slice name;
    if (slice_starts(line, SLICE("CEF:")) || slice_starts(line, SLICE("LEEF:")) ||
            is_mnemonic(line)) {
        return true;
    }
    /* Firewalls' pairs: date= or id= or time= in front. */
    return message_pair_name(&line, &name) && slice_find_byte(line, '=') < line.size &&
           (slice_equal(name, SLICE("date")) || slice_equal(name, SLICE("id")) ||
                   slice_equal(name, SLICE("time")) || slice_equal(name, SLICE("timestamp")));
}

static bool is_mine(struct slice line)
{
    return is_header(line) || is_payload(line);
}

static int recognise(struct slice head, bool whole)
{
    int share = lines_share(head, whole, is_mine);
    return share >= 90 ? 60 : share >= 50 ? 45 : share >= 20 ? 15 : 0;
}

/* ---- decoder --------------------------------------------------------------------------------- */

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->clock = (struct syslog_clock){
            .written_ns = INT64_MIN, .east = limits->zone_east, .year = limits->year};
    if (fields_init(&r->fields, &form, paths, r) != OK) {
        reader_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

static void place(struct reader *r, const struct decode_place *place)
{
    r->clock.last_size = 0;
    r->clock.written_ns = place->written_ns;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    (void)header;
    r->block = block;
    r->at = 0;
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    if (!lines_next(r->block, &r->at, &line)) {
        return ERR_END;
    }
    TRY(lines_check(line, &r->limits, diag));
    return fields_read(&r->fields, line, event, diag);
}

const struct decoder syslog_decoder = {
        .name = "syslog",
        .about =
                "syslog (RFC 3164, RFC 5424, files), with CEF, LEEF, JSON or pairs in it, or alone",
        .recognise = recognise,
        .cut = lines_cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .place = place,
        .begin = begin,
        .next = next,
};
