#include "cli/log_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/data.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "wal/names.h"
#include "wal/reader.h"

enum { OUTPUT, DATA };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a log)"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        {0},
};

struct verify_request {
    const char *data;
    bool json;
};

static enum err parse(struct verify_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case DATA:
            request->data = value;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    return OK;
}

/* A torn end is no damage: it was never acknowledged. */
static bool is_whole(const struct reader_survey *survey)
{
    return survey->damages == 0 && survey->heads == survey->segments;
}

/* For people the last one is named, not the one behind it. */
static void add_offsets(struct buf *out, uint64_t from, uint64_t to)
{
    if (to > from) {
        buf_format(out, "offsets %" PRIu64 " to %" PRIu64, from, to - 1);
    } else {
        buf_add(out, SLICE("no offsets"));
    }
}

/* The ranges, each with the segment where it begins. The log may be larger than memory, its damage
 * in all likelihood not. */
static enum err add_ranges(const char *path, bool json, struct buf *out, struct diag *diag)
{
    struct wal_reader *reader;
    struct names names = {0};
    struct frame frame;
    const char *between = "";
    TRY(reader_open(path, &disk_real, 0, &reader, diag));
    enum err e = names_list(&names, &disk_real, path, diag);
    while (e == OK || e == ERR_SYNTAX) {
        e = reader_next(reader, READER_ALL, &frame, diag);
        if (e != ERR_SYNTAX || names.count == 0) {
            continue;
        }
        const struct reader_damage *damage = reader_damage(reader);
        uint64_t segment = names.at[names_find(&names, damage->from)];
        if (json) {
            buf_format(out, "%s{\"from\":%" PRIu64 ",\"to\":%" PRIu64, between, damage->from,
                    damage->to);
            buf_format(out, ",\"segment\":\"%020" PRIu64 ".seg\"}", segment);
        } else {
            buf_add(out, SLICE("    "));
            add_offsets(out, damage->from, damage->to);
            buf_format(out, ", in %020" PRIu64 ".seg\n", segment);
        }
        between = ",";
    }
    names_fini(&names);
    reader_close(reader);
    return e == ERR_END ? OK : e;
}

static void add_kinds(const struct reader_survey *survey, bool json, struct buf *out)
{
    const char *between = json ? "" : ": ";
    for (int kind = FRAME_RECORDS; kind < FRAME_KINDS; kind++) {
        const char *name = frame_kind_name((enum frame_kind)kind);
        if (survey->by_kind[kind] > 0 && kind != FRAME_SEAL) {
            buf_format(out, json ? "%s\"%s\":%" PRIu64 : "%s%s %" PRIu64, between, name,
                    survey->by_kind[kind]);
            between = json ? "," : ", ";
        }
    }
}

static void write_json(
        const char *path, const struct reader_survey *s, struct slice ranges, struct buf *out)
{
    buf_byte(out, '{');
    rules_walk_member(out, "directory", slice_text(path));
    buf_byte(out, ',');
    rules_walk_member(out, "log", slice_text(s->log));
    buf_format(out, ",\"whole\":%s", is_whole(s) ? "true" : "false");
    buf_format(out, ",\"segments\":%" PRIu64 ",\"sealed\":%" PRIu64 ",\"heads\":%" PRIu64,
            s->segments, s->sealed, s->heads);
    buf_format(out, ",\"first\":%" PRIu64 ",\"next\":%" PRIu64 ",\"frames\":%" PRIu64, s->first,
            s->next, s->frames);
    buf_add(out, SLICE(",\"kinds\":{"));
    add_kinds(s, true, out);
    buf_format(out, "},\"records\":%" PRIu64 ",\"damaged\":%" PRIu64, s->records, s->damaged);
    buf_format(out, ",\"damage\":[%.*s]", SLICE_ARG(ranges));
    buf_format(out,
            ",\"strange_bytes\":%" PRIu64 ",\"spare_bytes\":%" PRIu64 ",\"torn_bytes\":%" PRIu64
            "}\n",
            s->strange_bytes, s->spare_bytes, s->torn_bytes);
}

static void write_table(
        const char *path, const struct reader_survey *s, struct slice ranges, struct buf *out)
{
    visible_add(out, slice_text(path), VISIBLE_ANY);
    buf_format(out, ": %s\n", is_whole(s) ? "whole" : "damaged");
    buf_format(out, "  log       %s\n", s->log[0] ? s->log : "no head can be read");
    buf_format(out, "  segments  %" PRIu64 ", %" PRIu64 " sealed", s->segments, s->sealed);
    if (s->heads < s->segments) {
        buf_format(out, ", %" PRIu64 " with a head that cannot be read", s->segments - s->heads);
    }
    buf_add(out, SLICE("\n  kept      "));
    add_offsets(out, s->first, s->next);
    buf_format(out, "\n  frames    %" PRIu64, s->frames);
    add_kinds(s, false, out);
    buf_format(out, "\n  records   %" PRIu64 "\n", s->records);
    buf_format(out,
            "  bytes     %" PRIu64 " torn at the end, %" PRIu64 " written again later, %" PRIu64
            " in no frame\n",
            s->torn_bytes, s->spare_bytes, s->strange_bytes);
    if (s->damages > 0) {
        buf_format(out, "  damaged   offsets: %" PRIu64 ", ranges: %" PRIu64 "\n", s->damaged,
                s->damages);
        buf_add(out, ranges);
    }
}

static enum err verify(
        const struct verify_request *request, const char *name, bool *whole, struct diag *diag)
{
    struct reader_survey survey;
    struct buf ranges = {0}, out = {0}, shown = {0};
    char path[DATA_PATH];
    TRY(data_path(request->data, name, path, diag));
    TRY(reader_verify(path, &disk_real, NULL, &survey, diag));
    enum err e = survey.damages > 0 ? add_ranges(path, request->json, &ranges, diag) : OK;
    if (e == OK) {
        (request->json ? write_json : write_table)(path, &survey, buf_slice(&ranges), &out);
        visible_lines(&shown, buf_slice(&out));
        const struct buf *text = isatty(STDOUT_FILENO) ? &shown : &out;
        if (ranges.failed || out.failed || shown.failed) {
            e = diag_say(diag, ERR_MEMORY, "no memory for the report");
        } else if (fwrite(text->at, 1, text->size, stdout) != text->size || fflush(stdout) != 0) {
            e = diag_say(diag, ERR_IO, "cannot write the report");
        }
    }
    *whole = is_whole(&survey);
    buf_fini(&ranges);
    buf_fini(&out);
    buf_fini(&shown);
    return e;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    static const char *const logs[] = {"log", "findings"};
    struct verify_request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    int code = VERB_DONE;
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        bool whole = false;
        if (verify(&request, logs[i], &whole, &diag) != OK) {
            verb_say("log verify: %s", diag.words);
        }
        code = whole ? code : VERB_SOME;
    }
    return code;
}

const struct verb log_verify_verb = {.name = "log verify",
        .about = "whether what a centre keeps is whole",
        .arguments = "[-o HOW] [--data DIR]",
        .options = options,
        .notes =
                "Reads all that was received and all that was found, and checks every sum. Exit "
                "1:\n"
                "something is damaged; what it was is named by its offsets. Bytes torn at the end\n"
                "are no damage: a crash leaves them, and nobody was told that they are kept. In\n"
                "JSON a range is from its first offset up to the one behind its last.\n",
        .examples = "  merlon log verify --data /var/lib/merlon\n"
                    "  merlon log verify -o json | jq 'select(.whole | not).damage'\n",
        .run = run};
