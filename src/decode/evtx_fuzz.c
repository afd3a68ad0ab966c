/* Any bytes as an event log: cutting counts the records that reading finds, a record that is read
 * has the fields of its own JSON, and the visitor sees what the JSON shows. The first byte chooses:
 * bytes that start with a file's or a chunk's magic are a log, others are the records of a chunk
 * whose header is made for them. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/evtx.h"
#include "decode/evtx_bytes.h"
#include "support/agree.h"

enum { MARGIN = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct agree agree;
static struct reader *reader;
static struct event event;
static struct buf tree;

static void start(void)
{
    static const char *const texts[] = {"A", "B", "C", "Data", "Name", "EventID", "Qualifiers",
            "System", "EventData", "UserData", "A_1", "#text", "x"};
    struct slice names[sizeof texts / sizeof *texts];
    struct decode_limits limits = DECODE_LIMITS;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        names[i] = slice_text(texts[i]);
    }
    bool ok = agree_init(&agree, names, sizeof texts / sizeof *texts) == OK &&
              evtx_decoder.reader_new(agree.paths, &limits, &reader) == OK &&
              event_init(&event, field_count(agree.fields)) == OK;
    assert(ok);
}

static bool count_leaf(void *context, struct slice path, const struct value *value)
{
    uint64_t *count = context;
    assert(path.size <= UINT16_MAX && value->kind <= VALUE_OBJECT);
    ++*count;
    return true;
}

static uint64_t read_block(struct slice block)
{
    uint64_t records = 0;
    struct diag diag;
    enum err e;
    evtx_decoder.begin(reader, block, (struct slice){0});
    while ((e = evtx_decoder.next(reader, &event, &diag)) != ERR_END) {
        records++;
        if (e != OK) {
            assert(diag.words[0]);
            continue;
        }
        if (!agree_check(&agree, &event)) {
            fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&agree.words)));
            abort();
        }
        tree.size = 0;
        evtx_write_tree(&event, &tree);
        buf_byte(&tree, '\n');
        assert(slice_equal(buf_slice(&tree), buf_slice(&agree.json)));
        uint64_t leaves = 0;
        assert(event.form->walk(&event, count_leaf, &leaves) == OK && leaves > 0);
    }
    while (evtx_warning(reader, &diag)) {
        assert(diag.words[0]);
    }
    return records;
}

static void read_stream(struct slice bytes)
{
    struct cutter cutter = {.limits = DECODE_LIMITS};
    while (bytes.size) {
        struct cut cut;
        assert(evtx_decoder.cut(&cutter, bytes, true, &cut, NULL) == OK);
        assert(cut.skip + cut.size > 0 && cut.skip + cut.size <= bytes.size);
        uint64_t records = read_block(slice_of(bytes.at + cut.skip, cut.size));
        assert(records == cut.records && cut.rejected == 0);
        bytes.at += cut.skip + cut.size;
        bytes.size -= cut.skip + cut.size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!reader) {
        start();
    }
    bool stream = size >= 3 && memcmp(data, "Elf", 3) == 0;
    size_t header = stream ? 0 : EVTX_CHUNK_HEADER;
    char *copy = memory_alloc(header + size + MARGIN);
    assert(copy);
    if (size) {
        memcpy(copy + header, data, size);
    }
    if (!stream) {
        memcpy(copy, "ElfChnk", 8);
        memset(copy + 32, 0x7F, 8); /* the last id */
        copy[40] = (char)128;       /* size of the header */
        copy[50] = 1;               /* free space at 64 KiB */
    }
    read_stream(slice_of(copy, header + size));
    memory_free(copy);
    return 0;
}
