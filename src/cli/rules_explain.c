#include "cli/rules_explain.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/detect.h"
#include "cli/load.h"
#include "detect/judge.h"
#include "source/inputs.h"
#include "source/stream.h"

/* The input is held whole until the record is found. */
#define EXPLAIN_BYTES ((size_t)256 << 20)
enum { READABLE_BEHIND = 64 };

enum { RECORD, FORMAT, ANY_SOURCE, PLACEHOLDERS, TAXONOMY };

static const struct option_row options[] = {
        [RECORD] = {"record", 0, "N", "the event's number in the file (1)"},
        [FORMAT] = {"format", 0, "FORMAT", "take the file for: evtx, json"},
        [ANY_SOURCE] = {"any-source", 0, NULL, "by the rule alone, without its logsource"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rule's %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        {0},
};

struct explain_request {
    struct load_request load;
    const char *event;
    const struct decoder *decoder;
    unsigned long record;
    bool any_source;
};

static enum err set_option(
        struct explain_request *request, int option, const char *value, struct diag *diag)
{
    long record;
    switch (option) {
    case TAXONOMY:
        return words_add(&request->load.taxonomies, value);
    case PLACEHOLDERS:
        request->load.placeholders = value;
        return OK;
    case ANY_SOURCE:
        request->any_source = true;
        return OK;
    case FORMAT:
        request->decoder = detect_decoder(value);
        return request->decoder ? OK
                                : diag_say(diag, ERR_USAGE, "--format: '%.80s' is none", value);
    default:
        if (!option_number(value, 1, 0x7fffffffffff, &record)) {
            return diag_say(diag, ERR_USAGE, "--record: '%.80s' is no number from 1", value);
        }
        request->record = (unsigned long)record;
        return OK;
    }
}

static enum err parse(
        struct explain_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option != OPTION_ARGUMENT) {
            TRY(set_option(request, option, value, diag));
        } else if (request->load.rules.count == 0) {
            TRY(words_add(&request->load.rules, value));
        } else if (!request->event) {
            request->event = value;
        } else {
            return diag_say(diag, ERR_USAGE, "one RULE and one EVENT, no more: '%.80s'", value);
        }
    }
    if (!request->event) {
        return diag_say(diag, ERR_USAGE, "name a rule's file and an event's file");
    }
    return OK;
}

/* All bytes of the one input, and 64 readable ones behind them. */
static enum err read_whole(const struct input *input, struct buf *out, struct diag *diag)
{
    struct stream *stream;
    TRY(stream_open(input, NULL, &stream, diag));
    enum err e = OK;
    while (e == OK) {
        char *at = buf_reserve(out, STREAM_BLOCK + READABLE_BEHIND);
        if (!at) {
            e = diag_say(
                    diag, ERR_LIMIT, "over %zu MiB: cut the record out first", EXPLAIN_BYTES >> 20);
            break;
        }
        struct unpack_room room = {at, STREAM_BLOCK, 0};
        e = stream_read(stream, &room, diag);
        out->size += room.used;
    }
    stream_close(stream);
    return e == ERR_END ? OK : e;
}

static const struct decoder *recognise(struct slice bytes)
{
    enum { HEAD = 64 << 10 };
    struct slice head = slice_of(bytes.at, bytes.size < HEAD ? bytes.size : HEAD);
    const struct decoder *best = NULL;
    int most = 0;
    for (size_t i = 0; i < decoders_count; i++) {
        int sure = decoders[i]->recognise(head, head.size == bytes.size);
        if (sure > most) {
            most = sure;
            best = decoders[i];
        }
    }
    return best;
}

/* What explaining works with. */
struct bench {
    struct engine *engine;
    struct judge *judge;
    struct reader *reader;
    const struct decoder *decoder;
    struct event event;
};

static enum err not_there(const struct explain_request *request, uint64_t last, struct diag *diag)
{
    return diag_say(diag, ERR_NOT_FOUND, "no record %lu: the last is %llu", request->record,
            (unsigned long long)last);
}

/* Decodes the record of the block whose ordinal is asked for. */
static enum err decode_one(
        struct bench *bench, struct slice block, uint64_t first, uint64_t record, struct diag *diag)
{
    enum err e = OK;
    bench->decoder->begin(bench->reader, block);
    for (uint64_t n = first; n <= record && e != ERR_END; n++) {
        e = bench->decoder->next(bench->reader, &bench->event, diag);
    }
    return e;
}

static enum err find_record(struct bench *bench, const struct explain_request *request,
        struct slice bytes, struct diag *diag)
{
    struct cutter cutter = {.limits = DECODE_LIMITS};
    uint64_t before = 0;
    cutter.limits.record_bytes =
            bytes.size > cutter.limits.record_bytes ? bytes.size : cutter.limits.record_bytes;
    while (bytes.size > 0) {
        struct cut cut = {0};
        TRY(bench->decoder->cut(&cutter, bytes, true, &cut, diag));
        if (cut.skip + cut.size == 0) {
            break;
        }
        before += cut.rejected;
        if (request->record <= before) {
            return diag_say(diag, ERR_SYNTAX, "record %lu was rejected", request->record);
        }
        if (request->record <= before + cut.records) {
            struct slice block = slice_of(bytes.at + cut.skip, cut.size);
            return decode_one(bench, block, before + 1, request->record, diag);
        }
        before += cut.records;
        cutter.offset += cut.skip + cut.size;
        bytes = slice_of(bytes.at + cut.skip + cut.size, bytes.size - cut.skip - cut.size);
    }
    return not_there(request, before, diag);
}

static enum err explain_rules(struct bench *bench, const struct ruleset *set, struct diag *diag)
{
    struct buf out = {0};
    enum err e = OK;
    for (uint32_t i = 0; i < set->rule_count && e == OK; i++) {
        e = judge_explain(bench->judge, &bench->event, i, &out);
    }
    if (e == OK && out.failed) {
        e = ERR_MEMORY;
    }
    if (e != OK) {
        diag_say(diag, e, "cannot explain: %s", err_name(e));
    } else if (out.size > 0 &&
               (fwrite(out.at, 1, out.size, stdout) != out.size || fflush(stdout) != 0)) {
        e = diag_say(diag, ERR_IO, "cannot write");
    }
    buf_fini(&out);
    return e;
}

static enum err bench_init(struct bench *bench, const struct explain_request *request,
        const struct loaded *loaded, struct diag *diag)
{
    const struct engine_options plain = {.any_source = request->any_source};
    TRY(engine_new(loaded->set, loaded->taxonomy, &plain, &bench->engine, diag));
    if (judge_new(bench->engine, &bench->judge) != OK ||
            event_init(&bench->event, engine_field_count(bench->engine)) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    return OK;
}

static void bench_fini(struct bench *bench)
{
    if (bench->reader) {
        bench->decoder->reader_free(bench->reader);
    }
    event_fini(&bench->event);
    judge_free(bench->judge);
    engine_free(bench->engine);
}

static enum err explain_bytes(struct bench *bench, const struct explain_request *request,
        const struct ruleset *set, struct slice bytes, struct diag *diag)
{
    struct decode_limits limits = DECODE_LIMITS;
    limits.record_bytes = EXPLAIN_BYTES;
    bench->decoder = request->decoder ? request->decoder : recognise(bytes);
    if (!bench->decoder) {
        return diag_say(diag, ERR_SYNTAX, "no format that is known: give --format");
    }
    if (bench->decoder->reader_new(engine_paths(bench->engine), &limits, &bench->reader) != OK) {
        bench->reader = NULL;
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    TRY(find_record(bench, request, bytes, diag));
    return explain_rules(bench, set, diag);
}

static enum err explain(const struct explain_request *request, const struct loaded *loaded,
        const struct verb_app *app, struct diag *diag)
{
    struct bench bench = {0};
    struct inputs *inputs;
    struct buf bytes = {.cap = EXPLAIN_BYTES};
    if (inputs_new(&inputs) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    enum err e = bench_init(&bench, request, loaded, diag);
    if (e == OK) {
        e = inputs_add(inputs, request->event);
    }
    if (e == OK) {
        e = inputs_finish(inputs);
    }
    if (e == OK && inputs->problem_count > 0) {
        e = diag_say(diag, ERR_IO, "%.*s", SLICE_ARG(inputs->problems[0].reason));
    }
    if (e == OK && inputs->count != 1) {
        e = diag_say(diag, ERR_USAGE, "name one file");
    }
    if (e == OK) {
        e = app->seal(inputs, diag);
    }
    if (e == OK) {
        e = read_whole(&inputs->files[0], &bytes, diag);
    }
    if (e == OK) {
        e = explain_bytes(&bench, request, loaded->set, buf_slice(&bytes), diag);
    }
    bench_fini(&bench);
    buf_fini(&bytes);
    inputs_free(inputs);
    return e;
}

static int load_and_explain(
        const struct explain_request *request, const struct verb_app *app, struct diag *diag)
{
    struct loaded loaded;
    int code = VERB_SOME;
    if (load_rules(&request->load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return code;
    }
    load_say_problems(loaded.set);
    if (loaded.set->rule_count == 0) {
        verb_say("%s: no rule to explain", request->load.rules.at[0]);
    } else if (explain(request, &loaded, app, diag) != OK) {
        struct buf words = {0};
        load_place(diag, &words);
        verb_say("%s%.*s", request->event, SLICE_ARG(buf_slice(&words)));
        buf_fini(&words);
    } else if (loaded.set->problem_count == 0) {
        code = VERB_DONE;
    }
    load_fini(&loaded);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct explain_request request = {.record = 1};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else {
        code = e == OK ? load_and_explain(&request, app, &diag) : verb_usage(verb, diag.words);
    }
    words_fini(&request.load.rules);
    words_fini(&request.load.taxonomies);
    return code;
}

const struct verb rules_explain_verb = {
        .name = "rules explain",
        .about = "show which parts of a rule hold for an event, and which do not",
        .arguments = "[OPTION]... RULE EVENT",
        .options = options,
        .notes = "RULE is a file of rules, EVENT a file of events (JSON or EVTX; - for standard\n"
                 "input): its record N is judged by each rule of the file. Shown are each part\n"
                 "of the condition, the event's values, and the field mapping that applied.\n",
        .examples = "  merlon rules explain rule.yml event.json\n"
                    "  merlon rules explain rule.yml Security.evtx --record 4711\n",
        .run = run,
};
