#include "archive/parquet_thrift.h"

#include "archive/parquet_codec.h"

/* Kinds on the wire (thrift-compact-protocol.md, "Struct encoding"). */
enum {
    WIRE_STOP = 0,
    WIRE_TRUE = 1,
    WIRE_FALSE = 2,
    WIRE_I32 = 5,
    WIRE_I64 = 6,
    WIRE_BINARY = 8,
    WIRE_LIST = 9,
    WIRE_STRUCT = 12,
};

static const uint8_t wires[] = {
        [PARQUET_THRIFT_BOOL] = WIRE_TRUE,
        [PARQUET_THRIFT_I32] = WIRE_I32,
        [PARQUET_THRIFT_I64] = WIRE_I64,
        [PARQUET_THRIFT_BINARY] = WIRE_BINARY,
        [PARQUET_THRIFT_STRUCT] = WIRE_STRUCT,
        [PARQUET_THRIFT_I32S] = WIRE_LIST,
        [PARQUET_THRIFT_BINARYS] = WIRE_LIST,
        [PARQUET_THRIFT_STRUCTS] = WIRE_LIST,
};

/* What a list holds. */
static unsigned element_wire(unsigned kind)
{
    return kind == PARQUET_THRIFT_I32S      ? WIRE_I32
           : kind == PARQUET_THRIFT_BINARYS ? WIRE_BINARY
                                            : WIRE_STRUCT;
}

static size_t element_size(const struct parquet_thrift_row *row)
{
    return row->kind == PARQUET_THRIFT_I32S      ? sizeof(int32_t)
           : row->kind == PARQUET_THRIFT_BINARYS ? sizeof(struct slice)
                                                 : row->of->size;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_value(const struct parquet_thrift_row *row, const char *from, struct buf *out)
{
    switch (row->kind) {
    case PARQUET_THRIFT_I32:
        parquet_codec_put_varint(out, parquet_codec_zigzag(*(const int32_t *)(const void *)from));
        break;
    case PARQUET_THRIFT_I64:
        parquet_codec_put_varint(out, parquet_codec_zigzag(*(const int64_t *)(const void *)from));
        break;
    case PARQUET_THRIFT_BINARY: {
        const struct slice *text = (const void *)from;
        parquet_codec_put_varint(out, text->size);
        buf_add(out, *text);
        break;
    }
    case PARQUET_THRIFT_STRUCT:
        parquet_thrift_write(row->of, from, out);
        break;
    default:
        break;
    }
}

static void write_list(const struct parquet_thrift_row *row, const char *from, struct buf *out)
{
    const struct parquet_thrift_list *list = (const void *)from;
    unsigned wire = element_wire(row->kind);
    struct parquet_thrift_row element = *row;
    element.kind = row->kind == PARQUET_THRIFT_I32S      ? PARQUET_THRIFT_I32
                   : row->kind == PARQUET_THRIFT_BINARYS ? PARQUET_THRIFT_BINARY
                                                         : PARQUET_THRIFT_STRUCT;
    if (list->count < 15) {
        buf_byte(out, (char)(list->count << 4 | wire));
    } else {
        buf_byte(out, (char)(0xF0 | wire));
        parquet_codec_put_varint(out, list->count);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        write_value(&element, (const char *)list->at + i * element_size(row), out);
    }
}

void parquet_thrift_write(
        const struct parquet_thrift_table *table, const void *from, struct buf *out)
{
    uint32_t has = *(const uint32_t *)from;
    unsigned last = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct parquet_thrift_row *row = &table->rows[i];
        if (!row->must && !(has >> i & 1)) {
            continue;
        }
        const char *at = (const char *)from + row->offset;
        unsigned wire = wires[row->kind];
        if (row->kind == PARQUET_THRIFT_BOOL) {
            wire = *(const bool *)at ? WIRE_TRUE : WIRE_FALSE;
        }
        buf_byte(out, (char)((row->id - last) << 4 | wire)); /* ids lie less than 16 apart */
        last = row->id;
        if (wire == WIRE_LIST) {
            write_list(row, at, out);
        } else {
            write_value(row, at, out);
        }
    }
    buf_byte(out, WIRE_STOP);
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err cut_short(struct parquet_thrift_in *in, const char *name)
{
    return diag_say(in->diag, ERR_SYNTAX, "parquet: %s is cut short or damaged", name);
}

static bool take_byte(struct parquet_thrift_in *in, unsigned *byte)
{
    if (in->left.size == 0) {
        return false;
    }
    *byte = (unsigned char)in->left.at[0];
    in->left = slice_from(in->left, 1);
    return true;
}

static bool take_number(struct parquet_thrift_in *in, int64_t *number)
{
    uint64_t bits;
    if (!parquet_codec_take_varint(&in->left, &bits)) {
        return false;
    }
    *number = parquet_codec_unzigzag(bits);
    return true;
}

static bool take_binary(struct parquet_thrift_in *in, struct slice *to)
{
    uint64_t size;
    if (!parquet_codec_take_varint(&in->left, &size) || size > in->left.size) {
        return false;
    }
    *to = slice_of(in->left.at, size);
    in->left = slice_from(in->left, size);
    return true;
}

static enum err read_value(
        const struct parquet_thrift_row *row, struct parquet_thrift_in *in, char *to)
{
    int64_t number = 0;
    bool good = true;
    switch (row->kind) {
    case PARQUET_THRIFT_I32:
        good = take_number(in, &number) && number >= INT32_MIN && number <= INT32_MAX;
        *(int32_t *)(void *)to = good ? (int32_t)number : 0;
        break;
    case PARQUET_THRIFT_I64:
        good = take_number(in, &number);
        *(int64_t *)(void *)to = number;
        break;
    case PARQUET_THRIFT_BINARY:
        good = take_binary(in, (void *)to);
        break;
    case PARQUET_THRIFT_STRUCT:
        return parquet_thrift_read(row->of, in, to);
    default:
        break;
    }
    return good ? OK : cut_short(in, row->name);
}

/* The fewest bytes that an element takes: bounds what a list may ask memory for. */
static size_t least_bytes(const struct parquet_thrift_row *row)
{
    size_t least = 1;
    for (uint32_t i = 0; row->of && i < row->of->count; i++) {
        least += row->of->rows[i].must ? 2 : 0;
    }
    return least;
}

static enum err read_list(
        const struct parquet_thrift_row *row, struct parquet_thrift_in *in, char *to)
{
    unsigned head;
    if (!take_byte(in, &head)) {
        return cut_short(in, row->name);
    }
    uint64_t count = head >> 4;
    if ((head & 15) != element_wire(row->kind)) {
        return diag_say(in->diag, ERR_UNSUPPORTED, "parquet: %s is a list of another kind (%u)",
                row->name, head & 15);
    }
    if (count == 15 && !parquet_codec_take_varint(&in->left, &count)) {
        return cut_short(in, row->name);
    }
    if (count > in->left.size / least_bytes(row) || count > UINT32_MAX) {
        return diag_say(in->diag, ERR_SYNTAX, "parquet: %s says that it has %llu elements",
                row->name, (unsigned long long)count);
    }
    size_t size = element_size(row);
    char *at = in->arena ? arena_alloc_array(in->arena, count, size, 16) : NULL;
    if (!at) {
        return diag_say(in->diag, ERR_LIMIT, "parquet: no room for %llu elements of %s",
                (unsigned long long)count, row->name);
    }
    struct parquet_thrift_row element = *row;
    element.kind = row->kind == PARQUET_THRIFT_I32S      ? PARQUET_THRIFT_I32
                   : row->kind == PARQUET_THRIFT_BINARYS ? PARQUET_THRIFT_BINARY
                                                         : PARQUET_THRIFT_STRUCT;
    for (uint64_t i = 0; i < count; i++) {
        TRY(read_value(&element, in, at + i * size));
    }
    *(struct parquet_thrift_list *)(void *)to = (struct parquet_thrift_list){at, (uint32_t)count};
    return OK;
}

static enum err read_row(const struct parquet_thrift_table *table, uint32_t i, unsigned wire,
        struct parquet_thrift_in *in, void *to)
{
    const struct parquet_thrift_row *row = &table->rows[i];
    char *at = (char *)to + row->offset;
    if (row->kind == PARQUET_THRIFT_BOOL && (wire == WIRE_TRUE || wire == WIRE_FALSE)) {
        *(bool *)at = wire == WIRE_TRUE;
        return OK;
    }
    if (wire != wires[row->kind]) {
        return diag_say(in->diag, ERR_UNSUPPORTED, "parquet: %s of %s is of another kind (%u)",
                row->name, table->name, wire);
    }
    return wire == WIRE_LIST ? read_list(row, in, at) : read_value(row, in, at);
}

/* The row of an id that stands after row `from`; table->count: none. */
static uint32_t find_row(const struct parquet_thrift_table *table, uint32_t from, uint64_t id)
{
    while (from < table->count && table->rows[from].id < id) {
        from++;
    }
    return from < table->count && table->rows[from].id == id ? from : table->count;
}

enum err parquet_thrift_read(
        const struct parquet_thrift_table *table, struct parquet_thrift_in *in, void *to)
{
    memset(to, 0, table->size);
    uint32_t has = 0, next = 0;
    uint64_t id = 0;
    for (;;) {
        unsigned head;
        if (!take_byte(in, &head)) {
            return cut_short(in, table->name);
        }
        if (head == WIRE_STOP) {
            break;
        }
        id += head >> 4;
        uint32_t i = head >> 4 ? find_row(table, next, id) : table->count;
        if (i == table->count) {
            return diag_say(in->diag, ERR_UNSUPPORTED,
                    "parquet: field %llu of %s is none that is written here",
                    (unsigned long long)id, table->name);
        }
        TRY(read_row(table, i, head & 15, in, to));
        has |= 1u << i;
        next = i + 1;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->rows[i].must && !(has >> i & 1)) {
            return diag_say(in->diag, ERR_SYNTAX, "parquet: %s of %s is missing",
                    table->rows[i].name, table->name);
        }
    }
    *(uint32_t *)to = has;
    return OK;
}
