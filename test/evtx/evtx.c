/* Reads event logs with the EVTX decoder.
 *
 *     evtx dump FILE...            a line "FILE<tab>ordinal<tab>record id<tab>JSON" for each record
 *     evtx check EXPECTED ROOT     each record of EXPECTED ({"file","record","event"}, JSON lines)
 *                                  against ROOT/file; differences on stdout, then
 *                                  "N agree, N differ, N missing, N extra, N rejected"
 *     evtx fields FILE...          all fields of each record against those of its JSON
 *     evtx forge DIRECTORY         the seeds of the fuzzer: test/corpus/evtx
 *
 * `check` ends with 1 when something differs that doc/evtx.md does not list: see test/evtx/run. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "decode/evtx.h"
#include "event/field.h"
#include "support/agree.h"
#include "support/forge_records.h"

static uint64_t u64_at(const char *at)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--) {
        number = number << 8 | (unsigned char)at[i];
    }
    return number;
}

/* Called for each record, rejected ones with json.at NULL. */
typedef void seen(void *context, uint64_t ordinal, uint64_t id, struct slice json);
/* Called for each good record instead. */
typedef void seen_event(void *context, uint64_t ordinal, const struct event *event);

struct input {
    const char *name;
    const struct paths *paths; /* NULL: no fields */
    uint32_t field_count;
    struct buf bytes;
    size_t offered; /* how far the cutter has seen */
    struct cutter cutter;
    struct reader *reader;
    struct event event;
    struct buf json;
    uint64_t ordinal;
    uint64_t rejected;
    seen_event *see_event;     /* NULL: `seen` */
    struct evtx_counts counts; /* at the end */
};

static bool read_file(const char *name, struct buf *bytes)
{
    FILE *file = fopen(name, "rb");
    if (!file) {
        fprintf(stderr, "cannot open %s\n", name);
        return false;
    }
    size_t got;
    do {
        char *to = buf_reserve(bytes, 1 << 20);
        got = to ? fread(to, 1, 1 << 20, file) : 0;
        bytes->size += got;
    } while (got);
    fclose(file);
    return buf_reserve(bytes, 64) != NULL;
}

static void read_block(struct input *in, struct slice block, seen *see, void *context)
{
    struct diag diag = {0};
    evtx_decoder.begin(in->reader, block, (struct slice){0});
    for (;;) {
        enum err e = evtx_decoder.next(in->reader, &in->event, &diag);
        if (e == ERR_END) {
            break;
        }
        in->ordinal++;
        struct slice raw = in->event.raw;
        uint64_t id = raw.size >= 28 ? u64_at(raw.at + 8) : 0;
        if (e != OK) {
            in->rejected++;
            fprintf(stderr, "%s: record %llu: %s\n", in->name, (unsigned long long)in->ordinal,
                    diag.words);
            if (see) {
                see(context, in->ordinal, id, (struct slice){0});
            }
            continue;
        }
        if (in->see_event) {
            in->see_event(context, in->ordinal, &in->event);
            continue;
        }
        buf_clear(&in->json);
        in->event.form->write_json(&in->event, &in->json);
        if (in->json.failed) {
            fprintf(stderr, "%s: record %llu: no JSON\n", in->name,
                    (unsigned long long)in->ordinal);
            exit(2);
        }
        see(context, in->ordinal, id, buf_slice(&in->json));
    }
    while (evtx_warning(in->reader, &diag)) {
        fprintf(stderr, "%s: warning: %s\n", in->name, diag.words);
    }
}

static void read_stream(struct input *in, seen *see, void *context)
{
    size_t window = 1000;
    while (in->cutter.offset < in->bytes.size) {
        size_t at = in->cutter.offset;
        size_t left = in->bytes.size - at;
        struct cut cut;
        bool last = window >= left;
        struct diag diag = {0};
        if (evtx_decoder.cut(&in->cutter, slice_of(in->bytes.at + at, last ? left : window), last,
                    &cut, &diag) != OK) {
            fprintf(stderr, "%s: %s\n", in->name, diag.words);
            exit(2);
        }
        if (cut.skip + cut.size == 0) {
            window *= 2;
            continue;
        }
        uint64_t before = in->ordinal;
        read_block(in, slice_of(in->bytes.at + at + cut.skip, cut.size), see, context);
        if (in->ordinal - before != cut.records) {
            fprintf(stderr, "%s: cut counted %llu records, there are %llu\n", in->name,
                    (unsigned long long)cut.records, (unsigned long long)(in->ordinal - before));
            exit(2);
        }
        in->cutter.offset += cut.skip + cut.size;
        window = window > 200000 ? 150000 : window;
    }
}

static bool read_input(struct input *in, seen *see, void *context)
{
    struct decode_limits limits = DECODE_LIMITS;
    in->cutter.limits = limits;
    bool ok = read_file(in->name, &in->bytes) &&
              evtx_decoder.reader_new(in->paths, &limits, &in->reader) == OK &&
              event_init(&in->event, in->field_count) == OK;
    if (ok) {
        read_stream(in, see, context);
        event_fini(&in->event);
        in->counts = evtx_counts(in->reader);
    }
    evtx_decoder.reader_free(in->reader);
    buf_fini(&in->bytes);
    buf_fini(&in->json);
    return ok;
}

/* ---- dump -------------------------------------------------------------------------------- */

static void print_record(void *context, uint64_t ordinal, uint64_t id, struct slice json)
{
    printf("%s\t%llu\t%llu\t%.*s\n", (const char *)context, (unsigned long long)ordinal,
            (unsigned long long)id, SLICE_ARG(json));
}

/* ---- fields ------------------------------------------------------------------------------ */

/* Names of all leaves. */
static bool take_name(void *context, struct slice path, const struct value *value)
{
    struct fields *fields = context;
    uint32_t id;
    (void)value;
    size_t dot = path.size;
    while (dot && path.at[dot - 1] != '.') {
        dot--;
    }
    return path.size == dot ||
           field_intern(fields, slice_of(path.at + dot, path.size - dot), &id) == OK;
}

static void take_names(void *context, uint64_t ordinal, const struct event *event)
{
    (void)ordinal;
    if (event->form->walk(event, take_name, context) != OK) {
        fprintf(stderr, "walk failed\n");
        exit(2);
    }
}

struct agreement {
    struct agree agree;
    const char *file;
    uint64_t agreed, differed;
};

static void check_fields(void *context, uint64_t ordinal, const struct event *event)
{
    struct agreement *a = context;
    struct buf tree = {0};
    bool same = agree_check(&a->agree, event);
    if (same) {
        evtx_write_tree(event, &tree);
        buf_byte(&tree, '\n');
        same = slice_equal(buf_slice(&tree), buf_slice(&a->agree.json));
        if (!same) {
            buf_add(&a->agree.words, SLICE("printed otherwise than by the tree: "));
            buf_add(&a->agree.words, buf_slice(&a->agree.json));
            buf_add(&a->agree.words, buf_slice(&tree));
        }
    }
    buf_fini(&tree);
    if (same) {
        a->agreed++;
        return;
    }
    a->differed++;
    printf("%s: record %llu: %.*s\n", a->file, (unsigned long long)ordinal,
            SLICE_ARG(buf_slice(&a->agree.words)));
}

static int compare_fields(char **files, int count)
{
    struct fields *fields = field_table_new();
    static struct slice names[FIELD_LIMIT];
    struct agreement a = {.file = NULL};
    struct evtx_counts sum = {0};
    for (int i = 0; fields && i < count; i++) {
        struct input in = {.name = files[i], .see_event = take_names};
        if (!read_input(&in, NULL, fields)) {
            return 2;
        }
    }
    for (uint32_t i = 0; i < field_count(fields); i++) {
        names[i] = field_name(fields, i);
    }
    if (agree_init(&a.agree, names, field_count(fields)) != OK) {
        return 2;
    }
    for (int i = 0; i < count; i++) {
        struct input in = {.name = files[i], .see_event = check_fields};
        in.paths = a.agree.paths;
        in.field_count = field_count(a.agree.fields);
        a.file = files[i];
        if (!read_input(&in, NULL, &a)) {
            return 2;
        }
        sum.records += in.counts.records;
        sum.slow += in.counts.slow;
        sum.compiled += in.counts.compiled;
    }
    printf("%llu agree, %llu differ; of %llu records %llu by the tree, %llu templates\n",
            (unsigned long long)a.agreed, (unsigned long long)a.differed,
            (unsigned long long)sum.records, (unsigned long long)sum.slow,
            (unsigned long long)sum.compiled);
    agree_fini(&a.agree);
    field_table_free(fields);
    return a.differed ? 1 : 0;
}

/* ---- check ------------------------------------------------------------------------------- */

struct counts {
    uint64_t agree, differ, missing, extra, rejected;
};

/* The expected records of one file, in order. */
struct expected {
    const char *file;
    json_t **records; /* {"record","event"} */
    size_t count;
    size_t at;
    struct counts *counts;
};

/* Puts each bare number into a string "#123": 64-bit numbers do not fit into a json_t. */
static void quote_numbers(struct slice json, struct buf *out)
{
    bool in_string = false, in_number = false;
    buf_clear(out);
    for (size_t i = 0; i < json.size; i++) {
        char c = json.at[i];
        bool number = !in_string && c && strchr("+-.0123456789", c) != NULL;
        if (number != in_number && !(in_number && (c == 'e' || c == 'E'))) {
            buf_add(out, number ? SLICE("\"#") : SLICE("\""));
            in_number = number;
        }
        buf_byte(out, c);
        if (in_string && c == '\\') {
            buf_byte(out, json.at[++i]);
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
    buf_byte(out, 0);
}

static json_t *load(struct slice json, json_error_t *error)
{
    struct buf quoted = {0};
    quote_numbers(json, &quoted);
    json_t *loaded =
            quoted.failed ? NULL
                          : json_loads(quoted.at, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, error);
    buf_fini(&quoted);
    return loaded;
}

static uint64_t expected_id(const struct expected *x, size_t i)
{
    const char *number = json_string_value(json_object_get(x->records[i], "record"));
    return strtoull(number ? number + 1 : "0", NULL, 10);
}

static void say(const struct expected *x, const char *what, uint64_t id)
{
    printf("%s: record id %llu: %s\n", x->file, (unsigned long long)id, what);
}

static void compare(struct expected *x, uint64_t id, struct slice json)
{
    json_error_t error;
    json_t *ours = load(json, &error);
    if (!ours) {
        say(x, error.text, id);
        x->counts->differ++;
        return;
    }
    json_t *event = json_object_get(x->records[x->at], "event");
    if (json_equal(json_object_get(ours, "Event"), event) && json_object_size(ours) == 1) {
        x->counts->agree++;
    } else {
        x->counts->differ++;
        char *theirs = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
        char *mine = json_dumps(json_object_get(ours, "Event"), JSON_COMPACT | JSON_SORT_KEYS);
        say(x, "differs", id);
        printf("  expected %s\n  read     %s\n", theirs ? theirs : "-", mine ? mine : "-");
        free(theirs);
        free(mine);
    }
    json_decref(ours);
}

static void check_record(void *context, uint64_t ordinal, uint64_t id, struct slice json)
{
    (void)ordinal;
    struct expected *x = context;
    if (!json.at) {
        x->counts->rejected++;
        return;
    }
    /* Expected ones up to this id are missing, when this id is expected at all. */
    size_t i = x->at;
    while (i < x->count && expected_id(x, i) != id) {
        i++;
    }
    if (i == x->count) {
        say(x, "extra", id);
        x->counts->extra++;
        return;
    }
    for (; x->at < i; x->at++) {
        say(x, "missing", expected_id(x, x->at));
        x->counts->missing++;
    }
    compare(x, id, json);
    x->at++;
}

static bool check_file(struct expected *x, const char *root)
{
    struct buf name = {0};
    buf_format(&name, "%s/%s", root, x->file);
    buf_byte(&name, 0);
    struct input in = {.name = name.at};
    bool ok = read_input(&in, check_record, x);
    for (; x->at < x->count; x->at++) {
        say(x, "missing", expected_id(x, x->at));
        x->counts->missing++;
    }
    buf_fini(&name);
    return ok;
}

static void forget(struct expected *x)
{
    for (size_t i = 0; i < x->count; i++) {
        json_decref(x->records[i]);
    }
    x->count = 0;
    x->at = 0;
}

static bool check_all(const char *list, const char *root, struct counts *counts)
{
    FILE *file = fopen(list, "r");
    if (!file) {
        fprintf(stderr, "cannot open %s\n", list);
        return false;
    }
    struct expected x = {.counts = counts};
    size_t room = 0, size = 0;
    char *line = NULL;
    bool ok = true;
    while (ok && getline(&line, &size, file) > 0) {
        json_error_t error;
        json_t *record = load(slice_text(line), &error);
        const char *name = json_string_value(json_object_get(record, "file"));
        if (!name) {
            fprintf(stderr, "%s: %s\n", list, error.text);
            ok = false;
            break;
        }
        if (x.count && strcmp(x.file, name) != 0) {
            ok = check_file(&x, root);
            forget(&x);
        }
        if (x.count == room) {
            room = room ? room * 2 : 1024;
            json_t **records = memory_resize(x.records, room * sizeof *records);
            if (!records) {
                return false;
            }
            x.records = records;
        }
        x.records[x.count++] = record;
        x.file = json_string_value(json_object_get(x.records[0], "file"));
    }
    ok = ok && (x.count == 0 || check_file(&x, root));
    forget(&x);
    memory_free(x.records);
    free(line);
    fclose(file);
    return ok;
}

/* ---- forge ------------------------------------------------------------------------------- */

static bool write_file(const char *directory, const char *name, struct slice bytes)
{
    struct buf path = {0};
    buf_format(&path, "%s/%s", directory, name);
    buf_byte(&path, 0);
    FILE *file = path.failed ? NULL : fopen(path.at, "wb");
    bool ok = file && fwrite(bytes.at, 1, bytes.size, file) == bytes.size;
    if (file && fclose(file) != 0) {
        ok = false;
    }
    buf_fini(&path);
    return ok;
}

/* A seed for each kind of record, without the chunk's header, and a log of all. */
static int forge_seeds(const char *directory)
{
    bool ok = true;
    for (size_t i = 0; i <= forge_record_count; i++) {
        struct forge forge = {0};
        bool all = i == forge_record_count;
        forge_begin(&forge, 1);
        for (size_t k = all ? 0 : i; k < forge_record_count && (all || k == i); k++) {
            forge_record(&forge);
            forge_record_kinds[k].make(&forge);
            forge_end_record(&forge);
        }
        forge_end(&forge, false);
        struct slice bytes = buf_slice(&forge.out);
        if (!all) {
            bytes = slice_of(bytes.at + EVTX_CHUNK_HEADER, bytes.size - EVTX_CHUNK_HEADER);
        }
        ok = ok && !forge.out.failed &&
             write_file(directory, all ? "chunk" : forge_record_kinds[i].name, bytes);
        forge_fini(&forge);
    }
    return ok ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "dump") == 0) {
        for (int i = 2; i < argc; i++) {
            struct input in = {.name = argv[i]};
            if (!read_input(&in, print_record, argv[i])) {
                return 2;
            }
        }
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "fields") == 0) {
        return compare_fields(argv + 2, argc - 2);
    }
    if (argc == 3 && strcmp(argv[1], "forge") == 0) {
        return forge_seeds(argv[2]);
    }
    if (argc == 4 && strcmp(argv[1], "check") == 0) {
        struct counts n = {0};
        if (!check_all(argv[2], argv[3], &n)) {
            return 2;
        }
        printf("%llu agree, %llu differ, %llu missing, %llu extra, %llu rejected\n",
                (unsigned long long)n.agree, (unsigned long long)n.differ,
                (unsigned long long)n.missing, (unsigned long long)n.extra,
                (unsigned long long)n.rejected);
        return n.differ || n.missing ? 1 : 0;
    }
    fprintf(stderr, "usage: evtx dump FILE... | evtx check EXPECTED ROOT | evtx fields FILE... | "
                    "evtx forge DIRECTORY\n");
    return 2;
}
