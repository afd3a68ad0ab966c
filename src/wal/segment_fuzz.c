/* Any bytes as the last segment of a log. What is read keeps to the rules: offsets come in order
 * and once, damage lies between them; a writer opens it, goes on where the reader ended, and what
 * it writes is read. The first byte says whether a HEAD stands before the bytes, and whether what
 * looks like a frame gets the right sum: else hardly any would be one. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/sum.h"
#include "support/crash_disk.h"
#include "wal/reader.h"
#include "wal/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err no_dice(char *to, size_t size, struct diag *diag)
{
    (void)diag;
    memset(to, 'r', size);
    return OK;
}

static uint64_t read_all(const struct disk *disk, uint64_t *frames)
{
    struct wal_reader *reader;
    struct frame frame;
    enum err e = reader_open("log", disk, 0, &reader, NULL);
    assert(e == OK);
    uint64_t at = reader_first(reader);
    while ((e = reader_next(reader, READER_ALL, &frame, NULL)) != ERR_END) {
        if (e == OK) {
            assert(frame.offset == at && frame.count > 0);
            at += frame.count;
            ++*frames;
        } else {
            const struct reader_damage *damage = reader_damage(reader);
            assert(e == ERR_SYNTAX && damage->from == at && damage->to > at && !damage->removed);
            at = damage->to;
        }
    }
    assert(reader_position(reader) == at);
    reader_close(reader);
    return at;
}

static void mend_sums(struct buf *bytes)
{
    for (size_t at = 0; at + FRAME_FIXED <= bytes->size; at++) {
        struct slice rest = slice_from(buf_slice(bytes), at);
        size_t size = frame_size(rest);
        if (size < FRAME_FIXED || size > rest.size) {
            continue;
        }
        uint32_t sum = sum_add(0, slice_of(rest.at + 12, size - 12));
        for (size_t i = 0; i < 4; i++) {
            bytes->at[at + 8 + i] = (char)(sum >> 8 * i);
        }
        at += size - 1;
    }
}

static void put_segment(struct crash_disk *disk, const uint8_t *data, size_t size)
{
    struct buf bytes = {0};
    struct frame head = {.kind = FRAME_HEAD};
    head.attribute[FRAME_MARK] = SLICE("MARKMARK");
    head.attribute[FRAME_LOG] = SLICE("000102030405060708090a0b0c0d0e0f");
    if (size && data[0] & 1) {
        enum err e = frame_write(&head, &bytes, NULL);
        assert(e == OK);
    }
    buf_add(&bytes, slice_of((const char *)data + (size > 0), size ? size - 1 : 0));
    if (size && data[0] & 2) {
        mend_sums(&bytes);
    }
    crash_disk_put(disk, "log/00000000000000000000.seg", buf_slice(&bytes));
    buf_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crash_disk *disk = crash_disk_new();
    const struct disk *calls = crash_disk_calls(disk);
    struct wal_options options = {.disk = calls, .random = no_dice};
    struct frame tick = {.kind = FRAME_TICK};
    struct wal *wal;
    uint64_t frames = 0, again = 0;
    put_segment(disk, data, size);
    uint64_t end = read_all(calls, &frames);
    enum err e = wal_open("log", &options, &wal, NULL);
    assert(e == OK && wal_found(wal)->next == end);
    e = wal_append(wal, &tick, NULL);
    if (e == OK) { /* offsets may be at their end */
        assert(tick.offset == end);
        e = wal_commit(wal, NULL);
        assert(e == OK);
        uint64_t last = read_all(calls, &again);
        /* More where frames stood in no order: one that was in the way counts no longer. */
        assert(last == end + 1 && again >= frames + 1);
    }
    wal_close(wal);
    crash_disk_free(disk);
    return 0;
}
