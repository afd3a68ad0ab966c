#include "archive/parquet_read.h"

#include <zstd.h>

#include "archive/parquet_codec.h"
#include "archive/parquet_page.h"
#include "base/memory.h"

enum { TAIL_BYTES = 8 }; /* the footer's size and "PAR1" */

struct parquet_read {
    const struct disk *disk;
    int file;
    bool open;
    uint64_t size;
    struct buf footer;
    struct arena arena; /* what the footer says */
    struct parquet_meta_file meta;
    struct parquet_field *fields;
    uint32_t field_count;
};

/* ---- opening -------------------------------------------------------------------------------- */

static enum err damaged(struct diag *diag, const char *what)
{
    return diag_say(diag, ERR_SYNTAX, "parquet: damaged: %s", what);
}

static enum err read_bytes(
        const struct parquet_read *r, uint64_t at, char *to, size_t size, struct diag *diag)
{
    struct disk_read read = {to, size, 0};
    TRY(r->disk->read(r->disk, r->file, at, &read, diag));
    return read.got == size ? OK : damaged(diag, "the file is shorter than it was");
}

static enum err read_footer(struct parquet_read *r, struct diag *diag)
{
    char head[4], tail[TAIL_BYTES];
    TRY(r->disk->size(r->disk, r->file, &r->size, diag));
    if (r->size < sizeof head + TAIL_BYTES) {
        return damaged(diag, "shorter than a Parquet file can be");
    }
    TRY(read_bytes(r, 0, head, sizeof head, diag));
    TRY(read_bytes(r, r->size - TAIL_BYTES, tail, TAIL_BYTES, diag));
    if (memcmp(head, "PAR1", 4) != 0 || memcmp(tail + 4, "PAR1", 4) != 0) {
        return damaged(diag, "no PAR1 at both ends: not a Parquet file, or not a whole one");
    }
    uint64_t size = 0;
    for (unsigned i = 0; i < 4; i++) {
        size |= (uint64_t)(unsigned char)tail[i] << 8 * i;
    }
    if (size > PARQUET_FOOTER_BYTES) {
        return diag_say(diag, ERR_LIMIT, "parquet: a footer over %d bytes", PARQUET_FOOTER_BYTES);
    }
    if (size > r->size - 4 - TAIL_BYTES) {
        return damaged(diag, "the footer is larger than the file");
    }
    char *to = buf_reserve(&r->footer, size + 1);
    if (!to) {
        return diag_say(
                diag, ERR_MEMORY, "no memory for a footer of %llu bytes", (unsigned long long)size);
    }
    r->footer.size = size;
    return read_bytes(r, r->size - TAIL_BYTES - size, to, size, diag);
}

static enum err check_sum(const struct parquet_read *r, struct diag *diag)
{
    const struct parquet_meta_pair *pairs = r->meta.pairs.at;
    uint32_t count = r->meta.pairs.count;
    if (count == 0 || !slice_equal(pairs[count - 1].key, SLICE(PARQUET_META_SUM)) ||
            pairs[count - 1].value.size != 8) {
        return diag_say(diag, ERR_UNSUPPORTED, "parquet: the footer has no %s: not written here",
                PARQUET_META_SUM);
    }
    struct slice digits = pairs[count - 1].value;
    struct slice footer = buf_slice(&r->footer);
    uint32_t sum = parquet_meta_sum(footer, (size_t)(digits.at - footer.at));
    for (unsigned i = 0; i < 8; i++) {
        if (digits.at[i] != "0123456789abcdef"[sum >> (28 - 4 * i) & 15]) {
            return damaged(diag, "the footer's checksum does not match");
        }
    }
    return OK;
}

static enum err take_fields(struct parquet_read *r, struct diag *diag)
{
    const struct parquet_meta_element *elements = r->meta.elements.at;
    uint32_t count = r->meta.elements.count;
    if (count < 2 || count > PARQUET_COLUMNS + 1 || r->meta.orders.count != count - 1 ||
            !(elements[0].has & PARQUET_META_HAS_CHILDREN) ||
            elements[0].children != (int32_t)(count - 1)) {
        return diag_say(diag, ERR_UNSUPPORTED, "parquet: not a flat schema of 1 to %d columns",
                PARQUET_COLUMNS);
    }
    r->fields = ARENA_ARRAY(&r->arena, struct parquet_field, count - 1);
    if (!r->fields) {
        return diag_say(diag, ERR_LIMIT, "parquet: no memory for %u columns", count);
    }
    r->field_count = count - 1;
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (!parquet_meta_to_field(&elements[i + 1], &r->fields[i]) ||
                elements[i + 1].name.size > PARQUET_NAME_BYTES) {
            return diag_say(diag, ERR_UNSUPPORTED, "parquet: column %.*s is of a type not ours",
                    SLICE_ARG(elements[i + 1].name));
        }
    }
    return OK;
}

static uint64_t footer_at(const struct parquet_read *r)
{
    return r->size - TAIL_BYTES - r->footer.size;
}

/* The pages lie between the file's first bytes and its footer, and no size is over its limit. */
static bool lies_within(const struct parquet_read *r, const struct parquet_meta_chunk *chunk)
{
    const struct parquet_meta_column *column = &chunk->column;
    int64_t begin = chunk->offset, data = column->data_offset;
    if (column->packed < 0 || column->packed > PARQUET_CHUNK_BYTES || column->unpacked < 0 ||
            column->unpacked > PARQUET_CHUNK_BYTES) {
        return false;
    }
    if (begin < 4 || (uint64_t)begin > footer_at(r) ||
            (uint64_t)column->packed > footer_at(r) - (uint64_t)begin) {
        return false;
    }
    if (column->has & PARQUET_META_HAS_DICTIONARY_OFFSET) {
        return column->dictionary_offset == begin && data > begin && data < begin + column->packed;
    }
    return data == begin;
}

static bool sane_statistics(
        const struct parquet_meta_column *column, const struct parquet_field *field, int64_t rows)
{
    const struct parquet_meta_statistics *statistics = &column->statistics;
    int64_t nulls = statistics->null_count;
    if (column->values != rows || nulls < 0 || nulls > rows || (nulls && !field->optional)) {
        return false;
    }
    unsigned range = statistics->has & PARQUET_META_HAS_RANGE;
    size_t size = field->kind == PARQUET_INT32 ? 4 : 8;
    return range == 0 || (range == PARQUET_META_HAS_RANGE && !parquet_meta_is_bytes(field->kind) &&
                                 statistics->min.size == size && statistics->max.size == size);
}

/* NULL, or what is wrong with a chunk's metadata. */
static const char *chunk_fault(
        const struct parquet_read *r, const struct parquet_meta_group *group, uint32_t i)
{
    const struct parquet_meta_chunk *chunk = &((struct parquet_meta_chunk *)group->chunks.at)[i];
    const struct parquet_meta_column *column = &chunk->column;
    const struct parquet_field *field = &r->fields[i];
    const struct slice *path = column->path.at;
    bool dictionary = column->has & PARQUET_META_HAS_DICTIONARY_OFFSET;
    if (column->type != parquet_meta_type(field->kind) || column->path.count != 1 ||
            !slice_equal(path[0], field->name)) {
        return "it is not the schema's column";
    }
    if (column->codec != PARQUET_META_ZSTD) {
        return "it is not packed by zstd";
    }
    if (dictionary && !parquet_meta_is_bytes(field->kind)) {
        return "it is a dictionary of integers";
    }
    if (!lies_within(r, chunk)) {
        return "it does not lie within the file, or is too large";
    }
    return sane_statistics(column, field, group->rows) ? NULL : "its counts are impossible";
}

static enum err check_groups(const struct parquet_read *r, struct diag *diag)
{
    const struct parquet_meta_group *groups = r->meta.groups.at;
    if (r->meta.groups.count > PARQUET_GROUPS) {
        return diag_say(diag, ERR_LIMIT, "parquet: over %d row groups", PARQUET_GROUPS);
    }
    int64_t rows = 0;
    for (uint32_t g = 0; g < r->meta.groups.count; g++) {
        if (groups[g].rows < 1 || groups[g].rows > PARQUET_GROUP_ROWS) {
            return diag_say(diag, ERR_LIMIT, "parquet: row group %u has not 1 to %d rows", g,
                    PARQUET_GROUP_ROWS);
        }
        if (groups[g].chunks.count != r->field_count) {
            return damaged(diag, "a row group without all columns");
        }
        rows += groups[g].rows;
        for (uint32_t i = 0; i < r->field_count; i++) {
            const char *fault = chunk_fault(r, &groups[g], i);
            if (fault) {
                return diag_say(diag, ERR_SYNTAX, "parquet: column %.*s of row group %u: %s",
                        SLICE_ARG(r->fields[i].name), g, fault);
            }
        }
    }
    return rows == r->meta.rows ? OK : damaged(diag, "the rows of the groups are not all rows");
}

static enum err load(struct parquet_read *r, struct diag *diag)
{
    TRY(read_footer(r, diag));
    /* Elements of lists take more memory than bytes of the footer: a column without rows about 15
     * times. */
    arena_init(&r->arena, ((size_t)1 << 20) + r->footer.size * 32);
    struct parquet_thrift_in in = {buf_slice(&r->footer), &r->arena, diag};
    TRY(parquet_thrift_read(&parquet_meta_file_table, &in, &r->meta));
    if (in.left.size) {
        return damaged(diag, "bytes behind the footer's end");
    }
    TRY(check_sum(r, diag));
    if (r->meta.version != 2) {
        return diag_say(diag, ERR_UNSUPPORTED, "parquet: version %d", r->meta.version);
    }
    TRY(take_fields(r, diag));
    return check_groups(r, diag);
}

enum err parquet_read_open(
        const struct disk *disk, const char *path, struct parquet_read **out, struct diag *diag)
{
    struct parquet_read *r = memory_alloc(sizeof *r);
    if (!r) {
        return diag_say(diag, ERR_MEMORY, "no memory to read a Parquet file");
    }
    r->disk = disk;
    enum err e = disk->open(disk, path, &r->file, diag);
    r->open = e == OK;
    if (e == OK) {
        e = load(r, diag);
    }
    if (e != OK) {
        parquet_read_close(r);
        return e;
    }
    *out = r;
    return OK;
}

void parquet_read_close(struct parquet_read *r)
{
    if (!r) {
        return;
    }
    if (r->open) {
        r->disk->close(r->disk, r->file);
    }
    arena_fini(&r->arena);
    buf_fini(&r->footer);
    memory_free(r);
}

/* ---- what the footer says ------------------------------------------------------------------- */

uint32_t parquet_read_field_count(const struct parquet_read *r)
{
    return r->field_count;
}

const struct parquet_field *parquet_read_field(const struct parquet_read *r, uint32_t column)
{
    return &r->fields[column];
}

uint32_t parquet_read_find(const struct parquet_read *r, struct slice name)
{
    for (uint32_t i = 0; i < r->field_count; i++) {
        if (slice_equal(r->fields[i].name, name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

uint32_t parquet_read_group_count(const struct parquet_read *r)
{
    return r->meta.groups.count;
}

static const struct parquet_meta_group *group_at(const struct parquet_read *r, uint32_t group)
{
    return &((const struct parquet_meta_group *)r->meta.groups.at)[group];
}

uint32_t parquet_read_rows(const struct parquet_read *r, uint32_t group)
{
    return (uint32_t)group_at(r, group)->rows;
}

bool parquet_read_pair(const struct parquet_read *r, struct slice key, struct slice *value)
{
    const struct parquet_meta_pair *pairs = r->meta.pairs.at;
    for (uint32_t i = 0; i < r->meta.pairs.count; i++) {
        if (slice_equal(pairs[i].key, key)) {
            *value = pairs[i].value;
            return true;
        }
    }
    return false;
}

static const struct parquet_meta_chunk *chunk_at(
        const struct parquet_read *r, uint32_t group, uint32_t column)
{
    return &((const struct parquet_meta_chunk *)group_at(r, group)->chunks.at)[column];
}

static int64_t integer_of(struct slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        value |= (uint64_t)(unsigned char)bytes.at[i] << 8 * i;
    }
    return bytes.size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

struct parquet_read_known parquet_read_known(
        const struct parquet_read *r, uint32_t group, uint32_t column)
{
    const struct parquet_meta_column *meta = &chunk_at(r, group, column)->column;
    return (struct parquet_read_known){
            .values = (uint32_t)(meta->values - meta->statistics.null_count),
            .packed = (uint64_t)meta->packed,
            .unpacked = (uint64_t)meta->unpacked,
            .range = meta->statistics.has & PARQUET_META_HAS_RANGE,
            .least = integer_of(meta->statistics.min),
            .most = integer_of(meta->statistics.max),
    };
}

/* ---- columns -------------------------------------------------------------------------------- */

/* A chunk while it is read. */
struct chunk {
    const struct parquet_meta_column *meta;
    const struct parquet_field *field;
    struct parquet_read_column *to;
    struct slice left; /* packed pages */
    char *bytes;       /* where the next page is unpacked */
    size_t room;
    uint32_t rows, values; /* so far */
    uint32_t entries;
    bool dictionary;
    struct diag *diag;
};

static void *take_room(struct buf *b, size_t size)
{
    buf_clear(b);
    return buf_reserve(b, size + 1);
}

static enum err make_room(struct chunk *c, uint32_t rows, struct diag *diag)
{
    struct parquet_read_column *to = c->to;
    uint32_t values = (uint32_t)(c->meta->values - c->meta->statistics.null_count);
    bool texts = parquet_meta_is_bytes(c->field->kind);
    size_t bits = c->field->optional ? parquet_words(rows) * sizeof(uint64_t) : 0;
    size_t packed = (size_t)c->meta->packed, bytes = (size_t)c->meta->unpacked;
    size_t numbers = (size_t)values * (c->dictionary ? sizeof(uint32_t) : sizeof(int64_t));
    size_t entries = texts && !c->dictionary ? (size_t)values * sizeof(struct slice) : 0;
    size_t limit = to->limit ? to->limit : (size_t)PARQUET_CHUNK_BYTES * 3;
    if (packed + bytes + bits + numbers + entries > limit) {
        return diag_say(diag, ERR_LIMIT, "it takes over %zu bytes of memory", limit);
    }
    if (!to->zstd) {
        to->zstd = ZSTD_createDCtx();
    }
    if (!to->zstd || !take_room(&to->packed, packed) || !take_room(&to->bytes, bytes) ||
            !take_room(&to->bits, bits) || !take_room(&to->numbers, numbers) ||
            !take_room(&to->texts, entries)) {
        return diag_say(diag, ERR_MEMORY, "no memory for a column");
    }
    if (bits) {
        memset(to->bits.at, 0, bits);
    }
    c->bytes = to->bytes.at;
    c->room = bytes;
    return OK;
}

/* The next page, unpacked. */
static enum err next_page(struct chunk *c, struct parquet_meta_page *page, struct slice *bytes)
{
    struct slice packed;
    TRY(parquet_page_take(&c->left, page, &packed, c->diag));
    size_t size = (size_t)page->unpacked;
    if (size > c->room) {
        return diag_say(c->diag, ERR_SYNTAX, "its pages are larger than the footer says");
    }
    TRY(parquet_page_unpack(c->to->zstd, packed, c->bytes, size, c->diag));
    *bytes = slice_of(c->bytes, size);
    c->bytes += size;
    c->room -= size;
    return OK;
}

static enum err read_dictionary(struct chunk *c)
{
    struct parquet_meta_page page;
    struct slice bytes;
    TRY(next_page(c, &page, &bytes));
    int32_t count = page.dictionary.values;
    if (page.type != PARQUET_META_DICTIONARY_PAGE || !(page.has & PARQUET_META_HAS_DICTIONARY) ||
            page.has & PARQUET_META_HAS_DATA || page.dictionary.encoding != PARQUET_META_PLAIN) {
        return diag_say(c->diag, ERR_UNSUPPORTED, "its first page is no plain dictionary");
    }
    if (count < 0 || (size_t)count > bytes.size / 4) {
        return diag_say(c->diag, ERR_SYNTAX, "its dictionary cannot have %d entries", count);
    }
    size_t limit = c->to->limit ? c->to->limit : (size_t)PARQUET_CHUNK_BYTES * 3;
    if ((size_t)count * sizeof(struct slice) > limit) {
        return diag_say(c->diag, ERR_LIMIT, "its dictionary takes over %zu bytes", limit);
    }
    struct slice *entries = take_room(&c->to->texts, (size_t)count * sizeof *entries);
    if (!entries) {
        return diag_say(c->diag, ERR_MEMORY, "no memory for %d entries", count);
    }
    if (!parquet_codec_take_plain(bytes, entries, (size_t)count)) {
        return diag_say(c->diag, ERR_SYNTAX, "its dictionary is damaged");
    }
    c->entries = (uint32_t)count;
    return OK;
}

/* The values of a page, of which `count` are there. */
static bool read_values(struct chunk *c, struct slice bytes, uint32_t count)
{
    struct parquet_read_column *to = c->to;
    if (c->dictionary) {
        uint32_t *indexes = (void *)to->numbers.at;
        return parquet_codec_take_indexes(bytes, indexes + c->values, count, c->entries);
    }
    int64_t *numbers = (void *)to->numbers.at;
    if (parquet_meta_is_bytes(c->field->kind)) {
        struct slice *texts = (void *)to->texts.at;
        return parquet_codec_take_texts(bytes, texts + c->values, count, numbers);
    }
    unsigned bits = c->field->kind == PARQUET_INT32 ? 32 : 64;
    return parquet_codec_take_delta(&bytes, numbers + c->values, count, bits) && bytes.size == 0;
}

static enum err read_data(struct chunk *c)
{
    struct parquet_meta_page page;
    struct slice bytes;
    int32_t encoding = c->dictionary ? PARQUET_META_RLE_DICTIONARY
                       : parquet_meta_is_bytes(c->field->kind)
                               ? PARQUET_META_DELTA_LENGTH_BYTE_ARRAY
                               : PARQUET_META_DELTA_BINARY_PACKED;
    TRY(next_page(c, &page, &bytes));
    if (page.type != PARQUET_META_DATA_PAGE || !(page.has & PARQUET_META_HAS_DATA) ||
            page.has & PARQUET_META_HAS_DICTIONARY || page.data.encoding != encoding ||
            page.data.definition != PARQUET_META_RLE || page.data.repetition != PARQUET_META_RLE) {
        return diag_say(c->diag, ERR_UNSUPPORTED, "a page of another type or encoding (%d, %d)",
                page.type, page.data.encoding);
    }
    int64_t left = c->meta->values - c->rows;
    if (page.data.values < 1 || page.data.values > left) {
        return diag_say(c->diag, ERR_SYNTAX, "a page of %d rows where %lld are left",
                page.data.values, (long long)left);
    }
    uint32_t to = c->rows + (uint32_t)page.data.values;
    uint32_t count = to - c->rows;
    if (c->field->optional &&
            !parquet_codec_take_levels(&bytes, (void *)c->to->bits.at, c->rows, to, &count)) {
        return diag_say(c->diag, ERR_SYNTAX, "which rows have a value is damaged");
    }
    uint32_t all = (uint32_t)(c->meta->values - c->meta->statistics.null_count);
    if (count > all - c->values || !read_values(c, bytes, count)) {
        return diag_say(c->diag, ERR_SYNTAX, "its values are damaged");
    }
    c->rows = to;
    c->values += count;
    return OK;
}

static enum err read_chunk(
        const struct parquet_read *r, struct chunk *c, uint64_t at, struct diag *diag)
{
    struct parquet_read_column *to = c->to;
    uint32_t rows = (uint32_t)c->meta->values;
    TRY(make_room(c, rows, diag));
    size_t packed = (size_t)c->meta->packed;
    TRY(read_bytes(r, at, to->packed.at, packed, diag));
    c->left = slice_of(to->packed.at, packed);
    if (c->dictionary) {
        TRY(read_dictionary(c));
        if (at + packed - c->left.size != (uint64_t)c->meta->data_offset) {
            return diag_say(diag, ERR_SYNTAX, "its data begin elsewhere");
        }
    }
    while (c->rows < rows) {
        TRY(read_data(c));
    }
    if (c->left.size || rows - c->values != (uint64_t)c->meta->statistics.null_count) {
        return diag_say(diag, ERR_SYNTAX, "bytes are left, or rows without a value miscounted");
    }
    bool texts = parquet_meta_is_bytes(c->field->kind);
    to->rows = rows;
    to->count = c->values;
    to->present = c->values == rows ? NULL : (void *)to->bits.at;
    to->integers = texts ? NULL : (void *)to->numbers.at;
    to->entries = texts ? (void *)to->texts.at : NULL;
    to->entry_count = !texts ? 0 : c->dictionary ? c->entries : c->values;
    to->indexes = c->dictionary ? (void *)to->numbers.at : NULL;
    return OK;
}

enum err parquet_read_column(const struct parquet_read *r, uint32_t group, uint32_t number,
        struct parquet_read_column *to, struct diag *diag)
{
    const struct parquet_meta_chunk *meta = chunk_at(r, group, number);
    struct diag words = {0};
    struct chunk c = {
            .meta = &meta->column,
            .field = &r->fields[number],
            .to = to,
            .dictionary = meta->column.has & PARQUET_META_HAS_DICTIONARY_OFFSET,
            .diag = &words,
    };
    to->rows = to->count = to->entry_count = 0;
    enum err e = read_chunk(r, &c, (uint64_t)meta->offset, &words);
    if (e != OK) {
        return diag_say(diag, e, "parquet: column %.*s of row group %u: %s",
                SLICE_ARG(c.field->name), group, words.words);
    }
    return OK;
}

void parquet_read_column_fini(struct parquet_read_column *column)
{
    buf_fini(&column->packed);
    buf_fini(&column->bytes);
    buf_fini(&column->numbers);
    buf_fini(&column->texts);
    buf_fini(&column->bits);
    ZSTD_freeDCtx(column->zstd);
    *column = (struct parquet_read_column){.limit = column->limit};
}

void parquet_read_spread(
        const struct parquet_read_column *column, const uint64_t *values, uint64_t *rows)
{
    uint32_t words = parquet_words(column->rows);
    if (!column->present) {
        memcpy(rows, values, words * sizeof *rows);
        return;
    }
    uint32_t value = 0;
    for (uint32_t w = 0; w < words; w++) {
        uint64_t hits = 0;
        for (uint64_t left = column->present[w]; left; left &= left - 1, value++) {
            hits |= parquet_bit(values, value) ? left & -left : 0;
        }
        rows[w] = hits;
    }
}
