/* Any bytes as a Parquet file: it is read or refused with words, and nothing else happens. By the
 * first byte: the bytes as they are, but with the right sum of the footer; or a file of one column
 * whose pages' headers and values are the bytes, with sums and packing done right: else no bytes
 * would come past them. */
#include <assert.h>
#include <stdint.h>
#include <zstd.h>

#include "archive/parquet_page.h"
#include "archive/parquet_read.h"
#include "support/one_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_values(const struct parquet_read_column *column, bool texts)
{
    uint32_t ones = 0;
    for (uint32_t row = 0; row < column->rows; row++) {
        ones += !column->present || parquet_bit(column->present, row);
    }
    assert(ones == column->count);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < column->count; i++) {
        if (!texts) {
            sum += (uint64_t)column->integers[i];
            continue;
        }
        uint32_t entry = column->indexes ? column->indexes[i] : i;
        assert(entry < column->entry_count);
        struct slice text = column->entries[entry];
        sum += text.size ? (unsigned char)text.at[0] + (unsigned char)text.at[text.size - 1] : 0;
    }
    static volatile uint64_t sink; /* so that the bytes are read */
    sink = sink + sum;
}

static void read_file(struct slice bytes)
{
    struct one_file file = {bytes};
    struct disk disk = one_file_disk(&file);
    struct diag diag = {0};
    struct parquet_read *r;
    if (parquet_read_open(&disk, "any", &r, &diag) != OK) {
        assert(diag.words[0]);
        return;
    }
    struct parquet_read_column column = {.limit = 1 << 24};
    for (uint32_t g = 0; g < parquet_read_group_count(r) && g < 4; g++) {
        for (uint32_t i = 0; i < parquet_read_field_count(r) && i < 16; i++) {
            diag.words[0] = '\0';
            if (parquet_read_column(r, g, i, &column, &diag) == OK) {
                read_values(&column, parquet_meta_is_bytes(parquet_read_field(r, i)->kind));
            } else {
                assert(diag.words[0]);
            }
        }
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
}

/* Puts the right sum where a footer of that size says that it stands. */
static void mend_sum(struct buf *file)
{
    struct slice mark = SLICE(PARQUET_META_SUM "\x18\x08");
    if (file->size < 12) {
        return;
    }
    uint32_t size = 0;
    for (size_t i = 0; i < 4; i++) {
        size |= (uint32_t)(unsigned char)file->at[file->size - 8 + i] << 8 * i;
    }
    if (size > file->size - 12) {
        return;
    }
    struct slice footer = slice_of(file->at + file->size - 8 - size, size);
    size_t at = slice_find(footer, mark);
    if (at == SIZE_MAX || at + mark.size + 8 > size) {
        return;
    }
    at += mark.size;
    uint32_t sum = parquet_meta_sum(footer, at);
    for (size_t i = 0; i < 8; i++) {
        file->at[file->size - 8 - size + at + i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 15];
    }
}

static unsigned take(struct slice *in)
{
    unsigned byte = in->size ? (unsigned char)in->at[0] : 0;
    *in = slice_from(*in, in->size ? 1 : 0);
    return byte;
}

/* One page: type, encoding, values, size, bytes. */
static void put_page(struct ZSTD_CCtx_s *zstd, struct slice *in, struct buf *out)
{
    unsigned head = take(in), encoding = take(in), values = take(in) | take(in) << 8;
    unsigned size = take(in);
    struct slice raw = slice_of(in->at, size < in->size ? size : in->size);
    *in = slice_from(*in, raw.size);
    struct parquet_meta_page page = {
            .has = head & 1 ? PARQUET_META_HAS_DICTIONARY : PARQUET_META_HAS_DATA,
            .type = head & 1 ? PARQUET_META_DICTIONARY_PAGE : PARQUET_META_DATA_PAGE,
            .data = {0, (int32_t)values, (int32_t)encoding % 9, PARQUET_META_RLE, PARQUET_META_RLE},
            .dictionary = {0, (int32_t)values, PARQUET_META_PLAIN},
    };
    assert(parquet_page_put(zstd, &page, raw, out, NULL) == OK);
}

/* Kind and optional, rows, values, then pages. */
static void build(struct slice in, struct buf *out)
{
    unsigned kind = take(&in), rows = take(&in) | take(&in) << 8, nulls = take(&in);
    struct ZSTD_CCtx_s *zstd = ZSTD_createCCtx();
    struct parquet_field field = {SLICE("a"), (enum parquet_kind)(kind % 5), kind & 64};
    buf_add(out, SLICE("PAR1"));
    size_t first = 0;
    for (unsigned i = 0; i < 8 && in.size; i++) {
        put_page(zstd, &in, out);
        first = first ? first : out->size;
    }
    ZSTD_freeCCtx(zstd);
    int32_t encodings[] = {PARQUET_META_RLE};
    struct parquet_meta_chunk chunk = {.offset = 4,
            .column = {.has = kind & 128 ? PARQUET_META_HAS_DICTIONARY_OFFSET : 0,
                    .type = parquet_meta_type(field.kind),
                    .encodings = {encodings, 1},
                    .path = {&field.name, 1},
                    .codec = PARQUET_META_ZSTD,
                    .values = rows,
                    .unpacked = 4096,
                    .packed = (int64_t)out->size - 4,
                    .data_offset = kind & 128 ? (int64_t)first : 4,
                    .dictionary_offset = 4,
                    .statistics = {.null_count = nulls}}};
    struct parquet_meta_group group = {.chunks = {&chunk, 1}, .rows = rows};
    struct parquet_meta_pair pair = {0, SLICE(PARQUET_META_SUM), SLICE("00000000")};
    struct parquet_meta_order order = {0};
    struct parquet_meta_element elements[2] = {{.has = PARQUET_META_HAS_CHILDREN, .children = 1}};
    parquet_meta_from_field(&field, &elements[1]);
    struct parquet_meta_file file = {.version = 2,
            .elements = {elements, 2},
            .rows = rows,
            .groups = {&group, 1},
            .pairs = {&pair, 1},
            .orders = {&order, 1}};
    size_t begin = out->size;
    parquet_thrift_write(&parquet_meta_file_table, &file, out);
    size_t size = out->size - begin;
    for (size_t i = 0; i < 4; i++) {
        buf_byte(out, (char)(size >> 8 * i));
    }
    buf_add(out, SLICE("PAR1"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct buf file = {0};
    struct slice in = slice_of((const char *)data + 1, size - 1);
    if (data[0] & 1) {
        build(in, &file);
    } else {
        buf_add(&file, in);
    }
    mend_sum(&file);
    read_file(buf_slice(&file));
    buf_fini(&file);
    return 0;
}
