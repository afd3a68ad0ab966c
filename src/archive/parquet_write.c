#include "archive/parquet_write.h"

#include <limits.h>
#include <zstd.h>

#include "archive/parquet_codec.h"
#include "archive/parquet_dict.h"
#include "archive/parquet_page.h"
#include "base/buf.h"
#include "base/memory.h"
#include "base/utf8.h"

enum { PAGE_BYTES = 1 << 20 };  /* a data page of texts ends once it holds so many */
enum { FLUSH_BYTES = 1 << 20 }; /* what is written to the disk at once */
enum { ZSTD_LEVEL = 1 };
#define ARENA_BYTES ((size_t)1 << 30) /* names, pairs and the footer's parts */

struct group {
    uint32_t rows;
    struct parquet_meta_chunk *chunks; /* by column; .has 0: not yet */
    size_t count, room;
};

struct parquet_write {
    const struct disk *disk;
    const char *directory, *path, *scratch; /* in the arena */
    struct slice created_by;
    struct arena arena;
    int file;
    bool open, done;
    uint64_t flushed; /* bytes of the file before `out` */
    struct buf out, page;
    struct parquet_field *fields;
    size_t field_count, field_room;
    struct group *groups;
    size_t group_count, group_room;
    struct parquet_meta_pair *pairs;
    size_t pair_count, pair_room;
    struct parquet_dict dict;
    int64_t *lengths;
    size_t length_room;
    struct ZSTD_CCtx_s *zstd;
};

/* Rows, and which of them have a value. */
struct rows {
    const uint64_t *present; /* NULL: the column is required, or each has one */
    uint32_t count;
    uint32_t values;
    bool optional;
};

/* Bitmaps of no row and of all. */
static const uint64_t no_row[PARQUET_GROUP_ROWS / 64];

static enum err no_memory(struct diag *diag)
{
    return diag_say(diag, ERR_MEMORY, "no memory to write a Parquet file");
}

/* ---- the file ------------------------------------------------------------------------------- */

static const char *join(
        struct arena *arena, const struct parquet_write_place *place, const char *end)
{
    struct buf path = {0};
    buf_add(&path, slice_text(place->directory));
    buf_byte(&path, '/');
    buf_add(&path, slice_text(place->name));
    buf_add(&path, slice_text(end));
    struct slice copy = path.failed ? (struct slice){0} : arena_copy(arena, buf_slice(&path));
    buf_fini(&path);
    return copy.at;
}

static enum err begin(struct parquet_write *w, const struct parquet_write_place *place,
        struct slice created_by, struct diag *diag)
{
    w->disk = place->disk;
    w->path = join(&w->arena, place, "");
    w->scratch = join(&w->arena, place, ".new");
    w->directory = arena_copy(&w->arena, slice_text(place->directory)).at;
    w->created_by = arena_copy(&w->arena, created_by);
    w->zstd = ZSTD_createCCtx();
    if (!w->path || !w->scratch || !w->directory || !w->created_by.at || !w->zstd ||
            ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL))) {
        return no_memory(diag);
    }
    enum err e = w->disk->remove(w->disk, w->scratch, NULL); /* what a crash left */
    if (e == OK || e == ERR_NOT_FOUND) {
        e = w->disk->create(w->disk, w->scratch, &w->file, diag);
    }
    w->open = e == OK;
    buf_add(&w->out, SLICE("PAR1"));
    return e;
}

enum err parquet_write_new(const struct parquet_write_place *place, struct slice created_by,
        struct parquet_write **out, struct diag *diag)
{
    struct parquet_write *w = memory_alloc(sizeof *w);
    if (!w) {
        return no_memory(diag);
    }
    arena_init(&w->arena, ARENA_BYTES);
    enum err e = begin(w, place, created_by, diag);
    if (e != OK) {
        parquet_write_free(w);
        return e;
    }
    *out = w;
    return OK;
}

void parquet_write_free(struct parquet_write *w)
{
    if (!w) {
        return;
    }
    if (w->open) {
        w->disk->close(w->disk, w->file);
        enum err e = w->done ? OK : w->disk->remove(w->disk, w->scratch, NULL);
        (void)e; /* what stays is removed by the next one of this name */
    }
    for (size_t i = 0; i < w->group_count; i++) {
        memory_free(w->groups[i].chunks);
    }
    memory_free(w->groups);
    memory_free(w->fields);
    memory_free(w->pairs);
    memory_free(w->lengths);
    parquet_dict_fini(&w->dict);
    buf_fini(&w->out);
    buf_fini(&w->page);
    ZSTD_freeCCtx(w->zstd);
    arena_fini(&w->arena);
    memory_free(w);
}

static enum err flush(struct parquet_write *w, size_t least, struct diag *diag)
{
    if (w->out.failed) {
        return no_memory(diag);
    }
    if (w->out.size < least) {
        return OK;
    }
    TRY(w->disk->write(w->disk, w->file, w->flushed, buf_slice(&w->out), diag));
    w->flushed += w->out.size;
    buf_clear(&w->out);
    return OK;
}

uint64_t parquet_write_size(const struct parquet_write *w)
{
    return w->flushed + w->out.size;
}

/* ---- pages ---------------------------------------------------------------------------------- */

/* Begins a page's bytes: the levels of rows from..to. */
static void put_levels(struct parquet_write *w, const struct rows *rows, uint32_t from, uint32_t to)
{
    buf_clear(&w->page);
    if (!rows->optional) {
        return;
    }
    if (rows->present) {
        parquet_codec_put_levels(&w->page, rows->present, from, to);
        return;
    }
    size_t head = w->page.size;
    buf_add(&w->page, slice_of("\0\0\0\0", 4));
    parquet_codec_put_varint(&w->page, (uint64_t)(to - from) << 1);
    buf_byte(&w->page, 1);
    if (!w->page.failed) {
        w->page.at[head] = (char)(w->page.size - head - 4);
    }
}

static enum err put_page(struct parquet_write *w, struct parquet_meta_page *page,
        struct parquet_meta_column *column, struct diag *diag)
{
    if (w->page.failed) {
        return no_memory(diag);
    }
    size_t before = w->out.size;
    TRY(parquet_page_put(w->zstd, page, buf_slice(&w->page), &w->out, diag));
    size_t taken = w->out.size - before;
    column->packed += (int64_t)taken;
    column->unpacked += (int64_t)(taken - (size_t)page->packed) + page->unpacked;
    return OK;
}

static enum err put_data(struct parquet_write *w, uint32_t rows, int32_t encoding,
        struct parquet_meta_column *column, struct diag *diag)
{
    struct parquet_meta_page page = {
            .has = PARQUET_META_HAS_DATA,
            .type = PARQUET_META_DATA_PAGE,
            .data = {0, (int32_t)rows, encoding, PARQUET_META_RLE, PARQUET_META_RLE},
    };
    return put_page(w, &page, column, diag);
}

/* What a chunk's metadata says of its encodings. */
static const int32_t encodings[][4] = {
        [PARQUET_META_DELTA_BINARY_PACKED] = {PARQUET_META_DELTA_BINARY_PACKED, PARQUET_META_RLE},
        [PARQUET_META_DELTA_LENGTH_BYTE_ARRAY] = {PARQUET_META_DELTA_LENGTH_BYTE_ARRAY,
                PARQUET_META_RLE},
        [PARQUET_META_RLE_DICTIONARY] = {PARQUET_META_RLE_DICTIONARY, PARQUET_META_RLE,
                PARQUET_META_PLAIN},
};

static void begin_chunk(struct parquet_write *w, const struct rows *rows, int32_t encoding,
        struct parquet_meta_chunk *chunk)
{
    int64_t at = (int64_t)parquet_write_size(w);
    *chunk = (struct parquet_meta_chunk){.has = 1, .offset = at};
    uint32_t count = encoding == PARQUET_META_RLE_DICTIONARY ? 3 : 2;
    chunk->column = (struct parquet_meta_column){
            .codec = PARQUET_META_ZSTD,
            .encodings = {(void *)(uintptr_t)encodings[encoding], count},
            .values = rows->count,
            .data_offset = at,
            .statistics = {.null_count = rows->count - rows->values},
    };
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* The row behind the n-th one that has a value, from `row` on. */
static uint32_t pass_values(const struct rows *rows, uint32_t row, size_t n)
{
    if (!rows->present) {
        return row + (uint32_t)n;
    }
    while (n > 0) {
        uint64_t word = rows->present[row / 64] >> row % 64;
        size_t ones = (size_t)__builtin_popcountll(word);
        if (ones < n) {
            n -= ones;
            row = (row / 64 + 1) * 64;
            continue;
        }
        for (; n > 1; n--) {
            word &= word - 1;
        }
        return row + (uint32_t)__builtin_ctzll(word) + 1;
    }
    return row;
}

static enum err put_texts(struct parquet_write *w, const struct rows *rows,
        const struct slice *texts, struct parquet_meta_chunk *chunk, struct diag *diag)
{
    begin_chunk(w, rows, PARQUET_META_DELTA_LENGTH_BYTE_ARRAY, chunk);
    uint32_t row = 0, done = 0;
    do {
        uint32_t end = done;
        for (size_t bytes = 0; end < rows->values && bytes < PAGE_BYTES; end++) {
            bytes += texts[end].size;
        }
        uint32_t to = end == rows->values ? rows->count : pass_values(rows, row, end - done);
        put_levels(w, rows, row, to);
        parquet_codec_put_texts(&w->page, texts + done, end - done, w->lengths);
        TRY(put_data(w, to - row, PARQUET_META_DELTA_LENGTH_BYTE_ARRAY, &chunk->column, diag));
        row = to;
        done = end;
    } while (done < rows->values);
    return OK;
}

static enum err put_dictionary(struct parquet_write *w, const struct rows *rows,
        struct parquet_meta_chunk *chunk, struct diag *diag)
{
    const struct parquet_dict *dict = &w->dict;
    begin_chunk(w, rows, PARQUET_META_RLE_DICTIONARY, chunk);
    chunk->column.has |= PARQUET_META_HAS_DICTIONARY_OFFSET;
    chunk->column.dictionary_offset = chunk->offset;
    buf_clear(&w->page);
    parquet_codec_put_plain(&w->page, dict->entries, dict->count);
    struct parquet_meta_page page = {
            .has = PARQUET_META_HAS_DICTIONARY,
            .type = PARQUET_META_DICTIONARY_PAGE,
            .dictionary = {0, (int32_t)dict->count, PARQUET_META_PLAIN},
    };
    TRY(put_page(w, &page, &chunk->column, diag));
    chunk->column.data_offset = (int64_t)parquet_write_size(w);
    put_levels(w, rows, 0, rows->count);
    parquet_codec_put_indexes(&w->page, dict->indexes, rows->values, dict->count);
    return put_data(w, rows->count, PARQUET_META_RLE_DICTIONARY, &chunk->column, diag);
}

/* Both ways are taken where a dictionary may pay, and the shorter one stays. */
static enum err put_shorter(struct parquet_write *w, const struct rows *rows,
        const struct slice *texts, struct parquet_meta_chunk *chunk, struct diag *diag)
{
    bool small = false;
    if (rows->values > 0) {
        TRY(parquet_dict_build(&w->dict, texts, rows->values, &small, diag));
    }
    if (!small) {
        return put_texts(w, rows, texts, chunk, diag);
    }
    size_t begun = w->out.size;
    TRY(put_dictionary(w, rows, chunk, diag));
    if (w->dict.count <= rows->values / 16) {
        return OK;
    }
    size_t between = w->out.size;
    struct parquet_meta_chunk other;
    TRY(put_texts(w, rows, texts, &other, diag));
    size_t size = w->out.size - between;
    if (size < between - begun) {
        memmove(w->out.at + begun, w->out.at + between, size);
        w->out.size = begun + size;
        other.offset = other.column.data_offset = chunk->offset;
        *chunk = other;
    } else {
        w->out.size = between;
    }
    return OK;
}

/* ---- columns -------------------------------------------------------------------------------- */

static uint32_t count_rows(const uint64_t *bits, uint32_t rows)
{
    uint32_t ones = 0;
    for (uint32_t row = 0; row + 64 <= rows; row += 64) {
        ones += (uint32_t)__builtin_popcountll(bits[row / 64]);
    }
    if (rows % 64) {
        uint64_t word = bits[rows / 64] & ((UINT64_C(1) << rows % 64) - 1);
        ones += (uint32_t)__builtin_popcountll(word);
    }
    return ones;
}

static enum err misused(
        const struct parquet_write *w, uint32_t column, const char *what, struct diag *diag)
{
    struct slice name = column < w->field_count ? w->fields[column].name : SLICE("?");
    return diag_say(diag, ERR_USAGE, "column %u (%.*s): %s", column, SLICE_ARG(name), what);
}

/* The rows that a column is given for, and the place of its chunk. */
static enum err begin_column(struct parquet_write *w, uint32_t column, struct rows *rows,
        struct parquet_meta_chunk **chunk, struct diag *diag)
{
    struct group *group = w->group_count ? &w->groups[w->group_count - 1] : NULL;
    if (!group || column >= w->field_count) {
        return misused(w, column, "no row group is begun, or there is no such column", diag);
    }
    rows->count = group->rows;
    rows->optional = w->fields[column].optional;
    if (rows->present && !rows->optional) {
        return misused(w, column, "a required column has a value in each row", diag);
    }
    if (rows->values != (rows->present ? count_rows(rows->present, rows->count) : rows->count)) {
        return misused(w, column, "another number of values than of rows that have one", diag);
    }
    if (!memory_grow(&group->chunks, &group->room, w->field_count, sizeof *group->chunks) ||
            !memory_grow(&w->lengths, &w->length_room, rows->values + 1, sizeof *w->lengths)) {
        return no_memory(diag);
    }
    for (; group->count < w->field_count; group->count++) {
        group->chunks[group->count] = (struct parquet_meta_chunk){0};
    }
    if (group->chunks[column].has) {
        return misused(w, column, "given twice", diag);
    }
    *chunk = &group->chunks[column];
    return OK;
}

static enum err check_texts(const struct parquet_write *w, uint32_t column,
        const struct parquet_texts *texts, struct diag *diag)
{
    const struct parquet_field *field = &w->fields[column];
    size_t bytes = 0, most = PARQUET_CHUNK_BYTES / 2;
    for (size_t i = 0; i < texts->count; i++) {
        if (texts->at[i].size > most || (bytes += texts->at[i].size) > most) {
            return diag_say(diag, ERR_LIMIT, "column %.*s: over %zu bytes in a row group",
                    SLICE_ARG(field->name), most);
        }
        if (field->kind == PARQUET_TEXT && !utf8_valid(texts->at[i])) {
            return diag_say(
                    diag, ERR_SYNTAX, "column %.*s: a value is not UTF-8", SLICE_ARG(field->name));
        }
    }
    return OK;
}

enum err parquet_write_texts(struct parquet_write *w, uint32_t column,
        const struct parquet_texts *texts, struct diag *diag)
{
    struct rows rows = {.present = texts->present, .values = (uint32_t)texts->count};
    struct parquet_meta_chunk *chunk, made;
    TRY(begin_column(w, column, &rows, &chunk, diag));
    if (!parquet_meta_is_bytes(w->fields[column].kind)) {
        return misused(w, column, "texts for integers", diag);
    }
    TRY(check_texts(w, column, texts, diag));
    TRY(put_shorter(w, &rows, texts->at, &made, diag));
    *chunk = made;
    return flush(w, FLUSH_BYTES, diag);
}

/* The least and the greatest value. */
static enum err put_range(struct parquet_write *w, const struct parquet_integers *integers,
        size_t size, struct parquet_meta_statistics *statistics, struct diag *diag)
{
    int64_t least = integers->at[0], most = least;
    for (size_t i = 1; i < integers->count; i++) {
        least = integers->at[i] < least ? integers->at[i] : least;
        most = integers->at[i] > most ? integers->at[i] : most;
    }
    char *at = arena_alloc(&w->arena, 16, 8);
    if (!at) {
        return no_memory(diag);
    }
    for (size_t i = 0; i < 8; i++) {
        at[i] = (char)((uint64_t)least >> 8 * i);
        at[8 + i] = (char)((uint64_t)most >> 8 * i);
    }
    statistics->has |= PARQUET_META_HAS_RANGE;
    statistics->min = slice_of(at, size);
    statistics->max = slice_of(at + 8, size);
    return OK;
}

static bool fit_32(const struct parquet_integers *integers)
{
    for (size_t i = 0; i < integers->count; i++) {
        if (integers->at[i] != (int32_t)integers->at[i]) {
            return false;
        }
    }
    return true;
}

enum err parquet_write_integers(struct parquet_write *w, uint32_t column,
        const struct parquet_integers *integers, struct diag *diag)
{
    struct rows rows = {.present = integers->present, .values = (uint32_t)integers->count};
    struct parquet_meta_chunk *chunk, made;
    TRY(begin_column(w, column, &rows, &chunk, diag));
    enum parquet_kind kind = w->fields[column].kind;
    if (parquet_meta_is_bytes(kind)) {
        return misused(w, column, "integers for texts", diag);
    }
    if (kind == PARQUET_INT32 && !fit_32(integers)) {
        return misused(w, column, "a value is not one of 32 bits", diag);
    }
    begin_chunk(w, &rows, PARQUET_META_DELTA_BINARY_PACKED, &made);
    unsigned bits = kind == PARQUET_INT32 ? 32 : 64;
    if (integers->count) {
        TRY(put_range(w, integers, bits / 8, &made.column.statistics, diag));
    }
    put_levels(w, &rows, 0, rows.count);
    parquet_codec_put_delta(&w->page, integers->at, integers->count, bits);
    TRY(put_data(w, rows.count, PARQUET_META_DELTA_BINARY_PACKED, &made.column, diag));
    *chunk = made;
    return flush(w, FLUSH_BYTES, diag);
}

/* ---- groups and the footer ------------------------------------------------------------------ */

enum err parquet_write_field(struct parquet_write *w, const struct parquet_field *field,
        uint32_t *number, struct diag *diag)
{
    if (w->field_count >= PARQUET_COLUMNS || field->name.size > PARQUET_NAME_BYTES) {
        return diag_say(diag, ERR_LIMIT, "over %d columns, or a name over %d bytes",
                PARQUET_COLUMNS, PARQUET_NAME_BYTES);
    }
    if (!field->optional && w->group_count) {
        return diag_say(diag, ERR_USAGE, "column %.*s: required, but rows are there already",
                SLICE_ARG(field->name));
    }
    struct parquet_field copy = *field;
    copy.name = arena_copy(&w->arena, field->name);
    if (!copy.name.at ||
            !memory_grow(&w->fields, &w->field_room, w->field_count + 1, sizeof *w->fields)) {
        return no_memory(diag);
    }
    w->fields[w->field_count] = copy;
    *number = (uint32_t)w->field_count++;
    return OK;
}

/* Columns that did not come are absent in all rows of the group. */
static enum err fill(struct parquet_write *w, struct group *group, struct diag *diag)
{
    if (!memory_grow(&group->chunks, &group->room, w->field_count, sizeof *group->chunks)) {
        return no_memory(diag);
    }
    for (uint32_t i = 0; i < w->field_count; i++) {
        if (i == group->count) {
            group->chunks[group->count++] = (struct parquet_meta_chunk){0};
        }
        if (group->chunks[i].has) {
            continue;
        }
        if (!w->fields[i].optional) {
            return misused(w, i, "required, but not given for a row group", diag);
        }
        struct rows rows = {no_row, group->rows, 0, true};
        bool bytes = parquet_meta_is_bytes(w->fields[i].kind);
        int32_t encoding =
                bytes ? PARQUET_META_DELTA_LENGTH_BYTE_ARRAY : PARQUET_META_DELTA_BINARY_PACKED;
        struct parquet_meta_chunk chunk;
        begin_chunk(w, &rows, encoding, &chunk);
        put_levels(w, &rows, 0, rows.count);
        parquet_codec_put_delta(&w->page, NULL, 0, 64);
        TRY(put_data(w, rows.count, encoding, &chunk.column, diag));
        group->chunks[i] = chunk;
        TRY(flush(w, FLUSH_BYTES, diag));
    }
    return OK;
}

enum err parquet_write_group(struct parquet_write *w, uint32_t rows, struct diag *diag)
{
    if (rows == 0 || rows > PARQUET_GROUP_ROWS || w->group_count >= PARQUET_GROUPS) {
        return diag_say(diag, ERR_LIMIT, "a row group of %u rows, or over %d row groups", rows,
                PARQUET_GROUPS);
    }
    if (w->group_count) {
        TRY(fill(w, &w->groups[w->group_count - 1], diag));
    }
    if (!memory_grow(&w->groups, &w->group_room, w->group_count + 1, sizeof *w->groups)) {
        return no_memory(diag);
    }
    w->groups[w->group_count++] = (struct group){.rows = rows};
    return OK;
}

enum err parquet_write_pair(
        struct parquet_write *w, struct slice key, struct slice value, struct diag *diag)
{
    struct parquet_meta_pair pair = {0, arena_copy(&w->arena, key), arena_copy(&w->arena, value)};
    if (!pair.key.at || !pair.value.at ||
            !memory_grow(&w->pairs, &w->pair_room, w->pair_count + 1, sizeof *w->pairs)) {
        return no_memory(diag);
    }
    w->pairs[w->pair_count++] = pair;
    return OK;
}

/* Elements and orders of the schema; a chunk's path is its column's name. */
static enum err describe(struct parquet_write *w, struct parquet_meta_file *file, struct diag *diag)
{
    struct parquet_meta_element *elements =
            ARENA_ARRAY(&w->arena, struct parquet_meta_element, w->field_count + 1);
    struct parquet_meta_order *orders =
            ARENA_ARRAY(&w->arena, struct parquet_meta_order, w->field_count);
    struct parquet_meta_group *groups =
            ARENA_ARRAY(&w->arena, struct parquet_meta_group, w->group_count);
    if (!elements || !orders || !groups) {
        return no_memory(diag);
    }
    elements[0] = (struct parquet_meta_element){.has = PARQUET_META_HAS_CHILDREN,
            .name = SLICE("schema"),
            .children = (int32_t)w->field_count};
    for (size_t i = 0; i < w->field_count; i++) {
        parquet_meta_from_field(&w->fields[i], &elements[i + 1]);
    }
    for (size_t g = 0; g < w->group_count; g++) {
        struct group *group = &w->groups[g];
        groups[g] = (struct parquet_meta_group){
                .chunks = {group->chunks, (uint32_t)group->count}, .rows = group->rows};
        for (size_t i = 0; i < group->count; i++) {
            struct parquet_meta_column *column = &group->chunks[i].column;
            column->type = parquet_meta_type(w->fields[i].kind);
            column->path = (struct parquet_thrift_list){&w->fields[i].name, 1};
            groups[g].unpacked += column->unpacked;
        }
        file->rows += group->rows;
    }
    file->elements = (struct parquet_thrift_list){elements, (uint32_t)w->field_count + 1};
    file->orders = (struct parquet_thrift_list){orders, (uint32_t)w->field_count};
    file->groups = (struct parquet_thrift_list){groups, (uint32_t)w->group_count};
    file->pairs = (struct parquet_thrift_list){w->pairs, (uint32_t)w->pair_count};
    return OK;
}

static enum err put_footer(struct parquet_write *w, struct diag *diag)
{
    struct parquet_meta_file file = {.version = 2, .created_by = w->created_by};
    TRY(parquet_write_pair(w, SLICE(PARQUET_META_SUM), SLICE("00000000"), diag));
    TRY(describe(w, &file, diag));
    size_t from = w->out.size;
    parquet_thrift_write(&parquet_meta_file_table, &file, &w->out);
    size_t size = w->out.size - from;
    if (w->out.failed || size > PARQUET_FOOTER_BYTES) {
        return diag_say(diag, ERR_LIMIT, "the footer would be over %d bytes", PARQUET_FOOTER_BYTES);
    }
    /* The pair of the sum is the last one: its digits stand before nothing but the orders and who
     * wrote the file. */
    struct slice mark = SLICE(PARQUET_META_SUM "\x18\x08"
                                               "00000000");
    char *footer = w->out.at + from;
    size_t at = size - mark.size;
    while (memcmp(footer + at, mark.at, mark.size) != 0) {
        at--;
    }
    at += mark.size - 8;
    uint32_t sum = parquet_meta_sum(slice_of(footer, size), at);
    for (int i = 0; i < 8; i++) {
        footer[at + (size_t)i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 15];
    }
    char tail[8] = {(char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24), 'P', 'A',
            'R', '1'};
    buf_add(&w->out, slice_of(tail, 8));
    return OK;
}

enum err parquet_write_finish(struct parquet_write *w, struct diag *diag)
{
    if (w->field_count == 0) {
        return diag_say(diag, ERR_USAGE, "a Parquet file without columns");
    }
    for (size_t i = 0; i < w->group_count; i++) {
        TRY(fill(w, &w->groups[i], diag));
    }
    TRY(put_footer(w, diag));
    TRY(flush(w, 0, diag));
    TRY(w->disk->sync(w->disk, w->file, diag));
    TRY(w->disk->rename(w->disk, w->scratch, w->path, diag));
    w->done = true;
    return w->disk->sync_directory(w->disk, w->directory, diag);
}
