/* leaves FILE... - every leaf of every JSON record, as the decoder gives it: by its walk over the
 * whole record, and as the fields that rules could name.
 *
 *     walk  <record> <kind> <path as JSON> <text as JSON>
 *     field <record> <kind> <path as JSON> <text as JSON>
 *     bad   <record> <words>
 *
 * The fields are all paths that the file has, so that reading by learned shapes is looked at too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "decode/json.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { FILE_LIMIT = 1 << 30, BEHIND = 64 };
static const char kinds[] = "0bnso";

struct run {
    struct slice text; /* with BEHIND readable bytes behind it */
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct buf scratch, line;
    uint64_t record;
    bool first; /* of two passes: learn the paths */
};

static _Noreturn void stop(const char *words)
{
    fprintf(stderr, "leaves: %s\n", words);
    exit(2);
}

static void print_leaf(
        struct run *run, const char *what, struct slice path, const struct value *value)
{
    buf_clear(&run->line);
    buf_format(
            &run->line, "%s %llu %c \"", what, (unsigned long long)run->record, kinds[value->kind]);
    buf_json(&run->line, path);
    buf_add(&run->line, SLICE("\" \""));
    buf_json(&run->line, value_slice(value, &run->scratch));
    buf_add(&run->line, SLICE("\"\n"));
    fwrite(run->line.at, 1, run->line.size, stdout);
}

static bool visit(void *context, struct slice path, const struct value *value)
{
    struct run *run = context;
    uint32_t id;
    if (field_intern(run->fields, path, &id) != OK) {
        stop("no memory");
    }
    print_leaf(run, "walk", path, value);
    return true;
}

static void print_fields(struct run *run)
{
    for (uint32_t i = 0; i < run->event.field_count; i++) {
        const struct value *v = event_value(&run->event, i);
        for (; v; v = event_next(&run->event, v)) {
            print_leaf(run, "field", field_name(run->fields, i), v);
        }
    }
}

static void read_block(struct run *run, struct reader *reader, struct slice block)
{
    struct diag diag = {0};
    enum err e;
    json_decoder.begin(reader, block, (struct slice){0});
    while ((e = json_decoder.next(reader, &run->event, &diag)) != ERR_END) {
        run->record++;
        if (e != OK) {
            printf("bad %llu %s\n", (unsigned long long)run->record, diag.words);
        } else if (!run->first) {
            print_fields(run);
        } else if (run->event.form->walk(&run->event, visit, run) != OK) {
            stop("no memory");
        }
    }
}

/* One pass over the stream. */
static void read_stream(struct run *run)
{
    static const struct path_pattern all = {{"*", 1}, {"*", 1}, false};
    const struct decode_limits limits = DECODE_LIMITS;
    struct cutter cutter = {.limits = limits};
    struct reader *reader;
    struct slice rest = run->text;
    if (paths_build(run->fields, &all, 1, &run->paths) != OK ||
            event_init(&run->event, run->paths->field_count) != OK ||
            json_decoder.reader_new(run->paths, &limits, &reader) != OK) {
        stop("no memory");
    }
    run->record = 0;
    while (rest.size) {
        struct cut cut = {0};
        struct diag diag = {0};
        if (json_decoder.cut(&cutter, rest, true, &cut, &diag) != OK || cut.skip + cut.size == 0) {
            stop("the cutter stands still");
        }
        run->record += cut.rejected;
        read_block(run, reader, slice_of(rest.at + cut.skip, cut.size));
        rest = slice_of(rest.at + cut.skip + cut.size, rest.size - cut.skip - cut.size);
    }
    json_decoder.reader_free(reader);
    event_fini(&run->event);
    paths_free(run->paths);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct run run = {.first = true, .fields = field_table_new()};
        struct buf text = {0};
        struct diag diag;
        if (!run.fields || files_read(argv[i], FILE_LIMIT, &text, &diag) != OK ||
                !buf_reserve(&text, BEHIND)) {
            stop(argv[i]);
        }
        run.text = buf_slice(&text);
        printf("file %s\n", argv[i]);
        read_stream(&run);
        run.first = false;
        read_stream(&run);
        buf_fini(&text);
        buf_fini(&run.scratch);
        buf_fini(&run.line);
        field_table_free(run.fields);
    }
    return 0;
}
