#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/parquet_read.h"
#include "archive/rows.h"
#include "archive/rows_read.h"
#include "archive/shape_read.h"
#include "base/json_text.h"
#include "base/memory.h"
#include "decode/json.h"
#include "event/field.h"
#include "event/paths.h"

enum { BEHIND = 64, FIELDS = 64 };

struct rig {
    char directory[32];
    struct rows_limits limits;
    struct rows *rows;
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct reader *reader;
    struct buf records; /* a line feed behind each */
    uint64_t offset;
    char *block;
};

static struct rig rig_new(void)
{
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    static const struct decode_limits limits = DECODE_LIMITS;
    struct rig rig = {.directory = "/tmp/rows_test.XXXXXX", .limits = ROWS_LIMITS};
    assert_non_null(mkdtemp(rig.directory));
    rig.limits.column_rows = 1;
    rig.fields = field_table_new();
    assert_int_equal(paths_build(rig.fields, &all, 1, &rig.paths), OK);
    assert_int_equal(event_init(&rig.event, rig.paths->field_count), OK);
    assert_int_equal(json_decoder.reader_new(rig.paths, &limits, &rig.reader), OK);
    return rig;
}

static void path_of(const struct rig *rig, char path[64])
{
    snprintf(path, 64, "%s/a.parquet", rig->directory);
}

static void rig_free(struct rig *rig)
{
    char path[64];
    path_of(rig, path);
    rows_free(rig->rows);
    unlink(path);
    assert_int_equal(rmdir(rig->directory), 0); /* nothing else is left */
    json_decoder.reader_free(rig->reader);
    event_fini(&rig->event);
    paths_free(rig->paths);
    field_table_free(rig->fields);
    buf_fini(&rig->records);
    memory_free(rig->block);
}

static enum err begin(struct rig *rig)
{
    struct parquet_write_place place = {&disk_real, rig->directory, "a.parquet"};
    return rows_new(&place, &rig->limits, SLICE("test"), &rig->rows, NULL);
}

static void decode(struct rig *rig, struct slice record)
{
    memory_free(rig->block);
    rig->block = memory_alloc(record.size + BEHIND);
    assert_non_null(rig->block);
    memcpy(rig->block, record.at, record.size);
    json_decoder.begin(rig->reader, slice_of(rig->block, record.size), (struct slice){0});
    assert_int_equal(json_decoder.next(rig->reader, &rig->event, NULL), OK);
}

static enum err add(struct rig *rig, const char *record)
{
    decode(rig, slice_text(record));
    struct rows_head head = {.offset = rig->offset,
            .received_ns = 1000 + (int64_t)rig->offset,
            .time_ns = rig->offset % 2 ? (int64_t)rig->offset : INT64_MIN,
            .part = -1,
            .source = SLICE("dc1"),
            .format = SLICE("json"),
            .raw = rig->event.raw};
    rig->offset++;
    buf_add(&rig->records, slice_text(record));
    buf_byte(&rig->records, '\n');
    return rows_add(rig->rows, &head, &rig->event, NULL);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct group {
    struct parquet_read *file;
    struct parquet_read_column columns[FIELDS];
    uint32_t count;
};

static void group_open(struct group *g, struct parquet_read *file, uint32_t number)
{
    *g = (struct group){.file = file, .count = parquet_read_field_count(file)};
    assert_true(g->count <= FIELDS);
    for (uint32_t i = 0; i < g->count; i++) {
        assert_int_equal(parquet_read_column(file, number, i, &g->columns[i], NULL), OK);
    }
}

static void group_close(struct group *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        parquet_read_column_fini(&g->columns[i]);
    }
}

/* Which of the column's values is the row's; UINT32_MAX: none. */
static uint32_t place_of(const struct parquet_read_column *c, uint32_t row)
{
    if (!c->count || (c->present && !parquet_bit(c->present, row))) {
        return UINT32_MAX;
    }
    uint32_t before = c->present ? 0 : row;
    for (uint32_t i = 0; c->present && i < row; i++) {
        before += parquet_bit(c->present, i);
    }
    return before;
}

static struct slice cell(const struct group *g, struct slice name, uint32_t row)
{
    uint32_t field = parquet_read_find(g->file, name);
    uint32_t place = field == UINT32_MAX ? field : place_of(&g->columns[field], row);
    if (place == UINT32_MAX) {
        return (struct slice){0};
    }
    const struct parquet_read_column *c = &g->columns[field];
    return c->entries[c->indexes ? c->indexes[place] : place];
}

static int64_t number(const struct group *g, struct slice name, uint32_t row)
{
    uint32_t field = parquet_read_find(g->file, name);
    assert_int_not_equal(field, UINT32_MAX);
    uint32_t place = place_of(&g->columns[field], row);
    return place == UINT32_MAX ? -1 : g->columns[field].integers[place];
}

/* The text of a column's value, its own or that of `_rest`, which goes into `room`. */
static struct slice value_at(
        const struct group *g, struct slice name, uint32_t row, struct buf *room)
{
    struct slice text = cell(g, name, row);
    if (text.at) {
        return text;
    }
    struct slice member = json_text_get(cell(g, SLICE(ROWS_REST), row), name);
    assert_non_null(member.at);
    size_t from = room->size;
    json_text_add(room, member);
    return slice_of(room->at + from, room->size - from);
}

static void rejoin(
        const struct group *g, const struct shape_set *shapes, uint32_t row, struct buf *out)
{
    struct slice texts[2 * SHAPE_HOLES + 1];
    struct buf room = {0};
    int64_t shape = number(g, SLICE(ROWS_SHAPE), row);
    if (shape < 0) {
        assert_non_null(cell(g, SLICE(ROWS_RAW), row).at);
        buf_add(out, cell(g, SLICE(ROWS_RAW), row));
        return;
    }
    assert_null(cell(g, SLICE(ROWS_RAW), row).at);
    size_t count;
    const uint32_t *holes = shape_holes(shapes, (uint32_t)shape, &count);
    assert_non_null(buf_reserve(&room, 1 << 16));
    for (size_t i = 0; i < count; i++) {
        texts[i] = value_at(g, shape_column(shapes, holes[i]).path, row, &room);
    }
    assert_int_equal(shape_join(shapes, (uint32_t)shape, texts, out), OK);
    buf_fini(&room);
}

static struct parquet_read *open_file(const struct rig *rig)
{
    struct parquet_read *file;
    char path[64];
    path_of(rig, path);
    assert_int_equal(parquet_read_open(&disk_real, path, &file, NULL), OK);
    return file;
}

/* The same by what reads rows; some of them, then all. */
static void assert_read(struct rig *rig)
{
    struct rows_read *r;
    struct rows_read_row it;
    struct buf out = {0};
    char path[64];
    path_of(rig, path);
    assert_int_equal(rows_read_open(&disk_real, path, &r, NULL), OK);
    uint64_t offset = 0;
    for (uint32_t g = 0; g < rows_read_groups(r); g++) {
        assert_int_equal(rows_read_group(r, g, NULL), OK);
        uint32_t count = rows_read_count(r);
        for (uint32_t row = count; row > 0; row -= row > 7 ? 7 : row) {
            assert_int_equal(rows_read_row(r, row - 1, &it, NULL), OK);
            assert_int_equal(it.offset, offset + row - 1);
        }
        for (uint32_t row = 0; row < count; row++, offset++) {
            assert_int_equal(rows_read_row(r, row, &it, NULL), OK);
            assert_int_equal(it.offset, offset);
            assert_int_equal(it.received_ns, 1000 + offset);
            assert_true(it.time_ns == (offset % 2 ? (int64_t)offset : INT64_MIN));
            assert_true(it.part < 0 && it.header.size == 0);
            assert_true(slice_equal(it.source, SLICE("dc1")));
            assert_true(slice_equal(it.format, SLICE("json")));
            buf_add(&out, it.raw);
            buf_byte(&out, '\n');
        }
    }
    assert_int_equal(offset, rig->offset);
    assert_int_equal(out.size, rig->records.size);
    assert_memory_equal(out.at, rig->records.at, out.size);
    rows_read_close(r);
    buf_fini(&out);
}

/* Each row gives its record back, with its numbers. Returns how many groups there are. */
static uint32_t assert_all_there(struct rig *rig)
{
    struct parquet_read *file = open_file(rig);
    struct shape_set *shapes;
    struct slice text;
    struct buf out = {0};
    uint64_t offset = 0;
    assert_true(parquet_read_pair(file, SLICE(ROWS_SHAPES), &text));
    assert_int_equal(shape_read(text, &shapes, NULL), OK);
    uint32_t groups = parquet_read_group_count(file);
    for (uint32_t i = 0; i < groups; i++) {
        struct group g;
        group_open(&g, file, i);
        for (uint32_t row = 0; row < parquet_read_rows(file, i); row++, offset++) {
            assert_int_equal(number(&g, SLICE(ROWS_OFFSET), row), offset);
            assert_int_equal(number(&g, SLICE(ROWS_RECEIVED), row), 1000 + offset);
            assert_int_equal(number(&g, SLICE(ROWS_TIME), row), offset % 2 ? (int)offset : -1);
            assert_true(slice_equal(cell(&g, SLICE(ROWS_SOURCE), row), SLICE("dc1")));
            assert_true(slice_equal(cell(&g, SLICE(ROWS_FORMAT), row), SLICE("json")));
            rejoin(&g, shapes, row, &out);
            buf_byte(&out, '\n');
        }
        group_close(&g);
    }
    assert_int_equal(offset, rig->offset);
    assert_int_equal(out.size, rig->records.size);
    assert_memory_equal(out.at, rig->records.at, out.size);
    shape_free(shapes);
    parquet_read_close(file);
    buf_fini(&out);
    assert_read(rig);
    return groups;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void records_come_back(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(begin(&rig), OK);
    assert_int_equal(add(&rig, "{\"User\":\"eve\",\"Port\":22}"), OK);
    assert_int_equal(add(&rig, "{\"User\":\"\",\"Port\":1e3,\"User\":\"x\\u00e9\"}"), OK);
    assert_int_equal(add(&rig, "{\"_lit\":\"whole\"}"), OK);
    assert_int_equal(add(&rig, "{\"User\":\"b\\\\c\",\"Port\":23}"), OK);
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    struct rows_counts counts = rows_counts(rig.rows);
    assert_true(counts.rows == 4 && counts.shaped == 3 && counts.cut == 1);
    assert_int_equal(counts.kept_bytes, 16);
    assert_int_equal(assert_all_there(&rig), 1);
    struct parquet_read *file = open_file(&rig);
    struct group g;
    group_open(&g, file, 0);
    assert_true(slice_equal(cell(&g, SLICE("User"), 3), SLICE("b\\c")));
    assert_true(slice_equal(cell(&g, SLICE("User#2"), 1), SLICE("x\xC3\xA9")));
    assert_int_equal(number(&g, SLICE(ROWS_CUT), 2), 1);
    assert_int_equal(number(&g, SLICE(ROWS_CUT), 1), -1);
    group_close(&g);
    parquet_read_close(file);
    rig_free(&rig);
}

static void names_say_path_and_place(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t place;
        const char *name;
    } cases[] = {{"User", 1, "User"}, {"User", 2, "User#2"}, {"User#2", 1, "User#2#1"},
            {"User#2", 3, "User#2#3"}, {"a#", 1, "a#"}, {"#7", 1, "#7#1"}, {"7", 1, "7"},
            {"", 1, "#1"}, {"_raw", 1, "_raw#1"}, {"_rest", 2, "_rest#2"}, {"_lit", 1, "_lit#1"},
            {"_rawx", 1, "_rawx"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        rows_name((struct shape_column){slice_text(cases[i].path), cases[i].place}, &out);
        buf_byte(&out, '\0');
        assert_string_equal(out.at, cases[i].name);
        buf_fini(&out);
    }
}

static void what_looks_like_a_column_of_ours_is_told_apart(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(begin(&rig), OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
                add(&rig, "{\"_raw\":\"a\",\"_offset\":7,\"\":\"e\",\"b#2\":\"c\",\"b\":[1,2]}"),
                OK);
    }
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    assert_int_equal(rows_counts(rig.rows).shaped, 3);
    assert_all_there(&rig);
    rig_free(&rig);
}

static void rare_paths_go_to_the_rest(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    rig.limits.columns = 2;
    rig.limits.group_rows = 64;
    assert_int_equal(begin(&rig), OK);
    for (int i = 0; i < 130; i++) {
        assert_int_equal(add(&rig, i % 3 ? "{\"a\":\"1\",\"b\":\"\\\"2\",\"c\":\"\\n3\"}"
                                         : "{\"c\":\"x\",\"b\":\"y\"}"),
                OK);
    }
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    assert_int_equal(rows_counts(rig.rows).shaped, 130);
    assert_int_equal(assert_all_there(&rig), 3);
    struct parquet_read *file = open_file(&rig);
    assert_int_equal(parquet_read_find(file, SLICE("a")), UINT32_MAX);
    assert_int_not_equal(parquet_read_find(file, SLICE("c")), UINT32_MAX);
    parquet_read_close(file);
    rig_free(&rig);
}

static void sparse_columns_of_many_rows_come_back(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    char record[128];
    assert_int_equal(begin(&rig), OK);
    for (int i = 0; i < 500; i++) {
        snprintf(record, sizeof record,
                i % 3    ? "{\"a\":\"%d\"}"
                : i % 70 ? "{\"a\":\"%d\",\"b\":\"x\"}"
                         : "{\"c\":\"%d\"}",
                i);
        assert_int_equal(add(&rig, record), OK);
    }
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    assert_int_equal(assert_all_there(&rig), 1);
    rig_free(&rig);
}

static void a_path_of_few_rows_has_no_column_of_its_own(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    rig.limits.column_rows = 4;
    assert_int_equal(begin(&rig), OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(add(&rig, i < 3 ? "{\"a\":\"1\",\"b\":\"2\"}" : "{\"b\":\"3\"}"), OK);
    }
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    assert_all_there(&rig);
    struct parquet_read *file = open_file(&rig);
    assert_int_equal(parquet_read_find(file, SLICE("a")), UINT32_MAX);
    assert_int_not_equal(parquet_read_find(file, SLICE("b")), UINT32_MAX);
    parquet_read_close(file);
    rig_free(&rig);
}

static void a_group_ends_by_its_bytes(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    rig.limits.group_bytes = 20000;
    assert_int_equal(begin(&rig), OK);
    for (int i = 0; i < 300; i++) {
        char record[400];
        snprintf(record, sizeof record, "{\"a\":\"%0300d\",\"b\":%d}", i, i);
        assert_int_equal(add(&rig, record), OK);
    }
    struct buf large = {0};
    buf_add(&large, SLICE("{\"a\":\""));
    while (large.size < 30000) { /* alone in its group */
        buf_byte(&large, 'x');
    }
    buf_add(&large, SLICE("\",\"b\":1}\0"));
    assert_int_equal(add(&rig, large.at), OK);
    assert_int_equal(add(&rig, "{\"a\":\"end\",\"b\":2}"), OK);
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    uint32_t groups = assert_all_there(&rig);
    assert_true(groups >= 10 && groups <= 30);
    buf_fini(&large);
    rig_free(&rig);
}

static void a_row_without_bytes_of_its_own_keeps_none(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(begin(&rig), OK);
    decode(&rig, SLICE("{\"a\":\"1\"}"));
    struct rows_head head = {.time_ns = INT64_MIN,
            .source = SLICE("s"),
            .format = SLICE("f"),
            .header = SLICE("#fields\xFF"),
            .raw = SLICE("\xFF"
                         "chunk")};
    assert_int_equal(rows_add(rig.rows, &head, &rig.event, NULL), OK);
    head.raw = (struct slice){0};
    head.part = 1;
    assert_int_equal(rows_add(rig.rows, &head, &rig.event, NULL), OK);
    head.source = SLICE("\xFF");
    assert_int_equal(rows_add(rig.rows, &head, &rig.event, NULL), ERR_USAGE);
    assert_int_equal(rows_finish(rig.rows, NULL), OK);
    struct parquet_read *file = open_file(&rig);
    struct group g;
    group_open(&g, file, 0);
    assert_int_equal(parquet_read_rows(file, 0), 2);
    assert_true(slice_equal(cell(&g, SLICE(ROWS_RAW), 0), SLICE("\xFF"
                                                                "chunk")));
    assert_null(cell(&g, SLICE(ROWS_RAW), 1).at);
    assert_int_equal(number(&g, SLICE(ROWS_SHAPE), 0), -1);
    assert_int_equal(number(&g, SLICE(ROWS_PART), 1), 1);
    assert_true(slice_equal(cell(&g, SLICE(ROWS_HEADER), 1), SLICE("#fields\xFF")));
    assert_true(slice_equal(cell(&g, SLICE("a"), 1), SLICE("1")));
    group_close(&g);
    parquet_read_close(file);
    rig_free(&rig);
}

static void limits_out_of_bounds_are_refused(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    const struct rows_limits good = rig.limits;
    rig.limits.group_rows = PARQUET_GROUP_ROWS + 1;
    assert_int_equal(begin(&rig), ERR_USAGE);
    rig.limits.group_rows = 0;
    assert_int_equal(begin(&rig), ERR_USAGE);
    rig.limits = good;
    rig.limits.group_bytes = PARQUET_CHUNK_BYTES + (size_t)1;
    assert_int_equal(begin(&rig), ERR_USAGE);
    rig.limits = good;
    rig.limits.columns = PARQUET_COLUMNS;
    assert_int_equal(begin(&rig), ERR_USAGE);
    rig.limits = good;
    assert_int_equal(begin(&rig), OK);
    assert_int_equal(add(&rig, "{\"a\":1}"), OK);
    rig_free(&rig); /* before rows_finish: no file */
}

static void without_memory_nothing_breaks(void **state)
{
    (void)state;
    unsigned whole = 0;
    for (uint64_t n = 1; n < 400; n += 3) {
        struct rig rig = rig_new();
        rig.limits.group_rows = 64;
        decode(&rig, SLICE("{\"a\":\"b\\nc\",\"d\":1}"));
        struct rows_head head = {
                .part = -1, .source = SLICE("s"), .format = SLICE("f"), .raw = rig.event.raw};
        memory_fail_after(n);
        enum err e = begin(&rig);
        for (int i = 0; i < 70 && e == OK; i++) {
            e = rows_add(rig.rows, &head, &rig.event, NULL);
        }
        e = e == OK ? rows_finish(rig.rows, NULL) : e;
        memory_fail_after(0);
        if (e != OK && e != ERR_MEMORY && e != ERR_LIMIT) { /* a footer's buffer has a cap */
            fail_msg("allocation %u: %s", (unsigned)n, err_name(e));
        }
        whole += e == OK;
        rig_free(&rig);
    }
    assert_true(whole > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(records_come_back),
            cmocka_unit_test(names_say_path_and_place),
            cmocka_unit_test(what_looks_like_a_column_of_ours_is_told_apart),
            cmocka_unit_test(rare_paths_go_to_the_rest),
            cmocka_unit_test(sparse_columns_of_many_rows_come_back),
            cmocka_unit_test(a_path_of_few_rows_has_no_column_of_its_own),
            cmocka_unit_test(a_group_ends_by_its_bytes),
            cmocka_unit_test(a_row_without_bytes_of_its_own_keeps_none),
            cmocka_unit_test(limits_out_of_bounds_are_refused),
            cmocka_unit_test(without_memory_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
