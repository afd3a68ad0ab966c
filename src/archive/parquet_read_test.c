#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <zstd.h>

#include "archive/parquet_page.h"
#include "archive/parquet_read.h"
#include "archive/parquet_write.h"
#include "base/memory.h"
#include "support/crash_disk.h"
#include "support/one_file.h"

struct rig {
    struct crash_disk *writing;
    struct buf bytes; /* of the file that is read */
    struct one_file file;
    struct disk disk;
    struct diag diag;
};

static void end(struct rig *rig)
{
    crash_disk_free(rig->writing);
    buf_fini(&rig->bytes);
}

static void use(struct rig *rig, struct slice bytes)
{
    rig->file.bytes = bytes;
    rig->disk = one_file_disk(&rig->file);
}

static const struct parquet_field fields[] = {
        {{"_offset", 7}, PARQUET_INT64, false},
        {{"_time", 5}, PARQUET_TIME, true},
        {{"Event.Image", 11}, PARQUET_TEXT, true},
        {{"_part", 5}, PARQUET_INT32, true},
        {{"_raw", 4}, PARQUET_BYTES, true},
        {{"none", 4}, PARQUET_TEXT, true},
};
enum { FIELDS = 6, ROWS = 70 };

/* One row group; the fifth column's texts are all distinct, the third's are a few. */
static enum err put_group(struct parquet_write *w, struct diag *diag)
{
    static const struct slice few[] = {{"cmd.exe", 7}, {"powershell.exe", 14}, {"", 0}};
    static char bytes[ROWS * 2];
    int64_t integers[ROWS];
    struct slice texts[ROWS];
    uint64_t half[2] = {0x5555555555555555, 0x15};
    TRY(parquet_write_group(w, ROWS, diag));
    for (int i = 0; i < ROWS; i++) {
        integers[i] = INT64_C(1) << 40 | i * i;
        texts[i] = few[i % 7 % 3];
    }
    TRY(parquet_write_integers(w, 0, &(struct parquet_integers){NULL, integers, ROWS}, diag));
    TRY(parquet_write_texts(w, 2, &(struct parquet_texts){NULL, texts, ROWS}, diag));
    for (int i = 0; i < ROWS; i++) {
        bytes[2 * i] = (char)(i * 37);
        bytes[2 * i + 1] = (char)(i / 2);
        texts[i] = slice_of(bytes + i, (size_t)i % 4);
        integers[i] = i - 33;
    }
    TRY(parquet_write_integers(w, 1, &(struct parquet_integers){half, integers, 35}, diag));
    TRY(parquet_write_integers(w, 3, &(struct parquet_integers){half, integers, 35}, diag));
    return parquet_write_texts(w, 4, &(struct parquet_texts){half, texts, 35}, diag);
}

static enum err put_file(struct parquet_write *w, struct diag *diag)
{
    uint32_t number;
    for (uint32_t i = 0; i < FIELDS - 1; i++) {
        TRY(parquet_write_field(w, &fields[i], &number, diag));
    }
    TRY(put_group(w, diag));
    TRY(parquet_write_field(w, &fields[FIELDS - 1], &number, diag));
    TRY(put_group(w, diag));
    TRY(parquet_write_pair(w, SLICE("merlon.tenant"), SLICE("acme"), diag));
    return parquet_write_finish(w, diag);
}

static struct rig begin(void)
{
    struct rig rig = {.writing = crash_disk_new()};
    const struct disk *calls = crash_disk_calls(rig.writing);
    assert_int_equal(calls->make_directory(calls, "d", &rig.diag), OK);
    struct parquet_write *w;
    struct parquet_write_place place = {calls, "d", "a.parquet"};
    assert_int_equal(parquet_write_new(&place, SLICE("merlon test"), &w, &rig.diag), OK);
    assert_int_equal(put_file(w, &rig.diag), OK);
    parquet_write_free(w);
    buf_add(&rig.bytes, crash_disk_file(rig.writing, "d/a.parquet"));
    return rig;
}

static enum err open_rig(struct rig *rig, struct parquet_read **r)
{
    if (!rig->disk.open) {
        use(rig, buf_slice(&rig->bytes));
    }
    return parquet_read_open(&rig->disk, "any", r, &rig->diag);
}

static void add_column(const struct parquet_read_column *column, struct buf *out)
{
    uint32_t i = 0;
    for (uint32_t row = 0; row < column->rows; row++) {
        if (column->present && !parquet_bit(column->present, row)) {
            buf_byte(out, '-');
        } else if (column->integers) {
            buf_i64(out, column->integers[i++]);
        } else {
            buf_add(out, column->entries[column->indexes ? column->indexes[i] : i]);
            i++;
        }
        buf_byte(out, ' ');
    }
    assert_int_equal(i, column->count);
}

/* All that a file says. */
static enum err dump(struct rig *rig, struct buf *out)
{
    struct parquet_read *r;
    TRY(open_rig(rig, &r));
    struct parquet_read_column column = {0};
    enum err e = OK;
    struct slice tenant = {0};
    assert_true(parquet_read_pair(r, SLICE("merlon.tenant"), &tenant));
    buf_add(out, tenant);
    for (uint32_t i = 0; i < parquet_read_field_count(r); i++) {
        const struct parquet_field *field = parquet_read_field(r, i);
        buf_format(out, " %.*s %d %d", SLICE_ARG(field->name), field->kind, field->optional);
    }
    for (uint32_t g = 0; g < parquet_read_group_count(r); g++) {
        for (uint32_t i = 0; e == OK && i < parquet_read_field_count(r); i++) {
            struct parquet_read_known known = parquet_read_known(r, g, i);
            e = parquet_read_column(r, g, i, &column, &rig->diag);
            if (e == OK) {
                assert_int_equal(known.values, column.count);
                buf_format(out, "\n%u %d ", column.entry_count, known.range);
                add_column(&column, out);
            }
        }
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    return e;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct buf out = {0};
    assert_int_equal(dump(&rig, &out), OK);
    static const char *const parts[] = {
            "acme _offset 1 0 _time 2 1 Event.Image 3 1 _part 0 1 _raw 4 1 none 3 1\n",
            "\n0 1 1099511627776 1099511627777 1099511627780 ",
            "\n0 1 -33 - -32 - -31 ",
            "\n3 0 cmd.exe powershell.exe  cmd.exe ",
            "\n0 0 - - - - ",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_int_not_equal(slice_find(buf_slice(&out), slice_text(parts[i])), SIZE_MAX);
    }
    buf_fini(&out);
    end(&rig);
}

static void each_flipped_bit_is_named_or_harmless(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct buf first = {0}, out = {0}, bytes = {0};
    assert_int_equal(dump(&rig, &first), OK);
    buf_add(&bytes, buf_slice(&rig.bytes));
    unsigned harmless = 0;
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.at[bit / 8] ^= (char)(1 << bit % 8);
        use(&rig, buf_slice(&bytes));
        buf_clear(&out);
        rig.diag.words[0] = '\0';
        if (dump(&rig, &out) == OK) {
            harmless++;
            assert_true(slice_equal(buf_slice(&first), buf_slice(&out)));
        } else {
            assert_true(rig.diag.words[0] != '\0');
        }
        bytes.at[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(harmless, 0); /* all bits are under a sum or a check */
    buf_fini(&first);
    buf_fini(&out);
    buf_fini(&bytes);
    end(&rig);
}

static void a_file_cut_short_is_refused(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct buf bytes = {0}, out = {0};
    buf_add(&bytes, buf_slice(&rig.bytes));
    for (size_t size = 0; size < bytes.size; size += 1 + size % 3) {
        use(&rig, slice_of(bytes.at, size));
        assert_int_not_equal(dump(&rig, &out), OK);
    }
    buf_fini(&bytes);
    buf_fini(&out);
    end(&rig);
}

static void a_damaged_page_is_named_with_column_and_row_group(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct buf bytes = {0}, out = {0};
    buf_add(&bytes, buf_slice(&rig.bytes));
    bytes.at[4 + 60] ^= 1; /* within the first chunk's page: _offset */
    use(&rig, buf_slice(&bytes));
    assert_int_equal(dump(&rig, &out), ERR_SYNTAX);
    assert_string_equal(rig.diag.words,
            "parquet: column _offset of row group 0: the page's checksum does not match");
    buf_fini(&bytes);
    buf_fini(&out);
    end(&rig);
}

static void a_column_takes_no_more_memory_than_it_may(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct parquet_read *r;
    assert_int_equal(open_rig(&rig, &r), OK);
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct parquet_read_column column = {.limit = 1};
        enum err e = OK;
        do {
            e = parquet_read_column(r, 0, i, &column, &rig.diag);
            assert_true(e == OK || e == ERR_LIMIT);
            column.limit += e != OK;
        } while (e != OK);
        assert_in_range(column.packed.size + column.limit, 50, 3000);
        column.limit--;
        assert_int_equal(parquet_read_column(r, 0, i, &column, &rig.diag), ERR_LIMIT);
        assert_non_null(strstr(rig.diag.words, "bytes"));
        parquet_read_column_fini(&column);
    }
    parquet_read_close(r);
    end(&rig);
}

static void memory_that_is_refused_is_an_error(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct buf out = {0};
    unsigned n = 1;
    struct parquet_read *r;
    for (enum err e = ERR_MEMORY; e != OK; n++) {
        struct parquet_read_column column = {0};
        memory_fail_after(n);
        e = open_rig(&rig, &r);
        for (uint32_t i = 0; e == OK && i < FIELDS; i++) {
            e = parquet_read_column(r, 0, i, &column, &rig.diag);
            if (e != OK) {
                parquet_read_close(r);
            }
        }
        memory_fail_after(0);
        assert_true(e == OK || e == ERR_MEMORY || e == ERR_LIMIT);
        parquet_read_column_fini(&column);
    }
    assert_in_range(n, 5, 100);
    parquet_read_close(r);
    buf_fini(&out);
    end(&rig);
}

static void hits_of_values_become_hits_of_rows(void **state)
{
    (void)state;
    uint64_t present[2] = {0x8000000000000005, 0x3}, values = 0x16, rows[2];
    struct parquet_read_column column = {.rows = 66, .count = 5, .present = present};
    parquet_read_spread(&column, &values, rows); /* the 2nd, 3rd and 5th value */
    assert_true(rows[0] == 0x8000000000000004 && rows[1] == 0x2);
    column = (struct parquet_read_column){.rows = 5, .count = 5};
    parquet_read_spread(&column, &values, rows);
    assert_true(rows[0] == 0x16);
}

struct other {
    struct parquet_meta_element elements[2];
    struct parquet_meta_order order;
    struct slice path;
    struct parquet_meta_chunk chunk;
    struct parquet_meta_group group;
    struct parquet_meta_file file;
    struct slice pages;
    bool read; /* the column too */
};

/* A footer of others' making, with the right sum. */
static enum err open_other(struct rig *rig, struct other *o)
{
    struct parquet_meta_file *file = &o->file;
    struct buf out = {0};
    struct parquet_meta_pair pair = {0, SLICE(PARQUET_META_SUM), SLICE("00000000")};
    struct parquet_read *r;
    if (!file->pairs.at) {
        file->pairs = (struct parquet_thrift_list){&pair, 1};
    }
    buf_add(&out, SLICE("PAR1"));
    buf_add(&out, o->pages);
    size_t from = out.size;
    parquet_thrift_write(&parquet_meta_file_table, file, &out);
    size_t size = out.size - from;
    size_t digits = slice_find(slice_of(out.at + from, size), pair.value);
    if (digits < size) {
        char text[9];
        snprintf(
                text, sizeof text, "%08x", parquet_meta_sum(slice_of(out.at + from, size), digits));
        memcpy(out.at + from + digits, text, 8);
    }
    for (unsigned i = 0; i < 4; i++) {
        buf_byte(&out, (char)(size >> 8 * i));
    }
    buf_add(&out, SLICE("PAR1"));
    use(rig, buf_slice(&out));
    enum err e = open_rig(rig, &r);
    if (e == OK) {
        struct parquet_read_column column = {0};
        e = o->read ? parquet_read_column(r, 0, 0, &column, &rig->diag) : OK;
        parquet_read_column_fini(&column);
        parquet_read_close(r);
    }
    use(rig, (struct slice){0});
    buf_fini(&out);
    return e;
}

static void make_other(struct other *o)
{
    static const int32_t encodings[] = {PARQUET_META_DELTA_BINARY_PACKED};
    *o = (struct other){.path = SLICE("a")};
    o->elements[0] = (struct parquet_meta_element){
            .has = PARQUET_META_HAS_CHILDREN, .name = SLICE("schema"), .children = 1};
    parquet_meta_from_field(&(struct parquet_field){o->path, PARQUET_INT64, true}, &o->elements[1]);
    o->chunk = (struct parquet_meta_chunk){.offset = 4,
            .column = {.type = PARQUET_META_INT64,
                    .encodings = {(void *)(uintptr_t)encodings, 1},
                    .path = {&o->path, 1},
                    .codec = PARQUET_META_ZSTD,
                    .values = 5,
                    .data_offset = 4}};
    o->group = (struct parquet_meta_group){.chunks = {&o->chunk, 1}, .rows = 5};
    o->file = (struct parquet_meta_file){.version = 2,
            .elements = {o->elements, 2},
            .rows = 5,
            .groups = {&o->group, 1},
            .orders = {&o->order, 1},
            .created_by = SLICE("other")};
}

#define REFUSED(change, error, text)                                                               \
    do {                                                                                           \
        make_other(&o);                                                                            \
        change;                                                                                    \
        assert_int_equal(open_other(&rig, &o), error);                                             \
        assert_non_null(strstr(rig.diag.words, text));                                             \
    } while (0)

static void footers_that_lie_are_refused(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct other o;
    struct parquet_meta_column *c = &o.chunk.column;
    make_other(&o);
    assert_int_equal(open_other(&rig, &o), OK);
    REFUSED(o.file.version = 1, ERR_UNSUPPORTED, "version 1");
    REFUSED(o.file.rows = 6, ERR_SYNTAX, "not all rows");
    REFUSED(o.group.rows = 131073, ERR_LIMIT, "131072");
    REFUSED(o.group.rows = 0, ERR_LIMIT, "131072");
    REFUSED(o.group.chunks.count = 0, ERR_SYNTAX, "without all columns");
    REFUSED(o.file.orders.count = 0, ERR_UNSUPPORTED, "flat schema");
    REFUSED(o.elements[0].children = 2, ERR_UNSUPPORTED, "flat schema");
    REFUSED(o.elements[1].type = 5, ERR_UNSUPPORTED, "column a is of a type not ours");
    REFUSED(o.elements[1].repetition = 2, ERR_UNSUPPORTED, "column a is of a type not ours");
    REFUSED(c->type = PARQUET_META_INT32, ERR_SYNTAX, "not the schema's column");
    REFUSED(o.path = SLICE("b"), ERR_SYNTAX, "not the schema's column");
    REFUSED(c->codec = 1, ERR_SYNTAX, "not packed by zstd");
    REFUSED(c->packed = 1000, ERR_SYNTAX, "within the file");
    REFUSED(c->packed = -1, ERR_SYNTAX, "within the file");
    REFUSED(c->unpacked = PARQUET_CHUNK_BYTES + INT64_C(1), ERR_SYNTAX, "too large");
    REFUSED(o.chunk.offset = c->data_offset = 0, ERR_SYNTAX, "within the file");
    REFUSED(o.chunk.offset = c->data_offset = INT64_MAX, ERR_SYNTAX, "within the file");
    REFUSED(o.chunk.offset = c->data_offset = INT64_MIN, ERR_SYNTAX, "within the file");
    REFUSED(c->data_offset = 5, ERR_SYNTAX, "within the file");
    REFUSED(c->has = PARQUET_META_HAS_DICTIONARY_OFFSET, ERR_SYNTAX, "dictionary of integers");
    REFUSED(c->values = 4, ERR_SYNTAX, "counts");
    REFUSED(c->statistics.null_count = 6, ERR_SYNTAX, "counts");
    REFUSED((o.elements[1].repetition = PARQUET_META_REQUIRED, c->statistics.null_count = 1),
            ERR_SYNTAX, "counts");
    REFUSED(c->statistics.null_count = -1, ERR_SYNTAX, "counts");
    REFUSED(c->statistics.has = 2, ERR_SYNTAX, "counts");
    end(&rig);
}

/* A file of one INT64 column of 5 rows whose only chunk is `pages`. */
static enum err read_pages(struct rig *rig, struct slice pages, int64_t unpacked)
{
    struct other o;
    make_other(&o);
    o.pages = pages;
    o.chunk.column.packed = (int64_t)pages.size;
    o.chunk.column.unpacked = unpacked;
    o.read = true;
    return open_other(rig, &o);
}

static void put_page(
        struct buf *out, int32_t type, int32_t rows, int32_t encoding, struct slice raw)
{
    struct ZSTD_CCtx_s *zstd = ZSTD_createCCtx();
    bool data = type == PARQUET_META_DATA_PAGE;
    struct parquet_meta_page page = {
            .has = data ? PARQUET_META_HAS_DATA : PARQUET_META_HAS_DICTIONARY,
            .type = type,
            .data = {0, rows, encoding, PARQUET_META_RLE, PARQUET_META_RLE},
            .dictionary = {0, rows, encoding},
    };
    assert_int_equal(parquet_page_put(zstd, &page, raw, out, NULL), OK);
    ZSTD_freeCCtx(zstd);
}

static void pages_that_lie_are_refused(void **state)
{
    (void)state;
    static const char five[] = "\x02\0\0\0\x0A\x01\x80\x01\x04\x05\x02\x02\0\0\0\0";
    static const char four[] = "\x02\0\0\0\x03\x0F\x80\x01\x04\x04\x02\x02\0\0\0\0";
    static const struct {
        int32_t type, rows, encoding;
        const char *raw;
        size_t size;
        enum err e;
        const char *words;
    } cases[] = {
            {0, 5, 5, five, 16, OK, ""},
            {0, 6, 5, five, 16, ERR_SYNTAX, "a page of 6 rows where 5 are left"},
            {0, 0, 5, five, 16, ERR_SYNTAX, "a page of 0 rows"},
            {0, 4, 5, five, 16, ERR_SYNTAX, "which rows have a value"},
            {0, 5, 5, five, 15, ERR_SYNTAX, "its values are damaged"},
            {0, 5, 5, four, 16, ERR_SYNTAX, "rows without a value miscounted"},
            {0, 5, 0, five, 16, ERR_UNSUPPORTED, "encoding (0, 0)"},
            {2, 5, 0, five, 16, ERR_UNSUPPORTED, "encoding (2, 0)"},
    };
    struct rig rig = begin();
    struct buf pages = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&pages);
        put_page(&pages, cases[i].type, cases[i].rows, cases[i].encoding,
                slice_of(cases[i].raw, cases[i].size));
        assert_int_equal(read_pages(&rig, buf_slice(&pages), 100), cases[i].e);
        assert_true(cases[i].e == OK || strstr(rig.diag.words, cases[i].words));
    }
    buf_clear(&pages);
    put_page(&pages, 0, 5, 5, slice_of(five, 16));
    assert_int_equal(read_pages(&rig, buf_slice(&pages), 16), OK);
    assert_int_equal(read_pages(&rig, buf_slice(&pages), 15), ERR_SYNTAX);
    assert_non_null(strstr(rig.diag.words, "larger than the footer says"));
    buf_byte(&pages, 0);
    assert_int_equal(read_pages(&rig, buf_slice(&pages), 100), ERR_SYNTAX);
    assert_non_null(strstr(rig.diag.words, "bytes are left"));
    buf_fini(&pages);
    end(&rig);
}

static void others_files_are_refused_by_name(void **state)
{
    (void)state;
    struct rig rig = begin();
    struct other o;
    struct parquet_meta_pair pair = {0, SLICE("ARROW:schema"), SLICE("x")};
    REFUSED((o.file.pairs = (struct parquet_thrift_list){&pair, 1}), ERR_UNSUPPORTED,
            "merlon.footer_crc32");
    use(&rig, SLICE("PAR1\x19\x1c\x02\0\0\0PAR1"));
    struct parquet_read *r;
    assert_int_equal(open_rig(&rig, &r), ERR_UNSUPPORTED);
    assert_string_equal(rig.diag.words, "parquet: version of FileMetaData is of another kind (9)");
    use(&rig, SLICE("PAR1\x85\x85\x02\0\0\0PAR1"));
    assert_int_equal(open_rig(&rig, &r), ERR_UNSUPPORTED);
    assert_string_equal(
            rig.diag.words, "parquet: field 8 of FileMetaData is none that is written here");
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_written_is_read),
            cmocka_unit_test(each_flipped_bit_is_named_or_harmless),
            cmocka_unit_test(a_file_cut_short_is_refused),
            cmocka_unit_test(a_damaged_page_is_named_with_column_and_row_group),
            cmocka_unit_test(a_column_takes_no_more_memory_than_it_may),
            cmocka_unit_test(memory_that_is_refused_is_an_error),
            cmocka_unit_test(hits_of_values_become_hits_of_rows),
            cmocka_unit_test(footers_that_lie_are_refused),
            cmocka_unit_test(pages_that_lie_are_refused),
            cmocka_unit_test(others_files_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
