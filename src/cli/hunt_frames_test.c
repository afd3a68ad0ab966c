#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/hunt_frames.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct hunt_frames_end end = {{.matched = 3,
                                                   .undetermined = 1,
                                                   .rows = 2,
                                                   .timed = 2,
                                                   .first_ns = -5,
                                                   .last_ns = INT64_MAX},
        UINT64_MAX};

static void write_both(struct buf *out)
{
    const struct row_value texts[] = {{ROW_TEXT, 0, SLICE("a|b\n")}, {ROW_TEXT, 0, SLICE("")}};
    const struct row_value numbers[] = {{ROW_NUMBER, -7, {0}}, {ROW_DECIMAL, 1500, {0}}};
    const struct row_cell cells[] = {{texts, 2}, {NULL, 0}, {numbers, 2}};
    hunt_frames_row(out, cells, COUNT(cells));
    hunt_frames_end(out, &end);
    assert_false(out->failed);
}

static void is_value(const struct hunt_frames_value *v, bool number, const char *text)
{
    assert_int_equal(v->number, number);
    assert_true(slice_equal(v->text, slice_text(text)));
}

static void what_is_sent_arrives(void **unused)
{
    (void)unused;
    struct buf out = {0};
    struct hunt_frame frame;
    struct hunt_frames_cell cell;
    write_both(&out);
    struct slice bytes = buf_slice(&out);
    assert_int_equal(hunt_frames_next(&bytes, &frame, NULL), OK);
    assert_true(frame.row);
    assert_int_equal(hunt_frames_cell(&frame.cells, &cell, NULL), OK);
    assert_true(cell.count == 2 && !cell.cut);
    is_value(&cell.values[0], false, "a|b\n");
    is_value(&cell.values[1], false, "");
    assert_int_equal(hunt_frames_cell(&frame.cells, &cell, NULL), OK);
    assert_true(cell.count == 0 && !cell.cut);
    assert_int_equal(hunt_frames_cell(&frame.cells, &cell, NULL), OK);
    is_value(&cell.values[0], true, "-7");
    is_value(&cell.values[1], true, "1.500");
    assert_int_equal(frame.cells.size, 0);
    assert_int_equal(hunt_frames_next(&bytes, &frame, NULL), OK);
    assert_false(frame.row);
    assert_memory_equal(&frame.end, &end, sizeof end);
    assert_int_equal(hunt_frames_next(&bytes, &frame, NULL), ERR_END);
    buf_fini(&out);
}

/* However the bytes come, a frame is there when it is whole. */
static void half_a_frame_waits(void **unused)
{
    (void)unused;
    struct buf out = {0};
    struct hunt_frame frame;
    write_both(&out);
    struct slice whole = buf_slice(&out);
    assert_int_equal(hunt_frames_next(&whole, &frame, NULL), OK);
    size_t first = out.size - whole.size;
    for (size_t size = 0; size < first; size++) {
        struct slice some = slice_of(out.at, size);
        assert_int_equal(hunt_frames_next(&some, &frame, NULL), ERR_END);
        assert_true(some.at == out.at && some.size == size);
    }
    buf_fini(&out);
}

static void what_is_long_is_cut_and_said(void **unused)
{
    (void)unused;
    static char text[HUNT_FRAMES_VALUE + 4];
    struct row_value values[HUNT_FRAMES_VALUES + 1];
    struct hunt_frame frame;
    struct hunt_frames_cell cell;
    for (size_t shift = 0; shift < 5; shift++) {
        struct buf out = {0};
        memset(text, 'x', sizeof text);
        if (shift < 4) { /* a character of four bytes over the edge, or just before it */
            memcpy(text + HUNT_FRAMES_VALUE - 4 + shift, "\xf0\x9f\x98\x80", 4);
        }
        size_t size = HUNT_FRAMES_VALUE + (shift < 4 ? shift : 0);
        values[0] = (struct row_value){ROW_TEXT, 0, slice_of(text, size)};
        hunt_frames_row(&out, &(struct row_cell){values, 1}, 1);
        struct slice bytes = buf_slice(&out);
        assert_int_equal(hunt_frames_next(&bytes, &frame, NULL), OK);
        assert_int_equal(hunt_frames_cell(&frame.cells, &cell, NULL), OK);
        bool over = shift > 0 && shift < 4;
        assert_int_equal(cell.cut, over);
        assert_int_equal(cell.values[0].text.size, over ? HUNT_FRAMES_VALUE - 4 + shift : size);
        assert_true(utf8_valid(cell.values[0].text));
        buf_fini(&out);
    }
    struct buf out = {0};
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = (struct row_value){ROW_NUMBER, (int64_t)i, {0}};
    }
    hunt_frames_row(&out, &(struct row_cell){values, COUNT(values)}, 1);
    struct slice bytes = buf_slice(&out);
    assert_int_equal(hunt_frames_next(&bytes, &frame, NULL), OK);
    assert_int_equal(hunt_frames_cell(&frame.cells, &cell, NULL), OK);
    assert_true(cell.cut && cell.count == HUNT_FRAMES_VALUES);
    buf_fini(&out);
}

/* Whoever sends may have been taken over by what it reads. */
static void nonsense_is_refused(void **unused)
{
    (void)unused;
    static const struct slice frames[] = {
            {"X\0\0\0\0", 5}, {"R\xff\xff\xff\xff", 5}, {"Z\x37\0\0\0", 5}, {"Z\0\0\0\0", 5}};
    static const struct slice cells[] = {{"", 0}, {"\0", 1}, {"\0\x41", 2}, {"\0\1\0\0\0\0", 6},
            {"\0\1\0\2\0\0\0a", 8}, {"\0\1\0\xff\xff\xff\xff", 7}, {"\0\2\0\1\0\0\0a", 8}};
    static const char *const numbers[] = {
            "", "-", ".5", "1.", "1.2.3", "--1", "007", "1e9", "1 ", "-01"};
    struct diag diag;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct hunt_frame frame;
        struct slice bytes = frames[i];
        assert_int_equal(hunt_frames_next(&bytes, &frame, &diag), ERR_SYNTAX);
    }
    for (size_t i = 0; i < COUNT(cells) + COUNT(numbers); i++) {
        struct hunt_frames_cell cell;
        struct buf text = {0};
        struct slice bytes = cells[i < COUNT(cells) ? i : 0];
        if (i >= COUNT(cells)) {
            const char *number = numbers[i - COUNT(cells)];
            buf_add(&text, slice_of("\0\1\1", 3));
            buf_byte(&text, (char)strlen(number));
            buf_add(&text, slice_of("\0\0\0", 3));
            buf_add(&text, slice_text(number));
            bytes = buf_slice(&text);
        }
        assert_int_equal(hunt_frames_cell(&bytes, &cell, &diag), ERR_SYNTAX);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_sent_arrives),
            cmocka_unit_test(half_a_frame_waits),
            cmocka_unit_test(what_is_long_is_cut_and_said),
            cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
