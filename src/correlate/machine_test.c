#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "correlate/machine.h"
#include "sigma/ruleset.h"

/* What one test plays with. */
struct stage {
    struct ruleset *set;
    struct machine *machine;
    uint32_t findings;
    struct machine_finding last;
    struct evidence evidence;
};

static enum err take(void *context, const struct machine_finding *f)
{
    struct stage *s = context;
    s->findings++;
    s->last = *f;
    s->evidence = *f->evidence;
    return OK;
}

static enum err build(struct stage *s, const char *condition, bool every, size_t limit)
{
    const struct ruleset_options options = {0};
    struct diag diag = {0};
    struct buf text = {0};
    buf_format(&text,
            "title: a\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\n---\n"
            "title: b\ncorrelation: {rules: a, timespan: 10s, group-by: u, %s}\n---\n"
            "title: c\ncorrelation: {rules: b, timespan: 5s, type: event_count, condition: {gte: "
            "1}}\n",
            condition);
    enum err e = ruleset_new(&options, &s->set, &diag);
    if (e == OK) {
        e = ruleset_load_text(s->set, SLICE("t.yml"), buf_slice(&text), &diag);
    }
    buf_fini(&text);
    if (e == OK) {
        e = ruleset_finish(s->set, &diag);
    }
    static const bool visible[] = {false, true, false};
    const struct machine_setting setting = {.set = s->set,
            .visible = visible,
            .every = every,
            .state_limit = limit,
            .finding = take,
            .context = s};
    return e == OK ? machine_new(&setting, &s->machine) : e;
}

static void fini(struct stage *s)
{
    machine_free(s->machine);
    ruleset_free(s->set);
    *s = (struct stage){0};
}

static enum err play(struct stage *s, int64_t second, uint64_t record, const char *user)
{
    const struct match_id id = {second * TIME_SECOND, record, 0, 0};
    struct match_writer w;
    struct buf out = {0};
    struct slice rest, bytes;
    match_begin(&w, &out, &id, SLICE("host"));
    for (uint32_t i = 0; i < s->set->rules[0]->wanted_count; i++) {
        match_field(&w);
        match_value(&w, slice_text(user));
    }
    match_end(&w);
    rest = buf_slice(&out);
    enum err e =
            !out.failed && match_cut(&rest, &bytes) ? machine_match(s->machine, bytes) : ERR_MEMORY;
    buf_fini(&out);
    return e;
}

#define COUNT_3 "type: event_count, condition: {gte: 3}"

static void a_late_event_is_counted_and_its_time_named(void **state)
{
    (void)state;
    struct stage s = {0};
    struct machine_report r;
    assert_int_equal(build(&s, COUNT_3, true, 0), OK);
    assert_int_equal(play(&s, 100, 1, "u"), OK);
    assert_int_equal(play(&s, 102, 2, "u"), OK);
    assert_int_equal(play(&s, 104, 3, "u"), OK); /* 102 is judged now */
    assert_int_equal(play(&s, 101, 4, "u"), OK);
    assert_int_equal(play(&s, 102, 2, "u"), OK); /* judged already: late as well */
    assert_int_equal(machine_end(s.machine), OK);
    assert_int_equal(s.findings, 1);
    assert_int_equal(machine_count(s.machine), 2);
    machine_report(s.machine, 0, &r);
    assert_int_equal(r.late, 2);
    assert_int_equal(r.events, 3);
    assert_int_equal(r.inexact->count, 1);
    assert_true(r.inexact->at[0].from_ns == 101 * TIME_SECOND);
    assert_true(r.inexact->at[0].to_ns == 112 * TIME_SECOND);
    machine_report(s.machine, 1, &r); /* what is made of it reaches five seconds further */
    assert_true(r.inexact->at[0].to_ns == 117 * TIME_SECOND);
    fini(&s);
}

static void time_going_on_gives_findings_whose_window_has_passed(void **state)
{
    (void)state;
    struct stage s = {0};
    assert_int_equal(build(&s, COUNT_3, false, 0), OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(play(&s, 100 + i, (uint64_t)i + 1, "u"), OK);
    }
    assert_int_equal(machine_advance(s.machine, 114 * TIME_SECOND), OK);
    assert_int_equal(s.findings, 0); /* an event at 114 would still extend it */
    assert_int_equal(machine_advance(s.machine, 114 * TIME_SECOND + 1), OK);
    assert_int_equal(s.findings, 1);
    assert_true(s.last.time_ns == 102 * TIME_SECOND && s.last.to_ns == 104 * TIME_SECOND);
    assert_int_equal(s.evidence.total, 5);
    assert_int_equal(play(&s, 113, 9, "u"), OK); /* before the mark */
    struct machine_report r;
    machine_report(s.machine, 0, &r);
    assert_int_equal(r.late, 1);
    fini(&s);
}

static void evidence_is_the_first_and_the_last(void **state)
{
    (void)state;
    struct stage s = {0};
    assert_int_equal(build(&s, "type: event_count, condition: {gte: 200}", true, 0), OK);
    for (uint64_t i = 1; i <= 200; i++) {
        assert_int_equal(play(&s, 100, i, "u"), OK);
    }
    assert_int_equal(machine_end(s.machine), OK);
    assert_int_equal(s.findings, 1);
    assert_int_equal(s.evidence.total, 200);
    assert_int_equal(evidence_kept(&s.evidence), 64);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(evidence_at(&s.evidence, i)->record, i < 32 ? i + 1 : i + 137);
    }
    fini(&s);
}

static void long_values_are_told_apart_by_their_whole(void **state)
{
    (void)state;
    static char one[3000], other[3000], upper[3000];
    struct stage s = {0};
    memset(one, 'a', sizeof one - 1);
    memset(other, 'a', sizeof other - 1);
    memset(upper, 'A', sizeof upper - 1);
    other[2500] = 'b';
    assert_int_equal(build(&s, COUNT_3, true, 0), OK);
    assert_int_equal(play(&s, 100, 1, one), OK);
    assert_int_equal(play(&s, 100, 2, other), OK);
    assert_int_equal(play(&s, 100, 3, upper), OK);
    assert_int_equal(machine_end(s.machine), OK);
    assert_int_equal(s.findings, 0);
    fini(&s);
    assert_int_equal(build(&s, "type: event_count, condition: {gte: 2}", true, 0), OK);
    assert_int_equal(play(&s, 100, 1, one), OK);
    assert_int_equal(play(&s, 100, 3, upper), OK);
    assert_int_equal(machine_end(s.machine), OK);
    assert_int_equal(s.findings, 1);
    fini(&s);
}

/* Every allocation fails once, for each kind of state: an error, and nothing is lost or broken. */
static void refused_memory_is_an_error(void **state)
{
    (void)state;
    static const char *const kinds[] = {COUNT_3, "type: value_count, condition: {field: v, gte: 2}",
            "type: temporal", "type: temporal_ordered",
            "type: value_sum, condition: {field: v, gte: 2}",
            "type: value_median, condition: {field: v, gte: 2}"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool whole = false;
        for (uint64_t n = 1; !whole; n++) {
            struct stage s = {0};
            assert_int_equal(build(&s, kinds[k], k % 2, 2000), OK);
            memory_fail_after(n);
            enum err e = OK;
            for (uint64_t i = 1; i <= 9 && e == OK; i++) {
                e = play(&s, 100 + (int64_t)i, i, i % 2 ? "1" : "2");
            }
            e = e == OK ? machine_end(s.machine) : e;
            memory_fail_after(0);
            assert_true(e == OK || e == ERR_MEMORY);
            whole = e == OK;
            fini(&s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_late_event_is_counted_and_its_time_named),
            cmocka_unit_test(time_going_on_gives_findings_whose_window_has_passed),
            cmocka_unit_test(evidence_is_the_first_and_the_last),
            cmocka_unit_test(long_values_are_told_apart_by_their_whole),
            cmocka_unit_test(refused_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
