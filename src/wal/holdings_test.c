#include "wal/holdings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "base/time.h"
#include "support/crash_disk.h"
#include "wal/retain.h"
#include "wal/wal.h"

#define NOW (INT64_C(1790000000) * TIME_SECOND)
#define HELD "log/00000000000000000000.held"

struct rig {
    struct crash_disk *disk;
    struct wal *wal;
};

static struct rig start(uint64_t segment_bytes)
{
    struct rig rig = {.disk = crash_disk_new()};
    const struct wal_options options = {
            .disk = crash_disk_calls(rig.disk), .segment_bytes = segment_bytes};
    assert_int_equal(wal_open("log", &options, &rig.wal, NULL), OK);
    return rig;
}

static void end(struct rig *rig)
{
    wal_close(rig->wal);
    crash_disk_free(rig->disk);
}

/* With a segment of 1 byte each is a segment of its own. */
static void put(struct rig *rig, enum frame_kind kind, const char *tenant, int64_t receipt_ns)
{
    struct frame_records records = {0};
    struct frame frame = {.kind = kind, .receipt_ns = receipt_ns};
    frame.attribute[FRAME_TENANT] = slice_text(tenant);
    frame_records_add(&records, SLICE("0123456789"));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(wal_append(rig->wal, &frame, NULL), OK);
    assert_int_equal(wal_commit(rig->wal, NULL), OK);
    frame_records_fini(&records);
}

static void put_rules(struct rig *rig, char digit)
{
    char hash[DIGEST_HEX] = {0};
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RULES, .receipt_ns = NOW};
    memset(hash, digit, sizeof hash - 1);
    frame.attribute[FRAME_RULESET] = slice_text(hash);
    frame_records_add(&records, SLICE("0123456789"));
    assert_int_equal(frame_take(&frame, &records), OK);
    assert_int_equal(wal_append(rig->wal, &frame, NULL), OK);
    assert_int_equal(wal_commit(rig->wal, NULL), OK);
    frame_records_fini(&records);
}

static bool is_named(const struct holdings *h, char digit)
{
    char hash[DIGEST_HEX] = {0};
    memset(hash, digit, sizeof hash - 1);
    return holdings_names(h, hash);
}

static struct holdings *count_all(struct rig *rig)
{
    struct holdings *h;
    bool more = true;
    assert_int_equal(holdings_new("log", crash_disk_calls(rig->disk), &h, NULL), OK);
    while (more) {
        assert_int_equal(holdings_turn(h, wal_committed(rig->wal), 2, &more, NULL), OK);
    }
    return h;
}

/* Bytes of a frame with one such record: the fixed part, size and record, tenant, mark. */
#define BYTES(tenant) (48 + 4 + 11 + 3 + sizeof tenant - 1 + 11)

static void each_tenant_is_counted_by_kind(void **unused)
{
    (void)unused;
    struct rig rig = start(0);
    put(&rig, FRAME_RECORDS, "a", NOW);
    put(&rig, FRAME_REJECTED, "a", NOW + 1);
    put(&rig, FRAME_RECORDS, "bb", NOW + 2);
    put(&rig, FRAME_RECORDS, "a", NOW + 3);
    put(&rig, FRAME_TICK, "c", NOW + 4);
    put(&rig, FRAME_MATCHES, "bb", NOW + 5);
    struct holdings *h = count_all(&rig);
    assert_int_equal(h->segment_count, 1);
    assert_int_equal(h->tenant_count, 2);
    assert_false(h->segments[0].counted);
    assert_int_equal(h->tenants[0].bytes[HOLDINGS_RECORDS], 2 * BYTES("a"));
    assert_int_equal(h->tenants[0].records[HOLDINGS_RECORDS], 2);
    assert_int_equal(h->tenants[0].records[HOLDINGS_QUARANTINE], 1);
    assert_int_equal(h->tenants[1].bytes[HOLDINGS_RECORDS], BYTES("bb"));
    assert_int_equal(h->tenants[1].bytes[HOLDINGS_MATCHES], BYTES("bb"));
    assert_int_equal(h->tenants[1].records[HOLDINGS_FINDINGS], 0);
    assert_int_equal(h->segments[0].at[0].oldest_ns, NOW);
    assert_int_equal(h->segments[0].at[0].newest_ns, NOW + 3);
    holdings_free(h);
    end(&rig);
}

static void the_sums_are_those_of_the_files(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    const char *const name = "log/00000000000000000000.seg";
    put(&rig, FRAME_RECORDS, "a", NOW);
    uint64_t before = crash_disk_file(rig.disk, name).size;
    put(&rig, FRAME_RECORDS, "a", NOW); /* seals the first */
    struct holdings *h = count_all(&rig);
    /* HEAD: fixed, mark, log id. */
    assert_int_equal(before - (48 + 11 + 35), h->segments[0].at[0].bytes);
    holdings_free(h);
    end(&rig);
}

/* Records counted by a new process, where the first segment and its file are these. */
static uint64_t counted_after(struct rig *rig, struct slice segment, struct slice held)
{
    struct rig after = {.disk = crash_disk_crash(rig->disk, crash_disk_count(rig->disk), 1)};
    struct holdings *h;
    bool more = true;
    crash_disk_put(after.disk, "log/00000000000000000000.seg", segment);
    crash_disk_put(after.disk, HELD, held);
    assert_int_equal(holdings_new("log", crash_disk_calls(after.disk), &h, NULL), OK);
    while (more) {
        assert_int_equal(holdings_turn(h, 4, 2, &more, NULL), OK);
    }
    uint64_t all = 0;
    for (size_t i = 0; i < h->tenant_count; i++) {
        all += h->tenants[i].records[HOLDINGS_RECORDS];
    }
    holdings_free(h);
    crash_disk_free(after.disk);
    return all;
}

static void what_was_counted_is_not_read_again(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    for (int i = 0; i < 4; i++) {
        put(&rig, FRAME_RECORDS, i % 2 ? "a" : "b", NOW + i);
    }
    struct holdings *h = count_all(&rig);
    assert_int_equal(h->segment_count, 4);
    assert_true(h->segments[2].counted && !h->segments[3].counted);
    holdings_free(h);
    /* The segment need not be there to be read; a file with a wrong sum is not believed. */
    struct slice held = crash_disk_file(rig.disk, HELD);
    assert_true(slice_starts(held, SLICE("merlon-held 2 0 1\n")));
    assert_int_equal(counted_after(&rig, SLICE("nothing any more"), held), 4);
    char text[200];
    held = crash_disk_file(rig.disk, HELD);
    assert_true(held.size < sizeof text);
    memcpy(text, held.at, held.size);
    text[held.size - 20] ^= 1;
    assert_int_equal(counted_after(&rig, SLICE("nothing any more"), slice_of(text, held.size)), 3);
    end(&rig);
}

static void what_is_removed_is_forgotten(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    uint64_t first;
    bool more;
    for (int i = 0; i < 4; i++) {
        put(&rig, FRAME_RECORDS, "a", NOW + i);
    }
    struct holdings *h = count_all(&rig);
    assert_int_equal(wal_remove(rig.wal, 1, &first, NULL), OK);
    assert_non_null(crash_disk_file(rig.disk, HELD).at);
    assert_int_equal(holdings_turn(h, 4, 100, &more, NULL), OK);
    assert_null(crash_disk_file(rig.disk, HELD).at);
    assert_int_equal(h->segments[0].base, 1);
    assert_int_equal(h->tenants[0].records[HOLDINGS_RECORDS], 3);
    /* One that nobody saw go is swept away at the next start. */
    assert_int_equal(wal_remove(rig.wal, 2, &first, NULL), OK);
    holdings_free(h);
    assert_non_null(crash_disk_file(rig.disk, "log/00000000000000000001.held").at);
    h = count_all(&rig);
    assert_null(crash_disk_file(rig.disk, "log/00000000000000000001.held").at);
    assert_non_null(crash_disk_file(rig.disk, "log/00000000000000000002.held").at);
    holdings_free(h);
    end(&rig);
}

/* ---- what goes ---------------------------------------------------------------------------------
 */

static struct retain_limit limits[3]; /* of a, of b, of quarantine */

static struct holdings *without_first(struct rig *rig, struct holdings *h)
{
    uint64_t first;
    bool more;
    assert_int_equal(wal_remove(rig->wal, h->segments[1].base, &first, NULL), OK);
    assert_int_equal(holdings_turn(h, wal_committed(rig->wal), 100, &more, NULL), OK);
    return h;
}

/* In several segments, in one several times, read or known from their sums. */
static void a_set_of_rules_is_named_while_a_segment_names_it(void **unused)
{
    (void)unused;
    struct rig rig = start(330); /* two frames a segment */
    const char *const digits = "aabaccd";
    for (size_t i = 0; digits[i]; i++) {
        put_rules(&rig, digits[i]);
    }
    struct holdings *h = count_all(&rig); /* makes the .held */
    assert_int_equal(h->segment_count, 4);
    for (int known = 0; known < 2; known++) {
        assert_true(is_named(h, 'a') && is_named(h, 'b') && is_named(h, 'c') && is_named(h, 'd'));
        assert_false(is_named(h, 'e'));
        holdings_free(h);
        h = count_all(&rig);
    }
    without_first(&rig, h);
    assert_true(is_named(h, 'a') && is_named(h, 'b') && is_named(h, 'c'));
    without_first(&rig, h);
    assert_true(!is_named(h, 'a') && !is_named(h, 'b') && is_named(h, 'c'));
    without_first(&rig, h);
    assert_true(!is_named(h, 'c') && is_named(h, 'd'));
    holdings_free(h);
    end(&rig);
}

static struct retain_limit limit(const void *context, struct slice tenant, enum holdings_kind kind)
{
    (void)context;
    return kind == HOLDINGS_QUARANTINE ? limits[2] : limits[tenant.at[0] == 'b'];
}

static uint64_t below(const struct holdings *h, int64_t now_ns, uint64_t needed)
{
    const struct retain retain = {.limit = limit, .now_ns = now_ns, .needed = needed};
    return retain_below(&retain, h);
}

static void a_segment_goes_when_all_in_it_is_past_its_limits(void **unused)
{
    (void)unused;
    struct rig rig = start(200); /* two frames a segment */
    const char *const tenants[] = {"a", "b", "a", "a", "a", "a"};
    for (int i = 0; i < 6; i++) {
        put(&rig, FRAME_RECORDS, tenants[i], NOW + i);
    }
    struct holdings *h = count_all(&rig);
    uint64_t end_of_first = h->segments[1].base;
    assert_int_equal(end_of_first, 2);
    memset(limits, 0, sizeof limits);
    assert_int_equal(below(h, NOW + 1000, 100), 0); /* nobody said anything */
    limits[0].age_ns = 100;
    assert_int_equal(below(h, NOW + 1000, 100), 0); /* b has no limit */
    limits[1].age_ns = 500;
    assert_int_equal(below(h, NOW + 1 + 499, 100), 0);
    assert_int_equal(below(h, NOW + 1 + 500, 100), 2);
    assert_int_equal(below(h, NOW + 1 + 500, 1), 0); /* it is needed */
    /* By size, each by itself. */
    limits[0] = (struct retain_limit){.bytes = 5 * BYTES("a")};
    assert_int_equal(below(h, NOW + 1000, 100), 0);
    limits[0].bytes--;
    assert_int_equal(below(h, NOW + 1000, 100), 2);
    const struct retain retain = {.limit = limit, .now_ns = NOW + 1000};
    assert_int_equal(retain_beyond(&retain, h, 0, HOLDINGS_RECORDS), 1);
    assert_int_equal(retain_beyond(&retain, h, 1, HOLDINGS_RECORDS), BYTES("b"));
    holdings_free(h);
    end(&rig);
}

/* What windows rest on stays as long as they may; that nobody knows how long keeps it. */
static void matches_stay_for_their_time(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    put(&rig, FRAME_MATCHES, "a", NOW);
    put(&rig, FRAME_MATCHES, "a", NOW);
    struct holdings *h = count_all(&rig);
    memset(limits, 0, sizeof limits);
    struct retain retain = {.limit = limit, .now_ns = NOW + 500, .needed = 100};
    assert_int_equal(retain_below(&retain, h), 0);
    retain.horizon_ns = 501;
    assert_int_equal(retain_below(&retain, h), 0);
    retain.horizon_ns = 500;
    assert_int_equal(retain_below(&retain, h), 1);
    holdings_free(h);
    end(&rig);
}

static void quarantine_and_the_last_segment_stay(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    put(&rig, FRAME_REJECTED, "a", NOW);
    struct holdings *h = count_all(&rig);
    memset(limits, 0, sizeof limits);
    limits[2].age_ns = limits[0].age_ns = 1;
    assert_int_equal(below(h, NOW + 1000, 100), 0); /* the last */
    holdings_free(h);
    put(&rig, FRAME_RECORDS, "a", NOW);
    h = count_all(&rig);
    limits[2].age_ns = 1001;
    assert_int_equal(below(h, NOW + 1000, 100), 0);
    assert_int_equal(below(h, NOW + 1001, 100), 1);
    holdings_free(h);
    end(&rig);
}

/* A receipt time that cannot be is bounded by those behind it. */
static void wrong_clocks_of_the_past_do_no_harm(void **unused)
{
    (void)unused;
    static const struct {
        int64_t first, second, at;
        bool goes;
    } rows[] = {
            {5, NOW, NOW + 99, false},                                               /* 1970 */
            {5, NOW, NOW + 100, true}, {NOW + 400 * TIME_DAY, NOW, NOW + 99, false}, /* far ahead */
            {NOW + 400 * TIME_DAY, NOW, NOW + 100, true}, {5, 6, NOW, false}, /* nothing is known */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig = start(1);
        put(&rig, FRAME_RECORDS, "a", rows[i].first);
        put(&rig, FRAME_RECORDS, "a", rows[i].second);
        struct holdings *h = count_all(&rig);
        memset(limits, 0, sizeof limits);
        limits[0].age_ns = 100;
        assert_int_equal(below(h, rows[i].at, 100), rows[i].goes ? 1 : 0);
        holdings_free(h);
        end(&rig);
    }
}

static void a_leap_of_the_clock_is_not_believed_for_a_day(void **unused)
{
    (void)unused;
    struct retain_clock clock = {.trusted_ns = NOW, .steady_ns = 5};
    assert_int_equal(retain_clock_now(&clock, NOW + 10, 10), NOW + 10);
    assert_int_equal(retain_clock_now(&clock, NOW - 10, 20), NOW - 10); /* back: at once */
    assert_int_equal(retain_clock_now(&clock, NOW + TIME_DAY - 10, 20), NOW + TIME_DAY - 10);
    int64_t far = NOW + 900 * TIME_DAY, here = NOW + TIME_DAY - 10;
    assert_int_equal(retain_clock_now(&clock, far, 21), here + 1);
    assert_int_equal(retain_clock_now(&clock, far, 20 + TIME_DAY), here + TIME_DAY);
    assert_int_equal(retain_clock_now(&clock, far, 21 + TIME_DAY), far);
    /* Back in between: a new leap is a new one. */
    clock = (struct retain_clock){.trusted_ns = NOW, .steady_ns = 1};
    assert_int_equal(retain_clock_now(&clock, far, 2), NOW + 1);
    assert_int_equal(retain_clock_now(&clock, NOW + 2, 3), NOW + 2);
    assert_int_equal(retain_clock_now(&clock, far, 1 + TIME_DAY), NOW + TIME_DAY);
    clock = (struct retain_clock){0}; /* nothing is known of an empty log */
    assert_int_equal(retain_clock_now(&clock, far, 7), far);
}

static void without_memory_it_says_so(void **unused)
{
    (void)unused;
    struct rig rig = start(1);
    put(&rig, FRAME_RECORDS, "a", NOW);
    put(&rig, FRAME_RECORDS, "b", NOW);
    for (uint64_t n = 1;; n++) {
        struct holdings *h = NULL;
        bool more;
        memory_fail_after(n);
        enum err e = holdings_new("log", crash_disk_calls(rig.disk), &h, NULL);
        if (e == OK) {
            e = holdings_turn(h, 2, 10, &more, NULL);
        }
        memory_fail_after(0);
        if (e == OK) {
            assert_int_equal(h->tenants[0].records[0] + h->tenants[1].records[0], 2);
            holdings_free(h);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(e, ERR_MEMORY);
        holdings_free(h);
    }
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_set_of_rules_is_named_while_a_segment_names_it),
            cmocka_unit_test(each_tenant_is_counted_by_kind),
            cmocka_unit_test(the_sums_are_those_of_the_files),
            cmocka_unit_test(what_was_counted_is_not_read_again),
            cmocka_unit_test(what_is_removed_is_forgotten),
            cmocka_unit_test(a_segment_goes_when_all_in_it_is_past_its_limits),
            cmocka_unit_test(matches_stay_for_their_time),
            cmocka_unit_test(quarantine_and_the_last_segment_stay),
            cmocka_unit_test(wrong_clocks_of_the_past_do_no_harm),
            cmocka_unit_test(a_leap_of_the_clock_is_not_believed_for_a_day),
            cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
