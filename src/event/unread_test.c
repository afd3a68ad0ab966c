#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "event/unread.h"

static struct frame frame_of(const struct frame_records *records)
{
    struct frame frame = {.kind = FRAME_UNREAD, .receipt_ns = 1700000000000000000};
    frame.attribute[FRAME_TENANT] = SLICE("sg/moh");
    frame.attribute[FRAME_SOURCE] = SLICE("tcp0/10.1.2.3");
    frame.attribute[FRAME_REASON] = SLICE(UNREAD_UNDECODABLE);
    assert_int_equal(frame_take(&frame, records), OK);
    return frame;
}

static void what_is_added_is_read(void **unused)
{
    (void)unused;
    char many[UNREAD_WORDS + 1];
    struct frame_records records = {0};
    struct frame_walk walk = {0};
    struct unread unread;
    memset(many, 'x', sizeof many);
    unread_add(&records, UINT64_MAX, SLICE("two words"));
    unread_add(&records, 0, (struct slice){0});
    unread_add(&records, 7, slice_of(many, UNREAD_WORDS));
    unread_add(&records, 8, slice_of(many, sizeof many));
    const struct frame frame = frame_of(&records);
    assert_true(frame_next(&frame, &walk) && unread_read(walk.record, &unread));
    assert_true(unread.offset == UINT64_MAX && slice_equal(unread.words, SLICE("two words")));
    assert_true(frame_next(&frame, &walk) && unread_read(walk.record, &unread));
    assert_true(unread.offset == 0 && unread.words.size == 0);
    assert_true(frame_next(&frame, &walk) && unread_read(walk.record, &unread));
    assert_int_equal(unread.words.size, UNREAD_WORDS);
    assert_true(frame_next(&frame, &walk) && unread_read(walk.record, &unread));
    assert_int_equal(unread.words.size, UNREAD_WORDS);
    frame_records_fini(&records);
}

static void what_is_none_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
            "", " x", "x 1", "-1 x", "18446744073709551616 x", "99999999999999999999 x"};
    struct unread unread;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(unread_read(slice_text(texts[i]), &unread));
    }
    assert_true(unread_read(SLICE("18446744073709551615 x"), &unread));
}

static bool is_wanted(const struct frame *frame, const char *reason, const char *source)
{
    const struct unread unread = {5, SLICE("no decoder knows it")};
    const struct unread_wanted wanted = {slice_text(reason), slice_text(source)};
    return unread_is(frame, &unread, &wanted);
}

static void it_is_searched_by_reason_and_source(void **unused)
{
    (void)unused;
    struct frame_records records = {0};
    unread_add(&records, 5, SLICE("x"));
    const struct frame frame = frame_of(&records);
    assert_true(is_wanted(&frame, "", ""));
    assert_true(is_wanted(&frame, "undecodable", ""));
    assert_true(is_wanted(&frame, "undecodable: no dec", "tcp0"));
    assert_true(is_wanted(&frame, "", "tcp0/10.1.2.3"));
    assert_false(is_wanted(&frame, "passed_over", ""));
    assert_false(is_wanted(&frame, "", "tcp"));
    assert_false(is_wanted(&frame, "", "tcp0/10.1.2.30"));
    frame_records_fini(&records);
}

static void it_is_told_as_json(void **unused)
{
    (void)unused;
    struct frame_records records = {0};
    struct buf out = {0};
    const struct unread unread = {5, SLICE("a \"word\"")};
    unread_add(&records, 5, SLICE("x"));
    const struct frame frame = frame_of(&records);
    unread_json(&frame, &unread, &out);
    assert_true(slice_equal(buf_slice(&out),
            SLICE("{\"offset\":5,\"received\":\"2023-11-14T22:13:20Z\",\"tenant\":\"sg/moh\","
                  "\"source\":\"tcp0/10.1.2.3\",\"reason\":\"undecodable: a \\\"word\\\"\"}")));
    buf_fini(&out);
    frame_records_fini(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_added_is_read),
            cmocka_unit_test(what_is_none_is_refused),
            cmocka_unit_test(it_is_searched_by_reason_and_source),
            cmocka_unit_test(it_is_told_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
