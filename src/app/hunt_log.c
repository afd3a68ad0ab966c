#include "app/hunt_log.h"

#include "app/records.h"
#include "cli/verb.h"
#include "net/authorize.h"
#include "wal/names.h"
#include "wal/reader.h"

/* ---- where it ends ----------------------------------------------------------------------------
 */

/* A centre that runs goes on writing: its last segment says how far it had come. */
static enum err find_end(struct hunt_log *log, struct diag *diag)
{
    struct names names = {0};
    struct wal_reader *reader;
    struct frame frame;
    enum err e = names_list(&names, &disk_real, log->path, diag);
    if (e == OK && names.count == 0) {
        e = diag_say(diag, ERR_NOT_FOUND, "%s: no segment", log->path);
    }
    uint64_t first = e == OK ? names.at[0] : 0, last = e == OK ? names.at[names.count - 1] : 0;
    names_fini(&names);
    TRY(e);
    TRY(reader_open(log->path, &disk_real, last, &reader, diag));
    do {
        e = reader_next(reader, READER_ALL, &frame, diag);
    } while (e == OK || e == ERR_SYNTAX);
    log->first = first;
    log->end = reader_position(reader);
    reader_close(reader);
    return e == ERR_END ? OK : e;
}

enum err hunt_log_open(struct hunt_log *log, const struct hunt_input *input, struct diag *diag)
{
    *log = (struct hunt_log){.input = input};
    TRY(data_path(input->data, "log", log->path, diag));
    return find_end(log, diag);
}

void hunt_log_fini(struct hunt_log *log)
{
    buf_fini(&log->block);
}

/* ---- one reading ------------------------------------------------------------------------------
 */

static bool is_wanted(const struct hunt_log *log, const struct frame *frame)
{
    const struct hunt_input *r = log->input;
    const char *tenant = r->tenant;
    if (tenant && !authorize_covers(slice_text(tenant), frame->attribute[FRAME_TENANT])) {
        return false;
    }
    bool begun = r->from.timed ? frame->receipt_ns >= r->from.ns
                               : frame->offset + frame->count > r->from.offset;
    return begun && (r->to.timed ? frame->receipt_ns < r->to.ns : frame->offset < r->to.offset);
}

static enum err read_frame(
        struct hunt_log *log, struct hunt_pass *pass, const struct frame *frame, struct diag *diag)
{
    const struct hunt_input *r = log->input;
    struct records records;
    struct records_piece piece;
    struct hunt_bytes bytes = {.header = frame->attribute[FRAME_HEADER],
            .place.written_ns = frame->receipt_ns,
            .from = r->from.timed ? 0 : r->from.offset,
            .to = r->to.timed ? UINT64_MAX : r->to.offset,
            .source = frame->attribute[FRAME_SOURCE],
            .number = "offset"};
    if (!records_begin(&records, frame, &log->block, false)) {
        return diag_say(diag, ERR_MEMORY, "no memory to read");
    }
    bytes.decoder = records.decoder;
    pass->bytes += frame->lines.size;
    while (!pass->done && records_next(&records, &piece)) {
        bytes.bytes = piece.bytes;
        bytes.first = piece.first;
        bytes.count = piece.count;
        TRY(hunt_pass_bytes(pass, &bytes, diag));
    }
    return OK;
}

static enum err take_frame(
        struct hunt_log *log, struct hunt_pass *pass, const struct frame *frame, struct diag *diag)
{
    if (!is_wanted(log, frame)) {
        return OK;
    }
    if (frame->kind == FRAME_REJECTED && !pass->told) {
        log->unread += frame->count;
    }
    return frame->kind == FRAME_RECORDS ? read_frame(log, pass, frame, diag) : OK;
}

static enum err read_on(
        struct hunt_log *log, struct hunt_pass *pass, struct wal_reader *reader, struct diag *diag)
{
    while (!pass->done && !atomic_load(pass->stop)) {
        struct frame frame;
        enum err e = reader_next(reader, READER_ALL, &frame, diag);
        if (e == ERR_SYNTAX && reader_damage(reader)->from < log->end) {
            const struct reader_damage *damage = reader_damage(reader);
            struct hunt_pass loud = *pass;
            loud.told = pass->told && !damage->removed;
            hunt_pass_say(&loud, "log: %s", diag->words);
            log->partial = true;
            continue;
        }
        if (e == ERR_END || e == ERR_SYNTAX || (e == OK && frame.offset >= log->end)) {
            return OK;
        }
        TRY(e);
        TRY(take_frame(log, pass, &frame, diag));
    }
    return OK;
}

enum err hunt_log_pass(struct hunt_log *log, struct hunt_pass *pass, struct diag *diag)
{
    struct wal_reader *reader;
    uint64_t from = log->input->from.timed ? 0 : log->input->from.offset;
    from = from > log->first ? from : log->first;
    TRY(reader_open(log->path, &disk_real, from, &reader, diag));
    if (reader_first(reader) > from) {
        progress_wipe(pass->progress);
        verb_say("log: offsets %llu to %llu were removed before they were read",
                (unsigned long long)from, (unsigned long long)reader_first(reader) - 1);
        log->partial = true;
    }
    enum err e = read_on(log, pass, reader, diag);
    reader_close(reader);
    return e;
}
