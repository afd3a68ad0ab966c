/* archive_shape FILE [FORMAT [OUT]] - what shapes make of a file's records: records, the share of
 * them that has a shape, shapes, columns, bytes of the records, of their values' texts (each once,
 * with those of literals), of the skeletons and of what must be kept whole. OUT: writes the records
 * to this sealed file instead, and says how large it is. */
#include <stdio.h>
#include <stdlib.h>

#include "archive/rows.h"
#include "archive/shape.h"
#include "base/memory.h"
#include "event/decoder.h"
#include "event/field.h"

enum { BEHIND = 64, WINDOW = 1 << 20, SHOWN = 5 };

static struct {
    struct shape_set *set;
    struct event event;
    struct diag diag;
    struct reader *reader;
    const struct decoder *decoder;
    uint64_t records, rejected, shaped, cut, raw, texts, literals, literal_count, whole;
    struct rows *rows; /* NULL: shapes alone */
} run;

static void fail(const char *what)
{
    fprintf(stderr, "archive_shape: %s\n", what);
    exit(2);
}

static void count_row(const struct shape_row *row)
{
    run.records++;
    run.raw += run.event.raw.size;
    run.shaped += row->shape != SHAPE_NONE;
    run.cut += row->cut;
    for (size_t i = 0; i < row->count; i++) {
        run.texts += row->texts[i].text.size;
        if (slice_equal(shape_column(run.set, row->texts[i].column).path, SLICE(SHAPE_LITERAL))) {
            run.literals += row->texts[i].text.size;
            run.literal_count++;
        }
    }
    if (row->shape == SHAPE_NONE) {
        run.whole += run.event.raw.size;
    }
}

static void read_block(struct slice block, struct slice header)
{
    char *copy = memory_alloc(block.size + BEHIND);
    if (!copy) {
        fail("no memory");
    }
    memcpy(copy, block.at, block.size);
    run.decoder->begin(run.reader, slice_of(copy, block.size), header);
    for (enum err e; (e = run.decoder->next(run.reader, &run.event, NULL)) != ERR_END;) {
        if (e != OK) {
            run.rejected++;
            continue;
        }
        if (run.rows) {
            struct rows_head head = {run.records++, 0, INT64_MIN, -1, SLICE("bench"),
                    slice_text(run.decoder->name), header, run.event.raw};
            if (rows_add(run.rows, &head, &run.event, &run.diag) != OK) {
                fail(run.diag.words);
            }
            continue;
        }
        shape_begin(run.set, run.event.raw);
        if (run.event.form->walk(&run.event, shape_value, run.set) != OK) {
            fail("a record cannot be walked");
        }
        count_row(shape_end(run.set));
    }
    memory_free(copy);
}

static void read_stream(struct slice stream, const struct decode_limits *limits)
{
    struct cutter c = {.limits = *limits};
    struct buf header = {0};
    size_t start = 0, end = 0;
    for (bool last = false; !last || start < end;) {
        struct cut cut;
        struct slice bytes = slice_of(stream.at + start, end - start);
        buf_clear(&header);
        buf_add(&header, buf_slice(&c.header));
        if (run.decoder->cut(&c, bytes, last, &cut, NULL) != OK) {
            fail("cannot be cut");
        }
        if (cut.size > 0) {
            read_block(slice_of(bytes.at + cut.skip, cut.size), buf_slice(&header));
        }
        start += cut.skip + cut.size;
        c.offset += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            end = stream.size - end < WINDOW ? stream.size : end + WINDOW;
            last = end == stream.size;
        }
    }
    buf_fini(&header);
    buf_fini(&c.header);
}

static const struct decoder *choose(struct slice head, const char *name)
{
    const struct decoder *best = NULL;
    int sure = 0;
    for (size_t i = 0; i < decoders_count; i++) {
        int n = name ? strcmp(name, decoders[i]->name) == 0
                     : decoders[i]->recognise(
                               slice_of(head.at, head.size < 65536 ? head.size : 65536),
                               head.size < 65536);
        if (n > sure) {
            sure = n;
            best = decoders[i];
        }
    }
    if (!best) {
        fail("no such format");
    }
    return best;
}

static void read_file(const char *path, struct buf *bytes)
{
    FILE *file = fopen(path, "rb");
    char *to;
    while (file && (to = buf_reserve(bytes, WINDOW)) != NULL) {
        size_t n = fread(to, 1, WINDOW, file);
        bytes->size += n;
        if (n == 0) {
            break;
        }
    }
    if (!file || bytes->failed) {
        fail("cannot be read");
    }
    fclose(file);
}

static void own_name(struct shape_column column, struct buf *out)
{
    buf_add(out, column.path);
    buf_format(out, "#%u", column.place);
}

static void say_shapes(void)
{
    struct buf shapes = {0};
    if (shape_write(run.set, own_name, &shapes) != OK) {
        fail("no memory");
    }
    double n = run.records ? (double)run.records : 1;
    printf("%s: %llu records (%llu rejected), %.2f %% with a shape, %llu cut, %u shapes, %u "
           "columns; "
           "bytes a record: %.0f raw, %.0f texts, of these literals %.1f, skeletons %.1f, whole "
           "%.1f\n",
            run.decoder->name, (unsigned long long)run.records, (unsigned long long)run.rejected,
            100.0 * (double)run.shaped / n, (unsigned long long)run.cut, shape_count(run.set),
            shape_columns(run.set), (double)run.raw / n, (double)run.texts / n,
            (double)run.literals / n, (double)shapes.size / n, (double)run.whole / n);
    buf_fini(&shapes);
}

static void write_file(void)
{
    if (rows_finish(run.rows, &run.diag) != OK) {
        fail(run.diag.words);
    }
    struct rows_counts counts = rows_counts(run.rows);
    printf("%s: %llu records, %llu with a shape, %llu cut; %llu bytes of records, %llu kept whole, "
           "%llu in the file\n",
            run.decoder->name, (unsigned long long)counts.rows, (unsigned long long)counts.shaped,
            (unsigned long long)counts.cut, (unsigned long long)counts.raw_bytes,
            (unsigned long long)counts.kept_bytes, (unsigned long long)rows_size(run.rows));
    rows_free(run.rows);
}

int main(int count, char **arguments)
{
    struct buf bytes = {0};
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    struct decode_limits limits = DECODE_LIMITS;
    struct fields *fields = field_table_new();
    struct paths *paths = NULL;
    if (count < 2) {
        fail("FILE [FORMAT]");
    }
    read_file(arguments[1], &bytes);
    run.decoder = choose(buf_slice(&bytes), count > 2 ? arguments[2] : NULL);
    if (!fields || paths_build(fields, &all, 1, &paths) != OK ||
            event_init(&run.event, paths->field_count) != OK || shape_new(&run.set) != OK ||
            run.decoder->reader_new(paths, &limits, &run.reader) != OK) {
        fail("no memory");
    }
    if (count > 3) {
        const struct parquet_write_place place = {&disk_real, ".", arguments[3]};
        const struct rows_limits rows_limits = ROWS_LIMITS;
        if (rows_new(&place, &rows_limits, SLICE("merlon"), &run.rows, &run.diag) != OK) {
            fail(run.diag.words);
        }
    }
    read_stream(buf_slice(&bytes), &limits);
    if (run.rows) {
        write_file();
    } else {
        say_shapes();
    }
    run.decoder->reader_free(run.reader);
    event_fini(&run.event);
    paths_free(paths);
    field_table_free(fields);
    shape_free(run.set);
    buf_fini(&bytes);
    return 0;
}
