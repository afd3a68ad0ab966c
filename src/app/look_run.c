#include "app/look_run.h"

#include <stdio.h>

#include "app/feed.h"
#include "base/memory.h"
#include "base/time.h"

struct looking {
    struct look *look;
    struct event event;
    struct reader **readers; /* as decoders[]; made when first needed */
    struct buf scratch;
    struct look_file file;
};

static enum err find_reader(struct looking *l, const struct decoder *decoder, struct reader **out)
{
    for (size_t i = 0; i < decoders_count; i++) {
        if (decoders[i] != decoder) {
            continue;
        }
        if (!l->readers[i]) {
            TRY(decoder->reader_new(
                    engine_paths(l->look->engine), &l->look->limits, &l->readers[i]));
        }
        *out = l->readers[i];
        return OK;
    }
    return ERR_NOT_FOUND;
}

static void reject(struct looking *l, uint64_t record, const struct diag *diag)
{
    struct look_file *file = &l->file;
    file->rejected++;
    if (file->reason_count < LOOK_REASONS) {
        struct look_reason *reason = &file->reasons[file->reason_count++];
        reason->record = record;
        memcpy(reason->words, diag->words, sizeof reason->words);
    }
}

/* OK where the record was dealt with, rejected ones included. */
static enum err look_at(struct looking *l, uint64_t record, struct diag *diag)
{
    struct look *look = l->look;
    int64_t ns = 0;
    event_finish(&l->event);
    const struct value *value = event_value(&l->event, look->loaded->time_field);
    bool timed = value && time_parse(value_slice(value, &l->scratch), &ns);
    enum err e = survey_event(look->survey, &l->event, diag);
    if (e == ERR_MEMORY) {
        return e;
    }
    if (e != OK) {
        reject(l, record, diag);
        return OK;
    }
    clocks_record(&l->file.clocks, timed, ns);
    l->file.records++;
    return OK;
}

static enum err look_block(struct looking *l, const struct feed_block *block, struct diag *diag)
{
    const struct decoder *decoder = block->decoder;
    struct reader *reader;
    if (find_reader(l, decoder, &reader) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for a reader");
    }
    l->file.format = decoder->name;
    if (decoder->place) {
        decoder->place(reader, &block->place);
    }
    decoder->begin(reader, block->records, buf_slice(&block->header));
    for (uint64_t n = 0;; n++) {
        struct diag why = {0};
        enum err e = decoder->next(reader, &l->event, &why);
        if (e == ERR_END) {
            return OK;
        }
        uint64_t record = block->first + (decoder->ordinal ? decoder->ordinal(reader) : n);
        if (e == OK && l->event.truncated) {
            e = diag_say(&why, ERR_LIMIT, "over %d values of one record", EVENT_MORE_LIMIT);
        }
        if (e != OK) {
            reject(l, record, &why);
            continue;
        }
        TRY(look_at(l, record, diag));
    }
}

static enum err look_blocks(struct looking *l, struct feed *feed, struct diag *diag)
{
    struct feed_block block = {0};
    enum err e = OK;
    while (e == OK && feed_next(feed, &block)) {
        fwrite(block.notes.at ? block.notes.at : "", 1, block.notes.size, stderr);
        if (block.decoder && block.records.size > 0) {
            e = look_block(l, &block, diag);
        }
    }
    feed_block_fini(&block);
    return e;
}

/* Each input by a feed of its own, which says what became of it. */
static enum err look_file(struct looking *l, size_t index, struct diag *diag)
{
    struct look *look = l->look;
    struct inputs one = {.files = &look->inputs->files[index], .count = 1};
    struct feed feed = {
            .inputs = &one, .forced = look->decoder, .limits = look->limits, .stop = look->stop};
    l->file = (struct look_file){
            .path = look->inputs->files[index].path, .clocks.now_ns = look->now_ns};
    feed_init(&feed);
    enum err e = look_blocks(l, &feed, diag);
    l->file.rejected += feed.counts.rejected;
    l->file.unreadable = feed.counts.unreadable > 0;
    l->file.skipped = feed.counts.skipped > 0;
    if (e == OK && feed.no_memory) {
        e = diag_say(diag, ERR_MEMORY, "no memory to read on");
    }
    look->files += feed.counts.files;
    feed_fini(&feed);
    return e;
}

static enum err look_all(struct looking *l, struct diag *diag)
{
    struct look *look = l->look;
    for (size_t i = 0; i < look->inputs->count && !atomic_load(look->stop); i++) {
        TRY(look_file(l, i, diag));
        look->records += l->file.records;
        look->rejected += l->file.rejected;
        look->skipped += l->file.skipped;
        look->unreadable += l->file.unreadable;
        if (look->file_done) {
            TRY(look->file_done(look, &l->file, diag));
        }
    }
    return OK;
}

enum err look_run(struct look *look, struct diag *diag)
{
    struct looking l = {.look = look};
    l.readers = memory_alloc_array(decoders_count, sizeof(struct reader *));
    enum err e = l.readers ? event_init(&l.event, engine_field_count(look->engine)) : ERR_MEMORY;
    e = e == OK ? look_all(&l, diag) : diag_say(diag, e, "no memory to read");
    for (size_t i = 0; l.readers && i < decoders_count; i++) {
        if (l.readers[i]) {
            decoders[i]->reader_free(l.readers[i]);
        }
    }
    memory_free(l.readers);
    event_fini(&l.event);
    buf_fini(&l.scratch);
    return e;
}
