#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/live.h"
#include "app/live_restore.h"
#include "base/time.h"

enum { EVENTS = 400, RUNS = 40, FIRINGS = 4096 };
#define START (1000000 * TIME_SECOND)

static const char rules[] =
        "title: a\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\n---\n"
        "title: b\nlogsource: {category: c}\ndetection: {s: {B: x}, condition: s}\n---\n"
        "title: c\ncorrelation: {rules: a, timespan: 5s, group-by: u, type: event_count, "
        "condition: {gte: 4}}\n---\n"
        "title: d\nname: d\ncorrelation: {rules: [a, b], timespan: 2s, group-by: u, type: "
        "temporal, "
        "generate: true}\n---\n"
        "title: e\ncorrelation: {rules: [a, b], timespan: 3s, group-by: u, type: "
        "temporal_ordered}\n"
        "---\n"
        "title: f\ncorrelation: {rules: [a, b], timespan: 4s, type: value_count, condition: "
        "{field: "
        "u, gte: 5}}\n---\n"
        "title: g\ncorrelation: {rules: d, timespan: 9s, group-by: u, type: event_count, "
        "condition: "
        "{gte: 2}}\n";

struct event {
    int64_t time_ns, receipt_ns;
    uint32_t rule, user;
};

struct firing {
    int64_t time_ns;
    uint64_t offset;
    uint32_t rule;
    bool inexact;
};

struct firings {
    struct firing at[FIRINGS];
    size_t count;
};

static uint64_t dice_state;

static uint32_t dice(uint32_t below)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice_state >> 33) % below;
}

static struct ruleset *load_text(const char *text)
{
    const struct ruleset_options options = {0};
    struct ruleset *set;
    struct diag diag = {0};
    assert_int_equal(ruleset_new(&options, &set, &diag), OK);
    assert_int_equal(ruleset_load_text(set, SLICE("t.yml"), slice_text(text), &diag), OK);
    assert_int_equal(ruleset_finish(set, &diag), OK);
    assert_int_equal(set->problem_count, 0);
    return set;
}

static struct ruleset *load(void)
{
    return load_text(rules);
}

static void add(struct firings *f, const struct machine_finding *finding, uint64_t offset)
{
    assert_true(f->count < FIRINGS);
    f->at[f->count++] = (struct firing){.time_ns = finding->time_ns,
            .offset = offset,
            .rule = finding->rule->number,
            .inexact = finding->inexact};
}

static enum err fired_live(void *context, const struct live_finding *finding)
{
    struct slice source;
    uint64_t offset = live_place(finding->of, &finding->finding->trigger, &source);
    assert_true(slice_equal(source, SLICE("s")));
    add(context, finding->finding, offset);
    return OK;
}

static enum err fired_machine(void *context, const struct machine_finding *finding)
{
    add(context, finding, finding->trigger.record - 1);
    return OK;
}

static void write_match(const struct ruleset *set, const struct event *event, uint64_t offset,
        int64_t time_ns, struct buf *out)
{
    const struct match_id id = {time_ns, offset + 1, 0, event->rule};
    char user[2] = {(char)('a' + event->user), 0};
    struct match_writer w;
    match_begin(&w, out, &id, SLICE("host"));
    for (uint32_t i = 0; i < set->rules[event->rule]->wanted_count; i++) {
        match_field(&w);
        match_value(&w, slice_text(user));
    }
    match_end(&w);
}

static struct live *begin(const struct ruleset *set, int64_t wait_ns, struct firings *out)
{
    const struct live_setting setting = {.set = set,
            .lateness_ns = 10 * TIME_SECOND,
            .wait_ns = wait_ns,
            .fired = fired_live,
            .context = out};
    struct live *live;
    assert_int_equal(live_new(&setting, &live), OK);
    return live;
}

/* One event as a frame of the log; its matches go to `kept`, too. */
static void play(struct live *live, const struct ruleset *set, const struct event *event,
        uint64_t offset, struct buf *kept)
{
    struct frame frame = {.kind = FRAME_MATCHES, .receipt_ns = event->receipt_ns};
    struct frame_records records = {0};
    struct buf record = {0};
    char clock[8], part[16];
    uint8_t flags;
    live_begin(live, event->receipt_ns);
    frame_put64(clock, (uint64_t)live_clock(live, SLICE("t")));
    frame_put64(part, offset + 1);
    frame_put64(part + 8, 0);
    int64_t at = live_time(live, SLICE("t"), event->receipt_ns, &event->time_ns, &flags);
    buf_add(&record, live_shape(live, event->rule));
    buf_byte(&record, (char)flags);
    write_match(set, event, offset, at, &record);
    frame_records_add(&records, buf_slice(&record));
    assert_int_equal(frame_take(&frame, &records), OK);
    frame.attribute[FRAME_TENANT] = SLICE("t");
    frame.attribute[FRAME_SOURCE] = SLICE("s");
    frame.attribute[FRAME_CLOCK] = slice_of(clock, sizeof clock);
    frame.attribute[FRAME_PART] = slice_of(part, sizeof part);
    assert_int_equal(frame_write(&frame, kept, NULL), OK);
    assert_int_equal(live_take(live, &frame), OK);
    assert_int_equal(live_advance(live, event->receipt_ns), OK);
    frame_records_fini(&records);
    buf_fini(&record);
}

/* Random arrivals; each lies up to most_ns before its receipt. */
static void roll(struct event *events, int64_t most_ns)
{
    int64_t now = START;
    for (int i = 0; i < EVENTS; i++) {
        now += dice(8) * TIME_SECOND / 10;
        int64_t lag = dice((uint32_t)(most_ns * 10 / TIME_SECOND));
        events[i] = (struct event){.time_ns = now - lag * TIME_SECOND / 10,
                .receipt_ns = now,
                .rule = dice(2),
                .user = dice(6)};
    }
}

static void assert_same(const struct firings *a, const struct firings *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->at[i].time_ns, b->at[i].time_ns);
        assert_int_equal(a->at[i].offset, b->at[i].offset);
        assert_int_equal(a->at[i].rule, b->at[i].rule);
        assert_int_equal(a->at[i].inexact, b->at[i].inexact);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    return memcmp(x->at, y->at, MATCH_KEY);
}

/* The same matches sorted, as `merlon detect` has them. */
static void play_sorted(const struct ruleset *set, const struct event *events, struct firings *out)
{
    const struct machine_setting setting = {.set = set, .fired = fired_machine, .context = out};
    struct machine *machine;
    struct buf all = {0};
    struct slice rest, rows[EVENTS];
    for (int i = 0; i < EVENTS; i++) {
        write_match(set, &events[i], (uint64_t)i, events[i].time_ns, &all);
    }
    rest = buf_slice(&all);
    for (int i = 0; i < EVENTS; i++) {
        assert_true(match_cut(&rest, &rows[i]));
    }
    qsort(rows, EVENTS, sizeof *rows, by_time);
    assert_int_equal(machine_new(&setting, &machine), OK);
    for (int i = 0; i < EVENTS; i++) {
        assert_int_equal(machine_match(machine, rows[i]), OK);
    }
    assert_int_equal(machine_end(machine), OK);
    machine_free(machine);
    buf_fini(&all);
}

static void what_waits_long_enough_is_as_sorted(void **state)
{
    (void)state;
    struct ruleset *set = load();
    static struct event events[EVENTS];
    static struct firings live_found, sorted;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct buf kept = {0};
        struct live_figures figures;
        dice_state = run;
        live_found.count = sorted.count = 0;
        roll(events, 9 * TIME_SECOND);
        struct live *live = begin(set, 10 * TIME_SECOND, &live_found);
        for (int i = 0; i < EVENTS; i++) {
            play(live, set, &events[i], (uint64_t)i, &kept);
        }
        assert_int_equal(live_advance(live, events[EVENTS - 1].receipt_ns + 60 * TIME_SECOND), OK);
        assert_int_equal(live_due(live), INT64_MAX);
        live_figures(live, &figures);
        assert_int_equal(figures.taken, EVENTS);
        assert_int_equal(figures.late + figures.moved + figures.strange, 0);
        play_sorted(set, events, &sorted);
        assert_true(sorted.count > 20);
        assert_same(&live_found, &sorted);
        live_free(live);
        buf_fini(&kept);
    }
    ruleset_free(set);
}

static void count_late(void *context, struct slice tenant, const struct rule *rule, uint64_t count)
{
    uint64_t *late = context;
    assert_true(slice_equal(tenant, SLICE("t")));
    assert_non_null(rule->correlation);
    late[rule->number] += count;
}

/* One a comes when one later than it was judged: each of its correlations says so, once. */
static void what_is_late_is_told_by_correlation(void **state)
{
    (void)state;
    struct ruleset *set = load();
    static struct firings found;
    struct buf kept = {0};
    uint64_t late[8] = {0};
    const int64_t seconds[] = {0, 1, 20, 25}; /* of receipt; the last is of 19 */
    found.count = 0;
    struct live *live = begin(set, TIME_SECOND, &found);
    for (int i = 0; i < 4; i++) {
        const int64_t receipt_ns = START + seconds[i] * TIME_SECOND;
        const struct event event = {
                .receipt_ns = receipt_ns, .time_ns = i < 3 ? receipt_ns : START + 19 * TIME_SECOND};
        assert_int_equal(live_advance(live, receipt_ns), OK);
        play(live, set, &event, (uint64_t)i, &kept);
        live_late(live, count_late, late);
        live_late(live, count_late, late);
        assert_int_equal(late[2], i == 3);
    }
    const uint64_t wanted[8] = {0, 0, 1, 1, 1, 1, 0, 0}; /* g is of d, not of a */
    assert_memory_equal(late, wanted, sizeof wanted);
    live_free(live);
    live = begin(set, TIME_SECOND, &found);
    assert_int_equal(live_restore_frames(live, buf_slice(&kept)), OK);
    live_late(live, NULL, NULL);
    live_late(live, count_late, late);
    assert_memory_equal(late, wanted, sizeof wanted);
    live_free(live);
    buf_fini(&kept);
    ruleset_free(set);
}

/* A judge that dies anywhere is replaced by one that has only what was kept; some events are late,
 * and some have clocks of other centuries. */
static void windows_are_made_again(void **state)
{
    (void)state;
    struct ruleset *set = load();
    static struct event events[EVENTS];
    static struct firings whole, cut;
    uint64_t moved = 0, late = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct buf kept = {0}, spare = {0};
        dice_state = run + 1000;
        whole.count = cut.count = 0;
        roll(events, (int64_t)(run % 4 + 1) * TIME_SECOND);
        for (int i = 0; i < EVENTS; i++) {
            int64_t lagging = events[i].receipt_ns - 9 * TIME_SECOND;
            events[i].time_ns = dice(20) ? events[i].time_ns : dice(2) ? 0 : START * 3;
            events[i].time_ns = dice(100) ? events[i].time_ns : lagging;
        }
        struct live *one = begin(set, TIME_SECOND / 2, &whole);
        struct live *other = begin(set, TIME_SECOND / 2, &cut);
        for (int i = 0; i < EVENTS; i++) {
            play(one, set, &events[i], (uint64_t)i, &spare);
            play(other, set, &events[i], (uint64_t)i, &kept);
            if (dice(40) == 0) {
                live_free(other);
                other = begin(set, TIME_SECOND / 2, &cut);
                live_mute(other, true);
                assert_int_equal(live_restore_frames(other, buf_slice(&kept)), OK);
                live_mute(other, false);
                assert_int_equal(live_due(other), live_due(one));
            }
        }
        struct live_figures figures;
        live_figures(one, &figures);
        moved += figures.moved;
        late += figures.late;
        assert_true(whole.count > 20);
        assert_same(&whole, &cut);
        live_free(one);
        live_free(other);
        buf_fini(&kept);
        buf_fini(&spare);
    }
    assert_true(moved > RUNS && late > 10);
    ruleset_free(set);
}

/* Stamps of whole seconds, received later than is waited: nothing was judged that they could be
 * late for. */
static void who_lags_from_the_first_event_on_is_not_late(void **state)
{
    (void)state;
    struct ruleset *set = load();
    static struct firings found;
    struct buf kept = {0};
    struct live_figures figures;
    found.count = 0;
    struct live *live = begin(set, TIME_SECOND, &found);
    assert_int_equal(live_advance(live, START + 2 * TIME_SECOND), OK); /* others came before */
    for (int i = 0; i < 4; i++) {
        const struct event event = {
                .time_ns = START, .receipt_ns = START + 3 * TIME_SECOND + i * (TIME_SECOND / 10)};
        play(live, set, &event, (uint64_t)i, &kept);
    }
    assert_int_equal(live_advance(live, START + 60 * TIME_SECOND), OK);
    live_figures(live, &figures);
    assert_int_equal(figures.late, 0);
    assert_int_equal(found.count, 1);
    assert_false(found.at[0].inexact);
    live_free(live);
    buf_fini(&kept);
    ruleset_free(set);
}

/* Plays a and b each second; says of each rule up to when its findings were inexact, and whether
 * one was. */
static void play_doubtful(struct live *live, const struct ruleset *set, struct firings *found,
        bool *inexact, int64_t *last_ns)
{
    struct buf kept = {0};
    for (int i = 0; i < 900; i++) {
        int64_t now = START + i * TIME_SECOND;
        const struct event event = {
                .time_ns = now, .receipt_ns = now, .rule = (uint32_t)i % 2, .user = i / 30 % 6u};
        play(live, set, &event, (uint64_t)i, &kept);
    }
    assert_int_equal(live_advance(live, START + 1000 * TIME_SECOND), OK);
    for (uint32_t r = 0; r < set->rule_count; r++) {
        inexact[r] = false;
        last_ns[r] = 0;
        for (size_t i = 0; i < found->count; i++) {
            if (found->at[i].rule == r) {
                /* None behind one that is exact. */
                assert_true(inexact[r] || !found->at[i].inexact || last_ns[r] == 0);
                inexact[r] = found->at[i].inexact;
                last_ns[r] = found->at[i].inexact ? found->at[i].time_ns : last_ns[r];
                last_ns[r] = last_ns[r] ? last_ns[r] : 1;
            }
        }
    }
    buf_fini(&kept);
}

static const char changed[] =
        "title: a\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\n---\n"
        "title: b\nlogsource: {category: c}\ndetection: {s: {B: x}, condition: s}\n---\n"
        "title: c\ncorrelation: {rules: a, timespan: 20s, group-by: u, type: event_count, "
        "condition: {gte: 4}}\n---\n"
        "title: d\nname: d\ncorrelation: {rules: [a, b], timespan: 5s, group-by: u, type: "
        "temporal, generate: true}\n---\n"
        "title: e\ncorrelation: {rules: d, timespan: 60s, group-by: u, type: event_count, "
        "condition: {gte: 2}}\n";

/* What a set before did not keep: nobody; those of b; those of a rule that reads the same. */
static void what_was_not_kept_is_inexact_for_a_while(void **state)
{
    (void)state;
    enum { A, B, OF_A, OF_BOTH, OF_THAT, NONE = 0 };
    static const char without[] =
            "title: a\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\n---\n"
            "title: b\nlogsource: {category: c}\ndetection: {s: {B: y}, condition: s}\n---\n"
            "title: c\ncorrelation: {rules: [a, b], timespan: 20s, group-by: u, type: event_count, "
            "condition: {gte: 4}}\n";
    static struct firings found;
    struct ruleset *set = load_text(changed), *other = load_text(without);
    const bool all[] = {true, true, true, true, true}, no_b[] = {true, false, true, true, true};
    const struct live_before cases[] = {
            {NULL, NULL, NULL}, {other, all, NULL}, {set, no_b, NULL}, {set, all, NULL}};
    const int64_t until = START + LIVE_AHEAD_S * TIME_SECOND;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool inexact[5];
        int64_t last_ns[5];
        found.count = 0;
        struct live *live = begin(set, TIME_SECOND, &found);
        assert_int_equal(live_after(live, cases[i].set ? &cases[i] : NULL, START), OK);
        play_doubtful(live, set, &found, inexact, last_ns);
        for (uint32_t r = OF_A; r <= OF_THAT; r++) {
            const int64_t span = (r == OF_A ? 20 : r == OF_BOTH ? 5 : 65) * TIME_SECOND;
            bool doubted = i == 0 || (i < 3 && r != OF_A);
            assert_int_not_equal(last_ns[r], 0); /* it fired */
            assert_false(inexact[r]);            /* and at last exactly */
            if (doubted) {
                assert_in_range(last_ns[r], until - 60 * TIME_SECOND, until + span);
            } else {
                assert_int_equal(last_ns[r], 1);
            }
        }
        live_free(live);
    }
    ruleset_free(set);
    ruleset_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_waits_long_enough_is_as_sorted),
            cmocka_unit_test(what_is_late_is_told_by_correlation),
            cmocka_unit_test(windows_are_made_again),
            cmocka_unit_test(what_was_not_kept_is_inexact_for_a_while),
            cmocka_unit_test(who_lags_from_the_first_event_on_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
