#include "decode/evtx.h"

#include <string.h>

#include "base/memory.h"
#include "decode/evtx_build.h"
#include "decode/evtx_bytes.h"
#include "decode/evtx_out.h"
#include "decode/evtx_plan.h"
#include "decode/evtx_print.h"
#include "decode/evtx_scan.h"
#include "decode/evtx_stream.h"
#include "decode/evtx_template.h"

enum { BLOCK_CHUNKS = 4, WARNINGS = 16 };

static const char file_magic[8] = "ElfFile";
static const char chunk_magic[8] = "ElfChnk";

struct warning {
    const char *what;
    uint64_t first_id;
};

struct reader {
    const struct paths *paths;
    struct slice block;
    struct slice chunk;
    size_t next_chunk; /* in the block */
    bool in_chunk;
    struct evtx_scan scan;
    struct evtx_templates *templates;
    struct evtx_plan_run run;
    struct evtx_builder builder;
    struct evtx_stream_memo memo;
    struct evtx_shape shape;
    struct buf path;
    struct evtx_counts counts;
    struct warning warnings[WARNINGS]; /* not told yet */
    uint32_t warning_count;
    struct evtx_values values;
};

/* ---- the stream -------------------------------------------------------------------------- */

static bool starts(struct slice bytes, size_t at, const char magic[8])
{
    return bytes.size >= at + 8 && memcmp(bytes.at + at, magic, 8) == 0;
}

static int evtx_recognise(struct slice head, bool whole)
{
    (void)whole;
    if (starts(head, 0, file_magic) || starts(head, 0, chunk_magic)) {
        return 100;
    }
    return starts(head, EVTX_FILE_HEADER, chunk_magic) ? 90 : 0;
}

static uint64_t count_items(struct slice chunk)
{
    struct evtx_scan scan;
    uint64_t count = 0;
    evtx_scan_begin(&scan, chunk);
    while (evtx_scan_next(&scan).kind != EVTX_END) {
        count++;
    }
    return count;
}

/* The file's header, or 0 when the stream starts with a chunk. */
static size_t header_size(struct slice bytes)
{
    return starts(bytes, 0, chunk_magic) ? 0 : EVTX_FILE_HEADER;
}

/* How far the chunk at the front of `bytes` reaches. Bytes that were lost or added inside a file
 * put later chunks at odd places: where no chunk starts behind this one, the next magic inside it
 * is looked for. */
static size_t chunk_size(struct slice bytes)
{
    size_t size = bytes.size < EVTX_CHUNK ? bytes.size : EVTX_CHUNK;
    struct slice own = slice_of(bytes.at, size);
    bool good_end = bytes.size < EVTX_CHUNK + 8 || starts(bytes, EVTX_CHUNK, chunk_magic) ||
                    evtx_scan_blank(slice_of(bytes.at + EVTX_CHUNK, 8));
    if (good_end && starts(own, 0, chunk_magic)) {
        return size;
    }
    for (size_t at = 1; at + EVTX_CHUNK_HEADER <= size;) {
        const char *hit = memmem(own.at + at, size - at, chunk_magic, sizeof chunk_magic);
        if (!hit) {
            break;
        }
        at = (size_t)(hit - own.at);
        if (evtx_scan_header(slice_of(hit, size - at))) {
            return at;
        }
        at++;
    }
    return size;
}

static enum err evtx_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    (void)diag;
    *out = (struct cut){0};
    if (c->a == 0) {
        if (bytes.size < EVTX_FILE_HEADER && !last) {
            return OK;
        }
        out->skip = header_size(bytes);
        out->skip = out->skip < bytes.size ? out->skip : bytes.size;
        c->a = 1;
    }
    for (unsigned i = 0; i < BLOCK_CHUNKS; i++) {
        struct slice rest =
                slice_of(bytes.at + out->skip + out->size, bytes.size - out->skip - out->size);
        /* The start of the next chunk says whether this one is where it should be. */
        if (rest.size == 0 || (rest.size < EVTX_CHUNK + 8 && !last)) {
            break;
        }
        size_t size = chunk_size(rest);
        out->records += count_items(slice_of(rest.at, size));
        out->size += size;
        if (size < EVTX_CHUNK) {
            break; /* an odd one is the last of its block: the reader counts in chunks */
        }
    }
    return OK;
}

/* ---- records ----------------------------------------------------------------------------- */

static void warn(struct reader *r, const char *what)
{
    if (r->warning_count < WARNINGS) {
        uint64_t id = r->chunk.size >= 32 ? evtx_u64(r->chunk.at + 24) : 0;
        r->warnings[r->warning_count++] = (struct warning){what, id};
    }
}

static void check_sums(struct reader *r)
{
    switch (evtx_scan_sum(r->chunk)) {
    case EVTX_SUM_OK:
        break;
    case EVTX_SUM_NO_HEADER:
        if (r->scan.at == EVTX_CHUNK_HEADER) {
            warn(r, "no chunk header"); /* else a rejected stretch says so */
        }
        break;
    case EVTX_SUM_HEADER:
        warn(r, "the checksum of the chunk's header is wrong");
        break;
    case EVTX_SUM_RECORDS:
        warn(r, "the checksum of the chunk's records is wrong");
        break;
    }
}

static void set_chunk(struct reader *r, struct slice chunk)
{
    r->chunk = chunk;
    r->run.chunk = chunk;
    evtx_template_chunk(r->templates, chunk);
    evtx_build_chunk(&r->builder, chunk);
}

static bool enter_chunk(struct reader *r)
{
    if (r->next_chunk >= r->block.size) {
        return false;
    }
    size_t left = r->block.size - r->next_chunk;
    set_chunk(r, slice_of(r->block.at + r->next_chunk, left < EVTX_CHUNK ? left : EVTX_CHUNK));
    r->next_chunk += r->chunk.size;
    evtx_scan_begin(&r->scan, r->chunk);
    check_sums(r);
    return true;
}

static struct evtx_item next_item(struct reader *r)
{
    for (;;) {
        if (r->in_chunk) {
            struct evtx_item item = evtx_scan_next(&r->scan);
            if (item.kind != EVTX_END) {
                return item;
            }
            if (r->scan.blank_rest) {
                warn(r, "the chunk's header promises records where there are only zeros");
            }
        }
        r->in_chunk = enter_chunk(r);
        if (!r->in_chunk) {
            return (struct evtx_item){EVTX_END, 0, 0};
        }
    }
}

static enum err reject(const struct reader *r, struct diag *diag, const struct evtx_fault *fault)
{
    uint64_t first = r->chunk.size >= 32 ? evtx_u64(r->chunk.at + 24) : 0;
    return diag_say(diag, ERR_SYNTAX, "%s, at offset %u of the chunk of record id %llu",
            fault->what, fault->at, (unsigned long long)first);
}

static struct evtx_place content_of(struct evtx_item item)
{
    return (struct evtx_place){item.at + EVTX_RECORD_HEADER, item.at + item.size - 4};
}

static const struct event_form evtx_form;

static enum err finish(const struct event *event, struct diag *diag)
{
    if (event->truncated) {
        return diag_say(diag, ERR_LIMIT, "more values of one field than %d", EVENT_MORE_LIMIT);
    }
    return OK;
}

/* The ways that cover all but odd records. */
static bool read_fast(struct reader *r, struct evtx_place content, struct event *event)
{
    if (evtx_template_lone(r->chunk, content)) {
        return evtx_plan_run(&r->run, content, event);
    }
    const struct evtx_stream stream = {.paths = r->paths,
            .chunk = r->chunk,
            .names = &r->builder.names,
            .memo = &r->memo,
            .depth = r->builder.depth};
    return evtx_stream_run(&stream, content, event);
}

static enum err read_record(
        struct reader *r, struct evtx_item item, struct event *event, struct diag *diag)
{
    struct evtx_fault fault = {"broken", item.at};
    struct slice raw = slice_of(r->chunk.at + item.at, item.size);
    r->counts.records++;
    evtx_template_tidy(r->templates);
    event_begin(event, raw);
    event->form = &evtx_form;
    event->decoder = r;
    if (read_fast(r, content_of(item), event)) {
        return finish(event, diag);
    }
    event_begin(event, raw);
    r->counts.slow++;
    if (!evtx_build_record(&r->builder, content_of(item), &fault)) {
        return reject(r, diag, &fault);
    }
    r->shape.texts = &event->scratch;
    if (r->paths && !evtx_out_put(&r->shape, &r->builder.nodes, r->paths, event)) {
        return diag_say(diag, ERR_MEMORY, "no memory for the record's values");
    }
    return finish(event, diag);
}

static enum err evtx_next(struct reader *r, struct event *event, struct diag *diag)
{
    struct evtx_item item = next_item(r);
    if (item.kind == EVTX_END) {
        return ERR_END;
    }
    if (item.kind == EVTX_RECORD) {
        return read_record(r, item, event, diag);
    }
    event_begin(event, slice_of(r->chunk.at + item.at, item.size));
    return diag_say(diag, ERR_SYNTAX, "no whole record in %u bytes at offset %u of the chunk",
            item.size, item.at);
}

bool evtx_warning(struct reader *r, struct diag *diag)
{
    if (r->warning_count == 0) {
        return false;
    }
    const struct warning *w = &r->warnings[--r->warning_count];
    diag_say(diag, OK, "%s, in the chunk of record id %llu", w->what,
            (unsigned long long)w->first_id);
    return true;
}

struct evtx_counts evtx_counts(const struct reader *r)
{
    struct evtx_counts counts = r->counts;
    counts.compiled = evtx_template_compiled(r->templates);
    return counts;
}

/* ---- the whole record -------------------------------------------------------------------- */

/* Where a record read before stands, and the chunk that it is in: its place in the block. */
struct whereabouts {
    struct slice chunk;
    struct evtx_place content;
};

static struct whereabouts locate(const struct reader *r, const struct event *event)
{
    size_t at = (size_t)(event->raw.at - r->block.at);
    size_t chunk_at = at / EVTX_CHUNK * EVTX_CHUNK;
    size_t left = r->block.size - chunk_at;
    struct evtx_item item = {EVTX_RECORD, (uint32_t)(at - chunk_at), (uint32_t)event->raw.size};
    return (struct whereabouts){
            slice_of(r->block.at + chunk_at, left < EVTX_CHUNK ? left : EVTX_CHUNK),
            content_of(item)};
}

static void go_to(struct reader *r, struct slice chunk)
{
    if (r->chunk.at != chunk.at) {
        set_chunk(r, chunk);
    }
}

/* Builds the tree of a record read before. The work does not count again. */
static bool rebuild(struct reader *r, const struct event *event)
{
    struct evtx_fault fault;
    struct whereabouts where = locate(r, event);
    struct slice current = r->chunk;
    uint32_t work = r->builder.chunk_nodes;
    go_to(r, where.chunk);
    r->builder.chunk_nodes = 0;
    bool ok = evtx_build_record(&r->builder, where.content, &fault);
    go_to(r, current);
    r->builder.chunk_nodes = work;
    r->shape.texts = &r->builder.texts;
    return ok;
}

static struct reader *reader_of(const struct event *event)
{
    return (struct reader *)(uintptr_t)event->decoder; /* its scratch changes, nothing one sees */
}

void evtx_write_tree(const struct event *event, struct buf *out)
{
    struct reader *r = reader_of(event);
    if (!rebuild(r, event) || !evtx_out_json(&r->shape, &r->builder.nodes, out)) {
        out->failed = true;
    }
}

static void evtx_write_json(const struct event *event, struct buf *out)
{
    struct reader *r = reader_of(event);
    struct whereabouts where = locate(r, event);
    struct slice current = r->chunk;
    size_t start = out->size;
    go_to(r, where.chunk);
    const struct evtx_print print = {
            .templates = r->templates, .values = &r->values, .chunk = where.chunk};
    bool printed = evtx_print_run(&print, where.content, out);
    go_to(r, current);
    if (!printed && !out->failed) {
        out->size = start;
        evtx_write_tree(event, out);
    }
}

static enum err evtx_walk(const struct event *event, event_visit *visit, void *context)
{
    struct reader *r = reader_of(event);
    if (!rebuild(r, event)) {
        return ERR_MEMORY;
    }
    evtx_out_walk(&r->shape, &r->builder.nodes, &r->path, visit, context);
    return r->path.failed ? ERR_MEMORY : OK;
}

static const struct event_form evtx_form = {"evtx", evtx_walk, evtx_write_json};

/* ---- readers ----------------------------------------------------------------------------- */

static void evtx_reader_free(struct reader *r)
{
    if (r) {
        evtx_template_cache_free(r->templates);
        evtx_build_fini(&r->builder);
        evtx_shape_fini(&r->shape);
        buf_fini(&r->path);
        memory_free(r);
    }
}

static enum err evtx_reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->paths = paths;
    evtx_build_init(&r->builder, limits->depth);
    r->templates = evtx_template_cache_new();
    if (!r->templates) {
        evtx_reader_free(r);
        return ERR_MEMORY;
    }
    r->builder.templates = r->templates;
    r->builder.values = &r->values;
    r->run = (struct evtx_plan_run){.templates = r->templates,
            .values = &r->values,
            .paths = paths,
            .depth = r->builder.depth};
    *out = r;
    return OK;
}

static void evtx_begin(struct reader *r, struct slice block, struct slice header)
{
    (void)header;
    r->block = block;
    r->next_chunk = 0;
    r->in_chunk = false;
    r->chunk = (struct slice){0};
}

const struct decoder evtx_decoder = {
        .name = "evtx",
        .about = "Windows event logs (.evtx), also damaged ones",
        .chunked = true,
        .recognise = evtx_recognise,
        .cut = evtx_cut,
        .reader_new = evtx_reader_new,
        .reader_free = evtx_reader_free,
        .begin = evtx_begin,
        .next = evtx_next,
        .warning = evtx_warning,
};
