/* Any bytes as a query: it is read or refused with words at a place in it; where it is read, events
 * go through it, and whatever its selection matches satisfies its needs. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "event/decoder.h"
#include "hunt/query_run.h"
#include "support/need.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char records[] =
        "{\"EventID\":1,\"Image\":\"C:\\\\a.exe\",\"N\":\"10\",\"@timestamp\":\"2026-01-05\"}\n"
        "{\"EventID\":3,\"Image\":null,\"Ip\":[\"10.0.0.1\",\"x\"],\"N\":-1.5,\"a\":{}}\n";

static enum err drop(void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    size_t *bytes = context;
    (void)diag;
    for (uint32_t i = 0; i < width; i++) {
        for (uint32_t k = 0; k < cells[i].count; k++) {
            *bytes += cells[i].values[k].kind == ROW_TEXT ? cells[i].values[k].text.size : 8;
        }
    }
    return OK;
}

static enum err run_pass(struct query_run *run, const struct query_scan *scan, struct diag *diag)
{
    static char bytes[sizeof records + 64];
    struct decode_limits limits = DECODE_LIMITS;
    const struct decoder *decoder = decoders[0];
    for (size_t i = 0; i < decoders_count; i++) {
        decoder = strcmp(decoders[i]->name, "json") == 0 ? decoders[i] : decoder;
    }
    struct reader *reader;
    struct event event;
    memcpy(bytes, records, sizeof records);
    enum err e = decoder->reader_new(scan->paths, &limits, &reader);
    assert(e == OK && event_init(&event, scan->field_count) == OK);
    decoder->begin(reader, slice_of(bytes, sizeof records - 1), (struct slice){0});
    while (e == OK && decoder->next(reader, &event, NULL) == OK) {
        struct query_event row = {&event, SLICE("1"), SLICE("f")};
        uint64_t before = query_run_counts(run).matched;
        e = query_run_event(run, &row, diag);
        assert(query_run_counts(run).matched == before || need_holds(scan->needs, &event));
    }
    event_fini(&event);
    decoder->reader_free(reader);
    return e == ERR_END ? OK : e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct taxonomy *taxonomy;
    struct query *query = NULL;
    struct query_run *run = NULL;
    struct diag diag = {0};
    size_t bytes = 0;
    if (!taxonomy) {
        assert(taxonomy_new(&taxonomy) == OK && taxonomy_add_builtin(taxonomy, NULL) == OK);
    }
    enum err e = query_new(slice_of((const char *)data, size), taxonomy, &query, &diag);
    if (e != OK) {
        assert(!query && diag.words[0] && diag.column <= size + 1);
        return 0;
    }
    struct query_run_options options = {1 << 20, drop, &bytes, false};
    e = query_run_new(query, &options, &run, &diag);
    for (uint32_t pass = 0; e == OK && pass < query_passes(query); pass++) {
        e = query_run_begin(run, pass, &diag);
        e = e == OK ? run_pass(run, query_scan(query, pass), &diag) : e;
        e = e == OK ? query_run_end(run, &diag) : e;
    }
    assert(e == OK || diag.words[0]);
    query_run_free(run);
    query_free(query);
    return 0;
}
