#include "cli/findings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/data.h"
#include "event/frame.h"
#include "net/authorize.h"
#include "wal/reader.h"

enum { DATA, AFTER, TENANT, COUNT };

static const struct option_row options[] = {
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        [AFTER] = {"after", 0, "N", "leave out the first N findings"},
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [COUNT] = {"count", 0, NULL, "print how many there are"},
        {0},
};

struct findings_request {
    const char *data;
    const char *tenant; /* NULL: all */
    uint64_t after;
    bool count;
};

static enum err parse(struct findings_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    long n;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case DATA:
            request->data = value;
            break;
        case AFTER:
            if (!option_number(value, 0, INT64_MAX, &n)) {
                return diag_say(diag, ERR_USAGE, "--after: '%.80s' is no number", value);
            }
            request->after = (uint64_t)n;
            break;
        case TENANT:
            request->tenant = value;
            break;
        default:
            request->count = true;
        }
    }
    return OK;
}

/* An empty record stands for "judged, and nothing found". */
static void print_frame(
        const struct findings_request *request, const struct frame *frame, uint64_t *count)
{
    struct frame_walk walk = {0};
    if (frame->kind != FRAME_FINDINGS ||
            (request->tenant && !authorize_covers(slice_text(request->tenant),
                                        frame->attribute[FRAME_TENANT]))) {
        return;
    }
    while (frame_next(frame, &walk)) {
        if (walk.record.size == 0 || (*count)++ < request->after || request->count) {
            continue;
        }
        fwrite(walk.record.at, 1, walk.record.size, stdout);
        fputc('\n', stdout);
    }
}

static enum err print_all(
        const struct findings_request *request, struct wal_reader *reader, struct diag *diag)
{
    struct frame frame;
    uint64_t count = 0;
    enum err e;
    while ((e = reader_next(reader, READER_ALL, &frame, diag)) != ERR_END) {
        if (e == OK) {
            print_frame(request, &frame, &count);
        } else if (e == ERR_SYNTAX) {
            verb_say("findings: %s", diag->words);
        } else {
            return e;
        }
    }
    if (request->count) {
        printf("%llu\n", (unsigned long long)count);
    }
    return fflush(stdout) == 0 ? OK : diag_say(diag, ERR_IO, "output: %s", strerror(errno));
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct findings_request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct wal_reader *reader = NULL;
    struct diag diag = {0};
    char path[DATA_PATH];
    if (parse(&request, &scan, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    enum err e = data_path(request.data, "findings", path, &diag);
    e = e == OK ? reader_open(path, &disk_real, 0, &reader, &diag) : e;
    if (e == OK) {
        e = print_all(&request, reader, &diag);
    }
    if (e != OK) {
        verb_say("findings: %s", diag.words);
    }
    reader_close(reader);
    return e == OK ? VERB_DONE : VERB_SOME;
}

const struct verb findings_verb = {.name = "findings",
        .about = "what a centre has found, as JSON lines",
        .arguments = "[--data DIR] [--after N] [--tenant TENANT]",
        .options = options,
        .notes = "Reads the directory of `merlon serve`, whether it runs or not.\n",
        .examples = "  merlon findings --data /var/lib/merlon\n"
                    "  merlon findings --tenant sg/health --after 1000\n",
        .run = run};
