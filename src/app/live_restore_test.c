#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/live_restore.h"
#include "base/buf.h"
#include "base/time.h"
#include "wal/wal.h"

enum { RESULTS = 400 };
#define STEP (100 * TIME_SECOND)

static enum err fired(void *context, const struct live_finding *finding)
{
    (void)context;
    (void)finding;
    return OK;
}

/* A result each STEP: matches of a rule that is not there any more, which are counted as strange.
 */
static void put(struct wal *wal, int i)
{
    struct diag diag = {0};
    struct frame_records records = {0};
    char number[8], part[16];
    struct frame frame = {.kind = FRAME_MATCHES, .receipt_ns = i * STEP};
    frame_put64(number, (uint64_t)i - 1);
    frame_put64(part, (uint64_t)i);
    frame_put64(part + 8, 0);
    frame_records_add(&records, SLICE("a match of which nobody knows the rule"));
    assert_int_equal(frame_take(&frame, &records), OK);
    frame.attribute[FRAME_TENANT] = SLICE("t");
    frame.attribute[FRAME_THROUGH] = slice_of(number, sizeof number);
    frame.attribute[FRAME_PART] = slice_of(part, sizeof part);
    assert_int_equal(wal_append(wal, &frame, &diag), OK);
    frame_records_fini(&records);
    frame = (struct frame){.kind = FRAME_FINDINGS, .receipt_ns = i * STEP};
    frame_put64(number, (uint64_t)i);
    frame_take_empty(&frame);
    frame.attribute[FRAME_THROUGH] = slice_of(number, sizeof number);
    assert_int_equal(wal_append(wal, &frame, &diag), OK);
    assert_int_equal(wal_commit(wal, &diag), OK);
}

static void make_log(char *directory)
{
    const struct wal_options options = {.disk = &disk_real, .segment_bytes = 4096};
    struct diag diag = {0};
    struct wal *wal;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(wal_open(directory, &options, &wal, &diag), OK);
    for (int i = 1; i <= RESULTS; i++) {
        put(wal, i);
    }
    wal_close(wal);
}

/* Matches that were read of those since then, up to `most`. */
static uint64_t read_since(
        const struct ruleset *set, const char *directory, int64_t since_ns, uint64_t most)
{
    const struct live_setting setting = {.set = set, .lateness_ns = TIME_SECOND, .fired = fired};
    const struct live_span span = {directory, directory, UINT64_MAX, most, since_ns};
    struct live_figures figures;
    struct diag diag = {0};
    struct live *live;
    assert_int_equal(live_new(&setting, &live), OK);
    assert_int_equal(live_restore(live, &span, &diag), OK);
    live_figures(live, &figures);
    live_free(live);
    return figures.strange;
}

static void what_does_not_matter_is_not_read(void **state)
{
    char directory[] = "/tmp/live-restore-XXXXXX", command[80];
    const struct ruleset_options options = {0};
    struct ruleset *set;
    struct diag diag = {0};
    (void)state;
    assert_int_equal(ruleset_new(&options, &set, &diag), OK);
    assert_int_equal(ruleset_finish(set, &diag), OK);
    make_log(directory);
    assert_int_equal(read_since(set, directory, INT64_MIN, RESULTS), RESULTS);
    assert_int_equal(read_since(set, directory, INT64_MIN, RESULTS / 2), RESULTS / 2);
    for (int wanted = 1; wanted <= RESULTS; wanted += 13) {
        uint64_t read = read_since(set, directory, (RESULTS - wanted) * STEP, RESULTS);
        assert_true(read >= (uint64_t)wanted);
        assert_true(read < (uint64_t)wanted + 40); /* those of two segments */
    }
    ruleset_free(set);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

static void put_result(struct wal *wal, uint64_t through, struct slice ruleset, int64_t clock_ns)
{
    struct diag diag = {0};
    char number[8], clock[8];
    struct frame frame = {.kind = FRAME_FINDINGS, .receipt_ns = STEP};
    frame_put64(number, through);
    frame_put64(clock, (uint64_t)clock_ns);
    frame_take_empty(&frame);
    frame.attribute[FRAME_RULESET] = ruleset;
    frame.attribute[FRAME_THROUGH] = slice_of(number, sizeof number);
    frame.attribute[FRAME_CLOCK] = slice_of(clock, sizeof clock);
    assert_int_equal(wal_append(wal, &frame, &diag), OK);
}

/* A result without a match says how late it was, too; but when rules changed is no such time. */
static void time_goes_on_where_nothing_matched(void **state)
{
    char directory[] = "/tmp/live-restore-XXXXXX", command[80];
    const struct wal_options options = {.disk = &disk_real, .segment_bytes = 4096};
    const struct ruleset_options rules = {0};
    struct ruleset *set;
    struct diag diag = {0};
    struct live *live;
    struct wal *wal;
    (void)state;
    assert_int_equal(ruleset_new(&rules, &set, &diag), OK);
    assert_int_equal(ruleset_finish(set, &diag), OK);
    assert_non_null(mkdtemp(directory));
    assert_int_equal(wal_open(directory, &options, &wal, &diag), OK);
    put(wal, 1);
    put_result(wal, 2, SLICE("a"), 5 * STEP);
    put_result(wal, 3, SLICE("b"), 7 * STEP);
    assert_int_equal(wal_commit(wal, &diag), OK);
    wal_close(wal);
    const struct live_setting setting = {.set = set, .lateness_ns = TIME_SECOND, .fired = fired};
    const struct live_span span = {directory, directory, UINT64_MAX, 3, INT64_MIN};
    assert_int_equal(live_new(&setting, &live), OK);
    assert_int_equal(live_restore(live, &span, &diag), OK);
    assert_int_equal(live_now(live), 5 * STEP);
    live_free(live);
    ruleset_free(set);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(time_goes_on_where_nothing_matched),
            cmocka_unit_test(what_does_not_matter_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
