#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "event/frame.h"

static struct frame example(struct frame_records *records)
{
    struct frame frame = {.kind = FRAME_RECORDS,
            .offset = UINT64_C(0x1122334455667788),
            .durable = 17,
            .receipt_ns = -5};
    frame.attribute[FRAME_TENANT] = SLICE("sg/health/moh");
    frame.attribute[FRAME_KEY] = SLICE("");
    frame_records_add(records, SLICE("first"));
    frame_records_add(records, SLICE(""));
    frame_records_add(records, SLICE("third"));
    assert_int_equal(frame_take(&frame, records), OK);
    return frame;
}

/* The example as bytes; freed by the caller. */
static struct buf written(void)
{
    struct frame_records records = {0};
    struct buf out = {0};
    struct frame frame = example(&records);
    assert_int_equal(frame_write(&frame, &out, NULL), OK);
    frame_records_fini(&records);
    return out;
}

static void what_is_written_is_read(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"first", "", "third"};
    struct buf out = written();
    struct frame frame;
    size_t size, n = 0;
    buf_add(&out, SLICE("what comes behind"));
    assert_int_equal(frame_read(buf_slice(&out), &frame, &size, NULL), OK);
    assert_int_equal(size, out.size - 17);
    assert_int_equal(frame.kind, FRAME_RECORDS);
    assert_true(frame.offset == UINT64_C(0x1122334455667788) && frame.durable == 17);
    assert_true(frame.receipt_ns == -5 && frame.flags == FRAME_LINES && frame.count == 3);
    assert_true(slice_equal(frame.attribute[FRAME_TENANT], SLICE("sg/health/moh")));
    assert_true(frame.attribute[FRAME_KEY].at && frame.attribute[FRAME_KEY].size == 0);
    assert_null(frame.attribute[FRAME_SOURCE].at);
    for (struct frame_walk walk = {0}; frame_next(&frame, &walk); n++) {
        assert_int_equal(walk.index, n);
        assert_true(slice_equal(walk.record, slice_text(texts[n])));
    }
    assert_int_equal(n, 3);
    assert_true(slice_equal(frame.lines, SLICE("first\n\nthird\n")));
    buf_fini(&out);
}

static void each_altered_bit_is_noticed(void **unused)
{
    (void)unused;
    struct buf out = written();
    struct frame frame;
    size_t size;
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        out.at[bit / 8] = (char)(out.at[bit / 8] ^ 1 << bit % 8);
        assert_int_not_equal(frame_read(buf_slice(&out), &frame, &size, NULL), OK);
        out.at[bit / 8] = (char)(out.at[bit / 8] ^ 1 << bit % 8);
    }
    buf_fini(&out);
}

static void each_cut_is_noticed(void **unused)
{
    (void)unused;
    struct buf out = written();
    struct frame frame;
    size_t size;
    for (size_t n = 0; n < out.size; n++) {
        assert_int_equal(frame_read(slice_of(out.at, n), &frame, &size, NULL), ERR_END);
    }
    buf_fini(&out);
}

static void a_line_feed_within_a_record_takes_the_flag_away(void **unused)
{
    (void)unused;
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RECORDS};
    frame_records_add(&records, SLICE("two\nlines"));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(frame.flags, 0);
    frame_records_clear(&records);
    frame_records_add(&records, SLICE("one"));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(frame.flags, FRAME_LINES);
    frame_records_fini(&records);
}

/* Frames whose sums are right and whose content is not: another program's, or ours with a fault. */
static void what_contradicts_itself_is_refused(void **unused)
{
    (void)unused;
    struct frame_records records = {0};
    struct frame good = example(&records);
    struct {
        uint32_t count;
        uint8_t flags;
        struct slice sizes, lines;
    } rows[] = {
            {3, 0, good.sizes, SLICE("first\n\nthirdx\n")},
            {3, 0, good.sizes, SLICE("first\n\nthird\nx")},
            {3, 0, good.sizes, SLICE("first\n\nthir\n")},
            {3, 0, good.sizes, SLICE("firstx\nthird\n")},
            {4, 0, good.sizes, good.lines},
            {2, 0, good.sizes, good.lines},
            {UINT32_MAX, 0, good.sizes, good.lines},
            {1, 0, SLICE("\xff\xff\xff\xff"), SLICE("a\n")},
            {1, FRAME_LINES, SLICE("\x03\0\0\0"), SLICE("a\nb\n")},
            {0, 0, SLICE(""), SLICE("x")},
            {0, 0, SLICE(""), SLICE("")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = {0};
        struct frame frame = good, got;
        size_t size;
        frame.count = rows[i].count;
        frame.flags = rows[i].flags;
        frame.sizes = rows[i].sizes;
        frame.lines = rows[i].lines;
        assert_int_equal(frame_write(&frame, &out, NULL), OK);
        assert_int_equal(frame_read(buf_slice(&out), &got, &size, NULL), ERR_SYNTAX);
        buf_fini(&out);
    }
    frame_records_fini(&records);
}

static void sizes_end_at_their_limits(void **unused)
{
    (void)unused;
    static char zeros[UINT16_MAX];
    struct buf out = {0}, record = {0};
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RECORDS}, got;
    size_t size, most = FRAME_LIMIT - FRAME_FIXED - 4 - 1;
    frame.attribute[FRAME_REASON] = slice_of(zeros, sizeof zeros - 3);
    assert_int_equal(frame_write(&frame, &out, NULL), OK);
    frame.attribute[FRAME_REASON].size++;
    assert_int_equal(frame_write(&frame, &out, NULL), ERR_LIMIT);
    frame.attribute[FRAME_REASON].at = NULL;
    char *at = buf_reserve(&record, most + 1);
    assert_non_null(at);
    memset(at, 'x', most + 1);
    for (size_t n = most; n <= most + 1; n++) {
        buf_clear(&out);
        frame_records_clear(&records);
        frame_records_add(&records, slice_of(at, n));
        assert_int_equal(frame_take(&frame, &records), OK);
        assert_int_equal(frame_write(&frame, &out, NULL), n == most ? OK : ERR_LIMIT);
        assert_true(n > most || frame_read(buf_slice(&out), &got, &size, NULL) == OK);
    }
    frame_records_fini(&records);
    buf_fini(&record);
    buf_fini(&out);
}

static void a_search_finds_the_next_frame_and_none_that_a_record_holds(void **unused)
{
    (void)unused;
    struct buf bytes = {0};
    struct frame_records records = {0};
    struct frame frame = example(&records);
    struct frame_search search = {
            .least = frame.offset, .below = frame.offset + 10, .mark = SLICE("12345678")};
    buf_add(&bytes, SLICE("MLMLF1 rest of something "));
    assert_int_equal(frame_write(&frame, &bytes, NULL), OK); /* without the mark */
    frame.attribute[FRAME_MARK] = SLICE("12345679");
    assert_int_equal(frame_write(&frame, &bytes, NULL), OK);
    frame.attribute[FRAME_MARK] = search.mark;
    frame.offset--;
    assert_int_equal(frame_write(&frame, &bytes, NULL), OK);
    frame.offset += 11;
    assert_int_equal(frame_write(&frame, &bytes, NULL), OK);
    frame.offset--;
    size_t at = bytes.size;
    assert_int_equal(frame_write(&frame, &bytes, NULL), OK);
    assert_int_equal(frame_search(buf_slice(&bytes), 0, &search), at);
    assert_int_equal(frame_search(buf_slice(&bytes), at, &search), at);
    assert_int_equal(frame_search(buf_slice(&bytes), at + 1, &search), bytes.size);
    frame_records_fini(&records);
    buf_fini(&bytes);
}

static void without_memory_nothing_is_written(void **unused)
{
    (void)unused;
    struct frame_records records = {0};
    struct frame frame = example(&records);
    struct buf out = {0};
    memory_fail_after(1);
    assert_int_equal(frame_write(&frame, &out, NULL), ERR_MEMORY);
    memory_fail_after(0);
    assert_int_equal(out.size, 0);
    frame_records_fini(&records);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_written_is_read),
            cmocka_unit_test(each_altered_bit_is_noticed),
            cmocka_unit_test(each_cut_is_noticed),
            cmocka_unit_test(a_line_feed_within_a_record_takes_the_flag_away),
            cmocka_unit_test(what_contradicts_itself_is_refused),
            cmocka_unit_test(sizes_end_at_their_limits),
            cmocka_unit_test(a_search_finds_the_next_frame_and_none_that_a_record_holds),
            cmocka_unit_test(without_memory_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
