/* parquet write FROM TO      - a Parquet file of the columns in FROM
 * parquet read FILE          - its columns, in the same form, on stdout
 * parquet scan FILE TIMES    - reads each column of each row group so often
 *
 * The form, for test/parquet/run: lines "FIELD KIND OPTIONAL NAME", "PAIR KEY VALUE", "GROUP ROWS";
 * behind GROUP for each field and each of its rows a size (int32, little-endian, -1: no value) and
 * so many bytes (integers: 8). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/parquet_read.h"
#include "archive/parquet_write.h"
#include "base/files.h"
#include "base/memory.h"

enum { FIELDS = 1024 };

static struct diag diag;

static void must(enum err e)
{
    if (e != OK) {
        fprintf(stderr, "%s: %s\n", err_name(e), diag.words);
        exit(1);
    }
}

static struct slice take(struct slice *in, size_t size)
{
    if (size > in->size) {
        fprintf(stderr, "the input is cut short\n");
        exit(2);
    }
    struct slice taken = slice_of(in->at, size);
    *in = slice_from(*in, size);
    return taken;
}

struct made {
    struct slice texts[PARQUET_GROUP_ROWS];
    int64_t integers[PARQUET_GROUP_ROWS];
    uint64_t present[PARQUET_GROUP_ROWS / 64];
};

static void put_column(struct parquet_write *w, const struct parquet_field *field, uint32_t column,
        uint32_t rows, struct slice *in)
{
    static struct made made;
    memset(made.present, 0, sizeof made.present);
    size_t count = 0;
    for (uint32_t row = 0; row < rows; row++) {
        int32_t size;
        memcpy(&size, take(in, 4).at, 4);
        if (size < 0) {
            continue;
        }
        made.present[row / 64] |= UINT64_C(1) << row % 64;
        made.texts[count] = take(in, (size_t)size);
        if (field->kind < PARQUET_TEXT) {
            memcpy(&made.integers[count], made.texts[count].at, 8);
        }
        count++;
    }
    const uint64_t *present = field->optional && count < rows ? made.present : NULL;
    if (field->kind < PARQUET_TEXT) {
        struct parquet_integers integers = {present, made.integers, count};
        must(parquet_write_integers(w, column, &integers, &diag));
    } else {
        struct parquet_texts texts = {present, made.texts, count};
        must(parquet_write_texts(w, column, &texts, &diag));
    }
}

static void put_group(struct parquet_write *w, const struct parquet_field *fields, uint32_t count,
        uint32_t rows, struct slice *in)
{
    must(parquet_write_group(w, rows, &diag));
    for (uint32_t i = 0; i < count; i++) {
        put_column(w, &fields[i], i, rows, in);
    }
}

static int write_file(const char *from, const char *to)
{
    struct buf in = {0};
    must(files_read(from, (size_t)4 << 30, &in, &diag));
    struct parquet_write *w;
    struct parquet_write_place place = {&disk_real, ".", to};
    must(parquet_write_new(&place, SLICE("merlon test"), &w, &diag));
    static struct parquet_field fields[FIELDS];
    uint32_t count = 0, number;
    for (struct slice left = buf_slice(&in); left.size;) {
        struct slice line = slice_cut(&left, '\n');
        struct slice word = slice_cut(&line, ' ');
        if (slice_equal(word, SLICE("GROUP"))) {
            put_group(w, fields, count, (uint32_t)strtoul(line.at, NULL, 10), &left);
        } else if (slice_equal(word, SLICE("PAIR"))) {
            struct slice key = slice_cut(&line, ' ');
            must(parquet_write_pair(w, key, line, &diag));
        } else if (count < FIELDS) {
            fields[count].kind = (enum parquet_kind)strtoul(slice_cut(&line, ' ').at, NULL, 10);
            fields[count].optional = slice_cut(&line, ' ').at[0] == '1';
            fields[count].name = line;
            must(parquet_write_field(w, &fields[count], &number, &diag));
            count++;
        }
    }
    must(parquet_write_finish(w, &diag));
    parquet_write_free(w);
    buf_fini(&in);
    return 0;
}

static void give_column(const struct parquet_read_column *column)
{
    uint32_t i = 0;
    for (uint32_t row = 0; row < column->rows; row++) {
        int32_t size = -1;
        struct slice value = {0};
        if (!column->present || parquet_bit(column->present, row)) {
            value = column->integers ? slice_of((const char *)&column->integers[i], 8)
                                     : column->entries[column->indexes ? column->indexes[i] : i];
            size = (int32_t)value.size;
            i++;
        }
        fwrite(&size, 4, 1, stdout);
        fwrite(value.at, 1, value.size, stdout);
    }
}

static int read_file(const char *path)
{
    struct parquet_read *r;
    must(parquet_read_open(&disk_real, path, &r, &diag));
    for (uint32_t i = 0; i < parquet_read_field_count(r); i++) {
        const struct parquet_field *field = parquet_read_field(r, i);
        printf("FIELD %d %d %.*s\n", field->kind, field->optional, SLICE_ARG(field->name));
    }
    struct parquet_read_column column = {0};
    for (uint32_t g = 0; g < parquet_read_group_count(r); g++) {
        printf("GROUP %" PRIu32 "\n", parquet_read_rows(r, g));
        for (uint32_t i = 0; i < parquet_read_field_count(r); i++) {
            must(parquet_read_column(r, g, i, &column, &diag));
            give_column(&column);
        }
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    return 0;
}

static int scan_file(const char *path, unsigned times)
{
    struct parquet_read *r;
    must(parquet_read_open(&disk_real, path, &r, &diag));
    struct parquet_read_column column = {0};
    uint64_t values = 0;
    for (; times > 0; times--) {
        for (uint32_t g = 0; g < parquet_read_group_count(r); g++) {
            for (uint32_t i = 0; i < parquet_read_field_count(r); i++) {
                must(parquet_read_column(r, g, i, &column, &diag));
                values += column.count;
            }
        }
    }
    printf("%" PRIu64 " values\n", values);
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        return write_file(argv[2], argv[3]);
    }
    if (argc == 3 && strcmp(argv[1], "read") == 0) {
        return read_file(argv[2]);
    }
    if (argc == 4 && strcmp(argv[1], "scan") == 0) {
        return scan_file(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    }
    fprintf(stderr, "usage: parquet write FROM TO | read FILE | scan FILE TIMES\n");
    return 2;
}
