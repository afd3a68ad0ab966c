#include "app/archive_add.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/feed.h"
#include "app/run.h"
#include "app/sandbox.h"
#include "archive/seal.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/data.h"
#include "cli/figures.h"
#include "cli/load.h"
#include "cli/look.h"
#include "detect/judge.h"

enum { DECODERS = 64, READ = 1 << 20, TOLD = 20 };

/* An input's id in the archive; "" : it is not added. */
struct identity {
    char log[CATALOG_LOG];
};

struct adding {
    const struct archive_request *request;
    char archive[DATA_PATH];
    struct loaded loaded;
    struct engine *engine;
    struct judge *judge;
    struct event event;
    struct inputs *inputs;
    struct identity *ids; /* by input */
    struct decode_limits limits;
    struct reader *readers[DECODERS];
    struct seal *seal;
    uint32_t file; /* of the seal */
    struct seal_counts counts;
    struct buf scratch;
    struct cutter cutter;     /* of the block at hand: lines that name columns */
    uint64_t rejected, known; /* records; inputs that are there already */
    bool partial;
};

/* ---- what is there already ---------------------------------------------------------------------
 */

static enum err hash_file(const struct input *input, char log[CATALOG_LOG], struct diag *diag)
{
    struct digest digest;
    char hex[DIGEST_HEX];
    int file = open(input->path.at, O_RDONLY | O_CLOEXEC);
    char *bytes = memory_alloc(READ);
    ssize_t got = -1;
    digest_init(&digest);
    while (file >= 0 && bytes && (got = read(file, bytes, READ)) > 0) {
        digest_add(&digest, slice_of(bytes, (size_t)got));
    }
    enum err e = got == 0 ? OK
                          : diag_say(diag, ERR_IO, "%.*s: %s", SLICE_ARG(input->path),
                                    bytes ? strerror(errno) : "no memory");
    memory_free(bytes);
    if (file >= 0) {
        close(file);
    }
    digest_hex(&digest, hex);
    memcpy(log, hex, CATALOG_LOG - 1);
    log[CATALOG_LOG - 1] = 0;
    return e;
}

static bool is_there(const struct adding *a, const struct catalog *catalog, const char *log)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->at[i].log, log) == 0 &&
                slice_equal(catalog->at[i].tenant, slice_text(a->request->tenant))) {
            return true;
        }
    }
    return false;
}

/* Two inputs of the same bytes are one. */
static bool came_before(const struct adding *a, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(a->ids[i].log, a->ids[at].log) == 0) {
            return true;
        }
    }
    return false;
}

static enum err identify(struct adding *a, struct diag *diag)
{
    struct catalog catalog = {0};
    a->ids = memory_alloc_array(a->inputs->count + 1, sizeof *a->ids);
    if (!a->ids) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    enum err e = catalog_read(&disk_real, a->archive, &catalog, diag);
    e = e == ERR_NOT_FOUND ? OK : e;
    for (size_t i = 0; i < a->inputs->count && e == OK; i++) {
        const struct input *input = &a->inputs->files[i];
        if (!input->regular) {
            e = diag_say(diag, ERR_UNSUPPORTED, "%.*s: a pipe cannot be read twice; name a file",
                    SLICE_ARG(input->path));
            break;
        }
        struct diag why = {0};
        if (hash_file(input, a->ids[i].log, &why) != OK) {
            verb_say("%s", why.words);
            a->partial = true;
            a->ids[i].log[0] = 0;
        } else if (is_there(a, &catalog, a->ids[i].log) || came_before(a, i)) {
            a->known++;
            a->ids[i].log[0] = 0;
        }
    }
    catalog_fini(&catalog);
    return e;
}

/* ---- sealing ----------------------------------------------------------------------------------
 */

static enum err end_file(struct adding *a, struct diag *diag)
{
    if (!a->seal) {
        return OK;
    }
    enum err e = seal_finish(a->seal, diag);
    struct seal_counts counts = seal_counts(a->seal);
    a->counts.files += counts.files;
    a->counts.rows += counts.rows;
    a->counts.raw_bytes += counts.raw_bytes;
    a->counts.file_bytes += counts.file_bytes;
    seal_free(a->seal);
    a->seal = NULL;
    return e;
}

static enum err begin_file(struct adding *a, uint32_t file, struct diag *diag)
{
    const struct seal_limits limits = SEAL_LIMITS;
    const struct seal_place place = {.disk = &disk_real,
            .archive = a->archive,
            .tenant = slice_text(a->request->tenant),
            .version = SLICE(MERLON_VERSION),
            .log = a->ids[file].log};
    if (a->seal && a->file == file) {
        return OK;
    }
    TRY(end_file(a, diag));
    a->file = file;
    return seal_new(&place, &limits, &a->seal, diag);
}

static int64_t time_of(struct adding *a)
{
    struct diag why = {0};
    uint32_t class;
    int64_t ns;
    if (judge_class(a->judge, &a->event, &class, &why) != OK) {
        return INT64_MIN;
    }
    const struct value *time = event_value(&a->event, a->loaded.time_field);
    return time && time_parse(value_slice(time, &a->scratch), &ns) ? ns : INT64_MIN;
}

static void reject(
        struct adding *a, const struct feed_block *block, uint64_t number, const char *words)
{
    if (a->rejected++ < TOLD) {
        verb_say(
                "%.*s: record %llu: %s", SLICE_ARG(block->file), (unsigned long long)number, words);
    }
}

/* Lines that name columns may stand between records: those in force at the event. */
static enum err take_header(
        struct adding *a, const struct feed_block *block, const char **at, struct diag *diag)
{
    struct slice raw = a->event.raw, gap = {*at, 0};
    struct cut ignored;
    if (!block->decoder->headed || raw.at < *at ||
            raw.at > block->records.at + block->records.size) {
        return OK;
    }
    gap.size = (size_t)(raw.at - *at);
    *at = raw.at + raw.size;
    if (slice_trim(gap).size == 0) {
        return OK;
    }
    TRY(block->decoder->cut(&a->cutter, gap, true, &ignored, diag));
    return a->cutter.header.failed ? diag_say(diag, ERR_MEMORY, "no memory to seal") : OK;
}

static void begin_header(struct adding *a, const struct feed_block *block)
{
    struct buf header = a->cutter.header;
    buf_clear(&header);
    buf_add(&header, buf_slice(&block->header));
    a->cutter = block->cutter;
    a->cutter.header = header;
}

static enum err add_events(
        struct adding *a, const struct feed_block *block, struct reader *reader, struct diag *diag)
{
    const struct decoder *decoder = block->decoder;
    struct rows_head head = {.received_ns = block->place.written_ns,
            .source = utf8_valid(block->file) ? block->file : SLICE("?"),
            .format = slice_text(decoder->name),
            .part = -1};
    const char *at = block->records.at;
    bool given = false; /* a chunk, with its first event */
    for (uint64_t n = 0;; n++) {
        struct diag why = {0};
        enum err e = decoder->next(reader, &a->event, &why);
        if (e == ERR_END) {
            return OK;
        }
        head.offset = block->first + (decoder->ordinal ? decoder->ordinal(reader) : n);
        if (e != OK) {
            reject(a, block, head.offset, why.words);
            continue;
        }
        head.raw = a->event.raw;
        if (decoder->chunked) {
            head.part = (int64_t)n;
            head.raw = given ? (struct slice){0} : block->records;
            given = true;
        }
        TRY(take_header(a, block, &at, diag));
        head.header = buf_slice(&a->cutter.header);
        head.time_ns = time_of(a);
        TRY(seal_add(a->seal, &head, &a->event, diag));
    }
}

static enum err find_reader(
        struct adding *a, const struct decoder *decoder, struct reader **out, struct diag *diag)
{
    for (size_t i = 0; i < decoders_count && i < DECODERS; i++) {
        if (decoders[i] == decoder) {
            *out = a->readers[i];
            return a->readers[i] || decoder->reader_new(engine_paths(a->engine), &a->limits,
                                            &a->readers[i]) == OK
                           ? (*out = a->readers[i], OK)
                           : diag_say(diag, ERR_MEMORY, "no memory for a reader");
        }
    }
    return diag_say(diag, ERR_UNSUPPORTED, "no reader");
}

static enum err add_block(struct adding *a, const struct feed_block *block, struct diag *diag)
{
    struct reader *reader;
    if (block->notes.size > 0) {
        fwrite(block->notes.at, 1, block->notes.size, stderr);
    }
    if (!block->decoder || block->records.size == 0 || !a->ids[block->file_number].log[0]) {
        return OK;
    }
    TRY(begin_file(a, block->file_number, diag));
    TRY(find_reader(a, block->decoder, &reader, diag));
    if (block->decoder->place) {
        block->decoder->place(reader, &block->place);
    }
    block->decoder->begin(reader, block->records, buf_slice(&block->header));
    begin_header(a, block);
    return add_events(a, block, reader, diag);
}

static enum err add_all(struct adding *a, struct diag *diag)
{
    struct feed feed = {.inputs = a->inputs,
            .forced = a->request->decoder,
            .limits = a->limits,
            .stop = run_catch_signals()};
    struct feed_block block = {0};
    enum err e = OK;
    feed_init(&feed);
    while (e == OK && feed_next(&feed, &block)) {
        e = add_block(a, &block, diag);
    }
    a->rejected += feed.counts.rejected;
    a->partial = a->partial || feed.counts.unreadable > 0;
    if (e == OK && (feed.no_memory || atomic_load(feed.stop))) {
        e = diag_say(diag, ERR_END, feed.no_memory ? "no memory to read on" : "interrupted");
    }
    feed_block_fini(&block);
    feed_fini(&feed);
    return e == OK ? end_file(a, diag) : e;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err seal_process(struct adding *a, struct diag *diag)
{
    struct slice *roots = memory_alloc_array(a->inputs->root_count + 1, sizeof *roots);
    if (!roots) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    roots[0] = slice_text(a->archive);
    for (size_t i = 0; i < a->inputs->root_count; i++) {
        roots[i + 1] = a->inputs->roots[i];
    }
    const struct sandbox_places places = {roots, a->inputs->root_count + 1, 1};
    enum err e =
            sandbox_enter_places(SANDBOX_ARCHIVE, &places, getenv("MERLON_SANDBOX_TEST"), diag);
    memory_free(roots);
    return e;
}

static enum err prepare(struct adding *a, struct diag *diag)
{
    const struct load_request load = {.taxonomies = a->request->taxonomies};
    const struct engine_options options = {0};
    char data[DATA_PATH];
    a->limits = (struct decode_limits)DECODE_LIMITS;
    TRY(data_path(a->request->data, "", data, diag));
    TRY(data_path(a->request->data, "archive", a->archive, diag));
    TRY(load_rules(&load, &a->loaded, diag));
    TRY(engine_new(a->loaded.set, a->loaded.taxonomy, &options, &a->engine, diag));
    TRY(judge_new(a->engine, &a->judge));
    TRY(event_init(&a->event, engine_field_count(a->engine)));
    TRY(look_inputs(&a->request->inputs, &a->inputs, diag));
    a->partial = a->inputs->problem_count > 0;
    TRY(disk_real.make_directory(&disk_real, data, diag));
    TRY(disk_real.make_directory(&disk_real, a->archive, diag));
    TRY(disk_real.sync_directory(&disk_real, data, diag));
    TRY(seal_process(a, diag));
    return identify(a, diag);
}

static void say_sealed(const struct adding *a)
{
    struct buf out = {0};
    figures_count(&out, a->counts.rows);
    buf_add(&out, a->counts.rows == 1 ? SLICE(" event in ") : SLICE(" events in "));
    figures_count(&out, a->counts.files);
    buf_add(&out, a->counts.files == 1 ? SLICE(" sealed file: ") : SLICE(" sealed files: "));
    figures_size(&out, a->counts.file_bytes);
    buf_add(&out, SLICE(" for "));
    figures_size(&out, a->counts.raw_bytes);
    buf_add(&out, SLICE(" of records"));
    if (a->known > 0) {
        buf_add(&out, SLICE("; inputs that were there already: "));
        figures_count(&out, a->known);
    }
    verb_say("%.*s", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
}

static void free_adding(struct adding *a)
{
    for (size_t i = 0; i < decoders_count && i < DECODERS; i++) {
        if (a->readers[i]) {
            decoders[i]->reader_free(a->readers[i]);
        }
    }
    seal_free(a->seal);
    event_fini(&a->event);
    judge_free(a->judge);
    engine_free(a->engine);
    inputs_free(a->inputs);
    memory_free(a->ids);
    buf_fini(&a->scratch);
    buf_fini(&a->cutter.header);
    load_fini(&a->loaded);
}

int archive_add_run(const struct archive_request *request)
{
    static struct adding adding;
    struct diag diag = {0};
    adding.request = request;
    enum err e = prepare(&adding, &diag);
    e = e == OK ? add_all(&adding, &diag) : e;
    if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
    }
    if (e == OK && !request->quiet) {
        say_sealed(&adding);
    }
    if (adding.rejected > 0) {
        verb_say("records that could not be read, and are not in the archive: %llu",
                (unsigned long long)adding.rejected);
    }
    bool some = e != OK || adding.rejected > 0 || adding.partial;
    free_adding(&adding);
    return some ? VERB_SOME : VERB_DONE;
}
