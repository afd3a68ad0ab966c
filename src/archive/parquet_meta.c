#include "archive/parquet_meta.h"

#include "base/sum.h"

#define ROW(id, kind, must, tag, member, of)                                                       \
    {                                                                                              \
        id, PARQUET_THRIFT_##kind, must, offsetof(struct parquet_meta_##tag, member), #member, of  \
    }
#define TABLE(name, tag)                                                                           \
    static const struct parquet_thrift_table tag##_table =                                         \
            PARQUET_THRIFT_TABLE(name, tag##_rows, parquet_meta_##tag)

/* An empty struct has a table without rows, and says nothing but that it is there. */
static const struct parquet_thrift_table empty_table = {
        "an empty struct", NULL, 0, sizeof(struct parquet_meta_empty)};

static const struct parquet_thrift_row statistics_rows[] = {
        ROW(3, I64, true, statistics, null_count, NULL),
        ROW(5, BINARY, false, statistics, max, NULL),
        ROW(6, BINARY, false, statistics, min, NULL),
};
TABLE("Statistics", statistics);

static const struct parquet_thrift_row data_rows[] = {
        ROW(1, I32, true, data, values, NULL),
        ROW(2, I32, true, data, encoding, NULL),
        ROW(3, I32, true, data, definition, NULL),
        ROW(4, I32, true, data, repetition, NULL),
};
TABLE("DataPageHeader", data);

static const struct parquet_thrift_row dictionary_rows[] = {
        ROW(1, I32, true, dictionary, values, NULL),
        ROW(2, I32, true, dictionary, encoding, NULL),
};
TABLE("DictionaryPageHeader", dictionary);

static const struct parquet_thrift_row page_rows[] = {
        ROW(1, I32, true, page, type, NULL),
        ROW(2, I32, true, page, unpacked, NULL),
        ROW(3, I32, true, page, packed, NULL),
        ROW(4, I32, true, page, crc, NULL),
        ROW(5, STRUCT, false, page, data, &data_table),
        ROW(7, STRUCT, false, page, dictionary, &dictionary_table),
};
const struct parquet_thrift_table parquet_meta_page_table =
        PARQUET_THRIFT_TABLE("PageHeader", page_rows, parquet_meta_page);

static const struct parquet_thrift_row unit_rows[] = {
        ROW(3, STRUCT, true, unit, nanos, &empty_table),
};
TABLE("TimeUnit", unit);

static const struct parquet_thrift_row timestamp_rows[] = {
        ROW(1, BOOL, true, timestamp, utc, NULL),
        ROW(2, STRUCT, true, timestamp, unit, &unit_table),
};
TABLE("TimestampType", timestamp);

static const struct parquet_thrift_row logical_rows[] = {
        ROW(1, STRUCT, false, logical, string, &empty_table),
        ROW(8, STRUCT, false, logical, timestamp, &timestamp_table),
};
TABLE("LogicalType", logical);

static const struct parquet_thrift_row element_rows[] = {
        ROW(1, I32, false, element, type, NULL),
        ROW(3, I32, false, element, repetition, NULL),
        ROW(4, BINARY, true, element, name, NULL),
        ROW(5, I32, false, element, children, NULL),
        ROW(6, I32, false, element, converted, NULL),
        ROW(10, STRUCT, false, element, logical, &logical_table),
};
TABLE("SchemaElement", element);

static const struct parquet_thrift_row column_rows[] = {
        ROW(1, I32, true, column, type, NULL),
        ROW(2, I32S, true, column, encodings, NULL),
        ROW(3, BINARYS, true, column, path, NULL),
        ROW(4, I32, true, column, codec, NULL),
        ROW(5, I64, true, column, values, NULL),
        ROW(6, I64, true, column, unpacked, NULL),
        ROW(7, I64, true, column, packed, NULL),
        ROW(9, I64, true, column, data_offset, NULL),
        ROW(11, I64, false, column, dictionary_offset, NULL),
        ROW(12, STRUCT, true, column, statistics, &statistics_table),
};
TABLE("ColumnMetaData", column);

static const struct parquet_thrift_row chunk_rows[] = {
        ROW(2, I64, true, chunk, offset, NULL),
        ROW(3, STRUCT, true, chunk, column, &column_table),
};
TABLE("ColumnChunk", chunk);

static const struct parquet_thrift_row group_rows[] = {
        ROW(1, STRUCTS, true, group, chunks, &chunk_table),
        ROW(2, I64, true, group, unpacked, NULL),
        ROW(3, I64, true, group, rows, NULL),
};
TABLE("RowGroup", group);

static const struct parquet_thrift_row pair_rows[] = {
        ROW(1, BINARY, true, pair, key, NULL),
        ROW(2, BINARY, true, pair, value, NULL),
};
TABLE("KeyValue", pair);

static const struct parquet_thrift_row order_rows[] = {
        ROW(1, STRUCT, true, order, type, &empty_table),
};
TABLE("ColumnOrder", order);

static const struct parquet_thrift_row file_rows[] = {
        ROW(1, I32, true, file, version, NULL),
        ROW(2, STRUCTS, true, file, elements, &element_table),
        ROW(3, I64, true, file, rows, NULL),
        ROW(4, STRUCTS, true, file, groups, &group_table),
        ROW(5, STRUCTS, true, file, pairs, &pair_table),
        ROW(6, BINARY, true, file, created_by, NULL),
        ROW(7, STRUCTS, true, file, orders, &order_table),
};
const struct parquet_thrift_table parquet_meta_file_table =
        PARQUET_THRIFT_TABLE("FileMetaData", file_rows, parquet_meta_file);

int32_t parquet_meta_type(enum parquet_kind kind)
{
    return parquet_meta_is_bytes(kind) ? PARQUET_META_BYTE_ARRAY
           : kind == PARQUET_INT32     ? PARQUET_META_INT32
                                       : PARQUET_META_INT64;
}

void parquet_meta_from_field(const struct parquet_field *field, struct parquet_meta_element *to)
{
    *to = (struct parquet_meta_element){
            .has = PARQUET_META_HAS_TYPE,
            .type = parquet_meta_type(field->kind),
            .repetition = field->optional ? PARQUET_META_OPTIONAL : PARQUET_META_REQUIRED,
            .name = field->name,
    };
    if (field->kind == PARQUET_TEXT) {
        to->has |= PARQUET_META_HAS_CONVERTED | PARQUET_META_HAS_LOGICAL; /* 0: UTF8 */
        to->logical.has = PARQUET_META_HAS_STRING;
    } else if (field->kind == PARQUET_TIME) {
        to->has |= PARQUET_META_HAS_LOGICAL;
        to->logical.has = PARQUET_META_HAS_TIMESTAMP;
        to->logical.timestamp.utc = true;
    }
}

bool parquet_meta_to_field(const struct parquet_meta_element *element, struct parquet_field *to)
{
    for (unsigned kind = PARQUET_INT32; kind <= PARQUET_BYTES; kind++) {
        struct parquet_field field = {element->name, (enum parquet_kind)kind,
                element->repetition == PARQUET_META_OPTIONAL};
        struct parquet_meta_element own;
        parquet_meta_from_field(&field, &own);
        bool logical = (element->has & PARQUET_META_HAS_LOGICAL) == 0 ||
                       (element->logical.has == own.logical.has &&
                               element->logical.timestamp.utc == own.logical.timestamp.utc);
        if (element->has == (own.has | 1u << 2) && element->type == own.type &&
                element->repetition == own.repetition && element->converted == 0 && logical) {
            *to = field;
            return true;
        }
    }
    return false;
}

uint32_t parquet_meta_sum(struct slice footer, size_t digits)
{
    uint32_t sum = sum_add(0, slice_of(footer.at, digits));
    sum = sum_add(sum, SLICE("00000000"));
    return sum_add(sum, slice_from(footer, digits + 8));
}
