#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/counts.h"

static struct counts *make(void)
{
    struct counts *counts = NULL;
    assert_int_equal(counts_new(&counts, NULL), OK);
    return counts;
}

static struct slice numbered(char *room, size_t size, unsigned n)
{
    return slice_of(room, (size_t)snprintf(room, size, "syslog-udp/10.0.%u.%u", n / 256, n % 256));
}

static void a_source_is_its_tenant_and_its_name(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    struct counts_source *a = counts_source(counts, SLICE("sg/moh"), SLICE("udp"));
    struct counts_source *b = counts_source(counts, SLICE("sg/mof"), SLICE("udp"));
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a, counts_source(counts, SLICE("sg/moh"), SLICE("udp")));
    counts_add(&a->taken, UINT64_C(1) << 33);
    assert_true(a->taken == UINT64_C(1) << 33 && b->taken == 0);
    assert_int_equal(counts_size(counts), 2);
    assert_ptr_equal(counts_at(counts, 1), b);
    assert_string_equal(counts_at(counts, 0)->tenant, "sg/moh");
    counts_free(counts);
}

static void processes_that_name_the_same_sources_share_them(void **unused)
{
    (void)unused;
    enum { CHILDREN = 4, NAMES = 1000 };
    struct counts *counts = make();
    pid_t children[CHILDREN];
    char room[64];
    for (int c = 0; c < CHILDREN; c++) {
        children[c] = fork();
        for (unsigned n = 0; children[c] == 0 && n < NAMES; n++) {
            struct slice name = numbered(room, sizeof room, n);
            counts_add(&counts_source(counts, SLICE("sg"), name)->taken, 1);
        }
        if (children[c] == 0) {
            _exit(0);
        }
    }
    for (int c = 0; c < CHILDREN; c++) {
        assert_int_equal(waitpid(children[c], NULL, 0), children[c]);
    }
    size_t seen = 0;
    for (size_t i = 0; i < counts_size(counts); i++) {
        const struct counts_source *s = counts_at(counts, i);
        seen += s != NULL;
        assert_true(!s || s->taken == CHILDREN);
    }
    assert_int_equal(seen, NAMES);
    counts_free(counts);
}

static void sources_over_the_limit_share_a_slot_that_says_so(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    char room[64];
    for (unsigned n = 0; n < COUNTS_SOURCES + 3; n++) {
        counts_add(&counts_source(counts, SLICE("sg"), numbered(room, sizeof room, n))->taken, 1);
        assert_int_equal(counts_crowded(counts), n < COUNTS_SOURCES ? 0 : n - COUNTS_SOURCES + 1);
    }
    assert_int_equal(counts_size(counts), COUNTS_SOURCES + 1);
    const struct counts_source *others = counts_at(counts, COUNTS_SOURCES);
    assert_string_equal(others->name, "(others)");
    assert_int_equal(others->taken, 3);
    assert_ptr_equal(counts_at(counts, 0),
            counts_source(counts, SLICE("sg"), numbered(room, sizeof room, 0)));
    counts_free(counts);
}

static void long_names_are_cut_and_stay_themselves(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    char name[COUNTS_NAME + 20];
    memset(name, 'a', sizeof name);
    struct counts_source *s = counts_source(counts, SLICE(""), slice_of(name, sizeof name));
    assert_ptr_equal(s, counts_source(counts, SLICE(""), slice_of(name, sizeof name)));
    assert_int_equal(strlen(s->name), COUNTS_NAME - 1);
    counts_free(counts);
}

static void hours_add_up(void **unused)
{
    (void)unused;
    const int64_t minute_ns = INT64_C(60) * 1000000000;
    struct counts *counts = make();
    struct counts_mark marks[COUNTS_MARKS];
    struct counts_source *early = counts_source(counts, SLICE("sg"), SLICE("early")), *late = NULL;
    assert_int_equal(counts_marks(counts, marks), 0);
    for (int minute = 0; minute < 60 * 60; minute++) {
        counts_hours(counts, (minute + 7) * minute_ns);
        counts_add(&early->taken, 2);
        counts_add(&early->stored, 2);
        counts_add(&early->rejected[COUNTS_SYNTAX], 1);
        if (minute == 50 * 60) {
            late = counts_source(counts, SLICE("sg"), SLICE("late"));
            counts_add(&late->taken, 5); /* and nobody said yet what became of it */
        }
    }
    size_t count = counts_marks(counts, marks);
    assert_int_equal(count, COUNTS_MARKS - 1);
    for (size_t i = 1; i < count; i++) {
        const struct counts_totals *from = &early->marks[marks[i - 1].place];
        const struct counts_totals *to = &early->marks[marks[i].place];
        assert_int_equal(marks[i].ns - marks[i - 1].ns, 60 * minute_ns);
        assert_int_equal(to->received - from->received, 180);
        assert_int_equal(to->stored - from->stored, 120);
        assert_int_equal(to->rejected - from->rejected, 60);
    }
    assert_int_equal(late->marks[marks[0].place].received, 0);
    assert_int_equal(late->marks[marks[count - 1].place].received, 5);
    /* A clock that is put back begins another span. */
    counts_hours(counts, 5 * minute_ns);
    assert_int_equal(marks[counts_marks(counts, marks) - 1].ns, 5 * minute_ns);
    counts_free(counts);
}

static void one_that_is_known_from_before_counts_nothing(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    counts_recall(counts, SLICE("sg"), SLICE("old"), 70);
    struct counts_source *old = counts_source(counts, SLICE("sg"), SLICE("old"));
    assert_int_equal(counts_size(counts), 1);
    assert_true(old->last_ns == 70 && old->taken == 0);
    counts_recall(counts, SLICE("sg"), SLICE("old"), 60);
    assert_true(old->last_ns == 70);
    counts_recall(counts, SLICE("sg"), SLICE("old"), 80);
    assert_true(old->last_ns == 80);
    counts_free(counts);
}

static void what_is_forgotten_gives_its_place_to_another(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    char room[64];
    assert_false(counts_forget(counts, 0) || counts_forget(counts, COUNTS_SOURCES));
    /* Ten times as many as have a place, one after the other. */
    for (unsigned n = 0; n < 10 * COUNTS_SOURCES; n++) {
        struct counts_source *s =
                counts_source(counts, SLICE("sg"), numbered(room, sizeof room, n));
        assert_true(s->taken == 0 && s->marks[3].received == 0 && s->last_ns == 0);
        s->marks[3].received = 1;
        counts_add(&s->taken, 1);
        s->last_ns = 5;
        assert_ptr_equal(s, counts_source(counts, SLICE("sg"), numbered(room, sizeof room, n)));
        const size_t at = n == 0 ? 0 : 1; /* the first one stays */
        assert_ptr_equal(counts_at(counts, at), s);
        assert_false(counts_forget(counts, at)); /* it is in flight */
        counts_add(&s->stored, 1);
        if (n > 0) {
            assert_true(counts_forget(counts, at));
            assert_null(counts_at(counts, at));
            assert_false(counts_forget(counts, at));
            assert_true(counts_is_leaving(counts, at));
            counts_settle(counts, at);
            assert_false(counts_is_leaving(counts, at));
        }
    }
    assert_int_equal(counts_size(counts), 2);
    assert_int_equal(counts_crowded(counts), 0);
    assert_int_equal(counts_forgotten(counts), 10 * COUNTS_SOURCES - 1);
    counts_free(counts);
}

static void who_stays_is_found_where_others_went(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    char room[64];
    for (unsigned n = 0; n < COUNTS_SOURCES; n++) {
        counts_recall(counts, SLICE("sg"), numbered(room, sizeof room, n), 1 + n);
    }
    for (unsigned n = 0; n < COUNTS_SOURCES; n += 2) {
        assert_true(counts_forget(counts, n));
        counts_settle(counts, n);
    }
    for (unsigned n = 1; n < COUNTS_SOURCES; n += 2) {
        struct counts_source *s =
                counts_source(counts, SLICE("sg"), numbered(room, sizeof room, n));
        assert_ptr_equal(s, counts_at(counts, n));
        assert_true(s->last_ns == 1 + n);
    }
    counts_free(counts);
}

static void one_that_comes_again_while_it_leaves_is_whole(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    struct counts_source *held = counts_source(counts, SLICE("sg"), SLICE("x"));
    counts_add(&held->taken, 3);
    counts_add(&held->stored, 3);
    held->last_ns = 5;
    assert_true(counts_forget(counts, 0));
    /* One process finds it anew, another still holds the old one. */
    struct counts_source *again = counts_source(counts, SLICE("sg"), SLICE("x"));
    assert_ptr_not_equal(again, held);
    counts_add(&again->taken, 10);
    counts_add(&held->taken, 1);
    counts_add(&held->taken_bytes, 8);
    counts_add(&held->rejected[COUNTS_SYNTAX], 1);
    held->last_ns = 9;
    counts_settle(counts, 0);
    assert_true(again->taken == 14 && again->stored == 3 && again->taken_bytes == 8);
    assert_true(again->rejected[COUNTS_SYNTAX] == 1 && again->last_ns == 9);
    /* What stayed as it was is gone for good. */
    counts_add(&again->stored, 11);
    assert_true(counts_forget(counts, 1));
    counts_settle(counts, 1);
    assert_int_equal(counts_source(counts, SLICE("sg"), SLICE("x"))->taken, 0);
    counts_free(counts);
}

static void any_number_is_a_source(void **unused)
{
    (void)unused;
    struct counts *counts = make();
    struct counts_source *a = counts_source(counts, SLICE("sg"), SLICE("a"));
    struct counts_source *b = counts_source(counts, SLICE("sg"), SLICE("b"));
    assert_ptr_equal(counts_of(counts, counts_number(counts, a)), a);
    assert_ptr_equal(counts_of(counts, counts_number(counts, b)), b);
    struct counts_source *others = counts_of(counts, COUNTS_SOURCES);
    assert_string_equal(others->name, "(others)");
    assert_int_equal(counts_number(counts, others), COUNTS_SOURCES);
    assert_ptr_equal(counts_of(counts, COUNTS_SOURCES + 1), others);
    assert_ptr_equal(counts_of(counts, UINT32_MAX), others);
    counts_free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_source_is_its_tenant_and_its_name),
            cmocka_unit_test(processes_that_name_the_same_sources_share_them),
            cmocka_unit_test(sources_over_the_limit_share_a_slot_that_says_so),
            cmocka_unit_test(long_names_are_cut_and_stay_themselves),
            cmocka_unit_test(hours_add_up),
            cmocka_unit_test(one_that_is_known_from_before_counts_nothing),
            cmocka_unit_test(what_is_forgotten_gives_its_place_to_another),
            cmocka_unit_test(who_stays_is_found_where_others_went),
            cmocka_unit_test(one_that_comes_again_while_it_leaves_is_whole),
            cmocka_unit_test(any_number_is_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
