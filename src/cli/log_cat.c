#include "cli/log_cat.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/data.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "event/unread.h"
#include "net/authorize.h"
#include "wal/reader.h"

enum { FROM, TO, TENANT, REJECTED, REASON, SOURCE, OUTPUT, DATA };

static const struct option_row options[] = {
        [FROM] = {"from", 0, "N", "records of this offset and later"},
        [TO] = {"to", 0, "N", "records before this offset"},
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [REJECTED] = {"rejected", 0, NULL,
                "the quarantine: what could not be taken, read or judged, and why"},
        [REASON] = {"reason", 0, "WORDS", "of the quarantine, what begins so: undecodable"},
        [SOURCE] = {"source", 0, "NAME", "of the quarantine, only this input's or sender's"},
        [OUTPUT] = {"output", 'o', "HOW", "raw (as received, a line feed behind each) or json"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        {0},
};

struct cat_request {
    const char *data;
    const char *tenant; /* NULL: all */
    const char *output; /* NULL: as fits */
    uint64_t from, to;
    bool rejected;
    struct unread_wanted wanted;
    bool json;
    bool terminal;
};

static enum err take_offset(const char *value, const char *name, uint64_t *out, struct diag *diag)
{
    long n;
    if (!option_number(value, 0, INT64_MAX, &n)) {
        return diag_say(diag, ERR_USAGE, "--%s: '%.80s' is no offset", name, value);
    }
    *out = (uint64_t)n;
    return OK;
}

static enum err take(struct cat_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case FROM:
        return take_offset(value, "from", &request->from, diag);
    case TO:
        return take_offset(value, "to", &request->to, diag);
    case TENANT:
        request->tenant = value;
        return authorize_tenant_valid(slice_text(value))
                       ? OK
                       : diag_say(diag, ERR_USAGE, "--tenant: '%.80s' is no tenant's path", value);
    case REJECTED:
        request->rejected = true;
        return OK;
    case REASON:
        request->rejected = true;
        request->wanted.reason = slice_text(value);
        return OK;
    case SOURCE:
        request->rejected = true;
        request->wanted.source = slice_text(value);
        return OK;
    case OUTPUT:
        request->output = value;
        return strcmp(value, "raw") == 0 || strcmp(value, "json") == 0
                       ? OK
                       : diag_say(diag, ERR_USAGE, "--output: '%.80s' is not raw or json", value);
    case DATA:
        request->data = value;
        return OK;
    case OPTION_ARGUMENT:
        return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
    default:
        return ERR_USAGE;
    }
}

static enum err parse(struct cat_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    *request = (struct cat_request){.to = UINT64_MAX, .terminal = isatty(STDOUT_FILENO)};
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        TRY(take(request, option, value, diag));
    }
    request->json = request->output ? strcmp(request->output, "json") == 0 : request->rejected;
    return OK;
}

/* What is no UTF-8 comes as base64: as a string it would not be what was received. */
static void add_record(struct buf *out, struct slice record)
{
    bool text = utf8_valid(record);
    buf_add(out, text ? SLICE(",\"record\":\"") : SLICE(",\"base64\":\""));
    if (text) {
        buf_json(out, record);
    } else {
        base64_add(out, record);
    }
    buf_add(out, SLICE("\"}\n"));
}

static void add_member(struct buf *out, const char *name, struct slice text)
{
    if (text.at) {
        buf_byte(out, ',');
        rules_walk_member(out, name, text);
    }
}

static void add_json(struct buf *out, const struct frame *frame, const struct unread *unread,
        struct slice record)
{
    uint64_t offset = unread->offset;
    buf_format(out, "{\"offset\":%" PRIu64 ",\"received\":\"", offset);
    time_format(out, frame->receipt_ns);
    buf_byte(out, '"');
    add_member(out, "tenant", frame->attribute[FRAME_TENANT]);
    add_member(out, "source", frame->attribute[FRAME_SOURCE]);
    add_member(out, "format", frame->attribute[FRAME_FORMAT]);
    add_member(out, "reason", unread->words);
    add_record(out, record);
}

/* ---- the quarantine ----------------------------------------------------------------------------
 */

/* What was not judged, by the judge's word in the log of findings, in the order of the log. */
struct judged {
    struct wal_reader *reader; /* NULL: there is none */
    struct frame frame;
    struct frame_walk walk;
    struct unread next;
    bool walking, has; /* has: `next` is one */
};

/* Those that intake rejected are told by the log itself. */
static bool is_of_judge(const struct frame *frame)
{
    struct slice reason = frame->attribute[FRAME_REASON];
    return frame->kind == FRAME_UNREAD && (slice_equal(reason, SLICE(UNREAD_UNDECODABLE)) ||
                                                  slice_equal(reason, SLICE(UNREAD_PASSED_OVER)));
}

static void find_next(struct judged *judged)
{
    judged->has = false;
    while (judged->reader && !judged->has) {
        if (judged->walking && frame_next(&judged->frame, &judged->walk)) {
            judged->has = unread_read(judged->walk.record, &judged->next);
            continue;
        }
        enum err e = reader_next(judged->reader, READER_ALL, &judged->frame, NULL);
        if (e != OK && e != ERR_SYNTAX) {
            return;
        }
        judged->walking = e == OK && is_of_judge(&judged->frame);
        judged->walk = (struct frame_walk){0};
    }
}

static void open_judged(struct judged *judged, const char *data)
{
    char path[DATA_PATH];
    if (data_path(data, "findings", path, NULL) == OK &&
            reader_open(path, &disk_real, 0, &judged->reader, NULL) == OK) {
        find_next(judged);
    }
}

/* Is the record of this offset one of them? In order. */
static bool is_unread(struct judged *judged, uint64_t offset)
{
    while (judged->has && judged->next.offset < offset) {
        find_next(judged);
    }
    return judged->has && judged->next.offset == offset;
}

/* *reason: why the record is in quarantine. */
static bool is_wanted(const struct cat_request *request, struct judged *judged,
        const struct frame *frame, uint64_t offset, struct buf *reason)
{
    const struct frame *of = frame;
    struct unread unread = {.offset = offset};
    buf_clear(reason);
    if (frame->kind == FRAME_REJECTED) {
        buf_add(reason, frame->attribute[FRAME_REASON]);
    } else if (is_unread(judged, offset)) {
        of = &judged->frame;
        unread = judged->next;
        unread_reason(of, &unread, reason);
    } else {
        return false;
    }
    const struct unread_wanted source = {.source = request->wanted.source};
    return slice_starts(buf_slice(reason), request->wanted.reason) &&
           unread_is(of, &unread, &source);
}

/* The records of a frame that are asked for. */
static void add_records(const struct cat_request *request, struct judged *judged,
        const struct frame *frame, struct buf *out)
{
    struct buf reason = {0};
    struct frame_walk walk = {0};
    while (frame_next(frame, &walk)) {
        struct unread unread = {.offset = frame->offset + walk.index};
        if (unread.offset < request->from || unread.offset >= request->to ||
                (request->rejected && !is_wanted(request, judged, frame, unread.offset, &reason))) {
            continue;
        }
        unread.words = buf_slice(&reason);
        if (request->json) {
            add_json(out, frame, &unread, walk.record);
        } else {
            buf_add(out, walk.record);
            buf_byte(out, '\n');
        }
    }
    out->failed |= reason.failed;
    buf_fini(&reason);
}

/* Each frame's text is written at once: at most a frame's bytes, made longer by escapes. */
static enum err print_frame(const struct cat_request *request, struct judged *judged,
        const struct frame *frame, struct diag *diag)
{
    struct buf out = {0}, shown = {0};
    struct slice tenant = frame->attribute[FRAME_TENANT];
    if ((frame->kind != FRAME_RECORDS && (frame->kind != FRAME_REJECTED || !request->rejected)) ||
            (request->tenant && !authorize_covers(slice_text(request->tenant), tenant))) {
        return OK;
    }
    add_records(request, judged, frame, &out);
    if (request->terminal) {
        visible_lines(&shown, buf_slice(&out));
    }
    const struct buf *text = request->terminal ? &shown : &out;
    enum err e = OK;
    if (out.failed || shown.failed) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the records from %" PRIu64, frame->offset);
    } else if (fwrite(text->at ? text->at : "", 1, text->size, stdout) != text->size) {
        e = diag_say(diag, ERR_IO, "cannot write the records");
    }
    buf_fini(&out);
    buf_fini(&shown);
    return e;
}

struct cat {
    const struct cat_request *request;
    struct wal_reader *reader;
    struct judged judged;
    bool damaged; /* something in between could not be read, and was named */
};

static enum err print_all(struct cat *cat, struct diag *diag)
{
    const struct cat_request *request = cat->request;
    struct wal_reader *reader = cat->reader;
    bool *damaged = &cat->damaged;
    struct frame frame;
    if (request->from > 0 && request->from < reader_first(reader)) {
        verb_say("log cat: offsets below %" PRIu64 " were removed", reader_first(reader));
        *damaged = true;
    }
    for (;;) {
        enum err e = reader_next(reader, READER_ALL, &frame, diag);
        if (e == ERR_END || (e == OK && frame.offset >= request->to) ||
                (e == ERR_SYNTAX && reader_damage(reader)->from >= request->to)) {
            break;
        }
        if (e == ERR_SYNTAX) {
            *damaged = true;
            verb_say("log cat: %s", diag->words);
            continue;
        }
        TRY(e);
        TRY(print_frame(request, &cat->judged, &frame, diag));
    }
    return fflush(stdout) == 0 ? OK : diag_say(diag, ERR_IO, "cannot write the records");
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct cat_request request;
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct cat cat = {.request = &request};
    struct diag diag = {0};
    char path[DATA_PATH];
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    enum err e = data_path(request.data, "log", path, &diag);
    e = e == OK ? reader_open(path, &disk_real, request.from, &cat.reader, &diag) : e;
    if (e == OK && request.rejected) {
        open_judged(&cat.judged, request.data);
    }
    e = e == OK ? print_all(&cat, &diag) : e;
    if (e != OK) {
        verb_say("log cat: %s", diag.words[0] ? diag.words : err_name(e));
    }
    reader_close(cat.reader);
    reader_close(cat.judged.reader);
    return e == OK && !cat.damaged ? VERB_DONE : VERB_SOME;
}

const struct verb log_cat_verb = {.name = "log cat",
        .about = "the records that a centre has stored, as they were received",
        .arguments = "[--from N] [--to N] [--tenant TENANT] [--rejected] [-o HOW] [--data DIR]",
        .options = options,
        .notes = "An offset is a record's place in the log: a finding names it in source.offset.\n"
                 "JSON has the record with its offset, time of receipt, tenant, source and, where\n"
                 "it is in quarantine, the reason; one that is no UTF-8 as base64. What is in "
                 "quarantine\n"
                 "comes as JSON unless -o says otherwise.\n",
        .examples = "  merlon log cat --from 4711 --to 4712 -o json\n"
                    "  merlon log cat --tenant sg/health | merlon detect -r rules -\n"
                    "  merlon log cat --rejected | jq -r .reason | sort | uniq -c\n",
        .run = run};
