#include "wal/reader.h"

#include <string.h>

#include "base/memory.h"
#include "wal/names.h"
#include "wal/segment.h"

struct wal_reader {
    const struct disk *disk;
    char *directory;
    struct names names;
    size_t index; /* of the segment */
    struct segment segment;
    bool open;
    uint64_t from; /* all below was given, told as damage, or not wanted */
    struct reader_damage damage;
    struct segment_id log;
    struct reader_survey survey; /* of the segments that were closed */
};

static enum err open_at(
        struct wal_reader *reader, size_t index, struct segment *segment, struct diag *diag)
{
    TRY(segment_open(segment, reader->disk, reader->directory, reader->names.at[index], diag));
    enum err e = segment_learn(segment, &reader->log, diag);
    if (e != OK) {
        segment_close(segment);
    }
    return e;
}

static void set_limit(struct wal_reader *reader)
{
    bool last = reader->index + 1 >= reader->names.count;
    reader->segment.limit = last ? UINT64_MAX : reader->names.at[reader->index + 1];
}

static void close_segment(struct wal_reader *reader)
{
    struct segment *segment = &reader->segment;
    struct reader_survey *survey = &reader->survey;
    if (!reader->open) {
        return;
    }
    uint64_t size;
    if (reader->disk->size(reader->disk, segment->scan.file, &size, NULL) == OK) {
        uint64_t behind = size > segment->scan.at ? size - segment->scan.at : 0;
        *(segment->limit == UINT64_MAX ? &survey->torn_bytes : &survey->spare_bytes) += behind;
    }
    survey->strange_bytes += segment->strange;
    survey->sealed += segment->sealed;
    survey->heads += segment->headed;
    survey->segments++;
    segment_close(segment);
    reader->open = false;
}

/* What was there is not any more: [from, first kept). */
static enum err tell_removed(struct wal_reader *reader, struct diag *diag)
{
    reader->damage = (struct reader_damage){reader->from, reader->names.at[0], true};
    reader->from = reader->names.at[0];
    return diag_say(diag, ERR_SYNTAX, "offsets %llu to %llu were removed before they were read",
            (unsigned long long)reader->damage.from, (unsigned long long)reader->damage.to - 1);
}

/* Looks at the directory again. ERR_SYNTAX: retention has overtaken the reader. */
static enum err look_again(struct wal_reader *reader, struct diag *diag)
{
    TRY(names_list(&reader->names, reader->disk, reader->directory, diag));
    if (reader->names.count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: no segment", reader->directory);
    }
    reader->index = names_find(&reader->names, reader->from);
    uint64_t base = reader->names.at[reader->index];
    if (base > reader->from) {
        close_segment(reader);
        return tell_removed(reader, diag);
    }
    /* One of the same name may be another: what a writer that died had committed last is written
     * again into a segment that takes the name, where that is the segment's first. */
    close_segment(reader);
    return OK;
}

static enum err open_segment(struct wal_reader *reader, struct diag *diag)
{
    enum err e = open_at(reader, reader->index, &reader->segment, diag);
    if (e == ERR_NOT_FOUND) {
        TRY(look_again(reader, diag));
        e = open_at(reader, reader->index, &reader->segment, diag);
    }
    if (e != OK) {
        return e;
    }
    reader->open = true;
    set_limit(reader);
    return OK;
}

/* The next segment, or the same seen anew; ERR_END: that is all. */
static enum err go_on(struct wal_reader *reader, uint64_t committed, struct diag *diag)
{
    struct segment *segment = &reader->segment;
    if (segment->expected >= segment->limit) {
        close_segment(reader);
        reader->index++;
        return OK;
    }
    if (committed == READER_ALL || segment->expected >= committed || segment->certain) {
        return ERR_END;
    }
    TRY(look_again(reader, diag));
    TRY(open_segment(reader, diag));
    reader->segment.certain = true;
    return OK;
}

/* *again: nothing to show yet, neither frame nor damage. */
static enum err step(struct wal_reader *reader, uint64_t committed, struct frame *frame,
        bool *again, struct diag *diag)
{
    struct segment *segment = &reader->segment;
    if (!reader->open) {
        TRY(open_segment(reader, diag));
    }
    enum err e = segment_next(segment, committed, frame, diag);
    if (e == ERR_END) {
        TRY(go_on(reader, committed, diag));
        *again = true;
        return OK;
    }
    if (e != OK && e != ERR_SYNTAX) {
        return e;
    }
    if (segment->expected <= reader->from) {
        *again = true; /* known from before it was opened anew */
        return OK;
    }
    segment->certain = false;
    if (e == ERR_SYNTAX) {
        uint64_t lost = segment->lost_from > reader->from ? segment->lost_from : reader->from;
        reader->damage = (struct reader_damage){lost, segment->expected, false};
    }
    reader->from = segment->expected;
    return e;
}

enum err reader_next(
        struct wal_reader *reader, uint64_t committed, struct frame *frame, struct diag *diag)
{
    bool again;
    do {
        again = false;
        TRY(step(reader, committed, frame, &again, diag));
    } while (again);
    return OK;
}

/* A HEAD that cannot be read is no harm where another one can. */
static enum err learn_from_any(struct wal_reader *reader, struct diag *diag)
{
    for (size_t i = reader->names.count; i-- > 0 && !reader->log.hex[0];) {
        struct segment segment;
        TRY(open_at(reader, i, &segment, diag));
        segment_close(&segment);
    }
    return OK;
}

static enum err start(struct wal_reader *reader, const char *directory, struct diag *diag)
{
    size_t size = strlen(directory) + 1;
    reader->directory = memory_alloc(size);
    if (!reader->directory) {
        return ERR_MEMORY;
    }
    memcpy(reader->directory, directory, size);
    TRY(names_list(&reader->names, reader->disk, directory, diag));
    if (reader->names.count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: no segment", directory);
    }
    reader->index = names_find(&reader->names, reader->from);
    if (reader->from < reader->names.at[0]) {
        reader->from = reader->names.at[0];
    }
    return learn_from_any(reader, diag);
}

enum err reader_open(const char *directory, const struct disk *disk, uint64_t from,
        struct wal_reader **out, struct diag *diag)
{
    struct wal_reader *reader = memory_alloc(sizeof *reader);
    if (!reader) {
        return ERR_MEMORY;
    }
    reader->disk = disk;
    reader->from = from;
    enum err e = start(reader, directory, diag);
    if (e != OK) {
        reader_close(reader);
        return e;
    }
    *out = reader;
    return OK;
}

void reader_close(struct wal_reader *reader)
{
    if (!reader) {
        return;
    }
    close_segment(reader);
    names_fini(&reader->names);
    memory_free(reader->directory);
    memory_free(reader);
}

const struct reader_damage *reader_damage(const struct wal_reader *reader)
{
    return &reader->damage;
}

uint64_t reader_first(const struct wal_reader *reader)
{
    return reader->names.at[0];
}

uint64_t reader_position(const struct wal_reader *reader)
{
    return reader->from;
}

const char *reader_log(const struct wal_reader *reader)
{
    return reader->log.hex;
}

static enum err survey_all(
        struct wal_reader *reader, void (*tell)(const struct reader_damage *), struct diag *diag)
{
    struct reader_survey *survey = &reader->survey;
    for (;;) {
        struct frame frame;
        enum err e = reader_next(reader, READER_ALL, &frame, diag);
        if (e == OK) {
            survey->frames++;
            survey->records += frame.count;
            survey->by_kind[frame.kind]++;
        } else if (e == ERR_SYNTAX) {
            survey->damages++;
            survey->damaged += reader->damage.to - reader->damage.from;
            if (tell) {
                tell(&reader->damage);
            }
        } else {
            return e == ERR_END ? OK : e;
        }
    }
}

enum err reader_verify(const char *directory, const struct disk *disk,
        void (*tell)(const struct reader_damage *), struct reader_survey *out, struct diag *diag)
{
    struct wal_reader *reader;
    TRY(reader_open(directory, disk, 0, &reader, diag));
    enum err e = survey_all(reader, tell, diag);
    if (e == OK) {
        close_segment(reader);
        *out = reader->survey;
        memcpy(out->log, reader->log.hex, sizeof out->log);
        out->first = reader->names.at[0];
        out->next = reader->from;
    }
    reader_close(reader);
    return e;
}
