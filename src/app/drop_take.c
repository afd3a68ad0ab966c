#include "app/drop_take.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "app/serve_shared.h"
#include "base/memory.h"
#include "base/unpack.h"
#include "cli/formats.h"
#include "decode/evtx_bytes.h"
#include "decode/lines.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum {
    BLOCK = 260 << 10, /* as of struct feed */
    SLACK = 64 << 10,
    BEHIND = 64,
    READ = 64 << 10,
    AGAIN_MS = 5,
    REASONS = 16 << 10,
    HEADER = 48 << 10, /* a longer one does not fit into a frame */
};

enum err drop_take_new(struct drop_take **out, struct diag *diag)
{
    struct drop_take *t = memory_alloc(sizeof *t);
    if (!t) {
        return diag_say(diag, ERR_MEMORY, "no memory to take files");
    }
    t->fields = field_table_new();
    enum err e = t->fields ? paths_build(t->fields, NULL, 0, &t->paths) : ERR_MEMORY;
    if (e == OK) {
        e = event_init(&t->event, field_count(t->fields));
    }
    if (e != OK) {
        drop_take_free(t);
        return diag_say(diag, e, "no memory to take files");
    }
    *out = t;
    return OK;
}

void drop_take_free(struct drop_take *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < decoders_count && i < DROP_TAKE_DECODERS; i++) {
        if (t->readers[i]) {
            decoders[i]->reader_free(t->readers[i]);
        }
    }
    event_fini(&t->event);
    paths_free(t->paths);
    field_table_free(t->fields);
    headed_fini(&t->headed);
    buf_fini(&t->cutter.header);
    buf_fini(&t->bytes);
    buf_fini(&t->key);
    buf_fini(&t->header);
    buf_fini(&t->reasons);
    frame_records_fini(&t->batch.records);
    memory_free(t);
}

static void give_reason(struct drop_take *t, const char *member, const char *words)
{
    if (t->reasons.size < REASONS) {
        buf_format(&t->reasons, "%s%s%s\n", member ? member : "", member ? ": " : "", words);
    }
}

/* ---- into the intake ---------------------------------------------------------------------------
 */

/* Of what has ordinals [from, to). */
static void address(struct drop_take *t, uint64_t from, uint64_t to)
{
    buf_clear(&t->key);
    buf_format(&t->key, "%.*s/%llu-%llu", SLICE_ARG(t->identity), (unsigned long long)from,
            (unsigned long long)to);
    t->batch.input = t->input;
    t->batch.source = t->source;
    t->batch.key = buf_slice(&t->key);
    t->batch.format = slice_text(t->decoder->name);
    t->batch.header = buf_slice(&t->header);
}

/* false: told to stop. */
static bool wait_for_room(const struct drop_take *t)
{
    serve_shared_wait(-1, -1, AGAIN_MS);
    return !*t->stop;
}

static enum err flush(struct drop_take *t)
{
    uint64_t position;
    if (t->batch.records.count == 0) {
        return OK;
    }
    address(t, t->from, t->ordinal);
    while (intake_put(t->intake, &t->batch, &position) != OK) {
        if (!wait_for_room(t)) {
            return ERR_END;
        }
    }
    return OK;
}

/* A record that stands for `count` ordinals. */
static enum err put(struct drop_take *t, struct slice record, uint64_t count)
{
    struct frame_records *records = &t->batch.records;
    if (t->ordinal + count <= t->skip) {
        t->ordinal += count;
        return OK;
    }
    if (records->count == 0) {
        t->from = t->ordinal;
    }
    frame_records_add(records, record);
    for (uint64_t i = 1; i < count; i++) {
        frame_records_add(records, (struct slice){0});
    }
    t->ordinal += count;
    return records->lines.size >= INTAKE_BATCH ? flush(t) : OK;
}

/* Bytes that are no record. */
static enum err reject(struct drop_take *t, struct slice bytes, const char *words)
{
    enum err e;
    bytes = slice_trim(bytes);
    if (bytes.size == 0) {
        return OK;
    }
    TRY(flush(t));
    if (t->ordinal++ < t->skip) {
        return OK;
    }
    address(t, t->ordinal - 1, t->ordinal);
    t->batch.header = (struct slice){0};
    while ((e = intake_reject(t->intake, &t->batch, bytes, COUNTS_SYNTAX, words)) != OK) {
        if (!wait_for_room(t)) {
            return ERR_END;
        }
    }
    return OK;
}

/* ---- blocks ------------------------------------------------------------------------------------
 */

static struct reader *reader_of(struct drop_take *t)
{
    for (size_t i = 0; i < decoders_count && i < DROP_TAKE_DECODERS; i++) {
        if (decoders[i] == t->decoder) {
            if (!t->readers[i] &&
                    t->decoder->reader_new(t->paths, &t->cutter.limits, &t->readers[i]) != OK) {
                t->readers[i] = NULL;
            }
            return t->readers[i];
        }
    }
    return NULL;
}

static bool has(struct slice whole, struct slice part)
{
    return part.at >= whole.at && part.at + part.size <= whole.at + whole.size;
}

/* Records that are no lines: the reader says where each stands. What lies between two of them and
 * could not be read is one piece. */
static enum err take_read(struct drop_take *t, struct slice block)
{
    struct reader *reader = reader_of(t);
    struct diag diag = {0}, why = {0};
    const char *at = block.at, *end = block.at + block.size;
    bool bad = false;
    enum err e, done = OK;
    if (!reader) {
        return ERR_MEMORY;
    }
    t->decoder->begin(reader, block, (struct slice){0});
    while (done == OK && (e = t->decoder->next(reader, &t->event, &diag)) != ERR_END) {
        struct slice raw = t->event.raw;
        if (e != OK || !has(block, raw)) {
            why = bad ? why : diag;
            bad = true;
            continue;
        }
        if (bad && raw.at > at) {
            done = reject(t, slice_of(at, (size_t)(raw.at - at)), why.words);
        }
        bad = false;
        done = done == OK ? put(t, raw, 1) : done;
        at = raw.at + raw.size;
    }
    return done == OK && bad ? reject(t, slice_of(at, (size_t)(end - at)), why.words) : done;
}

/* A chunk of an event log has the templates of its records: it is stored whole, once, and stands
 * for all of them. */
static enum err take_chunks(struct drop_take *t, struct slice block)
{
    struct reader *reader = reader_of(t);
    struct diag diag = {0};
    enum err e = reader ? OK : ERR_MEMORY;
    while (e == OK && block.size > 0) {
        struct slice chunk = slice_of(block.at, block.size < EVTX_CHUNK ? block.size : EVTX_CHUNK);
        uint64_t count = 0;
        t->decoder->begin(reader, chunk, (struct slice){0});
        while (t->decoder->next(reader, &t->event, &diag) != ERR_END) {
            count++;
        }
        while (t->decoder->warning(reader, &diag)) {
            continue; /* a checksum of a log that was copied while it was in use: no reason */
        }
        e = count > 0 ? put(t, chunk, count) : OK;
        block = slice_from(block, chunk.size);
    }
    return e;
}

static enum err take_block(struct drop_take *t, struct slice block)
{
    struct slice line;
    size_t at = 0;
    if (t->decoder->chunked) {
        return take_chunks(t, block);
    }
    if (strcmp(t->decoder->name, "json") == 0 || strcmp(t->decoder->name, "journal") == 0) {
        return take_read(t, block);
    }
    while (lines_next(block, &at, &line)) {
        TRY(put(t, line, 1));
    }
    return OK;
}

/* ---- a member ----------------------------------------------------------------------------------
 */

/* A small file that unpacks to very much is a bomb. */
static bool is_bomb(const struct drop_take *t)
{
    return t->unpacked > UNPACK_FREE_BYTES && t->unpacked / UNPACK_RATIO > t->packed;
}

/* Reads until `want` bytes are there, or the member ends. */
static enum err fill(struct drop_take *t, size_t want, struct diag *diag)
{
    while (!t->ended && t->bytes.size < want) {
        char *to = buf_reserve(&t->bytes, READ + BEHIND);
        la_ssize_t n = to ? archive_read_data(t->archive, to, READ) : 0;
        if (!to) {
            t->ended = true;
            return diag_say(diag, ERR_MEMORY, "no memory for a block of %zu bytes", want);
        }
        if (n < 0) {
            const char *words = archive_error_string(t->archive);
            t->ended = true;
            return diag_say(diag, ERR_SYNTAX, "%s", words ? words : "damaged");
        }
        t->ended = n == 0;
        t->bytes.size += (size_t)n;
        t->unpacked += (uint64_t)n;
        if (is_bomb(t)) {
            t->ended = true;
            return diag_say(diag, ERR_LIMIT, "it unpacks to over %d times its size", UNPACK_RATIO);
        }
    }
    return OK;
}

static void consume(struct drop_take *t, size_t size)
{
    memmove(t->bytes.at, t->bytes.at + size, t->bytes.size - size);
    t->bytes.size -= size;
}

/* The header in force for what is put next. */
static void hold_header(struct drop_take *t)
{
    buf_clear(&t->header);
    if (t->headed.cutter.header.size <= HEADER) {
        buf_add(&t->header, buf_slice(&t->headed.cutter.header));
    }
}

/* Records that need lines before them. */
static enum err take_headed(struct drop_take *t, struct diag *diag)
{
    const size_t most = t->cutter.limits.record_bytes + SLACK;
    struct headed_piece piece;
    size_t want = BLOCK;
    enum err bad = OK;
    headed_begin(&t->headed, t->decoder);
    while (bad == OK) {
        size_t at = 0;
        bad = fill(t, want, diag);
        if (t->ended && t->bytes.size > 0 && t->bytes.at[t->bytes.size - 1] != '\n') {
            buf_byte(&t->bytes, '\n');
        }
        while (headed_next(&t->headed, slice_from(buf_slice(&t->bytes), at), &piece)) {
            if (piece.changed) {
                TRY(flush(t));
                hold_header(t);
            }
            at += piece.size;
            if (piece.record.size > 0) {
                TRY(put(t, piece.record, 1));
            }
        }
        consume(t, at);
        if (t->ended) {
            return bad == OK ? reject(t, buf_slice(&t->bytes), "no whole record") : bad;
        }
        if (at == 0 && t->bytes.size >= most) {
            return diag_say(diag, ERR_LIMIT, "no end of a record within %zu bytes", most);
        }
        want = at == 0 ? want * 2 : BLOCK;
    }
    return bad;
}

static enum err take_cut(struct drop_take *t, struct diag *diag)
{
    const size_t most = t->cutter.limits.record_bytes + SLACK;
    size_t want = BLOCK;
    enum err bad = OK;
    for (;;) {
        struct cut cut = {0};
        struct diag why = {0};
        bad = bad == OK ? fill(t, want, diag) : bad;
        enum err e = t->decoder->cut(&t->cutter, buf_slice(&t->bytes), t->ended, &cut, &why);
        if (e != OK) {
            return diag_say(diag, e, "%s", why.words);
        }
        if (cut.skip + cut.size == 0) {
            if (t->ended) {
                return bad;
            }
            if (t->bytes.size >= most) {
                return diag_say(diag, ERR_LIMIT, "no end of a record within %zu bytes", most);
            }
            want *= 2;
            continue;
        }
        if (cut.rejected > 0) {
            TRY(reject(t, slice_of(t->bytes.at, cut.skip), why.words));
        }
        TRY(take_block(t, slice_of(t->bytes.at + cut.skip, cut.size)));
        t->cutter.offset += cut.skip + cut.size;
        consume(t, cut.skip + cut.size);
        want = t->bytes.size + 1 > BLOCK ? t->bytes.size + 1 : BLOCK;
    }
}

static const struct decoder *decoder_of(const struct drop_take *t)
{
    char name[64] = {0};
    struct slice format = t->input->format, head = buf_slice(&t->bytes);
    if (format.size > 0 && format.size < sizeof name) {
        memcpy(name, format.at, format.size);
        return formats_find(name);
    }
    head.size = head.size < FORMATS_HEAD ? head.size : FORMATS_HEAD;
    return formats_recognise(head, t->ended);
}

/* ERR_END: told to stop. What is wrong with the member is a reason, and no error. */
static enum err take_member(struct drop_take *t, const char *name)
{
    struct diag diag = {0};
    struct buf header = t->cutter.header;
    t->ended = false;
    buf_clear(&t->bytes);
    buf_clear(&t->header);
    buf_clear(&header);
    t->cutter = (struct cutter){.limits = DECODE_LIMITS, .header = header};
    t->cutter.limits.record_bytes = t->input->record_bytes;
    enum err e = fill(t, FORMATS_HEAD, &diag);
    t->decoder = t->bytes.size > 0 ? decoder_of(t) : NULL;
    if (t->decoder) {
        e = t->decoder->headed ? take_headed(t, &diag) : take_cut(t, &diag);
    } else if (t->bytes.size > 0 && e == OK) {
        e = diag_say(&diag, ERR_SYNTAX, "no format that is known");
    }
    if (e == ERR_END || *t->stop) {
        return ERR_END;
    }
    if (t->decoder) {
        TRY(flush(t));
    }
    if (e != OK) {
        give_reason(t, name, diag.words[0] ? diag.words : err_name(e));
    }
    return OK;
}

/* ---- a file ------------------------------------------------------------------------------------
 */

/* Only what is promised: every further format is further code that reads outside bytes. */
static bool allow_formats(struct archive *a)
{
    return a && archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
           archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
           archive_read_support_format_tar(a) == ARCHIVE_OK &&
           archive_read_support_format_zip(a) == ARCHIVE_OK &&
           archive_read_support_format_raw(a) == ARCHIVE_OK;
}

static void say_broken(struct drop_take *t)
{
    const char *words = archive_error_string(t->archive);
    give_reason(t, NULL, words ? words : "damaged");
}

static enum err take_all(struct drop_take *t)
{
    for (int i = 0; i < DROP_TAKE_MEMBERS; i++) {
        struct archive_entry *entry;
        int r = archive_read_next_header(t->archive, &entry);
        if (r == ARCHIVE_EOF) {
            return OK;
        }
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
            say_broken(t);
            return OK;
        }
        if (archive_entry_filetype(entry) == AE_IFREG) {
            bool alone = archive_format(t->archive) == ARCHIVE_FORMAT_RAW;
            TRY(take_member(t, alone ? NULL : archive_entry_pathname(entry)));
        }
    }
    give_reason(t, NULL, "an archive of over 100,000 entries");
    return OK;
}

enum err drop_take_file(struct drop_take *t, int fd)
{
    struct stat s;
    t->ordinal = t->from = t->unpacked = 0;
    buf_clear(&t->reasons);
    frame_records_clear(&t->batch.records);
    t->archive = archive_read_new();
    if (!allow_formats(t->archive) || fstat(fd, &s) != 0) {
        archive_read_free(t->archive);
        return ERR_MEMORY;
    }
    t->packed = (uint64_t)s.st_size;
    enum err e = OK;
    if (s.st_size > 0 && archive_read_open_fd(t->archive, fd, READ) != ARCHIVE_OK) {
        say_broken(t);
    } else if (s.st_size > 0) {
        e = take_all(t);
    }
    archive_read_free(t->archive);
    t->archive = NULL;
    return e;
}
