#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "source/intake.h"

struct rig {
    struct intake intake;
    struct channel *channel;
    struct counts *counts;
    struct intake_input input;
    struct buf copy;
};

static int64_t noon(void)
{
    return 12 * INT64_C(3600000000000);
}

static void open_rig(struct rig *rig)
{
    *rig = (struct rig){
            .input = {
                    .name = SLICE("syslog"), .tenant = SLICE("sg/moh"), .format = SLICE("syslog")}};
    assert_int_equal(channel_new(1 << 16, &rig->channel, NULL), OK);
    assert_int_equal(counts_new(&rig->counts, NULL), OK);
    intake_init(&rig->intake, rig->channel, rig->counts, noon);
}

static void close_rig(struct rig *rig)
{
    intake_fini(&rig->intake);
    channel_free(rig->channel);
    counts_free(rig->counts);
    buf_fini(&rig->copy);
}

static struct frame taken(struct rig *rig)
{
    struct frame frame = {0};
    uint64_t position;
    size_t size;
    assert_int_equal(channel_take(rig->channel, &rig->copy, &position), OK);
    assert_int_equal(frame_read(buf_slice(&rig->copy), &frame, &size, NULL), OK);
    return frame;
}

static void a_batch_arrives_with_what_is_known_of_it(void **unused)
{
    (void)unused;
    struct rig rig;
    uint64_t position;
    open_rig(&rig);
    struct intake_batch batch = {.input = &rig.input, .source = SLICE("syslog/10.1.2.3")};
    frame_records_add(&batch.records, SLICE("one"));
    frame_records_add(&batch.records, SLICE("two"));
    assert_int_equal(intake_put(&rig.intake, &batch, &position), OK);
    assert_int_equal(batch.records.count, 0);
    assert_true(intake_done(&rig.intake) < position);
    struct frame frame = taken(&rig);
    assert_int_equal(frame.kind, FRAME_RECORDS);
    assert_int_equal(frame.count, 2);
    assert_true(frame.receipt_ns == noon());
    assert_true(slice_equal(frame.attribute[FRAME_TENANT], SLICE("sg/moh")));
    assert_true(slice_equal(frame.attribute[FRAME_SOURCE], SLICE("syslog/10.1.2.3")));
    assert_true(slice_equal(frame.attribute[FRAME_FORMAT], SLICE("syslog")));
    assert_null(frame.attribute[FRAME_KEY].at);
    const struct counts_source *counts = intake_counts(&rig.intake, &batch);
    assert_int_equal(counts_totals(counts).received, 2);
    assert_int_equal(counts->taken_bytes, 8);
    frame_records_fini(&batch.records);
    close_rig(&rig);
}

static void the_tenant_of_a_token_goes_before_the_inputs(void **unused)
{
    (void)unused;
    struct rig rig;
    uint64_t position;
    open_rig(&rig);
    struct intake_batch batch = {
            .input = &rig.input, .source = SLICE("http"), .tenant = SLICE("sg/mof")};
    frame_records_add(&batch.records, SLICE("{}"));
    assert_int_equal(intake_put(&rig.intake, &batch, &position), OK);
    assert_true(slice_equal(taken(&rig).attribute[FRAME_TENANT], SLICE("sg/mof")));
    assert_string_equal(intake_counts(&rig.intake, &batch)->tenant, "sg/mof");
    frame_records_fini(&batch.records);
    close_rig(&rig);
}

static void without_room_the_batch_stays_and_is_not_counted(void **unused)
{
    (void)unused;
    static char text[20000];
    struct rig rig;
    uint64_t position = 0, n = 0;
    enum err e = OK;
    open_rig(&rig);
    memset(text, 'x', sizeof text);
    struct intake_batch batch = {.input = &rig.input, .source = SLICE("s")};
    while (e == OK) {
        frame_records_clear(&batch.records);
        frame_records_add(&batch.records, slice_of(text, sizeof text));
        e = intake_put(&rig.intake, &batch, &position);
        n += e == OK;
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_int_equal(n, 3);
    assert_int_equal(batch.records.count, 1);
    assert_int_equal(counts_totals(intake_counts(&rig.intake, &batch)).received, 3);
    channel_finish(rig.channel, position);
    assert_int_equal(intake_put(&rig.intake, &batch, &position), OK);
    frame_records_fini(&batch.records);
    close_rig(&rig);
}

static void what_is_rejected_is_kept_with_its_reason(void **unused)
{
    (void)unused;
    struct rig rig;
    open_rig(&rig);
    struct intake_batch batch = {.input = &rig.input, .source = SLICE("s")};
    assert_int_equal(intake_reject(&rig.intake, &batch, SLICE("99x"), COUNTS_FRAMING,
                             "a length with letters"),
            OK);
    struct frame frame = taken(&rig);
    assert_int_equal(frame.kind, FRAME_REJECTED);
    assert_true(slice_equal(frame.lines, SLICE("99x\n")));
    assert_true(
            slice_equal(frame.attribute[FRAME_REASON], SLICE("framing: a length with letters")));
    const struct counts_source *counts = intake_counts(&rig.intake, &batch);
    assert_int_equal(counts_totals(counts).received, 1);
    assert_int_equal(counts->rejected[COUNTS_FRAMING], 1);
    close_rig(&rig);
}

static void a_long_rejection_is_cut_and_says_so(void **unused)
{
    (void)unused;
    struct rig rig;
    open_rig(&rig);
    intake_fini(&rig.intake);
    channel_free(rig.channel);
    assert_int_equal(channel_new(1 << 23, &rig.channel, NULL), OK);
    intake_init(&rig.intake, rig.channel, rig.counts, noon);
    char *text = calloc(1, INTAKE_BATCH + 1);
    struct intake_batch batch = {.input = &rig.input, .source = SLICE("s")};
    for (size_t more = 0; more < 2; more++) {
        assert_int_equal(intake_reject(&rig.intake, &batch, slice_of(text, INTAKE_BATCH + more),
                                 COUNTS_TOO_LONG, "a line"),
                OK);
        struct frame frame = taken(&rig);
        assert_int_equal(frame.lines.size, INTAKE_BATCH + 1);
        assert_true(slice_equal(frame.attribute[FRAME_REASON],
                more ? SLICE("too_long: a line (1048576 of 1048577 bytes are kept)")
                     : SLICE("too_long: a line")));
    }
    free(text);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_batch_arrives_with_what_is_known_of_it),
            cmocka_unit_test(the_tenant_of_a_token_goes_before_the_inputs),
            cmocka_unit_test(without_room_the_batch_stays_and_is_not_counted),
            cmocka_unit_test(what_is_rejected_is_kept_with_its_reason),
            cmocka_unit_test(a_long_rejection_is_cut_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
