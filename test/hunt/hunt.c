/* hunt: runs a query over files, as JSON lines: for trying the language out and for
 * test/hunt/check.
 *
 *     hunt QUERY MEMORY-BYTES FILE...     each row an object; what was left out on stderr */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/feed.h"
#include "hunt/query_run.h"
#include "source/inputs.h"

enum { DECODERS = 64 };

struct hunting {
    struct query_run *run;
    const struct query_scan *scan;
    struct event event;
    struct reader *readers[DECODERS];
    uint64_t rejected;
    bool done;
};

static struct reader *reader_of(struct hunting *h, const struct decoder *decoder)
{
    struct decode_limits limits = DECODE_LIMITS;
    for (size_t i = 0; i < decoders_count && i < DECODERS; i++) {
        if (decoders[i] == decoder) {
            if (!h->readers[i] &&
                    decoder->reader_new(h->scan->paths, &limits, &h->readers[i]) != OK) {
                return NULL;
            }
            return h->readers[i];
        }
    }
    return NULL;
}

static void write_value(struct buf *out, const struct row_value *v)
{
    if (v->kind == ROW_NUMBER) {
        row_write(v, out);
        return;
    }
    struct buf text = {0};
    row_write(v, &text);
    buf_byte(out, '"');
    buf_json(out, buf_slice(&text));
    buf_byte(out, '"');
    buf_fini(&text);
}

/* Absent: null; several values: a list. */
static enum err write_row(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    const struct query *query = context;
    struct buf out = {0};
    uint32_t count;
    const struct row_column *columns = query_columns(query, &count);
    (void)diag;
    for (uint32_t i = 0; i < width; i++) {
        buf_add(&out, i ? SLICE(", \"") : SLICE("{\""));
        buf_json(&out, columns[i].name);
        buf_add(&out, SLICE("\": "));
        buf_add(&out, cells[i].count == 0 ? SLICE("null") : SLICE(""));
        buf_add(&out, cells[i].count > 1 ? SLICE("[") : SLICE(""));
        for (uint32_t k = 0; k < cells[i].count; k++) {
            buf_add(&out, k ? SLICE(", ") : SLICE(""));
            write_value(&out, &cells[i].values[k]);
        }
        buf_add(&out, cells[i].count > 1 ? SLICE("]") : SLICE(""));
    }
    buf_add(&out, SLICE("}\n"));
    fwrite(out.at, 1, out.size, stdout);
    enum err e = out.failed ? ERR_MEMORY : OK;
    buf_fini(&out);
    return e;
}

static enum err run_block(struct hunting *h, const struct feed_block *block, struct diag *diag)
{
    const struct decoder *decoder = block->decoder;
    struct reader *reader = reader_of(h, decoder);
    if (!reader) {
        return ERR_MEMORY;
    }
    if (decoder->place) {
        decoder->place(reader, &block->place);
    }
    decoder->begin(reader, block->records, buf_slice(&block->header));
    for (uint64_t n = 0;; n++) {
        enum err e = decoder->next(reader, &h->event, diag);
        if (e == ERR_END) {
            return OK;
        }
        if (e != OK) {
            h->rejected++;
            continue;
        }
        char id[32];
        int size = snprintf(id, sizeof id, "%llu",
                (unsigned long long)(block->first +
                                     (decoder->ordinal ? decoder->ordinal(reader) : n)));
        struct query_event row = {&h->event, slice_of(id, (size_t)size), block->file};
        e = query_run_event(h->run, &row, diag);
        h->done = e == ERR_END;
        if (e != OK) {
            return h->done ? OK : e;
        }
    }
}

static enum err run_pass(struct hunting *h, const struct inputs *inputs, struct diag *diag)
{
    static atomic_bool stop;
    struct feed feed = {.inputs = inputs, .limits = DECODE_LIMITS, .stop = &stop};
    struct feed_block block = {0};
    feed_init(&feed);
    enum err e = event_init(&h->event, h->scan->field_count);
    h->done = false;
    while (e == OK && !h->done && feed_next(&feed, &block)) {
        if (block.decoder && block.records.size) {
            e = run_block(h, &block, diag);
        }
    }
    for (size_t i = 0; i < decoders_count && i < DECODERS; i++) {
        if (h->readers[i]) {
            decoders[i]->reader_free(h->readers[i]);
            h->readers[i] = NULL;
        }
    }
    event_fini(&h->event);
    feed_block_fini(&block);
    feed_fini(&feed);
    return e;
}

static enum err run_all(const struct query *query, size_t memory_bytes, const struct inputs *inputs,
        struct diag *diag)
{
    struct hunting h = {0};
    struct query_run_options options = {memory_bytes, write_row, (void *)query};
    enum err e = query_run_new(query, &options, &h.run, diag);
    for (uint32_t pass = 0; e == OK && pass < query_passes(query); pass++) {
        h.scan = query_scan(query, pass);
        e = query_run_begin(h.run, pass, diag);
        e = e == OK ? run_pass(&h, inputs, diag) : e;
        e = e == OK ? query_run_end(h.run, diag) : e;
    }
    if (h.run) {
        struct slice notes = query_run_notes(h.run);
        fprintf(stderr, "%.*s", SLICE_ARG(notes));
        struct query_run_counts counts = query_run_counts(h.run);
        fprintf(stderr, "events=%llu matched=%llu rows=%llu rejected=%llu\n",
                (unsigned long long)counts.events, (unsigned long long)counts.matched,
                (unsigned long long)counts.rows, (unsigned long long)h.rejected);
    }
    query_run_free(h.run);
    return e;
}

int main(int argc, char **argv)
{
    struct taxonomy *taxonomy = NULL;
    struct inputs *inputs = NULL;
    struct query *query = NULL;
    struct diag diag = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: hunt QUERY MEMORY-BYTES FILE...\n");
        return 2;
    }
    enum err e = taxonomy_new(&taxonomy);
    e = e == OK ? taxonomy_add_builtin(taxonomy, &diag) : e;
    e = e == OK ? query_new(slice_text(argv[1]), taxonomy, &query, &diag) : e;
    e = e == OK ? inputs_new(&inputs) : e;
    for (int i = 3; e == OK && i < argc; i++) {
        e = inputs_add(inputs, argv[i]);
    }
    e = e == OK ? inputs_finish(inputs) : e;
    e = e == OK ? run_all(query, strtoull(argv[2], NULL, 10), inputs, &diag) : e;
    if (e != OK) {
        fprintf(stderr, "%s: line %u, column %u: %s\n", err_name(e), diag.line, diag.column,
                diag.words);
    }
    query_free(query);
    inputs_free(inputs);
    taxonomy_free(taxonomy);
    return e == OK ? 0 : 1;
}
