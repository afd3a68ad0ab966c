#include "support/pieces.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEHIND = 64 };

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "pieces: %s\n", what);
        abort();
    }
}

enum err pieces_init(
        struct pieces *p, const struct decoder *decoder, const char *const *names, size_t count)
{
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    *p = (struct pieces){
            .decoder = decoder, .limits = DECODE_LIMITS, .names = names, .count = count};
    p->fields = field_table_new();
    for (size_t i = 0; p->fields && i < count; i++) {
        uint32_t id;
        TRY(field_intern(p->fields, slice_text(names[i]), &id));
    }
    TRY(paths_build(p->fields, &all, 1, &p->paths));
    TRY(event_init(&p->event, p->paths->field_count));
    return decoder->reader_new(p->paths, &p->limits, &p->reader);
}

void pieces_fini(struct pieces *p)
{
    if (p->reader) {
        p->decoder->reader_free(p->reader);
    }
    event_fini(&p->event);
    paths_free(p->paths);
    field_table_free(p->fields);
}

/* What walk shows of one name. */
struct seen {
    struct slice name;
    const struct event *event;
    const struct value *next;
    bool differs;
};

static bool see(void *context, struct slice path, const struct value *value)
{
    struct seen *seen = context;
    struct buf a = {0}, b = {0};
    if (!slice_equal(path, seen->name) || value->kind == VALUE_OBJECT) {
        return true;
    }
    if (seen->next) {
        value_text(value, &a);
        value_text(seen->next, &b);
        seen->differs |=
                !slice_equal(buf_slice(&a), buf_slice(&b)) || seen->next->kind != value->kind;
        seen->next = event_next(seen->event, seen->next);
    } else {
        seen->differs = true;
    }
    buf_fini(&a);
    buf_fini(&b);
    return true;
}

static void write_values(struct pieces *p, struct buf *out)
{
    for (size_t i = 0; i < p->count; i++) {
        struct slice name = slice_text(p->names[i]);
        const struct value *v = event_value(&p->event, field_find(p->fields, name));
        struct seen seen = {.name = name, .event = &p->event, .next = v};
        if (v && v->kind == VALUE_OBJECT) {
            seen.next = NULL;
        }
        check(p->event.form->walk(&p->event, see, &seen) == OK, "walk failed");
        check(!seen.differs && !seen.next, "walk shows other values than rules see");
        for (; v; v = event_next(&p->event, v)) {
            static const char marks[] = {[VALUE_NULL] = '0',
                    [VALUE_BOOL] = '?',
                    [VALUE_NUMBER] = '#',
                    [VALUE_STRING] = '=',
                    [VALUE_OBJECT] = '{'};
            buf_byte(out, ' ');
            buf_add(out, name);
            buf_byte(out, marks[v->kind]);
            value_text(v, out);
        }
    }
}

static void write_event(struct pieces *p, uint64_t ordinal, struct buf *out)
{
    buf_format(out, "%d", (int)ordinal);
    write_values(p, out);
    if (!p->quiet) {
        buf_byte(out, ' ');
        p->event.form->write_json(&p->event, out);
    }
    buf_byte(out, '\n');
}

/* Returns the ordinals used. */
static uint64_t read_block(
        struct pieces *p, struct slice block, struct slice header, uint64_t before, struct buf *out)
{
    uint64_t ordinal = before;
    char *copy = malloc(block.size + BEHIND);
    check(copy, "no memory");
    memcpy(copy, block.at, block.size);
    for (size_t i = 0; i < BEHIND; i++) {
        copy[block.size + i] = "\t,\"\n x#-"[i & 7]; /* nothing of it belongs to the block */
    }
    p->decoder->begin(p->reader, slice_of(copy, block.size), header);
    for (;;) {
        struct diag diag = {0};
        enum err e = p->decoder->next(p->reader, &p->event, &diag);
        if (e == ERR_END) {
            break;
        }
        ordinal++;
        if (e == OK) {
            write_event(p, ordinal, out);
        } else {
            check(diag.words[0], "rejected without a word");
            buf_format(out, "%d! %s\n", (int)ordinal, diag.words);
        }
    }
    free(copy);
    return ordinal - before;
}

void pieces_read(struct pieces *p, struct slice stream, size_t piece, struct buf *out)
{
    struct cutter c = {.limits = p->limits};
    struct buf header = {0};
    uint64_t ordinal = 0;
    size_t start = 0, end = 0;
    for (bool last = false; !last || start < end;) {
        struct cut cut;
        struct diag diag = {0};
        struct slice bytes = slice_of(stream.at + start, end - start);
        buf_clear(&header);
        buf_add(&header, buf_slice(&c.header));
        check(p->decoder->cut(&c, bytes, last, &cut, &diag) == OK, "cut failed");
        for (uint64_t i = 0; i < cut.rejected; i++) {
            buf_format(out, "%d! %s\n", (int)++ordinal, diag.words);
        }
        if (cut.size > 0) {
            struct slice block = slice_of(bytes.at + cut.skip, cut.size);
            uint64_t used = read_block(p, block, buf_slice(&header), ordinal, out);
            check(used == cut.records, "cut counted other records than were read");
            ordinal += used;
        }
        start += cut.skip + cut.size;
        c.offset += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            check(!last || start == end, "bytes are left at the end");
            check(end - start <= p->limits.record_bytes + (64 << 10) + piece, "held too much");
            end = stream.size - end < piece ? stream.size : end + piece;
            last = end == stream.size;
        }
    }
    buf_fini(&header);
    buf_fini(&c.header);
}

void pieces_read_all(struct pieces *p, struct slice stream, struct buf *out)
{
    struct buf other = {0};
    pieces_read(p, stream, stream.size + 1, out);
    for (size_t piece = 1; piece <= stream.size; piece++) {
        buf_clear(&other);
        pieces_read(p, stream, piece, &other);
        if (!slice_equal(buf_slice(out), buf_slice(&other))) {
            fprintf(stderr, "pieces of %zu bytes:\n%.*s\nof all:\n%.*s\n", piece,
                    SLICE_ARG(buf_slice(&other)), SLICE_ARG(buf_slice(out)));
            check(false, "differs by the pieces");
        }
    }
    buf_fini(&other);
}

void pieces_fuzz(const struct decoder *decoder, const char *const *names, size_t count,
        size_t record_bytes, struct slice data)
{
    static struct pieces pieces;
    struct buf whole = {0}, parts = {0};
    if (data.size == 0) {
        return;
    }
    if (!pieces.reader) {
        check(pieces_init(&pieces, decoder, names, count) == OK, "no memory");
        pieces.limits.record_bytes = record_bytes;
        decoder->reader_free(pieces.reader);
        check(decoder->reader_new(pieces.paths, &pieces.limits, &pieces.reader) == OK, "no memory");
    }
    struct slice stream = slice_from(data, 1);
    pieces_read(&pieces, stream, 1 << 20, &whole);
    pieces_read(&pieces, stream, (unsigned char)data.at[0] + 1u, &parts);
    if (!slice_equal(buf_slice(&whole), buf_slice(&parts))) {
        fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", SLICE_ARG(buf_slice(&whole)),
                SLICE_ARG(buf_slice(&parts)));
        abort();
    }
    (void)decoder->recognise(stream, true);
    buf_fini(&whole);
    buf_fini(&parts);
}
